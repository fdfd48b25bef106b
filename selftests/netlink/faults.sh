#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Configuration under lack of memory: every allocation of a request fails once.

here=$(dirname "$0")
. "$here/../lib/ktap.sh"
export PYTHONDONTWRITEBYTECODE=1

ktap_need ip unshare python3
python3 -c 'import yaml' || ktap_skip_all "a module of Python is missing: run make setup"
[ -e /proc/self/fail-nth ] ||
	ktap_skip_all "this kernel injects no faults: run on the debug kernel"
ktap_lines < <(unshare --net python3 "$here/faults.py" 2>&1)
ktap_end
