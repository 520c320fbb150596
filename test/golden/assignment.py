#!/usr/bin/env python3
"""Golden assignments: cost matrices and the least total cost.

Made with scipy 1.17.1: scipy.optimize.linear_sum_assignment.  numpy 2.4.6.

Writes assignment.csv beside itself: one line per entry of a matrix.  total is the least cost, empty
where the forbidden pairs (inf) leave no assignment; assigned is 1 for the pairs of scipy's
assignment, which need not be the only one where unique is 0.
"""
import csv
import os

import numpy as np
from scipy.optimize import linear_sum_assignment

HERE = os.path.dirname(os.path.abspath(__file__))


def forbid(rng, cost, share):
    return np.where(rng.random(cost.shape) < share, np.inf, cost)


def cases():
    """name, cost, whether the optimum is known to be the only one (costs drawn at random)"""
    rng = np.random.default_rng(1)
    for shape in [(1, 1), (1, 5), (5, 1), (2, 2), (3, 3), (3, 7), (7, 3), (10, 10), (20, 20), (25, 12)]:
        yield "random %dx%d" % shape, rng.normal(size=shape), True
    yield "large numbers", 1e12 + 1e6 * rng.random((8, 8)), True
    yield "small numbers", 1e-12 * rng.random((8, 9)), True
    yield "scales", 10.0 ** rng.uniform(-6, 6, (12, 12)), True
    for i in range(6):
        shape = tuple(rng.integers(2, 9, 2))
        yield "few integers %d" % i, rng.integers(0, 3, shape).astype(float), False
    yield "all equal", np.ones((6, 6)), False
    yield "a permutation", -np.eye(9)[rng.permutation(9)], True
    for i in range(6):
        yield "forbidden pairs %d" % i, forbid(rng, rng.random((7, 7)), 0.5), True
    yield "forbidden pairs, few rows", forbid(rng, rng.random((4, 9)), 0.6), True
    yield "forbidden pairs, few columns", forbid(rng, rng.random((9, 4)), 0.6), True
    one_row = rng.random((4, 4))
    one_row[2] = np.inf
    yield "a row without a pair", one_row, True
    two_rows = np.full((3, 3), np.inf)
    two_rows[:, 0] = 1
    two_rows[0] = 2
    yield "two rows for one column", two_rows, True


def solve(cost):
    try:
        rows, cols = linear_sum_assignment(cost)
    except ValueError:
        return "", set()
    return repr(float(cost[rows, cols].sum())), set(zip(rows.tolist(), cols.tolist()))


def main():
    with open(os.path.join(HERE, "assignment.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "rows", "cols", "cost", "total", "assigned", "unique"])
        for name, cost, unique in cases():
            total, pairs = solve(cost)
            for (i, j), value in np.ndenumerate(cost):
                out.writerow([name.replace(",", ";"), *cost.shape, repr(float(value)), total,
                              int((i, j) in pairs), int(unique)])


main()
