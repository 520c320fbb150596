-- Who changed the segment between the last published run and the period before.
--
-- It could be read from segments_history at any time, but at a million customers that is a join of two million
-- rows for a list of a hundred.  So publish writes it down once.

CREATE TABLE segment_movers (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    key text COLLATE "C" NOT NULL,
    from_name text,
    to_name text,
    PRIMARY KEY (pipeline, key));
-- the expressions of bi_segment_movers
CREATE INDEX segment_movers_names ON segment_movers (pipeline, (CASE WHEN from_name IS NULL THEN '(new)' ELSE from_name END),
    (CASE WHEN to_name IS NULL THEN '(gone)' ELSE to_name END));
COMMENT ON TABLE segment_movers IS
'The customers whose segment has another name than in the run before, those who are new and those who are gone; of the last published run. The run before is the last published of those with an earlier as_of (segment_migration.previous_run_id). A row per pipeline and customer; none where no such run is kept. Written by pipeline_movers in the step publish.';
COMMENT ON COLUMN segment_movers.pipeline IS 'name of the pipeline';
COMMENT ON COLUMN segment_movers.run_id IS 'the last published run';
COMMENT ON COLUMN segment_movers.as_of IS 'the moment it describes';
COMMENT ON COLUMN segment_movers.key IS 'the customer: the key column of the pipeline as text';
COMMENT ON COLUMN segment_movers.from_name IS 'segment in the run before, (none) without one; NULL where the customer was not there';
COMMENT ON COLUMN segment_movers.to_name IS 'segment now, (none) without one; NULL where the customer is not there any more';

ALTER TABLE segment_movers OWNER TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('segment_movers', '');
GRANT SELECT, INSERT, UPDATE, DELETE ON segment_movers TO PUBLIC;
ALTER TABLE segment_movers ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_pipeline ON segment_movers USING (pipeline IN (SELECT p.pipeline FROM @extschema@.pipelines p));

CREATE FUNCTION pipeline_movers(pipeline text, run_id bigint, previous_run_id bigint) RETURNS bigint
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    written bigint;
BEGIN
    DELETE FROM @extschema@.segment_movers m WHERE m.pipeline = pipeline_movers.pipeline;
    IF previous_run_id IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO @extschema@.segment_movers (pipeline, run_id, as_of, key, from_name, to_name)
    SELECT pipeline_movers.pipeline, r.run_id, r.as_of, key, b.name, c.name
    FROM (SELECT key, coalesce(name, '(none)') AS name FROM @extschema@.segments_history h
          WHERE h.pipeline = pipeline_movers.pipeline AND h.run_id = pipeline_movers.previous_run_id) AS b
    FULL JOIN (SELECT key, coalesce(name, '(none)') AS name FROM @extschema@.segments_history h
          WHERE h.pipeline = pipeline_movers.pipeline AND h.run_id = pipeline_movers.run_id) AS c USING (key)
    JOIN @extschema@.pipeline_runs r ON r.pipeline = pipeline_movers.pipeline AND r.run_id = pipeline_movers.run_id
    WHERE b.name IS DISTINCT FROM c.name;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;
COMMENT ON FUNCTION pipeline_movers(text, bigint, bigint) IS
'Replaces the movers of a pipeline by those between two of its runs, and returns how many there are; part of the step publish, not for direct use. Both runs are read from segments_history. Without a previous run there are none.';
