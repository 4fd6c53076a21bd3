// SPDX-License-Identifier: GPL-2.0-only
/* regpin diff: accesses that one policy stops and another does not. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/exit_codes.h"
#include "base/options.h"
#include "cmd.h"
#include "cmd_help.h"
#include "explain/explain_guest.h"
#include "policy/policy_diff.h"
#include "policy/policy_diff_json.h"
#include "policy/policy_diff_text.h"
#include "policy/policy_file.h"
#include "policy/policy_fit.h"
#include "policy/problems.h"
#include "policy/which_guest.h"
#include "policy/which_kvm.h"

/* Exit statuses of diff, by which a script can test whether a policy became looser. */
enum {
	DIFF_SAFE = 0,		/* B does not loosen A */
	DIFF_LOOSER = 1,	/* B loosens A, or exceeds MAX */
	DIFF_UNREADABLE = 3,	/* a policy is wrong, or can't be read */
};

/**
 * struct diff_options - the command line
 * @from: path of the policy A; NULL if only B and --within were given
 * @to: path of B
 * @within: path of MAX, or NULL
 * @json: one JSON object instead of lines
 * @on_kvm: the policies are compared as @kvm enforces them, not as they are written
 * @kvm: the KVM, if @on_kvm
 * @asked: the guest that --guest names; with none, the rules of all guests are compared
 */
struct diff_options {
	const char *from, *to, *within;
	bool json, on_kvm;
	struct which_kvm kvm;
	struct asked_guest asked;
};

static void ignore_unfit(void *context, enum fitted fitted,
			 const struct rule *rule, const char *why)
{
	/* The comparison itself shows an optional rule that is only detected or left out. */
}

/* Reads a policy for comparison. Returns false after a message if that failed. */
static bool read_policy(const struct diff_options *options, const char *path,
			struct regpin_policy *to)
{
	static struct regpin_policy whole;
	struct problems *problems = problems_new();
	bool good;

	if (!problems) {
		fputs("regpin diff: out of memory\n", stderr);
		return false;
	}
	good = policy_text_file(path, &whole, problems) == 0;
	if (!good)
		problems_print(problems, path, stderr);
	problems_free(problems);
	if (!good)
		return false;
	if (options->on_kvm) {
		policy_fit_init(&whole, &options->kvm.host);
		if (policy_fit(&whole, &options->kvm.host, ignore_unfit, NULL)) {
			char text[KVM_TEXT];

			fprintf(stderr, "regpin diff: %s can't be enforced by %s: 'regpin explain' lists the reasons\n",
				path, kvm_text(text, &options->kvm));
			return false;
		}
	}
	if (options->asked.guest.known)
		explain_resolve(&whole, &options->asked, to);
	else
		*to = whole;
	return true;
}

static void print_changes(const struct policy_diff *diff, const char *from,
			  const char *to)
{
	char text[4096];

	for (unsigned int i = 0; i < diff->nr; i++)
		puts(policy_change_text(text, sizeof(text), &diff->list[i]));
	printf("%s -> %s: loosens %u, tightens %u, changes %u\n", from, to,
	       diff->counts[DIFF_LOOSENS], diff->counts[DIFF_TIGHTENS],
	       diff->counts[DIFF_CHANGES]);
}

/* Prints where B loosens MAX; as MAX is a limit, tighter rules are not printed. */
static void print_excess(const struct policy_diff *diff, const char *max,
			 const char *to)
{
	char text[4096];

	for (unsigned int i = 0; i < diff->counts[DIFF_LOOSENS]; i++)
		printf("exceeds %s: %s\n", max,
		       policy_change_text(text, sizeof(text), &diff->list[i]) +
		       strlen("loosens: "));
	printf("%s exceeds %s in %u %s\n", to, max, diff->counts[DIFF_LOOSENS],
	       diff->counts[DIFF_LOOSENS] == 1 ? "place" : "places");
}

static void put_json(const struct diff_options *options,
		     const struct policy_diff *diff,
		     const struct policy_diff *excess, int status)
{
	struct json json;

	json_begin(&json, stdout);
	json_object_begin(&json, NULL);
	json_u64(&json, "version", JSON_VERSION);
	if (options->on_kvm)
		kvm_json(&json, &options->kvm);
	json_bool(&json, "ok", status == DIFF_SAFE);
	json_string(&json, "to_file", options->to);
	if (options->from) {
		json_string(&json, "from_file", options->from);
		json_policy_diff(&json, "list", diff);
	}
	if (options->within) {
		json_object_begin(&json, "within");
		json_string(&json, "within_file", options->within);
		json_policy_diff(&json, "list", excess);
		json_object_end(&json);
	}
	json_object_end(&json);
	json_end(&json);
}

/* Compares @path, if it was given, with B. Returns false if that failed. */
static bool compare(const struct diff_options *options, const char *path,
		    const struct regpin_policy *to, struct policy_diff *diff)
{
	static struct regpin_policy from;

	if (!path)
		return true;
	if (!read_policy(options, path, &from))
		return false;
	if (!policy_diff(&from, to, diff) && !diff->err)
		return true;
	fputs("regpin diff: there is not enough memory for all differences\n",
	      stderr);
	return false;
}

static int diff(const struct diff_options *options)
{
	static struct policy_diff changes, excess;
	static struct regpin_policy to;
	int ret = DIFF_UNREADABLE;

	if (!read_policy(options, options->to, &to) ||
	    !compare(options, options->from, &to, &changes) ||
	    !compare(options, options->within, &to, &excess))
		goto out;
	ret = (options->within ? &excess : &changes)->counts[DIFF_LOOSENS] ?
	      DIFF_LOOSER : DIFF_SAFE;
	if (options->json) {
		put_json(options, &changes, &excess, ret);
		goto out;
	}
	if (options->from)
		print_changes(&changes, options->from, options->to);
	if (options->within)
		print_excess(&excess, options->within, options->to);
out:
	policy_diff_free(&changes);
	policy_diff_free(&excess);
	return ret;
}

/* Sets A and B from the arguments. Returns false after a message if they are wrong. */
static bool name_policies(struct diff_options *options, int argc, char **argv)
{
	int nr = argc - optind, stdins;

	if (nr < (options->within ? 1 : 2) || nr > 2) {
		fprintf(stderr, "regpin diff: name %s%s; try 'regpin diff --help'\n",
			options->within ? "one policy, or two" : "two policies",
			nr > 2 ? "; these are more" : "");
		return false;
	}
	if (nr == 2)
		options->from = argv[optind];
	options->to = argv[argc - 1];
	stdins = !strcmp(options->to, "-") +
		 (options->from && !strcmp(options->from, "-")) +
		 (options->within && !strcmp(options->within, "-"));
	if (stdins > 1)
		fputs("regpin diff: only one policy can be read from standard input\n",
		      stderr);
	return stdins < 2;
}

static int cmd_diff_main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "within", required_argument, NULL, 'w' },
		KVM_OPTIONS,
		{ "guest", required_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct diff_options wanted;
	int c;

	optind = 0;
	while ((c = option_next("diff", argc, argv, "h", options)) != -1) {
		if (kvm_option(&wanted.kvm, c)) {
			wanted.on_kvm = true;
			continue;
		}
		switch (c) {
		case 'j':
			wanted.json = true;
			break;
		case 'w':
			wanted.within = optarg;
			break;
		case 'g':
			if (!guest_option("diff", optarg, &wanted.asked))
				return EXIT_USAGE;
			break;
		case 'h':
			fputs(help_diff, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	if (!name_policies(&wanted, argc, argv))
		return EXIT_USAGE;
	if (wanted.on_kvm && !kvm_choose(&wanted.kvm, "diff"))
		return EXIT_USAGE;
	return diff(&wanted);
}

const struct cmd cmd_diff = {
	"diff", cmd_diff_main, "print what one policy stops and another does not",
};
