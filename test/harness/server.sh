#!/usr/bin/env bash
# server.sh run COMMAND...   run a command against a private server with retailml in it
# server.sh start            start one and print how to use it: eval "$(test/harness/server.sh start)"
# server.sh stop [DIR]       stop it and remove it (DIR defaults to $RETAILML_SCRATCH)
#
# WERROR=1 installs the strict build (assertions on).  SERVER_CONF holds lines for postgresql.conf.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# one database, `retailml`, with the extension and its schema on the path
server_up()
{
    local jobs
    jobs=$(nproc 2>/dev/null || echo 1)
    private_install -j"$jobs" ${WERROR:+WERROR="$WERROR"} >&2
    server_new main "${SERVER_CONF:-}"
    server_start main
    server_use main
    sql "CREATE DATABASE retailml"
    PGDATABASE=retailml
    export PGDATABASE
    sql "CREATE EXTENSION retailml" \
        "ALTER DATABASE retailml SET search_path = public, retailml"
}

case ${1:-} in
    run)
        shift
        [ $# -gt 0 ] || die "run what?"
        [ -x "$1" ] || command -v "$1" >/dev/null || die "$1: not there yet"
        trap 'scratch_remove' EXIT
        trap 'exit 130' INT TERM HUP
        scratch_create
        server_up
        "$@"
        ;;
    start)
        scratch_create
        trap 'scratch_remove' EXIT
        server_up
        trap - EXIT
        # it belongs to nobody now, and stays until it is stopped
        rm "$RETAILML_SCRATCH/owner"
        for name in RETAILML_SCRATCH PG_BINDIR PGHOST PGPORT PGUSER PGDATABASE PSQLRC; do
            printf 'export %s=%q\n' "$name" "${!name}"
        done
        ;;
    stop)
        dir=${2:-${RETAILML_SCRATCH:-}}
        [ -d "$dir/servers" ] || die "which server? give its directory"
        scratch_remove "$dir"
        ;;
    *)
        sed -n '2,4s/^# //p' "$0" >&2
        exit 2
        ;;
esac
