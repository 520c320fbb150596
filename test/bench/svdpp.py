"""Speed and accuracy of SVD++ beside Surprise, and its growth.

Ours is the statement that trains, the scan of the table included; an epoch is the difference of two trainings with
more and fewer of them.  Surprise gets its training set ready in memory.  Without scikit-surprise its rows are skipped.

SVDPP_ROUNDS folds (5) are compared for accuracy.  QUICK=1 takes a tenth of the large tables and leaves Surprise two epochs.
"""

import os
import statistics
import threading
import time

import numpy
import pandas

from measure import DATA, ROUNDS, psql, report, timed

QUICK = bool(os.environ.get("QUICK"))
FOLDS = 5
ROUNDS_OF_FOLDS = int(os.environ.get("SVDPP_ROUNDS", FOLDS))
SHARE = 10 if QUICK else 1
FILE = os.path.join(DATA, "movielens_small_ratings.csv.gz")
# 20,000,000 ratings as models, their input and what sorts it
MEMORY = "SET retailml.max_memory = '6GB';"


def row(what, ours, target, peer="", ratio=""):
    """A line of what report() does not fit."""
    print(f"{what:<58} {ours:>9} {peer:>9} {ratio:>8}  {target}", flush=True)


def surprise_or_none():
    try:
        import surprise  # pylint: disable=import-outside-toplevel
    except ImportError:
        print("SVDpp: skipped, scikit-surprise is not installed")
        return None
    return surprise


# ---------------------------------------------------------------- MovieLens

def load_movielens():
    """The table bench_movielens with folds that follow from the ids, and as a frame; None when it is not there."""
    if not os.path.exists(FILE):
        print("svdpp on MovieLens: skipped, no data")
        return None
    psql(f"""DROP TABLE IF EXISTS bench_movielens;
        CREATE TABLE bench_movielens (user_id bigint, item_id bigint, rating float8, at bigint, fold int);
        \\copy bench_movielens (user_id, item_id, rating, at) FROM PROGRAM 'zcat {FILE}' (FORMAT csv, HEADER)
        UPDATE bench_movielens SET fold = retailml.fold(user_id * 1000000 + item_id, {FOLDS}, 1); VACUUM ANALYZE bench_movielens""")
    frame = pandas.read_csv(FILE)
    folds = psql("SELECT fold FROM bench_movielens ORDER BY user_id, item_id").split()
    frame = frame.sort_values(["userId", "movieId"], ignore_index=True)
    return frame.assign(fold=numpy.array(folds, dtype=int))


def trainset(surprise, frame):
    """Shuffled: Surprise goes through users as they appear, and through the films of each."""
    shuffled = frame.sample(frac=1, random_state=1)[["userId", "movieId", "rating"]]
    return surprise.Dataset.load_from_df(shuffled, surprise.Reader(rating_scale=(0.5, 5))).build_full_trainset()


def train(table, options, where="true"):
    return f"SELECT retailml.svdpp_train(user_id, item_id, rating, '{{{options}}}') AS model FROM {table} WHERE {where}"


def epoch_seconds(table, fewer, more, setup="", rounds=ROUNDS):
    """Seconds of one epoch, nothing held out, and of the shorter training."""
    option = '"holdout": 0, "n_epochs": {}'
    short = min(timed(train(table, option.format(fewer)), setup) for _ in range(rounds))
    long = min(timed(train(table, option.format(more)), setup) for _ in range(rounds))
    return (long - short) / (more - fewer), short


def speed(surprise, frame):
    """An epoch of ours on one thread and on all, and one of SVDpp."""
    one, _ = epoch_seconds("bench_movielens", 2, 42, "SET retailml.threads = 1;")
    every, _ = epoch_seconds("bench_movielens", 2, 42)
    whole = statistics.median(timed(train("bench_movielens", '"holdout": 0')) for _ in range(ROUNDS))
    row("svdpp_train, an epoch of MovieLens, all threads / one", f"{every:.4f}", "< 1", f"{one:.4f}", f"{every / one:.2f}")
    both = [statistics.median(timed(train("bench_movielens", ""), setup) for _ in range(ROUNDS)) for setup in ("", "SET retailml.threads = 1;")]
    row("... trial and training of 20 epochs, all threads / one", f"{both[0]:.3f}", "< 1", f"{both[1]:.3f}", f"{both[0] / both[1]:.2f}")
    if surprise is None:
        return
    ratings, epochs = trainset(surprise, frame), 2 if QUICK else 20
    start = time.perf_counter()
    surprise.SVDpp(n_epochs=epochs, random_state=1).fit(ratings)
    peer = (time.perf_counter() - start) / epochs
    row("... one thread / Surprise SVDpp", f"{one:.4f}", f"<= 0.01 ({peer / one:.0f} x)", f"{peer:.4f}", f"{one / peer:.4f}")
    row("... all threads / Surprise SVDpp", f"{every:.4f}", f"<= 0.01 ({peer / every:.0f} x)", f"{peer:.4f}", f"{every / peer:.4f}")
    row("svdpp_train of 20 epochs / SVDpp.fit", f"{whole:.3f}", f"({peer * 20 / whole:.0f} x)", f"{peer * 20:.3f}", f"{whole / peer / 20:.4f}")


def errors(truth, predicted):
    off = numpy.asarray(truth) - numpy.asarray(predicted)
    return numpy.array([numpy.sqrt((off**2).mean()), numpy.abs(off).mean()])


def ours_of_fold(frame, fold):
    trained = train("bench_movielens", '"holdout": 0', f"fold <> {fold}")
    text = psql(f"""COPY (SELECT retailml.svdpp_predict(model, user_id, item_id) FROM ({trained}) m, bench_movielens
        WHERE fold = {fold} ORDER BY user_id, item_id) TO STDOUT""")
    return errors(frame.rating[frame.fold == fold], [float(p) for p in text.split()])


def theirs_of_fold(surprise, frame, fold):
    model = surprise.SVDpp(random_state=fold).fit(trainset(surprise, frame[frame.fold != fold]))
    test = frame[frame.fold == fold]
    return errors(test.rating, [model.predict(u, i).est for u, i in zip(test.userId, test.movieId)])


def accuracy():
    """Errors of held-out folds, means over folds, at Surprise's default settings, which are ours."""
    surprise, frame = surprise_or_none(), load_movielens()
    if frame is None:
        return
    folds = range(1, 1 + min(ROUNDS_OF_FOLDS, FOLDS))
    mine = numpy.array([ours_of_fold(frame, fold) for fold in folds])
    peer = numpy.array([theirs_of_fold(surprise, frame, fold) for fold in folds]) if surprise else None
    for k, (name, most) in enumerate((("RMSE", .8655), ("MAE", .664))):
        what = f"svdpp_train on MovieLens, {len(folds)} of {FOLDS} folds, {name}"
        if peer is None:
            row(what, f"{mine[:, k].mean():.4f}", f"<= {most}")
            continue
        difference = mine[:, k] - peer[:, k]
        error = difference.std(ddof=1) / len(folds) ** .5 if len(folds) > 1 else float("nan")
        row(f"{what} / SVDpp", f"{mine[:, k].mean():.4f}", f"<= {most} (+- {error:.4f})", f"{peer[:, k].mean():.4f}", f"{difference.mean():+.4f}")


# ---------------------------------------------------------------- growth

def make_ratings(n, users, items):
    """About n ratings in bench_ratings: a few users rate much, half of all ratings are of one item in twenty (as in MovieLens)."""
    # the nearer to 0 the more; repeated pairs, some in a hundred, are merged by svdpp_train
    psql(f"""DROP TABLE IF EXISTS bench_ratings; SELECT setseed(0.5);
        CREATE UNLOGGED TABLE bench_ratings AS
        SELECT u::bigint * 7919 % 1000003 AS user_id, i::bigint * 104729 % 1000003 AS item_id,
            round(2 * least(5, greatest(0.5, 3.5 + hashint4(u) % 100 / 200.0 + hashint4(i) % 100 / 200.0 + (u % 7 - 3) * (i % 5 - 2) / 8.0 + e))) / 2 AS rating
        FROM (SELECT floor({users} * power(random(), 1.3))::int AS u, floor({items / 450} * (power(451, random()) - 1))::int AS i,
                random() + random() - 1 AS e FROM generate_series(1, {n})) s;
        VACUUM ANALYZE bench_ratings""")


def growth():
    last = None
    for n in (100_000 // SHARE, 1_000_000 // SHARE, 10_000_000 // SHARE):
        make_ratings(n, n // 145, 27_000)
        seconds, _ = epoch_seconds("bench_ratings", 2, 2 + max(10, 20_000_000 // SHARE // n), MEMORY)
        row(f"svdpp_train, an epoch of {n:,} ratings, growth", f"{seconds:.4f}", "about 10", "", "" if last is None else f"{seconds / last:.2f}")
        last = seconds


def private_memory(pid):
    """Anonymous bytes of a process now."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return sum(int(line.split()[1]) for line in status if line.startswith("RssAnon")) * 1024


def training_memory(query, setup):
    """Largest private memory while a statement runs, VmHWM of its process, and seconds."""
    peak, done = [0], threading.Event()

    def watch():
        pid = ""
        while not done.wait(0.05):
            pid = pid or psql("SELECT pid FROM pg_stat_activity WHERE query LIKE '%memory probe%' AND pid <> pg_backend_pid() LIMIT 1").strip()
            try:
                peak[0] = max(peak[0], private_memory(pid)) if pid else 0
            except OSError:
                pass

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    try:
        text = psql(f"{setup} {query} /* memory probe */; SELECT pg_read_file('/proc/self/status')")
    finally:
        done.set()
        watcher.join()
    high = next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmHWM"))
    return peak[0], high, time.perf_counter() - start


def large():
    """As large as MovieLens 20M."""
    n, users = 20_900_000 // SHARE, 138_000 // SHARE
    make_ratings(n, users, 27_000)
    psql(f"DROP TABLE IF EXISTS bench_svdpp; {MEMORY} CREATE TABLE bench_svdpp AS " + train("bench_ratings", '"holdout": 0, "n_epochs": 1'))
    ratings, people, things = (int(x) for x in psql("SELECT i ->> 'n_ratings', i ->> 'n_users', i ->> 'n_items' FROM bench_svdpp, retailml.model_info(model) i").strip().split("|"))
    seconds, once = epoch_seconds("bench_ratings", 1, 11, MEMORY)
    row(f"svdpp_train, an epoch of {ratings:,} ratings", f"{seconds:.3f}", f"< {4 / SHARE} ({people:,} users, {things:,} items)")
    row("... the statement with one epoch", f"{once:.3f}", "")
    serial = "SET max_parallel_workers_per_gather = 0;"
    peak, high, _ = training_memory("SELECT length((" + train("bench_ratings", '"holdout": 0, "n_epochs": 2') + "))", MEMORY + serial)
    triples = 12 * ratings
    report("... private memory / (int4, int4, float4), MB", peak / 1e6, triples / 1e6, peak / triples, "<= 3")
    report("... VmHWM, shared buffers included / the same", high / 1e6, triples / 1e6, high / triples, "")


def grid():
    """81 cells and 3 folds on the purchases of a store."""
    if psql("SELECT 1 FROM pg_proc WHERE proname = 'svdpp_cross_validate' LIMIT 1") == "":
        print("svdpp_cross_validate: skipped, no such function")
        return
    psql("""DROP TABLE IF EXISTS bench_store; CREATE TABLE bench_store AS
        SELECT customer_id::bigint AS user_id, product_id::bigint AS item_id, amount::float8 AS rating
        FROM retailml.generate_synthetic_purchases(30000, customers => 500, products => 50); VACUUM ANALYZE bench_store""")
    cells = '"grid": {"n_factors": [5, 10, 20], "n_epochs": [10, 20, 30], "lr": [0.003, 0.007, 0.015], "reg": [0.02, 0.05, 0.1]}'
    query = f"SELECT count(*) FROM (SELECT retailml.svdpp_cross_validate(user_id, item_id, rating, '{{\"implicit\": \"purchases\", \"folds\": 3, {cells}}}') AS c FROM bench_store) s, unnest(c)"
    one = timed(query, "SET retailml.threads = 1;")
    every = min(timed(query) for _ in range(ROUNDS))
    row("svdpp_cross_validate, 30,000 purchases, 81 cells x 3 folds", f"{every:.3f}", "< 20; / one thread", f"{one:.3f}", f"{every / one:.2f}")


def section():
    """What bench.py runs."""
    surprise, frame = surprise_or_none(), load_movielens()
    if frame is not None:
        speed(surprise, frame)
    growth()
    large()
    grid()
