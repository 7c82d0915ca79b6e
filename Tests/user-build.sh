#!/usr/bin/env bash
# Builds a package that depends on JobReactor as an application of a user does:
#
#   Tests/user-build.sh PACKAGE [OPTION ...]        options as `swift build` takes them
#
# All these packages share the build folder .build/users, so that what they have in common is compiled once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
package=$1
shift
folder=$PWD/.build/users
# SwiftPM takes the plan that it finds in a build folder for that of any package: each makes its own.
rm -f "$folder/debug.yaml" "$folder"/*/debug/description.json
# The versions that the repository itself was built with.
if [ -e Package.resolved ] && [ ! -e "$package/Package.resolved" ]; then cp Package.resolved "$package/Package.resolved"; fi
swift build --package-path "$package" --scratch-path "$folder" --disable-index-store -debug-info-format none "$@"
