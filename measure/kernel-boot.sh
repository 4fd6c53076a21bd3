#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The number of exits that a CR filter adds to the boot of a stock Debian guest, by
# register, bit and direction. Prints "KEY NUMBER" lines.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
cpus=2

for kernel in 6.12 6.1; do
	inner_start "count-$kernel" --kernel $kernel --initrd "$work/guest-$kernel.gz" --smp $cpus \
		--wrap "env LD_PRELOAD=$work/cr-count.so CR_COUNT=/run/out/count-$kernel" || exit
	inner_wait "count-$kernel" GUEST-READY 90 || exit
	inner_do "count-$kernel" 'i=0; while [ $i -lt 500 ]; do ( : ); i=$((i+1)); done; echo loaded' 120
	inner_stop "count-$kernel"
	sed "s/^/boot-$kernel./" "/run/out/count-$kernel" || exit
done
