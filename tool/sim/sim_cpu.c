// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes of control registers that no CPU accepts: SDM volume 3, "Control Registers" and
 * "Extended Control Registers", volume 2, "MOV - Move to/from Control Registers" and
 * "XSETBV"; APM volume 2, "System-Control Registers". Conditions on state that a
 * simulated vCPU does not have (CR3, CS.L, VMX operation, CPL) are not checked.
 */
#include "lib/policy/registers.h"
#include "policy/which_guest.h"
#include "sim_cpu.h"
#include "sim_cpuid.h"

#define CR0_WP		(1ull << 16)
#define CR0_NW		(1ull << 29)
#define CR0_CD		(1ull << 30)

#define CR4_PAE		(1ull << 5)
#define CR4_LA57	(1ull << 12)
#define CR4_VMXE	(1ull << 13)
#define CR4_SMXE	(1ull << 14)
#define CR4_PCIDE	(1ull << 17)
#define CR4_KL		(1ull << 19)
#define CR4_CET		(1ull << 23)
#define CR4_PKS		(1ull << 24)
#define CR4_UINTR	(1ull << 25)
#define CR4_LASS	(1ull << 27)
#define CR4_LAM_SUP	(1ull << 28)
#define CR4_FRED	(1ull << 32)

#define XCR0_X87	(1ull << 0)
#define XCR0_SSE	(1ull << 1)
#define XCR0_AVX	(1ull << 2)
#define XCR0_MPX	(3ull << 3)	/* BNDREGS, BNDCSR */
#define XCR0_AVX512	(7ull << 5)	/* OPMASK, ZMM_Hi256, Hi16_ZMM */
#define XCR0_AMX	(3ull << 17)	/* TILECFG, TILEDATA */
#define XCR0_APX	(1ull << 19)
#define XCR0_LWP	(1ull << 62)

/*
 * No KVM gives a guest SMX, and regpin runs no guest with FRED. The guest has all other
 * features of CPUs of its vendor.
 */
static uint64_t cr4_reserved(const struct sim *sim, const struct sim_vcpu *vcpu)
{
	uint64_t no = CR4_SMXE | CR4_FRED;

	if (!vcpu->regpin->guest.vmx)
		no |= CR4_VMXE;
	if (sim_is_amd(sim->guest))
		no |= CR4_VMXE | CR4_KL | CR4_PKS | CR4_UINTR | CR4_LASS |
		      CR4_LAM_SUP;
	return no | ~sim_named_bits(REGPIN_CR4, 0);
}

/*
 * Features that no CPU of the vendor has or is announced to have. APX is not one of them: it
 * came from Intel, and up to Zen 6 (GCC's znver6) no CPU of AMD is known to have it, but both
 * have agreed on it for future CPUs, in the x86 Ecosystem Advisory Group.
 */
static uint64_t xcr0_reserved(const struct sim *sim)
{
	uint64_t no = 0;

	if (sim_is_amd(sim->guest))
		no |= XCR0_MPX | XCR0_AMX;
	if (sim_is_intel(sim->guest))
		no |= XCR0_LWP;
	return no | ~sim_named_bits(REGPIN_XCR0, 0);
}

/* Does @value have some of @bits, but not all of them? */
static bool is_part(uint64_t value, uint64_t bits)
{
	return value & bits && ~value & bits;
}

/* The reason why CR0 is invalid, or NULL. Registers not in @known may have any value. */
static const char *cr0_refused(uint64_t old, uint64_t new, uint64_t cr4,
			       uint64_t efer, unsigned int known)
{
	if (new >> 32)
		return "bits 63:32 are reserved";
	if (new & CR0_PG && !(new & CR0_PE))
		return "PG needs PE";
	if (new & CR0_NW && !(new & CR0_CD))
		return "NW needs CD";
	if (!(new & CR0_WP) && cr4 & CR4_CET)
		return "CR4.CET needs WP";
	if (old & ~new & CR0_PG && cr4 & CR4_PCIDE)
		return "CR4.PCIDE needs PG";
	if (known & SIM_KNOWS_CR4 && ~old & new & CR0_PG && efer & EFER_LME &&
	    !(cr4 & CR4_PAE))
		return "PG with EFER.LME needs CR4.PAE";
	return NULL;
}

static const char *cr4_refused(uint64_t old, uint64_t new, uint64_t cr0,
			       uint64_t efer, unsigned int known)
{
	const unsigned int mode = SIM_KNOWS_CR0 | SIM_KNOWS_EFER;

	if (known & SIM_KNOWS_CR0 && new & CR4_CET && !(cr0 & CR0_WP))
		return "CET needs CR0.WP";
	if (efer & EFER_LMA && !(new & CR4_PAE))
		return "long mode needs PAE";
	if (known & SIM_KNOWS_CR4 && efer & EFER_LMA && (old ^ new) & CR4_LA57)
		return "LA57 does not change in long mode";
	if ((known & mode) == mode && ~old & new & CR4_PCIDE &&
	    !(efer & EFER_LMA))
		return "PCIDE can be set in long mode only";
	return NULL;
}

static const char *xcr0_refused(uint64_t new)
{
	if (!(new & XCR0_X87))
		return "X87 is always set";
	if (new & XCR0_AVX && !(new & XCR0_SSE))
		return "AVX needs SSE";
	if (new & XCR0_AVX512 && !(new & XCR0_AVX))
		return "OPMASK, ZMM_Hi256 and Hi16_ZMM need AVX";
	if (is_part(new, XCR0_AVX512))
		return "OPMASK, ZMM_Hi256 and Hi16_ZMM are set together";
	if (is_part(new, XCR0_MPX))
		return "BNDREGS and BNDCSR are set together";
	if (is_part(new, XCR0_AMX))
		return "TILECFG and TILEDATA are set together";
	/* APX's state uses the place of MPX's. */
	if (new & XCR0_APX && new & XCR0_MPX)
		return "APX excludes BNDREGS and BNDCSR";
	return NULL;
}

static const char lacks[] =
	"it sets a bit that is reserved, or that the guest's CPU lacks";

const char *sim_cpu_refuses(const struct sim *sim, const struct sim_vcpu *vcpu,
			    unsigned int kind, uint64_t value)
{
	const uint64_t *crs = vcpu->crs;
	uint64_t efer = sim_get_msr(vcpu, MSR_EFER);

	switch (kind) {
	case REGPIN_CR0:
		return cr0_refused(crs[0], value, crs[1], efer, vcpu->known);
	case REGPIN_CR4:
		return value & cr4_reserved(sim, vcpu) ? lacks :
			cr4_refused(crs[1], value, crs[0], efer, vcpu->known);
	default:
		return value & xcr0_reserved(sim) ? lacks :
						    xcr0_refused(value);
	}
}
