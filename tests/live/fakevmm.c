// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM for tests of `regpin run`: it carries out its arguments, one after the
 * other, and exits with 0.
 *
 *	vm		create a VM by libc's ioctl()
 *	rawvm		create a VM by raw system calls
 *	othervm		create one more VM, and use the last one
 *	badvm		try to create a VM by a file that is not KVM
 *	vcpu		create a vCPU in the last VM
 *	closevm		close the last VM's file; its vCPU keeps it alive
 *	thread		continue in another thread, and end the first one
 *	threads N	start N threads that sleep
 *	smm		add memory for SMM to the last VM
 *	run		let the vCPU execute the program of reads, writes and HLT
 *	flood N		as run, with N writes of EFER, which may violate a pin
 *	log		have KVM log the memory, as for a migration
 *	peek		read the vCPU's registers, and its TSC
 *	save FILE	the same, into FILE
 *	load FILE	load these into the vCPU, and set LSTAR, as after a migration
 *	sleep MS	sleep
 *	exit N		exit with N
 *	kill N		send itself signal N
 *	pid		print its process id
 *	fork		the parent waits for the child and exits with its status
 *	twin		the same, and the child is process 1 of its own namespace
 *	daemonize	the parent exits with 0
 *	closeall	close all files but its VM's, as daemons do
 *	scribble N	as if compromised: write random bytes into the shared memory, N times
 *	command		as if compromised: try to write what only the agent may write
 *	touch FILE	make FILE
 *	await FILE	wait until FILE exists
 *	chroot DIR	as QEMU's -chroot; there is no /proc in DIR
 *	sigs		print the blocked, ignored and pending signals
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int kvm = -1, vm = -1, vcpu = -1;
static struct kvm_run *run;

static void open_kvm(void)
{
	if (kvm < 0)
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		err(70, "/dev/kvm");
}

static void create_vm(bool raw)
{
	open_kvm();
	vm = raw ? (int)syscall(SYS_ioctl, kvm, KVM_CREATE_VM, 0) :
		   ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		err(70, "KVM_CREATE_VM");
}

static void create_other(void)
{
	int last = vm;

	create_vm(false);
	vm = last;
}

static void create_bad(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		err(70, "/dev/null");
	if (ioctl(null, KVM_CREATE_VM, 0) >= 0)
		errx(70, "/dev/null makes VMs");
	close(null);
}

static void create_vcpu(void)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		err(70, "KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu,
		   0);
	if (run == MAP_FAILED)
		err(70, "mmap");
}

static void add_smram(void)
{
	struct kvm_userspace_memory_region slot = {
		.slot = 1u << 16, .guest_phys_addr = 0x30000,
		.memory_size = 0x1000,
	};

	slot.userspace_addr = (uintptr_t)mmap(NULL, 0x1000,
					      PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		warn("SMRAM");
}

/* Real mode: all writes of WRMSR, then HLT; at 0x1000, one page. */
static void put_program(uint8_t *at, uint32_t count)
{
	/*
	 * mov $count, %esi; mov $0xc0000080, %ecx; xor %edx, %edx
	 * 1: mov $1, %eax; wrmsr (SCE on); xor %eax, %eax; wrmsr (SCE off)
	 * dec %esi; jnz 1b; hlt
	 */
	static const uint8_t code[] = {
		0x66, 0xbe, 0, 0, 0, 0, 0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,
		0x66, 0x31, 0xd2,
		0x66, 0xb8, 1, 0, 0, 0, 0x0f, 0x30, 0x66, 0x31, 0xc0,
		0x0f, 0x30, 0x66, 0x4e, 0x75, 0xef, 0xf4,
	};

	memcpy(at, code, sizeof(code));
	memcpy(at + 2, &count, sizeof(count));
}

static uint8_t *add_memory(uint32_t flags)
{
	struct kvm_userspace_memory_region slot = {
		.guest_phys_addr = 0x1000, .memory_size = 0x1000,
		.flags = flags,
	};
	static uint8_t *page;

	/* A slot's memory cannot be replaced. */
	if (!page)
		page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	slot.userspace_addr = (uintptr_t)page;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
		err(70, "slot");
	return page;
}

/* The state that goes from one VMM to the other. */
struct saved {
	struct kvm_regs regs;
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry tsc, lstar;
	} msrs;
};

static void save(const char *name)
{
	struct saved saved = { .msrs.header.nmsrs = 1, .msrs.tsc.index = 0x10 };
	FILE *file = fopen(name, "we");

	if (!file || ioctl(vcpu, KVM_GET_REGS, &saved.regs) < 0 ||
	    ioctl(vcpu, KVM_GET_MSRS, &saved.msrs) != 1 ||
	    fwrite(&saved, sizeof(saved), 1, file) != 1 || fclose(file))
		err(70, "save");
}

/* A set LSTAR shows that a kernel runs. */
static void load(const char *name)
{
	struct saved saved;
	FILE *file = fopen(name, "re");

	if (!file || fread(&saved, sizeof(saved), 1, file) != 1)
		err(70, "load");
	fclose(file);
	saved.msrs.header.nmsrs = 2;
	saved.msrs.lstar = (struct kvm_msr_entry){ .index = 0xc0000082,
						   .data = 0x1000 };
	if (ioctl(vcpu, KVM_SET_REGS, &saved.regs) < 0 ||
	    ioctl(vcpu, KVM_SET_MSRS, &saved.msrs) != 2)
		err(70, "load");
}

static void run_program(uint32_t count)
{
	struct kvm_regs regs = { .rip = 0x1000, .rflags = 2 };
	struct kvm_sregs sregs;
	int ret;

	put_program(add_memory(0), count);
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		err(70, "sregs");
	sregs.cs.base = sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0 ||
	    ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
		err(70, "registers");
	do {
		ret = ioctl(vcpu, KVM_RUN, 0);
		if (ret < 0 && errno != EINTR)
			err(70, "KVM_RUN");
	} while (ret < 0 || run->exit_reason == KVM_EXIT_INTR);
	printf("exit %u\n", run->exit_reason);
	fflush(stdout);
}

static void fork_and(bool wait_for_it)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		err(70, "fork");
	if (child == 0) {
		if (!wait_for_it)
			setsid();
		return;
	}
	if (!wait_for_it)
		_exit(0);
	waitpid(child, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) :
				  128 + WTERMSIG(status));
}

static void fork_twin(void)
{
	if (unshare(CLONE_NEWPID))
		err(70, "unshare");
	fork_and(true);
}

static void print_signals(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Sig", 3) == 0 && line[3] != 'Q')
			fputs(line, stdout);
}

/* The number of POSIX timers of this process. */
static void print_timers(void)
{
	FILE *file = fopen("/proc/self/timers", "re");
	char line[256];
	int n = 0;

	while (file && fgets(line, sizeof(line), file))
		n += strncmp(line, "ID:", 3) == 0;
	printf("timers %d\n", n);
	if (file)
		fclose(file);
}

static void close_all(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fd != kvm && fd != vm && fd != vcpu)
			close(fd);
}

/* Finds the memory that is shared with the agent, as a compromised VMM could. */
static uint64_t *find_memory(const char *name, size_t *nr)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from = 0, to = 0;
	char line[512];

	while (maps && !from && fgets(line, sizeof(line), maps))
		if (strstr(line, name) &&
		    sscanf(line, "%lx-%lx", &from, &to) != 2)
			from = 0;
	if (!from)
		errx(70, "there is no shared memory");
	fclose(maps);
	*nr = (to - from) / sizeof(uint64_t);
	return (uint64_t *)from;
}

/* Writes random bytes, except for the words by which slots of the ring count as filled. */
static void scribble(unsigned long rounds)
{
	size_t nr;
	uint64_t *words = find_memory("regpin-events", &nr);

	while (rounds--) {
		/*
		 * A slot is 16 words, the first of which is its turn. The number of VMs
		 * is left alone, as one VM too many would end the VMM.
		 */
		for (size_t i = 1; i < nr; i++)
			words[i] = i >= 64 && i % 16 == 0 ?
				(i - 64) / 16 + 1 :
				(uint64_t)random() << (random() % 64);
		words[16] = words[32] = (uint64_t)random() % 3;
		/* The agent's futex is the fourth number. */
		syscall(SYS_futex, (uint32_t *)words + 3, 1, 1 << 30, NULL,
			NULL, 0);
	}
}

static void write_commands(void)
{
	size_t nr;
	uint64_t *words = find_memory("regpin-control", &nr), was = words[1];
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint64_t bad = was + 1;

	printf("mprotect: %s\n", mprotect(words, nr * 8, PROT_READ | PROT_WRITE) ?
					 strerror(errno) : "WRITABLE");
	if (mem < 0)
		err(70, "/proc/self/mem");
	if (pwrite(mem, &bad, sizeof(bad), (off_t)(uintptr_t)&words[1]) > 0 &&
	    ((volatile uint64_t *)words)[1] != was)
		puts("WRITTEN by /proc/self/mem");
	close(mem);
}

static void *sleep_on(void *unused)
{
	for (;;)
		pause();
}

static void start_threads(unsigned long n)
{
	pthread_t thread;

	while (n--)
		if (pthread_create(&thread, NULL, sleep_on, NULL))
			errx(70, "pthread_create");
}

static unsigned long number(char **word)
{
	if (!word[1])
		errx(70, "%s takes a number", word[0]);
	return strtoul(word[1], NULL, 10);
}

static int with_number(char **word)
{
	unsigned long n = number(word);

	if (!strcmp(*word, "sleep"))
		usleep((useconds_t)n * 1000);
	else if (!strcmp(*word, "exit"))
		exit((int)n);
	else if (!strcmp(*word, "kill"))
		kill(getpid(), (int)n);
	else if (!strcmp(*word, "flood"))
		run_program((uint32_t)n);
	else if (!strcmp(*word, "save"))
		save(word[1]);
	else if (!strcmp(*word, "load"))
		load(word[1]);
	else if (!strcmp(*word, "threads"))
		start_threads(n);
	else if (!strcmp(*word, "scribble"))
		scribble(n);
	else if (!strcmp(*word, "touch"))
		close(open(word[1], O_CREAT | O_WRONLY, 0600));
	else if (!strcmp(*word, "await"))
		while (access(word[1], F_OK) < 0)
			usleep(20000);
	else if (!strcmp(*word, "chroot") && (chroot(word[1]) || chdir("/")))
		err(70, "chroot");
	else if (!strcmp(*word, "chroot"))
		return 2;
	else
		errx(70, "what is %s?", *word);
	return 2;
}

static int step(char **word);

static void *all_steps(void *words)
{
	for (char **word = words; *word;)
		word += step(word);
	exit(0);
}

static void go_on_in_thread(char **words)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, all_steps, words))
		errx(70, "pthread_create");
	pthread_exit(NULL);
}

static int step(char **word)
{
	if (!strcmp(*word, "vm") || !strcmp(*word, "rawvm"))
		create_vm(**word == 'r');
	else if (!strcmp(*word, "othervm"))
		create_other();
	else if (!strcmp(*word, "badvm"))
		create_bad();
	else if (!strcmp(*word, "closeall"))
		close_all();
	else if (!strcmp(*word, "vcpu"))
		create_vcpu();
	else if (!strcmp(*word, "closevm"))
		close(vm);
	else if (!strcmp(*word, "thread"))
		go_on_in_thread(word + 1);
	else if (!strcmp(*word, "smm"))
		add_smram();
	else if (!strcmp(*word, "run"))
		run_program(1);
	else if (!strcmp(*word, "log"))
		add_memory(KVM_MEM_LOG_DIRTY_PAGES);
	else if (!strcmp(*word, "peek"))
		save("/dev/null");
	else if (!strcmp(*word, "command"))
		write_commands();
	else if (!strcmp(*word, "pid"))
		printf("pid %d\n", (int)getpid());
	else if (!strcmp(*word, "fork") || !strcmp(*word, "daemonize"))
		fork_and(**word == 'f');
	else if (!strcmp(*word, "twin"))
		fork_twin();
	else if (!strcmp(*word, "sigs"))
		print_signals();
	else if (!strcmp(*word, "timers"))
		print_timers();
	else
		return with_number(word);
	fflush(stdout);
	return 1;
}

int main(int argc, char **argv)
{
	all_steps(argv + 1);
}
