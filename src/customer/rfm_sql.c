/*
 * rfm_sql.c
 *	  rfm_fit, rfm_score as window function and as scalar, rfm_segments.
 *
 * There are only bins^3 different results, so each is formed once and handed out again.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "windowapi.h"

#include "retailml/agg_sql.h"
#include "retailml/env_sql.h"
#include "retailml/model_sql.h"
#include "retailml/options_sql.h"
#include "retailml/rfm.h"

PG_FUNCTION_INFO_V1(rml_rfm_sql_window);
PG_FUNCTION_INFO_V1(rml_rfm_sql_score);
PG_FUNCTION_INFO_V1(rml_rfm_sql_segments);

/* ---- fit ---- */

typedef struct FitParams
{
	RmlRfmParams params; /* first: these are the options of the model */
	RmlRfmMap map;
} FitParams;

static void
refuse_segments(const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"segments\" of rfm_fit must map names to patterns of codes"),
			 errdetail("%s.", detail),
			 errhint(
				 "For example {\"VIP\": \"555\", \"Wake up\": [\"2**\", \"1 4-5 *\"]}: a code with "
				 "stars, or a score, range or star each for recency, frequency and monetary.")));
}

static void
assign_pattern(FitParams *params, RmlEnv *env, const char *name, const JsonbValue *value)
{
	const char *pattern, *reason;

	if (value->type != jbvString)
		refuse_segments(psprintf("The patterns of \"%s\" are not texts", name));
	pattern = pnstrdup(value->val.string.val, value->val.string.len);
	reason = rml_rfm_map_assign(&params->map, env, name, pattern);
	if (reason != NULL)
		refuse_segments(psprintf("Segment \"%s\": %s", name, reason));
}

/* one pattern or an array of patterns */
static void
assign_patterns(FitParams *params, RmlEnv *env, const char *name, JsonbValue *value)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue element;

	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
	{
		assign_pattern(params, env, name, value);
		return;
	}
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &element, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			assign_pattern(params, env, name, &element);
}

static void
assign_segments(FitParams *params, RmlEnv *env, Jsonb *options)
{
	JsonbValue *segments = rml_options_find(options, "segments");
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue key, value;

	if (segments == NULL)
		return;
	it = JsonbIteratorInit(segments->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &key, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&it, &value, true);
		assign_patterns(params, env, pnstrdup(key.val.string.val, key.val.string.len), &value);
	}
}

static void *
begin(RmlEnv *env, const Datum *parameters, Jsonb *options, const RmlOptionSet *row_options)
{
	FitParams *params = RML_NEW_ZERO(env, FitParams, 1);
	const RmlOptionSet sets[] = {*row_options, {rml_rfm_options, rml_rfm_n_options, params}};

	rml_options_parse(env, "rfm_fit", options, sets, 2);
	rml_refuse("rfm_fit", rml_rfm_check(&params->params));
	rml_rfm_map_init(&params->map, env, (int) params->params.bins);
	assign_segments(params, env, options);
	rml_rfm_map_finish(&params->map, env);
	return params;
}

static size_t
fit_bytes(const void *params, int64_t n, int d_num, int d_cat, int threads)
{
	return rml_rfm_fit_bytes(n);
}

static Datum
fit_model(RmlFit *fit)
{
	const FitParams *params = fit->params;
	RmlRfm rfm;

	rml_rfm_fit(&rfm, fit->env, &params->map, fit->matrix.numbers, fit->matrix.n);
	return rml_fit_model(fit, &rml_rfm_algorithm, &rfm);
}

static const RmlFitSpec fit_spec = {
	.function = "rfm_fit",
	.n_values = RML_RFM_DIMENSIONS,
	.value_names = rml_rfm_value_names,
	.begin = begin,
	.bytes = fit_bytes,
	.fit = fit_model,
};

RML_FIT_FUNCTIONS(rfm_fit, fit_spec);

/* ---- results ---- */

/* r, f, m, code, segment */
#define SCORE_COLUMNS 5

/* a name out of model bytes, which may have been made elsewhere */
static Datum
segment_text(const RmlRfmMap *map, int cell)
{
	const char *name = map->segments[map->segment[cell]];

	pg_verifymbstr(name, (int) strlen(name), false);
	return CStringGetTextDatum(name);
}

static void *
form_result(FunctionCallInfo fcinfo, MemoryContext context, const RmlRfmMap *map, int cell)
{
	int scores[RML_RFM_DIMENSIONS];
	Datum values[SCORE_COLUMNS];
	bool nulls[SCORE_COLUMNS] = {false};
	TupleDesc tupdesc;
	MemoryContext caller;
	HeapTuple result;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE ||
		tupdesc->natts != SCORE_COLUMNS)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("rfm_score: type rfm_scores is not the one this version made")));
	rml_rfm_cell_scores(map->bins, cell, scores);
	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
		values[i] = Int32GetDatum(scores[i]);
	values[3] = Int32GetDatum(rml_rfm_cell_code(map->bins, cell));
	values[4] = segment_text(map, cell);
	caller = MemoryContextSwitchTo(context);
	result = heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls);
	MemoryContextSwitchTo(caller);
	return DatumGetPointer(HeapTupleGetDatum(result));
}

/* the result for a cell; context lives as long as results does */
static Datum
cell_result(FunctionCallInfo fcinfo, MemoryContext context, const RmlRfmMap *map, void **results,
			int cell)
{
	if (results[cell] == NULL)
		results[cell] = form_result(fcinfo, context, map, cell);
	return PointerGetDatum(results[cell]);
}

/* NaN is missing, like NULL; infinity is refused */
static bool
is_missing(int dimension, double value)
{
	if (isinf(value))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("rfm_score: %s is infinite", rml_rfm_value_names[dimension])));
	return isnan(value);
}

/* ---- window function ---- */

/* one per query */
typedef struct WindowCache
{
	RmlRfmMap map;
	void **results; /* [n_cells] */
} WindowCache;

typedef struct Partition
{
	int16 *cells; /* [rows] cell + 1, 0 = NULL; NULL before the fit */
} Partition;

static WindowCache *
window_cache(FunctionCallInfo fcinfo)
{
	WindowCache *cache = fcinfo->flinfo->fn_extra;
	RmlEnv *env;

	if (cache != NULL)
		return cache;
	env = rml_pg_env_create(fcinfo->flinfo->fn_mcxt, "rfm_score");
	cache = RML_NEW_ZERO(env, WindowCache, 1);
	rml_rfm_map_init(&cache->map, env, RML_RFM_DEFAULT_BINS);
	cache->results = RML_NEW_ZERO(env, void *, (size_t) cache->map.n_cells);
	fcinfo->flinfo->fn_extra = cache;
	return cache;
}

/* the arguments of one row of the partition; false when one is missing */
static bool
read_row(WindowObject window, int64 row, double *numbers)
{
	bool complete = true;

	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
	{
		bool null, outside;
		Datum value = WinGetFuncArgInPartition(window, i, (int) row, WINDOW_SEEK_HEAD, false, &null,
											   &outside);

		numbers[i] = null ? NAN : DatumGetFloat8(value);
		if (is_missing(i, numbers[i]))
			complete = false;
	}
	return complete;
}

/*
 * The complete rows' numbers [n x 3]; returns n, and sets cells to 1 for these rows and 0 for the
 * others.  Arguments are evaluated in a context of their own, emptied after every row: the
 * executor would only empty its own after the whole partition.
 */
static int64
read_partition(WindowObject window, int64 rows, double *numbers, int16 *cells)
{
	MemoryContext row_context =
		AllocSetContextCreate(CurrentMemoryContext, "retailml row", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row_context);
	int64 n = 0;

	for (int64 row = 0; row < rows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		cells[row] = read_row(window, row, numbers + n * RML_RFM_DIMENSIONS);
		n += cells[row];
		MemoryContextReset(row_context);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row_context);
	return n;
}

static void
find_cells(const RmlRfm *rfm, const double *numbers, int64 rows, int16 *cells)
{
	for (int64 row = 0; row < rows; row++)
	{
		if (cells[row] == 0)
			continue;
		cells[row] = (int16) (rml_rfm_cell(rfm, numbers) + 1);
		numbers += RML_RFM_DIMENSIONS;
		if (row % 65536 == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

static void
score_partition(WindowObject window, const RmlRfmMap *map, Partition *partition)
{
	RmlEnv *env = rml_pg_env_create(GetMemoryChunkContext(partition), "rfm_score");
	int64 rows = WinGetPartitionRowCount(window);
	int16 *cells = RML_NEW(env, int16, (size_t) rows);
	size_t numbers_bytes = (size_t) rows * RML_RFM_DIMENSIONS * sizeof(double);
	double *numbers;
	int64 n;
	RmlRfm rfm;

	rml_pg_env_check_room(env, numbers_bytes + rml_rfm_fit_bytes(rows));
	numbers = rml_alloc(env, numbers_bytes);
	n = read_partition(window, rows, numbers, cells);
	if (n > 0)
	{
		rml_rfm_fit(&rfm, env, map, numbers, n);
		find_cells(&rfm, numbers, rows, cells);
	}
	rml_release(env, numbers);
	partition->cells = cells;
}

Datum
rml_rfm_sql_window(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	WindowCache *cache = window_cache(fcinfo);
	Partition *partition = WinGetPartitionLocalMemory(window, sizeof(Partition));
	int16 cell;

	if (partition->cells == NULL)
		score_partition(window, &cache->map, partition);
	cell = partition->cells[WinGetCurrentPosition(window)];
	if (cell == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(
		cell_result(fcinfo, fcinfo->flinfo->fn_mcxt, &cache->map, cache->results, cell - 1));
}

/* ---- scoring with a model ---- */

Datum
rml_rfm_sql_score(PG_FUNCTION_ARGS)
{
	RmlScorer *scorer = rml_scorer_model(fcinfo, RML_ALGORITHM_RFM);
	const RmlRfm *rfm = scorer->model.fitted;
	double numbers[RML_RFM_DIMENSIONS];
	bool missing = false;

	for (int i = 0; i < RML_RFM_DIMENSIONS; i++)
	{
		numbers[i] = PG_GETARG_FLOAT8(1 + i);
		if (is_missing(i, numbers[i]))
			missing = true;
	}
	if (missing)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(
		cell_result(fcinfo, scorer->context, &rfm->map, rfm->results, rml_rfm_cell(rfm, numbers)));
}

/* ---- segments as a table ---- */

/* code, segment, description, lever */
#define SEGMENT_COLUMNS 4

static void
put_segment(ReturnSetInfo *result, const RmlRfmMap *map, int cell)
{
	const RmlRfmSegment *segment = rml_rfm_segment(map->segments[map->segment[cell]]);
	Datum values[SEGMENT_COLUMNS] = {0};
	bool nulls[SEGMENT_COLUMNS] = {false};

	values[0] = Int32GetDatum(rml_rfm_cell_code(map->bins, cell));
	values[1] = segment_text(map, cell);
	nulls[2] = nulls[3] = segment == NULL;
	if (segment != NULL)
	{
		values[2] = CStringGetTextDatum(segment->description);
		values[3] = CStringGetTextDatum(segment->lever);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* of the built-in map, or of a model's */
Datum
rml_rfm_sql_segments(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RmlRfmMap map;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_NARGS() > 0)
		map = ((const RmlRfm *) rml_model_argument(fcinfo, 0, RML_ALGORITHM_RFM)->fitted)->map;
	else
		rml_rfm_map_init(&map, rml_pg_env_create(CurrentMemoryContext, "rfm_segments"),
						 RML_RFM_DEFAULT_BINS);
	for (int cell = 0; cell < map.n_cells; cell++)
	{
		CHECK_FOR_INTERRUPTS();
		put_segment(result, &map, cell);
	}
	return (Datum) 0;
}
