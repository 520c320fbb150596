#!/usr/bin/env bash
# demo.sh: from a purchase log to named customer segments.  Runs docs/tutorial.sql, on the synthetic
# store or on the log DATA=file.csv[.gz]; needs the server of server.sh.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=test/harness/demo_load.sh
. "$(dirname "$0")/demo_load.sh"
cd "$REPO"

# "1.2 s" since $1, a moment of EPOCHREALTIME
elapsed()
{
    awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", to - from }'
}

make_store()
{
    echo "The synthetic store: 500 customers, 30,000 order lines over two years."
    echo "(A log of your own: make demo DATA=file.csv[.gz])"
    "$PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -f test/harness/demo_store.sql
}

# the tutorial needs customers to compare
check_customers()
{
    local customers
    customers=$(sql "SELECT count(DISTINCT customer_id) FROM public.purchases_raw
        WHERE ordered_at IS NOT NULL AND quantity > 0 AND amount > 0")
    [ "$customers" -ge 2 ] || die "only $customers customers have a purchase with a date, a positive" \
        "quantity and a positive price: are these the right columns?"
}

# every statement, its result and its time; psql drops the empty lines
run_tutorial()
{
    "$PG_BINDIR/psql" -Xqa -v ON_ERROR_STOP=1 -P footer=off -P null=- -c '\timing on' \
        -f docs/tutorial.sql 2>&1 |
        awk 'NR > 1 { print } /^Time: / { print "" } { fflush() }'
}

started=$EPOCHREALTIME
if [ -n "${DATA:-}" ]; then load_log "$DATA"; else make_store; fi
echo "Ready after $(elapsed "$started")."
echo
check_customers
run_tutorial
echo
echo "Done in $(elapsed "$started").  The SQL above is docs/tutorial.sql, docs/tutorial.md explains it."
