// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_rows.h"

/* Adds the sockets in @folder, which are asked later. */
static int add_folder(struct ctl_rows *rows, const struct ctl_folder *folder)
{
	/* The list closes its file, and @folder->fd is needed later. */
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char name[CTL_NAME_MAX];
	size_t first = rows->nr;
	struct dirent *entry;
	int err = 0;

	if (!dir && ctl_files_fault(-errno))
		err = -errno;
	if (!dir && fd >= 0)
		close(fd);
	while (dir && !err && (entry = readdir(dir))) {
		struct ctl_asked *asked;
		struct ctl_row *list;

		if (!ctl_file_name(entry->d_name, name))
			continue;
		if (rows->nr - first == CTL_FOLDER_MAX) {
			rows->cut = true;
			break;
		}
		asked = realloc(rows->asked, (rows->nr + 1) * sizeof(*asked));
		rows->asked = asked ? asked : rows->asked;
		list = realloc(rows->rows, (rows->nr + 1) * sizeof(*list));
		rows->rows = list ? list : rows->rows;
		if (!asked || !list) {
			err = -ENOMEM;
			continue;
		}
		asked[rows->nr] = (struct ctl_asked){ .dir = folder->fd, .fd = -1 };
		memcpy(asked[rows->nr].name, name, sizeof(name));
		list[rows->nr++] = (struct ctl_row){ .folder = folder };
	}
	if (dir)
		closedir(dir);
	return err;
}

/*
 * A name may hold the process id, and then the VMM has ended if that process has. If there is a
 * link that can't be read here, the id may be one of another PID namespace.
 */
static void find_vmm(struct ctl_row *row)
{
	pid_t pid = ctl_name_pid(row->asked->name);

	row->vmm = ctl_vmm_read(row->folder->fd, row->asked->name, &row->pid);
	if (row->vmm == CTL_VMM_NO_LINK && pid && kill(pid, 0) < 0 && errno == ESRCH)
		row->vmm = CTL_VMM_GONE;
}

/* Is the row to be shown? The socket of a VMM that has ended is not, if it can be removed. */
static bool is_shown(struct ctl_row *row)
{
	if (row->asked->state == CTL_NO_SOCKET)
		return false;
	if (row->asked->state != CTL_DEAD)
		return true;
	find_vmm(row);
	return row->vmm != CTL_VMM_GONE || !row->folder->safe ||
	       !ctl_sweep(row->folder->fd, row->asked->name);
}

static int compare(const void *a, const void *b)
{
	const struct ctl_row *x = a, *y = b;

	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return strcmp(x->asked->name, y->asked->name);
}

int ctl_rows_fill(struct ctl_rows *rows, const struct ctl_folders *folders, int ms)
{
	size_t shown = 0;
	int err = 0;

	*rows = (struct ctl_rows){ .nr = 0 };
	for (unsigned int i = 0; !err && i < folders->nr; i++)
		err = add_folder(rows, &folders->list[i]);
	if (err) {
		rows->nr = 0;
		ctl_rows_free(rows);
		return err;
	}
	ctl_ask_all(rows->asked, rows->nr, ms);
	for (size_t i = 0; i < rows->nr; i++) {
		rows->rows[i].asked = &rows->asked[i];
		if (is_shown(&rows->rows[i]))
			rows->rows[shown++] = rows->rows[i];
		else
			ctl_asked_free(&rows->asked[i]);
	}
	rows->nr = shown;
	if (shown)
		qsort(rows->rows, shown, sizeof(*rows->rows), compare);
	return 0;
}

void ctl_rows_free(struct ctl_rows *rows)
{
	for (size_t i = 0; i < rows->nr; i++)
		ctl_asked_free(rows->rows[i].asked);
	free(rows->rows);
	free(rows->asked);
	*rows = (struct ctl_rows){ .nr = 0 };
}

const char *ctl_row_state(const struct ctl_row *row)
{
	static const char *const names[] = {
		[CTL_ALIVE] = "alive", [CTL_SILENT] = "silent", [CTL_DEAD] = "dead",
		[CTL_DENIED] = "denied", [CTL_NO_SOCKET] = "unknown",
		[CTL_UNASKED] = "unknown", [CTL_STRANGE] = "unknown",
	};

	return names[row->asked->state];
}

const char *ctl_row_advice(const struct ctl_row *row, const char *option, char *buf,
			   size_t size)
{
	switch (row->asked->state) {
	case CTL_ALIVE:
		return NULL;
	case CTL_SILENT:
		snprintf(buf, size, "the agent does not answer: if it is stopped, SIGCONT continues it; the VM stays pinned meanwhile");
		break;
	case CTL_DENIED:
		snprintf(buf, size, "the VM is another user's: only that user and root can ask its agent");
		break;
	case CTL_DEAD:
		if (row->vmm == CTL_VMM_RUNS)
			snprintf(buf, size, "the agent has died, and the VMM, process %d, runs: the VM is pinned, but unobserved (no events, no commands); only a restart of the VM gives it an agent",
				 (int)row->pid);
		else if (row->vmm == CTL_VMM_GONE)
			snprintf(buf, size, "the agent and the VMM have ended: the user of the folder can remove the socket with 'regpin list%s'",
				 option);
		else
			snprintf(buf, size, "the agent has died, and it is not known whether the VMM runs: if it does, the VM is pinned, but unobserved; otherwise remove the socket, or start the next VM of this name");
		break;
	case CTL_UNASKED:
		snprintf(buf, size, "the agent was not asked: %s",
			 ctl_files_fault(row->asked->err));
		break;
	case CTL_NO_SOCKET:
	case CTL_STRANGE:
		snprintf(buf, size, "the answer of the agent can't be understood, or the agent has ended just now: try again; if that does not help, the agent is of another version");
		break;
	}
	return buf;
}

const char *ctl_row_value(const struct ctl_row *row, const char *key, char *buf,
			  size_t size)
{
	const char *at = row->asked->words;
	size_t len = strlen(key);

	while (at && (strncmp(at, key, len) != 0 || at[len] != '=')) {
		at = strncmp(at, "policy_file=", 12) == 0 ? NULL : strchr(at, ' ');
		at += at != NULL;
	}
	if (!at)
		snprintf(buf, size, "-");
	else if (strcmp(key, "policy_file") == 0)
		snprintf(buf, size, "%s", at + len + 1);
	else
		snprintf(buf, size, "%.*s", (int)strcspn(at + len + 1, " "),
			 at + len + 1);
	return buf;
}
