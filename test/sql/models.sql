\set ECHO none
\pset format unaligned
\pset tuples_only on
-- Damaged, foreign and newer models, through every function that takes one.  test/fuzz/model.c does the same
-- to the decoder, with sanitizers.
SET search_path = public, retailml;
SET client_min_messages = warning;

BEGIN;
SELECT plan(201);

CREATE FUNCTION pg_temp.complaint(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE call;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE TABLE facts AS SELECT i AS id, i % 3 * 5 + (i % 7)::float8 AS a, i % 3 * 9 + (i % 5)::float8 AS b, i % 11 + i % 3 AS c FROM generate_series(1, 60) i;
CREATE TABLE models AS
SELECT 'kmeans' AS name, kmeans_fit(f, 3, '{"features": ["a", "b"]}') AS m FROM facts f
UNION ALL SELECT 'arrays', kmeans_fit(ARRAY[a, b], 2) FROM facts
UNION ALL SELECT 'kprototypes', kprototypes_fit(f, 3, '{"exclude": ["id"]}') FROM (SELECT *, chr(97 + id % 4) AS letter FROM facts) f
UNION ALL SELECT 'rfm', rfm_fit(a, b, c) FROM facts
UNION ALL SELECT 'tree', tree_fit(f, 'letter', '{"exclude": ["id"], "max_depth": 2}') FROM (SELECT *, chr(97 + id % 4) AS letter FROM facts) f
UNION ALL SELECT 'churn', churn_fit(f, 'gone', '{"folds": 2}') FROM (SELECT a, b, a + id % 4 > 10 AS gone FROM facts) f
UNION ALL SELECT 'ltv', ltv_fit(f, 'c', '{"folds": 2, "amount": "trend"}') FROM (SELECT a, c FROM facts WHERE id <= 30) f
UNION ALL SELECT 'svdpp', svdpp_train(id % 20, id % 7, a, '{"n_factors": 3, "n_epochs": 2}') FROM facts
UNION ALL SELECT 'svdpp of texts', svdpp_train('u' || id % 20, 'i' || id % 7, a, '{"n_factors": 2, "n_epochs": 2, "biased": false}') FROM facts;

-- every function that takes a model, applied to $1
CREATE TABLE calls (name text, call text);
INSERT INTO calls VALUES
    ('predict', 'SELECT predict($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS recency, 4 AS frequency, 5 AS monetary) f'),
    ('predict of an array', 'SELECT predict($1, ARRAY[1, 2]::float8[])'),
    ('kmeans_predict', 'SELECT kmeans_predict($1, f) FROM (SELECT 1 AS a, 2 AS b) f'),
    ('kmeans_predict of an array', 'SELECT kmeans_predict($1, ARRAY[1, 2]::float8[])'),
    ('kmeans_distance', 'SELECT kmeans_distance($1, f) FROM (SELECT 1 AS a, 2 AS b) f'),
    ('kmeans_distance of an array', 'SELECT kmeans_distance($1, ARRAY[1, 2]::float8[])'),
    ('kmeans_centroids', 'SELECT count(x) FROM kmeans_centroids($1) x'),
    ('kprototypes_predict', 'SELECT kprototypes_predict($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f'),
    ('kprototypes_predict of an array', 'SELECT kprototypes_predict($1, ARRAY[1, 2]::float8[])'),
    ('kprototypes_distance', 'SELECT kprototypes_distance($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, ''a'' AS letter) f'),
    ('kprototypes_distance of an array', 'SELECT kprototypes_distance($1, ARRAY[1, 2]::float8[])'),
    ('kprototypes_centroids', 'SELECT count(x) FROM kprototypes_centroids($1) x'),
    ('segment_profile', 'SELECT count(x) FROM segment_profile($1) x'),
    ('segment_names', 'SELECT count(x) FROM segment_names($1, ''[{"name": "a"}]'') x'),
    ('rename_segments', 'SELECT rename_segments($1, ''{"1": "a"}'')'),
    ('segment_insights', 'SELECT count(x) FROM segment_insights($1) x'),
    ('segment_levers', 'SELECT count(x) FROM segment_levers($1) x'),
    ('predict_label', 'SELECT predict_label($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS recency, 4 AS frequency, 5 AS monetary) f'),
    ('predict_label of an array', 'SELECT predict_label($1, ARRAY[1, 2]::float8[])'),
    ('model_info', 'SELECT model_info($1)'),
    ('model_features', 'SELECT count(x) FROM model_features($1) x'),
    ('rfm_score', 'SELECT rfm_score($1, 1, 2, 3)'),
    ('rfm_segments', 'SELECT count(x) FROM rfm_segments($1) x'),
    ('model_classes', 'SELECT count(x) FROM model_classes($1) x'),
    ('predict_proba', 'SELECT predict_proba($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f'),
    ('predict_proba of an array', 'SELECT predict_proba($1, ARRAY[1, 2]::float8[])'),
    ('predict_explain', 'SELECT count(x) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f, predict_explain($1, f) x'),
    ('predict_explain of an array', 'SELECT count(x) FROM predict_explain($1, ARRAY[1, 2]::float8[]) x'),
    ('model_importance', 'SELECT count(x) FROM model_importance($1) x'),
    ('tree_rules', 'SELECT count(x) FROM tree_rules($1) x'),
    ('model_sql', 'SELECT model_sql($1)'),
    ('linreg_coefficients', 'SELECT count(x) FROM linreg_coefficients($1) x'),
    ('logreg_coefficients', 'SELECT count(x) FROM logreg_coefficients($1) x'),
    ('churn_predict', 'SELECT churn_predict($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f'),
    ('churn_risk', 'SELECT churn_risk($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f'),
    ('churn_explain', 'SELECT count(x) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f, churn_explain($1, f) x'),
    ('churn_predict of an array', 'SELECT churn_predict($1, ARRAY[1, 2]::float8[])'),
    ('churn_risk of an array', 'SELECT churn_risk($1, ARRAY[1, 2]::float8[])'),
    ('churn_explain of an array', 'SELECT count(x) FROM churn_explain($1, ARRAY[1, 2]::float8[]) x'),
    ('ltv_predict of an array', 'SELECT ltv_predict($1, ARRAY[1, 2]::float8[])'),
    ('permutation_importance', 'SELECT permutation_importance($1, f, ''letter'') FROM (SELECT 1 AS a, 2 AS b, 3 AS c, chr(96 + i) AS letter FROM generate_series(1, 4) i) f'),
    ('model_drift', 'SELECT model_drift($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter, 3 AS recency, 4 AS frequency, 5 AS monetary) f'),
    ('model_drift of an array', 'SELECT model_drift($1, ARRAY[1, 2]::float8[])'),
    ('svdpp_predict', 'SELECT svdpp_predict($1, 3, 5)'),
    ('svdpp_predict of texts', 'SELECT svdpp_predict($1, ''u3'', ''i5'')'),
    ('svdpp_explain', 'SELECT count(x) FROM svdpp_explain($1, 3, 5) x'),
    ('svdpp_explain of texts', 'SELECT count(x) FROM svdpp_explain($1, ''u3'', ''i5'') x'),
    ('svdpp_factors', 'SELECT count(x) FROM svdpp_factors($1) x'),
    ('svdpp_factors of texts', 'SELECT count(x) FROM svdpp_factors($1, NULL::text) x'),
    ('svdpp_recommend', 'SELECT count(x) FROM svdpp_recommend($1, 3) x'),
    ('svdpp_recommend of texts', 'SELECT count(x) FROM svdpp_recommend($1, ''u3'') x'),
    ('svdpp_recommend_all', 'SELECT count(x) FROM svdpp_recommend_all($1) x'),
    ('svdpp_recommend_all of texts', 'SELECT count(x) FROM svdpp_recommend_all($1, 5, ''{}'', NULL::text) x'),
    ('svdpp_similar_items', 'SELECT count(x) FROM svdpp_similar_items($1, 3) x'),
    ('svdpp_similar_items of texts', 'SELECT count(x) FROM svdpp_similar_items($1, ''i3'') x'),
    ('svdpp_history', 'SELECT count(x) FROM svdpp_history($1) x'),
    ('ltv_predict', 'SELECT ltv_predict($1, f) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, NULL::text AS letter) f');
SELECT is((SELECT count(DISTINCT regexp_replace(name, ' .*', '')) FROM calls),
    (SELECT count(DISTINCT p.proname) FROM pg_proc p WHERE p.pronamespace = 'retailml'::regnamespace AND p.proargnames[1] = 'model' AND obj_description(p.oid, 'pg_proc') !~ 'not for direct use.$'), 'these are all functions that take a model');

-- SQLSTATE of a call, 00000 when it works
CREATE FUNCTION pg_temp.state(call text, model bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call USING model;
    RETURN '00000';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

-- 0A000 says "written by a newer version"
SELECT is((SELECT array_agg(DISTINCT pg_temp.state(call, b)) FROM (VALUES (''::bytea), ('\x00'), ('text'), ('RML1'), ('RML1 and not much more'), (repeat('x', 10000)::bytea), ('PGDMP')) v(b)),
    ARRAY['XX001'], 'what is no model: ' || name) FROM calls;
SELECT is((SELECT array_agg(DISTINCT pg_temp.state(call, substr(m, 1, n))) FROM models, generate_series(0, octet_length(m) - 1, 7) n), ARRAY['XX001'], 'truncated models: ' || name) FROM calls;

-- 2,000 flipped bits and overwritten bytes, fixed by a seed
CREATE FUNCTION pg_temp.flip(seed int, flips int) RETURNS TABLE (name text, states text) LANGUAGE plpgsql AS $$
DECLARE
    good bytea; bad bytea; at int; c record;
BEGIN
    CREATE TEMP TABLE outcomes (name text, state text);
    PERFORM setseed(seed / 100.0);
    FOR i IN 1 .. flips LOOP
        SELECT m INTO good FROM models ORDER BY models.name OFFSET i % (SELECT count(*) FROM models) LIMIT 1;
        bad = good;
        FOR j IN 1 .. 1 + i % 4 LOOP
            at = floor(random() * octet_length(bad))::int;
            bad = CASE WHEN i % 2 = 0 THEN set_bit(bad, (at * 8 + i % 8)::bigint, 1 - get_bit(bad, (at * 8 + i % 8)::bigint))
                       ELSE set_byte(bad, at, floor(random() * 256)::int) END;
        END LOOP;
        CONTINUE WHEN bad = good;
        FOR c IN SELECT * FROM calls LOOP
            INSERT INTO outcomes VALUES (c.name, pg_temp.state(c.call, bad));
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT o.name, string_agg(DISTINCT o.state, ' ' ORDER BY o.state) FROM outcomes o GROUP BY o.name;
END $$;
CREATE TEMP TABLE flipped AS SELECT * FROM pg_temp.flip(42, 2000);
SELECT matches(f.states, '^(0A000 )?XX001$', '2,000 damaged models: ' || name) FROM calls JOIN flipped f USING (name) ORDER BY name;
SELECT is((SELECT array_agg(DISTINCT pg_temp.state(call, m)) FROM models, calls), ARRAY['00000', '22023', '42703', '42804'], 'while good ones work, or are of another kind');

-- ---- what is said
SELECT is(pg_temp.complaint($$SELECT model_info('\x00')$$), 'XX001 | the model is damaged or not a model | The check says: the bytes do not begin like a retailml model. | Train the model again, or restore the value from a backup.', 'no model');
SELECT is(pg_temp.complaint($$SELECT model_info(substr(m, 1, 100)) FROM models LIMIT 1$$), 'XX001 | the model is damaged or not a model | The check says: the length of the model does not match its header. | Train the model again, or restore the value from a backup.', 'cut');
SELECT is(pg_temp.complaint($$SELECT model_info(m || '\x00') FROM models LIMIT 1$$), 'XX001 | the model is damaged or not a model | The check says: the length of the model does not match its header. | Train the model again, or restore the value from a backup.', 'too long');
SELECT is(pg_temp.complaint($$SELECT model_info(set_byte(m, 100, (get_byte(m, 100) + 1) % 256)) FROM models LIMIT 1$$), 'XX001 | the model is damaged or not a model | The check says: the checksum of the model does not match its content. | Train the model again, or restore the value from a backup.', 'a changed byte');
-- bytes 4, 5: format version; 6, 7: algorithm; 8, 9: its version; 10, 11: flags
SELECT is(pg_temp.complaint($$SELECT model_info(set_byte(m, 4, 2)) FROM models LIMIT 1$$), '0A000 | the model was written by a newer version of retailml | Update the extension with ALTER EXTENSION retailml UPDATE, or train the model again here.', 'a newer format');
SELECT is(pg_temp.complaint($$SELECT model_info(set_byte(m, 11, 128)) FROM models LIMIT 1$$), '0A000 | the model was written by a newer version of retailml | Update the extension with ALTER EXTENSION retailml UPDATE, or train the model again here.', 'an unknown flag');

-- ---- a model that was changed by somebody who knows about checksums: CRC-32C of all but its own four bytes
CREATE FUNCTION pg_temp.seal(model bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    crc bigint = 4294967295; result bytea = model;
BEGIN
    FOR i IN 0 .. octet_length(model) - 1 LOOP
        CONTINUE WHEN i BETWEEN 12 AND 15;
        crc = crc # get_byte(model, i);
        FOR bit IN 1 .. 8 LOOP crc = CASE WHEN crc & 1 = 1 THEN (crc >> 1) # 2197175160 ELSE crc >> 1 END; END LOOP;
    END LOOP;
    crc = crc # 4294967295;
    FOR i IN 0 .. 3 LOOP result = set_byte(result, 12 + i, (crc >> 8 * i & 255)::int); END LOOP;
    RETURN result;
END $$;
SELECT is(pg_temp.seal(m), m, 'the checksum of ' || name || ' is that of CRC-32C') FROM models ORDER BY name;
SELECT is(pg_temp.complaint(format('SELECT model_info(%L::bytea)', pg_temp.seal(set_byte(m, 6, 250)))) ~ '^0A000 . the model was written by a newer version', true, 'an algorithm from the future') FROM models WHERE name = 'kmeans';
SELECT is(pg_temp.complaint(format('SELECT model_info(%L::bytea)', pg_temp.seal(set_byte(m, 8, 9)))) ~ '^0A000 . the model was written by a newer version', true, 'a later version of the algorithm') FROM models WHERE name = 'kmeans';
SELECT is(pg_temp.complaint(format('SELECT model_info(%L::bytea)', pg_temp.seal(set_byte(m, 6, 1)))) ~ '^XX001', true, 'the bytes of another algorithm') FROM models WHERE name = 'rfm';
-- "a" as the name of a feature becomes a byte that is no UTF-8: it must not get into a text
SELECT is((SELECT array_agg(DISTINCT pg_temp.state(call, pg_temp.seal(set_byte(m, position('\x6162'::bytea IN m) - 1, 255)))) FROM calls WHERE name IN ('model_info', 'model_features', 'kmeans_centroids', 'segment_profile', 'kmeans_predict')),
    ARRAY['XX001'], 'a name that is no text in this encoding') FROM models WHERE name = 'kmeans';

-- ---- a model as text, as a parameter, stored in other ways
SELECT is((SELECT count(*) FROM models WHERE model_info(m::text::bytea) = model_info(m)), (SELECT count(*) FROM models), 'a model survives text');
SELECT is((SELECT count(*) FROM models WHERE model_info(decode(encode(m, 'base64'), 'base64')) = model_info(m)), (SELECT count(*) FROM models), 'and base64');
CREATE TABLE stored (plain bytea, external bytea, packed bytea);
ALTER TABLE stored ALTER COLUMN plain SET STORAGE PLAIN, ALTER COLUMN external SET STORAGE EXTERNAL;
-- 300 centroids in 4 columns are 9.6 kB, of which external storage makes a pointer, and compression less
INSERT INTO stored (external, packed) SELECT m, m FROM (SELECT kmeans_fit(f, 300, '{"n_init": 1, "max_iter": 1}') AS m FROM (SELECT i AS a, i AS b, i AS c, i AS d FROM generate_series(1, 400) i) f) x;
UPDATE stored SET plain = (SELECT m FROM models WHERE name = 'kmeans');
SELECT is((SELECT count(*) FROM stored, generate_series(1, 400) i, LATERAL (SELECT i AS a, i AS b, i AS c, i AS d) f WHERE kmeans_predict(external, f) = kmeans_predict(packed, f)), 400::bigint, 'toasted and compressed models score alike');
SELECT is((SELECT count(DISTINCT kmeans_predict(packed, f)) FROM stored, generate_series(1, 400) i, LATERAL (SELECT i AS a, i AS b, i AS c, i AS d) f), 300::bigint, 'as they should');
SELECT is((SELECT kmeans_predict(plain, f) FROM stored, (SELECT 1 AS a, 2 AS b) f), (SELECT kmeans_predict(m, f) FROM models, (SELECT 1 AS a, 2 AS b) f WHERE name = 'kmeans'), 'a plain one too');

-- ---- several models in one query: each row is scored by its own
CREATE TABLE many AS SELECT k, kmeans_fit(f, k, '{"features": ["a", "b"], "order_by": "a"}') AS m FROM facts f, generate_series(1, 5) k GROUP BY k;
SELECT is((SELECT array_agg(n ORDER BY k) FROM (SELECT k, count(DISTINCT kmeans_predict(m, f)) AS n FROM facts f, many GROUP BY k) x), ARRAY[1, 2, 3, 4, 5]::bigint[], 'by a join');
SELECT is((SELECT array_agg(kmeans_predict(CASE WHEN id % 2 = 0 THEN (SELECT m FROM many WHERE k = 2) ELSE (SELECT m FROM many WHERE k = 5) END, f) ORDER BY id) FROM facts f),
    (SELECT array_agg(p ORDER BY id) FROM (SELECT id, kmeans_predict(m, f) AS p FROM facts f, many WHERE id % 2 = 0 AND k = 2 UNION ALL SELECT id, kmeans_predict(m, f) FROM facts f, many WHERE id % 2 = 1 AND k = 5) x), 'in turns');

-- equal in length, so that only the content tells them apart
CREATE TABLE twins AS SELECT 1 AS n, kmeans_fit(f, 2, '{"order_by": "x"}') AS m FROM (SELECT id AS x FROM facts) f UNION ALL SELECT 2, kmeans_fit(f, 2, '{"order_by": "x"}') FROM (SELECT -id AS x FROM facts) f;
SELECT is((SELECT count(DISTINCT octet_length(m)) FROM twins), 1::bigint, 'two models of the same length');
SELECT is((SELECT array_agg(kmeans_predict((SELECT m FROM twins WHERE n = 1 + i % 2), f) ORDER BY i) FROM generate_series(1, 6) i, (SELECT 5 AS x) f), ARRAY[1, 2, 1, 2, 1, 2], 'in turns');

SELECT * FROM finish();
ROLLBACK;
