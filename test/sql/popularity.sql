-- item_popularity: buyers, units, shares and ranks against plain SQL.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(34);

-- every third row has no rating, some have no user or no item; amounts are decimals whose float8 sums depend on the order
CREATE TABLE lines AS
SELECT i AS id, i % 4 AS region, nullif(i * 7919 % 101, 100)::bigint AS customer, nullif(i * 31 % 37, 36)::bigint - 5 AS product,
    CASE WHEN i % 3 > 0 THEN (i * 17 % 1001) / 100.0::float8 - 1 END AS amount
FROM generate_series(1, 5000) i;

-- ---- against plain SQL
CREATE VIEW wanted AS
SELECT product, count(*) AS rows, count(DISTINCT customer) AS customers, coalesce(sum(amount::numeric), 0)::float8 AS units FROM lines WHERE product IS NOT NULL GROUP BY product;
CREATE VIEW popular AS SELECT p.* FROM (SELECT item_popularity(product, amount) AS items FROM lines) s, unnest(items) WITH ORDINALITY p (item_id, buyers, units, share, rank, i);
SELECT is((SELECT count(*) FROM popular), (SELECT count(*) FROM wanted), 'an element for each item');
SELECT is((SELECT count(*) FROM popular p JOIN wanted w ON product = item_id WHERE p.buyers = w.rows AND abs(p.units - w.units) < 1e-11), 36::bigint, 'each row is a buyer; units are sums');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM popular), (SELECT array_agg(item_id ORDER BY buyers DESC, units DESC, item_id) FROM popular), 'rank: buyers, units, id');
SELECT ok((SELECT bool_and(rank = i) FROM popular), 'elements in order of rank, from 1 on');
SELECT ok((SELECT abs(sum(share) - 1) < 1e-12 AND bool_and(abs(share - units / (SELECT sum(units) FROM wanted)) < 1e-12) FROM popular), 'shares of all units');

CREATE VIEW by_user AS SELECT p.* FROM (SELECT item_popularity(customer, product, amount) AS items FROM lines) s, unnest(items) p;
SELECT is((SELECT count(*) FROM by_user p JOIN wanted w ON product = item_id WHERE p.buyers = w.customers), 36::bigint, 'distinct customers where they are given');
SELECT ok((SELECT bool_and(abs(p.units - w.units) < 1e-11) FROM by_user p
        JOIN (SELECT product, sum(amount::numeric)::float8 AS units FROM lines WHERE customer IS NOT NULL GROUP BY product) w ON product = item_id), 'and units of all their rows');
SELECT is((SELECT array_agg(item_id ORDER BY rank) FROM by_user), (SELECT array_agg(item_id ORDER BY buyers DESC, units DESC, item_id) FROM by_user), 'rank by distinct customers');

-- ---- text
SELECT is((SELECT array_agg((p.item_id, p.buyers, p.units, p.share, p.rank)::text ORDER BY rank) FROM (SELECT item_popularity(product::text, amount) AS items FROM lines) s, unnest(items) p WHERE buyers > 138),
    (SELECT array_agg((p.item_id, p.buyers, p.units, p.share, p.rank)::text ORDER BY rank) FROM popular p WHERE buyers > 138), 'text: the same numbers');
SELECT is((SELECT item_popularity(customer::text, product::text, amount)::text FROM lines WHERE customer = 5 AND product = 3), (SELECT item_popularity(customer, product, amount)::text FROM lines WHERE customer = 5 AND product = 3),
    'text with users');
SELECT is((SELECT array_agg(p.item_id ORDER BY rank) FROM (SELECT item_popularity(x, 1) AS items FROM unnest('{b,a,B,é,"",abcdefghj,abcdefghi}'::text[]) x) s, unnest(items) p), '{"",B,a,abcdefghi,abcdefghj,b,é}', 'ties in order of bytes');
SELECT is((SELECT item_popularity('x'::varchar(9), 2)::text), '{"(x,1,2,1,1)"}', 'varchar; one row');
SELECT is((SELECT pg_typeof(item_popularity('x'::text, 2))::text), 'popularity_text[]', 'type of text');
SELECT is((SELECT pg_typeof(item_popularity(1, 2))::text), 'popularity[]', 'type of bigint; int is cast');

-- ---- by hand
SELECT is((SELECT item_popularity(i, r)::text FROM (VALUES (7, 2.5), (7, NULL), (8, 5), (8, 'NaN'), (9, 10), (NULL, 99)) v (i, r)), '{"(8,2,5,0.2857142857142857,1)","(7,2,2.5,0.14285714285714285,2)","(9,1,10,0.5714285714285714,3)"}',
    'NULL and NaN are a buyer with no units; no item is no row');
SELECT is((SELECT item_popularity(u, i, r)::text FROM (VALUES (1, 7, 1), (1, 7, 1), (1, 8, 1), (2, 8, NULL), (NULL, 7, 50), (3, NULL, 50)) v (u, i, r)), '{"(8,2,1,0.3333333333333333,1)","(7,1,2,0.6666666666666666,2)"}', 'no user is no row');
SELECT is((SELECT item_popularity(i, r)::text FROM (VALUES (1, 5), (2, -5)) v (i, r)), '{"(1,1,5,,1)","(2,1,-5,,2)"}', 'no share of nothing');
SELECT is((SELECT item_popularity(9223372036854775807, 1)::text), '{"(9223372036854775807,1,1,1,1)"}', 'the largest id');
SELECT is((SELECT item_popularity(1::bigint, r)::text FROM unnest('{1e300,1,-1e300,1e-300,1}'::float8[]) r), '{"(1,5,2,1,1)"}', 'sums are exact');

-- ---- NULL, groups, windows
SELECT ok((SELECT item_popularity(product, amount) IS NULL AND item_popularity(customer, product, amount) IS NULL AND item_popularity('a'::text, amount) IS NULL FROM lines WHERE false), 'NULL for no rows');
SELECT ok(item_popularity(NULL::bigint, 1) IS NULL AND item_popularity(NULL::bigint, 1::bigint, 1) IS NULL, 'NULL when none is left');
SELECT is((SELECT item_popularity(product, amount)::text FROM lines WHERE region = 2), (SELECT x::text FROM (SELECT region, item_popularity(product, amount) AS x FROM lines GROUP BY region) s WHERE region = 2), 'groups');
SELECT is((SELECT array_agg(n ORDER BY id) FROM (SELECT id, cardinality(item_popularity(product, amount) OVER (ORDER BY id)) AS n FROM lines WHERE id <= 3) s), '{1,2,3}', 'as a window aggregate');
SELECT is((SELECT item_popularity(product, amount ORDER BY id DESC)::text FROM lines), (SELECT item_popularity(product, amount)::text FROM lines), 'the order of rows does not matter');
SELECT is((SELECT item_popularity(customer, product, amount ORDER BY amount)::text FROM lines), (SELECT item_popularity(customer, product, amount)::text FROM lines), 'nor with users');

-- ---- parallel = serial
CREATE TABLE many AS SELECT i % 5 AS g, i * 7919 % 2003 AS u, i * 31 % 997 AS p, (i % 1000) * power(10, i % 41 - 20) AS r FROM generate_series(1, 60000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE FUNCTION pg_temp.all_forms() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(concat_ws(';', item_popularity(p, r), item_popularity(p::text, r), item_popularity(u, p, r), item_popularity('u' || u, 'p' || p, r))) FROM many $$;
CREATE FUNCTION pg_temp.all_groups() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT md5(string_agg(x, ';' ORDER BY g)) FROM (SELECT g, concat_ws(';', item_popularity(p, r), item_popularity('u' || u, 'p' || p, r)) AS x FROM many GROUP BY g) s $$;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT pg_temp.all_forms() AS whole, pg_temp.all_groups() AS groups;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; result text = '';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP result = result || line; END LOOP;
    RETURN result;
END $$;
SELECT matches(pg_temp.plan_of('SELECT item_popularity(p, r), item_popularity(p::text, r), item_popularity(u, p, r), item_popularity(u::text, p::text, r) FROM many'),
    '^Finalize Aggregate.*Gather.*Partial Aggregate.*Parallel Seq Scan', 'all of them run in workers');
SELECT is(pg_temp.all_forms(), (SELECT whole FROM serial), 'with the same results');
SELECT is(pg_temp.all_groups(), (SELECT groups FROM serial), 'groups too');
SET LOCAL enable_hashagg = off;
SELECT is(pg_temp.all_groups(), (SELECT groups FROM serial), 'also when groups are sorted');
SET LOCAL enable_hashagg = on;

-- ---- errors
SELECT throws_ok('SELECT item_popularity(1::bigint, ''Infinity'')', '22003', 'item_popularity: rating is infinite', 'infinity');
SELECT throws_ok('SELECT item_popularity(1::bigint, 2::bigint, ''-Infinity'')', '22003', 'item_popularity: rating is infinite', 'and the other one');
SELECT throws_ok('SELECT item_popularity(i, 1.7e308) FROM unnest(''{3,4,4}''::bigint[]) i', '22023', 'item_popularity: the units of item 4 are beyond the range of float8', 'units beyond float8');
SELECT throws_ok('SELECT item_popularity(i, 1.7e308) FROM unnest(''{3,4}''::bigint[]) i', '22023', 'item_popularity: the units of all items are beyond the range of float8', 'all of them together');
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_like('SELECT item_popularity(i, 1) FROM generate_series(1, 100000) i', 'item_popularity needs % MB, retailml.max_memory is 1 MB', 'more items than retailml.max_memory holds');

SELECT * FROM finish();
ROLLBACK;
