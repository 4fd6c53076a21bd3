#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: swap.sh REGPIN SHIM
#
# `regpin ctl policy` goes from one policy to the next, each with other wide rules, while
# the guest of a small VMM on the real KVM repeats the same accesses. Each access ends as
# the old or as the new policy requires, changes once, and its event belongs to the policy
# that judged it. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
vmm=
trap 'rm -rf "$dir"; [[ -z $vmm ]] || kill "$vmm" 2>/dev/null' EXIT
compile swapvmm swapvmm.c
case $(grep -m1 vendor_id /proc/cpuinfo) in
*AuthenticAMD) ours=amd theirs=intel ;;
*GenuineIntel) ours=intel theirs=amd ;;
*HygonGenuine) ours=hygon theirs=intel ;;
*) skip_all "a CPU of another vendor" ;;
esac

# policy NAME RULES [SETTING ..]
policy()
{
	printf '%s\n' "version: 1" "arming: start" "${@:3}" "rules:" "$2" >"$1.yaml"
}

policy free '  - {register: 0x79, deny: write}'
policy named '  - {register: CSTAR, deny: write, action: drop}
  - {register: 0x8b, value: 0x77}
  - {register: 0x1b, deny: read}'
policy default '  - {register: [CSTAR, "0x800-0x8ff", 0x6e0], allow: both}' 'default: deny'
policy narrow '  - {register: CSTAR, deny: both, action: drop}
  - {register: ["0x800-0x8ff", 0x6e0], allow: both}' 'default: deny'
policy others '  - {register: [PAT, "0x800-0x8ff", 0x6e0], allow: both}
  - {register: 0x1a0, allow: read}' 'default: {deny: both, action: drop}'
policy refused '  - {register: 0x79, deny: write}' \
	'unknown: {value: 0x42, action: drop}' 'invalid: drop'
policy reported '  - {register: 0x79, deny: write}' 'unknown: report' 'invalid: report'
policy value '  - {register: CSTAR, value: 0x11}
  - {register: PAT, deny: write, action: drop}
  - {register: 0x1b, deny: read, action: drop}'
policy when "  - {register: [CSTAR, 0x1a0], deny: both, when: {vendor: $theirs}}
  - {register: 0x8b, value: 0x99, when: {vendor: $ours}}
  - {register: PAT, deny: write, when: {vendor: $ours}}"

# For each policy, the accesses that differ from a VM without rules.
declare -A differs=(
	[free]=""
	[named]="cstar-r=old sign-r=0x77 apic-r=gp"
	[default]="unknown-r=gp unknown-w=gp invalid-w=gp sign-r=gp misc-r=gp pat-w=gp apic-r=gp"
	[narrow]="unknown-r=gp unknown-w=gp invalid-w=gp cstar-r=0x0 sign-r=gp misc-r=gp pat-w=gp apic-r=gp"
	[others]="unknown-r=0x0 unknown-w=done invalid-w=done cstar-r=0x0 sign-r=0x0 apic-r=0x0"
	[refused]="unknown-r=0x42 unknown-w=done invalid-w=done"
	[reported]=""
	[value]="cstar-r=0x11 apic-r=0x0"
	[when]="sign-r=0x99 pat-w=gp"
)
# For each policy, its events.
declare -A events=(
	[free]=""
	[named]="APIC_BASE:read:gp CSTAR:write:drop"
	[default]="APIC_BASE:read:gp IA32_BIOS_SIGN_ID:read:gp IA32_MISC_ENABLE:read:gp LSTAR:write:gp"
	[others]="APIC_BASE:read:drop CSTAR:read:drop CSTAR:write:drop IA32_BIOS_SIGN_ID:read:drop LSTAR:write:drop"
	[refused]="LSTAR:write:drop"
	[reported]="LSTAR:write:report"
	[value]="APIC_BASE:read:drop PAT:write:drop"
	[when]="PAT:write:gp"
)
events[default]+=" PAT:write:gp 0x2f00:read:gp 0x2f00:write:gp"
events[narrow]="${events[default]} CSTAR:read:drop CSTAR:write:drop"
events[others]+=" 0x2f00:read:drop 0x2f00:write:drop"
events[refused]+=" 0x2f00:write:drop"
events[reported]+=" 0x2f00:read:report 0x2f00:write:report"

# Accesses that violate these policies all the time may do so in mode report.
policy strict '  - {register: [CSTAR, PAT], deny: both}'
policy stricter '  - {register: [CSTAR, PAT, "0xc0000081"], deny: both}'
differs[strict]="cstar-r=gp cstar-w=gp pat-w=gp"
events[strict]=""

# These policies are refused: by themselves, or together with the VMM's filter.
policy not-exact '  - {register: 0x1b, deny: write, action: report}'
policy too-wide '  - {register: [0x20000000, 0x21000000, 0x22000000, 0x23000000, 0x24000000, 0x25000000,
      0x79, 0x40000000, 0x4b564d00, 0xc0000083, 0xc0010015], deny: write}'

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	tail -n 20 out | sed 's/^/# out: /'
	sed 's/^/# ctl: /' ctl.out ctl.err err
	sed 's/^/# /' odd 2>/dev/null
}

ctl()
{
	"$regpin" ctl --ctl "$dir/ctl" vm "$@" >ctl.out 2>ctl.err </dev/null
}

# Waits for a whole round of the guest's accesses.
round()
{
	touch round
	local i

	for ((i = 0; i < 500; i++)); do
		[[ -e round ]] || return 0
		sleep 0.02
	done
	return 1
}

# follows LINE POLICY: since that line each access has changed at most once, to what the
# policy requires, and by now all have. Reads of CSTAR alone depend on the policy that
# judged the write before, so they may give the first value written, or an old one.
follows()
{
	awk -v since="$1" -v differs="${differs[$2]}" '
		NR == FNR { should[$2] = $3; next }
		FNR == 1 { n = split(differs, d, " "); for (i = 1; i <= n; i++) {
			split(d[i], pair, "="); should[pair[1]] = pair[2] } }
		{ is[$2] = $3 }
		FNR <= since || ($2 == "cstar-r" && should[$2] != $3 &&
			should[$2] $3 ~ /^(oldnew|newold)$/) { next }
		!($2 in should) || should[$2] != $3 || changed[$2]++ { print "odd: " $0; bad = 1 }
		END { for (name in should) if (is[name] != should[name]) {
			print name " is " is[name] " and should be " should[name]; bad = 1 } exit bad }
	' plain out >odd
}

lines()
{
	wc -l <out
}

in_force=free expected=()

# go POLICY: applies it while the guest runs
go()
{
	local since

	since=$(lines)
	ctl policy "$1.yaml" --yes && round && follows "$since" "$1" || return
	in_force=$1
	[[ -z ${events[$1]} ]] || expected+=("$1.yaml")
}

# stays POLICY PATTERN: the policy is refused with this message, and the one in force stays
stays()
{
	local since status

	since=$(lines)
	ctl policy "$1.yaml" --yes
	status=$?
	round && follows "$since" "$in_force" && [[ $status == 1 && $(lines) == "$since" ]] &&
		grep -q -- "$2" ctl.out ctl.err
}

# Without regpin, to learn what this host itself does.
timeout 60 ./swapvmm round >out &
vmm=$!
round
kill "$vmm"
wait "$vmm" 2>/dev/null
mv out plain
[[ $(wc -l <plain) == 9 ]] && ! grep -q leak plain
ok $? "a guest does its accesses without regpin"

# start VMM'S-ARGUMENTS: with a policy that concerns none of the accesses
start()
{
	rm -f events
	in_force=free
	# Without --foreground, timeout sends SIGCONT after the signal that ends the VMM, and
	# LeakSanitizer, which stops the process in order to look at it, waits forever.
	timeout --foreground 110 "$regpin" run --policy free.yaml --name vm --ctl "$dir/ctl" --events "$dir/events" \
		--event-limit 0 -- ./swapvmm round "$@" >out 2>err </dev/null &
	vmm=$!
	round && follows 0 free
}

stop()
{
	kill "$vmm"
	wait "$vmm" 2>/dev/null
	vmm=
	local i

	for ((i = 0; i < 100; i++)); do
		grep -qs '"detached"' events && return
		sleep 0.05
	done
}

start 6
ok $? "a policy without rules on these accesses changes none"

steps=(named default narrow others)
if [[ $(cat /sys/module/kvm/parameters/ignore_msrs) == N ]]; then
	steps+=(refused reported)
else
	stays refused ignore_msrs
	ok $? "on a host with ignore_msrs a policy on unknown MSRs is refused"
fi
steps+=(value when)
for step in "${steps[@]}"; do
	was=$in_force
	go "$step"
	ok $? "$was -> $step: each access ends as one of the two requires"
done
stays too-wide 'no room.*the VMM'
ok $? "a policy without room beside the VMM's filter is refused, and the old one stays"
stays not-exact "can't only report"
ok $? "a policy that regpin cannot perform exactly is refused, and the old one stays"
go default
ok $? "after a refused policy another one is accepted"
stays too-wide 'room'
ok $? "the same holds while a default denies all"

good=0
for ((cycle = 1; cycle <= 10 && good == 0; cycle++)); do
	for step in value "${steps[@]}" free named; do
		go "$step" || { good=1 && break; }
	done
done
ok $good "each access ends as required in $(((cycle - 1) * (${#steps[@]} + 3))) more swaps"
stop
! grep -q leak out
ok $? "the VMM, which requested no exits, got none"
reported=$(jq -r 'select(.event == "violation").where | sub(":.*"; "")' events | uniq | xargs)
[[ $reported == "${expected[*]}" ]]
ok $? "the events belong to the policies that were in force, in their order"
jq -r 'select(.event == "violation") |
	(.where | sub(".yaml:.*"; "")) + " " + (.register | sub("^MSR "; "")) + ":" + .access + ":" + .verdict' events |
	sort -u >kinds
for name in "${steps[@]}" named; do
	tr ' ' '\n' <<<"${events[$name]}" | sed "/./!d; s/^/$name /"
done | sort -u | diff - kinds >odd
ok $? "each event gives the verdict of its policy"

# A new policy that comes with a mode was never in force in another one, and the next policy
# keeps that mode.
start 6
good=$?
since=$(lines)
for ((try = 0; try < 25 && good == 0; try++)); do
	ctl policy strict.yaml --mode report --yes && round &&
		ctl policy stricter.yaml --yes && round &&
		ctl policy free.yaml --mode policy --yes && round || good=1
done
[[ $good == 0 ]] && follows "$since" free && [[ $(lines) -le $((since + 1)) ]]
ok $? "policies in mode report never refuse an access of a guest that always violates them"
for ((i = 0; i < 100; i++)); do
	[[ $(grep -c '"command":"policy"' events) == 75 ]] && break
	sleep 0.05
done
[[ $(jq -r 'select(.event == "violation") | .verdict + " " + (.where | sub(":.*"; ""))' events |
	sort -u | xargs) == "report strict.yaml report stricter.yaml" ]]
ok $? "each violation in mode report was reported"
go strict
ok $? "the same policy without mode report refuses the access"
stop

start 6 other && go named
good=$?
for ((try = 0; try < 10 && good == 0; try++)); do
	stays too-wide 'no room.*the VMM' || good=1
done
ok $good "a policy that one VM of the VMM cannot have is in force in none"
stop
events_fit
echo "1..$nr"
exit $failed
