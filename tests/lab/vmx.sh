# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by scenarios on the host that run another scenario with whole guests in Bochs, on
# Intel VMX: copies everything that it needs to the same paths.
top=$(cd "$LAB_DIR/.." && pwd -P)
build=${REGPIN_BUILD:-$top/build}
# shellcheck source=lab/common.sh
source "$LAB_DIR/common.sh"
lab_load_cache
lab_kernel 6.12

# Haswell has no SMAP.
options=(--kernel debian --mem 1536 --ips 200000000 --cpu broadwell_ult \
	--file "$LAB_CACHE/env:$LAB_CACHE/env" --file "$K_VMLINUZ:$K_VMLINUZ")
for file in lab/inner.sh policies tests/lab; do
	options+=(--file "$top/$file:$top/$file")
done
for file in /usr/share/seabios/bios-256k.bin /usr/share/qemu/{linuxboot_dma,kvmvapic}.bin; do
	[[ -e $file ]] || lab_die "no $file: lab/install lab"
	options+=(--file "$file:$file")
done
for file in /bin/bash "$(command -v jq)" "$(command -v qemu-system-x86_64)" "$build/tool/regpin" \
	"$build/shim/libregpin-shim.so"; do
	options+=(--program "$file")
done

# The guests' CPU and their kernel's command line. With PCIDs the attack that turns paging
# off would have to clear CR4.PCIDE first. On these CPUs Linux also keeps kernel and user
# page tables apart, with user code NX for the kernel, so a jump to it fails, whatever SMEP
# is.
vmx_cpu=host,-vmx,-pcid vmx_append=nopti

# on_vmx NAME SECONDS [OPTION of lab/bochs ..] -- SCENARIO [ARG ..]: its TAP goes to stdout
on_vmx()
{
	local name=$1 seconds=$2 more=()

	shift 2
	while [[ $1 != -- ]]; do
		more+=("$1")
		shift
	done
	shift
	mkdir -p "$LAB_OUT/$name"
	{
		printf 'export PATH=/usr/bin:/bin:/usr/sbin:/sbin %s=%q %s=%q %s=%q %s=%q\n' LAB_DIR "$LAB_DIR" \
			REGPIN_CACHE "$LAB_CACHE" REGPIN_LAB_WORK "$REGPIN_LAB_WORK" REGPIN_BUILD "$build"
		printf 'export INNER_PATIENCE=5 INNER_CPU=%q INNER_APPEND=%q\nmkdir -p /run/out\n/bin/bash' \
			"$vmx_cpu" "$vmx_append"
		printf ' %q' "$top/tests/lab/$1" "${@:2}"
		# No other output of the machine is kept.
		cat <<-'END'

			rc=$?
			[ $rc = 0 ] || for log in /run/out/*; do
				echo "#! ${log##*/}:"
				tail -n 12 "$log" | cut -c1-300 | sed 's/^/#!   /'
			done
			exit $rc
		END
	} >"$LAB_OUT/$name.command"
	"$LAB_DIR/bochs" "${options[@]}" "${more[@]}" --timeout "$seconds" --out "$LAB_OUT/$name" "$LAB_OUT/$name.command"
}
