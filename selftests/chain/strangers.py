#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Clients of a relay that the home does not know, each at an address of its own. They show the cookies that they are
given, so that the home finds out only after a Curve25519 operation that there is nobody to talk to.

usage: strangers.py RELAY-ADDRESS PORT RESPONDER-PUBLIC-KEY RATE FROM-ADDRESS...
Each sends RATE initiations per second. Says "ready" when all have a cookie, and for a second nobody was given one.
"""

import base64
import pathlib
import select
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "device"))
import wireguard as wg  # noqa: E402
from flood import initiation  # noqa: E402

QUIET = 1


class Stranger:
    def __init__(self, address, relay, responder):
        self.responder, self.message = responder, initiation(responder)
        self.shows = False
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((address, 0))
        self.sock.connect(relay)

    def send(self):
        self.sock.send(self.message)

    def receive(self):
        """A cookie, which is shown from now on."""
        cookie = wg.open_cookie_reply(self.sock.recv(2048), self.message, self.responder)
        self.message = wg.add_macs(self.message[:-32], self.responder, cookie)
        self.shows = True


def main():
    relay, responder = (sys.argv[1], int(sys.argv[2])), base64.b64decode(sys.argv[3])
    strangers = [Stranger(address, relay, responder) for address in sys.argv[5:]]
    by_socket = {stranger.sock: stranger for stranger in strangers}
    pause = 1 / float(sys.argv[4]) / len(strangers)
    due = told = time.monotonic()
    ready = False
    while True:
        for stranger in strangers:
            stranger.send()
            due += pause
            while True:
                found, _, _ = select.select(by_socket, (), (), max(0, due - time.monotonic()))
                if not found:
                    break
                for sock in found:
                    by_socket[sock].receive()
                told = time.monotonic()
        if not ready and all(stranger.shows for stranger in strangers) and time.monotonic() - told > QUIET:
            print("ready", flush=True)
            ready = True


if __name__ == "__main__":
    main()
