// SPDX-License-Identifier: GPL-2.0-only
/* The KVM for which explain and sim work: this host's, or one that an option names. */
#include <stdio.h>
#include <string.h>

#include "which_kvm.h"

void kvm_host(struct host *host, bool cr_filter)
{
	*host = (struct host){
		.api_version = KVM_API_VERSION, .msr_filter = true,
		.msr_exits = true, .cr_filter = cr_filter,
		.vendor = HOST_OTHER, .offers.tsc_aux = AUX_RDTSCP | AUX_RDPID,
		.offers.feature_control = ~0ull,
	};
	for (int i = 0; cr_filter && i < NR_CRS; i++)
		host->filterable[i] = UINT64_MAX;
}

bool kvm_option(struct which_kvm *kvm, int c)
{
	if (c != 'H' && c != 's' && c != 'f')
		return false;
	kvm->twice |= kvm->option && kvm->option != c;
	kvm->option = c;
	return true;
}

bool kvm_choose(struct which_kvm *kvm, const char *command)
{
	char text[KVM_TEXT];

	if (kvm->twice) {
		fprintf(stderr, "regpin %s: --host, --stock and --cr-filter each name one KVM: give only one of them\n",
			command);
		return false;
	}
	kvm->source = kvm->option == 's' ? KVM_STOCK :
		      kvm->option == 'f' ? KVM_CR_FILTER : KVM_HOST;
	if (kvm->source != KVM_HOST) {
		kvm_host(&kvm->host, kvm->source == KVM_CR_FILTER);
		return true;
	}
	host_probe(&kvm->host);
	if (!kvm->host.kvm_errno || kvm->option == 'H')
		return true;
	kvm->source = KVM_ASSUMED;
	kvm->kvm_errno = kvm->host.kvm_errno;
	kvm_host(&kvm->host, false);
	fprintf(stderr, "regpin %s: warning: this output is about %s; --stock or --cr-filter names another one\n",
		command, kvm_text(text, kvm));
	return true;
}

const char *kvm_text(char to[KVM_TEXT], const struct which_kvm *kvm)
{
	const char *filter = kvm->host.cr_filter ? "with" : "without";

	switch (kvm->source) {
	case KVM_HOST:
		snprintf(to, KVM_TEXT, "this host's KVM, %s the CR filter",
			 filter);
		break;
	case KVM_ASSUMED:
		snprintf(to, KVM_TEXT, "a KVM without the CR filter, assumed because this host's can't be used (/dev/kvm: %s)",
			 strerror(kvm->kvm_errno));
		break;
	default:
		snprintf(to, KVM_TEXT, "a KVM %s the CR filter", filter);
	}
	return to;
}

void kvm_json(struct json *json, const struct which_kvm *kvm)
{
	static const char *const sources[] = {
		[KVM_ASSUMED] = "assumed", [KVM_HOST] = "host",
		[KVM_STOCK] = "stock", [KVM_CR_FILTER] = "cr-filter",
	};

	json_object_begin(json, "kvm");
	json_string(json, "source", sources[kvm->source]);
	json_bool(json, "msr_filter", kvm->host.msr_filter);
	json_bool(json, "cr_filter", kvm->host.cr_filter);
	json_object_end(json);
}
