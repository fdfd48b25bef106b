# SPDX-License-Identifier: GPL-2.0
"""Keys that are not to be used any more are gone: from use, and from memory. How memory is looked
at: memory.py."""

import os
import pathlib
import sys
import time

import bench
import wireguard as wg
from bench import Device, Inner, Wire, check, equal
from memory import apart, disguise, search, search_private
from wireguard import reference

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "netlink"))
import genl  # noqa: E402

DATA = b"erase"
NO_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
SLACK = 9 / 8  # of a kernel timer


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="ascii")


def sleep(state):
    """Go to sleep as far as to where all processes are frozen, and come back."""
    write("/sys/module/suspend/parameters/pm_test_delay", "0")
    write("/sys/power/pm_test", "freezer")
    try:
        with bench.paced:
            write("/sys/power/state", state)
    finally:
        write("/sys/power/pm_test", "none")


# From use


def slept(number, state):
    for initiates in False, True:
        device = Device(number + 100 * initiates)
        wire, inner = Wire(device), Inner(device)
        if initiates:
            inner.send(wire.inner, DATA)
            wire.accept()
            wire.gets_payload(DATA)
        else:
            wire.connect()
        wire.send_payload(DATA)
        inner.gets(DATA)
        sleep(state)
        wire.send_payload(DATA)
        inner.gets_nothing("what came on the session from before")
        inner.send(wire.inner, DATA)
        wire.accept()
        wire.gets_payload(DATA)
        wire.send_payload(DATA)
        inner.gets(DATA)


def suspended(number):
    """suspend: the session is not used any more, and the next packet makes a new one"""
    slept(number, "mem")


def hibernated(number):
    """hibernation: the session is not used any more, and the next packet makes a new one"""
    slept(number, "disk")


def half_a_handshake(number):
    """suspend: a handshake under way is not completed but begun anew"""
    device = Device(number)
    wire, inner = Wire(device), Inner(device)
    inner.send(wire.inner, DATA)
    first = wire.gets(wg.INITIATION)
    sleep("mem")
    wire.send(wire.opens(first).respond()[0])
    # At once, or when it is time to try again.
    anew = wire.gets(wg.INITIATION)
    wire.gets_nothing("the response to an initiation from before")
    wire.answer(anew)
    wire.gets_payload(DATA)


# From memory


def recorded():
    """The list of all that is computed in handshakes from now on in this process."""
    made = []
    kdf, dh = reference.kdf, reference.Key.dh

    def recording_kdf(*arguments):
        made.extend(results := kdf(*arguments))
        return results

    def recording_dh(*arguments):
        made.append(result := dh(*arguments))
        return result

    reference.kdf, reference.Key.dh = recording_kdf, recording_dh
    return made


def disguised(secrets):
    return {name: disguise(secret) for name, secret in secrets.items()}


def keyed(device):
    """A peer with a preshared key, and the keys that last."""
    device.set_key(wg.new_key())
    wire = Wire(device, psk=os.urandom(32))
    return wire, {"private": device.own.private, "preshared": wire.psk,
                  "static": wire.own.dh(device.own.public)}


def handshakes(device, initiates, count):
    """Sessions, one after the other, and all the secrets of them."""
    wire, secrets = keyed(device)
    inner, made = Inner(device), recorded()
    for number in range(1, count + 1):
        if initiates:
            inner.send(wire.inner, DATA)
            wire.accept()
            wire.gets_payload(DATA)
        else:
            wire.connect()
            time.sleep(0.1)  # or the next initiation would come too soon
        secrets |= {f"send {number}": wire.session.receive_key,
                    f"receive {number}": wire.session.send_key}
    known = set(secrets.values())
    secrets |= {f"handshake {place}": secret for place, secret in enumerate(made)
                if secret not in known}
    return disguised(secrets)


def session_and_half(device):
    """A session, and a handshake that the device began, then gave up, so that it stays as it is."""
    wire, secrets = keyed(device)
    inner = Inner(device)
    wire.connect()
    secrets |= {"send": wire.session.receive_key, "receive": wire.session.send_key}
    inner.send(wire.inner, DATA)
    wire.gets_payload(DATA)
    while (message := wire.receive(30)) is not None:
        attempt = wire.opens(message)
    secrets["chain"] = attempt.handshake.c
    return wire.own.public, attempt.ephemeral, disguised(secrets)


LASTING = {"private", "preshared", "static"}
SESSION = {"send", "receive"}
HALF = {"chain", "ephemeral"}
# After another private key was set the stock module uses no session any more, but keeps its keys.
OF_ENDED_SESSION = SESSION if bench.KIND == "wireguard" else set()


def left(number, event, wanted):
    """What is left after an event."""
    device = Device(number, key=False)
    peer, ephemeral, secrets = apart(session_and_half, device)
    private = search_private(ephemeral, secrets["chain"])
    check(private, "the ephemeral key of a handshake under way is not found")
    secrets["ephemeral"] = private[1:31]  # also as it was before it was clamped
    event(device, peer)
    equal(search(secrets), wanted, "keys in memory")


def in_use(number):
    """memory: with a session its keys are there, and nothing of the handshake that made it"""
    for initiates in False, True:
        device = Device(number + 100 * initiates, key=False)
        secrets = apart(handshakes, device, initiates, 1)
        check(len(secrets) > 15, f"only {list(secrets)} are known")
        equal(search(secrets), LASTING | {"send 1", "receive 1"}, "keys in memory")


def third_session(number):
    """memory: the third session leaves nothing of the first"""
    device = Device(number, key=False)
    secrets = apart(handshakes, device, False, 3)
    equal(search(secrets), LASTING | {"send 2", "receive 2", "send 3", "receive 3"},
          "keys in memory")


def deleted(number):
    """memory: a deleted interface leaves nothing"""
    left(number, lambda device, _: device.delete(), set())


def peer_removed(number):
    """memory: a removed peer leaves nothing"""
    left(number, lambda device, peer: device.set_peer(peer, "remove"), {"private"})


def private_replaced(number):
    """memory: a replaced private key leaves nothing, nor do its sessions"""
    left(number, lambda device, _: device.set_key(wg.new_key()),
         {"preshared"} | OF_ENDED_SESSION)


def private_removed(number):
    """memory: a removed private key leaves nothing, nor do its sessions"""
    left(number, lambda device, _: device.set("private-key", "/dev/stdin", stdin=NO_KEY + "\n"),
         {"preshared"} | OF_ENDED_SESSION)


def preshared_replaced(number):
    """memory: a replaced preshared key leaves nothing"""
    left(number, lambda device, peer: device.set_psk(peer, os.urandom(32)),
         {"private", "static"} | SESSION | HALF)


def new_initiation(number):
    """memory: the next handshake leaves nothing of one that was given up"""
    def initiate(device, _):
        Inner(device).send(f"10.77.{number}.2", DATA)
        time.sleep(20)  # 15 s without an answer

    left(number, initiate, LASTING | SESSION)


def link_down(number):
    """memory: an interface that is down has neither session nor ephemeral keys"""
    left(number, lambda device, _: device.link("down"), LASTING)


def silence(number):
    """memory: 540 s after the last session session and ephemeral keys are gone"""
    left(number, lambda *_: time.sleep(540 * SLACK + 1), LASTING)


def suspend_memory(number):
    """memory: neither session nor ephemeral keys stay through a suspend"""
    left(number, lambda *_: sleep("mem"), LASTING)


def hibernate_memory(number):
    """memory: neither session nor ephemeral keys stay through a hibernation"""
    left(number, lambda *_: sleep("disk"), LASTING)


def requests_with_keys(device):
    """Keys in requests that the module carries out or refuses; what the policy refuses does not come
    to it. None is kept as it came: private keys are clamped. The public key is no secret: where it is
    found, keys that were not wiped would be. Requests are of several sizes, as memory that is soon in
    use again is overwritten."""
    names = "carried out", "private", "preshared", "without peer", "public"
    secrets = {name: b"\xff" + os.urandom(31) for name in names}
    preshared = {name: genl.attr(genl.P_PRESHARED_KEY, secret) for name, secret in secrets.items()}

    def refused(*request):
        try:
            genl.set_device(*request)
        except genl.Refused:
            return
        raise bench.Failed("the request was not refused")

    with bench.inside(bench.NS_A), genl.Socket(bench.KIND) as socket:
        genl.set_device(socket, device.name,
                        genl.attr(genl.PRIVATE_KEY, secrets["carried out"]))
        for peers in 40, 1, 2, 4, 8, 16:
            refused(socket, "nosuch", genl.attr(genl.PRIVATE_KEY, secrets["private"]),
                    genl.nest(genl.PEERS,
                              *peers * [genl.peer(secrets["public"], preshared["preshared"])]))
        refused(socket, device.name, genl.nest(genl.PEERS, genl.nest(0, preshared["without peer"])))
    return disguised(secrets)


def requests(number):
    """memory: requests leave no keys, whether the module carries them out or refuses them"""
    device = Device(number, key=False)
    equal(search(apart(requests_with_keys, device)), {"public"}, "keys in memory")


CASES = [
    suspended, hibernated, half_a_handshake, in_use, third_session, new_initiation,
    preshared_replaced, private_replaced, private_removed, peer_removed, link_down, deleted,
    silence, suspend_memory, hibernate_memory, requests,
]
