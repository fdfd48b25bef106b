#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The relay commands of family nwg, spoken to by hand: what is refused, and what is said then.

here=$(dirname "$0")
. "$here/../lib/ktap.sh"
export PYTHONDONTWRITEBYTECODE=1

ktap_need ip unshare python3
python3 -c 'import yaml' || ktap_skip_all "a module of Python is missing: run make setup"
ktap_lines < <(unshare --net python3 "$here/relay.py" 2>&1)
ktap_end
