#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# What 62 and 63 do on SVM, on Intel VMX: stock KVM, in Bochs. Tiger Lake, as it has RDPID
# and SPEC_CTRL; and Haswell, the lab's usual one. The registers are shared out, so that
# none of these machines takes long. docs/replay.md says what this has shown.
set -u
dir=${REGPIN_LAB_WORK:?}/static/tests/live
here=$LAB_DIR/../tests/lab
files=() pids=() rc=0
for name in differs perform model model_rules model_exits replay; do
	files+=(--file "$dir/test_live_$name")
done

# machine NAME "BOCHS OPTIONS" TEST ..: in the background, its output goes to NAME.tap
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
# Here KVM emulates real mode.
machine restricted "--kvm-intel unrestricted_guest=0" "replay SYSENTER_ESP SYSENTER_EIP"
for pid in "${pids[@]}"; do
	status=0
	wait "$pid" || status=$?
	# A test's failure counts more than an emulator's, which gets a second run.
	((rc == 1 || status == 0)) || rc=$status
done
cat "$LAB_OUT"/{tigerlake,haswell,restricted}.tap
exit $rc
