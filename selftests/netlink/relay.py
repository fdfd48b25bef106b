#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the relay commands refuse: the errno, what the extended ack says, which attribute it names,
and that nothing was changed. Needs root and a network namespace of its own. Prints a line for each
result, for ktap_lines."""

import errno
import socket
import subprocess

import genl
from report import check, equal, plan, report
from spec import Spec

SPEC = Spec("nwg")
KEY = b"public" + bytes(26)
READ_ONLY = [name for name, attribute in SPEC.sets["relay"].items() if SPEC.read_only(attribute)]


def v4(text):
    return socket.inet_pton(socket.AF_INET, text)


def v6(text):
    return socket.inet_pton(socket.AF_INET6, text)


# Of the loopback interface.
LO = 1
# A request that is right; in the cases, None takes an attribute out of it.
GOOD = {
    "relay-new": {"ifname": "wg0", "listen_port": 60002, "peer": KEY, "to_ip4": v4("10.0.0.2"),
                  "to_port": 60000},
    "relay-set": {"listen_port": 60000},
    "relay-del": {"listen_port": 60000},
    "relay-get": {},
    "flow-get": {"listen_port": 60000},
}
# Those that name an interface, and those that name a relay.
INTERFACES = (
    ("no such interface", errno.ENODEV, "ifname", "no such interface", {"ifname": "none"}),
    ("no such index", errno.ENODEV, "ifindex", "no such interface",
     {"ifname": None, "ifindex": 0x7FFFFFFF}),
    ("an interface of another kind", errno.EOPNOTSUPP, "ifname", "kind", {"ifname": "lo"}),
    ("an interface by both", errno.EBADR, "ifname", "IFINDEX", {"ifname": "wg0", "ifindex": 1}),
    ("an interface of a long name", errno.EINVAL, "ifname", "", {"ifname": "interface-1234567"}),
)
LISTENS = (
    ("port 0", errno.EINVAL, "listen-port", "LISTEN_PORT", {"listen_port": 0}),
    ("listens on both", errno.EINVAL, "listen-ip6", "LISTEN_IP4",
     {"listen_ip4": v4("10.0.0.1"), "listen_ip6": v6("fd00::1")}),
    ("listens on 0.0.0.0", errno.EINVAL, "listen-ip4", "LISTEN_IP4", {"listen_ip4": bytes(4)}),
    ("listens on ::", errno.EINVAL, "listen-ip6", "LISTEN_IP6", {"listen_ip6": bytes(16)}),
    ("listens on multicast", errno.EINVAL, "listen-ip6", "LISTEN_IP6",
     {"listen_ip6": v6("ff02::1")}),
    ("listens on link-local", errno.EINVAL, "listen-ip6", "LISTEN_IP6",
     {"listen_ip6": v6("fe80::1")}),
    ("listens on v4-mapped", errno.EINVAL, "listen-ip6", "LISTEN_IP6",
     {"listen_ip6": v6("::ffff:10.0.0.1")}),
    ("listening address of 5 bytes", errno.ERANGE, "listen-ip6", "", {"listen_ip6": bytes(5)}),
    *(("listens on no interface that is there", errno.ENODEV, "listen-ifindex", "ip link",
       {"listen_ifindex": index}) for index in (0x7FFFFFFF, 0xFFFFFFFF)),
)
NO_PORT = (("no port", errno.EINVAL, "listen-port", "LISTEN_PORT", {"listen_port": None}),)
ENDPOINTS = (
    ("to both", errno.EINVAL, "to-ip6", "TO_IP4",
     {"to_ip4": v4("10.0.0.2"), "to_ip6": v6("fd00::2")}),
    *((f"to {address}", errno.EINVAL, "to-ip4", "TO_IP4", {"to_ip4": v4(address)})
      for address in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255")),
    *((f"to {address}", errno.EINVAL, "to-ip6", "TO_IP6", {"to_ip4": None, "to_ip6": v6(address)})
      for address in ("::", "::1", "ff02::1", "::ffff:10.0.0.2")),
    ("to port 0", errno.EINVAL, "to-port", "TO_PORT", {"to_port": 0}),
    ("to what is not the peer's", errno.EINVAL, "to-ip4", "allowed IPs", {"to_ip4": v4("10.9.9.9")}),
    ("no flows", errno.EINVAL, "max-flows", "MAX_FLOWS", {"max_flows": 0}),
    ("no flows of a source", errno.EINVAL, "max-flows-per-source", "for no limit",
     {"max_flows_per_source": 0}),
    ("source 3", errno.EINVAL, "source", "SOURCE", {"source": 3}),
    ("a pool that is none", errno.EINVAL, "source", "POOL_IP4", {"source": 1}),
    ("two pools", errno.EINVAL, "source", "POOL_IP4",
     {"source": 1, "pool_ip4": v4("10.8.0.0"), "pool_ip6": v6("fd08::"), "pool_len": 24}),
    ("a pool without a length", errno.EINVAL, "pool-len", "POOL_LEN",
     {"source": 1, "pool_ip4": v4("10.8.0.0")}),
    *((f"a pool of {bits} bits", errno.EINVAL, "pool-len", "POOL_LEN",
       {"source": 1, "pool_ip4": v4("10.8.0.0"), "pool_len": bits}) for bits in (0, 33)),
    ("a pool with bits behind its length", errno.EINVAL, "pool-ip4", "bits",
     {"source": 1, "pool_ip4": v4("10.8.0.1"), "pool_len": 24}),
    *((f"a pool of {pool}/{bits}", errno.EINVAL, name, "hosts'",
       {"source": 1, name.replace("-", "_"): address(pool), "pool_len": bits})
      for name, address, pool, bits in (
          ("pool-ip4", v4, "127.0.0.0", 8), ("pool-ip4", v4, "224.0.0.0", 4), ("pool-ip4", v4, "0.0.0.0", 8),
          ("pool-ip6", v6, "::ffff:10.0.0.0", 104), ("pool-ip6", v6, "ff00::", 8))),
    ("a pool of the other family", errno.EINVAL, "source", "families",
     {"source": 1, "pool_ip6": v6("fd08::"), "pool_len": 64}),
    ("a pool for masquerading", errno.EINVAL, "pool-ip4", "SOURCE",
     {"source": 0, "pool_ip4": v4("10.8.0.0"), "pool_len": 24}),
    ("a pool without a source", errno.EINVAL, "pool-len", "SOURCE", {"pool_len": 24}),
    ("unknown peer", errno.ENOENT, "peer", "no peer", {"peer": bytes(32)}),
    ("peer of 31 bytes", errno.ERANGE, "peer", "", {"peer": bytes(31)}),
    ("responder of 33 bytes", errno.ERANGE, "responder", "", {"responder": bytes(33)}),
    *((f"{name}", errno.EINVAL, name, "read only", {name.replace("-", "_"): b""})
      for name in READ_ONLY),
)
NO_RELAY = (
    ("no relay there", errno.ENOENT, "listen-port", "no relay", {"listen_port": 60009}),
    ("no relay on that address", errno.ENOENT, "listen-ip4", "no relay",
     {"listen_ip4": v4("10.0.0.1")}),
    ("no relay on that interface", errno.ENOENT, "listen-port", "no relay", {"listen_ifindex": LO}),
    ("no relay on all interfaces", errno.ENOENT, "listen-port", "no relay", {"listen_port": 60004}),
    ("over another interface", errno.EINVAL, "ifname", "another interface", {"ifname": "wg1"}),
)
REFUSALS = {
    "relay-new": (
        ("no interface", errno.EBADR, "ifname", "IFINDEX", {"ifname": None}),
        *INTERFACES, *NO_PORT, *LISTENS,
        ("no peer", errno.EINVAL, "peer", "PEER", {"peer": None}),
        ("no inner endpoint", errno.EINVAL, "to-ip4", "TO_IP4", {"to_ip4": None}),
        ("no inner port", errno.EINVAL, "to-port", "TO_PORT", {"to_port": None}),
        *ENDPOINTS,
        ("a relay is there", errno.EEXIST, "listen-port", "already", {"listen_port": 60000}),
        ("a relay is on that address", errno.EEXIST, "listen-ip4", "already",
         {"listen_port": 60001, "listen_ip4": v4("10.0.0.1")}),
        ("a relay is on all addresses", errno.EADDRINUSE, "listen-ip4", "another relay",
         {"listen_port": 60000, "listen_ip4": v4("10.0.0.1")}),
        ("a relay is on one address", errno.EADDRINUSE, "listen-port", "another relay",
         {"listen_port": 60001}),
        ("a socket is there", errno.EADDRINUSE, "listen-port", "socket", {"listen_port": 60003}),
        ("a relay is on that interface", errno.EEXIST, "listen-port", "already",
         {"listen_port": 60004, "listen_ifindex": LO}),
        ("a relay is on one interface", errno.EADDRINUSE, "listen-port", "another relay",
         {"listen_port": 60004}),
        ("a relay is on all interfaces", errno.EADDRINUSE, "listen-port", "another relay",
         {"listen_port": 60000, "listen_ifindex": LO}),
        ("a relay is on all addresses of that interface", errno.EADDRINUSE, "listen-ip4",
         "another relay", {"listen_port": 60004, "listen_ip4": v4("10.0.0.1"), "listen_ifindex": LO}),
        ("a socket is on that interface", errno.EADDRINUSE, "listen-port", "socket",
         {"listen_port": 60005, "listen_ifindex": LO}),
        ("a socket is on all interfaces", errno.EADDRINUSE, "listen-port", "socket",
         {"listen_port": 60003, "listen_ifindex": LO}),
        ("IPv4 address of another", errno.EADDRNOTAVAIL, "listen-ip4", "this network namespace's",
         {"listen_ip4": v4("10.0.0.77")}),
        ("IPv6 address of another", errno.EADDRNOTAVAIL, "listen-ip6", "this network namespace's",
         {"listen_ip6": v6("fd00::77")}),
    ),
    "relay-set": (*INTERFACES, *NO_PORT, *LISTENS, *ENDPOINTS, *NO_RELAY),
    "relay-del": (*INTERFACES, *NO_PORT, *LISTENS, *NO_RELAY,
                  ("peer", errno.EINVAL, "peer", "Unsupported", {"peer": KEY}),
                  ("max flows", errno.EINVAL, "max-flows", "Unsupported", {"max_flows": 5})),
    "relay-get": (*INTERFACES,
                  ("port", errno.EINVAL, "listen-port", "Unknown", {"listen_port": 60000})),
    "flow-get": (*INTERFACES, *LISTENS,
                 ("an address without a port", errno.EINVAL, "listen-port", "LISTEN_PORT",
                  {"listen_port": None, "listen_ip4": v4("10.0.0.1")}),
                 ("client", errno.EINVAL, "client-port", "read only", {"client_port": 5})),
}


def relays(sock):
    return [message.body for message in SPEC.ask(sock, "relay-get")]


def refused(sock, operation, error, named, said, changes):
    before = relays(sock)
    values = {key: value for key, value in (GOOD[operation] | changes).items() if value is not None}
    try:
        SPEC.ask(sock, operation, **values)
    except genl.Refused as refusal:
        equal(errno.errorcode.get(refusal.error), errno.errorcode[error], refusal.text or "errno")
        check(refusal.text, "no extended ack")
        check(said in refusal.text, f"{said} is not in the extended ack: {refusal.text}")
        number = SPEC.sets[SPEC.ops[operation]["attribute-set"]][named]["value"]
        # At the end of a dump, Linux 6.1 passes the text on, but no attribute: that is in the text.
        if "dump" in SPEC.ops[operation] and refusal.wrong is None:
            check(named.upper().replace("-", "_") in refusal.text,
                  f"the attribute is not in the extended ack: {refusal.text}")
        else:
            equal(refusal.wrong if refusal.missing is None else refusal.missing, number, "attribute")
    else:
        check(False, f"not refused; {errno.errorcode[error]} expected")
    equal(relays(sock), before, "relays")


def by_ingress(sock, port):
    """{ingress interface: limit of flows} of the relays on a port."""
    found = [SPEC.decode("relay", body[genl.GENL_HEADER:]) for body in relays(sock)[:-1]]
    return {relay.get("listen-ifindex", 0): relay["max-flows"] for relay in found
            if relay["listen-port"] == port}


def side_by_side(sock, first, second):
    """Two relays on a port, each on an interface of its own, where a socket is on a third's."""
    new = GOOD["relay-new"] | {"listen_port": 60005}
    SPEC.ask(sock, "relay-new", **new, listen_ifindex=first)
    SPEC.ask(sock, "relay-new", **new, listen_ifindex=second)
    equal(by_ingress(sock, 60005), {first: 4096, second: 4096}, "made")
    SPEC.ask(sock, "relay-set", listen_port=60005, listen_ifindex=first, max_flows=5)
    equal(by_ingress(sock, 60005), {first: 5, second: 4096}, "one changed")
    equal(len(SPEC.ask(sock, "flow-get", listen_port=60005, listen_ifindex=first)), 1, "no flow, but an end")
    SPEC.ask(sock, "relay-del", listen_port=60005, listen_ifindex=first)
    equal(by_ingress(sock, 60005), {second: 4096}, "one removed")
    SPEC.ask(sock, "relay-del", listen_port=60005, listen_ifindex=second)
    equal(by_ingress(sock, 60005), {}, "both removed")


def index_0(sock):
    """It is as if there was none."""
    SPEC.ask(sock, "relay-new", **GOOD["relay-new"] | {"listen_port": 60006}, listen_ifindex=0)
    equal(by_ingress(sock, 60006), {0: 4096}, "made")
    SPEC.ask(sock, "relay-del", listen_port=60006)


def ip(*arguments):
    subprocess.run(("ip",) + arguments, check=True, capture_output=True, timeout=60)


def main():
    ip("link", "set", "lo", "up")
    for name in ("wg0", "wg1"):
        ip("link", "add", name, "type", "nwg")
    ip("address", "add", "10.0.0.1/24", "dev", "wg0")
    ip("link", "set", "wg0", "up")
    with genl.Socket("nwg") as sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        genl.set_device(sock, "wg0", genl.nest(genl.PEERS, genl.peer(
            KEY, allowed=[genl.allowed_ip("10.0.0.2", 32), genl.allowed_ip("::", 0)])))
        SPEC.ask(sock, "relay-new", **GOOD["relay-new"] | {"listen_port": 60000})
        SPEC.ask(sock, "relay-new", **GOOD["relay-new"] | {"listen_port": 60001,
                                                           "listen_ip4": v4("10.0.0.1")})
        SPEC.ask(sock, "relay-new", **GOOD["relay-new"] | {"listen_port": 60004,
                                                           "listen_ifindex": LO})
        taken.bind(("", 60003))
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        bound.bind(("", 60005))
        plan(sum(map(len, REFUSALS.values())) + 2)
        for operation, cases in REFUSALS.items():
            for name, *case in cases:
                report(f"{operation}: {name}", lambda: refused(sock, operation, *case))
        indexes = [socket.if_nametoindex(name) for name in ("wg0", "wg1")]
        report("two relays on a port, by interface", lambda: side_by_side(sock, *indexes))
        report("interface 0 is all", lambda: index_0(sock))
    for name in ("wg0", "wg1"):
        ip("link", "del", name)


main()
