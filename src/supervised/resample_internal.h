/*
 * resample_internal.h
 *	  What resampling hands on: a plan of the rows to come, and neighbours.
 */
#ifndef RETAILML_RESAMPLE_INTERNAL_H
#define RETAILML_RESAMPLE_INTERNAL_H

#include "retailml/resample.h"
#include "retailml/rng.h"

/* streams of random numbers: rows drawn, the neighbour, the place between, the order */
#define RML_DRAW_STREAM ((uint64_t) 5 << 32)
#define RML_MATE_STREAM ((uint64_t) 6 << 32)
#define RML_GAP_STREAM ((uint64_t) 7 << 32)
#define RML_ORDER_STREAM ((uint64_t) 8 << 32)

/* a row to come: a copy, or with neighbours something between it and one of them */
typedef struct RmlResampleDraw
{
	int64_t row;
	const int64_t *neighbours; /* NULL: a copy */
	int32_t n_neighbours;
	int32_t class;
} RmlResampleDraw;

typedef struct RmlResamplePlan
{
	RmlEnv *env;
	const RmlTrainingSet *rows;
	RmlResample how;
	uint64_t seed;
	int n_classes;
	int64_t *members;       /* [n] rows of class 0, then 1, ..., each in their order */
	int64_t *start;         /* [K + 1] */
	int64_t wanted;         /* rows of each class that has any */
	int64_t n;              /* drawn so far */
	RmlResampleDraw *draws; /* [rows that come out] */
	int64_t **lists;        /* [K] neighbours of the class, or NULL */
	/* of the rows that come out */
	double *numbers;
	int32_t *codes;
	int32_t *classes;
	double *weights;
} RmlResamplePlan;

/* an integer below bound that no other draw shares */
static inline int64_t
rml_resample_below(const RmlResamplePlan *plan, uint64_t stream, int64_t index, int64_t bound)
{
	return (int64_t) rml_rng_below(plan->seed, stream, (uint64_t) index, (uint64_t) bound);
}

/* rows of each class: counts [K] */
extern void rml_resample_count(const RmlTrainingSet *rows, int64_t *counts);

/* the rows of a plan whose draws are complete */
extern void rml_resample_make(RmlResamplePlan *plan, RmlTrainingSet *out);

/* rows of a class that are searched: leading ones, fewer when they are wide */
extern int64_t rml_smote_pool(int64_t members, int d);

/* neighbours that a row of a pool has */
static inline int
rml_smote_neighbours(int64_t pool)
{
	return pool <= RML_SMOTE_NEIGHBOURS ? (int) pool - 1 : RML_SMOTE_NEIGHBOURS;
}

/*
 * For each of the first n_queries rows of members [pool]: its k nearest others, as indexes of rows,
 * the nearest first, into lists [n_queries x k].  Of equally near rows the one that comes first.
 */
extern void rml_smote_search(RmlEnv *env, const RmlTrainingSet *rows, const int64_t *members,
							 int64_t pool, int64_t n_queries, int64_t *lists);

/* memory of a search, without its lists */
extern size_t rml_smote_search_bytes(int64_t pool, int d_num, int d_cat);

#endif /* RETAILML_RESAMPLE_INTERNAL_H */
