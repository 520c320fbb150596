/*
 * unit.c
 *	  See unit.h.
 */
#include "unit.h"

#include "retailml/team.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <unistd.h>

#ifndef RMLTEST_GOLDEN
#define RMLTEST_GOLDEN "test/golden"
#endif

/* ---------------------------------------------------------------- checks */

static int tests;
static int failures;

static bool
report(bool holds, const char *what, va_list args)
{
	tests++;
	if (!holds)
		failures++;
	printf("%s %d - ", holds ? "ok" : "not ok", tests);
	vprintf(what, args);
	putchar('\n');
	/* a later crash must not take the lines with it */
	fflush(stdout);
	return holds;
}

/* report with the caller's variable arguments */
#define REPORT(holds, what) \
	do \
	{ \
		va_list args_; \
		va_start(args_, what); \
		report((holds), (what), args_); \
		va_end(args_); \
	} while (0)

bool
unit_ok(bool holds, const char *what, ...)
{
	REPORT(holds, what);
	return holds;
}

bool
unit_equal_int(int64_t got, int64_t wanted, const char *what, ...)
{
	bool holds = got == wanted;

	REPORT(holds, what);
	if (!holds)
		unit_note("got %lld, wanted %lld", (long long) got, (long long) wanted);
	return holds;
}

bool
unit_equal_string(const char *got, const char *wanted, const char *what, ...)
{
	bool holds = got == wanted || (got && wanted && strcmp(got, wanted) == 0);

	REPORT(holds, what);
	if (!holds)
	{
		unit_note("   got: %s", got ? got : "(null)");
		unit_note("wanted: %s", wanted ? wanted : "(null)");
	}
	return holds;
}

bool
unit_equal_bytes(const void *got, const void *wanted, size_t size, const char *what, ...)
{
	const unsigned char *a = got;
	const unsigned char *b = wanted;
	size_t at = 0;

	while (at < size && a[at] == b[at])
		at++;
	REPORT(at == size, what);
	if (at < size)
		unit_note("byte %zu of %zu: got %02x, wanted %02x", at, size, a[at], b[at]);
	return at == size;
}

/* the distance in units of the tolerance's scale; NaN against a number is infinitely far */
static double
distance(double got, double wanted)
{
	if (isnan(got) || isnan(wanted))
		return isnan(got) && isnan(wanted) ? 0 : INFINITY;
	if (got == wanted)
		return 0;
	return fabs(got - wanted) / fmax(1, fabs(wanted));
}

bool
unit_near(double got, double wanted, double tolerance, const char *what, ...)
{
	bool holds = distance(got, wanted) <= tolerance;

	REPORT(holds, what);
	if (!holds)
		unit_note("got %.17g, wanted %.17g, off by %.3g, tolerance %.3g", got, wanted,
				  distance(got, wanted), tolerance);
	return holds;
}

bool
unit_near_array(const double *got, const double *wanted, size_t count, double tolerance,
				const char *what, ...)
{
	size_t worst = 0;
	bool holds;

	for (size_t i = 1; i < count; i++)
		if (distance(got[i], wanted[i]) > distance(got[worst], wanted[worst]))
			worst = i;
	holds = count == 0 || distance(got[worst], wanted[worst]) <= tolerance;
	REPORT(holds, what);
	if (!holds)
		unit_note("worst at [%zu] of %zu: got %.17g, wanted %.17g, off by %.3g, tolerance %.3g",
				  worst, count, got[worst], wanted[worst], distance(got[worst], wanted[worst]),
				  tolerance);
	return holds;
}

bool
unit_contains(const char *text, const char *fragment, const char *what, ...)
{
	bool holds = text != NULL && strstr(text, fragment) != NULL;

	REPORT(holds, what);
	if (!holds)
		unit_note("\"%s\" is not in: %s", fragment, text ? text : "(null)");
	return holds;
}

void
unit_skip(int count, const char *why, ...)
{
	va_list args;

	for (int i = 0; i < count; i++)
	{
		printf("ok %d # SKIP ", ++tests);
		va_start(args, why);
		vprintf(why, args);
		va_end(args);
		putchar('\n');
	}
	fflush(stdout);
}

void
unit_note(const char *format, ...)
{
	va_list args;

	printf("#   ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

int
unit_done(void)
{
	printf("1..%d\n", tests);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* a test that cannot go on: the missing plan makes the whole program count as failed */
static _Noreturn void
bail_out(const char *format, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(2);
}

/* ---------------------------------------------------------------- CSV */

static void *
must(void *memory)
{
	if (memory == NULL)
		bail_out("out of memory");
	return memory;
}

/* the whole of a stream, NUL-terminated */
static char *
slurp(FILE *in)
{
	size_t size = 0;
	size_t room = 65536;
	char *text = must(malloc(room));
	size_t got;

	while ((got = fread(text + size, 1, room - size - 1, in)) > 0)
	{
		size += got;
		if (room - size < 2)
			text = must(realloc(text, room *= 2));
	}
	text[size] = '\0';
	return text;
}

/* cut the next cell out of *at, in place; *last says that it ended its line */
static char *
next_cell(char **at, bool *last)
{
	char *cell = *at;
	char *out = *at;
	char *in = *at;
	bool quoted = false;

	for (; *in && (quoted || (*in != ',' && *in != '\n')); in++)
	{
		if (*in != '"')
			*out++ = *in;
		else if (quoted && in[1] == '"')
			*out++ = *in++;
		else
			quoted = !quoted;
	}
	*last = *in != ',';
	*at = *in ? in + 1 : in;
	if (*last && out > cell && out[-1] == '\r')
		out--;
	*out = '\0';
	return cell;
}

static UnitCsv *
parse_csv(char *text, const char *name)
{
	UnitCsv *csv = must(calloc(1, sizeof(UnitCsv)));
	char *at = text;
	bool last = false;
	size_t cells = 0;
	size_t room = 1024;

	csv->text = text;
	csv->cells = must(malloc(room * sizeof(char *)));
	while (*at)
	{
		if (cells == room)
			csv->cells = must(realloc(csv->cells, (room *= 2) * sizeof(char *)));
		csv->cells[cells++] = next_cell(&at, &last);
		if (!last)
			continue;
		if (csv->names == NULL)
		{
			csv->columns = cells;
			csv->names = must(malloc(cells * sizeof(char *)));
			memcpy(csv->names, csv->cells, cells * sizeof(char *));
			cells = 0;
		}
		else if (cells % csv->columns != 0)
			bail_out("%s: row %zu has not %zu cells", name, csv->rows + 1, csv->columns);
		else
			csv->rows = cells / csv->columns;
	}
	if (csv->names == NULL)
		bail_out("%s is empty", name);
	return csv;
}

static UnitCsv *
read_csv(FILE *in, const char *name)
{
	return parse_csv(slurp(in), name);
}

UnitCsv *
unit_golden(const char *file)
{
	char path[4096];
	FILE *in;
	UnitCsv *csv;

	snprintf(path, sizeof(path), "%s/%s", RMLTEST_GOLDEN, file);
	in = fopen(path, "r");
	if (in == NULL)
	{
		unit_ok(false, "golden numbers %s: %s", file, strerror(errno));
		return NULL;
	}
	csv = read_csv(in, file);
	fclose(in);
	return csv;
}

UnitCsv *
unit_data(const char *file, int count)
{
	const char *dir = getenv("RETAILML_DATA");
	const char *dot = strrchr(file, '.');
	bool packed = dot != NULL && strcmp(dot, ".gz") == 0;
	char path[4096];
	char command[4200];
	FILE *in;
	UnitCsv *csv;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : "", file);
	if (dir == NULL || access(path, R_OK) != 0)
	{
		unit_skip(count, "%s is not here (RETAILML_DATA)", file);
		return NULL;
	}
	snprintf(command, sizeof(command), "gzip -dc '%s'", path);
	in = packed ? popen(command, "r") : fopen(path, "r");
	if (in == NULL)
		bail_out("%s: %s", path, strerror(errno));
	csv = read_csv(in, file);
	if (packed)
		pclose(in);
	else
		fclose(in);
	return csv;
}

void
unit_csv_free(UnitCsv *csv)
{
	if (csv == NULL)
		return;
	free(csv->names);
	free(csv->cells);
	free(csv->text);
	free(csv);
}

size_t
unit_csv_column(const UnitCsv *csv, const char *name)
{
	for (size_t c = 0; c < csv->columns; c++)
		if (strcmp(csv->names[c], name) == 0)
			return c;
	bail_out("the table has no column \"%s\"", name);
}

static const char *
cell(const UnitCsv *csv, size_t row, size_t column)
{
	if (row >= csv->rows || column >= csv->columns)
		bail_out("the table has no cell (%zu, %zu)", row, column);
	return csv->cells[row * csv->columns + column];
}

const char *
unit_csv_text(const UnitCsv *csv, size_t row, const char *name)
{
	return cell(csv, row, unit_csv_column(csv, name));
}

static double
number(const UnitCsv *csv, size_t row, size_t column)
{
	const char *text = cell(csv, row, column);
	char *end;
	double value;

	if (*text == '\0')
		return NAN;
	value = strtod(text, &end);
	if (*end != '\0')
		bail_out("row %zu, column \"%s\": \"%s\" is not a number", row, csv->names[column], text);
	return value;
}

double
unit_csv_number(const UnitCsv *csv, size_t row, const char *name)
{
	return number(csv, row, unit_csv_column(csv, name));
}

double *
unit_csv_numbers(const UnitCsv *csv, const char *first, size_t columns)
{
	size_t from = unit_csv_column(csv, first);
	double *values = must(malloc((csv->rows * columns + 1) * sizeof(double)));

	for (size_t r = 0; r < csv->rows; r++)
		for (size_t c = 0; c < columns; c++)
			values[r * columns + c] = number(csv, r, from + c);
	return values;
}

/* ---------------------------------------------------------------- the environment */

#define DEFAULT_LIMIT ((size_t) 8 << 30)

/* sits in front of every allocation; its size keeps what follows aligned to 16 */
typedef struct Block
{
	struct Block *previous;
	struct Block *next;
	size_t size;
	size_t padding;
} Block;

typedef struct UnitEnv
{
	RmlEnv env; /* must be first */
	Block *blocks;
	size_t in_use;
	size_t peak;
	size_t limit;
	int64_t polls;
	int64_t steps;
	int64_t cancel_at; /* the poll that does not return; 0 is none */
	RmlCleanup *cleanups;
	bool armed;
	const char *reason;
	jmp_buf exit;
} UnitEnv;

/* what a kernel must not do: the host's functions may longjmp, and are not thread-safe */
static void
refuse_threads(const UnitEnv *unit, const char *what)
{
	if (unit->env.in_region)
		bail_out("%s was called inside a parallel region", what);
}

static void
run_cleanups(UnitEnv *unit)
{
	for (RmlCleanup *cleanup = unit->cleanups; cleanup != NULL; cleanup = cleanup->next)
		if (cleanup->function != NULL)
			cleanup->function(cleanup->argument);
	unit->cleanups = NULL;
}

static _Noreturn void
escape(UnitEnv *unit, const char *reason)
{
	unit->reason = reason;
	if (!unit->armed)
		bail_out("a kernel left through the error exit: %s", reason);
	unit->armed = false;
	run_cleanups(unit);
	longjmp(unit->exit, 1);
}

static void *
arena_alloc(RmlEnv *env, size_t size)
{
	UnitEnv *unit = (UnitEnv *) env;
	Block *block;

	refuse_threads(unit, "alloc");
	if (size > unit->limit || unit->in_use > unit->limit - size)
		escape(unit, "out of memory");
	block = must(malloc(sizeof(Block) + size));
	block->size = size;
	block->previous = NULL;
	block->next = unit->blocks;
	if (unit->blocks)
		unit->blocks->previous = block;
	unit->blocks = block;
	unit->in_use += size;
	if (unit->in_use > unit->peak)
		unit->peak = unit->in_use;
	return memset(block + 1, 0xFF, size);
}

static void
arena_release(RmlEnv *env, void *ptr)
{
	UnitEnv *unit = (UnitEnv *) env;
	Block *block;

	refuse_threads(unit, "release");
	if (ptr == NULL)
		return;
	block = (Block *) ptr - 1;
	if (block->previous)
		block->previous->next = block->next;
	else
		unit->blocks = block->next;
	if (block->next)
		block->next->previous = block->previous;
	unit->in_use -= block->size;
	free(block);
}

static void
count_poll(RmlEnv *env)
{
	UnitEnv *unit = (UnitEnv *) env;

	refuse_threads(unit, "poll");
	unit->polls++;
	if (unit->polls == unit->cancel_at)
		escape(unit, "cancelled");
}

static void
count_step(RmlEnv *env, const char *what, int64_t step, double loss)
{
	refuse_threads((UnitEnv *) env, "progress");
	if (what == NULL)
		bail_out("progress without a name at step %lld, loss %g", (long long) step, loss);
	((UnitEnv *) env)->steps++;
}

static size_t
arena_room(RmlEnv *env)
{
	const UnitEnv *unit = (UnitEnv *) env;

	return unit->in_use < unit->limit ? unit->limit - unit->in_use : 0;
}

static void
note_cleanup(RmlEnv *env, RmlCleanup *cleanup)
{
	UnitEnv *unit = (UnitEnv *) env;

	cleanup->next = unit->cleanups;
	unit->cleanups = cleanup;
}

RmlEnv *
unit_env(int threads)
{
	UnitEnv *unit = must(calloc(1, sizeof(UnitEnv)));

	unit->env.alloc = arena_alloc;
	unit->env.release = arena_release;
	unit->env.poll = count_poll;
	unit->env.progress = count_step;
	unit->env.room = arena_room;
	unit->env.at_end = note_cleanup;
	unit->env.threads = threads;
	unit->limit = DEFAULT_LIMIT;
	return &unit->env;
}

void
unit_env_reset(RmlEnv *env)
{
	UnitEnv *unit = (UnitEnv *) env;

	run_cleanups(unit);
	while (unit->blocks)
		arena_release(env, unit->blocks + 1);
	env->team = NULL;
}

void
unit_env_free(RmlEnv *env)
{
	unit_env_reset(env);
	free(env);
}

int64_t
unit_env_polls(const RmlEnv *env)
{
	return ((const UnitEnv *) env)->polls;
}

int64_t
unit_env_steps(const RmlEnv *env)
{
	return ((const UnitEnv *) env)->steps;
}

/* what the environment keeps of its threads is nothing that a kernel asked for */
static size_t
team_size(const RmlEnv *env)
{
	return env->team == NULL ? 0 : ((const Block *) env->team - 1)->size;
}

size_t
unit_env_in_use(const RmlEnv *env)
{
	return ((const UnitEnv *) env)->in_use - team_size(env);
}

size_t
unit_env_peak(const RmlEnv *env)
{
	return ((const UnitEnv *) env)->peak - team_size(env);
}

void
unit_env_cancel_after(RmlEnv *env, int64_t polls)
{
	UnitEnv *unit = (UnitEnv *) env;

	unit->cancel_at = polls > 0 ? unit->polls + polls : 0;
}

void
unit_env_limit(RmlEnv *env, size_t bytes)
{
	rml_team_gather(env, env->threads);
	bytes = bytes < SIZE_MAX - team_size(env) ? bytes + team_size(env) : SIZE_MAX;
	((UnitEnv *) env)->limit = bytes;
}

jmp_buf *
unit_env_arm(RmlEnv *env)
{
	UnitEnv *unit = (UnitEnv *) env;

	unit->armed = true;
	unit->reason = NULL;
	return &unit->exit;
}

void
unit_env_disarm(RmlEnv *env)
{
	((UnitEnv *) env)->armed = false;
}

const char *
unit_env_reason(const RmlEnv *env)
{
	return ((const UnitEnv *) env)->reason;
}
