#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@ --one-thread
# The series' race test on AMD, with nested paging, four times 15 s. The emulator has one
# thread: with one thread for each CPU it sometimes loses a guest itself (lab/README.md).
exec "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")/x86_64/cr_filter_race_test" -d 15
