#!/usr/bin/env python3
"""Golden class weights: compute_class_weight of scikit-learn 1.9.1 (numpy 2.4.6, Python 3.11).

Row i of n has class (i * i + i // 7) % K and weight (i % 5) / 2.  Writes class_weight.csv beside itself: the
balanced weight of each class, of rows that weigh 1 and of weighted ones.
"""
import csv
import os

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "class_weight.csv"), "w", newline="") as file:
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["n", "n_classes", "weighted", "class", "weight"])
    for n, k in ((50, 2), (300, 3), (1000, 7)):
        i = np.arange(n)
        y = (i * i + i // 7) % k
        for weighted in (0, 1):
            weights = (i % 5) / 2 if weighted else None
            found = compute_class_weight("balanced", classes=np.arange(k), y=y, sample_weight=weights)
            out.writerows([n, k, weighted, c, repr(float(w))] for c, w in enumerate(found))
