#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Events of family nwg, in the network namespace that it runs in:

events.py listen        print each as a line of JSON, once "ready" is said on standard error
events.py ordered FILE  whether those lines can be what happened
events.py lost PORT     who has no room for those of the relay on PORT is told so, and hears what follows
events.py refused       who may not listen

Needs root. Ends with 0 if all is as it has to be."""

import base64
import contextlib
import errno
import json
import socket
import struct
import sys

import genl
from processes import CLONE_NEWUSER, become_namespace_root, become_nobody, in_child
from report import check, equal
from spec import Spec

SPEC = Spec("nwg")
NAMES = {entry["value"]: name for name, entry in SPEC.ops.items() if "event" in entry}
SO_RCVBUFFORCE = 33


def endpoint(raw):
    """A struct sockaddr_in or sockaddr_in6 as text."""
    family, port = struct.unpack_from("=H", raw)[0], struct.unpack_from("!H", raw, 2)[0]
    start, length = (4, 4) if family == socket.AF_INET else (8, 16)
    address = socket.inet_ntop(family, raw[start:start + length])
    return f"{address}:{port}" if family == socket.AF_INET else f"[{address}]:{port}"


def plain(name, value):
    """What JSON can have."""
    if isinstance(value, dict):
        return {key.replace("-", "_"): plain(key, entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(name, entry) for entry in value]
    if isinstance(value, bytes):
        return endpoint(value) if name == "endpoint" else base64.b64encode(value).decode()
    return value


def event(sock, message):
    """What a message says, by name."""
    equal(message.kind, sock.family, "family of a message")
    command = message.body[0]
    check(command in NAMES, f"command {command} is no event")
    operation = SPEC.ops[NAMES[command]]
    attributes = SPEC.decode(operation["attribute-set"], message.body[genl.GENL_HEADER:])
    odd = set(attributes) - set(operation["event"]["attributes"])
    check(not odd, f"{NAMES[command]} with {odd}")
    return {"event": NAMES[command].removesuffix("-ntf")} | plain(None, attributes)


def listen():
    with genl.Socket("nwg") as sock:
        sock.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        sock.socket.settimeout(None)
        sock.join("events")
        print("ready", file=sys.stderr, flush=True)
        while True:
            for message in sock.receive():
                print(json.dumps(event(sock, message)), flush=True)


def ordered(path):
    """Each flow begins, may be established, and ends, and its relay outlives it; pressure comes and
    goes. The first relay was there before."""
    flows, gone, pressed = {}, set(), {}
    with open(path, encoding="ascii") as lines:
        told = [json.loads(line) for line in lines]
    check(told, "nothing was told")
    for entry in told:
        relay = entry["ifname"], entry.get("listen_port")
        kind, _, what = entry["event"].partition("-")
        if kind == "flow":
            check(relay not in gone, f"its relay has gone: {entry}")
            flow = *relay, entry["client_ip4"], entry["client_port"], entry["local_ip4"]
            before, now = flows.pop(flow, None), entry["state"]
            right = {"begin": before is None and now in ("new", "tentative"),
                     "state": before in ("new", "tentative") and now == "established",
                     "mtu": before == now and "mtu" in entry,
                     "end": before == now}
            check(right[what], f"{before} before: {entry}")
            check(("end" in entry) == (what == "end"), f"{entry}")
            if what != "end":
                flows[flow] = now
        elif what == "new":
            gone.discard(relay)
        elif what == "del":
            gone.add(relay)
            pressed.pop(relay, None)
            check(not [flow for flow in flows if flow[:2] == relay], f"with flows: {entry}")
        elif what == "pressure":
            check(pressed.get(relay, 0) != entry["pressed"], f"nothing has changed: {entry}")
            pressed[relay] = entry["pressed"]


def lost(port):
    def change(max_flows):
        SPEC.ask(asks, "relay-set", listen_port=port, max_flows=max_flows)

    def told():
        message, = listens.receive()
        return event(listens, message)["max_flows"]

    with genl.Socket("nwg") as asks, genl.Socket("nwg") as listens:
        listens.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        listens.socket.settimeout(0)
        listens.join("events")
        changes = list(range(5000, 5010))
        for max_flows in changes:
            change(max_flows)
        try:
            told()
        except OSError as error:
            equal(errno.errorcode[error.errno], "ENOBUFS", "error")
        else:
            check(False, "nothing says that events were lost")
        there = []
        with contextlib.suppress(BlockingIOError):
            while True:
                there.append(told())
        check(there and there == changes[:len(there)] != changes, f"there was room for {there}")
        change(6000)
        equal(told(), 6000, "the first once there is room again")
        change(4096)


def join():
    with genl.Socket("nwg") as sock:
        sock.join("events")


def denied():
    with contextlib.suppress(PermissionError):
        join()
        check(False, "permitted")


def refused():
    def nobody(_):
        become_nobody()
        denied()

    def root_elsewhere(_):
        become_namespace_root(CLONE_NEWUSER)
        denied()

    def root_of_both(_):
        become_namespace_root()
        join()

    join()
    for work in (nobody, root_elsewhere, root_of_both):
        in_child(work)


def main():
    match sys.argv[1:]:
        case ["listen"]:
            with contextlib.suppress(KeyboardInterrupt):
                listen()
        case ["ordered", path]:
            ordered(path)
        case ["lost", port]:
            lost(int(port))
        case ["refused"]:
            refused()
        case _:
            sys.exit(__doc__)


main()
