#!/usr/bin/env python3
"""Golden numbers of RFM, with pandas 3.1.1 and numpy 2.4.6 (Python 3.11).

rfm_values.csv  recency, frequency and monetary per customer of 3,000 order lines made by formula,
                with missing orders, dates and amounts: a pandas group-by; sums by math.fsum
                (floats) and decimal (numeric)
rfm_scores.csv  scores of 503 customers made by formula, with many ties, for 3, 5 and 10 bins: from
                ranks (pandas rank, method min), where the C code uses cut points
"""
import math
import os
from decimal import Decimal

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
AS_OF = pd.Timestamp("2024-12-31")


def lines():
    i = np.arange(1, 3001, dtype=np.int64)
    frame = pd.DataFrame({"customer": i * 7919 % 97 + 1,
                          "order": (i * 31 % 613 // 40).astype(float),
                          "cents": i * 10007 % 20011 - 1500})
    frame["at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(i * 7907 % 575000, unit="min")
    frame.loc[i % 61 == 0, "order"] = np.nan
    frame.loc[i % 53 == 0, "at"] = pd.NaT
    frame["has_amount"] = i % 29 != 0
    return frame[frame["at"] <= AS_OF]


def values():
    for customer, rows in lines().groupby("customer"):
        cents = [int(c) for c in rows.loc[rows["has_amount"], "cents"]]
        yield {"customer": customer,
               "recency_days": repr((AS_OF - rows["at"].max()) / pd.Timedelta(days=1)),
               "frequency": rows["order"].nunique(),
               "monetary": repr(math.fsum(c / 100 for c in cents)),
               "monetary_numeric": repr(float(sum((Decimal(c) / 100 for c in cents), Decimal(0)))),
               "first_order_at": rows["at"].min(),
               "last_order_at": rows["at"].max()}


def score(column, bins, low_is_best):
    worse = column.rank(method="min", ascending=not low_is_best).astype("int64") - 1
    return 1 + bins * worse // len(column)


def scores():
    i = np.arange(1, 504, dtype=np.int64)
    frame = pd.DataFrame({"recency": i * 37 % 211 + 0.25 * (i % 3),
                          "frequency": np.where(i % 10 < 5, 1, i * 13 % 12 + 1),
                          "monetary": i * 7907 % 9973 / 100}, index=pd.Index(i, name="customer"))
    for bins in (3, 5, 10):
        for column in ("recency", "frequency", "monetary"):
            frame[f"{column[0]}{bins}"] = score(frame[column], bins, column == "recency")
    return frame


def main():
    pd.DataFrame(values()).to_csv(os.path.join(HERE, "rfm_values.csv"), index=False)
    scores().to_csv(os.path.join(HERE, "rfm_scores.csv"))


if __name__ == "__main__":
    main()
