/*
 * linalg.c
 *	  Opens OpenBLAS and resolves the routines the kernels use.
 *
 * The handle is the one piece of process-wide state outside the bindings: a library can only be
 * opened once.
 */
#include "retailml/linalg.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>

#define OPENBLAS_SONAME "libopenblas.so.0"

/* values of the CBLAS enumerations */
#define CBLAS_ROW_MAJOR 101
#define CBLAS_NO_TRANS 111
#define CBLAS_TRANS 112

typedef void (*SgemmFn)(int order, int transa, int transb, int m, int n, int k, float alpha,
						const float *a, int lda, const float *b, int ldb, float beta, float *c,
						int ldc);

static SgemmFn cblas_sgemm;

static void
sgemm_nt(int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
		 float beta, float *c, int ldc)
{
	cblas_sgemm(CBLAS_ROW_MAJOR, CBLAS_NO_TRANS, CBLAS_TRANS, m, n, k, alpha, a, lda, b, ldb, beta,
				c, ldc);
}

/*
 * The library sizes its thread pool from the environment when it is loaded, so the variable is
 * there during dlopen only.  Threads a library starts inherit the signal mask.
 */
static void *
open_library(void)
{
	static const char *const variable = "OPENBLAS_NUM_THREADS";
	const char *before = getenv(variable);
	sigset_t all, saved;
	void *handle;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	if (before == NULL)
		setenv(variable, "1", 1);
	handle = dlopen(OPENBLAS_SONAME, RTLD_NOW | RTLD_LOCAL);
	if (before == NULL)
		unsetenv(variable);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	return handle;
}

static bool
resolve(void *handle, RmlLinalg *linalg)
{
	int (*get_parallel)(void);
	void (*set_num_threads)(int);

	*(void **) &cblas_sgemm = dlsym(handle, "cblas_sgemm");
	*(void **) &get_parallel = dlsym(handle, "openblas_get_parallel");
	*(void **) &set_num_threads = dlsym(handle, "openblas_set_num_threads");
	if (cblas_sgemm == NULL || get_parallel == NULL || set_num_threads == NULL)
		return false;
	set_num_threads(1);
	linalg->concurrent = get_parallel() != 0;
	linalg->sgemm_nt = sgemm_nt;
	return true;
}

const RmlLinalg *
rml_linalg_open(void)
{
	static RmlLinalg linalg;
	static bool tried = false;
	static bool usable = false;

	if (!tried)
	{
		void *handle = open_library();

		tried = true;
		usable = handle != NULL && resolve(handle, &linalg);
	}
	return usable ? &linalg : NULL;
}
