#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 900
# The model of KVM's MSR filter against the lab's KVM with SVM: 100,000 accesses.
export LIVE_TESTS=model
exec "$LAB_DIR/../tests/lab/60-live-on-svm.sh"
