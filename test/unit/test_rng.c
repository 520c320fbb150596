/*
 * test_rng.c
 *	  The generator against Random123's known answers, the distributions against scipy.
 */
#include "unit.h"

#include <math.h>

#include "retailml/rng.h"

/* Random123 1.14, tests/kat_vectors, "philox4x32 10" */
static void
test_known_answers(void)
{
	static const struct
	{
		uint32_t counter[4], key[2], out[4];
	} known[] = {
		{{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
		 {0xffffffff, 0xffffffff},
		 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
		 {0xa4093822, 0x299f31d0},
		 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
	{
		uint32_t out[4];

		rml_philox4x32(known[i].counter, known[i].key, out);
		unit_equal_bytes(out, known[i].out, sizeof out, "known answer %zu of Philox4x32-10", i);
	}
}

/*
 * seed is the key, index the low and stream the high half of the counter; numbers by a Philox4x32
 * written in Python 3.11, which gives the known answers above.  These values are part of what
 * users see (equal seed, equal result): they must not change.
 */
static void
test_layout(void)
{
	static const struct
	{
		uint64_t seed, stream, index, bits, below_1000;
		double uniform;
	} known[] = {
		{42, 0, 0, 0x77f5493b9ceaf053, 468, 0.4685865183391049},
		{42, 1, 0, 0x2051e91302933769, 126, 0.1262498542224193},
		{42, 0, 1, 0x53ba6cfdfcdb2127, 327, 0.32706338120338474},
		{7, 1099511627779, 8589934597, 0x7979d9a2b071cd2a, 474, 0.47451553556351833},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX, 0x41c83b0e408f276d, 256, 0.2569615278048869},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
	{
		uint64_t s = known[i].seed, t = known[i].stream, x = known[i].index;

		unit_ok(rml_rng_u64(s, t, x) == known[i].bits &&
					rml_rng_uniform(s, t, x) == known[i].uniform &&
					rml_rng_below(s, t, x, 1000) == known[i].below_1000,
				"numbers of seed %llu, stream %llu, index %llu", (unsigned long long) s,
				(unsigned long long) t, (unsigned long long) x);
	}
	unit_equal_int((int64_t) rml_rng_below(1, 2, 3, 1), 0, "below 1 there is only 0");
}

/*
 * n draws, in 16 equal cells: with 15 degrees of freedom chi-square exceeds 44.3 with probability
 * 1e-4 (scipy.stats.chi2.isf(1e-4, 15) = 44.263)
 */
static void
test_uniform(void)
{
	enum
	{
		N = 160000
	};
	double cells[16] = {0}, below[16] = {0}, sum = 0, chi = 0, chi_below = 0;
	bool inside = true;

	for (uint64_t i = 0; i < N; i++)
	{
		double u = rml_rng_uniform(1, 2, i);

		inside = inside && u >= 0 && u < 1;
		sum += u;
		cells[(int) (u * 16)]++;
		below[rml_rng_below(1, 3, i, 16)]++;
	}
	for (int c = 0; c < 16; c++)
	{
		chi += (cells[c] - N / 16.0) * (cells[c] - N / 16.0) / (N / 16.0);
		chi_below += (below[c] - N / 16.0) * (below[c] - N / 16.0) / (N / 16.0);
	}
	unit_ok(inside, "uniform numbers are in [0, 1)");
	/* standard error of the mean: sqrt(1 / 12 / N) = 0.00072, four of them */
	unit_near(sum / N, 0.5, 0.0029, "their mean is 1/2");
	unit_ok(chi < 44.3, "they fill [0, 1) evenly (chi-square %.1f)", chi);
	unit_ok(chi_below < 44.3, "so do integers (chi-square %.1f)", chi_below);
}

/* scipy 1.17.1, scipy.special.ndtri */
static void
test_quantile(void)
{
	static const double known[][2] = {
		{1e-300, -37.0470962993612},
		{1e-100, -21.273453560965322},
		{5.551115123125783e-17, -8.292361075813597},
		{1e-15, -7.941345326170998},
		{1e-10, -6.361340902404056},
		{1e-05, -4.264890793922825},
		{0.001, -3.090232306167813},
		{0.025, -1.9599639845400545},
		{0.0749, -1.4402382675279635},
		{0.075, -1.4395314709384563},
		{0.1, -1.2815515655446004},
		{0.25, -0.6744897501960817},
		{0.4, -0.2533471031357997},
		{0.499999999, -2.5066283428845328e-09},
		{0.7, 0.5244005127080407},
		{0.925, 1.4395314709384563},
		{0.9251, 1.4402382675279635},
		{0.975, 1.959963984540054},
		{0.999, 3.090232306167813},
		{0.9999999999, 6.361340889697422},
		{0.9999999999999999, 8.209536151601387},
	};
	double worst = 0;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		worst = fmax(worst, fabs(rml_normal_quantile(known[i][0]) / known[i][1] - 1));
	unit_ok(worst <= 1e-14, "the normal quantile is that of scipy (relative error %.2g)", worst);
	unit_ok(rml_normal_quantile(0.5) == 0, "and 0 at 1/2");
}

static void
test_normal(void)
{
	enum
	{
		N = 100000
	};
	double sum = 0, squares = 0, cubes = 0;
	bool finite = true;

	for (uint64_t i = 0; i < N; i++)
	{
		double z = rml_rng_normal(5, 6, i);

		finite = finite && isfinite(z);
		sum += z;
		squares += z * z;
		cubes += z * z * z;
	}
	unit_ok(finite, "normal numbers are finite");
	/* standard errors 1, sqrt(2), sqrt(15) over sqrt(N); four of each */
	unit_near(sum / N, 0, 4 / sqrt(N), "their mean is 0");
	unit_near(squares / N, 1, 4 * sqrt(2.0 / N), "their variance is 1");
	unit_near(cubes / N, 0, 4 * sqrt(15.0 / N), "and they are symmetric");
}

int
main(void)
{
	test_known_answers();
	test_layout();
	test_uniform();
	test_quantile();
	test_normal();
	return unit_done();
}
