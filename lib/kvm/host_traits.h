/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What differs between the KVMs of today and matters to people, but decides nothing:
 * for `regpin probe`. What decides is in host.h.
 */
#ifndef REGPIN_LIB_HOST_TRAITS_H
#define REGPIN_LIB_HOST_TRAITS_H

#include "host.h"

enum host_answer { HOST_NO, HOST_YES, HOST_NOT_KNOWN };

/**
 * struct host_traits - these
 * @vm_types: bit n is set if KVM offers type n of KVM_CREATE_VM; 0 if it does not say
 * @deadline: do guests' writes to TSC_DEADLINE go past the MSR filter?
 * @nested_pat: may a VMM give a guest's own guest a PAT of its own?
 * @lbrv: does kvm_amd give guests the MSRs of the last branch themselves?
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

/* What is said of type @type: "SEV", "SEV-ES", "SEV-SNP", "TDX", or NULL. */
const char *host_vm_type_name(unsigned int type);

/*
 * Do guests' writes to TSC_DEADLINE go past the filter of @vendor's module in a kernel
 * of this @release, as uname(2) has it?
 */
enum host_answer host_deadline_of(enum host_vendor vendor, const char *release);

/* Fills @traits for @host, which was probed by the same @kvm_fd. Keeps errno. */
void host_traits_fd(struct host_traits *traits, const struct host *host, int kvm_fd);

/* The same, opening /dev/kvm itself; all can't be told where that fails. */
void host_traits(struct host_traits *traits, const struct host *host);

#endif
