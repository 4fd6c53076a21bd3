#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# usage: way-of-an-access.sh svg|text
#
# Prints the picture of README.md, as docs/way-of-an-access.svg has it, or the same as text,
# as README.md has it. tests/unit/way_of_an_access.sh holds both against this script.

text()
{
	cat <<'T'
 guest   kernel: WRMSR, MOV to CR0 or CR4, XSETBV, INIT
             |
             | 1  trap, for registers that the policy names
             v
 KVM     MSR filter (any KVM since 5.10)     CR filter (only our KVM)
             |                                   |
             | 2  KVM_RUN returns                | 2
             |                                   |    (without it: CR0, CR4 and XCR0
             |                                   |    are read every 10 ms of run time)
             v                                   v
 VMM     shim ---- not a register of the policy ----> QEMU handles the exit
 process     |
             | 3  access
             v
         libregpin: judge(policy, access) = verdict
             |                        |
             | 4  answer              | 5  event, through shared memory
             |                        v
             |              agent --- 6 ---> events: JSON lines
             |              (regpin run) <--- regpin ctl: operator
             v
 guest   allowed: the write happens       denied: #GP
         dropped: it has no effect        held: the vCPU waits for the operator
T
}

# box X Y WIDTH HEIGHT CLASS TITLE [LINE]
box()
{
	echo "<rect class=\"$5\" x=\"$1\" y=\"$2\" width=\"$3\" height=\"$4\" rx=\"5\"/>"
	echo "<text class=\"title\" x=\"$(($1 + $3 / 2))\" y=\"$(($2 + 22))\">$6</text>"
	[ $# -lt 7 ] || echo "<text class=\"line\" x=\"$(($1 + $3 / 2))\" y=\"$(($2 + 41))\">$7</text>"
}

# band Y HEIGHT NAME: one of the places that an access passes
band()
{
	echo "<rect class=\"band\" x=\"10\" y=\"$1\" width=\"860\" height=\"$2\" rx=\"8\"/>"
	echo "<text class=\"place\" x=\"24\" y=\"$(($1 + 24))\">$3</text>"
}

# arrow PATH LABEL-X LABEL-Y LABEL
arrow()
{
	echo "<path class=\"arrow\" d=\"$1\" marker-end=\"url(#head)\"/>"
	[ $# -lt 4 ] || echo "<text class=\"label\" x=\"$2\" y=\"$3\">$4</text>"
}

svg()
{
	cat <<'S'
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 880 610" width="880" height="610" role="img">
<!-- SPDX-License-Identifier: GPL-2.0-only -->
<title>The way of a guest's register access through KVM, the VMM's process and the agent</title>
<style>
text { font-family: sans-serif; fill: #1c2733; }
.place { font-size: 14px; font-weight: bold; fill: #51606f; }
.title { font-size: 14px; font-weight: bold; text-anchor: middle; }
.line { font-size: 12px; text-anchor: middle; }
.label { font-size: 12px; }
.page { fill: #ffffff; }
.band { fill: #f3f5f7; stroke: #c9d1d9; }
.theirs { fill: #ffffff; stroke: #8a97a3; }
.ours { fill: #dcebfa; stroke: #2f6fab; }
.arrow { fill: none; stroke: #1c2733; stroke-width: 1.5; }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#1c2733"/></marker></defs>
<rect class="page" x="0" y="0" width="880" height="610"/>
S
	band 10 80 "guest"
	band 130 80 "KVM"
	band 250 200 "VMM process"
	band 490 110 "agent: regpin run"

	box 190 22 360 56 theirs "guest kernel, unmodified" "WRMSR, MOV to CR0 or CR4, XSETBV, INIT"
	box 190 142 170 56 theirs "MSR filter" "any KVM since 5.10"
	box 380 142 170 56 ours "CR filter" "only our KVM"
	echo '<text class="label" x="570" y="166">Without the CR filter, CR0, CR4 and XCR0</text>'
	echo '<text class="label" x="570" y="184">are read every 10 ms of run time instead.</text>'
	box 190 264 360 44 ours "shim: intercepts KVM_RUN"
	box 640 264 210 56 theirs "QEMU, unmodified" "handles all other exits"
	box 190 376 360 56 ours "libregpin" "judge(policy, access) = verdict"
	box 190 518 170 56 ours "agent" "counts, limits, writes"
	box 420 518 190 56 theirs "events" "JSON lines"
	box 660 518 190 56 ours "regpin ctl" "the operator"

	arrow "M275 78 V140"
	arrow "M465 78 V140" 475 114 "1  trap, for registers that the policy names"
	arrow "M275 198 V262"
	arrow "M465 198 V262" 475 234 "2  KVM_RUN returns"
	arrow "M550 286 H638" 556 278 "not ours"
	arrow "M370 308 V374" 380 346 "3  access"
	arrow "M275 432 V516" 285 474 "5  event, through shared memory"
	arrow "M360 546 H418" 380 538 "6"
	arrow "M755 574 V588 H275 V576"
	arrow "M190 404 H160 V50 H188"
	echo '<text class="label" x="24" y="330">4  answer:</text>'
	echo '<text class="label" x="24" y="348">allow, #GP,</text>'
	echo '<text class="label" x="24" y="366">drop, hold, stop</text>'
	echo '</svg>'
}

case ${1:-} in
svg) svg ;;
text) text ;;
*)
	echo "usage: way-of-an-access.sh svg|text" >&2
	exit 2
	;;
esac
