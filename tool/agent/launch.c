// SPDX-License-Identifier: GPL-2.0-only
/*
 * Becoming the VMM. Its process id, signals and files are those that the caller of
 * `regpin run` gave, and the caller gets its exit status. regpin adds a file by which the
 * agent's socket is found, the lifeline, and two environment variables. None of these gives
 * a right to anything: see give.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/exit_codes.h"
#include "base/printable.h"
#include "give.h"
#include "launch.h"
#include "launch_messages.h"
#include "launch_notices.h"
#include "launch_state.h"
#include "lib/end.h"
#include "memory.h"

/* Files get numbers from here on, because wrapper scripts redirect small ones. */
#define HIGH_FD	500

/* How long `run` waits for the end of an agent for which there is no VMM. */
#define AGENT_END_MS	2000

static int fail(const char *what)
{
	fprintf(stderr, "regpin: can't start the VMM: %s: %s\n", what,
		strerror(errno));
	return EXIT_RUN;
}

/* The mapping of @control made here stays writable; F_SEAL_FUTURE_WRITE forbids others. */
static int make_shared(struct launch *launch)
{
	launch->control = memory_map("regpin-control", sizeof(*launch->control),
				      F_SEAL_FUTURE_WRITE, &launch->orders);
	launch->shared = memory_map("regpin-events", sizeof(*launch->shared),
				     0, &launch->memory);
	if (!launch->control || !launch->shared)
		return -1;
	ring_init(&launch->shared->ring);
	return 0;
}

int launch_fill_fds(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return fail("/dev/null");
	} while (fd < 3);
	close(fd);
	return 0;
}

static int make_control(struct launch *launch)
{
	char buf[PATH_MAX], name[CTL_NAME_MAX], error[PATH_MAX + 256];
	const char *dir = launch->ctl;

	launch->socket = (struct ctl_socket){ .fd = -1, .dir = -1 };
	launch_vm_name(launch, name);
	snprintf(launch->socket.name, sizeof(launch->socket.name), "%s", name);
	if (launch->no_ctl)
		return 0;
	if (!dir)
		dir = ctl_default_dir(buf);
	if (!dir)
		snprintf(error, sizeof(error), "XDG_RUNTIME_DIR is not set");
	else if (ctl_listen(&launch->socket, dir, name, error, sizeof(error)) == 0)
		return 0;
	fprintf(stderr, "regpin: the VMM was not started: the control socket can't be made: %s (--ctl DIR names another place, --no-ctl makes none)\n",
		error);
	return EXIT_RUN;
}

static int prepare(struct launch *launch)
{
	if (make_shared(launch) < 0)
		return fail("the memory for events can't be made");
	if (give_listen(&launch->give) < 0)
		return fail("the socket by which the VMM asks for its policy can't be made");
	launch->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (launch->wake < 0)
		return fail("eventfd");
	if (pipe2(launch->lifeline, O_CLOEXEC) < 0)
		return fail("pipe");
	return 0;
}

/*
 * The agent is a grandchild of the VMM, so that all children of the VMM are its own.
 * The child is made without SIGCHLD, which a VMM that blocks it would find pending.
 */
static int fork_agent(struct launch *launch, int ends[2])
{
	pid_t vmm = getpid();
	long child = syscall(SYS_clone, 0ul, NULL, NULL, NULL, 0ul);

	if (child == 0) {
		setsid();
		child = fork();
		if (child == 0)
			agent_main(launch, vmm, ends[1]);
		end_process(child < 0);
	}
	close(ends[1]);
	if (child < 0)
		return -1;
	waitpid((pid_t)child, NULL, __WALL);
	return 0;
}

static int start_agent(struct launch *launch)
{
	int ends[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail("socketpair");
	if (fork_agent(launch, ends) < 0)
		return fail("fork");
	if (recv(ends[0], &byte, 1, 0) == 1) {
		launch->agent = ends[0];
		return 0;
	}
	fprintf(stderr, "regpin: can't start the VMM: the agent, which watches it, did not start (out of memory or processes? is /proc mounted?)\n");
	return EXIT_RUN;
}

/* A copy that survives exec, at a high number if the limit of files allows that. */
static int keep(int fd)
{
	int high = fcntl(fd, F_DUPFD, HIGH_FD);

	return high >= 0 ? high : fcntl(fd, F_DUPFD, 3);
}

static int set_environment(const struct launch *launch)
{
	const struct give *give = &launch->give;
	const char *old = getenv("LD_PRELOAD");
	int file = give->file < 0 ? -1 : keep(give->file);
	char handoff[96], *preload = NULL;
	int err = -1;

	if ((give->file >= 0 && file < 0) || keep(launch->lifeline[1]) < 0)
		return -1;
	snprintf(handoff, sizeof(handoff), "%d,%u,%s", file,
		 (unsigned int)geteuid(), give->name);
	if (asprintf(&preload, "%s%s%s", launch->shim, old && *old ? ":" : "",
		     old ? old : "") >= 0)
		err = setenv("LD_PRELOAD", preload, 1) ||
		      setenv(HANDOFF_ENV, handoff, 1) ? -1 : 0;
	free(preload);
	return err;
}

static int cannot_exec(const struct launch *launch)
{
	int err = errno;

	fprintf(stderr, "regpin: can't run %s: %s\n", printable(launch->vmm),
		err == ENOENT ? "the program or its loader does not exist" :
				strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC;
}

/* The agent's last lines come before the end of `run`. */
static void end_agent(const struct launch *launch)
{
	struct pollfd pfd = { .fd = launch->agent, .events = POLLIN };

	send(launch->agent, "", 1, MSG_NOSIGNAL);
	poll(&pfd, 1, AGENT_END_MS);
}

int launch(struct launch *launch)
{
	int status = prepare(launch);

	if (!status)
		status = make_control(launch);
	if (status)
		return status;
	launch_print_notices(launch);
	status = start_agent(launch);
	if (status) {
		ctl_unlisten(&launch->socket);
		return status;
	}
	if (set_environment(launch) < 0) {
		status = fail("its environment or its files can't be set up");
	} else {
		execvp(launch->vmm, launch->argv);
		status = cannot_exec(launch);
	}
	end_agent(launch);
	return status;
}
