#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two kinds of device with each other, in all combinations of who begins, outer and inner
# family, and preshared key. In each: a session, roaming of both ends, a rekey, a silence,
# and load on either end. What is expected is which handshake messages were on the wire, no
# more and no less, that packets came through, and where each end believes the other to be.
# For a VM with virtual time.
#
# usage: matrix.sh KIND_A KIND_B [CELL]...
#
# CELL is INNER-in-OUTER, or INNER-in-OUTER-psk: "4-in-6-psk". Without any: all.

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
cells=("${@:3}")
[ ${#cells[@]} -gt 0 ] || cells=(4-in-4 4-in-4-psk 6-in-4 6-in-4-psk 4-in-6 4-in-6-psk 6-in-6 6-in-6-psk)
. "$here/device.sh"
. "$here/pair.sh"

ktap_need nft python3
(umask 077 && wg genpsk >"$work/psk")

inner_of() {
	local number=1
	[ "$1" = a ] || number=2
	if [ "$inner" = 4 ]; then echo "10.7.0.$number"; else echo "fd07::$number"; fi
}

# outer_of END [moved]
outer_of() {
	local number=1
	[ "$1" = a ] || number=2
	[ $# -eq 1 ] || number=$number$number
	if [ "$outer" = 4 ]; then echo "10.0.0.$number"; else echo "fd00::$number"; fi
}

port_of() {
	if [ "$1" = a ]; then echo 51821; else echo 51822; fi
}

moved_port() {
	echo $(($(port_of "$1") + 10))
}

# forget END [SETTING...]: the end is back at its place, and its peer is a new one.
forget() {
	local end=$1 key=$B peer=2
	[ "$end" = a ] || key=$A peer=1
	wg_on "$end" set "wg$end" listen-port "$(port_of "$end")" peer "$key" remove \
		peer "$key" preshared-key "$psk" allowed-ips "10.7.0.$peer/32,fd07::$peer/128" "${@:2}"
}

# A new start: only who begins knows where the other is.
anew() {
	wc -l <"$work/wire" >"$work/anew"
	forget "$to" && forget "$from" endpoint "$(bracketed "$(outer_of "$to")"):$(port_of "$to")"
}

# marked: the messages that were on the wire, with "again" behind those of a handshake that the stock module
# begins though it has taken the answer to the last: it sets the timer for the next try after it has sent, and
# with a kernel that can be preempted the answer may have come by then.
marked() {
	awk -v a="${kind[a]}" -v b="${kind[b]}" -v anew="$(<"$work/anew")" '
		NR == anew + 1 { delete taken }
		{ initiator = $2 }
		$4 ~ /^1/ {
			again[$2] = ($2 == "a" ? a : b) == "wireguard" && taken[$2] && $1 - began[$2] < 6
			began[$2] = $1
			taken[$2] = 0
		}
		$4 ~ /^2/ { initiator = $2 == "a" ? "b" : "a" }
		$4 == "4" { taken[$2] = 1 }
		{ print $0, $4 ~ /^[12]/ && again[initiator] ? "again" : "" }' "$work/wire"
}

# since: the messages that were on the wire since the last time, marked.
since() {
	marked | awk -v told="$(<"$work/told")" 'NR > told'
}

# handshakes: likewise, those of handshakes, those of the other family marked, without those that are begun again.
handshakes() {
	since | awk -v version="v$outer" '
		$4 != "4" && $5 == "" { print $2 ":" $4 ($3 == version ? "" : "(" $3 ")") }' | paste -sd ' '
}

# heard MESSAGES: these, and no others.
heard() {
	local got
	got=$(handshakes)
	echo "on the wire: $got; expected: $1"
	[ "$got" = "$1" ]
}

# wire MESSAGE...: exactly these handshake messages have passed since the last time.
wire() {
	local status
	busywait 1000 heard "$*"
	status=$?
	since | grep 'again$' >>"$work/again"
	[ "$status" -eq 0 ] || since
	wc -l <"$work/wire" >"$work/told"
	return "$status"
}

# once FROM TO: one echo request, and it is answered.
once() {
	on "$1" ping -q -c 1 -W 3 "$(inner_of "$2")"
}

# knows_latest END: when the last handshake was.
knows_latest() {
	local last
	last=$(awk '$4 != "4" { last = int($1) } END { print last }' "$work/wire")
	echo "$1: latest handshake at $(handshake_time "$1"), on the wire at $last"
	[ $(($(handshake_time "$1") - last)) -ge -1 ] && [ $(($(handshake_time "$1") - last)) -le 1 ]
}

session() {
	anew && answers "$from" "$(inner_of "$to")" && wire "$from:1" "$to:2" &&
		knows_latest "$from" && knows_latest "$to"
}

# moves END OTHER: what END sends comes from another address and port from now on, as from
# behind a NAT, and the other follows.
moves() {
	local port endpoint
	port=$(moved_port "$1")
	wg_on "$1" set "wg$1" listen-port "$port" && once "$1" "$2" || return
	endpoint=$(wg_on "$2" show "wg$2" endpoints | cut -f 2)
	echo "endpoint at $2: $endpoint"
	[ "$endpoint" = "$(bracketed "$(outer_of "$1" moved)"):$port" ]
}

roams() {
	moves "$from" "$to" && once "$to" "$from" && moves "$to" "$from" && once "$from" "$to" && wire
}

# Who began does so again when 120 s are over, with the next packet. Twice, so that every
# place for a session had one.
rekeys() {
	# As many seconds, and some for those that are begun again.
	skip_idle on "$from" ping -q -i 1 -c 260 -W 3 "$(inner_of "$to")" >"$work/ping"
	cat "$work/ping"
	marked | tail -n 12
	grep -q '260 packets transmitted, 260 received' "$work/ping" &&
		wire "$from:1" "$to:2" "$from:1" "$to:2" &&
		marked | awk '
			$4 != "1" { next }
			$5 == "" { before = apart; apart = $1 - last }
			{ last = $1 }
			END {
				print before " and " apart " s apart"
				exit before < 119.9 || before > 121.5 || apart < 119.9 || apart > 121.5
			}' &&
		knows_latest "$from" && knows_latest "$to"
}

# Sessions are over then, and who answered has to begin.
silence() {
	skip_idle sleep 200
	answers "$to" "$(inner_of "$from")" && wire "$to:1" "$from:2"
}

# loaded END MESSAGE...: under load END demands a mac2, which the other has in its next attempt.
# Load is held for a second.
loaded() {
	local status
	anew || return
	burst_at "$1" && skip_idle answers "$from" "$(inner_of "$to")" 30
	status=$?
	kill -USR2 "${flood[$1]}"
	skip_idle sleep 1.5
	wire "${@:2}" && return "$status"
}

# burst_at END: the flood has begun.
burst_at() {
	local before
	before=$(wc -l <"$work/flood.$1")
	kill -USR1 "${flood[$1]}"
	busywait 5000 flooding "$1" "$before"
}

# flooding END LINES: there was another burst.
flooding() {
	[ "$(wc -l <"$work/flood.$1")" -gt "$2" ]
}

cell() {
	local name="${kind[$from]} to ${kind[$to]}, v$inner over v$outer, $1"
	local responder=("$from:1" "$to:3" "$from:1+mac2" "$to:2")
	local initiator=("$from:1" "$to:2" "$from:3" "$from:1" "$to:2+mac2")
	# All interfaces of the stock module are under load together.
	if [ "$KIND_A-$KIND_B" = wireguard-wireguard ]; then
		responder+=("$from:3" "$from:1+mac2" "$to:2+mac2")
		initiator=("${responder[@]}")
	fi
	ktap_run "$name: session" session
	ktap_run "$name: both roam" roams
	ktap_run "$name: two rekeys, nothing lost" rekeys
	ktap_run "$name: 200 s of silence" silence
	under_load "$name: responder under load" "$to" "${responder[@]}"
	under_load "$name: initiator under load" "$from" "${initiator[@]}"
}

# under_load NAME END MESSAGE...
under_load() {
	if [[ ${kind[$2]} = go && $(uname -r) = *-nwg-debug ]]; then
		ktap_skip "$1" "there wireguard-go reads more slowly than it works off, and is never under load"
	else
		ktap_run "$1" loaded "${@:2}"
	fi
}

topology_up || exit 1
# Who listens on another port is seen at another address, too.
for end in a b; do
	moved=$(moved_port "$end")
	on "$end" nft -f - <<-END || exit 1
		table inet roam {
			chain out {
				type filter hook postrouting priority 0
				udp sport $moved ip saddr set $(outer=4 && outer_of "$end" moved)
				udp sport $moved ip6 saddr set $(outer=6 && outer_of "$end" moved)
			}
		}
	END
done
device_up a "$B" && device_up b "$A" || exit 1

background a python3 "$here/handshakes.py" eth0 a b "$work/wire" >"$work/wire.log" 2>&1
defer kill $!
declare -A flood kind=([a]=$KIND_A [b]=$KIND_B)
outer=4
for end in a b; do
	key=$A
	[ "$end" = a ] || key=$B
	# To wireguard-go, load is 128 that wait, and each costs more.
	count=700
	if [ "${kind[$end]}" = go ]; then
		count=200
		# It names the interface that its answers leave by: where there is no way, the kernel takes
		# the receiver to be on that link, and the answers wait for its address and block the socket.
		ip_on "$end" route replace 198.18.0.0/15 via 10.0.0.250 dev eth0 &&
			ip_on "$end" neigh add 10.0.0.250 lladdr 02:00:00:00:00:fa dev eth0 || exit 1
	fi
	background "$end" python3 "$here/flood.py" "$(outer_of "$end"):$(port_of "$end")" "$key" $count \
		>"$work/flood.$end" 2>&1
	flood[$end]=$!
	defer kill $!
done
for log in wire.log flood.a flood.b; do
	slowwait 30 grep -qx ready "$work/$log" || { echo "$log" && cat "$work/$log" && exit 1; }
done

echo 0 >"$work/told"
directions=("a b")
[ "$KIND_A" = "$KIND_B" ] || directions+=("b a")
ktap_plan $((${#directions[@]} * ${#cells[@]} * 6))
for direction in "${directions[@]}"; do
	read -r from to <<<"$direction"
	for cell in "${cells[@]}"; do
		IFS=- read -r inner _ outer with <<<"$cell"
		psk=/dev/null
		[ -z "$with" ] || psk=$work/psk
		cell "${with:-no psk}"
	done
done
[ ! -s "$work/again" ] || ktap_diag "begun again by the stock module:" "$(<"$work/again")"
ktap_end
