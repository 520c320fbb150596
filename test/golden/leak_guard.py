#!/usr/bin/env python3
"""Golden scores of single features against a label, by scikit-learn, scipy and pandas.

Made with Python 3.11, scikit-learn 1.9.1, scipy 1.17.1, pandas 3.1.1, numpy 2.4.6.  Writes beside itself
leak_guard_rows.csv (the iris data of scikit-learn, and columns drawn here) and leak_guard.csv:

  label, feature, score   binary label: roc_auc_score, the better direction; three classes: its mean over the
                          three pairs; number: the larger of pearsonr ** 2 and spearmanr ** 2; categories: their
                          rates or means of the rows of the other parity, scored by roc_auc_score (mean over
                          one-vs-rest) or r2_score
"""
import os
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, spearmanr
from sklearn.datasets import load_iris
from sklearn.metrics import r2_score, roc_auc_score

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = ["sepal_length", "sepal_width", "petal_length", "petal_width", "noise"]
CATEGORIES = ["colour", "shop", "key"]

rng = np.random.default_rng(7)
iris = load_iris()
rows = pd.DataFrame(iris.data, columns=NUMBERS[:4])
rows["noise"] = np.round(rng.normal(size=150), 1)
rows["three"] = iris.target
rows = rows.sample(frac=1, random_state=3).reset_index(drop=True)
rows["two"] = (rows.three == 2).astype(int)
rows["amount"] = np.round(rows.petal_length ** 3 + rng.normal(size=150), 2)
# codes 1 ..: one that follows the class with errors, one rare and random, one that is a key
rows["colour"] = np.where(rng.random(150) < 0.9, rows.three, rng.integers(0, 3, 150)) + 1
rows["shop"] = rng.integers(1, 60, 150)
rows["key"] = np.arange(1, 151)
rows.to_csv(os.path.join(HERE, "leak_guard_rows.csv"), index=False, lineterminator="\n")


def cross_fitted(category, target):
    parity = np.arange(len(rows)) % 2
    predicted = np.empty(len(rows))
    for half in (0, 1):
        other = parity != half
        rates = target[other].groupby(category[other]).mean()
        predicted[~other] = category[~other].map(rates).fillna(target[other].mean())
    return predicted


def score(label, feature):
    y, x = rows[label], rows[feature]
    if feature in CATEGORIES:
        if label == "amount":
            return max(0.0, r2_score(y, cross_fitted(x, y)))
        classes = [1] if label == "two" else [0, 1, 2]
        return np.mean([roc_auc_score(y == k, cross_fitted(x, (y == k).astype(float))) for k in classes])
    if label == "amount":
        return max(pearsonr(x, y)[0] ** 2, spearmanr(x, y)[0] ** 2)
    areas = []
    for a, b in combinations(sorted(y.unique()), 2):
        pair = y.isin([a, b])
        area = roc_auc_score(y[pair] == b, x[pair])
        areas.append(max(area, 1 - area))
    return np.mean(areas)


pd.DataFrame([(label, feature, repr(float(score(label, feature))))
              for label in ("two", "three", "amount") for feature in NUMBERS + CATEGORIES],
             columns=["label", "feature", "score"]).to_csv(os.path.join(HERE, "leak_guard.csv"), index=False,
                                                           lineterminator="\n")
