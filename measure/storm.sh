#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: measure/storm.sh REGPIN STORM DIR [EVENTS]
#
# Events from the ring to a file in DIR, written by an agent without limits. Prints how many
# there are in a second of the agent's processor time, how many in a second of the clock,
# and how many times the processor time of cat(1) for the same bytes the agent needs. The
# best of three runs. Needs /dev/kvm.
set -euo pipefail
regpin=$(realpath "$1")
storm=$(realpath "$2")
dir=$(mktemp -d -p "$(realpath "$3")")
events=${4:-500000}
trap 'rm -rf "$dir"' EXIT
cd "$dir"
printf 'version: 1\narming: start\naccept: [s3]\nrules:\n  - {register: EFER, sticky: [NXE], optional: true}\n' >policy.yaml

# Nanoseconds of processor time of `cat`, from a shell that does nothing else.
cat_time()
{
	bash -c 'cat "$1" >"$2"; times' - events copy | awk -F '[ms ]' 'END { printf "%.0f\n", ($1 * 60 + $2 + $4 * 60 + $5) * 1e9 }'
}

# The processor time of the agent of this DIR, in nanoseconds.
spent()
{
	local pid ns

	while read -r pid; do
		[[ $(cat "/proc/$pid/comm") == regpin-agent ]] || continue
		read -r ns _ <"/proc/$pid/schedstat"
		echo "$ns"
	done < <(pgrep -f "^$regpin run .*--events $dir/events")
}

best=0 clock=0 cats=0
for ((run = 0; run < 3; run++)); do
	rm -f events
	coproc "$regpin" run --no-ctl --policy policy.yaml --event-limit 0 --event-total 0 \
		--events "$dir/events" -- "$storm" "$events" 2>err
	# Its variables are gone when it ends.
	vmm=$COPROC_PID from=${COPROC[0]} to=${COPROC[1]}
	read -r _ <&"$from"
	before=$(spent)
	echo >&"$to"
	read -r wall <&"$from"
	cpu=$(($(spent) - before))
	echo >&"$to"
	wait "$vmm"
	for ((tries = 0; tries < 600; tries++)); do
		! tail -n 1 events | grep -q '"event":"detached"' || break
		sleep 0.1
	done
	written=$(grep -c '"event":"violation"' events)
	((written == events)) || { echo "$written of $events events were written" >&2; cat err >&2; exit 1; }
	((best != 0 && best <= cpu)) || best=$cpu
	((clock != 0 && clock <= wall)) || clock=$wall
	wall=$(cat_time)
	((cats != 0 && cats <= wall)) || cats=$wall
done
awk -v n="$events" -v cpu="$best" -v wall="$clock" -v cat="$cats" \
	'BEGIN { printf "%.0f %.0f %.0f\n", n / cpu * 1e9, n / wall * 1e9, (cat ? cpu / cat : 0) }'
