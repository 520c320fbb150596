/*
 * binary_metrics_sql.c
 *	  binary_metrics: the composite value.
 */
#include "postgres.h"

#include "retailml/evaluation_sql.h"

#define COLUMNS 15

PG_FUNCTION_INFO_V1(rml_binary_metrics_final);

static Datum
metrics_row(FunctionCallInfo fcinfo, const RmlBinaryMetrics *m)
{
	const int64 counts[] = {m->n, m->positives};
	const float8 numbers[] = {m->prevalence,  m->threshold, m->accuracy, m->precision, m->recall,
							  m->specificity, m->f1,        m->roc_auc,  m->pr_auc,    m->log_loss,
							  m->brier,       m->ece,       m->ks};

	return rml_evaluation_row(fcinfo, COLUMNS, numbers, 2, counts);
}

Datum
rml_binary_metrics_final(PG_FUNCTION_ARGS)
{
	RmlScoreState *state = rml_sorted_scores(fcinfo);
	RmlBinaryMetrics metrics;

	if (state == NULL)
		PG_RETURN_NULL();
	rml_binary_metrics(&state->scores, state->env, state->parameters.threshold, &metrics);
	PG_RETURN_DATUM(metrics_row(fcinfo, &metrics));
}
