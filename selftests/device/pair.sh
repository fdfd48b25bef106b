# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# One device at each end (see device.sh), and each other's peer.

. "$(dirname "${BASH_SOURCE[0]}")/../lib/traffic.sh"

ktap_need ping wg
need_kinds
work=$(mktemp -d)
defer rm -rf "$work"

for end in a b; do
	(umask 077 && wg genkey >"$work/$end") && wg pubkey <"$work/$end" >"$work/$end.public"
done
# shellcheck disable=SC2034 # for the tests
A=$(<"$work/a.public") B=$(<"$work/b.public")

# device_up END PEER-KEY [SETTING...]: a fresh device whose peer is allowed what is its
# own. It listens on 51821 or 51822.
device_up() {
	local end=$1 inner=1 peer=2
	[ "$end" = a ] || inner=2 peer=1
	device_down "$end" || return
	link_add "$end" "wg$end" &&
		wg_on "$end" set "wg$end" private-key "$work/$end" listen-port "5182$inner" \
			peer "$2" allowed-ips "10.7.0.$peer/32,fd07::$peer/128" "${@:3}" &&
		ip -n "$PREFIX-$end" -batch - <<-END
			address add 10.7.0.$inner/24 dev wg$end
			address add fd07::$inner/64 dev wg$end nodad
			link set wg$end up
		END
}

# device_down END: take its interface away, if it has one.
device_down() {
	! ip_on "$1" link show "wg$1" >/dev/null 2>&1 || link_del "$1"
}

# neither_up: no end is left from before. It may have something to say just when the other one is new, and
# be gone when that answers.
neither_up() {
	device_down a && device_down b
}

# wireguard-go ends by itself, and then only another may have its name.
link_del() {
	ip_on "$1" link del "wg$1" && slowwait 10 link_gone "$1"
}

link_gone() {
	[ ! -e "/var/run/wireguard/wg$1.sock" ]
}

# handshake_time END: seconds since the epoch, 0 if there was none.
handshake_time() {
	wg_on "$1" show "wg$1" latest-handshakes | cut -f 2
}

handshaken() {
	[ "$(handshake_time "$1")" -gt 0 ]
}
