// SPDX-License-Identifier: GPL-2.0-only
/* `status`: the lines about vCPUs. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include "agent_state.h"
#include "base/proc.h"
#include "ctl_status_line.h"
#include "ctl_status_vcpu.h"
#include "event/event_json.h"
#include "event/event_names.h"
#include "launch_state.h"
#include "policies.h"
#include "policy/policy_diff_text.h"
#include "timed.h"

typedef uint64_t __attribute__((may_alias)) word;

_Static_assert(offsetof(struct vcpu_status, vcpu) == sizeof(word) &&
	       sizeof(struct vcpu_status) % sizeof(word) == 0,
	       "the flags and the VM's number are one word");

/*
 * Copies all but the flags, which the caller reads before and after: the acquire loads keep
 * that order.
 */
static void copy_words(const struct vcpu_status *from, struct vcpu_status *to)
{
	const word *in = (const word *)from;
	word *out = (word *)to;

	to->vm = __atomic_load_n(&from->vm, __ATOMIC_ACQUIRE);
	for (size_t i = 1; i < sizeof(*to) / sizeof(word); i++)
		out[i] = __atomic_load_n(&in[i], __ATOMIC_ACQUIRE);
}

/*
 * Copies an entry that may be changing. If its flags changed meanwhile, the event of a held
 * vCPU may be torn, so the copy is not shown as held.
 */
static bool copy_vcpu(const struct vcpu_status *from, struct vcpu_status *to)
{
	uint32_t flags = atomic_load(&from->flags);

	if (!(flags & STATUS_PRESENT))
		return false;
	copy_words(from, to);
	if (atomic_load(&from->flags) != flags)
		flags = atomic_load(&from->flags) & ~STATUS_HELD;
	atomic_init(&to->flags, flags);
	return flags & STATUS_PRESENT;
}

static uint32_t flags_of(const struct vcpu_status *vcpu)
{
	return atomic_load_explicit(&vcpu->flags, memory_order_relaxed);
}

/* The line of the event for which a vCPU is held. Returns false if it is not valid. */
static bool held_json(const struct ctl *ctl, const struct vcpu_status *vcpu,
		      char line[EVENT_LINE_MAX])
{
	size_t len;

	if (!(flags_of(vcpu) & STATUS_HELD))
		return false;
	len = event_json(line, &vcpu->held,
			 policies_find(ctl->agent, vcpu->held.policy));
	if (!len)
		return false;
	line[len - 1] = 0;
	return true;
}

/* The number of the hold of a vCPU, as in its events, or 0. */
static uint64_t hold_of(const struct ctl *ctl, const struct vcpu_status *vcpu)
{
	if (!(flags_of(vcpu) & STATUS_HELD))
		return 0;
	return pauses_hold_of(&ctl->agent->pauses, &vcpu->held);
}

static enum status_line vcpu_json(const struct ctl *ctl, unsigned int slot,
				  const struct vcpu_status *vcpu, uint64_t now, char *buf)
{
	uint32_t flags = flags_of(vcpu);
	uint64_t hold = hold_of(ctl, vcpu);
	char held[EVENT_LINE_MAX];
	struct json json;

	status_begin(buf, &json);
	json_u64(&json, "vm", vcpu->vm);
	json_u64(&json, "vcpu", vcpu->vcpu);
	json_bool(&json, "armed", flags & STATUS_ARMED);
	json_bool(&json, "in_setup", flags & STATUS_SETUP);
	json_bool(&json, "fresh", flags & STATUS_FRESH);
	json_bool(&json, "held", flags & STATUS_HELD);
	if (hold)
		json_u64(&json, "hold", hold);
	json_bool(&json, "reached", !(flags & STATUS_UNREACHED));
	if (held_json(ctl, vcpu, held))
		json_raw(&json, "held_by", held);
	if (flags & STATUS_HELD)
		timed_put_status(&json, ctl->agent, slot, &vcpu->held, now);
	return status_end(&json, buf);
}

/*
 * ": 0x751ef0 -> 0x651ef0" for a write, ": 0x1" for a read. Values that were not read are left
 * out.
 */
static void values_text(const struct regpin_event *held, char *buf, size_t size)
{
	bool read = !held->write && held->type != REGPIN_EVENT_DETECTED;
	size_t used = 0;

	*buf = 0;
	if (!(held->unread & REGPIN_UNREAD_OLD))
		used = (size_t)snprintf(buf, size, ": 0x%" PRIx64,
					(uint64_t)held->old_value);
	if (!read && !(held->unread & REGPIN_UNREAD_NEW))
		snprintf(buf + used, size - used, "%s0x%" PRIx64,
			 used ? " -> " : ": ", (uint64_t)held->new_value);
}

/* "write of CR4: 0x751ef0 -> 0x651ef0 (SMEP): sticky, linux.yaml:60:5" */
static void held_text(const struct ctl *ctl, const struct vcpu_status *vcpu,
		      char *buf, size_t size)
{
	const struct regpin_event *held = &vcpu->held;
	const struct regpin_policy *policy = policies_find(ctl->agent, held->policy);
	char name[REGISTER_NAME_MAX], bits[64 * 32] = "", where[400] = "";
	char place[PLACE_MAX];
	char values[64];

	if (!event_is_valid(held)) {
		snprintf(buf, size, "its event can't be read");
		return;
	}
	if (held->type != REGPIN_EVENT_VIOLATION &&
	    held->type != REGPIN_EVENT_DETECTED) {
		snprintf(buf, size, "%s", event_type_names[held->type]);
		return;
	}
	if (held->bits && held->bits != UINT64_MAX)
		register_bits_text(bits, sizeof(bits), held->kind, held->index,
				   held->bits);
	if (!policy)
		snprintf(where, sizeof(where), ": by an older policy (number %" PRIu32 ")",
			 held->policy);
	else if (held->rule < policy->nr_rules)
		snprintf(where, sizeof(where), ": %s, %s",
			 rule_type_names[policy->rules[held->rule].type],
			 policy_place(place, policy,
				      policy->rules[held->rule].line,
				      policy->rules[held->rule].column));
	values_text(held, values, sizeof(values));
	snprintf(buf, size, "%s%s of %s%s%s%s%s%s",
		 held->type == REGPIN_EVENT_DETECTED ? "found after a " : "",
		 held->write || held->type == REGPIN_EVENT_DETECTED ?
			 "write" : "read", event_register_name(name, held->kind, held->index),
		 values, *bits ? " (" : "", bits, *bits ? ")" : "", where);
}

static enum status_line vcpu_text(const struct ctl *ctl, unsigned int slot,
				  const struct vcpu_status *vcpu, uint64_t now, char *buf)
{
	uint32_t flags = flags_of(vcpu);
	uint64_t hold = hold_of(ctl, vcpu);
	char answer[64] = "";
	/* Room for the names of 64 bits and the rule's place. */
	char held[3072] = "", number[32] = "";

	if (flags & STATUS_HELD)
		held_text(ctl, vcpu, held, sizeof(held));
	if (hold)
		snprintf(number, sizeof(number), ", hold %" PRIu64, hold);
	if (flags & STATUS_HELD)
		timed_text(answer, sizeof(answer), ctl->agent, slot, &vcpu->held, now);
	snprintf(buf, EVENT_LINE_MAX, "vm %" PRIu32 " vcpu %" PRIu32 ": %s%s%s%s%s%s%s",
		 vcpu->vm, vcpu->vcpu,
		 status_armed(flags),
		 flags & STATUS_FRESH ? ", fresh since its INIT" : "",
		 flags & STATUS_UNREACHED ?
			 ", NOT REACHED by regpin's signal (see its event 'unreached')" : "",
		 flags & STATUS_HELD ? ", HELD: " : "", held, number, answer);
	make_printable(buf);
	return STATUS_LINE;
}

enum status_line ctl_vcpu_line(const struct ctl *ctl, unsigned int slot,
			      bool json, uint64_t now, char *buf)
{
	struct vcpu_status vcpu;

	if (!copy_vcpu(&ctl->agent->launch->shared->vcpus[slot], &vcpu))
		return STATUS_SKIP;
	return json ? vcpu_json(ctl, slot, &vcpu, now, buf) :
		      vcpu_text(ctl, slot, &vcpu, now, buf);
}
