// SPDX-License-Identifier: LGPL-2.1-or-later
/* The MSRs for which KVM had no range left, as a sentence. */
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "lib/policy/registers.h"
#include "overflow.h"

/* Room for " and 4294967295 more" and for the advice that follows. */
#define RESERVE	160u

static const char *access_text(uint32_t flags)
{
	if (flags == KVM_MSR_FILTER_READ)
		return "reads of ";
	return flags == KVM_MSR_FILTER_WRITE ? "writes to " : "";
}

static int put_range(char *to, size_t size, const struct overflow_range *range)
{
	const struct regpin_register *reg =
		register_find(REGPIN_MSR, range->base);
	const char *access = access_text(range->flags);
	const char *whose = range->vmm ? "the VMM's filter" : "the policy";
	uint32_t last = range->base + (range->nmsrs - 1);
	char title[REGISTER_TITLE_MAX];

	if (range->nmsrs != 1)
		return snprintf(to, size, "%sMSRs 0x%x-0x%x (%s)", access,
				range->base, last, whose);
	if (reg)
		return snprintf(to, size, "%s%s (%s)", access,
				register_title(title, reg, range->base), whose);
	return snprintf(to, size, "%sMSR 0x%x (%s)", access, range->base,
			whose);
}

static size_t put(char *text, size_t size, size_t at, const char *what)
{
	int n = at < size ? snprintf(text + at, size - at, "%s", what) : 0;

	return at + (size_t)(n > 0 ? n : 0);
}

void overflow_text(char *text, size_t size, const struct overflow *overflow)
{
	char one[128];
	unsigned int i;
	size_t at = 0;

	at = put(text, size, at, "KVM's 16 ranges have no room for ");
	for (i = 0; i < overflow->nr; i++) {
		int n = put_range(one, sizeof(one), &overflow->list[i]);

		if (i && at + (size_t)n + RESERVE > size)
			break;
		if (i)
			at = put(text, size, at, ", ");
		at = put(text, size, at, one);
	}
	if (i < overflow->nr || overflow->more) {
		snprintf(one, sizeof(one), " and %u more", overflow->nr - i + overflow->more);
		at = put(text, size, at, one);
	}
	put(text, size, at,
	    ": name fewer MSRs, or wider ranges of them, outside of the usual windows (regpin-policy(5))");
}
