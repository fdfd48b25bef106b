#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ifupdown and ifupdown-ng: the interface of a VPS, with a relay, as the examples for
# /etc/network/interfaces have it.
#
#    vps ---------------- home
#    192.0.2.1       192.0.2.2
#    172.16.1.1   172.16.1.254    wg1; the home dials

here=$(dirname "$(realpath "$0")")
# shellcheck source=lib/ktap.sh
. "$here/lib/ktap.sh"

top=$(realpath "$here/..")
NWGCTL=${NWGCTL:-$top/build/nwgctl}
examples=$top/tools/ifupdown

# They would take over the networks of this machine.
[ -n "${NWG_VM:-}" ] || ktap_skip_all "not outside the virtual machine"
ktap_need ip jq ping ss

# unpack PACKAGE...: setup leaves them packed.
unpack() {
	local package
	for package; do
		compgen -G "${NWG_CACHE:-}/ifupdown/${package}_*.deb" >/dev/null ||
			ktap_skip_all "no $package: run make setup, and this by selftests/run"
		dpkg-deb --fsys-tarfile "$NWG_CACHE/ifupdown/${package}"_*.deb |
			tar -xC / --keep-directory-symlink || exit 1
	done
	ldconfig
}

on() {
	ip netns exec "ifupdown-$1" "${@:2}"
}

vps() {
	on vps "$@"
}

# Files with keys.
umask 077
work=$(mktemp -d)
defer rm -rf "$work"
key() {
	[ -e "$work/$1" ] || "$NWGCTL" genkey >"$work/$1"
	cat "$work/$1"
}

public() {
	key "$1" | "$NWGCTL" pubkey
}

topology() {
	local node
	for node in vps home; do
		ip netns add "ifupdown-$node" && on "$node" ip link set lo up || return
		defer ip netns del "ifupdown-$node"
	done
	ip link add eth0 netns ifupdown-vps type veth peer name eth0 netns ifupdown-home &&
		on home ip addr add 192.0.2.2/24 dev eth0 && on home ip link set eth0 up
	ln -s "$(realpath "$NWGCTL")" /usr/local/bin/nwgctl
	mkdir "$work/home"
	cat >"$work/home/wg1.conf" <<-CONF
		[Interface]
		PrivateKey = $(key home1)
		Address = 172.16.1.254/24
		[Peer]
		PublicKey = $(public vps)
		Endpoint = 192.0.2.1:60100
		AllowedIPs = 172.16.1.1/32
		PersistentKeepalive = 1
	CONF
	"$NWGCTL" -n ifupdown-home up "$work/home/wg1.conf"
}

# conf FILE [LINE]...: wg1's on the vps, with these lines in [Interface].
conf() {
	mkdir -p "$(dirname "$1")"
	cat >"$1" <<-CONF
		[Interface]
		PrivateKey = $(key vps)
		ListenPort = 60100
		$(printf '%s\n' "${@:2}")
		[Peer]
		PublicKey = $(public home1)
		AllowedIPs = 172.16.1.254/32, 198.51.100.0/24
		[Relay]
		Listen = 60000
		Peer = $(public home1)
		To = 172.16.1.254:60000
		ResponderKey = $(public home0)
	CONF
}

# interfaces LINE...: /etc/network/interfaces of a VPS, and then these lines.
interfaces() {
	mkdir -p /etc/network
	cat >/etc/network/interfaces <<-CONF
		auto lo
		iface lo inet loopback

		auto eth0
		iface eth0 inet static
			address 192.0.2.1/24
			gateway 192.0.2.2

		$(printf '%s\n' "$@")
	CONF
}

answered() {
	slowwait 30 vps ping -c 1 -W 1 172.16.1.254
}

# The kind, an address, a route, and the relay.
is_up() {
	vps ip -d -j addr show wg1 | jq -e '.[0] | .linkinfo.info_kind == "nwg" and (.flags | contains(["UP"])) and
		([.addr_info[] | select(.family == "inet") | .local] == ["172.16.1.1"])' &&
		vps ip route get 198.51.100.1 | grep 'dev wg1' &&
		vps "$NWGCTL" -j relay show | jq -e 'length == 1'
}

is_gone() {
	! vps ip link show wg1 2>/dev/null && [ "$(vps "$NWGCTL" -j relay show)" = "[]" ] &&
		[ -z "$(vps ss -Hlun "sport = :60000 or sport = :60100")" ]
}

eth0_is_up() {
	vps ip -j addr show eth0 | jq -e '.[0].addr_info[] | select(.local == "192.0.2.1")'
}

ups() {
	vps ifup -a && eth0_is_up && is_up && answered
}

downs() {
	vps ifdown wg1 && is_gone && eth0_is_up
}

# Whoever did it.
downs_what_is_gone() {
	vps ifup wg1 && is_up && vps ip link del wg1 && vps ifdown wg1 && is_gone &&
		vps ifup wg1 && is_up && vps ifdown wg1
}

all_downs() {
	vps ifup -a && is_up && vps ifdown -a && is_gone && ! eth0_is_up
}

# says WORDS COMMAND...: on standard error, and there is no wg1 then.
says() {
	vps "${@:2}" >"$work/out" 2>&1
	grep -F -- "$1" "$work/out" && is_gone && return
	cat "$work/out"
	return 1
}

# As the one of ifupdown-ng for WireGuard takes it.
takes_other_directory() {
	rm /etc/nwg/wg1.conf
	conf /etc/wireguard/wg1.conf "Address = 172.16.1.1/24"
	interfaces "auto wg1" "iface wg1" "	use nwg"
	ups && downs && rm /etc/wireguard/wg1.conf
}

takes_path() {
	conf "$work/files/wg1.conf"
	interfaces "auto wg1" "iface wg1" "	nwg-config-path $work/files/wg1.conf" "	requires eth0" \
		"	address 172.16.1.1/24" "	address fd16::1/64"
	ups && vps ip addr show wg1 | grep fd16::1/64 && downs
}

path_has_name() {
	conf "$work/files/home.conf"
	interfaces "iface wg1" "	use nwg" "	nwg-config-path $work/files/home.conf"
	says "has to have the name wg1.conf" ifup wg1
	vps ifdown wg1 >/dev/null 2>&1
	is_gone
}

mocked() {
	interfaces "$(cat "$examples/interfaces-ng")"
	conf /etc/nwg/wg1.conf
	vps ifup -n wg1 && is_gone
}

requires() {
	vps ifup wg1 && eth0_is_up && is_up && downs
}

wrong_file() {
	echo "Nonsense = 1" >>/etc/nwg/wg1.conf
	says "/etc/nwg/wg1.conf:" ifup wg1
	vps ifdown wg1 >/dev/null 2>&1
	conf /etc/nwg/wg1.conf "$@"
	vps ifup wg1 && is_up && vps ifdown wg1 && is_gone
}

topology || exit 1
unpack ifupdown

ktap_plan 15
conf /etc/nwg/wg1.conf "Address = 172.16.1.1/24"
interfaces "$(cat "$examples/interfaces")"
ktap_run "ifupdown: the example: ifup makes wg1 with its relay, and the home answers" ups
ktap_run "ifupdown: ifdown takes it away" downs
ktap_run "ifupdown: ifdown of what somebody else has removed" downs_what_is_gone
ktap_run "ifupdown: a file that is wrong is named, and mended" wrong_file "Address = 172.16.1.1/24"
ktap_run "ifupdown: all up and down" all_downs

unpack libmd0 libbsd0 ifupdown-ng
# What the other one has left of its own.
rm -rf /etc/network/if-*.d /run/network /run/ifstate
install -D -m 755 "$top/packaging/ifupdown-ng/nwg" /usr/libexec/ifupdown-ng/nwg
conf /etc/nwg/wg1.conf
interfaces "$(cat "$examples/interfaces-ng")"
ktap_run "ifupdown-ng: the example: ifup makes wg1 with its relay, and the home answers" ups
ktap_run "ifupdown-ng: ifdown takes it away" downs
ktap_run "ifupdown-ng: ifdown of what somebody else has removed" downs_what_is_gone
ktap_run "ifupdown-ng: a file that is wrong is named, and mended" wrong_file
ktap_run "ifupdown-ng: all up and down" all_downs
ktap_run "ifupdown-ng: what wg1 requires comes up first" requires
ktap_run "ifupdown-ng: --no-act changes nothing" mocked
ktap_run "ifupdown-ng: a file in /etc/wireguard, with the addresses" takes_other_directory
ktap_run "ifupdown-ng: nwg-config-path" takes_path
ktap_run "ifupdown-ng: nwg-config-path to a file of another name" path_has_name
ktap_end
