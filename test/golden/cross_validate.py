#!/usr/bin/env python3
"""Golden cross-validations on given folds.

Made with scikit-learn 1.9.1: cross_validate on PredefinedSplit of a pipeline of SimpleImputer (mean)
and LinearRegression, GaussianNB; numpy 2.4.6.  The imputer is inside the pipeline, so it learns from
the training part of each fold.

Writes cross_validate_rows.csv (rows, labels, folds) and cross_validate.csv (the measures of each
fold, their mean and population standard deviation) beside itself.
"""
import csv
import os

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import get_scorer, make_scorer, roc_auc_score
from sklearn.model_selection import PredefinedSplit, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

HERE = os.path.dirname(os.path.abspath(__file__))
MEASURES = ["log_loss", "roc_auc", "pr_auc", "accuracy", "brier", "f1", "rmse", "mae", "r2"]
FOLDS = 4


def mean_auc(y, p):
    return np.mean([roc_auc_score(y == k, p[:, k]) for k in range(p.shape[1])])


BINARY = {
    "log_loss": ("neg_log_loss", -1),
    "roc_auc": ("roc_auc", 1),
    "pr_auc": ("average_precision", 1),
    "accuracy": ("accuracy", 1),
    "brier": ("neg_brier_score", -1),
    "f1": ("f1", 1),
}
MULTI = {
    "log_loss": ("neg_log_loss", -1),
    "roc_auc": (make_scorer(mean_auc, response_method="predict_proba"), 1),
    "accuracy": ("accuracy", 1),
}
NUMBERS = {
    "rmse": ("neg_root_mean_squared_error", -1),
    "mae": ("neg_mean_absolute_error", -1),
    "r2": ("r2", 1),
}


def run(model, x, y, folds, measures):
    scoring = {k: get_scorer(s) if isinstance(s, str) else s for k, (s, _) in measures.items()}
    pipeline = make_pipeline(SimpleImputer(), model)
    found = cross_validate(pipeline, x, y, cv=PredefinedSplit(folds), scoring=scoring)
    return {k: sign * found["test_" + k] for k, (_, sign) in measures.items()}


def main():
    rng = np.random.default_rng(52)
    n = 120
    x = rng.normal(0, 1, (n, 3)) * [1, 10, 0.5] + [0, 100, 0]
    score = x[:, 0] + 0.1 * (x[:, 1] - 100) + rng.normal(0, 1.5, n)
    y, two, three = score * 2 + 5, (score > 0).astype(int), np.digitize(score, [-1, 1])
    x[rng.random((n, 3)) < 0.15] = np.nan
    folds = rng.integers(0, FOLDS, n)
    with open(os.path.join(HERE, "cross_validate_rows.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["x1", "x2", "x3", "y", "two", "three", "fold"])
        for i in range(n):
            cells = ["" if np.isnan(v) else repr(float(v)) for v in x[i]]
            out.writerow(cells + [repr(float(y[i])), two[i], three[i], folds[i]])
    with open(os.path.join(HERE, "cross_validate.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["label", "line"] + MEASURES)
        for label, found in [
            ("y", run(LinearRegression(), x, y, folds, NUMBERS)),
            ("two", run(GaussianNB(), x, two, folds, BINARY)),
            ("three", run(GaussianNB(), x, three, folds, MULTI)),
        ]:
            lines = [[found[m][f] if m in found else None for m in MEASURES] for f in range(FOLDS)]
            lines.append([found[m].mean() if m in found else None for m in MEASURES])
            lines.append([found[m].std() if m in found else None for m in MEASURES])
            for name, line in zip([*range(FOLDS), "mean", "sd"], lines):
                cells = ["" if v is None else repr(float(v)) for v in line]
                out.writerow([label, name] + cells)


main()
