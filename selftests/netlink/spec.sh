#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# usage: spec.sh files|kernel
#
# The netlink specs in uapi/. With "files": their form, each other, and the headers; needs no
# kernel. With "kernel": what the running kernel says of families nwg and wireguard, and what they
# answer; the stock module's, too, with which our family wireguard is compared.

here=$(dirname "$(realpath "$0")")
. "$here/../lib/ktap.sh"
. "$here/../lib/drop-in.sh"
export PYTHONDONTWRITEBYTECODE=1

# kernel ARGUMENT...: results of spec-kernel.py.
kernel() {
	ktap_lines < <(unshare --net python3 "$here/spec-kernel.py" "$@" 2>&1)
}

ktap_need gcc ip unshare python3
python3 -c 'import jsonschema, yaml' ||
	ktap_skip_all "a module of Python is missing: run make setup"
case $1 in
files)
	ktap_lines < <(python3 "$here/spec-files.py" 2>&1)
	;;
kernel)
	modprobe wireguard || ktap_skip_all "no stock module wireguard"
	stock=$(mktemp)
	defer rm -f "$stock"
	ktap_plan 7
	kernel nwg
	kernel --replies wireguard
	python3 "$here/spec-kernel.py" --save "$stock"
	rmmod wireguard
	drop_in_load || exit 1
	kernel wireguard
	kernel --compare "$stock"
	;;
*) echo "$1: not files or kernel" >&2 && exit 2 ;;
esac
ktap_end
