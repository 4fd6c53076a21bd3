#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: logrotate.sh REGPIN SHIM
#
# examples/logrotate with logrotate(8) itself, while the guests of two VMs make events as
# fast as they can: no line is lost, and none is in two files. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"

PATH=$PATH:/usr/sbin:/sbin
command -v logrotate >/dev/null || skip_all "no logrotate"

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	ls -l log | sed 's/^/# /'
	tail -n 5 rotate.log a.err b.err | sed 's/^/# /'
}

# The example, for the folders of this test.
mkdir -m 755 log bin
printf '#!/bin/sh\nshift\nexec "%s" ctl --ctl "%s/ctl" "$@"\n' "$regpin" "$dir" >bin/regpin
chmod 755 bin/regpin
export PATH=$dir/bin:$PATH
sed "s,/var/log/regpin/,$dir/log/," "$here/../../examples/logrotate" >rotate.conf
chmod 644 rotate.conf
: >rotate.log
grep -q "^$dir/log/\*.jsonl {" rotate.conf && grep -q 'reopen' rotate.conf
ok $? "the example names files that can be moved elsewhere for this test"

rotate()
{
	logrotate --force --verbose --state "$dir/state" rotate.conf >>rotate.log 2>&1
}

# numbers NAME: the numbers of all lines of a VM, from the oldest file to the newest
numbers()
{
	local file

	for ((i = 20; i >= 0; i--)); do
		for file in "log/$1.jsonl.$i" "log/$1.jsonl.$i.gz"; do
			[[ ! -e $file ]] || zcat -f "$file"
		done
	done | cat - "log/$1.jsonl" | jq -r .seq
}

floods=() pids=()
for ((i = 0; i < 20; i++)); do
	floods+=(flood 2000)
done
for name in a b; do
	"$regpin" run --ctl "$dir/ctl" --name $name --policy policy.yaml --mode report --event-limit 0 \
		--events "log/$name.jsonl" -- ./vmm vm vcpu "${floods[@]}" touch $name.flooded \
		await go "${floods[@]:0:4}" exit 4 >$name.out 2>$name.err </dev/null &
	pids+=($!)
done
await '"violation"' log/a.jsonl && await '"violation"' log/b.jsonl
ok $? "both VMs make events"
rotated=0 wrong=0
for ((round = 0; round < 6; round++)); do
	rotate || wrong=1
	[[ ! -e a.flooded && ! -e b.flooded ]] || break
	rotated=$((rotated + 1))
	sleep 0.2
done
ok $wrong "logrotate reports no error"
((rotated >= 2))
ok $? "at least two rotations took place during the floods of both VMs"
touch go
status=
for pid in "${pids[@]}"; do
	wait "$pid"
	status+="$? "
done
await '"detached"' log/a.jsonl && await '"detached"' log/b.jsonl && [[ $status == "4 4 " ]]
ok $? "both VMs end as they should"
for name in a b; do
	numbers $name >$name.numbers
	total=$(wc -l <$name.numbers)
	((total > 100)) && cmp -s <(seq "$total") $name.numbers
	ok $? "VM $name: no line is lost, none is written twice, and all are in order"
	files=("log/$name.jsonl."*)
	((${#files[@]} >= 3)) && [[ -e log/$name.jsonl.1 && -e log/$name.jsonl.2.gz ]] &&
		[[ $(stat -c %a "log/$name.jsonl") == 600 ]]
	ok $? "VM $name: the files are rotated and compressed, and the new one is private"
done
rotate
[[ ! -e log/a.jsonl ]] && zcat -f log/a.jsonl.1 | grep -q '"detached"'
ok $? "the file of a VM that has ended is rotated, too"

echo "1..$nr"
exit "$failed"
