// SPDX-License-Identifier: GPL-2.0-only
/* regpin explain: what a policy comes to, for who has to review it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "registers.h"

#include "cmd.h"
#include "event_json.h"
#include "explain.h"
#include "json.h"
#include "policy_fit.h"
#include "policy_text.h"
#include "sim.h"

static void print_help(FILE *file)
{
	fputs("usage: regpin explain [--json] [--stock | --host] POLICY\n"
	      "\n"
	      "Says what KVM is given for POLICY, and for each register that it speaks of what a\n"
	      "guest may still do. That is found out by asking the code that judges guests.\n"
	      "\n"
	      "  --json   print one JSON object instead\n"
	      "  --stock  on a KVM without regpin's CR filter; the default is one that has it\n"
	      "  --host   on this host's KVM\n"
	      "\n"
	      "Exit status: 0, 1 if the policy is wrong, 3 if it can't be enforced there.\n",
	      file);
}

/**
 * struct sentences - what is said of one or several registers
 * @kind: of these
 * @request: it is the one by which guests ask for their pins
 * @reads: of them
 * @writes: in each phase
 */
struct sentences {
	unsigned int kind;
	bool request;
	char reads[128];
	char writes[PHASE_MAX][EXPLAIN_TEXT];
};

/**
 * struct report - an explanation that is being written
 * @explain: what is explained
 * @json: where to; NULL: as text, to standard output
 * @text: room for a sentence
 * @names: the registers of which @said speaks
 * @last: the last one of these, or a range of them
 * @last_at: where its name begins
 * @said: what has not been printed yet, as the next register may be the same
 * @next: what is said of that
 */
struct report {
	struct explain explain;
	struct json *json;
	char text[EXPLAIN_TEXT];
	char names[1024];
	struct subject last;
	size_t last_at;
	struct sentences said, next;
};

/* The beginnings of the lines on writes. */
static const char *const phase_texts[PHASE_MAX] = {
	[PHASE_UNARMED] = "writes, unarmed",
	[PHASE_BESIDE] = "writes, unarmed beside armed vCPUs",
	[PHASE_FIRST] = "writes, armed, in the first armed vCPU's syscall set-up",
	[PHASE_SETUP] = "writes, armed, in its syscall set-up",
	[PHASE_DONE] = "writes, armed",
};

static const char *const phase_keys[PHASE_MAX] = {
	[PHASE_UNARMED] = "unarmed",
	[PHASE_BESIDE] = "beside",
	[PHASE_FIRST] = "first",
	[PHASE_SETUP] = "setup",
	[PHASE_DONE] = "armed",
};

static void begin(struct report *report, const char *key, const char *title)
{
	if (report->json)
		json_object_begin(report->json, key);
	else
		printf("\n%s\n", title);
}

static void end(struct report *report)
{
	if (report->json)
		json_object_end(report->json);
}

/* A line of the form "name: text". */
static void line(struct report *report, const char *key, const char *name,
		 const char *text)
{
	if (report->json)
		json_string(report->json, key, text);
	else
		printf("  %s: %s\n", name, text);
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

	line(report, "armed", "a vCPU is armed", texts[policy->arming]);
}

/* Names for the MSRs from @first to @last, if each has one and they are few. */
static void run_text(char *to, size_t size, uint32_t first, uint32_t last)
{
	char name[REGISTER_NAME_MAX];
	size_t used = 0;

	if (last - first < 8) {
		for (uint32_t i = first; i <= last && used < size; i++) {
			if (!register_find(REGPIN_MSR, i) && first != last)
				goto numbers;
			used += (size_t)snprintf(to + used, size - used, "%s%s",
				i == first ? "" : ", ",
				event_register_name(name, REGPIN_MSR, i));
		}
		return;
	}
numbers:
	snprintf(to, size, "0x%" PRIx32 "-0x%" PRIx32, first, last);
}

/* What one range of the filter denies: runs of MSRs, by name where they have one. */
static void denied(struct report *report, unsigned int n)
{
	const struct kvm_msr_filter_range *range =
		&report->explain.filter.filter.ranges[n];
	const char *between = "";
	bool run = false;
	uint32_t first = 0;

	if (report->json)
		json_array_begin(report->json, "denied");
	for (uint32_t i = 0; i <= range->nmsrs; i++) {
		bool deny = i < range->nmsrs &&
			    !(range->bitmap[i / 8] & 1u << i % 8);

		if (deny && !run)
			first = i;
		if (run && !deny) {
			run_text(report->text, EXPLAIN_TEXT,
				 range->base + first, range->base + i - 1);
			if (report->json)
				json_string(report->json, NULL,
					    report->text);
			else
				printf("%s%s", between, report->text);
			between = ", ";
		}
		run = deny;
	}
	if (report->json)
		json_array_end(report->json);
	else
		putchar('\n');
}

static void msr_filter(struct report *report)
{
	const struct kvm_msr_filter *filter = &report->explain.filter.filter;
	const char *rest = filter->flags & KVM_MSR_FILTER_DEFAULT_DENY ?
				   "denied" : "allowed";

	line(report, "default", "MSRs in none of the ranges", rest);
	if (report->json)
		json_array_begin(report->json, "ranges");
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];
		const char *what = range->flags == KVM_MSR_FILTER_READ ?
			"reads" : range->flags == KVM_MSR_FILTER_WRITE ?
			"writes" : "reads and writes";

		if (!range->nmsrs)
			continue;
		if (report->json) {
			json_object_begin(report->json, NULL);
			json_string(report->json, "access", what);
			json_hex(report->json, "first", range->base);
			json_hex(report->json, "last",
				 range->base + (range->nmsrs - 1));
			denied(report, i);
			json_object_end(report->json);
			continue;
		}
		printf("  range %u, %s of 0x%x-0x%x, denies: ", i, what,
		       range->base, range->base + (range->nmsrs - 1));
		denied(report, i);
	}
	if (report->json)
		json_array_end(report->json);
}

static void cr_filter(struct report *report)
{
	const struct kvm_x86_cr_filter *filter = &report->explain.crs;
	char bits[1024];

	if (!report->json)
		printf("  in place: %s\n", report->explain.policy->arming ==
		       ARM_START ? "from the start" :
		       "from the first vCPU that arms until the last one is gone");
	if (filter->flags & KVM_X86_CR_FILTER_EXIT_INIT)
		line(report, "init", "INIT", "told");
	for (unsigned int i = 0; i < NR_CRS; i++) {
		const struct kvm_x86_cr_filter_reg *reg = &filter->regs[i];
		const char *name = regpin_kind_names[REGPIN_CR0 + i];
		char what[32];

		for (int set = 0; set < 2; set++) {
			uint64_t mask = set ? reg->set_mask : reg->clear_mask;

			if (!mask)
				continue;
			snprintf(what, sizeof(what), "%s bits that %s", name,
				 set ? "are set" : "are cleared");
			bits_list(bits, sizeof(bits), REGPIN_CR0 + i, 0, mask);
			line(report, what, what, ~mask ? bits : "all");
		}
	}
}

static bool has_ranges(const struct kvm_msr_filter *filter)
{
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].nmsrs)
			return true;
	return false;
}

static void kvm(struct report *report)
{
	const struct explain *explain = &report->explain;

	if (has_ranges(&explain->filter.filter)) {
		begin(report, "msr_filter", "KVM_X86_SET_MSR_FILTER, with exits for KVM_MSR_EXIT_REASON_FILTER");
		msr_filter(report);
		end(report);
	}
	if (explain->crs.flags) {
		begin(report, "cr_filter", "KVM_X86_SET_CR_FILTER");
		cr_filter(report);
		end(report);
	}
}

static bool is_request(const struct report *report,
		       const struct subject *subject)
{
	uint32_t msr = report->explain.policy->settings.request_msr;

	return msr && subject->kind == REGPIN_MSR && subject->index == msr;
}

/* Phases in which no other thing is said than in @as have no line. */
static void write_lines(struct report *report)
{
	static const uint8_t as[PHASE_MAX] = {
		[PHASE_UNARMED] = PHASE_UNARMED, [PHASE_BESIDE] = PHASE_UNARMED,
		[PHASE_FIRST] = PHASE_SETUP, [PHASE_SETUP] = PHASE_DONE,
		[PHASE_DONE] = PHASE_DONE,
	};
	bool start = report->explain.policy->arming == ARM_START, one = true;
	const struct sentences *said = &report->said;

	for (unsigned int i = 1; i < PHASE_MAX; i++)
		one = one && !strcmp(said->writes[0], said->writes[i]);
	for (unsigned int i = 0; i < PHASE_MAX; i++) {
		if (one && i != PHASE_DONE)
			continue;
		/* Then there is no vCPU that is not. */
		if (start && i < PHASE_FIRST)
			continue;
		if (as[i] != i &&
		    !strcmp(said->writes[i], said->writes[as[i]]))
			continue;
		if (report->json)
			json_string(report->json, one ? "always" :
				    phase_keys[i], said->writes[i]);
		else
			printf("    %s: %s\n", one ? "writes" : phase_texts[i],
			       said->writes[i]);
	}
}

/* What is said of report->names. */
static void print_said(struct report *report)
{
	static const char asks[] = "by this the guest asks for its pins";
	const struct sentences *said = &report->said;
	struct json *json = report->json;

	if (!*report->names)
		return;
	if (json) {
		json_object_begin(json, NULL);
		json_string(json, "registers", report->names);
		if (said->kind == REGPIN_MSR)
			json_string(json, "reads", said->reads);
		json_object_begin(json, "writes");
	} else {
		printf("\n  %s\n", report->names);
		if (said->kind == REGPIN_MSR)
			printf("    reads: %s\n", said->reads);
	}
	if (!said->request)
		write_lines(report);
	else if (json)
		json_string(json, "always", asks);
	else
		printf("    writes: %s\n", asks);
	if (json) {
		json_object_end(json);
		json_object_end(json);
	}
}

static bool same(const struct sentences *a, const struct sentences *b)
{
	for (int i = 0; i < PHASE_MAX; i++)
		if (strcmp(a->writes[i], b->writes[i]) != 0)
			return false;
	return a->kind == b->kind && a->request == b->request &&
	       !strcmp(a->reads, b->reads);
}

/* MSRs without names that stand side by side are one range. */
static bool joins(const struct subject *last, const struct subject *what)
{
	return last->kind == REGPIN_MSR && what->kind == REGPIN_MSR &&
	       last->index + last->count == what->index &&
	       (last->count > 1 || !register_find(REGPIN_MSR, last->index)) &&
	       (what->count > 1 || !register_find(REGPIN_MSR, what->index));
}

/* Adds @what to those that share the lines of report->said. False: no room. */
static bool share(struct report *report, const struct subject *what)
{
	size_t len = strlen(report->names);
	char name[128];

	if (joins(&report->last, what)) {
		report->last.count += what->count;
		len = report->last_at;
		explain_name(name, sizeof(name), &report->last);
		snprintf(report->names + len, sizeof(report->names) - len, "%s",
			 name);
		return true;
	}
	if (len + 2 * sizeof(name) > sizeof(report->names))
		return false;
	explain_name(name, sizeof(name), what);
	snprintf(report->names + len, sizeof(report->names) - len, ", %s",
		 name);
	report->last = *what;
	report->last_at = len + 2;
	return true;
}

/* Registers of which the same is said share their lines. */
static void subject(struct report *report, const struct subject *what)
{
	struct sentences *next = &report->next;

	next->kind = what->kind;
	next->request = is_request(report, what);
	explain_reads(&report->explain, what, next->reads,
		      sizeof(next->reads));
	for (int i = 0; i < PHASE_MAX; i++)
		explain_writes(&report->explain, what, (enum phase)i,
			       next->writes[i], EXPLAIN_TEXT);
	if (*report->names && same(&report->said, next) &&
	    share(report, what))
		return;
	print_said(report);
	report->said = *next;
	report->last = *what;
	report->last_at = 0;
	explain_name(report->names, sizeof(report->names), what);
}

static int subjects(struct report *report)
{
	struct subject *list, rest;
	int nr = explain_subjects(&report->explain, &list);

	if (nr < 0)
		return nr;
	if (report->json)
		json_array_begin(report->json, "registers");
	else
		puts("\nWhat a guest may do");
	for (int i = 0; i < nr; i++)
		subject(report, &list[i]);
	print_said(report);
	report->names[0] = 0;
	if (explain_rest(&report->explain, &rest)) {
		subject(report, &rest);
		strcpy(report->names, "all other MSRs");
	}
	print_said(report);
	if (report->json)
		json_array_end(report->json);
	free(list);
	return 0;
}

/* What is asked of a vCPU that comes up when others are armed. */
static void coming_up(struct report *report)
{
	const struct settings *s = &report->explain.policy->settings;
	static const char *const late[REGPIN_ACTION_MAX] = {
		[REGPIN_REPORT] = "an event", [REGPIN_PAUSE] = "it is held",
		[REGPIN_STOP] = "the VM is stopped",
	};

	begin(report, "coming_up", "A vCPU that comes up beside armed ones needs, as far as the first armed one has it");
	for (int lstar = 0; lstar < 2; lstar++) {
		explain_floor(&report->explain, lstar, report->text,
			      EXPLAIN_TEXT);
		if (*report->text)
			line(report, lstar ? "lstar" : "paging",
			     lstar ? "to set LSTAR" : "to turn paging on",
			     report->text);
	}
	if (s->deadline_ms)
		snprintf(report->text, EXPLAIN_TEXT,
			 "within %" PRIu32 " ms of its run time (else: %s)",
			 s->deadline_ms, late[s->deadline_action]);
	else
		strcpy(report->text, "in no time");
	line(report, "arms", "to be armed", report->text);
	end(report);
}

/* Does any rule depend on being armed? */
static bool has_pins(const struct regpin_policy *policy)
{
	for (uint32_t i = 0; i < policy->nr_rules; i++)
		if (policy->rules[i].type < RULE_DENY)
			return true;
	return false;
}

static int report_all(struct report *report)
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
	if (has_pins(policy))
		arming(report);
	kvm(report);
	err = subjects(report);
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
		   const struct host *host, struct report *report)
{
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
	if (explain_begin(&report->explain, policy, host) ||
	    report_all(report)) {
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
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct regpin_policy policy;
	static struct report report;
	static struct json json;
	int c, ret, where = 0;
	struct host host;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			report.json = &json;
			break;
		case 's':
		case 'H':
			where = where && where != c ? -1 : c;
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
	ret = explain(argv[optind], &policy, &host, &report);
	if (report.json && ret == EXIT_OK)
		json_end(&json);
	return ret;
}

const struct cmd cmd_explain = {
	"explain", cmd_explain_main, "say what a policy leaves a guest",
};
