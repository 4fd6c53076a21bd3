/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last-branch MSRs, for which AMD's KVM must have the filter from the start. */
#ifndef REGPIN_LIB_LBR_H
#define REGPIN_LIB_LBR_H

#include "host.h"

/*
 * Does @to have rules on last-branch MSRs that this host would not enforce now, because
 * the filter for @from does not have them?
 */
bool lbr_comes_late(const struct host *host, const struct regpin_policy *from,
		    const struct regpin_policy *to);

#endif
