#!/usr/bin/env python3
"""Golden metrics and curves of predictions, with ties, one class, scores at 0, 1 and on the edges of bins.

Made with scikit-learn 1.9.1, scipy 1.17.1 (the Kolmogorov-Smirnov distance) and numpy 2.4.6.  ece and
lift have no function there: they are their definitions, the lift with each tie spread over its rows.

Writes beside itself evaluation_scores.csv and evaluation_numbers.csv (the rows),
evaluation_metrics.csv and evaluation_curves.csv (what is to come out; an empty cell is undefined).
"""
import csv
import os
import warnings
from math import fsum

import numpy as np
from scipy.stats import ks_2samp
from sklearn import metrics as m
from sklearn.calibration import calibration_curve

HERE = os.path.dirname(os.path.abspath(__file__))
warnings.simplefilter("ignore")


def score_cases():
    rng = np.random.default_rng(5)

    def drawn(n, digits, rate=0.3):
        y = rng.random(n) < rate
        p = np.clip(rng.beta(2, 4, n) + 0.2 * y, 0, 1)
        return y, np.round(p, digits)

    yield "continuous", *drawn(300, 15)
    yield "two digits", *drawn(400, 2)
    yield "one digit", *drawn(250, 1)
    yield "rare", *drawn(500, 3, 0.03)
    yield "all tied", np.arange(20) % 3 == 0, np.full(20, 0.25)
    yield "perfect", np.arange(30) >= 20, np.arange(30) / 29
    yield "reversed", np.arange(30) < 12, np.arange(30) / 29
    yield "two rows", np.array([True, False]), np.array([0.7, 0.7])
    yield "only positives", np.ones(7, bool), np.array([0.1, 0.4, 0.4, 0.5, 0.9, 1, 0])
    yield "only negatives", np.zeros(7, bool), np.array([0.1, 0.4, 0.4, 0.5, 0.9, 1, 0])
    yield "log odds", rng.random(200) < 0.5, np.round(rng.normal(0, 3, 200), 1)
    yield "tiny", rng.random(60) < 0.5, np.r_[10.0 ** -rng.integers(1, 300, 57), 0, 1, 1 - 1e-17]


def ece(y, p):
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], p)
    return fsum(abs(p[bins == b].sum() - y[bins == b].sum()) for b in range(10)) / len(y)


def binary(y, p, threshold):
    hit = p >= threshold
    both, inside = 0 < y.sum() < len(y), p.min() >= 0 and p.max() <= 1
    nan = np.nan
    return {
        "n": len(y), "positives": int(y.sum()), "prevalence": y.mean(), "threshold": threshold,
        "accuracy": m.accuracy_score(y, hit), "precision": m.precision_score(y, hit, zero_division=nan),
        "recall": m.recall_score(y, hit, zero_division=nan),
        "specificity": m.recall_score(~y, ~hit, zero_division=nan),
        "f1": m.f1_score(y, hit, zero_division=nan),
        "roc_auc": m.roc_auc_score(y, p) if both else nan,
        "pr_auc": m.average_precision_score(y, p) if both else nan,
        "log_loss": m.log_loss(y, p, labels=[False, True]) if inside else nan,
        "brier": ((p - y) ** 2).mean() if inside and not both else m.brier_score_loss(y, p) if inside else nan,
        "ece": ece(y, p) if inside else nan,
        "ks": ks_2samp(p[y], p[~y]).statistic if both else nan,
    }


def lift(y, p, n_bins):
    order = np.argsort(-p, kind="stable")
    p, y = p[order], y[order].astype(float)
    spread = np.array([y[p == score].mean() for score in p])
    done, gained = 0, []
    for b, part in enumerate(np.array_split(np.arange(len(p)), min(n_bins, len(p)))):
        gained += list(spread[part])
        done += len(part)
        positives, base = fsum(spread[part]), y.mean()
        gain = fsum(gained)
        yield (b + 1, len(part), positives, positives / len(part), positives / len(part) / base if base else np.nan,
               done / len(p), gain / y.sum() if base else np.nan, gain / done / base if base else np.nan,
               p[part].min(), p[part].max())


def curves(y, p):
    if 0 < y.sum() < len(y):
        fpr, tpr, thresholds = m.roc_curve(y, p)
        yield from (("roc", i, t, a, b) for i, (t, a, b) in enumerate(zip(thresholds, tpr, fpr)))
    if y.sum() > 0:
        precision, recall, thresholds = m.precision_recall_curve(y, p, drop_intermediate=True)
        points = list(zip(np.r_[thresholds, np.inf], precision, recall))
        yield from (("pr", i, *point) for i, point in enumerate(reversed(points)))
    for n_bins in 3, 10:
        yield from (("lift%d" % n_bins, i, *bin) for i, bin in enumerate(lift(y, p, n_bins)))
    if p.min() < 0 or p.max() > 1:
        return
    for name, n_bins, strategy in ("uniform10", 10, "uniform"), ("uniform7", 7, "uniform"), ("quantile5", 5, "quantile"), ("quantile10", 10, "quantile"):
        rate, mean = calibration_curve(y, p, n_bins=n_bins, strategy=strategy)
        yield from ((name, i, *bin) for i, bin in enumerate(zip(mean, rate)))


def number_cases():
    rng = np.random.default_rng(6)
    for n in 1, 2, 101, 400:
        a = rng.normal(100, 30, n)
        yield f"{n} rows", a, a * 0.9 + rng.normal(5, 10, n)
    a = rng.poisson(3, 200).astype(float)
    yield "zeros and ties", a, np.round(a + rng.normal(0, 1, 200))
    yield "constant", np.full(9, 0.1), rng.random(9)
    yield "exact", np.arange(1.0, 9), np.arange(1.0, 9)
    yield "far from zero", 1e9 + rng.random(50), 1e9 + rng.random(50)
    yield "ten magnitudes", 10 ** rng.uniform(-5, 5, 80), 10 ** rng.uniform(-5, 5, 80)


def regression(a, p):
    flat = np.ptp(a) == 0
    return {
        "n": len(a), "mean_actual": fsum(a) / len(a), "mae": m.mean_absolute_error(a, p),
        "rmse": m.root_mean_squared_error(a, p),
        "mape": np.nan if (a == 0).any() else m.mean_absolute_percentage_error(a, p),
        "medae": m.median_absolute_error(a, p), "r2": np.nan if flat else m.r2_score(a, p),
        "bias": fsum(p - a) / len(a), "max_error": m.max_error(a, p),
        "explained_variance": np.nan if flat else m.explained_variance_score(a, p),
    }


def cell(value):
    if isinstance(value, (str, int)):
        return value
    return "" if np.isnan(value) else "Infinity" if np.isinf(value) else repr(float(value))


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows([cell(value) for value in row] for row in rows)


def main():
    scores, numbers = list(score_cases()), list(number_cases())
    write("evaluation_scores.csv", ["name", "actual", "score"],
          ((name, int(a), s) for name, y, p in scores for a, s in zip(y, p)))
    write("evaluation_numbers.csv", ["name", "actual", "predicted"],
          ((name, *row) for name, a, p in numbers for row in zip(a, p)))
    write("evaluation_metrics.csv", ["name", "metric", "threshold", "value"],
          [(name, metric, t, value) for name, y, p in scores for t in (0.5, 0.2)
           for metric, value in binary(y, p, t).items()] +
          [(name, metric, "", value) for name, a, p in numbers for metric, value in regression(a, p).items()])
    write("evaluation_curves.csv", ["name", "curve", "i"] + [f"c{j}" for j in range(1, 11)],
          ((name, *row, *[""] * (12 - len(row))) for name, y, p in scores for row in curves(y, p)))


main()
