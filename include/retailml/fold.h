/*
 * fold.h
 *	  Which side of a split a key is on: a fold of cross-validation, or training against test.
 *
 * The side is a function of the key's content and a seed, so all rows of a customer are on the same
 * side, in every table, query and month, and no table has to remember it.  A key becomes 64 bits:
 * an integer is its value, bytes are hashed.  Philox (rng.h) turns them into a random number, from
 * a stream of its own for each kind of key and of split: fold and is_train with the same seed are
 * independent.  Integer arithmetic only, the same on every machine.
 */
#ifndef RETAILML_FOLD_H
#define RETAILML_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RmlSplitKey
{
	uint64_t bits;
	bool integer; /* bits are the value, and not a hash */
} RmlSplitKey;

extern RmlSplitKey rml_split_integer(int64_t value);
extern RmlSplitKey rml_split_bytes(const char *bytes, size_t length);

/* 1 .. n_folds, n_folds >= 1 */
extern int rml_fold(RmlSplitKey key, int n_folds, int64_t seed);

/* true for a share of the keys; who is in with a fraction is in with a larger one */
extern bool rml_is_train(RmlSplitKey key, double fraction, int64_t seed);

#endif /* RETAILML_FOLD_H */
