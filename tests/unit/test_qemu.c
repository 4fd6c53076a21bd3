// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's options, and which of them make a guest's pins unreliable. tests/live/qemu.sh
 * checks that QEMU itself reads them in the same way.
 */
#include "cm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/qemu_options.h"
#include "vmm/s3.h"

#define WORDS	12

struct row {
	const char *argv[WORDS];
	enum qemu_machine machine;
	enum qemu_accel accel;
	bool s3;
};

static const char q35_conf[] = "[machine]\ntype = \"q35\"\naccel = \"kvm\"\n";
static const char off_conf[] =
	"# comment\n\n[global]\n  driver = \"ICH9-LPC\"\n"
	"  property = \"disable_s3\"\n  value = \"1\"\n";
static const char bad_conf[] = "[machine]\n \ntype = \"q35\"\n";

static FILE *open_config(void *context, const char *path, bool *missing)
{
	const char *text = strcmp(path, "q35") == 0 ? q35_conf :
			   strcmp(path, "off") == 0 ? off_conf :
			   strcmp(path, "bad") == 0 ? bad_conf : NULL;

	*missing = strcmp(path, "missing") == 0;
	return text ? fmemopen((void *)text, strlen(text), "r") : NULL;
}

#define OFF_ICH9	"-global", "ICH9-LPC.disable_s3=1"
#define OFF_PIIX4	"-global", "PIIX4_PM.disable_s3=1"

static const struct row rows[] = {
	{ { "qemu" }, QEMU_PC, QEMU_TCG, true },
	{ { "/usr/libexec/qemu-kvm" }, QEMU_OTHER, QEMU_KVM_OR_TCG, true },
	{ { "kvm", OFF_PIIX4 }, QEMU_OTHER, QEMU_KVM_OR_TCG, true },
	{ { "kvm", OFF_PIIX4, OFF_ICH9 }, QEMU_OTHER, QEMU_KVM_OR_TCG, false },
	{ { "qemu", "-M", "pc-q35-9.2+pve1", OFF_PIIX4 }, QEMU_Q35, QEMU_TCG, true },
	{ { "qemu", "-M", "pc-i440fx-rhel7.6.0", OFF_PIIX4 }, QEMU_PC, QEMU_TCG, false },
	{ { "qemu", "-M", "xenfv", OFF_PIIX4 }, QEMU_OTHER, QEMU_TCG, true },
	{ { "qemu", "-M", "q35,accel=kvm:tcg", OFF_ICH9 }, QEMU_Q35, QEMU_KVM_OR_TCG, false },
	{ { "qemu", "-machine", "accel=xen:kvm,type=pc" }, QEMU_PC, QEMU_KVM, true },
	{ { "qemu", "-machine", "microvm-2" }, QEMU_OTHER, QEMU_TCG, true },
	{ { "qemu", "-machine", "none,accel=kvm:tcg", "-S", "-no-user-config" },
	  QEMU_NO_GUEST, QEMU_KVM_OR_TCG, false },
	{ { "qemu", "-accel", "hvf" }, QEMU_PC, QEMU_OTHER_ACCEL, true },
	{ { "qemu", "disk.img", "-accel", "kvm,kernel-irqchip=split", "-accel", "tcg" },
	  QEMU_PC, QEMU_KVM_OR_TCG, true },
	{ { "qemu", "-global", "PIIX4_PM.disable_s3=on" }, QEMU_PC, QEMU_TCG, true },
	{ { "qemu", "-global", "PIIX4_PM.disable_s3=1,x" }, QEMU_PC, QEMU_TCG, true },
	{ { "qemu", "-global", "PIIX4_PM.disable_s3=256" }, QEMU_PC, QEMU_TCG, true },
	{ { "qemu", "-global", "piix4_pm.disable_s3=1" }, QEMU_PC, QEMU_TCG, true },
	{ { "qemu", "-global" }, QEMU_PC, QEMU_TCG, true },
	/* An unknown option does not take the next word as its value; a known one does. */
	{ { "qemu", "-new-option", OFF_PIIX4 }, QEMU_PC, QEMU_TCG, false },
	{ { "qemu", "-new-option", "value", OFF_PIIX4 }, QEMU_PC, QEMU_TCG, false },
	{ { "qemu", "-append", "-global", "PIIX4_PM.disable_s3=1" }, QEMU_PC, QEMU_TCG, true },
	{ { "qemu", "-nographic", "-enable-kvm", OFF_PIIX4 }, QEMU_PC, QEMU_KVM, false },
	/* Configuration files. */
	{ { "qemu", "-readconfig", "q35", OFF_ICH9 }, QEMU_Q35, QEMU_KVM, false },
	{ { "qemu", "-readconfig", "off", "-M", "q35" }, QEMU_Q35, QEMU_TCG, false },
	{ { "qemu", "-M", "q35", OFF_ICH9, "-readconfig", "unreadable" },
	  QEMU_OTHER, QEMU_OTHER_ACCEL, true },
	{ { "qemu", "-M", "q35", OFF_ICH9, "-readconfig", "missing" },
	  QEMU_OTHER, QEMU_OTHER_ACCEL, true },
	{ { "qemu", "-M", "q35", OFF_ICH9, "-readconfig", "bad" },
	  QEMU_OTHER, QEMU_OTHER_ACCEL, true },
	{ { "qemu", "-readconfig", "unreadable", "-M", "q35", OFF_ICH9 },
	  QEMU_Q35, QEMU_OTHER_ACCEL, false },
};

static void reads(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct qemu_options options;
		const char *remedy;
		bool right;

		qemu_options_read(&options, rows[i].argv, "missing", open_config,
				  NULL);
		right = qemu_options_machine(&options) == rows[i].machine &&
			qemu_options_accel(&options) == rows[i].accel &&
			qemu_options_s3(&options, &remedy) == rows[i].s3;
		if (!right)
			print_error("row %zu: %s %s %s: machine %d accel %d\n", i,
				    rows[i].argv[0], rows[i].argv[1],
				    rows[i].argv[2],
				    (int)qemu_options_machine(&options),
				    (int)qemu_options_accel(&options));
		assert_true(right);
	}
}

/* The file that QEMU always reads comes first, and may be missing. */
static void user_config(void **state)
{
	const char *const plain[] = { "qemu", NULL };
	const char *const none[] = { "qemu", "--no-user-config", NULL };
	struct qemu_options options;

	qemu_options_read(&options, plain, "q35", open_config, NULL);
	assert_int_equal(qemu_options_machine(&options), QEMU_Q35);
	qemu_options_read(&options, none, "q35", open_config, NULL);
	assert_int_equal(qemu_options_machine(&options), QEMU_PC);
	qemu_options_read(&options, plain, "unreadable", open_config, NULL);
	assert_int_equal(qemu_options_machine(&options), QEMU_OTHER);
	assert_string_equal(options.unread, "unreadable");
}

static uint8_t pins_do = REGPIN_GP, init_does = REGPIN_ALLOW;
static uint32_t nr_pins = 1;

static struct regpin_policy *pinning(uint32_t flags)
{
	static struct regpin_policy policy;

	memset(&policy, 0, sizeof(policy));
	policy.flags = flags;
	policy.settings.init_action = init_does;
	policy.nr_rules = nr_pins;
	policy.rules[0].type = RULE_STICKY;
	policy.rules[0].action = pins_do;
	return &policy;
}

static enum vmm_fault fault(uint32_t flags, const char *path,
			    const char *const *argv, char text[1024])
{
	const struct vmm_line line = {
		.path = path, .name = path, .argv = argv, .root = "", .cwd = ".",
	};

	return vmm_fault(pinning(flags), &line, text, 1024);
}

static void faults(void **state)
{
	const char *const s3[] = { "x", "-accel", "kvm", "-M", "q35", NULL };
	const char *const tcg[] = { "x", "-M", "q35", NULL };
	const char *const probe[] = { "x", "-M", "none,accel=tcg", NULL };
	const char *const help[] = { "x", "-version", NULL };
	const char qemu[] = "/no/such/qemu-system-x86_64";
	char text[1024];

	assert_int_equal(fault(0, qemu, s3, text), VMM_S3);
	assert_non_null(strstr(text, "-global ICH9-LPC.disable_s3=1"));
	assert_int_equal(fault(POLICY_ACCEPT_S3, qemu, s3, text), VMM_FINE);
	assert_int_equal(fault(POLICY_ACCEPT_S3, qemu, tcg, text), VMM_TCG);
	assert_non_null(strstr(text, "-accel kvm"));
	assert_int_equal(fault(0, qemu, probe, text), VMM_FINE);
	assert_int_equal(fault(0, qemu, help, text), VMM_FINE);
	pins_do = REGPIN_REPORT;
	assert_int_equal(fault(0, qemu, s3, text), VMM_S3_TOLERATED);
	assert_non_null(strstr(text, "the VM runs, as the policy's pins only report"));
	assert_non_null(strstr(text, "-global ICH9-LPC.disable_s3=1"));
	assert_int_equal(fault(POLICY_ACCEPT_S3, qemu, s3, text), VMM_FINE);
	assert_int_equal(fault(0, "/bin/true", s3, text), VMM_FINE);
	assert_int_equal(fault(0, qemu, tcg, text), VMM_TCG);
	/* A guest that wakes up from S3 has vCPUs without an INIT. */
	init_does = REGPIN_STOP;
	assert_int_equal(fault(0, qemu, s3, text), VMM_S3);
	init_does = REGPIN_ALLOW;
	nr_pins = 0;
	assert_int_equal(fault(0, qemu, s3, text), VMM_FINE);
	assert_int_equal(fault(0, "/bin/true", s3, text), VMM_FINE);
	nr_pins = 1;
	pins_do = REGPIN_GP;
	assert_int_equal(fault(0, "/bin/true", s3, text), VMM_UNKNOWN);
	assert_int_equal(fault(POLICY_ACCEPT_S3, "/bin/true", s3, text), VMM_FINE);
}

/* A query for a list makes QEMU exit, unless a later option replaces it. */
static void questions(void **state)
{
	static const struct {
		const char *argv[WORDS];
		bool prints;
	} asked[] = {
		{ { "qemu", "-cpu", "help" }, true },
		{ { "qemu", "-cpu", "host", "-cpu", "?" }, true },
		{ { "qemu", "-M", "help" }, true },
		{ { "qemu", "-M", "q35,help" }, true },
		{ { "qemu", "-device", "help", "-device", "edu" }, true },
		{ { "qemu", "-netdev", "help", "-netdev", "user,id=x" }, true },
		{ { "qemu", "-cpu", "help", "-cpu", "host" }, false },
		{ { "qemu", "-d", "help", "-d", "int" }, false },
		{ { "qemu", "-vga", "help", "-vga", "std" }, false },
		{ { "qemu", "-M", "type=help", "-M", "q35" }, false },
		{ { "qemu", "-M", "q35,firmware=help" }, false },
		{ { "qemu", "-M", "q35,append=?" }, false },
	};

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct qemu_options options;

		qemu_options_read(&options, asked[i].argv, NULL, open_config,
				  NULL);
		if (options.prints != asked[i].prints)
			print_error("row %zu: %s %s: prints %d\n", i,
				    asked[i].argv[1], asked[i].argv[2],
				    options.prints);
		assert_int_equal(options.prints, asked[i].prints);
	}
}

/*
 * Under another name QEMU is recognised by its content, which also shows whether it has
 * TCG.
 */
static void by_content(void **state)
{
	const char *const tcg[] = { "myvmm", "-M", "microvm", NULL };
	char path[] = "/tmp/regpin-test-XXXXXX", text[1024];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "\177ELF disable_s4\0.", 17), 17);
	assert_int_equal(fault(0, path, tcg, text), VMM_FINE);
	assert_int_equal(write(fd, "tcg-accel\0", 10), 10);
	assert_int_equal(fault(0, path, tcg, text), VMM_TCG);
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_int_equal(fault(0, path, tcg, text), VMM_UNKNOWN);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(user_config),
		cmocka_unit_test(faults),
		cmocka_unit_test(questions),
		cmocka_unit_test(by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
