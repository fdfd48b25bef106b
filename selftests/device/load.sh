#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two devices with each other, one of them flooded with handshakes: it demands cookies, and
# the other gets a session with one. Whether a handshake meets the load depends on who runs
# when, so this is for a machine with nothing else to do and not in the list.
#
# usage: load.sh KIND_A KIND_B

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need tcpdump python3
ktap_plan 2

# under_load END: floods END, and the other end begins handshakes until one of them has
# met the load, which depends on who runs when. What proves it on the wire: a cookie
# reply of 64 bytes, and an initiation with a mac2. Then there must be a session.
under_load() {
	local end=$1 other=b key=$A target=10.0.0.1 source=10.0.0.2 inner=1 flood cookie mac2 attempt status=0
	[ "$end" = a ] || other=a key=$B target=10.0.0.2 source=10.0.0.1 inner=2
	device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 || return
	capture "$work/cookie" "src $target and udp[4:2] = 72 and udp[8:4] = 0x03000000" || return
	cookie=$!
	capture "$work/mac2" "src $source and udp[8:4] = 0x01000000 and udp[140:4] != 0" || return
	mac2=$!
	background "$other" python3 "$here/flood.py" "$target:5182$inner" "$key" 120 >"$work/flood"
	flood=$!
	slowwait 30 grep -q started "$work/flood"
	for attempt in 1 2 3 4 5 6 7 8; do
		answers "$other" "10.7.0.$inner" 60 || break
		! seen "$cookie" || break
		ip_on "$other" link set "wg$other" down
		ip_on "$other" link set "wg$other" up
	done
	kill "$flood" && wait "$flood" 2>/dev/null
	echo "attempts: $attempt"
	seen "$cookie" || { echo "no cookie reply" && status=1; }
	seen "$mac2" || { echo "no initiation with mac2" && status=1; }
	kill "$cookie" "$mac2" 2>/dev/null
	answers "$other" "10.7.0.$inner" || { echo "no session" && status=1; }
	return "$status"
}

# capture FILE FILTER: wait in the background for one packet between a and b.
capture() {
	background a tcpdump -Z root --immediate-mode -c 1 -i eth0 -n -w "$1" "udp and host 10.0.0.2 and $2" \
		>/dev/null 2>"$1.log"
	slowwait 20 grep -q 'listening on' "$1.log"
}

# seen CAPTURE: it has its packet, and has ended.
seen() {
	slowwait 2 ended "$1"
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

topology_up || exit 1
ktap_run "a under load demands a cookie of b" under_load a
ktap_run "b under load demands a cookie of a" under_load b
ktap_end
