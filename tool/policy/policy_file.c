// SPDX-License-Identifier: GPL-2.0-only
/* Reading policies from files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/policy/blob.h"

#include "base/printable.h"
#include "policy_bundle.h"
#include "policy_file.h"
#include "policy_find.h"
#include "policy_kept.h"
#include "policy_text.h"
#include "store_find.h"
#include "yaml_tree.h"

/*
 * Reads at most @size bytes of a file, or of a policy that is found by its name; then its
 * path is written to @found. Returns the number of bytes or a negative errno.
 */
static ssize_t file_read(const char *path, char found[POLICY_MAX_SOURCE],
			 char *to, size_t size)
{
	bool is_stdin = strcmp(path, "-") == 0;
	size_t used = 0;
	ssize_t len;
	int fd;

	if (is_stdin)
		fd = STDIN_FILENO;
	else if (policy_is_name(path))
		fd = policy_open(path, found);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return policy_is_name(path) ? fd : -errno;
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
	/* -EINVAL is reserved for errors of the policy itself. */
	if (len == -EINVAL)
		len = -EIO;
	return len < 0 ? len : (ssize_t)used;
}

static bool is_blob(const char *text, size_t size)
{
	const uint64_t magic = BLOB_MAGIC;

	return size >= sizeof(magic) && !memcmp(text, &magic, sizeof(magic));
}

static void explain_unread(const char *path, const char *found, int err,
			   struct problems *problems)
{
	char folders[POLICY_FOLDERS_TEXT];

	if (!policy_is_name(path))
		problem_error(problems, 0, 0, "can't be read: %s",
			      strerror(-err));
	else if (err == -ENOENT)
		problem_error(problems, 0, 0,
			      "can't be read: there is no policy of this name in %s%s",
			      policy_folders(folders), access(path, F_OK) ? "" :
			      "; for the file in this directory, write './' before its name");
	else
		problem_error(problems, 0, 0, "%s can't be used: %s",
			      printable(found), err == -EXDEV || err == -ELOOP ?
			      "it is a symbolic link that leads out of its folder" :
			      err == -ENOTSUP ? "it is not a regular file" :
			      strerror(-err));
}

/* Takes the text out of @kept, which points into *@ret. Returns the text's size. */
static ssize_t take_kept(const struct kept *kept, char found[POLICY_MAX_SOURCE], char *ret)
{
	memcpy(found, kept->name, sizeof(kept->name));
	memmove(ret, kept->text, kept->size);
	return (ssize_t)kept->size;
}

/* Reads the text whose hash begins as @path says. */
static ssize_t hash_load(const char *path, char found[POLICY_MAX_SOURCE], char **ret,
			 struct problems *problems)
{
	char error[STORE_ERROR_MAX];
	struct kept kept;
	int err = store_find(NULL, path + strlen(STORE_NAME), &kept, ret, error);

	if (!err)
		return take_kept(&kept, found, *ret);
	problem_error(problems, 0, 0, "%s%s", err == -EINVAL ? "" : "can't be read: ", error);
	return err;
}

/* Adds what the text of a file lacks, or takes it out of a kept policy. */
static ssize_t text_finish(char found[POLICY_MAX_SOURCE], char **ret, size_t size,
			   struct problems *problems)
{
	struct kept kept;
	const char *fault;
	int err;

	if (kept_is(*ret, size)) {
		fault = kept_read(&kept, *ret, size);
		if (!fault)
			return take_kept(&kept, found, *ret);
		problem_error(problems, 1, 1, "this is a policy that regpin has printed, and %s: to change it, remove this line, and everything from the first '--- # extended: …' on",
			      fault);
		return -EINVAL;
	}
	if (is_blob(*ret, size)) {
		problem_error(problems, 0, 0, "this is a compiled policy, as 'regpin compile' writes it for libregpin: name the policy that it was made from");
		return -EINVAL;
	}
	/* With such a line the rest would pass for a base from a policy folder. */
	if (bundle_has_line(*ret, size)) {
		problem_error(problems, 0, 0, "a line '--- # extended: …' separates texts that regpin puts together, and must not be in a policy's file");
		return -EINVAL;
	}
	err = bundle_fill(ret, &size, problems);
	return err ? err : (ssize_t)size;
}

/* Reads a file into @ret, which the caller frees. Returns its size or a negative errno. */
static ssize_t text_load(const char *path, char found[POLICY_MAX_SOURCE],
			 char **ret, struct problems *problems)
{
	size_t room = KEPT_MAX_SIZE + 1;	/* one more shows that the file is too large */
	ssize_t len;

	memset(problems, 0, sizeof(*problems));
	found[0] = 0;
	if (store_is_name(path))
		return hash_load(path, found, ret, problems);
	*ret = malloc(room);
	len = *ret ? file_read(path, found, *ret, room) : -ENOMEM;
	if (len < 0) {
		explain_unread(path, found, (int)len, problems);
		return len;
	}
	return text_finish(found, ret, (size_t)len, problems);
}

int policy_text_file_hash(const char *path, char hash[POLICY_HASH_MAX],
			  struct regpin_policy *policy, struct problems *problems)
{
	char *text, found[POLICY_MAX_SOURCE];
	ssize_t len = text_load(path, found, &text, problems);
	int ret = (int)len;

	hash[0] = 0;
	if (len >= 0) {
		policy_hash(hash, text, (size_t)len);
		ret = policy_text_read(*found ? found : path, text,
				       (size_t)len, policy, problems);
	}
	free(text);
	return ret;
}

int policy_text_file(const char *path, struct regpin_policy *policy,
		     struct problems *problems)
{
	char hash[POLICY_HASH_MAX];

	return policy_text_file_hash(path, hash, policy, problems);
}

int policy_text_keep(const char *path, struct policy_written *written,
		     struct problems *problems)
{
	char *text, found[POLICY_MAX_SOURCE];
	ssize_t len = text_load(path, found, &text, problems);
	int ret = (int)len;

	if (len >= 0)
		ret = policy_keep(written, *found ? found : path, text,
				  (size_t)len);
	free(text);
	return ret;
}
