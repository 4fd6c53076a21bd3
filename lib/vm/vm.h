/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A VM under a policy: the public API's functions on it, for a host that is known. */
#ifndef REGPIN_LIB_VM_H
#define REGPIN_LIB_VM_H

#include "types.h"

/* As regpin_vm_attach(), on a host that is known already. */
int vm_attach(const struct regpin_policy *policy, const struct host *host,
	      int vm_fd, const struct regpin_vm_options *options,
	      struct regpin_vm **ret);

#endif
