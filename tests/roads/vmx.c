// SPDX-License-Identifier: GPL-2.0-only
/* Roads 5, 6, 8, 10 and 23: nested VMX. */
#include "roads.h"

/* The offset in vmcs12, as KVM_GET_NESTED_STATE gives it. */
#define VMCS12_HOST_CR0	584
#define VMCS12_HOST_CR4	600

static void l2_vmcall(void)
{
	vmcall();
}

/* Prepares L1 to start @l2, pinned. */
static void guest_vmx(struct vmx_pages *vmx, void *l2)
{
	guest_x2apic();
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	guest_pin();
	prepare_vmcs(vmx, l2, l2_stack + STACK_SIZE - 8);
}

/* Returns 0 if L2 ran. */
static uint64_t launch(void)
{
	return vmlaunch() ? VMFAIL(vmreadz(VM_INSTRUCTION_ERROR)) : 0;
}

static struct kvm_vcpu *pinned_vmx(void *guest)
{
	struct kvm_vcpu *vcpu = road_vmx_vm(guest);

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	return vcpu;
}

static _Noreturn void try_cr(void *guest)
{
	struct kvm_vcpu *vcpu = pinned_vmx(guest);

	road_go_on(vcpu);
}

/* --- 5 --- */

static void guest_host_cr4(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_CR4, get_cr4() & ~PIN_CR4);
	guest_attacked(launch());
}

static void guest_host_cr0(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_CR0, get_cr0() & ~X86_CR0_WP);
	guest_attacked(launch());
}

static void guest_host_same(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	guest_attacked(launch());
}

/* L2 ends without an exit of its own, by a VM-entry that fails late. */
static void guest_failed_entry(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_CR4, get_cr4() & ~PIN_CR4);
	vmwrite(GUEST_RFLAGS, 0);	/* bit 1 must be 1 */
	guest_attacked(launch());
}

static void try_host_cr4(void)
{
	try_cr(guest_host_cr4);
}

static void try_host_cr0(void)
{
	try_cr(guest_host_cr0);
}

static void try_failed_entry(void)
{
	try_cr(guest_failed_entry);
}

static void try_host_same(void)
{
	struct kvm_vcpu *vcpu = pinned_vmx(guest_host_same);
	struct said said = road_run_to(vcpu, ATTACKED);

	if (said.values[2])
		is_closed("VM-entry fails: %lu", said.values[2]);
	is_open("back in L1 with CR0 %#lx, CR4 %#lx", said.values[0],
		said.values[1]);
}

/* --- 6 --- */

static void l2_pinned(void)
{
	say(PINNED, get_cr0(), get_cr4(), 0, 0);
	vmcall();
}

static void guest_early(struct vmx_pages *vmx)
{
	GUEST_ASSERT(prepare_for_vmx_operation(vmx));
	GUEST_ASSERT(load_vmcs(vmx));
	set_cr0(get_cr0() | X86_CR0_WP);
	set_cr4(get_cr4() | PIN_CR4);
	prepare_vmcs(vmx, l2_pinned, l2_stack + STACK_SIZE - 8);
	vmwrite(HOST_CR4, get_cr4() & ~PIN_CR4);
	guest_attacked(launch());
}

static struct kvm_vcpu *early(void)
{
	struct kvm_vcpu *vcpu = road_vmx_vm(guest_early);

	road_run_to(vcpu, PINNED);
	road_pin(vcpu->vm, 0);
	if (!(road_cr4(vcpu) & PIN_CR4))
		is_broken("the VMM sees that CR4 is not pinned");
	return vcpu;
}

static void try_early(void)
{
	struct kvm_vcpu *vcpu = early();

	road_go_on(vcpu);
}

/* The checks of a careful VMM after it has installed the filter. */
static void try_early_careful(void)
{
	struct kvm_vcpu *vcpu = early();
	static union {
		struct kvm_nested_state state;
		uint8_t bytes[3 * 4096];
	} nested;
	uint64_t cr0, cr4;

	nested.state.size = sizeof(nested);
	vcpu_nested_state_get(vcpu, &nested.state);
	if (!(nested.state.flags & KVM_STATE_NESTED_GUEST_MODE))
		is_broken("not in L2");
	memcpy(&cr0, nested.state.data.vmx[0].vmcs12 + VMCS12_HOST_CR0, 8);
	memcpy(&cr4, nested.state.data.vmx[0].vmcs12 + VMCS12_HOST_CR4, 8);
	if (~cr0 & PIN_CR0 || ~cr4 & PIN_CR4)
		is_closed("KVM_GET_NESTED_STATE gives HOST_CR0 %#lx, HOST_CR4 %#lx: not pinned",
			  cr0, cr4);
	is_open("the VMM sees HOST_CR0 %#lx, HOST_CR4 %#lx", cr0, cr4);
}

/* --- 8 --- */

static void l2_attacked(void)
{
	guest_attacked(0);
}

static void guest_shadow(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_attacked);
	vmwrite(GUEST_CR4, get_cr4() & ~PIN_CR4);
	vmwrite(GUEST_CR0, get_cr0() & ~X86_CR0_WP);
	GUEST_ASSERT(!launch());
}

static void try_shadow(void)
{
	struct said said = road_run_to(pinned_vmx(guest_shadow), ATTACKED);

	if (said.values[0] & X86_CR0_WP || said.values[1] & PIN_CR4)
		is_closed("L2 has CR0 %#lx, CR4 %#lx", said.values[0],
			  said.values[1]);
	is_open("L2 has L1's memory, and CR0 %#lx, CR4 %#lx of its own",
		said.values[0], said.values[1]);
}

static void guest_vmxe(void)
{
	guest_pin();
	guest_attacked(set_cr4_safe(get_cr4() | X86_CR4_VMXE));
}

static _Noreturn void judge_vmxe(struct kvm_vcpu *vcpu)
{
	struct said said = road_run_to(vcpu, ATTACKED);

	if (said.values[1] & X86_CR4_VMXE)
		is_open("CR4 is %#lx", said.values[1]);
	is_closed("CR4.VMXE cannot be set: exception %lu", said.values[2]);
}

static void try_no_vmx(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_vmxe);

	vcpu_clear_cpuid_feature(vcpu, X86_FEATURE_VMX);
	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	judge_vmxe(vcpu);
}

static void try_vmxe_filtered(void)
{
	struct kvm_x86_cr_filter filter = { 0 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_vmxe);

	filter.regs[KVM_X86_CR_FILTER_CR4].set_mask = X86_CR4_VMXE;
	road_run_to(vcpu, PINNED);
	road_set_filter(vm, &filter);
	judge_vmxe(vcpu);
}

/* --- 10 and 23: MSRs that the MSR filter protects --- */

#define EVIL		0xffffffff12345678ul
#define EVIL_PAT	0x0007040600070400ul

static void guest_host_efer(struct vmx_pages *vmx)
{
	uint64_t efer;

	guest_vmx(vmx, l2_vmcall);
	efer = rdmsr(MSR_EFER);
	vmwrite(VM_EXIT_CONTROLS,
		vmreadz(VM_EXIT_CONTROLS) | VM_EXIT_LOAD_IA32_EFER);
	vmwrite(HOST_IA32_EFER, efer & ~EFER_NX);
	guest_attacked(launch());
}

static void guest_host_pat(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(VM_EXIT_CONTROLS,
		vmreadz(VM_EXIT_CONTROLS) | VM_EXIT_LOAD_IA32_PAT);
	vmwrite(HOST_IA32_PAT, EVIL_PAT);
	guest_attacked(launch());
}

static void guest_host_sysenter_cs(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_IA32_SYSENTER_CS, 0x5678);
	guest_attacked(launch());
}

static void guest_host_sysenter_esp(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_IA32_SYSENTER_ESP, EVIL);
	guest_attacked(launch());
}

static void guest_host_sysenter_eip(struct vmx_pages *vmx)
{
	guest_vmx(vmx, l2_vmcall);
	vmwrite(HOST_IA32_SYSENTER_EIP, EVIL);
	guest_attacked(launch());
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
	if (said.values[2] < VMFAIL(0))
		is_broken("no change, and no failure");
	is_closed("VMfail %lu, MSR %#x is %#lx", said.values[2] - VMFAIL(0),
		  msr, after);
}

static void try_host_efer(void)
{
	try_msr(guest_host_efer, MSR_EFER);
}

static void try_host_pat(void)
{
	try_msr(guest_host_pat, MSR_IA32_CR_PAT);
}

static void try_host_sysenter_cs(void)
{
	try_msr(guest_host_sysenter_cs, MSR_IA32_SYSENTER_CS);
}

static void try_host_sysenter_esp(void)
{
	try_msr(guest_host_sysenter_esp, MSR_IA32_SYSENTER_ESP);
}

static void try_host_sysenter_eip(void)
{
	try_msr(guest_host_sysenter_eip, MSR_IA32_SYSENTER_EIP);
}

const struct road vmx_roads[] = {
	{ 5, "VM-exit loads HOST_CR4", AS_EXPECTED, NEEDS_VMX, try_host_cr4, NULL },
	{ 5, "VM-exit loads HOST_CR0", AS_EXPECTED, NEEDS_VMX, try_host_cr0, NULL },
	{ 5, "VM-entry fails late, HOST_CR4 is loaded", AS_EXPECTED, NEEDS_VMX,
	  try_failed_entry, NULL },
	{ 5, "control: VM-exit with L1's own values still works",
	  STAYS_OPEN, NEEDS_VMX, try_host_same, NULL },
	{ 6, "filter installed while L2 runs, HOST_CR4 prepared", STAYS_OPEN,
	  NEEDS_VMX, try_early,
	  "after installing, read HOST_CR0 and HOST_CR4 by KVM_GET_NESTED_STATE of each vCPU in L2" },
	{ 6, "the same, and the VMM reads vmcs12", STAYS_CLOSED, NEEDS_VMX,
	  try_early_careful, NULL },
	{ 8, "L2 as a shadow kernel, VMX", STAYS_OPEN, NEEDS_VMX, try_shadow,
	  "give a pinned guest no SVM and no VMX in CPUID" },
	{ 8, "L2 as a shadow kernel, no VMX in CPUID", STAYS_CLOSED, NEEDS_VMX,
	  try_no_vmx, NULL },
	{ 8, "L2 as a shadow kernel, CR4.VMXE in set_mask", AS_EXPECTED, NEEDS_VMX,
	  try_vmxe_filtered, NULL },
	{ 10, "EFER by HOST_IA32_EFER", AS_EXPECTED, NEEDS_VMX, try_host_efer,
	  NULL },
	{ 10, "PAT by HOST_IA32_PAT", AS_EXPECTED, NEEDS_VMX, try_host_pat, NULL },
	{ 23, "SYSENTER_CS by vmcs12's host field", AS_EXPECTED, NEEDS_VMX,
	  try_host_sysenter_cs, NULL },
	{ 23, "SYSENTER_ESP by vmcs12's host field", AS_EXPECTED, NEEDS_VMX,
	  try_host_sysenter_esp, NULL },
	{ 23, "SYSENTER_EIP by vmcs12's host field", AS_EXPECTED, NEEDS_VMX,
	  try_host_sysenter_eip, NULL },
	{ 0 }
};
