#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Listen to an interface, and add a line to a file for every handshake message: the time, which END of the link sent it,
the version of IP, and the type, with "+mac2" where it has one. A message of the wrong length has it in brackets. What
is sent to the forged sources of flood.py is left out.

usage: handshakes.py INTERFACE OWN-END OTHER-END FILE
Says "ready" when it listens. "1700000000.123456 a v4 1+mac2"
"""

import socket
import sys
import time

import wireguard as wg

ETH_P_ALL = 3
HEADER = {4: 20, 6: 40}


def describe(packet):
    """Version and type of a handshake message, None if it is none."""
    version = packet[0] >> 4
    if version not in HEADER or packet[9 if version == 4 else 6] != socket.IPPROTO_UDP:
        return None
    if version == 4 and packet[16] == 198 and packet[17] in (18, 19):
        return None
    message = packet[HEADER[version] + 8:]
    kind = wg.message_type(message)
    if kind not in wg.LENGTH:
        return None
    length = "" if len(message) == wg.LENGTH[kind] else f"({len(message)})"
    mac2 = "+mac2" if kind != wg.COOKIE_REPLY and any(wg.mac2_of(message)) else ""
    return f"v{version} {kind}{length}{mac2}"


interface, own, other, path = sys.argv[1:]
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
link.bind((interface, ETH_P_ALL))
with open(path, "a", encoding="ascii") as lines:
    print("ready", flush=True)
    while True:
        data, source = link.recvfrom(65536)
        found = describe(data)
        if found:
            end = own if source[2] == socket.PACKET_OUTGOING else other
            print(f"{time.time():.6f} {end} {found}", file=lines, flush=True)
