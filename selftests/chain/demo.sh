#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What selftests/demo shows: the chain with stock wireguard at pc and mt and nwg on the
# vps, a web page fetched through it, and what the vps sees of that. Every figure is
# measured while it runs; nothing else is printed as one.
#
# DEMO_LIVE     not empty: colours, and a picture that is redrawn
# DEMO_CHARSET  UTF-8: lines and marks beyond ASCII
# Exit status: 0 every point holds, 1 one does not.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

FILE_SIZE=16000000
# B/s: a machine that is not busy has time to draw.
FILE_RATE=2000000
FAILED=0 POINTS=0

if [ -n "$DEMO_LIVE" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' plain=$'\e[0m'
else
	bold='' dim='' red='' green='' yellow='' plain=''
fi
if [ "$DEMO_CHARSET" = UTF-8 ]; then
	yes='✓' no='✗' forward='→' back='←' line='─' double='═' side='│' cross='╪'
	corners=('┌' '┐' '└' '┘')
else
	yes=ok no='no' forward='>' back='<' line='-' double='=' side='|' cross='|'
	corners=('+' '+' '+' '+')
fi

heading() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

# point TEXT COMMAND...: a claim, and what was measured: the command prints that, and
# fails if the claim does not hold.
point() {
	local text=$1 measured
	shift
	((++POINTS))
	if measured=$("$@" 2>&1); then
		printf '  %s%s%s %-44s %s\n' "$green" "$yes" "$plain" "$text" "$dim$measured$plain"
	else
		((++FAILED))
		printf '  %s%s %-44s %s%s\n' "$red" "$no" "$text" "$measured" "$plain"
	fi
}

# must COMMAND...: without it there is nothing to show.
must() {
	"$@" >"$WORK/log" 2>&1 && return
	printf '%s%s failed:%s\n' "$red" "$*" "$plain"
	cat "$WORK/log"
	exit 1
}

# is WANTED MEASURED [UNIT]
is() {
	echo "$2${3:+ $3}"
	[ "$2" = "$1" ]
}

# The picture. What does not change is put together once.

repeat() {
	local text=''
	while [ ${#text} -lt "$2" ]; do text+=$1; done
	printf %s "$text"
}

# four LEFT RIGHT: the upper or lower edges of four boxes.
four() {
	local edge=$1
	edge+=$(repeat "$line" 10)$2
	printf '%s     %s     %s     %s' "$edge" "$edge" "$edge" "$edge"
}

still_life() {
	local join
	join=$(repeat "$double" 5)
	NAMES=$bold$(printf '   %-17s%-17s%-17s%-17s%s' pc vps 'isp (CGNAT)' mt lan)$plain
	ABOVE=$(four "${corners[0]}" "${corners[1]}")
	WITHIN="$side      wg0 $cross$join$cross  relay   $cross$join$cross   NAT    $cross$join$cross wg0      $side"
	WITHIN+="$line$line web"
	BELOW=$(four "${corners[2]}" "${corners[3]}")
	KINDS=$(printf ' %-16s %-16s %-16s %s' "$KIND_PC" "$KIND_VPS" nftables "$KIND_MT")
	ENDPOINTS=$(printf ' %-16s %-16s %-16s %s' 192.0.2.2 "$(relay_at)" "mt is :$(mt_port)" "$(relay_to)")
}

megabytes() {
	printf '%d.%02d MB' $(($1 / 1000000)) $(($1 / 10000 % 100))
}

# tunnel_bytes NODE: "RX TX" of wg0.
tunnel_bytes() {
	ip -n "$CHAIN-$1" -j -s link show wg0 |
		jq -r '.[0].stats64 | "\(.rx.bytes) \(.tx.bytes)"'
}

picture() {
	local pc_rx pc_tx mt_rx mt_tx forwarded reversed dropped rows
	read -r pc_rx pc_tx < <(tunnel_bytes pc)
	read -r mt_rx mt_tx < <(tunnel_bytes mt)
	read -r forwarded reversed dropped < <(relay | jq -r '.[0] | [.forward.forwarded_packets,
		.reverse.forwarded_packets, ([.forward.drops[], .reverse.drops[]] | add)] | @tsv')
	rows=("$NAMES" "$ABOVE" "$WITHIN" "$BELOW" "$KINDS" "$ENDPOINTS")
	printf -v 'rows[6]' ' sent %-11s %s %-31s got  %s' "$(megabytes "$pc_tx")" "$forward" \
		"$forwarded packets" "$(megabytes "$mt_rx")"
	printf -v 'rows[7]' ' got  %-11s %s %-31s sent %s' "$(megabytes "$pc_rx")" "$back" \
		"$reversed packets" "$(megabytes "$mt_tx")"
	printf -v 'rows[8]' ' %-16s dropped %s' '' "$dropped"
	# Over the last picture, clearing what stands behind each row.
	if [ -n "$DEMO_LIVE" ]; then
		printf '%s\e[K\n' "${DRAWN:+$'\e['${#rows[@]}A}${rows[0]}" "${rows[@]:1}"
	else
		printf '%s\n' "${rows[@]}"
	fi
	DRAWN=yes
}

# The page and a file, served in the mt's lan.
serve() {
	mkdir "$WORK/www"
	head -c "$FILE_SIZE" /dev/urandom >"$WORK/www/file"
	cat >"$WORK/www/index.html" <<-END
		<title>Home</title>
		<h1>Hello from the lan behind the mt</h1>
		<p>$MARKER</p>
		<p>Number of this visit: $RANDOM$RANDOM</p>
	END
	background lan python3 -m http.server --directory "$WORK/www" 80
	slowwait 20 listening lan tcp 80
}

# get PATH FILE [curl option...]
get() {
	on pc curl -sS --max-time 120 -o "$2" "${@:3}" "http://$LAN4/$1"
}

fetched() {
	is "$(sha256sum <"$WORK/www/$1" | cut -c 1-16)" "$(sha256sum <"$2" | cut -c 1-16)"
}

download() {
	get file "$WORK/file" --limit-rate "$FILE_RATE" &
	local client=$!
	still_life
	DRAWN=''
	if [ -n "$DEMO_LIVE" ]; then
		while kill -0 $client 2>/dev/null; do picture; done
	fi
	wait $client
	picture
}

# What the vps sees.

# snippet CAPTURE FILTER: the first packet, 6 lines of its bytes.
snippet() {
	tcpdump -n -r "$1" -c 1 -X "$2" 2>/dev/null | sed '1s/^.* IP/IP/; s/^[[:space:]]*/    /; 7q'
}

marks() {
	traces "$1" | cut -d ' ' -f 1
}

pairs() {
	traces "$1" | cut -d ' ' -f 2
}

at_least_one() {
	echo "$1 $2"
	[ "$1" -gt 0 ]
}

# What the vps is not.

# settings PATTERN: how many there are, and the values they have.
settings() {
	on vps sysctl -a --pattern "$1" | awk '
		{ values[$NF]; count++ }
		END { for (value in values) list = list " " value; print count " settings:" list }'
}

all_zero() {
	local found
	found=$(settings "$1")
	echo "$found"
	[[ $found =~ ^[1-9][0-9]*\ settings:\ 0$ ]]
}

no_rules() {
	local rules tables
	rules=$(on vps nft list ruleset | wc -l)
	tables=$(on vps sh -c 'cat /proc/net/ip_tables_names /proc/net/ip6_tables_names' 2>/dev/null | wc -l)
	echo "$rules lines, $tables tables"
	[ "$rules$tables" = 00 ]
}

tracked() {
	{
		on vps conntrack -L -f ipv4
		on vps conntrack -L -f ipv6
	} 2>/dev/null | wc -l
}

# What is refused.

drops() {
	relay | jq ".[0].forward.drops[\"$1\"]"
}

junk() {
	local mapped
	mapped=$(flows | jq '.[0].mapped_port')
	SHAPE=$(drops shape) MAC1=$(drops mac1) NO_FLOW=$(drops no-flow)
	capture mt wg1 "$WORK/junk.pcap" "udp dst port $RELAY_PORT and not src port $mapped" &&
		SENT=$(forge pc junk lengths reserved mac1 unknown)
}

sent() {
	awk -v names=" $* " 'index(names, " " $1 " ") { sum += $2 } END { print sum }' <<<"$SENT"
}

refused() {
	local now
	now=$(($(drops "$1") - $2))
	echo "$now of $3 sent"
	[ "$now" -eq "$3" ]
}

WORK=$(mktemp -d)
CHECK_OUTPUT=$WORK/output
defer rm -rf "$WORK"
defer chain_down

printf '%snwg: a WireGuard relay that cannot look inside%s  (Linux %s, virtual machine)\n' \
	"$bold" "$plain" "$(uname -r)"
heading 'Five machines, as network namespaces'
cat <<-'END'
	  pc    anywhere, stock wireguard                 lan   a web server at home
	  vps   public address, nwg and its relay         isp   carrier-grade NAT in between
	  mt    the home's router, stock wireguard: nobody can dial it, it dials the vps
END
chain_kind stock
must chain_up
must serve
point "wg1: the mt has dialled the vps from behind NAT" slowwait 20 handshaken vps wg1
must capture vps any "$WORK/vps.pcap" -s 2000
must capture mt wg0 "$WORK/mt.pcap" -s 2000
point "wg0: the pc's handshake passed the relay" answers pc "$MT4" 20

heading "The pc fetches http://$LAN4/ through wg0"
must get '' "$WORK/page"
printf '%s' "$yellow"
sed 's/^/    /' "$WORK/page"
printf '%s' "$plain"
point 'the page is the one that is served (SHA-256)' fetched index.html "$WORK/page"
must capture_end

heading "The pc fetches a file of $((FILE_SIZE / 1000000)) MB, $((FILE_RATE / 1000000)) MB a second"
download
point "the file is the one that is served (SHA-256)" fetched file "$WORK/file"

heading 'What the vps sees: a packet of that page, as it leaves for the pc'
snippet "$WORK/vps.pcap" "udp src port $RELAY_PORT and greater 300"
point 'the page'"'"'s text, in all the vps sent and received' is 0 "$(marks "$WORK/vps.pcap")" times
point 'inner addresses, likewise' is 0 "$(pairs "$WORK/vps.pcap")" times
point 'the same search, inside wg0 at the mt' at_least_one "$(marks "$WORK/mt.pcap")" "times the text"

heading 'What the vps is not: a router, a firewall'
point 'net.ipv4: no forwarding' all_zero 'net\.ipv4\.(ip_forward$|conf\..*\.forwarding)'
point 'net.ipv6: no forwarding' all_zero 'net\.ipv6\.conf\..*\.forwarding'
point 'no nftables rules, no iptables tables' no_rules
point 'no connection tracking entries' is 0 "$(tracked)" entries

heading 'What does not get past the relay'
must junk
point 'not WireGuard, or not as it should be' refused shape "$SHAPE" "$(sent junk lengths reserved)"
point 'made without the home'"'"'s public key (mac1)' refused mac1 "$MAC1" "$(sent mac1)"
point 'data of somebody unknown' refused no-flow "$NO_FLOW" "$(sent unknown)"
must capture_end
point 'of these, seen by the mt' is 0 "$(captured "$WORK/junk.pcap")" packets

echo
if [ "$FAILED" -eq 0 ]; then
	printf '%s%s all %d points hold%s\n' "$green" "$yes" "$POINTS" "$plain"
else
	printf '%s%s %d of %d points do not hold%s\n' "$red" "$no" "$FAILED" "$POINTS" "$plain"
	exit 1
fi
