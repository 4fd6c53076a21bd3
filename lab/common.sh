# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the lab's programs on the host: messages, the cache's place and
# facts, and the building of initramfs images from Debian's kernel modules.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# For modprobe and depmod, which are in sbin.
PATH=$PATH:/usr/sbin:/sbin

# Diagnostics go to stderr with a '#', so that they never disturb TAP on stdout.
lab_say()
{
	printf '# lab: %s\n' "$*" >&2
}

lab_die()
{
	printf '# lab: ERROR: %s\n' "$*" >&2
	exit 1
}

lab_need()
{
	local tool missing=()

	for tool; do
		command -v "$tool" >/dev/null || missing+=("$tool")
	done
	((${#missing[@]} == 0)) ||
		lab_die "missing on this machine: ${missing[*]}; run $lab_dir/install lab"
}

# lab_covered PATH: is PATH in a place where a machine of the lab mounts its own files?
lab_covered()
{
	case $1/ in
	/run/* | /dev/* | /proc/* | /sys/* | /var/tmp/* | /var/run/*) return 0 ;;
	*) return 1 ;;
	esac
}

# lab_place PATH WHAT: refuse a path that a machine of the lab could not have. The path
# becomes a word for make, for shell commands and for QEMU's options.
lab_place()
{
	case $1/ in
	/proc/* | /sys/* | /dev/pts/* | /run/out/* | /run/lab/* | /run/tmp/* | /mods/* | /host/*)
		lab_die "$2 $1 can't be there: the lab's machines have files of their own at that place" ;;
	/run/ | /dev/ | /dev/shm/ | /var/tmp/ | /tmp/ | // | /lab/)
		lab_die "$2 $1 can't be that directory itself, which the lab's machines need: use a directory below it" ;;
	esac
	[[ $1 =~ ^[A-Za-z0-9/._+~-]+$ ]] ||
		lab_die "$2 $1 has a character in its path that make, QEMU or the lab's commands can't handle:" \
			"use letters, digits and any of / . _ + ~ - only"
}

lab_cache_dir()
{
	local dir=${REGPIN_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/regpin}

	[[ $dir == /* ]] || dir=$PWD/$dir
	(lab_place "$dir" "the cache (REGPIN_CACHE)") || return
	printf '%s\n' "$dir"
}

# Load the cache's facts; fill the cache first if anything is missing.
lab_load_cache()
{
	LAB_CACHE=$(lab_cache_dir)
	"$lab_dir/fetch" --quiet
	# shellcheck disable=SC1091 # written by lab/fetch
	source "$LAB_CACHE/env"
}

# lab_kernel 6.1|6.12|trixie|backports|DIR: set K_VERSION, K_VMLINUZ, K_ROOT, K_MODDIR, K_HEADERS,
# for a stock kernel or for one of lab/build-kernel, by its build directory
# shellcheck disable=SC2034 # for the caller
lab_kernel()
{
	local prefix name

	case $1 in
	6.12) prefix=K612 ;;
	6.1) prefix=K61 ;;
	trixie) prefix=KTRIXIE ;;
	backports)
		[[ -n ${KBACKPORTS_VERSION:-} ]] || lab_die "no kernel of Debian's backports in the cache: lab/fetch --backports"
		prefix=KBACKPORTS
		;;
	/*)
		[[ -e $1/.complete ]] || lab_die "no kernel in '$1'; lab/build-kernel makes them"
		K_VERSION=$(<"$1/include/config/kernel.release")
		K_VMLINUZ=$1/arch/x86/boot/bzImage K_ROOT=$1/root K_HEADERS=$1
		K_MODDIR=$K_ROOT/lib/modules/$K_VERSION
		return
		;;
	*) lab_die "unknown kernel '$1': 6.1, 6.12, trixie or backports, or a build directory" ;;
	esac
	for name in VERSION VMLINUZ ROOT MODDIR HEADERS; do
		local from=${prefix}_$name
		declare -g "K_$name=${!from}"
	done
}

# lab_add_modules DESTDIR MODULE...: copy the modules of lab_kernel's kernel
# and their dependencies, decompressed, as DESTDIR/NN-name.ko in load order.
lab_add_modules()
{
	local dest=$1 path name list n=100

	shift
	mkdir -p "$dest"
	# -a takes several modules; '-d' keeps the host's own modules out of it.
	list=$(modprobe -d "$K_ROOT" -S "$K_VERSION" -a --show-depends "$@") ||
		lab_die "modprobe does not find all of '$*' in $K_ROOT"
	while read -r _ path; do
		[[ $path == /* ]] || continue # "builtin NAME"
		name=${path##*/}
		name=${name%.xz}
		name=${name%.zst}
		compgen -G "$dest/*-$name" >/dev/null && continue
		case $path in
		*.xz) xz -dc "$path" ;;
		*.zst) zstd -qdc "$path" ;;
		*) cat "$path" ;;
		esac >"$dest/$n-$name"
		n=$((n + 1))
	done <<<"$list"
}

# lab_cpio DIR: write DIR as a cpio archive to stdout.
lab_cpio()
{
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio --null --quiet -o -H newc -R 0:0)
}

# lab_pack DIR OUT: write DIR as a gzipped cpio archive to OUT, atomically.
lab_pack()
{
	lab_cpio "$1" | gzip -1 >"$2.tmp.$$"
	mv "$2.tmp.$$" "$2"
}

# lab_lock NAME: wait for the lock, and hold it until its descriptor (LAB_LOCK) is closed.
lab_lock()
{
	exec {LAB_LOCK}>"$LAB_CACHE/lock.$1"
	flock -n "$LAB_LOCK" || {
		lab_say "waiting for another build of the $1"
		flock "$LAB_LOCK"
	}
}

lab_unlock()
{
	exec {LAB_LOCK}>&-
}

# Set LAB_TREE to Debian's linux-source-6.12 in the cache, unpacked, without the parts
# that no kernel of the lab needs. It is read-only: build with O=.
lab_tree()
{
	local top=linux-source-6.12

	"$lab_dir/fetch" --source --quiet
	lab_load_cache
	LAB_TREE=$LAB_CACHE/tree-$K612_SOURCE_VERSION
	[[ ! -e $LAB_TREE/.complete ]] || return 0
	lab_need xz tar
	lab_lock tree
	if [[ ! -e $LAB_TREE/.complete ]]; then
		lab_say "unpacking $top $K612_SOURCE_VERSION, half a minute, 0.7 GB"
		rm -rf "$LAB_CACHE"/tree-*
		mkdir "$LAB_TREE"
		tar -C "$LAB_TREE" -I 'xz -T0' -xf "$K612_SOURCE" --strip-components=1 \
			--exclude="$top/arch/[!x]*/*."{c,h,S} --exclude="$top/arch/[!x]*/*.dts*" \
			--exclude="$top/drivers/"{gpu/drm,net/ethernet,net/wireless,media}"/*."{c,h} \
			--exclude="$top/sound/*."{c,h}
		: >"$LAB_TREE/.complete"
	fi
	lab_unlock
}

# lab_busybox DIR: make the skeleton of an initramfs.
lab_busybox()
{
	local bb

	bb=$(command -v busybox) || lab_die "no busybox; run $lab_dir/install lab"
	# A dynamic busybox would die as PID 1: report it before the boot.
	! readelf -lW "$bb" 2>/dev/null | grep -q INTERP ||
		lab_die "$bb is not static; run $lab_dir/install lab (busybox-static)"
	mkdir -p "$1"/{bin,dev,proc,sys,run,tmp,root}
	cp "$bb" "$1/bin/busybox"
	ln -sf busybox "$1/bin/sh"
}

# lab_default_guest 6.1|6.12: the cached initramfs for nested guests; made if it is missing
lab_default_guest()
{
	local key image

	lab_kernel "$1"
	key=$(cat "$lab_dir"/{guest-initrd,common.sh} "$lab_dir/../guest/init" \
		"$(command -v busybox)" <(echo "$K_VERSION") | sha256sum | cut -c1-16)
	image=$LAB_CACHE/guest-$1-$key.gz
	if [[ ! -e $image ]]; then
		rm -f "$LAB_CACHE/guest-$1-"*.gz
		"$lab_dir/guest-initrd" "$image" --kernel "$1"
	fi
	printf '%s\n' "$image"
}
