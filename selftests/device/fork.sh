#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A virtual machine is saved with a session in it, and goes on as a copy, which QEMU tells
# that it is one by another generation id: it must not use the session's keys any more, nor keep them.
# A copy with the same id, which cannot know, is the proof that else it would. That it uses none from
# when it is told on, also while they are still to be erased, is seen where only the number of copies is
# changed, by QEMU's stub for debuggers.
#
# usage: fork.sh [KIND]

here=$(dirname "$(realpath "$0")")
top=$here/../..
. "$here/../lib/ktap.sh"
KIND=${1:-nwg}
NWGCTL=${NWGCTL:-$top/build/nwgctl} NWG_MODULE=${NWG_MODULE:-$top/nwg.ko}
tool=$NWGCTL
[ "$KIND" = nwg ] || tool=wg

ktap_need qemu-system-x86_64 busybox cpio ip modinfo modprobe socat strip "$tool"
[ "$(uname -m)" = x86_64 ] || ktap_skip_all "QEMU has generation ids for x86_64 only"
[ -r "$NWG_MODULE" ] || ktap_skip_all "$NWG_MODULE is missing: run make"
release=$(modinfo -F vermagic "$NWG_MODULE" | cut -d ' ' -f 1)
grep -qx CONFIG_VMGENID=y "/boot/config-$release" ||
	ktap_skip_all "kernel $release knows no generation ids, or only by a module"
ktap_plan 4
work=$(mktemp -d)
defer rm -rf "$work"

# What has files of the host open cannot be saved: the copies have all in memory, which has no room for
# what debuggers want to know.
initramfs() {
	local root=$work/root module file needed
	mkdir -p "$root"/{bin,dev,proc,sys,run,lib64,modules}
	ln -s lib64 "$root/lib"
	cp "$(command -v busybox)" "$(command -v ip)" "$root/bin/" &&
		strip --strip-debug -o "$root/bin/wg" "$(command -v "$tool")" &&
		cp "$here/fork-init" "$root/init" || return
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
		-monitor "unix:$work/$name.monitor,server,wait=off" \
		-gdb "unix:$work/$name.gdb,server,wait=off" "${@:3}" &
	machine=$!
}

# type_in NAME TEXT: on the machine's second serial line; tell NAME COMMAND...: to QEMU.
type_in() {
	echo "$2" | socat - "unix-connect:$work/$1.input"
}

tell() {
	printf '%s\n' "${@:2}" | socat -t 300 - "unix-connect:$work/$1.monitor" >/dev/null
}

# debug NAME PACKET: to the stub, at which the machine stops, and goes on; prints its answers.
debug() {
	local sum=0 i character
	for ((i = 0; i < ${#2}; i++)); do
		printf -v character %d "'${2:i:1}"
		sum=$(((sum + character) % 256))
	done
	# shellcheck disable=SC2016 # these are no variables
	printf '+$%s#%02x+$D#44' "$2" "$sum" | socat -t 10 - "unix-connect:$work/$1.gdb"
}

# copies: where the module counts how often the machine turned out to be a copy.
copies() {
	sed -n 's/^copies \([0-9a-f]*\).*/\1/p' "$work/original.log"
}

counted_once() {
	[ "$KIND" != nwg ] || debug "$1" "m$(copies),4" | grep -qa 01000000
}

# says NAME WORD: on its console, and not if it has ended before that.
says() {
	slowwait 300 said_or_ended "$1" "$2" && grep -qsa "^$2" "$work/$1.log"
}

said_or_ended() {
	grep -qsa "^$2" "$work/$1.log" || ! kill -0 "$machine" 2>/dev/null
}

# The machine with its first session, saved.
save() {
	initramfs || return
	machine original 1
	says original waiting && tell original "migrate \"exec:cat >$work/state\"" quit
	cat "$work/original.log"
	wait "$machine" && [ -s "$work/state" ]
}

# goes_on NAME ID KEYPAIRS COMMAND...: the saved machine with this id, when the command has succeeded:
# what was pinged, and when the latest handshake was, each before and after, how many keypairs were gone
# in between, so many if that can be waited for, and how often the kernel was told of a copy.
goes_on() {
	machine "$1" "$2" -incoming "exec:cat $work/state"
	if ! { says "$1" waiting && "${@:4}" && type_in "$1" "$3" && says "$1" result; }; then
		kill "$machine" 2>/dev/null
	fi
	wait "$machine"
	cat "$work/$1.log"
	# shellcheck disable=SC2034 # read by the caller
	read -r _ pinged first gone again second told < <(grep -a ^result "$work/$1.log" | tr -d '\r')
	[ "$pinged $again" = "answered answered" ] && "$here/../lib/kernel-log" "$work/$1.log"
}

same() {
	goes_on same 1 0 true && [ "$told" -eq 0 ] && [ "$gone" -eq 0 ] && [ "$second" -eq "$first" ]
}

# Both ends have a keypair. The stock module does not erase them.
copied() {
	local keypairs=2
	[ "$KIND" = nwg ] || keypairs=0
	goes_on copy 2 "$keypairs" slowwait 60 counted_once copy && [ "$told" -eq 1 ] &&
		[ "$gone" -eq "$keypairs" ] && [ "$second" -gt "$first" ]
}

refused() {
	goes_on counted 1 0 debug counted "M$(copies),4:01000000" && [ "$told" -eq 0 ] &&
		[ "$gone" -eq 0 ] && [ "$second" -gt "$first" ]
}

ktap_run "a machine with a session is saved" save
ktap_run "it goes on with the same id: the session is used" same
ktap_run "it goes on with another id: the session is gone, and a new one is made" copied
if [ "$KIND" = nwg ]; then
	ktap_run "what is counted as a copy uses no session from before, while it has them" refused
else
	ktap_skip "what is counted as a copy uses no session from before, while it has them" \
		"only nwg counts"
fi
ktap_end
