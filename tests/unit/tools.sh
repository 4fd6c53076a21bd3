#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# tools.sh REGPIN_BINARY: explain, sim and regs as commands: exit codes, messages. TAP.
regpin=$(realpath "${1:?usage: tools.sh REGPIN_BINARY}") || exit 2
policy=$(realpath "$(dirname "$0")/../../policies/linux.yaml")
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
nr=0
failed=0

# is STATUS PATTERN COMMAND ..: the exit status, and what is somewhere in its output
is()
{
	status=$1 pattern=$2
	shift 2
	nr=$((nr + 1))
	"$@" >out 2>&1
	got=$?
	if [ $got -eq "$status" ] && { [ -z "$pattern" ] || grep -Eq -- "$pattern" out; }; then
		echo "ok $nr - $*"
	else
		echo "not ok $nr - $*"
		echo "# exit status $got, not $status, or no '$pattern' in:"
		head -n 20 out | sed 's/^/# /'
		failed=1
	fi
}

for cmd in explain sim regs; do
	is 0 "^usage: regpin $cmd" "$regpin" $cmd --help
	is 2 "^usage: regpin $cmd" "$regpin" $cmd --nothing
	is 0 "^  $cmd " "$regpin" help
done

# Commands and options: the nearest one is named, and help is there in each form.
is 0 '^regpin [0-9]' "$regpin" version
is 0 '^regpin [0-9]' "$regpin" --version
is 2 'one too many|takes no arguments' "$regpin" version now
is 2 "no command 'chek'; did you mean 'check'" "$regpin" chek
is 2 "no command 'chek'; did you mean 'check'" "$regpin" help chek
is 2 "no command 'explode': 'regpin help' lists them" "$regpin" explode
is 2 'one too many' "$regpin" help check compile
for cmd in check compile probe explain sim regs run ctl; do
	"$regpin" $cmd --help >help.txt
	is 0 '' sh -c '"$1" help "$2" | cmp - help.txt' sh "$regpin" $cmd
	is 0 '' sh -c '"$1" --help "$2" | cmp - help.txt' sh "$regpin" $cmd
	is 2 "^regpin $cmd: there is no option '--hlp'; did you mean '--help'" "$regpin" $cmd --hlp
	is 2 "^regpin $cmd: the option '--help' takes no value" "$regpin" $cmd --help=1
done
is 2 "^regpin: there is no option '--versoin'; did you mean '--version'" "$regpin" --versoin
is 2 "^regpin compile: the option '--output' needs a value" "$regpin" compile -o
is 2 "^regpin run: the option '--ev' is the beginning of several" "$regpin" run --ev x
is 2 "^regpin regs: there is no option '-json': long options" "$regpin" regs -json

# Times have one grammar.
printf 'version: 1\nunarmed: 1h\nrules: [{register: LSTAR, uniform: true}]\n' >hour.yaml
is 0 '' "$regpin" check hour.yaml
is 2 "attach-timeout '1m': the units are ms, s, min and h" "$regpin" run --attach-timeout 1m
is 2 "attach-timeout '25h': it is more than a day" "$regpin" run --attach-timeout 25h
for time in 1500ms 1s 1min 1h none 30; do
	is 2 'takes a policy' "$regpin" run --attach-timeout $time
done
is 2 "for '1m': the units are ms, s, min and h" "$regpin" ctl --ctl . vm window --for 1m
is 2 "for '0s': 0 is no time" "$regpin" ctl --ctl . vm window --for 0s
is 3 '' "$regpin" ctl --ctl . vm window --for 24h

is 0 '^EFER +0xc0000080 +efer +cold +replay' "$regpin" regs
is 0 '^EFER  0xc0000080$' "$regpin" regs msr_efer
is 0 '^ +11 +NXE$' "$regpin" regs 0xc0000080
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs ia32_pmc3
is 0 '^IA32_PMC0-7  0xc1-0xc8$' "$regpin" regs IA32_PMC
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs 196
is 0 'no name for it' "$regpin" regs 0x12345
is 0 '^CR4  -$' "$regpin" regs cr4
is 2 "no register 'LSTR'; did you mean 'LSTAR'" "$regpin" regs LSTR
is 2 "no register 'IA32_PMC8'" "$regpin" regs IA32_PMC8
is 2 'too large' "$regpin" regs 0x100000000
is 2 'begin with 0x|is not a number' "$regpin" regs 1f
is 2 '^EFER' "$regpin" regs LSTR EFER
if command -v jq >/dev/null; then
	"$regpin" regs --json >all.json
	is 0 '^true$' jq '.registers | length > 200 and all(.known)' all.json
	"$regpin" regs --json IA32_PMC3 0x12345 >some.json
	is 0 '^true$' jq '.registers == [.registers[0], .registers[1]] and .registers[0].index == "0xc4" and (.registers[1].known | not)' some.json
fi

for guest in amd:010:1 amd:-1 'amd: 1' amd:0x10f amd:0x19:0x100 amd:0x amd: foo amd:1:2:3; do
	is 2 'FAMILY is at most 0x10e' "$regpin" explain --guest "$guest" "$policy"
done
is 0 '^What a guest may do' "$regpin" explain --guest amd:0x10e:0xff "$policy"

printf '0 wrmsr LSTAR 1\n' >good
is 0 '^0 wrmsr LSTAR 1 => ok$' "$regpin" sim "$policy" good
is 0 'armed by syscall-entry' "$regpin" sim "$policy" - <good
printf '0 wrmsr LSTAR 1\n\n 0 wrmsr LSTAR' >torn
is 1 '^torn:3:15: error: a value is missing$' "$regpin" sim "$policy" torn
printf '0 wrmsr LSTAR 1 => gp\n' >other
is 1 '^other:1:1: expected gp, but it was ok, 0x1$' "$regpin" sim "$policy" other
is 1 '1 not as expected' "$regpin" sim --quiet "$policy" other
is 1 '"expected":false' "$regpin" sim --json "$policy" other
head -c 5000 /dev/zero | tr '\0' ' ' >long
is 1 '^long:1:4096: error: the line is too long$' "$regpin" sim "$policy" long
# More than one block of input, whose lines it cuts, and none of them is lost.
yes '0 wrmsr 0x12345678 0x123456789abcdef0' | head -n 100000 >many
is 0 '^100000$' sh -c '"$1" sim "$2" many | grep -c "=> ok$"' sh "$regpin" "$policy"
is 0 '^100000$' sh -c 'cat many | "$1" sim "$2" - | grep -c "=> ok$"' sh "$regpin" "$policy"
is 1 "can't be read" "$regpin" sim "$policy" nothing
is 1 "can't be read" "$regpin" sim "$policy" .
is 1 "can't be read" "$regpin" sim nothing good
is 2 'one trace' "$regpin" sim "$policy"
is 4 'could not be written' sh -c '"$1" sim "$2" many >/dev/full' sh "$regpin" "$policy"
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n' >cr.yaml
is 3 '^cr.yaml:4:5: error: this KVM has no CR filter' "$regpin" sim --stock cr.yaml good
is 0 'ok$' "$regpin" sim cr.yaml good

is 3 '^cr.yaml:4:5: refused: ' "$regpin" explain --stock cr.yaml
is 1 "can't be read" "$regpin" explain nothing
is 2 'one policy' "$regpin" explain
is 2 'one KVM' "$regpin" explain --stock --host cr.yaml
for command in "check --json --json" "probe --json --json" "regs --json --json" \
	"compile -o a --output b" "explain --guest amd --guest intel" "sim --quiet --quiet" \
	"ctl --ctl a --ctl b" "run --name a --name b"; do
	# shellcheck disable=SC2086 # words
	is 2 "^regpin ${command%% *}: the option .* is given twice$" "$regpin" $command
done
is 3 'refused: there is no /dev/kvm' env REGPIN_HOST_FORCE=nokvm "$regpin" explain --host cr.yaml
echo "1..$nr"
exit $failed
