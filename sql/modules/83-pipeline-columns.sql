-- The columns of a pipeline: which there are, which are features, and how the snapshot gives them back.

CREATE FUNCTION pipeline_columns(
    query text,
    OUT "position" int, OUT name text, OUT type text, OUT kind text)
    RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'rml_pipeline_columns'
    LANGUAGE C STABLE STRICT PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION pipeline_columns(text) IS
'The columns of a query, a row each, without running it: position, name, SQL type, and kind, which is what a model can make of it: number, boolean, category or other. $1 in the query is a timestamptz.

NULL: no rows. Errors: those of the query, and 42601 when it is not one SELECT.

Example: SELECT * FROM pipeline_columns(''SELECT * FROM customers WHERE signup_at < $1'')';

-- ---- columns: which are features

-- the column that plays a role of RFM, or NULL
CREATE FUNCTION pipeline_rfm_column(columns jsonb, role text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT c ->> 'name' FROM pg_catalog.jsonb_array_elements(columns) c
    WHERE c ->> 'kind' = 'number' AND (c ->> 'name' = role OR role = 'recency' AND c ->> 'name' = 'recency_days')
    ORDER BY c ->> 'name' DESC LIMIT 1
    $$;
COMMENT ON FUNCTION pipeline_rfm_column(jsonb, text) IS
'The column of a pipeline that holds recency, frequency or monetary, NULL without one; not for direct use.';

CREATE FUNCTION pipeline_refuse_columns(columns jsonb, key text, options jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    names text := (SELECT string_agg(format('"%s"', c ->> 'name'), ', ') FROM jsonb_array_elements(columns) c);
    bad text;
BEGIN
    SELECT min(n) INTO bad FROM
        (SELECT c ->> 'name' AS n FROM jsonb_array_elements(columns) c GROUP BY 1 HAVING count(*) > 1) d;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'the features have two columns "%"', bad USING ERRCODE = 'duplicate_column';
    END IF;
    SELECT min(n) INTO bad FROM
        (SELECT key UNION ALL SELECT options ->> 'revenue' UNION ALL
         SELECT jsonb_array_elements_text(nullif(options -> 'columns', 'null'))) wanted (n)
        WHERE n NOT IN (SELECT c ->> 'name' FROM jsonb_array_elements(columns) c);
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'the features have no column "%"', bad
            USING ERRCODE = 'undefined_column', DETAIL = format('Their columns are %s.', names);
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_refuse_columns(jsonb, text, jsonb) IS
'Refuses columns that are there twice, and names of columns that are not there; not for direct use.';

CREATE FUNCTION pipeline_refuse_features(columns jsonb, options jsonb) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    bad jsonb;
BEGIN
    IF options ->> 'algorithm' = 'rfm' THEN
        IF num_nulls(@extschema@.pipeline_rfm_column(columns, 'recency'), @extschema@.pipeline_rfm_column(columns, 'frequency'),
                     @extschema@.pipeline_rfm_column(columns, 'monetary')) > 0 THEN
            RAISE EXCEPTION 'algorithm rfm needs numeric columns recency_days (or recency), frequency and monetary'
                USING ERRCODE = 'undefined_column',
                      HINT = 'Rename columns in the feature query, or choose another algorithm.';
        END IF;
        RETURN;
    END IF;
    SELECT c INTO bad FROM jsonb_array_elements(columns) c
        WHERE options -> 'columns' ? (c ->> 'name')
          AND (c ->> 'kind' = 'other' OR c ->> 'kind' = 'category' AND options ->> 'algorithm' = 'kmeans') LIMIT 1;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'column "%" is of type %', bad ->> 'name', bad ->> 'type'
            USING ERRCODE = 'datatype_mismatch', HINT = CASE bad ->> 'kind'
                WHEN 'other' THEN 'Derive a number from it, or leave it out of option columns.'
                ELSE 'Leave it out of option columns, or choose algorithm kprototypes.' END;
    END IF;
    IF NOT EXISTS (SELECT FROM jsonb_array_elements(columns) c WHERE (c ->> 'feature')::boolean) THEN
        RAISE EXCEPTION 'there is no column to make segments of'
            USING ERRCODE = 'undefined_column',
                  HINT = 'Features are numbers and booleans, for algorithm kprototypes texts too.';
    END IF;
END
$$;
COMMENT ON FUNCTION pipeline_refuse_features(jsonb, jsonb) IS
'Refuses columns that the algorithm cannot use; not for direct use.';

CREATE FUNCTION pipeline_is_feature(name text, kind text, columns jsonb, options jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT CASE
        WHEN options ->> 'algorithm' = 'rfm' THEN coalesce(name IN (
            @extschema@.pipeline_rfm_column(columns, 'recency'), @extschema@.pipeline_rfm_column(columns, 'frequency'),
            @extschema@.pipeline_rfm_column(columns, 'monetary')), false)
        WHEN options -> 'columns' <> 'null' THEN options -> 'columns' ? name
        WHEN options ->> 'algorithm' = 'kmeans' THEN kind IN ('number', 'boolean')
        ELSE kind <> 'other' END
    $$;
COMMENT ON FUNCTION pipeline_is_feature(text, text, jsonb, jsonb) IS
'Whether a column of a pipeline is one that segments are made of; not for direct use.';

CREATE FUNCTION pipeline_algorithm(columns jsonb, key text, options jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT coalesce(options ->> 'algorithm', CASE WHEN EXISTS (
        SELECT FROM pg_catalog.jsonb_array_elements(columns) c
        WHERE c ->> 'kind' = 'category' AND c ->> 'name' <> key
          AND (coalesce(options -> 'columns', 'null') = 'null' OR options -> 'columns' ? (c ->> 'name')))
        THEN 'kprototypes' ELSE 'kmeans' END)
    $$;
COMMENT ON FUNCTION pipeline_algorithm(jsonb, text, jsonb) IS
'The algorithm of a pipeline: the one given, or kprototypes where a feature is a text, else kmeans; not for direct use.';

-- no SET clause: the names in the query are found where its caller finds them, and so would be an operator that is not qualified
CREATE FUNCTION pipeline_shape(query text) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    RETURN (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', c.name, 'type', c.type, 'kind', c.kind) ORDER BY c."position")
        FROM @extschema@.pipeline_columns(query) c);
END
$$;
COMMENT ON FUNCTION pipeline_shape(text) IS
'The columns of a query, as an array of {name, type, kind}; not for direct use.';

CREATE FUNCTION pipeline_describe(shape jsonb, key text, options jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    columns jsonb;
    described jsonb;
BEGIN
    PERFORM @extschema@.pipeline_refuse_columns(shape, key, options);
    columns := (SELECT jsonb_agg(c.e ORDER BY c.i) FROM jsonb_array_elements(shape) WITH ORDINALITY c (e, i) WHERE c.e ->> 'name' <> key);
    options := options || jsonb_build_object('algorithm', @extschema@.pipeline_algorithm(columns, key, options));
    SELECT jsonb_agg(c.e || jsonb_build_object('feature',
            @extschema@.pipeline_is_feature(c.e ->> 'name', c.e ->> 'kind', columns, options)) ORDER BY c.i)
        INTO described FROM jsonb_array_elements(columns) WITH ORDINALITY c (e, i);
    PERFORM @extschema@.pipeline_refuse_features(coalesce(described, '[]'), options);
    RETURN described;
END
$$;
COMMENT ON FUNCTION pipeline_describe(jsonb, text, jsonb) IS
'The columns of a feature query (pipeline_shape) but the key, as an array of {name, type, kind, feature}; refuses those that make no pipeline; not for direct use.';

-- ---- the snapshot as rows with columns again

-- numbers become float8 and categories text, whatever their type was: the caller's types need not be on the path
CREATE FUNCTION pipeline_value(name text, kind text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT pg_catalog.format('(r.features ->> %L)%s', name,
        CASE kind WHEN 'number' THEN '::float8' WHEN 'boolean' THEN '::boolean' END)
    $$;
COMMENT ON FUNCTION pipeline_value(text, text) IS
'The expression for a column of pipeline_rows r; not for direct use.';

-- for sums that do not depend on the order of rows: numeric is exact, float8 is not
CREATE FUNCTION pipeline_exact(name text, kind text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT pg_catalog.format(CASE kind
        WHEN 'boolean' THEN '(r.features ->> %L)::boolean::int::numeric'
        ELSE 'CASE WHEN jsonb_typeof(r.features -> %1$L) = ''number'' THEN (r.features -> %1$L)::numeric END' END, name)
    $$;
COMMENT ON FUNCTION pipeline_exact(text, text) IS
'The expression for a number of pipeline_rows r as numeric, NULL for NaN; not for direct use.';

CREATE FUNCTION pipeline_fields(columns jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT string_agg(format('%s AS %I', @extschema@.pipeline_value(c.e ->> 'name', c.e ->> 'kind'), c.e ->> 'name'),
                      ', ' ORDER BY c.i)
    FROM jsonb_array_elements(columns) WITH ORDINALITY c (e, i) WHERE (c.e ->> 'feature')::boolean
    $$;
COMMENT ON FUNCTION pipeline_fields(jsonb) IS
'The features of pipeline_rows r as a list of expressions with names; not for direct use.';

-- by number alone it would find rows that another role wrote for this run
CREATE FUNCTION pipeline_of_run(run @extschema@.pipeline_runs) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('r.pipeline = %L AND r.run_id = %s', run.pipeline, run.run_id)
    $$;
COMMENT ON FUNCTION pipeline_of_run(@extschema@.pipeline_runs) IS
'The condition for the rows r of pipeline_rows that are a run''s snapshot; not for direct use.';

CREATE FUNCTION pipeline_source(r @extschema@.pipeline_runs, part float8 DEFAULT 1) RETURNS text
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT format('SELECT %s FROM @extschema@.pipeline_rows r WHERE %s%s', @extschema@.pipeline_fields((pipeline_source.r).columns),
        @extschema@.pipeline_of_run(r),
        CASE WHEN part < 1 THEN format(' AND hashtextextended(r.key, 42) & 1048575 < %s', ceil(part * 1048576)) END)
    $$;
COMMENT ON FUNCTION pipeline_source(@extschema@.pipeline_runs, float8) IS
'The query that gives the features of a run''s snapshot as columns; of this part of the customers, chosen by a hash of the key; not for direct use.';
