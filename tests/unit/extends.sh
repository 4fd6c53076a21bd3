#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# extends.sh REGPIN_BINARY: policies found by name, `extends`, `without` and groups of
# registers. TAP.
regpin=$(realpath "${1:?usage: extends.sh REGPIN_BINARY}") || exit 2
policies=$(realpath "$(dirname "$0")/../../policies")
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$tmp" "$tap_dir"
cd "$tmp" || exit 2
mkdir etc package
cp "$policies"/*.yaml package
export REGPIN_POLICIES="$tmp/etc:$tmp/package"
policy() # FILE: what follows 'version: 1' is standard input
{
	{
		echo 'version: 1'
		cat
	} >"$1"
}

# Names.
gives 0 '' "a packaged policy is found by its name" "$regpin" check linux
gives 0 '^linux: ' "explain shows a policy by its name" sh -c '"$1" explain linux | sed "s,^.*/\(linux\).yaml:,\1:,"' sh "$regpin"
gives 4 "can't be read: there is no policy of this name in $tmp/etc or $tmp/package" "a name that no folder has is an error" "$regpin" check nosuch
policy linux <<E
rules: []
E
gives 0 '' "a name is not a file of the working directory" "$regpin" check linux
policy here <<E
rules: []
E
gives 4 "write './' before its name" "the message names the file that was perhaps meant" "$regpin" check here
gives 1 'here:2:8: error' "a path is taken as a path, not as a name" "$regpin" check ./here
policy etc/linux.yaml <<E
rules:
  - register: EFER
    sticky: [NXE]
E
gives 0 'loosens' "the administrator's folder comes before the package's" sh -c '"$1" diff package/linux.yaml linux; [ $? -eq 1 ]' sh "$regpin"
echo 'version: 2' >etc/linux.yaml
gives 1 'etc/linux.yaml|version' "a wrong policy in the administrator's folder is an error, and does not fall back to the package's" "$regpin" check linux
rm etc/linux.yaml
ln -s "$tmp/here" etc/linux.yaml
gives 4 'symbolic link that leads out of its folder' "a link out of the folder is refused" "$regpin" check linux
rm etc/linux.yaml
ln -s mine.yaml etc/linux.yaml
cp package/linux.yaml etc/mine.yaml
gives 0 '' "a link within the folder is followed" "$regpin" check linux
rm etc/linux.yaml
mkfifo etc/linux.yaml
gives 4 'not a regular file' "a fifo is refused, and not waited for" timeout 10 "$regpin" check linux
rm etc/linux.yaml
# The list of the names.
listed() # JQ: a program about the objects of the list, $by name, is true
{
	"$regpin" policies --json >listed.json 2>listed.err &&
		jq -e --arg etc "$tmp/etc" --arg package "$tmp/package" "(.named_policies |
			map({key: .policy_name, value: .}) | from_entries) as \$by | $1" listed.json >/dev/null
}
rm -f etc/*
# shellcheck disable=SC2016 # jq's variables
listed '.directories == [$etc, $package] and ($by | keys) == ('"$(cd package && printf '%s\n' *.yaml | jq -Rsc 'split("\n")[:-1] | map(rtrimstr(".yaml")) | sort')"') and
	$by.linux == {policy_name: "linux", policy_file: ($package + "/linux.yaml"),
	policy_sha256: "'"$(sha256sum <package/linux.yaml | cut -c 1-64)"'",
	purpose: "Pins what an x86-64 Linux guest, 5.10 or later, sets up at boot and never changes again."} and
	($by | map(has("purpose") and (has("why") | not)) | all)'
ok $? "policies lists each packaged policy by name, with file, hash and purpose"
printf '# SPDX-License-Identifier: MIT\n\n# Ours,\n#   of 5.10. Not more.\nversion: 1\nextends: ucode\n' >etc/linux.yaml
policy etc/silent.yaml <<E
rules:
  - register: EFER
    sticky: [NXE]
E
echo 'version: 2' >etc/wrong.yaml
ln -s "$tmp/here" etc/away.yaml
mkdir etc/folder.yaml
touch etc/Upper.yaml etc/none etc/.yaml etc/a.yml
# shellcheck disable=SC2016 # jq's variables
listed '$by.linux.policy_file == $etc + "/linux.yaml" and $by.linux.purpose == "Ours, of 5.10." and
	($by.silent | has("policy_sha256") and (has("purpose") | not) and (has("why") | not)) and
	($by.wrong | has("policy_sha256") and (.why | startswith("1:10: "))) and
	($by.away | (has("policy_sha256") | not) and (.why | test("leads out of its folder"))) and
	($by.folder.why | test("not a regular file")) and
	($by | has("Upper") or has("none") or has("") or has("a") | not)'
ok $? "the first folder hides a name, and a policy that can't be used is listed with the reason"
hash=$(jq -r '.named_policies[] | select(.policy_name == "linux").policy_sha256' listed.json)
gives 0 "^linux +${hash:0:12} +$tmp/etc/linux.yaml +Ours, of 5.10.\$" "the table has the same" "$regpin" policies
# shellcheck disable=SC2016 # sh's variable
gives 0 "^regpin policies: wrong: $tmp/etc/wrong.yaml:1:10: .*; 'regpin check wrong' prints all errors\$" "the table's reasons are on stderr" \
	sh -c '"$1" policies 2>&1 >/dev/null' sh "$regpin"
# shellcheck disable=SC2016 # sh's variable
gives 0 "^regpin policies: away: $tmp/etc/away.yaml can't be used: it is a symbolic link" "so is the reason for a file that can't be read" \
	sh -c '"$1" policies 2>&1 >/dev/null' sh "$regpin"
{ printf '# '; head -c 70000 /dev/zero | tr '\0' a; echo; } >etc/big.yaml
# shellcheck disable=SC2016 # sh's variable
gives 0 "^regpin policies: big: $tmp/etc/big.yaml: the policy is larger than" "and one that has no line" \
	sh -c '"$1" policies 2>&1 >/dev/null' sh "$regpin"
rm etc/big.yaml
[[ $("$regpin" check --json linux | jq -r '.policies[0].policy_sha256') == "$hash" ]]
ok $? "the hash is that of the policy with its base"
gives 0 "^regpin policies: there is no policy in $tmp/none\$" "a folder that does not exist has no policies" env REGPIN_POLICIES="$tmp/none" "$regpin" policies
gives 4 "^regpin policies: the folder $tmp/here can't be read: Not a directory" "a folder that can't be read is an error" env REGPIN_POLICIES="$tmp/etc:$tmp/here" "$regpin" policies
gives 2 "unexpected argument 'linux'" "policies takes no argument" "$regpin" policies linux
rm -rf etc/*

for name in ../linux Linux linux.yaml "linux " -linux; do
	policy child.yaml <<E
extends: "$name"
E
	gives 1 "child.yaml:2:10: error: .*is not a policy's name" "'$name' is not a name" "$regpin" check child.yaml
done

# A base.
policy child.yaml <<E
extends: linux
E
gives 0 'loosens 0, tightens 0, changes 0' "a policy that only extends is equal to its base" "$regpin" diff linux child.yaml
policy cr4.yaml <<E
extends: linux
rules:
  - register: CR4
    sticky: [TSD]
    optional: true
E
gives 0 "package/linux.yaml:79:5: .* 'never' on CR0 \\(81:5\\), 'sticky' on CR4 \\(cr4.yaml:5:5\\), 'sticky' on CR4 \\(98:5\\)" \
	"places without a file are in the file that the message begins with" "$regpin" explain --stock cr4.yaml
policy child.yaml <<E
extends: linux
rules:
  - register: IA32_BIOS_UPDT_TRIG
    deny: write
    action: drop
E
gives 0 '^tightens: IA32_BIOS_UPDT_TRIG: writes: free -> drop$' "one more rule tightens" "$regpin" diff linux child.yaml
gives 0 'loosens 0, tightens 1,' "the other rules stay the same" "$regpin" diff linux child.yaml
gives 0 "$tmp/package/linux.yaml:[0-9]+:5: uniform on LSTAR" "the place of a rule names the base's file" \
	sh -c '"$1" probe --starts child.yaml; :' sh "$regpin"
printf '0 wrmsr EFER 0x801\n0 wrmsr LSTAR 1\n0 wrmsr SFMASK 1\n0 wrmsr EFER 0\n' >trace
gives 0 "(sticky|require) at $tmp/package/linux.yaml:[0-9]+:5" "sim names the base's file, too" "$regpin" sim child.yaml trace
gives 0 "\"where\":\"$tmp/package/linux.yaml:[0-9]+:5\"" "the JSON of sim names the base's file, too" "$regpin" sim --json child.yaml trace
policy child.yaml <<E
extends: linux
mode: report
unarmed: 1h
E
gives 1 'EFER SCE LME NXE: clearing: gp -> report' "a key of the policy replaces the base's" "$regpin" diff linux child.yaml
policy child.yaml <<E
extends: linux
rules:
  - register: EFER
    sticky: [NXE]
E
gives 1 "^child.yaml:5:5: error: .*already in the rule at $tmp/package/linux.yaml:[0-9]+:5" "a rule twice: the error is in the file that can be changed" \
	"$regpin" check child.yaml

# Bases of bases.
policy etc/a.yaml <<E
extends: b
E
policy etc/b.yaml <<E
extends: linux
without:
  - {register: EFER, rules: never}
E
gives 1 '^loosens: EFER SVME: setting: gp -> free$' "a base can have a base" "$regpin" diff linux a
policy etc/b.yaml <<E
extends: a
E
gives 1 "extends itself" "two policies that extend each other are refused" "$regpin" check a
policy etc/b.yaml <<E
extends: b
E
gives 1 "extends itself" "a policy that extends itself is refused" "$regpin" check a
for i in 1 2 3 4 5 6 7 8; do
	echo "extends: d$((i + 1))" | policy etc/d$i.yaml
done
printf 'extends: linux\n' | policy etc/d9.yaml
gives 1 'can have at most 8 bases' "nine bases are too many" "$regpin" check d1
gives 0 '' "eight bases are accepted" "$regpin" check d2
gives 0 'loosens 0, tightens 0, changes 0' "nothing is lost through eight bases" "$regpin" diff linux d2
policy etc/b.yaml <<E
rules:
  - register: EFERR
    sticky: [NXE]
E
gives 1 "^a:2:1: error: in a policy that this one extends, $tmp/etc/b.yaml:3:15: there is no register 'EFERR'" "an error in a base names its place in the base" "$regpin" check a
echo 'version: 2' >etc/b.yaml
gives 1 "etc/b.yaml:1:1: .*version 1 only" "a base of another version is refused" "$regpin" check a
echo '[' >etc/b.yaml
gives 1 "etc/b.yaml:2:1: this is not YAML" "a base that is not YAML is refused" "$regpin" check a
: >etc/b.yaml
gives 1 "etc/b.yaml:1:1: the policy is empty" "an empty base is refused" "$regpin" check a
head -c 65537 /dev/zero | tr '\0' '#' >etc/b.yaml
gives 1 'larger than 65536 bytes' "a base that is too large is refused" "$regpin" check a
printf 'version: 1\n--- # extended: linux /x\nversion: 1\n' >etc/b.yaml
gives 1 'which regpin writes between texts|second document' "a base that contains regpin's separator of texts is refused" "$regpin" check a
cp etc/b.yaml brings.yaml
gives 1 'must not be in' "a policy that contains this separator is refused" "$regpin" check brings.yaml
policy child.yaml <<E
extends: [linux]
E
gives 1 "'extends' is the name of one policy" "a list of bases is refused" "$regpin" check child.yaml

# without
policy child.yaml <<E
extends: linux
without:
  - register: LSTAR
  - register: [SYSENTER_CS, SYSENTER_EIP]
  - register: CR4
    rules: [sticky]
E
gives 1 'loosens 4, tightens 0, changes 0' "each rule that is taken away is a loosening" "$regpin" diff linux child.yaml
gives 1 '^loosens: LSTAR: another value' "one register can be taken out of a list" "$regpin" diff linux child.yaml
gives 0 '' "the other registers of the list stay" sh -c '! "$1" diff linux child.yaml | grep -qw STAR' sh "$regpin"
gives 0 '' "the rules never and require on CR4 stay" sh -c '! "$1" diff linux child.yaml | grep -E "CR4.*(setting|without)"' sh "$regpin"
for wrong in '{register: FRED_CONFIG}' '{register: EFER, rules: once}' '{register: EFER, rules: [stikcy]}' \
	'{register: EFER, rules: []}' '{rules: sticky}' '{register: EFER, bits: [NXE]}' 'EFER' '{register: {a: b}}'; do
	policy child.yaml <<E
extends: linux
without:
  - $wrong
E
	gives 1 '^child.yaml:4:[0-9]+: error: ' "without: $wrong is wrong" "$regpin" check child.yaml
done
policy child.yaml <<E
extends: linux
without: []
E
gives 1 "'without' must be a list" "an empty 'without' is refused" "$regpin" check child.yaml
policy child.yaml <<E
without:
  - register: EFER
rules:
  - register: EFER
    sticky: [NXE]
E
gives 1 'this policy extends none' "'without' in a policy that extends none is refused" "$regpin" check child.yaml
for file in "$policies"/*.yaml; do
	name=$(basename "$file" .yaml)
	for register in $(sed -n 's/^  - register: \([A-Z0-9_]*\)$/\1/p' "$file" | sort -u); do
		policy child.yaml <<E
extends: $name
without:
  - register: $register
E
		"$regpin" check child.yaml >out 2>&1 || grep -q 'nothing else in it would do anything' out ||
			{ echo "# $name without $register:"; sed 's/^/# /' out; failed=1; }
	done
done
gives 0 '' "each register of each packaged policy can be taken away" test $failed -eq 0

# Texts that try to confuse the parser.
for line in '--- # extended: denies /etc/regpin/denies.yaml' '--- # extended: denies' '--- # extended: '; do
	printf 'version: 1\nextends: linux\n%s' "$line" >child.yaml
	gives 1 'separates texts that regpin puts together' "a file that ends with '$line' is refused" "$regpin" check child.yaml
	printf 'version: 1\nextends: child\n' >top.yaml
	mv child.yaml etc/child.yaml
	gives 1 'which regpin writes between texts' "a base that ends with '$line' is refused" "$regpin" check top.yaml
	rm etc/child.yaml
done
long=$(printf '%0100d' 0 | tr 0 '\001')
mkdir "$long"
cp package/linux.yaml "$long/base.yaml"
printf 'version: 1\nextends: base\n' >child.yaml
REGPIN_POLICIES="$tmp/$long" gives 1 'child.yaml:2:10: .*File name too long' "a folder whose printed name is too long is an error" "$regpin" check child.yaml
mkdir bases
for n in 1 2 3 4 5 6 7; do
	{
		echo 'version: 1'
		[ $n -eq 7 ] || echo "extends: b$((n + 1))"
		echo 'rules:'
		yes -- '- {register: q}' | head -n 4000
	} >bases/b$n.yaml
done
{
	printf 'version: 1\nextends: b1\nwithout:\n- register: [a'
	yes ', a' | head -n 16000 | tr -d '\n'
	echo ']'
} >child.yaml
REGPIN_POLICIES="$tmp/bases" gives 1 'only the first' "16000 registers that are in none of 28000 rules take less than 2 s" \
	sh -c 'ulimit -t 2 && "$1" check child.yaml' sh "$regpin"

# Groups.
policy group.yaml <<E
rules:
  - register: "@rapl"
    deny: read
E
gives 0 '' "a group can be named in place of a register" "$regpin" check group.yaml
"$regpin" regs @rapl >rapl
gives 0 '^PKG_ENERGY_STATUS' "regs lists a group" cat rapl
gives 0 '^@rapl +[0-9]+$' "regs @ lists the groups" "$regpin" regs @
gives 2 'no group .@raple.' "regs refuses an unknown group" "$regpin" regs @raple
printf 'version: 1\nrules:\n  - register: "@raple"\n    deny: read\n' >wrong.yaml
gives 1 "there is no group '@raple'; did you mean 'rapl'.*@syscall" "a misspelt group is an error, with a proposal" "$regpin" check wrong.yaml
for group in $("$regpin" regs @ | cut -d' ' -f1); do
	printf 'version: 1\nrules:\n  - register: "%s"\n    deny: write\n' "$group" >group.yaml
	"$regpin" check group.yaml >out 2>&1
	got=$?
	case $group in
	# Control registers have no deny; KVM's filter never sees these x2APIC registers; what
	# arms a vCPU, and what KVM's fast path takes, can't be denied.
	@cr | @x2apic | @syscall | @tsc) want=1 ;;
	*) want=0 ;;
	esac
	[ $got -eq $want ] || { echo "# $group: status $got"; sed 's/^/# /' out | head -n 3; failed=1; }
done
gives 0 '' "a group can be denied if its registers can be denied" test $failed -eq 0
policy mine.yaml <<E
extends: denies
without:
  - register: "@rapl"
E
policy etc/denies.yaml <<E
rules:
  - register: ["@rapl", PPIN]
    deny: read
E
gives 1 'loosens' "a group can be taken away by its name" "$regpin" diff denies mine.yaml
gives 0 '' "the register in the same list stays" sh -c '! "$1" diff denies mine.yaml | grep -q PPIN' sh "$regpin"
json_fits
echo "1..$nr"
exit "$failed"
