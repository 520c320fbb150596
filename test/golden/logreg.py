#!/usr/bin/env python3
"""Golden numbers of logistic regression: several classes, ridge and lasso.

Made with scikit-learn 1.9.1 (LogisticRegression; lbfgs and newton-cholesky for l2, saga for l1, on
z-scores by the weighted mean and deviation) and statsmodels 0.15.0 (MNLogit, with standard errors).

Writes logreg_rows.csv (the data: x1, x2, c1, three classes, weights; a weight is used only where
the case says so) and logreg.csv beside itself: case, class, term, estimate (in the terms' own units), std_error
(MNLogit) beside itself.  Reference of c1 is "u", the most frequent.
"""
import csv
import os
import warnings

import numpy as np
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

HERE = os.path.dirname(os.path.abspath(__file__))
TERMS = ["x1", "x2", "c1=(missing)", "c1=v", "c1=w"]
CLASSES = ["a", "b", "c"]


def data():
    i = np.arange(240)
    x1 = (i * 37 % 101) / 10 - 5
    x2 = 1000 + (i * 53 % 89) / 3
    c1 = np.array(["u", "v", "u", "w", "u", ""])[(i * 5 + i // 7) % 6]
    score = x1 / 3 + (x2 - 1015) / 15 + (c1 == "v") * 0.8 + (i * 71 % 97 - 48) / 20
    y = np.where(score < -0.7, "a", np.where(score < 0.9, "b", "c"))
    w = np.array([1, 2, 0.5, 0, 3, 1.25])[i % 6]
    return x1, x2, c1, y, w


def design(x1, x2, c1):
    return np.column_stack([x1, x2, c1 == "", c1 == "v", c1 == "w"]).astype(float)


def own_units(intercept, coef, mean, sd):
    b = coef / sd
    return np.concatenate([[intercept - b @ mean], b])


def penalised(X, y, w, l1, l2):
    """coefficients by class in the terms' own units, penalty on z-scores"""
    mean = np.average(X, axis=0, weights=w)
    sd = np.sqrt(np.average((X - mean)**2, axis=0, weights=w))
    Z = (X - mean) / sd
    if l1 > 0:
        model = LogisticRegression(l1_ratio=1, solver="saga", C=1 / l1, tol=1e-13, max_iter=2000000, random_state=1)
    else:
        model = LogisticRegression(C=1 / l2, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    model.fit(Z, y, sample_weight=w)
    return [own_units(b, c, mean, sd) for b, c in zip(model.intercept_, model.coef_)]


def main():
    warnings.simplefilter("ignore")
    x1, x2, c1, y, w = data()
    with open(os.path.join(HERE, "logreg_rows.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["x1", "x2", "c1", "y", "w"])
        for row in zip(x1, x2, c1, y, w):
            out.writerow([repr(float(row[0])), repr(float(row[1])), row[2], row[3], repr(float(row[4]))])
    X = design(x1, x2, c1)
    one = np.ones(len(y))
    lines = []
    model = sm.MNLogit(np.searchsorted(CLASSES, y), sm.add_constant(X)).fit(method="newton", tol=1e-14, maxiter=100, disp=0)
    for k in range(2):
        for j, term in enumerate(["(intercept)"] + TERMS):
            lines.append(["plain", CLASSES[k + 1], term, model.params[j, k], model.bse[j, k]])
    binary = np.where(y == "a", "a", "b")
    cases = [("ridge binary", binary, w, 0, 2.5), ("ridge", y, one, 0, 2.5), ("ridge weighted", y, w, 0, 0.3),
             ("lasso binary", binary, one, 4.0, 0), ("lasso binary weighted", binary, w, 9.0, 0), ("lasso", y, one, 6.0, 0)]
    for name, label, weights, l1, l2 in cases:
        result = penalised(X, label, weights, l1, l2)
        # differences to the reference class, but for lasso, where each class has a predictor
        if len(result) == 1:
            result = [("b", result[0])]
        elif l1 > 0:
            result = list(zip(CLASSES, result))
        else:
            result = [(k, r - result[0]) for k, r in zip(CLASSES[1:], result[1:])]
        for k, r in result:
            for term, value in zip(["(intercept)"] + TERMS, r):
                lines.append([name, k, term, value, ""])
    with open(os.path.join(HERE, "logreg.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["case", "class", "term", "estimate", "std_error"])
        for line in lines:
            out.writerow(line[:3] + ["" if v == "" else repr(float(v)) for v in line[3:]])


main()
