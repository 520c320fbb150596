/*
 * omp.h
 *	  OpenMP with one thread, for compilers that come without it.
 *
 * `make fuzz` builds with clang, whose OpenMP is a package of its own: there the pragmas are ignored
 * and these are the functions.  One thread finds what a fuzzer can find.
 */
#ifndef RETAILML_SERIAL_OMP_H
#define RETAILML_SERIAL_OMP_H

#define omp_get_max_threads() 1
#define omp_get_num_procs() 1
#define omp_get_num_threads() 1
#define omp_get_thread_num() 0
#define omp_in_parallel() 0
#define omp_set_num_threads(n) ((void) (n))

#endif /* RETAILML_SERIAL_OMP_H */
