# SPDX-License-Identifier: GPL-2.0
"""Processes of their own, which become somebody else: nobody, or root of a user namespace."""

import ctypes
import os
import socket
import traceback

from report import check

NOBODY = 65534
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def in_child(work, meanwhile=lambda channel, child: None):
    """Run in a process of its own; what it raises fails here. Both have an end of a channel."""
    reading, writing = os.pipe()
    here, there = socket.socketpair()
    child = os.fork()
    if not child:
        os.close(reading)
        here.close()
        try:
            work(there)
            message = ""
        except BaseException:  # pylint: disable=broad-except
            message = traceback.format_exc()
        os.write(writing, message.encode())
        os._exit(0)
    os.close(writing)
    there.close()
    try:
        meanwhile(here, child)
    finally:
        here.close()
        with os.fdopen(reading) as pipe:
            message = pipe.read()
        os.waitpid(child, 0)
        check(not message, message)


def become_nobody():
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def become_namespace_root(namespaces=CLONE_NEWUSER | CLONE_NEWNET):
    """As nobody, a user namespace with a network namespace, and root in there."""
    become_nobody()
    # Giving up root made /proc/self root's own.
    libc.prctl(4, 1)  # PR_SET_DUMPABLE
    if libc.unshare(namespaces):
        raise OSError(ctypes.get_errno(), "unshare")
    for file, line in (("setgroups", "deny"), ("uid_map", f"0 {NOBODY} 1"),
                       ("gid_map", f"0 {NOBODY} 1")):
        with open(f"/proc/self/{file}", "w", encoding="ascii") as stream:
            stream.write(line)
