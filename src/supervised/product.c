/*
 * product.c
 *	  Choosing among learners, and models inside models.
 */
#include "retailml/product.h"

#include <math.h>
#include <string.h>

#define TAG_PART RML_TAG('P', 'P', 'i', 'd')
#define TAG_COMPARISON RML_TAG('P', 'C', 'o', 'm')
#define TAG_NAMES RML_TAG('P', 'C', 'n', 'a')
#define TAG_METRICS RML_TAG('P', 'C', 'm', 'e')

#define MAX_CANDIDATES 1000

/* ---- parts ---- */

static RmlOptionSet
part_options(const RmlPart *part)
{
	return (RmlOptionSet){part->algorithm->options, part->algorithm->n_options, part->params};
}

void
rml_part_encode(const RmlPart *part, RmlWriter *writer)
{
	RmlOptionSet options = part_options(part);

	rml_put_int(writer, TAG_PART, part->algorithm->id);
	rml_options_encode(&options, writer);
	part->algorithm->encode(part->fitted, writer);
}

void
rml_part_decode(RmlPart *part, const RmlSchema *schema, RmlReader *reader)
{
	int64_t id = rml_get_int(reader, TAG_PART, RML_ALGORITHM_LINREG, RML_ALGORITHM_BOOST);
	RmlOptionSet options;

	memset(part, 0, sizeof *part);
	if (reader->error != NULL)
		return;
	part->algorithm = rml_algorithm_by_id((uint16_t) id);
	part->params = rml_alloc_zero(reader->env, part->algorithm->params_size);
	options = part_options(part);
	rml_options_decode(&options, reader);
	if (reader->error == NULL)
		part->fitted = part->algorithm->decode(reader, schema, part->params);
}

/* ---- comparisons ---- */

void
rml_contest_encode(const RmlContest *comparison, RmlWriter *writer)
{
	const int64_t head[] = {comparison->n, comparison->folds, comparison->grouped};

	rml_put_int64(writer, TAG_COMPARISON, head, 3);
	for (int64_t i = 0; i < comparison->n; i++)
	{
		rml_put_strings(writer, TAG_NAMES, &comparison->candidates[i].name, 1);
		rml_put_float64(writer, TAG_METRICS, comparison->candidates[i].mean, RML_N_METRICS);
		rml_put_float64(writer, TAG_METRICS, comparison->candidates[i].sd, RML_N_METRICS);
	}
}

static void
decode_candidate(RmlCandidate *candidate, RmlReader *reader)
{
	char **name = rml_get_strings(reader, TAG_NAMES, 1);
	const double *mean = rml_get_float64(reader, TAG_METRICS, RML_N_METRICS);
	const double *sd = rml_get_float64(reader, TAG_METRICS, RML_N_METRICS);

	if (reader->error != NULL)
		return;
	candidate->name = name[0];
	memcpy(candidate->mean, mean, sizeof candidate->mean);
	memcpy(candidate->sd, sd, sizeof candidate->sd);
}

void
rml_contest_decode(RmlContest *comparison, RmlReader *reader)
{
	const int64_t *head = rml_get_int64(reader, TAG_COMPARISON, 3);

	memset(comparison, 0, sizeof *comparison);
	if (head == NULL)
		return;
	if (head[0] < 0 || head[0] > MAX_CANDIDATES || head[1] < 2 || head[1] > RML_MAX_FOLDS ||
		(head[2] & ~1) != 0)
	{
		rml_reader_fail(reader, "the comparison in the model is damaged");
		return;
	}
	comparison->n = head[0];
	comparison->folds = head[1];
	comparison->grouped = head[2];
	comparison->candidates = RML_NEW_ZERO(reader->env, RmlCandidate, (size_t) head[0]);
	for (int64_t i = 0; i < comparison->n; i++)
		decode_candidate(&comparison->candidates[i], reader);
}

static void
describe_candidate(const RmlCandidate *candidate, RmlInfo *info)
{
	info->begin_object(info, NULL);
	info->text(info, "method", candidate->name);
	for (int m = 0; m < RML_N_METRICS; m++)
		if (!isnan(candidate->mean[m]))
		{
			info->number(info, rml_metric_names[m], candidate->mean[m]);
			if (m == RML_METRIC_LOG_LOSS || m == RML_METRIC_RMSE)
				info->number(info, m == RML_METRIC_RMSE ? "rmse_sd" : "log_loss_sd",
							 candidate->sd[m]);
		}
	info->end_object(info);
}

void
rml_contest_describe(const RmlContest *comparison, RmlInfo *info)
{
	info->integer(info, "folds", comparison->folds);
	info->boolean(info, "grouped", comparison->grouped != 0);
	info->begin_array(info, "comparison");
	for (int64_t i = 0; i < comparison->n; i++)
		describe_candidate(&comparison->candidates[i], info);
	info->end_array(info);
}

/* cells by rank, the best first */
static void
fill_comparison(RmlEnv *env, const RmlProductRows *rows, const RmlCell *cells, char *const *names,
				int n_cells, RmlContest *comparison)
{
	int n = 0;

	comparison->folds = rows->folds;
	comparison->grouped = rows->groups != NULL;
	comparison->n = n_cells;
	comparison->candidates = RML_NEW_ZERO(env, RmlCandidate, (size_t) n_cells);
	for (int rank = 1; rank <= n_cells; rank++)
		for (int c = 0; c < n_cells; c++)
			if (cells[c].rank == rank)
			{
				RmlCandidate *candidate = &comparison->candidates[n++];

				candidate->name = names[c];
				memcpy(candidate->mean, cells[c].mean, sizeof candidate->mean);
				memcpy(candidate->sd, cells[c].sd, sizeof candidate->sd);
			}
}

/* ---- the choice ---- */

static const char *
word_failure(RmlEnv *env, const RmlFoldFailure *failure, char *const *names)
{
	return rml_format(env, "fold %d cannot be fitted by %s: %s", failure->fold + 1,
					  names[failure->cell], failure->reason);
}

static const char *
cross_validate(RmlEnv *env, const RmlProductRows *rows, RmlCell *cells, char *const *names,
			   int n_cells)
{
	int64_t n = rows->raw.matrix->n;
	int32_t *folds = RML_NEW(env, int32_t, (size_t) n);
	const RmlValidation validation = {
		.rows = &rows->raw, .impute = rows->impute, .n_folds = (int) rows->folds, .folds = folds};
	const char *reason = rml_folds_deal(env, n, rows->groups, (int) rows->folds, rows->seed, folds);
	RmlFoldFailure failure;

	if (reason != NULL)
		return reason;
	for (int c = 0; c < n_cells; c++)
		cells[c].predictions = RML_NEW(env, double, (size_t) n);
	rml_cross_validate(env, &validation, cells, n_cells, &failure);
	rml_release(env, folds);
	return failure.reason == NULL ? NULL : word_failure(env, &failure, names);
}

static const char *
fit_all(RmlEnv *env, const RmlProductRows *rows, const RmlCell *cell, RmlPrepared *prepared,
		void **fitted)
{
	int64_t n = rows->raw.matrix->n;
	int64_t *all = RML_NEW(env, int64_t, (size_t) n);
	const RmlSubset subset = {.n = n, .rows = all};
	const char *reason;

	for (int64_t i = 0; i < n; i++)
		all[i] = i;
	reason = rml_training_set_learn(env, &rows->raw, &subset, rows->impute, prepared);
	if (reason == NULL)
		reason = cell->learner->check(env, cell->params, &prepared->rows);
	if (reason == NULL)
		*fitted = rml_learner_fit(env, cell->learner, cell->params, &prepared->rows, &reason);
	rml_release(env, all);
	return reason;
}

const char *
rml_product_fit(RmlEnv *env, const RmlProductRows *rows, RmlCell *cells, char *const *names,
				int n_cells, RmlMetric metric, RmlPrepared *prepared, void **fitted, int *best,
				RmlContest *comparison)
{
	const char *reason = cross_validate(env, rows, cells, names, n_cells);

	if (reason != NULL)
		return reason;
	rml_cells_rank(cells, n_cells, metric);
	for (*best = 0; cells[*best].rank != 1; (*best)++)
		;
	fill_comparison(env, rows, cells, names, n_cells, comparison);
	return fit_all(env, rows, &cells[*best], prepared, fitted);
}

size_t
rml_product_bytes(RmlEnv *env, const RmlProductRows *rows, const RmlCell *cells, int n_cells)
{
	const RmlValidation validation = {.rows = &rows->raw, .n_folds = (int) rows->folds};
	size_t n = (size_t) rows->raw.matrix->n;

	return rml_cross_validate_bytes(&validation, cells, n_cells, env->threads) +
		   n * ((size_t) n_cells * sizeof(double) + 2 * sizeof(int64_t)) +
		   rml_training_set_bytes(&rows->raw, rows->raw.matrix->n);
}
