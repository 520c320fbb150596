/*
 * rng.c
 *	  Philox4x32-10 and the distributions made from it.  See rng.h.
 */
#include "retailml/rng.h"

#include <math.h>

#define PHILOX_ROUNDS 10
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u /* golden ratio */
#define PHILOX_W1 0xBB67AE85u /* sqrt(3) - 1 */

void
rml_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
	uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
	uint32_t k0 = key[0], k1 = key[1];

	for (int round = 0; round < PHILOX_ROUNDS; round++)
	{
		uint64_t p0 = (uint64_t) PHILOX_M0 * x0;
		uint64_t p1 = (uint64_t) PHILOX_M1 * x2;

		x0 = (uint32_t) (p1 >> 32) ^ x1 ^ k0;
		x1 = (uint32_t) p1;
		x2 = (uint32_t) (p0 >> 32) ^ x3 ^ k1;
		x3 = (uint32_t) p0;
		k0 += PHILOX_W0;
		k1 += PHILOX_W1;
	}
	out[0] = x0;
	out[1] = x1;
	out[2] = x2;
	out[3] = x3;
}

uint64_t
rml_rng_u64(uint64_t seed, uint64_t stream, uint64_t index)
{
	const uint32_t counter[4] = {(uint32_t) index, (uint32_t) (index >> 32), (uint32_t) stream,
								 (uint32_t) (stream >> 32)};
	const uint32_t key[2] = {(uint32_t) seed, (uint32_t) (seed >> 32)};
	uint32_t out[4];

	rml_philox4x32(counter, key, out);
	return (uint64_t) out[0] | ((uint64_t) out[1] << 32);
}

double
rml_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
	return (double) (rml_rng_u64(seed, stream, index) >> 11) * 0x1.0p-53;
}

uint64_t
rml_rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound)
{
	unsigned __int128 product = (unsigned __int128) rml_rng_u64(seed, stream, index) * bound;

	return (uint64_t) (product >> 64);
}

double
rml_rng_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
	uint64_t bits = rml_rng_u64(seed, stream, index) >> 11;

	/* the middle of each 2^-53 cell: never 0 or 1 */
	return rml_normal_quantile(((double) bits + 0.5) * 0x1.0p-53);
}

/* value of the polynomial with coefficients c[0] + c[1] x + ... + c[7] x^7 */
static double
polynomial7(const double c[8], double x)
{
	double value = c[7];

	for (int i = 6; i >= 0; i--)
		value = value * x + c[i];
	return value;
}

/*
 * M. J. Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
 * Statistics 37 (1988), PPND16: relative accuracy about 1e-16.
 */
double
rml_normal_quantile(double p)
{
	static const double a[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
								1.9715909503065514427e+3, 1.3731693765509461125e+4,
								4.5921953931549871457e+4, 6.7265770927008700853e+4,
								3.3430575583588128105e+4, 2.5090809287301226727e+3};
	static const double b[8] = {1.0,
								4.2313330701600911252e+1,
								6.8718700749205790830e+2,
								5.3941960214247511077e+3,
								2.1213794301586595867e+4,
								3.9307895800092710610e+4,
								2.8729085735721942674e+4,
								5.2264952788528545610e+3};
	static const double c[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
								5.76949722146069140550e0,  3.64784832476320460504e0,
								1.27045825245236838258e0,  2.41780725177450611770e-1,
								2.27238449892691845833e-2, 7.74545014278341407640e-4};
	static const double d[8] = {1.0,
								2.05319162663775882187e0,
								1.67638483018380384940e0,
								6.89767334985100004550e-1,
								1.48103976427480074590e-1,
								1.51986665636164571966e-2,
								5.47593808499534494600e-4,
								1.05075007164441684324e-9};
	static const double e[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
								1.78482653991729133580e0,  2.96560571828504891230e-1,
								2.65321895265761230930e-2, 1.24266094738807843860e-3,
								2.71155556874348757815e-5, 2.01033439929228813265e-7};
	static const double f[8] = {1.0,
								5.99832206555887937690e-1,
								1.36929880922735805310e-1,
								1.48753612908506148525e-2,
								7.86869131145613259100e-4,
								1.84631831751005468180e-5,
								1.42151175831644588870e-7,
								2.04426310338993978564e-15};
	double q = p - 0.5;
	double r;

	if (fabs(q) <= 0.425)
	{
		r = 0.180625 - q * q;
		return q * polynomial7(a, r) / polynomial7(b, r);
	}
	r = sqrt(-log(q < 0 ? p : 1.0 - p));
	if (r <= 5.0)
		r = polynomial7(c, r - 1.6) / polynomial7(d, r - 1.6);
	else
		r = polynomial7(e, r - 5.0) / polynomial7(f, r - 5.0);
	return q < 0 ? -r : r;
}
