// SPDX-License-Identifier: GPL-2.0-only
/* Roads from 25 on, found while the filter was written: nested VMX. */
#include "roads.h"


static void guest_vmx(struct vmx_pages *vmx, void *l2)
{
	guest_x2apic();
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	guest_pin();
	prepare_vmcs(vmx, l2, l2_stack + STACK_SIZE - 8);
	/* L2 writes MSRs, such as the ICR, without an exit to L1. */
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmreadz(CPU_BASED_VM_EXEC_CONTROL) |
					   CPU_BASED_USE_MSR_BITMAPS);
}

/*
 * 26. A VM-exit that does not load EFER leaves L2's EFER to L1, except for LMA and LME.
 * L2 gets its EFER from vmcs12 at VM-entry, which no MSR filter sees, or by RSM if an
 * SMI came in L2. The same applies to PAT.
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
	struct kvm_vcpu *vcpu = road_vmx_vm(guest);
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
 * 27. RSM to L2 loads CR0, and with it vmcs02's read shadow, also for bits that L1
 * owns. CLTS in L2 then exits where KVM considers that impossible, by vmcs12's shadow:
 * a warning in the host's log, and the end of the VM.
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
	struct kvm_vcpu *vcpu = road_vmx_vm(guest_clts);
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
 * 34. RSM to L2 loads segments that the hardware refuses. KVM assumes that a VM-entry
 * to L2 was checked, and warns.
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
	struct kvm_vcpu *vcpu = road_vmx_vm(guest_bad_rsm);
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

const struct road new_vmx_roads[] = {
	{ 26, "L1 gets L2's EFER, which came from VM-entry", AS_EXPECTED, NEEDS_VMX,
	  try_leaked_efer, NULL },
	{ 26, "L1 gets L2's PAT, which came from VM-entry", AS_EXPECTED, NEEDS_VMX,
	  try_leaked_pat, NULL },
	{ 26, "L1 gets L2's EFER, which came from RSM", AS_EXPECTED,
	  NEEDS_VMX | NEEDS_SMM, try_leaked_rsm, NULL },
	{ 27, "CLTS in L2 after RSM: KVM_BUG", AS_EXPECTED, NEEDS_VMX | NEEDS_SMM,
	  try_clts, NULL },
	{ 34, "RSM to L2 with segments that the hardware refuses: KVM_BUG",
	  STAYS_OPEN, NEEDS_VMX | NEEDS_SMM, try_bad_rsm,
	  "no VMX in CPUID, or no memory for SMM" },
	{ 0 }
};
