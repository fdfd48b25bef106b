#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# nwgctl top: what it shows in a terminal, what keys and signals do, and that the terminal is as before.
#
# usage: top.sh [stock|nwg]

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/../chain/traffic.sh"
export PYTHONDONTWRITEBYTECODE=1

# Three clients with a session, of which the pc sends all the time; another relay; and more peers than fit.
much_to_see() {
	local peers=()
	for _ in {1..30}; do peers+=(peer "$(head -c 32 /dev/urandom | base64)"); done
	home_up && nwgctl set wg1 "${peers[@]}" && relay_up 60001 && on pc2 ping -q -c 1 -W 10 "$MT4" &&
		on pc3 ping -q -c 2 -W 10 "$MT4" && answers pc "$MT4" || return
	background pc ping -q -i 0.02 -s 1000 "$MT4" >"$CHAIN_DIR/ping" 2>&1
}

top() {
	check "the pc sends, and there is much to see" much_to_see
	ktap_lines < <(on vps python3 "$here/top.py" "$NWGCTL" "$CHECK_CHAIN" "$(public mt-wg1)" "$(mt_port)" \
		"$CLIENT_PORT" 2>&1)
}

python3 -c 'import pyte' || ktap_skip_all "a module of Python is missing: run make setup"
ktap_need infocmp tic
each_chain 28 top "${@:-stock}"
