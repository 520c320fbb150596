-- From the same log to products that customers may want next, with reasons.
--
-- Starts from the tables purchases_checked and fitted of docs/tutorial.sql, and from the table
-- products_raw (product_id, product, category) beside the log.  `make demo` runs this file after
-- docs/tutorial-churn.sql; docs/tutorial-recommend.md explains it.

SET search_path = tutorial, retailml, public;

-- 1. A row for each customer and product: what was spent on it in all.

CREATE TABLE customer_products AS
SELECT customer_id, product_id, sum(amount)::float8 AS amount
FROM purchases_checked
WHERE problem IS NULL AND product_id IS NOT NULL
GROUP BY customer_id, product_id;

-- How popular is a product?

CREATE TABLE product_popularity AS
SELECT item_id AS product_id, buyers, units AS revenue, rank
FROM (SELECT item_popularity(product_id, amount) AS items FROM customer_products) AS log, unnest(items);

SELECT rank, product, category, buyers, round(revenue::numeric) AS revenue
FROM product_popularity JOIN products_raw USING (product_id)
ORDER BY rank
LIMIT 5;

-- Little can be learnt of products that fewer than one customer in a hundred has.

CREATE VIEW pairs AS
SELECT customer_id, product_id, amount
FROM customer_products JOIN product_popularity USING (product_id)
WHERE 100 * buyers >= (SELECT count(DISTINCT customer_id) FROM customer_products);

SELECT count(*) AS pairs, count(DISTINCT customer_id) AS customers, count(DISTINCT product_id) AS products,
       round(100.0 * count(*) / (count(DISTINCT customer_id) * count(DISTINCT product_id)), 1) AS percent_of_all
FROM pairs;

-- 2. Which settings, and is it better than no model?  Three folds; the data are read once.

CREATE TABLE recommender_choice AS
SELECT cell.*
FROM (SELECT svdpp_cross_validate(customer_id, product_id, amount,
          '{"implicit": "purchases", "ranking": 5, "grid": {"n_factors": [5, 20], "n_epochs": [20, 60]}}') AS cells
      FROM pairs) AS run, unnest(cells) AS cell;

SELECT rank, method, params ->> 'n_factors' AS factors, params ->> 'n_epochs' AS epochs, round(rmse::numeric, 3) AS rmse,
       round(mae::numeric, 3) AS mae, round(precision_at_n::numeric, 3) AS precision_at_5,
       round(recall_at_n::numeric, 3) AS recall_at_5, round(coverage::numeric, 2) AS coverage
FROM recommender_choice
ORDER BY rank, cell;

-- 3. Train with the best.  Amounts are learnt as ln(1 + amount).

INSERT INTO fitted (name, model)
SELECT 'recommender', svdpp_train(customer_id, product_id, amount,
                                  (SELECT params || '{"implicit": "purchases"}' FROM recommender_choice WHERE is_best))
FROM pairs;

SELECT v ->> 'verdict' AS verdict, v ->> 'ratings' AS pairs, round((v ->> 'rmse')::numeric, 3) AS rmse,
       round((v ->> 'biases_rmse')::numeric, 3) AS biases, round((v ->> 'item_mean_rmse')::numeric, 3) AS item_mean,
       round((v ->> 'z')::numeric, 1) AS z
FROM (SELECT model_info(model) -> 'verdict' AS v FROM fitted WHERE name = 'recommender') AS info;

SELECT epoch, round(train_rmse::numeric, 3) AS train_rmse, round(holdout_rmse::numeric, 3) AS holdout_rmse
FROM fitted, svdpp_history(model)
WHERE name = 'recommender' AND (epoch = 1 OR epoch % 10 = 0)
ORDER BY epoch;

-- 4. How much is not whether.  A fifth of the pairs is hidden from a second model; which list of five finds them?

CREATE TABLE trial AS
SELECT *, fold(customer_id || ' ' || product_id) = 1 AS hidden
FROM pairs;

INSERT INTO fitted (name, model)
SELECT 'trial', svdpp_train(customer_id, product_id, amount,
                            (SELECT params || '{"implicit": "purchases", "holdout": 0}' FROM recommender_choice WHERE is_best))
FROM trial
WHERE NOT hidden;

CREATE TABLE trial_offers AS
WITH customers AS (SELECT customer_id FROM trial WHERE hidden GROUP BY customer_id ORDER BY md5(customer_id) LIMIT 500),
     popular AS (SELECT product_id, count(*) AS buyers FROM trial WHERE NOT hidden GROUP BY product_id),
     lists AS
         (SELECT 1 AS place, 'popularity' AS by, customer_id, product_id
          FROM customers AS c, LATERAL (SELECT product_id FROM popular AS p
                                        WHERE NOT EXISTS (SELECT FROM trial AS t WHERE NOT hidden AND (t.customer_id, t.product_id) = (c.customer_id, p.product_id))
                                        ORDER BY buyers DESC, product_id LIMIT 5) AS five
          UNION ALL
          SELECT 2, 'predicted amount', customer_id, item_id
          FROM customers, fitted, svdpp_recommend(model, customer_id, 5, '{"rank_by": "prediction"}') WHERE name = 'trial'
          UNION ALL
          SELECT 3, 'expected value', customer_id, item_id
          FROM customers, fitted, svdpp_recommend(model, customer_id, 5) WHERE name = 'trial')
SELECT place, by, product_id, hidden IS NOT NULL AS hit, coalesce(amount, 0) AS amount
FROM lists LEFT JOIN trial USING (customer_id, product_id);

SELECT by, count(*) AS offers, count(*) FILTER (WHERE hit) AS hits, round(avg(hit::int), 3) AS precision_at_5,
       round(avg(amount)::numeric, 2) AS revenue_per_offer, count(DISTINCT product_id) AS products
FROM trial_offers
GROUP BY place, by
ORDER BY place;

-- 5. Five products for three customers: who spent most, who is in the middle, and who has just come.

CREATE TABLE three_customers AS
WITH spending AS (SELECT customer_id, row_number() OVER (ORDER BY sum(amount) DESC, customer_id) AS place,
                         count(*) OVER () AS customers
                  FROM pairs
                  GROUP BY customer_id)
SELECT 1 AS no, 'spent most' AS who, customer_id FROM spending WHERE place = 1
UNION ALL
SELECT 2, 'in the middle', customer_id FROM spending WHERE place = (customers + 1) / 2
UNION ALL
SELECT 3, 'new', 'somebody new';

CREATE TABLE offers AS
SELECT no, customer_id, rank, item_id AS product_id, score, exp(score) - 1 AS amount, reason
FROM three_customers, fitted,
     svdpp_recommend(model, customer_id, 5,
                     jsonb_build_object('names', (SELECT jsonb_object_agg(product_id, product) FROM products_raw)))
WHERE name = 'recommender';

-- What share of a customer's money goes to a category?

CREATE TABLE category_interest AS
SELECT customer_id, category, sum(amount) / sum(sum(amount)) OVER (PARTITION BY customer_id) AS share
FROM customer_products JOIN products_raw USING (product_id)
WHERE category IS NOT NULL
GROUP BY customer_id, category;

-- In words, for the people who write the letters.

SELECT who, offers.rank, product,
       concat_ws(', ',
                 round((100 * share)::numeric) || ' % of spending is ' || category,
                 format('bought by %s of %s customers', buyers, customers),
                 format('would spend about %s', round(amount::numeric))) AS reasons
FROM offers
JOIN three_customers USING (no, customer_id)
JOIN products_raw USING (product_id)
JOIN product_popularity USING (product_id)
LEFT JOIN category_interest USING (customer_id, category)
CROSS JOIN (SELECT count(DISTINCT customer_id) AS customers FROM customer_products) AS c
ORDER BY no, rank;

-- svdpp_recommend has a reason of its own: the products of the customer that speak for this one.

SELECT who, product, reason
FROM offers JOIN three_customers USING (no, customer_id) JOIN products_raw USING (product_id)
WHERE no = 2 OR rank = 1
ORDER BY no, rank;

-- Every number is one that plain SQL gives: the first offer again, from the purchases and the factors.

WITH bought AS (SELECT * FROM purchases_checked JOIN products_raw USING (product_id) WHERE problem IS NULL),
     factors AS (SELECT f.* FROM fitted, svdpp_factors(model, NULL::text) AS f WHERE name = 'recommender')
SELECT (SELECT round(100 * sum(amount) FILTER (WHERE b.category = p.category) / sum(amount))
        FROM bought AS b WHERE b.customer_id = offers.customer_id) AS percent_of_spending,
       (SELECT count(DISTINCT b.customer_id) FROM bought AS b WHERE b.product_id = offers.product_id) AS buyers,
       round((SELECT exp((model_info(model) ->> 'mean')::float8 + u.bias + i.bias + sum(q * (p + y))) - 1
              FROM unnest(i.factors, u.factors, u.implicit) AS f (q, p, y))::numeric) AS would_spend
FROM offers JOIN products_raw AS p USING (product_id), fitted, factors AS u, factors AS i
WHERE no = 1 AND rank = 1 AND name = 'recommender'
  AND u.side = 'user' AND u.id = customer_id AND i.side = 'item' AND i.id = product_id;

-- 6. Why that amount?  All parts of the prediction; they add up to it.

CREATE TABLE parts AS
SELECT source, item_id AS product_id, contribution,
       row_number() OVER (PARTITION BY source ORDER BY contribution DESC, item_id) AS place
FROM offers, fitted, svdpp_explain(model, customer_id, product_id)
WHERE no = 1 AND rank = 1 AND name = 'recommender';

SELECT part, count(*) AS rows, round(sum(contribution)::numeric, 3) AS contribution
FROM parts LEFT JOIN products_raw USING (product_id),
     LATERAL (SELECT CASE WHEN source <> 'item' THEN source WHEN place <= 3 THEN 'has ' || product
                          ELSE 'has other products' END AS part) AS named
GROUP BY part
ORDER BY min(array_position('{mean,user bias,item bias,factors,item,limit}', source)), min(place);

SELECT round(sum(contribution)::numeric, 6) AS sum_of_parts, round(score::numeric, 6) AS score
FROM parts, offers
WHERE no = 1 AND rank = 1
GROUP BY score;

-- 7. Everybody, for the dashboard.

CREATE TABLE all_offers AS
SELECT user_id AS customer_id, rank, item_id AS product_id, exp(score) - 1 AS amount
FROM fitted, svdpp_recommend_all(model, 5, '{}', NULL::text)
WHERE name = 'recommender';

SELECT product, category, count(*) AS offered, buyers, round(avg(amount)::numeric) AS would_spend
FROM all_offers JOIN products_raw USING (product_id) JOIN product_popularity USING (product_id)
GROUP BY product_id, product, category, buyers
ORDER BY offered DESC, product_id
LIMIT 5;

-- 8. What is like it?  For the page of a product in the shop.

SELECT s.rank, likes.product, likes.category, round(similarity::numeric, 3) AS similarity, s.buyers
FROM offers, fitted, svdpp_similar_items(model, product_id, 5, '{"min_popularity": 20}') AS s
JOIN products_raw AS likes ON likes.product_id = item_id
WHERE no = 1 AND offers.rank = 1 AND name = 'recommender'
ORDER BY s.rank;
