#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --append kvm_amd.npt=0
# Selftests of the series on AMD without nested paging: that of instructions, for its case
# 24, and that of memory faults.
exec "$LAB_DIR/../tests/lab/cr-tests.sh" "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")" cr_filter_test \
	memory_fault_exit_test
