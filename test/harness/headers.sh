#!/usr/bin/env bash
# headers.sh: do the bindings compile against the server headers of every supported version?  TAP.
#
# Headers that are not installed are taken out of the development package, unpacked into a cache,
# never installed: first from what the machine's package sources offer, then from other releases
# on the mirror that the machine uses anyway.  Offline, or where a version has no package, the test is
# skipped.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"

VERSIONS="15 16 17 18"
CACHE=${RETAILML_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/retailml}/headers
DEADLINE=$((SECONDS + ${HEADERS_SECONDS:-120}))

# other releases, as the mirror calls them
other_suites()
{
    local ID=''
    # shellcheck source=/dev/null
    . /etc/os-release
    case $ID in
        debian) echo bookworm trixie sid ;;
        ubuntu) echo jammy noble questing resolute ;;
    esac
}

# Ubuntu keeps development packages apart
components()
{
    if grep -q '^ID=ubuntu' /etc/os-release; then echo main universe; else echo main; fi
}

# the machine's own main archive
mirror()
{
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "main" && $1 ~ /\/(debian|ubuntu|ubuntu-ports)\/?$/ { print $1; exit }'
}

keyring()
{
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/ubuntu-archive-keyring.gpg
    do
        if [ -r "$file" ]; then echo "[signed-by=$file]"; fi
    done | tail -1
}

# seconds that are left, at least 1
left()
{
    local seconds=$((DEADLINE - SECONDS))
    echo $((seconds > 1 ? seconds : 1))
}

# apt-get with package lists of its own.  Signatures are checked, expiry is not: a mirror may be frozen.
private_apt()
{
    timeout "$(left)" apt-get -q -o APT::Sandbox::User="$(id -un)" -o Dir::State="$CACHE/apt/state" \
        -o Dir::Cache="$CACHE/apt/cache" -o Dir::State::status="$CACHE/apt/state/status" \
        -o Dir::Etc::sourcelist="$CACHE/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none \
        -o Acquire::Retries=0 -o Acquire::Check-Valid-Until=false "$@"
}

private_lists()
{
    local uri suite
    [ -z "${lists_tried:-}" ] || return 0
    lists_tried=yes
    uri=$(mirror)
    [ -n "$uri" ] || return 0
    mkdir -p "$CACHE/apt/state/lists/partial" "$CACHE/apt/cache/archives/partial"
    : >"$CACHE/apt/state/status"
    for suite in $(other_suites); do
        echo "deb $(keyring) $uri $suite $(components)"
    done >"$CACHE/apt/sources.list"
    private_apt update >"$CACHE/apt/log" 2>&1 || true
}

# A version that the mirror does not have is looked for again after a week; being offline is no answer.
known_absent()
{
    [ -n "$(find "$CACHE" -maxdepth 1 -name "absent.$1" -mtime -7)" ]
}

note_absent()
{
    if grep -qs 'Unable to locate package' "$CACHE/log.$1" && ! grep -qs '^[EW]:' "$CACHE/apt/log"; then
        touch "$CACHE/absent.$1"
    fi
}

# fetch MAJOR: unpack the development package of that version into the cache
fetch()
{
    local dir=$CACHE/$1 package=postgresql-server-dev-$1 file
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    mkdir -p "$dir.new"
    (
        cd "$dir.new"
        timeout "$(left)" apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package" ||
            { private_lists; private_apt download "$package"; }
    ) >"$CACHE/log.$1" 2>&1 || { rm -rf "$dir.new"; return 1; }
    file=$(find "$dir.new" -name '*.deb' | head -1)
    dpkg-deb -x "$file" "$dir.new" && rm "$file"
    rm -rf "$dir"
    mv "$dir.new" "$dir"
}

# the include directory of a version's server headers, or nothing
include_dir()
{
    local dir
    for dir in "$("$PG_CONFIG" --includedir-server)" "/usr/include/postgresql/$1/server" \
        "$CACHE/$1/usr/include/postgresql/$1/server"; do
        if grep -qs "^#define PG_MAJORVERSION \"$1\"" "$dir/pg_config.h"; then
            echo "$dir"
            return
        fi
    done
}

# compile MAJOR DIRECTORY
compile()
{
    local file status=0 bindings=()
    mapfile -t bindings < <(find src -name '*_sql.c' | sort)
    for file in "${bindings[@]}"; do
        gcc -std=gnu11 -fsyntax-only -Wall -Werror -Wno-sign-compare -D_GNU_SOURCE -Iinclude \
            -I"$2" "$file" 2>&1 || status=1
    done
    return $status
}

main()
{
    local version dir
    mkdir -p "$CACHE" 2>/dev/null || CACHE=$BUILD/headers
    mkdir -p "$CACHE"
    for version in $VERSIONS; do
        dir=$(include_dir "$version")
        if [ -z "$dir" ] && [ "$SECONDS" -lt "$DEADLINE" ] && ! known_absent "$version"; then
            fetch "$version" || note_absent "$version"
            dir=$(include_dir "$version")
        fi
        if [ -z "$dir" ]; then
            skip 1 "no headers of PostgreSQL $version to be had"
        else
            ok "the bindings compile against PostgreSQL $version" compile "$version" "$dir"
        fi
    done
    # the lists are large and soon stale
    if [ -f "$CACHE/apt/log" ]; then mv "$CACHE/apt/log" "$CACHE/log.apt"; fi
    rm -rf "$CACHE/apt"
    done_testing
}

main
