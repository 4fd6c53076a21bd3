#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# rare.sh REGPIN_BINARY: what commands print in cases that are rare: an AMD host with virtual
# VMLOAD, a VMM that can't be protected, a file that is the policy itself. Prints TAP.
regpin=$(realpath "${1:?usage: rare.sh REGPIN_BINARY}") || exit 2
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 2
unset REGPIN_HOST_FORCE
nr=0
failed=0

# is STATUS PATTERN COMMAND ..: checks the exit status, and that a line of the output matches
is()
{
	want=$1 pattern=$2
	shift 2
	nr=$((nr + 1))
	"$@" >out 2>&1 </dev/null
	got=$?
	name=$(printf '%.100s' "$*")
	if [ $got -eq "$want" ] && { [ -z "$pattern" ] || grep -Eq -- "$pattern" out; }; then
		echo "ok $nr - $name"
	else
		echo "not ok $nr - $name"
		echo "# exit status $got, not $want, or no '$pattern' in:"
		head -n 20 out | sed 's/^/# /'
		failed=1
	fi
}

skip() # REASON NAME
{
	nr=$((nr + 1))
	echo "ok $nr - $2 # SKIP $1"
}

cat >policy.yaml <<E
version: 1
rules:
  - register: EFER
    sticky: [NXE]
E
cat >star.yaml <<E
version: 1
rules:
  - register: LSTAR
    uniform: true
E

# A host on which VMLOAD passes the filter.
if "$regpin" probe --starts policy.yaml >/dev/null 2>&1; then
	export REGPIN_HOST_FORCE=vmload
	is 5 '^MSR   on .*LSTAR.*: NOT enforced$' "$regpin" probe
	is 5 '"except":\[.*"LSTAR".*\],"why_except":".*vls=0' "$regpin" probe --json
	is 3 'vls=0' "$regpin" probe star.yaml
	is 0 'sticky on EFER: enforced' "$regpin" probe policy.yaml
	unset REGPIN_HOST_FORCE
else
	skip "no KVM with an MSR filter here" "a host with virtual VMLOAD"
fi
is 2 'only one policy can be probed' "$regpin" probe policy.yaml star.yaml

# A blob does not replace its policy.
is 2 'policy.yaml is the policy itself: name another file' "$regpin" compile policy.yaml -o policy.yaml
ln policy.yaml link.yaml
is 2 'link.yaml is the policy itself: name another file' "$regpin" compile policy.yaml -o link.yaml
is 0 '' "$regpin" check policy.yaml

# Arguments of regs.
is 2 'an argument is empty' "$regpin" regs ''
is 2 "no register has a name that fits the pattern 'NOPE\*'" "$regpin" regs 'NOPE*'
is 2 "there is no register 'EFER 0xd01': a value is written after =" "$regpin" regs 'EFER 0xd01'
is 2 "no register or bit 'NXEE'; did you mean the bit 'NXE'" "$regpin" regs NXEE

# Programs into which the shim can't be preloaded, or that are none. Where KVM does not
# enforce the policy, that is found first.
if "$regpin" probe --starts policy.yaml >/dev/null 2>&1; then
	# A script whose interpreter is a script, and so on.
	before=/bin/sh
	for i in 1 2 3 4 5 6 7 8; do
		printf '#!%s\n' "$before" >script$i
		chmod +x script$i
		before=$tmp/script$i
	done
	is 126 'too many scripts call each other as interpreters' "$regpin" run --policy policy.yaml -- ./script8
	is 127 "''" "$regpin" run --policy policy.yaml -- ''
	printf '#!/no/such/interpreter\n' >script
	chmod +x script
	is 126 "its interpreter '/no/such/interpreter' can't be started" "$regpin" run --policy policy.yaml -- ./script
	printf '\177ELF\001\001\001\000\000\000\000\000\000\000\000\000\002\000\003\000' >foreign
	head -c 200 /dev/zero >>foreign
	chmod +x foreign
	is 126 'not an x86-64 program' "$regpin" run --policy policy.yaml -- ./foreign
	echo text >notes
	is 126 'it is not an executable file' "$regpin" run --policy policy.yaml -- ./notes
	mkdir folder
	cp notes folder/tool
	is 126 'it is not an executable file' env PATH="$tmp/folder" "$regpin" run --policy policy.yaml -- tool
	long=$(printf '%05000d' 0)
	is 126 'File name too long' "$regpin" run --policy policy.yaml -- "./$long"
	is 2 "--vmm-user 'nobody-of-this-name': there is no such user" "$regpin" run --vmm-user nobody-of-this-name --policy policy.yaml -- /bin/true
	if [ -e /usr/local/lib/regpin ] || [ -e /usr/lib/regpin ]; then
		skip "regpin is installed here" "a command without its shim"
	else
		cp "$regpin" here
		is 125 'the shim .* can.t be read .*: regpin is not completely installed' ./here run --policy policy.yaml -- /bin/true
	fi
	mkdir -p 'a b/tool' 'a b/shim'
	cp "$regpin" 'a b/tool/regpin'
	: >'a b/shim/libregpin-shim.so'
	is 125 "has a space or a colon in it" 'a b/tool/regpin' run --policy policy.yaml -- /bin/true
else
	skip "no KVM with an MSR filter here" "programs that can't be protected"
fi

# The directory of the sockets.
if [ "$(id -u)" -ne 0 ]; then
	is 2 'XDG_RUNTIME_DIR is not set: name the directory by --ctl DIR' env -u XDG_RUNTIME_DIR "$regpin" ctl list
else
	skip "root uses /run/regpin" "without XDG_RUNTIME_DIR ctl asks for a directory"
fi
is 2 "name a VM: 'regpin list' lists them" "$regpin" ctl
is 2 "name a VM: 'regpin list --ctl $tmp' lists them" "$regpin" ctl --ctl "$tmp"

echo "1..$nr"
exit $failed
