#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# explain.sh REGPIN_BINARY: explain and probe, and the KVM that explain and sim assume. TAP.
# shellcheck source=tests/unit/tools_scene.sh
source "$(dirname "$0")/tools_scene.sh"

# explain and sim name the KVM that they assume: this host's, or another one.
printf '0 cr0 0x80010001\n0 wrmsr LSTAR 1\n0 wrmsr SFMASK 1\n0 cr0 -WP\n' >wp.trace
for cmd in "explain" "sim"; do
	last=
	[ $cmd = explain ] || last=wp.trace
	# shellcheck disable=SC2086 # words
	{
		is 0 'on a KVM without the CR filter' "$regpin" $cmd --stock opt.yaml $last
		is 0 'on a KVM with the CR filter' "$regpin" $cmd --cr-filter opt.yaml $last
		is 2 'give only one of them' "$regpin" $cmd --cr-filter --stock opt.yaml $last
		is 0 'without the CR filter, assumed because' env REGPIN_HOST_FORCE=nokvm "$regpin" $cmd opt.yaml $last
		is 3 'there is no /dev/kvm' env REGPIN_HOST_FORCE=nokvm "$regpin" $cmd --host cr.yaml $last
		is 3 'can.t be enforced' "$regpin" $cmd --stock cr.yaml $last
		is 0 '' "$regpin" $cmd --cr-filter cr.yaml $last
		is 0 '"kvm":\{"source":"stock","msr_filter":true,"cr_filter":false\}' "$regpin" $cmd --json --stock opt.yaml $last
		is 0 '"kvm":\{"source":"cr-filter","msr_filter":true,"cr_filter":true\}' "$regpin" $cmd --json --cr-filter opt.yaml $last
		is 0 '"kvm":\{"source":"assumed"' env REGPIN_HOST_FORCE=nokvm "$regpin" $cmd --json opt.yaml $last
		if "$regpin" probe --json | grep -q '"usable":true'; then
			is 0 "on this host's KVM, with(out)? the CR filter" "$regpin" $cmd opt.yaml $last
			is 0 '"kvm":\{"source":"host"' "$regpin" $cmd --json opt.yaml $last
			is 0 "on this host's KVM" "$regpin" $cmd --host opt.yaml $last
		fi
	}
done
is 0 '^0 cr0 -WP => ok.*polled, not stopped; the next poll detects it: sticky at opt.yaml:4:5: WP$' "$regpin" sim --stock opt.yaml wp.trace
is 0 '^0 cr0 -WP => gp.*sticky at opt.yaml:4:5: WP$' "$regpin" sim --cr-filter opt.yaml wp.trace
is 0 '"polled_by":\{"rule":"sticky","where":"opt.yaml:4:5","bits":\["WP"\]\}' "$regpin" sim --json --stock opt.yaml wp.trace

# A rule that cannot be enforced is described by the same words everywhere.
printf 'version: 1\nrules:\n  - register: CR4\n    sticky: [SMEP]\n    require: [SMEP]\n    action: stop\n    optional: true\n' >floor.yaml
is 0 "floor.yaml:6:5: warning: action stop on CR4 needs .*'detect: \{reaction: stop\}'" "$regpin" check floor.yaml
lstar='checked when a vCPU writes LSTAR .the VM is stopped if a bit is missing., and otherwise only detected by a poll'
event="polled, every 10 ms: a violation is detected, not stopped, and becomes an event instead of 'action: stop' .'detect: .reaction: stop.' stops the VM."
for words in "$lstar" "$event"; do
	is 0 "$words" "$regpin" explain --stock floor.yaml
	is 0 "$words" "$regpin" sim --stock floor.yaml wp.trace
	is 0 "$words" "$regpin" explain --json --stock floor.yaml
	is 0 "$words" sh -c 'REGPIN_HOST_FORCE=nocrfilter "$1" probe --starts floor.yaml | tr -s " \n" "  "' sh "$regpin"
done
is 5 '^XCR0  sticky, never, frozen, report: ' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe
is 0 '' sh -c '! REGPIN_HOST_FORCE=nocrfilter "$1" probe | sed -n "/^XCR0/,/^MSRs/p" | grep -E "require|LSTAR"' sh "$regpin"

# probe: 0 means all is enforced, 5 it starts without some rules, 3 it does not start.
cp "$policy" linux.yaml
if "$regpin" probe --json | grep -q '"msr_filter":true'; then
	printf 'version: 1\nrules: [{register: LSTAR, uniform: true}]\n' >msr.yaml
	is 0 'starts VMMs with this policy on this host$' "$regpin" probe msr.yaml
	is 5 'does not enforce all' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe opt.yaml
	is 0 'does not enforce all' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe --starts opt.yaml
	is 3 'refuses to start .*: 1 rule can' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe cr.yaml
	is 3 'refuses to start' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe --starts cr.yaml
	sed 's/^rules/init: stop\nrules/' msr.yaml >init.yaml
	is 5 'init: NOT done' env REGPIN_HOST_FORCE=nocrfilter "$regpin" probe init.yaml
	# A range is printed as check and explain print it, and as a policy accepts it.
	printf 'version: 1\nrules: [{register: 0x200-0x20f, deny: write}]\n' >range.yaml
	is 0 '^range.yaml:2:33: deny on MSRs 0x200-0x20f: enforced$' "$regpin" probe range.yaml
	# The chain of commands in docs/integrating.md works as it is printed there.
	chain=$(sed -n 's/^    regpin check/regpin check/p' "$(dirname "$policy")/../docs/integrating.md")
	is 0 '&& regpin compile' echo "$chain"
	is 0 '' env "PATH=$(dirname "$regpin"):$PATH" sh -c "$chain"
	is 0 '' test -s linux.blob
fi
is 3 'MSR filter: +unknown' env REGPIN_HOST_FORCE=nokvm "$regpin" probe
is 3 '"msr_filter":null' env REGPIN_HOST_FORCE=nokvm "$regpin" probe --json
is 3 'no rule can be enforced: there is no /dev/kvm' env REGPIN_HOST_FORCE=nokvm "$regpin" probe "$policy"
is 4 "can't be read" "$regpin" probe nothing
is 0 '' sh -c '! "$1" probe "$2" | grep -E ".{121}"' sh "$regpin" opt.yaml
is 0 '' sh -c '"$1" probe --starts linux.yaml | sed -n "s/^linux.yaml:\([0-9]*\):.*/\1/p" | sort -nc' sh "$regpin"

for guest in amd:010:1 amd:-1 'amd: 1' amd:0x10f amd:0x19:0x100 amd:0x amd: foo amd:1:2:3; do
	is 2 'FAMILY is at most 0x10e' "$regpin" explain --stock --guest "$guest" "$policy"
done
is 0 '^What a guest may do' "$regpin" explain --stock --guest amd:0x10e:0xff "$policy"

is 3 '^cr.yaml:4:5: refused: ' "$regpin" explain --stock cr.yaml
is 4 "can't be read" "$regpin" explain nothing
is 2 'name a policy' "$regpin" explain
is 2 'only one policy can be explained' "$regpin" explain cr.yaml opt.yaml
is 2 'give only one' "$regpin" explain --stock --host cr.yaml
is 0 '^What a guest may do' "$regpin" explain --stock - <opt.yaml
is 2 "can't both be standard input" "$regpin" sim - -

# Rules for families: without a family it is unknown whether they hold.
printf 'version: 1\nrules:\n  - register: IA32_PLATFORM_ID\n    deny: both\n    when: {vendor: intel, family: 6}\n' >family.yaml
is 0 "1 rule, of which 0 hold for this guest;" "$regpin" explain --stock --guest intel family.yaml
is 0 "depends on the guest's family, which --guest does not give" "$regpin" explain --stock --guest intel family.yaml
is 0 'for this guest: included below' "$regpin" explain --stock --guest intel:6 family.yaml
is 0 'not for this guest' "$regpin" explain --stock --guest amd family.yaml
is 0 'not included below without --guest' "$regpin" explain --stock family.yaml
is 0 "depends on the guest's family, which --guest does not give: rules with this condition are left out" "$regpin" sim --stock --guest intel family.yaml good
# If explain does not include a rule, sim does not apply it, even if 0 would match.
printf 'version: 1\nrules:\n  - register: IA32_PLATFORM_ID\n    deny: both\n    when: {vendor: intel, family: 6, model: 0-0x4f}\n' >model.yaml
printf '0 rdmsr IA32_PLATFORM_ID => 0\n' >open.trace
printf '0 rdmsr IA32_PLATFORM_ID => gp\n' >closed.trace
is 0 "depends on the guest's model.*: rules with this condition are left out" "$regpin" sim --stock --guest intel:6 model.yaml open.trace
is 0 '=> gp' "$regpin" sim --stock --guest intel:6:0x4f model.yaml closed.trace
is 2 "did you mean 'intel'" "$regpin" sim --stock --guest Intel:6 model.yaml open.trace
is 2 "did you mean 'intel'" "$regpin" explain --stock --guest intle model.yaml

# explain: an access that is allowed with an event is not shown as "none"; arming has its
# own title.
printf 'version: 1\nrules: [{register: LSTAR, deny: write, action: report}]\n' >log.yaml
is 0 '^ +writes: allowed, logged$' "$regpin" explain --stock log.yaml
is 0 '^Arming$' "$regpin" explain --stock opt.yaml
is 0 '' sh -c '! "$1" explain --stock opt.yaml | grep -E "KVM_X86_SET|denies"' sh "$regpin"
is 0 '^KVM_X86_SET_MSR_FILTER' "$regpin" explain --stock --verbose log.yaml
is 0 '' sh -c 'test "$("$1" explain --stock "$2" 2>/dev/null | wc -l)" -lt 130' sh "$regpin" "$(dirname "$policy")/linux-strict.yaml"

# Ways of a VM past the filters: S3 ends pins, if there are any. A policy that holds a
# vCPU does more than report. By default the floor does what the rules do.
printf 'version: 1\nrules: [{register: 0x8b, deny: write}]\n' >pinless.yaml
is 0 '[(]S3[)]: of no concern: it ends pins, and this policy has none$' "$regpin" explain --stock pinless.yaml
is 0 '"past_filters":\{"nested":"refused","smm":"refused","s3":"no_pins"\}' "$regpin" explain --json --stock pinless.yaml
printf 'version: 1\nfloor: {action: report}\nrules: [{register: EFER, sticky: [NXE], action: report}]\n' >reports.yaml
is 0 '"past_filters":\{"nested":"tolerated","smm":"tolerated","s3":"tolerated"\}' "$regpin" explain --json --stock reports.yaml
is 0 'Mode: tolerated: it runs, with an event' "$regpin" explain --cr-filter reports.yaml
sed 's/^floor.*/floor: {action: report}\ninit: stop/' reports.yaml >init.yaml
sed 's/^floor.*/floor: {action: pause}/' reports.yaml >late.yaml
sed '/^floor/d' reports.yaml >floorless.yaml
is 0 'Mode: tolerated: it runs, with an event' "$regpin" explain --cr-filter floorless.yaml
for holds in init late; do
	for what in Mode '[(]S3[)]' 'VMX[)]'; do
		is 0 "$what: refused, as 'init' or 'floor' holds a vCPU or stops the VM$" "$regpin" explain --cr-filter $holds.yaml
	done
	is 0 '"s3":"tolerated"' sh -c 'sed "s/^version.*/&\nmode: report/" "$2" >mode.yaml; "$1" explain --json --cr-filter mode.yaml' sh "$regpin" $holds.yaml
done
# Without the CR filter no INIT is seen, so there is no action on it.
is 0 'Mode: tolerated' "$regpin" explain --stock init.yaml

json_fits
echo "1..$nr"
exit "$failed"
