// SPDX-License-Identifier: GPL-2.0-only
/* Random policies as text, with all that regpin-policy(5) permits for MSRs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../build_policy.h"
#include "believe.h"

struct text {
	char *to;
	size_t size, used;
	uint64_t *seed;
	bool closed, report;
	const char *vendor;
	unsigned int family, model;
};

#define NR(array)	(sizeof(array) / sizeof((array)[0]))
#define ONE_OF(text, array)	((array)[roll(text, NR(array))])

static unsigned int roll(struct text *text, unsigned int sides)
{
	return (unsigned int)((random64(text->seed) >> 20) % sides);
}

static void __attribute__((format(printf, 2, 3)))
put(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	text->used += (size_t)vsnprintf(text->to + text->used,
					text->size - text->used, format, args);
	va_end(args);
	if (text->used >= text->size)
		abort();
}

/* Registers whose writes regpin performs; the values of the first nine are remembered. */
static const char *const performed[] = {
	"EFER", "STAR", "LSTAR", "CSTAR", "SFMASK", "SYSENTER_CS",
	"IA32_SYSENTER_ESP", "SYSENTER_EIP", "PAT", "MTRRdefType",
	"MTRRphysBase0", "MTRRphysMask1", "MTRRfix4K_C0000", "TSC_AUX",
};

#define NR_KEPT		9

/*
 * Registers whose writes it does not perform: by name, index, family and range, within
 * KVM's windows and elsewhere.
 */
static const char *const others[] = {
	"0x8b", "IA32_BIOS_UPDT_TRIG", "IA32_MISC_ENABLE", "0x10a",
	"IA32_SPEC_CTRL", "KERNEL_GS_BASE", "MC_REG3", "MC_REG",
	"0x2f00", "0x12345678", "0x3a", "0xc0010015", "0x10-0x20",
	"0x3000-0x300f", "0x2ff0-0x300f", "0xbffffff0-0xc000008f",
	"0x170-0x180", "0x200-0x2ff", "0x12345670-0x1234567f", "0x7f0-0x7ff",
	"0x900-0x910", "0xc0000100-0xc0000102", "0xfffffff0-0xfffffffe",
	"0x3fffffff-0x40000001", "0xc0012ff0-0xc001300f", "IA32_PMC2",
	"0xc0000080-0xc0000081", "0x801-0x8fe", "[0x79, 0x8b, 0x345]",
};

static const char *const bits[] = {
	"all", "all\n    except: [0, 8-11]", "[0, 1, 2]", "[0-15]", "[3, 8-11, 63]",
	"[32-47]", "5", "[1, 16-31]", "all\n    except: 0", "[0-2, 8-10, 56-58]",
};

static const char *const efer_bits[] = {
	"[NXE]", "[NXE, SCE]", "[SCE]", "[SVME]", "all\n    except: [SCE]",
	"[LME, LMA]", "[14, NXE]", "all", "[0-10]",
};

static const char *const accesses[] = { "read", "write", "both" };

/* Weights of the actions: one that stops a VM also ends the test's life. */
static const char *action(struct text *text, bool pin)
{
	static const char *const pins[] = {
		"gp", "gp", "gp", "mask", "mask", "drop", "drop", "report",
		"report", "pause",
	};
	static const char *const denies[] = { "gp", "gp", "drop", "drop" };

	if (roll(text, 40) == 0)
		return "stop";
	return pin ? ONE_OF(text, pins) : ONE_OF(text, denies);
}

static void put_when(struct text *text)
{
	if (roll(text, 12))
		return;
	switch (roll(text, 4)) {
	case 0:
		put(text, "    when: {vendor: %s}\n", text->vendor);
		break;
	case 1:
		put(text, "    when: {vendor: %s, family: %u, model: [%u, 3-5]}\n",
		    text->vendor, text->family, text->model);
		break;
	case 2:
		put(text, "    when: {vendor: hygon}\n");
		break;
	default:
		put(text, "    when: {family: [1-2, %u]}\n", text->family + 1);
	}
}

static void put_rest(struct text *text, bool pin, bool can_report)
{
	if (roll(text, 2) || (!pin && !can_report))
		put(text, "    action: %s\n", action(text, pin));
	if (can_report && roll(text, 12) == 0)
		put(text, "    mode: report\n");
	if (roll(text, 10) == 0)
		put(text, "    optional: true\n");
	put_when(text);
}

static void put_pin(struct text *text)
{
	static const char *const keys[] = { "sticky", "never", "frozen" };
	static const char *const needs[] = { "[NXE, SCE]", "[LME, NXE]", "SCE" };
	bool efer = roll(text, 4) == 0;
	unsigned int kind = roll(text, 8);

	if (kind < 2) {
		const char *const *one = &performed[efer ? 0 : roll(text, NR_KEPT)];

		if (roll(text, 3) == 0)
			put(text, "  - register: [LSTAR, STAR, SFMASK]\n");
		else
			put(text, "  - register: %s\n", *one);
		put(text, "    %s: true\n", kind ? "uniform" : "once");
	} else if (kind == 2) {
		put(text, "  - register: EFER\n    require: %s\n",
		    ONE_OF(text, needs));
	} else if (efer) {
		put(text, "  - register: EFER\n    %s: %s\n",
		    ONE_OF(text, keys), ONE_OF(text, efer_bits));
	} else {
		put(text, "  - register: %s\n    %s: %s\n",
		    performed[1 + roll(text, NR(performed) - 1)],
		    ONE_OF(text, keys), ONE_OF(text, bits));
	}
	put_rest(text, true, true);
}

static void put_deny(struct text *text)
{
	bool own = roll(text, 3) == 0;

	put(text, "  - register: %s\n    deny: %s\n",
	    own ? ONE_OF(text, performed) : ONE_OF(text, others),
	    ONE_OF(text, accesses));
	put_rest(text, false, own);
}

static void put_open(struct text *text, const char *key)
{
	bool own = roll(text, 3) == 0;

	put(text, "  - register: %s\n",
	    own ? ONE_OF(text, performed) : ONE_OF(text, others));
	if (!strcmp(key, "value"))
		put(text, "    value: 0x%llx\n",
		    (unsigned long long)random64(text->seed) >>
		    roll(text, 64));
	else
		put(text, "    %s: %s\n", key, ONE_OF(text, accesses));
	put_when(text);
}

static void put_report(struct text *text)
{
	put(text, "  - register: %s\n    report: %s\n",
	    ONE_OF(text, performed), ONE_OF(text, accesses));
	put_when(text);
}

static void put_refused(struct text *text, const char *key)
{
	static const char *const answers[] = {
		"gp", "report", "drop", "{value: 0x1234}",
		"{value: 7, action: gp}", "{value: 0, action: report}",
	};

	if (roll(text, 3) == 0)
		put(text, "%s: %s\n", key, ONE_OF(text, answers));
}

static void put_arming(struct text *text)
{
	static const char *const asks[] = {
		"0x4b4d5300", "0x12340000", "0x2345", "0x5000",
	};

	switch (roll(text, 8)) {
	case 0:
		put(text, "arming: start\n");
		break;
	case 1:
		put(text, "arming: request\nrequest: {msr: %s}\n",
		    ONE_OF(text, asks));
		break;
	case 2:
		put(text, "arming: operator\n");
		break;
	case 3:
		put(text, "arming: syscall-entry\n");
	}
}

static void put_default(struct text *text)
{
	static const char *const actions[] = { "gp", "gp", "drop", "drop" };

	text->closed = roll(text, 4) == 0;
	if (!text->closed && roll(text, 4) == 0)
		put(text, "default: allow\n");
	else if (!text->closed)
		return;
	else if (roll(text, 3))
		put(text, "default: {deny: %s, action: %s}\n",
		    ONE_OF(text, accesses),
		    roll(text, 30) ? ONE_OF(text, actions) : "stop");
	else
		put(text, "default: deny\naction: gp\n");
}

void believe_policy(char *to, size_t size, uint64_t *seed, const char *vendor,
		    unsigned int family, unsigned int model)
{
	struct text text = { .to = to, .size = size, .seed = seed,
			     .vendor = vendor, .family = family,
			     .model = model };
	unsigned int nr = 1 + roll(&text, 7);

	put(&text, "version: 1\n");
	put_arming(&text);
	put_default(&text);
	if (!text.closed && roll(&text, 12) == 0)
		put(&text, "mode: report\n");
	put_refused(&text, "unknown");
	put_refused(&text, "invalid");
	put(&text, "floor: {deadline: none}\nunarmed: none\nrules:\n");
	/* A vCPU arms by these. */
	if (text.closed)
		put(&text, "  - register: [LSTAR, SFMASK]\n    %s\n",
		    roll(&text, 2) ? "uniform: true" : "allow: write");
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int kind = roll(&text, 11);

		if (kind < 6)
			put_pin(&text);
		else if (kind < 8)
			put_deny(&text);
		else if (kind == 10)
			put_report(&text);
		else
			put_open(&text, kind == 8 ? "value" : "allow");
	}
}
