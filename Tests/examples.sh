#!/usr/bin/env bash
# Runs the quick start and the web application as a user would, and checks what they print.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
web='' node=''
# shellcheck disable=SC2317
clean_up() {
    for pid in $web $node; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap clean_up EXIT

passed=0
expect() { # expect FILE TEXT
    if ! grep -qF -- "$2" "$1"; then
        echo "expected '$2' in:" >&2
        cat "$1" >&2
        exit 1
    fi
    passed=$((passed + 1))
}

./Examples/quickstart.sh | tee "$work/quickstart"
expect "$work/quickstart" "It works."
# Each of the three lines to type next works as it stands; the last one serves until it is stopped.
.build/release/jobreactor check >"$work/check"
expect "$work/check" text_statistics
.build/release/jobreactor test >"$work/test"
expect "$work/test" "5 passed, 0 failed"
.build/release/jobreactor run text_statistics path=README.md >"$work/run" 2>/dev/null
expect "$work/run" '"most_frequent":'

# The benchmark, with few jobs: a table, and a picture for each plot.
mkdir "$work/benchmark"
./Examples/benchmark.sh --quick "$work/benchmark" >"$work/benchmark.log" 2>&1
expect "$work/benchmark/table.md" "jobs end to end, SQLite"
for plot in throughput latency nodes payload; do expect "$work/benchmark/$plot.svg" "</svg>"; done
if ./Examples/benchmark.sh --quick >"$work/refusal" 2>&1; then
    echo "a quick benchmark must not replace the figures of the documentation" >&2
    exit 1
fi
expect "$work/refusal" "give a folder"

# The web application is a package of its own, as an application of a user would be.
Tests/user-build.sh Examples/WebApplication
program=.build/users/debug/WebApplication
read -r http_port port < <(/usr/bin/python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in sockets])')
"$program" Sources "$http_port" "$port" >"$work/web" 2>&1 &
web=$!
.build/release/jobreactor node --name worker_1 --distributor "localhost:$port" >"$work/node" 2>&1 &
node=$!
for _ in {1..100}; do
    if curl -s "localhost:$http_port/" >"$work/answer"; then break; fi
    sleep 0.1
done
curl -sf "localhost:$http_port/statistics?path=JobReactorCore/Job/Job.swift" >"$work/answer"
expect "$work/answer" '"summary":'
curl -s -o "$work/answer" -w '%{http_code}' "localhost:$http_port/jobs/my_job" -d '{"arg1": "Hello"}' >"$work/status"
expect "$work/status" 202
expect "$work/answer" '"id":'
curl -s -o "$work/answer" -w '%{http_code}' "localhost:$http_port/statistics?path=../README.md" >"$work/status"
expect "$work/status" 404
kill -TERM "$web"
wait "$web"
web=''
# What the guide shows, and more of the kind, as a user would write it.
Tests/user-package.sh | tee "$work/user-package"
expect "$work/user-package" "all well"
# It links what an application needs, and no more.
ldd "$program" >"$work/libraries"
if grep -E 'lua|sqlite' "$work/libraries"; then
    echo "the application links Lua or a storage engine" >&2
    exit 1
fi
echo "$passed passed, 0 failed"
