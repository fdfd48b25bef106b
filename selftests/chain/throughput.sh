#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 50 MB over TCP from the lan to the pc, through stock pc - nwg vps - stock mt and
# through the same chain with stock wireguard and DNAT, by turns in one boot. All
# bytes have to arrive; the throughputs are printed.
#
# In a VM with virtual time they count instructions, not what the machine was busy
# with, and there the relay must not be the slower one.
#
# usage: throughput.sh [ROUNDS]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

BYTES=50000000
rounds=${1:-3}

both_up() {
	chain_kind stock && CHAIN=relay && chain_up && answers pc "$MT4" 20 &&
		chain_kind baseline && CHAIN=dnat && chain_up && answers pc "$MT4" 20
}

both_down() {
	CHAIN=relay chain_down
	CHAIN=dnat chain_down
}

# timed CHAIN: one transfer, its duration in nanoseconds added to the chain's list.
timed() {
	local CHAIN=$1 began
	began=$(date +%s%N)
	stream lan pc "$PC4" "$FILE" || return
	echo $(($(date +%s%N) - began)) >>"$WORK/$1"
}

# median CHAIN: Mbit/s.
median() {
	sort -n "$WORK/$1" | awk -v bytes=$BYTES '
		{ took[NR] = $1 }
		END { printf "%.2f", bytes * 8000 / took[int((NR + 1) / 2)] }'
}

no_slower() {
	awk -v relay="$(median relay)" -v dnat="$(median dnat)" 'BEGIN { exit !(relay >= dnat) }'
}

WORK=$(mktemp -d)
FILE=$WORK/file
CHECK_OUTPUT=$WORK/output CHECK_CHAIN=''
defer rm -rf "$WORK"
defer both_down
head -c $BYTES /dev/urandom >"$FILE"

virtual=${NWG_VM_PACER:+yes}
ktap_need wg nft conntrack iptables socat
plan=$((1 + 2 * rounds))
[ -z "$virtual" ] || ((plan++))
ktap_plan $plan
check "both chains are up" both_up
for ((round = 1; round <= rounds; round++)); do
	for chain in relay dnat; do
		check "round $round: 50 MB by $chain have the right hash" timed $chain
	done
done
ktap_diag "throughput with nwg's relay = $(median relay) Mbit/s${virtual:+ of virtual time}"
ktap_diag "throughput with stock and DNAT = $(median dnat) Mbit/s${virtual:+ of virtual time}"
ktap_diag "relay : DNAT = $(awk -v relay="$(median relay)" -v dnat="$(median dnat)" \
	'BEGIN { printf "%.3f", relay / dnat }') : 1, medians of $rounds"
[ -z "$virtual" ] || check "the relay is no slower than DNAT" no_slower
ktap_end
