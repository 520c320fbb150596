#!/usr/bin/env bash
# setup.sh: install the packages that building and testing need, and only those that are missing.
#
# Debian 12 and 13, Ubuntu 24.04 (and 22.04 with a PostgreSQL of 15 or later from elsewhere).
# The PostgreSQL is that of $PG_CONFIG where there is one, else the distribution's.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"

OLDEST=15

# the major version to build for, or nothing
pg_major()
{
    local version
    version=$("$PG_CONFIG" --version 2>/dev/null) || return 0
    version=${version#PostgreSQL }
    echo "${version%%[!0-9]*}"
}

distribution_major()
{
    # "Depends: postgresql-15"
    apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -1
}

# what is missing for the major version $1, as package names
missing()
{
    local major=$1 bindir='' pkglibdir='' sharedir='' headers=''
    if [ "$(pg_major)" = "$major" ]; then
        bindir=$("$PG_CONFIG" --bindir)
        pkglibdir=$("$PG_CONFIG" --pkglibdir)
        sharedir=$("$PG_CONFIG" --sharedir)
        headers=$("$PG_CONFIG" --includedir-server)
    fi
    command -v gcc >/dev/null || echo gcc
    command -v make >/dev/null || echo make
    [ -e /usr/include/stdio.h ] || echo libc6-dev
    [ -x "$bindir/postgres" ] || echo "postgresql-$major"
    # pg_regress alone may be there: Debian ships it with the client programs
    [ -x "$pkglibdir/pgxs/src/test/regress/pg_regress" ] && [ -f "$headers/postgres.h" ] ||
        echo "postgresql-server-dev-$major"
    [ -f "$sharedir/extension/pgtap.control" ] || echo "postgresql-$major-pgtap"
    has_openblas || echo libopenblas0-pthread
    command -v gzip >/dev/null || echo gzip
    # test/t/dbt.sh makes a private environment
    "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

# what tests use where it is to be had: without it they say "skipped"
install_optional()
{
    local package=postgresql-$1-cron
    [ ! -f "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ] || return 0
    can_be_root && apt-cache show "$package" >/dev/null 2>&1 || return 0
    echo "setup: installing $package"
    apt_install "$package" || { apt_update; apt_install "$package"; } || echo "setup: could not install $package"
}

# only needed at run time, and opened by its SONAME
has_openblas()
{
    PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null |
        grep 'libopenblas\.so\.0' >/dev/null
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root()
{
    [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null
}

install_packages()
{
    command -v apt-get >/dev/null || die "no apt-get here; please install: $*"
    if ! can_be_root; then
        echo "Some packages are missing. Please run this, then the same make again:" >&2
        echo "    sudo apt-get install -y --no-install-recommends $*" >&2
        exit 1
    fi
    echo "setup: installing $*"
    # old package lists name files that are gone
    apt_install "$@" || { apt_update; apt_install "$@"; } || { cat "$log" >&2; die "apt-get failed"; }
}

apt_install()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -q \
        --no-install-recommends "$@" >"$log" 2>&1
}

apt_update()
{
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q >"$log" 2>&1 || cat "$log" >&2
}

main()
{
    local major packages
    major=$(pg_major)
    log=$(mktemp "${TMPDIR:-/tmp}/retailml-setup.XXXXXX")
    trap 'rm -f "$log"' EXIT
    if [ -n "$major" ] && [ "$major" -ge "$OLDEST" ] && [ -z "$(missing "$major")" ]; then
        install_optional "$major"
        return
    fi
    # an image without package lists knows no versions
    if [ -z "$(distribution_major)" ] && can_be_root; then apt_update; fi
    # pg_config without a server (libpq-dev) speaks for a version nobody chose
    if [ -z "$major" ] || [ ! -x "$("$PG_CONFIG" --bindir)/postgres" ]; then
        major=$(distribution_major)
    fi
    [ -n "$major" ] || die "found neither pg_config nor the distribution's postgresql package"
    if [ "$major" -lt "$OLDEST" ]; then
        die "PostgreSQL $major is too old, retailml needs $OLDEST or later: install one" \
            "(for example from the PostgreSQL project's apt repository) and set PG_CONFIG"
    fi
    mapfile -t packages < <(missing "$major")
    if [ ${#packages[@]} -gt 0 ]; then install_packages "${packages[@]}"; fi
    if [ "$(pg_major)" != "$major" ] && [ "$PG_CONFIG" = pg_config ]; then
        die "pg_config is that of PostgreSQL $(pg_major), set PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config"
    fi
    [ -z "$(missing "$major")" ] || die "still missing: $(missing "$major" | tr '\n' ' ')"
    install_optional "$major"
}

main
