// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints where each member of a struct that crosses processes or files stands, for
 * layout_doc.sh: lines "STRUCT MEMBER OFFSET SIZE", and with the member "-" the whole.
 */
#include <stddef.h>
#include <stdio.h>

#include "lib/policy/blob.h"
#include "shim/handoff.h"

#define MEMBER(type, member)						\
	printf(#type " " #member " %zu %zu\n", offsetof(struct type, member), \
	       sizeof(((struct type *)0)->member))
#define WHOLE(type)	printf(#type " - 0 %zu\n", sizeof(struct type))

static void print_blob(void)
{
	MEMBER(blob_header, magic);
	MEMBER(blob_header, version);
	MEMBER(blob_header, size);
	MEMBER(blob_header, flags);
	MEMBER(blob_header, arming);
	MEMBER(blob_header, nr_rules);
	MEMBER(blob_header, rule_size);
	MEMBER(blob_header, nr_whens);
	MEMBER(blob_header, when_size);
	MEMBER(blob_header, number);
	MEMBER(blob_header, pad);
	MEMBER(blob_header, settings);
	MEMBER(blob_header, source);
	MEMBER(blob_header, bases);
	WHOLE(blob_header);
	MEMBER(settings, request_msr);
	MEMBER(settings, deadline_ms);
	MEMBER(settings, unarmed_ms);
	MEMBER(settings, detect_ms);
	MEMBER(settings, init_action);
	MEMBER(settings, deadline_action);
	MEMBER(settings, detect_action);
	MEMBER(settings, pad);
	WHOLE(settings);
}

static void print_rules(void)
{
	MEMBER(rule, mask);
	MEMBER(rule, value);
	MEMBER(rule, index);
	MEMBER(rule, count);
	MEMBER(rule, line);
	MEMBER(rule, column);
	MEMBER(rule, kind);
	MEMBER(rule, type);
	MEMBER(rule, action);
	MEMBER(rule, access);
	MEMBER(rule, flags);
	MEMBER(rule, when);
	WHOLE(rule);
	MEMBER(when, families);
	MEMBER(when, models);
	MEMBER(when, vendor);
	MEMBER(when, nr_families);
	MEMBER(when, nr_models);
	MEMBER(when, pad);
	MEMBER(when, line);
	MEMBER(when, column);
	WHOLE(when);
}

static void print_ring(void)
{
	MEMBER(ring, head);
	MEMBER(ring, pad0);
	MEMBER(ring, tail);
	MEMBER(ring, pad1);
	MEMBER(ring, dropped);
	MEMBER(ring, unnamed);
	MEMBER(ring, sleeping);
	MEMBER(ring, pad2);
	MEMBER(ring, pad3);
	MEMBER(ring, slots);
	MEMBER(ring, lost);
	WHOLE(ring);
	MEMBER(ring_slot, turn);
	MEMBER(ring_slot, event);
	MEMBER(ring_slot, pad);
	WHOLE(ring_slot);
	MEMBER(ring_lost, key);
	MEMBER(ring_lost, count);
	MEMBER(ring_lost, bits);
	MEMBER(ring_lost, first);
	MEMBER(ring_lost, last);
	MEMBER(ring_lost, new_value);
	MEMBER(ring_lost, value);
	MEMBER(ring_lost, vcpu);
	MEMBER(ring_lost, index);
	WHOLE(ring_lost);
}

static void print_control(void)
{
	MEMBER(control, request);
	MEMBER(control, command);
	MEMBER(control, vm);
	MEMBER(control, vcpu);
	MEMBER(control, arg);
	MEMBER(control, once);
	MEMBER(control, blob_size);
	MEMBER(control, agent);
	MEMBER(control, pad);
	MEMBER(control, blob);
	MEMBER(control, pad_blob);
	WHOLE(control);
	MEMBER(control_answer, done);
	MEMBER(control_answer, result);
	MEMBER(control_answer, overflow_base);
	MEMBER(control_answer, overflow_nmsrs);
	MEMBER(control_answer, overflow_flags);
	MEMBER(control_answer, overflow_more);
	MEMBER(control_answer, pad);
	WHOLE(control_answer);
}

static void print_handoff(void)
{
	MEMBER(handoff, attached);
	MEMBER(handoff, refused);
	MEMBER(handoff, numbers);
	MEMBER(handoff, wake);
	MEMBER(handoff, pad);
	MEMBER(handoff, ring);
	MEMBER(handoff, answer);
	MEMBER(handoff, vms);
	MEMBER(handoff, vcpus);
	WHOLE(handoff);
	MEMBER(vm_status, flags);
	MEMBER(vm_status, vm);
	MEMBER(vm_status, policy);
	MEMBER(vm_status, pad);
	MEMBER(vm_status, state);
	WHOLE(vm_status);
	MEMBER(vcpu_status, flags);
	MEMBER(vcpu_status, vm);
	MEMBER(vcpu_status, vcpu);
	MEMBER(vcpu_status, pad);
	MEMBER(vcpu_status, held);
	WHOLE(vcpu_status);
	MEMBER(state_seen, taken);
	MEMBER(state_seen, loaded);
	WHOLE(state_seen);
	MEMBER(state_print, regs);
	MEMBER(state_print, clock);
	WHOLE(state_print);
}

static void print_message(void)
{
	MEMBER(handoff_message, magic);
	MEMBER(handoff_message, version);
	MEMBER(handoff_message, word);
	MEMBER(handoff_message, number);
	WHOLE(handoff_message);
}

static void print_event(void)
{
	MEMBER(regpin_event, time);
	MEMBER(regpin_event, old_value);
	MEMBER(regpin_event, new_value);
	MEMBER(regpin_event, value);
	MEMBER(regpin_event, bits);
	MEMBER(regpin_event, rip);
	MEMBER(regpin_event, type);
	MEMBER(regpin_event, vm);
	MEMBER(regpin_event, vcpu);
	MEMBER(regpin_event, index);
	MEMBER(regpin_event, rule);
	MEMBER(regpin_event, detail);
	MEMBER(regpin_event, policy);
	MEMBER(regpin_event, kind);
	MEMBER(regpin_event, action);
	MEMBER(regpin_event, write);
	MEMBER(regpin_event, cpl);
	MEMBER(regpin_event, has_rip);
	MEMBER(regpin_event, unread);
	MEMBER(regpin_event, pad);
	WHOLE(regpin_event);
}

int main(void)
{
	print_blob();
	print_rules();
	print_ring();
	print_control();
	print_handoff();
	print_message();
	print_event();
	return 0;
}
