/*
 * registry.h
 *	  The algorithms by id: one row makes a model known to predict() and model_info().
 *
 * Ids are part of the model bytes and are never reused.
 */
#ifndef RETAILML_REGISTRY_H
#define RETAILML_REGISTRY_H

#include "retailml/options.h"
#include "retailml/schema.h"
#include "retailml/segments.h"

/* what predict_label() says where predict() gives this number */
typedef struct RmlLabel
{
	double number;
	const char *text;
	void *result; /* room for the host's ready-made text */
} RmlLabel;

typedef struct RmlLabels
{
	int64_t n;
	RmlLabel *labels; /* [n] in the order of their numbers */
} RmlLabels;

/* an SQL text in the making: sql_expression.h */
typedef struct RmlExpression RmlExpression;

typedef struct RmlAlgorithm
{
	uint16_t id;
	uint16_t version; /* the newest this code reads and the one it writes */
	const char *name;
	const RmlOption *options; /* the algorithm's own; those of the rows are common to all */
	int n_options;
	size_t params_size;
	/*
	 * Read the fitted part.  What is wrong goes to reader->error.  The result lives in
	 * reader->env.
	 */
	void *(*decode)(RmlReader *reader, const RmlSchema *schema, const void *params);
	void (*encode)(const void *fitted, RmlWriter *writer);
	/*
	 * The number predict() gives for a prepared row; NULL: the model takes no rows, and scored_by is
	 * the call that gives its predictions.
	 */
	double (*predict)(const void *fitted, const double *numbers, const int32_t *codes);
	const char *scored_by;
	/* what model_info() shows beyond the common part */
	void (*describe)(const void *fitted, const RmlSchema *schema, RmlInfo *info);
	/* the common view of a cluster model; NULL: it is none */
	void (*clusters)(void *fitted, RmlClusters *view);
	/* the texts for all numbers of predict; NULL: it has none, or is a cluster or supervised model */
	void (*labels)(const void *fitted, RmlEnv *env, RmlLabels *labels);
	/*
	 * Supervised models (supervised.h), whose fitted part begins with an RmlTarget; NULL for others.
	 * proba: probabilities [K] of a prepared row.
	 * explain: contributions [n_features] of the row's features to its score, which is base + their
	 * sum: the prediction before the link (a number, a log-odds, a probability of a forest).  output
	 * is the class asked about, 0 for regression.
	 * importance: gain and splits [n_features].
	 */
	bool supervised;
	void (*proba)(const void *fitted, const double *numbers, const int32_t *codes,
				  double *probabilities);
	void (*explain)(const void *fitted, const RmlSchema *schema, RmlEnv *env, const double *numbers,
					const int32_t *codes, int output, double *contributions, double *base);
	void (*importance)(const void *fitted, const RmlSchema *schema, double *gain, int64_t *splits);
	/* predict() as one SQL expression (sql_expression.h); NULL: it cannot be written as one */
	void (*expression)(const void *fitted, const RmlSchema *schema, RmlExpression *expression);
} RmlAlgorithm;

#define RML_ALGORITHM_KMEANS 1
#define RML_ALGORITHM_RFM 2
#define RML_ALGORITHM_KPROTOTYPES 3
#define RML_ALGORITHM_LINREG 4
#define RML_ALGORITHM_LOGREG 5
#define RML_ALGORITHM_TREE 6
#define RML_ALGORITHM_FOREST 7
#define RML_ALGORITHM_BOOST 8
#define RML_ALGORITHM_CHURN 9
#define RML_ALGORITHM_LTV 10
#define RML_ALGORITHM_SVDPP 11

extern const RmlAlgorithm *rml_algorithm_by_id(uint16_t id);

/* a decoded model */
typedef struct RmlModel
{
	RmlEnv *env; /* what it lives in */
	const RmlAlgorithm *algorithm;
	RmlSchema schema;
	void *params; /* the algorithm's params struct */
	void *fitted; /* what the algorithm's decode made */
	bool newer;   /* refused because a newer version wrote it */
} RmlModel;

/* NULL, or the reason the bytes are refused */
extern const char *rml_model_decode(RmlModel *model, RmlEnv *env, const void *bytes, size_t length);

/* a model as finished bytes: a new one, or a decoded one with what was changed in it */
extern void rml_model_encode(RmlWriter *writer, RmlEnv *env, const RmlAlgorithm *algorithm,
							 const RmlSchema *schema, const void *params, const void *fitted);

extern void rml_model_describe(const RmlModel *model, RmlInfo *info);

/* the call that gives a model's predictions, for hints */
extern const char *rml_model_scored_by(const RmlModel *model);

/* the labels of a model's predictions; false: its predictions are numbers and nothing else */
extern bool rml_model_labels(const RmlModel *model, RmlLabels *labels);

/* the label of a prediction */
extern RmlLabel *rml_label_of(const RmlLabels *labels, double prediction);

#endif /* RETAILML_REGISTRY_H */
