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
events_dir=/run/out
tap_count=0 tap_failed=0

ok() # DESCRIPTION
{
	echo "ok $((++tap_count)) - $1"
}

not_ok() # DESCRIPTION [DETAIL]
{
	echo "not ok $((++tap_count)) - $1"
	# "#!" is what ./check lets through, which may be all that is seen of it.
	[[ -z ${2:-} ]] || sed 's/^/#!   /' <<<"$2"
	tap_failed=$((tap_failed + 1))
	how_guests_are | sed 's/^/#!   /'
}

# What each guest and its agent said last, and whether it runs at all.
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
# Of `regpin run`, if set. Who counts events that may come more than ten times a second
# wants 0: else a guest on a fast machine has some of them told by one "repeated".
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

# events NAME [JQ-FILTER]: what the agent wrote, one JSON object a line
events()
{
	jq -c "${2:-.}" "$events_dir/$1.events" 2>/dev/null
}

count_events() # NAME JQ-CONDITION
{
	jq -c "select($2)" "$events_dir/$1.events" 2>/dev/null | wc -l
}

# wait_events NAME JQ-CONDITION N [SECONDS]: until there are N such events, or time is
# up; prints how many there are then. The agent writes them after the guest goes on.
wait_events()
{
	local end=$((SECONDS + ${4:-5})) n

	while n=$(count_events "$1" "$2"); ((n < $3 && SECONDS < end)); do
		inner_nap 0.2
	done
	echo "$n"
}

# What no life-cycle event of a stock Linux may cause.
trouble='.event == "violation" or .event == "vmm-write" or .event == "failed" or .event == "detected" or .event == "deadline"'

violations() # NAME
{
	count_events "$1" "$trouble"
}

# load_later NAME: what udev loads on a stock system; "loaded N of M", as a module whose
# hardware is not there looks for it, and ends
load_later()
{
	# shellcheck disable=SC2016 # it is the guest's shell that expands them
	inner_do "$1" 'n=0 all=0; for m in /later/*.ko; do all=$((all+1)); insmod $m 2>/dev/null && n=$((n+1)); done; echo "loaded $n of $all"' 120
}

# attack NAME WHAT [CPU]: by the guest's module; INNER_REPLY tells what came of it
attack()
{
	# The line once more by itself: on a fresh CPU its end was seen to get lost.
	inner_do "$1" "r=\$(taskset $(printf %x $((1 << ${3:-0}))) sh -c 'echo $2 >/proc/attack; cat /proc/attack'); echo; echo \"\$r\"" 60
}

# still_pinned NAME WHEN WHAT [CPU]: that attack is refused, and is one event more
still_pinned()
{
	local before

	before=$(violations "$1")
	attack "$1" "$3" "${4:-0}"
	is "$1, $2: $3 on CPU ${4:-0} gets #GP" "${INNER_REPLY#*gp=}" "1 ${INNER_REPLY#*gp=1 }"
	is "$1, $2: and that is one event" $(($(wait_events "$1" "$trouble" $((before + 1))) - before)) 1
}

ctl() # NAME COMMAND ..
{
	"$regpin" ctl "$@"
}

# vm_status NAME JQ-FILTER: of what the operator sees
vm_status()
{
	ctl "$1" status --json | jq -rc "$2"
}
