#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl metrics: in the form that Prometheus reads, with the figures that the other commands show.
#
# usage: metrics.sh [stock|nwg]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"
export PYTHONDONTWRITEBYTECODE=1

# Setup leaves it beside what else it takes from packages.
PROMTOOL=$(command -v promtool || echo "${NWG_CACHE:-}/promtool")

# What a label has to have escapes for.
ODD='w"\g'

traffic_there() {
	ip -n "$CHAIN-vps" link add "$ODD" type nwg && on pc ping -q -c 3 -i 0.2 -W 10 "$MT4" &&
		forge pc junk && slowwait 5 junk_counted
}

junk_counted() {
	holds '.[0].forward.drops.shape > 0' "$(relay)"
}

# Nothing changes while the figures are compared: a handshake may come in between once.
taken() {
	relay >"$CHAIN_DIR/relay" && nwgctl -j show >"$CHAIN_DIR/show" &&
		nwgctl metrics "$@" >"$CHAIN_DIR/metrics" && python3 "$here/metrics.py" <"$CHAIN_DIR/metrics" >"$CHAIN_DIR/samples"
}

# value NAME LABELS: its value; labels in jq's form, without the interface wg1.
value() {
	jq -e --arg name "$1" "[.[] | select(.name == \$name and .labels.interface == \"wg1\" and
		(.labels | contains({ $2 }))).value] | if length == 1 then .[0] else error(\"\(length) values\") end" \
		"$CHAIN_DIR/samples"
}

# same NAME LABELS FILE FILTER
same() {
	local metric shown
	metric=$(value "$1" "$2") && shown=$(jq -e "$4" "$CHAIN_DIR/$3") || return
	[ "$metric" = "$shown" ] && return
	echo "$1 $2: $metric, not $shown"
	return 1
}

# What the metrics have to have of what relay show has.
# shellcheck disable=SC2016 # jq's
FIGURES='.[0] as $relay | ("forward", "reverse") as $direction | $relay[$direction] as $counted |
	(["packets", $counted.packets], ["bytes", $counted.bytes],
		["forwarded_packets", $counted.forwarded_packets], ["forwarded_bytes", $counted.forwarded_bytes],
		["fragmented_packets", $counted.fragmented] |
		{ name: "nwg_relay_\(.[0])_total", labels: { $direction }, value: .[1] }),
	(["initiation", $counted.initiations], ["response", $counted.responses],
		["cookie-reply", $counted.cookie_replies], ["transport", $counted.transports] |
		{ name: "nwg_relay_messages_total", labels: { $direction, type: .[0] }, value: .[1] }),
	($counted.drops | to_entries[] |
		{ name: "nwg_relay_dropped_packets_total", labels: { $direction, reason: .key }, value }),
	{ name: "nwg_relay_largest_datagram_bytes", labels: { $direction }, value: $counted.largest },
	("established", "new", "tentative" |
		{ name: "nwg_relay_flows", labels: { state: . }, value: $relay.flows[.] }),
	{ name: "nwg_relay_flows_limit", labels: {}, value: $relay.flows.max },
	{ name: "nwg_relay_source_flows_limit", labels: {}, value: $relay.flows.max_per_source },
	{ name: "nwg_relay_pressed", labels: {}, value: (if $relay.pressed then 1 else 0 end) },
	{ name: "nwg_relay_peer_present", labels: {}, value: 1 },
	{ name: "nwg_relay_info", labels: { peer: $relay.peer, to: "\($relay.to_address):\($relay.to_port)",
		source: "masquerade" }, value: 1 }'

# Each of them, and none of a relay that is not among them.
relay_figures() {
	taken && jq -e --slurpfile relay "$CHAIN_DIR/relay" "
		map(select(.name | startswith(\"nwg_relay_\")) | .labels |= del(.interface, .listen)) as \$samples |
		[\$relay[0] | $FIGURES] | unique as \$figures |
		(\$figures - \$samples) + (\$samples - \$figures) | if . == [] then true else error(tostring) end
		" "$CHAIN_DIR/samples" &&
		jq -e --arg listen "*:$RELAY_PORT" 'map(select(.name | startswith("nwg_relay_")).labels) |
			all(.interface == "wg1" and .listen == $listen)' "$CHAIN_DIR/samples"
}

peer_figures() {
	local peer
	peer=".[] | select(.ifname == \"wg1\").peers[0]"
	taken || return
	same nwg_peer_received_bytes_total "public_key: \"$(public mt-wg1)\"" show "$peer.transfer_rx" &&
		same nwg_peer_sent_bytes_total "public_key: \"$(public mt-wg1)\"" show "$peer.transfer_tx" &&
		[ "$(value nwg_peer_last_handshake_timestamp_seconds '' | cut -d . -f 1)" = \
			"$(jq "$peer.latest_handshake" "$CHAIN_DIR/show")" ]
}

interface_figures() {
	local shown
	taken || return
	shown=$(ip -n "$CHAIN-vps" -j -s link show wg1)
	[ "$(value nwg_interface_peers '')" = 1 ] &&
		[ "$(value nwg_interface_sent_bytes_total '')" = "$(jq '.[0].stats64.tx.bytes' <<<"$shown")" ] &&
		[ "$(value nwg_interface_received_packets_total '')" = "$(jq '.[0].stats64.rx.packets' <<<"$shown")" ]
}

odd_name() {
	taken && jq -e --arg odd "$ODD" 'any(.[]; .name == "nwg_interface_peers" and .labels.interface == $odd)' \
		"$CHAIN_DIR/samples"
}

# Not of the others; and no flow's client, nor a secret, is anywhere.
one_interface() {
	taken dev wg1 && jq -e '(.[0] | .name == "nwg_up" and .value == 1) and
		(.[1] | .name == "nwg_relays" and .value == 1) and all(.[2:][]; .labels.interface == "wg1")' \
		"$CHAIN_DIR/samples"
}

private() {
	taken && ! grep -qF -e 192.0.2.2 -e "$(<"$(key vps-wg1)")" "$CHAIN_DIR/metrics"
}

promtool_agrees() {
	taken && "$PROMTOOL" check metrics <"$CHAIN_DIR/metrics"
}

# refused STATUS WORDS COMMAND...
refused() {
	local status=$1 words=$2 got
	shift 2
	"$@" >"$CHAIN_DIR/out" 2>"$CHAIN_DIR/err"
	got=$?
	cat "$CHAIN_DIR/err"
	[ "$got" -eq "$status" ] && grep -qF -- "$words" "$CHAIN_DIR/err" && [ ! -s "$CHAIN_DIR/out" ]
}

# Whether the checker finds what is wrong: each of these is.
checker_refuses() {
	local text
	while IFS= read -r text; do
		if printf '%b' "$text" | python3 "$here/metrics.py" >/dev/null 2>&1; then
			echo "taken: $text"
			return 1
		fi
	done <<-'END'
		a 1\n
		# HELP a b\n# TYPE a gauge\na 1
		# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{x="1"} 2\n
		# HELP a b\n# TYPE a counter\na 1\n
		# HELP a b\n# TYPE a gauge\na{x="\\q"} 1\n
		# HELP a b\n# TYPE a gauge\na{x="1"} 1\na{y="1"} 1\n
		# HELP a b\n# TYPE a gauge\nb 1\n
		# HELP a b\n# TYPE a gauge\n
	END
}

metrics() {
	check "what must not pass as metrics" checker_refuses
	check "there is traffic, and an interface with an odd name" traffic_there
	check "relays" relay_figures
	check "peers" peer_figures
	check "interfaces" interface_figures
	check "what labels have is escaped" odd_name
	check "one interface" one_interface
	check "no client and no secret is in it" private
	if [ -x "$PROMTOOL" ]; then
		check "promtool check metrics" promtool_agrees
	else
		ktap_skip "promtool check metrics" "no promtool: run make setup, and this by selftests/run"
	fi
	check "refused: JSON" refused 1 "nwgctl -j relay show" nwgctl -j metrics
	check "refused: a word that is none" refused 1 "Invalid argument: bogus" nwgctl metrics bogus
	check "refused: no such interface" refused 2 "ip link add nosuch type nwg" nwgctl metrics dev nosuch
	check "refused: not root" refused 2 "hint: be root" \
		on vps setpriv --reuid 65534 --clear-groups "$NWGCTL" metrics
}

each_chain 13 metrics "${@:-stock}"
