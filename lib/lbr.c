// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The MSRs of the last branch on AMD hosts. While a guest has DEBUGCTL.LBR set, its
 * reads and writes of them go past KVM, and newer KVMs (seen in 7.3) look at the filter
 * only when DEBUGCTL.LBR changes: one that is installed meanwhile does not hold. So
 * rules on them have to be there from the start, which no guest precedes.
 */
#include "vm.h"

#define NR_LASTBRANCH	4u

bool lbr_comes_late(const struct host *host, const struct regpin_policy *from,
		    const struct regpin_policy *to)
{
	static const unsigned int accesses[] = { ACCESS_READ, ACCESS_WRITE };

	if (host->vendor != HOST_SVM)
		return false;
	for (uint32_t i = 0; i < NR_LASTBRANCH * 2; i++) {
		uint32_t index = MSR_LASTBRANCHFROMIP + i / 2;
		unsigned int access = accesses[i % 2];

		if (filter_wants(to, index, access) &&
		    !filter_wants(from, index, access))
			return true;
	}
	return false;
}
