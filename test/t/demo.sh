#!/usr/bin/env bash
# demo.sh: the demonstration, its loader, and the pages whose output it is.  TAP.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"
# shellcheck source=test/harness/demo_load.sh
. "$REPO/test/harness/demo_load.sh"
cd "$REPO"

dir=$(mktemp -d "$RETAILML_SCRATCH/demo.XXXXXX")
unset CUSTOMER ORDER DATE QUANTITY PRICE AMOUNT PRODUCT DESCRIPTION CATEGORY DATE_ORDER DATA

# demo NAME [VARIABLE=value...]: the whole demonstration in a database of its own
demo()
{
    local name=$1
    shift
    database_new "demo_$name" && env "$@" test/harness/demo.sh >"$dir/$name.out" 2>&1 && return
    diag "$(tail -n 20 "$dir/$name.out")"
    return 1
}

# load FILE [VARIABLE=value...]: only the loader; its rows without products, or its complaint and an
# exit status of 1
load()
{
    local file=$1 status=0
    shift
    (
        for variable; do export "${variable?}"; done
        load_log "$file"
    ) >"$dir/load.out" 2>"$dir/load.err" || status=$?
    if [ "$status" -eq 0 ]; then
        sql "SELECT customer_id, order_id, ordered_at, quantity, amount
             FROM public.purchases_raw ORDER BY ordered_at, amount"
    else
        cat "$dir/load.err"
        return 1
    fi
}

# a few lines as a file
csv()
{
    printf '%b\n' "$@" >"$dir/log.csv"
    echo "$dir/log.csv"
}

# rows that the log does not account for
row_log_balances()
{
    sql "SELECT (SELECT count(*) FROM purchases_raw) - sum(removed) = (SELECT count(*) FROM tutorial.purchases)
             AND min(rows_left) = (SELECT count(*) FROM tutorial.purchases)
             AND bool_and(rows_left = previous - removed)
         FROM (SELECT *, lag(rows_left, 1, (SELECT count(*) FROM purchases_raw)) OVER (ORDER BY step) AS previous
               FROM tutorial.row_log) AS log"
}

# ---------------------------------------------------------------- the synthetic store

ok "the synthetic store" demo store
is "$(row_log_balances)" t "the row log balances"
# 1 in 40 orders has no customer, and so on: all kinds of row were there to be removed
is "$(sql "SELECT count(*) FROM tutorial.row_log WHERE removed > 0")" 3 "three steps removed rows"
is "$(grep -c '^Time: ' "$dir/store.out")" \
    "$(sed 's/--.*//' docs/tutorial.sql docs/tutorial-churn.sql docs/tutorial-recommend.sql docs/tutorial-monthly.sql | grep -c ';\|^\\gset')" \
    "every statement has its time"

# statements without comments and layout
statements()
{
    sed 's/--.*//' | tr -s '[:space:]' '\n' | sed '/^$/d'
}

is "$(awk '/^```sql/ { f = 1; next } /^```/ { f = 0 } f' docs/tutorial.md | statements)" \
    "$(cat test/harness/demo_store.sql docs/tutorial.sql | statements)" \
    "docs/tutorial.md has the statements of docs/tutorial.sql"
for name in churn recommend monthly; do
    page=$(awk '/^```sql/ { f = 1; next } /^```/ { f = 0 } f' "docs/tutorial-$name.md" | statements)
    file=$(statements <"docs/tutorial-$name.sql")
    is "${page: -${#file}}" "$file" "docs/tutorial-$name.md ends with the statements of docs/tutorial-$name.sql"
done
# what the reasons say, from the store itself
is "$(sql "SELECT count(*), count(*) FILTER (WHERE buyers <> (SELECT count(DISTINCT customer_id) FROM tutorial.purchases_checked AS p
               WHERE p.product_id = o.product_id AND problem IS NULL)),
               count(*) FILTER (WHERE abs(score - retailml.svdpp_predict(model, customer_id, product_id)) > 1e-12),
               count(*) FILTER (WHERE EXISTS (SELECT FROM tutorial.purchases_checked AS p WHERE p.customer_id = o.customer_id
                                              AND p.product_id = o.product_id AND problem IS NULL))
           FROM tutorial.offers AS o JOIN tutorial.product_popularity USING (product_id), tutorial.fitted WHERE name = 'recommender'")" "15|0|0|0" \
    "five offers each, of products they do not have, with the numbers of plain SQL"
is "$(sql "SELECT abs(sum(contribution) - score) < 1e-9 FROM tutorial.parts, tutorial.offers
           WHERE no = 1 AND rank = 1 GROUP BY score")" t "the parts add up"

# months: what the last part says of the pipeline's two runs
months()
{
    sql "SELECT count(*), bool_and(state = 'success'), bool_and(reason <> ''), max(as_of) = min(as_of) + interval '1 month'
         FROM retailml.pipeline_runs" \
        "SELECT count(*) FILTER (WHERE was.name IS NOT NULL), count(*)
         FROM retailml.bi_segments AS s LEFT JOIN (SELECT DISTINCT name FROM retailml.segments_history
             WHERE run_id = (SELECT min(run_id) FROM retailml.pipeline_runs)) AS was ON was.name = s.name" \
        "SELECT (SELECT count(*) FROM retailml.bi_segment_movers WHERE from_name = '(new)')
             = (SELECT max(customers) - min(customers) FROM retailml.pipeline_runs)" \
        "SELECT (SELECT count(*) FROM retailml.bi_segment_movers)
             = (SELECT sum(customers) FROM retailml.bi_segment_migration WHERE moved)" | tr '\n' ' '
}

is "$(months)" "2|t|t|t 5|5 t t " "two monthly runs: reasons, names that last, movers"
for page in $(make -s pages-list); do
    ok "the output in $page is current" test/harness/demo_pages.sh check "$page"
done

# ---------------------------------------------------------------- logs of all kinds

database_new demo_load
wanted='17850|536365|2010-12-13 08:26:00+00|2|5.00'
is "$(load "$(csv 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country' \
    '536365,85123A,"A ""heart"", white\nof glass",2,2010-12-13 08:26:00,2.50,17850,United Kingdom')")" \
    "$wanted" "Online Retail's header, quotes, a line end in a field"
products="SELECT * FROM public.products_raw ORDER BY product_id"
is "$(sql "$products")" $'85123A|A "heart", white\nof glass|' "its product has a name"
is "$(load "$(csv '\xEF\xBB\xBF"Customer ID";"Order-Nr.";"Order Date";"Qty";"Unit price (EUR)"\r' \
    '17850;536365;13.12.2010 08:26;2;"2,50 \xE2\x82\xAC"\r' '\r')" \
    ORDER=Order-Nr. PRICE='unit price (eur)')" "$wanted" \
    "semicolons, byte order mark, CRLF, decimal commas, day first, names by the user"
is "$(load "$(csv 'customer\tinvoice\tdate\tquantity\tprice\tdescription' \
    '17850.0\t536365\t12/13/2010 8:26\t2\t\x242.50\tcaf\xE9')")" "$wanted" \
    "tabs, Latin 1, month first, ids that were floating point, currency"
is "$(load "$(csv 'user_id|order_id|timestamp|units|amount|price' '17850|536365|2010-12-13T08:26:00Z|2|5.00|9')")" \
    "$wanted" "an amount goes before a price"
gzip -c "$(csv 'customer_id,date,dollars' '00001,1997-01-01,11.77' '00001,1997-01-01,8' '2,19970102,"1,234.50"')" \
    >"$dir/log.bin"
is "$(load "$dir/log.bin")" "00001|00001 1997-01-01|1997-01-01 00:00:00+00|1|8
00001|00001 1997-01-01|1997-01-01 00:00:00+00|1|11.77
2|2 1997-01-02|1997-01-02 00:00:00+00|1|1234.50" \
    "compressed under another name, no order, no quantity, thousands"
is "$(load "$(csv 'customer,date,quantity,price' ',2024-01-01,1,1' 'a,,1,2' 'a,31.02.2024,1,3' 'a,2024-01-04,,4' \
    'a,2024-01-05,-1,5' 'a,2024-01-06,1,' 'NULL,2024-01-07,1,free' 'a,2024-01-08,1,(8.00)')" |
    sed 's/ 00:00:00+00//')" \
    "||2024-01-01|1|1
a|a 2024-01-04|2024-01-04||
a|a 2024-01-05|2024-01-05|-1|-5
a|a 2024-01-06|2024-01-06|1|
||2024-01-07|1|
a|a 2024-01-08|2024-01-08|1|-8.00
a|||1|2
a|||1|3" "empty fields, dates that are none, words for nothing"
like "$(cat "$dir/load.err")" '1 rows have a date that cannot be read, for example "31.02.2024"' \
    "a date that is none is reported"
is "$(load "$(csv 'customer,date,price' 'a,3/4/2025,1')" DATE_ORDER=DMY | cut -d'|' -f3)" \
    "2025-04-03 00:00:00+00" "DATE_ORDER decides"
is "$(load "$(csv 'customer,date,price' 'a,3/4/2025,1')" | cut -d'|' -f3)" \
    "2025-03-04 00:00:00+00" "without it, the month is first"
like "$(cat "$dir/load.err")" 'month first' "which is said"

is "$(load "$(csv 'customer,date,price,product,sku,department,item_name' 'a,2025-01-01,1,x,17,d,Bell' \
    'a,2025-01-02,1,x,17,d,Bells' 'a,2025-01-03,1,x,17,e,Bells' 'a,2025-01-04,1,y,18,,' 'a,2025-01-05,1,y,,d,z')" | wc -l)" 5 \
    "products are not what makes a row"
is "$(sql "$products")" $'17|Bells|d\n18|18|' "sku before product, the most frequent name, or the id"
is "$(sql "SELECT product_id FROM public.purchases_raw ORDER BY ordered_at")" $'17\n17\n17\n18' \
    "rows have the product, or none"
is "$(load "$dir/log.csv" PRODUCT=product >"$dir/rows" && sql "$products")" $'x|Bells|d\ny|z|d' "PRODUCT decides"

# refused DESCRIPTION REGULAR-EXPRESSION FILE [VARIABLE=value...]
refused()
{
    local description=$1 pattern=$2 message status=0
    shift 2
    message=$(load "$@") || status=$?
    if [ "$status" -eq 0 ]; then message="(not refused) $message"; fi
    like "$message" "$pattern" "$description"
}

refused "an unclear header lists the columns" \
    'which column is the CUSTOMER.*master_id.*sample_id.*date.*DATE="date".*CUSTOMER=' \
    "$(csv 'master_id,sample_id,date,cds,dollars' '1,1,1997-01-01,2,29.33')"
is "$(load "$dir/log.csv" CUSTOMER=master_id)" "1|1 1997-01-01|1997-01-01 00:00:00+00|1|29.33" \
    "and goes on with the name"
refused "two columns that fit" 'more than one column could be the CUSTOMER' \
    "$(csv 'customer_id,user_id,date,price' 1,1,1997-01-01,1)"
refused "a name that is not there" 'there is no column kunde for CUSTOMER' "$dir/log.csv" CUSTOMER=kunde
refused "nothing to sum" 'which column is the PRICE or the AMOUNT' "$(csv 'customer,date' '1,1997-01-01')"
refused "a missing file" 'DATA=.*/nowhere.csv: no such file' "$dir/nowhere.csv"
refused "a directory" 'not a file' "$dir"
: >"$dir/empty.csv"
refused "an empty file" 'is empty' "$dir/empty.csv"
refused "no rows" 'no rows below the header' "$(csv 'customer,date,price')"
refused "a line with a field too many" 'extra data.*as many fields in every line' \
    "$(csv 'customer,date,price' '1,1997-01-01,1,x')"
refused "no separator" 'no separator' "$(csv 'customer' 1)"
refused "a workbook" 'workbook' "$(csv 'PK\x03\x04')"
refused "dates that are none" 'no date that can be read, for example "soon"' "$(csv 'customer,date,price' 'a,soon,1')"
refused "dates of two kinds" 'day first in some rows' \
    "$(csv 'customer,date,price' 'a,13/1/2025,1' 'a,1/13/2025,1')"
refused "prices that are none" 'no number that can be read' "$(csv 'customer,date,price' 'a,2025-01-01,free')"

# ---------------------------------------------------------------- small and real

csv 'customer,date,price' 'a,2025-01-01,1' 'a,2025-01-02,2' 'b,2025-01-03,5' >/dev/null
ok "two customers are enough" demo small "DATA=$dir/log.csv"
is "$(row_log_balances)" t "the row log balances"
like "$(cat "$dir/small.out")" 'does not say which products' "and need no products"
csv 'customer,date,price' 'a,2025-01-01,1' >/dev/null
database_new demo_one
like "$(DATA=$dir/log.csv test/harness/demo.sh 2>&1)" 'only 1 customers have a purchase' "one is not"

# the same figures by plain SQL, from the file as it is
online_retail()
{
    sql "CREATE TABLE plain (invoice text, stock text, description text, quantity int, at timestamptz,
             price numeric, customer text, country text)"
    gzip -dc "$RETAILML_DATA/online_retail_2010_2011.csv.gz" |
        "$PG_BINDIR/psql" -Xq -c "COPY plain FROM STDIN (FORMAT csv, HEADER true)"
    sql "DELETE FROM plain WHERE customer IS NULL OR invoice LIKE 'C%' OR quantity <= 0 OR price <= 0"
}

# lines of the tables of the tutorial's section
section_rows()
{
    sed -n '/^### UCI/,/^## /p' docs/tutorial.md | grep '^| .*[0-9] |$'
}

figures()
{
    sql "SELECT format('| %s | %s |', CASE step WHEN 0 THEN 'read' ELSE what END,
                   to_char(CASE step WHEN 0 THEN rows_left ELSE removed END, 'FM999,999'))
         FROM tutorial.row_log WHERE step = 0 OR removed > 0 ORDER BY step" \
        "SELECT format('| left | %s |', to_char(count(*), 'FM999,999')) FROM tutorial.purchases" \
        "SELECT format('| %s | %s | %s | %s | %s | %s | %s |', name, to_char(size, 'FM999,999'),
                   round((100 * share)::numeric, 1),
                   round((100 * sum(monetary) / sum(sum(monetary)) OVER ())::numeric, 1),
                   round(avg(recency_days)::numeric), round(avg(frequency), 1),
                   to_char(avg(monetary), 'FM999,999'))
         FROM tutorial.segment_names JOIN tutorial.customer_segments USING (cluster)
         JOIN tutorial.customer_rfm USING (customer_id)
         GROUP BY cluster, name, size, share ORDER BY cluster"
}

if [ -f "${RETAILML_DATA:-}/online_retail_2010_2011.csv.gz" ]; then
    ok "Online Retail" demo retail "DATA=$RETAILML_DATA/online_retail_2010_2011.csv.gz"
    is "$(row_log_balances)" t "the row log balances"
    online_retail
    is "$(sql "SELECT count(*), count(DISTINCT customer_id), count(DISTINCT order_id), sum(amount) FROM tutorial.purchases")" \
        "$(sql "SELECT count(*), count(DISTINCT customer), count(DISTINCT invoice), sum(quantity * price) FROM plain")" \
        "rows, customers, orders and revenue are those of plain SQL"
    is "$(sql "SELECT count(*) FROM tutorial.customer_rfm r FULL JOIN
               (SELECT customer, extract(epoch FROM timestamptz '2011-12-10' - max(at)) / 86400 AS recency,
                       count(DISTINCT invoice) AS frequency, sum(quantity * price)::float8 AS monetary
                FROM plain GROUP BY customer) p ON customer = customer_id
               WHERE customer IS NULL OR customer_id IS NULL OR r.frequency <> p.frequency
                  OR r.monetary <> p.monetary OR abs(r.recency_days - p.recency) > 1e-9")" 0 \
        "so are recency, frequency and monetary of each customer"
    is "$(sql "SELECT count(*), sum((monetary IS NOT NULL)::int) FROM tutorial.customer_segments
               LEFT JOIN tutorial.customer_rfm USING (customer_id)")" "4338|4338" "the segments hold all customers"
    is "$(sql "SELECT format('| %s | %s | %s | %s |', by, count(*) FILTER (WHERE hit), round(avg(amount)::numeric, 2),
                   count(DISTINCT product_id)) FROM tutorial.trial_offers GROUP BY place, by ORDER BY place")" \
        "$(sed -n '/^## On a real log/,/^## What/p' docs/tutorial-recommend.md | grep '^| .*[0-9] |$')" \
        "so are those of docs/tutorial-recommend.md"
    is "$(months)" "2|t|t|t 4|4 t t " "two monthly runs keep the names of the segments"
    is "$(sql "SELECT format('| %s | %s | %s | %s | %s |', name, (array_agg(customers ORDER BY as_of))[1],
                   (array_agg(customers ORDER BY as_of))[2], round((array_agg(revenue_share ORDER BY as_of))[1]::numeric, 3),
                   round((array_agg(revenue_share ORDER BY as_of))[2]::numeric, 3))
               FROM retailml.bi_segment_trend GROUP BY name ORDER BY max(customers) DESC")" \
        "$(sed -n '/^## On a real log/,/^## What/p' docs/tutorial-monthly.md | grep '^| .*[0-9] |$')" \
        "with the sizes in docs/tutorial-monthly.md"
    is "$(section_rows)" "$(figures)" "the figures of docs/tutorial.md are these"
else
    skip 9 "the Online Retail file is not here"
fi
done_testing
