// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM with one vCPU that puts its guest under a policy:
 *
 *	regpin compile -o tiny.blob tiny.yaml
 *	tiny-vmm tiny.blob
 *
 * It needs only the public header and libregpin.so, and shows all that a VMM has to do;
 * docs/integrating.md explains it. Its guest is in tiny-guest.c. It reads the operator's
 * commands from stdin, one per line: see COMMANDS.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <regpin/regpin.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tiny-guest.h"

#define MAX_CPUID	256
#define COMMANDS	"allow, gp, stop, arm, disarm, window, policy BLOB, quit"

static struct {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	atomic_int tid;
	timer_t timer;
	unsigned int timer_ms;
	atomic_bool quit;
	size_t step;
	/* Indexed by the policy's number modulo 2: at most two policies are in use. */
	struct regpin_policy *policies[2];
	uint32_t policy;
	struct regpin_vm *regpin_vm;
	struct regpin_vcpu *regpin_vcpu;
} vmm;

static const char *const answers[REGPIN_ACTION_MAX] = {
	[REGPIN_ALLOW] = "allow", [REGPIN_GP] = "gp", [REGPIN_STOP] = "stop",
};

/* Prints the register and the rule of an event. */
static void print_access(const struct regpin_event *event)
{
	const char *file, *rule;
	uint32_t line;

	file = regpin_policy_where(vmm.policies[event->policy % 2], event->rule,
				   &line, &rule);
	printf("event: %s, rule %s at %s:%u: ",
	       regpin_register_name(event->kind, event->index), rule, file,
	       line);
	if (!(event->unread & REGPIN_UNREAD_OLD))
		printf("0x%" PRIx64 " -> ", (uint64_t)event->old_value);
	printf("0x%" PRIx64, (uint64_t)event->new_value);
	if (event->type == REGPIN_EVENT_DETECTED)
		printf(", found\n");
	else if (event->action == REGPIN_PAUSE)
		printf(", held\n");
	else if (event->unread & REGPIN_UNREAD_VALUE)
		printf("\n");
	else
		printf(", now 0x%" PRIx64 "\n", (uint64_t)event->value);
}

/*
 * Called by the library on any thread. The callback must not block: a larger VMM would
 * pass the event to another thread, and print it there.
 */
static void print_event(void *context, const struct regpin_event *event)
{
	(void)context;
	switch (event->type) {
	case REGPIN_EVENT_ATTACHED:
		printf("event: the policy is in place\n");
		break;
	case REGPIN_EVENT_POLICY:
		printf("event: another policy is in place\n");
		break;
	case REGPIN_EVENT_ARMED:
		printf("event: vCPU %u is armed\n", event->vcpu);
		break;
	case REGPIN_EVENT_DISARMED:
		printf("event: vCPU %u is disarmed\n", event->vcpu);
		break;
	case REGPIN_EVENT_ANSWERED:
		printf("event: vCPU %u goes on: %s\n", event->vcpu,
		       answers[event->action]);
		break;
	case REGPIN_EVENT_VIOLATION:
	case REGPIN_EVENT_DETECTED:
		print_access(event);
		break;
	case REGPIN_EVENT_REFUSED:
		errx(4, "refused: %s", regpin_refusal_text(event->detail));
	default:
		printf("event: type %u\n", event->type);
	}
}

static struct regpin_policy *load_policy(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = -errno;
	struct regpin_policy *policy = NULL;

	if (fd >= 0) {
		ret = regpin_policy_open(fd, &policy);
		close(fd);
	}
	if (ret)
		warnx("%s: cannot load it as a policy: %s", path,
		      strerror(-ret));
	return policy;
}

/* Called on any thread: makes the vCPU's thread leave KVM_RUN, or not enter it. */
static void kick(void *context, struct regpin_vcpu *vcpu)
{
	(void)context;
	(void)vcpu;	/* there is only one */
	if (vmm.tid)
		tgkill(getpid(), vmm.tid, SIGUSR1);
}

/* Called on the vCPU's thread. */
static void on_kick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (info->si_code == SI_TIMER)
		regpin_vcpu_tick(vmm.regpin_vcpu);
	vmm.run->immediate_exit = 1;
}

static void create_vm(void)
{
	struct regpin_vm_options options = { .size = sizeof(options),
					     .event = print_event,
					     .kick = kick };
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_MEMORY,
	};
	uint8_t *memory;
	int ret;

	vmm.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vmm.vm = ioctl(vmm.kvm, KVM_CREATE_VM, 0);
	if (vmm.vm < 0)
		err(77, "/dev/kvm");

	/* 1. The policy, before the first vCPU. */
	ret = regpin_vm_attach(vmm.policies[0], vmm.kvm, vmm.vm, &options,
			       &vmm.regpin_vm);
	if (ret)
		errx(ret == -EOPNOTSUPP ? 77 : 1, "regpin_vm_attach: %s",
		     strerror(-ret));

	memory = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	region.userspace_addr = (uintptr_t)memory;
	/* 2. Memory for SMM is refused, unless the policy accepts it. */
	if (regpin_vm_check_slot(vmm.regpin_vm, region.slot))
		exit(4);
	if (ioctl(vmm.vm, KVM_SET_USER_MEMORY_REGION, &region))
		err(1, "KVM_SET_USER_MEMORY_REGION");
	guest_write(memory);
}

/* Nested virtualisation bypasses the filter, so this VMM does not offer it. */
static void set_cpuid(void)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
				MAX_CPUID * sizeof(struct kvm_cpuid_entry2));

	if (!cpuid)
		err(1, "calloc");
	cpuid->nent = MAX_CPUID;
	if (ioctl(vmm.kvm, KVM_GET_SUPPORTED_CPUID, cpuid))
		err(1, "KVM_GET_SUPPORTED_CPUID");
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ecx &= ~(1u << 5);	/* VMX */
		if (e->function == 0x80000001)
			e->ecx &= ~(1u << 2);	/* SVM */
		if (e->function == 7 && e->index == 1)
			e->eax &= ~(1u << 17);	/* FRED */
	}
	if (ioctl(vmm.vcpu, KVM_SET_CPUID2, cpuid))
		err(1, "KVM_SET_CPUID2");
	/* 4. The accesses that the guest could make itself depend on its CPUID. */
	if (regpin_vcpu_set_cpuid(vmm.regpin_vcpu, cpuid))
		exit(4);
	free(cpuid);
}

static void create_vcpu(void)
{
	int size = ioctl(vmm.kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vmm.vcpu = ioctl(vmm.vm, KVM_CREATE_VCPU, 0);
	if (size <= 0 || vmm.vcpu < 0)
		err(1, "KVM_CREATE_VCPU");
	vmm.run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
		       vmm.vcpu, 0);
	if (vmm.run == MAP_FAILED)
		err(1, "mmap");
	/* 3. The vCPU. */
	if (regpin_vcpu_attach(vmm.regpin_vm, vmm.vcpu, 0, vmm.run,
			       &vmm.regpin_vcpu))
		err(1, "regpin_vcpu_attach");
	set_cpuid();
}

static void set_registers(void)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (ioctl(vmm.vcpu, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	guest_registers(&sregs, &regs);

	/* 5. Announce the VMM's own writes, so that a reset and a load are recognised. */
	regpin_vcpu_before_write(vmm.regpin_vcpu);
	if (ioctl(vmm.vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vmm.vcpu, KVM_SET_REGS, &regs))
		err(1, "KVM_SET_SREGS");
	regpin_vcpu_after_write(vmm.regpin_vcpu);
}

/* Prints the result that the guest writes to its port after each step: 1 for #GP. */
static void handle_exit(void)
{
	const uint8_t *data = (uint8_t *)vmm.run + vmm.run->io.data_offset;
	const char *step = guest_step(vmm.step++);

	if (vmm.run->exit_reason != KVM_EXIT_IO || !step)
		errx(1, "exit %u", vmm.run->exit_reason);
	printf("guest: %s: %s\n", step, *data ? "#GP" : "done");
}

static void make_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGUSR1 };

	event._sigev_un._tid = vmm.tid;
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &vmm.timer))
		err(1, "timer_create");
}

/* Sets the timer for polls, which some hosts need; an interval of 0 stops it. */
static void tick_every(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };
	const struct itimerspec every = { time, time };

	if (ms != vmm.timer_ms && timer_settime(vmm.timer, 0, &every, NULL))
		err(1, "timer_settime");
	vmm.timer_ms = ms;
}

/* 6. Runs the guest until this thread is needed; then nothing is pending in KVM. */
static int run_guest(struct regpin_vcpu *vcpu)
{
	for (;;) {
		int entry = regpin_vcpu_enter(vcpu);

		if (entry == REGPIN_HELD || entry == REGPIN_STOPPED)
			return entry;
		tick_every(regpin_vcpu_tick_ms(vcpu));
		if (entry == REGPIN_ENTER && ioctl(vmm.vcpu, KVM_RUN, 0)) {
			if (errno != EINTR)
				err(1, "KVM_RUN");
			regpin_vcpu_leave(vcpu);
			vmm.run->immediate_exit = 0;
			return REGPIN_ENTER;
		}
		if (!regpin_vcpu_exit(vcpu))
			handle_exit();
	}
}

/* The main function of the vCPU's thread. */
static void *run(void *unused)
{
	int entry = REGPIN_ENTER;

	vmm.tid = gettid();
	make_timer();
	while (!vmm.quit && entry != REGPIN_STOPPED) {
		entry = run_guest(vmm.regpin_vcpu);
		if (entry == REGPIN_HELD)
			usleep(10000);
	}
	puts(vmm.quit ? "vmm: quit" : "vmm: the guest has crashed");
	return unused;
}

/* Waits until every vCPU has adopted the change, or will before it enters. */
static void settle(void)
{
	do
		usleep(1000);
	while (!regpin_vm_settled(vmm.regpin_vm));
}

static int change_policy(const char *path)
{
	struct regpin_policy *new = load_policy(path);
	uint32_t old = vmm.policy, next = old + 1;
	int ret;

	if (!new)
		return -EINVAL;
	vmm.policies[next % 2] = new;
	regpin_policy_set_number(new, next);
	ret = regpin_vm_set_policy(vmm.regpin_vm, new);
	if (ret) {
		regpin_policy_free(new);
		return ret;
	}
	vmm.policy = next;
	settle();
	ret = regpin_vm_policy_done(vmm.regpin_vm);
	regpin_policy_free(vmm.policies[old % 2]);
	return ret;
}

/* 7. Runs the operator's commands, on any thread but the vCPU's. */
static int operate(const char *line)
{
	if (!strcmp(line, "allow"))
		return regpin_vcpu_answer(vmm.regpin_vcpu, REGPIN_ALLOW);
	if (!strcmp(line, "gp"))
		return regpin_vcpu_answer(vmm.regpin_vcpu, REGPIN_GP);
	if (!strcmp(line, "stop"))
		return regpin_vcpu_answer(vmm.regpin_vcpu, REGPIN_STOP);
	if (!strcmp(line, "arm"))
		return regpin_vm_arm(vmm.regpin_vm);
	if (!strncmp(line, "policy ", 7))
		return change_policy(line + 7);
	if (!strcmp(line, "disarm"))
		regpin_vm_disarm(vmm.regpin_vm);
	else if (!strcmp(line, "window"))
		regpin_vm_window(vmm.regpin_vm, 1);
	else
		return -ENOSYS;
	return 0;
}

static void monitor(void)
{
	char line[256];
	int ret;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "quit"))
			break;
		ret = operate(line);
		if (ret == -ENOSYS)
			warnx("%s: there is no such command: %s", line, COMMANDS);
		else if (ret)
			warnx("%s: %s", line, strerror(-ret));
		settle();
	}
	vmm.quit = 1;
	kick(NULL, vmm.regpin_vcpu);
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_sigaction = on_kick,
				 .sa_flags = SA_SIGINFO };
	pthread_t thread;

	if (argc != 2)
		errx(2, "usage: tiny-vmm BLOB; commands on stdin: %s", COMMANDS);
	setvbuf(stdout, NULL, _IOLBF, 0);
	vmm.policies[0] = load_policy(argv[1]);
	if (!vmm.policies[0])
		return 1;
	create_vm();
	create_vcpu();
	set_registers();
	sigaction(SIGUSR1, &act, NULL);
	if (pthread_create(&thread, NULL, run, NULL))
		errx(1, "pthread_create");
	monitor();
	pthread_join(thread, NULL);
	regpin_vcpu_detach(vmm.regpin_vcpu);
	regpin_vm_detach(vmm.regpin_vm);
	regpin_policy_free(vmm.policies[vmm.policy % 2]);
	return 0;
}
