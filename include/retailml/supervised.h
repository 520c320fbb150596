/*
 * supervised.h
 *	  What all models that predict a label have in common: the label, and the rows to learn from.
 *
 * A label is a number (regression) or a class (classification).  Classes are numbered 0 .. K - 1 by
 * their sorted text; of two, class 1 is the positive one, whose probability predict() gives.
 *
 * Every fitted supervised model begins with its RmlTarget, so that code for all of them finds it
 * without asking which algorithm made the model.
 *
 * Shapes: n rows, d_num numbers, d_cat category codes, K classes.  Matrices are row-major.
 */
#ifndef RETAILML_SUPERVISED_H
#define RETAILML_SUPERVISED_H

#include "retailml/frame.h"
#include "retailml/model.h"
#include "retailml/options.h"
#include "retailml/schema.h"

/* classes a label may have */
#define RML_MAX_CLASSES 1000

typedef enum RmlTask
{
	RML_REGRESSION = 0,
	RML_CLASSIFICATION = 1
} RmlTask;

typedef struct RmlTarget
{
	char *name; /* of the label's column */
	RmlTask task;
	int n_classes;   /* K, at least 2; 0 for regression */
	char **classes;  /* [K] all different */
	int64_t *counts; /* [K] training rows */
} RmlTarget;

/* the rows of a fit, in canonical order, features prepared by schema */
typedef struct RmlTrainingSet
{
	const RmlSchema *schema;
	RmlTarget target;
	int64_t n;
	const double *numbers;  /* [n x d_num] finite */
	const int32_t *codes;   /* [n x d_cat] 0 = missing, 1 .. = category */
	const double *y;        /* [n] regression, finite; else NULL */
	const int32_t *classes; /* [n] classification: 0 .. K - 1; else NULL */
	const double *weights;  /* [n] finite, at least 0, some positive; NULL: 1 each */
} RmlTrainingSet;

/* options that all supervised fits have in common: the first part of their params */
typedef struct RmlSupervisedParams
{
	char *weight;            /* column of row weights, or NULL */
	RmlWeights class_weight; /* none, balanced, or a number for each class */
	char *positive;          /* of two classes the one whose probability is predicted, or NULL */
	int64_t task;            /* RmlLabelTask */
	int64_t resample;        /* RmlResample */
	int64_t leak;            /* RmlLeakAction */
	int64_t seed;
} RmlSupervisedParams;

/* what a numeric label is: auto = a number, except for what only classifies */
typedef enum RmlLabelTask
{
	RML_TASK_AUTO = 0,
	RML_TASK_REGRESSION,
	RML_TASK_CLASSIFICATION
} RmlLabelTask;

typedef enum RmlLeakAction
{
	RML_LEAK_WARNING = 0,
	RML_LEAK_ERROR,
	RML_LEAK_IGNORE
} RmlLeakAction;

extern const char *const rml_class_weight_names[];
extern const char *const rml_task_names[];
extern const char *const rml_resample_names[];
extern const char *const rml_leak_names[];

#define RML_COMMON_OPTION(type, field, kind, low, high, choices) \
	{ \
#field, kind, offsetof(type, common.field), 0, (low), (high), (choices) \
	}

/* the first entries of every supervised table; type has an RmlSupervisedParams called common */
#define RML_SUPERVISED_OPTIONS(type) \
	RML_COMMON_OPTION(type, weight, RML_OPTION_TEXT, 0, 0, NULL), \
		RML_COMMON_OPTION(type, class_weight, RML_OPTION_WEIGHTS, 0, 1e9, rml_class_weight_names), \
		RML_COMMON_OPTION(type, positive, RML_OPTION_TEXT, 0, 0, NULL), \
		RML_COMMON_OPTION(type, task, RML_OPTION_CHOICE, 0, 0, rml_task_names), \
		RML_COMMON_OPTION(type, resample, RML_OPTION_CHOICE, 0, 0, rml_resample_names), \
		RML_COMMON_OPTION(type, leak, RML_OPTION_CHOICE, 0, 0, rml_leak_names), \
	{ \
		"seed", RML_OPTION_INT, offsetof(type, common.seed), 42, -9007199254740992.0, \
			9007199254740992.0, NULL \
	}

/*
 * Learn what the label is from its column, and fill rows->target and rows->y or rows->classes.
 * classifier: the algorithm knows classes only, so numbers are classes too.  Returns NULL or the reason it cannot be used.
 */
extern const char *rml_label_learn(RmlEnv *env, const RmlTaken *label, int64_t n,
								   const RmlSupervisedParams *params, bool classifier,
								   RmlTrainingSet *rows);

/* do two classes say themselves that the second is the positive one, as no and yes do? */
extern bool rml_positive_is_plain(const RmlTarget *target);

static inline bool
rml_is_binary(const RmlTarget *target)
{
	return target->n_classes == 2;
}

extern void rml_target_encode(const RmlTarget *target, RmlWriter *writer);
extern void rml_target_decode(RmlTarget *target, RmlReader *reader);
extern void rml_target_describe(const RmlTarget *target, RmlInfo *info);

#endif /* RETAILML_SUPERVISED_H */
