// SPDX-License-Identifier: GPL-2.0-only
/* regpin compile: compiles a policy to a blob, for a VMM that links libregpin. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/policy/blob.h"

#include "base/exit_codes.h"
#include "base/options.h"
#include "base/printable.h"
#include "cmd.h"
#include "cmd_help.h"
#include "policy/policy_file.h"
#include "policy/problems.h"

static int complain(const char *path, int error)
{
	fprintf(stderr, "regpin compile: %s can't be written: %s\n",
		strcmp(path, "-") ? printable(path) : "standard output",
		strerror(error));
	return EXIT_FILE;
}

static int write_all(int fd, const char *from, size_t size)
{
	while (size) {
		ssize_t len = write(fd, from, size);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		from += len;
		size -= (size_t)len;
	}
	return 0;
}

/* Writes the temporary file @temp and renames it to @path. Returns 0 or an errno. */
static int replace(const char *path, char *temp, const void *blob, size_t size)
{
	int fd = mkstemp(temp), error;

	if (fd < 0)
		return errno;
	error = write_all(fd, blob, size);
	if (!error && (fchmod(fd, 0644) || fsync(fd)))
		error = errno;
	if (close(fd) && !error)
		error = errno;
	if (!error && rename(temp, path))
		error = errno;
	if (error)
		unlink(temp);
	return error;
}

/* May @path be replaced? A device or the policy itself may not. */
static bool may_replace(const char *path, const char *policy)
{
	struct stat st, source;

	if (strcmp(path, "-") == 0) {
		if (!isatty(STDOUT_FILENO))
			return true;
		fputs("regpin compile: standard output is a terminal, and a blob is not text: redirect standard output, or name a file\n",
		      stderr);
		return false;
	}
	if (stat(path, &st))
		return true;
	if (!S_ISREG(st.st_mode)) {
		fprintf(stderr,
			"regpin compile: %s is not a regular file: name a file that can be replaced, or - for standard output\n",
			printable(path));
		return false;
	}
	if (!stat(policy, &source) && st.st_dev == source.st_dev &&
	    st.st_ino == source.st_ino) {
		fprintf(stderr,
			"regpin compile: %s is the policy itself: name another file\n",
			printable(path));
		return false;
	}
	return true;
}

static int write_blob(const struct regpin_policy *policy, const char *path)
{
	size_t len = strlen(path) + sizeof(".XXXXXX");
	void *blob = malloc(BLOB_MAX_SIZE);
	char *temp = malloc(len);
	int error = ENOMEM;

	if (blob && !strcmp(path, "-")) {
		error = write_all(STDOUT_FILENO, blob, blob_seal(policy, blob));
	} else if (blob && temp) {
		snprintf(temp, len, "%s.XXXXXX", path);
		error = replace(path, temp, blob, blob_seal(policy, blob));
	}
	free(temp);
	free(blob);
	return error ? complain(path, error) : EXIT_OK;
}

static int compile(const char *path, const char *output)
{
	struct regpin_policy *policy;
	struct problems *problems;
	int ret = EXIT_FILE, err;

	if (!may_replace(output, path))
		return EXIT_USAGE;
	policy = malloc(sizeof(*policy));
	problems = problems_new();
	if (!policy || !problems) {
		fputs("regpin compile: out of memory\n", stderr);
		goto out;
	}
	err = policy_text_file(path, policy, problems);
	problems_print(problems, path, stderr);
	if (!err)
		ret = write_blob(policy, output);
	else if (!POLICY_UNREADABLE(err))
		ret = EXIT_REJECTED;
out:
	problems_free(problems);
	free(policy);
	return ret;
}

static int cmd_compile_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *output = NULL;
	int c;

	optind = 0;
	while ((c = option_next("compile", argc, argv, "o:h", options)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(help_compile, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc || !output || !*output)
		return usage_error("compile", "%s",
				   optind == argc ? "name a policy" :
				   optind + 1 < argc ?
				   "only one policy can be compiled at a time" :
				   "name the file for the blob: -o BLOB");
	return compile(argv[optind], output);
}

const struct cmd cmd_compile = {
	"compile", cmd_compile_main, "write a policy as a blob for libregpin",
};
