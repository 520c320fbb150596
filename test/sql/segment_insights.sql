-- Sentences about segments, whose every number is in the row; and levers.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(44);

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

-- numbers of all sizes and signs, a boolean, categories with digits in them, missing ones
CREATE TABLE people AS
SELECT i AS id, i % 2 = 0 AS even, g * 1234567.8 + 3 * sin(i) AS monetary, (i % 7 + 5 * g) AS frequency, -0.00123 * g + 0.0001 * cos(i) AS drift, 1e-12 * i AS tiny, 1e18 * (g + 1) * (1 + i % 3) AS huge,
    (i * 7 % 10 < 3 * g) AS member, (ARRAY['24 months', '12 months', 'none'])[1 + (i * g) % 3] AS contract, CASE WHEN i % 5 > g THEN 'x' || i % 2 END AS note, 5 AS same
FROM (SELECT i, (i * i) % 4 + CASE WHEN i % 10 = 0 THEN 2 ELSE 0 END AS g FROM generate_series(1, 300) i) s;
CREATE TABLE models AS
SELECT 'mixed' AS name, kprototypes_fit(p, 5, '{"exclude": ["id", "even"]}') AS m FROM people p
UNION ALL SELECT 'numbers', kmeans_fit(p, 7, '{"exclude": ["id", "even", "contract", "note"]}') FROM people p
UNION ALL SELECT 'raw', kmeans_fit(p, 3, '{"features": ["monetary", "drift", "member"], "standardize": false}') FROM people p
UNION ALL SELECT 'arrays', kmeans_fit(ARRAY[monetary, frequency], 4) FROM people
UNION ALL SELECT 'words', kprototypes_fit(p, 3) FROM (SELECT contract, note, member::text FROM people) p
UNION ALL SELECT 'renamed', rename_segments(kmeans_fit(p, 2, '{"features": ["monetary", "frequency"]}'), '{"1": "42 is the answer"}') FROM people p;
CREATE TABLE told AS SELECT m.name AS model, i.* FROM models m, segment_insights(m) i;

-- ---- every number of every sentence, but those of names and categories, is in the row, rounded
CREATE FUNCTION pg_temp.numbers_of(t told) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT (regexp_matches(replace(replace(replace(t.sentence, t.name, ''), t.feature, ''), coalesce('"' || t.category || '"', '~'), ''), '-?[0-9]+(?:\.[0-9]+)?(?:e[-+][0-9]+)?(?: %)?', 'g'))[1]
$$;
CREATE FUNCTION pg_temp.is_rounded(said text, x float8) RETURNS boolean LANGUAGE sql AS $$
    SELECT CASE WHEN said LIKE '% \%' THEN pg_temp.is_rounded(rtrim(said, ' %'), 100 * x)
        WHEN said LIKE '%e%' THEN abs(said::float8 - x) <= abs(x) * 0.0005000001
        ELSE abs(said::numeric - x::numeric) <= 0.5000001 * 10.0 ^ -scale(said::numeric) END
$$;
CREATE FUNCTION pg_temp.is_rounded(said text, x float8, y float8, n bigint, share float8) RETURNS boolean LANGUAGE sql AS
    'SELECT said = n::text OR pg_temp.is_rounded(said, x) OR pg_temp.is_rounded(said, y) OR pg_temp.is_rounded(said, share)';
CREATE TABLE said AS SELECT t.*, pg_temp.numbers_of(t) AS number FROM told t;
SELECT ok((SELECT count(*) FROM said) >= 2 * (SELECT count(*) FROM told), 'sentences hold numbers');
SELECT is((SELECT array_agg(number || ' in ' || sentence) FROM said WHERE NOT pg_temp.is_rounded(number, value, overall, n, share)), NULL, 'each of which is in its row');
SELECT is((SELECT count(*) FROM told t WHERE rank = 1 AND sentence !~ (regexp_replace(name, '([().+*?\[\]])', '\\\1', 'g') || ' \(' || n || ' customers?, [0-9.]+ %\): ')), 0::bigint, 'the first one says the size');
SELECT is((SELECT count(*) FROM told t WHERE pg_temp.is_rounded('1', 2.0)), 0::bigint, 'the comparison can fail');

-- ---- the numbers are those of the profile
CREATE TABLE profiles AS SELECT m.name AS model, p.* FROM models m, segment_profile(m) p;
SELECT is((SELECT count(*) FROM told t JOIN profiles p USING (model, cluster, name, feature) WHERE t.category IS NOT DISTINCT FROM p.category AND t.value = p.mean AND t.overall = p.overall_mean AND t.n = p.size AND t.share = p.share),
    (SELECT count(*) FROM told), 'values are those of segment_profile');
SELECT is((SELECT array_agg(DISTINCT a.sentence) FROM told a JOIN told b USING (model, cluster) JOIN profiles p ON (p.model, p.cluster, p.feature) = (a.model, a.cluster, a.feature) AND p.category IS NOT DISTINCT FROM a.category
    JOIN profiles q ON (q.model, q.cluster, q.feature) = (b.model, b.cluster, b.feature) AND q.category IS NOT DISTINCT FROM b.category WHERE a.rank < b.rank AND abs(p.z) < abs(q.z) AND abs(q.z) >= 0.5), NULL, 'best first');
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM told WHERE model IN ('mixed', 'numbers', 'words', 'raw') GROUP BY model, cluster) x WHERE n NOT BETWEEN 3 AND 5), NULL, 'three to five per cluster');
SELECT is((SELECT array_agg(DISTINCT n) FROM (SELECT count(*) AS n FROM told WHERE model = 'arrays' GROUP BY cluster) x), '{2}', 'as many as there are features');
SELECT is((SELECT array_agg(ranks) FROM (SELECT array_agg(rank ORDER BY rank) AS ranks, count(*) AS n FROM told GROUP BY model, cluster) x WHERE ranks <> (SELECT array_agg(i::int) FROM generate_series(1, n) i)), NULL, 'ranks count from 1');
SELECT is((SELECT count(*) FROM told WHERE feature = 'same'), 0::bigint, 'a constant is nothing to tell');
SELECT is((SELECT count(DISTINCT (model, sentence)) FROM told), (SELECT count(*) FROM told), 'no sentence twice');
SELECT is((SELECT count(*) FROM told a JOIN told b USING (model, cluster, feature) JOIN (SELECT model, feature FROM profiles WHERE cluster = 1 GROUP BY 1, 2 HAVING count(*) = 2) two USING (model, feature) WHERE a.rank < b.rank), 0::bigint, 'two categories that mirror each other are told once');
SELECT matches((SELECT sentence FROM told WHERE model = 'renamed' AND cluster = 1 AND rank = 1), '^42 is the answer \([0-9]+ customers, [0-9.]+ %\): mean ', 'fixed names');
SELECT ok(bool_and(sentence ~ ('^[^:]+: (mean \S+ is -?[0-9.e+-]+|\S+ is (true|"[^"]+") for [0-9.]+ %), (far above|far below|well above|well below|slightly above|slightly below|close to) the [-0-9.e+]+( %)? of all customers( and the (highest|lowest) of all segments)?\.$')), 'they read like this')
FROM told WHERE model <> 'words';
SELECT is((SELECT count(*) FROM told t WHERE sentence ~ 'highest of all' AND value < (SELECT max(mean) FROM profiles p WHERE (p.model, p.feature) = (t.model, t.feature) AND p.category IS NOT DISTINCT FROM t.category)), 0::bigint, 'the highest is the highest');
SELECT is((SELECT count(*) FROM told t WHERE sentence ~ 'lowest of all' AND value > (SELECT min(mean) FROM profiles p WHERE (p.model, p.feature) = (t.model, t.feature) AND p.category IS NOT DISTINCT FROM t.category)), 0::bigint, 'the lowest is the lowest');
SELECT is((SELECT count(*) FROM told t JOIN profiles p USING (model, cluster, feature) WHERE t.category IS NOT DISTINCT FROM p.category AND ((t.sentence ~ ' above the ') <> (p.z >= 0.1) OR (t.sentence ~ ' below the ') <> (p.z <= -0.1))), 0::bigint, 'above and below are so');

-- ---- against plain SQL, and in a sentence
-- 3 of 12 spend 100, the others 20; they are members, and 1 other is: z of spend is sqrt(3) and -sqrt(1/3), of member sqrt(2) and -sqrt(2) / 3
CREATE TABLE simple AS SELECT kmeans_fit(s, 2, '{"order_by": "spend", "standardize": false}') AS m FROM (SELECT CASE WHEN i <= 3 THEN 100 ELSE 20 END AS spend, i <= 4 AS member FROM generate_series(1, 12) i) s;
SELECT results_eq('SELECT cluster, rank, sentence, feature, value, overall, n, share, category, name FROM simple, segment_insights(m)', $$VALUES
    (1, 1, 'very high spend, more often member (3 customers, 25 %): mean spend is 100, far above the 40 of all customers.', 'spend', 100::float8, 40::float8, 3::bigint, 0.25::float8, NULL::text, 'very high spend, more often member'),
    (1, 2, 'very high spend, more often member: member is true for 100 %, well above the 33.3 % of all customers.', 'member', 1, 1 / 3.0::float8, 3, 0.25, NULL, 'very high spend, more often member'),
    (2, 1, 'low spend (9 customers, 75 %): mean spend is 20, well below the 40 of all customers.', 'spend', 20, 40, 9, 0.75, NULL, 'low spend'),
    (2, 2, 'low spend: member is true for 11.1 %, slightly below the 33.3 % of all customers.', 'member', 1 / 9.0::float8, 1 / 3.0::float8, 9, 0.75, NULL, 'low spend')$$, 'all of a small model');
SELECT is((SELECT count(*) FROM segment_insights(NULL)), 0::bigint, 'no model, no rows');
SELECT is(pg_temp.complaint($$SELECT segment_insights(rfm_fit(1, 1, 1))$$), '22023 | segment_insights needs a model of clusters, this one is of rfm | Models of clusters are made by kmeans_fit, for example.', 'not a model of clusters');
SELECT is((SELECT array_agg(even || ': ' || n ORDER BY even) FROM (SELECT even, kmeans_fit(p, 2, '{"features": ["monetary", "frequency"]}') AS m FROM people p GROUP BY even) x, LATERAL (SELECT count(*) AS n FROM segment_insights(m)) y),
    '{"false: 4","true: 4"}', 'insights for each group of a GROUP BY');

-- ---- levers
CREATE TABLE acts AS SELECT m.name AS model, l.* FROM models m, segment_levers(m) l;
SELECT is((SELECT count(*) FROM acts a JOIN (SELECT DISTINCT model, cluster, name FROM profiles) p USING (model, cluster, name) WHERE a.lever <> '' AND a.reason <> ''), (SELECT count(*) FROM (SELECT DISTINCT model, cluster FROM profiles) x), 'a lever for every segment');
SELECT is((SELECT count(*) FROM acts), (SELECT count(*) FROM (SELECT DISTINCT model, cluster FROM profiles) x), 'and one only');
SELECT is((SELECT count(*) FROM acts a JOIN LATERAL (SELECT n.* FROM models m, segment_names(m) n WHERE m.name = a.model) n USING (cluster, name, reason)), (SELECT count(*) FROM acts), 'the reason is that of the name');
SELECT is((SELECT array_agg(DISTINCT l.lever = s.lever) FROM acts l, segment_levers('High Spenders') s WHERE l.name ~ '^High Spenders'), '{t}', 'by name, twins included');
SELECT is((SELECT array_agg(l.lever ORDER BY cluster) FROM models, segment_levers(m, '{"42 is the answer": "Ask them.", "Nobody": "Nothing."}') l WHERE models.name = 'renamed'),
    (SELECT ARRAY['Ask them.', max(lever) FILTER (WHERE cluster = 2)] FROM acts WHERE model = 'renamed'), 'own levers, also for names that are not there');
SELECT matches((SELECT lever FROM models, segment_levers(rename_segments(m, '{"1": "VIP"}')) l WHERE models.name = 'words' AND cluster = 1), '^Build a campaign around ', 'a name that is not known: from the profile');
SELECT results_eq($$SELECT cluster, name, lever, reason FROM segment_levers('Promising 2')$$, $$SELECT NULL::int, 'Promising 2', lever, description FROM rfm_segments() WHERE segment = 'Promising' LIMIT 1$$, 'the lever of a name');
SELECT results_eq($$SELECT * FROM segment_levers('Promising 2', '{"Promising": "a"}')$$, $$SELECT NULL::int, 'Promising 2'::text, 'a'::text, l.reason FROM segment_levers('Promising') l$$, 'an own one, of the name of which it is a twin');
SELECT is((SELECT lever FROM segment_levers('Promising 2', '{"Promising": "a", "Promising 2": "b"}')), 'b', 'or its own');
SELECT is((SELECT lever || ' ' || reason FROM segment_levers('nobody')), 'Ask a few of them what they value, then test one offer against a control group. Nothing is known of the segment but its name.', 'a name of which nothing is known');
SELECT is((SELECT reason FROM segment_levers('Churn')), 'Segments of this name have a lever of their own.', 'a name of a set');
SELECT is((SELECT count(DISTINCT lever) FROM (VALUES ('High Spenders'), ('Frequent Shoppers'), ('Occasional Buyers'), ('Value Seekers'), ('Insiders'), ('Loyal Customers'), ('Potential Loyalists'), ('Promising'), ('Need Attention'), ('Price Sensitive'), ('Hibernating'), ('Churn')) v(n), segment_levers(n)),
    12::bigint, 'all names of the sets have levers of their own');
SELECT results_eq('SELECT l.* FROM (SELECT rfm_fit(monetary, frequency, drift) AS m FROM people) x, segment_levers(m) l ORDER BY name', 'SELECT DISTINCT NULL::int, segment, lever, description FROM (SELECT rfm_fit(monetary, frequency, drift) AS m FROM people) x, rfm_segments(m) ORDER BY segment',
    'segments of an rfm model');
SELECT is((SELECT array_agg(DISTINCT l.lever) FROM (SELECT rfm_fit(monetary, frequency, drift, '{"segments": {"All": "***"}}') AS m FROM people) x, segment_levers(m, '{"All": "a"}') l), '{a}', 'with names of its own');
SELECT is((SELECT count(*) FROM segment_levers(NULL::bytea)) + (SELECT count(*) FROM segment_levers(NULL::text)) + (SELECT count(*) FROM segment_levers(NULL::bytea, '{}')), 0::bigint, 'no model or name, no rows');
SELECT is((SELECT count(*) FROM segment_levers('x', NULL)), 1::bigint, 'no levers: the built-in ones');
SELECT is(pg_temp.complaint(format('SELECT segment_levers(%L, %L)', 'x', levers)), '22023 | ' || complaint || ' | For example ''{"High Spenders": "Invite them to the preview evening."}''.', levers::text) FROM (VALUES
    ('[]'::jsonb, 'levers of segment_levers must be a jsonb object'), ('"a"', 'levers of segment_levers must be a jsonb object'),
    ('{"a": 1}', 'the lever of "a" must be a text that is not empty'), ('{"a": ""}', 'the lever of "a" must be a text that is not empty')) v(levers, complaint);
SELECT is((SELECT count(*) FROM (SELECT even, kmeans_fit(p, 2, '{"features": ["monetary", "frequency"]}') AS m FROM people p GROUP BY even) x, segment_levers(m)), 4::bigint, 'levers for each group of a GROUP BY');

-- ---- in a parallel worker
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END, 'on', true) \gset
SELECT results_eq('SELECT m.name AS model, i.* FROM models m, segment_insights(m) i ORDER BY 1, 2, 3', 'SELECT * FROM told ORDER BY 1, 2, 3', 'the same sentences in a parallel worker');
SELECT results_eq('SELECT m.name AS model, l.* FROM models m, segment_levers(m) l ORDER BY 1, 2', 'SELECT * FROM acts ORDER BY 1, 2', 'and levers');

SELECT * FROM finish();
ROLLBACK;
