// SPDX-License-Identifier: GPL-2.0-only
/* Roads 3, 4, 16 and 19: a CPU that starts again after an INIT has no bits to clear. */
#include "roads.h"

#define START	0x40000ul	/* started by SIPI with vector 0x40 */
#define RESET	0xfffff000ul	/* the page with the reset vector */

/* Real mode: report CR4 and stop. An attacker would do other things there. */
static const uint8_t start_code[] = {
	0x0f, 0x20, 0xe0,		/* mov %cr4, %eax */
	0x66, 0xe7, SMM_PORT,		/* out %eax, $SMM_PORT */
	0xf4,				/* hlt */
};

static void guest_victim(void)
{
	guest_x2apic();
	guest_pin();
	for (;;)
		cpu_relax();
}

static void guest_init_other(void)
{
	guest_x2apic();
	memcpy(low(START), start_code, sizeof(start_code));
	guest_ipi(1, APIC_DM_INIT);
	guest_ipi(1, APIC_DM_STARTUP | START >> 12);
	say(HELLO, 0, 0, 0, 0);
}

static _Noreturn void judge_fresh(struct kvm_vcpu *vcpu, int reason)
{
	struct regpin_cr_write *w = road_cr_write(vcpu);
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	vcpu_sregs_get(vcpu, &sregs);
	if (reason == KVM_EXIT_X86_CR_WRITE && w->cause == KVM_X86_CR_CAUSE_INIT) {
		if (!(w->init.cr4 & PIN_CR4) || !(w->init.cr0 & X86_CR0_WP))
			is_broken("the exit has CR0 %#llx, CR4 %#llx",
				  w->init.cr0, w->init.cr4);
		if (sregs.cr4 || (regs.rip != 0xfff0 && regs.rip))
			is_broken("the exit came late: rip %#llx", regs.rip);
		is_closed("KVM_EXIT_X86_CR_WRITE, INIT, before the first instruction; CR4 was %#llx",
			  w->init.cr4);
	}
	if (reason != KVM_EXIT_IO || vcpu->run->io.port != SMM_PORT)
		is_closed("%s", road_exit(vcpu, reason));
	is_open("the guest's own code starts with CR4 %#x", (uint32_t)regs.rax);
}

static _Noreturn void try_init(unsigned int flags)
{
	struct kvm_vcpu *vcpu, *victim;
	struct kvm_vm *vm;

	vm = road_vm2(&vcpu, guest_init_other, &victim, guest_victim);
	road_run_to(victim, PINNED);
	road_pin(vm, flags);
	road_run_to(vcpu, HELLO);
	judge_fresh(victim, road_run(victim, NULL));
}

static void try_init_reported(void)
{
	try_init(KVM_X86_CR_FILTER_EXIT_INIT);
}

static void try_init_unreported(void)
{
	try_init(0);
}

/*
 * The VMM got the exit, and continues: its filter exits again when the new context
 * turns paging on.
 */
static void try_init_paging(void)
{
	/* Real mode: set CR0.PG and PE, with tables that are never used. */
	static const uint8_t code[] = {
		0x0f, 0x20, 0xc0,			/* mov %cr0, %eax */
		0x66, 0x0d, 0x01, 0, 0, 0x80,		/* or $PG|PE, %eax */
		0x0f, 0x22, 0xc0,			/* mov %eax, %cr0 */
		0x66, 0xe7, SMM_PORT,
		0xf4,
	};
	struct kvm_x86_cr_filter filter = { .flags = KVM_X86_CR_FILTER_EXIT };
	struct kvm_vcpu *vcpu, *victim;
	struct regpin_cr_write *w;
	struct kvm_vm *vm;
	uint32_t *table;
	int reason;

	vm = road_vm2(&vcpu, guest_init_other, &victim, guest_victim);
	/* CR3 is 0 after INIT: a page directory at 0, a table at 0x1000. */
	table = addr_gpa2hva(vm, 0);
	table[0] = 0x1007;
	table = addr_gpa2hva(vm, 0x1000);
	for (unsigned int i = 0; i < 1024; i++)
		table[i] = i << 12 | 7;
	filter.regs[KVM_X86_CR_FILTER_CR0].set_mask = X86_CR0_PG;
	road_run_to(victim, PINNED);
	road_set_filter(vm, &filter);
	road_run_to(vcpu, HELLO);
	memcpy(addr_gpa2hva(vm, START), code, sizeof(code));
	reason = road_run(victim, NULL);
	w = road_cr_write(victim);
	if (reason == KVM_EXIT_X86_CR_WRITE && w->cause == KVM_X86_CR_CAUSE_MOV)
		is_closed("the VMM is asked about CR0 %#llx -> %#llx, CR4 is %#lx",
			  w->old_value, w->value, road_cr4(victim));
	if (reason != KVM_EXIT_IO || victim->run->io.port != SMM_PORT)
		is_broken("%s", road_exit(victim, reason));
	is_open("paging is on, CR0 %#lx, CR4 %#lx", road_cr0(victim),
		road_cr4(victim));
}

static void add_firmware(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RESET, 3, 1, 0);
	memcpy(addr_gpa2hva(vm, RESET + 0xff0), start_code,
	       sizeof(start_code));
}

static void guest_init_self(void)
{
	guest_x2apic();
	guest_pin();
	guest_ipi(0, APIC_DM_INIT);
	for (;;)
		cpu_relax();
}

static void try_init_self(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_init_self);

	add_firmware(vm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, KVM_X86_CR_FILTER_EXIT_INIT);
	judge_fresh(vcpu, road_run(vcpu, NULL));
}

/* A second INIT must not hide the bits that the first one cleared. */
static void guest_init_twice(void)
{
	guest_x2apic();
	memcpy(low(START), start_code, sizeof(start_code));
	guest_ipi(1, APIC_DM_INIT);
	say(HELLO, 0, 0, 0, 0);
	guest_ipi(1, APIC_DM_INIT);
	guest_ipi(1, APIC_DM_STARTUP | START >> 12);
	say(HELLO, 0, 0, 0, 0);
}

static void try_init_twice(void)
{
	struct kvm_vcpu *vcpu, *victim;
	struct kvm_mp_state state;
	struct kvm_vm *vm;

	vm = road_vm2(&vcpu, guest_init_twice, &victim, guest_victim);
	road_run_to(victim, PINNED);
	road_pin(vm, KVM_X86_CR_FILTER_EXIT_INIT);
	road_run_to(vcpu, HELLO);
	/* This handles the first INIT. */
	vcpu_mp_state_get(victim, &state);
	road_run_to(vcpu, HELLO);
	judge_fresh(victim, road_run(victim, NULL));
}

static void guest_triple_fault(void)
{
	struct desc_ptr none = { 0 };

	guest_pin();
	asm volatile("lidt %0; int3" : : "m"(none));
}

static _Noreturn void try_triple(unsigned int flags)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_triple_fault);
	int reason;

	add_firmware(vm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, flags);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_SHUTDOWN)
		is_broken("%s", road_exit(vcpu, reason));
	/* The VMM does what it should never do: */
	judge_fresh(vcpu, road_run(vcpu, NULL));
}

static void try_triple_reported(void)
{
	try_triple(KVM_X86_CR_FILTER_EXIT_INIT);
}

static void try_triple_unreported(void)
{
	try_triple(0);
}

static void try_triple_vmx(void)
{
	try_triple(0);
}

static void guest_idle(void)
{
	say(HELLO, 0, 0, 0, 0);
	say(HELLO, 0, 0, 0, 0);
}

static void guest_clear(void)
{
	guest_pin();
	guest_attacked(set_cr4_safe(get_cr4() & ~PIN_CR4));
}

static void try_hotplug(void)
{
	struct kvm_vcpu *vcpu, *late;
	struct kvm_vm *vm;
	struct said said;
	int reason;

	vm = road_vm2(&vcpu, guest_idle, NULL, NULL);
	road_run_to(vcpu, HELLO);
	road_pin(vm, 0);
	late = vm_vcpu_add(vm, 1, guest_clear);
	road_run_to(late, PINNED);
	reason = road_run(late, &said);
	road_judge(late, reason, &said);
}

static void guest_init_0(void)
{
	guest_x2apic();
	guest_ipi(0, APIC_DM_INIT);
	say(HELLO, 0, 0, 0, 0);
}

static void guest_clear_x2apic(void)
{
	guest_x2apic();
	guest_clear();
}

/* In @vcpu an access waits for the VMM, and vCPU 1 sends it an INIT. */
static void init_meanwhile(struct kvm_vcpu *vcpu, struct kvm_vcpu *other)
{
	struct kvm_mp_state state;

	road_run_to(other, HELLO);
	vcpu_mp_state_get(vcpu, &state);
	if (road_cr4(vcpu))
		is_broken("no INIT: CR4 is %#lx", road_cr4(vcpu));
	vcpu->run->immediate_exit = 1;
	if (__vcpu_run(vcpu) != -1 || errno != EINTR)
		is_broken("%s", road_exit(vcpu, 0));
}

static void try_stale(void)
{
	struct kvm_vcpu *vcpu, *other;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	int reason;

	vm = road_vm2(&vcpu, guest_clear_x2apic, &other, guest_init_0);
	add_firmware(vm);
	road_run_to(vcpu, PINNED);
	road_pin(vm, KVM_X86_CR_FILTER_EXIT);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_X86_CR_WRITE)
		is_broken("%s", road_exit(vcpu, reason));
	road_cr_write(vcpu)->error = 0;
	init_meanwhile(vcpu, other);
	vcpu_regs_get(vcpu, &regs);
	if (road_cr4(vcpu) || regs.rip != 0xfff0)
		is_open("after INIT: rip %#llx, CR4 %#lx", regs.rip,
			road_cr4(vcpu));
	is_closed("nothing is applied to the reset vCPU");
}

static void guest_wrmsr_0(void)
{
	guest_x2apic();
	say(PINNED, 0, 0, 0, 0);
	wrmsr(MSR_LSTAR, 1);
	say(ATTACKED, 0, 0, 0, 0);
}

/* The same with KVM's MSR filter, to show that the problem is real. */
static void try_stale_msr(void)
{
	struct kvm_vcpu *vcpu, *other;
	struct kvm_regs regs;
	struct kvm_vm *vm;
	int reason;

	vm = road_vm2(&vcpu, guest_wrmsr_0, &other, guest_init_0);
	add_firmware(vm);
	road_run_to(vcpu, PINNED);
	vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR,
		      KVM_MSR_EXIT_REASON_FILTER);
	road_deny_msr(vm, MSR_LSTAR);
	reason = road_run(vcpu, NULL);
	if (reason != KVM_EXIT_X86_WRMSR)
		is_broken("%s", road_exit(vcpu, reason));
	vcpu->run->msr.error = 0;
	init_meanwhile(vcpu, other);
	vcpu_regs_get(vcpu, &regs);
	if (regs.rip != 0xfff0)
		is_open("the reset vCPU starts at %#llx", regs.rip);
	is_closed("nothing is applied to the reset vCPU");
}

const struct road init_roads[] = {
	{ 3, "INIT and SIPI to another vCPU", AS_EXPECTED, 0, try_init_reported, NULL },
	{ 3, "INIT and SIPI, filter without EXIT_INIT", ONLY_OPEN, 0,
	  try_init_unreported, "request EXIT_INIT" },
	{ 3, "INIT, then paging turned on: asked by set_mask", AS_EXPECTED, 0,
	  try_init_paging, NULL },
	{ 3, "INIT to self, through the reset vector", AS_EXPECTED, 0,
	  try_init_self, NULL },
	{ 3, "INIT twice: the exit has the registers before the first", AS_EXPECTED, 0,
	  try_init_twice, NULL },
	{ 4, "self triple fault, and the VMM continues", AS_EXPECTED, NEEDS_SVM,
	  try_triple_reported, NULL },
	{ 4, "self triple fault, filter without EXIT_INIT", ONLY_OPEN,
	  NEEDS_SVM, try_triple_unreported,
	  "after KVM_EXIT_SHUTDOWN reset the VM or never enter it again" },
	{ 4, "self triple fault on VMX: no INIT", STAYS_CLOSED, NEEDS_VMX,
	  try_triple_vmx, NULL },
	{ 16, "a vCPU plugged in later", AS_EXPECTED, 0, try_hotplug, NULL },
	{ 19, "INIT while a CR write waits for the VMM", ONLY_CLOSED, 0,
	  try_stale, NULL },
	{ 19, "INIT while a WRMSR waits for the VMM", STAYS_OPEN, 0,
	  try_stale_msr,
	  "after an MSR exit do not read MP_STATE before KVM_RUN" },
	{ 0 }
};
