/*
 * hopkins.c
 *	  The Hopkins statistic.
 */
#include "retailml/hopkins.h"

#include <math.h>

#include "retailml/parallel.h"
#include "retailml/rng.h"

/* streams of random numbers: which row, and where in the box */
#define ROW_STREAM 1
#define POINT_STREAM 2

typedef struct Hopkins
{
	const double *x; /* [n x d] */
	int64_t n;
	int d;
	uint64_t seed;
	double *points;     /* [m x d] drawn in the box */
	int64_t *rows;      /* [m] that were drawn */
	double *from_point; /* [m] squared distances u^2 */
	double *from_row;   /* [m] w^2 */
} Hopkins;

int
rml_hopkins_points(int64_t n)
{
	int64_t m = (n < RML_HOPKINS_ROWS ? n : RML_HOPKINS_ROWS) / 10;

	return m < 1 ? 1 : m > RML_HOPKINS_POINTS ? RML_HOPKINS_POINTS : (int) m;
}

size_t
rml_hopkins_bytes(int64_t n, int d)
{
	return sizeof(double) * (size_t) rml_hopkins_points(n) * ((size_t) d + 3);
}

/* points of the box that holds the rows */
static void
draw_points(Hopkins *s, RmlEnv *env, int m)
{
	for (int j = 0; j < s->d; j++)
	{
		double low = INFINITY, high = -INFINITY;

		for (int64_t i = 0; i < s->n; i++)
		{
			low = fmin(low, s->x[i * s->d + j]);
			high = fmax(high, s->x[i * s->d + j]);
		}
		for (int i = 0; i < m; i++)
			s->points[i * s->d + j] =
				low + (high - low) * rml_rng_uniform(s->seed, POINT_STREAM,
													 (uint64_t) i * (uint64_t) s->d + (uint64_t) j);
		rml_poll(env);
	}
}

/* m different rows, each set of them equally likely (R. W. Floyd's method) */
static void
draw_rows(Hopkins *s, int m)
{
	for (int i = 0; i < m; i++)
	{
		int64_t last = s->n - m + i;
		int64_t row =
			(int64_t) rml_rng_below(s->seed, ROW_STREAM, (uint64_t) i, (uint64_t) last + 1);

		for (int j = 0; j < i; j++)
			if (s->rows[j] == row)
				row = last;
		s->rows[i] = row;
	}
}

/* squared distance to the nearest row other than this one */
static double
nearest_square(const Hopkins *s, const double *point, int64_t other_than)
{
	double least = INFINITY;

	for (int64_t i = 0; i < s->n; i++)
	{
		const double *row = s->x + i * s->d;
		double square = 0.0;

		for (int j = 0; j < s->d; j++)
			square += (row[j] - point[j]) * (row[j] - point[j]);
		if (square < least && i != other_than)
			least = square;
	}
	return least;
}

static void
search_block(void *context, int64_t block, int thread)
{
	const Hopkins *s = context;

	(void) thread;
	s->from_point[block] = nearest_square(s, s->points + block * s->d, -1);
	s->from_row[block] = nearest_square(s, s->x + s->rows[block] * s->d, s->rows[block]);
}

/* sums of d-th powers, relative to the largest distance so that they neither overflow nor vanish */
static double
share_of_points(const Hopkins *s, int m)
{
	double largest = 0.0, points = 0.0, rows = 0.0;

	for (int i = 0; i < m; i++)
		largest = fmax(largest, fmax(s->from_point[i], s->from_row[i]));
	if (!(largest > 0.0))
		return NAN;
	for (int i = 0; i < m; i++)
	{
		points += pow(s->from_point[i] / largest, 0.5 * s->d);
		rows += pow(s->from_row[i] / largest, 0.5 * s->d);
	}
	return points / (points + rows);
}

double
rml_hopkins(RmlEnv *env, const double *x, int64_t n, int d, uint64_t seed)
{
	const size_t m = (size_t) rml_hopkins_points(n);
	Hopkins s = {.x = x, .n = n < RML_HOPKINS_ROWS ? n : RML_HOPKINS_ROWS, .d = d, .seed = seed};
	double statistic;

	if (n < 2)
		return NAN;
	s.points = RML_NEW(env, double, m *(size_t) d);
	s.rows = RML_NEW(env, int64_t, m);
	s.from_point = RML_NEW(env, double, m);
	s.from_row = RML_NEW(env, double, m);
	draw_points(&s, env, (int) m);
	draw_rows(&s, (int) m);
	rml_parallel(env, (int64_t) m, search_block, &s);
	statistic = share_of_points(&s, (int) m);
	rml_release(env, s.points);
	rml_release(env, s.rows);
	rml_release(env, s.from_point);
	rml_release(env, s.from_row);
	return statistic;
}
