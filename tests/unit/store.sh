#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# usage: store.sh REGPIN FAKE_SHIM
#
# Policies that were in force are kept, and found by their hash; a base that has changed is
# reported at the next start; and the store's folder is attacked: links, FIFOs, large files,
# changed texts, other owners. Prints TAP.
set -u

regpin=$(realpath "$1")
fake=$(realpath "$2")
# shellcheck source=tests/tap.sh
source "$(dirname "$0")/../tap.sh"
# shellcheck source=tests/json.sh
source "$tap_dir/json.sh"
# In memory if possible, because fsync(2) takes seconds on a busy disk.
dir=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
cd "$dir" || exit 1
: >.kept-events
keep_json "$dir" "$tap_dir"
# shellcheck disable=SC2034 # for tap.sh
events_kept=$dir/.kept-events
export REGPIN_HOST_FORCE=nokvm ASAN_OPTIONS=verify_asan_link_order=0 REGPIN_POLICIES=$dir/etc
unset REGPIN_STORE
umask 022
chmod 755 "$dir"
vmm=
trap '[[ -z $vmm ]] || kill "$vmm" 2>/dev/null; rm -rf "$dir"' EXIT

# shellcheck disable=SC2317 # tap.sh calls it
evidence()
{
	sed 's/^/# out: /' out
	sed 's/^/# err: /' err run.err 2>/dev/null
	tail -n 5 events 2>/dev/null | sed 's/^/# events: /'
}

mkdir etc
cat >etc/base.yaml <<'E'
version: 1
arming: start
rules:
  - register: CR0
    sticky: [WP]
    optional: true
  - register: CR4
    sticky: [SMEP]
    optional: true
E
cat >policy.yaml <<'E'
version: 1
extends: base
rules:
  - register: EFER
    sticky: [NXE]
    optional: true
E
sed 's/NXE/SCE/' policy.yaml >other.yaml

await() # PATTERN FILE
{
	for ((i = 0; i < 200; i++)); do
		grep -qs -- "$1" "$2" && return 0
		sleep 0.05
	done
	return 1
}

# start [OPTION ..]: a VMM under policy.yaml
start()
{
	: >"$dir/events"
	rm -f "$dir/ready"
	# Without --foreground, timeout sends SIGCONT after the signal that ends the VMM, and
	# LeakSanitizer, which stops the process in order to look at it, waits forever.
	timeout --foreground 60 "$regpin" run --policy "${policy:-policy.yaml}" --name vm --ctl "$dir/ctl" --events "$dir/events" \
		"$@" -- "$fake" >"$dir/ready" 2>"$dir/run.err" </dev/null &
	vmm=$!
	await ready "$dir/ready"
}

finish()
{
	kill -TERM "$vmm" 2>/dev/null
	wait "$vmm" 2>/dev/null
	vmm=
	await '"detached"' "$dir/events"
}

run_once()
{
	start "$@" && finish
}

try()
{
	timeout 60 "$@" >out 2>err </dev/null
	status=$?
}

# is STATUS [PATTERN FILE]
is()
{
	[[ $status == "$1" ]] && { [[ $# == 1 ]] || grep -qE -- "$2" "$3"; }
}

texts()
{
	find "$1" -maxdepth 1 -regextype egrep -regex '.*/[0-9a-f]{64}' -printf '%f\n' | sort
}

# --- keeping and finding ---

start --store "$dir/s"
good=$?
hash=$(texts s)
[[ $good == 0 && ${#hash} == 64 && $(stat -c %a s "s/$hash" | xargs) == "700 600" ]]
ok $? "a policy that comes into force is kept, for its owner alone"
[[ $(tail -n +2 "s/$hash" | sha256sum | cut -c 1-64) == "$hash" &&
	$(head -n 1 "s/$hash") == "--- # regpin policy $hash policy.yaml" ]]
ok $? "the file is named by the hash of its text"
export REGPIN_STORE=$dir/s
short=$(jq -r '.policy_hash' events | head -n 1)
mv policy.yaml away.yaml
mv etc/base.yaml etc/away.yaml
try "$regpin" explain --stock --json "hash:$short"
is 0 && jq -e --arg hash "$hash" --arg dir "$dir" '.policy_sha256 == $hash and .policy_file == "policy.yaml" and
	([.degraded[].where] | index($dir + "/etc/base.yaml:5:5"))' out >/dev/null
ok $? "the digits in an event lead to the text, with the files and lines of that time"
try "$regpin" check "hash:${hash^^}" && is 0
good=$?
try "$regpin" compile "hash:$short" -o blob && is 0 || good=1
try "$regpin" diff "hash:$short" "hash:$hash" && is 0 || good=1
ok $good "each command takes a hash"
mv away.yaml policy.yaml
mv etc/away.yaml etc/base.yaml
"$regpin" ctl --ctl "$dir/ctl" vm policy other.yaml --yes >out 2>err </dev/null
[[ $? == 0 && $(texts s | wc -l) == 2 ]]
ok $? "a policy of ctl is kept as well"
"$regpin" ctl --ctl "$dir/ctl" vm policy "hash:$short" --yes >out 2>err </dev/null && grep -q 'in force: policy.yaml,' out
ok $? "ctl puts a kept policy in force again"
"$regpin" ctl --ctl "$dir/ctl" vm policy --print >printed.yaml 2>err </dev/null && cmp -s printed.yaml "s/$hash"
ok $? "policy --print prints the text as it is kept"
finish
rm -f s/[0-9a-f]*
try "$regpin" check --json printed.yaml
is 0 && [[ $(jq -r '.policies[0].policy_sha256' out) == "$hash" ]]
ok $? "the printed text can be read without the store, and has the same hash"
sed 's/WP/PG/' printed.yaml >changed.yaml
try "$regpin" check changed.yaml
is 1 "changed.yaml:1:1: error: .*it was changed: to change it, remove this line" err
ok $? "a printed text that was changed is refused"
policy=printed.yaml run_once --store "$dir/s"
[[ $(texts s) == "$hash" ]]
ok $? "a VMM is started with a printed text, which is kept under the same hash"

# --- what is no hash, or fits several texts or none ---

bad=0
for digits in '' 6ec2df43a84 "${hash}0" ../../etc/passwd "${hash:0:12}/" "${hash:0:11}g" "${hash:0:12}*" ' 6ec2df43a84d'; do
	try "$regpin" check "hash:$digits"
	is 1 "is not the beginning of a hash" err || { echo "# '$digits': $status"; bad=1; }
done
ok $bad "anything but 12 to 64 digits is refused"
try "$regpin" check hash:000000000000
is 4 "no policy with this hash is kept in $dir/s" err
ok $? "for a hash of no text the folder is named"
near=${hash:0:12}$(printf '0%.0s' {1..52})
cp "s/$hash" "s/$near"
try "$regpin" check "hash:$short"
is 4 "2 kept policies begin with these digits: .*$hash" err
ok $? "digits that fit several texts are refused, and the texts are listed"
# Only this file: the hash depends on the name of "$dir", and may have a 0 there as well.
rm "s/$near"
REGPIN_STORE=none try "$regpin" check "hash:$short"
is 4 "REGPIN_STORE is none" err
ok $? "without a folder nothing is found"

# --- an attacked text ---

# attacked WHAT PATTERN: the text is refused, and the next start keeps it again
attacked()
{
	try "$regpin" check "hash:$hash"
	is 4 "$2" err
	ok $? "$1 is refused"
	policy=printed.yaml run_once --store "$dir/s"
	try "$regpin" check "hash:$hash"
	is 0 && ! grep -q 'not kept' run.err
	ok $? "after $1 the next start keeps the text again"
}

sed -i 's/SMEP/SMAP/' "s/$hash"
attacked "a changed text" "$hash can't be used: its text is not the one"
sed -i '1s/.*/--- # regpin policy 0 x/' "s/$hash"
attacked "a text with another first line" "its first line is not"
cp "s/$hash" victim
ln -sf "$dir/victim" "s/$hash"
attacked "a symbolic link" "it is not a regular file"
[[ ! -L s/$hash ]] && grep -q 'regpin policy' victim
ok $? "the link was replaced, and its target is as it was"
rm "s/$hash" && mkfifo "s/$hash"
attacked "a FIFO" "it is not a regular file"
truncate -s 1T "s/$hash"
attacked "a huge file" "it is larger than any policy"
chmod 666 "s/$hash"
attacked "a file that others can write" "other users can write it"
rm "s/$hash" && mkdir "s/$hash"
try "$regpin" check "hash:$hash"
is 4 "it is not a regular file" err
ok $? "a folder in the place of a text is refused"
policy=printed.yaml run_once --store "$dir/s"
grep -q "warning: the policy is not kept, .*: $dir/s: Is a directory" run.err
ok $? "the start goes on, and reports that the text could not be kept"
rmdir "s/$hash"

# --- an attacked folder ---

# refused WHAT FOLDER PATTERN: as --store it refuses the start
refused()
{
	try "$regpin" run --policy policy.yaml --no-ctl --store "$2" -- "$fake"
	is 125 "^regpin: the VMM was not started: policies can't be kept in .*$3" err
	ok $? "--store: $1 refuses the start"
}

ln -s "$dir/s" link
refused "a symbolic link" link "symbolic links are not followed"
refused "a file" policy.yaml "it is not a folder"
refused "a folder whose parent is missing" "$dir/no/such" "No such file"
mkdir open && chmod 777 open
refused "a folder that others can write" open "other users can write in it"
for kind in link fifo dir; do
	rm -rf locked
	mkdir locked
	case $kind in
	link) ln -s "$dir/victim" locked/.lock ;;
	fifo) mkfifo locked/.lock ;;
	dir) mkdir locked/.lock ;;
	esac
	refused "a $kind in the place of the lock" locked 'locked: (its lock is not|Is a directory)'
done
if [[ $(id -u) == 0 ]]; then
	mkdir foreign && chown 65534 foreign
	refused "a folder of another user" foreign "it belongs to another user"
	rm -rf locked && mkdir locked
	: >locked/.lock && chown 65534 locked/.lock
	refused "a lock of another user" locked "its lock belongs to another user"
	policy=printed.yaml run_once --store "$dir/s"
	chown 65534 "s/$hash"
	try "$regpin" check "hash:$hash"
	is 4 "it belongs to another user" err
	ok $? "a text of another user is refused"
	rm -f "s/$hash"
	# Root finds what the agents of others have kept, in the folders that bear their numbers.
	for owner in 4711:4711 4712:4711; do
		name=${owner%:*} user=${owner#*:}
		mkdir "s/$name"
		cp printed.yaml "s/$name/$hash"
		chown -R "$user" "s/$name"
		chmod 600 "s/$name/$hash"
		try "$regpin" check "hash:$short"
		if [[ $name == "$user" ]]; then
			is 0
			ok $? "root finds the text in the folder of another user"
			mv "s/$name/$hash" "s/$hash"
			chown 0 "s/$hash"
			: >"s/$name/${hash::12}$(printf '%052d' 0)"
			chown "$user" "s/$name"/*
			try "$regpin" check "hash:$short"
			is 0
			ok $? "another user's file of nearly the same name does not hide root's text"
			rm "s/$name"/*
			mv "s/$hash" "s/$name/$hash"
			chown "$user" "s/$name/$hash"
			chown 4713 "s/$name/$hash"
			try "$regpin" check "hash:$short"
			is 4 "s/4711/$hash can't be used: it belongs to another user" err
			ok $? "a text there that belongs to a third user is refused"
		else
			is 4 "no policy with this hash" err
			ok $? "a folder that does not belong to the user of its number is not used"
		fi
		rm -r "s/$name"
	done
else
	for what in "--store: a folder of another user refuses the start" \
		"--store: a lock of another user refuses the start" "a text of another user is refused" \
		"root finds the text in the folder of another user" \
		"another user's file of nearly the same name does not hide root's text" \
		"a text there that belongs to a third user is refused" \
		"a folder that does not belong to the user of its number is not used"; do
		skip "$what" "not root"
	done
fi

# --- the default folder ---

# as_user COMMAND ..: as a user who is not root
as_user()
{
	if [[ $(id -u) == 0 ]]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}

mkdir home
[[ $(id -u) != 0 ]] || chown 65534 home
as_user sh -c '[ -x "$1" ] && [ ! -e "/var/lib/regpin/policies/$(id -u)" ]' sh "$regpin"
can=$?
# default PATTERN VARIABLE=VALUE ..: a start without --store
default()
{
	as_user env -u REGPIN_STORE -u XDG_STATE_HOME -u HOME "${@:2}" \
		timeout 20 "$regpin" run --policy "$dir/policy.yaml" --no-ctl -- sh -c 'exit 7' >out 2>err </dev/null
	status=$?
	[[ $status == 7 ]] && if [[ $1 ]]; then grep -q -- "$1" err; else ! grep -q 'not kept' err; fi
}

for case in "XDG_STATE_HOME=$dir/home/state home/state/regpin/policies" \
	"HOME=$dir/home home/.local/state/regpin/policies"; do
	read -r variable where <<<"$case"
	what="the default folder is below ${variable%%=*}, and is made with mode 0700"
	if [[ $can == 0 ]]; then
		default '' "$variable" && [[ $(texts "$where" | wc -l) == 1 && $(stat -c %a "$where") == 700 ]]
		ok $? "$what"
	else
		skip "$what" "a user who is not root can't run regpin here"
	fi
done
what="without a folder the start goes on, and prints once why nothing is kept"
if [[ $can == 0 ]]; then
	default "policies are not kept.*neither XDG_STATE_HOME nor HOME" A=b &&
		[[ $(grep -c 'not kept' err) == 1 ]] &&
		default "policies are not kept.*/proc/self/regpin/policies: No such file" XDG_STATE_HOME=/proc/self
	ok $? "$what"
else
	skip "$what" "a user who is not root can't run regpin here"
fi

# --- a base that has changed ---

changes() # the events about it, as "BASE LOOSENS TIGHTENS CHANGES SEVERITY"
{
	jq -r 'select(.event == "base-changed") | "\(.base) \(.loosens) \(.tightens) \(.changes) \(.severity)"' events
}

rm -rf s
run_once --store "$dir/s"
[[ -z $(changes) ]]
ok $? "a first start reports no change of a base"
run_once --store "$dir/s"
[[ -z $(changes) ]]
ok $? "a start with the same texts reports no change"
old=$(sha256sum etc/base.yaml | cut -c 1-64)
REGPIN_STORE='' run_once --store "$dir/t"
cp etc/base.yaml whole.yaml
sed -i '/CR4/,$d' etc/base.yaml
REGPIN_STORE='' run_once --store "$dir/t"
[[ $(changes) == "base 1 0 0 warning" ]]
ok $? "a start compares with the starts of the same --store, whatever REGPIN_STORE is"
what="another user's record of a start is not taken for root's"
if [[ $(id -u) == 0 ]]; then
	mkdir s/4711
	cp s/start-* s/4711/
	sed -i '1s/./x/;3s/./x/' s/4711/start-*
	chown -R 4711 s/4711
	mkdir kept
	mv s/start-* kept/
	run_once --store "$dir/s"
	[[ -z $(changes) ]]
	ok $? "$what"
	rm -r s/4711
	mv kept/start-* s/
else
	skip "$what" "not root"
fi
try "$regpin" check policy.yaml
is 0 "policy.yaml: note: the base base .$dir/etc/base.yaml. has changed since the policy was last started: loosens 1, tightens 0" err
ok $? "check prints that a base has changed"
try "$regpin" check --werror --json policy.yaml
is 0 && jq -e --arg old "$old" '.policies[0].base_changed | .base == "base" and .loosens == 1 and .old_hash == $old' out >/dev/null
ok $? "check --json has it, too, and it does not count for the exit status"
run_once --store "$dir/s"
[[ $(changes) == "base 1 0 0 warning" ]] && grep -q "warning: the base base .* has changed" run.err &&
	[[ $(jq -r 'select(.event == "base-changed") | .old_hash + .new_hash' events) == "$old$(sha256sum etc/base.yaml | cut -c 1-64)" ]]
ok $? "the next start reports a loosened base as a warning, with both hashes"
run_once --store "$dir/s"
[[ -z $(changes) ]]
ok $? "the start after it reports nothing"
printf '  - register: CR4\n    sticky: [SMEP]\n    optional: true\n' >>etc/base.yaml
cd etc || exit 1
policy=../policy.yaml run_once --store "$dir/s"
cd ..
[[ $(changes) == "base 0 1 0 notice" ]]
ok $? "a tightened base is a notice, also if the policy's path is written in another way"
echo '# more' >>etc/base.yaml
echo '# more' >>policy.yaml
run_once --store "$dir/s"
[[ -z $(changes) ]]
ok $? "with a changed policy no base is reported"
echo '# more' >>etc/base.yaml
find s -name '[0-9a-f]*' -type f -delete
run_once --store "$dir/s"
[[ $(changes) == "base null null null warning" ]]
ok $? "without the text of the last start a changed base is a warning without numbers"
mkdir etc2
mv etc/base.yaml etc2/base.yaml
REGPIN_POLICIES=$dir/etc2 run_once --store "$dir/s"
jq -se --arg dir "$dir" '.[] | select(.event == "base-changed") | .old_path == $dir + "/etc/base.yaml" and .path == $dir + "/etc2/base.yaml" and .severity == "notice"' events >/dev/null
ok $? "a base from another folder is reported with both paths"
mv etc2/base.yaml etc/base.yaml
run_once --store "$dir/s"
bad=0
for damage in 'head -c 3000 /dev/urandom' 'head -c 3000 /dev/zero' 'head -c 10M /dev/zero' 'echo' 'printf %s\n a b c d'; do
	echo "# $damage" >>etc/base.yaml
	for record in s/start-*; do
		$damage >"$record"
	done
	run_once --store "$dir/s"
	[[ -z $(changes) && $(cat s/start-* | wc -l) == 3 ]] || { echo "# $damage"; bad=1; }
done
for replace in 's/ base / besa /' '3s/.*/x/' '3d' '3s,/.*,,'; do
	echo "# $replace" >>etc/base.yaml
	sed -i "$replace" s/start-*
	run_once --store "$dir/s"
	[[ -z $(changes) && $(cat s/start-* | wc -l) == 3 ]] || { echo "# $replace"; bad=1; }
done
ok $bad "a damaged record of a start is ignored, and replaced"
echo '# more' >>etc/base.yaml
run_once --store none
[[ -z $(changes) ]]
ok $? "--store none neither keeps nor compares"
events_fit
echo "1..$nr"
exit $failed
