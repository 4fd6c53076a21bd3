// SPDX-License-Identifier: GPL-2.0-only
/*
 * Searches for unknown roads. The guests do at random what kernels can do to their
 * registers, with SMM, nesting and INIT, and change at random what KVM reads back from
 * their memory. The pins must hold whenever the guest runs as L1, and the registers
 * that L1 will get back must be pinned, too.
 */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "roads.h"

#define HSAVE		0x20000ul
#define OPERATIONS	40
#define EXITS		200

static uint64_t random_state = 1;
static struct vmcb good_vmcb;
static uint64_t vmcb_gpa;
static bool is_svm;

static uint64_t rnd(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 11;
}

static uint64_t bit(unsigned int limit)
{
	return 1ul << rnd() % limit;
}

/* --- in the guest --- */

/* xorl $value, address */
static void smm_xor(struct smm_code *code, uint32_t address, uint32_t value)
{
	SMM_PUT(code, 0x67, 0x66, 0x81, 0x35);
	smm_put(code, &address, sizeof(address));
	smm_put(code, &value, sizeof(value));
}

/* A random place in what RSM reads, more often one that matters. */
static uint32_t rsm_address(void)
{
	static const uint32_t smram[] = {
		SMRAM_FLAG, SMRAM_VMCB, SMRAM_EFER, SMRAM_EFER + 1, SMRAM_CR4,
		SMRAM_CR4 + 2, SMRAM_CR0, SMRAM_CR0 + 2, SMRAM_CR3, SMRAM_RIP,
	};
	static const uint32_t save[] = {
		0xd0, 0xd1, 0x148, 0x14a, 0x150, 0x158, 0x15a, 0x170, 0x178,
	};
	unsigned int what = rnd() % 10;

	if (what < 5)
		return SMBASE + smram[rnd() % ARRAY_SIZE(smram)];
	if (what == 5)
		return SMBASE + 0xfe00 + rnd() % 508;
	if (what < 8 && is_svm)
		return HSAVE + 0x400 + save[rnd() % ARRAY_SIZE(save)];
	if (what == 8 && is_svm)
		return vmcb_gpa + 0x400 + save[rnd() % ARRAY_SIZE(save)];
	if (what == 9 && is_svm)
		return vmcb_gpa + rnd() % 0x700;
	return SMBASE + 0xfe00 + rnd() % 508;
}

static void random_smi(void)
{
	unsigned int changes = rnd() % 4 ? rnd() % 2 : rnd() % 4;
	struct smm_code code;

	smm_begin(&code);
	while (changes--)
		smm_xor(&code, rsm_address(), rnd() % 8 ? bit(32) : rnd());
	smm_rsm(&code);
	guest_smi();
}

/* Without nesting. */
static void random_write(void)
{
	uint64_t error, value;

	switch (rnd() % 10) {
	case 0:
		set_cr4_safe((get_cr4() ^ bit(26)) | X86_CR4_OSFXSR);
		break;
	case 1:
		set_cr0_safe((get_cr0() ^ bit(32)) &
			     ~(X86_CR0_EM | X86_CR0_TS));
		break;
	case 2:
		wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) ^ bit(16));
		break;
	case 3:
		set_cr4_safe(((get_cr4() & ~bit(26)) | X86_CR4_OSFXSR) &
			     ~PIN_CR4);
		break;
	case 4:
		value = rnd() % 16 & ~X86_CR0_EM;
		kvm_asm_safe("lmsw %[v]", [v] "r"((uint16_t)value));
		asm volatile("clts");
		break;
	case 5:
		xsetbv_safe(0, rnd() % 8);
		break;
	case 6:
		if (is_forced_emulation_enabled) {
			value = (get_cr4() ^ bit(22)) | X86_CR4_OSFXSR;
			kvm_asm_safe_ec_fep("mov %[v], %%cr4", error,
					    [v] "r"(value));
		}
		break;
	case 7:
		wrmsr_safe(MSR_LSTAR, rnd());
		wrmsr_safe(MSR_IA32_SYSENTER_EIP, rnd());
		break;
	case 8:
		if (is_svm)
			kvm_asm_safe("vmload %%rax", "a"(HSAVE));
		break;
	case 9:
		random_smi();
		break;
	}
	asm volatile("clts");
}

static void l2_random(void)
{
	for (;;) {
		unsigned int writes = rnd() % 6;

		while (writes--)
			random_write();
		if (is_svm)
			vmmcall();
		else
			vmcall();
	}
}

static void mutate(uint8_t *at, unsigned int size, unsigned int times)
{
	while (times--)
		at[rnd() % size] ^= bit(8);
}

static void random_vmrun(struct svm_test_data *svm)
{
	*svm->vmcb = good_vmcb;
	svm->vmcb->save.cr0 = get_cr0();
	svm->vmcb->save.cr4 = get_cr4();
	if (rnd() % 2)
		svm->vmcb->save.cr4 ^= bit(22);
	if (rnd() % 2)
		svm->vmcb->save.cr0 ^= X86_CR0_WP;
	if (rnd() % 4 == 0)
		mutate((uint8_t *)&svm->vmcb->control, 0x100, 1 + rnd() % 3);
	if (rnd() % 4 == 0)
		mutate((uint8_t *)&svm->vmcb->save + 0xd0, 0xb0, 1);
	run_guest(svm->vmcb, svm->vmcb_gpa);
}

static void random_vmlaunch(struct vmx_pages *vmx)
{
	static const uint32_t fields[] = {
		HOST_CR0, HOST_CR4, HOST_IA32_EFER, HOST_IA32_PAT,
		HOST_IA32_SYSENTER_CS, HOST_IA32_SYSENTER_ESP,
		HOST_IA32_SYSENTER_EIP, GUEST_CR0, GUEST_CR4, GUEST_IA32_EFER,
		GUEST_IA32_PAT, CR0_GUEST_HOST_MASK, CR4_GUEST_HOST_MASK,
		CR0_READ_SHADOW, CR4_READ_SHADOW, VM_EXIT_CONTROLS,
		VM_ENTRY_CONTROLS, CPU_BASED_VM_EXEC_CONTROL,
		SECONDARY_VM_EXEC_CONTROL, PIN_BASED_VM_EXEC_CONTROL,
		GUEST_RFLAGS, EXCEPTION_BITMAP, GUEST_ACTIVITY_STATE,
		GUEST_INTERRUPTIBILITY_INFO, VM_ENTRY_INTR_INFO_FIELD,
	};
	unsigned int changes = rnd() % 4;

	if (!load_vmcs(vmx))
		return;
	prepare_vmcs(vmx, l2_random, l2_stack + STACK_SIZE - 8);
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, vmreadz(CPU_BASED_VM_EXEC_CONTROL) |
					   CPU_BASED_USE_MSR_BITMAPS);
	if (rnd() % 2)
		vmwrite(VM_EXIT_CONTROLS, vmreadz(VM_EXIT_CONTROLS) |
			VM_EXIT_LOAD_IA32_EFER | VM_EXIT_LOAD_IA32_PAT);
	if (rnd() % 2)
		vmwrite(VM_ENTRY_CONTROLS, vmreadz(VM_ENTRY_CONTROLS) |
			VM_ENTRY_LOAD_IA32_EFER | VM_ENTRY_LOAD_IA32_PAT);
	vmwrite(HOST_IA32_EFER, rdmsr(MSR_EFER));
	vmwrite(GUEST_IA32_EFER, rdmsr(MSR_EFER));
	vmwrite(HOST_IA32_PAT, rdmsr(MSR_IA32_CR_PAT));
	vmwrite(GUEST_IA32_PAT, rdmsr(MSR_IA32_CR_PAT));
	while (changes--) {
		uint32_t field = fields[rnd() % ARRAY_SIZE(fields)];

		vmwrite(field, vmreadz(field) ^ bit(32));
	}
	if (vmlaunch())
		return;
	for (changes = rnd() % 3; changes; changes--) {
		uint32_t field = fields[rnd() % ARRAY_SIZE(fields)];

		/* Skips an instruction such as VMCALL. */
		vmwrite(GUEST_RIP, vmreadz(GUEST_RIP) +
				   vmreadz(VM_EXIT_INSTRUCTION_LEN));
		vmwrite(field, vmreadz(field) ^ bit(32));
		if (vmresume())
			return;
	}
}

static void guest_random(void *nested)
{
	guest_x2apic();
	if (nested && !is_svm)
		GUEST_ASSERT(prepare_for_vmx_operation(nested));
	set_cr4(get_cr4() | X86_CR4_OSXSAVE);
	if (is_svm) {
		generic_svm_setup(nested, l2_random,
				  l2_stack + STACK_SIZE - 8);
		good_vmcb = *((struct svm_test_data *)nested)->vmcb;
		wrmsr(MSR_VM_HSAVE_PA, HSAVE);
		asm volatile("vmsave %0" : : "a"(HSAVE) : "memory");
	}
	guest_pin();
	for (unsigned int i = 0; i < OPERATIONS; i++) {
		unsigned int what = rnd() % 12;

		if (what < 6)
			random_write();
		else if (what < 8)
			random_smi();
		else if (what == 8 && rnd() % 8 == 0)
			guest_ipi(0, APIC_DM_INIT);
		else if (nested && is_svm)
			random_vmrun(nested);
		else if (nested)
			random_vmlaunch(nested);
		if (rnd() % 4 == 0)
			say(HELLO, 0, 0, 0, 0);
	}
	say(ATTACKED, 0, 0, 0, 0);
}

/* --- in the VMM --- */

static const uint32_t denied[] = {
	MSR_EFER, MSR_LSTAR, MSR_STAR, MSR_SYSCALL_MASK, MSR_IA32_SYSENTER_CS,
	MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_IA32_CR_PAT,
};
static uint64_t msrs[ARRAY_SIZE(denied)];

static void deny(struct kvm_vm *vm)
{
	struct kvm_msr_filter filter = { 0 };
	static uint8_t none;

	for (unsigned int i = 0; i < ARRAY_SIZE(denied); i++)
		filter.ranges[i] = (struct kvm_msr_filter_range){
			.flags = KVM_MSR_FILTER_WRITE, .nmsrs = 1,
			.base = denied[i], .bitmap = &none,
		};
	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static _Noreturn void lost(struct kvm_vcpu *vcpu, const char *what,
			   uint64_t value)
{
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	is_open("%s is %#lx, exit %s, run flags %#x, rip %#llx", what, value,
		road_exit(vcpu, vcpu->run->exit_reason), vcpu->run->flags,
		regs.rip);
}

static void check_crs(struct kvm_vcpu *vcpu, uint64_t cr0, uint64_t cr4)
{
	if (~cr0 & PIN_CR0)
		lost(vcpu, "CR0", cr0);
	if (~cr4 & PIN_CR4)
		lost(vcpu, "CR4", cr4);
}

static void check(struct kvm_vcpu *vcpu)
{
	static union {
		struct kvm_nested_state state;
		uint8_t bytes[4 * 4096];
	} nested;
	struct kvm_vcpu_events events;
	uint64_t cr0, cr4, value;
	bool l2 = false;

	vcpu_events_get(vcpu, &events);
	if (kvm_has_cap(KVM_CAP_NESTED_STATE)) {
		nested.state.size = sizeof(nested);
		vcpu_nested_state_get(vcpu, &nested.state);
		l2 = nested.state.flags & KVM_STATE_NESTED_GUEST_MODE;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(denied); i++) {
		/* In L2 and in SMM, these registers are others. */
		if ((l2 || events.smi.smm) &&
		    (denied[i] == MSR_EFER || denied[i] == MSR_IA32_CR_PAT ||
		     !is_svm))
			continue;
		value = vcpu_get_msr(vcpu, denied[i]);
		if (denied[i] == MSR_EFER)
			value &= ~EFER_LMA;
		if (value != msrs[i])
			lost(vcpu, denied[i] == MSR_EFER ? "EFER" : "an MSR",
			     value);
	}
	if (events.smi.smm)
		return;
	if (!l2) {
		check_crs(vcpu, road_cr0(vcpu), road_cr4(vcpu));
	} else if (is_svm) {
		struct vmcb *l1 = (void *)nested.state.data.svm[0].vmcb12;

		check_crs(vcpu, l1->save.cr0, l1->save.cr4);
		if ((l1->save.efer & ~(EFER_LMA | EFER_SVME)) !=
		    (msrs[0] & ~EFER_SVME))
			lost(vcpu, "L1's EFER", l1->save.efer);
	} else {
		memcpy(&cr0, nested.state.data.vmx[0].vmcs12 + 584, 8);
		memcpy(&cr4, nested.state.data.vmx[0].vmcs12 + 600, 8);
		check_crs(vcpu, cr0, cr4);
	}
}

static void nothing(int signal)
{
}

static uint64_t seed;

/* A guest that has its pins, and the first random numbers of the seed. */
static struct kvm_vcpu *pinned_guest(void)
{
	vm_vaddr_t nested = 0;
	struct kvm_vcpu *vcpu;
	unsigned int flags;
	struct kvm_vm *vm = road_vm(&vcpu, guest_random);

	is_svm = kvm_cpu_has(X86_FEATURE_SVM);
	random_state = seed;
	flags = rnd() % 2 ? KVM_X86_CR_FILTER_EXIT : 0;
	if (is_svm) {
		struct svm_test_data *svm = vcpu_alloc_svm(vm, &nested);

		vmcb_gpa = svm->vmcb_gpa;
	} else if (kvm_cpu_has(X86_FEATURE_VMX)) {
		vcpu_alloc_vmx(vm, &nested);
	}
	vcpu_args_set(vcpu, 1, nested);
	sync_global_to_guest(vm, random_state);
	sync_global_to_guest(vm, is_svm);
	sync_global_to_guest(vm, vmcb_gpa);
	road_smm_memory(vm);
	road_run_to(vcpu, PINNED);
	for (unsigned int i = 0; i < ARRAY_SIZE(denied); i++) {
		msrs[i] = vcpu_get_msr(vcpu, denied[i]);
		if (denied[i] == MSR_EFER)
			msrs[i] &= ~EFER_LMA;
	}
	deny(vm);
	road_pin(vm, flags | KVM_X86_CR_FILTER_EXIT_INIT);
	return vcpu;
}

/* Checks the pins after an exit, and answers it. Returns whether the guest can run on. */
static bool after_exit(struct kvm_vcpu *vcpu, int reason, unsigned int exits)
{
	struct regpin_cr_write *w = road_cr_write(vcpu);
	struct ucall uc;

	if (reason == KVM_EXIT_SHUTDOWN || reason == KVM_EXIT_INTERNAL_ERROR ||
	    reason == KVM_EXIT_FAIL_ENTRY)
		return false;
	if (reason == KVM_EXIT_X86_CR_WRITE && w->cause == KVM_X86_CR_CAUSE_INIT)
		return false;
	check(vcpu);
	if (reason == KVM_EXIT_X86_CR_WRITE) {
		w->error = !(w->value & 1);
		w->value = w->old_value;
	}
	if (reason != KVM_EXIT_IO)
		return true;
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_SYNC:
		if (uc.args[1] == ATTACKED)
			is_closed("done, %u exits", exits);
		break;
	case UCALL_ABORT:
		is_closed("aborted: %s", uc.buffer);
	}
	return true;
}

static void one_guest(void)
{
	const struct itimerval time = { .it_value = { 0, 300000 },
					.it_interval = { 0, 300000 } };
	const struct sigaction action = { .sa_handler = nothing };
	struct kvm_vcpu *vcpu = pinned_guest();
	unsigned int exits;
	int reason = 0;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &time, NULL);
	for (exits = 0; exits < EXITS; exits++) {
		if (__vcpu_run(vcpu)) {
			reason = -errno;
			if (reason == -EINTR)
				check(vcpu);
			break;
		}
		reason = vcpu->run->exit_reason;
		if (!after_exit(vcpu, reason, exits))
			break;
	}
	is_closed("%s after %u exits", road_exit(vcpu, reason), exits);
}

int fuzz(unsigned int seconds, uint64_t first,
	 struct result *(*run)(void (*try)(void)))
{
	time_t end = time(NULL) + seconds;
	unsigned int guests = 0, done = 0;
	struct result *result;
	bool once = !seconds;

	for (seed = first; once || time(NULL) < end; seed++, guests++) {
		result = run(one_guest);
		if (result->outcome != CLOSED) {
			printf("not ok 1 - guest %lu: %s\n1..1\n", seed,
			       result->text);
			return 1;
		}
		done += !strncmp(result->text, "done", 4);
		if (getenv("ROADS_VERBOSE") || once)
			printf("# %lu: %s\n", seed, result->text);
		if (once)
			break;
	}
	printf("ok 1 - %u guests from seed %lu, %u of them ran to their end: the pins hold\n1..1\n",
	       guests, first, done);
	return 0;
}
