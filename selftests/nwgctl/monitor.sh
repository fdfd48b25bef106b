#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl monitor: each event on a line, of what is asked for, at once; what ends it, and what it cannot tell.
#
# usage: monitor.sh [stock|nwg]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"
export PYTHONDONTWRITEBYTECODE=1

OTHER_RELAY=60002
declare -A watchers

# watch NAME ARGUMENT...: nwgctl with these writes to a file of that name.
watch() {
	background vps env --default-signal=INT "$NWGCTL" "${@:2}" >"$CHAIN_DIR/$1" 2>"$CHAIN_DIR/$1.err"
	watchers[$1]=$!
}

# Sockets on the vps that have joined a group of generic netlink.
# shellcheck disable=SC2016 # awk's
joined() {
	[ "$(on vps awk '$2 == 16 && $4 !~ /^0*$/' /proc/net/netlink | wc -l)" -ge "$1" ]
}

all_watch() {
	watch text monitor && watch json -j monitor && watch stamped -t monitor && watch counted -s monitor &&
		watch stamped-json -j -t monitor && watch nobody monitor dev nosuch &&
		watch other -j monitor listen "$OTHER_RELAY" && watch interface -j monitor dev wg1 &&
		slowwait 30 joined 8
}

# has NAME PATTERN: a line, in a moment.
has() {
	slowwait 10 grep -qE -- "$2" "$CHAIN_DIR/$1" && return
	echo "$2: not in"
	cat "$CHAIN_DIR/$1" "$CHAIN_DIR/$1.err"
	return 1
}

# key_of PEER: its public key, for a pattern.
key_of() {
	public "$1" | sed 's/+/\\+/g'
}

# is NAME FILTER: jq's, of the events as a list, in a moment.
is() {
	slowwait 10 is_now "$@" && return
	cat "$CHAIN_DIR/$1"
	return 1
}

is_now() {
	jq -es "$2" "$CHAIN_DIR/$1" >/dev/null
}

# ends NAME STATUS SIGNAL
ends() {
	local status
	[ -z "${3:-}" ] || kill "-$3" "${watchers[$1]}" || return
	wait "${watchers[$1]}"
	status=$?
	[ "$status" -eq "$2" ] && return
	echo "status $status, not $2" "$(<"$CHAIN_DIR/$1.err")"
	return 1
}

relay_made() {
	relay_up "$OTHER_RELAY" &&
		has text "^relay new dev wg1 listen \*:$OTHER_RELAY peer $(key_of mt-wg1) to 172.16.1.254:$RELAY_PORT \
responder $(key_of mt-wg0) source masquerade max-flows 4096 max-flows-per-source 256 peer-present yes$" &&
		is json "any(.event == \"relay-new\" and .listen_port == $OTHER_RELAY and .ifname == \"wg1\" and
			.flows.max == 4096 and .peer_present and .forward.drops.shape == 0)"
}

stamped() {
	has stamped '^\[20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\] relay new ' &&
		is stamped-json 'any(.timestamp | test("^20[0-9-]{8}T[0-9:]{8}\\.[0-9]{6}[+-][0-9]{4}$"))'
}

relay_changed() {
	nwgctl relay set listen "$OTHER_RELAY" max-flows 5 &&
		has text "^relay set dev wg1 listen \*:$OTHER_RELAY .* max-flows 5 "
}

# The relay's counters are of no matter until it ends.
counted() {
	has counted "^relay set .* forward packets 0 bytes 0 dropped 0 reverse packets 0 bytes 0 dropped 0$" &&
		! grep -q ' packets ' "$CHAIN_DIR/text"
}

relay_removed() {
	on pc bash -c "echo junk >/dev/udp/192.0.2.1/$OTHER_RELAY" && slowwait 5 dropped &&
		nwgctl relay del listen "$OTHER_RELAY" &&
		has text "^relay del dev wg1 listen \*:$OTHER_RELAY .* forward packets 0 bytes 0 dropped 1 "
}

dropped() {
	holds '.[0].forward.packets == 1' "$(nwgctl -j relay show listen "$OTHER_RELAY")"
}

handshake() {
	renew mt wg1 && has text "^peer handshake dev wg1 peer $(key_of mt-wg1) endpoint 198\.51\.100\.2:$(mt_port)$" &&
		is json "any(.event == \"peer-handshake\" and .public_key == \"$(public mt-wg1)\" and .latest_handshake > 0)"
}

flow=" dev wg1 listen \*:$RELAY_PORT client 192\.0\.2\.2:$CLIENT_PORT local 192\.0\.2\.1 mapped 172\.16\.1\.1:[0-9]+ state"

established() {
	answers pc "$MT4" && has text "^flow begin$flow new$" && has text "^flow state$flow established$" &&
		is json "map(select(.event | startswith(\"flow-\"))) | map(.state) == [\"new\", \"established\"] and
			all(.client_address == \"192.0.2.2\" and .ifname == \"wg1\")"
}

too_large() {
	ip -n "$CHAIN-pc" link set wg0 mtu 1420 && on pc ping -q -c 3 -i 0.2 -s 1392 "$MT4" &&
		has text "^flow mtu$flow established mtu 1360$" && ip -n "$CHAIN-pc" link set wg0 mtu 1360
}

pressed() {
	forge pc initiation --ports 200 && skip_idle sleep 3 &&
		has text "^relay pressure dev wg1 listen \*:$RELAY_PORT pressure begins " &&
		has text "^relay pressure dev wg1 listen \*:$RELAY_PORT pressure ends " &&
		is json 'map(select(.event == "relay-pressure") | .pressed) == [true, false]'
}

ended() {
	skip_idle sleep 25 && has text '^flow end .* state new reason expired age [0-9]+s handshakes 0 forward packets ' &&
		is json 'any(.event == "flow-end" and .reason == "expired")'
}

# By then the interface has no name any more.
ingress_goes() {
	ip -n "$CHAIN-vps" link add gone type dummy && relay_up "%gone:$OTHER_RELAY" &&
		ip -n "$CHAIN-vps" link del gone && has text "^relay del dev wg1 listen \*%gone:$OTHER_RELAY "
}

of_one_only() {
	[ ! -s "$CHAIN_DIR/nobody" ] && is other "length >= 3 and all(.listen_port == $OTHER_RELAY)" &&
		is interface 'length >= 5 and all(.ifname == "wg1")'
}

# As many lines as events, whatever the form.
complete() {
	local name
	for name in text stamped counted; do
		[ "$(wc -l <"$CHAIN_DIR/$name")" -eq "$(jq -s length "$CHAIN_DIR/json")" ] || return
	done
	! grep -q unknown "$CHAIN_DIR/text"
}

interrupted() {
	local name
	for name in text stamped nobody other; do ends "$name" 0 INT || return; done
	for name in json counted stamped-json interface; do ends "$name" 0 TERM || return; done
}

# Whoever reads goes, with and without an event.
unread() {
	local status
	on vps timeout 20 "$NWGCTL" monitor | true
	status=${PIPESTATUS[0]}
	[ "$status" -eq 0 ] || { echo "status $status" && return 1; }
	for _ in {1..40}; do nwgctl relay set listen "$RELAY_PORT" max-flows 4000 && sleep 0.2; done &
	{
		on vps timeout 20 "$NWGCTL" monitor 2>"$CHAIN_DIR/unread.err"
		echo $? >"$CHAIN_DIR/unread"
	} | head -n 1 | grep -q '^relay set '
	status=$?
	kill $! && wait $! 2>/dev/null
	[ "$status" -eq 0 ] && [ "$(<"$CHAIN_DIR/unread")" = 0 ] && [ ! -s "$CHAIN_DIR/unread.err" ]
}

no_room() {
	on vps "$NWGCTL" monitor >/dev/full 2>"$CHAIN_DIR/full.err" &
	slowwait 20 joined 1 && nwgctl relay set listen "$RELAY_PORT" max-flows 4001 && wait $!
	[ $? -eq 1 ] && grep -qF 'Unable to write: No space left on device' "$CHAIN_DIR/full.err"
}

# changes COUNT: so many events.
changes() {
	on vps env PYTHONPATH="$here/../netlink" python3 -c "
import genl
from spec import Spec
spec = Spec('nwg')
with genl.Socket('nwg') as asks:
    for count in range($1):
        spec.ask(asks, 'relay-set', listen_port=$RELAY_PORT, max_flows=5000 + count)"
}

# Who is stopped does not read.
lost() {
	watch slow monitor && watch slow-json -j monitor && slowwait 20 joined 2 &&
		kill -STOP "${watchers[slow]}" "${watchers[slow-json]}" && changes 4000 &&
		kill -CONT "${watchers[slow]}" "${watchers[slow-json]}" &&
		has slow '^lost: ' && is slow-json 'any(.event == "lost")' &&
		nwgctl relay set listen "$RELAY_PORT" max-flows 4096 || return
	# What was kept came before, what follows is there again.
	has slow ' max-flows 4096 ' && grep -q ' max-flows 5000 ' "$CHAIN_DIR/slow" &&
		[ "$(grep -c '^lost: ' "$CHAIN_DIR/slow")" -eq 1 ] &&
		sed '/^lost: /,$d' "$CHAIN_DIR/slow" | grep -q ' max-flows 5000 ' &&
		ends slow 0 TERM && ends slow-json 0 TERM
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

module_goes() {
	watch last monitor && slowwait 20 joined 1 && rmmod nwg && ends last 2 &&
		has last "^relay del dev wg1 " && grep -q 'There are no more events: module nwg was unloaded' "$CHAIN_DIR/last.err" &&
		grep -q 'hint: once it is loaded again, begin anew: modprobe nwg' "$CHAIN_DIR/last.err"
}

monitor() {
	check "wg1 is up" slowwait 20 handshaken vps wg1
	check "who may not listen is told so" refused 2 "hint: be root" \
		on vps setpriv --reuid 65534 --clear-groups "$NWGCTL" monitor
	check "refused: a word that is none" refused 1 "Invalid argument: bogus" nwgctl monitor bogus
	check "refused: a port that is none" refused 1 "Port is not a number" nwgctl monitor listen 0
	check "several watch" all_watch
	check "a relay is made" relay_made
	check "with the time" stamped
	check "it is changed" relay_changed
	check "with what it has counted, if asked for" counted
	check "it is removed, with what it has counted" relay_removed
	check "a handshake" handshake
	check "a flow begins, and is established" established
	check "what is too large" too_large
	check "pressure" pressed
	check "flows end, and why" ended
	check "a relay goes with the interface that it listens on" ingress_goes
	check "of one interface, of one relay" of_one_only
	check "each is a line" complete
	check "SIGINT and SIGTERM end it" interrupted
	check "who reads it is gone" unread
	check "refused: no room for what it writes" no_room
	check "what was lost is said" lost
	check "the module goes, which ends it" module_goes
	check "the module is put back" module_comes
}

python3 -c 'import yaml' || ktap_skip_all "a module of Python is missing: run make setup"
each_chain 24 monitor "${@:-stock}"
