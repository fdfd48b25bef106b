#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwg loaded with drop_in=1: what it does if the stock module is there, what the
# interface looks like to programs, that the kernel loads it by itself, and wg-quick, wg and
# nwgctl at work on it, a relay included.

here=$(dirname "$(realpath "$0")")
. "$here/lib/ktap.sh"
. "$here/lib/drop-in.sh"
NWGCTL=${NWGCTL:-$(realpath -m "$here/../build/nwgctl")}

ktap_need wg wg-quick ip ping jq
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "no module nwg to load anew: run by selftests/run"
modprobe wireguard || ktap_skip_all "no stock module wireguard"
work=$(mktemp -d)
release=$(uname -r)
defer rm -rf "$work"

# nwgctl says why there may be no nwg.
nwgctl_explains() {
	rmmod nwg || return
	! "$NWGCTL" relay show 2>"$work/err" || return
	cat "$work/err"
	grep -q 'modprobe nwg.*drop_in=1.*modprobe -r wireguard' "$work/err"
	local status=$?
	insmod "$NWG_MODULE" && return "$status"
}

# The stock module in the way: refused, said why, and nothing of nwg is left.
in_the_way() {
	rmmod nwg || return
	dmesg -C
	! insmod "$NWG_MODULE" drop_in=1 2>"$work/err" || return
	cat "$work/err"
	grep -q 'Device or resource busy' "$work/err" && dmesg | grep -q 'nwg: drop_in: .*modprobe -r' &&
		[ ! -d /sys/module/nwg ] && ! ip link add n0 type nwg 2>/dev/null &&
		ip link add w0 type wireguard && ip link del w0 && insmod "$NWG_MODULE"
}

# Who asks for kind or family gets nwg, with its option.
example() {
	local directory=$here/../tools/modprobe.d
	[ "$(modprobe -C "$directory" -R rtnl-link-wireguard)" = nwg ] &&
		[ "$(modprobe -C "$directory" -R net-pf-16-proto-16-family-wireguard)" = nwg ] &&
		modprobe -C "$directory" -c | grep -qx 'options nwg drop_in=1'
}

# Who asks the kernel for kind or family gets it loaded, and not the stock module.
loads_by_itself() {
	local tree=$work/tree/lib/modules/$release status
	cp "$here/../tools/modprobe.d/nwg-drop-in.conf" /etc/modprobe.d/ && mkdir -p "$tree" &&
		cp "/lib/modules/$release"/modules.{builtin,builtin.modinfo,order} "$tree" &&
		cp "$(modinfo -n wireguard)" "$NWG_MODULE" "$tree" && depmod -b "$work/tree" "$release" &&
		mount --bind "$tree" "/lib/modules/$release" || return
	loaded_by ip link add w0 type wireguard && ip link del w0 &&
		loaded_by genl ctrl get name wireguard
	status=$?
	umount "/lib/modules/$release"
	rm /etc/modprobe.d/nwg-drop-in.conf
	return "$status"
}

loaded_by() {
	rmmod nwg && "$@" && [ "$(</sys/module/nwg/parameters/drop_in)" = Y ] &&
		[ ! -d /sys/module/wireguard ]
}

stock_stays_out() {
	! modprobe --first-time wireguard 2>"$work/err" || return
	cat "$work/err"
	# Linux 7.2 makes EBUSY of what the stock module says.
	grep -q 'already in kernel\|File exists\|Device or resource busy' "$work/err" && [ ! -d /sys/module/wireguard ]
}

looks_like_it() {
	ip link add w0 type wireguard || return
	[ "$(ip -d -j link show w0 | jq -r '.[0].linkinfo.info_kind')" = wireguard ] &&
		grep -qx DEVTYPE=wireguard /sys/class/net/w0/uevent &&
		[ "$(wg show interfaces)" = w0 ] &&
		[ "$(wg show w0 dump)" = $'(none)\t(none)\t0\toff' ] &&
		[ "$(genl ctrl get name wireguard 2>/dev/null | sed -n 's/.*Version: 0x\([0-9]*\).*/\1/p')" = 1 ]
	local status=$?
	ip link del w0
	return "$status"
}

both_kinds() {
	ip link add w0 type wireguard && ip link add n0 type nwg || return
	[ "$(wg show interfaces)" = w0 ] && [ "$("$NWGCTL" show interfaces | xargs -n 1 | sort | xargs)" = "n0 w0" ]
	local status=$?
	ip link del w0
	ip link del n0
	return "$status"
}

# quick END SUBCOMMAND: wg-quick in a namespace. What is no end is an interface of a.
quick() {
	local end=$1
	[ "$end" = b ] || end=a
	ip netns exec "drop-in-$end" wg-quick "$2" "$work/wg$1.conf"
}

# Two ends. b has default routes, by which it reaches a's addresses, and wg-quick makes some
# that leave only marked packets to them. What comes in by it passes a strict rp_filter for
# its connection's mark.
ends() {
	local end
	for end in a b; do
		ip netns add drop-in-$end && defer ip netns del drop-in-$end &&
			ip -n drop-in-$end link set lo up || return
		(umask 077 && wg genkey >"$work/$end")
	done
	ip link add eth0 netns drop-in-a type veth peer name eth0 netns drop-in-b &&
		ip -n drop-in-a addr add 10.0.0.1/24 dev eth0 && ip -n drop-in-a link set eth0 up &&
		ip -n drop-in-b addr add 10.0.0.2/24 dev eth0 && ip -n drop-in-b link set eth0 up &&
		ip -n drop-in-a addr add fd00::1/64 dev eth0 nodad &&
		ip -n drop-in-b addr add fd00::2/64 dev eth0 nodad &&
		ip -n drop-in-a addr add 192.0.2.1/32 dev lo &&
		ip -n drop-in-a addr add 198.51.100.1/32 dev lo &&
		ip -n drop-in-a addr add 2001:db8::1/128 dev lo &&
		ip -n drop-in-a addr add 2001:db8:1::1/128 dev lo &&
		ip -n drop-in-b route add default via 10.0.0.1 &&
		ip -n drop-in-b route add default via fd00::1 &&
		ip netns exec drop-in-b sysctl -qw net.ipv4.conf.all.rp_filter=1 || return
	(umask 077 && cat >"$work/wga.conf" <<-END && cat >"$work/wgb.conf" <<-END2)
		[Interface]
		PrivateKey = $(<"$work/a")
		ListenPort = 51820
		Address = 10.7.0.1/24, fd07::1/64
		MTU = 1400
		PostUp = echo up >$work/post-up
		[Peer]
		PublicKey = $(wg pubkey <"$work/b")
		AllowedIPs = 10.7.0.2/32, fd07::2/128
	END
		[Interface]
		PrivateKey = $(<"$work/b")
		Address = 10.7.0.2/24, fd07::2/64
		[Peer]
		PublicKey = $(wg pubkey <"$work/a")
		Endpoint = 192.0.2.1:51820
		AllowedIPs = 0.0.0.0/0, ::/0
		PersistentKeepalive = 25
	END2
}

pings() {
	ip netns exec drop-in-b ping -q -c 2 -W 5 "$1"
}

# way ADDRESS DEVICE [MARK]: b sends by this device what is for the address.
way() {
	ip -n drop-in-b route get "$1" ${3:+mark "$3"} | grep "dev $2 "
}

# default_route FAMILY FAR ENDPOINT: what is far goes by the tunnel, whose own packets do not.
default_route() {
	[ "$(ip netns exec drop-in-b wg show wgb fwmark)" = 0xca6c ] &&
		ip -n drop-in-b "$1" rule | grep 'not from all fwmark 0xca6c lookup 51820' &&
		way "$2" wgb && way "$3" wgb && way "$3" eth0 0xca6c && pings "$2"
}

over_ipv6() {
	ip netns exec drop-in-b wg set wgb peer "$(wg pubkey <"$work/a")" \
		endpoint '[2001:db8::1]:51820' && pings 2001:db8:1::1 && pings 198.51.100.1 &&
		ip netns exec drop-in-b wg show wgb endpoints | grep -F '[2001:db8::1]:51820'
}

relay_over_it() {
	ip netns exec drop-in-a "$NWGCTL" relay add dev wga listen 60000 \
		peer "$(wg pubkey <"$work/b")" to 10.7.0.2:60000 &&
		[ "$(ip netns exec drop-in-a "$NWGCTL" -j relay show | jq -r '.[0].ifname')" = wga ] &&
		ip netns exec drop-in-a "$NWGCTL" relay del listen 60000
}

saved() {
	ip netns exec drop-in-a wg set wga peer "$(wg pubkey <"$work/b")" persistent-keepalive 9 &&
		quick a save && grep -qx 'PersistentKeepalive = 9' "$work/wga.conf"
}

synced() {
	local before
	before=$(ip netns exec drop-in-a wg show wga latest-handshakes) &&
		[ "${before##*$'\t'}" -gt 0 ] &&
		ip netns exec drop-in-a wg syncconf wga <(wg-quick strip "$work/wga.conf") &&
		[ "$(ip netns exec drop-in-a wg show wga latest-handshakes)" = "$before" ]
}

hooks() {
	local when
	{
		cat <<-END
			[Interface]
			PrivateKey = $(<"$work/a")
			Address = 10.8.0.1/24
			MTU = 1380
			Table = off
		END
		for when in PreUp PostUp PreDown PostDown; do
			echo "$when = echo $when %i \$(ip -br link show %i 2>/dev/null | wc -l) >>$work/hooks"
		done
		printf '[Peer]\nPublicKey = %s\nAllowedIPs = 198.18.0.0/15\n' "$(wg pubkey <"$work/b")"
	} >"$work/wghooks.conf"
	quick hooks up && [ "$(ip -n drop-in-a -j link show wghooks | jq '.[0].mtu')" = 1380 ] &&
		! ip -n drop-in-a route get 198.18.0.1 && quick hooks down || return
	cat "$work/hooks"
	[ "$(<"$work/hooks")" = "PreUp wghooks 0
PostUp wghooks 1
PreDown wghooks 1
PostDown wghooks 0" ]
}

# Its MTU is that of lo, less 80.
by_loopback() {
	printf '%s\n' '[Interface]' "PrivateKey = $(<"$work/a")" '[Peer]' "PublicKey = $(wg pubkey <"$work/b")" \
		'AllowedIPs = 10.9.0.0/24' 'Endpoint = 127.0.0.1:5000' >"$work/wgproxy.conf"
	quick proxy up && [ "$(ip -n drop-in-a -j link show wgproxy | jq '.[0].mtu')" = 65456 ] &&
		quick proxy down
}

# For want of resolvconf, late in "up".
leaves_nothing() {
	sed -i 's/^Table.*/DNS = 10.8.0.2/' "$work/wghooks.conf"
	! quick hooks up && ! ip -n drop-in-a link show wghooks
}

downs() {
	quick a down && quick b down && ! ip -n drop-in-a link show wga 2>/dev/null &&
		! ip -n drop-in-b rule | grep -q 51820
}

ktap_plan 21
ktap_run "the stock module is in the way: EBUSY, a message, nothing left" in_the_way
ktap_run "nwgctl: without nwg, the stock module may be why" nwgctl_explains
rmmod wireguard || exit 1
drop_in_load || exit 1
ktap_run "the stock module cannot be loaded then" stock_stays_out
ktap_run "the example for modprobe.d" example
loads="loaded by the kernel where kind or family is asked for"
if [ -n "${NWG_VM:-}" ]; then
	ktap_run "$loads" loads_by_itself
else
	ktap_skip "$loads" "would change this machine's modules"
fi
ktap_run "kind, DEVTYPE, family and wg say wireguard" looks_like_it
ktap_run "both kinds side by side: wg sees one, nwgctl both" both_kinds
ends || exit 1
ktap_run "wg-quick up" quick a up
ktap_run "wg-quick up, with a default route" quick b up
ktap_run "an IPv4 echo request is answered" pings 10.7.0.1
ktap_run "an IPv6 echo request is answered" pings fd07::1
ktap_run "the default route goes through it, its own packets do not" \
	default_route -4 198.51.100.1 192.0.2.1
ktap_run "the same over IPv6" default_route -6 2001:db8:1::1 2001:db8::1
ktap_run "the same with an endpoint over IPv6" over_ipv6
ktap_run "nwgctl: a relay over it" relay_over_it
ktap_run "wg-quick save" saved
ktap_run "wg syncconf keeps the session" synced
ktap_run "wg-quick down" downs
ktap_run "wg-quick: hooks, MTU, no routes with Table = off" hooks
ktap_run "wg-quick: an endpoint on this machine" by_loopback
if command -v resolvconf >/dev/null; then
	ktap_skip "wg-quick up that fails leaves no interface" "resolvconf is there, so that it does not"
else
	ktap_run "wg-quick up that fails leaves no interface" leaves_nothing
fi
ktap_end
