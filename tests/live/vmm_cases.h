/* SPDX-License-Identifier: GPL-2.0-only */
/* The steps of a VMM, the same with the shim and without. */
#ifndef REGPIN_TESTS_LIVE_VMM_CASES_H
#define REGPIN_TESTS_LIVE_VMM_CASES_H

/* Prints one line for each observation that must not depend on regpin. */
void vmm_observe(void);

#endif
