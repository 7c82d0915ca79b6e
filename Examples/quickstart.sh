#!/usr/bin/env bash
# From a fresh clone to a report: installs what is missing, builds, starts an application and a node that works for it.
#
#     Examples/quickstart.sh [FOLDER]
#
# FOLDER is where the application finds text files to count; without it, this repository. JOBREACTOR_BUILD=debug builds
# faster and runs slower.
set -euo pipefail

if ! folder=$(cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" 2>/dev/null && pwd); then
    echo "quickstart: there is no folder ${1:-}" >&2
    exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=Examples/debian-packages.sh
source Examples/debian-packages.sh

configuration=${JOBREACTOR_BUILD:-release}
bin=.build/$configuration
work=$(mktemp -d "${TMPDIR:-/tmp}/jobreactor.XXXXXX")
node_log=$work/node.log
started=()

# Ends what this script started, however it ends itself.
clean_up() {
    local status=$? pid
    trap - EXIT INT TERM
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${started[@]}"; do
        for _ in {1..100}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    case "$status" in
    0 | 130 | 143) rm -rf "$work" ;;
    *) if [ -s "$node_log" ]; then echo "The node's log: $node_log" >&2; else rm -rf "$work"; fi ;;
    esac
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "quickstart: $*" >&2
    exit 1
}

if ! command -v swift >/dev/null; then
    fail "Swift is missing; install 6.2 or later from https://www.swift.org/install and run this again"
fi
install_debian_packages liblua5.4-dev libhiredis-dev libsqlite3-dev pkg-config tzdata

echo "Building ($configuration). The first time this takes some minutes, later ones seconds."
for product in jobreactor QuickStart; do
    swift build -c "$configuration" --product "$product"
done

# The application takes any free port and writes it to a file, so that this works whatever else runs here.
"$bin/QuickStart" --port 0 --port-file "$work/port" --log Examples/access.log "$folder" &
application=$!
started+=("$application")
for _ in {1..300}; do
    if [ -s "$work/port" ]; then break; fi
    if ! kill -0 "$application" 2>/dev/null; then break; fi
    sleep 0.1
done
if [ ! -s "$work/port" ]; then
    # An application that ended has said why.
    if kill -0 "$application" 2>/dev/null; then fail "the application has opened no port in 30 seconds"; fi
    exit 1
fi

"$bin/jobreactor" node --name worker_1 --distributor "localhost:$(cat "$work/port")" --jobs reactor_jobs \
    >"$node_log" 2>&1 &
node=$!
started+=("$node")

# The application ends by itself when all jobs are done. The node would go on for ever.
status=0
wait -n -p ended "$application" "$node" || status=$?
if [ "$ended" = "$node" ]; then fail "the node ended early (status $status): $(tail -n 1 "$node_log")"; fi
if [ "$status" -ne 0 ]; then fail "the application failed (status $status)"; fi

cat <<END

It works. What you could type next:

    $bin/jobreactor check                                # every job script, and what is wrong with it
    $bin/jobreactor run text_statistics path=README.md   # one job, here and now
    $bin/jobreactor distributor --listen localhost:5000  # then: redis-cli -p 5000 ENQUEUE my_job '{"arg1":"Hello"}'
END
