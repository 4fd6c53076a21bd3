#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: --timeout 500
# linux-strict.yaml on CPUs that Linux handles in other ways than the emulator's own:
# Hygon's, AMD's family 0x10, and Zen 4 (QEMU 7.2 has no Genoa). With KVM, QEMU gives each
# of its models the host's vendor unless vendor= names another.
exec "$LAB_DIR/../tests/lab/strict.sh" \
	"hygon 6.12 Dhyana,vendor=HygonGenuine,-svm HygonGenuine 24 0" \
	"family10 6.1 Opteron_G3,-svm AuthenticAMD 16 2" \
	"zen4 6.12 EPYC-Milan,model=17,-svm AuthenticAMD 25 17"
