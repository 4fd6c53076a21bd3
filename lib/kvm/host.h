/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The questions that regpin asks the running KVM before it attaches a VM.
 */
#ifndef REGPIN_LIB_HOST_H
#define REGPIN_LIB_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/judge/cr_filter.h"
#include "lib/policy/guest.h"

/*
 * For tests: an environment variable that makes the host look less capable than it is.
 * "nofilter", "nofilterexit", "nocrfilter" and "nokvm" take capabilities away, "vmload"
 * lets guests execute VMLOAD. No word adds a capability.
 */
#define HOST_ENV	"REGPIN_HOST_FORCE"

/* The hardware virtualisation of the running KVM; HOST_OTHER: neither SVM nor VMX. */
enum host_vendor { HOST_UNKNOWN, HOST_SVM, HOST_VMX, HOST_OTHER };

/**
 * struct host - what this KVM supports
 * @kvm_errno: 0, or the errno because of which /dev/kvm could not be used
 * @pretended: HOST_ENV has "nokvm", so no VM of a VMM can be one of KVM's
 * @api_version: KVM_GET_API_VERSION
 * @msr_filter: KVM_CAP_X86_MSR_FILTER
 * @msr_exits: KVM_CAP_X86_USER_SPACE_MSR has KVM_MSR_EXIT_REASON_FILTER
 * @cr_filter: KVM_X86_SET_CR_FILTER with all the flags that regpin needs
 * @smm: KVM_CAP_X86_SMM
 * @nested: KVM_CAP_NESTED_STATE: guests may use nested virtualisation
 * @ignore_msrs: the module parameter: an access to an unknown MSR gets no #GP
 * @vmload_open: guests without SVM can execute VMLOAD, which loads the syscall
 *	MSRs without passing a filter
 * @offers: the properties of a guest that gets all of the CPUID that this KVM offers
 * @linear_bits: @linear_bits of struct guest, for all guests on this host
 * @emulates_real_mode: KVM emulates guests in real mode, so that it sees their writes: an
 *	old CPU, or kvm_intel's parameter unrestricted_guest=0
 * @vendor: the vendor module that is loaded, or built in and in use
 * @filterable: the bits of CR0, CR4 and XCR0 that KVM can filter; no guest can change any
 *	other bit, because the CPU lacks it or it is always set
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

/* Fills @host from an open /dev/kvm. Never fails: what can't be probed counts as absent. */
void host_probe_fd(struct host *host, int kvm_fd);

/* The same; opens /dev/kvm itself. */
void host_probe(struct host *host);

/*
 * Which KVM runs? @amd, @intel and @kvm: /sys/module has kvm_amd, kvm_intel, kvm. @vendor
 * is the CPU's, from CPUID; it decides if both vendor modules are present.
 */
enum host_vendor host_vendor_of(bool amd, bool intel, bool kvm,
				const char vendor[12]);

/* Does VMLOAD load one of the @count MSRs from @index on? It does not load EFER. */
bool host_vmload_loads(uint32_t index, uint32_t count);

/* Could a guest's VMLOAD violate @rule on this host without an exit? */
bool host_vmload_passes(const struct host *host, const struct rule *rule);

/* Why rules on registers that VMLOAD loads can't be enforced if @vmload_open. */
extern const char host_vmload_text[];

/* Why this KVM can't enforce any rule, as a constant text, or NULL if it can. */
const char *host_kvm_fault(const struct host *host);

/*
 * Can this host enforce @rule? If not, *@why becomes a constant text. For a rule that
 * only reports, @vmload_open does not matter: what VMLOAD loads is not reported.
 */
bool host_enforces(const struct host *host, const struct rule *rule,
		   const char **why);

#endif
