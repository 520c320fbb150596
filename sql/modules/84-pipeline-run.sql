-- Defining, running and dropping pipelines.

-- ---- options

CREATE FUNCTION pipeline_option_list(
    OUT name text, OUT fallback jsonb, OUT kind text, OUT low float8, OUT high float8, OUT choices text[])
    RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
    SET search_path = pg_catalog, pg_temp
    AS $$
    VALUES
        ('algorithm', 'null'::jsonb, 'choice', NULL::float8, NULL::float8, ARRAY['kmeans', 'kprototypes', 'rfm']),
        ('k', 'null', 'integer', 1, 1000, NULL),
        ('k_min', '2', 'integer', 1, 1000, NULL),
        ('k_max', '10', 'integer', 2, 1000, NULL),
        ('mode', '"auto"', 'choice', NULL, NULL, ARRAY['auto', 'elbow', 'fixed', 'score']),
        ('growth', '0.2', 'number', 0, 1e6, NULL),
        ('drift', '0.25', 'number', 0, 1e6, NULL),
        ('keep', '12', 'integer', 1, 10000, NULL),
        ('names', 'null', 'names', NULL, NULL, NULL),
        ('columns', 'null', 'columns', NULL, NULL, NULL),
        ('revenue', 'null', 'text', NULL, NULL, NULL),
        ('timeout', '0', 'number', 0, 1e6, NULL),
        ('retries', '1', 'integer', 0, 100, NULL),
        ('retry_delay', '60', 'number', 0, 86400, NULL),
        ('fit', '{}', 'object', NULL, NULL, NULL)
    $$;
COMMENT ON FUNCTION pipeline_option_list() IS
'The options of a pipeline: name, default, and what is valid; not for direct use.';

CREATE FUNCTION pipeline_option_fits(value jsonb, kind text, low float8, high float8, choices text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE kind
        WHEN 'choice' THEN coalesce(value #>> '{}' = ANY (choices) AND jsonb_typeof(value) = 'string', false)
        WHEN 'text' THEN jsonb_typeof(value) = 'string'
        WHEN 'object' THEN jsonb_typeof(value) = 'object'
        WHEN 'names' THEN jsonb_typeof(value) IN ('string', 'array', 'object')
        WHEN 'columns' THEN CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value) > 0 AND
            (SELECT bool_and(jsonb_typeof(e) = 'string') FROM jsonb_array_elements(value) e) ELSE false END
        ELSE CASE jsonb_typeof(value) WHEN 'number' THEN value::numeric BETWEEN low::numeric AND high::numeric
            AND (kind = 'number' OR value::numeric = trunc(value::numeric)) ELSE false END
        END
    $$;
COMMENT ON FUNCTION pipeline_option_fits(jsonb, text, float8, float8, text[]) IS
'Whether a value is valid for an option of a pipeline; not for direct use.';

CREATE FUNCTION pipeline_refuse_option(name text, value jsonb, kind text, low float8, high float8, choices text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RAISE EXCEPTION 'option "%" of pipeline_create must be %', name, CASE kind
            WHEN 'choice' THEN (SELECT 'one of ' || string_agg(format('"%s"', c), ', ') FROM unnest(choices) c)
            WHEN 'text' THEN 'a text'
            WHEN 'object' THEN 'an object'
            WHEN 'names' THEN 'what segment_names takes as rules'
            WHEN 'columns' THEN 'an array of column names'
            ELSE format('%s from %s to %s', CASE kind WHEN 'integer' THEN 'an integer' ELSE 'a number' END, low, high) END
        USING ERRCODE = 'invalid_parameter_value', DETAIL = format('It is %s.', value);
END
$$;
COMMENT ON FUNCTION pipeline_refuse_option(text, jsonb, text, float8, float8, text[]) IS
'Refuses the value of an option; not for direct use.';

-- null means the default, as leaving it out does
CREATE FUNCTION pipeline_options_complete(given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT jsonb_object_agg(l.name, coalesce(nullif(given -> l.name, 'null'), l.fallback)) FROM @extschema@.pipeline_option_list() l
    $$;
COMMENT ON FUNCTION pipeline_options_complete(jsonb) IS
'The options of a pipeline, with the defaults of those that are not given; not for direct use.';

CREATE FUNCTION pipeline_options(given jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    bad record;
    options jsonb;
BEGIN
    IF jsonb_typeof(given) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'options of pipeline_create must be an object' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT o.key INTO bad FROM jsonb_each(given) o WHERE o.key NOT IN (SELECT l.name FROM @extschema@.pipeline_option_list() l)
        ORDER BY 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'pipeline_create has no option "%"', bad.key
            USING ERRCODE = 'invalid_parameter_value', HINT = format('Valid options are: %s.',
                (SELECT string_agg(l.name, ', ') FROM @extschema@.pipeline_option_list() l));
    END IF;
    FOR bad IN SELECT l.*, given -> l.name AS value FROM @extschema@.pipeline_option_list() l
        WHERE given -> l.name <> 'null' AND
            NOT @extschema@.pipeline_option_fits(given -> l.name, l.kind, l.low, l.high, l.choices) LIMIT 1 LOOP
        PERFORM @extschema@.pipeline_refuse_option(bad.name, bad.value, bad.kind, bad.low, bad.high, bad.choices);
    END LOOP;
    options := @extschema@.pipeline_options_complete(given);
    PERFORM @extschema@.pipeline_refuse_options(options);
    RETURN options;
END
$$;
COMMENT ON FUNCTION pipeline_options(jsonb) IS
'The options of a pipeline, complete; refuses those that are not valid; not for direct use.';

CREATE FUNCTION pipeline_refuse_options(options jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF (options ->> 'k_max')::int < (options ->> 'k_min')::int OR (options ->> 'k_max')::int - (options ->> 'k_min')::int >= 100 THEN
        RAISE EXCEPTION 'options k_min and k_max of pipeline_create must be a range of 1 to 100 numbers'
            USING ERRCODE = 'invalid_parameter_value',
                  DETAIL = format('They are %s and %s.', options ->> 'k_min', options ->> 'k_max');
    ELSIF options -> 'fit' ?| ARRAY['features', 'exclude'] THEN
        RAISE EXCEPTION 'option "fit" of pipeline_create cannot choose columns'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Option columns of the pipeline does.';
    ELSIF options ->> 'algorithm' = 'rfm' AND coalesce(jsonb_typeof(nullif(options -> 'names', 'null')) <> 'object', false) THEN
        RAISE EXCEPTION 'option "names" of pipeline_create must be an object for algorithm rfm'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'It is option segments of rfm_fit: {"name": pattern, ...}.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_refuse_options(jsonb) IS
'Refuses options that do not go together; not for direct use.';

-- Names and options of the fit are what the fit and segment_names take, and only they know: so a model is made of one
-- row, with the columns of the pipeline, and named.  NOTICEs about such a model say nothing.
CREATE FUNCTION pipeline_rehearse(columns jsonb, options jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    SET client_min_messages = error
    AS $$
DECLARE
    algorithm text := @extschema@.pipeline_algorithm(columns, '', options);
    fields text := (SELECT string_agg(format('%s AS %I', CASE c.e ->> 'kind' WHEN 'number' THEN '1::float8' WHEN 'boolean' THEN 'true'
            ELSE '''x''::text' END, c.e ->> 'name'), ', ' ORDER BY c.i)
        FROM jsonb_array_elements(columns) WITH ORDINALITY c (e, i) WHERE (c.e ->> 'feature')::boolean);
    names jsonb := nullif(options -> 'names', 'null');
    model bytea;
BEGIN
    IF algorithm = 'rfm' THEN
        model := @extschema@.rfm_fit(1, 1, 1, options -> 'fit' || CASE WHEN names IS NULL THEN '{}' ELSE jsonb_build_object('segments', names) END);
        RETURN;
    END IF;
    EXECUTE format('SELECT @extschema@.%I(f.*, 1, $1) FROM (SELECT %s) AS f', algorithm || '_fit', fields) INTO model USING options -> 'fit';
    IF names IS NOT NULL THEN
        PERFORM FROM @extschema@.segment_names(model, names);
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_rehearse(jsonb, jsonb) IS
'Refuses options names and fit that a run would fail with; not for direct use.';

-- ---- who is at work

CREATE FUNCTION pipeline_guard(tab int, name int, held boolean) RETURNS void
    AS 'MODULE_PATHNAME', 'rml_pipeline_guard'
    LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pipeline_guard(int, int, boolean) IS
'Has the advisory lock of this session with these two numbers go when a transaction of it fails, or no longer; not for direct use.';

-- two ints: the table, so that no other extension means the same, and the name
CREATE FUNCTION pipeline_lock(pipeline text) RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    tab int := '@extschema@.pipelines'::regclass::oid::int;
    holder int;
BEGIN
    FOR i IN 1 .. 2 LOOP
        SELECT l.pid INTO holder FROM pg_locks l
            WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
              AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
              AND l.classid = tab::oid AND l.objid::bigint = hashtext(pipeline)::bigint & 4294967295;
        -- an interrupt between two steps may have left it to this session
        IF holder = pg_backend_pid() OR pg_try_advisory_lock(tab, hashtext(pipeline)) THEN
            PERFORM @extschema@.pipeline_guard(tab, hashtext(pipeline), true);
            RETURN NULL;
        END IF;
    END LOOP;
    RETURN coalesce(holder, 0);
END
$$;
COMMENT ON FUNCTION pipeline_lock(text) IS
'Takes the lock of a pipeline for this session and returns NULL, or the process that has it. An error that is not caught gives it back; not for direct use.';

CREATE FUNCTION pipeline_unlock(pipeline text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT @extschema@.pipeline_guard('@extschema@.pipelines'::regclass::oid::int, hashtext(pipeline), false);
    SELECT pg_advisory_unlock('@extschema@.pipelines'::regclass::oid::int, hashtext(pipeline))
    $$;
COMMENT ON FUNCTION pipeline_unlock(text) IS
'Gives the lock of a pipeline back; not for direct use.';

-- A pipeline does what its owner may, so nobody else runs or changes it: a superuser would lend it all rights. SET ROLE would
-- as well, for the feature query can take it back.
CREATE FUNCTION pipeline_own(pipeline text) RETURNS @extschema@.pipelines
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := (SELECT x FROM @extschema@.pipelines x WHERE x.pipeline = pipeline_own.pipeline);
    there text := (SELECT string_agg(format('"%s"', x.pipeline), ', ' ORDER BY x.pipeline) FROM @extschema@.pipelines x);
BEGIN
    IF pipeline_own.pipeline IS NULL THEN
        RAISE EXCEPTION 'the name of the pipeline is NULL' USING ERRCODE = 'null_value_not_allowed';
    ELSIF p.pipeline IS NULL THEN
        RAISE EXCEPTION 'there is no pipeline "%"', pipeline_own.pipeline
            USING ERRCODE = 'undefined_object',
                  DETAIL = coalesce('There are ' || there || '.', 'There is none that you may see.'),
                  HINT = 'pipeline_create makes one.';
    ELSIF p.owner <> current_user THEN
        RAISE EXCEPTION 'pipeline "%" belongs to role "%"', p.pipeline, p.owner
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'It runs with the rights of its owner only.',
                  HINT = format('Connect as role %I.', p.owner);
    END IF;
    RETURN p;
END
$$;
COMMENT ON FUNCTION pipeline_own(text) IS
'The definition of a pipeline that current_user owns, or the error that says why not; not for direct use.';

-- ---- create, drop

-- NULL where it is a query
CREATE FUNCTION pipeline_relation_name(features text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE WHEN features !~* '^([[:space:](]|--[^\n]*\n|/[*].*[*]/)*(select|with|values|table)\M'
        THEN regexp_replace(features, '[;[:space:]]+$', '') END
    $$;
COMMENT ON FUNCTION pipeline_relation_name(text) IS
'The features of a pipeline as the name of a table, NULL when they are a query; not for direct use.';

-- no SET clause: it is looked for where the caller looks
CREATE FUNCTION pipeline_relation(features text) RETURNS regclass
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN pg_catalog.to_regclass(@extschema@.pipeline_relation_name(features));
EXCEPTION
    WHEN invalid_name OR syntax_error THEN
        RETURN NULL;
END
$$;
COMMENT ON FUNCTION pipeline_relation(text) IS
'The table or view that the features of a pipeline name, NULL when there is none or they are a query; not for direct use.';

-- a table or view becomes the query that reads it, with its schema: a scheduled run has another search_path
CREATE FUNCTION pipeline_query(features text, relation regclass) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF @extschema@.pipeline_relation_name(features) IS NULL THEN
        RETURN regexp_replace(features, '[;[:space:]]+$', '');
    ELSIF relation IS NULL THEN
        RAISE EXCEPTION 'the features are neither a table or view that is there nor a query: %', features
            USING ERRCODE = 'undefined_table', HINT = 'A query begins with SELECT, WITH, VALUES or TABLE.';
    END IF;
    RETURN (SELECT format('SELECT * FROM %I.%I', n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
END
$$;
COMMENT ON FUNCTION pipeline_query(text, regclass) IS
'The feature query of a pipeline: what pipeline_create was given, or the query that reads that table; not for direct use.';

CREATE FUNCTION pipeline_forget_runs(pipeline text, why text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE @extschema@.pipeline_runs r SET state = 'abandoned', finished_at = clock_timestamp(), draft = NULL,
        message = concat_ws('; ', r.message, why)
        WHERE r.pipeline = pipeline_forget_runs.pipeline AND r.state IN ('running', 'failed');
    DELETE FROM @extschema@.pipeline_rows s WHERE s.pipeline = pipeline_forget_runs.pipeline;
    $$;
COMMENT ON FUNCTION pipeline_forget_runs(text, text) IS
'Gives up runs of a pipeline that could be resumed; not for direct use.';

CREATE FUNCTION pipeline_refuse_busy(pipeline text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    -- of this transaction, so that no run begins before it has ended
    IF NOT pg_try_advisory_xact_lock('@extschema@.pipelines'::regclass::oid::int, hashtext(pipeline)) THEN
        RAISE EXCEPTION 'pipeline "%" is being run', pipeline
            USING ERRCODE = 'object_in_use', HINT = 'Wait for the end of the run, see pipeline_runs, or cancel it.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_refuse_busy(text) IS
'Refuses to change a pipeline that is being run; not for direct use.';

CREATE FUNCTION pipeline_define(name text, query text, key text, options jsonb, shape jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    complete jsonb := @extschema@.pipeline_options(options);
BEGIN
    IF num_nulls(name, query, key, options) > 0 OR name = '' THEN
        RAISE EXCEPTION 'arguments of pipeline_create must not be NULL or empty' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM @extschema@.pipeline_rehearse(@extschema@.pipeline_describe(shape, key, complete), complete);
    PERFORM @extschema@.registry_refuse_taken(name);
    PERFORM @extschema@.pipeline_refuse_busy(name);
    IF EXISTS (SELECT FROM @extschema@.pipelines x WHERE x.pipeline = pipeline_define.name) THEN
        PERFORM @extschema@.pipeline_own(name);
        PERFORM @extschema@.pipeline_forget_runs(name, 'the pipeline was defined again');
        UPDATE @extschema@.pipelines x SET features = query, key = pipeline_define.key, options = complete,
            created_at = clock_timestamp() WHERE x.pipeline = pipeline_define.name;
        RETURN;
    END IF;
    PERFORM @extschema@.refuse_reader();
    INSERT INTO @extschema@.pipelines (pipeline, features, key, options) VALUES (name, query, pipeline_define.key, complete);
EXCEPTION
    WHEN unique_violation THEN
        RAISE EXCEPTION 'pipeline "%" belongs to another role', name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Choose another name.';
END
$$;
COMMENT ON FUNCTION pipeline_define(text, text, text, jsonb, jsonb) IS
'Keeps the definition of a pipeline, whose query has these columns (pipeline_shape); not for direct use.';

CREATE FUNCTION pipeline_create(name text, features text, key text, options jsonb DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    query pg_catalog.text := @extschema@.pipeline_query(features, @extschema@.pipeline_relation(features));
BEGIN
    PERFORM @extschema@.pipeline_define(name, query, key, options, @extschema@.pipeline_shape(query));
END
$$;
COMMENT ON FUNCTION pipeline_create(text, text, text, jsonb) IS
'Defines a pipeline: which customers CALL pipeline_run(name) puts into segments, and how. Nothing is run yet. Called again by its owner it replaces the definition, and keeps what was published, the history and the models.

Arguments
  name      of the pipeline, and of its model in the registry
  features  a table or view, or a query, with a row per customer. $1 in a query is the moment the run is about (timestamptz). It runs with the rights and the search_path of who calls pipeline_run, who has to be the owner: qualify the names in it. It must not write. Its time zone is that of the session, and so is the order of day and month in dates it reads; how its values are written is not
  key       the column that identifies a customer; segments_current has it as text
  options   a jsonb object; what is left out has its default

Which columns are used: numbers and booleans, for kprototypes texts and enums too; or those that columns names. All others are carried along to segments_current.

Options
  algorithm    "kmeans", "kprototypes" or "rfm" (rfm_fit of columns recency_days or recency, frequency, monetary); default kprototypes if a text is among the features, else kmeans
  mode         "auto": search k in the first run, and again when there are more customers than growth allows or a feature drifted (model_drift) since the model in production was fitted; otherwise fit with its k. "elbow": search k in each run. "fixed": fit with k, or that of the model in production. "score": fit nothing, use the model in production
  k            clusters, 1 to 1000; given, it is not searched for in mode auto (null)
  k_min, k_max search between these (2, 10), by the elbow of kmeans_sweep or kprototypes_sweep
  growth       new customers, as a share of those the model was fitted on (0.2)
  drift        largest PSI of a feature (0.25)
  keep         so many runs stay in the history tables and their models in the registry (12). The run that the last is compared with stays in the tables as well, the model that model_rollback would bring back in the registry, and models that no run of the pipeline fitted
  names        rules of segment_names for new segments (null: names made of the features); for rfm option segments of rfm_fit
  columns      array of columns to make segments of (null: all that can be)
  revenue      column to sum up per segment (null: monetary, if there is such a number)
  timeout      seconds a step may take (0: no limit)
  retries      how often a step that failed is tried again at once (1), and retry_delay seconds before that (60). Not what would fail again: checks, errors of the query, cancelling
  fit          options of the fit, such as {"standardize": false, "seed": 1}

Errors: features, key or columns that are not there (42P01, 42703), columns the algorithm cannot use (42804), an option that is unknown or out of range, of the fit too, or names that segment_names does not take for these features (22023), a pipeline of another role, or a name that a model of another role has (42501), a pipeline that is being run (55006), a reader (grant_reader) who makes one (42501).

Example: SELECT pipeline_create(''segments'', ''SELECT customer_id, recency_days, frequency, monetary FROM customer_snapshot(''''shop.purchases'''', $1)'', ''customer_id'', ''{"names": "purchase"}'')';

CREATE FUNCTION pipeline_drop(name text) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_own(name);
BEGIN
    PERFORM @extschema@.pipeline_refuse_busy(name);
    IF p.schedule IS NOT NULL THEN
        PERFORM @extschema@.pipeline_unschedule(name);
    END IF;
    DELETE FROM @extschema@.pipeline_rows x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segments_current x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segments_history x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segment_profile_history x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segment_migration x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segment_summary x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.segment_rfm x WHERE x.pipeline = p.pipeline;
    DELETE FROM @extschema@.pipelines x WHERE x.pipeline = p.pipeline;
END
$$;
COMMENT ON FUNCTION pipeline_drop(text) IS
'Drops a pipeline: its definition, schedule, log, and everything it published. Its models stay in the registry (model_drop removes them).

Errors: no such pipeline (42704), a pipeline of another role (42501) or one that is being run (55006).

Example: SELECT pipeline_drop(''segments'')';

CREATE FUNCTION pipeline_forget(pipeline text, run_id bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_own(pipeline);
    last @extschema@.pipeline_runs := @extschema@.pipeline_last_run(pipeline);
BEGIN
    PERFORM @extschema@.pipeline_refuse_busy(pipeline);
    IF last.run_id = pipeline_forget.run_id THEN
        RAISE EXCEPTION 'run % is what pipeline "%" shows', last.run_id, p.pipeline
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It is the last that was published, as of %s.', last.as_of),
                  HINT = format('First run the moment to show again: CALL pipeline_run(%L, as_of). Then forget this one.', p.pipeline);
    END IF;
    UPDATE @extschema@.pipeline_runs x SET state = 'abandoned', message = 'forgotten'
        WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id AND x.state = 'success';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'pipeline "%" has no published run %', p.pipeline, pipeline_forget.run_id
            USING ERRCODE = 'undefined_object', HINT = 'Its runs are in pipeline_runs: those with state "success" were published.';
    END IF;
    DELETE FROM @extschema@.segments_history x WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id;
    DELETE FROM @extschema@.segment_profile_history x WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id;
    DELETE FROM @extschema@.segment_migration x WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id;
    DELETE FROM @extschema@.segment_summary x WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id;
    DELETE FROM @extschema@.segment_rfm x WHERE x.pipeline = p.pipeline AND x.run_id = pipeline_forget.run_id;
END
$$;
COMMENT ON FUNCTION pipeline_forget(text, bigint) IS
'Removes a run that was a mistake from what was published: its rows in segments_history, segment_profile_history, segment_migration, segment_summary and segment_rfm, and so its point in charts over time. No later run is compared with it. That it ran stays in pipeline_runs, with state abandoned; its model stays until option keep drops it, the one in production always. DELETE FROM pipeline_runs would leave the rows, and lose the model to that rule.

The last published run cannot be forgotten, because it is what segments_current and the dashboards show: run the moment they should show again first. Runs that were compared with the forgotten one keep who moved as they have it; run their moment again where that matters.

Errors: the last published run (55000), a run that was not published or is of another pipeline (42704), no such pipeline (42704), one of another role (42501) or that is being run (55006), a NULL.

Example: SELECT pipeline_forget(''segments'', 7)';

-- ---- run

CREATE FUNCTION pipeline_step_list() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT '{check,snapshot,choose,fit,match,score,profile,publish}'::text[] $$;
COMMENT ON FUNCTION pipeline_step_list() IS
'The steps of a run, in order; not for direct use.';

CREATE FUNCTION pipeline_run_begin(p @extschema@.pipelines, as_of timestamptz) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    r @extschema@.pipeline_runs := (SELECT x FROM @extschema@.pipeline_runs x WHERE x.pipeline = p.pipeline
        AND x.state IN ('running', 'failed') ORDER BY x.run_id DESC LIMIT 1);
BEGIN
    -- last month's failure must not take the place of this month's run
    IF r.as_of = pipeline_run_begin.as_of OR pipeline_run_begin.as_of IS NULL AND r.started_at > now() - interval '1 day' THEN
        UPDATE @extschema@.pipeline_runs x SET state = 'running', finished_at = NULL, message = NULL, pid = pg_backend_pid()
            WHERE x.pipeline = r.pipeline AND x.run_id = r.run_id;
        UPDATE @extschema@.pipeline_steps s SET state = 'queued', started_at = NULL, finished_at = NULL, message = NULL
            WHERE s.pipeline = r.pipeline AND s.run_id = r.run_id AND s.state NOT IN ('success', 'skipped');
        RETURN r.run_id;
    END IF;
    PERFORM @extschema@.pipeline_forget_runs(p.pipeline, 'another run began instead');
    INSERT INTO @extschema@.pipeline_runs AS x (pipeline, as_of, pid)
        VALUES (p.pipeline, coalesce(pipeline_run_begin.as_of, now()), pg_backend_pid())
        RETURNING x.run_id INTO r.run_id;
    INSERT INTO @extschema@.pipeline_steps (run_id, pipeline, ordinal, step)
        SELECT r.run_id, p.pipeline, s.ordinal, s.step FROM unnest(@extschema@.pipeline_step_list()) WITH ORDINALITY s (step, ordinal);
    RETURN r.run_id;
END
$$;
COMMENT ON FUNCTION pipeline_run_begin(@extschema@.pipelines, timestamptz) IS
'The run to go on with, or a new one; not for direct use.';

CREATE FUNCTION pipeline_warn_older(p @extschema@.pipelines, run bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    shown timestamptz := (@extschema@.pipeline_last_run(p.pipeline)).as_of;
    wanted timestamptz := (SELECT r.as_of FROM @extschema@.pipeline_runs r WHERE r.pipeline = p.pipeline AND r.run_id = run);
BEGIN
    IF wanted < shown THEN
        RAISE WARNING 'pipeline "%" shows %, and this run publishes % in its place', p.pipeline, shown, wanted
            USING HINT = 'Run the later moments again after it, oldest first.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_warn_older(@extschema@.pipelines, bigint) IS
'Warns of a run that is about an earlier moment than what is published; not for direct use.';

-- Advisory locks are for everybody to take, and a run that is left out should be no secret then. A run has its lock a moment
-- before and after it says so, therefore the patience.
CREATE FUNCTION pipeline_run_wait(pipeline text) RETURNS int
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    holder int;
BEGIN
    FOR i IN 1 .. 20 LOOP
        holder := @extschema@.pipeline_lock(pipeline);
        IF holder IS NULL OR EXISTS (SELECT FROM @extschema@.pipeline_runs r
            WHERE r.pipeline = pipeline_run_wait.pipeline AND r.state = 'running' AND r.pid = holder) THEN
            RETURN holder;
        END IF;
        PERFORM pg_sleep(.1);
    END LOOP;
    RAISE EXCEPTION 'the lock of pipeline "%" is taken by a process that does not run it', pipeline
        USING ERRCODE = 'object_in_use',
              DETAIL = format('It is process %s of role "%s".', holder, (SELECT a.usename FROM pg_stat_activity a WHERE a.pid = holder)),
              HINT = 'pipeline_create and pipeline_drop have it until their transaction ends. Else ask who runs the server for pg_terminate_backend.';
END
$$;
COMMENT ON FUNCTION pipeline_run_wait(text) IS
'Takes the lock of a pipeline and returns NULL, or the process that runs it; an error when another has the lock; not for direct use.';

CREATE FUNCTION pipeline_run_enter(pipeline text, as_of timestamptz) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_own(pipeline);
    holder int;
    run bigint;
BEGIN
    -- in mode score nothing is saved, but what is used would be a stranger's
    PERFORM @extschema@.registry_refuse_taken(p.pipeline);
    IF NOT isfinite(as_of) THEN
        RAISE EXCEPTION 'as_of is infinite' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    holder := @extschema@.pipeline_run_wait(pipeline);
    IF holder IS NOT NULL THEN
        RAISE NOTICE 'pipeline "%" is being run by process %', pipeline, holder;
        RETURN NULL;
    END IF;
    run := @extschema@.pipeline_run_begin(p, as_of);
    PERFORM @extschema@.pipeline_warn_older(p, run);
    RETURN run;
END
$$;
COMMENT ON FUNCTION pipeline_run_enter(text, timestamptz) IS
'Takes the lock of a pipeline and returns the run to work on, NULL when another process has it; not for direct use.';

CREATE FUNCTION pipeline_definition(pipeline text) RETURNS @extschema@.pipelines
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT jsonb_populate_record(x, jsonb_build_object('options', @extschema@.pipeline_options_complete(x.options)))
    FROM @extschema@.pipelines x WHERE x.pipeline = pipeline_definition.pipeline
    $$;
COMMENT ON FUNCTION pipeline_definition(text) IS
'The definition of a pipeline, its options complete also where somebody changed them by hand; not for direct use.';

CREATE FUNCTION pipeline_option(pipeline text, name text) RETURNS float8
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT (((@extschema@.pipeline_definition(pipeline)).options) ->> name)::float8
    $$;
COMMENT ON FUNCTION pipeline_option(text, text) IS
'The value of an option that is a number; not for direct use.';

CREATE FUNCTION pipeline_run_row(pipeline text, run bigint) RETURNS @extschema@.pipeline_runs
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT x FROM @extschema@.pipeline_runs x WHERE x.pipeline = pipeline_run_row.pipeline AND x.run_id = run
    $$;
COMMENT ON FUNCTION pipeline_run_row(text, bigint) IS
'The row of a run; not for direct use.';

CREATE FUNCTION pipeline_step_done(pipeline text, run bigint, step text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT EXISTS (SELECT FROM @extschema@.pipeline_steps s WHERE s.pipeline = pipeline_step_done.pipeline AND s.run_id = run
        AND s.step = pipeline_step_done.step AND s.state IN ('success', 'skipped'))
    $$;
COMMENT ON FUNCTION pipeline_step_done(text, bigint, text) IS
'Whether a step of a run need not be done any more; not for direct use.';

CREATE FUNCTION pipeline_step_skips(r @extschema@.pipeline_runs, step text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT step IN ('fit', 'match') AND NOT r.refitted
    $$;
COMMENT ON FUNCTION pipeline_step_skips(@extschema@.pipeline_runs, text) IS
'Whether a run does without a step; not for direct use.';

-- Its work and the state of it are one transaction. Keys and features are kept as text, which must be the same whoever runs
-- the pipeline; ISO leaves the order of day and month in what the query reads as it is.
CREATE FUNCTION pipeline_step(pipeline text, run bigint, step text) RETURNS text
    LANGUAGE plpgsql
    SET datestyle = 'ISO'
    SET intervalstyle = 'postgres'
    SET extra_float_digits = 1
    SET bytea_output = 'hex'
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_definition(pipeline);
    r @extschema@.pipeline_runs := @extschema@.pipeline_run_row(pipeline, run);
    done pg_catalog.record;
BEGIN
    IF @extschema@.pipeline_step_skips(r, step) THEN
        PERFORM @extschema@.pipeline_step_log(pipeline, run, step, 'skipped', NULL, 'mode score');
        RETURN NULL;
    END IF;
    EXECUTE pg_catalog.format('SELECT s.* FROM @extschema@.%I($1, $2) s', pg_catalog.concat('pipeline_step_', step)) INTO done USING p, r;
    IF done.failure IS NULL THEN
        PERFORM @extschema@.pipeline_step_log(pipeline, run, step, 'success', done.rows, done.message);
    END IF;
    RETURN done.failure;
END
$$;
COMMENT ON FUNCTION pipeline_step(text, bigint, text) IS
'Does a step; returns why it refuses to go on, or NULL; not for direct use.';

CREATE FUNCTION pipeline_step_log(pipeline text, run bigint, step text, state text, rows bigint DEFAULT NULL, message text DEFAULT NULL) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE @extschema@.pipeline_steps s SET
        state = pipeline_step_log.state, rows = pipeline_step_log.rows, message = pipeline_step_log.message,
        attempts = s.attempts + CASE pipeline_step_log.state WHEN 'running' THEN 1 ELSE 0 END,
        started_at = CASE pipeline_step_log.state WHEN 'running' THEN clock_timestamp() ELSE s.started_at END,
        finished_at = CASE pipeline_step_log.state WHEN 'running' THEN NULL ELSE clock_timestamp() END
        WHERE s.pipeline = pipeline_step_log.pipeline AND s.run_id = run AND s.step = pipeline_step_log.step
    $$;
COMMENT ON FUNCTION pipeline_step_log(text, bigint, text, text, bigint, text) IS
'Writes the state of a step; not for direct use.';

-- Errors of the query, of rights, and wrong values stay what they are a minute later; a lock, a full disk or a statement
-- that took too long may not.
CREATE FUNCTION pipeline_failure(sqlstate text, message text, detail text DEFAULT '', hint text DEFAULT '') RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT jsonb_build_object('sqlstate', sqlstate, 'message', message, 'detail', detail,
        -- a pipeline has other names for the options of its fit
        'hint', CASE WHEN hint ~ '^Leave it out with the option .*"exclude"' THEN 'Leave the column out of option columns of the pipeline'
            || CASE WHEN hint ~ '"max_categories"' THEN ', or raise max_categories in its option fit.' ELSE '.' END ELSE hint END,
        'retry', sqlstate !~ '^(0A|22|25|2F|42)')
    $$;
COMMENT ON FUNCTION pipeline_failure(text, text, text, text) IS
'An error as a value, and whether trying again may help; not for direct use.';

CREATE FUNCTION pipeline_run_fail(pipeline text, run bigint, step text, failure jsonb) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    UPDATE @extschema@.pipeline_steps s SET state = 'upstream_failed'
        WHERE s.pipeline = pipeline_run_fail.pipeline AND s.run_id = run AND s.state = 'queued';
    UPDATE @extschema@.pipeline_runs r SET state = 'failed', finished_at = clock_timestamp(),
        message = format('step %s: %s', step, failure ->> 'message')
        WHERE r.pipeline = pipeline_run_fail.pipeline AND r.run_id = run;
    SELECT @extschema@.pipeline_notify(r, 'failed') FROM @extschema@.pipeline_runs r
        WHERE r.pipeline = pipeline_run_fail.pipeline AND r.run_id = run;
    $$;
COMMENT ON FUNCTION pipeline_run_fail(text, bigint, text, jsonb) IS
'Writes that a run failed, and says so to who listens; not for direct use.';

-- only the limit of the step is worth another try, not that of the session, nor a person
CREATE FUNCTION pipeline_cancelled(message text, begun timestamptz, seconds float8) RETURNS jsonb
    LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT @extschema@.pipeline_failure('57014', message) ||
        jsonb_build_object('retry', seconds > 0 AND clock_timestamp() >= begun + seconds * interval '1 second')
    $$;
COMMENT ON FUNCTION pipeline_cancelled(text, timestamptz, float8) IS
'The failure of a step that was cancelled; not for direct use.';

CREATE FUNCTION pipeline_failure_text(failure jsonb, field text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT failure ->> field
    $$;
COMMENT ON FUNCTION pipeline_failure_text(jsonb, text) IS
'A field of pipeline_failure; not for direct use.';

CREATE FUNCTION pipeline_raise(pipeline text, step text, failure jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RAISE EXCEPTION 'pipeline "%": step % failed: %', pipeline, step, failure ->> 'message'
        USING ERRCODE = failure ->> 'sqlstate',
              DETAIL = coalesce(nullif(failure ->> 'detail', ''), 'What is published is what it was before.'),
              HINT = coalesce(nullif(failure ->> 'hint', ''), 'Another CALL goes on with this step.');
END
$$;
COMMENT ON FUNCTION pipeline_raise(text, text, jsonb) IS
'The error that pipeline_run ends with; not for direct use.';

-- Procedures that commit cannot have a SET clause, so all in them is qualified.

-- The state is committed before the work, and the work with its state. What is caught here is the work's error. A session
-- that dies, or is cancelled anywhere else, leaves "running" behind, and the lock free.
CREATE PROCEDURE pipeline_run_attempt(pipeline text, run bigint, step text, INOUT failure jsonb DEFAULT NULL)
    LANGUAGE plpgsql
    AS $$
DECLARE
    seconds pg_catalog.float8 := @extschema@.pipeline_option(pipeline, 'timeout');
    begun pg_catalog.timestamptz;
    refused pg_catalog.text;
    code pg_catalog.text;
    detail pg_catalog.text;
    hint pg_catalog.text;
BEGIN
    PERFORM @extschema@.pipeline_step_log(pipeline, run, step, 'running');
    COMMIT;
    begun := pg_catalog.clock_timestamp();
    failure := NULL;
    BEGIN
        PERFORM @extschema@.pipeline_alarm(seconds);
        refused := @extschema@.pipeline_step(pipeline, run, step);
        -- what was deferred would fail at COMMIT, where nothing is caught
        SET CONSTRAINTS ALL IMMEDIATE;
        PERFORM @extschema@.pipeline_alarm(0);
        IF refused IS NOT NULL THEN
            failure := @extschema@.pipeline_failure('22000', refused, '', 'See pipeline_checks.');
        END IF;
    EXCEPTION
        WHEN query_canceled THEN
            failure := @extschema@.pipeline_cancelled(SQLERRM, begun, seconds);
        WHEN OTHERS OR assert_failure THEN
            GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            failure := @extschema@.pipeline_failure(code, SQLERRM, detail, hint);
    END;
    IF failure IS NOT NULL THEN
        PERFORM @extschema@.pipeline_alarm(0);
        PERFORM @extschema@.pipeline_step_log(pipeline, run, step, 'failed', NULL, @extschema@.pipeline_failure_text(failure, 'message'));
    END IF;
    COMMIT;
END
$$;
COMMENT ON PROCEDURE pipeline_run_attempt(text, bigint, text, jsonb) IS
'Tries a step once, and commits what came of it; not for direct use.';

CREATE PROCEDURE pipeline_run_step(pipeline text, run bigint, step text, INOUT failure jsonb DEFAULT NULL)
    LANGUAGE plpgsql
    AS $$
BEGIN
    FOR attempt IN 0 .. @extschema@.pipeline_option(pipeline, 'retries') LOOP
        IF attempt OPERATOR(pg_catalog.>) 0 THEN
            BEGIN
                PERFORM pg_catalog.pg_sleep(@extschema@.pipeline_option(pipeline, 'retry_delay'));
            EXCEPTION
                WHEN query_canceled THEN
                    EXIT;
            END;
        END IF;
        CALL @extschema@.pipeline_run_attempt(pipeline, run, step, failure);
        EXIT WHEN failure IS NULL OR NOT @extschema@.pipeline_failure_text(failure, 'retry')::boolean;
    END LOOP;
END
$$;
COMMENT ON PROCEDURE pipeline_run_step(text, bigint, text, jsonb) IS
'Tries a step as often as the options say; not for direct use.';

CREATE FUNCTION pipeline_can_commit() RETURNS boolean
    AS 'MODULE_PATHNAME', 'rml_pipeline_can_commit'
    LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pipeline_can_commit() IS
'Whether the procedure that asks may COMMIT: false inside a transaction block, a function, or a block with EXCEPTION; not for direct use.';

CREATE PROCEDURE pipeline_run(name text, as_of timestamptz DEFAULT NULL)
    LANGUAGE plpgsql
    AS $$
DECLARE
    run bigint;
    current pg_catalog.text;
    failure pg_catalog.jsonb;
BEGIN
    IF NOT @extschema@.pipeline_can_commit() THEN
        RAISE EXCEPTION 'pipeline_run commits its steps and cannot run inside a transaction block'
            USING ERRCODE = 'invalid_transaction_termination',
                  HINT = 'Turn autocommit on, run psql without -1 and with nothing else in the same -c, and CALL it from no function.';
    END IF;
    run := @extschema@.pipeline_run_enter(name, as_of);
    COMMIT;
    IF run IS NULL THEN
        RETURN;
    END IF;
    FOREACH current IN ARRAY @extschema@.pipeline_step_list() LOOP
        CONTINUE WHEN @extschema@.pipeline_step_done(name, run, current);
        CALL @extschema@.pipeline_run_step(name, run, current, failure);
        EXIT WHEN failure IS NOT NULL;
    END LOOP;
    IF failure IS NOT NULL THEN
        PERFORM @extschema@.pipeline_run_fail(name, run, current, failure);
        COMMIT;
    END IF;
    PERFORM @extschema@.pipeline_unlock(name);
    IF failure IS NOT NULL THEN
        PERFORM @extschema@.pipeline_raise(name, current, failure);
    END IF;
END
$$;
COMMENT ON PROCEDURE pipeline_run(text, timestamptz) IS
'Runs a pipeline: puts every customer into a segment, and publishes that. Who calls it must be the owner (current_user), and not be inside a transaction: every step is a transaction of its own.

Steps
  check     runs the query, read-only, and looks for what makes segments lie: pipeline_checks. An error there ends the run
  snapshot  keeps the rows of the query
  choose    mode and k of this run, with the reason: pipeline_runs
  fit       the model, saved in the registry under the pipeline''s name as staging. Left out in mode score
  match     gives the segments the numbers and names of those in production that they continue
  score     the segment of every customer
  profile   what segments are like, their size and revenue, and who moved since the run before: the last published of those with an earlier as_of
  publish   replaces segments_current, adds to the history tables, and puts the model in production, all at once
pipeline_steps shows the state of each while it is at work. At the end there is a NOTIFY retailml_pipeline, ''{"pipeline": ..., "run_id": ..., "state": "success"}'' (or "failed").

as_of (default NULL): the moment the run is about, $1 of the feature query. NULL is now, or the moment of a run of the last 24 hours that did not end: a run that failed, or whose session died, goes on at the first step that is not done, with its snapshot. Another as_of gives that run up and begins a new one.

A moment can be run again, after a correction of the data. What is published is that of the second run then, and who moved is counted from the period before, as in the first. So can one that is earlier than the last: its segments are published in place of newer ones, of which a WARNING tells when it begins, so run the later moments again after it, oldest first. Where no run of an earlier as_of is kept nobody moved.

What is published stays as it is until the last step, so a run that fails changes nothing that anybody reads. While another process runs the pipeline, the CALL says so in a NOTICE and does nothing. A lock that somebody has without running it is an error.

Errors: that of the step that failed, in the words of the step and with its SQLSTATE (after retries, see pipeline_create), and 22000 for a check; no such pipeline (42704), one of another role, or one whose model''s name another role has taken (42501), one that is locked but not run (55006), a transaction that is open already (2D000; nothing is done then).

Example: CALL pipeline_run(''segments'')';
