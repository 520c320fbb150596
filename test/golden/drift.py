#!/usr/bin/env python3
"""Golden numbers of model_drift: the population stability index of one column, then and now.

numpy 2.4.6: deciles by numpy.quantile, bins by numpy.histogram.  Where values tie with a decile, the
shares of its two sides are those nearest to equal that the ties allow: least squares with bounds, by
scipy 1.17.1 (optimize.lsq_linear), and optimize.minimize finds none with a smaller index.  The
sum is scipy.special.rel_entr in both directions.

Writes drift.csv beside itself: one line for each distinct value of a case, with how many rows have it
then and now; an empty value is missing.  Of a boolean the share of each value is known, and the index
is that of two texts.
"""
import csv
import os

import numpy as np
from scipy.optimize import lsq_linear, minimize
from scipy.special import rel_entr

HERE = os.path.dirname(os.path.abspath(__file__))


def index(then, now, n_then, n_now):
    """of shares; an empty bin has half a row, at most as much as the other side"""
    then, now = np.asarray(then, float), np.asarray(now, float)
    t = np.where(then > 0, then, np.minimum(now, 0.5 / n_then))
    a = np.where(now > 0, now, np.minimum(then, 0.5 / n_now))
    return float((rel_entr(a, t) + rel_entr(t, a)).sum())


def best_line(low, high, n):
    """shares now of the ten intervals: of those that the bounds allow, the ones nearest to equal"""
    low, high = low / n, high / n
    ends = np.zeros(10)
    ends[0], ends[-1] = -low[0], low[-1]
    difference = (np.eye(11) - np.eye(11, k=-1))[:10, :9] * 1.0  # step_b = C_b - C_(b-1)
    free = high[1:-1] > low[1:-1]
    fixed = difference @ np.where(free, 0, low[1:-1]) + ends
    line = low[1:-1].copy()
    if free.any():
        line[free] = lsq_linear(difference[:, free], -fixed, (low[1:-1][free], high[1:-1][free]),
                                method="bvls", tol=1e-15).x
    step = difference @ line + ends

    def loss(x):
        s = np.maximum(difference @ x + ends, 1e-13)
        return ((s - 0.1) * np.log(s / 0.1)).sum()

    for start in (low, high, (low + high) / 2, np.clip(np.arange(11) / 10, low, high)):
        other = minimize(loss, start[1:-1], bounds=list(zip(low[1:-1], high[1:-1])), method="SLSQP")
        assert loss(line) <= loss(np.maximum.accumulate(np.clip(other.x, low[1:-1], high[1:-1]))) + 1e-9
    return np.where(step < 1e-12, 0.0, step)


def number(then, now):
    t, a = then[~np.isnan(then)], now[~np.isnan(now)]
    edges = np.quantile(t, np.arange(11) / 10)
    shares_then = [np.isnan(then).mean(), 0.0, 0.0]
    shares_now = [np.isnan(now).mean(), 0.0, 0.0]
    low = np.array([(a < edge).sum() for edge in edges], float)
    high = np.array([(a <= edge).sum() for edge in edges], float)
    low[0] = high[0] = low[0] if edges[0] == edges[1] else 0
    low[-1] = high[-1] = high[-1] if edges[-2] == edges[-1] else len(a)
    shares_now[1], shares_now[2] = low[0] / len(now), (len(a) - low[-1]) / len(now)
    if (low == high).all() and len(np.unique(edges)) == 11:
        counts, _ = np.histogram(a, np.concatenate([[-np.inf], edges[1:-1], [np.inf]]))
        step = counts / len(now)
    else:
        step = best_line(low, high, len(now))
    bin_of = np.unique(np.stack([edges[:-1], edges[1:]]), axis=1, return_inverse=True)[1].ravel()
    for b in range(bin_of.max() + 1):
        shares_then.append((bin_of == b).sum() / 10 * (1 - shares_then[0]))
        shares_now.append(step[bin_of == b].sum())
    return index(shares_then, shares_now, len(then), len(now))


def category(then, now):
    then, now = [x if x == x else "" for x in then], [x if x == x else "" for x in now]
    texts = set(then) | set(now)
    return index([then.count(x) / len(then) for x in texts], [now.count(x) / len(now) for x in texts],
                 len(then), len(now))


def cases():
    rng = np.random.default_rng(6)
    normal, gone = rng.normal(size=250).round(4), np.full(25, np.nan)
    yield "the same distribution", "number", normal, rng.normal(size=150).round(4)
    yield "moved", "number", normal, rng.normal(0.5, size=150).round(4)
    yield "wider, beyond both ends", "number", normal, rng.normal(0, 4, size=150).round(4)
    yield "one half only", "number", normal, np.abs(rng.normal(size=50).round(4)) + 0.5
    yield "more are missing", "number", np.concatenate([normal, gone]), np.concatenate([rng.normal(size=125).round(4), gone, gone])
    yield "some are missing now", "number", normal, np.concatenate([rng.normal(size=125).round(4), gone])
    yield "none is missing any more", "number", np.concatenate([normal, gone]), rng.normal(size=125).round(4)
    small = rng.geometric(0.4, 500).astype(float)
    yield "small integers, the same rows", "number", small, small
    yield "small integers", "number", small, rng.geometric(0.4, 400).astype(float)
    yield "small integers, moved", "number", small, rng.geometric(0.25, 400).astype(float)
    yield "small integers, plus one", "number", small, small + 1
    zeros = np.where(rng.random(500) < 0.36, 0, rng.lognormal(size=500).round(3))
    yield "many zeros", "number", zeros, np.where(rng.random(400) < 0.35, 0, rng.lognormal(size=400).round(3))
    yield "fewer zeros", "number", zeros, np.where(rng.random(400) < 0.15, 0, rng.lognormal(size=400).round(3))
    yield "below the zeros", "number", zeros, np.concatenate([zeros, np.full(30, -1.0)])
    yield "two values", "number", np.repeat([0.0, 1.0], [350, 150]), np.repeat([0.0, 1.0], [200, 200])
    yield "a rare one", "number", np.repeat([0.0, 1.0], [995, 5]), np.repeat([0.0, 1.0], [980, 20])
    yield "yes and no", "boolean", [0.0] * 350 + [1.0] * 150, [0.0] * 200 + [1.0] * 200
    yield "yes is rare", "boolean", [0.0] * 995 + [1.0] * 5 + [np.nan] * 7, [0.0] * 910 + [1.0] * 90 + [np.nan] * 9
    yield "yes is new", "boolean", [0.0] * 300, [0.0] * 200 + [1.0] * 2
    yield "a constant", "number", np.full(100, 5.0), np.repeat([4.0, 5.0, 7.0], [20, 120, 60])
    yield "a constant, still", "number", np.full(100, 5.0), np.full(70, 5.0)
    yield "the maximum is a single value", "number", np.minimum(normal, 0.5), np.minimum(rng.normal(0.1, size=150).round(4), 0.6)
    yield "one row", "number", normal, np.array([0.01])
    yield "texts", "text", ["a"] * 50 + ["b"] * 30 + ["c"] * 20, ["a"] * 20 + ["b"] * 30 + ["c"] * 10
    yield "texts, unseen and gone", "text", ["a"] * 50 + ["b"] * 30 + ["c"] * 20, ["a"] * 70 + ["b"] * 5 + ["new"] * 15
    yield "texts, missing", "text", ["a"] * 50 + ["b"] * 30 + [""] * 20, ["a"] * 30 + ["b"] * 30
    yield "texts, missing now", "text", ["a"] * 50 + ["b"] * 30, ["a"] * 30 + ["b"] * 30 + [""] * 7


def counts(values):
    texts = [x if isinstance(x, str) else "" if np.isnan(x) else repr(float(x)) for x in values]
    return {x: texts.count(x) for x in dict.fromkeys(texts)}


def main():
    with open(os.path.join(HERE, "drift.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["name", "kind", "value", "then", "now", "psi"])
        for name, kind, then, now in cases():
            psi = number(then, now) if kind == "number" else category(then, now)
            t, a = counts(then), counts(now)
            for value in dict.fromkeys([*t, *a]):
                out.writerow([name.replace(",", ";"), kind, value, t.get(value, 0), a.get(value, 0), repr(psi)])


main()
