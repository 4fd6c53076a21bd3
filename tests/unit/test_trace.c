// SPDX-License-Identifier: GPL-2.0-only
/* The lines of a trace: what they mean, and the place and reason of an error. */
#include "cm.h"

#include <stdio.h>
#include <string.h>

#include "base/nr.h"
#include "lib/policy/registers.h"
#include "sim/trace.h"

static int read_line(const char *text, struct trace_line *line,
		     struct trace_fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	return trace_read(text, strlen(text), line, fault);
}

/* Only `window once` ends with the set-up of a kernel. */
static void assert_once(void)
{
	struct trace_fault fault;
	struct trace_line line;

	assert_int_equal(read_line("window once", &line, &fault), 1);
	assert_true(line.once);
	assert_int_equal(read_line("window", &line, &fault), 1);
	assert_false(line.once);
}

static void parses(void **context)
{
	static const struct {
		const char *text;
		enum trace_op op;
		uint32_t vcpu, index;
		unsigned int kind;
		uint64_t value;
		size_t start, len;
	} rows[] = {
		{ "0 rdmsr 0x10\n", TRACE_RDMSR, 0, 0x10, REGPIN_MSR, 0, 0,
		  12 },
		{ "1023 rdmsr 4294967295", TRACE_RDMSR, 1023, 0xffffffff,
		  REGPIN_MSR, 0, 0, 21 },
		{ "  2\twrmsr  lstar 0xFFFFffff81e00000  \r\n", TRACE_WRMSR, 2,
		  MSR_LSTAR, REGPIN_MSR, 0xffffffff81e00000, 2, 33 },
		{ "0 wrmsr MSR_EFER 18446744073709551615#x", TRACE_WRMSR, 0,
		  MSR_EFER, REGPIN_MSR, UINT64_MAX, 0, 37 },
		{ "3 cr0 0x80000001", TRACE_CR, 3, 0, REGPIN_CR0, 0x80000001,
		  0, 16 },
		{ "3 cr4 0", TRACE_CR, 3, 0, REGPIN_CR4, 0, 0, 7 },
		{ "3 xcr0 7", TRACE_CR, 3, 0, REGPIN_XCR0, 7, 0, 8 },
		{ "3 set CR4 1", TRACE_SET, 3, 0, REGPIN_CR4, 1, 0, 11 },
		{ "3 set PAT 1", TRACE_SET, 3, MSR_PAT, REGPIN_MSR, 1, 0, 11 },
		{ "3 rdmsr MSR 0x64e", TRACE_RDMSR, 3, 0x64e, REGPIN_MSR, 0,
		  0, 17 },
		{ "3 set MSRC000_0082 1", TRACE_SET, 3, MSR_LSTAR, REGPIN_MSR,
		  1, 0, 20 },
		{ "3 set C0000082H 1", TRACE_SET, 3, MSR_LSTAR, REGPIN_MSR, 1,
		  0, 17 },
		{ "3 set MSR_IA32_MC4_MISC 1", TRACE_SET, 3, 0x413, REGPIN_MSR,
		  1, 0, 25 },
		{ "3 init", TRACE_INIT, 3, 0, 0, 0, 0, 6 },
		{ "3 hypercall", TRACE_HYPERCALL, 3, 0, 0, 0, 0, 11 },
		{ "3 look", TRACE_LOOK, 3, 0, 0, 0, 0, 6 },
		{ "3 answer stop", TRACE_ANSWER, 3, 0, 0, REGPIN_STOP, 0, 13 },
		{ "reset", TRACE_RESET, 0, 0, 0, 0, 0, 5 },
		{ "arm", TRACE_ARM, 0, 0, 0, 0, 0, 3 },
		{ "disarm # x", TRACE_DISARM, 0, 0, 0, 0, 0, 6 },
		{ "window", TRACE_WINDOW, 0, 0, 0, 0, 0, 6 },
		{ "window  once => ok", TRACE_WINDOW, 0, 0, 0, 0, 0, 12 },
	};
	struct trace_fault fault;
	struct trace_line line;

	for (size_t i = 0; i < NR(rows); i++) {
		int ret = read_line(rows[i].text, &line, &fault);

		if (ret != 1)
			print_message("# row %zu: %s\n", i, fault.text);
		assert_int_equal(ret, 1);
		assert_int_equal(line.op, rows[i].op);
		assert_int_equal(line.vcpu, rows[i].vcpu);
		assert_int_equal(line.index, rows[i].index);
		assert_int_equal(line.kind, rows[i].kind);
		assert_int_equal(line.value, rows[i].value);
		assert_int_equal(line.start, rows[i].start);
		assert_int_equal(line.len, rows[i].len);
	}
	assert_once();
}

/* Bits by name or number, in place of a value. */
static void changes_bits(void **context)
{
	static const struct {
		const char *text;
		uint64_t set, clear;
		size_t len;
	} rows[] = {
		{ "0 cr4 +SMEP", 1ull << 20, 0, 11 },
		{ "0 cr4 +smep -21 => gp", 1ull << 20, 1ull << 21, 15 },
		{ "0 cr0  -WP  +63 # x", 1ull << 63, 1ull << 16, 15 },
		{ "0 wrmsr EFER +NXE -SCE\n", 1ull << 11, 1, 22 },
		{ "0 wrmsr 0x10a +0 unknown", 1, 0, 24 },
		{ "0 set CR4 -SMAP", 0, 1ull << 21, 15 },
	};
	static const char *const wrong_ones[] = {
		"0 cr4 +", "0 cr4 -", "0 cr4 +SMEPX", "0 cr4 +64", "0 cr4 +SMEP -SMEP",
		"0 cr4 +SMEP 5", "0 cr4 5 +SMEP", "0 wrmsr 0x10a +NXE", "0 init +SMEP",
		"0 rdmsr EFER +NXE", "0 cr4 +-1", "0 cr4 +0x",
	};
	struct trace_fault fault;
	struct trace_line line;

	for (size_t i = 0; i < NR(rows); i++) {
		int ret = read_line(rows[i].text, &line, &fault);

		if (ret != 1)
			print_message("# row %zu: %s\n", i, fault.text);
		assert_int_equal(ret, 1);
		assert_true(line.relative);
		assert_int_equal(line.set, rows[i].set);
		assert_int_equal(line.clear, rows[i].clear);
		assert_int_equal(line.len, rows[i].len);
	}
	assert_int_equal(read_line("0 cr4 5", &line, &fault), 1);
	assert_false(line.relative);
	for (size_t i = 0; i < NR(wrong_ones); i++)
		assert_int_equal(read_line(wrong_ones[i], &line, &fault), -1);
}

static void is_ignored(void **context)
{
	static const char *const texts[] = { "", "\n", "\r\n", "  \t\n", "#",
					     " # 0 init\n" };
	struct trace_fault fault;
	struct trace_line line;

	for (size_t i = 0; i < NR(texts); i++)
		assert_int_equal(read_line(texts[i], &line, &fault), 0);
}

static void expects(void **context)
{
	struct trace_fault fault;
	struct trace_line line;
	char text[64];

	for (int i = 0; i < OUTCOME_MAX; i++) {
		snprintf(text, sizeof(text), "0 init => %s\n",
			 outcome_names[i]);
		assert_int_equal(read_line(text, &line, &fault), 1);
		assert_true(line.expects);
		assert_int_equal(line.outcome, i);
	}
	assert_int_equal(read_line("0 rdmsr 1 => 0x1f # x", &line, &fault), 1);
	assert_true(line.expects);
	assert_int_equal(line.outcome, OUTCOME_MAX);
	assert_int_equal(line.result, 0x1f);
	assert_int_equal(line.len, 9);
	assert_int_equal(read_line("0 rdmsr 1", &line, &fault), 1);
	assert_false(line.expects);
}

/* KVM's own refusal is a part of the statement. */
static void is_refused(void **context)
{
	static const struct {
		const char *text;
		enum trace_refusal refusal;
		size_t len;
		bool expects;
	} rows[] = {
		{ "0 rdmsr 1", TRACE_TAKEN, 9, false },
		{ "0 rdmsr 1 unknown", TRACE_UNKNOWN, 17, false },
		{ "0 rdmsr 1  invalid # x", TRACE_INVALID, 18, false },
		{ "0 wrmsr 1 2 unknown => gp", TRACE_UNKNOWN, 19, true },
		{ "0 wrmsr 1 2 invalid => 7", TRACE_INVALID, 19, true },
		{ "0 wrmsr 1 2 => gp", TRACE_TAKEN, 11, true },
	};
	struct trace_fault fault;
	struct trace_line line;

	for (size_t i = 0; i < NR(rows); i++) {
		assert_int_equal(read_line(rows[i].text, &line, &fault), 1);
		assert_int_equal(line.refusal, rows[i].refusal);
		assert_int_equal(line.len, rows[i].len);
		assert_int_equal(line.expects, rows[i].expects);
	}
}

static void wrong(void **context)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *message;
	} rows[] = {
		{ "vcpu0 init", 1, "begins with a vCPU's number" },
		{ "1024 init", 1, "too large (the range is 0 to 1023)" },
		{ "00 init", 1, "leading zero" },
		{ "0x init", 1, "vCPU's number" },
		{ "-1 init", 1, "begins with" },
		{ "0", 2, "a statement is missing" },
		{ " 0  jump", 5, "not a statement" },
		{ "0 init init", 8, "too many" },
		{ "0 wrmsr", 8, "the register is missing" },
		{ "0 wrmsr #", 9, "the register is missing" },
		{ "0 wrmsr LSTR 1", 9, "no register 'LSTR'" },
		{ "0 wrmsr CR0 1", 9, "is not an MSR: the statements cr0" },
		{ "0 rdmsr 0x100000000", 9, "0 to 0xffffffff" },
		{ "0 wrmsr 0x10", 13, "a value is missing" },
		{ "0 wrmsr 0x10 0x1g", 14, "a value" },
		{ "0 wrmsr 0x10 0x", 14, "a value" },
		{ "0 wrmsr 0x10 0x10000000000000000", 14, "too large" },
		{ "0 wrmsr 0x10 18446744073709551616", 14, "too large" },
		{ "0 wrmsr 0x10 010", 14, "octal" },
		{ "0 wrmsr 0x10 -1x", 14, "does not change a bit" },
		{ "0 wrmsr 0x10 1 2", 16, "too many" },
		{ "0 cr0", 6, "a value is missing" },
		{ "0 cr3 1", 3, "not a statement" },
		{ "0 answer", 9, "allow, gp or stop" },
		{ "0 answer drop", 10, "allow, gp or stop" },
		{ "0 init =>", 10, "the expected outcome" },
		{ "0 init => fine", 11, "not an outcome" },
		{ "0 init => 0y", 11, "the expected outcome" },
		{ "0 init => gp gp", 14, "one outcome" },
		{ "0 init =>gp", 8, "too many" },
		{ "0 rdmsr 1 Unknown", 11, "unknown or invalid" },
		{ "0 rdmsr 1 unknown invalid", 19, "too many" },
		{ "0 wrmsr 1 unknown", 11, "a value" },
		{ "0 cr0 1 invalid", 9, "too many" },
		{ "0 set PAT 1 invalid", 13, "too many" },
		{ "window twice", 8, "too many" },
		{ "reset 0", 7, "too many" },
		{ "0 wr\x01msr 1 1", 3, "'wr?msr'" },
	};
	struct trace_fault fault;
	struct trace_line line;

	for (size_t i = 0; i < NR(rows); i++) {
		int ret = read_line(rows[i].text, &line, &fault);

		if (ret != -1 || fault.column != rows[i].column ||
		    !strstr(fault.text, rows[i].message))
			print_message("# %s: %d, column %u: %s\n", rows[i].text,
				      ret, fault.column, fault.text);
		assert_int_equal(ret, -1);
		assert_int_equal(fault.column, rows[i].column);
		assert_non_null(strstr(fault.text, rows[i].message));
	}
}

/* Names are cached; two names that share a cache slot must not be confused. */
static void names(void **context)
{
	struct trace_fault fault;
	struct trace_line line;
	char text[128], name[REGISTER_TITLE_MAX];

	for (int turn = 0; turn < 2; turn++)
		for (unsigned int i = 0; i < regpin_nr_registers; i++) {
			const struct regpin_register *reg =
				&regpin_registers[i];

			if (reg->kind != REGPIN_MSR)
				continue;
			snprintf(text, sizeof(text), "0 rdmsr %s",
				 register_title(name, reg, register_last(reg)));
			assert_int_equal(read_line(text, &line, &fault), 1);
			assert_int_equal(line.index, register_last(reg));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses),
		cmocka_unit_test(changes_bits),
		cmocka_unit_test(is_ignored),
		cmocka_unit_test(expects),
		cmocka_unit_test(is_refused),
		cmocka_unit_test(wrong),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
