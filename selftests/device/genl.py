# SPDX-License-Identifier: GPL-2.0
"""Generic netlink, as little as tests of the device need: whole requests and what the kernel answers, extended
acknowledgement included."""

import os
import socket
import struct

import bench

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR = 1, 4, 0x300, 0x10
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED, NLA_TYPE_MASK = 0x8000, 0x3FFF
SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 10, 11
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2


class Refused(Exception):
    """The kernel's refusal: errno and the text of its extended acknowledgement."""

    def __init__(self, code, text):
        super().__init__(f"{os.strerror(code)}: {text}")
        self.code, self.text = code, text


def attribute(kind, value):
    """bytes as they are, str with its end, list as a nest of attributes."""
    if isinstance(value, list):
        kind, value = kind | NLA_F_NESTED, b"".join(value)
    elif isinstance(value, str):
        value = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def u8(kind, value):
    return attribute(kind, struct.pack("=B", value))


def u16(kind, value):
    return attribute(kind, struct.pack("=H", value))


def u32(kind, value):
    return attribute(kind, struct.pack("=I", value))


def parse(data):
    """Attributes as (kind, value) pairs."""
    attributes = []
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        attributes.append((kind & NLA_TYPE_MASK, data[4:length]))
        data = data[(length + 3) & ~3:]
    return attributes


class Family:
    """A generic netlink family, spoken to from the device's namespace."""

    def __init__(self, name):
        with bench.inside(bench.NS_A):
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.settimeout(10)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.socket.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.id, self.sequence = GENL_ID_CTRL, 0
        reply, = self.request(CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, name))
        self.id, = struct.unpack("=H", dict(reply)[CTRL_ATTR_FAMILY_ID])

    def send(self, command, payload, flags=NLM_F_ACK):
        self.sequence += 1
        self.socket.send(struct.pack("=IHHIIBBH", 20 + len(payload), self.id, NLM_F_REQUEST | flags, self.sequence, 0,
                                     command, 1, 0) + payload)

    def messages(self):
        """The kernel's answer, message by message: flags of the header, attributes. Ends with its acknowledgement."""
        while True:
            data = self.socket.recv(1 << 18)
            while data:
                length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", data)
                message, data = data[16:length], data[(length + 3) & ~3:]
                if sequence != self.sequence:
                    continue
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    code, = struct.unpack_from("=i", message)
                    if code:
                        tail = message[4:] if kind == NLMSG_DONE else message[20:]
                        text = dict(parse(tail)).get(1, b"") if flags & NLM_F_ACK_TLVS else b""
                        raise Refused(-code, text.rstrip(b"\0").decode())
                    return
                yield flags, parse(message[4:])

    def request(self, command, payload, flags=NLM_F_ACK):
        """Attributes of every message of the answer."""
        self.send(command, payload, flags)
        return [attributes for _, attributes in self.messages()]
