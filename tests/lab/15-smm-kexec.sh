#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# Two more ways to bypass a pin on bits: SMM, which loads registers from memory, and a
# kernel that the attacker brings.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
# shellcheck source=tests/lab/attacks.sh
source "$LAB_DIR/../tests/lab/attacks.sh"
policy=$top/policies/linux.yaml

# --- SMM ---
boot plain - --machine pc,smm=on
attack plain smm
worked plain smm "without regpin: SMI and RSM with another CR4"
inner_stop plain

sed 's/^version: 1$/&\naccept: [smm]/' "$policy" >/run/lab/smm.yaml
boot smm /run/lab/smm.yaml --machine pc,smm=on -- -no-reboot
inner_send smm '/attacks smm'
check "with regpin: RSM with another CR4 ends the VM" ended smm 30
is "with regpin: RSM has no effect" "$(attack_lines smm smm | wc -l)" 0
is "with regpin: RSM is one event" "$(count_events smm '.event == "shutdown"')" 1
inner_stop smm

# --- kexec into a kernel that the attacker has brought, with one CPU ---
load='kexec -s -l /next/vmlinuz --initrd=/next/initrd --append="console=ttyS0 panic=-1 quiet maxcpus=1 regpin.run=/bin/echo,NEXT-KERNEL"'
kexec_in() # NAME POLICY|- [OPTION ..]
{
	boot "$@" --initrd "$work/guest-attackers.gz" --mem 768 -- -no-reboot &&
		inner_do "$1" "dmesg -n 1; $load" 60
	inner_send "$1" 'kexec -e'
}

kexec_in plain -
check "without regpin: kexec into the attacker's kernel works" inner_wait plain '^NEXT-KERNEL' 120
inner_wait plain '^GUEST-RC 0' 20
attack plain init
worked plain init "without regpin: a CPU that was never started"
inner_stop plain

kexec_in kexec "$policy"
check "with regpin: kexec ends the VM" ended kexec 60
check "with regpin: the attacker's kernel does not run" \
	bash -c "! grep -q NEXT-KERNEL $events_dir/kexec.serial.log"
is "with regpin: kexec is one violation, of CR0.WP" \
	"$(events kexec 'select(.event == "violation") | [.register, .rule, .verdict]')" '["CR0","sticky","gp"]'
inner_stop kexec
tap_end
