#!/usr/bin/env python3
"""Golden mappings of clusters: tables of counts, and the best mapping.

Made with scipy 1.17.1 (linear_sum_assignment, for the number of rows that can be kept).  Where
the clusters are at most 7, the mapping itself is found by trying all of them in fractions: most
rows, then the largest sum of Jaccard indexes, then the lowest new cluster for the lowest old one.
numpy 2.4.6.

Writes cluster_match.csv beside itself: one line per cell of a table; rows kept in all; mapped is 1
for cells in the mapping, empty where it was not searched for.
"""
import csv
import itertools
import os
from fractions import Fraction

import numpy as np
from scipy.optimize import linear_sum_assignment

HERE = os.path.dirname(os.path.abspath(__file__))


def kept_rows(table):
    rows, cols = linear_sum_assignment(-table)
    return int(table[rows, cols].sum())


def mappings(table):
    """all one-to-one mappings that use only cells with rows; a row's cluster or None"""
    n_new = table.shape[1]
    options = [[None] + [j for j in range(n_new) if table[i, j] > 0] for i in range(len(table))]
    for choice in itertools.product(*options):
        used = [j for j in choice if j is not None]
        if len(used) == len(set(used)):
            yield choice


def best_mapping(table):
    old, new = table.sum(axis=1), table.sum(axis=0)

    def rank(choice):
        pairs = [(i, j) for i, j in enumerate(choice) if j is not None]
        overlap = sum(int(table[i, j]) for i, j in pairs)
        jaccard = sum(Fraction(int(table[i, j]), int(old[i] + new[j] - table[i, j])) for i, j in pairs)
        order = tuple(table.shape[1] if j is None else j for j in choice)
        return -overlap, -jaccard, order

    return min(mappings(table), key=rank)


def cases():
    rng = np.random.default_rng(3)
    for i, shape in enumerate([(1, 1), (1, 3), (3, 1), (2, 2), (4, 4), (3, 5), (5, 3), (6, 6)]):
        yield f"counts {i}", rng.integers(0, 50, shape)
    for i in range(30):
        yield f"ties {i}", rng.integers(0, 3, tuple(rng.integers(1, 6, 2)))
    for i in range(10):
        yield f"sparse ties {i}", rng.integers(0, 2, (5, 5)) * rng.integers(0, 2, (5, 5))
    yield "all the same", np.full((4, 4), 5)
    yield "nothing in common but one", np.diag([0, 0, 3, 0])
    yield "overlap before jaccard", np.array([[60, 40, 0], [41, 0, 0], [0, 20, 900]])
    yield "jaccard among equals", np.array([[10, 10], [0, 90]])
    yield "many", rng.integers(0, 1000, (30, 30))
    yield "many ties", rng.integers(0, 4, (25, 40))


def main():
    with open(os.path.join(HERE, "cluster_match.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "old", "new", "n", "kept", "mapped"])
        for name, table in cases():
            small = max(table.shape) <= 7
            mapping = best_mapping(table) if small else None
            kept = kept_rows(table)
            for (i, j), n in np.ndenumerate(table):
                if n > 0:
                    out.writerow([name, i, j, int(n), kept, int(mapping[i] == j) if small else ""])


main()
