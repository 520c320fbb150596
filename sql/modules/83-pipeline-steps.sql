-- The steps of a pipeline's run. Each is one transaction of pipeline_run and does its work again from the start when it
-- was interrupted. A step returns the rows it worked on, what it has to tell, and a failure where it refuses to go on.
--
-- Functions that run the feature query have no SET clause: the query means what it means to its caller. Whoever may create in
-- a schema on the caller's path could have operators, functions and types of the usual names there, with arguments that fit
-- better. So these functions hold next to nothing, and all of it is qualified.

CREATE FUNCTION pipeline_alarm(seconds float8) RETURNS void
    AS 'MODULE_PATHNAME', 'rml_pipeline_alarm'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pipeline_alarm(float8) IS
'Cancels the statement that the client sent when this many seconds have passed from now, as statement_timeout would, or at the end of statement_timeout if that is earlier. 0: only that. More than 1e9 seconds are 1e9. Errors: seconds that are negative, infinite or NaN. For the steps of pipeline_run; not for direct use.';

-- ---- check

-- the last run that published what the pipeline is defined as now
CREATE FUNCTION pipeline_last_run(pipeline text, since timestamptz DEFAULT '-infinity') RETURNS @extschema@.pipeline_runs
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT r FROM @extschema@.pipeline_runs r
    WHERE r.pipeline = pipeline_last_run.pipeline AND r.state = 'success' AND r.started_at >= since
    ORDER BY r.run_id DESC LIMIT 1
    $$;
COMMENT ON FUNCTION pipeline_last_run(text, timestamptz) IS
'The last run of a pipeline that was published, of those that began since then; not for direct use.';

-- After an older moment was run again the last run says nothing about this one.
CREATE FUNCTION pipeline_run_before(r @extschema@.pipeline_runs, since timestamptz) RETURNS @extschema@.pipeline_runs
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT b FROM @extschema@.pipeline_runs b
    WHERE b.pipeline = r.pipeline AND b.state = 'success' AND b.started_at >= since
    ORDER BY b.as_of < r.as_of DESC, CASE WHEN b.as_of < r.as_of THEN b.as_of END DESC, b.run_id DESC LIMIT 1
    $$;
COMMENT ON FUNCTION pipeline_run_before(@extschema@.pipeline_runs, timestamptz) IS
'The last published run of those with an earlier as_of, or else the last, of those that began since then; not for direct use.';

CREATE FUNCTION pipeline_count_query(p @extschema@.pipelines, columns jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT pg_catalog.count(*), pg_catalog.count(f.%1$I), pg_catalog.count(DISTINCT f.%1$I::pg_catalog.text COLLATE pg_catalog."C"),
            ARRAY[%2$s]::bigint[], ARRAY[%3$s]::pg_catalog.float8[] FROM (%4$s' || E'\n) AS f', p.key,
        string_agg(format('pg_catalog.count(f.%I)', c.e ->> 'name'), ', ' ORDER BY c.i),
        string_agg(CASE WHEN c.e ->> 'kind' = 'number' AND p.options -> 'fit' ->> 'standardize' = 'false'
            THEN format('pg_catalog.var_pop(f.%I::pg_catalog.float8)', c.e ->> 'name') ELSE 'NULL' END, ', ' ORDER BY c.i), p.features)
    FROM jsonb_array_elements(columns) WITH ORDINALITY c (e, i) WHERE (c.e ->> 'feature')::boolean
    $$;
COMMENT ON FUNCTION pipeline_count_query(@extschema@.pipelines, jsonb) IS
'The statement that counts what the feature query gives; not for direct use.';

CREATE FUNCTION pipeline_twins_query(p @extschema@.pipelines) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT pg_catalog.string_agg(pg_catalog.format(''"%%s" has %%s rows'', d.k, d.n), '', ''
            ORDER BY d.n DESC, d.k COLLATE pg_catalog."C")
        FROM (SELECT f.%1$I::pg_catalog.text AS k, pg_catalog.count(*) AS n FROM (%2$s' || E'\n) AS f WHERE f.%1$I IS NOT NULL GROUP BY 1
              HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1
              ORDER BY 2 DESC, f.%1$I::pg_catalog.text COLLATE pg_catalog."C" LIMIT 3) d', p.key, p.features)
    $$;
COMMENT ON FUNCTION pipeline_twins_query(@extschema@.pipelines) IS
'The statement that names keys which the feature query has twice; not for direct use.';

-- A subtransaction that is read-only: it ends with the block. So a query cannot change what it is about to report.
CREATE FUNCTION pipeline_count(
    p @extschema@.pipelines, at timestamptz, columns jsonb,
    OUT rows bigint, OUT keys bigint, OUT different bigint, OUT filled bigint[], OUT variances float8[], OUT twins text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_catalog.set_config('transaction_read_only', 'on', true);
    EXECUTE @extschema@.pipeline_count_query(p, columns) INTO rows, keys, different, filled, variances USING at;
    IF different OPERATOR(pg_catalog.<) keys THEN
        EXECUTE @extschema@.pipeline_twins_query(p) INTO twins USING at;
    END IF;
EXCEPTION
    WHEN read_only_sql_transaction THEN
        RAISE EXCEPTION 'the feature query of pipeline "%" tries to write', p.pipeline
            USING ERRCODE = 'read_only_sql_transaction', DETAIL = SQLERRM;
END
$$;
COMMENT ON FUNCTION pipeline_count(@extschema@.pipelines, timestamptz, jsonb) IS
'Runs the feature query, read-only, and counts; not for direct use.';

CREATE FUNCTION pipeline_note(
    r @extschema@.pipeline_runs, check_name text, state text, value float8, bound float8, message text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO @extschema@.pipeline_checks (run_id, pipeline, check_name, state, value, bound, message)
    VALUES (r.run_id, r.pipeline, check_name, state, value, bound, CASE WHEN state <> 'ok' THEN message END)
    $$;
COMMENT ON FUNCTION pipeline_note(@extschema@.pipeline_runs, text, text, float8, float8, text) IS
'Writes the result of a check; not for direct use.';

CREATE FUNCTION pipeline_check_columns(r @extschema@.pipeline_runs, columns jsonb, last_columns jsonb, counted record) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    features text[] := ARRAY(SELECT c.e ->> 'name' FROM jsonb_array_elements(columns) WITH ORDINALITY c (e, i)
                             WHERE (c.e ->> 'feature')::boolean ORDER BY c.i);
    gone text[] := ARRAY(SELECT jsonb_array_elements(last_columns) ->> 'name' EXCEPT SELECT jsonb_array_elements(columns) ->> 'name');
    added text[] := ARRAY(SELECT jsonb_array_elements(columns) ->> 'name' EXCEPT SELECT jsonb_array_elements(last_columns) ->> 'name');
    empty text[];
    largest record;
BEGIN
    IF last_columns IS NULL THEN
        added := '{}';
    END IF;
    PERFORM @extschema@.pipeline_note(r, 'columns', CASE WHEN gone <> '{}' THEN 'error' WHEN added <> '{}' THEN 'warning' ELSE 'ok' END,
        cardinality(gone), 0, concat_ws('; ', 'gone since the last run: ' || array_to_string(nullif(gone, '{}'), ', '),
                                        'new since the last run: ' || array_to_string(nullif(added, '{}'), ', ')));
    empty := ARRAY(SELECT f FROM unnest(features, counted.filled) u (f, n) WHERE n = 0 AND counted.rows > 0);
    PERFORM @extschema@.pipeline_note(r, 'null_columns', CASE WHEN empty <> '{}' THEN 'error' ELSE 'ok' END, cardinality(empty), 0,
        'NULL in all rows: ' || array_to_string(empty, ', '));
    SELECT f, v / nullif(sum(v) OVER (), 0) AS share INTO largest FROM unnest(features, counted.variances) u (f, v)
        WHERE v IS NOT NULL ORDER BY v DESC LIMIT 1;
    IF FOUND AND cardinality(features) > 1 THEN
        PERFORM @extschema@.pipeline_note(r, 'variance', CASE WHEN largest.share > .9 THEN 'warning' ELSE 'ok' END, largest.share, .9,
            format('column "%s" has %s %% of the variance, so the segments are about it alone: let the fit standardize',
                   largest.f, round((100 * largest.share)::numeric, 1)));
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_check_columns(@extschema@.pipeline_runs, jsonb, jsonb, record) IS
'The checks of columns; not for direct use.';

CREATE FUNCTION pipeline_check_rows(r @extschema@.pipeline_runs, before @extschema@.pipeline_runs, counted record) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    ratio float8 := counted.rows / nullif(counted.different, 0)::float8;
    growth float8 := counted.rows / nullif(before.customers, 0)::float8;
BEGIN
    PERFORM @extschema@.pipeline_note(r, 'rows', CASE WHEN counted.rows = 0 THEN 'error' ELSE 'ok' END, counted.rows, 1,
        'the features have no row');
    PERFORM @extschema@.pipeline_note(r, 'null_keys', CASE WHEN counted.keys < counted.rows THEN 'error' ELSE 'ok' END,
        counted.rows - counted.keys, 0, format('rows without a key: %s', counted.rows - counted.keys));
    PERFORM @extschema@.pipeline_note(r, 'duplicate_keys', CASE WHEN counted.different < counted.keys THEN 'error' ELSE 'ok' END,
        counted.keys - counted.different, 0,
        format('%s rows more than keys: %s', counted.keys - counted.different, counted.twins));
    PERFORM @extschema@.pipeline_note(r, 'multiplied_rows', CASE WHEN ratio >= 2 OR growth > 2 THEN 'error' ELSE 'ok' END,
        greatest(ratio, growth), 2, CASE WHEN ratio >= 2
            THEN format('%s rows for %s keys: does a join multiply them?', counted.rows, counted.different)
            ELSE format('%s rows after %s in the %s, as of %s: define the pipeline again if that is right', counted.rows,
                        before.customers, CASE WHEN before.as_of < r.as_of THEN 'run before' ELSE 'last run' END, before.as_of) END);
END
$$;
COMMENT ON FUNCTION pipeline_check_rows(@extschema@.pipeline_runs, @extschema@.pipeline_runs, record) IS
'The checks of rows and keys; not for direct use.';

CREATE FUNCTION pipeline_check(p @extschema@.pipelines, r @extschema@.pipeline_runs, described jsonb, counted record,
    OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    last @extschema@.pipeline_runs := @extschema@.pipeline_last_run(p.pipeline, p.created_at);
BEGIN
    DELETE FROM @extschema@.pipeline_checks c WHERE c.pipeline = r.pipeline AND c.run_id = r.run_id;
    PERFORM @extschema@.pipeline_check_rows(r, @extschema@.pipeline_run_before(r, p.created_at), counted);
    PERFORM @extschema@.pipeline_check_columns(r, described, last.columns, counted);
    UPDATE @extschema@.pipeline_runs u SET columns = described, algorithm = @extschema@.pipeline_algorithm(described, p.key, p.options)
        WHERE u.pipeline = r.pipeline AND u.run_id = r.run_id;
    SELECT counted.rows, string_agg(concat('warning: ', c.message), '; ' ORDER BY c.check_name) FILTER (WHERE c.state = 'warning'),
           string_agg(c.message, '; ' ORDER BY c.check_name) FILTER (WHERE c.state = 'error')
        INTO rows, message, failure FROM @extschema@.pipeline_checks c WHERE c.pipeline = r.pipeline AND c.run_id = r.run_id;
END
$$;
COMMENT ON FUNCTION pipeline_check(@extschema@.pipelines, @extschema@.pipeline_runs, jsonb, record) IS
'Writes what the checks of a run found; not for direct use.';

CREATE FUNCTION pipeline_step_check(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    AS $$
DECLARE
    described pg_catalog.jsonb := @extschema@.pipeline_describe(@extschema@.pipeline_shape(p.features), p.key, p.options);
    counted pg_catalog.record;
BEGIN
    SELECT c.* INTO counted FROM @extschema@.pipeline_count(p, r.as_of, described) c;
    SELECT c.* INTO rows, message, failure FROM @extschema@.pipeline_check(p, r, described, counted) c;
END
$$;
COMMENT ON FUNCTION pipeline_step_check(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: looks for what makes segments lie (pipeline_checks) before anything is written; not for direct use.';

-- ---- snapshot

CREATE FUNCTION pipeline_snapshot_query(p @extschema@.pipelines, r @extschema@.pipeline_runs) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('INSERT INTO @extschema@.pipeline_rows (pipeline, run_id, key, features)
            SELECT %L, %s, f.%I::pg_catalog.text, pg_catalog.to_jsonb(f.*) OPERATOR(pg_catalog.-) %3$L::pg_catalog.text
            FROM (%4$s' || E'\n) AS f', r.pipeline, r.run_id, p.key, p.features)
    $$;
COMMENT ON FUNCTION pipeline_snapshot_query(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'The statement that keeps what the feature query gives; not for direct use.';

CREATE FUNCTION pipeline_step_snapshot(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM @extschema@.pipeline_rows s WHERE s.pipeline OPERATOR(pg_catalog.=) p.pipeline;
    EXECUTE @extschema@.pipeline_snapshot_query(p, r) USING r.as_of;
    GET DIAGNOSTICS rows = ROW_COUNT;
    UPDATE @extschema@.pipeline_runs u SET customers = pipeline_step_snapshot.rows
        WHERE u.pipeline OPERATOR(pg_catalog.=) r.pipeline AND u.run_id OPERATOR(pg_catalog.=) r.run_id;
END
$$;
COMMENT ON FUNCTION pipeline_step_snapshot(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: keeps the rows of the feature query, so that all later steps, also after an interruption, see the same; not for direct use.';

-- ---- choose

CREATE FUNCTION pipeline_production(pipeline text) RETURNS @extschema@.models
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT m FROM @extschema@.models m WHERE m.name = pipeline AND m.status = 'production'
    $$;
COMMENT ON FUNCTION pipeline_production(text) IS
'The production model of a pipeline, NULL without one; not for direct use.';

CREATE FUNCTION pipeline_drift(r @extschema@.pipeline_runs, model bytea, OUT feature text, OUT psi float8)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    found_drift @extschema@.feature_drift[];
BEGIN
    EXECUTE format('SELECT @extschema@.model_drift($1, f.*) FROM (%s) AS f', @extschema@.pipeline_source(r))
        INTO found_drift USING model;
    SELECT d.feature, d.psi INTO feature, psi FROM unnest(found_drift) d ORDER BY d.psi DESC NULLS LAST, d.feature LIMIT 1;
END
$$;
COMMENT ON FUNCTION pipeline_drift(@extschema@.pipeline_runs, bytea) IS
'The feature of a snapshot that drifted most since a model was fitted, and its PSI; not for direct use.';

-- whether k has to be searched for again
CREATE FUNCTION pipeline_choose_auto(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, before @extschema@.models, OUT mode text, OUT reason text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    growth float8 := r.customers / nullif(before.rows, 0)::float8 - 1;
    drift record;
    grown text := format('%s customers after %s (%s %%, bound %s %%)', r.customers, before.rows,
        to_char(100 * growth, 'FMSG999990.0'), 100 * (p.options ->> 'growth')::numeric);
BEGIN
    mode := 'elbow';
    IF p.options ->> 'k' IS NOT NULL THEN
        mode := 'fixed';
        reason := 'option k is ' || (p.options ->> 'k');
    ELSIF before.name IS NULL THEN
        reason := 'the first run';
    ELSIF before.algorithm <> r.algorithm OR ARRAY(SELECT f.name FROM @extschema@.model_features(before.model) f ORDER BY 1) <>
        ARRAY(SELECT c ->> 'name' AS n FROM jsonb_array_elements(r.columns) c WHERE (c ->> 'feature')::boolean ORDER BY 1) THEN
        reason := format('version %s was made of other features or by another algorithm', before.version);
    ELSIF growth > (p.options ->> 'growth')::float8 THEN
        reason := grown;
    ELSE
        SELECT d.* INTO drift FROM @extschema@.pipeline_drift(r, before.model) d;
        mode := CASE WHEN drift.psi > (p.options ->> 'drift')::float8 THEN 'elbow' ELSE 'fixed' END;
        reason := format('%s%s drifted most since version %s (PSI %s, bound %s)', CASE mode WHEN 'fixed' THEN grown || '; ' END,
            drift.feature, before.version, round(drift.psi::numeric, 3), p.options ->> 'drift');
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_choose_auto(@extschema@.pipelines, @extschema@.pipeline_runs, @extschema@.models) IS
'Mode and reason of a run in mode auto; not for direct use.';

-- What stops the search: it found fewer than k_min, after missing values were replaced, so they may be fewer still.
CREATE FUNCTION pipeline_refuse_few(p @extschema@.pipelines, r @extschema@.pipeline_runs) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    needed int := p.options ->> 'k_min';
    different bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT * FROM (%s) f %s) d', @extschema@.pipeline_source(r),
            CASE p.options -> 'fit' ->> 'impute' WHEN 'skip' THEN 'WHERE f IS NOT NULL' END)
        INTO different;
    different := least(different, needed - 1);
    RAISE EXCEPTION 'only % distinct row%, segments need %', different, CASE different WHEN 1 THEN '' ELSE 's' END, needed
        USING ERRCODE = 'data_exception', DETAIL = format('Features are %s.', (SELECT string_agg(format('"%s"', c.e ->> 'name'), ', ' ORDER BY c.i)
                FROM jsonb_array_elements(r.columns) WITH ORDINALITY c (e, i) WHERE (c.e ->> 'feature')::boolean)),
            HINT = 'Does the feature query give each customer values of its own, and are they there as of this moment?';
END
$$;
COMMENT ON FUNCTION pipeline_refuse_few(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Raises that a snapshot has too few distinct rows for segments; not for direct use.';

-- more rows than these do not move the elbow
CREATE FUNCTION pipeline_elbow(p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT k int, OUT reason text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part float8 := least(1, 100000 / r.customers::float8);
    best text := CASE r.algorithm WHEN 'kmeans' THEN 's.is_best' ELSE 's.is_elbow' END;
    found_elbow boolean;
BEGIN
    EXECUTE format('SELECT s.k, s.is_elbow FROM (SELECT @extschema@.%I(f.*, $1, $2, $3) AS choices FROM (%s) AS f) c,
            unnest(choices) AS s ORDER BY s.is_elbow DESC, %s DESC, s.k LIMIT 1',
            r.algorithm || '_sweep', @extschema@.pipeline_source(r, part), best)
        INTO k, found_elbow
        USING (p.options ->> 'k_min')::int, (p.options ->> 'k_max')::int, p.options -> 'fit';
    IF k IS NULL THEN
        PERFORM @extschema@.pipeline_refuse_few(p, r);
    END IF;
    reason := format('k = %s is %s of %s to %s%s', k, CASE WHEN found_elbow THEN 'the elbow'
        WHEN r.algorithm = 'kmeans' THEN 'the best silhouette (there is no elbow)' ELSE 'the first (there is no elbow)' END,
        p.options ->> 'k_min', p.options ->> 'k_max', CASE WHEN part < 1 THEN ', by a sample of 100000 customers' END);
END
$$;
COMMENT ON FUNCTION pipeline_elbow(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'The k at the elbow for a snapshot, of at most 100,000 customers; not for direct use.';

CREATE FUNCTION pipeline_choose_mode(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, before @extschema@.models, OUT mode text, OUT reason text)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    mode := p.options ->> 'mode';
    reason := format('option mode is %s', mode);
    IF mode = 'score' AND before.name IS NULL THEN
        RAISE EXCEPTION 'pipeline "%" has no model to score with', p.pipeline
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run it once in mode auto.';
    ELSIF mode <> 'score' AND r.algorithm = 'rfm' THEN
        mode := 'fixed';
        reason := 'rfm has no k';
    ELSIF mode = 'auto' THEN
        SELECT c.* INTO mode, reason FROM @extschema@.pipeline_choose_auto(p, r, before) c;
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_choose_mode(@extschema@.pipelines, @extschema@.pipeline_runs, @extschema@.models) IS
'Mode and reason of a run; not for direct use.';

CREATE FUNCTION pipeline_step_choose(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    before @extschema@.models := @extschema@.pipeline_production(p.pipeline);
    chosen record;
    elbow record;
    clusters int := coalesce((p.options ->> 'k')::int, (@extschema@.model_info(before.model) ->> 'k')::int);
BEGIN
    SELECT c.* INTO chosen FROM @extschema@.pipeline_choose_mode(p, r, before) c;
    message := chosen.reason;
    IF chosen.mode = 'elbow' THEN
        SELECT e.* INTO elbow FROM @extschema@.pipeline_elbow(p, r) e;
        clusters := elbow.k;
        message := format('%s: %s', message, elbow.reason);
    ELSIF r.algorithm = 'rfm' THEN
        clusters := NULL;
    ELSIF chosen.mode = 'fixed' AND clusters IS NULL THEN
        RAISE EXCEPTION 'mode fixed needs k' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Give option k, or run the pipeline once in mode auto.';
    END IF;
    UPDATE @extschema@.pipeline_runs u
        SET mode = chosen.mode, reason = pipeline_step_choose.message, k = clusters, refitted = chosen.mode <> 'score',
            algorithm = CASE chosen.mode WHEN 'score' THEN before.algorithm ELSE u.algorithm END,
            version = CASE chosen.mode WHEN 'score' THEN before.version END
        WHERE u.pipeline = r.pipeline AND u.run_id = r.run_id;
    rows := r.customers;
END
$$;
COMMENT ON FUNCTION pipeline_step_choose(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: the mode of this run, and k; not for direct use.';

-- ---- fit

CREATE FUNCTION pipeline_fit(p @extschema@.pipelines, r @extschema@.pipeline_runs) RETURNS bytea
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    rows text := @extschema@.pipeline_source(r);
    names jsonb := nullif(p.options -> 'names', 'null');
    model bytea;
BEGIN
    IF r.algorithm = 'rfm' THEN
        EXECUTE format('SELECT @extschema@.rfm_fit(f.%I, f.%I, f.%I, $1) FROM (%s) AS f',
                @extschema@.pipeline_rfm_column(r.columns, 'recency'), @extschema@.pipeline_rfm_column(r.columns, 'frequency'),
                @extschema@.pipeline_rfm_column(r.columns, 'monetary'), rows)
            INTO model
            USING p.options -> 'fit' || CASE WHEN names IS NULL THEN '{}' ELSE jsonb_build_object('segments', names) END;
        RETURN model;
    END IF;
    EXECUTE format('SELECT @extschema@.%I(f.*, $1, $2) FROM (%s) AS f', r.algorithm || '_fit', rows)
        INTO model USING r.k, p.options -> 'fit';
    IF names IS NOT NULL THEN
        model := @extschema@.rename_segments(model,
            (SELECT jsonb_object_agg(n.cluster, n.name) FROM @extschema@.segment_names(model, names) n));
    END IF;
    RETURN model;
END
$$;
COMMENT ON FUNCTION pipeline_fit(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'The model of a snapshot; not for direct use.';

CREATE FUNCTION pipeline_metrics(r @extschema@.pipeline_runs, model bytea) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    part float8 := least(1, 10000 / r.customers::float8);
    options jsonb := @extschema@.model_info(model) -> 'options';
    metrics jsonb;
BEGIN
    IF r.algorithm = 'rfm' THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT to_jsonb(@extschema@.cluster_metrics(f.*, @extschema@.%I($1, f.*), $2)) FROM (%s) AS f',
            r.algorithm || '_predict', @extschema@.pipeline_source(r, part))
        INTO metrics
        USING model, jsonb_strip_nulls(jsonb_build_object('standardize', coalesce(options -> 'standardize', 'true'),
            'max_categories', options -> 'max_categories'));
    RETURN jsonb_strip_nulls(metrics - ARRAY['noise_share', 'rows', 'silhouette_exact']);
END
$$;
COMMENT ON FUNCTION pipeline_metrics(@extschema@.pipeline_runs, bytea) IS
'How good the clusters of a snapshot are, by a sample of 10,000 customers (cluster_metrics); not for direct use.';

CREATE FUNCTION pipeline_step_fit(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    model bytea := @extschema@.pipeline_fit(p, r);
    saved int := @extschema@.model_save(p.pipeline, model, @extschema@.pipeline_metrics(r, model),
        format('run %s of pipeline %s, as of %s', r.run_id, p.pipeline, r.as_of));
BEGIN
    -- the first version of a name is in production at once, but this one has not segmented anybody yet
    UPDATE @extschema@.models m SET status = 'staging', promoted_at = NULL
        WHERE m.name = p.pipeline AND m.version = saved AND m.status = 'production';
    UPDATE @extschema@.pipeline_runs u SET version = saved WHERE u.pipeline = r.pipeline AND u.run_id = r.run_id;
    rows := @extschema@.model_info(model) ->> 'rows';
    message := format('version %s', saved);
END
$$;
COMMENT ON FUNCTION pipeline_step_fit(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: fits, and saves the model as staging; not for direct use.';

-- ---- match

-- only models of clusters that have a feature in common can continue one another
CREATE FUNCTION pipeline_can_match(new @extschema@.models, old @extschema@.models) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT old.algorithm IN ('kmeans', 'kprototypes') AND new.algorithm IN ('kmeans', 'kprototypes') AND EXISTS (
        SELECT f.name FROM @extschema@.model_features(new.model) f INTERSECT
        SELECT f.name FROM @extschema@.model_features(old.model) f)
    $$;
COMMENT ON FUNCTION pipeline_can_match(@extschema@.models, @extschema@.models) IS
'Whether match_model applies; not for direct use.';

CREATE FUNCTION pipeline_step_match(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    old @extschema@.models := @extschema@.pipeline_production(p.pipeline);
    new @extschema@.models := (SELECT m FROM @extschema@.models m WHERE m.name = p.pipeline AND m.version = r.version);
    matched bytea;
    kept bigint;
BEGIN
    IF old.name IS NULL OR NOT @extschema@.pipeline_can_match(new, old) THEN
        message := CASE WHEN r.algorithm = 'rfm' THEN 'rfm has fixed names'
            WHEN old.name IS NULL THEN 'the first model' ELSE format('nothing in common with version %s', old.version) END;
        RETURN;
    END IF;
    matched := @extschema@.match_model(new.model, old.model);
    UPDATE @extschema@.models m SET model = matched WHERE m.name = p.pipeline AND m.version = r.version;
    SELECT count(*), count(o.cluster) INTO rows, kept
        FROM @extschema@.segment_names(matched) n LEFT JOIN @extschema@.segment_names(old.model) o USING (cluster);
    message := format('%s of %s segments continue one of version %s', kept, rows, old.version);
END
$$;
COMMENT ON FUNCTION pipeline_step_match(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: gives the segments the numbers and names of those in production that they continue; not for direct use.';

-- ---- score

CREATE FUNCTION pipeline_score_rfm(r @extschema@.pipeline_runs, model bytea) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('UPDATE @extschema@.pipeline_rows r SET (segment, name) =
            (SELECT array_position($2, s.segment), s.segment
             FROM @extschema@.rfm_score($1, %s, %s, %s) s)
        WHERE %s',
        @extschema@.pipeline_value(@extschema@.pipeline_rfm_column(r.columns, 'recency'), 'number'),
        @extschema@.pipeline_value(@extschema@.pipeline_rfm_column(r.columns, 'frequency'), 'number'),
        @extschema@.pipeline_value(@extschema@.pipeline_rfm_column(r.columns, 'monetary'), 'number'), @extschema@.pipeline_of_run(r))
    $$;
COMMENT ON FUNCTION pipeline_score_rfm(@extschema@.pipeline_runs, bytea) IS
'The statement that scores a snapshot with a model of rfm_fit; not for direct use.';

-- the number of a cluster is its place in the array of names; those of models that match have gaps
CREATE FUNCTION pipeline_names(model bytea, algorithm text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE algorithm WHEN 'rfm' THEN
        ARRAY(SELECT s.segment FROM @extschema@.rfm_segments(model) s GROUP BY 1 ORDER BY max(s.code) DESC, 1)
    ELSE
        ARRAY(SELECT n.name FROM generate_series(1, (SELECT max(cluster) FROM @extschema@.segment_names(model))) c
              LEFT JOIN @extschema@.segment_names(model) n ON n.cluster = c ORDER BY c)
    END
    $$;
COMMENT ON FUNCTION pipeline_names(bytea, text) IS
'The names of the segments of a model by number; not for direct use.';

CREATE FUNCTION pipeline_step_score(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    model bytea := @extschema@.model_load(p.pipeline, r.version);
BEGIN
    IF r.algorithm = 'rfm' THEN
        EXECUTE @extschema@.pipeline_score_rfm(r, model) USING model, @extschema@.pipeline_names(model, r.algorithm);
    ELSE
        EXECUTE format('UPDATE @extschema@.pipeline_rows r SET (segment, name, distance) =
                (SELECT s.segment, $2[s.segment], s.distance FROM
                    (SELECT @extschema@.%I($1, f.*) AS segment, @extschema@.%I($1, f.*) AS distance
                     FROM (SELECT %s) AS f) s)
                WHERE %s', r.algorithm || '_predict', r.algorithm || '_distance',
                @extschema@.pipeline_fields(r.columns), @extschema@.pipeline_of_run(r))
            USING model, @extschema@.pipeline_names(model, r.algorithm);
    END IF;
    GET DIAGNOSTICS rows = ROW_COUNT;
END
$$;
COMMENT ON FUNCTION pipeline_step_score(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: the segment of every customer of the snapshot; not for direct use.';
