#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# NetworkManager on nwg in place of the stock module: a file of wg-quick imported, traffic to
# wireguard-go, settings and peers changed, a default route.
#
# usage: drop-in-networkmanager.sh [KIND]    KIND: nwg, or wireguard for the stock module

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/drop-in.sh"
KIND_A=wireguard KIND_B=go PREFIX=nwg-nm
. "$here/device/device.sh"

NWGCTL=${NWGCTL:-$here/../build/nwgctl}

drop_in_programs "${1:-nwg}"
# Setup leaves its packages unpacked: it would take over the networks of this machine.
if ! command -v NetworkManager >/dev/null; then
	for package in "${NWG_CACHE:-}"/network-manager/*.deb; do
		dpkg-deb --fsys-tarfile "$package" | tar -xC / --keep-directory-symlink ||
			ktap_skip_all "no NetworkManager: run make setup, and this by selftests/run"
	done
	ldconfig
fi
. "$here/device/pair.sh"
OTHER=$(wg genkey | wg pubkey)
(umask 077 && wg genpsk >"$work/psk")

nm() {
	on a nmcli "$@"
}

start() {
	mkdir -p "$work"/{connections,none}
	cat >"$work/nm.conf" <<-END
		[main]
		plugins=keyfile
		auth-polkit=false
		dns=none
		[keyfile]
		path=$work/connections
		[device-other]
		match-device=interface-name:eth*
		managed=0
	END
	# It waits for udev where sysfs can be written to.
	background a bash -c "mount -o remount,bind,ro /sys && exec NetworkManager --no-daemon \
		--config=$work/nm.conf --config-dir=$work/none --intern-config=$work/none.conf" \
		>"$work/log" 2>&1
	pid=$!
	defer stop
	slowwait 60 nm -t general status >/dev/null 2>&1 || {
		tail -n 20 "$work/log"
		return 1
	}
}

stop() {
	kill "$pid" && wait "$pid"
}

# allowed_of_other SEPARATOR: so many that they take several messages.
allowed_of_other() {
	local i
	for i in {1..255}; do
		printf '10.99.%d.0/24\nfd99:%s::/32\n' "$i" "$i"
	done | sort | paste -sd "$1"
}

imports() {
	(umask 077 && cat >"$work/wga.conf") <<-END
		[Interface]
		PrivateKey = $(<"$work/a")
		ListenPort = 51821
		FwMark = 4242
		Address = 10.7.0.1/24, fd07::1/64
		MTU = 1400
		[Peer]
		PublicKey = $B
		PresharedKey = $(<"$work/psk")
		AllowedIPs = 10.7.0.2/32, fd07::2/128
		Endpoint = 10.0.0.2:51822
		PersistentKeepalive = 25
		[Peer]
		PublicKey = $OTHER
		AllowedIPs = $(allowed_of_other ,)
	END
	nm connection import type wireguard file "$work/wga.conf" && comes_up
}

connected() {
	[ "$(nm -t -f GENERAL.TYPE,GENERAL.STATE device show wga)" = \
		$'GENERAL.TYPE:wireguard\nGENERAL.STATE:100 (connected)' ]
}

comes_up() {
	slowwait 60 connected 2>/dev/null && return
	tail -n 20 "$work/log"
	return 1
}

# expected PORT MARK KEEPALIVE [OTHER-ALLOWED]: what wg is to show then.
expected() {
	printf '%s\t%s\t%s\t%s\n' "$(<"$work/a")" "$A" "$1" "$2"
	{
		printf '%s\t%s\t10.0.0.2:51822\t10.7.0.2/32,fd07::2/128\t%s\n' "$B" "$(<"$work/psk")" "$3"
		printf '%s\t(none)\t(none)\t%s\toff\n' "$OTHER" "${4:-$(allowed_of_other ,)}"
	} | sort
}

as_described() {
	drop_in_state wga >"$work/state" && diff <(expected "$@") "$work/state"
}

answered() {
	answers a 10.7.0.2 && answers a fd07::2
}

# mtu_is MTU; the addresses and the routes to what peers may have are there, too.
link_is() {
	ip_on a -d -j address show wga | jq -e ".[0] | .mtu == $1 and
		.linkinfo.info_kind == \"wireguard\" and
		([.addr_info[].local] | contains([\"10.7.0.1\", \"fd07::1\"]))" &&
		ip_on a route get 10.99.3.1 | grep -q 'dev wga'
}

settings() {
	nm connection modify wga wireguard.listen-port 4444 wireguard.fwmark 7 wireguard.mtu 1380 &&
		nm connection up wga && as_described 4444 0x7 25 && link_is 1380 && answered
}

# edit SCRIPT: nmcli itself has no command for them.
edit() {
	sed -i "$1" "$work/connections/wga.nmconnection" &&
		nm connection load "$work/connections/wga.nmconnection"
}

peers() {
	edit 's/^persistent-keepalive=25/persistent-keepalive=9/
		s/^allowed-ips=10.99.*/allowed-ips=10.98.0.0\/16;/' &&
		nm connection up wga && as_described 4444 0x7 9 10.98.0.0/16 && answered
}

# Without the interface going down: the session lives.
reapplies() {
	local before
	before=$(handshake_with "$B")
	nm connection modify wga wireguard.listen-port 5555 && nm device reapply wga &&
		[ "$(on a wg show wga listen-port)" = 5555 ] && [ "$before" -gt 0 ] &&
		[ "$(handshake_with "$B")" = "$before" ] && answered
}

has_relay() {
	[ "$(on a "$NWGCTL" -j relay show | jq -c '[.[].peer]')" = "[\"$B\"]" ]
}

# For which it knows no setting; it ends with the interface only.
relay_lives() {
	on a "$NWGCTL" relay add dev wga listen 60000 peer "$B" to 10.7.0.2:60000 && has_relay &&
		nm connection modify wga wireguard.listen-port 4444 && nm device reapply wga && has_relay &&
		nm connection up wga && answered && has_relay && on a "$NWGCTL" relay del listen 60000
}

# By a rule and a mark that it chooses.
default_route() {
	edit 's/^allowed-ips=10.7.*/allowed-ips=0.0.0.0\/0;::\/0;/' &&
		nm connection modify wga wireguard.fwmark 0 && nm connection up wga &&
		[ "$(on a wg show wga fwmark)" != off ] &&
		ip_on a route get 198.51.100.1 | grep 'dev wga' && answered
}

link_is_gone() {
	! ip_on a link show wga 2>/dev/null
}

downs() {
	nm connection down wga && slowwait 10 link_is_gone && ! ip_on a rule | grep -i fwmark
}

topology_up || exit 1
device_up b "$A" preshared-key "$work/psk" || exit 1
start || exit 1

ktap_plan 10
ktap_run "import makes an interface" imports
ktap_run "keys, port, mark, peers and their allowed IPs as in the file" as_described 51821 0x1092 25
ktap_run "MTU, addresses and routes as in the file" link_is 1400
ktap_run "an IPv4 and an IPv6 echo request are answered" answered
ktap_run "another port, mark and MTU" settings
ktap_run "other peers" peers
ktap_run "reapply keeps the session" reapplies
ktap_run "a relay lives on over reapply and up" relay_lives
ktap_run "a default route" default_route
ktap_run "down" downs
ktap_end
