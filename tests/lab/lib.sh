# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scenarios, which run inside the lab's outer guest: TAP, guests
# with and without regpin, and their events.

# shellcheck source=lab/inner.sh
source "$LAB_DIR/inner.sh"
top=$(cd "$LAB_DIR/.." && pwd -P)
# shellcheck disable=SC2034 # for the scenarios
regpin=${REGPIN_BUILD:-$top/build}/tool/regpin
work=${REGPIN_LAB_WORK:?}
# No scenario is about the store, and the machine is thrown away.
export REGPIN_STORE=none
events_dir=/run/out
tap_count=0 tap_failed=0

ok() # DESCRIPTION
{
	echo "ok $((++tap_count)) - $1"
}

not_ok() # DESCRIPTION [DETAIL]
{
	echo "not ok $((++tap_count)) - $1"
	# ./check lets lines with "#!" through; they may be all that is seen of the failure.
	[[ -z ${2:-} ]] || sed 's/^/#!   /' <<<"$2"
	tap_failed=$((tap_failed + 1))
	how_guests_are | sed 's/^/#!   /'
}

# The last lines of each guest and its agent, and whether the guest runs.
how_guests_are()
{
	local name file

	for name in "${!inner_pid[@]}"; do
		if inner_alive "$name"; then echo "guest $name runs"; else echo "guest $name has ended"; fi
		for file in "$inner_out/$name".{serial,qemu}.log "$events_dir/$name.events"; do
			[[ ! -s $file ]] || tail -n 3 "$file" | tr -d '\r\000' | cut -c1-300 | sed "s/^/${file##*/"$name".}: /"
		done
	done
}

skip() # DESCRIPTION REASON
{
	echo "ok $((++tap_count)) - $1 # SKIP $2"
}

check() # DESCRIPTION COMMAND ...
{
	local what=$1

	shift
	if "$@"; then ok "$what"; else not_ok "$what" "failed: $*"; return 1; fi
}

is() # DESCRIPTION GOT WANTED
{
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "got:    $2"$'\n'"wanted: $3"
	fi
}

tap_end()
{
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

image=guest # of the guests: guest-life, guest-next, see prepare-life
# The option of `regpin run`, if set. A scenario that counts events which may come more than
# ten times a second needs 0: otherwise some are combined into a "repeated" event on a fast
# machine.
event_limit=

# guest NAME KERNEL [POLICY|-] [inner_start's options]: with the attackers' initramfs;
# under regpin if there is a policy; events go to NAME.events, and `ctl` knows NAME
guest()
{
	local name=$1 kernel=$2 policy=$3 wrap=()
	local limit=${event_limit:+--event-limit $event_limit}

	shift 3
	if [[ $policy != - ]]; then
		rm -f "$events_dir/$name.events"
		wrap=(--wrap "$regpin run --policy $policy --events $events_dir/$name.events $limit --name $name --")
	fi
	inner_start "$name" --kernel "$kernel" --initrd "$work/$image-$kernel.gz" "${wrap[@]}" "$@"
}

# events NAME [JQ-FILTER]: prints the agent's events, one JSON object per line
events()
{
	jq -c "${2:-.}" "$events_dir/$1.events" 2>/dev/null
}

count_events() # NAME JQ-CONDITION
{
	jq -c "select($2)" "$events_dir/$1.events" 2>/dev/null | wc -l
}

# wait_events NAME JQ-CONDITION N [SECONDS]: waits until there are N such events, or the
# time is over, and prints their number. The agent writes them after the guest continues.
wait_events()
{
	local end=$((SECONDS + ${4:-5})) n

	while n=$(count_events "$1" "$2"); ((n < $3 && SECONDS < end)); do
		inner_nap 0.2
	done
	echo "$n"
}

# Events that a stock Linux may never cause in its life cycle.
trouble='.event == "violation" or .event == "vmm-write" or .event == "failed" or .event == "detected" or .event == "deadline"'

violations() # NAME
{
	count_events "$1" "$trouble"
}

# load_later NAME: loads the modules that udev loads on a stock system; prints "loaded N of
# M", as a module whose hardware is missing looks for it and ends
load_later()
{
	# shellcheck disable=SC2016 # it is the guest's shell that expands them
	inner_do "$1" 'n=0 all=0; for m in /later/*.ko; do all=$((all+1)); insmod $m 2>/dev/null && n=$((n+1)); done; echo "loaded $n of $all"' 120
}

# attack NAME WHAT [CPU]: by the guest's module; INNER_REPLY has the result
attack()
{
	# Reads the line again: on a CPU after INIT its end was sometimes lost.
	inner_do "$1" "r=\$(taskset $(printf %x $((1 << ${3:-0}))) sh -c 'echo $2 >/proc/attack; cat /proc/attack'); echo; echo \"\$r\"" 60
}

# still_pinned NAME WHEN WHAT [CPU]: that attack is refused, and is one more event
still_pinned()
{
	local before

	before=$(violations "$1")
	attack "$1" "$3" "${4:-0}"
	is "$1, $2: $3 on CPU ${4:-0} gets #GP" "${INNER_REPLY#*gp=}" "1 ${INNER_REPLY#*gp=1 }"
	is "$1, $2: $3 on CPU ${4:-0} is one event" $(($(wait_events "$1" "$trouble" $((before + 1))) - before)) 1
}

ctl() # NAME COMMAND ..
{
	"$regpin" ctl "$@"
}

# vm_status NAME JQ-FILTER: prints a part of the status that the operator sees
vm_status()
{
	ctl "$1" status --json | jq -rc "$2"
}
