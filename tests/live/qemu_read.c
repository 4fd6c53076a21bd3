// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints what regpin reads from QEMU's command line, for qemu.sh:
 *	qemu_read QEMU ARGUMENTS
 */
#include <stdio.h>

#include "vmm/qemu_options.h"

static FILE *open_file(void *context, const char *path, bool *missing)
{
	FILE *file = fopen(path, "re");

	*missing = !file;
	return file;
}

int main(int argc, char **argv)
{
	static const char *const accels[] = {
		[QEMU_KVM] = "kvm", [QEMU_KVM_OR_TCG] = "kvm",
		[QEMU_TCG] = "tcg", [QEMU_OTHER_ACCEL] = "other",
	};
	static const char *const machines[] = {
		[QEMU_PC] = "pc", [QEMU_Q35] = "q35", [QEMU_NO_S3] = "no-s3",
		[QEMU_NO_GUEST] = "none", [QEMU_OTHER] = "other",
	};
	struct qemu_options options;
	const char *remedy;

	qemu_options_read(&options, (const char *const *)argv + 1, NULL, open_file,
			  NULL);
	if (options.prints)
		puts("exits");
	else
		printf("%s %s s3=%s\n", machines[qemu_options_machine(&options)],
		       accels[qemu_options_accel(&options)],
		       qemu_options_s3(&options, &remedy) ? "on" : "off");
	return 0;
}
