\set ECHO none
\pset format unaligned
\t on
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(25);
CALL generate_synthetic_store('shop', customers => 200, products => 30, purchases => 5000, seed => 7, start_date => '2021-01-01');
SELECT is((SELECT count(*) FROM shop.customers), 200::bigint, 'the store has its customers');
SELECT results_eq('SELECT * FROM shop.products', 'SELECT * FROM generate_synthetic_products(30, 7)', 'its products');
SELECT results_eq('SELECT * FROM shop.purchases',
    $$SELECT * FROM generate_synthetic_purchases(5000, 200, 30, 7, '2021-01-01')$$, 'and its purchases');
SELECT col_is_pk('shop', 'customers', 'customer_id', 'customers have a key');
SELECT col_is_pk('shop', 'products', 'product_id', 'products have a key');
SELECT col_is_pk('shop', 'purchases', 'purchase_id', 'purchases have a key');
SELECT fk_ok('shop', 'purchases', 'customer_id', 'shop', 'customers', 'customer_id');
SELECT fk_ok('shop', 'purchases', 'product_id', 'shop', 'products', 'product_id');
SELECT has_index('shop', 'purchases', 'purchases_customer_id_purchased_at_idx', ARRAY['customer_id', 'purchased_at'],
    'purchases are indexed by customer and time');
SELECT has_index('shop', 'purchases', 'purchases_product_id_idx', 'product_id', 'and by product');
SELECT col_type_is('shop', 'purchases', 'amount', 'numeric(12,2)', 'money is numeric(12,2)');
SELECT is_empty($$
    SELECT a.attrelid::regclass, a.attname FROM pg_attribute a
    WHERE a.attrelid = ANY ('{shop.customers, shop.products, shop.purchases}'::regclass[]) AND a.attnum > 0
        AND NOT (a.attnotnull AND col_description(a.attrelid, a.attnum) IS NOT NULL)$$,
    'every column is NOT NULL and has a comment');
SELECT matches(obj_description('shop.purchases'::regclass),
    $$generate_synthetic_store\('shop', customers => 200, products => 30, purchases => 5000, seed => 7, start_date => '2021-01-01', days => 730, repeat_rate => 0.3, signal => true\)$$,
    'the comment keeps the arguments');
SELECT is((SELECT reltuples::int FROM pg_class WHERE oid = 'shop.purchases'::regclass), 5000, 'statistics are fresh');
SELECT is_empty('SELECT FROM shop.purchases JOIN shop.customers USING (customer_id) WHERE purchased_at < signup_date',
    'nobody buys before signing up, wherever the window is');
SELECT throws_ok($$CALL generate_synthetic_store('shop')$$, '42P07',
    'generate_synthetic_store: relations already exist: shop.customers, shop.products, shop.purchases',
    'tables that exist are not touched');
DROP TABLE shop.purchases, shop.customers;
SELECT throws_ok($$CALL generate_synthetic_store('shop')$$, '42P07',
    'generate_synthetic_store: relations already exist: shop.products', 'not even one');
DROP TABLE shop.products;
SELECT lives_ok($$CALL generate_synthetic_store('shop', customers => 10, purchases => 0)$$, 'a schema that exists is used');
SELECT is((SELECT count(*) FROM shop.purchases), 0::bigint, 'a store may be without purchases');
CALL generate_synthetic_store('The "Shop"; --', customers => 10, products => 3, purchases => 100);
SELECT is((SELECT count(*) FROM "The ""Shop""; --".purchases), 100::bigint, 'names are quoted');
SELECT throws_ok('CALL generate_synthetic_store(NULL)', '22004', 'generate_synthetic_store: arguments must not be NULL',
    'a NULL name');
SELECT throws_ok($$CALL generate_synthetic_store('s2', customers => 0)$$, '22023', NULL, 'no customers');
SELECT throws_ok($$CALL generate_synthetic_store('s2', purchases => -1)$$, '22023',
    'generate_synthetic_purchases: n must be at least 0, not -1', 'a negative number of purchases');
SELECT hasnt_schema('s2', 'nothing is left of a store that failed');

CREATE ROLE retailml_test_guest;
GRANT USAGE ON SCHEMA retailml, public TO retailml_test_guest;
GRANT ALL ON ALL TABLES IN SCHEMA pg_temp TO retailml_test_guest;
SET ROLE retailml_test_guest;
SELECT throws_ok($$CALL retailml.generate_synthetic_store('guest')$$, '42501', NULL, 'the caller needs the right to create a schema');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
