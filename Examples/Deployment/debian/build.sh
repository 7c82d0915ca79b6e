#!/usr/bin/env bash
# Makes a Debian package of the program jobreactor: with its services, manual pages, completions and an example of settings.
#
#     Examples/Deployment/debian/build.sh [--program FILE] [--revision N] [FOLDER]
#
# Without --program it is built first, with Swift's runtime in it. Of a program that takes that from elsewhere the package has
# the libraries, too. The package goes to FOLDER, which is this one without a word, and its path to standard output.
set -euo pipefail
# Folders of the package are for everybody, whoever builds it.
umask 022
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=$(cd "$here/../.." && pwd)
program='' revision=1 folder=$PWD
while [ $# -gt 0 ]; do
    case "$1" in
    --program) program=${2:?--program takes a file} && shift 2 ;;
    --revision) revision=${2:?--revision takes a number} && shift 2 ;;
    -*)
        echo "usage: build.sh [--program FILE] [--revision N] [FOLDER]" >&2
        exit 2
        ;;
    *) folder=$1 && shift ;;
    esac
done

# shellcheck source=Examples/debian-packages.sh
. "$root/Examples/debian-packages.sh"
install_debian_packages binutils >&2
if [ -z "$program" ]; then
    (cd "$root" && swift build -c release --static-swift-stdlib --product jobreactor --scratch-path .build/package >&2)
    program=$root/.build/package/release/jobreactor
fi
if [ ! -x "$program" ]; then
    echo "build.sh: there is no program $program: build it first, or leave --program out" >&2
    exit 1
fi
program=$(readlink -f "$program")
# Files are as old as what they are made of: the same program is the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$program")}
export SOURCE_DATE_EPOCH
version=$("$program" --version)-$revision
architecture=$(dpkg --print-architecture)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"

# put MODE FILE PATH: as PATH below the root of the package.
put() { install -D -m "$1" "$2" "$tree/$3"; }

put 755 "$program" usr/lib/jobreactor/jobreactor
mkdir -p "$tree/usr/bin"
ln -s ../lib/jobreactor/jobreactor "$tree/usr/bin/jobreactor"
libraries=$(ldd "$program")
if grep 'not found' >&2 <<<"$libraries"; then
    echo "build.sh: these libraries of $program are not here: build it on this machine" >&2
    exit 1
fi
# Libraries of Debian packages are for those packages; what remains is Swift's, which the program finds beside itself.
packages=()
while read -r library; do
    owner=$(dpkg-query -S "$library" "/usr$library" "$(readlink -f "$library")" 2>/dev/null | head -n 1 | cut -d : -f 1 || true)
    if [ -n "$owner" ]; then
        packages+=("$owner (>= $(dpkg-query -W -f '${source:Upstream-Version}' "$owner"))")
    else
        put 644 "$library" "usr/lib/jobreactor/$(basename "$library")"
    fi
done < <(sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p' <<<"$libraries")
find "$tree/usr/lib/jobreactor" -type f -exec strip --strip-unneeded {} +
depends=$(printf '%s\n' "${packages[@]}" 'adduser' 'ca-certificates' 'tzdata' | sort -u | paste -sd , | sed 's/,/, /g')

for unit in "$here"/systemd/*.service; do put 644 "$unit" "usr/lib/systemd/system/$(basename "$unit")"; done
for file in "$here"/settings/*.json; do put 644 "$file" "etc/jobreactor/$(basename "$file")"; done
put 644 "$root/reactor_jobs/hello.lua" etc/jobreactor/reactor_jobs/hello.lua
"$program" docs --man "$tree/usr/share/man" >&2
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
complete() { # complete SHELL PATH
    mkdir -p "$(dirname "$tree/$2")"
    "$program" --generate-completion-script "$1" >"$tree/$2"
}
complete bash usr/share/bash-completion/completions/jobreactor
complete zsh usr/share/zsh/vendor-completions/_jobreactor
complete fish usr/share/fish/vendor_completions.d/jobreactor.fish
put 644 "$root/LICENSE" usr/share/doc/jobreactor/copyright

mkdir "$tree/DEBIAN"
for script in postinst prerm postrm; do put 755 "$here/debian/$script" "DEBIAN/$script"; done
(cd "$tree" && find etc -type f | sort | sed 's/^/\//') >"$tree/DEBIAN/conffiles"
(cd "$tree" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
cat >"$tree/DEBIAN/control" <<END
Package: jobreactor
Version: $version
Architecture: $architecture
Maintainer: The JobReactor authors <root@localhost>
Installed-Size: $(du -k -s --exclude=DEBIAN "$tree" | cut -f 1)
Depends: $depends
Recommends: systemd
Suggests: redis-server
Section: net
Priority: optional
Description: background jobs for Swift servers, written in Lua
 A distributor takes jobs, from applications in Swift and from anything that
 speaks the Redis protocol, and hands them to nodes, which run them with
 scripts in Lua that can be changed at any time.
 .
 The services are jobreactor-distributor@NAME and jobreactor-node@NAME; their
 settings are in /etc/jobreactor, and nothing of it starts by itself.
END
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$folder"
package=$folder/jobreactor_${version}_$architecture.deb
# Level 4 takes a tenth of the time of 9, for a package that is 4 % larger.
dpkg-deb --root-owner-group -Zgzip -z4 --build "$tree" "$package" >/dev/null
echo "$package"
