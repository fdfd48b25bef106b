#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two devices with each other: handshakes from either side, traffic of every kind,
# roaming and counters.
#
# usage: traffic.sh KIND_A KIND_B

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need socat tcpdump python3 nft
ktap_plan 22
(umask 077 && wg genpsk >"$work/psk" && wg genpsk >"$work/other-psk")

# initiated_by END OUTER [SETTING...]: only END knows where the other is.
initiated_by() {
	local end=$1 outer=$2 to_a=() to_b=()
	if [ "$outer" = 4 ]; then
		[ "$end" = a ] && to_b=(endpoint 10.0.0.2:51822) || to_a=(endpoint 10.0.0.1:51821)
	else
		[ "$end" = a ] && to_b=(endpoint '[fd00::2]:51822') || to_a=(endpoint '[fd00::1]:51821')
	fi
	device_up a "$B" "${to_b[@]}" "${@:3}" && device_up b "$A" "${to_a[@]}" "${@:3}" || return
	if [ "$end" = a ]; then
		answers a 10.7.0.2 && answers a fd07::2
	else
		answers b 10.7.0.1 && answers b fd07::1
	fi && handshaken a && handshaken b
}

# Neither the key nor the preshared key of the other end may be wrong. The key of no
# peer at all: nobody answers.
wrong_psk() {
	device_up a "$B" endpoint 10.0.0.2:51822 preshared-key "$work/psk" &&
		device_up b "$A" endpoint 10.0.0.1:51821 preshared-key "$work/other-psk" &&
		! answers a 10.7.0.2 2 && ! answers b 10.7.0.1 2 && ! handshaken a && ! handshaken b
}

one_sided_psk() {
	device_up a "$B" endpoint 10.0.0.2:51822 preshared-key "$work/psk" &&
		device_up b "$A" endpoint 10.0.0.1:51821 &&
		! answers a 10.7.0.2 2 && ! answers b 10.7.0.1 2 && ! handshaken a && ! handshaken b
}

unknown_key() {
	device_up a "$B" endpoint 10.0.0.2:51822 &&
		device_up b "$(wg genkey | wg pubkey)" endpoint 10.0.0.1:51821 &&
		! answers a 10.7.0.2 2 && ! answers b 10.7.0.1 2 && ! handshaken a && ! handshaken b
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

endpoint() {
	wg_on "$1" show "wg$1" endpoints | grep -qF "$2"
}

# roams END PORT ADDRESS: what END sends from PORT comes from another address from now on,
# as from behind a NAT, and the other end follows it. (wireguard-go itself would go on
# sending from an address that it has lost.)
roams() {
	local end=$1 other=b inner=2 lost
	[ "$end" = a ] || other=a inner=1
	background "$end" ping -q -i 0.2 -c 15 "10.7.0.$inner" >"$work/ping"
	sleep 1
	on "$end" nft -f - <<-END || return
		table ip roam {
			chain out {
				type filter hook postrouting priority 0
				udp sport $2 ip saddr set $3
			}
		}
	END
	wait $!
	on "$end" nft delete table ip roam
	lost=$(sed -n 's/.* \([0-9]*\)[.0-9]*% packet loss.*/\1/p' "$work/ping")
	echo "$lost % lost"
	[ "$lost" -le 20 ] && endpoint "$other" "$3:$2"
}

port_roams() {
	wg_on "$1" set "wg$1" listen-port "$2" && answers "$1" "$3" 5 && endpoint "$4" ":$2" &&
		answers "$4" "$5" 5
}

topology_up || exit 1
head -c 1000000 /dev/urandom >"$work/payload"

ktap_run "a initiates over v4" initiated_by a 4
ktap_run "b initiates over v4" initiated_by b 4
ktap_run "a initiates over v6" initiated_by a 6
ktap_run "b initiates over v6" initiated_by b 6
ktap_run "a initiates over v6 with a preshared key" initiated_by a 6 preshared-key "$work/psk"
ktap_run "b initiates over v4 with a preshared key" initiated_by b 4 preshared-key "$work/psk"
ktap_run "another preshared key makes no session" wrong_psk
ktap_run "a preshared key at one end makes no session" one_sided_psk
ktap_run "an unknown key makes no session" unknown_key
ktap_run "a new start" initiated_by a 4
ktap_run "echo requests of many sizes, v4" sizes 10.7.0.2
ktap_run "echo requests of many sizes, v6" sizes fd07::2
ktap_run "TCP from a to b, v4" stream a b 10.7.0.2 "$work/payload"
ktap_run "TCP from b to a, v4" stream b a 10.7.0.1 "$work/payload"
ktap_run "TCP from a to b, v6" stream a b fd07::2 "$work/payload"
ktap_run "TCP from b to a, v6" stream b a fd07::1 "$work/payload"
ktap_run "TCP both ways at once" both_streams
ktap_run "both ends count the same bytes" counters_agree
ktap_run "a follows b to another address" roams b 51822 10.0.0.22
ktap_run "b follows a to another port" port_roams a 40001 10.7.0.2 b 10.7.0.1
ktap_run "a follows b to another port" port_roams b 40002 10.7.0.1 a 10.7.0.2
ktap_run "a new start over v6 with a preshared key" initiated_by b 6 preshared-key "$work/psk"
ktap_end
