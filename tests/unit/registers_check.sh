#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The table of registers: gen-registers accepts it and refuses broken copies, and the table
# has a row for every MSR that the local KVM lists. Prints TAP.

top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
gen=$top/lib/policy/gen-registers
table=$top/lib/policy/registers.tsv
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
tab=$(printf '\t')

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# /' "$tmp/said"
}

# refuses WHAT PATTERN: broken.tsv must yield PATTERN at file:line, and no C.
refuses()
{
	sh "$gen" "$tmp/broken.tsv" >"$tmp/c" 2>"$tmp/said"
	status=$?
	if cmp -s "$table" "$tmp/broken.tsv"; then
		echo "the copy was not broken" >>"$tmp/said"
	elif [ $status -eq 1 ] && [ ! -s "$tmp/c" ] &&
	     grep -q "^$tmp/broken.tsv:[0-9]*: .*$2" "$tmp/said"; then
		ok 0 "refuses $1"
		return
	fi
	echo "status $status, \"$2\" expected" >>"$tmp/said"
	ok 1 "refuses $1"
}

# break_row NAME COLUMN VALUE: broken.tsv is the table with one field changed.
break_row()
{
	awk -F "$tab" -v OFS="$tab" -v name="$1" -v column="$2" -v value="$3" '
		$1 == name { $column = value }
		{ print }' "$table" >"$tmp/broken.tsv"
}

generator()
{
	if sh "$gen" "$table" >"$tmp/c" 2>"$tmp/said" && [ ! -s "$tmp/said" ]; then
		ok 0 "accepts the table"
	else
		ok 1 "accepts the table"
	fi

	rows=$(grep -vc '^#' "$table")
	grep -c '\.name = ' "$tmp/c" >"$tmp/said"
	if [ "$(grep -c '\.name = ' "$tmp/c")" = "$rows" ] &&
	   grep -q "regpin_nr_names = $rows;" "$tmp/c"; then
		ok 0 "prints every row once"
	else
		ok 1 "prints every row once"
	fi

	cat >"$tmp/want" <<-'END'
		{ .name = "EFER", .aliases = "IA32_EFER\0MSR_EFER\0",
		  .kind = REGPIN_MSR, .index = 0xc0000080, .count = 1,
	END
	grep -A1 '\.name = "EFER"' "$tmp/c" | sed 's/^	//' >"$tmp/said"
	if cmp -s "$tmp/want" "$tmp/said"; then
		ok 0 "prints EFER as the table has it"
	else
		ok 1 "prints EFER as the table has it"
	fi
}

other_awks()
{
	for awk in mawk gawk original-awk "busybox awk"; do
		if ! command -v "${awk%% *}" >/dev/null ||
		   ! $awk 'BEGIN { exit 0 }' </dev/null 2>/dev/null; then
			skip "$awk prints the same" "no $awk"
			continue
		fi
		AWK=$awk sh "$gen" "$table" >"$tmp/other" 2>"$tmp/said"
		if cmp "$tmp/c" "$tmp/other" >>"$tmp/said" 2>&1; then
			ok 0 "$awk prints the same"
		else
			ok 1 "$awk prints the same"
		fi
	done
}

# Broken copies of the table, by what is wrong in them.
wrong_lines()
{
	sed 's/^STAR	/STAR		/' "$table" >"$tmp/broken.tsv"
	refuses "a column too many" "12 columns expected, 13 found"
	break_row STAR 12 ""
	refuses "an empty column" "column 12 is empty"
	break_row STAR 12 'a "quoted" note'
	refuses "a quote" "only printable ASCII"
	sed "s/\$/$(printf '\r')/" "$table" >"$tmp/broken.tsv"
	refuses "carriage returns" "only printable ASCII"
}

wrong_names()
{
	break_row STAR 1 lstar
	refuses "a name twice" '"LSTAR" also names line'
	break_row STAR 2 MSR_STAR,msr_efer
	refuses "an alias twice" '"msr_efer" also names line'
	break_row STAR 2 IA32_PMC3
	refuses "an alias that is a family's member" 'IA32_PMC3" also names line'
	break_row STAR 1 "ST-AR"
	refuses "a bad name" '"ST-AR" is not a name'
	break_row STAR 2 MSR_STAR,
	refuses "an empty alias" '"" is not a name'
	break_row STAR 2 'MSR_STAR,IA32_MC3_CTL'
	refuses "an alias that is within a family's name" 'IA32_MC3_CTL" also names'
	break_row 'IA32_PMC#' 1 IA32_PMC
	refuses "a family's name without '#' for the number" "has # where"
	break_row STAR 1 'STAR#'
	refuses "'#' in the name of a single register" "has # where"
	break_row 'IA32_PMC#' 1 'PMC0#'
	refuses "a family's name with a digit before the number" "is not a name"
	break_row 'IA32_PMC#' 2 'FIRST_PMC@8'
	refuses "an alias of a member that the family does not have" "is no member"
}

wrong_kinds()
{
	break_row STAR 3 cr8
	refuses "an unknown kind" 'unknown kind "cr8"'
	break_row STAR 8 system
	refuses "an unknown class" 'unknown class "system"'
	break_row STAR 9 warm
	refuses "an unknown heat" 'unknown heat "warm"'
	break_row STAR 10 maybe
	refuses "an unknown replay" 'unknown replay "maybe"'
	break_row STAR 10 -
	refuses "an MSR without replay" "an MSR has replay yes, write or no"
	break_row STAR 11 intel,i386
	refuses "an unknown CPU" 'unknown cpu "i386"'
	break_row 'IA32_PMC#' 10 yes
	refuses "replay of a family" "only a single MSR"
	break_row 'IA32_PMC#' 10 write
	refuses "replay of writes to a family" "only a single MSR"
	break_row STAR 8 cr
	refuses "an MSR of class cr" "class cr is for control registers"
}

wrong_indices()
{
	break_row STAR 4 c0000081
	refuses "an index without 0x" "is not an index"
	break_row STAR 4 0x1c0000081
	refuses "an index past 32 bits" "is not an index"
	break_row STAR 4 0x81
	refuses "an index out of order" "index 0x81 is out of order"
	break_row STAR 4 0xc0000080
	refuses "an index twice" "index 0xc0000080 overlaps"
	break_row 'IA32_PMC#' 5 13
	refuses "families that overlap" "index 0xcd overlaps"
	break_row BP_CFG 4 0xffffffff
	sed "s/	0xffffffff	1	/	0xffffffff	2	/" \
		"$tmp/broken.tsv" >"$tmp/wraps" && mv "$tmp/wraps" "$tmp/broken.tsv"
	refuses "a family past 0xffffffff" "goes past 0xffffffff"
	break_row 'IA32_PMC#' 5 0
	refuses "a family of 0 members" "is not a count"
	break_row 'IA32_PMC#' 5 8-7
	refuses "a range of members that runs backwards" "is not a count"
	break_row STAR 6 2
	refuses "a stride of a single register" "is not a stride"
	break_row 'IA32_MC#_ADDR' 6 5
	refuses "families that alternate with different strides" "overlaps"
	break_row 'IA32_MC#_ADDR' 5 31
	refuses "families that alternate and have different lengths" "overlaps"
	break_row 'K6_WHCR' 4 0x1
	refuses "another meaning out of order" "out of order"
}

wrong_bits()
{
	break_row EFER 7 SCE:0,sce:1
	refuses "a bit's name twice" 'two bits are named "sce"'
	break_row EFER 7 SCE:0,LME:8,FIELD:7-9
	refuses "a bit twice" "bit 8 has two names"
	break_row EFER 7 SCE:64
	refuses "bit 64" "not within bits 0 to 63"
	break_row EFER 7 FIELD:9-8
	refuses "a field whose bits run backwards" "not within bits 0 to 63"
	break_row EFER 7 SCE
	refuses "a bit without a number" "is neither NAME:bit"
	break_row EFER 7 NXE/sce:11,SCE:0
	refuses "a bit's other name twice" 'two bits are named "SCE"'
}

wrong_tables()
{
	grep -v '^CR4	' "$table" >"$tmp/broken.tsv"
	refuses "a table without CR4" "no row for cr4"
	break_row CR4 4 0x4
	refuses "a control register with an index" "control register has no index"
	{ grep -v '^CR0	' "$table"; grep '^CR0	' "$table"; } >"$tmp/broken.tsv"
	refuses "CR0 after the MSRs" "cr0 is out of order"
	printf '# nothing\n' >"$tmp/broken.tsv"
	refuses "an empty table" "no MSR"

	if sh "$gen" "$tmp/missing" >"$tmp/c" 2>"$tmp/said"; then
		ok 1 "refuses a missing table"
	else
		ok 0 "refuses a missing table"
	fi
}

kvm_indices()
{
	what="has a row for every MSR that KVM lists"
	if [ ! -e /dev/kvm ]; then
		skip "$what" "no /dev/kvm"
		return
	elif [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		skip "$what" "no permission on /dev/kvm"
		return
	elif ! command -v "${CC:-cc}" >/dev/null; then
		skip "$what" "no C compiler"
		return
	fi
	cat >"$tmp/indices.c" <<'END'
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static struct row {
	char name[64];
	unsigned int first, count, stride;
} rows[4096];
static int nr_rows;

static int covered(unsigned int index)
{
	for (int i = 0; i < nr_rows; i++)
		if (index >= rows[i].first &&
		    (index - rows[i].first) % rows[i].stride == 0 &&
		    (index - rows[i].first) / rows[i].stride < rows[i].count)
			return 1;
	return 0;
}

/* Prints what has no row; returns how many KVM lists, or exits. */
static unsigned int check_list(int kvm, unsigned long request, const char *name,
			       unsigned int *missing)
{
	struct kvm_msr_list probe = { .nmsrs = 0 }, *list;

	if (ioctl(kvm, request, &probe) == 0 || errno != E2BIG) {
		perror(name);
		exit(2);
	}
	list = calloc(1, sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]));
	if (!list)
		exit(2);
	list->nmsrs = probe.nmsrs;
	if (ioctl(kvm, request, list) < 0) {
		perror(name);
		exit(2);
	}
	for (unsigned int i = 0; i < list->nmsrs; i++) {
		if (covered(list->indices[i]))
			continue;
		printf("%s: no row for %#x\n", name, list->indices[i]);
		++*missing;
	}
	return list->nmsrs;
}

int main(void)
{
	unsigned int missing = 0, msrs, features;
	struct row *row = rows;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (kvm < 0) {
		perror("/dev/kvm");
		return 77;
	}
	while (nr_rows < 4096 && scanf("%63s %x %u %u", row->name, &row->first,
				       &row->count, &row->stride) == 4) {
		row++;
		nr_rows++;
	}
	msrs = check_list(kvm, KVM_GET_MSR_INDEX_LIST, "KVM_GET_MSR_INDEX_LIST",
			  &missing);
	features = check_list(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST,
			      "KVM_GET_MSR_FEATURE_INDEX_LIST", &missing);
	printf("KVM lists %u MSRs and %u feature MSRs, %u without a row\n",
	       msrs, features, missing);
	return missing || !msrs;
}
END
	if ! ${CC:-cc} -std=gnu11 -Wall -o "$tmp/indices" "$tmp/indices.c" \
	     >"$tmp/said" 2>&1; then
		ok 1 "$what"
		return
	fi
	awk -F "$tab" '$3 == "msr" {
		n = split($5, range, "-")
		print $1, $4, n == 2 ? range[2] - range[1] + 1 : $5, $6
	}' "$table" |
		"$tmp/indices" >"$tmp/said" 2>&1
	status=$?
	if [ $status -eq 77 ]; then
		skip "$what" "$(cat "$tmp/said")"
	elif [ $status -eq 0 ]; then
		sed 's/^/# /' "$tmp/said"
		ok 0 "$what"
	else
		ok 1 "$what"
	fi
}

generator
other_awks
wrong_lines
wrong_names
wrong_kinds
wrong_indices
wrong_bits
wrong_tables
kvm_indices
echo "1..$nr"
[ $failed -eq 0 ]
