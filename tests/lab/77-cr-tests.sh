#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# The series' own selftests on AMD, with nested paging.
exec "$LAB_DIR/../tests/lab/cr-tests.sh" "$(<"${REGPIN_LAB_WORK:?}/cr-tests.dir")"
