#!/usr/bin/env bash
# run.sh [STAGE...]: what `make test` does.  All stages, in order:
#
#   setup    packages that are missing
#   build    the module with warnings as errors and assertions, unit tests and fuzz targets with sanitizers
#   headers  do the bindings compile against the headers of every supported PostgreSQL?
#   unit     test/unit        purity   kernels stay plain C       fuzz    test/fuzz, a bounded run
#   sql      test/sql         t        test/t                     docs    generated pages, versions
#
# ONLY=word runs only the unit, fuzz, sql and t tests with that word in their name.
# The last line counts the assertions of all stages; a stage that dies counts as one that failed.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"

LOG=$BUILD/log
JOBS=$(nproc 2>/dev/null || echo 1)
ONLY=${ONLY:-}
# seconds for one unit test, fuzz target or test script: none should need a tenth of it
PATIENCE=${PATIENCE:-300}
passed=0
failed=0
skipped=0

# ---------------------------------------------------------------- counting

# count_tap FILE: "passed failed skipped" of one TAP stream; a plan that is missing or wrong is a failure
count_tap()
{
    awk '
        /^ok([ \t]|$)/ { n++; if (tolower($0) ~ /# *skip/) skipped++; else passed++ }
        /^not ok([ \t]|$)/ { n++; if (tolower($0) ~ /# *todo/) skipped++; else failed++ }
        /^1\.\.[0-9]+/ { split($1, range, /\.\./); planned += range[2]; plan = 1 }
        /^Bail out!/ { bailed = 1 }
        END {
            if (bailed || !plan || planned != n) failed++
            print passed + 0, failed + 0, skipped + 0
        }' "$1"
}

# tally NAME FILE STATUS: add a TAP stream to the totals and show it when something is wrong with it
tally()
{
    local p f s
    read -r p f s < <(count_tap "$2")
    # a sanitizer's report, a segmentation fault: all lines may say ok
    if [ "$3" -ne 0 ] && [ "$f" -eq 0 ]; then f=1; fi
    passed=$((passed + p))
    failed=$((failed + f))
    skipped=$((skipped + s))
    if [ "$f" -gt 0 ]; then
        echo "---- $1: $f failed (exit status $3)"
        grep -vE '^ok ' "$2" || true
    elif [ "$s" -gt 0 ]; then
        echo "     $1: $p passed, $s skipped"
    else
        echo "     $1: $p passed"
    fi
}

# run_tap NAME COMMAND...
run_tap()
{
    local name=$1 out=$LOG/$1.tap status=0
    shift
    mkdir -p "$(dirname "$out")"
    timeout --kill-after=10 "$PATIENCE" "$@" >"$out" 2>&1 </dev/null 9>&- || status=$?
    tally "$name" "$out" "$status"
}

# run_step NAME COMMAND...: something that either works or counts as one failed
run_step()
{
    local name=$1 out=$LOG/$1.log status=0
    shift
    "$@" >"$out" 2>&1 9>&- || status=$?
    if [ "$status" -ne 0 ]; then
        failed=$((failed + 1))
        echo "---- $name failed (exit status $status)"
        tail -n 200 "$out"
    fi
    return "$status"
}

wanted()
{
    case $1 in *"$ONLY"*) return 0 ;; *) return 1 ;; esac
}

# ---------------------------------------------------------------- stages

# output is shown as it comes: it may ask for something
stage_setup()
{
    "$REPO/test/harness/setup.sh" || exit 1
}

stage_build()
{
    run_step build-module "$MAKE" -s --no-print-directory -k -j"$JOBS" WERROR=1 \
        "$BUILD/strict/retailml.so" || true
    run_step build-tests "$MAKE" -s --no-print-directory -k -j"$JOBS" unit-programs fuzz-programs || true
}

stage_headers()
{
    run_tap headers test/harness/headers.sh
}

# gcc's leak check needs ptrace, which some containers forbid: then it says so and fails every program
sanitizer_options()
{
    export UBSAN_OPTIONS=print_stacktrace=1
    export ASAN_OPTIONS=detect_stack_use_after_return=1
    printf 'int main(void) { return 0; }\n' >"$LOG/probe.c"
    if gcc -fsanitize=address -o "$LOG/probe" "$LOG/probe.c" 2>/dev/null && ! "$LOG/probe" 2>/dev/null
    then
        echo "     no leak check: it does not work on this machine"
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
    fi
}

stage_unit()
{
    local source name
    sanitizer_options
    for source in test/unit/test_*.c; do
        name=$(basename "$source" .c)
        wanted "$name" || continue
        run_tap "$name" "$BUILD/san/$name"
    done
}

stage_purity()
{
    run_tap purity test/harness/purity.sh
}

# as TAP: one assertion per target
fuzz_target()
{
    local name=$1 runs=$2 status=0
    FUZZ_LAST_INPUT=$LOG/$name.input "$BUILD/san/fuzz_$name" "$runs" || status=$?
    tap "$status" "$name survives $runs inputs"
    [ "$status" -eq 0 ] || diag "replay: build/san/fuzz_$name build/log/$name.input"
    done_testing
}

stage_fuzz()
{
    local source name runs
    sanitizer_options
    export -f fuzz_target tap diag done_testing
    export LOG TAP_COUNT=0 TAP_FAILED=0
    for source in test/fuzz/*.c; do
        [ -e "$source" ] || continue
        name=$(basename "$source" .c)
        wanted "$name" || continue
        runs=$(sed -n 's/.*runs: *\([0-9]\{1,\}\).*/\1/p' "$source" | head -1)
        run_tap "fuzz_$name" bash -c "fuzz_target $name ${runs:-20000}"
    done
}

# the server of the remaining stages, started once and only when it is needed
need_server()
{
    case ${server:-} in
        up) return 0 ;;
        down) return 1 ;;
    esac
    server=down
    scratch_create
    run_step install private_install WERROR=1 || return 1
    run_step initdb server_new main || return 1
    run_step server server_start main || return 1
    server_use main
    server=up
}

# pg_regress reports per file, and the files hold the assertions
stage_sql()
{
    local names=() source name status=0 regress out=$BUILD/regress options
    for source in test/sql/*.sql; do
        [ -e "$source" ] || continue
        name=$(basename "$source" .sql)
        if wanted "$name"; then names+=("$name"); fi
    done
    [ ${#names[@]} -gt 0 ] || return 0
    need_server || return 0
    regress=$("$PG_CONFIG" --pkglibdir)/pgxs/src/test/regress/pg_regress
    rm -rf "$out"
    mkdir -p "$out"
    options=(--inputdir="$REPO/test" --outputdir="$out")
    # 15 and 16 look for expected/ in the output directory, 17 in an own one
    ln -s "$REPO/expected" "$out/expected"
    if "$regress" --help | grep -e --expecteddir >/dev/null; then
        options+=(--expecteddir="$REPO")
    fi
    timeout --kill-after=10 "$((4 * PATIENCE))" "$regress" "${options[@]}" --bindir="$PG_BINDIR" --host="$PGHOST" \
        --port="$PGPORT" --user="$PGUSER" --dbname=regression \
        --load-extension=pgtap --load-extension=retailml "${names[@]}" \
        >"$LOG/sql.log" 2>&1 9>&- || status=$?
    count_regress "$status" "$out" "${names[@]}"
}

# count_regress STATUS OUTPUT-DIRECTORY NAME...
count_regress()
{
    local status=$1 out=$2 name p f s bad=0
    shift 2
    for name in "$@"; do
        p=0 f=0 s=0
        if grep -qsE '^(ok|not ok|1\.\.)' "$out/results/$name.out"; then
            read -r p f s < <(count_tap "$out/results/$name.out")
        fi
        if regress_failed "$name"; then
            bad=1
            [ "$f" -gt 0 ] || f=1
        elif [ $((p + f + s)) -eq 0 ]; then
            # a test that only compares output is one assertion
            p=1
        fi
        passed=$((passed + p))
        failed=$((failed + f))
        skipped=$((skipped + s))
        echo "     sql/$name: $p passed$([ "$f" -eq 0 ] || echo ", $f failed")$([ "$s" -eq 0 ] || echo ", $s skipped")"
    done
    if [ -s "$out/regression.diffs" ]; then
        cat "$out/regression.diffs"
    elif [ "$status" -ne 0 ]; then
        [ "$bad" -eq 1 ] || failed=$((failed + 1))
        echo "---- pg_regress failed (exit status $status)"
        cat "$LOG/sql.log"
    fi
    server_survived
}

# "test X ... FAILED" until 15, "not ok 1 - X" since 16, and nothing when it did not get that far
regress_failed()
{
    ! grep -qE "(^test $1 +\.\.\. ok)|(^ok [0-9]+ +[-+] $1 )" "$LOG/sql.log"
}

# a crash may hide behind a test that expected an error
server_survived()
{
    if grep -E 'terminated by signal|TRAP:|PANIC:' "$(server_log main)"; then
        failed=$((failed + 1))
        echo "---- the server crashed; the end of its log:"
        tail -n 50 "$(server_log main)"
    fi
}

# each script has a database of its own, with the extension
stage_t()
{
    local script name
    for script in test/t/*; do
        if [ ! -f "$script" ] || [ ! -x "$script" ]; then continue; fi
        name=$(basename "$script")
        wanted "$name" || continue
        need_server || return 0
        server_use main
        name=${name%.*}
        run_step "database-$name" database_new "t_${name//[!a-zA-Z0-9]/_}" || continue
        run_tap "t-$name" "$script"
    done
    if [ "${server:-}" = up ]; then server_use main; fi
}

stage_docs()
{
    need_server || return 0
    run_tap docs test/harness/docs.sh
}

# ---------------------------------------------------------------- main

main()
{
    local stage
    mkdir -p "$LOG" 2>/dev/null || true
    [ -w "$LOG" ] || die "cannot write to $BUILD: set BUILD to another directory"
    # two runs in one tree would take each other's objects
    exec 9>"$BUILD/.lock"
    flock -n 9 || { echo "another test run is at work in this tree, waiting"; flock 9; }
    trap 'scratch_remove "${RETAILML_SCRATCH:-}"' EXIT
    trap 'exit 130' INT TERM HUP
    for stage in "$@"; do
        echo "== $stage"
        "stage_$stage"
    done
    if [ "$skipped" -gt 0 ]; then
        echo "$passed passed, $failed failed, $skipped skipped"
    else
        echo "$passed passed, $failed failed"
    fi
    [ "$failed" -eq 0 ]
}

if [ $# -eq 0 ]; then
    set -- setup build headers unit purity fuzz sql t docs
fi
main "$@"
