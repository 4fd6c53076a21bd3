#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The series' own selftests on Intel, except that of VMLOAD, which Intel does not have.
dir=$(<"${REGPIN_LAB_WORK:?}/cr-tests.static.dir")
names=(cr_filter_test cr_filter_events_test cr_filter_nested_test
	cr_filter_race_test lock_cr_hypercall_test memory_fault_exit_test)
files=() rc=0
for name in "${names[@]}"; do
	files+=(--file "$dir/x86_64/$name:/tests/x86_64/$name")
done
"$LAB_DIR/bochs" --timeout 400 --out "$LAB_OUT/vmx" "${files[@]}" \
	"$LAB_DIR/../tests/lab/cr-tests.sh" /tests "${names[@]}" || rc=$?
# Case 24 runs without EPT and unrestricted guest. Memory faults differ without EPT.
"$LAB_DIR/bochs" --timeout 400 --out "$LAB_OUT/shadow" "${files[@]}" \
	--kvm-intel "ept=0 unrestricted_guest=0" \
	"$LAB_DIR/../tests/lab/cr-tests.sh" /tests cr_filter_test memory_fault_exit_test || rc=$?
exit $rc
