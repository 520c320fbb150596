#!/usr/bin/env python3
"""Golden snapshot of customers, with pandas 3.1.1 and numpy 2.4.6 (Python 3.11).

A log of 2,500 lines made by formula, with returns, gifts, missing customers, orders and amounts, two
kinds of ties, and lines of one order at different times, is reduced to one row per customer for
as_of 2024-07-01 and 90 days, customer by customer, from the definitions in the function's comment.
The test makes the same log in SQL.  Writes customer_snapshot.csv beside itself.
"""
import os

import numpy as np
import pandas as pd

HERE = os.path.dirname(os.path.abspath(__file__))
AS_OF = pd.Timestamp("2024-07-01", tz="UTC")
END = AS_OF + pd.Timedelta(days=90)
DAY = pd.Timedelta(days=1)


def log():
    i = np.arange(1, 2501, dtype=np.int64)
    order = i * 31 % 1511 // 2
    frame = pd.DataFrame({"customer": (order * order % 397 + 1).astype(float),
                          "order": order.astype(float),
                          "cents": i * 10007 % 20011 - 2500,
                          "quantity": (i % 4).astype(float),
                          "product": (i * 13 % 37).astype(float),
                          "category": np.array(list("abcde"))[i * 17 % 5],
                          "channel": np.array(["web", "shop", "app"])[i * i % 3]})
    minutes = i * 7907 % 525000
    frame["at"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(minutes, unit="min")
    frame.loc[i % 71 == 0, "customer"] = np.nan
    frame.loc[i % 61 == 0, "order"] = np.nan
    frame.loc[i % 53 == 0, "at"] = pd.NaT
    frame.loc[i % 29 == 0, "cents"] = 0
    frame.loc[i % 31 == 0, "quantity"] = np.nan
    frame.loc[i % 43 == 0, "product"] = np.nan
    frame.loc[i % 47 == 0, "category"] = None
    frame = frame[i % 37 != 0]  # their amounts are NULL
    return frame.dropna(subset=["customer", "at"])


def top(bought, key):
    """largest sum, ties by name; share of what has a name; number of names"""
    sums = bought.dropna(subset=[key]).groupby(key)["cents"].sum()
    if sums.empty:
        return None, None, 0
    winner = min(sums.index, key=lambda name: (-sums[name], name))
    return winner, sums[winner] / sums.sum(), len(sums)


def spend(past, first, last):
    inside = (past["at"] >= AS_OF - first * DAY) & (past["at"] < AS_OF - last * DAY)
    return past.loc[inside, "cents"].sum() / 100


def features(past):
    bought = past[past["cents"] > 0]
    ordered = bought.dropna(subset=["order"])
    orders = ordered.groupby("order")["at"].min().sort_values()
    n = len(orders)
    gaps = np.diff(orders.to_numpy()) / np.timedelta64(1, "s") / 86400
    now, before = max(spend(past, 90, 0), 0), max(spend(past, 180, 90), 0)
    category, category_share, categories = top(bought, "category")
    channel, channel_share, _ = top(bought, "channel")
    recency = (AS_OF - bought["at"].max()) / DAY
    gap = gaps.mean() if n > 1 else None
    return {
        "recency_days": recency,
        "tenure_days": (AS_OF - bought["at"].min()) / DAY,
        "frequency": n,
        "monetary": past["cents"].sum() / 100,
        "avg_order_value": past["cents"].sum() / 100 / n if n else None,
        "gap_mean_days": gap,
        "gap_sd_days": gaps.std(ddof=1) if n > 2 else None,
        "days_since_last_over_gap": recency / max(gap, 1) if n > 1 else None,
        "lines_per_order": len(ordered) / n if n else None,
        "items_per_order": ordered["quantity"].sum() / n if n else None,
        "spend_30d": spend(past, 30, 0), "spend_90d": spend(past, 90, 0),
        "spend_365d": spend(past, 365, 0),
        "orders_30d": (orders >= AS_OF - 30 * DAY).sum(),
        "orders_90d": (orders >= AS_OF - 90 * DAY).sum(),
        "orders_365d": (orders >= AS_OF - 365 * DAY).sum(),
        "spend_trend": (now - before) / (now + before) if now + before > 0 else 0,
        "distinct_products": bought["product"].nunique(),
        "distinct_categories": categories,
        "top_category": category, "category_share": category_share,
        "top_channel": channel, "channel_share": channel_share,
        "weekend_share": (orders.dt.day_of_week >= 5).mean() if n else None,
        "returns_share": -past.loc[past["cents"] < 0, "cents"].sum() / bought["cents"].sum(),
    }


def outcomes(future):
    bought = future[future["cents"] > 0]
    return {"churned": "t" if bought.empty else "f",
            "future_spend": future["cents"].sum() / 100,
            "future_orders": bought["order"].nunique()}


def snapshot():
    for customer, rows in log().groupby("customer"):
        past = rows[rows["at"] < AS_OF]
        if (past["cents"] > 0).any():
            future = rows[(rows["at"] >= AS_OF) & (rows["at"] < END)]
            yield {"customer_id": int(customer), **features(past), **outcomes(future)}


if __name__ == "__main__":
    frame = pd.DataFrame(snapshot())
    print(f"pandas {pd.__version__}, numpy {np.__version__}: {len(frame)} customers, "
          f"{(frame['churned'] == 't').sum()} churned")
    frame.to_csv(os.path.join(HERE, "customer_snapshot.csv"), index=False, lineterminator="\n")
