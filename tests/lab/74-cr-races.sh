#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --one-thread
# The series' race test on AMD, with nested paging. In one thread: with one for each CPU
# the emulator itself loses a guest now and then (lab/README.md).
exec "$LAB_DIR/../tests/lab/cr-tests.sh" "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")" cr_filter_race_test
