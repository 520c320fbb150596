/*
 * cluster_stability_separation.c
 *	  How far clusters are from their neighbours, looking along the line between them only.
 *
 * A row's place on the line between prototypes a and b is the difference of its squared distances
 * to them; without categories that is its projection.  Of the variance of the places of two
 * clusters' rows, a share lies within the clusters: 1/4 for an even spread cut in the middle, 0.36
 * for a normal one, and less for two clusters with a valley between them.  Parts p and 1 - p of an even spread
 * have p^3 + (1 - p)^3 of its variance within, and the share is taken relative to that.
 */
#include <math.h>

#include "retailml/cluster_stability.h"

#define LEAST_SHARE 1e-12 /* rows that sit on their prototypes */

typedef struct Side
{
	double n;
	double mean;
	double squares; /* sum of squared differences from the mean */
} Side;

static void
add_place(Side *side, double place)
{
	double difference = place - side->mean;

	side->n++;
	side->mean += difference / side->n;
	side->squares += difference * (place - side->mean);
}

static double
square_distance(const RmlKmeans *model, int64_t c, const double *x, const int32_t *codes)
{
	const double *centroid = model->centroids + c * model->d;
	const int32_t *modes = model->modes + c * model->d_cat;
	double square = 0;
	int differ = 0;

	for (int f = 0; f < model->d; f++)
		square += (x[f] - centroid[f]) * (x[f] - centroid[f]);
	for (int f = 0; f < model->d_cat; f++)
		differ += codes[f] != modes[f];
	return square + model->gamma * differ;
}

static int64_t
nearest_cluster(const RmlKmeans *model, int64_t a)
{
	int64_t nearest = -1;
	double least = INFINITY;

	for (int64_t b = 0; b < model->k; b++)
	{
		double square = square_distance(model, b, model->centroids + a * model->d,
										model->modes + a * model->d_cat);

		if (b != a && square < least)
		{
			least = square;
			nearest = b;
		}
	}
	return nearest;
}

/* log of the share of variance within clusters a and b over that of an even spread, on their line */
static double
log_share(const RmlKmeansRows *rows, const RmlKmeans *model, const int32_t *labels, int64_t a,
		  int64_t b)
{
	Side sides[2] = {{0}};
	double within, between, p;

	for (int64_t i = 0; i < rows->n; i++)
	{
		const double *x = rows->x + i * model->d;
		const int32_t *codes = rows->codes + i * model->d_cat;

		if (labels[i] == a || labels[i] == b)
			add_place(&sides[labels[i] == b],
					  square_distance(model, a, x, codes) - square_distance(model, b, x, codes));
	}
	within = sides[0].squares + sides[1].squares;
	between =
		sides[0].n * sides[1].n / (sides[0].n + sides[1].n) * pow(sides[0].mean - sides[1].mean, 2);
	/* prototypes that are equal to the distance, or without rows: nothing is apart */
	if (!(within + between > 0))
		return 0;
	p = sides[0].n / (sides[0].n + sides[1].n);
	return log(fmax(within / (within + between), LEAST_SHARE) / (1 - 3 * p * (1 - p)));
}

double
rml_cluster_separation(RmlEnv *env, const RmlKmeansRows *rows, const RmlKmeans *model,
					   const int32_t *labels)
{
	double sum = 0;

	for (int64_t c = 0; c < model->k; c++)
	{
		int64_t neighbour = nearest_cluster(model, c);

		if (neighbour >= 0)
			sum += (double) model->sizes[c] * log_share(rows, model, labels, c, neighbour);
		rml_poll(env);
	}
	return sum / (double) rows->n;
}
