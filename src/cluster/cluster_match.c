/*
 * cluster_match.c
 *	  The best mapping of clusters, in three steps: overlap, Jaccard, lowest numbers.
 *
 * The matrix is made square with clusters that share nobody with any, so that being left over is
 * being paired with one of those.  All costs are integers: pairs that belong to a best assignment
 * are exactly those of reduced cost 0, and each step chooses among the pairs of the step before.
 */
#include "retailml/cluster_match.h"

#include <math.h>
#include <string.h>

#include "retailml/assignment.h"

/* Jaccard indexes are compared as integers of this unit */
#define JACCARD_UNITS 1073741824.0

/* overlap, cost, allowed, and shared in the end */
#define CELL_BYTES (sizeof(int64_t) + sizeof(double) + 2)

#define POLL_EVERY 65536

/* old clusters are rows, new ones columns, of n x n matrices */
typedef struct Matching
{
	const RmlLabelTable *table;
	int64_t first_old; /* position of the first label that is a cluster; those before are noise */
	int64_t first_new;
	int n_old;
	int n_new;
	int n;             /* the larger of both */
	int64_t *overlaps; /* [n x n] */
	uint8_t *allowed;  /* [n x n] pairs that the best assignments so far are made of */
	double *cost;      /* [n x n] */
	int32_t *partner;  /* [n] */
	double *u;         /* [n] prices */
	double *v;
} Matching;

/* labels [count] are ascending: noise, then clusters, then perhaps the missing label */
static int64_t
clusters_from(const int64_t *labels, int64_t count, int64_t *n_clusters)
{
	int64_t first = 0, end = count;

	while (first < count && labels[first] < 0)
		first++;
	if (end > first && labels[end - 1] == RML_NO_LABEL)
		end--;
	*n_clusters = end - first;
	return first;
}

static int64_t
side(const RmlLabelTable *table)
{
	int64_t n_old, n_new;

	clusters_from(table->a_labels, table->n_a, &n_old);
	clusters_from(table->b_labels, table->n_b, &n_new);
	return n_old > n_new ? n_old : n_new;
}

size_t
rml_cluster_match_bytes(const RmlLabelTable *table)
{
	size_t n = (size_t) side(table), cells;

	/* more clusters than an int counts would take exabytes */
	if (n > INT32_MAX || __builtin_mul_overflow(n, n * CELL_BYTES, &cells))
		return SIZE_MAX;
	return cells + n * (2 * sizeof(double) + sizeof(int32_t)) +
		   rml_assignment_bytes((int) n, (int) n);
}

static void
begin(Matching *m, RmlEnv *env, const RmlLabelTable *table)
{
	int64_t n_old, n_new;
	size_t cells;

	m->table = table;
	m->first_old = clusters_from(table->a_labels, table->n_a, &n_old);
	m->first_new = clusters_from(table->b_labels, table->n_b, &n_new);
	m->n_old = (int) n_old;
	m->n_new = (int) n_new;
	m->n = m->n_old > m->n_new ? m->n_old : m->n_new;
	cells = (size_t) m->n * (size_t) m->n;
	m->overlaps = RML_NEW(env, int64_t, cells);
	m->allowed = RML_NEW(env, uint8_t, cells);
	m->cost = RML_NEW(env, double, cells);
	m->partner = RML_NEW(env, int32_t, m->n);
	m->u = RML_NEW(env, double, m->n);
	m->v = RML_NEW(env, double, m->n);
	for (int i = 0; i < m->n; i++)
	{
		rml_poll(env);
		memset(m->overlaps + (size_t) i * m->n, 0, sizeof(int64_t) * (size_t) m->n);
		memset(m->allowed + (size_t) i * m->n, 1, (size_t) m->n);
	}
	for (int64_t i = 0; i < table->n_pairs; i++)
	{
		int64_t row = table->a_index[i] - m->first_old;
		int64_t column = table->b_index[i] - m->first_new;

		if (row >= 0 && row < m->n_old && column >= 0 && column < m->n_new)
			m->overlaps[row * m->n + column] = table->pairs[i].n;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

static double
jaccard(const Matching *m, int row, int column)
{
	int64_t overlap = m->overlaps[(size_t) row * m->n + column];

	if (overlap == 0)
		return 0.0;
	return (double) overlap / (double) (m->table->a_sizes[m->first_old + row] +
										m->table->b_sizes[m->first_new + column] - overlap);
}

static double
gain(const Matching *m, int row, int column, bool by_jaccard)
{
	if (by_jaccard)
		return rint(jaccard(m, row, column) * JACCARD_UNITS);
	return (double) m->overlaps[(size_t) row * m->n + column];
}

/* the best assignment of allowed pairs; then only pairs that best assignments are made of are */
static void
maximise(Matching *m, RmlEnv *env, bool by_jaccard)
{
	for (int i = 0; i < m->n; i++)
	{
		rml_poll(env);
		for (int j = 0; j < m->n; j++)
		{
			size_t pair = (size_t) i * m->n + j;

			m->cost[pair] = m->allowed[pair] ? -gain(m, i, j, by_jaccard) : INFINITY;
		}
	}
	rml_assignment_solve(env, m->cost, m->n, m->n, m->partner, m->u, m->v);
	for (int i = 0; i < m->n; i++)
	{
		rml_poll(env);
		for (int j = 0; j < m->n; j++)
		{
			size_t pair = (size_t) i * m->n + j;

			m->allowed[pair] = m->cost[pair] == m->u[i] + m->v[j];
		}
	}
}

static void
choose_lowest(Matching *m, RmlEnv *env)
{
	size_t cells = (size_t) m->n * (size_t) m->n;
	uint8_t *shared = RML_NEW(env, uint8_t, cells);

	for (size_t pair = 0; pair < cells; pair++)
		shared[pair] = m->overlaps[pair] > 0;
	rml_assignment_lowest(env, m->n, m->allowed, shared, m->partner);
	rml_release(env, shared);
}

/* ---- the lines ---- */

static RmlClusterMapping
line(const Matching *m, int row, int column)
{
	RmlClusterMapping result = {RML_NO_LABEL, RML_NO_LABEL, 0, 0, 0, 0.0};

	if (row >= 0)
	{
		result.old_label = m->table->a_labels[m->first_old + row];
		result.old_size = m->table->a_sizes[m->first_old + row];
	}
	if (column >= 0)
	{
		result.new_label = m->table->b_labels[m->first_new + column];
		result.new_size = m->table->b_sizes[m->first_new + column];
	}
	if (row >= 0 && column >= 0)
	{
		result.overlap = m->overlaps[(size_t) row * m->n + column];
		result.jaccard = jaccard(m, row, column);
	}
	return result;
}

static int64_t
write_mapping(const Matching *m, RmlEnv *env, RmlClusterMapping *mapping)
{
	uint8_t *continues = RML_NEW_ZERO(env, uint8_t, m->n);
	int64_t n = 0;

	for (int i = 0; i < m->n_old; i++)
	{
		int column = m->partner[i];
		bool pair = m->overlaps[(size_t) i * m->n + column] > 0;

		if (pair)
			continues[column] = 1;
		mapping[n++] = line(m, i, pair ? column : -1);
	}
	for (int j = 0; j < m->n_new; j++)
		if (!continues[j])
			mapping[n++] = line(m, -1, j);
	rml_release(env, continues);
	return n;
}

int64_t
rml_cluster_match(RmlEnv *env, const RmlLabelTable *table, RmlClusterMapping *mapping)
{
	Matching m;
	int64_t n;

	begin(&m, env, table);
	maximise(&m, env, false);
	maximise(&m, env, true);
	choose_lowest(&m, env);
	n = write_mapping(&m, env, mapping);
	rml_release(env, m.overlaps);
	rml_release(env, m.allowed);
	rml_release(env, m.cost);
	rml_release(env, m.partner);
	rml_release(env, m.u);
	rml_release(env, m.v);
	return n;
}
