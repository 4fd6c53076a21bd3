/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of QEMU on which pins depend: the machine, the accelerator, and whether ACPI offers
 * S3. They are read as QEMU itself reads them (tests/live/qemu.sh compares both).
 */
#ifndef REGPIN_TOOL_QEMU_OPTIONS_H
#define REGPIN_TOOL_QEMU_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* enum qemu_machine - machines, as far as their S3 differs */
enum qemu_machine {
	QEMU_PC,	/* i440fx, whose S3 is part of PIIX4_PM */
	QEMU_Q35,	/* its S3 is part of ICH9-LPC */
	QEMU_NO_S3,	/* microvm and others have no registers for it */
	QEMU_NO_GUEST,	/* "none" has no CPU */
	QEMU_OTHER,	/* an unknown one */
};

/* enum qemu_accel - what QEMU runs its guest with */
enum qemu_accel {
	QEMU_KVM,
	QEMU_KVM_OR_TCG,	/* KVM; TCG if KVM is not available */
	QEMU_TCG,
	QEMU_OTHER_ACCEL,	/* another one, or it could not be read */
};

#define QEMU_VALUE_MAX	256
#define QEMU_LAST_WINS	3

/**
 * struct qemu_options - the options that have been read
 * @machine: the machine's name as given, "" for the default
 * @machine_accel: the accelerators of -machine, "" for none
 * @accels: those of -accel, in their order and separated by ':'
 * @program_kvm: the program's name makes KVM the default accelerator
 * @ich9_off: ICH9-LPC.disable_s3 is set
 * @piix4_off: PIIX4_PM.disable_s3 is set
 * @acpi_off: the machine has no ACPI
 * @prints: QEMU only prints something, and exits
 * @asks: the last value of -cpu, -d and -vga asks for a list of values
 * @machine_unknown: @machine may be another one, because of @unread
 * @accel_unknown: the accelerators may be others, because of @unread
 * @unread: a configuration file that could not be read, or ""
 */
struct qemu_options {
	char machine[QEMU_VALUE_MAX];
	char machine_accel[QEMU_VALUE_MAX];
	char accels[QEMU_VALUE_MAX];
	bool program_kvm, ich9_off, piix4_off, acpi_off, prints;
	bool machine_unknown, accel_unknown;
	bool asks[QEMU_LAST_WINS];
	char unread[PATH_MAX];
};

/*
 * Opens a configuration file as the VMM's process would. Returns NULL if it can't be
 * read, or only once (a pipe). @missing is set to true if there is no such file.
 */
typedef FILE *(*qemu_open_fn)(void *context, const char *path, bool *missing);

/*
 * Reads @argv, which ends with NULL and begins with the program's name. @user_config is
 * the file that QEMU reads by itself, or NULL; @open gets @context.
 */
void qemu_options_read(struct qemu_options *options, const char *const *argv,
		       const char *user_config, qemu_open_fn open, void *context);

enum qemu_machine qemu_options_machine(const struct qemu_options *options);
enum qemu_accel qemu_options_accel(const struct qemu_options *options);

/*
 * Can a guest find S3 in its ACPI tables? Then *@remedy is set to the option that removes it,
 * a constant text.
 */
bool qemu_options_s3(const struct qemu_options *options, const char **remedy);

#endif
