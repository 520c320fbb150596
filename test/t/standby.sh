#!/usr/bin/env bash
# On a hot standby everything works that writes nothing: fits, scores, inspection.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"

server_new primary "wal_level = replica" "max_wal_senders = 4"
server_start primary
server_use primary
sql "CREATE EXTENSION retailml" \
    "CREATE TABLE rows AS SELECT id, sin(id) AS a, cos(id * 3) AS b FROM generate_series(1, 20000) AS id" \
    "CREATE TABLE models AS SELECT retailml.kmeans_fit(r, 5, '{\"exclude\": [\"id\"]}') AS model FROM rows r"
fit="SELECT md5(retailml.kmeans_fit(r, 5, '{\"exclude\": [\"id\"]}')) FROM rows r"
score="SELECT md5(string_agg(retailml.kmeans_predict(model, r)::text, '' ORDER BY id)) FROM rows r, models"
window="SELECT md5(string_agg(segment::text, '' ORDER BY id)) FROM
    (SELECT id, retailml.kmeans(r, 5, '{\"exclude\": [\"id\"]}') OVER () AS segment FROM rows r) s"
fitted=$(sql "$fit")
scored=$(sql "$score")
labelled=$(sql "$window")

mkdir -p "$RETAILML_SCRATCH/servers/standby"
if [ "$(id -u)" -eq 0 ]; then chown "$(server_user)" "$RETAILML_SCRATCH/servers/standby"; fi
(cd "$RETAILML_SCRATCH/servers/standby" && as_server "$PG_BINDIR/pg_basebackup" -h "$PGHOST" -p "$PGPORT" -U postgres \
    -D "$RETAILML_SCRATCH/servers/standby/data" -R --checkpoint=fast --no-sync)
echo "unix_socket_directories = '$RETAILML_SCRATCH/servers/standby'" |
    as_server tee -a "$RETAILML_SCRATCH/servers/standby/data/postgresql.conf" >/dev/null
server_start standby
server_use standby
is "$(sql "SELECT pg_is_in_recovery()")" t "this is a standby"
is "$(sql "$fit")" "$fitted" "a fit gives the bytes it gave on the primary"
is "$(sql "$score")" "$scored" "so do scores"
is "$(sql "$window")" "$labelled" "and the window form"
is "$(sql "SELECT count(*) FROM models, retailml.kmeans_centroids(model)")" 10 "models can be inspected"
like "$(sql "CALL retailml.generate_synthetic_store('shop')" 2>&1 || true)" "read-only transaction" \
    "what writes is refused by PostgreSQL"
server_stop standby
server_stop primary
done_testing
