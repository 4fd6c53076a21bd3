/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to control registers by each instruction that can, and their effects. */
#ifndef CR_H
#define CR_H

#include "attack.h"

void attack_cr(const struct attack *attack, struct attempt *a);
void undo_cr4(void);
writer mov_cr0, mov_cr4, rootkits_cr0, raw_cr0, raw_cr4, lmsw;
enum mark wp_effect(const struct attempt *a);
enum mark smep_effect(const struct attempt *a);
enum mark smap_effect(const struct attempt *a);
enum mark em_effect(const struct attempt *a);
enum mark root_effect(const struct attempt *a);

#endif
