// SPDX-License-Identifier: GPL-2.0-only
/* regpin explain: what a policy comes to, for who has to review it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "explain_report.h"
#include "guest.h"
#include "options.h"
#include "policy_fit.h"
#include "policy_text.h"
#include "replay.h"
#include "sim.h"

static void print_help(FILE *file)
{
	fputs("usage: regpin explain [--json] [--stock | --host] [--guest GUEST] POLICY\n"
	      "\n"
	      "Says what KVM is given for POLICY, and for each register that it speaks of what a\n"
	      "guest may still do. That is found out by asking the code that judges guests.\n"
	      "\n"
	      "  --json   print one JSON object instead\n"
	      "  --stock  on a KVM without regpin's CR filter; the default is one that has it\n"
	      "  --host   on this host's KVM\n"
	      GUEST_HELP
	      "\n"
	      "Exit status: 0, 1 if the policy is wrong, 3 if it can't be enforced there.\n",
	      file);
}

static void arming(struct report *report)
{
	static const char *const texts[ARM_MAX] = {
		[ARM_START] = "from a vCPU's first instruction until the end of the VM",
		[ARM_SYSCALL_ENTRY] = "from a vCPU's first non-zero LSTAR until it is reset or gets an INIT",
		[ARM_REQUEST] = "when the guest has asked for it, for each vCPU that has an LSTAR, until the VM is reset",
		[ARM_OPERATOR] = "when the operator says so, for each vCPU that has an LSTAR, until the VM is reset",
	};
	const struct regpin_policy *policy = report->explain.policy;

	report_line(report, "armed", "a vCPU is armed", texts[policy->arming]);
}

/* What is asked of a vCPU that comes up when others are armed. */
static void coming_up(struct report *report)
{
	const struct settings *s = &report->explain.policy->settings;
	static const char *const late[REGPIN_ACTION_MAX] = {
		[REGPIN_REPORT] = "an event", [REGPIN_PAUSE] = "it is held",
		[REGPIN_STOP] = "the VM is stopped",
	};

	report_begin(report, "coming_up", "A vCPU that comes up beside armed ones needs, as far as the first armed one has it");
	for (int lstar = 0; lstar < 2; lstar++) {
		explain_floor(&report->explain, lstar, report->text,
			      EXPLAIN_TEXT);
		if (*report->text)
			report_line(report, lstar ? "lstar" : "paging",
			     lstar ? "to set LSTAR" : "to turn paging on",
			     report->text);
	}
	if (s->deadline_ms)
		snprintf(report->text, EXPLAIN_TEXT,
			 "within %" PRIu32 " ms of its run time (else: %s)",
			 s->deadline_ms, late[s->deadline_action]);
	else
		strcpy(report->text, "in no time");
	report_line(report, "arms", "to be armed", report->text);
	report_end(report);
}

/* Does any rule depend on being armed? */
static bool has_pins(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type < RULE_DENY)
			return true;
	return false;
}

static int report_all(struct report *report, const struct regpin_policy *whole,
		      const struct guest *guest)
{
	const struct regpin_policy *policy = report->explain.policy;
	int err;

	if (report->json) {
		json_object_begin(report->json, NULL);
		json_string(report->json, "policy", policy->source);
		json_u64(report->json, "rules", policy->nr_rules);
		json_bool(report->json, "cr_filter_there",
			  report->explain.host->cr_filter);
	} else {
		printf("%s: %" PRIu32 " rules, on a KVM %s the CR filter\n",
		       policy->source, policy->nr_rules,
		       report->explain.host->cr_filter ? "with" : "without");
	}
	if (whole->nr_whens)
		report_guest(report, whole, guest);
	if (has_pins(policy))
		arming(report);
	report_kvm(report);
	err = report_subjects(report);
	if (!err)
		report_refused(report);
	if (!err && has_pins(policy))
		coming_up(report);
	if (report->json)
		json_object_end(report->json);
	return err;
}

static void tell(void *context, enum fitted fitted, const struct rule *rule,
		 const char *why)
{
	static const char *const texts[] = {
		[FIT_DETECTED] = "only looked after",
		[FIT_LEFT_OUT] = "left out",
		[FIT_REFUSED] = "refused",
	};
	const struct regpin_policy *policy = context;

	fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": %s: %s\n", policy->source,
		rule->line, rule->column, texts[fitted], why);
}

static int explain(const char *path, struct regpin_policy *policy,
		   const struct host *host, const struct guest *guest,
		   struct report *report)
{
	static struct regpin_policy in_force;
	struct problems *problems = problems_new();
	int ret = EXIT_REJECTED;

	if (!problems)
		return EXIT_HOST;
	if (policy_text_file(path, policy, problems)) {
		problems_print(problems, path, stderr);
		goto out;
	}
	ret = EXIT_HOST;
	policy_fit_init(policy, host);
	if (policy_fit(policy, host, tell, policy))
		goto out;
	explain_resolve(policy, guest, &in_force);
	if (explain_begin(&report->explain, &in_force, host) ||
	    report_all(report, policy, guest)) {
		fputs("regpin explain: out of memory, or of KVM's ranges\n",
		      stderr);
		goto out;
	}
	ret = EXIT_OK;
out:
	problems_free(problems);
	return ret;
}

static int cmd_explain_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "stock", no_argument, NULL, 's' },
		{ "host", no_argument, NULL, 'H' },
		{ "guest", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct regpin_policy policy;
	static struct report report;
	static struct json json;
	struct guest guest = { 0 };
	int c, ret, where = 0;
	struct host host;

	optind = 0;
	while ((c = option_next("explain", argc, argv, "h", options)) != -1) {
		switch (c) {
		case 'j':
			report.json = &json;
			break;
		case 's':
		case 'H':
			where = where && where != c ? -1 : c;
			break;
		case 'g':
			if (!guest_option("explain", optarg, &guest))
				return EXIT_USAGE;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_OK;
		default:
			print_help(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc || where < 0) {
		fputs("regpin explain: one policy is needed, and one KVM at most\n",
		      stderr);
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (where == 'H')
		host_probe(&host);
	else
		sim_host(&host, where != 's');
	if (report.json)
		json_begin(&json, stdout);
	ret = explain(argv[optind], &policy, &host, &guest, &report);
	if (report.json && ret == EXIT_OK)
		json_end(&json);
	return ret;
}

const struct cmd cmd_explain = {
	"explain", cmd_explain_main, "say what a policy leaves a guest",
};
