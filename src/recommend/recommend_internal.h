/*
 * recommend_internal.h
 *	  Scores of a few dozen users for all items, of which those that may be among the n best are kept.
 *
 * Items lie on a shelf in the order in which they are looked at, sixteen side by side in a panel, some
 * panels in a chunk that stays in the cache while the users of a task pass by.
 *
 * Shapes: f factors, U users of a task, C candidates a user can hold.
 */
#ifndef RETAILML_RECOMMEND_INTERNAL_H
#define RETAILML_RECOMMEND_INTERNAL_H

#include "retailml/recommend.h"

/* what parameters make of a model: by prediction + log(buyers), or by prediction alone */
extern bool rml_ranks_by_value(const RmlSvdpp *model, const RmlRecommendParams *params);

/* [i] 1 for the items that parameters allow to anybody */
extern uint8_t *rml_recommend_allowed(const RmlSvdpp *model, RmlEnv *env,
									  const RmlRecommendParams *params);

#define RML_SHELF_LANES 16
#define RML_SHELF_CHUNK 16 /* panels */

/* the largest of b_i + |w| |q_i| is a convex function of |w|: a chord is above it */
#define RML_SHELF_STEPS 8

typedef struct RmlShelf
{
	int f;
	int32_t n_items; /* on the shelf */
	int64_t n_panels;
	int64_t n_chunks;
	float *panels;  /* [n_panels][1 + f][16] the biases b_i, then factor by factor; at 64 bytes */
	int32_t *order; /* [n_panels x 16] the item there, -1 for none */
	float step;     /* of the lengths of w for which bounds are kept */
	float *
		bounds; /* [n_chunks][1 + RML_SHELF_STEPS] of b_i + |w| |q_i| for |w| = 0, step, 2 step ... */
	float *largest_q; /* [n_chunks] length of the longest vector */
	double most_b;    /* of all items, without sign */
	double most_q;
} RmlShelf;

/* the items with allowed [i] by their biases [i]; length: of a typical user's vector */
extern void rml_shelf_init(RmlShelf *shelf, RmlEnv *env, const RmlFactors *factors,
						   const uint8_t *allowed, const float *biases, double length);

typedef struct RmlShopper
{
	const float *w;       /* [f] */
	float length;         /* of w */
	float margin;         /* 2 E */
	float threshold;      /* scores below it are not looked at */
	const uint64_t *seen; /* bit i: not item i */
	int32_t n_best;
	int32_t n_held;
	bool full;      /* more were too close to each other than can be held */
	float *best;    /* [n] the best scores, a heap with the least on top */
	float *scores;  /* [C] held */
	int32_t *items; /* [C] */
} RmlShopper;

typedef struct RmlShopping
{
	const RmlShelf *shelf;
	int32_t n;
	int32_t capacity;     /* C */
	int32_t n_shoppers;   /* of this task */
	RmlShopper *shoppers; /* [U] */
	RmlShopper **active;  /* [U rounded up to full tiles] scratch */
} RmlShopping;

/* users whose scores are in registers together */
#define RML_SHELF_TILE 6

/* let all shoppers pass all items; each holds at the end all that may be among its n best */
extern void rml_shop(RmlShopping *shopping);

/* a candidate: room for it is there or will be made */
extern void rml_shopper_hold(const RmlShopping *shopping, RmlShopper *shopper, float score,
							 int32_t item);

#endif /* RETAILML_RECOMMEND_INTERNAL_H */
