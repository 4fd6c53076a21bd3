/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VMs whose registers or memory the host cannot read. */
#ifndef REGPIN_LIB_CONFIDENTIAL_H
#define REGPIN_LIB_CONFIDENTIAL_H

#include <stdbool.h>

/* Does KVM report that the host cannot read this VM's registers? */
bool vm_is_confidential(int vm_fd);

#endif
