#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kexec under a policy with MSR rules. The next kernel has its syscall entry at another
# address (KASLR), so its LSTAR looks like an attack. It gets #GP, and dies at its first
# system call, by design: docs/kexec.md.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"

kexec_in() # NAME: load and jump
{
	check "$1: boots" inner_wait "$1" GUEST-READY 60
	inner_do "$1" 'kexec -s -l /next/vmlinuz --initrd=/next/initrd --append="console=ttyS0 panic=-1 quiet"; echo loaded=$?' 60
	is "$1: kexec loads the next kernel" "$INNER_REPLY" loaded=0
	inner_send "$1" 'kexec -e'
}

inner_start plain --kernel 6.12 --initrd "$work/guest-kexec.gz" --mem 768 --smp 2
kexec_in plain
check "plain: the next kernel starts" inner_wait plain GUEST-READY 90
inner_stop plain

inner_start pinned --kernel 6.12 --initrd "$work/guest-kexec.gz" --mem 768 --smp 2 \
	--wrap "$regpin run --policy $top/policies/linux.yaml --events $events_dir/pinned.events --" \
	-- -no-reboot
kexec_in pinned
if inner_wait pinned GUEST-READY 60 2>/dev/null; then
	not_ok "pinned: the next kernel does not reach a shell" "GUEST-READY a second time"
else
	ok "pinned: the next kernel does not reach a shell"
fi
check "pinned: its LSTAR was refused" \
	test "$(count_events pinned '.event == "violation" and .register == "LSTAR" and .verdict == "gp" and .rule == "uniform"')" -ge 1
events pinned 'select(.event == "violation") | "# " + .register + " " + .old + " -> " + .new + " " + .verdict' | tr -d '"'
inner_stop pinned
tap_end
