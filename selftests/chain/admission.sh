#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is not WireGuard, or not for the home, ends on the vps without a reply, and is
# counted by reason.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# forged KIND|OPTION...: send and learn what changes in the relay's counters.
forged() {
	local before
	before=$(relay_counts)
	SENT=$(forge pc "$@") || return
	slowwait 5 all_arrived "$before" "$(sent)"
	CHANGED=$(difference "$before")
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(changed packets)" -eq "$(sent)" ]
}

all_arrived() {
	[ "$(difference "$1" | value_of packets)" -eq "$2" ]
}

# value_of NAME: sum of the counts behind the name in "NAME COUNT" lines, all if none.
value_of() {
	awk -v names=" $* " 'names == "  " || index(names, " " $1 " ") { sum += $2 }
		END { print sum + 0 }'
}

sent() {
	value_of "$@" <<<"$SENT"
}

changed() {
	value_of "$@" <<<"$CHANGED"
}

# counted REASON KIND...: so many were dropped for the reason as were sent of the kinds.
counted() {
	local reason=$1
	shift
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(sent "$@")" -gt 0 ] && [ "$(changed "$reason")" -eq "$(sent "$@")" ]
}

# passed N: N were sent on, and what was dropped makes up the rest.
passed() {
	echo "sent: $SENT; counted: $CHANGED"
	[ "$(changed forwarded)" -eq "$1" ] &&
		[ "$(changed)" -eq $((2 * $(changed packets))) ]
}

# relay_counts: "NAME COUNT" per line: what came, what was sent on, drops by reason.
relay_counts() {
	relay | jq -r '.[0].forward |
		"packets \(.packets)", "forwarded \(.forwarded_packets)",
		(.drops // {} | to_entries[] | "\(.key) \(.value)")'
}

# difference BEFORE: what has been added since, without what has not changed.
difference() {
	awk '
		FNR == NR { count[$1] -= $2; next }
		{ count[$1] += $2 }
		END { for (name in count) if (count[name]) print name, count[name] }
	' <(echo "$1") <(relay_counts) | sort
}

watch() {
	capture mt wg1 "$CHAIN_DIR/mt.pcap" "udp dst port $RELAY_PORT" &&
		capture pc vps "$CHAIN_DIR/pc.pcap" "(icmp or icmp6) and src host $(relay_address)"
}

mt_has() {
	[ "$(captured "$CHAIN_DIR/mt.pcap")" -eq "$1" ]
}

pc_has_echo() {
	[ "$(captured "$CHAIN_DIR/pc.pcap" 'icmp[0] == 0 or icmp6[0] == 129')" -gt 0 ]
}

# seen_at_mt N: of all that was sent, the mt saw these; the last is waited for. What the pc
# would see of an error it sees of an echo.
seen_at_mt() {
	slowwait 5 mt_has "$1"
	answers pc "$(relay_address)" && slowwait 5 pc_has_echo
	capture_end
	mt_has "$1"
}

# Neighbour discovery is not an error: those are below 128. Nor is that echo.
no_icmp() {
	pc_has_echo && [ "$(captured "$CHAIN_DIR/pc.pcap" 'icmp[0] != 0 or icmp6[0] < 128')" -eq 0 ]
}

# The pc's own wg0 is down while its address and port are borrowed.
known_client() {
	answers pc "$MT4" && ip -n "$CHAIN-pc" link set wg0 down && watch
}

unhurt() {
	ip -n "$CHAIN-pc" link set wg0 up && answers pc "$MT4"
}

# One source opens 40 flows at once: the burst of 5 and then 20 per second pass. The others are asked
# for a cookie.
flood() {
	local began=$EPOCHREALTIME most
	forged initiation --ports 40 || return
	most=$((5 + 20 * (${EPOCHREALTIME/[.,]/} - ${began/[.,]/}) / 1000000 + 1))
	echo "at most $most"
	[ "$(changed forwarded)" -ge 5 ] && [ "$(changed forwarded)" -le "$most" ] &&
		passed $((40 - $(changed cookie)))
}

# The pc has not yet sent anything through wg0.
stranger() {
	check "$1: mt and pc are watched" watch
	check "$1: a stranger's datagrams arrive" forged junk lengths reserved mac1 unknown checksum
	check "$1: junk, wrong lengths and reserved bits are shape" counted shape junk lengths reserved
	check "$1: a wrong mac1 is mac1" counted mac1 mac1
	check "$1: all but initiations is no-flow" counted no-flow unknown
	check "$1: a broken checksum is malformed" counted malformed checksum
	check "$1: none was sent on" passed 0
	check "$1: an initiation with a right mac1 arrives" forged initiation
	check "$1: and is sent on" passed 1
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: no ICMP error told the stranger anything" no_icmp
}

client() {
	check "$1: a client is known" known_client
	check "$1: datagrams with its address and port arrive" \
		forged junk lengths reserved mac1 --source "$CLIENT_PORT"
	check "$1: junk, wrong lengths and reserved bits are shape" counted shape junk lengths reserved
	check "$1: a wrong mac1 is mac1" counted mac1 mac1
	check "$1: none was sent on" passed 0
	check "$1: its data arrive" forged transport --source "$CLIENT_PORT"
	check "$1: and are sent on" passed 1
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: no ICMP error told the client anything" no_icmp
	check "$1: the client's own session is unhurt" unhurt
}

admission() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	stranger v4
	check "a flood of initiations is cookie" flood
	check "the relay moves to v6" outer 6
	stranger v6
	client v6
	check "the relay moves to v4" outer 4
	client v4
}

each_chain 46 admission "$@"
