#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: mutate_model.sh BUILD_DIR
#
# Is the comparison of the model with KVM (tests/live/test_model.c) strong enough? This
# script changes each deciding line of lib/judge/model.c, one at a time, and the comparison
# must fail. Prints TAP. Run it by hand: it takes a minute or two, and needs /dev/kvm.
set -u
top=$(realpath "$(dirname "$0")/..")
build=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nr=0 bad=0

live() # MODEL.c: the comparison with this model
{
	local inc=(-I"$top/include" -I"$top" -I"$top/shim" -I"$top/tests")

	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 "${inc[@]}" -o "$dir/test" "$1" \
		"$top/tests/live/test_model.c" "$top/tests/live/tiny.c" "$top/tests/live/tiny_run.c" \
		"$build/lib/libregpin.a" 2>"$dir/cc.log" || return 99
	timeout 120 "$dir/test" "${FILTERS:-600}" >"$dir/out" 2>&1
}

say() # STATUS TEXT
{
	nr=$((nr + 1))
	if (($1)); then
		bad=1
		echo "not ok $nr - $2"
	else
		echo "ok $nr - $2"
	fi
}

mutant() # FUNCTION OLD NEW: replaces the first OLD within the function, literally
{
	local what status

	FUNCTION=$1 OLD=$2 NEW=$3 perl -0pe '
		my ($f, $o, $n) = @ENV{qw(FUNCTION OLD NEW)};
		s/(\Q$f\E\(.*?)\Q$o\E/$1$n/s or die "no such line: $o\n"' \
		"$top/lib/judge/model.c" >"$dir/model.c" || { say 1 "$2: the line no longer exists"; return; }
	live "$dir/model.c"
	status=$?
	case $status in
	99) say 1 "$2 -> $3: does not compile: $(head -1 "$dir/cc.log")" ;;
	1)
		what=$(grep -c '^#' "$dir/out")
		say 0 "$2 -> $3: detected ($(grep '^not ok' "$dir/out" | cut -d' ' -f3 | paste -sd,), $what differences)"
		;;
	0) say 1 "$2 -> $3: NOT DETECTED" ;;
	134 | 139) say 0 "$2 -> $3: detected, it crashed" ;;
	*) say 1 "$2 -> $3: it died of $status" ;;
	esac
}

live "$top/lib/judge/model.c"
status=$?
if grep -q '^1\.\.0 # SKIP' "$dir/out" 2>/dev/null; then
	cat "$dir/out"
	exit
fi
say $status "the unchanged model shows no difference"

f=model_filter_check
mutant $f 'filter->flags & ~KVM_MSR_FILTER_DEFAULT_DENY' '0'
mutant $f '~KVM_MSR_FILTER_DEFAULT_DENY' '~(KVM_MSR_FILTER_DEFAULT_DENY | 0x400)'
mutant $f '~KVM_MSR_FILTER_DEFAULT_DENY' '~0u'
mutant $f 'i < KVM_MSR_FILTER_MAX_RANGES' 'i < KVM_MSR_FILTER_MAX_RANGES - 1'
mutant $f 'int i = 0' 'int i = 1'
mutant $f 'if (!range->nmsrs)' 'if (0)'
mutant $f 'empty = false' 'empty = true'
mutant $f '!range->flags || ' ''
mutant $f 'range->flags & ~RANGE_FLAGS' '0'
mutant $f '~RANGE_FLAGS' '~(RANGE_FLAGS | 4)'
mutant $f 'range->nmsrs > KVM' 'range->nmsrs >= KVM'
mutant $f 'KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8' 'KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8 + 1'
mutant $f 'range->nmsrs > KVM' '(range->nmsrs + 7) > KVM'
mutant $f '!range->bitmap' '0'
mutant $f 'return -EFAULT' 'return -EINVAL'
mutant $f 'if (empty && (filter->flags & KVM_MSR_FILTER_DEFAULT_DENY))' 'if (empty)'
mutant $f 'if (empty && (filter->flags & KVM_MSR_FILTER_DEFAULT_DENY))' 'if (0)'
mutant $f 'if (empty && ' 'if ('
f=model_filter_allows
mutant $f 'access == ACCESS_WRITE' 'access != ACCESS_WRITE'
mutant $f 'index >= 0x800' 'index > 0x800'
mutant $f 'index <= 0x8ff' 'index < 0x8ff'
mutant $f 'index >= 0x800' 'index >= 0x7ff'
mutant $f 'index <= 0x8ff' 'index <= 0x900'
mutant $f 'return true' 'return false'
mutant $f 'i < KVM_MSR_FILTER_MAX_RANGES' 'i < KVM_MSR_FILTER_MAX_RANGES - 1'
mutant $f 'int i = 0' 'int i = 1'
mutant $f 'int i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++' 'int i = KVM_MSR_FILTER_MAX_RANGES - 1; i >= 0; i--'
mutant $f 'uint32_t end = range->base +' 'uint64_t end = (uint64_t)range->base +'
mutant $f 'index < range->base' 'index <= range->base'
mutant $f 'index < range->base || ' ''
mutant $f 'index >= end' 'index > end'
mutant $f 'index >= end' 'index + 1 >= end'
mutant $f '!(range->flags & type)' '0'
mutant $f '!(range->flags & type)' '(range->flags & type)'
mutant $f 'index -= range->base;' ';'
mutant $f 'return range->bitmap' 'return ~range->bitmap'
mutant $f 'index / 8' 'index / 64'
mutant $f '1u << (index % 8)' '0x80u >> (index % 8)'
mutant $f 'return !(filter->flags' 'return (filter->flags'
mutant $f 'return !(filter->flags & KVM_MSR_FILTER_DEFAULT_DENY)' 'return true'
echo "1..$nr"
exit $bad
