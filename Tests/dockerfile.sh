#!/usr/bin/env bash
# Does what Examples/Deployment/Dockerfile says, step by step, where there is no engine: each stage on a machine of its own, whose
# base is this system; then its program serves as the image's user. Needs root.
#
#     Tests/dockerfile.sh [--build]
#
# With --build Swift builds in the image as it would there, which takes its time; otherwise what it would build is that of
# .build/release, or of the program that PROGRAM names.
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then
    echo "dockerfile: this test makes a machine of its own: run it as root" >&2
    exit 1
fi
if [ "${1:-}" != --apart ]; then exec unshare --mount "${BASH_SOURCE[0]}" --apart "$@"; fi
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
builds=''
if [ "${1:-}" = --build ]; then builds=1; fi
file=Examples/Deployment/Dockerfile
program=${PROGRAM:-.build/release/jobreactor}

# shellcheck source=Tests/machine.sh
. Tests/machine.sh
work=$(mktemp -d)
servers=()
machine=''
# shellcheck disable=SC2317
clean_up() {
    status=$?
    for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
    wait
    drop_machine
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
fail() { echo "dockerfile: $*" >&2 && exit 1; }

# One instruction a line, without comments.
sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' "$file" | sed -e ':again' -e '/\\$/{N;s/\\\n//;b again' -e '}' >"$work/steps"

# What the engine has and a machine lacks.
begin_stage() {
    make_machine
    # Packages that are here need no server.
    cat >"$machine/usr/local/sbin/apt-get" <<'END'
#!/bin/sh
if [ "$1" = update ]; then exit 0; fi
for word in "$@"; do
    case "$word" in
    install | -*) ;;
    *) dpkg-query -W -f '${db:Status-Status}' "$word" 2>/dev/null | grep -qx installed || missing=1 ;;
    esac
done
if [ -z "$missing" ]; then exit 0; fi
/usr/bin/apt-get update -qq
DEBIAN_FRONTEND=noninteractive exec /usr/bin/apt-get "$@"
END
    chmod 755 "$machine/usr/local/sbin/apt-get"
    # This system's own user of that name and number, where it has one, is none of the image.
    chroot "$machine" userdel jobreactor 2>/dev/null || true
}
begin_build() {
    begin_stage
    if [ -n "$builds" ]; then return; fi
    cp "$program" "$machine/program"
    cat >"$machine/usr/local/bin/swift" <<'END'
#!/bin/sh
case "$*" in
"package resolve") ;;
"build -c release --static-swift-stdlib --product jobreactor")
    for target in Sources Examples Tests; do [ -d "$target" ] || exit 1; done
    mkdir -p .build/release && cp /program .build/release/jobreactor
    ;;
"build -c release --static-swift-stdlib --show-bin-path") echo "$PWD/.build/release" ;;
*) echo "swift $*: not what this test knows" >&2 && exit 1 ;;
esac
END
    chmod 755 "$machine/usr/local/bin/swift"
}
begin_image() {
    begin_stage
    # There is no Swift; a program that takes its runtime from there finds it all the same.
    if [ -n "$builds" ] && [ -d "$machine/opt/swift" ]; then mount -t tmpfs nothing "$machine/opt/swift"; fi
}

# is_sent PATH: whether the engine's builder gets it.
is_sent() {
    local line
    while read -r line; do
        case "$line" in '!'*) if [[ "$1" = "${line#!}" || "$1" = "${line#!}"/* ]]; then return 0; fi ;; esac
    done <"$file.dockerignore"
    return 1
}

stage='' folder=/ user=root entry='' steps=0
while IFS= read -r line; do
    word=${line%% *} rest=${line#* }
    case "$word" in
    FROM)
        if [ -n "$stage" ]; then
            # What later stages take of this one.
            sed -n "s/^COPY --from=$stage \([^ ]*\) .*/\1/p" "$work/steps" | while read -r path; do
                mkdir -p "$work/$stage$path" && cp -a "$machine$path/." "$work/$stage$path/"
            done
            drop_machine
        fi
        stage=${rest##* AS } folder=/ user=root
        case "$rest" in
        swift:6.*-bookworm\ AS\ *) begin_build ;;
        debian:bookworm-slim) begin_image ;;
        *) fail "FROM $rest: this test has no such base" ;;
        esac
        ;;
    RUN) chroot "$machine" env "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH" \
        sh -ec "cd '$folder' && $rest" >"$work/log" 2>&1 || { cat "$work/log" >&2 && fail "this fails: RUN $rest"; } ;;
    WORKDIR) folder=$rest && mkdir -p "$machine$folder" ;;
    COPY)
        read -r from to <<<"$rest"
        if [[ "$from" = --from=* ]]; then
            read -r path to <<<"$to"
            cp -a "$work/${from#--from=}$path/." "$machine$to"
        else
            is_sent "$from" || fail "$from is kept from the builder by $file.dockerignore"
            if [[ "$to" != /* ]]; then to=$folder/$to; fi
            if [ -d "$from" ]; then
                mkdir -p "$machine$to"
                tar -C "$from" --exclude-from=<(sed -n 's|^\*\*/||p' "$file.dockerignore") -cf - . | tar -C "$machine$to" -xf -
            else
                cp -a "$from" "$machine$to"
            fi
        fi
        ;;
    USER) user=$rest ;;
    ENTRYPOINT) entry=${rest//[][\",]/} ;;
    EXPOSE | STOPSIGNAL | CMD) ;;
    *) fail "$word: this test does not know it" ;;
    esac
    steps=$((steps + 1))
done <"$work/steps"

[ "$user" != root ] || fail "the image's user is root"
# Before a command: runs it as the engine does.
in_image=(chroot "$machine" setpriv --reuid "$user" --regid "$user" --init-groups --inh-caps=-all
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "cd '$folder' && exec \"\$@\"" sh)
"${in_image[@]}" "$entry" --version >"$work/version"
port=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${in_image[@]}" "$entry" distributor --listen "127.0.0.1:$port" >"$work/distributor" 2>&1 &
servers+=($!)
"${in_image[@]}" "$entry" node --name worker_1 --distributor "127.0.0.1:$port" --storage sqlite:state/jobs.sqlite >"$work/node" 2>&1 &
servers+=($!)
for _ in $(seq 1 1500); do
    if grep -q 'node connected' "$work/distributor"; then break; fi
    sleep 0.2
done
"${in_image[@]}" "$entry" enqueue my_job arg1=Hello --wait --timeout 300 --distributor "127.0.0.1:$port" >"$work/answer" 2>&1 || true
grep -q 'Yay!' "$work/answer" || { cat "$work"/{answer,distributor,node} >&2 && fail "the image runs no job"; }
for server in "${servers[@]}"; do kill -TERM "$server"; done
for server in "${servers[@]}"; do wait "$server" || fail "a server ends with an error"; done
servers=()
echo "$((steps + 1)) passed, 0 failed"
