// SPDX-License-Identifier: GPL-2.0-only
/* Roads from 25 on: found while the filter was written. */
#include <pthread.h>

#include "roads.h"

#define STACK_SIZE	4096
static uint8_t l2_stack[STACK_SIZE] __attribute__((aligned(16)));

static struct kvm_vcpu *svm_vm(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	vm_vaddr_t svm;

	vcpu_alloc_svm(vm, &svm);
	vcpu_args_set(vcpu, 1, svm);
	return vcpu;
}

/*
 * 25. L2 clears EFER.SVME, and L1 doesn't intercept that: KVM leaves guest mode
 * where it is, without a VM-exit. What runs on as L1 has L2's RIP; KVM has L2's
 * CR0 and CR4 in mind, the hardware L1's. A filter that compares with what KVM
 * has in mind sees no bit going from 1 to 0 any more.
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
	 * KVM goes on with the nested page tables that L1 had, but mends those
	 * of L2: touch first what will be used.
	 */
	memset(l2_stack, 0, sizeof(l2_stack));
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static void try_clear_svme(void)
{
	struct kvm_vcpu *vcpu = svm_vm(guest_clear_svme);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	reason = road_run(vcpu, &said);
	if (reason == KVM_EXIT_IO && (vcpu->run->flags & KVM_RUN_X86_GUEST_MODE))
		is_closed("EFER.SVME can't be cleared in L2: exception %lu",
			  said.values[2]);
	road_judge(vcpu, reason, &said);
}

static struct kvm_vcpu *vmx_vm(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	vm_vaddr_t vmx;

	vcpu_alloc_vmx(vm, &vmx);
	vcpu_args_set(vcpu, 1, vmx);
	road_smm_memory(vm);
	return vcpu;
}

static void guest_vmx(struct vmx_pages *vmx, void *l2)
{
	guest_x2apic();
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	guest_pin();
	prepare_vmcs(vmx, l2, l2_stack + STACK_SIZE - 8);
	/* L2 writes MSRs, such as the ICR, without L1. */
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmreadz(CPU_BASED_VM_EXEC_CONTROL) |
					   CPU_BASED_USE_MSR_BITMAPS);
}

/*
 * 26. A VM-exit that doesn't load EFER leaves L2's to L1, but for LMA and LME.
 * L2's comes from vmcs12 at VM-entry, which no MSR filter sees, or by RSM if an
 * SMI was taken in L2. The same goes for PAT.
 */
static void l2_vmcall(void)
{
	vmcall();
}

static void guest_leaked_efer(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(VM_EXIT_CONTROLS,
		vmreadz(VM_EXIT_CONTROLS) & ~VM_EXIT_LOAD_IA32_EFER);
	vmwrite(VM_ENTRY_CONTROLS,
		vmreadz(VM_ENTRY_CONTROLS) | VM_ENTRY_LOAD_IA32_EFER);
	vmwrite(GUEST_IA32_EFER, rdmsr(MSR_EFER) & ~EFER_NX);
	guest_attacked(vmlaunch() ? VMFAIL(vmreadz(VM_INSTRUCTION_ERROR)) :
		       0);
}

static void guest_leaked_pat(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(VM_EXIT_CONTROLS,
		vmreadz(VM_EXIT_CONTROLS) & ~VM_EXIT_LOAD_IA32_PAT);
	vmwrite(VM_ENTRY_CONTROLS,
		vmreadz(VM_ENTRY_CONTROLS) | VM_ENTRY_LOAD_IA32_PAT);
	vmwrite(GUEST_IA32_PAT, 0x0007040600070400ul);
	guest_attacked(vmlaunch() ? VMFAIL(vmreadz(VM_INSTRUCTION_ERROR)) :
		       0);
}

static void l2_smi(void)
{
	guest_smi();
	vmcall();
}

static void guest_leaked_rsm(struct vmx_pages *vmx)
{
	struct smm_code code;

	guest_vmx(vmx, l2_smi);
	vmwrite(VM_EXIT_CONTROLS,
		vmreadz(VM_EXIT_CONTROLS) & ~VM_EXIT_LOAD_IA32_EFER);
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_EFER, ~EFER_NX);
	smm_rsm(&code);
	guest_attacked(vmlaunch() ? VMFAIL(vmreadz(VM_INSTRUCTION_ERROR)) :
		       0);
}

static _Noreturn void try_msr(void *guest, uint32_t msr)
{
	struct kvm_vcpu *vcpu = vmx_vm(guest);
	uint64_t before, after;
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	before = vcpu_get_msr(vcpu, msr);
	road_deny_msr(vcpu->vm, msr);
	road_pin(vcpu->vm, 0);
	reason = road_run(vcpu, &said);
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	after = vcpu_get_msr(vcpu, msr);
	if (after != before)
		is_open("MSR %#x, which the MSR filter protects: %#lx -> %#lx",
			msr, before, after);
	if (!said.values[2])
		is_closed("L2 ran, MSR %#x is %#lx as before", msr, after);
	is_closed("VMfail %lu, MSR %#x is %#lx", said.values[2] - VMFAIL(0), msr,
		  after);
}

static void try_leaked_efer(void)
{
	try_msr(guest_leaked_efer, MSR_EFER);
}

static void try_leaked_pat(void)
{
	try_msr(guest_leaked_pat, MSR_IA32_CR_PAT);
}

static void try_leaked_rsm(void)
{
	try_msr(guest_leaked_rsm, MSR_EFER);
}

/*
 * 27. RSM to L2 loads CR0 and with it vmcs02's read shadow, also for bits that
 * L1 owns. CLTS in L2 then exits where KVM, by vmcs12's shadow, holds that to be
 * impossible: a warning in the host's log, and the end of the VM.
 */
static void l2_smi_clts(void)
{
	guest_smi();
	asm volatile("clts");
	vmcall();
}

static void guest_clts(struct vmx_pages *vmx)
{
	struct smm_code code;

	guest_vmx(vmx, l2_smi_clts);
	vmwrite(CR0_GUEST_HOST_MASK, X86_CR0_TS);
	vmwrite(CR0_READ_SHADOW, get_cr0() & ~X86_CR0_TS);
	vmwrite(GUEST_CR0, get_cr0() | X86_CR0_TS);
	smm_begin(&code);
	smm_rsm(&code);
	GUEST_ASSERT(!vmlaunch());
	say(ATTACKED, vmreadz(VM_EXIT_REASON), 0, 0, 0);
}

static void try_clts(void)
{
	struct kvm_vcpu *vcpu = vmx_vm(guest_clts);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	reason = road_run(vcpu, &said);
	if (reason < 0)
		is_open("KVM_BUG, the guest makes the host warn: %s",
			road_exit(vcpu, reason));
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_broken("%s", road_exit(vcpu, reason));
	is_closed("L2 ran on, exit %lu", said.values[0]);
}

/*
 * 28. VMLOAD reads its VMCB from the guest's memory: what KVM has checked must
 * be what it loads, whatever another vCPU writes there meanwhile.
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

/*
 * 29. Locked down while the vCPU is in SMM, where it shows the VMM registers as
 * they should be; RSM brings back those of before, which never were pinned.
 */
#define PD32	0x60000ul

static void guest_hiding(void)
{
	uint32_t *table = low(PD32);
	struct smm_code code;

	guest_x2apic();
	table[0] = 0xe3;	/* 4 MiB, one to one */
	smm_begin(&code);
	SMM_PUT(&code, 0x66, 0xb8, 0, 0, PD32 >> 16, 0);  /* mov $, %eax */
	SMM_PUT(&code, 0x0f, 0x22, 0xd8);		  /* mov %eax, %cr3 */
	SMM_PUT(&code, 0x66, 0xb8, 0x10, 0, 0x10, 0);	  /* mov $PSE|SMEP, */
	SMM_PUT(&code, 0x0f, 0x22, 0xe0);		  /* mov %eax, %cr4 */
	SMM_PUT(&code, 0x0f, 0x20, 0xc0);		  /* mov %cr0, %eax */
	SMM_PUT(&code, 0x66, 0x0d, 1, 0, 1, 0x80);	  /* or $PE|WP|PG, */
	SMM_PUT(&code, 0x0f, 0x22, 0xc0);		  /* mov %eax, %cr0 */
	smm_out(&code);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static struct kvm_vcpu *hiding(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_hiding);
	int reason;

	road_smm_memory(vm);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_IO || vcpu->run->io.port != SMM_PORT)
		is_broken("no SMM: %s", road_exit(vcpu, reason));
	road_pin(vm, 0);
	if (~road_cr0(vcpu) & PIN_CR0 || ~road_cr4(vcpu) & PIN_CR4)
		is_broken("the VMM sees CR0 %#lx, CR4 %#lx", road_cr0(vcpu),
			  road_cr4(vcpu));
	return vcpu;
}

static void try_hiding(void)
{
	struct kvm_vcpu *vcpu = hiding();
	struct said said;
	int reason = road_run(vcpu, &said);

	road_judge(vcpu, reason, &said);
}

static void try_hiding_careful(void)
{
	struct kvm_vcpu *vcpu = hiding();
	struct kvm_vcpu_events events;

	vcpu_events_get(vcpu, &events);
	if (events.smi.smm)
		is_closed("KVM_GET_VCPU_EVENTS tells of SMM: not pinned yet");
	is_open("the VMM sees nothing");
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
	struct kvm_vcpu *vcpu = svm_vm(guest_hiding_svm);

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
	struct said said;
	int reason = road_run(vcpu, &said);

	road_judge(vcpu, reason, &said);
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
		is_closed("KVM_GET_NESTED_STATE tells L1's CR0 %#lx, CR4 %#lx: not pinned",
			  l1->save.cr0, l1->save.cr4);
	is_open("the VMM sees CR0 %#lx, CR4 %#lx", l1->save.cr0,
		l1->save.cr4);
}

/*
 * 31. Migrated while in SMM: the new host's KVM doesn't know what the registers
 * were at the SMI, and the guest has had time to edit SMRAM.
 */
static void guest_waiting_cr4(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_out(&code);
	smm_and(&code, SMBASE + SMRAM_CR4, (uint32_t)~PIN_CR4);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static void guest_waiting_efer(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_out(&code);
	smm_and(&code, SMBASE + SMRAM_EFER, ~EFER_NX);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static struct kvm_vcpu *migrated(void *guest)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	int reason;

	road_smm_memory(vm);
	road_run_to(vcpu, PINNED);
	road_deny_msr(vm, MSR_EFER);
	road_pin(vm, 0);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_IO || vcpu->run->io.port != SMM_PORT)
		is_broken("no SMM: %s", road_exit(vcpu, reason));
	/* For KVM this is as if the vCPU had come from elsewhere. */
	vcpu_events_get(vcpu, &events);
	events.flags |= KVM_VCPUEVENT_VALID_SMM;
	events.smi.smm = 0;
	vcpu_events_set(vcpu, &events);
	events.smi.smm = 1;
	vcpu_events_set(vcpu, &events);
	return vcpu;
}

static void try_migrated_cr4(void)
{
	struct kvm_vcpu *vcpu = migrated(guest_waiting_cr4);
	struct said said;
	int reason = road_run(vcpu, &said);

	road_judge(vcpu, reason, &said);
}

static void try_migrated_efer(void)
{
	struct kvm_vcpu *vcpu = migrated(guest_waiting_efer);
	struct said said;
	int reason = road_run(vcpu, &said);

	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	if (!(vcpu_get_msr(vcpu, MSR_EFER) & EFER_NX))
		is_open("EFER is %#lx, which the MSR filter protects",
			vcpu_get_msr(vcpu, MSR_EFER));
	is_broken("EFER is still %#lx", vcpu_get_msr(vcpu, MSR_EFER));
}

/* 32. RSM is refused, and the VMM goes on as if nothing had been. */
static void guest_refused(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_CR4, (uint32_t)~PIN_CR4);
	smm_rsm(&code);
	for (int i = 0; i < 3; i++) {
		smm_mov_cr4_eax(&code);
		smm_out(&code);
	}
	guest_smi();
	guest_attacked(0);
}

static void try_refused(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_refused);
	int reason;

	road_smm_memory(vm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	reason = road_run(vcpu, NULL);
	/* Where KVM emulates it all, the shutdown comes a bit later. */
	if (reason == KVM_EXIT_IO)
		reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_SHUTDOWN)
		is_broken("%s", road_exit(vcpu, reason));
	reason = road_run(vcpu, NULL);
	if (reason == KVM_EXIT_IO && vcpu->run->io.port == SMM_PORT)
		is_open("the guest runs on, CR4 is %#lx", road_cr4(vcpu));
	is_closed("%s", road_exit(vcpu, reason));
}

/* 33. XCR0 is one for L1 and L2: L2 must not write it unfiltered. */
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
	vcpu = svm_vm(guest_xsetbv);
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
 * 34. RSM to L2 loads segments that the hardware refuses; KVM holds a VM-entry
 * to L2 to be checked and warns.
 */
static void guest_bad_rsm(struct vmx_pages *vmx)
{
	struct smm_code code;

	guest_vmx(vmx, l2_smi);
	smm_begin(&code);
	smm_store(&code, SMBASE + 0xfe90, 0);	/* TR: not present */
	smm_rsm(&code);
	GUEST_ASSERT(!vmlaunch());
	say(ATTACKED, vmreadz(VM_EXIT_REASON), 0, 0, 0);
}

static void try_bad_rsm(void)
{
	struct kvm_vcpu *vcpu = vmx_vm(guest_bad_rsm);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	reason = road_run(vcpu, &said);
	if (reason < 0)
		is_open("KVM_BUG, the guest makes the host warn: %s",
			road_exit(vcpu, reason));
	is_closed("%s, %lu", road_exit(vcpu, reason), said.values[0]);
}

/*
 * 35. INIT hits L2, whose CR4 never was pinned: what does the VMM get told? L1
 * did not ask for an exit on INIT, so it is L1 that loses its registers.
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
		is_open("the exit tells of CR4 %#llx, which is L2's",
			road_cr_write(vcpu)->init.cr4);
	is_closed("the exit tells of CR4 %#llx",
		  road_cr_write(vcpu)->init.cr4);
}

/*
 * 36. A vCPU that waits for SIPI since before the filter was there: it starts
 * with nothing set, and no INIT tells the VMM.
 */
#define START	0x40000ul

static void guest_sipi_later(void)
{
	static const uint8_t code[] = {
		0x0f, 0x20, 0xe0,		/* mov %cr4, %eax */
		0x66, 0xe7, SMM_PORT, 0xf4,	/* out %eax, $SMM_PORT; hlt */
	};

	guest_x2apic();
	memcpy(low(START), code, sizeof(code));
	guest_ipi(1, APIC_DM_INIT);
	guest_pin();
	guest_ipi(1, APIC_DM_STARTUP | START >> 12);
	say(HELLO, 0, 0, 0, 0);
}

static void guest_waiting(void)
{
	guest_x2apic();
	say(HELLO, 0, 0, 0, 0);
	for (;;)
		cpu_relax();
}

static struct kvm_vcpu *waiting(struct kvm_vcpu **waiter)
{
	struct kvm_mp_state state;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = road_vm2(&vcpu, guest_sipi_later, waiter, guest_waiting);
	road_run_to(*waiter, HELLO);
	road_run_to(vcpu, PINNED);
	/* This serves the INIT, as KVM_RUN in the VMM's other thread would. */
	vcpu_mp_state_get(*waiter, &state);
	road_pin(vm, KVM_X86_CR_FILTER_EXIT_INIT);
	return vcpu;
}

static void try_waiting(void)
{
	struct kvm_vcpu *waiter, *vcpu = waiting(&waiter);
	struct kvm_regs regs;
	int reason;

	road_run_to(vcpu, HELLO);
	reason = road_run(waiter, NULL);
	if (reason != KVM_EXIT_IO || waiter->run->io.port != SMM_PORT)
		is_closed("%s", road_exit(waiter, reason));
	vcpu_regs_get(waiter, &regs);
	is_open("the guest's own code starts with CR4 %#x", (uint32_t)regs.rax);
}

static void try_waiting_careful(void)
{
	struct kvm_vcpu *waiter;
	struct kvm_mp_state state;

	waiting(&waiter);
	vcpu_mp_state_get(waiter, &state);
	if (state.mp_state == KVM_MP_STATE_INIT_RECEIVED)
		is_closed("KVM_GET_MP_STATE tells that it waits for SIPI: not pinned");
	is_open("the VMM sees MP_STATE %u", state.mp_state);
}

const struct road new_roads[] = {
	{ 25, "L2 clears EFER.SVME and goes on as L1", AS_TOLD, NEEDS_SVM,
	  try_clear_svme, NULL },
	{ 26, "L2's EFER from VM-entry is left to L1", AS_TOLD, NEEDS_VMX,
	  try_leaked_efer, NULL },
	{ 26, "L2's PAT from VM-entry is left to L1", AS_TOLD, NEEDS_VMX,
	  try_leaked_pat, NULL },
	{ 26, "L2's EFER from RSM is left to L1", AS_TOLD,
	  NEEDS_VMX | NEEDS_SMM, try_leaked_rsm, NULL },
	{ 27, "CLTS in L2 after RSM: KVM_BUG", AS_TOLD, NEEDS_VMX | NEEDS_SMM,
	  try_clts, NULL },
	{ 28, "VMLOAD, its VMCB written by another vCPU meanwhile", AS_TOLD,
	  NEEDS_SVM, try_race, NULL },
	{ 29, "filter installed while the vCPU is in SMM", STAYS_OPEN,
	  NEEDS_SMM, try_hiding,
	  "after installing, believe no vCPU's registers while KVM_GET_VCPU_EVENTS tells of SMM" },
	{ 29, "the same, the VMM asks for SMM", STAYS_CLOSED, NEEDS_SMM,
	  try_hiding_careful, NULL },
	{ 30, "filter installed while L2 runs, SVM", STAYS_OPEN, NEEDS_SVM,
	  try_hiding_svm,
	  "after installing, read L1's registers by KVM_GET_NESTED_STATE of each vCPU in L2" },
	{ 30, "the same, the VMM reads L1's state", STAYS_CLOSED, NEEDS_SVM,
	  try_hiding_svm_careful, NULL },
	{ 31, "migrated in SMM, RSM with CR4 edited", AS_TOLD, NEEDS_SMM,
	  try_migrated_cr4, NULL },
	{ 31, "migrated in SMM, RSM with EFER edited", STAYS_OPEN, NEEDS_SMM,
	  try_migrated_efer,
	  "don't migrate a pinned guest's vCPU in SMM; or no memory for SMM" },
	{ 32, "RSM is refused, and the VMM goes on", ONLY_OPEN, NEEDS_SMM,
	  try_refused,
	  "after KVM_EXIT_SHUTDOWN reset the VM or never enter it again" },
	{ 33, "XSETBV in L2, SVM", AS_TOLD, NEEDS_SVM, try_xsetbv_gp, NULL },
	{ 33, "XSETBV in L2, SVM, the VMM is asked", AS_TOLD, NEEDS_SVM,
	  try_xsetbv_exit, NULL },
	{ 34, "RSM to L2 with segments that the hardware refuses: KVM_BUG",
	  STAYS_OPEN, NEEDS_VMX | NEEDS_SMM, try_bad_rsm,
	  "no VMX in CPUID, or no memory for SMM" },
	{ 35, "INIT in L2, SVM: the exit tells of L2's registers", ONLY_OPEN,
	  NEEDS_SVM, try_init_l2,
	  "after the lockdown every INIT counts, whatever the exit tells of before; or no SVM" },
	{ 36, "SIPI to a vCPU that got INIT before the filter came", STAYS_OPEN,
	  0, try_waiting,
	  "after installing, take no vCPU in INIT_RECEIVED for pinned; set_mask on CR0.PG asks when it turns paging on" },
	{ 36, "the same, the VMM asks for MP_STATE", STAYS_CLOSED, 0,
	  try_waiting_careful, NULL },
	{ 0 }
};
