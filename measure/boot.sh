#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What linux.yaml costs the boot of a stock guest where KVM has the CR filter: how
# long it takes from the start of the VMM to a shell, with one vCPU, in the outer guest's clock,
# which counts instructions; the best of three. Prints "KEY NUMBER" lines.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"

# The library looks ten times a second, which is too coarse here.
inner_nap()
{
	# shellcheck disable=SC2154 # lab/inner.sh's
	read -r -t 0.005 -u "$inner_never" || true
}

declare -A best=([plain]=0 [linux]=0)
boot() # KEY POLICY|-
{
	local key=$1 from to

	from=$(date +%s%N)
	guest "boot-$key" 6.12 "$2" || exit
	inner_wait "boot-$key" GUEST-READY 240 || exit
	to=$(date +%s%N)
	inner_stop "boot-$key"
	echo "# $key $(((to - from) / 1000))" >&2
	((best[$key] && best[$key] < to - from)) || best[$key]=$((to - from))
}

for _ in 1 2 3; do
	boot plain -
	boot linux "$top/policies/linux.yaml"
done
echo "time.plain $((best[plain] / 1000))"
echo "time.linux $((best[linux] / 1000))"
