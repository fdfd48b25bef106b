#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""GET_DEVICE and SET_DEVICE as a program speaks them: usage abi.py nwg|wireguard|drop-in

The family "wireguard" calibrates what the two share: those cases must pass there as well, and what
is refused here is refused there, or stock.py says why not. Needs root and a network namespace of its
own. Prints a line for each result, for ktap_lines."""

import contextlib
import errno
import os
import socket
import struct
import subprocess
import sys
import threading
import time

import genl
import stock
from genl import (A_CIDR_MASK, A_FAMILY, A_FLAGS, A_IPADDR, A_REMOVE_ME, FLAGS, FWMARK, GET_DEVICE,
                  IFINDEX, IFNAME, LISTEN_PORT, NLA_F_NESTED, P_ALLOWEDIPS, P_ENDPOINT, P_FLAGS,
                  P_KEEPALIVE, P_LAST_HANDSHAKE, P_PRESHARED_KEY, P_PUBLIC_KEY, P_REMOVE_ME,
                  P_REPLACE_ALLOWEDIPS, P_RX_BYTES, P_TX_BYTES, P_UPDATE_ONLY, P_VERSION, PEERS,
                  PRIVATE_KEY, PUBLIC_KEY, REPLACE_PEERS, SET_DEVICE, Refused, allowed_ip, attr,
                  get, nest, peer, set_device, u8, u16)
from processes import CLONE_NEWUSER, become_namespace_root, become_nobody, in_child
from report import Failed, check, equal, plan, report

# Family and kind, which have one name, and whether it is our module that serves them
FAMILY, OURS = {"nwg": ("nwg", True), "wireguard": ("wireguard", False),
                "drop-in": ("wireguard", True)}[sys.argv[1]] if len(sys.argv) == 2 else sys.exit(__doc__)
RELAY_GET, FLOW_GET = 5, 6
NAME = genl.name("wg0")
SMALL = 4096  # bytes of a dump message that hold some 20 peers

# RFC 7748, section 6.1: Alice's and Bob's keys.
ALICE = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
ALICE_PUBLIC = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
BOB = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
BOB_PUBLIC = bytes.fromhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")


def clamped(key):
    return bytes([key[0] & 248]) + key[1:31] + bytes([key[31] & 127 | 64])


def key_of(number):
    """Some public key."""
    return b"key" + struct.pack(">I", number) + bytes(25)


def prefix6(number):
    return f"fd00:{number >> 16:x}:{number & 0xffff:x}::"


def ip_refusal(*arguments):
    """What ip says about what must be refused."""
    done = subprocess.run(("ip",) + arguments, check=False, capture_output=True, text=True,
                          timeout=60)
    check(done.returncode, f"not refused: ip {' '.join(arguments)}")
    return done.stderr


def ip(*arguments):
    subprocess.run(("ip",) + arguments, check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def interface(name="wg0"):
    """An interface of the kind under test, and a socket of its family."""
    ip("link", "add", name, "type", FAMILY)
    try:
        with genl.Socket(FAMILY) as sock:
            yield sock
    finally:
        subprocess.run(("ip", "link", "del", name), check=False, capture_output=True)


def refusal(error, action):
    """Run what must be refused with this error; returns the refusal."""
    try:
        action()
    except Refused as refused:
        equal(errno.errorcode.get(refused.error), errno.errorcode[error], refused.text or "errno")
        return refused
    raise Failed(f"not refused; {errno.errorcode[error]} expected")


def check_text(refused, said, what="refusal"):
    """Whether a refusal says what is wrong."""
    check(refused.text, f"{what}: no extended ack")
    check(said in refused.text, f"{what}: {said} is not in the extended ack: {refused.text}")


def check_named(refused, named, said, what="refusal"):
    """Whether it also names the attribute that is wrong or missing."""
    check_text(refused, said, what)
    equal(refused.wrong if refused.missing is None else refused.missing, named,
          f"{what}: attribute")


# What is shared.

def case_interface_attributes():
    """key, port and fwmark are read back; a key is clamped, all zeroes remove it"""
    with interface() as sock:
        index = socket.if_nametoindex("wg0")
        wanted = {IFINDEX: struct.pack("=I", index), IFNAME: b"wg0\0",
                  LISTEN_PORT: struct.pack("=H", 0), FWMARK: bytes(4)}
        equal(get(sock, "wg0").attributes, wanted, "new interface")
        set_device(sock, "wg0", attr(PRIVATE_KEY, ALICE), u16(LISTEN_PORT, 5000),
                   attr(FWMARK, 0xCAFE))
        wanted |= {LISTEN_PORT: struct.pack("=H", 5000), FWMARK: struct.pack("=I", 0xCAFE),
                   PRIVATE_KEY: clamped(ALICE), PUBLIC_KEY: ALICE_PUBLIC}
        equal(get(sock, "wg0").attributes, wanted, "interface that was set")
        sock.ask(SET_DEVICE, attr(IFINDEX, index) + attr(PRIVATE_KEY, BOB))
        wanted |= {PRIVATE_KEY: clamped(BOB), PUBLIC_KEY: BOB_PUBLIC}
        equal(get(sock, "wg0").attributes, wanted, "second key, by index")
        set_device(sock, "wg0", attr(PRIVATE_KEY, bytes(32)), attr(FWMARK, 0))
        del wanted[PRIVATE_KEY], wanted[PUBLIC_KEY]
        wanted[FWMARK] = bytes(4)
        equal(get(sock, "wg0").attributes, wanted, "key and mark removed")


def case_peer_attributes():
    """all attributes of peers are read back"""
    with interface() as sock:
        peers = {}
        for number, endpoint in enumerate((genl.endpoint4("192.0.2.1", 51820),
                                           genl.endpoint6("2001:db8::1", 1),
                                           genl.endpoint6("fe80::1", 65535, scope=1))):
            key, psk = key_of(number), bytes([number]) * 32
            set_device(sock, "wg0", nest(PEERS, peer(
                key, attr(P_PRESHARED_KEY, psk), attr(P_ENDPOINT, endpoint),
                u16(P_KEEPALIVE, 25 + number), attr(P_VERSION, 1), attr(P_FLAGS, 0),
                allowed=[allowed_ip(f"10.{number}.1.1", 24), allowed_ip(f"fd0{number}::1", 16),
                         allowed_ip(f"10.{number}.3.4", 32)])))
            peers[key] = ({P_PRESHARED_KEY: psk, P_ENDPOINT: endpoint,
                           P_KEEPALIVE: struct.pack("=H", 25 + number),
                           P_LAST_HANDSHAKE: bytes(16), P_RX_BYTES: bytes(8),
                           P_TX_BYTES: bytes(8), P_VERSION: struct.pack("=I", 1)},
                          [f"10.{number}.1.0/24", f"fd0{number}::/16", f"10.{number}.3.4/32"])
        set_device(sock, "wg0", nest(PEERS, peer(key_of(9))))
        device = get(sock, "wg0")
        check(P_ENDPOINT not in device.peers[key_of(9)][0], "an endpoint that was never set")
        del device.peers[key_of(9)]
        for key, (attributes, prefixes) in device.peers.items():
            equal(attributes, peers[key][0], "peer")
            equal(sorted(prefixes), sorted(peers[key][1]), "allowed IPs")
        equal(list(device.peers), list(peers), "peers, in the order in which they were made")
        set_device(sock, "wg0", nest(PEERS, peer(key_of(0), attr(P_PRESHARED_KEY, bytes(32)),
                                                 u16(P_KEEPALIVE, 0))))
        attributes = get(sock, "wg0").peers[key_of(0)][0]
        equal(attributes, peers[key_of(0)][0] | {P_PRESHARED_KEY: bytes(32),
                                                 P_KEEPALIVE: bytes(2)}, "psk, keepalive removed")


def allowed(sock):
    return {key: set(prefixes) for key, (_, prefixes) in get(sock, "wg0").peers.items()}


def case_peer_flags():
    """REPLACE_PEERS, REMOVE_ME and UPDATE_ONLY"""
    with interface() as sock:
        set_device(sock, "wg0", nest(PEERS, *(
            peer(key_of(n), attr(P_ENDPOINT, genl.endpoint4("192.0.2.1", 1)),
                 allowed=[allowed_ip(f"10.0.{n}.0", 24)]) for n in range(3))))
        set_device(sock, "wg0", nest(PEERS, peer(key_of(1), attr(P_FLAGS, P_REMOVE_ME),
                                                 allowed=[allowed_ip("10.9.0.0", 16)])))
        equal(allowed(sock), {key_of(0): {"10.0.0.0/24"}, key_of(2): {"10.0.2.0/24"}}, "removed")
        before = get(sock, "wg0")
        set_device(sock, "wg0", nest(PEERS, peer(key_of(1), attr(P_FLAGS, P_REMOVE_ME)),
                                     peer(key_of(5), attr(P_FLAGS, P_UPDATE_ONLY))))
        equal(get(sock, "wg0"), before, "removing and updating what is not there")
        set_device(sock, "wg0", nest(PEERS, peer(key_of(2), attr(P_FLAGS, P_UPDATE_ONLY),
                                                 u16(P_KEEPALIVE, 7))))
        equal(get(sock, "wg0").peers[key_of(2)][0][P_KEEPALIVE], struct.pack("=H", 7), "updated")
        set_device(sock, "wg0", attr(FLAGS, REPLACE_PEERS), nest(PEERS, peer(key_of(2)),
                                                                 peer(key_of(7))))
        device = get(sock, "wg0")
        equal(list(device.peers), [key_of(2), key_of(7)], "replaced")
        check(P_ENDPOINT not in device.peers[key_of(2)][0] and not device.peers[key_of(2)][1],
              "a peer named by the request was kept, not made anew")
        set_device(sock, "wg0", attr(FLAGS, REPLACE_PEERS))
        equal(get(sock, "wg0").peers, {}, "all removed")


def case_allowed_ips():
    """REPLACE_ALLOWEDIPS, and a prefix moves to the peer that was last given it"""
    with interface() as sock:
        set_device(sock, "wg0", nest(
            PEERS,
            peer(key_of(0), allowed=[allowed_ip("10.0.0.0", 8), allowed_ip("::", 0)]),
            peer(key_of(1), allowed=[allowed_ip("10.1.0.0", 16), allowed_ip("0.0.0.0", 0)])))
        set_device(sock, "wg0", nest(PEERS, peer(key_of(1), allowed=[allowed_ip("10.2.3.4", 8)])))
        equal(allowed(sock), {key_of(0): {"::/0"},
                              key_of(1): {"10.1.0.0/16", "0.0.0.0/0", "10.0.0.0/8"}}, "moved")
        set_device(sock, "wg0", nest(PEERS, peer(
            key_of(1), attr(P_FLAGS, P_REPLACE_ALLOWEDIPS), allowed=[allowed_ip("fd00::", 8)])))
        equal(allowed(sock), {key_of(0): {"::/0"}, key_of(1): {"fd00::/8"}}, "replaced")
        set_device(sock, "wg0", nest(PEERS, peer(key_of(1), attr(P_FLAGS, P_REPLACE_ALLOWEDIPS))))
        equal(allowed(sock), {key_of(0): {"::/0"}, key_of(1): set()}, "all removed")


def case_own_key():
    """a peer with the interface's own key is left out, or goes when the key comes"""
    with interface() as sock:
        set_device(sock, "wg0", nest(PEERS, peer(ALICE_PUBLIC), peer(BOB_PUBLIC)))
        set_device(sock, "wg0", attr(PRIVATE_KEY, ALICE))
        equal(list(get(sock, "wg0").peers), [BOB_PUBLIC], "peers after the key was set")
        set_device(sock, "wg0", nest(PEERS, peer(ALICE_PUBLIC), peer(key_of(1))))
        equal(list(get(sock, "wg0").peers), [BOB_PUBLIC, key_of(1)], "peers after adding itself")
        set_device(sock, "wg0", nest(PEERS, peer(ALICE_PUBLIC, attr(P_FLAGS, P_REMOVE_ME))))


def add_prefixes(sock, key, count):
    """Many allowed IPs; a nest holds 64 KiB, so in several requests."""
    wanted = []
    for start in range(0, count, 1000):
        numbers = range(start, min(start + 1000, count))
        set_device(sock, "wg0", nest(PEERS, peer(key, allowed=[
            allowed_ip(prefix6(n), 48) for n in numbers])))
        wanted += [f"{socket.inet_ntop(10, socket.inet_pton(10, prefix6(n)))}/48" for n in numbers]
    return wanted


def add_peers(sock, count):
    for start in range(0, count, 250):
        set_device(sock, "wg0", nest(PEERS, *(
            peer(key_of(n), u16(P_KEEPALIVE, n), attr(P_PRESHARED_KEY, key_of(n)),
                 allowed=[allowed_ip(f"10.{n >> 8}.{n & 255}.0", 24)])
            for n in range(start, min(start + 250, count)))))


def get_by(room):
    with genl.Socket(FAMILY, room) as sock:
        return get(sock, "wg0")


def check_shape(device):
    check(not device.odd, "; ".join(device.odd[:5]))
    check(not device.interrupted, "the dump says that it was interrupted")
    check(device.named == (device.messages if OURS else 1),
          f"{device.named} of {device.messages} messages have the interface's name"
          f"{'' if OURS else ', not: ' + stock.NAMED_ONCE}")


def case_many_allowed_ips():
    """20,000 allowed IPs of one peer between two others are dumped exactly"""
    with interface() as sock:
        set_device(sock, "wg0", nest(PEERS, peer(key_of(1), allowed=[allowed_ip("10.1.0.0", 16)])))
        wanted = add_prefixes(sock, key_of(2), 20000)
        set_device(sock, "wg0", nest(PEERS, peer(key_of(3), allowed=[allowed_ip("10.3.0.0", 16)])))
        for room in (SMALL, 1 << 16):
            device = get_by(room)
            check_shape(device)
            check(device.messages > 10, f"only {device.messages} messages")
            equal(list(device.peers), [key_of(1), key_of(2), key_of(3)], "peers")
            check(sorted(device.peers[key_of(2)][1]) == sorted(wanted),
                  f"{len(device.peers[key_of(2)][1])} allowed IPs, not those that were set")
            equal(device.peers[key_of(3)][1], ["10.3.0.0/16"], "last peer")


def case_many_peers():
    """2,000 peers are dumped exactly, in order"""
    with interface() as sock:
        add_peers(sock, 2000)
        for room in (SMALL, 1 << 16):
            device = get_by(room)
            check_shape(device)
            check(device.messages > 5, f"only {device.messages} messages")
            equal(len(device.peers), 2000, "peers")
            for n, (key, (attributes, prefixes)) in enumerate(device.peers.items()):
                equal(key, key_of(n), f"peer {n}")
                equal(attributes[P_KEEPALIVE], struct.pack("=H", n), f"keepalive of peer {n}")
                equal(attributes[P_PRESHARED_KEY], key_of(n), f"preshared key of peer {n}")
                equal(prefixes, [f"10.{n >> 8}.{n & 255}.0/24"], f"allowed IPs of peer {n}")


def paused(sock, messages):
    """Begin a dump and take so many of its messages; returns what came and the rest."""
    dump = sock.dump(GET_DEVICE, genl.name("wg0"))
    device = genl.Device()
    for _ in range(messages):
        device.take(next(dump))
    return device, dump


def case_dump_all_removed():
    """peers removed under a paused dump: it ends, and says that it was interrupted"""
    with interface() as other, genl.Socket(FAMILY, SMALL) as sock:
        add_peers(sock, 500)
        device, rest = paused(sock, 3)
        set_device(other, "wg0", attr(FLAGS, REPLACE_PEERS))
        for message in rest:
            device.take(message)
        check(device.interrupted, "NLM_F_DUMP_INTR is missing")
        check(len(device.peers) < 500, "peers that are gone were dumped")


def case_dump_prefixes_removed():
    """a peer removed and made anew under a paused dump of its allowed IPs"""
    with interface() as other, genl.Socket(FAMILY, SMALL) as sock:
        add_prefixes(sock, key_of(1), 3000)
        set_device(other, "wg0", nest(PEERS, peer(key_of(2))))
        device, rest = paused(sock, 3)
        set_device(other, "wg0", nest(PEERS, peer(key_of(1), attr(P_FLAGS, P_REMOVE_ME)),
                                      peer(key_of(1), allowed=[allowed_ip("10.0.0.0", 8)])))
        for message in rest:
            device.take(message)
        check(device.interrupted, "NLM_F_DUMP_INTR is missing")
        check(key_of(2) in device.peers, "the peer behind it is missing")
        equal(allowed(other), {key_of(2): set(), key_of(1): {"10.0.0.0/8"}}, "what is left")


def case_dump_against_changes():
    """dumps while all peers are replaced again and again: whole, or marked as interrupted"""
    sets = [{key_of(n) for n in range(0, 200)}, {key_of(n) for n in range(100, 300)}]
    requests = [attr(FLAGS, REPLACE_PEERS) + nest(PEERS, *map(peer, sorted(keys)))
                for keys in sets]
    stop = threading.Event()
    errors = []
    pause = 0.05

    def change():
        try:
            with genl.Socket(FAMILY) as sock:
                while not stop.is_set():
                    for request in requests:
                        set_device(sock, "wg0", request)
                    time.sleep(pause)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    with interface() as sock:
        set_device(sock, "wg0", requests[0])
        changer = threading.Thread(target=change)
        changer.start()
        whole = interrupted = 0
        try:
            end = time.monotonic() + 120
            while (whole < 20 or interrupted < 5) and time.monotonic() < end and not errors:
                begun = time.monotonic()
                device = get_by(SMALL)
                # Long enough that some are not interrupted, however slow the kernel is.
                pause = max(0.05, 2 * (time.monotonic() - begun))
                if device.interrupted:
                    interrupted += 1
                    continue
                whole += 1
                check_shape(device)
                check(set(device.peers) in sets, f"{len(device.peers)} peers of two settings")
        finally:
            stop.set()
            changer.join()
        check(not errors, f"{errors}")
        check(whole >= 20 and interrupted >= 5, f"{whole} whole, {interrupted} interrupted dumps")


def case_port_in_use():
    """a port that another socket has: EADDRINUSE, and nothing else of the request is done"""
    with interface() as sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        ip("link", "set", "wg0", "up")
        check(get(sock, "wg0").attributes[LISTEN_PORT] != bytes(2), "no port was chosen")
        taken.bind(("0.0.0.0", 0))
        request = (u16(LISTEN_PORT, taken.getsockname()[1]), attr(PRIVATE_KEY, ALICE),
                   attr(FWMARK, 9), nest(PEERS, peer(key_of(1))))
        before = get(sock, "wg0")
        refused = refusal(errno.EADDRINUSE, lambda: set_device(sock, "wg0", *request))
        if OURS:
            equal(get(sock, "wg0"), before, "interface")
            check("LISTEN_PORT" in refused.text, f"extended ack: {refused.text!r}")
        # Nor does the link go up with it.
        ip("link", "set", "wg0", "down")
        set_device(sock, "wg0", request[0])
        said = ip_refusal("link", "set", "wg0", "up")
        check(os.strerror(errno.EADDRINUSE) in said, f"error of link up: {said}")
        taken.close()
        ip("link", "set", "wg0", "up")
        set_device(sock, "wg0", *request)
        equal(list(get(sock, "wg0").peers), [key_of(1)], "peers once the port is free")


def refused_all(sock):
    """No command of the family is permitted, as do or as dump."""
    for command in range(7 if FAMILY == "nwg" else 2):
        for dump in (False, True):
            # There may be none to be permitted: the kernel may look for that first.
            there = dump == (command in (GET_DEVICE, RELAY_GET, FLOW_GET))
            try:
                _ = list(sock.dump(command, NAME)) if dump else sock.ask(command, NAME)
            except Refused as refused:
                if there or refused.error != errno.EOPNOTSUPP:
                    equal(refused.error, errno.EPERM, f"command {command}, dump {dump}: errno")
            else:
                raise Failed(f"command {command}, dump {dump}: not refused")


def borrow(sock, channel):
    """Go on over a socket that another process has opened."""
    _, files, _, _ = socket.recv_fds(channel, 1, 1)
    check(files, "no socket came")
    sock.socket.close()
    sock.socket = socket.socket(fileno=files[0])


def lend(sock, channel):
    socket.send_fds(channel, [b"s"], [sock.socket.fileno()])
    channel.recv(1)


def case_unprivileged():
    """no command without CAP_NET_ADMIN, nor with that of another user namespace"""
    def unprivileged(_):
        become_nobody()
        with genl.Socket(FAMILY) as sock:
            refused_all(sock)

    def root_elsewhere(_):
        become_namespace_root(CLONE_NEWUSER)
        with genl.Socket(FAMILY) as sock:
            refused_all(sock)

    with interface() as sock:
        set_device(sock, "wg0", attr(PRIVATE_KEY, ALICE))
        before = get(sock, "wg0")
        in_child(unprivileged)
        in_child(root_elsewhere)
        equal(get(sock, "wg0"), before, "interface")


def case_borrowed_socket():
    """nor for root over a socket that an unprivileged process has opened"""
    def work(channel):
        become_nobody()
        with genl.Socket(FAMILY) as sock:
            lend(sock, channel)

    def meanwhile(channel, _):
        with genl.Socket(FAMILY) as sock:
            borrow(sock, channel)
            refused_all(sock)

    with interface():
        in_child(work, meanwhile)


def case_user_namespace():
    """root of a user namespace rules the interfaces that were made in it"""
    def work(_):
        become_namespace_root()
        with interface("own0") as sock:
            set_device(sock, "own0", attr(PRIVATE_KEY, ALICE), u16(LISTEN_PORT, 5001),
                       attr(FWMARK, 3), nest(PEERS, peer(key_of(1))))
            device = get(sock, "own0")
            equal(device.attributes[PRIVATE_KEY], clamped(ALICE), "private key")
            equal(device.attributes[FWMARK], struct.pack("=I", 3), "fwmark")
            equal(list(device.peers), [key_of(1)], "peers")

    in_child(work)


SOCKET_SETTINGS = {LISTEN_PORT: u16(LISTEN_PORT, 5002), FWMARK: attr(FWMARK, 4)}


def case_foreign_sockets():
    """root of a user namespace changes no port or fwmark of an interface made elsewhere"""
    def work(channel):
        become_namespace_root()
        channel.send(b"r")
        channel.recv(1)
        with genl.Socket(FAMILY) as sock:
            before = get(sock, "wg9")
            for named, attribute in SOCKET_SETTINGS.items():
                refused = refusal(errno.EPERM, lambda: set_device(
                    sock, "wg9", attribute, attr(PRIVATE_KEY, ALICE)))
                if OURS:
                    check_named(refused, named, "CAP_NET_ADMIN where the interface was made")
            equal(get(sock, "wg9"), before, "interface")
            set_device(sock, "wg9", attr(PRIVATE_KEY, ALICE), nest(PEERS, peer(key_of(1))))
            equal(list(get(sock, "wg9").peers), [key_of(1)], "peers")
            before = get(sock, "wg9")
            lend(sock, channel)
            equal(get(sock, "wg9") == before, OURS, stock.OPENER)

    def meanwhile(channel, child):
        channel.recv(1)
        ip("link", "set", "wg9", "netns", str(child))
        channel.send(b"g")
        # Nor does root here by a socket of root's there.
        with genl.Socket(FAMILY) as sock:
            borrow(sock, channel)
            for named, attribute in SOCKET_SETTINGS.items():
                if not OURS:
                    set_device(sock, "wg9", attribute)
                    continue
                check_named(refusal(errno.EPERM, lambda: set_device(sock, "wg9", attribute)),
                            named, "CAP_NET_ADMIN where the interface was made")
        channel.send(b"g")

    ip("link", "add", "wg9", "type", FAMILY)
    in_child(work, meanwhile)


def case_namespace_gone():
    """nobody changes port or fwmark once the namespace in which the interface was made is gone"""
    def gone():
        try:
            set_device(sock, "wg9", attr(FWMARK, 4))
        except Refused as refused:
            return refused
        return None

    ip("netns", "add", "abi-gone")
    try:
        ip("-n", "abi-gone", "link", "add", "wg9", "type", FAMILY)
        ip("-n", "abi-gone", "link", "set", "wg9", "netns", str(os.getpid()))
    finally:
        ip("netns", "del", "abi-gone")
    try:
        with genl.Socket(FAMILY) as sock:
            end = time.monotonic() + 30
            while not gone() and time.monotonic() < end:
                time.sleep(0.05)
            before = get(sock, "wg9")
            for named, attribute in SOCKET_SETTINGS.items():
                refused = refusal(errno.EPERM, lambda: set_device(sock, "wg9", attribute,
                                                                  attr(PRIVATE_KEY, ALICE)))
                if OURS:
                    check_named(refused, named, "namespace in which the interface was made is gone")
            said = ip_refusal("link", "set", "wg9", "up")
            check(not OURS or "namespace in which the interface was made is gone" in said,
                  f"error of link up: {said}")
            equal(get(sock, "wg9"), before, "interface")
            set_device(sock, "wg9", attr(PRIVATE_KEY, ALICE))
            equal(get(sock, "wg9").attributes[PRIVATE_KEY], clamped(ALICE), "private key")
    finally:
        ip("link", "del", "wg9")


# What is nwg's own.

def case_remove_prefix():
    """F_REMOVE_ME takes a prefix from its owner, and from nobody else"""
    with interface() as sock:
        remove = attr(A_FLAGS, A_REMOVE_ME)
        set_device(sock, "wg0", nest(
            PEERS, peer(key_of(0), allowed=[allowed_ip("10.0.0.0", 8), allowed_ip("fd00::", 16)]),
            peer(key_of(1), allowed=[allowed_ip("10.1.0.0", 16)])))
        set_device(sock, "wg0", nest(PEERS, peer(
            key_of(0), allowed=[allowed_ip("10.1.0.0", 16, remove),
                                allowed_ip("10.5.5.5", 8, remove),
                                allowed_ip("fd00::", 17, remove)])))
        equal(allowed(sock), {key_of(0): {"fd00::/16"}, key_of(1): {"10.1.0.0/16"}}, "left")


def case_dump_next_removed():
    """any peer removed under a paused dump: all others appear once, and it is interrupted"""
    with interface() as other, genl.Socket(FAMILY, SMALL) as sock:
        add_peers(sock, 500)
        device, rest = paused(sock, 3)
        # One message is in the socket's queue already, so the dump stands a message further.
        seen = len(device.peers)
        gone = [key_of(n) for n in range(seen, 2 * seen + 10)]
        set_device(other, "wg0", nest(PEERS, *(
            peer(key, attr(P_FLAGS, P_REMOVE_ME)) for key in gone)))
        for message in rest:
            device.take(message)
        check(device.interrupted, "NLM_F_DUMP_INTR is missing")
        left = list(get(other, "wg0").peers)
        equal([key for key in device.peers if key not in gone], left, "peers that are left")
        check(not device.odd, "; ".join(device.odd[:5]))


def case_delete_while_dumping():
    """an interface is deleted at once although a dump of it is paused; that ends with ENODEV"""
    with interface(), genl.Socket(FAMILY, SMALL) as sock:
        add_peers(sock, 500)
        _, rest = paused(sock, 3)
        ip("link", "del", "wg0")
        refused = refusal(errno.ENODEV, lambda: list(rest))
        check(refused.text, "no extended ack")
        # Another one with its name is not mistaken for it.
        ip("link", "add", "wg0", "type", FAMILY)
        add_peers(sock, 500)
        _, rest = paused(sock, 3)
        ip("link", "del", "wg0")
        ip("link", "add", "wg0", "type", FAMILY)
        refusal(errno.ENODEV, lambda: list(rest))


def case_delete_while_setting():
    """interfaces come and go under SET_DEVICE and GET_DEVICE: those end with ENODEV at worst"""
    stop = threading.Event()
    done = [0, 0]
    errors = []

    def work(which, action):
        try:
            with genl.Socket(FAMILY, SMALL) as sock:
                while not stop.is_set():
                    try:
                        action(sock)
                        done[which] += 1
                    except Refused as refused:
                        if refused.error != errno.ENODEV:
                            raise
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    peers = [peer(key_of(n), attr(P_ENDPOINT, genl.endpoint4("127.0.0.1", 9)), u16(P_KEEPALIVE, 1),
                  allowed=[allowed_ip(f"10.{n}.0.0", 16)]) for n in range(100)]
    workers = [threading.Thread(target=work, args=arguments) for arguments in (
        (0, lambda sock: set_device(sock, "wg0", attr(PRIVATE_KEY, ALICE), u16(LISTEN_PORT, 0),
                                    attr(FLAGS, REPLACE_PEERS), nest(PEERS, *peers))),
        (1, lambda sock: get(sock, "wg0")))]
    for worker in workers:
        worker.start()
    try:
        end = time.monotonic() + 120
        rounds = 0
        while (rounds < 15 or min(done) < 5) and time.monotonic() < end and not errors:
            rounds += 1
            ip("link", "add", "wg0", "type", FAMILY)
            ip("link", "set", "wg0", "up")
            time.sleep(0.3)
            ip("link", "del", "wg0")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    check(not errors, f"{errors}")
    check(min(done) >= 5, f"only {done[0]} SET_DEVICE and {done[1]} GET_DEVICE went through")


def case_keys_wiped():
    """the keys of a request that the module refuses, not the policy, are wiped from it"""
    marker = b"\xa5" * 32
    with interface(), genl.Socket(FAMILY, cap_ack=False) as sock:
        for body in (attr(PRIVATE_KEY, marker) + attr(FLAGS, 0x80000000) +
                     nest(PEERS, peer(key_of(1), attr(P_PRESHARED_KEY, marker)),
                          peer(key_of(2), attr(P_PRESHARED_KEY, marker))),
                     attr(PRIVATE_KEY, marker) + attr(FWMARK, 1) +
                     nest(PEERS, peer(key_of(1), attr(P_PRESHARED_KEY, marker)),
                          peer(key_of(2), attr(P_VERSION, 7)))):
            try:
                set_device(sock, "wg0", body)
                raise Failed("not refused")
            except Refused as refused:
                check(key_of(1) in refused.echo, "the refusal does not repeat the request")
                check(marker not in refused.echo, "a key is in the request that came back")


# errno, attributes, the attribute that the extended ack must name, what it must say
UNNAMED = (
    (errno.EBADR, b"", IFNAME, "give IFINDEX or IFNAME", "no name"),
    (errno.EBADR, NAME + attr(IFINDEX, 1), IFNAME, "not both", "two names"),
    (errno.ENODEV, genl.name("none"), IFNAME, "IFNAME: no such interface", "no such name"),
    (errno.ENODEV, attr(IFINDEX, 0x7FFFFFFF), IFINDEX, "IFINDEX: no such interface",
     "no such index"),
    (errno.EOPNOTSUPP, genl.name("lo"), IFNAME, "IFNAME: the interface is not of kind",
     "other kind"),
)


def case_get_names():
    """GET_DEVICE: no interface named, two, none of that name, one of another kind"""
    with interface():
        for error, attributes, _, said, what in UNNAMED + (
                (errno.ENODEV, attr(IFINDEX, 0xFFFFFFFF), IFINDEX, "IFINDEX: no such interface",
                 "index -1"),):
            with genl.Socket(FAMILY) as own:
                try:
                    refused = refusal(error, lambda: list(own.dump(GET_DEVICE, attributes)))
                except Failed as failed:
                    raise Failed(f"{what}: {failed}") from failed
            # It ends a dump that has begun: there, 6.1 passes on no more than the text. In the
            # stock family no dump begins; there, 6.1 passes on nothing.
            if FAMILY == "nwg":
                check_text(refused, said, what)
            else:
                equal(refused.kind, genl.NLMSG_ERROR, f"{what}: type of message")


# Attributes of SET_DEVICE. In family "wireguard" they are ignored, where stock.py does not say otherwise.
NOT_TO_GET = {PRIVATE_KEY: attr(PRIVATE_KEY, ALICE), PUBLIC_KEY: attr(PUBLIC_KEY, ALICE), FLAGS: attr(FLAGS, 0xFF),
              LISTEN_PORT: u16(LISTEN_PORT, 5), FWMARK: attr(FWMARK, 5), PEERS: nest(PEERS, peer(key_of(1)))}


def strict(sock):
    """Whether what a request does not need is refused."""
    return FAMILY == "nwg" or not OURS and stock.by_operation(sock.maxattr)


def case_get_refusals():
    """GET_DEVICE: what the policy refuses is named"""
    with interface() as sock:
        for error, attributes, named, said, what in tuple(
                (errno.EINVAL, NAME + more, kind, "nknown", f"attribute {kind} of SET_DEVICE")
                for kind, more in NOT_TO_GET.items() if strict(sock)) + (
                (errno.EINVAL, attr(IFNAME, b"wg0"), IFNAME, "policy", "name without its NUL"),
                (errno.EINVAL, genl.name("interface-123456"), IFNAME, "policy", "long name"),
                (errno.EINVAL, NAME + attr(9, 0), 9, "nknown", "unknown attribute")):
            with genl.Socket(FAMILY) as own:
                try:
                    refused = refusal(error, lambda: list(own.dump(GET_DEVICE, attributes)))
                except Failed as failed:
                    raise Failed(f"{what}: {failed}") from failed
                check_named(refused, named, said, what)
        refusal(errno.EOPNOTSUPP, lambda: sock.ask(GET_DEVICE, genl.name("wg0")))


GOOD = peer(key_of(3), allowed=[allowed_ip("10.3.0.0", 16)])


def prefix(*attributes):
    return peer(key_of(1), allowed=[nest(0, *attributes)])


INET, INET6 = u16(A_FAMILY, socket.AF_INET), u16(A_FAMILY, socket.AF_INET6)
V4, V6 = attr(A_IPADDR, bytes(4)), attr(A_IPADDR, bytes(16))

# errno, the attribute that the extended ack must name as wrong or missing, what else it must say,
# and the attributes of SET_DEVICE behind the interface's name, or the peers behind a valid one.
SET_REFUSALS = {
    "private key of 31 bytes": (errno.ERANGE, PRIVATE_KEY, "", attr(PRIVATE_KEY, bytes(31))),
    "private key of 33 bytes": (errno.ERANGE, PRIVATE_KEY, "", attr(PRIVATE_KEY, bytes(33))),
    "public key of the interface": (
        errno.EINVAL, PUBLIC_KEY, "read only", attr(PUBLIC_KEY, bytes(32))),
    "unknown flag of the interface": (errno.EOPNOTSUPP, FLAGS, "FLAGS", attr(FLAGS, 3)),
    "port of 4 bytes": (errno.EINVAL, LISTEN_PORT, "length", attr(LISTEN_PORT, 5)),
    "fwmark of 2 bytes": (errno.EINVAL, FWMARK, "length", u16(FWMARK, 5)),
    "unknown attribute": (errno.EINVAL, 9, "Unknown", attr(9, 0)),
    "interface named twice": (errno.EBADR, IFNAME, "IFINDEX", attr(IFINDEX, 1)),
    "peers that are not a nest": (errno.EINVAL, PEERS, "NESTED", attr(PEERS, GOOD)),
    "bytes behind the last peer": (errno.EINVAL, PEERS, "left over", nest(PEERS, GOOD, bytes(4))),
    "peer that is longer than the rest": (errno.EINVAL, PEERS, "left over",
                                          nest(PEERS, GOOD, struct.pack("=HH", 500, 0x8000))),
    "peer that is not a nest": (errno.EINVAL, 0, "NESTED", nest(PEERS, GOOD, attr(0, GOOD[4:]))),
    "peer that is empty": (errno.EINVAL, P_PUBLIC_KEY, "PUBLIC_KEY", [nest(0)]),
    "peer without public key": (
        errno.EINVAL, P_PUBLIC_KEY, "PUBLIC_KEY", [nest(0, u16(P_KEEPALIVE, 1))]),
    "public key of 31 bytes": (errno.ERANGE, P_PUBLIC_KEY, "", [peer(bytes(31))]),
    "preshared key of 33 bytes": (errno.ERANGE, P_PRESHARED_KEY, "",
                                  [peer(key_of(1), attr(P_PRESHARED_KEY, bytes(33)))]),
    "unknown flag of a peer": (
        errno.EOPNOTSUPP, P_FLAGS, "FLAGS", [peer(key_of(1), attr(P_FLAGS, 8))]),
    "protocol version 2": (errno.EPFNOSUPPORT, P_VERSION, "PROTOCOL_VERSION",
                           [peer(key_of(1), attr(P_VERSION, 2))]),
    "keepalive of 4 bytes": (
        errno.EINVAL, P_KEEPALIVE, "length", [peer(key_of(1), attr(P_KEEPALIVE, 5))]),
    "endpoint of AF_INET with 28 bytes": (
        errno.EINVAL, P_ENDPOINT, "ENDPOINT",
        [peer(key_of(1), attr(P_ENDPOINT, genl.endpoint4("192.0.2.1", 1) + bytes(12)))]),
    "endpoint of AF_INET6 with 24 bytes": (
        errno.EINVAL, P_ENDPOINT, "ENDPOINT",
        [peer(key_of(1), attr(P_ENDPOINT, genl.endpoint6("2001:db8::1", 1)[:24]))]),
    "endpoint of AF_UNIX": (errno.EINVAL, P_ENDPOINT, "ENDPOINT",
                            [peer(key_of(1), attr(P_ENDPOINT, struct.pack("=H14x", 1)))]),
    "endpoint of 8 bytes": (
        errno.ERANGE, P_ENDPOINT, "", [peer(key_of(1), attr(P_ENDPOINT, bytes(8)))]),
    "endpoint of 29 bytes": (
        errno.EINVAL, P_ENDPOINT, "ENDPOINT", [peer(key_of(1), attr(P_ENDPOINT, bytes(29)))]),
    "last handshake": (errno.EINVAL, P_LAST_HANDSHAKE, "read only",
                       [peer(key_of(1), attr(P_LAST_HANDSHAKE, bytes(16)))]),
    "received bytes": (
        errno.EINVAL, P_RX_BYTES, "read only", [peer(key_of(1), attr(P_RX_BYTES, bytes(8)))]),
    "sent bytes": (
        errno.EINVAL, P_TX_BYTES, "read only", [peer(key_of(1), attr(P_TX_BYTES, bytes(8)))]),
    "unknown attribute of a peer": (errno.EINVAL, 11, "Unknown", [peer(key_of(1), attr(11, 0))]),
    "allowed IPs that are not a nest": (
        errno.EINVAL, P_ALLOWEDIPS, "NESTED",
        [peer(key_of(1), attr(P_ALLOWEDIPS, allowed_ip("::", 0)))]),
    "bytes behind the last allowed IP": (
        errno.EINVAL, P_ALLOWEDIPS, "left over",
        [peer(key_of(1), nest(P_ALLOWEDIPS, allowed_ip("::", 0), bytes(4)))]),
    "allowed IP that is not a nest": (
        errno.EINVAL, 0, "NESTED",
        [peer(key_of(1), nest(P_ALLOWEDIPS, attr(0, INET + V4 + u8(A_CIDR_MASK, 1))))]),
    "allowed IP without family": (
        errno.EINVAL, A_FAMILY, "FAMILY", [prefix(V4, u8(A_CIDR_MASK, 8))]),
    "allowed IP without address": (
        errno.EINVAL, A_IPADDR, "IPADDR", [prefix(INET, u8(A_CIDR_MASK, 8))]),
    "allowed IP without length": (errno.EINVAL, A_CIDR_MASK, "CIDR_MASK", [prefix(INET, V4)]),
    "allowed IP of AF_PACKET": (errno.EINVAL, A_FAMILY, "FAMILY",
                                [prefix(u16(A_FAMILY, 17), V4, u8(A_CIDR_MASK, 8))]),
    "allowed IP of AF_INET with 16 bytes": (errno.EINVAL, A_IPADDR, "IPADDR",
                                            [prefix(INET, V6, u8(A_CIDR_MASK, 8))]),
    "allowed IP of AF_INET6 with 4 bytes": (errno.EINVAL, A_IPADDR, "IPADDR",
                                            [prefix(INET6, V4, u8(A_CIDR_MASK, 8))]),
    "allowed IP of 3 bytes": (errno.ERANGE, A_IPADDR, "",
                              [prefix(INET, attr(A_IPADDR, bytes(3)), u8(A_CIDR_MASK, 8))]),
    "allowed IP of 17 bytes": (errno.EINVAL, A_IPADDR, "IPADDR",
                               [prefix(INET6, attr(A_IPADDR, bytes(17)), u8(A_CIDR_MASK, 8))]),
    "IPv4 prefix length 33": (
        errno.EINVAL, A_CIDR_MASK, "CIDR_MASK", [prefix(INET, V4, u8(A_CIDR_MASK, 33))]),
    "IPv6 prefix length 129": (errno.EINVAL, A_CIDR_MASK, "CIDR_MASK",
                               [prefix(INET6, V6, u8(A_CIDR_MASK, 129))]),
    "unknown flag of an allowed IP": (
        errno.EOPNOTSUPP, A_FLAGS, "FLAGS",
        [prefix(INET, V4, u8(A_CIDR_MASK, 8), attr(A_FLAGS, 2))]),
    "unknown attribute of an allowed IP": (
        errno.EINVAL, 5, "Unknown", [prefix(INET, V4, u8(A_CIDR_MASK, 8), attr(5, 0))]),
    "bytes behind the last attribute": (errno.EINVAL, None, "leftover", bytes(2)),
}
# Those that family "wireguard" carries out but for what is wrong.
IGNORED = ("public key of the interface", "last handshake", "received bytes", "sent bytes",
           "endpoint of AF_INET with 28 bytes", "endpoint of AF_INET6 with 24 bytes",
           "endpoint of AF_UNIX", "endpoint of 29 bytes")
# What is ignored there is of the right length all the same.
LENGTHS = {
    "public key of the interface of 31 bytes": (
        errno.ERANGE, PUBLIC_KEY, "", attr(PUBLIC_KEY, bytes(31))),
    "last handshake of 15 bytes": (errno.ERANGE, P_LAST_HANDSHAKE, "",
                                   [peer(key_of(1), attr(P_LAST_HANDSHAKE, bytes(15)))]),
    "received bytes of 4 bytes": (
        errno.EINVAL, P_RX_BYTES, "length", [peer(key_of(1), attr(P_RX_BYTES, 0))]),
    "sent bytes of 4 bytes": (
        errno.EINVAL, P_TX_BYTES, "length", [peer(key_of(1), attr(P_TX_BYTES, 0))]),
}
if FAMILY == "wireguard":
    SET_REFUSALS |= LENGTHS


def set_wrong(sock, wrong):
    """A request with something wrong beside all else that it changes."""
    if isinstance(wrong, list):
        wrong = nest(PEERS, GOOD, *wrong)
    # The bad one last: attributes count, and are read, in their order.
    set_device(sock, "wg0", attr(PRIVATE_KEY, BOB), u16(LISTEN_PORT, 7000), attr(FWMARK, 0x77),
               wrong)


def set_refusal(sock, name):
    """What is left of a refused request."""
    error, named, said, wrong = SET_REFUSALS[name]
    before = get(sock, "wg0")
    refused = refusal(error, lambda: set_wrong(sock, wrong))
    if OURS:
        equal(get(sock, "wg0"), before, "interface")
        check_named(refused, named, said)
    elif name in stock.looked_at_first(sock.maxattr):
        equal(get(sock, "wg0"), before, "interface")
    elif isinstance(wrong, list):
        check(key_of(3) in get(sock, "wg0").peers, f"not so: {stock.REFUSED_IS_DONE}")


def set_otherwise(sock, name):
    """What the stock module does with what ours refuses."""
    error, _ = stock.requests(sock.maxattr)[name]
    _, _, _, wrong = SET_REFUSALS[name]
    if error:
        refusal(error, lambda: set_wrong(sock, wrong))
    else:
        set_wrong(sock, wrong)


def set_ignored(sock, name):
    """What a request has done of which something is ignored."""
    wanted = get(sock, "wg0")
    _, _, _, wrong = SET_REFUSALS[name]
    set_wrong(sock, wrong)
    wanted.attributes |= {PRIVATE_KEY: clamped(BOB), PUBLIC_KEY: BOB_PUBLIC,
                          LISTEN_PORT: struct.pack("=H", 7000), FWMARK: struct.pack("=I", 0x77)}
    device = get(sock, "wg0")
    if isinstance(wrong, list):
        check(device.peers.pop(key_of(3), None), "the peer before it is missing")
    equal(device, wanted, "interface")


def base_settings(sock):
    set_device(sock, "wg0", attr(PRIVATE_KEY, ALICE), u16(LISTEN_PORT, 6000), attr(FWMARK, 0x11),
               attr(FLAGS, REPLACE_PEERS),
               nest(PEERS, *(peer(key_of(n), attr(P_ENDPOINT, genl.endpoint4("192.0.2.1", n)),
                                  allowed=[allowed_ip(f"10.{n}.0.0", 16)]) for n in (1, 2))))


def case_set_names():
    """SET_DEVICE: no interface named, two, none of that name, one of another kind"""
    with interface() as sock:
        for error, attributes, named, said, what in UNNAMED:
            refused = refusal(error, lambda: sock.ask(SET_DEVICE, attributes + attr(FWMARK, 1)))
            if OURS:
                check_named(refused, named, said, what)


HEADERS = {"reserved": 1}, {"flags": genl.NLM_F_ACK | 0x400}


def case_set_header():
    """SET_DEVICE: a reserved field and message flags without meaning are refused"""
    with interface() as sock:
        before = get(sock, "wg0")
        request = genl.name("wg0") + attr(FWMARK, 1)
        for more in HEADERS:
            refused = refusal(errno.EINVAL, lambda: sock.ask(SET_DEVICE, request, **more))
            check(refused.text, "no extended ack")  # the kernel's
        equal(get(sock, "wg0"), before, "interface")


# What is of family "wireguard", ours and the stock one.

def case_header_ignored():
    """SET_DEVICE: a reserved field and message flags without meaning are ignored"""
    with interface() as sock:
        for mark, more in enumerate(HEADERS, start=1):
            sock.ask(SET_DEVICE, genl.name("wg0") + attr(FWMARK, mark), **more)
            equal(get(sock, "wg0").attributes[FWMARK], struct.pack("=I", mark), "fwmark")


def case_get_ignored():
    """GET_DEVICE: attributes of SET_DEVICE are ignored"""
    with interface() as sock:
        wanted = get(sock, "wg0")
        device = genl.Device()
        for message in sock.dump(GET_DEVICE, NAME + b"".join(NOT_TO_GET.values())):
            device.take(message)
        equal(device, wanted, "interface")
        equal(get(sock, "wg0"), wanted, "interface afterwards")


def case_dump_sent_back():
    """SET_DEVICE takes what GET_DEVICE said, but for one of the interface's two names"""
    with interface() as sock:
        base_settings(sock)
        wanted = get(sock, "wg0")
        message, _ = sock.dump(GET_DEVICE, NAME)
        fields = genl.parse(message.body[genl.GENL_HEADER:])
        check({PUBLIC_KEY, PEERS} <= {kind for kind, _ in fields}, "no public key or no peers")
        set_device(sock, "wg0", attr(PRIVATE_KEY, bytes(32)), attr(FLAGS, REPLACE_PEERS))
        check(get(sock, "wg0") != wanted, "nothing was removed")
        sock.ask(SET_DEVICE, b"".join(
            attr(kind | (NLA_F_NESTED if kind == PEERS else 0), payload)
            for kind, payload in fields if kind != IFINDEX))
        equal(get(sock, "wg0"), wanted, "interface")


SHARED = (case_interface_attributes, case_peer_attributes, case_peer_flags, case_allowed_ips,
          case_own_key, case_many_allowed_ips, case_many_peers, case_dump_all_removed,
          case_dump_prefixes_removed, case_dump_against_changes, case_port_in_use,
          case_unprivileged, case_borrowed_socket, case_user_namespace, case_foreign_sockets,
          case_namespace_gone, case_get_names, case_get_refusals, case_set_names)
OWN = (case_remove_prefix, case_dump_next_removed, case_delete_while_dumping,
       case_delete_while_setting, case_keys_wiped)


def of_family():
    """The cases that are not of each family, or not of each kernel's."""
    with genl.Socket(FAMILY) as sock:
        cases = (case_set_header,) if strict(sock) else (case_header_ignored, case_get_ignored)
    return cases + ((case_dump_sent_back,) if FAMILY == "wireguard" else ())


def main():
    cases = SHARED + (OWN if OURS else ()) + of_family()
    plan(len(cases) + len(SET_REFUSALS))
    for case in cases:
        report(case.__doc__, case)
    with interface() as sock:
        for name in SET_REFUSALS:
            base_settings(sock)
            if FAMILY == "wireguard" and name in IGNORED:
                report(f"ignored: {name}", lambda name=name: set_ignored(sock, name))
            elif not OURS and name in stock.requests(sock.maxattr):
                report(f"otherwise than ours: {name}", lambda name=name: set_otherwise(sock, name))
            else:
                report(f"refused: {name}", lambda name=name: set_refusal(sock, name))


main()
