#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An unmodified QEMU under regpin: its own MSR filter still works; and a VM that cannot be
# protected is not started, with a reason.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
policy=$top/policies/linux.yaml

# refused NAME STATUS REGEX RUN-OPTIONS -- VMM ARGS: runs it to its end
refused()
{
	local name=$1 status=$2 regex=$3 options=() rc

	shift 3
	while [[ $1 != -- ]]; do options+=("$1"); shift; done
	shift
	rm -f "$events_dir/$name.events"
	timeout 60 "$regpin" run "${options[@]}" --events "$events_dir/$name.events" -- "$@" \
		</dev/null >"$events_dir/$name.out" 2>&1
	rc=$?
	is "$name: status" $rc "$status"
	if grep -qE -- "$regex" "$events_dir/$name.out"; then
		ok "$name: the message gives the reason and a remedy"
	else
		not_ok "$name: the message gives the reason and a remedy" "$(cat "$events_dir/$name.out")"
	fi
}

qemu=(qemu-system-x86_64 -nodefaults -display none -net none -m 256)
s3=(-global PIIX4_PM.disable_s3=1)
kvm=("${qemu[@]}" -accel kvm "${s3[@]}")

own_filter()
{
	local plain pinned

	guest plain 6.12 - --smp 2
	inner_wait plain GUEST-READY 60
	inner_do plain '/msrpoke read 0 0x35' 20
	plain=$INNER_REPLY
	inner_stop plain
	guest pinned 6.12 "$policy" --smp 2
	inner_wait pinned GUEST-READY 60
	inner_do pinned '/msrpoke read 0 0x35' 20
	pinned=$INNER_REPLY
	is "MSR 0x35 is answered by QEMU" "$plain" 'read=0x20002 errno=0'
	is "MSR 0x35 is answered by QEMU under regpin too" "$pinned" "$plain"
	inner_do pinned 'echo lstar >/proc/attack; cat /proc/attack' 20
	is "LSTAR is pinned under regpin" "${INNER_REPLY:0:22}" "lstar how=module gp=1 "
	inner_stop pinned
	is "QEMU exits with status 0" $inner_status 0
	is "the attack is one violation" "$(count_events pinned '.event == "violation"')" 1
}

# All nine registers are reported, and no access is refused: the guest boots as usual.
report_all()
{
	guest report 6.12 "$top/policies/report-all.yaml" --smp 2
	check "report-all.yaml: the guest boots" inner_wait report GUEST-READY 60
	inner_do report 'echo lstar >/proc/attack; cat /proc/attack' 20
	is "report-all.yaml: an attack succeeds" "${INNER_REPLY:0:22}" "lstar how=module gp=0 "
	inner_stop report
	check "report-all.yaml: the attack is reported" \
		test "$(count_events report '.register == "LSTAR" and .verdict == "report"')" -ge 3
	is "report-all.yaml: nothing is denied" "$(count_events report '.verdict == "gp"')" 0
}

# A reader that never reads must not delay a guest that causes more events than the FIFO holds.
slow_reader()
{
	local wrap hold fifo=/run/lab/nobody-reads

	mkfifo $fifo
	exec {hold}<>$fifo
	wrap="$regpin run --policy $top/policies/report-all.yaml --event-limit 0 --events $fifo --"
	inner_start slow --kernel 6.12 --initrd "$work/guest-6.12.gz" --smp 2 --wrap "$wrap"
	check "a FIFO without a reader: the guest boots" inner_wait slow GUEST-READY 60
	inner_do slow 'i=0; while [ $i -lt 3000 ]; do echo lstar >/proc/attack; i=$((i+1)); done; echo alive' 120
	is "a FIFO without a reader: the guest runs after 6,000 events" "$INNER_REPLY" alive
	inner_stop slow
	is "a FIFO without a reader: QEMU exits with status 0" $inner_status 0
	# The agent waits two more seconds for a blocked reader, and reports what was lost.
	inner_nap 4
	check "a FIFO without a reader: the loss is reported" \
		grep -qE 'lost|dropped' "$inner_out/slow.qemu.log"
	exec {hold}>&-
}

# read_write GUEST INDEX: the result of accesses by root in the guest, "READ, WRITE"
read_write()
{
	local got

	inner_do "$1" "/msrpoke read 0 $2" 20
	got=$INNER_REPLY
	inner_do "$1" "/msrpoke write 0 $2 1" 20
	echo "$got, $INNER_REPLY"
}

# With ignore_msrs, KVM handles accesses to unknown MSRs as if they existed, without an
# exit. That must affect neither the MSRs that KVM knows nor those that a policy denies.
ignore_msrs()
{
	local parameter=/sys/module/kvm/parameters/ignore_msrs none=0x12345678
	local swallowed='read=0 errno=0, write errno=0' attacks

	sed 's/^version: 1$/&\nunknown: report/' "$policy" >/run/lab/unknown.yaml
	sed 's/^default: deny$/default: {deny: write}/' "$top/policies/linux-strict.yaml" >/run/lab/writes.yaml
	refused unknown 0 'QEMU emulator version' --policy /run/lab/unknown.yaml -- qemu-system-x86_64 --version
	echo 1 >$parameter
	refused ignored 3 'unknown.yaml:.*echo 0 > /sys/module/kvm/parameters/ignore_msrs' \
		--policy /run/lab/unknown.yaml -- qemu-system-x86_64 --version

	guest ignore 6.12 "$policy" --smp 2
	check "ignore_msrs: a guest under linux.yaml boots" inner_wait ignore GUEST-READY 60
	is "ignore_msrs: KVM ignores accesses to unknown MSRs" "$(read_write ignore $none)" "$swallowed"
	inner_do ignore /attacks 60
	attacks=$(inner_log ignore | grep -c '^ATTACK ')
	is "ignore_msrs: all attacks on pinned registers were tried" "$attacks" 15
	is "ignore_msrs: each attack gets #GP" "$(inner_log ignore | grep -c '^ATTACK .* gp=1 ')" "$attacks"
	is "ignore_msrs: each attack is an event" "$(wait_events ignore "$trouble" "$attacks")" "$attacks"
	inner_stop ignore

	guest writes 6.12 /run/lab/writes.yaml --smp 2
	check "ignore_msrs: a guest that must not write other MSRs boots" inner_wait writes GUEST-READY 60
	is "ignore_msrs: KVM ignores only the read" "$(read_write writes $none)" \
		'read=0 errno=0, write errno=5'
	is "ignore_msrs: the write is an event" \
		"$(wait_events writes '.rule == "default" and .access == "write"' 1)" 1
	inner_stop writes
	echo 0 >$parameter
}

own_filter
report_all
slow_reader
refused svm 125 'cpu host,-svm' --policy "$policy" -- "${kvm[@]}" -cpu host -machine pc,smm=off
is "svm: the refusal is an event" "$(count_events svm '.event == "refused"')" 1
refused smm 125 'smm=off' --policy "$policy" -- "${kvm[@]}" -cpu host,-svm -machine pc
is "smm: the refusal is an event" "$(count_events smm '.event == "refused"')" 1
refused tcg 126 'accel kvm' --policy "$policy" -- "${qemu[@]}" -accel tcg
refused scrubbed 137 'environment' --policy "$policy" -- env -i "$(command -v qemu-system-x86_64)" \
	"${kvm[@]:1}" -cpu host,-svm -machine pc,smm=off
refused static 126 'static' --policy "$policy" -- "$(command -v busybox)" sleep 5
sed 's/optional: true/optional: false/' "$policy" >/run/lab/strict.yaml
refused cr 3 'strict.yaml:[0-9]+:[0-9]+: .*CR filter' --policy /run/lab/strict.yaml -- "${kvm[@]}"
refused s3 126 'disable_s3=1' --policy "$policy" -- "${qemu[@]}" -accel kvm
refused version 0 'QEMU emulator version' --policy "$policy" -- qemu-system-x86_64 --version

sed 's/^version: 1$/&\naccept: [nested, smm]/' "$policy" >/run/lab/accept.yaml
guest accept 6.12 /run/lab/accept.yaml --cpu host --machine pc
check "accept: [nested, smm]: a guest with both boots" inner_wait accept GUEST-READY 60
inner_stop accept
ignore_msrs
tap_end
