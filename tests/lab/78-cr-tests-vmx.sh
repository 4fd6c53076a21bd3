#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The series' own selftests on Intel. Not cr_filter_race_test: its threads spin for each
# other, and this machine has one slow CPU. Nor that of VMLOAD, which Intel hasn't got.
dir=$(<"${REGPIN_LAB_WORK:?}/cr-tests.static.dir")
names=(cr_filter_test cr_filter_events_test cr_filter_nested_test lock_cr_hypercall_test)
files=()
for name in "${names[@]}"; do
	files+=(--file "$dir/x86_64/$name:/tests/x86_64/$name")
done
exec "$LAB_DIR/bochs" --timeout 400 --out "$LAB_OUT/vmx" "${files[@]}" \
	"$LAB_DIR/../tests/lab/cr-tests.sh" /tests "${names[@]}"
