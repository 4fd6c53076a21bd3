// SPDX-License-Identifier: GPL-2.0-only
/* Roads 9, 11 to 15, 17, 18, 20: instructions, and bits that a policy may forget. */
#include <pthread.h>

#include "roads.h"

/* --- 32-bit code, for paging and its format: 4 MiB at 0, one to one --- */

#define CODE32	0x50000ul
#define PD32	0x60000ul

static struct kvm_vcpu *vm32(const uint8_t *code, size_t size)
{
	struct kvm_segment seg = { .limit = 0xffffffff, .selector = 8,
				   .type = 11, .present = 1, .s = 1, .db = 1,
				   .g = 1 };
	struct kvm_sregs sregs;
	struct kvm_vcpu *vcpu;
	struct kvm_regs regs = { .rip = CODE32, .rflags = 2 };
	uint32_t *table;
	struct kvm_vm *vm = road_vm(&vcpu, NULL);

	memcpy(addr_gpa2hva(vm, CODE32), code, size);
	table = addr_gpa2hva(vm, PD32);
	table[0] = 0xe3;	/* 4 MiB; without CR4.PSE: a table at 0 */
	table = addr_gpa2hva(vm, 0);
	for (unsigned int i = 0; i < 1024; i++)
		table[i] = i << 12 | 3;
	vcpu_sregs_get(vcpu, &sregs);
	sregs.cs = seg;
	seg.type = 3;
	seg.selector = 16;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = seg;
	sregs.efer = 0;
	sregs.cr0 = X86_CR0_PE | X86_CR0_NE | X86_CR0_ET | X86_CR0_WP |
		    X86_CR0_PG;
	sregs.cr4 = X86_CR4_PSE | PIN_CR4;
	sregs.cr3 = PD32;
	vcpu_sregs_set(vcpu, &sregs);
	vcpu_regs_set(vcpu, &regs);
	return vcpu;
}

static const uint8_t paging_off[] = {
	0x0f, 0x20, 0xc0,			/* mov %cr0, %eax */
	0x25, 0xff, 0xff, 0xff, 0x7f,		/* and $~PG, %eax */
	0x0f, 0x22, 0xc0,			/* mov %eax, %cr0 */
	0xe7, SMM_PORT, 0xf4,			/* out %eax, ...; hlt */
};

static const uint8_t pse_off[] = {
	0x0f, 0x20, 0xe0,			/* mov %cr4, %eax */
	0x83, 0xe0, 0xef,			/* and $~PSE, %eax */
	0x0f, 0x22, 0xe0,			/* mov %eax, %cr4 */
	0xe7, SMM_PORT, 0xf4,
};

static _Noreturn void judge32(struct kvm_vcpu *vcpu)
{
	int reason = road_run(vcpu, NULL);
	struct regpin_cr_write *w = road_cr_write(vcpu);

	if (reason == KVM_EXIT_X86_CR_WRITE)
		is_closed("the VMM is asked about register %u, %#llx -> %#llx",
			  w->reg, w->old_value, w->value);
	if (reason != KVM_EXIT_IO)
		is_closed("%s", road_exit(vcpu, reason));
	is_open("the guest runs with CR0 %#lx, CR4 %#lx", road_cr0(vcpu),
		road_cr4(vcpu));
}

static void try_paging_off(void)
{
	struct kvm_vcpu *vcpu = vm32(paging_off, sizeof(paging_off));

	road_pin(vcpu->vm, KVM_X86_CR_FILTER_EXIT);
	judge32(vcpu);
}

static void try_paging_off_forgotten(void)
{
	struct kvm_vcpu *vcpu = vm32(paging_off, sizeof(paging_off));
	struct kvm_x86_cr_filter filter = { .flags = KVM_X86_CR_FILTER_EXIT };

	filter.regs[KVM_X86_CR_FILTER_CR0].clear_mask = X86_CR0_WP;
	filter.regs[KVM_X86_CR_FILTER_CR4].clear_mask = PIN_CR4;
	road_set_filter(vcpu->vm, &filter);
	judge32(vcpu);
}

static void try_format(void)
{
	struct kvm_vcpu *vcpu = vm32(pse_off, sizeof(pse_off));
	struct kvm_x86_cr_filter filter = { .flags = KVM_X86_CR_FILTER_EXIT };

	filter.regs[KVM_X86_CR_FILTER_CR4].clear_mask = X86_CR4_PSE | X86_CR4_PAE;
	filter.regs[KVM_X86_CR_FILTER_CR4].set_mask = X86_CR4_PSE | X86_CR4_PAE;
	road_set_filter(vcpu->vm, &filter);
	judge32(vcpu);
}

static void guest_pcide(void)
{
	guest_pin();
	guest_attacked(set_cr4_safe(get_cr4() | X86_CR4_PCIDE));
}

static void try_pcide(void)
{
	struct kvm_x86_cr_filter filter = { 0 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct said said;

	if (!kvm_cpu_has(X86_FEATURE_PCID))
		is_skipped("no PCID here");
	vm = road_vm(&vcpu, guest_pcide);
	filter.regs[KVM_X86_CR_FILTER_CR4].set_mask = X86_CR4_PCIDE;
	road_run_to(vcpu, PINNED);
	road_set_filter(vm, &filter);
	said = road_run_to(vcpu, ATTACKED);
	if (said.values[1] & X86_CR4_PCIDE)
		is_open("CR4 is %#lx", said.values[1]);
	is_closed("exception %lu", said.values[2]);
}

/* --- 9 --- */

static void guest_efer(void)
{
	guest_pin();
	guest_attacked(wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_NX));
}

static _Noreturn void try_efer(bool deny)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_efer);
	struct said said;

	road_run_to(vcpu, PINNED);
	if (deny)
		road_deny_msr(vm, MSR_EFER);
	road_pin(vm, 0);
	said = road_run_to(vcpu, ATTACKED);
	if (!(vcpu_get_msr(vcpu, MSR_EFER) & EFER_NX))
		is_open("EFER is %#lx", vcpu_get_msr(vcpu, MSR_EFER));
	is_closed("exception %lu, EFER is %#lx", said.values[2],
		  vcpu_get_msr(vcpu, MSR_EFER));
}

static void try_efer_denied(void)
{
	try_efer(true);
}

static void try_efer_free(void)
{
	try_efer(false);
}

/* --- 13 --- */

#define TABLES	0x70000ul

static void guest_cr3(void)
{
	guest_pin();
	asm volatile("mov %0, %%cr3" : : "r"(TABLES) : "memory");
	say(ATTACKED, get_cr3(), 0, 0, 0);
}

static void try_cr3(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_cr3);
	struct said said;

	memcpy(addr_gpa2hva(vm, TABLES), addr_gpa2hva(vm, vm->pgd), 4096);
	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	said = road_run_to(vcpu, ATTACKED);
	if (said.values[0] == TABLES)
		is_open("CR3 is %#lx", said.values[0]);
	is_closed("CR3 is %#lx", said.values[0]);
}

/* --- 14 --- */

static void guest_early(void)
{
	guest_pin();
	set_cr4(get_cr4() & ~PIN_CR4);
	guest_attacked(0);
	guest_attacked(0);
}

static void try_early(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_early);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_run_to(vcpu, ATTACKED);
	road_pin(vm, 0);
	reason = road_run(vcpu, &said);
	road_judge(vcpu, reason, &said);
}

static volatile uint64_t toggled;

static void guest_toggle(void)
{
	guest_pin();
	for (;;) {
		if (!set_cr4_safe(get_cr4() & ~PIN_CR4))
			toggled++;
		set_cr4(get_cr4() | PIN_CR4);
	}
}

static void *run_thread(void *vcpu)
{
	__vcpu_run(vcpu);
	return NULL;
}

static void try_race(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_toggle);
	volatile uint64_t *count = addr_gva2hva(vm, (vm_vaddr_t)&toggled);
	uint64_t before, after;
	pthread_t thread;

	road_run_to(vcpu, PINNED);
	pthread_create(&thread, NULL, run_thread, vcpu);
	while (*count < 100)
		usleep(1000);
	road_pin(vm, 0);
	before = *count;
	usleep(300000);
	after = *count;
	/* One clear may have happened before the ioctl's end and been counted after it. */
	if (after > before + 1)
		is_open("%lu clears after the filter was installed",
			after - before);
	is_closed("%lu clears before the ioctl returned, %lu after it", before,
		  after - before);
}

/* --- 15, 17, 18, 20 --- */

static void guest_new_bit(void)
{
	guest_pin();
	guest_attacked(set_cr4_safe(get_cr4() | X86_CR4_TSD));
}

static _Noreturn void try_set(uint64_t set_mask)
{
	struct kvm_x86_cr_filter filter = { 0 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_new_bit);
	struct said said;

	filter.regs[KVM_X86_CR_FILTER_CR4].clear_mask = PIN_CR4;
	filter.regs[KVM_X86_CR_FILTER_CR4].set_mask = set_mask;
	road_run_to(vcpu, PINNED);
	road_set_filter(vm, &filter);
	said = road_run_to(vcpu, ATTACKED);
	if (said.values[1] & X86_CR4_TSD)
		is_open("CR4 is %#lx", said.values[1]);
	is_closed("exception %lu, CR4 is %#lx", said.values[2],
		  said.values[1]);
}

static void try_new_bit(void)
{
	try_set(X86_CR4_TSD);
}

static void try_new_bit_forgotten(void)
{
	try_set(0);
}

static void guest_mov(void)
{
	guest_pin();
	guest_attacked(set_cr4_safe(get_cr4() & ~PIN_CR4));
}

static void guest_fep(void)
{
	uint64_t error, value;

	guest_pin();
	value = get_cr4() & ~PIN_CR4;
	guest_attacked(kvm_asm_safe_ec_fep("mov %[v], %%cr4", error,
					   [v] "r"(value)));
}

static void guest_mov_cr0(void)
{
	guest_pin();
	guest_attacked(set_cr0_safe(get_cr0() & ~X86_CR0_WP));
}

static _Noreturn void try_pinned(void *guest)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest);
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vm, 0);
	reason = road_run(vcpu, &said);
	road_judge(vcpu, reason, &said);
}

static void try_mov(void)
{
	try_pinned(guest_mov);
}

static void try_mov_cr0(void)
{
	try_pinned(guest_mov_cr0);
}

static void try_fep(void)
{
	try_pinned(guest_fep);
}

static void guest_storm(void)
{
	unsigned int denied = 0;

	guest_pin();
	for (unsigned int i = 0; i < 1000; i++)
		denied += set_cr4_safe(get_cr4() & ~PIN_CR4) == GP_VECTOR;
	say(ATTACKED, denied, 0, 0, 0);
}

static _Noreturn void try_storm(unsigned int flags)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = road_vm(&vcpu, guest_storm);
	unsigned int exits = 0;
	struct said said;
	int reason;

	road_run_to(vcpu, PINNED);
	road_pin(vm, flags);
	while ((reason = road_run(vcpu, &said)) == KVM_EXIT_X86_CR_WRITE) {
		road_cr_write(vcpu)->error = 1;
		exits++;
	}
	if (reason != KVM_EXIT_IO || said.values[0] != 1000)
		is_broken("%s, %lu denied", road_exit(vcpu, reason),
			  said.values[0]);
	if (exits)
		is_open("1000 denied writes make %u exits", exits);
	is_closed("1000 denied writes make no exit");
}

static void try_storm_exits(void)
{
	try_storm(KVM_X86_CR_FILTER_EXIT);
}

static void try_storm_gp(void)
{
	try_storm(0);
}

static void guest_xsetbv(void)
{
	uint8_t vector;

	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	xsetbv(0, this_cpu_supported_xcr0() & 7);
	say(PINNED, xgetbv(0), 0, 0, 0);
	vector = xsetbv_safe(0, 1);
	say(ATTACKED, xgetbv(0), get_cr4(), vector, 0);
	vector = set_cr4_safe(get_cr4() & ~X86_CR4_OSXSAVE);
	say(ATTACKED, 0, get_cr4(), vector, 0);
}

static struct kvm_vcpu *xsave_vm(void)
{
	struct kvm_x86_cr_filter filter = { 0 };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct said said;

	if (!kvm_cpu_has(X86_FEATURE_XSAVE))
		is_skipped("no XSAVE here");
	vm = road_vm(&vcpu, guest_xsetbv);
	said = road_run_to(vcpu, PINNED);
	if (said.values[0] < 3)
		is_skipped("XCR0 is only %#lx here", said.values[0]);
	filter.regs[KVM_X86_CR_FILTER_XCR0].clear_mask = said.values[0] & ~1ul;
	filter.regs[KVM_X86_CR_FILTER_CR4].clear_mask = X86_CR4_OSXSAVE;
	road_set_filter(vm, &filter);
	return vcpu;
}

static void try_xcr0(void)
{
	struct said said = road_run_to(xsave_vm(), ATTACKED);

	if (said.values[0] == 1)
		is_open("XCR0 is %#lx", said.values[0]);
	is_closed("exception %lu, XCR0 is %#lx", said.values[2],
		  said.values[0]);
}

static void try_osxsave(void)
{
	struct kvm_vcpu *vcpu = xsave_vm();
	struct said said;

	road_run_to(vcpu, ATTACKED);
	said = road_run_to(vcpu, ATTACKED);
	if (!(said.values[1] & X86_CR4_OSXSAVE))
		is_open("CR4 is %#lx", said.values[1]);
	is_closed("exception %lu, CR4 is %#lx", said.values[2],
		  said.values[1]);
}

const struct road cr_roads[] = {
	{ 9, "WRMSR EFER, no MSR filter", STAYS_OPEN, 0, try_efer_free,
	  "deny writes of EFER by the MSR filter, too" },
	{ 9, "WRMSR EFER, denied by the MSR filter", STAYS_CLOSED, 0,
	  try_efer_denied, NULL },
	{ 11, "paging off, 32 bits", AS_EXPECTED, 0, try_paging_off, NULL },
	{ 11, "paging off, PG not pinned", STAYS_OPEN, 0,
	  try_paging_off_forgotten, "pin CR0.PG and PE with WP and SMEP" },
	{ 12, "page table format: CR4.PSE, 32 bits", AS_EXPECTED, 0, try_format,
	  NULL },
	{ 12, "page table format: CR4.PCIDE", AS_EXPECTED, 0, try_pcide, NULL },
	{ 13, "CR3 to page tables of the guest's choice", STAYS_OPEN, 0, try_cr3,
	  "page tables cannot be protected by registers" },
	{ 14, "cleared before the filter is installed", STAYS_OPEN, 0, try_early,
	  "install first, then read each vCPU's registers" },
	{ 14, "clearing while the filter is installed", AS_EXPECTED, 0, try_race,
	  NULL },
	{ 15, "a bit that the policy does not name, in set_mask", AS_EXPECTED, 0,
	  try_new_bit, NULL },
	{ 15, "a bit that the policy does not name, not in set_mask",
	  STAYS_OPEN, 0, try_new_bit_forgotten,
	  "set_mask = all that KVM can filter, except what is allowed" },
	{ 17, "MOV CR4 (the ordinary write, not a road)", AS_EXPECTED, 0, try_mov, NULL },
	{ 17, "MOV CR0 (the ordinary write, not a road)", AS_EXPECTED, 0, try_mov_cr0,
	  NULL },
	{ 17, "MOV CR4 by the emulator", AS_EXPECTED, NEEDS_FEP, try_fep, NULL },
	{ 18, "exit storm, filter with exits", ONLY_OPEN, 0, try_storm_exits,
	  "limit events, never verdicts; or filter by #GP" },
	{ 18, "exit storm, filter with #GP", ONLY_CLOSED, 0, try_storm_gp,
	  NULL },
	{ 20, "XSETBV", AS_EXPECTED, 0, try_xcr0, NULL },
	{ 20, "CR4.OSXSAVE", AS_EXPECTED, 0, try_osxsave, NULL },
	{ 21, "a state that the guest chose, written by the VMM", VMM_DUTY, 0,
	  NULL, "check a guest's values before KVM_SET_SREGS: KVM does not filter the VMM" },
	{ 24, "S3: resume continues where the guest chose", VMM_DUTY, 0, NULL,
	  "no S3 for pinned guests, or pins that hold from the resume vector on" },
	{ 0 }
};
