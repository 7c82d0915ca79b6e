#!/usr/bin/env bash
# Builds fuzzers and runs them: over their committed corpus, then on new inputs for FUZZ_SECONDS (default 20) each.
#
#   Tests/Fuzz/run.sh [NAME ...]        without names: all of them
#
# A fuzzer NAME is
#   NAME_fuzzer.c     built here, with the sources of CLuaShim and the sanitizers; or
#   NAME_build.sh     called as `NAME_build.sh PROGRAM`, for one that needs another compiler: leaves a libFuzzer program
# and has its seeds in corpus/NAME/, and perhaps a dictionary NAME.dict. An input that ever failed belongs into the
# corpus, under a name that tells what it is. Findings are left in .build/fuzz.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/Tests/Fuzz
out=$root/.build/fuzz
seconds=${FUZZ_SECONDS:-20}

find_clang() {
  local clang swift
  clang=$(command -v clang || true)
  if [ -z "$clang" ]; then
    swift=$(command -v swift || true)
    [ -z "$swift" ] || clang=$(dirname "$(readlink -f "$swift")")/clang
  fi
  if [ ! -x "$clang" ]; then
    echo "no clang on PATH and none beside swift" >&2
    return 1
  fi
  echo "$clang"
}

build_c() { # NAME PROGRAM
  local clang lua_flags lua_libraries linker=()
  clang=$(find_clang)
  read -ra lua_flags <<<"$(pkg-config --cflags lua5.4)"
  read -ra lua_libraries <<<"$(pkg-config --libs lua5.4)"
  if [ -x "$(dirname "$(readlink -f "$clang")")/ld.lld" ]; then linker=(-fuse-ld=lld); fi
  "$clang" -std=gnu11 -Wall -Wextra -Wno-nullability-extension -g -O1 \
    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
    -I"$root/Sources/CLuaShim/include" -I"$root/Sources/CLuaShim" "${lua_flags[@]}" ${linker[@]+"${linker[@]}"} \
    "$here/$1_fuzzer.c" "$root"/Sources/CLuaShim/*/*.c "${lua_libraries[@]}" -lm -o "$2"
}

build() { # NAME PROGRAM
  if [ -f "$here/$1_fuzzer.c" ]; then
    build_c "$1" "$2"
  elif [ -f "$here/$1_build.sh" ]; then
    bash "$here/$1_build.sh" "$2"
  else
    echo "no fuzzer named $1" >&2
    return 1
  fi
}

fuzz() { # NAME
  local program=$out/$1_fuzzer seeds=$here/corpus/$1 options=()
  mkdir -p "$out/$1-corpus" "$out/$1-findings"
  build "$1" "$program"
  if [ -f "$here/$1.dict" ]; then options+=("-dict=$here/$1.dict"); fi
  options+=("-artifact_prefix=$out/$1-findings/" -timeout=10 -rss_limit_mb=2048)
  local committed=("$seeds"/*)
  echo "$1: ${#committed[@]} committed inputs"
  if ! "$program" "${options[@]}" "${committed[@]}" >"$out/$1-regression.log" 2>&1; then
    tail -50 "$out/$1-regression.log" >&2
    return 1
  fi
  if [ "$seconds" -gt 0 ]; then
    echo "$1: new inputs for $seconds s"
    if ! "$program" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 "$out/$1-corpus" "$seeds" \
      >"$out/$1.log" 2>&1; then
      tail -50 "$out/$1.log" >&2
      return 1
    fi
    grep -E 'number_of_executed_units|new_units_added' "$out/$1.log" | sort -u | sed "s/^/$1: /"
  fi
}

mkdir -p "$out"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for file in "$here"/*_fuzzer.c "$here"/*_build.sh; do
    if [ -f "$file" ]; then names+=("$(basename "$file" | sed -E 's/_(fuzzer\.c|build\.sh)$//')"); fi
  done
fi
# At the same time: each keeps one processor busy.
running=()
for name in "${names[@]}"; do
  fuzz "$name" &
  running+=($!)
done
failed=0
for process in "${running[@]}"; do wait "$process" || failed=1; done
exit "$failed"
