#!/usr/bin/env python3
"""Golden numbers of SVD++, made with Surprise 1.1.5 (scikit-surprise) and numpy 2.4.6, scipy 1.17.1.

Surprise's SVDpp and SVD learn from the same initial factors as the kernel and see the ratings in the same order, so
their factors must come out the same.  Both are made here anew: Philox4x32-10 as published (the first numbers
of numpy's own are checked against it), normal quantiles by scipy, the order by Durstenfeld's shuffle.

    factor k of user or item x: init_mean + init_std * normal(seed, stream, x * n_factors + k), stream 1 p, 2 q, 3 y
    users: shuffled from the last place down, the other place being below(seed, 4, place, place + 1)
    items of a user: ascending by below(seed, 5, item, 256), then by item

Writes beside itself

    svdpp_rows.csv         user, item, rating: 30 x 20, about half of the pairs
    svdpp_cases.csv        the settings of each case, and the tool
    svdpp.csv              case, side (user, item), x, bias, p or q in v0 .. v4, y in y0 .. y4 (items of SVD++)
    svdpp_predictions.csv  case, user, item (-1: unknown), estimate, not clipped
"""
import csv
import os

import numpy as np
import pandas as pd
import scipy
import surprise
from scipy.stats import norm

HERE = os.path.dirname(os.path.abspath(__file__))
USERS, ITEMS, FACTORS = 30, 20, 5
STREAM_P, STREAM_Q, STREAM_Y, STREAM_USERS, STREAM_ITEMS = 1, 2, 3, 4, 5
BUCKETS = 256
RATES = ["lr_bu", "lr_bi", "lr_pu", "lr_qi", "lr_yj", "reg_bu", "reg_bi", "reg_pu", "reg_qi", "reg_yj"]
EACH = [.011, .005, .009, .013, .006, .04, .01, .03, .015, .05]
# name, SVD++ (or SVD), biased, epochs, seed, init_mean, init_std, rates
CASES = [
    ("svdpp 3 epochs", True, True, 3, 1, 0, .1, [.007] * 5 + [.02] * 5),
    ("svdpp 20 epochs", True, True, 20, 2, 0, .1, [.007] * 5 + [.02] * 5),
    ("svdpp each rate its own", True, True, 20, 3, .05, .2, EACH),
    ("svd 3 epochs", False, True, 3, 4, 0, .1, [.005] * 5 + [.02] * 5),
    ("svd each rate its own", False, True, 20, 5, 0, .1, EACH),
    ("svd not biased", False, False, 20, 6, .3, .1, [.01] * 5 + [.02] * 5),
]


# ---------------------------------------------------------------- random numbers

def philox(counter, key):
    """Philox4x32-10: Salmon, Moraes, Dror and Shaw, SC 2011."""
    x, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [q >> 32 ^ x[1] ^ k[0], q & 0xFFFFFFFF, p >> 32 ^ x[3] ^ k[1], p & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return x


def words(n):
    return n & 0xFFFFFFFF, n >> 32


def bits(seed, stream, index):
    x = philox(words(index) + words(stream), words(seed))
    return x[1] << 32 | x[0]


def below(seed, stream, index, bound):
    return bits(seed, stream, index) * bound >> 64


def normals(seed, stream, n):
    cells = np.array([bits(seed, stream, index) >> 11 for index in range(n)])
    return norm.ppf((cells + .5) * 2.0 ** -53)


# ---------------------------------------------------------------- ratings

def make_ratings():
    """Stars in halves that two tastes explain in part."""
    rng = np.random.default_rng(5)
    taste, kind = rng.normal(size=(USERS, 2)), rng.normal(size=(ITEMS, 2))
    score = 3.3 + rng.normal(0, .4, (USERS, 1)) + rng.normal(0, .5, (1, ITEMS)) + .5 * taste @ kind.T + rng.normal(0, .4, (USERS, ITEMS))
    stars = np.clip(np.round(score * 2) / 2, .5, 5)
    # some rate much, some little; everyone and everything is there once at least
    known = rng.random((USERS, ITEMS)) < rng.uniform(.15, .9, (USERS, 1))
    known[np.arange(USERS), np.arange(USERS) % ITEMS] = True
    return [(u, i, stars[u, i]) for u in range(USERS) for i in range(ITEMS) if known[u, i]]


def in_order(ratings, seed):
    users = list(range(USERS))
    for place in range(USERS - 1, 0, -1):
        other = below(seed, STREAM_USERS, place, place + 1)
        users[place], users[other] = users[other], users[place]
    bucket = [below(seed, STREAM_ITEMS, item, BUCKETS) for item in range(ITEMS)]
    return sorted(ratings, key=lambda row: (users.index(row[0]), bucket[row[1]], row[1]))


# ---------------------------------------------------------------- Surprise

class Prepared(np.random.RandomState):  # pylint: disable=no-member
    """Gives out prepared arrays where normal numbers are asked for: p, q, then y."""

    def __init__(self, arrays):
        super().__init__(0)
        self.arrays = list(arrays)

    def normal(self, loc=0.0, scale=1.0, size=None):
        array = np.ascontiguousarray(self.arrays.pop(0) * scale + loc)
        assert array.shape == tuple(size), (array.shape, size)
        return array


def initial(trainset, seed):
    """Standard normals by Surprise's own numbers of users and items."""
    users = [trainset.to_raw_uid(u) for u in range(USERS)]
    items = [trainset.to_raw_iid(i) for i in range(ITEMS)]
    whole = [normals(seed, stream, n * FACTORS).reshape(n, FACTORS) for stream, n in ((STREAM_P, USERS), (STREAM_Q, ITEMS), (STREAM_Y, ITEMS))]
    return users, items, [whole[0][users], whole[1][items], whole[2][items]]


def fit(ratings, svdpp, biased, epochs, seed, mean, std, rates):
    frame = pd.DataFrame(in_order(ratings, seed), columns=["user", "item", "rating"])
    trainset = surprise.Dataset.load_from_df(frame, surprise.Reader(rating_scale=(.5, 5))).build_full_trainset()
    users, items, arrays = initial(trainset, seed)
    named = dict(zip(RATES, rates))
    if svdpp:
        learner = surprise.SVDpp
    else:
        learner = surprise.SVD
        named = {name: rate for name, rate in named.items() if "yj" not in name} | {"biased": biased}
    model = learner(n_factors=FACTORS, n_epochs=epochs, init_mean=mean, init_std_dev=std, random_state=Prepared(arrays), **named).fit(trainset)
    return model, trainset, users, items


# ---------------------------------------------------------------- files

def text(x):
    return repr(float(x))


def factor_rows(name, svdpp, model, users, items):
    empty = [""] * FACTORS
    for u in np.argsort(users):
        yield [name, "user", users[u], text(model.bu[u])] + [text(v) for v in model.pu[u]] + empty
    for i in np.argsort(items):
        yield [name, "item", items[i], text(model.bi[i])] + [text(v) for v in model.qi[i]] + ([text(v) for v in model.yj[i]] if svdpp else empty)


def prediction_rows(name, biased, model, trainset):
    """Every seventh pair, and strangers: Surprise takes a name for an inner id it does not know."""
    for place in range(0, USERS * ITEMS, 7):
        u, i = divmod(place, ITEMS)
        yield name, u, i, text(model.estimate(trainset.to_inner_uid(u), trainset.to_inner_iid(i)))
    if biased:
        yield name, -1, 3, text(model.estimate("UKN__", trainset.to_inner_iid(3)))
        yield name, 4, -1, text(model.estimate(trainset.to_inner_uid(4), "UKN__"))
        yield name, -1, -1, text(model.estimate("UKN__", "UKN__"))


def write(file, header, rows):
    with open(os.path.join(HERE, file), "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    # Salmon's known answers (kat_vectors of Random123): counter and key of zeros
    assert philox((0, 0, 0, 0), (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    tool = f"Surprise {surprise.__version__}; numpy {np.__version__}; scipy {scipy.__version__}"
    ratings = make_ratings()
    factors, predictions = [], []
    for name, svdpp, biased, epochs, seed, mean, std, rates in CASES:
        model, trainset, users, items = fit(ratings, svdpp, biased, epochs, seed, mean, std, rates)
        factors += factor_rows(name, svdpp, model, users, items)
        predictions += prediction_rows(name, biased, model, trainset)
    write("svdpp_rows.csv", ["user", "item", "rating"], ratings)
    write("svdpp_cases.csv", ["case", "implicit_feedback", "biased", "n_epochs", "seed", "init_mean", "init_std"] + RATES + ["tool"],
          [[name, int(svdpp), int(biased), epochs, seed, mean, std, *rates, tool] for name, svdpp, biased, epochs, seed, mean, std, rates in CASES])
    write("svdpp.csv", ["case", "side", "x", "bias"] + [f"v{k}" for k in range(FACTORS)] + [f"y{k}" for k in range(FACTORS)], factors)
    write("svdpp_predictions.csv", ["case", "user", "item", "estimate"], predictions)


if __name__ == "__main__":
    main()
