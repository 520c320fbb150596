\set ECHO none
\pset format unaligned
\t on
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(78);

-- Pearson's chi-square of a table of counts, and its upper tail: the normal approximation of E. B. Wilson and
-- M. M. Hilferty, PNAS 17 (1931), pp. 684-688, as the number of standard deviations.  p = .01 is 2.33, p = 1e-6 is 4.75.
CREATE FUNCTION pg_temp.chi_square_z(signal boolean, seed bigint) RETURNS float8
BEGIN ATOMIC
    WITH lines AS (
        SELECT p.customer_id, (p.product_id - 1) % 5 AS category
        FROM retailml.generate_synthetic_purchases(30000, 500, 50, $2, signal => $1) p
    ), cells AS (
        SELECT count(*)::float8 AS n, customer_id, category FROM lines GROUP BY 2, 3
    ), statistic AS (
        -- sum of (o - e)^2 / e = sum of o^2 / e - N, which cells without lines do not change
        SELECT sum(n ^ 2 / (rows.sum * columns.sum / 30000)) - 30000 AS x,
               (count(DISTINCT customer_id) - 1) * (count(DISTINCT category) - 1)::float8 AS df
        FROM cells JOIN (SELECT customer_id, sum(n) FROM cells GROUP BY 1) rows USING (customer_id)
            JOIN (SELECT category, sum(n) FROM cells GROUP BY 1) columns USING (category)
    )
    SELECT (power(x / df, 1.0 / 3) - (1 - 2 / (9 * df))) / sqrt(2 / (9 * df)) FROM statistic;
END;

-- a share among n independent draws is within 4.5 standard deviations
CREATE FUNCTION pg_temp.share_ok(got bigint, n bigint, share float8) RETURNS boolean
RETURN abs(got::float8 / n - share) <= 4.5 * sqrt(share * (1 - share) / n);

CREATE TEMPORARY TABLE products AS SELECT * FROM generate_synthetic_products(1000);
CREATE TEMPORARY TABLE customers AS SELECT * FROM generate_synthetic_customers(20000);
CREATE TEMPORARY TABLE purchases AS SELECT * FROM generate_synthetic_purchases(100000, 20000, 1000);
ANALYZE products, customers, purchases;

-- ---------------------------------------------------------------- counts and keys
SELECT is((SELECT count(*) FROM generate_synthetic_products()), 50::bigint, 'fifty products unless asked');
SELECT is((SELECT count(*) FROM generate_synthetic_customers()), 500::bigint, 'five hundred customers');
SELECT is((SELECT count(*) FROM generate_synthetic_purchases()), 30000::bigint, 'thirty thousand purchases');
SELECT is((SELECT count(*) FROM generate_synthetic_products(0)), 0::bigint, 'no products');
SELECT is((SELECT count(*) FROM generate_synthetic_customers(0)), 0::bigint, 'no customers');
SELECT is((SELECT count(*) FROM generate_synthetic_purchases(0)), 0::bigint, 'no purchases');
SELECT is((SELECT count(*) FROM generate_synthetic_purchases(12345)), 12345::bigint, 'an odd number of purchases');
SELECT is((SELECT ARRAY[min(product_id), max(product_id), count(DISTINCT product_id)] FROM products),
    ARRAY[1, 1000, 1000]::bigint[], 'product ids are 1 .. n');
SELECT is((SELECT ARRAY[min(customer_id), max(customer_id), count(DISTINCT customer_id)] FROM customers),
    ARRAY[1, 20000, 20000]::bigint[], 'customer ids are 1 .. n');
SELECT is((SELECT ARRAY[min(purchase_id), max(purchase_id), count(DISTINCT purchase_id)] FROM purchases),
    ARRAY[1, 100000, 100000]::bigint[], 'purchase ids are 1 .. n');
SELECT is_empty('SELECT FROM purchases WHERE customer_id NOT IN (SELECT customer_id FROM customers)',
    'every purchase has its customer');
SELECT is_empty('SELECT FROM purchases WHERE product_id NOT IN (SELECT product_id FROM products)',
    'and its product');

-- ---------------------------------------------------------------- products
SELECT is((SELECT count(DISTINCT (category, subcategory)) FROM products), 25::bigint, 'five times five subcategories');
SELECT results_eq('SELECT category, count(*) FROM products GROUP BY 1 ORDER BY min(product_id)',
    $$VALUES ('Electronics', 200::bigint), ('Clothing', 200), ('Home & Living', 200), ('Books', 200), ('Beauty', 200)$$,
    'categories are of equal size');
SELECT is((SELECT count(DISTINCT name) FROM products), 1000::bigint, 'names are unique');
SELECT is_empty($$
    SELECT category, low, high, min(base_price), max(base_price), avg(base_price)
    FROM products JOIN (VALUES ('Electronics', 100, 800), ('Clothing', 10, 150), ('Home & Living', 30, 400),
        ('Books', 5, 40), ('Beauty', 10, 100)) r(category, low, high) USING (category)
    GROUP BY category, low, high
    HAVING min(base_price) < low OR max(base_price) > high
        -- uniform: standard deviation of the mean of 200 is (high - low) / sqrt(12 * 200)
        OR abs(avg(base_price) - (low + high) / 2.0) > 4.5 * (high - low) / sqrt(12.0 * 200)$$,
    'base prices are uniform on the range of the category');
SELECT is_empty('SELECT FROM products WHERE scale(base_price) <> 2', 'money has two decimals');
SELECT ok(min(popularity) >= 0.1 AND max(popularity) <= 1 AND abs(avg(popularity) - 0.55) < 4.5 * 0.9 / sqrt(12 * 1000),
    'popularity is uniform on .1 to 1') FROM products;

-- ---------------------------------------------------------------- customers
SELECT ok(pg_temp.share_ok(count(*), 20000, share), 'spending power ' || power)
    FROM customers JOIN (VALUES ('Low', 0.2), ('Medium', 0.6), ('High', 0.2)) s(power, share) ON spending_power = power
    GROUP BY power, share ORDER BY power;
SELECT ok(pg_temp.share_ok(count(*), 20000, share), 'purchase frequency ' || frequency)
    FROM customers JOIN (VALUES ('Rare', 0.3), ('Regular', 0.5), ('Frequent', 0.2)) s(frequency, share)
        ON purchase_frequency = frequency
    GROUP BY frequency, share ORDER BY frequency;
SELECT is_empty('SELECT FROM customers WHERE (SELECT sum(p) FROM unnest(category_preferences) p) NOT BETWEEN 1 - 1e-15 AND 1 + 1e-15
        OR cardinality(category_preferences) <> 5 OR 0 > ANY (category_preferences)',
    'preferences are points of the simplex');
-- a component of Dirichlet(1, 1, 1, 1, 1) is Beta(1, 4): mean 1/5, variance 4/(25 * 6)
SELECT ok(abs(avg(category_preferences[k]) - 0.2) < 4.5 * sqrt(4 / 150.0 / 20000)
        AND abs(var_pop(category_preferences[k]) / (4 / 150.0) - 1) < 0.1, 'preference ' || k || ' is Dirichlet')
    FROM customers, generate_series(1, 5) k GROUP BY k ORDER BY k;
SELECT ok(min(age) >= 18 AND max(age) <= 80, 'ages are 18 to 80') FROM customers;
SELECT is((SELECT ARRAY[min(signup_date), max(signup_date)] FROM customers),
    ARRAY['2020-01-01', '2022-12-31']::date[], 'everybody signs up in the three years before');
SELECT is_empty($$SELECT FROM customers WHERE employment = 'Retired' AND age < 65$$, 'nobody retires early');
SELECT ok(corr(loyalty_score, CASE purchase_frequency WHEN 'Rare' THEN 1 WHEN 'Regular' THEN 3 ELSE 8 END) > 0.5,
    'frequent customers are loyal') FROM customers;
SELECT ok(corr(loyalty_score, email_engagement) BETWEEN 0.5 AND 0.9, 'loyal customers read their mail') FROM customers;
SELECT ok(avg(income) FILTER (WHERE spending_power = 'High') / avg(income) FILTER (WHERE spending_power = 'Low')
    -- planted: 1.6 / 0.7
    BETWEEN 2.2 AND 2.37, 'income follows spending power') FROM customers;

-- ---------------------------------------------------------------- purchases
SELECT ok(pg_temp.share_ok(max(order_id), 100000, 0.6), 'orders have 1.67 lines on average') FROM purchases;
SELECT is_empty('SELECT order_id FROM purchases GROUP BY order_id
    HAVING count(DISTINCT (customer_id, purchased_at, channel)) > 1 OR max(purchase_id) - min(purchase_id) >= count(*)',
    'lines of an order are consecutive and share customer, time and channel');
SELECT ok(bool_and(pg_temp.share_ok(count, n, share)), 'quantity with spending power ' || power)
    FROM (SELECT power, share,
            count(*) FILTER (WHERE quantity = q), count(*) AS n
          FROM purchases JOIN customers USING (customer_id) JOIN (VALUES ('Low', 1, .9), ('Low', 2, .1), ('Low', 3, 0), ('Medium', 1, .7), ('Medium', 2, .2), ('Medium', 3, .1),
            ('High', 1, .5), ('High', 2, .3), ('High', 3, .2)) t(power, q, share) ON spending_power = power
          GROUP BY power, q, share) x
    GROUP BY power ORDER BY power;
SELECT is_empty('SELECT FROM purchases JOIN products USING (product_id) WHERE unit_price <> base_price',
    'the unit price is the list price');
SELECT is_empty('SELECT FROM purchases WHERE amount < .85 * unit_price * quantity OR amount > 1.15 * unit_price * quantity
        OR scale(amount) <> 2', 'the amount is within 15 % of price times quantity');
-- standard deviation of uniform(.85, 1.15) is .3 / sqrt(12)
SELECT ok(abs(avg(amount / (unit_price * quantity)) - 1) < 4.5 * .3 / sqrt(12.0 * 100000), 'and so on average')
    FROM purchases;
SELECT ok(min(purchased_at) >= '2023-01-01 08:00+00' AND max(purchased_at) < '2024-12-30 22:00+00',
    'purchases are made in the window of 730 days') FROM purchases;
SELECT is_empty($$SELECT FROM purchases WHERE (purchased_at AT TIME ZONE 'UTC')::time NOT BETWEEN '08:00' AND '21:59:59'$$,
    'while the store is open');
SELECT is_empty('SELECT FROM purchases JOIN customers USING (customer_id) WHERE purchased_at < signup_date',
    'nobody buys before signing up');
SELECT ok(bool_and(pg_temp.share_ok(count, (SELECT max(order_id) FROM purchases), share)), 'channels have their shares')
    FROM (SELECT channel, count(DISTINCT order_id) FROM purchases GROUP BY 1) c
    JOIN (VALUES ('Online', .5), ('Store', .35), ('Mobile', .15)) s(channel, share) USING (channel);
SELECT ok(pg_temp.share_ok(
        count(DISTINCT order_id) FILTER (WHERE purchase_frequency = 'Frequent'), count(DISTINCT order_id),
        -- weights 1, 3, 8
        (SELECT 8.0 * count(*) FILTER (WHERE purchase_frequency = 'Frequent')
            / sum(CASE purchase_frequency WHEN 'Rare' THEN 1 WHEN 'Regular' THEN 3 ELSE 8 END) FROM customers)),
    'the frequency class decides who buys')
    FROM purchases JOIN customers USING (customer_id);

-- ---------------------------------------------------------------- the signal
SELECT cmp_ok(pg_temp.chi_square_z(true, 42), '>', 4.75::float8, 'customer x category depend with the signal: p < 1e-6');
SELECT cmp_ok(pg_temp.chi_square_z(false, 42), '<', 2.33::float8, 'and not without it: p > .01');
SELECT cmp_ok(pg_temp.chi_square_z(true, 7), '>', 4.75::float8, 'another seed, with');
SELECT cmp_ok(pg_temp.chi_square_z(false, 7), '<', 2.33::float8, 'and without');
SELECT ok(corr(seen, category_preferences[1]) > 0.99, 'shares of the categories are the planted preferences')
    FROM (SELECT customer_id, avg(((product_id - 1) % 5 = 0)::int) AS seen
          FROM generate_synthetic_purchases(200000, 100) GROUP BY 1) s
    JOIN generate_synthetic_customers(100) USING (customer_id);
SELECT ok(corr(seen, popularity) > 0.9, 'sales within a category follow popularity')
    FROM (SELECT product_id, count(*) AS seen FROM generate_synthetic_purchases(200000) GROUP BY 1) s
    JOIN generate_synthetic_products() USING (product_id) WHERE category = 'Books';
-- a line repeats the category of the customer's line before with chance r + (1 - r) p of that category
SELECT ok(abs(sum((same)::int - chance)) < 4.5 * sqrt(sum(chance * (1 - chance))),
    'repeat_rate ' || r || ' is the chance to stay in the last category')
    FROM (VALUES (0.0), (0.3), (0.8)) rates(r), LATERAL (
        SELECT category = last AS same, r + (1 - r) * category_preferences[last + 1] AS chance
        FROM (SELECT customer_id, (product_id - 1) % 5 AS category,
                    lag((product_id - 1) % 5) OVER (PARTITION BY customer_id ORDER BY purchase_id) AS last
              FROM generate_synthetic_purchases(50000, repeat_rate => r)) l
        JOIN generate_synthetic_customers() USING (customer_id) WHERE last IS NOT NULL) x
    GROUP BY r ORDER BY r;

-- ---------------------------------------------------------------- same seed, same rows; prefixes
SELECT results_eq('SELECT * FROM generate_synthetic_purchases(2000)', 'SELECT * FROM generate_synthetic_purchases(2000, seed => 42)',
    'same seed, same rows');
SELECT isnt_empty('SELECT * FROM generate_synthetic_purchases(20) EXCEPT SELECT * FROM generate_synthetic_purchases(20, seed => 43)',
    'another seed, other rows');
SELECT results_eq('SELECT * FROM generate_synthetic_products(7)', 'SELECT * FROM products WHERE product_id <= 7 ORDER BY 1',
    'fewer products are a prefix');
SELECT results_eq('SELECT * FROM generate_synthetic_customers(7)', 'SELECT * FROM customers WHERE customer_id <= 7 ORDER BY 1',
    'fewer customers are a prefix');
SELECT results_eq('SELECT * FROM generate_synthetic_purchases(3000, 20000, 1000)',
    'SELECT * FROM purchases WHERE purchase_id <= 3000 ORDER BY 1', 'fewer purchases are a prefix');
SELECT is_empty('SELECT FROM generate_synthetic_purchases(1000) a JOIN generate_synthetic_purchases(1000, start_date => $$2020-03-01$$) b
        USING (purchase_id) WHERE a.purchased_at - b.purchased_at <> interval ''1036 days'' OR a.amount <> b.amount',
    'start_date moves the times and nothing else');
SELECT results_eq('SELECT g, count(*), max(product_id) FROM generate_series(1, 3) g, generate_synthetic_products(g * 10) GROUP BY g ORDER BY g',
    'VALUES (1, 10::bigint, 10), (2, 20, 20), (3, 30, 30)', 'a store for each row of a query');

-- ---------------------------------------------------------------- planner
CREATE FUNCTION pg_temp.plan_rows(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT is(pg_temp.plan_rows('SELECT * FROM generate_synthetic_purchases(5 * 1000)'), 5000::float8,
    'the planner knows the number of purchases');
SELECT is(pg_temp.plan_rows('SELECT * FROM generate_synthetic_products()'), 50::float8, 'and that of a default');
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query'
    ELSE 'force_parallel_mode' END, 'on', true) \gset
SELECT results_eq('SELECT * FROM generate_synthetic_purchases(3000, 20000, 1000)',
    'SELECT * FROM purchases WHERE purchase_id <= 3000 ORDER BY 1', 'a parallel worker makes the same rows');
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query'
    ELSE 'force_parallel_mode' END, 'off', true) \gset

-- ---------------------------------------------------------------- bad arguments
SELECT is((SELECT count(*) FROM generate_synthetic_purchases(NULL)), 0::bigint, 'a NULL argument gives no rows');
SELECT throws_ok('SELECT generate_synthetic_products(-1)', '22023',
    'generate_synthetic_products: n must be at least 0, not -1', 'products: n');
SELECT throws_ok('SELECT generate_synthetic_customers(-1)', '22023',
    'generate_synthetic_customers: n must be at least 0, not -1', 'customers: n');
SELECT throws_ok('SELECT generate_synthetic_purchases(-1)', '22023',
    'generate_synthetic_purchases: n must be at least 0, not -1', 'purchases: n');
SELECT throws_ok('SELECT generate_synthetic_purchases(customers => 0)', '22023',
    'generate_synthetic_purchases: customers must be between 1 and 2147483647, not 0', 'customers');
SELECT throws_ok('SELECT generate_synthetic_purchases(products => 0)', '22023',
    'generate_synthetic_purchases: products must be between 1 and 2147483647, not 0', 'products');
SELECT throws_ok('SELECT generate_synthetic_purchases(days => 0)', '22023',
    'generate_synthetic_purchases: days must be at least 1, not 0', 'days');
SELECT throws_ok('SELECT generate_synthetic_purchases(repeat_rate => 1.5)', '22023',
    'generate_synthetic_purchases: repeat_rate must be between 0 and 1, not 1.5', 'repeat_rate');
SELECT throws_ok($$SELECT generate_synthetic_purchases(start_date => 'infinity')$$, '22008',
    'generate_synthetic_purchases: start_date and days leave the range of timestamps', 'start_date');
SET LOCAL retailml.max_memory = '1MB';
SELECT throws_like('SELECT generate_synthetic_purchases(1, customers => 100000)', '%retailml.max_memory is 1 MB',
    'more customers than memory');
RESET retailml.max_memory;

SELECT * FROM finish();
ROLLBACK;
