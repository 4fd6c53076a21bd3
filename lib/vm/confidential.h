/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VMs whose registers or memory are not the host's to see. */
#ifndef REGPIN_LIB_CONFIDENTIAL_H
#define REGPIN_LIB_CONFIDENTIAL_H

#include <stdbool.h>

/* Does KVM say that the host can't see this VM's registers? */
bool vm_is_confidential(int vm_fd);

#endif
