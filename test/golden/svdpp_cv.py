#!/usr/bin/env python3
"""Golden cross-validation of recommenders: baselines, errors over folds, measures of rankings.

User + item biases are scikit-surprise 1.1.5's BaselineOnly (alternating least squares at its
defaults), predictions not clipped to the rating scale; fold errors with clipping to the range of the
training ratings.  ndcg is scikit-learn 1.9.1's ndcg_score of the ranks; means, errors, precision,
recall and coverage are their definitions in numpy 2.4.6.

Writes beside itself svdpp_cv.csv, one line per rating with its fold and the predictions of models
that have not seen the fold, and svdpp_cv_measures.csv, one line per baseline.
"""
import csv
import os
import sys

import numpy as np
from sklearn.metrics import ndcg_score
from surprise import BaselineOnly, Dataset, Reader

HERE = os.path.dirname(os.path.abspath(__file__))
USERS, ITEMS, FOLDS, N, RELEVANT = 40, 30, 3, 5, 3.5


def ratings():
    rng = np.random.default_rng(5)
    like = rng.normal(0, 0.6, (USERS, 2)) @ rng.normal(0, 1, (2, ITEMS))
    level = 3 + rng.normal(0, 0.5, (USERS, 1)) + rng.normal(0, 0.6, (1, ITEMS))
    values = np.clip(np.round((level + like + rng.normal(0, 0.4, like.shape)) * 2) / 2, 0.5, 5)
    kept = rng.random(values.shape) < rng.uniform(0.1, 0.9, ITEMS)
    # nobody else rates item 29, and user 39 nothing else: in their fold both are unknown
    kept[:, 29] = False
    kept[39, :] = False
    kept[39, 29] = True
    rows = [(u, i, values[u, i]) for u in range(USERS) for i in range(ITEMS) if kept[u, i]]
    folds = rng.integers(0, FOLDS, len(rows))
    assert {r[0] for r in rows} == set(range(USERS))
    assert {r[1] for r in rows} == set(range(ITEMS))
    return rows, folds


def trained(train):
    data = Dataset(Reader(rating_scale=(0.5, 5)))
    trainset = data.construct_trainset([(u, i, float(r), None) for u, i, r in train])
    algo = BaselineOnly(verbose=False)
    algo.fit(trainset)
    return algo


class Fold:
    def __init__(self, rows, folds, k):
        self.train = [row for row, fold in zip(rows, folds) if fold != k]
        self.test = [row for row, fold in zip(rows, folds) if fold == k]
        values = np.array([r for _, _, r in self.train])
        self.low, self.high = values.min(), values.max()
        self.mean = values.mean()
        self.bought = np.zeros((USERS, ITEMS), bool)
        sums = np.zeros(ITEMS)
        for u, i, r in self.train:
            self.bought[u, i] = True
            sums[i] += r
        self.buyers = self.bought.sum(0)
        self.item_means = np.where(self.buyers > 0, sums / np.maximum(self.buyers, 1), self.mean)
        self.algo = trained(self.train)

    def predict(self, method, u, i):
        if method == 'global mean':
            return self.mean
        if method == 'item mean':
            return self.item_means[i]
        if method == 'popularity':
            return self.buyers[i]
        return self.algo.predict(u, i, clip=False).est

    def errors(self, method):
        e = np.array([r - np.clip(self.predict(method, u, i), self.low, self.high)
                      for u, i, r in self.test])
        return np.sqrt((e ** 2).mean()), np.abs(e).mean()

    def rankings(self, method):
        shown, per_user = set(), []
        for u in range(USERS):
            relevant = {i for v, i, r in self.test if v == u and r >= RELEVANT}
            if not relevant:
                continue
            # equal scores by number of the item; rounding takes away what is only noise of sums
            order = sorted((i for i in range(ITEMS) if not self.bought[u, i]),
                           key=lambda i: (-round(self.predict(method, u, i), 10), i))
            top = order[:N]
            shown.update(top)
            hits = len(relevant.intersection(top))
            truth = [[1 if i in relevant else 0 for i in order]]
            ndcg = ndcg_score(truth, [[-p for p in range(len(order))]], k=N)
            per_user.append((hits / N, hits / len(relevant), ndcg))
        return list(np.mean(per_user, axis=0)) + [len(shown) / ITEMS]


def main():
    rows, ids = ratings()
    folds = [Fold(rows, ids, k) for k in range(FOLDS)]
    with open(os.path.join(HERE, 'svdpp_cv.csv'), 'w', newline='') as f:
        out = csv.writer(f, lineterminator='\n')
        out.writerow(['user', 'item', 'rating', 'fold', 'global_mean', 'item_mean', 'user_item'])
        for (u, i, r), k in zip(rows, ids):
            out.writerow([u, i, r, k] + [repr(float(folds[k].predict(m, u, i)))
                                         for m in ('global mean', 'item mean', 'user + item')])
    with open(os.path.join(HERE, 'svdpp_cv_measures.csv'), 'w', newline='') as f:
        out = csv.writer(f, lineterminator='\n')
        out.writerow(['method', 'rmse', 'rmse_sd', 'mae', 'mae_sd', 'precision', 'recall', 'ndcg',
                      'coverage'])
        for method in ('global mean', 'item mean', 'user + item', 'popularity'):
            line = ['', '', '', ''] + [''] * 4
            if method != 'popularity':
                e = np.array([fold.errors(method) for fold in folds])
                line[:4] = [e[:, 0].mean(), e[:, 0].std(), e[:, 1].mean(), e[:, 1].std()]
            if method != 'global mean':
                line[4:] = np.mean([fold.rankings(method) for fold in folds], axis=0)
            out.writerow([method] + [x if x == '' else repr(float(x)) for x in line])
    return 0


if __name__ == '__main__':
    sys.exit(main())
