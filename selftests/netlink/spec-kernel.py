#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What the running kernel says of a family, and what it answers, against the netlink spec:

spec-kernel.py FAMILY            of our module
spec-kernel.py --replies FAMILY  only what it answers; of the stock module as well
spec-kernel.py --save FILE       what it says of family "wireguard", into FILE
spec-kernel.py --compare FILE    the same now, from our module, against FILE, from the stock one

Needs root and a network namespace of its own. Prints a line for each result, for ktap_lines."""

import contextlib
import json
import socket
import subprocess
import sys
import time

import genl
import stock
from report import Failed, check, equal, report
from spec import SCALARS, Spec, differences, told

# Generic netlink's controller
CTRL_CMD_GETFAMILY, CTRL_CMD_GETPOLICY = 3, 10
(CTRL_FAMILY_ID, CTRL_FAMILY_NAME, CTRL_VERSION, CTRL_HDRSIZE, CTRL_MAXATTR, CTRL_OPS,
 CTRL_MCAST_GROUPS, CTRL_POLICY, CTRL_OP_POLICY) = range(1, 10)
OP_ID, OP_FLAGS = 1, 2
MCAST_GROUP_NAME = 1
OP_FLAG_NAMES = ("admin-perm", "do", "dump", "policy", "uns-admin-perm")  # by bit
POLICY_FIELDS = ("type", "min-s", "max-s", "min", "max", "min-len", "max-len", "nested",
                 "nested-max", "bitfield-mask", "pad", "mask")  # from 1 on
POLICY_TYPES = ("invalid", "flag", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "binary",
                "string", "nul-string", "nest", "indexed-array", "bitfield32")

KEY = b"public" + bytes(25)  # and a byte more


def number(payload):
    return int.from_bytes(payload, sys.byteorder)


def read_policies(sock, name):
    """The policy of each operation's do and dump, as index, and the policies by index."""
    modes, policies = {}, {}
    for message in sock.dump(CTRL_CMD_GETPOLICY, name):
        if message.kind == genl.NLMSG_DONE:
            break
        for kind, payload in genl.parse(message.body[genl.GENL_HEADER:]):
            if kind == CTRL_OP_POLICY:
                for op, indices in genl.parse(payload):
                    modes[op] = {("do", "dump")[mode - 1]: number(index)
                                 for mode, index in genl.parse(indices)}
            elif kind == CTRL_POLICY:
                for index, attributes in genl.parse(payload):
                    for attribute, fields in genl.parse(attributes):
                        policies.setdefault(index, {})[attribute] = {
                            POLICY_FIELDS[field - 1]: number(value)
                            for field, value in genl.parse(fields)}
    return modes, policies


def running(spec):
    """What the running kernel says of a family, by the spec's names where it has one."""
    op_names = {op["value"]: name for name, op in spec.ops.items()}

    def named(index, set_name):
        attributes = {entry["value"]: entry for entry in spec.sets[set_name].values()}
        found = {}
        for value, fields in policies[index].items():
            attribute = attributes.get(value, {"name": f"#{value}"})
            fields = {key: field for key, field in fields.items() if key != "pad"}
            fields["type"] = POLICY_TYPES[fields["type"]]
            if "nested" in fields:
                fields["nested"] = named(fields["nested"], attribute["nested-attributes"])
            found[attribute["name"]] = fields
        return found

    with genl.Socket("nlctrl") as sock:
        name = genl.attr(CTRL_FAMILY_NAME, spec.yaml["name"].encode() + b"\0")
        family = dict(genl.parse(sock.ask(CTRL_CMD_GETFAMILY, name)[0].body[genl.GENL_HEADER:]))
        modes, policies = read_policies(sock, name)
    ops = {}
    for _, payload in genl.parse(family.get(CTRL_OPS, b"")):
        op = dict(genl.parse(payload))
        value, flags = number(op[OP_ID]), number(op[OP_FLAGS])
        name = op_names.get(value, f"#{value}")
        set_name = spec.ops[name]["attribute-set"] if name in spec.ops else None
        check(set_name, f"operation {value} is not in the spec")
        ops[name] = {
            "flags": sorted(OP_FLAG_NAMES[bit] if bit < len(OP_FLAG_NAMES) else f"bit {bit}"
                            for bit in range(32) if flags & 1 << bit),
            "policy": {mode: named(index, set_name)
                       for mode, index in modes.get(value, {}).items()}}
    groups = [dict(genl.parse(payload))[MCAST_GROUP_NAME].rstrip(b"\0").decode()
              for _, payload in genl.parse(family.get(CTRL_MCAST_GROUPS, b""))]
    return {"version": number(family[CTRL_VERSION]), "hdrsize": number(family[CTRL_HDRSIZE]),
            "maxattr": number(family[CTRL_MAXATTR]), "ops": ops, "mcast-groups": groups}


def case_family(spec):
    """version, operations, flags, multicast groups and policies are the spec's"""
    found = differences(spec.family(), running(spec))
    check(not found, told(found, "spec", "kernel"))


# What it answers.

def take(spec, set_name, payload, path, seen):
    """Some bytes must be attributes of a set; adds what is there to the paths that were seen."""
    attributes = {attribute["value"]: attribute for attribute in spec.sets[set_name].values()}
    for value, content in genl.parse(payload):
        check(value in attributes, f"{path}: attribute {value} is not in the spec")
        attribute = attributes[value]
        kind, checks = attribute["type"], attribute.get("checks", {})
        here = f"{path}/{attribute['name']}"
        if kind == "pad":
            equal(content, b"", here)
            continue
        seen.add(here)
        length, bounds = len(content), {key: spec.number(limit) for key, limit in checks.items()}
        if kind in SCALARS:
            equal(length, SCALARS[kind], f"{here}: length")
        elif kind == "string":
            check(content.endswith(b"\0") and length <= bounds["max-len"] + 1, f"{here}: {content}")
        elif "struct" in attribute:
            members = spec.definitions[attribute["struct"]]["members"]
            equal(length, sum(SCALARS[member["type"]] for member in members), f"{here}: length")
        elif kind == "binary":
            check(bounds.get("min-len", 0) <= length <= bounds.get("max-len", length) and
                  length == bounds.get("exact-len", length), f"{here}: {length} bytes")
        elif kind == "nest":
            take(spec, attribute["nested-attributes"], content, here, seen)
        elif kind == "indexed-array":
            for _, entry in genl.parse(content):
                take(spec, attribute["nested-attributes"], entry, here, seen)
        else:
            raise Failed(f"{here} is of type {kind}")


def replied(spec, sock, operation, **values):
    """The paths that there are in the messages of a dump."""
    seen = set()
    for message in spec.ask(sock, operation, **values)[:-1]:
        take(spec, spec.ops[operation]["attribute-set"], message.body[genl.GENL_HEADER:],
             operation, seen)
    return seen


def reply_paths(spec, operation):
    """The paths that there may be: all but what is write only, and the reasons of drops."""
    def walk(set_name, names, path):
        found = set()
        for name in names or spec.sets[set_name]:
            attribute = spec.sets[set_name][name]
            if attribute["type"] in ("unused", "pad") or "Write only." in attribute.get("doc", ""):
                continue
            found.add(f"{path}/{name}")
            nested = attribute.get("nested-attributes")
            if nested:
                found |= walk(nested, None, f"{path}/{name}")
        return found
    entry = spec.ops[operation]
    return walk(entry["attribute-set"], entry["dump"]["reply"]["attributes"], operation)


def ip(*arguments):
    subprocess.run(("ip",) + arguments, check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def interface(kind):
    """An interface with all that it can have, and a socket of its family."""
    peers = (genl.peer(KEY + bytes([number]), genl.attr(genl.P_ENDPOINT, endpoint),
                       allowed=[genl.allowed_ip(f"10.0.0.{number}", 32),
                                genl.allowed_ip(f"fd00::{number}", 128)])
             for number, endpoint in ((2, genl.endpoint4("127.0.0.1", 9)),
                                      (3, genl.endpoint6("::1", 9))))
    ip("link", "set", "lo", "up")
    ip("link", "add", "wg0", "type", kind)
    try:
        with genl.Socket(kind) as sock:
            genl.set_device(sock, "wg0", genl.attr(genl.PRIVATE_KEY, b"private" + bytes(25)),
                            genl.nest(genl.PEERS, *peers))
            ip("address", "add", "10.0.0.1/24", "dev", "wg0")
            ip("address", "add", "fd00::1/64", "dev", "wg0", "nodad")
            ip("link", "set", "wg0", "up")
            yield sock
    finally:
        ip("link", "del", "wg0")


def case_device_replies(spec):
    """get-device answers with the spec's attributes, and with all of them"""
    with interface(spec.yaml["name"]) as sock:
        seen = replied(spec, sock, "get-device", ifname="wg0")
    equal(sorted(seen), sorted(reply_paths(spec, "get-device")), "attributes")


def case_relay_replies(spec):
    """relay-get and flow-get answer with the spec's attributes, and with all of them"""
    initiation, junk = b"\1" + bytes(147), b"junk"
    with interface("nwg") as sock:
        spec.ask(sock, "relay-new", ifname="wg0", listen_port=60001, to_port=1,
                 peer=KEY + b"\3", to_ip4=bytes([10, 0, 0, 3]), responder=KEY + b"\4")
        for family, listen, address, to, pool in (
                (socket.AF_INET, "listen_ip4", "127.0.0.1", "10.0.0.2", "10.9.0.0"),
                (socket.AF_INET6, "listen_ip6", "::1", "fd00::2", "fd09::")):
            raw = {listen: socket.inet_pton(family, address),
                   listen.replace("listen", "to"): socket.inet_pton(family, to),
                   "source": 1, "pool_len": 24,
                   listen.replace("listen", "pool"): socket.inet_pton(family, pool)}
            spec.ask(sock, "relay-new", ifname="wg0", listen_port=60000, to_port=60000,
                     peer=KEY + b"\2", max_flows=5, listen_ifindex=socket.if_nametoindex("lo"), **raw)
            with socket.socket(family, socket.SOCK_DGRAM) as client:
                for datagram in (initiation, junk):
                    client.sendto(datagram, (address, 60000))
        ip("link", "set", "wg0", "mtu", "150")  # too little for an initiation
        # Only the junk is dropped, and no home answers.
        paths, shape = reply_paths(spec, "relay-get"), "relay-get/forward-drops/shape"
        wanted_relays = {path for path in paths if "-drops/" not in path or path == shape}
        wanted_flows = reply_paths(spec, "flow-get") - {
            "flow-get/reverse-idle", *(f"flow-get/{direction}/{of_relays}" for direction in ("forward", "reverse")
                                       for of_relays in ("bytes", "fragmented"))}
        relays, flows, end = set(), set(), time.monotonic() + 10
        while (relays, flows) != (wanted_relays, wanted_flows) and time.monotonic() < end:
            relays, flows = replied(spec, sock, "relay-get"), replied(spec, sock, "flow-get")
    equal(sorted(relays), sorted(wanted_relays), "attributes of relays")
    equal(sorted(flows), sorted(wanted_flows), "attributes of flows")


# Our family "wireguard" and the stock one.

def case_stock(spec, file):
    """the policies are those of the stock module, but where stock.py says why"""
    with open(file, encoding="utf-8") as stream:
        theirs = json.load(stream)
    found, known = differences(theirs, running(spec)), stock.policies(theirs["maxattr"])
    odd = {path: leaves for path, leaves in found.items()
           if not any(f"{path}/".startswith(f"{whole}/") for whole in known)}
    check(not odd, told(odd, "stock", "ours"))
    gone = set(known) - set(found)
    check(not gone, f"no difference any more: {gone}")


def run(family, *cases):
    spec = Spec(family)
    for case in cases:
        report(f"{family}: {case.__doc__}", lambda: case(spec))


def main():
    match sys.argv[1:]:
        case ["--save", file]:
            with open(file, "w", encoding="utf-8") as stream:
                json.dump(running(Spec("wireguard")), stream)
        case ["--compare", file]:
            spec = Spec("wireguard")
            report(case_stock.__doc__, lambda: case_stock(spec, file))
        case ["--replies", family]:
            run(family, case_device_replies)
        case ["nwg"]:
            run("nwg", case_family, case_device_replies, case_relay_replies)
        case ["wireguard"]:
            run("wireguard", case_family, case_device_replies)
        case _:
            sys.exit(__doc__)


main()
