/*
 * linear_pass.c
 *	  One pass over the rows of a linear fit: X'WX, X'g and whatever else, without X.
 *
 * A matrix over axes lies in three parts: dense x dense [width x width] of which the upper triangle
 * is used (by vectors of four, so that a little below the diagonal is, too), codes x dense
 * [places x width], and codes x codes [places x places] with the earlier category first.  What an
 * indicator has with itself is what it has with the intercept.
 */
#include "linear_internal.h"

#include <math.h>
#include <string.h>

#define TILE RML_LINEAR_TILE
#define LANES 4

/* multiplications of a block's rows, about a millisecond of them */
#define BLOCK_WORK 2000000

/* memory that partial sums of all segments may take together */
#define SEGMENT_BYTES ((size_t) 64 << 20)

typedef double Doubles __attribute__((vector_size(LANES * sizeof(double)), aligned(8)));

/* ---- rows ---- */

void
rml_linear_rows_extend(RmlLinearRows *rows, int n_extra, const double *extra)
{
	rows->n_extra = n_extra;
	rows->extra = extra;
	rows->n_dense = rows->design->d_num + 1 + n_extra;
	rows->width = (rows->n_dense + LANES - 1) / LANES * LANES;
	rows->axes = rows->width + rows->n_places;
}

void
rml_linear_rows(RmlLinearRows *rows, RmlEnv *env, const RmlTrainingSet *set,
				const RmlLinearDesign *design)
{
	const RmlSchema *schema = set->schema;

	*rows = (RmlLinearRows){.env = env, .set = set, .design = design};
	rows->n_places = design->place[design->d_cat];
	rows->centre = RML_NEW(env, double, (size_t) design->d_num);
	rows->scale = RML_NEW(env, double, (size_t) design->d_num);
	rows->inverse = RML_NEW(env, double, (size_t) design->d_num);
	for (int j = 0; j < design->d_num; j++)
	{
		const RmlFeature *feature = &schema->features[design->number_owner[j]];
		const RmlScaling *scaling = &schema->scaling[j];
		double sd = feature->sd / scaling->scale;

		rows->centre[j] = (feature->mean - scaling->centre) / scaling->scale;
		rows->scale[j] =
			sd > 0.0 && isfinite(sd) ? ldexp(1.0, sd < 1e-300 ? -1000 : ilogb(sd)) : 1.0;
		rows->inverse[j] = 1.0 / rows->scale[j];
	}
	rml_linear_rows_extend(rows, 0, NULL);
}

void
rml_linear_rows_release(RmlLinearRows *rows)
{
	rml_release(rows->env, rows->centre);
	rml_release(rows->env, rows->scale);
	rml_release(rows->env, rows->inverse);
}

int
rml_linear_axis(const RmlLinearRows *rows, int term)
{
	const RmlLinearDesign *design = rows->design;
	const RmlFeature *feature;

	if (design->feature[term] < 0)
		return design->d_num;
	feature = &rows->set->schema->features[design->feature[term]];
	if (design->code[term] < 0)
		return feature->slot;
	return rows->width + design->place[feature->slot] + design->code[term];
}

/* ---- matrices over axes ---- */

static size_t
dense_size(const RmlLinearRows *rows)
{
	return (size_t) rows->width * (size_t) rows->width;
}

size_t
rml_linear_matrix_size(const RmlLinearRows *rows)
{
	const size_t places = (size_t) rows->n_places;

	return dense_size(rows) + places * (size_t) rows->width + places * places;
}

/* where the pair a <= b of axes is kept */
static size_t
cross_index(const RmlLinearRows *rows, int a, int b)
{
	const size_t width = (size_t) rows->width, places = (size_t) rows->n_places;
	const size_t pa = (size_t) a - width, pb = (size_t) b - width;

	if (b < rows->width)
		return (size_t) a * width + (size_t) b;
	if (a < rows->width)
		return dense_size(rows) + pb * width + (size_t) a;
	if (a == b)
		return dense_size(rows) + pb * width + (size_t) rows->design->d_num;
	return dense_size(rows) + places * width + pa * places + pb;
}

double
rml_linear_cross(const RmlLinearRows *rows, const double *matrix, int a, int b)
{
	return matrix[a < b ? cross_index(rows, a, b) : cross_index(rows, b, a)];
}

void
rml_linear_form_set(const RmlLinearRows *rows, double *form, int a, int b, double value)
{
	form[a < b ? cross_index(rows, a, b) : cross_index(rows, b, a)] += a == b ? value : 2.0 * value;
}

/* ---- tiles ---- */

/* the residual axes of one row */
static void
extend_row(const RmlLinearRows *rows, double *dense, const int32_t *places)
{
	const int base = rows->design->d_num + 1;

	for (int e = 0; e < rows->n_extra; e++)
	{
		const double *mix = rows->extra + (size_t) e * (size_t) rows->axes;
		double value = 0.0;

		for (int a = 0; a < base; a++)
			value += mix[a] * dense[a];
		for (int f = 0; f < rows->design->d_cat; f++)
			value += mix[rows->width + places[f]];
		dense[base + e] = value;
	}
}

/* rows [first, first + count) as dense values and places; rows up to a multiple of 4 are zeros */
RML_LINEAR_CLONES static void
load_tile(const RmlLinearRows *rows, RmlLinearTile *tile)
{
	const RmlTrainingSet *set = rows->set;
	const RmlLinearDesign *design = rows->design;
	const int d_num = design->d_num, d_cat = design->d_cat;

	for (int i = 0; i < tile->count; i++)
	{
		const double *numbers = set->numbers + (tile->first + i) * d_num;
		const int32_t *codes = set->codes + (tile->first + i) * d_cat;
		double *dense = tile->dense + (size_t) i * (size_t) rows->width;
		int32_t *places = tile->places + (size_t) i * (size_t) d_cat;

		for (int j = 0; j < d_num; j++)
			dense[j] = (numbers[j] - rows->centre[j]) * rows->inverse[j];
		dense[d_num] = 1.0;
		for (int f = 0; f < d_cat; f++)
			places[f] = design->place[f] + codes[f];
		if (rows->n_extra > 0)
			extend_row(rows, dense, places);
		for (int j = rows->n_dense; j < rows->width; j++)
			dense[j] = 0.0;
	}
	for (int i = tile->count; i % LANES != 0; i++)
		memset(tile->dense + (size_t) i * (size_t) rows->width, 0,
			   sizeof(double) * (size_t) rows->width);
}

RML_LINEAR_CLONES void
rml_linear_tile_eta(const RmlLinearRows *rows, const RmlLinearTile *tile,
					const double *coefficients, double *eta)
{
	const int d_cat = rows->design->d_cat;

	for (int i = 0; i < tile->count; i++)
	{
		const double *dense = tile->dense + (size_t) i * (size_t) rows->width;
		const int32_t *places = tile->places + (size_t) i * (size_t) d_cat;
		Doubles sum = {0};

		for (int a = 0; a < rows->width; a += LANES)
			sum += *(const Doubles *) (coefficients + a) * *(const Doubles *) (dense + a);
		eta[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
		for (int f = 0; f < d_cat; f++)
			eta[i] += coefficients[rows->width + places[f]];
	}
}

/* one row's value of the form: dense part by columns, then what codes have with it and each other */
RML_LINEAR_CLONES void
rml_linear_tile_form(const RmlLinearRows *rows, const RmlLinearTile *tile, const double *form,
					 double *values)
{
	const int width = rows->width, d_cat = rows->design->d_cat;
	const double *codes = form + dense_size(rows);
	const double *pairs = codes + (size_t) rows->n_places * (size_t) width;

	for (int i = 0; i < tile->count; i++)
	{
		const double *dense = tile->dense + (size_t) i * (size_t) width;
		const int32_t *places = tile->places + (size_t) i * (size_t) d_cat;
		Doubles sum = {0};

		for (int a = 0; a < rows->n_dense; a++)
			for (int b = a / LANES * LANES; b < width; b += LANES)
				sum += dense[a] * *(const Doubles *) (form + (size_t) a * (size_t) width + b) *
					   *(const Doubles *) (dense + b);
		for (int f = 0; f < d_cat; f++)
			for (int b = 0; b < width; b += LANES)
				sum += *(const Doubles *) (codes + (size_t) places[f] * (size_t) width + b) *
					   *(const Doubles *) (dense + b);
		values[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
		for (int f = 0; f < d_cat; f++)
			for (int g = f + 1; g < d_cat; g++)
				values[i] +=
					pairs[(size_t) places[f] * (size_t) rows->n_places + (size_t) places[g]];
	}
}

/* matrix += sum of omega_i times the dense part's outer product, four rows at a time */
RML_LINEAR_CLONES static void
add_dense(const RmlLinearRows *rows, const RmlLinearTile *tile, const double *omega, double *matrix)
{
	const int width = rows->width;

	for (int i = 0; i < tile->count; i += LANES)
	{
		const double *x0 = tile->dense + (size_t) i * (size_t) width;
		const double *x1 = x0 + width, *x2 = x1 + width, *x3 = x2 + width;

		for (int a = 0; a < rows->n_dense; a++)
		{
			const double w0 = omega[i] * x0[a], w1 = omega[i + 1] * x1[a];
			const double w2 = omega[i + 2] * x2[a], w3 = omega[i + 3] * x3[a];
			double *out = matrix + (size_t) a * (size_t) width;

			for (int b = a / LANES * LANES; b < width; b += LANES)
				*(Doubles *) (out + b) +=
					(w0 * *(const Doubles *) (x0 + b) + w1 * *(const Doubles *) (x1 + b)) +
					(w2 * *(const Doubles *) (x2 + b) + w3 * *(const Doubles *) (x3 + b));
		}
	}
}

/* what the codes of each row have with the dense part, and with each other */
RML_LINEAR_CLONES static void
add_codes(const RmlLinearRows *rows, const RmlLinearTile *tile, const double *omega, double *matrix)
{
	const int width = rows->width, d_cat = rows->design->d_cat;
	double *codes = matrix + dense_size(rows);
	double *pairs = codes + (size_t) rows->n_places * (size_t) width;

	for (int i = 0; i < tile->count; i++)
	{
		const double *dense = tile->dense + (size_t) i * (size_t) width, w = omega[i];
		const int32_t *places = tile->places + (size_t) i * (size_t) d_cat;

		for (int f = 0; f < d_cat; f++)
		{
			double *out = codes + (size_t) places[f] * (size_t) width;
			double *pair = pairs + (size_t) places[f] * (size_t) rows->n_places;

			for (int b = 0; b < width; b += LANES)
				*(Doubles *) (out + b) += w * *(const Doubles *) (dense + b);
			for (int g = f + 1; g < d_cat; g++)
				pair[places[g]] += w;
		}
	}
}

RML_LINEAR_CLONES static void
add_vector(const RmlLinearRows *rows, const RmlLinearTile *tile, const double *gradient,
		   double *vector)
{
	const int width = rows->width, d_cat = rows->design->d_cat;

	for (int i = 0; i < tile->count; i++)
	{
		const double *dense = tile->dense + (size_t) i * (size_t) width, g = gradient[i];
		const int32_t *places = tile->places + (size_t) i * (size_t) d_cat;

		for (int b = 0; b < width; b += LANES)
			*(Doubles *) (vector + b) += g * *(const Doubles *) (dense + b);
		for (int f = 0; f < d_cat; f++)
			vector[width + places[f]] += g;
	}
}

/* ---- the pass ---- */

typedef struct Run
{
	const RmlLinearRows *rows;
	RmlLinearPass *pass;
	int64_t block_rows;   /* of a segment in one round */
	int64_t segment_rows; /* a multiple of it, but for the last segment */
	int segments;
	size_t matrix;
	size_t partial; /* doubles of a segment's sums, with the distance to the next */
	double *partials;
	RmlLinearTile *tiles; /* [threads] */
	int64_t round;
} Run;

static size_t
partial_size(const RmlLinearRows *rows, const RmlLinearPass *pass)
{
	size_t size = (size_t) pass->n_omega * rml_linear_matrix_size(rows) +
				  (size_t) pass->n_gradient * (size_t) rows->axes + (size_t) pass->n_sums +
				  (size_t) pass->n_maxima;

	return (size_t) rml_block_stride((int64_t) size);
}

/* how many segments there are at most; shape decides, never the number of threads */
static int
most_segments(size_t partial)
{
	size_t fit = SEGMENT_BYTES / (partial * sizeof(double));

	return fit >= RML_LINEAR_SEGMENTS ? RML_LINEAR_SEGMENTS : fit < 2 ? 2 : (int) fit;
}

static void
cut(Run *run)
{
	const RmlLinearRows *rows = run->rows;
	const int64_t touched = rows->n_dense + rows->design->d_cat;
	const int64_t work = touched * touched * (run->pass->n_omega + 1) / 2 + rows->n_extra * touched;
	const int64_t n = rows->set->n;
	int64_t blocks;

	run->block_rows = TILE * (1 + BLOCK_WORK / (1 + work) / TILE);
	blocks = rml_blocks(n, run->block_rows);
	run->segments = most_segments(run->partial);
	run->segment_rows = rml_blocks(blocks, run->segments) * run->block_rows;
	run->segments = (int) rml_blocks(n, run->segment_rows);
}

static void
add_tile(const Run *run, const RmlLinearTile *tile, double *partial)
{
	const RmlLinearRows *rows = run->rows;
	const RmlLinearPass *pass = run->pass;
	double *vectors = partial + (size_t) pass->n_omega * run->matrix;

	for (int o = 0; o < pass->n_omega; o++)
	{
		double *omega = tile->omega + o * TILE;

		for (int i = tile->count; i % LANES != 0; i++)
			omega[i] = 0.0;
		add_dense(rows, tile, omega, partial + (size_t) o * run->matrix);
		add_codes(rows, tile, omega, partial + (size_t) o * run->matrix);
	}
	for (int g = 0; g < pass->n_gradient; g++)
		add_vector(rows, tile, tile->gradient + g * TILE,
				   vectors + (size_t) g * (size_t) rows->axes);
}

/* the round's rows of one segment */
static void
add_block(void *context, int64_t segment, int thread)
{
	const Run *run = context;
	RmlLinearTile tile = run->tiles[thread];
	double *partial = run->partials + (size_t) segment * run->partial;
	const RmlLinearPass *pass = run->pass;
	int64_t limit = rml_block_end(segment, run->segment_rows, run->rows->set->n);
	int64_t begin = segment * run->segment_rows + run->round * run->block_rows;
	int64_t end = begin + run->block_rows < limit ? begin + run->block_rows : limit;

	tile.sums = partial + (size_t) pass->n_omega * run->matrix +
				(size_t) pass->n_gradient * (size_t) run->rows->axes;
	tile.maxima = tile.sums + pass->n_sums;
	for (int64_t first = begin; first < end; first += TILE)
	{
		tile.first = first;
		tile.count = end - first < TILE ? (int) (end - first) : TILE;
		load_tile(run->rows, &tile);
		pass->fn(pass->context, run->rows, &tile);
		add_tile(run, &tile, partial);
	}
}

static size_t
tile_doubles(const RmlLinearRows *rows, const RmlLinearPass *pass)
{
	return (size_t) TILE * (size_t) (rows->width + pass->n_omega + pass->n_gradient) +
		   (size_t) pass->n_scratch;
}

static void
allocate_tiles(Run *run, int threads)
{
	const RmlLinearRows *rows = run->rows;
	const RmlLinearPass *pass = run->pass;

	run->tiles = RML_NEW_ZERO(rows->env, RmlLinearTile, (size_t) threads);
	for (int i = 0; i < threads; i++)
	{
		RmlLinearTile *tile = &run->tiles[i];

		tile->dense = RML_NEW_ZERO(rows->env, double, tile_doubles(rows, pass));
		tile->omega = tile->dense + TILE * rows->width;
		tile->gradient = tile->omega + TILE * pass->n_omega;
		tile->scratch = tile->gradient + TILE * pass->n_gradient;
		tile->places = RML_NEW(rows->env, int32_t, (size_t) (TILE * rows->design->d_cat));
	}
}

static void
release_tiles(Run *run, int threads)
{
	for (int i = 0; i < threads; i++)
	{
		rml_release(run->rows->env, run->tiles[i].dense);
		rml_release(run->rows->env, run->tiles[i].places);
	}
	rml_release(run->rows->env, run->tiles);
}

/* add the segments to the first, in order */
static void
combine(const Run *run)
{
	const size_t n_maxima = (size_t) run->pass->n_maxima;
	const size_t sums = (size_t) run->pass->n_omega * run->matrix +
						(size_t) run->pass->n_gradient * (size_t) run->rows->axes +
						(size_t) run->pass->n_sums;

	for (int segment = 1; segment < run->segments; segment++)
	{
		const double *partial = run->partials + (size_t) segment * run->partial;

		for (size_t i = 0; i < sums; i++)
			run->partials[i] += partial[i];
		for (size_t i = sums; i < sums + n_maxima; i++)
			run->partials[i] = fmax(run->partials[i], partial[i]);
		rml_poll(run->rows->env);
	}
}

void
rml_linear_pass(const RmlLinearRows *rows, RmlLinearPass *pass)
{
	RmlEnv *env = rows->env;
	Run run = {.rows = rows, .pass = pass, .matrix = rml_linear_matrix_size(rows)};
	int64_t rounds;

	run.partial = partial_size(rows, pass);
	cut(&run);
	rounds = rml_blocks(run.segment_rows, run.block_rows);
	run.partials = RML_NEW_ZERO(env, double, (size_t) run.segments *run.partial);
	allocate_tiles(&run, env->threads);
	for (run.round = 0; run.round < rounds; run.round++)
		rml_parallel(env, run.segments, add_block, &run);
	combine(&run);
	release_tiles(&run, env->threads);
	pass->memory = run.partials;
	pass->matrices = run.partials;
	pass->vectors = pass->matrices + (size_t) pass->n_omega * run.matrix;
	pass->sums = pass->vectors + (size_t) pass->n_gradient * (size_t) rows->axes;
	pass->maxima = pass->sums + pass->n_sums;
}

void
rml_linear_pass_release(const RmlLinearRows *rows, RmlLinearPass *pass)
{
	rml_release(rows->env, pass->memory);
	pass->memory = NULL;
}

size_t
rml_linear_pass_bytes(const RmlLinearRows *rows, const RmlLinearPass *pass, int threads)
{
	size_t partial = partial_size(rows, pass);

	return (size_t) most_segments(partial) * partial * sizeof(double) +
		   (size_t) threads * (tile_doubles(rows, pass) * sizeof(double) +
							   TILE * (size_t) rows->design->d_cat * sizeof(int32_t));
}
