-- Pipelines: their definitions, the log of their runs, and what they publish.

CREATE TABLE pipelines (
    pipeline text PRIMARY KEY CHECK (pipeline <> ''),
    owner name NOT NULL DEFAULT current_user,
    features text NOT NULL,
    key text NOT NULL,
    options jsonb NOT NULL,
    schedule text,
    job_id bigint,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp());
COMMENT ON TABLE pipelines IS
'A row per pipeline, as pipeline_create left it. Members of its owner see and change it (members that inherit; others after SET ROLE), nobody else does; who owns the extension''s tables and superusers see all. Own no pipeline as a superuser where you do not trust the owner of the database, who can change what it runs.';
COMMENT ON COLUMN pipelines.pipeline IS 'The name, unique in the database; also that of the model in the registry.';
COMMENT ON COLUMN pipelines.owner IS 'The role that runs it, and whose rights the feature query has.';
COMMENT ON COLUMN pipelines.features IS 'The feature query; $1 is as_of.';
COMMENT ON COLUMN pipelines.key IS 'The column of it that identifies a customer.';
COMMENT ON COLUMN pipelines.options IS 'All options and their values.';
COMMENT ON COLUMN pipelines.schedule IS 'The schedule of pg_cron, NULL without one (pipeline_schedule).';
COMMENT ON COLUMN pipelines.job_id IS 'The job of pg_cron.';
COMMENT ON COLUMN pipelines.created_at IS 'When it was defined, last.';

-- Row security has no say over who bypasses it, so whatever is told of a run is found by its pipeline too: rows with the
-- number of somebody else's run are those of no run.
CREATE TABLE pipeline_runs (
    run_id bigint GENERATED ALWAYS AS IDENTITY,
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE,
    as_of timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'success', 'failed', 'abandoned')),
    mode text CHECK (mode IN ('elbow', 'fixed', 'score')),
    reason text,
    k int,
    algorithm text,
    version int,
    refitted boolean,
    customers bigint,
    columns jsonb,
    draft jsonb,
    started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished_at timestamptz,
    message text,
    pid int,
    PRIMARY KEY (pipeline, run_id));
COMMENT ON SEQUENCE pipeline_runs_run_id_seq IS
'Numbers of runs, of all pipelines.';
COMMENT ON TABLE pipeline_runs IS
'A row per run of a pipeline, also of those that failed. To be rid of a run use pipeline_forget: deleting its row here leaves what it published in the history.';
COMMENT ON COLUMN pipeline_runs.run_id IS 'Counts on over all pipelines.';
COMMENT ON COLUMN pipeline_runs.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN pipeline_runs.as_of IS 'The moment the run is about, $1 of the feature query.';
COMMENT ON COLUMN pipeline_runs.state IS 'running; success; failed (the next CALL pipeline_run goes on with it); abandoned (another began instead, or pipeline_forget removed it).';
COMMENT ON COLUMN pipeline_runs.mode IS 'elbow: k was searched for. fixed: it was given, or is that of the model before. score: the production model was used as it is.';
COMMENT ON COLUMN pipeline_runs.reason IS 'Why this mode, with the numbers behind it.';
COMMENT ON COLUMN pipeline_runs.k IS 'Clusters; NULL for rfm.';
COMMENT ON COLUMN pipeline_runs.algorithm IS 'kmeans, kprototypes or rfm.';
COMMENT ON COLUMN pipeline_runs.version IS 'Of the model in the registry.';
COMMENT ON COLUMN pipeline_runs.refitted IS 'Whether this run made that model.';
COMMENT ON COLUMN pipeline_runs.customers IS 'Rows of the snapshot.';
COMMENT ON COLUMN pipeline_runs.columns IS 'The columns of the feature query but the key: an array of {name, type, kind, feature}, in order.';
COMMENT ON COLUMN pipeline_runs.draft IS 'What the step profile found, until publish.';
COMMENT ON COLUMN pipeline_runs.started_at IS 'When it began.';
COMMENT ON COLUMN pipeline_runs.finished_at IS 'When it ended, NULL while it has not.';
COMMENT ON COLUMN pipeline_runs.message IS 'What went wrong.';
COMMENT ON COLUMN pipeline_runs.pid IS 'The server process that works on it, or did last.';

CREATE TABLE pipeline_steps (
    run_id bigint NOT NULL,
    pipeline text NOT NULL,
    ordinal int NOT NULL,
    step text NOT NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'success', 'failed', 'upstream_failed', 'skipped')),
    attempts int NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    rows bigint,
    message text,
    PRIMARY KEY (pipeline, run_id, step),
    FOREIGN KEY (pipeline, run_id) REFERENCES pipeline_runs ON DELETE CASCADE);
COMMENT ON TABLE pipeline_steps IS
'A row per run and step. A state is written before a step begins and together with its work.';
COMMENT ON COLUMN pipeline_steps.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN pipeline_steps.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN pipeline_steps.ordinal IS 'The place of the step in the run.';
COMMENT ON COLUMN pipeline_steps.step IS 'check, snapshot, choose, fit, match, score, profile or publish.';
COMMENT ON COLUMN pipeline_steps.state IS 'queued; running (at work, or its session died); success; failed; upstream_failed (an earlier one failed); skipped (this run does not need it).';
COMMENT ON COLUMN pipeline_steps.attempts IS 'How often it was begun.';
COMMENT ON COLUMN pipeline_steps.started_at IS 'When it began, last.';
COMMENT ON COLUMN pipeline_steps.finished_at IS 'When it ended.';
COMMENT ON COLUMN pipeline_steps.rows IS 'Rows it read or wrote.';
COMMENT ON COLUMN pipeline_steps.message IS 'What it has to tell, or its error.';

CREATE TABLE pipeline_checks (
    run_id bigint NOT NULL,
    pipeline text NOT NULL,
    check_name text NOT NULL,
    state text NOT NULL CHECK (state IN ('ok', 'warning', 'error')),
    value float8,
    bound float8,
    message text,
    PRIMARY KEY (pipeline, run_id, check_name),
    FOREIGN KEY (pipeline, run_id) REFERENCES pipeline_runs ON DELETE CASCADE);
COMMENT ON TABLE pipeline_checks IS
'What the step check of a run found. An error ends the run.';
COMMENT ON COLUMN pipeline_checks.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN pipeline_checks.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN pipeline_checks.check_name IS 'rows: there are any. null_keys, duplicate_keys: every row has a key of its own. multiplied_rows: rows per key, and rows against the run before: the last published of those with an earlier as_of, or else the last. columns: none of the last run''s columns is gone (an error) or new (a warning). null_columns: no feature is NULL in all rows. variance: no feature has most of all variance (a warning; only where the fit does not standardize).';
COMMENT ON COLUMN pipeline_checks.state IS 'ok, warning or error.';
COMMENT ON COLUMN pipeline_checks.value IS 'What was measured.';
COMMENT ON COLUMN pipeline_checks.bound IS 'What it was compared with.';
COMMENT ON COLUMN pipeline_checks.message IS 'What is wrong, with names and numbers.';

CREATE TABLE pipeline_rows (
    run_id bigint NOT NULL,
    pipeline text NOT NULL,
    key text COLLATE "C" NOT NULL,
    features jsonb NOT NULL,
    segment int,
    name text,
    distance float8,
    PRIMARY KEY (pipeline, run_id, key),
    FOREIGN KEY (pipeline, run_id) REFERENCES pipeline_runs ON DELETE CASCADE);
-- Rows go with their run, but looking for the run of each of a million rows that come would double what the snapshot takes.
-- One that has none is read by nothing.
ALTER TABLE pipeline_rows DISABLE TRIGGER ALL;
COMMENT ON TABLE pipeline_rows IS
'The customers of the run at work: the snapshot of the feature query, and what the step score adds. publish empties it.';
COMMENT ON COLUMN pipeline_rows.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN pipeline_rows.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN pipeline_rows.key IS 'The customer: the key column of the feature query, as text.';
COMMENT ON COLUMN pipeline_rows.features IS 'The row of the feature query, without its key.';
COMMENT ON COLUMN pipeline_rows.segment IS 'The number of the segment.';
COMMENT ON COLUMN pipeline_rows.name IS 'The name of the segment.';
COMMENT ON COLUMN pipeline_rows.distance IS 'To the centre of the segment.';

-- What is published goes with its pipeline, or whoever makes another of that name would read it.  In the two tables that
-- have a row per customer the reference is not looked up for each that comes in, which would double what writing takes:
-- row-level security asks for the pipeline, and the few rows of segment_summary, which publish writes with them, hold it.
CREATE TABLE segments_current (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    key text COLLATE "C" NOT NULL,
    segment int,
    name text,
    distance float8,
    features jsonb NOT NULL,
    last_update timestamptz NOT NULL,
    PRIMARY KEY (pipeline, key));
ALTER TABLE segments_current DISABLE TRIGGER ALL;
COMMENT ON TABLE segments_current IS
'The segment of every customer by the last run of each pipeline, replaced as a whole: a reader sees that of one run, never a mix.';
COMMENT ON COLUMN segments_current.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segments_current.key IS 'The customer: the key column of the feature query, as text.';
COMMENT ON COLUMN segments_current.segment IS 'The number of the segment, which lasts from run to run; NULL where a value is missing that nothing replaces.';
COMMENT ON COLUMN segments_current.name IS 'The name of the segment, which lasts as well.';
COMMENT ON COLUMN segments_current.distance IS 'To the centre of the segment, in the units the model works in: large is unusual. NULL for rfm.';
COMMENT ON COLUMN segments_current.features IS 'The row of the feature query, without its key.';
COMMENT ON COLUMN segments_current.last_update IS 'When this was published.';

CREATE TABLE segments_history (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    key text COLLATE "C" NOT NULL,
    segment int,
    name text,
    distance float8,
    PRIMARY KEY (pipeline, run_id, key));
ALTER TABLE segments_history DISABLE TRIGGER ALL;
COMMENT ON TABLE segments_history IS
'The segment of every customer in each of the last runs (option keep). A second run for the same moment adds its rows, and leaves those of the first.';
COMMENT ON COLUMN segments_history.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segments_history.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN segments_history.as_of IS 'The moment the run is about.';
COMMENT ON COLUMN segments_history.key IS 'The customer: the key column of the feature query, as text.';
COMMENT ON COLUMN segments_history.segment IS 'The number of the segment.';
COMMENT ON COLUMN segments_history.name IS 'The name of the segment.';
COMMENT ON COLUMN segments_history.distance IS 'To the centre of the segment then.';

CREATE TABLE segment_profile_history (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    segment int,
    name text,
    customers bigint NOT NULL,
    share float8,
    feature text NOT NULL,
    category text,
    mean float8,
    overall_mean float8,
    z float8);
CREATE INDEX segment_profile_history_run ON segment_profile_history (pipeline, run_id, segment);
COMMENT ON TABLE segment_profile_history IS
'What the customers of each segment are like, in each of the last runs: a row per segment and numeric or boolean feature, and per segment and category of a categorical one. Unlike segment_profile, which tells of the rows a model was trained on, this is about the customers of the run.';
COMMENT ON COLUMN segment_profile_history.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segment_profile_history.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN segment_profile_history.as_of IS 'The moment the run is about.';
COMMENT ON COLUMN segment_profile_history.segment IS 'The number of the segment.';
COMMENT ON COLUMN segment_profile_history.name IS 'The name of the segment.';
COMMENT ON COLUMN segment_profile_history.customers IS 'Customers in it.';
COMMENT ON COLUMN segment_profile_history.share IS 'Their part of all customers, 0 to 1.';
COMMENT ON COLUMN segment_profile_history.feature IS 'The column.';
COMMENT ON COLUMN segment_profile_history.category IS 'The category, "(missing)" for NULL; NULL for a number.';
COMMENT ON COLUMN segment_profile_history.mean IS 'Of the feature in the segment, rows without a value left out; of a category, its share.';
COMMENT ON COLUMN segment_profile_history.overall_mean IS 'The same over all customers.';
COMMENT ON COLUMN segment_profile_history.z IS 'The difference of the two in standard deviations over all customers; NULL for a constant.';

CREATE TABLE segment_migration (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    previous_run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    from_name text,
    to_name text,
    customers bigint NOT NULL,
    share float8);
CREATE INDEX segment_migration_run ON segment_migration (pipeline, run_id);
COMMENT ON TABLE segment_migration IS
'Who went where between a run and the run before: the last published of those with an earlier as_of, whatever ran in between. So a second run for the same moment is compared with what the first was compared with. No row where no such run is kept.';
COMMENT ON COLUMN segment_migration.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segment_migration.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN segment_migration.previous_run_id IS 'The run before: of the latest as_of that is earlier than as_of, and the last of that moment.';
COMMENT ON COLUMN segment_migration.as_of IS 'The moment the run is about.';
COMMENT ON COLUMN segment_migration.from_name IS 'The segment then; NULL: not there then; (none): without a segment.';
COMMENT ON COLUMN segment_migration.to_name IS 'The segment now; NULL: not there any more.';
COMMENT ON COLUMN segment_migration.customers IS 'How many.';
COMMENT ON COLUMN segment_migration.share IS 'Their part of all customers of from_name, 0 to 1.';

CREATE TABLE segment_summary (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    segment int,
    name text,
    customers bigint NOT NULL,
    share float8,
    revenue float8,
    revenue_share float8);
CREATE INDEX segment_summary_run ON segment_summary (pipeline, run_id, segment);
COMMENT ON TABLE segment_summary IS
'How large each segment was in each of the last runs, and what it brought.';
COMMENT ON COLUMN segment_summary.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segment_summary.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN segment_summary.as_of IS 'The moment the run is about.';
COMMENT ON COLUMN segment_summary.segment IS 'The number of the segment.';
COMMENT ON COLUMN segment_summary.name IS 'The name of the segment.';
COMMENT ON COLUMN segment_summary.customers IS 'Customers in it.';
COMMENT ON COLUMN segment_summary.share IS 'Their part of all customers, 0 to 1.';
COMMENT ON COLUMN segment_summary.revenue IS 'Sum of the column that option revenue names; NULL without one.';
COMMENT ON COLUMN segment_summary.revenue_share IS 'Its part of the revenue of all, 0 to 1.';

CREATE TABLE segment_rfm (
    pipeline text NOT NULL REFERENCES pipelines ON DELETE CASCADE ON UPDATE CASCADE,
    run_id bigint NOT NULL,
    as_of timestamptz NOT NULL,
    r int NOT NULL,
    f int NOT NULL,
    customers bigint NOT NULL,
    revenue float8);
CREATE INDEX segment_rfm_run ON segment_rfm (pipeline, run_id);
COMMENT ON TABLE segment_rfm IS
'Customers and revenue by quintiles of recency and frequency in each of the last runs (rfm_score). Only of pipelines with numeric columns recency_days (or recency), frequency and monetary.';
COMMENT ON COLUMN segment_rfm.pipeline IS 'The name of the pipeline.';
COMMENT ON COLUMN segment_rfm.run_id IS 'The run, see pipeline_runs.';
COMMENT ON COLUMN segment_rfm.as_of IS 'The moment the run is about.';
COMMENT ON COLUMN segment_rfm.r IS 'Score of recency, 1 to 5 (the most recent).';
COMMENT ON COLUMN segment_rfm.f IS 'Score of frequency, 1 to 5 (the most frequent).';
COMMENT ON COLUMN segment_rfm.customers IS 'Customers in it.';
COMMENT ON COLUMN segment_rfm.revenue IS 'Sum of the column that option revenue names.';

-- Who owns the database installs, without being superuser, and has to be able to dump it: the tables are theirs. All
-- others reach the rows of pipelines that roles of theirs own.
DO $do$
DECLARE
    tab text;
BEGIN
    FOREACH tab IN ARRAY ARRAY['pipelines', 'pipeline_runs', 'pipeline_steps', 'pipeline_checks', 'pipeline_rows',
        'segments_current', 'segments_history', 'segment_profile_history', 'segment_migration', 'segment_summary',
        'segment_rfm'] LOOP
        PERFORM pg_catalog.pg_extension_config_dump(pg_catalog.format('@extschema@.%I', tab)::regclass, '');
        EXECUTE pg_catalog.format('ALTER TABLE @extschema@.%I OWNER TO @extowner@', tab);
        EXECUTE pg_catalog.format('GRANT SELECT, INSERT, UPDATE, DELETE ON @extschema@.%I TO PUBLIC', tab);
        EXECUTE pg_catalog.format('ALTER TABLE @extschema@.%I ENABLE ROW LEVEL SECURITY', tab);
        IF tab OPERATOR(pg_catalog.<>) 'pipelines' THEN
            -- uncorrelated, so it is evaluated once for a statement, not for each of a million rows
            EXECUTE pg_catalog.format('CREATE POLICY of_pipeline ON @extschema@.%I
                USING (pipeline IN (SELECT p.pipeline FROM @extschema@.pipelines p))', tab);
            EXECUTE pg_catalog.format('COMMENT ON POLICY of_pipeline ON @extschema@.%I IS ''Who sees a pipeline sees and changes its rows.''', tab);
        END IF;
    END LOOP;
    PERFORM pg_catalog.pg_extension_config_dump(pg_catalog.pg_get_serial_sequence('@extschema@.pipeline_runs', 'run_id')::regclass, '');
END
$do$;

-- by name, in a list: of a role that was dropped nobody is a member, and asking is no error
CREATE POLICY of_owner ON pipelines
    USING (owner IN (SELECT r.rolname FROM pg_catalog.pg_roles r WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')));
COMMENT ON POLICY of_owner ON pipelines IS 'Members of the owner see and change a pipeline.';
