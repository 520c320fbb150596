#!/usr/bin/env python3
"""Golden trees, boosted trees and forests.

Made with scikit-learn 1.9.1 (DecisionTreeClassifier, DecisionTreeRegressor,
HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
RandomForestRegressor); numpy 2.4.6.

Numbers are multiples of 1/16 with fewer than 255 different ones, so that bins lose nothing.  Trees are
checked to be the same for many orders of the features: no two splits of a node are equally good.

Writes beside itself
trees_rows.csv: rows (train 1: a fit sees them), labels, weights and what the models say of them;
trees_nodes.csv: the nodes of the single trees, depth first (place or -1, weight of the rows);
trees_scores.csv: mean score of forests on the rows that are not for training, and out of bag.
"""
import csv
import os

import numpy as np
from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

HERE = os.path.dirname(os.path.abspath(__file__))
N, TRAIN, D = 600, 420, 4
SEEDS = 8
TREE = {"max_depth": 4, "min_samples_leaf": 9}


def data(rng):
    x = np.round(16 * rng.normal(size=(N, D))) / 16
    signal = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2])
    y = np.round(1024 * (signal + 0.4 * rng.normal(size=N))) / 1024
    two = (signal + 0.7 * rng.normal(size=N) > 0.2).astype(int)
    three = np.digitize(signal + 0.5 * rng.normal(size=N), [-0.5, 0.6])
    weights = rng.integers(1, 1000, N) / 256
    return x, {"y": y, "two": two, "three": three}, weights


def preorder(tree):
    nodes, stack = [], [0]
    while stack:
        node = stack.pop()
        leaf = tree.children_left[node] < 0
        nodes.append((-1 if leaf else int(tree.feature[node]), float(tree.weighted_n_node_samples[node])))
        if not leaf:
            stack += [tree.children_right[node], tree.children_left[node]]
    return nodes


def one_tree(x, label, weights):
    kind = DecisionTreeRegressor if label.dtype.kind == "f" else DecisionTreeClassifier
    trees = [kind(random_state=s, **TREE).fit(x, label, weights) for s in range(25)]
    assert all(preorder(t.tree_) == preorder(trees[0].tree_) for t in trees), "splits of equal gain"
    return trees[0]


def answers(model, x):
    if not hasattr(model, "predict_proba"):
        return model.predict(x)[:, None]
    p = model.predict_proba(x)
    return p[:, 1:] if p.shape[1] == 2 else p


def boost(label, **settings):
    kind = HistGradientBoostingRegressor if label.dtype.kind == "f" else HistGradientBoostingClassifier
    return kind(early_stopping=False, **settings)


BOOSTS = {
    # learning rate, rounds, depth (None: any), leaves, rows of a leaf, l2, weighted
    "plain": dict(learning_rate=0.1, max_iter=40, max_depth=3, max_leaf_nodes=31, min_samples_leaf=20,
                  l2_regularization=0.0),
    "other": dict(learning_rate=0.25, max_iter=15, max_depth=None, max_leaf_nodes=9,
                  min_samples_leaf=7, l2_regularization=2.5),
}


def forest_scores(x, labels):
    train, test = slice(0, TRAIN), slice(TRAIN, N)
    for name, leaf in (("y", 5), ("two", 2), ("three", 2)):
        label = labels[name]
        numeric = label.dtype.kind == "f"
        kind = RandomForestRegressor if numeric else RandomForestClassifier
        features = max(1, D // 3) if numeric else int(np.sqrt(D))
        forests = [kind(200, min_samples_leaf=leaf, max_features=features, oob_score=True,
                        random_state=s).fit(x[train], label[train]) for s in range(SEEDS)]
        yield (name, np.mean([f.score(x[test], label[test]) for f in forests]),
               np.mean([f.oob_score_ for f in forests]))


def write(name, header, rows):
    with open(os.path.join(HERE, name), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)


def main():
    rng = np.random.default_rng(62)
    x, labels, weights = data(rng)
    assert all(len(np.unique(x[:, j])) < 255 for j in range(D))
    xt, wt = x[:TRAIN], weights[:TRAIN]
    columns, nodes = {}, []
    for name, label in labels.items():
        for suffix, w in (("", None), ("_w", wt)):
            tree = one_tree(xt, label[:TRAIN], w)
            columns[f"tree_{name}{suffix}"] = answers(tree, x)
            nodes += [(f"{name}{suffix}",) + n for n in preorder(tree.tree_)]
            for setting, options in BOOSTS.items():
                model = boost(label, **options).fit(xt, label[:TRAIN], w)
                columns[f"{setting}_{name}{suffix}"] = answers(model, x)
    header = ["train"] + [f"x{j + 1}" for j in range(D)] + ["w"] + list(labels)
    rows = [[int(i < TRAIN)] + [repr(float(v)) for v in x[i]] + [repr(float(weights[i]))] +
            [repr(float(label[i])) for label in labels.values()] for i in range(N)]
    for name, found in columns.items():
        several = found.shape[1] > 1
        header += [f"{name}_{k}" if several else name for k in range(found.shape[1])]
        for i in range(N):
            rows[i] += [f"{v:.9g}" for v in found[i]]
    write("trees_rows.csv", header, rows)
    write("trees_nodes.csv", ["model", "place", "cover"], [(m, p, repr(c)) for m, p, c in nodes])
    write("trees_scores.csv", ["label", "r2_or_accuracy", "oob"],
          [(n, f"{s:.5f}", f"{o:.5f}") for n, s, o in forest_scores(x, labels)])


if __name__ == "__main__":
    main()
