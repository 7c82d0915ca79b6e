#!/usr/bin/env bash
# Builds the documentation of every public module from its DocC catalog, with warnings as errors, and puts all of it into one
# archive: .build/docs/JobReactor.doccarchive. Nothing is compiled: the modules are those of a build that is there.
#
#     Tests/docs.sh [BUILD]
#
# BUILD is the scratch folder of that build, by default the one that Tests/run.sh makes with the thread sanitizer. To read
# the archive: python3 -m http.server -d .build/docs/JobReactor.doccarchive, and then http://localhost:8000/documentation.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-.build/tests-thread}
if [ ! -f "$build/debug.yaml" ]; then
    echo "docs: there is no build in $build: run Tests/run.sh first, or swift build --scratch-path $build" >&2
    exit 1
fi
tools=$(dirname "$(readlink -f "$(command -v swift)")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# How the compiler found the modules of C, and the others, of what our modules import. A line for each argument.
/usr/bin/python3 - "$build/debug.yaml" >"$work/arguments" <<'PY'
import json, re, sys

found = {}
for line in open(sys.argv[1], encoding="utf-8"):
    line = line.strip()
    if not re.match(r'args: \["[^"]*swiftc","-module-name","JobReactor', line):
        continue
    words = json.loads(line.removeprefix("args: "))
    place = 0
    while place < len(words):
        word, following = words[place], words[place + 1:place + 4]
        if word in ("-I", "-target"):
            found[(word, following[0])] = None
        elif word.startswith("-I"):
            found[(word,)] = None
        elif word == "-Xcc" and following[0].startswith("-fmodule-map-file="):
            found[(word, following[0])] = None
        elif word == "-Xcc" and following[0] == "-I":
            found[(word, *following)] = None
            place += 3
        place += 1
for words in found:
    print("\n".join(words))
PY
mapfile -t arguments <"$work/arguments"

modules=()
for catalog in Sources/*/*.docc; do modules+=("$(basename "$catalog" .docc)"); done
# convert MODULE FOLDER [OPTION …]: makes the archive of a module in the folder.
convert() {
    local module=$1 folder=$2
    "$tools/docc" convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$work/symbols/$module" \
        --fallback-display-name "$module" --fallback-bundle-identifier "$module" --fallback-default-module-kind Module \
        --output-dir "$folder/$module.doccarchive" --enable-experimental-external-link-support "${@:3}"
}

# Pages of a module link to those of others. So each is converted twice: first for what it offers to links, then to check its
# own.
for module in "${modules[@]}"; do
    mkdir -p "$work/symbols/$module" "$work/first" "$work/second"
    "$tools/swift-symbolgraph-extract" -module-name "$module" "${arguments[@]}" -module-cache-path "$work/cache" \
        -swift-version 6 -minimum-access-level public -skip-synthesized-members -output-dir "$work/symbols/$module"
    convert "$module" "$work/first" --diagnostic-level error >/dev/null
done
status=0
for module in "${modules[@]}"; do
    dependencies=()
    for other in "${modules[@]}"; do
        if [ "$other" != "$module" ]; then dependencies+=(--dependency "$work/first/$other.doccarchive"); fi
    done
    convert "$module" "$work/second" --warnings-as-errors "${dependencies[@]}" >"$work/output" 2>&1 || status=1
    grep -v '^$' "$work/output" || true
done
if [ "$status" -ne 0 ]; then
    echo "docs: the documentation has warnings" >&2
    exit 1
fi
mkdir -p .build/docs
rm -rf .build/docs/JobReactor.doccarchive
"$tools/docc" merge "$work"/second/*.doccarchive --synthesized-landing-page-name JobReactor \
    --output-path .build/docs/JobReactor.doccarchive
echo "documentation of ${#modules[@]} modules, without warnings: .build/docs/JobReactor.doccarchive"
