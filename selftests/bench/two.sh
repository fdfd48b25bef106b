#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What two CPUs make of it: encryption and decryption of one peer's packets on both, many senders at one peer's
# queue, and whether datagrams stay in order. Timed, by turns in one boot: stock, nwg, stock, nwg; where QEMU
# emulates two CPUs a clock shows how they get on with each other, and no speed. Prints a line for each row: what,
# the median of nwg's time as a share of stock's in the same round, the least, the most, and how many datagrams
# came out of order, stock's and nwg's, with tabs between. Asserts nothing.
#
# usage: selftests/vm/run --cpus 2 --timeout 1800 --module nwg.ko -- selftests/bench/two.sh [ROUNDS]

NAME=two.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

ROUNDS=${1:-5}

set -o pipefail

[ "$(nproc)" -gt 1 ] || die "one CPU only: selftests/vm/run --cpus 2"

# both UP STOCK NWG: with UP both of them, as chains "stock" and "nwg".
both() {
	CHAIN=stock && "$1" "$2" && CHAIN=nwg && "$1" "$3" || exit 1
	for CHAIN in stock nwg; do
		background mt iperf3 -s >/dev/null 2>&1
		slowwait 20 listening mt tcp 5201 || exit 1
	done
}

both_down() {
	for CHAIN in stock nwg; do
		chain_down
	done
}

up() {
	chain_kind "$1" && chain_up && answers pc "$MT4" 20
}

# took CHAIN OPTION...: ns for a bit, and datagrams out of order.
took() {
	local CHAIN=$1
	shift
	on pc iperf3 -J -c "$MT4" "$@" |
		jq -r '"\(1e9 / (.end.sum_received.bits_per_second // .end.sum.bits_per_second)) \(
			[.end.streams[].udp.out_of_order // 0] | add)"'
}

# row WHAT OPTION...
row() {
	local what=$1 round stock nwg early late
	shift
	for ((round = 0; round < ROUNDS; round++)); do
		read -r stock early < <(took stock "$@") && read -r nwg late < <(took nwg "$@") || exit 1
		awk -v stock="$stock" -v nwg="$nwg" 'BEGIN { printf "%.3f", nwg / stock }'
		echo " $early $late"
	done | sort -n | awk -v what="$what" '
		{ ratio[NR] = $1; stock += $2; nwg += $3 }
		END {
			if (NR)
				printf "%s\t%.2f\t%.2f\t%.2f\t%d\t%d\n", what, ratio[int((NR + 1) / 2)],
					ratio[1], ratio[NR], stock, nwg
		}' || exit 1
}

rows() {
	row "$1 TCP from the PC" -n 4M
	row "$1 TCP to the PC" -n 4M -R
	row "$1 TCP from the PC, 8 streams" -n 4M -P 8
	# Who receives knows the order.
	row "$1 UDP to the PC, 148 B, 4 streams" -R -u -b 0 -l 120 -P 4 -t 2
}

both hop_up wireguard nwg
rows "one hop:"
both_down
both up baseline nwg
rows "chain:"
both_down
