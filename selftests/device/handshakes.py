#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Listen to an interface, and add a line to a file for every handshake message: the time, which END of the link sent it,
the version of IP, and the type, with "+mac2" where it has one. A message of the wrong length has it in brackets. The
first transport message with the index of a response has a line, too, 4: who sends it has taken the response. What is
sent to the forged sources of flood.py is left out.

usage: handshakes.py INTERFACE OWN-END OTHER-END FILE
Says "ready" when it listens. "1700000000.123456 a v4 1+mac2"
"""

import socket
import sys
import time

import wireguard as wg

ETH_P_ALL = 3
HEADER = {4: 20, 6: 40}


def message_of(packet):
    """Version of IP and UDP payload, None if it is no such packet."""
    version = packet[0] >> 4
    if version not in HEADER or packet[9 if version == 4 else 6] != socket.IPPROTO_UDP:
        return None
    if version == 4 and packet[16] == 198 and packet[17] in (18, 19):
        return None
    return version, packet[HEADER[version] + 8:]


def describe(message):
    """The type of a handshake message, None if it is none."""
    kind = wg.message_type(message)
    if kind not in wg.LENGTH:
        return None
    length = "" if len(message) == wg.LENGTH[kind] else f"({len(message)})"
    mac2 = "+mac2" if kind != wg.COOKIE_REPLY and any(wg.mac2_of(message)) else ""
    return f"{kind}{length}{mac2}"


def taken(message, end, answers):
    """The type of a transport message, if it is the first with the index of the response in answers that was sent to
    end, None otherwise."""
    if wg.message_type(message) != wg.TRANSPORT or len(message) < 8 or answers.get(end) != wg.receiver_index(message):
        return None
    del answers[end]
    return f"{wg.TRANSPORT}"


interface, own, other, path = sys.argv[1:]
link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
link.bind((interface, ETH_P_ALL))
untaken = {}
with open(path, "a", encoding="ascii") as lines:
    print("ready", flush=True)
    while True:
        data, source = link.recvfrom(65536)
        version, message = message_of(data) or (0, b"")
        sender, receiver = (own, other) if source[2] == socket.PACKET_OUTGOING else (other, own)
        if wg.message_type(message) == wg.RESPONSE and len(message) == wg.LENGTH[wg.RESPONSE]:
            untaken[receiver] = wg.sender_index(message)
        found = describe(message) or taken(message, sender, untaken)
        if found:
            print(f"{time.time():.6f} {sender} v{version} {found}", file=lines, flush=True)
