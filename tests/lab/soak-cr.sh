#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 3000
# Ten minutes of load under linux.yaml on four vCPUs; then ten minutes of policy swaps,
# resets, operators and malformed requests at the same time, with an agent that is built with
# ASan if there is one. ./check soak runs it.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
minutes=${SOAK_MINUTES:-10}
cpus=4
policy=$top/policies/linux.yaml
[[ ! -x $top/build-asan/tool/regpin ]] || {
	# ASan is in the agent alone: the library that is preloaded into QEMU cannot have
	# it.
	mkdir -p /run/lab/asan/tool /run/lab/asan/shim
	cp "$top/build-asan/tool/regpin" /run/lab/asan/tool/
	cp "${REGPIN_BUILD:-$top/build}/shim/libregpin-shim.so" /run/lab/asan/shim/
	regpin=/run/lab/asan/tool/regpin
}

guest load 6.12 "$policy" --smp $cpus
check "the guest boots" inner_wait load "GUEST-READY .* cpus=$cpus" 200 || tap_end
end=$((SECONDS + 60 * minutes)) rounds=0 failures=0
while ((SECONDS < end)); do
	# shellcheck disable=SC2016 # the guest's
	inner_do load '(/busy perf 5 & /busy tsd 5 & i=0; while [ $i -lt 200 ]; do ( : ); i=$((i+1)); done; md5sum /bin/busybox; wait) >/dev/null 2>&1; rmmod msr; insmod /mods/*-msr.ko; for v in 1 0; do echo $v >/proc/sys/kernel/sched_schedstats; done; c=/sys/devices/system/cpu/cpu'$((rounds % 3 + 1))'/online; echo 0 >$c; echo 1 >$c; echo loaded' 200
	[[ $INNER_REPLY == loaded ]] || failures=$((failures + 1))
	rounds=$((rounds + 1))
done
is "$minutes minutes of load, $rounds rounds: there are no failures" $failures 0
is "the load makes no violations" "$(violations load)" 0
still_pinned load "after the load" cr4.smep 3
inner_stop load

# --- two copies of one policy: the file and line in an event show which of them has judged
# ---
cp "$policy" /run/lab/a.yaml
{ echo '# the other one' && cat "$policy"; } >/run/lab/b.yaml
image=guest-life
rm -f "$events_dir/storm.events"
inner_start storm --kernel 6.12 --initrd "$work/$image-6.12.gz" --smp $cpus \
	--wrap "$regpin run --policy /run/lab/a.yaml --events $events_dir/storm.events --event-limit 0 --name storm --"
check "the guest boots" inner_wait storm "GUEST-READY .* cpus=$cpus" 200 || tap_end

# Operators and clients with malformed requests, until they are stopped.
flood()
{
	while :; do
		case $((RANDOM % 6)) in
		0) "$regpin" ctl storm status ;;
		1) "$regpin" ctl storm events --last 200 ;;
		2) timeout 0.3 "$regpin" ctl storm events --follow ;;
		3) "$regpin" ctl storm gp --vcpu $((RANDOM % 9)) ;;
		4) echo 'version: 1' >/run/lab/bad.$BASHPID; "$regpin" ctl storm policy /run/lab/bad.$BASHPID --yes ;;
		5) perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/run/regpin/storm.sock") or die;
			print $s pack("C*", map { rand 256 } 1 .. 3000); select undef, undef, undef, 0.2' || touch /run/lab/no-lies ;;
		esac >/dev/null 2>&1
	done
}
floods=()
for _ in 1 2; do
	flood &
	floods+=($!)
done

# swap TO: swaps, and checks that later accesses are judged by the new policy
swap()
{
	ctl storm policy "/run/lab/$1.yaml" --yes >/run/lab/swap.out 2>&1 || {
		sed 's/^/# swap: /' /run/lab/swap.out
		return 1
	}
	before=$(count_events storm '.event == "violation"')
	attack storm cr4.smep $((swaps % cpus)) || return
	attacks=$((attacks + 1))
	(($(wait_events storm '.event == "violation"' $((before + 1))) == before + 1)) || {
		echo "# an attack without its one event"
		return 1
	}
	[[ $(events storm 'select(.event == "violation") | .where' | tail -n 1) == *"/$1.yaml:"* ]] || {
		echo "# an attack judged by the other policy"
		return 1
	}
}

end=$((SECONDS + 60 * minutes)) swaps=0 attacks=0 resets=0 bad=0
while ((SECONDS < end)); do
	to=b
	((swaps % 2 == 0)) || to=a
	swap $to || bad=$((bad + 1))
	swaps=$((swaps + 1))
	((swaps % 12)) || {
		inner_hmp storm system_reset >/dev/null
		# A swap at the time of the reset, too.
		ctl storm policy /run/lab/a.yaml --yes >/dev/null 2>&1
		inner_wait storm "GUEST-READY .* cpus=$cpus" 200 || bad=$((bad + 1))
		resets=$((resets + 1))
	}
done
for pid in "${floods[@]}"; do
	kill "$pid"
	wait "$pid"
done 2>/dev/null
is "$swaps swaps, each followed by an attack, and $resets resets: there are no failures" $bad 0
is "each attack is one event" "$(count_events storm '.event == "violation"')" $attacks
is "no other event reports trouble" "$(count_events storm '.event == "vmm-write" or .event == "failed" or .event == "detected" or .event == "deadline" or .event == "dropped"')" 0
check "all malformed requests were sent" test ! -e /run/lab/no-lies
check "the agent still answers" eval "ctl storm status >/dev/null"
inner_stop storm
is "QEMU exits with status 0" "$inner_status" 0
is "no sanitizer has reported an error" "$(grep -c 'Sanitizer' "$inner_out/storm.qemu.log")" 0
tap_end
