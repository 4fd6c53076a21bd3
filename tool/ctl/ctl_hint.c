// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "ctl_hint.h"

#define PLAIN	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%"

struct ctl_hint ctl_hint(const char *dir)
{
	struct ctl_hint hint = { "" };
	bool fits, plain;

	if (!dir)
		return hint;
	/* The message has ' around the command. */
	fits = *dir && strlen(dir) < sizeof(hint.text) - 16 && !strpbrk(dir, "\"'\\$`!") &&
	       !strcmp(printable(dir), dir);
	plain = !fits || strspn(dir, PLAIN) == strlen(dir);
	snprintf(hint.text, sizeof(hint.text), plain ? " --ctl %s" : " --ctl \"%s\"",
		 fits ? dir : "DIR");
	return hint;
}
