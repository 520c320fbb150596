-- The schema has to be empty when the extension comes into it.
--
-- This script runs as a superuser, whoever installs, and looks its names up in pg_catalog first, then here.  A function
-- or an operator that somebody put here beforehand would be called or stored wherever it fits its arguments better.  So
-- nothing may be here, and this block, as all that is executed or stored below, says where its names are from.

DO LANGUAGE plpgsql $guard$
DECLARE
    found_here pg_catalog.text;
    stranger pg_catalog.regrole;
BEGIN
    -- all that is in a schema depends on it; so does the extension itself
    SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) INTO found_here
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_namespace'::pg_catalog.regclass
        AND d.refobjid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
        AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.classid OPERATOR(pg_catalog.<>) 'pg_catalog.pg_default_acl'::pg_catalog.regclass
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'schema @extschema@ is not empty' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = found_here,
            HINT = 'See who made it. DROP SCHEMA @extschema@, or move what is in it elsewhere; CREATE EXTENSION makes the schema.';
    END IF;
    -- no error: a superuser restores the schema of somebody else before the extension
    SELECT n.nspowner INTO stranger
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
    JOIN pg_catalog.pg_database d ON d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
    WHERE n.oid OPERATOR(pg_catalog.=) '@extschema@'::pg_catalog.regnamespace
        AND NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) 'pg_database_owner'
        AND n.nspowner OPERATOR(pg_catalog.<>) d.datdba
        AND n.nspowner OPERATOR(pg_catalog.<>) '@extowner@'::pg_catalog.regrole;
    IF FOUND THEN
        RAISE WARNING 'schema @extschema@ belongs to role %', stranger
            USING DETAIL = 'Its owner can drop the extension, and put functions there that are called in place of its own.',
                HINT = 'If that is not wanted: ALTER SCHEMA @extschema@ OWNER TO @extowner@.';
    END IF;
END
$guard$;
