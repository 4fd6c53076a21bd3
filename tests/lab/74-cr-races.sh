#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --one-thread
# The series' race test on AMD, with nested paging, four times 15 s. In one thread: with one
# for each CPU the emulator itself loses a guest now and then (lab/README.md).
exec "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")/x86_64/cr_filter_race_test" -d 15
