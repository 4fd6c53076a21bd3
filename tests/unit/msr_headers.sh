#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# msr_headers.sh NAME_CHECK [TREE ...]: the table of registers has every MSR that the
# available headers name, by the same name and index. A TREE is a source tree of Linux, edk2
# or Xen, or has the files of a linux-headers package. Without one, the trees of
# $REGPIN_MSR_TREES (separated by blanks), of /usr/src and of the lab's cache are used, and
# KVM's header from linux-libc-dev. The compiler computes the values. Prints TAP.

check=$1
shift
here=$(cd "$(dirname "$0")" && pwd) || exit 1
except=$here/msr_names.except
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
LC_ALL=C
export LC_ALL
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"

# result STATUS DESCRIPTION: what was found is in $tmp/said
result()
{
	ok "$1" "$2"
	sed 's/^/# /' "$tmp/said"
}

# Only the headers' own macros: a stub of what they include is in $tmp/first.
cat >"$tmp/first" <<'END'
#define IS_ENABLED(option) (option + 0)
#define CONFIG_X86 1
#define CONFIG_X86_64 1
#define _AC(x, y) x##y
#define UL(x) x##UL
#define ULL(x) x##ULL
#define BIT(n) (1ULL << (n))
#define BIT_ULL(n) BIT(n)
#define _BITUL(n) BIT(n)
#define _BITULL(n) BIT(n)
#define GENMASK(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define GENMASK_ULL(h, l) GENMASK(h, l)
END

# Prints each name with its value, or with the reason why there is none.
program()
{
	sed 's/^#define __STDC.*//' "$tmp/macros"
	echo 'int printf(const char *, ...);'
	echo 'int main(void) {'
	sed 's/.*/printf("%s %#llx\\n", "&", 0ULL + (&));/' "$tmp/names"
	echo 'return 0; }'
}

# values: the macros of $tmp/text. Prints "NAME VALUE" for each one with MSR in its name, or "-" if
# it is not a number.
values()
{
	cat "$tmp/first" >"$tmp/all.c"
	grep -vE '^[[:space:]]*#[[:space:]]*(include|error)' "$tmp/text" >>"$tmp/all.c"
	${CC:-cc} -E -dM -x c "$tmp/all.c" 2>"$tmp/err" | sort >"$tmp/macros"
	{
		sed -nE 's/^#define ([A-Za-z0-9_]*MSR[A-Za-z0-9_]*) ..*/\1/p' "$tmp/macros"
		sed -nE 's/^#define ([A-Za-z0-9_]*MSR[A-Za-z0-9_]*)\([a-z]+\) .*/\1(0)\n\1(3)/p' "$tmp/macros"
	} >"$tmp/names"
	while :; do
		program >"$tmp/values.c"
		${CC:-cc} -w -o "$tmp/values" "$tmp/values.c" 2>"$tmp/err" && break
		# Leave out each line about which the compiler complains: it is not an
		# expression.
		before=$(grep -n '^int main' "$tmp/values.c" | cut -d: -f1)
		sed -nE 's/^[^ ]*values\.c:([0-9]+):.*/\1/p' "$tmp/err" |
			awk -v before="$before" '$1 > before { print $1 - before }' | sort -un >"$tmp/lines"
		[ -s "$tmp/lines" ] || return 1
		awk 'NR == FNR { bad[$1] = 1; next } FNR in bad { print $1, "-" }' \
			"$tmp/lines" "$tmp/names"
		awk 'NR == FNR { bad[$1] = 1; next } !(FNR in bad)' \
			"$tmp/lines" "$tmp/names" >"$tmp/left"
		mv "$tmp/left" "$tmp/names"
	done
	"$tmp/values"
}

# group NAME LEAST TREE HEADER...: checks those of these headers that exist; the table must know
# at least LEAST names.
group()
{
	what=$1
	least=$2
	tree=$3
	shift 3
	: >"$tmp/text"
	for header; do
		[ ! -r "$header" ] || cat "$header" >>"$tmp/text"
	done
	[ -s "$tmp/text" ] || return 0
	found=$((found + 1))
	if ! values >"$tmp/list"; then
		cp "$tmp/err" "$tmp/said"
		result 1 "the macros of $what in $tree have values"
		return 0
	fi
	"$check" "$what" "$except" <"$tmp/list" >"$tmp/said"
	status=$?
	known=$(sed -n '$s/ known,.*//p' "$tmp/said")
	if [ "${known:-0}" -lt "$least" ]; then
		echo "fewer than $least names are known: were the headers read?" >>"$tmp/said"
		status=1
	fi
	result $status "$what of $tree"
}

tree()
{
	a=$1/arch/x86/include
	group linux 300 "$1" "$a/asm/msr-index.h" "$a/asm/mtrr.h" "$a/asm/mce.h"
	group kvm 10 "$1" "$a/uapi/asm/kvm_para.h"
	group hyperv 30 "$1" "$1"/include/hyperv/hv*.h "$a/asm/mshyperv.h" \
		"$a/asm/hyperv-tlfs.h" "$1/include/asm-generic/hyperv-tlfs.h"
	group xen 200 "$1" "$1/xen/arch/x86/include/asm/msr-index.h"
	a=$1/MdePkg/Include/Register
	group edk2 1500 "$1" "$a"/Intel/ArchitecturalMsr.h "$a"/Intel/Msr/*.h
	group edk2-amd 3 "$1" "$a"/Amd/*Msr.h
}

if ! command -v "${CC:-cc}" >/dev/null; then
	echo "1..0 # SKIP no C compiler"
	exit 0
fi
given=$#
if [ $# -eq 0 ]; then
	cache=${REGPIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/regpin}
	# shellcheck disable=SC2086 # separated by blanks
	set -- ${REGPIN_MSR_TREES:-} /usr/src/linux-headers-*-common /usr/src/linux-source-* \
		"$cache"/linux-*/usr/src/linux-headers-*-common "$cache"/tree-*
	found=0
	for include in /usr/include/*-linux-gnu /usr/include; do
		[ $found -ne 0 ] || group kvm 10 "$include" "$include/asm/kvm_para.h"
	done
	[ $found -ne 0 ] || skip "KVM's header" "no asm/kvm_para.h: linux-libc-dev has it"
fi
trees=0
for dir; do
	[ -d "$dir" ] || continue
	found=0
	tree "$dir"
	[ $found -eq 0 ] || trees=$((trees + 1))
	if [ $found -eq 0 ] && [ "$given" -gt 0 ]; then
		echo "the tree has no header of MSRs" >"$tmp/said"
		result 1 "$dir"
	fi
done
if [ $trees -eq 0 ] && [ "$given" -gt 0 ] && [ $failed -eq 0 ]; then
	echo "none of these is a directory" >"$tmp/said"
	result 1 "headers of MSRs"
elif [ $trees -eq 0 ] && [ "$given" -eq 0 ]; then
	skip "headers of MSRs" "no tree found: install linux-headers or linux-source, run lab/fetch, or set REGPIN_MSR_TREES"
fi
echo "1..$nr"
[ $failed -eq 0 ]
