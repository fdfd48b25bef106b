# SPDX-License-Identifier: GPL-2.0
"""A CPU has just sent for a peer of wga's, at 10.7.0.2, and is a real-time program's from then on: it gets to nothing
more. What another sends until that one's turn is over, a tenth of a second, fills the peer's queue. Then the other
sends what waits, and what it has itself.

usage: held.py [alone]

With "alone" the other becomes such a program, too, when the queue is full: no work of its CPU's goes on with what it
does not send at once, so that it has to when it sends again.

Exit status: 0 so it is, 1 it is not, 3 the kernel lets others run beside such a program every time, 4 the machine is too
slow to say. The session must not be about to be renewed: handshakes count as packets sent. For some seconds, nothing
else runs on one or both of CPU 0 and 1."""

import os
import resource
import signal
import socket
import struct
import sys
import time

PEER = "10.7.0.2", 9
UDP_SEGMENT, SO_SNDBUFFORCE = 103, 32
CLOCK_MONOTONIC_COARSE = 6
STATISTICS = "/sys/class/net/wga/statistics/"
TURN = 0.1  # STICKY of transport/send.c
QUEUED = 1024  # NWG_MAX_QUEUED of transport/parallel.h
BURSTS, SEGMENTS, SIZE = 18, 64, 16
LATER = 20
TRYING = 60  # seconds; a session lasts 120
OTHERS_RUN, SLOW = 3, 4


def count(name):
    with open(STATISTICS + name, encoding="ascii") as file:
        return int(file.read())


def interrupted(process):
    """How often others ran instead of a process that wanted to."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("nonvoluntary_ctxt_switches"))


def now():
    """By the clock that goes with jiffies: with a slow machine, both may stand still for a while."""
    return time.clock_gettime(CLOCK_MONOTONIC_COARSE)


def compute(seconds):
    end = now() + seconds
    while now() < end:
        pass


def keep_cpu(sender, told):
    """Send one datagram by a CPU, tell between what times, and compute on it; ends when it is killed."""
    os.sched_setaffinity(0, {1})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    before = now()
    sender.sendto(b"first", PEER)
    os.write(told, struct.pack("dd", before, now()))
    compute(20)
    os._exit(1)


def fill(sender, queued):
    """Send more than the queue holds; look after each."""
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
    for _ in range(BURSTS):
        sender.sendto(bytes(SEGMENTS * SIZE), PEER)
        queued()
    sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)


def send_later(sender, left):
    """Send more, while others on this CPU run. Returns a status, and how much."""
    for _ in range(LATER):
        sender.sendto(b"later", PEER)
    if left() <= LATER:
        sys.exit(f"{left()} sent at once, of those that waited none")
    end = now() + 5
    while left() < QUEUED + LATER and now() < end:
        time.sleep(0.01)
    return 0, LATER


def send_alone(sender, left):
    """Send more, a turn between each, while no others run. Returns a status, and how much."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    others = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    try:
        for number in range(1, LATER + 1):
            before = left()
            sender.sendto(b"later", PEER)
            if resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw != others:
                return OTHERS_RUN, number
            if left() == before:
                sys.exit(f"nothing sent with datagram {number}")
            if left() >= QUEUED + number:
                break
            compute(1.5 * TURN)
        if number == 1:
            sys.exit("the first sent all that waited: nothing was left for a work")
        return 0, number
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def until_over():
    """Until nothing has been sent for a turn."""
    sent = None
    while sent != count("tx_packets"):
        sent = count("tx_packets")
        time.sleep(2 * TURN)


def attempt(sender, send_more):
    """Whether all was as it should be, or why that cannot be said."""
    until_over()
    before = count("tx_packets")
    readable, told = os.pipe()
    keeper = os.fork()
    if not keeper:
        keep_cpu(sender, told)
    os.close(told)
    try:
        times = os.read(readable, 16)
        if not times:
            sys.exit("no program keeps a CPU for itself")
        until, over = (moment + TURN for moment in struct.unpack("dd", times))
        others, sent, dropped = interrupted(keeper), count("tx_packets"), count("tx_dropped")

        def left():
            return count("tx_packets") - sent

        def kept():
            """Whether no others have run on the keeper's CPU; what the kernel looks after at times may."""
            return interrupted(keeper) == others

        def queued():
            """Nothing of it is sent while it is the keeper's turn. Returns whether it still is."""
            number = left()
            if now() >= until:
                return False
            if number and kept():
                sys.exit(f"{number} sent during another CPU's turn")
            return True

        fill(sender, queued)
        if not queued():
            return SLOW
        refused = count("tx_dropped") - dropped
        while now() < over + 0.5 * TURN:
            time.sleep(0.01)
            queued()
        if not kept():
            return OTHERS_RUN
        # Who helped to encrypt until the turn was over sends what waits.
        if left():
            return SLOW
        if refused != BURSTS * SEGMENTS - QUEUED:
            # What the last attempt had left was not over.
            if sent != before + 1:
                return SLOW
            sys.exit(f"{refused} of {BURSTS * SEGMENTS} dropped before there was more to send")
        status, more = send_more(sender, left)
        if not status and (left() < QUEUED + more or count("tx_dropped") - dropped != refused):
            sys.exit(f"{left()} sent of {QUEUED + more}, {count('tx_dropped') - dropped} dropped in the end")
        return status
    finally:
        os.close(readable)
        os.kill(keeper, signal.SIGKILL)
        os.waitpid(keeper, 0)


def main():
    send_more = {(): send_later, ("alone",): send_alone}.get(tuple(sys.argv[1:]))
    if not send_more:
        sys.exit(__doc__)
    os.sched_setaffinity(0, {0})
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 1 << 24)
    statuses, end = [], now() + TRYING
    while now() < end:
        statuses.append(attempt(sender, send_more))
        if not statuses[-1]:
            sys.exit(0)
    print("attempts:", *statuses)
    sys.exit(OTHERS_RUN if set(statuses) == {OTHERS_RUN} else SLOW)


main()
