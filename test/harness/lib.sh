# shellcheck shell=bash
# lib.sh: what the test scripts share.  Sourced, never run.
#
# A private server lives in a scratch directory: a copy of PostgreSQL's installation (the programs
# find their files relative to themselves, so retailml goes into the copy and the system stays as it
# is), a cluster, a Unix socket and nothing else.  Each run has a directory of its own, so a run
# that was killed cannot disturb the next one, which also tidies up after it.

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$REPO/$BUILD ;; esac
PG_CONFIG=${PG_CONFIG:-pg_config}
MAKE=${MAKE:-make}
export REPO BUILD PG_CONFIG

# the data sets of the reference numbers; absent is normal, and the tests that need them say "skipped"
if [ -z "${RETAILML_DATA:-}" ] && [ -d "$REPO/../shared/data" ]; then
    RETAILML_DATA=$REPO/../shared/data
fi
if [ -n "${RETAILML_DATA:-}" ] && [ -d "$RETAILML_DATA" ]; then
    RETAILML_DATA=$(cd "$RETAILML_DATA" && pwd)
    export RETAILML_DATA
else
    unset RETAILML_DATA
fi

die()
{
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# ---------------------------------------------------------------- the server's user

# initdb and postgres refuse to run as root
server_user()
{
    if getent passwd postgres >/dev/null; then echo postgres; else echo nobody; fi
}

as_server()
{
    if [ "$(id -u)" -eq 0 ]; then
        local user
        user=$(server_user)
        setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups \
            env HOME="${RETAILML_SCRATCH:-/}" "$@"
    else
        "$@"
    fi
}

# ---------------------------------------------------------------- scratch directory

# a directory the server's user can enter and run programs in (some systems mount /tmp noexec)
scratch_create()
{
    local base dir
    for base in "${TMPDIR:-/tmp}" /tmp /var/tmp "$BUILD"; do
        [ -d "$base" ] || continue
        scratch_sweep "$base"
        dir=$(mktemp -d "$base/retailml.XXXXXX" 2>/dev/null) || continue
        chmod 711 "$dir"
        printf '#!/bin/sh\nexit 0\n' >"$dir/probe"
        chmod 755 "$dir/probe"
        if (cd / && as_server "$dir/probe") 2>/dev/null; then
            rm "$dir/probe"
            RETAILML_SCRATCH=$dir
            echo $$ >"$dir/owner"
            export RETAILML_SCRATCH
            return 0
        fi
        rm -rf "$dir"
    done
    die "no directory for the test server: set TMPDIR to one that other users can enter"
}

# what a killed run left behind: its owner is gone, its server may still be there
scratch_sweep()
{
    local dir
    for dir in "$1"/retailml.??????; do
        if [ -O "$dir" ] && [ -f "$dir/owner" ] && ! kill -0 "$(cat "$dir/owner")" 2>/dev/null; then
            scratch_remove "$dir"
        fi
    done
}

scratch_remove()
{
    local dir=${1:-${RETAILML_SCRATCH:-}} pidfile
    [ -n "$dir" ] && [ -d "$dir" ] || return 0
    for pidfile in "$dir"/servers/*/data/postmaster.pid; do
        [ -f "$pidfile" ] || continue
        RETAILML_SCRATCH=$dir server_stop "$(basename "$(dirname "$(dirname "$pidfile")")")" \
            immediate || true
    done
    rm -rf "$dir"
}

# ---------------------------------------------------------------- private installation

# private_install: a copy of the installation of $PG_CONFIG with retailml in it.  Extra arguments go
# to make (WERROR=1 installs the strict build).
private_install()
{
    local bin lib share root=$RETAILML_SCRATCH/inst program entry
    bin=$("$PG_CONFIG" --bindir)
    lib=$("$PG_CONFIG" --pkglibdir)
    share=$("$PG_CONFIG" --sharedir)
    mkdir -p "$root$bin" "$root$lib" "$root$share/extension"
    # symbolic links would be resolved, and the installation they lead to be used
    for program in postgres initdb pg_ctl pg_config; do
        cp -L "$bin/$program" "$root$bin/"
    done
    for program in "$bin"/*; do
        entry=$root$bin/$(basename "$program")
        [ -e "$entry" ] || ln -s "$program" "$entry"
    done
    link_entries "$lib" "$root$lib" retailml
    link_entries "$share" "$root$share" extension
    link_entries "$share/extension" "$root$share/extension" retailml
    # from here on psql and its like are those of the copy, and pg_config has to stay what it was
    PG_CONFIG=$(command -v "$PG_CONFIG")
    PG_BINDIR=$root$bin
    PATH=$PG_BINDIR:$PATH
    export PG_CONFIG PG_BINDIR PATH
    (cd "$REPO" && "$MAKE" --no-print-directory -s private-install DESTDIR="$root" \
        PG_CONFIG="$PG_CONFIG" "$@")
}

# link_entries FROM TO EXCEPT: everything but the files whose names start with EXCEPT
link_entries()
{
    local entry
    for entry in "$1"/*; do
        case $(basename "$entry") in
            "$3" | "$3".* | "$3"--*) ;;
            *) ln -sf "$entry" "$2/" ;;
        esac
    done
}

# ---------------------------------------------------------------- servers

# server_new NAME [line of postgresql.conf...]: a cluster, not started
server_new()
{
    local dir=$RETAILML_SCRATCH/servers/$1 line
    shift
    mkdir -p "$dir"
    chmod 711 "$RETAILML_SCRATCH/servers"
    if [ "$(id -u)" -eq 0 ]; then chown "$(server_user)" "$dir"; fi
    (cd "$dir" && as_server "$PG_BINDIR/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 \
        --locale=C --no-sync --no-instructions >"$dir/initdb.log" 2>&1) || {
        cat "$dir/initdb.log" >&2
        return 1
    }
    {
        cat <<CONF
listen_addresses = ''
unix_socket_directories = '$dir'
unix_socket_permissions = 0700
fsync = off
full_page_writes = off
synchronous_commit = off
max_wal_size = 2GB
shared_buffers = 128MB
max_worker_processes = 8
max_parallel_workers = 4
max_connections = 30
jit = off
autovacuum = off
timezone = UTC
log_timezone = UTC
CONF
        for line in "$@"; do printf '%s\n' "$line"; done
    } | as_server tee -a "$dir/data/postgresql.conf" >/dev/null
}

# server_start NAME: pg_ctl keeps the environment (OPENBLAS_CORETYPE) and detaches the server from
# the terminal, whose interrupt would otherwise reach it before our own cleanup
server_start()
{
    local dir=$RETAILML_SCRATCH/servers/$1
    if ! (cd "$dir" && as_server "$PG_BINDIR/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -s \
        start 9>&-); then
        cat "$dir/log" >&2
        return 1
    fi
}

# server_stop NAME [smart|fast|immediate]
server_stop()
{
    local dir=$RETAILML_SCRATCH/servers/$1 bin
    bin=${PG_BINDIR:-$("$PG_CONFIG" --bindir)}
    (cd "$dir" && as_server "$bin/pg_ctl" -D "$dir/data" -w -t 60 -s -m "${2:-fast}" stop)
}

server_log()
{
    echo "$RETAILML_SCRATCH/servers/$1/log"
}

# server_use NAME: point psql and everything else at it
server_use()
{
    PGHOST=$RETAILML_SCRATCH/servers/$1
    PGPORT=5432
    PGUSER=postgres
    PGDATABASE=${2:-postgres}
    export PGHOST PGPORT PGUSER PGDATABASE
    unset PGPASSWORD PGSERVICE PGOPTIONS PGSSLMODE
    PSQLRC=/dev/null
    export PSQLRC
}

# sql STATEMENT...: unaligned rows on standard output; fails on the first error
sql()
{
    local statement args=()
    for statement in "$@"; do args+=(-c "$statement"); done
    "$PG_BINDIR/psql" -XAtq -v ON_ERROR_STOP=1 "${args[@]}"
}

# database_new NAME: an empty database with the extension (and pgTAP) in it, which becomes the current one
database_new()
{
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS $1" "CREATE DATABASE $1" 2>/dev/null
    PGDATABASE=$1
    export PGDATABASE
    sql "CREATE EXTENSION pgtap" "CREATE EXTENSION retailml"
}

# ---------------------------------------------------------------- TAP

TAP_COUNT=0
TAP_FAILED=0

# tap STATUS DESCRIPTION
tap()
{
    TAP_COUNT=$((TAP_COUNT + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $TAP_COUNT - $2"
    else
        TAP_FAILED=$((TAP_FAILED + 1))
        echo "not ok $TAP_COUNT - $2"
    fi
}

# ok DESCRIPTION COMMAND...
ok()
{
    local description=$1 status=0
    shift
    "$@" || status=$?
    tap "$status" "$description"
}

# is GOT WANTED DESCRIPTION
is()
{
    if [ "$1" = "$2" ]; then
        tap 0 "$3"
    else
        tap 1 "$3"
        diag "     got: $1"
        diag "  wanted: $2"
    fi
}

# like GOT EXTENDED-REGULAR-EXPRESSION DESCRIPTION
like()
{
    if [[ $1 =~ $2 ]]; then
        tap 0 "$3"
    else
        tap 1 "$3"
        diag "     got: $1"
        diag "  wanted: match of $2"
    fi
}

# skip COUNT REASON
skip()
{
    local i
    for ((i = 0; i < $1; i++)); do
        TAP_COUNT=$((TAP_COUNT + 1))
        echo "ok $TAP_COUNT # SKIP $2"
    done
}

diag()
{
    printf '%s\n' "$*" | sed 's/^/# /'
}

# the plan; the last command of a script, whose exit status it gives
done_testing()
{
    echo "1..$TAP_COUNT"
    [ "$TAP_FAILED" -eq 0 ]
}
