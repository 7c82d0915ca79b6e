#!/usr/bin/env bash
# Measures JobReactor on this machine, and makes a table and plots (SVG) of the results.
#
#     Examples/benchmark.sh [--quick] [FOLDER]
#
# FOLDER gets results.json, table.md and the plots. Without one the results replace those in Examples/benchmark, and the table
# and the plots those of the page "Benchmarks". --quick takes seconds instead of minutes, and its figures mean nothing.
set -euo pipefail

quick=()
page=()
if [ "${1:-}" = --quick ]; then
    quick=(--quick)
    shift
fi
folder=${1:-}
if [ -n "$folder" ] && ! folder=$(cd "$folder" 2>/dev/null && pwd); then
    echo "benchmark: there is no folder $1" >&2
    exit 64
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "$folder" ]; then
    if [ ${#quick[@]} -gt 0 ]; then
        echo "benchmark: give a folder with --quick, whose figures mean nothing" >&2
        exit 64
    fi
    page=(--page Sources/JobReactor/JobReactor.docc/Benchmarks/Benchmarks.md)
    folder=Examples/benchmark
fi

# shellcheck source=Examples/debian-packages.sh
source Examples/debian-packages.sh

if ! command -v swift >/dev/null; then
    echo "benchmark: Swift is missing; install 6.2 or later from https://www.swift.org/install" >&2
    exit 1
fi
install_debian_packages liblua5.4-dev libhiredis-dev libsqlite3-dev pkg-config redis-server gnuplot-nox python3-minimal
swift build -c release --product jobreactor

# What is there stays until there is something better.
results=$(mktemp)
trap 'rm -f "$results"' EXIT
echo "Measuring; this takes a while, during which the machine should have nothing else to do."
.build/release/jobreactor bench all --json "${quick[@]}" >"$results"
cat "$results" >"$folder/results.json"
/usr/bin/python3 Examples/make_benchmark_plots.py "$folder" "${page[@]}"
echo "Wrote results.json, table.md and plots to $folder"
