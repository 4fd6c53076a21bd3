/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM of fuzz_exit's stories under two policies, and a guest's accesses in it. */
#ifndef REGPIN_TESTS_FUZZ_EXIT_SCENE_H
#define REGPIN_TESTS_FUZZ_EXIT_SCENE_H

#include "exit_oracle.h"
#include "exit_story.h"

#define MAX_EVENTS	EXPECTED_MAX

/**
 * struct story - where it stands
 * @now: the vCPU that it is about
 * @in_force: which of the policies
 * @swapping: and KVM still has the filter of the other one
 * @filters: that the VMM may still set: slow
 * @vmm_mask: the VMM's reasons
 * @held: by which access each vCPU was held last
 * @answers: and what was answered; REGPIN_ACTION_MAX: nothing that is still good
 * @had: what vCPUs must have that come up beside armed ones, as of the last step
 * @events: of the access that is looked at
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

/* A VM under the first of the policies; false if there can be none. And its end. */
bool scene_set(void);
void scene_clear(void);

/* The VMM enters. A vCPU that is not held and whose VM is not stopped goes on. */
bool scene_enter(void);

/* exit_checks.c: a guest's access, whatever comes of it; one that KVM would not make so. */
void guest_access(uint32_t index, bool write, uint64_t value);
void forged_exit(uint32_t index, bool write, uint64_t value);

/* KVM's filter follows the policy in force; and meanwhile there is this access. */
void follow_policy(uint32_t index, bool write, uint64_t value);

#endif
