/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the VMM reads and writes of its guest's state: these do as the hook itself. */
#ifndef REGPIN_SHIM_GUEST_STATE_H
#define REGPIN_SHIM_GUEST_STATE_H

int set_memory_region(int fd, unsigned long request, void *arg);
int write_registers(int fd, unsigned long request, void *arg);
int get_msrs(int fd, void *arg);
int get_regs(int fd, void *arg);
int set_regs(int fd, void *arg);

#endif
