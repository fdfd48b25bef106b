#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What many peers, allowed IPs or relays cost: what a datagram of 148 B takes by one of them, in instructions of
# all nodes together, the mean of both directions, in batches of 32; and the bytes that the kernel has for each, and
# for a session. Counted, not timed: in a VM with virtual time a nanosecond is an instruction. Prints a line for each
# value: what there are many of, how many, datagram or bytes, whose tunnels, and the value, with tabs between.
# Asserts nothing. Flows are flows.sh's. "make bench-scale" runs it.
#
# usage: make -C selftests/bench
#        selftests/vm/run --icount --timeout 1800 --memory 2048 --module nwg.ko -- selftests/bench/scale.sh WHAT KIND
#
#   WHAT  peers, allowed-ips, relays, or sessions; one in each boot, as the kernel is slow to give back all that
#         there was of the others
#   KIND  of the tunnels: wireguard or nwg; relays have nwg on the vps only

NAME=scale.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

PEERS=(1 100 10000)
ALLOWED_IPS=(1 100 10000 100000)
RELAYS=(1 10 100)
SESSIONS=200

virtual_time
[ $# -eq 2 ] || die "what, and of which kind?"
[ -x "$PROGRAMS/datagrams" ] || die "$PROGRAMS/datagrams is missing: make -C selftests/bench"

# memory(), once what waits for the end of a grace period is free.
settled_memory() {
	sleep 5
	memory
}

# more_peers COUNT: as a configuration. Any 32 bytes are a public key. Addresses are drawn from all around those
# that are asked, in 10.7.0.0/16 as well. Nothing is ever said to them.
more_peers() {
	python3 - "$@" <<-'END'
		import base64, os, sys
		for _ in range(int(sys.argv[1])):
		    print(f"[Peer]\nPublicKey = {base64.b64encode(os.urandom(32)).decode()}")
		    address = os.urandom(3)
		    while address[:2] == bytes([7, 0]):
		        address = os.urandom(3)
		    print(f"AllowedIPs = 10.{'.'.join(map(str, address))}/32")
	END
}

# more_allowed_ips COUNT: addresses of one more peer, scattered over what is around the one that is asked.
more_allowed_ips() {
	more_peers 1 | sed '$d'
	head -c $((3 * $1)) /dev/urandom | od -An -v -t u1 -w3 |
		awk '$1 != 7 || $2 { printf "AllowedIPs = 10.%d.%d.%d/32\n", $1, $2, $3 }'
}

add_to_mt() {
	"$@" >"$CHAIN_DIR/more" && wgtool mt addconf wg0 "$CHAIN_DIR/more"
}

# datagram ADDRESS HOME-ADDRESS
datagram() {
	"$PROGRAMS/datagrams" "$CHAIN-pc" "$CHAIN-mt" "$1" "$RELAY_PORT" "$2" 148 |
		awk '{ printf "%.0f", ($2 + $3) / 2 }'
}

# measured WHAT COUNT BEFORE KIND ADDRESS HOME-ADDRESS MOST: with so many of the most there will be, and as many
# bytes before there were any.
measured() {
	local bytes
	value "$(counted datagram "$5" "$6")" "$1" "$2" datagram "$4"
	[ "$2" -eq "$7" ] || return
	bytes=$(settled_memory)
	value $(((bytes - $3) / $2)) "$1" "$2" bytes "$4"
}

# of_tunnel WHAT KIND MORE COUNT...: MORE prints the configuration of so many more.
of_tunnel() {
	local what=$1 kind=$2 more=$3 there=1 before count
	shift 3
	hop_up "$kind" && wgtool mt set wg0 listen-port "$DIAL_PORT" &&
		wgtool pc set wg0 peer "$(public mt-wg0)" endpoint "192.0.2.3:$DIAL_PORT" &&
		answers pc "$MT4" 20 || exit 1
	before=$(settled_memory)
	for count; do
		[ "$count" -eq "$there" ] || add_to_mt "$more" $((count - there)) || exit 1
		there=$count
		measured "$what" "$count" "$before" "$kind" $MT4 $MT4 "${@: -1}"
	done
	chain_down
}

# Beside the one that is asked.
relays() {
	local there=1 before count
	chain_kind stock && chain_up && answers pc "$MT4" 20 && datagrams_ready || exit 1
	before=$(settled_memory)
	for count in "${RELAYS[@]}"; do
		for (( ; there < count; there++)); do
			nwgctl relay add dev wg1 listen $((20000 + there)) peer "$(public mt-wg1)" to "$(relay_to)" || exit 1
		done
		measured relays "$count" "$before" nwg 192.0.2.1 172.16.1.254 "${RELAYS[-1]}"
	done
	chain_down
}

# Of both ends, each of which has one after a handshake.
sessions() {
	local before after
	hop_up "$1" && peers $SESSIONS || exit 1
	before=$(settled_memory)
	handshakes 1 $SESSIONS >/dev/null || exit 1
	after=$(settled_memory)
	value $(((after - before) / (2 * SESSIONS))) sessions $SESSIONS bytes "$1"
	chain_down
}

case $1 in
peers) of_tunnel peers "$2" more_peers "${PEERS[@]}" ;;
allowed-ips) of_tunnel allowed-ips "$2" more_allowed_ips "${ALLOWED_IPS[@]}" ;;
relays) relays ;;
sessions) sessions "$2" ;;
*) die "$1: peers, allowed-ips, relays or sessions" ;;
esac
