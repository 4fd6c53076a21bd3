// SPDX-License-Identifier: GPL-2.0-only
/* regpin probe: what this host can enforce, and why not the rest. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "registers.h"

#include "cmd.h"
#include "event_json.h"
#include "json.h"
#include "options.h"
#include "policy_fit.h"
#include "policy_text.h"
#include "probe_traits.h"

/* One for each register file: what is asked about it holds for all types. */
struct answer {
	bool enforced;
	const char *why;
};

static const char *const vendor_names[] = {
	[HOST_UNKNOWN] = "unknown",
	[HOST_SVM] = "kvm_amd",
	[HOST_VMX] = "kvm_intel",
	[HOST_OTHER] = "other",
};

static void print_help(FILE *file)
{
	fputs("usage: regpin probe [--json] [POLICY]\n"
	      "\n"
	      "Says what this host's KVM can enforce, and why it can't do the rest; with POLICY\n"
	      "for each of its rules.\n"
	      "\n"
	      "Exit status: 0 all can be enforced, 3 not all (optional rules count, too), 1 the\n"
	      "policy is wrong, 2 usage.\n", file);
}

static struct answer ask(const struct host *host, unsigned int kind,
			 unsigned int type)
{
	struct rule rule = {
		.kind = (uint8_t)kind, .type = (uint8_t)type, .count = 1,
		.mask = UINT64_MAX, .action = REGPIN_GP,
		.access = ACCESS_WRITE,
	};
	struct answer answer = { .why = NULL };

	answer.enforced = host_enforces(host, &rule, &answer.why);
	return answer;
}

/* Are there rules of this type on this kind of register, with something to enforce? */
static bool possible(unsigned int kind, unsigned int type)
{
	return (kind == REGPIN_MSR && type != RULE_ALLOW) ||
	       type == RULE_STICKY || type == RULE_NEVER ||
	       type == RULE_FROZEN ||
	       (type == RULE_REQUIRE && kind != REGPIN_XCR0);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void print_host(const struct host *host)
{
	if (host->kvm_errno)
		printf("KVM:                  can't be used: %s\n",
		       strerror(host->kvm_errno));
	else
		printf("KVM:                  API %d, vendor module %s\n",
		       host->api_version, vendor_names[host->vendor]);
	printf("MSR filter:           %s\n", yes_no(host->msr_filter));
	printf("MSR exits by filter:  %s\n", yes_no(host->msr_exits));
	printf("CR filter:            %s\n", yes_no(host->cr_filter));
	printf("VMLOAD by guests:     %s\n",
	       host->vmload_open ? "yes, past the MSR filter" : "no");
}

/* Registers by name, one call after the other; NULL at the end. */
static const char *next_by_vmload(size_t *i)
{
	while (*i < regpin_nr_registers) {
		const struct regpin_register *r = &regpin_registers[(*i)++];

		if (r->kind == REGPIN_MSR &&
		    host_vmload_loads(r->index, r->count))
			return r->name;
	}
	return NULL;
}

static void print_by_vmload(void)
{
	const char *between = "MSR   on ", *name;
	size_t i = 0;

	while ((name = next_by_vmload(&i))) {
		printf("%s%s", between, name);
		between = ", ";
	}
	printf(": NOT enforced: %s\n", host_vmload_text);
}

static void print_kind(const struct host *host, unsigned int kind)
{
	struct answer answer = { .why = NULL };
	const char *between = "";

	printf("%-4s  ", regpin_kind_names[kind]);
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
		if (!possible(kind, type) || type >= RULE_DEFAULT)
			continue;
		answer = ask(host, kind, type);
		printf("%s%s", between, rule_type_names[type]);
		between = ", ";
	}
	if (answer.enforced)
		printf(": enforced\n");
	else
		printf(": NOT enforced%s: %s\n",
		       kind != REGPIN_MSR && !host->kvm_errno ?
		       "; violations of optional rules are detected, of optional require refused at LSTAR" :
		       "", answer.why);
	if (kind == REGPIN_MSR && answer.enforced && host->vmload_open)
		print_by_vmload();
}

/* What a policy says of all MSRs at once: each may fail for reasons of its own. */
static void print_wide(const struct host *host)
{
	for (unsigned int type = RULE_DEFAULT; type < RULE_TYPE_MAX; type++) {
		struct answer answer = ask(host, REGPIN_MSR, type);

		printf("MSRs  %s: %s%s\n", rule_type_names[type],
		       answer.enforced ? "enforced" : "NOT enforced: ",
		       answer.enforced ? "" : answer.why);
	}
}

static void print_notes(const struct host *host)
{
	if (host->msr_filter)
		printf("note: the MSR filter sees WRMSR and RDMSR; INIT still resets MSRs\n");
	if (host->nested)
		printf("note: this KVM offers nested virtualisation to guests, which loads registers past every filter: run refuses guests that have it (QEMU: -cpu host,-svm,-vmx) unless the policy says 'accept: [nested]'\n");
	if (host->smm)
		printf("note: this KVM offers SMM to guests, and RSM loads registers past every filter: run refuses VMs that have it (QEMU: -machine q35,smm=off) unless the policy says 'accept: [smm]'\n");
	if (host->ignore_msrs)
		printf("note: kvm.ignore_msrs is on: accesses to MSRs that KVM does not know vanish, unless a rule names them\n");
}

static void print_rules(const struct host *host,
			const struct regpin_policy *policy)
{
	char subject[REGISTER_NAME_MAX];
	const char *why = NULL;

	for (uint32_t i = 0; i < policy->nr_rules; i++) {
		const struct rule *rule = &policy->rules[i];
		bool enforced = host_enforces(host, rule, &why);
		const char *how = "NOT enforced";

		if (enforced)
			how = "enforced";
		else if (fit_detects(policy, host, rule))
			how = "NOT enforced, violations are detected";
		else if (rule->flags & RULE_OPTIONAL)
			how = "NOT enforced, optional";
		printf("%s:%u:%u: %s on %s: %s%s%s\n", policy->source,
		       rule->line, rule->column, rule_type_names[rule->type],
		       event_rule_subject(subject, rule), how,
		       enforced ? "" : ": ", enforced ? "" : why);
	}
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
	json_bool(json, "msr_filter", host->msr_filter);
	json_bool(json, "msr_exits", host->msr_exits);
	json_bool(json, "cr_filter", host->cr_filter);
	json_bool(json, "smm", host->smm);
	json_bool(json, "nested", host->nested);
	json_bool(json, "ignore_msrs", host->ignore_msrs);
	json_bool(json, "vmload_open", host->vmload_open);
	json_object_end(json);
}

static void json_by_vmload(struct json *json)
{
	const char *name;
	size_t i = 0;

	json_array_begin(json, "except");
	while ((name = next_by_vmload(&i)))
		json_string(json, NULL, name);
	json_array_end(json);
	json_string(json, "why_except", host_vmload_text);
}

static void json_kinds(struct json *json, const struct host *host)
{
	json_array_begin(json, "enforces");
	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++) {
		for (unsigned int type = 0; type < RULE_TYPE_MAX; type++) {
			struct answer answer = ask(host, kind, type);

			if (!possible(kind, type))
				continue;
			json_object_begin(json, NULL);
			json_string(json, "kind", regpin_kind_names[kind]);
			json_string(json, "rule", rule_type_names[type]);
			json_bool(json, "enforced", answer.enforced);
			if (!answer.enforced)
				json_string(json, "why", answer.why);
			else if (kind == REGPIN_MSR && type != RULE_VALUE &&
				 type < RULE_DEFAULT && host->vmload_open)
				json_by_vmload(json);
			json_object_end(json);
		}
	}
	json_array_end(json);
}

static void json_rule(struct json *json, const struct host *host,
		      const struct regpin_policy *policy,
		      const struct rule *rule)
{
	char subject[REGISTER_NAME_MAX], where[POLICY_MAX_SOURCE + 32];
	const char *why = NULL;
	bool enforced = host_enforces(host, rule, &why);

	snprintf(where, sizeof(where), "%s:%" PRIu32 ":%" PRIu32,
		 policy->source, rule->line, rule->column);
	json_object_begin(json, NULL);
	json_string(json, "where", where);
	json_string(json, "register", event_rule_subject(subject, rule));
	json_string(json, "rule", rule_type_names[rule->type]);
	json_bool(json, "optional", rule->flags & RULE_OPTIONAL);
	json_bool(json, "enforced", enforced);
	if (!enforced) {
		json_bool(json, "detected", fit_detects(policy, host, rule));
		json_string(json, "why", why);
	}
	json_object_end(json);
}

/* How many of the rules are not enforced; *@stops of them are not optional. */
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
		nr += !ask(host, kind, RULE_STICKY).enforced;
	nr += !policy && host->vmload_open;
	return nr;
}

static int print_json(const struct host *host,
		      const struct regpin_policy *policy, unsigned int stops)
{
	struct host_traits traits;
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_host(&json, host);
	host_traits(&traits, host);
	probe_json_traits(&json, &traits);
	json_kinds(&json, host);
	if (policy) {
		json_bool(&json, "starts", !stops);
		json_array_begin(&json, "rules");
		for (uint32_t i = 0; i < policy->nr_rules; i++)
			json_rule(&json, host, policy, &policy->rules[i]);
		json_array_end(&json);
	}
	json_object_end(&json);
	return json_end(&json);
}

static void print_text(const struct host *host,
		       const struct regpin_policy *policy, unsigned int stops)
{
	struct host_traits traits;

	if (policy) {
		print_rules(host, policy);
		printf("regpin run %s with this policy on this host\n",
		       stops ? "refuses to start a VMM" : "starts VMMs");
		return;
	}
	print_host(host);
	host_traits(&traits, host);
	probe_print_traits(host, &traits);
	printf("\n");
	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++)
		print_kind(host, kind);
	print_wide(host);
	print_notes(host);
}

static int probe(const char *path, bool as_json)
{
	static struct regpin_policy policy;
	static struct problems problems;
	unsigned int nr, stops;
	struct host host;
	int err;

	if (path) {
		err = policy_text_file(path, &policy, &problems);
		problems_print(&problems, path, stderr);
		if (err)
			return EXIT_REJECTED;
	}
	host_probe(&host);
	nr = missing(&host, path ? &policy : NULL, &stops);
	if (as_json) {
		if (print_json(&host, path ? &policy : NULL, stops) < 0)
			return EXIT_REJECTED;
	} else {
		print_text(&host, path ? &policy : NULL, stops);
	}
	return nr ? EXIT_HOST : EXIT_OK;
}

static int probe_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool as_json = false;
	int c;

	optind = 0;
	while ((c = option_next("probe", argc, argv, "+h", options)) != -1) {
		if (c == 'j') {
			as_json = true;
		} else if (c == 'h') {
			print_help(stdout);
			return EXIT_OK;
		} else {
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "regpin probe: it takes one policy at most; 'regpin probe --help' tells more\n");
		return EXIT_USAGE;
	}
	return probe(argv[optind], as_json);
}

const struct cmd cmd_probe = {
	.name = "probe",
	.main = probe_main,
	.help = "say what this host can enforce, and why not the rest",
};
