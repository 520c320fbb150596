#!/usr/bin/env python3
"""Golden Shapley values of trees.

Made with shap 0.51.0 (TreeExplainer, feature_perturbation="tree_path_dependent") on models of
scikit-learn 1.9.1; numpy 2.4.6.

Writes beside itself tree_shap_trees.csv (the nodes, children side by side and after their parents;
one value for each class) and tree_shap_rows.csv (a line for each row and output).
"""
import csv
import os

import numpy as np
import shap
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

HERE = os.path.dirname(os.path.abspath(__file__))
D = 5
CLASSES = 3


def data(rng):
    # what float4 holds, as scikit-learn compares those
    x = np.round(rng.normal(size=(400, D)), 2).astype(np.float32).astype(float)
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * rng.normal(size=400)
    return x, y, np.digitize(y, [-0.5, 0.6])


def normalised(values, classifier):
    return values / values.sum() if classifier else values


def nodes_of(tree, classifier):
    """(place or -1, threshold, left, cover, values), breadth first"""
    order, rows = [0], []
    for node in order:
        left = len(order) if tree.children_left[node] >= 0 else 0
        if left:
            order += [tree.children_left[node], tree.children_right[node]]
        values = normalised(tree.value[node].ravel(), classifier)
        rows.append((tree.feature[node] if left else -1, tree.threshold[node] if left else 0.0, left,
                     tree.weighted_n_node_samples[node], values))
    return rows


def main():
    rng = np.random.default_rng(11)
    x, y, classes = data(rng)
    weights = rng.integers(1, 4, 400)
    models = [
        ("tree", DecisionTreeRegressor(max_depth=6, random_state=1).fit(x, y, weights), False),
        ("forest", RandomForestRegressor(4, max_depth=9, random_state=2).fit(x, y), False),
        ("classes", RandomForestClassifier(3, max_depth=5, random_state=3).fit(x, classes), True),
        ("boost", GradientBoostingClassifier(n_estimators=6, max_depth=4, random_state=4)
         .fit(x, classes > 0), False),
    ]
    with open(os.path.join(HERE, "tree_shap_trees.csv"), "w", newline="") as trees_file, \
            open(os.path.join(HERE, "tree_shap_rows.csv"), "w", newline="") as rows_file:
        trees_out = csv.writer(trees_file, lineterminator="\n")
        rows_out = csv.writer(rows_file, lineterminator="\n")
        trees_out.writerow(["model", "tree", "place", "threshold", "left", "cover"] +
                           [f"value{k}" for k in range(CLASSES)])
        rows_out.writerow(["model", "output"] + [f"x{j}" for j in range(D)] + ["base"] +
                          [f"c{j}" for j in range(D)])
        for name, model, classifier in models:
            estimators = np.ravel(getattr(model, "estimators_", [model]))
            for t, estimator in enumerate(estimators):
                for place, threshold, left, cover, values in nodes_of(estimator.tree_, classifier):
                    cells = [repr(float(v)) for v in values]
                    if name == "boost":
                        cells = [repr(0.1 * float(values[0]))]
                    trees_out.writerow([name, t, place, repr(float(threshold)), left, repr(float(cover))] +
                                       cells + [""] * (CLASSES - len(cells)))
            explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
            rows = x[:12]
            found = explainer.shap_values(rows, check_additivity=False)
            bases = np.ravel(explainer.expected_value)
            for i, row in enumerate(rows):
                for k in range(len(bases)):
                    parts = found[i, :, k] if found.ndim == 3 else found[i]
                    base = bases[k]
                    if name == "boost":
                        # without the constant the boosting starts from
                        base -= model._raw_predict_init(row[None, :].astype(np.float32))[0, 0]
                    rows_out.writerow([name, k] + [repr(float(v)) for v in row] + [repr(float(base))] +
                                      [repr(float(v)) for v in parts])


main()
