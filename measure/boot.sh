#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cost of linux.yaml for the boot of a stock guest if KVM has the CR filter: the run
# time of QEMU's threads and of regpin's agent up to the guest's shell, by the outer
# guest's clock, which counts instructions. Prints "KEY NUMBER" lines.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"

boot() # KEY POLICY|-
{
	local key=$1 ran=0 n file

	guest "boot-$key" 6.12 "$2" || exit
	inner_wait "boot-$key" GUEST-READY 60 || exit
	for file in $(pgrep -f '^[^ ]*(regpin run|qemu-system)' | sed 's|.*|/proc/&/task/*/schedstat|'); do
		read -r n _ <"$file" && ran=$((ran + n))
	done
	inner_stop "boot-$key"
	echo "time.$key $((ran / 1000))"
}

boot plain -
boot linux "$top/policies/linux.yaml"
