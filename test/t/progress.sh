#!/usr/bin/env bash
# retailml.progress: a NOTICE for a step, at most one a second, and none unless it is asked for.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/../harness/lib.sh"
export PGOPTIONS="-c search_path=public,retailml"

# what a client is told while this runs
notices()
{
    local statement args=()
    for statement in "$@"; do args+=(-c "$statement"); done
    { psql -XqAt -v ON_ERROR_STOP=1 "${args[@]}" >/dev/null; } 2>&1
}

fit="SELECT kmeans_fit(r, 3, '{\"n_init\": 2}') FROM (SELECT sin(i) AS a, i % 7 AS b FROM generate_series(1, 1000) i) r"
is "$(notices "$fit")" "" "a fit is silent"
# the first step is reported at once, the second only after a second
told=$(notices "SET retailml.progress = on" "$fit")
like "$told" "^NOTICE:  kmeans_fit: [a-z-]+( [a-z-]+)*, step [0-9]+, loss [0-9.e+-]+, [0-9]+\.[0-9] s" "with progress it says step, loss and time"
long="SELECT kmeans_fit(r, 40, '{\"n_init\": 1000}') FROM (SELECT sin(i) AS a, cos(i * i) AS b FROM generate_series(1, 30000) i) r"
started=$(date +%s%N)
told=$(notices "SET retailml.progress = on; SET retailml.threads = 1; SET statement_timeout = '3500ms'" "$long" || true)
elapsed=$((($(date +%s%N) - started) / 1000000))
count=$(grep -c '^NOTICE:  kmeans_fit: ' <<<"$told")
diag "$count notices in $elapsed ms"
ok "a long fit says so again and again" [ "$count" -ge 2 ]
ok "at most once a second" [ "$count" -le $((elapsed / 1000 + 1)) ]
like "$(notices "SET retailml.progress = on" "SELECT kmeans(r, 2) OVER () FROM (SELECT i AS a, i % 5 AS b FROM generate_series(1, 50) i) r")" \
    "^NOTICE:  kmeans" "the window function does, too"

# settings that come before the library is loaded are taken, wrong ones are pointed out when it is
is "$(sql "SET retailml.threads = 3" "SELECT count(*) > 0 FROM rfm_segments()" "SHOW retailml.threads" | tail -1)" 3 "a setting made before the first call counts"
like "$(notices "SET retailml.threads = 1000" "SELECT count(*) FROM rfm_segments()")" "1000 is outside the valid range" "and is checked at the first call"
like "$(notices "SET retailml.thread = 2" "SELECT count(*) FROM rfm_segments()")" "invalid configuration parameter name \"retailml.thread\"" "also its name"
done_testing
