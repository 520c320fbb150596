#!/usr/bin/env bash
# rfm.sh: the speed targets of RFM, ours beside plain SQL, in turn; without Python.
#
#   test/harness/server.sh run test/bench/rfm.sh
#
# Online Retail is read from $RETAILML_DATA and skipped where that is absent.  ROWS sets the number of
# synthetic purchases, ROUNDS how often each pair runs; the ratio is the median.
set -euo pipefail
ROWS=${ROWS:-10000000}
ROUNDS=${ROUNDS:-3}

run()
{
    psql -XqAt -v ON_ERROR_STOP=1 -c "SET client_min_messages = warning" "$@"
}

# the executor's time for all rows of a query, in ms
milliseconds()
{
    run -c "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, SUMMARY ON) $1" | sed -n 's/^Execution Time: \(.*\) ms/\1/p'
}

# compare WHAT OURS PEER
compare()
{
    local round ours peer
    for ((round = 0; round < ROUNDS; round++)); do
        ours=$(milliseconds "$2")
        peer=$(milliseconds "$3")
        echo "$ours $peer"
    done | awk -v what="$1" '
        { ours[NR] = $1; peer[NR] = $2; ratio[NR] = $1 / $2 }
        function median(a, n,    i, j, t) {
            for (i = 2; i <= n; i++)
                for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
            return a[int((n + 1) / 2)]
        }
        END { printf "%-50s %9.0f %9.0f %6.2f  <= 1.0\n", what, median(ours, NR), median(peer, NR), median(ratio, NR) }'
}

# aggregate WHAT TABLE ORDER AT AMOUNT CUSTOMER
aggregate()
{
    compare "rfm, $1" \
        "SELECT $6, (rfm($3, $4, $5, '2030-01-01')).* FROM $2 GROUP BY $6" \
        "SELECT $6, max($4), count(DISTINCT $3), sum($5) FROM $2 WHERE $4 <= '2030-01-01' GROUP BY $6"
}

printf '%-50s %9s %9s %6s  target\n' '' 'ours, ms' 'SQL, ms' ratio
file=${RETAILML_DATA:-}/online_retail_2010_2011.csv.gz
if [ -f "$file" ]; then
    run -c "CREATE TABLE raw (invoice text, stock text, description text, quantity int, at timestamptz, price numeric,
        customer int, country text)" -c "\\copy raw FROM PROGRAM 'zcat $file' (FORMAT csv, HEADER)" \
        -c "CREATE TABLE lines AS SELECT invoice, at, customer, quantity * price AS amount,
            (quantity * price)::float8 AS amount8 FROM raw" -c "VACUUM ANALYZE lines"
    aggregate "Online Retail, float8" lines invoice at amount8 customer
    aggregate "Online Retail, numeric" lines invoice at amount customer
else
    echo "Online Retail: skipped, no data"
fi
run -c "CREATE TABLE purchases AS SELECT order_id, customer_id, purchased_at, amount, amount::float8 AS amount8
    FROM generate_synthetic_purchases($ROWS, customers => 100000, products => 1000)" -c "VACUUM ANALYZE purchases"
aggregate "$ROWS purchases, float8" purchases order_id purchased_at amount8 customer_id
aggregate "$ROWS purchases, numeric" purchases order_id purchased_at amount customer_id
run -c "CREATE TABLE customers AS SELECT i % 3650 / 10.0::float8 AS r, 1 + (hashint4(i) & 15)::float8 AS f,
    (hashint4(-i) & 1048575)::float8 / 100 AS m FROM generate_series(1, 1000000) i" -c "VACUUM ANALYZE customers"
compare "rfm_score OVER (), 1000000 rows / three ntile(5)" \
    "SELECT rfm_score(r, f, m) OVER () FROM customers" \
    "SELECT ntile(5) OVER (ORDER BY r DESC), ntile(5) OVER (ORDER BY f), ntile(5) OVER (ORDER BY m) FROM customers"
