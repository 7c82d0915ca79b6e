#!/usr/bin/env bash
# Builds an application that has a distributor, without any trait of this package, and checks what it fetched, built and links.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
swift build --disable-index-store -debug-info-format none

fail() {
    echo "$1" >&2
    exit 1
}

# What is fetched. A package more takes the time of everybody who uses this one: is it needed to enqueue a job?
fetched=$(sed -n 's/^ *"identity" *: *"\(.*\)",*$/\1/p' Package.resolved | sort | tr '\n' ' ')
allowed='swift-async-algorithms swift-atomics swift-collections swift-distributed-tracing swift-log swift-metrics swift-nio swift-nio-ssl swift-service-lifecycle swift-system '
[ "$fetched" = "$allowed" ] || fail "an application with a distributor fetches '$fetched', not '$allowed'"

# What is built: folders with objects in them.
built=$(find -L .build/debug -name '*.o' | sed -n 's|.*/\([^/]*\)\.build/.*|\1|p' | sort -u)
has() { grep -qx -- "$1" <<<"$built"; }
for module in JobReactor JobReactorWire CNIOBoringSSL; do
    has "$module" || fail "$module is not among what was built: does this still look in the right place?"
done
for module in GRDB AsyncHTTPClient Subprocess Crypto CCryptoBoringSSL ArgumentParser Configuration Histogram CLuaShim JobReactorLua \
    JobReactorNode JobReactorLibraries JobReactorSQLite JobReactorUsers; do
    if has "$module"; then fail "an application with a distributor builds $module"; fi
done

program=.build/debug/Lean
if ldd "$program" | grep -E 'lua|sqlite'; then fail "an application with a distributor links Lua or a storage engine"; fi
[ "$("$program")" = new ] || fail "the application does not enqueue"
echo "an application with a distributor fetches $(wc -w <<<"$fetched") packages and builds $(wc -l <<<"$built") modules"
