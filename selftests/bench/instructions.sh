#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a packet costs: round trips of ping from pc to mt through the nested chain, in
# instructions of the whole chain, both directions and all nodes together. Counted, not
# timed: in a VM with virtual time a nanosecond is an instruction. Prints medians, asserts
# nothing.
#
# usage: selftests/vm/run --icount --module nwg.ko -- selftests/bench/instructions.sh [SIZE...]
#
#   SIZE  payload of the ping in bytes; default: 56 1200

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"

PINGS=200

if [ -z "${NWG_VM_PACER:-}" ]; then
	echo "instructions.sh: needs virtual time: selftests/vm/run --icount" >&2
	exit 2
fi
[ $# -gt 0 ] || set -- 56 1200

# median SIZE: nanoseconds of virtual time.
median() {
	on pc ping -n -i 0.01 -c $PINGS -s "$1" "$MT4" |
		sed -n 's/.*time=\([0-9.]*\) ms/\1/p' | sort -n |
		awk '{ took[NR] = $1 } END { printf "%d", took[int((NR + 1) / 2)] * 1000000 }'
}

printf '%-10s' chain
printf '%10s B' "$@"
echo
for kind in baseline stock nwg; do
	chain_kind $kind && chain_up && answers pc "$MT4" 20 || exit 1
	printf '%-10s' $kind
	for size; do
		median "$size" >/dev/null # everything is warm
		kill -STOP "$NWG_VM_PACER"
		cost=$(median "$size")
		kill -CONT "$NWG_VM_PACER"
		printf '%12s' "$cost"
	done
	echo
	chain_down
done
