#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Under full traffic, each thing that a relay stands on is taken away and put back:
# the relay, its peer, its interface, its namespace, and the module.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# As much as the machine can do, both ways, without waiting for replies, and again
# when there is a way again.
traffic_on() {
	local node
	for node in pc mt; do
		background "$node" socat -u UDP-RECV:7009 OPEN:/dev/null
	done
	flood pc "$MT4"
	flood mt "$PC4"
}

# shellcheck disable=SC2016 # $0 is for the inner shell
flood() {
	background "$1" sh -c 'while :; do
		socat -u -b 1200 OPEN:/dev/zero "UDP-SENDTO:$0:7009" 2>/dev/null
		sleep 0.1
	done' "$2"
}

received() {
	on "$1" cat /sys/class/net/wg0/statistics/rx_packets
}

more_than() {
	[ "$(received "$1")" -gt "$2" ]
}

flowing() {
	local pc mt
	pc=$(received pc) mt=$(received mt)
	slowwait 20 more_than pc $((pc + 100)) && slowwait 20 more_than mt $((mt + 100))
}

# New handshakes now and not when the ends notice; what they sent in between is lost.
resumed() {
	renew mt wg1 && renew pc wg0 && answers pc "$MT4" 30 && flowing
}

# Asked again and again while packets come, and the relay is changed. With full traffic nwgctl would take seconds.
counters_rise() {
	local pinger n status=0 before
	before=$(relay | jq '.[0].forward.packets')
	background pc ping -q -i 0.002 -s 1000 "$MT4"
	pinger=$!
	for ((n = 0; n < 20; n++)); do
		[ $((n % 5)) -ne 4 ] || nwgctl relay set listen "$RELAY_PORT" max-flows $((4000 + n)) || status=1
		sample
	done >"$CHAIN_DIR/samples"
	kill "$pinger" && wait "$pinger" 2>/dev/null
	[ "$status" -eq 0 ] && [ "$(wc -l <"$CHAIN_DIR/samples")" -eq 20 ] && never_back "$CHAIN_DIR/samples" &&
		[ "$(relay | jq '.[0].forward.packets')" -gt $((before + 100)) ]
}

no_relay() {
	holds 'length == 0' "$(relay)" && holds 'length == 0' "$(flows)"
}

# port_is free|taken: for a program that wants it over one family alone, whichever.
port_is() {
	local found
	found=$(on vps python3 -c "import errno, socket
for family in socket.AF_INET, socket.AF_INET6:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            sock.bind(('', $RELAY_PORT))
            print('free')
        except OSError as error:
            print('taken' if error.errno == errno.EADDRINUSE else error)") || return
	echo "$found"
	[ "$found" = "$1"$'\n'"$1" ]
}

peer_removed() {
	wgtool vps set wg1 peer "$(public mt-wg1)" remove &&
		holds '.[0].peer_present == false' "$(relay)"
}

no_peer() {
	relay | jq '.[0].forward.drops["no-peer"]'
}

no_peer_counted() {
	local before
	before=$(no_peer)
	slowwait 10 no_peer_above $((before + 10))
}

no_peer_above() {
	[ "$(no_peer)" -gt "$1" ]
}

peer_put_back() {
	wgtool vps set wg1 peer "$(public mt-wg1)" allowed-ips 172.16.1.254/32,fd16::254/128 &&
		holds '.[0].peer_present' "$(relay)"
}

vps_gone() {
	! ip -n "$CHAIN-pc" link show vps 2>/dev/null
}

module_removed() {
	rmmod nwg && [ ! -e /sys/module/nwg ] && ! ip link add probe0 type nwg
}

# What is left of the chain on the nodes, if the module was theirs as well.
tunnels_put_back() {
	if [ "$KIND_MT" = nwg ]; then
		wg1_up_mt && wg0_up && client_up pc 2 "$(relay_at)" || return
	fi
	[ "$KIND_VPS" = wireguard ] || wg1_up_vps || return
	forward_up
}

unused() {
	[ "$(</sys/module/nwg/refcnt)" -eq 0 ]
}

removals() {
	check "the pc reaches the mt" answers pc "$MT4" 20
	check "the relay's counters never go back, whenever it is asked or changed" counters_rise
	check "traffic is on" traffic_on
	check "it flows both ways" flowing
	check "the relay's port is taken" port_is taken

	check "the relay is removed" nwgctl relay del listen "$RELAY_PORT"
	check "neither it nor a flow is left" no_relay
	check "its port is free" port_is free
	check "the relay is put back" forward_up
	check "traffic flows" resumed

	check "the peer is removed, and the relay shows that" peer_removed
	check "what comes is counted as having none" no_peer_counted
	check "the peer is put back, the relay has it" peer_put_back
	check "traffic flows" resumed

	check "the interface is removed" ip -n "$CHAIN-vps" link del wg1
	check "neither relay nor flow is left" no_relay
	check "the interface is put back" wg1_up_vps
	check "so is its relay" forward_up
	check "traffic flows" resumed

	check "the namespace is removed" node_down vps
	check "all in it is gone" slowwait 20 vps_gone
	check "it is put back" vps_up
	check "traffic flows" resumed

	check "the module is removed" module_removed
	check "the module is put back" module_comes
	check "so are the tunnels" tunnels_put_back
	check "traffic flows" resumed
	check "the chain is down with traffic on" chain_down
	check "nothing uses the module" unused
}

each_chain 29 removals "$@"
