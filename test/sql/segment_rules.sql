\set ECHO none
\pset format unaligned
\pset tuples_only on
-- segment_rules: every predicate is run, and must select what the rule says it does.
-- How good rules are is tested by test/unit/test_segment_rules.c.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(65);

CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- the rules of a table whose column "cluster" is the label
CREATE FUNCTION pg_temp.rules(source text, options jsonb DEFAULT '{}') RETURNS SETOF segment_rule LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT r.* FROM (SELECT segment_rules(t, t.cluster, %L) AS rules FROM %s t) x, unnest(rules) r',
        '{"exclude": ["cluster"]}'::jsonb || options, source);
END $$;

-- rules that are not what running their predicate gives (precision, recall, n and f1 exactly), as text
CREATE FUNCTION pg_temp.untrue(source text, rules segment_rule[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    rule segment_rule; n bigint; hits bigint; size bigint;
BEGIN
    FOREACH rule IN ARRAY rules LOOP
        EXECUTE format('SELECT count(*) FILTER (WHERE %s), count(*) FILTER (WHERE (%1$s) AND cluster = $1), count(*) FILTER (WHERE cluster = $1)
            FROM %s t WHERE cluster IS NOT NULL', rule.predicate, source) USING rule.cluster INTO n, hits, size;
        IF rule.n IS DISTINCT FROM n OR rule.precision IS DISTINCT FROM hits::float8 / nullif(n, 0) OR
            rule.recall IS DISTINCT FROM hits::float8 / size OR rule.f1 IS DISTINCT FROM 2 * hits::float8 / (n + size) THEN
            RETURN NEXT format('%s: %s selects %s, %s of %s', source, rule, n, hits, size);
        END IF;
    END LOOP;
END $$;
CREATE FUNCTION pg_temp.untrue_of(source text, options jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE sql AS
$$SELECT pg_temp.untrue(source, array_agg(r)) FROM pg_temp.rules(source, options) r$$;

-- ---------------------------------------------------------------- what rules look like
CREATE TYPE channel AS ENUM ('web', 'store', 'it''s "both"');
CREATE TABLE customers AS
SELECT i AS customer_id, (i * 377) % 991 % 200 AS recency_days, 1 + i % 10 AS orders, ((i * 7919) % 100000 / 100.0)::numeric(12,2) AS "Total Spend",
    i / 150 % 4 = 0 AS member, (ARRAY['north', 'south', 'east', 'west', NULL])[1 + i / 10 % 5] AS region,
    (ARRAY['web', 'store', 'it''s "both"'])[1 + i / 50 % 3]::channel AS channel, CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 31 % 97)::float8 END AS score
FROM generate_series(1, 1000) i;
CREATE FUNCTION pg_temp.rule_for(condition text, options jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    predicate text;
BEGIN
    EXECUTE format('SELECT string_agg(r.predicate || CASE WHEN r.f1 = 1 THEN '''' ELSE '' (not exact)'' END, '''') FROM (SELECT segment_rules(t, (%s)::int, %L) AS rules FROM customers t) x,
        unnest(rules) r WHERE r.cluster = 1', condition, '{"exclude": ["customer_id"]}'::jsonb || options) INTO predicate;
    RETURN predicate;
END $$;
SELECT is(pg_temp.rule_for('recency_days > 90 AND orders <= 2'), 'recency_days > 90 AND orders <= 2', 'two bounds');
SELECT is(pg_temp.rule_for('recency_days > 20 AND recency_days <= 60'), 'recency_days > 20 AND recency_days <= 60', 'both on one column');
SELECT is(pg_temp.rule_for('member AND orders > 4'), 'orders > 4 AND member', 'a boolean, in the order of columns');
SELECT is(pg_temp.rule_for('NOT member AND orders > 4'), 'orders > 4 AND NOT member', 'its opposite');
SELECT is(pg_temp.rule_for('"Total Spend" > 500'), '"Total Spend" > 500', 'a name that needs quotes');
SELECT is(pg_temp.rule_for($$COALESCE(region = 'south', false)$$), $$region = 'south'$$, 'a category');
SELECT is(pg_temp.rule_for($$COALESCE(region IN ('south', 'east'), false)$$), $$region IN ('east', 'south')$$, 'two, by name');
SELECT is(pg_temp.rule_for('region IS NULL'), 'region IS NULL', 'a missing one');
SELECT is(pg_temp.rule_for($$COALESCE(region = 'south', true)$$), $$(region = 'south' OR region IS NULL)$$, 'one or missing');
SELECT is(pg_temp.rule_for($$channel = 'it''s "both"' AND orders <= 3$$), $$orders <= 3 AND channel = 'it''s "both"'$$, 'an enum');
SELECT is(pg_temp.rule_for($$COALESCE(region <> 'south', false)$$, '{"max_values": 1}'), $$region <> 'south'$$, 'all but one');
SELECT is(pg_temp.rule_for('customer_id = 7', '{"max_conditions": 1}') ~ 'not exact', true, 'the best there is at max_conditions');
SELECT is(pg_temp.rule_for('true'), 'true', 'one cluster is all rows');
SELECT is(pg_temp.rule_for('recency_days > 90 OR customer_id % 2 = 1', '{"min_gain": 0.3}'), 'true (not exact)', 'conditions that gain too little are left out');

-- ---------------------------------------------------------------- golden: by construction
CREATE TABLE thirds AS SELECT i / 50 AS cluster, i::float8 / 10 AS x, (i % 7)::float4 AS y FROM generate_series(0, 149) i;
SELECT results_eq($$SELECT cluster, predicate, precision, recall, n, f1, conditions FROM pg_temp.rules('thirds')$$,
    $$VALUES (0, 'x <= 4.9', 1::float8, 1::float8, 50::bigint, 1::float8, 1), (1, 'x > 4.9 AND x <= 9.9', 1, 1, 50, 1, 2), (2, 'x > 9.9', 1, 1, 50, 1, 1)$$,
    'every field');

-- ---------------------------------------------------------------- all types, odd names, odd values; random labels
CREATE DOMAIN money_amount AS numeric(12,2);
CREATE DOMAIN word AS text;
CREATE DOMAIN flag AS boolean;
CREATE TABLE odd (
    "Weird ""Name" float8, "select" int, "MixedCase" numeric(12,2), f4 float4, i2 int2, i8 int8, "order" numeric, "user" bool, "tab	le" text,
    v varchar(20), c char(6), e channel, d money_amount, w word, fl flag, constant int, empty float8, "no text" text, nan float8, nan4 float4, nannum numeric, tiny float8,
    huge float8, big int8, thirds numeric, "über" int, long_number numeric, cluster int);
CREATE FUNCTION pg_temp.maybe(x anyelement, share float8 DEFAULT 0.1) RETURNS anyelement LANGUAGE sql VOLATILE AS $$SELECT CASE WHEN random() >= share THEN x END$$;
CREATE FUNCTION pg_temp.fill(seed float8, n int) RETURNS void LANGUAGE plpgsql AS $fill$
BEGIN
    PERFORM setseed(seed);
    TRUNCATE odd;
    INSERT INTO odd SELECT
        pg_temp.maybe(random() * 2e3 - 1e3), pg_temp.maybe((random() * 20 - 10)::int), pg_temp.maybe((random() * 1e5 - 5e4)::numeric(12,2)), pg_temp.maybe((random() * 10)::float4),
        pg_temp.maybe((random() * 60000 - 30000)::int2), pg_temp.maybe((random() * 1e6)::int8), pg_temp.maybe(round((random() * 100)::numeric, 4)), pg_temp.maybe(random() < 0.4),
        pg_temp.maybe((ARRAY['a', 'a ', 'a  ', 'it''s', 'back\slash', 'both\''', '', 'new
line', '"quoted"', 'NULL', 'ü'])[1 + floor(random() * 11)::int]),
        pg_temp.maybe((ARRAY['x', 'x ', 'y', '%', '$$'])[1 + floor(random() * 5)::int]), pg_temp.maybe((ARRAY['p', 'p q', 'r'])[1 + floor(random() * 3)::int]),
        pg_temp.maybe((enum_range(NULL::channel))[1 + floor(random() * 3)::int]), pg_temp.maybe((random() * 1000)::money_amount),
        pg_temp.maybe((ARRAY['one', 'two', 'three'])[1 + floor(random() * 3)::int]::word), pg_temp.maybe((random() < 0.7)::flag), 3, NULL, NULL,
        pg_temp.maybe(CASE WHEN random() < 0.2 THEN 'NaN' ELSE random() * 100 END), pg_temp.maybe(CASE WHEN random() < 0.2 THEN 'NaN' ELSE random() * 100 END::float4),
        pg_temp.maybe(CASE WHEN random() < 0.2 THEN 'NaN' ELSE (random() * 100)::numeric(6,1) END),
        (random() - 0.5) * 1e-310, (random() - 0.5) * 1e308, 9223372036854775807 - (random() * 20000)::int8, (random() * 30)::int / 3.0,
        (random() * 5)::int, 12345678901234567890.12345 + (random() * 50)::int / 1e5, NULL
    FROM generate_series(1, n);
    -- what the clusters have to do with the columns changes from fill to fill
    UPDATE odd SET cluster = CASE WHEN random() < 0.1 THEN floor(random() * 5)::int - 1
        WHEN seed < 0.1 THEN (COALESCE("Weird ""Name", 0) > 100)::int + 2 * (nan > 40 OR nan IS NULL)::int
        WHEN seed < 0.2 THEN ("tab	le" IN ('it''s', 'back\slash', 'a '))::int + 2 * (f4 > 5)::int
        WHEN seed < 0.3 THEN (big > 9223372036854770000)::int + (thirds > 3)::int
        WHEN seed < 0.4 THEN (tiny > 1e-311)::int + 2 * (huge <= -1e307)::int
        WHEN seed < 0.5 THEN (nannum > 50)::int + 2 * (nan4 > 30)::int
        WHEN seed < 0.6 THEN (e = 'web' OR e IS NULL)::int + 2 * (c = 'p q')::int
        WHEN seed < 0.7 THEN ("MixedCase" > 12000)::int + (d <= 300)::int + (v = 'x ')::int
        WHEN seed < 0.8 THEN (w = 'two')::int * 3 + ("user" AND fl)::int
        WHEN seed < 0.9 THEN (long_number > 12345678901234567890.1236)::int + (i2 > 0)::int
        ELSE ("select" > -3)::int + (i8 > 400000)::int + ("order" <= 33.3333)::int END;
END $fill$;
CREATE TABLE seen (predicate text);
CREATE FUNCTION pg_temp.try(seed float8, n int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_temp.fill(seed, n);
    INSERT INTO seen SELECT r.predicate FROM pg_temp.rules('odd') r;
    RETURN QUERY SELECT * FROM pg_temp.untrue_of('odd');
    RETURN QUERY SELECT * FROM pg_temp.untrue_of('odd', '{"min_gain": 0, "max_conditions": 5, "max_values": 50}');
    RETURN QUERY SELECT * FROM pg_temp.untrue_of('odd', '{"max_conditions": 1}');
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.try(%s, %s)', seed, n), format('every predicate selects what it says, seed %s, %s rows', seed, n))
FROM (SELECT round(s / 10.0 + 0.05, 2) AS seed, 300 + s * 50 AS n FROM generate_series(0, 9) s) x ORDER BY seed;
SELECT is_empty(format('SELECT * FROM pg_temp.try(0.%s1, 30)', s), format('and where rows are few, seed 0.%s1', s)) FROM generate_series(0, 9) s;
SELECT ok((SELECT count(DISTINCT predicate) FROM seen WHERE predicate ~ pattern) > 0, 'seen: ' || pattern)
FROM unnest(ARRAY['"Weird ""Name" > ', '<> ''NaN''', 'E''back', ' IS NULL', ' NOT IN \(|<> ''', 'NOT "?(user|fl)', '''a ''', '[0-9]e-', '[0-9]e\+', '"MixedCase"']) pattern;

-- a collation that calls 'a' and 'A' equal, where there is ICU
DO $$ BEGIN
    CREATE COLLATION pg_temp.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN OTHERS THEN
    CREATE COLLATION pg_temp.loose FROM "C";
END $$;
CREATE TABLE letters (letter text COLLATE pg_temp.loose, cluster int);
INSERT INTO letters SELECT (ARRAY['a', 'A', 'b', NULL])[1 + i % 4], (i % 4 = 0)::int + 2 * (i % 4 = 3)::int FROM generate_series(1, 100) i;
SELECT is_empty($$SELECT pg_temp.untrue_of('letters')$$, 'texts of different bytes are different, whatever the collation says');

-- ---------------------------------------------------------------- NULL labels, noise, few rows, none
CREATE TABLE plain AS SELECT i AS x, CASE WHEN i % 10 = 0 THEN NULL WHEN i % 7 = 0 THEN -1 ELSE (i > 60)::int END AS cluster FROM generate_series(1, 100) i;
SELECT is(array_agg(r.predicate || ' ' || r.n ORDER BY cluster), '{x <= 60 54,x > 60 36}', 'NULL is left out, noise (-1) is outside of all') FROM pg_temp.rules('plain') r;
SELECT is_empty($$SELECT * FROM pg_temp.untrue_of('plain')$$, 'and counts as selected');
SELECT is(segment_rules(p, p.cluster), NULL, 'no rows') FROM plain p WHERE false;
SELECT is(segment_rules(p, NULL), NULL, 'no labels') FROM plain p;
SELECT is(segment_rules(NULL::plain, 1), NULL, 'NULL rows') FROM plain p;
SELECT is(segment_rules(p, -1), '{}', 'noise alone') FROM plain p;
SELECT is((SELECT r FROM unnest(segment_rules(p, 3)) r), '(3,true,1,1,1,1,0)'::segment_rule, 'one row') FROM plain p WHERE x = 5;

-- ---------------------------------------------------------------- arrays
CREATE TABLE arrays AS SELECT ARRAY[i, CASE WHEN i % 9 = 0 THEN 'NaN' WHEN i % 8 = 0 THEN NULL ELSE (i * 7 % 50)::float8 END] AS x, COALESCE(i > 30 AND i * 7 % 50 > 20 AND i % 9 > 0 AND i % 8 > 0, false)::int AS cluster FROM generate_series(1, 200) i;
SELECT is_empty($$SELECT pg_temp.untrue('arrays', segment_rules(x, cluster)) FROM arrays$$, 'arrays, in which NaN is not above a bound');
SELECT is((SELECT string_agg(r.predicate, '') FROM unnest(segment_rules(x, cluster)) r WHERE r.cluster = 1), $$x[1] > 30 AND x[2] > 20 AND x[2] <> 'NaN'$$, 'their elements')
FROM arrays;

-- ---------------------------------------------------------------- GROUP BY, plans, order
SELECT is(array_agg(g || ': ' || r.predicate ORDER BY g, r.cluster), '{1: x <= 60,1: x > 60,2: x <= 160,2: x > 160}', 'rules for each group')
FROM (SELECT g, segment_rules(p, cluster, '{"features": ["x"]}') AS rules FROM (SELECT g, x + 100 * g - 100 AS x, cluster FROM plain, generate_series(1, 2) g) p GROUP BY g) s, unnest(rules) r;
CREATE TABLE many AS
SELECT i, (i * 7919::bigint) % 100003 AS a, ((i * 104729::bigint) % 10007)::float4 AS b, CASE WHEN i % 11 = 0 THEN NULL ELSE 'c' || i % 17 END AS c,
    CASE WHEN i % 13 = 0 THEN 'NaN' ELSE (i % 1000) / 7.0 END::float8 AS d, ((i * 7919::bigint) % 100003 > 60000)::int + 2 * (i % 17 < 5)::int AS cluster
FROM generate_series(1, 90000) i;
ANALYZE many;
CREATE TABLE answers (plan text, rules segment_rule[]);
SET LOCAL max_parallel_workers_per_gather = 0;
INSERT INTO answers SELECT 'serial', segment_rules(m, cluster, '{"exclude": ["cluster", "i"]}') FROM many m;
INSERT INTO answers SELECT 'reverse', segment_rules(m, cluster, '{"exclude": ["cluster", "i"]}') FROM (SELECT * FROM many ORDER BY i DESC) m;
SET LOCAL retailml.threads = 1;
INSERT INTO answers SELECT 'one thread', segment_rules(m, cluster, '{"exclude": ["cluster", "i"]}') FROM many m;
RESET retailml.threads;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
INSERT INTO answers SELECT 'parallel', segment_rules(m, cluster, '{"exclude": ["cluster", "i"]}') FROM many m;
SELECT is((SELECT count(DISTINCT rules) FROM answers), 1::bigint, 'the same rules serial, parallel, in another order, with one thread');
SELECT is_empty($$SELECT pg_temp.untrue('many', rules) FROM answers WHERE plan = 'parallel'$$, 'true ones, where the search sees a sample');

-- ---------------------------------------------------------------- notices and errors
SELECT is((SELECT count(*) FROM (SELECT segment_rules(p, cluster) AS rules FROM plain p) x, unnest(rules) r WHERE r.predicate ~ 'cluster'), 0::bigint,
    'a column that is the cluster itself is not used');
SELECT is(pg_temp.complaint($$SELECT segment_rules(p, cluster, '{"max_condition": 3}') FROM plain p$$),
    '22023 | segment_rules has no option "max_condition" | Valid options are: features, exclude, max_categories, max_conditions, max_values, min_gain.', 'unknown option');
SELECT is(pg_temp.complaint($$SELECT segment_rules(p, cluster, '{"max_conditions": 9}') FROM plain p$$),
    '22023 | option "max_conditions" of segment_rules must be an integer from 1 to 8 | It is 9.', 'out of range');
SELECT is(pg_temp.complaint($$SELECT segment_rules(p, x) FROM (SELECT i AS x FROM generate_series(1, 1001) i) p$$),
    '22023 | segment_rules: the labels are 1001 different numbers, rules are made for 1000 at most', 'labels that are a key');
SELECT is(pg_temp.complaint($$SELECT segment_rules(p, 1) FROM (SELECT now() AS at) p$$),
    '42804 | column "at" is of type timestamp with time zone, which segment_rules cannot use | Derive a number from it, or leave it out with the option {"exclude": ["at"]}.', 'a type that is no feature');
SELECT is(pg_temp.complaint($$SELECT segment_rules(p, 1) FROM (SELECT 'Infinity'::float8 AS x) p$$),
    '22003 | column "x" holds infinity | Replace it with NULL or a number before calling this function.', 'infinity');
SELECT is(pg_temp.complaint($$SELECT segment_rules(ARRAY[1, x], 1) FROM (VALUES (1.0::float8)) p (x)$$), 'none', 'a float8 array');

SELECT * FROM finish();
ROLLBACK;
