#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two devices with each other: keys that do not fit, traffic of every kind, and counters.
#
# usage: traffic.sh KIND_A KIND_B

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need socat
ktap_plan 12
(umask 077 && wg genpsk >"$work/psk" && wg genpsk >"$work/other-psk")

session() {
	device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 &&
		answers a 10.7.0.2 && answers b fd07::1 && handshaken a && handshaken b
}

no_session() {
	! answers a 10.7.0.2 2 && ! answers b 10.7.0.1 2 &&
		[ "$(handshake_time a)" = 0 ] && [ "$(handshake_time b)" = 0 ]
}

# Neither the key nor the preshared key of the other end may be wrong. The key of no
# peer at all: nobody answers.
wrong_psk() {
	device_up a "$B" endpoint 10.0.0.2:51822 preshared-key "$work/psk" &&
		device_up b "$A" endpoint 10.0.0.1:51821 preshared-key "$work/other-psk" &&
		no_session
}

one_sided_psk() {
	device_up a "$B" endpoint 10.0.0.2:51822 preshared-key "$work/psk" &&
		device_up b "$A" endpoint 10.0.0.1:51821 &&
		no_session
}

unknown_key() {
	device_up a "$B" endpoint 10.0.0.2:51822 &&
		device_up b "$(wg genkey | wg pubkey)" endpoint 10.0.0.1:51821 &&
		no_session
}

# Around multiples of 16, around the MTU of 1420, and in fragments inside.
sizes() {
	local size header=28
	[[ $1 != *:* ]] || header=48
	for size in $((48 - header)) $((49 - header)) $((63 - header)) $((64 - header)) \
		$((65 - header)) 500 $((1403 - header)) $((1408 - header)) $((1409 - header)) \
		$((1419 - header)) $((1420 - header)) $((1421 - header)) 2000 8000; do
		on a ping -q -c 1 -W 5 -s "$size" "$1" >/dev/null || {
			echo "$size bytes in an echo request to $1: no answer"
			return 1
		}
	done
}

both_streams() {
	local other status
	stream a b 10.7.0.2 "$work/payload" &
	other=$!
	stream_back
	status=$?
	wait "$other" && return "$status"
}

stream_back() {
	background a socat -u TCP-LISTEN:7001 "OPEN:$work/back,creat,trunc"
	slowwait 10 listening a tcp 7001 &&
		on b socat -u "OPEN:$work/payload" TCP:10.7.0.1:7001,connect-timeout=10 &&
		wait $! && same_hash "$work/payload" "$work/back"
}

# Both ends count the same, the keepalive that may be due excepted: none is here.
counters_agree() {
	local received_a sent_a received_b sent_b _
	read -r _ received_a sent_a < <(wg_on a show wga transfer)
	read -r _ received_b sent_b < <(wg_on b show wgb transfer)
	echo "a: $received_a $sent_a, b: $received_b $sent_b"
	[ "$received_a" -gt 2000000 ] && [ "$received_a" = "$sent_b" ] && [ "$received_b" = "$sent_a" ]
}

topology_up || exit 1
head -c 1000000 /dev/urandom >"$work/payload"

ktap_run "another preshared key makes no session" wrong_psk
ktap_run "a preshared key at one end makes no session" one_sided_psk
ktap_run "an unknown key makes no session" unknown_key
ktap_run "with the right keys there is a session" session
ktap_run "echo requests of many sizes, v4" sizes 10.7.0.2
ktap_run "echo requests of many sizes, v6" sizes fd07::2
ktap_run "TCP from a to b, v4" stream a b 10.7.0.2 "$work/payload"
ktap_run "TCP from b to a, v4" stream b a 10.7.0.1 "$work/payload"
ktap_run "TCP from a to b, v6" stream a b fd07::2 "$work/payload"
ktap_run "TCP from b to a, v6" stream b a fd07::1 "$work/payload"
ktap_run "TCP both ways at once" both_streams
ktap_run "both ends count the same bytes" counters_agree
ktap_end
