\set ECHO none
\pset format unaligned
\pset tuples_only on
-- What users can call and read: a row for each function, aggregate, procedure, type, table and view.  A line that changes here
-- is a change of the interface, and a line that is missing one that was broken.
SET search_path = public, retailml;
SET client_min_messages = warning;
SET datestyle = iso;

BEGIN;
SELECT plan(13);

CREATE TEMP VIEW members AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'retailml';
CREATE TEMP VIEW functions AS
SELECT p.* FROM pg_proc p JOIN members m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;
CREATE TEMP VIEW relations AS
SELECT c.* FROM pg_class c JOIN members m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;

-- ---- the extension
SELECT is((SELECT (v.trusted, v.superuser, v.relocatable, v.schema)::text FROM pg_available_extension_versions v
           JOIN pg_extension e ON e.extname = v.name AND e.extversion = v.version WHERE v.name = 'retailml'),
    '(t,t,f,retailml)', 'the extension is trusted and lives in its own schema');
SELECT is_empty('SELECT oid::regprocedure FROM functions WHERE pronamespace <> ''retailml''::regnamespace',
    'nothing is put anywhere else');
SELECT is_empty('SELECT oid::regprocedure FROM functions WHERE prosecdef', 'nothing runs with the rights of its owner');
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE NOT has_function_privilege('public', oid, 'execute')$$,
    'everybody may call everything');
-- pg_dump takes from an extension the rows of its tables and the rights on all; these views belong to a role that
-- the policies of the tables apply to (sql/modules/88-views.sql)
SELECT is_empty($$SELECT c.oid::regclass FROM relations c, pg_extension e
    WHERE e.extname = 'retailml' AND (c.relnamespace <> e.extnamespace OR c.relowner <> CASE
        WHEN c.relname ^@ 'bi_' OR c.relname = 'published_runs' THEN 'pg_database_owner'::regrole ELSE e.extowner END)$$,
    'tables, sequences and views belong to who installs, so he can dump them, and those of dashboards to pg_database_owner');
SELECT is_empty($$SELECT c.oid::regclass FROM relations c, pg_extension e
    WHERE e.extname = 'retailml' AND c.relkind IN ('r', 'p', 'S') AND NOT c.oid = ANY (coalesce(e.extconfig, '{}'))$$,
    'what is in tables and sequences is dumped');
SELECT is_empty($$SELECT c.oid::regclass FROM relations c WHERE c.relkind IN ('r', 'p')
    AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))$$,
    'every table has row-level security and says who sees what');

-- ---- documentation
SELECT is_empty($$SELECT oid::regprocedure FROM functions WHERE coalesce(obj_description(oid, 'pg_proc'), '') = ''$$,
    'every function has a comment');
SELECT is_empty($$SELECT c.oid::regclass FROM relations c
    WHERE c.relkind NOT IN ('i', 'S') AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''$$, 'every table and view has a comment');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type t JOIN members m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
    WHERE t.typelem = 0 AND coalesce(obj_description(t.oid, 'pg_type'), '') = ''$$, 'every type has a comment');
SELECT is_empty($$SELECT oid::regprocedure FROM functions
    WHERE proargnames IS NULL AND pronargs > 0 AND NOT 'internal'::regtype = ANY (proargtypes)$$,
    'arguments have names, except of functions that only the server calls');

-- ---- promises that optimiser and users rely on
SELECT is_empty($$SELECT oid::regprocedure FROM functions
    WHERE proname ~ '(_predict|_distance|_centroids|_transform|^predict|^model_|_profile)$' AND proname !~ '^pipeline_'
      AND NOT (provolatile = 'i' AND proisstrict AND proparallel = 's')$$,
    'whatever takes a model is immutable, strict and parallel safe');
SELECT is_empty($$SELECT p.oid::regprocedure FROM functions p JOIN pg_aggregate a ON a.aggfnoid = p.oid
    WHERE p.proname ~ '_(fit|sweep|train)$' AND NOT (p.proparallel = 's' AND a.aggcombinefn <> 0 AND a.aggserialfn <> 0
      AND a.aggdeserialfn <> 0 AND a.aggtranstype = 'internal'::regtype)$$,
    'every fit can be a parallel aggregate');

SELECT * FROM finish();

-- ---- functions: kind name(arguments) -> result, volatility, strictness, parallel safety
SELECT format('%s %s(%s)%s: %s%s, parallel %s',
    CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window' WHEN 'p' THEN 'procedure' ELSE 'function' END,
    p.proname, pg_get_function_arguments(p.oid), ' -> ' || pg_get_function_result(p.oid),
    CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
    CASE WHEN p.proisstrict THEN ', strict' END,
    CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END)
FROM functions p
ORDER BY 'internal'::regtype = ANY (p.proargtypes), p.proname COLLATE "C",
    pg_get_function_identity_arguments(p.oid) COLLATE "C";

-- ---- types
SELECT format('type %s (%s)', t.typname,
    string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum))
FROM pg_type t JOIN members m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
GROUP BY t.typname ORDER BY t.typname COLLATE "C";
-- ---- tables and views
SELECT format('%s %s (%s)', CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END, c.relname,
    string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum))
FROM relations c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v') GROUP BY c.relkind, c.relname ORDER BY c.relname COLLATE "C";
-- ---- settings
SELECT format('setting %s = %s%s, %s .. %s, %s', name, boot_val, unit, min_val, max_val, context)
FROM pg_settings WHERE name LIKE 'retailml.%' ORDER BY name COLLATE "C";
ROLLBACK;
