/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Differences between KVMs that `regpin probe` prints for users. They decide nothing;
 * host.h has the properties that decide.
 */
#ifndef REGPIN_LIB_HOST_TRAITS_H
#define REGPIN_LIB_HOST_TRAITS_H

#include "host.h"

enum host_answer { HOST_NO, HOST_YES, HOST_NOT_KNOWN };

/**
 * struct host_traits - properties of the running KVM
 * @vm_types: bit n is set if KVM offers type n of KVM_CREATE_VM; 0 if unknown
 * @deadline: do guests' writes to TSC_DEADLINE bypass the MSR filter?
 * @nested_pat: may a VMM give a nested guest its own PAT?
 * @lbrv: does kvm_amd let guests access the last-branch MSRs without an exit?
 * @vls: does kvm_amd use virtual VMLOAD and VMSAVE?
 * @fred: does KVM offer FRED to guests?
 */
struct host_traits {
	uint32_t vm_types;
	enum host_answer deadline;
	enum host_answer nested_pat, lbrv, vls, fred;
};

#define HOST_TYPE_FIRST_CONFIDENTIAL	2u
#define HOST_VM_TYPES			32u

/* The name of VM type @type: "SEV", "SEV-ES", "SEV-SNP", "TDX", or NULL. */
const char *host_vm_type_name(unsigned int type);

/*
 * Do guests' writes to TSC_DEADLINE bypass the MSR filter with @vendor's module in a
 * kernel of this @release, as uname(2) has it?
 */
enum host_answer host_deadline_of(enum host_vendor vendor, const char *release);

/*
 * Fills @traits for @host, which was probed before. If /dev/kvm can't be opened, all answers
 * are HOST_NOT_KNOWN. Keeps errno.
 */
void host_traits_probe(struct host_traits *traits, const struct host *host);

#endif
