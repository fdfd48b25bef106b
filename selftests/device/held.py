# SPDX-License-Identifier: GPL-2.0
"""A CPU has just sent for a peer of wga's, at 10.7.0.2, and is a real-time program's from then on: it gets to nothing
more. What another sends until that one's turn is over, a tenth of a second, fills the peer's queue. Then the other
sends what waits, and what it has itself.

Exit status: 0 so it is, 1 it is not, 4 the queue was not full in time."""

import os
import signal
import socket
import sys
import time

PEER = "10.7.0.2", 9
UDP_SEGMENT, SO_SNDBUFFORCE = 103, 32
STATISTICS = "/sys/class/net/wga/statistics/"
TURN = 0.1
SEGMENTS, SIZE = 64, 16
LATER = 20


def count(name):
    with open(STATISTICS + name, encoding="ascii") as file:
        return int(file.read())


def keep_cpu(sender, told):
    """Send one datagram by a CPU and compute on it; ends when it is killed."""
    os.sched_setaffinity(0, {1})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    sender.sendto(b"first", PEER)
    os.write(told, b".")
    end = time.monotonic() + 10
    while time.monotonic() < end:
        pass
    os._exit(1)


def sent_later(sender):
    """How much is sent when more comes after the turn; None if the queue was not full before that."""
    time.sleep(2 * TURN)
    began, told = os.pipe()
    keeper = os.fork()
    if not keeper:
        keep_cpu(sender, told)
    os.close(told)
    try:
        if not os.read(began, 1):
            sys.exit("no program keeps a CPU for itself")
        sent, dropped = count("tx_packets"), count("tx_dropped")
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
        for _ in range(30):
            sender.sendto(bytes(SEGMENTS * SIZE), PEER)
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
        time.sleep(2 * TURN)
        # Some kernels let others run once a second, also with such a program.
        if count("tx_packets") != sent or count("tx_dropped") == dropped:
            return None
        for _ in range(LATER):
            sender.sendto(b"later", PEER)
        return count("tx_packets") - sent
    finally:
        os.close(began)
        os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)


def main():
    os.sched_setaffinity(0, {0})
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    for _ in range(10):
        sent = sent_later(sender)
        if sent is not None:
            print(f"{sent} sent")
            sys.exit(sent <= LATER)
    sys.exit(4)


main()
