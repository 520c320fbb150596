#!/usr/bin/env python3
"""Golden neighbours of SMOTE by scikit-learn, and moments of synthetic rows by imbalanced-learn.

Made with Python 3.11, scikit-learn 1.9.1, imbalanced-learn 0.14.2, pandas 3.1.1, numpy 2.4.6.  Writes beside itself

  resample_rows.csv     three classes of 80, 30 and 10 rows: two numbers, a boolean, two categories (codes)
  resample.csv          for each row of the two small classes the 5 nearest of its class (NearestNeighbors on numbers
                        divided by their standard deviation and one-hot categories, so that one that differs adds the
                        squared median deviation of the class), and the most frequent flag and categories of these
  resample_moments.csv  mean and standard deviation of the rows that SMOTE adds for the two numbers alone, on their
                        z-scores, over 2000 seeds
"""
import os

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE
from sklearn.neighbors import NearestNeighbors

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = ["a", "b"]
CATEGORIES = ["c", "d"]
SIZES = [80, 30, 10]

rng = np.random.default_rng(11)
label = np.repeat([0, 1, 2], SIZES)
rows = pd.DataFrame({
    "class": label,
    "a": np.round(rng.normal(size=120) * (1 + label) + 3 * label, 3),
    "b": np.round(1000 * rng.gamma(1 + label), 1),
    "flag": (rng.random(120) < 0.3 + 0.2 * label).astype(int),
    "c": rng.integers(1, 4, 120),
    "d": np.where(rng.random(120) < 0.1, 0, rng.integers(1, 12, 120)),
}).sample(frac=1, random_state=5).reset_index(drop=True)
rows.to_csv(os.path.join(HERE, "resample_rows.csv"), index=False, lineterminator="\n")


def mode(values):
    counts = values.value_counts()
    return next(value for value in values if counts[value] == counts.max())


numbers = NUMBERS + ["flag"]
z = (rows[numbers] - rows[numbers].mean()) / rows[numbers].std(ddof=0)
lines = []
for k in (1, 2):
    own = rows[rows["class"] == k]
    median = np.median(z.loc[own.index].std(ddof=0))
    # two ones that differ add 2 * (median / sqrt(2)) ** 2
    onehot = pd.get_dummies(own[CATEGORIES].astype(str)).to_numpy(float) * median / np.sqrt(2)
    points = np.hstack([z.loc[own.index].to_numpy(), onehot])
    nearest = NearestNeighbors(n_neighbors=6, algorithm="brute").fit(points).kneighbors(points)[1]
    for i, found in enumerate(nearest):
        others = own.iloc[[j for j in found if j != i][:5]]
        lines.append([own.index[i], *others.index, *(mode(others[name]) for name in ["flag"] + CATEGORIES)])
pd.DataFrame(lines, columns=["row", "n1", "n2", "n3", "n4", "n5", "flag", "c", "d"]).to_csv(
    os.path.join(HERE, "resample.csv"), index=False, lineterminator="\n")

z = z[NUMBERS].to_numpy()
added = {1: [], 2: []}
for seed in range(2000):
    x, y = SMOTE(k_neighbors=5, random_state=seed).fit_resample(z, rows["class"].to_numpy())
    for k in added:
        added[k].append(x[120:][y[120:] == k])
pd.DataFrame([(k, name, repr(float(values[:, j].mean())), repr(float(values[:, j].std())))
              for k, values in ((k, np.vstack(parts)) for k, parts in added.items())
              for j, name in enumerate(NUMBERS)],
             columns=["class", "number", "mean", "sd"]).to_csv(os.path.join(HERE, "resample_moments.csv"), index=False,
                                                               lineterminator="\n")
