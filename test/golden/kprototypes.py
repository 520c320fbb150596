#!/usr/bin/env python3
"""Golden numbers of k-prototypes, made with kmodes 0.12.2, numpy 2.4.6, pandas 3.1.1, Python 3.11.

Reads kmodes_stocks.csv, kmodes_soybean.csv, marketing_campaign.csv and telco_churn.csv in
$RETAILML_DATA (they are not part of the repository) and writes, beside itself,

  kprototypes_costs.csv   the lowest cost of 20 kmodes starts, n_init = 1: seeds 0 .. 9 with init "Huang" and
                          0 .. 9 with "Cao"; numbers in population standard deviations, gamma 0.5
  kprototypes_labels.csv  kmodes' labels of stocks (KPrototypes, k = 4, init "Cao", the best of 100 starts, its own gamma) and
                          of soybean (KModes, k = 4, init "Cao"), with the cost

marketing: ID, Dt_Customer and the constant Z_ columns are left out; missing incomes become the mean;
categories are Education and Marital_Status.  telco: customerID and Churn are left out; blank
TotalCharges become the mean; numbers are SeniorCitizen, tenure, MonthlyCharges and TotalCharges.
The costs take half an hour: `kprototypes.py labels` makes the labels only.
"""
import csv
import os
import sys
from multiprocessing import Pool

import numpy as np
import pandas as pd
from kmodes.kmodes import KModes
from kmodes.kprototypes import KPrototypes

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ["RETAILML_DATA"]


def matrix(frame, numbers):
    """z-scored numbers, then categories; and the positions of the categories"""
    x = frame[numbers].apply(pd.to_numeric, errors="coerce")
    x = x.fillna(x.mean())
    x = (x - x.mean()) / x.std(ddof=0)
    categories = [c for c in frame.columns if c not in numbers]
    table = np.empty((len(frame), len(frame.columns)), dtype=object)
    table[:, : len(numbers)] = x.to_numpy()
    table[:, len(numbers):] = frame[categories].to_numpy()
    return table, list(range(len(numbers), len(frame.columns)))


def marketing():
    frame = pd.read_csv(os.path.join(DATA, "marketing_campaign.csv"))
    frame = frame.drop(columns=["ID", "Dt_Customer", "Z_CostContact", "Z_Revenue"])
    return matrix(frame, [c for c in frame.columns if c not in ("Education", "Marital_Status")])


def telco():
    frame = pd.read_csv(os.path.join(DATA, "telco_churn.csv")).drop(columns=["customerID", "Churn"])
    return matrix(frame, ["SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"])


def start(task):
    name, k, init, seed = task
    table, categories = {"marketing": marketing, "telco": telco}[name]()
    model = KPrototypes(n_clusters=k, init=init, n_init=1, gamma=0.5, random_state=seed)
    model.fit(table, categorical=categories)
    return name, k, float(model.cost_)


def costs():
    tasks = [(name, k, init, seed) for name in ("marketing", "telco") for k in range(3, 7)
             for init in ("Huang", "Cao") for seed in range(10)]
    best = {}
    with Pool(2) as pool:
        for name, k, cost in pool.imap_unordered(start, tasks):
            best.setdefault((name, k), []).append(cost)
    with open(os.path.join(HERE, "kprototypes_costs.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["data", "k", "starts", "best_cost", "worst_cost"])
        for (name, k), found in sorted(best.items()):
            out.writerow([name, k, len(found), repr(min(found)), repr(max(found))])


def labels():
    stocks = pd.read_csv(os.path.join(DATA, "kmodes_stocks.csv"))
    table = stocks[["market_cap", "sector", "country"]].to_numpy(dtype=object)
    model = KPrototypes(n_clusters=4, init="Cao", n_init=100, random_state=0)
    found = model.fit_predict(table, categorical=[1, 2])
    soybean = pd.read_csv(os.path.join(DATA, "kmodes_soybean.csv"))
    modes = KModes(n_clusters=4, init="Cao", n_init=1)
    plants = modes.fit_predict(soybean.drop(columns="target").astype(str).to_numpy())
    with open(os.path.join(HERE, "kprototypes_labels.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["data", "row", "label", "cost", "gamma"])
        for i, label in enumerate(found):
            out.writerow(["stocks", i, label, repr(float(model.cost_)), repr(float(model.gamma))])
        for i, label in enumerate(plants):
            out.writerow(["soybean", i, label, repr(float(modes.cost_)), 1])


labels()
if sys.argv[1:] != ["labels"]:
    costs()
