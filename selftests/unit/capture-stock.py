#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Shake hands with the stock wireguard module from a UDP socket and write down what is said.

usage: capture-stock.py FILE

As root where the module can be loaded, with nothing else to do for the one CPU: capture-stock.sh
sees to that. All of this side's keys are fixed, so that the unit tests can take its place and must
come to the same bytes.
"""

import base64
import os
import platform
import socket
import struct
import subprocess
import sys

import reference as ref
from reference import material

HEADER = """\
# SPDX-License-Identifier: GPL-2.0
# Recorded by capture-stock.sh: a UDP socket with fixed keys and the wireguard module of
# Linux {release}. For the form see test_for_each_case() in test.h.

"""
SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; the socket module does not have it
STOCK = ("127.0.0.1", 51820)
OUR_TUNNEL_ADDRESS = "10.9.0.2"
STOCK_TUNNEL_ADDRESS = "10.9.0.1"

stock = ref.Key(material("stock static"))
timestamps = 0


def run(*command, stdin=None):
    subprocess.run(command, input=stdin, check=True)


def wg_set(*arguments, key):
    """wg set with a key as last argument, from a pipe"""
    run("wg", "set", "wg0", *arguments, "/dev/stdin", stdin=base64.b64encode(key) + b"\n")


def base64_of(key):
    return base64.b64encode(key).decode()


def next_timestamp():
    global timestamps
    timestamps += 1
    return struct.pack(">QI", 2**62 + 1700000000 + timestamps, 0)


def set_up():
    run("modprobe", "wireguard")
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "wg0", "type", "wireguard")
    wg_set("listen-port", str(STOCK[1]), "private-key", key=stock.private)
    run("ip", "address", "add", f"{STOCK_TUNNEL_ADDRESS}/24", "dev", "wg0")
    run("ip", "link", "set", "wg0", "up")


class Peer:
    """This side of one peering: a socket and its keys"""

    def __init__(self, name, psk):
        self.name, self.psk = name, psk
        self.static = ref.Key(material(f"{name} static"))
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(20)
        port = self.socket.getsockname()[1]
        wg_set(
            "peer",
            base64_of(self.static.public),
            "allowed-ips",
            f"{OUR_TUNNEL_ADDRESS}/32",
            "endpoint",
            f"127.0.0.1:{port}",
            "preshared-key",
            key=psk,
        )

    def receive(self, kind):
        """The next message of a type"""
        while True:
            message = self.socket.recv(2048)
            if message[0] == kind:
                return message

    def send(self, message):
        self.socket.sendto(message, STOCK)

    def close(self):
        run("wg", "set", "wg0", "peer", base64_of(self.static.public), "remove")
        self.socket.close()


def echo_request():
    """A ping from our address in the tunnel to that of the module"""

    def checksum(data):
        total = sum(struct.unpack(f">{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return struct.pack(">H", ~total & 0xFFFF)

    icmp = struct.pack(">BBHHH", 8, 0, 0, 7, 1) + b"captured"
    icmp = icmp[:2] + checksum(icmp) + icmp[4:]
    addresses = socket.inet_aton(OUR_TUNNEL_ADDRESS) + socket.inet_aton(STOCK_TUNNEL_ADDRESS)
    fields = (0x45, 0, 20 + len(icmp), 1, 0, 64, socket.IPPROTO_ICMP, 0)
    header = struct.pack(">BBHHHBBH", *fields) + addresses
    header = header[:10] + checksum(header) + header[12:]
    return header + icmp


def open_transport(key, message):
    """Padding and all"""
    return ref.aead_open(key, struct.unpack_from("<Q", message, 8)[0], message[16:], b"")


def stock_initiates(out, name, psk):
    peer = Peer(name, psk)
    ephemeral = ref.Key(material(f"{name} ephemeral"))
    index = struct.unpack("<I", material(f"{name} index", 4))[0]

    inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inner.sendto(b"captured", (OUR_TUNNEL_ADDRESS, 9))
    initiation = peer.receive(1)
    opened = ref.open_initiation(peer.static, initiation)
    hs, sender, seen_ephemeral, seen_static, timestamp = opened
    assert seen_static == stock.public
    response = ref.add_macs(
        ref.response(hs, ephemeral, seen_ephemeral, seen_static, psk, index, sender), stock.public
    )
    peer.send(response)
    from_initiator, _ = hs.session()
    transport = peer.receive(4)
    assert b"captured" in open_transport(from_initiator, transport)
    ref.print_case(
        "stock_initiator",
        file=out,
        stock_public=stock.public,
        private=peer.static.private,
        preshared=psk,
        ephemeral=material(f"{name} ephemeral"),
        index=struct.pack("<I", index),
        timestamp=timestamp,
        initiation=initiation,
        response=response,
        transport=transport,
        packet=open_transport(from_initiator, transport),
    )
    inner.close()
    peer.close()


def stock_responds(out, name, psk):
    peer = Peer(name, psk)
    ephemeral = ref.Key(material(f"{name} ephemeral"))
    index = struct.unpack("<I", material(f"{name} index", 4))[0]
    timestamp = next_timestamp()

    hs, initiation = ref.initiation(peer.static, ephemeral, stock.public, timestamp, index)
    initiation = ref.add_macs(initiation, stock.public)
    peer.send(initiation)
    response = peer.receive(2)
    remote_index = ref.open_response(hs, peer.static, ephemeral, psk, response)
    from_initiator, from_responder = hs.session()
    packet = echo_request()
    sent = ref.transport(from_initiator, remote_index, 0, packet)
    peer.send(sent)
    transport = peer.receive(4)
    while b"captured" not in open_transport(from_responder, transport):
        transport = peer.receive(4)
    ref.print_case(
        "stock_responder",
        file=out,
        stock_public=stock.public,
        private=peer.static.private,
        preshared=psk,
        ephemeral=material(f"{name} ephemeral"),
        index=struct.pack("<I", index),
        timestamp=timestamp,
        initiation=initiation,
        response=response,
        sent_packet=packet,
        sent=sent,
        transport=transport,
        packet=open_transport(from_responder, transport),
    )
    peer.close()


def stock_under_load(out, name):
    """Fill its queue before it gets the CPU; then it wants to see a cookie.

    There are always more than 512 messages in the queue when it comes to the one that counts. The
    rest has a valid mac1 and nothing else.
    """
    peer = Peer(name, ref.NO_PSK)
    first_index, second_index = 1, 2

    def initiation(index, cookie=None):
        ephemeral = ref.Key(material(f"{name} ephemeral {index}"))
        _, message = ref.initiation(peer.static, ephemeral, stock.public, next_timestamp(), index)
        return ref.add_macs(message, stock.public, cookie)

    def send_in_crowd(message):
        for _ in range(900):
            peer.send(junk)
        peer.send(message)
        for _ in range(900):
            peer.send(junk)

    junk = ref.add_macs(struct.pack("<II", 1, 0) + material(f"{name} junk", 108), stock.public)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))

    first = initiation(first_index)
    send_in_crowd(first)
    reply = peer.receive(3)
    while struct.unpack_from("<I", reply, 4)[0] != first_index:
        reply = peer.receive(3)
    cookie = ref.open_cookie_reply(reply, first[116:132], stock.public)

    second = initiation(second_index, cookie)
    send_in_crowd(second)
    response = peer.receive(2)
    assert struct.unpack_from("<I", response, 8)[0] == second_index
    ref.print_case(
        "stock_cookie",
        file=out,
        stock_public=stock.public,
        first=first,
        reply=reply,
        cookie=cookie,
        second=second,
        response=response,
    )
    peer.close()


def main():
    set_up()
    with open(sys.argv[1], "w") as out:
        out.write(HEADER.format(release=platform.release()))
        for kind, psk in (("plain", ref.NO_PSK), ("psk", material("stock psk"))):
            stock_initiates(out, f"stock initiator {kind}", psk)
            stock_responds(out, f"stock responder {kind}", psk)
        stock_under_load(out, "stock cookie")


main()
