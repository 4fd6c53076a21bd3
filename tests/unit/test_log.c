// SPDX-License-Identifier: GPL-2.0-only
/* The lines of logs: which statement of a trace each of them makes. */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nr.h"
#include "sim/log.h"

#define RIP		" at rIP: 0xffffffff8106f654 (native_write_msr+0x4/0x20)"
#define VCPU3		"kvm [1234]: vcpu3, guest rIP: 0xffffffff81062a44 "

/* A line and its statement. NULL: the line makes none; "": the line is unknown. */
static const struct row {
	const char *text, *statement;
} rows[] = {
	/* Linux, with the prefixes of dmesg, syslog and the journal, and without. */
	{ "[    2.280865] unchecked MSR access error: RDMSR from 0x1ad" RIP,
	  "0 rdmsr 0x1ad unknown" },
	{ "<4>[Mon Nov 30 02:00:00 2026] unchecked MSR access error: RDMSR from 0x1ad" RIP,
	  "0 rdmsr 0x1ad unknown" },
	{ "Nov 30 02:00:00 host kernel: [    2.28] unchecked MSR access error: WRMSR to 0x1a4 (tried to write 0x000000000000000f)" RIP,
	  "0 wrmsr 0x1a4 0xf unknown" },
	{ "2026-11-30T02:00:00.1+0000 host kernel: unchecked MSR access error: WRMSR to 0xc0000080 (tried to write 0x0000000000001d01)" RIP,
	  "0 wrmsr 0xc0000080 0x1d01 invalid" },
	{ "UNCHECKED msr ACCESS ERROR: rdmsr FROM 1AD at", "0 rdmsr 0x1ad unknown" },
	{ "unchecked MSR access error: WRMSR to 0x1a4", "0 wrmsr 0x1a4 ? unknown" },
	{ "unchecked MSR access error: WRMSR to 0x1a4" RIP, "0 wrmsr 0x1a4 ? unknown" },
	{ "unchecked MSR access error: WRMSR to 0x1a4 (tried to write 0x", "" },
	{ "unchecked MSR access error: WRMSR to 0x1a4 (tried to write 0x10000000000000000)", "" },
	{ "unchecked MSR access error: RDMSR from 0x100000000 at", "" },
	{ "unchecked MSR access error: RDMSR from ", "" },
	{ "unchecked MSR access error: RDMSR from 0x at", "" },
	{ "unchecked MSR access error: RDMSR from 0x1adz at", "" },
	/* KVM. */
	{ VCPU3 "Unhandled WRMSR(0xc0010015) = 0x1000000", "3 wrmsr 0xc0010015 0x1000000 invalid" },
	{ VCPU3 "Unhandled RDMSR(0x40000021)", "3 rdmsr 0x40000021 unknown" },
	{ VCPU3 "unhandled rdmsr: 0x140 data 0x0", "3 rdmsr 0x140 unknown" },
	{ VCPU3 "unhandled wrmsr: 0x140 data 0x1", "3 wrmsr 0x140 0x1 unknown" },
	{ VCPU3 "ignored rdmsr: 0x611 data 0x0", "3 rdmsr 0x611 unknown" },
	{ "kvm [1]: ignored wrmsr: 0x611 data 0xffffffffffffffff", "0 wrmsr 0x611 0xffffffffffffffff unknown" },
	{ VCPU3 "Hyper-V unhandled rdmsr: 0x40000023", "3 rdmsr 0x40000023 unknown" },
	{ VCPU3 "Hyper-V uhandled wrmsr: 0x40000023 data 0x2", "3 wrmsr 0x40000023 0x2 unknown" },
	{ VCPU3 "disabled perfctr wrmsr: 0xc1 data 0xabcd", "3 wrmsr 0xc1 0xabcd" },
	{ VCPU3 "unimplemented HWCR wrmsr: 0x800", "3 wrmsr 0xc0010015 0x800 invalid" },
	{ VCPU3 "unimplemented MMIO_CONF_BASE wrmsr: 0xe0000021", "3 wrmsr 0xc0010058 0xe0000021 invalid" },
	{ VCPU3 "kvm_set_msr_common: MSR_IA32_DEBUGCTL 0x1, nop", "3 wrmsr 0x1d9 0x1" },
	{ VCPU3 "svm_set_msr: MSR_IA32_DEBUGCTLMSR 0x1, nop", "3 wrmsr 0x1d9 0x1" },
	{ "kvm: vcpu1023, guest rIP: 0x0 unhandled rdmsr: 0x140 data 0x0", "1023 rdmsr 0x140 unknown" },
	{ "kvm: vcpu1024, guest rIP: 0x0 unhandled rdmsr: 0x140 data 0x0", "" },
	{ "kvm: vcpu99999999999, guest rIP: 0x0 unhandled rdmsr: 0x140", "" },
	/* Some hosts' names contain such words. */
	{ "Nov 30 04:00:00 build-8vcpu32gb kernel: unchecked MSR access error: RDMSR from 0x140 at rIP: 0x1 (f)", "0 rdmsr 0x140 unknown" },
	{ "Nov 30 04:00:00 vm-vcpu2000 kernel: unchecked MSR access error: RDMSR from 0x140 at rIP: 0x1 (f)", "0 rdmsr 0x140 unknown" },
	{ "Nov 30 04:00:00 vm-vcpu2000 kernel: " VCPU3 "ignored wrmsr: 0x1b01 data 0x5", "3 wrmsr 0x1b01 0x5 unknown" },
	/* QEMU. */
	{ "qemu-system-x86_64: error: failed to set MSR 0x38f to 0x7000000ff", "0 wrmsr 0x38f 0x7000000ff unknown" },
	{ "error: failed to get MSR 0x277", "0 rdmsr 0x277 invalid" },
	/* Trace events, of ftrace, trace-cmd and perf. */
	{ " <...>-100   [003] d..1.   123.456789: kvm_msr: msr_write c0000080 = 0xd01", "0 wrmsr 0xc0000080 0xd01" },
	{ " CPU 1/KVM-101   [003] .....   123.5: kvm_msr: msr_read 3a = 0x5", "1 rdmsr 0x3a" },
	{ "CPU 1/KVM   101 [003]   123.5: kvm:kvm_msr: msr_read 1ad = 0x0 (#GP)", "1 rdmsr 0x1ad unknown" },
	{ " qemu-100 [001] 12.3: kvm_msr: msr_write 1ad = 0x7 (#GP)", "0 wrmsr 0x1ad 0x7 unknown" },
	{ " qemu-102 [001] 12.3: kvm_entry: vcpu 7, rip 0xfff0", NULL },
	{ " qemu-102 [001] 12.3: kvm_cr: cr_write 4 = 0x3506f0", "7 cr4 0x3506f0" },
	{ " qemu-102 [001] 12.3: kvm_cr: cr_write 0 = 0x80050033", "7 cr0 0x80050033" },
	{ " qemu-102 [001] 12.3: kvm_cr: cr_write 3 = 0x1000", NULL },
	{ " qemu-102 [001] 12.3: kvm_cr: cr_read 4 = 0x3506f0", NULL },
	{ " qemu-102 [001] 12.3: kvm_cr_filter: xcr0 by xsetbv: 0x1 -> 0x7 filtered 0x6: exit", "7 xcr0 0x7" },
	{ "kvm_msr: msr_write 48 = 0x1", "0 wrmsr 0x48 0x1" },
	{ "kvm_msr: msr_write 123456789 = 0x1", "" },
	{ "kvm_msr: msr_write", "" },
	{ "kvm_cr: cr_write 4 = ", "" },
	/* regpin's events. */
	{ "{\"time\":\"x\",\"event\":\"violation\",\"vm\":0,\"vcpu\":2,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"bits\":[\"NXE\"],\"old\":\"0xd01\",\"new\":\"0x501\",\"value\":\"0xd01\",\"rule\":\"sticky\",\"verdict\":\"gp\"}", "2 wrmsr 0xc0000080 0x501" },
	{ "host regpin[7]: { \"event\" : \"violation\", \"vcpu\" : 2, \"register\":\"MSR 0x2f00\",\"index\":\"0x2f00\",\"access\":\"read\",\"rule\":\"unknown\" }", "2 rdmsr 0x2f00 unknown" },
	{ "{\"event\":\"violation\",\"vcpu\":0,\"register\":\"CR4\",\"access\":\"write\",\"bits\":[\"a]\\\"}\"],\"new\":\"0x20\",\"rule\":\"sticky\"}", "0 cr4 0x20" },
	{ "{\"event\":\"detected\",\"vcpu\":0,\"register\":\"CR0\",\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"rule\":\"sticky\"}", "0 cr0 0x80040033" },
	{ "{\"event\":\"vmm-write\",\"vcpu\":0,\"register\":\"EFER\",\"index\":\"0xc0000080\",\"access\":\"write\",\"new\":\"0x501\"}", "0 set 0xc0000080 0x501" },
	{ "{\"event\":\"repeated\",\"of\":\"violation\",\"register\":\"LSTAR\",\"index\":\"0xc0000082\",\"access\":\"write\",\"new\":\"0x1\",\"rule\":\"uniform\",\"count\":9}", "0 wrmsr 0xc0000082 0x1" },
	{ "{\"event\":\"violation\",\"register\":\"LSTAR\",\"index\":\"0xc0000082\",\"access\":\"write\"}", "0 wrmsr 0xc0000082 ?" },
	{ "{\"event\":\"init\",\"vcpu\":1,\"cr0\":\"0x80050033\"}", "1 init" },
	{ "{\"event\":\"armed\",\"vcpu\":1,\"cause\":\"start\"}", NULL },
	{ "{\"event\":\"boot\",\"vcpu\":1}", "" },
	{ "{\"event\":\"violation\",\"vcpu\":1024,\"register\":\"CR4\",\"access\":\"write\",\"new\":\"0x20\"}", "" },
	{ "{\"event\":\"violation\",\"register\":\"CR4\",\"access\":\"write\",\"new\":\"0x20\"", "" },
	{ "{\"event\":\"violation\",\"register\":\"x\",\"index\":\"0x100000000\",\"access\":\"read\"}", "" },
	{ "{\"event\"", "" },
	{ "{", "" },
	/* Others. */
	{ "[    0.0] x86/fpu: Supporting XSAVE feature 0x001", "" },
	{ "kvm [1]: vcpu0, guest rIP: 0x0 disabled by bios", "" },
	{ "msr: Write to unrecognized MSR 0x1a4 by x (pid: 1).", "" },
	{ "", "" },
};

static void test_lines(void **context)
{
	struct log log = { 0 };

	for (size_t i = 0; i < NR(rows); i++) {
		const char *want = rows[i].statement;
		char text[LOG_STATEMENT];
		struct log_access access;
		enum log_kind kind = log_read(&log, rows[i].text,
					      strlen(rows[i].text), &access);

		if (kind != (!want ? LOG_KNOWN : *want ? LOG_ACCESS :
							 LOG_UNRELATED))
			fail_msg("%s: it is %u", rows[i].text, kind);
		if (kind != LOG_ACCESS)
			continue;
		log_statement(&access, text);
		assert_string_equal(text, want);
	}
}

/*
 * Each line is cut off at each byte, and has a NUL at each byte: it is read only up to
 * its end.
 */
static void test_torn(void **context)
{
	struct log log = { 0 };
	struct log_access access;

	for (size_t i = 0; i < NR(rows); i++) {
		size_t size = strlen(rows[i].text);

		for (size_t len = 0; len < size; len++) {
			char *text = strndup(rows[i].text, size);

			log_read(&log, text, len, &access);
			text[len] = 0;
			log_read(&log, text, size, &access);
			free(text);
		}
	}
}

/* The values before, and the fact that pins held, become statements, too. */
static void test_before(void **context)
{
	const char sticky[] = "{\"event\":\"violation\",\"vcpu\":0,\"register\":\"CR0\",\"access\":\"write\",\"old\":\"0x80050033\",\"new\":\"0x80040033\",\"rule\":\"sticky\"}";
	const char denied[] = "{\"event\":\"violation\",\"vcpu\":0,\"register\":\"x\",\"index\":\"0x10\",\"access\":\"read\",\"value\":\"0x0\",\"rule\":\"deny\",\"verdict\":\"drop\"}";
	const char read[] = "kvm_msr: msr_read c0000080 = 0xd01";
	struct log log = { 0 };
	struct log_access access;

	assert_int_equal(log_read(&log, sticky, sizeof(sticky) - 1, &access),
			 LOG_ACCESS);
	assert_true(access.armed && access.has_old);
	assert_int_equal(access.old, 0x80050033);
	assert_int_equal(log_read(&log, denied, sizeof(denied) - 1, &access),
			 LOG_ACCESS);
	assert_false(access.armed || access.has_old || access.has_value);
	assert_int_equal(log_read(&log, read, sizeof(read) - 1, &access),
			 LOG_ACCESS);
	assert_true(access.has_value);
	assert_int_equal(access.value, 0xd01);
}

/* There are more threads than slots. */
static void test_threads(void **context)
{
	struct log log = { 0 };
	struct log_access access;
	char text[96];

	for (unsigned int i = 0; i < 2 * LOG_THREADS; i++) {
		snprintf(text, sizeof(text),
			 "qemu-%u [001] 1.2: kvm_msr: msr_write 48 = 0x1", i);
		assert_int_equal(log_read(&log, text, strlen(text), &access),
				 LOG_ACCESS);
		assert_int_equal(access.vcpu, i < LOG_THREADS ? i :
							LOG_THREADS - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_before),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
