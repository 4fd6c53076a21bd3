/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Can a guest without SVM execute VMLOAD? */
#ifndef REGPIN_LIB_VMLOAD_H
#define REGPIN_LIB_VMLOAD_H

#include <stdbool.h>

/*
 * Tries in a VM of its own whether a guest without SVM can execute VMLOAD. Takes
 * some ms. True if that can't be told: ask only where kvm_amd is loaded.
 */
bool host_vmload_open(int kvm_fd);

#endif
