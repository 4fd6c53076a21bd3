#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tools.sh REGPIN_BINARY: explain, sim and regs as commands: exit codes, messages. TAP.
regpin=$(realpath "${1:?usage: tools.sh REGPIN_BINARY}") || exit 2
policy=$(realpath "$(dirname "$0")/../../policies/linux.yaml")
completions=$(realpath "$(dirname "$0")/../../completions")
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
keep_json "$tmp" "$tap_dir"
cd "$tmp" || exit 2

# is STATUS PATTERN COMMAND ..: checks the exit status, and that a line of the output matches
is()
{
	gives "$1" "$2" "${*:3}" "${@:3}"
}

for cmd in explain sim regs; do
	is 0 "^usage: regpin $cmd" "$regpin" $cmd --help
	is 2 "try 'regpin $cmd --help'$" "$regpin" $cmd --nothing
	is 0 '^1$' sh -c '"$1" "$2" --nothing 2>&1 | wc -l' sh "$regpin" $cmd
	is 0 "^  $cmd " "$regpin" help
done

# Commands and options: the nearest name is proposed, and every form of help works.
is 0 '^regpin [0-9]' "$regpin" version
is 0 '^regpin [0-9]' "$regpin" --version
is 2 "unexpected argument 'now': 'version' takes none" "$regpin" version now
is 2 "^regpin: there is no command 'chek'; did you mean 'check'. Try 'regpin --help'$" "$regpin" chek
is 2 "no command 'chek'; did you mean 'check'" "$regpin" help chek
is 2 "^regpin: there is no command 'status'; did you mean 'regpin ctl NAME status'. Try 'regpin --help'$" "$regpin" status
is 2 "did you mean 'regpin ctl NAME policy'" "$regpin" help policy
is 2 "no command 'explode'; try 'regpin --help'" "$regpin" explode
is 2 "unexpected argument 'compile': 'help' takes one command" "$regpin" help check compile
for cmd in check compile probe explain diff sim regs run list ctl; do
	"$regpin" $cmd --help >help.txt
	is 0 '' sh -c '"$1" help "$2" | cmp - help.txt' sh "$regpin" $cmd
	is 0 '' sh -c '"$1" --help "$2" | cmp - help.txt' sh "$regpin" $cmd
	is 2 "^regpin $cmd: there is no option '--hlp'; did you mean '--help'. Try 'regpin $cmd --help'$" "$regpin" $cmd --hlp
	is 2 "^regpin $cmd: the option '--help' takes no value" "$regpin" $cmd --help=1
done
is 2 "^regpin: there is no option '--versoin'; did you mean '--version'" "$regpin" --versoin
is 2 "^regpin compile: the option '--output' needs a value" "$regpin" compile -o
is 2 "^regpin run: the option '--ev' is the beginning of several" "$regpin" run --ev x
is 2 "^regpin regs: there is no option '-json': long options" "$regpin" regs -json
for cmd in check compile probe explain diff sim regs run list ctl; do
	is 0 'usage: regpin' "$regpin" $cmd --help
	is 0 '^Exit status: .*2 ' sh -c '"$1" "$2" --help | paste -sd " " - | grep -o "Exit status: .*see  *EXIT STATUS in regpin.*"' sh "$regpin" $cmd
	is 0 '^Manual: .*regpin(-ctl)?\(1\)' "$regpin" $cmd --help
	is 0 '^examples:$' "$regpin" $cmd --help
done

# The examples are right. What KVM there is decides about probe and run, so their command
# line is all that can be judged: 1 and 2 mean that it is wrong.
mkdir -p examples/bin
ln -s "$regpin" examples/bin/regpin
for name in linux old new max mine; do
	cp "$policy" examples/$name.yaml
done
for cmd in check compile probe explain diff sim regs run list ctl; do
	"$regpin" $cmd --help | sed -n '/^examples:$/,/^$/s/^  //p' |
		sed -e ':a' -e '/\\$/N; s/\\\n *//; ta' -e 's/ -- .*/ -- .\/no-vmm/' >examples/$cmd
	is 0 '' test -s examples/$cmd
	while IFS= read -r line; do
		(cd examples && XDG_RUNTIME_DIR=$tmp PATH=$tmp/examples/bin:$PATH sh -c "$line") >out 2>&1 </dev/null
		got=$?
		case $cmd,$got in
		probe,[035] | run,3 | run,12[5-7] | ctl,[03] | *,0) ok 0 "$line" ;;
		*)
			ok 1 "$line: exit status $got"
			sed 's/^/# /' out
			;;
		esac
	done <examples/$cmd
done

# The completion of each shell offers what regpin itself lists. meson makes it from the file
# of words and the shell's part. Running VMs are not its concern.
mkdir bin
cat >bin/regpin <<E
#!/bin/sh
if [ "\$1 \$2" = "ctl list" ]; then
	printf 'NAME STATE\nvm1 armed\nvm2 armed\n'
else
	exec '$regpin' "\$@"
fi
E
chmod +x bin/regpin
complete_bash()
{
	PATH=$tmp/bin:$PATH bash -c '
		. "$0/words.sh"
		. "$0/bash.sh"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_regpin
		printf "%s " "${COMPREPLY[@]}"
		echo' "$completions" "$@"
}
# Calls the function as compinit would, with a compadd that prints the matches.
complete_zsh()
{
	PATH=$tmp/bin:$PATH zsh -f -c '
		compadd() { shift; printf "%s " ${(M)@:#$PREFIX*} }
		_files() { printf " " }
		words=("$@") CURRENT=$# PREFIX=${@[-1]}
		. "$0/words.sh"
		. "$0/zsh.zsh"
		echo' "$completions" "$@"
}
same_in_zsh()
{
	[ "$(complete_bash "$@")" = "$(complete_zsh "$@")" ]
}
if command -v bash >/dev/null; then
	is 0 '^check compile run probe explain diff sim regs list ctl help version $' complete_bash regpin ''
	is 0 '^explain $' complete_bash regpin help exp
	is 0 '--json .*--stock' complete_bash regpin explain --
	is 0 '^--policy $' complete_bash regpin run --p
	is 0 '^enforce report $' complete_bash regpin run --mode ''
	is 0 '^enforce report policy $' complete_bash regpin ctl vm policy x --mode ''
	is 0 'IA32_EFER|EFER ' complete_bash regpin regs EFE
	is 0 '^list status vm1 vm2 $' complete_bash regpin ctl ''
	is 0 '^reopen $' complete_bash regpin ctl vm1 re
	is 0 '^ $' complete_bash regpin check ''
fi
for shell in bash zsh; do
	command -v $shell >/dev/null || continue
	is 0 '' $shell -n "$completions/words.sh"
done
is 0 '^#compdef regpin$' head -n 1 "$completions/zsh-head.zsh"
if command -v bash >/dev/null && command -v zsh >/dev/null; then
	is 0 '^explain $' complete_zsh regpin help exp
	for command in check compile run probe explain diff sim regs list ctl help version nothing; do
		for typed in '' - -- --m E; do
			is 0 '' same_in_zsh regpin $command "$typed"
			is 0 '' same_in_zsh regpin $command --mode "$typed"
			is 0 '' same_in_zsh regpin $command --guest "$typed"
		done
	done
fi

# All times have one grammar.
printf 'version: 1\nunarmed: 1h\nrules: [{register: LSTAR, uniform: true}]\n' >hour.yaml
is 0 '' "$regpin" check hour.yaml
is 2 "attach-timeout '1d': the units of time are ms, s, m .min. and h" "$regpin" run --attach-timeout 1d
is 2 "attach-timeout '25h': a time is at most 24h" "$regpin" run --attach-timeout 25h
is 2 "attach-timeout '86401': a time is at most 24h" "$regpin" run --attach-timeout 86401
for time in 1500ms 1s 1m 1min 1h none 30; do
	is 2 'name a policy' "$regpin" run --attach-timeout $time
done
is 2 "for '1d': the units of time are ms, s, m .min. and h" "$regpin" ctl --ctl . vm window --for 1d
is 2 "for '60': a time needs a unit" "$regpin" ctl --ctl . vm window --for 60
is 2 "for '0s': a time is at least 1ms" "$regpin" ctl --ctl . vm window --for 0s
is 3 '' "$regpin" ctl --ctl . vm window --for 24h
is 3 '' "$regpin" ctl --ctl . vm window --for 5m

# Statuses mean the same for each command: 1 the policy, 2 the command line, 4 a file.
printf 'version: 1\nrules: [{register: LSTAR}]\n' >bad.yaml
printf '0 wrmsr LSTAR 1\n' >one.trace
for line in 'check FILE' 'compile FILE -o x.blob' 'probe FILE' 'explain --stock FILE' 'sim --stock FILE one.trace'; do
	# shellcheck disable=SC2046,SC2086 # words
	{
		is 1 'error: ' "$regpin" $(echo "$line" | sed 's/FILE/bad.yaml/')
		is 4 "can't be read" "$regpin" $(echo "$line" | sed 's/FILE/nothing/')
		is 2 'there is no option' "$regpin" $(echo "$line" | sed 's/FILE/--nothing/')
	}
done
is 4 "can't be read" "$regpin" sim --stock hour.yaml nothing
is 1 "can't be read" "$regpin" run --policy nothing -- ./vmm
is 1 'error: ' "$regpin" run --policy bad.yaml -- ./vmm
is 2 'name the VMM' "$regpin" run --policy hour.yaml
for line in 'check hour.yaml --json' 'explain --stock hour.yaml' 'regs EFER' 'help' 'version'; do
	# shellcheck disable=SC2086 # words
	is 4 'output could not be written' sh -c '"$@" >/dev/full' sh "$regpin" $line
done

# check and compile: each exit status has one meaning; standard input and output.
printf 'version: 1\nrules: [{register: LSTAR, uniform: true}]\n' >ok.yaml
printf 'version: 1\nrules: [{register: CR4, sticky: [SMEP]}]\n' >warns.yaml
printf 'version: 1\nrules: [{register: LSTAR}]\n' >bad.yaml
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n' >cr.yaml
cp "$policy" linux.yaml
is 0 '' "$regpin" check ok.yaml
is 0 'warning: ' "$regpin" check warns.yaml
is 1 'warning: ' "$regpin" check --werror warns.yaml
is 0 '' "$regpin" check --werror ok.yaml
is 1 'error: ' "$regpin" check bad.yaml ok.yaml
is 4 "nothing: error: can't be read" "$regpin" check nothing
is 4 "can't be read" "$regpin" check bad.yaml nothing ok.yaml
is 4 "can't be read" "$regpin" check .
is 0 '' sh -c '"$1" check - <ok.yaml' sh "$regpin"
is 1 '^-:2:9: error: ' sh -c '"$1" check - <bad.yaml' sh "$regpin"
is 2 'only once' "$regpin" check - -
is 2 'at least one policy' "$regpin" check
is 0 '' "$regpin" compile ok.yaml -o ok.blob
is 0 '' sh -c '"$1" compile - -o - <ok.yaml >stdin.blob && test -s stdin.blob && ! test -e ./-' sh "$regpin"
is 1 'error: this is a compiled policy' "$regpin" check ok.blob
is 1 'error: this is a compiled policy' "$regpin" sim ok.blob ok.yaml
is 1 'error: ' "$regpin" compile bad.yaml -o bad.blob
is 4 "can't be read" "$regpin" compile nothing -o bad.blob
is 4 "none/x can't be written: No such file" "$regpin" compile ok.yaml -o none/x
is 4 "standard output can't be written" sh -c '"$1" compile ok.yaml -o - >/dev/full' sh "$regpin"
is 2 'name the file for the blob' "$regpin" compile ok.yaml
is 2 'name a policy' "$regpin" compile -o x
is 2 'not a regular file' "$regpin" compile ok.yaml -o .
{
	printf 'version: 1\nrules:\n'
	for n in $(seq 500); do echo "  - register: NO$n"; done
} >many.yaml
is 1 'only the first 100 problems' "$regpin" check many.yaml
if command -v jq >/dev/null; then
	"$regpin" check --json many.yaml ok.yaml warns.yaml nothing >check.json
	is 0 '^true$' jq '.version == 1 and (.ok | not) and (.policies | map(.errors == (.problems | map(select(.problem == "error")) | length)) | all)' check.json
	is 0 '^true$' jq '[.policies[] | [.ok, .readable, .errors, .warnings, .more]] == [[false, true, 100, 0, true], [true, true, 0, 0, false], [true, true, 0, 1, false], [false, false, 1, 0, false]]' check.json
	is 0 '^false$' sh -c '"$1" check --json --werror warns.yaml | jq .ok' sh "$regpin"
	is 0 "\"policy_sha256\":\"$(sha256sum <ok.yaml | cut -d ' ' -f 1)\"" "$regpin" check --json ok.yaml
	is 0 "\"policy_sha256\":\"$(sha256sum <ok.yaml | cut -d ' ' -f 1)\"" "$regpin" explain --json --stock ok.yaml
fi

# No path of the user reaches a terminal with its control characters.
esc=$(printf 'a\033[31mb\302\233c\342\200\256d\376\001.yaml')
cp "$policy" "$esc"
sed 's/^version.*/version: 9/' "$policy" >"bad-$esc"
printf '0 wrmsr LSTAR 1 => gp\n' >"$esc.trace"
printf 'nonsense\n' >"bad-$esc.trace"
printf '#!/none/%s\n' "$esc" >script
chmod +x script
controls=$(printf '[\001-\010\013-\037\177\376]')
csi=$(printf '\302\233')
override=$(printf '\342\200\256')
# harmless COMMAND: what it prints has nothing that a terminal obeys.
harmless()
{
	"$@" >raw 2>&1
	! LC_ALL=C grep -q "$controls" raw &&
		! LC_ALL=C grep -qF -e "$csi" -e "$override" raw
}
bad=
for line in "check $esc" "check bad-$esc" "check none$esc" "compile bad-$esc -o x" \
	"compile $esc -o none/$esc" "compile $esc -o ." "probe $esc" "probe none$esc" \
	"explain --stock $esc" "explain none$esc" "sim --stock $esc $esc.trace" \
	"sim --stock $esc bad-$esc.trace" "sim --stock $esc none$esc" "regs $esc" \
	"run --policy none$esc -- true" "run --policy bad-$esc -- true" "run --$esc" \
	"help $esc" "$esc" "--$esc" "check --$esc" "sim --guest $esc $esc $esc" \
	"run --mode $esc -- true" "run --name $esc -- true" "run --event-limit $esc -- true" \
	"run --attach-timeout $esc -- true" "ctl --ctl . vm window --for $esc" \
	"ctl --ctl . $esc" "ctl --ctl . vm $esc" "ctl --ctl . vm status $esc" \
	"run --policy $esc --no-ctl -- none$esc" "run --policy $esc --no-ctl -- ./script" \
	"run --policy $esc --no-ctl -- ./$esc" "ctl --ctl none$esc list" \
	"ctl --ctl none$esc vm status" "ctl --ctl . vm policy none$esc"; do
	# shellcheck disable=SC2086 # words
	harmless "$regpin" $line || bad="$bad
# regpin $line:
$(sed 's/^/# /' raw)"
done
is 0 '' test -z "$bad"
[ -z "$bad" ] || echo "$bad" | cat -v
is 0 'x1b\[31mb.u009bc.u202ed.xfe.x01.yaml:[0-9]+:5: uniform' "$regpin" probe --starts "$esc"

# explain and sim name the KVM that they assume: this host's, or another one.
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n    optional: true\n' >opt.yaml
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

# Changes that never and frozen do not prevent before arming.
for arming in syscall-entry request operator start; do
	for rule in never frozen; do
		printf 'version: 1\narming: %s\nrules:\n  - register: EFER\n    %s: [SVME]\n' $arming $rule >early.yaml
		if [ $arming = start ]; then
			is 0 '' "$regpin" check --werror early.yaml
		else
			is 1 "early.yaml:5:5: warning: $rule holds only after a vCPU has armed .arming: $arming.*'arming: start'" "$regpin" check --werror early.yaml
			echo '    from: arming' >>early.yaml
			is 0 '' "$regpin" check --werror early.yaml
		fi
	done
done
for shipped in "$(dirname "$policy")"/*.yaml; do
	is 0 '' "$regpin" check --werror "$shipped"
done

# probe: 0 means all is enforced, 5 it starts without some rules, 3 it does not start.
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

is 0 '^EFER +0xc0000080 +efer +cold +replay' "$regpin" regs
is 0 '^EFER  0xc0000080$' "$regpin" regs msr_efer
is 0 '^ +11 +NXE .NX.$' "$regpin" regs 0xc0000080
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs ia32_pmc3
is 0 '^IA32_PMC0-7  0xc1-0xc8$' "$regpin" regs IA32_PMC
is 0 '^IA32_PMC3  0xc4$' "$regpin" regs 196
is 0 'no name for it' "$regpin" regs 0x12345
is 0 '^CR4  -$' "$regpin" regs cr4
is 0 '^SMEP: bit 20 of CR4$' "$regpin" regs smep
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs '*energy*'
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs ENERGY
is 0 '^PKGC3_IRTL +0x60a +power' "$regpin" regs power
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs 0x610-0x612
is 2 'runs backwards' "$regpin" regs 0x612-0x610
is 2 "no rules on 'CR3'" "$regpin" regs CR3
is 2 "no register 'C0000080': as an index it is written 0xC0000080" "$regpin" regs C0000080
is 2 "no register 'MSR C001_0015': as an index it is written 0xC0010015" "$regpin" regs 'MSR C001_0015'
is 0 'rules: allow .KVM never filters' "$regpin" regs X2APIC
is 0 'rules: deny, value, allow .deny: read only' "$regpin" regs TSC_DEADLINE
is 0 'rules: sticky, never, frozen, require, once, uniform, deny, value, allow, report .replay' "$regpin" regs EFER
is 0 'rules: sticky, never, frozen, report .enforced' "$regpin" regs XCR0
is 0 'rules: none' "$regpin" regs 0xffffffff
# The search is by words: letters inside a word find nothing. regs, sim and check propose a
# name for a misspelt one by the same rule.
is 0 '^IA32_THERM_STATUS +0x19c +power' "$regpin" regs therm
is 0 '^APIC_BASE +0x1b +apic' "$regpin" regs MSR_APIC_BAS
is 0 '^PKG_ENERGY_STATUS +0x611 +rapl' "$regpin" regs 'energy status'
is 0 '^LEGACY_XAPIC_DISABLED: bit 0 of ' "$regpin" regs LEGACY_XAPIC
is 0 '^SYSENTER_EIP +0x176' "$regpin" regs SYSENTER-EIP
is 0 '^XCR0 +- +cr ' "$regpin" regs xfeature
for name in EFERR OCK NERGY ASK_; do
	is 2 "no register '$name'" "$regpin" regs $name
done
is 2 "no register 'EFERR'; did you mean 'EFER'\?" "$regpin" regs EFERR
is 2 "no register 'LSTRA'; did you mean 'LSTAR'\?" "$regpin" regs LSTRA
is 2 "no register 'IA32_MC4_STATSU'; did you mean 'IA32_MC4_STATUS'\?" "$regpin" regs IA32_MC4_STATSU=1
is 2 "no register 'OCK'\. An MSR" "$regpin" regs OCK
printf 'version: 1\nrules: [{register: [LSTRA], uniform: true}]\n' >near.yaml
is 1 "2:21: error: there is no register 'LSTRA'; did you mean 'LSTAR'\?" "$regpin" check near.yaml
# The columns are as wide as the longest of the lines printed: each column starts at one
# position.
columns()
{
	"$regpin" regs "$@" | awk 'NR == 1 { two = index($0, $2); three = index($0, $3) }
		substr($0, two - 1, 1) != " " || substr($0, two, 1) == " " ||
		substr($0, three - 1, 1) != " " || substr($0, three, 1) == " " || / $/ { bad = 1 }
		END { exit bad || NR < 2 }'
}
is 0 '' columns
for what in therm 0x60d-0x612 'IA32_X*'; do
	is 0 '' columns "$what"
done
is 2 "no register 'IA32_PMC8': the registers of this family are IA32_PMC0-7" "$regpin" regs IA32_PMC8
is 2 "no register 'IA32_MC32_CTL': the registers of this family are IA32_MC0-31_CTL" "$regpin" regs IA32_MC32_CTL
is 0 '^LSTAR  0xc0000082$' "$regpin" regs MSR_IA32_LSTAR
is 0 '^IA32_MC4_MISC  0x413$' "$regpin" regs IA32_MC4_MISC
is 0 '^IA32_MC0-31_CTL  0x400-0x47c$' "$regpin" regs IA32_MCi_CTL
is 0 '^IA32_MC0-31_CTL +0x400-0x47c +mce' "$regpin" regs 'MSR_IA32_MC*_CTL'
is 0 '^IA32_MC4_ADDR +0x412 +mce' "$regpin" regs 'IA32_MC4_*'
is 0 '^PPERF  0x64e$' "$regpin" regs 'MSR 0x64e'
is 0 '^PPERF  0x64e$' "$regpin" regs MSR 0x64e
is 0 '^PPERF +0x64e +pmu' "$regpin" regs MSRs 0x64e-0x64f
is 0 '^PPERF  0x64e$' "$regpin" regs 64eH
is 0 '^PPERF +0x64e +pmu' "$regpin" regs 'MSRs 0x64e..0x64f'
is 0 '^  on atom: ATOM_PKG_C2_RESIDENCY$' "$regpin" regs 0x3f8
is 0 '^  on pentium-m: PENTIUM_M_LER_TO_LIP$' "$regpin" regs LER_FROM_LIP
is 0 '^AIBRSE: bit 21 of EFER$' "$regpin" regs autoibrs
is 0 '^SGX_LC: bit 17 of IA32_FEATURE_CONTROL$' "$regpin" regs sgx_lc
is 0 '^    8      LME$' "$regpin" regs EFER=0xd01
is 0 '^    3      SKIP_L1DFL_VMENTRY$' "$regpin" regs 0x10a 0x69
is 0 '^    12-51  BASE = 0xfee00$' "$regpin" regs 'APIC_BASE = 0xfee00900'
is 0 '^    reserved or without a name: 2, 60-62$' "$regpin" regs EFER=0x7000000000000004
is 0 '^    bits: 0, 63$' "$regpin" regs 0x12345=0x8000000000000001
is 0 '^TSC  0x10$' "$regpin" regs EFER 0x10
is 2 "'' as a value of EFER: there is no number" "$regpin" regs EFER=
is 2 'as a value of EFER: it is too large' "$regpin" regs EFER=0x10000000000000000
is 2 "after its register" "$regpin" regs =1
is 2 "no register 'EFFER'" "$regpin" regs EFFER=1
is 2 'too large' "$regpin" regs 0x100000000
is 2 'begin with 0x|is not a number' "$regpin" regs 1f
is 2 '^EFER' "$regpin" regs LSTR EFER
if command -v jq >/dev/null; then
	"$regpin" regs --json >all.json
	is 0 '^true$' jq '.registers | length > 200 and all(.known)' all.json
	"$regpin" regs --json IA32_PMC3 0x12345 0x12346 >some.json
	is 0 '^true$' jq '(.registers | length) == 3 and .registers[0].index == "0xc4" and (.registers[1].known | not)' some.json
	"$regpin" regs --json APIC_BASE=0xfee00901 0x3f8 IA32_MCi_CTL >some.json
	is 0 '^true$' jq '.registers[0].decoded == {"value": "0xfee00901", "fields": [
		{"field": "BSP", "low": 8, "width": 1, "value": "0x1"},
		{"field": "EN", "low": 11, "width": 1, "value": "0x1"},
		{"field": "BASE", "low": 12, "width": 40, "value": "0xfee00"}], "unnamed": [0]} and
		.registers[1].elsewhere == [{"register": "ATOM_PKG_C2_RESIDENCY", "cpus": "atom"}] and
		.registers[2].register == "IA32_MCi_CTL" and .registers[2].count == 32 and .registers[2].stride == 4' some.json
fi

for guest in amd:010:1 amd:-1 'amd: 1' amd:0x10f amd:0x19:0x100 amd:0x amd: foo amd:1:2:3; do
	is 2 'FAMILY is at most 0x10e' "$regpin" explain --stock --guest "$guest" "$policy"
done
is 0 '^What a guest may do' "$regpin" explain --stock --guest amd:0x10e:0xff "$policy"

printf '0 wrmsr LSTAR 1\n' >good
is 0 '^0 wrmsr LSTAR 1 => ok$' "$regpin" sim --stock "$policy" good
is 0 'armed by syscall-entry' "$regpin" sim --stock "$policy" - <good
printf '0 wrmsr LSTAR 1\n\n 0 wrmsr LSTAR' >torn
is 1 '^torn:3:15: error: a value is missing$' "$regpin" sim --stock "$policy" torn
printf '0 wrmsr LSTAR 1 => gp\n' >other
is 1 '^other:1:1: expected gp, but it was ok, 0x1$' "$regpin" sim --stock "$policy" other
is 1 '1 not as expected' "$regpin" sim --stock --quiet "$policy" other
is 1 '"expected":false' "$regpin" sim --stock --json "$policy" other
head -c 5000 /dev/zero | tr '\0' ' ' >long
is 1 '^long:1:4096: error: the line is too long$' "$regpin" sim --stock "$policy" long
# More than one block of input, where a block ends inside a line: no line is lost.
yes '0 wrmsr 0x12345678 0x123456789abcdef0' | head -n 100000 >many
is 0 '^100000$' sh -c '"$1" sim --stock "$2" many | grep -c "=> ok$"' sh "$regpin" "$policy"
is 0 '^100000$' sh -c 'cat many | "$1" sim --stock "$2" - | grep -c "=> ok$"' sh "$regpin" "$policy"
# Logs instead of traces, from a file and a pipe. A line that is in neither, or that is
# meant as a statement and is not one, is an error.
gp='unchecked MSR access error: RDMSR from 0x7777 at rIP: 0x1'
printf '[ 1.0] Linux\n%s\n[ 2.0] reset\n' "$gp" >log
is 0 '^0 rdmsr 0x7777 unknown => gp	# KVM refuses it$' "$regpin" sim --stock "$policy" log
is 0 'log is a log: 1 of its lines is an access, 0 are other events, 2 could not be read; nothing in it has armed' "$regpin" sim --stock "$policy" log
printf '%s\n' '{"event":"attached","vm":0}' '{"event":"armed","vm":0,"vcpu":0}' '{"event":"violation","vcpu":0,"register":"EFER"}' '{"event":"detached"}' \
	'{"event":"violation","vcpu":0,"register":"EFER","index":"0xc0000080","access":"write","new":"0x1"}' >own.log
is 0 'own.log is a log: 1 of its lines is an access, 3 are other events, 1 could not be read' "$regpin" sim --stock "$policy" own.log
is 0 '^0 rdmsr 0x7777 unknown => gp' "$regpin" sim --stock "$policy" - <log
is 0 '"line":2,"vcpu":0,"statement":"0 rdmsr 0x7777 unknown"' "$regpin" sim --stock --json "$policy" log
is 0 '^0 wrmsr EFER 1 => ok$' sh -c '(cat log; echo 0 wrmsr EFER 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:4:9: error: there is no register' sh -c '(cat log; echo 0 wrmsr EFRE 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:9: error: there is no register' sh -c '(echo 0 wrmsr EFRE 1; cat log) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:1: error: a line begins with' sh -c '(echo O wrmsr EFER 1; echo 0 wrmsr EFER 1) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:3:1: error: a line begins with' sh -c '(echo 0 rdmsr EFER; echo "$3"; echo "[ 1.0] Linux") | "$1" sim --stock "$2" -' sh "$regpin" "$policy" "$gp"
is 1 'no line of - is known: sim reads a trace .*, or a log with lines of these: Linux ' sh -c 'dmesg="[ 1.0] Linux"; echo "$dmesg" | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 0 '^0 rdmsr 0x7777 unknown => gp' sh -c '(echo Booting; echo reset; cat log) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
is 1 '^-:1:1: error: a line begins with' sh -c '(echo armm; echo reset) | "$1" sim --stock "$2" -' sh "$regpin" "$policy"
# Lines of any length, with any bytes.
is 0 'is a log: 2 of its lines are accesses, 0 are other events, 3 could not be read' sh -c '(head -c 5000 /dev/zero; echo; echo "$3"; head -c 3000000 /dev/zero | tr "\0" x; echo; printf "a\0b\n"; echo "$3") | "$1" sim --stock "$2" -' sh "$regpin" "$policy" "$gp"
is 4 "can't be read" "$regpin" sim --stock "$policy" nothing
is 4 "can't be read" "$regpin" sim --stock "$policy" .
is 4 "can't be read" "$regpin" sim nothing good
is 2 'one trace' "$regpin" sim --stock "$policy"
is 4 'could not be written' sh -c '"$1" sim --stock "$2" many >/dev/full' sh "$regpin" "$policy"
is 3 "^cr.yaml:4:5: error: 'sticky' on CR0 can't be enforced on this KVM: this KVM has no CR filter" "$regpin" sim --stock cr.yaml good
# A text that is the same for several rules is printed once; as JSON each rule has its own object.
printf 'version: 1\nrules:\n  - register: CR0\n    sticky: [WP]\n    action: stop\n  - register: CR4\n    sticky: [SMEP]\n' >crs.yaml
for cmd in "explain --stock" "sim --stock"; do
	# shellcheck disable=SC2046,SC2086 # they are words
	set -- "$regpin" $cmd crs.yaml $([ "${cmd%% *}" = explain ] || echo good)
	is 3 "^crs.yaml:4:5: .*: 'sticky' on CR0 can't be enforced on this KVM: .*; the same holds for 'sticky' on CR4 \\(7:5\\)$" "$@"
	is 3 '"ok":false,"reasons":\[\{"register":"CR0","rule":"sticky","where":"crs.yaml:4:5",.*\},\{"register":"CR4",.*"where":"crs.yaml:7:5",' "$@" --json
done
printf 'version: 1\nrules:\n  - register: CR9\n    sticky: [WP]\n' >wrong.yaml
for cmd in explain sim probe; do
	for file in wrong none; do
		set -- "$regpin" $cmd --json $file.yaml
		[ $cmd != sim ] || set -- "$@" good
		if [ $file = wrong ]; then
			is 1 '^\{"version":1,"policy_file":"wrong.yaml","ok":false,"problems":\[\{"problem":"error","line":3,"column":15,"text":' "$@"
		else
			is 4 '"ok":false,"problems":\[\{"problem":"error","text":"can.t be read' "$@"
		fi
	done
done
is 0 'ok$' "$regpin" sim --cr-filter cr.yaml good

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

# sim: bits by name, registers whose name is nearly right, and the origin of a #GP.
printf '0 set CR4 0\n0 cr4 +SMEP +21\n0 cr4 -SMEP\n0 wrmsr EFER +NXE -SCE\n' >bits.trace
is 0 '^0 cr4 [+]SMEP [+]21 => ok$' "$regpin" sim --stock opt.yaml bits.trace
is 0 '"statement":"0 cr4 -SMEP","outcome":"ok","value":"0x200000"' "$regpin" sim --json --stock opt.yaml bits.trace
is 0 '"value":"0x800"' "$regpin" sim --json --stock opt.yaml bits.trace
for line in '0 cr4 +SMEPX' '0 cr4 +64' '0 cr4 +SMEP -SMEP' '0 cr4 +' '0 wrmsr 0x10a +NXE' '0 cr4 +SMEP 5'; do
	echo "$line" >wrong.trace
	is 1 '^wrong.trace:1:[0-9]+: error: ' "$regpin" sim --stock opt.yaml wrong.trace
done
printf 'version: 1\narming: start\nrules:\n  - register: STAR\n    frozen: all\n' >star.yaml
echo '0 wrmsr STAR 0x2300000000ff => gp' >star.trace
is 0 'star.yaml:5:5: EIP SYSCALL_CS$' "$regpin" sim --stock star.yaml star.trace
echo '0 wrmsr LSTARR 1' >wrong.trace
is 1 "there is no register 'LSTARR'; did you mean 'LSTAR'\\?" "$regpin" sim --stock opt.yaml wrong.trace
printf 'version: 1\nrules: [{register: LSTAR, uniform: true, action: pause}]\n' >hold.yaml
printf '0 wrmsr LSTAR 1\n0 wrmsr SFMASK 1\n0 wrmsr LSTAR 2\n0 answer gp\n0 wrmsr LSTAR 2\n' >hold.trace
is 0 "^0 wrmsr LSTAR 2 => gp.*the operator's answer$" "$regpin" sim --stock hold.yaml hold.trace
# A trace tests a policy on any host: without an option that names the KVM, what only the CR
# filter can do is reported, and is not a failure.
cat >smep.trace <<'T'
0 wrmsr EFER 0xd01
0 cr0 0x80050033
0 cr4 0x3506e0
0 wrmsr LSTAR 0xffffffff81000000
0 wrmsr SFMASK 0x47700
0 cr0 -WP => gp
0 cr4 -SMEP => gp
T
sed 's/WP => gp/WP => drop/' smep.trace >never.trace
is 1 'smep.trace:6:1: expected gp, but it was ok, 0x80040033$' "$regpin" sim --stock --quiet "$policy" smep.trace
is 0 '' "$regpin" sim --cr-filter --quiet "$policy" smep.trace
is 1 'never.trace:6:1: expected drop, but it was' "$regpin" sim --quiet "$policy" never.trace
if "$regpin" sim --quiet --host "$policy" smep.trace >/dev/null 2>&1; then
	is 0 '' "$regpin" sim --quiet "$policy" smep.trace
else
	is 0 'smep.trace:7:1: .*; with the CR filter it is as expected$' "$regpin" sim --quiet "$policy" smep.trace
	is 0 'warning: smep.trace: 2 as expected on a KVM with the CR filter only' "$regpin" sim --quiet "$policy" smep.trace
	is 0 '"expected":false,"with_cr_filter":true' "$regpin" sim --json "$policy" smep.trace
fi
is 0 '"event":"answered","action":"gp"' "$regpin" sim --json --stock hold.yaml hold.trace

for command in "check --json --json" "probe --json --json" "regs --json --json" \
	"compile -o a --output b" "explain --guest amd --guest intel" "sim --quiet --quiet" \
	"ctl --ctl a --ctl b" "run --name a --name b"; do
	# shellcheck disable=SC2086 # words
	is 2 "^regpin ${command%% *}: the option .* is given twice; try" "$regpin" $command
done
json_fits
echo "1..$nr"
exit "$failed"
