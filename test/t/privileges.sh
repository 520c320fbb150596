#!/usr/bin/env bash
# No superuser after the files are installed: who owns a database installs, and everyone may call.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

sql "DROP DATABASE IF EXISTS privileges_test" 2>/dev/null
sql "CREATE ROLE rml_owner LOGIN" "CREATE ROLE rml_reader LOGIN" "CREATE DATABASE privileges_test OWNER rml_owner"
export PGDATABASE=privileges_test
PGUSER=rml_owner sql "CREATE EXTENSION retailml"
is "$(sql "SELECT extname FROM pg_extension WHERE extname = 'retailml'")" retailml "the owner of a database installs the extension"
PGUSER=rml_owner sql "CREATE TABLE rows AS SELECT id, sin(id) AS a, cos(id) AS b FROM generate_series(1, 500) AS id" \
    "CREATE TABLE secret AS SELECT 1.0 AS a, 2.0 AS b" \
    "CREATE TABLE models AS SELECT retailml.kmeans_fit(r, 3) AS model FROM (SELECT a, b FROM rows) r" \
    "GRANT SELECT ON rows, models TO rml_reader" "CREATE SCHEMA own AUTHORIZATION rml_reader" 2>/dev/null ||
    PGUSER=rml_owner sql "GRANT SELECT ON rows, models TO rml_reader"
export PGUSER=rml_reader
is "$(sql "SELECT length(retailml.kmeans_fit(r, 2, '{\"exclude\": [\"id\"]}')) > 0 FROM rows r")" t "a reader may fit what he may read"
is "$(sql "SELECT count(retailml.kmeans_predict(model, r)) FROM rows r, models")" 500 "and score"
like "$(sql "SELECT retailml.kmeans_fit(s, 1) FROM secret s" 2>&1 || true)" "permission denied for table secret" \
    "but not what he may not"
is "$(sql "SELECT count(*) FROM retailml.generate_synthetic_purchases(10)")" 10 "generators are for all"
like "$(sql "CALL retailml.generate_synthetic_store('shop')" 2>&1 || true)" "permission denied for database" \
    "the store needs the right to create a schema"
like "$(sql "CREATE FUNCTION retailml.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'" 2>&1 || true)" \
    "permission denied for schema retailml" "nobody else puts functions into the schema"
is "$(sql "SELECT retailml.model_save('mine', retailml.kmeans_fit(r, 2)) FROM (SELECT a, b FROM rows) r")" 1 "everybody may save models"
is "$(PGUSER=postgres sql "SELECT string_agg(privilege_type, ',' ORDER BY privilege_type COLLATE \"C\") FROM information_schema.table_privileges
    WHERE table_schema = 'retailml' AND grantee = 'PUBLIC' AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')")" "" \
    "no right on a table goes round row-level security"
load="SELECT FROM retailml.generate_synthetic_products(1)"
is "$(sql "$load" "SHOW retailml.max_memory" | tail -n 1)" 1GB "settings are there for all"
is "$(sql "SET retailml.max_memory = '2GB'" "$load" "SHOW retailml.max_memory" | tail -n 1)" 2GB \
    "and may be set before the library is loaded"
like "$(sql "$load" "SET retailml.no_such_setting = 1" 2>&1 || true)" "invalid configuration parameter name" \
    "a setting that does not exist is refused"
export PGUSER=postgres PGDATABASE=postgres
sql "DROP DATABASE privileges_test" "DROP ROLE rml_owner" "DROP ROLE rml_reader"
done_testing
