// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target without a fuzzer: on random bytes, and on the files of some
 * directories with random changes. The inputs are the same in every run.
 *
 * random_blob ITERATIONS [DIRECTORY...]
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SEEDS	512
#define MAX_SIZE	4096u

static struct {
	size_t size;
	uint8_t data[MAX_SIZE];
} seeds[MAX_SEEDS];
static unsigned int nr_seeds;

static void read_seed(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		return;
	seeds[nr_seeds].size = fread(seeds[nr_seeds].data, 1, MAX_SIZE, file);
	nr_seeds += seeds[nr_seeds].size != 0;
	fclose(file);
}

static void read_seeds(const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, NULL, alphasort);
	char path[4096];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (names[i]->d_type == DT_REG && nr_seeds < MAX_SEEDS)
			read_seed(path);
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
}

static void change(uint8_t *data, size_t *size, uint64_t *seed)
{
	static const uint8_t interesting[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe };
	size_t at = random64(seed) % *size;

	switch (random64(seed) % 5) {
	case 0:
		data[at] ^= (uint8_t)(1u << (random64(seed) % 8));
		break;
	case 1:
		data[at] = interesting[random64(seed) % 6];
		break;
	case 2:
		data[at] = (uint8_t)random64(seed);
		break;
	case 3:	/* repeats the input */
		memcpy(data + at, data, *size - at < at ? *size - at : at);
		break;
	default:
		if (random64(seed) % 8 == 0)
			*size = at ? at : 1;
	}
}

static size_t make_input(uint8_t *data, unsigned int number, uint64_t *seed)
{
	size_t size = 1 + random64(seed) % (number % 7 ? 300 : MAX_SIZE);

	if (number % 4 == 0 || !nr_seeds) {
		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)random64(seed);
		return size;
	}
	number = random64(seed) % nr_seeds;
	size = seeds[number].size;
	memcpy(data, seeds[number].data, size);
	for (uint64_t i = 1 + random64(seed) % 6; i; i--)
		change(data, &size, seed);
	return size;
}

int main(int argc, char **argv)
{
	unsigned int iterations = argc > 1 ? (unsigned int)atoi(argv[1]) : 1000;
	static uint8_t data[MAX_SIZE];
	uint64_t seed = 0xf022;

	for (int i = 2; i < argc; i++)
		read_seeds(argv[i]);
	for (unsigned int i = 0; i < iterations; i++) {
		size_t size = make_input(data, i, &seed);
		uint8_t *exact = malloc(size);

		if (!exact)
			return 1;
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	printf("ok 1 - %u inputs, from %u seeds\n1..1\n", iterations, nr_seeds);
	return 0;
}
