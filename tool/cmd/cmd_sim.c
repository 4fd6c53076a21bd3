// SPDX-License-Identifier: GPL-2.0-only
/* regpin sim: judges the accesses of a trace or a log by a policy. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/options.h"
#include "base/printable.h"
#include "cmd.h"
#include "cmd_help.h"
#include "lib/kvm/host.h"
#include "lib/policy/policy.h"
#include "lib/policy/policy_sort.h"
#include "policy/policy_file.h"
#include "policy/policy_fit.h"
#include "policy/problems.h"
#include "policy/problems_json.h"
#include "policy/unfit_json.h"
#include "policy/which_guest.h"
#include "policy/which_kvm.h"
#include "sim/sim.h"
#include "sim/sim_print.h"
#include "sim/sim_read.h"

static int out_of_memory(void)
{
	fputs("regpin sim: out of memory\n", stderr);
	return EXIT_FILE;
}

static int run(struct reader *reader)
{
	const struct printer *printer = reader->printer;
	int ret = reader_run(reader);
	char text[KVM_TEXT];

	if (printer->unexpected && !printer->json)
		fprintf(stderr, "regpin sim: %s: %" PRIu64
			" not as expected, on %s\n",
			printable(reader->input.name), printer->unexpected,
			kvm_text(text, printer->kvm));
	if (printer->elsewhere && !printer->json)
		fprintf(stderr, "regpin sim: warning: %s: %" PRIu64
			" as expected on a KVM with the CR filter only, not on %s: use --cr-filter for the former; with --stock or --host these count as not expected\n",
			printable(reader->input.name), printer->elsewhere,
			kvm_text(text, printer->kvm));
	return ret == EXIT_OK && printer->unexpected ? EXIT_REJECTED : ret;
}

/* Context of policy_fit(): rules that are not enforced are printed as comments. */
struct fitting {
	const struct regpin_policy *policy;
	struct printer *printer;
};

static void print_unfit(void *context, const struct unfit *first,
			const char *text, const char *others)
{
	const struct fitting *fitting = context;
	const struct regpin_policy *policy = fitting->policy;
	char place[PLACE_MAX];
	const char *const comment[] = { place, ": ", text, others, NULL };

	policy_place(place, policy, first->rule.line, first->rule.column);
	if (first->fitted == FIT_REFUSED)
		fprintf(stderr, "%s: error: %s: %s%s\n", place, text,
			first->why, others);
	else
		print_comment(fitting->printer, comment);
}

/* Reduces the policy to the rules that this KVM enforces. False if it is refused. */
static bool fit(struct regpin_policy *policy, struct printer *printer)
{
	struct fitting fitting = { policy, printer };
	static struct unfits unfits;
	const struct host *host = &printer->kvm->host;
	bool refused;

	policy_fit_init(policy, host);
	refused = policy_fit(policy, host, unfits_add, &unfits);
	if (printer->json && refused)
		json_refused_policy(policy, printer->kvm, &unfits);
	else if (refused || !(printer->json || printer->quiet))
		unfits_print(&unfits, policy, print_unfit, &fitting);
	return !refused;
}

static void ignore_unfit(void *context, enum fitted fitted,
			 const struct rule *rule, const char *why)
{
	(void)context;
	(void)fitted;
	(void)rule;
	(void)why;
}

/*
 * Reads the policy as the simulated host would enforce it, and as a host with the CR filter
 * would. Returns an exit code.
 */
static int read_policy(const char *path, struct printer *printer,
		       struct regpin_policy *policy,
		       struct regpin_policy *other)
{
	struct problems *problems = problems_new();
	char text[KVM_TEXT], head[KVM_TEXT + POLICY_MAX_SOURCE];
	int err;

	if (!problems)
		return out_of_memory();
	err = policy_text_file(path, policy, problems);
	/* Warnings are left to 'regpin check'. */
	if (err && printer->json)
		json_wrong_policy(path, problems);
	else if (err)
		problems_print(problems, path, stderr);
	problems_free(problems);
	if (err)
		return POLICY_UNREADABLE(err) ? EXIT_FILE : EXIT_REJECTED;
	snprintf(head, sizeof(head), "%s, on %s", policy->source,
		 kvm_text(text, printer->kvm));
	if (!printer->json && !printer->quiet)
		print_comment(printer, (const char *const[]){ head, NULL });
	policy_copy(other, policy);
	if (!fit(policy, printer))
		return EXIT_HOST;
	/* In a simulation no time passes, so there are no deadlines. */
	policy->settings.deadline_ms = other->settings.deadline_ms = 0;
	return EXIT_OK;
}

/* Objects that are too large for the stack. */
struct sim_command {
	struct regpin_policy policy, other_policy;
	struct asked_guest asked;
	struct which_kvm kvm;
	struct sim sim, other;
	struct reader reader;
	struct printer printer;
};

/*
 * If the description of the guest leaves open whether a rule holds, the rule is printed and
 * left out, as `explain` does.
 */
static void drop_undecided(const struct asked_guest *asked,
			   struct regpin_policy *policy, bool quiet)
{
	bool undecided[POLICY_MAX_WHENS + 1] = { false };
	uint32_t kept = 0;

	for (uint32_t i = 0; i < policy->nr_whens; i++) {
		const struct when *when = &policy->whens[i];
		enum holds holds = guest_holds(when, asked);
		char place[PLACE_MAX];

		if (holds != HOLDS_BY_FAMILY && holds != HOLDS_BY_MODEL)
			continue;
		undecided[i + 1] = true;
		if (quiet)
			continue;
		fprintf(stderr, "regpin sim: %s: whether this holds depends on the guest's %s, which --guest does not give: rules with this condition are left out\n",
			policy_place(place, policy, when->line, when->column),
			holds == HOLDS_BY_FAMILY ? "family" : "model");
	}
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (!undecided[policy->rules[i].when])
			policy->rules[kept++] = policy->rules[i];
	policy->nr_rules = kept;
	policy_sort(policy);
}

/* The simulated host is like the real one, but knows all registers and refuses no access. */
static void set_simulated_host(struct host *to, const struct host *real)
{
	kvm_host(to, real->cr_filter);
	if (real->cr_filter)
		memcpy(to->filterable, real->filterable,
		       sizeof(to->filterable));
}

static int open_trace(struct sim_command *command, const char *trace)
{
	if (!input_open(&command->reader.input, trace))
		return EXIT_OK;
	fprintf(stderr, "regpin sim: %s can't be read: %s\n",
		printable(trace), strerror(errno));
	return EXIT_FILE;
}

/*
 * A trace tests a policy, and most traces are written for a KVM with the CR filter. If no
 * option names the KVM, a trace must not fail because this host's KVM has no such filter.
 */
static void open_other(struct sim_command *command)
{
	struct host host;

	if (command->kvm.option || command->kvm.host.cr_filter)
		return;
	kvm_host(&host, true);
	policy_fit_init(&command->other_policy, &host);
	if (policy_fit(&command->other_policy, &host, ignore_unfit, NULL))
		return;
	if (command->asked.guest.known)
		drop_undecided(&command->asked, &command->other_policy, true);
	if (sim_open(&command->other, &command->other_policy, &host))
		return;
	command->other.guest = command->sim.guest;
	command->reader.other = &command->other;
}

static int simulate(struct sim_command *command, const char *policy, const char *trace)
{
	int ret = read_policy(policy, &command->printer, &command->policy,
			      &command->other_policy);
	struct host host;

	if (ret == EXIT_OK)
		ret = open_trace(command, trace);
	if (ret != EXIT_OK) {
		print_flush(&command->printer);
		return ret;
	}
	if (command->asked.guest.known)
		drop_undecided(&command->asked, &command->policy, false);
	else if (command->policy.nr_whens)
		fprintf(stderr, "regpin sim: warning: without --guest the guest has no vendor: no rule with 'when' is in force\n");
	set_simulated_host(&host, &command->kvm.host);
	ret = sim_open(&command->sim, &command->policy, &host);
	if (ret == -ENOMEM) {
		ret = out_of_memory();
	} else if (ret) {
		fprintf(stderr, "regpin sim: no VM can be put under %s: %s\n",
			printable(policy), strerror(-ret));
		ret = EXIT_HOST;
	} else {
		command->sim.guest = command->asked.guest.known ?
			&command->asked.guest : NULL;
		command->reader.sim = &command->sim;
		command->reader.printer = &command->printer;
		open_other(command);
		ret = run(&command->reader);
		sim_close(&command->sim);
		sim_close(&command->other);
	}
	input_close(&command->reader.input);
	return ret;
}

/* Returns an exit code, or -1 to continue. */
static int read_options(int argc, char **argv, struct sim_command *command)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "quiet", no_argument, NULL, 'q' },
		KVM_OPTIONS,
		{ "guest", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = option_next("sim", argc, argv, "h", options)) != -1) {
		if (kvm_option(&command->kvm, c))
			continue;
		switch (c) {
		case 'j':
			command->printer.json = true;
			break;
		case 'q':
			command->printer.quiet = true;
			break;
		case 'g':
			if (!guest_option("sim", optarg, &command->asked))
				return EXIT_USAGE;
			break;
		case 'h':
			fputs(help_sim, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 2 != argc || (!strcmp(argv[optind], "-") &&
				   !strcmp(argv[optind + 1], "-")))
		return usage_error("sim", "%s", optind + 2 != argc ?
				   "name one policy and one trace" :
				   "the policy and the trace can't both be standard input");
	return kvm_choose(&command->kvm, "sim") ? -1 : EXIT_USAGE;
}

static int cmd_sim_main(int argc, char **argv)
{
	struct sim_command *command = calloc(1, sizeof(*command));
	int ret;

	if (!command)
		return out_of_memory();
	command->printer.kvm = &command->kvm;
	ret = read_options(argc, argv, command);
	if (ret < 0)
		ret = simulate(command, argv[optind], argv[optind + 1]);
	free(command);
	return ret;
}

const struct cmd cmd_sim = {
	"sim", cmd_sim_main, "print how a policy judges a trace or a log of accesses",
};
