-- From purchases_csv, all text, to purchases_raw and products_raw.  The variables customer, order,
-- date, quantity, price, amount, product, description and category are the columns (or NULL), comma
-- is true where 1,234 has decimals.

SET client_min_messages = warning;

-- a field that says something
CREATE FUNCTION pg_temp.said(field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN lower(btrim(field)) IN ('', 'na', 'n/a', 'nan', 'null', 'none', '\n') THEN NULL
                ELSE btrim(field) END
$$;

-- Numbers as people write them: $1,234.50, 1.234,50 EUR, (12.00).  NULL for anything else.
CREATE FUNCTION pg_temp.odd_number(field text, comma boolean) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    digits text := regexp_replace(field, '[^0-9.,eE+-]|[[:space:]]', '', 'g');
    sign int := CASE WHEN field ~ '^\(.*\)$' THEN -1 ELSE 1 END;
BEGIN
    IF field ~ '[[:alpha:]]{4,}' THEN
        RETURN NULL;
    END IF;
    digits := regexp_replace(digits, '^[eE]+|[eE]+$', '', 'g');
    IF digits ~ '^[-+]?[0-9.]*,[0-9]+$' AND (comma OR digits !~ '^[-+]?[0-9]{1,3},[0-9]{3}$') THEN
        digits := replace(replace(digits, '.', ''), ',', '.');
    ELSE
        digits := replace(digits, ',', '');
    END IF;
    RETURN sign * digits::numeric;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

CREATE FUNCTION pg_temp.number(field text, comma boolean) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN field ~ '^-?[0-9]+\.?[0-9]*$' THEN field::numeric
                WHEN pg_temp.said(field) IS NOT NULL THEN pg_temp.odd_number(field, comma) END
$$;

CREATE FUNCTION pg_temp.moment(field text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN field ~ '[0-9]' THEN field::timestamptz END;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END
$$;

-- Day or month first?  A number above 12 tells.
CREATE TEMP TABLE moments AS
SELECT field, NULL::timestamptz AS moment, false AS odd,
       regexp_match(field, '^\s*(\d{1,2})([./-])(\d{1,2})[./-]\d') AS part
FROM (SELECT DISTINCT :date AS field FROM public.purchases_csv) AS fields;

CREATE TEMP TABLE date_order AS
SELECT CASE WHEN nullif(:'date_order', '') IS NOT NULL THEN upper(:'date_order')
            WHEN day_first AND month_first THEN 'mixed'
            WHEN day_first THEN 'DMY'
            WHEN month_first THEN 'MDY'
            WHEN dots THEN 'DMY'
            ELSE 'MDY' END AS guess,
       any_parts AND NOT day_first AND NOT month_first AND :'date_order' = '' AS open
FROM (SELECT coalesce(bool_or(part[1]::int > 12), false) AS day_first,
             coalesce(bool_or(part[3]::int > 12), false) AS month_first,
             coalesce(bool_or(part[2] = '.'), false) AS dots, count(part) > 0 AS any_parts
      FROM moments) AS parts;

DO $$
DECLARE
    guess text := (SELECT o.guess FROM date_order o);
BEGIN
    IF guess NOT IN ('DMY', 'MDY', 'YMD') THEN
        RAISE EXCEPTION 'the dates have the day first in some rows and the month first in others'
            USING HINT = 'DATE_ORDER=DMY or DATE_ORDER=MDY makes the others unreadable, which removes them.';
    END IF;
    PERFORM set_config('datestyle', 'ISO, ' || guess, false);
END
$$;
UPDATE moments SET moment = pg_temp.moment(field);
UPDATE moments SET odd = true WHERE moment IS NULL AND pg_temp.said(field) IS NOT NULL;

CREATE TEMP TABLE typed AS
SELECT regexp_replace(pg_temp.said(:customer), '^([0-9]+)\.0$', '\1') AS customer_id,
       pg_temp.said(:order) AS order_id,
       moment AS ordered_at,
       CASE WHEN :'has_quantity' = '' THEN 1 ELSE pg_temp.number(:quantity, :comma) END AS quantity,
       pg_temp.number(:price, :comma) AS price,
       pg_temp.number(:amount, :comma) AS amount,
       pg_temp.said(:product) AS product_id,
       pg_temp.said(:description) AS description,
       pg_temp.said(:category) AS category,
       odd AS odd_date
FROM public.purchases_csv LEFT JOIN moments ON field = :date;

-- A file without order numbers: what a customer buys on a day is an order.
DROP TABLE IF EXISTS public.purchases_raw;
CREATE TABLE public.purchases_raw AS
SELECT customer_id,
       coalesce(order_id, customer_id || ' ' || ordered_at::date) AS order_id,
       ordered_at, quantity,
       CASE WHEN :'has_amount' = '' THEN quantity * price ELSE amount END AS amount,
       product_id
FROM typed;

-- A product has the name and the category that most of its rows have.
DROP TABLE IF EXISTS public.products_raw;
CREATE TABLE public.products_raw AS
SELECT product_id, coalesce(mode() WITHIN GROUP (ORDER BY description), product_id) AS product,
       mode() WITHIN GROUP (ORDER BY category) AS category
FROM typed
WHERE product_id IS NOT NULL
GROUP BY product_id;

DO $$
DECLARE
    n bigint := (SELECT count(*) FROM public.purchases_raw);
    unread bigint := (SELECT count(*) FROM typed WHERE odd_date);
    example text := (SELECT min(field) FROM moments WHERE odd);
BEGIN
    IF n = 0 THEN
        RAISE EXCEPTION 'there are no rows below the header';
    END IF;
    IF NOT EXISTS (SELECT FROM typed WHERE ordered_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the date column has no date that can be read, for example "%"', coalesce(example, '')
            USING HINT = 'Dates look like 2010-12-01 08:26, 12/1/2010 8:26 or 01.12.2010.';
    END IF;
    IF NOT EXISTS (SELECT FROM public.purchases_raw WHERE amount IS NOT NULL) THEN
        RAISE EXCEPTION 'the price or amount column has no number that can be read';
    END IF;
    IF unread > 0 THEN
        RAISE WARNING '% rows have a date that cannot be read, for example "%"', unread, example;
    END IF;
    IF (SELECT open FROM date_order) THEN
        RAISE WARNING 'dates are read with the % first (DATE_ORDER=DMY or MDY to say so)',
            (SELECT CASE guess WHEN 'DMY' THEN 'day' ELSE 'month' END FROM date_order);
    END IF;
END
$$;
DROP TABLE public.purchases_csv;
ANALYZE public.purchases_raw;
