// SPDX-License-Identifier: GPL-2.0-only
/* An exit of a simulated vCPU, and its outcome. */
#include "sim_exit.h"

enum outcome sim_by_action(unsigned int action)
{
	static const uint8_t outcomes[REGPIN_ACTION_MAX] = {
		[REGPIN_ALLOW] = OUTCOME_OK, [REGPIN_REPORT] = OUTCOME_REPORT,
		[REGPIN_MASK] = OUTCOME_MASK, [REGPIN_DROP] = OUTCOME_DROP,
		[REGPIN_GP] = OUTCOME_GP, [REGPIN_PAUSE] = OUTCOME_PAUSE,
		[REGPIN_STOP] = OUTCOME_STOP,
	};

	return (enum outcome)outcomes[action];
}

enum outcome sim_judged(const struct sim *sim, const struct sim_vcpu *vcpu,
			bool gp)
{
	const struct sim_result *result = &sim->result;

	if (atomic_load(&sim->vm->stopped))
		return OUTCOME_STOP;
	if (regpin_vcpu_status(vcpu->regpin, NULL) & REGPIN_IS_HELD)
		return OUTCOME_PAUSE;
	if (gp)
		return OUTCOME_GP;
	/* A violation that was detected meanwhile is not a violation by this access. */
	return result->violated &&
	       result->violation.type == REGPIN_EVENT_VIOLATION ?
		       sim_by_action(result->violation.action) : OUTCOME_OK;
}

void sim_come_and_go(struct sim_vcpu *vcpu)
{
	if (regpin_vcpu_exit(vcpu->regpin))
		regpin_vcpu_enter(vcpu->regpin);
}
