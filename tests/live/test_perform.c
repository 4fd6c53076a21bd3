// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins on registers whose writes regpin performs, and whose values it does not
 * remember: MTRRs, which every KVM has. Tested with one vCPU, with two at the same
 * time, and with values that KVM refuses.
 */
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "../build_policy.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "tap.h"
#include "tiny_run.h"

#define MTRR_DEF_TYPE	0x2ffu
#define DEF_TYPE_E	(1ull << 11)
#define PHYSBASE(n)	(MSR_MTRR_PHYSBASE0 + 2 * (n))
#define PHYSMASK(n)	(PHYSBASE(n) + 1)
#define FIX64K		0x250u
#define ROUNDS		1500

static unsigned int violations;
static struct regpin_event last;

static void on_event(void *context, const struct regpin_event *event)
{
	if (event->type != REGPIN_EVENT_VIOLATION)
		return;
	__atomic_add_fetch(&violations, 1, __ATOMIC_SEQ_CST);
	/* Read only while one vCPU runs. */
	last = *event;
}

static struct regpin_policy *pins(void)
{
	struct regpin_policy *policy = new_policy(ARM_START);

	add_pin(policy, RULE_STICKY, MTRR_DEF_TYPE, DEF_TYPE_E, REGPIN_GP);
	add_pin(policy, RULE_NEVER, PHYSBASE(0), 1, REGPIN_MASK);
	add_pin(policy, RULE_FROZEN, FIX64K, ALL, REGPIN_DROP);
	add_pin(policy, RULE_FROZEN, PHYSMASK(1), 1u << 11, REGPIN_REPORT);
	add_pin(policy, RULE_STICKY, PHYSBASE(2), 4, REGPIN_GP);
	add_deny(policy, PHYSBASE(3), 2, ACCESS_WRITE, REGPIN_PAUSE);
	ok(!finish_policy(policy), "pins on MTRRs are a valid policy");
	return policy;
}

/* One write: its outcome, the register's value afterwards, and the number of violations. */
static void step(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value,
		 int outcome, uint64_t stands, unsigned int expected,
		 const char *what)
{
	uint64_t guest = 0, host = 0;
	int wrote;

	violations = 0;
	wrote = tiny_wrmsr(vcpu, index, value);
	tiny_rdmsr(vcpu, index, &guest);
	tiny_get_msr(vcpu, index, &host);
	ok(wrote == outcome && guest == stands && host == stands &&
	   violations == expected,
	   "%s: %d, 0x%" PRIx64 ", 0x%" PRIx64 ", %u reported", what, wrote, guest,
	   host, violations);
}

static void test_alone(struct tiny_vcpu *vcpu)
{
	step(vcpu, MTRR_DEF_TYPE, 0xc06, 0, 0xc06, 0, "MTRRs may be enabled");
	step(vcpu, MTRR_DEF_TYPE, 0x406, TINY_GP, 0xc06, 1, "MTRRs may not be disabled");
	step(vcpu, MTRR_DEF_TYPE, 0, TINY_GP, 0xc06, 1,
	     "MTRRs may not be disabled together with other bits");
	step(vcpu, MTRR_DEF_TYPE, 0x806, 0, 0x806, 0, "other bits may change");
	step(vcpu, MTRR_DEF_TYPE, 0x1806, TINY_GP, 0x806, 0,
	     "a reserved bit is KVM's #GP, and no violation");
	step(vcpu, MTRR_DEF_TYPE, 0x1006, TINY_GP, 0x806, 1,
	     "a reserved bit and a violation together are one violation");
	step(vcpu, PHYSBASE(0), 0xc0000006, 0, 0xc0000006, 0, "a base may be written");
	step(vcpu, PHYSBASE(0), 0xd0000005, 0, 0xd0000004, 1,
	     "a forbidden type of a base is masked");
	step(vcpu, PHYSBASE(0), 0xd0000105, TINY_GP, 0xd0000004, 1,
	     "a masked value may be refused by KVM");
	ok(last.value == 0xd0000004, "the event has the value that stays after that");
	step(vcpu, FIX64K, 0x0606060606060606, 0, 0, 1,
	     "a write of a frozen register is dropped");
	step(vcpu, FIX64K, 0, 0, 0, 0, "a write of the same value is no violation");
	step(vcpu, PHYSMASK(1), 0xfc0000800, 0, 0xfc0000800, 1, "a reported write is done");
	step(vcpu, PHYSMASK(1), 1ull << 63, TINY_GP, 0xfc0000800, 1,
	     "a reported write may be refused by KVM");
	ok(last.value == 0xfc0000800, "the event has the value that stays then, too");
}

static void test_held(struct tiny_vcpu *vcpu)
{
	uint64_t value = 1;

	tiny_prepare(vcpu, TINY_WRMSR, PHYSBASE(3), 0xc0000006);
	ok(tiny_run(vcpu) == TINY_HELD, "a write is held");
	ok(!tiny_get_msr(vcpu, PHYSBASE(3), &value) && !value,
	   "the held write is not done");
	ok(!regpin_vcpu_answer(vcpu->regpin, REGPIN_ALLOW) &&
	   !tiny_run(vcpu) && !tiny_outcome(vcpu, TINY_WRMSR) &&
	   !tiny_get_msr(vcpu, PHYSBASE(3), &value) && value == 0xc0000006,
	   "the write is done after the operator allows it");
}

struct racer {
	struct tiny_vcpu *vcpu;
	uint64_t seed;
	unsigned int wrong, taken, lost;
};

/*
 * Each vCPU has its own registers: what the other one writes at the same time must not
 * show.
 */
static void *race(void *argument)
{
	struct racer *r = argument;
	uint64_t stands = 4;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t value = random64(&r->seed) & 0xfffff000 & ~0xfffull;
		uint64_t seen = 0;
		bool valid = i % 3, keeps = i % 5;
		int wrote;

		value |= (keeps ? 4 : 0) | (valid ? 0 : 0x100);
		wrote = tiny_wrmsr(r->vcpu, PHYSBASE(2), value);
		if (wrote && wrote != TINY_GP) {
			/* This vCPU is not usable any more. */
			r->lost = r->vcpu->run->exit_reason;
			r->wrong++;
			break;
		}
		if (wrote == 0) {
			stands = value;
			r->taken++;
		}
		r->wrong += (wrote == 0) != (valid && keeps);
		r->wrong += tiny_rdmsr(r->vcpu, PHYSBASE(2), &seen) != 0 ||
			    seen != stands || !(seen & 4);
	}
	return NULL;
}

static void test_race(struct tiny_vcpu *a, struct tiny_vcpu *b)
{
	struct racer racers[2] = { { .vcpu = a, .seed = 1 },
				   { .vcpu = b, .seed = 2 } };
	pthread_t threads[2];

	tiny_wrmsr(a, PHYSBASE(2), 4);
	tiny_wrmsr(b, PHYSBASE(2), 4);
	violations = 0;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, race, &racers[i]))
			abort();
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++)
		if (racers[i].lost)
			printf("# a vCPU is lost: exit reason %u\n",
			       racers[i].lost);
	ok(!racers[0].wrong && !racers[1].wrong && racers[0].taken > ROUNDS / 3 &&
	   violations == 2 * ROUNDS / 5,
	   "two vCPUs, %d writes each at once: %u and %u wrong, %u and %u accepted, %u reported",
	   ROUNDS, racers[0].wrong, racers[1].wrong, racers[0].taken,
	   racers[1].taken, violations);
}

int main(void)
{
	const char *why_not = tiny_why_not();
	struct regpin_policy *policy;
	struct tiny_vcpu a, b;
	struct tiny_vm vm;

	if (why_not)
		tap_skip_all(why_not);
	policy = pins();
	tiny_vm_new(&vm);
	tiny_vm_attach(&vm, policy, on_event, NULL);
	tiny_vcpu_new(&vm, &a, 0, TINY_LONG);
	tiny_vcpu_new(&vm, &b, 1, TINY_LONG);
	test_alone(&a);
	test_held(&a);
	test_race(&a, &b);
	tiny_vcpu_free(&a);
	tiny_vcpu_free(&b);
	tiny_vm_free(&vm);
	free(policy);
	return tap_done();
}
