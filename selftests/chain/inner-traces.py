#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Count what a capture shows of the packets inside the nested tunnel.

usage: inner-traces.py CAPTURE MARKER

Prints two numbers: places with the payload's MARKER, and places with a pair of
inner addresses as an IP header has them. Encrypted bytes look like such a pair once
in 10^13 places or less.
"""

import re
import sys

V4 = rb"(?:\x0a\x07\x00.|\xc0\xa8\x58.)"
V6 = rb"(?:\xfd\x07\x00{13}.|\xfd\x88\x00{13}.)"
ADDRESSES = re.compile(rb"(?s)%b%b|%b%b" % (V4, V4, V6, V6))

with open(sys.argv[1], "rb") as capture:
    bytes_seen = capture.read()
print(bytes_seen.count(sys.argv[2].encode()), len(ADDRESSES.findall(bytes_seen)))
