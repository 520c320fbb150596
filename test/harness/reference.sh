#!/usr/bin/env bash
# reference.sh FILE: write the reference page from the catalog of the current database.
#
# The page follows the modules of sql/modules (NN-X.sql is the section X); the text of an entry is its
# COMMENT, so a page cannot describe a function that does not exist, or miss one.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"
[ $# -eq 1 ] || die "which file?"

# "module order class name" of every name that a module creates; a table may be called like a function
module_names()
{
    local file module
    for file in sql/modules/*.sql; do
        [ -e "$file" ] || continue
        module=$(basename "$file" .sql)
        awk -v module="${module#*-}" -v file="${module%%-*}" '
            {
                line = tolower($0)
                if (line ~ /^create +(or +replace +)?(function|aggregate|procedure|type|table|view|domain|cast) /)
                {
                    class = line ~ /^create +(or +replace +)?(table|view) / ? "relation" : "other"
                    sub(/^create +(or +replace +)?(function|aggregate|procedure|type|table|view|domain|cast) +/, "", line)
                    sub(/^(@extschema@|retailml)\./, "", line)
                    sub(/[^a-z0-9_].*/, "", line)
                    if (!((class, line) in seen)) printf "%s\t%d\t%s\t%s\n", module, NR + 100000 * file, class, line
                    seen[class, line] = 1
                }
            }' "$file"
    done
}

query()
{
    cat <<'SQL'
\set QUIET on
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE module (module text, place int, class text, name text);
\copy module FROM pstdin
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'retailml';

-- what a user calls or reads; the functions that aggregates and types are made of have no comment of interest
CREATE TEMP VIEW entry AS
SELECT 'other' AS class, p.proname::text AS name,
       CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function'
                      WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
       p.proname || '(' || pg_get_function_arguments(p.oid) || ')'
         || CASE WHEN p.prokind <> 'p' THEN ' → ' || pg_get_function_result(p.oid) ELSE '' END AS signature,
       concat_ws(', ', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
                 CASE WHEN p.prokind IN ('f', 'w') AND p.proisstrict THEN 'strict' END,
                 'parallel ' || CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'
                                                   ELSE 'unsafe' END) AS properties,
       obj_description(p.oid, 'pg_proc') AS text
FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE NOT EXISTS (SELECT FROM pg_aggregate a
                  WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn,
                                  a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))
  AND p.prorettype <> 'internal'::regtype AND NOT 'internal'::regtype = ANY (p.proargtypes)
  AND obj_description(p.oid, 'pg_proc') NOT LIKE '%; not for direct use.'
UNION ALL
SELECT 'other', t.typname, 'type',
       t.typname || CASE WHEN c.oid IS NULL THEN '' ELSE ' (' || (
         SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) || ')' END,
       NULL,
       coalesce(obj_description(t.oid, 'pg_type'), obj_description(c.oid, 'pg_class'))
FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typelem = 0 AND EXISTS (
  SELECT FROM member m WHERE (m.classid = 'pg_type'::regclass AND m.objid = t.oid)
                          OR (m.classid = 'pg_class'::regclass AND m.objid = c.oid AND c.relkind = 'c'))
UNION ALL
SELECT 'relation', c.relname, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'table' END,
       c.relname || ' (' || string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) || ')',
       NULL,
       obj_description(c.oid, 'pg_class')
         || coalesce(E'\n\n' || string_agg('  ' || attname || ': ' || col_description(c.oid, attnum), E'\n' ORDER BY attnum), '')
FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
WHERE c.relkind IN ('r', 'p', 'v')
GROUP BY c.oid, c.relname, c.relkind;

CREATE TEMP VIEW located AS
SELECT e.*, coalesce(m.module, 'other') AS module, coalesce(m.place, 100000000) AS place
FROM entry e LEFT JOIN module m USING (class, name);

SELECT '- ' || module || ': ' || string_agg(format('[%s](#%s)', name, name), ', ' ORDER BY place, name)
FROM (SELECT module, name, min(place) AS place FROM located GROUP BY module, name) names
GROUP BY module ORDER BY min(place);

-- overloads share a heading, and a text that they share is said once
SELECT coalesce(E'\n## ' || nullif(heading, '') || E'\n', '') || E'\n### ' || name || E'\n\n'
       || string_agg(block, E'\n\n' ORDER BY first)
FROM (SELECT name, min(module) AS module, min(place) AS place, min(signature) AS first,
             CASE WHEN min(place) = min(min(place)) OVER (PARTITION BY min(module))
                    AND name = min(name) OVER (PARTITION BY min(module), min(place))
                  THEN min(module) ELSE '' END AS heading,
             E'```\n' || string_agg(signature, E'\n' ORDER BY signature) || E'\n```\n\n'
               || coalesce(text, '(no comment)')
               || E'\n\n' || '*' || kind || coalesce(', ' || properties, '') || '*' AS block
      FROM located
      GROUP BY name, kind, properties, text) blocks
GROUP BY name, module, place, heading
ORDER BY place, name;

SELECT E'\n## Settings\n\n| setting | default | values | context | meaning |\n|---|---|---|---|---|';
SELECT format('| `%s` | %s | %s | %s | %s |', name,
              coalesce(nullif(concat_ws(' ', boot_val, unit), ''), '(empty)'),
              coalesce(array_to_string(enumvals, ', '), min_val || ' to ' || max_val, vartype),
              context, concat_ws(' ', short_desc, extra_desc))
FROM pg_settings WHERE name LIKE 'retailml.%' ORDER BY name;
SQL
}

# Comments are plain text: lines they indent (tables of arguments, examples) keep their layout, and
# signatures too long for a line get one argument a line.
as_markdown()
{
    awk '
        /^```/ { fenced = !fenced }
        fenced && length($0) > 100 { gsub(/, /, ",\n    ") }
        !fenced && /^  / {
            if (!indented && previous != "") print ""
            print "    " $0
            indented = 1; previous = $0
            next
        }
        { if (indented && $0 != "") print ""; print; indented = 0; previous = $0 }'
}

{
    echo '# Reference'
    echo
    # shellcheck disable=SC2016
    echo 'Generated from the catalog by `make reference`: the text of an entry is the COMMENT of the object.'
    echo
    cat <<'TEXT'
In the examples, `features`, `customers`, `purchases` and `ratings` are tables of yours, and `model_load('segments')` is the model that
`model_save` keeps under this name; a model from a column of a table does as well. `(SELECT model_load(...))` is read once for all rows.

`\df retailml.*` also lists what aggregates and pipelines are made of. What is for use, by name:

```sql
SELECT oid::regprocedure AS function, split_part(obj_description(oid, 'pg_proc'), E'\n', 1) AS what
FROM pg_proc
WHERE pronamespace = 'retailml'::regnamespace AND obj_description(oid, 'pg_proc') NOT LIKE '%not for direct use.'
ORDER BY proname, oid;
```

TEXT
    # the settings exist once the module is loaded; LOAD needs no function of it
    { echo "\\set ON_ERROR_STOP on"; echo "LOAD '\$libdir/retailml';"; query; } >"$RETAILML_SCRATCH/reference.sql"
    # types of the schema are shown by their bare names, whatever the database's search_path
    module_names | PGOPTIONS="-c search_path=retailml" "$PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -f "$RETAILML_SCRATCH/reference.sql" |
        as_markdown
} >"$RETAILML_SCRATCH/reference.md"
cp "$RETAILML_SCRATCH/reference.md" "$1"
