#!/usr/bin/env bash
# Builds Tests/UserPackage, which depends on JobReactor as an application of a user does, and runs it with a node. Then: what is no
# JSON the compiler must refuse.
#
# JOBREACTOR_COMMAND names the command for the node, by default the one that the quick start builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command=${JOBREACTOR_COMMAND:-.build/release/jobreactor}
work=$(mktemp -d)
application='' node=''
# shellcheck disable=SC2317
clean_up() {
    for pid in $application $node; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap clean_up EXIT

Tests/user-build.sh Tests/UserPackage

fail() {
    echo "$1" >&2
    exit 1
}

# What an application with a distributor and without traits fetches. A package more takes the time of everybody who uses this
# one: is it needed to enqueue a job?
fetched=$(swift package --package-path Tests/UserPackage --scratch-path "$PWD/.build/users" show-dependencies --format flatlist |
    grep -vixF "$(basename "$PWD")" | sort -u | tr '\n' ' ')
allowed='swift-async-algorithms swift-atomics swift-collections swift-distributed-tracing swift-log swift-metrics swift-nio swift-nio-ssl swift-service-lifecycle swift-system '
[ "$fetched" = "$allowed" ] || fail "an application with a distributor fetches '$fetched', not '$allowed'"

# What it builds: modules whose objects are linked.
built=$(sed -nE 's|.*/([^/]+)\.build/.*|\1|p' .build/users/debug/App.product/Objects.LinkFileList | sort -u)
has() { grep -qx -- "$1" <<<"$built"; }
for module in JobReactor JobReactorWire CNIOBoringSSL; do
    has "$module" || fail "$module is not among what is built: does this still look in the right place?"
done
for module in GRDB AsyncHTTPClient Subprocess Crypto CCryptoBoringSSL ArgumentParser Configuration Histogram CLuaShim JobReactorLua \
    JobReactorNode JobReactorLibraries JobReactorSQLite JobReactorUsers JobReactorDashboard Mustache; do
    if has "$module"; then fail "an application with a distributor builds $module"; fi
done
echo "an application with a distributor fetches $(wc -w <<<"$fetched") packages and builds $(wc -l <<<"$built") modules"

read -r port < <(/usr/bin/python3 -c '
import socket
with socket.create_server(("127.0.0.1", 0)) as s: print(s.getsockname()[1])')
"$command" node --name worker_1 --distributor "localhost:$port" --jobs Tests/UserPackage/reactor_jobs >"$work/node" 2>&1 &
node=$!
.build/users/debug/App "$port" >"$work/application" 2>&1 &
application=$!
for _ in {1..1200}; do
    kill -0 "$application" 2>/dev/null || break
    sleep 0.1
done
if kill -0 "$application" 2>/dev/null || ! wait "$application"; then
    echo "the application has not come to its end:" >&2
    cat "$work/application" "$work/node" >&2
    exit 1
fi
application=''
grep "all well" "$work/application"

# A machine that runs it needs what the page "Adding the package" says, and no more.
ldd .build/users/debug/App >"$work/libraries"
if ! grep -q hiredis "$work/libraries" || grep -E 'lua|sqlite|libz' "$work/libraries"; then
    echo "the application needs other libraries than its page says:" >&2
    cat "$work/libraries" >&2
    exit 1
fi

if JOBREACTOR_REFUSED=1 Tests/user-build.sh Tests/UserPackage --target Refused >"$work/refused" 2>&1; then
    echo "the compiler has taken args that are no JSON" >&2
    exit 1
fi
grep -n '// refused$' Tests/UserPackage/Sources/Refused/Refused.swift | cut -d: -f1 >"$work/expected"
sed -nE 's/.*Refused\.swift:([0-9]+):[0-9]+: error: .*Encodable.*/\1/p' "$work/refused" | sort -nu >"$work/found"
if ! diff "$work/expected" "$work/found" >&2; then
    echo "the compiler does not say which args are no JSON:" >&2
    cat "$work/refused" >&2
    exit 1
fi
