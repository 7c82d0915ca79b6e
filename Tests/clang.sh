#!/usr/bin/env bash
# The C compiler of the test builds (`CC=Tests/clang.sh swift build …`): clang. But BoringSSL, nearly 800 files that swift-crypto
# and swift-nio-ssl bring, it compiles once for all of these builds, since each time costs minutes: without a sanitizer, and in
# CI, where nobody keeps the programs, without optimisation. The objects are kept in .build/boringssl.
set -euo pipefail
swift=$(readlink -f "$(command -v swift)")
clang=${swift%/*}/clang
case "$*" in
    *BoringSSL*" -c "*) ;;
    *) exec "$clang" "$@" ;;
esac

# The arguments but for those that differ from build to build. What they name is named from the checkouts on.
arguments=()
named=()
output='' dependencies=''
while [ $# -gt 0 ]; do
    case "$1" in
        -o) output=$2 && shift ;;
        -MF) dependencies=$2 && shift ;;
        -MT | -index-store-path) shift ;;
        -MD | -fsanitize=* | -g* | -DDEBUG=*) ;;
        -O*) if [ -z "${CI:-}" ]; then arguments+=("$1") && named+=("$1"); fi ;;
        -c) source=$2 && arguments+=("$1") ;;
        *) arguments+=("$1") && named+=("${1##*/checkouts/}") ;;
    esac
    shift
done
package=${source##*/checkouts/}
package=${source%/checkouts/*}/checkouts/${package%%/*}
read -r commit <"$package/.git/HEAD"
read -r name _ < <(sha256sum <<<"$clang $commit ${named[*]}")
kept=$(dirname "${BASH_SOURCE[0]}")/../.build/boringssl
object=$kept/$name.o
if [ ! -f "$object" ]; then
    mkdir -p "$kept"
    # Another build may be about to do the same: whoever is last leaves the same object.
    "$clang" "${arguments[@]}" -o "$object.$$"
    mv "$object.$$" "$object"
fi
cp "$object" "$output"
printf 'dependencies: %s\n' "${source// /\\ }" >"$dependencies"
