#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Record handshakes of the stock wireguard module for the unit tests: writes stock.txt.
#
# usage: capture-stock.sh [OPTION OF vm/run]...

set -eu

here=$(dirname "$(realpath "$0")")
share=$(mktemp -d)
trap 'rm -rf "$share"' EXIT

# One CPU: the flood that brings the module under load must be faster than the module.
"$here/../vm/run" --cpus 1 --share "$share" "$@" -- \
	sh -c "/usr/bin/python3 -B '$here/capture-stock.py' \"\$NWG_VM_SHARE/stock.txt\""
cp "$share/stock.txt" "$here/stock.txt"
