#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A flood of handshake initiations that a responder cannot tell from true ones before it has done a Curve25519
operation: mac1 is right, the source a different address every time. They come as fast as the machine can send them, in
bursts that put a responder under load (512 queued) for longer than the pause between them, and leave it room for
others (4096).

usage: flood.py ADDRESS:PORT PUBLIC-KEY [COUNT]
       flood.py PUBLIC-KEY

Says "ready" when it has all it needs, sends bursts of COUNT (default 700) from SIGUSR1 until SIGUSR2, and says "burst"
after each. The sources are in 198.18.0.0/15. With a key alone: prints one such message in hexadecimal digits, for who
floods by other means.
"""

import base64
import contextlib
import functools
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import wireguard as wg


def initiation(public):
    return wg.add_macs(struct.pack("<II", wg.INITIATION, 1) + os.urandom(108), public)


def packets(public, to, count=3500):
    """The flood, as IPv4 packets. The kernel fills in length, identification and checksum of the header; without UDP
    checksum."""
    datagram = struct.pack(">HHHH", 1024, to[1], 8 + 148, 0) + initiation(public)
    target = socket.inet_aton(to[0])
    return [struct.pack(">BBHHHBBH", 0x45, 0, 0, 0, 0, 64, socket.IPPROTO_UDP, 0)
            + struct.pack(">I", 0xC6120000 + 1 + i) + target + datagram for i in range(count)]


def send(flood, to, end, started=None):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.connect(to)
    while time.monotonic() < end:
        for packet in flood:
            try:
                raw.send(packet)
            except OSError:  # no room for more at present
                time.sleep(0.001)
        if started:
            started()
            started = None
        time.sleep(0.5)


@functools.cache
def softirq_threads():
    found = subprocess.run(("pgrep", "^ksoftirqd/"), check=True, capture_output=True, text=True)
    return [int(thread) for thread in found.stdout.split()]


@contextlib.contextmanager
def undisturbed():
    """Nobody else runs meanwhile, as long as this thread waits for nothing: what it sends arrives, and is not worked
    off."""
    # What is left to the threads of softirqs must not wait until the receiver may run, too.
    before = [(thread, os.sched_getscheduler(thread), os.sched_getparam(thread)) for thread in (*softirq_threads(), 0)]
    for thread, *_ in before:
        os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(2 if thread else 1))
    try:
        yield
    finally:
        for was in before:
            os.sched_setscheduler(*was)


class Flood:
    """The flood in a process of its own for as long as a with statement lasts, at most ten minutes."""

    def __init__(self, public, to, inside):
        self.packets, self.to, self.inside = packets(public, to), to, inside

    def __enter__(self):
        started, start = os.pipe()
        self.process = os.fork()
        if not self.process:
            with self.inside:
                send(self.packets, self.to, time.monotonic() + 600, lambda: os.write(start, b"x"))
            os._exit(0)
        os.read(started, 1)
        os.close(started)
        os.close(start)
        return self

    def pause(self):
        os.kill(self.process, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


def bursts(public, to, count):
    """Between SIGUSR1 and SIGUSR2 a burst at once and every half second, which keeps a device under load as that is
    held for a second. The pause is not longer because others run."""
    flood = packets(public, to, count)
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.connect(to)
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1, signal.SIGUSR2))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    print("ready", flush=True)
    while True:
        signal.sigwait((signal.SIGUSR1,))
        while True:
            with undisturbed():
                for packet in flood:
                    raw.send(packet)
            print("burst", flush=True)
            if signal.sigtimedwait((signal.SIGUSR2,), 0.5):
                break


def main(arguments):
    if len(arguments) == 1:
        print(initiation(base64.b64decode(arguments[0])).hex())
        return
    address, port = arguments[0].rsplit(":", 1)
    bursts(base64.b64decode(arguments[1]), (address, int(port)), *(int(count) for count in arguments[2:] or ("700",)))


if __name__ == "__main__":
    main(sys.argv[1:])
