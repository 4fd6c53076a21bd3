/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a policy from the store by its hash: hash:6ec2df43a84d. */
#ifndef REGPIN_TOOL_STORE_FIND_H
#define REGPIN_TOOL_STORE_FIND_H

#include <stdbool.h>

#include "policy_kept.h"
#include "store_folder.h"

#define STORE_NAME	"hash:"
#define STORE_MIN_DIGITS	12u	/* as many as events have */

/* Does @path name a policy by its hash? */
bool store_is_name(const char *path);

/*
 * Finds the policy whose hash begins with @digits, 12 to 64 hexadecimal digits: in the folder
 * @only or, if that is NULL, in the first folder of this user's that has one. @kept points into
 * @file, which the caller frees. Returns 0, or a negative errno with a sentence in @error:
 * -EINVAL if @digits are none; -ENOTUNIQ if several texts fit; -ENOENT if none does; -EBADMSG
 * if the text is not the one that was kept, or its file can't be trusted.
 */
int store_find(const struct store_folder *only, const char *digits, struct kept *kept, char **file,
	       char error[STORE_ERROR_MAX]);

#endif
