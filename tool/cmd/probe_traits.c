// SPDX-License-Identifier: GPL-2.0-only
/* Traits of this host that depend on its KVM's version, as sentences and as JSON. */
#include <stdio.h>

#include "probe_traits.h"

/* Finds the next type of VM, from *@type on, that is refused. Returns false at the end. */
static bool next_refused(const struct host_traits *traits, unsigned int *type)
{
	while (*type < HOST_VM_TYPES && !(traits->vm_types >> *type & 1))
		(*type)++;
	return *type < HOST_VM_TYPES;
}

static void name_type(char *buf, size_t size, unsigned int type)
{
	const char *name = host_vm_type_name(type);

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "type %u", type);
}

static void print_types(const struct host_traits *traits)
{
	unsigned int type = HOST_TYPE_FIRST_CONFIDENTIAL;
	const char *between = "";
	char name[16];

	printf("confidential VMs:     ");
	for (; next_refused(traits, &type); type++) {
		name_type(name, sizeof(name), type);
		printf("%s%s", between, name);
		between = ", ";
	}
	puts(*between ? " offered; a VMM that creates one is refused" :
			"none offered");
}

void probe_print_traits(const struct host *host,
			const struct host_traits *traits)
{
	static const char *const deadline[] = {
		[HOST_NO] = "filtered by this KVM; regpin check still rejects rules on them, as other hosts differ",
		[HOST_YES] = "past the MSR filter: no rule on them can hold",
		[HOST_NOT_KNOWN] = "this KVM is not known: no rule on them is accepted",
	};
	static const char *const fred[] = {
		[HOST_NO] = "not offered to guests",
		[HOST_YES] = "offered to guests; run refuses guests that have it (QEMU: -cpu host,-fred)",
		[HOST_NOT_KNOWN] = "not known",
	};

	if (host->kvm_errno)
		return;
	print_types(traits);
	printf("TSC_DEADLINE writes:  %s\n", deadline[traits->deadline]);
	printf("FRED:                 %s\n", fred[traits->fred]);
	if (host->vendor == HOST_SVM)
		printf("virtual VMLOAD (vls): %s\n",
		       traits->vls == HOST_YES ? "on" : "off");
	if (traits->lbrv == HOST_YES)
		printf("note: kvm_amd virtualises the last-branch MSRs (lbrv): rules on LASTBRANCH* and LASTINT* hold if the VM is started with them; regpin ctl policy refuses to add them later\n");
	if (traits->nested_pat == HOST_YES)
		printf("note: this KVM can give a nested guest a PAT of its own (KVM_X86_QUIRK_NESTED_SVM_SHARED_PAT disabled): an access to that PAT that a rule catches gets #GP\n");
}

static void json_answer(struct json *json, const char *key,
			enum host_answer answer)
{
	if (answer == HOST_NOT_KNOWN)
		json_raw(json, key, "null");
	else
		json_bool(json, key, answer == HOST_YES);
}

void probe_json_traits(struct json *json, const struct host_traits *traits)
{
	unsigned int type = HOST_TYPE_FIRST_CONFIDENTIAL;
	char name[16];

	json_object_begin(json, "traits");
	json_array_begin(json, "confidential_types");
	for (; next_refused(traits, &type); type++) {
		name_type(name, sizeof(name), type);
		json_string(json, NULL, name);
	}
	json_array_end(json);
	json_answer(json, "tsc_deadline_past_filter", traits->deadline);
	json_answer(json, "nested_pat", traits->nested_pat);
	json_answer(json, "lbr_virtualised", traits->lbrv);
	json_answer(json, "virtual_vmload", traits->vls);
	json_answer(json, "fred", traits->fred);
	json_object_end(json);
}
