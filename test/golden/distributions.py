#!/usr/bin/env python3
"""Golden tails and quantiles of the normal, Student, F and chi-squared distributions.

Tails are made with mpmath 1.4.1 in 60 decimals (scipy 1.17.1 agrees, but has fewer digits here and
there), quantiles with scipy 1.17.1.

Writes distributions.csv beside itself: function, up to three arguments, value.
"""
import csv
import os

import mpmath as mp
from scipy import stats

HERE = os.path.dirname(os.path.abspath(__file__))
mp.mp.dps = 60


def beta_tail(x, a, b):
    """I_x(a, b) for an mpf x, by the hypergeometric series that all terms of are positive"""
    a, b = mp.mpf(a), mp.mpf(b)
    if x > 0.5:
        return 1 - beta_tail(1 - x, b, a)
    log_front = a * mp.log(x) + b * mp.log(1 - x) - (mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b))
    term = total = mp.mpf(1)
    n = 0
    while term > total * mp.mpf(10) ** -50:
        term *= (a + b + n) * x / (a + 1 + n)
        total += term
        n += 1
    return mp.e ** log_front * total / a


def student(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    return beta_tail(df / (df + t * t), df / 2, mp.mpf(1) / 2)


def f_upper(x, d1, d2):
    x, d1, d2 = mp.mpf(x), mp.mpf(d1), mp.mpf(d2)
    return beta_tail(d2 / (d1 * x + d2), d2 / 2, d1 / 2)


def chi2_upper(x, df):
    return mp.gammainc(mp.mpf(df) / 2, mp.mpf(x) / 2, mp.inf, regularized=True)


def cases():
    for z in [-40, -8.5, -1.96, -0.1, 0, 1e-9, 0.5, 1.959963984540054, 5, 12, 37]:
        yield "normal_upper", (z,), mp.erfc(mp.mpf(z) / mp.sqrt(2)) / 2, stats.norm.sf(z)
    for t in [0, 1e-8, 0.3, 1, 2.5, 12, 100, 1e6]:
        for df in [1, 2, 2.5, 7, 30, 431, 5e3, 5e5]:
            if 2 * stats.t.sf(t, df) > 1e-40:
                yield "student_two_sided", (t, df), student(t, df), 2 * stats.t.sf(t, df)
    for x in [1e-3, 0.4, 1, 3.7, 50, 1e4]:
        for d1, d2 in [(1, 1), (1, 30), (3, 7), (10, 431), (40, 5e5), (6.5, 9), (400, 300)]:
            if stats.f.sf(x, d1, d2) > 1e-40:
                yield "f_upper", (x, d1, d2), f_upper(x, d1, d2), stats.f.sf(x, d1, d2)
    for x in [1e-6, 0.5, 3, 20, 150, 1100]:
        for df in [1, 2, 5, 19.5, 140, 1000]:
            yield "chi2_upper", (x, df), chi2_upper(x, df), stats.chi2.sf(x, df)
    for p in [1e-12, 0.001, 0.0243, 0.1, 0.4999, 0.5, 0.75, 0.9, 0.975, 0.999999]:
        yield "normal_quantile", (p,), None, stats.norm.ppf(p)
        for df in [1, 2, 3.5, 9, 431, 5e5]:
            yield "student_quantile", (p, df), None, stats.t.ppf(p, df)
        for d1, d2 in [(1, 9), (5, 5), (40, 431)]:
            yield "f_quantile", (p, d1, d2), None, stats.f.ppf(p, d1, d2)
        for df in [1, 2, 9, 140]:
            yield "chi2_quantile", (p, df), None, stats.chi2.ppf(p, df)


def main():
    with open(os.path.join(HERE, "distributions.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["function", "a", "b", "c", "value"])
        for name, arguments, exact, scipy in cases():
            value = float(scipy if exact is None else exact)
            if abs(value - float(scipy)) > 1e-7 * abs(value):
                raise SystemExit(f"{name}{arguments}: mpmath {value}, scipy {scipy}")
            cells = [repr(float(a)) for a in arguments] + [""] * (3 - len(arguments))
            out.writerow([name] + cells + [repr(value)])


main()
