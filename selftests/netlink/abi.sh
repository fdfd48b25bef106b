#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: abi.sh nwg|wireguard|drop-in
#
# The generic netlink family of WireGuard interfaces, spoken to by hand: what SET_DEVICE does, what
# GET_DEVICE says then, and what is refused. With "wireguard", what the stock family has in common
# with it, so that what is asked of ours is what programs are used to. With "drop-in", all
# of ours on kind and family "wireguard".

here=$(dirname "$0")
. "$here/../lib/ktap.sh"
. "$here/../lib/drop-in.sh"

family=$1
ktap_need ip unshare python3
case $family in
wireguard) modprobe wireguard || ktap_skip_all "no stock module wireguard" ;;
drop-in) drop_in_load || exit 1 ;;
esac

ktap_lines < <(unshare --net python3 "$here/abi.py" "$family" 2>&1)
ktap_end
