/*
 * assignment.c
 *	  Shortest augmenting paths, and a choice among equally good assignments.
 */
#include "retailml/assignment.h"

#include <math.h>
#include <string.h>

/* n rows that each get one of m columns, n <= m */
typedef struct Solver
{
	RmlEnv *env;
	const double *cost; /* [n x m] */
	int n;
	int m;
	double *u;      /* [n] prices of rows */
	double *v;      /* [m] prices of columns */
	int32_t *owner; /* [m] row of a column, or RML_UNASSIGNED */
	/* of the search for one row */
	double *distance;  /* [m] length of the shortest path to a column */
	int32_t *previous; /* [m] row before a column on that path */
	uint8_t *settled;  /* [m] the path is final */
} Solver;

size_t
rml_assignment_bytes(int rows, int cols)
{
	size_t n = (size_t) rows, m = (size_t) cols;
	size_t transposed = rows > cols ? n * m * sizeof(double) : 0;

	return transposed + (n + m) * (2 * sizeof(double) + 3 * sizeof(int32_t));
}

/* ---- shortest augmenting paths ---- */

/* from a row that was reached over a path of this length, look at all columns not settled */
static void
relax(Solver *s, int row, double length)
{
	const double *cost = s->cost + (size_t) row * s->m;

	for (int j = 0; j < s->m; j++)
	{
		double through = length + cost[j] - s->u[row] - s->v[j];

		if (!s->settled[j] && through < s->distance[j])
		{
			s->distance[j] = through;
			s->previous[j] = row;
		}
	}
}

/* the nearest column not settled, a free one where several are as near; -1: none can be reached */
static int
nearest(const Solver *s)
{
	int best = -1;

	for (int j = 0; j < s->m; j++)
	{
		if (s->settled[j] || s->distance[j] == INFINITY)
			continue;
		if (best < 0 || s->distance[j] < s->distance[best] ||
			(s->distance[j] == s->distance[best] && s->owner[best] != RML_UNASSIGNED &&
			 s->owner[j] == RML_UNASSIGNED))
			best = j;
	}
	return best;
}

/* the free column at the end of the shortest path from a row without one, or -1 */
static int
search(Solver *s, int row)
{
	double length = 0.0;
	int column;

	memset(s->settled, 0, (size_t) s->m);
	for (int j = 0; j < s->m; j++)
		s->distance[j] = INFINITY;
	do
	{
		rml_poll(s->env);
		relax(s, row, length);
		column = nearest(s);
		if (column < 0)
			return -1;
		s->settled[column] = 1;
		length = s->distance[column];
		row = s->owner[column];
	} while (row != RML_UNASSIGNED);
	return column;
}

/* prices that keep all reduced costs at or above 0, and at 0 along the path */
static void
update_prices(Solver *s, int start, int end)
{
	double length = s->distance[end];

	s->u[start] += length;
	for (int j = 0; j < s->m; j++)
	{
		if (!s->settled[j] || j == end)
			continue;
		s->u[s->owner[j]] += length - s->distance[j];
		s->v[j] -= length - s->distance[j];
	}
}

/* every row on the path moves to the column it reached; the first one had none */
static void
augment(Solver *s, int end, int32_t *partner)
{
	for (int column = end; column != RML_UNASSIGNED;)
	{
		int row = s->previous[column];
		int32_t before = partner[row];

		s->owner[column] = row;
		partner[row] = column;
		column = before;
	}
}

static bool
solve(Solver *s, int32_t *partner)
{
	for (int j = 0; j < s->m; j++)
		s->owner[j] = RML_UNASSIGNED;
	for (int i = 0; i < s->n; i++)
		partner[i] = RML_UNASSIGNED;
	for (int i = 0; i < s->n; i++)
	{
		int end = search(s, i);

		if (end < 0)
			return false;
		update_prices(s, i, end);
		augment(s, end, partner);
	}
	return true;
}

static double *
transpose(RmlEnv *env, const double *cost, int rows, int cols)
{
	double *result = RML_NEW(env, double, (size_t) rows *(size_t) cols);

	for (int i = 0; i < rows; i++)
	{
		rml_poll(env);
		for (int j = 0; j < cols; j++)
			result[(size_t) j * rows + i] = cost[(size_t) i * cols + j];
	}
	return result;
}

static void
copy_prices(double *target, const double *prices, int count)
{
	if (target != NULL)
		memcpy(target, prices, sizeof(double) * (size_t) count);
}

bool
rml_assignment_solve(RmlEnv *env, const double *cost, int rows, int cols, int32_t *partner,
					 double *row_price, double *col_price)
{
	bool swapped = rows > cols;
	int n = swapped ? cols : rows, m = swapped ? rows : cols;
	double *turned = swapped ? transpose(env, cost, rows, cols) : NULL;
	int32_t *mine = RML_NEW(env, int32_t, n);
	Solver s = {.env = env, .cost = swapped ? turned : cost, .n = n, .m = m};
	bool solved;

	s.u = RML_NEW_ZERO(env, double, n);
	s.v = RML_NEW_ZERO(env, double, m);
	s.owner = RML_NEW(env, int32_t, m);
	s.distance = RML_NEW(env, double, m);
	s.previous = RML_NEW(env, int32_t, m);
	s.settled = RML_NEW(env, uint8_t, m);
	solved = solve(&s, mine);
	memcpy(partner, swapped ? s.owner : mine, sizeof(int32_t) * (size_t) rows);
	copy_prices(row_price, swapped ? s.v : s.u, rows);
	copy_prices(col_price, swapped ? s.u : s.v, cols);
	rml_release(env, s.u);
	rml_release(env, s.v);
	rml_release(env, s.owner);
	rml_release(env, s.distance);
	rml_release(env, s.previous);
	rml_release(env, s.settled);
	rml_release(env, mine);
	rml_release(env, turned);
	return solved;
}

/* ---- the lowest of the best ---- */

/* allowed pairs, who has which column, and what a search has found */
typedef struct Choice
{
	RmlEnv *env;
	int n;
	uint8_t *allowed; /* [n x n] */
	const uint8_t *wanted;
	int32_t *partner; /* [n] */
	int32_t *owner;   /* [n] */
	int32_t *target;  /* [n] column a row would move to, so that in the end one column is free */
	int32_t *queue;   /* [n] rows found */
} Choice;

/*
 * Suppose this row gave up its column: which other rows could take it, or the column of one that
 * can, and so on?  target is RML_UNASSIGNED for those that cannot.
 */
static void
find_movable(Choice *c, int giver)
{
	int found = 0;
	int column = c->partner[giver];

	for (int r = 0; r < c->n; r++)
		c->target[r] = RML_UNASSIGNED;
	for (int done = 0;; done++)
	{
		rml_poll(c->env);
		for (int r = 0; r < c->n; r++)
			if (r != giver && c->target[r] == RML_UNASSIGNED &&
				c->allowed[(size_t) r * c->n + column])
			{
				c->target[r] = column;
				c->queue[found++] = r;
			}
		if (done == found)
			return;
		column = c->partner[c->queue[done]];
	}
}

/* the first column from here on that is allowed and wanted, or n */
static int
next_column(const Choice *c, int row, int column)
{
	size_t first = (size_t) row * c->n;

	while (column < c->n && !(c->allowed[first + column] && c->wanted[first + column]))
		column++;
	return column;
}

/* the lowest wanted column this row can have, or -1 */
static int
lowest_column(Choice *c, int row)
{
	int column = next_column(c, row, 0);

	if (column == c->n || c->owner[column] == row)
		return column == c->n ? -1 : column;
	find_movable(c, row);
	for (; column < c->n; column = next_column(c, row, column + 1))
		if (c->owner[column] == row || c->target[c->owner[column]] != RML_UNASSIGNED)
			return column;
	return -1;
}

/* give the row this column; whoever loses one moves to its target */
static void
move(Choice *c, int row, int column)
{
	for (int mover = row; column != RML_UNASSIGNED;)
	{
		int loser = c->owner[column];

		c->owner[column] = mover;
		c->partner[mover] = column;
		column = loser == row ? RML_UNASSIGNED : c->target[loser];
		mover = loser;
	}
}

/* from now on the row alone has this column, or none that is wanted */
static void
settle(Choice *c, int row, int column)
{
	for (int j = 0; j < c->n; j++)
	{
		size_t pair = (size_t) row * c->n + j;

		if (column >= 0 ? j != column : c->wanted[pair])
			c->allowed[pair] = 0;
	}
	for (int later = row + 1; column >= 0 && later < c->n; later++)
		c->allowed[(size_t) later * c->n + column] = 0;
}

void
rml_assignment_lowest(RmlEnv *env, int n, uint8_t *allowed, const uint8_t *wanted, int32_t *partner)
{
	Choice c = {.env = env, .n = n, .allowed = allowed, .wanted = wanted, .partner = partner};

	c.owner = RML_NEW(env, int32_t, n);
	c.target = RML_NEW(env, int32_t, n);
	c.queue = RML_NEW(env, int32_t, n);
	for (int i = 0; i < n; i++)
		c.owner[partner[i]] = i;
	for (int i = 0; i < n; i++)
	{
		int column = lowest_column(&c, i);

		rml_poll(env);
		if (column >= 0 && c.owner[column] != i)
			move(&c, i, column);
		settle(&c, i, column);
	}
	rml_release(env, c.owner);
	rml_release(env, c.target);
	rml_release(env, c.queue);
}
