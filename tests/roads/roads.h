/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Roads around the CR filter: each is an attack by a guest's kernel whose registers a
 * VMM has pinned. See README.md.
 *
 * In each of them the host sets up the guest as a VMM would, the guest pins itself
 * (guest_pin()), the host installs the filter if KVM has one, the guest attacks, and
 * the host checks the pinned bits.
 */
#ifndef REGPIN_TESTS_ROADS_ROADS_H
#define REGPIN_TESTS_ROADS_ROADS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "svm_util.h"
#include "vmx.h"

#include "../../include/regpin/kvm_cr_filter.h"

enum outcome {
	OPEN,		/* the attack succeeded */
	CLOSED,		/* KVM, or the VMM by means of KVM, prevented it */
	SKIPPED,	/* it cannot be tried here */
	BROKEN,		/* neither: the test itself failed */
};

struct result {
	enum outcome outcome;
	char text[240];
};

/* These end the try. */
_Noreturn void __attribute__((format(printf, 1, 2)))
is_open(const char *format, ...);
_Noreturn void __attribute__((format(printf, 1, 2)))
is_closed(const char *format, ...);
_Noreturn void __attribute__((format(printf, 1, 2)))
is_skipped(const char *format, ...);
_Noreturn void __attribute__((format(printf, 1, 2)))
is_broken(const char *format, ...);

/* The expected result of a road. */
enum wants {
	AS_EXPECTED,	/* open on stock KVM, closed with the CR filter */
	STAYS_OPEN,	/* open by design, or without the defence */
	STAYS_CLOSED,	/* closed on stock KVM as well, for example by the MSR filter */
	ONLY_CLOSED,	/* stock KVM has nothing to compare */
	ONLY_OPEN,	/* the filter is used, but without the defence */
	VMM_DUTY,	/* nothing to run: the text names the VMM's duty */
};

enum {
	NEEDS_SVM = 1,		/* nested SVM */
	NEEDS_VMX = 2,		/* nested VMX */
	NEEDS_SMM = 4,
	NEEDS_FEP = 8,		/* kvm.force_emulation_prefix */
};

struct road {
	unsigned int number;
	const char *name;
	enum wants wants;
	unsigned int needs;
	void (*try)(void);
	const char *text;
};

/*
 * Runs random guests for some time, each by @run in a process of its own; for 0 seconds
 * one guest. Returns the exit status.
 */
int fuzz(unsigned int seconds, uint64_t first,
	 struct result *(*run)(void (*try)(void)));

extern const struct road cr_roads[], smm_roads[], init_roads[], svm_roads[],
	vmx_roads[], new_roads[], new_svm_roads[], new_vmx_roads[];

/* --- the host's side --- */

extern bool have_cr_filter;

/* The pins: write protection, SMEP, and paging itself. */
#define PIN_CR0		(X86_CR0_WP | X86_CR0_PE | X86_CR0_PG)
#define PIN_CR4		X86_CR4_SMEP

/* A VM whose vCPU runs @guest; the first MiB is free, and mapped at low(). */
struct kvm_vm *road_vm(struct kvm_vcpu **vcpu, void *guest);
/* The same for two vCPUs; with a NULL there is only room for the second. */
struct kvm_vm *road_vm2(struct kvm_vcpu **vcpu, void *guest,
			struct kvm_vcpu **other, void *others_guest);

/* Gives SMM an address space of its own, the same memory as without SMM. */
void road_smm_memory(struct kvm_vm *vm);

/* Installs the pins if KVM can filter at all; otherwise does nothing. */
void road_pin(struct kvm_vm *vm, unsigned int flags);
void road_set_filter(struct kvm_vm *vm, const struct kvm_x86_cr_filter *filter);
/* Denies writes of @msr by KVM's MSR filter, which is older than the CR filter. */
void road_deny_msr(struct kvm_vm *vm, uint32_t msr);

/*
 * Calls KVM_RUN until an exit that is not the guest library's. Returns the exit reason,
 * or -errno; if the guest called say(), it returns KVM_EXIT_IO, and the values are in
 * @said.
 */
struct said {
	uint64_t stage, values[4];
};
int road_run(struct kvm_vcpu *vcpu, struct said *said);

/* The guest must reach say(stage); otherwise the try is broken. */
struct said road_run_to(struct kvm_vcpu *vcpu, uint64_t stage);

/* Describes the exit in words. */
const char *road_exit(struct kvm_vcpu *vcpu, int reason);

static inline struct regpin_cr_write *road_cr_write(struct kvm_vcpu *vcpu)
{
	return regpin_cr_write(vcpu->run);
}

uint64_t road_cr0(struct kvm_vcpu *vcpu);
uint64_t road_cr4(struct kvm_vcpu *vcpu);

/*
 * The usual end, after an attack on @vcpu that ended with @reason, and with @said if
 * the guest survived. The road is open if the pinned bits are gone.
 */
_Noreturn void road_judge(struct kvm_vcpu *vcpu, int reason,
			  const struct said *said);
/* Runs @vcpu, and then does the same. */
_Noreturn void road_go_on(struct kvm_vcpu *vcpu);

/* A VM with memory for SMM; @guest gets a struct svm_test_data, or vmx_pages. */
struct kvm_vcpu *road_svm_vm(void *guest);
struct kvm_vcpu *road_vmx_vm(void *guest);

/* --- the guest's side --- */

enum {
	PINNED = 1,	/* the pinned bits are set: the host installs the filter */
	ATTACKED,	/* values: CR0, CR4, the exception's vector of the attack */
	HELLO,
};

static inline void *low(uint64_t gpa)
{
	return (void *)(0x100000000000ul + gpa);
}

#define say(stage, a, b, c, d)	GUEST_SYNC_ARGS(stage, a, b, c, d)

/* L2's stack: each try has a process of its own, so one is enough. */
#define STACK_SIZE	4096
extern uint8_t l2_stack[STACK_SIZE];

/* Sets the pinned bits, and calls say(PINNED). */
void guest_pin(void);
/* Calls say(ATTACKED) with an exception's vector or VMFAIL(error). */
#define VMFAIL(error)	(1000ul + (error))
void guest_attacked(uint64_t vector);

static inline void set_cr0(uint64_t value)
{
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint8_t set_cr0_safe(uint64_t value)
{
	return kvm_asm_safe("mov %[v], %%cr0", [v] "r"(value));
}

static inline uint8_t set_cr4_safe(uint64_t value)
{
	return kvm_asm_safe("mov %[v], %%cr4", [v] "r"(value));
}

/* The address at which SMM starts if SMBASE was not moved. */
#define SMBASE		0x30000ul
#define SMM_ENTRY	(SMBASE + 0x8000)
#define SMM_PORT	0xe

/* KVM's and AMD's layout of the 64-bit save area, from SMBASE on. */
#define SMRAM_FLAG	0xfed8u		/* svm_guest_flag */
#define SMRAM_VMCB	0xfee0u
#define SMRAM_EFER	0xfed0u
#define SMRAM_SMBASE	0xff00u
#define SMRAM_CR4	0xff48u
#define SMRAM_CR3	0xff50u
#define SMRAM_CR0	0xff58u
#define SMRAM_RIP	0xff78u

/* Writes an SMM handler: call smm_begin(), then the writers of its code, then smm_rsm(). */
struct smm_code {
	uint8_t *at;
};
void smm_begin(struct smm_code *code);
void smm_store(struct smm_code *code, uint32_t address, uint32_t value);
void smm_and(struct smm_code *code, uint32_t address, uint32_t value);
void smm_out(struct smm_code *code);	/* sends EAX to SMM_PORT */
void smm_mov_cr4_eax(struct smm_code *code);
void smm_rsm(struct smm_code *code);
void smm_put(struct smm_code *code, const void *bytes, size_t size);
#define SMM_PUT(code, ...) \
	smm_put(code, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Sends an SMI to the vCPU itself. */
void guest_smi(void);

/* Sends an IPI by the local APIC's x2APIC interface, which no MSR filter sees. */
void guest_x2apic(void);
void guest_ipi(uint32_t to, uint32_t how);

#endif
