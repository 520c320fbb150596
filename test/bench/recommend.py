"""Recommendations for all users beside the bare matrix product of that size.

The peer multiplies the users' vectors with the items' in float32 with numpy's BLAS on all processors, a
thousand users at a time into one array, and looks at nothing of it: no user's best, no item left out, no
row.  Ours is the whole query, decoding the model and reading all rows included.
"""

import numpy

from measure import clock, compare, psql, report, timed

USERS, ITEMS, FACTORS, BEST = 100_000, 10_000, 20, 10
BLOCK = 1000
ROOM = "SET retailml.max_memory = '4GB';"


def make_model():
    """20 ratings a user that follow from hidden vectors, so that there is something to learn."""
    psql(f"""{ROOM} DROP TABLE IF EXISTS bench_ratings, bench_recommender;
        CREATE TABLE bench_ratings AS SELECT u AS user_id, (hashint8extended(u * 64 + j, 7) & 2147483647) % {ITEMS} AS item_id
            FROM generate_series(1::bigint, {USERS}) u, generate_series(1, 20) j;
        CREATE TABLE bench_recommender AS SELECT retailml.svdpp_train(user_id, item_id, 3 + sin(user_id * 0.7) * cos(item_id * 1.3)
            + 0.5 * sin(item_id * 0.1) + (hashint8(user_id * 131 + item_id) & 255) / 256.0::float8,
            '{{"n_factors": {FACTORS}, "n_epochs": 10, "holdout": 0}}') AS model FROM bench_ratings;
        VACUUM ANALYZE bench_recommender""")


def product():
    """A function that takes the time of the bare product."""
    rng = numpy.random.default_rng(0)
    users = rng.standard_normal((USERS, FACTORS), dtype=numpy.float32)
    items = numpy.ascontiguousarray(rng.standard_normal((ITEMS, FACTORS), dtype=numpy.float32).T)
    scores = numpy.empty((BLOCK, ITEMS), dtype=numpy.float32)

    def multiply():
        for first in range(0, USERS, BLOCK):
            numpy.matmul(users[first:first + BLOCK], items, out=scores)

    return lambda: clock(multiply)[0]


def section():
    make_model()
    everything = "SELECT count(*), sum({score}) FROM {rows}"
    rows = f"bench_recommender, retailml.svdpp_recommend_all(model, {BEST})"
    ours = everything.format(score="score", rows=rows)
    by_row = everything.format(score="(r).score", rows=f"(SELECT retailml.svdpp_recommend_all(model, {BEST}) AS r FROM bench_recommender) s")
    peer = product()
    size = f"{USERS:,} x {ITEMS:,}, top {BEST}"
    compare(f"svdpp_recommend_all {size} / sgemm", lambda: timed(ours), peer, "<= 5")
    compare("... row by row, in a target list", lambda: timed(by_row), peer, "<= 5")
    compare("... one thread", lambda: timed(ours, "SET retailml.threads = 1;"), peer, "")
    one = timed("SELECT count(*) FROM bench_recommender, generate_series(1::bigint, 1000) u, retailml.svdpp_recommend(model, u, 10)")
    report("svdpp_recommend, 1,000 users one by one, top 10: seconds", one, float("nan"), float("nan"), "")
    psql("DROP TABLE bench_ratings, bench_recommender")
