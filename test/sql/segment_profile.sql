-- segment_profile against plain SQL over the labelled rows.
\set ECHO none
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SET search_path = public, retailml;
BEGIN;
SELECT plan(27);

-- three groups of 60, 40 and 20 customers, far apart in spend; one column is constant
CREATE TABLE people AS
SELECT i AS id, g AS grp, 100 * g + sin(i) AS "Total Spend", (10 - 3 * g + cos(i))::numeric(12,2) AS recency_days,
    g = 3 AS member, 7 AS constant
FROM (SELECT i, CASE WHEN i <= 60 THEN 1 WHEN i <= 100 THEN 2 ELSE 3 END AS g FROM generate_series(1, 120) i) s;
CREATE TABLE fits AS
SELECT standardize, kmeans_fit(p, 3, jsonb_build_object('exclude', '["id", "grp"]'::jsonb, 'standardize', standardize)) AS model
FROM people p, (VALUES (true), (false)) v (standardize) GROUP BY standardize;
CREATE VIEW long AS
SELECT standardize, kmeans_predict(model, p) AS cluster, feature, value
FROM fits, people p, LATERAL (VALUES ('Total Spend', "Total Spend"::float8), ('recency_days', recency_days::float8), ('member', member::int::float8),
    ('constant', 7::float8)) v (feature, value);
CREATE VIEW profile AS SELECT standardize, s.* FROM fits, segment_profile(model) s;
CREATE VIEW facts AS
SELECT standardize, cluster, feature, count(*) AS n, avg(value) AS mean FROM long GROUP BY 1, 2, 3;
CREATE VIEW overall AS SELECT standardize, feature, avg(value) AS mean, stddev_pop(value) AS sd FROM long GROUP BY 1, 2;

SELECT is((SELECT count(*) FROM profile WHERE standardize), 12::bigint, 'a row for each cluster and feature');
SELECT is(array_agg(DISTINCT size ORDER BY size), '{20,40,60}', 'sizes') FROM profile;
SELECT ok(bool_and(p.size = f.n), 'size is the number of rows predicted into the cluster') FROM profile p JOIN facts f USING (standardize, cluster, feature);
SELECT ok(bool_and(abs(share - size / 120.0) < 1e-15), 'share is size over rows') FROM profile;
SELECT ok(bool_and(abs(p.mean - f.mean) < 1e-12 * greatest(1, abs(f.mean))), 'mean is that of its rows') FROM profile p JOIN facts f USING (standardize, cluster, feature);
SELECT ok(bool_and(abs(overall_mean - o.mean) < 1e-12 * greatest(1, abs(o.mean))), 'overall_mean is that of all rows') FROM profile p JOIN overall o USING (standardize, feature);
SELECT ok(bool_and(abs(z - (p.mean - o.mean) / o.sd) < 1e-10), 'z is their difference in population standard deviations')
FROM profile p JOIN overall o USING (standardize, feature) WHERE o.sd > 0;
SELECT ok(bool_and(z = 0), 'z of a constant column is 0') FROM profile WHERE feature = 'constant';
SELECT ok(bool_and(array_length = 4 AND ranks = '{1,2,3,4}'), 'ranks are 1 .. d in each cluster')
FROM (SELECT array_agg(rank ORDER BY rank) AS ranks, count(*) AS array_length FROM profile GROUP BY standardize, cluster) s;
SELECT ok(bool_and(abs(a.z) >= abs(b.z)), 'by |z|') FROM profile a JOIN profile b USING (standardize, cluster) WHERE a.rank < b.rank;
SELECT is(count(DISTINCT name), 3::bigint, 'names are unique within a model') FROM profile WHERE standardize;
SELECT ok(bool_and(name !~ '[0-9]'), 'and hold no number') FROM profile;
SELECT is((SELECT array_agg(DISTINCT name ORDER BY name) FROM profile WHERE standardize), (SELECT array_agg(DISTINCT name ORDER BY name) FROM profile WHERE NOT standardize),
    'the same segments have the same names, standardized or not');
SELECT is((SELECT array_agg(DISTINCT name ORDER BY name) FROM profile WHERE standardize),
    (SELECT array_agg(DISTINCT s.name ORDER BY s.name) FROM (SELECT kmeans_fit(p, 3, '{"exclude": ["id", "grp"], "order_by": "Total Spend"}') AS m FROM people p) x, segment_profile(m) s),
    'and whatever their numbers are');
SELECT is((SELECT array_agg(DISTINCT name) FROM (SELECT kmeans_fit(p, 1) AS m FROM (SELECT "Total Spend" FROM people) p) x, segment_profile(m)),
    '{average Total Spend}', 'one cluster');
SELECT is((SELECT array_agg(DISTINCT feature ORDER BY feature) FROM (SELECT kmeans_fit(ARRAY["Total Spend", id], 2) AS m FROM people) x, segment_profile(m)),
    '{x1,x2}', 'a model of arrays');
SELECT is((SELECT count(*) FROM segment_profile(NULL)), 0::bigint, 'no rows for NULL');
SELECT is((SELECT array_agg(DISTINCT g ORDER BY g) FROM (SELECT grp > 1 AS g, kmeans_fit(p, 2, '{"exclude": ["id", "grp"]}') AS m FROM people p GROUP BY 1) x, segment_profile(m)),
    '{f,t}', 'a profile for each group of a GROUP BY');

-- ---- categories: with two values, three, missing ones, and all the same
CREATE TABLE mixed AS SELECT id, "Total Spend" AS spend, (ARRAY['gold', 'basic'])[1 + (id % 5 > grp)::int] AS plan, (ARRAY['PhD', 'Basic', NULL, 'Basic'])[1 + (id + grp) % 4] AS degree, 'x' AS same, id % 2 AS half FROM people;
CREATE TABLE mixed_fits AS SELECT kprototypes_fit(p, 3, '{"exclude": ["id", "half"]}') AS m FROM mixed p;
CREATE VIEW mixed_long AS
SELECT kprototypes_predict(m, p) AS cluster, id, v.* FROM mixed_fits, mixed p, LATERAL (VALUES ('plan', plan), ('degree', coalesce(degree, '(missing)')), ('same', same)) v (feature, category);
CREATE TABLE shares AS SELECT cluster, feature, category, (SELECT count(*) FROM mixed_long l WHERE (l.cluster, l.feature, l.category) = (c.cluster, f.feature, f.category)) / c.size::float8 AS mean, f.share AS overall
FROM (SELECT cluster, count(DISTINCT id) AS size FROM mixed_long GROUP BY 1) c, (SELECT feature, category, count(*) / 120.0::float8 AS share FROM mixed_long GROUP BY 1, 2) f;
CREATE TABLE mixed_profile AS SELECT p.* FROM mixed_fits, segment_profile(m) p;
SELECT results_eq('SELECT feature, category FROM mixed_profile WHERE cluster = 2', $$VALUES ('spend', NULL), ('plan', 'basic'), ('plan', 'gold'), ('degree', '(missing)'), ('degree', 'Basic'), ('degree', 'PhD'), ('same', 'x')$$, 'a row per category, "(missing)" where some are');
SELECT is((SELECT count(*) FROM mixed_profile p JOIN shares s USING (cluster, feature, category) WHERE abs(p.mean - s.mean) < 1e-14 AND abs(p.overall_mean - s.overall) < 1e-14), 18::bigint, 'mean and overall_mean are shares');
SELECT is((SELECT count(*) FROM mixed_profile p JOIN shares s USING (cluster, feature, category) WHERE abs(z - CASE WHEN overall < 1 THEN (s.mean - overall) / sqrt(overall * (1 - overall)) ELSE 0 END) < 1e-12), 18::bigint, 'z is (p - P) / sqrt(P (1 - P))');
SELECT ok(bool_and(abs(sum - 1) < 1e-14 AND abs(overall - 1) < 1e-14), 'shares add up to 1') FROM (SELECT sum(mean) AS sum, sum(overall_mean) AS overall FROM mixed_profile WHERE category IS NOT NULL GROUP BY cluster, feature) s;
SELECT is((SELECT array_agg(ranks) FROM (SELECT array_agg(rank ORDER BY rank) AS ranks FROM mixed_profile GROUP BY cluster) s), ARRAY[ARRAY[1,2,3,4,5,6,7], ARRAY[1,2,3,4,5,6,7], ARRAY[1,2,3,4,5,6,7]], 'ranks are over all rows of a cluster');
SELECT is((SELECT array_agg(rank = 7 ORDER BY cluster) FROM mixed_profile WHERE feature = 'plan' AND z < 0), '{t,t,t}', 'of two categories the rarer one mirrors the other, and is last');
SELECT ok(bool_and(abs(a.z) >= abs(b.z)), 'the others are by |z|') FROM mixed_profile a JOIN mixed_profile b USING (cluster) WHERE a.rank < b.rank AND b.rank < 7;
SELECT is((SELECT count(*) FROM profile WHERE category IS NOT NULL), 0::bigint, 'numbers have no category');
SELECT is((SELECT array_agg(half || ': ' || n ORDER BY half) FROM (SELECT half, kprototypes_fit(p, 2, '{"exclude": ["id", "half"]}') AS m FROM mixed p GROUP BY half) x, LATERAL (SELECT count(DISTINCT name) AS n FROM segment_profile(m)) y), '{"0: 2","1: 2"}', 'for each group of a GROUP BY');

SELECT * FROM finish();
ROLLBACK;
