// SPDX-License-Identifier: GPL-2.0-only
/*
 * Normal work of user programs that makes the kernel write control registers, or
 * registers near them. Each prints "NAME ok" and what it did, or "NAME failed".
 *
 *   busy tsd SECONDS     processes with and without PR_TSC_SIGSEGV take turns: CR4.TSD
 *   busy perf SECONDS    samples every CPU, with callchains, and counts all events
 *                        that this machine's PMU has: CR4.PCE for a mapped counter
 *   busy block SECONDS   a debugger runs a process from branch to branch: DEBUGCTL
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CPUS	64
#define DATA_PAGES	8

static double now(void)
{
	struct timespec t;

	/* By a system call, because the vDSO would read the TSC. */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static volatile sig_atomic_t refused;

static void on_segv(int sig)
{
	(void)sig;
	refused = 1;
	prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
}

/* RDTSC is only refused to the child, so each yield switches CR4.TSD. */
static int without_tsc(double end)
{
	unsigned int lo, hi;

	signal(SIGSEGV, on_segv);
	while (now() < end) {
		refused = 0;
		if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0))
			return 1;
		for (int i = 0; i < 20; i++)
			sched_yield();
		__asm__ volatile("rdtsc" : "=a" (lo), "=d" (hi));
		if (!refused)
			return 2;
	}
	return 0;
}

static int tsd(double seconds)
{
	double end = now() + seconds;
	unsigned long turns = 0;
	int status = 1;
	cpu_set_t cpu;
	pid_t pid;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	pid = fork();
	if (pid < 0)
		return 1;
	if (!pid)
		_exit(without_tsc(end));
	for (; now() < end; turns++)
		sched_yield();
	if (waitpid(pid, &status, 0) != pid || status) {
		printf("tsd failed: status %#x\n", status);
		return 1;
	}
	printf("tsd ok: %lu turns\n", turns);
	return 0;
}

static int event_open(struct perf_event_attr *attr, pid_t pid, int cpu)
{
	attr->size = sizeof(*attr);
	return (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

/* Opens the samples of one CPU, in a ring like that of perf record. */
static struct perf_event_mmap_page *sample_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = 1000000,	/* ns */
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			       PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN,
	};
	int fd = event_open(&attr, -1, cpu);
	void *ring;

	if (fd < 0)
		return NULL;
	ring = mmap(NULL, (1 + DATA_PAGES) * 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	return ring == MAP_FAILED ? NULL : ring;
}

/* Opens and maps a counter, so that user mode may read it. 1 if this machine has it. */
static int count_hardware(uint64_t config)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.config = config,
	};
	int fd = event_open(&attr, 0, -1);

	return fd >= 0 && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) !=
			  MAP_FAILED;
}

static int perf(double seconds)
{
	struct perf_event_mmap_page *rings[MAX_CPUS];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned long counters = 0, bytes = 0;
	double end = now() + seconds;

	for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		rings[cpu] = sample_cpu(cpu);
		if (!rings[cpu]) {
			printf("perf failed: cpu %d: %s\n", cpu, strerror(errno));
			return 1;
		}
	}
	for (uint64_t config = 0; config < PERF_COUNT_HW_MAX; config++)
		counters += (unsigned long)count_hardware(config);
	while (now() < end)
		for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
			uint64_t head = __atomic_load_n(&rings[cpu]->data_head,
							__ATOMIC_ACQUIRE);

			bytes += head - rings[cpu]->data_tail;
			__atomic_store_n(&rings[cpu]->data_tail, head,
					 __ATOMIC_RELEASE);
		}
	if (!bytes) {
		printf("perf failed: no samples\n");
		return 1;
	}
	printf("perf ok: %lu bytes of samples, %lu counters\n", bytes, counters);
	return 0;
}

/* Steps by branches, with DEBUGCTL.BTF and RFLAGS.TF. Any user may do that. */
static int block(double seconds)
{
	double end = now() + seconds;
	unsigned long steps = 0;
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return 1;
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		for (;;)
			sched_yield();
	}
	waitpid(pid, &status, 0);
	for (; WIFSTOPPED(status) && now() < end; steps++) {
		if (ptrace(PTRACE_SINGLEBLOCK, pid, NULL, NULL))
			break;
		waitpid(pid, &status, 0);
	}
	kill(pid, SIGKILL);
	if (!steps || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP) {
		printf("block failed: %lu steps, status %#x\n", steps, status);
		return 1;
	}
	printf("block ok: %lu steps\n", steps);
	return 0;
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0;

	if (seconds > 0 && !strcmp(argv[1], "tsd"))
		return tsd(seconds);
	if (seconds > 0 && !strcmp(argv[1], "perf"))
		return perf(seconds);
	if (seconds > 0 && !strcmp(argv[1], "block"))
		return block(seconds);
	fprintf(stderr, "usage: busy tsd|perf|block SECONDS\n");
	return 2;
}
