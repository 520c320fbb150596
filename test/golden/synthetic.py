#!/usr/bin/env python3
"""Golden rows of the synthetic store: the model of include/retailml/synthetic.h, written a second
time in plain Python (3.11, standard library only) from the description and from the tables of the
Philox paper, so that a slip in the C code shows.

Writes synthetic_products.csv, synthetic_customers.csv and synthetic_purchases.csv beside itself and
prints the checksum of a longer run, which test_synthetic.c holds.
"""
import csv
import os

HERE = os.path.dirname(os.path.abspath(__file__))
MASK32 = (1 << 32) - 1
SEED = 42

# stream numbers of the columns, src/data/synthetic_draw.h
LINE, NOUN, PRICE, POPULARITY = 1, 2, 3, 4
SIGNUP, BAND, AGE, GENDER, REGION, EDUCATION, EMPLOYMENT, INCOME = range(16, 24)
POWER, FREQUENCY, LOYALTY, ENGAGEMENT, PREFERENCES = range(24, 29)
ORDER, CUSTOMER, DAY, SECOND, CHANNEL, REPEAT, CATEGORY, PRODUCT, QUANTITY, AMOUNT = range(48, 58)

PRICES = [(100, 800), (10, 150), (30, 400), (5, 40), (10, 100)]
BANDS = [(18, 24, 0), (25, 34, 1), (35, 44, 1), (45, 54, 1), (55, 64, 1), (65, 80, 2)]
BAND_SHARES = [13, 21, 20, 18, 15, 13]
EDUCATION_SHARES = [[55, 25, 18, 2, 0], [25, 25, 30, 17, 3], [40, 30, 18, 10, 2]]
EMPLOYMENT_SHARES = [[37, 3, 50, 10, 0], [75, 14, 2, 9, 0], [8, 5, 0, 0, 87]]
BASES = [30000, 34000, 44000, 55000, 65000]
BY_EMPLOYMENT = [100, 110, 35, 40, 65]
BY_POWER = [70, 100, 160]
WEIGHTS = [1, 3, 8]
QUANTITIES = [[90, 10, 0], [70, 20, 10], [50, 30, 20]]


def bits(column, index, seed=SEED):
    """64 bits of Philox4x32-10 (Salmon et al. 2011), words 0 and 1"""
    stream = 0x53594E << 40 | column
    x = [index & MASK32, index >> 32, stream & MASK32, stream >> 32]
    key = [seed & MASK32, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [q >> 32 ^ x[1] ^ key[0], q & MASK32, p >> 32 ^ x[3] ^ key[1], p & MASK32]
        key = [(key[0] + 0x9E3779B9) & MASK32, (key[1] + 0xBB67AE85) & MASK32]
    return x[0] | x[1] << 32


def uniform(column, index):
    return (bits(column, index) >> 11) / 2**53


def between(column, index, low, high):
    return low + (bits(column, index) * (high - low + 1) >> 64)


def code(column, index, shares):
    value = between(column, index, 0, 99)
    return next(k for k in range(len(shares)) if value < sum(shares[: k + 1]))


def beta(column, index, a, b):
    return int(sorted(uniform(column, index * 8 + j) for j in range(a + b - 1))[a - 1] * 10000 + 0.5)


def product(i):
    category = (i - 1) % 5
    low, high = PRICES[category]
    return dict(
        product_id=i,
        category=category,
        subcategory=category * 5 + (i - 1) // 5 % 5,
        number=(i - 1) // 25 + 1,
        base_price=between(PRICE, i, low * 100, high * 100),
        popularity=between(POPULARITY, i, 1000, 10000) / 10000,
    )


def customer(i):
    low, high, stage = BANDS[code(BAND, i, BAND_SHARES)]
    education = code(EDUCATION, i, EDUCATION_SHARES[stage])
    employment = code(EMPLOYMENT, i, EMPLOYMENT_SHARES[stage])
    power = code(POWER, i, [20, 60, 20])
    frequency = code(FREQUENCY, i, [30, 50, 20])
    income = BASES[education] * BY_EMPLOYMENT[employment] * BY_POWER[power] * between(INCOME, i, 700, 1300)
    a = [2, 4, 5][frequency]
    loyalty = beta(LOYALTY, i, a, 7 - a)
    cuts = [0.0] + sorted(uniform(PREFERENCES, i * 8 + j) for j in range(4)) + [1.0]
    row = dict(
        customer_id=i,
        signup_days=between(SIGNUP, i, 1, 1096),
        age=between(AGE, i, low, high),
        gender=code(GENDER, i, [50, 48, 2]),
        region=code(REGION, i, [25, 20, 15, 15, 25]),
        education=education,
        employment=employment,
        income=income // 10**8 * 1000,
        power=power,
        frequency=frequency,
        loyalty=loyalty / 10000,
        engagement=(loyalty + beta(ENGAGEMENT, i, 2, 3)) // 2 / 10000,
    )
    row.update({f"p{k}": cuts[k + 1] - cuts[k] for k in range(5)})
    return row


def weighted(weights, target):
    """the place where the running sum passes the target"""
    for place, weight in enumerate(weights):
        target -= weight
        if target < 0:
            return place


def purchases(n, n_customers, n_products, days, repeat_rate, signal):
    customers = [customer(i + 1) for i in range(n_customers)]
    # customers take their turn by class, then by number
    turns = sorted(customers, key=lambda c: c["frequency"])
    weights = [WEIGHTS[c["frequency"]] for c in turns]
    products = [product(i + 1) for i in range(n_products)]
    last = {}
    order = 0
    for i in range(1, n + 1):
        if i == 1 or between(ORDER, i, 0, 99) < 60:
            order += 1
            if signal:
                who = turns[weighted(weights, between(CUSTOMER, i, 0, sum(weights) - 1))]
            else:
                who = customers[between(CUSTOMER, i, 0, n_customers - 1)]
            second = between(DAY, i, 0, days - 1) * 86400 + between(SECOND, i, 8 * 3600, 22 * 3600 - 1)
            channel = code(CHANNEL, i, [50, 35, 15])
        if not signal:
            what = products[between(PRODUCT, i, 0, n_products - 1)]
        else:
            category = last.get(who["customer_id"])
            if category is None or not uniform(REPEAT, i) < repeat_rate:
                shares = [who[f"p{k}"] for k in range(min(5, n_products))]
                category = weighted(shares, uniform(CATEGORY, i) * sum(shares))
            last[who["customer_id"]] = category
            shelf = products[category::5]
            units = [round(p["popularity"] * 10000) for p in shelf]
            what = shelf[weighted(units, between(PRODUCT, i, 0, sum(units) - 1))]
        quantity = 1 + code(QUANTITY, i, QUANTITIES[who["power"]])
        price = what["base_price"] * quantity
        yield dict(
            purchase_id=i,
            order_id=order,
            customer_id=who["customer_id"],
            product_id=what["product_id"],
            second=second,
            quantity=quantity,
            unit_price=what["base_price"],
            amount=between(AMOUNT, i, -(-price * 85 // 100), price * 115 // 100),
            channel=channel,
        )


def checksum(rows):
    """FNV-1a over the columns as 64-bit words"""
    h = 0xCBF29CE484222325
    for row in rows:
        for value in row.values():
            h = (h ^ value) * 0x100000001B3 & (1 << 64) - 1
    return h


def write(name, rows):
    rows = list(rows)
    with open(os.path.join(HERE, name), "w", newline="") as f:
        writer = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        # 17 digits: the reader gets the very same number
        writer.writerows({k: repr(v) for k, v in row.items()} for row in rows)


if __name__ == "__main__":
    write("synthetic_products.csv", (product(i) for i in range(1, 61)))
    write("synthetic_customers.csv", (customer(i) for i in range(1, 61)))
    write("synthetic_purchases.csv", purchases(120, 20, 12, 30, 0.3, True))
    print("20000 purchases, standard store: %#x" % checksum(purchases(20000, 500, 50, 730, 0.3, True)))
    print("20000 purchases, no signal:      %#x" % checksum(purchases(20000, 500, 50, 730, 0.3, False)))
    print("2000 purchases, three products:  %#x" % checksum(purchases(2000, 10, 3, 7, 0.5, True)))
