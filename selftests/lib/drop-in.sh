# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For tests of nwg in place of the stock module. After ktap.sh.

# drop_in_load [PARAMETER...]: from now on nwg serves kind and family "wireguard". Undone at
# the end of the test, when no interface may be left.
drop_in_load() {
	[ -n "${NWG_MODULE:-}" ] || ktap_skip_all "no module nwg to load anew: run by selftests/run"
	[ ! -d /sys/module/wireguard ] || rmmod wireguard ||
		ktap_skip_all "the stock module cannot be unloaded: it is in use or built in"
	defer drop_in_unload
	# shellcheck disable=SC2034 # for device.sh
	drop_in_loaded=1
	rmmod nwg && insmod "$NWG_MODULE" drop_in=1 "$@"
}

# drop_in_or_stock KIND [PARAMETER...]: with "wireguard", as which such a test must pass too,
# the stock module itself.
drop_in_or_stock() {
	if [ "$1" = wireguard ]; then
		modprobe wireguard "${@:2}" || ktap_skip_all "no stock module wireguard"
	else
		drop_in_load "${@:2}"
	fi
}

drop_in_unload() {
	[ ! -d /sys/module/nwg ] || rmmod nwg
	insmod "$NWG_MODULE"
}

# drop_in_programs KIND: for tests with programs that manage networks, which run on KIND (see
# above), with a D-Bus, and in the virtual machine only: in this machine there are others.
drop_in_programs() {
	[ -n "${NWG_VM:-}" ] || ktap_skip_all "not outside the virtual machine"
	ktap_need dbus-daemon jq wg wireguard-go
	drop_in_or_stock "$1" || exit 1
	mkdir -p /run/dbus
	dbus-daemon --system --fork || ktap_skip_all "dbus-daemon does not start"
}

# drop_in_state IFACE: what wg shows of it in namespace a, without what traffic changes,
# peers and allowed IPs in order.
drop_in_state() {
	local key psk endpoint allowed keepalive
	{
		IFS= read -r key && printf '%s\n' "$key"
		sort | while IFS=$'\t' read -r key psk endpoint allowed _ _ _ keepalive; do
			printf '%s\t%s\t%s\t%s\t%s\n' "$key" "$psk" "$endpoint" \
				"$(tr ',' '\n' <<<"$allowed" | sort | paste -sd ,)" "$keepalive"
		done
	} < <(on a wg show "$1" dump)
}

# handshake_with PEER: when wga in namespace a had its last, in seconds since the epoch.
handshake_with() {
	on a wg show wga latest-handshakes | awk -v peer="$1" '$1 == peer { print $2 }'
}
