// SPDX-License-Identifier: GPL-2.0-only
/* A VM on the toy KVM: how it begins, ends, and is entered. */
#include <errno.h>
#include <string.h>

#include "exit_scene.h"
#include "lib/policy/policy.h"
#include "lib/vm/core.h"
#include "lib/vm/vm.h"

struct regpin_policy policies[2];
struct regpin_vm *vm;
struct regpin_vcpu *vcpus[TOY_VCPUS];
struct kvm_run runs[TOY_VCPUS];
struct story story;

static void event_seen(void *context, const struct regpin_event *event)
{
	REQUIRE(event->type < REGPIN_EVENT_TYPE_MAX);
	if (event->type == REGPIN_EVENT_VIOLATION && story.nr_events < MAX_EVENTS)
		story.events[story.nr_events++] = *event;
}

/* The toy's CPUID, with a family and a model. */
static bool set_cpuid(struct regpin_vcpu *vcpu, const char *vendor)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[5];
	} cpuid = { .header.nent = 5 };
	struct kvm_cpuid_entry2 *e = cpuid.entries;
	bool refused = toy.svm &&
		       !(policies[0].flags & POLICY_ACCEPT_NESTED) &&
		       !policy_only_reports(&policies[0]);
	int ret;

	memcpy(&e[0].ebx, vendor, 4);
	memcpy(&e[0].edx, vendor + 4, 4);
	memcpy(&e[0].ecx, vendor + 8, 4);
	e[1] = (struct kvm_cpuid_entry2){ .function = 1,
					  .eax = toy.signature };
	e[2].function = 0x80000001;
	e[2].edx = (toy.nx ? 1u << 20 : 0) | (toy.lm ? 1u << 29 : 0) |
		   (toy.aux ? 1u << 27 : 0);
	e[2].ecx = toy.svm ? 1u << 2 : 0;
	e[3] = (struct kvm_cpuid_entry2){ .function = 0x80000000,
					  .eax = 0x80000008 };
	e[4] = (struct kvm_cpuid_entry2){ .function = 0x80000008,
					  .eax = TOY_WIDTH };
	ret = regpin_vcpu_set_cpuid(vcpu, &cpuid.header);
	REQUIRE(ret == (refused ? -EPERM : 0));
	return !ret;
}

/* Sets the guest's CPU. Returns false if that guest must not run under this policy. */
static bool set_guest(void)
{
	static const char *const vendors[] = { "AuthenticAMD", "GenuineIntel" };
	static const unsigned int signatures[] = {
		STORY_HASWELL, STORY_SKYLAKE, STORY_ZEN,
	};
	unsigned int bits = story_number(32), i;

	toy.amd = !(bits & 1);
	toy.nx = !(bits & 2);
	toy.lm = !(bits & 4);
	toy.aux = !(bits & 8);
	toy.svm = bits & 16;
	toy.signature = signatures[story_number(3)];
	/*
	 * KVM has this register for guests only on VMX; this guest has none of its
	 * features.
	 */
	vm->host.offers.feature_control = toy.amd ? 0 : FEATURE_LOCK;
	for (i = 0; i < TOY_VCPUS; i++)
		if (!set_cpuid(vcpus[i], vendors[!toy.amd]))
			return false;
	return true;
}

bool scene_set(void)
{
	const struct regpin_vm_options options = {
		.size = sizeof(options), .event = event_seen,
	};
	struct host host = {
		.api_version = 12, .msr_filter = true, .msr_exits = true,
		.offers.tsc_aux = AUX_RDTSCP | AUX_RDPID,
	};

	memset(&toy, 0, sizeof(toy));
	memset(runs, 0, sizeof(runs));
	memset(vcpus, 0, sizeof(vcpus));
	story = (struct story){ .filters = 2 };
	host.ignore_msrs = toy.ignore_msrs = story_number(16) == 15;
	vm = NULL;
	if (vm_attach(&policies[0], &host, TOY_VM, &options, &vm)) {
		REQUIRE(toy.ignore_msrs);
		return false;
	}
	for (unsigned int i = 0; i < TOY_VCPUS; i++) {
		toy.exits[i] = (struct toy_exit){ .run = &runs[i] };
		story.answers[i] = REGPIN_ACTION_MAX;
		REQUIRE(!regpin_vcpu_attach(vm, (int)i, i, &runs[i],
					    &vcpus[i]));
	}
	return set_guest();
}

void scene_clear(void)
{
	for (unsigned int i = 0; i < TOY_VCPUS; i++)
		regpin_vcpu_detach(vcpus[i]);
	REQUIRE(!vm || (!vm->vcpus && !vm_is_armed(vm)));
	regpin_vm_detach(vm);
}

bool scene_enter(void)
{
	if (regpin_vcpu_enter(vcpus[story.now]) != REGPIN_ENTER)
		return false;
	if (toy.exits[story.now].pending)
		toy_complete(story.now);
	return true;
}

