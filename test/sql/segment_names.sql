-- Names of segments: by default, by sets, by rules of the user's own, and fixed in the model.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(98);

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

-- four archetypes far apart, the spend of each told by its name; 40, 30, 20 and 10 customers
CREATE TABLE buyers AS
SELECT i AS id, kind, spend + sin(i) AS total_spend, orders + (i % 3) AS orders, price + cos(i) AS avg_item_price, degree, region
FROM (VALUES ('Occasional Buyers', 1, 40, 100, 2, 50, 'Basic', 'north'), ('Value Seekers', 41, 70, 150, 8, 10, 'Basic', 'south'),
    ('Frequent Shoppers', 71, 90, 600, 30, 20, 'PhD', 'north'), ('High Spenders', 91, 100, 1000, 10, 100, 'PhD', 'south'))
    a(kind, low, high, spend, orders, price, degree, region), LATERAL generate_series(low, high) i;
CREATE TABLE models AS
SELECT 'numbers' AS name, kmeans_fit(b, 4, '{"features": ["total_spend", "orders", "avg_item_price"]}') AS m FROM buyers b
UNION ALL SELECT 'logarithms', kmeans_fit(b, 4) FROM (SELECT ln(1 + total_spend) AS monetary, ln(1 + orders) AS frequency, ln(1 + avg_item_price) AS price_per_item FROM buyers) b
UNION ALL SELECT 'mixed', kprototypes_fit(b, 4, '{"exclude": ["id", "kind"]}') FROM buyers b
UNION ALL SELECT 'other', kmeans_fit(b, 4) FROM (SELECT total_spend AS height, orders AS width, avg_item_price AS depth FROM buyers) b
UNION ALL SELECT 'degrees', kprototypes_fit(b, 2) FROM (SELECT degree, NULL::text AS none FROM buyers) b
UNION ALL SELECT 'arrays', kmeans_fit(ARRAY[total_spend, orders], 2) FROM buyers
UNION ALL SELECT 'twelve', kmeans_fit(b, 12, '{"features": ["total_spend", "orders"], "n_init": 1}') FROM buyers b;
CREATE FUNCTION pg_temp.model(text) RETURNS bytea LANGUAGE sql AS 'SELECT m FROM models WHERE name = $1';
CREATE FUNCTION pg_temp.names(text, rules jsonb DEFAULT NULL) RETURNS text[] LANGUAGE sql AS
    'SELECT array_agg(n.name ORDER BY n.name COLLATE "C") FROM segment_names(pg_temp.model($1), rules) n';

-- ---- the effective names
SELECT is(pg_temp.names('numbers'), '{Frequent Shoppers,High Spenders,Occasional Buyers,Value Seekers}', 'features with names for spend and frequency: the purchase set');
SELECT is((SELECT bool_and(kind = predict_label(m, b)) FROM models, buyers b WHERE name = 'numbers'), true, 'each archetype has its name');
SELECT is((SELECT bool_and(kind = predict_label(m, f)) FROM models, buyers b, LATERAL (SELECT ln(1 + total_spend) AS monetary, ln(1 + orders) AS frequency, ln(1 + avg_item_price) AS price_per_item) f WHERE name = 'logarithms'),
    true, 'also of logarithms that are called the same');
SELECT is((SELECT bool_and(kind = predict_label(m, b)) FROM models, buyers b WHERE name = 'mixed'), true, 'and beside categories');
SELECT ok(bool_and(p.name = n.name), 'segment_profile has the same names') FROM models, segment_names(m) n JOIN segment_profile(m) p USING (cluster);
SELECT is(pg_temp.names('other'), pg_temp.names('other', '"generic"'), 'other features: names made of what is telling');
SELECT is(pg_temp.names('arrays'), '{"high x1, high x2","low x1, low x2"}', 'arrays too');
SELECT is(pg_temp.names('degrees'), '{"more often Basic","much more often PhD"}', 'a category by itself, two of them once');
SELECT is((SELECT array_agg(cluster) FROM segment_names(pg_temp.model('twelve'))), ARRAY[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 'a row per cluster, in their order');
SELECT is((SELECT count(DISTINCT n.name) FROM segment_names(pg_temp.model('twelve')) n), 12::bigint, 'more clusters than names: still unique');
SELECT is((SELECT count(DISTINCT n.name) FROM segment_names(pg_temp.model('twelve'), '"loyalty"') n), 12::bigint, 'in any set');
SELECT ok(bool_or(n.name ~ '^(High Spenders|Occasional Buyers|Frequent Shoppers|Value Seekers) 2$'), 'with twins') FROM segment_names(pg_temp.model('twelve')) n;
SELECT is((SELECT array_agg(n.name ORDER BY n.name) FROM (SELECT kmeans_fit(b, 4, '{"features": ["total_spend", "orders", "avg_item_price"], "order_by": "orders"}') AS m FROM buyers b) x, segment_names(m) n),
    pg_temp.names('numbers'), 'names do not depend on the order of clusters');
SELECT is((SELECT array_agg(n.name) FROM (SELECT kmeans_fit(b, 1, '{"features": ["total_spend", "orders"]}') AS m FROM buyers b) x, segment_names(m) n), '{average total spend}', 'one cluster is average');

-- ---- why
SELECT is((SELECT reason FROM segment_names(pg_temp.model('numbers')) n WHERE n.name = 'High Spenders'),
    (SELECT format('The rule fits: mean total_spend is %s against %s overall (z = %s).', trim_scale(round((avg(total_spend) FILTER (WHERE kind = 'High Spenders'))::numeric, 1)), trim_scale(round(avg(total_spend)::numeric, 1)),
        round(((avg(total_spend) FILTER (WHERE kind = 'High Spenders') - avg(total_spend)) / stddev_pop(total_spend))::numeric, 2)) FROM buyers), 'the reason has the numbers');
SELECT is((SELECT reason FROM segment_names(pg_temp.model('degrees')) n WHERE n.name = 'much more often PhD'),
    'Most telling: degree is "PhD" for 100 % against 30 % overall (z = 1.53).', 'of a category: z is sqrt(.7 / .3)');
SELECT matches((SELECT string_agg(reason, ' ') FROM segment_names(pg_temp.model('other'))), '^Most telling: mean (height|width|depth) is [0-9.]+ against [0-9.]+ overall \(z = -?[0-9.]+\);', 'of a generic name: what is most telling');

-- ---- sets
SELECT is(pg_temp.names('other', '{"set": "purchase", "columns": {"spend": "height", "frequency": "width", "spend_per_item": "depth"}}'), pg_temp.names('numbers'), 'a set with columns');
SELECT is(pg_temp.names('other', '{"columns": {"spend": "height", "frequency": "width", "spend_per_item": "depth"}}'), pg_temp.names('numbers'), 'purchase, unless said');
SELECT is((SELECT cluster FROM segment_names(pg_temp.model('numbers'), '{"columns": {"spend": "orders", "frequency": "total_spend"}}') n WHERE n.name = 'High Spenders'),
    (SELECT cluster FROM segment_names(pg_temp.model('numbers')) n WHERE n.name = 'Frequent Shoppers'), 'a column may play a role that another seems to play');
SELECT is(pg_temp.names('numbers', '"purchase"'), pg_temp.names('numbers'), 'a set by its name');
SELECT is(pg_temp.names('numbers', '{"set": "generic"}'), pg_temp.names('numbers', '"generic"'), 'or as an object');
SELECT is((SELECT count(*) FROM unnest(pg_temp.names('numbers', '"loyalty"')) n WHERE n IN ('Insiders', 'Loyal Customers', 'Potential Loyalists', 'Promising', 'Need Attention', 'Price Sensitive', 'Hibernating', 'Churn')), 4::bigint, 'loyalty');

-- ---- rules of one's own
SELECT is(pg_temp.names('numbers', '[{"name": "VIP", "when": {"total_spend": "very high"}}, {"name": "rest"}]'), '{VIP,rest,"rest 2","rest 3"}', 'a word, and a rule for all others');
SELECT is(pg_temp.names('numbers', '[{"name": "a", "when": {"orders": {"min": 5, "max": 12}}}, {"name": "b", "when": {"total_spend": {"max": 200}}}]'),
    (SELECT array_agg(x ORDER BY x COLLATE "C") FROM unnest(ARRAY['a', 'a 2', 'b'] || (SELECT n.name FROM segment_names(pg_temp.model('numbers'), '[{"name": "no", "when": {"orders": {"max": 25}}}]') n WHERE n.name !~ 'no')) x),
    'bounds in units of the column, the first rule that fits, and generic names for the rest');
SELECT is(pg_temp.names('numbers', '[{"name": "a", "when": {"total_spend": {"min_z": 0}, "orders": {"max_z": 0}}}, {"name": "b", "when": null}]'), '{a,b,"b 2","b 3"}', 'all conditions have to hold');
SELECT is(pg_temp.names('mixed', '[{"name": "doctors", "when": {"degree": {"category": "PhD", "min_share": 0.5}}}, {"name": "others", "when": {"degree": {"category": "PhD", "max_share": 0.5}}}]'),
    '{doctors,"doctors 2",others,"others 2"}', 'shares of a category');
SELECT is(pg_temp.names('mixed', '[{"name": "doctors", "when": {"degree": {"category": "PhD", "min_z": 1, "max_z": 2}}}, {"name": "rest"}]'), '{doctors,"doctors 2",rest,"rest 2"}', 'or its z');
SELECT is(pg_temp.names('degrees', '[{"name": "a", "when": {"none": {"category": "(missing)", "min_share": 1}}}]'), '{a,"a 2"}', 'a missing category is one');
SELECT is((SELECT array_agg(n.name ORDER BY p.mean DESC) FROM segment_names(pg_temp.model('numbers'), '[{"name": "a", "when": {"total_spend": {"min": 0}}}]') n JOIN segment_profile(pg_temp.model('numbers')) p USING (cluster) WHERE feature = 'total_spend'),
    '{a,"a 2","a 3","a 4"}', 'twins by strength: most of what has a lower bound first');
SELECT is((SELECT array_agg(n.name ORDER BY p.mean) FROM segment_names(pg_temp.model('numbers'), '[{"name": "a", "when": {"total_spend": {"max": 9999}}}]') n JOIN segment_profile(pg_temp.model('numbers')) p USING (cluster) WHERE feature = 'total_spend'),
    '{a,"a 2","a 3","a 4"}', 'least of what has an upper one');
SELECT is(pg_temp.names('numbers', '[]'), pg_temp.names('numbers', '"generic"'), 'no rule: generic names');
SELECT is(pg_temp.names('numbers', '[{"name": "Ä ''é\" <売上>"}]'), ARRAY['Ä ''é" <売上>', 'Ä ''é" <売上> 2', 'Ä ''é" <売上> 3', 'Ä ''é" <売上> 4'], 'names are any text');
SELECT is((SELECT bool_and(reason = 'The rule fits every segment.') FROM segment_names(pg_temp.model('numbers'), '[{"name": "a"}]')), true, 'and its reason');
CREATE TABLE odd AS SELECT kmeans_fit(b, 3) AS m FROM (SELECT total_spend AS "Total ""$""", orders > 5 AS often FROM buyers) b;
SELECT is((SELECT array_agg(cluster) FROM odd, segment_names(m, '[{"name": "good", "when": {"Total \"$\"": "high", "often": {"min": 0.5}}}]') n WHERE n.name ~ '^good'),
    (SELECT array_agg(a.cluster ORDER BY a.cluster) FROM odd, segment_profile(m) a JOIN segment_profile(m) b USING (cluster) WHERE a.feature = 'Total "$"' AND a.z >= 0.5 AND b.feature = 'often' AND b.mean >= 0.5), 'odd names of columns, and a boolean');

-- ---- NULL and what is refused
SELECT is((SELECT count(*) FROM segment_names(NULL)), 0::bigint, 'no model, no rows');
SELECT is((SELECT count(*) FROM segment_names(NULL, '"generic"')), 0::bigint, 'whatever the rules');
SELECT is((SELECT count(*) FROM segment_names(pg_temp.model('numbers'), NULL)), 4::bigint, 'no rules');
SELECT is(pg_temp.complaint($$SELECT segment_names(rfm_fit(1, 1, 1))$$), '22023 | segment_names needs a model of clusters, this one is of rfm | Models of clusters are made by kmeans_fit, for example.', 'not a model of clusters');
CREATE FUNCTION pg_temp.refused(rules jsonb, name text DEFAULT 'mixed') RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.complaint(format('SELECT * FROM segment_names(pg_temp.model(%L), %L)', name, rules))$$;
SELECT is(pg_temp.refused(rules), '22023 | ' || complaint, rules::text) FROM (VALUES
    ('"royalty"'::jsonb, 'segment_names has no set "royalty" | Sets are: "purchase", "loyalty", "generic".'),
    ('{"set": 1}', 'key "set" of the rules must be a text | Sets are: "purchase", "loyalty", "generic".'),
    ('{"sets": "purchase"}', 'the rules of segment_names have no key "sets" | Valid keys are: "set", "columns".'),
    ('{"columns": ["spend"]}', 'key "columns" of the rules must be an object | For example {"spend": "total"}.'),
    ('{"columns": {"age": "orders"}}', 'key "columns" of the rules has no role "age" | Roles are: "spend", "frequency", "spend_per_item", "recency", "discount".'),
    ('{"columns": {"spend": "orrders"}}', 'the column "orrders" of role "spend" is no numeric feature of the model | The numeric features of the model are: "total_spend", "orders", "avg_item_price".'),
    ('{"columns": {"spend": "degree"}}', 'the column "degree" of role "spend" is no numeric feature of the model | The numeric features of the model are: "total_spend", "orders", "avg_item_price".'),
    ('{"columns": {"spend": 1}}', 'the column of role "spend" must be a text'),
    ('[1]', 'rule 1 must be an object | Rules are a set (''"loyalty"''), a set with columns (''{"set": "purchase", "columns": {"spend": "total"}}''), or an array (''[{"name": "VIP", "when": {"total": "high"}}]'').'),
    ('[{"name": "a"}, {"called": "b"}]', 'rule 2 has no key "called" | Valid keys are: "name", "when".'),
    ('[{"when": {}}]', 'the name of rule 1 must be a text that is not empty | Rules are a set (''"loyalty"''), a set with columns (''{"set": "purchase", "columns": {"spend": "total"}}''), or an array (''[{"name": "VIP", "when": {"total": "high"}}]'').'),
    ('[{"name": "a", "when": {"ordrs": "high"}}]', 'rule "a": "ordrs" is no feature of the model | The features of the model are: "total_spend", "orders", "avg_item_price", "degree", "region".'),
    ('[{"name": "a", "when": {"orders": "highest"}}]', 'rule "a": the condition on "orders" is "highest", which is no word for it | Words are: "very low", "low", "below average", "average", "above average", "high", "very high".'),
    ('[{"name": "a", "when": {"orders": {"mn": 1}}}]', 'rule "a": the condition on "orders" has no key "mn" | Valid keys are: min, max, min_z, max_z.'),
    ('[{"name": "a", "when": {"degree": {"category": "PhD", "min": 1}}}]', 'rule "a": the condition on "degree" has no key "min" | Valid keys are: category, min_share, max_share, min_z, max_z.'),
    ('[{"name": "a", "when": {"degree": {"category": "Dr", "min_share": 1}}}]', 'rule "a": the condition on "degree" names "Dr", which no training row had | Categories are: "Basic", "PhD".'),
    ('[{"name": "a", "when": {"orders": {"min": 2, "max": 1}}}]', 'rule "a": the condition on "orders" has a lower bound above its upper bound'),
    ('[{"name": "a", "when": {"degree": "PhD"}}]', 'rule "a": the condition on "degree" is a word, but the column holds categories | For example {"category": "PhD", "min_share": 0.5}.')
    ) v(rules, complaint);
SELECT matches(pg_temp.refused(rules), '^22023 \| ' || complaint || '.*\| (A condition is|Rules are) ', rules::text) FROM (VALUES
    ('1'::jsonb, 'rules of segment_names must be a text, an object or an array'),
    ('null', 'rules of segment_names must be a text, an object or an array'),
    ('[{"name": 1}]', 'the name of rule 1 must be a text'), ('[{"name": " "}]', 'the name of rule 1 must be a text'),
    ('[{"name": "a", "when": "high"}]', 'rule "a": "when" must be an object'),
    ('[{"name": "a", "when": {"orders": 1}}]', 'rule "a": the condition on "orders" is neither a word nor an object'),
    ('[{"name": "a", "when": {"orders": {}}}]', 'rule "a": the condition on "orders" has no bound'),
    ('[{"name": "a", "when": {"orders": {"min": "1"}}}]', 'rule "a": the condition on "orders" has a "min" that is not a number'),
    ('[{"name": "a", "when": {"degree": {"min_share": 0.5}}}]', 'rule "a": the condition on "degree" names no category'),
    ('[{"name": "a", "when": {"degree": {"category": "PhD"}}}]', 'rule "a": the condition on "degree" has no bound'),
    ('[{"name": "a", "when": {"degree": {"category": 1, "min_share": 0}}}]', 'rule "a": the condition on "degree" has a "category" that is not a text')
    ) v(rules, complaint);
SELECT is(pg_temp.refused(to_jsonb(ARRAY[jsonb_build_object('name', repeat('x', 181))])), '22023 | the name of rule 1 has 181 bytes but may have at most 180', 'a long name');
SELECT is(pg_temp.refused('"loyalty"', 'other'), '22023 | set "loyalty" needs a feature for "spend", and no name of a feature says that it is one; key "columns" of the rules can | The numeric features of the model are: "height", "width", "depth".', 'a set without its features');

-- ---- names fixed in the model
CREATE TABLE renamed AS SELECT rename_segments(m, '{"1": "VIP", "3": "Neue & Ältere"}') AS m FROM models WHERE name = 'numbers';
SELECT is((SELECT array_agg(n.name ORDER BY cluster) FROM renamed, segment_names(m) n), (SELECT ARRAY['VIP', max(n.name) FILTER (WHERE cluster = 2), 'Neue & Ältere', max(n.name) FILTER (WHERE cluster = 4)] FROM segment_names(pg_temp.model('numbers')) n), 'named ones are renamed, the others keep theirs');
SELECT is((SELECT array_agg(DISTINCT predict_label(m, b) ORDER BY predict_label(m, b)) FROM renamed, buyers b), (SELECT array_agg(DISTINCT p.name ORDER BY p.name) FROM renamed, segment_profile(m) p), 'everywhere');
SELECT is((SELECT array_agg(n.name ORDER BY n.name COLLATE "C") FROM renamed, segment_names(m, '"purchase"') n), pg_temp.names('numbers'), 'rules that are given do not look at them');
SELECT matches((SELECT reason FROM renamed, segment_names(m) n WHERE n.name = 'VIP'), '^The name is fixed in the model; most telling: mean ', 'their reason');
SELECT ok(bool_and(kmeans_predict(r.m, b) = kmeans_predict(pg_temp.model('numbers'), b)), 'nothing but names changes') FROM renamed r, buyers b;
SELECT is(model_info(m), model_info(pg_temp.model('numbers')), 'no result either') FROM renamed;
SELECT is((SELECT array_agg(n.name ORDER BY n.name COLLATE "C") FROM segment_names(rename_segments(pg_temp.model('numbers'), (SELECT jsonb_object_agg(cluster, n.name) FROM segment_names(pg_temp.model('numbers'), '"loyalty"') n))) n),
    pg_temp.names('numbers', '"loyalty"'), 'all names of a set');
SELECT is((SELECT count(*) FROM models, LATERAL (SELECT rename_segments(m, '{}') AS r) x, segment_names(r) a JOIN segment_names(m) b USING (cluster, name)), (SELECT count(*) FROM models, segment_names(m)), 'as they are');
SELECT is(rename_segments(r.m, '{"1": "VIP"}'), r.m, 'again') FROM renamed r;
SELECT is((SELECT array_agg(n.name ORDER BY cluster) FROM renamed, segment_names(rename_segments(m, '{"1": "Neue & Ältere", "3": "VIP"}')) n WHERE cluster IN (1, 3)), '{"Neue & Ältere",VIP}', 'names may change places');
SELECT is(rename_segments(NULL, '{}'), NULL, 'no model');
SELECT is(rename_segments(m, NULL), NULL, 'no names') FROM renamed;
CREATE FUNCTION pg_temp.not_renamed(names jsonb) RETURNS text LANGUAGE sql AS
    $$SELECT pg_temp.complaint(format('SELECT rename_segments(pg_temp.model(%L), %L)', 'arrays', names))$$;
SELECT is(pg_temp.not_renamed(names), '22023 | ' || complaint, left(names::text, 40)) FROM (VALUES
    ('{"3": "a"}'::jsonb, 'the model has no cluster "3" | The clusters are: 1, 2.'),
    ('{"01": "a"}', 'the model has no cluster "01" | The clusters are: 1, 2.'),
    ('{"VIP": "1"}', 'the model has no cluster "VIP" | The clusters are: 1, 2.'),
    ('{"1": 1}', 'the name of cluster 1 is not a text | For example ''{"1": "VIP", "3": "New"}''.'),
    ('{"1": ""}', 'the name of cluster 1 is empty'), ('{"1": " \n"}', 'the name of cluster 1 is empty'),
    (jsonb_build_object('2', repeat('x', 201)), 'the name of cluster 2 has 201 bytes but may have at most 200'),
    ('{"1": "a", "2": "a"}', 'clusters 1 and 2 would both be called "a" | Names are unique within a model.'),
    ('{"1": "high x1, high x2"}', 'clusters 1 and 2 would both be called "high x1, high x2" | Names are unique within a model.'),
    ('["a"]', 'names of rename_segments must be a jsonb object | For example ''{"1": "VIP", "3": "New"}''.')) v(names, complaint);
SELECT is(octet_length((SELECT min(n.name) FROM segment_names(rename_segments(pg_temp.model('arrays'), jsonb_build_object('1', repeat('x', 200), '2', 'y'))) n)), 200, '200 bytes are fine');
SELECT is(pg_temp.complaint($$SELECT rename_segments(rfm_fit(1, 1, 1), '{}')$$), '22023 | rename_segments needs a model of clusters, this one is of rfm | Models of clusters are made by kmeans_fit, for example.', 'not a model of clusters');

-- ---- the next model of a chain goes by the names of the one before, fixed or not
CREATE TABLE later AS SELECT match_model(kmeans_fit(b, 4, '{"features": ["total_spend", "orders", "avg_item_price"], "order_by": "orders"}'), pg_temp.model('numbers')) AS m
FROM (SELECT total_spend * (1 + id % 4 / 40.0) AS total_spend, orders + 1 AS orders, avg_item_price FROM buyers WHERE id <= 60 OR id > 75) b;
SELECT is((SELECT array_agg(n.name ORDER BY cluster) FROM later, segment_names(m) n), (SELECT array_agg(n.name ORDER BY cluster) FROM segment_names(pg_temp.model('numbers')) n), 'numbers and names go on');
SELECT ok(bool_and(reason ~ '^The name is fixed'), 'and are fixed from then on') FROM later, segment_names(m);

-- ---- plans
SELECT is((SELECT array_agg(DISTINCT region || ': ' || n ORDER BY region || ': ' || n) FROM (SELECT region, kmeans_fit(b, 2, '{"features": ["total_spend", "orders"]}') AS m FROM buyers b GROUP BY region) x, LATERAL (SELECT count(DISTINCT s.name) AS n FROM segment_names(m) s) y),
    '{"north: 2","south: 2"}', 'a model for each group of a GROUP BY');
CREATE TABLE serial AS SELECT models.name AS model, n.*, rename_segments(m, '{"1": "a"}') AS renamed FROM models, segment_names(m, '[{"name": "b", "when": {}}]') n;
SELECT set_config(CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END, 'on', true) \gset
SELECT results_eq($$SELECT models.name, n.*, rename_segments(m, '{"1": "a"}') FROM models, segment_names(m, '[{"name": "b", "when": {}}]') n ORDER BY 1, 2$$, 'SELECT * FROM serial ORDER BY 1, 2', 'the same in a parallel worker');

SELECT * FROM finish();
ROLLBACK;
