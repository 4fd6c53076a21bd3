#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lab: host
# The roads around the CR filter, on Intel with our KVM: closed, or the VMM's duty. Road 34
# makes the kernel warn, as on stock KVM, so it is in 85-roads-vmx-stock.
exec "$LAB_DIR/bochs" --timeout 300 --out "$LAB_OUT/closed" \
	"${REGPIN_LAB_WORK:?}/roads/roads.static" --expect closed --but 34
