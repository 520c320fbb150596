#!/usr/bin/env python3
"""Golden agreement of labels: tables of pairs, adjusted Rand index, mutual information.

Made with scikit-learn 1.9.1: adjusted_rand_score and normalized_mutual_info_score, where a table
has at most a million rows.  Beyond (and near 0 and 1, where scikit-learn loses digits) the numbers
are the definitions in fractions and in 60 decimals.  numpy 2.4.6.

Writes contingency.csv beside itself: one line per pair of labels, n rows each.
"""
import csv
import os
from collections import Counter
from decimal import Decimal, getcontext
from fractions import Fraction

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

HERE = os.path.dirname(os.path.abspath(__file__))
getcontext().prec = 60


def sizes(table):
    a, b = Counter(), Counter()
    for (i, j), n in table.items():
        a[i] += n
        b[j] += n
    return a, b


def exact(table):
    a, b = sizes(table)
    n = sum(table.values())
    pairs = sum(v * (v - 1) // 2 for v in table.values())
    pairs_a = sum(v * (v - 1) // 2 for v in a.values())
    pairs_b = sum(v * (v - 1) // 2 for v in b.values())
    expected = Fraction(pairs_a * pairs_b, n * (n - 1) // 2)
    ari = (pairs - expected) / (Fraction(pairs_a + pairs_b, 2) - expected)

    def entropy(counts):
        return -sum(Decimal(v) / n * (Decimal(v) / n).ln() for v in counts)

    information = entropy(a.values()) + entropy(b.values()) - entropy(table.values())
    nmi = 2 * information / (entropy(a.values()) + entropy(b.values()))
    return float(ari), float(nmi)


def sklearn(table):
    keys, counts = list(table), list(table.values())
    a = np.repeat([i for i, _ in keys], counts)
    b = np.repeat([j for _, j in keys], counts)
    return adjusted_rand_score(a, b), normalized_mutual_info_score(a, b)


def drawn(rng, n, k, l, agree):
    """labels of n rows, of which a share agrees up to a permutation"""
    a = rng.integers(0, k, n)
    b = np.where(rng.random(n) < agree, (a * 7 + 3) % l, rng.integers(0, l, n))
    return dict(Counter(zip(a.tolist(), b.tolist())))


def cases():
    rng = np.random.default_rng(2)
    for n, k, l, agree in [(50, 3, 3, 0.8), (50, 2, 5, 0.3), (1000, 4, 4, 0.95), (1000, 10, 7, 0.5),
                           (20000, 5, 5, 0.0), (20000, 8, 30, 0.7), (500, 200, 200, 0.5)]:
        yield f"{n} rows; {k} and {l} labels; {agree} agree", sklearn, drawn(rng, n, k, l, agree)
    yield "renamed", sklearn, {(0, 5): 10, (1, -1): 20, (2, 3): 30}
    yield "one label each", sklearn, {(4, 9): 12}
    yield "one row", sklearn, {(1, 1): 1}
    yield "one label against three", sklearn, {(0, 0): 5, (0, 1): 6, (0, 2): 1}
    yield "one label against all different", sklearn, {(0, i): 1 for i in range(9)}
    yield "all different", sklearn, {(i, 8 - i): 1 for i in range(9)}
    yield "all different against pairs", sklearn, {(i, i // 2): 1 for i in range(10)}
    yield "opposed", sklearn, {(0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 1}
    yield "independent", sklearn, {(i, j): (i + 1) * (j + 2) for i in range(3) for j in range(4)}
    yield "a split", sklearn, {(0, 0): 30, (0, 1): 30, (1, 2): 40}
    yield "extreme labels", sklearn, {(-2147483648, 2147483647): 3, (2147483647, 0): 4, (0, 0): 1}
    billions = {(i, j): 10**9 // (1 + 3 * abs(i - j)) + 17 * i + j for i in range(4) for j in range(4)}
    yield "billions of rows", exact, billions
    yield "the most rows", exact, {key: n * 10**8 for key, n in billions.items()}
    yield "one of a billion differs", exact, {(0, 0): 10**9, (1, 1): 5, (1, 0): 1}
    yield "nearly independent", exact, {(0, 0): 10**8 + 1, (0, 1): 10**8, (1, 0): 10**8, (1, 1): 10**8}


def main():
    with open(os.path.join(HERE, "contingency.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "a", "b", "n", "ari", "nmi"])
        for name, measure, table in cases():
            ari, nmi = measure(table)
            for (i, j), n in table.items():
                out.writerow([name, i, j, n, repr(float(ari)), repr(float(nmi))])


main()
