/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to MSRs by WRMSR and by VMLOAD, and an attack that uses another LSTAR. */
#ifndef MSR_H
#define MSR_H

#include "attack.h"

void attack_msr(const struct attack *attack, struct attempt *a);
void attack_vmload(const struct attack *attack, struct attempt *a);
void attack_lstar_hook(const struct attack *attack, struct attempt *a);
void undo_lstar_hook(void);
int msr_begin(void);
void msr_end(void);

#endif
