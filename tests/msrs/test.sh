#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The output of linux-msrs for a small tree, with data that is complete, lacks something, or
# has too much. TAP on stdout.
set -u
cd "$(dirname "$0")" || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source ../tap.sh

evidence()
{
	diff "$tmp/wanted" "$tmp/got" | sed 's/^/# /'
}

is() # NAME GOT WANTED
{
	echo "$2" >"$tmp/got"
	echo "$3" >"$tmp/wanted"
	cmp -s "$tmp/got" "$tmp/wanted"
	ok $? "$1"
}

holds() # DATA: prints the output, and the exit status
{
	printf '%b' "$1" >"$tmp/data"
	./linux-msrs "$tmp/tree" "$tmp/data"
	echo "status $?"
}

mkdir -p "$tmp"/tree/{arch/x86/include/{asm,uapi/asm},arch/x86/kernel,drivers}
printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n' >"$tmp/tree/Makefile"
cat >"$tmp/tree/arch/x86/include/asm/msr-index.h" <<'END'
#define MSR_ONE			0x00000123
#define MSR_ONE_MASK		0x1f
#define MSR_TWO			0xc0010015 /* two */
#define MSR_THREE		(MSR_TWO + 1)
END
echo '#define MSR_KVM_X 0x11' >"$tmp/tree/arch/x86/include/uapi/asm/kvm_para.h"
cat >"$tmp/tree/arch/x86/kernel/a.c" <<'END'
static inline void wrmsrq(u32 msr, u64 value);
static const u32 list[] = { MSR_THREE, MSR_ONE_MASK };
void f(int i) /* rdmsrq(MSR_TWO, i) */
{
	rdmsrq_safe(MSR_ONE, &x); // wrmsrq(MSR_TWO, i);
	rdmsr_on_cpu(g(i, 1),
		     MSR_TWO, &l, &h);
	pr_info("rdmsrq(MSR_KVM_X)");
	wrmsrq(base + i, 0);
	msr_set_bit(MSR_ONE, MSR_ONE_MASK);
}
END
echo 'void g(void) { rdmsr(0x8b, l, h); }' >"$tmp/tree/drivers/b.c"

a=arch/x86/kernel/a.c
rest='safe\tall\t0x1\tread\twhy\n'
one="$a\tMSR_ONE\tr\t-\tsafe\tall\t0x123\tread\twhy\n$a\tMSR_ONE\tw\t-\tsafe\tall\t0x123\twrite\twhy\n"
one+="$a\tMSR_TWO\tr\t-\tsafe\tall\t0xc0010015\tread\twhy\n$a\tMSR_THREE\tn\t-\t$rest$a\tbase+i\tw\t-\t$rest"
none='\t*\t-\t-\tnever\t-\t-\t-\twhy\n'
one+="arch/x86/include/asm/msr-index.h${none}arch/x86/include/uapi/${none}"
b="drivers/b.c\t0x8b\tr\t-\t$rest"
fine='Linux 6.12: 10 accesses in 4 files, all known'

is "complete data makes no output" "$(holds "# head\n$one$b")" "$fine
status 0"
is "an access that the data lacks" "$(holds "$one")" "$(printf 'new\tdrivers/b.c\t0x8b\tr\nstatus 1')"
is "another kind of access" "$(holds "$one${b/0x8b\\tr/0x8b\\tw}")" \
	"$(printf 'gone\tdrivers/b.c\t0x8b\tw\nnew\tdrivers/b.c\t0x8b\tr\nstatus 1')"
is "a row for the whole file" "$(holds "${one}drivers/b.c$none")" "$fine
status 0"
is "a row for a folder above it" "$(holds "${one}drivers/$none")" "$fine
status 0"
is "a folder that has none" "$(holds "$one${b}sound/$none")" "$(printf 'gone\tsound/\t*\nstatus 1')"
is "a row that the tree does not have" "$(holds "$one$b$a\tMSR_TWO\tw\t-\t$rest")" \
	"$(printf 'index\t%s\tMSR_TWO\t0x1, not 0xc0010015\ngone\t%s\tMSR_TWO\tw\nstatus 1' $a $a | sort)"
for versions in 6.13- -6.11 6.1-6.9,7.0-; do
	is "a row of $versions" "$(holds "$one$b$a\tother\tw\t$versions\t$rest")" "$fine
status 0"
done
for versions in 6.12- -6.12 6.2-6.11,6.12-7.3; do
	is "a row of $versions" "$(holds "$one$b$a\tother\tw\t$versions\t$rest")" \
		"$(printf 'gone\t%s\tother\tw\nstatus 1' $a)"
done
is "an index that is wrong" "$(holds "${one/0x123/0x124}$b")" "$(printf 'index\t%s\tMSR_ONE\t0x124, not 0x123\nstatus 1' $a)"
is "a row without a reason" "$(holds "$one$b$a\tMSR_X\n" | sed 's/^.*:[0-9]*: //')" "$(printf '2 columns, not 9\nstatus 1')"
is "no tree" "$(./linux-msrs "$tmp" 2>/dev/null; echo status $?)" "status 2"
echo "1..$nr"
exit $failed
