# SPDX-License-Identifier: GPL-2.0
"""The device's timers (white paper, section 6) against a peer driven by hand. Hours of quiet: made for a VM with virtual
time, where all cases run side by side."""

import collections
import math
import os
import re
import struct
import time

import bench
import wireguard as wg
from bench import Device, Inner, Wire, check, equal

REKEY_AFTER, REJECT_AFTER, REKEY_ATTEMPT, REKEY_TIMEOUT, KEEPALIVE = 120, 180, 90, 5, 10
JITTER = 1 / 3
SLACK = 0.15  # seconds by which a busy VM may be late
HZ = 250  # of Debian's kernels, and of the debug kernel

Message = collections.namedtuple("Message", "time type bytes")


def collect(wire, start, end, every=None, action=None, stop=None):
    """Messages until end (seconds since start), with an action at regular times; or until one of type stop."""
    messages = []
    following = time.monotonic() - start
    while (now := time.monotonic() - start) < end:
        if action and now >= following:
            action()
            following += every
        message = wire.receive(min(end - now, following - now) if action else end - now)
        if message is not None:
            messages.append(Message(time.monotonic() - start, wg.message_type(message), message))
            if messages[-1].type == stop:
                break
    return messages


def sleep_until(start, seconds):
    time.sleep(max(0, start + seconds - time.monotonic()))


def types(messages):
    return [message.type for message in messages]


def late(delay):
    """Seconds by which a timer of the kernel may be late: a granule of the level of the timer wheel that it is in."""
    level = 0
    while delay * HZ >= 63 << 3 * level:
        level += 1
    return (1 << 3 * level) / HZ


def at(message, low, high, what, since=0):
    """A message came between low and high, seconds after since; high + as much as a timer may be late."""
    after = message.time - since
    check(low - 0.05 <= after <= high + late(high) + SLACK, f"{what} after {after:.2f} s instead of {low} to {high} s")


def regular(messages, low, high, what):
    for before, after in zip(messages, messages[1:]):
        at(after, low, high, f"{what} following one", before.time)


def within(message, low, high, what):
    """Likewise for what no timer brings but a message."""
    check(low - 0.05 <= message.time <= high + SLACK, f"{what} after {message.time:.2f} s instead of {low} to {high} s")


def initiated(number, **options):
    """A session that the device began, when it began, and both ends."""
    device = Device(number)
    wire, inner = Wire(device, **options), Inner(device)
    inner.send(wire.inner, b"first")
    wire.accept()
    start = time.monotonic()
    wire.gets_payload(b"first")
    wire.send_packet()
    return device, wire, inner, start


def responded(number):
    """A session that the peer began."""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    wire.connect()
    return device, wire, inner, time.monotonic()


def retries(number):
    """an initiation is repeated every 5 s and up to a third, anew each time, for 90 s; then the queue is purged"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    start = time.monotonic()
    inner.send(wire.inner, b"purged")
    messages = collect(wire, start, 150)
    equal(set(types(messages)), {wg.INITIATION}, "types of messages")
    gaps = [after.time - before.time for before, after in zip(messages, messages[1:])]
    regular(messages, REKEY_TIMEOUT, REKEY_TIMEOUT + JITTER, "initiation")
    # The first one also has what the kernel's timers are imprecise by.
    check(max(gaps[1:]) - min(gaps[1:]) > 0.2, f"no jitter: {gaps}")
    check(REKEY_ATTEMPT - 2 * REKEY_TIMEOUT <= messages[-1].time <= REKEY_ATTEMPT + 3 * REKEY_TIMEOUT,
          f"last one of {len(messages)} after {messages[-1].time} s")
    if bench.KIND == "nwg":
        equal(len(messages), REKEY_ATTEMPT // REKEY_TIMEOUT, "initiations")
    attempts = [wire.opens(message.bytes) for message in messages]
    equal(len({attempt.ephemeral for attempt in attempts}), len(messages), "ephemeral keys")
    stamps = [attempt.timestamp for attempt in attempts]
    check(all(before < after for before, after in zip(stamps, stamps[1:])), "timestamps do not rise")
    fine = math.gcd(*(struct.unpack_from(">I", stamp, 8)[0] for stamp in stamps))
    check(fine >= (1 << 24 if bench.KIND == "nwg" else 1000000), f"timestamps tell the time to {fine} ns")
    inner.send(wire.inner, b"kept")
    wire.accept()
    wire.gets_payload(b"kept")
    wire.gets_nothing("a purged queue")


def rekey(number):
    """an initiator makes a new session with the first data after 120 s, and loses nothing"""
    device, wire, inner, start = initiated(number)
    first = device.latest_handshake(wire.own.public)
    sent = 0

    def send():
        nonlocal sent
        sent += 1
        inner.send(wire.inner, b"%d" % sent)

    messages = collect(wire, start, 150, 1, lambda: (send(), wire.send_packet()), stop=wg.INITIATION)
    equal(messages[-1].type, wg.INITIATION, "last message")
    within(messages[-1], REKEY_AFTER, REKEY_AFTER + 1, "initiation")
    old = wire.session
    send()  # before the new session is there
    wire.answer(messages.pop().bytes)
    later = [message.bytes for message in collect(wire, start, 140, 1, lambda: (send(), wire.send_packet()))]
    payloads = [old.decrypt(message.bytes) for message in messages]
    keys = [old if wg.receiver_index(message) == old.local else wire.session for message in later]
    payloads += [key.decrypt(message) for key, message in zip(keys, later)]
    check(keys[-1] is wire.session, "the device does not send on the new session")
    got = [int(bench.udp_payload(payload)) for payload in payloads if payload]
    equal(got, list(range(1, sent + 1)), "payloads that arrived")
    check(device.latest_handshake(wire.own.public) - first in (119, 120, 121, 122), "latest-handshakes did not move on")


def rejects_after_180(number):
    """an initiator without an answer uses its session up to 180 s and then not; data waits for the next one"""
    device, wire, inner, start = initiated(number)
    sent = 0

    def send():
        nonlocal sent
        sent += 1
        inner.send(wire.inner, b"%d" % sent)

    old = wire.session
    messages = collect(wire, start, 190, 1, lambda: (send(), wire.send_packet(session=old)))
    data = [message for message in messages if message.type == wg.TRANSPORT]
    initiations = [message for message in messages if message.type == wg.INITIATION]
    within(initiations[0], REKEY_AFTER, REKEY_AFTER + 1, "first initiation")
    check(REJECT_AFTER - 1.5 <= data[-1].time <= REJECT_AFTER, f"last data after {data[-1].time:.2f} s")
    regular(initiations, REKEY_TIMEOUT, REKEY_TIMEOUT + JITTER, "initiation")
    messages = collect(wire, start, 200, stop=wg.INITIATION)
    wire.answer(messages[-1].bytes)
    got = [int(bench.udp_payload(wire.session.decrypt(message.bytes)))
           for message in collect(wire, start, time.monotonic() - start + 1)]
    equal(got, list(range(sent - len(got) + 1, sent + 1)), "packets that waited")
    check(9 <= len(got) <= 11, f"{len(got)} packets waited")


def responder_waits(number):
    """a responder begins no handshake before its session is 180 s old, then with the first data"""
    device, wire, inner, start = responded(number)
    messages = collect(wire, start, 190, 1, lambda: (inner.send(wire.inner, b"x"), wire.send_payload(b"y")),
                       stop=wg.INITIATION)
    equal(messages[-1].type, wg.INITIATION, "last message")
    within(messages[-1], REJECT_AFTER, REJECT_AFTER + 1, "initiation")
    check(messages[-2].time <= REJECT_AFTER, f"data after {messages[-2].time} s")


def receives_until_180(number):
    """what arrives on a session is accepted until it is 180 s old, not longer"""
    for make, offset in (responded, 0), (initiated, 100):
        _, wire, inner, start = make(number + offset)
        session = wire.session
        for when, accepted in (100, True), (178.5, True), (181, False), (300, False):
            sleep_until(start, when)
            wire.send_packet(bench.udp(wire.inner, wire.device.inner, b"x"), session=session)
            equal(bool(inner.receive(1)), accepted, f"accepted after {when} s")


def passive_keepalive(number):
    """a keepalive goes out 10 s after data came in with nothing to send; not after a keepalive"""
    _, wire, inner, _ = responded(number)
    start = time.monotonic()
    wire.send_payload(b"x")
    messages = collect(wire, start, 60)
    equal(types(messages), [wg.TRANSPORT], "types of messages after data")
    at(messages[0], KEEPALIVE, KEEPALIVE, "keepalive")
    equal(wire.session.decrypt(messages[0].bytes), b"", "payload of the keepalive")
    wire.send_packet()
    wire.gets_nothing("a keepalive", 30)
    start = time.monotonic()
    wire.send_payload(b"x")
    sleep_until(start, 4)
    wire.send_payload(b"x")
    sleep_until(start, 8)
    inner.send(wire.inner, b"answer")
    messages = collect(wire, start, 14)
    equal(types(messages), [wg.TRANSPORT], "types of messages when data answers data")
    equal(bench.udp_payload(wire.session.decrypt(messages[0].bytes)), b"answer", "payload")
    wire.send_packet()  # or a handshake would follow
    start = time.monotonic()
    messages = collect(wire, start, 60, 3, lambda: time.monotonic() - start < 20 and wire.send_payload(b"x"))
    check(len(messages) in (2, 3) and set(types(messages)) == {wg.TRANSPORT}, f"after 20 s of data: {messages}")
    at(messages[0], 10, 10, "first keepalive")
    at(messages[1], 10, 10 + 3, "second keepalive", messages[0].time)


def no_answer(number):
    """15 s after data went out and nothing came back, a new handshake begins; anything authentic counts as answer"""
    device, wire, inner, _ = responded(number)
    start = time.monotonic()
    inner.send(wire.inner, b"x")
    sleep_until(start, 14)
    wire.send_packet()
    messages = collect(wire, start, 60)
    equal(types(messages), [wg.TRANSPORT], "types of messages after data and a keepalive")
    start = time.monotonic()
    inner.send(wire.inner, b"x")
    messages = collect(wire, start, 30, stop=wg.INITIATION)
    equal(types(messages), [wg.TRANSPORT, wg.INITIATION], "types of messages after data without an answer")
    at(messages[1], 15, 15 + JITTER, "initiation")
    wire.answer(messages[1].bytes)
    equal(wire.gets_packet(), b"", "payload of the confirmation")


def refresh_on_receive(number):
    """an initiator that gets data on a session older than 165 s begins a new one; a responder does not"""
    device, wire, inner, start = initiated(number)
    sleep_until(start, 150)
    wire.send_packet()  # not data, and too early
    sleep_until(start, 163)
    wire.send_payload(b"x")  # data, but too early
    equal(types(collect(wire, start, 166)), [], "types of messages after data at 163 s")
    wire.send_payload(b"x")
    messages = collect(wire, start, 170)
    equal(types(messages)[0], wg.INITIATION, "type of message after data at 166 s")
    within(messages[0], 166, 166, "initiation")
    _, wire, _, start = responded(number + 100)
    sleep_until(start, 166)
    wire.send_payload(b"x")
    messages = collect(wire, start, 179)
    equal(types(messages), [wg.TRANSPORT], "types of messages of the responder")


def silent_session(number):
    """a session without traffic is silent, however long; afterwards data makes a new one"""
    for make, offset in (responded, 0), (initiated, 100):
        _, wire, inner, start = make(number + offset)
        wire.send_packet()
        equal(types(collect(wire, start, 600)), [], "types of messages")
        inner.send(wire.inner, b"late")
        wire.accept()
        wire.gets_payload(b"late")


def persistent_again(number):
    """persistent keepalives: who sets the same interval again puts off none"""
    device, wire, _, _ = initiated(number)
    messages = collect(wire, time.monotonic(), 65, every=10, action=lambda: device.set_peer(
        wire.own.public, "persistent-keepalive", "25"))
    equal(types(messages), [wg.TRANSPORT] * 3, "types of messages")
    regular(messages, 25, 25, "keepalive")


def persistent_keepalive(number):
    """persistent keepalives: one interval apart, put off by traffic, over all sessions, until switched off"""
    device, wire, inner, _ = initiated(number)
    start = time.monotonic()
    device.set_peer(wire.own.public, "persistent-keepalive", "25")
    is_set = time.monotonic() - start
    messages = collect(wire, start, 111)
    equal([(message.type, len(message.bytes)) for message in messages], [(wg.TRANSPORT, 32)] * 5, "keepalives")
    at(messages[0], 0, is_set, "first keepalive")
    regular(messages, 25, 25, "keepalive")
    wire.send_packet()  # puts the next one off
    mark = time.monotonic() - start
    messages = collect(wire, start, 160, stop=wg.TRANSPORT)
    at(messages[0], 25, 25, "keepalive after traffic", mark)
    messages = collect(wire, start, 200, stop=wg.INITIATION)
    if messages and messages[-1].type == wg.INITIATION:
        wire.answer(messages[-1].bytes)
        wire.gets_packet()
    device.set_peer(wire.own.public, "persistent-keepalive", "0")
    mark = time.monotonic() - start
    equal(types(collect(wire, start, mark + 100)), [], "types of messages after switching off")


def keepalive_revives(number):
    """persistent keepalives bring a session back when the peer was away longer than all retries"""
    device = Device(number)
    wire = Wire(device)
    device.set_peer(wire.own.public, "persistent-keepalive", "25")
    start = time.monotonic()
    messages = collect(wire, start, 400)
    equal(set(types(messages)), {wg.INITIATION}, "types of messages")
    check(messages[-1].time > 300, f"last initiation after {messages[-1].time} s")
    wire.accept(100)
    equal(wire.gets_packet(), b"", "payload of the confirmation")


def initiator_cookie(number):
    """a cookie reply is heeded in the next initiation, not at once, and for 115 s; a forged one is not"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    cookie = os.urandom(16)
    inner.send(wire.inner, b"x")
    first = wire.gets(wg.INITIATION)
    equal(wg.mac2_of(first), bytes(16), "mac2 without a cookie")
    wire.send(wg.cookie_reply(first[:-32] + bytes(32), wire.own.public, os.urandom(16)))  # another mac1
    wire.send(wg.cookie_reply(first, wg.new_key().public, os.urandom(16)))  # another responder
    second = wire.gets(wg.INITIATION)
    equal(wg.mac2_of(second), bytes(16), "mac2 after a forged cookie reply")
    wire.send(wg.cookie_reply(first, wire.own.public, os.urandom(16)))  # to an earlier initiation
    third = wire.gets(wg.INITIATION)
    equal(wg.mac2_of(third), bytes(16), "mac2 after a cookie reply to an earlier initiation")
    start = time.monotonic()
    wire.send(wg.cookie_reply(third, wire.own.public, cookie))
    messages = collect(wire, start, 150, 20, lambda: inner.send(wire.inner, b"x"))
    equal(set(types(messages)), {wg.INITIATION}, "types of messages")
    at(messages[0], REKEY_TIMEOUT, REKEY_TIMEOUT + JITTER, "first initiation with a cookie")
    for message in messages:
        if message.time < 115 - 1:
            check(wg.mac2_valid(message.bytes, cookie), f"mac2 after {message.time:.1f} s is not made with the cookie")
        elif message.time > 115 + 1:
            equal(wg.mac2_of(message.bytes), bytes(16), f"mac2 after {message.time:.1f} s")
    check(messages[-1].time > 125, "no initiation after 125 s")
    wire.accept()
    wire.gets_payload(b"x")


def erasure(number):
    """the keys of a session are wiped after 540 s without a new one"""
    device, wire, inner, start = initiated(number)
    sleep_until(start, 100)
    wire.send_payload(b"x")
    sleep_until(start, 530)
    equal(keypairs_destroyed(device), 0, "keypairs destroyed after 530 s")
    sleep_until(start, 540 + late(540) + 1)
    equal(keypairs_destroyed(device), 1, "keypairs destroyed after 540 s and what a timer may be late")
    wire.drain()
    inner.send(wire.inner, b"again")
    wire.accept()
    wire.gets_payload(b"again")
    equal(keypairs_destroyed(device), 1, "keypairs destroyed after the next handshake")
    device.set_peer(wire.own.public, "remove")
    bench.wait_until(lambda: keypairs_destroyed(device) == 2, "the keypair did not go with its peer")


def retired(number):
    """the keys of a session that is too old are wiped when there is a new one, whoever begins it, confirmed or not"""
    for make, offset, confirm in (initiated, 0, None), (responded, 100, True), (responded, 150, False):
        device, wire, inner, start = make(number + offset)
        sleep_until(start, REJECT_AFTER + 1)
        if make is initiated:
            inner.send(wire.inner, b"x")
            wire.accept()
            wire.gets_payload(b"x")
        else:
            wire.connect(confirm=confirm)
        old_is_gone(device)
    # One that is there in time, and confirmed when the one before is too old.
    device, wire, _, start = responded(number + 200)
    sleep_until(start, REJECT_AFTER - 2)
    wire.connect(confirm=False)
    sleep_until(start, REJECT_AFTER + 1)
    wire.send_packet()
    old_is_gone(device)


def old_is_gone(device):
    if bench.KIND == "nwg":
        bench.wait_until(lambda: keypairs_destroyed(device) == 1, "the old keypair is still there")


def keypairs_destroyed(device):
    """As the kernel's log tells at debug level. (That one was made it may leave out: those lines are rate-limited.)"""
    return len(re.findall(rf"{device.name}: Keypair \d+ destroyed", bench.run("dmesg")))


CASES = [
    retries, rekey, rejects_after_180, responder_waits, receives_until_180, passive_keepalive, no_answer,
    refresh_on_receive, silent_session, persistent_keepalive, persistent_again, keepalive_revives, initiator_cookie, erasure,
    retired,
]
