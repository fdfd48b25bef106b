#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Print the known-answer vectors of the unit tests, the same ones each time."""

import struct

import reference as ref
from reference import material


def number(label):
    return struct.unpack("<I", material(label, 4))[0]


def index(value):
    return struct.pack("<I", value)


def handshake(name, psk):
    initiator, responder = ref.Key(material(f"{name} Si")), ref.Key(material(f"{name} Sr"))
    ei, er = ref.Key(material(f"{name} Ei")), ref.Key(material(f"{name} Er"))
    timestamp = material(f"{name} timestamp", 12)
    i, r = number(f"{name} i"), number(f"{name} r")

    hs, first = ref.initiation(initiator, ei, responder.public, timestamp, i)
    server, sender, seen_ei, seen_si, seen_timestamp = ref.open_initiation(responder, first)
    assert (sender, seen_ei, seen_si, seen_timestamp) == (i, ei.public, initiator.public, timestamp)
    second = ref.response(server, er, seen_ei, seen_si, psk, r, sender)
    assert ref.open_response(hs, initiator, ei, psk, second) == r
    to_responder, to_initiator = hs.session()
    assert server.session() == [to_responder, to_initiator]

    packet = material(f"{name} packet", 52)
    ref.print_case(
        "handshake",
        initiator_private=material(f"{name} Si"),
        initiator_public=initiator.public,
        initiator_ephemeral=material(f"{name} Ei"),
        initiator_index=index(i),
        responder_private=material(f"{name} Sr"),
        responder_public=responder.public,
        responder_ephemeral=material(f"{name} Er"),
        responder_index=index(r),
        preshared=psk,
        timestamp=timestamp,
        initiation=ref.add_macs(first, responder.public),
        response=ref.add_macs(second, initiator.public),
        from_initiator=to_responder,
        from_responder=to_initiator,
        packet=packet,
        transport=ref.transport(to_responder, r, 1, packet),
    )


def cookie(name, address, port):
    replier, sender = ref.Key(material(f"{name} Sr")), number(f"{name} i")
    secret, nonce = material(f"{name} secret"), material(f"{name} nonce", 24)
    source = bytes(map(int, address.split("."))) if "." in address else bytes.fromhex(address)
    value = ref.mac(secret, source + struct.pack(">H", port))
    body = struct.pack("<II", 1, sender) + material(f"{name} message", 108)
    first = ref.add_macs(body, replier.public)
    ref.print_case(
        "cookie",
        replier_public=replier.public,
        mac1_key=ref.blake2s(ref.LABEL_MAC1 + replier.public),
        reply_key=ref.blake2s(ref.LABEL_COOKIE + replier.public),
        secret=secret,
        address=source,
        port=struct.pack(">H", port),
        cookie=value,
        first=first,
        nonce=nonce,
        reply=ref.cookie_reply(value, first[116:132], sender, nonce, replier.public),
        second=ref.add_macs(body, replier.public, value),
    )


def low_order(point):
    """What somebody who sends a point of low order counts on: each DH with it is zero."""
    initiator, responder = ref.Key(material("low Si")), ref.Key(material("low Sr"))
    ei, er = ref.Key(material("low Ei")), ref.Key(material("low Er"))
    bad = ref.Key(material("low bad"), point)
    timestamp = material("low timestamp", 12)

    _, bad_ephemeral = ref.initiation(initiator, bad, responder.public, timestamp, 1)
    _, bad_static = ref.initiation(bad, ei, responder.public, timestamp, 1)
    hs, _ = ref.initiation(initiator, ei, responder.public, timestamp, 1)
    bad_response = ref.response(hs, bad, ei.public, initiator.public, ref.NO_PSK, 2, 1)
    ref.print_case(
        "low_order",
        point=point,
        initiator_private=material("low Si"),
        initiator_ephemeral=material("low Ei"),
        responder_private=material("low Sr"),
        responder_ephemeral=material("low Er"),
        timestamp=timestamp,
        bad_ephemeral=ref.add_macs(bad_ephemeral, responder.public),
        bad_static=ref.add_macs(bad_static, responder.public),
        bad_response=ref.add_macs(bad_response, initiator.public),
    )


for n in range(4):
    handshake(f"plain {n}", ref.NO_PSK)
    handshake(f"psk {n}", material(f"psk {n} Q"))
cookie("cookie v4", "192.0.2.7", 51820)
cookie("cookie v6", "20010db8000000000000000000000007", 60000)
for low in ref.LOW_ORDER:
    low_order(low)
