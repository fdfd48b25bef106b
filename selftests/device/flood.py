#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A flood of handshake initiations that a responder cannot tell from true ones before it has done a Curve25519
operation: mac1 is right, the source a different address every time.

usage: flood.py ADDRESS:PORT PUBLIC-KEY SECONDS
Sources are in 198.18.0.0/15, which the responder must route to where the flood comes from.
"""

import base64
import os
import socket
import struct
import subprocess
import sys
import time

import wireguard as wg


def packets(public, to, count=2048):
    """The flood, as IPv4 packets. The kernel fills in length, identification and checksum of the header; without UDP
    checksum."""
    initiation = struct.pack("<II", wg.INITIATION, 1) + os.urandom(108)
    datagram = struct.pack(">HHHH", 1024, to[1], 8 + 148, 0) + wg.add_macs(initiation, public)
    target = socket.inet_aton(to[0])
    return [struct.pack(">BBHHHBBH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0)
            + struct.pack(">I", 0xC6120000 + 1 + i) + target + datagram for i in range(count)]


def send(public, to, end):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
    raw.connect(to)
    flood = packets(public, to)
    while time.monotonic() < end:
        for packet in flood:
            try:
                raw.send(packet)
            except OSError:
                time.sleep(0.001)


class Flood:
    """The flood in a process of its own for as long as a with statement lasts, at most a minute."""

    def __init__(self, public, to, namespace):
        self.command = ["ip", "netns", "exec", namespace, "/usr/bin/python3", __file__, f"{to[0]}:{to[1]}",
                        base64.b64encode(public).decode(), "60"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


if __name__ == "__main__":
    address, port = sys.argv[1].rsplit(":", 1)
    send(base64.b64decode(sys.argv[2]), (address, int(port)), time.monotonic() + float(sys.argv[3]))
