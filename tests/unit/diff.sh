#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# diff.sh REGPIN_BINARY: `regpin diff`: its exit statuses, lines and JSON. TAP.
regpin=$(realpath "${1:?usage: diff.sh REGPIN_BINARY}") || exit 2
policies=$(realpath "$(dirname "$0")/../../policies")
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$tmp" "$tap_dir"
cd "$tmp" || exit 2

policy() # NAME: the rules are standard input
{
	{
		printf 'version: 1\nrules:\n'
		cat
	} >"$1.yaml"
}

policy a <<-'E'
  - register: CR4
    sticky: [SMEP, SMAP]
    optional: true
  - register: EFER
    sticky: [NXE]
E
policy tighter <<-'E'
  - register: CR4
    sticky: [SMEP, SMAP, UMIP]
    optional: true
  - register: EFER
    sticky: [NXE]
E
policy looser <<-'E'
  - register: CR4
    sticky: [SMEP]
    optional: true
  - register: EFER
    sticky: [NXE]
E
policy mixed <<-'E'
  - register: CR4
    sticky: [SMEP, UMIP]
    optional: true
  - register: EFER
    sticky: [NXE]
E
# The same pins, written differently: one rule for each bit, in another order.
policy same <<-'E'
  - register: EFER
    sticky: [NXE]
  - register: CR4
    sticky: [SMAP]
    optional: true
  - register: CR4
    sticky: [SMEP]
    optional: true
E
policy report <<-'E'
  - register: CR4
    sticky: [SMEP, SMAP]
    action: report
    optional: true
  - register: EFER
    sticky: [NXE]
    action: report
E
policy amd <<-'E'
  - register: EFER
    sticky: [NXE]
  - register: STAR
    once: true
    when: {vendor: amd}
E
policy intel <<-'E'
  - register: EFER
    sticky: [NXE]
  - register: STAR
    once: true
    when: {vendor: intel}
E
policy drop <<-'E'
  - register: IA32_BIOS_UPDT_TRIG
    deny: write
    action: drop
E
policy gp <<-'E'
  - register: IA32_BIOS_UPDT_TRIG
    deny: write
E
policy hard <<-'E'
  - register: CR4
    sticky: [SMEP]
E
policy efer <<-'E'
  - register: EFER
    sticky: [NXE]
E
# In place of each pin, the second policy denies writes, so nothing is looser. The third one
# reports them instead, so they are not free.
policy pins <<-'E'
  - register: EFER
    sticky: [NXE]
    never: [SVME]
  - register: STAR
    uniform: true
  - register: SYSENTER_ESP
    once: true
E
policy denies <<-'E'
  - register: [EFER, STAR, SYSENTER_ESP]
    deny: write
E
policy reports <<-'E'
  - register: [EFER, STAR, SYSENTER_ESP]
    deny: write
    action: report
E
printf 'version: 1\nrules:\n  - register: EFERR\n    sticky: [NXE]\n' >wrong.yaml
printf 'version: 1\nmode: report\nrules:\n  - register: EFER\n    sticky: [NXE]\n' >mode.yaml

gives 0 'a.yaml -> a.yaml: loosens 0, tightens 0, changes 0' "a policy is equal to itself" "$regpin" diff a.yaml a.yaml
gives 0 'loosens 0, tightens 0, changes 0' "a policy is equal to one that means the same but is written differently" "$regpin" diff a.yaml same.yaml
gives 0 '^tightens: CR4 UMIP: clearing: free -> gp$' "one more pinned bit is tighter" "$regpin" diff a.yaml tighter.yaml
gives 1 '^loosens: CR4 SMAP: clearing: gp -> free$' "one fewer pinned bit is looser" "$regpin" diff a.yaml looser.yaml
gives 1 'loosens 1, tightens 1, changes 0' "one more pinned bit does not make up for one fewer" "$regpin" diff a.yaml mixed.yaml
gives 1 'EFER NXE: clearing: gp -> report' "rules that only report are looser" "$regpin" diff a.yaml report.yaml
gives 1 'EFER NXE: clearing: gp -> report' "a mode that only reports is looser, too" "$regpin" diff efer.yaml mode.yaml
gives 0 'loosens 0, tightens 2, changes 0' "writes that are denied are tighter than any pin" "$regpin" diff pins.yaml denies.yaml
gives 1 'loosens 2, tightens 0, changes 0' "pins are looser than writes that are denied" "$regpin" diff denies.yaml pins.yaml
gives 1 '^loosens: EFER NXE: clearing: gp -> report$' "a write that is reported is not free" "$regpin" diff pins.yaml reports.yaml
gives 0 '^changes: IA32_BIOS_UPDT_TRIG: writes: gp -> drop$' "another way to stop a write neither loosens nor tightens" "$regpin" diff gp.yaml drop.yaml
gives 1 'loosens 1, tightens 1' "without --guest, each rule counts for the guests that it names" "$regpin" diff amd.yaml intel.yaml
gives 1 'loosens 1, tightens 0' "for an AMD guest the rule is gone" "$regpin" diff --guest amd amd.yaml intel.yaml
gives 0 'loosens 0, tightens 1' "for an Intel guest there is one more rule" "$regpin" diff --guest intel amd.yaml intel.yaml
gives 0 'loosens 0, tightens 0' "for a Hygon guest there is no difference" "$regpin" diff --guest hygon amd.yaml intel.yaml
gives 1 'CR4 SMAP: clearing: detected -> free' "on a stock KVM, CR4 is detected" "$regpin" diff --stock a.yaml looser.yaml
gives 1 'CR4 SMAP: clearing: gp -> free' "with the CR filter, CR4 is enforced" "$regpin" diff --cr-filter a.yaml looser.yaml
gives 3 "hard.yaml can't be enforced" "a policy that a KVM refuses can't be compared on it" "$regpin" diff --stock a.yaml hard.yaml

gives 0 'looser.yaml exceeds looser.yaml in 0 places' "B is within MAX, though it loosens A" "$regpin" diff --within looser.yaml a.yaml looser.yaml
gives 1 '^exceeds a.yaml: CR4 SMAP: clearing: gp -> free$' "B exceeds MAX" "$regpin" diff --within a.yaml looser.yaml
gives 1 'looser.yaml exceeds a.yaml in 1 place$' "one place is not counted in the plural" "$regpin" diff --within a.yaml looser.yaml
gives 1 'exceeds' "B is tighter than A, and still exceeds MAX" "$regpin" diff --within tighter.yaml looser.yaml a.yaml
gives 0 '' "with --within, A is not needed" "$regpin" diff --within a.yaml tighter.yaml

gives 2 'name two policies' "one policy is not enough" "$regpin" diff a.yaml
gives 2 'these are more' "three are too many" "$regpin" diff a.yaml a.yaml a.yaml
gives 2 'standard input' "standard input cannot be both policies" "$regpin" diff - -
gives 2 'give only one of them' "--stock and --cr-filter exclude each other" "$regpin" diff --stock --cr-filter a.yaml a.yaml
gives 2 'guest' "an unknown guest is an error" "$regpin" diff --guest nobody a.yaml a.yaml
gives 3 'wrong.yaml:3:.*EFERR' "a wrong policy is an error" "$regpin" diff a.yaml wrong.yaml
gives 3 'missing.yaml' "a missing policy is an error" "$regpin" diff missing.yaml a.yaml
gives 3 'missing.yaml' "a missing MAX is an error" "$regpin" diff --within missing.yaml a.yaml a.yaml
# shellcheck disable=SC2016 # the inner shell's own variables
gives 1 'loosens: CR4 SMAP' "a policy can come from standard input" sh -c '"$1" diff a.yaml - <looser.yaml' sh "$regpin"
# shellcheck disable=SC2016 # likewise
gives 4 'could not be written' "a full disk is an error" sh -c '"$1" diff a.yaml a.yaml >/dev/full' sh "$regpin"

if command -v jq >/dev/null; then
	"$regpin" diff --json --within a.yaml a.yaml mixed.yaml >json
	# shellcheck disable=SC2016 # jq's
	gives 0 '' "the JSON object has all that the lines have" jq -e '.version == 1 and .ok == false and .from_file == "a.yaml" and
		.to_file == "mixed.yaml" and .loosens == 1 and .tightens == 1 and (.list | length) == 2 and
		.list[0] == {change: "loosens", what: "clear", register: "CR4", bits: ["SMAP"], old_outcome: "gp", new_outcome: "free"} and
		.within.within_file == "a.yaml" and .within.loosens == 1' json
	for pair in "linux linux-strict" "linux-strict ucode" "cpu-model windows" "freebsd ignore-msrs"; do
		# shellcheck disable=SC2086 # two names
		set -- $pair
		"$regpin" diff "$policies/$1.yaml" "$policies/$2.yaml" >lines
		"$regpin" diff --json "$policies/$1.yaml" "$policies/$2.yaml" >json
		# shellcheck disable=SC2016 # jq's
		gives 0 '' "$1 -> $2: as many objects as lines, and each has two sides" jq -e --argjson n "$(($(wc -l <lines) - 1))" '
			(.list | length) == $n and .loosens + .tightens + .changes == $n and
			all(.list[]; .what and .old_outcome != .new_outcome)' json
	done
	# shellcheck disable=SC2016 # the inner shell's own variables
	gives 0 '' "what tightens in one direction loosens in the other" sh -c '
		a=$("$1" diff --json "$2/linux.yaml" "$2/linux-strict.yaml" | jq .tightens)
		b=$("$1" diff --json "$2/linux-strict.yaml" "$2/linux.yaml" | jq .loosens)
		[ "$a" = "$b" ] && [ "$a" -gt 0 ]' sh "$regpin" "$policies"
else
	skip "the JSON object" "no jq on this machine"
fi
json_fits
echo "1..$nr"
exit "$failed"
