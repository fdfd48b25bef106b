#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# systemd-networkd on nwg in place of the stock module: an interface as .netdev and .network
# describe it, traffic to wireguard-go, and what a reload and a restart change.
#
# usage: drop-in-networkd.sh [KIND]    KIND: nwg, or wireguard for the stock module

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/drop-in.sh"
KIND_A=wireguard KIND_B=go PREFIX=nwg-networkd
. "$here/device/device.sh"
networkd=/lib/systemd/systemd-networkd
files=/run/systemd/network

NWGCTL=${NWGCTL:-$here/../build/nwgctl}

drop_in_programs "${1:-nwg}"
[ -x "$networkd" ] || ktap_skip_all "$networkd is missing"
ktap_need networkctl
. "$here/device/pair.sh"
(umask 077 && wg genpsk >"$work/psk")

start() {
	# It waits for udev where sysfs can be written to.
	background a bash -c "mount -o remount,bind,ro /sys && exec $networkd" >"$work/log" 2>&1
	echo $! >"$work/pid"
}

stop() {
	local pid
	pid=$(<"$work/pid")
	kill "$pid" && slowwait 10 eval "! kill -0 $pid 2>/dev/null"
}

# Of more peers, so many that they take several messages.
others=({1..100})
other_key() {
	printf '%042d0=' "$1"
}

# configure KEEPALIVE: write what describes the interface.
configure() {
	local i
	mkdir -p "$files"
	cat >"$files"/0-eth.network <<-'END'
		[Match]
		Name=eth*
		[Link]
		Unmanaged=yes
	END
	cat >"$files"/wga.netdev <<-END
		[NetDev]
		Name=wga
		Kind=wireguard
		MTUBytes=1400
		[WireGuard]
		PrivateKey=$(<"$work/a")
		ListenPort=51821
		FirewallMark=4242
		RouteTable=1234
		[WireGuardPeer]
		PublicKey=$B
		PresharedKey=$(<"$work/psk")
		AllowedIPs=10.7.0.2/32,fd07::2/128
		Endpoint=10.0.0.2:51822
		PersistentKeepalive=$1
		$(for i in "${others[@]}"; do
			printf '[WireGuardPeer]\nPublicKey=%s\n' "$(other_key "$i")"
			echo "AllowedIPs=10.99.$i.0/24,fd99:$i::/32"
		done)
	END
	cat >"$files"/wga.network <<-'END'
		[Match]
		Name=wga
		[Network]
		Address=10.7.0.1/24
		Address=fd07::1/64
		[RoutingPolicyRule]
		FirewallMark=4242
		InvertRule=yes
		Table=1234
		Family=both
	END
	chgrp -R systemd-network "$files" && chmod 640 "$files"/*.netdev
}

# expected KEEPALIVE: what wg is to show then.
expected() {
	local i
	printf '%s\t%s\t51821\t0x1092\n' "$(<"$work/a")" "$A"
	{
		printf '%s\t%s\t10.0.0.2:51822\t10.7.0.2/32,fd07::2/128\t%s\n' "$B" "$(<"$work/psk")" "$1"
		for i in "${others[@]}"; do
			printf '%s\t(none)\t(none)\t%s\toff\n' "$(other_key "$i")" \
				"10.99.$i.0/24,fd99:$i::/32"
		done
	} | sort
}

configured() {
	[[ $(on a networkctl --no-legend list "$1" 2>&1) == *" $1 "*"wireguard routable configured"* ]]
}

comes_up() {
	slowwait 60 configured "$1" && return
	on a networkctl --no-legend list
	cat "$work/log"
	return 1
}

as_described() {
	drop_in_state wga >"$work/state" && diff <(expected "$1") "$work/state"
}

link_as_described() {
	ip_on a -d -j link show wga |
		jq -e '.[0] | .mtu == 1400 and .linkinfo.info_kind == "wireguard"'
}

# routed TO DEVICE [MARK]
routed() {
	[[ $(ip_on a route get "$1" ${3:+mark "$3"} 2>&1) == *"dev $2 "* ]]
}

# To what a peer may have by the table, but not what is sent to the peer.
routes() {
	[ "$(ip_on a -4 route show table 1234 dev wga | wc -l)" -eq 101 ] &&
		[ "$(ip_on a -6 route show table 1234 dev wga | wc -l)" -eq 101 ] &&
		routed 10.99.3.1 wga && routed fd99:3::1 wga && ! routed 10.99.3.1 wga 4242
}

has_address() {
	ip_on a address show wga | grep -F " $1/"
}

# A .netdev that is new and a .network that has changed: wga goes on as it is.
reloads() {
	local before
	before=$(handshake_with "$B")
	cat >"$files"/wgx.netdev <<-END
		[NetDev]
		Name=wgx
		Kind=wireguard
		[WireGuard]
		PrivateKey=$(<"$work/b")
		ListenPort=auto
	END
	sed -i 's/^Address=10.7.0.1/Address=10.7.0.9\/24\n&/' "$files"/wga.network
	chgrp -R systemd-network "$files" && chmod 640 "$files"/*.netdev
	on a networkctl reload && slowwait 30 on a wg show wgx public-key >"$work/key" &&
		[ "$(<"$work/key")" = "$B" ] && slowwait 30 has_address 10.7.0.9 && comes_up wga &&
		as_described 25 && [ "$before" -gt 0 ] && [ "$(handshake_with "$B")" = "$before" ]
}

restarts() {
	stop
	configure 9
	start
	comes_up wga && as_described 9 && answers a 10.7.0.2
}

has_relay() {
	[ "$(on a "$NWGCTL" -j relay show | jq -c '[.[].peer]')" = "[\"$B\"]" ]
}

# Which takes all peers away for a moment, and gives them back.
relay_lives() {
	on a "$NWGCTL" relay add dev wga listen 60000 peer "$B" to 10.7.0.2:60000 && has_relay &&
		on a networkctl reload && has_relay || return
	stop
	start
	comes_up wga && answers a 10.7.0.2 && has_relay
}

answered() {
	answers a 10.7.0.2 && answers a fd07::2
}

deletes() {
	on a networkctl delete wga && ! ip_on a link show wga
}

topology_up || exit 1
device_up b "$A" preshared-key "$work/psk" || exit 1
configure 25
install -d -o systemd-network -g systemd-network /run/systemd/netif{,/links,/leases}
start
defer stop

ktap_plan 9
ktap_run "networkd makes an interface" comes_up wga
ktap_run "keys, port, mark, peers and their allowed IPs as described" as_described 25
ktap_run "MTU and kind as described" link_as_described
ktap_run "an IPv4 and an IPv6 echo request are answered" answered
ktap_run "routes in a table of their own, by the mark" routes
ktap_run "reload: a new interface; the other keeps its session" reloads
ktap_run "restart: a changed peer" restarts
ktap_run "a relay lives on over reload and restart" relay_lives
ktap_run "networkctl delete" deletes
ktap_end
