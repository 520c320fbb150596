/*
 * leak_guard.h
 *	  Does a single feature give the label away?
 *
 * A feature that (nearly) determines the label is seldom a discovery.  Most often it was written
 * after the fact: the date of cancellation, the balance once the account was closed, the label
 * under another name.  The model is then perfect in training and useless on new rows.  (S. Kaufman,
 * S. Rosset, C. Perlich and O. Stitelman, "Leakage in data mining", ACM TKDD 6 (2012).)
 *
 * Each feature is scored alone, and one of at least RML_LEAK_SCORE is reported:
 *
 *	  classification, a number	  area under the ROC curve, in the better of the two directions, ties
 *								  by midranks; of K > 2 classes the mean over all pairs of classes
 *	  classification, a category  area under the ROC curve of the class's rate in the category; of
 *								  K > 2 classes the mean over the classes, each against the rest
 *	  regression, a number		  R2: squared correlation of the values, or of their ranks
 *	  regression, a category	  R2 of the label's mean in the category
 *	  any, a number with gaps	  the same of the indicator "is missing", which the value alone hides
 *
 * Pairs of classes (D. J. Hand and R. J. Till, Machine Learning 45 (2001)) because a number that
 * orders the classes perfectly has an area of about 1/2 for a middle class against the rest.
 *
 * Rates and means of categories are cross-fitted: learnt on the rows of even index and applied to
 * those of odd index, and vice versa; a category that the other half has not gets that half's
 * overall rate.  So a column of unique keys scores about 1/2 or less (or R2 = 0), though it
 * "determines" the label.
 *
 * Cost is that of a sample: the first RML_LEAK_ROWS rows and the first RML_LEAK_CLASS_ROWS of each
 * class (canonical order makes them a random one).  Only a feature that scores RML_LEAK_SUSPECT
 * there is scored on all rows.  Looked at are the RML_LEAK_CLASSES largest classes, and of them those
 * of at least RML_LEAK_MIN_CLASS rows; when these are fewer than two, or there are fewer than
 * RML_LEAK_MIN_ROWS rows, nothing is reported.  Row weights are ignored.
 */
#ifndef RETAILML_LEAK_GUARD_H
#define RETAILML_LEAK_GUARD_H

#include "retailml/supervised.h"

#define RML_LEAK_SCORE 0.999
#define RML_LEAK_SUSPECT 0.99
#define RML_LEAK_ROWS 20000
#define RML_LEAK_CLASS_ROWS 200
#define RML_LEAK_CLASSES 20
#define RML_LEAK_MIN_ROWS 20
#define RML_LEAK_MIN_CLASS 5

typedef struct RmlLeak
{
	int feature;     /* index in the schema */
	double score;    /* on all rows */
	bool by_missing; /* not the value: whether there is one */
} RmlLeak;

/* what the scores of a task are called: "AUC" or "R2" */
extern const char *rml_leak_measure(const RmlTarget *target);

/* score of one feature, RML_LEAK_SCORE or not, on all rows; 0 where nothing can be said */
extern double rml_leak_score(RmlEnv *env, const RmlTrainingSet *rows, int feature,
							 bool *by_missing);

/* the features that give the label away, by index: leaks [schema->n_features]; returns how many */
extern int rml_leak_guard(RmlEnv *env, const RmlTrainingSet *rows, RmlLeak *leaks);

/* memory that the guard takes, at most */
extern size_t rml_leak_guard_bytes(const RmlTrainingSet *rows);

#endif /* RETAILML_LEAK_GUARD_H */
