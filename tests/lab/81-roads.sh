#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# The roads around the CR filter, on AMD with our KVM: closed, or the VMM's duty.
exec "${REGPIN_LAB_WORK:?}/roads/roads" --expect closed
