/*
 * options.c
 *	  Defaults, bytes and description of options, all driven by the table.
 */
#include "retailml/options.h"

#include <string.h>

#define TAG_INT RML_TAG('O', 'I', 'N', 'T')
#define TAG_FLOAT RML_TAG('O', 'F', 'L', 'T')
#define TAG_COUNT RML_TAG('O', 'C', 'N', 'T')
#define TAG_TEXT RML_TAG('O', 'T', 'X', 'T')

/* the most names a damaged model may claim to have; tables have at most this many columns */
#define MAX_NAMES 1600

static void *
field(const RmlOptionSet *set, const RmlOption *option)
{
	return (char *) set->params + option->offset;
}

static int64_t
n_choices(const RmlOption *option)
{
	int64_t n = 0;

	while (option->choices[n] != NULL)
		n++;
	return n;
}

void
rml_options_default(const RmlOptionSet *set)
{
	for (int i = 0; i < set->n_options; i++)
	{
		const RmlOption *option = &set->options[i];

		switch (option->type)
		{
			case RML_OPTION_INT:
			case RML_OPTION_BOOL:
			case RML_OPTION_CHOICE:
				*(int64_t *) field(set, option) = (int64_t) option->standard;
				break;
			case RML_OPTION_FLOAT:
			case RML_OPTION_AUTO:
				*(double *) field(set, option) = option->standard;
				break;
			case RML_OPTION_TEXT:
				*(char **) field(set, option) = NULL;
				break;
			case RML_OPTION_NAMES:
			case RML_OPTION_IDS:
				memset(field(set, option), 0, sizeof(RmlNames));
				break;
			case RML_OPTION_WEIGHTS:
				memset(field(set, option), 0, sizeof(RmlWeights));
				break;
			case RML_OPTION_OBJECT:
				break;
		}
	}
}

static void
encode_weights(const RmlWeights *weights, RmlWriter *writer)
{
	rml_put_int(writer, TAG_INT, weights->choice);
	rml_put_int(writer, TAG_COUNT, weights->n);
	rml_put_strings(writer, TAG_TEXT, weights->names, (size_t) weights->n);
	rml_put_float64(writer, TAG_FLOAT, weights->numbers, (size_t) weights->n);
}

void
rml_options_encode(const RmlOptionSet *set, RmlWriter *writer)
{
	for (int i = 0; i < set->n_options; i++)
	{
		const RmlOption *option = &set->options[i];
		const void *value = field(set, option);

		switch (option->type)
		{
			case RML_OPTION_INT:
			case RML_OPTION_BOOL:
			case RML_OPTION_CHOICE:
				rml_put_int(writer, TAG_INT, *(const int64_t *) value);
				break;
			case RML_OPTION_FLOAT:
			case RML_OPTION_AUTO:
				rml_put_double(writer, TAG_FLOAT, *(const double *) value);
				break;
			case RML_OPTION_TEXT:
				rml_put_int(writer, TAG_COUNT, *(char *const *) value != NULL);
				rml_put_strings(writer, TAG_TEXT, value, *(char *const *) value != NULL);
				break;
			case RML_OPTION_NAMES:
			case RML_OPTION_IDS:
				rml_put_int(writer, TAG_COUNT, ((const RmlNames *) value)->n);
				rml_put_strings(writer, TAG_TEXT, ((const RmlNames *) value)->names,
								(size_t) ((const RmlNames *) value)->n);
				break;
			case RML_OPTION_WEIGHTS:
				encode_weights(value, writer);
				break;
			case RML_OPTION_OBJECT:
				break;
		}
	}
}

static void
decode_float(const RmlOption *option, RmlReader *reader, double *value)
{
	*value = rml_get_double(reader, TAG_FLOAT);
	if (option->type == RML_OPTION_AUTO && *value == RML_AUTO)
		return;
	if (!(*value >= option->low && *value <= option->high))
		rml_reader_fail(reader, "an option in the model is out of range");
}

static void
decode_text(RmlReader *reader, char **value)
{
	int64_t n = rml_get_int(reader, TAG_COUNT, 0, 1);
	char **texts = rml_get_strings(reader, TAG_TEXT, (size_t) n);

	*value = texts != NULL && n == 1 ? texts[0] : NULL;
}

static void
decode_names(RmlReader *reader, RmlNames *value)
{
	value->n = rml_get_int(reader, TAG_COUNT, 0, MAX_NAMES);
	value->names = rml_get_strings(reader, TAG_TEXT, (size_t) value->n);
	if (value->names == NULL)
		value->n = 0;
}

static void
decode_weights(const RmlOption *option, RmlReader *reader, RmlWeights *value)
{
	value->choice = rml_get_int(reader, TAG_INT, 0, n_choices(option));
	value->n = rml_get_int(reader, TAG_COUNT, 0, MAX_NAMES);
	value->names = rml_get_strings(reader, TAG_TEXT, (size_t) value->n);
	value->numbers = rml_get_finite(reader, TAG_FLOAT, (size_t) value->n);
	if (reader->error != NULL)
		value->n = 0;
}

void
rml_options_decode(const RmlOptionSet *set, RmlReader *reader)
{
	for (int i = 0; i < set->n_options; i++)
	{
		const RmlOption *option = &set->options[i];
		void *value = field(set, option);

		switch (option->type)
		{
			case RML_OPTION_INT:
				*(int64_t *) value =
					rml_get_int(reader, TAG_INT, (int64_t) option->low, (int64_t) option->high);
				break;
			case RML_OPTION_BOOL:
				*(int64_t *) value = rml_get_int(reader, TAG_INT, 0, 1);
				break;
			case RML_OPTION_CHOICE:
				*(int64_t *) value = rml_get_int(reader, TAG_INT, 0, n_choices(option) - 1);
				break;
			case RML_OPTION_FLOAT:
			case RML_OPTION_AUTO:
				decode_float(option, reader, value);
				break;
			case RML_OPTION_TEXT:
				decode_text(reader, value);
				break;
			case RML_OPTION_NAMES:
			case RML_OPTION_IDS:
				decode_names(reader, value);
				break;
			case RML_OPTION_WEIGHTS:
				decode_weights(option, reader, value);
				break;
			case RML_OPTION_OBJECT:
				break;
		}
	}
}

static void
describe_names(const RmlNames *names, const char *key, RmlInfo *info)
{
	info->begin_array(info, key);
	for (int64_t i = 0; i < names->n; i++)
		info->text(info, NULL, names->names[i]);
	info->end_array(info);
}

static void
describe_weights(const RmlOption *option, const RmlWeights *weights, RmlInfo *info)
{
	if (weights->choice < n_choices(option))
	{
		info->text(info, option->name, option->choices[weights->choice]);
		return;
	}
	info->begin_object(info, option->name);
	for (int64_t i = 0; i < weights->n; i++)
		info->number(info, weights->names[i], weights->numbers[i]);
	info->end_object(info);
}

void
rml_options_describe(const RmlOptionSet *set, RmlInfo *info)
{
	for (int i = 0; i < set->n_options; i++)
	{
		const RmlOption *option = &set->options[i];
		const void *value = field(set, option);

		switch (option->type)
		{
			case RML_OPTION_INT:
				info->integer(info, option->name, *(const int64_t *) value);
				break;
			case RML_OPTION_BOOL:
				info->boolean(info, option->name, *(const int64_t *) value != 0);
				break;
			case RML_OPTION_CHOICE:
				info->text(info, option->name, option->choices[*(const int64_t *) value]);
				break;
			case RML_OPTION_FLOAT:
				info->number(info, option->name, *(const double *) value);
				break;
			case RML_OPTION_AUTO:
				if (*(const double *) value == RML_AUTO)
					info->text(info, option->name, "auto");
				else
					info->number(info, option->name, *(const double *) value);
				break;
			case RML_OPTION_TEXT:
				if (*(char *const *) value == NULL)
					info->null(info, option->name);
				else
					info->text(info, option->name, *(char *const *) value);
				break;
			case RML_OPTION_NAMES:
			case RML_OPTION_IDS:
				describe_names(value, option->name, info);
				break;
			case RML_OPTION_WEIGHTS:
				describe_weights(option, value, info);
				break;
			case RML_OPTION_OBJECT:
				break;
		}
	}
}
