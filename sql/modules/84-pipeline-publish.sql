-- The last steps of a pipeline's run: what segments are like, and handing it all to the readers at once.

-- ---- profile

-- sums are numeric, so they are exact and the same in whatever order the rows come
CREATE FUNCTION pipeline_profile_numbers(r @extschema@.pipeline_runs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    names text[];
    counts text;
    sums text;
    squares text;
    profile jsonb;
BEGIN
    SELECT array_agg(c.e ->> 'name' ORDER BY c.i), string_agg(format('count(s.x%s)', c.i), ', ' ORDER BY c.i),
           string_agg(format('sum(s.x%s)', c.i), ', ' ORDER BY c.i),
           string_agg(format('sum(s.x%s * s.x%1$s)', c.i), ', ' ORDER BY c.i)
        INTO names, counts, sums, squares
        FROM jsonb_array_elements(r.columns) WITH ORDINALITY c (e, i)
        WHERE (c.e ->> 'feature')::boolean AND c.e ->> 'kind' IN ('number', 'boolean');
    IF names IS NULL THEN
        RETURN '[]';
    END IF;
    EXECUTE format($sql$
        WITH groups AS (
            SELECT s.segment, s.name, count(*) AS customers, ARRAY[%s] AS counts, ARRAY[%s]::numeric[] AS sums,
                   ARRAY[%s]::numeric[] AS squares
            FROM (SELECT r.segment, r.name, %s FROM @extschema@.pipeline_rows r WHERE %s) s GROUP BY 1, 2),
        parts AS (
            SELECT g.segment, g.name, g.customers, u.*, sum(u.n) OVER w AS total_n, sum(u.s) OVER w AS total_s,
                   sum(u.q) OVER w AS total_q
            FROM groups g, unnest($1, g.counts, g.sums, g.squares) WITH ORDINALITY u (feature, n, s, q, i)
            WINDOW w AS (PARTITION BY u.i))
        SELECT jsonb_agg(jsonb_build_object('segment', segment, 'name', name, 'customers', customers, 'feature', feature,
            'mean', (s / nullif(n, 0))::float8, 'overall_mean', (total_s / nullif(total_n, 0))::float8,
            'z', ((s / nullif(n, 0) - total_s / nullif(total_n, 0)) * total_n /
                  nullif(sqrt(greatest(total_q * total_n - total_s * total_s, 0)), 0))::float8)
            ORDER BY segment, name, i)
        FROM parts $sql$, counts, sums, squares,
            (SELECT string_agg(format('%s AS x%s', @extschema@.pipeline_exact(c.e ->> 'name', c.e ->> 'kind'), c.i), ', ')
             FROM jsonb_array_elements(r.columns) WITH ORDINALITY c (e, i)
             WHERE (c.e ->> 'feature')::boolean AND c.e ->> 'kind' IN ('number', 'boolean')), @extschema@.pipeline_of_run(r))
        INTO profile USING names;
    RETURN profile;
END
$$;
COMMENT ON FUNCTION pipeline_profile_numbers(@extschema@.pipeline_runs) IS
'The profile of the segments of a snapshot in its numbers and booleans; not for direct use.';

CREATE FUNCTION pipeline_profile_category(r @extschema@.pipeline_runs, feature text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    WITH cells AS (
        SELECT s.segment, s.name, coalesce(s.features ->> feature, '(missing)') COLLATE "C" AS category, count(*) AS n
        FROM @extschema@.pipeline_rows s
        WHERE s.pipeline = r.pipeline AND s.run_id = r.run_id GROUP BY 1, 2, 3),
    segments AS (SELECT segment, name, sum(n) AS customers FROM cells GROUP BY 1, 2),
    categories AS (SELECT category, sum(n) / sum(sum(n)) OVER () AS overall FROM cells GROUP BY 1),
    shares AS (
        SELECT g.segment, g.name, g.customers, c.category, c.overall, coalesce(x.n, 0) / g.customers AS share
        FROM segments g CROSS JOIN categories c LEFT JOIN cells x
            ON x.segment IS NOT DISTINCT FROM g.segment AND x.name IS NOT DISTINCT FROM g.name AND x.category = c.category)
    SELECT coalesce(jsonb_agg(jsonb_build_object('segment', segment, 'name', name, 'customers', customers, 'feature', feature,
        'category', category, 'mean', share::float8, 'overall_mean', overall::float8,
        'z', ((share - overall) / nullif(sqrt(overall * (1 - overall)), 0))::float8) ORDER BY segment, name, category), '[]')
    FROM shares
    $$;
COMMENT ON FUNCTION pipeline_profile_category(@extschema@.pipeline_runs, text) IS
'The profile of the segments of a snapshot in a categorical feature; not for direct use.';

-- what revenue is: the column of the option, or monetary
CREATE FUNCTION pipeline_revenue(p @extschema@.pipelines, columns jsonb) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce((SELECT @extschema@.pipeline_exact(c ->> 'name', c ->> 'kind') FROM jsonb_array_elements(columns) c
        WHERE c ->> 'name' = coalesce(p.options ->> 'revenue', 'monetary') AND c ->> 'kind' = 'number'), 'NULL::numeric')
    $$;
COMMENT ON FUNCTION pipeline_revenue(@extschema@.pipelines, jsonb) IS
'The expression for the revenue of a row of pipeline_rows r; not for direct use.';

CREATE FUNCTION pipeline_summary(p @extschema@.pipelines, r @extschema@.pipeline_runs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    summary jsonb;
BEGIN
    EXECUTE format($sql$
        SELECT jsonb_agg(jsonb_build_object('segment', segment, 'name', name, 'customers', n, 'share', (n / total)::float8,
            'revenue', revenue::float8, 'revenue_share', (revenue / nullif(total_revenue, 0))::float8) ORDER BY segment, name)
        FROM (SELECT g.*, sum(n) OVER () AS total, sum(revenue) OVER () AS total_revenue
              FROM (SELECT r.segment, r.name, count(*) AS n, sum(%s) AS revenue FROM @extschema@.pipeline_rows r
                    WHERE %s GROUP BY 1, 2) g) t $sql$, @extschema@.pipeline_revenue(p, r.columns), @extschema@.pipeline_of_run(r))
        INTO summary;
    RETURN summary;
END
$$;
COMMENT ON FUNCTION pipeline_summary(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Size and revenue of the segments of a snapshot; not for direct use.';

CREATE FUNCTION pipeline_rfm(p @extschema@.pipelines, r @extschema@.pipeline_runs) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    recency text := @extschema@.pipeline_rfm_column(r.columns, 'recency');
    frequency text := @extschema@.pipeline_rfm_column(r.columns, 'frequency');
    monetary text := @extschema@.pipeline_rfm_column(r.columns, 'monetary');
    heat jsonb;
BEGIN
    IF num_nulls(recency, frequency, monetary) = 0 THEN
        EXECUTE format($sql$
            SELECT jsonb_agg(jsonb_build_object('r', r, 'f', f, 'customers', n, 'revenue', revenue::float8) ORDER BY r, f)
            FROM (SELECT (s.scores).r, (s.scores).f, count(*) AS n, sum(s.revenue) AS revenue
                  FROM (SELECT @extschema@.rfm_score(%s, %s, %s) OVER () AS scores, %s AS revenue
                        FROM @extschema@.pipeline_rows r WHERE %s) s
                  WHERE (s.scores).r IS NOT NULL GROUP BY 1, 2) g $sql$,
            @extschema@.pipeline_value(recency, 'number'), @extschema@.pipeline_value(frequency, 'number'),
            @extschema@.pipeline_value(monetary, 'number'), @extschema@.pipeline_revenue(p, r.columns), @extschema@.pipeline_of_run(r))
            INTO heat;
    END IF;
    RETURN coalesce(heat, '[]');
END
$$;
COMMENT ON FUNCTION pipeline_rfm(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Customers and revenue of a snapshot by quintiles of recency and frequency; not for direct use.';

CREATE FUNCTION pipeline_migration(r @extschema@.pipeline_runs, last bigint) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('previous_run_id', last, 'from_name', m."from", 'to_name', m."to",
        'customers', m.n, 'share', m.share)), '[]')
    FROM (SELECT @extschema@.segment_migration(o.name, n.name) AS flows
          FROM (SELECT h.key, coalesce(h.name, '(none)') AS name FROM @extschema@.segments_history h
                WHERE h.pipeline = r.pipeline AND h.run_id = last) o
          FULL JOIN (SELECT s.key, coalesce(s.name, '(none)') AS name FROM @extschema@.pipeline_rows s
                     WHERE s.pipeline = r.pipeline AND s.run_id = r.run_id) n USING (key)) f, unnest(f.flows) m
    WHERE last IS NOT NULL
    $$;
COMMENT ON FUNCTION pipeline_migration(@extschema@.pipeline_runs, bigint) IS
'Who went where since a run; not for direct use.';

-- Nothing of it may be seen before the segments are, so it waits as a draft.
CREATE FUNCTION pipeline_step_profile(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    profile jsonb := @extschema@.pipeline_profile_numbers(r);
    feature text;
    -- not the last run: that may be of the same moment, or of a later one. And one that is still kept
    before bigint := (SELECT s.run_id FROM @extschema@.segment_summary s WHERE s.pipeline = p.pipeline AND s.as_of < r.as_of
        ORDER BY s.as_of DESC, s.run_id DESC LIMIT 1);
BEGIN
    FOR feature IN SELECT c ->> 'name' FROM jsonb_array_elements(r.columns) c
        WHERE (c ->> 'feature')::boolean AND c ->> 'kind' = 'category' LOOP
        profile := profile || @extschema@.pipeline_profile_category(r, feature);
    END LOOP;
    rows := jsonb_array_length(profile);
    UPDATE @extschema@.pipeline_runs u SET draft = jsonb_build_object('profile', profile,
            'summary', @extschema@.pipeline_summary(p, r), 'rfm', @extschema@.pipeline_rfm(p, r),
            'migration', @extschema@.pipeline_migration(r, before))
        WHERE u.pipeline = r.pipeline AND u.run_id = r.run_id;
END
$$;
COMMENT ON FUNCTION pipeline_step_profile(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: profile, sizes, RFM heat map and migration of the segments; not for direct use.';

-- ---- publish

CREATE FUNCTION pipeline_publish_draft(r @extschema@.pipeline_runs) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    INSERT INTO @extschema@.segment_summary (pipeline, run_id, as_of, segment, name, customers, share, revenue, revenue_share)
    SELECT r.pipeline, r.run_id, r.as_of, x.*
    FROM jsonb_to_recordset(r.draft -> 'summary')
        x (segment int, name text, customers bigint, share float8, revenue float8, revenue_share float8);
    INSERT INTO @extschema@.segment_profile_history
        (pipeline, run_id, as_of, segment, name, customers, share, feature, category, mean, overall_mean, z)
    SELECT r.pipeline, r.run_id, r.as_of, x.segment, x.name, x.customers, x.customers / r.customers::float8, x.feature, x.category,
        x.mean, x.overall_mean, x.z
    FROM jsonb_to_recordset(r.draft -> 'profile') x (segment int, name text, customers bigint, feature text, category text,
        mean float8, overall_mean float8, z float8);
    INSERT INTO @extschema@.segment_rfm (pipeline, run_id, as_of, r, f, customers, revenue)
    SELECT (pipeline_publish_draft.r).pipeline, (pipeline_publish_draft.r).run_id, (pipeline_publish_draft.r).as_of, x.*
    FROM jsonb_to_recordset((pipeline_publish_draft.r).draft -> 'rfm') x (r int, f int, customers bigint, revenue float8);
    INSERT INTO @extschema@.segment_migration (pipeline, run_id, previous_run_id, as_of, from_name, to_name, customers, share)
    SELECT r.pipeline, r.run_id, x.previous_run_id, r.as_of, x.from_name, x.to_name, x.customers, x.share
    FROM jsonb_to_recordset(r.draft -> 'migration')
        x (previous_run_id bigint, from_name text, to_name text, customers bigint, share float8);
    $$;
COMMENT ON FUNCTION pipeline_publish_draft(@extschema@.pipeline_runs) IS
'Writes what the step profile found; not for direct use.';

CREATE FUNCTION pipeline_prune_models(pipeline text, kept bigint[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- where model_rollback would go
    earlier int := (SELECT m.version FROM @extschema@.models m
        WHERE m.name = pipeline_prune_models.pipeline AND m.status <> 'production' AND m.promoted_at IS NOT NULL
        ORDER BY m.promoted_at DESC LIMIT 1);
    old int;
BEGIN
    FOR old IN
        SELECT m.version FROM @extschema@.models m
        WHERE m.name = pipeline_prune_models.pipeline AND m.status <> 'production' AND m.version IS DISTINCT FROM earlier
          -- the number alone may be that of a model which somebody saved after model_drop
          AND EXISTS (SELECT FROM @extschema@.pipeline_runs r WHERE r.pipeline = m.name AND r.version = m.version
                      AND r.refitted AND m.created_at BETWEEN r.started_at AND coalesce(r.finished_at, 'infinity'))
          AND NOT EXISTS (SELECT FROM @extschema@.pipeline_runs r WHERE r.pipeline = m.name AND r.version = m.version
                          AND r.run_id = ANY (kept))
    LOOP
        PERFORM @extschema@.model_drop(pipeline_prune_models.pipeline, old);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pipeline_prune_models(text, bigint[]) IS
'Drops the models that a pipeline fitted and none of these runs used, but not the one in production and the one that model_rollback would bring back; not for direct use.';

CREATE FUNCTION pipeline_prune(p @extschema@.pipelines) RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    kept bigint[] := ARRAY(SELECT r.run_id FROM @extschema@.pipeline_runs r
        WHERE r.pipeline = p.pipeline AND r.state = 'success' ORDER BY r.run_id DESC LIMIT (p.options ->> 'keep')::int);
    -- the last run may be repeated more often than keep says: what it is compared with stays
    oldest bigint := least(kept[cardinality(kept)], (SELECT min(m.previous_run_id) FROM @extschema@.segment_migration m
        WHERE m.pipeline = p.pipeline AND m.run_id = kept[1]));
BEGIN
    DELETE FROM @extschema@.segments_history h WHERE h.pipeline = p.pipeline AND h.run_id < oldest;
    DELETE FROM @extschema@.segment_profile_history h WHERE h.pipeline = p.pipeline AND h.run_id < oldest;
    DELETE FROM @extschema@.segment_migration h WHERE h.pipeline = p.pipeline AND h.run_id < oldest;
    DELETE FROM @extschema@.segment_summary h WHERE h.pipeline = p.pipeline AND h.run_id < oldest;
    DELETE FROM @extschema@.segment_rfm h WHERE h.pipeline = p.pipeline AND h.run_id < oldest;
    PERFORM @extschema@.pipeline_prune_models(p.pipeline, kept);
END
$$;
COMMENT ON FUNCTION pipeline_prune(@extschema@.pipelines) IS
'Forgets all but the last runs of a pipeline (option keep) and the one the last is compared with, but not that they were; not for direct use.';

CREATE FUNCTION pipeline_notify(r @extschema@.pipeline_runs, state text) RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT pg_notify('retailml_pipeline', json_build_object('pipeline', left(r.pipeline, 1000), 'run_id', r.run_id, 'state', state)::text)
    $$;
COMMENT ON FUNCTION pipeline_notify(@extschema@.pipeline_runs, text) IS
'Tells who listens to retailml_pipeline how a run ended; not for direct use.';

-- one transaction: readers have the old segments, then the new ones
CREATE FUNCTION pipeline_step_publish(
    p @extschema@.pipelines, r @extschema@.pipeline_runs, OUT rows bigint, OUT message text, OUT failure text)
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    IF r.refitted THEN
        PERFORM @extschema@.model_promote(p.pipeline, r.version);
    END IF;
    DELETE FROM @extschema@.segments_current c WHERE c.pipeline = p.pipeline;
    INSERT INTO @extschema@.segments_current (pipeline, key, segment, name, distance, features, last_update)
        SELECT s.pipeline, s.key, s.segment, s.name, s.distance, s.features, now()
        FROM @extschema@.pipeline_rows s WHERE s.pipeline = r.pipeline AND s.run_id = r.run_id;
    GET DIAGNOSTICS rows = ROW_COUNT;
    INSERT INTO @extschema@.segments_history (pipeline, run_id, as_of, key, segment, name, distance)
        SELECT s.pipeline, s.run_id, r.as_of, s.key, s.segment, s.name, s.distance
        FROM @extschema@.pipeline_rows s WHERE s.pipeline = r.pipeline AND s.run_id = r.run_id;
    PERFORM @extschema@.pipeline_publish_draft(r);
    PERFORM @extschema@.pipeline_movers(p.pipeline, r.run_id, (r.draft #>> '{migration,0,previous_run_id}')::bigint);
    DELETE FROM @extschema@.pipeline_rows s WHERE s.pipeline = p.pipeline;
    UPDATE @extschema@.pipeline_runs u SET state = 'success', draft = NULL, message = NULL, finished_at = clock_timestamp()
        WHERE u.pipeline = r.pipeline AND u.run_id = r.run_id;
    PERFORM @extschema@.pipeline_prune(p);
    PERFORM @extschema@.pipeline_notify(r, 'success');
END
$$;
COMMENT ON FUNCTION pipeline_step_publish(@extschema@.pipelines, @extschema@.pipeline_runs) IS
'Step of pipeline_run: replaces what is published and puts the model in production, in one transaction; not for direct use.';
