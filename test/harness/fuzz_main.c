/*
 * fuzz_main.c
 *	  Runs a libFuzzer target without libFuzzer: a fixed number of inputs from a fixed seed.
 *
 * `make test` uses this with gcc's sanitizers; `make fuzz` links the same target with clang's
 * libFuzzer, which explores.  A target may offer inputs worth damaging through rml_fuzz_seed: half
 * of the runs are then mutations of those, since random bytes rarely get past a magic number.
 *
 * usage: fuzz_X runs [seed]        fuzz_X file...    (replay)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_INPUT 65536

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* the i-th good input, i = 0, 1, ...; its size (at most cap), or 0 when there is none */
extern size_t rml_fuzz_seed(int i, uint8_t *buf, size_t cap) __attribute__((weak));

static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014): the run must be the same on every machine */
static uint64_t
next_random(void)
{
	uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static size_t
below(size_t bound)
{
	return bound == 0 ? 0 : (size_t) (next_random() % bound);
}

static size_t
random_input(uint8_t *buf)
{
	/* mostly short: that is where the headers are */
	size_t size = below((size_t) 1 << below(13));

	for (size_t i = 0; i < size; i++)
		buf[i] = (uint8_t) next_random();
	return size;
}

/* a number as a length or count field would hold it */
static void
overwrite_number(uint8_t *buf, size_t size)
{
	static const uint64_t edges[] = {
		0,          1,          0x7F,           0xFF,           0x7FFF,    0xFFFF,
		0x7FFFFFFF, 0xFFFFFFFF, UINT64_MAX / 8, UINT64_MAX / 2, UINT64_MAX};
	uint64_t value = edges[below(sizeof(edges) / sizeof(edges[0]))];
	size_t width = (size_t) 1 << below(4);

	if (size >= width)
		memcpy(buf + below(size - width + 1), &value, width);
}

static size_t
mutate_once(uint8_t *buf, size_t size)
{
	size_t at = below(size);
	size_t count = below(size - at) % 64;

	if (size == 0)
		return random_input(buf);
	switch (below(6))
	{
		case 0:
			buf[at] ^= (uint8_t) (1u << below(8));
			return size;
		case 1:
			buf[at] = (uint8_t) next_random();
			return size;
		case 2:
			overwrite_number(buf, size);
			return size;
		case 3: /* cut the tail */
			return at;
		case 4: /* take bytes out of the middle */
			memmove(buf + at, buf + at + count, size - at - count);
			return size - count;
		default: /* say some twice */
			if (size + count > MAX_INPUT)
				return size;
			memmove(buf + at + count, buf + at, size - at);
			return size + count;
	}
}

static size_t
next_input(uint8_t *buf, int seeds)
{
	size_t size;

	if (seeds == 0 || below(2) == 0)
		return random_input(buf);
	size = rml_fuzz_seed((int) below((size_t) seeds), buf, MAX_INPUT);
	for (size_t changes = 1 + below(4); changes > 0; changes--)
		size = mutate_once(buf, size);
	return size;
}

/* a copy of exactly that size, so that ASan sees a read past its end */
static void
run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, data, size);
	(void) LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* what is under test when the program dies, for replaying it */
static void
remember(long i, const uint8_t *data, size_t size)
{
	static FILE *out;
	const char *path = getenv("FUZZ_LAST_INPUT");

	if (path == NULL)
		return;
	if (out == NULL && (out = fopen(path, "wb")) == NULL)
		return;
	rewind(out);
	fwrite(data, 1, size, out);
	fflush(out);
	if (ftruncate(fileno(out), (off_t) size) != 0)
		fprintf(stderr, "input %ld was not kept whole\n", i);
}

static int
count_seeds(uint8_t *buf)
{
	int seeds = 0;

	if (rml_fuzz_seed != NULL)
		while (seeds < 1000 && rml_fuzz_seed(seeds, buf, MAX_INPUT) > 0)
			seeds++;
	return seeds;
}

static int
replay(int files, char **names, uint8_t *buf)
{
	for (int i = 0; i < files; i++)
	{
		FILE *in = fopen(names[i], "rb");

		if (in == NULL)
		{
			perror(names[i]);
			return EXIT_FAILURE;
		}
		run(buf, fread(buf, 1, MAX_INPUT, in));
		fclose(in);
	}
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	static uint8_t buf[MAX_INPUT];
	char *end = NULL;
	long runs = argc > 1 ? strtol(argv[1], &end, 10) : 10000;
	int seeds;

	if (argc > 1 && *end != '\0')
		return replay(argc - 1, argv + 1, buf);
	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 42;
	seeds = count_seeds(buf);
	for (int i = 0; i < seeds; i++)
		run(buf, rml_fuzz_seed(i, buf, MAX_INPUT));
	for (long i = 0; i < runs; i++)
	{
		size_t size = next_input(buf, seeds);

		remember(i, buf, size);
		run(buf, size);
	}
	printf("%ld runs, %d seeds\n", runs, seeds);
	return EXIT_SUCCESS;
}
