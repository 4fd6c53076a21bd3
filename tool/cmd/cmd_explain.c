// SPDX-License-Identifier: GPL-2.0-only
/* regpin explain: the effects of a policy, for its reviewer. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/options.h"
#include "cmd.h"
#include "cmd_help.h"
#include "explain/explain.h"
#include "explain/explain_guest.h"
#include "explain/explain_kvm.h"
#include "explain/explain_report.h"
#include "explain/explain_subjects.h"
#include "policy/acceptance.h"
#include "policy/policy_file.h"
#include "policy/policy_fit.h"
#include "policy/problems.h"
#include "policy/problems_json.h"
#include "policy/unfit_json.h"
#include "policy/which_guest.h"
#include "policy/which_kvm.h"

/* Rules that the KVM can't enforce, and why. */
static struct unfits unfits;

static void report_arming(struct report *report)
{
	static const char *const texts[ARM_MAX] = {
		[ARM_START] = "from its first instruction until the end of the VM",
		[ARM_SYSCALL_ENTRY] = "from its first non-zero LSTAR until it is reset or gets an INIT",
		[ARM_REQUEST] = "after the guest's request, if the vCPU has an LSTAR, until the VM is reset",
		[ARM_OPERATOR] = "after the operator's command, if the vCPU has an LSTAR, until the VM is reset",
	};
	const struct regpin_policy *policy = report->explain.policy;

	if (!report->json)
		puts("\nArming");
	report_line(report, "arming", "a vCPU is armed", texts[policy->arming]);
}

/* The conditions for a vCPU that starts while others are armed. */
static void report_floor(struct report *report)
{
	const struct settings *s = &report->explain.policy->settings;
	static const char *const late[REGPIN_ACTION_MAX] = {
		[REGPIN_REPORT] = "an event", [REGPIN_PAUSE] = "the vCPU is held",
		[REGPIN_STOP] = "the VM is stopped",
	};

	report_begin(report, "coming_up", "A vCPU that starts while others are armed needs, as far as the first armed one has it");
	for (int lstar = 0; lstar < 2; lstar++) {
		explain_floor(&report->explain, lstar, report->text,
			      EXPLAIN_TEXT);
		if (*report->text)
			report_line(report, lstar ? "lstar" : "paging",
			     lstar ? "to set LSTAR" : "to turn paging on",
			     report->text);
	}
	if (report->explain.policy->arming == ARM_START)
		strcpy(report->text, "nothing: each vCPU is armed from its first instruction on");
	else if (s->deadline_ms)
		snprintf(report->text, EXPLAIN_TEXT,
			 "within %" PRIu32 " ms of its run time (otherwise: %s)",
			 s->deadline_ms, late[s->deadline_action]);
	else
		strcpy(report->text, "there is no deadline");
	report_line(report, "arms", "to be armed", report->text);
	report_end(report);
}

/* Uses the whole policy, because rules for other guests count here as well. */
static void report_past_filters(struct report *report,
				const struct regpin_policy *whole)
{
	if (report->json) {
		acceptance_json(report->json, whole);
		return;
	}
	puts("\nA VM with a feature that loads registers past every filter, or that ends pins");
	acceptance_print(whole, "  ");
}

static void print_unfit(void *context, const struct unfit *first,
			const char *text, const char *others)
{
	const struct regpin_policy *policy = context;
	char place[PLACE_MAX];

	fprintf(stderr, "%s: %s: %s: %s%s\n",
		policy_place(place, policy, first->rule.line, first->rule.column),
		first->fitted == FIT_REFUSED ? "refused" : "degraded", text,
		first->why, others);
}

/* "17 rules, of which 3 hold for this guest, on ..." */
static void print_head(const struct report *report,
		       const struct regpin_policy *whole,
		       const struct which_kvm *kvm,
		       const struct asked_guest *asked)
{
	const struct regpin_policy *policy = report->explain.policy;
	char text[KVM_TEXT];

	printf("%s: %" PRIu32 " rule%s", policy->source, whole->nr_rules,
	       whole->nr_rules == 1 ? "" : "s");
	if (whole->nr_whens)
		printf(", of which %" PRIu32 " hold%s for %s",
		       policy->nr_rules, policy->nr_rules == 1 ? "s" : "",
		       asked->guest.known ? "this guest" : "every guest");
	printf("; on %s\n", kvm_text(text, kvm));
}

static void json_head(const struct report *report,
		      const struct regpin_policy *whole,
		      const struct which_kvm *kvm)
{
	struct json *json = report->json;

	json_object_begin(json, NULL);
	json_u64(json, "version", JSON_VERSION);
	json_string(json, "policy_file", whole->source);
	json_string(json, "policy_sha256", report->hash);
	kvm_json(json, kvm);
	json_u64(json, "rules", whole->nr_rules);
	json_u64(json, "rules_in_force", report->explain.policy->nr_rules);
	json_bool(json, "ok", true);
	json_unfits(json, "degraded", whole, &unfits);
}

static int report_all(struct report *report, const struct regpin_policy *whole,
		      const struct which_kvm *kvm,
		      const struct asked_guest *asked)
{
	const struct regpin_policy *policy = report->explain.policy;
	int err;

	if (report->json)
		json_head(report, whole, kvm);
	else
		print_head(report, whole, kvm, asked);
	if (whole->nr_whens)
		report_guest(report, whole, asked);
	if (policy_has_pins(policy))
		report_arming(report);
	err = report_subjects(report);
	if (!err)
		report_refused(report);
	if (!err && policy_has_pins(policy))
		report_floor(report);
	if (!err)
		report_past_filters(report, whole);
	if (report->json || report->verbose)
		report_kvm(report);
	if (report->json)
		json_object_end(report->json);
	return err;
}

/* Reduces @policy to the rules that @kvm enforces. Returns false if @kvm refuses it. */
static bool fit(struct regpin_policy *policy, const struct which_kvm *kvm,
		bool json)
{
	unsigned int refused;
	const char *init;

	init = policy_fit_init(policy, &kvm->host);
	refused = policy_fit(policy, &kvm->host, unfits_add, &unfits);
	if (!json)
		unfits_print(&unfits, policy, print_unfit, policy);
	else if (refused)
		json_refused_policy(policy, kvm, &unfits);
	if (init)
		fprintf(stderr, "%s: degraded: 'init' is left out: %s\n",
			policy->source, init);
	return !refused;
}

static int explain(const char *path, struct regpin_policy *policy,
		   const struct which_kvm *kvm, const struct asked_guest *asked,
		   struct report *report)
{
	static struct regpin_policy in_force;
	struct problems *problems = problems_new();
	int ret, err;

	if (!problems) {
		fputs("regpin explain: out of memory\n", stderr);
		return EXIT_FILE;
	}
	err = policy_text_file_hash(path, report->hash, policy, problems);
	if (err) {
		if (report->json)
			json_wrong_policy(path, problems);
		else
			problems_print(problems, path, stderr);
		ret = POLICY_UNREADABLE(err) ? EXIT_FILE : EXIT_REJECTED;
		goto out;
	}
	ret = EXIT_HOST;
	if (!fit(policy, kvm, report->json))
		goto out;
	explain_resolve(policy, asked, &in_force);
	if (explain_begin(&report->explain, &in_force, &kvm->host)) {
		fputs("regpin explain: the policy needs more MSR ranges than KVM's filter has: name fewer MSRs outside of the usual windows (see regpin-policy(5))\n",
		      stderr);
		goto out;
	}
	ret = EXIT_OK;
	if (report_all(report, policy, kvm, asked)) {
		fputs("regpin explain: out of memory\n", stderr);
		ret = EXIT_FILE;
	}
out:
	problems_free(problems);
	return ret;
}

static int cmd_explain_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		KVM_OPTIONS,
		{ "guest", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct regpin_policy policy;
	static struct which_kvm kvm;
	static struct report report;
	static struct json json;
	struct asked_guest asked = { .family = false };
	int c, ret;

	optind = 0;
	while ((c = option_next("explain", argc, argv, "hv", options)) != -1) {
		if (kvm_option(&kvm, c))
			continue;
		switch (c) {
		case 'j':
			report.json = &json;
			break;
		case 'v':
			report.verbose = true;
			break;
		case 'g':
			if (!guest_option("explain", optarg, &asked))
				return EXIT_USAGE;
			break;
		case 'h':
			fputs(help_explain, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc)
		return usage_error("explain", "%s", optind == argc ?
				   "name a policy" :
				   "only one policy can be explained at a time");
	if (!kvm_choose(&kvm, "explain"))
		return EXIT_USAGE;
	if (report.json)
		json_begin(&json, stdout);
	ret = explain(argv[optind], &policy, &kvm, &asked, &report);
	if (report.json && ret == EXIT_OK)
		json_end(&json);
	return ret;
}

const struct cmd cmd_explain = {
	"explain", cmd_explain_main, "print what a guest may do under a policy",
};
