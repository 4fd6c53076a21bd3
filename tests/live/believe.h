/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A random policy, what a guest lives under it, and what `regpin sim` and `regpin
 * explain` say of that: between the files of test_believe.c.
 */
#ifndef REGPIN_TESTS_LIVE_BELIEVE_H
#define REGPIN_TESTS_LIVE_BELIEVE_H

#include "../random_filter.h"
#include "lib/judge/judge.h"
#include "lib/vm/vm.h"
#include "sim/trace.h"
#include "tiny.h"

#define BELIEVE_VCPUS	2
#define BELIEVE_STEPS	640	/* accesses, and what is set before and between them */
#define BELIEVE_EVENTS	12
#define BELIEVE_TEXT	8192	/* of a policy */
#define MAX_SAID	(1u << 20)	/* of what regpin prints */

/**
 * struct moment - what a test knows of a vCPU by what it has seen happen
 * @armed: its pins hold
 * @done: it has finished its syscall set-up
 * @beside: another vCPU is armed
 * @settled: the VM's first armed vCPU has finished its own
 * @common: what that left in the register
 * @no_common: but it is one whose value is not settled yet
 * @paging: is on
 * @floor: what that vCPU was last seen to have in EFER
 * @once: what the register held when this vCPU's set-up was done
 */
struct moment {
	bool armed, done, beside, settled, no_common, paging;
	uint64_t common, once, floor;
};

/**
 * struct step - a line of the trace, and what came of it in a guest
 * @op: what is done, by enum trace_op
 * @vcpu: by which
 * @index: MSR
 * @value: what is written, or the answer
 * @refusal: what KVM alone has against it, by a VM without regpin
 * @resync: it says what KVM made of a write, and is nothing that happens
 * @volatile_value: the register changes by itself, or KVM made another value of it
 * @fate: 0, TINY_GP, TINY_HELD, TINY_STOPPED
 * @read: what the guest's RDMSR gave
 * @known: @before and @after are what the VMM read
 * @moment: before the access, as far as it matters to that
 * @strange: what the VMM or the operator did makes @moment worthless
 * @events: what was told meanwhile
 */
struct step {
	enum trace_op op;
	uint32_t vcpu, index;
	uint64_t value;
	enum trace_refusal refusal;
	bool resync, volatile_value, once;
	int fate;
	uint64_t read;
	bool known, strange;
	uint64_t before, after;
	struct moment moment;
	unsigned int nr_events;
	struct regpin_event events[BELIEVE_EVENTS];
};

/**
 * struct life - all that happened to a VM under a policy
 * @twin: a vCPU without regpin, which says what KVM alone does
 * @entered: a vCPU has written LSTAR, @masked: and SFMASK, in its set-up
 * @skipped: accesses that were not made, as KVM alone did something odd
 */
struct life {
	struct regpin_policy *policy;
	struct tiny_vm vm;
	struct tiny_vcpu vcpus[BELIEVE_VCPUS];
	struct tiny_vcpu *twin;
	enum tiny_mode mode;
	bool strange, over, lost;
	struct moment now[BELIEVE_VCPUS];
	bool entered[BELIEVE_VCPUS], masked[BELIEVE_VCPUS];
	bool settled, common_known[NR_REPLAY];
	uint64_t common[NR_REPLAY], once[BELIEVE_VCPUS][NR_REPLAY];
	struct indices set;		/* what is accessed */
	bool odd[MAX_INDICES];		/* of which nobody knows what it holds */
	uint64_t seed;
	unsigned int skipped;
	unsigned int nr_steps;
	struct step steps[BELIEVE_STEPS];
};

/* A policy's text, for which policy_text_read() may find errors. */
void believe_policy(char *to, size_t size, uint64_t *seed,
		    const char *vendor, unsigned int family,
		    unsigned int model);

/* Lives: @accesses of them. The policy holds for the guest. */
void believe_live(struct life *life, unsigned int accesses);

/* What KVM alone makes of it: TRACE_TAKEN and what the register holds, or a refusal. */
enum twin {
	TWIN_DONE,
	TWIN_UNKNOWN,
	TWIN_INVALID,
	TWIN_ODD,	/* the CPU refuses it itself, or nobody can tell */
};
enum twin believe_twin(struct tiny_vcpu *twin, bool write, uint32_t index,
		       uint64_t value, bool known, uint64_t before,
		       uint64_t *after);

/*
 * What KVM refuses or cuts, and TCG takes where KVM passes the register through: so the
 * twin says something else than KVM does (docs/replay.md). Never, but under TCG.
 */
bool believe_tcg_differs(uint32_t index, uint64_t value);

/* The vCPU's register. False: KVM does not tell. */
bool believe_get(struct life *life, uint32_t vcpu, uint32_t index,
		 uint64_t *value);

/* What armed it before the access of @step, which is judged then as an armed one's. */
void moment_before(struct life *life, const struct step *step);
/* The access was made: in what moment? */
void moment_take(struct life *life, struct step *step);
/* And into what moment it leads. */
void moment_after(struct life *life, const struct step *step);

/* Does MSR @index change by itself? */
bool believe_is_volatile(uint32_t index);

/**
 * struct claim - what `regpin explain` says of an access
 * @found: it says something
 * @action: enum regpin_action
 * @answered: a read gives @value
 * @request: by this the guest asks for its pins
 */
struct claim {
	bool found, answered, request;
	unsigned int action;
	uint64_t value;
};

/* By @json, which `regpin explain --json` has printed. Bails out if it makes no sense. */
struct claim explain_claim(const char *json, const struct step *step);

/* What it says of accesses that KVM refuses; not @found if nothing. */
struct claim explain_refused(const char *json, const struct step *step);

/* From which it was taken. */
const char *explain_last_sentence(void);

/* How much was compared, and what was not: see print_tally(). */
struct tally {
	unsigned int policies, rejected, steps, accesses, wrong, told;
	unsigned int skipped, volatiles, cut, claims, odd_phase, repeated;
	unsigned int fates[TINY_STOPPED + 1], actions[REGPIN_ACTION_MAX];
	unsigned int types[RULE_TYPE_MAX], refusals[3], armings[ARM_MAX];
};

/* In test_believe.c. @repeats: this KVM makes two exits of some writes, see there. */
extern struct life lived;
extern struct tally tally;
extern char policy_path[128], trace_path[128], said[MAX_SAID];
extern bool repeats;

/* What `regpin COMMAND` prints, to @said. Returns its exit status. */
int ask(const char *command, const char *trace);

/* A difference at line @number of the trace. */
void __attribute__((format(printf, 3, 4)))
differs(const struct step *step, unsigned int number, const char *format, ...);

/* The event that says what was done about the access; NULL: nothing. */
const struct regpin_event *violation(const struct step *step);
bool stopped_at_the_door(const struct step *step);

/* By a KVM that runs some instructions twice. */
bool judged_twice(const struct step *step);

/* What `regpin sim` says of @lived. */
void believe_sim(void);

#endif
