/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handle the VMM's ioctls that read or write its guest's state. Each returns what ioctl(2)
 * returns.
 */
#ifndef REGPIN_SHIM_GUEST_STATE_H
#define REGPIN_SHIM_GUEST_STATE_H

int guest_state_set_memory_region(int fd, unsigned long request, void *arg);
int guest_state_write_registers(int fd, unsigned long request, void *arg);
int guest_state_get_msrs(int fd, void *arg);
int guest_state_get_regs(int fd, void *arg);
int guest_state_set_regs(int fd, void *arg);

#endif
