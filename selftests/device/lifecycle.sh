#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Against a real peer: the link goes down and up, keys come late and change, and what
# that does to sessions.
#
# usage: lifecycle.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need nft jq socat
ktap_plan 16

# What comes to b from a by the wire: initiations and transport messages.
watch_wire() {
	on b nft -f - <<-'END'
		table ip watch {
			counter initiations { }
			counter transports { }
			chain first {
				type filter hook prerouting priority raw;
				ip saddr != 10.0.0.1 accept
				udp dport 51822 @th,64,8 1 counter name initiations
				udp dport 51822 @th,64,8 4 counter name transports
			}
		}
	END
}

# sent initiations|transports: since the last forget.
sent() {
	on b nft -j list counter ip watch "$1" | jq '.nftables[1].counter.packets'
}

sent_are() {
	local initiations transports
	initiations=$(sent initiations) transports=$(sent transports)
	echo "$initiations initiations, $transports transport messages"
	[ "$initiations" -eq "$1" ] && [ "$transports" -eq "$2" ]
}

# only_sent INITIATIONS TRANSPORTS: so many come, and then no more.
only_sent() {
	slowwait 5 sent_are "$@" && sleep 1 && sent_are "$@"
}

forget() {
	on b nft reset counters table ip watch >/dev/null
}

pair_anew() {
	neither_up && device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" && forget
}

port_taken() {
	local other status=0
	ip_on a link set wga down
	background a socat -u UDP-RECV:51821 /dev/null
	other=$!
	slowwait 10 listening a udp 51821 && ! ip_on a link set wga up || status=1
	ip_on a -j link show wga | jq -e '.[0].flags | contains(["UP"]) | not' || status=1
	kill "$other"
	wait "$other"
	[ "$KIND_A" != nwg ] || dmesg | grep "nwg: wga: Not up.* port 51821.*ss -ulpn" || status=1
	ip_on a link set wga up && answers a 10.7.0.2 && return "$status"
}

down_up() {
	ip_on a link set wga down && ip_on a link set wga up
}

set_peer() {
	wg_on a set wga peer "$B" "$@"
}

set_key() {
	wg_on a set wga private-key "$1"
}

# After down and up a does not know the session that b goes on with.
wiped() {
	pair_anew && answers a 10.7.0.2 && answers b 10.7.0.1 && down_up && ! answers b 10.7.0.1 3
}

new_session() {
	forget
	answers a 10.7.0.2 && [ "$(sent initiations)" -eq 1 ] && answers b 10.7.0.1
}

# An initiation, and the keepalive that confirms the session.
keepalive_at_up() {
	pair_anew && set_peer persistent-keepalive 600 && only_sent 1 1 || return
	ip_on a link set wga down && forget && sleep 1 && sent_are 0 0 &&
		ip_on a link set wga up && only_sent 1 1
}

without_key() {
	pair_anew && set_key /dev/null && set_peer persistent-keepalive 600 && down_up && sleep 2 &&
		sent_are 0 0
}

key_comes() {
	set_key "$work/a" && only_sent 1 1 && handshaken a && handshaken b
}

# b does not know the new key. What it goes on to send on the session is not for a.
key_replaced() {
	pair_anew && answers a 10.7.0.2 && answers b 10.7.0.1 && forget && set_key "$work/new" &&
		! answers b 10.7.0.1 2 && ! answers a 10.7.0.2 2 &&
		[ "$(sent transports)" -eq 0 ] && [ "$(sent initiations)" -ge 1 ]
}

key_known() {
	wg_on b set wgb peer "$A" remove peer "$(<"$work/new.public")" \
		allowed-ips 10.7.0.1/32,fd07::1/128 && answers a 10.7.0.2
}

no_peers() {
	local peers
	peers=$(wg_on a show wga peers) && [ -z "$peers" ]
}

# The peer has to go when its own key comes.
own_key() {
	pair_anew && answers a 10.7.0.2 && forget && set_key "$work/b" &&
		no_peers && ! answers a 10.7.0.2 2 && sent_are 0 0
}

own_key_first() {
	set_peer endpoint 10.0.0.2:51822 allowed-ips 10.7.0.2/32 && no_peers
}

own_key_last() {
	set_key "$work/a" && set_peer endpoint 10.0.0.2:51822 allowed-ips 10.7.0.2/32 &&
		answers a 10.7.0.2
}

# A preshared key is for the next handshake.
preshared_goes_on() {
	pair_anew && answers a 10.7.0.2 && forget && set_peer preshared-key "$work/psk" &&
		answers a 10.7.0.2 && answers b 10.7.0.1 && [ "$(sent initiations)" -eq 0 ]
}

preshared_at_one_end() {
	down_up && ! answers a 10.7.0.2 2 && [ "$(sent initiations)" -ge 1 ]
}

preshared_at_both() {
	wg_on b set wgb peer "$A" preshared-key "$work/psk" && answers a 10.7.0.2 &&
		answers b 10.7.0.1
}

preshared_removed() {
	set_peer preshared-key /dev/null && down_up && ! answers a 10.7.0.2 2 &&
		wg_on b set wgb peer "$A" preshared-key /dev/null && answers a 10.7.0.2
}

# b refuses an initiation that is not later than the last one by the sender's clock.
clock_set_back() {
	local status
	pair_anew && answers a 10.7.0.2 && date -s "@$(($(date +%s) - 3600))" && down_up &&
		answers a 10.7.0.2 5
	status=$?
	date -s "@$(($(date +%s) + 3600))" && return "$status"
}

topology_up || exit 1
watch_wire || exit 1
(umask 077 && wg genkey >"$work/new" && wg genpsk >"$work/psk")
wg pubkey <"$work/new" >"$work/new.public"

ktap_run "link down, up: the session is forgotten" wiped
ktap_run "the next packet makes a new one" new_session
ktap_run "while another has the port it stays down, and the log says why" port_taken
ktap_run "a persistent keepalive is sent when it is set, and when the link comes up" keepalive_at_up
ktap_run "without a private key nothing is sent" without_key
ktap_run "when it comes, the keepalive is sent" key_comes
ktap_run "a new private key ends the session at once" key_replaced
ktap_run "when the peer knows it, traffic flows" key_known
ktap_run "the peer's own private key removes the peer" own_key
ktap_run "it is not kept either when it comes later" own_key_first
ktap_run "with the old key it is, and traffic flows" own_key_last
ktap_run "a preshared key leaves the session alone" preshared_goes_on
ktap_run "at one end alone it prevents the next one" preshared_at_one_end
ktap_run "at both ends it does not" preshared_at_both
ktap_run "so it is when it is removed" preshared_removed
if [ -n "${NWG_VM:-}" ]; then
	better "a clock that is set back stops no handshake" clock_set_back
else
	ktap_skip "a clock that is set back stops no handshake" "it would be this machine's clock"
fi
ktap_end
