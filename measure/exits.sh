#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The number of exits for MSRs and CRs that a policy adds: counts kvm_userspace_exit in the
# lab's outer guest, from power-on to a shell and then under load. Prints "KEY NUMBER" lines;
# each KEY begins with the name of its host.
set -u
# shellcheck source=tests/lab/lib.sh
source "$LAB_DIR/../tests/lab/lib.sh"
trace=/sys/kernel/tracing
cpus=2
host=$1

mount -t tracefs t $trace 2>/dev/null
# KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR, KVM_EXIT_X86_CR_WRITE
echo "hist:keys=reason if reason == 29 || reason == 30 || reason == $((0x52500001))" \
	>$trace/events/kvm/kvm_userspace_exit/trigger || exit

exits()
{
	awk '/^# *event histogram/ { n = 0 } /hitcount:/ { sub(/.*hitcount: */, ""); n += $1 } END { print n + 0 }' \
		$trace/events/kvm/kvm_userspace_exit/hist
}

count() # KEY POLICY|-
{
	local a b c

	a=$(exits)
	guest "exits-$1" 6.12 "$2" --smp $cpus || exit
	inner_wait "exits-$1" GUEST-READY 90 || exit
	b=$(exits)
	inner_do "exits-$1" 'i=0; while [ $i -lt 1500 ]; do ( : ); i=$((i+1)); done; md5sum /bin/busybox >/dev/null; echo loaded' 120
	c=$(exits)
	inner_stop "exits-$1"
	echo "$host.boot.$1 $((b - a))"
	echo "$host.load.$1 $((c - b))"
}

count plain -
count linux "$top/policies/linux.yaml"
echo "cpus $cpus"
