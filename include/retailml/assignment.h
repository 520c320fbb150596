/*
 * assignment.h
 *	  The linear assignment problem: partners for rows and columns at the least total cost.
 *
 * Given cost [rows x cols], each row (each column, where there are fewer) gets a partner of its
 * own such that the sum of the costs is smallest.  Shortest augmenting paths with prices (dual
 * variables), in the form of
 *
 *	  R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse
 *	  linear assignment problems", Computing 38 (1987)
 *	  D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Trans. Aerosp.
 *	  Electron. Syst. 52 (2016)
 *
 * in time min^2 max of the two sides.  Prices u of rows and v of columns satisfy
 *
 *	  cost_ij - u_i - v_j >= 0, and = 0 for partners
 *
 * so for a square matrix the optimal assignments are exactly those made of pairs where it is 0.
 * Costs that are integers, with sums below 2^53, are computed without rounding; then this can be
 * tested with ==, and rml_assignment_lowest picks among equally good assignments.
 */
#ifndef RETAILML_ASSIGNMENT_H
#define RETAILML_ASSIGNMENT_H

#include "retailml/env.h"

#define RML_UNASSIGNED (-1)

/* bytes that rml_assignment_solve takes */
extern size_t rml_assignment_bytes(int rows, int cols);

/*
 * Solve it: partner [rows] is the column of each row, RML_UNASSIGNED for rows beyond the number of
 * columns.  Infinity forbids a pair; no NaN, no -infinity.  row_price [rows] and col_price [cols]
 * may be NULL.  False when the forbidden pairs leave no assignment.
 */
extern bool rml_assignment_solve(RmlEnv *env, const double *cost, int rows, int cols,
								 int32_t *partner, double *row_price, double *col_price);

/*
 * Of all assignments within a set of allowed pairs, the one in which row 0 has the lowest wanted
 * column there is, then row 1, and so on; a row that cannot have a wanted one stays with the
 * others.  allowed [n x n] and wanted [n x n] are 0 or 1; partner [n], an assignment within
 * allowed, is improved in place.  allowed is used up.
 */
extern void rml_assignment_lowest(RmlEnv *env, int n, uint8_t *allowed, const uint8_t *wanted,
								  int32_t *partner);

#endif /* RETAILML_ASSIGNMENT_H */
