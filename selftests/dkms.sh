#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# DKMS of one of selftests/kernels' systems, for the kernel there: it adds, builds, installs and removes
# nwg, has the newer of two versions, and keeps the older one if the newer does not build.
#
# usage: dkms.sh SUITE

top=$(realpath "$(dirname "$0")/..")
# shellcheck source=lib/ktap.sh
. "$top/selftests/lib/ktap.sh"

suite=$1
[ "$(id -u)" -eq 0 ] || ktap_skip_all "not root"
# What is done there is for this test only.
if [ -z "${NWG_DKMS:-}" ]; then
	NWG_DKMS=yes exec unshare --mount "$0" "$suite"
fi
root=$(mktemp -d) || exit 1
defer rmdir "$root"
mount -t tmpfs memory "$root" && defer umount "$root" && mkdir "$root"/{upper,work,all} &&
	mount -t overlay -o "lowerdir=$top/build/$suite/kernel,upperdir=$root/upper,workdir=$root/work" \
		overlay "$root/all" && defer umount "$root/all" || exit 1
all=$root/all
release=$(basename "$all"/boot/vmlinuz-*)
release=${release#vmlinuz-}
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/dkms.conf")

inside() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		unshare --pid --mount --fork --mount-proc="$all/proc" chroot "$all" "$@"
}

# source_of VERSION: as the package nwg-dkms has it
source_of() {
	local directory=$all/usr/src/nwg-$1
	mkdir -p "$directory" &&
		tar -C "$top" -c --exclude='*.o' --exclude='.*.cmd' Kbuild LICENSE dkms.conf module uapi |
		tar -C "$directory" -x && sed -i "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$1\"/" "$directory/dkms.conf"
}

step() {
	inside dkms "$@" -k "$release"
}

# has VERSION: installed, and found by modprobe
has() {
	inside dkms status | grep -F "nwg/$1, $release, " | grep ': installed' &&
		[ "$(inside modinfo -k "$release" -F version nwg)" = "$1" ]
}

files() {
	inside find /lib/modules/ /var/lib/dkms -name '*nwg*' -o -path '/lib/modules/*/updates/*'
}

goes_in() {
	inside dkms add "nwg/$1" && step build "nwg/$1" && step install "nwg/$1" && has "$1"
}

comes_out() {
	inside dkms remove "nwg/$1" --all || return
	files
	[ -z "$(inside dkms status nwg)" ] && [ -z "$(files)" ]
}

described() {
	local field
	for field in description author license version srcversion vermagic; do
		[ -n "$(inside modinfo -k "$release" -F "$field" nwg)" ] || { echo "no $field" && return 1; }
	done
	[ "$(inside modinfo -k "$release" -F license nwg)" = GPL ] &&
		inside modinfo -k "$release" -F parm nwg | grep '^drop_in:' &&
		inside modinfo -k "$release" -F alias nwg | grep -x rtnl-link-nwg &&
		inside modinfo -k "$release" -F alias nwg | grep -x net-pf-16-proto-16-family-nwg
}

# unpacked: the module that is installed, in its own place
unpacked() {
	local file
	file=$all$(inside modinfo -k "$release" -n nwg) || return
	case $file in
	*.xz) xz -dc "$file" ;;
	*.zst) zstd -qdc "$file" ;;
	*.gz) gzip -dc "$file" ;;
	*) cat "$file" ;;
	esac >"$root/nwg.ko"
}

stripped() {
	unpacked && readelf -SW "$root/nwg.ko" >"$root/sections" && grep -q ' \.text ' "$root/sections" &&
		! grep -E '\.debug_info' "$root/sections"
}

# With the key that DKMS makes for itself, as there was none.
signed() {
	[ -e "$all/var/lib/dkms/mok.pub" ] && [ -n "$(inside modinfo -k "$release" -F signer nwg)" ] &&
		unpacked && tail -c 28 "$root/nwg.ko" | grep -aq 'Module signature appended'
}

upgraded() {
	source_of 0.0.9 && goes_in 0.0.9 && goes_in "$version"
}

does_not_build() {
	source_of "$version.1" && echo "#error not today" >>"$all/usr/src/nwg-$version.1/module/main.c" &&
		inside dkms add "nwg/$version.1" || return
	! step install "nwg/$version.1" && has "$version"
}

# A kernel that is too old, and one that lacks an option, are left alone, and that is no failure of the others.
left_alone() {
	local build=$all/lib/modules/$1/build
	mkdir -p "$build" && cp "$all/lib/modules/$release/build/.config" "$build" && touch "$build/Makefile" &&
		cp "$build/.config" "$all/boot/config-$1" && sed -i "$2" "$build/.config" "$all/boot/config-$1" || return
	inside dkms build "nwg/$version" -k "$1" >"$root/log" 2>&1 && return 1
	cat "$root/log"
	grep -q BUILD_EXCLUSIVE "$root/log" && ! inside dkms status nwg | grep -F "$1"
}

ktap_plan 12
source_of "$version" || exit 1
ktap_run "$release: added, built, installed" goes_in "$version"
ktap_run "description, version, parameters, aliases" described
ktap_run "stripped" stripped
ktap_run "signed with the system's key" signed
ktap_run "removed: nothing is left" comes_out "$version"
ktap_run "all of it once more" goes_in "$version"
ktap_run "... and removed" comes_out "$version"
ktap_run "upgraded from an older version" upgraded
ktap_run "a version that does not build leaves that in place" does_not_build
ktap_run "Linux 5.10 is not built for" left_alone 5.10.0-1-amd64 ''
ktap_run "a kernel without curve25519 is not built for" left_alone 6.1.0-0-amd64 '/^CONFIG_CRYPTO_LIB_CURVE25519=/d'
ktap_run "what is installed is still there" has "$version"
ktap_diag "dkms status: $(inside dkms status)"
ktap_end
