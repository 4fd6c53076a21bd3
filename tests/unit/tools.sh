#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# tools.sh REGPIN_BINARY: what all commands have in common, check and compile: exit codes, messages. TAP.
# shellcheck source=tests/unit/tools_scene.sh
source "$(dirname "$0")/tools_scene.sh"
completions=$(realpath "$tap_dir/../completions")

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
for cmd in check compile probe explain diff sim regs policies run list ctl; do
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
for cmd in check compile probe explain diff sim regs policies run list ctl; do
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
for cmd in check compile probe explain diff sim regs policies run list ctl; do
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
	is 0 '^check compile run probe explain diff sim regs policies list ctl help version $' complete_bash regpin ''
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
is 2 "attach-timeout '0s': a time is at least 1ms; write none for no limit" "$regpin" run --attach-timeout 0s
for time in 1500ms 1s 1m 1min 1h none; do
	is 2 'name a policy' "$regpin" run --attach-timeout $time
done
for time in 30 0 86401 007; do
	is 2 "attach-timeout '$time': a time needs a unit: ms, s, m .min. or h" "$regpin" run --attach-timeout $time
	is 2 "answer-after '$time:gp': a time needs a unit: ms, s, m .min. or h" "$regpin" run --answer-after $time:gp
	is 2 "for '$time': a time needs a unit: ms, s, m .min. or h" "$regpin" ctl --ctl . vm window --for $time
done
for time in 1500ms 1s 1m 1min 1h; do
	is 2 'name a policy' "$regpin" run --answer-after $time:stop
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

# Changes that never and frozen do not prevent before arming.
for arming in syscall-entry request operator start; do
	for rule in never frozen; do
		printf 'version: 1\narming: %s\nrules:\n  - register: EFER\n    %s: [SVME]\n' $arming $rule >early.yaml
		if [ $arming = start ]; then
			is 0 '' "$regpin" check --werror early.yaml
		else
			is 1 "early.yaml:5:5: warning: '$rule' holds only after a vCPU has armed .arming: $arming.*'arming: start'" "$regpin" check --werror early.yaml
			echo '    from: arming' >>early.yaml
			is 0 '' "$regpin" check --werror early.yaml
		fi
	done
done
for shipped in "$(dirname "$policy")"/*.yaml; do
	is 0 '' "$regpin" check --werror "$shipped"
done
for command in "check --json --json" "probe --json --json" "regs --json --json" \
	"compile -o a --output b" "explain --guest amd --guest intel" "sim --quiet --quiet" \
	"ctl --ctl a --ctl b" "run --name a --name b"; do
	# shellcheck disable=SC2086 # words
	is 2 "^regpin ${command%% *}: the option .* is given twice; try" "$regpin" $command
done
json_fits
echo "1..$nr"
exit "$failed"
