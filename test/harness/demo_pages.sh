#!/usr/bin/env bash
# demo_pages.sh write PAGE.md...   run the SQL of pages and put its output below
# demo_pages.sh check PAGE.md...   fail, and show the difference, where the output is not what is there
#
# The blocks ```sql of a page are run in order, in a new database; a block ```text after one
# is its output.  A block below <!-- not run --> is left alone.  Needs the server of server.sh:
#     test/harness/server.sh run test/harness/demo_pages.sh write docs/tutorial.md README.md
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# page_blocks PAGE DIR: every block that is run, as DIR/1.sql, DIR/2.sql, ...
page_blocks()
{
    awk -v dir="$2" '
        /^<!-- not run -->/ { left_alone = 1 }
        /^```/ && inside { inside = 0; close(file); next }
        /^```sql/ && left_alone { left_alone = 0; next }
        /^```sql/ { inside = 1; file = dir "/" ++n ".sql"; printf "" > file; next }
        inside { print > file }' "$1"
}

# run_blocks DIR: DIR/1.out, DIR/2.out, ... in one session
run_blocks()
{
    local i
    {
        for ((i = 1; ; i++)); do
            [ -f "$1/$i.sql" ] || break
            printf '\\o %s/%d.out\n\\i %s/%d.sql\n' "$1" "$i" "$1" "$i"
        done
        printf '\\o\n'
    } >"$1/run.psql"
    "$PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -f "$1/run.psql"
}

# page_filled PAGE DIR: the page with the outputs; blanks at line ends and the last line are psql's
page_filled()
{
    awk -v dir="$2" '
        function fill(  line) {
            while ((getline line < (dir "/" n ".out")) > 0) { sub(/ +$/, "", line); held = held line "\n" }
            sub(/\n+$/, "\n", held)
            printf "%s", held
            held = ""
        }
        /^<!-- not run -->/ { left_alone = 1 }
        /^```/ && inside { inside = 0; if (output) { output = 0; fill() } else if (run) pending = 1; print; next }
        /^```text/ && pending { inside = 1; output = 1; pending = 0; print; next }
        /^```/ { inside = 1; run = /^```sql/ && !left_alone; if (run) n++; left_alone = 0; pending = 0 }
        !output { print }' "$1"
}

page()
{
    local dir
    dir=$(mktemp -d "$RETAILML_SCRATCH/page.XXXXXX")
    # no pgTAP: its functions are not part of what a user has
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS page" "CREATE DATABASE page" 2>/dev/null
    PGDATABASE=page
    sql "CREATE EXTENSION retailml"
    page_blocks "$2" "$dir"
    run_blocks "$dir" || die "$2: the SQL fails"
    page_filled "$2" "$dir" >"$dir/page"
    case $1 in
        write) cat "$dir/page" >"$2" ;;
        check) diff -u "$2" "$dir/page" ;;
    esac
}

mode=${1:-}
case $mode in write | check) shift ;; *) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;; esac
for name; do page "$mode" "$name"; done
