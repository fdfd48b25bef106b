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

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"

PROGRAMS=$here/../../build/selftests/bench
SIZES=(56 1200)
DATAGRAMS=(148 512 1392)
PINGS=200

die() {
	echo "bench.sh: $*" >&2
	exit 2
}

[ -n "${NWG_VM_PACER:-}" ] || die "needs virtual time: selftests/vm/run --icount"
[ -x "$PROGRAMS/datagrams" ] || die "$PROGRAMS/datagrams is missing: make -C selftests/bench"
[ $# -gt 0 ] || set -- hop-stock hop-nwg dnat flowtable vps all

# value SCENARIO INSTRUCTIONS
value() {
	[ -n "$2" ] || die "$1, $WAY: nothing measured"
	printf '%s\t%s\t%s\n' "$1" "$WAY" "$2"
}

# counted COMMAND...: once for what is read from the host, and once more with all virtual time its own.
counted() {
	"$@" >/dev/null
	skip_idle "$@"
}

# round_trip SIZE: the median, of a ping with so many bytes of payload.
round_trip() {
	on pc ping -n -i 0.01 -c $PINGS -s "$1" "$MT4" |
		sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
		awk '{ took[NR] = $1 } END { if (NR) printf "%d", took[int((NR + 1) / 2)] * 1000000 }'
}

# bulk [-R]: of 1000 bytes over TCP from the pc, or to it.
bulk() {
	on pc iperf3 -c "$MT4" -n 10M -f k "$@" |
		awk '/receiver$/ { printf "%.0f", 8e9 / $(NF - 2) }'
}

tunnel_rows() {
	local size
	for size in "${SIZES[@]}"; do
		value "$1 round trip, $size B" "$(counted round_trip "$size")"
	done
	background mt iperf3 -s >/dev/null 2>&1
	slowwait 20 listening mt tcp 5201 || exit 1
	value "$1 TCP from the PC, 1000 B" "$(counted bulk)"
	value "$1 TCP to the PC, 1000 B" "$(counted bulk -R)"
}

# The home's own tunnel makes room for who only says that it is one, and the relay asks for no mac1 of it.
datagram_rows() {
	local size forward reverse
	ip -n "$CHAIN-mt" link del wg0
	[ "$FORWARD" != relay ] || {
		nwgctl relay del listen "$RELAY_PORT" &&
			nwgctl relay add dev wg1 listen "$RELAY_PORT" peer "$(public mt-wg1)" to "$(relay_to)"
	} || exit 1
	counted "$PROGRAMS/datagrams" "$CHAIN-pc" "$CHAIN-mt" 192.0.2.1 "$RELAY_PORT" 172.16.1.254 \
		"${DATAGRAMS[@]}" >"$CHAIN_DIR/datagrams"
	while read -r size forward reverse; do
		value "relay to the home, $size B" "$forward"
		value "relay to the client, $size B" "$reverse"
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
	value "no message" "$(counted flood "$(bytes 148)")"
	value "initiation with a wrong mac1" "$(counted flood "01000000$(bytes 144)")"
	[ "$FORWARD" != relay ] ||
		value "forged initiation under pressure" "$(counted flood \
			"$(python3 "$here/../device/flood.py" "$(public mt-wg0)")")"
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

hop_up() {
	CHAIN_DIR=$(mktemp -d) && nodes pc mt && wire pc 192.0.2.2/24 mt 192.0.2.3/24 &&
		tunnel mt wg0 $MT4/24 1420 listen-port "$RELAY_PORT" &&
		wgtool mt set wg0 peer "$(public pc-wg0)" allowed-ips "$PC4/32" &&
		tunnel pc wg0 $PC4/24 1420 peer "$(public mt-wg0)" endpoint "192.0.2.3:$RELAY_PORT" \
			allowed-ips "$MT4/32"
}

hop() {
	# shellcheck disable=SC2034 # for tunnel and wgtool
	KIND_PC=$1 KIND_MT=$1
	hop_up && answers pc "$MT4" 20 || exit 1
	tunnel_rows "one hop:"
	chain_down
}

chain() {
	chain_kind "$1" && chain_up && answers pc "$MT4" 20 || exit 1
	tunnel_rows "chain:"
	[ "$WAY" != vps ] || flood_rows
	datagram_rows
	[ "$WAY" != dnat ] || { drop_all && flood_rows; }
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
