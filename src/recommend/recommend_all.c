/*
 * recommend_all.c
 *	  The best items of all users, block by block.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "recommend_internal.h"
#include "retailml/parallel.h"
#include "top_items.h"

/* users whose vectors show what a typical one is like */
#define SAMPLE 200

/* what a task should stay below: products, bytes of scratch */
#define TASK_PRODUCTS 2e7
#define TASK_BYTES ((size_t) 1 << 20)
#define MOST_SHOPPERS 48

/* recommendations of a block */
#define BLOCK_ROWS 262144
#define BLOCK_TASKS 512

/* from this part of the items on, scoring all of them exactly is less work than selecting */
#define LARGE_PART 4

/* what a thread needs for a task */
typedef struct Scratch
{
	RmlShopping shopping;
	RmlShopper *shoppers; /* [U] */
	float *w;             /* [U x f] */
	double *exact;        /* [U x f] the same in full */
	uint64_t *seen;       /* [U x words], all 0 between tasks */
	RmlRanked *ranked;    /* [n] */
	int64_t n_exact;      /* users scored exactly */
} Scratch;

struct RmlRecommendAll
{
	RmlEnv *env;
	const RmlSvdpp *model;
	int32_t n;
	bool include_seen;
	double *log_buyers; /* [i] what is added to predictions to rank items; NULL: nothing */
	bool select;        /* by floats first */
	int32_t task;       /* U users of a task */
	int32_t capacity;   /* C */
	size_t words;       /* of bits for all items */
	int32_t n_block;    /* users of a block, full tasks */
	int32_t next;
	RmlShelf shelf;
	Scratch *scratch; /* [threads] */
	RmlRecommendBlock block;
};

/* ---- users ---- */

static void
mark_seen(const RmlSvdpp *model, int32_t user, uint64_t *seen, bool mark)
{
	for (int64_t r = model->starts[user]; r < model->starts[user + 1]; r++)
	{
		int32_t item = model->seen[r];

		if (mark)
			seen[item >> 6] |= UINT64_C(1) << (item & 63);
		else
			seen[item >> 6] = 0;
	}
}

static double
length_of(const double *w, int f)
{
	double squares = 0;

	for (int k = 0; k < f; k++)
		squares += w[k] * w[k];
	return sqrt(squares);
}

static double
typical_length(RmlEnv *env, const RmlSvdpp *model)
{
	int32_t n_users = model->factors.n_users;
	int32_t n = n_users < SAMPLE ? n_users : SAMPLE;
	double *w = RML_NEW(env, double, (size_t) model->factors.f);
	double sum = 0;

	for (int32_t i = 0; i < n; i++)
	{
		rml_svdpp_user(model, (int32_t) ((int64_t) n_users * i / n), w);
		sum += length_of(w, model->factors.f);
		rml_poll(env);
	}
	rml_release(env, w);
	return n > 0 ? sum / n : 0;
}

/* 2 E of recommend.h, and room for the roundings of what is added to all items of a user, and of numbers near 0 */
static double
margin_of(const RmlRecommendAll *all, int32_t user, double length)
{
	const RmlFactors *factors = &all->model->factors;
	double terms = factors->f + 4;
	double error = terms * 0x1p-23 * (all->shelf.most_b + length * all->shelf.most_q);

	error += terms * 0x1p-52 * (fabs(factors->mean) + fabs((double) factors->bu[user]));
	return 2 * (error + terms * FLT_MIN);
}

static void
enter(const RmlRecommendAll *all, Scratch *scratch, int32_t place, int32_t user)
{
	const int f = all->shelf.f;
	RmlShopper *shopper = &scratch->shoppers[place];
	float *w = scratch->w + (size_t) place * (size_t) f;
	double *exact = scratch->exact + (size_t) place * (size_t) f;
	uint64_t *seen = scratch->seen + (size_t) place * all->words;
	double length;

	rml_svdpp_user(all->model, user, exact);
	for (int k = 0; k < f; k++)
		w[k] = (float) exact[k];
	length = length_of(exact, f);
	if (!all->include_seen)
		mark_seen(all->model, user, seen, true);
	shopper->length = nextafterf((float) length, INFINITY);
	shopper->margin = nextafterf((float) margin_of(all, user, length), INFINITY);
	shopper->threshold = -FLT_MAX;
	shopper->n_best = shopper->n_held = 0;
	/* scores beyond the range of floats tell nothing */
	shopper->full = !(all->shelf.most_b + length * all->shelf.most_q < FLT_MAX / 4);
	if (shopper->full)
		shopper->threshold = INFINITY;
}

/* ---- exact scores ---- */

static void
put_exact(const RmlRecommendAll *all, RmlTopItems *top, int32_t user, int32_t item, const double *w)
{
	double score = rml_factors_score(&all->model->factors, user, item, w);

	if (all->log_buyers != NULL)
		score += all->log_buyers[item];
	rml_top_items_put(top, (RmlRanked){score, (double) all->model->buyers[item], item});
}

static void
rank_all(const RmlRecommendAll *all, Scratch *scratch, RmlTopItems *top, int32_t user,
		 const double *w, const uint64_t *seen)
{
	scratch->n_exact++;
	for (int32_t place = 0; place < all->shelf.n_items; place++)
	{
		int32_t item = all->shelf.order[place];

		if (!(seen[item >> 6] >> (item & 63) & 1))
			put_exact(all, top, user, item, w);
	}
}

static void
rank_held(const RmlRecommendAll *all, const RmlShopper *shopper, RmlTopItems *top, int32_t user,
		  const double *w)
{
	for (int32_t i = 0; i < shopper->n_held; i++)
		if (shopper->scores[i] >= shopper->threshold)
			put_exact(all, top, user, shopper->items[i], w);
}

static void
leave(const RmlRecommendAll *all, Scratch *scratch, int32_t place, int32_t user)
{
	const RmlRecommendBlock *block = &all->block;
	const double *w = scratch->exact + (size_t) place * (size_t) all->model->factors.f;
	uint64_t *seen = scratch->seen + (size_t) place * all->words;
	size_t at = (size_t) (user - block->first) * (size_t) all->n;
	RmlTopItems top = {0, all->n, scratch->ranked};

	if (all->select && !scratch->shoppers[place].full)
		rank_held(all, &scratch->shoppers[place], &top, user, w);
	else
		rank_all(all, scratch, &top, user, w, seen);
	rml_top_items_sort(&top);
	block->counts[user - block->first] = top.n;
	for (int32_t i = 0; i < top.n; i++)
	{
		int32_t item = top.entries[i].item;

		block->items[at + (size_t) i] = item;
		block->scores[at + (size_t) i] = rml_svdpp_predict(all->model, user, item, w);
	}
	mark_seen(all->model, user, seen, false);
}

/* ---- tasks and blocks ---- */

static void
run_task(void *context, int64_t task, int thread)
{
	const RmlRecommendAll *all = context;
	Scratch *scratch = &all->scratch[thread];
	int32_t first = (int32_t) (task * all->task);
	int32_t n = (int32_t) (rml_block_end(task, all->task, all->block.n_users) - first);

	first += all->block.first;
	for (int32_t place = 0; place < n; place++)
		enter(all, scratch, place, first + place);
	scratch->shopping.n_shoppers = n;
	if (all->select)
		rml_shop(&scratch->shopping);
	for (int32_t place = 0; place < n; place++)
		leave(all, scratch, place, first + place);
}

bool
rml_recommend_all_next(RmlRecommendAll *all, RmlRecommendBlock *block)
{
	int32_t left = all->model->factors.n_users - all->next;

	if (left <= 0)
		return false;
	all->block.first = all->next;
	all->block.n_users = left < all->n_block ? left : all->n_block;
	rml_parallel(all->env, rml_blocks(all->block.n_users, all->task), run_task, all);
	all->next += all->block.n_users;
	*block = all->block;
	return true;
}

/* sizes of tasks and blocks, on which no result depends */
static void
choose_sizes(RmlRecommendAll *all)
{
	const RmlFactors *factors = &all->model->factors;
	double products = (double) all->shelf.n_items * (factors->f + 1);
	size_t bytes;
	int64_t task, tasks;

	all->words = (size_t) factors->n_items / 64 + 1;
	all->capacity = 2 * all->n + 64;
	all->select = (int64_t) all->n * LARGE_PART < all->shelf.n_items;
	bytes = all->words * 8 + (size_t) all->n * 4 + (size_t) all->capacity * 8;
	task = (int64_t) fmin(TASK_PRODUCTS / products, (double) (TASK_BYTES / bytes));
	task = task > MOST_SHOPPERS ? MOST_SHOPPERS : task / RML_SHELF_TILE * RML_SHELF_TILE;
	all->task = task < RML_SHELF_TILE ? RML_SHELF_TILE : (int32_t) task;
	tasks = BLOCK_ROWS / ((int64_t) all->n * all->task);
	if (tasks > BLOCK_TASKS)
		tasks = BLOCK_TASKS;
	if (tasks < 2 * all->env->threads)
		tasks = 2 * all->env->threads;
	all->n_block = (int32_t) (tasks * all->task);
	if (all->n_block > factors->n_users)
		all->n_block = factors->n_users;
}

static void
init_scratch(const RmlRecommendAll *all, Scratch *scratch)
{
	RmlEnv *env = all->env;
	size_t users = (size_t) all->task, f = (size_t) all->model->factors.f;

	scratch->shoppers = RML_NEW_ZERO(env, RmlShopper, users);
	scratch->w = RML_NEW(env, float, users *f);
	scratch->exact = RML_NEW(env, double, users *f);
	scratch->seen = RML_NEW_ZERO(env, uint64_t, users * all->words);
	scratch->ranked = RML_NEW(env, RmlRanked, (size_t) all->n);
	scratch->shopping =
		(RmlShopping){&all->shelf,       all->n,
					  all->capacity,     0,
					  scratch->shoppers, RML_NEW(env, RmlShopper *, users + RML_SHELF_TILE)};
	for (size_t u = 0; u < users; u++)
	{
		RmlShopper *shopper = &scratch->shoppers[u];

		shopper->w = scratch->w + u * f;
		shopper->seen = scratch->seen + u * all->words;
		shopper->best = RML_NEW(env, float, (size_t) all->n);
		shopper->scores = RML_NEW(env, float, (size_t) all->capacity);
		shopper->items = RML_NEW(env, int32_t, (size_t) all->capacity);
	}
}

/* [i] what a user's vector has nothing to do with; and log_buyers */
static float *
rank_biases(RmlRecommendAll *all, const RmlRecommendParams *params)
{
	const RmlFactors *factors = &all->model->factors;
	float *biases = RML_NEW(all->env, float, (size_t) factors->n_items);

	memcpy(biases, factors->bi, sizeof(float) * (size_t) factors->n_items);
	if (!rml_ranks_by_value(all->model, params))
		return biases;
	all->log_buyers = rml_log_buyers(all->env, all->model->buyers, factors->n_items);
	for (int32_t item = 0; item < factors->n_items; item++)
		biases[item] = (float) (factors->bi[item] + all->log_buyers[item]);
	return biases;
}

RmlRecommendAll *
rml_recommend_all_begin(RmlEnv *env, const RmlSvdpp *model, int32_t n,
						const RmlRecommendParams *params)
{
	RmlRecommendAll *all = RML_NEW_ZERO(env, RmlRecommendAll, 1);
	uint8_t *allowed = rml_recommend_allowed(model, env, params);
	float *biases;
	size_t rows;

	all->env = env;
	all->model = model;
	all->include_seen = params->include_seen;
	all->scratch = RML_NEW_ZERO(env, Scratch, (size_t) env->threads);
	biases = rank_biases(all, params);
	rml_shelf_init(&all->shelf, env, &model->factors, allowed, biases, typical_length(env, model));
	rml_release(env, biases);
	rml_release(env, allowed);
	if (all->shelf.n_items == 0)
	{
		all->next = model->factors.n_users;
		return all;
	}
	all->n = n < all->shelf.n_items ? n : all->shelf.n_items;
	choose_sizes(all);
	for (int thread = 0; thread < env->threads; thread++)
		init_scratch(all, &all->scratch[thread]);
	rows = (size_t) all->n_block * (size_t) all->n;
	all->block.stride = all->n;
	all->block.counts = RML_NEW(env, int32_t, (size_t) all->n_block);
	all->block.items = RML_NEW(env, int32_t, rows);
	all->block.scores = RML_NEW(env, double, rows);
	return all;
}

int64_t
rml_recommend_all_exact(const RmlRecommendAll *all)
{
	int64_t n = 0;

	for (int thread = 0; thread < all->env->threads; thread++)
		n += all->scratch[thread].n_exact;
	return n;
}
