-- A released format is readable for ever: test/models holds a model of each, made when its format was
-- released, and this is what they said then.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
\getenv srcdir PG_ABS_SRCDIR
\set path :srcdir '/models/kmeans-1.hex'
\set kmeans `cat :'path'`
\set path :srcdir '/models/kmeans-2.hex'
\set kmeans2 `cat :'path'`
\set path :srcdir '/models/kprototypes-1.hex'
\set kprototypes `cat :'path'`
\set path :srcdir '/models/linreg-1.hex'
\set linreg `cat :'path'`
\set path :srcdir '/models/logreg-1.hex'
\set logreg `cat :'path'`
\set path :srcdir '/models/rfm-1.hex'
\set rfm `cat :'path'`
\set path :srcdir '/models/tree-1.hex'
\set tree `cat :'path'`
\set path :srcdir '/models/forest-1.hex'
\set forest `cat :'path'`
\set path :srcdir '/models/boost-1.hex'
\set boost `cat :'path'`
\set path :srcdir '/models/churn-1.hex'
\set churn `cat :'path'`
\set path :srcdir '/models/ltv-1.hex'
\set ltv `cat :'path'`
\set path :srcdir '/models/svdpp-1.hex'
\set svdpp `cat :'path'`
\set path :srcdir '/models/svdpp-1-text.hex'
\set svdpp_text `cat :'path'`
BEGIN;
SELECT plan(43);

CREATE TEMP TABLE samples AS SELECT decode(:'kmeans', 'hex') AS kmeans, decode(:'kmeans2', 'hex') AS kmeans2, decode(:'kprototypes', 'hex') AS kprototypes, decode(:'rfm', 'hex') AS rfm,
    decode(:'linreg', 'hex') AS linreg, decode(:'logreg', 'hex') AS logreg, decode(:'churn', 'hex') AS churn, decode(:'ltv', 'hex') AS ltv;
CREATE TEMP TABLE grown AS SELECT * FROM (VALUES ('tree', decode(:'tree', 'hex')), ('forest', decode(:'forest', 'hex')), ('boost', decode(:'boost', 'hex'))) v (name, model);

SELECT is(model_info(kmeans), '{"k": 3, "rows": 200, "sizes": [57, 68, 75], "n_iter": 67, "inertia": 529.4824751670471, "options":
    {"tol": 0.0001, "init": "k-means++", "seed": 42, "impute": "median", "n_init": 10, "exclude": [], "features": ["age", "income",
    "loyalty_score", "signup_days"], "max_iter": 300, "order_by": "income", "standardize": true, "max_categories": 1000}, "skipped": 0,
    "features": ["age", "income", "loyalty_score", "signup_days"], "algorithm": "kmeans", "converged": true}', 'kmeans 1: info') FROM samples;
SELECT is(md5(string_agg(f::text, ',' ORDER BY position)), 'f11913b7964316295ba4b182ab430692', 'kmeans 1: features') FROM samples, model_features(kmeans) f;
SELECT is(md5(string_agg(c::text, ',' ORDER BY cluster, feature)), '0df0f95e8ecc53f0a1d88dd045e1b632', 'kmeans 1: centroids') FROM samples, kmeans_centroids(kmeans) c;
SELECT is(string_agg(kmeans_predict(kmeans, r) || ' ' || round(kmeans_distance(kmeans, r)::numeric, 12), ', ' ORDER BY age),
    '3 1.940326686073, 3 3.091649682921, 1 3.300983554919', 'kmeans 1: predictions')
FROM samples, (VALUES (25, 30000, 0.2, 1100), (40, 55000, NULL, 1500), (70, 90000, 0.8, 900)) r (age, income, loyalty_score, signup_days);
SELECT is(model_info(rfm), '{"cuts": {"recency": [221.2107986111111, 92.38366898148148, 43.30262731481481, 16.298402777777778],
    "monetary": [564.91, 1469.19, 2430.26, 4235.9], "frequency": [3, 6, 9, 16]}, "rows": 193, "options": {"bins": 5}, "skipped": 0,
    "features": ["recency", "frequency", "monetary"], "segments": {"New": 1, "VIP": 12, "Lost": 36, "Loyal": 20, "At Risk": 18,
    "Champions": 30, "Promising": 1, "Cannot Lose": 4, "Hibernating": 20, "About to Sleep": 12, "Need Attention": 15,
    "Potential Loyalists": 24}, "algorithm": "rfm"}', 'rfm 1: info') FROM samples;
SELECT is(string_agg(rfm_score(rfm, r, f, m)::text, ' ' ORDER BY r), '(5,5,5,555,VIP) (3,3,2,332,"Need Attention") (1,1,1,111,Lost)',
    'rfm 1: scores') FROM samples, (VALUES (1, 40, 9000.0), (400, 1, 12.5), (60, 8, 900)) x (r, f, m);
SELECT is(model_info(kmeans2), model_info(kmeans), 'kmeans 2: info') FROM samples;
SELECT is(model_info(kprototypes), '{"k": 3, "cost": 534.0858984602257, "rows": 200, "gamma": 0.7, "sizes": [55, 63, 82], "n_iter": 32, "options":
    {"tol": 0.0001, "init": "cao", "seed": 42, "gamma": 0.7, "impute": "mean", "n_init": 10, "exclude": [], "features": ["age", "income", "region",
    "education", "loyalty_score"], "max_iter": 300, "order_by": "income", "standardize": true, "max_categories": 1000}, "skipped": 0, "features":
    ["age", "income", "region", "education", "loyalty_score"], "algorithm": "kprototypes", "converged": true}', 'kprototypes 1: info') FROM samples;
SELECT is(md5(string_agg(c::text, ',' ORDER BY cluster, feature COLLATE "C", category COLLATE "C")), '933abc7ccea8400f05f1375ea0dd2000', 'kprototypes 1: centroids') FROM samples, kprototypes_centroids(kprototypes) c;
SELECT is(string_agg(predict_label(kprototypes, r) || ' ' || round(kprototypes_distance(kprototypes, r)::numeric, 12), ', ' ORDER BY age),
    'younger, low income 2.096960567098, high income 1.271439815235, high income 3.136408800044', 'kprototypes 1: names and distances')
FROM samples, (VALUES (25, 30000, 'North', NULL, 0.2), (40, 55000, 'Moon', 'Master', NULL), (70, 90000, 'South', 'Bachelor', 0.8)) r (age, income, region, education, loyalty_score);
SELECT is(model_info(linreg), '{"r2": 0.055617563386286095, "aic": -9.194984690963388, "bic": 33.68314107416108, "f_p": 0.44217846819871837, "rows": 200,
    "task": "regression", "label": "loyalty_score", "sigma": 0.2717965425444398, "terms": 12, "options": {"l2": 0, "leak":
    "warning", "seed": 42, "task": "auto", "impute": "median", "weight": "weight", "exclude": [], "features": ["age", "income",
    "region", "education"], "positive": null, "resample": "none", "standardize": true, "class_weight": "none", "max_categories":
    1000}, "skipped": 0, "features": ["age", "income", "region", "education"], "algorithm": "linreg", "adjusted_r2":
    0.0003611442227178241, "df_residual": 188, "f_statistic": 1.0065357876638508, "dropped_terms": [], "log_likelihood":
    17.597492345481694, "condition_number": 2.470033111598785}', 'linreg 1: info') FROM samples;
SELECT is(md5(string_agg(concat_ws(' ', term, estimate, std_error), ',')), 'f2d77fcb6c86dd6d6efa633d5b032c5f', 'linreg 1: coefficients') FROM samples, linreg_coefficients(linreg, 'HC3') c;
SELECT is(string_agg(round(predict(linreg, r)::numeric, 12)::text, ', ' ORDER BY age), '0.589484351766, 0.552125325724, 0.453160208676', 'linreg 1: predictions')
FROM samples, (VALUES (25, 30000, 'North', NULL), (40, NULL, 'Moon', 'Master'), (70, 90000, 'South', 'Bachelor')) r (age, income, region, education);
SELECT is(model_info(logreg), '{"aic": 344.8213223234752, "bic": 404.19103492133985, "rows": 200, "task": "classification", "label": "spending_power",
    "terms": 9, "n_iter": 6, "classes": [{"rows": 36, "class": "High"}, {"rows": 39, "class": "Low"}, {"rows": 125, "class":
    "Medium"}], "l2_used": 1.5, "options": {"l1": 0, "l2": 1.5, "tol": 0.0000000001, "leak": "warning", "seed": 42, "task":
    "auto", "impute": "mean", "weight": null, "exclude": [], "features": ["age", "income", "region", "loyalty_score"],
    "max_iter": 100, "positive": null, "resample": "none", "standardize": true, "class_weight": "none", "max_categories": 1000},
    "skipped": 0, "deviance": 308.8213223234752, "features": ["age", "income", "region", "loyalty_score"], "algorithm": "logreg",
    "converged": true, "pseudo_r2": 0.1618987424038656, "separated": false, "dropped_terms": [], "null_deviance":
    368.47734032668706, "separating_terms": []}', 'logreg 1: info') FROM samples;
SELECT is(md5(string_agg(concat_ws(' ', class, term, estimate, std_error), ',')), 'd1932ea757a79674674b3b9f379e6d82', 'logreg 1: coefficients') FROM samples, logreg_coefficients(logreg) c;
SELECT is(string_agg(predict_label(logreg, r) || ' ' || round((predict_proba(logreg, r))[2]::numeric, 12), ', ' ORDER BY age),
    'Medium 0.272524610606, Medium 0.358286553578, High 0.001596215922', 'logreg 1: labels and probabilities')
FROM samples, (VALUES (25, 30000, NULL, 0.2), (40, 25000, 'Moon', NULL), (70, 90000, 'South', 0.8)) r (age, income, region, loyalty_score);
CREATE TABLE visitors AS SELECT i AS customer_id, i * 37 % 90 AS recency, i * 11 % 23 AS orders, (ARRAY['web', 'shop', NULL])[1 + i % 3] AS channel,
    i * 37 % 90 - 2 * (i * 11 % 23) + i * 29 % 41 > 40 AS gone, greatest(0, i * 11 % 23 * 20 - i * 37 % 90 * 2 + i * 13 % 17) AS spend FROM generate_series(1, 60) i;
SELECT is(model_info(churn) - '{comparison,log_loss,calibration}'::text[], '{"rows": 60, "task": "classification", "bands": [{"risk": "low", "rows": 26, "churned": 4}, {"risk": "medium", "rows": 4, "churned": 2}, {"risk": "high", "rows": 30, "churned": 27}], "folds": 4, "label": "gone", "method": "logreg", "classes": [{"rows": 27, "class": "false"}, {"rows": 33, "class": "true"}], "grouped": true, "options": {"high": 0.6, "leak": "warning", "seed": 42, "task": "auto", "folds": 4, "group": null, "impute": "mean", "medium": 0.4, "weight": null, "exclude": ["spend"], "features": [], "positive": null, "resample": "none", "standardize": false, "class_weight": "none", "max_categories": 1000}, "skipped": 0, "features": ["recency", "orders", "channel"], "algorithm": "churn"}', 'churn 1: info') FROM samples;
SELECT is(md5((model_info(churn) -> 'comparison')::text || (model_info(churn) ->> 'log_loss') || (model_info(churn) ->> 'calibration')), 'bb05d14f58468f8d5d037b73bef2e370', 'churn 1: how the candidates did') FROM samples;
SELECT is(string_agg(round(churn_predict(churn, v)::numeric, 9) || ' ' || e.risk || ' ' || e.reason_1, ', ' ORDER BY customer_id), '0.478762619 medium orders = 11, 0.923918121 high orders = 1, 0.937679637 high recency = 77', 'churn 1: predictions')
FROM samples, visitors v, churn_explain(churn, v) e WHERE customer_id % 20 = 1;
SELECT is(md5(model_info(ltv)::text), '89004282b4c2d3cf8d316f6e0cc0a6a1', 'ltv 1: info') FROM samples;
SELECT is(string_agg(round(ltv_predict(ltv, v)::numeric, 9)::text, ', ' ORDER BY customer_id), '151.297868723, 0.000000000, 133.535355497', 'ltv 1: predictions') FROM samples, visitors v WHERE customer_id % 20 = 1;
-- the same rows give the same bytes in this version, too
SELECT is(kmeans_fit(c, 3, '{"features": ["age", "income", "loyalty_score", "signup_days"], "order_by": "income", "impute": "median"}'),
    (SELECT kmeans2 FROM samples), 'kmeans 2: made again')
FROM (SELECT age, income, CASE WHEN customer_id % 10 > 0 THEN loyalty_score END AS loyalty_score,
        signup_date - date '2020-01-01' AS signup_days FROM generate_synthetic_customers(200)) c;
SELECT is(rename_segments(kprototypes_fit(c, 3, '{"features": ["age", "income", "region", "education", "loyalty_score"], "order_by": "income", "gamma": 0.7}'), '{"2": "Middle"}'),
    (SELECT kprototypes FROM samples), 'kprototypes 1: made again')
FROM (SELECT age, income, region, CASE WHEN customer_id % 9 > 0 THEN education END AS education, loyalty_score FROM generate_synthetic_customers(200)) c;
SELECT is(rfm_fit((r).recency_days, (r).frequency, (r).monetary, '{"segments": {"VIP": ["5 4-5 5"]}}'),
    (SELECT rfm FROM samples), 'rfm 1: made again')
FROM (SELECT rfm(order_id, purchased_at, amount, '2025-01-01 00:00:00+00') r FROM generate_synthetic_purchases(3000, 200) GROUP BY customer_id) s;
-- exp and log are the machine's, so these models agree in what they say
SELECT ok(count(*) = 12 AND bool_and(abs(a.estimate - b.estimate) <= 1e-9 * abs(b.estimate) AND abs(a.std_error - b.std_error) <= 1e-9 * b.std_error), 'linreg 1: made again')
FROM (SELECT linreg_fit(c, 'loyalty_score', '{"features": ["age", "income", "region", "education"], "weight": "weight", "impute": "median"}') AS model
    FROM (SELECT age, CASE WHEN customer_id % 10 > 0 THEN income END AS income, region, CASE WHEN customer_id % 9 > 0 THEN education END AS education, loyalty_score,
        1 + customer_id % 2 AS weight FROM generate_synthetic_customers(200)) c) m, linreg_coefficients(model, 'HC1') a JOIN (SELECT b.* FROM samples, linreg_coefficients(linreg, 'HC1') b) b USING (term);
SELECT ok(count(*) = 18 AND bool_and(abs(a.estimate - b.estimate) <= 1e-8 * abs(b.estimate) AND abs(a.std_error - b.std_error) <= 1e-8 * b.std_error), 'logreg 1: made again')
FROM (SELECT logreg_fit(c, 'spending_power', '{"features": ["age", "income", "region", "loyalty_score"], "l2": 1.5}') AS model
    FROM (SELECT age, income, CASE WHEN customer_id % 9 > 0 THEN region END AS region, loyalty_score, spending_power FROM generate_synthetic_customers(200)) c) m,
    logreg_coefficients(model) a JOIN (SELECT b.* FROM samples, logreg_coefficients(logreg) b) b USING (class, term);

-- trees: what is said of three customers, all of what is known about the model, and the fit
CREATE TEMP TABLE customers AS
SELECT age, income, region, CASE WHEN customer_id % 9 > 0 THEN education END AS education, loyalty_score, signup_date - date '2020-01-01' AS signup_days,
    income > 45000 - 200 * (age - 40) + 9000 * sin(customer_id) AS buys, CASE WHEN income < 30000 + 3000 * sin(customer_id) THEN 'low' WHEN income < 45000 THEN 'mid' ELSE 'top' END AS band
FROM generate_synthetic_customers(200);
SELECT is(string_agg(round(predict(model, r)::numeric, 10)::text, ' ' ORDER BY age), said, name || ' 1: predictions')
FROM grown JOIN (VALUES ('tree', '0.0000000000 1.0000000000 1.0000000000'), ('forest', '3.0000000000 3.0000000000 2.0000000000'), ('boost', '37320.5312842817 39849.6213504632 37686.6752902032')) s (of, said) ON of = name,
    (VALUES (25, 30000, 'North', NULL, 0.2), (40, 55000, 'Moon', 'Master', NULL), (70, 90000, 'South', 'Bachelor', 0.8)) r (age, income, region, education, loyalty_score)
GROUP BY name, said ORDER BY name;
SELECT is(md5(model_info(model)::text), said, name || ' 1: info')
FROM grown JOIN (VALUES ('tree', '7bd92cb1290575e7a5c98c6d361d63b7'), ('forest', '23d9ae84af520fd50a81eae2ea2ae92d'), ('boost', 'a1f07c01301b95e054efd788fe21f6e8')) s (of, said) ON of = name ORDER BY name;
SELECT is(tree_fit(f, 'buys', '{"features": ["age", "region", "education", "income"], "weight": "signup_days"}'), (SELECT model FROM grown WHERE name = 'tree'), 'tree 1: made again') FROM customers f;
SELECT is(forest_fit(f, 'band', '{"features": ["age", "education", "loyalty_score"], "n_trees": 3, "min_samples_leaf": 10}'), (SELECT model FROM grown WHERE name = 'forest'), 'forest 1: made again') FROM customers f;
SELECT is(boost_fit(f, 'income', '{"features": ["age", "region", "education", "loyalty_score"], "n_trees": 4, "max_leaves": 5, "early_stopping": 3, "subsample": 0.9}'), (SELECT model FROM grown WHERE name = 'boost'), 'boost 1: made again') FROM customers f;

-- recommendations: of bigint ids with everything, of text ids with nothing but factors
CREATE TEMP TABLE recommenders AS SELECT decode(:'svdpp', 'hex') AS svdpp, decode(:'svdpp_text', 'hex') AS svdpp_text;
SELECT is(model_info(svdpp), '{"low": 1, "high": 5, "mean": 3.0125, "rows": 160, "epochs": 4, "id_type": "bigint", "n_items": 12, "n_users": 40, "options":
    {"lr": 0.007, "reg": 0.02, "clip": true, "seed": 42, "lr_bi": 0.007, "lr_bu": 0.007, "lr_pu": 0.007, "lr_qi": 0.007, "lr_yj": 0.007, "biased": true,
    "reg_bi": 0.02, "reg_bu": 0.02, "reg_pu": 0.02, "reg_qi": 0.02, "reg_yj": 0.02, "holdout": 0.2, "implicit": "none", "init_std": 0.1, "n_epochs": 4,
    "init_mean": 0, "n_factors": 3, "transform": "none", "duplicates": "mean", "early_stopping": 0, "implicit_feedback": true}, "skipped": 0, "verdict":
    {"z": 2.545768079018741, "mae": 0.8257141192754109, "rmse": 1.0744037859251523, "ratings": 30, "verdict": "better than the item mean", "biases_rmse":
    1.143231366553898, "item_mean_rmse": 1.1942604813699536, "global_mean_rmse": 1.0366437080862414}, "features": [], "algorithm": "svdpp", "n_ratings": 160,
    "train_rmse": 1.240910992672298}', 'svdpp 1: info') FROM recommenders;
SELECT is(model_info(svdpp_text), '{"low": 0, "high": 2.1972246170043945, "mean": 0, "rows": 32, "epochs": 3, "id_type": "text", "n_items": 8, "n_users": 12,
    "options": {"lr": 0.007, "reg": 0.02, "clip": false, "seed": 42, "lr_bi": 0.007, "lr_bu": 0.007, "lr_pu": 0.007, "lr_qi": 0.007, "lr_yj": 0.007, "biased":
    false, "reg_bi": 0.02, "reg_bu": 0.02, "reg_pu": 0.02, "reg_qi": 0.02, "reg_yj": 0.02, "holdout": 0, "implicit": "purchases", "init_std": 0.1, "n_epochs": 3,
    "init_mean": 0, "n_factors": 10, "transform": "log1p", "duplicates": "sum", "early_stopping": 0, "implicit_feedback": false}, "skipped": 0, "verdict":
    {"z": null, "mae": null, "rmse": null, "ratings": 0, "verdict": "not tested", "biases_rmse": null, "item_mean_rmse": null, "global_mean_rmse": null},
    "features": [], "algorithm": "svdpp", "n_ratings": 32, "train_rmse": 1.5967657652404985}', 'svdpp 1 of texts: info') FROM recommenders;
SELECT is(string_agg(round(svdpp_predict(svdpp, u, i)::numeric, 12)::text, ', ' ORDER BY u, i),
    '3.171029253479, 3.208938598859, 2.971072823554, 2.946985086448, 3.213882473111, 3.012500000000', 'svdpp 1: predictions')
FROM recommenders, (VALUES (1, 1), (17, 4), (40, 12), (17, 99), (99, 4), (99, 99)) v (u, i);
SELECT is(string_agg(round(svdpp_predict(svdpp_text, u, i)::numeric, 12)::text, ', ' ORDER BY u COLLATE "C", i COLLATE "C"),
    '0.000000000000, 0.022012045792, 0.000000000000, -0.058572165606', 'svdpp 1 of texts: predictions')
FROM recommenders, (VALUES ('C-1', 'Größe 1'), ('C-12', 'Größe 4'), ('C-12', '?'), ('?', 'Größe 4')) v (u, i);
SELECT is(md5(string_agg(f::text, ',')), '901b9c304f6ab3cf32ced543be19db4d', 'svdpp 1: factors') FROM recommenders, svdpp_factors(svdpp) f;
SELECT is(md5(string_agg(f::text, ',')), '43dc5fd1e3ef3bfcfd7bb8b2c278f75d', 'svdpp 1 of texts: factors') FROM recommenders, svdpp_factors(svdpp_text, NULL::text) f;
SELECT is(string_agg(concat_ws(' ', source, item_id, round(contribution::numeric, 12)), ', '), 'mean 3.012500000000, user bias -0.041427176446, item bias 0.201382473111, factors 0.007482622286, item 8 0.016707382985, item 2 0.006631999260, item 5 0.004525411737, item 11 0.001135885926', 'svdpp 1: what an item adds') FROM recommenders, svdpp_explain(svdpp, 17, 4);
SELECT is(string_agg(concat_ws(' ', epoch, round(train_rmse::numeric, 12), round(holdout_rmse::numeric, 12)), ', '), '1 1.335269411200 1.043030445819, 2 1.315238929074 1.052331227227, 3 1.298552929453 1.062930337035, 4 1.284537619431 1.074403785925', 'svdpp 1: history') FROM recommenders, svdpp_history(svdpp);

SELECT * FROM finish();
ROLLBACK;
