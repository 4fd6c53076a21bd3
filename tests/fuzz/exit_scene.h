/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM for the stories of fuzz_exit, under two policies, and a guest's accesses in it. */
#ifndef REGPIN_TESTS_FUZZ_EXIT_SCENE_H
#define REGPIN_TESTS_FUZZ_EXIT_SCENE_H

#include "exit_oracle.h"
#include "exit_story.h"

#define MAX_EVENTS	EXPECTED_MAX

/**
 * struct story - its present state
 * @now: the vCPU that acts
 * @in_force: the policy that is in force
 * @swapping: KVM still has the filter of the other policy
 * @filters: how many filters the VMM may still set, as that is slow
 * @vmm_mask: the VMM's reasons
 * @held: the access that last held each vCPU
 * @answers: its answer; REGPIN_ACTION_MAX: there is none that still counts
 * @had: the bits required beside armed vCPUs, as of the last step
 * @events: the events of the present access
 */
struct story {
	unsigned int now;
	unsigned int in_force;
	bool swapping;
	unsigned int filters;
	uint64_t vmm_mask;
	struct regpin_event held[TOY_VCPUS];
	unsigned int answers[TOY_VCPUS];
	struct protections had;
	unsigned int nr_events;
	struct regpin_event events[MAX_EVENTS];
};

extern struct story story;

extern struct regpin_policy policies[2];
extern struct regpin_vm *vm;
extern struct regpin_vcpu *vcpus[TOY_VCPUS];
extern struct kvm_run runs[TOY_VCPUS];

/*
 * scene_set() begins a VM under the first policy, or returns false if that policy allows no
 * VM. scene_clear() ends the VM.
 */
bool scene_set(void);
void scene_clear(void);

/* The VMM enters a vCPU, which runs unless it is held or its VM is stopped. */
bool scene_enter(void);

/* exit_checks.c: a guest's access and its effect; and an exit that KVM would not make. */
void guest_access(uint32_t index, bool write, uint64_t value);
void forged_exit(uint32_t index, bool write, uint64_t value);

/* KVM gets the filter of the policy in force, with this access in between. */
void follow_policy(uint32_t index, bool write, uint64_t value);

#endif
