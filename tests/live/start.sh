#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: start.sh REGPIN SHIM
#
# VMMs that may start, and those that the guard detects: QEMU's command line in any form, VMs by their
# vCPUs' files, more processes than can be watched, --require-vm, and the lock of the
# sockets' directory. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

have_static=1
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -static -o vmm-static "$here/fakevmm.c" \
	2>/dev/null || have_static=
cat >policy.yaml <<'P'
version: 1
arming: start
rules:
  - register: EFER
    sticky: [SCE, NXE]
P
sed 's/^rules/accept: [s3]\n&/' policy.yaml >accepts.yaml
sed 's/sticky: .*/&\n    action: report/' policy.yaml >reports.yaml

# run OPTION... -- VMM...: status in $status, stdout in out, stderr in err
run()
{
	local options=" $* " with=(--policy policy.yaml)

	options=${options%% -- *}
	[[ "$options " != *" --policy "* ]] || with=()
	rm -f events out err # the agent of the run before may write to these yet
	timeout -k 1 60 "$regpin" run --no-ctl --events "$dir/events" "${with[@]}" "$@" \
		>out 2>err <"${input:-/dev/null}"
	status=$?
}

# The agent ends after the VMM: wait for its last event.
await()
{
	for ((i = 0; i < 200; i++)); do
		grep -qs -- "$1" "$2" && return 0
		sleep 0.05
	done
	return 1
}

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err
	[[ ! -e events ]] || sed 's/^/# events: /' events
}

is() # STATUS [PATTERN FILE]: for ok
{
	[[ $status == "$1" ]] || return 1
	[[ $# == 1 ]] || await "$2" "$3"
}

refused() # REASON: the events have it exactly once
{
	await '"refused"' events &&
		[[ $(jq -r 'select(.event == "refused").reason' events | sort | uniq -c |
			tr -s ' ') == " 1 $1" ]]
}

# QEMU's command line

qemu=$(command -v qemu-system-x86_64)
if [[ -n $qemu ]] && timeout 20 "$qemu" -accel kvm -machine none -display none \
	-monitor stdio <<<quit >/dev/null 2>&1; then
	base=(-cpu "qemu64,-svm,-vmx" -m 64 -S -display none -nodefaults)
	echo quit >quit
	input=$dir/quit
	# qemu STATUS WHAT PROGRAM ARGUMENTS: QEMU's monitor ends it, if it runs
	qemu()
	{
		local want=$1 what=$2

		shift 2
		run "${policy[@]}" -- "$@" "${base[@]}" -monitor stdio
		is "$want"
		ok $? "$what"
	}
	policy=()
	s3=(-accel kvm -machine "q35,smm=off")
	off=("${s3[@]}" -global ICH9-LPC.disable_s3=1)
	qemu 0 "q35 without S3 runs" qemu-system-x86_64 "${off[@]}"
	qemu 126 "q35 with S3 is not started" qemu-system-x86_64 "${s3[@]}"
	qemu 126 "QEMU by the name kvm, with S3, is not started" kvm -machine "q35,smm=off"
	qemu 126 "q35 with PIIX4's option and S3 is not started" qemu-system-x86_64 "${s3[@]}" \
		-global PIIX4_PM.disable_s3=1
	qemu 126 "q35 with the option undone is not started" qemu-system-x86_64 "${off[@]}" -global ICH9-LPC.disable_s3=0
	qemu 126 "q35 with S3 and a guest called microvm is not started" qemu-system-x86_64 "${s3[@]}" -name microvm,guest=x
	ln -s "$qemu" link
	qemu 126 "a symbolic link to QEMU, with S3, is not started" ./link "${s3[@]}"
	cp "$qemu" copy
	qemu 126 "a copy of QEMU under another name, with S3, is not started" ./copy "${s3[@]}"
	qemu 125 "QEMU with S3, started by a shell, gets no VM" sh -c 'exec qemu-system-x86_64 "$@"' sh "${s3[@]}"
	refused s3
	ok $? "the refused S3 is an event"
	! grep -q '"attached"' events
	ok $? "no VM with S3 was attached"
	qemu 125 "a copy of QEMU with S3, started by a shell, gets no VM" sh -c './copy "$@"; exit $?' sh "${s3[@]}" \
		-L "${qemu%/bin/*}/share/qemu" -L "${qemu%/bin/*}/share/seabios"
	qemu 0 "QEMU without S3, started by a shell, runs" sh -c 'exec qemu-system-x86_64 "$@"' sh "${off[@]}"
	mkdir -p sub
	printf '[global]\ndriver = "ICH9-LPC"\nproperty = "disable_s3"\nvalue = "1"\n' >sub/off.conf
	qemu 0 "a configuration file is read relative to QEMU's directory" \
		sh -c 'cd sub && exec qemu-system-x86_64 "$@"' \
		sh "${s3[@]}" -readconfig off.conf
	policy=(--policy accepts.yaml)
	qemu 0 "QEMU with S3 runs under a policy that accepts S3" qemu-system-x86_64 "${s3[@]}"
	qemu 126 "QEMU with TCG is not started" qemu-system-x86_64 -accel tcg
	grep -q "^regpin: the VMM was not started: .*emulate its guest (TCG)" err
	ok $? "the message gives TCG as the reason"
	# No word of this command line names QEMU. QEMU is idle, so only a kill ends it.
	printf '#!/bin/sh\nexec qemu-system-x86_64 -accel tcg "$@" </dev/zero\n' >wrapper
	chmod +x wrapper
	run "${policy[@]}" -- ./wrapper "${base[@]}"
	is 137 && grep -q "killed .*emulate its guest (TCG)" err && refused tcg
	ok $? "QEMU with TCG, started by a script, is killed"
	policy=(--policy reports.yaml)
	qemu 0 "QEMU with S3 runs under a policy that only reports" qemu-system-x86_64 "${s3[@]}"
	# A tolerated S3 still counts when a policy comes that enforces.
	"$regpin" run --policy policy.yaml --mode report --ctl "$dir/ctl-s3" --name s3 -- \
		qemu-system-x86_64 "${s3[@]}" "${base[@]}" >out 2>err &
	pid=$!
	for ((i = 0; i < 300; i++)); do
		! "$regpin" ctl --ctl "$dir/ctl-s3" s3 status 2>/dev/null | grep -q 'vCPU 0' || break
		sleep 0.05
	done
	for command in "mode enforce" "policy policy.yaml --mode policy --yes"; do
		# shellcheck disable=SC2086 # several words
		"$regpin" ctl --ctl "$dir/ctl-s3" s3 $command >answer 2>&1
		status=$?
		((status)) && grep -q 'refused: this QEMU gives its guest S3' answer
		ok $? "S3 that was tolerated is refused by ctl $command"
		sed "s/^/# answer: /" answer
	done
	"$regpin" ctl --ctl "$dir/ctl-s3" s3 policy accepts.yaml --yes >answer 2>&1
	ok $? "a policy that accepts S3 can follow"
	kill "$pid"
	wait "$pid"
	# QEMU is stopped after KVM has made its VM, beside another VM: the policy changes
	# between QEMU's two requests.
	compile slow.so slow.c -shared -fPIC -ldl
	LD_PRELOAD=./slow.so "$regpin" run --policy policy.yaml --mode report --events "$dir/events" \
		--ctl "$dir/ctl-s3" --name s3 -- sh -c 'SLOW_MS=0 ./vmm vm touch beside sleep 30000 &
			until [ -e beside ]; do sleep 0.05; done
			exec qemu-system-x86_64 "$@"' sh "${s3[@]}" "${base[@]}" >out 2>err &
	pid=$!
	for ((i = 0; i < 800; i++)); do
		! grep -q "^State:.*stopped" "/proc/$pid/status" || break
		sleep 0.05
	done
	timeout 20 "$regpin" ctl --ctl "$dir/ctl-s3" s3 mode enforce >answer 2>&1
	accepted=$?
	kill -CONT "$pid"
	for ((i = 0; i < 200; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	kill "$pid" 2>/dev/null
	wait "$pid"
	status=$?
	pkill -f '^\./vmm vm touch beside sleep 30000'
	is 125 '"refused"' events && [[ $accepted == 0 ]]
	ok $? "a policy that comes while the VM is made is checked, too"
	((accepted == 0)) || sed 's/^/# answer: /' answer
	policy=()
	for accel in kvm:tcg tcg; do
		run -- qemu-system-x86_64 -S -no-user-config -nodefaults -nographic \
			-machine none,accel=$accel -monitor stdio
		is 0
		ok $? "libvirt's query of QEMU works with $accel"
	done
	run --require-vm -- qemu-system-x86_64 --version
	is 125 "require-vm" err && grep -q "QEMU emulator" out
	ok $? "--require-vm: QEMU's --version is a failure"
else
	skip "QEMU's command line" "no qemu-system-x86_64 that can use KVM"
fi

input=/dev/null

# Other VMMs

run -- ./vmm vm vm exit 0
is 0 '"detached"' events && [[ $(grep -c "S3 can't be checked" err) == 1 &&
	$(jq -r 'select(.reason == "s3").event' events) == degraded ]]
ok $? "it is reported once that the S3 of another VMM cannot be checked"
run --policy accepts.yaml -- ./vmm vm exit 0
is 0 '"detached"' events && ! grep -q S3 err events
ok $? "the S3 of another VMM is not reported if it does not matter"
compile slow_looks.so slow_looks.c -shared -fPIC -ldl
LD_PRELOAD=./slow_looks.so run --require-vm -- ./vmm vm exit 0
is 0 '"detached"' events && ! grep -q "nothing was protected" err
ok $? "a VMM that ends before the agent looks again counts as having had its VM"
run --require-vm -- ./vmm vm exit 0
is 0 '"detached"' events
ok $? "--require-vm: a VMM with a VM succeeds"
run --require-vm -- ./vmm exit 0
is 125 "created no KVM VM" err
ok $? "--require-vm: a VMM without a VM fails"
run --require-vm -- ./vmm exit 7
is 7
ok $? "--require-vm: the VMM's own status is kept"
run --require-vm -- ./vmm kill 10
is 138
ok $? "--require-vm: the VMM's death by a signal is kept"
run --require-vm -- ./vmm daemonize vm sleep 300
is 0
ok $? "--require-vm: a VM in the background succeeds"
run -- ./vmm exit 0
is 0 "nothing was protected" err
ok $? "without --require-vm a missing VM is a warning"
rm -f out
"$regpin" run --no-ctl --policy policy.yaml --require-vm -- ./vmm pid vm touch ready sleep 20000 \
	>out 2>err &
pid=$!
for ((i = 0; i < 200; i++)); do [[ ! -e ready ]] || break; sleep 0.05; done
kill -USR1 "$pid"
wait "$pid"
status=$?
vmm=$(sed -n 's/^pid //p' out)
is 138 && [[ -n $vmm && $vmm != "$pid" && ! -d /proc/$vmm ]]
ok $? "--require-vm: a signal is passed on"

# VMMs that the guard detects

if [[ $have_static ]]; then
	printf '#!/bin/sh\n./vmm-static vm vcpu closevm sleep 20000\nexit $?\n' >script
	chmod +x script
	run -- ./script
	is 137 && refused static
	ok $? "a VM whose file is closed is detected by its vCPU"
	printf '#!/bin/sh\n./vmm-static vm vcpu thread closevm sleep 20000\nexit $?\n' >script
	run -- ./script
	is 137 && refused static
	ok $? "such a VM is detected in a process whose first thread has ended"
	printf '#!/bin/sh\n./vmm vm\n./vmm-static vm vcpu closevm sleep 20000\nexit $?\n' >script
	run -- ./script
	is 137 && refused static
	ok $? "such a VM is detected after another VM was attached"
	cat >many <<'S'
#!/bin/bash
for ((i = 0; i < 150; i++)); do sleep 20 & done
./vmm-static vm vcpu sleep 20000
status=$?
kill $(jobs -p)
exit $status
S
	chmod +x many
	run -- ./many
	is 137 && refused static
	ok $? "such a VM is detected among more than 150 processes"
	bash -c 'ulimit -n 100; exec "$@"' - timeout -k 1 60 "$regpin" run --no-ctl \
		--policy policy.yaml --events "$dir/crowd" -- ./many >out 2>err </dev/null
	status=$?
	is 137 "can't watch more" err && await '"crowd"' crowd
	ok $? "more processes than the agent can watch end the start"
	for ((i = 0; i < 100; i++)); do
		pgrep -f "^./vmm-static vm vcpu sleep" >/dev/null || break
		sleep 0.05
	done
	! pgrep -f "^./vmm-static vm vcpu sleep" >/dev/null
	ok $? "more processes than the agent can watch are all killed"
else
	skip "VMs that the guard sees" "no static libc"
fi

# Sockets

mkdir -m 755 ctl
exec 9<ctl
flock -x 9
timeout 30 "$regpin" run --policy policy.yaml --ctl "$dir/ctl" -- ./vmm vm exit 3 >out 2>err
status=$?
is 3 && [[ $(stat -c %a ctl/.lock) == 600 ]]
ok $? "a lock on the sockets' directory, which any user can take, does not prevent a start"
exec 9>&-
timeout 30 flock -x ctl/.lock "$regpin" run --policy policy.yaml --ctl "$dir/ctl" -- ./vmm vm \
	>out 2>err
status=$?
is 125 "another process holds the lock" err
ok $? "a lock on the file in that directory is reported"
"$regpin" run --policy policy.yaml --ctl /tmp -- ./vmm vm >out 2>err
status=$?
is 125 "name a directory of your own" err && ! grep -q chmod err
ok $? "/tmp is refused for sockets, and its mode is not changed"

events_fit
printf '1..%d\n' "$nr"
exit "$failed"
