#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The tests of 62 and 63, which run on SVM, on Intel VMX: a stock KVM in Bochs. Tiger Lake has
# RDPID and SPEC_CTRL; Haswell is the lab's usual model. The registers are divided among
# several machines, so that none of them takes long. docs/replay.md has the results.
set -u
dir=${REGPIN_LAB_WORK:?}/static/tests/live
here=$LAB_DIR/../tests/lab
files=() pids=() rc=0
for name in differs perform model model_rules model_exits replay; do
	files+=(--file "$dir/test_live_$name")
done

# machine NAME "BOCHS OPTIONS" TEST ..: runs in the background, and writes to NAME.tap
machine()
{
	local name=$1 options

	read -ra options <<<"$2"
	shift 2
	"$LAB_DIR/bochs" --stock --timeout 800 --out "$LAB_OUT/$name" "${options[@]}" "${files[@]}" \
		"$here/live-vmx.sh" "$@" >"$LAB_OUT/$name.tap" &
	pids+=($!)
}

mtrrs=() others=()
while IFS=$'\t' read -r name _ kind _ _ _ _ _ _ replay _; do
	[[ $kind == msr && $replay != no ]] || continue
	if [[ $name == MTRR* ]]; then mtrrs+=("$name"); else others+=("$name"); fi
done < <(grep -v '^#' "$LAB_DIR/../lib/policy/registers.tsv")
machine tigerlake "--cpu tigerlake" differs perform "replay ${others[*]}"
machine haswell "" model_rules model_exits "model 400" "replay ${mtrrs[*]}"
# On this machine KVM emulates real mode.
machine restricted "--kvm-intel unrestricted_guest=0" "replay SYSENTER_ESP SYSENTER_EIP"
for pid in "${pids[@]}"; do
	status=0
	wait "$pid" || status=$?
	# A failed test counts more than a failed emulator, which gets a second run.
	((rc == 1 || status == 0)) || rc=$status
done
cat "$LAB_OUT"/{tigerlake,haswell,restricted}.tap
exit $rc
