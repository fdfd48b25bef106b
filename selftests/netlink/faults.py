#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every allocation that a configuration request makes fails once.

Fault injection (Documentation/fault-injection) fails the 1st, the 2nd, ... nth allocation of one
request, until the request makes fewer. Each refusal must be for lack of memory and must have changed
nothing; a request that gets by without the memory must have done all of it. Needs root, a network
namespace of its own and a kernel with fault injection. Prints a line for each result, for
ktap_lines."""

import errno
import fcntl
import gc
import os
import socket
import struct
import subprocess

import genl
from genl import (A_FLAGS, A_REMOVE_ME, FLAGS, FWMARK, GET_DEVICE, LISTEN_PORT, P_ENDPOINT, P_FLAGS,
                  P_KEEPALIVE, P_PRESHARED_KEY, P_REMOVE_ME, P_REPLACE_ALLOWEDIPS, PEERS,
                  PRIVATE_KEY, REPLACE_PEERS, SET_DEVICE, allowed_ip, attr, nest, peer, u16)
from report import check, equal, plan, report
from spec import Spec

SPEC = Spec("nwg")
DEBUGFS = "/sys/kernel/debug"
# Who makes a socket and gets no memory for its inode is told ENFILE.
LACK = (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE)

# rtnetlink
RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_CREATE, NLM_F_EXCL = 0x400, 0x200
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1
IFF_UP = 1
SIOCGIFFLAGS = 0x8913

KEY = bytes([8]) + bytes(30) + bytes([64])
HOME, OTHER = b"home" + bytes(28), b"other" + bytes(27)


class Injector:
    """Fails the nth allocation that this thread makes from now on."""

    def __init__(self):
        # Those that may sleep, too, and nothing in the log. No pages: of these the kernel itself
        # says that there are none, as of a fault.
        self.write(f"{DEBUGFS}/failslab/ignore-gfp-wait", "N")
        self.write(f"{DEBUGFS}/failslab/verbose", "0")
        self.file = os.open("/proc/thread-self/fail-nth", os.O_RDWR)

    @staticmethod
    def write(path, value):
        with open(path, "w", encoding="ascii") as file:
            file.write(value)

    def during(self, nth, request):
        """Whether an allocation failed while the request was sent, and the error it ended with."""
        gc.disable()
        os.pwrite(self.file, b"%d" % nth, 0)
        error = request.send()
        left = int(os.pread(self.file, 16, 0))
        os.pwrite(self.file, b"0", 0)
        gc.enable()
        return left == 0, error or request.answer()


class Request:
    """A request that may be sent again and again. The kernel does it while it is sent."""

    def __init__(self, sock, message):
        self.sock, self.message = sock, message

    def send(self):
        """The error that sending it ended with, or 0."""
        try:
            self.sock.send(self.message)
        except OSError as refusal:
            return refusal.errno
        return 0

    def end(self):
        """The error that the kernel answers, or 0."""
        while True:
            for message in self.sock.receive():
                if message.kind in (genl.NLMSG_ERROR, genl.NLMSG_DONE):
                    return self.verdict(message)

    def answer(self):
        """The same, but that the answer itself got lost is none."""
        try:
            return self.end()
        except OSError as lost:
            if lost.errno == errno.ENOBUFS:
                return 0
            raise

    def verdict(self, message):
        try:
            self.sock.verdict(message)
        except genl.Refused as refusal:
            return refusal.error
        return 0

    def do(self):
        """Without faults."""
        error = self.send() or self.answer()
        check(not error, f"refused without a fault: {os.strerror(error)}")


class Dump(Request):
    """Parts of what is shown are made only when it is read."""

    def send(self):
        try:
            self.sock.send(self.message)
            return self.end()
        except OSError as refusal:
            return refusal.errno

    def answer(self):
        return 0


class Told(Request):
    """One that makes an event: who listens has it, or is told that there was one."""

    def __init__(self, request, listener):
        super().__init__(request.sock, request.message)
        self.listener = listener

    def events(self):
        try:
            return len(self.listener.receive())
        except BlockingIOError:
            return 0
        except OSError as lost:
            equal(errno.errorcode.get(lost.errno), "ENOBUFS", "of who listens: errno")
            return 1

    def answer(self):
        error = super().answer()
        events = self.events()
        equal(events, int(not error), f"error {error}: events that came, or were told to be lost")
        return error


class Requests:
    """The two netlink sockets, and what requests through them have done."""

    def __init__(self):
        self.genl, self.route = genl.Socket("nwg"), genl.Netlink(socket.NETLINK_ROUTE)
        for sock in (self.genl, self.route):
            sock.socket.settimeout(None)  # nor a poll() under faults

    def of_device(self, *attributes):
        """SET_DEVICE of wg0."""
        body = genl.name("wg0") + b"".join(attributes)
        return Request(self.genl, self.genl.request(SET_DEVICE, body, genl.NLM_F_ACK))

    def of_relay(self, operation, **values):
        command, body = SPEC.ops[operation]["value"], SPEC.request(operation, **values)
        return Request(self.genl, self.genl.request(command, body, genl.NLM_F_ACK))

    def of_link(self, kind, name, flags=0, up=None, *attributes):
        body = struct.pack("=BBHiII", 0, 0, 0, 0, int(bool(up)), int(up is not None))
        body += attr(IFLA_IFNAME, name.encode() + b"\0") + b"".join(attributes)
        return Request(self.route, self.route.message(kind, body, genl.NLM_F_ACK | flags))

    def dump(self, command, attributes=b""):
        return Dump(self.genl, self.genl.request(command, attributes, genl.NLM_F_DUMP))

    def dump_relays(self, operation):
        return self.dump(SPEC.ops[operation]["value"])

    def flags(self, name):
        request = struct.pack("16s16x", name.encode())
        answer = fcntl.ioctl(self.route.socket, SIOCGIFFLAGS, request)
        return struct.unpack_from("16xH", answer)[0] & IFF_UP

    @staticmethod
    def ports():
        """Of the UDP sockets of this namespace."""
        found = []
        for table in ("udp", "udp6"):
            with open(f"/proc/thread-self/net/{table}", encoding="ascii") as file:
                found += [table + " " + line.split()[1] for line in file.readlines()[1:]]
        return sorted(found)

    def state(self):
        """All that a request could have changed."""
        links = {name: self.flags(name) for _, name in socket.if_nameindex()}
        devices = {name: genl.get(self.genl, name) for name in links if name.startswith("wg")}
        for device in devices.values():
            del device.attributes[genl.IFINDEX]  # another one each time
        relays = [message.body for message in SPEC.ask(self.genl, "relay-get")]
        return links, devices, self.ports(), relays


class Tests:
    """Runs requests under faults."""

    def __init__(self):
        self.injector, self.requests = Injector(), Requests()

    def one_by_one(self, name, request, undo=None, whole=True, refusals=1, lack=LACK):
        """Fail each allocation of a request in turn. Not whole: it may end half-way, but what is
        missing then comes when it is repeated. refusals: how many there must be at least."""
        state = self.requests.state

        def test():
            before = state()
            request.do()
            done = state()
            if undo:
                undo.do()
                equal(state(), before, "the state once undone")
            nth = refused = 0
            while True:
                nth += 1
                hit, error = self.injector.during(nth, request)
                after = state()
                if error:
                    refused += 1
                    check(hit, f"refused without a fault: {os.strerror(error)}")
                    check(error in lack, f"allocation {nth}: refused: {os.strerror(error)}")
                    if not whole:
                        request.do()
                        equal(state(), done, f"allocation {nth} failed, repeated: the state")
                        undo.do()
                    equal(state(), before, f"allocation {nth} failed: the state")
                    continue
                equal(after, done, f"allocation {nth} failed, request did not: the state")
                if undo:
                    undo.do()
                if not hit:
                    break
            print(f"{name}: allocations = {nth - 1}, refusals = {refused}", flush=True)
            check(refused >= refusals, f"refused {refused} times, at least {refusals} wanted")
        report(name, test)


def configuration(tests):
    """Requests about wg0, in an order in which each leaves what the next one needs."""
    make = tests.requests
    add = lambda name: make.of_link(RTM_NEWLINK, name, NLM_F_CREATE | NLM_F_EXCL, None, nest(
        IFLA_LINKINFO, attr(IFLA_INFO_KIND, b"nwg")))
    delete = lambda name: make.of_link(RTM_DELLINK, name)
    up, down = (make.of_link(RTM_NEWLINK, "wg0", 0, wanted) for wanted in (True, False))
    peers = lambda *entries: make.of_device(nest(PEERS, *entries))
    home = peers(peer(HOME, allowed=[allowed_ip("172.16.1.254", 32)]))
    forget = lambda key: peers(peer(key, attr(P_FLAGS, P_REMOVE_ME)))

    # The kernel's device_add() says EINVAL where there is no memory for the name.
    tests.one_by_one("an interface is added", add("wg0"), delete("wg0"), refusals=10,
                     lack=LACK + (errno.EINVAL,))
    add("wg0").do()
    tests.one_by_one("an interface is removed", delete("wg0"), add("wg0"))
    make.of_device(u16(LISTEN_PORT, 51820)).do()
    tests.one_by_one("the private key is set", make.of_device(attr(PRIVATE_KEY, KEY)),
                     make.of_device(attr(PRIVATE_KEY, bytes(32))))
    make.of_device(attr(PRIVATE_KEY, KEY)).do()
    tests.one_by_one("a peer is added", peers(peer(HOME)), forget(HOME), refusals=3)
    home.do()
    tests.one_by_one("a peer gets an allowed IP, and a fork",
                     peers(peer(HOME, allowed=[allowed_ip("172.16.1.1", 32)])),
                     peers(peer(HOME, allowed=[allowed_ip("172.16.1.1", 32, attr(A_FLAGS, A_REMOVE_ME))])),
                     refusals=3)
    several = [allowed_ip(f"10.0.{number}.0", 24) for number in range(4)] + [allowed_ip("fd00::", 64)]
    tests.one_by_one("two peers with all they may have are added, perhaps half-way", peers(
        peer(OTHER, attr(P_PRESHARED_KEY, KEY), attr(P_ENDPOINT, genl.endpoint4("192.0.2.1", 1)),
             u16(P_KEEPALIVE, 25), allowed=several),
        peer(HOME, attr(P_FLAGS, 0), allowed=[allowed_ip("fd01::", 64)])),
        peers(peer(OTHER, attr(P_FLAGS, P_REMOVE_ME)),
              peer(HOME, attr(P_FLAGS, P_REPLACE_ALLOWEDIPS), allowed=[allowed_ip("172.16.1.254", 32)])),
        whole=False, refusals=8)
    tests.one_by_one("a peer is removed", forget(HOME), home)
    tests.one_by_one("the interface comes up", up, down, refusals=3)
    up.do()
    tests.one_by_one("the interface goes down", down, up)
    tests.one_by_one("the port is changed, with sockets open", make.of_device(u16(LISTEN_PORT, 51821)),
                     make.of_device(u16(LISTEN_PORT, 51820)), refusals=3)
    tests.one_by_one("the fwmark is changed", make.of_device(attr(FWMARK, 1)),
                     make.of_device(attr(FWMARK, 0)))
    tests.one_by_one("the interface is shown", make.dump(GET_DEVICE, genl.name("wg0")), refusals=2)
    relays(tests)
    tests.one_by_one("all peers are replaced", make.of_device(attr(FLAGS, REPLACE_PEERS)), home)
    delete("wg0").do()


def relays(tests):
    """A relay over wg0, whose peer is HOME."""
    make = tests.requests
    listen = {"ifname": "wg0", "listen_port": 60000}
    to = {"peer": HOME, "to_ip4": socket.inet_aton("172.16.1.254"), "to_port": 60000}
    second = {"ifname": "wg0", "listen_port": 60001, "listen_ip4": socket.inet_aton("127.0.0.1")}
    add, remove = make.of_relay("relay-new", **listen, **to), make.of_relay("relay-del", **listen)
    tests.one_by_one("a relay is added, the first, which needs the hooks", add, remove, refusals=8)
    add.do()
    tests.one_by_one("a relay is added, with one address",
                     make.of_relay("relay-new", **second, **to),
                     make.of_relay("relay-del", **second), refusals=4)
    tests.one_by_one("a relay is changed",
                     make.of_relay("relay-set", **listen, responder=KEY, max_flows=7,
                                   max_flows_per_source=3),
                     make.of_relay("relay-set", **listen, responder=bytes(32),
                                   max_flows=4096, max_flows_per_source=256),
                     refusals=2)
    with genl.Socket("nwg") as listener:
        listener.socket.settimeout(0)
        listener.join("events")
        tests.one_by_one("a relay is changed, and somebody listens",
                         *(Told(make.of_relay("relay-set", **listen, max_flows=flows), listener)
                           for flows in (7, 4096)), refusals=1)
    tests.one_by_one("the relays are shown", make.dump_relays("relay-get"))
    tests.one_by_one("their flows are shown", make.dump_relays("flow-get"), refusals=2)
    tests.one_by_one("a relay is removed", remove, add)


subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
plan(20)
configuration(Tests())
