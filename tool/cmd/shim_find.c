// SPDX-License-Identifier: GPL-2.0-only
/* The shim that belongs to this program. */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "shim_find.h"
#include "with_shim.h"

#define SHIM	"libregpin-shim.so"

int shim_refuse_missing(void)
{
	if (WITH_SHIM)
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: this regpin was built without its shim (-Dshim=false), which 'regpin run' preloads into the VMM: install a regpin that was built with it\n");
	return EXIT_RUN;
}

int shim_find(char shim[PATH_MAX])
{
	char exe[PATH_MAX], path[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	*shim = 0;
	if (n > 0) {
		exe[n] = 0;
		snprintf(path, sizeof(path), "%s/../shim/" SHIM, dirname(exe));
		if (!realpath(path, shim))
			*shim = 0;
	}
	if (!*shim)
		snprintf(shim, PATH_MAX, "%s", PKGLIBDIR "/" SHIM);
	if (access(shim, R_OK) < 0) {
		fprintf(stderr, "regpin: the shim %s can't be read (%s): regpin is not completely installed\n",
			shim, strerror(errno));
		return EXIT_RUN;
	}
	if (strpbrk(shim, ": \t\n")) {
		fprintf(stderr, "regpin: the shim's path '%s' has a space or a colon in it, which LD_PRELOAD can't hold: install or build regpin in another directory\n",
			shim);
		return EXIT_RUN;
	}
	return 0;
}
