#!/usr/bin/env bash
# docs.sh: what the pages say is what the code does.  TAP; needs the server of run.sh.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"

version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" retailml.control)
is "$(sed -n 's/^  "version": "\(.*\)",/\1/p' META.json)" "$version" \
    "META.json has the version of retailml.control"
is "$(sed -n 's/^version: //p' dbt/dbt_project.yml)" "$version" "and so has the dbt package"

same_reference()
{
    # removed with the scratch directory
    local new=$RETAILML_SCRATCH/new.md
    test/harness/reference.sh "$new" && diff -u docs/reference.md "$new"
}

database_new docs
if [ -f docs/reference.md ]; then
    ok "docs/reference.md is what make reference writes" same_reference
else
    skip 1 "docs/reference.md is not there yet"
fi

undocumented=$(sql "SELECT pg_describe_object(classid, objid, 0)
    FROM pg_depend d
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'retailml')
      AND classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass)
      AND obj_description(objid, classid::regclass::text) IS NULL
      AND NOT EXISTS (SELECT FROM pg_type t WHERE d.classid = 'pg_type'::regclass AND t.oid = objid
                      AND (t.typelem <> 0 OR obj_description(t.typrelid, 'pg_class') IS NOT NULL))
      AND NOT EXISTS (SELECT FROM pg_class c WHERE d.classid = 'pg_class'::regclass AND c.oid = objid
                      AND c.relkind = 'c'
                      AND obj_description(c.reltype, 'pg_type') IS NOT NULL)
    ORDER BY 1")
is "$undocumented" "" "every object of the extension has a comment"

demo_runs()
{
    test/harness/demo.sh >"$BUILD/log/demo.out" 2>&1 && return
    tail -n 50 "$BUILD/log/demo.out"
    return 1
}

# as make demo starts it: a new database, the schema on the path
if [ -x test/harness/demo.sh ]; then
    database_new demo
    sql "DROP EXTENSION pgtap" "ALTER DATABASE demo SET search_path = public, retailml"
    ok "the demonstration runs" demo_runs
else
    skip 1 "test/harness/demo.sh is not there yet"
fi
done_testing
