\set ECHO none
\pset format unaligned
\t on
SET search_path = public, retailml;
SET client_min_messages = warning;
SET TimeZone = 'UTC';

BEGIN;
SELECT plan(138);

-- ---- golden: test/golden/rfm.py

\set values `cat "$PG_ABS_SRCDIR/golden/rfm_values.csv"`
\set scores `cat "$PG_ABS_SRCDIR/golden/rfm_scores.csv"`

CREATE TEMP TABLE golden_values AS
SELECT c[1]::int AS customer, c[2]::float8 AS recency_days, c[3]::bigint AS frequency, c[4]::float8 AS monetary,
    c[5]::float8 AS monetary_numeric, c[6]::timestamptz AS first_order_at, c[7]::timestamptz AS last_order_at
FROM string_to_table(:'values', E'\n') WITH ORDINALITY AS t(line, n), string_to_array(line, ',') AS c
WHERE n > 1 AND line <> '';

CREATE TEMP TABLE golden_scores AS
SELECT c[1]::int AS customer, c[2]::float8 AS recency, c[3]::float8 AS frequency, c[4]::float8 AS monetary,
    c[5:13]::int[] AS s
FROM string_to_table(:'scores', E'\n') WITH ORDINALITY AS t(line, n), string_to_array(line, ',') AS c
WHERE n > 1 AND line <> '';

CREATE TEMP TABLE lines AS
SELECT i * 7919 % 97 + 1 AS customer, CASE WHEN i % 61 <> 0 THEN i * 31 % 613 / 40 END AS order_id,
    CASE WHEN i % 53 <> 0 THEN '2024-01-01'::timestamptz + i::bigint * 7907 % 575000 * interval '1 minute' END AS at,
    CASE WHEN i % 29 <> 0 THEN (i * 10007 % 20011 - 1500) / 100.0 END AS amount
FROM generate_series(1, 3000) i;

CREATE TEMP TABLE customers AS
SELECT customer, (rfm(order_id, at, amount::float8, '2024-12-31')).* FROM lines GROUP BY customer;

SELECT set_eq('SELECT * FROM customers',
    'SELECT customer, recency_days, frequency, monetary, first_order_at, last_order_at FROM golden_values',
    'rfm is what pandas says, bit by bit');
SELECT set_eq($$SELECT customer, (rfm(order_id, at, amount, '2024-12-31')).monetary FROM lines GROUP BY customer$$,
    'SELECT customer, monetary_numeric FROM golden_values', 'numeric amounts are summed as decimals');
SELECT set_eq($$SELECT customer, (rfm(order_id, at, amount, '2024-12-31')).* FROM lines GROUP BY customer$$, $$
    SELECT customer, extract(epoch FROM '2024-12-31' - max(at))::float8 / 86400, count(DISTINCT order_id),
        sum(amount)::float8, min(at), max(at) FROM lines WHERE at <= '2024-12-31' GROUP BY customer$$,
    'plain SQL agrees');

-- ---- argument types

CREATE FUNCTION pg_temp.frequency(type text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE result bigint;
BEGIN
    EXECUTE format('SELECT (rfm(v::%s, now(), 1, now())).frequency FROM (VALUES (''1''), (''2''), (''1''), (''3''), '
        '(NULL), (''2''), (''2''), (''3''), (''1'')) x(v)', type) INTO result;
    RETURN result;
END $$;
SELECT is(pg_temp.frequency(type), 3::bigint, 'order_id may be ' || type)
FROM unnest('{smallint,int,bigint,numeric,real,float8,text,varchar,character(9),bytea,oid,name,money,"\"char\""}'::text[]) type;

SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'numeric 1.0 is 1.00')
FROM (VALUES (1.0), (1.00), (2.5), (2.50)) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'float8 -0 is 0, NaN is NaN')
FROM (VALUES ('0'::float8), ('-0'), ('NaN'), ('NaN')) x(v);
SELECT is((rfm(v::bpchar, now(), 1, now())).frequency, 2::bigint, 'trailing blanks of character do not count')
FROM (VALUES ('a'), ('a '), ('b')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 3::bigint, 'those of text do')
FROM (VALUES ('a'), ('a '), ('b'), ('a')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 6::bigint, 'texts of all lengths')
FROM (VALUES (''), ('1234567'), ('12345678'), ('1234567'), ('123456789'), ('12345678'), (''), (repeat('x', 100000)),
    (repeat('x', 100000)), (repeat('x', 99999) || 'y')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'uuid') FROM (VALUES
    ('00000000-0000-0000-0000-000000000001'::uuid), ('00000000-0000-0000-0000-000000000002'),
    ('00000000-0000-0000-0000-000000000001')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'arrays')
FROM (VALUES ('{1,2}'::int[]), ('{1,2}'), ('{2,1}')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'rows: a composite order number')
FROM (VALUES (ROW(1, 'a'::text)), (ROW(1, 'a'::text)), (ROW(2, 'a'::text))) x(v);
SELECT throws_ok($$SELECT rfm(ROW(1, '{}'::json), now(), 1, now())$$, '42883', NULL, 'with a part that cannot be compared');
CREATE TYPE pg_temp.channel AS ENUM ('shop', 'web');
CREATE DOMAIN pg_temp.order_number AS text CHECK (value <> '');
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'an enum')
FROM (VALUES ('shop'::pg_temp.channel), ('web'), ('web')) x(v);
SELECT is((rfm(v, now(), 1, now())).frequency, 2::bigint, 'a domain')
FROM (VALUES ('a'::pg_temp.order_number), ('b'), ('a')) x(v);
CREATE COLLATION pg_temp.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT is((rfm(v COLLATE pg_temp.any_case, now(), 1, now())).frequency, 2::bigint, 'a collation without case')
FROM (VALUES ('AB-123456789'), ('ab-123456789'), ('b')) x(v);
SELECT throws_ok($$SELECT rfm(v, now(), 1, now()) FROM (VALUES ('{}'::json)) x(v)$$, '42883',
    'rfm: order_id of type json cannot be compared', 'json cannot be compared');
SELECT is((rfm(1, '2024-01-01'::date, 5, '2024-01-11'::date)).recency_days, 10::float8, 'dates');
SELECT is((rfm(1, '2024-01-01 12:00'::timestamp, 5::real, '2024-01-02'::timestamp)).recency_days, 0.5::float8,
    'timestamps, half a day');
SELECT is((rfm(1, '2024-01-01', '5', '2024-01-11')).monetary, 5::float8, 'untyped literals');

-- ---- many orders, 0 and other special values

SELECT is((rfm(i % m, now(), 1, now())).frequency, m::bigint, 'distinct orders: ' || m)
FROM generate_series(1, 5000) i, unnest('{1,3,4,8,9,16,17,24,25,100,4999}'::int[]) m GROUP BY m ORDER BY m;
SELECT is((rfm((i % 3000)::bigint - 1500, now(), 1, now())).frequency, 3000::bigint, 'zero among many')
FROM generate_series(1, 9000) i;
SELECT is((rfm('order number ' || i % 3000, now(), 1, now())).frequency, 3000::bigint, 'long texts')
FROM generate_series(1, 9000) i;
SELECT is((rfm((i % 3000)::numeric / 7, now(), 1, now())).frequency, 3000::bigint, 'numerics')
FROM generate_series(1, 9000) i;

-- ---- NULL, NaN, infinity, nothing

SELECT is(rfm(1, at, 1, '2024-01-01'), NULL, 'NULL without rows') FROM lines WHERE false;
SELECT is(rfm(1, NULL, 1, '2024-01-01'), NULL, 'NULL when no date is known');
SELECT is(rfm(1, '2024-01-02', 1, '2024-01-01'), NULL, 'NULL before the first order: no look-ahead');
SELECT is(rfm(o, d, a, '2024-01-31'), ROW(21, 2, 30, '2024-01-02', '2024-01-10')::rfm_values,
    'rows after as_of do not count')
FROM (VALUES (1, '2024-01-02'::timestamptz, 10::float8), (2, '2024-01-10', 20), (3, '2024-01-31 00:00:01', 40)) x(o, d, a);
SELECT is((rfm(1, '2024-01-31', 7, '2024-01-31')).recency_days, 0::float8, 'a row at as_of does');
SELECT is(rfm(o, d, a, '2024-01-31'), ROW(11, 2, 10, '2024-01-10', '2024-01-20')::rfm_values,
    'a NULL or NaN amount adds nothing, its order counts')
FROM (VALUES (1, '2024-01-10'::timestamptz, 10::float8), (2, '2024-01-20', NULL), (2, '2024-01-20', 'NaN')) x(o, d, a);
SELECT is((rfm(1, now(), a, now())).monetary, 10::float8, 'numeric NaN too')
FROM (VALUES (10::numeric), ('NaN')) x(a);
SELECT is(rfm(1, '2024-01-30', NULL::float8, '2024-01-31'), ROW(1, 1, 0, '2024-01-30', '2024-01-30')::rfm_values,
    'NULL amounts only: 0');
SELECT is(rfm(o, d, a, '2024-01-31'), ROW(11, 1, 30, '2024-01-10', '2024-01-20')::rfm_values,
    'a NULL order is none, its date and amount count')
FROM (VALUES (1, '2024-01-10'::timestamptz, 10::float8), (NULL, '2024-01-20', 20)) x(o, d, a);
SELECT is(rfm(o, d, a, '2024-01-31'), ROW(21, 1, 10, '2024-01-10', '2024-01-10')::rfm_values,
    'rows without a date, or an infinite one, are ignored')
FROM (VALUES (1, '2024-01-10'::timestamptz, 10::float8), (2, NULL, 20), (3, '-infinity', 40), (4, 'infinity', 80)) x(o, d, a);
SELECT is((rfm(1, '4713-01-01 BC', 1, '294276-01-01')).recency_days, ('294276-01-01'::date - '4713-01-01 BC'::date)::float8, 'the longest time there is');

SELECT throws_ok('SELECT rfm(1, now(), 1, NULL)', '22023', 'rfm: as_of must not be NULL', 'as_of NULL');
SELECT throws_ok($$SELECT rfm(1, now(), 1, 'infinity')$$, '22023', 'rfm: as_of must not be infinite', 'as_of infinite');
SELECT lives_ok('SELECT rfm(1, NULL, 1, NULL)', 'a row without a date needs no as_of (LEFT JOIN)');
SELECT throws_ok($$SELECT rfm(1, now(), 1, d) FROM (VALUES ('2024-01-01'::timestamptz), ('2024-01-02')) x(d)$$,
    '22023', 'rfm: as_of must be the same for every row of a group', 'as_of changes');
SELECT throws_ok($$SELECT rfm(1, now(), 'infinity'::float8, now())$$, '22003', 'rfm: amount is infinite', 'infinite amount');
SELECT throws_ok($$SELECT rfm(1, now(), '-infinity'::numeric, now())$$, '22003', 'rfm: amount is infinite',
    'infinite numeric amount');
SELECT throws_ok($$SELECT rfm(1, now(), a, now()) FROM (VALUES (1e308::float8), (1e308)) x(a)$$, '22003',
    'value out of range: overflow', 'a sum beyond float8');
SELECT throws_ok('SELECT rfm_accum(NULL, 1, now(), 1::float8, now())', NULL, NULL, 'the parts are not for direct use');

SET LOCAL retailml.max_memory = '1MB';
SELECT throws_ok('SELECT rfm(i, now(), 1, now()) FROM generate_series(1, 200000) i', '53400',
    'rfm needs 2 MB for the orders of one group, retailml.max_memory is 1 MB', 'too many orders for the memory there is');
SELECT throws_ok('SELECT rfm(''order number '' || i, now(), 1, now()) FROM generate_series(1, 200000) i', '53400', NULL,
    'the same for texts');
SELECT throws_ok('SELECT rfm_score(i, i, i) OVER () FROM generate_series(1, 100000) i', '53400', NULL,
    'too many rows to score');
SELECT throws_ok('SELECT rfm_fit(i, i, i) FROM generate_series(1, 100000) i', '53400', NULL, 'too many rows to fit');
RESET retailml.max_memory;

-- ---- sums

SELECT is((rfm(1, now(), a, now())).monetary, 1::float8, 'ten times 0.1 is 1') FROM unnest(array_fill(0.1::float8, '{10}')) a;
SELECT is((rfm(1, now(), a, now())).monetary, 1e-300::float8, 'large and small')
FROM unnest('{1e308,1e308,1e-300,-1e308,-1e308,5,-5}'::float8[]) a;
SELECT is((rfm(1, now(), a, now())).monetary, sum(a)::float8, 'numerics of any size')
FROM unnest('{1e30,1e-30,123456789012345678901234567890.123456789,-1e30,0.33333333333333333333333333,5,1e400,-1e400}'::numeric[]) a;
SELECT is(count(DISTINCT (r).monetary), 1::bigint, 'the order of rows does not matter')
FROM (SELECT rfm(1, now(), a::float8 / 7, now() ORDER BY hashint4(a # seed)) r
    FROM generate_series(1, 1000) a, generate_series(1, 20) seed GROUP BY seed) x;

-- ---- parallel = serial

CREATE TABLE purchase_lines AS
SELECT customer_id, order_id, 'order-' || order_id AS order_name, order_id::numeric AS order_number, purchased_at,
    amount, amount::float8 / 7 * CASE WHEN purchase_id % 1000 = 0 THEN 1e-12 ELSE 1 END AS price, amount / 7 AS share
FROM generate_synthetic_purchases(40000, 300, 20);
ANALYZE purchase_lines;

CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text := '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        result := result || line || E'\n';
    END LOOP;
    RETURN result;
END $$;
CREATE FUNCTION pg_temp.go_parallel(yes boolean) RETURNS void LANGUAGE sql AS $$
    SELECT set_config('parallel_setup_cost', CASE WHEN yes THEN '0' ELSE '1000' END, true),
        set_config('parallel_tuple_cost', CASE WHEN yes THEN '0' ELSE '0.1' END, true),
        set_config('min_parallel_table_scan_size', CASE WHEN yes THEN '0' ELSE '8MB' END, true),
        set_config('max_parallel_workers_per_gather', CASE WHEN yes THEN '3' ELSE '0' END, true);
$$;
CREATE TEMP TABLE queries (n int, query text);
INSERT INTO queries VALUES
    (1, $$SELECT customer_id, (rfm(order_id, purchased_at, price, '2030-01-01')).* FROM purchase_lines GROUP BY customer_id$$),
    (2, $$SELECT customer_id, (rfm(order_name, purchased_at, amount, '2030-01-01')).* FROM purchase_lines GROUP BY customer_id$$),
    (3, $$SELECT customer_id, (rfm(order_number, purchased_at, share, '2030-01-01')).* FROM purchase_lines GROUP BY customer_id$$),
    (4, $$SELECT 0, (rfm(order_id, purchased_at, price, '2030-01-01')).* FROM purchase_lines$$),
    (5, $$SELECT 0, (rfm(order_name, purchased_at, share, '2030-01-01')).* FROM purchase_lines$$),
    (6, $$SELECT 0, (rfm(order_number, purchased_at, amount, '2030-01-01')).* FROM purchase_lines$$);
CREATE TEMP TABLE results (n int, plan text, customer_id int, values rfm_values);
CREATE FUNCTION pg_temp.run(kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE q record;
BEGIN
    FOR q IN SELECT * FROM queries LOOP
        EXECUTE format('INSERT INTO results SELECT %s, %L, c, ROW(r, f, m, a, z)::rfm_values FROM (%s) x(c, r, f, m, a, z)',
            q.n, kind, q.query);
    END LOOP;
END $$;
SELECT pg_temp.go_parallel(false) \g /dev/null
SELECT pg_temp.run('serial') \g /dev/null
SELECT unalike(pg_temp.plan_of(query), '%Gather%', 'query ' || n || ' is serial') FROM queries WHERE n = 1;
SELECT pg_temp.go_parallel(true) \g /dev/null
SELECT matches(pg_temp.plan_of(query), 'Finalize.*Aggregate.*Gather.*Partial.*Aggregate', 'query ' || n || ' is parallel')
FROM queries ORDER BY n;
-- INSERT does not run in parallel
CREATE FUNCTION pg_temp.run_parallel() RETURNS SETOF results LANGUAGE plpgsql AS $$
DECLARE q record;
BEGIN
    FOR q IN SELECT * FROM queries LOOP
        RETURN QUERY EXECUTE format('SELECT %s, ''parallel'', c, ROW(r, f, m, a, z)::rfm_values FROM (%s) x(c, r, f, m, a, z)',
            q.n, q.query);
    END LOOP;
END $$;
SELECT set_eq($$SELECT n, customer_id, values FROM pg_temp.run_parallel()$$,
    $$SELECT n, customer_id, values FROM results WHERE plan = 'serial'$$, 'parallel and serial plans give the same bits');
SELECT set_eq($$SELECT customer_id, (values).frequency, (values).monetary FROM results WHERE n = 3$$,
    'SELECT customer_id, count(DISTINCT order_id), sum(share)::float8 FROM purchase_lines GROUP BY 1',
    'and those of plain SQL');
SELECT is((SELECT rfm(upper(order_name) COLLATE pg_temp.any_case, purchased_at, price, '2030-01-01') FROM purchase_lines), values,
    'a collation without case in a parallel plan') FROM results WHERE n = 4 AND plan = 'serial';
SELECT is((SELECT rfm(ROW(order_id, order_name), purchased_at, price, '2030-01-01') FROM purchase_lines), values,
    'rows as orders in a parallel plan') FROM results WHERE n = 4 AND plan = 'serial';
SELECT throws_ok($$SELECT rfm(order_id, purchased_at, amount, CASE WHEN order_id < 12000 THEN '2030-01-01' ELSE '2031-01-01' END::timestamptz)
    FROM purchase_lines$$, '22023', 'rfm: as_of must be the same for every row of a group', 'as_of differs between workers');
SELECT pg_temp.go_parallel(false) \g /dev/null
SET LOCAL enable_hashagg = off;
SELECT set_eq((SELECT query FROM queries WHERE n = 2), $$
    SELECT customer_id, (values).* FROM results WHERE n = 2 AND plan = 'serial'$$, 'sorted groups');
SET LOCAL enable_hashagg = on;
SET LOCAL work_mem = '64kB';
SELECT set_eq((SELECT query FROM queries WHERE n = 1), $$
    SELECT customer_id, (values).* FROM results WHERE n = 1 AND plan = 'serial'$$, 'hashed groups that spill to disk');
RESET work_mem;
SELECT is((SELECT last_value FROM (SELECT (rfm(order_id, at, amount, '2024-12-31') OVER (ORDER BY at)).frequency AS last_value
    FROM lines WHERE at <= '2024-12-31' ORDER BY at DESC LIMIT 1) x), 16::bigint, 'as a window aggregate: running values');

-- ---- window function rfm_score

SELECT set_eq($$SELECT customer, (w).r, (w).f, (w).m, (w).code
        FROM (SELECT customer, rfm_score(recency, frequency, monetary) OVER () w FROM golden_scores) x$$,
    'SELECT customer, s[4] AS r, s[5] AS f, s[6] AS m, 100 * s[4] + 10 * s[5] + s[6] AS code FROM golden_scores',
    'rfm_score is what ranks in pandas say');
SELECT set_eq($$SELECT customer, rfm_score(recency, frequency, monetary) OVER (ORDER BY monetary DESC) FROM golden_scores$$,
    'SELECT customer, rfm_score(recency, frequency, monetary) OVER () FROM golden_scores', 'ORDER BY has no effect');
SELECT is_empty($$SELECT frequency FROM (SELECT frequency, (rfm_score(recency, frequency, monetary) OVER ()).f FROM golden_scores) x
    GROUP BY 1 HAVING count(DISTINCT f) > 1$$, 'ties are equal');
SELECT set_eq($$SELECT customer, (w).r, (w).f, (w).m FROM (SELECT customer, customer % 7 AS region,
        rfm_score(recency, frequency, monetary) OVER (PARTITION BY customer % 7) w FROM golden_scores) x$$,
    $$SELECT a.customer, 1 + (5 * count(*) FILTER (WHERE b.recency > a.recency) / count(*))::int AS r,
        1 + (5 * count(*) FILTER (WHERE b.frequency < a.frequency) / count(*))::int AS f,
        1 + (5 * count(*) FILTER (WHERE b.monetary < a.monetary) / count(*))::int AS m
    FROM golden_scores a JOIN golden_scores b ON a.customer % 7 = b.customer % 7 GROUP BY a.customer$$,
    'partitions: 1 + floor(5 * worse / n), counted');
SELECT results_eq($$SELECT (rfm_score(r, f, m) OVER ()).code FROM (VALUES (1, 5, 50), (2, 4, 40), (3, 3, 30), (4, 2, 20), (5, 1, 10)) x(r, f, m)$$,
    'VALUES (555), (444), (333), (222), (111)', 'five customers');
SELECT results_eq($$SELECT n, (rfm_score(r, 1, m) OVER ()).code FROM (VALUES (1, 1, 5::float8), (2, NULL, 4), (3, 2, 'NaN'), (4, 3, 1)) x(n, r, m)$$,
    'VALUES (1, 313), (2, NULL), (3, NULL), (4, 111)', 'rows with NULL or NaN have no score and do not count');
SELECT is_empty('SELECT rfm_score(1, 1, 1) OVER () FROM lines WHERE false', 'no rows');
SELECT results_eq('SELECT rfm_score(NULL, 1, 1) OVER () FROM generate_series(1, 2)', 'VALUES (NULL::rfm_scores), (NULL)', 'NULL only');
SELECT is((SELECT rfm_score(1, 1, 1) OVER ()), ROW(1, 1, 1, 111, 'Lost')::rfm_scores, 'one row is better than none');
SELECT throws_ok($$SELECT rfm_score(1, 'infinity', 1) OVER ()$$, '22003', 'rfm_score: frequency is infinite', 'infinity');
SELECT throws_ok('SELECT rfm_score(1, 1, 1)', '42809', NULL, 'it needs OVER');

-- ---- rfm_fit and rfm_score(model, ...)

CREATE TEMP TABLE models AS
SELECT rfm_fit(recency, frequency, monetary) AS model, rfm_fit(recency, frequency, monetary, '{"bins": 3}') AS model3,
    rfm_fit(recency, frequency, monetary, '{"bins": 10}') AS model10,
    rfm_fit(recency, frequency, monetary, '{"segments": {"VIP": ["555", "5 4-5 5"], "Asleep": "1**"}}') AS named
FROM golden_scores;

SELECT set_eq('SELECT customer, rfm_score(model, recency, frequency, monetary) FROM golden_scores, models',
    'SELECT customer, rfm_score(recency, frequency, monetary) OVER () FROM golden_scores',
    'a model gives the scores of the window function');
SELECT set_eq('SELECT customer, (rfm_score(model10, recency, frequency, monetary)).code FROM golden_scores, models',
    'SELECT customer, 10000 * s[7] + 100 * s[8] + s[9] FROM golden_scores', 'ten bins');
SELECT set_eq('SELECT customer, (rfm_score(model3, recency, frequency, monetary)).code FROM golden_scores, models',
    'SELECT customer, 100 * s[1] + 10 * s[2] + s[3] FROM golden_scores', 'three bins');
SELECT set_eq('SELECT predict(model, g) FROM golden_scores g, models',
    'SELECT (rfm_score(model, recency, frequency, monetary)).code FROM golden_scores, models', 'predict gives the code');
SELECT is((SELECT rfm_fit(recency, frequency, monetary ORDER BY monetary) FROM golden_scores), model,
    'the order of rows does not change the bytes') FROM models;
SELECT pg_temp.go_parallel(true) \g /dev/null
CREATE TABLE scored AS SELECT * FROM golden_scores;
ANALYZE scored;
SELECT matches(pg_temp.plan_of('SELECT rfm_fit(recency, frequency, monetary) FROM scored'),
    'Finalize.*Partial', 'rfm_fit runs in parallel');
SELECT is((SELECT rfm_fit(recency, frequency, monetary) FROM scored), model, 'with the same bytes') FROM models;
SELECT pg_temp.go_parallel(false) \g /dev/null
SELECT results_eq($$SELECT (rfm_score(model, r, 1000, 1000)).code FROM models, (VALUES (0), (1000000)) x(r)$$,
    'VALUES (555), (155)', 'values beyond the training rows');
SELECT is(rfm_score(model, 1, NULL, 1), NULL, 'NULL has no score') FROM models;
SELECT is(rfm_score(model, 1, 'NaN', 1), NULL, 'nor has NaN') FROM models;
SELECT throws_ok($$SELECT rfm_score(model, 1, 1, '-infinity') FROM models$$, '22003', 'rfm_score: monetary is infinite', 'infinity');
SELECT throws_ok($$SELECT rfm_score('\x00', 1, 1, 1)$$, 'XX001', NULL, 'damaged bytes');
SELECT throws_ok($$SELECT rfm_score((SELECT kmeans_fit(g, 2, '{"exclude": ["s"]}') FROM golden_scores g), 1, 1, 1)$$, '22023', NULL, 'another model');
SELECT is((SELECT rfm_fit(1, 1, 1) FROM lines WHERE false), NULL, 'no rows, no model');
SELECT is((SELECT rfm_fit(NULL, 1, 1)), NULL, 'no complete rows, no model');
SELECT is(model_info(rfm_fit(r, 1, 1)) -> 'skipped', '2', 'incomplete rows are skipped')
FROM (VALUES (1::float8), (NULL), ('NaN'), (2)) x(r);
SELECT throws_ok($$SELECT rfm_fit('infinity', 1, 1)$$, '22003', 'rfm_fit: recency is infinite', 'infinity in the fit');
SELECT is(count(DISTINCT rfm_fit), 7::bigint, 'a model per group')
FROM (SELECT rfm_fit(recency, frequency, monetary) FROM golden_scores GROUP BY customer % 7) x;
SELECT is(model_info(model) -> 'cuts', (SELECT jsonb_build_object(
        'recency', percentile_disc('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY recency DESC),
        'frequency', percentile_disc('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY frequency),
        'monetary', percentile_disc('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY monetary)) FROM golden_scores),
    'model_info shows the cut points, which are those of percentile_disc') FROM models;
SELECT is((SELECT sum(value::int) FROM jsonb_each(model_info(model) -> 'segments')), 503::bigint, 'and the sizes of the segments')
FROM models;
SELECT is((model_info(model10) #>> '{options,bins}')::int, 10, 'and the options') FROM models;

-- ---- segments

SELECT is(count(DISTINCT code), 125::bigint, 'all 125 codes') FROM rfm_segments()
WHERE segment <> '' AND description <> '' AND lever <> '' AND code::text ~ '^[1-5]{3}$';
SELECT set_eq('SELECT segment FROM rfm_segments()', $$VALUES ('Champions'), ('Loyal'), ('Potential Loyalists'), ('New'),
    ('Promising'), ('Need Attention'), ('About to Sleep'), ('At Risk'), ('Cannot Lose'), ('Hibernating'), ('Lost')$$,
    'in eleven segments');
SELECT results_eq('SELECT segment FROM rfm_segments() WHERE code IN (111, 555) ORDER BY code',
    $$VALUES ('Lost'), ('Champions')$$, '111 is Lost, 555 is Champions');
SELECT is(count(*), 11::bigint, 'one description and lever per segment')
FROM (SELECT DISTINCT segment, description, lever FROM rfm_segments()) x;
SELECT set_eq('SELECT s.* FROM models, rfm_segments(model) s', 'SELECT * FROM rfm_segments()', 'those of a plain model');
SELECT is(count(*), 1000::bigint, 'ten bins have 1000') FROM models, rfm_segments(model10);
SELECT set_eq($$SELECT code, segment, description FROM models, rfm_segments(named) WHERE code IN (555, 545, 544, 111, 155)$$,
    $$SELECT code, CASE WHEN code = 544 THEN 'Champions' WHEN code > 500 THEN 'VIP' ELSE 'Asleep' END AS segment,
        CASE WHEN code = 544 THEN description END AS description FROM rfm_segments() WHERE code IN (555, 545, 544, 111, 155)$$,
    'names of your own');
SELECT is((rfm_score(named, 0, 1e9, 1e9)).segment, 'VIP', 'which rfm_score gives') FROM models;
CREATE FUNCTION pg_temp.detail(options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    PERFORM rfm_fit(1, 1, 1, options);
    RETURN NULL;
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS result = PG_EXCEPTION_DETAIL;
    RETURN sqlerrm || ': ' || result;
END $$;
SELECT alike(pg_temp.detail('{"segments": {"A": "556"}}'), '%"556" has a monetary score that is not from 1 to 5%', 'a score out of range');
SELECT alike(pg_temp.detail('{"segments": {"A": "all"}}'), '%"all" is not a pattern of codes%', 'no pattern');
SELECT alike(pg_temp.detail('{"segments": {"A": 555}}'), '%The patterns of "A" are not texts%', 'no text');
SELECT alike(pg_temp.detail('{"segments": {"A": ["555", null]}}'), '%The patterns of "A" are not texts%', 'no texts');
SELECT alike(pg_temp.detail('{"segments": {"A": "55*", "B": "5 5 5"}}'), '%code 555 is in both "A" and "B"%', 'two names');
SELECT alike(pg_temp.detail('{"segments": []}'), '%must be an object%', 'no object');
SELECT alike(pg_temp.detail('{"bins": 11}'), '%an integer from 2 to 10%', 'too many bins');
SELECT alike(pg_temp.detail('{"quantiles": 4}'), '%has no option "quantiles"%', 'an unknown option');
SELECT is(pg_temp.detail(NULL), NULL, 'NULL options are the defaults');

SELECT * FROM finish();
ROLLBACK;
