// SPDX-License-Identifier: GPL-2.0-only
/*
 * The userspace part of the attacks. It runs the attacks one after another through
 * /proc/attack, gives the module the memory that the kernel should neither call nor read,
 * and checks the effects that only a user program can see. For each attack it prints
 * "TRY NAME", in case the guest does not survive it, and then the module's line.
 * usage: attacker [--cpu1] NAME ...; by default on CPU 0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack/tools.h"

typedef int commit_fn(void *cred);
typedef void *prepare_fn(void *task);

static const unsigned long secret = SECRET;
static int module;

unsigned long read_cr4(void);
__asm__(".text; read_cr4: mov %cr4, %rax; ret");

/* Called by the kernel, in ring 0, on its stack. */
static void payload(commit_fn *commit, prepare_fn *prepare, void *init_task)
{
	commit(prepare(init_task));
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

static void on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
}

static void tell_module(const char *name)
{
	static const struct tools tools = {
		.secret = (unsigned long)&secret,
		.read_cr4 = (unsigned long)read_cr4,
		.payload = (unsigned long)payload,
	};
	char text[64];
	int len = snprintf(text, sizeof(text), "%s %lx", name,
			   (unsigned long)&tools);

	if (write(module, text, (size_t)len) != len)
		die(name);
}

/* With UMIP set, Linux emulates the instruction with a dummy value. */
static int real_idt(void)
{
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idt = { 0 };

	__asm__ volatile("sidt %0" : "=m"(idt));
	return idt.limit != 0;
}

static int hooked(long number)
{
	return syscall(number, 0) == HOOKED;
}

/* Does a process that starts as an unprivileged user belong to root afterwards? */
static int become_root(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (setresuid(1000, 1000, 1000) || geteuid() != 1000)
			_exit(2);
		/* Touch them again: fork() unmaps pages, and ring 0 can't fault them in. */
		if (mlockall(MCL_CURRENT))
			_exit(2);
		tell_module("ret2usr");
		_exit(geteuid() == 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("fork");
	return WEXITSTATUS(status) == 1;
}

static void attack(const char *name)
{
	char text[240];
	int mark = -1;
	ssize_t len;

	printf("TRY %s\n", name);
	if (!strcmp(name, "ret2usr"))
		mark = become_root();
	else
		tell_module(name);
	if (!strncmp(name, "cr4.umip", 8))
		mark = real_idt();
	else if (!strcmp(name, "syscall.hook"))
		mark = hooked(SYS_getsid);
	else if (!strcmp(name, "lstar.hook"))
		mark = hooked(HOOK_NUMBER);
	len = pread(module, text, sizeof(text) - 1, 0);
	if (len <= 0)
		die("/proc/attack");
	text[len] = 0;
	/* The module leaves the end of its line to this program. */
	if (mark >= 0 && !strchr(text, '\n')) {
		tell_module("undo");
		printf("ATTACK %s mark=%d\n", text, mark);
	} else if (mark >= 0 && (strstr(text, " mark=1") != NULL) != mark) {
		printf("ATTACK %s disagrees: %s", name, text);
	} else {
		printf("ATTACK %s", text);
	}
}

int main(int argc, char **argv)
{
	int cpu = 0, first = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	module = open("/proc/attack", O_RDWR);
	if (module < 0)
		die("/proc/attack");
	/* Map the pages now: the kernel can't fault in what it must not touch. */
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	if (argc > 1 && !strcmp(argv[1], "--cpu1"))
		cpu = first++;
	for (int i = first; i < argc; i++) {
		/* The firmware has moved the SMBASE of the boot CPU. */
		on_cpu(strcmp(argv[i], "smm") ? cpu : 1);
		attack(argv[i]);
	}
	return 0;
}
