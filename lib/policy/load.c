// SPDX-License-Identifier: LGPL-2.1-or-later
/* The sentences that the library has for users, and the loading of policies. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "blob.h"
#include "lib/version.h"
#include "policy.h"

static const char *const refusals[REGPIN_REFUSED_MAX] = {
	[REGPIN_REFUSED_SVM] =
		"the guest's CPUID offers SVM: a guest that runs guests of its own loads registers past every filter; switch it off (QEMU: -cpu host,-svm) or write `accept: [nested]` in the policy",
	[REGPIN_REFUSED_VMX] =
		"the guest's CPUID offers VMX: a nested exit loads EFER and the SYSENTER MSRs past every filter; switch it off (QEMU: -cpu host,-vmx) or write `accept: [nested]` in the policy",
	[REGPIN_REFUSED_SMM] =
		"the VM has System-Management Mode: RSM loads EFER and the control registers past every filter; switch it off (QEMU: -machine pc,smm=off or -machine q35,smm=off) or write `accept: [smm]` in the policy",
	[REGPIN_REFUSED_FRED] =
		"the guest's CPUID offers FRED, and this version of regpin cannot detect when a FRED kernel has taken over; switch it off (QEMU: -cpu host,-fred)",
	[REGPIN_REFUSED_FILTER] =
		"the VMM's own MSR filter and the policy's together need more than the 16 ranges that KVM has; name fewer MSRs outside of the usual windows (regpin-policy(5))",
	[REGPIN_REFUSED_HOST] =
		"this KVM lacks what the policy needs; `regpin probe POLICY` prints which rule and why",
	[REGPIN_REFUSED_FD] =
		"the VMM uses a vCPU whose VM this process did not create or receive, so its policy is not in place",
	[REGPIN_REFUSED_CPUID] =
		"the VM's vCPUs differ in vendor, family or model, so that different rules of the policy hold for them: give them one CPUID, or write the policy without `when`",
	[REGPIN_REFUSED_CONFIDENTIAL] =
		"the VMM makes a confidential VM (SEV, SEV-ES, SEV-SNP or TDX), or one of a type that regpin does not know: the host can't read or set its registers, so no rule would hold; make one of the default type without memory encryption (QEMU: no -object sev-guest, sev-snp-guest or tdx-guest, no -machine confidential-guest-support=), or start it without regpin",
	[REGPIN_REFUSED_VMLOAD] =
		"a guest's VMLOAD loads the syscall and SYSENTER MSRs past every filter on this host (kvm_amd uses virtual VMLOAD): load kvm_amd with vls=0",
};

const char *regpin_refusal_text(unsigned int reason)
{
	return reason < REGPIN_REFUSED_MAX ? refusals[reason] :
					     "for an unknown reason";
}

/* Reasons for which a VM is not refused if the policy only reports. */
static const char *const tolerated[REGPIN_REFUSED_MAX] = {
	[REGPIN_REFUSED_SVM] =
		"the guest's CPUID offers SVM: a guest that runs guests of its own loads registers past every filter, without an event; the VM runs, as the policy only reports, and one that enforces needs `accept: [nested]`",
	[REGPIN_REFUSED_VMX] =
		"the guest's CPUID offers VMX: a nested exit loads EFER and the SYSENTER MSRs past every filter, without an event; the VM runs, as the policy only reports, and one that enforces needs `accept: [nested]`",
	[REGPIN_REFUSED_SMM] =
		"the VM has System-Management Mode: RSM loads EFER and the control registers past every filter, without an event; the VM runs, as the policy only reports, and one that enforces needs `accept: [smm]`",
	[REGPIN_REFUSED_FRED] =
		"the guest's CPUID offers FRED: this version of regpin can't detect when a FRED kernel has taken over, so pins may never report anything; the VM runs, as the policy only reports, and one that enforces is refused",
	[REGPIN_REFUSED_VMLOAD] =
		"a guest's VMLOAD loads the syscall and SYSENTER MSRs past every filter on this host (kvm_amd uses virtual VMLOAD), without an event; the VM runs, as the policy's rules on these only report, and rules that enforce need kvm_amd with vls=0",
};

const char *regpin_tolerated_text(unsigned int reason)
{
	return reason < REGPIN_REFUSED_MAX && tolerated[reason] ?
		       tolerated[reason] : "for an unknown reason";
}

const char *regpin_version(void)
{
	return REGPIN_VERSION;
}

const char *regpin_policy_where(const struct regpin_policy *policy, __u32 rule,
				__u32 *line, const char **type)
{
	if (rule >= policy->nr_rules)
		return NULL;
	*line = PLACE_LINE(policy->rules[rule].line);
	*type = rule_type_names[policy->rules[rule].type];
	return policy_file_name(policy, policy->rules[rule].line);
}

void regpin_policy_set_number(struct regpin_policy *policy, __u32 number)
{
	policy->number = number;
}

int regpin_policy_load(const void *blob, size_t size,
		       struct regpin_policy **ret)
{
	struct regpin_policy *policy = malloc(sizeof(*policy));
	int err;

	if (!policy)
		return -ENOMEM;
	err = blob_open(blob, size, policy);
	if (err) {
		free(policy);
		return err;
	}
	*ret = policy;
	return 0;
}

int regpin_policy_open(int fd, struct regpin_policy **ret)
{
	char *blob = malloc(BLOB_MAX_SIZE + 1);
	size_t size = 0;
	int err;

	if (!blob)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(fd, blob + size, BLOB_MAX_SIZE + 1 - size,
				  (off_t)size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = -errno;
			goto out;
		}
		size += (size_t)n;
		if (!n || size > BLOB_MAX_SIZE)
			break;
	}
	err = regpin_policy_load(blob, size, ret);
out:
	free(blob);
	return err;
}

void regpin_policy_free(struct regpin_policy *policy)
{
	free(policy);
}
