#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two devices with each other over ten minutes and a silence: whoever began makes a new
# session every 120 s, and nothing is lost. For a VM with virtual time.
#
# usage: rekey.sh KIND_A KIND_B

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need tcpdump
ktap_plan 10

inner_of() {
	if [ "$1" = a ]; then echo 10.7.0.1; else echo 10.7.0.2; fi
}

outer_of() {
	if [ "$1" = a ]; then echo 10.0.0.1; else echo 10.0.0.2; fi
}

other() {
	if [ "$1" = a ]; then echo b; else echo a; fi
}

# ten_minutes END: an echo request per second from END, that begins. Initiations are
# left in $work/initiations as TIME ADDRESS.
ten_minutes() {
	local dump ping
	device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 || return
	background a tcpdump -Z root -i eth0 -n -tt -l 'udp[8:4] = 0x01000000' \
		>"$work/initiations" 2>"$work/dump.log"
	dump=$!
	slowwait 20 grep -q 'listening on' "$work/dump.log" || return
	background "$1" ping -q -i 1 -c 600 -W 3 "$(inner_of "$(other "$1")")" >"$work/ping"
	ping=$!
	sleep 2
	skip_idle wait "$ping"
	sleep 1
	kill "$dump"
	cat "$work/ping"
	grep -q '600 packets transmitted, 600 received' "$work/ping"
}

# Who begins does so every 120 s: when that is over with the next packet. In the 600 s
# that the echo requests take at least, that is five times; a slow ping sees a sixth.
regular() {
	cat "$work/initiations"
	awk -v address="$(outer_of "$1")." '
		NF == 0 { next }
		index($3, address) != 1 { wrong = "from the wrong end" }
		count++ && ($1 - last < 119.9 || $1 - last > 121.5) { wrong = $1 - last " s apart" }
		{ last = $1 }
		END {
			if (count != 5 && count != 6)
				wrong = count " initiations"
			if (wrong)
				print wrong
			exit wrong != ""
		}' "$work/initiations"
}

# Both ends know of the last handshake.
moved_on() {
	local end last
	last=$(awk 'NF { last = int($1) } END { print last }' "$work/initiations")
	for end in a b; do
		echo "$end: $(handshake_time "$end"), the last was at $last"
		[ $(($(handshake_time "$end") - last)) -le 1 ] &&
			[ $((last - $(handshake_time "$end"))) -le 1 ] || return
	done
}

silence() {
	skip_idle sleep 200
	answers "$1" "$(inner_of "$(other "$1")")" 3
}

topology_up || exit 1
for end in a b; do
	ktap_run "$end begins: 600 echo requests in 600 s, none lost" ten_minutes "$end"
	ktap_run "$end begins: a handshake every 120 s, always by $end" regular "$end"
	ktap_run "$end begins: both ends know the latest handshake" moved_on
	ktap_run "$end begins: after 200 s of silence $(other "$end") is answered" silence "$(other "$end")"
	ktap_run "$end begins: after 200 s of silence $end is answered" silence "$end"
done
ktap_end
