/*
 * recommend_scan.c
 *	  The inner loop of recommendations for all users: a matrix product that forgets its result.
 *
 * Six users times sixteen items are summed up in registers and compared with what each user needs to be
 * interested; only the few that pass are looked at one by one.
 *
 * These scores only select, with a margin for any order of rounding; so unlike elsewhere the compiler
 * may fuse products and sums here without changing a result.
 */
#include "recommend_internal.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=fast")
#endif

#define LANES RML_SHELF_LANES
#define TILE RML_SHELF_TILE

typedef float Floats __attribute__((vector_size(LANES * sizeof(float)), aligned(64)));
typedef uint64_t Words __attribute__((may_alias));
typedef int32_t Ints __attribute__((vector_size(LANES * sizeof(int32_t)), aligned(64)));

/* not under AddressSanitizer, before which the loader would resolve the clones */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(RML_NO_CLONES)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

/* ---- what is held ---- */

/* the least of the n best scores goes, score comes */
static void
replace_least(float *best, int32_t n, float score)
{
	int32_t place = 0;

	for (int32_t child = 1; child < n; child = 2 * place + 1)
	{
		if (child + 1 < n && best[child + 1] < best[child])
			child++;
		if (score <= best[child])
			break;
		best[place] = best[child];
		place = child;
	}
	best[place] = score;
}

static void
add_best(float *best, int32_t place, float score)
{
	for (int32_t parent; place > 0; place = parent)
	{
		parent = (place - 1) / 2;
		if (best[parent] <= score)
			break;
		best[place] = best[parent];
	}
	best[place] = score;
}

/* let go of what has fallen below the threshold; little of that means many equal scores */
static void
make_room(const RmlShopping *shopping, RmlShopper *shopper)
{
	int32_t kept = 0;

	for (int32_t i = 0; i < shopper->n_held; i++)
	{
		if (shopper->scores[i] < shopper->threshold)
			continue;
		shopper->scores[kept] = shopper->scores[i];
		shopper->items[kept++] = shopper->items[i];
	}
	shopper->n_held = kept;
	shopper->full = kept > shopping->capacity - shopping->capacity / 8;
	if (shopper->full)
		shopper->threshold = __builtin_inff();
}

void
rml_shopper_hold(const RmlShopping *shopping, RmlShopper *shopper, float score, int32_t item)
{
	if (shopper->n_best < shopping->n)
		add_best(shopper->best, shopper->n_best++, score);
	else if (score > shopper->best[0])
		replace_least(shopper->best, shopping->n, score);
	if (shopper->n_best == shopping->n)
		shopper->threshold = shopper->best[0] - shopper->margin;
	shopper->scores[shopper->n_held] = score;
	shopper->items[shopper->n_held++] = item;
	if (shopper->n_held == shopping->capacity)
		make_room(shopping, shopper);
}

static bool
has_seen(const RmlShopper *shopper, int32_t item)
{
	return shopper->seen[item >> 6] >> (item & 63) & 1;
}

/* the scores [16] of a panel for a shopper, one of which at least is high enough */
static __attribute__((noinline)) void
look_at(const RmlShopping *shopping, RmlShopper *shopper, const int32_t *order, const float *scores)
{
	for (int lane = 0; lane < LANES; lane++)
		if (scores[lane] >= shopper->threshold && order[lane] >= 0 &&
			!has_seen(shopper, order[lane]))
			rml_shopper_hold(shopping, shopper, scores[lane], order[lane]);
}

/* ---- scores ---- */

/* is any of the lanes true? */
INLINE bool
any(const Ints *mask)
{
	const Words *words = (const Words *) mask;
	uint64_t some = 0;

	for (int i = 0; i < LANES / 2; i++)
		some |= words[i];
	return some != 0;
}

/* a tile of shoppers passes n panels */
INLINE void
pass(const RmlShopping *shopping, RmlShopper **shoppers, const Floats *line, const int32_t *order,
	 int64_t n)
{
	const int f = shopping->shelf->f;
	const float *w[TILE];
	Floats sums[TILE];
	float thresholds[TILE];

	for (int u = 0; u < TILE; u++)
	{
		w[u] = shoppers[u]->w;
		thresholds[u] = shoppers[u]->threshold;
	}
	for (int64_t panel = 0; panel < n; panel++, order += LANES)
	{
		Floats q = *line++;
		Ints interested = {0};

		for (int u = 0; u < TILE; u++)
			sums[u] = q;
		for (int k = 0; k < f; k++)
		{
			q = *line++;
			for (int u = 0; u < TILE; u++)
				sums[u] += w[u][k] * q;
		}
		for (int u = 0; u < TILE; u++)
			interested |= sums[u] >= thresholds[u];
		if (!any(&interested))
			continue;
		for (int u = 0; u < TILE; u++)
		{
			interested = sums[u] >= thresholds[u];
			if (!any(&interested))
				continue;
			look_at(shopping, shoppers[u], order, (const float *) &sums[u]);
			thresholds[u] = shoppers[u]->threshold;
		}
	}
}

CLONES static void
pass_all(const RmlShopping *shopping, int32_t n_active, int64_t first, int64_t n)
{
	const RmlShelf *shelf = shopping->shelf;
	const Floats *line = (const Floats *) shelf->panels + first * (1 + shelf->f);

	for (int32_t u = 0; u < n_active; u += TILE)
		pass(shopping, shopping->active + u, line, shelf->order + first * LANES, n);
}

/* no item of the chunk scores higher for a w of this length */
static float
bound_of(const RmlShelf *shelf, int64_t chunk, float length)
{
	const float *bounds = shelf->bounds + chunk * (1 + RML_SHELF_STEPS);
	float steps = shelf->step > 0 ? length / shelf->step : RML_SHELF_STEPS;
	int whole = steps < RML_SHELF_STEPS ? (int) steps : RML_SHELF_STEPS;

	if (whole == RML_SHELF_STEPS)
		return bounds[whole] + (length - RML_SHELF_STEPS * shelf->step) * shelf->largest_q[chunk];
	return bounds[whole] + (steps - (float) whole) * (bounds[whole + 1] - bounds[whole]);
}

/* the shoppers for whom something on the chunk may be good enough; the last tile is filled up with one who wants nothing */
static int32_t
find_active(const RmlShopping *shopping, int64_t chunk, RmlShopper *nobody)
{
	const RmlShelf *shelf = shopping->shelf;
	int32_t n = 0;

	for (int32_t u = 0; u < shopping->n_shoppers; u++)
	{
		RmlShopper *shopper = &shopping->shoppers[u];

		if (!shopper->full && bound_of(shelf, chunk, shopper->length) >= shopper->threshold)
			shopping->active[n++] = shopper;
	}
	for (int32_t u = n; u % TILE != 0; u++)
		shopping->active[u] = nobody;
	if (n > 0)
		nobody->w = shopping->active[0]->w;
	return n;
}

void
rml_shop(RmlShopping *shopping)
{
	const RmlShelf *shelf = shopping->shelf;
	RmlShopper nobody = {.threshold = __builtin_inff()};

	for (int64_t chunk = 0; chunk < shelf->n_chunks; chunk++)
	{
		int64_t first = chunk * RML_SHELF_CHUNK;
		int64_t n = shelf->n_panels - first;
		int32_t n_active = find_active(shopping, chunk, &nobody);

		if (n_active > 0)
			pass_all(shopping, n_active, first, n < RML_SHELF_CHUNK ? n : RML_SHELF_CHUNK);
	}
}
