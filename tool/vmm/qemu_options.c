// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_options.h"
#include "qemu_words.h"

#define ICH9	"ICH9-LPC"
#define PIIX4	"PIIX4_PM"

/*
 * QEMU knows no name that is too long for @to. Such a name becomes "?", because its beginning
 * could be a name that QEMU knows.
 */
static void copy(char to[QEMU_VALUE_MAX], const char *from)
{
	if (snprintf(to, QEMU_VALUE_MAX, "%s", from) >= QEMU_VALUE_MAX)
		snprintf(to, QEMU_VALUE_MAX, "?");
}

static void set_machine(struct qemu_options *o, const char *name,
			const char *value)
{
	if (strcmp(name, "type") == 0) {
		copy(o->machine, value);
		o->machine_unknown = false;
	} else if (strcmp(name, "accel") == 0) {
		copy(o->machine_accel, value);
		o->accel_unknown = false;
	} else if (strcmp(name, "acpi") == 0) {
		o->acpi_off = strcmp(value, "off") == 0;
	}
}

/* QEMU tries accelerators in the order of their -accel options. */
static void add_accel(struct qemu_options *o, const char *value)
{
	char all[QEMU_VALUE_MAX * 2 + 2];

	snprintf(all, sizeof(all), "%s%s%.*s", o->accels, *o->accels ? ":" : "",
		 QEMU_VALUE_MAX, value);
	copy(o->accels, all);
}

/* Does @value set a property disable_s3? Its type is uint8, so QEMU refuses "on". */
static bool is_set(const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 0);

	return end != value && !*end && n && n <= UCHAR_MAX;
}

/*
 * The last -global wins. Another driver may be a base type of these two: if its value leaves
 * S3 on, both may have S3.
 */
static void set_global(struct qemu_options *o, const char *driver,
		       const char *property, const char *value)
{
	bool set = is_set(value);

	if (strcmp(property, "disable_s3") != 0)
		return;
	if (strcmp(driver, ICH9) == 0) {
		o->ich9_off = set;
	} else if (strcmp(driver, PIIX4) == 0) {
		o->piix4_off = set;
	} else if (!set) {
		o->ich9_off = false;
		o->piix4_off = false;
	}
}

static void read_machine(struct qemu_options *o, char *text)
{
	const char *implied = "type";
	struct qemu_pair pair;

	for (; qemu_next_pair(&text, implied, &pair); implied = NULL) {
		if (qemu_is_help(pair.name))
			o->prints = true;
		set_machine(o, pair.name, pair.value);
	}
}

static void read_accel(struct qemu_options *o, char *text)
{
	const char *implied = "accel", *accel = "";
	struct qemu_pair pair;

	for (; qemu_next_pair(&text, implied, &pair); implied = NULL) {
		if (strcmp(pair.name, "accel") == 0)
			accel = pair.value;
		if (qemu_is_help(pair.name))
			o->prints = true;
	}
	if (!*accel || qemu_is_help(accel))
		o->prints = true;
	add_accel(o, accel);
}

static void read_global(struct qemu_options *o, char *text)
{
	const char *driver = "", *property = "", *value = "";
	char first[QEMU_NAME_MAX], second[QEMU_NAME_MAX];
	struct qemu_pair pair;
	int end = 0;

	/* In "driver.property=value" a comma is part of the value. */
	if (sscanf(text, "%63[^.=].%63[^=]%n", first, second, &end) == 2 &&
	    text[end] == '=') {
		set_global(o, first, second, text + end + 1);
		return;
	}
	while (qemu_next_pair(&text, NULL, &pair)) {
		if (strcmp(pair.name, "driver") == 0)
			driver = pair.value;
		else if (strcmp(pair.name, "property") == 0)
			property = pair.value;
		else if (strcmp(pair.name, "value") == 0)
			value = pair.value;
	}
	set_global(o, driver, property, value);
}

/*
 * The file @unread may set any of these options. A later option makes its own value known
 * again.
 */
static void forget(struct qemu_options *o, const char *unread)
{
	snprintf(o->unread, sizeof(o->unread), "%s", unread);
	o->machine_unknown = true;
	o->accel_unknown = true;
	o->ich9_off = false;
	o->piix4_off = false;
}

/**
 * struct section - a group of a configuration file
 * @group: its name
 * @driver, @property, @value: the values of a [global]
 * @accel: the value of an [accel]
 */
struct section {
	char group[QEMU_NAME_MAX];
	char driver[QEMU_NAME_MAX], property[QEMU_NAME_MAX];
	char value[QEMU_NAME_MAX], accel[QEMU_NAME_MAX];
};

static void end_section(struct qemu_options *o, const struct section *s)
{
	if (strcmp(s->group, "global") == 0)
		set_global(o, s->driver, s->property, s->value);
	else if (strcmp(s->group, "accel") == 0)
		add_accel(o, s->accel);
}

static void read_line(struct qemu_options *o, struct section *s,
		      const struct qemu_config_line *line)
{
	char *to = NULL;

	if (line->group[0]) {
		end_section(o, s);
		*s = (struct section){ .value = "" };
		memcpy(s->group, line->group, sizeof(s->group));
		return;
	}
	if (strcmp(s->group, "machine") == 0)
		set_machine(o, line->name, line->value);
	else if (strcmp(line->name, "driver") == 0)
		to = s->driver;
	else if (strcmp(line->name, "property") == 0)
		to = s->property;
	else if (strcmp(line->name, "value") == 0)
		to = s->value;
	else if (strcmp(line->name, "accel") == 0)
		to = s->accel;
	if (to && snprintf(to, QEMU_NAME_MAX, "%s", line->value) >= QEMU_NAME_MAX)
		snprintf(to, QEMU_NAME_MAX, "?");
}

static void read_config(struct qemu_options *o, const char *path, bool must,
			qemu_open_fn open, void *context)
{
	struct qemu_config_line line;
	struct section section = { .group = "" };
	bool missing = false;
	FILE *file = open(context, path, &missing);
	int found;

	if (!file) {
		if (must || !missing)
			forget(o, path);
		return;
	}
	while ((found = qemu_next_line(file, &line)) == 1)
		read_line(o, &section, &line);
	end_section(o, &section);
	fclose(file);
	if (found < 0)
		forget(o, path);
}

/*
 * QEMU keeps only the last value of these options, and evaluates it after all options have
 * been read, so a later value can replace a request for help.
 */
static bool note_last(struct qemu_options *o, const struct qemu_word *word)
{
	static const char *const names[QEMU_LAST_WINS] = { "cpu", "d", "vga" };

	for (size_t i = 0; word->value && i < QEMU_LAST_WINS; i++) {
		if (strcmp(word->name, names[i]) != 0)
			continue;
		o->asks[i] = qemu_is_help(word->value);
		return true;
	}
	return false;
}

/* Does the option make QEMU print a list of values and exit, whatever else is given? */
static bool asks_for_help(const struct qemu_word *word)
{
	static const char *const names[] = {
		"device", "netdev", "chardev", "object", "audiodev", "display",
		"trace", "drive", "tpmdev", "watchdog",
	};

	if (!word->value)
		return strcmp(word->name, "version") == 0 ||
		       strcmp(word->name, "h") == 0 ||
		       strcmp(word->name, "help") == 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(word->name, names[i]) == 0)
			return qemu_is_help(word->value);
	return false;
}

static void read_text(struct qemu_options *o, const struct qemu_word *word,
		      void (*read)(struct qemu_options *o, char *text))
{
	char *text = strdup(word->value ? word->value : "");

	if (text)
		read(o, text);
	else
		forget(o, word->name);
	free(text);
}

static void read_word(struct qemu_options *o, const struct qemu_word *word,
		      qemu_open_fn open, void *context)
{
	const char *name = word->name;

	if (strcmp(name, "M") == 0 || strcmp(name, "machine") == 0)
		read_text(o, word, read_machine);
	else if (strcmp(name, "accel") == 0)
		read_text(o, word, read_accel);
	else if (strcmp(name, "global") == 0)
		read_text(o, word, read_global);
	else if (strcmp(name, "enable-kvm") == 0)
		set_machine(o, "accel", "kvm");
	else if (strcmp(name, "no-acpi") == 0)
		set_machine(o, "acpi", "off");
	else if (strcmp(name, "readconfig") == 0 && word->value)
		read_config(o, word->value, true, open, context);
	/* -set changes a group with an id, such as [global "x"]. */
	else if (strcmp(name, "set") == 0 && word->value &&
		 strncmp(word->value, "global.", 7) == 0)
		o->ich9_off = o->piix4_off = false;
	else if (!note_last(o, word) && asks_for_help(word))
		o->prints = true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), want = strlen(end);

	return len >= want && strcmp(text + len - want, end) == 0;
}

static bool wants_user_config(const char *const *argv)
{
	struct qemu_word word;

	while (qemu_next_word(&argv, &word))
		if (word.name && (strcmp(word.name, "no-user-config") == 0 ||
				  strcmp(word.name, "nodefconfig") == 0))
			return false;
	return true;
}

void qemu_options_read(struct qemu_options *options, const char *const *argv,
		       const char *user_config, qemu_open_fn open, void *context)
{
	struct qemu_word word;

	memset(options, 0, sizeof(*options));
	if (!*argv)
		return;
	options->program_kvm = ends_with(*argv++, "kvm");
	if (user_config && wants_user_config(argv))
		read_config(options, user_config, false, open, context);
	while (qemu_next_word(&argv, &word))
		if (word.name)
			read_word(options, &word, open, context);
	options->prints |= qemu_is_help(options->machine);
	for (size_t i = 0; i < QEMU_LAST_WINS; i++)
		options->prints |= options->asks[i];
}

enum qemu_machine qemu_options_machine(const struct qemu_options *options)
{
	static const struct {
		const char *name;
		bool prefix;
		enum qemu_machine machine;
	} known[] = {
		{ "pc", false, QEMU_PC }, { "pc-i440fx-", true, QEMU_PC },
		{ "ubuntu", false, QEMU_PC }, { "q35", false, QEMU_Q35 },
		{ "pc-q35-", true, QEMU_Q35 }, { "ubuntu-q35", true, QEMU_Q35 },
		{ "microvm", false, QEMU_NO_S3 }, { "isapc", false, QEMU_NO_S3 },
		{ "nitro-enclave", false, QEMU_NO_S3 },
		{ "x-remote", false, QEMU_NO_GUEST },
		{ "none", false, QEMU_NO_GUEST },
	};
	const char *name = options->machine;

	if (options->machine_unknown)
		return QEMU_OTHER;
	/* QEMU_PC is upstream's default. A program named after KVM may have another one. */
	if (!*name)
		return options->program_kvm ? QEMU_OTHER : QEMU_PC;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].prefix ?
			    strncmp(name, known[i].name, strlen(known[i].name)) == 0 :
			    strcmp(name, known[i].name) == 0)
			return known[i].machine;
	return QEMU_OTHER;
}

/* QEMU tries the accelerators in their order; TCG never fails. */
enum qemu_accel qemu_options_accel(const struct qemu_options *options)
{
	const char *list = *options->accels ? options->accels :
					      options->machine_accel;
	bool kvm = false;

	if (options->accel_unknown)
		return QEMU_OTHER_ACCEL;
	if (!*list)
		list = options->program_kvm ? "kvm:tcg" : "tcg:kvm";
	while (*list) {
		size_t len = strcspn(list, ":");

		if (len == 3 && strncmp(list, "tcg", 3) == 0)
			return kvm ? QEMU_KVM_OR_TCG : QEMU_TCG;
		kvm |= len == 3 && strncmp(list, "kvm", 3) == 0;
		list += len + (list[len] == ':');
	}
	return kvm ? QEMU_KVM : QEMU_OTHER_ACCEL;
}

bool qemu_options_s3(const struct qemu_options *options, const char **remedy)
{
	static const char ich9[] = "-global " ICH9 ".disable_s3=1";
	static const char piix4[] = "-global " PIIX4 ".disable_s3=1";
	static const char both[] =
		"-global " ICH9 ".disable_s3=1 -global " PIIX4 ".disable_s3=1";

	switch (qemu_options_machine(options)) {
	case QEMU_PC:
		*remedy = piix4;
		return !options->piix4_off && !options->acpi_off;
	case QEMU_Q35:
		*remedy = ich9;
		return !options->ich9_off;
	case QEMU_NO_S3:
	case QEMU_NO_GUEST:
		return false;
	default:
		*remedy = both;
		return !(options->ich9_off && options->piix4_off);
	}
}
