// SPDX-License-Identifier: GPL-2.0-only
/* `regpin list`: its folders, agents of all kinds, and the sockets that it removes. */
#include "cm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"
#include "ctl/ctl_folders.h"
#include "ctl/ctl_hint.h"
#include "ctl/ctl_rows.h"
#include "ctl/ctl_socket.h"
#include "ctl/ctl_vmm.h"

#define SILENT	40

static char run[64];		/* in place of /run */
static struct ctl_folders folders;
static struct ctl_rows rows;

static int begin(void **state)
{
	strcpy(run, "/tmp/regpin-list-XXXXXX");
	if (!mkdtemp(run))
		return -1;
	folders = (struct ctl_folders){ .nr = 0 };
	rows = (struct ctl_rows){ .nr = 0 };
	return 0;
}

static int end(void **state)
{
	char command[128];

	ctl_rows_free(&rows);
	ctl_folders_close(&folders);
	snprintf(command, sizeof(command), "rm -rf '%s'", run);
	return system(command);
}

/* The path of @name in @run. */
static const char *in_run(const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned int n;
	char *to = path[n++ % 4];

	snprintf(to, PATH_MAX, "%s/%s", run, name);
	return to;
}

static void make(const char *name)
{
	assert_int_equal(mkdir(in_run(name), 0700), 0);
}

static void listen_as(struct ctl_socket *sock, const char *folder, const char *name)
{
	char error[PATH_MAX];

	assert_int_equal(ctl_listen(sock, in_run(folder), name, error, sizeof(error)), 0);
}

/* An agent that was killed: its socket stays. */
static void leave(struct ctl_socket *sock)
{
	close(sock->fd);
	close(sock->dir);
}

/* A process that has ended. */
static pid_t ended(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return pid;
}

static bool exists(const char *name)
{
	struct stat st;

	return lstat(in_run(name), &st) == 0;
}

static void fill(int ms)
{
	ctl_rows_free(&rows);
	assert_int_equal(ctl_rows_fill(&rows, &folders, ms), 0);
}

static const struct ctl_row *row_of(const char *name)
{
	for (size_t i = 0; i < rows.nr; i++)
		if (strcmp(rows.rows[i].asked->name, name) == 0)
			return &rows.rows[i];
	return NULL;
}

static void finds_folders(void **state)
{
	make("regpin");
	make("regpin/libvirt-qemu");
	make("user");
	make("user/1000");
	make("user/1000/regpin");
	make("user/1001");
	make("elsewhere");
	/* Each of these leads to a folder of another user. */
	assert_int_equal(symlink(in_run("elsewhere"), in_run("regpin/link")), 0);
	assert_int_equal(symlink(in_run("elsewhere"), in_run("user/1001/regpin")), 0);
	assert_int_equal(symlink(in_run("user/1000"), in_run("user/1002")), 0);
	assert_int_equal(mkfifo(in_run("regpin/fifo"), 0600), 0);
	ctl_folders_add_all(&folders, run);
	assert_int_equal(folders.nr, 3);
	assert_string_equal(folders.list[0].path, in_run("regpin"));
	assert_string_equal(folders.list[1].path, in_run("regpin/libvirt-qemu"));
	assert_string_equal(folders.list[2].path, in_run("user/1000/regpin"));
	/* A folder is listed once, by whatever name. */
	assert_int_equal(symlink(in_run("regpin"), in_run("again")), 0);
	assert_int_equal(ctl_folders_add(&folders, in_run("again")), -EEXIST);
	assert_int_equal(ctl_folders_add(&folders, in_run("nothing")), -ENOENT);
	ctl_folders_add_all(&folders, run);
	assert_int_equal(folders.nr, 3);
}

static void no_folders(void **state)
{
	ctl_folders_add_all(&folders, run);
	assert_int_equal(folders.nr, 0);
	fill(100);
	assert_int_equal(rows.nr, 0);
}

/* Only the socket of a dead agent whose VMM has ended is removed. */
static void sweeps(void **state)
{
	static const struct {
		const char *name;
		char vmm;	/* 'e' ended, 'r' runs, 'b' both, 'o' other start, '-' no file */
		bool stays;
	} dead[] = {
		{ "gone", 'e', false }, { "runs", 'r', true }, { "both", 'b', true },
		{ "reused", 'o', false }, { "unknown", '-', true }, { "9999999", '-', false },
	};
	struct ctl_socket sock, alive;
	pid_t gone = ended();
	char file[64], buf[512];

	make("regpin");
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		pid_t pids[] = { gone, getpid() };

		listen_as(&sock, "regpin", dead[i].name);
		if (dead[i].vmm == 'e')
			ctl_vmm_write(sock.dir, dead[i].name, pids, 1);
		if (dead[i].vmm == 'r')
			ctl_vmm_write(sock.dir, dead[i].name, pids + 1, 1);
		if (dead[i].vmm == 'b')
			ctl_vmm_write(sock.dir, dead[i].name, pids, 2);
		if (dead[i].vmm == 'o') {
			struct stat st;

			assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
			snprintf(buf, sizeof(buf), "%llu:%d-1", (unsigned long long)st.st_ino,
				 (int)getpid());
			assert_int_equal(symlink(buf, in_run("regpin/reused.vmm")), 0);
		}
		leave(&sock);
	}
	/* A stopped agent listens and does not answer. Its VMM may even be gone. */
	listen_as(&alive, "regpin", "stopped");
	ctl_vmm_write(alive.dir, "stopped", &gone, 1);
	ctl_folders_add_all(&folders, run);
	assert_true(folders.list[0].safe);
	fill(100);
	for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
		snprintf(file, sizeof(file), "regpin/%s.sock", dead[i].name);
		assert_int_equal(exists(file), dead[i].stays);
		assert_int_equal(!!row_of(dead[i].name), dead[i].stays);
	}
	assert_false(exists("regpin/gone.vmm"));
	assert_true(exists("regpin/stopped.sock"));
	assert_string_equal(ctl_row_state(row_of("stopped")), "silent");
	assert_int_equal(row_of("runs")->pid, getpid());
	assert_non_null(strstr(ctl_row_advice(row_of("runs"), "", buf, sizeof(buf)),
			       "the VM is pinned, but unobserved"));
	assert_non_null(strstr(ctl_row_advice(row_of("unknown"), "", buf, sizeof(buf)),
			       "it is not known whether the VMM runs"));
	ctl_unlisten(&alive);
	assert_false(exists("regpin/stopped.vmm"));
}

/* In a folder that others can write to, and in another user's, nothing is removed. */
static void leaves_other_folders_alone(void **state)
{
	struct ctl_socket sock;
	pid_t gone = ended();

	make("regpin");
	listen_as(&sock, "regpin", "vm");
	ctl_vmm_write(sock.dir, "vm", &gone, 1);
	leave(&sock);
	assert_int_equal(chmod(in_run("regpin"), 0777), 0);
	ctl_folders_add_all(&folders, run);
	assert_false(folders.list[0].safe);
	fill(100);
	assert_true(exists("regpin/vm.sock"));
	assert_non_null(row_of("vm"));
	ctl_folders_close(&folders);
	assert_int_equal(chmod(in_run("regpin"), 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(in_run("regpin"), 65534, 65534), 0);
		ctl_folders_add_all(&folders, run);
		assert_false(folders.list[0].safe);
		assert_int_equal(folders.list[0].owner, 65534);
		fill(100);
		assert_true(exists("regpin/vm.sock"));
	}
}

/* Files that are no sockets, and links to sockets elsewhere, are never removed. */
static void no_sockets(void **state)
{
	struct ctl_socket sock;
	int fd;

	make("regpin");
	make("elsewhere");
	listen_as(&sock, "elsewhere", "1");
	leave(&sock);
	fd = open(in_run("regpin/9999999.sock"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlink(in_run("elsewhere/1.sock"), in_run("regpin/9999998.sock")), 0);
	assert_int_equal(mkfifo(in_run("regpin/9999997.sock"), 0600), 0);
	ctl_folders_add_all(&folders, run);
	fill(100);
	assert_true(exists("regpin/9999999.sock"));
	assert_true(exists("regpin/9999998.sock"));
	assert_true(exists("regpin/9999997.sock"));
	assert_true(exists("elsewhere/1.sock"));
}

/* A link that was not written by an agent says nothing about the VMM. */
static void strange_links(void **state)
{
	static const char *const targets[] = {
		"1:4711-5", ":", "0:", "0:0-0", "/etc/passwd", "99999999999999999999:1-1",
		"1:-1-5", "1:,,,", "a:b-c",
	};
	pid_t pid;
	int dir;

	make("regpin");
	dir = open(in_run("regpin"), O_RDONLY | O_DIRECTORY);
	assert_true(dir >= 0);
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		unlinkat(dir, "vm.vmm", 0);
		assert_int_equal(symlinkat(targets[i], dir, "vm.vmm"), 0);
		assert_int_equal(ctl_vmm_read(dir, "vm", &pid), CTL_VMM_UNKNOWN);
		assert_int_equal(pid, 0);
	}
	close(dir);
}

/* An id of another PID namespace is not looked for in this one. */
static void other_namespace(void **state)
{
	struct ctl_socket sock;
	char name[24], link[40], target[40];
	int pid = (int)ended();

	make("regpin");
	snprintf(name, sizeof(name), "%d", pid);
	listen_as(&sock, "regpin", name);
	snprintf(link, sizeof(link), "%s.vmm", name);
	snprintf(target, sizeof(target), "1:%d-5", pid);
	assert_int_equal(symlinkat(target, sock.dir, link), 0);
	leave(&sock);
	ctl_folders_add_all(&folders, run);
	fill(500);
	assert_int_equal(rows.nr, 1);
	assert_string_equal(ctl_row_state(&rows.rows[0]), "dead");
}

/* Another user could lead root's connection to any program's socket. */
static void follows_no_link(void **state)
{
	struct ctl_socket other;

	make("regpin");
	make("other");
	listen_as(&other, "other", "vm");
	assert_int_equal(symlink("../other/vm.sock", in_run("regpin/vm.sock")), 0);
	ctl_folders_add_all(&folders, run);
	fill(200);
	assert_int_equal(rows.nr, 1);
	assert_string_equal(ctl_row_state(&rows.rows[0]), "unknown");
	assert_int_equal(accept(other.fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ctl_connect(in_run("regpin"), "vm"), -ENOTSOCK);
	ctl_unlisten(&other);
}

/* Many agents that do not answer take the time of one. */
static void all_at_once(void **state)
{
	static struct ctl_socket socks[SILENT];
	char name[16];

	make("regpin");
	for (int i = 0; i < SILENT; i++) {
		snprintf(name, sizeof(name), "vm%d", i);
		listen_as(&socks[i], "regpin", name);
	}
	ctl_folders_add_all(&folders, run);
	/* One after the other would take 40 s. */
	alarm(20);
	fill(1000);
	alarm(0);
	assert_int_equal(rows.nr, SILENT);
	for (int i = 0; i < SILENT; i++) {
		assert_string_equal(ctl_row_state(&rows.rows[i]), "silent");
		ctl_unlisten(&socks[i]);
	}
}

/* Lets this process open @more files than it has. Returns the limit before. */
static rlim_t limit_files(int more)
{
	struct rlimit limit;
	int fds[8], nr = 0;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	do
		fds[nr] = open("/", O_RDONLY);
	while (nr++ < more);
	limit.rlim_cur = (rlim_t)fds[more];
	while (nr--)
		close(fds[nr]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

static void unlimit_files(rlim_t before)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = before;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Without files a folder is not taken for an empty one, and no agent for a broken one. */
static void too_few_files(void **state)
{
	struct ctl_socket socks[3];
	const char *names[] = { "a", "b", "c" };
	char buf[512];
	rlim_t before;
	int unasked = 0;

	make("regpin");
	make("user");
	make("user/1000");
	make("user/1000/regpin");
	for (int i = 0; i < 3; i++)
		listen_as(&socks[i], "regpin", names[i]);
	for (int more = 0; more < 3; more++) {
		before = limit_files(more);
		assert_int_equal(ctl_folders_add_all(&folders, run), -EMFILE);
		unlimit_files(before);
		ctl_folders_close(&folders);
	}
	assert_int_equal(ctl_folders_add_all(&folders, run), 0);
	assert_int_equal(folders.nr, 2);
	before = limit_files(0);
	assert_int_equal(ctl_rows_fill(&rows, &folders, 100), -EMFILE);
	unlimit_files(before);
	/* Each connection takes another file for a moment, so the third one fails. */
	before = limit_files(3);
	fill(200);
	unlimit_files(before);
	assert_int_equal(rows.nr, 3);
	for (int i = 0; i < 3; i++) {
		const struct ctl_row *row = row_of(names[i]);

		if (row->asked->state == CTL_SILENT)
			continue;
		unasked++;
		assert_string_equal(ctl_row_state(row), "unknown");
		assert_string_equal(ctl_row_advice(row, "", buf, sizeof(buf)),
				    "the agent was not asked: this process can't open more files: raise its limit ('ulimit -n')");
	}
	assert_int_equal(unasked, 1);
	for (int i = 0; i < 3; i++)
		ctl_unlisten(&socks[i]);
}

/* A command that a message proposes is one that a shell reads as it is meant. */
static void hints(void **state)
{
	static const char *const cases[][2] = {
		{ NULL, "" }, { "ctl", " --ctl ctl" }, { "/run/a-b_c.1", " --ctl /run/a-b_c.1" },
		{ "/a b", " --ctl \"/a b\"" }, { "/a;b", " --ctl \"/a;b\"" }, { "~x", " --ctl \"~x\"" },
		{ "", " --ctl DIR" }, { "/a'b", " --ctl DIR" }, { "/a\"b", " --ctl DIR" },
		{ "/$a", " --ctl DIR" }, { "/`a`", " --ctl DIR" }, { "/a\nb", " --ctl DIR" },
		{ "/a\033b", " --ctl DIR" }, { "a\\b", " --ctl DIR" }, { "a!b", " --ctl DIR" },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(ctl_hint(cases[i][0]).text, cases[i][1]);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	assert_string_equal(ctl_hint(path).text, " --ctl DIR");
}

/* An agent of another user may answer anything. */
static void hostile_answers(void **state)
{
	static const struct {
		const char *text, *state, *policy;
	} answers[] = {
		{ "regpin-ctl 1 vm\ndata mode=enforce vcpus_armed=1 policy_file=a b.yaml\nok\n", "alive", "a b.yaml" },
		{ "regpin-ctl 1 vm\ndata mode=\033[2J policy_file=\033]0;x\007\nok\n", "alive", "?]0;x?" },
		{ "regpin-ctl 1 vm\nerror syntax no\n", "alive", "-" },
		{ "error denied no\n", "denied", "-" },
		{ "error busy no\n", "silent", "-" },
		{ "regpin-ctl 2 vm\n", "unknown", "-" },
		{ "regpin-ctl 1 vm\ndata mode=enforce", "silent", "-" },
		{ "\n\n\n\nok\n", "alive", "-" },
	};
	static char flood[65536];
	char buf[512];

	make("regpin");
	ctl_folders_add_all(&folders, run);
	memset(flood, 'a', sizeof(flood));
	for (size_t i = 0; i <= sizeof(answers) / sizeof(answers[0]); i++) {
		bool last = i == sizeof(answers) / sizeof(answers[0]);
		const char *text = last ? flood : answers[i].text;
		size_t len = last ? sizeof(flood) : strlen(text);
		struct ctl_socket sock;
		pid_t pid;

		listen_as(&sock, "regpin", "vm");
		pid = fork();
		if (!pid) {
			int fd;

			fcntl(sock.fd, F_SETFL, 0);
			fd = accept(sock.fd, NULL, NULL);
			_exit(send(fd, text, len, MSG_NOSIGNAL) < 0 || pause());
		}
		fill(500);
		assert_int_equal(rows.nr, 1);
		assert_string_equal(ctl_row_state(&rows.rows[0]), last ? "unknown" : answers[i].state);
		assert_string_equal(ctl_row_value(&rows.rows[0], "policy_file", buf, sizeof(buf)),
				    last ? "-" : answers[i].policy);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ctl_unlisten(&sock);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_folders), TEST(no_folders), TEST(sweeps),
		TEST(leaves_other_folders_alone), TEST(no_sockets), TEST(strange_links),
		TEST(other_namespace), TEST(follows_no_link), TEST(all_at_once),
		TEST(hostile_answers), TEST(too_few_files), TEST(hints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
