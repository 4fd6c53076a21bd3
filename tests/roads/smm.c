// SPDX-License-Identifier: GPL-2.0-only
/* Roads 1, 2 and 10: SMM, whose save area is in the guest's own memory. */
#include "roads.h"

static void guest_rsm_cr4(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_CR4, (uint32_t)~PIN_CR4);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static void guest_rsm_cr0(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_CR0, (uint32_t)~X86_CR0_WP);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

/* The guest also chooses the delivery mode of the paravirtual IPI. */
static void guest_rsm_hypercall(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_CR4, (uint32_t)~PIN_CR4);
	smm_rsm(&code);
	kvm_hypercall(KVM_HC_SEND_IPI, 1, 0, 0, APIC_DM_SMI);
	guest_attacked(0);
}

static void guest_rsm_untouched(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_out(&code);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static struct kvm_vcpu *pinned_with_smm(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);

	road_smm_memory(vm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	return vcpu;
}

static _Noreturn void try_rsm(void *guest)
{
	struct kvm_vcpu *vcpu = pinned_with_smm(guest);

	road_go_on(vcpu);
}

static void try_rsm_cr4(void)
{
	try_rsm(guest_rsm_cr4);
}

static void try_rsm_cr0(void)
{
	try_rsm(guest_rsm_cr0);
}

static void try_rsm_hypercall(void)
{
	try_rsm(guest_rsm_hypercall);
}

static void try_rsm_untouched(void)
{
	struct kvm_vcpu *vcpu = pinned_with_smm(guest_rsm_untouched);
	struct said said;
	int reason = road_run(vcpu, &said);

	if (reason != KVM_EXIT_IO || vcpu->run->io.port != SMM_PORT)
		is_broken("no SMM: %s", road_exit(vcpu, reason));
	reason = road_run(vcpu, &said);
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	is_open("back from SMM with CR0 %#lx, CR4 %#lx", said.values[0],
		said.values[1]);
}

static void guest_in_smm(void)
{
	struct smm_code code;

	guest_x2apic();
	guest_pin();
	smm_begin(&code);
	smm_mov_cr4_eax(&code);
	smm_out(&code);
	guest_smi();
	guest_attacked(0);
}

static void try_in_smm(void)
{
	struct kvm_vcpu *vcpu = pinned_with_smm(guest_in_smm);
	int reason = road_run(vcpu, NULL);
	struct kvm_regs regs;

	if (reason != KVM_EXIT_IO || vcpu->run->io.port != SMM_PORT)
		is_closed("%s", road_exit(vcpu, reason));
	vcpu_regs_get(vcpu, &regs);
	is_open("the guest's own code runs in SMM, CR4 is %#x",
		(uint32_t)regs.rax);
}

static void try_no_smm_memory(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_in_smm);
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	reason = road_run(vcpu, NULL);
	if (reason == KVM_EXIT_IO)
		is_open("the guest continues after an SMI");
	is_closed("the SMI ends the VM: %s", road_exit(vcpu, reason));
}

static void guest_rsm_efer(void)
{
	struct smm_code code;
	uint8_t vector;

	guest_x2apic();
	guest_pin();
	vector = wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_NX);
	say(HELLO, vector, 0, 0, 0);
	smm_begin(&code);
	smm_and(&code, SMBASE + SMRAM_EFER, ~EFER_NX);
	smm_rsm(&code);
	guest_smi();
	guest_attacked(0);
}

static void try_rsm_efer(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_rsm_efer);
	struct said said;
	uint64_t efer;
	int reason;

	road_smm_memory(vm);
	road_run_to(vcpu, PINNED);
	road_deny_msr(vm, MSR_EFER);
	road_pin(vm, 0);
	if (road_run_to(vcpu, HELLO).values[0] != GP_VECTOR)
		is_broken("the MSR filter allows WRMSR EFER");
	reason = road_run(vcpu, &said);
	if (reason != KVM_EXIT_IO || said.stage != ATTACKED)
		is_closed("%s", road_exit(vcpu, reason));
	efer = vcpu_get_msr(vcpu, MSR_EFER);
	if (efer & EFER_NX)
		is_broken("EFER is still %#lx", efer);
	is_open("the guest runs with EFER %#lx, which the MSR filter protects",
		efer);
}

const struct road smm_roads[] = {
	{ 1, "SMI by ICR, RSM with CR4 edited in SMRAM", AS_EXPECTED, NEEDS_SMM,
	  try_rsm_cr4, NULL },
	{ 1, "SMI by ICR, RSM with CR0.WP edited in SMRAM", AS_EXPECTED, NEEDS_SMM,
	  try_rsm_cr0, NULL },
	{ 1, "SMI by KVM_HC_SEND_IPI, RSM with CR4 edited", AS_EXPECTED, NEEDS_SMM,
	  try_rsm_hypercall, NULL },
	{ 1, "control: SMI and RSM without an edit still work", STAYS_OPEN,
	  NEEDS_SMM, try_rsm_untouched, NULL },
	{ 2, "running inside SMM", STAYS_OPEN, NEEDS_SMM, try_in_smm,
	  "give SMM's address space no memory, or only locked SMRAM" },
	{ 2, "running inside SMM, without memory for SMM", STAYS_CLOSED,
	  NEEDS_SMM, try_no_smm_memory, NULL },
	{ 10, "EFER by RSM, past the MSR filter", AS_EXPECTED, NEEDS_SMM,
	  try_rsm_efer, NULL },
	{ 0 }
};
