-- The registry: models by name and version, one of them in production.
--
-- The tables belong to who installs the extension, so that a database owner who is no superuser can
-- dump them.  Everybody may write to them, and row-level security says what is his: what a role may
-- do with a model follows from the model's owner and readers, whoever wrote the rows.

CREATE TABLE model_names (
    name text PRIMARY KEY CHECK (name <> ''),
    owner name NOT NULL DEFAULT current_user,
    readers name[] NOT NULL DEFAULT '{}',
    last_version int NOT NULL DEFAULT 0);
COMMENT ON TABLE model_names IS
'The names of saved models and who may use them: members of owner see and change a model, members of a role in readers see and load it (members that inherit; others after SET ROLE). model_save makes the row, model_grant and model_revoke change the readers; to give a model away, UPDATE model_names SET owner = ... (to a role one is a member of).

Row-level security shows each role what it owns or may read. The owner of the database''s extension and superusers see all.';
COMMENT ON COLUMN model_names.name IS 'The model''s name, unique in the database.';
COMMENT ON COLUMN model_names.owner IS 'The role whose members save, promote and drop it.';
COMMENT ON COLUMN model_names.readers IS 'Roles whose members may load it; public: everybody.';
COMMENT ON COLUMN model_names.last_version IS 'The version saved last: numbers are not used twice.';

CREATE TABLE models (
    name text REFERENCES model_names ON UPDATE CASCADE ON DELETE CASCADE,
    version int CHECK (version > 0),
    status text NOT NULL DEFAULT 'staging' CHECK (status IN ('staging', 'production', 'archived')),
    model bytea NOT NULL,
    algorithm text NOT NULL,
    metrics jsonb CHECK (pg_catalog.jsonb_typeof(metrics) = 'object'),
    rows bigint,
    options jsonb,
    note text,
    created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    created_by name NOT NULL DEFAULT current_user,
    promoted_at timestamptz,
    PRIMARY KEY (name, version));
CREATE UNIQUE INDEX models_production ON models (name) WHERE status = 'production';
COMMENT ON INDEX models_production IS 'At most one version of a name is in production.';
COMMENT ON TABLE models IS
'Saved models, a row for each version. model_save writes it, model_load reads it; model_list shows it without the bytes. At most one version of a name is in production.

Row-level security: members of the owner of the name (model_names) see and change its versions, members of its readers see them. created_by and created_at are those of the INSERT and stay. The models are dumped with the database; DROP EXTENSION drops them.';
COMMENT ON COLUMN models.name IS 'The model''s name.';
COMMENT ON COLUMN models.version IS '1, 2, ... in the order of saving.';
COMMENT ON COLUMN models.status IS 'production: what model_load gives; staging: saved, not promoted yet; archived: was in production, or put away by model_archive.';
COMMENT ON COLUMN models.model IS 'The model itself, as the fit made it.';
COMMENT ON COLUMN models.algorithm IS 'What made it: kmeans, boost, ...';
COMMENT ON COLUMN models.metrics IS 'What its maker measured, a json object.';
COMMENT ON COLUMN models.rows IS 'Rows it was trained on.';
COMMENT ON COLUMN models.options IS 'Every option of the fit and the value that was used.';
COMMENT ON COLUMN models.note IS 'What its maker had to say.';
COMMENT ON COLUMN models.created_at IS 'When it was saved.';
COMMENT ON COLUMN models.created_by IS 'Who saved it.';
COMMENT ON COLUMN models.promoted_at IS 'When it last went to production; NULL: never, or it was rolled back.';

-- ---- rights: ownership first, so that the grants are those of the new owner

ALTER TABLE model_names OWNER TO @extowner@;
ALTER TABLE models OWNER TO @extowner@;
GRANT SELECT, INSERT, UPDATE, DELETE ON model_names TO PUBLIC;
-- who saved a model, and when, is not for them to change
GRANT SELECT, INSERT, DELETE, UPDATE (name, version, status, model, algorithm, metrics, rows, options, note, promoted_at)
    ON models TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('model_names', '');
SELECT pg_catalog.pg_extension_config_dump('models', '');

-- a role that was dropped is in no one's list, so it opens nothing and fails nothing; USAGE, because a member that does
-- not inherit has the rights of a role after SET ROLE only
ALTER TABLE model_names ENABLE ROW LEVEL SECURITY;
CREATE POLICY owned ON model_names
    USING (owner IN (SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE')));
COMMENT ON POLICY owned ON model_names IS 'Members of the owner see and change a name.';
CREATE POLICY readable ON model_names FOR SELECT
    USING (readers OPERATOR(pg_catalog.&&) ARRAY(
        SELECT rolname FROM pg_catalog.pg_roles WHERE pg_catalog.pg_has_role(oid, 'USAGE') UNION ALL SELECT 'public'));
COMMENT ON POLICY readable ON model_names IS 'Members of a reader see a name.';

ALTER TABLE models ENABLE ROW LEVEL SECURITY;
CREATE POLICY owned ON models
    USING (name IN (SELECT n.name FROM model_names n
                    JOIN pg_catalog.pg_roles r ON r.rolname = n.owner AND pg_catalog.pg_has_role(r.oid, 'USAGE')));
COMMENT ON POLICY owned ON models IS 'Members of the name''s owner see and change its versions.';
CREATE POLICY made_here ON models AS RESTRICTIVE FOR INSERT
    WITH CHECK (created_by = current_user AND created_at = pg_catalog.now());
COMMENT ON POLICY made_here ON models IS 'A version is saved by current_user, now.';
CREATE POLICY readable ON models FOR SELECT
    USING (name IN (SELECT n.name FROM model_names n));
COMMENT ON POLICY readable ON models IS 'Who sees a name sees its versions.';

-- ---- what there is

CREATE VIEW model_list WITH (security_invoker = true) AS
SELECT m.name, m.version, m.status, m.algorithm, m.metrics, m.rows, m.options, m.note,
    pg_catalog.octet_length(m.model) AS bytes, m.created_at, m.created_by, m.promoted_at, n.owner
FROM models m JOIN model_names n ON n.name = m.name;
ALTER VIEW model_list OWNER TO @extowner@;
GRANT SELECT ON model_list TO PUBLIC;
COMMENT ON VIEW model_list IS
'The models one may see, a row for each version, with the size in bytes in place of the model. Columns as in models; owner: the role whose members may change the model.

Example: SELECT name, version, metrics ->> ''auc'' AS auc FROM model_list WHERE status = ''production''';
COMMENT ON COLUMN model_list.name IS 'The model''s name.';
COMMENT ON COLUMN model_list.version IS '1, 2, ... in the order of saving.';
COMMENT ON COLUMN model_list.status IS 'production, staging or archived.';
COMMENT ON COLUMN model_list.algorithm IS 'What made it: kmeans, boost, ...';
COMMENT ON COLUMN model_list.metrics IS 'What its maker measured, a json object.';
COMMENT ON COLUMN model_list.rows IS 'Rows it was trained on.';
COMMENT ON COLUMN model_list.options IS 'Every option of the fit and the value that was used.';
COMMENT ON COLUMN model_list.note IS 'What its maker had to say.';
COMMENT ON COLUMN model_list.bytes IS 'Size of the model.';
COMMENT ON COLUMN model_list.created_at IS 'When it was saved.';
COMMENT ON COLUMN model_list.created_by IS 'Who saved it.';
COMMENT ON COLUMN model_list.promoted_at IS 'When it last went to production; NULL: never, or it was rolled back.';
COMMENT ON COLUMN model_list.owner IS 'The role whose members may change it.';

-- ---- what the functions share

-- a cast fails at 1e400, and with it the view of everybody
CREATE FUNCTION jsonb_float8(value jsonb) RETURNS float8
    AS 'MODULE_PATHNAME', 'rml_jsonb_float8'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb_float8(jsonb) IS
'A json number as float8; NULL for one beyond the largest float8, such as 1e400, and for what is no number; not for direct use.';

CREATE FUNCTION registry_missing(name text, version int DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    there text;
BEGIN
    IF registry_missing.name IS NULL THEN
        RAISE EXCEPTION 'the name of the model is NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT string_agg(format('%s (%s)', m.version, m.status), ', ' ORDER BY m.version) INTO there
    FROM @extschema@.models m WHERE m.name = registry_missing.name;
    IF there IS NOT NULL AND registry_missing.version IS NULL THEN
        RAISE EXCEPTION 'model "%" has no version in production', registry_missing.name
            USING ERRCODE = 'undefined_object', DETAIL = format('Its versions are %s.', there),
                HINT = 'Promote one with model_promote(name, version), or name the version to load.';
    ELSIF there IS NOT NULL THEN
        RAISE EXCEPTION 'model "%" has no version %', registry_missing.name, registry_missing.version
            USING ERRCODE = 'undefined_object', DETAIL = format('Its versions are %s.', there);
    END IF;
    SELECT string_agg(format('"%s"', n.name), ', ' ORDER BY n.name) INTO there
    FROM (SELECT a.name FROM @extschema@.model_names a ORDER BY a.name LIMIT 20) n;
    RAISE EXCEPTION 'there is no model "%"', registry_missing.name
        USING ERRCODE = 'undefined_object',
            DETAIL = coalesce('Those you may see are ' || there || '.', 'There is none that you may see.'),
            HINT = 'The view model_list shows all you may see; model_save saves one.';
END $$;
COMMENT ON FUNCTION registry_missing(text, int) IS
'Raises the error that says which models and versions there are; not for direct use.';

CREATE FUNCTION registry_lock(name text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owned_by name;
BEGIN
    -- a row that is seen but not owned cannot be locked
    PERFORM FROM @extschema@.model_names n WHERE n.name = registry_lock.name FOR UPDATE;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT n.owner INTO owned_by FROM @extschema@.model_names n WHERE n.name = registry_lock.name;
    IF FOUND THEN
        RAISE EXCEPTION 'model "%" belongs to role "%"', registry_lock.name, owned_by
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Members of that role may change it; you may load it.';
    END IF;
    PERFORM @extschema@.registry_missing(registry_lock.name);
END $$;
COMMENT ON FUNCTION registry_lock(text) IS
'Locks the name of a model one owns until the end of the transaction, or raises why not; not for direct use.';

-- Row-level security is no question to a superuser and to the owner of the tables, who would hand a model to whoever
-- took its name first.
CREATE FUNCTION registry_refuse_taken(name text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owned_by name;
BEGIN
    WITH RECURSIVE own (id) AS (
        SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user
        UNION
        SELECT g.roleid FROM pg_auth_members g JOIN own ON g.member = own.id)
    SELECT n.owner INTO owned_by FROM @extschema@.model_names n
    WHERE n.name = registry_refuse_taken.name
        AND NOT EXISTS (SELECT FROM own JOIN pg_roles r ON r.oid = own.id WHERE r.rolname = n.owner);
    IF FOUND THEN
        RAISE EXCEPTION 'the name "%" is taken by a model of role "%"', registry_refuse_taken.name, owned_by
            USING ERRCODE = 'insufficient_privilege',
                DETAIL = format('What is saved under that name belongs to that role, and "%s" is no member of it; to be a superuser does not count.', current_user),
                HINT = 'Choose another name, or do it as that role.';
    END IF;
END $$;
COMMENT ON FUNCTION registry_refuse_taken(text) IS
'Refuses the name of a model whose owner is neither current_user nor a role that it was made a member of, whatever rights it has; not for direct use.';

-- ---- saving and loading

CREATE FUNCTION model_save(name text, model bytea, metrics jsonb DEFAULT NULL, note text DEFAULT NULL) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    info jsonb;
    unfit text;
    next_version int;
    live boolean;
BEGIN
    IF model_save.name IS NULL OR model_save.name = '' THEN
        RAISE EXCEPTION 'the name of the model is %', CASE WHEN model_save.name IS NULL THEN 'NULL' ELSE 'empty' END
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF model_save.model IS NULL THEN
        RAISE EXCEPTION 'the model to save as "%" is NULL', model_save.name
            USING ERRCODE = 'null_value_not_allowed', HINT = 'A fit of no rows gives NULL: are there rows?';
    ELSIF jsonb_typeof(metrics) <> 'object' THEN
        RAISE EXCEPTION 'metrics of model "%" are a json %, not an object', model_save.name, jsonb_typeof(metrics)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'For example ''{"auc": 0.81}''.';
    END IF;
    SELECT min(e.key) INTO unfit FROM jsonb_each(metrics) e
    WHERE jsonb_typeof(e.value) = 'number' AND @extschema@.jsonb_float8(e.value) IS NULL;
    IF unfit IS NOT NULL THEN
        RAISE EXCEPTION 'metric "%" of model "%" is out of range', unfit, model_save.name
            USING ERRCODE = 'numeric_value_out_of_range', DETAIL = 'It does not fit into a float8.';
    END IF;
    info := @extschema@.model_info(model_save.model);
    PERFORM @extschema@.refuse_reader();
    INSERT INTO @extschema@.model_names AS n (name) VALUES (model_save.name) ON CONFLICT DO NOTHING;
    -- waits for who is saving the same name, and counts on from there
    UPDATE @extschema@.model_names n SET last_version = n.last_version + 1
    WHERE n.name = model_save.name RETURNING n.last_version INTO next_version;
    IF NOT FOUND THEN
        IF EXISTS (SELECT FROM @extschema@.model_names n WHERE n.name = model_save.name) THEN
            PERFORM @extschema@.registry_lock(model_save.name);
        END IF;
        RAISE EXCEPTION 'the name "%" is taken by a model of another role', model_save.name
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Choose another name, or ask to become a member of the role that owns it.';
    END IF;
    PERFORM @extschema@.registry_refuse_taken(model_save.name);
    live := NOT EXISTS (SELECT FROM @extschema@.models m WHERE m.name = model_save.name);
    INSERT INTO @extschema@.models AS m (name, version, status, model, algorithm, metrics, rows, options, note, promoted_at)
    VALUES (model_save.name, next_version, CASE WHEN live THEN 'production' ELSE 'staging' END, model_save.model,
        info ->> 'algorithm', model_save.metrics, (info ->> 'rows')::bigint, info -> 'options', model_save.note,
        CASE WHEN live THEN clock_timestamp() END);
    RETURN next_version;
END $$;
COMMENT ON FUNCTION model_save(text, bytea, jsonb, text) IS
'Saves a model under a name and returns its version: 1, 2, ... The first version of a name goes to production at once; later ones are staging until model_promote.

metrics (default NULL): what was measured, a json object; note (default NULL): a text. Algorithm, rows and options are read from the model. A new name belongs to current_user, who may let others load it with model_grant. Two sessions that save the same name wait for each other and get two versions. Numbers are not used again when versions are dropped.

Errors: a model that is NULL (a fit of no rows) or damaged, a name that belongs to a role that current_user is no member of (42501; that holds for superusers, too: what they save under it would be that role''s), a reader who saves (42501), metrics that are no object (22023) or hold a number beyond float8 (22003).

Example: SELECT model_save(''churn'', boost_fit(f, ''churned''), ''{"auc": 0.81}'', ''with the spring campaign'') FROM features f';

CREATE FUNCTION model_load(name text, version int DEFAULT NULL) RETURNS bytea
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_model bytea;
BEGIN
    IF model_load.version IS NULL THEN
        SELECT m.model INTO found_model FROM @extschema@.models m
        WHERE m.name = model_load.name AND m.status = 'production';
    ELSE
        SELECT m.model INTO found_model FROM @extschema@.models m
        WHERE m.name = model_load.name AND m.version = model_load.version;
    END IF;
    IF found_model IS NULL THEN
        PERFORM @extschema@.registry_missing(model_load.name, model_load.version);
    END IF;
    RETURN found_model;
END $$;
COMMENT ON FUNCTION model_load(text, int) IS
'The model of this name: the version in production, or the version asked for, whatever its status.

version (default NULL): NULL is the version in production. To score many rows, load it once, in a subquery: predict((SELECT model_load(''churn'')), f). Written without SELECT it would be looked up again for each row.

Errors: a name or version that is not there or that one may not see (42704; the detail lists what there is), a name that is NULL.

Example: SELECT customer_id, predict((SELECT model_load(''churn'')), f) AS risk FROM features f';

-- ---- which version is in production

CREATE FUNCTION model_promote(name text, version int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_promotion timestamptz;
BEGIN
    PERFORM @extschema@.registry_lock(model_promote.name);
    IF model_promote.version IS NULL THEN
        RAISE EXCEPTION 'the version of model "%" is NULL', model_promote.name USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM FROM @extschema@.models m WHERE m.name = model_promote.name AND m.version = model_promote.version;
    IF NOT FOUND THEN
        PERFORM @extschema@.registry_missing(model_promote.name, model_promote.version);
    END IF;
    SELECT max(m.promoted_at) INTO last_promotion FROM @extschema@.models m WHERE m.name = model_promote.name;
    -- two statements: a unique index looks at each row as it is written
    UPDATE @extschema@.models m SET status = 'archived'
    WHERE m.name = model_promote.name AND m.status = 'production' AND m.version <> model_promote.version;
    -- later than any other, also where the clock was set back
    UPDATE @extschema@.models m SET status = 'production',
        promoted_at = greatest(clock_timestamp(), last_promotion + interval '1 microsecond')
    WHERE m.name = model_promote.name AND m.version = model_promote.version AND m.status <> 'production';
END $$;
COMMENT ON FUNCTION model_promote(text, int) IS
'Puts a version of a model in production: model_load(name) gives it from now on. The version that was there is archived, and comes back with model_rollback. Whatever the version''s status was, it may be promoted; one that is in production already stays as it is.

Readers see the change when the transaction commits, and never a model without a production version.

Errors: a name or version that is not there (42704), a model of another role (42501).

Example: SELECT model_promote(''churn'', 2)';

CREATE FUNCTION model_rollback(name text) RETURNS int
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    earlier int;
BEGIN
    PERFORM @extschema@.registry_lock(model_rollback.name);
    SELECT m.version INTO earlier FROM @extschema@.models m
    WHERE m.name = model_rollback.name AND m.status <> 'production' AND m.promoted_at IS NOT NULL
    ORDER BY m.promoted_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'model "%" has no earlier version in production to go back to', model_rollback.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = (SELECT format('Its versions are %s.',
                        string_agg(format('%s (%s)', m.version, m.status), ', ' ORDER BY m.version))
                    FROM @extschema@.models m WHERE m.name = model_rollback.name),
                HINT = 'model_promote(name, version) puts any of them in production.';
    END IF;
    -- without promoted_at it is none to go back to
    UPDATE @extschema@.models m SET status = 'archived', promoted_at = NULL
    WHERE m.name = model_rollback.name AND m.status = 'production';
    UPDATE @extschema@.models m SET status = 'production'
    WHERE m.name = model_rollback.name AND m.version = earlier;
    RETURN earlier;
END $$;
COMMENT ON FUNCTION model_rollback(text) IS
'Takes the version of a model that is in production back: the version that was in production before is again, and its number is returned. The one taken back is archived and no longer one to go back to, so a second call goes one further. model_promote can bring it back.

Errors: no version was in production before (55000), a name that is not there (42704), a model of another role (42501).

Example: SELECT model_rollback(''churn'')';

CREATE FUNCTION model_archive(name text, version int) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was text;
BEGIN
    PERFORM @extschema@.registry_lock(model_archive.name);
    IF model_archive.version IS NULL THEN
        RAISE EXCEPTION 'the version of model "%" is NULL', model_archive.name USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT m.status INTO was FROM @extschema@.models m
    WHERE m.name = model_archive.name AND m.version = model_archive.version;
    IF NOT FOUND THEN
        PERFORM @extschema@.registry_missing(model_archive.name, model_archive.version);
    ELSIF was = 'production' THEN
        RAISE EXCEPTION 'version % of model "%" is in production', model_archive.version, model_archive.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Promote another version first, or take this one back with model_rollback(name).';
    END IF;
    UPDATE @extschema@.models m SET status = 'archived'
    WHERE m.name = model_archive.name AND m.version = model_archive.version;
END $$;
COMMENT ON FUNCTION model_archive(text, int) IS
'Puts a version of a model away: its status becomes archived. It stays, and can be loaded by its number and promoted; model_drop removes it.

Errors: the version in production (55000), a name or version that is not there (42704), a model of another role (42501).

Example: SELECT model_archive(''churn'', 1)';

CREATE FUNCTION model_drop(name text, version int DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    was text;
BEGIN
    PERFORM @extschema@.registry_lock(model_drop.name);
    IF model_drop.version IS NULL THEN
        DELETE FROM @extschema@.model_names n WHERE n.name = model_drop.name;
        RETURN;
    END IF;
    SELECT m.status INTO was FROM @extschema@.models m
    WHERE m.name = model_drop.name AND m.version = model_drop.version;
    IF NOT FOUND THEN
        PERFORM @extschema@.registry_missing(model_drop.name, model_drop.version);
    ELSIF was = 'production' THEN
        RAISE EXCEPTION 'version % of model "%" is in production', model_drop.version, model_drop.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Promote another version first, or drop the whole model with model_drop(name).';
    END IF;
    DELETE FROM @extschema@.models m WHERE m.name = model_drop.name AND m.version = model_drop.version;
END $$;
COMMENT ON FUNCTION model_drop(text, int) IS
'Removes a version of a model, or, without version, the model with all its versions and its readers.

Errors: the version in production when versions are dropped one by one (55000), a name or version that is not there (42704), a model of another role (42501).

Example: SELECT model_drop(''churn'', 1)';

-- ---- readers

CREATE FUNCTION model_grant(name text, role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.registry_lock(model_grant.name);
    IF model_grant.role IS DISTINCT FROM 'public'
        AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = model_grant.role)
    THEN
        RAISE EXCEPTION 'role "%" does not exist', model_grant.role USING ERRCODE = 'undefined_object';
    END IF;
    UPDATE @extschema@.model_names n SET readers = n.readers || model_grant.role
    WHERE n.name = model_grant.name AND model_grant.role <> ALL (n.readers);
END $$;
COMMENT ON FUNCTION model_grant(text, name) IS
'Lets a role load a model: its members see all versions and may change none. The role public stands for everybody. Granting twice changes nothing.

Errors: a role that does not exist, a name that is not there (42704), a model of another role (42501).

Example: SELECT model_grant(''churn'', ''dashboard'')';

CREATE FUNCTION model_revoke(name text, role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM @extschema@.registry_lock(model_revoke.name);
    UPDATE @extschema@.model_names n SET readers = array_remove(n.readers, model_revoke.role)
    WHERE n.name = model_revoke.name;
END $$;
COMMENT ON FUNCTION model_revoke(text, name) IS
'Takes back what model_grant gave: members of the role no longer see the model, unless they may for another reason. A role that was not granted anything, or exists no more, changes nothing.

Errors: a name that is not there (42704), a model of another role (42501).

Example: SELECT model_revoke(''churn'', ''dashboard'')';
