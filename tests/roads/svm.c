// SPDX-License-Identifier: GPL-2.0-only
/* Roads 7, 8 and 22: nested SVM. */
#include "roads.h"

#define HSAVE		0x20000ul
/* In the host save area, from its beginning: a VMCB's save area at 0x400. */
#define HSAVE_EFER	(HSAVE + 0x400 + 0xd0)
#define HSAVE_CR4	(HSAVE + 0x400 + 0x148)
#define HSAVE_CR0	(HSAVE + 0x400 + 0x158)

static void guest_svm(struct svm_test_data *svm, void *l2)
{
	guest_x2apic();
	guest_pin();
	generic_svm_setup(svm, l2, l2_stack + STACK_SIZE - 8);
	wrmsr(MSR_VM_HSAVE_PA, HSAVE);
}

static struct kvm_vcpu *pinned_svm(void *guest)
{
	struct kvm_vcpu *vcpu = road_svm_vm(guest);

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	return vcpu;
}

/* --- 7: an SMI in L2, with L1's state in the host save area edited --- */

static void l2_smi(void)
{
	guest_smi();
	vmmcall();
}

static void guest_hsave_cr4(struct svm_test_data *svm)
{
	struct smm_code code;

	guest_svm(svm, l2_smi);
	smm_begin(&code);
	smm_and(&code, HSAVE_CR4, (uint32_t)~PIN_CR4);
	smm_rsm(&code);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static void guest_hsave_cr0(struct svm_test_data *svm)
{
	struct smm_code code;

	guest_svm(svm, l2_smi);
	smm_begin(&code);
	smm_and(&code, HSAVE_CR0, (uint32_t)~X86_CR0_WP);
	smm_rsm(&code);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static void guest_hsave_efer(struct svm_test_data *svm)
{
	struct smm_code code;

	guest_svm(svm, l2_smi);
	smm_begin(&code);
	smm_and(&code, HSAVE_EFER, (uint32_t)~EFER_NX);
	smm_rsm(&code);
	say(HELLO, 0, 0, 0, 0);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

static void guest_hsave_untouched(struct svm_test_data *svm)
{
	struct smm_code code;

	guest_svm(svm, l2_smi);
	smm_begin(&code);
	smm_rsm(&code);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(0);
}

/* The same from L1, with svm_guest_flag forged and a host save area made up. */
static void back_in_l1(void)
{
	guest_attacked(0);
}

static void guest_forged_l2(struct svm_test_data *svm)
{
	struct vmcb_save_area *hsave = low(HSAVE + 0x400);
	static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
	struct smm_code code;

	guest_svm(svm, l2_smi);
	*hsave = svm->vmcb->save;
	hsave->cr4 &= ~PIN_CR4;
	hsave->rip = (uint64_t)back_in_l1;
	hsave->rsp = (uint64_t)stack + STACK_SIZE - 8;
	hsave->rflags = 2;
	smm_begin(&code);
	smm_store(&code, SMBASE + SMRAM_FLAG, 1);
	smm_store(&code, SMBASE + SMRAM_VMCB, svm->vmcb_gpa);
	smm_rsm(&code);
	guest_smi();
	vmmcall();
	/* There is no nested guest, so RSM came back here. */
	guest_attacked(0);
}

/* The reverse: in L2, whose registers are its own, with the flag removed. */
static void l2_forged_l1(void)
{
	guest_smi();
	guest_attacked(0);
}

static void guest_forged_l1(struct svm_test_data *svm)
{
	struct smm_code code;

	guest_svm(svm, l2_forged_l1);
	svm->vmcb->save.cr4 &= ~PIN_CR4;
	smm_begin(&code);
	smm_store(&code, SMBASE + SMRAM_FLAG, 0);
	smm_rsm(&code);
	run_guest(svm->vmcb, svm->vmcb_gpa);
	guest_attacked(1);
}

static _Noreturn void try_7(void *guest)
{
	struct kvm_vcpu *vcpu = pinned_svm(guest);
	struct said said;
	int reason = road_run(vcpu, &said);

	if (vcpu->run->flags & KVM_RUN_X86_GUEST_MODE &&
	    kvm_has_cap(KVM_CAP_X86_GUEST_MODE))
		is_broken("still in L2");
	road_judge(vcpu, reason, &said);
}

static void try_hsave_cr4(void)
{
	try_7(guest_hsave_cr4);
}

static void try_hsave_cr0(void)
{
	try_7(guest_hsave_cr0);
}

static void try_forged_l2(void)
{
	try_7(guest_forged_l2);
}

static void try_forged_l1(void)
{
	try_7(guest_forged_l1);
}

static void try_hsave_efer(void)
{
	struct kvm_vcpu *vcpu = pinned_svm(guest_hsave_efer);
	struct said said;
	uint64_t efer;
	int reason;

	road_run_to(vcpu, HELLO);
	road_deny_msr(vcpu->vm, MSR_EFER);
	reason = road_run(vcpu, &said);
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	efer = vcpu_get_msr(vcpu, MSR_EFER);
	if (!(efer & EFER_NX))
		is_open("EFER is %#lx, which the MSR filter protects", efer);
	is_broken("EFER is still %#lx", efer);
}

static void try_hsave_untouched(void)
{
	struct kvm_vcpu *vcpu = pinned_svm(guest_hsave_untouched);
	struct said said;
	int reason = road_run(vcpu, &said);

	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	is_open("back in L1 with CR0 %#lx, CR4 %#lx", said.values[0],
		said.values[1]);
}

/* --- 8 --- */

static void l2_shadow(void)
{
	guest_attacked(0);
}

static void guest_shadow(struct svm_test_data *svm)
{
	guest_svm(svm, l2_shadow);
	svm->vmcb->save.cr4 &= ~PIN_CR4;
	svm->vmcb->save.cr0 &= ~X86_CR0_WP;
	run_guest(svm->vmcb, svm->vmcb_gpa);
}

static void try_l2(void)
{
	struct kvm_vcpu *vcpu = pinned_svm(guest_shadow);
	struct said said;
	int reason = road_run(vcpu, &said);

	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_broken("%s", road_exit(vcpu, reason));
	is_open("L2 has L1's memory, and CR0 %#lx, CR4 %#lx of its own",
		said.values[0], said.values[1]);
}

static void guest_svme(struct svm_test_data *svm)
{
	guest_pin();
	guest_attacked(wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME));
}

static void try_no_svm(void)
{
	struct kvm_vcpu *vcpu = road_svm_vm(guest_svme);
	struct said said;

	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_SVM);
	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	said = road_run_to(vcpu, ATTACKED);
	if (vcpu_get_msr(vcpu, MSR_EFER) & EFER_SVME)
		is_open("EFER is %#lx", vcpu_get_msr(vcpu, MSR_EFER));
	is_closed("EFER.SVME cannot be set: exception %lu", said.values[2]);
}

/* --- 22 --- */

#define EVIL	0xffffffff12345678ul

static uint8_t vmload_safe(uint64_t gpa)
{
	return kvm_asm_safe("vmload %%rax", "a"(gpa));
}

static void guest_vmload(struct svm_test_data *svm)
{
	uint8_t denied, vector;

	guest_svm(svm, NULL);
	say(HELLO, 0, 0, 0, 0);
	denied = wrmsr_safe(MSR_LSTAR, EVIL);
	asm volatile("vmsave %0" : : "a"(svm->vmcb_gpa) : "memory");
	svm->vmcb->save.lstar = EVIL;
	vector = vmload_safe(svm->vmcb_gpa);
	say(ATTACKED, rdmsr(MSR_LSTAR), denied, vector, 0);
}

static void l2_vmload(void)
{
	vmload_safe(HSAVE);
	vmmcall();
}

/* In L2, for which L1 does not intercept VMLOAD. */
static void guest_vmload_l2(struct svm_test_data *svm)
{
	struct vmcb *fake = low(HSAVE);
	uint8_t denied;

	guest_svm(svm, l2_vmload);
	wrmsr(MSR_VM_HSAVE_PA, svm->save_area_gpa);
	say(HELLO, 0, 0, 0, 0);
	denied = wrmsr_safe(MSR_LSTAR, EVIL);
	asm volatile("vmsave %0" : : "a"(HSAVE) : "memory");
	fake->save.lstar = EVIL;
	run_guest(svm->vmcb, svm->vmcb_gpa);
	say(ATTACKED, rdmsr(MSR_LSTAR), denied, 0, 0);
}

/*
 * In L2, to which L1 gives virtual VMLOAD and nested paging. KVM must take over, and
 * read from L2's physical address, which is the same as L1's here.
 */
#define NPT	0x70000ul
#define X86_FEATURE_V_VMSAVE_VMLOAD \
	KVM_X86_CPU_FEATURE(0x8000000A, 0, EDX, 15)

static void guest_vmload_vls(struct svm_test_data *svm)
{
	struct vmcb *fake = low(HSAVE);
	uint64_t *table;
	uint8_t denied;

	guest_svm(svm, l2_vmload);
	wrmsr(MSR_VM_HSAVE_PA, svm->save_area_gpa);
	say(HELLO, 0, 0, 0, 0);
	denied = wrmsr_safe(MSR_LSTAR, EVIL);
	asm volatile("vmsave %0" : : "a"(HSAVE) : "memory");
	fake->save.lstar = EVIL;
	table = low(NPT);
	table[0] = (NPT + 0x1000) | 7;
	table = low(NPT + 0x1000);
	table[0] = (NPT + 0x2000) | 7;
	table = low(NPT + 0x2000);
	for (uint64_t i = 0; i < 512; i++)
		table[i] = i << 21 | 0x87;
	svm->vmcb->control.nested_ctl = 1;
	svm->vmcb->control.nested_cr3 = NPT;
	svm->vmcb->control.virt_ext = 2;
	run_guest(svm->vmcb, svm->vmcb_gpa);
	say(ATTACKED, rdmsr(MSR_LSTAR), denied, 0, 0);
}

static _Noreturn void try_vmload(void *guest)
{
	struct kvm_vcpu *vcpu = pinned_svm(guest);
	struct said said;

	road_run_to(vcpu, HELLO);
	road_deny_msr(vcpu->vm, MSR_LSTAR);
	said = road_run_to(vcpu, ATTACKED);
	if (said.values[1] != GP_VECTOR)
		is_broken("the MSR filter allows WRMSR LSTAR");
	if (said.values[0] == EVIL)
		is_open("LSTAR is %#lx, which the MSR filter protects",
			said.values[0]);
	if (said.values[2])
		is_closed("exception %lu, LSTAR is %#lx", said.values[2],
			  said.values[0]);
	is_closed("LSTAR is %#lx", said.values[0]);
}

static void try_vmload_l1(void)
{
	try_vmload(guest_vmload);
}

static void try_vmload_l2(void)
{
	try_vmload(guest_vmload_l2);
}

static void try_vmload_vls(void)
{
	if (!kvm_cpu_has(X86_FEATURE_V_VMSAVE_VMLOAD) ||
	    !kvm_cpu_has(X86_FEATURE_NPT))
		is_skipped("no virtual VMLOAD for L2 here");
	try_vmload(guest_vmload_vls);
}

const struct road svm_roads[] = {
	{ 7, "SMI in L2, CR4 edited in L1's host save area", AS_EXPECTED,
	  NEEDS_SVM | NEEDS_SMM, try_hsave_cr4, NULL },
	{ 7, "SMI in L2, CR0 edited in L1's host save area", AS_EXPECTED,
	  NEEDS_SVM | NEEDS_SMM, try_hsave_cr0, NULL },
	{ 7, "SMI in L1, RSM with svm_guest_flag forged", AS_EXPECTED,
	  NEEDS_SVM | NEEDS_SMM, try_forged_l2, NULL },
	{ 7, "SMI in L2, RSM with svm_guest_flag removed", AS_EXPECTED,
	  NEEDS_SVM | NEEDS_SMM, try_forged_l1, NULL },
	{ 7, "control: SMI in L2 without an edit still works", STAYS_OPEN,
	  NEEDS_SVM | NEEDS_SMM, try_hsave_untouched, NULL },
	{ 8, "L2 as a shadow kernel, SVM", STAYS_OPEN, NEEDS_SVM, try_l2,
	  "give a pinned guest no SVM and no VMX in CPUID" },
	{ 8, "L2 as a shadow kernel, no SVM in CPUID", STAYS_CLOSED, NEEDS_SVM,
	  try_no_svm, NULL },
	{ 10, "EFER by RSM from L1's host save area", AS_EXPECTED,
	  NEEDS_SVM | NEEDS_SMM, try_hsave_efer, NULL },
	{ 22, "VMLOAD of LSTAR, past the MSR filter", AS_EXPECTED, NEEDS_SVM,
	  try_vmload_l1, NULL },
	{ 22, "VMLOAD of LSTAR in L2, past the MSR filter", AS_EXPECTED, NEEDS_SVM,
	  try_vmload_l2, NULL },
	{ 22, "virtual VMLOAD of LSTAR in L2, past the MSR filter", AS_EXPECTED,
	  NEEDS_SVM, try_vmload_vls, NULL },
	{ 0 }
};
