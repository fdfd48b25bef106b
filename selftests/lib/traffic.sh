# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Traffic between nodes of a topology, and captures of it. Whoever sources this has
#	on NODE COMMAND...         that runs a command on a node
#	background NODE COMMAND... that starts one, its process is $!

# answers FROM ADDRESS [SECONDS]: an echo request is answered, the first or a later one.
answers() {
	on "$1" ping -q -c 1 -w "${3:-10}" "$2" >/dev/null
}

# After rmmod: the module that is tested.
module_comes() {
	if [ -n "${NWG_MODULE:-}" ]; then insmod "$NWG_MODULE"; else modprobe nwg; fi
}

# bracketed ADDRESS: as it stands before a colon and a port.
bracketed() {
	case $1 in
	*:*) echo "[$1]" ;;
	*) echo "$1" ;;
	esac
}

# listening NODE tcp|udp PORT
listening() {
	on "$1" ss -Hln "--$2" "sport = :$3" | grep -q .
}

same_hash() {
	[ "$(sha256sum <"$1")" = "$(sha256sum <"$2")" ]
}

# stream FROM TO ADDRESS FILE: FILE arrives unchanged over TCP, at FILE.FROM-TO.
stream() {
	local out=$4.$1-$2 server status
	background "$2" socat -u TCP6-LISTEN:7000,ipv6only=0,reuseaddr "OPEN:$out,creat,trunc"
	server=$!
	slowwait 10 listening "$2" tcp 7000 &&
		on "$1" socat -u "OPEN:$4" "TCP:$(bracketed "$3"):7000,connect-timeout=10" &&
		wait "$server" && same_hash "$4" "$out"
	status=$?
	kill "$server" 2>/dev/null
	return "$status"
}

# capture NODE INTERFACE FILE [OPTION|FILTER]...: capture until capture_end; several may run. There is room for
# 512 of the largest packets that there are: with its defaults tcpdump has room for eight, and loses more.
capture() {
	local node=$1 interface=$2 file=$3
	shift 3
	background "$node" tcpdump -Z root -i "$interface" -s 65535 -B 32768 -U --immediate-mode \
		-w "$file" "$@" 2>"$file.log"
	CAPTURES+=($!)
	slowwait 20 grep -q 'listening on' "$file.log" || {
		cat "$file.log"
		return 1
	}
}

capture_end() {
	kill -INT "${CAPTURES[@]}"
	wait "${CAPTURES[@]}"
	CAPTURES=()
}

# captured FILE [FILTER]: number of packets in a capture; none if it cannot be read.
captured() {
	local packets
	packets=$(tcpdump -n -r "$1" "${@:2}" 2>/dev/null) || return
	awk 'NF' <<<"$packets" | wc -l
}

# bytes_captured FILE [FILTER]: their size, as several datagrams may have been one packet where they were seen.
# Of a capture of Ethernet or of all interfaces.
bytes_captured() {
	tcpdump -ne -r "$1" "${@:2}" 2>/dev/null |
		sed -n 's/^.*ethertype [^,]*, length \([0-9]*\): .*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'
}
