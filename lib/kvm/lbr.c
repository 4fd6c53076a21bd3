// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The MSRs of the last branch on AMD hosts. While a guest has DEBUGCTL.LBR set, its
 * reads and writes of them go past KVM, and newer KVMs (seen in 7.3) look at the filter
 * only when DEBUGCTL.LBR changes: one that is installed meanwhile does not hold. So
 * rules on them have to be there from the start, which no guest precedes. A default is
 * no such rule: a policy that denies whatever it does not name may come at any time, and
 * for these four registers it then holds once the guest has stopped recording.
 */
#include "lbr.h"
#include "lib/judge/msr_filter.h"
#include "lib/policy/policy.h"
#include "lib/policy/registers.h"

#define NR_LASTBRANCH	4u

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
