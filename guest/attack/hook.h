/* SPDX-License-Identifier: GPL-2.0-only */
/* A rootkit's hook in the system call table. */
#ifndef HOOK_H
#define HOOK_H

#include "attack.h"

void attack_syscall_hook(const struct attack *attack, struct attempt *a);
void undo_syscall_hook(void);

#endif
