# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by scripts that lab/outer runs: starts, drives and stops nested guests
# under this machine's own, unmodified QEMU with KVM. Logs are in /run/out. On failure,
# all functions print the reason on stderr and return non-zero.

# shellcheck disable=SC1091 # written by lab/fetch
source "$REGPIN_CACHE/env"

inner_out=${LAB_OUT:-/run/out}  # logs: NAME.serial.log, NAME.qemu.log, NAME.qmp.log
inner_run_dir=/run/lab          # fifos
declare -A inner_pid=() inner_serial=() inner_partial=() inner_qmp_fd=() inner_keys=() inner_ask=()
# shellcheck disable=SC2034 # for the caller
INNER_LINE='' INNER_REPLY='' inner_status=0
inner_count=0
# For scenarios that run on another machine: the factor for all timeouts, and the guests'
# CPU and command line.
inner_patience=${INNER_PATIENCE:-1} inner_cpu=${INNER_CPU:-host,-svm,-vmx} inner_append=${INNER_APPEND:+ $INNER_APPEND}

inner_fail()
{
	printf '# inner: ERROR: %s\n' "$*" >&2
	return 1
}

# Sleeps without starting a process: nothing ever writes to this fifo.
mkdir -p "$inner_run_dir"
[[ -p $inner_run_dir/never ]] || mkfifo "$inner_run_dir/never"
exec {inner_never}<>"$inner_run_dir/never"
inner_nap()
{
	read -r -t "${1:-0.1}" -u "$inner_never" || true
}

inner_alive() # NAME
{
	local state

	[[ -n ${inner_pid[$1]:-} ]] || return 1
	{ read -r _ _ state _ <"/proc/${inner_pid[$1]}/stat"; } 2>/dev/null && [[ $state != Z ]]
}

inner_make_pipes() # NAME: its fifos, and its empty logs
{
	local dir=$inner_run_dir/$1 fd

	rm -rf "$dir"
	mkdir -p "$dir"
	mkfifo "$dir"/{serial,qmp}.{in,out}
	# Keep them open: text that is written before QEMU opens them must not be lost.
	exec {fd}<>"$dir/serial.in"
	inner_keys[$1]=$fd
	exec {fd}<>"$dir/qmp.in"
	inner_ask[$1]=$fd
	: >"$inner_out/$1.serial.log"
	: >"$inner_out/$1.qmp.log"
}

inner_read_pipes() # NAME: once its QEMU was started
{
	local dir=$inner_run_dir/$1 fd

	# These readers end with QEMU. Without them, a full fifo would block the guest's console.
	cat "$dir/serial.out" >>"$inner_out/$1.serial.log" &
	cat "$dir/qmp.out" >>"$inner_out/$1.qmp.log" &
	exec {fd}<"$inner_out/$1.serial.log"
	inner_serial[$1]=$fd
	exec {fd}<"$inner_out/$1.qmp.log"
	inner_qmp_fd[$1]=$fd
	inner_partial[$1]=''
}

# inner_start NAME [--kernel 6.12|6.1|trixie|backports|DIR] [--smp N] [--mem MB] [--initrd F] [--append "WORD .."]
#   [--wrap "CMD .."] [--qemu FILE] [--accel A] [--cpu C] [--machine M] [-- QEMU-ARG ..]
inner_start()
{
	local name=$1 kernel=6.12 smp=1 mem=256 initrd='' append='' wrap='' vmlinuz dir=$inner_run_dir/$1
	local s3=PIIX4_PM.disable_s3=1
	local qemu=qemu-system-x86_64 accel=kvm cpu=$inner_cpu machine=pc,smm=off

	shift
	while (($#)); do
		case $1 in
		--kernel) kernel=$2 ;;
		--smp) smp=$2 ;;
		--mem) mem=$2 ;;
		--initrd) initrd=$2 ;;
		--append) append+=" $2" ;;
		--wrap) wrap=$2 ;;
		--qemu) qemu=$2 ;;
		--accel) accel=$2 ;;
		--cpu) cpu=$2 ;;
		--machine) machine=$2 ;;
		--) shift; break ;;
		*) inner_fail "inner_start: unknown argument '$1'"; return ;;
		esac
		shift 2
	done
	case $kernel in
	6.12) vmlinuz=$K612_VMLINUZ initrd=${initrd:-$LAB_GUEST_612} ;;
	6.1) vmlinuz=$K61_VMLINUZ initrd=${initrd:-$LAB_GUEST_61} ;;
	trixie) vmlinuz=$KTRIXIE_VMLINUZ ;;
	backports) vmlinuz=$KBACKPORTS_VMLINUZ ;;
	/*) vmlinuz=$kernel/arch/x86/boot/bzImage ;; # as for lab_kernel
	*) inner_fail "inner_start: unknown kernel '$kernel'"; return ;;
	esac
	[[ -n $initrd ]] || { inner_fail "inner_start: --kernel $kernel needs an --initrd"; return; }
	! inner_alive "$name" || { inner_fail "inner_start: $name is already running"; return; }

	inner_forget "$name"
	inner_make_pipes "$name"
	# No S3: regpin would take a wake-up for a reset. QEMU ignores the other machine's option.
	[[ $machine != q35* ]] || s3=ICH9-LPC.disable_s3=1
	# Started in the background, --wrap's words split on purpose.
	# shellcheck disable=SC2086
	$wrap "$qemu" -name "$name" -accel "$accel" -cpu "$cpu" -machine "$machine" \
		-global "$s3" -smp "$smp" -m "$mem" -nodefaults -vga none -display none -net none \
		-chardev "pipe,id=serial,path=$dir/serial" -serial chardev:serial \
		-chardev "pipe,id=qmp,path=$dir/qmp" -mon chardev=qmp,mode=control \
		-kernel "$vmlinuz" -initrd "$initrd" \
		-append "console=ttyS0 panic=-1 quiet$inner_append$append" \
		"$@" </dev/null >"$inner_out/$name.qemu.log" 2>&1 &
	inner_pid[$name]=$!
	inner_read_pipes "$name"
	inner_qmp "$name" '{"execute": "qmp_capabilities"}' 60 ||
		inner_fail "inner_start: $name does not answer, see $inner_out/$name.qemu.log: $(tail -n 3 "$inner_out/$name.qemu.log")"
}

inner_forget()
{
	local fd

	for fd in "${inner_serial[$1]:-}" "${inner_qmp_fd[$1]:-}" "${inner_keys[$1]:-}" "${inner_ask[$1]:-}"; do
		[[ -z $fd ]] || exec {fd}<&-
	done
	unset "inner_pid[$1]" "inner_serial[$1]" "inner_qmp_fd[$1]" "inner_partial[$1]" \
		"inner_keys[$1]" "inner_ask[$1]"
}

# inner_wait NAME REGEX SECONDS: wait for a whole line on the serial console that
# matches the ERE; INNER_LINE is that line. The next call continues after it.
inner_wait()
{
	inner_wait_until "$1" "$2" $((SECONDS + $3 * inner_patience))
}

inner_wait_until() # NAME REGEX END: waits until SECONDS is END
{
	local name=$1 regex=$2 start=$SECONDS end=$3 fd=${inner_serial[$1]:-} part dead=false

	[[ -n $fd ]] || { inner_fail "inner_wait: $name was not started"; return; }
	while :; do
		while IFS= read -r -u "$fd" part; do
			INNER_LINE=${inner_partial[$name]}${part%$'\r'}
			inner_partial[$name]=''
			if [[ $INNER_LINE =~ $regex ]]; then
				return 0
			fi
		done
		inner_partial[$name]+=$part
		if $dead; then
			inner_fail "$name ended while we waited for '$regex', see $inner_out/$name.serial.log and $name.qemu.log"
			return
		fi
		if ((SECONDS >= end)); then
			inner_fail "$name: no '$regex' within $((end - start)) s, see $inner_out/$name.serial.log"
			return
		fi
		inner_alive "$name" || dead=true # read once more: the guest may have written a last line
		inner_nap 0.1
	done
}

# inner_send NAME TEXT: send a line to the shell on the guest's serial console
inner_send()
{
	inner_alive "$1" || { inner_fail "inner_send: $1 is not running"; return; }
	printf '%s\n' "$2" >&"${inner_keys[$1]}"
}

# inner_do NAME COMMAND [SECONDS]: run it in the guest and wait; INNER_REPLY is the last
# line that it printed, the return value its exit status (124: no status in time)
inner_do()
{
	local name=$1 id=$((++inner_count))

	inner_send "$name" "$2"$'\n'"echo GUEST-DONE $id \$?" || return 124
	INNER_REPLY=''
	local end=$((SECONDS + ${3:-30} * inner_patience))
	while ((SECONDS <= end)); do
		inner_wait_until "$name" '' "$end" || return 124
		if [[ $INNER_LINE =~ "GUEST-DONE $id "([0-9]+)$ ]]; then
			return "${BASH_REMATCH[1]}"
		fi
		# shellcheck disable=SC2034
		INNER_REPLY=$INNER_LINE
	done
	return 124
}

# inner_qmp NAME JSON [SECONDS]: send a QMP command; INNER_REPLY is the line of the answer
inner_qmp()
{
	local name=$1 id=$((++inner_count)) fd=${inner_qmp_fd[$1]:-} end=$((SECONDS + ${3:-60} * inner_patience)) part line=''

	inner_alive "$name" || { inner_fail "inner_qmp: $name is not running"; return; }
	printf '%s, "id": %d}\n' "${2%'}'}" "$id" >&"${inner_ask[$name]}"
	while ((SECONDS <= end)); do
		while IFS= read -r -u "$fd" part; do
			line+=${part%$'\r'}
			if [[ $line == *"\"id\": $id"[,"}"]* ]]; then
				INNER_REPLY=$line
				[[ $line != *'"error": {'* ]] || inner_fail "$name: $2: $line"
				return
			fi
			line=''
		done
		line+=$part
		inner_alive "$name" || { inner_fail "$name ended, see $inner_out/$name.qemu.log"; return; }
		inner_nap 0.1
	done
	inner_fail "$name: no answer to $2 within ${3:-60} s, see $inner_out/$name.qmp.log"
}

# inner_hmp NAME COMMAND [SECONDS]: send a command to the human monitor, and print the
# answer. Most commands only answer if they fail, so an answer may be an error.
inner_hmp()
{
	local command=${2//\\/\\\\}

	inner_qmp "$1" "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"${command//\"/\\\"}\"}}" "${3:-60}" ||
		return
	jq -rj '.return' <<<"$INNER_REPLY"
}

# inner_stop NAME: end the guest through the monitor, otherwise by killing QEMU. It is not
# an error if QEMU has already ended; inner_status is QEMU's exit status
inner_stop()
{
	local name=$1 pid=${inner_pid[$1]:-} i

	[[ -n $pid ]] || return 0
	if inner_alive "$name"; then
		printf '{"execute": "quit"}\n' >&"${inner_ask[$name]}"
		for ((i = 0; i < 50; i++)); do
			inner_alive "$name" || break
			inner_nap 0.1
		done
		! inner_alive "$name" || kill -KILL "$pid" 2>/dev/null || true
	fi
	inner_status=0
	# shellcheck disable=SC2034 # for the caller
	wait "$pid" 2>/dev/null || inner_status=$?
	inner_forget "$name"
	rm -rf "${inner_run_dir:?}/$name"
}

inner_log() # NAME: prints the guest's output on its serial console so far
{
	tr -d '\r\000' <"$inner_out/$1.serial.log"
}
