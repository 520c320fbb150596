/*
 * contingency_sql.c
 *	  The aggregate state of label pairs; adjusted_rand_index, normalized_mutual_information.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#include "retailml/agg_call_sql.h"
#include "retailml/contingency_sql.h"
#include "retailml/env_sql.h"
#include "retailml/frame.h"

#define PURPOSE "comparing labels"

PG_FUNCTION_INFO_V1(rml_label_pairs_accum_int);
PG_FUNCTION_INFO_V1(rml_label_pairs_accum_text);
PG_FUNCTION_INFO_V1(rml_label_pairs_combine);
PG_FUNCTION_INFO_V1(rml_label_pairs_serialize);
PG_FUNCTION_INFO_V1(rml_label_pairs_deserialize);
PG_FUNCTION_INFO_V1(rml_adjusted_rand_index_final);
PG_FUNCTION_INFO_V1(rml_normalized_mutual_information_final);

typedef struct LabelState
{
	RmlEnv *env;
	RmlContingency pairs;
	RmlDictionary dictionary; /* of text labels, whose numbers are the codes */
	const char *serial;       /* of a state that was only deserialized: its bytes, unaligned */
} LabelState;

/* what goes between processes: this, the pairs, the lengths of the texts, their bytes */
typedef struct SerialHead
{
	int64 n_pairs;
	int64 n_texts;
	int64 text_bytes;
} SerialHead;

/* ---- collecting ---- */

/* the state in argument 0, made at the first row */
static LabelState *
state_argument(FunctionCallInfo fcinfo)
{
	MemoryContext context = rml_agg_context(fcinfo);
	RmlEnv *env;
	LabelState *state;

	if (!PG_ARGISNULL(0))
		return (LabelState *) PG_GETARG_POINTER(0);
	env = rml_pg_env_create(context, PURPOSE);
	state = RML_NEW_ZERO(env, LabelState, 1);
	state->env = env;
	return state;
}

Datum
rml_label_pairs_accum_int(PG_FUNCTION_ARGS)
{
	LabelState *state = state_argument(fcinfo);
	int64_t a = PG_ARGISNULL(1) ? RML_NO_LABEL : PG_GETARG_INT32(1);
	int64_t b = PG_ARGISNULL(2) ? RML_NO_LABEL : PG_GETARG_INT32(2);

	rml_contingency_add(&state->pairs, state->env, a, b, 1);
	PG_RETURN_POINTER(state);
}

static int64_t
text_label(FunctionCallInfo fcinfo, LabelState *state, int argument)
{
	text *label;

	if (PG_ARGISNULL(argument))
		return RML_NO_LABEL;
	label = PG_GETARG_TEXT_PP(argument);
	return rml_dictionary_code(&state->dictionary, state->env, VARDATA_ANY(label),
							   VARSIZE_ANY_EXHDR(label));
}

Datum
rml_label_pairs_accum_text(PG_FUNCTION_ARGS)
{
	LabelState *state = state_argument(fcinfo);
	int64_t a = text_label(fcinfo, state, 1);
	int64_t b = text_label(fcinfo, state, 2);

	rml_contingency_add(&state->pairs, state->env, a, b, 1);
	PG_RETURN_POINTER(state);
}

/* ---- between processes ---- */

static void
refuse_serial_size(size_t size)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
		 errmsg("the pairs of labels of one parallel worker take %zu MB, it can pass on 1024 MB",
				size >> 20),
		 errhint("Labels are few in a segmentation: were other columns meant? Otherwise SET "
				 "max_parallel_workers_per_gather = 0.")));
}

Datum
rml_label_pairs_serialize(PG_FUNCTION_ARGS)
{
	const LabelState *state = (LabelState *) PG_GETARG_POINTER(0);
	const RmlDictionary *dictionary = &state->dictionary;
	SerialHead head = {state->pairs.n_pairs, dictionary->n, 0};
	size_t pair_bytes = sizeof(RmlLabelPair) * (size_t) head.n_pairs;
	size_t length_bytes = sizeof(uint32_t) * (size_t) head.n_texts;
	RmlLabelPair *pairs = RML_NEW(state->env, RmlLabelPair, (size_t) head.n_pairs);
	size_t size;
	bytea *result;
	char *place;

	rml_agg_context(fcinfo);
	for (int32_t i = 0; i < dictionary->n; i++)
		head.text_bytes += dictionary->lengths[i];
	size = VARHDRSZ + sizeof head + pair_bytes + length_bytes + (size_t) head.text_bytes;
	if (size > MaxAllocSize)
		refuse_serial_size(size);
	result = palloc(size);
	SET_VARSIZE(result, size);
	place = VARDATA(result);
	memcpy(place, &head, sizeof head);
	place += sizeof head;
	rml_contingency_pairs(&state->pairs, state->env, pairs);
	memcpy(place, pairs, pair_bytes);
	rml_release(state->env, pairs);
	place += pair_bytes;
	if (length_bytes > 0)
		memcpy(place, dictionary->lengths, length_bytes);
	place += length_bytes;
	for (int32_t i = 0; i < dictionary->n; place += dictionary->lengths[i++])
		memcpy(place, dictionary->texts[i], dictionary->lengths[i]);
	PG_RETURN_BYTEA_P(result);
}

/* only remembers where the bytes are: the aggregate's context is not known before combine */
Datum
rml_label_pairs_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	LabelState *state = palloc0(sizeof(LabelState));

	state->serial = VARDATA_ANY(bytes);
	PG_RETURN_POINTER(state);
}

/* the state's codes [n + 1] of the n serialized texts, whose own codes are 1 .. n */
static int64_t *
read_texts(LabelState *state, const SerialHead *head, const char *place)
{
	int64_t *codes = RML_NEW(state->env, int64_t, (size_t) head->n_texts + 1);
	const char *text = place + sizeof(uint32_t) * (size_t) head->n_texts;

	for (int64 i = 0; i < head->n_texts; i++)
	{
		uint32_t length;

		memcpy(&length, place + sizeof length * (size_t) i, sizeof length);
		codes[i + 1] = rml_dictionary_code(&state->dictionary, state->env, text, length);
		text += length;
	}
	return codes;
}

static int64_t
merged_label(const int64_t *codes, int64_t label)
{
	return codes == NULL || label == RML_NO_LABEL ? label : codes[label];
}

static void
add_serialized(LabelState *state, const char *place)
{
	SerialHead head;
	int64_t *codes = NULL;

	memcpy(&head, place, sizeof head);
	place += sizeof head;
	if (head.n_texts > 0)
		codes = read_texts(state, &head, place + sizeof(RmlLabelPair) * (size_t) head.n_pairs);
	rml_contingency_reserve(&state->pairs, state->env, state->pairs.n_pairs + head.n_pairs);
	for (int64 i = 0; i < head.n_pairs; i++, place += sizeof(RmlLabelPair))
	{
		RmlLabelPair pair;

		memcpy(&pair, place, sizeof pair);
		rml_contingency_add(&state->pairs, state->env, merged_label(codes, pair.a),
							merged_label(codes, pair.b), pair.n);
		CHECK_FOR_INTERRUPTS();
	}
	rml_release(state->env, codes);
}

Datum
rml_label_pairs_combine(PG_FUNCTION_ARGS)
{
	LabelState *state;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	state = state_argument(fcinfo);
	if (!PG_ARGISNULL(1))
		add_serialized(state, ((LabelState *) PG_GETARG_POINTER(1))->serial);
	PG_RETURN_POINTER(state);
}

/* ---- the table ---- */

typedef struct SortedText
{
	char *text;
	int32_t code;
} SortedText;

/* PostgreSQL's qsort works in place, so it can be left for good */
static int
compare_texts(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return strcmp(((const SortedText *) a)->text, ((const SortedText *) b)->text);
}

/* the pairs with labels numbered in order of the texts, which go to comparison->texts */
static void
number_texts(RmlComparison *comparison, const LabelState *state, RmlContingency *numbered)
{
	RmlEnv *env = comparison->env;
	int32_t n = state->dictionary.n;
	SortedText *sorted = RML_NEW(env, SortedText, (size_t) n);
	int64_t *numbers = RML_NEW(env, int64_t, (size_t) n + 1);

	for (int32_t i = 0; i < n; i++)
		sorted[i] = (SortedText){state->dictionary.texts[i], i + 1};
	qsort(sorted, (size_t) n, sizeof(SortedText), compare_texts);
	comparison->texts = RML_NEW(env, char *, (size_t) n);
	for (int32_t i = 0; i < n; i++)
	{
		comparison->texts[i] = sorted[i].text;
		numbers[sorted[i].code] = i;
	}
	rml_contingency_init(numbered);
	rml_contingency_reserve(numbered, env, state->pairs.n_pairs);
	for (int64_t i = 0; i < state->pairs.capacity; i++)
	{
		const RmlLabelPair *pair = &state->pairs.slots[i];

		if (pair->n > 0)
			rml_contingency_add(numbered, env, merged_label(numbers, pair->a),
								merged_label(numbers, pair->b), pair->n);
		CHECK_FOR_INTERRUPTS();
	}
}

bool
rml_comparison_begin(FunctionCallInfo fcinfo, bool complete_only, RmlComparison *comparison)
{
	const LabelState *state = PG_ARGISNULL(0) ? NULL : (LabelState *) PG_GETARG_POINTER(0);
	RmlContingency numbered;

	rml_agg_context(fcinfo);
	if (state == NULL)
		return false;
	comparison->env = rml_pg_env_create(CurrentMemoryContext, PURPOSE);
	comparison->texts = NULL;
	if (state->dictionary.n > 0)
		number_texts(comparison, state, &numbered);
	rml_label_table(state->dictionary.n > 0 ? &numbered : &state->pairs, comparison->env,
					complete_only, &comparison->table);
	if (comparison->table.n == 0)
		rml_comparison_end(comparison);
	return comparison->table.n > 0;
}

void
rml_comparison_end(RmlComparison *comparison)
{
	rml_pg_env_delete(comparison->env);
}

Datum
rml_comparison_label(const RmlComparison *comparison, int64_t label, bool *null)
{
	*null = label == RML_NO_LABEL;
	if (*null)
		return (Datum) 0;
	if (comparison->texts == NULL)
		return Int32GetDatum((int32) label);
	return CStringGetTextDatum(comparison->texts[label]);
}

/* ---- results ---- */

Datum
rml_composite_array(FunctionCallInfo fcinfo, int64_t n, int columns, RmlElementFn fn,
					const void *context)
{
	Oid type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc descriptor = lookup_rowtype_tupdesc(type, -1);
	Datum *values = palloc(sizeof(Datum) * columns);
	bool *nulls = palloc(sizeof(bool) * columns);
	Datum *elements = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Datum) * (Size) n);

	if (descriptor->natts != columns)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("type %s is not the one this version made", format_type_be(type))));
	for (int64_t i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		memset(nulls, 0, sizeof(bool) * columns);
		fn(context, i, values, nulls);
		elements[i] = HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
	}
	ReleaseTupleDesc(descriptor);
	return PointerGetDatum(construct_array(elements, (int) n, type, -1, false, TYPALIGN_DOUBLE));
}

static Datum
agreement(FunctionCallInfo fcinfo, double (*measure)(const RmlLabelTable *, RmlEnv *))
{
	RmlComparison comparison;
	double result;

	if (!rml_comparison_begin(fcinfo, true, &comparison))
		PG_RETURN_NULL();
	result = measure(&comparison.table, comparison.env);
	rml_comparison_end(&comparison);
	PG_RETURN_FLOAT8(result);
}

Datum
rml_adjusted_rand_index_final(PG_FUNCTION_ARGS)
{
	return agreement(fcinfo, rml_adjusted_rand_index);
}

Datum
rml_normalized_mutual_information_final(PG_FUNCTION_ARGS)
{
	return agreement(fcinfo, rml_normalized_mutual_information);
}
