#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: handoff.sh REGPIN SHIM
#
# The files that `regpin run` hands to the VMM, and to no other process. Helpers that
# inherit the environment and all open files can read, forge and command nothing, as the
# same user or as another one, from inside and outside of the process tree. Also the ways in
# which a VMM gets these files: in other namespaces, without /proc, as another user, after
# it has closed its files. Prints TAP.
set -u

# shellcheck source=tests/live/vmm.sh
source "$(dirname "$0")/vmm.sh"
compile nowipe.so nowipe.c -shared -fPIC
compile helper helper.c "-I$here/../../shim" "-I$here/../.." "-I$here/../../include"
chmod 755 "$dir" helper vmm
root=
[[ $(id -u) != 0 ]] || root=1

touch out err helped

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	printf '# status %s\n' "${status:-}"
	local file

	for file in out err helped events; do
		[[ ! -e $file ]] || sed "s/^/# $file: /" "$file"
	done
}

run() # OPTION .. -- VMM ..
{
	rm -f events
	timeout -k 1 60 "$regpin" run --policy policy.yaml --events "$dir/events" "$@" \
		>out 2>err </dev/null
	status=$?
	await '"detached"' events
}

# The VMM's guest was pinned, and its pins were never lifted.
unharmed()
{
	[[ $status == 7 ]] && grep -q "exit 8" out && grep -q '"violation"' events &&
		! grep -q '"disarmed"' events
}

# with_helper NAME [AS ..] -- HELPER ..: beside a VMM, before it and after it has its VM
with_helper()
{
	local as=()

	while [[ $1 != -- ]]; do
		as+=("$1")
		shift
	done
	shift
	rm -f attached helped helped-late
	cat >launcher <<-EOF
		#!/bin/bash
		${as[*]} ./helper $* >helped 2>&1
		(./vmm await attached; ${as[*]} ./helper $* >helped-late 2>&1; touch helped-both) &
		exec ./vmm vm vcpu touch attached await helped-both run exit 7
	EOF
	chmod +x launcher
	rm -f helped-both
	run -- ./launcher
	echo "later:" >>helped
	cat helped-late >>helped 2>/dev/null
}

other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if [[ $root ]] && command -v setpriv >/dev/null; then
	with_helper "${other[@]}" -- ask
	unharmed && [[ $(grep -c '^\(file\|name\): user$' helped) == 4 ]]
	ok $? "another user's helper that asks by both addresses, early and late, gets nothing"
	[[ $(jq -r 'select(.event == "denied") | "\(.reason) \(.uid)"' events | sort -u) == \
		"user 65534" ]]
	ok $? "the attempts of another user's helper are an event"
	with_helper "${other[@]}" -- map
	unharmed && [[ $(grep -c '^mapped 0, added to 0$' helped) == 2 ]]
	ok $? "no open file gives another user's helper memory to map or to write"
	cat >launcher <<-EOF
		#!/bin/bash
		${other[*]} ./helper flood >helped 2>&1 &
		echo \$! >flooder
		until grep -q flooding helped; do sleep 0.05; done
		exec ./vmm vm vcpu run sleep 500 exit 7
	EOF
	chmod +x launcher
	run -- ./launcher
	kill "$(cat flooder)" 2>/dev/null
	unharmed
	ok $? "another user's helper floods both sockets, and the VMM still gets its policy and reports events"
else
	for what in "asks" "that is an event" "maps" "floods"; do
		skip "another user's helper: $what" "not root, or no setpriv"
	done
fi

with_helper -- ask
unharmed && [[ $(grep -c '^\(file\|name\): welcome no-vm$' helped) == 4 ]]
ok $? "a helper of the same user without a VM gets nothing"
with_helper -- map
unharmed && [[ $(grep -c '^mapped 0, added to 0$' helped) == 2 ]]
ok $? "a helper of the same user gets nothing by any open file"
cat >launcher <<'EOF'
#!/bin/bash
./helper hold >helped 2>&1 &
echo $! >holder
until grep -q holding helped; do sleep 0.05; done
exec ./vmm vm vcpu run exit 7
EOF
chmod +x launcher
run -- ./launcher
kill "$(cat holder)" 2>/dev/null
unharmed
ok $? "a helper that connects first and stays connected blocks no VMM"

rm -f events attached go
"$regpin" run --policy policy.yaml --events "$dir/events" -- \
	./vmm vm vcpu touch attached await go run exit 7 >out 2>err </dev/null &
vmm=$!
./vmm await attached
./helper vm "/proc/$vmm/environ" >helped 2>&1
find "/proc/$vmm/fd" -printf '%l\n' >files
touch go
wait "$vmm"
status=$?
await '"detached"' events
unharmed && grep -q '^name: stranger$' helped && ! grep -q 'file:' helped
ok $? "a process outside of the tree, with a VM, gets nothing"
[[ -s files ]] && ! grep -E 'memfd|eventfd' files
ok $? "the VMM keeps no file of the shared memory"

run -- ./vmm vm vcpu command run exit 7
unharmed && grep -q '^mprotect: Permission denied' out && ! grep -q WRIT out
ok $? "a compromised VMM cannot write the agent's commands"
# The agent has much to report, so its end is not awaited.
timeout 60 "$regpin" run --policy policy.yaml --no-ctl --events /dev/null -- \
	./vmm vm vcpu scribble 50 run exit 7 >out 2>/dev/null </dev/null
[[ $? == 7 ]] && grep -q "exit 8" out
ok $? "random bytes in all memory that a compromised VMM can write do not stop its vCPU"

# How a VMM gets the files

run -- unshare -n ./vmm vm vcpu run exit 7 2>/dev/null
if [[ $status == 7 ]]; then
	unharmed
	ok $? "a VMM in its own network namespace gets the policy"
	run -- unshare -n ./vmm closeall vm vcpu run exit 7
	[[ $status == 125 && ! -s out ]] && grep -q "the policy did not reach this process" err
	ok $? "a VMM in its own network namespace, with all files closed, has no VM and reports that"
	run -- unshare -m ./vmm vm vcpu run exit 7
	unharmed
	ok $? "a VMM in its own mount namespace gets the policy"
	run -- unshare -pf ./vmm vm vcpu run exit 7
	unharmed
	ok $? "a VMM in its own process id namespace gets the policy"
	run -- unshare -pf ./vmm pid vm vcpu run twin pid vm vcpu run exit 7
	unharmed && [[ $(grep -c "pid 1$" out) == 2 && $(grep -c '"violation"' events) == 2 ]]
	ok $? "a child that makes its own VM gets the policy, though it has its parent's process id"
	mkdir -p jail/dev
	if cp -a /dev/kvm jail/dev/; then
		run -- ./vmm chroot jail vm vcpu run exit 7
		unharmed
		ok $? "a VMM in a chroot without /proc gets the policy"
	else
		skip "a chroot without /proc" "device nodes cannot be made here"
	fi
else
	for what in "network" "all files closed" "mount" "process ids" "a child with the same process id" "chroot"; do
		skip "a namespace of its own: $what" "unshare is not permitted"
	done
fi
run -- ./vmm daemonize closeall sleep 200 vm vcpu run exit 7
[[ $status == 0 ]] && { grep -q '"violation"' events || grep -q "did not reach" err; }
ok $? "a daemon that closes all files is recognised and pinned, or has no VM"
run -- ./vmm vm vcpu fork vm vcpu run exit 7
unharmed
ok $? "a child that makes its own VM gets the policy"
LD_PRELOAD=./nowipe.so run -- ./vmm vm vcpu run fork vm vcpu run exit 7
unharmed && [[ $(grep -c '"violation"' events) == 2 && $(grep -c "MADV_WIPEONFORK refused" err) == 2 ]]
ok $? "a child gets the policy if the kernel does not wipe its parent's mark"
cp policy.yaml saved.yaml
printf '  - register: CR4\n    sticky: [SMEP]\n    optional: true\n' >>policy.yaml
run -- ./vmm vm vcpu run timers fork vm vcpu run timers exit 7
mv saved.yaml policy.yaml
if grep -q "timers 0" out && ! grep -q "timers 1" out; then
	skip "a child's vCPU is polled, too" "this KVM has a CR filter, or /proc no timers"
else
	[[ $status == 7 && $(grep -c "timers 1" out) == 2 ]]
	ok $? "a child's vCPU is polled, too, though its thread's timer stayed with the parent"
fi

if [[ $root ]] && mkdir -p kvm && mount -t tmpfs none kvm 2>/dev/null; then
	trap 'umount kvm /dev/kvm 2>/dev/null; rm -rf "$dir"' EXIT
	mknod -m 666 kvm/kvm c 10 "$(stat -c %T /dev/kvm | sed 's/^/0x/')" &&
		unshare -m sh -c 'mount --bind kvm/kvm /dev/kvm && exec "$@"' - \
			"${other[@]}" ./vmm vm >out 2>err
	can=$?
fi
as_other() # OPTION .. -- VMM ..: every user may open /dev/kvm
{
	# shellcheck disable=SC2016 # the inner shell's
	timeout 60 unshare -m sh -c 'mount --bind kvm/kvm /dev/kvm && exec "$@"' - \
		"$regpin" run --policy policy.yaml --events "$dir/events" "$@" \
		>out 2>err </dev/null
	status=$?
}
if [[ ${can:-1} == 0 ]]; then
	rm -f events
	as_other -- "${other[@]}" ./vmm vm vcpu run exit 7
	await '"detached"' events
	unharmed
	ok $? "a VMM that drops its rights has its VM pinned"
	printf '#!/bin/sh\n%s ./vmm vm vcpu run exit 7\nexit $?\n' "${other[*]}" >launcher
	as_other -- ./launcher
	[[ $status == 125 && ! -s out ]] && grep -q -- "name that user by --vmm-user" err
	ok $? "a child that drops its rights has no VM, and a message names --vmm-user"
	rm -f events
	as_other --vmm-user 65534 -- ./launcher
	await '"detached"' events
	unharmed
	ok $? "with --vmm-user the child has a VM, which is pinned"
	with_helper_kvm=(unshare -m sh -c 'mount --bind kvm/kvm /dev/kvm && exec "$@"' -)
	printf '#!/bin/sh\n%s ./helper vm >helped 2>&1\nexec ./vmm vm vcpu run exit 7\n' \
		"${other[*]}" >launcher
	rm -f events
	timeout 60 "${with_helper_kvm[@]}" "$regpin" run --policy policy.yaml \
		--events "$dir/events" -- ./launcher >out 2>err </dev/null
	status=$?
	await '"detached"' events
	unharmed && [[ $(grep -c '^\(file\|name\): user$' helped) == 2 ]]
	ok $? "another user's helper that can make VMs gets nothing"
else
	for what in "drops its rights" "a child" "--vmm-user" "with a VM"; do
		skip "another user: $what" "a private /dev/kvm cannot be made here"
	done
fi

events_fit
echo "1..$nr"
exit "$failed"
