/*
 * fit_categories_sql.c
 *	  Columns of a fit that have too many different values: keys, and texts that are no categories.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "retailml/fit_sql.h"
#include "retailml/supervised.h"

/* ---- too many ---- */

/* the label's */
static void
check_class_count(const RmlCollector *collector, const RmlColumn *label)
{
	if (label->dictionary.n > RML_MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the label \"%s\" has more than %d classes", label->name, RML_MAX_CLASSES),
				 errhint("Is it the column that is meant? A number is cast to float8.")));
}

/* a supervised fit leaves keys out, as long as the column may be one it is no reason to stop */
static bool
leaves_keys_out(const RmlCollector *collector)
{
	return collector->spec->supervised && !collector->spec->model_first;
}

/* numbers that came as texts, as they do from a file, want another remedy */
static void
refuse_categories(const RmlCollector *collector, const RmlColumn *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s: column \"%s\" has more than %lld categories", collector->spec->function,
					column->name, (long long) collector->row_params.max_categories),
			 rml_column_is_numbers(column, collector->env)
				 ? errhint("Its texts so far, but for blank ones, are all numbers: cast it, as in "
						   "nullif(trim(%s), '')::float8. Or leave it out with the option "
						   "{\"exclude\": [\"%s\"]}, or raise the option \"max_categories\".",
						   quote_identifier(column->name), column->name)
				 : errhint("Leave it out with the option {\"exclude\": [\"%s\"]}, or raise the "
						   "option \"max_categories\".",
						   column->name)));
}

void
rml_collect_check_categories(const RmlCollector *collector, bool final)
{
	bool patient = !final && leaves_keys_out(collector);

	for (int i = 0; i < collector->frame.n_columns; i++)
	{
		const RmlColumn *column = &collector->frame.columns[i];

		if (i == collector->n_features)
			check_class_count(collector, column);
		else if (i < collector->n_features && column->kind == RML_CATEGORICAL &&
				 column->dictionary.n > collector->row_params.max_categories &&
				 !(patient && rml_frame_may_be_key(&collector->frame, column)))
			refuse_categories(collector, column);
	}
}

/* ---- keys ---- */

static void
notice_left_out(const RmlCollector *collector, const RmlColumn *column)
{
	ereport(NOTICE,
			(errmsg("%s: column \"%s\" is a different text in every row and is left out",
					collector->spec->function, column->name),
			 rml_column_is_numbers(column, collector->env)
				 ? errhint("All its texts are numbers: if it is meant as one, cast it, as in "
						   "nullif(trim(%s), '')::float8.",
						   quote_identifier(column->name))
				 : errhint("The option {\"exclude\": [\"%s\"]} leaves it out without this notice.",
						   column->name)));
}

/* what says of one row holds for no other: nothing can be learnt from it */
void
rml_collect_leave_keys_out(RmlCollector *collector)
{
	RmlFrame *frame = &collector->frame;

	if (!leaves_keys_out(collector))
		return;
	for (int i = 0; i < collector->n_features;)
	{
		if (!rml_frame_is_key(frame, &frame->columns[i]))
		{
			i++;
			continue;
		}
		notice_left_out(collector, &frame->columns[i]);
		rml_frame_drop_texts(frame, i);
		collector->n_features--;
	}
	if (collector->n_features == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s has no columns left to use", collector->spec->function),
						errhint("All columns are texts that are different in every row.")));
}

void
rml_notice_keys(const RmlSchema *schema)
{
	for (int i = 0; i < schema->n_features; i++)
		if (schema->features[i].looks_like_key)
			ereport(NOTICE, (errmsg("column \"%s\" looks like a key: all its values are different",
									schema->features[i].name),
							 errhint("If it identifies rows, leave it out with the option "
									 "{\"exclude\": [\"%s\"]}.",
									 schema->features[i].name)));
}
