#!/usr/bin/env python3
"""Golden coefficients and errors in rational numbers (Python 3.11's fractions; nothing is rounded before the
end), where R's own lm has 8 digits: Longley's data (linreg_rows.csv), and polynomials.

Polynomials: y is 1 + x - x^2 / 2 and something regular on top, at x = 0, 1/8, .. 5; the terms are x, x^2 ..

Writes linreg_exact.csv beside itself: data (longley, the degree, or ridge: longley with l2 = 1/2 on z-scores), term, estimate, classical, HC1 and HC3
errors.
"""
import csv
import math
import os
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))


def polynomial(degree):
    for i in range(41):
        x = Fraction(i, 8)
        yield [x**d for d in range(degree + 1)], 1 + x - x * x / 2 + Fraction(i * 37 % 11 - 5, 16)


def longley():
    with open(os.path.join(HERE, "linreg_rows.csv")) as file:
        for row in csv.DictReader(file):
            if row["data"] == "longley":
                yield [Fraction(1)] + [Fraction(float(row[f"x{j}"])) for j in range(1, 7)], Fraction(float(row["y"]))


def inverse(a):
    n = len(a)
    m = [row[:] + [Fraction(int(i == j)) for j in range(n)] for i, row in enumerate(a)]
    for i in range(n):
        m[i] = [v / m[i][i] for v in m[i]]
        for k in range(n):
            if k != i:
                m[k] = [u - m[k][i] * v for u, v in zip(m[k], m[i])]
    return [row[n:] for row in m]


def dot(a, b):
    return sum(u * v for u, v in zip(a, b))


def penalty(x, l2):
    """l2 on z-scores: the variances of the terms, none for the intercept"""
    n, p = len(x), len(x[0])
    mean = [sum(t[j] for t in x) / n for j in range(p)]
    return [l2 * sum((t[j] - mean[j])**2 for t in x) / n for j in range(p)]


def fit(data, l2=0):
    """a term at a time: estimate, classical, HC1 and HC3 errors; with l2 those of the estimator"""
    x, y = [t for t, _ in data], [v for _, v in data]
    n, p = len(x), len(x[0])
    cross = [[sum(t[i] * t[j] for t in x) for j in range(p)] for i in range(p)]
    extra = penalty(x, l2)
    a = inverse([[cross[i][j] + (extra[i] if i == j else 0) for j in range(p)] for i in range(p)])
    b = [dot(row, [sum(t[j] * v for t, v in data) for j in range(p)]) for row in a]
    e = [v - dot(b, t) for t, v in data]
    turned = [[dot(row, t) for row in a] for t in x]
    h = [dot(t, u) for t, u in zip(x, turned)]
    df = n - sum(h)
    for j in range(p):
        plain = sum(u[j]**2 for u in turned) * dot(e, e) / df
        hc1 = sum((r * u[j])**2 for r, u in zip(e, turned)) * n / df
        hc3 = sum((r / (1 - q) * u[j])**2 for r, q, u in zip(e, h, turned))
        yield [float(b[j])] + [math.sqrt(v) for v in (plain, hc1, hc3)]


def main():
    sets = {"longley": list(longley())}
    sets.update({str(degree): list(polynomial(degree)) for degree in [3, 6, 8, 10]})
    with open(os.path.join(HERE, "linreg_exact.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["data", "term", "estimate", "std_error", "hc1", "hc3"])
        for name, data in sets.items():
            for term, values in enumerate(fit(data)):
                out.writerow([name, term] + [repr(v) for v in values])
        for term, values in enumerate(fit(sets["longley"], Fraction(1, 2))):
            out.writerow(["ridge", term] + [repr(v) for v in values])


main()
