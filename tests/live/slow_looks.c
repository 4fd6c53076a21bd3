// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into `regpin run` and its VMM. The VMM is slow to take what the agent
 * gives, and the agent is slow to check whether the VMM lives, so everything that the
 * VMM does happens between the agent's last look at its VMs and that check.
 */
#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_uint looks = 100;

static int is_agent(void)
{
	char name[16] = "";

	prctl(PR_GET_NAME, name);
	return !strcmp(name, "regpin-agent");
}

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t n = real(fd, header, flags);

	if (!is_agent())
		usleep(200000);
	return n;
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");

	atomic_store(&looks, 0);
	return real(fd, header, flags);
}

/*
 * The first call is about the process that was given the policy, the second one about
 * all.
 */
int poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

	if (timeout == 0 && is_agent() && atomic_fetch_add(&looks, 1) == 1)
		usleep(800000);
	return real(fds, nr, timeout);
}
