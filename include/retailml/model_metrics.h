/*
 * model_metrics.h
 *	  How good predictions of held-out rows are: what models are compared by.
 *
 * Definitions and edge cases are those of scikit-learn.
 *
 *	  classes      log_loss   - mean ln(probability of the row's class), clipped to [2^-52, 1 - 2^-52]
 *				   roc_auc    P(a positive row scores above a negative one), ties count half; of more
 *							  than two classes the mean over one against the rest
 *				   accuracy   share of rows whose most probable class is right
 *	  two classes  pr_auc     average precision: sum over thresholds of (recall - recall before) *
 *							  precision
 *				   brier      mean (probability - [positive])^2
 *				   f1         2 tp / (2 tp + fp + fn) at probability 0.5
 *	  numbers      rmse, mae, r2
 *
 * What is not defined is NaN: roc_auc and pr_auc of rows of one class, r2 of one row.  A class that
 * is absent, or the only one, does not count in the mean of roc_auc.
 *
 * Shapes: n rows, K classes; width = 1 for numbers and two classes, else K.
 */
#ifndef RETAILML_MODEL_METRICS_H
#define RETAILML_MODEL_METRICS_H

#include "retailml/supervised.h"

typedef enum RmlMetric
{
	RML_METRIC_LOG_LOSS = 0,
	RML_METRIC_ROC_AUC,
	RML_METRIC_PR_AUC,
	RML_METRIC_ACCURACY,
	RML_METRIC_BRIER,
	RML_METRIC_F1,
	RML_METRIC_RMSE,
	RML_METRIC_MAE,
	RML_METRIC_R2
} RmlMetric;

#define RML_N_METRICS 9

/* their names, in the order of RmlMetric, NULL-terminated */
extern const char *const rml_metric_names[];

/* the same after "auto", for options: what rml_metric_choose takes */
extern const char *const rml_metric_choices[];

/* the metric of an option's choice, the default of these labels for auto; NULL or the reason */
extern const char *rml_metric_choose(RmlEnv *env, int64_t choice, const RmlTarget *target,
									 RmlMetric *metric);

/* is less better? */
extern bool rml_metric_is_loss(RmlMetric metric);

/* is a better than b?  a number is better than NaN */
extern bool rml_metric_better(RmlMetric metric, double a, double b);

/* is it defined for labels of this kind? */
extern bool rml_metric_applies(RmlMetric metric, const RmlTarget *target);

/* log_loss or rmse */
extern RmlMetric rml_metric_default(const RmlTarget *target);

/* numbers a prediction consists of */
static inline int
rml_prediction_width(const RmlTarget *target)
{
	return target->n_classes > 2 ? target->n_classes : 1;
}

/* rows with their labels and predictions [n x width] */
typedef struct RmlPredicted
{
	int64_t n;
	int n_classes;          /* K; 0 for numbers */
	const double *y;        /* [n] numbers, else NULL */
	const int32_t *classes; /* [n] 0 .. K - 1, else NULL */
	const double *predictions;
} RmlPredicted;

extern void rml_metrics(RmlEnv *env, const RmlPredicted *predicted, double metrics[RML_N_METRICS]);

#endif /* RETAILML_MODEL_METRICS_H */
