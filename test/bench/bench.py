"""Speed of retailml beside what a user would take instead: one run, same data, ratios.

Prints a row per comparison: what, our seconds, the peer's seconds, ratio, target.  Both sides run
in turn (A B A B ...) and the ratio is the median of the pairwise ratios.  Everything runs on the
server that PGHOST names; the peers run in this process, with as many threads as processors.
"""

import io
import os
import statistics
import sys
import tempfile
import threading
import time

import numpy
import pandas
import sklearn
from sklearn.cluster import KMeans

import accuracy
import bi
import recommend
import supervised
import svdpp
from measure import DATA, ROUNDS, clock, compare, fetch, psql, report, timed


def zscored(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


# ---------------------------------------------------------------- data

def make_rows(name, n, d):
    """Eight overlapping clouds in d columns c1 .. cd: sums of uniforms around eight centres."""
    columns = ", ".join(
        f"(hashint8(k * 131 + {j}) % 1000) / 1000.0::float8 * 0.8 + random() + random() + random() AS c{j}"
        for j in range(1, d + 1))
    psql(f"""DROP TABLE IF EXISTS {name};
        SELECT setseed(0.5);
        CREATE TABLE {name} AS SELECT id, {columns}
            FROM (SELECT id, (random() * 8)::int % 8 AS k FROM generate_series(1, {n}) id) s;
        VACUUM ANALYZE {name}""")


def columns_of(d):
    return ", ".join(f"c{j}" for j in range(1, d + 1))


def inertia_of(query):
    return float(psql(f"SELECT retailml.model_info(({query}))->>'inertia'"))


# ---------------------------------------------------------------- k-means

def kmeans_against_sklearn(what, query, x, k, target, restarts=1):
    """Our fit, scan included, against KMeans.fit alone on the array in memory."""
    peer = {}

    def fit():
        seconds, model = clock(lambda: KMeans(k, n_init=restarts, max_iter=300, tol=1e-4,
                                              random_state=fit.seed).fit(x))
        fit.seed += 1
        peer.setdefault("inertia", []).append(model.inertia_)
        return seconds

    fit.seed = 0
    compare(what, lambda: timed(query), fit, target)
    best = statistics.median(peer["inertia"])
    ours = inertia_of(query)
    report("  inertia", ours, best, ours / best, "<= 1.005")


def section_kmeans():
    make_rows("bench_rows", 1_000_000, 10)
    query = "SELECT retailml.kmeans_fit(f, 8, '{\"n_init\": 1, \"exclude\": [\"id\"]}') FROM bench_rows f"
    x = fetch(f"SELECT {columns_of(10)} FROM bench_rows")
    kmeans_against_sklearn("kmeans_fit 1,000,000 x 10, k = 8 / KMeans.fit", query, zscored(x), 8,
                           "<= 1.0")

    def way_out():
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            psql(f"\\copy bench_rows TO '{file.name}' (FORMAT csv)")
            frame = pandas.read_csv(file.name, header=None)
            labels = KMeans(8, n_init=1, random_state=0).fit_predict(zscored(frame.iloc[:, 1:].to_numpy()))
            pandas.DataFrame({"id": frame[0], "label": labels}).to_csv(file.name, index=False, header=False)
            psql("DROP TABLE IF EXISTS bench_out; CREATE TABLE bench_out (id int, label int);"
                 f"\\copy bench_out FROM '{file.name}' (FORMAT csv)\n")

    def inside():
        return timed("CREATE TABLE bench_in AS SELECT id, retailml.kmeans_predict(m, f) AS label FROM bench_rows f, "
                     f"({query}) AS fitted (m)", "DROP TABLE IF EXISTS bench_in;")

    compare("kmeans_fit / COPY, pandas, fit, COPY labels back", lambda: timed(query),
            lambda: clock(way_out)[0], "<= 0.125")
    compare("fit and labels in a table / the same", inside, lambda: clock(way_out)[0], "")
    kmeans_against_sklearn("kmeans_fit 1,000,000 x 10, k = 8, n_init 10 / KMeans.fit",
                           query.replace('"n_init": 1', '"n_init": 10'), zscored(x), 8, "", restarts=10)
    numeric = ", ".join(f"c{j}::numeric(12,2) AS c{j}" for j in range(1, 11))
    float8 = ", ".join(f"round(c{j}::numeric, 2)::float8 AS c{j}" for j in range(1, 11))
    psql(f"DROP TABLE IF EXISTS bench_money, bench_money8; CREATE TABLE bench_money AS SELECT {numeric} FROM bench_rows;"
         f"CREATE TABLE bench_money8 AS SELECT {float8} FROM bench_rows; VACUUM ANALYZE bench_money; VACUUM ANALYZE bench_money8")
    fit = "SELECT retailml.kmeans_fit(f, 8, '{{\"n_init\": 1}}') FROM {} f"
    compare("kmeans_fit on numeric(12,2) / on float8", lambda: timed(fit.format("bench_money")),
            lambda: timed(fit.format("bench_money8")), "<= 1.3")


def section_wide():
    make_rows("bench_wide_rows", 100_000, 128)
    psql(f"""DROP TABLE IF EXISTS bench_wide;
        CREATE TABLE bench_wide AS SELECT id, ARRAY[{columns_of(128)}]::float8[] AS v FROM bench_wide_rows;
        DROP TABLE bench_wide_rows; VACUUM ANALYZE bench_wide""")
    text = psql("COPY (SELECT translate(v::text, '{}', '') FROM bench_wide) TO STDOUT")
    x = numpy.fromstring(text.replace("\n", ","), sep=",").reshape(-1, 128)
    kmeans_against_sklearn("kmeans_fit 100,000 x 128, k = 64, float8[] / KMeans.fit",
                           "SELECT retailml.kmeans_fit(v, 64, '{\"n_init\": 1}') FROM bench_wide",
                           zscored(x), 64, "<= 1.0")


def section_score():
    make_rows("bench_rows", 1_000_000, 10)
    psql(f"""DROP TABLE IF EXISTS bench_arrays, bench_models;
        CREATE TABLE bench_arrays AS SELECT id, ARRAY[{columns_of(10)}] AS v FROM bench_rows;
        VACUUM ANALYZE bench_arrays;
        CREATE TABLE bench_models AS SELECT
            (SELECT retailml.kmeans_fit(f, 8, '{{"n_init": 1, "exclude": ["id"]}}') FROM bench_rows f) AS by_name,
            (SELECT retailml.kmeans_fit(v, 8, '{{"n_init": 1}}') FROM bench_arrays) AS by_position""")
    sums = ", ".join(f"sum(c{j})" for j in range(1, 11))
    for setup, how in (("SET max_parallel_workers_per_gather = 0;", "serial"), ("", "parallel")):
        compare(f"kmeans_predict 1,000,000 records / ten sums, {how}",
                lambda: timed("SELECT sum(retailml.kmeans_predict((SELECT by_name FROM bench_models), f)) FROM bench_rows f", setup),
                lambda: timed(f"SELECT {sums} FROM bench_rows", setup), "<= 3")
        compare(f"kmeans_predict 1,000,000 float8[] / one sum, {how}",
                lambda: timed("SELECT sum(retailml.kmeans_predict((SELECT by_position FROM bench_models), v)) FROM bench_arrays", setup),
                lambda: timed("SELECT sum(v[10]) FROM bench_arrays", setup), "<= 2")


# ---------------------------------------------------------------- RFM and the synthetic store

def rfm_pair(what, table, order, at, amount, customer, as_of):
    # every column is read: the planner drops those of a subquery that nobody reads
    where = f"FROM {table} GROUP BY {customer}"
    compare(f"rfm, {what} / plain SQL",
            lambda: timed(f"SELECT sum((r).recency_days), sum((r).frequency), sum((r).monetary) FROM (SELECT retailml.rfm({order}, {at}, {amount}, {as_of}) r {where}) s"),
            lambda: timed(f"""SELECT sum(recency), sum(frequency), sum(monetary) FROM (SELECT extract(epoch FROM {as_of} - max({at})) / 86400 AS recency,
                count(DISTINCT {order}) AS frequency, sum({amount}) AS monetary {where}) s"""), "<= 1.0")


def section_rfm():
    file = os.path.join(DATA, "online_retail_2010_2011.csv.gz")
    if os.path.exists(file):
        psql(f"""DROP TABLE IF EXISTS bench_lines; CREATE TABLE bench_lines (invoice text, stock text, description text,
            quantity int, at timestamptz, price numeric, customer text, country text);
            \\copy bench_lines FROM PROGRAM 'zcat {file}' (FORMAT csv, HEADER)
            ALTER TABLE bench_lines ADD amount float8; UPDATE bench_lines SET amount = quantity * price;
            VACUUM ANALYZE bench_lines""")
        rfm_pair("541,909 lines of Online Retail", "bench_lines", "invoice", "at", "amount", "customer",
                 "timestamptz '2011-12-10'")
    else:
        print("rfm on Online Retail: skipped, no data")
    psql("""DROP TABLE IF EXISTS bench_purchases; CREATE TABLE bench_purchases AS
        SELECT order_id, customer_id, purchased_at, amount, amount::float8 AS amount8
        FROM retailml.generate_synthetic_purchases(10000000, customers => 200000, products => 1000);
        VACUUM ANALYZE bench_purchases""")
    for amount in ("amount", "amount8"):
        rfm_pair(f"10,000,000 purchases, {'numeric' if amount == 'amount' else 'float8'}", "bench_purchases",
                 "order_id", "purchased_at", amount, "customer_id", "timestamptz '2026-01-01'")
    psql("""DROP TABLE IF EXISTS bench_rfm; CREATE TABLE bench_rfm AS SELECT random() * 365 AS r, (random() * 20)::int::float8 AS f,
        random() * 1000 AS m FROM generate_series(1, 1000000); VACUUM ANALYZE bench_rfm""")
    compare("rfm_score OVER (), 1,000,000 rows / three ntile(5)",
            lambda: timed("SELECT sum((s).r) FROM (SELECT retailml.rfm_score(r, f, m) OVER () s FROM bench_rfm) x"),
            lambda: timed("""SELECT sum(a + b + c) FROM (SELECT ntile(5) OVER (ORDER BY r DESC) a, ntile(5) OVER (ORDER BY f) b,
                ntile(5) OVER (ORDER BY m) c FROM bench_rfm) x"""), "<= 1.0")


def section_generate():
    seconds = timed("SELECT count(*) FROM retailml.generate_synthetic_purchases(10000000)")
    print(f"{'generate_synthetic_purchases(10000000), rows a second':<58} {10e6 / seconds:>9.0f} {'':>9} {'':>8}  >= 500,000")


# ---------------------------------------------------------------- k-prototypes

def make_mixed(table, n):
    """Eight overlapping clouds in five numbers x0 .. x4, and five categories c0 .. c4 of which a fifth are noise."""
    numbers = ", ".join(f"(hashint8(k * 131 + {j}) % 1000) / 1000.0::float8 * 0.8 + random() + random() + random() AS x{j}" for j in range(5))
    categories = ", ".join(f"chr(97 + CASE WHEN random() < 0.2 THEN (random() * 7)::int ELSE (k * {j + 1} + {j}) % 8 END) AS c{j}" for j in range(5))
    psql(f"""DROP TABLE IF EXISTS {table};
        SELECT setseed(0.5);
        CREATE TABLE {table} AS SELECT id, {numbers}, {categories}
            FROM (SELECT id, (random() * 8)::int % 8 AS k FROM generate_series(1, {n}) id) s;
        VACUUM ANALYZE {table}""")


def section_kprototypes():
    fit = "SELECT retailml.kprototypes_fit(f, 8, '{{\"n_init\": 1, \"exclude\": [\"id\"]}}') FROM {} f"
    make_mixed("bench_mixed", 100_000)
    # kmodes knows no tolerance: both iterate until no row changes its cluster
    until_none_moves = fit.replace('"n_init": 1', '"n_init": 1, "tol": 0').format("bench_mixed")
    ours = statistics.median(timed(until_none_moves) for _ in range(ROUNDS))
    cost = float(psql(f"SELECT retailml.model_info(m) ->> 'cost' FROM ({until_none_moves}) AS s (m)"))
    try:
        from kmodes.kprototypes import KPrototypes
    except ImportError:
        print("kprototypes_fit / KPrototypes.fit: skipped, kmodes is not installed")
    else:
        frame = pandas.read_csv(io.StringIO(psql("COPY (SELECT * FROM bench_mixed) TO STDOUT (FORMAT csv, HEADER)"))).drop(columns="id")
        x = frame[[f"x{j}" for j in range(5)]]
        table = numpy.empty((len(frame), 10), dtype=object)
        table[:, :5] = ((x - x.mean()) / x.std(ddof=0)).to_numpy()
        table[:, 5:] = frame[[f"c{j}" for j in range(5)]].to_numpy()
        started = time.perf_counter()
        model = KPrototypes(n_clusters=8, init="Cao", n_init=1, gamma=0.5, random_state=42).fit(table, categorical=list(range(5, 10)))
        theirs = time.perf_counter() - started
        print(f"{'kprototypes_fit 100,000 x (5 + 5), k = 8, Cao / KPrototypes':<58} {ours:>9.3f} {theirs:>9.3f} {ours / theirs:>8.4f}  <= 0.005")
        print(f"{'... cost':<58} {cost:>9.2f} {model.cost_:>9.2f} {cost / model.cost_:>8.6f}  <= 1", flush=True)
    make_mixed("bench_mixed", 1_000_000)
    make_rows("bench_rows", 1_000_000, 10)
    compare("kprototypes_fit 1,000,000 x (5 + 5) / kmeans_fit x 10", lambda: timed(fit.format("bench_mixed")),
            lambda: timed("SELECT retailml.kmeans_fit(f, 8, '{\"n_init\": 1, \"exclude\": [\"id\"]}') FROM bench_rows f"), "< 3")
    last = None
    for n in (10_000, 100_000, 1_000_000):
        make_mixed("bench_mixed", n)
        seconds = min(timed(fit.format("bench_mixed")) for _ in range(ROUNDS))
        growth = "" if last is None else f"{seconds / last:>8.2f}"
        print(f"{f'kprototypes_fit {n} x (5 + 5): seconds, growth':<58} {seconds:>9.3f} {'':>9} {growth:>8}  about 10")
        last = seconds


# ---------------------------------------------------------------- memory and growth

def anonymous_memory():
    """Private bytes of all processes of the server's session and its workers, by pid."""
    total = 0
    for pid in psql("SELECT pid FROM pg_stat_activity WHERE query LIKE '%memory probe%' AND pid <> pg_backend_pid()").split():
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as status:
                total += sum(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024
        except OSError:
            pass
    return total


def peak_memory(query):
    peak = [0]
    done = threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], anonymous_memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    psql(f"SET client_min_messages = warning; {query} /* memory probe */")
    done.set()
    watcher.join()
    return peak[0]


def section_memory():
    make_rows("bench_rows", 4_000_000, 10)
    raw = 4_000_000 * 10 * 8
    for workers in (0, 1):
        peak = peak_memory(f"SET max_parallel_workers_per_gather = {workers}; SET retailml.max_memory = '4GB';"
                           "SELECT length(retailml.kmeans_fit(f, 8, '{\"n_init\": 1, \"exclude\": [\"id\"]}')) FROM bench_rows f")
        print(f"{f'peak memory of a fit of 320 MB, {workers} workers, MB':<58} {peak / 1e6:>9.0f} {raw / 1e6:>9.0f} {peak / raw:>8.2f}  <= 3")


def section_growth():
    last = None
    for n in (10_000, 100_000, 1_000_000, 10_000_000):
        make_rows("bench_rows", n, 10)
        seconds = timed("SELECT retailml.kmeans_fit(f, 8, '{\"n_init\": 1, \"max_iter\": 20, \"tol\": 0, \"exclude\": [\"id\"]}') FROM bench_rows f",
                        "SET retailml.max_memory = '4GB';")
        growth = "" if last is None else f"{seconds / last:>8.2f}"
        print(f"{f'kmeans_fit {n} x 10, 20 iterations: seconds, growth':<58} {seconds:>9.3f} {'':>9} {growth:>8}  about 10")
        last = seconds


section_supervised = supervised.section
section_svdpp = svdpp.section
section_accuracy = accuracy.section
section_recommend = recommend.section
section_bi = bi.section

SECTIONS = {name[8:]: function for name, function in list(globals().items()) if name.startswith("section_")}


def main():
    wanted = sys.argv[1:] or list(SECTIONS)
    print(f"PostgreSQL {psql('SHOW server_version').strip()}, scikit-learn {sklearn.__version__}, "
          f"numpy {numpy.__version__}, {os.cpu_count()} processors, median of {ROUNDS} rounds")
    print(f"{'':<58} {'ours':>9} {'peer':>9} {'ratio':>8}  target")
    for name in wanted:
        SECTIONS[name]()


main()
