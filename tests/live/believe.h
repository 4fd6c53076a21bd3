/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A random policy, the life of a guest under it, and the predictions of `regpin sim`
 * and `regpin explain`: shared by the files of test_believe.c.
 */
#ifndef REGPIN_TESTS_LIVE_BELIEVE_H
#define REGPIN_TESTS_LIVE_BELIEVE_H

#include "../random_filter.h"
#include "lib/judge/judge.h"
#include "lib/vm/vm.h"
#include "sim/trace.h"
#include "tiny_run.h"

#define BELIEVE_VCPUS	2
#define BELIEVE_STEPS	640	/* accesses, with what is set before and between them */
#define BELIEVE_EVENTS	12
#define BELIEVE_TEXT	8192	/* of the text of a policy */
#define MAX_OUTPUT	(1u << 20)	/* of regpin's output */

/**
 * struct moment - the state of a vCPU, as far as a test can observe it
 * @armed: its pins hold
 * @done: it has finished its syscall set-up
 * @beside: another vCPU is armed
 * @settled: the VM's first armed vCPU has finished its own set-up
 * @common: the register's value after that set-up
 * @no_common: the register's value is not settled yet, not even after that set-up
 * @paging: paging is on
 * @floor: EFER of the first armed vCPU when it was last seen
 * @once: the register's value when this vCPU's set-up was done
 */
struct moment {
	bool armed, done, beside, settled, no_common, paging;
	uint64_t common, once, floor;
};

/**
 * struct step - a line of the trace, and its effect in a guest
 * @op: the kind of line, enum trace_op
 * @vcpu: the vCPU
 * @index: the MSR
 * @value: the value written, or the answer
 * @refusal: how KVM alone refuses it, by a VM without regpin
 * @resync: the line gives the value that KVM made of a write, and is no access
 * @volatile_value: the register changes by itself, or KVM changed the value
 * @fate: 0, TINY_GP, TINY_HELD, TINY_STOPPED
 * @read: the result of the guest's RDMSR
 * @known: @before and @after are values that the VMM read
 * @moment: before the access, as far as the access depends on it
 * @strange: an act of the VMM or of the operator made @moment useless
 * @events: the events meanwhile
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
 * @twin: a vCPU without regpin, which shows what KVM alone does
 * @entered: a vCPU has written LSTAR in its set-up
 * @masked: a vCPU has written SFMASK in its set-up
 * @skipped: number of accesses left out because KVM alone did something odd
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
	bool odd[MAX_INDICES];		/* registers whose value is unknown */
	uint64_t seed;
	unsigned int skipped;
	unsigned int nr_steps;
	struct step steps[BELIEVE_STEPS];
};

/* Makes the text of a policy, in which policy_text_read() may find errors. */
void believe_policy(char *to, size_t size, uint64_t *seed,
		    const char *vendor, unsigned int family,
		    unsigned int model);

/* Runs a life of @accesses. The policy holds for the guest. */
void believe_live(struct life *life, unsigned int accesses);

/* The effect on KVM alone: TRACE_TAKEN and the register's value, or a refusal. */
enum twin {
	TWIN_DONE,
	TWIN_UNKNOWN,
	TWIN_INVALID,
	TWIN_ODD,	/* the CPU itself refuses it, or the effect cannot be observed */
};
enum twin believe_twin(struct tiny_vcpu *twin, bool write, uint32_t index,
		       uint64_t value, bool known, uint64_t before,
		       uint64_t *after);

/*
 * KVM refuses or cuts the value, and TCG takes it where KVM passes the register
 * through, so the twin differs from KVM (docs/replay.md). Always false except under
 * TCG.
 */
bool believe_tcg_differs(uint32_t index, uint64_t value);

/* Reads the vCPU's register. Returns false if KVM does not show it. */
bool believe_get(struct life *life, uint32_t vcpu, uint32_t index,
		 uint64_t *value);

/*
 * Applies the event that armed the vCPU before the access of @step: that access is then
 * judged as one of an armed vCPU.
 */
void moment_before(struct life *life, const struct step *step);
/* Fills in the moment of an access that was made. */
void moment_take(struct life *life, struct step *step);
/* Applies the effect of the access to the moment. */
void moment_after(struct life *life, const struct step *step);

/* Does MSR @index change by itself? */
bool believe_is_volatile(uint32_t index);

/**
 * struct claim - what `regpin explain` claims of an access
 * @found: there is a claim
 * @action: enum regpin_action
 * @answered: a read gives @value
 * @request: the guest requests its pins by this access
 */
struct claim {
	bool found, answered, request;
	unsigned int action;
	uint64_t value;
};

/*
 * Reads the claim from @json, the output of `regpin explain --json`. Bails out if it
 * has no meaning.
 */
struct claim explain_claim(const char *json, const struct step *step);

/* Its claim about accesses that KVM refuses; not @found if there is none. */
struct claim explain_refused(const char *json, const struct step *step);

/* The text from which the claim was taken. */
const char *explain_last_sentence(void);

/* The number of comparisons, and of those left out: see print_tally(). */
struct tally {
	unsigned int policies, rejected, steps, accesses, wrong, printed;
	unsigned int skipped, volatiles, cut, claims, odd_phase, repeated;
	unsigned int fates[TINY_STOPPED + 1], actions[REGPIN_ACTION_MAX];
	unsigned int types[RULE_TYPE_MAX], refusals[3], armings[ARM_MAX];
};

/* In test_believe.c. @repeats: this KVM makes two exits of some writes, see there. */
extern struct life recorded;
extern struct tally tally;
extern char policy_path[128], trace_path[128], output[MAX_OUTPUT];
extern bool repeats;

/* Runs `regpin COMMAND` and stores its output in @output. Returns its exit status. */
int ask(const char *command, const char *trace);

/* Reports a difference at line @number of the trace. */
void __attribute__((format(printf, 3, 4)))
differs(const struct step *step, unsigned int number, const char *format, ...);

/* The event with the verdict on the access, or NULL. */
const struct regpin_event *violation(const struct step *step);
bool stopped_at_the_door(const struct step *step);

/* This KVM runs some instructions twice. */
bool judged_twice(const struct step *step);

/* Compares the output of `regpin sim` with @recorded. */
void believe_sim(void);

#endif
