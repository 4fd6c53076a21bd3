// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy and a story from the input: guests read and write, VMMs write, load
 * and reset, ioctls fail; all against a toy KVM. Whatever happens, a pin of an
 * armed vCPU gives way to the VMM only.
 */
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "judge.h"
#include "lifecycle.h"
#include "model.h"
#include "toy_kvm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)
#define MAX_RULES	6

enum op {
	OP_WRITE, OP_WRITE_BITS, OP_READ, OP_VMM_WRITE, OP_RESET, OP_LOAD,
	OP_GUEST_PAGING, OP_SWITCH, OP_FAIL, OP_FILTER, OP_MASK, OP_MAX
};

static struct input {
	const uint8_t *at, *end;
} in;

static struct regpin_policy policy, checked;
static struct problems problems;
static struct regpin_vm *vm;
static struct regpin_vcpu *vcpus[TOY_VCPUS];
static struct kvm_run runs[TOY_VCPUS];
static unsigned int now;		/* the vCPU that the story is about */
static unsigned int filters;		/* that the VMM may still set: slow */

static uint8_t next(void)
{
	return in.at < in.end ? *in.at++ : 0;
}

static uint64_t next_value(void)
{
	static const uint64_t some[] = {
		0, ~0ull, 0xffffffff81000000, 0xffffffff82000000, 0x47700,
		0xd01, 0x501, 0x901, 0x0007040600070406, 0x10,
		0x0000800000000000, 0xffff000081000000,
	};
	uint8_t kind = next();
	uint64_t value = 0;

	if (kind < 200)
		return some[kind % (sizeof(some) / sizeof(some[0]))];
	for (int i = 0; i < 8; i++)
		value = value << 8 | next();
	return value;
}

static void make_policy(void)
{
	unsigned int rules = next() % (MAX_RULES + 1);

	memset(&policy, 0, sizeof(policy));
	policy.arming = next() % ARM_MAX;
	while (rules--) {
		struct rule rule = {
			.index = replay_registers[next() % NR_REPLAY],
			.type = next() % RULE_VALUE, .count = 1,
			.action = 1 + next() % (REGPIN_ACTION_MAX - 1),
			.kind = REGPIN_MSR, .access = ACCESS_WRITE,
			.mask = ~0ull,
		};

		if (rule.type <= RULE_FROZEN)
			rule.mask = next_value();
		if (rule.type == RULE_DENY)
			rule.access = 1 + next() % 3;
		checked = policy;
		policy_add(&checked, &rule);
		memset(&problems, 0, sizeof(problems));
		if (!policy_check(&checked, &problems))
			policy = checked;
	}
}

static void event_seen(void *context, const struct regpin_event *event)
{
	REQUIRE(event->type < REGPIN_EVENT_TYPE_MAX);
	REQUIRE(event->rule == REGPIN_NO_RULE ||
		event->rule < policy.nr_rules);
	REQUIRE(event->type != REGPIN_EVENT_VIOLATION ||
		(event->bits && event->rule != REGPIN_NO_RULE));
}

/* regpin_vm_attach() would ask /dev/kvm: by hand, then, and no wiser. */
static void set_scene(void)
{
	memset(&toy, 0, sizeof(toy));
	memset(runs, 0, sizeof(runs));
	vm = pages_alloc(sizeof(*vm));
	REQUIRE(vm);
	vm->policy = &policy;
	vm->whole = &policy;
	vm->fd = TOY_VM;
	vm->options.event = event_seen;
	vm->wants_msrs = filter_needed(&policy);
	REQUIRE(!filter_build(&policy, NULL, &toy.filter));
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		REQUIRE(!regpin_vcpu_attach(vm, (int)i, i, &runs[i],
					    &vcpus[i]));
	/* What this toy's CPUID would say. */
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		vcpus[i]->guest.efer_forbidden &=
			~(EFER_NXE | EFER_LME | EFER_LMA);
	now = 0;
	filters = 1;
}

static void clear_scene(void)
{
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		regpin_vcpu_detach(vcpus[i]);
	REQUIRE(!vm->vcpus && !vm_armed(vm));
	regpin_vm_detach(vm);
}

/* May the guest's write of this register have turned @old into @new? */
static void check_rule(const struct rule *rule, const struct state *state,
		       uint64_t old, uint64_t new)
{
	if (rule->action == REGPIN_REPORT)
		return;
	if (rule->type == RULE_DENY && rule->access & ACCESS_WRITE)
		REQUIRE(old == new);
	if (rule->type == RULE_UNIFORM && state->uniform_known)
		REQUIRE(old == new || new == state->uniform);
	if (!state->armed)
		return;
	if (rule->type == RULE_STICKY)
		REQUIRE(!(old & ~new & rule->mask));
	if (rule->type == RULE_NEVER)
		REQUIRE(!(~old & new & rule->mask));
	if (rule->type == RULE_FROZEN)
		REQUIRE(!((old ^ new) & rule->mask));
	if (rule->type == RULE_ONCE && state->setup_done)
		REQUIRE(old == new || new == state->once);
	else if (rule->type == RULE_ONCE && old)
		REQUIRE(old == new);
}

/**
 * struct before - how things stood before the guest's write
 */
struct before {
	struct toy toy;
	struct state states[NR_REPLAY];
};

static void look(struct before *before)
{
	before->toy = toy;
	for (int i = 0; i < NR_REPLAY; i++) {
		struct access access = {
			.index = replay_registers[i],
			.old_value = toy.vcpus[now].msrs[i],
		};

		before->states[i] = lifecycle_state(vcpus[now], &access);
	}
}

static void check_write(const struct before *before, int slot, bool gp)
{
	const uint64_t *old = before->toy.vcpus[now].msrs;
	const uint64_t *new = toy.vcpus[now].msrs;

	for (int i = 0; i < NR_REPLAY; i++)
		REQUIRE((i == slot && !gp) || old[i] == new[i]);
	REQUIRE(!memcmp(&before->toy.vcpus[!now], &toy.vcpus[!now],
			sizeof(toy.vcpus[0])));
	for (uint32_t i = 0; i < policy.nr_rules; i++)
		if (policy.rules[i].index == replay_registers[slot])
			check_rule(&policy.rules[i], &before->states[slot],
				   old[slot], new[slot]);
	/* Once armed, a guest can't get out of it. */
	REQUIRE(!before->states[slot].armed || vcpus[now]->armed);
	REQUIRE(!before->states[slot].setup_done || vcpus[now]->setup_done);
}

/* The exit as KVM makes it. Returns regpin's answer: is it regpin's? */
static int exit_to_us(int slot, bool write, uint64_t value)
{
	struct kvm_run *run = &runs[now];

	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	run->msr.index = replay_registers[slot];
	run->msr.data = value;
	run->msr.error = 0;
	return regpin_vcpu_exit(vcpus[now]);
}

/* Is this an exit that the VMM must get? */
static bool is_vmms(int slot, unsigned int access)
{
	if (!vm->wants_msrs)
		return true;
	/* It wants to see what KVM refuses, and this it would have refused. */
	if (runs[now].msr.reason == KVM_MSR_EXIT_REASON_INVAL)
		return vm->vmm_mask & KVM_MSR_EXIT_REASON_INVAL;
	return vm->vmm_mask & KVM_MSR_EXIT_REASON_FILTER && vm->vmm &&
	       !model_filter_allows(&vm->vmm->filter, replay_registers[slot],
				    access);
}

static void guest_write(int slot, uint64_t value)
{
	static struct before before;
	bool gp = false;

	regpin_vcpu_enter(vcpus[now]);
	look(&before);
	if (model_filter_allows(&toy.filter.filter, replay_registers[slot],
				ACCESS_WRITE)) {
		gp = !toy_guest_write(&toy.vcpus[now], slot, value);
	} else if (exit_to_us(slot, true, value)) {
		gp = runs[now].msr.error;
	} else {
		/* It does nothing with it here. */
		REQUIRE(is_vmms(slot, ACCESS_WRITE));
		gp = true;
	}
	check_write(&before, slot, gp);
}

static void guest_read(int slot)
{
	static struct before before;

	regpin_vcpu_enter(vcpus[now]);
	look(&before);
	if (model_filter_allows(&toy.filter.filter, replay_registers[slot],
				ACCESS_READ))
		return;
	if (!exit_to_us(slot, false, 0))
		REQUIRE(is_vmms(slot, ACCESS_READ));
	else if (!runs[now].msr.error)
		REQUIRE(!runs[now].msr.data || runs[now].msr.data ==
			toy.vcpus[now].msrs[slot]);
	REQUIRE(!memcmp(&before.toy, &toy, sizeof(toy)));
}

static void vmm_write(int slot, uint64_t value)
{
	bool was = vcpus[now]->armed;

	regpin_vcpu_before_write(vcpus[now]);
	toy_host_write(&toy.vcpus[now], slot, value);
	regpin_vcpu_after_write(vcpus[now]);
	/* Not a reset while there is paging. */
	REQUIRE(!was || vcpus[now]->armed || !toy.vcpus[now].paging);
}

static void vmm_paging(bool paging, bool clear)
{
	struct toy_vcpu *to = &toy.vcpus[now];
	bool fails = toy.fails, was = to->paging;

	regpin_vcpu_before_write(vcpus[now]);
	to->paging = paging;
	if (clear)
		memset(to->msrs, 0, sizeof(to->msrs));
	regpin_vcpu_after_write(vcpus[now]);
	if (!paging && was && !fails)
		REQUIRE(!vcpus[now]->armed);
}

static void vmm_filter(void)
{
	static uint8_t bitmap[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter filter = { .flags = next() % 2 };

	if (!filters)
		return;
	filters--;
	memset(bitmap, next(), sizeof(bitmap));
	filter.ranges[0].base = next() % 2 ? 0xc0000080 : 0x174;
	filter.ranges[0].nmsrs = next() % 8;
	filter.ranges[0].flags = 1 + next() % 3;
	filter.ranges[0].bitmap = bitmap;
	regpin_vm_set_msr_filter(vm, &filter);
}

static void step(void)
{
	int slot = next() % NR_REPLAY;

	switch ((enum op)(next() % OP_MAX)) {
	case OP_WRITE:
		guest_write(slot, next_value());
		break;
	case OP_WRITE_BITS:
		guest_write(slot, toy.vcpus[now].msrs[slot] ^
				  (1ull << (next() % 64)));
		break;
	case OP_READ:
		guest_read(slot);
		break;
	case OP_VMM_WRITE:
		vmm_write(slot, next_value());
		break;
	case OP_RESET:
		vmm_paging(false, true);
		break;
	case OP_LOAD:
		vmm_paging(true, false);
		break;
	case OP_GUEST_PAGING:
		toy.vcpus[now].paging = !toy.vcpus[now].paging;
		break;
	case OP_SWITCH:
		now = !now;
		break;
	case OP_FAIL:
		toy.fails = !toy.fails;
		break;
	case OP_FILTER:
		vmm_filter();
		break;
	case OP_MASK:
	case OP_MAX:
		regpin_vm_set_user_msr(vm, next() % 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct input){ data, data + size };
	make_policy();
	set_scene();
	while (in.at < in.end)
		step();
	clear_scene();
	return 0;
}
