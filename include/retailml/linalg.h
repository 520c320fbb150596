/*
 * linalg.h
 *	  The thin layer over OpenBLAS, opened when the first kernel asks for it.
 *
 * Linking OpenBLAS would make every backend pay its start-up and its thread pool, so it is
 * opened with dlopen, restricted to one thread, with signals blocked.  A kernel asks
 * rml_linalg_open() and must have its own plain loop for the answer NULL (library not
 * installed).
 *
 * All matrices are row-major.  Shapes are in comments as [rows x columns].
 */
#ifndef RETAILML_LINALG_H
#define RETAILML_LINALG_H

#include <stdbool.h>

typedef struct RmlLinalg
{
	/*
	 * False for a build of OpenBLAS without threads: such a build gives wrong numbers when two
	 * threads call it at once, so calls must come from one thread only.
	 */
	bool concurrent;

	/* c [m x n] = alpha * a [m x k] * transpose(b [n x k]) + beta * c; ld* are row strides */
	void (*sgemm_nt)(int m, int n, int k, float alpha, const float *a, int lda, const float *b,
					 int ldb, float beta, float *c, int ldc);
} RmlLinalg;

/* the library, or NULL when it cannot be opened; the first call opens it */
extern const RmlLinalg *rml_linalg_open(void);

#endif /* RETAILML_LINALG_H */
