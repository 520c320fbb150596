#!/usr/bin/env python3
"""Golden measures of predictions.

Made with scikit-learn 1.9.1 (log_loss, roc_auc_score, average_precision_score, accuracy_score,
brier_score_loss, f1_score, root_mean_squared_error, mean_absolute_error, r2_score), numpy 2.4.6.
Of more than two classes roc_auc is the mean over one against the rest.

Writes model_metrics.csv beside itself: a line for each row of each case, the measures of the case
on all of its lines (empty: not defined).
"""
import csv
import os

import numpy as np
import sklearn.metrics as m

HERE = os.path.dirname(os.path.abspath(__file__))
MEASURES = ["log_loss", "roc_auc", "pr_auc", "accuracy", "brier", "f1", "rmse", "mae", "r2"]
WIDTH = 3


def two_classes(y, p):
    call = p >= 0.5
    one = len(set(y)) == 1
    return {
        "log_loss": m.log_loss(y, np.c_[1 - p, p], labels=[0, 1]),
        "roc_auc": None if one else m.roc_auc_score(y, p),
        "pr_auc": None if not y.any() else m.average_precision_score(y, p),
        "accuracy": m.accuracy_score(y, call),
        "brier": m.brier_score_loss(y, p, pos_label=1, labels=[0, 1]),
        "f1": m.f1_score(y, call, zero_division=0),
    }


def classes(y, p):
    present = [k for k in range(p.shape[1]) if 0 < (y == k).sum() < len(y)]
    return {
        "log_loss": m.log_loss(y, p, labels=list(range(p.shape[1]))),
        "roc_auc": np.mean([m.roc_auc_score(y == k, p[:, k]) for k in present]),
        "accuracy": m.accuracy_score(y, p.argmax(axis=1)),
    }


def numbers(y, p):
    return {
        "rmse": m.root_mean_squared_error(y, p),
        "mae": m.mean_absolute_error(y, p),
        "r2": None if len(y) < 2 else m.r2_score(y, p),
    }


def probabilities(rng, n, k):
    raw = rng.random((n, k)) + 0.05
    return raw / raw.sum(axis=1, keepdims=True)


def cases():
    rng = np.random.default_rng(41)
    y = rng.integers(0, 2, 60)
    p = np.clip(0.35 * y + 0.65 * rng.random(60), 0, 1)
    yield "two classes", 2, y, p
    yield "ties", 2, y, np.round(p * 8) / 8
    yield "certain and wrong", 2, np.array([0, 1, 1, 0, 1]), np.array([1.0, 0.0, 1.0, 0.0, 0.5])
    yield "positives only", 2, np.ones(4, int), np.array([0.2, 0.9, 0.5, 0.4])
    yield "negatives only", 2, np.zeros(4, int), np.array([0.2, 0.1, 0.3, 0.4])
    k = rng.integers(0, 3, 50)
    q = probabilities(rng, 50, 3)
    q[np.arange(50), k] += 0.3
    q /= q.sum(axis=1, keepdims=True)
    yield "three classes", 3, k, q
    yield "of three, one is absent", 3, k[k < 2], q[k < 2]
    x = rng.normal(1e6, 3, 40)
    yield "numbers", 0, x, x + rng.normal(0.5, 1, 40)
    yield "worse than the mean", 0, x, x[::-1] * 2 - 1e6
    yield "constant", 0, np.full(3, 7.0), np.array([7.0, 8.0, 7.5])
    yield "constant and right", 0, np.full(3, 7.0), np.full(3, 7.0)
    yield "one number", 0, np.array([2.0]), np.array([5.0])


def main():
    with open(os.path.join(HERE, "model_metrics.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "k", "y"] + [f"p{i}" for i in range(WIDTH)] + MEASURES)
        for name, k, y, p in cases():
            measured = (numbers if k == 0 else two_classes if k == 2 else classes)(y, p)
            cells = ["" if measured.get(x) is None else repr(float(measured[x])) for x in MEASURES]
            for label, row in zip(y, p.reshape(len(y), -1)):
                row = [repr(float(v)) for v in row] + [""] * (WIDTH - len(row))
                out.writerow([name.replace(",", ";"), k, repr(float(label))] + row + cells)


main()
