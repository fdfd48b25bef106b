#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What many flows cost: the round trip of a datagram through a relay that has so many, of any of them, in
# instructions of all nodes together, both directions; the memory that a flow takes; and what it takes to
# have all of them listed. Counted, not timed: in a VM with virtual time a nanosecond is an instruction.
# Prints a table, asserts nothing.
#
#    pc ---------- vps ---------- mt          10.128.0.0/9 is the pc, each client an address of it
#       192.0.2.2/.1  198.51.100.1/.2         100.64.0.0/10 is the relay's pool
#    pc --UDP--> vps:60000 --inside wg1--> mt 172.16.1.254:60000
#
# The ends have no keys and do no cryptography for the tunnel that would be inside: see flows.c. The tunnel
# between vps and mt is nwg's at both ends.
#
# usage: make -C selftests/bench
#        selftests/vm/run --icount --timeout 3600 --append slab_nomerge --module nwg.ko -- \
#            selftests/bench/flows.sh [COUNT...]
#
#   COUNT  flows, rising; default: 10 1000 100000. A million takes 20 minutes, and --memory 4096.
#
# Bytes, where there are enough flows to tell: flow and source are what the kernel's allocator has taken for
# each; all is how much more memory the kernel has than before there were any, with the tables, in which up
# to five of eight places are empty. List: of all flows, and of each.

NAME=flows.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

FLOWS=$PROGRAMS/flows
TIMES=4000 # so many that most come when waiting for more has proved to be vain
LIMIT=/sys/module/nwg/parameters/max_flows
PAGE=$(getconf PAGE_SIZE)

virtual_time
[ -x "$FLOWS" ] || die "$FLOWS is missing: make -C selftests/bench"
grep -q '^nwg_flow ' /proc/slabinfo ||
	die "flows share their memory with others': selftests/vm/run --append slab_nomerge"
[ $# -gt 0 ] || set -- 10 1000 100000

# topology MOST: with room for so many flows.
topology() {
	CHAIN_DIR=$(mktemp -d) && chain_kind nwg && nodes pc vps mt &&
		wire pc 192.0.2.2/24 vps 192.0.2.1/24 &&
		wire vps 198.51.100.1/24 mt 198.51.100.2/24 &&
		ip -n "$CHAIN-pc" route add local 10.128.0.0/9 dev lo &&
		routes vps '10.128.0.0/9 via 192.0.2.2' &&
		wg1_up_vps && wg1_up_mt &&
		wgtool mt set wg1 peer "$(public vps-wg1)" allowed-ips 172.16.1.1/32,100.64.0.0/10 &&
		routes mt '100.64.0.0/10 dev wg1' && slowwait 20 handshaken vps wg1 &&
		nwgctl relay add dev wg1 listen "$RELAY_PORT" peer "$(public mt-wg1)" to "$(relay_to)" \
			max-flows "$1" source pool 100.64.0.0/10 &&
		echo "$1" >"$LIMIT"
}

# slab NAME: bytes of the allocator's for objects of a kind.
slab() {
	awk -v name="$1" -v page="$PAGE" '$1 == name { printf "%.0f", $15 * $6 * page }' /proc/slabinfo
}

# each BYTES BEFORE COUNT: how many more for each.
each() {
	awk -v bytes="$1" -v before="$2" -v count="$3" \
		'BEGIN { if (count < 1000) print "-"; else printf "%.1f", (bytes - before) / count }'
}

flows_are() {
	[ "$(relay | jq '.[0].flows.established')" -eq "$1" ]
}

most=$(printf '%s\n' "$@" | sort -n | tail -n 1)
topology "$most" || exit 1
defer chain_down
background mt "$FLOWS" home 172.16.1.254 "$RELAY_PORT"
slowwait 20 listening mt udp "$RELAY_PORT" || exit 1
# Everything is warm, and has been read from the host.
{
	on pc "$FLOWS" fill 192.0.2.1 "$RELAY_PORT" 0 1 &&
		on pc "$FLOWS" ask 192.0.2.1 "$RELAY_PORT" 1 $TIMES && on vps "$FLOWS" dump && sleep 0.1
} >/dev/null || exit 1

printf '%10s %12s %8s %8s %8s %14s %10s\n' flows 'round trip' flow source all list 'of each'
flow=$(slab nwg_flow) source=$(slab nwg_quota) all=$(memory)
there=1
for count; do
	[ "$count" -ge "$there" ] || die "$count: fewer than before"
	kill -STOP "$NWG_VM_PACER"
	[ "$count" -eq "$there" ] ||
		on pc "$FLOWS" fill 192.0.2.1 "$RELAY_PORT" "$there" $((count - there)) || exit 1
	there=$count
	sleep 5 # the tables have grown
	trip=$(on pc "$FLOWS" ask 192.0.2.1 "$RELAY_PORT" "$count" $TIMES)
	read -r listed list < <(on vps "$FLOWS" dump)
	kill -CONT "$NWG_VM_PACER"
	flows_are "$count" || exit 1
	[ "$listed" -ge "$count" ] || die "$listed of $count flows listed"
	printf '%10s %12s %8s %8s %8s %14s %10s\n' "$count" "$trip" \
		"$(each "$(slab nwg_flow)" "$flow" "$count")" \
		"$(each "$(slab nwg_quota)" "$source" "$count")" \
		"$(each "$(memory)" "$all" "$count")" "$list" $((list / listed))
done
