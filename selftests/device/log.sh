#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel's log says at debug level of the life of interfaces, peers and keys: what was made
# and what went can be paired, so that a leak is seen. For a VM with virtual time.
#
# usage: log.sh KIND_A [KIND_B]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

control=/proc/dynamic_debug/control
cost=/proc/sys/net/core/message_cost
[ -w $control ] || ktap_skip_all "the kernel has no dynamic debug"
[[ $KIND_A$KIND_B != *go* ]] || ktap_skip_all "wireguard-go logs nothing in the kernel"

# debug +p|-p
debug() {
	local kind
	for kind in "$KIND_A" "$KIND_B"; do
		echo "module $kind $1" >$control
	done
}

# log END: what is said of the end's interface, without the name of the module, and without a
# peer's endpoint.
log() {
	dmesg --notime | sed -nE "s/^([a-z]+: )?wg$1: //p" | sed -E 's/(peer [0-9]+) \([^)]*\)/\1/I'
}

# says END PATTERN...: for each there is a line that begins so. @ stands for the peer's number.
says() {
	local text number pattern
	text=$(log "$1")
	number=$(sed -nE 's/^Peer ([0-9]+) created$/\1/p' <<<"$text")
	for pattern in "${@:2}"; do
		grep -qE "^${pattern//@/$number}( |,|:|$)" <<<"$text" ||
			{ printf 'missing: %s\n' "${pattern//@/$number}" "$text" && return 1; }
	done
}

said() {
	slowwait 10 says "$@"
}

# paired END: all that was made went, once, and nothing went that was not made. Prints how many of
# each there were.
paired() {
	log "$1" | awk '
		/^(Interface|Peer [0-9]+|Keypair [0-9]+) (created|destroyed)/ {
			what = $1 == "Interface" ? $1 : $1 " " $2
			made = / created/
			if (made ? alive[what]++ : alive[what]-- != 1) {
				print "twice, or never made: " $0
				wrong = 1
			}
			kinds[$1] += made
		}
		END {
			for (what in alive)
				if (alive[what] > 0) {
					print "still there: " what
					wrong = 1
				}
			print kinds["Interface"] + 0, kinds["Peer"] + 0, kinds["Keypair"] + 0
			exit wrong
		}'
}

# all_paired END INTERFACES PEERS KEYPAIRS: and there were so many.
all_paired() {
	local output
	output=$(slowwait 10 paired "$1")
	[ "$output" = "${*:2}" ] || { printf '%s\n' "$output" "$(log "$1")" && return 1; }
}

fresh() {
	dmesg -C
	device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A"
}

gone() {
	ip_on a link del wga && ip_on b link del wgb
}

session() {
	answers a 10.7.0.2
}

changes() {
	local other
	other=$(wg genkey)
	# A key ends the sessions, as does an end of the interface; then a is a stranger to b.
	wg_on a set wga private-key <(echo "$other") &&
		wg_on b set wgb peer "$A" remove peer "$(wg pubkey <<<"$other")" allowed-ips 10.7.0.1/32 &&
		session && ip_on a link set wga down && ip_on a link set wga up && session &&
		wg_on a set wga peer "$B" remove
}

# What is dropped, by whose fault.
dropped() {
	! on a ping -q -c 1 -W 1 10.7.0.99 && ip_on b address add 10.7.0.9/32 dev lo &&
		! on b ping -q -c 1 -W 1 -I 10.7.0.9 10.7.0.1 &&
		said a 'No peer has 10.7.0.99 in its allowed IPs' \
			'Packet of peer @ has a source outside its allowed IPs, 10.7.0.9'
}

unanswered() {
	dmesg -C
	device_up a "$B" endpoint 10.0.1.3:9 || return
	on a ping -q -c 1 -w 1 10.7.0.2 >/dev/null
	skip_idle sleep 110
	said a 'Handshake for peer @ did not complete after 5 seconds, retrying \(try 2\)' \
		'Handshake for peer @ did not complete after 5 seconds, retrying \(try 18\)' \
		'Handshake for peer @ did not complete after [0-9]+ attempts, giving up' || return
	# The first one, and each that was announced.
	[ "$(log a | grep -c '^Sending handshake initiation')" -eq \
		"$(log a | grep -c -e '^Peer .* created' -e 'retrying')" ]
}

erased() {
	skip_idle sleep 560
	said a 'Zeroing out (all )?keys for peer @'
}

topology_up || exit 1
# The stock module's lines of keypairs count for the limit of messages.
defer sh -c "echo $(<$cost) >$cost"
echo 0 >$cost
defer debug -p
debug +p
ktap_plan 10
fresh
ktap_run "a session" session
ktap_run "the initiator says: peer, initiation, response, keypair" said a 'Interface created' \
	'Peer @ created' 'Sending handshake initiation to peer @' \
	'Receiving handshake response from peer @' 'Keypair [0-9]+ created for peer @'
ktap_run "the responder says: peer, initiation, response, keypair" said b 'Interface created' \
	'Peer @ created' 'Receiving handshake initiation from peer @' \
	'Sending handshake response to peer @' 'Keypair [0-9]+ created for peer @'
better "what is dropped, and why" dropped
ktap_run "changes of keys, peers and state" changes
gone
ktap_run "of the initiator, all that was made went" all_paired a 1 1 3
ktap_run "of the responder, all that was made went" all_paired b 1 2 3
ktap_run "a peer that does not answer: each try, and giving up" unanswered
ip_on a link del wga
fresh && session
ktap_run "keys that are too old are erased" erased
gone
ktap_run "and all that was made went" all_paired a 1 1 1
ktap_end
