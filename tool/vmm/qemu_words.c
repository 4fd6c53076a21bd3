// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "qemu_words.h"

/* Options of QEMU 2.0 to 10 without an argument. */
static const char *const flags[] = {
	"S", "alt-grab", "async-teardown", "audio-help", "ctrl-grab", "curses",
	"daemonize", "enable-fips", "enable-kvm", "enable-sync-profile",
	"full-screen", "h", "help", "jitdump", "localtime", "mem-prealloc",
	"no-acpi", "no-fd-bootchk", "no-frame", "no-hpet", "no-kvm",
	"no-kvm-irqchip", "no-kvm-pit", "no-kvm-pit-reinjection", "no-quit",
	"no-reboot", "no-shutdown", "no-user-config", "nodefaults", "nodefconfig",
	"nographic", "old-param", "one-insn-per-tb", "only-migratable", "perfmap",
	"portrait", "preconfig", "rtc-td-hack", "s", "sdl", "semihosting",
	"show-cursor", "singlestep", "snapshot", "tdf", "usb", "version",
	"virtfs_synth", "win2k-hack", "xen-attach", "xen-create",
	"xen-domid-restrict",
};

/* Options of QEMU 2.0 to 10 with an argument. */
static const char *const takers[] = {
	"D", "L", "M", "accel", "acpitable", "action", "add-fd", "append", "audio",
	"audiodev", "balloon", "bios", "blockdev", "boot", "bootp", "bt", "cdrom",
	"chardev", "chroot", "clock", "compat", "cpu", "d", "debugcon", "device",
	"dfilter", "display", "drive", "dtb", "dump-vmstate", "echr", "fda", "fdb",
	"fsdev", "fw_cfg", "g", "gdb", "global", "hda", "hdachs", "hdb", "hdc", "hdd",
	"icount", "incoming", "initrd", "iscsi", "k", "kernel", "loadvm", "m",
	"machine", "mem-path", "mon", "monitor", "msg", "mtdblock", "name", "net",
	"netdev", "nic", "numa", "object", "option-rom", "overcommit", "parallel",
	"pflash", "pidfile", "plugin", "prom-env", "qmp", "qmp-pretty", "qtest",
	"qtest-log", "readconfig", "realtime", "redir", "rotate", "rtc", "run-with",
	"runas", "sandbox", "sd", "seed", "semihosting-config", "serial", "set",
	"shim", "smb", "smbios", "smp", "soundhw", "spice", "startdate", "tb-size",
	"tftp", "tpmdev", "trace", "usbdevice", "uuid", "vga", "virtfs",
	"virtioconsole", "vnc", "watchdog", "watchdog-action", "writeconfig",
	"xen-domid",
};

static bool is_in(const char *name, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static bool has_argument(const char *name, const char *next)
{
	if (!next || is_in(name, flags, sizeof(flags) / sizeof(flags[0])))
		return false;
	return next[0] != '-' ||
	       is_in(name, takers, sizeof(takers) / sizeof(takers[0]));
}

bool qemu_next_word(const char *const **argv, struct qemu_word *word)
{
	const char *text = **argv;

	if (!text)
		return false;
	++*argv;
	*word = (struct qemu_word){ .value = text };
	if (text[0] != '-')
		return true;
	word->name = text + (text[1] == '-' ? 2 : 1);
	word->value = NULL;
	if (has_argument(word->name, **argv))
		word->value = *(*argv)++;
	return true;
}

/* Ends the value at @text, and makes each ",," in it a ",". Returns the text after it. */
static char *end_value(char *text)
{
	char *to = text;

	for (; *text; *to++ = *text++) {
		if (*text == ',' && *++text != ',') {
			*to = 0;
			return text;
		}
	}
	*to = 0;
	return text;
}

bool qemu_next_pair(char **text, const char *implied, struct qemu_pair *pair)
{
	char *at = *text;
	size_t len = strcspn(at, "=,");

	if (!*at)
		return false;
	pair->name = at;
	if (at[len] == '=') {
		at[len] = 0;
		pair->value = at + len + 1;
		*text = end_value(at + len + 1);
		return true;
	}
	*text = end_value(at);
	pair->value = "on";
	if (implied) {
		pair->name = implied;
		pair->value = at;
	} else if (strncmp(at, "no", 2) == 0) {
		pair->name = at + 2;
		pair->value = "off";
	}
	return true;
}

bool qemu_is_help(const char *value)
{
	return strcmp(value, "help") == 0 || strcmp(value, "?") == 0;
}

int qemu_next_line(FILE *file, struct qemu_config_line *line)
{
	char text[1024];

	while (fgets(text, sizeof(text), file)) {
		char id[QEMU_NAME_MAX];

		*line = (struct qemu_config_line){ "", "", "" };
		if (text[0] == '\n' || text[0] == '#' || !text[0])
			continue;
		if (sscanf(text, "[%63s \"%63[^\"]\"]", line->group, id) == 2 ||
		    sscanf(text, "[%63[^]]]", line->group) == 1)
			return 1;
		line->group[0] = 0;
		if (sscanf(text, " %63s = \"%1023[^\"]\"", line->name,
			   line->value) == 2 ||
		    sscanf(text, " %63s = \"\"", line->name) == 1)
			return 1;
		return -1;
	}
	return ferror(file) ? -1 : 0;
}
