#!/usr/bin/env bash
# CREATE EXTENSION runs its script as a superuser, whoever calls it: what somebody put into the schema beforehand must
# neither run nor stay in what the script makes.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

sql "CREATE ROLE rml_mallory LOGIN" "CREATE ROLE rml_victim LOGIN"
trap 'rm -f "${unguarded:-}"' EXIT

# a database in which mallory may create schemas
fresh()
{
    PGDATABASE=postgres sql "DROP DATABASE IF EXISTS install_test" "CREATE DATABASE install_test" \
        "GRANT CREATE ON DATABASE install_test TO rml_mallory" 2>/dev/null
    export PGDATABASE=install_test
}

# as mallory; what it says, errors too
mallory()
{
    PGUSER=rml_mallory PGOPTIONS="-c client_min_messages=warning" sql "$@" 2>&1 || true
}

is_super()
{
    PGUSER=postgres sql "SELECT rolsuper FROM pg_roles WHERE rolname = 'rml_mallory'"
}

# ---------------------------------------------------------------- one thing of each kind
while IFS='|' read -r what statement; do
    fresh
    mallory "CREATE SCHEMA retailml" "$statement"
    like "$(mallory "CREATE EXTENSION retailml")" "schema retailml is not empty.*DETAIL: +$what" "a schema with a ${what%% *} is refused"
done <<'KINDS'
function format.text,text.|CREATE FUNCTION retailml.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $1'
operator [^ ]*&&.anyarray,anyarray.|CREATE OPERATOR retailml.&& (LEFTARG = anyarray, RIGHTARG = anyarray, FUNCTION = pg_catalog.arrayoverlap)
type retailml.oid|CREATE DOMAIN retailml.oid AS text
table models|CREATE TABLE retailml.models (name text)
collation de|CREATE COLLATION retailml.de FROM "C"
KINDS
is "$(sql "SELECT count(*) FROM pg_extension WHERE extname = 'retailml'")" 0 "nothing is installed"
fresh
mallory "CREATE SCHEMA retailml" "ALTER DEFAULT PRIVILEGES IN SCHEMA retailml GRANT SELECT ON TABLES TO rml_victim"
is "$(mallory "CREATE EXTENSION retailml")" "" "one that is there and empty is taken, as pg_dump makes it"
is "$(mallory "SELECT retailml.model_save('m', retailml.kmeans_fit(r, 2)) FROM (SELECT i AS a FROM generate_series(1, 9) i) r")" 1 "and works"

fresh
mallory "CREATE SCHEMA retailml"
like "$(sql "CREATE EXTENSION retailml" 2>&1)" "WARNING: +schema retailml belongs to role rml_mallory.*ALTER SCHEMA retailml OWNER TO postgres" \
    "one that somebody else has is taken with a warning"
fresh
sql "ALTER DATABASE install_test OWNER TO rml_mallory"
mallory "CREATE SCHEMA retailml"
is "$(sql "CREATE EXTENSION retailml" 2>&1)" "" "but not that of the owner of the database"

# ---------------------------------------------------------------- without that check
# somebody may be quick enough to create things after it: the rest of the script names what it uses in full
extensions=$(dirname "$(find "$RETAILML_SCRATCH/inst" -name retailml.control -print -quit)")
unguarded=$extensions/retailml--unguarded.sql
sed '/^DO LANGUAGE plpgsql .guard/,/^.guard.;/d' "$extensions"/retailml--[0-9]*.sql >"$unguarded"
is "$(grep -c '^[^ ]*guard.;$\|plpgsql .guard.$' "$unguarded" || true)" 0 "the script without the check"
fresh
mallory "CREATE SCHEMA retailml" "GRANT USAGE ON SCHEMA retailml TO PUBLIC" \
    "CREATE FUNCTION retailml.attack() RETURNS void LANGUAGE plpgsql AS \$f\$ BEGIN
         IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN ALTER ROLE rml_mallory SUPERUSER; END IF; END \$f\$" \
    "CREATE FUNCTION retailml.format(text, text) RETURNS text LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN pg_catalog.format(\$1, \$2); END \$f\$" \
    "CREATE FUNCTION retailml.overlaps(name[], name[]) RETURNS boolean LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN true; END \$f\$" \
    "CREATE FUNCTION retailml.same(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN false; END \$f\$" \
    "CREATE FUNCTION retailml.get(jsonb, jsonb) RETURNS text LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN NULL; END \$f\$" \
    "CREATE FUNCTION retailml.lead(bigint) RETURNS bigint LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN NULL; END \$f\$" \
    "CREATE OPERATOR retailml.&& (LEFTARG = name[], RIGHTARG = name[], FUNCTION = retailml.overlaps)" \
    "CREATE OPERATOR retailml.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = retailml.same)" \
    "CREATE FUNCTION retailml.begins(name, name) RETURNS boolean LANGUAGE plpgsql AS
         \$f\$ BEGIN PERFORM retailml.attack(); RETURN true; END \$f\$" \
    "CREATE OPERATOR retailml.^@ (LEFTARG = name, RIGHTARG = name, FUNCTION = retailml.begins)" \
    "CREATE OPERATOR retailml.->> (LEFTARG = jsonb, RIGHTARG = jsonb, FUNCTION = retailml.get)"
is "$(mallory "CREATE EXTENSION retailml VERSION unguarded")" "" "it can be installed over what fits better"
is "$(is_super)" f "which does not run"
is "$(sql "SELECT string_agg(DISTINCT pg_describe_object(d.refclassid, d.refobjid, 0) || ' in ' || pg_describe_object(d.classid, d.objid, 0), ', ')
    FROM pg_depend d
    WHERE d.deptype = 'n' AND (d.refclassid, d.refobjid) IN (
            SELECT n.classid, n.objid FROM pg_depend n WHERE n.refclassid = 'pg_namespace'::regclass AND n.refobjid = 'retailml'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = n.classid AND e.objid = n.objid AND e.deptype = 'e'))
        AND d.classid IN ('pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)")" \
    "" "and stays in no policy, view, default or constraint"
PGUSER=rml_victim sql "SELECT count(*) FROM retailml.model_names" "SELECT count(*) FROM retailml.pipelines" >/dev/null
sql "SELECT count(*) FROM retailml.models" "SELECT count(*) FROM retailml.bi_segment_members" "SELECT count(*) FROM retailml.bi_segments" >/dev/null
is "$(is_super)" f "nor runs when others read"

export PGUSER=postgres PGDATABASE=postgres
sql "DROP DATABASE install_test" "DROP ROLE rml_mallory" "DROP ROLE rml_victim"
done_testing
