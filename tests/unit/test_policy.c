// SPDX-License-Identifier: GPL-2.0-only
/* The errors and warnings of policy_check(), the order that it leaves, and its limits. */
#include "policy_scene.h"

/**
 * struct row - one rule, and the expected message
 * @error: part of the only error, NULL if there is none
 * @warning: part of the only warning, NULL if there is none
 */
struct row {
	uint8_t type, kind, action, access;
	uint32_t index, count;
	uint64_t mask;
	const char *error, *warning;
};

#define MSR(type, action, index, mask, error, warning) \
	{ RULE_##type, REGPIN_MSR, REGPIN_##action, ACCESS_WRITE, index, 1, \
	  mask, error, warning }
#define CR(type, action, kind, mask, error) \
	{ RULE_##type, REGPIN_##kind, REGPIN_##action, ACCESS_WRITE, 0, 1, \
	  mask, error, "only a KVM with regpin's CR filter" }
#define DENY(action, access, first, last, error, warning) \
	{ RULE_DENY, REGPIN_MSR, REGPIN_##action, access, first, \
	  (last) - (first) + 1, ALL, error, warning }
#define R	ACCESS_READ
#define W	ACCESS_WRITE

static const struct row rows[] = {
	/* pins need registers that can be replayed */
	MSR(STICKY, GP, MSR_EFER, EFER_NXE, NULL, NULL),
	MSR(FROZEN, MASK, MSR_PAT, ALL, NULL, NULL),
	MSR(NEVER, DROP, MSR_EFER, EFER_SVME, NULL, NULL),
	MSR(ONCE, REPORT, MSR_SYSENTER_ESP, ALL, NULL, NULL),
	MSR(UNIFORM, MASK, MSR_LSTAR, ALL, NULL, NULL),
	MSR(FROZEN, PAUSE, MSR_EFER, EFER_NXE, NULL, NULL),
	MSR(UNIFORM, STOP, MSR_LSTAR, ALL, NULL, NULL),
	MSR(STICKY, GP, 0x8b, 1, "only allow, value, and deny", NULL),
	MSR(UNIFORM, GP, 0x12345, ALL, "only allow, value, and deny", NULL),
	MSR(STICKY, GP, MSR_EFER, 0, "no bit", NULL),
	/*
	 * the types that compare with the past need registers whose values are
	 * remembered
	 */
	MSR(STICKY, GP, 0x2ff, 1u << 11, NULL, NULL),
	MSR(FROZEN, PAUSE, 0x20f, ALL, NULL, NULL),
	MSR(NEVER, MASK, 0x250, 1, NULL, NULL),
	MSR(UNIFORM, GP, 0x2ff, ALL, "does not record", NULL),
	MSR(ONCE, REPORT, 0x200, ALL, "does not record", NULL),
	MSR(ONCE, GP, MSR_TSC_AUX, ALL, "does not record", NULL),
	DENY(REPORT, R | W, 0x200, 0x20f, NULL, NULL),
	DENY(REPORT, R | W, 0x200, 0x210, "can't only report", NULL),
	/* deny: any MSR, but gp and drop only where it can't be replayed */
	DENY(GP, W, 0x8b, 0x8b, NULL, NULL),
	DENY(DROP, R, 0x8b, 0x8b, NULL, NULL),
	DENY(REPORT, R, 0x8b, 0x8b, "can't only report", NULL),
	DENY(REPORT, W, 0x8b, 0x8b, "can't only report", NULL),
	DENY(REPORT, R | W, MSR_EFER, MSR_SFMASK, NULL, NULL),
	DENY(REPORT, R | W, MSR_EFER, MSR_SFMASK + 1, "can't only report",
	     NULL),
	DENY(REPORT, R | W, MSR_EFER - 1, MSR_SFMASK, "can't only report",
	     NULL),
	DENY(PAUSE, R, 0x8b, 0x8b, "can't pause", NULL),
	DENY(PAUSE, W, 0x8b, 0x8b, "can't pause", NULL),
	DENY(PAUSE, R | W, MSR_EFER, MSR_SFMASK, "is armed by", NULL),
	DENY(PAUSE, R, MSR_EFER, MSR_SFMASK, NULL, NULL),
	DENY(PAUSE, R, MSR_EFER, MSR_SFMASK + 1, "can't pause", NULL),
	DENY(STOP, R | W, 0x8b, 0x8b, NULL, NULL),
	DENY(STOP, W, 0x48, 0x48, NULL, "the first access will stop the VM"),
	DENY(MASK, W, 0x8b, 0x8b, "no bits", NULL),
	DENY(MASK, R, MSR_EFER, MSR_EFER, "no bits", NULL),
	DENY(GP, W, 0x48, 0x48, NULL, "normal running"),
	DENY(GP, R, 0xc0000100, 0xc0000102, NULL, "FS_BASE and others"),
	/* what KVM can't filter */
	DENY(GP, R, 0x7ff, 0x7ff, NULL, NULL),
	DENY(GP, R, 0x800, 0x800, "x2APIC", NULL),
	DENY(GP, R, 0x8ff, 0x8ff, "x2APIC", NULL),
	DENY(GP, R, 0x900, 0x900, NULL, NULL),
	DENY(GP, R, 0x700, 0x900, "x2APIC", NULL),
	DENY(GP, R, 0x6e0, 0x6e0, NULL, "normal running"),
	DENY(GP, W, 0x6e0, 0x6e0, "TSC_DEADLINE", NULL),
	DENY(GP, R | W, 0x6e0, 0x6e8, "TSC_DEADLINE", NULL),
	DENY(GP, W, 0x6e2, 0x6e2, NULL, NULL),
	DENY(GP, R, 0x4b564dfe, 0x4b564dfe, NULL, NULL),
	DENY(GP, R, 0x4b564dff, 0x4b564dff, "GUEST_SSP", NULL),
	DENY(DROP, W, 0x4b564d00, 0x4b564dff, "GUEST_SSP", NULL),
	DENY(STOP, R | W, 0x4b564dff, 0x4b564eff, "GUEST_SSP", NULL),
	DENY(GP, R, 0x4b564e00, 0x4b564e00, NULL, NULL),
	DENY(GP, R, 0xfffffffe, 0xfffffffe, NULL, NULL),
	DENY(GP, R, 0xffffffff, 0xffffffff, "0xffffffff", NULL),
	DENY(GP, R, 0xffffff00, 0xffffffff, "0xffffffff", NULL),
	DENY(GP, R, 0x900, 0x2fff, NULL, "normal running"),
	DENY(GP, R, 0x10000, 0x12fff, NULL, NULL),
	DENY(GP, R, 0x10000, 0x13000, "at most 12288", NULL),
	DENY(GP, R, 0x0, 0xfffffffe, "at most 12288", NULL),
	{ RULE_DENY, REGPIN_MSR, REGPIN_GP, R, 5, 0, ALL, "0xffffffff", NULL },
	{ RULE_UNIFORM, REGPIN_MSR, REGPIN_GP, W, MSR_STAR, 2, ALL,
	  "single registers", NULL },
	/* arming */
	DENY(GP, W, MSR_LSTAR, MSR_LSTAR, "is armed by", NULL),
	DENY(DROP, W, MSR_SFMASK, MSR_SFMASK, "is armed by", NULL),
	DENY(GP, W, MSR_EFER, MSR_SFMASK, "is armed by", NULL),
	DENY(GP, R, MSR_LSTAR, MSR_LSTAR, NULL, NULL),
	DENY(REPORT, W, MSR_LSTAR, MSR_LSTAR, NULL, NULL),
	/* control registers */
	CR(STICKY, GP, CR0, 1 << 16, NULL),
	CR(FROZEN, MASK, XCR0, ALL, NULL),
	CR(NEVER, REPORT, CR4, 1 << 13, NULL),
	CR(NEVER, DROP, CR4, 1 << 13, "can't be dropped"),
	CR(STICKY, PAUSE, CR0, 1 << 16, NULL),
	CR(FROZEN, STOP, XCR0, ALL, NULL),
	{ RULE_UNIFORM, REGPIN_CR4, REGPIN_GP, W, 0, 1, ALL, "is for MSRs",
	  NULL },
	{ RULE_ONCE, REGPIN_CR0, REGPIN_GP, W, 0, 1, ALL, "is for MSRs",
	  NULL },
	{ RULE_DENY, REGPIN_CR0, REGPIN_GP, W, 0, 1, ALL, "is for MSRs",
	  NULL },
	{ RULE_VALUE, REGPIN_CR0, REGPIN_GP, R, 0, 1, ALL, "is for MSRs",
	  NULL },
	/*
	 * require: of CR0, CR4 and EFER, by bits' names, and not with an action that
	 * changes the value
	 */
	CR(REQUIRE, GP, CR0, 1 << 16, NULL),
	CR(REQUIRE, REPORT, CR4, 1 << 20, NULL),
	CR(REQUIRE, PAUSE, CR4, 1 << 20, NULL),
	CR(REQUIRE, STOP, CR4, 1 << 20, NULL),
	CR(REQUIRE, MASK, CR4, 1 << 20, "can't use this action"),
	CR(REQUIRE, DROP, CR0, 1 << 16, "can't use this action"),
	CR(REQUIRE, GP, CR4, ALL, "name the bits"),
	CR(REQUIRE, GP, XCR0, 1, "bits of CR0, CR4 and EFER"),
	MSR(REQUIRE, GP, MSR_EFER, EFER_NXE | EFER_SCE, NULL, NULL),
	MSR(REQUIRE, PAUSE, MSR_EFER, EFER_NXE, NULL, NULL),
	MSR(REQUIRE, DROP, MSR_EFER, EFER_NXE, "can't use this action",
	    NULL),
	MSR(REQUIRE, GP, MSR_EFER, EFER_NXE | EFER_LMA, "leave LMA out", NULL),
	MSR(REQUIRE, GP, MSR_EFER, ALL, "name the bits", NULL),
	MSR(REQUIRE, GP, MSR_EFER, 0, "no bit", NULL),
	MSR(REQUIRE, GP, MSR_LSTAR, 1, "bits of CR0, CR4 and EFER", NULL),
	MSR(REQUIRE, GP, 0x8b, 1, "bits of CR0, CR4 and EFER", NULL),
	{ RULE_REQUIRE, REGPIN_MSR, REGPIN_GP, W, MSR_EFER, 2, 1,
	  "single registers", NULL },
	/* report: of registers that can be performed, and no other action */
	{ RULE_REPORT, REGPIN_MSR, REGPIN_REPORT, R | W, MSR_LSTAR, 1, ALL,
	  NULL, NULL },
	{ RULE_REPORT, REGPIN_MSR, REGPIN_REPORT, W, MSR_STAR, 4, ALL, NULL,
	  NULL },
	{ RULE_REPORT, REGPIN_MSR, REGPIN_REPORT, R, 0x8b, 1, ALL,
	  "can't perform this one", NULL },
	{ RULE_REPORT, REGPIN_MSR, REGPIN_REPORT, W, MSR_STAR, 9, ALL,
	  "can't perform this one", NULL },
	{ RULE_REPORT, REGPIN_MSR, REGPIN_GP, W, MSR_LSTAR, 1, ALL,
	  "refuses nothing", NULL },
	{ RULE_REPORT, REGPIN_MSR, REGPIN_REPORT, R, 0x800, 1, ALL, "x2APIC",
	  NULL },
	CR(REPORT, REPORT, CR0, 1 << 16, NULL),
	CR(REPORT, GP, CR4, 1 << 20, "refuses nothing"),
	CR(REPORT, REPORT, XCR0, ALL, NULL),
	{ RULE_REPORT, REGPIN_CR4, REGPIN_REPORT, R | W, 0, 1, 1,
	  "no KVM forwards reads", NULL },
	/* value: reads only, of any MSR */
	{ RULE_VALUE, REGPIN_MSR, REGPIN_GP, R, 0x8b, 4, ALL, NULL, NULL },
	{ RULE_VALUE, REGPIN_MSR, REGPIN_GP, R | W, 0x8b, 1, ALL,
	  "does not apply to writes", NULL },
	{ RULE_VALUE, REGPIN_MSR, REGPIN_DROP, R, 0x8b, 1, ALL,
	  "no action", NULL },
};

static void each_row(void **state)
{
	for (size_t i = 0; i < NR(rows); i++) {
		const struct row *row = &rows[i];
		unsigned int errors;

		policy->nr_rules = 0;
		memset(problems, 0, sizeof(*problems));
		add_rule(policy, row->type, row->kind, row->index, row->mask,
			 row->action);
		policy->rules[0].count = row->count;
		policy->rules[0].access = row->access;
		errors = policy_check(policy, problems);
		if (errors != !!row->error ||
		    problems->nr - errors != !!row->warning ||
		    (row->error && !said(false, row->error)) ||
		    (row->warning && !said(true, row->warning)))
			fail_msg("row %zu: %u errors, %u problems, first: %s",
				 i, errors, problems->nr,
				 problems->list[0].text);
	}
}

static void arming_at_start(void **state)
{
	policy->arming = ARM_START;
	add_deny(policy, MSR_LSTAR, 1, ACCESS_WRITE, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
}

/* With arming on request, a vCPU that starts later arms by LSTAR, too. */
static void arming_when_asked(void **state)
{
	for (unsigned int arming = ARM_REQUEST; arming < ARM_MAX; arming++) {
		policy->arming = arming;
		policy->nr_rules = 0;
		memset(problems, 0, sizeof(*problems));
		add_deny(policy, MSR_LSTAR, 1, ACCESS_WRITE, REGPIN_GP);
		add_pin(policy, RULE_FROZEN, MSR_SFMASK, ALL, REGPIN_GP);
		assert_int_equal(policy_check(policy, problems), 1);
		assert_true(said(false, "is armed by"));
		assert_true(said(true, "after LSTAR"));
	}
}

/* No other part of the policy or of KVM may use the MSR for requests. */
static void request_msr(void **state)
{
	static const struct {
		uint32_t msr;
		const char *error;
	} msrs[] = {
		{ 0x4b4d5300, NULL },
		{ 0x4b564df0, NULL },
		{ 0x4b564dff, "for something else" },
		{ 0xc0012fff, NULL },
		{ 0xfffffffe, NULL },
		{ 0xffffffff, "can't filter" },
		{ 0x7ff, NULL },
		{ 0x800, "x2APIC" },
		{ 0x8ff, "x2APIC" },
		{ 0x900, NULL },
		{ 1, "for something else" },
		{ 0xc2, "for something else" },
		{ MSR_LSTAR, "for something else" },
		{ 0x4b564d00, "for something else" },
	};

	policy->arming = ARM_REQUEST;
	for (size_t i = 0; i < NR(msrs); i++) {
		memset(problems, 0, sizeof(*problems));
		policy->settings.request_msr = msrs[i].msr;
		assert_int_equal(policy_check(policy, problems),
				 !!msrs[i].error);
		if (msrs[i].error)
			assert_true(said(false, msrs[i].error));
	}
}

static void request_msr_and_rules(void **state)
{
	policy->arming = ARM_REQUEST;
	policy->settings.request_msr = 0x4b4d5300;
	add_deny(policy, 0x4b4d52f0, 0x10, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x4b4d5301, 0x10, ACCESS_WRITE, REGPIN_GP);
	add_deny(policy, 0x4b4d5300, 1, ACCESS_READ, REGPIN_GP);
	assert_int_equal(policy_check(policy, problems), 0);
	policy->rules[2].index--;
	assert_int_equal(policy_check(policy, problems), 1);
	assert_true(said(false, "no rule can be about them"));
}

/* That MSR needs a range of its own outside of the windows, and none inside. */
static void request_msr_elsewhere(void **state)
{
	policy->arming = ARM_REQUEST;
	for (uint32_t i = 1; i <= 3; i++)
		add_deny(policy, i << 20, 1, ACCESS_READ | ACCESS_WRITE,
			 REGPIN_GP);
	policy->settings.request_msr = 0x4b564df0;
	assert_int_equal(policy_check(policy, problems), 0);
	policy->settings.request_msr = 0x4b4d5300;
	assert_int_equal(policy_check(policy, problems), 1);
	assert_true(said(false, "6 ranges left"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_row),
		TEST(arming_at_start),
		TEST(arming_when_asked),
		TEST(request_msr),
		TEST(request_msr_and_rules),
		TEST(request_msr_elsewhere),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
