/*
 * kmeans_expression.c
 *	  The nearest centroid in SQL, for k-means and k-prototypes.
 *
 * Centroids are the lines of a VALUES list, in the order in which predict looks at them, so that it is the
 * same one that comes first where two are equally near.  Distances are the same sums in the same
 * order as in kmeans_predict.c.
 */
#include "retailml/kmeans.h"
#include "retailml/sql_expression.h"

/* a VALUES list may have */
#define MOST_COLUMNS 1600

static void
write_centroid(RmlExpression *expression, const RmlKmeans *kmeans, int64_t position)
{
	const int32_t cluster = kmeans->places[position];

	rml_write(expression, "(%d, %d", (int) position + 1, kmeans->ids.numbers[cluster]);
	for (int j = 0; j < kmeans->d; j++)
	{
		rml_write(expression, ", ");
		rml_write_number(expression, kmeans->centroids[(size_t) cluster * kmeans->d + j]);
	}
	for (int f = 0; f < kmeans->d_cat; f++)
	{
		int32_t mode = kmeans->modes[(size_t) cluster * kmeans->d_cat + f];

		rml_write(expression, ", ");
		if (mode == 0)
			rml_write(expression, "NULL");
		else
			rml_write_category(expression, expression->categories[f], mode);
		rml_write(expression, "::text");
	}
	rml_write(expression, ")");
}

static void
square_term(RmlExpression *expression, const void *context, int64_t j)
{
	const char *value = rml_value_text(expression, expression->numbers[j]);

	rml_write(expression, "(%s - c.n%d) * (%s - c.n%d)", value, (int) j + 1, value, (int) j + 1);
}

static void
mismatch_term(RmlExpression *expression, const void *context, int64_t f)
{
	rml_write(expression, "(%s IS DISTINCT FROM c.c%d)::int",
			  rml_value_text(expression, expression->categories[f]), (int) f + 1);
}

static void
write_distance(RmlExpression *expression, const RmlKmeans *kmeans)
{
	rml_write_sum(expression, kmeans->d, square_term, NULL);
	if (kmeans->d_cat == 0)
		return;
	rml_write(expression, " + ");
	rml_write_number(expression, kmeans->gamma);
	rml_write(expression, " * ");
	rml_write_sum(expression, kmeans->d_cat, mismatch_term, NULL);
}

void
rml_kmeans_expression(const void *fitted, const RmlSchema *schema, RmlExpression *expression)
{
	const RmlKmeans *kmeans = fitted;

	if (kmeans->d + kmeans->d_cat + 2 > MOST_COLUMNS)
		rml_expression_refuse(expression, "it has too many features");
	rml_write_row_begin(expression);
	rml_write(expression, "(SELECT c.cluster::float8 FROM (VALUES ");
	for (int64_t i = 0; i < kmeans->k && expression->error == NULL; i++)
	{
		rml_write(expression, "%s", i > 0 ? ", " : "");
		write_centroid(expression, kmeans, i);
	}
	rml_write(expression, ") AS c(place, cluster");
	for (int j = 0; j < kmeans->d; j++)
		rml_write(expression, ", n%d", j + 1);
	for (int f = 0; f < kmeans->d_cat; f++)
		rml_write(expression, ", c%d", f + 1);
	rml_write(expression, ") ORDER BY ");
	write_distance(expression, kmeans);
	rml_write(expression, ", c.place LIMIT 1)");
	rml_write_row_end(expression, NULL);
}
