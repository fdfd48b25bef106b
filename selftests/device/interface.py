# SPDX-License-Identifier: GPL-2.0
"""The device as a network interface: headers on the outside, errors, counters, sockets and namespaces."""

import contextlib
import errno
import json
import mmap
import os
import select
import socket
import struct
import time

import bench
import wireguard as wg
from bench import Device, Inner, Wire, check, equal, udp

NOT_ECT, ECT1, ECT0, CE = range(4)


def connected(number, **options):
    device = Device(number, **options)
    wire = Wire(device)
    wire.connect()
    return device, wire, Inner(device)


# Outside


def attributes(number):
    """link: MTU 1420, no link layer, no ARP, point to point, no queue discipline"""
    device = Device(number)
    link, = json.loads(bench.run("ip", "-d", "-j", "link", "show", device.name))
    equal(link["mtu"], 1420, "MTU")
    equal(link["link_type"], "none", "link layer")
    equal(link["qdisc"], "noqueue", "queue discipline")
    check({"POINTOPOINT", "NOARP", "UP", "LOWER_UP"} <= set(link["flags"]), f"flags: {link['flags']}")
    if bench.KIND != "go":
        equal(link["linkinfo"]["info_kind"], bench.KIND, "kind")


def threads(number):
    """link: it has NAPI threads only if the user wants them, and they go with it"""
    device = Device(number, up=False)

    def found():
        names = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{process}/comm", encoding="ascii") as name:
                    names.append(name.read())
        return sum(name.startswith(f"napi/{device.name}-") for name in names)

    def threaded(*value):
        path = f"/sys/class/net/{device.name}/threaded"
        # The /sys of the namespace: as ip netns exec has it.
        shell = f"cat {path}" if not value else f"echo {value[0]} >{path}"
        return bench.run("ip", "netns", "exec", bench.NS_A, "sh", "-c", shell).strip()

    Wire(device)  # the stock module has one for each peer
    device.link("up")
    # The stock module of later kernels wants them by itself.
    wanted = bench.KIND == "wireguard" and threaded() == "1"
    equal((found(), threaded()), (int(wanted), str(int(wanted))), "threads of an interface that has just come up")
    threaded(1)
    check(found(), "no threads, where the user wants them")
    device.link("down")
    device.link("up")
    equal((found() > 0, threaded()), (True, "1"), "threads, when it has been down")
    threaded(0)
    threaded(1)
    device.delete()
    bench.wait_until(lambda: not found(), "threads are left")


def padding(number):
    """padding: to 16 bytes, never beyond the MTU of the interface or of the route"""
    device, wire, inner = connected(number)
    bench.run("ip", "route", "add", wire.inner, "dev", device.name, "mtu", "1301")
    wider = Wire(device, allowed=f"10.77.{number}.3/32,fd77:{number}::3/128")
    wider.connect()
    inner6 = Inner(device, socket.AF_INET6)

    def padded(size, mtu):
        return min((size + 15) // 16 * 16, mtu)

    for size in (28, 29, 31, 32, 33, 47, 48, 49, 576, 1279, 1280, 1281, 1295, 1296, 1297, 1300, 1301):
        inner.send(wire.inner, bytes(size - 28))
        packet = wire.gets_packet()
        equal(len(packet), padded(size, 1301), f"payload of a {size} B packet with a route MTU of 1301")
        equal(packet[size:], bytes(len(packet) - size), "padding")
    for size in (1301, 1328, 1404, 1407, 1408, 1409, 1416, 1419, 1420):
        inner.send(f"10.77.{number}.3", bytes(size - 28))
        equal(len(wider.gets_packet()), padded(size, 1420), f"payload of a {size} B v4 packet")
        inner6.send(f"fd77:{number}::3", bytes(size - 48))
        equal(len(wider.gets_packet()), padded(size, 1420), f"payload of a {size} B v6 packet")
    device.link("mtu", "1413")
    inner.send(f"10.77.{number}.3", bytes(1413 - 28))
    equal(len(wider.gets_packet()), 1413, "payload of a 1413 B packet with an MTU of 1413")


def ecn_out(number):
    """ECN: copied out as RFC 6040 says; DSCP is not"""
    device = Device(number)
    for address in bench.WIRE, bench.WIRE6:
        wire = Wire(device, address=address)
        wire.connect()
        inner, inner6 = Inner(device), Inner(device, socket.AF_INET6)
        for end, to in (inner, wire.inner), (inner6, wire.inner6):
            for dscp in 0, 46, 63:
                for ecn in NOT_ECT, ECT1, ECT0, CE:
                    end.send(to, b"x", tos=dscp << 2 | ecn)
                    packet = wire.gets_packet()
                    tos = packet[1] if packet[0] >> 4 == 4 else struct.unpack_from(">H", packet)[0] >> 4 & 0xFF
                    equal(tos, dscp << 2 | ecn, "TOS inside")
                    # Stock sends what met congestion before as RFC 3168 has it.
                    outside = ECT0 if ecn == CE and bench.KIND == "wireguard" else ecn
                    equal(wire.tos, outside, f"TOS outside with {tos:#x} inside")
        inner.close()
        inner6.close()
        wire.send_packet()
        device.set_peer(wire.own.public, "remove")


def ecn_in(number):
    """ECN: copied in as RFC 6040 says; DSCP is not"""
    device = Device(number)
    for address in bench.WIRE, bench.WIRE6:
        wire = Wire(device, address=address)
        wire.connect()
        inner, inner6 = Inner(device), Inner(device, socket.AF_INET6)
        for end, source, to in ((inner, wire.inner, device.inner), (inner6, wire.inner6, device.inner6)):
            for outside, inside, result in (
                    (NOT_ECT, NOT_ECT, NOT_ECT), (NOT_ECT, ECT0, ECT0), (NOT_ECT, ECT1, ECT1), (NOT_ECT, CE, CE),
                    (ECT0, NOT_ECT, NOT_ECT), (ECT0, ECT0, ECT0), (ECT0, ECT1, ECT1), (ECT0, CE, CE),
                    (ECT1, NOT_ECT, NOT_ECT), (ECT1, ECT0, ECT1), (ECT1, ECT1, ECT1), (ECT1, CE, CE),
                    (CE, ECT0, CE), (CE, ECT1, CE), (CE, CE, CE)):
                wire.set_tos(0xB8 | outside)
                wire.send_packet(udp(source, to, b"x", tos=0x20 | inside))
                equal(end.gets(b"x"), 0x20 | result, f"TOS inside with ECN {outside} outside and {inside} inside")
            # RFC 6040 has a CE over Not-ECT dropped, stock passes it on as it was.
            wire.set_tos(CE)
            wire.send_packet(udp(source, to, b"x", tos=NOT_ECT))
            got = end.receive(bench.SOON)
            if bench.KIND == "nwg":
                check(not got, "a packet that is not ECN-capable passed congestion")
            check(not got or got[1] == NOT_ECT, "CE was set on a packet that is not ECN-capable")
        inner.close()
        inner6.close()
        device.set_peer(wire.own.public, "remove")


def handshake_tos(number):
    """handshakes carry DSCP AF41, keepalives nothing"""
    device = Device(number)
    for address in bench.WIRE, bench.WIRE6:
        wire, inner = Wire(device, address=address), Inner(device)
        wire.connect()
        equal(wire.tos, 0x88, f"TOS of a response from {address}")
        inner.close()
        device.set_peer(wire.own.public, "remove")
        wire, inner = Wire(device, address=address), Inner(device)
        inner.send(wire.inner, b"x", tos=0xB8)
        wire.accept()
        equal(wire.tos, 0x88, f"TOS of an initiation from {address}")
        wire.gets_payload(b"x")
        equal(wire.tos, 0, "TOS of data")
        device.set_peer(wire.own.public, "persistent-keepalive", "1")
        equal(wire.gets_packet(), b"", "payload of a keepalive")
        equal(wire.tos, 0, "TOS of a keepalive")
        inner.close()
        device.set_peer(wire.own.public, "remove")


@contextlib.contextmanager
def capture(device):
    """Raw IP packets that come to the wire's end from the device's port."""
    with bench.inside(bench.NS_C):
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    raw.bind(("eth0", 3))
    raw.settimeout(bench.SOON)

    def ours(packet, datagrams):
        """Other devices send by this link, too. The port is in the first fragment only."""
        identification, fragment = struct.unpack_from(">HH", packet, 4)
        if not fragment & 0x1FFF and struct.unpack_from(">H", packet, 20)[0] == device.port:
            datagrams.add(identification)
        return identification in datagrams

    def packets():
        got, datagrams = [], set()
        while True:
            try:
                packet, where = raw.recvfrom(65536)
            except TimeoutError:
                return got
            if where[1] == 0x0800 and where[2] != socket.PACKET_OUTGOING and \
                    packet[9] == socket.IPPROTO_UDP and ours(packet, datagrams):
                got.append(packet)

    yield packets
    raw.close()


def fragments(number):
    """outer packets may be fragmented: DF is clear, and a link smaller than the tunnel works"""
    device, wire, inner = connected(number)
    bench.run("ip", "link", "set", "eth1", "mtu", "1300")
    try:
        with capture(device) as packets:
            inner.send(wire.inner, bytes(1420 - 28))
            inner.send(wire.inner, b"small")
            wire.gets_payload(bytes(1420 - 28))
            wire.gets_payload(b"small")
            flags = [struct.unpack_from(">H", packet, 6)[0] for packet in packets()]
    finally:
        bench.run("ip", "link", "set", "eth1", "mtu", "1500")
    equal(len(flags), 3, "outer packets")
    check(not any(flag & 0x4000 for flag in flags), f"DF is set: {flags}")
    check(flags[0] & 0x2000 and flags[1] & 0x1FFF, f"first packet is not fragmented: {flags}")


# Errors


def refused(device, address, message=b"x"):
    """Error of a send through the device, and the ICMP error that it gets: errno, origin, type and code."""
    with bench.inside(bench.NS_A):
        end = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    if ":" in address:
        end.setsockopt(socket.IPPROTO_IPV6, 25, 1)  # IPV6_RECVERR
    else:
        end.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    end.connect((address, 9))
    error = icmp = None
    try:
        end.send(message)
    except OSError as failure:
        error = errno.errorcode[failure.errno]
    for _ in range(int(bench.LATE / 0.02)):
        with contextlib.suppress(BlockingIOError):
            _, ancillary, _, _ = end.recvmsg(1, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            code, origin, kind, subcode = struct.unpack_from("<IBBB", ancillary[0][2])
            icmp = errno.errorcode[code], origin, kind, subcode
            break
        time.sleep(0.02)
    end.close()
    return error, icmp


def no_peer(number):
    """errors: no peer for the destination: ICMP host unreachable, counted"""
    device, wire, inner = connected(number)
    before = device.statistics()
    equal(refused(device, f"10.77.{number}.77"), ("ENOKEY", ("EHOSTUNREACH", 2, 3, 1)), "v4: error and ICMP")
    equal(refused(device, f"fd77:{number}::77"), ("ENOKEY", ("EHOSTUNREACH", 3, 1, 3)), "v6: error and ICMP")
    after = device.statistics()
    equal(after["tx_errors"] - before["tx_errors"], 2, "tx_errors")
    equal(after["tx_packets"], before["tx_packets"], "tx_packets")


def no_endpoint(number):
    """errors: a peer without endpoint: ICMP host unreachable, counted"""
    device = Device(number)
    wire = Wire(device, endpoint=False)
    before = device.statistics()
    equal(refused(device, wire.inner), ("EDESTADDRREQ", ("EHOSTUNREACH", 2, 3, 1)), "v4: error and ICMP")
    equal(refused(device, wire.inner6), ("EDESTADDRREQ", ("EHOSTUNREACH", 3, 1, 3)), "v6: error and ICMP")
    equal(device.statistics()["tx_errors"] - before["tx_errors"], 2, "tx_errors")


def loop(number):
    """errors: an endpoint behind the interface itself is no endless loop"""
    device = Device(number)
    wire = Wire(device, allowed="192.0.2.0/24")
    inner = Inner(device)
    bench.run("ip", "route", "add", "192.0.2.0/24", "dev", device.name)
    device.set_peer(wire.own.public, "endpoint", "192.0.2.1:1000")
    for _ in range(3):
        inner.send("192.0.2.1")
    time.sleep(0.2)
    equal(device.transfer(wire.own.public)[0], 0, "bytes received")
    check(device.statistics()["tx_packets"] < 10, f"packets go round: {device.statistics()}")
    bench.run("ip", "route", "del", "192.0.2.0/24", "dev", device.name)
    device.set_peer(wire.own.public, "endpoint", wire.where(), "allowed-ips", f"192.0.2.0/24,{wire.inner}/32")
    wire.connect()
    inner.send(wire.inner, b"out of the loop")
    while True:
        payload = wire.gets_packet()
        if payload and bench.udp_payload(payload) == b"out of the loop":
            break

    # With a session, too.
    bench.run("ip", "route", "add", "192.0.2.0/24", "dev", device.name)
    device.set_peer(wire.own.public, "endpoint", "192.0.2.1:1000")
    before = device.statistics()["tx_packets"]
    inner.send("192.0.2.1")
    time.sleep(0.5)
    sent = device.statistics()["tx_packets"] - before
    check(sent < 50, f"a packet went round {sent} times")


def onion(number):
    """sending: a peer may be reached through another peer of the same interface"""
    device, wire, inner = connected(number)
    for to, outer in ("10.77.0.3", wire.inner), ("10.77.0.4", f"[{wire.inner6}]"):
        behind = Wire(device, allowed=f"{to}/32", endpoint=False)
        bench.run("ip", "route", "replace", to, "dev", device.name)
        device.set_peer(behind.own.public, "endpoint", f"{outer}:1000")
        inner.send(to)
        behind.opens(bench.udp_payload(wire.gets_packet()))
        device.set_peer(behind.own.public, "remove")


# Counters


def dropped_below(number):
    """counters: what a firewall drops on the way out was not sent, but dropped"""
    device = Device(number)
    table = (f"table inet drop{number} {{ chain output {{ type filter hook output priority 0; "
             f"udp sport {device.port} drop; }}; }}\n")
    stock = bench.KIND == "wireguard"
    for address, counters_of in ((bench.WIRE, ("tx_dropped",)),
                                 (bench.WIRE6, ("tx_errors", "tx_carrier") if stock else ("tx_dropped",))):
        wire, inner = Wire(device, address=address), Inner(device)
        wire.connect()
        before = device.statistics()
        bench.run("nft", "-f", "-", stdin=table)
        try:
            inner.send(wire.inner, b"dropped")
            wire.gets_nothing("what is dropped")
        finally:
            bench.run("nft", "delete", "table", "inet", f"drop{number}")
        after = device.statistics()
        # What the handshake ended with may only just have come in.
        changed = {name: after[name] - before[name] for name in after
                   if after[name] != before[name] and not name.startswith("rx_")}
        equal(changed, dict.fromkeys(counters_of, 1), f"counters that changed over {address}")
        inner.close()


def counters(number):
    """counters: UDP payload, per peer as on the wire, and the interface agrees"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    other = Wire(device, allowed=f"10.77.{number}.3/32")
    sent = received = packets_out = packets_in = 0

    def agree(what):
        equal(device.transfer(wire.own.public), (sent, received), f"received and sent after {what}")
        statistics = device.statistics()
        equal((statistics["rx_bytes"], statistics["tx_bytes"]), (sent + others, received),
              f"interface's bytes after {what}")
        equal((statistics["rx_packets"], statistics["tx_packets"]), (packets_in, packets_out),
              f"interface's packets after {what}")
        equal((statistics["rx_errors"], statistics["tx_errors"]), (errors, 0), f"errors after {what}")

    others = errors = 0
    agree("nothing")
    inner.send(wire.inner, bytes(10))
    wire.accept()
    wire.gets_payload(bytes(10))
    # initiation, transport of 38 B padded to 48; response
    received, packets_out = 148 + 32 + 48, 2
    sent, packets_in = 92, 1
    agree("a handshake that the device began")
    wire.send_packet()
    sent, packets_in = sent + 32, packets_in + 1
    wire.send_payload(bytes(100))
    sent, packets_in = sent + 32 + 128, packets_in + 1
    inner.gets(bytes(100))
    agree("a keepalive and a packet")
    for size in 0, 1, 500, 1392:
        inner.send(wire.inner, bytes(size))
        received, packets_out = received + len(wire.gets(wg.TRANSPORT)), packets_out + 1
        wire.send_payload(bytes(size))
        sent, packets_in = sent + 32 + min((size + 28 + 15) // 16 * 16, 1424), packets_in + 1
        inner.gets(bytes(size))
    agree("some packets")
    wire.send_packet(b"no IP packet")
    wire.send_packet(udp("10.9.9.9", device.inner, b"of somebody else"))
    bench.wait_until(lambda: device.statistics()["rx_errors"] == 2, "two packets, not dropped")
    errors = 2
    agree("packets that are not for the stack")
    time.sleep(0.1)
    wire.connect()
    sent, packets_in = sent + 148 + 32, packets_in + 2
    received, packets_out = received + 92, packets_out + 1
    inner.send(wire.inner, b"x")
    received, packets_out = received + len(wire.gets(wg.TRANSPORT)), packets_out + 1
    agree("a handshake that the peer began")
    equal(device.transfer(other.own.public), (0, 0), "the other peer's bytes")


# Sockets


def family6(number):
    """sockets: over v6 as over v4, on one port"""
    device = Device(number)
    for address in bench.WIRE6, bench.WIRE:
        wire, inner = Wire(device, address=address), Inner(device)
        inner.send(wire.inner, b"out")
        wire.accept()
        wire.gets_payload(b"out")
        wire.send_payload(b"in")
        inner.gets(b"in")
        equal(device.endpoint(wire.own.public), wire.where(), "endpoint")
        wire.connect()
        inner.close()
        device.set_peer(wire.own.public, "remove")


def port(number):
    """sockets: the port can be changed, is refused if taken, and is chosen if 0"""
    device, wire, inner = connected(number)

    def listens(where):
        with bench.inside(bench.NS_A), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("0.0.0.0", where))
                return False
            except OSError as failure:
                equal(failure.errno, errno.EADDRINUSE, "error of a bind")
                return True

    def shown():
        return int(bench.run(bench.TOOL, "show", device.name, "listen-port"))

    check(listens(device.port), "the port is free")
    device.set("listen-port", "40000")
    check(listens(40000) and not listens(device.port), "it does not listen on the new port alone")
    inner.send(wire.inner, b"x")
    wire.gets_payload(b"x")
    equal(wire.source[1], 40000, "source port")
    wire.to = (bench.HOST, 40000)
    wire.send_payload(b"x")
    inner.gets(b"x")
    with bench.inside(bench.NS_A):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("0.0.0.0", 40001))
    status, text = device.set("listen-port", "40001", ok=False)
    check(status != 0, "a port in use was accepted")
    check("in use" in text, f"error for a port in use: {text}")
    taken.close()
    device.set("listen-port", "40002")
    equal(shown(), 40002, "listen-port")
    device.set("listen-port", "0")
    check(shown() not in (0, 40002), f"listen-port chosen: {shown()}")
    check(listens(shown()), "it does not listen on the port chosen")
    equal(len({shown() for _ in range(3)}), 1, "listen-ports shown")


def fwmark(number):
    """sockets: outer packets carry the fwmark, handshakes and data"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    rules = ("rule add fwmark 0x1234 lookup 1234 pref 100\n"
             "rule add to 10.0.1.3 lookup 1235 pref 101\n"
             "route add prohibit 10.0.1.3 table 1235\n"
             "route add 10.0.1.3 dev eth1 table 1234\n")
    bench.run("ip", "-batch", "-", stdin=rules)
    try:
        inner.send(wire.inner, b"1")
        wire.gets_nothing("a packet without fwmark")
        wire.send(wire.initiator().message)
        wire.gets_nothing("an initiation without fwmark")
        device.set("fwmark", "0x1234")
        equal(bench.run(bench.TOOL, "show", device.name, "fwmark").strip(), "0x1234", "fwmark")
        time.sleep(0.1)
        wire.connect()
        wire.drain(0.1)
        inner.send(wire.inner, b"2")
        wire.gets_payload(b"2")
        device.set("fwmark", "0")
        inner.send(wire.inner, b"3")
        wire.gets_nothing("a packet after fwmark was taken away")
    finally:
        bench.run("ip", "-batch", "-", stdin=rules.replace(" add ", " del "))
    inner.send(wire.inner, b"4")
    wire.gets_payload(b"4")


def moved(number):
    """namespaces: the sockets stay where the interface was made"""
    device = Device(number)
    wire = Wire(device)
    name = f"{bench.NS_A}-moved"
    bench.run("ip", "netns", "add", name, namespace=bench.NS_C)
    original = bench.NS_A
    try:
        bench.run("ip", "link", "set", device.name, "netns", name)
        with in_namespace(name):
            bench.run("ip", "-batch", "-", stdin=f"address add {device.inner}/24 dev {device.name}\n"
                                                 f"link set lo up\nlink set {device.name} up\n")
            inner = Inner(device)
            inner.send(wire.inner, b"out")
            wire.accept()
            wire.gets_payload(b"out")
            wire.send_payload(b"in")
            inner.gets(b"in")
            device.link("down")
            device.set("listen-port", "40100")
            device.link("up")
            wire.to = (bench.HOST, 40100)
            time.sleep(0.1)
            wire.connect()
            inner.send(wire.inner, b"again")
            wire.gets_payload(b"again")
            with bench.inside(name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("0.0.0.0", 40100))  # no socket of the device here
            inner.close()
    finally:
        bench.run("ip", "netns", "del", name, namespace=original)
    with bench.inside(original), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        bench.wait_until(lambda: can_bind(probe, 40100), "the port is still taken after the interface is gone")


def can_bind(probe, where):
    try:
        probe.bind(("0.0.0.0", where))
        return True
    except OSError:
        return False


@contextlib.contextmanager
def in_namespace(name):
    """The device's programs and sockets are in this namespace."""
    previous, bench.NS_A = bench.NS_A, name
    try:
        yield
    finally:
        bench.NS_A = previous


def home_gone(number):
    """namespaces: an interface outlives the namespace it was made in, without sockets"""
    home, here = f"{bench.NS_A}-home", bench.NS_A
    bench.run("ip", "netns", "add", home)
    bench.run("ip", "-n", home, "link", "set", "lo", "up")
    with in_namespace(home):
        device = Device(number)
        wire = Wire(device)
        bench.run("ip", "link", "set", device.name, "netns", here)
    bench.run("ip", "-batch", "-", stdin=f"address add {device.inner}/24 dev {device.name}\n"
                                         f"link set {device.name} up\n")
    bench.run("ip", "netns", "del", home)
    # The namespace goes some time after its name.
    bench.wait_until(lambda: device.set("listen-port", "40200", ok=False)[0],
                     "a port was set in a namespace that is gone")
    inner = Inner(device)
    inner.send(wire.inner)
    device.link("down")
    status = bench.run("ip", "link", "set", device.name, "up", ok=False)[0]
    check(status != 0, "the link went up without its sockets' namespace")
    device.set_peer(wire.own.public, "remove")
    inner.close()
    device.delete()


def keepalive_link_up(number):
    """persistent keepalive: sent as the link comes up, and as a private key arrives late"""
    device = Device(number, up=False)
    wire = Wire(device)
    device.set_peer(wire.own.public, "persistent-keepalive", "600")
    wire.gets_nothing("a link that is down")
    device.link("up")
    wire.accept()
    equal(wire.gets_packet(), b"", "payload of the keepalive")
    late = Device(number + 100, key=False)
    wire = Wire(late)
    late.set_peer(wire.own.public, "persistent-keepalive", "600")
    wire.gets_nothing("an interface without a private key")
    late.set_key(wg.new_key())
    wire.accept()
    equal(wire.gets_packet(), b"", "payload of the keepalive")


def hidden(number):
    """the interface's port answers junk with nothing, not with ICMP either"""
    device = Device(number)
    wire = Wire(device, known=False)
    wire.socket.connect(wire.to)
    for _ in range(3):
        wire.socket.send(os.urandom(40))
        check(not bench.receive(wire.socket, 0.1), "junk was answered")
        equal(wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "error after sending junk")


# What senders and the stack hang on a packet


def ring(number):
    """sending: the frames of a packet socket's ring are sent, and given back"""
    # linux/if_packet.h
    sol_packet, packet_version, packet_tx_ring, packet_vnet_hdr = 263, 10, 13, 15
    tpacket_v2, header, frame, available, send_request = 1, 32, 2048, 0, 1
    device, wire, _ = connected(number)
    with bench.inside(bench.NS_A):
        packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    packets.setsockopt(sol_packet, packet_version, tpacket_v2)
    packets.setsockopt(sol_packet, packet_vnet_hdr, 1)
    packets.setsockopt(sol_packet, packet_tx_ring, struct.pack("IIII", 2 * frame, 1, frame, 2))
    packets.bind((device.name, 0x0800))
    frames = mmap.mmap(packets.fileno(), 2 * frame)
    # Only so much of it comes in the linear part, the rest from the ring's pages.
    linear = 20
    data = struct.pack("=BBHHHH", 0, 0, linear, 0, 0, 0) + udp(device.inner, wire.inner, bytes(200))
    for start in 0, frame:
        frames[start + header:start + header + len(data)] = data
        frames[start:start + 8] = struct.pack("II", send_request, len(data))
    packets.send(b"")
    for start in 0, frame:
        wire.gets_payload(bytes(200))
    for start in 0, frame:
        equal(struct.unpack_from("I", frames, start)[0], available, "status of the frame")
    frames.close()
    packets.close()


def stamps(number):
    """sending: who asks when a packet left is told so"""
    # linux/net_tstamp.h
    so_timestamping, tx_software, software, opt_tsonly = 37, 1 << 1, 1 << 4, 1 << 11
    so_no_check = 11  # asm/socket.h; the checksum is written into a buffer of the packet's own
    device, wire, inner = connected(number)
    inner.socket.setsockopt(socket.SOL_SOCKET, so_no_check, 1)
    inner.socket.setsockopt(socket.SOL_SOCKET, so_timestamping, tx_software | software | opt_tsonly)
    with bench.inside(bench.NS_A):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))  # who shares each packet
    tap.bind((device.name, 3))
    inner.send(wire.inner, b"when")
    wire.gets_payload(b"when")
    # With the stock module of later kernels it comes after the datagram.
    told = select.poll()
    told.register(inner.socket, 0)  # for errors
    check(told.poll(bench.LATE * 1000 if bench.KIND == "wireguard" else 0), "no time stamp")
    _, ancillary, _, _ = inner.socket.recvmsg(0, 256, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    found = [struct.unpack_from("q", data)[0] for level, kind, data in ancillary
             if (level, kind) == (socket.SOL_SOCKET, so_timestamping)]
    check(found and abs(found[0] - time.time()) < 10, f"{found} at {time.time()}")
    tap.close()


def redirects(number):
    """routing: who sends to a peer by way of the interface is not told of a shorter way"""
    device, wire, _ = connected(number)
    other = Wire(device, allowed=f"10.77.{number}.3/32")
    other.connect()
    bench.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    try:
        wire.send_packet(udp(wire.inner, f"10.77.{number}.3", b"onward"))
        other.gets_payload(b"onward")
        wire.gets_nothing("a packet to another peer")
    finally:
        bench.run("sysctl", "-qw", "net.ipv4.ip_forward=0")


CASES = [
    attributes, threads, padding, ecn_out, ecn_in, handshake_tos, fragments, no_peer, no_endpoint, loop, onion,
    dropped_below, counters, family6, port, fwmark, moved, home_gone, keepalive_link_up, hidden, ring, stamps,
    redirects,
]
