# SPDX-License-Identifier: GPL-2.0
"""Where nwg in place of the stock module, of Linux 6.1 and later, does not do as that does: the one list of it.
spec.sh compares the policies, abi.sh the rest, which fail when a difference is not here or is gone."""

import errno

# In the policies of family "wireguard". An entry stands for what is beneath it, too.
POLICIES = {f"ops/{operation}/peers": "what is in there is checked before anything is done, all of "
                                      "it; the stock module looks at a peer when its turn comes"
            for operation in ("get-device/policy/dump", "set-device/policy/do")}

# The stock module's family may be made from a specification, as of Linux 7.2: each operation of it has a policy
# of its own, and the family none. With a policy of the family's, @maxattr is its highest attribute. Such a family
# refuses a reserved field and message flags without meaning, too (strict() in abi.py), which nobody sends.
BY_OPERATION = "who asks for more than a name is refused there; ours goes by the name, as Linux 6.1 does"
POLICIES_BY_OPERATION = {"maxattr": BY_OPERATION} | {
    f"ops/get-device/policy/dump/{attribute}": BY_OPERATION
    for attribute in ("flags", "fwmark", "listen-port", "peers", "private-key", "public-key")} | {
    f"ops/set-device/policy/do/{attribute}": "ours looks at it itself, and says what is wrong"
    for attribute in ("flags", "peers/flags", "peers/allowedips/flags", "peers/last-handshake-time")}


def by_operation(maxattr):
    """whether it is made from a specification"""
    return not maxattr


def policies(maxattr):
    """where the policies differ"""
    return POLICIES_BY_OPERATION if by_operation(maxattr) else POLICIES


BROKEN = "what was meant is lost; no program sends that on purpose"
# What the stock module does with what ours refuses otherwise: the errno, or None if it carries the
# rest of it out.
REQUESTS = {
    "bytes behind the last peer": (None, BROKEN),
    "peer that is longer than the rest": (None, BROKEN),
    "bytes behind the last allowed IP": (None, BROKEN),
    "unknown flag of an allowed IP": (
        errno.EINVAL, "only later kernels have flags of allowed IPs, to take a single one away"),
}
# One that is made from a specification, besides:
REQUESTS_BY_OPERATION = REQUESTS | {
    f"unknown flag of {whose}": (errno.EINVAL, "its policy has the flags, ours looks at them itself")
    for whose in ("the interface", "a peer")}
# and it looks at these before it does anything, as ours does.
LOOKED_AT_FIRST = (
    "public key of 31 bytes", "preshared key of 33 bytes", "keepalive of 4 bytes", "endpoint of 8 bytes",
    "unknown attribute of a peer", "allowed IPs that are not a nest", "allowed IP of 3 bytes",
    "unknown attribute of an allowed IP", "last handshake of 15 bytes", "received bytes of 4 bytes",
    "sent bytes of 4 bytes")


def requests(maxattr):
    """what it does otherwise"""
    return REQUESTS_BY_OPERATION if by_operation(maxattr) else REQUESTS


def looked_at_first(maxattr):
    """what it looks at before it does anything"""
    return LOOKED_AT_FIRST if by_operation(maxattr) else ()


# What has a place of its own in abi.py.
REFUSED_IS_DONE = "what comes before a peer that is refused is done; ours does nothing then"
NAMED_ONCE = "only the first message of a dump has the interface's name; ours has it in each"
OPENER = ("port and mark need CAP_NET_ADMIN, where the interface was made, of who asks; ours needs it "
          "of who opened the socket, too")
