/*
 * resample.h
 *	  Balance the classes of a training set by leaving out, repeating or making up rows.
 *
 *	  over		each class gets as many rows as the largest: all of its own, and others of them drawn
 *				with replacement
 *	  under		each class keeps as many rows as the smallest has, drawn without replacement
 *	  smote		as over, but the rows that are added are new ones, between rows of the class
 *
 * SMOTE is that of N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: synthetic
 * minority over-sampling technique", JAIR 16 (2002), with categories as in its section 6.1 (SMOTE-NC).
 * The rows of the class take turns; each is paired with one of its k = 5 nearest neighbours in the
 * class, at random, and the new row is, with g uniform on [0, 1),
 *
 *	  number			x + g (neighbour - x)
 *	  boolean			what most of the k neighbours have (of equally many, the nearest one's)
 *	  category			likewise
 *	  weight			the mean of the two
 *
 * Distances are those of numbers divided by their standard deviation in the schema; a category that
 * differs adds the square of the median, over the numbers that vary in the class, of their standard
 * deviations there (1 when none varies).  A class of one row is repeated, as with over.
 *
 * The search is exact but takes at most RML_SMOTE_POOL rows of a class, its leading ones (canonical
 * order makes them a random sample), and fewer for very wide rows: new rows then lie between those.
 * So its time is bounded, whatever n.
 *
 * Classes without rows stay without.  Rows are counted, not weighed.  Over and smote return
 * the rows in random order (any leading part is a sample of all), under in the order they had.  All
 * depends on the rows and the seed alone.
 */
#ifndef RETAILML_RESAMPLE_H
#define RETAILML_RESAMPLE_H

#include "retailml/supervised.h"

typedef enum RmlResample
{
	RML_RESAMPLE_NONE = 0,
	RML_RESAMPLE_OVER,
	RML_RESAMPLE_UNDER,
	RML_RESAMPLE_SMOTE
} RmlResample;

/* none, over, under, smote, NULL */
extern const char *const rml_resample_names[];

#define RML_SMOTE_NEIGHBOURS 5
#define RML_SMOTE_POOL 20000

/* NULL, or the reason these rows cannot be resampled (their label is a number) */
extern const char *rml_resample_check(RmlResample how, const RmlTrainingSet *rows);

/* how many rows come out */
extern int64_t rml_resample_rows(RmlResample how, const RmlTrainingSet *rows);

/* memory that is taken at the peak, the new rows included */
extern size_t rml_resample_bytes(RmlResample how, const RmlTrainingSet *rows);

/*
 * The balanced rows: arrays of their own, out->target.counts included; with none, those of rows.
 * The schema stays that of rows.
 */
extern void rml_resample(RmlEnv *env, RmlResample how, int64_t seed, const RmlTrainingSet *rows,
						 RmlTrainingSet *out);

#endif /* RETAILML_RESAMPLE_H */
