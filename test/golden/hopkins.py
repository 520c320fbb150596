#!/usr/bin/env python3
"""Golden Hopkins statistics: include/retailml/hopkins.h written a second time, with numpy and scipy.

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1 (cKDTree finds the neighbours).  The rows come from a
formula that test_hopkins.c computes too; the draws are Philox4x32-10 from the tables of Salmon et
al. 2011.  Writes hopkins.csv beside itself.
"""
import csv
import os

import numpy as np
from scipy.spatial import cKDTree

HERE = os.path.dirname(os.path.abspath(__file__))
MASK32 = (1 << 32) - 1
ROW_STREAM, POINT_STREAM = 1, 2


def bits(seed, stream, index):
    x = [index & MASK32, index >> 32, stream & MASK32, stream >> 32]
    key = [seed & MASK32, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [q >> 32 ^ x[1] ^ key[0], q & MASK32, p >> 32 ^ x[3] ^ key[1], p & MASK32]
        key = [(key[0] + 0x9E3779B9) & MASK32, (key[1] + 0xBB67AE85) & MASK32]
    return x[0] | x[1] << 32


def rows_of(n, d, spread):
    """clumps at the corners of a grid; the larger spread, the more even"""
    return np.array([[(i * (j + 2)) % 5 + spread * ((i * 7919 + j * 104729) % 10007) / 10007 for j in range(d)]
                     for i in range(n)])


def hopkins(x, seed):
    n, d = x.shape
    m = max(1, min(1000, n // 10))
    low, high = x.min(axis=0), x.max(axis=0)
    u = np.array([[(bits(seed, POINT_STREAM, i * d + j) >> 11) / 2**53 for j in range(d)] for i in range(m)])
    drawn = []
    for i in range(m):
        last = n - m + i
        row = bits(seed, ROW_STREAM, i) * (last + 1) >> 64
        drawn.append(last if row in drawn else row)
    tree = cKDTree(x)
    from_point = tree.query(low + (high - low) * u)[0]
    from_row = tree.query(x[drawn], k=2)[0][:, 1]
    largest = max(from_point.max(), from_row.max())
    a, b = np.sum((from_point / largest) ** d), np.sum((from_row / largest) ** d)
    return a / (a + b)


with open(os.path.join(HERE, "hopkins.csv"), "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["n", "d", "spread", "seed", "hopkins"])
    for n, d, spread, seed in [(2, 1, 1.0, 42), (30, 1, 0.5, 42), (200, 2, 0.1, 42), (200, 2, 5.0, 7), (1000, 3, 0.2, 1),
                               (1000, 8, 3.0, 2), (3000, 5, 1.0, 3)]:
        out.writerow([n, d, spread, seed, repr(float(hopkins(rows_of(n, d, spread), seed)))])
