#!/usr/bin/env python3
"""Golden cluster metrics of rows with numbers and categories.

Made with scikit-learn 1.9.1, numpy 2.4.6.  Gower's distances are computed here, from Gower 1971:
the mean over columns of |x - y| / range for numbers and of 0 or 1 for categories; silhouettes are
scikit-learn's over them (metric="precomputed"), Davies-Bouldin and Calinski-Harabasz those of the
numbers as z-scores.  Rows of numbers alone have Euclidean distances of z-scores ("numbers") or of
the values ("raw").

Writes cluster_report.csv and cluster_report_rows.csv beside itself.
"""
import csv
import os

import numpy as np
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score
from sklearn.metrics import silhouette_samples

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = ["mixed", "noise", "categories", "numbers", "raw"]
N = 120


def rows_of(case):
    """x [n x 2], c [n x 2] texts, labels [n], all short in decimal"""
    rng = np.random.default_rng(CASES.index(case))
    labels = rng.integers(0, 4, N) * 3 + 2
    x = np.round(np.column_stack([labels + rng.normal(0, 2, N), 1000 - 90 * labels + rng.normal(0, 200, N)]), 3)
    c = np.array([["abcde"[int(v) % 5] for v in (label + rng.integers(0, 3), rng.integers(0, 2))] for label in labels])
    c[rng.random(N) < 0.1, 0] = ""  # missing: a category of its own
    if case == "noise":
        labels[::7] = -3
        labels[5] = 1000  # alone
    return x, c, labels


def gower(x, c, numbers, categories):
    total = np.zeros((N, N))
    for f in range(x.shape[1] if numbers else 0):
        total += np.abs(x[:, None, f] - x[None, :, f]) / np.ptp(x[:, f])
    for f in range(c.shape[1] if categories else 0):
        total += c[:, None, f] != c[None, :, f]
    return total / (x.shape[1] * numbers + c.shape[1] * categories)


def distances(case, x, c):
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    if case in ("numbers", "raw"):
        used = x if case == "raw" else z
        return used, np.sqrt(((used[:, None] - used[None]) ** 2).sum(axis=2))
    return z, gower(x, c, case != "categories", True)


def main():
    with open(os.path.join(HERE, "cluster_report.csv"), "w", newline="") as file, \
         open(os.path.join(HERE, "cluster_report_rows.csv"), "w", newline="") as rows_file:
        out = csv.writer(file, lineterminator="\n")
        rows_out = csv.writer(rows_file, lineterminator="\n")
        out.writerow(["name", "clusters", "noise_share", "silhouette", "davies_bouldin", "calinski_harabasz"])
        rows_out.writerow(["name", "label", "x", "y", "c", "e", "silhouette"])
        for case in CASES:
            x, c, labels = rows_of(case)
            used, d = distances(case, x, c)
            kept = labels >= 0
            s = np.full(N, np.nan)
            s[kept] = silhouette_samples(d[np.ix_(kept, kept)], labels[kept], metric="precomputed")
            db = ch = ""
            if case != "categories":
                db = repr(float(davies_bouldin_score(used[kept], labels[kept])))
                ch = repr(float(calinski_harabasz_score(used[kept], labels[kept])))
            out.writerow([case, len(set(labels[kept])), repr(float(1 - kept.mean())), repr(float(np.nanmean(s))), db, ch])
            for i in range(N):
                numbers = ["", ""] if case == "categories" else [repr(float(v)) for v in x[i]]
                texts = ["", ""] if case in ("numbers", "raw") else list(c[i])
                rows_out.writerow([case, labels[i], *numbers, *texts, "" if np.isnan(s[i]) else repr(float(s[i]))])


main()
