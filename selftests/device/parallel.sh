#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One peer's packets, on all CPUs: several encrypt and decrypt, the counters leave in
# order, the packets are delivered in order, and a CPU may go and come back, or not run.
#
# usage: parallel.sh [KIND_A [KIND_B]]

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
KIND_A=${1:-nwg} KIND_B=${2:-wireguard}
. "$here/device.sh"
. "$here/pair.sh"

ktap_need iperf3 jq python3 socat tcpdump
total=$(nproc)
[ "$total" -gt 1 ] || ktap_skip_all "one CPU only"
tracing=/sys/kernel/tracing
ktap_plan 16

# traced FUNCTION: it is noted who calls this function of the module's, on which CPU. Before
# traffic: the kernel patches its code for it.
traced() {
	echo 0 >"$tracing/tracing_on"
	echo >"$tracing/trace"
	echo 20000 >"$tracing/buffer_size_kb"
	echo "$1" >"$tracing/set_ftrace_filter" && echo function >$tracing/current_tracer
}

# helped FUNCTION: a helper worked on it, and somebody else, on more than one CPU. Not how much:
# a helper gets the time that the machine has left.
helped() {
	awk -v function_name="$1" '
		$0 ~ function_name " <-" {
			total++
			if ($1 ~ /^kworker/)
				helper++
			match($0, /\[[0-9]+\]/)
			cpu[substr($0, RSTART, RLENGTH)]++
		}
		END {
			for (i in cpu)
				cpus++
			printf "%d packets, %d by helpers, %d CPUs\n", total, helper, cpus
			exit !(total > 1000 && helper > 0 && helper < total && cpus > 1)
		}' "$tracing/trace"
}

# ascending FILE: of the messages to one receiver the counters rise, one by one.
ascending() {
	python3 - "$1" <<-'END'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		last, seen, position = {}, 0, 24
		while position + 16 <= len(data):
		    length, = struct.unpack_from("<I", data, position + 8)
		    frame = data[position + 16:position + 16 + length]
		    position += 16 + length
		    message = frame[14 + 20 + 8:]
		    if len(message) < 16 or message[0] != 4:
		        continue
		    receiver, counter = struct.unpack_from("<IQ", message, 4)
		    if counter <= last.get(receiver, -1):
		        sys.exit(f"{counter} after {last[receiver]}, {seen} messages")
		    last[receiver] = counter
		    seen += 1
		print(seen, "messages")
		sys.exit(seen < 2000)
	END
}

# in_order_out SENDERS: at once, and each hands over more than a burst at a time.
in_order_out() {
	local status
	capture a eth0 "$work/out" -Q out -B 65536 -s 96 udp dst port 51822 &&
		on a iperf3 -c 10.7.0.2 -P "$1" -n 8M -i 0 >/dev/null
	status=$?
	capture_end
	[ "$status" -eq 0 ] && ascending "$work/out"
}

# What b sends comes in batches, on one CPU of a and in b's order.
batches() {
	on a sh -c 'echo 1 >/sys/class/net/eth0/queues/rx-0/rps_cpus' &&
		on b tc qdisc add dev eth0 root netem limit 20000 slot 100ms 100ms
}

in_order_in() {
	local result
	result=$(on a iperf3 -c 10.7.0.2 -u -R -b 20M -l 1200 -t 8 -i 0 -J) || return
	jq -c '.end.sum, .end.streams[].udp.out_of_order' <<<"$result"
	jq -e '.end.sum.packets - .end.sum.lost_packets > 500 and
		([.end.streams[].udp.out_of_order] | add) == 0' <<<"$result"
}

# What several senders of a's send as fast as it goes: it leaves by one CPU's queues. A CPU that the host keeps
# waiting may still be overtaken now and then.
in_order_of_many() {
	local result
	on a iperf3 -s -1 -D && slowwait 10 listening a tcp 5201 &&
		result=$(on b iperf3 -c 10.7.0.1 -u -R -b 0 -P 4 -l 120 -t 3 -i 0 -J) || return
	jq -c '.end.sum, .end.streams[].udp.out_of_order' <<<"$result"
	jq -e '.end.sum.packets - .end.sum.lost_packets > 500 and
		([.end.streams[].udp.out_of_order] | add) * 100 <= .end.sum.packets' <<<"$result"
}

# What lets others run beside a real-time program, and where: files, with what is in them. Later kernels have one for
# each CPU.
limits() {
	local file
	for file in /sys/devices/virtual/workqueue/cpumask /proc/sys/kernel/sched_rt_runtime_us \
		/sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		[ ! -e "$file" ] || echo "$file $(<"$file")"
	done
}

# limit: by lines like these. Linux 6.12 takes a value that is there already to be more than there is room for.
limit() {
	local file value
	while read -r file value; do
		[ "$(<"$file")" = "$value" ] || echo "$value" >"$file" || return
	done
}

# In the other order: a server has room while real-time programs have no limit.
usual_limits() {
	tac "$work/limits" | limit || ktap_diag "not all that lets others run is as it was"
}

# Helpers run on CPU 0: one that the host keeps waiting on another holds up what waits behind its burst.
no_limits() {
	awk '{ print $1, $1 ~ /cpumask/ ? 1 : $1 ~ /fair_server/ ? 0 : -1 }' "$work/limits" | limit
}

# held_up NAME [alone]: a CPU that has sent for a peer last and does not run holds the peer up for a tenth of a second;
# see held.py.
held_up() {
	local name=$1 output status
	shift
	if [ "$KIND_A" != nwg ]; then
		better "$name"
		return
	fi
	limits >"$work/limits"
	defer usual_limits
	output=$({ device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 &&
		answers a 10.7.0.2 && no_limits && on a python3 "$here/held.py" "$@"; } 2>&1)
	status=$?
	usual_limits
	case $status in
	0) ktap_ok "$name" ;;
	3) ktap_skip "$name" "this kernel lets others run beside a real-time program" ;;
	4) ktap_diag "$output" && ktap_skip "$name" "the machine is too slow to say" ;;
	*) ktap_fail "$name" "held.py $* failed ($status)" "$output" ;;
	esac
}

# cpus STATE FIRST: from FIRST on, all are online (1) or not (0).
cpus() {
	local number status=0
	for ((number = $2; number < total; number++)); do
		echo "$1" >"/sys/devices/system/cpu/cpu$number/online" || status=1
	done
	return "$status"
}

# streams FROM TO ADDRESS: files arrive unchanged, one after the other, until $work/stop is
# there; prints how many.
streams() {
	local count=0
	until [ -e "$work/stop" ]; do
		stream "$1" "$2" "$3" "$work/payload" || return
		count=$((count + 1))
	done
	echo "$count from $1"
}

received() {
	on "$1" cat "/sys/class/net/wg$1/statistics/rx_bytes"
}

more_than() {
	[ "$(received "$1")" -gt "$2" ]
}

# goes_on NODE: hundreds of packets arrive there, however slow the machine is.
goes_on() {
	slowwait 240 more_than "$1" $(($(received "$1") + 1000000))
}

# while_streaming FROM TO ADDRESS COMMAND...: while files are sent. All CPUs are there afterwards.
while_streaming() {
	local from=$1 to=$2 address=$3 status streams
	shift 3
	rm -f "$work/stop"
	streams "$from" "$to" "$address" &
	streams=$!
	"$@"
	status=$?
	cpus 1 1 || status=1
	touch "$work/stop"
	wait "$streams" && [ "$status" -eq 0 ]
}

# cpus_go TO: the last one, and all but one, go and come back, and still it arrives.
cpus_go() {
	for _ in 1 2 3; do
		cpus 0 $((total - 1)) && goes_on "$1" && cpus 1 1 && goes_on "$1" &&
			cpus 0 1 && goes_on "$1" && cpus 1 1 && goes_on "$1" || return
	done
}

# begun_by FUNCTION WORKER: polls that wait for more are begun by this work, and by no other, meanwhile, in workers
# called so. One that was queued before may be.
begun_by() {
	goes_on a && echo >"$tracing/trace" && goes_on a || return
	awk -v function_name="$1" -v worker="^kworker/$2" '
		/gather_work/ { total++ }
		$1 ~ worker && $0 ~ function_name " <-" { its++ }
		END {
			printf "%d polls, %d by %s in %s\n", total, its, function_name, worker
			exit !(its > 0 && its == total)
		}' "$tracing/trace"
}

# Where there are several CPUs, in a worker of one, so that what is relayed leaves by one. Where there is one, in any
# worker.
begun_there() {
	begun_by gather_work '[0-9]+:' && cpus 0 1 && begun_by gather_work_unbound u && cpus 1 1 &&
		begun_by gather_work '[0-9]+:'
}

traced_begun_there() {
	local status
	traced 'gather_work*' && echo 1 >"$tracing/tracing_on" && while_streaming b a 10.7.0.1 begun_there
	status=$?
	echo 0 >"$tracing/tracing_on"
	echo nop >"$tracing/current_tracer"
	return "$status"
}

# in_order_until_helped FUNCTION COMMAND...: in order every time; five times at most.
in_order_until_helped() {
	local function=$1 status
	shift
	for _ in 1 2 3 4 5; do
		echo >"$tracing/trace"
		echo 1 >"$tracing/tracing_on"
		"$@"
		status=$?
		echo 0 >"$tracing/tracing_on"
		[ "$status" -eq 0 ] || return "$status"
		! helped "$function" || break
	done
}

# Another peer is allowed everything. What is for b's address goes to b also while b's allowed IPs
# are replaced by the same: one packet to the other peer would begin a handshake with it.
replaced_meanwhile() {
	local flood other prefixes status=0
	other=$(wg genkey | wg pubkey)
	prefixes=$(printf '10.8.%d.0/24,' {0..199})
	device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821 &&
		wg_on a set wga peer "$other" allowed-ips 0.0.0.0/0 endpoint 10.0.1.3:9 &&
		answers a 10.7.0.2 || return
	background a ping -q -f 10.7.0.2 >/dev/null
	flood=$!
	for _ in {1..100}; do
		wg_on a set wga peer "$B" allowed-ips "${prefixes}10.7.0.2/32" || status=1
	done
	kill "$flood"
	wg_on a show wga transfer
	wg_on a show wga transfer | grep -q "^$other	0	0$" && return "$status"
}

# What comes by a VRF, in batches: of each packet it is known by which interface in it, also of
# those that wait for their turn. The stock module goes by the VRF.
by_vrf() {
	local endpoint interface=eth0
	[ "$KIND_A" = nwg ] || interface=vrf1
	on a sysctl -qw net.ipv4.udp_l3mdev_accept=1 && vrf_up eth0 &&
		ip_on a address replace fe80::a/64 dev eth0 nodad &&
		ip_on b address replace fe80::b/64 dev eth0 nodad &&
		device_up a "$B" && device_up b "$A" endpoint '[fe80::a%eth0]:51821' &&
		answers b 10.7.0.1 && batches && in_order_in || return
	endpoint=$(wg_on a show wga endpoints | cut -f 2)
	echo "$endpoint"
	[ "$endpoint" = "[fe80::b%$interface]:51822" ]
}

# traced_run RESULT FUNCTION COMMAND...: two results. Where functions can be traced, this one
# must be among them.
traced_run() {
	local name=$1 function=$2
	shift 2
	if [ "$KIND_A" != nwg ]; then
		ktap_run "$name: in order" "$@"
		ktap_skip "$name: on several CPUs" "who does it is known of nwg only"
		return
	fi
	if ! grep -sqw function "$tracing/available_tracers"; then
		ktap_run "$name: in order" "$@"
		ktap_skip "$name: on several CPUs" "this kernel has no function tracer"
		return
	fi
	if ! traced "$function" 2>/dev/null; then
		ktap_run "$name: in order" "$@"
		ktap_fail "$name: on several CPUs" "$function cannot be traced"
		return
	fi
	ktap_run "$name: in order" in_order_until_helped "$function" "$@"
	ktap_run "$name: on several CPUs" helped "$function"
	echo nop >"$tracing/current_tracer"
}

topology_up
on b iperf3 -s -D
head -c 3000000 /dev/urandom >"$work/payload"
device_up a "$B" endpoint 10.0.0.2:51822 && device_up b "$A" endpoint 10.0.0.1:51821
ktap_run "a and b talk" answers a 10.7.0.2
traced_run "many streams out" aead_encrypt in_order_out 4
traced_run "one stream out" aead_encrypt in_order_out 1
ktap_run "many senders: what they send arrives in order" in_order_of_many
ktap_run "a and b talk in batches" batches
traced_run "batches in" aead_decrypt in_order_in
on b tc qdisc del dev eth0 root
defer cpus 1 1
ktap_run "CPUs go and come back while a sends" while_streaming a b 10.7.0.2 cpus_go b
ktap_run "CPUs go and come back while b sends" while_streaming b a 10.7.0.1 cpus_go a
begun="a poll that waits begins on its CPU, unless that is the only one"
if grep -sqw function "$tracing/available_tracers"; then
	better "$begun" traced_begun_there
else
	ktap_skip "$begun" "this kernel has no function tracer"
fi
held_up "a CPU that a real-time program keeps holds no peer up"
held_up "a real-time program that sends needs no work of its CPU" alone
better "what is for one peer goes to no other while allowed IPs are replaced" replaced_meanwhile
ktap_run "batches in by a VRF: answered by the interface in it" by_vrf
ktap_end
