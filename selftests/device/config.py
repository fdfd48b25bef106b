# SPDX-License-Identifier: GPL-2.0
"""The configuration interface, request by request: what is kept, what is dumped, what is refused and how."""

import errno
import os
import socket
import struct

import bench
import genl
import wireguard as wg
from bench import Device, check, equal
from genl import attribute, u8, u16, u32

GET, SET = 0, 1
A_IFINDEX, A_IFNAME, A_PRIVATE_KEY, A_PUBLIC_KEY, A_FLAGS, A_LISTEN_PORT, A_FWMARK, A_PEERS = range(1, 9)
P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_ENDPOINT, P_KEEPALIVE, P_HANDSHAKE, P_RX, P_TX, P_ALLOWEDIPS, P_VERSION = \
    range(1, 11)
I_FAMILY, I_ADDRESS, I_CIDR, I_FLAGS = range(1, 5)
REPLACE_PEERS = 1
REMOVE_ME, REPLACE_ALLOWEDIPS, UPDATE_ONLY = 1, 2, 4


def nest(items):
    return [attribute(0, item) for item in items]


def peer(key, *attributes, flags=None, allowed=None):
    items = [attribute(P_PUBLIC_KEY, key), *attributes]
    if flags is not None:
        items.append(u32(P_FLAGS, flags))
    if allowed is not None:
        items.append(attribute(P_ALLOWEDIPS, nest(allowed)))
    return items


def prefix(text, *attributes):
    address, cidr = text.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return [u16(I_FAMILY, family), attribute(I_ADDRESS, socket.inet_pton(family, address)), u8(I_CIDR, int(cidr)),
            *attributes]


class Configuration:
    """A device and the family that configures it."""

    def __init__(self, number):
        self.device = Device(number)
        self.family = genl.Family(bench.KIND)

    def set(self, *attributes):
        self.family.request(SET, b"".join((attribute(A_IFNAME, self.device.name), *attributes)))

    def set_peers(self, *peers, flags=None):
        self.set(*([u32(A_FLAGS, flags)] if flags is not None else []), attribute(A_PEERS, nest(peers)))

    def refusal(self, *attributes, name=True):
        payload = b"".join(((attribute(A_IFNAME, self.device.name),) if name else ()) + attributes)
        try:
            self.family.request(SET, payload)
        except genl.Refused as refused:
            return refused
        return None

    def dump(self):
        """Peers by key: their attributes (the first message's) and the allowed IPs of all messages."""
        peers = {}
        for message in self.family.request(GET, attribute(A_IFNAME, self.device.name), genl.NLM_F_DUMP):
            for _, item in genl.parse(dict(message).get(A_PEERS, b"")):
                values = dict(genl.parse(item))
                kept = peers.setdefault(values[P_PUBLIC_KEY], (values, []))
                for _, entry in genl.parse(values.get(P_ALLOWEDIPS, b"")):
                    ip = dict(genl.parse(entry))
                    family, = struct.unpack("=H", ip[I_FAMILY])
                    kept[1].append(f"{socket.inet_ntop(family, ip[I_ADDRESS])}/{ip[I_CIDR][0]}")
        return peers

    def allowed(self):
        return {key: sorted(ips) for key, (_, ips) in self.dump().items()}


def update_only(number):
    """UPDATE_ONLY changes a peer that is there and makes none"""
    configuration = Configuration(number)
    here, absent = wg.new_key().public, wg.new_key().public
    configuration.set_peers(peer(here))
    configuration.set_peers(peer(here, u16(P_KEEPALIVE, 25), flags=UPDATE_ONLY),
                            peer(absent, u16(P_KEEPALIVE, 25), flags=UPDATE_ONLY))
    peers = configuration.dump()
    equal(list(peers), [here], "peers")
    equal(peers[here][0][P_KEEPALIVE], struct.pack("=H", 25), "persistent keepalive")
    configuration.set_peers(peer(absent, flags=REMOVE_ME))
    configuration.set_peers(peer(absent, flags=REMOVE_ME | UPDATE_ONLY))
    equal(list(configuration.dump()), [here], "peers after removing one that is not there")


def replace(number):
    """REPLACE_PEERS and REPLACE_ALLOWEDIPS drop what the request does not name"""
    configuration = Configuration(number)
    keys = sorted(wg.new_key().public for _ in range(3))
    configuration.set_peers(*(peer(key, allowed=[prefix(f"10.{i}.0.0/16")]) for i, key in enumerate(keys)))
    configuration.set_peers(peer(keys[0], allowed=[prefix("fd00::/8")]))
    equal(configuration.allowed()[keys[0]], ["10.0.0.0/16", "fd00::/8"], "allowed IPs after adding")
    configuration.set_peers(peer(keys[0], flags=REPLACE_ALLOWEDIPS, allowed=[prefix("10.9.0.0/16")]))
    equal(configuration.allowed()[keys[0]], ["10.9.0.0/16"], "allowed IPs after replacing")
    configuration.set_peers(peer(keys[0], flags=REPLACE_ALLOWEDIPS))
    equal(configuration.allowed()[keys[0]], [], "allowed IPs after replacing by none")
    configuration.set_peers(peer(keys[1]), flags=REPLACE_PEERS)
    equal(configuration.allowed(), {keys[1]: []}, "peers after replacing")
    configuration.set(u32(A_FLAGS, REPLACE_PEERS))
    equal(configuration.dump(), {}, "peers after replacing by none")


def host_bits(number):
    """allowed IPs lose their host bits, 0/0 is one of them, the same one twice is once"""
    configuration = Configuration(number)
    key = wg.new_key().public
    configuration.set_peers(peer(key, allowed=map(prefix, (
        "10.1.2.3/8", "10.9.9.9/8", "0.0.0.0/0", "1.2.3.4/0", "::/0", "fd00:1:2::3/33", "192.0.2.1/32"))))
    equal(configuration.allowed()[key], sorted(["10.0.0.0/8", "0.0.0.0/0", "::/0", "fd00:1::/33", "192.0.2.1/32"]),
          "allowed IPs")


def large_dump(number):
    """a dump spans messages: every peer and every allowed IP is in it, once"""
    configuration = Configuration(number)
    wanted = {}
    for i in range(4):
        key = wg.new_key().public
        ips = [f"10.{i}.{j // 256}.{j % 256}/32" for j in range(1500)] if i % 2 else [f"fd0{i}::/64"]
        wanted[key] = sorted(ips)
        for start in range(0, len(ips), 500):
            configuration.set_peers(peer(key, allowed=map(prefix, ips[start:start + 500])))
    messages = configuration.family.request(GET, attribute(A_IFNAME, configuration.device.name), genl.NLM_F_DUMP)
    check(len(messages) > 1, "one message")
    got = configuration.allowed()
    equal(sorted(got), sorted(wanted), "peers")
    for key, ips in wanted.items():
        check(got[key] == ips, f"a peer has {len(got[key])} allowed IPs instead of {len(ips)}")
    shown = bench.run(bench.TOOL, "show", configuration.device.name, "allowed-ips").splitlines()
    equal(len(shown), len(wanted), f"peers that {bench.TOOL} shows")
    equal(sorted(len(line.split("\t")[1].split()) for line in shown), sorted(map(len, wanted.values())),
          f"allowed IPs that {bench.TOOL} shows")


def interrupted_dump(number):
    """a dump in which something changed says so"""
    configuration = Configuration(number)
    for i in range(4):
        configuration.set_peers(peer(wg.new_key().public, allowed=[
            prefix(f"10.{i}.{j // 256}.{j % 256}/32") for j in range(1000)]))
    other = genl.Family(bench.KIND)
    name = attribute(A_IFNAME, configuration.device.name)
    for change in False, True:
        configuration.family.send(GET, name, genl.NLM_F_DUMP)
        messages = configuration.family.messages()
        flags, _ = next(messages)
        if change:
            other.request(SET, name + u32(A_FWMARK, 7))
        for more, _ in messages:
            flags |= more
        equal(bool(flags & genl.NLM_F_DUMP_INTR), change, "NLM_F_DUMP_INTR")


def refusals(number):
    """what is malformed is refused with the right error, and changes nothing"""
    configuration = Configuration(number)
    key = wg.new_key().public
    configuration.set_peers(peer(key, allowed=[prefix("10.0.0.0/8")]))
    before = configuration.family.request(GET, attribute(A_IFNAME, configuration.device.name), genl.NLM_F_DUMP)
    sockaddr = struct.pack("=H", socket.AF_INET) + struct.pack(">H4s8x", 1000, bytes([192, 0, 2, 1]))
    for what, code, attributes in (
            ("an unknown device flag", errno.EOPNOTSUPP, [u32(A_FLAGS, 2)]),
            ("a short private key", errno.ERANGE, [attribute(A_PRIVATE_KEY, bytes(31))]),
            ("a long private key", errno.ERANGE, [attribute(A_PRIVATE_KEY, bytes(33))]),
            ("a short port", errno.EINVAL, [u8(A_LISTEN_PORT, 1)]),
            ("a peer without a key", errno.EINVAL, [attribute(A_PEERS, nest([[u16(P_KEEPALIVE, 1)]]))]),
            ("a peer with a short key", errno.ERANGE, [attribute(A_PEERS, nest([peer(key[:31])]))]),
            ("an unknown peer flag", errno.EOPNOTSUPP, [attribute(A_PEERS, nest([peer(key, flags=8)]))]),
            ("a short preshared key", errno.ERANGE,
             [attribute(A_PEERS, nest([peer(key, attribute(P_PRESHARED_KEY, bytes(31)))]))]),
            ("protocol version 2", errno.EPFNOSUPPORT, [attribute(A_PEERS, nest([peer(key, u32(P_VERSION, 2))]))]),
            ("a short endpoint", errno.ERANGE,
             [attribute(A_PEERS, nest([peer(key, attribute(P_ENDPOINT, sockaddr[:8]))]))]),
            ("a /33 of v4", errno.EINVAL, [attribute(A_PEERS, nest([peer(key, allowed=[prefix("10.0.0.0/33")])]))]),
            ("a /129 of v6", errno.EINVAL, [attribute(A_PEERS, nest([peer(key, allowed=[prefix("fd00::/129")])]))]),
            ("a v4 address called v6", errno.EINVAL,
             [attribute(A_PEERS, nest([peer(key, allowed=[[u16(I_FAMILY, socket.AF_INET6),
                                                           attribute(I_ADDRESS, bytes(4)), u8(I_CIDR, 8)]])]))]),
            ("an allowed IP without length", errno.EINVAL,
             [attribute(A_PEERS, nest([peer(key, allowed=[prefix("10.0.0.0/8")[:2]])]))])):
        refused = configuration.refusal(*attributes)
        check(refused, f"{what} was accepted")
        expect(what, refused, code)
        after = configuration.family.request(GET, attribute(A_IFNAME, configuration.device.name), genl.NLM_F_DUMP)
        check(after == before, f"{what} changed something")


def expect(what, refused, code):
    """Stock gives no text of its own; ours names what is wrong."""
    equal(errno.errorcode[refused.code], errno.errorcode[code], f"error for {what}")
    if bench.KIND == "nwg":
        check(refused.text, f"no extended acknowledgement for {what}")


def interface_named(number):
    """the interface must be named, once, be there, and be ours"""
    configuration = Configuration(number)
    with bench.inside(bench.NS_A):
        index = socket.if_nametoindex(configuration.device.name)
    for what, code, attributes in (
            ("no interface", errno.EBADR, []),
            ("name and index", errno.EBADR, [attribute(A_IFNAME, configuration.device.name), u32(A_IFINDEX, index)]),
            ("an unknown name", errno.ENODEV, [attribute(A_IFNAME, "nonesuch")]),
            ("an unknown index", errno.ENODEV, [u32(A_IFINDEX, 1 << 30)]),
            ("another kind", errno.EOPNOTSUPP, [attribute(A_IFNAME, "eth1")])):
        refused = configuration.refusal(*attributes, name=False)
        check(refused, f"{what} was accepted")
        expect(what, refused, code)
        try:
            configuration.family.request(GET, b"".join(attributes), genl.NLM_F_DUMP)
        except genl.Refused as refused:
            equal(errno.errorcode[refused.code], errno.errorcode[code], f"error of a dump for {what}")
        else:
            check(False, f"{what} was accepted in a dump")
    configuration.family.request(SET, u32(A_IFINDEX, index) + u32(A_FWMARK, 9))


def unprivileged(number):
    """without CAP_NET_ADMIN nothing is read and nothing set"""
    configuration = Configuration(number)
    name = attribute(A_IFNAME, configuration.device.name)
    child = os.fork()
    if not child:
        results = []
        os.setresuid(65534, 65534, 65534)
        for command, flags in (GET, genl.NLM_F_DUMP), (SET, genl.NLM_F_ACK):
            try:
                genl.Family.request(configuration.family, command, name, flags)
                results.append(0)
            except genl.Refused as refused:
                results.append(refused.code)
        os._exit(0 if results == [errno.EPERM] * 2 else 1)
    equal(os.waitpid(child, 0)[1], 0, "exit status of the unprivileged process")


def secrets(number):
    """a zero key is none: shown as absent or zero, and it takes the old one away"""
    configuration = Configuration(number)
    device, key, psk = configuration.device, wg.new_key().public, os.urandom(32)
    configuration.set_peers(peer(key, attribute(P_PRESHARED_KEY, psk)))
    equal(configuration.dump()[key][0][P_PRESHARED_KEY], psk, "preshared key")
    equal(device.show("preshared-keys")[key], [bench.base64_key(psk)], "preshared key shown")
    configuration.set_peers(peer(key, attribute(P_PRESHARED_KEY, bytes(32))))
    equal(device.show("preshared-keys")[key], ["(none)"], "preshared key shown")
    first, = configuration.family.request(GET, attribute(A_IFNAME, device.name), genl.NLM_F_DUMP)
    equal(dict(first)[A_PRIVATE_KEY], device.own.private, "private key")
    equal(dict(first)[A_PUBLIC_KEY], device.own.public, "public key")
    configuration.set(attribute(A_PRIVATE_KEY, bytes(32)))
    first, = configuration.family.request(GET, attribute(A_IFNAME, device.name), genl.NLM_F_DUMP)
    equal(dict(first).get(A_PRIVATE_KEY, bytes(32)), bytes(32), "private key")
    equal(dict(first).get(A_PUBLIC_KEY, bytes(32)), bytes(32), "public key")


def many_peers(number):
    """200 peers are made, shown and removed"""
    configuration = Configuration(number)
    keys = [os.urandom(32) for _ in range(200)]
    for start in range(0, len(keys), 50):
        configuration.set_peers(*(peer(key, allowed=[prefix(f"10.{start}.{i}.0/24")])
                                  for i, key in enumerate(keys[start:start + 50])))
    got = configuration.allowed()
    equal(len(got), len(keys), "peers")
    check(all(len(ips) == 1 for ips in got.values()), "a peer does not have its one allowed IP")
    configuration.set_peers(*(peer(key, flags=REMOVE_ME) for key in keys[:50]))
    equal(len(configuration.dump()), 150, "peers after removing 50")
    configuration.device.delete()


CASES = [
    update_only, replace, host_bits, large_dump, interrupted_dump, refusals, interface_named, unprivileged,
    secrets, many_peers,
]
