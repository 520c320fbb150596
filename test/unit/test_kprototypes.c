/*
 * k-prototypes: against kmodes, against k-means where there are no categories, and against its own
 * definition.
 */
#include "unit.h"

#include <math.h>

#include "retailml/contingency.h"
#include "retailml/kprototypes.h"
#include "retailml/rng.h"

/* rows as a fit sees them */
typedef struct Data
{
	RmlFrame frame;
	RmlSchema schema;
	RmlMatrix matrix;
} Data;

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void
begin_data(Data *data, RmlEnv *env, int d, int d_cat)
{
	char *names[64], *types[64];
	RmlKind kinds[64];

	for (int i = 0; i < d + d_cat; i++)
	{
		names[i] = rml_format(env, "x%d", i + 1);
		types[i] = i < d ? "double precision" : "text";
		kinds[i] = i < d ? RML_NUMERIC : RML_CATEGORICAL;
	}
	rml_frame_init(&data->frame, env, d + d_cat, names, types, kinds);
}

static void
set_code(Data *data, int32_t *codes, int f, const char *text)
{
	RmlColumn *column = &data->frame.columns[data->frame.d_num + f];

	codes[f] = text == NULL ? 0 : rml_frame_code(&data->frame, column, text, strlen(text));
}

static void
end_data(Data *data, RmlEnv *env, bool standardize)
{
	rml_frame_order(&data->frame, true, &data->matrix);
	if (rml_schema_learn(&data->schema, env, &data->frame, &data->matrix, RML_IMPUTE_MEAN,
						 standardize) != NULL)
		unit_ok(false, "the rows have no schema");
}

/* columns of a file: d numbers, then categories; an empty or blank cell is missing */
static void
read_data(Data *data, RmlEnv *env, const UnitCsv *csv, const char *const *columns, int d, int d_cat,
		  bool standardize)
{
	begin_data(data, env, d, d_cat);
	for (size_t row = 0; row < csv->rows; row++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&data->frame, &numbers, &codes);
		for (int j = 0; j < d; j++)
		{
			const char *text = unit_csv_text(csv, row, columns[j]);
			char *end;

			numbers[j] = strtod(text, &end);
			if (end == text)
				numbers[j] = NAN;
		}
		for (int f = 0; f < d_cat; f++)
			set_code(data, codes, f, unit_csv_text(csv, row, columns[d + f]));
	}
	end_data(data, env, standardize);
}

/* k kinds of rows that differ in d numbers and d_cat categories, the latter with some noise */
static void
planted(Data *data, RmlEnv *env, int n, int d, int d_cat, int k, uint64_t seed)
{
	begin_data(data, env, d, d_cat);
	for (int i = 0; i < n; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&data->frame, &numbers, &codes);
		for (int j = 0; j < d; j++)
			numbers[j] =
				rml_rng_normal(seed, (uint64_t) j, (uint64_t) i) + 4 * ((i % k) * (j + 1) % k);
		for (int f = 0; f < d_cat; f++)
		{
			bool noise = rml_rng_uniform(seed, 100 + (uint64_t) f, (uint64_t) i) < 0.2;
			uint64_t other = rml_rng_below(seed, 200 + (uint64_t) f, (uint64_t) i, 8);

			set_code(data, codes, f, letters[noise ? other : (uint64_t) ((i % k + f) % 8)]);
		}
	}
	end_data(data, env, true);
}

static RmlKprototypesParams
defaults(int k)
{
	RmlKprototypesParams params;
	RmlOptionSet set = {rml_kprototypes_options, rml_kprototypes_n_options, &params};

	rml_options_default(&set);
	params.k = k;
	return params;
}

typedef struct Fitted
{
	RmlKprototypes model;
	int32_t *labels;
	const char *reason;
} Fitted;

static Fitted
fit(RmlEnv *env, const Data *data, const RmlKprototypesParams *params)
{
	Fitted fitted = {.labels = RML_NEW(env, int32_t, (size_t) data->matrix.n)};

	fitted.reason = rml_kprototypes_fit(env, params, &data->schema, &data->matrix, -1,
										&fitted.model, fitted.labels);
	return fitted;
}

/* labels of the matrix against others by row of the file, or of the generator */
static double
agreement(RmlEnv *env, const Data *data, const int32_t *labels, const int32_t *truth)
{
	RmlContingency contingency;
	RmlLabelTable table;

	rml_contingency_init(&contingency);
	for (int64_t i = 0; i < data->matrix.n; i++)
		rml_contingency_add(&contingency, env, labels[i], truth[data->matrix.origin[i]], 1);
	rml_label_table(&contingency, env, true, &table);
	return rml_adjusted_rand_index(&table, env);
}

/* the cost by its definition */
static double
cost_by_definition(const Data *data, const RmlKmeans *prototypes, const int32_t *labels)
{
	const RmlMatrix *m = &data->matrix;
	double cost = 0;

	for (int64_t i = 0; i < m->n; i++)
	{
		const double *centroid = prototypes->centroids + labels[i] * m->d_num;
		const int32_t *modes = prototypes->modes + labels[i] * m->d_cat;

		for (int j = 0; j < m->d_num; j++)
			cost += pow(m->numbers[i * m->d_num + j] - centroid[j], 2);
		for (int f = 0; f < m->d_cat; f++)
			cost += m->codes[i * m->d_cat + f] != modes[f] ? prototypes->gamma : 0;
	}
	return cost;
}

static bool
labels_are_predictions(const Data *data, const Fitted *fitted)
{
	const RmlMatrix *m = &data->matrix;

	for (int64_t i = 0; i < m->n; i++)
		if (rml_kprototypes_predict(&fitted->model, m->numbers + i * m->d_num,
									m->codes + i * m->d_cat, NULL) != fitted->labels[i])
			return false;
	return true;
}

/* each mode is a most frequent category of its cluster, each count that of the rows */
static bool
modes_are_most_frequent(const Data *data, const Fitted *fitted)
{
	const RmlKprototypes *model = &fitted->model;
	const RmlMatrix *m = &data->matrix;
	int64_t *counts = calloc((size_t) (model->prototypes.k * model->n_codes), sizeof(int64_t));
	bool right = true;

	for (int64_t i = 0; i < m->n; i++)
		for (int f = 0; f < m->d_cat; f++)
			counts[fitted->labels[i] * model->n_codes + rml_category_place(&data->schema, f) +
				   m->codes[i * m->d_cat + f]]++;
	right = memcmp(counts, model->counts,
				   sizeof(int64_t) * (size_t) (model->prototypes.k * model->n_codes)) == 0;
	for (int64_t c = 0; c < model->prototypes.k; c++)
		for (int f = 0; f < m->d_cat; f++)
		{
			const int64_t *own = counts + c * model->n_codes + rml_category_place(&data->schema, f);
			int64_t end =
				f + 1 < m->d_cat ? rml_category_place(&data->schema, f + 1) : model->n_codes;
			int64_t codes = end - rml_category_place(&data->schema, f);

			for (int64_t code = 0; code < codes; code++)
				right = right && own[model->prototypes.modes[c * m->d_cat + f]] >= own[code];
		}
	free(counts);
	return right;
}

static void
check_fit(const Data *data, const Fitted *fitted, const char *name)
{
	const RmlKmeans *prototypes = &fitted->model.prototypes;

	unit_near(prototypes->inertia, cost_by_definition(data, prototypes, fitted->labels), 1e-12,
			  "%s: the cost is that of its definition", name);
	unit_ok(labels_are_predictions(data, fitted), "%s: labels are predictions", name);
	unit_ok(modes_are_most_frequent(data, fitted), "%s: modes and counts", name);
}

/* ---- kmodes ---- */

static int32_t *
golden_labels(const UnitCsv *golden, const char *name, double *cost)
{
	int32_t *labels = malloc(sizeof(int32_t) * golden->rows);

	for (size_t row = 0; row < golden->rows; row++)
		if (strcmp(unit_csv_text(golden, row, "data"), name) == 0)
		{
			labels[(size_t) unit_csv_number(golden, row, "row")] =
				(int32_t) unit_csv_number(golden, row, "label");
			*cost = unit_csv_number(golden, row, "cost");
		}
	return labels;
}

static void
check_labels(const char *file, const char *name, const char *const *columns, int d, int d_cat)
{
	UnitCsv *csv = unit_data(file, 6), *golden;
	RmlKprototypesParams params = defaults(4);
	RmlEnv *env;
	int32_t *labels;
	double cost = 0;
	Data data;
	Fitted fitted;

	if (csv == NULL)
		return;
	golden = unit_golden("kprototypes_labels.csv");
	env = unit_env(1);
	labels = golden_labels(golden, name, &cost);
	read_data(&data, env, csv, columns, d, d_cat, false);
	fitted = fit(env, &data, &params);
	check_fit(&data, &fitted, name);
	unit_near(fitted.model.prototypes.inertia, cost, 1e-12, "%s: the cost is that of kmodes", name);
	unit_near(agreement(env, &data, fitted.labels, labels), 1, 0, "%s: so are the clusters", name);
	params.n_init = 1;
	fitted = fit(env, &data, &params);
	unit_near(fitted.model.prototypes.inertia, cost, 1e-12, "%s: with one restart too", name);
	free(labels);
	unit_csv_free(csv);
	unit_csv_free(golden);
	unit_env_free(env);
}

static void
test_labels(void)
{
	static const char *const stocks[] = {"market_cap", "sector", "country"};
	const char *soybean[35];
	char names[35][16];

	for (int i = 0; i < 35; i++)
	{
		snprintf(names[i], sizeof names[i], "a%d", i + 1);
		soybean[i] = names[i];
	}
	check_labels("kmodes_stocks.csv", "stocks", stocks, 1, 2);
	check_labels("kmodes_soybean.csv", "soybean", soybean, 0, 35);
}

/* at most the best cost of 20 starts of kmodes, for k = 3 .. 6 */
static void
check_costs(const char *file, const char *name, const char *const *columns, int d, int d_cat)
{
	UnitCsv *csv = unit_data(file, 4), *golden = unit_golden("kprototypes_costs.csv");

	for (size_t row = 0; csv != NULL && row < golden->rows; row++)
	{
		RmlEnv *env = unit_env(2);
		RmlKprototypesParams params = defaults((int) unit_csv_number(golden, row, "k"));
		double best = unit_csv_number(golden, row, "best_cost");
		Data data;

		if (strcmp(unit_csv_text(golden, row, "data"), name) == 0)
		{
			Fitted fitted;

			read_data(&data, env, csv, columns, d, d_cat, true);
			fitted = fit(env, &data, &params);
			unit_ok(fitted.model.prototypes.inertia <= best * (1 + 1e-9),
					"%s, k = %d: cost %.6f, the best of kmodes is %.6f", name, (int) params.k,
					fitted.model.prototypes.inertia, best);
		}
		unit_env_free(env);
	}
	if (csv != NULL)
		unit_csv_free(csv);
	unit_csv_free(golden);
}

static void
test_costs(void)
{
	static const char *const marketing[] = {"Year_Birth",        "Income",
											"Kidhome",           "Teenhome",
											"Recency",           "MntWines",
											"MntFruits",         "MntMeatProducts",
											"MntFishProducts",   "MntSweetProducts",
											"MntGoldProds",      "NumDealsPurchases",
											"NumWebPurchases",   "NumCatalogPurchases",
											"NumStorePurchases", "NumWebVisitsMonth",
											"AcceptedCmp3",      "AcceptedCmp4",
											"AcceptedCmp5",      "AcceptedCmp1",
											"AcceptedCmp2",      "Complain",
											"Response",          "Education",
											"Marital_Status"};
	static const char *const telco[] = {
		"SeniorCitizen",   "tenure",       "MonthlyCharges",   "TotalCharges",  "gender",
		"Partner",         "Dependents",   "PhoneService",     "MultipleLines", "InternetService",
		"OnlineSecurity",  "OnlineBackup", "DeviceProtection", "TechSupport",   "StreamingTV",
		"StreamingMovies", "Contract",     "PaperlessBilling", "PaymentMethod"};

	check_costs("marketing_campaign.csv", "marketing", marketing, 23, 2);
	check_costs("telco_churn.csv", "telco", telco, 4, 15);
}

/* ---- planted clusters ---- */

static void
check_planted(int n, int d, int d_cat, int k, uint64_t seed, int init)
{
	RmlEnv *env = unit_env(2);
	RmlKprototypesParams params = defaults(k);
	int32_t *truth = malloc(sizeof(int32_t) * (size_t) n);
	Data data;
	Fitted fitted;

	for (int i = 0; i < n; i++)
		truth[i] = i % k;
	planted(&data, env, n, d, d_cat, k, seed);
	params.init = init;
	fitted = fit(env, &data, &params);
	unit_ok(agreement(env, &data, fitted.labels, truth) >= 0.95,
			"%d rows of %d + %d, k = %d, init %d", n, d, d_cat, k, init);
	check_fit(&data, &fitted, "planted");
	free(truth);
	unit_env_free(env);
}

static void
test_planted(void)
{
	for (int init = 0; init < 3; init++)
		for (uint64_t seed = 1; seed <= 3; seed++)
			check_planted(600, 2, 4, 5, seed, init);
	check_planted(500, 0, 6, 4, 7, 0);
	check_planted(300, 33, 3, 4, 8, 0);
	/* enough for first prototypes from a sample, and for several blocks */
	check_planted(90000, 2, 3, 6, 9, 0);
	check_planted(90000, 1, 5, 6, 9, 1);
}

/* ---- without categories: k-means ---- */

static void
test_kmeans(void)
{
	RmlEnv *env = unit_env(1);
	RmlKprototypesParams params = defaults(6);
	RmlKmeansParams kmeans_params = {.k = 6,
									 .init = RML_KMEANS_PLUSPLUS,
									 .n_init = 10,
									 .max_iter = 300,
									 .tol = 1e-4,
									 .seed = 42};
	int32_t *labels = malloc(sizeof(int32_t) * 2000);
	RmlKmeans kmeans;
	Data data;
	Fitted fitted;

	planted(&data, env, 2000, 3, 0, 4, 5);
	fitted = fit(env, &data, &params);
	rml_kmeans_fit(env, &kmeans_params, data.matrix.numbers, 2000, 3, &kmeans, labels);
	rml_kmeans_sort(env, &kmeans, labels, 2000, -1);
	unit_equal_bytes(fitted.model.prototypes.centroids, kmeans.centroids, sizeof(double) * 18,
					 "without categories the centroids are those of k-means");
	unit_equal_bytes(fitted.labels, labels, sizeof(int32_t) * 2000, "so are the labels");
	unit_near(fitted.model.prototypes.inertia, kmeans.inertia, 0, "and the cost");
	free(labels);
	unit_env_free(env);
}

/* ---- determinism ---- */

static RmlWriter
encoded(RmlEnv *env, const Data *data, const RmlKprototypesParams *params)
{
	Fitted fitted = fit(env, data, params);
	RmlWriter writer;

	rml_model_encode(&writer, env, &rml_kprototypes_algorithm, &data->schema, params,
					 &fitted.model);
	return writer;
}

static void
test_threads(void)
{
	RmlKprototypesParams params = defaults(5);
	RmlEnv *env[2] = {unit_env(1), unit_env(2)};
	RmlWriter bytes[2];

	for (int init = 0; init < 3; init++)
	{
		params.init = init;
		for (int i = 0; i < 2; i++)
		{
			Data data;

			planted(&data, env[i], 20000, 3, 4, 7, 11);
			bytes[i] = encoded(env[i], &data, &params);
		}
		unit_ok(bytes[0].length == bytes[1].length &&
					memcmp(bytes[0].bytes, bytes[1].bytes, bytes[0].length) == 0,
				"1 and 2 threads give the same bytes, init %d", init);
	}
	unit_env_free(env[0]);
	unit_env_free(env[1]);
}

/* ---- edges ---- */

/* 60 rows of (i % 3, letter i % 2) */
static void
six_rows(Data *data, RmlEnv *env)
{
	begin_data(data, env, 1, 1);
	for (int i = 0; i < 60; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&data->frame, &numbers, &codes);
		numbers[0] = i % 3;
		set_code(data, codes, 0, letters[i % 2]);
	}
	end_data(data, env, true);
}

static void
test_distinct(void)
{
	RmlEnv *env = unit_env(1);
	RmlKprototypesParams params = defaults(6);
	Data data;
	Fitted fitted;

	six_rows(&data, env);
	fitted = fit(env, &data, &params);
	unit_equal_string(fitted.reason, NULL, "as many clusters as distinct rows");
	unit_near(fitted.model.prototypes.inertia, 0, 0, "cost nothing");
	params.k = 7;
	unit_contains(fit(env, &data, &params).reason, "only 6 rows are distinct",
				  "one more is refused");
	params.k = 61;
	unit_contains(rml_kprototypes_check(env, &params, 60, &data.schema), "there are only 60 rows",
				  "more than rows");
	unit_env_free(env);
}

static void
test_gamma(void)
{
	RmlEnv *env = unit_env(1);
	RmlKprototypesParams params = defaults(2);
	Data data;
	Fitted fitted;

	six_rows(&data, env);
	unit_near(rml_kprototypes_gamma(RML_AUTO, &data.schema), 0.5, 1e-15, "auto is half of 1");
	params.gamma = 1e12;
	fitted = fit(env, &data, &params);
	unit_ok(fitted.model.prototypes.modes[0] != fitted.model.prototypes.modes[1],
			"a huge gamma separates the categories");
	check_fit(&data, &fitted, "huge gamma");
	params.gamma = 0;
	params.k = 3;
	fitted = fit(env, &data, &params);
	unit_near(fitted.model.prototypes.inertia, 0, 1e-20, "gamma 0 sees the numbers only");
	check_fit(&data, &fitted, "gamma 0");
	unit_env_free(env);
}

static void
test_missing(void)
{
	RmlEnv *env = unit_env(1);
	RmlKprototypesParams params = defaults(2);
	int32_t unseen = 3, missing = 0;
	double x = 0, far, near;
	Data data;
	Fitted fitted;

	begin_data(&data, env, 1, 1);
	for (int i = 0; i < 40; i++)
	{
		double *numbers;
		int32_t *codes;

		rml_frame_push(&data.frame, &numbers, &codes);
		numbers[0] = i % 2;
		set_code(&data, codes, 0, i % 2 == 0 ? NULL : letters[i / 2 % 2]);
	}
	end_data(&data, env, true);
	fitted = fit(env, &data, &params);
	check_fit(&data, &fitted, "missing categories");
	unit_ok(fitted.model.prototypes.modes[0] == 0 || fitted.model.prototypes.modes[1] == 0,
			"a missing category can be a mode");
	rml_kprototypes_predict(&fitted.model, &x, &unseen, &far);
	rml_kprototypes_predict(&fitted.model, &x, &missing, &near);
	unit_ok(far >= near && far * far >= fitted.model.prototypes.gamma * (1 - 1e-15),
			"an unseen one differs from all modes");
	unit_env_free(env);
}

/* three binary categories, all combinations in different numbers: most rows are equally near to two modes */
static void
test_ties(void)
{
	for (int k = 2; k <= 7; k++)
	{
		RmlEnv *env = unit_env(1);
		RmlKprototypesParams params = defaults(k);
		Data data;
		Fitted fitted;

		begin_data(&data, env, 0, 3);
		for (int i = 0; i < 360; i++)
		{
			double *numbers;
			int32_t *codes;
			int kind = (int) sqrt(i / 6.0);

			rml_frame_push(&data.frame, &numbers, &codes);
			for (int f = 0; f < 3; f++)
				set_code(&data, codes, f, letters[kind >> f & 1]);
		}
		end_data(&data, env, true);
		fitted = fit(env, &data, &params);
		check_fit(&data, &fitted, rml_format(env, "ties, k = %d", k));
		unit_env_free(env);
	}
}

static void
test_limits(void)
{
	RmlEnv *env = unit_env(2);
	RmlKprototypesParams params = defaults(6);
	Data data;
	size_t before, needed;

	planted(&data, env, 90000, 3, 3, 6, 4);
	before = unit_env_in_use(env);
	needed = rml_kprototypes_bytes(&params, 90000, 3, 3, rml_category_places(&data.schema), 2);
	fit(env, &data, &params);
	unit_ok(unit_env_peak(env) <= before + needed + sizeof(int32_t) * 90000,
			"memory is as announced: %zu of %zu", unit_env_peak(env) - before, needed);
	for (int64_t at = 1; at <= 12; at += 4)
	{
		unit_env_cancel_after(env, at);
		unit_ok(UNIT_ESCAPES(env, fit(env, &data, &params)), "cancelled at poll %lld",
				(long long) at);
		unit_env_cancel_after(env, 0);
	}
	unit_env_free(env);
}

/* ---- bytes ---- */

static void
test_bytes(void)
{
	RmlEnv *env = unit_env(1);
	RmlKprototypesParams params = defaults(3);
	Data data;
	RmlWriter bytes, again;
	RmlModel model = {0};
	int accepted = 0;

	planted(&data, env, 200, 2, 2, 3, 1);
	bytes = encoded(env, &data, &params);
	unit_equal_string(rml_model_decode(&model, env, bytes.bytes, bytes.length), NULL, "decoded");
	rml_model_encode(&again, env, model.algorithm, &model.schema, model.params, model.fitted);
	unit_ok(again.length == bytes.length && memcmp(again.bytes, bytes.bytes, bytes.length) == 0,
			"and written again");
	for (size_t place = 24; place + 8 <= bytes.length; place += 8)
	{
		uint8_t *damaged = rml_alloc(env, bytes.length);
		uint32_t crc;

		memcpy(damaged, bytes.bytes, bytes.length);
		memset(damaged + place, 0xEE, 8);
		crc = rml_model_crc(damaged, bytes.length);
		memcpy(damaged + 12, &crc, 4);
		accepted += rml_model_decode(&model, env, damaged, bytes.length) == NULL;
		rml_release(env, damaged);
	}
	unit_note("%d of %zu damaged models are still models", accepted, bytes.length / 8 - 3);
	unit_ok(accepted < (int) (bytes.length / 16), "most damage is found, none does harm");
	unit_env_free(env);
}

int
main(void)
{
	test_labels();
	test_costs();
	test_planted();
	test_kmeans();
	test_threads();
	test_distinct();
	test_gamma();
	test_missing();
	test_ties();
	test_limits();
	test_bytes();
	return unit_done();
}
