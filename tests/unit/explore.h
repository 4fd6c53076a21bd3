/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of a mock VM, the key of a state, and the invariants. */
#ifndef REGPIN_TESTS_UNIT_EXPLORE_H
#define REGPIN_TESTS_UNIT_EXPLORE_H

#include <stdbool.h>
#include <stdint.h>

#include "mock_kvm.h"

/*
 * The guest:	L, Z	LSTAR is set, cleared		S, s	SFMASK is written, with 0
 *		P	paging is turned on		Q	it requests its pins
 *		V	once pinned, it makes a write that its pins forbid
 *		I, i	INIT and SIPI; the same, not reported by KVM
 *		X	shutdown			M	SMM begins or ends
 * The VMM:	R, r, m	reset; only its control registers, only its MSRs
 *		D, d	a kernel's state is loaded; LSTAR is cleared
 *		E, K	the vCPU is entered; after a tick
 *		G	the vCPU's thread ends		T	it has run past its deadline
 * Operator:	W, O	window, for one kernel		C, A	disarms, arms
 *		a, g	answers: allow, #GP		Y	another policy
 */
#define ALL_EVENTS	"LZSsPVIXMRrmDdEGTag"
#define ALL_VM_EVENTS	"WOCAQ"

/* Does what @event names. Returns false if that is not possible now. */
bool happens(char event, unsigned int vcpu, const struct regpin_policy *other);

void pass_time(void);

#define KEY_VM		13
#define KEY_VCPU	22
#define KEY_FIRST	5	/* which of the vCPUs is the first armed one, from 1 */

struct key {
	uint8_t bytes[KEY_VM + MOCK_VCPUS * KEY_VCPU];
};

/* Writes what the life cycle depends on, for the first @nr vCPUs. */
struct key state_key(unsigned int nr, uint64_t now, uint64_t deadline);

/*
 * Sorts the vCPUs' parts of @key, so that states that differ only in the order of their
 * vCPUs have the same key: the library uses a vCPU's number as a name only.
 */
void key_sort(struct key *key, unsigned int nr);

/* A description of what is wrong with the state, NULL if nothing is. */
const char *state_is_wrong(unsigned int nr);

/* The phases met in all states so far. */
extern bool phases_met[];

#endif
