// SPDX-License-Identifier: GPL-2.0-only
/*
 * S3 can't be told from a reset: the VMM clears its vCPUs, so their pins end, and the
 * guest then goes on at an address of its choice. QEMU's machines have it unless they
 * are told otherwise.
 */
#include <stdio.h>
#include <string.h>

#include "s3.h"

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_qemu(const char *arg)
{
	static const char *const names[] = {
		"qemu-system-x86_64", "qemu-system-i386", "qemu-kvm", "kvm",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(base(arg), names[i]) == 0)
			return true;
	return false;
}

/* Has @argv, behind QEMU's name, something that says @what? */
static bool says(char **argv, const char *what)
{
	for (; *argv; argv++)
		if (strstr(*argv, what))
			return true;
	return false;
}

static bool has_pins(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type < RULE_DENY &&
		    policy->rules[i].action != REGPIN_REPORT)
			return true;
	return false;
}

bool s3_refused(const struct regpin_policy *policy, char **argv)
{
	if (policy->flags & POLICY_ACCEPT_S3 || !has_pins(policy))
		return false;
	/* Behind a wrapper, perhaps. */
	while (*argv && !is_qemu(*argv))
		argv++;
	/* A microvm has no ACPI registers to suspend by; --help runs no guest. */
	if (!*argv || !says(argv + 1, "kvm") || says(argv + 1, "microvm") ||
	    says(argv + 1, "disable_s3=1") || says(argv + 1, "disable_s3=on"))
		return false;
	fprintf(stderr, "regpin: the VMM was not started: this QEMU gives its guest S3 (suspend to RAM), and a guest that wakes from it has no pins and goes on where it likes; switch it off (-global PIIX4_PM.disable_s3=1 with -machine pc, -global ICH9-LPC.disable_s3=1 with q35) or say `accept: [s3]` in the policy\n");
	return true;
}
