#!/usr/bin/env bash
# Makes the Debian package, and installs it on a machine of its own with systemd: its services start, are upgraded under load, and
# are removed, and no job is lost or run twice. The commands of the page on deployment are run on the way. Needs root.
#
#     Tests/package.sh [PROGRAM]
#
# PROGRAM is that of a release build, .build/release/jobreactor without a word.
set -euo pipefail
if [ "$(id -u)" -ne 0 ]; then
    echo "package: this test makes a machine of its own: run it as root" >&2
    exit 1
fi
if [ "${1:-}" != --apart ]; then exec unshare --mount "${BASH_SOURCE[0]}" --apart "$@"; fi
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-.build/release/jobreactor}

# shellcheck source=Examples/debian-packages.sh
. Examples/debian-packages.sh
install_debian_packages systemd binutils python3 adduser ca-certificates tzdata man-db iproute2 python3-redis redis-tools >&2
# shellcheck source=Tests/machine.sh
. Tests/machine.sh
work=$(mktemp -d)
# shellcheck disable=SC2317
clean_up() {
    status=$?
    if [ "$status" -ne 0 ] && [ -n "$machine" ]; then
        in_machine journalctl --no-pager -q -n 60 -u 'jobreactor-*' >&2 || true
    fi
    drop_machine
    rm -rf "$work"
    exit "$status"
}
machine=''
trap clean_up EXIT

passed=0
# check WHAT COMMAND…: that it succeeds.
check() {
    local what=$1
    shift
    if ! "$@" >"$work/output" 2>&1; then
        echo "package: it is not so that $what:" >&2
        cat "$work/output" >&2
        exit 1
    fi
    passed=$((passed + 1))
}
# Waits for at most five minutes.
wait_until() {
    local what=$1 _
    shift
    for _ in $(seq 1 1500); do
        if "$@" >"$work/output" 2>&1; then
            passed=$((passed + 1))
            return
        fi
        sleep 0.2
    done
    echo "package: it never came that $what:" >&2
    cat "$work/output" >&2
    exit 1
}
no() { ! "$@"; }
page=Sources/JobReactor/JobReactor.docc/Operations/Deployment.md
# on_page NAME: runs the commands that are marked so on the page. What they print is in $work/printed.
on_page() {
    local commands
    commands=$(sed -n "/^<!-- run: package $1 -->\$/,/^\`\`\`\$/p" "$page" | sed '1,2d;$d')
    if [ -z "$commands" ]; then echo "$page has no commands for $1" && return 1; fi
    in_machine bash -ec "$commands" 2>&1 | tee "$work/printed"
}
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'" && false; }; }

first=$(Examples/Deployment/debian/build.sh --program "$program" --revision 1 "$work")
# The next revision has the same in it.
dpkg-deb --raw-extract "$first" "$work/tree"
sed -i 's/^\(Version: .*\)-1$/\1-2/' "$work/tree/DEBIAN/control"
second=$work/second.deb
dpkg-deb --root-owner-group -Znone --build "$work/tree" "$second" >/dev/null

# What it brings.
manual=$work/tree/usr/share/man
# groff is what `man` calls.
check "the manual pages have no faults" same "$(zcat "$manual"/man?/*.gz | groff -K utf8 -man -Tutf8 -wmac -z 2>&1)" ""
check "the manual has pages for commands of commands" test -s "$manual/man1/jobreactor-jobs-list.1.gz"
check "the manual has the pages of the documentation" test -s "$manual/man7/jobreactor-lua-guide.7.gz"
check "a manual page tells of settings" grep -q JOBREACTOR_MAX_ATTEMPT <(zcat "$manual/man1/jobreactor-node.1.gz")
check "the completions are those of bash" bash -n "$work/tree/usr/share/bash-completion/completions/jobreactor"
check "settings are to be kept by upgrades" grep -q node.json <(dpkg-deb --info "$first" conffiles)
for unit in "$work"/tree/usr/lib/systemd/system/*.service; do
    # 2.5 of 10; what the exposure is made of stands in the output.
    check "$unit is exposed by less than 2.5" systemd-analyze security --no-pager --offline=true --threshold=25 "$unit"
done

make_machine
cp "$first" "$second" "$machine/"
first=/$(basename "$first") second=/$(basename "$second")
boot_machine
state=/var/lib/jobreactor
show() { in_machine systemctl show --value --property "$2" "jobreactor-$1"; }
is_active() { in_machine systemctl is-active "jobreactor-$1"; }

# Installed, and nothing more.
check "it installs" in_machine dpkg -i "$first"
check "the program is there" in_machine jobreactor --version
check "it has a user" in_machine id jobreactor
check "nothing runs by itself" same "$(in_machine systemctl list-units --all --plain --no-legend 'jobreactor-*')" ""
check "nothing is enabled by itself" same \
    "$(in_machine systemctl list-unit-files --no-legend 'jobreactor-*' | tr -s ' ' | cut -d ' ' -f 2 | sort -u)" disabled
check "its units are sound" in_machine systemd-analyze verify \
    /usr/lib/systemd/system/jobreactor-node@.service /usr/lib/systemd/system/jobreactor-distributor@.service

# Jobs, in a script of an operator: each run is a line in the folder of its node.
cat >"$machine/etc/jobreactor/reactor_jobs/note.lua" <<'END'
local function note(text)
    local file = assert(io.open('runs', 'a'))
    file:write(text, '\n')
    file:close()
end
job('note', function(args) note(args.n) end)
job('slow', { max_attempt = 1 }, function(args)
    local program = exec('sh', '-c', 'sleep 8; echo done')
    note(args.n .. ' ' .. program.stdout:gsub('\n', ''))
end)
job('may', function(args)
    args.etc, args.why = pcall(function() assert(io.open('/etc/jobreactor/mine', 'w')) end)
    args.home = exec('ls', '/home').status
    args.temporary = exec('sh', '-c', 'echo hi >/tmp/hi && cat /tmp/hi').stdout
    args.user = exec('id', '-un').stdout
end)
END
# One that is slow here has its time at a stop.
for name in worker_1 worker_2; do echo JOBREACTOR_GRACE=300 >"$machine/etc/jobreactor/node-$name.env"; done
check "services start, and run a job" on_page start
check "the job ran" grep -q 'Yay!' "$work/printed"
check "a password is written" on_page password
check "nobody else can read it" same "$(in_machine stat -c '%a %U' /etc/jobreactor/password)" "600 jobreactor"
check "the doctor looks at a service" on_page doctor
check "the doctor finds nothing wrong" grep -q '^0 errors' "$work/printed"
check "the settings are those of the package" in_machine test -f "$state/distributor-main/jobs.sqlite"
answer=$(in_machine jobreactor enqueue may --wait --timeout 300)
for part in '"etc":false' 'Read-only file system' '"temporary":"hi\n"' '"user":"jobreactor\n"'; do
    check "a job may what its service may: $part" grep -qF -- "$part" <<<"$answer"
done
# Of limits of this machine, which its own may not raise, Dispatch complains.
check "nothing complains in the log" no in_machine sh -c \
    'journalctl --no-pager -q -u "jobreactor-*" | grep -v "thread priority" | grep -iE "failed|denied|warning|error"'
check "nodes have started when they are linked" same "$(show node@worker_1 StatusText)" "Running jobs"

# An upgrade under load. Each number is sent once: what nobody knows to be accepted may have run or not.
cat >"$machine/load.py" <<'END'
import json, os, time, redis

accepted = open("/accepted", "w")
number = 0
client = redis.Redis(port=5000, socket_timeout=30)
while not os.path.exists("/enough"):
    try:
        client.execute_command("ENQUEUE", "note", json.dumps({"n": number}))
        accepted.write("%d\n" % number)
    except redis.exceptions.RedisError:
        client.close()
        time.sleep(0.05)
    number += 1
    time.sleep(0.01)
END
in_machine python3 /load.py >"$work/load" 2>&1 &
load=$!
slow() { in_machine jobreactor enqueue slow "n=-$1" --node "$2"; }
runs() { cat "$machine"/var/lib/jobreactor/node-*/runs 2>/dev/null || true; }
for number in 1 2; do slow "$number" "worker_$number" >/dev/null; done
units=(distributor@main node@worker_1 node@worker_2)
enough() { [ "$(runs | wc -l)" -ge "$1" ]; }
wait_until "jobs run" enough 100
before=$(for unit in "${units[@]}"; do show "$unit" MainPID; done)
check "it is upgraded" in_machine dpkg -i "$second"
after=$(for unit in "${units[@]}"; do show "$unit" MainPID; done)
check "each service has a process of the new program" same "$(printf '%s\n' "$before" "$after" | sort | uniq -d)" ""
for unit in "${units[@]}"; do check "$unit runs" is_active "$unit"; done
for unit in "${units[@]}"; do
    check "$unit was stopped by nobody but the upgrade" same "$(show "$unit" NRestarts)" 0
done
wait_until "jobs run on" enough $(($(runs | wc -l) + 100))
touch "$machine/enough"
wait "$load" || { cat "$work/load" >&2 && exit 1; }
all_ran() { [ -z "$(comm -23 <(sort "$machine/accepted") <(runs | sort))" ]; }
wait_until "all that was accepted has run" all_ran
check "no job ran twice" same "$(runs | sort | uniq -d)" ""
check "jobs that ran at the upgrade came to their end, as did their programs" \
    same "$(runs | grep -- - | sort | paste -sd ,)" "-1 done,-2 done"
check "services are restarted as the page says" on_page restart
for unit in "${units[@]}"; do check "$unit runs" is_active "$unit"; done

# Removed, and there again: settings and jobs are kept. Purged: they are not.
id=$(in_machine jobreactor enqueue note n=-4 --after 3600)
node_has() { in_machine jobreactor jobs list --storage "sqlite:$state/node-$1/jobs.sqlite" --json | grep -q "$2"; }
some_node_has() { node_has worker_1 "$id" || node_has worker_2 "$id"; }
wait_until "a node has stored a job for later" some_node_has
echo '{"grace": 7, "storage": "sqlite:jobs.sqlite", "job_directory": "/etc/jobreactor/reactor_jobs"}' \
    >"$machine/etc/jobreactor/node.json"
check "it is removed" in_machine dpkg -r jobreactor
check "nothing of it runs" same "$(in_machine pgrep -x jobreactor || true)" ""
check "the program is gone" no in_machine test -e /usr/bin/jobreactor
check "settings are kept" grep -q '"grace": 7' "$machine/etc/jobreactor/node.json"
check "it installs again" in_machine dpkg -i "$second"
check "its services start again" in_machine systemctl start jobreactor-distributor@main jobreactor-node@{worker_1,worker_2}
check "the job is there" some_node_has
check "it is purged" in_machine dpkg -P jobreactor
check "what its services kept is gone" no in_machine test -e "$state"
check "settings are gone" no in_machine test -e /etc/jobreactor/node.json
check "the operator's script is not" in_machine test -e /etc/jobreactor/reactor_jobs/note.lua
check "nothing is left of it among the services" same "$(in_machine sh -c 'ls /etc/systemd/system/*.wants' | grep jobreactor || true)" ""
check "all commands of the page were run" same "$(grep -c '^```sh' "$page")" 4
echo "$passed passed, 0 failed"
