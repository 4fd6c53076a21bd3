// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a fuzz target over the files of some directories, as a test: a crash is
 * the failure. Any fuzz target can be linked with it.
 *
 *	fuzz_policy_text DIRECTORY...
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_FILE	(1u << 20)

static unsigned int tests;

static void run_file(const char *path)
{
	uint8_t *data, *exact;
	FILE *file;
	size_t size;

	file = fopen(path, "rb");
	data = malloc(MAX_FILE);
	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, MAX_FILE, file);
	fclose(file);
	/* As large as the file, so that a sanitizer detects a read past the end. */
	exact = realloc(data, size ? size : 1);
	if (!exact)
		exit(1);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	printf("ok %u - %s\n", ++tests, path);
	fflush(stdout);
}

static void run_directory(const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, NULL, alphasort);

	if (nr < 0) {
		perror(dir);
		exit(1);
	}
	for (int i = 0; i < nr; i++) {
		char path[4096];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (!stat(path, &st) && S_ISREG(st.st_mode))
			run_file(path);
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		run_directory(argv[i]);
	printf("1..%u\n", tests);
	return tests ? 0 : 1;
}
