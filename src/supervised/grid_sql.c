/*
 * grid_sql.c
 *	  Grids of options: an object of arrays becomes the params of all its combinations.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "retailml/env_sql.h"
#include "retailml/options_sql.h"
#include "retailml/tuning_sql.h"

/* options of algorithms a grid may have at most */
#define MAX_AXES 32

/* what makes the label, which is the same for all cells */
static const char *const fixed_options[] = {"weight", "positive", "task", "leak", NULL};

typedef struct Axis
{
	char *name;
	JsonbValue key;
	int n;
	JsonbValue *values; /* [n] */
} Axis;

typedef struct Grid
{
	RmlEnv *env;
	const RmlGridScope *scope; /* NULL: of any supervised learners */
	const char *function;
	Jsonb *options;
	const RmlOptionSet *row_options;
	const RmlOptionSet *own;
	int n_learners;
	const RmlLearner **learners;
	int n_axes;
	Axis axes[MAX_AXES];
} Grid;

/* ---- names ---- */

static bool
has_option(const RmlOption *options, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(options[i].name, name) == 0)
			return true;
	return false;
}

static bool
learner_has(const RmlLearner *learner, const char *name)
{
	return has_option(learner->algorithm->options, learner->algorithm->n_options, name);
}

static bool
any_learner_has(const Grid *grid, const char *name)
{
	for (int i = 0; i < grid->n_learners; i++)
		if (learner_has(grid->learners[i], name))
			return true;
	return false;
}

/* is the option one of another algorithm than this, and of nothing else? */
static bool
is_foreign(const Grid *grid, const RmlLearner *learner, const char *name)
{
	return !learner_has(learner, name) && any_learner_has(grid, name) &&
		   !has_option(grid->own->options, grid->own->n_options, name) &&
		   !has_option(grid->row_options->options, grid->row_options->n_options, name);
}

static const RmlLearner *
learner_named(const Grid *grid, const JsonbValue *value)
{
	const RmlLearner *learner = NULL;
	StringInfoData names;

	if (value->type == jbvString)
		learner = rml_learner_by_name(pnstrdup(value->val.string.val, value->val.string.len));
	if (learner != NULL)
		return learner;
	initStringInfo(&names);
	for (int i = 0; rml_learner_names[i] != NULL; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "", rml_learner_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"algorithm\" of %s must be one of %s", grid->function, names.data)));
}

/* ---- reading the grid ---- */

static void
refuse_axis(const Grid *grid, const char *name)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("option \"grid\" of %s: \"%s\" must be an array of values to try",
						   grid->function, name),
					errhint("For example '{\"grid\": {\"%s\": [%s]}}'.",
							grid->scope == NULL ? "max_depth" : grid->scope->example,
							grid->scope == NULL ? "3, 5" : grid->scope->example_values)));
}

static void
read_axis(Grid *grid, const JsonbValue *key, const JsonbValue *values, Axis *axis)
{
	JsonbIterator *it;
	JsonbValue value;
	JsonbIteratorToken token;

	axis->key = *key;
	axis->name = pnstrdup(key->val.string.val, key->val.string.len);
	if (values->type != jbvBinary || !JsonContainerIsArray(values->val.binary.data) ||
		JsonContainerSize(values->val.binary.data) == 0)
		refuse_axis(grid, axis->name);
	axis->n = 0;
	axis->values = palloc(sizeof(JsonbValue) * JsonContainerSize(values->val.binary.data));
	it = JsonbIteratorInit(values->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			axis->values[axis->n++] = value;
}

static void
add_axis(Grid *grid, const Axis *axis)
{
	if (grid->n_axes == MAX_AXES)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("option \"grid\" of %s varies more than %d options", grid->function,
							   MAX_AXES)));
	grid->axes[grid->n_axes++] = *axis;
}

static void
set_learners(Grid *grid, const Axis *axis)
{
	grid->n_learners = axis->n;
	grid->learners = palloc(sizeof(RmlLearner *) * axis->n);
	for (int i = 0; i < axis->n; i++)
		grid->learners[i] = learner_named(grid, &axis->values[i]);
}

static void
read_grid(Grid *grid, const JsonbValue *object)
{
	JsonbIterator *it;
	JsonbValue key, values;

	if (object->type != jbvBinary || !JsonContainerIsObject(object->val.binary.data))
		return;
	it = JsonbIteratorInit(object->val.binary.data);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		Axis axis;

		JsonbIteratorNext(&it, &values, true);
		read_axis(grid, &key, &values, &axis);
		if (grid->scope == NULL && strcmp(axis.name, "algorithm") == 0)
			set_learners(grid, &axis);
		else
			add_axis(grid, &axis);
	}
}

static bool
is_fixed(const Grid *grid, const char *name)
{
	const char *const *fixed = grid->scope == NULL ? fixed_options : grid->scope->fixed;

	for (int i = 0; fixed[i] != NULL; i++)
		if (strcmp(name, fixed[i]) == 0)
			return true;
	return false;
}

static void
check_axis(const Grid *grid, const Axis *axis)
{
	if (is_fixed(grid, axis->name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"grid\" of %s cannot vary \"%s\"", grid->function, axis->name),
				 errdetail("All cells are judged by the same %s.",
						   grid->scope == NULL ? "label and rows" : grid->scope->judged_by)));
	if (!any_learner_has(grid, axis->name))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"grid\" of %s: %s has no option \"%s\"", grid->function,
							   grid->n_learners > 1 ? "no algorithm of it"
													: grid->learners[0]->algorithm->name,
							   axis->name),
						grid->scope == NULL
							? errhint("A grid varies the options of the algorithm's fit, and "
									  "\"algorithm\".")
							: errhint("A grid varies the options of %s.",
									  grid->learners[0]->algorithm->name)));
}

/* the learners where the grid itself names none */
static void
set_learner(Grid *grid)
{
	JsonbValue *algorithm = rml_options_find(grid->options, "algorithm");

	grid->n_learners = 1;
	grid->learners = palloc(sizeof(RmlLearner *));
	if (grid->scope != NULL)
		grid->learners[0] = grid->scope->learner;
	else if (algorithm != NULL)
		grid->learners[0] = learner_named(grid, algorithm);
	else
		grid->learners[0] =
			rml_learner_by_name(rml_learner_names[(int) grid->own->options[0].standard]);
}

/* algorithms and axes of the options */
static void
read_options(Grid *grid)
{
	JsonbValue *object = has_option(grid->own->options, grid->own->n_options, "grid")
							 ? rml_options_find(grid->options, "grid")
							 : NULL;

	if (object != NULL)
		read_grid(grid, object);
	if (grid->n_learners == 0)
		set_learner(grid);
	for (int i = 0; i < grid->n_axes; i++)
		check_axis(grid, &grid->axes[i]);
}

/* ---- cells ---- */

/* value of each axis in combination number c of the axes a learner has, the last the fastest; NULL where it has none */
static void
pick_values(const Grid *grid, const RmlLearner *learner, int64 c, JsonbValue **picked)
{
	for (int i = grid->n_axes - 1; i >= 0; i--)
	{
		const Axis *axis = &grid->axes[i];

		picked[i] = NULL;
		if (!learner_has(learner, axis->name))
			continue;
		picked[i] = &axis->values[c % axis->n];
		c /= axis->n;
	}
}

static int64
count_combinations(const Grid *grid, const RmlLearner *learner)
{
	int64 n = 1;

	for (int i = 0; i < grid->n_axes && n <= RML_MAX_CELLS; i++)
		if (learner_has(learner, grid->axes[i].name))
			n *= grid->axes[i].n;
	return n;
}

static void
push_picked(const Grid *grid, JsonbValue **picked, JsonbParseState **state)
{
	for (int i = 0; i < grid->n_axes; i++)
		if (picked[i] != NULL)
		{
			pushJsonbValue(state, WJB_KEY, (JsonbValue *) &grid->axes[i].key);
			pushJsonbValue(state, WJB_VALUE, picked[i]);
		}
}

/* the user's options that mean something to this learner */
static void
push_options(const Grid *grid, const RmlLearner *learner, JsonbParseState **state)
{
	JsonbIterator *it;
	JsonbValue key, value;

	if (grid->options == NULL)
		return;
	it = JsonbIteratorInit(&grid->options->root);
	JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		JsonbIteratorNext(&it, &value, true);
		if (is_foreign(grid, learner, pnstrdup(key.val.string.val, key.val.string.len)))
			continue;
		pushJsonbValue(state, WJB_KEY, &key);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
}

/* of two values of a key the later one counts */
static Jsonb *
cell_object(const Grid *grid, const RmlLearner *learner, JsonbValue **picked, bool with_options)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	if (with_options)
		push_options(grid, learner, &state);
	push_picked(grid, picked, &state);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
make_cell(const Grid *grid, const RmlLearner *learner, int64 combination, RmlGridCell *cell)
{
	const RmlAlgorithm *algorithm = learner->algorithm;
	JsonbValue *picked[MAX_AXES];
	void *params = rml_alloc_zero(grid->env, algorithm->params_size);
	const RmlOptionSet sets[] = {*grid->row_options,
								 *grid->own,
								 {algorithm->options, algorithm->n_options, params}};
	Jsonb *values;

	pick_values(grid, learner, combination, picked);
	rml_options_parse(grid->env, grid->function, cell_object(grid, learner, picked, true), sets,
					  lengthof(sets));
	values = cell_object(grid, learner, picked, false);
	*cell = (RmlGridCell){.learner = learner,
						  .params = params,
						  .values = rml_alloc(grid->env, VARSIZE(values))};
	memcpy(cell->values, values, VARSIZE(values));
}

static int64
count_cells(const Grid *grid)
{
	int64 n = 0;

	for (int i = 0; i < grid->n_learners; i++)
		n += count_combinations(grid, grid->learners[i]);
	if (n > RML_MAX_CELLS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("option \"grid\" of %s has more than %d cells", grid->function,
							   RML_MAX_CELLS),
						errhint("Vary fewer options, or try fewer values of each.")));
	return n;
}

RmlGridCell *
rml_grid_cells(RmlEnv *env, Jsonb *options, const RmlOptionSet *row_options,
			   const RmlOptionSet *own, const RmlGridScope *scope, int *n_cells)
{
	Grid grid = {.env = env,
				 .scope = scope,
				 .function = rml_pg_env_function(env),
				 .options = options,
				 .row_options = row_options,
				 .own = own};
	RmlGridCell *cells;

	/* anything but an object is refused by the parser */
	if (options != NULL && !JB_ROOT_IS_OBJECT(options))
		rml_options_parse(env, grid.function, options, own, 1);
	read_options(&grid);
	cells = RML_NEW_ZERO(env, RmlGridCell, (size_t) count_cells(&grid));
	*n_cells = 0;
	for (int i = 0; i < grid.n_learners; i++)
		for (int64 c = 0; c < count_combinations(&grid, grid.learners[i]); c++)
			make_cell(&grid, grid.learners[i], c, &cells[(*n_cells)++]);
	return cells;
}
