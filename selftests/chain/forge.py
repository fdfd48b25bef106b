#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Send datagrams that a relay has to refuse, or one kind that it must let through.

usage: forge.py [OPTION]... ADDRESS PORT RESPONDER-PUBLIC-KEY KIND...; see --help

Prints "KIND COUNT" for what was sent. Message types and lengths: WireGuard white
paper, section 5.4; mac1 is Mac(Hash("mac1----" || responder), message so far).
"""

import argparse
import base64
import hashlib
import os
import socket
import struct
import sys
import time

INITIATION, RESPONSE, COOKIE_REPLY, TRANSPORT = 1, 2, 3, 4
LENGTH = {INITIATION: 148, RESPONSE: 92, COOKIE_REPLY: 64}
SO_NO_CHECK = 11
UDP_SEGMENT = 103
IP_TRANSPARENT, IPV6_TRANSPARENT = 19, 75
SOL_PACKET, PACKET_VNET_HDR = 263, 15
VIRTIO_NET_HDR_F_NEEDS_CSUM = 1
LABEL_MAC1 = b"mac1----"


def message(kind, length, reserved=0):
    return struct.pack("<I", kind | reserved << 8) + os.urandom(max(0, length - 4))


def with_mac1(datagram, responder):
    """The datagram with a right mac1, which stands 32 bytes before its end."""
    key = hashlib.blake2s(LABEL_MAC1 + responder).digest()
    covered = datagram[:-32]
    mac1 = hashlib.blake2s(covered, key=key, digest_size=16).digest()
    return covered + mac1 + bytes(16)


def junk(_):
    yield b""
    for length in (1, 3, 4, 31, 32, 64, 92, 148, 1200):
        for first in (0, 5, 255):
            yield bytes([first]) + os.urandom(length - 1)


def lengths(responder):
    for kind, length in LENGTH.items():
        yield message(kind, length - 1)
        yield message(kind, length + 1)
        yield message(kind, 4)
    yield with_mac1(message(INITIATION, 164), responder)
    yield message(TRANSPORT, 16)
    yield message(TRANSPORT, 31)


def reserved(responder):
    for bits in (0x000001, 0x000100, 0x800000):
        yield with_mac1(message(INITIATION, 148, bits), responder)
        yield with_mac1(message(RESPONSE, 92, bits), responder)
        yield message(COOKIE_REPLY, 64, bits)
        yield message(TRANSPORT, 96, bits)


def mac1(responder):
    for kind in (INITIATION, RESPONSE):
        yield message(kind, LENGTH[kind])
        yield with_mac1(message(kind, LENGTH[kind]), os.urandom(32))
        right = bytearray(with_mac1(message(kind, LENGTH[kind]), responder))
        right[-17] ^= 1
        yield bytes(right)


def unknown(responder):
    """Well-formed, but only a known client may send these."""
    yield with_mac1(message(RESPONSE, 92), responder)
    yield message(COOKIE_REPLY, 64)
    yield message(TRANSPORT, 32)
    yield message(TRANSPORT, 1232)


def initiation(responder):
    """What the relay lets through: only the responder can tell that it is made up."""
    yield with_mac1(message(INITIATION, 148), responder)


def transport(_):
    """What the relay lets through from a known client."""
    yield message(TRANSPORT, 128)


def batch(_):
    """As transport, many of one length and a shorter one at the end, which leave as one packet of the kernel's."""
    for length in 20 * [1008] + [496]:
        yield message(TRANSPORT, length)


def checksum(responder):
    """As initiation, with a wrong UDP checksum; sent through a raw socket."""
    yield with_mac1(message(INITIATION, 148), responder)


def unsummed(responder):
    """As initiation, without a UDP checksum, which is a choice over IPv4."""
    yield with_mac1(message(INITIATION, 148), responder)


def borrowed(responder):
    """As initiation, from a port that a socket of this machine has; sent through a raw socket."""
    yield with_mac1(message(INITIATION, 148), responder)


def responses(responder):
    """Likewise, responses."""
    yield with_mac1(message(RESPONSE, 92), responder)


def elsewhere(responder):
    """As initiation, over IPv4, but the checksum is to be put over the destination port; sent as a guest would, whose
    interface makes none."""
    yield with_mac1(message(INITIATION, 148), responder)


def send_elsewhere(args, payload):
    """A frame behind a header of virtio_net's (virtio 1.2, section 5.1.6)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((args.address, args.port))
        addresses = b"".join(socket.inet_aton(end[0]) for end in (sock.getsockname(), sock.getpeername()))
        datagram = raw_udp(sock, 40000, args.port, payload)
    header = struct.pack("!BBHHHBBH8s", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0, addresses)
    header = header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:]
    with open("/proc/net/arp", encoding="ascii") as file:
        target, interface = next((line.split()[3], line.split()[5]) for line in file if line.split()[0] == args.address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sock.bind((interface, 0x0800))
        ethernet = bytes.fromhex(target.replace(":", "")) + sock.getsockname()[4] + b"\x08\x00"
        virtio = struct.pack("=BBHHHH", VIRTIO_NET_HDR_F_NEEDS_CSUM, 0, 0, 0, len(ethernet) + 20, 2)
        sock.send(virtio + ethernet + header + datagram)


def internet_checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def raw_udp(sock, source, port, payload, damage=0):
    """A UDP datagram whose checksum (RFC 768, RFC 8200 section 8.1) is off by some bits."""
    addresses = b"".join(socket.inet_pton(sock.family, end[0])
                         for end in (sock.getsockname(), sock.getpeername()))
    header = struct.pack("!HHH", source, port, 8 + len(payload))
    pseudo = addresses + struct.pack("!HH", socket.IPPROTO_UDP, 8 + len(payload))
    covered = pseudo + header + payload + b"\0" * (len(payload) % 2)
    return header + struct.pack("!H", internet_checksum(covered) ^ damage) + payload


KINDS = {f.__name__: f for f in (junk, lengths, reserved, mac1, unknown, initiation,
                                 transport, batch, checksum, elsewhere, unsummed, borrowed, responses)}
RAW = {"checksum": lambda sock, args, payload: raw_udp(sock, 40000, args.port, payload, 0x0100),
       "borrowed": lambda sock, args, payload: raw_udp(sock, args.source, args.port, payload)}
RAW["responses"] = RAW["borrowed"]


def send(kind, args):
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    if kind == "elsewhere":
        datagrams = list(KINDS[kind](args.responder))
        for datagram in datagrams:
            send_elsewhere(args, datagram)
        return len(datagrams)
    raw = RAW.get(kind)
    if raw:
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP)
    else:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        if args.foreign and family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)
        elif args.foreign:
            sock.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        sock.bind((args.from_address, args.source))
    sent = 0
    with sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, kind == "unsummed")
        if args.ttl and family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, args.ttl)
        elif args.ttl:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, args.ttl)
        sock.connect((args.address, args.port))
        if kind == "batch":
            segments = list(KINDS[kind](args.responder))
            sock.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, len(segments[0]))
            sock.send(b"".join(segments))
            return len(segments)
        for datagram in KINDS[kind](args.responder):
            if args.index:
                datagram = datagram[:4] + args.index + datagram[8:]
            sock.send(raw(sock, args, datagram) if raw else datagram)
            sent += 1
    return sent


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=int, default=0, help="source port")
    parser.add_argument("--from", dest="from_address", default="", help="source address")
    parser.add_argument("--foreign", action="store_true", help="which is not this machine's")
    parser.add_argument("--index", type=bytes.fromhex, help="receiver index of transport messages")
    parser.add_argument("--ttl", type=int, help="time to live, or hop limit")
    parser.add_argument("--ports", type=int, default=1, help="repeat from N ports")
    parser.add_argument("--seconds", type=float, default=0, help="repeat all of it so long")
    parser.add_argument("--pause", type=float, default=0.005, help="seconds between repeats")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("responder", type=base64.b64decode)
    parser.add_argument("kinds", nargs="+", choices=KINDS)
    args = parser.parse_args()
    sent = dict.fromkeys(args.kinds, 0)
    end = time.monotonic() + args.seconds
    while True:
        for kind in args.kinds:
            sent[kind] += sum(send(kind, args) for _ in range(args.ports))
        if time.monotonic() >= end:
            break
        print("sent", file=sys.stderr, flush=True)
        time.sleep(args.pause)
    for kind, count in sent.items():
        print(kind, count)


if __name__ == "__main__":
    sys.exit(main())
