/*
 * unit.h
 *	  The harness of the kernel tests: checks that print TAP, golden numbers, an environment.
 *
 * A test is a program:
 *
 *		int
 *		main(void)
 *		{
 *			RmlEnv	   *env = unit_env(2);
 *
 *			unit_equal_int(rml_answer(env), 42, "the answer");
 *			unit_env_free(env);
 *			return unit_done();
 *		}
 *
 * Every check prints one TAP line, so a check belongs outside hot loops: compare arrays with
 * unit_near_array, or fold a loop into one boolean.  Checks return whether they held.
 */
#ifndef RETAILML_UNIT_H
#define RETAILML_UNIT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retailml/env.h"

#define UNIT_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* ---- checks */

extern bool unit_ok(bool holds, const char *what, ...) UNIT_PRINTF(2, 3);
extern bool unit_equal_int(int64_t got, int64_t wanted, const char *what, ...) UNIT_PRINTF(3, 4);
/* either may be NULL, which equals only NULL */
extern bool unit_equal_string(const char *got, const char *wanted, const char *what, ...)
	UNIT_PRINTF(3, 4);
extern bool unit_equal_bytes(const void *got, const void *wanted, size_t size, const char *what,
							 ...) UNIT_PRINTF(4, 5);
/* |got - wanted| <= tolerance * max(1, |wanted|); NaN is near NaN, an infinity near itself */
extern bool unit_near(double got, double wanted, double tolerance, const char *what, ...)
	UNIT_PRINTF(4, 5);
/* one check for count numbers; a failure names the worst of them */
extern bool unit_near_array(const double *got, const double *wanted, size_t count, double tolerance,
							const char *what, ...) UNIT_PRINTF(5, 6);
/* the text holds the fragment (for reasons and messages); NULL holds nothing */
extern bool unit_contains(const char *text, const char *fragment, const char *what, ...)
	UNIT_PRINTF(3, 4);
extern void unit_skip(int count, const char *why, ...) UNIT_PRINTF(2, 3);
/* a comment in the output */
extern void unit_note(const char *format, ...) UNIT_PRINTF(1, 2);
/* print the plan; the exit status of the program */
extern int unit_done(void);

/* ---- tables of numbers: a CSV with a header, cells without quotes inside quotes */

typedef struct UnitCsv
{
	size_t rows;
	size_t columns;
	char **names; /* [columns] */
	char **cells; /* [rows * columns], row by row */
	char *text;   /* what names and cells point into */
} UnitCsv;

/* test/golden/<file>; a missing one is a failed test, and NULL */
extern UnitCsv *unit_golden(const char *file);
/* $RETAILML_DATA/<file>, .gz allowed; where it is absent, `tests` tests are skipped and NULL returned */
extern UnitCsv *unit_data(const char *file, int tests);
extern void unit_csv_free(UnitCsv *csv);
/* the number of a column; an unknown name ends the program (a test cannot go on without it) */
extern size_t unit_csv_column(const UnitCsv *csv, const char *name);
extern const char *unit_csv_text(const UnitCsv *csv, size_t row, const char *name);
/* an empty cell is NaN */
extern double unit_csv_number(const UnitCsv *csv, size_t row, const char *name);
/* a whole column, or `columns` of them from `first` on, row-major; free() it */
extern double *unit_csv_numbers(const UnitCsv *csv, const char *first, size_t columns);

/* ---- the environment: an arena over malloc, one block per allocation, so that ASan sees the
 * edges; memory comes filled with 0xFF bytes (NaN, -1), so that reading it uninitialised shows */

extern RmlEnv *unit_env(int threads);
extern void unit_env_free(RmlEnv *env);
/* release everything the arena holds, keep the environment */
extern void unit_env_reset(RmlEnv *env);
/* how often poll and progress were called, what is allocated now, and the most there was */
extern int64_t unit_env_polls(const RmlEnv *env);
extern int64_t unit_env_steps(const RmlEnv *env);
extern size_t unit_env_in_use(const RmlEnv *env);
extern size_t unit_env_peak(const RmlEnv *env);
/* leave through the error exit at the n-th poll from now on (0: never) */
extern void unit_env_cancel_after(RmlEnv *env, int64_t polls);
/* leave through the error exit when more than this would be allocated (default 8 GB) */
extern void unit_env_limit(RmlEnv *env, size_t bytes);

/*
 * UNIT_ESCAPES(env, statement) is true when the statement left through the environment's error
 * exit (cancelled, or out of memory) instead of finishing.  Locals that the statement changes must be
 * volatile, as always with setjmp.  Without it such an exit ends the program as a failure.
 */
#define UNIT_ESCAPES(env, statement) \
	(setjmp(*unit_env_arm(env)) == 0 ? (({ statement; }), unit_env_disarm(env), false) : true)
extern jmp_buf *unit_env_arm(RmlEnv *env);
extern void unit_env_disarm(RmlEnv *env);
/* why the last escape happened: "cancelled" or "out of memory" */
extern const char *unit_env_reason(const RmlEnv *env);

#endif /* RETAILML_UNIT_H */
