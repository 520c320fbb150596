#!/usr/bin/env python3
"""Golden recursive feature elimination.

Made with scikit-learn 1.9.1: RFECV and RFE (step 1) on PredefinedSplit of a pipeline of StandardScaler and
LinearRegression, whose coefficients are the importances; numpy 2.4.6.

Writes rfecv_rows.csv (8 columns, label, folds) and rfecv.csv (for each number of features the
scores of the folds, mean, population standard deviation, whether it is the best) and
rfecv_ranking.csv (the column dropped at each size; the last one is left) beside itself.
"""
import csv
import os

import numpy as np
from sklearn.feature_selection import RFE, RFECV
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = os.path.dirname(os.path.abspath(__file__))
N, D, FOLDS = 90, 8, 4


def write(name, header, lines):
    with open(os.path.join(HERE, name), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(lines)


def main():
    rng = np.random.default_rng(6)
    x = rng.normal(0, 1, (N, D)) * 10.0 ** np.arange(-3, D - 3)
    x[:, 5] += x[:, 2] / x[:, 2].std() * x[:, 5].std()
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    y = z @ [0, 1.5, -1, 0, 0.6, 0.1, 0, 0] + rng.normal(0, 1.2, N)
    folds = rng.integers(0, FOLDS, N)
    model = make_pipeline(StandardScaler(), LinearRegression())
    found = RFECV(
        model,
        cv=PredefinedSplit(folds),
        scoring="neg_root_mean_squared_error",
        importance_getter="named_steps.linearregression.coef_",
    ).fit(x, y)
    # the ranking of all columns: the same elimination down to one
    one = RFE(
        model, n_features_to_select=1, importance_getter="named_steps.linearregression.coef_"
    ).fit(x, y)
    write(
        "rfecv_rows.csv",
        [f"x{j + 1}" for j in range(D)] + ["y", "fold"],
        [[repr(float(v)) for v in row] + [repr(float(t)), f] for row, t, f in zip(x, y, folds)],
    )
    results = found.cv_results_
    write(
        "rfecv.csv",
        ["n_features"] + [f"fold{f}" for f in range(FOLDS)] + ["mean", "sd", "best"],
        [
            [int(k)]
            + [repr(float(-results[f"split{f}_test_score"][i])) for f in range(FOLDS)]
            + [repr(float(-results["mean_test_score"][i])), repr(float(results["std_test_score"][i]))]
            + [int(k == found.n_features_)]
            for i, k in enumerate(results["n_features"])
        ],
    )
    write(
        "rfecv_ranking.csv",
        ["n_features", "dropped"],
        [[int(r) - 1, j + 1] for r, j in sorted(zip(one.ranking_, range(D)), reverse=True) if r > 1],
    )


main()
