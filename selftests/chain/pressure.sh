#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Strangers flood the relay with initiations that nobody can tell from true ones without the home's
# private key, their sources forged; or the home itself; or both. What gets through: who is known, and
# who shows that it is where it says it is. For a VM with virtual time.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# One attempt, and two more, each five seconds and up to a third later.
TWO_RETRIES=12

# A burst every half second. What is put into the first second passes before the relay knows.
BURST=1000
# More than a slow kernel works off would be another test.
! debug_kernel || BURST=300

# A port of the pc's, and what the relay sends there is looked at.
MAC1_PORT=40404

# The forged sources: what is sent to them ends where they are from.
flooders() {
	routes vps '198.18.0.0/15 via 192.0.2.2' && routes mt 'blackhole 198.18.0.0/15' &&
		flooder pc 192.0.2.1 "$BURST" && flooder lan 192.168.88.1 700
}

# state: what of the relay only those who are let in change, and what those change who are not.
state() {
	relay | jq -r '.[0] | "\(.flows.new + .flows.established) \(.forward.forwarded_packets) \(
		.forward.drops.cookie // 0) \(.reverse.cookie_replies)"'
}

asked_by() {
	state | cut -d ' ' -f "$(if [ "$1" = relay ]; then echo 3; else echo 4; fi)"
}

# Not even in a flood is a wrong mac1 answered. That a right one is, is seen of the next.
only_mac1_answered() {
	local before wrong
	before=$(relay | jq '.[0].forward.drops.mac1 // 0')
	capture pc vps "$CHAIN_DIR/mac1.pcap" "udp src port $RELAY_PORT and dst port $MAC1_PORT" || return
	wrong=$(forge pc mac1 --source "$MAC1_PORT" | awk '{ print $2 }') && slowwait 10 dropped_for_mac1 \
		$((before + wrong)) && forge pc initiation --source "$MAC1_PORT" && slowwait 10 one_answered
	capture_end
	echo "$wrong wrong ones, $(captured "$CHAIN_DIR/mac1.pcap") answers"
	one_answered
}

dropped_for_mac1() {
	[ "$(relay | jq '.[0].forward.drops.mac1')" -eq "$1" ]
}

one_answered() {
	[ "$(captured "$CHAIN_DIR/mac1.pcap" 'udp[8] == 3')" -eq 1 ] && [ "$(captured "$CHAIN_DIR/mac1.pcap")" -eq 1 ]
}

# Nothing that is let in is under way.
settled() {
	local before
	before=$(state | cut -d ' ' -f 1,2,4)
	sleep 1
	[ "$(state | cut -d ' ' -f 1,2,4)" = "$before" ]
}

# The flood goes on, and nothing of it is kept or sent on; each message is answered. What came in before
# the relay knew may end meanwhile. The pc itself says nothing.
kept_out() {
	local flows forwarded asked home before after bursts left
	ip -n "$CHAIN-pc" link set wg0 down && slowwait 60 settled || return
	before=$(state)
	bursts=$(bursts_of pc)
	slowwait 20 more_bursts pc $((bursts + 3)) || return
	after=$(state)
	printf '%s\n' "$before" "$after"
	renew pc wg0 || return
	read -r flows forwarded asked home <<<"$before"
	[[ $after == *" $forwarded "*" $home" ]] && read -r left _ after _ <<<"$after" &&
		[ "$left" -le "$flows" ] && [ $((after - asked)) -ge $((2 * BURST)) ]
}

# stranger SECONDS: the pc comes from another port, without a session, and is answered within so long.
stranger() {
	NEW_PORT=$((${NEW_PORT:-$CLIENT_PORT} + 1))
	wgtool pc set wg0 listen-port "$NEW_PORT" && renew pc wg0 &&
		skip_idle answers pc "$MT4" "$1"
}

# asked END SECONDS [COOKIES]: as a stranger, who is given so many cookies by the relay, or one, and shows it. Is
# END the home, that has asked, too, which nobody else could have made it do.
asked() {
	local before status given shown
	before=$(asked_by home)
	capture pc vps "$CHAIN_DIR/pc.pcap" "udp port $RELAY_PORT and udp port $((NEW_PORT + 1))" || return
	stranger "$2"
	status=$?
	capture_end
	given=$(captured "$CHAIN_DIR/pc.pcap" "src port $RELAY_PORT and udp[8] == 3")
	shown=$(captured "$CHAIN_DIR/pc.pcap" "dst port $RELAY_PORT and udp[8] == 1 and udp[140:4] != 0")
	echo "$given cookies given, $shown shown; the home asked $before times before, and $(asked_by home) now"
	tcpdump -n -r "$CHAIN_DIR/pc.pcap" 2>/dev/null
	[ "$status" -eq 0 ] && [ "$given" -ge "${3:-1}" ] && [ "$shown" -ge 1 ] || return
	[ "$1" = relay ] || [ "$(asked_by home)" -gt "$before" ]
}

# two_retries END [COOKIES]: within those. The secret of a cookie lives for two minutes, and where it ends between
# two attempts it takes one more: not twice.
two_retries() {
	asked "$1" "$TWO_RETRIES" "${2:-1}" || asked "$1" "$TWO_RETRIES" "${2:-1}"
}

# The same port, without a session.
known() {
	renew pc wg0 && skip_idle answers pc "$MT4" "$1"
}

# Likewise at once, with cookies that it has. Each is made with a secret that lives for two minutes, and may just
# have ended: not twice.
known_by_cookies() {
	known 3 || known 3
}

# borrow KIND [COUNT PAUSE]: for a minute, somebody who knows the client's address and port uses up what
# the relay lets it have of initiations, 20 a second; or sends responses, of which the home wants a cookie
# under load. None of those shows one. COUNT at once, and after a PAUSE again.
borrow() {
	ANSWERS=$(answers_of)
	forge pc "$1" --source "$NEW_PORT" --ports "${2:-5}" --pause "${3:-0.005}" --seconds 60 \
		>/dev/null 2>"$CHAIN_DIR/forge" &
	BORROWER=$!
	slowwait 20 grep -q sent "$CHAIN_DIR/forge"
}

# answers_of: responses of the client's that were sent on, and what was dropped as answering nothing.
answers_of() {
	relay | jq -r '.[0].forward | "\(.responses) \(.drops["no-flow"] // 0)"'
}

none_answered() {
	local responses dropped
	echo "$ANSWERS, then $(answers_of)"
	read -r responses dropped <<<"$ANSWERS"
	[[ $(answers_of) == "$responses "* ]] && [ "$(answers_of | cut -d ' ' -f 2)" -ge $((dropped + 20)) ]
}

borrowed_from() {
	local status
	capture pc vps "$CHAIN_DIR/shown.pcap" "udp dst port $RELAY_PORT and src port $NEW_PORT and
		((udp[8] == 1 and udp[140:4] != 0) or (ip6[48] == 1 and ip6[180:4] != 0))" || return
	known "$TWO_RETRIES"
	status=$?
	pkill -P "$BORROWER"
	wait "$BORROWER"
	skip_idle sleep 3 # no pressure of theirs is left
	capture_end
	[ "$(captured "$CHAIN_DIR/shown.pcap")" -ge 1 ] && return "$status"
}

# far DELAY: each datagram of the home is so long under way.
far() {
	on mt tc qdisc add dev isp root netem delay "$1"
}

near() {
	on mt tc qdisc del dev isp root
}

# Of who was asked last: one cookie, the relay's. (Of responses there may be two: all interfaces of the stock module are under
# load together, and then the client asks for a cookie, too.)
told_once() {
	[ "$(captured "$CHAIN_DIR/pc.pcap" "src port $RELAY_PORT and udp[8] == 3")" -eq 1 ] &&
		[ "$(captured "$CHAIN_DIR/pc.pcap" "src port $RELAY_PORT and udp[8] == 2")" -ge 1 ]
}

# unasked: a stranger gets through at once, and nobody asks for anything.
unasked() {
	local before
	before=$(state | cut -d ' ' -f 3-)
	stranger 3 && [ "$(state | cut -d ' ' -f 3-)" = "$before" ]
}

pressure() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "a client is known" answers pc "$MT4"
	check "there are those who may flood" flooders

	check "no flood: a stranger gets through at once" unasked
	check "the relay is flooded" flood pc
	check "no flow is made for it, and nothing of it is sent on" kept_out
	check "a wrong mac1 is not answered, a right one is" only_mac1_answered
	check "who is known gets through at once" known 3
	check "a stranger gets through within two retries, with a cookie" two_retries relay
	check "and is known then" known 3
	check "the flood ends" flood_ends pc
	check "a stranger gets through at once again" unasked

	check "others initiate in the name of who is known" borrow borrowed
	check "it gets through within two retries, with a cookie" borrowed_from

	check "the home is far away" far 150ms
	check "others initiate in its name, no more than it may itself, and faster than the home answers" \
		borrow borrowed 2 0.11
	check "it gets through within two retries, with a cookie" borrowed_from
	check "the home is near again" near

	check "the home is flooded" flood lan
	check "a stranger gets through within two retries, with a cookie" two_retries home
	check "which is the only one that it is given" told_once
	check "who is known gets through at once, with the cookies that it and the relay have" known_by_cookies
	check "others answer in its name" borrow responses
	check "it gets through within two retries, with a cookie" borrowed_from
	check "none of those answers was sent on" none_answered

	check "both are flooded" flood pc
	check "nothing of it is kept, and nothing sent on" kept_out
	check "a stranger gets through within two retries, with a cookie for each" \
		two_retries home 2
	check "who is known gets through at once" known_by_cookies
	check "the floods end" flood_ends pc lan
	check "a stranger gets through at once again" unasked

	check "the relay moves to v6" outer 6
	check "a client is known" answers pc "$MT4"
	check "others initiate in its name" borrow borrowed
	check "it gets through within two retries, with a cookie" borrowed_from
}

each_chain 35 pressure "$@"
