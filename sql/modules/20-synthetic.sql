-- The synthetic retail store: products, customers, purchases, and all three as tables.

CREATE FUNCTION generate_synthetic_support(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_generate_synthetic_support'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION generate_synthetic_support(internal) IS
'Tells the planner how many rows the generate_synthetic functions return; not for direct use.';

CREATE FUNCTION generate_synthetic_products(n int DEFAULT 50, seed bigint DEFAULT 42)
    RETURNS TABLE (
        product_id int,
        category text,
        subcategory text,
        name text,
        base_price numeric,
        popularity float8)
    AS 'MODULE_PATHNAME', 'rml_generate_synthetic_products'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 1000 ROWS 50 SUPPORT generate_synthetic_support;

COMMENT ON FUNCTION generate_synthetic_products(int, bigint) IS
'Products of the synthetic store.

Five categories (Electronics, Clothing, Home & Living, Books, Beauty) of five subcategories each take turns, so all are
of equal size. Row i depends on seed and i only: fewer products are a prefix of more.

Arguments
  n     number of products, 0 or more; default 50
  seed  any number; the same seed gives the same rows; default 42

Result
  product_id   1 .. n
  category     one of the five
  subcategory  one of the five of the category
  name         unique
  base_price   list price in money units with two decimals, uniform on 100-800, 10-150, 30-400, 5-40, 10-100 by category
  popularity   uniform on 0.1-1: weight of the product among those of its category

A NULL argument gives no rows. A negative n is an error (22023).

Example
  SELECT category, count(*), avg(base_price) FROM generate_synthetic_products(1000) GROUP BY category;';

CREATE FUNCTION generate_synthetic_customers(n int DEFAULT 500, seed bigint DEFAULT 42)
    RETURNS TABLE (
        customer_id int,
        signup_date date,
        age int,
        gender text,
        region text,
        education text,
        employment text,
        income numeric,
        spending_power text,
        purchase_frequency text,
        loyalty_score float8,
        email_engagement float8,
        category_preferences float8[])
    AS 'MODULE_PATHNAME', 'rml_generate_synthetic_customers'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 1000 ROWS 500 SUPPORT generate_synthetic_support;

COMMENT ON FUNCTION generate_synthetic_customers(int, bigint) IS
'Customers of the synthetic store, with the truth that drives their purchases.

Row i depends on seed and i only: fewer customers are a prefix of more.

Arguments
  n     number of customers, 0 or more; default 500
  seed  any number; the same seed gives the same rows; default 42

Result
  customer_id           1 .. n
  signup_date           uniform on 2020-01-01 .. 2022-12-31, before the standard start of the purchases
  age                   years, 18 .. 80
  gender                Female 50 %, Male 48 %, Other 2 %
  region                North 25 %, South 20 %, East 15 %, West 15 %, Central 25 %
  education             Secondary, Vocational, Bachelor, Master, Doctorate; depends on age
  employment            Employed, Self-employed, Student, Unemployed, Retired; depends on age
  income                money units a year; depends on education, employment and spending_power
  spending_power        Low 20 %, Medium 60 %, High 20 %: drives quantities
  purchase_frequency    Rare 30 %, Regular 50 %, Frequent 20 %: chosen with weight 1, 3, 8
  loyalty_score         0 .. 1, Beta distributed with mean 2/7, 4/7, 5/7 for Rare, Regular, Frequent
  email_engagement      0 .. 1, half loyalty_score and half Beta(2, 3)
  category_preferences  probabilities of Electronics, Clothing, Home & Living, Books, Beauty; Dirichlet(1, 1, 1, 1, 1)

A NULL argument gives no rows. A negative n is an error (22023).

Example
  SELECT spending_power, count(*), avg(income) FROM generate_synthetic_customers(1000) GROUP BY spending_power;';

CREATE FUNCTION generate_synthetic_purchases(
        n bigint DEFAULT 30000,
        customers int DEFAULT 500,
        products int DEFAULT 50,
        seed bigint DEFAULT 42,
        start_date date DEFAULT DATE '2023-01-01',
        days int DEFAULT 730,
        repeat_rate float8 DEFAULT 0.3,
        signal boolean DEFAULT true)
    RETURNS TABLE (
        purchase_id bigint,
        order_id bigint,
        customer_id int,
        product_id int,
        purchased_at timestamptz,
        quantity int,
        unit_price numeric,
        amount numeric,
        channel text)
    AS 'MODULE_PATHNAME', 'rml_generate_synthetic_purchases'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    COST 10000 ROWS 30000 SUPPORT generate_synthetic_support;

COMMENT ON FUNCTION generate_synthetic_purchases(bigint, int, int, bigint, date, int, float8, boolean) IS
'Purchases of the synthetic store: order lines of generate_synthetic_customers(customers, seed) for
generate_synthetic_products(products, seed).

The rows do not depend on n except in their number: fewer purchases are a prefix of more. Times are drawn independently
of the row number, so purchase_id is not in time order.

Arguments
  n            number of purchases (order lines), 0 or more; default 30000
  customers    number of customers, at least 1; default 500
  products     number of products, at least 1; default 50
  seed         the seed of the customers and products; default 42
  start_date   first day; default 2023-01-01
  days         length of the window in days, at least 1; default 730
  repeat_rate  chance, 0 to 1, that a line stays in the category of the customer''s line before (in order of purchase_id);
               default 0.3
  signal       true: purchase_frequency decides who buys, category_preferences (and repeat_rate) which category, popularity
               which product of it. false: each customer and each product is equally likely, independently; default true

Result
  purchase_id   1 .. n
  order_id      1, 2, ...; lines of an order are consecutive and share customer, time and channel; 1.67 lines on average
  customer_id   1 .. customers
  product_id    1 .. products
  purchased_at  uniform over the days, between 08:00 and 22:00 UTC
  quantity      1, 2 or 3 pieces: Low .9/.1/0, Medium .7/.2/.1, High .5/.3/.2 by the customer''s spending_power
  unit_price    base_price of the product
  amount        paid for the line: unit_price x quantity x uniform(0.85, 1.15), two decimals
  channel       Online 50 %, Store 35 %, Mobile 15 %

A NULL argument gives no rows. Errors: an argument out of its range (22023), a window that leaves the range of
timestamps (22008), more customers and products than fit in retailml.max_memory (53400; 46 and 16 bytes each).

Example
  SELECT customer_id, count(DISTINCT order_id) AS orders, sum(amount) AS revenue
  FROM generate_synthetic_purchases() GROUP BY customer_id ORDER BY revenue DESC LIMIT 10;';

-- All names are qualified or quoted by format(), so the caller's search_path does not matter.
CREATE PROCEDURE generate_synthetic_store(
        schema_name text,
        customers int DEFAULT 500,
        products int DEFAULT 50,
        purchases bigint DEFAULT 30000,
        seed bigint DEFAULT 42,
        start_date date DEFAULT DATE '2023-01-01',
        days int DEFAULT 730,
        repeat_rate float8 DEFAULT 0.3,
        signal boolean DEFAULT true)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $procedure$
DECLARE
    existing text;
BEGIN
    IF num_nulls(schema_name, customers, products, purchases, seed, start_date, days, repeat_rate, signal) > 0 THEN
        RAISE EXCEPTION 'generate_synthetic_store: arguments must not be NULL'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Leave an argument out to get its default.';
    END IF;
    SELECT string_agg(format('%I.%I', schema_name, t), ', ' ORDER BY t) INTO existing
        FROM unnest(ARRAY['customers', 'products', 'purchases']) t
        WHERE to_regclass(format('%I.%I', schema_name, t)) IS NOT NULL;
    IF existing IS NOT NULL THEN
        RAISE EXCEPTION 'generate_synthetic_store: relations already exist: %', existing
            USING ERRCODE = 'duplicate_table',
                  HINT = 'Drop them first, or give the name of another schema.';
    END IF;
    -- no rows, only the checks of the arguments
    PERFORM FROM @extschema@.generate_synthetic_purchases(least(purchases, 0), customers, products, seed, start_date, days,
        repeat_rate, signal);
    IF to_regnamespace(quote_ident(schema_name)) IS NULL THEN
        EXECUTE format('CREATE SCHEMA %I', schema_name);
    END IF;

    EXECUTE format($ddl$
        CREATE TABLE %1$I.customers (
            customer_id int NOT NULL,
            signup_date date NOT NULL,
            age int NOT NULL,
            gender text NOT NULL,
            region text NOT NULL,
            education text NOT NULL,
            employment text NOT NULL,
            income numeric(12,2) NOT NULL,
            spending_power text NOT NULL,
            purchase_frequency text NOT NULL,
            loyalty_score float8 NOT NULL,
            email_engagement float8 NOT NULL,
            category_preferences float8[] NOT NULL);
        CREATE TABLE %1$I.products (
            product_id int NOT NULL,
            category text NOT NULL,
            subcategory text NOT NULL,
            name text NOT NULL,
            base_price numeric(12,2) NOT NULL,
            popularity float8 NOT NULL);
        CREATE TABLE %1$I.purchases (
            purchase_id bigint NOT NULL,
            order_id bigint NOT NULL,
            customer_id int NOT NULL,
            product_id int NOT NULL,
            purchased_at timestamptz NOT NULL,
            quantity int NOT NULL,
            unit_price numeric(12,2) NOT NULL,
            amount numeric(12,2) NOT NULL,
            channel text NOT NULL);
    $ddl$, schema_name);

    -- customers sign up before the first day of the window, wherever it is
    EXECUTE format($dml$
        INSERT INTO %I.customers
        SELECT customer_id, signup_date + ($3 - DATE '2023-01-01'), age, gender, region, education, employment, income,
               spending_power, purchase_frequency, loyalty_score, email_engagement, category_preferences
        FROM @extschema@.generate_synthetic_customers($1, $2)
    $dml$, schema_name) USING customers, seed, start_date;
    EXECUTE format('INSERT INTO %I.products SELECT * FROM @extschema@.generate_synthetic_products($1, $2)',
        schema_name) USING products, seed;
    EXECUTE format(
        'INSERT INTO %I.purchases SELECT * FROM @extschema@.generate_synthetic_purchases($1, $2, $3, $4, $5, $6, $7, $8)',
        schema_name) USING purchases, customers, products, seed, start_date, days, repeat_rate, signal;

    -- keys and indexes after the rows: one sort each instead of a descent per row
    EXECUTE format($ddl$
        ALTER TABLE %1$I.customers ADD PRIMARY KEY (customer_id);
        ALTER TABLE %1$I.products ADD PRIMARY KEY (product_id), ADD UNIQUE (name);
        ALTER TABLE %1$I.purchases ADD PRIMARY KEY (purchase_id),
            ADD FOREIGN KEY (customer_id) REFERENCES %1$I.customers,
            ADD FOREIGN KEY (product_id) REFERENCES %1$I.products;
        CREATE INDEX ON %1$I.purchases (customer_id, purchased_at);
        CREATE INDEX ON %1$I.purchases (product_id);
    $ddl$, schema_name);

    EXECUTE format($ddl$
        COMMENT ON TABLE %1$I.customers IS 'customers of the synthetic store, one row each, with the truth that drives their purchases';
        COMMENT ON COLUMN %1$I.customers.customer_id IS 'key, from 1 on';
        COMMENT ON COLUMN %1$I.customers.signup_date IS 'uniform over the 1096 days before the first purchases';
        COMMENT ON COLUMN %1$I.customers.age IS 'years, 18 to 80';
        COMMENT ON COLUMN %1$I.customers.gender IS 'Female, Male, Other';
        COMMENT ON COLUMN %1$I.customers.region IS 'North, South, East, West, Central';
        COMMENT ON COLUMN %1$I.customers.education IS 'Secondary, Vocational, Bachelor, Master, Doctorate';
        COMMENT ON COLUMN %1$I.customers.employment IS 'Employed, Self-employed, Student, Unemployed, Retired';
        COMMENT ON COLUMN %1$I.customers.income IS 'money units a year';
        COMMENT ON COLUMN %1$I.customers.spending_power IS 'planted truth: Low, Medium, High; drives quantities';
        COMMENT ON COLUMN %1$I.customers.purchase_frequency IS 'planted truth: Rare, Regular, Frequent buy with weight 1, 3, 8';
        COMMENT ON COLUMN %1$I.customers.loyalty_score IS '0 to 1; higher for frequent customers';
        COMMENT ON COLUMN %1$I.customers.email_engagement IS '0 to 1; half of it is loyalty_score';
        COMMENT ON COLUMN %1$I.customers.category_preferences IS
            'planted truth: probabilities of Electronics, Clothing, Home & Living, Books, Beauty';
        COMMENT ON TABLE %1$I.products IS 'products of the synthetic store, one row each';
        COMMENT ON COLUMN %1$I.products.product_id IS 'key, from 1 on';
        COMMENT ON COLUMN %1$I.products.category IS 'Electronics, Clothing, Home & Living, Books, Beauty';
        COMMENT ON COLUMN %1$I.products.subcategory IS 'five for each category';
        COMMENT ON COLUMN %1$I.products.name IS 'unique';
        COMMENT ON COLUMN %1$I.products.base_price IS 'list price in money units';
        COMMENT ON COLUMN %1$I.products.popularity IS 'planted truth: weight, 0.1 to 1, among the products of the category';
        COMMENT ON COLUMN %1$I.purchases.purchase_id IS 'key, from 1 on; not in time order';
        COMMENT ON COLUMN %1$I.purchases.order_id IS 'lines with one order_id share customer, time and channel';
        COMMENT ON COLUMN %1$I.purchases.customer_id IS 'who bought';
        COMMENT ON COLUMN %1$I.purchases.product_id IS 'what';
        COMMENT ON COLUMN %1$I.purchases.purchased_at IS 'between 08:00 and 22:00 UTC';
        COMMENT ON COLUMN %1$I.purchases.quantity IS 'pieces, 1 to 3';
        COMMENT ON COLUMN %1$I.purchases.unit_price IS 'list price of one piece in money units';
        COMMENT ON COLUMN %1$I.purchases.amount IS 'paid for the line: unit_price x quantity x a factor of 0.85 to 1.15';
        COMMENT ON COLUMN %1$I.purchases.channel IS 'Online, Store, Mobile';
    $ddl$, schema_name);
    EXECUTE format('COMMENT ON TABLE %I.purchases IS %L', schema_name, format(
        'purchases of the synthetic store, one row per order line; made by generate_synthetic_store(%L, customers => %s, '
        'products => %s, purchases => %s, seed => %s, start_date => %L, days => %s, repeat_rate => %s, signal => %s)',
        schema_name, customers, products, purchases, seed, to_char(start_date, 'YYYY-MM-DD'), days, repeat_rate, signal::text));
    EXECUTE format('ANALYZE %1$I.customers, %1$I.products, %1$I.purchases', schema_name);
END
$procedure$;

COMMENT ON PROCEDURE generate_synthetic_store(text, int, int, bigint, bigint, date, int, float8, boolean) IS
'Makes the synthetic store as tables customers, products and purchases in a schema.

The tables have primary and foreign keys, indexes, comments and fresh statistics. The schema is created when it does not
exist; the comment on purchases keeps the arguments. Runs with the rights of the caller, who needs CREATE on the schema
(or on the database), and in the caller''s transaction: it makes all or nothing.

Arguments
  schema_name  where to put the tables
  customers    number of customers, at least 1; default 500
  products     number of products, at least 1; default 50
  purchases    number of purchases (order lines), 0 or more; default 30000
  seed, start_date, days, repeat_rate, signal  as in generate_synthetic_purchases

The rows are those of the three functions, except that signup_date moves with start_date, so that customers always sign up
before they buy.

Errors: one of the tables exists (42P07), an argument is NULL (22004) or out of its range (22023).

Example
  CALL generate_synthetic_store(''shop'', customers => 1000, purchases => 60000);';
