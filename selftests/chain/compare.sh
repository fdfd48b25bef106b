#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What happens with DNAT and MASQUERADE on the vps, and what with a relay, in the same situations: the
# README's comparison, row by row; and with a hub what the threat model says of it. The name of each
# result has its outcome; where it is not that, the result fails and shows what it was. For a VM with
# virtual time.
#
# usage: compare.sh [baseline|stock|nwg|over]...
#        compare.sh hub

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

FLOOD=300 # initiations every half second
STRANGER=45000

# row SITUATION WITH_DNAT WITH_A_RELAY COMMAND...: the command prints what it comes to.
row() {
	local expected=$2
	[ "$FORWARD" = dnat ] || expected=$3
	outcome "$1" "$expected" "${@:4}"
}

# outcome SITUATION EXPECTED COMMAND...: likewise.
outcome() {
	check "$1: $2" comes_to "$2" "${@:3}"
}

comes_to() {
	local outcome
	outcome=$("${@:2}")
	echo "$outcome"
	[ "$(tail -n 1 <<<"$outcome")" = "$1" ]
}

passes() {
	if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi
}

# A session is made, and nothing sent for so long; then one end sends.
after_quiet() {
	renew pc wg0 && answers pc "$MT4" 20 && skip_idle sleep "$1" && passes answers "$2" "$3" 15
}

# share N OF: in words, as few packets of other kinds may be among them.
share() {
	echo "$1 of $2"
	if [ "$1" -ge $(($2 * 95 / 100)) ]; then
		echo all
	elif [ "$1" -le $(($2 / 50)) ]; then
		echo none
	else
		echo some
	fi
}

# What has come out of the tunnel at the home.
arrived() {
	on mt cat /sys/class/net/wg1/statistics/rx_packets
}

# No length, type or key is right.
junk_arriving() {
	local before sent
	before=$(arrived)
	sent=$(forge pc junk lengths reserved mac1 --source "$STRANGER" | awk '{ sum += $2 } END { print sum }')
	sleep 1
	share $(($(arrived) - before)) "$sent"
}

bursts() {
	grep -c burst "$CHAIN_DIR/flood"
}

more_bursts() {
	[ "$(bursts)" -ge "$1" ]
}

# The forged sources: what is sent to them ends where they are from.
flood_begins() {
	routes vps '198.18.0.0/15 via 192.0.2.2' || return
	background pc python3 "$CHAIN_TOOLS/../device/flood.py" "192.0.2.1:$RELAY_PORT" \
		"$(public "$(wg0_end)-wg0")" "$FLOOD" >"$CHAIN_DIR/flood" 2>&1
	FLOODER=$!
	slowwait 20 grep -qx ready "$CHAIN_DIR/flood" && kill -USR1 "$FLOODER" &&
		slowwait 20 more_bursts 3
}

flood_arriving() {
	local before bursts
	bursts=$(bursts)
	before=$(arrived)
	slowwait 30 more_bursts $((bursts + 4)) || return
	share $(($(arrived) - before)) $((($(bursts) - bursts) * FLOOD))
}

# Of forged sources: what the vps remembers of them.
flood_entries() {
	local entries
	if [ "$FORWARD" = dnat ]; then
		entries=$(on vps conntrack -L 2>/dev/null | grep -c 'src=198\.1[89]\.')
	else
		entries=$(flows | jq 'map(select(.client_address | startswith("198.1"))) | length')
	fi
	echo "$entries"
	# That many strangers are let in before they are asked for a cookie.
	if [ "$entries" -le 64 ]; then
		echo "64 entries at most"
	elif [ "$entries" -ge "$FLOOD" ]; then
		echo "an entry each"
	fi
}

flood_ends() {
	kill -USR2 "$FLOODER" && skip_idle sleep 5 && kill "$FLOODER"
	wait "$FLOODER"
	return 0
}

comes_anew() {
	wgtool pc set wg0 listen-port "$1" && renew pc wg0 && skip_idle passes answers pc "$MT4" "$2"
}

# Another port in mid-session: echo requests every 50 ms.
roams() {
	local before lost pinging
	wgtool pc set wg0 listen-port "$CLIENT_PORT" && renew pc wg0 && answers pc "$MT4" 20 || return
	before=$(handshake_time mt wg0)
	background pc ping -q -i 0.05 -c 60 -W 5 "$MT4" >"$CHAIN_DIR/ping"
	pinging=$!
	sleep 1
	wgtool pc set wg0 listen-port 51999
	wait "$pinging"
	lost=$(sed -n 's/^60 packets transmitted, \([0-9]*\) received.*/\1/p' "$CHAIN_DIR/ping")
	echo "lost $((60 - ${lost:-0}))"
	if [ $((60 - ${lost:-0})) -le 1 ] && [ "$(handshake_time mt wg0)" -eq "$before" ]; then
		echo "loses at most one packet"
	else
		echo "loses more"
	fi
}

# Somebody who has no session with the home, nor has seen one, sends what looks like data.
data_arriving() {
	local before sent
	before=$(arrived)
	sent=$(forge pc transport --source "$STRANGER" --ports 50 | awk '{ print $2 }')
	sleep 1
	share $(($(arrived) - before)) "$sent"
}

# Clients over IPv4, an inner endpoint of IPv6: there is no such rule, and there is such a relay.
mixed_families() {
	if [ "$FORWARD" = dnat ]; then
		passes on vps iptables -t nat -A PREROUTING -p udp --dport 60001 \
			-j DNAT --to-destination "[fd16::254]:$RELAY_PORT"
	else
		outer 4 6 && passes answers pc "$MT4" 20
	fi
}

# Both ends of wg0 with the MTU that they have unless told otherwise: how many of three echo requests are
# answered, and whether there are fragments on the client's line.
too_large() {
	local node answered how=whole
	for node in pc mt; do ip -n "$CHAIN-$node" link set wg0 mtu 1420 || return; done
	capture vps pc "$CHAIN_DIR/line" "ip6[6] == 44 or ip[6:2] & 0x3fff != 0" || return
	answered=$(on "$1" ping -q -c 3 -i 0.2 -W 3 -M 'do' -s $((1420 - 28)) "$2" |
		sed -n 's/.* \([0-9]\) received.*/\1/p')
	capture_end
	[ "$(captured "$CHAIN_DIR/line")" -eq 0 ] || how="in fragments"
	echo "$answered of 3, $how"
}

# What is on the line between vps and home where wg0's MTU is as large as wg1's.
line_of_home() {
	large_traffic >/dev/null || return
	if wg1_alone && whole line; then echo -n "wg1 alone, "; else echo -n "more than wg1, "; fi
	if whole inside >/dev/null; then
		echo "whole"
	elif in_fragments inside; then
		echo "in fragments inside"
	fi
}

# marks_on_vps INTERFACE: of the mt's, where they are found in any case. On the vps all of them pass.
marks_on_vps() {
	local marks pairs
	marked_traffic "$1" >/dev/null || return
	read -r marks pairs < <(traces "$CHAIN_DIR/mt.pcap")
	at_least 50 "$marks" "$pairs" &&
		at_least 100000 "$(bytes_captured "$CHAIN_DIR/vps.pcap" "udp port $DIAL_PORT")" || return
	read -r marks pairs < <(traces "$CHAIN_DIR/vps.pcap")
	echo "$marks, $pairs"
	if [ "$marks" -eq 0 ] && [ "$pairs" -eq 0 ]; then
		echo none
	elif at_least 50 "$marks" "$pairs"; then
		echo all
	fi
}

addresses_seen() {
	answers pc "$MT4" 20 && answers pc2 "$MT4" 20 && answers pc3 "$MT4" 20 || return
	wgtool mt show wg0 endpoints
	wgtool mt show wg0 endpoints | cut -f 2 | sed 's/:[0-9]*$//' | sort -u | wc -l
}

# The home has to know the way back to them.
pool() {
	[ "$FORWARD" = relay ] || return 0
	local node
	nwgctl relay set listen "$RELAY_PORT" source pool 172.16.99.8/29 &&
		wgtool mt set wg1 peer "$(public vps-wg1)" allowed-ips 172.16.1.1/32,fd16::1/128,172.16.99.8/29 &&
		routes mt '172.16.99.8/29 dev wg1' || return
	for node in pc pc2 pc3; do
		wgtool "$node" set wg0 listen-port 51950 && renew "$node" wg0 || return
	done
}

forwards() {
	on vps sysctl -n net.ipv4.ip_forward
}

compare() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	row "ip_forward on the vps" 1 0 forwards
	row "quiet for 200 s, then the home sends: it arrives" no yes after_quiet 200 mt "$PC4"
	row "quiet for 10 minutes, then the home sends: it arrives" no no after_quiet 600 mt "$PC4"
	row "quiet for 10 minutes, then the client sends: it arrives" yes yes after_quiet 600 pc "$MT4"
	row "junk: what gets to the home" all none junk_arriving
	row "data of no session: what gets to the home" all none data_arriving
	check "a flood begins" flood_begins
	row "a flood of initiations, sources forged: what gets to the home" all none flood_arriving
	row "what the vps keeps of it" "an entry each" "64 entries at most" flood_entries
	row "who comes anew meanwhile gets through within two retries" yes yes comes_anew 51901 12
	check "the flood ends" flood_ends
	row "what the vps sees of a mark and inner addresses" none none marks_on_vps wg0
	row "MTU too large: between vps and home" "wg1 alone, in fragments inside" \
		"wg1 alone, in fragments inside" line_of_home
	row "a client roams" "loses at most one packet" "loses at most one packet" roams
	row "MTU too large, IPv4: echoes of the home" "3 of 3, in fragments" "3 of 3, whole" too_large pc "$MT4"
	row "MTU too large, IPv4: echoes of the client" "3 of 3, in fragments" "3 of 3, whole" too_large mt "$PC4"
	check "over IPv6" outer 6
	row "MTU too large, IPv6: echoes of the home" "2 of 3, in fragments" "3 of 3, whole" too_large pc "$MT4"
	row "MTU too large, IPv6: echoes of the client" "3 of 3, in fragments" "3 of 3, whole" too_large mt "$PC4"
	check "over IPv4" outer 4
	row "families mixed: IPv4 outside, IPv6 inside" no yes mixed_families
	check "over IPv4 alone" outer 4
	check "there are two more clients" home_up
	row "three clients: addresses that the home sees" 1 1 addresses_seen
	check "with a pool, where there may be one" pool
	row "addresses that the home sees" 1 3 addresses_seen
}

# In what marks_on_vps has captured.
client_inside() {
	local inside outside
	inside=$(captured "$CHAIN_DIR/mt.pcap" "host $PC4")
	outside=$(captured "$CHAIN_DIR/mt.pcap" 'host 192.0.2.2 or host 2001:db8:2::2')
	echo "$inside packets, and $outside"
	at_least 50 "$inside" && [ "$outside" -eq 0 ] && echo "$PC4 alone"
}

hub() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	outcome "ip_forward on the vps" 1 forwards
	outcome "quiet for 10 minutes, then the home sends: it arrives" yes after_quiet 600 mt "$PC4"
	outcome "junk: what gets to the home" none junk_arriving
	outcome "data of no session: what gets to the home" none data_arriving
	check "a flood begins" flood_begins
	outcome "a flood of initiations, sources forged: what gets to the home" none flood_arriving
	outcome "who comes anew meanwhile gets through within two retries" yes comes_anew 51901 12
	check "the flood ends" flood_ends
	outcome "what the vps sees of a mark and inner addresses" all marks_on_vps wg1
	outcome "the home sees the client at" "10.7.0.2 alone" client_inside
	outcome "between vps and home" "wg1 alone, whole" line_of_home
	check "what is behind the home is reached" answers pc "$LAN6"
}

if [ "$*" = hub ]; then
	each_chain 13 hub hub
else
	[ $# -gt 0 ] || set -- baseline stock
	each_chain 27 compare "$@"
fi
