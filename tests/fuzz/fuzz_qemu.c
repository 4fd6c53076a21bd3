// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any words as QEMU's command line, and any bytes as its configuration file: no crash,
 * and the last option counts, whatever comes before it.
 *
 * Input: words separated by line breaks; after an empty line, the file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/qemu_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x)	do { if (!(x)) abort(); } while (0)
#define MAX_WORDS	64
#define TAIL		8

static char text[4097];
static char *config;

static FILE *open_config(void *context, const char *path, bool *missing)
{
	*missing = path[0] == '!';
	if (*missing || !*config)
		return NULL;
	return fmemopen(config, strlen(config), "r");
}

static bool reads_s3(const char **argv, size_t nr, const char *const *tail,
		     enum qemu_machine *machine, enum qemu_accel *accel)
{
	struct qemu_options options;
	const char *remedy = NULL;
	bool s3;

	memcpy(argv + nr, tail, TAIL * sizeof(*tail));
	qemu_options_read(&options, argv, "/etc/qemu/qemu.conf", open_config, NULL);
	*machine = qemu_options_machine(&options);
	*accel = qemu_options_accel(&options);
	s3 = qemu_options_s3(&options, &remedy);
	REQUIRE(!s3 || remedy);
	return s3;
}

/* "-S" may be the argument of the last word before it. */
static void last_wins(const char **argv, size_t nr)
{
	static const char *const off[TAIL] = {
		"-S", "-M", "q35", "-global", "ICH9-LPC.disable_s3=1",
	}, *const on[TAIL] = {
		"-S", "-global", "driver=ICH9-LPC,property=disable_s3,value=0",
		"-machine", "smm=off,type=q35",
	}, *const pc[TAIL] = {
		"-S", "--machine", "pc,acpi=on,accel=kvm", "-global",
		"PIIX4_PM.disable_s3=0",
	};
	enum qemu_machine machine;
	enum qemu_accel accel;

	REQUIRE(!reads_s3(argv, nr, off, &machine, &accel));
	REQUIRE(machine == QEMU_Q35);
	REQUIRE(reads_s3(argv, nr, on, &machine, &accel));
	REQUIRE(machine == QEMU_Q35);
	REQUIRE(reads_s3(argv, nr, pc, &machine, &accel));
	REQUIRE(machine == QEMU_PC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const none[TAIL];
	const char *argv[MAX_WORDS + TAIL + 1] = { "qemu-system-x86_64" };
	enum qemu_machine machine;
	enum qemu_accel accel;
	char *at = text, *end;
	size_t nr = 1;

	size = size < sizeof(text) ? size : sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = 0;
	for (; *at && *at != '\n' && nr < MAX_WORDS; at = end) {
		end = at + strcspn(at, "\n");
		if (*end)
			*end++ = 0;
		argv[nr++] = at;
	}
	config = at + (*at == '\n');
	reads_s3(argv, nr, none, &machine, &accel);
	last_wins(argv, nr);
	return 0;
}
