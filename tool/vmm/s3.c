// SPDX-License-Identifier: GPL-2.0-only
/*
 * S3 can't be distinguished from a reset: the VMM clears its vCPUs, so their pins end,
 * and the guest then continues at an address of its choice. QEMU's machines have it
 * unless an option removes it. For other VMMs regpin can't check this.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/acceptance.h"
#include "qemu_options.h"
#include "s3.h"

/*
 * A property that QEMU's machines with S3 have, as well as disable_s3, and a type that
 * QEMU has unless it was built without TCG. The last character of each is missing, so
 * that regpin's own program does not have them.
 */
static const char s3_mark[] = "disable_s";
static const char tcg_mark[] = "tcg-acce";

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool has_qemu_name(const char *path)
{
	static const char *const names[] = {
		"qemu-system-x86_64", "qemu-system-i386", "qemu-kvm", "kvm",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(base(path), names[i]) == 0)
			return true;
	return false;
}

/* Does the file contain @mark, @last and a 0? Returns @otherwise if it can't be read. */
static bool contains(const char *path, const char *mark, char last, bool otherwise)
{
	char whole[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool found = otherwise;
	struct stat st;
	void *map;

	if (fd < 0)
		return otherwise;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		snprintf(whole, sizeof(whole), "%s%c", mark, last);
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			found = memmem(map, (size_t)st.st_size, whole,
				       strlen(whole) + 1);
			munmap(map, (size_t)st.st_size);
		}
	}
	close(fd);
	return found;
}

bool vmm_is_qemu(const struct vmm_line *line)
{
	return has_qemu_name(line->name) ||
	       (*line->argv && has_qemu_name(*line->argv)) ||
	       contains(line->path, s3_mark, '4', false);
}

/* QEMU's configuration file: below PREFIX for PREFIX/bin/QEMU, but below / for /usr/bin. */
static void user_config(const char *program, char path[PATH_MAX])
{
	const char *end = base(program);

	if (end > program)
		for (end--; end > program && end[-1] != '/';)
			end--;
	if (end - program <= 1 ||
	    strncmp(program, "/usr/", (size_t)(end - program)) == 0)
		snprintf(path, PATH_MAX, "/etc/qemu/qemu.conf");
	else
		snprintf(path, PATH_MAX, "%.*setc/qemu/qemu.conf",
			 (int)(end - program), program);
}

/* Opens a file as the VMM's process would, but no pipe, which can be read only once. */
static FILE *open_config(void *context, const char *path, bool *missing)
{
	const struct vmm_line *line = context;
	char full[PATH_MAX * 2];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s%s", *path == '/' ? line->root : line->cwd,
		 *path == '/' ? "" : "/", path);
	if (stat(full, &st) < 0) {
		*missing = errno == ENOENT || errno == ENOTDIR;
		return NULL;
	}
	return S_ISREG(st.st_mode) ? fopen(full, "re") : NULL;
}

static void say_s3(const struct qemu_options *options, const char *remedy,
		   enum acceptance s3, char *text, size_t size)
{
	const char *unread = options->unread;

	snprintf(text, size,
		 "this QEMU gives its guest S3 (suspend to RAM), and a guest that wakes from it has no pins and continues at an address of its choice%s%.200s%s%s: add '%s', or write 'accept: [s3]' into the policy",
		 *unread ? " (as far as is known: the configuration file " : "",
		 unread, *unread ? " can't be read)" : "",
		 s3 == REFUSED ? "" :
		 "; the VM runs, as the policy's pins only report, and one that enforces is refused",
		 remedy);
}

static enum vmm_fault qemu_fault(const struct vmm_line *line, enum acceptance s3,
				 char *text, size_t size)
{
	struct qemu_options options;
	char config[PATH_MAX];
	const char *remedy;

	user_config(line->name, config);
	qemu_options_read(&options, line->argv, config, open_config,
			  (void *)line);
	if (options.prints || qemu_options_machine(&options) == QEMU_NO_GUEST)
		return VMM_FINE;
	if (qemu_options_accel(&options) == QEMU_TCG &&
	    contains(line->path, tcg_mark, 'l', true)) {
		snprintf(text, size,
			 "this QEMU would emulate its guest (TCG), and a policy holds in KVM only: add '-accel kvm', and remove any other accelerator before it");
		return VMM_TCG;
	}
	if (s3 < TOLERATED || !qemu_options_s3(&options, &remedy))
		return VMM_FINE;
	say_s3(&options, remedy, s3, text, size);
	return s3 == REFUSED ? VMM_S3 : VMM_S3_TOLERATED;
}

enum vmm_fault vmm_fault(const struct regpin_policy *policy,
			 const struct vmm_line *line, char *text, size_t size)
{
	enum acceptance s3 = acceptance(policy, POLICY_ACCEPT_S3);

	if (vmm_is_qemu(line))
		return qemu_fault(line, s3, text, size);
	if (s3 != REFUSED)
		return VMM_FINE;
	snprintf(text, size,
		 "S3 can't be checked: %.200s is not QEMU, so it is not known whether its guests can suspend to RAM and wake without their pins; make sure that they can't, or write 'accept: [s3]' into the policy",
		 base(line->name));
	return VMM_UNKNOWN;
}
