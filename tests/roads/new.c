// SPDX-License-Identifier: GPL-2.0-only
/* Roads from 25 on, found while the filter was written: those for all CPUs. */
#include "roads.h"


/*
 * 29. The filter is installed while the vCPU is in SMM, where it shows the VMM the
 * expected registers. RSM brings back the registers from before, which were never
 * pinned.
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

	road_go_on(vcpu);
}

static void try_hiding_careful(void)
{
	struct kvm_vcpu *vcpu = hiding();
	struct kvm_vcpu_events events;

	vcpu_events_get(vcpu, &events);
	if (events.smi.smm)
		is_closed("KVM_GET_VCPU_EVENTS reports SMM: not pinned yet");
	is_open("the VMM sees nothing");
}

/*
 * 31. The guest is migrated while in SMM. The new host's KVM does not know the
 * registers at the SMI, and the guest has had time to edit SMRAM.
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
	/* For KVM this is as if the vCPU had been migrated. */
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

	road_go_on(vcpu);
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

/* 32. RSM is refused, and the VMM continues as if nothing had happened. */
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
	/* If KVM emulates all instructions, the shutdown comes a bit later. */
	if (reason == KVM_EXIT_IO)
		reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_SHUTDOWN)
		is_broken("%s", road_exit(vcpu, reason));
	reason = road_run(vcpu, NULL);
	if (reason == KVM_EXIT_IO && vcpu->run->io.port == SMM_PORT)
		is_open("the guest runs on, CR4 is %#lx", road_cr4(vcpu));
	is_closed("%s", road_exit(vcpu, reason));
}

/*
 * 36. A vCPU has waited for SIPI since before the filter was installed. It starts with
 * no bit set, and the VMM gets no INIT exit.
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
	/* This handles the INIT, as KVM_RUN in the VMM's other thread would. */
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
		is_closed("KVM_GET_MP_STATE reports that it waits for SIPI: not pinned");
	is_open("the VMM sees MP_STATE %u", state.mp_state);
}

const struct road new_roads[] = {
	{ 29, "filter installed while the vCPU is in SMM", STAYS_OPEN,
	  NEEDS_SMM, try_hiding,
	  "after installing, do not trust a vCPU's registers while KVM_GET_VCPU_EVENTS reports SMM" },
	{ 29, "the same, and the VMM asks for SMM", STAYS_CLOSED, NEEDS_SMM,
	  try_hiding_careful, NULL },
	{ 31, "migrated in SMM, RSM with CR4 edited", AS_EXPECTED, NEEDS_SMM,
	  try_migrated_cr4, NULL },
	{ 31, "migrated in SMM, RSM with EFER edited", STAYS_OPEN, NEEDS_SMM,
	  try_migrated_efer,
	  "do not migrate a pinned guest's vCPU in SMM, or give SMM no memory" },
	{ 32, "RSM is refused, and the VMM continues", ONLY_OPEN, NEEDS_SMM,
	  try_refused,
	  "after KVM_EXIT_SHUTDOWN reset the VM or never enter it again" },
	{ 36, "SIPI to a vCPU that got its INIT before the filter", STAYS_OPEN,
	  0, try_waiting,
	  "after installing, a vCPU in INIT_RECEIVED is not pinned; set_mask on CR0.PG exits when it turns paging on" },
	{ 36, "the same, and the VMM asks for MP_STATE", STAYS_CLOSED, 0,
	  try_waiting_careful, NULL },
	{ 0 }
};
