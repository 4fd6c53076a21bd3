// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The last-branch MSRs on AMD hosts. While a guest has DEBUGCTL.LBR set, it accesses them
 * without an exit. Newer KVMs (seen in 7.3) only read the filter when DEBUGCTL.LBR
 * changes, so a filter that is installed meanwhile does not hold. Therefore rules on these
 * MSRs must be in the policy from the start. A default may come later: for these four
 * MSRs it then holds from the next change of DEBUGCTL.LBR on.
 */
#include "lbr.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

#define NR_LASTBRANCH	4u

/* Does @policy have a rule that judges @access to MSR @index? */
static bool has_rule_on(const struct regpin_policy *policy, uint32_t index,
			unsigned int access)
{
	const struct rule *rule = policy_rule_on(policy, REGPIN_MSR, index,
						 access);

	return rule && rule->type != RULE_ALLOW;
}

bool lbr_comes_late(const struct host *host, const struct regpin_policy *from,
		    const struct regpin_policy *to)
{
	static const unsigned int accesses[] = { ACCESS_READ, ACCESS_WRITE };

	if (host->vendor != HOST_SVM)
		return false;
	for (uint32_t i = 0; i < NR_LASTBRANCH * 2; i++) {
		uint32_t index = MSR_LASTBRANCHFROMIP + i / 2;
		unsigned int access = accesses[i % 2];

		if (has_rule_on(to, index, access) && filter_wants(to, index, access) &&
		    !filter_wants(from, index, access))
			return true;
	}
	return false;
}
