#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the instructions of a datagram go that passes the relay to the home or back, of all nodes together: by what
# they are for, and by function. Sampled in virtual time, in which a nanosecond is an instruction. Asserts nothing.
# Needs perf.
#
# usage: make -C selftests/bench
#        selftests/vm/run --icount --timeout 900 --module nwg.ko -- selftests/bench/profile.sh WAY [SIZE]
#
#   WAY   dnat, vps or all, as for bench.sh
#   SIZE  of the datagram; default 148

NAME=profile.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

WAY=${1:-all} SIZE=${2:-148} RATE=4000 TIMES=12

virtual_time
command -v perf >/dev/null || die "perf is missing: install linux-perf"
[ -x "$PROGRAMS/datagrams" ] || die "$PROGRAMS/datagrams is missing: make -C selftests/bench"
case $WAY in
dnat) kind=baseline ;;
vps) kind=stock ;;
all) kind=nwg ;;
*) die "$WAY: dnat, vps or all" ;;
esac
chain_kind "$kind" && chain_up && answers pc "$MT4" 20 && datagrams_ready || exit 1
WORK=$(mktemp -d)
each=$(counted datagrams "$SIZE" | awk '{ printf "%.0f", ($2 + $3) / 2 }')
mapfile -t sizes < <(yes "$SIZE" | head -n $TIMES)
perf record -q -o "$WORK/data" -e cpu-clock -F $RATE -a 2>"$WORK/log" &
perf=$!
slowwait 20 test -s "$WORK/data" || die "$(cat "$WORK/log")"
skip_idle datagrams "${sizes[@]}" >"$WORK/took" || exit 1
kill -INT "$perf"
wait "$perf"
echo "a datagram of $SIZE B, $WAY: $each instructions"
perf report -i "$WORK/data" --no-children --sort comm,sym 2>/dev/null | "$BENCH/profile.py" "$each"
