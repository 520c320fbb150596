/*
 * rfm.c
 *	  Cut points, scores and codes.  See rfm.h.
 */
#include "retailml/rfm.h"

#include <string.h>

#include "retailml/sort.h"

#define TAG_CUTS RML_TAG('C', 'U', 'T', 'S')
#define TAG_SIZES RML_TAG('S', 'I', 'Z', 'E')
#define TAG_COUNT RML_TAG('S', 'G', 'C', 'T')
#define TAG_NAMES RML_TAG('S', 'G', 'N', 'M')
#define TAG_SEGMENT RML_TAG('S', 'G', 'M', 'T')

#define POLL_EVERY (1 << 20)

const char *const rml_rfm_value_names[RML_RFM_DIMENSIONS] = {"recency", "frequency", "monetary"};

const RmlOption rml_rfm_options[] = {
	RML_INT_OPTION(RmlRfmParams, bins, RML_RFM_DEFAULT_BINS, RML_RFM_MIN_BINS, RML_RFM_MAX_BINS),
	{"segments", RML_OPTION_OBJECT, 0, 0, 0, 0, NULL},
};
const int rml_rfm_n_options = sizeof rml_rfm_options / sizeof rml_rfm_options[0];

const char *
rml_rfm_check(const RmlRfmParams *params)
{
	if (params->bins < RML_RFM_MIN_BINS || params->bins > RML_RFM_MAX_BINS)
		return "bins must be from 2 to 10";
	return NULL;
}

size_t
rml_rfm_fit_bytes(int64_t n)
{
	/* one column and what rml_sort_doubles takes */
	return (size_t) n * 3 * sizeof(double);
}

/*
 * The one place that knows recency runs the other way: on this scale more is better in every
 * dimension.  Adding zero makes -0 and 0 one value.
 */
static double
goodness(int dimension, double value)
{
	return (dimension == 0 ? -value : value) + 0.0;
}

/* goodness of dimension for all rows, sorted from worst to best */
static void
sort_dimension(RmlEnv *env, const double *numbers, int64_t n, int dimension, double *sorted)
{
	for (int64_t i = 0; i < n; i++)
	{
		sorted[i] = goodness(dimension, numbers[i * RML_RFM_DIMENSIONS + dimension]);
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
	rml_sort_doubles(env, sorted, n);
}

static void
find_cuts(RmlRfm *rfm, RmlEnv *env, const double *numbers, int64_t n)
{
	int bins = rfm->map.bins;
	double *sorted = RML_NEW(env, double, (size_t) n);

	for (int dimension = 0; dimension < RML_RFM_DIMENSIONS; dimension++)
	{
		sort_dimension(env, numbers, n, dimension, sorted);
		for (int s = 1; s < bins; s++)
		{
			/* ceil(s n / bins), without a product that could overflow */
			int64_t rank = n / bins * s + (n % bins * s + bins - 1) / bins;

			/* back to the value's own direction: the map is its own inverse */
			rfm->cuts[dimension * (bins - 1) + s - 1] = goodness(dimension, sorted[rank - 1]);
		}
	}
	rml_release(env, sorted);
}

static void
count_cells(RmlRfm *rfm, RmlEnv *env, const double *numbers, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
	{
		rfm->sizes[rml_rfm_cell(rfm, numbers + i * RML_RFM_DIMENSIONS)]++;
		if (i % POLL_EVERY == POLL_EVERY - 1)
			rml_poll(env);
	}
}

void
rml_rfm_fit(RmlRfm *rfm, RmlEnv *env, const RmlRfmMap *map, const double *numbers, int64_t n)
{
	rfm->map = *map;
	rfm->cuts = RML_NEW(env, double, (size_t) (RML_RFM_DIMENSIONS * (map->bins - 1)));
	rfm->sizes = RML_NEW_ZERO(env, int64_t, (size_t) map->n_cells);
	rfm->results = RML_NEW_ZERO(env, void *, (size_t) map->n_cells);
	find_cuts(rfm, env, numbers, n);
	count_cells(rfm, env, numbers, n);
}

void
rml_rfm_scores(const RmlRfm *rfm, const double *numbers, int *scores)
{
	int n_cuts = rfm->map.bins - 1;
	const double *cuts = rfm->cuts;

	for (int dimension = 0; dimension < RML_RFM_DIMENSIONS; dimension++, cuts += n_cuts)
	{
		double value = numbers[dimension];
		int score = 1;

		for (int s = 0; s < n_cuts; s++)
			score += dimension == 0 ? value < cuts[s] : value > cuts[s];
		scores[dimension] = score;
	}
}

int
rml_rfm_cell(const RmlRfm *rfm, const double *numbers)
{
	int scores[RML_RFM_DIMENSIONS];
	int bins = rfm->map.bins;

	rml_rfm_scores(rfm, numbers, scores);
	return ((scores[0] - 1) * bins + scores[1] - 1) * bins + scores[2] - 1;
}

void
rml_rfm_cell_scores(int bins, int cell, int *scores)
{
	for (int dimension = RML_RFM_DIMENSIONS - 1; dimension >= 0; dimension--, cell /= bins)
		scores[dimension] = cell % bins + 1;
}

int
rml_rfm_cell_code(int bins, int cell)
{
	int scores[RML_RFM_DIMENSIONS];
	int base = bins < 10 ? 10 : 100;

	rml_rfm_cell_scores(bins, cell, scores);
	return (scores[0] * base + scores[1]) * base + scores[2];
}

double
rml_rfm_predict(const void *rfm, const double *numbers, const int32_t *codes)
{
	const RmlRfm *fitted = rfm;

	(void) codes;
	return rml_rfm_cell_code(fitted->map.bins, rml_rfm_cell(fitted, numbers));
}

/* ---- bytes ---- */

void
rml_rfm_encode(const void *fitted, RmlWriter *writer)
{
	const RmlRfm *rfm = fitted;
	const RmlRfmMap *map = &rfm->map;
	size_t n_cells = (size_t) map->n_cells;

	rml_put_float64(writer, TAG_CUTS, rfm->cuts, (size_t) (RML_RFM_DIMENSIONS * (map->bins - 1)));
	rml_put_int64(writer, TAG_SIZES, rfm->sizes, n_cells);
	rml_put_int(writer, TAG_COUNT, map->n_segments);
	rml_put_strings(writer, TAG_NAMES, map->segments, (size_t) map->n_segments);
	rml_put_int32(writer, TAG_SEGMENT, map->segment, n_cells);
}

static void
check_cuts(const RmlRfm *rfm, RmlReader *reader)
{
	int n_cuts = rfm->map.bins - 1;

	for (int dimension = 0; dimension < RML_RFM_DIMENSIONS; dimension++)
		for (int s = 1; s < n_cuts; s++)
		{
			const double *cut = rfm->cuts + dimension * n_cuts + s;

			if (goodness(dimension, cut[0]) < goodness(dimension, cut[-1]))
				rml_reader_fail(reader, "the cut points of the rfm model are not sorted");
		}
}

static void
check_cells(const RmlRfm *rfm, RmlReader *reader)
{
	int64_t total = 0;

	for (int cell = 0; cell < rfm->map.n_cells; cell++)
	{
		if (rfm->sizes[cell] < 0)
			rml_reader_fail(reader, "a code of the rfm model has a negative size");
		else if (__builtin_add_overflow(total, rfm->sizes[cell], &total))
			rml_reader_fail(reader, "the codes of the rfm model have more rows than can be");
		if (rfm->map.segment[cell] < 0 || rfm->map.segment[cell] >= rfm->map.n_segments)
			rml_reader_fail(reader, "a code of the rfm model has no segment");
	}
}

void *
rml_rfm_decode(RmlReader *reader, const RmlSchema *schema, const void *params)
{
	RmlRfm *rfm = RML_NEW_ZERO(reader->env, RmlRfm, 1);
	RmlRfmMap *map = &rfm->map;
	const char *reason = rml_rfm_check(params);

	if (reason == NULL && (schema->d_num != RML_RFM_DIMENSIONS || schema->d_cat != 0))
		reason = "an rfm model has three numeric features";
	if (reason != NULL)
	{
		rml_reader_fail(reader, reason);
		return rfm;
	}
	map->bins = (int) ((const RmlRfmParams *) params)->bins;
	map->n_cells = map->bins * map->bins * map->bins;
	rfm->cuts = rml_get_finite(reader, TAG_CUTS, (size_t) (RML_RFM_DIMENSIONS * (map->bins - 1)));
	rfm->sizes = rml_get_int64(reader, TAG_SIZES, (size_t) map->n_cells);
	map->n_segments = (int) rml_get_int(reader, TAG_COUNT, 1, RML_RFM_MAX_SEGMENTS);
	map->segments = rml_get_strings(reader, TAG_NAMES, (size_t) map->n_segments);
	map->segment = rml_get_int32(reader, TAG_SEGMENT, (size_t) map->n_cells);
	if (reader->error != NULL)
		return rfm;
	check_cuts(rfm, reader);
	check_cells(rfm, reader);
	rfm->results = RML_NEW_ZERO(reader->env, void *, (size_t) map->n_cells);
	return rfm;
}

/* ---- model_info() ---- */

static void
describe(const void *fitted, const RmlSchema *schema, RmlInfo *info)
{
	const RmlRfm *rfm = fitted;
	const RmlRfmMap *map = &rfm->map;
	int n_cuts = map->bins - 1;

	(void) schema;
	info->begin_object(info, "cuts");
	for (int dimension = 0; dimension < RML_RFM_DIMENSIONS; dimension++)
	{
		info->begin_array(info, rml_rfm_value_names[dimension]);
		for (int s = 0; s < n_cuts; s++)
			info->number(info, NULL, rfm->cuts[dimension * n_cuts + s]);
		info->end_array(info);
	}
	info->end_object(info);
	info->begin_object(info, "segments");
	for (int segment = 0; segment < map->n_segments; segment++)
	{
		int64_t size = 0;

		for (int cell = 0; cell < map->n_cells; cell++)
			if (map->segment[cell] == segment)
				size += rfm->sizes[cell];
		info->integer(info, map->segments[segment], size);
	}
	info->end_object(info);
}

/* ---- predict_label(): the segments of the codes, which ascend with the cells ---- */

static void
label_codes(const void *fitted, RmlEnv *env, RmlLabels *labels)
{
	const RmlRfmMap *map = &((const RmlRfm *) fitted)->map;

	labels->n = map->n_cells;
	labels->labels = RML_NEW(env, RmlLabel, (size_t) map->n_cells);
	for (int cell = 0; cell < map->n_cells; cell++)
		labels->labels[cell] =
			(RmlLabel){rml_rfm_cell_code(map->bins, cell), map->segments[map->segment[cell]], NULL};
}

const RmlAlgorithm rml_rfm_algorithm = {
	.id = RML_ALGORITHM_RFM,
	.version = 1,
	.name = "rfm",
	.options = rml_rfm_options,
	.n_options = sizeof rml_rfm_options / sizeof rml_rfm_options[0],
	.params_size = sizeof(RmlRfmParams),
	.decode = rml_rfm_decode,
	.encode = rml_rfm_encode,
	.predict = rml_rfm_predict,
	.describe = describe,
	.labels = label_codes,
};
