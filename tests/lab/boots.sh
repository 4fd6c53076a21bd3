#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots nested guests repeatedly, on several builds of KVM's modules in turn in the same outer
# kernel, and counts the lost guests: those that shut down (a triple fault) or hang before they
# are ready, or whose QEMU ends. tests/lab/boots starts it in lab/outer.
#
# usage: boots.sh [OPTION ...] SECONDS NAME=DIR ...
#   NAME=DIR       a set of modules: DIR/kvm.ko and DIR/kvm-amd.ko
#   --smp N        vCPUs of each guest (default 2)
#   --jobs N       guests at the same time (default 1)
#   --block N      boots on one set before the next one's turn (default 6)
#   --limit S      a guest that is not ready after S seconds hangs (default 400)
#   --kernel K     6.12, 6.1 or a build directory, as for inner_start (default 6.12)
#   --initrd F     its initramfs, whose init prints GUEST-READY
#   --until first  end a guest at its kernel's first line, not when it is ready
#   --trace        KVM's tracepoints, and the VMCB at a shutdown
# Each boot is a line in /run/out/boots.tsv: set, number, seconds, outcome. The files of a
# lost guest are NAME.lost, NAME.trace and its logs.
set -u
# shellcheck source=lab/inner.sh
source "$LAB_DIR/inner.sh"

smp=2 jobs=1 block=6 limit=400 trace=false guest=(--kernel 6.12) sign=GUEST-READY append=''
while (($#)); do
	case $1 in
	--smp) smp=$2; shift ;;
	--jobs) jobs=$2; shift ;;
	--block) block=$2; shift ;;
	--limit) limit=$2; shift ;;
	--kernel | --initrd) guest+=("$1" "$2"); shift ;;
	# Before the kernel has started its second CPU.
	--until) [[ $2 == ready ]] || sign='ignoring loglevel' append='earlyprintk=serial,ttyS0,115200 ignore_loglevel'; shift ;;
	--trace) trace=true ;;
	*) break ;;
	esac
	shift
done
seconds=$1
shift
tracing=/sys/kernel/tracing

# Records the VMCB at a shutdown, which KVM clears before it returns to userspace, by a
# probe on the handler. The position of the VMCB's address in struct vcpu_svm is the one
# that the handler itself loads for clear_page(). The fields are offsets in the VMCB.
probe_vmcb() # DIR
{
	local at field fields=()

	at=$(objdump -d --no-show-raw-insn "$1/kvm-amd.ko" 2>/dev/null |
		awk '/<shutdown_interception>:/ { p = 1 } p && /,%rdi$/ && /\(%rbx\)/ {
			sub(/.*mov +/, ""); sub(/\(.*/, ""); print; exit }')
	[[ $at == 0x* ]] || { echo "# boots: no VMCB at a shutdown: shutdown_interception() has an unknown form"; return; }
	for field in code:70 info1:78 info2:80 intinfo:88 inj:a8 intctl:60 intstate:68 tlb:58 cs:410 ss:420 gdt:468 idt:488 \
		cpl:4c8 efer:4d0 cr4:548 cr3:550 cr0:558 flags:570 rip:578 rsp:5d8 rax:5f8 cr2:640; do
		fields+=("${field%:*}=+0x${field#*:}(+$at(%di)):x64")
	done
	echo "p:boots/vmcb kvm_amd:shutdown_interception vcpu=%di ${fields[*]}" >$tracing/kprobe_events ||
		echo "# boots: no VMCB at a shutdown: the kernel refuses the probe"
}

use() # DIR
{
	if $trace; then
		# A trigger keeps its tracepoint in use, and then the kernel warns at rmmod.
		[[ ! -e $tracing/events/kvm ]] || echo '!traceoff' >$tracing/events/kvm/kvm_userspace_exit/trigger
		echo 0 >$tracing/events/enable
		echo >$tracing/kprobe_events
	fi
	rmmod kvm_amd kvm 2>/dev/null
	if ! insmod "$1/kvm.ko" || ! insmod "$1/kvm-amd.ko" || [[ ! -c /dev/kvm ]]; then
		echo "boots: the modules in $1 cannot be loaded" >&2
		exit 1
	fi
	if $trace; then
		probe_vmcb "$1"
		echo 1 >$tracing/events/kvm/enable
		[[ ! -d $tracing/events/boots ]] || echo 1 >$tracing/events/boots/enable
		# KVM_EXIT_SHUTDOWN stops the trace, so the earlier events stay in the ring.
		echo 'traceoff if reason == 8' >$tracing/events/kvm/kvm_userspace_exit/trigger
	fi
}

evidence() # NAME
{
	local cpu

	{
		inner_hmp "$1" 'info status'
		inner_hmp "$1" 'info registers -a'
		inner_hmp "$1" 'info lapic'
		for ((cpu = 0; cpu < smp; cpu++)); do
			inner_hmp "$1" "cpu $cpu"
			# shellcheck disable=SC2016 # the monitor's
			inner_hmp "$1" 'x /24i $pc'
			# shellcheck disable=SC2016
			inner_hmp "$1" 'x /32gx $rsp'
		done
		dmesg | tail -n 30
	} >"/run/out/$1.lost" 2>&1
	! $trace || cat $tracing/trace >"/run/out/$1.trace"
}

# watch NAME: prints ready, shutdown (the guest reset itself), ended (QEMU did) or hang
watch()
{
	local end=$((SECONDS + limit)) part line='' said='' panic=''

	while :; do
		# The last read may end in the middle of a line; the rest comes later.
		while part=''; IFS= read -r -u "${inner_serial[$1]}" part || [[ -n $part ]]; do
			line+=$part
			if [[ $line == *$sign* ]]; then echo ready; return; fi
			[[ $line != *Oops* && $line != *'Kernel panic'* ]] || panic=' after a panic'
		done
		while part=''; IFS= read -r -u "${inner_qmp_fd[$1]}" part || [[ -n $part ]]; do
			said+=$part
			if [[ $said == *'"event": "SHUTDOWN"'* ]]; then echo "shutdown$panic"; return; fi
		done
		inner_alive "$1" || { echo "ended$panic"; return; }
		((SECONDS < end)) || { echo "hang$panic"; return; }
		inner_nap 0.2
	done
}

boot() # SET NUMBER
{
	local name=$1-$2 fate start=$EPOCHREALTIME

	if inner_start "$name" "${guest[@]}" --smp "$smp" --append "$append" -- -no-reboot -action shutdown=pause; then
		fate=$(watch "$name")
		[[ $fate == ready ]] || evidence "$name"
	else
		fate=unstarted
	fi
	printf '%s\t%d\t%s\t%s\n' "$1" "$2" \
		"$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')" "$fate" |
		tee -a /run/out/boots.tsv
	inner_stop "$name"
	[[ $fate != ready ]] || rm -f "/run/out/$name".{serial,qemu,qmp}.log
}

if $trace; then
	mountpoint -q $tracing || mount -t tracefs tracefs $tracing
	echo 8192 >$tracing/buffer_size_kb
fi
n=0
# The file is not emptied: if the emulator fails, lab/outer starts this script again.
while ((SECONDS < seconds)); do
	for set; do
		use "${set#*=}"
		for ((i = 0; i < block && SECONDS < seconds; i += jobs)); do
			! $trace || { echo >$tracing/trace; echo 1 >$tracing/tracing_on; }
			for ((job = 0; job < jobs; job++)); do
				n=$((n + 1))
				boot "${set%%=*}" $n &
			done
			wait
		done
	done
done
sort /run/out/boots.tsv | awk -F '\t' '{ n[$1]++; if ($4 != "ready") { lost[$1]++; how[$1] = how[$1] ", " $4 " (" $2 ")" } }
	END { for (s in n) print "# " s ": " n[s] " boots, " lost[s] + 0 " lost" how[s] }'
