-- Pipelines that run by themselves, by the extension pg_cron where it is installed.

CREATE FUNCTION pipeline_cron() RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    -- pg_cron fixes the schema of its functions
    there boolean := EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron');
    available boolean := EXISTS (SELECT FROM pg_available_extensions a WHERE a.name = 'pg_cron');
BEGIN
    IF NOT there THEN
        RAISE EXCEPTION 'the extension pg_cron is not in this database'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = CASE WHEN available
                THEN format('Set shared_preload_libraries = ''pg_cron'' and cron.database_name = %L, restart the server, and CREATE EXTENSION pg_cron.',
                            current_database())
                ELSE 'Install it (on Debian the package postgresql-NN-cron), or let another scheduler CALL pipeline_run.' END;
    END IF;
    RETURN 'cron';
END
$$;
COMMENT ON FUNCTION pipeline_cron() IS
'The schema of pg_cron, or the error that says how to get it; not for direct use.';

CREATE FUNCTION pipeline_schedule(name text, schedule text) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_own(name);
    job bigint;
BEGIN
    IF schedule IS NULL THEN
        RAISE EXCEPTION 'the schedule is NULL' USING ERRCODE = 'null_value_not_allowed', HINT = 'pipeline_unschedule ends one.';
    END IF;
    EXECUTE format('SELECT %I.schedule($1, $2, $3)', @extschema@.pipeline_cron())
        INTO job USING 'retailml:' || name, schedule, format('CALL @extschema@.pipeline_run(%L)', name);
    UPDATE @extschema@.pipelines x SET schedule = pipeline_schedule.schedule, job_id = job WHERE x.pipeline = name;
    RETURN job;
END
$$;
COMMENT ON FUNCTION pipeline_schedule(text, text) IS
'Has pg_cron run a pipeline by itself, and returns the number of the job, which is called "retailml:" and the pipeline''s name. schedule: five fields as in cron: minute, hour, day of the month, month, day of the week, in the time zone of cron.timezone (GMT), or what else pg_cron takes. Called again it changes the schedule. The job runs as current_user, who must be the owner.

How runs ended is in pipeline_runs, and in cron.job_run_details. A run that is still at work when the next is due is not begun twice.

Errors: pg_cron is not in this database (55000), schedule is none (22023), no right to use pg_cron (42501), no such pipeline (42704), one of another role (42501).

Example: SELECT pipeline_schedule(''segments'', ''0 3 1 * *'')  -- 03:00 on the first of each month';

CREATE FUNCTION pipeline_unschedule(name text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    p @extschema@.pipelines := @extschema@.pipeline_own(name);
    removed boolean;
BEGIN
    IF p.schedule IS NULL THEN
        RETURN false;
    END IF;
    -- a dump that was restored where there is no pg_cron brings the schedule, but no job
    IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
        EXECUTE format('SELECT coalesce(bool_or(%1$I.unschedule(j.jobid)), false) FROM %1$I.job j
                WHERE j.jobname = $1 AND j.username = current_user AND j.database = current_database()', @extschema@.pipeline_cron())
            INTO removed USING 'retailml:' || name;
    END IF;
    -- a job that is left would run this name, whoever has it next
    IF NOT removed AND p.job_id IS NOT NULL THEN
        RAISE EXCEPTION 'job % of pipeline "%" is not among the jobs of role "%"', p.job_id, name, current_user
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'It may be a job of another role or database, or gone, as after a restore.',
                  HINT = format('See cron.job, and end it there. If it is gone: UPDATE pipelines SET job_id = NULL WHERE pipeline = %L, and again.', name);
    END IF;
    UPDATE @extschema@.pipelines x SET schedule = NULL, job_id = NULL WHERE x.pipeline = name;
    RETURN coalesce(removed, false);
END
$$;
COMMENT ON FUNCTION pipeline_unschedule(text) IS
'Ends the schedule of a pipeline: true when pg_cron had a job for it, false where there is no schedule, or no pg_cron (a dump that was restored). A run at work goes on.

Errors: pg_cron has no such job of current_user (55000), no such pipeline (42704), one of another role (42501).

Example: SELECT pipeline_unschedule(''segments'')';

-- The job of pg_cron is that of the role that scheduled it, and calls the pipeline by its name.
CREATE FUNCTION pipeline_refuse_scheduled() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    RAISE EXCEPTION 'pipeline "%" has a schedule', OLD.pipeline
        USING ERRCODE = 'object_not_in_prerequisite_state',
              DETAIL = format('Its job runs as role "%s", and by that name.', OLD.owner),
              HINT = format('First pipeline_unschedule(%L), as that role; without such a role or job set schedule and job_id to NULL as well.', OLD.pipeline);
END
$$;
COMMENT ON FUNCTION pipeline_refuse_scheduled() IS
'Refuses to give a pipeline that has a schedule another owner or name; not for direct use.';
CREATE TRIGGER scheduled BEFORE UPDATE ON pipelines FOR EACH ROW
    WHEN (NEW.schedule IS NOT NULL AND (OLD.owner IS DISTINCT FROM NEW.owner OR OLD.pipeline IS DISTINCT FROM NEW.pipeline))
    EXECUTE FUNCTION pipeline_refuse_scheduled();
COMMENT ON TRIGGER scheduled ON pipelines IS 'A pipeline with a schedule keeps its owner and name: the job does not follow.';
