// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as a trace and as a log: no crash, an error has its place, and no guest
 * bypasses its pins: an armed vCPU keeps its pinned values, whatever it and the others
 * do.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/kvm/host.h"
#include "lib/policy/registers.h"
#include "policy/policy_fit.h"
#include "policy/policy_text.h"
#include "policy/which_kvm.h"
#include "sim/log.h"
#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)
#define WP		(1ull << 16)
#define SMEP		(1ull << 20)

/* All of its pins have the action gp. */
static const char text[] =
	"version: 1\n"
	"floor: {deadline: none}\n"
	"rules:\n"
	"  - register: [LSTAR, STAR, CSTAR, SFMASK, SYSENTER_EIP, PAT]\n"
	"    uniform: true\n"
	"  - register: SYSENTER_ESP\n"
	"    once: true\n"
	"  - register: EFER\n"
	"    sticky: [NXE, SCE]\n"
	"    never: [SVME]\n"
	"    require: [NXE]\n"
	"  - register: SYSENTER_CS\n"
	"    frozen: all\n"
	"    action: pause\n"
	"  - register: 0x100-0x10f\n"
	"    deny: both\n"
	"    action: drop\n"
	"  - register: CR0\n"
	"    sticky: [WP]\n"
	"    require: [WP]\n"
	"  - register: CR4\n"
	"    sticky: [SMEP]\n"
	"    action: mask\n"
	"  - register: CR4\n"
	"    require: [SMEP]\n";

static struct regpin_policy policy;
static struct problems problems;
static struct sim sim;

/* The pinned bits of each armed vCPU; other vCPUs have none. */
struct had {
	bool armed;
	uint64_t cr0, cr4, efer, lstar;
};

static void look(struct had had[8])
{
	for (unsigned int i = 0; i < 8; i++) {
		const struct sim_vcpu *vcpu = sim.kvm.vcpus[i];

		had[i] = (struct had){ 0 };
		if (!vcpu || !(regpin_vcpu_status(vcpu->regpin, NULL) &
			       REGPIN_IS_ARMED))
			continue;
		had[i].armed = true;
		had[i].cr0 = vcpu->crs[0] & WP;
		had[i].cr4 = vcpu->crs[1] & SMEP;
		had[i].efer = sim_get_msr(vcpu, MSR_EFER) &
			      (EFER_NXE | EFER_SCE);
		had[i].lstar = sim_get_msr(vcpu, MSR_LSTAR);
	}
}

/* Statements that only the VMM and the operator may make, or that end the pins. */
static bool is_guests(const struct trace_line *line)
{
	return line->op < TRACE_RESET && line->op != TRACE_SET &&
	       line->op != TRACE_ANSWER && line->op != TRACE_INIT;
}

static void one(const struct trace_line *line)
{
	struct had before[8], after[8];

	look(before);
	if (sim_do(&sim, line))
		return;
	REQUIRE(sim.result.outcome < OUTCOME_MAX);
	look(after);
	if (!is_guests(line) || regpin_vm_windowed(sim.vm))
		return;
	for (unsigned int i = 0; i < 8; i++) {
		if (!before[i].armed || !after[i].armed)
			continue;
		REQUIRE(!(before[i].cr0 & ~after[i].cr0));
		REQUIRE(!(before[i].cr4 & ~after[i].cr4));
		REQUIRE(!(before[i].efer & ~after[i].efer));
	}
}

/* A line of a log is converted to a valid statement. */
static void as_log(struct log *log, const char *from, size_t size)
{
	struct log_access access;
	struct trace_fault fault;
	struct trace_line line;
	char statement[LOG_STATEMENT];

	if (log_read(log, from, size, &access) != LOG_ACCESS)
		return;
	REQUIRE(access.vcpu <= TRACE_MAX_VCPU);
	log_statement(&access, statement);
	REQUIRE(trace_read(statement, strlen(statement), &line, &fault) == 1);
	REQUIRE(line.op == access.op && line.index == access.index);
	REQUIRE(line.open == (line.op == TRACE_WRMSR && !access.has_value));
	line.vcpu %= 8;
	one(&line);
}

static void set_up(void)
{
	struct host host;

	kvm_host(&host, true);
	if (!policy.nr_rules)
		REQUIRE(!policy_text_read("fuzz", text, strlen(text), &policy,
					  &problems));
	REQUIRE(!sim_open(&sim, &policy, &host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct log log = { 0 };

	set_up();
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct trace_fault fault = { 0 };
		struct trace_line line;
		size_t len = (size_t)((stop ? stop + 1 : end) - at);
		int ret = trace_read(at, len, &line, &fault);

		if (ret < 0) {
			as_log(&log, at, len);
			REQUIRE(fault.column && fault.column <= len + 1);
			REQUIRE(fault.text[0] && !strchr(fault.text, '\n'));
		} else if (ret > 0) {
			REQUIRE(line.len && line.start + line.len <= len);
			REQUIRE(line.vcpu <= TRACE_MAX_VCPU);
			/* A few are enough, and fast. */
			line.vcpu %= 8;
			one(&line);
		}
		at += len;
	}
	sim_close(&sim);
	return 0;
}
