#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Another version of the module: wg1 is saved, it goes, the module is taken out and put in, and wg1 is made by its
# file. wg1's session and the relay's flows go with the module. A client that hears nothing calls the home after 15
# seconds, and is at the home where it was. With the home's endpoint in the file that is all; without it the home
# has to call as well.

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/chain/traffic.sh
. "$here/traffic.sh"

# A client that has sent something and heard nothing calls (white paper, section 6.5), a second later at most.
CLIENT_CALLS=16
# The home does when its session is 120 s old and its keepalive, one in 25 s, is due.
HOME_CALLS=145

file() {
	echo "$CHAIN_DIR/wg1.conf"
}

saved() {
	(umask 077 && echo '[Interface]' >"$(file)") && nwgctl save "$(file)" &&
		grep -x "Endpoint = 198.51.100.2:$(mt_port)" "$(file)"
}

loaded_anew() {
	nwgctl down "$(file)" && rmmod nwg && module_comes && nwgctl up "$(file)"
}

flows_are() {
	holds "length == $1" "$(flows)"
}

silent() {
	! answers pc "$MT4" 3
}

upgrade() {
	check "the pc reaches the mt" answers pc "$MT4" 20
	CLIENT_WAS=$(client_at_mt)
	check "wg1 is saved, and where the mt is" saved
	check "the module is loaded anew" loaded_anew
	check "no flow is left" flows_are 0
	check "what the pc sends is no reason for one" silent
	check "the pc calls" answers pc "$MT4" "$CLIENT_CALLS"
	check "there is a flow" flows_are 1
	check "the mt has the client at the same address" same_client

	sed -i '/^Endpoint/d' "$(file)"
	check "the module is loaded anew, not knowing where the mt is" loaded_anew
	check "the pc is not answered" silent
	check "the mt calls, as its session is old" skip_idle slowwait "$HOME_CALLS" handshaken vps wg1
	check "the pc reaches the mt" answers pc "$MT4" 20
	check "the mt has the client at the same address" same_client
}

each_chain 13 upgrade "${@:-stock}"
