// SPDX-License-Identifier: GPL-2.0-only
/*
 * An ordinary VMM under the shim: usage test_live_vmm SHIM. It runs itself again
 * without and under the shim, and compares what the two have seen. Then it tests the
 * policy's own effects and the shim's record of fds.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../build_policy.h"
#include "lib/policy/registers.h"
#include "lib/ring.h"
#include "lib/vm/types.h"
#include "preload.h"
#include "tap.h"
#include "tiny_run.h"
#include "vmm_cases.h"
#include "vmm_fds.h"

#define MANY		200

static void test_policy(void)
{
	struct regpin_event last;
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;

	events_of(REGPIN_EVENT_ATTACHED, NULL);
	tiny_vm_new(&vm);
	ok(events_of(REGPIN_EVENT_ATTACHED, &last) == 1 &&
	   handoff->attached,
	   "a VM gets its policy as it is created");
	tiny_vcpu_new(&vm, &vcpu, 3, TINY_LONG);
	boot(&vcpu);
	ok(events_of(REGPIN_EVENT_ARMED, &last) == 1 && last.vcpu == 3,
	   "the vCPU arms");
	ok(tiny_wrmsr(&vcpu, MSR_EFER, EFER_NX_OFF) == TINY_GP &&
	   events_of(REGPIN_EVENT_VIOLATION, &last) == 1 &&
	   last.rip == TINY_WRMSR && last.vcpu == 3, "a pin holds");
	ok(!tiny_wrmsr(&vcpu, MSR_SYSENTER_CS, 9) &&
	   !tiny_wrmsr(&vcpu, MSR_SYSENTER_CS, 8) &&
	   events_of(REGPIN_EVENT_VIOLATION, &last) == 1 &&
	   last.value == 8, "a reported write is done");
	ok(!events_of(REGPIN_EVENT_VMM_WRITE, NULL),
	   "regpin's own writes are not reported as the VMM's");
	tiny_set_msr(&vcpu, MSR_EFER, EFER_NX_OFF);
	ok(events_of(REGPIN_EVENT_VMM_WRITE, &last) == 1,
	   "the VMM's writes by KVM_SET_MSRS are reported");
	tiny_wrmsr(&vcpu, MSR_EFER, EFER_ON);
	tiny_reset(&vcpu);
	ok(events_of(REGPIN_EVENT_RESET, NULL) == 1, "a reset by the VMM is reported");
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

static unsigned int vcpu_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned int nr = 0;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		nr += strstr(line, "anon_inode:kvm-vcpu:") != NULL;
	if (maps)
		fclose(maps);
	return nr;
}

/* VMs are created and closed: the shim keeps none of them. */
static void test_many(void)
{
	struct tiny_vcpu vcpu, second;
	struct tiny_vm vm;
	bool good = true;

	for (int i = 0; i < MANY; i++) {
		tiny_vm_new(&vm);
		tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
		tiny_vcpu_new(&vm, &second, 1, TINY_LONG);
		boot(&vcpu);
		good &= tiny_wrmsr(&vcpu, MSR_EFER, EFER_NX_OFF) == TINY_GP;
		tiny_vcpu_free(&second);
		tiny_vcpu_free(&vcpu);
		tiny_vm_free(&vm);
		events_of(0, NULL);
	}
	ok(good, "%d VMs, one after the other, all pinned", MANY);
	/* The last one is removed when the next one is created. */
	tiny_vm_new(&vm);
	ok(vcpu_mappings() == 0, "no vCPU of closed VMs is still mapped: %u",
	   vcpu_mappings());
	tiny_vm_free(&vm);
}

/*
 * A vCPU that was polled is closed. Its thread lives on, and so does the thread's
 * timer, whose next tick hit the unmapped kvm_run.
 */
static void test_last_tick(void)
{
	struct tiny_vcpu first, second;
	struct timespec ts;
	struct tiny_vm vm;
	uint64_t value;

	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &first, 0, TINY_LONG);
	tiny_vcpu_new(&vm, &second, 1, TINY_LONG);
	boot(&first);
	/* The vCPU is not armed beside one that is, so its deadline runs. */
	for (int i = 0; i < 3; i++)
		tiny_rdmsr(&second, MSR_EFER, &value);
	tiny_vcpu_free(&second);
	tiny_vcpu_free(&first);
	tiny_vm_free(&vm);
	events_of(0, NULL);
	tiny_vm_new(&vm);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	for (time_t end = ts.tv_sec * 10 + ts.tv_nsec / 100000000 + 3;
	     ts.tv_sec * 10 + ts.tv_nsec / 100000000 < end;)
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	ok(vcpu_mappings() == 0, "the last tick of a vCPU may come after its end");
	tiny_vm_free(&vm);
}

/* -1 if this kernel does not list them */
static int timers(void)
{
	FILE *list = fopen("/proc/self/timers", "r");
	char line[128];
	int nr = 0;

	if (!list)
		return -1;
	while (fgets(line, sizeof(line), list))
		nr += !strncmp(line, "ID:", 3);
	fclose(list);
	return nr;
}

static int timers_while;

static void *late_thread(void *vcpu)
{
	uint64_t value;

	for (int i = 0; i < 3; i++)
		tiny_rdmsr(vcpu, MSR_EFER, &value);
	timers_while = timers();
	return NULL;
}

/*
 * Timers belong to the process and are few: the timer of an unplugged vCPU's thread was
 * not deleted.
 */
static void test_timers(void)
{
	struct tiny_vcpu first, second;
	struct tiny_vm vm;
	pthread_t thread;
	int before;

	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &first, 0, TINY_LONG);
	tiny_vcpu_new(&vm, &second, 1, TINY_LONG);
	boot(&first);
	before = timers();
	for (int i = 0; before >= 0 && i < 10; i++) {
		pthread_create(&thread, NULL, late_thread, &second);
		pthread_join(thread, NULL);
	}
	if (before < 0)
		tap_skip("a thread's timer ends with it",
			 "no /proc/self/timers");
	else
		ok(timers_while == before + 1 && timers() == before,
		   "a thread's timer ends with it: %d, %d, %d", before,
		   timers_while, timers());
	tiny_vcpu_free(&second);
	tiny_vcpu_free(&first);
	tiny_vm_free(&vm);
	events_of(0, NULL);
}

static _Atomic bool stop;
static _Atomic unsigned int kicks;

static void on_signal(int sig)
{
	(void)sig;
}

static void *kicker(void *arg)
{
	pthread_t vcpu = *(pthread_t *)arg;

	while (!stop) {
		pthread_kill(vcpu, SIGUSR1);
		kicks++;
		usleep(2000);
	}
	return NULL;
}

/* Is the guest before or after the WRMSR of its loop, or in the handler? */
static bool stands_well(struct tiny_vcpu *vcpu)
{
	struct kvm_regs regs;

	return !ioctl(vcpu->fd, KVM_GET_REGS, &regs) &&
	       (regs.rip == TINY_LOOP || regs.rip == TINY_LOOP + 2 ||
		(regs.rip >= TINY_HANDLER && regs.rip < TINY_HANDLER + 19));
}

/*
 * The guest's #GP handler counts, and returns to the instruction after the WRMSR. No
 * event may be lost or come twice: there are as many #GPs as events.
 */
static void make_handler(struct tiny_vm *vm)
{
	static const uint8_t handler[] = {
		0x48, 0xff, 0x04, 0x25, 0x00, 0x91, 0x00, 0x00, /* inc COUNT */
		0x48, 0x83, 0xc4, 0x08,			/* add $8, %rsp */
		0x48, 0x83, 0x04, 0x24, 0x02,		/* addq $2, (%rsp) */
		0x48, 0xcf,				/* iretq */
	};

	memcpy(vm->memory + TINY_HANDLER, handler, sizeof(handler));
}

static void test_signals(void)
{
	pthread_t self = pthread_self(), thread;
	struct sigaction action = { .sa_handler = on_signal };
	unsigned int interrupted = 0, other = 0, violations = 0;
	struct tiny_vcpu vcpu;
	struct tiny_vm vm;
	uint64_t count = 0;

	sigaction(SIGUSR1, &action, NULL);
	tiny_vm_new(&vm);
	tiny_vcpu_new(&vm, &vcpu, 0, TINY_LONG);
	boot(&vcpu);
	make_handler(&vm);
	tiny_prepare(&vcpu, TINY_LOOP, MSR_EFER, EFER_NX_OFF);
	events_of(0, NULL);
	pthread_create(&thread, NULL, kicker, &self);
	for (int i = 0; i < 200; i++) {
		int ret = tiny_run(&vcpu);

		interrupted += ret == -EINTR;
		other += ret != -EINTR || !stands_well(&vcpu);
		violations += events_of(REGPIN_EVENT_VIOLATION, NULL);
	}
	stop = true;
	pthread_join(thread, NULL);
	ok(interrupted == 200 && !other,
	   "each signal ends KVM_RUN in a loop of denied WRMSRs: %u of %u",
	   interrupted, kicks);
	for (int i = 0; i < 100; i++) {
		vcpu.run->immediate_exit = 1;
		other += tiny_run(&vcpu) != -EINTR;
		vcpu.run->immediate_exit = 0;
		violations += events_of(REGPIN_EVENT_VIOLATION, NULL);
	}
	ok(!other, "immediate_exit is obeyed");
	memcpy(&count, vm.memory + TINY_COUNT, sizeof(count));
	/* The last #GP may not have reached the guest's handler yet. */
	ok(count > 100 && (violations + ring_dropped(&handoff->ring) == count ||
	    violations + ring_dropped(&handoff->ring) == count + 1),
	   "%" PRIu64 " #GPs, %u events, %" PRIu64 " lost and counted", count,
	   violations, ring_dropped(&handoff->ring));
	tiny_vcpu_free(&vcpu);
	tiny_vm_free(&vm);
}

static struct regpin_policy *test_policy_of_rules(void)
{
	struct regpin_policy *policy = new_policy(ARM_SYSCALL_ENTRY);

	add_pin(policy, RULE_STICKY, MSR_EFER, EFER_NXE, REGPIN_GP);
	add_pin(policy, RULE_UNIFORM, MSR_LSTAR, ALL, REGPIN_GP);
	add_pin(policy, RULE_STICKY, MSR_SYSENTER_CS, 1, REGPIN_REPORT);
	if (finish_policy(policy))
		exit(1);
	return policy;
}

/* Writes the observations of a run into a file. */
static FILE *observations(const char *shim, const struct regpin_policy *policy,
			  char *self)
{
	char *args[] = { self, (char *)"--observe", NULL };
	/* A memfd, because the lab's root is read-only. */
	int fd = memfd_create("observed", 0);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!file) {
		printf("Bail out! memfd_create()\n");
		exit(1);
	}
	if (preload_run(shim, policy, args, fileno(file)))
		printf("# the VMM failed\n");
	rewind(file);
	return file;
}

/* Prints where the two differ; there must be something to compare. */
static bool same(FILE *plain, FILE *under)
{
	unsigned int lines = 0, different = 0;
	char a[512], b[512];
	char *one, *two;

	for (;;) {
		one = fgets(a, sizeof(a), plain);
		two = fgets(b, sizeof(b), under);
		if (!one || !two)
			break;
		lines++;
		if (!strcmp(a, b))
			continue;
		different++;
		printf("# without: %s# with:    %s", a, b);
	}
	printf("# %u observations\n", lines);
	return lines > 100 && !different && !one && !two;
}

/* The same, with a policy that intercepts all that KVM refuses: no VMM may notice that. */
static struct regpin_policy *test_policy_that_tells(void)
{
	struct regpin_policy *policy = test_policy_of_rules();

	add_wide(policy, RULE_UNKNOWN, REGPIN_REPORT, 0, 0);
	add_wide(policy, RULE_INVALID, REGPIN_REPORT, 0, 0);
	if (finish_policy(policy))
		exit(1);
	return policy;
}

static int run_all(char *shim, char *self)
{
	struct regpin_policy *policy = test_policy_of_rules();
	struct regpin_policy *telling = test_policy_that_tells();
	char *args[] = { self, (char *)"--under", (char *)"different", NULL };
	int status;

	if (same(observations(NULL, policy, self),
		 observations(shim, policy, self)) &&
	    same(observations(NULL, policy, self),
		 observations(shim, telling, self)))
		args[2] = (char *)"same";
	status = preload_run(shim, policy, args, STDOUT_FILENO);
	if (status > 1)
		printf("Bail out! the VMM ended with %d\n", status);
	free(policy);
	free(telling);
	return status;
}

static int under_shim(const char *compared)
{
	handoff = preload_handoff();
	ok(handoff != NULL, "there is an agent");
	ok(!strcmp(compared, "same"),
	   "accesses without a rule look the same as without the shim");
	test_policy();
	test_fds();
	test_many();
	test_last_tick();
	test_timers();
	test_signals();
	return tap_done();
}

int main(int argc, char **argv)
{
	const char *why_not = tiny_why_not();

	if (argc == 2 && !strcmp(argv[1], "--observe")) {
		vmm_observe();
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--under"))
		return under_shim(argv[2]);
	if (why_not)
		tap_skip_all(why_not);
	if (argc != 2 || !preload_works(argv[1]))
		tap_skip_all("the shim can't be preloaded: built with ASan?");
	return run_all(argv[1], argv[0]);
}
