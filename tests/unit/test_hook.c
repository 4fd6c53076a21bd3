// SPDX-License-Identifier: GPL-2.0-only
/* The file of a hook, and the lines that wait for it. */
#include "cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/hook_file.h"
#include "agent/hook_lines.h"
#include "fake_agent.h"

#include "agent/agent_output.h"

static char dir[PATH_MAX];
static struct hook_page page;

static const char *path_of(const char *name)
{
	static char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_script(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "we");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", text);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path_of(name), 0700), 0);
}

/* Executes the file @fd as the hook's process does. Returns the status. */
static int execute(int fd)
{
	char *argv[] = { (char *)"hook", NULL }, *environment[] = { NULL };
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fcntl(fd, F_SETFD, 0);
		execveat(fd, "", argv, environment, AT_EMPTY_PATH);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

/* The path is exchanged between the check and the start: the checked file is executed. */
static void exchanged(void **state)
{
	char fault[HOOK_FAULT_MAX] = "";
	int fd;

	write_script("hook", "exit 3");
	write_script("evil", "exit 66");
	fd = hook_open(path_of("hook"), geteuid(), fault);
	if (fd < 0 && strstr(fault, "can be written")) {
		print_message("# SKIP exchanged: other users can write to a folder above %s\n", dir);
		return;
	}
	assert_string_equal(fault, "");
	unlink(path_of("hook"));
	assert_int_equal(symlink("evil", path_of("hook")), 0);
	assert_int_equal(execute(fd), 3);
	close(fd);
	assert_int_equal(hook_open(path_of("hook"), geteuid(), fault), -1);
	assert_non_null(strstr(fault, "is a symbolic link"));
	unlink(path_of("hook"));
	assert_int_equal(rename(path_of("evil"), strdupa(path_of("hook"))), 0);
}

/* Long paths and odd ones are refused or opened, and no file stays open. */
static void odd_paths(void **state)
{
	char fault[HOOK_FAULT_MAX], name[PATH_MAX + 300];
	int first = open("/dev/null", O_RDONLY), next;

	close(first);
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = 0;
	assert_int_equal(hook_open(name, 0, fault), -1);
	name[300] = 0;
	assert_int_equal(hook_open(name, 0, fault), -1);
	assert_non_null(strstr(fault, "File name too long"));
	assert_int_equal(hook_open("/", 0, fault), -1);
	assert_int_equal(hook_open("", 0, fault), -1);
	assert_int_equal(hook_open("//", 0, fault), -1);
	assert_int_equal(hook_open("/..", 0, fault), -1);
	assert_int_equal(hook_open("/dev/null", 0, fault), -1);
	assert_int_equal(hook_open("/\x1b[2J/x", 0, fault), -1);
	assert_null(strchr(fault, '\x1b'));
	next = open("/dev/null", O_RDONLY);
	assert_int_equal(next, first);
	close(next);
}

static void lines(void **state)
{
	struct hook hook = { .page = &page }, none = { .page = NULL };
	char line[64];

	hook_add(&none, "x\n", 2);
	for (unsigned int i = 0; i < 1000; i++) {
		snprintf(line, sizeof(line), "line %u\n", i);
		hook_add(&hook, line, strlen(line));
	}
	assert_int_equal(hook_lines(&page), HOOK_LINES);
	assert_int_equal(atomic_load(&page.more), 1000 - HOOK_LINES);
	assert_memory_equal(page.lines, "line 0\nline 1\n", 14);
	hook.closing = true;
	hook_add(&hook, "last\n", 5);
	hook.closing = false;
	assert_memory_equal(page.lines + hook_bytes(&page) - 13, "line 63\nlast\n", 13);
	hook_add(&hook, "x\n", 2);
	assert_int_equal(atomic_load(&page.more), 1001 - HOOK_LINES);
	hook_forget_lines(&page);
	assert_int_equal(hook_lines(&page) + hook_bytes(&page), 0);
	/* The longest lines. */
	for (unsigned int i = 0; i < 1000; i++) {
		static char longest[EVENT_LINE_MAX];

		hook_add(&hook, longest, sizeof(longest));
	}
	assert_int_equal(hook_bytes(&page), HOOK_LINES * EVENT_LINE_MAX);
	hook_forget_lines(&page);
}

/* A VM that left is for the hook; other events of the agent are not. */
static void left(void **state)
{
	struct ctl *ctl = fake_begin();
	struct agent_event event = { .type = "left", .for_hook = true },
			   other = { .type = "message" };

	fake_agent.hook.page = &page;
	agent_report(&fake_agent, &other);
	assert_int_equal(hook_lines(&page), 0);
	agent_report(&fake_agent, &event);
	assert_int_equal(hook_lines(&page), 1);
	assert_non_null(strstr(page.lines, "\"event\":\"left\""));
	hook_forget_lines(&page);
	fake_end(ctl);
}

/* Makes @dir in @base. Returns whether a program in it can be a hook. */
static bool make_dir(const char *base)
{
	char fault[HOOK_FAULT_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%.200s/test-hook-XXXXXX", base);
	if (!mkdtemp(dir))
		return false;
	write_script("hook", "exit 3");
	fd = hook_open(path_of("hook"), geteuid(), fault);
	unlink(path_of("hook"));
	if (fd >= 0)
		close(fd);
	else
		rmdir(dir);
	return fd >= 0;
}

/* Nothing below /tmp can be a hook, and the build may be there. */
static int set_up(void **state)
{
	const char *home = getenv("HOME");
	char *here = getcwd(NULL, 0);
	bool made = (here && make_dir(here)) || (home && make_dir(home));

	if (!made && here)
		snprintf(dir, sizeof(dir), "%.200s/test-hook-XXXXXX", here);
	free(here);
	return made || mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	unlink(path_of("hook"));
	unlink(path_of("evil"));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanged),
		cmocka_unit_test(odd_paths),
		cmocka_unit_test(lines),
		cmocka_unit_test(left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
