-- From the same log to segments that refresh themselves each month, under the same names.
--
-- Starts from the table purchases (customer_id, order_id, ordered_at, amount) of docs/tutorial.sql.
-- `make demo` runs this file last; docs/tutorial-monthly.md explains it.

SET search_path = tutorial, retailml, public;

-- 1. Two months to stand at the end of: the last in which at least one customer in twenty was new,
--    and the one before it.  (psql keeps what \gset is given as variables.)

WITH firsts AS (SELECT customer_id, date_trunc('month', min(ordered_at)) AS month FROM purchases GROUP BY customer_id),
     months AS (SELECT month, count(*) AS new, sum(count(*)) OVER (ORDER BY month) AS customers FROM firsts GROUP BY month),
     log AS (SELECT date_trunc('month', max(ordered_at)) AS last_month FROM purchases)
SELECT coalesce(max(month) + interval '1 month', max(log.last_month)) AS this_month,
       coalesce(max(month), max(log.last_month) - interval '1 month') AS last_month
FROM log LEFT JOIN months ON month < log.last_month AND new BETWEEN customers * .05 AND customers - 20
\gset

-- 2. The pipeline: a query with a row per customer, as of the moment $1, and what to make of it.

SELECT pipeline_create('segments', $query$
    SELECT customer_id, ln(1 + recency_days) AS recency, ln(1 + frequency) AS frequency, ln(1 + greatest(monetary, 0)) AS monetary,
           recency_days AS days_since_last, frequency AS orders, monetary AS revenue
    FROM (SELECT customer_id, (retailml.rfm(order_id, ordered_at, amount, $1)).*
          FROM tutorial.purchases
          WHERE ordered_at < $1
          GROUP BY customer_id) AS r
$query$, 'customer_id', '{"columns": ["recency", "frequency", "monetary"], "revenue": "revenue", "names": "loyalty"}');

-- 3. The first month.

CALL pipeline_run('segments', :'last_month');

SELECT segment, name, customers, round(share::numeric, 3) AS share, round(revenue::numeric) AS revenue,
       round(revenue_share::numeric, 3) AS revenue_share
FROM bi_segments
WHERE pipeline = 'segments'
ORDER BY segment;

-- 4. A month later.

CALL pipeline_run('segments', :'this_month');

-- What each run chose, and why.

SELECT as_of::date, customers, mode, k, version, reason
FROM bi_pipeline_runs
WHERE pipeline = 'segments'
ORDER BY as_of;

-- The steps of the last one.

SELECT ordinal, step, state, rows, message
FROM bi_pipeline_steps
WHERE pipeline = 'segments' AND run_id = (SELECT max(run_id) FROM bi_pipeline_runs WHERE pipeline = 'segments')
ORDER BY ordinal;

-- 5. The names lasted: the same segments in both months.

SELECT name, max(customers) FILTER (WHERE as_of = :'last_month') AS last_month,
       max(customers) FILTER (WHERE as_of = :'this_month') AS this_month,
       round(max(revenue_share) FILTER (WHERE as_of = :'last_month')::numeric, 3) AS revenue_share_then,
       round(max(revenue_share) FILTER (WHERE as_of = :'this_month')::numeric, 3) AS revenue_share_now
FROM bi_segment_trend
WHERE pipeline = 'segments'
GROUP BY name
ORDER BY this_month DESC NULLS LAST, name;

-- 6. Who moved: how many, and who.

SELECT from_name, to_name, customers, round(share::numeric, 3) AS share
FROM bi_segment_migration
WHERE pipeline = 'segments' AND moved
ORDER BY from_name, to_name;

SELECT key AS customer_id, from_name, to_name, features ->> 'orders' AS orders,
       round(revenue::numeric, 2) AS revenue
FROM bi_segment_movers
WHERE pipeline = 'segments' AND from_name <> '(new)'
ORDER BY bi_segment_movers.revenue DESC, key
LIMIT 10;

-- 7. Every customer has a segment now: one table for all that wants to know.

SELECT key AS customer_id, segment, name, round(distance::numeric, 2) AS distance,
       round((features ->> 'revenue')::numeric, 2) AS revenue
FROM segments_current
WHERE pipeline = 'segments'
ORDER BY (features ->> 'revenue')::numeric DESC, key
LIMIT 5;

-- The models, by version; the last is in production.

SELECT name, version, status, algorithm, rows FROM model_list WHERE name = 'segments' ORDER BY version;
