/*
 * fold.c
 *	  Splits by a hash of the key.  See fold.h.
 */
#include "retailml/fold.h"

#include "retailml/rng.h"

/* streams of the generator; + 1 for keys that are integers */
#define STREAM_FOLD 0x666F6C6400u
#define STREAM_TRAIN 0x747261696Eu

RmlSplitKey
rml_split_integer(int64_t value)
{
	return (RmlSplitKey){(uint64_t) value, true};
}

static uint64_t
mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0xBF58476D1CE4E5B9u;
	hash = (hash ^ hash >> 32) * 0x94D049BB133111EBu;
	return hash ^ hash >> 29;
}

/* eight bytes a step, put together by hand: machines differ in their order */
RmlSplitKey
rml_split_bytes(const char *bytes, size_t length)
{
	uint64_t hash = mix(0x9E3779B97F4A7C15u, length);

	for (size_t i = 0; i < length; i += 8)
	{
		size_t n = length - i < 8 ? length - i : 8;
		uint64_t word = 0;

		for (size_t j = 0; j < n; j++)
			word |= (uint64_t) (uint8_t) bytes[i + j] << (8 * j);
		hash = mix(hash, word);
	}
	return (RmlSplitKey){hash, false};
}

int
rml_fold(RmlSplitKey key, int n_folds, int64_t seed)
{
	uint64_t stream = STREAM_FOLD + (key.integer ? 1 : 0);

	return 1 + (int) rml_rng_below((uint64_t) seed, stream, key.bits, (uint64_t) n_folds);
}

bool
rml_is_train(RmlSplitKey key, double fraction, int64_t seed)
{
	uint64_t stream = STREAM_TRAIN + (key.integer ? 1 : 0);

	return rml_rng_uniform((uint64_t) seed, stream, key.bits) < fraction;
}
