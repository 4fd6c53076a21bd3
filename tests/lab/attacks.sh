# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced after lib.sh by the scenarios that attack: the lines that guests print about
# attacks, and the events that regpin should report.

# A guest's lines: ATTACK name how=dev|module gp=0|1 old= tried= seen= [rip=] [mark=0|1]
# gp: the instruction got #GP; mark: the register's protection was bypassed.
attack_lines() # NAME [ATTACK]
{
	inner_log "$1" | grep "^ATTACK ${2:+$2 }"
}

field() # KEY LINE
{
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" <<<"$2 "
}

# The violation that ATTACK makes: register, rule, bits (violated or missing)
violated_by() # ATTACK
{
	case $1 in
	cr0.wp* | syscall.hook) echo 'CR0 sticky WP' ;;
	cr0.pg) echo 'CR0 sticky PG' ;;
	cr0.em.lmsw) echo 'CR0 never EM' ;;
	cr4.smep* | cr4.rop) echo 'CR4 sticky SMEP' ;;
	cr4.smap*) echo 'CR4 sticky SMAP' ;;
	cr4.umip*) echo 'CR4 sticky UMIP' ;;
	ret2usr) echo 'CR4 sticky SMEP,SMAP' ;;
	init) echo 'CR0 require WP' ;;
	init.lstar) echo 'LSTAR require UMIP,SMEP,SMAP' ;;
	lstar*) echo 'LSTAR uniform ' ;;
	esac
}

# The jq condition for the expected event of one line
violation_of() # LINE
{
	local attack register rule bits

	attack=$(cut -d' ' -f2 <<<"$1")
	read -r register rule bits < <(violated_by "$attack")
	echo ".event == \"violation\" and .verdict == \"gp\" and .register == \"$register\"" \
		"and .rule == \"$rule\" and ((.bits // .lacks // []) | sort) == (\"$bits\" | split(\",\") | sort)" \
		"and .rip == \"$(field rip "$1")\" and .cpl == 0"
}

worked() # GUEST ATTACK DESCRIPTION
{
	local line

	line=$(attack_lines "$1" "$2" | tail -n 1)
	is "$3 succeeds" "gp=$(field gp "$line") mark=$(field mark "$line")" 'gp=0 mark=1'
}

stopped() # GUEST ATTACK DESCRIPTION
{
	local line

	line=$(attack_lines "$1" "$2" | tail -n 1)
	is "$3 gets #GP and has no effect" \
		"gp=$(field gp "$line") mark=$(field mark "$line")" 'gp=1 mark=0'
	is "$3 is one event" "$(count_events "$1" "$(violation_of "$line")")" 1
}

count_violations() # GUEST
{
	count_events "$1" '.event == "violation"'
}

# Sends an INIT to a CPU that Linux runs on, which Linux may not survive. The host reads from
# memory how far the attacker's code came (guest/attack/low.h): 1 is real mode, 3 a write to a
# read-only page, 13 a #GP.
init_running() # GUEST
{
	local i

	inner_send "$1" '/attacks init'
	for ((i = 0; i < 100; i++)); do
		stage=$(inner_hmp "$1" 'xp /1wx 0x41000' | tr -d '\r' | sed -n 's/^0*41000: //p')
		stage=$((stage))
		((stage != 3 && stage != 13)) || break
		inner_nap 0.2
	done
	# If the attacker's code made no step at all, the guest hangs.
	((stage)) || inner_fail "$1 does not answer: the attack did not begin"
}

boot() # NAME POLICY|- [OPTION ..]
{
	guest "$1" 6.12 "$2" --smp 2 "${@:3}" && inner_wait "$1" '^GUEST-READY' 90
}

attack() # NAME ATTACK
{
	inner_do "$1" "/attacks $2" 60 || true
}

ended() # NAME SECONDS: does its VMM end by itself?
{
	local end=$((SECONDS + $2))

	while inner_alive "$1"; do
		((SECONDS < end)) || return 1
		inner_nap 0.2
	done
}
