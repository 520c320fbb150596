-- A store of 500 customers and 30,000 order lines over two years, always the same ones.

CALL retailml.generate_synthetic_store('shop');

CREATE TABLE public.purchases_raw AS
SELECT customer_id::text, order_id::text, purchased_at AS ordered_at, quantity, amount, product_id::text
FROM shop.purchases;

CREATE TABLE public.products_raw AS
SELECT product_id::text, name AS product, category
FROM shop.products;

-- A real log is not clean: guests, gifts, and orders that come back a week later.

UPDATE public.purchases_raw SET customer_id = NULL WHERE order_id::int % 40 = 0;
UPDATE public.purchases_raw SET amount = 0 WHERE order_id::int % 250 = 1;
INSERT INTO public.purchases_raw
SELECT customer_id, 'C' || order_id, ordered_at + interval '7 days', -quantity, -amount, product_id
FROM public.purchases_raw
WHERE order_id::int % 60 = 2;
