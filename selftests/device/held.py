# SPDX-License-Identifier: GPL-2.0
"""A CPU has just sent for a peer of wga's, at 10.7.0.2, and is a real-time program's from then on: it gets to nothing
more. What another sends until that one's turn is over, a tenth of a second, fills the peer's queue. Then the other
sends what waits, and what it has itself.

usage: held.py [alone]

With "alone" the other becomes such a program, too, when the queue is full: no work of its CPU's goes on with what it
does not send at once, so that it has to when it sends again.

Exit status: 0 so it is, 1 it is not, 3 the kernel lets others run beside such a program, 4 the queue was not full in
time."""

import os
import signal
import socket
import sys
import time

PEER = "10.7.0.2", 9
UDP_SEGMENT, SO_SNDBUFFORCE = 103, 32
STATISTICS = "/sys/class/net/wga/statistics/"
TURN = 0.1  # STICKY of transport/send.c
BURSTS, SEGMENTS, SIZE = 30, 64, 16
LATER = 20
OTHERS_RUN, SLOW = 3, 4


def count(name):
    with open(STATISTICS + name, encoding="ascii") as file:
        return int(file.read())


def compute(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def keep_cpu(sender, told):
    """Send one datagram by a CPU and compute on it; ends when it is killed."""
    os.sched_setaffinity(0, {1})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    sender.sendto(b"first", PEER)
    os.write(told, b".")
    compute(20)
    os._exit(1)


def fill(sender):
    """Send more than the queue holds."""
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    for _ in range(BURSTS):
        sender.sendto(bytes(SEGMENTS * SIZE), PEER)
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)


def send_later(sender, left):
    """Send more, while others on this CPU run. Returns how much."""
    before = left()
    for _ in range(LATER):
        sender.sendto(b"later", PEER)
    if left() - before <= LATER:
        sys.exit(f"{left() - before} sent at once, of those that waited none")
    end = time.monotonic() + 5
    while left() < BURSTS * SEGMENTS + LATER and time.monotonic() < end:
        time.sleep(0.01)
    return LATER


def send_alone(sender, left):
    """Send more, a turn between each, while no others run. Returns how much."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    try:
        for number in range(1, LATER + 1):
            before = left()
            sender.sendto(b"later", PEER)
            if left() == before:
                sys.exit(f"nothing sent with datagram {number}")
            if left() == BURSTS * SEGMENTS + number:
                break
            compute(2 * TURN)
        if number == 1:
            sys.exit("the first sent all that waited: nothing was left for a work")
        return number
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def attempt(sender, send_more):
    """Whether all was as it should be, or why that cannot be said."""
    time.sleep(2 * TURN)
    readable, told = os.pipe()
    start = time.monotonic()
    keeper = os.fork()
    if not keeper:
        keep_cpu(sender, told)
    os.close(told)
    try:
        if not os.read(readable, 1):
            sys.exit("no program keeps a CPU for itself")
        sent, dropped = count("tx_packets"), count("tx_dropped")
        fill(sender)
        sent_early, dropped_early = count("tx_packets") - sent, count("tx_dropped") - dropped
        if time.monotonic() - start >= TURN:
            return SLOW
        if sent_early or not dropped_early:
            sys.exit(f"{sent_early} sent and {dropped_early} dropped before the turn was over")
        time.sleep(2 * TURN)
        # Some kernels do once a second.
        if count("tx_packets") != sent:
            return OTHERS_RUN

        def left():
            return count("tx_packets") - sent + count("tx_dropped") - dropped

        handed = BURSTS * SEGMENTS + send_more(sender, left)
        if left() < handed:
            sys.exit(f"{left()} of {handed} sent or dropped in the end")
        print(f"{count('tx_packets') - sent} sent")
        return 0
    finally:
        os.close(readable)
        os.kill(keeper, signal.SIGKILL)
        _, status = os.waitpid(keeper, 0)
        if not os.WIFSIGNALED(status):
            sys.exit("the program that keeps a CPU did not do so to the end")


def main():
    send_more = {(): send_later, ("alone",): send_alone}.get(tuple(sys.argv[1:]))
    if not send_more:
        sys.exit(__doc__)
    os.sched_setaffinity(0, {0})
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    for _ in range(10):
        status = attempt(sender, send_more)
        if not status:
            break
    sys.exit(status)


main()
