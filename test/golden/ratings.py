#!/usr/bin/env python3
"""Golden ratings: what the rows of a pair are merged to, and the transform of purchases.

Made with pandas 3.1.1 and numpy 2.4.6; sums are math.fsum (exact, rounded once).

Writes ratings.csv (rows as they come; ids as numbers and as texts) and ratings_made.csv (the ratings
they make, in order of the ids, as float4) beside itself.
"""
import math
import os

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))

USERS = [-(2**63), -17, -1, 0, 3, 256, 4711, 2**40, 2**63 - 1]
ITEMS = [5, -5, 1, 10**12, 2, 77, 300]
# by bytes: upper case first, then lower case, then what begins with a byte of UTF-8; a prefix before the longer
TEXTS = ["", "A", "Z", "a", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "é"]


def rows():
    rng = np.random.default_rng(20261126)
    n = 240
    frame = pd.DataFrame(
        {
            "user": rng.integers(len(USERS), size=n),
            "item": rng.integers(len(ITEMS), size=n),
            "value": np.where(rng.random(n) < 0.8, rng.integers(1, 11, size=n) / 2, rng.lognormal(0, 12, size=n)),
        }
    )
    frame["user_text"] = [TEXTS[u] for u in frame.user]
    frame["item_text"] = [f"i{ITEMS[i]}" for i in frame.item]
    frame["user"] = [USERS[u] for u in frame.user]
    frame["item"] = [ITEMS[i] for i in frame.item]
    return frame


MERGES = {
    "mean": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "last": lambda values: values.iloc[-1],
    "purchases": lambda values: math.log1p(math.fsum(values)),
}


def made(frame, text):
    keys = ["user_text", "item_text"] if text else ["user", "item"]
    for name, merge in MERGES.items():
        groups = frame.groupby(keys, sort=False)["value"]
        ratings = [(u, i, merge(values)) for (u, i), values in groups]
        order = (lambda r: (r[0].encode(), r[1].encode())) if text else (lambda r: r[:2])
        for user, item, value in sorted(ratings, key=order):
            yield {"ids": "text" if text else "number", "merge": name, "user": user, "item": item,
                   "value": repr(float(np.float32(value)))}


def write(frame, name):
    frame.to_csv(os.path.join(HERE, name), index=False)


def main():
    frame = rows()
    write(frame.assign(value=[repr(float(v)) for v in frame.value]), "ratings.csv")
    write(pd.DataFrame([*made(frame, False), *made(frame, True)]), "ratings_made.csv")


main()
