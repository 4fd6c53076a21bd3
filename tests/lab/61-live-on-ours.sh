#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --kvm-modules @patched@
# The live tests of what depends on the KVM, on one that has the CR filter and forwards
# hypercall 13: vCPUs that are held, what the operator does, what the guest asks for.
export LIVE_TESTS='hold operate detect'
exec "$LAB_DIR/../tests/lab/60-live-on-svm.sh"
