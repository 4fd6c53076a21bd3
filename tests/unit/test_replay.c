// SPDX-License-Identifier: GPL-2.0-only
/* The values that a guest may write; the live test compares these with a real KVM. */
#include "cm.h"
#include "lib/judge/replay.h"
#include "lib/kvm/regs.h"
#include "lib/policy/guest.h"
#include "lib/policy/registers.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>


#define EFER_TCE	(1ull << 15)
#define FEATURES	(EFER_NXE | EFER_FFXSR | EFER_LME | EFER_LMA | \
			 EFER_SVME | EFER_TCE | EFER_AIBRSE)

static struct guest guest_with(struct kvm_cpuid_entry2 entry)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[2];
	} cpuid = {
		.header.nent = 2,
		.entries = { { .function = 0x40000000, .eax = ~0u,
			       .ebx = ~0u, .ecx = ~0u, .edx = ~0u }, entry },
	};
	struct guest guest = { 0 };

	guest_from_cpuid(&guest, (struct kvm_cpuid2 *)&cpuid);
	return guest;
}

static struct guest guest_of(uint32_t function, uint32_t subleaf, uint32_t eax,
			     uint32_t ecx, uint32_t edx)
{
	return guest_with((struct kvm_cpuid_entry2){
		.function = function, .index = subleaf, .eax = eax,
		.ecx = ecx, .edx = edx,
	});
}

static void test_no_cpuid(void **context)
{
	struct guest guest = { .sysenter = 0xffffffff, .sysenter_cs = 0xffffffff,
			       .svm = true };

	guest_from_cpuid(&guest, NULL);
	assert_int_equal(guest.efer_forbidden, FEATURES);
	assert_false(guest.svm || guest.vmx || guest.fred);
	/* Measured values are kept. */
	assert_int_equal(guest.sysenter, 0xffffffff);
	assert_int_equal(guest.sysenter_cs, 0xffffffff);
	memset(&guest, 0, sizeof(guest));
	guest_from_cpuid(&guest, NULL);
	assert_int_equal(guest.sysenter, ~0ull);
	assert_int_equal(guest.sysenter_cs, ~0ull);
}

/* Each bit of CPUID enables its own bits of EFER, and no others. */
static void test_cpuid_bits(void **context)
{
	for (uint32_t bit = 0; bit < 32; bit++) {
		uint64_t edx = bit == 20 ? EFER_NXE :
			       bit == 25 ? EFER_FFXSR :
			       bit == 29 ? EFER_LME | EFER_LMA : 0;
		uint64_t ecx = bit == 2 ? EFER_SVME : bit == 17 ? EFER_TCE : 0;
		uint64_t eax = bit == 8 ? EFER_AIBRSE : 0;
		uint32_t one = 1u << bit;
		struct guest guest = guest_of(0x80000001, 0, 0, 0, one);

		assert_int_equal(guest.efer_forbidden, FEATURES & ~edx);
		guest = guest_of(0x80000001, 0, 0, one, 0);
		assert_int_equal(guest.efer_forbidden, FEATURES & ~ecx);
		assert_int_equal(guest.svm, bit == 2);
		guest = guest_of(0x80000021, 0, one, 0, 0);
		assert_int_equal(guest.efer_forbidden, FEATURES & ~eax);
		guest = guest_of(1, 0, 0, one, 0);
		assert_int_equal(guest.vmx, bit == 5);
		assert_int_equal(guest.efer_forbidden, FEATURES);
		guest = guest_of(7, 1, one, 0, 0);
		assert_int_equal(guest.fred, bit == 17);
		guest = guest_of(7, 0, one, one, one);
		assert_false(guest.fred || guest.svm || guest.vmx);
	}
}

static void test_efer(void **context)
{
	static const struct {
		uint64_t old, new;
		bool paging, valid;
	} rows[] = {
		{ 0, 0x901, false, true },
		{ 0xd01, 0xd01, true, true },
		{ 0xd01, 0x501, true, true },
		{ 0xd01, 0xc01, true, false },	/* LME while paging */
		{ 0xd01, 0xc01, false, true },
		{ 0x801, 0x901, true, false },
		{ 0, 0x400, false, true },	/* LMA is ignored */
		{ 0xd01, 0x1d01, true, false },	/* no SVM */
		{ 0xd01, 0x200d01, true, false },
		/* KVM_SET_MSRS checks the reserved bits. */
		{ 0xd01, 0xd03, true, true },
	};
	struct guest guest = guest_of(0x80000001, 0, 0, 0,
				      1u << 20 | 1u << 25 | 1u << 29);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(replay_valid(&guest, MSR_EFER, rows[i].paging,
					      rows[i].old, rows[i].new),
				 rows[i].valid);
	assert_int_equal(replay_effective(&guest, MSR_EFER, 0x500, 0x901),
			 0xd01);
	assert_int_equal(replay_effective(&guest, MSR_EFER, 0, 0xd01), 0x901);
	assert_true(replay_needs_paging(MSR_EFER, 0, 0x100));
	assert_false(replay_needs_paging(MSR_EFER, 0x100, 0xd01));
	assert_false(replay_needs_paging(MSR_LSTAR, 0, 0x100));
}

static void test_sysenter(void **context)
{
	struct guest guest = { .sysenter = 0xffffffff, .sysenter_cs = ~0ull };

	assert_int_equal(replay_effective(&guest, MSR_SYSENTER_EIP, 0,
					  0xffffffff81000000), 0x81000000);
	assert_int_equal(replay_effective(&guest, MSR_SYSENTER_ESP, 0,
					  0xffffffff81000000), 0x81000000);
	assert_int_equal(replay_effective(&guest, MSR_SYSENTER_CS, 0,
					  0xffffffff81000000),
			 0xffffffff81000000);
	/* VMX: its field in the VMCS has 32 bits. */
	guest = (struct guest){ .sysenter = ~0ull, .sysenter_cs = 0xffffffff };
	assert_int_equal(replay_effective(&guest, MSR_SYSENTER_CS, 0,
					  0xffffffff81000000), 0x81000000);
	assert_int_equal(replay_effective(&guest, MSR_SYSENTER_EIP, 0,
					  0xffffffff81000000),
			 0xffffffff81000000);
	assert_true(replay_kept(MSR_SYSENTER_EIP, 0x00007fffffffffff));
	assert_false(replay_kept(MSR_SYSENTER_EIP, 0x0000800000000000));
	assert_false(replay_kept(MSR_SYSENTER_ESP, 0xffff7fffffffffff));
	assert_true(replay_kept(MSR_SYSENTER_ESP, 0xffff800000000000));
	assert_true(replay_kept(MSR_SYSENTER_ESP, ~0ull));
	assert_true(replay_kept(MSR_LSTAR, 0x0000800000000000));
}

/* If the CPU itself takes the guest's writes, it refuses non-canonical values. */
static void test_sysenter_width(void **context)
{
	static const struct {
		uint64_t value;
		bool valid48, valid57;
	} rows[] = {
		{ 0, true, true }, { ~0ull, true, true },
		{ 0x00007fffffffffff, true, true },
		{ 0x0000800000000000, false, true },
		{ 0x00ffffffffffffff, false, true },
		{ 0x0100000000000000, false, false },
		{ 0xfeffffffffffffff, false, false },
		{ 0xff00000000000000, false, true },
		{ 0xffff7fffffffffff, false, true },
		{ 0xffff800000000000, true, true },
		{ 0x8000000000000000, false, false },
	};
	struct guest guest = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (uint32_t at = MSR_SYSENTER_ESP; at <= MSR_SYSENTER_EIP;
		     at++) {
			uint64_t value = rows[i].value;

			guest.linear_bits = 0;
			assert_true(replay_valid(&guest, at, true, 0, value));
			guest.linear_bits = 48;
			assert_int_equal(replay_valid(&guest, at, true, 0, value),
					 rows[i].valid48);
			guest.linear_bits = 57;
			assert_int_equal(replay_valid(&guest, at, true, 0, value),
					 rows[i].valid57);
		}
	}
	assert_true(replay_valid(&guest, MSR_SYSENTER_CS, true, 0, 1ull << 63));
	/* CPUID does not change the properties of the host. */
	guest_from_cpuid(&guest, NULL);
	assert_int_equal(guest.linear_bits, 57);
}

static void test_linear_bits(void **context)
{
	static const struct {
		uint32_t eax;
		uint8_t bits;
	} rows[] = {
		{ 0x3027, 48 }, { 0x392e, 57 }, { 0x0027, 48 }, { 0x2027, 48 },
		{ 0x4027, 48 }, { 0xff27, 48 }, { 0x13927, 57 },
	};
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[1];
	} cpuid = { .header.nent = 1,
		    .entries = { { .function = 0x80000008 } } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cpuid.entries[0].eax = rows[i].eax;
		assert_int_equal(linear_bits_from_cpuid(
					 (struct kvm_cpuid2 *)&cpuid),
				 rows[i].bits);
	}
	assert_int_equal(linear_bits_from_cpuid(NULL), 48);
}

/* Each bit of CPUID enables its own bits of FEATURE_CONTROL; LMCE has another source. */
static void test_feature_control(void **context)
{
	for (uint32_t bit = 0; bit < 32; bit++) {
		uint32_t one = 1u << bit;
		struct guest vmx = guest_of(1, 0, one, one, one);
		struct guest sgx = guest_with((struct kvm_cpuid_entry2){
			.function = 7, .ebx = one });
		struct guest lc = guest_of(7, 0, one, one, one);
		struct guest other = guest_with((struct kvm_cpuid_entry2){
			.function = 7, .index = 1, .eax = one, .ebx = one,
			.ecx = one, .edx = one });

		assert_int_equal(vmx.feature_control,
				 bit == 5 ? 0x7 : FEATURE_LOCK);
		assert_int_equal(sgx.feature_control,
				 bit == 2 ? 0x40001 : FEATURE_LOCK);
		assert_int_equal(lc.feature_control,
				 bit == 30 ? 0x20001 : FEATURE_LOCK);
		assert_int_equal(other.feature_control, FEATURE_LOCK);
	}
	assert_true(replay_needs_lmce(MSR_FEATURE_CONTROL, 0x100005));
	assert_false(replay_needs_lmce(MSR_FEATURE_CONTROL, 0x5));
	assert_false(replay_needs_lmce(MSR_EFER, ~0ull));
}

static void test_feature_lock(void **context)
{
	const uint32_t index = MSR_FEATURE_CONTROL;

	for (unsigned int bit = 0; bit < 64; bit++) {
		struct guest guest = { .feature_control = 0x7, .lmce = true };
		uint64_t value = 1ull << bit;

		assert_int_equal(replay_valid(&guest, index, false, 0, value),
				 bit < 3 || bit == 20);
		assert_int_equal(replay_valid(&guest, index, false, 0x6,
					      value | 0x7),
				 bit < 3 || bit == 20);
		/*
		 * A locked register stays locked; even a write of the same value is
		 * refused.
		 */
		assert_false(replay_valid(&guest, index, false, 1, value));
		assert_false(replay_valid(&guest, index, false, 0x5, 0x5));
		guest = (struct guest){ .feature_control = FEATURE_LOCK };
		assert_int_equal(replay_valid(&guest, index, false, 0, value),
				 bit == 0);
		assert_int_equal(replay_valid(&guest, index, false, value, 0),
				 bit != 0);
		assert_true(replay_readable(&guest, index));
		/* Without VMX in the guest, whatever the host may do with it. */
		guest.feature_control = 0;
		guest.lmce = true;
		assert_false(replay_valid(&guest, index, false, 0, value));
		assert_false(replay_valid(&guest, index, false, 0, 0));
		assert_false(replay_readable(&guest, index));
	}
}

static struct guest guest_with_width(uint32_t last, uint32_t width)
{
	struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[3];
	} cpuid = {
		.header.nent = 3,
		.entries = { { .function = 0x80000000, .eax = last },
			     { .function = 0x80000008, .eax = width },
			     /* KVM uses the first entry. */
			     { .function = 0x80000008, .eax = 1 } },
	};
	struct guest guest = { 0 };

	guest_from_cpuid(&guest, (struct kvm_cpuid2 *)&cpuid);
	return guest;
}

static void test_address_width(void **context)
{
	static const struct {
		uint32_t last, width;
		uint64_t reserved;
	} rows[] = {
		{ 0x80000008, 36, ~0ull << 36 },
		{ 0x80000021, 0x3028, ~0ull << 40 },
		{ 0x80000008, 52, ~0ull << 52 },
		{ 0x80000008, 63, 1ull << 63 },
		{ 0x80000008, 64, 0 },
		{ 0x80000008, 255, 0 },
		{ 0x80000008, 0, ~0ull },
		{ 0x80000007, 52, ~0ull << 36 },	/* leaf 8 is not there */
		{ 0, 52, ~0ull << 36 },
	};
	struct guest guest = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		guest = guest_with_width(rows[i].last, rows[i].width);
		assert_int_equal(guest.gpa_reserved, rows[i].reserved);
	}
	guest_from_cpuid(&guest, NULL);
	assert_int_equal(guest.gpa_reserved, ~0ull << 36);
}

/*
 * Values for which an older KVM would queue a #GP of its own must not reach
 * KVM_SET_MSRS.
 */
static void test_mtrr(void **context)
{
	struct guest guest = guest_with_width(0x80000008, 40);

	for (uint32_t index = 0x200; index <= 0x20f; index++) {
		uint64_t low = index % 2 ? 0x7ff : 0xf00;

		for (unsigned int bit = 0; bit < 64; bit++)
			assert_int_equal(replay_valid(&guest, index, false, 0,
						      1ull << bit),
					 bit < 40 && !(low & 1ull << bit));
	}
	/* The registers next to these are not checked in this way. */
	assert_true(replay_valid(&guest, 0x1ff, false, 0, ~0ull));
	assert_true(replay_valid(&guest, 0x210, false, 0, ~0ull));
	assert_true(replay_valid(&guest, 0x2ff, false, 0, ~0ull));
	assert_true(replay_valid(&guest, 0x250, false, 0, ~0ull));
}

static void test_tsc_aux(void **context)
{
	struct guest none = { 0 };

	for (uint32_t bit = 0; bit < 32; bit++) {
		uint32_t one = 1u << bit;
		struct guest a = guest_of(0x80000001, 0, 0, 0, one);
		struct guest b = guest_of(7, 0, 0, one, 0);

		assert_int_equal(a.tsc_aux, bit == 27 ? AUX_RDTSCP : 0);
		assert_int_equal(b.tsc_aux, bit == 22 ? AUX_RDPID : 0);
		a = guest_of(0x80000001, 0, one, one, 0);
		b = guest_of(7, 1, one, one, one);
		assert_int_equal(a.tsc_aux | b.tsc_aux, 0);
		a = guest_of(7, 0, one, 0, one);
		assert_int_equal(a.tsc_aux, 0);
	}
	none.tsc_aux = AUX_RDPID;
	assert_true(replay_valid(&none, MSR_TSC_AUX, false, 0, 1));
	assert_true(replay_readable(&none, MSR_TSC_AUX));
	none.tsc_aux = 0;
	assert_false(replay_valid(&none, MSR_TSC_AUX, false, 0, 0));
	assert_false(replay_readable(&none, MSR_TSC_AUX));
	assert_true(replay_readable(&none, MSR_LSTAR));
	assert_int_equal(replay_effective(&none, MSR_TSC_AUX, 0, ~0ull),
			 0xffffffff);
}

/*
 * An MSR for which an exit skips the other functions is one for which none of them makes a
 * difference, in whatever guest.
 */
static void test_plain(void **context)
{
	const struct guest guests[2] = {
		{ 0 },
		{ .efer_forbidden = ~0ull, .linear_bits = 48, .gpa_reserved = ~0ull },
	};
	unsigned int nr = 0;

	for (uint32_t index = 0xc0000000; index < 0xc0000200; index++) {
		if (!replay_is_plain(index))
			continue;
		nr++;
		for (int i = 0; i < 2; i++) {
			const uint64_t old = i ? 0 : ~0ull, new = ~old;

			assert_true(replay_known(&guests[i], index));
			assert_int_equal(replay_effective(&guests[i], index, old,
							  new), new);
			assert_true(replay_kept(index, new));
			assert_true(replay_valid(&guests[i], index, true, old, new));
			assert_false(replay_needs_paging(index, old, new));
			assert_false(replay_needs_lmce(index, new));
		}
	}
	assert_int_equal(nr, 4);
	assert_false(replay_is_plain(MSR_EFER) || replay_is_plain(MSR_PAT) ||
		     replay_is_plain(MSR_TSC_AUX) || replay_is_plain(MSR_SYSENTER_CS) ||
		     replay_is_plain(MSR_FEATURE_CONTROL));
}

/* The table's column and the code's list agree. */
static void test_list(void **context)
{
	unsigned int replayed = 0;

	for (unsigned int i = 0; i < regpin_nr_registers; i++) {
		const struct regpin_register *reg = &regpin_registers[i];

		/* Registers whose values are not remembered have no slot. */
		if (!reg->kept) {
			assert_true(reg->kind != REGPIN_MSR ||
				    replay_slot(reg->index) == -1);
			continue;
		}
		assert_true(reg->replay);
		replayed += reg->count;
		for (uint32_t j = 0; j < reg->count; j++)
			assert_true(replay_slot(reg->index + j) >= 0);
	}
	assert_int_equal(replayed, NR_REPLAY);
	for (int i = 0; i < NR_REPLAY; i++)
		assert_int_equal(replay_slot(replay_registers[i]), i);
	assert_int_equal(replay_slot(0x48), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_cpuid),
		cmocka_unit_test(test_cpuid_bits),
		cmocka_unit_test(test_efer),
		cmocka_unit_test(test_sysenter),
		cmocka_unit_test(test_sysenter_width),
		cmocka_unit_test(test_linear_bits),
		cmocka_unit_test(test_feature_control),
		cmocka_unit_test(test_feature_lock),
		cmocka_unit_test(test_address_width),
		cmocka_unit_test(test_mtrr),
		cmocka_unit_test(test_tsc_aux),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
