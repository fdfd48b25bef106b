#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Datagrams of all sizes, as transport messages: one end sends them, the other tells which have arrived, each byte as
it was sent.

usage: sizes.py send FROM-ADDRESS FROM-PORT ADDRESS PORT SIZE...
       sizes.py receive ADDRESS PORT

Both through raw sockets, as the ports are those of tunnels. What is received is printed as it comes: the size, or
"wrong SIZE"; "ready" comes first.
"""

import random
import signal
import socket
import struct
import sys
import time

from forge import TRANSPORT, raw_udp

SO_RCVBUFFORCE = 33
HEADER = struct.pack("<I", TRANSPORT) + b"size"


def payload(size):
    """For each size another one, the same for sender and receiver."""
    return (HEADER + random.Random(size).randbytes(size))[:size]


def raw(address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)


def send(source, source_port, address, port, *sizes):
    with raw(address) as sock:
        sock.bind((source, 0))
        sock.connect((address, int(port)))
        for size in map(int, sizes):
            sock.send(raw_udp(sock, int(source_port), int(port), payload(size)))
            # One after the other: what is lost is not for want of room.
            time.sleep(0.002)


def receive(address, port):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with raw(address) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        sock.bind((address, 0))
        print("ready", flush=True)
        while True:
            packet = sock.recv(1 << 17)
            datagram = packet if ":" in address else packet[(packet[0] & 0xf) * 4:]
            to_port, length = struct.unpack_from("!2xHH", datagram)
            data = datagram[8:]
            if to_port != int(port) or data[:8] != HEADER[:len(data)]:
                continue
            right = data == payload(len(data)) and length == len(datagram)
            print(len(data) if right else f"wrong {len(data)}", flush=True)


if __name__ == "__main__":
    {"send": send, "receive": receive}[sys.argv[1]](*sys.argv[2:])
