/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that regpin asks about the running KVM. Nothing else in the tree probes.
 */
#ifndef REGPIN_LIB_HOST_H
#define REGPIN_LIB_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/cr_filter.h"
#include "lib/policy/guest.h"

/*
 * For tests: pretend to be a lesser host. "nofilter", "nofilterexit", "nocrfilter",
 * "nokvm" take capabilities away, "vmload" gives guests VMLOAD; nothing can be
 * made better than it is.
 */
#define HOST_ENV	"REGPIN_HOST_FORCE"

enum host_vendor { HOST_UNKNOWN, HOST_SVM, HOST_VMX, HOST_OTHER };

/**
 * struct host - what this KVM gives
 * @kvm_errno: 0, or why /dev/kvm could not be used
 * @pretended: a test says that there is no KVM, so no VMM's VM can be one
 * @api_version: KVM_GET_API_VERSION
 * @msr_filter: KVM_CAP_X86_MSR_FILTER
 * @msr_exits: KVM_CAP_X86_USER_SPACE_MSR has KVM_MSR_EXIT_REASON_FILTER
 * @cr_filter: KVM_X86_SET_CR_FILTER with all the flags that regpin needs
 * @filterable: which bits of CR0, CR4 and XCR0 it can filter; the others no guest
 *	can change, as the host's CPU hasn't got them or they are always set
 * @smm: KVM_CAP_X86_SMM
 * @nested: KVM_CAP_NESTED_STATE offers it to guests
 * @ignore_msrs: the module parameter; unknown MSRs are swallowed, not #GP'd
 * @vmload_open: guests without SVM can execute VMLOAD, which loads the syscall
 *	MSRs past every filter
 * @offers: what a guest has that is given all of CPUID that this KVM offers
 * @linear_bits: what struct guest's is for all guests here
 * @emulates_real_mode: and there guests' writes don't go past KVM: an old CPU, or
 *	kvm_intel's parameter unrestricted_guest=0
 * @vendor: which vendor module is loaded, or built in and in use
 */
struct host {
	int kvm_errno;
	bool pretended;
	int api_version;
	bool msr_filter, msr_exits, cr_filter, smm, nested, ignore_msrs;
	bool vmload_open;
	struct guest offers;
	uint8_t linear_bits;
	bool emulates_real_mode;
	enum host_vendor vendor;
	uint64_t filterable[NR_CRS];
};

/* Fills @host by an open /dev/kvm. Never fails: what can't be asked is absent. */
void host_probe_fd(struct host *host, int kvm_fd);

/* The same, opening /dev/kvm itself. */
void host_probe(struct host *host);

/*
 * Whose KVM runs, by which of kvm_amd, kvm_intel and kvm is in /sys/module, and by the
 * vendor in the CPU's CPUID, where that leaves it open.
 */
enum host_vendor host_vendor_of(bool amd, bool intel, bool kvm,
				const char vendor[12]);

/* Does VMLOAD load one of @count MSRs from @index on? EFER is none of them. */
bool host_vmload_loads(uint32_t index, uint32_t count);

/* Would a guest's VMLOAD go past @rule on this host? */
bool host_vmload_passes(const struct host *host, const struct rule *rule);

/* Why rules on those can't be enforced where it is open. */
extern const char host_vmload_text[];

/* Why no rule at all can be enforced by this KVM, a constant text, or NULL. */
const char *host_kvm_fault(const struct host *host);

/*
 * Can this host enforce @rule? If not, *@why is a constant text. A rule that only
 * reports has nothing to enforce where VMLOAD is open: what that loads is not reported.
 */
bool host_enforces(const struct host *host, const struct rule *rule,
		   const char **why);

#endif
