# SPDX-License-Identifier: GPL-2.0
"""Packets that the device drops: the reason of each, as the trace has it, and that the counters of the interface have
each once."""

import collections
import contextlib
import fcntl
import os
import re
import socket
import struct
import time

import bench
import wireguard as wg
from bench import Device, Inner, Wire, check, equal, udp
from flood import undisturbed
from protocol import burst, delivered, demanded_cookie, without_mac1

TRACING = "/sys/kernel/tracing"
PAGE = os.path.join(os.path.dirname(__file__), "../tree/man/nwgctl.8")


def counters():
    """The counter that each reason goes into, as nwgctl(8) tells."""
    with open(PAGE, encoding="ascii") as page:
        return dict(re.findall(r'^\.BR (\w+) " \((\w+)\)"$', page.read(), re.M))


class Drops:
    """What a device has dropped since."""

    def __init__(self, device):
        self.device = device
        self.past, self.before = self.traced(), device.statistics()

    def traced(self):
        with open(f"{TRACING}/trace", encoding="ascii") as trace:
            lines = [line for line in trace if f" nwg_device_drop: dev={self.device.name} " in line]
        return collections.Counter(re.search(r"reason=(\w+)$", line)[1] for line in lines)

    def reasons(self):
        return self.traced() - self.past

    def are(self, **wanted):
        """These reasons, and no others."""
        end = time.monotonic() + bench.LATE
        while self.reasons() != wanted and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(bench.SOON)
        equal(dict(self.reasons()), wanted, "reasons")
        self.add_up()

    def add_up(self):
        """Each is in its counter, and nothing else is."""
        wanted = collections.Counter()
        for reason, count in self.reasons().items():
            wanted[counters()[reason]] += count
        after = self.device.statistics()
        got = collections.Counter({name: after[name] - self.before[name] for name in set(counters().values())})
        equal(+got, wanted, f"counters, with {dict(self.reasons())}")

    def coming_in(self):
        """How many of what came in."""
        return sum(count for reason, count in self.reasons().items() if counters()[reason].startswith("rx"))


def refused(inner, address):
    with contextlib.suppress(OSError):
        inner.send(address)


def going_out(number):
    """what goes out: not IP, no peer, no endpoint, no route, a loop"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    Wire(device, endpoint=False, allowed=f"10.77.{number}.3/32")
    wire.connect()
    drops = Drops(device)
    with bench.inside(bench.NS_A):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    with contextlib.suppress(OSError):
        raw.sendto(bytes(28), (device.name, 0x0806))
    refused(inner, f"10.77.{number}.99")
    refused(inner, f"10.77.{number}.3")
    wanted = {"NOT_IP": 1, "NO_PEER": 1, "NO_ENDPOINT": 1}
    drops.are(**wanted)
    device.set_peer(wire.own.public, "endpoint", "203.0.113.1:9")
    inner.send(wire.inner)
    wanted["NO_ROUTE"] = 1
    drops.are(**wanted)
    bench.run("ip", "route", "add", "203.0.113.1/32", "dev", device.name)
    device.set_peer(wire.own.public, "allowed-ips", f"{wire.inner}/32,203.0.113.1/32")
    inner.send(wire.inner)
    wanted["ROUTING_LOOP"] = 1
    drops.are(**wanted)


def waiting(number):
    """what waits for a handshake: newer ones come, the peer goes"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    drops = Drops(device)
    for _ in range(130):
        inner.send(wire.inner)
    drops.are(STAGED_FULL=2)
    device.set_peer(wire.own.public, "remove")
    drops.are(STAGED_FULL=2, NO_HANDSHAKE=128)


def messages(number):
    """transport messages: shape, session, age, authenticity, replay, what is inside"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    session = wire.connect()
    drops = Drops(device)
    wire.send(b"short")
    wire.send(struct.pack("<I", 9) + bytes(60))
    first = wire.send_payload(b"one")
    inner.gets(b"one")
    wire.send(first)
    wire.send(first[:4] + struct.pack("<I", wg.receiver_index(first) ^ 1) + first[8:])
    wire.send(first[:-1] + bytes([first[-1] ^ 1]))
    wire.send_packet(b"\x55" + bytes(39))
    wire.send_packet(udp(f"10.77.{number}.99", device.inner, b"spoofed"))
    wire.set_tos(3)
    wire.send_payload(b"congested")
    wire.set_tos(0)
    wanted = {"NO_MESSAGE": 2, "REPLAYED": 1, "NO_SESSION": 1, "NOT_AUTHENTIC": 1, "INNER_MALFORMED": 1,
              "INNER_SOURCE": 1, "INNER_NOT_ECN": 1}
    drops.are(**wanted)
    time.sleep(181)
    wire.send_packet(session=session)
    drops.are(SESSION_EXPIRED=1, **wanted)


def handshakes(number):
    """handshake messages: mac1, key, authenticity, age, rate, what they answer"""
    device = Device(number)
    wire = Wire(device)
    stranger = Wire(device, known=False)
    drops = Drops(device)
    initiation = wire.initiator().message
    wire.send(without_mac1(initiation))
    stranger.send(stranger.initiator().message)
    wire.send(wg.add_macs(initiation[:40] + bytes([initiation[40] ^ 1]) + initiation[41:-32], device.own.public))
    wanted = {"WRONG_MAC1": 1, "UNKNOWN_PEER": 1, "NOT_AUTHENTIC": 1}
    drops.are(**wanted)

    now = time.time()
    first, second, third = (wire.initiator(timestamp=wg.tai64n(now + after)) for after in range(3))
    wire.send(first.message)
    wire.send(second.message)
    response = wire.gets(wg.RESPONSE)
    time.sleep(0.1)
    wire.send(first.message)
    wanted.update(PEER_LIMIT=1, OLD_TIMESTAMP=1)
    drops.are(**wanted)

    reply = wg.cookie_reply(response, wire.own.public, os.urandom(16))
    wire.send(reply)
    wire.send(reply)
    wanted.update(UNREQUESTED=1)
    drops.are(**wanted)

    device.set_peer(wire.own.public, "persistent-keepalive", "600")
    attempt = wire.opens(wire.gets(wg.INITIATION))
    answer = attempt.respond()[0]
    wire.send(wg.add_macs(answer[:12] + bytes([answer[12] ^ 1]) + answer[13:-32], device.own.public))
    wire.send(answer)
    wire.gets(wg.TRANSPORT)
    wire.send(answer)
    wanted.update(NOT_AUTHENTIC=2, UNREQUESTED=2)
    drops.are(**wanted)

    device.set("private-key", "/dev/stdin", stdin=bench.base64_key(bytes(32)) + "\n")
    wire.send(third.message)
    drops.are(NO_PRIVATE_KEY=1, **wanted)


def load(number):
    """handshake messages under load: the queue is full, the source has sent too many"""
    device = Device(number)
    wire = Wire(device)
    drops = Drops(device)
    burst(wire, 5000)
    bench.wait_until(lambda: drops.reasons()["HANDSHAKES_FULL"], "5000 handshakes, and none dropped")
    cookie = demanded_cookie(wire)
    initiations = [wire.initiator(cookie=cookie).message for _ in range(10)]
    burst(wire, 700)
    for initiation in initiations:
        wire.send(initiation)
    bench.wait_until(lambda: drops.reasons()["SOURCE_LIMIT"] >= 3, "handshakes of one source, not dropped")
    check(drops.reasons()["UNDER_LOAD"] > 500, f"answered with a cookie: {drops.reasons()}")
    time.sleep(2)
    drops.add_up()


def full(number):
    """transport messages: more wait to be decrypted than may"""
    device = Device(number)
    # In softirq they would be decrypted meanwhile.
    bench.run("ip", "netns", "exec", bench.NS_A, "sh", "-c", f"echo 1 >/sys/class/net/{device.name}/threaded")
    wire, inner = Wire(device), Inner(device)
    session = wire.connect()
    messages = [session.encrypt() for _ in range(1024 + 76)]
    drops = Drops(device)
    with undisturbed():
        for message in messages:
            wire.send(message)
    drops.are(RECEIVE_FULL=76)
    delivered(inner, wire, "a full queue")


def set_down(device):
    """Without a program, which would have others run."""
    with bench.inside(bench.NS_A):
        any_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with contextlib.closing(any_socket):
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", device.name.encode(), 0))  # SIOCSIFFLAGS


def down(number):
    """handshake messages: the interface goes down while they wait"""
    device = Device(number)
    wire = Wire(device)
    drops = Drops(device)
    burst(wire, 4000, then=lambda: set_down(device))
    bench.wait_until(lambda: drops.coming_in() == 4000, "4000 handshakes, and not all dropped")
    check(drops.reasons()["DOWN"] > 0, f"none for the interface: {drops.reasons()}")
    drops.add_up()


def explained(_):
    """nwgctl(8) explains each reason"""
    with open(f"{TRACING}/events/nwg/nwg_device_drop/format", encoding="ascii") as event:
        reasons = re.findall(r'{ \S+, "(\w+)" }', event.read())
    equal(sorted(counters()), sorted(set(reasons) - {"NOT_DROPPED"}), "reasons in the page")


CASES = [going_out, waiting, messages, handshakes, load, full, down, explained]
