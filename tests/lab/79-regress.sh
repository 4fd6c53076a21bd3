#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# A core set of the kernel's own KVM selftests, on stock KVM and on ours.
exec "$LAB_DIR/../tests/lab/kvm-regress"
