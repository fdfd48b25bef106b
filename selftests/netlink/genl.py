# SPDX-License-Identifier: GPL-2.0
"""Generic netlink by hand, and the attributes that the families "nwg" and "wireguard" share.

A request is built from attr() and nest(), so that a test can send what no library would."""

import errno
import socket
import struct
from collections import namedtuple

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLMSG_HEADER, GENL_HEADER = 16, 4
NLA_F_NESTED = 0x8000
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_MISS_TYPE = 1, 2, 5
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
SOL_NETLINK, NETLINK_GENERIC = 270, 16

GET_DEVICE, SET_DEVICE = 0, 1

# enum nwg_device_attribute and so on, as in uapi/nwg.h
IFINDEX, IFNAME, PRIVATE_KEY, PUBLIC_KEY, FLAGS, LISTEN_PORT, FWMARK, PEERS = range(1, 9)
REPLACE_PEERS = 1
(P_PUBLIC_KEY, P_PRESHARED_KEY, P_FLAGS, P_ENDPOINT, P_KEEPALIVE, P_LAST_HANDSHAKE, P_RX_BYTES,
 P_TX_BYTES, P_ALLOWEDIPS, P_VERSION) = range(1, 11)
P_REMOVE_ME, P_REPLACE_ALLOWEDIPS, P_UPDATE_ONLY = 1, 2, 4
A_FAMILY, A_IPADDR, A_CIDR_MASK, A_FLAGS = range(1, 5)
A_REMOVE_ME = 1


def attr(kind, payload=b""):
    """One attribute; bytes are taken as they are, an int is a u32."""
    if isinstance(payload, int):
        payload = struct.pack("=I", payload)
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def u8(kind, value):
    return attr(kind, struct.pack("=B", value))


def u16(kind, value):
    return attr(kind, struct.pack("=H", value))


def nest(kind, *children):
    return attr(kind | NLA_F_NESTED, b"".join(children))


def parse(data):
    """The attributes in some bytes: a list of (type, payload)."""
    found = []
    while data:
        length, kind = struct.unpack_from("=HH", data)
        assert 4 <= length <= len(data), f"attribute of length {length} in {len(data)} bytes"
        found.append((kind & 0x3FFF, data[4:length]))
        data = data[(length + 3) & ~3:]
    return found


class Refused(Exception):
    """The kernel's refusal: errno, the text of its extended ack, the types of the attribute that is
    wrong and of the one that is missing, if it names them, what it sent back, and the type of the
    message, NLMSG_ERROR or NLMSG_DONE."""

    def __init__(self, error, text, wrong=None, missing=None, echo=b"", kind=NLMSG_ERROR):
        super().__init__(f"{errno.errorcode.get(error, error)}: {text or '(no extended ack)'}")
        self.error, self.text, self.wrong, self.missing = error, text, wrong, missing
        self.echo, self.kind = echo, kind


Message = namedtuple("Message", "kind flags sequence body")


class Netlink:
    """A netlink socket.

    room: bytes to receive at once; the kernel makes no dump message larger than the largest that
    was asked for yet. cap_ack: a refusal need not repeat the request."""

    def __init__(self, protocol, room=1 << 16, cap_ack=True):
        self.room = room
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, int(cap_ack))
        self.socket.settimeout(60)
        self.sequence, self.sent = 0, b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def message(self, kind, body, flags):
        self.sequence += 1
        return struct.pack("=IHHII", NLMSG_HEADER + len(body), kind, NLM_F_REQUEST | flags,
                           self.sequence, 0) + body

    def send(self, message):
        self.sent = message
        self.socket.send(message)

    def receive(self):
        """The messages of one datagram."""
        data = self.socket.recv(self.room)
        messages = []
        while data:
            length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data)
            assert NLMSG_HEADER <= length <= len(data), f"message of length {length}"
            messages.append(Message(kind, flags, sequence, data[NLMSG_HEADER:length]))
            data = data[(length + 3) & ~3:]
        return messages

    def verdict(self, message):
        """Raise what an NLMSG_ERROR or NLMSG_DONE says, if it is a refusal."""
        error, = struct.unpack_from("=i", message.body)
        if not error:
            return
        at, echo = 4, b""
        if message.kind == NLMSG_ERROR:
            length, = struct.unpack_from("=I", message.body, 4)
            at = 4 + NLMSG_HEADER
            if not message.flags & 0x100:  # NLM_F_CAPPED
                at = 4 + ((length + 3) & ~3)
                echo = message.body[4:4 + length]
        # NLM_F_ACK_TLVS
        details = dict(parse(message.body[at:])) if message.flags & 0x200 else {}
        text = details.get(NLMSGERR_ATTR_MSG, b"").rstrip(b"\0").decode()
        wrong, missing = (struct.unpack("=I", details[kind])[0] if kind in details else None
                          for kind in (NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_MISS_TYPE))
        if wrong is not None:  # the offset of the attribute in the request
            wrong = struct.unpack_from("=H", self.sent, wrong + 2)[0] & 0x3FFF
        raise Refused(-error, text, wrong, missing, echo, message.kind)


class Socket(Netlink):
    """A generic netlink socket that knows one family, and its multicast groups."""

    def __init__(self, family, room=1 << 16, cap_ack=True):
        super().__init__(NETLINK_GENERIC, room, cap_ack)
        self.family = 0x10  # the controller
        reply = dict(parse(self.ask(3, attr(2, family.encode() + b"\0"))[0].body[GENL_HEADER:]))
        self.family, = struct.unpack("=H", reply[1])
        self.maxattr, = struct.unpack("=I", reply[5])
        groups = (dict(parse(group)) for _, group in parse(reply.get(7, b"")))
        self.groups = {group[1].rstrip(b"\0").decode(): struct.unpack("=I", group[2])[0]
                       for group in groups}

    def join(self, group):
        self.socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups[group])

    def request(self, command, attributes, flags, reserved=0):
        body = struct.pack("=BBH", command, 1, reserved) + attributes
        return self.message(self.family, body, flags)

    def ask(self, command, attributes, flags=NLM_F_ACK, reserved=0):
        """Do: the replies, once acknowledged."""
        self.send(self.request(command, attributes, flags, reserved))
        replies = []
        while True:
            for message in self.receive():
                if message.kind == NLMSG_ERROR:
                    self.verdict(message)
                    return replies
                replies.append(message)

    def dump(self, command, attributes):
        """Dump: yields one message after the other, the last being NLMSG_DONE."""
        self.send(self.request(command, attributes, NLM_F_DUMP))
        while True:
            for message in self.receive():
                if message.kind in (NLMSG_ERROR, NLMSG_DONE):
                    self.verdict(message)
                    yield message
                    return
                yield message


def name(interface):
    return attr(IFNAME, interface.encode() + b"\0")


def allowed_ip(address, cidr, *more):
    """An allowed IP from an address as text."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return nest(0, u16(A_FAMILY, family), attr(A_IPADDR, socket.inet_pton(family, address)),
                u8(A_CIDR_MASK, cidr), *more)


def endpoint4(address, port):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + \
        socket.inet_pton(socket.AF_INET, address) + bytes(8)


def endpoint6(address, port, scope=0):
    return struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0) + \
        socket.inet_pton(socket.AF_INET6, address) + struct.pack("=I", scope)


def peer(key, *attributes, allowed=None):
    if allowed is not None:
        attributes += (nest(P_ALLOWEDIPS, *allowed),)
    return nest(0, attr(P_PUBLIC_KEY, key), *attributes)


class Device:
    """What a dump of an interface says, its peers merged."""

    def __init__(self):
        self.attributes = {}
        self.peers = {}  # key to (attributes, list of "address/length")
        self.messages = self.named = 0
        self.interrupted = False
        self.odd = []  # what a dump must not look like

    def __eq__(self, other):
        return (self.attributes, self.peers) == (other.attributes, other.peers)

    def __repr__(self):
        return f"{self.attributes} {self.peers}"

    def take(self, message):
        self.interrupted |= bool(message.flags & NLM_F_DUMP_INTR)
        if message.kind == NLMSG_DONE:
            return
        self.messages += 1
        attributes = dict(parse(message.body[GENL_HEADER:]))
        self.named += IFNAME in attributes
        peers = [dict(parse(entry)) for _, entry in parse(attributes.pop(PEERS, b""))]
        if self.messages == 1:
            self.attributes = attributes
        elif attributes not in ({}, {IFNAME: self.attributes[IFNAME]}):
            self.odd.append(f"message {self.messages} has attributes {sorted(attributes)}")
        for entry in peers:
            key = entry.pop(P_PUBLIC_KEY)
            prefixes = [self.prefix(dict(parse(prefix)))
                        for _, prefix in parse(entry.pop(P_ALLOWEDIPS, b""))]
            if key not in self.peers:
                self.peers[key] = (entry, prefixes)
                continue
            if entry or key != next(reversed(self.peers)):
                self.odd.append(f"peer {key.hex()} repeated with attributes {sorted(entry)}")
            self.peers[key][1].extend(prefixes)

    @staticmethod
    def prefix(attributes):
        family, = struct.unpack("=H", attributes[A_FAMILY])
        return f"{socket.inet_ntop(family, attributes[A_IPADDR])}/{attributes[A_CIDR_MASK][0]}"


def get(sock, interface):
    """Dump an interface."""
    device = Device()
    for message in sock.dump(GET_DEVICE, name(interface)):
        device.take(message)
    return device


def set_device(sock, interface, *attributes):
    sock.ask(SET_DEVICE, name(interface) + b"".join(attributes))
