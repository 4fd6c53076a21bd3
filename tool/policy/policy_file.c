// SPDX-License-Identifier: GPL-2.0-only
/* Files with policies. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/policy/blob.h"

#include "policy_file.h"
#include "policy_text.h"
#include "yaml_tree.h"

/* Reads at most @size bytes of a file. Returns their number or a negative errno. */
static ssize_t file_read(const char *path, char *to, size_t size)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO :
			    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;
	ssize_t len;

	if (fd < 0)
		return -errno;
	do {
		len = read(fd, to + used, size - used);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			len = -errno;
			break;
		}
		used += (size_t)len;
	} while (len && used < size);
	if (!is_stdin)
		close(fd);
	/* That is what a wrong policy returns. */
	if (len == -EINVAL)
		len = -EIO;
	return len < 0 ? len : (ssize_t)used;
}

static bool is_blob(const char *text, size_t size)
{
	const uint64_t magic = BLOB_MAGIC;

	return size >= sizeof(magic) && !memcmp(text, &magic, sizeof(magic));
}

/* The text of a file in @ret, which is to be freed. Returns its size or an errno. */
static ssize_t text_load(const char *path, char **ret,
			 struct problems *problems)
{
	size_t size = YAML_MAX_SIZE + 1;	/* enough to see that it's more */
	ssize_t len;

	memset(problems, 0, sizeof(*problems));
	*ret = malloc(size);
	len = *ret ? file_read(path, *ret, size) : -ENOMEM;
	if (len < 0)
		problem_error(problems, 0, 0, "can't be read: %s",
			      strerror((int)-len));
	if (len < 0 || !is_blob(*ret, (size_t)len))
		return len;
	problem_error(problems, 0, 0, "this is a compiled policy, as 'regpin compile' writes it for libregpin: name the policy that it was made from");
	return -EINVAL;
}

int policy_text_file(const char *path, struct regpin_policy *policy,
		     struct problems *problems)
{
	char *text;
	ssize_t len = text_load(path, &text, problems);
	int ret = (int)len;

	if (len >= 0)
		ret = policy_text_read(path, text, (size_t)len, policy,
				       problems);
	free(text);
	return ret;
}

int policy_text_keep(const char *path, struct policy_written *written,
		     struct problems *problems)
{
	char *text;
	ssize_t len = text_load(path, &text, problems);
	int ret = (int)len;

	if (len >= 0)
		ret = policy_keep(written, path, text, (size_t)len);
	free(text);
	return ret;
}
