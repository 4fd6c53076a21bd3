/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts a VM under a policy. */
#ifndef REGPIN_LIB_VM_H
#define REGPIN_LIB_VM_H

#include "types.h"

/* Like regpin_vm_attach(), but for a host that has been probed already. */
int vm_attach(const struct regpin_policy *policy, const struct host *host,
	      int vm_fd, const struct regpin_vm_options *options,
	      struct regpin_vm **ret);

#endif
