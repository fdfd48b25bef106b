# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For tests of nwg in place of the stock module. After ktap.sh.

# drop_in_load: from now on nwg serves kind and family "wireguard". Undone at the end of
# the test, when no interface may be left.
drop_in_load() {
	[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "no module nwg to load anew: run by selftests/run"
	[ ! -d /sys/module/wireguard ] || rmmod wireguard ||
		ktap_skip_all "the stock module cannot be unloaded: it is in use or built in"
	defer drop_in_unload
	rmmod nwg && insmod "$NWG_MODULE" drop_in=1
}

drop_in_unload() {
	[ ! -d /sys/module/nwg ] || rmmod nwg
	insmod "$NWG_MODULE"
}
