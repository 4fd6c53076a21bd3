#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --timeout 500
# Normal work of a stock guest with four CPUs violates nothing: perf, ftrace, kprobes,
# patching of the kernel's text, modules, tasks without TSC; and a kernel that sets a bit of
# CR4 that no list in the policy has. Counts the exits, too.
set -u
# shellcheck source=tests/lab/life.sh
source "$LAB_DIR/../tests/lab/life.sh"
trace=/sys/kernel/tracing
cpus=4

# Counts the exits to userspace that regpin's filters cause: KVM_EXIT_X86_RDMSR, _WRMSR and
# _CR_WRITE.
mount -t tracefs t $trace 2>/dev/null
echo "hist:keys=reason if reason == 29 || reason == 30 || reason == $((0x52500001))" \
	>$trace/events/kvm/kvm_userspace_exit/trigger
exits()
{
	awk '/^# *event histogram/ { n = 0 } /hitcount:/ { sub(/.*hitcount: */, ""); n += $1 } END { print n + 0 }' \
		$trace/events/kvm/kvm_userspace_exit/hist
}

work() # WHAT COMMAND LAST-LINE [SECONDS]
{
	inner_do work "$2" "${4:-120}"
	is "$1" "$INNER_REPLY" "$3"
	is "$1: no violation" "$(violations work)" 0
}

# Without regpin: the exits for MSRs that QEMU itself causes
before=$(exits)
guest plain 6.12 - --smp $cpus
check "without regpin: the guest boots" inner_wait plain "GUEST-READY .* cpus=$cpus" 150
plain=$(($(exits) - before))
inner_stop plain

before=$(exits)
guest work 6.12 "$top/policies/linux.yaml" --smp $cpus
check "the guest boots" inner_wait work "GUEST-READY .* cpus=$cpus" 150 || tap_end
booted=$(exits)
echo "# exits for MSRs and CRs from power-on to a shell: $((booted - before)), without regpin $plain, $cpus vCPUs"
check "exits added per vCPU, power-on to shell: at most 16" test $((booted - before - plain)) -le $((16 * cpus))

work "forks, execs and checksums" \
	'i=0; while [ $i -lt 300 ]; do ( : ); i=$((i+1)); done; md5sum /bin/busybox >/dev/null && echo done' 'done'
inner_do work '/busy perf 3' 60
is "perf runs on every CPU" "${INNER_REPLY%:*}" "perf ok"
is "perf: no violation" "$(violations work)" 0
inner_do work '/busy tsd 2' 60
is "tasks with and without TSC take turns" "${INNER_REPLY%:*}" "tsd ok"
is "PR_TSC_SIGSEGV, which is CR4.TSD: no violation" "$(violations work)" 0

tracing='mount -t tracefs t /sys/kernel/tracing 2>/dev/null; cd /sys/kernel/tracing'
work "ftrace: hundreds of functions, on and off" \
	"$tracing; echo 'vfs_* *sched*' >set_ftrace_filter; for t in function nop function_graph nop; do echo \$t >current_tracer || echo failed; done; echo >set_ftrace_filter; cat current_tracer; cd /" nop 120
work "kprobes in a kernel function, with hits" \
	"$tracing; echo 'p:t do_sys_openat2' >kprobe_events; for i in 1 2 3; do echo 1 >events/kprobes/enable; cat /proc/version >/dev/null; echo 0 >events/kprobes/enable; done; [ \$(grep -c openat2 trace) -gt 0 ] && echo hits; : >kprobe_events; cd /" hits
work "static keys: text patched 20 times" \
	'for i in $(seq 10); do for v in 1 0; do echo $v >/proc/sys/kernel/sched_schedstats; done; done; cat /proc/sys/kernel/sched_schedstats' 0
work "modules loaded and unloaded 10 times" \
	'n=0; for i in $(seq 10); do rmmod msr && insmod /mods/*-msr.ko || n=$((n+1)); done; echo failures=$n' failures=0
is "this work makes no exit for an MSR or a CR" $(($(exits) - booted)) 0

# CR4.DE, which no Linux uses on x86-64 and no list in the policy names.
poke() # CPU SET CLEAR
{
	inner_do work "taskset $1 sh -c 'echo cr4 $2 $3 >/proc/crpoke; cat /proc/crpoke'" 30
}
poke 2 8 0
is "a bit that the policy does not name may be set" "${INNER_REPLY%% old*}" "cr4 gp=0"
is "setting that bit is no violation" "$(violations work)" 0
work "the guest continues with that bit, and that CPU works" 'taskset 2 echo fine' fine
poke 2 0 8
is "that bit may not be cleared again" "${INNER_REPLY%% old*}" "cr4 gp=1"
is "clearing that bit is an event" "$(wait_events work '.event == "violation" and .register == "CR4" and .bits == ["DE"]' 1)" 1
poke 1 0 8
is "clearing the bit on a CPU where it is not set is allowed" "${INNER_REPLY%% old*}" "cr4 gp=0"
is "there is one violation" "$(violations work)" 1
still_pinned work "after this work" cr4.smep 3
inner_stop work
tap_end
