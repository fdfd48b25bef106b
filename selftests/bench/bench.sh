#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What nwg costs beside the stock module and what is done without a relay, in instructions of all nodes
# together. Counted, not timed: in a VM with virtual time a nanosecond is an instruction. Prints a line for
# each value: scenario, way, instructions, with tabs between. Asserts nothing. "make bench" runs it.
#
# usage: make -C selftests/bench
#        selftests/vm/run --icount --module nwg.ko -- selftests/bench/bench.sh [WAY...]
#
#   WAY  hop-stock, hop-nwg: one tunnel, between two machines that are wired to each other
#        dnat, flowtable: the nested chain of stock tunnels, the vps with iptables' DNAT and MASQUERADE, or
#            nft's with a software flow table
#        vps: the same with nwg on the vps; all: with nwg at all three

NAME=bench.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

SIZES=(56 1200)
DATAGRAMS=(148 512 1392)
# How many peers shake hands before it is counted, and then.
HANDSHAKES=(5 40)

virtual_time
[ -x "$PROGRAMS/datagrams" ] || die "$PROGRAMS/datagrams is missing: make -C selftests/bench"
[ $# -gt 0 ] || set -- hop-stock hop-nwg dnat flowtable vps all

# row SCENARIO INSTRUCTIONS
row() {
	value "$2" "$1" "$WAY"
}

# bulk [-R]: of 1000 bytes over TCP from the pc, or to it.
bulk() {
	on pc iperf3 -c "$MT4" -n 10M -f k "$@" |
		awk '/receiver$/ { printf "%.0f", 8e9 / $(NF - 2) }'
}

tunnel_rows() {
	local size
	for size in "${SIZES[@]}"; do
		row "$1 round trip, $size B" "$(counted round_trip "$size")"
	done
	background mt iperf3 -s >/dev/null 2>&1
	slowwait 20 listening mt tcp 5201 || exit 1
	row "$1 TCP from the PC, 1000 B" "$(counted bulk)"
	row "$1 TCP to the PC, 1000 B" "$(counted bulk -R)"
}

datagram_rows() {
	local size forward reverse
	datagrams_ready || exit 1
	counted datagrams "${DATAGRAMS[@]}" >"$CHAIN_DIR/datagrams" || exit 1
	while read -r size forward reverse; do
		row "relay to the home, $size B" "$forward"
		row "relay to the client, $size B" "$reverse"
	done <"$CHAIN_DIR/datagrams"
}

# flood MESSAGE: what one takes that comes to the vps in the name of somebody else.
flood() {
	on vps "$PROGRAMS/flood" flood 192.0.2.1 "$RELAY_PORT" "$1" 1000000000 1 |
		awk '{ printf "%.0f", $2 / $1 }'
}

# bytes COUNT: as many, of no meaning, in hexadecimal digits.
bytes() {
	printf '%*s' $((2 * $1)) '' | tr ' ' f
}

flood_rows() {
	modprobe tun && ip -n "$CHAIN-vps" tuntap add flood mode tun &&
		on vps tc qdisc replace dev flood root noqueue && ip -n "$CHAIN-vps" link set flood up &&
		routes vps '198.18.0.0/15 dev flood' || exit 1
	row "no message" "$(counted flood "$(bytes 148)")"
	row "initiation with a wrong mac1" "$(counted flood "01000000$(bytes 144)")"
	[ "$FORWARD" != relay ] ||
		row "forged initiation under pressure" "$(counted flood \
			"$(python3 "$BENCH/../device/flood.py" "$(public mt-wg0)")")"
}

# What somebody who knows that there will be junk does without nwg.
drop_all() {
	on vps nft -f - <<-END
		table ip raw {
			chain prerouting {
				type filter hook prerouting priority raw;
				udp dport $RELAY_PORT drop
			}
		}
	END
}

# Of the first ones, nothing is counted.
handshake_row() {
	local first=${HANDSHAKES[0]} count=${HANDSHAKES[1]}
	peers $((first + count)) && handshakes 1 "$first" >/dev/null || exit 1
	row "$1 handshake and first datagram" "$(skip_idle handshakes $((first + 1)) "$count")"
}

hop() {
	hop_up "$1" || exit 1
	tunnel_rows "one hop:"
	handshake_row "one hop:"
	chain_down
}

chain() {
	chain_kind "$1" && chain_up && answers pc "$MT4" 20 || exit 1
	tunnel_rows "chain:"
	[ "$WAY" != vps ] || flood_rows
	datagram_rows
	[ "$WAY" != dnat ] || {
		drop_all || die "nft: no rule"
		flood_rows
	}
	chain_down
}

for WAY; do
	case $WAY in
	hop-stock) hop wireguard ;;
	hop-nwg) hop nwg ;;
	dnat) chain baseline ;;
	flowtable) chain flowtable ;;
	vps) chain stock ;;
	all) chain nwg ;;
	*) die "$WAY: hop-stock, hop-nwg, dnat, flowtable, vps or all" ;;
	esac
done
