/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Can a guest without SVM execute VMLOAD? */
#ifndef REGPIN_LIB_VMLOAD_H
#define REGPIN_LIB_VMLOAD_H

#include <stdbool.h>

/*
 * Executes VMLOAD in a VM of its own, without SVM, and returns true unless it faults. That
 * takes a few milliseconds. It also returns true if the VM can't be run, so call it only if
 * kvm_amd is loaded.
 */
bool host_vmload_open(int kvm_fd);

#endif
