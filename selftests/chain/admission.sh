#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What is not WireGuard, or not for the home, ends on the vps without a reply, and is
# counted by reason.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# refused KIND REASON [forge option...]: every one is counted as REASON, and nothing else is.
refused() {
	local kind=$1 reason=$2 before sent
	shift 2
	before=$(relay_counts)
	sent=$(forge pc "$kind" "$@") || return
	slowwait 5 counted "$before" "$sent" 0 "$reason"
	diff <(difference "$before") <(expected "$sent" 0 "$reason")
}

# passed KIND COUNT: every one is sent on.
passed() {
	local before sent
	before=$(relay_counts)
	sent=$(forge pc "$@") || return
	slowwait 5 counted "$before" "$sent" "$sent"
	diff <(difference "$before") <(expected "$sent" "$sent")
}

counted() {
	local before=$1
	shift
	[ "$(difference "$before")" = "$(expected "$@")" ]
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

# expected PACKETS FORWARDED [REASON]
expected() {
	{
		echo "packets $1"
		[ "$2" -eq 0 ] || echo "forwarded $2"
		[ $# -lt 3 ] || echo "$3 $1"
	} | sort
}

watch() {
	capture mt wg1 "$CHAIN_DIR/mt.pcap" "udp dst port $RELAY_PORT" &&
		capture pc vps "$CHAIN_DIR/pc.pcap" 'icmp or icmp6'
}

# seen_at_mt N: of all that was sent, the mt saw these; the last is waited for.
seen_at_mt() {
	slowwait 5 mt_has "$1"
	capture_end
	mt_has "$1"
}

mt_has() {
	[ "$(captured "$CHAIN_DIR/mt.pcap")" -eq "$1" ]
}

no_icmp() {
	[ "$(captured "$CHAIN_DIR/pc.pcap" 'icmp or icmp6[0] < 128')" -eq 0 ]
}

# One source opens 40 flows at once: at most the burst of 5 and 20 per second pass.
flood() {
	local before now sent passed began
	began=$(date +%s%N)
	before=$(relay_counts)
	sent=$(forge pc initiation --ports 40) || return
	now=$(difference "$before")
	passed=$(awk '$1 == "forwarded" { print $2 }' <<<"$now")
	[ "$passed" -ge 5 ] &&
		[ "$passed" -le $((5 + 20 * ($(date +%s%N) - began) / 1000000000 + 1)) ] &&
		diff <(awk '$1 == "rate" { print $2 }' <<<"$now") <(echo $((sent - passed)))
}

known_client() {
	answers pc "$MT4" && ip -n "$CHAIN-pc" link set wg0 down && watch
}

unhurt() {
	ip -n "$CHAIN-pc" link set wg0 up && answers pc "$MT4"
}

refusals() {
	check "$1: wg1 is up" slowwait 20 handshaken vps wg1
	check "$1: mt and pc are watched" watch
	check "$1: junk is refused as shape" refused junk shape
	check "$1: wrong lengths are refused as shape" refused lengths shape
	check "$1: reserved bits are refused as shape" refused reserved shape
	check "$1: a wrong mac1 is refused as mac1" refused mac1 mac1
	check "$1: data of unknown clients is refused as no-flow" refused unknown no-flow
	check "$1: a broken checksum is refused as malformed" refused checksum malformed
	check "$1: an initiation with a right mac1 passes" passed initiation
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: no ICMP error told the sender anything" no_icmp

	check "$1: a client is known" known_client
	check "$1: its junk is refused as shape" refused junk shape --source "$CLIENT_PORT"
	check "$1: its wrong lengths are refused as shape" refused lengths shape --source "$CLIENT_PORT"
	check "$1: its reserved bits are refused as shape" refused reserved shape --source "$CLIENT_PORT"
	check "$1: its wrong mac1 is refused as mac1" refused mac1 mac1 --source "$CLIENT_PORT"
	check "$1: its data passes" passed transport --source "$CLIENT_PORT"
	check "$1: the mt saw that one and nothing else" seen_at_mt 1
	check "$1: no ICMP error told the sender anything" no_icmp
	check "$1: the client's own session is unhurt" unhurt
	check "$1: a flood of initiations is refused as rate" flood
}

admission() {
	refusals v4
	check "the relay moves to v6" outer 6
	refusals v6
}

each_chain 41 admission "$@"
