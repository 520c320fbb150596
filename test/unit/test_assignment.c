/*
 * test_assignment.c
 *	  Against scipy (test/golden/assignment.py), and the choice among equals against all of them.
 */
#include "unit.h"

#include <math.h>

#include "retailml/assignment.h"
#include "retailml/rng.h"

/* a partner of its own for every row or column of the smaller side */
static bool
is_assignment(const int32_t *partner, int rows, int cols)
{
	int assigned = 0;

	for (int i = 0; i < rows; i++)
	{
		if (partner[i] == RML_UNASSIGNED)
			continue;
		if (partner[i] < 0 || partner[i] >= cols)
			return false;
		for (int other = 0; other < i; other++)
			if (partner[other] == partner[i])
				return false;
		assigned++;
	}
	return assigned == (rows < cols ? rows : cols);
}

static double
total_cost(const double *cost, const int32_t *partner, int rows, int cols)
{
	double sum = 0.0;

	for (int i = 0; i < rows; i++)
		if (partner[i] != RML_UNASSIGNED)
			sum += cost[i * cols + partner[i]];
	return sum;
}

/* no pair has a reduced cost below 0, partners have 0; both up to rounding of the largest cost */
static bool
prices_hold(const double *cost, const int32_t *partner, int rows, int cols, const double *u,
			const double *v)
{
	double scale = 0.0;

	for (int i = 0; i < rows * cols; i++)
		if (isfinite(cost[i]))
			scale = fmax(scale, fabs(cost[i]));
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < cols; j++)
		{
			double reduced = cost[i * cols + j] - u[i] - v[j];

			if (reduced < -1e-13 * scale || (partner[i] == j && reduced > 1e-13 * scale))
				return false;
		}
	return true;
}

static void
check_case(RmlEnv *env, const UnitCsv *golden, size_t begin)
{
	const char *name = unit_csv_text(golden, begin, "name");
	int rows = (int) unit_csv_number(golden, begin, "rows");
	int cols = (int) unit_csv_number(golden, begin, "cols");
	double total = unit_csv_number(golden, begin, "total");
	double *cost = RML_NEW(env, double, (size_t) (rows * cols));
	double *u = RML_NEW(env, double, rows), *v = RML_NEW(env, double, cols);
	int32_t *partner = RML_NEW(env, int32_t, rows);
	bool same = true, solved;

	for (int i = 0; i < rows * cols; i++)
		cost[i] = unit_csv_number(golden, begin + (size_t) i, "cost");
	solved = rml_assignment_solve(env, cost, rows, cols, partner, u, v);
	if (isnan(total))
	{
		unit_ok(!solved, "%s: there is no assignment", name);
		return;
	}
	unit_ok(solved && is_assignment(partner, rows, cols), "%s: an assignment", name);
	unit_near(total_cost(cost, partner, rows, cols), total, 1e-14, "%s: the least cost", name);
	unit_ok(prices_hold(cost, partner, rows, cols, u, v), "%s: prices prove it", name);
	if (unit_csv_number(golden, begin, "unique") == 0)
		return;
	for (int i = 0; i < rows * cols; i++)
		same = same && (unit_csv_number(golden, begin + (size_t) i, "assigned") == 1) ==
						   (partner[i / cols] == i % cols);
	unit_ok(same, "%s: the pairs", name);
}

static void
test_golden(RmlEnv *env)
{
	UnitCsv *golden = unit_golden("assignment.csv");

	if (golden == NULL)
		return;
	for (size_t begin = 0; begin < golden->rows;)
	{
		check_case(env, golden, begin);
		begin += (size_t) (unit_csv_number(golden, begin, "rows") *
						   unit_csv_number(golden, begin, "cols"));
	}
	unit_csv_free(golden);
}

static void
test_empty(RmlEnv *env)
{
	int32_t partner[2] = {7, 7};

	unit_ok(rml_assignment_solve(env, NULL, 0, 0, partner, NULL, NULL), "nothing to assign");
	unit_ok(rml_assignment_solve(env, NULL, 2, 0, partner, NULL, NULL) &&
				partner[0] == RML_UNASSIGNED && partner[1] == RML_UNASSIGNED,
			"rows without columns");
}

/* ---- the lowest of the allowed assignments, by trying all */

#define SIDE 5

typedef struct Search
{
	const uint8_t *allowed;
	const uint8_t *wanted;
	int best[SIDE]; /* wanted column of each row, SIDE: none */
	bool found;
} Search;

static void
try_rows(Search *s, int row, unsigned used, int *columns)
{
	int key[SIDE];

	for (int j = 0; row < SIDE && j < SIDE; j++)
		if (s->allowed[row * SIDE + j] && !(used & 1u << j))
		{
			columns[row] = j;
			try_rows(s, row + 1, used | 1u << j, columns);
		}
	if (row < SIDE)
		return;
	for (int i = 0; i < SIDE; i++)
		key[i] = s->wanted[i * SIDE + columns[i]] ? columns[i] : SIDE;
	for (int i = 0; i < SIDE && s->found; i++)
		if (key[i] != s->best[i])
		{
			if (key[i] > s->best[i])
				return;
			break;
		}
	memcpy(s->best, key, sizeof key);
	s->found = true;
}

static void
test_lowest(RmlEnv *env)
{
	int solved = 0, right = 0;

	for (uint64_t i = 0; i < 2000; i++)
	{
		uint8_t allowed[SIDE * SIDE], wanted[SIDE * SIDE];
		double cost[SIDE * SIDE];
		int32_t partner[SIDE];
		int columns[SIDE];
		Search search = {.allowed = allowed, .wanted = wanted};
		bool same = true;

		for (uint64_t j = 0; j < SIDE * SIDE; j++)
		{
			allowed[j] = rml_rng_uniform(11, i, j) < 0.5;
			wanted[j] = rml_rng_uniform(12, i, j) < 0.6;
			cost[j] = allowed[j] ? 0 : INFINITY;
		}
		try_rows(&search, 0, 0, columns);
		if (rml_assignment_solve(env, cost, SIDE, SIDE, partner, NULL, NULL) != search.found)
			break;
		if (!search.found)
			continue;
		solved++;
		rml_assignment_lowest(env, SIDE, allowed, wanted, partner);
		for (int row = 0; row < SIDE; row++)
		{
			bool has = wanted[row * SIDE + partner[row]] && search.best[row] < SIDE;

			same = same && (has ? partner[row] : SIDE) == search.best[row];
		}
		right += same && is_assignment(partner, SIDE, SIDE);
	}
	unit_ok(solved > 500, "%d random sets of allowed pairs have an assignment", solved);
	unit_equal_int(right, solved, "and each time the lowest one is found");
}

static void
test_manners(RmlEnv *env)
{
	enum
	{
		n = 60
	};
	double *cost = RML_NEW(env, double, n *n);
	int32_t partner[n];

	for (int i = 0; i < n * n; i++)
		cost[i] = rml_rng_uniform(13, 0, (uint64_t) i);
	unit_env_cancel_after(env, 20);
	unit_ok(UNIT_ESCAPES(env, rml_assignment_solve(env, cost, n, n, partner, NULL, NULL)),
			"it can be cancelled");
}

int
main(void)
{
	RmlEnv *env = unit_env(1);

	test_golden(env);
	test_empty(env);
	test_lowest(env);
	test_manners(env);
	unit_env_free(env);
	return unit_done();
}
