"""Golden numbers of test_kmeans.c.

Tool: scikit-learn 1.9.1 (numpy 2.4.6).  The inertia is the best of 20 runs of
KMeans(n_init=10, tol=0, max_iter=1000); the centroids are those of that run, largest cluster first.

The generated cases use a linear congruential generator that the test repeats in C; the others are
public data sets, read from $RETAILML_DATA (columns before the label, z: standardized by the
population's standard deviation), of which only the result is kept here.

    RETAILML_DATA=... python3 test/golden/kmeans.py
"""

import csv
import os
import pathlib

import numpy as np
from sklearn.cluster import KMeans

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path(os.environ["RETAILML_DATA"])

# name, rows, features, clusters, spread of a cluster
GENERATED = [
    ("narrow", 600, 4, 5, 1.5),
    ("overlapping", 2000, 2, 8, 3.0),
    ("wide", 1000, 40, 6, 4.0),
]

# name, file, features, clusters, standardized
RECORDED = [
    ("iris", "iris.csv", 4, 3, False),
    ("wine", "wine.csv", 13, 3, True),
    ("s1", "cluster_s1.csv", 2, 15, False),
    ("s1_z", "cluster_s1.csv", 2, 15, True),
    ("s2", "cluster_s2.csv", 2, 15, False),
    ("s2_z", "cluster_s2.csv", 2, 15, True),
]


class Generator:
    """Numerical Recipes' 32-bit generator, the upper 24 bits as a number in [0, 1)."""

    def __init__(self):
        self.state = 1

    def uniform(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2**24


def blobs(n, d, k, spread):
    generator = Generator()
    centers = [[10.0 * generator.uniform() for _ in range(d)] for _ in range(k)]
    rows = []
    for i in range(n):
        row = []
        for j in range(d):
            noise = generator.uniform() + generator.uniform() + generator.uniform() - 1.5
            row.append(centers[i % k][j] + spread * noise)
        rows.append(row)
    return np.array(rows)


def recorded(file, d, standardized):
    x = np.loadtxt(DATA / file, delimiter=",", skiprows=1, usecols=range(d))
    return (x - x.mean(axis=0)) / x.std(axis=0) if standardized else x


def best(x, k):
    runs = [
        KMeans(k, n_init=10, tol=0, max_iter=1000, random_state=seed).fit(x) for seed in range(20)
    ]
    return min(runs, key=lambda run: run.inertia_)


def main():
    with open(HERE / "kmeans.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "file", "n", "d", "k", "spread", "standardized", "inertia"])
        for name, n, d, k, spread in GENERATED:
            run = best(blobs(n, d, k, spread), k)
            out.writerow([name, "", n, d, k, spread, "", repr(float(run.inertia_))])
            if name == "narrow":
                write_centroids(run)
        for name, path, d, k, standardized in RECORDED:
            x = recorded(path, d, standardized)
            inertia = repr(float(best(x, k).inertia_))
            out.writerow([name, path, len(x), d, k, "", int(standardized), inertia])


def write_centroids(run):
    sizes = np.bincount(run.labels_)
    with open(HERE / "kmeans_centroids.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["size", "c1", "c2", "c3", "c4"])
        for c in np.lexsort([run.cluster_centers_[:, 0], -sizes]):
            out.writerow([int(sizes[c])] + [repr(float(v)) for v in run.cluster_centers_[c]])


main()
