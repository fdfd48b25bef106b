#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# 50 MB over TCP, from the lan to the pc and back, through stock pc - nwg vps - stock
# mt and through the same chain with stock wireguard and DNAT, by turns in one boot.
# All bytes have to arrive; the throughputs are printed.
#
# In a VM with virtual time they count instructions, not what the machine was busy
# with, and there the relay must not be the slower one, both directions together. One
# by one they also tell how the packets of all machines, which take turns on one CPU,
# happen to gather: to the pc between nothing and 6 % more were seen, with DNAT's between
# 42.8 and 46.0 Mbit/s. 10 % are allowed for that.
#
# usage: throughput.sh [ROUNDS]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

BYTES=50000000
rounds=${1:-2}

both_up() {
	chain_kind stock && CHAIN=relay && chain_up && answers pc "$MT4" 20 &&
		chain_kind baseline && CHAIN=dnat && chain_up && answers pc "$MT4" 20
}

both_down() {
	CHAIN=relay chain_down
	CHAIN=dnat chain_down
}

# timed CHAIN down|up: one transfer, its duration in nanoseconds added to a list.
timed() {
	local CHAIN=$1 began
	began=$(date +%s%N)
	case $2 in
	down) stream lan pc "$PC4" "$FILE" ;;
	up) stream pc lan "$LAN4" "$FILE" ;;
	esac || return
	echo $(($(date +%s%N) - began)) >>"$WORK/$1-$2"
}

# median CHAIN down|up: nanoseconds.
median() {
	sort -n "$WORK/$1-$2" | awk '
		{ took[NR] = $1 }
		END { printf "%.0f", (took[int((NR + 1) / 2)] + took[int(NR / 2) + 1]) / 2 }'
}

# both CHAIN: one way and the other.
both() {
	echo $(($(median "$1" down) + $(median "$1" up)))
}

mbit() {
	awk -v bytes="$1" -v took="$2" 'BEGIN { printf "%.2f", bytes * 8000 / took }'
}

ratio() {
	awk -v relay="$1" -v dnat="$2" 'BEGIN { printf "%.3f", dnat / relay }'
}

no_slower() {
	[ "$(both relay)" -le "$(both dnat)" ]
}

hardly_slower() {
	[ $(($(median relay "$1") * 90)) -le $(($(median dnat "$1") * 100)) ]
}

WORK=$(mktemp -d)
FILE=$WORK/file
CHECK_OUTPUT=$WORK/output CHECK_CHAIN=''
defer rm -rf "$WORK"
defer both_down
head -c $BYTES /dev/urandom >"$FILE"

virtual=${NWG_VM_PACER:+yes}
ktap_need wg nft conntrack iptables socat
plan=$((1 + 4 * rounds))
[ -z "$virtual" ] || ((plan += 3))
ktap_plan $plan
check "both chains are up" both_up
for ((round = 1; round <= rounds; round++)); do
	for direction in down up; do
		for chain in relay dnat; do
			check "round $round: 50 MB $direction by $chain have the right hash" \
				timed $chain $direction
		done
	done
done
for direction in down up; do
	for chain in relay dnat; do
		ktap_diag "throughput $direction by $chain = $(mbit $BYTES "$(median $chain $direction)") Mbit/s${virtual:+ of virtual time}, median of $rounds"
	done
	ktap_diag "throughput $direction, relay : DNAT = $(ratio "$(median relay $direction)" "$(median dnat $direction)") : 1"
	[ -z "$virtual" ] || check "$direction, the relay is hardly slower than DNAT" hardly_slower $direction
done
ktap_diag "throughput both ways, relay : DNAT = $(ratio "$(both relay)" "$(both dnat)") : 1"
[ -z "$virtual" ] || check "both ways, the relay is no slower than DNAT" no_slower
ktap_end
