# shellcheck shell=bash
# To be sourced: `install_debian_packages NAME...` installs those Debian packages that are missing. When none is, it asks
# no server and takes no time.

_why_debian_package() {
    case "$1" in
    liblua5.4-dev) echo "Lua, the language that jobs are written in" ;;
    libhiredis-dev) echo "hiredis, which reads the Redis protocol" ;;
    pkg-config) echo "by which the build finds Lua" ;;
    libsqlite3-dev) echo "SQLite, one of the storages for jobs" ;;
    redis-server) echo "Redis, one of the storages for jobs" ;;
    redis-tools) echo "redis-cli, a client for the distributor" ;;
    lua5.4) echo "the Lua interpreter" ;;
    python3-redis) echo "redis-py, another client for the distributor" ;;
    openssl) echo "makes certificates for the tests of TLS" ;;
    gnuplot-nox) echo "draws the plots of the benchmark" ;;
    python3) echo "runs scripts of the tests" ;;
    python3-minimal) echo "turns the results of the benchmark into a table and plots" ;;
    sqlite3) echo "copies files of SQLite, as backups do" ;;
    systemd) echo "runs the services, and says how much they may do" ;;
    man-db) echo "reads the manual pages" ;;
    adduser) echo "makes the user of the services" ;;
    ca-certificates) echo "what the Debian package depends on" ;;
    tzdata) echo "the time zones by whose calendars schedules count; the Debian package depends on it" ;;
    iproute2) echo "gives a machine of the tests its network" ;;
    binutils) echo "takes out of the program what only debuggers need" ;;
    clang-format) echo "formats C" ;;
    prometheus) echo "reads the metrics of the tests, and checks the alert rules" ;;
    curl) echo "asks the web application, and ports for metrics" ;;
    lua-*) echo "a library for Lua, which jobs of the tests use" ;;
    *) echo "needed here" ;;
    esac
}

install_debian_packages() {
    local package status missing=() as_root=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This is no Debian system; make sure that it has what Debian calls: $*" >&2
        return 0
    fi
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        if [ "$status" != installed ]; then missing+=("$package"); fi
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi

    echo "Installing Debian packages:"
    for package in "${missing[@]}"; do
        echo "    $package: $(_why_debian_package "$package")"
    done
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "Please run as root, then try again: apt-get install ${missing[*]}" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    # A machine that is quite new has no package lists. Where they are there, an update that fails need not matter.
    "${as_root[@]}" apt-get update -qq || true
    if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"; then
        echo "Could not install ${missing[*]}; see the message of apt-get above" >&2
        return 1
    fi
}
