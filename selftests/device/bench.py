# SPDX-License-Identifier: GPL-2.0
"""What the Python cases share: the device under test, a hand-driven peer on the other end of a veth, inner packets, and
the loop that runs cases and reports them.

      namespace $NS_A                                        namespace $NS_C
    +-------------------------------------+                +--------------------------------+
    | wgN  kind $KIND_A, port 51800 + N   |                |                                |
    |      10.77.N.1/24  fd77:N::1/64     |                |  Wire: a UDP socket that       |
    |                                     |      veth      |  speaks wireguard.py           |
    | eth1 10.0.1.1/24   fd00:1::1/64     +----------------+ eth0 10.0.1.3/24  fd00:1::3/64 |
    |      10.0.1.11/24                   |                |      10.0.1.4/24               |
    +-------------------------------------+                +--------------------------------+

Every case has a device (number N) of its own, so that cases may run side by side.
"""

import base64
import contextlib
import ctypes
import os
import select
import signal
import socket
import struct
import subprocess
import threading
import time
import traceback

import wireguard as wg

KIND = os.environ["KIND_A"]
NS_A, NS_C = os.environ["NS_A"], os.environ["NS_C"]
TOOL = os.environ["TOOL_A"]
HOST, HOST6, HOST_OTHER = "10.0.1.1", "fd00:1::1", "10.0.1.11"
WIRE, WIRE6, WIRE_OTHER = "10.0.1.3", "fd00:1::3", "10.0.1.4"
SOON = 0.3  # seconds after which what has not come will not come
LATE = 10.0  # seconds to wait at most for what must come

libc = ctypes.CDLL(None, use_errno=True)
own_namespace = os.open("/proc/self/ns/net", os.O_RDONLY)


class Failed(Exception):
    """A case's expectation that did not hold."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r} instead of {wanted!r}")


@contextlib.contextmanager
def inside(namespace):
    """Sockets opened and programs started here are in the namespace; only this thread moves."""
    target = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(target, 0x40000000):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        yield
    finally:
        libc.setns(own_namespace, 0x40000000)
        os.close(target)


class Paced:
    """In a VM with virtual time: time passes as it does while a program is started, and is skipped while the cases
    wait. The VM's runner says why, see skip_idle in lib/ktap.sh."""

    def __init__(self):
        self.pacer = int(os.environ.get("NWG_VM_PACER") or 0)
        self.lock, self.users = threading.Lock(), 0

    def __enter__(self):
        with self.lock:
            self.users += 1
            if self.pacer:
                os.kill(self.pacer, signal.SIGCONT)

    def __exit__(self, *_):
        with self.lock:
            self.users -= 1
            if self.pacer and not self.users:
                os.kill(self.pacer, signal.SIGSTOP)


paced = Paced()


def run(*command, namespace=None, stdin="", ok=True):
    """Standard output of a program; with ok=False instead its exit status and standard error."""
    with paced, inside(namespace or NS_A):
        done = subprocess.run(command, input=stdin, text=True, capture_output=True, timeout=60)
    if not ok:
        return done.returncode, done.stderr
    check(done.returncode == 0, f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def base64_key(key):
    return base64.b64encode(key).decode()


def wait_until(condition, message, timeout=LATE):
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, message)
        time.sleep(0.02)


class Device:
    """The device under test."""

    def __init__(self, number, up=True, mtu=None, key=True):
        self.number, self.name, self.port = number, f"wg{number}", 51800 + number
        self.inner, self.inner6 = f"10.77.{number}.1", f"fd77:{number}::1"
        self.own = wg.new_key()
        if KIND == "go":
            run("env", "WG_PROCESS_FOREGROUND=0", "wireguard-go", self.name)
            link = ""
        else:
            link = f"link add {self.name} type {KIND}\n"
        if mtu:
            link += f"link set {self.name} mtu {mtu}\n"
        link += (f"address add {self.inner}/24 dev {self.name}\n"
                 f"address add {self.inner6}/64 dev {self.name} nodad\n")
        if up:
            link += f"link set {self.name} up\n"
        run("ip", "-batch", "-", stdin=link)
        self.set("listen-port", str(self.port))
        if key:
            self.set_key(self.own)

    def set(self, *arguments, stdin="", **more):
        return run(TOOL, "set", self.name, *arguments, stdin=stdin, **more)

    def set_key(self, key):
        self.own = key
        self.set("private-key", "/dev/stdin", stdin=base64_key(key.private) + "\n")

    def set_psk(self, public, psk):
        self.set("peer", base64_key(public), "preshared-key", "/dev/stdin", stdin=base64_key(psk) + "\n")

    def set_peer(self, public, *arguments, **more):
        return self.set("peer", base64_key(public), *arguments, **more)

    def show(self, field):
        """A field of every peer, as `show IFACE FIELD` prints it, by public key."""
        lines = run(TOOL, "show", self.name, field).splitlines()
        return {base64.b64decode(line.split("\t")[0]): line.split("\t")[1:] for line in lines}

    def transfer(self, public):
        """Bytes received and sent."""
        return tuple(int(value) for value in self.show("transfer")[public])

    def endpoint(self, public):
        return self.show("endpoints")[public][0]

    def latest_handshake(self, public):
        return int(self.show("latest-handshakes")[public][0])

    def link(self, *arguments):
        run("ip", "link", "set", self.name, *arguments)

    def statistics(self):
        """Counters of the network interface."""
        with inside(NS_A), open("/proc/thread-self/net/dev", encoding="ascii") as table:
            fields = next(line for line in table if line.strip().startswith(self.name + ":")).split(":")[1].split()
        names = ("rx_bytes rx_packets rx_errors rx_dropped rx_fifo rx_frame rx_compressed multicast "
                 "tx_bytes tx_packets tx_errors tx_dropped tx_fifo tx_collisions tx_carrier tx_compressed")
        return dict(zip(names.split(), map(int, fields)))

    def delete(self):
        run("ip", "link", "del", self.name)


class Inner:
    """A UDP socket beside the device, for what comes out of it and goes into it."""

    def __init__(self, device, family=socket.AF_INET, port=7777):
        with inside(NS_A):
            self.socket = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            self.socket.bind((device.inner, port))
        else:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            self.socket.bind((device.inner6, port))

    def send(self, address, payload=b"x", port=7777, tos=None):
        if tos is not None and self.socket.family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        elif tos is not None:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        self.socket.sendto(payload, (address, port))

    def receive(self, timeout=LATE):
        """Payload and TOS, or None."""
        return receive(self.socket, timeout)

    def gets(self, payload, timeout=LATE):
        got = self.receive(timeout)
        check(got, "nothing was delivered")
        equal(got[0], payload, "delivered payload")
        return got[1]

    def gets_nothing(self, what, timeout=SOON):
        got = self.receive(timeout)
        check(not got, f"{what} was delivered")

    def close(self):
        self.socket.close()


def receive(udp, timeout):
    if not select.select([udp], [], [], max(timeout, 0))[0]:
        return None
    payload, ancillary, _, source = udp.recvmsg(65536, 256)
    tos = None
    for level, kind, data in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, socket.IP_TOS):
            tos = data[0]
        elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_TCLASS):
            tos = struct.unpack("i", data)[0]
    return payload, tos, source


class Wire:
    """The other end: a peer of the device, driven by hand."""

    def __init__(self, device, address=WIRE, own=None, allowed=None, known=True, endpoint=True, psk=None, to=None):
        number = device.number
        self.device, self.own, self.psk = device, own or wg.new_key(), psk or wg.NO_PSK
        self.inner, self.inner6 = f"10.77.{number}.2", f"fd77:{number}::2"
        self.v6 = ":" in address
        self.to = (to or (HOST6 if self.v6 else HOST), device.port)
        self.socket = self.open(address)
        self.session = None
        self.tos = None
        self.source = None
        if known:
            where = self.socket.getsockname()
            endpoint = ("endpoint", f"[{where[0]}]:{where[1]}" if self.v6 else f"{where[0]}:{where[1]}") \
                if endpoint else ()
            device.set_peer(self.own.public, *endpoint, "allowed-ips",
                            allowed or f"{self.inner}/32,{self.inner6}/128")
            if psk:
                device.set_psk(self.own.public, psk)

    def open(self, address, port=0):
        with inside(NS_C):
            udp = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        if ":" in address:
            udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            udp.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        udp.bind((address, port))
        return udp

    def move(self, address):
        """Go on from another address and port."""
        self.socket.close()
        self.socket = self.open(address)

    def where(self):
        address = self.socket.getsockname()
        return f"[{address[0]}]:{address[1]}" if self.v6 else f"{address[0]}:{address[1]}"

    def set_tos(self, tos):
        if self.v6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)

    def send(self, message):
        self.socket.sendto(message, self.to)

    def receive(self, timeout=LATE):
        got = receive(self.socket, timeout)
        if not got:
            return None
        message, self.tos, self.source = got
        return message

    def gets(self, kind, timeout=LATE):
        """The next message, which must be of this type and shape."""
        message = self.receive(timeout)
        check(message, f"no message of type {kind} within {timeout} s")
        equal(wg.message_type(message), kind, "type of message")
        if kind == wg.TRANSPORT:
            check(len(message) >= 32, f"transport message of {len(message)} B")
        else:
            equal(len(message), wg.LENGTH[kind], f"length of message type {kind}")
        return message

    def gets_nothing(self, what, timeout=SOON):
        message = self.receive(timeout)
        check(not message, f"{what} was answered by type {message and wg.message_type(message)}")

    def drain(self, timeout=0.0):
        while self.receive(timeout):
            pass

    def skip_handshakes(self, timeout=LATE):
        """The next transport message."""
        while (message := self.receive(timeout)) is not None and wg.message_type(message) != wg.TRANSPORT:
            pass
        return message

    # Whole handshakes

    def initiator(self, **fields):
        fields.setdefault("psk", self.psk)
        return wg.Initiator(self.own, self.device.own.public, **fields)

    def connect(self, confirm=True, **fields):
        """A session that we initiate. Confirmed with a keepalive unless told otherwise."""
        attempt = self.initiator(**fields)
        self.send(attempt.message)
        response = self.gets(wg.RESPONSE)
        equal(wg.receiver_index(response), attempt.index, "receiver index of the response")
        check(wg.mac1_valid(response, self.own.public), "mac1 of the response is wrong")
        self.session = attempt.finish(response)
        if confirm:
            self.send(self.session.encrypt())
        return self.session

    def opens(self, message):
        """An initiation that must be the device's."""
        check(wg.mac1_valid(message, self.own.public), "mac1 of the initiation is wrong")
        attempt = wg.Responder(self.own, message)
        equal(attempt.initiator, self.device.own.public, "static key in the initiation")
        return attempt

    def answer(self, initiation, **fields):
        """The session that an initiation of the device's begins."""
        fields.setdefault("psk", self.psk)
        response, self.session = self.opens(initiation).respond(**fields)
        self.send(response)
        return self.session

    def accept(self, timeout=LATE, **fields):
        """A session that the device initiates."""
        return self.answer(self.gets(wg.INITIATION, timeout), **fields)

    def gets_packet(self, timeout=LATE, session=None):
        """The next message must be a transport message of the session; its payload."""
        return (session or self.session).decrypt(self.gets(wg.TRANSPORT, timeout))

    def gets_payload(self, payload, timeout=LATE):
        """The next message must carry this UDP payload."""
        packet = self.gets_packet(timeout)
        check(packet, "keepalive instead of data")
        equal(udp_payload(packet), payload, "payload")
        return packet

    def send_packet(self, packet=b"", session=None, **fields):
        message = (session or self.session).encrypt(packet, **fields)
        self.send(message)
        return message

    def send_payload(self, payload, **fields):
        return self.send_packet(udp(self.inner, self.device.inner, payload, **fields))

    def close(self):
        self.socket.close()


# Inner packets


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def udp(source, target, payload, port=7777, tos=0):
    """An IP packet with a UDP datagram."""
    if ":" in source:
        addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
    else:
        addresses = socket.inet_aton(source) + socket.inet_aton(target)
    datagram = struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload
    pseudo = addresses + struct.pack(">II", len(datagram), socket.IPPROTO_UDP)
    datagram = datagram[:6] + struct.pack(">H", checksum(pseudo + datagram) or 0xFFFF) + datagram[8:]
    if ":" in source:
        return struct.pack(">IHBB", 6 << 28 | tos << 20, len(datagram), socket.IPPROTO_UDP, 64) + addresses + datagram
    header = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(datagram), 1, 0, 64, socket.IPPROTO_UDP, 0) + addresses
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + datagram


def udp_payload(packet):
    """Payload of a UDP datagram, without the padding behind the packet."""
    start = 40 if packet[0] >> 4 == 6 else (packet[0] & 15) * 4
    return packet[start + 8:start + struct.unpack_from(">H", packet, start + 4)[0]]


# Running cases


def title(case):
    return case.__doc__.strip().splitlines()[0]


def attempt(case, number):
    """None if the case holds, otherwise why not."""
    try:
        case(number)
    except Failed as failure:
        line = next(frame.lineno for frame in reversed(traceback.extract_tb(failure.__traceback__))
                    if frame.name == case.__name__)
        return f"line {line}: {failure}"
    except Exception:  # pylint: disable=broad-except
        return traceback.format_exc()
    return None


def main(cases, parallel=False):
    """Run the cases: "plan N", then for each its diagnostics as "# TEXT" and "ok TITLE" or "not ok TITLE"."""
    results = {}

    def worker(number, case):
        results[case] = attempt(case, number)

    def report(case):
        for line in (results[case] or "").splitlines():
            print("#", line)
        print("not ok" if results[case] else "ok", title(case), flush=True)

    print("plan", len(cases), flush=True)
    with paced:
        pass  # from here on
    threads = {case: threading.Thread(target=worker, args=(number, case)) for number, case in enumerate(cases, 1)}
    if parallel:
        for thread in threads.values():
            thread.start()
    for case, thread in threads.items():
        if not parallel:
            thread.start()
        thread.join()
        report(case)
    paced.__enter__()
