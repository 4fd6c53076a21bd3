// SPDX-License-Identifier: GPL-2.0-only
/* Roads from 25 on, found while the filter was written: nested SVM. */
#include <pthread.h>

#include "roads.h"


/*
 * 25. L2 clears EFER.SVME, and L1 does not intercept that. KVM leaves guest mode
 * without a VM-exit, so L2's RIP continues as L1. KVM's record has L2's CR0 and CR4,
 * the hardware L1's. A filter that compares with KVM's record no longer sees a bit
 * change from 1 to 0.
 */
static void l2_clear_svme(void)
{
	uint8_t vector = wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);

	if (!vector)
		vector = set_cr4_safe(get_cr4() & ~PIN_CR4);
	guest_attacked(vector);
}

static void guest_clear_svme(struct svm_test_data *svm)
{
	guest_pin();
	generic_svm_setup(svm, l2_clear_svme, l2_stack + STACK_SIZE - 8);
	svm->vmcb->save.cr4 &= ~PIN_CR4;
	/*
	 * KVM keeps using L1's nested page tables, but repairs those of L2, so touch
	 * all pages that will be used first.
	 */
	memset(l2_stack, 0, sizeof(l2_stack));
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static void try_clear_svme(void)
{
	struct kvm_vcpu *vcpu = road_svm_vm(guest_clear_svme);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	reason = road_run(vcpu, &said);
	if (reason == KVM_EXIT_IO && (vcpu->run->flags & KVM_RUN_X86_GUEST_MODE))
		is_closed("EFER.SVME cannot be cleared in L2: exception %lu",
			  said.values[2]);
	road_judge(vcpu, reason, &said);
}

/*
 * 28. VMLOAD reads its VMCB from the guest's memory. KVM must load exactly what it has
 * checked, whatever another vCPU writes there in between.
 */
#define EVIL	0xffffffff12345678ul
#define FAKE	0x20000ul
#define RACES	20000

static volatile bool racing;

static void guest_race(struct svm_test_data *svm)
{
	unsigned int i;

	guest_pin();
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	asm volatile("vmsave %0" : : "a"(FAKE) : "memory");
	say(HELLO, 0, 0, 0, 0);
	while (!racing)
		cpu_relax();
	for (i = 0; i < RACES && rdmsr(MSR_LSTAR) != EVIL; i++)
		kvm_asm_safe("vmload %%rax", "a"(FAKE));
	say(ATTACKED, rdmsr(MSR_LSTAR), i, 0, 0);
}

static void guest_race_other(void)
{
	volatile uint64_t *lstar = low(FAKE + offsetof(struct vmcb, save.lstar));
	uint64_t good = *lstar;

	racing = true;
	for (;;) {
		for (unsigned int i = 0; i < 50; i++)
			*lstar = good;
		for (unsigned int i = 0; i < 50; i++)
			*lstar = EVIL;
	}
}

static void *run_forever(void *vcpu)
{
	__vcpu_run(vcpu);
	return NULL;
}

static void try_race(void)
{
	struct kvm_vcpu *vcpu, *other;
	struct said said;
	pthread_t thread;
	struct kvm_vm *vm;

	vm = road_vm2(&vcpu, guest_race, &other, guest_race_other);
	road_run_to(vcpu, PINNED);
	road_run_to(vcpu, HELLO);
	road_deny_msr(vm, MSR_LSTAR);
	road_pin(vm, 0);
	pthread_create(&thread, NULL, run_forever, other);
	said = road_run_to(vcpu, ATTACKED);
	if (said.values[0] == EVIL)
		is_open("LSTAR is %#lx after %lu tries", said.values[0],
			said.values[1]);
	is_closed("%lu tries, LSTAR is %#lx", said.values[1], said.values[0]);
}

/* 30. The same in L2, on SVM. On VMX it is road 6. */
static void l2_hiding(void)
{
	say(PINNED, get_cr0(), get_cr4(), 0, 0);
	vmmcall();
}

static void guest_hiding_svm(struct svm_test_data *svm)
{
	generic_svm_setup(svm, l2_hiding, l2_stack + STACK_SIZE - 8);
	svm->vmcb->save.cr4 |= PIN_CR4;
	svm->vmcb->save.cr0 |= X86_CR0_WP;
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static struct kvm_vcpu *hiding_svm(void)
{
	struct kvm_vcpu *vcpu = road_svm_vm(guest_hiding_svm);

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	if (~road_cr0(vcpu) & PIN_CR0 || ~road_cr4(vcpu) & PIN_CR4)
		is_broken("the VMM sees CR0 %#lx, CR4 %#lx", road_cr0(vcpu),
			  road_cr4(vcpu));
	return vcpu;
}

static void try_hiding_svm(void)
{
	struct kvm_vcpu *vcpu = hiding_svm();

	road_go_on(vcpu);
}

static void try_hiding_svm_careful(void)
{
	struct kvm_vcpu *vcpu = hiding_svm();
	static union {
		struct kvm_nested_state state;
		uint8_t bytes[3 * 4096];
	} nested;
	struct vmcb *l1 = (struct vmcb *)nested.state.data.svm[0].vmcb12;

	nested.state.size = sizeof(nested);
	vcpu_nested_state_get(vcpu, &nested.state);
	if (!(nested.state.flags & KVM_STATE_NESTED_GUEST_MODE))
		is_broken("not in L2");
	if (~l1->save.cr0 & PIN_CR0 || ~l1->save.cr4 & PIN_CR4)
		is_closed("KVM_GET_NESTED_STATE gives L1's CR0 %#lx, CR4 %#lx: not pinned",
			  l1->save.cr0, l1->save.cr4);
	is_open("the VMM sees CR0 %#lx, CR4 %#lx", l1->save.cr0,
		l1->save.cr4);
}

/* 33. L1 and L2 share XCR0, so L2 must not write it without the filter. */
static uint8_t l2_vector;

static void l2_xsetbv(void)
{
	l2_vector = xsetbv_safe(0, 1);
	vmmcall();
}

static void guest_xsetbv(struct svm_test_data *svm)
{
	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	xsetbv(0, this_cpu_supported_xcr0() & 7);
	say(PINNED, xgetbv(0), 0, 0, 0);
	generic_svm_setup(svm, l2_xsetbv, l2_stack + STACK_SIZE - 8);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	say(ATTACKED, xgetbv(0), l2_vector, 0, 0);
}

static _Noreturn void try_xsetbv(unsigned int flags)
{
	struct kvm_x86_cr_filter filter = { .flags = flags };
	struct kvm_vcpu *vcpu;
	struct said said;
	int reason;

	if (!kvm_cpu_has(X86_FEATURE_XSAVE))
		is_skipped("no XSAVE here");
	vcpu = road_svm_vm(guest_xsetbv);
	said = road_run_to(vcpu, PINNED);
	filter.regs[KVM_X86_CR_FILTER_XCR0].clear_mask = said.values[0] & ~1ul;
	road_set_filter(vcpu->vm, &filter);
	reason = road_run(vcpu, &said);
	if (reason == KVM_EXIT_X86_CR_WRITE) {
		road_cr_write(vcpu)->error = 1;
		reason = road_run(vcpu, &said);
	}
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_broken("%s", road_exit(vcpu, reason));
	if (said.values[0] == 1)
		is_open("XCR0 is %#lx in L1", said.values[0]);
	is_closed("exception %lu in L2, XCR0 is %#lx", said.values[1],
		  said.values[0]);
}

static void try_xsetbv_gp(void)
{
	try_xsetbv(0);
}

static void try_xsetbv_exit(void)
{
	try_xsetbv(KVM_X86_CR_FILTER_EXIT);
}

/*
 * 35. INIT hits L2, whose CR4 was never pinned: which registers does the VMM's exit
 * have? L1 did not request an exit on INIT, so L1 loses its registers.
 */
static void l2_waiting(void)
{
	say(HELLO, 0, 0, 0, 0);
	for (;;)
		cpu_relax();
}

static void guest_init_l2(struct svm_test_data *svm)
{
	guest_x2apic();
	guest_pin();
	generic_svm_setup(svm, l2_waiting, l2_stack + STACK_SIZE - 8);
	svm->vmcb->save.cr4 &= ~PIN_CR4;
	run_guest(svm->vmcb, svm->vmcb_gpa);
}

static void guest_sends_init(void)
{
	guest_x2apic();
	guest_ipi(0, APIC_DM_INIT);
	say(HELLO, 0, 0, 0, 0);
}

static void try_init_l2(void)
{
	struct kvm_vcpu *vcpu, *other;
	vm_vaddr_t svm;
	struct kvm_vm *vm;
	int reason;

	vm = road_vm2(&vcpu, guest_init_l2, &other, guest_sends_init);
	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 1, svm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, KVM_X86_CR_FILTER_EXIT_INIT);
	road_run_to(vcpu, HELLO);
	road_run_to(other, HELLO);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_X86_CR_WRITE ||
	    road_cr_write(vcpu)->cause != KVM_X86_CR_CAUSE_INIT)
		is_broken("%s", road_exit(vcpu, reason));
	if (!(road_cr_write(vcpu)->init.cr4 & PIN_CR4))
		is_open("the exit has CR4 %#llx, which is L2's",
			road_cr_write(vcpu)->init.cr4);
	is_closed("the exit has CR4 %#llx",
		  road_cr_write(vcpu)->init.cr4);
}

const struct road new_svm_roads[] = {
	{ 25, "L2 clears EFER.SVME and continues as L1", AS_EXPECTED, NEEDS_SVM,
	  try_clear_svme, NULL },
	{ 28, "VMLOAD, while another vCPU writes its VMCB", AS_EXPECTED,
	  NEEDS_SVM, try_race, NULL },
	{ 30, "filter installed while L2 runs, SVM", STAYS_OPEN, NEEDS_SVM,
	  try_hiding_svm,
	  "after installing, read L1's registers by KVM_GET_NESTED_STATE of each vCPU in L2" },
	{ 30, "the same, and the VMM reads L1's state", STAYS_CLOSED, NEEDS_SVM,
	  try_hiding_svm_careful, NULL },
	{ 33, "XSETBV in L2, SVM", AS_EXPECTED, NEEDS_SVM, try_xsetbv_gp, NULL },
	{ 33, "XSETBV in L2, SVM, and the VMM is asked", AS_EXPECTED, NEEDS_SVM,
	  try_xsetbv_exit, NULL },
	{ 35, "INIT in L2, SVM: the exit has L2's registers", ONLY_OPEN,
	  NEEDS_SVM, try_init_l2,
	  "after the lockdown every INIT counts, whatever registers the exit has; or no SVM" },
	{ 0 }
};
