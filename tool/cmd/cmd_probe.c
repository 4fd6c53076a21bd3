// SPDX-License-Identifier: GPL-2.0-only
/* regpin probe: the rules that this host can enforce, and why it can't enforce the others. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kvm/host.h"
#include "lib/policy/registers.h"

#include "base/exit_codes.h"
#include "base/json.h"
#include "base/options.h"
#include "base/printable.h"
#include "cmd.h"
#include "cmd_help.h"
#include "policy/acceptance.h"
#include "policy/policy_file.h"
#include "policy/policy_fit.h"
#include "policy/problems.h"
#include "policy/problems_json.h"
#include "probe_ask.h"
#include "probe_rules.h"
#include "probe_traits.h"

static const char *const vendor_names[] = {
	[HOST_UNKNOWN] = "unknown",
	[HOST_SVM] = "kvm_amd",
	[HOST_VMX] = "kvm_intel",
	[HOST_OTHER] = "other",
};

/* "yes" or "no"; "unknown" if KVM can't be used. */
static const char *yes_or_no(const struct host *host, bool what)
{
	return host->kvm_errno ? "unknown" : what ? "yes" : "no";
}

static void print_host(const struct host *host)
{
	if (host->kvm_errno)
		printf("KVM:                  can't be used: %s\n",
		       probe_ask(host, REGPIN_MSR, RULE_DENY).why);
	else
		printf("KVM:                  API %d, vendor module %s\n",
		       host->api_version, vendor_names[host->vendor]);
	printf("MSR filter:           %s\n", yes_or_no(host, host->msr_filter));
	printf("MSR exits by filter:  %s\n", yes_or_no(host, host->msr_exits));
	printf("CR filter:            %s\n", yes_or_no(host, host->cr_filter));
	printf("VMLOAD by guests:     %s\n", host->vmload_open ?
	       "yes, past the MSR filter" : yes_or_no(host, false));
}

static void print_by_vmload(void)
{
	const char *between = "MSR   on ", *name;
	size_t i = 0;

	while ((name = probe_by_vmload(&i))) {
		printf("%s%s", between, name);
		between = ", ";
	}
	puts(": NOT enforced");
	print_wrapped("      ", host_vmload_text);
}

/* How `run` handles optional rules without the CR filter. */
static const char *fallback_text(unsigned int kind)
{
	return kind == REGPIN_XCR0 ?
	       "optional rules are only polled: violations are detected, not stopped" :
	       "optional rules are only polled: violations are detected, not stopped; require is checked when a vCPU writes LSTAR (#GP if a bit is missing), and otherwise only by polling";
}

static void print_kind(const struct host *host, unsigned int kind)
{
	struct probe_answer answer = { .why = NULL };
	const char *between = "";

	printf("%-4s  ", regpin_kind_names[kind]);
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		if (!probe_possible(kind, type) || rule_type_is_wide(type))
			continue;
		answer = probe_ask(host, kind, type);
		printf("%s%s", between, rule_type_names[type]);
		between = ", ";
	}
	printf(": %s\n", answer.enforced ? "enforced" : "NOT enforced");
	if (!answer.enforced && !host->kvm_errno)
		print_wrapped("      ", answer.why);
	if (!answer.enforced && !host->kvm_errno && kind != REGPIN_MSR)
		print_wrapped("      ", fallback_text(kind));
	if (kind == REGPIN_MSR && answer.enforced && host->vmload_open)
		print_by_vmload();
}

/* default, unknown and invalid: each may be refused for reasons of its own. */
static void print_wide(const struct host *host)
{
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		struct probe_answer answer = probe_ask(host, REGPIN_MSR, type);

		if (!rule_type_is_wide(type))
			continue;
		printf("MSRs  %s: %s\n", rule_type_names[type],
		       answer.enforced ? "enforced" : "NOT enforced");
		if (!answer.enforced && !host->kvm_errno)
			print_wrapped("      ", answer.why);
	}
}

static void print_notes(const struct host *host)
{
	if (host->msr_filter)
		print_wrapped("note: ", "the MSR filter sees WRMSR and RDMSR, but not the reset of MSRs by INIT");
	if (host->nested)
		print_wrapped("note: ", "this KVM offers nested virtualisation to guests, which loads registers past every filter: run refuses guests that have it (QEMU: -cpu host,-svm,-vmx) unless the policy has 'accept: [nested]' or only reports");
	if (host->smm)
		print_wrapped("note: ", "this KVM offers SMM to guests, and RSM loads registers past every filter: run refuses VMs that have it (QEMU: -machine q35,smm=off) unless the policy has 'accept: [smm]' or only reports");
	if (host->ignore_msrs)
		print_wrapped("note: ", "kvm.ignore_msrs is on: KVM ignores accesses to MSRs that it does not know, unless a rule names them");
}

/* A boolean, or null if KVM can't be used. */
static void json_has(struct json *json, const char *key,
		     const struct host *host, bool what)
{
	if (host->kvm_errno)
		json_string(json, key, NULL);
	else
		json_bool(json, key, what);
}

static void json_host(struct json *json, const struct host *host)
{
	json_object_begin(json, "kvm");
	json_bool(json, "usable", !host->kvm_errno);
	if (host->kvm_errno)
		json_string(json, "error", strerror(host->kvm_errno));
	else
		json_u64(json, "api_version", (uint64_t)host->api_version);
	json_string(json, "vendor", vendor_names[host->vendor]);
	json_string(json, "source", "host");
	json_has(json, "msr_filter", host, host->msr_filter);
	json_has(json, "msr_exits", host, host->msr_exits);
	json_has(json, "cr_filter", host, host->cr_filter);
	json_has(json, "has_smm", host, host->smm);
	json_has(json, "has_nested", host, host->nested);
	json_has(json, "ignore_msrs", host, host->ignore_msrs);
	json_has(json, "vmload_open", host, host->vmload_open);
	json_object_end(json);
}

static void json_by_vmload(struct json *json)
{
	const char *name;
	size_t i = 0;

	json_array_begin(json, "except");
	while ((name = probe_by_vmload(&i)))
		json_string(json, NULL, name);
	json_array_end(json);
	json_string(json, "why_except", host_vmload_text);
}

static void json_kinds(struct json *json, const struct host *host)
{
	json_array_begin(json, "enforces");
	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++) {
		for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
			struct probe_answer answer = probe_ask(host, kind, type);

			if (!probe_possible(kind, type))
				continue;
			json_object_begin(json, NULL);
			json_string(json, "kind", regpin_kind_names[kind]);
			json_string(json, "rule", rule_type_names[type]);
			json_bool(json, "enforced", answer.enforced);
			if (!answer.enforced)
				json_string(json, "why", answer.why);
			else if (kind == REGPIN_MSR && type != RULE_VALUE &&
				 !rule_type_is_wide(type) && host->vmload_open)
				json_by_vmload(json);
			json_object_end(json);
		}
	}
	json_array_end(json);
}

/* Counts rules that are not enforced; *@stops is the number of those not optional. */
static unsigned int missing(const struct host *host,
			    const struct regpin_policy *policy,
			    unsigned int *stops)
{
	unsigned int nr = 0;
	const char *why;

	*stops = 0;
	for (uint32_t i = 0; policy && i < policy->nr_rules; i++) {
		if (host_enforces(host, &policy->rules[i], &why))
			continue;
		nr++;
		*stops += !(policy->rules[i].flags & RULE_OPTIONAL);
	}
	for (unsigned int kind = 0; !policy && kind < REGPIN_KIND_MAX; kind++)
		nr += !probe_ask(host, kind, RULE_STICKY).enforced;
	nr += !policy && host->vmload_open;
	return nr;
}

/**
 * struct probed - the facts to print
 * @host: this host
 * @policy: the policy, or NULL
 * @hash: of the policy's text
 * @missing: number of rules that are not enforced; without a policy, of kinds of rules
 * @stops: number of the policy's rules because of which 'regpin run' does not start the VM
 * @init: why the policy's `init` is left out, or NULL
 */
struct probed {
	struct host host;
	const struct regpin_policy *policy;
	char hash[POLICY_HASH_MAX];
	unsigned int missing, stops;
	const char *init;
};

static int print_json(const struct probed *probed)
{
	const struct regpin_policy *policy = probed->policy;
	struct host_traits traits;
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	json_host(&json, &probed->host);
	host_traits_probe(&traits, &probed->host);
	probe_json_traits(&json, &traits);
	json_kinds(&json, &probed->host);
	if (policy) {
		json_string(&json, "policy_file", policy->source);
		json_string(&json, "policy_sha256", probed->hash);
		json_bool(&json, "ok", true);
		json_bool(&json, "starts", !probed->stops);
		json_bool(&json, "enforced", !probed->missing && !probed->init);
		if (probed->init)
			json_string(&json, "why_init", probed->init);
		probe_json_rules(&json, &probed->host, policy);
		acceptance_json(&json, policy);
	}
	json_object_end(&json);
	return json_end(&json);
}

static void print_text(const struct probed *probed)
{
	const struct regpin_policy *policy = probed->policy;
	const struct host *host = &probed->host;
	unsigned int stops = probed->stops;
	struct host_traits traits;

	if (!policy) {
		print_host(host);
		host_traits_probe(&traits, host);
		probe_print_traits(host, &traits);
		printf("\n");
		for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++)
			print_kind(host, kind);
		print_wide(host);
		print_notes(host);
		return;
	}
	if (host->kvm_errno)
		print_wrapped("no rule can be enforced: ",
			      probe_ask(host, REGPIN_MSR, RULE_DENY).why);
	else
		probe_print_rules(host, policy);
	if (probed->init)
		print_wrapped("init: NOT done: ", probed->init);
	puts("a VM with a feature that loads registers past every filter, or that ends pins:");
	acceptance_print(policy, "  ");
	if (stops)
		printf("regpin run refuses to start a VMM with this policy on this host: %u rule%s can't be enforced\n",
		       stops, stops == 1 ? "" : "s");
	else
		printf("regpin run starts VMMs with this policy on this host%s\n",
		       probed->missing || probed->init ?
		       ", but does not enforce all of it" : "");
}

static int exit_code(const struct probed *probed, bool starts)
{
	bool unusable = !probed->policy && probed->host.kvm_errno;

	if (probed->stops || unusable)
		return EXIT_HOST;
	return (probed->missing || probed->init) && !starts ? EXIT_DEGRADED :
							      EXIT_OK;
}

static int probe(const char *path, bool as_json, bool starts)
{
	static struct regpin_policy policy;
	static struct problems problems;
	static struct probed probed;
	int err;

	if (path) {
		err = policy_text_file_hash(path, probed.hash, &policy,
					    &problems);
		if (err && as_json)
			json_wrong_policy(path, &problems);
		else
			problems_print(&problems, path, stderr);
		if (err)
			return POLICY_UNREADABLE(err) ? EXIT_FILE :
							EXIT_REJECTED;
		probed.policy = &policy;
	}
	host_probe(&probed.host);
	probed.missing = missing(&probed.host, probed.policy, &probed.stops);
	if (path)
		probed.init = policy_fit_init(&policy, &probed.host);
	if (!as_json)
		print_text(&probed);
	else if (print_json(&probed) < 0)
		return EXIT_FILE;
	return exit_code(&probed, starts);
}

static int probe_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "starts", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool as_json = false, starts = false;
	int c;

	optind = 0;
	while ((c = option_next("probe", argc, argv, "h", options)) != -1) {
		if (c == 'j') {
			as_json = true;
		} else if (c == 's') {
			starts = true;
		} else if (c == 'h') {
			fputs(help_probe, stdout);
			return EXIT_OK;
		} else {
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1)
		return usage_error("probe", "only one policy can be probed at a time");
	return probe(argv[optind], as_json, starts);
}

const struct cmd cmd_probe = {
	.name = "probe",
	.main = probe_main,
	.help = "print what this host can enforce, and why it cannot enforce the rest",
};
