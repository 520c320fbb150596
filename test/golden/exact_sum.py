#!/usr/bin/env python3
"""Golden sums: exact rational arithmetic (Python 3.11, fractions), rounded once to a double.

Each row of exact_sum.csv is a list of terms made by a linear congruential generator, which the
test makes again, and its sum.  Term: mantissa of 53 bits, either sign, times 2^exponent with an
exponent between low and high.  decimals > 0 instead: cents-like terms, mantissa modulo 10^8 divided
by 10^decimals.  A row with cancel = 1 adds every second term's negative again, so little is left.
"""
import csv
import math
import os
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
MASK = (1 << 64) - 1
# seed, n, low, high, decimals, cancel
ROWS = [(1, 1000, 0, 0, 2, 0), (2, 1000, 0, 0, 2, 1), (3, 1000, -60, -40, 0, 0),
        (4, 1000, -120, -40, 0, 0), (5, 1000, -1074, 900, 0, 0), (6, 1000, -1074, 900, 0, 1),
        (7, 1000, -1074, -1060, 0, 0), (8, 1000, -53, 60, 0, 1), (9, 1000, 950, 960, 0, 0),
        (10, 1000, -1100, -1020, 0, 1), (11, 1, -64, -64, 0, 0), (12, 3, 10, 74, 0, 0)]


def terms(seed, n, low, high, decimals, cancel):
    state = seed
    for i in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        mantissa = state >> 11
        sign = -1 if state & 1024 else 1
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        exponent = low + (state >> 33) % (high - low + 1)
        if decimals > 0:
            x = sign * float(mantissa % 10**8) / 10**decimals
        else:
            x = sign * math.ldexp(float(mantissa), exponent)
        yield x
        if cancel and i % 2 == 1:
            yield -x


def main():
    with open(os.path.join(HERE, "exact_sum.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["seed", "n", "low", "high", "decimals", "cancel", "sum"])
        for row in ROWS:
            total = float(sum((Fraction(x) for x in terms(*row)), Fraction(0)))
            out.writerow(list(row) + [total.hex()])


if __name__ == "__main__":
    main()
