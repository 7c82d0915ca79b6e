#!/usr/bin/env bash
# Builds and runs every test: the C parts under the address and undefined-behaviour sanitizers, the fuzz targets for a
# bounded time, everything in Swift under the thread sanitizer and again under the address sanitizer, the documentation without
# warnings, the examples as a user would run them, the Debian package, the services and the image.
#
# FUZZ_SECONDS (default 20) bounds each fuzz target. With --quick: only the tests of units and machines, without sanitizers.
set -euo pipefail
case "$*" in
    "") quick= ;;
    --quick) quick=1 ;;
    *)
        echo "usage: Tests/run.sh [--quick]" >&2
        exit 2
        ;;
esac
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# shellcheck source=Examples/debian-packages.sh
. Examples/debian-packages.sh
install_debian_packages pkg-config liblua5.4-dev libhiredis-dev libsqlite3-dev redis-server redis-tools python3-redis sqlite3 openssl curl gnuplot-nox prometheus \
    lua-penlight lua-lpeg lua-cjson lua-inspect lua-luassert \
    systemd man-db adduser ca-certificates tzdata iproute2 binutils python3
if ! command -v swift >/dev/null; then
    echo "swift is not on PATH: install the Swift toolchain (6.2 or later), then run this again" >&2
    exit 1
fi

# Warnings are errors here. Build folders of their own, so that other builds keep theirs.
export JOBREACTOR_STRICT=1
# All of these builds share one BoringSSL.
export CC="$root/Tests/clang.sh"
# A data race, or a bad access, ends the process that has it.
export TSAN_OPTIONS="halt_on_error=1 exitcode=66 handle_abort=1 suppressions='$root/Tests/thread-sanitizer.supp' ${TSAN_OPTIONS:-}"
# Swift's runtime keeps objects that only it can find, which would be reported as leaks; the C tests look for leaks.
export ASAN_OPTIONS="halt_on_error=1 exitcode=67 handle_abort=1 detect_leaks=0 quarantine_size_mb=64 suppressions='$root/Tests/address-sanitizer.supp' ${ASAN_OPTIONS:-}"

began=$SECONDS
steps=()
step() {
    steps+=("$((SECONDS - began)) s: $1")
    printf '\n== %s\n' "$1"
}

if [ -n "$quick" ]; then
    step "Building everything, without a sanitizer"
    swift build --build-tests --scratch-path .build/tests-quick
    step "Tests of units and machines"
    exec Tests/legs.py "quick leg" "$root/.build/tests-quick/debug/jobreactorPackageTests.xctest" .build/tests-quick/logs \
        JobReactorNodeTests JobReactorLuaTests JobReactorWireTests JobReactorCoreTests JobReactorCommandTests JobReactorUsersTests JobReactorDashboardTests \
        'JobReactorTests:(DistributorLedger|EntryTable|KeeperQueue|ChangeBatches|MemoryShares|OwnedJobs|Paging|Suspects)Tests'
fi

# What is needed later is done meanwhile: what is built with what the processors have left over, and should that fail, then it
# is built again when its turn comes, which says why.
declare -A background=()
trap 'for group in "${background[@]}"; do kill -- "-$group" 2>/dev/null || true; done' EXIT
beside() { # beside NAME COMMAND ...
    set -m
    ("${@:2}") >".build/$1.log" 2>&1 &
    background[$1]=$!
    set +m
}
last_in_line() {
    chrt --idle --pid 0 "$BASHPID" >/dev/null
    "$@"
}
ahead() { beside "$1" last_in_line "${@:2}"; } # ahead NAME COMMAND ...
# What is called NAME is waited for; its status.
join() { # join NAME
    local group=${background[$1]:-} status=0
    if [ -z "$group" ]; then return; fi
    wait "$group" || status=$?
    unset "background[$1]"
    return "$status"
}
# As join, and it has the processors like everybody from now on.
hurry() { # hurry NAME
    local group=${background[$1]:-}
    if [ -z "$group" ]; then return; fi
    for _ in 1 2; do
        for process in $(pgrep -g "$group" || true); do chrt --all-tasks --other --pid 0 "$process" >/dev/null 2>&1 || true; done
    done
    join "$1" || true
}
# Everything, with the sanitizer $1. Of what debuggers need only what reports show: the lines.
build_with() {
    swift build --build-tests --sanitize "$1" --scratch-path ".build/tests-$1" \
        -debug-info-format none -Xswiftc -gline-tables-only -Xcc -gline-tables-only
}
build_examples() {
    local product
    for product in jobreactor QuickStart JobReactorChaos; do swift build -c release --product "$product"; done
    Tests/user-build.sh Examples/WebApplication
    Tests/user-build.sh Tests/UserPackage
}
mkdir -p .build
ahead address build_with address
ahead examples build_examples

step "C: the Lua shim, under address and undefined-behaviour sanitizers"
Tests/CLuaShimTests/run.sh

step "Fuzz targets"
Tests/Fuzz/run.sh

# Those that take longest first.
targets=(JobReactorProcessTests JobReactorTests JobReactorRedisTests)
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    if [[ " CLuaShimTests ${targets[*]} " != *" $target "* ]]; then targets+=("$target"); fi
done
legs=()
# leg SANITIZER: builds everything with it and runs the tests of each target in a process of its own, so that none has the
# memory, the threads or the faults of another.
leg() {
    step "Building everything, with the $1 sanitizer"
    hurry "$1"
    build_with "$1"
    step "Swift tests, with the $1 sanitizer"
    local report status=0
    report=$(mktemp)
    # The model has one thread: for data races a few of its states are enough.
    if [ "$1" = thread ]; then export JOBREACTOR_MODEL_CUT=2 JOBREACTOR_MODEL_WALKS=3; fi
    Tests/legs.py "$1 sanitizer" "$root/.build/tests-$1/debug/jobreactorPackageTests.xctest" ".build/tests-$1/logs" \
        "${targets[@]}" |
        tee "$report" || status=$?
    legs+=("$(tail -n 1 "$report")")
    bad+=$(grep "^$1: " "$report" | sed '$d' || true)$'\n'
    rm -f "$report"
    unset JOBREACTOR_MODEL_CUT JOBREACTOR_MODEL_WALKS
    if [ "$status" -ne 0 ]; then failed=1; fi
}
failed=0
bad=
leg thread

# Most of this waits, as the tests do: it goes on beside them.
finish() {
    local status=0
    set +e
    step "Documentation"
    Tests/docs.sh .build/tests-thread || status=1
    step "Examples"
    Tests/examples.sh || status=1
    step "Deployment: the Debian package, its services, the image"
    Tests/package.sh || status=1
    Tests/dockerfile.sh || status=1
    return "$status"
}
hurry examples
beside finish finish

leg address

join finish || failed=1
cat .build/finish.log

step "Load: an application in a hostile crowd, optimised"
swift build -c release --product JobReactorChaos
"$(swift build -c release --show-bin-path)/JobReactorChaos" crowd --part 8 --tries 3 --most-resident 700 || failed=1

step "All of it took $(((SECONDS - began) / 60)) minutes"
printf '%s\n' "${steps[@]}"
# Once more at the end, where it is looked for.
sed '/^$/d' <<<"$bad"
passed=0
unsuccessful=0
for line in "${legs[@]}"; do
    echo "$line"
    read -r _ count _ bad _ <<<"$line"
    passed=$((passed + count))
    unsuccessful=$((unsuccessful + bad))
done
echo "$passed passed, $unsuccessful failed"
exit "$failed"
