/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The MSRs of the last branch, which AMD's KVM can't filter late. */
#ifndef REGPIN_LIB_LBR_H
#define REGPIN_LIB_LBR_H

#include "host.h"

/* Has @to rules that this host would enforce only had they been there before? */
bool lbr_comes_late(const struct host *host, const struct regpin_policy *from,
		    const struct regpin_policy *to);

#endif
