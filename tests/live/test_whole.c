// SPDX-License-Identifier: GPL-2.0-only
/*
 * A policy's rules on all MSRs, in a real guest: `default: deny`, `unknown` and
 * `invalid`, with every action, beside a VMM with reasons and a filter of its own, and
 * across a swap of policies.
 */
#include <inttypes.h>

#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "scene.h"

#define KERNEL		0xffffffff81000000ull
#define NOWHERE		0x12345678u	/* no CPU has it, and it is in no window */
#define NOT_THERE	0x2f00u		/* no CPU has it, and it is in a window */
#define MTRR_DEF_TYPE	0x2ffu
#define BAD_TYPE	0xffull		/* KVM refuses it there */
#define OPEN		(ACCESS_READ | ACCESS_WRITE)
#define FILTER		KVM_MSR_EXIT_REASON_FILTER
#define UNKNOWN		KVM_MSR_EXIT_REASON_UNKNOWN
#define INVAL		KVM_MSR_EXIT_REASON_INVAL

static uint8_t none[KVM_MSR_FILTER_MAX_BITMAP_SIZE];

/* An MSR whose read KVM refuses although it knows it, or 0. */
static uint32_t refused_read;

static void find_refused_read(void)
{
	static const uint32_t some[] = { 0x10a, 0xcf, 0x345, 0x1d9, 0x560,
					 0xda0, 0x6a2, 0x3f1 };
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR,
				      .args = { INVAL } };
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	uint64_t value;

	tiny_vm_new(&vm);
	free(vm.cpuid);
	vm.cpuid = NULL;
	ioctl(vm.fd, KVM_ENABLE_CAP, &cap);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_REAL);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		if (tiny_rdmsr(&vcpu, some[i], &value) == TINY_EXIT) {
			refused_read = some[i];
			break;
		}
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
	printf("# KVM refuses reads of MSR 0x%x\n", refused_read);
}

/* The type of the rule of the only event; or none. */
static unsigned int rule_of(struct scene *s)
{
	unsigned int type = RULE_TYPE_MAX;

	if (s->nr_events == 1 &&
	    s->events[0].type == REGPIN_EVENT_VIOLATION &&
	    s->events[0].rule < s->policy->nr_rules)
		type = s->policy->rules[s->events[0].rule].type;
	else if (s->nr_events)
		type = RULE_TYPE_MAX + 1;
	s->nr_events = 0;
	return type;
}

#define NO_EVENT	RULE_TYPE_MAX

static void closed_read(struct scene *s, uint32_t index, unsigned int action)
{
	uint64_t value = 0x55;
	int outcome = tiny_rdmsr(&s->vcpu[0], index, &value);
	bool as_said = action == REGPIN_GP ? outcome == TINY_GP :
					     !outcome && value == 0;

	ok(as_said && rule_of(s) == RULE_DEFAULT,
	   "%s: a read of MSR 0x%x, and an event of the default",
	   regpin_action_names[action], index);
}

static void closed_write(struct scene *s, uint32_t index, unsigned int action)
{
	uint64_t before = scene_msr(&s->vcpu[0], index);
	int outcome = tiny_wrmsr(&s->vcpu[0], index, 0x1);
	const struct regpin_event e = s->events[0];

	ok(outcome == (action == REGPIN_GP ? TINY_GP : 0) &&
	   rule_of(s) == RULE_DEFAULT && e.index == index && e.write &&
	   e.action == action && e.new_value == 1 && e.rip == TINY_WRMSR &&
	   scene_msr(&s->vcpu[0], index) == before,
	   "%s: a write of MSR 0x%x, and the register is as it was",
	   regpin_action_names[action], index);
}

static struct regpin_policy *closed_policy(unsigned int access,
					   unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_default(policy, access, action);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_SFMASK, ALL, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_STAR, 1, REGPIN_GP);
	add_allow(policy, MSR_SYSENTER_CS, 1, OPEN);
	add_allow(policy, MSR_SYSENTER_ESP, 1, ACCESS_READ);
	add_answer(policy, 0x8b, 0x1234567890);
	add_deny(policy, 0x8b, 1, ACCESS_WRITE, REGPIN_DROP);
	add_allow(policy, NOWHERE + 16, 4, OPEN);
	return policy;
}

static const uint32_t closed[] = {
	MSR_CSTAR, MSR_PAT, MSR_EFER, 0x1a0, NOT_THERE, 0x3000, 0x3fffffff,
	NOWHERE, NOWHERE + 15, NOWHERE + 20, 0x40000000, 0x4b564d01, 0xbfffffff,
	0xc0010114, 0xc0013000, 0xfffffffe, 0xffffffff,
};

/* A register with a rule of its own is as free as before. */
static void check_open(struct scene *s, unsigned int action)
{
	struct tiny_vcpu *vcpu = &s->vcpu[0];
	uint64_t value = 0;

	ok(!tiny_wrmsr(vcpu, MSR_SYSENTER_CS, 0x10) &&
	   !tiny_rdmsr(vcpu, MSR_SYSENTER_CS, &value) && value == 0x10 &&
	   rule_of(s) == NO_EVENT, "an allowed MSR can be read and written");
	ok(!tiny_rdmsr(vcpu, MSR_SYSENTER_ESP, &value) &&
	   rule_of(s) == NO_EVENT, "an MSR that may be read can be read");
	closed_write(s, MSR_SYSENTER_ESP, action);
	ok(!tiny_rdmsr(vcpu, 0x8b, &value) && value == 0x1234567890 &&
	   !s->nr_events && !tiny_wrmsr(vcpu, 0x8b, 0) &&
	   rule_of(s) == RULE_DENY,
	   "a rule `value` and a rule `deny` apply besides the default");
	ok(!tiny_wrmsr(vcpu, MSR_STAR, 3) &&
	   !tiny_rdmsr(vcpu, MSR_STAR, &value) && value == 3 &&
	   rule_of(s) == NO_EVENT, "a pin exempts its register from the default");
	ok(tiny_wrmsr(vcpu, NOWHERE + 16, 1) == TINY_GP &&
	   tiny_rdmsr(vcpu, NOWHERE + 19, &value) == TINY_GP &&
	   rule_of(s) == NO_EVENT, "an allowed MSR that KVM does not have is a #GP by KVM");
	ok(!tiny_wrmsr(vcpu, MSR_LSTAR, KERNEL) &&
	   scene_only(s, REGPIN_EVENT_ARMED), "the vCPU arms");
	ok(tiny_wrmsr(vcpu, MSR_STAR, 2) == TINY_GP &&
	   rule_of(s) == RULE_STICKY, "the pins hold beside a default");
}

static void test_default(unsigned int action)
{
	struct scene s;

	printf("# default: deny, %s\n", regpin_action_names[action]);
	scene_open(&s, closed_policy(OPEN, action), 1, TINY_LONG);
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		closed_read(&s, closed[i], action);
		closed_write(&s, closed[i], action);
	}
	check_open(&s, action);
	scene_close(&s);
}

/* A default for one kind of access: the other kind is as without regpin, everywhere. */
static void test_default_half(unsigned int access)
{
	struct tiny_vcpu *vcpu;
	uint64_t value = 0;
	struct scene s;

	printf("# default: deny of %s\n", access == ACCESS_READ ? "reads" :
								   "writes");
	scene_open(&s, closed_policy(access, REGPIN_DROP), 1, TINY_LONG);
	vcpu = &s.vcpu[0];
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		access == ACCESS_READ ? closed_read(&s, closed[i], REGPIN_DROP) :
					closed_write(&s, closed[i], REGPIN_DROP);
	if (access == ACCESS_READ)
		ok(!tiny_wrmsr(vcpu, MSR_CSTAR, 5) &&
		   scene_msr(vcpu, MSR_CSTAR) == 5 &&
		   tiny_wrmsr(vcpu, NOT_THERE, 1) == TINY_GP &&
		   tiny_wrmsr(vcpu, NOWHERE, 1) == TINY_GP &&
		   tiny_wrmsr(vcpu, 0xffffffff, 1) == TINY_GP &&
		   rule_of(&s) == NO_EVENT,
		   "a default of reads leaves writes as without regpin");
	else
		ok(!tiny_rdmsr(vcpu, MSR_PAT, &value) &&
		   value == 0x0007040600070406 &&
		   tiny_rdmsr(vcpu, NOT_THERE, &value) == TINY_GP &&
		   tiny_rdmsr(vcpu, NOWHERE, &value) == TINY_GP &&
		   tiny_rdmsr(vcpu, 0xffffffff, &value) == TINY_GP &&
		   rule_of(&s) == NO_EVENT,
		   "a default of writes leaves reads as without regpin");
	scene_close(&s);
}

static void test_default_stop(void)
{
	struct scene s;

	scene_open(&s, closed_policy(OPEN, REGPIN_STOP), 1, TINY_LONG);
	ok(tiny_wrmsr(&s.vcpu[0], MSR_CSTAR, 5) == TINY_STOPPED &&
	   rule_of(&s) == RULE_DEFAULT && scene_msr(&s.vcpu[0], MSR_CSTAR) == 0,
	   "stop: the VM does not run on, and the write is not done");
	ok(tiny_wrmsr(&s.vcpu[0], MSR_SYSENTER_CS, 1) == TINY_STOPPED,
	   "stop: the VM does not run on later, either");
	scene_close(&s);
}

/**
 * struct refusal - an access that KVM refuses
 */
struct refusal {
	unsigned int type;
	uint32_t index;
	bool write;
};

static const struct refusal refusals[] = {
	{ RULE_UNKNOWN, NOWHERE, true }, { RULE_UNKNOWN, NOWHERE, false },
	{ RULE_UNKNOWN, NOT_THERE, true }, { RULE_UNKNOWN, NOT_THERE, false },
	{ RULE_UNKNOWN, 0xffffffff, true }, { RULE_UNKNOWN, 0xffffffff, false },
	{ RULE_INVALID, MTRR_DEF_TYPE, true }, { RULE_INVALID, 0, false },
	/*
	 * This one is pinned, so KVM has not seen it, and regpin refuses it in KVM's
	 * stead.
	 */
	{ RULE_INVALID, MSR_EFER, true },
};

static int refused_access(struct tiny_vcpu *vcpu, const struct refusal *r,
			  uint64_t *value)
{
	if (r->write)
		return tiny_wrmsr(vcpu, r->index, r->index == MSR_EFER ?
				  1ull << 40 : BAD_TYPE);
	return tiny_rdmsr(vcpu, r->index ? r->index : refused_read, value);
}

static void test_refusal(const struct refusal *r, unsigned int action,
			 bool answers)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	bool reported = action != REGPIN_GP && !(answers && !r->write);
	bool passes = answers && !r->write ? true : action == REGPIN_DROP;
	uint64_t value = 0x55, holds;
	int outcome;
	struct scene s;

	if (!r->index && !refused_read)
		return;
	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	if (action != REGPIN_GP || answers)
		add_wide(policy, r->type, action, answers ? RULE_ANSWERS : 0,
			 answers ? 0xabcdef0123456789 : 0);
	scene_open(&s, policy, 1, TINY_LONG);
	if (!r->index) {
		struct kvm_cpuid2 no_cpuid = { 0 };

		ioctl(s.vcpu[0].fd, KVM_SET_CPUID2, &no_cpuid);
	}
	holds = scene_msr(&s.vcpu[0], r->index);
	outcome = refused_access(&s.vcpu[0], r, &value);
	ok(outcome == (passes ? 0 : TINY_GP) &&
	   (r->write || !passes || value == (answers ? 0xabcdef0123456789 : 0)) &&
	   scene_msr(&s.vcpu[0], r->index) == holds &&
	   rule_of(&s) == (reported ? r->type : NO_EVENT),
	   "%s: %s%s: a %s of MSR 0x%x %s", rule_type_names[r->type],
	   regpin_action_names[action], answers ? ", with a value" : "",
	   r->write ? "write" : "read", r->index, passes ? "passes" : "is a #GP");
	scene_close(&s);
}

/* The VMM and the policy request exits: each gets those that it requested. */
static void test_vmm_mask(unsigned int mask, unsigned int action)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = 3, .base = MSR_CSTAR, .nmsrs = 1,
			       .bitmap = none },
	};
	unsigned int wrong = 0;
	struct scene s;

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	if (action != REGPIN_GP) {
		add_wide(policy, RULE_UNKNOWN, action, 0, 0);
		add_wide(policy, RULE_INVALID, action, 0, 0);
	}
	scene_open(&s, policy, 1, TINY_LONG);
	ok(!regpin_vm_set_user_msr(s.vm.regpin, mask) &&
	   !regpin_vm_set_msr_filter(s.vm.regpin, &filter),
	   "the VMM's mask %u and its filter are accepted", mask);
	for (int i = 0; i < 3; i++) {
		const uint32_t msrs[] = { MSR_CSTAR, NOWHERE, MTRR_DEF_TYPE };
		const uint32_t reasons[] = { FILTER, UNKNOWN, INVAL };
		bool ours = i && action == REGPIN_DROP;
		int outcome = tiny_wrmsr(&s.vcpu[0], msrs[i], BAD_TYPE);
		int expected = ours ? 0 :
			       mask & reasons[i] ? TINY_EXIT : TINY_GP;

		wrong += outcome != expected;
		if (outcome == TINY_EXIT) {
			wrong += s.vcpu[0].run->msr.reason != reasons[i] ||
				 s.vcpu[0].run->msr.index != msrs[i] ||
				 s.vcpu[0].run->msr.data != BAD_TYPE;
			s.vcpu[0].run->msr.error = 1;
			tiny_run(&s.vcpu[0]);
			wrong += tiny_outcome(&s.vcpu[0], TINY_WRMSR) != TINY_GP;
		}
	}
	ok(!wrong && s.nr_events == (action == REGPIN_GP ? 0 : 2),
	   "the VMM gets the exits that it requested, and no other ones (%s)",
	   regpin_action_names[action]);
	scene_close(&s);
}

/* The VMM's filter does not weaken the policy's default, nor the reverse. */
static void test_vmm_filter(void)
{
	static uint8_t all[KVM_MSR_FILTER_MAX_BITMAP_SIZE];
	struct kvm_msr_filter filter = {
		.ranges = { { .flags = 3, .base = NOWHERE - 8, .nmsrs = 64,
			      .bitmap = all },
			    { .flags = 3, .base = 0xc0000000, .nmsrs = 12288,
			      .bitmap = all },
			    { .flags = 3, .base = MSR_SYSENTER_CS, .nmsrs = 1,
			      .bitmap = none } },
	};
	uint64_t value;
	struct scene s;

	memset(all, 0xff, sizeof(all));
	scene_open(&s, closed_policy(OPEN, REGPIN_GP), 1, TINY_LONG);
	for (filter.flags = 0; filter.flags < 2; filter.flags++) {
		ok(!regpin_vm_set_msr_filter(s.vm.regpin, &filter) &&
		   !regpin_vm_set_user_msr(s.vm.regpin, FILTER),
		   "a VMM's filter with default %u is accepted", filter.flags);
		closed_read(&s, NOWHERE, REGPIN_GP);
		closed_write(&s, MSR_CSTAR, REGPIN_GP);
		closed_write(&s, 0xffffffff, REGPIN_GP);
		ok(tiny_rdmsr(&s.vcpu[0], MSR_SYSENTER_CS, &value) ==
		   TINY_EXIT && rule_of(&s) == NO_EVENT,
		   "an access that the policy allows and the VMM filters exits to the VMM");
		s.vcpu[0].run->msr.error = 1;
		tiny_run(&s.vcpu[0]);
	}
	scene_close(&s);
}

/*
 * No rule on any register, and a default of stop: the guest's first access to an MSR is
 * its last.
 */
static void test_nothing_else(bool write)
{
	struct regpin_policy *policy = new_policy(ARM_START);
	uint64_t value = 0x55;
	struct scene s;

	add_default(policy, OPEN, REGPIN_STOP);
	scene_open(&s, policy, 1, TINY_LONG);
	ok((write ? tiny_wrmsr(&s.vcpu[0], MSR_EFER, 0xd01) :
		    tiny_rdmsr(&s.vcpu[0], 0x10, &value)) == TINY_STOPPED &&
	   scene_count(&s, REGPIN_EVENT_VIOLATION) == 1 &&
	   s.events[s.nr_events - 1].action == REGPIN_STOP,
	   "with only a default of stop, the first %s stops the VM",
	   write ? "write" : "read");
	ok(tiny_rdmsr(&s.vcpu[0], 0x800, &value) == TINY_STOPPED,
	   "the VM does not run again after that");
	scene_close(&s);
}

int main(void)
{
	static const unsigned int actions[] = { REGPIN_GP, REGPIN_REPORT,
						REGPIN_DROP };
	const char *why_not = tiny_why_not();

	if (why_not)
		tap_skip_all(why_not);
	find_refused_read();
	test_default(REGPIN_GP);
	test_default(REGPIN_DROP);
	test_default_half(ACCESS_READ);
	test_default_half(ACCESS_WRITE);
	test_default_stop();
	test_nothing_else(false);
	test_nothing_else(true);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		for (int j = 0; j < 3; j++)
			for (int answers = 0; answers < 2; answers++)
				test_refusal(&refusals[i], actions[j], answers);
	for (unsigned int mask = 0; mask < 8; mask++)
		for (int j = 0; j < 3; j++)
			test_vmm_mask(mask, actions[j]);
	test_vmm_filter();
	return tap_done();
}
