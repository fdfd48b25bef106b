# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# What the benches share: they print a line for each value, with tabs between. Whoever sources this has NAME,
# its own.

BENCH=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=selftests/chain/traffic.sh
. "$BENCH/../chain/traffic.sh"

# shellcheck disable=SC2034 # for those who source this
PROGRAMS=$BENCH/../../build/selftests/bench
PINGS=200

die() {
	# shellcheck disable=SC2153 # of whoever sources this
	echo "$NAME: $*" >&2
	exit 2
}

# For those that count the instructions of all nodes together.
virtual_time() {
	[ -n "${NWG_VM_PACER:-}" ] || die "needs virtual time: selftests/vm/run --icount"
}

# value VALUE WORD...: a line of its words, and the value.
value() {
	[ -n "$1" ] || die "${*:2}: nothing measured"
	printf '%s\t' "${@:2}"
	printf '%s\n' "$1"
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
		awk -v all=$PINGS '{ took[NR] = $1 } END { if (NR == all) printf "%d", took[int((NR + 1) / 2)] * 1000000 }'
}

# All that the kernel has and cannot drop, in bytes. Nothing is dropped for it: programs would have to be
# read from the host again, which virtual time does not wait for.
memory() {
	awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { sum += $2 } END { printf "%.0f", sum * 1024 }' /proc/meminfo
}

# hop_up KIND: one tunnel, between two machines that are wired to each other.
hop_up() {
	# shellcheck disable=SC2034 # for tunnel and wgtool
	KIND_PC=$1 KIND_MT=$1
	CHAIN_DIR=$(mktemp -d) && nodes pc mt && wire pc 192.0.2.2/24 mt 192.0.2.3/24 &&
		tunnel mt wg0 $MT4/24 1420 listen-port "$RELAY_PORT" &&
		wgtool mt set wg0 peer "$(public pc-wg0)" allowed-ips "$PC4/32" &&
		tunnel pc wg0 $PC4/24 1420 peer "$(public mt-wg0)" endpoint "192.0.2.3:$RELAY_PORT" \
			allowed-ips "$MT4/32" && answers pc "$MT4" 20
}

# peers COUNT: a tunnel for each on the pc, and a peer of the mt's wg0 for each.
peers() {
	local number
	routes mt 'local 10.9.0.0/24 dev lo' '10.8.0.0/24 dev wg0' || return
	for ((number = 1; number <= $1; number++)); do
		tunnel pc "wg$number" "10.8.0.$number/32" 1420 peer "$(public mt-wg0)" \
			endpoint "192.0.2.3:$RELAY_PORT" allowed-ips "10.9.0.$number/32" &&
			routes pc "10.9.0.$number/32 dev wg$number" &&
			wgtool mt set wg0 peer "$(public "pc-wg$number")" allowed-ips "10.8.0.$number/32" || return
	done
}

handshakes() {
	"$PROGRAMS/handshakes" "$CHAIN-pc" "$CHAIN-mt" "$@"
}

# The tunnel's own ends make room for who only says that it is one, and the relay asks for no mac1 of it.
datagrams_ready() {
	ip -n "$CHAIN-mt" link del wg0 && ip -n "$CHAIN-pc" link del wg0 || return
	[ "$FORWARD" != relay ] || {
		nwgctl relay del listen "$RELAY_PORT" &&
			nwgctl relay add dev wg1 listen "$RELAY_PORT" peer "$(public mt-wg1)" to "$(relay_to)"
	}
}

# datagrams SIZE...: of the client's tunnel through the relay or DNAT, see datagrams.c.
datagrams() {
	"$PROGRAMS/datagrams" "$CHAIN-pc" "$CHAIN-mt" 192.0.2.1 "$RELAY_PORT" 172.16.1.254 "$@"
}
