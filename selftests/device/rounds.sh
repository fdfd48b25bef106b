#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two workers at once, a hundred rounds each or as many as wanted: interfaces are made,
# configured, used, moved to another namespace under traffic, used there, and deleted under
# traffic. What the kernel's log says of it is for the runner to judge.
#
# usage: rounds.sh [KIND_A [KIND_B [ROUNDS]]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-nwg}
. "$here/device.sh"
. "$here/../lib/traffic.sh"

ktap_need ping python3 wg
need_kinds
ktap_plan 3

workers=2 rounds=${3:-100}
work=$(mktemp -d)
defer rm -rf "$work"

# configure NODE NAME WORKER INNER PEER: address 10.8.WORKER.INNER.
configure() {
	local node=$1 name=$2 worker=$3 inner=$4 peer=$5 outer=10.0.0.2
	[ "$inner" = 1 ] || outer=10.0.0.1
	wg_on "$node" set "$name" private-key "$work/$worker.$inner" listen-port "6$worker$inner" \
		peer "$(<"$work/$worker.$peer.public")" allowed-ips "10.8.$worker.$peer/32" \
		endpoint "$outer:6$worker$peer" persistent-keepalive 1
}

# addressed NODE NAME WORKER INNER
addressed() {
	ip -n "$PREFIX-$1" -batch - <<-END
		address add 10.8.$3.$4/24 dev $2
		link set $2 up
	END
}

# flood NODE ADDRESS: bursts of datagrams until it is killed, whether there is a way or not.
flood() {
	background "$1" python3 -c '
import socket, sys, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    for _ in range(100):
        try:
            udp.sendto(bytes(1300), (sys.argv[1], 9))
        except OSError:
            break
    time.sleep(0.1)' "$2"
}

# round WORKER NUMBER: the interface x of a goes to c and dies there or is deleted with its
# peer's; the sockets stay in a.
round() {
	local worker=$1 number=$2 x=x$1 y=y$1 status=0
	link_add a "$x" && link_add b "$y" &&
		configure a "$x" "$worker" 1 2 && configure b "$y" "$worker" 2 1 &&
		addressed a "$x" "$worker" 1 && addressed b "$y" "$worker" 2 &&
		answers a "10.8.$worker.2" 20 || return
	ip_on a link set "$x" netns "$PREFIX-c" && addressed c "$x" "$worker" 1 &&
		answers c "10.8.$worker.2" 20 || status=1
	case $((number % 4)) in
	0) ip_on c link del "$x" && ip_on b link del "$y" ;;
	1) ip_on b link del "$y" && ip_on c link del "$x" ;;
	2) # back, and away by its peer first
		wg_on b set "$y" peer "$(<"$work/$worker.1.public")" remove &&
			ip_on c link set "$x" netns "$PREFIX-a" && ip_on a link del "$x" &&
			ip_on b link del "$y"
		;;
	3) # both at once
		ip_on c link del "$x" &
		ip_on b link del "$y" && wait $!
		;;
	esac || status=1
	[ "$status" -eq 0 ] || echo "worker $worker, round $number"
	return "$status"
}

worker() {
	local number traffic status=0
	flood b "10.8.$1.1"
	traffic=$!
	for ((number = 0; number < rounds && status == 0; number++)); do
		round "$1" "$number" || status=1
	done
	kill "$traffic"
	return "$status"
}

all_workers() {
	local worker pids=() status=0
	for ((worker = 1; worker <= workers; worker++)); do
		worker "$worker" &
		pids+=($!)
	done
	for worker in "${pids[@]}"; do
		wait "$worker" || status=1
	done
	return "$status"
}

nothing_left() {
	! { ip_on a -o link && ip_on b -o link && ip_on c -o link; } | grep -E ' [xy][0-9]'
}

topology_up
for ((w = 1; w <= workers; w++)); do
	for end in 1 2; do
		(umask 077 && wg genkey >"$work/$w.$end") && wg pubkey <"$work/$w.$end" >"$work/$w.$end.public"
	done
done
ktap_run "$((workers * rounds)) rounds on $workers workers" all_workers
ktap_run "no interface is left" nothing_left
topology_down
ktap_run "the namespaces can be made again" topology_make
ktap_end
