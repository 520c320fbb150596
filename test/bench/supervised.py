"""Speed of supervised learning beside scikit-learn and LightGBM.

500,000 rows of 15 numbers and 5 text categories of 4 to 30 levels, 100,000 more to judge the models by.
Ours is the statement that fits and stores the model, the scan of the table included.  A peer starts from
a pandas frame in memory and does what its user has to do: encode the categories, then fit.

QUICK=1 takes a tenth of the rows and leaves the forest of scikit-learn at its one round.
"""

import io
import os

import numpy
import pandas
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from measure import ROUNDS, clock, compare, psql, report, timed

QUICK = bool(os.environ.get("QUICK"))
ROWS = 50_000 if QUICK else 500_000
JUDGED = ROWS // 5
LEVELS = (4, 8, 12, 20, 30)
NUMBERS = [f"x{j}" for j in range(15)]
CATEGORIES = [f"c{j}" for j in range(len(LEVELS))]
# a forest of 500,000 rows with five in a leaf is large
MEMORY = "SET retailml.max_memory = '6GB';"


# ---------------------------------------------------------------- data

def draw_frame(n, seed=1):
    """Numbers, categories, a label with noise, and the amount the label was drawn from, with noise too."""
    rng = numpy.random.default_rng(seed)
    x = rng.normal(size=(n, len(NUMBERS)))
    codes = [rng.integers(0, k, n) for k in LEVELS]
    effects = [rng.normal(size=k) / 2 for k in LEVELS]
    z = (0.8 * x[:, 0] - 0.5 * x[:, 1] + numpy.sin(2 * x[:, 2]) + 0.5 * x[:, 3] * x[:, 4] + (x[:, 5] > 1)
         + sum(effect[code] for effect, code in zip(effects, codes)) - 0.5)
    frame = pandas.DataFrame(x, columns=NUMBERS)
    for name, code in zip(CATEGORIES, codes):
        frame[name] = numpy.array([f"level {k}" for k in range(30)])[code]
    frame["amount"] = z + rng.normal(size=n)
    frame["label"] = rng.uniform(size=n) < 1 / (1 + numpy.exp(-z))
    return frame


def load(table, frame):
    columns = [f"{name} float8" for name in NUMBERS] + [f"{name} text" for name in CATEGORIES] + ["amount float8", "label boolean"]
    psql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({', '.join(columns)});\n"
         f"COPY {table} FROM STDIN (FORMAT csv);\n{frame.to_csv(index=False, header=False)}\\.\nVACUUM ANALYZE {table}")


def there(name):
    """Is there such a function?  Says so when not."""
    found = psql(f"SELECT 1 FROM pg_proc WHERE proname = '{name}' AND pronamespace = 'retailml'::regnamespace LIMIT 1") != ""
    if not found:
        print(f"{name}: skipped, no such function")
    return found


# ---------------------------------------------------------------- fits

def fit_ours(function, label, options):
    """Seconds to fit and store a model, in bench_model."""
    other = "amount" if label == "label" else "label"
    return timed(f"INSERT INTO bench_model SELECT retailml.{function}(f, '{label}', '{{\"exclude\": [\"{other}\"]{options}}}') FROM bench_learn f",
                 f"{MEMORY} DROP TABLE IF EXISTS bench_model; CREATE UNLOGGED TABLE bench_model (m bytea); ALTER TABLE bench_model ALTER m SET STORAGE EXTERNAL;")


def predictions():
    """Of the model in bench_model for the rows it is judged by."""
    text = psql("COPY (SELECT retailml.predict((SELECT m FROM bench_model), f) FROM bench_judge f) TO STDOUT")
    return pandas.read_csv(io.StringIO(text), header=None)[0].to_numpy()


def against(what, function, label, options, make, predict, metrics, target, rounds=None):
    """Fit ours and the peer's in turn, then judge both; metrics: (name, function of truth and prediction, target)."""
    peer = {}

    def fit():
        seconds, peer["model"] = clock(lambda: make().fit(against.learn[NUMBERS + CATEGORIES], against.learn[label]))
        return seconds

    if rounds == 1:
        ours, theirs = fit_ours(function, label, options), fit()
        report(what, ours, theirs, ours / theirs, target)
    else:
        compare(what, lambda: fit_ours(function, label, options), fit, target)
    truth = against.judge[label]
    for name, metric, wanted in metrics:
        ours, theirs = metric(truth, predictions()), metric(truth, predict(peer["model"], against.judge[NUMBERS + CATEGORIES]))
        print(f"{f'  {name}':<58} {ours:>9.4f} {theirs:>9.4f} {ours - theirs:>+8.4f}  {wanted}", flush=True)


def one_hot(learner):
    return make_pipeline(make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(drop="first", sparse_output=False), CATEGORIES)), learner)


def codes(learner):
    return make_pipeline(make_column_transformer(("passthrough", NUMBERS), (OrdinalEncoder(), CATEGORIES)), learner)


class LightGbm:
    """LightGBM with the categories as it likes them best."""

    def __init__(self, **settings):
        import lightgbm  # pylint: disable=import-outside-toplevel
        self.model = lightgbm.LGBMClassifier(n_jobs=os.cpu_count(), verbose=-1, **settings)

    @staticmethod
    def encoded(x):
        return x.astype({name: "category" for name in CATEGORIES})

    def fit(self, x, y):
        self.model.fit(self.encoded(x), y)
        return self

    def predict_proba(self, x):
        return self.model.predict_proba(self.encoded(x))


def positive(model, x):
    return model.predict_proba(x)[:, 1]


def fits():
    size = f"{ROWS:,} x 20"
    auc = ("AUC of other rows", roc_auc_score, "within .003")
    if there("linreg_fit"):
        against(f"linreg_fit {size} / LinearRegression", "linreg_fit", "amount", "", lambda: one_hot(LinearRegression()),
                lambda model, x: model.predict(x), [("R2 of other rows", r2_score, "equal")], "<= 0.5")
    if there("logreg_fit"):
        against(f"logreg_fit {size} / LogisticRegression", "logreg_fit", "label", "",
                lambda: one_hot(LogisticRegression(C=numpy.inf, max_iter=1000, tol=1e-6)), positive, [("log loss of other rows", log_loss, "equal")], "<= 0.5")
        against("... / LogisticRegression, newton-cholesky", "logreg_fit", "label", "",
                lambda: one_hot(LogisticRegression(C=numpy.inf, solver="newton-cholesky", tol=1e-10)), positive, [("log loss of other rows", log_loss, "equal")], "")
    try:
        LightGbm()
    except ImportError:
        print("boost_fit / LightGBM: skipped, lightgbm is not installed")
    else:
        against(f"boost_fit {size}, 100 trees, 31 leaves / LightGBM", "boost_fit", "label", ', "max_depth": 0', LightGbm, positive, [auc], "<= 1.5")
    # minutes: one round
    against(f"forest_fit {size}, 100 trees, 5 in a leaf / RandomForest", "forest_fit", "label", ', "min_samples_leaf": 5',
            lambda: codes(RandomForestClassifier(100, min_samples_leaf=5, n_jobs=os.cpu_count(), random_state=0)), positive, [auc], "<= 0.5", rounds=1)


# ---------------------------------------------------------------- scores and what is made of them

def scoring():
    fit_ours("boost_fit", "label", "")
    for depth, what in (("", "depth 3"), (', "max_depth": 0', "31 leaves")):
        fit_ours("boost_fit", "label", depth)
        seconds = min(timed("SELECT sum(retailml.predict((SELECT m FROM bench_model), f)) FROM bench_learn f",
                            "SET max_parallel_workers_per_gather = 0; SET jit = off;") for _ in range(ROUNDS))
        print(f"{f'predict, 100 boosted trees of {what}, one process, rows/s':<58} {ROWS / seconds:>9.0f} {'':>9} {'':>8}  >= 300,000", flush=True)


def metrics():
    if not there("binary_metrics"):
        return
    n = ROWS * 2
    psql(f"""DROP TABLE IF EXISTS bench_scores; SELECT setseed(0.5);
        CREATE TABLE bench_scores AS SELECT random() < score AS happened, score FROM (SELECT random() AS score FROM generate_series(1, {n})) s;
        VACUUM ANALYZE bench_scores""")
    compare(f"binary_metrics {n:,} rows / a sort of them",
            lambda: timed("SELECT retailml.binary_metrics(happened, score) FROM bench_scores"),
            lambda: timed("SELECT sum(score) FROM (SELECT happened, score FROM bench_scores ORDER BY score OFFSET 0) s", "SET work_mem = '1GB';"), "<= 2")


def snapshot():
    """From a purchase log to a churn model."""
    lines, customers = (200_000, 10_000) if QUICK else (2_000_000, 100_000)
    psql(f"""DROP TABLE IF EXISTS bench_store, bench_snapshot; CREATE TABLE bench_store AS
        SELECT *, 'category ' || product_id % 20 AS category FROM retailml.generate_synthetic_purchases({lines}, customers => {customers}, products => 1000); VACUUM ANALYZE bench_store""")
    as_of = psql("SELECT max(purchased_at) - interval '91 days' FROM bench_store").strip()
    seconds = min(timed(f"CREATE TABLE bench_snapshot AS SELECT * FROM retailml.customer_snapshot('bench_store', '{as_of}')",
                        "DROP TABLE IF EXISTS bench_snapshot;") for _ in range(ROUNDS))
    print(f"{f'customer_snapshot of {lines:,} purchases, seconds':<58} {seconds:>9.3f}", flush=True)
    for function in ("logreg_fit", "forest_fit", "boost_fit"):
        if there(function):
            seconds = min(timed(f"SELECT length(retailml.{function}(f, 'churned', '{{\"exclude\": [\"customer_id\", \"future_spend\", \"future_orders\"]}}')) FROM bench_snapshot f", MEMORY)
                          for _ in range(ROUNDS))
            print(f"{f'{function} on it, {customers:,} customers, seconds':<58} {seconds:>9.3f}", flush=True)


def section():
    """What bench.py runs."""
    frame = draw_frame(ROWS + JUDGED)
    against.learn, against.judge = frame[:ROWS], frame[ROWS:]
    load("bench_learn", against.learn)
    load("bench_judge", against.judge)
    fits()
    scoring()
    metrics()
    snapshot()
