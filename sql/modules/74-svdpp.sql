-- SVD++: recommendations learnt from ratings or purchases.

-- ---- the state of what learns from ratings

CREATE FUNCTION rating_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rating_combine'
    LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rating_combine(internal, internal) IS
'Combine function of the aggregates that learn from ratings; not for direct use.';

CREATE FUNCTION rating_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_rating_serialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rating_serialize(internal) IS
'Serialization function of the aggregates that learn from ratings; not for direct use.';

CREATE FUNCTION rating_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_rating_deserialize'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION rating_deserialize(bytea, internal) IS
'Deserialization function of the aggregates that learn from ratings; not for direct use.';

-- ---- training

CREATE FUNCTION svdpp_train_accum(internal, bigint, bigint, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_train_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION svdpp_train_accum(internal, bigint, bigint, float8) IS
'Transition function of svdpp_train; not for direct use.';

CREATE FUNCTION svdpp_train_accum(internal, bigint, bigint, float8, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_train_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION svdpp_train_accum(internal, bigint, bigint, float8, jsonb) IS
'Transition function of svdpp_train; not for direct use.';

CREATE FUNCTION svdpp_train_accum(internal, text, text, float8) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_train_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION svdpp_train_accum(internal, text, text, float8) IS
'Transition function of svdpp_train; not for direct use.';

CREATE FUNCTION svdpp_train_accum(internal, text, text, float8, jsonb) RETURNS internal
    AS 'MODULE_PATHNAME', 'rml_svdpp_train_accum'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION svdpp_train_accum(internal, text, text, float8, jsonb) IS
'Transition function of svdpp_train; not for direct use.';

CREATE FUNCTION svdpp_train_final(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'rml_svdpp_train_final'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION svdpp_train_final(internal) IS
'Final function of svdpp_train; not for direct use.';

CREATE AGGREGATE svdpp_train(user_id bigint, item_id bigint, rating float8, options jsonb) (
    SFUNC = svdpp_train_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_train_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_train(bigint, bigint, float8, jsonb) IS
'A recommender learnt from ratings or purchases, as bytea: SVD++, matrix factorization that also learns from what a user has at all. svdpp_predict and svdpp_recommend use it.

user_id, item_id: who and what; a user and an item may have the same number. rating: stars, or with option implicit = "purchases" an amount (pieces, money, visits). For ids that are text see svdpp_train(text, text, float8, jsonb).

A prediction is mean + user bias + item bias + q_item . (p_user + sum of y_j over the n items j the user has / sqrt(n)), with vectors of n_factors numbers for every user and two for every item. They are found by stochastic gradient descent on squared error plus regularization, user by user in an order drawn by the seed.

Options (jsonb object)
  implicit           "none": values are ratings (default); "purchases": they are amounts, so duplicates is "sum" and transform "log1p" unless given
  duplicates         several rows of one user and item: "mean" (default), "sum", "last" in the order of the rows (give one: svdpp_train(u, i, r ORDER BY time)), or "error"
  transform          "none" (default), or "log1p": the logarithm of 1 + value is learnt and predicted, for amounts whose few large ones would otherwise be all that is learnt
  n_factors          length of the vectors, 1 .. 1000 (20)
  n_epochs           passes over the ratings, 1 .. 10000 (20)
  lr, reg            learning rate (0.007) and regularization (0.02) of everything; lr_bu, lr_bi, lr_pu, lr_qi, lr_yj and reg_bu, ... of user biases, item biases, p, q and y alone ("auto": as of everything)
  init_mean, init_std  p, q and y begin normally distributed with this mean (0) and standard deviation (0.1)
  biased             false: no mean and no biases (true)
  implicit_feedback  false: without the sum of y_j, which is plain SVD (true)
  clip               predictions stay within the range of the training ratings (true)
  holdout            share of the ratings that a first run is tested on, 0 .. 0.5 (0.1); the model itself learns from all. Which ones follows from ids and seed. 0: not tested, and twice as fast
  early_stopping     stop when the error on the held-out ratings has not become smaller for so many epochs, and train the model for the best number of them (0: never)
  seed               (42)

model_info shows the test: errors on the held-out ratings beside those of the mean, the item''s mean and the biases, and the verdict: "better than the item mean", or that it is not by more than chance explains. svdpp_history shows errors by epoch.

Rows in which user_id, item_id or rating is NULL, or rating is NaN, are left out and counted (skipped in model_info). NULL when none is left.

The same ratings and options give the same bytes, whatever the order of rows (except for duplicates = "last"), the plan or the number of threads. A rating and its time grow linearly with the rows.

Errors: an infinite rating (22003); an unknown option or a value out of range, early_stopping without holdout, a user who has an item twice under duplicates = "error", an amount of -1 or less under log1p, factors that grow without bound (22023); more memory than retailml.max_memory: about 28 bytes a row, then 30 a rating (53400); a model larger than 1 GB, or more ratings than one parallel worker can pass on (54000).

Source: Koren, Factorization meets the neighborhood: a multifaceted collaborative filtering model, KDD 2008, equation 15. As accurate as SVDpp of Surprise.

Example: SELECT svdpp_train(customer_id, product_id, quantity, ''{"implicit": "purchases"}'') FROM order_lines';

CREATE AGGREGATE svdpp_train(user_id bigint, item_id bigint, rating float8) (
    SFUNC = svdpp_train_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_train_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_train(bigint, bigint, float8) IS
'svdpp_train with the default options; see svdpp_train(bigint, bigint, float8, jsonb).

Example: SELECT region, svdpp_train(customer_id, product_id, stars) FROM reviews GROUP BY region';

CREATE AGGREGATE svdpp_train(user_id text, item_id text, rating float8, options jsonb) (
    SFUNC = svdpp_train_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_train_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_train(text, text, float8, jsonb) IS
'svdpp_train for ids that are text; see svdpp_train(bigint, bigint, float8, jsonb). Ids are the same when their bytes are; the empty text is an id like others. Where one of the two is a number, cast it: customer_id::text.

Example: SELECT svdpp_train(email, sku, stars, ''{"seed": 7}'') FROM reviews';

CREATE AGGREGATE svdpp_train(user_id text, item_id text, rating float8) (
    SFUNC = svdpp_train_accum, STYPE = internal, SSPACE = 10240,
    FINALFUNC = svdpp_train_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = rating_combine, SERIALFUNC = rating_serialize,
    DESERIALFUNC = rating_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE svdpp_train(text, text, float8) IS
'svdpp_train for ids that are text, with the default options; see svdpp_train(bigint, bigint, float8, jsonb).

Example: SELECT svdpp_train(email, sku, stars) FROM reviews';
