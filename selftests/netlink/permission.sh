#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: permission.sh nwg|wireguard|drop-in
#
# Who may configure and read an interface: root of the user namespace that owns its network
# namespace, and nobody else, seen with the tools. With "wireguard", the stock module, which
# establishes what is expected; with "drop-in", ours on kind wireguard.

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
. "$here/../lib/drop-in.sh"
NWGCTL=${NWGCTL:-$(realpath -m "$here/../../build/nwgctl")}
OWNER=1001 OTHER=1002 # no such users need be

family=$1
ktap_need ip nsenter setpriv unshare wg
[ -x "$NWGCTL" ] || ktap_skip_all "$NWGCTL is missing: run make"
case $family in
nwg | wireguard | drop-in) ;;
*) echo "$family: not nwg, wireguard or drop-in" >&2 && exit 2 ;;
esac
case $family in
wireguard) modprobe wireguard || ktap_skip_all "no stock module wireguard" ;;
drop-in) drop_in_load || exit 1 ;;
esac

work=$(mktemp -d)
defer rm -rf "$work"
chmod 755 "$work"
(umask 077 && wg genkey >"$work/private" && wg genkey >"$work/preshared")
chmod 644 "$work"/*
# Others may not be able to reach the directory that it is built in.
cp "$NWGCTL" "$work/nwgctl"
NWGCTL=$work/nwgctl kind=wireguard tool=wg
[ "$family" != nwg ] || kind=nwg tool=$NWGCTL
private=$(<"$work/private") preshared=$(<"$work/preshared")
peer=$(wg genkey | wg pubkey)
settings=$(printf '%s\t%s\t5001\t0x3\n%s\t%s\t192.0.2.1:5\t10.0.0.0/8\t0\t0\t0\toff' \
	"$private" "$(wg pubkey <"$work/private")" "$peer" "$preshared")

# as UID COMMAND...: without any capability.
as() {
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

# inside COMMAND...: as root of the owner's user namespace, in its network namespace.
inside() {
	nsenter --user --net --target "$owner" "$@"
}

# configured INTERFACE [COMMAND...]: what COMMAND's tool sets is what it reads.
configured() {
	"${@:2}" "$tool" set "$1" private-key "$work/private" listen-port 5001 fwmark 3 \
		peer "$peer" preshared-key "$work/preshared" allowed-ips 10.0.0.0/8 endpoint 192.0.2.1:5 &&
		unchanged "$@"
}

unchanged() {
	local text
	text=$("${@:2}" "$tool" show "$1" dump)
	[ "$text" = "$settings" ] || { echo "$text" && return 1; }
}

# denied COMMAND...: with EPERM, and no key comes out.
denied() {
	! "$@" >"$work/out" 2>&1 || { echo "not refused: $*" && return 1; }
	cat "$work/out"
	grep -q 'not permitted' "$work/out" && ! grep -qF -e "$private" -e "$preshared" "$work/out"
}

remove_interface() {
	ip link del w0 2>/dev/null
}

# own_interface: root of a user namespace made by an unprivileged user.
own_interface() {
	inside ip link add w1 type "$kind" && configured w1 inside && inside ip link set w1 up &&
		unchanged w1 inside && no_threads && inside ip link del w1
}

# The kernel's threads count for no user: that one who is not root can make any number of.
no_threads() {
	[ -z "$ours" ] || ! grep -q '^napi/w1-' /proc/[0-9]*/comm
}

# nothing_for COMMAND...: what runs under it neither reads nor sets.
nothing_for() {
	denied "$@" "$tool" show w0 && denied "$@" "$tool" show w0 dump &&
		denied "$@" "$tool" show w0 private-key && denied "$@" "$tool" set w0 fwmark 9 &&
		denied "$@" "$tool" set w0 peer "$peer" remove && unchanged w0
}

no_relays_for() {
	denied "$@" "$NWGCTL" relay show && denied "$@" "$NWGCTL" flow show &&
		denied "$@" "$NWGCTL" relay add dev w0 listen 60000 peer "$peer" to 10.0.0.1:1 &&
		denied "$@" "$NWGCTL" relay set listen 60001 max-flows 5 &&
		denied "$@" "$NWGCTL" relay del listen 60001 &&
		[ "$("$NWGCTL" relay show | grep -c '^relay: ')" = 1 ]
}

# Root of the user namespace, but not in its network namespace.
unseen() {
	! inside "$tool" show w0 >"$work/out" 2>&1 || return
	cat "$work/out"
	grep -q 'No such device' "$work/out" && [ -z "$(inside "$tool" show interfaces)" ]
}

unseen_relays() {
	[ -z "$(inside "$NWGCTL" relay show)" ] &&
		! inside "$NWGCTL" relay del listen 60001 2>"$work/out" &&
		grep -q 'No such file' "$work/out"
}

foreigner() {
	local there=(nsenter --net --target "$owner" setpriv --reuid "$OTHER" --clear-groups)
	inside ip link add w1 type "$kind" && configured w1 inside &&
		denied "${there[@]}" "$tool" show w1 dump &&
		denied "${there[@]}" "$tool" set w1 fwmark 9 && unchanged w1 inside &&
		inside ip link del w1
}

# The rest of an interface that was made elsewhere is theirs.
moved_in() {
	unchanged w0 inside && inside "$tool" set w0 peer "$peer" remove &&
		[ -z "$(inside "$tool" show w0 peers)" ] &&
		inside "$tool" set w0 peer "$peer" preshared-key "$work/preshared" \
			allowed-ips 10.0.0.0/8 endpoint 192.0.2.1:5 && unchanged w0 inside
}

relay_over_it() {
	inside "$NWGCTL" relay add dev w0 listen 60000 peer "$peer" to 10.0.0.1:1 &&
		inside "$NWGCTL" relay show | grep -q ':60000' && inside "$NWGCTL" relay del listen 60000
}

# What all relays of a network namespace may have of flows is for root of the machine.
limit_stays() {
	local limit=/sys/module/nwg/parameters/max_flows before
	before=$(<"$limit")
	! inside sh -c "echo 7 >$limit" && [ "$(<"$limit")" = "$before" ]
}

sockets_stay() {
	denied inside "$tool" set w0 "$@" && unchanged w0 inside
}

ours=$([ "$family" = wireguard ] || echo 1)
ktap_plan $((ours ? 15 : 10))
setpriv --reuid $OWNER --regid $OWNER --clear-groups \
	unshare --map-root-user --net sleep 86400 &
owner=$!
defer kill "$owner"
busywait 10000 grep -q sleep "/proc/$owner/comm" || exit 1
ip link add w0 type "$kind"
defer remove_interface
ktap_run "root sets and reads" configured w0
ktap_run "root of a user namespace, on what it made there: sets and reads" own_interface
for uid in $OWNER $OTHER; do
	ktap_run "user $uid: neither" nothing_for as "$uid"
done
ktap_run "user $OTHER, in the network namespace of user $OWNER: neither" foreigner
ktap_run "root of a user namespace, in this network namespace: neither" \
	nothing_for as $OWNER unshare --map-root-user
ktap_run "root of a user namespace: no interface of another" unseen
if [ -n "$ours" ]; then
	"$NWGCTL" relay add dev w0 listen 60001 peer "$peer" to 10.0.0.1:1
	ktap_run "relays: not for user $OWNER" no_relays_for as $OWNER
	ktap_run "relays: not for root of a user namespace, in this network namespace" \
		no_relays_for as $OWNER unshare --map-root-user
	ktap_run "relays: none of another network namespace" unseen_relays
	ktap_run "root of a user namespace: no higher limit of flows" limit_stays
fi
ip link set w0 netns "$owner"
ktap_run "an interface that was moved in: all but ..." moved_in
ktap_run "... the port and ..." sockets_stay listen-port 5002
ktap_run "... the mark" sockets_stay fwmark 4
[ -z "$ours" ] || ktap_run "... and relays over it" relay_over_it
inside ip link del w0
ktap_end
