# SPDX-License-Identifier: GPL-2.0
"""A WireGuard peer in the hands of a test: handshakes and sessions over plain bytes, with the fields that a test wants
to get wrong open to it. No clock, no sockets. The cryptography is that of the unit tests' reference."""

import os
import pathlib
import struct
import sys
import time

from cryptography.exceptions import InvalidTag

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "unit"))
import reference  # noqa: E402

INITIATION, RESPONSE, COOKIE_REPLY, TRANSPORT = 1, 2, 3, 4
LENGTH = {INITIATION: 148, RESPONSE: 92, COOKIE_REPLY: 64}
NO_PSK = reference.NO_PSK
LOW_ORDER = reference.LOW_ORDER

add_macs = reference.add_macs


def new_key():
    return reference.Key(os.urandom(32))


def new_index():
    return int.from_bytes(os.urandom(4), "little")


def tai64n(seconds):
    whole = int(seconds)
    return struct.pack(">QI", 0x400000000000000A + whole, int((seconds - whole) * 1e9))


def message_type(message):
    return struct.unpack_from("<I", message)[0] if len(message) >= 4 else None


def sender_index(message):
    return struct.unpack_from("<I", message, 4)[0]


def receiver_index(message):
    return struct.unpack_from("<I", message, 8 if message_type(message) == RESPONSE else 4)[0]


def mac2_of(message):
    return message[-16:]


def mac1_valid(message, public):
    return message[:-16] == add_macs(message[:-32], public)[:-16]


def mac2_valid(message, cookie):
    return mac2_of(message) == reference.mac(cookie, message[:-16])


def cookie_reply(message, public, cookie):
    """The reply of the owner of public to an initiation or response: come back with this cookie."""
    return reference.cookie_reply(cookie, message[-32:-16], sender_index(message), os.urandom(24), public)


def open_cookie_reply(reply, message, public):
    """The cookie that the owner of public replied to message with; raises if the reply is not authentic."""
    return reference.open_cookie_reply(reply, message[-32:-16], public)


def with_reserved(message, bits, public=None):
    """The same message with reserved bits set; with public, its macs made anew."""
    message = struct.pack("<I", message_type(message) | bits << 8) + message[4:]
    return add_macs(message[:-32], public) if public else message


class Session:
    """Transport keys; local is the index that the other side names, remote the one that we do."""

    def __init__(self, send_key, receive_key, local, remote):
        self.send_key, self.receive_key = send_key, receive_key
        self.local, self.remote = local, remote
        self.counter = 0

    def encrypt(self, packet=b"", counter=None, pad=True):
        """A transport message, a keepalive if the packet is empty. Without counter: the next one."""
        if counter is None:
            counter, self.counter = self.counter, self.counter + 1
        if pad:
            return reference.transport(self.send_key, self.remote, counter, packet)
        header = struct.pack("<IIQ", TRANSPORT, self.remote, counter)
        return header + reference.aead(self.send_key, counter, packet, b"")

    def decrypt(self, message):
        """The payload with its padding; InvalidTag if it is not authentic, KeyError if it is for another session."""
        kind, index, counter = struct.unpack_from("<IIQ", message)
        if kind != TRANSPORT or index != self.local:
            raise KeyError(f"not for this session: type {kind}, index {index:#x}")
        return reference.aead_open(self.receive_key, counter, message[16:], b"")


class Initiator:
    """One handshake that we start."""

    def __init__(self, own, responder, psk=NO_PSK, timestamp=None, cookie=None, ephemeral=None):
        self.own, self.psk, self.index = own, psk, new_index()
        self.ephemeral = ephemeral or new_key()
        self.handshake, message = reference.initiation(
            own, self.ephemeral, responder, timestamp or tai64n(time.time()), self.index)
        self.message = add_macs(message, responder, cookie)

    def finish(self, response):
        """The session that a response makes; InvalidTag if it is not authentic."""
        remote = reference.open_response(self.handshake, self.own, self.ephemeral, self.psk, response)
        ours, theirs = self.handshake.session()
        return Session(ours, theirs, self.index, remote)


class Responder:
    """One handshake that the other side starts: opens the initiation, then answers it."""

    def __init__(self, own, initiation):
        self.handshake, self.remote, self.ephemeral, self.initiator, self.timestamp = \
            reference.open_initiation(own, initiation)

    def respond(self, psk=NO_PSK, cookie=None, ephemeral=None):
        """The response and the session that it makes."""
        index = new_index()
        message = reference.response(self.handshake, ephemeral or new_key(), self.ephemeral, self.initiator, psk, index, self.remote)
        theirs, ours = self.handshake.session()
        return add_macs(message, self.initiator, cookie), Session(ours, theirs, index, self.remote)
