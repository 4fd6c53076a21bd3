#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: measure/guard.sh REGPIN [VMS [SECONDS]]
#
# The cost of the agents of VMS VMs (default 100) while nothing happens: the percentage of one
# CPU, by the scheduler's clock, from 30 s after the last start on, when each agent has scanned
# all processes; and KiB of memory per VM (PSS of an agent and its standby). Each VMM has 300
# open files and 8 threads. Prints two numbers; needs /dev/kvm.
set -euo pipefail
regpin=$(realpath "$1")
vms=${2:-100} seconds=${3:-30}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
vmms=()
finish()
{
	((${#vmms[@]} == 0)) || kill "${vmms[@]}" 2>/dev/null || true
	wait
	rm -rf "$dir"
}
trap finish EXIT
cd "$dir"
cc -std=gnu11 -D_GNU_SOURCE -O1 -o vmm "$here/../tests/live/fakevmm.c"
cat >policy.yaml <<'P'
version: 1
accept: [s3]
rules:
  - register: EFER
    sticky: [SCE, NXE]
P

for ((i = 0; i < vms; i++)); do
	# shellcheck disable=SC2016 # the inner shell's own
	"$regpin" run --no-ctl --store none --policy policy.yaml --events "$dir/$i" -- \
		bash -c 'for ((i = 0; i < 300; i++)); do exec {fd}</dev/null; done; exec "$@"' - \
		./vmm vm vcpu threads 8 sleep 600000 </dev/null >>out 2>&1 &
	vmms+=($!)
done
for ((i = 0; i < vms; i++)); do
	for ((tries = 0; tries < 600; tries++)); do
		! grep -qs '"attached"' "$i" || break
		sleep 0.1
	done
	((tries < 600)) || { echo "VM $i was not attached" >&2; cat out >&2; exit 1; }
done

mapfile -t agents < <(pgrep -f "^$regpin run .*--events $dir/" | while read -r pid; do
	[[ $(cat "/proc/$pid/comm") != regpin-agent ]] || echo "$pid"
done)
((${#agents[@]} == vms)) || { echo "${#agents[@]} agents of $vms VMs" >&2; exit 1; }

spent() # nanoseconds
{
	local sum=0 ns pid

	for pid in "${agents[@]}"; do
		read -r ns _ <"/proc/$pid/schedstat"
		sum=$((sum + ns))
	done
	echo "$sum"
}

sleep 30
before=$(spent)
sleep "$seconds"
after=$(spent)

# The standby of an agent is its child.
memory=0
while read -r pid; do
	kib=$(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup")
	memory=$((memory + kib))
done < <(printf '%s\n' "${agents[@]}"; for pid in "${agents[@]}"; do pgrep -P "$pid" || true; done)
awk -v ns=$((after - before)) -v s="$seconds" -v kib="$memory" -v vms="$vms" \
	'BEGIN { printf "%.2f %.0f\n", ns / s / 1e7, kib / vms }'
