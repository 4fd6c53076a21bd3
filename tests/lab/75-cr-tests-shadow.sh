#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --append kvm_amd.npt=0
# The series' selftest of instructions on AMD without nested paging: its case 24.
exec "$LAB_DIR/../tests/lab/cr-tests.sh" "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")" cr_filter_test
