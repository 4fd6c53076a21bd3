// SPDX-License-Identifier: GPL-2.0-only
/* host.c: what a host can do, with capabilities taken away, and the reasons it gives. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/kvm/host.h"
#include "lib/kvm/host_traits.h"
#include "lib/kvm/vmload.h"
#include "lib/policy/registers.h"

static const struct host full = {
	.api_version = 12, .msr_filter = true, .msr_exits = true,
	.cr_filter = true,
};

static bool enforces(const struct host *host, unsigned int kind,
		     unsigned int type, const char **why)
{
	struct rule rule = {
		.kind = (uint8_t)kind, .type = (uint8_t)type, .count = 1,
		.mask = 1, .action = REGPIN_GP, .access = ACCESS_WRITE,
	};

	return host_enforces(host, &rule, why);
}

static void test_full_host_enforces_all(void **state)
{
	const char *why = "untouched";

	for (unsigned int kind = 0; kind < REGPIN_KIND_MAX; kind++)
		for (unsigned int type = 0; type < RULE_TYPE_MAX; type++)
			assert_true(enforces(&full, kind, type, &why));
	assert_string_equal(why, "untouched");
}

static void test_why_not(void **state)
{
	static const struct {
		struct host host;
		unsigned int kind;
		bool enforced;
		const char *word;
	} rows[] = {
		{ { .msr_filter = true, .msr_exits = true }, REGPIN_MSR, true, NULL },
		{ { .msr_filter = true, .msr_exits = true }, REGPIN_CR0, false, "CR filter" },
		{ { .msr_filter = true, .msr_exits = true }, REGPIN_CR4, false, "CR filter" },
		{ { .msr_filter = true, .msr_exits = true }, REGPIN_XCR0, false, "CR filter" },
		{ { .msr_filter = true, .msr_exits = true, .cr_filter = true }, REGPIN_CR4, true, NULL },
		/* A vCPU arms at a write of LSTAR, which only the MSR filter reports. */
		{ { .cr_filter = true }, REGPIN_CR4, false, "KVM_CAP_X86_MSR_FILTER" },
		{ { .msr_exits = true }, REGPIN_MSR, false, "KVM_CAP_X86_MSR_FILTER" },
		{ { .msr_filter = true }, REGPIN_MSR, false, "KVM_MSR_EXIT_REASON_FILTER" },
		{ { .kvm_errno = ENOENT }, REGPIN_MSR, false, "no /dev/kvm" },
		{ { .kvm_errno = ENOENT }, REGPIN_CR4, false, "no /dev/kvm" },
		{ { .kvm_errno = EACCES }, REGPIN_MSR, false, "no permission" },
		{ { .kvm_errno = EPERM }, REGPIN_MSR, false, "no permission" },
		{ { .kvm_errno = ENXIO }, REGPIN_MSR, false, "no driver" },
		{ { .kvm_errno = ENODEV }, REGPIN_MSR, false, "no driver" },
		{ { .kvm_errno = EPROTO }, REGPIN_MSR, false, "version" },
		{ { .kvm_errno = ENOTTY }, REGPIN_MSR, false, "not KVM's" },
		{ { .kvm_errno = EINVAL }, REGPIN_MSR, false, HOST_ENV },
		{ { .kvm_errno = EMFILE }, REGPIN_MSR, false, "can't be opened" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = NULL;

		assert_int_equal(enforces(&rows[i].host, rows[i].kind,
					  RULE_STICKY, &why),
				 rows[i].enforced);
		if (rows[i].enforced)
			assert_null(why);
		else
			assert_non_null(strstr(why, rows[i].word));
	}
}

/* Rules, and whether they are enforced on a host on which VMLOAD is open. */
static const struct {
	uint32_t index, count;
	unsigned int type, access;
	bool enforced;
} vmload_rows[] = {
	{ MSR_STAR, 1, RULE_UNIFORM, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_UNIFORM, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_STICKY, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_NEVER, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_FROZEN, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_ONCE, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_DENY, ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_DENY, ACCESS_READ | ACCESS_WRITE, false },
	{ MSR_LSTAR, 1, RULE_DENY, ACCESS_READ, true },
	{ MSR_LSTAR, 1, RULE_VALUE, ACCESS_READ, true },
	{ MSR_CSTAR, 1, RULE_UNIFORM, ACCESS_WRITE, false },
	{ MSR_SFMASK, 1, RULE_FROZEN, ACCESS_WRITE, false },
	{ MSR_SYSENTER_CS, 1, RULE_UNIFORM, ACCESS_WRITE, false },
	{ MSR_SYSENTER_ESP, 1, RULE_ONCE, ACCESS_WRITE, false },
	{ MSR_SYSENTER_EIP, 1, RULE_UNIFORM, ACCESS_WRITE, false },
	{ MSR_FS_BASE, 1, RULE_DENY, ACCESS_WRITE, false },
	{ MSR_KERNEL_GS_BASE, 1, RULE_DENY, ACCESS_WRITE, false },
	{ MSR_EFER, 1, RULE_STICKY, ACCESS_WRITE, true },
	{ MSR_PAT, 1, RULE_UNIFORM, ACCESS_WRITE, true },
	{ MSR_SYSENTER_CS - 1, 1, RULE_DENY, ACCESS_WRITE, true },
	{ MSR_SYSENTER_EIP + 1, 1, RULE_DENY, ACCESS_WRITE, true },
	{ MSR_SFMASK + 1, 1, RULE_DENY, ACCESS_WRITE, true },
	{ MSR_KERNEL_GS_BASE + 1, 1, RULE_DENY, ACCESS_WRITE, true },
	{ 0, MSR_SYSENTER_CS, RULE_DENY, ACCESS_WRITE, true },
	{ 0, MSR_SYSENTER_CS + 1, RULE_DENY, ACCESS_WRITE, false },
	{ 0xc0000000, 0x2000, RULE_DENY, ACCESS_WRITE, false },
	{ 0xc0000000, 0x81, RULE_DENY, ACCESS_WRITE, true },
	{ MSR_SFMASK, 8, RULE_DENY, ACCESS_WRITE, false },
	/* MSRs that are allowed may be loaded; those denied by default may not. */
	{ MSR_LSTAR, 1, RULE_ALLOW, ACCESS_WRITE, true },
	{ 0, 0, RULE_DEFAULT, ACCESS_WRITE, false },
	{ 0, 0, RULE_DEFAULT, ACCESS_READ, true },
	{ 0, 0, RULE_UNKNOWN, ACCESS_READ | ACCESS_WRITE, true },
	{ 0, 0, RULE_INVALID, ACCESS_READ | ACCESS_WRITE, true },
	{ 0xffffffff, 1, RULE_DENY, ACCESS_WRITE, true },
};

/* If VMLOAD is open, all registers that it loads cannot be pinned, and only those. */
static void test_vmload_open(void **state)
{
	struct host open = full;

	open.vmload_open = true;
	for (size_t i = 0; i < sizeof(vmload_rows) / sizeof(vmload_rows[0]); i++) {
		struct rule rule = {
			.kind = REGPIN_MSR, .type = (uint8_t)vmload_rows[i].type,
			.index = vmload_rows[i].index, .count = vmload_rows[i].count,
			.mask = UINT64_MAX, .action = REGPIN_GP,
			.access = (uint8_t)vmload_rows[i].access,
		};
		const char *why = NULL;

		assert_true(host_enforces(&full, &rule, &why));
		assert_int_equal(host_enforces(&open, &rule, &why),
				 vmload_rows[i].enforced);
		if (vmload_rows[i].enforced)
			assert_null(why);
		else
			assert_non_null(strstr(why, "vls=0"));
		assert_int_equal(host_vmload_passes(&open, &rule),
				 !vmload_rows[i].enforced);
		assert_false(host_vmload_passes(&full, &rule));
		/* A policy that only reports has nothing to protect. */
		rule.action = REGPIN_REPORT;
		assert_true(host_enforces(&open, &rule, &why));
	}
	/* Control registers have the index 0, and VMLOAD loads none of them. */
	for (unsigned int kind = REGPIN_CR0; kind < REGPIN_KIND_MAX; kind++) {
		const char *why = NULL;

		assert_true(enforces(&open, kind, RULE_STICKY, &why));
	}
}

/* KVM then ignores unknown MSRs itself, so there is no exit. */
static void test_ignore_msrs(void **state)
{
	struct host host = full;
	const char *why;

	host.ignore_msrs = true;
	for (unsigned int type = 0; type < RULE_TYPE_MAX; type++)
		assert_int_equal(enforces(&host, REGPIN_MSR, type, &why),
				 type != RULE_UNKNOWN);
	assert_false(enforces(&host, REGPIN_MSR, RULE_UNKNOWN, &why));
	assert_non_null(strstr(why, "ignore_msrs"));
}

/* If the trial is impossible, VMLOAD counts as open. */
static void test_vmload_unknown(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(host_vmload_open(fds[0]));
	assert_true(host_vmload_open(-1));
	close(fds[0]);
	close(fds[1]);
}

static unsigned int open_files(void)
{
	unsigned int nr = 0;

	for (int fd = 0; fd < 256; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* On a host with KVM, the trial leaves nothing behind. */
static void test_vmload_trial(void **state)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	unsigned int before = open_files();
	struct host host;
	bool open;

	unsetenv(HOST_ENV);
	if (fd < 0)
		skip();
	host_probe_fd(&host, fd);
	open = host_vmload_open(fd);
	print_message("# VMLOAD by a guest without SVM: %s\n",
		      open ? "no fault, or unknown" : "a fault");
	if (host.vendor == HOST_SVM)
		assert_int_equal(host.vmload_open, open);
	else
		assert_false(host.vmload_open);
	assert_int_equal(open_files(), before);
	close(fd);
}

/* If both modules are built in, both directories exist, and the CPU decides. */
static void test_vendor(void **state)
{
	static const struct {
		bool amd, intel, kvm;
		const char *cpu;
		enum host_vendor vendor;
	} rows[] = {
		{ true, true, true, "GenuineIntel", HOST_VMX },
		{ true, true, true, "AuthenticAMD", HOST_SVM },
		{ true, true, true, "HygonGenuine", HOST_SVM },
		{ true, true, true, "CentaurHauls", HOST_VMX },
		{ true, true, true, "  Shanghai  ", HOST_VMX },
		/*
		 * The files that exist count more than the CPU that an outer hypervisor
		 * shows.
		 */
		{ true, false, true, "GenuineIntel", HOST_SVM },
		{ false, true, true, "AuthenticAMD", HOST_VMX },
		{ false, false, true, "GenuineIntel", HOST_OTHER },
		{ false, false, false, "AuthenticAMD", HOST_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(host_vendor_of(rows[i].amd, rows[i].intel,
						rows[i].kvm, rows[i].cpu),
				 rows[i].vendor);
}

static void test_no_kvm_by_force(void **state)
{
	struct host host;

	setenv(HOST_ENV, "nokvm", 1);
	errno = 99;
	host_probe(&host);
	assert_int_equal(errno, 99);
	assert_int_equal(host.kvm_errno, ENOENT);
	assert_false(host.msr_filter || host.msr_exits || host.cr_filter);
	unsetenv(HOST_ENV);
}

static void test_unknown_force_is_no_kvm(void **state)
{
	static const char *const words[] = {
		"x", "nofilte", "nofilterexits", "nofilter,x", "x,nokvm",
		"NOKVM", "nofilter nokvm", "vmloads",
	};
	struct host host;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		setenv(HOST_ENV, words[i], 1);
		host_probe(&host);
		assert_int_equal(host.kvm_errno, EINVAL);
		assert_false(host.msr_filter || host.msr_exits);
	}
	unsetenv(HOST_ENV);
}

static void test_not_kvm_at_all(void **state)
{
	struct host host;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	errno = 99;
	host_probe_fd(&host, fds[0]);
	assert_int_equal(errno, 99);
	assert_int_equal(host.kvm_errno, ENOTTY);
	host_probe_fd(&host, -1);
	assert_int_equal(host.kvm_errno, EBADF);
	close(fds[0]);
	close(fds[1]);
}

/* A word removes only what it names; this host may lack other things anyway. */
static void test_taking_away(void **state)
{
	struct host now, less;

	unsetenv(HOST_ENV);
	host_probe(&now);
	if (now.kvm_errno)
		skip();
	setenv(HOST_ENV, "nofilter", 1);
	host_probe(&less);
	assert_false(less.msr_filter);
	assert_int_equal(less.msr_exits, now.msr_exits);
	assert_int_equal(less.api_version, 12);
	setenv(HOST_ENV, "nofilterexit", 1);
	host_probe(&less);
	assert_false(less.msr_exits);
	assert_int_equal(less.msr_filter, now.msr_filter);
	setenv(HOST_ENV, "nofilterexit,nofilter", 1);
	host_probe(&less);
	assert_false(less.msr_filter || less.msr_exits);
	setenv(HOST_ENV, "vmload", 1);
	host_probe(&less);
	assert_true(less.vmload_open);
	assert_true(less.msr_filter == now.msr_filter &&
		    less.msr_exits == now.msr_exits);
	setenv(HOST_ENV, "", 1);
	host_probe(&less);
	assert_memory_equal(&less, &now, sizeof(now));
	unsetenv(HOST_ENV);
}

/* kvm_amd has a fast path for TSC_DEADLINE since Linux 7; kvm_intel always had one. */
static void test_deadline(void **state)
{
	assert_int_equal(host_deadline_of(HOST_VMX, "5.10.0"), HOST_YES);
	assert_int_equal(host_deadline_of(HOST_VMX, "7.3.4+deb13-amd64"), HOST_YES);
	assert_int_equal(host_deadline_of(HOST_SVM, "6.12.117+deb12-amd64"), HOST_NO);
	assert_int_equal(host_deadline_of(HOST_SVM, "7.2.13"), HOST_YES);
	assert_int_equal(host_deadline_of(HOST_SVM, "10.0"), HOST_YES);
	assert_int_equal(host_deadline_of(HOST_OTHER, "7.2.13"), HOST_NOT_KNOWN);
	assert_int_equal(host_deadline_of(HOST_UNKNOWN, ""), HOST_NOT_KNOWN);
}

static void test_traits_without_kvm(void **state)
{
	const struct host none = { .kvm_errno = ENOENT };
	struct host_traits traits;

	memset(&traits, 0xff, sizeof(traits));
	host_traits_probe(&traits, &none);
	assert_int_equal(traits.vm_types, 0);
	assert_int_equal(traits.deadline, HOST_NOT_KNOWN);
	assert_int_equal(traits.nested_pat, HOST_NOT_KNOWN);
	assert_int_equal(traits.fred, HOST_NOT_KNOWN);
	assert_string_equal(host_vm_type_name(2), "SEV");
	assert_string_equal(host_vm_type_name(5), "TDX");
	assert_null(host_vm_type_name(0));
	assert_null(host_vm_type_name(6));
	assert_null(host_vm_type_name(31));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_host_enforces_all),
		cmocka_unit_test(test_why_not),
		cmocka_unit_test(test_vmload_open),
		cmocka_unit_test(test_ignore_msrs),
		cmocka_unit_test(test_vmload_unknown),
		cmocka_unit_test(test_vmload_trial),
		cmocka_unit_test(test_vendor),
		cmocka_unit_test(test_no_kvm_by_force),
		cmocka_unit_test(test_unknown_force_is_no_kvm),
		cmocka_unit_test(test_not_kvm_at_all),
		cmocka_unit_test(test_taking_away),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_traits_without_kvm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
