"""The eight questions of docs/bi.md, asked of what a pipeline of a million customers has published.

The tables are filled by SQL, without a run: three runs, six segments, one customer in sixteen drawn anew each month,
a hundredth of them new and as many gone.
"""

import os
import re
import statistics

from measure import REPO, ROUNDS, psql, report, timed

CUSTOMERS = int(os.environ.get("BI_CUSTOMERS", "1000000"))
PIPELINE = "bench_bi"
TABLES = ("segments_current", "segments_history", "segment_profile_history", "segment_migration", "segment_summary",
          "segment_rfm", "segment_movers")
NAMES = "{Insiders,Loyal Customers,Promising,Need Attention,Hibernating,Churn}"
MOMENT = "timestamptz '2025-01-01' + run * interval '1 month'"

FILL = f"""
SET search_path = pg_catalog, retailml;
INSERT INTO pipelines (pipeline, features, key, options) VALUES ('{PIPELINE}', 'none', 'none', '{{}}');
INSERT INTO pipeline_runs (run_id, pipeline, as_of, state, mode, k, algorithm, customers, started_at, finished_at) OVERRIDING SYSTEM VALUE
SELECT -4 + run, '{PIPELINE}', {MOMENT}, 'success', 'fixed', 6, 'kmeans', {CUSTOMERS}, {MOMENT}, {MOMENT} FROM generate_series(1, 3) run;
INSERT INTO segments_history (pipeline, run_id, as_of, key, segment, name, distance)
SELECT '{PIPELINE}', run - 4, {MOMENT}, 'C' || i, s, ('{NAMES}'::text[])[s], (hashint4(i * 3 + run) & 65535) / 65536.0::float8
FROM generate_series(1, 3) run, generate_series(run * {CUSTOMERS} / 100, run * {CUSTOMERS} / 100 + {CUSTOMERS} - 1) i,
    LATERAL (SELECT 1 + (hashint4(i + CASE WHEN hashint4(i * 7 + run) & 15 = 0 THEN run ELSE 0 END) & 65535) % 6 AS s) t;
INSERT INTO segments_current (pipeline, key, segment, name, distance, features, last_update)
SELECT pipeline, key, segment, name, distance, jsonb_build_object('recency_days', hashtext(key) & 1023, 'frequency', hashtext(key || 'f') & 31,
    'monetary', (hashtext(key || 'm') & 1048575) / 100.0, 'discount_share', (hashtext(key || 'd') & 255) / 256.0,
    'basket', (hashtext(key || 'b') & 4095) / 16.0, 'returns', hashtext(key || 'r') & 3), as_of
FROM segments_history WHERE pipeline = '{PIPELINE}' AND run_id = -1;
INSERT INTO segment_summary (pipeline, run_id, as_of, segment, name, customers, share, revenue, revenue_share)
SELECT pipeline, run_id, as_of, segment, name, count(*), count(*) / {CUSTOMERS}.0, count(*) * segment, segment / 21.0
FROM segments_history WHERE pipeline = '{PIPELINE}' GROUP BY pipeline, run_id, as_of, segment, name;
INSERT INTO segment_profile_history (pipeline, run_id, as_of, segment, name, customers, share, feature, mean, overall_mean, z)
SELECT pipeline, run_id, as_of, segment, name, customers, share, feature, segment, 3.5, segment - 3.5
FROM segment_summary, unnest('{{recency_days,frequency,monetary,discount_share,basket,returns}}'::text[]) feature WHERE pipeline = '{PIPELINE}';
INSERT INTO segment_rfm (pipeline, run_id, as_of, r, f, customers, revenue)
SELECT '{PIPELINE}', run - 4, {MOMENT}, r, f, {CUSTOMERS} / 25, r * f FROM generate_series(1, 3) run, generate_series(1, 5) r, generate_series(1, 5) f;
SELECT pipeline_movers('{PIPELINE}', -1, -2);
INSERT INTO segment_migration (pipeline, run_id, previous_run_id, as_of, from_name, to_name, customers, share)
SELECT pipeline, run_id, -2, as_of, from_name, to_name, count(*), 0 FROM segment_movers WHERE pipeline = '{PIPELINE}'
GROUP BY pipeline, run_id, as_of, from_name, to_name;
VACUUM ANALYZE {', '.join('retailml.' + table for table in TABLES)};
"""


def questions():
    """What the page asks and how, of the bench's pipeline."""
    with open(os.path.join(REPO, "docs", "bi.md"), encoding="utf-8") as page:
        found = re.findall(r"\*\*(\d\. [^*]*)\*\*[^\n]*\n\n```sql\n(.*?);\n```", page.read(), re.S)
    return [(title, query.replace("'segments'", f"'{PIPELINE}'")) for title, query in found]


def clean():
    psql("\n".join(f"DELETE FROM retailml.{table} WHERE pipeline = '{PIPELINE}';" for table in TABLES)
         + f"DELETE FROM retailml.pipelines WHERE pipeline = '{PIPELINE}'")


def section():
    if psql("SELECT to_regclass('retailml.bi_segment_movers')").strip() == "":
        print("dashboards: skipped, no views")
        return
    clean()
    psql(FILL)
    print(f"dashboards, {CUSTOMERS:,} customers: seconds")
    for title, query in questions():
        seconds = statistics.median(timed(query) for _ in range(max(ROUNDS, 3)))
        report(f"  {title}", seconds, float("nan"), float("nan"), "<= 0.2")
    clean()
