#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 600
# A guest whose firmware is OVMF, which runs in long mode with paging of its own
# before any kernel does: it stays free, the kernel behind it is pinned, over a reset
# through the firmware as well.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
firmware=/usr/share/ovmf/OVMF.fd
wait=240

up() # WHEN
{
	check "$1" inner_wait ovmf 'GUEST-READY .* cpus=2' $wait || tap_end
	is "$1: no violation" "$(violations ovmf)" "$attacks"
}

attacks=0
guest ovmf 6.12 "$top/policies/linux.yaml" --mem 512 --smp 2 -- -bios $firmware || tap_end
up "boots through OVMF"
inner_do ovmf '[ -d /sys/firmware/efi ] && echo efi' 20
is "the firmware is UEFI" "$INNER_REPLY" efi
is "both vCPUs armed, by the kernel's own LSTAR" \
	"$(count_events ovmf '.event == "armed" and .cause == "syscall-entry"')" 2
still_pinned ovmf "after the boot" cr4.smep 1
still_pinned ovmf "after the boot" cr0.wp 0
attacks=2
inner_hmp ovmf system_reset
up "system_reset, and OVMF again"
still_pinned ovmf "after the reset" cr4.smap 1
inner_stop ovmf
is "QEMU's exit status" "$inner_status" 0
tap_end
