#!/usr/bin/env bash
# Builds and runs every test: the C parts under the address and undefined-behaviour sanitizers, the fuzz targets for a
# bounded time, everything in Swift under the thread sanitizer, the examples as a user would run them.
#
# FUZZ_SECONDS (default 20) bounds each fuzz target.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# shellcheck source=Examples/debian-packages.sh
. Examples/debian-packages.sh
install_debian_packages pkg-config liblua5.4-dev libhiredis-dev libsqlite3-dev redis-server redis-tools python3-redis openssl curl gnuplot-nox
if ! command -v swift >/dev/null; then
    echo "swift is not on PATH: install the Swift toolchain (6.2 or later), then run this again" >&2
    exit 1
fi

# Warnings are errors here. A build folder of its own, so that other builds keep theirs.
export JOBREACTOR_STRICT=1
scratch=.build/tests
swift_options=(--sanitize thread --scratch-path "$scratch")

step() { printf '\n== %s\n' "$1"; }

step "C: the Lua shim, under address and undefined-behaviour sanitizers"
Tests/CLuaShimTests/run.sh

step "Fuzz targets"
Tests/Fuzz/run.sh

step "Building everything, with the thread sanitizer"
swift build --build-tests "${swift_options[@]}"

step "Examples"
Tests/examples.sh

step "Swift tests, with the thread sanitizer"
# A data race ends the process that has it.
export TSAN_OPTIONS="halt_on_error=1 exitcode=66 suppressions='$root/Tests/thread-sanitizer.supp' ${TSAN_OPTIONS:-}"
# Two tests at a time: each starts processes and threads of its own, and all at once only starve one another.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
swift test --skip-build "${swift_options[@]}" 2>&1 | tee "$log" || status=$?
if [ "$status" -ne 0 ]; then
    # What failed once more, where a reader of the end of the output finds it.
    step "Failed"
    grep -aE -A 40 'recorded an issue|WARNING: ThreadSanitizer|Fatal error' "$log" |
        grep -avE '^.{0,4} (Test|Suite) .*(started|passed after)' | head -200 || true
    tail -n 1 "$log"
fi
exit "$status"
