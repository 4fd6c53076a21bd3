// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking at other processes through /proc. What is read here was written by
 * them: it is compared and shown, never obeyed.
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

#define VM_LINK	"anon_inode:kvm-vm"

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
 * Reads what is in @pid's file @name, up to @size; freed by the caller. NULL if
 * it can't be opened.
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

static int find_link(pid_t pid, const char *link)
{
	char path[64], text[64];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!found && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, text,
				       sizeof(text) - 1);

		if (n < 0)
			continue;
		text[n] = 0;
		found = strcmp(text, link) == 0;
	}
	closedir(dir);
	return found;
}

int proc_has_vm(pid_t pid)
{
	return find_link(pid, VM_LINK);
}

bool proc_has_link(pid_t pid, const char *link)
{
	return find_link(pid, link) > 0;
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

/* Has it been started with our variables? If that can't be told: yes. */
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

int proc_has_shim(pid_t pid, const char *shim)
{
	const char *name = strrchr(shim, '/');
	bool found = false, any = false;
	char *line = NULL, path[64];
	size_t size = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	while (!found && getline(&line, &size, maps) > 0) {
		found = strstr(line, name ? name : shim);
		any = true;
	}
	free(line);
	fclose(maps);
	/* A process that ends loses its memory first, and then its files. */
	return any ? found : -ESRCH;
}

enum unguarded proc_unguarded(pid_t pid, const char *shim)
{
	enum elf kind = program_kind(pid);

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
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, buf, size - 1);
	if (n <= 0) {
		snprintf(buf, size, "a process");
		return;
	}
	buf[n] = 0;
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
	/* The name, in brackets, may be anything; then come state and parent. */
	char *end = text ? strrchr(text, ')') : NULL;
	int parent = -1;

	if (end && sscanf(end, ") %*c %d", &parent) != 1)
		parent = -1;
	free(text);
	return parent;
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

void proc_all(void (*call)(void *context, pid_t pid), void *context)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end)
			call(context, (pid_t)pid);
	}
	if (dir)
		closedir(dir);
}
