-- What to offer to whom, and which items are alike, by a model of svdpp_train.

CREATE FUNCTION svdpp_recommend(model bytea, user_id bigint, n int DEFAULT 5, options jsonb DEFAULT '{}')
    RETURNS TABLE (rank int, item_id bigint, score float8, reason text)
    AS 'MODULE_PATHNAME', 'rml_svdpp_recommend_bigint'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION svdpp_recommend(bytea, bigint, int, jsonb) IS
'The n items to offer to a user, best first, each with a reason in words.

A user the model knows gets the best items among those the user does not have. score: the prediction, as svdpp_predict gives it. Models of ratings rank items by it. A model of amounts ({"implicit": "purchases"}, transform "log1p") predicts how much a customer would spend on an item if they bought it, and by that alone dear items that hardly anybody buys would come first; it ranks by expected value, the users who have the item times 1 + the predicted amount, which is the order of score + ln(buyers). Option rank_by chooses the other way. The order is that before option clip of svdpp_train cuts predictions to the range of the ratings, so items that share the end of the range are in order too; of equals the item with more buyers comes first, then the smaller id.

A user the model does not know (new since the training, or NULL) gets the items that most users have; of equals the one with the higher item bias, then the smaller id. score: the prediction of the item for an unknown user. The reason says so.

reason, for example: "goes with 1196, 260 and 1210 that the customer has (+0.41); predicted 4.72, on average 3.50; 251 of 610 customers have it (rank 2)". Goes with: the items of the user, three at most, that add most to this prediction, and their sum; the rows of svdpp_explain with source "item" and a positive contribution. It is left out where they add less than a two-hundredth of the range of the ratings, and in a model without implicit feedback. Items are called by their ids, or as option names says. An item the user has (include_seen) is not named as its own company. Predicted: score. On average: the mean of the training ratings; not in a model without biases. For amounts (transform "log1p") both are also given as what they stand for, exp(x) - 1. Rank: 1 + the number of items that more users have. A reason says where a prediction comes from, not that it will come true. Numbers have two decimals, or more where the ratings span less than 1.

n: how many, from 1 to 10000; where there are fewer items there are fewer rows. Default 5.

options: include_seen (false), true offers also what the user has. candidates, an array of ids: only these items, for example what is in stock; [] leaves none, so for a table that may be empty write coalesce(jsonb_agg(product_id), ''[]''). exclude, an array of ids: not these. Ids are JSON numbers or strings; those the model does not know are ignored. min_popularity (0): only items that so many users have. rank_by: "prediction", "expected_value" (for models of amounts), or "auto" (default), which is expected_value for these and prediction for others. names, an object of ids and what reasons are to call them: (SELECT jsonb_object_agg(product_id, name) FROM products); an item that is not in it is called by its id. Options NULL or left out: the defaults.

No rows when model or n is NULL.

For ids that are text see svdpp_recommend(bytea, text, int, jsonb). For many users svdpp_recommend_all is much faster.

Errors: n out of range, an unknown option or a wrong value, expected_value of a model of ratings, a model of another kind, a model whose ids are text (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000).

Example: SELECT r.* FROM svdpp_recommend(model_load(''recommender''), 17, 3, ''{"exclude": [4711], "min_popularity": 20, "names": {"4711": "Lamp"}}'') r';

CREATE FUNCTION svdpp_recommend(model bytea, user_id text, n int DEFAULT 5, options jsonb DEFAULT '{}')
    RETURNS TABLE (rank int, item_id text, score float8, reason text)
    AS 'MODULE_PATHNAME', 'rml_svdpp_recommend_text'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION svdpp_recommend(bytea, text, int, jsonb) IS
'svdpp_recommend for a model whose ids are text; see svdpp_recommend(bytea, bigint, int, jsonb). Ids are the same when their bytes are, and in order of their bytes.

Errors: a model whose ids are bigint (22023); otherwise as there.

Example: SELECT r.* FROM svdpp_recommend(model_load(''shop''), ''C-17'') r';

CREATE FUNCTION svdpp_recommend_all(model bytea, n int DEFAULT 5, options jsonb DEFAULT '{}')
    RETURNS TABLE (user_id bigint, rank int, item_id bigint, score float8)
    AS 'MODULE_PATHNAME', 'rml_svdpp_recommend_all'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 100000;
COMMENT ON FUNCTION svdpp_recommend_all(bytea, int, jsonb) IS
'The n items to offer to each user of a model, users in order of their ids, best items first: the same items, ranks and scores as svdpp_recommend(model, user_id, n, options) gives for one after the other, in a fraction of the time.

Never an item the user has, unless option include_seen is true; a user for whom nothing is left has no rows. Reasons are left to svdpp_recommend, and users the model does not know too.

n: how many, from 1 to 10000; where there are fewer items there are fewer rows. Default 5.

options: include_seen (false), candidates, exclude, min_popularity (0), rank_by ("auto"), as of svdpp_recommend: what is in stock is {"candidates": [17, 4711]}, which jsonb_build_object(''candidates'', jsonb_agg(product_id)) makes of a table. The fewer items are left, the less time it takes. NULL or left out: the defaults.

Rows are computed by blocks of users, on retailml.threads threads; the memory of the function does not grow with the number of users. In FROM the server keeps all rows before it goes on (in temporary files beyond work_mem). In a target list rows go on as they are made, and LIMIT saves the rest of the work: SELECT (r).* FROM (SELECT svdpp_recommend_all(model_load(''recommender''), 10) AS r) s LIMIT 1000.

For a model whose ids are text see svdpp_recommend_all(bytea, int, jsonb, anyelement).

NULL: no rows when model or n is NULL.

Errors: n out of range, an unknown option or a wrong value, expected_value of a model of ratings, a model with text ids, a model of another kind (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000); more memory than retailml.max_memory (53400).

Source of the way it selects: the inequality of Cauchy and Schwarz bounds what an item can score; Teflioudi, Gemulla and Mykytiuk, LEMP: fast retrieval of large entries in a matrix product, SIGMOD 2015.

Example: CREATE TABLE offers AS SELECT r.* FROM svdpp_recommend_all(model_load(''recommender''), 10, ''{"min_popularity": 20}'') r';

CREATE FUNCTION svdpp_recommend_all(model bytea, n int, options jsonb, id_type anyelement)
    RETURNS TABLE (user_id anyelement, rank int, item_id anyelement, score float8)
    AS 'MODULE_PATHNAME', 'rml_svdpp_recommend_all'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000 ROWS 100000;
COMMENT ON FUNCTION svdpp_recommend_all(bytea, int, jsonb, anyelement) IS
'svdpp_recommend_all for ids of any kind; see svdpp_recommend_all(bytea, int, jsonb).

id_type: says by its type alone what user_id and item_id are: NULL::text, which a model with text ids needs and any model takes, or NULL::bigint. Its value does not matter.

NULL: no rows when model or n is NULL.

Errors: a model with text ids and id_type bigint, another type of id_type (22023); otherwise as there.

Example: SELECT r.* FROM svdpp_recommend_all(model_load(''shop''), 10, ''{}'', NULL::text) r';

CREATE FUNCTION svdpp_similar_items(model bytea, item_id bigint, n int DEFAULT 5, options jsonb DEFAULT '{}')
    RETURNS TABLE (rank int, item_id bigint, similarity float8, buyers bigint)
    AS 'MODULE_PATHNAME', 'rml_svdpp_similar_items_bigint'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION svdpp_similar_items(bytea, bigint, int, jsonb) IS
'The n items most like one item, by what a model of svdpp_train learnt about them: "who likes this also likes", whatever its price or popularity.

similarity: the cosine of the two items'' vectors q (svdpp_factors shows them), from -1 to 1; 1 is the same taste, 0 nothing in common. Of equals the item with more buyers comes first, then the smaller id. buyers: users that have the item; similarities of items with few are guesses.

The item itself is left out, and so are items whose vector is all 0, which are like none.

n: how many, from 1 to 10000; where there are fewer items there are fewer rows. Default 5.

options: min_popularity (0), candidates and exclude, as of svdpp_recommend. What few users have has a vector of chance, so ask for some: {"min_popularity": 20}.

For ids that are text see svdpp_similar_items(bytea, text, int, jsonb).

No rows for an item that the model does not know, and when model, item_id or n is NULL.

Errors: n out of range, an unknown option or a wrong value, a model of another kind, a model whose ids are text (22023); a damaged model (XX001), one that a newer version of retailml wrote (0A000).

Example: SELECT s.* FROM svdpp_similar_items(model_load(''recommender''), 4711, 10, ''{"min_popularity": 20}'') s';

CREATE FUNCTION svdpp_similar_items(model bytea, item_id text, n int DEFAULT 5, options jsonb DEFAULT '{}')
    RETURNS TABLE (rank int, item_id text, similarity float8, buyers bigint)
    AS 'MODULE_PATHNAME', 'rml_svdpp_similar_items_text'
    LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 5;
COMMENT ON FUNCTION svdpp_similar_items(bytea, text, int, jsonb) IS
'svdpp_similar_items for a model whose ids are text; see svdpp_similar_items(bytea, bigint, int, jsonb). Ids are the same when their bytes are.

Errors: a model whose ids are bigint (22023); otherwise as there.

Example: SELECT s.* FROM svdpp_similar_items(model_load(''shop''), ''SKU-4711'') s';
