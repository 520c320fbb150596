-- Views for dashboards, the same for every pipeline, and who may read them.
--
-- Everybody may read them, and row-level security says what is in them: whoever sees a pipeline or a model in the
-- tables sees it here, and a reader (grant_reader) sees all of them here and none in the tables.  For that they
-- belong to pg_database_owner, the role that every database has and that is a member of no other: as it is not the
-- owner of the tables their policies hold in the views, and the policies that let readers in are for this role, so
-- only for what comes through a view.  Who is asking is current_user, which a view does not change.  A
-- security barrier would do as well, but it cannot read the members of a segment in the order of an index.
--
-- Which run is the published one is read from segment_summary, which publish fills in the transaction that replaces
-- segments_current.

-- the members of one segment, nearest first; a customer without a segment is in (none).  Not coalesce: the planner
-- does not know that it is leakproof, and row-level security keeps what is not from an index
CREATE INDEX segments_current_name ON segments_current (pipeline, (CASE WHEN name IS NULL THEN '(none)' ELSE name END), distance);

CREATE VIEW published_runs AS
SELECT pipeline, run_id, as_of,
    pg_catalog.lead(run_id) OVER (PARTITION BY pipeline ORDER BY run_id) IS NULL AS latest,
    pg_catalog.lead(run_id) OVER (PARTITION BY pipeline, as_of ORDER BY run_id) IS NOT NULL AS replaced
FROM (SELECT DISTINCT pipeline, run_id, as_of FROM segment_summary) AS published;
COMMENT ON VIEW published_runs IS
'The published runs that are kept, of all pipelines; what the bi_ views stand on. A row per run. It is not among the views that grant_reader gives.';
COMMENT ON COLUMN published_runs.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN published_runs.run_id IS 'the run, as in pipeline_runs; later runs have higher numbers';
COMMENT ON COLUMN published_runs.as_of IS 'the moment the run describes';
COMMENT ON COLUMN published_runs.latest IS 'true for the run whose segments are in segments_current';
COMMENT ON COLUMN published_runs.replaced IS 'true where a later run describes the same moment';

-- ---- segments as they are

CREATE VIEW bi_segments AS
SELECT s.pipeline, s.segment, coalesce(s.name, '(none)') AS name, s.customers, s.share, s.revenue, s.revenue_share, s.as_of, c.last_update
FROM published_runs p
JOIN segment_summary s ON s.pipeline = p.pipeline AND s.run_id = p.run_id
LEFT JOIN LATERAL (SELECT last_update FROM segments_current WHERE pipeline = p.pipeline LIMIT 1) AS c ON true
WHERE p.latest;
COMMENT ON VIEW bi_segments IS
'The segments of the last published run: size, share, revenue. A row per pipeline and segment. For bars, a pie, a tree map.

  SELECT name, customers, revenue_share FROM retailml.bi_segments WHERE pipeline = ''segments'' ORDER BY segment;';
COMMENT ON COLUMN bi_segments.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segments.segment IS 'number of the segment, the same from run to run';
COMMENT ON COLUMN bi_segments.name IS 'name of the segment, (none) for customers who are in none';
COMMENT ON COLUMN bi_segments.customers IS 'customers in it';
COMMENT ON COLUMN bi_segments.share IS 'their share of all customers of the pipeline, 0 .. 1';
COMMENT ON COLUMN bi_segments.revenue IS 'sum of the feature that the option revenue names, NULL where there is none';
COMMENT ON COLUMN bi_segments.revenue_share IS 'its share of the revenue of all customers, 0 .. 1';
COMMENT ON COLUMN bi_segments.as_of IS 'the moment the segments describe';
COMMENT ON COLUMN bi_segments.last_update IS 'when they were published';

CREATE VIEW bi_segment_members AS
SELECT c.pipeline, c.key, c.segment, CASE WHEN c.name IS NULL THEN '(none)' ELSE c.name END AS name, c.distance, r.revenue, c.features, c.last_update
FROM segments_current c
LEFT JOIN pipelines p ON p.pipeline = c.pipeline
CROSS JOIN LATERAL (SELECT c.features OPERATOR(pg_catalog.->) coalesce(p.options OPERATOR(pg_catalog.->>) 'revenue', 'monetary') AS value) AS v
CROSS JOIN LATERAL (SELECT jsonb_float8(v.value) AS revenue) AS r;
COMMENT ON VIEW bi_segment_members IS
'Every customer with its segment, as last published. A row per pipeline and customer: filter by pipeline and key, or by pipeline and name and order by distance, which indexes serve. For tables and lists to act on.

  SELECT key, revenue FROM retailml.bi_segment_members
  WHERE pipeline = ''segments'' AND name = ''Insiders'' ORDER BY distance LIMIT 100;';
COMMENT ON COLUMN bi_segment_members.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segment_members.key IS 'the customer: the key column of the pipeline as text';
COMMENT ON COLUMN bi_segment_members.segment IS 'number of the segment, the same from run to run';
COMMENT ON COLUMN bi_segment_members.name IS 'name of the segment, (none) for customers who are in none';
COMMENT ON COLUMN bi_segment_members.distance IS 'distance to the centre of the segment: small is typical; NULL where the algorithm has none';
COMMENT ON COLUMN bi_segment_members.revenue IS 'the feature that the option revenue names, by default monetary; NULL where it is no number';
COMMENT ON COLUMN bi_segment_members.features IS 'the customer''s columns as an object; features ->> ''x'' is x as text';
COMMENT ON COLUMN bi_segment_members.last_update IS 'when the row was published';

CREATE VIEW bi_segment_profile AS
SELECT h.pipeline, h.segment, coalesce(h.name, '(none)') AS name, h.customers, h.share, h.feature, h.category, h.mean, h.overall_mean, h.z, h.as_of
FROM published_runs p
JOIN segment_profile_history h ON h.pipeline = p.pipeline AND h.run_id = p.run_id
WHERE p.latest;
COMMENT ON VIEW bi_segment_profile IS
'What sets each segment of the last published run apart, feature by feature. A row per pipeline, segment and feature, or category of a feature. For a heat map of z, or a radar.

  SELECT name, feature, z FROM retailml.bi_segment_profile WHERE pipeline = ''segments'' AND category IS NULL;';
COMMENT ON COLUMN bi_segment_profile.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segment_profile.segment IS 'number of the segment, the same from run to run';
COMMENT ON COLUMN bi_segment_profile.name IS 'name of the segment, (none) for customers who are in none';
COMMENT ON COLUMN bi_segment_profile.customers IS 'customers in the segment';
COMMENT ON COLUMN bi_segment_profile.share IS 'their share of all customers, 0 .. 1';
COMMENT ON COLUMN bi_segment_profile.feature IS 'the column';
COMMENT ON COLUMN bi_segment_profile.category IS 'the category of a text column, NULL for a number';
COMMENT ON COLUMN bi_segment_profile.mean IS 'mean of the segment; for a category the share of the segment that has it';
COMMENT ON COLUMN bi_segment_profile.overall_mean IS 'the same of all customers';
COMMENT ON COLUMN bi_segment_profile.z IS 'their difference in standard deviations of all customers; beyond 1 or -1 is remarkable';
COMMENT ON COLUMN bi_segment_profile.as_of IS 'the moment the run describes';

-- ---- segments over time

CREATE VIEW bi_segment_trend AS
SELECT s.pipeline, s.as_of, s.segment, coalesce(s.name, '(none)') AS name, s.customers, s.share, s.revenue, s.revenue_share
FROM published_runs p
JOIN segment_summary s ON s.pipeline = p.pipeline AND s.run_id = p.run_id
WHERE NOT p.replaced;
COMMENT ON VIEW bi_segment_trend IS
'The segments of all published runs that are kept. A row per pipeline, as_of and segment; of several runs for the same moment the last. For lines and stacked areas over as_of.

  SELECT as_of, name, customers FROM retailml.bi_segment_trend WHERE pipeline = ''segments'' ORDER BY as_of, segment;';
COMMENT ON COLUMN bi_segment_trend.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segment_trend.as_of IS 'the moment the run describes';
COMMENT ON COLUMN bi_segment_trend.segment IS 'number of the segment, the same from run to run';
COMMENT ON COLUMN bi_segment_trend.name IS 'name of the segment in that run';
COMMENT ON COLUMN bi_segment_trend.customers IS 'customers in it';
COMMENT ON COLUMN bi_segment_trend.share IS 'their share of all customers, 0 .. 1';
COMMENT ON COLUMN bi_segment_trend.revenue IS 'sum of the feature that the option revenue names, NULL where there is none';
COMMENT ON COLUMN bi_segment_trend.revenue_share IS 'its share of the revenue of all customers, 0 .. 1';

CREATE VIEW bi_segment_migration AS
SELECT m.pipeline, coalesce(m.from_name, '(new)') AS from_name, coalesce(m.to_name, '(gone)') AS to_name,
    'before: ' OPERATOR(pg_catalog.||) coalesce(m.from_name, '(new)') AS source, 'now: ' OPERATOR(pg_catalog.||) coalesce(m.to_name, '(gone)') AS target,
    m.from_name IS DISTINCT FROM m.to_name AS moved, m.customers, m.share, m.as_of
FROM published_runs p
JOIN segment_migration m ON m.pipeline = p.pipeline AND m.run_id = p.run_id
WHERE p.latest;
COMMENT ON VIEW bi_segment_migration IS
'How many customers went where between the last published run and the run before: the last of those with an earlier as_of, so that a second run for the same moment changes nothing about whom it is compared with. A row per pipeline and pair of names; no row in the first period. For a Sankey diagram take source and target, whose names differ, because such a chart refuses cycles; for a matrix from_name and to_name.

  SELECT source, target, customers FROM retailml.bi_segment_migration WHERE pipeline = ''segments'';';
COMMENT ON COLUMN bi_segment_migration.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segment_migration.from_name IS 'segment in the run before; (new) where the customer was not there';
COMMENT ON COLUMN bi_segment_migration.to_name IS 'segment now; (gone) where the customer is not there any more';
COMMENT ON COLUMN bi_segment_migration.source IS 'from_name, marked as before';
COMMENT ON COLUMN bi_segment_migration.target IS 'to_name, marked as now';
COMMENT ON COLUMN bi_segment_migration.moved IS 'false for those who stayed';
COMMENT ON COLUMN bi_segment_migration.customers IS 'customers who went that way';
COMMENT ON COLUMN bi_segment_migration.share IS 'their share of the customers of from_name, 0 .. 1';
COMMENT ON COLUMN bi_segment_migration.as_of IS 'the moment the last run describes';

CREATE VIEW bi_segment_movers AS
SELECT m.pipeline, m.key, CASE WHEN m.from_name IS NULL THEN '(new)' ELSE m.from_name END AS from_name,
    CASE WHEN m.to_name IS NULL THEN '(gone)' ELSE m.to_name END AS to_name, c.revenue, c.features, m.as_of
FROM segment_movers m LEFT JOIN bi_segment_members c ON c.pipeline = m.pipeline AND c.key = m.key;
COMMENT ON VIEW bi_segment_movers IS
'The customers whose segment has another name than in the run before, those who are new, and those who are gone; of the last published run. The run before is the last published of those with an earlier as_of, as in bi_segment_migration. A row per pipeline and customer; no row in the first period. For lists to act on: filter by pipeline, from_name and to_name.

  SELECT key, revenue FROM retailml.bi_segment_movers
  WHERE pipeline = ''segments'' AND from_name = ''Insiders'' AND to_name = ''Loyal Customers'' ORDER BY revenue DESC LIMIT 100;';
COMMENT ON COLUMN bi_segment_movers.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_segment_movers.key IS 'the customer: the key column of the pipeline as text';
COMMENT ON COLUMN bi_segment_movers.from_name IS 'segment in the run before; (new) where the customer was not there';
COMMENT ON COLUMN bi_segment_movers.to_name IS 'segment now; (gone) where the customer is not there any more';
COMMENT ON COLUMN bi_segment_movers.revenue IS 'the feature that the option revenue names, by default monetary, as it is now; NULL where it is no number, and for who is gone';
COMMENT ON COLUMN bi_segment_movers.features IS 'the customer''s columns now as an object; NULL for who is gone';
COMMENT ON COLUMN bi_segment_movers.as_of IS 'the moment the last run describes';

CREATE VIEW bi_rfm_heatmap AS
SELECT h.pipeline, h.r, h.f, h.customers, h.revenue, h.as_of
FROM published_runs p
JOIN segment_rfm h ON h.pipeline = p.pipeline AND h.run_id = p.run_id
WHERE p.latest;
COMMENT ON VIEW bi_rfm_heatmap IS
'Customers and revenue by recency and frequency, in the last published run. A row per pipeline and pair of scores that occurs; none for pipelines without the features recency, frequency and monetary. For a heat map.

  SELECT r, f, customers, revenue FROM retailml.bi_rfm_heatmap WHERE pipeline = ''segments'';';
COMMENT ON COLUMN bi_rfm_heatmap.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_rfm_heatmap.r IS 'recency in fifths of the customers: 5 bought last';
COMMENT ON COLUMN bi_rfm_heatmap.f IS 'frequency in fifths of the customers: 5 buys most often';
COMMENT ON COLUMN bi_rfm_heatmap.customers IS 'customers with these scores';
COMMENT ON COLUMN bi_rfm_heatmap.revenue IS 'what they spent: sum of monetary';
COMMENT ON COLUMN bi_rfm_heatmap.as_of IS 'the moment the run describes';

-- ---- models and runs

CREATE VIEW bi_model_quality AS
SELECT name, version, status, algorithm, created_at, promoted_at, rows, metrics FROM models;
COMMENT ON VIEW bi_model_quality IS
'Every version of every model in the registry, without its bytes. A row per name and version. The model of a pipeline has the pipeline''s name. For tables; bi_model_metrics has the numbers for charts.

  SELECT version, status, metrics FROM retailml.bi_model_quality WHERE name = ''segments'' ORDER BY version;';
COMMENT ON COLUMN bi_model_quality.name IS 'name of the model';
COMMENT ON COLUMN bi_model_quality.version IS '1, 2, ... per name';
COMMENT ON COLUMN bi_model_quality.status IS 'staging, production or archived';
COMMENT ON COLUMN bi_model_quality.algorithm IS 'what fitted it';
COMMENT ON COLUMN bi_model_quality.created_at IS 'when it was saved';
COMMENT ON COLUMN bi_model_quality.promoted_at IS 'when it last became the production version, NULL if never';
COMMENT ON COLUMN bi_model_quality.rows IS 'rows it was fitted on';
COMMENT ON COLUMN bi_model_quality.metrics IS 'numbers that were saved with it, an object';

CREATE VIEW bi_model_metrics AS
SELECT m.name, m.version, m.status, m.algorithm, m.created_at, e.key AS metric, jsonb_float8(e.value) AS value
FROM models m
CROSS JOIN LATERAL pg_catalog.jsonb_each(CASE pg_catalog.jsonb_typeof(m.metrics) WHEN 'object' THEN m.metrics END) AS e
WHERE pg_catalog.jsonb_typeof(e.value) = 'number';
COMMENT ON VIEW bi_model_metrics IS
'The numbers among the metrics of every model version. A row per name, version and metric. For lines over version.

  SELECT version, value FROM retailml.bi_model_metrics WHERE name = ''segments'' AND metric = ''silhouette'' ORDER BY version;';
COMMENT ON COLUMN bi_model_metrics.name IS 'name of the model';
COMMENT ON COLUMN bi_model_metrics.version IS '1, 2, ... per name';
COMMENT ON COLUMN bi_model_metrics.status IS 'staging, production or archived';
COMMENT ON COLUMN bi_model_metrics.algorithm IS 'what fitted it';
COMMENT ON COLUMN bi_model_metrics.created_at IS 'when it was saved';
COMMENT ON COLUMN bi_model_metrics.metric IS 'name of the number';
COMMENT ON COLUMN bi_model_metrics.value IS 'the number; NULL for one that float8 cannot hold';

-- the difference of two moments may be none (infinity) or too long for an interval; that of two numbers is a number
CREATE VIEW bi_pipeline_runs AS
SELECT pipeline, run_id, as_of, state, mode, reason, k, algorithm, version, refitted, customers, started_at, finished_at,
    (extract(epoch FROM finished_at) - extract(epoch FROM started_at))::float8 AS seconds, message
FROM pipeline_runs;
COMMENT ON VIEW bi_pipeline_runs IS
'Every run of every pipeline: when, how it ended, what it chose and why. A row per run. For a table, and the time since the last success.

  SELECT max(as_of) FROM retailml.bi_pipeline_runs WHERE pipeline = ''segments'' AND state = ''success'';';
COMMENT ON COLUMN bi_pipeline_runs.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_pipeline_runs.run_id IS 'number of the run; later runs have higher numbers';
COMMENT ON COLUMN bi_pipeline_runs.as_of IS 'the moment it describes';
COMMENT ON COLUMN bi_pipeline_runs.state IS 'running, success, failed or abandoned';
COMMENT ON COLUMN bi_pipeline_runs.mode IS 'elbow, fixed or score';
COMMENT ON COLUMN bi_pipeline_runs.reason IS 'why that mode, with the numbers';
COMMENT ON COLUMN bi_pipeline_runs.k IS 'number of segments';
COMMENT ON COLUMN bi_pipeline_runs.algorithm IS 'what fitted the model';
COMMENT ON COLUMN bi_pipeline_runs.version IS 'version of the model that was used';
COMMENT ON COLUMN bi_pipeline_runs.refitted IS 'true when the run fitted a model of its own';
COMMENT ON COLUMN bi_pipeline_runs.customers IS 'rows of the snapshot';
COMMENT ON COLUMN bi_pipeline_runs.started_at IS 'when it began';
COMMENT ON COLUMN bi_pipeline_runs.finished_at IS 'when it ended, NULL while it runs';
COMMENT ON COLUMN bi_pipeline_runs.seconds IS 'how long it took, waits before retries included';
COMMENT ON COLUMN bi_pipeline_runs.message IS 'the error it ended with';

CREATE VIEW bi_pipeline_steps AS
SELECT pipeline, run_id, ordinal, step, state, attempts, started_at, finished_at,
    (extract(epoch FROM finished_at) - extract(epoch FROM started_at))::float8 AS seconds, rows, message
FROM pipeline_steps;
COMMENT ON VIEW bi_pipeline_steps IS
'The steps of every run. A row per run and step. For a table, or bars of seconds by step.

  SELECT step, state, seconds, message FROM retailml.bi_pipeline_steps WHERE run_id = 2 ORDER BY ordinal;';
COMMENT ON COLUMN bi_pipeline_steps.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_pipeline_steps.run_id IS 'number of the run';
COMMENT ON COLUMN bi_pipeline_steps.ordinal IS 'place of the step in the run, from 1';
COMMENT ON COLUMN bi_pipeline_steps.step IS 'check, snapshot, choose, fit, match, score, profile or publish';
COMMENT ON COLUMN bi_pipeline_steps.state IS 'queued, running, success, failed, upstream_failed or skipped';
COMMENT ON COLUMN bi_pipeline_steps.attempts IS 'how often it was tried';
COMMENT ON COLUMN bi_pipeline_steps.started_at IS 'when it began';
COMMENT ON COLUMN bi_pipeline_steps.finished_at IS 'when it ended, NULL while it runs';
COMMENT ON COLUMN bi_pipeline_steps.seconds IS 'how long it took';
COMMENT ON COLUMN bi_pipeline_steps.rows IS 'rows it wrote';
COMMENT ON COLUMN bi_pipeline_steps.message IS 'its error, or what there is to say';

CREATE VIEW bi_pipeline_checks AS
SELECT pipeline, run_id, check_name, state, value, bound, message FROM pipeline_checks;
COMMENT ON VIEW bi_pipeline_checks IS
'What the step check found in every run. A row per run and check. For a table of warnings.

  SELECT check_name, message FROM retailml.bi_pipeline_checks WHERE run_id = 2 AND state <> ''ok'';';
COMMENT ON COLUMN bi_pipeline_checks.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN bi_pipeline_checks.run_id IS 'number of the run';
COMMENT ON COLUMN bi_pipeline_checks.check_name IS 'rows, duplicate_keys, null_keys, multiplied_rows, variance, columns or null_columns';
COMMENT ON COLUMN bi_pipeline_checks.state IS 'ok, warning or error';
COMMENT ON COLUMN bi_pipeline_checks.value IS 'what was measured';
COMMENT ON COLUMN bi_pipeline_checks.bound IS 'what it was held against';
COMMENT ON COLUMN bi_pipeline_checks.message IS 'what is wrong, in words';

ALTER VIEW published_runs OWNER TO pg_database_owner;
ALTER VIEW bi_segments OWNER TO pg_database_owner;
ALTER VIEW bi_segment_members OWNER TO pg_database_owner;
ALTER VIEW bi_segment_profile OWNER TO pg_database_owner;
ALTER VIEW bi_segment_trend OWNER TO pg_database_owner;
ALTER VIEW bi_segment_migration OWNER TO pg_database_owner;
ALTER VIEW bi_segment_movers OWNER TO pg_database_owner;
ALTER VIEW bi_rfm_heatmap OWNER TO pg_database_owner;
ALTER VIEW bi_model_quality OWNER TO pg_database_owner;
ALTER VIEW bi_model_metrics OWNER TO pg_database_owner;
ALTER VIEW bi_pipeline_runs OWNER TO pg_database_owner;
ALTER VIEW bi_pipeline_steps OWNER TO pg_database_owner;
ALTER VIEW bi_pipeline_checks OWNER TO pg_database_owner;

-- ---- who sees what

DO $do$
DECLARE
    views text := (SELECT pg_catalog.string_agg(pg_catalog.format('@extschema@.%I', c.relname), ', ') FROM pg_catalog.pg_class c
        WHERE c.relnamespace OPERATOR(pg_catalog.=) '@extschema@'::regnamespace AND c.relkind = 'v'
          AND c.relname OPERATOR(pg_catalog.^@) 'bi_');
BEGIN
    EXECUTE pg_catalog.format('GRANT SELECT ON %s TO PUBLIC', views);
    -- who installed the extension need not own the database to say who is a reader
    EXECUTE pg_catalog.format('GRANT SELECT ON %s TO @extowner@ WITH GRANT OPTION', views);
END
$do$;

-- no SET clause, so that it becomes part of the queries of the policies
CREATE FUNCTION reader_roles() RETURNS SETOF oid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT a.grantee FROM pg_catalog.pg_class v, pg_catalog.pg_class t, pg_catalog.aclexplode(v.relacl) a
    WHERE v.oid OPERATOR(pg_catalog.=) '@extschema@.bi_segments'::pg_catalog.regclass
      AND t.oid OPERATOR(pg_catalog.=) '@extschema@.pipelines'::pg_catalog.regclass
      AND a.grantee OPERATOR(pg_catalog.<>) ALL (ARRAY[0, v.relowner, t.relowner])
    $$;
COMMENT ON FUNCTION reader_roles() IS
'The roles that were given the views by grant_reader; not for direct use.';

-- The rows of the other tables follow from those of these two: their policies look for the pipeline or name there.
-- Whoever may use the schema could make models and pipelines, because their tables are open to everybody.  A reader
-- makes none: that policy asks whether the role itself was given the views.
DO $do$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['pipelines', 'model_names'] LOOP
        EXECUTE pg_catalog.format('CREATE POLICY readers ON @extschema@.%I FOR SELECT TO pg_database_owner USING ((SELECT
            EXISTS (SELECT FROM @extschema@.reader_roles() r WHERE pg_catalog.pg_has_role(r, ''USAGE''))
            OR pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) ''@extschema@.pipelines''::regclass), ''USAGE'')))', tab);
        EXECUTE pg_catalog.format('COMMENT ON POLICY readers ON @extschema@.%I IS ''Readers, and who owns the tables, see all in the views.''', tab);
        EXECUTE pg_catalog.format('CREATE POLICY readers_make_none ON @extschema@.%I AS RESTRICTIVE FOR INSERT WITH CHECK (
            (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) NOT IN (SELECT @extschema@.reader_roles()))', tab);
        EXECUTE pg_catalog.format('COMMENT ON POLICY readers_make_none ON @extschema@.%I IS ''Readers read.''', tab);
    END LOOP;
END
$do$;

CREATE FUNCTION refuse_reader() RETURNS void LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (SELECT oid FROM pg_roles WHERE rolname = current_user) IN (SELECT @extschema@.reader_roles()) THEN
        RAISE EXCEPTION 'role "%" is a reader, and readers make no models or pipelines', current_user
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Do it as another role (a member of this one may), or have revoke_reader called: who owns a pipeline sees it in the views all the same.';
    END IF;
END $$;
COMMENT ON FUNCTION refuse_reader() IS
'Raises that a reader makes nothing, before the policies readers_make_none do in words of their own; not for direct use.';

CREATE FUNCTION reader_views(role name) RETURNS text LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views text;
    table_owner oid;
BEGIN
    SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname), min(t.relowner)
    INTO views, table_owner
    FROM pg_class t, pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
    WHERE e.extname = 'retailml' AND t.oid = '@extschema@.pipelines'::regclass AND c.relkind = 'v' AND c.relname ^@ 'bi_';
    IF NOT pg_has_role(table_owner, 'USAGE') THEN
        RAISE EXCEPTION 'only who installed retailml decides who reads its views' USING ERRCODE = 'insufficient_privilege',
            HINT = format('Do it as %s.', table_owner::regrole);
    ELSIF role IS NULL OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
        RAISE EXCEPTION 'role "%" does not exist', role USING ERRCODE = 'undefined_object';
    END IF;
    RETURN views;
END $$;
COMMENT ON FUNCTION reader_views(name) IS
'The views that grant_reader gives and revoke_reader takes, as a list for GRANT, once it is clear that the caller may do it and that the role exists; not for direct use.';

CREATE PROCEDURE grant_reader(role name) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    views text := @extschema@.reader_views(role);
BEGIN
    IF EXISTS (SELECT FROM @extschema@.model_names WHERE owner = role)
        OR EXISTS (SELECT FROM @extschema@.pipelines WHERE owner = role) THEN
        RAISE EXCEPTION 'role "%" owns models or pipelines', role USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A reader reads the views and nothing else.',
            HINT = format('Make a role for the dashboard, and give it to %I with GRANT.', role);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA @extschema@ TO %I', role);
    EXECUTE format('GRANT SELECT ON %s TO %I', views, role);
    -- a GRANT by who may not is only a warning for a schema
    IF NOT has_schema_privilege(role, '@extschema@', 'USAGE') THEN
        RAISE EXCEPTION 'schema @extschema@ belongs to somebody else' USING ERRCODE = 'insufficient_privilege',
            HINT = format('Its owner has to GRANT USAGE ON SCHEMA @extschema@ TO %I.', role);
    END IF;
END $$;
COMMENT ON PROCEDURE grant_reader(name) IS
'Makes a role a reader, of all pipelines and models: gives it USAGE on the schema and SELECT on the views bi_.... The owner of a pipeline needs no such thing: in the views every role sees the pipelines and models that it sees in the tables.

Arguments
  role  an existing role, for example the one that Metabase or Superset logs in with

The role sees the segments, models and runs of every pipeline, whoever owns it, with the customers'' features, but none of the tables behind them, no model''s bytes and no feature query. It cannot make models or pipelines of its own, nor change or run those of others: row-level security refuses it. Views of other roles on these views show what who asks may see, not what their owners may. A person who does both is made a member of that role with GRANT, and keeps the own rights. Calling it again does no harm, and is needed after an update of the extension that brought new views. revoke_reader takes everything back.

Errors: the caller is not who installed the extension (42501); no such role (42704); the role owns models or pipelines (55000).

  CREATE ROLE dashboard LOGIN PASSWORD ''...'';
  CALL retailml.grant_reader(''dashboard'');';

CREATE PROCEDURE revoke_reader(role name) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('REVOKE SELECT ON %s FROM %I', @extschema@.reader_views(role), role);
    EXECUTE format('REVOKE USAGE ON SCHEMA @extschema@ FROM %I', role);
    -- a REVOKE takes only what the same role gave
    IF (SELECT oid FROM pg_roles WHERE rolname = role) IN (SELECT @extschema@.reader_roles()) THEN
        RAISE EXCEPTION 'role "%" was made a reader by another role than current_user', role
            USING ERRCODE = 'insufficient_privilege', HINT = 'Do it as the role that called grant_reader.';
    END IF;
END $$;
COMMENT ON PROCEDURE revoke_reader(name) IS
'Takes from a role what grant_reader gave it: SELECT on the views bi_... and USAGE on the schema. What it owns it still sees in them, once it may use the schema again. A role that was no reader loses its USAGE all the same.

Arguments
  role  an existing role

Errors: the caller is not who installed the extension, or another role made this one a reader (42501); no such role (42704).

  CALL retailml.revoke_reader(''dashboard'');';
