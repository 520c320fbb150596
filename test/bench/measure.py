"""How the benches run statements and measure: ours and a peer in turn, in one process."""

import io
import os
import re
import statistics
import subprocess
import time

import numpy
import pandas

PSQL = os.path.join(os.environ.get("PG_BINDIR", ""), "psql")
ROUNDS = int(os.environ.get("ROUNDS", "3"))
REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.environ.get("RETAILML_DATA", os.path.join(REPO, "..", "shared", "data"))


def psql(script):
    """Run a script, return its output."""
    done = subprocess.run([PSQL, "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return done.stdout


def timed(query, setup=""):
    """Seconds a query takes, connection and set-up left out."""
    output = psql(f"SET client_min_messages = warning;\n{setup}\n\\timing on\n{query};\n")
    return sum(float(ms) for ms in re.findall(r"^Time: ([0-9.]+) ms", output, re.M)) / 1000


def clock(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def compare(what, ours, peer, target):
    """Both in turn; ours and peer return seconds."""
    ours(), peer()
    pairs = [(ours(), peer()) for _ in range(ROUNDS)]
    a, b = (statistics.median(side) for side in zip(*pairs))
    ratio = statistics.median(x / y for x, y in pairs)
    report(what, a, b, ratio, target)
    return a, b


def report(what, ours, peer, ratio, target):
    print(f"{what:<58} {ours:>9.3f} {peer:>9.3f} {ratio:>8.2f}  {target}", flush=True)


def fetch(query):
    """A table of numbers as an array."""
    text = psql(f"COPY ({query}) TO STDOUT (FORMAT csv)")
    return pandas.read_csv(io.StringIO(text), header=None).to_numpy(dtype=numpy.float64)
