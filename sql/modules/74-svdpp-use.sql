-- What a model of svdpp_train predicts, and what it is made of.

CREATE FUNCTION svdpp_predict(model bytea, user_id bigint, item_id bigint) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_svdpp_predict_bigint'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION svdpp_predict(bytea, bigint, bigint) IS
'The rating that a model of svdpp_train predicts of a user for an item.

The prediction is mean + user bias + item bias + q_item . (p_user + what the items of the user say); svdpp_explain shows the terms. It is on the scale the model was trained on: ratings are ratings, and a model of amounts (option implicit = "purchases", or transform = "log1p") predicts their log1p, of which exp(x) - 1 is the amount. With option clip (the default) it stays within the range of the training ratings.

A user or an item that the model does not know leaves out its terms: the mean and the bias of the one that is known, or the mean alone (0 for a model without biases). Items that the user has are predicted like others.

user_id, item_id: ids as in training. For ids that are text see svdpp_predict(bytea, text, text). Rows that come user by user are scored fastest.

NULL when an argument is NULL.

Errors: a model of another kind, a model whose ids are text (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000).

Source: Koren, Factorization meets the neighborhood, KDD 2008, equation 15.

Example: SELECT r.user_id, r.item_id, svdpp_predict((SELECT model_load(''recommender'')), r.user_id, r.item_id) FROM ratings r ORDER BY r.user_id';

CREATE FUNCTION svdpp_predict(model bytea, user_id text, item_id text) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_svdpp_predict_text'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION svdpp_predict(bytea, text, text) IS
'svdpp_predict for a model whose ids are text; see svdpp_predict(bytea, bigint, bigint). Ids are the same when their bytes are.

Errors: a model whose ids are bigint (22023); otherwise as there.

Example: SELECT svdpp_predict((SELECT model_load(''shop'')), ''C-17'', ''SKU-4711'')';

CREATE FUNCTION svdpp_explain(model bytea, user_id bigint, item_id bigint)
    RETURNS TABLE (source text, item_id bigint, contribution float8)
    AS 'MODULE_PATHNAME', 'rml_svdpp_explain_bigint'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION svdpp_explain(bytea, bigint, bigint) IS
'Why a model of svdpp_train predicts what svdpp_predict gives: the terms of the prediction, a row each. Their contributions add up to it.

source: "mean" of the training ratings; "user bias" and "item bias", how far the user rates and the item is rated above it; "factors", what the user''s own factors say about the item; "item", a row for each item the user has, named in item_id (NULL in all other rows): what having it adds to the prediction, or takes from it; "limit", only where option clip changed the prediction: what it was cut by. They come in this order, items by contribution, the largest first.

An item the user has may be the one that is asked about; its row says what having it adds, as that of any other.

Left out: both biases in a model without them (option biased; its mean is 0), the items in a model without implicit feedback, and whatever needs a user or an item that the model does not know.

user_id, item_id: ids as in training. For ids that are text see svdpp_explain(bytea, text, text).

NULL: no rows when an argument is NULL.

Errors: those of svdpp_predict.

Example: SELECT e.* FROM svdpp_explain(model_load(''recommender''), 17, 4711) e';

CREATE FUNCTION svdpp_explain(model bytea, user_id text, item_id text)
    RETURNS TABLE (source text, item_id text, contribution float8)
    AS 'MODULE_PATHNAME', 'rml_svdpp_explain_text'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION svdpp_explain(bytea, text, text) IS
'svdpp_explain for a model whose ids are text; see svdpp_explain(bytea, bigint, bigint). Ids are the same when their bytes are.

Example: SELECT e.* FROM svdpp_explain(model_load(''shop''), ''C-17'', ''SKU-4711'') e';

CREATE FUNCTION svdpp_factors(model bytea)
    RETURNS TABLE (side text, id bigint, bias float8, factors float8[], implicit float8[])
    AS 'MODULE_PATHNAME', 'rml_svdpp_sql_factors'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000 ROWS 10000;
COMMENT ON FUNCTION svdpp_factors(bytea) IS
'What a model of svdpp_train has learnt: a row for each user and each item, for other tools to work on (neighbours, clusters, maps).

side: "user" or "item". id: ascending within a side, users first. bias: how far the user rates, or the item is rated, above the mean (NULL in a model without biases). factors: of a user what it likes, p; of an item what it is like, q. implicit: of a user what its items say about it, the sum of their y over the square root of their number; of an item y itself (NULL in a model without implicit feedback). With them the prediction of svdpp_predict, before option clip, is mean + both biases + the scalar product of the item''s factors and the user''s factors + implicit.

For a model whose ids are text see svdpp_factors(bytea, anyelement).

NULL: no rows for a NULL model.

Errors: a model with text ids, a model of another kind (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000).

Example: SELECT f.id, f.bias, f.factors FROM svdpp_factors(model_load(''recommender'')) f WHERE f.side = ''item''';

CREATE FUNCTION svdpp_factors(model bytea, id_type anyelement)
    RETURNS TABLE (side text, id anyelement, bias float8, factors float8[], implicit float8[])
    AS 'MODULE_PATHNAME', 'rml_svdpp_sql_factors'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 10000;
COMMENT ON FUNCTION svdpp_factors(bytea, anyelement) IS
'svdpp_factors for ids of any kind; see svdpp_factors(bytea).

id_type: says by its type alone what id is: NULL::text, which a model with text ids needs and any model takes, or NULL::bigint.

Errors: a model with text ids and id_type bigint, another type of id_type (22023); otherwise as there.

Example: SELECT f.id, f.factors FROM svdpp_factors(model_load(''shop''), NULL::text) f';

CREATE FUNCTION svdpp_history(model bytea)
    RETURNS TABLE (epoch int, train_rmse float8, holdout_rmse float8)
    AS 'MODULE_PATHNAME', 'rml_svdpp_sql_history'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION svdpp_history(bytea) IS
'How the training of svdpp_train went, a row for each epoch from 1 on.

train_rmse: root mean squared error over the training ratings, each as it was predicted just before the model learnt from it. holdout_rmse: that of the ratings held out, after the epoch; NULL when none were (option holdout = 0, or too few ratings). The errors are those of the run that was tested; with a hold-out the model itself was then trained on all ratings.

When holdout_rmse rises again while train_rmse falls, the model learns by heart: fewer epochs (option early_stopping finds how many), fewer factors or more regularization help.

NULL: no rows for a NULL model.

Errors: a model of another kind (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000).

Example: SELECT h.* FROM svdpp_history(model_load(''recommender'')) h ORDER BY h.epoch';
