"""Golden numbers of test_segment_rules.c.

Tool: numpy 2.4.6, scikit-learn 1.9.1.  For each cluster against the rest:

optimum1, optimum2   the largest F1 of all conjunctions of at most 1 and 2 bounds (x > value, x <= value
                     for every value of every column), by enumeration
tree3, tree4         the largest F1 of a leaf of DecisionTreeClassifier(max_depth=3 or 4), with and
                     without class_weight="balanced"; a leaf is a conjunction of that many bounds

The generated cases use a linear congruential generator that the test repeats in C; the others are
public data sets, read from $RETAILML_DATA, of which only the result is kept here.

    RETAILML_DATA=... python3 test/golden/segment_rules.py
"""

import csv
import os
import pathlib

import numpy as np
from sklearn.tree import DecisionTreeClassifier

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path(os.environ["RETAILML_DATA"])

# name, rows, features, clusters, spread of a cluster
GENERATED = [("near", 400, 4, 5, 4.0), ("mixed", 600, 3, 4, 8.0)]
# name, file, features
RECORDED = [("iris", "iris.csv", 4), ("wine", "wine.csv", 13)]


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


def f1(hits, selected, size):
    return 2.0 * hits / (selected + size)


def bounds(rows):
    """One row per bound: which rows of the data it selects."""
    selections = [np.ones(len(rows), dtype=bool)]
    for column in rows.T:
        for value in np.unique(column):
            selections += [column > value, column <= value]
    return np.array(selections, dtype=np.float64)


def optima(selections, inside):
    size = inside.sum()
    one = f1(selections @ inside, selections.sum(axis=1), size).max()
    two = f1((selections * inside) @ selections.T, selections @ selections.T, size).max()
    return one, two


def best_leaf(rows, inside, depth):
    best = 0.0
    for weight in None, "balanced":
        tree = DecisionTreeClassifier(max_depth=depth, class_weight=weight, random_state=0)
        leaves = tree.fit(rows, inside).apply(rows)
        for leaf in np.unique(leaves):
            best = max(best, f1(inside[leaves == leaf].sum(), (leaves == leaf).sum(), inside.sum()))
    return best


def recorded(file, features):
    with open(DATA / file, newline="") as lines:
        table = list(csv.reader(lines))[1:]
    names = sorted({line[-1] for line in table})
    rows = np.array([[float(cell) for cell in line[:features]] for line in table])
    return rows, np.array([names.index(line[-1]) for line in table])


def main():
    cases = []
    for name, n, d, k, spread in GENERATED:
        cases.append((name, blobs(n, d, k, spread), np.arange(n) % k))
    for name, file, features in RECORDED:
        cases.append((name, *recorded(file, features)))
    with open(HERE / "segment_rules.csv", "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["name", "cluster", "optimum1", "optimum2", "tree3", "tree4"])
        for name, rows, labels in cases:
            selections = bounds(rows)
            for cluster in np.unique(labels):
                inside = (labels == cluster).astype(np.float64)
                numbers = *optima(selections, inside), *(best_leaf(rows, inside, d) for d in (3, 4))
                writer.writerow([name, cluster, *(repr(float(x)) for x in numbers)])


main()
