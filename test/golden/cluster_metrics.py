#!/usr/bin/env python3
"""Golden silhouettes, Davies-Bouldin and Calinski-Harabasz indices.

Made with scikit-learn 1.9.1, scipy 1.17.1, numpy 2.4.6.  The rows come from a formula that
test_cluster_metrics.c computes too, or from the files in $RETAILML_DATA (labels: last column).

scikit-learn's distances come from |x|^2 + |y|^2 - 2xy, which is not exact enough to test against:
silhouettes are taken over scipy's distances, and rows with an offset are moved back before (the
formula is such that this is exact).  The script checks that scikit-learn's own agree to 1e-9.

Writes cluster_metrics.csv and cluster_metrics_rows.csv beside itself.
"""
import csv
import os

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score
from sklearn.metrics import silhouette_samples

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ["RETAILML_DATA"]
MASK = 2**64 - 1

# name, rows, features, clusters, offset, every how many rows are noise (0: none), singletons
CASES = [
    ("two", 50, 2, 2, 0, 0, 0),
    ("five", 500, 3, 5, 0, 0, 0),
    ("wide", 200, 40, 4, 0, 0, 0),
    ("one feature", 300, 1, 3, 0, 0, 0),
    ("singletons", 120, 2, 6, 0, 0, 3),
    ("noise", 400, 3, 4, 0, 7, 0),
    ("noise and singletons", 97, 5, 8, 0, 5, 4),
    ("many clusters", 900, 4, 60, 0, 0, 0),
    ("far away", 300, 3, 3, 2.0**30, 0, 0),
    ("several blocks", 1100, 256, 7, 0, 11, 1),
]
FILES = ["iris.csv", "wine.csv", "cluster_aggregation.csv", "cluster_s1.csv"]


def uniforms():
    """Knuth's 64-bit linear congruential generator, upper 53 bits"""
    state = 1
    while True:
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        yield (state >> 11) * 2.0**-53


def rows_of(n, d, k, offset, noise, singletons):
    u = uniforms()
    x = np.empty((n, d))
    labels = np.empty(n, dtype=int)
    for i in range(n):
        v = next(u)
        label = int(v * v * k) if i >= singletons else k - 1 - i
        if i >= singletons:
            label = min(label, k - 1 - singletons)
        for f in range(d):
            centre = label * (f + 3) * 5 % 7
            # a multiple of 2^-20: exact next to any offset here
            step = int((next(u) + next(u) + next(u)) * 2**20) * 2.0**-20
            x[i, f] = offset + (centre + step)
        labels[i] = -1 if noise and i % noise == noise - 1 else label
    return x, labels


def read(name):
    with open(os.path.join(DATA, name), newline="") as file:
        table = list(csv.reader(file))[1:]
    kinds = sorted({row[-1] for row in table})
    x = np.array([[float(cell) for cell in row[:-1]] for row in table])
    return x, np.array([kinds.index(row[-1]) for row in table])


def near(a, b):
    return np.all(np.abs(np.asarray(a) - b) <= 1e-9 * np.maximum(1, np.abs(b)))


def metrics(x, labels):
    s = silhouette_samples(cdist(x, x), labels, metric="precomputed")
    assert near(s, silhouette_samples(x, labels))
    return s, davies_bouldin_score(x, labels), calinski_harabasz_score(x, labels)


def main():
    with open(os.path.join(HERE, "cluster_metrics.csv"), "w", newline="") as file, \
         open(os.path.join(HERE, "cluster_metrics_rows.csv"), "w", newline="") as rows_file:
        out = csv.writer(file, lineterminator="\n")
        rows_out = csv.writer(rows_file, lineterminator="\n")
        out.writerow(["name", "file", "n", "d", "k", "offset", "noise", "singletons",
                      "silhouette", "davies_bouldin", "calinski_harabasz"])
        rows_out.writerow(["name", "row", "silhouette"])
        for name, n, d, k, offset, noise, singletons in CASES:
            x, labels = rows_of(n, d, k, offset, noise, singletons)
            kept = labels >= 0
            s, db, ch = metrics((x - offset)[kept], labels[kept])
            out.writerow([name, "", n, d, k, repr(float(offset)), noise, singletons,
                          repr(float(s.mean())), repr(float(db)), repr(float(ch))])
            if n <= 120:
                rows = np.full(n, np.nan)
                rows[kept] = s
                for i, value in enumerate(rows):
                    rows_out.writerow([name, i, "" if np.isnan(value) else repr(float(value))])
        for name in FILES:
            x, labels = read(name)
            s, db, ch = metrics(x, labels)
            out.writerow([name, name, len(x), x.shape[1], labels.max() + 1, "0.0", 0, 0,
                          repr(float(s.mean())), repr(float(db)), repr(float(ch))])


main()
