# SPDX-License-Identifier: GPL-2.0
"""What the machine's memory holds, for tests that keys are gone from it.

Whoever plays a peer or searches has the keys in its own memory, too. It does that in a process apart, and is gone before
the next look: with page_poison=1 on the kernel's command line a page is overwritten when it is freed. (An object of the
slab allocator is not, so what the kernel frees without wiping is found.) What passes from one process to the other are
disguised secrets only."""

import multiprocessing
import struct
import traceback

import bench
from wireguard import reference

CHUNK = 1 << 16
FREED = b"\xaa" * CHUNK
# Not its own inverse: memory holds disguised secrets, too, which a search disguises once more.
DISGUISE = bytes((byte + 1) % 256 for byte in range(256))
REVEAL = bytes((byte - 1) % 256 for byte in range(256))
ANYWHERE = 2**64 - 1
FORK = multiprocessing.get_context("fork")


def disguise(secret):
    return secret.translate(DISGUISE)


class Apart:
    """A generator that runs in a process of its own, up to the next value each time it is asked for one."""

    def __init__(self, generator):
        self.pipe, end = FORK.Pipe()
        self.process = FORK.Process(target=self._run, args=(end, generator))
        self.process.start()
        end.close()

    @staticmethod
    def _run(pipe, generator):
        try:
            while pipe.recv():
                pipe.send((next(generator), None))
        except Exception:  # pylint: disable=broad-except
            pipe.send((None, traceback.format_exc()))

    def next(self):
        self.pipe.send(True)
        value, failure = self.pipe.recv()
        bench.check(not failure, failure)
        return value

    def last(self):
        """The next value; the process ends."""
        value = self.next()
        self.pipe.send(False)
        self.process.join()
        return value


def _chunks(overlap):
    """All memory, disguised, but what is free, piece by piece."""
    with open("/proc/kcore", "rb", buffering=0) as core:
        header = core.read(64)
        (offset,), (size, count) = struct.unpack_from("<Q", header, 32), struct.unpack_from("<HH", header, 54)
        core.seek(offset)
        segments = [struct.unpack_from("<IIQQQQ", core.read(size)) for _ in range(count)]
        for kind, _, offset, _, physical, left in segments:
            if kind != 1 or physical == ANYWHERE:  # not memory, or a second view of it
                continue
            core.seek(offset)
            chunk = b""
            while left:
                read = core.read(min(CHUNK, left))
                bench.check(read, "/proc/kcore ends early")
                left -= len(read)
                if read == FREED:
                    chunk = b""
                else:
                    chunk = chunk[-overlap:] + disguise(read)
                    yield chunk


def _search(secrets):
    found = set()
    for chunk in _chunks(31):
        found |= {name for name, secret in secrets.items() if secret in chunk}
    yield found


def search(secrets):
    """The names of those disguised secrets that are in memory."""
    return Apart(_search(secrets)).last()


def _search_private(public, secret, reach=512):
    for chunk in _chunks(2 * reach + 32):
        at = chunk.find(secret)
        while at >= 0:
            nearby = chunk[max(at - reach, 0):at + 32 + reach].translate(REVEAL)
            for start in range(len(nearby) - 31):
                key = nearby[start:start + 32]
                # A key that is in use is clamped.
                if reference.clamp(key) == key and reference.Key(key).public == public:
                    yield disguise(key)
                    return
            at = chunk.find(secret, at + 1)
    yield None


def search_private(public, secret):
    """The private key of a public one, disguised, which is in memory close to this disguised secret; None if not."""
    return Apart(_search_private(public, secret)).last()
