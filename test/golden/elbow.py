#!/usr/bin/env python3
"""Golden elbows: curves, and the point that kneed finds.

Made with kneed 0.9.0: KneeLocator(x, y, S=1, curve="convex", direction="decreasing").elbow.  The
inertia curves are scikit-learn 1.9.1's KMeans (n_init=10, random_state=0, standardized columns) on
the files in $RETAILML_DATA.  numpy 2.4.6.

Writes elbow.csv beside itself: one line per point; elbow is its position in the curve, -1: none.
"""
import csv
import os
import warnings

import numpy as np
from kneed import KneeLocator
from sklearn.cluster import KMeans

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ["RETAILML_DATA"]
FILES = [("iris.csv", 0, 4), ("wine.csv", 0, 13), ("cluster_s1.csv", 0, 2),
         ("mall_customers.csv", 2, 5)]


def read(name, first, end):
    with open(os.path.join(DATA, name), newline="") as file:
        table = list(csv.reader(file))[1:]
    x = np.array([[float(cell) for cell in row[first:end]] for row in table])
    return (x - x.mean(axis=0)) / x.std(axis=0)


def inertia_curves():
    for name, first, end in FILES:
        x = read(name, first, end)
        for low, high in [(1, 10), (2, 10), (2, 20)]:
            k = np.arange(low, high + 1)
            yield (f"{name} k = {low} to {high}", k,
                   [KMeans(i, n_init=10, random_state=0).fit(x).inertia_ for i in k])


def made_curves():
    k = np.arange(2, 13)
    for power in (0.25, 0.5, 1, 2, 4):
        yield f"1 / k^{power}", k, 1000.0 / k**power
    for rate in (0.1, 0.3, 1, 3):
        yield f"exp(-{rate} k)", k, np.exp(-rate * k)
    for corner in (3, 4, 6, 10):
        yield f"corner at {corner}", k, np.maximum(corner - k, 0) * 10.0 + (12 - k)
    yield "two corners", k, [100, 60, 58, 56, 54, 20, 19, 18, 17, 16, 15]
    yield "a bump", k, [100, 40, 45, 30, 28, 26, 25, 24, 23.5, 23, 22.9]
    yield "a plateau at the elbow", k, [100, 20, 20, 20, 18, 16, 14, 12, 10, 8, 6]
    yield "steps", k, [90, 90, 60, 60, 40, 40, 30, 30, 25, 25, 24]
    yield "straight", k, 120.0 - 10 * k
    yield "concave", k, 200.0 - k**2
    yield "rising", k, k**2.0
    yield "uneven x", [1, 2, 3, 5, 8, 13, 21, 34], [80, 44, 30, 19, 11, 6, 3, 1]
    yield "fractions of x", np.arange(11) / 7, 1 / (1 + np.arange(11))
    yield "three points", [1, 2, 3], [10, 1, 0]
    yield "three points without", [1, 2, 3], [10, 6, 0]
    yield "four points", [1, 2, 3, 4], [10, 3, 2, 1]
    yield "a long curve", np.arange(1, 101), 1.0 / np.arange(1, 101)
    rng = np.random.default_rng(7)
    for i in range(10):
        n = int(rng.integers(5, 16))
        drops = np.sort(rng.random(n) ** 4)[::-1]
        yield f"random drops {i}", np.arange(1, n + 1), drops[::-1].cumsum()[::-1]
    for i in range(10):
        n = int(rng.integers(5, 16))
        yield f"random {i}", np.arange(1, n + 1), rng.integers(0, 20, n)


def main():
    warnings.simplefilter("ignore")
    with open(os.path.join(HERE, "elbow.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["curve", "x", "y", "elbow"])
        for name, x, y in [*inertia_curves(), *made_curves()]:
            x, y = np.array(x, dtype=float), np.array(y, dtype=float)
            elbow = KneeLocator(x, y, S=1, curve="convex", direction="decreasing").elbow
            position = -1 if elbow is None else int(np.flatnonzero(x == elbow)[0])
            for point in zip(x, y):
                out.writerow([name, *(repr(float(v)) for v in point), position])


main()
