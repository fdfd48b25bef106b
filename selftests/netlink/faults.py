#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Every allocation that a configuration request makes fails once: usage faults.py [nwg|wireguard]

Fault injection (Documentation/fault-injection) fails the 1st, the 2nd, ... nth allocation of one
request, until the request makes fewer. Each refusal must be for lack of memory and must have changed
nothing; a request that gets by without the memory must have done all of it. Prints KTAP. Needs root
and a kernel with fault injection: all others skip. With "wireguard", the stock module, what it has
in common with ours."""

import ctypes
import errno
import fcntl
import gc
import os
import socket
import struct
import subprocess
import sys
import traceback

import genl
from genl import (A_FLAGS, A_REMOVE_ME, FLAGS, FWMARK, GET_DEVICE, IFNAME, LISTEN_PORT, P_ENDPOINT,
                  P_FLAGS, P_KEEPALIVE, P_PRESHARED_KEY, P_REMOVE_ME, P_REPLACE_ALLOWEDIPS, PEERS,
                  PRIVATE_KEY, REPLACE_PEERS, SET_DEVICE, allowed_ip, attr, nest, peer, u16)

KIND = sys.argv[1] if len(sys.argv) > 1 else "nwg"
DEBUGFS = "/sys/kernel/debug"
# Who makes a socket and gets no memory for its inode is told ENFILE.
LACK = (errno.ENOMEM, errno.ENOBUFS, errno.ENFILE)
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

# rtnetlink
RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_CREATE, NLM_F_EXCL = 0x400, 0x200
IFLA_IFNAME, IFLA_LINKINFO, IFLA_INFO_KIND = 3, 18, 1
IFF_UP = 1
SIOCGIFFLAGS = 0x8913

# enum nwg_command and nwg_relay_attribute, as in uapi/nwg.h
RELAY_NEW, RELAY_SET, RELAY_DEL, RELAY_GET, FLOW_GET = range(2, 7)
R_IFNAME, R_LISTEN_PORT, R_LISTEN_IP4 = 3, 4, 5
R_PEER, R_TO_IP4, R_TO_PORT, R_RESPONDER, R_MAX_FLOWS = 7, 8, 10, 11, 12

KEY = bytes([8]) + bytes(30) + bytes([64])
HOME, OTHER = b"home" + bytes(28), b"other" + bytes(27)


class Failed(Exception):
    """An expectation that did not hold."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r:.600} instead of {wanted!r:.600}")


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

    def during(self, nth, call):
        """Whether an allocation failed, and the error that the call ended with, or 0."""
        error = 0
        gc.disable()
        os.pwrite(self.file, b"%d" % nth, 0)
        try:
            call()
        except OSError as refusal:
            error = refusal.errno
        left = int(os.pread(self.file, 16, 0))
        os.pwrite(self.file, b"0", 0)
        gc.enable()
        return left == 0, error


class Requests:
    """The two netlink sockets, and what requests through them have done."""

    def __init__(self):
        self.genl = genl.Socket(KIND)
        self.route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self.genl.socket.settimeout(None)
        self.sequence = 0

    def message(self, kind, flags, body):
        self.sequence += 1
        return struct.pack("=IHHII", 16 + len(body), kind, 5 | flags, self.sequence, 0) + body

    def of_device(self, *attributes):
        """SET_DEVICE of wg0."""
        body = struct.pack("=BBH", SET_DEVICE, 1, 0) + genl.name("wg0") + b"".join(attributes)
        return self.sender(self.genl.socket, self.message(self.genl.family, 0, body))

    def of_relay(self, command, *attributes):
        body = struct.pack("=BBH", command, 1, 0) + b"".join(attributes)
        return self.sender(self.genl.socket, self.message(self.genl.family, 0, body))

    def of_link(self, kind, name, flags=0, up=None, *attributes):
        body = struct.pack("=BBHiII", 0, 0, 0, 0, int(bool(up)), int(up is not None))
        body += attr(IFLA_IFNAME, name.encode() + b"\0") + b"".join(attributes)
        return self.sender(self.route, self.message(kind, flags, body))

    def dump(self, command, attributes=b""):
        """The answer is read as well: parts of it are made only then."""
        body = struct.pack("=BBH", command, 1, 0) + attributes
        request = self.message(self.genl.family, genl.NLM_F_DUMP, body)

        def call():
            self.genl.socket.send(request)
            while not self.ended(self.genl.socket.recv(1 << 16)):
                pass
        return call

    @staticmethod
    def ended(data):
        while data:
            length, kind = struct.unpack_from("=IH", data)
            if kind in (genl.NLMSG_ERROR, genl.NLMSG_DONE):
                error, = struct.unpack_from("=i", data, 16)
                if error:
                    raise OSError(-error, os.strerror(-error))
                return True
            data = data[(length + 3) & ~3:]
        return False

    def sender(self, sock, request):
        """A function that sends the request; the faults are for that alone."""
        def call():
            sock.send(request)
        call.sock = sock
        return call

    def answer(self, sock):
        """The error that the request ended with. That the answer itself got lost is none."""
        while True:
            try:
                data = sock.recv(1 << 16)
            except OSError as lost:
                if lost.errno == errno.ENOBUFS:
                    return 0
                raise
            try:
                if self.ended(data):
                    return 0
            except OSError as refusal:
                return refusal.errno

    def do(self, call):
        """Without faults."""
        call()
        if hasattr(call, "sock"):
            error = self.answer(call.sock)
            check(not error, f"refused without a fault: {os.strerror(error)}")

    def relays(self):
        if KIND != "nwg":
            return []
        return [message.body for message in self.genl.dump(RELAY_GET, b"")
                if message.kind != genl.NLMSG_DONE]

    def flags(self, name):
        request = struct.pack("16s16x", name.encode())
        return struct.unpack_from("16xH", fcntl.ioctl(self.route, SIOCGIFFLAGS, request))[0] & IFF_UP

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
        return links, devices, self.ports(), self.relays()


class Tests:
    """Runs requests under faults and counts."""

    def __init__(self):
        self.injector, self.requests, self.number, self.failed = Injector(), Requests(), 0, 0

    def result(self, name, test):
        self.number += 1
        try:
            test()
        except Exception as reason:  # pylint: disable=broad-except
            text = str(reason) if isinstance(reason, Failed) else traceback.format_exc()
            print("\n".join("# " + line for line in text.splitlines()))
            self.failed += 1
            print(f"not ok {self.number} {name}", flush=True)
        else:
            print(f"ok {self.number} {name}", flush=True)

    def one_by_one(self, name, call, undo=None, whole=True, refusals=1, lack=LACK):
        """Fail each allocation of a request in turn. Not whole: it may end half-way, but what is
        missing then comes when it is repeated. refusals: how many there must be at least."""
        do, state = self.requests.do, self.requests.state

        def test():
            before = state()
            do(call)
            done = state()
            if undo:
                do(undo)
                equal(state(), before, "the state once undone")
            nth = refused = 0
            while True:
                nth += 1
                hit, error = self.injector.during(nth, call)
                if hasattr(call, "sock") and not error:
                    error = self.requests.answer(call.sock)
                after = state()
                if error:
                    refused += 1
                    check(hit, f"refused without a fault: {os.strerror(error)}")
                    check(error in lack, f"allocation {nth}: refused: {os.strerror(error)}")
                    if not whole:
                        do(call)
                        equal(state(), done, f"allocation {nth} failed, repeated: the state")
                        do(undo)
                    equal(state(), before, f"allocation {nth} failed: the state")
                    continue
                equal(after, done, f"allocation {nth} failed, request did not: the state")
                if undo:
                    do(undo)
                if not hit:
                    break
            print(f"# {name}: allocations = {nth - 1}, refusals = {refused}")
            check(refused >= refusals, f"refused {refused} times, at least {refusals} wanted")
        self.result(name, test)


def configuration(tests):
    """Requests about wg0, in an order in which each leaves what the next one needs."""
    make = tests.requests
    add = lambda name: make.of_link(RTM_NEWLINK, name, NLM_F_CREATE | NLM_F_EXCL, None, nest(
        IFLA_LINKINFO, attr(IFLA_INFO_KIND, KIND.encode())))
    delete = lambda name: make.of_link(RTM_DELLINK, name)
    up, down = (make.of_link(RTM_NEWLINK, "wg0", 0, wanted) for wanted in (True, False))
    peers = lambda *entries: make.of_device(nest(PEERS, *entries))
    home = peers(peer(HOME, allowed=[allowed_ip("172.16.1.254", 32)]))
    forget = lambda key: peers(peer(key, attr(P_FLAGS, P_REMOVE_ME)))

    # The kernel's device_add() says EINVAL where there is no memory for the name.
    tests.one_by_one("an interface is added", add("wg0"), delete("wg0"), refusals=10,
                     lack=LACK + (errno.EINVAL,))
    make.do(add("wg0"))
    tests.one_by_one("an interface is removed", delete("wg0"), add("wg0"))
    make.do(make.of_device(u16(LISTEN_PORT, 51820)))
    tests.one_by_one("the private key is set", make.of_device(attr(PRIVATE_KEY, KEY)),
                     make.of_device(attr(PRIVATE_KEY, bytes(32))))
    make.do(make.of_device(attr(PRIVATE_KEY, KEY)))
    tests.one_by_one("a peer is added", peers(peer(HOME)), forget(HOME), refusals=3)
    make.do(home)
    tests.one_by_one("a peer gets an allowed IP, and a fork",
                     peers(peer(HOME, allowed=[allowed_ip("172.16.1.1", 32)])),
                     peers(peer(HOME, allowed=[allowed_ip("172.16.1.1", 32, attr(A_FLAGS, A_REMOVE_ME))])),
                     refusals=3)
    several = [allowed_ip(f"10.0.{number}.0", 24) for number in range(4)] + [allowed_ip("fd00::", 64)]
    tests.one_by_one("two peers with all they may have are added, perhaps half-way", peers(
        peer(OTHER, attr(P_PRESHARED_KEY, KEY), attr(P_ENDPOINT, genl.endpoint4("192.0.2.1", 1)),
             u16(P_KEEPALIVE, 25), allowed=several),
        peer(HOME + b"", attr(P_FLAGS, 0), allowed=[allowed_ip("fd01::", 64)])),
        peers(peer(OTHER, attr(P_FLAGS, P_REMOVE_ME)),
              peer(HOME, attr(P_FLAGS, P_REPLACE_ALLOWEDIPS), allowed=[allowed_ip("172.16.1.254", 32)])),
        whole=False, refusals=8)
    tests.one_by_one("a peer is removed", forget(HOME), home)
    tests.one_by_one("the interface comes up", up, down, refusals=3)
    make.do(up)
    tests.one_by_one("the interface goes down", down, up)
    tests.one_by_one("the port is changed, with sockets open", make.of_device(u16(LISTEN_PORT, 51821)),
                     make.of_device(u16(LISTEN_PORT, 51820)), refusals=3)
    tests.one_by_one("the fwmark is changed", make.of_device(attr(FWMARK, 1)),
                     make.of_device(attr(FWMARK, 0)))
    tests.one_by_one("the interface is shown", make.dump(GET_DEVICE, genl.name("wg0")), refusals=2)
    if KIND == "nwg":
        relays(tests)
    tests.one_by_one("all peers are replaced", make.of_device(attr(FLAGS, REPLACE_PEERS)), home)
    make.do(delete("wg0"))


def relays(tests):
    """A relay over wg0, whose peer is HOME."""
    make = tests.requests
    listen = attr(R_IFNAME, b"wg0\0") + u16(R_LISTEN_PORT, 60000)
    to = attr(R_PEER, HOME) + attr(R_TO_IP4, socket.inet_aton("172.16.1.254")) + u16(R_TO_PORT, 60000)
    second = attr(R_IFNAME, b"wg0\0") + u16(R_LISTEN_PORT, 60001) + \
        attr(R_LISTEN_IP4, socket.inet_aton("127.0.0.1"))
    add, remove = make.of_relay(RELAY_NEW, listen, to), make.of_relay(RELAY_DEL, listen)
    tests.one_by_one("a relay is added, the first, which needs the hooks", add, remove, refusals=8)
    make.do(add)
    tests.one_by_one("a relay is added, with one address", make.of_relay(RELAY_NEW, second, to),
                     make.of_relay(RELAY_DEL, second), refusals=4)
    tests.one_by_one("a relay is changed", make.of_relay(
        RELAY_SET, listen, attr(R_RESPONDER, KEY), attr(R_MAX_FLOWS, 7)), make.of_relay(
            RELAY_SET, listen, attr(R_RESPONDER, bytes(32)), attr(R_MAX_FLOWS, 4096)), refusals=2)
    tests.one_by_one("the relays are shown", make.dump(RELAY_GET))
    tests.one_by_one("their flows are shown", make.dump(FLOW_GET), refusals=2)
    tests.one_by_one("a relay is removed", remove, add)


def main():
    if not os.path.exists("/proc/thread-self/fail-nth"):
        print("KTAP version 1\n1..0 # SKIP the kernel injects no faults: run on the debug kernel")
        sys.exit(4)
    if libc.unshare(CLONE_NEWNET):
        sys.exit("no network namespace: " + os.strerror(ctypes.get_errno()))
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    print(f"KTAP version 1\n1..{19 if KIND == 'nwg' else 12}", flush=True)
    tests = Tests()
    configuration(tests)
    sys.exit(bool(tests.failed))


main()
