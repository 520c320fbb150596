#!/usr/bin/env python3
"""Golden numbers of Platt's calibration, made with scipy 1.17.1 and scikit-learn 1.9.1.

Slope and intercept that minimize the log loss against Platt's targets: scipy.optimize.minimize
(trust-exact, gradient below 1e-11).  scikit-learn's _sigmoid_calibration, which is what
CalibratedClassifierCV(method="sigmoid") fits, must agree to 1e-3 (it stops at a gradient of 1e-6).

Writes beside itself platt_rows.csv (case, x = log-odds, class, weight) and platt.csv (case, slope,
intercept, log_loss of the classes, tool).
"""
import csv
import os

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.calibration import _sigmoid_calibration

HERE = os.path.dirname(os.path.abspath(__file__))
N = 400


def cases():
    rng = np.random.default_rng(20)
    truth = rng.normal(-0.4, 1.5, N)
    y = (rng.random(N) < expit(truth)).astype(int)
    ones = np.ones(N)
    yield "calibrated", truth, y, ones
    yield "too sure", 3 * truth + 0.5, y, ones
    yield "not sure enough", 0.2 * truth - 1, y, ones
    yield "weights", 2 * truth, y, np.round(rng.choice([0, 0.5, 1, 3], N), 2)
    yield "far away", truth + 25, y, ones
    # the classes are apart: only the targets keep the slope finite
    yield "apart", np.where(y == 1, 1, -1) * (1 + np.abs(truth)), y, ones
    yield "apart and very sure", np.where(y == 1, 27.0, -27.0) + np.arange(N) / N, y, ones
    yield "few", np.array([-3.0, -1.0, 2.0, 0.5]), np.array([0, 0, 1, 1]), np.ones(4)


def targets(y, w):
    n0, n1 = w[y == 0].sum(), w[y == 1].sum()
    return np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))


def fit(x, y, w):
    t = targets(y, w)
    centre = np.average(x, weights=w)
    z = x - centre

    def loss(b):
        m = b[0] * z + b[1]
        return (w * (np.logaddexp(0, m) - t * m)).sum()

    def gradient(b):
        e = w * (expit(b[0] * z + b[1]) - t)
        return np.array([(e * z).sum(), e.sum()])

    def hessian(b):
        p = expit(b[0] * z + b[1])
        h = w * p * (1 - p)
        return np.array([[(h * z * z).sum(), (h * z).sum()], [(h * z).sum(), h.sum()]])

    b = minimize(loss, [0.1, 0.0], jac=gradient, hess=hessian, method="trust-exact", options={"gtol": 1e-9, "maxiter": 500}).x
    for _ in range(3):
        b = b - np.linalg.solve(hessian(b), gradient(b))
    assert np.abs(gradient(b)).max() < 1e-10, gradient(b)
    return b[0], b[1] - b[0] * centre


def main():
    tool = f"scipy {scipy.__version__}, checked by scikit-learn {sklearn.__version__}"
    rows, results = [], []
    for name, x, y, w in cases():
        x = np.round(x, 6)
        slope, intercept = fit(x, y, w)
        a, b = _sigmoid_calibration(x, y, w)
        assert np.allclose([-a, -b], [slope, intercept], rtol=1e-3, atol=1e-3), (name, -a, -b, slope, intercept)
        m = slope * x + intercept
        loss = np.average(np.logaddexp(0, np.where(y == 1, -m, m)), weights=w)
        rows += [(name, f"{p:.6f}", q, v) for p, q, v in zip(x, y, w)]
        results.append((name, repr(float(slope)), repr(float(intercept)), repr(float(loss)), tool))
    with open(os.path.join(HERE, "platt_rows.csv"), "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["case", "x", "class", "weight"])
        writer.writerows(rows)
    with open(os.path.join(HERE, "platt.csv"), "w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["case", "slope", "intercept", "log_loss", "tool"])
        writer.writerows(results)


if __name__ == "__main__":
    main()
