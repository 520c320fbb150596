-- Customers at one moment: golden numbers, no look at the future, odd names, odd rows, rights, types.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
SET TimeZone = 'UTC';
SET DateStyle = iso;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/golden/customer_snapshot.csv'
\set golden `cat :'path'`
BEGIN;
SELECT plan(99);

-- ---- golden numbers: test/golden/customer_snapshot.py, whose log this is
CREATE TABLE log AS
SELECT i, CASE WHEN i % 71 <> 0 THEN o * o % 397 + 1 END AS customer_id, CASE WHEN i % 61 <> 0 THEN o END AS order_id,
    CASE WHEN i % 53 <> 0 THEN '2024-01-01'::timestamptz + i * 7907 % 525000 * interval '1 minute' END AS ordered_at,
    CASE WHEN i % 37 = 0 THEN NULL WHEN i % 29 = 0 THEN 0 ELSE (i * 10007 % 20011 - 2500) / 100.0 END AS amount,
    CASE WHEN i % 31 <> 0 THEN i % 4 END AS quantity, CASE WHEN i % 43 <> 0 THEN i * 13 % 37 END AS product_id,
    CASE WHEN i % 47 <> 0 THEN substr('abcde', i * 17 % 5 + 1, 1) END AS category, ('{web,shop,app}'::text[])[i * i % 3 + 1] AS channel
FROM generate_series(1, 2500) i, LATERAL (SELECT i * 31 % 1511 / 2 AS o) x;
ANALYZE log;

-- one row for each customer and column: numbers to 12 digits, the rest as text
CREATE FUNCTION pg_temp.cells(snapshot jsonb) RETURNS TABLE (customer_id text, name text, value text) LANGUAGE sql AS $$
    SELECT snapshot ->> 'customer_id', key, CASE jsonb_typeof(value)
        WHEN 'number' THEN to_char((value #>> '{}')::float8, '9.99999999999EEEE')
        WHEN 'boolean' THEN left(value #>> '{}', 1) ELSE value #>> '{}' END
    FROM jsonb_each(snapshot) $$;
CREATE FUNCTION pg_temp.golden_rows(csv text) RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT jsonb_object_agg(n, CASE WHEN v = '' THEN 'null' WHEN v IN ('t', 'f') THEN to_jsonb(v = 't')
                                WHEN n = 'customer_id' OR n LIKE 'top%' THEN to_jsonb(v) ELSE v::jsonb END)
    FROM string_to_table(csv, E'\n') WITH ORDINALITY t(line, row), string_to_array(split_part(csv, E'\n', 1), ',') names,
        unnest(string_to_array(line, ','), names) c(v, n)
    WHERE row > 1 AND line <> '' GROUP BY row $$;
CREATE FUNCTION pg_temp.snapshot_rows(relation regclass, mapping jsonb DEFAULT NULL, at timestamptz DEFAULT '2024-07-01') RETURNS SETOF jsonb LANGUAGE sql AS $$
    SELECT to_jsonb(s) FROM customer_snapshot(relation, at, columns => mapping) s $$;
CREATE TABLE golden AS SELECT c.* FROM pg_temp.golden_rows(:'golden') g, pg_temp.cells(g) c;
CREATE TABLE snapshot AS SELECT c.* FROM pg_temp.snapshot_rows('log') g, pg_temp.cells(g) c;
SELECT cmp_ok(count(DISTINCT customer_id), '>', 100::bigint, 'golden customers') FROM golden;
SELECT cmp_ok(count(*), '>', 5::bigint, 'of whom some churn') FROM golden WHERE name = 'churned' AND value = 't';
SELECT cmp_ok(count(*), '>', 5::bigint, 'and some have NULLs') FROM golden WHERE name = 'gap_sd_days' AND value IS NULL;
SELECT is((SELECT array_agg(DISTINCT name) FROM snapshot), (SELECT array_agg(DISTINCT name) FROM golden), 'the columns are those of pandas');
SELECT is((SELECT count(*) FROM snapshot s FULL JOIN golden g USING (customer_id, name) WHERE s.name = n AND s.value IS DISTINCT FROM g.value
    OR s.customer_id IS NULL OR g.customer_id IS NULL), 0::bigint, n || ' is what pandas says')
FROM (SELECT DISTINCT name AS n FROM golden ORDER BY 1) names;

-- ---- no look at the future
CREATE TABLE features AS SELECT customer_id, to_jsonb(s) - '{churned,future_spend,future_orders}'::text[] AS f FROM customer_snapshot('log', '2024-07-01') s;
CREATE FUNCTION pg_temp.changed(relation regclass) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM features f FULL JOIN (SELECT customer_id, to_jsonb(s) - '{churned,future_spend,future_orders}'::text[] AS f
        FROM customer_snapshot(relation, '2024-07-01') s) s USING (customer_id) WHERE s.f IS DISTINCT FROM f.f $$;
CREATE TABLE other AS SELECT * FROM log;
SELECT is(pg_temp.changed('other'), 0::bigint, 'a copy has the same features');
UPDATE other SET amount = amount * -7, quantity = 99, category = 'zzz', channel = 'zzz', product_id = -i, order_id = i WHERE ordered_at >= '2024-07-01';
SELECT is(pg_temp.changed('other'), 0::bigint, 'features do not see changes at or after as_of');
INSERT INTO other SELECT i, c, i, '2024-07-01'::timestamptz + (i - 1) * interval '1 hour', 1e6, 5, i, 'new', 'new' FROM generate_series(1, 500) i, (VALUES (1), (5), (100000)) v(c);
SELECT is(pg_temp.changed('other'), 0::bigint, 'nor new rows and customers, from the very moment on');
SELECT is((SELECT future_orders FROM customer_snapshot('other', '2024-07-01') WHERE customer_id = '5'), (SELECT count(DISTINCT order_id) FROM other
    WHERE customer_id = 5 AND amount > 0 AND ordered_at >= '2024-07-01' AND ordered_at < '2024-09-29'), 'which outcomes do');
DELETE FROM other WHERE ordered_at >= '2024-07-01';
SELECT is(pg_temp.changed('other'), 0::bigint, 'nor that there is no future');
INSERT INTO other SELECT 1, 1, 1, timestamptz '2024-07-01' - interval '1 microsecond', 1, 1, 1, 'a', 'web';
SELECT cmp_ok(pg_temp.changed('other'), '>', 0::bigint, 'but a row just before does count');
SELECT is((SELECT count(*) FROM customer_snapshot('other', '2024-07-01') WHERE num_nonnulls(churned, future_spend, future_orders) > 0), 0::bigint,
    'outcomes are NULL while the horizon is not over');
INSERT INTO other (ordered_at) VALUES (timestamptz '2024-09-29' - interval '1 microsecond');
SELECT is((SELECT count(churned) FROM customer_snapshot('other', '2024-07-01')), 0::bigint, 'to its last moment');
INSERT INTO other (ordered_at) VALUES ('infinity');
SELECT is((SELECT count(churned) FROM customer_snapshot('other', '2024-07-01')), 0::bigint, 'infinity is no date');
INSERT INTO other (ordered_at) VALUES ('2024-09-29');
SELECT is((SELECT count(*) FROM customer_snapshot('other', '2024-07-01') WHERE churned AND future_spend = 0 AND future_orders = 0),
    (SELECT count(*) FROM features), 'then nobody came back');

SET LOCAL client_min_messages = notice;
SELECT is((SELECT count(*) FROM customer_snapshot('log', '2024-12-01') WHERE churned IS NULL), 199::bigint, 'which a notice says');
SET LOCAL client_min_messages = warning;

-- ---- odd rows
CREATE TABLE few (customer_id text, order_id text, ordered_at timestamptz, amount numeric, quantity float8, category text);
INSERT INTO few VALUES ('one', 'a', '2024-01-06 12:00', 10, 2, 'y'), ('one', 'a', '2024-01-06 12:00', 10, 'NaN', 'x'),
    ('ties', 'a', '2024-01-01', 5, NULL, NULL), ('ties', 'b', '2024-01-01', 5, NULL, NULL), ('ties', 'c', '2024-01-01', 5, NULL, NULL),
    ('no order', NULL, '2024-01-01', 8, 1, 'x'), ('back', 'r', '2024-01-01', -8, 1, 'x'), ('gift', 'g', '2024-01-01', 0, 1, 'x'),
    ('null', 'n', '2024-01-01', NULL, 1, 'x'), ('nan', 'n', '2024-01-01', 'NaN', 1, 'x'), ('undated', 'n', NULL, 5, 1, 'x'),
    ('ever', 'n', '-infinity', 5, 1, 'x'), ('later', 'n', '2024-02-01', 5, 1, 'x'), (NULL, 'n', '2024-01-01', 5, 1, 'x'), ('', 'n', '2024-01-01', 5, 1, 'x'),
    ('more back', 'b', '2024-01-01', 4, 1, 'x'), ('more back', 'r', '2024-01-02', -6, -1, 'x'), ('more back', 'r', '2024-02-02', -1, -1, 'x'),
    (NULL, NULL, '2025-01-01', NULL, NULL, NULL);
CREATE TABLE few_rows AS SELECT * FROM customer_snapshot('few', '2024-02-01', '10 days');
SELECT is(array_agg(customer_id ORDER BY customer_id COLLATE "C"), '{"",more back,no order,one,ties}', 'customers have bought before as_of') FROM few_rows;
SELECT is(row_to_json((recency_days, tenure_days, frequency, monetary, avg_order_value, gap_mean_days, gap_sd_days, days_since_last_over_gap))::text,
    '{"f1":25.5,"f2":25.5,"f3":1,"f4":20,"f5":20,"f6":null,"f7":null,"f8":null}', 'one order has no gaps') FROM few_rows WHERE customer_id = 'one';
SELECT is((top_category, category_share, distinct_categories, lines_per_order, items_per_order, weekend_share)::text, '(x,0.5,2,2,2,1)',
    'ties by name, NaN is no quantity, a Saturday') FROM few_rows WHERE customer_id = 'one';
SELECT is((frequency, gap_mean_days, gap_sd_days, days_since_last_over_gap, top_category, category_share, distinct_categories)::text, '(3,0,0,31,,,0)',
    'orders at one moment') FROM few_rows WHERE customer_id = 'ties';
SELECT is((recency_days, frequency, monetary, avg_order_value, lines_per_order, items_per_order, weekend_share, orders_365d)::text, '(31,0,8,,,,,0)',
    'without an order') FROM few_rows WHERE customer_id = 'no order';
SELECT is((recency_days, frequency, monetary, returns_share, spend_trend, items_per_order, churned, future_spend, future_orders)::text,
    '(31,1,-2,1.5,0,1,t,-1,0)', 'returns are neither orders nor purchases') FROM few_rows WHERE customer_id = 'more back';
SELECT is((distinct_products, top_channel, channel_share)::text, '(,,)', 'what has no source is NULL') FROM few_rows WHERE customer_id = 'one';
SELECT is_empty($$SELECT * FROM customer_snapshot('few', '2023-01-01')$$, 'before the first row there is no customer');
CREATE TABLE empty (LIKE few);
SELECT is_empty($$SELECT * FROM customer_snapshot('empty', '2023-01-01')$$, 'nor in an empty table');

-- ---- names
CREATE SCHEMA "odd; schema";
CREATE TABLE "odd; schema"."a ""quoted"" table; --" ("select" int, "Customer ID" text, "x; DROP TABLE log; --" timestamp, "o'rder" date, """" numeric);
INSERT INTO "odd; schema"."a ""quoted"" table; --" VALUES (7, 'c', '2024-01-01', '2024-01-01', 3), (8, 'c', '2024-01-03', '2024-01-03', 4), (1, NULL, '2025-01-01', NULL, NULL);
SELECT is((SELECT (customer_id, recency_days, frequency, monetary, distinct_products, gap_mean_days, top_category)::text FROM customer_snapshot('"odd; schema"."a ""quoted"" table; --"', '2024-02-01', columns =>
    '{"customer_id": "Customer ID", "ordered_at": "x; DROP TABLE log; --", "order_id": "o''rder", "amount": "select", "product_id": "\"", "category": "o''rder"}')),
    '(c,29,2,15,2,2,2024-01-03)', 'names of all kinds');
SELECT throws_like(format($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => %L)$$, jsonb_build_object('amount', name)),
    '%has no column "' || name || '"', 'no column: ' || name)
FROM unnest('{amount) FROM few; --,Amount,amount::text,1,ctid,tableoid,"amount\""}'::text[]) name;
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"amount": "nothing"}')$$, '42703', 'customer_snapshot: public.few has no column "nothing"', 'a column that is missing');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"category": "nothing"}')$$, '42703', NULL, 'an optional one too');
SELECT throws_ok($$SELECT * FROM customer_snapshot('features', '2024-02-01')$$, '42703', NULL, 'or by default');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"price": "amount"}')$$, '22023', 'customer_snapshot: columns has no key "price"', 'unknown keys');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"amount": null}')$$, '22023', NULL, 'what cannot be missing');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"category": 5}')$$, '22023', NULL, 'what is no name');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '[]')$$, '22023', NULL, 'what is no object');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"amount": "category"}')$$, '42804', 'column "category" is of type text, amount must be a number', 'amounts are numbers');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01', columns => '{"ordered_at": "category"}')$$, '42804', NULL, 'dates are dates');
SELECT is((SELECT count(top_category) FROM customer_snapshot('few', '2024-02-01', columns => '{"category": null}')), 0::bigint, 'null switches a column off');

-- ---- arguments
SELECT throws_ok(format('SELECT * FROM customer_snapshot(%s)', arguments), code, NULL, arguments)
FROM (VALUES ('NULL, now()', '22004'), ('''few'', NULL', '22004'), ('''few'', now(), NULL', '22004'), ('''few'', ''infinity''', '22023'), ('''few'', now(), ''0 days''', '22023'),
    ('''few'', now(), ''-1 day''', '22023'), ('4294967295::oid::regclass, now()', '42P01'), ('''pg_class_oid_index'', now()', '42809')) v(arguments, code);
INSERT INTO few VALUES ('inf', 'i', '2024-01-01', 5, 'Infinity', 'x');
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01')$$, '22003', 'column "quantity" holds infinity', 'an infinite quantity');
UPDATE few SET quantity = 1, amount = 'Infinity' WHERE customer_id = 'inf';
SELECT throws_ok($$SELECT * FROM customer_snapshot('few', '2024-02-01')$$, '22003', 'column "amount" holds infinity', 'an infinite amount');
DELETE FROM few WHERE customer_id = 'inf';

-- ---- types: the same log in others gives the same rows
CREATE FUNCTION pg_temp.same(relation regclass, mapping jsonb DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
    SELECT (SELECT string_agg(s::text, ';') FROM customer_snapshot(relation, '2024-07-01', columns => mapping) s) = (SELECT string_agg(s::text, ';') FROM customer_snapshot('log', '2024-07-01') s) $$;
CREATE VIEW as_texts AS SELECT customer_id::text, order_id::varchar, ordered_at, amount, quantity, product_id::text::bpchar AS product_id, category::name, channel::"char"::text || substr(channel, 2) AS channel FROM log;
SELECT ok(pg_temp.same('as_texts'), 'ids as text');
CREATE VIEW as_json AS SELECT to_json(customer_id)::json AS customer_id, to_jsonb(order_id) AS order_id, ordered_at, amount::float8, quantity::numeric, product_id::numeric, category, channel FROM log;
SELECT ok(pg_temp.same('as_json'), 'ids without equality, amounts in floating point');
CREATE VIEW as_timestamp AS SELECT customer_id, order_id, ordered_at AT TIME ZONE 'UTC' AS at, amount, quantity::smallint, product_id, category, channel FROM log;
SELECT ok(pg_temp.same('as_timestamp', '{"ordered_at": "at"}'), 'timestamp is in UTC');
SET LOCAL TimeZone = 'America/New_York';
SELECT is((SELECT string_agg(to_jsonb(s)::text, ';') FROM customer_snapshot('log', '2024-07-01 00:00+00', '3 months 2 days') s WHERE weekend_share > 0), (SELECT string_agg(to_jsonb(s)::text, ';') FROM customer_snapshot('as_timestamp', '2024-07-01 00:00+00', '3 months 2 days', '{"ordered_at": "at"}') s WHERE weekend_share > 0), 'whatever the session''s zone');
CREATE TABLE york AS SELECT * FROM customer_snapshot('log', '2024-07-01 00:00+00');
SET LOCAL TimeZone = 'UTC';
SELECT ok((SELECT string_agg(y::text, ';') FROM york y) = (SELECT string_agg(s::text, ';') FROM customer_snapshot('log', '2024-07-01') s), 'and the rows are the same as in UTC');
CREATE MATERIALIZED VIEW as_date AS SELECT customer_id::bigint, order_id, ordered_at::date, amount::int, product_id, category FROM log;
CREATE VIEW as_midnight AS SELECT customer_id, order_id, ordered_at::date::timestamptz AS purchased_at, amount::int, product_id, category FROM log;
SELECT ok((SELECT string_agg(s::text, ';') FROM customer_snapshot('as_date', '2024-07-01 12:00') s) = (SELECT string_agg(s::text, ';') FROM customer_snapshot('as_midnight', '2024-07-01 12:00') s), 'date is midnight in UTC, whole amounts, purchased_at');
CREATE TABLE parts (LIKE log) PARTITION BY RANGE (ordered_at);
CREATE TABLE part_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2024-04-01');
CREATE TABLE part_new PARTITION OF parts DEFAULT;
ALTER TABLE parts ADD dropped int;
ALTER TABLE parts DROP dropped;
INSERT INTO parts SELECT * FROM log ORDER BY md5(i::text);
SELECT ok(pg_temp.same('parts'), 'partitions, and rows in another order');

-- ---- plans, search_path
ANALYZE parts;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT ok(pg_temp.same('parts'), 'the same rows with workers');
-- a category that says which process read the line
CREATE FUNCTION reader() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS 'BEGIN RETURN pg_backend_pid(); END';
CREATE VIEW spied AS SELECT customer_id, order_id, ordered_at, amount, reader() AS category FROM parts;
SET LOCAL parallel_leader_participation = off;
SELECT is((SELECT count(*) FROM customer_snapshot('spied', '2024-07-01') WHERE top_category = pg_backend_pid()::text), 0::bigint, 'which read all lines');
SET LOCAL parallel_leader_participation = on;
SET LOCAL enable_hashagg = off;
SELECT ok(pg_temp.same('parts'), 'and with sorts');
SET LOCAL enable_hashagg = on;
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.lie(timestamptz, timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR hostile.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = hostile.lie);
CREATE FUNCTION hostile.count(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
CREATE DOMAIN hostile.text AS int;
CREATE FUNCTION hostile.divide(numeric, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 0::numeric';
CREATE OPERATOR hostile./ (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = hostile.divide);
SET LOCAL search_path = hostile, pg_catalog;
CREATE TEMP TABLE lied AS SELECT * FROM retailml.customer_snapshot('public.log', '2024-07-01');
SET LOCAL search_path = public, retailml;
SELECT ok((SELECT string_agg(l::text, ';') FROM lied l) = (SELECT string_agg(s::text, ';') FROM customer_snapshot('log', '2024-07-01') s), 'search_path has no influence');

-- ---- in a query: joined, aggregated, a row per date
SELECT is((SELECT count(DISTINCT s.customer_id) FROM (VALUES ('2024-05-01'::timestamptz), ('2024-07-01')) d(day), customer_snapshot('log', day, '30 days') s),
    (SELECT count(*) FROM features), 'several dates in one query');
SELECT is((SELECT sum(n) FROM (SELECT top_channel, count(*) AS n FROM customer_snapshot('log', '2024-07-01') GROUP BY top_channel) g), (SELECT count(*)::numeric FROM features), 'grouped');
SELECT ok((SELECT kmeans_fit(f, 2, '{"features": ["recency_days", "frequency", "monetary"]}') IS NOT NULL FROM customer_snapshot('log', '2024-07-01') f), 'as rows of a fit');

-- ---- rights
CREATE ROLE rml_snapshot_reader;
GRANT USAGE ON SCHEMA public, retailml TO rml_snapshot_reader;
CREATE TABLE owned AS SELECT * FROM log;
SET LOCAL ROLE rml_snapshot_reader;
SELECT throws_ok($$SELECT * FROM retailml.customer_snapshot('owned', '2024-07-01')$$, '42501', 'permission denied for table owned', 'without the right to read');
RESET ROLE;
GRANT SELECT (customer_id, order_id, ordered_at, amount) ON owned TO rml_snapshot_reader;
SET LOCAL ROLE rml_snapshot_reader;
SELECT throws_ok($$SELECT * FROM retailml.customer_snapshot('owned', '2024-07-01')$$, '42501', NULL, 'or for some columns only');
SELECT lives_ok($$SELECT * FROM retailml.customer_snapshot('owned', '2024-07-01', columns => '{"quantity": null, "product_id": null, "category": null, "channel": null}')$$, 'which null leaves out');
RESET ROLE;
GRANT SELECT ON owned TO rml_snapshot_reader;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_some ON owned USING (customer_id = 5 OR ordered_at > '2024-12-01');
SET LOCAL ROLE rml_snapshot_reader;
SELECT is((SELECT array_agg(customer_id) FROM retailml.customer_snapshot('owned', '2024-07-01')), '{5}', 'row-level security hides the others');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
