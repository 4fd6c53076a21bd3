/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tiny VMM for tests: a VM with 2 MiB of memory whose vCPUs run one instruction at a
 * time, in the mode that a test chooses. It works alone, under libregpin's C API
 * (tiny_vm_attach()), and under the shim.
 */
#ifndef REGPIN_TESTS_LIVE_TINY_H
#define REGPIN_TESTS_LIVE_TINY_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "regpin/regpin.h"

#define TINY_MEMORY	0x200000u
#define TINY_WRMSR	0x8000u		/* wrmsr; hlt */
#define TINY_RDMSR	0x8010u		/* rdmsr; hlt */
#define TINY_LOOP	0x8020u		/* 1: wrmsr; jmp 1b */
#define TINY_CR0	0x8030u		/* mov %rax, %cr0; hlt */
#define TINY_CR4	0x8040u		/* mov %rax, %cr4; hlt */
#define TINY_CODE	0x8100u		/* for a test's own instructions */
#define TINY_HANDLER	0x9000u		/* where a #GP goes */
#define TINY_COUNT	0x9100u		/* #GPs that TINY_LOOP got, 8 bytes */

enum tiny_mode {
	TINY_REAL,		/* as after reset, but CS is 0 */
	TINY_PROTECTED,		/* 32 bits, no paging */
	TINY_LONG,		/* 64 bits, 4-level paging */
	TINY_LONG5,		/* 64 bits, 5-level paging */
	TINY_MODE_MAX
};

extern const char *const tiny_mode_names[TINY_MODE_MAX];

struct tiny_vm {
	int kvm, fd;
	uint8_t *memory;
	struct kvm_cpuid2 *cpuid;	/* what vCPUs get; NULL for none */
	struct regpin_vm *regpin;
};

struct tiny_vcpu {
	struct tiny_vm *vm;
	int fd;
	uint32_t id;
	enum tiny_mode mode;
	struct kvm_run *run;
	size_t run_size;
	struct regpin_vcpu *regpin;
};

/* The reason why the live tests cannot run here, or NULL. */
const char *tiny_why_not(void);

/* Ends the program with "Bail out!", the place and errno's text. */
_Noreturn void tiny_bail(const char *what, const char *file, int line);

#define tiny_must(cond) \
	do { \
		if (!(cond)) \
			tiny_bail(#cond, __FILE__, __LINE__); \
	} while (0)

/* All of these end the program with "Bail out!" if KVM refuses. */
void tiny_vm_new(struct tiny_vm *vm);
void tiny_vm_free(struct tiny_vm *vm);

/* Puts the VM under a policy, by the C API, before its first vCPU. */
void tiny_vm_attach(struct tiny_vm *vm, const struct regpin_policy *policy,
		    void (*event)(void *context,
				  const struct regpin_event *event),
		    void *context);

void tiny_vcpu_new(struct tiny_vm *vm, struct tiny_vcpu *vcpu, uint32_t id,
		   enum tiny_mode mode);
void tiny_vcpu_free(struct tiny_vcpu *vcpu);

/*
 * The reason why EFER cannot be written with paging off here, or NULL. QEMU's TCG,
 * which runs the lab, hangs in a nested guest with EFER.LME and without CR0.PG and
 * CR4.PAE, with or without regpin; the lab sets TINY_TCG in the environment.
 */
const char *tiny_no_unpaged_lme(void);

/* The reason why no guest can have 5 levels of paging here, or NULL. */
const char *tiny_no_la57(void);

/* Writes the registers of @mode, with @efer in addition to what the mode needs. */
void tiny_set_mode(struct tiny_vcpu *vcpu, enum tiny_mode mode, uint64_t efer);

/* Writes them, and four registers as after a reset, as a VMM does on a reset. */
void tiny_reset(struct tiny_vcpu *vcpu);

/* The VMM's own accesses. They return 0, -EINVAL if KVM refuses, or -errno. */
int tiny_get_msr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t *value);
int tiny_set_msr(struct tiny_vcpu *vcpu, uint32_t index, uint64_t value);
void tiny_get_sregs(struct tiny_vcpu *vcpu, struct kvm_sregs *sregs);
int tiny_set_sregs(struct tiny_vcpu *vcpu, const struct kvm_sregs *sregs);

#endif
