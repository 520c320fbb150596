"""Accuracy of supervised learning on public data, beside scikit-learn and LightGBM at equal settings.

Five folds by the hash of a row's number, models fitted on four and judged on the fifth: AUC of two classes,
R2 of numbers, means over folds and over SEEDS (3) splits, which also seed the models.  Ours are fitted and applied in
SQL, NULLs and text included; peers get means for missing numbers and codes or indicators for categories.
ACCURACY_SETS and ACCURACY_LEARNERS pick some, by commas.  movielens_small is for recommenders: svdpp.py.  Data that are not there are skipped.
"""

import io
import os

import numpy
import pandas
from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.metrics import r2_score, roc_auc_score

import svdpp
from measure import DATA, psql

SEEDS = int(os.environ.get("SEEDS", "3"))
FOLDS = 5
JOBS = os.cpu_count()

# file, label, what makes it positive (None: it is a number), columns left out, least of ours by learner
SETS = {
    "telco_churn": ("Churn", "Yes", ["customerID"], {"logreg_fit": .845}),
    "breast_cancer": ("target", "benign", [], {"logreg_fit": .994}),
    "marketing_campaign": ("Response", "1", ["ID", "Dt_Customer", "Z_CostContact", "Z_Revenue"], {"boost_fit": .88}),
    "diabetes": ("target", None, [], {"linreg_fit": .47}),
    "oj_purchases": ("Purchase", "MM", [], {"boost_fit": .895}),
    "synthetic_store": ("churned", "t", ["customer_id", "future_spend", "future_orders"], {}),
}


def known(function):
    return psql(f"SELECT 1 FROM pg_proc WHERE proname = '{function}' AND pronamespace = 'retailml'::regnamespace LIMIT 1") != ""


# ---------------------------------------------------------------- data

class Data:
    """A table on the server, acc_<name>, and what the peers take of it."""

    def __init__(self, name, frame):
        label, positive, left_out, self.least = SETS[name]
        self.name, self.table = name, f"acc_{name}"
        self.number = positive is None
        text = frame[label].astype(str)
        self.y = frame[label].to_numpy() if self.number else (text == positive).to_numpy()
        self.x = frame.drop(columns=[label] + left_out)
        self.categories = [c for c in self.x.columns if not pandas.api.types.is_numeric_dtype(self.x[c])]
        self.store()
        self.codes, self.indicators = self.for_peers()

    def store(self):
        columns = ", ".join(f'"{c}" {"text" if c in self.categories else "float8"}' for c in self.x.columns)
        rows = self.x.assign(label_=self.y)
        psql(f"DROP TABLE IF EXISTS {self.table}; CREATE TABLE {self.table} (id_ int, {columns}, label_ {'float8' if self.number else 'boolean'});\n"
             f"COPY {self.table} FROM STDIN (FORMAT csv);\n{rows.to_csv(header=False)}\\.\nANALYZE {self.table}")

    def for_peers(self):
        x = self.x.copy()
        for c in x.columns:
            if c in self.categories:
                x[c] = x[c].fillna("(missing)").astype("category")
            else:
                x[c] = x[c].astype(float).fillna(x[c].mean())
        return x, pandas.get_dummies(x, columns=self.categories).astype(float)

    def score(self, folds, predicted):
        metric = r2_score if self.number else roc_auc_score
        return numpy.mean([metric(self.y[folds == k], predicted[folds == k]) for k in range(1, FOLDS + 1)])


def fold_of(seed):
    if known("fold"):
        return f"retailml.fold(d.id_, {FOLDS}, {seed})"
    return f"(1 + (hashint8extended(d.id_, {seed}) & 1073741823) % {FOLDS})::int"


def load(name):
    """The data, or None when they are not there."""
    if name == "synthetic_store":
        return Data(name, snapshot())
    file = os.path.join(DATA, f"{name}.csv")
    if not os.path.exists(file):
        return None
    frame = pandas.read_csv(file)
    if "TotalCharges" in frame:
        frame["TotalCharges"] = pandas.to_numeric(frame["TotalCharges"], errors="coerce")
    return Data(name, frame)


def snapshot():
    """Customers of the synthetic store at one moment, and who stayed away afterwards."""
    psql("DROP TABLE IF EXISTS acc_store; CREATE TABLE acc_store AS SELECT * FROM retailml.generate_synthetic_purchases(60000, customers => 6000)")
    text = psql("COPY (SELECT * FROM retailml.customer_snapshot('acc_store', (SELECT max(purchased_at) - interval '91 days' FROM acc_store))) TO STDOUT (FORMAT csv, HEADER)")
    return pandas.read_csv(io.StringIO(text)).dropna(axis="columns", how="all")


# ---------------------------------------------------------------- ours and theirs

def ours(data, function, options):
    """Mean score of a fit with these options, in SQL from the rows to the predictions."""
    scores = []
    for seed in range(SEEDS):
        text = psql(f"""SET client_min_messages = error;
            COPY (WITH models AS MATERIALIZED (
                SELECT k, retailml.{function}(d, 'label_', '{{"exclude": ["id_"], "seed": {seed}{options}}}') AS model
                FROM {data.table} d, generate_series(1, {FOLDS}) k WHERE {fold_of(seed)} <> k GROUP BY k)
                SELECT d.id_, k, retailml.predict(model, d) FROM models JOIN {data.table} d ON {fold_of(seed)} = k ORDER BY k, d.id_) TO STDOUT (FORMAT csv)""")
        rows = pandas.read_csv(io.StringIO(text), header=None).sort_values(0)
        scores.append(data.score(rows[1].to_numpy(), rows[2].to_numpy()))
    return numpy.array(scores)


def theirs(data, make, x):
    """Mean score of a peer, whose learner make(seed) makes, on the same folds."""
    scores = []
    for seed in range(SEEDS):
        folds = numpy.array(psql(f"SELECT {fold_of(seed)} FROM {data.table} d ORDER BY d.id_").split(), dtype=int)
        predicted = numpy.empty(len(x))
        for k in range(1, FOLDS + 1):
            model = make(seed).fit(x[folds != k], data.y[folds != k])
            judged = x[folds == k]
            predicted[folds == k] = model.predict(judged) if data.number else model.predict_proba(judged)[:, 1]
        scores.append(data.score(folds, predicted))
    return numpy.array(scores)


def histogram_boosting(data, depth):
    learner = HistGradientBoostingRegressor if data.number else HistGradientBoostingClassifier
    return lambda seed: learner(max_iter=100, max_depth=depth, min_samples_leaf=20, early_stopping=False, random_state=seed,
                                categorical_features="from_dtype")


def light_gbm(data, depth):
    import lightgbm  # pylint: disable=import-outside-toplevel
    learner = lightgbm.LGBMRegressor if data.number else lightgbm.LGBMClassifier
    return lambda seed: learner(n_estimators=100, max_depth=depth, num_leaves=31, min_child_samples=20, random_state=seed, n_jobs=JOBS, verbose=-1)


def random_forest(data):
    if data.number:
        return lambda seed: RandomForestRegressor(100, min_samples_leaf=5, max_features=1 / 3, random_state=seed, n_jobs=JOBS)
    return lambda seed: RandomForestClassifier(100, min_samples_leaf=5, max_features="sqrt", random_state=seed, n_jobs=JOBS)


def peers(data, learner):
    """Settings of ours, and for each peer at the same: name, learner by seed, rows."""
    coded = data.codes.copy()
    for c in data.categories:
        coded[c] = coded[c].cat.codes
    if learner == "forest_fit":
        return [("", [("RandomForest on codes", random_forest(data), coded), ("RandomForest on indicators", random_forest(data), data.indicators)])]
    if learner != "boost_fit":
        return [("", [])]
    both = []
    for options, depth in (("", 3), (', "max_depth": 0', None)):
        both.append((options, [("HistGradientBoosting", histogram_boosting(data, depth), data.codes)]))
        try:
            both[-1][1].append(("LightGBM", light_gbm(data, depth or -1), data.codes))
        except ImportError:
            pass
    return both


def compare_all(data, learner):
    for options, others in peers(data, learner):
        mine = ours(data, learner, options)
        least = data.least.get(learner) if options == "" else None
        what = f"{data.name}, {learner}{' of any depth' if options else ''}"
        print(f"{what:<58} {mine.mean():>9.4f} {'':>9} {'':>8}  {f'>= {least}' if least else ''}", flush=True)
        for name, make, x in others:
            peer = theirs(data, make, x)
            difference = mine - peer
            error = difference.std(ddof=1) / SEEDS ** 0.5 if SEEDS > 1 else float("nan")
            print(f"{f'  / {name}':<58} {mine.mean():>9.4f} {peer.mean():>9.4f} {difference.mean():>+8.4f}  >= -.003 (+- {error:.4f})", flush=True)


def section():
    """What bench.py runs."""
    learners = os.environ.get("ACCURACY_LEARNERS", "linreg_fit,logreg_fit,forest_fit,boost_fit").split(",")
    for name in os.environ.get("ACCURACY_SETS", ",".join([*SETS, "movielens_small"])).split(","):
        if name == "movielens_small":
            svdpp.accuracy()
            continue
        data = load(name)
        if data is None:
            print(f"{name}: skipped, no data")
            continue
        for learner in learners:
            if learner != ("logreg_fit" if data.number else "linreg_fit") and known(learner):
                compare_all(data, learner)
