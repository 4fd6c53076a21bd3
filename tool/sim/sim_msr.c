// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs of a simulated vCPU: accesses, through KVM's filter. */
#include <errno.h>

#include "lib/judge/model.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"
#include "sim_cpuid.h"
#include "sim_exit.h"
#include "sim_msr.h"

/*
 * Performs an access that neither a filter nor KVM refuses. A write to EFER does not change
 * LMA.
 */
static int unseen(struct sim *sim, struct sim_vcpu *vcpu,
		  const struct trace_line *line)
{
	uint64_t old = sim_get_msr(vcpu, line->index), value = line->value;

	sim->result.value = old;
	if (line->op == TRACE_RDMSR)
		return 0;
	if (line->index == MSR_EFER)
		value = (value & ~EFER_LMA) | (old & EFER_LMA);
	sim->result.value = value;
	return sim_set_msr(vcpu, line->index, value) ? 0 : -ENOMEM;
}

/* Performs the exit that KVM would make for the access. */
static void exit_msr(struct sim *sim, struct sim_vcpu *vcpu,
		     const struct trace_line *line, uint32_t reason)
{
	bool write = line->op == TRACE_WRMSR;
	struct sim_result *result = &sim->result;
	struct kvm_run *run = &vcpu->run;

	run->exit_reason = write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	run->msr.reason = reason;
	run->msr.index = line->index;
	run->msr.data = write ? line->value : 0;
	run->msr.error = 0;
	sim->kvm.refused = line->refusal ? line : NULL;
	sim_come_and_go(vcpu);
	sim->kvm.refused = NULL;
	result->outcome = sim_judged(sim, vcpu, run->msr.error);
	result->value = write ? sim_get_msr(vcpu, line->index) : run->msr.data;
	/* A read that did not happen has no value. */
	if (!write && result->outcome >= OUTCOME_GP)
		result->has_value = false;
}

/* The access gets a #GP; or, if the policy has a rule on such accesses, there is an exit. */
static void do_refused(struct sim *sim, struct sim_vcpu *vcpu,
		       const struct trace_line *line)
{
	uint32_t reason = line->refusal == TRACE_UNKNOWN ?
		KVM_MSR_EXIT_REASON_UNKNOWN : KVM_MSR_EXIT_REASON_INVAL;

	if (sim->kvm.reasons & reason) {
		exit_msr(sim, vcpu, line, reason);
		return;
	}
	sim->result.outcome = OUTCOME_GP;
	sim->result.has_value = line->op == TRACE_WRMSR;
	sim->result.value = sim_get_msr(vcpu, line->index);
}

/* Does the verdict of the rule depend on the value that is written? */
static bool is_about_value(const struct rule *rule, uint32_t index)
{
	switch ((enum rule_type)rule->type) {
	case RULE_STICKY:
	case RULE_NEVER:
	case RULE_FROZEN:
	case RULE_ONCE:
	case RULE_UNIFORM:
		return rule_covers(rule, REGPIN_MSR, index);
	case RULE_REQUIRE:
		return index == MSR_LSTAR;
	case RULE_DENY:
	case RULE_VALUE:
	case RULE_ALLOW:
	case RULE_REPORT:
	case RULE_DEFAULT:
	case RULE_UNKNOWN:
	case RULE_INVALID:
	case RULE_TYPE_MAX:
		break;
	}
	return false;
}

/* Would another value than @line's have another outcome? */
static bool depends_on_value(const struct sim *sim,
			     const struct trace_line *line)
{
	const struct regpin_policy *policy = sim->vm->policies.now;
	const struct sim_result *result = &sim->result;
	const struct rule *rule = result->violated &&
		result->violation.rule < policy->nr_rules ?
		&policy->rules[result->violation.rule] : NULL;

	/* The rule denies any value. */
	if (result->outcome >= OUTCOME_DROP && rule &&
	    (rule->type == RULE_DENY || rule->type == RULE_DEFAULT))
		return false;
	if (line->index == MSR_FEATURE_CONTROL || line->index == MSR_EFER)
		return !line->refusal;
	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		rule = &policy->rules[i];
		/* These rules would not change the #GP. */
		if (result->outcome == OUTCOME_GP &&
		    (rule->action == REGPIN_REPORT ||
		     rule->action == REGPIN_GP))
			continue;
		if (is_about_value(rule, line->index))
			return true;
	}
	return false;
}

/* A write of an unknown value is done with the register's present value. */
static int do_unknown_value(struct sim *sim, struct sim_vcpu *vcpu,
			    const struct trace_line *line)
{
	struct trace_line with = *line;
	int err;

	with.open = false;
	with.value = sim_get_msr(vcpu, line->index);
	err = sim_do_msr(sim, vcpu, &with);
	sim->result.has_value = false;
	if (!depends_on_value(sim, line))
		return err;
	sim->result.outcome = OUTCOME_OPEN;
	sim->result.violated = false;
	sim->result.nr = 0;
	return err;
}

int sim_do_msr(struct sim *sim, struct sim_vcpu *vcpu,
	       const struct trace_line *line)
{
	bool write = line->op == TRACE_WRMSR;
	struct trace_line no;
	int err = 0;

	if (line->open)
		return do_unknown_value(sim, vcpu, line);
	sim->result.has_value = true;
	/* A KVM that does not know this MSR does not use VMX, so no guest has the MSR. */
	if (line->refusal == TRACE_UNKNOWN && line->index == MSR_FEATURE_CONTROL)
		vcpu->regpin->guest.feature_control = 0;
	if (!model_filter_allows(&sim->kvm.filter.filter, line->index,
				 write ? ACCESS_WRITE : ACCESS_READ))
		exit_msr(sim, vcpu, line, KVM_MSR_EXIT_REASON_FILTER);
	else if (line->refusal)
		do_refused(sim, vcpu, line);
	else if (sim_refuses(sim, vcpu, line, &no))
		do_refused(sim, vcpu, &no);
	else
		err = unseen(sim, vcpu, line);
	return err;
}
