#!/usr/bin/env bash
# demo.sh: from a purchase log to named customer segments, to the customers about to leave, to what to offer
# them, and to segments that refresh themselves.  Runs docs/tutorial.sql, docs/tutorial-churn.sql,
# docs/tutorial-recommend.sql and docs/tutorial-monthly.sql, on the synthetic store or on the log
# DATA=file.csv[.gz]; needs the server of server.sh.
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

# the second part looks back four times 30 days, and needs customers who left and others who did not
enough_for_churn()
{
    [ "$(sql "WITH log AS (SELECT date_trunc('day', max(ordered_at)) AS last_day FROM tutorial.purchases),
            customers AS (SELECT bool_or(ordered_at >= last_day - interval '60 days'
                                         AND ordered_at < last_day - interval '30 days') AS stayed
                          FROM tutorial.purchases, log
                          GROUP BY customer_id, last_day
                          HAVING min(ordered_at) < last_day - interval '120 days')
        SELECT count(*) FILTER (WHERE stayed) >= 20 AND count(*) FILTER (WHERE NOT stayed) >= 20 FROM customers")" = t ]
}

# the third part needs products that customers share: ten that one customer in a hundred has, and five
# of them with the average customer
enough_for_recommendations()
{
    [ "$(sql "WITH pairs AS (SELECT DISTINCT customer_id, product_id FROM tutorial.purchases_checked
                       WHERE problem IS NULL AND product_id IS NOT NULL),
            customers AS (SELECT count(DISTINCT customer_id) AS n FROM pairs),
            products AS (SELECT count(*) AS buyers FROM pairs GROUP BY product_id)
        SELECT n >= 20 AND count(*) >= 10 AND sum(buyers) >= 5 * n
        FROM products, customers WHERE 100 * buyers >= n GROUP BY n")" = t ]
}

# the last part needs two month ends, and customers at the first
enough_for_months()
{
    [ "$(sql "SELECT count(DISTINCT customer_id) >= 20 FROM tutorial.purchases
        WHERE ordered_at < (SELECT date_trunc('month', max(ordered_at)) - interval '1 month' FROM tutorial.purchases)")" = t ]
}

# every statement, its result and its time; psql drops the empty lines
run_tutorial()
{
    "$PG_BINDIR/psql" -Xqa -v ON_ERROR_STOP=1 -P footer=off -P null=- -c '\timing on' \
        -f "$1" 2>&1 |
        awk 'NR > 1 { print } /^Time: / { print "" } { fflush() }'
}

started=$EPOCHREALTIME
if [ -n "${DATA:-}" ]; then load_log "$DATA"; else make_store; fi
echo "Ready after $(elapsed "$started")."
echo
check_customers
run_tutorial docs/tutorial.sql
echo
if enough_for_churn; then
    run_tutorial docs/tutorial-churn.sql
else
    echo "Too few customers left or stayed in this log to learn who will: docs/tutorial-churn.sql was not run."
fi
echo
if enough_for_recommendations; then
    run_tutorial docs/tutorial-recommend.sql
elif [ "$(sql "SELECT count(product_id) FROM public.purchases_raw")" = 0 ]; then
    echo "This log does not say which products were bought: docs/tutorial-recommend.sql was not run."
else
    echo "Too few products that customers share to learn what they like: docs/tutorial-recommend.sql was not run."
fi
echo
if enough_for_months; then
    run_tutorial docs/tutorial-monthly.sql
else
    echo "Too few customers before the last two months of this log: docs/tutorial-monthly.sql was not run."
fi
echo
echo "Done in $(elapsed "$started").  The SQL above is docs/tutorial.sql and docs/tutorial-churn.sql, -recommend.sql and -monthly.sql; the pages docs/tutorial*.md of these names explain it."
