#!/usr/bin/env python3
"""Golden splits: the definition in fold.h once more, in Python's unbounded integers.

Philox4x32-10 is written from the paper (Salmon et al., SC 2011) and checked against the known answers
of its authors' Random123.  Python 3, nothing else.

Writes fold.csv beside itself: kind of key, the key, seed, the fold of 5 and of 1000, in training at 0.8.
"""
import csv
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
M32, M64 = 2**32 - 1, 2**64 - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & M32, (a >> 32) ^ c[3] ^ k[1], a & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c


assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
assert philox([M32] * 4, [M32] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


def bits(seed, stream, index):
    words = philox(struct.unpack("<4I", struct.pack("<QQ", index, stream)), struct.unpack("<2I", struct.pack("<q", seed)))
    return words[0] | words[1] << 32


def mixed(h, word):
    h = (h ^ word) * 0xBF58476D1CE4E5B9 & M64
    h = (h ^ h >> 32) * 0x94D049BB133111EB & M64
    return h ^ h >> 29


def hashed(data):
    h = mixed(0x9E3779B97F4A7C15, len(data))
    for i in range(0, len(data), 8):
        h = mixed(h, int.from_bytes(data[i : i + 8], "little"))
    return h


def split(key, seed):
    integer = isinstance(key, int)
    index = key & M64 if integer else hashed(key.encode())
    fold, train = (bits(seed, int.from_bytes(name, "big") * scale + integer, index) for name, scale in ((b"fold", 256), (b"train", 1)))
    return [fold * n // 2**64 + 1 for n in (5, 1000)] + [int((train >> 11) * 2.0**-53 < 0.8)]


def main():
    texts = ["", "a", "ä", "customer 1", "customer 2", "12345678", "123456789", "a text that is longer than three words of eight"]
    with open(os.path.join(HERE, "fold.csv"), "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["kind", "key", "seed", "fold5", "fold1000", "train"])
        for seed in 42, 0, -1, 2**40 + 7:
            for key in [0, 1, 2, 3, 4, 5, -1, 32767, 10**12, 2**63 - 1, -(2**63)]:
                out.writerow(["integer", key, seed, *split(key, seed)])
            for key in texts:
                out.writerow(["text", key, seed, *split(key, seed)])


main()
