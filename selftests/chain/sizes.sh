#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Datagrams of 1 to 65,507 bytes through the relay, both ways and over either family: what is no
# message is dropped, all else passes whole, and the counters say so to the byte.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# All of the small ones, those about the MTUs of the link and of the tunnel and of fragments, and the
# largest that IPv4 has. Below 32 bytes there is no message.
sizes() {
	seq 1 70
	seq 1320 1480
	seq 2700 16 2860
	printf '%s\n' 4096 8192 9000 16384 32767 32768 65000
	seq 65490 65507
}

# IPv6 has some more, which IPv4 cannot carry.
too_large() {
	if [ "$OUTER" != "$INNER" ]; then seq 65508 65527; fi
}

pc_address() {
	if [ "$OUTER" = 6 ]; then echo 2001:db8:2::2; else echo 192.0.2.2; fi
}

# Nothing but what the test sends: no keepalives.
quiet() {
	wgtool pc set wg0 peer "$(public mt-wg0)" persistent-keepalive 0 &&
		answers pc "$MT4" 20 && skip_idle sleep 11
}

# counted DIRECTION: packets, bytes, those sent on, drops for shape and family, and all drops.
counted() {
	relay | jq -r ".[0].$1 | \"\(.packets) \(.bytes) \(.forwarded_packets) \(.forwarded_bytes) \(
		.drops.shape // 0) \(.drops.family // 0) \(.drops | add // 0)\""
}

all_there() {
	[ "$(grep -cv ready "$CHAIN_DIR/got")" -ge "$1" ]
}

# sum: of numbers, one a line.
sum() {
	awk '{ sum += $1 } END { print sum + 0 }'
}

# pass DIRECTION FROM ADDRESS PORT VIA VIA_PORT TO ADDRESS PORT: from the first address to where the
# relay is for it, and on to the last; SENT sizes of which OTHERS cannot be carried.
pass() {
	local direction=$1 from=$2 source=$3 source_port=$4 via=$5 via_port=$6 to=$7 address=$8 port=$9
	local sent others receiver before after status=0
	sent=$(sizes)
	# Only a sender over IPv6 has sizes that IPv4 has not.
	others=$([[ $source != *:* ]] || too_large)
	before=$(counted "$direction")
	background "$to" python3 "$CHAIN_TOOLS/sizes.py" receive "$address" "$port" >"$CHAIN_DIR/got"
	receiver=$!
	# shellcheck disable=SC2086 # many words
	slowwait 20 grep -q ready "$CHAIN_DIR/got" &&
		on "$from" python3 "$CHAIN_TOOLS/sizes.py" send "$source" "$source_port" "$via" "$via_port" \
			$sent $others &&
		slowwait 20 all_there "$(awk '$1 >= 32' <<<"$sent" | wc -l)" || status=1
	kill "$receiver" && wait "$receiver"
	after=$(counted "$direction")
	diff <(awk '$1 >= 32' <<<"$sent" | sort -n) <(grep -v ready "$CHAIN_DIR/got" | sort -n) || status=1
	as_counted "$sent" "$others" "$before" "$after" && return "$status"
}

# as_counted SENT OTHERS BEFORE AFTER: what has been added is what was sent, each size in its place.
as_counted() {
	local all small large expected=() was is i
	all=$(printf '%s\n' "$1" "$2" | grep .)
	small=$(awk '$1 < 32' <<<"$1")
	large=$(awk '$1 >= 32' <<<"$1")
	expected=("$(wc -l <<<"$all")" "$(sum <<<"$all")" "$(wc -l <<<"$large")" "$(sum <<<"$large")"
		"$(wc -l <<<"$small")" "$(grep -c . <<<"$2")")
	expected+=($((expected[4] + expected[5])))
	read -ra was <<<"$3"
	read -ra is <<<"$4"
	for i in "${!expected[@]}"; do
		echo "$i: ${was[i]}, then ${is[i]}, expected ${expected[i]} more"
		[ $((is[i] - was[i])) -eq "${expected[i]}" ] || return
	done
}

# The mapping that the home knows the client by.
to_home() {
	pass forward pc "$(pc_address)" "$CLIENT_PORT" "$(relay_address)" "$RELAY_PORT" \
		mt "$(mt_inside)" "$RELAY_PORT"
}

to_client() {
	local mapped mapped_port
	read -r mapped mapped_port < <(flows | jq -r '.[0] | "\(.mapped_address) \(.mapped_port)"')
	pass reverse mt "$(mt_inside)" "$RELAY_PORT" "$mapped" "$mapped_port" \
		pc "$(pc_address)" "$CLIENT_PORT"
}

# Of either direction. What IPv4 cannot carry was not sent on.
largest_known() {
	flows | jq -c '.[0] | .forward.largest, .reverse.largest'
	holds ".[0] | .forward.largest == 65507 and .reverse.largest == 65507" "$(flows)" &&
		holds ".[0] | .forward.largest == 65507 and .reverse.largest == 65507" "$(relay)"
}

way() {
	check "$1: nothing else is sent" quiet
	check "$1: all sizes to the home" to_home
	check "$1: all sizes to the client" to_client
	check "$1: the flow and the relay know the largest" largest_known
	check "$1: the client's own session is unhurt" answers pc "$MT4"
}

all_sizes() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	way "v4"
	check "the relay moves to v6" outer 6
	way "v6"
	check "the relay leads into IPv6" outer 4 6
	way "v4 to v6"
	check "the relay leads into IPv4" outer 6 4
	way "v6 to v4"
}

each_chain 24 all_sizes "$@"
