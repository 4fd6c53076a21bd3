// SPDX-License-Identifier: GPL-2.0-only
/* The filters that KVM gets for a policy, with the names of the registers they deny. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/judge/judge.h"
#include "lib/policy/action.h"
#include "lib/policy/registers.h"

#include "event/bit_names.h"
#include "event/event_names.h"
#include "explain_kvm.h"
#include "explain_name.h"
#include "explain_subjects.h"

static void one_run(struct report *report, const char *between, uint32_t first,
		    uint32_t last)
{
	const struct subject run = { REGPIN_MSR, first, last - first + 1 };
	char text[MEMBERS_TEXT_MAX];

	if (report->json) {
		json_subject(report->json, &run);
		return;
	}
	printf("%s%s", between,
	       event_members_text(text, REGPIN_MSR, first, last - first + 1));
}

/* The MSRs of one range that are forwarded to regpin, with their names. */
static void report_range(struct report *report, unsigned int n)
{
	const struct kvm_msr_filter_range *range =
		&report->explain.filter.filter.ranges[n];
	const char *between = "";
	bool run = false;
	uint32_t first = 0;

	if (report->json)
		json_array_begin(report->json, "asked");
	for (uint32_t i = 0; i <= range->nmsrs; i++) {
		bool deny = i < range->nmsrs &&
			    !(range->bitmap[i / 8] & 1u << i % 8);

		if (deny && !run)
			first = i;
		if (run && !deny) {
			one_run(report, between, range->base + first,
				range->base + i - 1);
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
				   "asked" : "allowed";

	if (report->json)
		json_string(report->json, "default", rest);
	else
		printf("  MSRs in none of the ranges: %s\n",
		       *rest == 'a' && rest[1] == 's' ?
		       "regpin is asked" : "allowed without asking");
	if (report->json)
		json_array_begin(report->json, "ranges");
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++) {
		const struct kvm_msr_filter_range *range = &filter->ranges[i];
		bool read = range->flags & KVM_MSR_FILTER_READ;
		bool write = range->flags & KVM_MSR_FILTER_WRITE;
		const char *what = !write ? "reads" : !read ? "writes" :
				   "reads and writes";

		if (!range->nmsrs)
			continue;
		if (report->json) {
			json_object_begin(report->json, NULL);
			json_bool(report->json, "read", read);
			json_bool(report->json, "write", write);
			json_hex(report->json, "index", range->base);
			json_u64(report->json, "count", range->nmsrs);
			report_range(report, i);
			json_object_end(report->json);
			continue;
		}
		printf("  range %u, %s of 0x%x-0x%x; regpin is asked about: ", i,
		       what, range->base, range->base + (range->nmsrs - 1));
		report_range(report, i);
	}
	if (report->json)
		json_array_end(report->json);
}

/* Reports @mask: KVM forwards a write by which one of these bits is @key ("cleared", "set"). */
static void report_cr_bits(struct report *report, unsigned int kind, const char *key,
			   uint64_t mask)
{
	char bits[1024];

	if (!mask)
		return;
	if (report->json && !~mask) {
		json_array_begin(report->json, key);
		json_string(report->json, NULL, "all");
		json_array_end(report->json);
		return;
	}
	if (report->json) {
		json_bit_names(report->json, key, kind, 0, mask);
		return;
	}
	bits_list(bits, sizeof(bits), kind, 0, mask);
	printf("  %s, regpin is asked when these are %s: %s\n",
	       regpin_kind_names[kind], key, ~mask ? bits : "all");
}

static void cr_filter(struct report *report)
{
	const struct kvm_x86_cr_filter *filter = &report->explain.crs;
	bool start = report->explain.policy->arming == ARM_START;
	struct json *json = report->json;

	if (json) {
		json_string(json, "since", start ? "start" : "armed");
		json_bool(json, "init",
			  filter->flags & KVM_X86_CR_FILTER_EXIT_INIT);
		json_array_begin(json, "asked");
	} else {
		printf("  in place: %s\n", start ? "from the start" :
		       "from the first vCPU that arms until the last one is gone");
		if (filter->flags & KVM_X86_CR_FILTER_EXIT_INIT)
			puts("  INIT: reported to regpin");
	}
	for (unsigned int i = 0; i < NR_CRS; i++) {
		const struct kvm_x86_cr_filter_reg *reg = &filter->regs[i];
		unsigned int kind = REGPIN_CR0 + i;

		if (!reg->clear_mask && !reg->set_mask)
			continue;
		if (json) {
			json_object_begin(json, NULL);
			json_string(json, "register", regpin_kind_names[kind]);
		}
		report_cr_bits(report, kind, "cleared", reg->clear_mask);
		report_cr_bits(report, kind, "set", reg->set_mask);
		if (json)
			json_object_end(json);
	}
	if (json)
		json_array_end(json);
}

static bool has_ranges(const struct kvm_msr_filter *filter)
{
	for (unsigned int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
		if (filter->ranges[i].nmsrs)
			return true;
	return false;
}

/* How accesses that get #GP without regpin are handled, as the judge decides. */
static void report_wide_rule(struct report *report, enum rule_type type, const char *key,
			     const char *name)
{
	struct access access = { .kind = REGPIN_MSR };
	struct verdict read, write;

	if (!policy_wide(report->explain.policy, type))
		return;
	judge_refused(report->explain.policy, type, &access, &read);
	access.write = true;
	judge_refused(report->explain.policy, type, &access, &write);
	report->text[0] = 0;
	if (read.answered || read.action == REGPIN_DROP)
		text_add(report->text, EXPLAIN_TEXT, "reads give 0x%" PRIx64 "%s, %s",
			 read.answered ? read.value : 0,
			 read.action == REGPIN_DROP ? ", with an event" : "",
			 write.action == REGPIN_DROP ? "writes are dropped, with an event" :
						       "writes are ");
	if (!action_refuses(write.action))
		text_add(report->text, EXPLAIN_TEXT, "#GP, as without regpin%s",
			 write.action == REGPIN_REPORT ? ", and an event" : "");
	report_line(report, key, name, report->text);
}

void report_refused(struct report *report)
{
	const struct regpin_policy *policy = report->explain.policy;

	if (!policy_wide(policy, RULE_UNKNOWN) &&
	    !policy_wide(policy, RULE_INVALID))
		return;
	report_begin(report, "refused", "Accesses that KVM itself refuses a guest, by exits for KVM_MSR_EXIT_REASON_UNKNOWN and KVM_MSR_EXIT_REASON_INVAL");
	report_wide_rule(report, RULE_UNKNOWN, "unknown", "MSRs that KVM does not know");
	report_wide_rule(report, RULE_INVALID, "invalid", "accesses that KVM refuses to MSRs that it knows");
	report_end(report);
}

void report_kvm(struct report *report)
{
	const struct explain *explain = &report->explain;

	if (report->json)
		json_object_begin(report->json, "filters");
	if (has_ranges(&explain->filter.filter)) {
		report_begin(report, "msr", "KVM_X86_SET_MSR_FILTER, with exits for KVM_MSR_EXIT_REASON_FILTER");
		msr_filter(report);
		report_end(report);
	}
	if (explain->crs.flags) {
		report_begin(report, "cr", "KVM_X86_SET_CR_FILTER");
		cr_filter(report);
		report_end(report);
	}
	if (report->json)
		json_object_end(report->json);
}
