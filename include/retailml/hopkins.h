/*
 * hopkins.h
 *	  Are the rows spread evenly, or in clumps?
 *
 * B. Hopkins and J. G. Skellam, "A new method for determining the type of distribution of plant
 * individuals", Annals of Botany 18 (1954); A. Banerjee and R. N. Dave, "Validating clusters using
 * the Hopkins statistic", FUZZ-IEEE 2004.  m points are drawn evenly in the box that holds the rows,
 * and m of the rows at random; with u the distance of a point to the nearest row, w that of a row to
 * the nearest other row, and d the number of features,
 *
 *	  H = sum u^d / (sum u^d + sum w^d)
 *
 * For rows spread evenly over the box H has a Beta(m, m) distribution, so it is 0.5 give or take
 * 1 / sqrt(8 m + 4); for rows in clumps it is near 1, for rows on a grid near 0.  It says that rows are
 * not spread evenly, and no more: one dense cloud in a wide box has a high H too.
 */
#ifndef RETAILML_HOPKINS_H
#define RETAILML_HOPKINS_H

#include "retailml/env.h"

/* rows that are looked at, at most, and points drawn of them, at most */
#define RML_HOPKINS_ROWS 20000
#define RML_HOPKINS_POINTS 1000

/* points m for n rows: a tenth of the rows looked at, within 1 .. RML_HOPKINS_POINTS */
extern int rml_hopkins_points(int64_t n);

extern size_t rml_hopkins_bytes(int64_t n, int d);

/*
 * H of x [n x d], in canonical order (the first rows are a random sample); NaN for fewer than two
 * rows, or when all are equal.
 */
extern double rml_hopkins(RmlEnv *env, const double *x, int64_t n, int d, uint64_t seed);

#endif /* RETAILML_HOPKINS_H */
