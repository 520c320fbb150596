/*
 * rng.h
 *	  Random numbers as a function: value = f(seed, stream, index).
 *
 * Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011.  There is no state to seed, save or share: row i of a
 * generated table, or restart r of k-means, reads the numbers at its own index, so results do
 * not depend on threads, order or how many numbers someone else drew, and are the same on every
 * machine (integer arithmetic and IEEE operations only, except where a comment says libm).
 *
 * seed is the user's; stream separates uses (give each purpose its own constant or counter);
 * index counts draws inside a stream.
 */
#ifndef RETAILML_RNG_H
#define RETAILML_RNG_H

#include <stdint.h>

/* 64 random bits */
extern uint64_t rml_rng_u64(uint64_t seed, uint64_t stream, uint64_t index);

/* uniform on [0, 1), a multiple of 2^-53 */
extern double rml_rng_uniform(uint64_t seed, uint64_t stream, uint64_t index);

/* uniform integer on [0, bound), bound > 0; bias below bound / 2^64 (Lemire's multiplication) */
extern uint64_t rml_rng_below(uint64_t seed, uint64_t stream, uint64_t index, uint64_t bound);

/* standard normal by inversion of the uniform (Wichura's AS 241; libm log in the tails only) */
extern double rml_rng_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* the raw generator: four 32-bit words from a 128-bit counter and a 64-bit key */
extern void rml_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* quantile function of the standard normal, 0 < p < 1 */
extern double rml_normal_quantile(double p);

#endif /* RETAILML_RNG_H */
