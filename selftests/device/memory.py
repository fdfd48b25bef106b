# SPDX-License-Identifier: GPL-2.0
"""What the machine's memory holds, for tests that keys are gone from it.

Whoever plays a peer or searches has the keys in its own memory, too. It does that in a process
apart, and is gone before the next look: with page_poison=1 on the kernel's command line a page is
overwritten when it is freed. (An object of the slab allocator is not, so what the kernel frees
without wiping is found.) What passes from one process to the other are disguised secrets only."""

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


def apart(function, *arguments):
    """The result of a function that runs in a process of its own."""
    def run():
        try:
            end.send((function(*arguments), None))
        except Exception:  # pylint: disable=broad-except
            end.send((None, traceback.format_exc()))

    result, end = FORK.Pipe(duplex=False)
    process = FORK.Process(target=run)
    process.start()
    value, failure = result.recv()
    process.join()
    bench.check(not failure, failure)
    return value


def chunks(overlap):
    """All memory, disguised, but what is free, piece by piece."""
    with open("/proc/kcore", "rb", buffering=0) as core:
        header = core.read(64)
        offset, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
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


def search(secrets):
    """The names of those disguised secrets that are in memory."""
    def found():
        return {name for chunk in chunks(31) for name, secret in secrets.items() if secret in chunk}

    return apart(found)


def search_private(public, secret, reach=512):
    """The private key of a public one, disguised, which lies close to a disguised secret; None if
    it does not."""
    def found():
        for chunk in chunks(2 * reach + 32):
            at = chunk.find(secret)
            while at >= 0:
                near = chunk[max(at - reach, 0):at + 32 + reach].translate(REVEAL)
                for key in (near[start:start + 32] for start in range(len(near) - 31)):
                    # A key that is in use is clamped.
                    if reference.clamp(key) == key and reference.Key(key).public == public:
                        return disguise(key)
                at = chunk.find(secret, at + 1)
        return None

    return apart(found)
