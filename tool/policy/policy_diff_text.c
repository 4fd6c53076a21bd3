// SPDX-License-Identifier: GPL-2.0-only
/* Changes of policies, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "acceptance.h"
#include "lib/policy/registers.h"

#include "event/event_names.h"
#include "policy_diff_text.h"
#include "policy_when.h"

static const char *const class_names[DIFF_CLASS_MAX] = {
	[DIFF_LOOSENS] = "loosens",
	[DIFF_TIGHTENS] = "tightens",
	[DIFF_CHANGES] = "changes",
};

static const char *const what_names[DIFF_WHAT_MAX] = {
	[DIFF_CLEAR] = "clearing",
	[DIFF_SET] = "setting",
	[DIFF_REQUIRE] = "starting without",
	[DIFF_ONCE] = "a write after the set-up",
	[DIFF_UNIFORM] = "another value than the first vCPU's",
	[DIFF_READ] = "reads",
	[DIFF_WRITE] = "writes",
	[DIFF_VALUE] = "the value that reads return",
	[DIFF_DEFAULT_READ] = "reads of MSRs without a rule",
	[DIFF_DEFAULT_WRITE] = "writes of MSRs without a rule",
	[DIFF_UNKNOWN] = "accesses to MSRs that KVM does not know",
	[DIFF_INVALID] = "accesses that KVM refuses",
	[DIFF_ARMING] = "arming",
	[DIFF_REQUEST_MSR] = "the MSR by which the guest requests arming",
	[DIFF_NESTED] = "nested virtualisation",
	[DIFF_SMM] = "System-Management Mode",
	[DIFF_S3] = "S3",
	[DIFF_DEADLINE] = "the deadline of unarmed vCPUs",
	[DIFF_DEADLINE_ACTION] = "a missed deadline",
	[DIFF_DETECT] = "the interval of polling",
	[DIFF_DETECT_ACTION] = "a detected violation",
	[DIFF_INIT_ACTION] = "INIT of an armed vCPU",
	[DIFF_UNARMED] = "the time until an unarmed VM is reported",
};

static const char *const arming_names[ARM_MAX] = {
	[ARM_START] = "start",
	[ARM_SYSCALL_ENTRY] = "syscall-entry",
	[ARM_REQUEST] = "request",
	[ARM_OPERATOR] = "operator",
};

/* Appends to @buf as much as there is room for. */
static void __attribute__((format(printf, 3, 4)))
append(char *buf, size_t size, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	va_start(ap, format);
	vsnprintf(buf + len, size - len, format, ap);
	va_end(ap);
}

const char *register_bits_text(char *buf, size_t size, unsigned int kind,
			       uint32_t index, uint64_t bits)
{
	const struct regpin_register *reg = register_find(kind, index);

	buf[0] = 0;
	for (unsigned int i = 0; reg && i < reg->nbits; i++) {
		const struct regpin_bit *bit = &regpin_bits[reg->bits + i];
		uint64_t mask = (UINT64_MAX >> (64 - bit->width)) << bit->lo;

		if (bits & mask)
			append(buf, size, "%s%s", buf[0] ? " " : "", bit->name);
		bits &= ~mask;
	}
	/* Bits without a name, as ranges. */
	for (unsigned int n = 0, end; n < 64; n = end + 1) {
		for (end = n; end < 64 && bits >> end & 1; end++)
			;
		if (end > n + 1)
			append(buf, size, "%s%u-%u", buf[0] ? " " : "", n,
			       end - 1);
		else if (end > n)
			append(buf, size, "%s%u", buf[0] ? " " : "", n);
	}
	return buf;
}

/* By enum acceptance. */
static const char *const acceptance_words[] = {
	[NO_PINS] = "accepted",
	[ACCEPTED] = "accepted",
	[TOLERATED] = "tolerated",
	[REFUSED] = "refused",
};

static void append_effect(char *buf, size_t size, uint8_t effect)
{
	uint8_t action = effect & (uint8_t)~DIFF_DETECTED;

	if (!effect || action >= REGPIN_ACTION_MAX)
		append(buf, size, "free");
	else if (effect & DIFF_DETECTED)
		append(buf, size, "detected");
	else
		append(buf, size, "%s", regpin_action_names[action]);
}

/* Appends how accesses that KVM refuses are handled. */
static void append_refused(char *buf, size_t size, uint8_t effect,
			   uint64_t value)
{
	uint8_t action = effect & (uint8_t)~DIFF_ANSWERS;

	append(buf, size, "%s", !effect || action >= REGPIN_ACTION_MAX ?
	       "gp" : regpin_action_names[action]);
	if (effect & DIFF_ANSWERS)
		append(buf, size, ", reads give 0x%" PRIx64, value);
}

static void append_value(char *buf, size_t size,
			 const struct policy_change *change, uint8_t effect,
			 uint64_t value)
{
	switch (change->what) {
	case DIFF_VALUE:
		if (effect)
			append(buf, size, "0x%" PRIx64, value);
		else
			append(buf, size, "the register");
		break;
	case DIFF_UNKNOWN:
	case DIFF_INVALID:
		append_refused(buf, size, effect, value);
		break;
	case DIFF_ARMING:
		append(buf, size, "%s",
		       value < ARM_MAX ? arming_names[value] : "?");
		break;
	case DIFF_REQUEST_MSR:
		append(buf, size, value ? "0x%" PRIx64 : "none", value);
		break;
	case DIFF_NESTED:
	case DIFF_SMM:
	case DIFF_S3:
		append(buf, size, "%s", acceptance_words[value]);
		break;
	case DIFF_DEADLINE:
	case DIFF_DETECT:
	case DIFF_UNARMED:
		append(buf, size, value ? "%" PRIu64 " ms" : "none", value);
		break;
	case DIFF_DEADLINE_ACTION:
	case DIFF_DETECT_ACTION:
	case DIFF_INIT_ACTION:
		append(buf, size, "%s", value < REGPIN_ACTION_MAX ?
						regpin_action_names[value] : "?");
		break;
	default:
		append_effect(buf, size, effect);
	}
}

const char *policy_change_class(const struct policy_change *change)
{
	return class_names[change->class];
}

const char *policy_change_from(char buf[DIFF_VALUE_TEXT],
			       const struct policy_change *change)
{
	buf[0] = 0;
	append_value(buf, DIFF_VALUE_TEXT, change, change->from,
		     change->from_value);
	return buf;
}

const char *policy_change_to(char buf[DIFF_VALUE_TEXT],
			     const struct policy_change *change)
{
	buf[0] = 0;
	append_value(buf, DIFF_VALUE_TEXT, change, change->to,
		     change->to_value);
	return buf;
}

const char *policy_change_text(char *buf, size_t size,
			       const struct policy_change *change)
{
	/* Room for 64 names of bits. */
	char name[MEMBERS_TEXT_MAX], bits[64 * 32], when[WHEN_TEXT];

	snprintf(buf, size, "%s:", class_names[change->class]);
	if (change->count)
		append(buf, size, " %s", event_members_text(name, change->kind,
			change->index, change->count));
	if (change->bits == UINT64_MAX)
		append(buf, size, " (all bits)");
	else if (change->bits)
		append(buf, size, " %s",
		       register_bits_text(bits, sizeof(bits), change->kind,
					  change->index, change->bits));
	if (*when_text(when, &change->when))
		append(buf, size, " (when %s)", when);
	append(buf, size, "%s %s: ", change->count ? ":" : "",
	       what_names[change->what]);
	append_value(buf, size, change, change->from, change->from_value);
	append(buf, size, " -> ");
	append_value(buf, size, change, change->to, change->to_value);
	return buf;
}
