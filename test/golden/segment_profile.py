"""Golden numbers of test_segment_profile.c: what pandas says of labelled rows of mixed columns.

Tool: pandas 3.1.1 (numpy 2.4.6).  segment_profile_rows.csv has the rows (an empty cell is
missing), segment_profile.csv a line for each cluster and trait, in the order of segment_profile.

    python3 test/golden/segment_profile.py
"""

import pathlib

import numpy as np
import pandas as pd

HERE = pathlib.Path(__file__).parent

rng = np.random.default_rng(20)
n = 90
cluster = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
spend = np.round(100 * (cluster + 1) + rng.normal(0, 30, n), 2)
age = np.round(rng.normal(45, 12, n))
age[rng.random(n) < 0.1] = np.nan
member = (rng.random(n) < 0.2 + 0.2 * cluster).astype(int)
plan = np.where(rng.random(n) < 0.25 + 0.2 * cluster, "gold", "basic")
degree = np.array(
    [rng.choice(["Basic", "Master", "PhD", None], p=[0.5 - 0.1 * c, 0.2, 0.2 + 0.1 * c, 0.1]) for c in cluster]
)
rows = pd.DataFrame(dict(cluster=cluster, spend=spend, age=age, member=member, plan=plan, degree=degree, one="same"))
rows.to_csv(HERE / "segment_profile_rows.csv", index=False)

out = []
age_used = rows.age.fillna(rows.age.mean())  # impute = mean
for c in range(4):
    here = rows.cluster == c
    block = []

    def add(feature, category, x, echo=False):
        mean, overall, sd = x[here].mean(), x.mean(), x.std(ddof=0)
        z = (mean - overall) / sd if sd > 0 else 0.0
        block.append([c, feature, category, mean, overall, z, echo])

    add("spend", "", rows.spend)
    add("age", "", age_used)
    add("member", "", rows.member)
    for feature in ["plan", "degree", "one"]:
        text = rows[feature].fillna("(missing)")
        values = sorted(text.unique())
        for value in values:
            x = (text == value).astype(float)
            # of two categories the one the cluster has less of says nothing new
            add(feature, value, x, len(values) == 2 and x[here].mean() < x.mean())
    # largest |z| first; rounded, so that equal ones are ties, which go by position
    order = sorted(range(len(block)), key=lambda i: (block[i][6], -round(abs(block[i][5]), 12), i))
    for rank, i in enumerate(order, 1):
        block[i][6] = rank
    out += block
pd.DataFrame(out, columns=["cluster", "feature", "category", "mean", "overall", "z", "rank"]).to_csv(
    HERE / "segment_profile.csv", index=False, float_format="%.17g")
