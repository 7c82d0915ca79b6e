#!/usr/bin/env bash
# Checks that the sources of CLuaShim stand on floors, then builds its C tests with the address and undefined-behaviour
# sanitizers and runs them.
#
#   Tests/CLuaShimTests/run.sh [GROUP ...]        json, runs, faults, …; without names: all of them
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/Tests/CLuaShimTests
shim=$root/Sources/CLuaShim
out=$root/.build/clua-shim-tests

clang=$(command -v clang || true)
if [ -z "$clang" ]; then
  swift=$(command -v swift || true)
  [ -z "$swift" ] || clang=$(dirname "$(readlink -f "$swift")")/clang
fi
if [ ! -x "$clang" ]; then
  echo "no clang on PATH and none beside swift" >&2
  exit 1
fi
read -ra lua_flags <<<"$(pkg-config --cflags lua5.4)"
read -ra lua_libraries <<<"$(pkg-config --libs lua5.4)"
flags=(-std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-nullability-extension -g -O1
  -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  -I"$shim/include" -I"$shim" -I"$here" "${lua_flags[@]}")

"$here/floors.py"

rm -rf "$out"
mkdir -p "$out"
# As many compilers at a time as there are processors.
objects=()
compiling=0
compile() { # SOURCE OBJECT [FLAG ...]
  if [ "$compiling" -ge "$(nproc)" ]; then
    wait -n
    compiling=$((compiling - 1))
  fi
  "$clang" "${flags[@]}" "${@:3}" -c "$1" -o "$2" &
  compiling=$((compiling + 1))
  objects+=("$2")
}
for source in "$shim"/*/*.c; do
  name=${source#"$shim/"}
  name=${name%.c}
  compile "$source" "$out/${name//\//_}.o" -DJRI_STAND_INS -include "$here/stand_ins.h"
done
for source in "$here"/*.c; do compile "$source" "$out/$(basename "$source" .c).o"; done
while [ "$compiling" -gt 0 ]; do
  wait -n
  compiling=$((compiling - 1))
done
linker=()
if [ -x "$(dirname "$(readlink -f "$clang")")/ld.lld" ]; then linker=(-fuse-ld=lld); fi
"$clang" "${flags[@]}" ${linker[@]+"${linker[@]}"} "${objects[@]}" "${lua_libraries[@]}" -lm -o "$out/tests"

leaks=0
if [ "$(uname)" = Linux ]; then leaks=1; fi
TEST_FOLDER=$here ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1 "$out/tests" "$@"
