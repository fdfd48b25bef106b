#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A virtual machine is saved with a session in it, and goes on as a copy, which QEMU tells
# that it is one by another generation id: it must not use the session's keys any more.
# A copy with the same id, which cannot know, is the proof that else it would.
#
# usage: fork.sh [KIND]

here=$(dirname "$(realpath "$0")")
top=$here/../..
. "$here/../lib/ktap.sh"
KIND=${1:-nwg}
NWGCTL=${NWGCTL:-$top/build/nwgctl} NWG_MODULE=${NWG_MODULE:-$top/nwg.ko}
tool=$NWGCTL
[ "$KIND" = nwg ] || tool=wg

ktap_need qemu-system-x86_64 busybox cpio ip modinfo modprobe socat "$tool"
[ "$(uname -m)" = x86_64 ] || ktap_skip_all "QEMU has generation ids for x86_64 only"
[ -r "$NWG_MODULE" ] || ktap_skip_all "$NWG_MODULE is missing: run make"
release=$(modinfo -F vermagic "$NWG_MODULE" | cut -d ' ' -f 1)
grep -qx CONFIG_VMGENID=y "/boot/config-$release" ||
	ktap_skip_all "kernel $release knows no generation ids, or only by a module"
ktap_plan 3
work=$(mktemp -d)
defer rm -rf "$work"

# What has files of the host open cannot be saved: the copies have all in memory.
initramfs() {
	local root=$work/root module file needed
	mkdir -p "$root"/{bin,dev,proc,sys,run,lib64,modules}
	ln -s lib64 "$root/lib"
	cp "$(command -v busybox)" "$(command -v ip)" "$root/bin/" &&
		cp "$(command -v "$tool")" "$root/bin/wg" && cp "$here/fork-init" "$root/init" || return
	ldd "$root/bin/ip" "$root/bin/wg" | grep -o '/[^ ]*\.so[^ ]*' | sort -u |
		xargs cp -Lt "$root/lib64" || return
	IFS=, read -ra needed < <(modinfo -F depends "$NWG_MODULE")
	for module in veth wireguard "${needed[@]}"; do
		modprobe -S "$release" --show-depends "$module" || return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$work/modules"
	while read -r file; do
		cp "$file" "$root/modules/" && basename "$file" || return
	done < <(cat "$work/modules" && echo "$NWG_MODULE") >"$root/modules/order"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$work/initramfs"
}

# machine NAME ID [OPTION]...: start one. Its console is $work/NAME.log.
machine() {
	local name=$1
	timeout --foreground 600 qemu-system-x86_64 -machine q35 -accel tcg -cpu max -m 256M \
		-no-user-config -nodefaults -no-reboot -display none \
		-kernel "/boot/vmlinuz-$release" -initrd "$work/initramfs" \
		-append "console=ttyS0 panic=-1 oops=panic mitigations=off net.ifnames=0 KIND=$KIND" \
		-device "vmgenid,guid=00000000-0000-4000-8000-00000000000$2" \
		-serial "file:$work/$name.log" -serial "unix:$work/$name.input,server,wait=off" \
		-monitor "unix:$work/$name.monitor,server,wait=off" "${@:3}" &
	machine=$!
}

# type_in NAME TEXT: on the machine's second serial line; tell NAME COMMAND...: to QEMU.
type_in() {
	echo "$2" | socat - "unix-connect:$work/$1.input"
}

tell() {
	printf '%s\n' "${@:2}" | socat -t 300 - "unix-connect:$work/$1.monitor" >/dev/null
}

says() {
	slowwait 300 grep -qsa "^$2" "$work/$1.log"
}

# The machine with its first session, saved.
save() {
	initramfs || return
	machine original 1
	says original waiting && tell original "migrate \"exec:cat >$work/state\"" quit
	cat "$work/original.log"
	wait "$machine" && [ -s "$work/state" ]
}

# goes_on NAME ID: the saved machine with this id: what was pinged, and when the latest
# handshake was, each before and after, and how often the kernel was told of a copy.
goes_on() {
	machine "$1" "$2" -incoming "exec:cat $work/state"
	says "$1" waiting && type_in "$1" go && says "$1" result
	wait "$machine"
	cat "$work/$1.log"
	# shellcheck disable=SC2034 # read by the caller
	read -r _ pinged first again second told < <(grep -a ^result "$work/$1.log" | tr -d '\r')
	[ "$pinged $again" = "answered answered" ] && "$here/../lib/kernel-log" "$work/$1.log"
}

same() {
	goes_on same 1 && [ "$told" -eq 0 ] && [ "$second" -eq "$first" ]
}

copied() {
	goes_on copy 2 && [ "$told" -eq 1 ] && [ "$second" -gt "$first" ]
}

ktap_run "a machine with a session is saved" save
ktap_run "it goes on with the same id: the session is used" same
ktap_run "it goes on with another id: a new session is made" copied
ktap_end
