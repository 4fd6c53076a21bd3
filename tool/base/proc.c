// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads facts about other processes from /proc. Some of the text was chosen by these
 * processes, so it is only compared and shown.
 */
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handoff.h"

#include "proc.h"

#define CMDLINE_MAX	(4u << 20)

#define VM_LINK		"anon_inode:kvm-vm"
#define VCPU_LINK	"anon_inode:kvm-vcpu"	/* followed by ":ID" since Linux 4.17 */

enum elf elf_kind(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	ssize_t n = pread(fd, &head, sizeof(head), 0);

	if (n < EI_NIDENT || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return ELF_NONE;
	if (head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_ident[EI_DATA] != ELFDATA2LSB)
		return ELF_FOREIGN;
	if (n != (ssize_t)sizeof(head) || head.e_machine != EM_X86_64 ||
	    head.e_phentsize != sizeof(segment))
		return ELF_FOREIGN;
	for (unsigned int i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) !=
		    (ssize_t)sizeof(segment))
			break;
		if (segment.p_type == PT_INTERP)
			return ELF_DYNAMIC;
	}
	return ELF_STATIC;
}

/*
 * Reads at most @size bytes of @pid's file @name. The caller frees the result. NULL if the
 * file can't be opened.
 */
static char *slurp(pid_t pid, const char *name, size_t size, size_t *len)
{
	char path[64], *buf;
	ssize_t n;
	int fd;

	*len = 0;
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	buf = malloc(size + 1);
	while (buf && *len < size) {
		n = read(fd, buf + *len, size - *len);
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	close(fd);
	if (buf)
		buf[*len] = 0;
	return buf;
}

/* Is @text the file of a VM, or of a vCPU, which is enough to run the VM? */
static bool is_vm(const char *text, const char *link)
{
	size_t len = strlen(VCPU_LINK);

	return strcmp(text, VM_LINK) == 0 ||
	       (strncmp(text, VCPU_LINK, len) == 0 &&
		(!text[len] || text[len] == ':'));
}

static bool is_link(const char *text, const char *link)
{
	return strcmp(text, link) == 0;
}

/* Is there such a link? 1, 0, or a negative errno: -ENOENT if the directory is empty. */
static int find_in(const char *path, const char *link,
		   bool (*is)(const char *text, const char *link))
{
	struct dirent *entry;
	int found = -ENOENT;
	DIR *dir = opendir(path);
	char text[64];

	if (!dir)
		return -errno;
	while (found != 1 && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, text,
				       sizeof(text) - 1);

		if (n < 0)
			continue;
		text[n] = 0;
		found = is(text, link);
	}
	closedir(dir);
	return found;
}

/*
 * @pid, or another thread of it if the first one has ended: /proc shows neither files nor
 * memory of an ended thread, though the process runs on.
 */
static pid_t live_thread(pid_t pid)
{
	char path[128], program[8];
	struct dirent *entry;
	pid_t live = pid;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	if (readlink(path, program, sizeof(program)) >= 0 || errno != ENOENT)
		return pid;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && live == pid && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/exe", (int)pid,
			 entry->d_name);
		if (entry->d_name[0] != '.' &&
		    readlink(path, program, sizeof(program)) >= 0)
			live = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	if (dir)
		closedir(dir);
	return live;
}

static int find_link(pid_t pid, const char *link,
		     bool (*is)(const char *text, const char *link))
{
	char path[64];
	int found;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	found = find_in(path, link, is);
	if (found == -ENOENT) {
		snprintf(path, sizeof(path), "/proc/%d/fd", (int)live_thread(pid));
		found = find_in(path, link, is);
	}
	return found == -ENOENT ? 0 : found;
}

int proc_has_vm(pid_t pid)
{
	return find_link(pid, NULL, is_vm);
}

int proc_has_link(pid_t pid, const char *link)
{
	return find_link(pid, link, is_link);
}

static enum elf program_kind(pid_t pid)
{
	enum elf kind = ELF_DYNAMIC;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		kind = elf_kind(fd);
		close(fd);
	}
	return kind;
}

static bool is_secure(pid_t pid)
{
	size_t len;
	char *auxv = slurp(pid, "auxv", 4096, &len);
	bool secure = false;
	Elf64_auxv_t entry;

	for (size_t i = 0; auxv && i + sizeof(entry) <= len;
	     i += sizeof(entry)) {
		memcpy(&entry, auxv + i, sizeof(entry));
		if (entry.a_type == AT_SECURE)
			secure = entry.a_un.a_val != 0;
	}
	free(auxv);
	return secure;
}

/* Was @pid started with regpin's variables? Returns true if its environment can't be read. */
static bool has_environment(pid_t pid, const char *shim)
{
	bool preload = false, handoff = false, unknown;
	size_t len;
	char *env = slurp(pid, "environ", 1u << 20, &len);
	char *end = env ? env + len : NULL;

	unknown = !env;
	for (char *at = env; at < end; at += strlen(at) + 1) {
		if (strncmp(at, "LD_PRELOAD=", 11) == 0)
			preload = strstr(at, shim);
		if (strncmp(at, HANDOFF_ENV "=", sizeof(HANDOFF_ENV)) == 0)
			handoff = true;
	}
	free(env);
	return unknown || (preload && handoff);
}

/* Has @pid mapped a file named @name? 1, 0, or a negative errno: -ESRCH if it has no map. */
static int find_map(pid_t pid, const char *name)
{
	bool found = false, any = false;
	char *line = NULL, path[64];
	size_t size = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!found && getline(&line, &size, maps) > 0) {
		found = strstr(line, name);
		any = true;
	}
	free(line);
	fclose(maps);
	return any ? found : -ESRCH;
}

int proc_has_shim(pid_t pid, const char *shim)
{
	const char *slash = strrchr(shim, '/');
	const char *name = slash ? slash : shim;
	int found = find_map(pid, name);

	/* A process that ends loses its memory first, and then its files. */
	return found == -ESRCH ? find_map(live_thread(pid), name) : found;
}

enum unguarded proc_unguarded(pid_t pid, const char *shim)
{
	enum elf kind;

	pid = live_thread(pid);
	kind = program_kind(pid);
	if (kind == ELF_STATIC)
		return UNGUARDED_STATIC;
	if (kind == ELF_FOREIGN)
		return UNGUARDED_FOREIGN;
	if (is_secure(pid))
		return UNGUARDED_SECURE;
	if (!has_environment(pid, shim))
		return UNGUARDED_ENVIRONMENT;
	return proc_has_shim(pid, shim) > 0 ? UNGUARDED_RAW : UNGUARDED_UNLOADED;
}

void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void proc_name(pid_t pid, char *buf, size_t size)
{
	if (!proc_program(pid, buf, size))
		snprintf(buf, size, "a process");
	make_printable(buf);
}

uid_t proc_user(pid_t pid)
{
	size_t len;
	char *text = slurp(pid, "status", 4096, &len);
	char *line = text ? strstr(text, "\nUid:") : NULL;
	unsigned int real, effective;
	uid_t user = (uid_t)-1;

	if (line && sscanf(line, "\nUid: %u %u", &real, &effective) == 2)
		user = effective;
	free(text);
	return user;
}

pid_t proc_parent(pid_t pid)
{
	size_t len;
	char *text = slurp(pid, "stat", 4096, &len);
	/* The name, in brackets, may hold any characters; state and parent follow. */
	char *end = text ? strrchr(text, ')') : NULL;
	int parent = -1;

	if (end && sscanf(end, ") %*c %d", &parent) != 1)
		parent = -1;
	free(text);
	return parent;
}

uint64_t proc_started(pid_t pid)
{
	size_t len;
	char *text = slurp(pid, "stat", 4096, &len);
	char *at = text ? strrchr(text, ')') : NULL;
	uint64_t started = 0;

	/* The 22nd field; the name, in brackets, is the second. */
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	if (at)
		started = strtoull(at, NULL, 10);
	free(text);
	return started;
}

static void children_of_task(pid_t pid, const char *task,
			     void (*call)(void *context, pid_t child),
			     void *context)
{
	char name[64], *text, *at, *end;
	size_t len;

	snprintf(name, sizeof(name), "task/%.20s/children", task);
	text = slurp(pid, name, 1u << 16, &len);
	for (at = text; at; at = end) {
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		call(context, (pid_t)child);
	}
	free(text);
}

void proc_children(pid_t pid, void (*call)(void *context, pid_t child),
		   void *context)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			children_of_task(pid, entry->d_name, call, context);
	if (dir)
		closedir(dir);
}

uint64_t proc_image(pid_t pid)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t len;
	char *auxv = slurp(pid, "auxv", 4096, &len);

	/* The file is empty if the first thread of the process has ended. */
	for (size_t i = 0; auxv && i < len; i++)
		hash = (hash ^ (unsigned char)auxv[i]) * 0x100000001b3u;
	free(auxv);
	return len ? hash : 0;
}

char **proc_argv(pid_t pid)
{
	size_t len, nr = 0;
	char *text = slurp(live_thread(pid), "cmdline", CMDLINE_MAX, &len), *at;
	char **argv = NULL;

	if (text && len && len < CMDLINE_MAX) {
		for (size_t i = 0; i < len; i++)
			nr += !text[i];
		/* The words follow the pointers, so that one free() is enough. */
		argv = malloc((nr + 2) * sizeof(*argv) + len + 1);
	}
	if (argv) {
		at = (char *)(argv + nr + 2);
		memcpy(at, text, len + 1);
		nr = 0;
		for (char *end = at + len; at < end; at += strlen(at) + 1)
			argv[nr++] = at;
		argv[nr] = NULL;
	}
	free(text);
	return argv;
}

bool proc_program(pid_t pid, char *buf, size_t size)
{
	static const char gone[] = " (deleted)";
	char path[64];
	size_t len = sizeof(gone) - 1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)live_thread(pid));
	n = readlink(path, buf, size - 1);
	if (n <= 0)
		return false;
	buf[n] = 0;
	if ((size_t)n > len && strcmp(buf + n - len, gone) == 0)
		buf[(size_t)n - len] = 0;
	return true;
}

void proc_all(void (*call)(void *context, pid_t pid, uint64_t ino),
	      void *context)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end)
			call(context, (pid_t)pid, entry->d_ino);
	}
	if (dir)
		closedir(dir);
}
