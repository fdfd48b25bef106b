# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For tests of who loads the module, in the virtual machine only. After ktap.sh.

# module_tree DIRECTORY: of nwg, the stock module and what they need, in place of the kernel's modules
# until the test ends.
module_tree() {
	local needed release tree
	release=$(uname -r)
	tree=$1/lib/modules/$release
	mkdir -p "$tree" && cp "/lib/modules/$release"/modules.{builtin*,order} "$tree" || return
	IFS=, read -ra needed < <(modinfo -F depends "$NWG_MODULE")
	modprobe -a --show-depends wireguard "${needed[@]}" | sed -n 's/^insmod \([^ ]*\).*/\1/p' |
		sort -u | xargs cp -t "$tree" && cp "$NWG_MODULE" "$tree" && depmod -b "$1" "$release" &&
		mount --bind "$tree" "/lib/modules/$release" && defer umount "/lib/modules/$release"
}
