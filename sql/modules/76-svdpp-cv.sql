-- Choosing the settings of a recommender.

CREATE TYPE svdpp_cv_cell AS (
    cell int,
    method text,
    params jsonb,
    rmse float8,
    rmse_sd float8,
    mae float8,
    mae_sd float8,
    precision_at_n float8,
    recall_at_n float8,
    ndcg_at_n float8,
    coverage float8,
    folds int,
    rank int,
    is_best boolean);
COMMENT ON TYPE svdpp_cv_cell IS
'One row of svdpp_cross_validate: cell, its number; method, "svd++", "svd" (without implicit feedback), or a baseline: "global mean", "item mean", "user + item", "popularity"; params, what the grid says of the cell (NULL: a baseline); rmse, mae, means over the folds, and their standard deviations (of the population); precision_at_n, recall_at_n, ndcg_at_n, coverage, means over the folds (NULL without option ranking); folds; rank by the metric, 1 the best (NULL: it has none); is_best, whether it is the best cell of the grid.';

CREATE FUNCTION svdpp_cross_validate_accum(internal, bigint, bigint, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION svdpp_cross_validate_accum(internal, bigint, bigint, float8) IS
'Transition function of svdpp_cross_validate; not for direct use.';

CREATE FUNCTION svdpp_cross_validate_accum(internal, bigint, bigint, float8, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION svdpp_cross_validate_accum(internal, bigint, bigint, float8, jsonb) IS
'Transition function of svdpp_cross_validate; not for direct use.';

CREATE FUNCTION svdpp_cross_validate_accum(internal, text, text, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION svdpp_cross_validate_accum(internal, text, text, float8) IS
'Transition function of svdpp_cross_validate; not for direct use.';

CREATE FUNCTION svdpp_cross_validate_accum(internal, text, text, float8, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_cross_validate_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION svdpp_cross_validate_accum(internal, text, text, float8, jsonb) IS
'Transition function of svdpp_cross_validate; not for direct use.';

CREATE FUNCTION svdpp_cross_validate_final(internal) RETURNS svdpp_cv_cell[]
    AS 'MODULE_PATHNAME', 'rml_svdpp_cross_validate_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION svdpp_cross_validate_final(internal) IS
'Final function of svdpp_cross_validate; not for direct use.';

CREATE AGGREGATE svdpp_cross_validate(user_id bigint, item_id bigint, rating float8, options jsonb) (
    SFUNC = svdpp_cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_cross_validate(bigint, bigint, float8, jsonb) IS
'How good recommenders are on ratings they have not seen, for one setting of svdpp_train or for every combination of a grid, beside predictions that need no factors: K-fold cross-validation, as an array with an element for each cell and each baseline; unnest gives the rows.

Rows are merged to one rating for each user and item first, as in svdpp_train, so a pair is in one fold. For each fold every cell is trained on the other ratings and predicts those of the fold; so do the baselines: "global mean", "item mean", and "user + item" (biases shrunk towards 0, ten rounds of alternating least squares as in BaselineOnly of Surprise). The fold of a rating follows from its ids and the seed: it stays the same when other ratings come and go. Errors are on the scale of the training (log1p for purchases), predictions clipped to the range of the ratings.

user_id, item_id, rating: as in svdpp_train. For ids that are text see svdpp_cross_validate(text, text, float8, jsonb).

Options (jsonb object)
  folds     2 .. 100 (3)
  grid      an object of arrays of values to try, for any option of svdpp_train except seed, duplicates, transform, implicit, clip; at most 1000 cells
  ranking   n: judge the first n of a ranking as well (0: no). For every user with a relevant rating in the fold, all items without a training rating are ranked, by prediction or, if the user has none, by buyers as in svdpp_recommend: precision_at_n, recall_at_n, ndcg_at_n (binary gains) are means over these users, coverage is the share of items that are recommended to anybody. "popularity" becomes a baseline; it predicts no rating
  relevant  a rating of a fold is relevant from this value on ("auto": all are), before the transform
  metric    what ranks the rows: "rmse" (default), "mae", "precision_at_n", "recall_at_n", "ndcg_at_n", "coverage"
All other options of svdpp_train are accepted as fixed values, except holdout and early_stopping: the folds are what is held out.

A cell whose factors grow without bound has no measures and no rank, and a NOTICE says so. Rows without user, item or rating are left out. NULL when none is left. The same ratings and options give the same result, whatever the order of rows (except for duplicates = "last"), the plan or the number of threads.

Errors: an unknown option or a value out of range, a fold without a rating (22023); more than 1000 cells (54000); more memory than retailml.max_memory (53400); what svdpp_train refuses in the ratings. With GROUP BY one group with a fold without a rating ends the whole statement. Ratings fall into folds by chance: with 20 pairs of user and item for each fold less than one group in a million has an empty one. Ask for fewer folds, or leave small groups out before they are aggregated (HAVING beside the aggregate comes too late, all aggregates are computed by then), for three folds by WHERE region IN (SELECT region FROM ratings GROUP BY region HAVING count(DISTINCT (user_id, item_id)) >= 60).

Source: Stone, Cross-validatory choice and assessment of statistical predictions, JRSS B 1974; Jarvelin and Kekalainen, Cumulated gain-based evaluation of IR techniques, ACM TOIS 2002. Method: docs/algorithms/svdpp.md

Example: SELECT c.* FROM (SELECT svdpp_cross_validate(customer_id, product_id, quantity, ''{"implicit": "purchases", "grid": {"n_factors": [5, 20], "reg": [0.02, 0.1]}}'') AS cells FROM order_lines) s, unnest(cells) c ORDER BY rank';

CREATE AGGREGATE svdpp_cross_validate(user_id bigint, item_id bigint, rating float8) (
    SFUNC = svdpp_cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_cross_validate(bigint, bigint, float8) IS
'svdpp_cross_validate with the default options: three folds, one cell; see svdpp_cross_validate(bigint, bigint, float8, jsonb).

Example: SELECT c.* FROM (SELECT svdpp_cross_validate(customer_id, film_id, stars) AS cells FROM reviews) s, unnest(cells) c ORDER BY rank';

CREATE AGGREGATE svdpp_cross_validate(user_id text, item_id text, rating float8, options jsonb) (
    SFUNC = svdpp_cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_cross_validate(text, text, float8, jsonb) IS
'svdpp_cross_validate for ids that are text; see svdpp_cross_validate(bigint, bigint, float8, jsonb). Where one of the two is a number, cast it: customer_id::text.

Example: SELECT c.* FROM (SELECT svdpp_cross_validate(email, sku, stars, ''{"folds": 5}'') AS cells FROM reviews) s, unnest(cells) c ORDER BY rank';

CREATE AGGREGATE svdpp_cross_validate(user_id text, item_id text, rating float8) (
    SFUNC = svdpp_cross_validate_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_cross_validate_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_cross_validate(text, text, float8) IS
'svdpp_cross_validate for ids that are text, with the default options; see svdpp_cross_validate(bigint, bigint, float8, jsonb).

Example: SELECT c.* FROM (SELECT svdpp_cross_validate(email, sku, stars) AS cells FROM reviews) s, unnest(cells) c ORDER BY rank';
