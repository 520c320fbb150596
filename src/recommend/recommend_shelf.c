/*
 * recommend_shelf.c
 *	  Items in the order in which they are looked at, side by side.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "recommend_internal.h"
#include "top_items.h"

#define POLL_ITEMS 16384

/* the lengths [i] of all q */
static double *
measure(RmlShelf *shelf, RmlEnv *env, const RmlFactors *factors, const float *biases)
{
	double *lengths = RML_NEW(env, double, (size_t) factors->n_items);

	shelf->most_b = shelf->most_q = 0;
	for (int32_t item = 0; item < factors->n_items; item++)
	{
		const float *q = factors->q + (size_t) item * (size_t) factors->s;
		double squares = 0;

		for (int k = 0; k < factors->f; k++)
			squares += (double) q[k] * q[k];
		lengths[item] = sqrt(squares);
		shelf->most_q = fmax(shelf->most_q, lengths[item]);
		shelf->most_b = fmax(shelf->most_b, fabs((double) biases[item]));
		if (item % POLL_ITEMS == 0)
			rml_poll(env);
	}
	return lengths;
}

/* what a typical user may like at most comes first */
static RmlRanked *
sort_items(RmlShelf *shelf, RmlEnv *env, const RmlFactors *factors, const uint8_t *allowed,
		   const float *biases, const double *lengths, double length)
{
	RmlTopItems top = {0, factors->n_items, RML_NEW(env, RmlRanked, (size_t) factors->n_items)};

	for (int32_t item = 0; item < factors->n_items; item++)
	{
		if (allowed[item])
			rml_top_items_put(&top, (RmlRanked){biases[item] + length * lengths[item], 0, item});
		if (item % POLL_ITEMS == 0)
			rml_poll(env);
	}
	rml_top_items_sort(&top);
	rml_poll(env);
	shelf->n_items = top.n;
	return top.entries;
}

static void
fill_panel(RmlShelf *shelf, const RmlFactors *factors, const float *biases, const RmlRanked *sorted,
		   int64_t panel)
{
	float *place = shelf->panels + (size_t) panel * RML_SHELF_LANES * (size_t) (1 + shelf->f);
	int32_t *order = shelf->order + panel * RML_SHELF_LANES;

	for (int lane = 0; lane < RML_SHELF_LANES; lane++)
	{
		int64_t rank = panel * RML_SHELF_LANES + lane;
		int32_t item = rank < shelf->n_items ? sorted[rank].item : -1;

		order[lane] = item;
		place[lane] = item < 0 ? -FLT_MAX : biases[item];
		for (int k = 0; k < shelf->f; k++)
			place[(size_t) (1 + k) * RML_SHELF_LANES + (size_t) lane] =
				item < 0 ? 0 : factors->q[(size_t) item * (size_t) factors->s + (size_t) k];
	}
}

/* lengths are rounded up */
static void
bound_chunks(RmlShelf *shelf, const float *biases, const double *lengths)
{
	for (int64_t i = 0; i < shelf->n_chunks * (1 + RML_SHELF_STEPS); i++)
		shelf->bounds[i] = -FLT_MAX;
	for (int64_t chunk = 0; chunk < shelf->n_chunks; chunk++)
		shelf->largest_q[chunk] = 0;
	for (int64_t rank = 0; rank < shelf->n_items; rank++)
	{
		int64_t chunk = rank / (RML_SHELF_CHUNK * RML_SHELF_LANES);
		int32_t item = shelf->order[rank];
		float length = nextafterf((float) lengths[item], INFINITY);
		float *bounds = shelf->bounds + chunk * (1 + RML_SHELF_STEPS);

		for (int i = 0; i <= RML_SHELF_STEPS; i++)
			bounds[i] = fmaxf(bounds[i], biases[item] + (float) i * shelf->step * length);
		shelf->largest_q[chunk] = fmaxf(shelf->largest_q[chunk], length);
	}
}

/* n floats at an address vectors like */
static float *
aligned_floats(RmlEnv *env, size_t n)
{
	uintptr_t place = (uintptr_t) RML_NEW(env, float, n + 16);

	return (float *) ((place + 63) / 64 * 64);
}

void
rml_shelf_init(RmlShelf *shelf, RmlEnv *env, const RmlFactors *factors, const uint8_t *allowed,
			   const float *biases, double length)
{
	double *lengths = measure(shelf, env, factors, biases);
	RmlRanked *sorted = sort_items(shelf, env, factors, allowed, biases, lengths, length);

	shelf->f = factors->f;
	shelf->step = (float) length / (RML_SHELF_STEPS / 2);
	shelf->n_panels = (shelf->n_items + RML_SHELF_LANES - 1) / RML_SHELF_LANES;
	shelf->n_chunks = (shelf->n_panels + RML_SHELF_CHUNK - 1) / RML_SHELF_CHUNK;
	shelf->panels =
		aligned_floats(env, (size_t) shelf->n_panels * RML_SHELF_LANES * (size_t) (1 + shelf->f));
	shelf->order = RML_NEW(env, int32_t, (size_t) shelf->n_panels * RML_SHELF_LANES);
	shelf->bounds = RML_NEW(env, float, (size_t) shelf->n_chunks *(1 + RML_SHELF_STEPS));
	shelf->largest_q = RML_NEW(env, float, (size_t) shelf->n_chunks);
	for (int64_t panel = 0; panel < shelf->n_panels; panel++)
	{
		fill_panel(shelf, factors, biases, sorted, panel);
		if (panel % (POLL_ITEMS / RML_SHELF_LANES) == 0)
			rml_poll(env);
	}
	bound_chunks(shelf, biases, lengths);
	rml_release(env, sorted);
	rml_release(env, lengths);
}
