#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# The series' own selftests on AMD, with nested paging; scenario 74 has the races.
exec "$LAB_DIR/../tests/lab/cr-tests.sh" "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")" cr_filter_test \
	cr_filter_events_test cr_filter_nested_test vmload_msr_filter_test lock_cr_hypercall_test \
	memory_fault_exit_test
