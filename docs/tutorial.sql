-- From a purchase log to named customer segments.
--
-- Starts from the table purchases_raw (customer_id, order_id, ordered_at, quantity, amount, product_id),
-- one row per line of an order.  `make demo` makes it and runs this file; docs/tutorial.md explains it.

CREATE SCHEMA tutorial;                         -- to remove it all: DROP SCHEMA tutorial CASCADE
SET search_path = tutorial, retailml, public;

-- 1. The log as it came.

SELECT count(*) AS rows, count(DISTINCT customer_id) AS customers, count(DISTINCT order_id) AS orders,
       min(ordered_at)::date AS first_day, max(ordered_at)::date AS last_day
FROM purchases_raw;

-- 2. Clean it.  Every row that has to go gets the reason; the first that applies counts.

CREATE TABLE purchases_checked AS
SELECT *, CASE
           WHEN customer_id IS NULL             THEN 'no customer'
           WHEN ordered_at IS NULL              THEN 'no date'
           WHEN quantity < 0 OR amount < 0      THEN 'cancelled or returned'
           WHEN quantity = 0 OR amount = 0      THEN 'quantity or price is zero'
           WHEN quantity IS NULL OR amount IS NULL THEN 'quantity or price is missing'
       END AS problem
FROM purchases_raw;

CREATE TABLE purchases AS
SELECT customer_id, order_id, ordered_at, amount
FROM purchases_checked
WHERE problem IS NULL;

-- Before large tables are grouped and joined, PostgreSQL should know what is in them.

ANALYZE purchases_checked, purchases;

-- The row log: what each step removed, and what was left.

CREATE TABLE row_log AS
SELECT step, what, removed,
       (SELECT count(*) FROM purchases_raw) - sum(removed) OVER (ORDER BY step) AS rows_left
FROM (SELECT step, what, count(problem) AS removed
      FROM (VALUES (0, 'read'),
                   (1, 'no customer'),
                   (2, 'no date'),
                   (3, 'cancelled or returned'),
                   (4, 'quantity or price is zero'),
                   (5, 'quantity or price is missing')) AS steps (step, what)
      LEFT JOIN purchases_checked ON problem = what
      GROUP BY step, what) AS counts;

SELECT * FROM row_log ORDER BY step;

-- 3. Three numbers per customer: recency, frequency, monetary, at the end of the last day.

CREATE TABLE customer_rfm AS
SELECT customer_id, (rfm(order_id, ordered_at, amount, as_of)).*
FROM purchases,
     (SELECT date_trunc('day', max(ordered_at)) + interval '1 day' AS as_of FROM purchases) AS last_day
WHERE ordered_at < as_of
GROUP BY customer_id;

SELECT customer_id, round(recency_days::numeric, 1) AS recency_days, frequency,
       round(monetary::numeric, 2) AS monetary,
       first_order_at::date AS first_order, last_order_at::date AS last_order
FROM customer_rfm
ORDER BY customer_rfm.monetary DESC, customer_id
LIMIT 5;

-- 4. Scores 1 (worst) to 5 (best), and the segment that each combination stands for.

CREATE TABLE customer_scores AS
SELECT customer_id, recency_days, frequency, monetary,
       (rfm_score(recency_days, frequency, monetary) OVER ()).*
FROM customer_rfm;

SELECT segment, count(*) AS customers,
       round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent,
       round((100 * sum(monetary) / sum(sum(monetary)) OVER ())::numeric, 1) AS revenue_percent,
       round(avg(recency_days)::numeric) AS recency_days,
       round(avg(frequency), 1) AS orders,
       round(avg(monetary)::numeric) AS revenue_each
FROM customer_scores
GROUP BY segment
ORDER BY sum(monetary) DESC;

-- What marketing can do with the three that bring most.

SELECT segment, round(sum(monetary)::numeric) AS revenue, lever
FROM customer_scores JOIN rfm_segments() USING (code, segment)
GROUP BY segment, lever
ORDER BY revenue DESC
LIMIT 3;

-- 5. Let the data draw the segments: k-means.  A few customers buy a hundred times as much as the
--    others; logarithms keep those few from being segments of their own.

CREATE VIEW features AS
SELECT customer_id,
       ln(1 + recency_days) AS recency,
       ln(1 + frequency)    AS frequency,
       ln(1 + greatest(monetary, 0)) AS monetary
FROM customer_rfm;

-- 6. How many segments?  Every number from 2 to 10, which is what marketing can use; the data are
--    read once.

CREATE TABLE k_choice AS
SELECT choice.*
FROM (SELECT kmeans_sweep(f, 2, 10, '{"exclude": ["customer_id"]}') AS choices FROM features f) AS sweep,
     unnest(choices) AS choice;

SELECT k, round(inertia::numeric, 1) AS inertia, round(silhouette::numeric, 3) AS silhouette,
       round(davies_bouldin::numeric, 3) AS davies_bouldin,
       round(calinski_harabasz::numeric, 1) AS calinski_harabasz, is_elbow, is_best
FROM k_choice
ORDER BY k;

-- 7. Fit with the k of the elbow (or of the best silhouette), and keep the models in a table.

CREATE TABLE fitted (name text PRIMARY KEY, model bytea NOT NULL, fitted_at timestamptz DEFAULT now());

INSERT INTO fitted (name, model)
SELECT 'segments', kmeans_fit(f, (SELECT k FROM k_choice ORDER BY is_elbow DESC, is_best DESC LIMIT 1),
                              '{"exclude": ["customer_id"], "order_by": "monetary"}')
FROM features f;

INSERT INTO fitted (name, model)
SELECT 'rfm', rfm_fit(recency_days, frequency, monetary)
FROM customer_rfm;

SELECT name, length(model) AS bytes, model_info(model) ->> 'algorithm' AS algorithm,
       model_info(model) ->> 'rows' AS rows
FROM fitted
ORDER BY name;

-- 8. Who is in which segment?  The model names its segments by what sets them apart.

CREATE TABLE customer_segments AS
SELECT customer_id, kmeans_predict(model, f) AS cluster
FROM features f, fitted
WHERE name = 'segments';

CREATE TABLE segment_names AS
SELECT DISTINCT cluster, profile.name, size, share
FROM fitted, segment_profile(model) AS profile
WHERE fitted.name = 'segments';

SELECT cluster, name, size, round((100 * share)::numeric, 1) AS percent,
       round((100 * sum(monetary) / sum(sum(monetary)) OVER ())::numeric, 1) AS revenue_percent,
       round(avg(recency_days)::numeric) AS recency_days,
       round(avg(frequency), 1) AS orders,
       round(avg(monetary)::numeric) AS revenue_each
FROM segment_names
JOIN customer_segments USING (cluster)
JOIN customer_rfm USING (customer_id)
GROUP BY cluster, name, size, share
ORDER BY cluster;

-- Why they are called that: z is the distance from the average customer in standard deviations.

SELECT cluster, profile.name, feature, round(z::numeric, 2) AS z, rank
FROM fitted, segment_profile(model) AS profile
WHERE fitted.name = 'segments'
ORDER BY cluster, rank;

-- 9. Score customers that were not there: the models are all it takes.

CREATE VIEW new_customers (customer_id, recency_days, frequency, monetary) AS
VALUES ('first order yesterday', 1.0, 1, 40.0),
       ('a regular', 12.5, 30, 9000.0),
       ('gone for a year', 365.0, 12, 4000.0);

SELECT customer_id, scores.*
FROM new_customers, fitted, rfm_score(model, recency_days, frequency, monetary) AS scores
WHERE name = 'rfm';

CREATE VIEW new_features AS
SELECT customer_id,
       ln(1 + recency_days) AS recency,
       ln(1 + frequency)    AS frequency,
       ln(1 + greatest(monetary, 0)) AS monetary
FROM new_customers;

SELECT customer_id, cluster, segment_names.name AS segment
FROM (SELECT customer_id, kmeans_predict(model, f) AS cluster
      FROM new_features f, fitted
      WHERE name = 'segments') AS scored
JOIN segment_names USING (cluster);
