#!/usr/bin/env bash
# Builds the fuzzer of the RESP codec, with the address sanitizer: resp_build.sh PROGRAM
#
# The codec does without NIO, so its files and the fuzzer's one make the whole program.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sources=$here/../../Sources
codec=()
for name in RESPLimits RESPError RESPFrame RESPReader RESPStream InlineCommand; do
  codec+=("$sources/JobReactorWire/Codec/$name.swift")
done
linker=()
# The other linkers warn of every function of the sanitizer.
if [ -x "$(dirname "$(readlink -f "$(command -v swiftc)")")/ld.lld" ]; then linker=(-use-ld=lld); fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
swiftc -parse-as-library -O -g -swift-version 6 -package-name jobreactor -module-name RESPFuzzer \
  -enable-upcoming-feature InternalImportsByDefault -enable-upcoming-feature ExistentialAny \
  -sanitize=fuzzer,address -module-cache-path "$scratch" -I "$sources/CHiredis" ${linker[@]+"${linker[@]}"} \
  "${codec[@]}" "$here/resp_fuzzer/RESPFuzzer.swift" -o "$1"
