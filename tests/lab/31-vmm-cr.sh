#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# A KVM with the CR filter: a VM that still cannot be protected is not started, unless the
# policy accepts it; and firmware may do anything before the kernel arms.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
policy=$top/policies/linux.yaml

refused() # WHAT REASON QEMU-OPTION ..
{
	local what=$1 reason=$2 rc

	shift 2
	rm -f "$events_dir/$what.events"
	timeout 60 "$regpin" run --policy "$policy" --events "$events_dir/$what.events" -- \
		qemu-system-x86_64 -nodefaults -display none -net none -m 256 -accel kvm \
		-global PIIX4_PM.disable_s3=1 "$@" \
		</dev/null >"$events_dir/$what.out" 2>&1
	rc=$?
	is "$what: the start is refused" $rc 125
	is "$what: the message gives the reason" \
		"$(events "$what" 'select(.event == "refused") | .reason' | tr -d '"')" "$reason"
}

# Seen from outside, S3 is a reset: the pins end, the kernel sets its LSTAR again, and the pins
# hold again.
sleep_s3() # NAME
{
	local end=$((SECONDS + 60))

	inner_send "$1" 'echo mem >/sys/power/state; echo GUEST-AWAKE'
	while [[ $(inner_hmp "$1" 'info status') != *suspended* ]] && ((SECONDS < end)); do
		inner_nap 0.3
	done
	inner_hmp "$1" system_wakeup
	check "$1: the guest wakes from S3" inner_wait "$1" GUEST-AWAKE 90
}

refused svm svm -cpu host -machine pc,smm=off
refused smm smm -cpu host,-svm -machine pc

accept=$(policy_with accept 's/^version: 1$/&\naccept: [nested, smm, s3]/')
guest accept 6.12 "$accept" --smp 2 --cpu host --machine pc -- -global PIIX4_PM.disable_s3=0
check "accept: [nested, smm, s3]: a guest with them boots" inner_wait accept 'GUEST-READY .* cpus=2' 120 || tap_end
is "accept: the control registers are filtered" \
	"$(vm_status accept 'select(.control_registers) | .control_registers')" filtered
is "accept: no violation" "$(violations accept)" 0
still_pinned accept "with nested and SMM" cr4.smep 0
still_pinned accept "with nested and SMM" efer.svme 1
before=$(violations accept)
sleep_s3 accept
is "accept: S3 is no violation" $(($(violations accept) - before)) 0
is "accept: S3 disarms, as a reset does" "$(count_events accept '.event == "reset"')" 2
still_pinned accept "after S3" cr0.wp 0
still_pinned accept "after S3" cr4.smap 1
inner_stop accept
tap_end
