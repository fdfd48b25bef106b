# SPDX-License-Identifier: GPL-2.0
"""The netlink specs in uapi/, in the form of the kernel's (Documentation/userspace-api/netlink)."""

import socket
import sys
from pathlib import Path

import yaml

import genl
from report import check

UAPI = Path(__file__).resolve().parents[1] / "tree/uapi"
SCALARS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s64": 8}
ADDRESSES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def c_name(name):
    return name.upper().replace("-", "_")


class Spec:
    """One spec file, with what it leaves to be counted filled in."""

    def __init__(self, family):
        self.yaml = yaml.safe_load((UAPI / f"{family}.yaml").read_text(encoding="utf-8"))
        self.definitions = {entry["name"]: entry for entry in self.yaml["definitions"]}
        self.sets = {}  # name to {attribute's name: attribute with its value}
        for entry in self.yaml["attribute-sets"]:
            self.sets[entry["name"]] = self.numbered(entry["attributes"])
        self.ops = self.numbered(self.yaml["operations"]["list"])
        for entry in self.ops.values():
            if "notify" in entry:
                same = self.ops[entry["notify"]]
                entry |= {"attribute-set": same["attribute-set"], "event": same["dump"]["reply"]}
        self.groups = [entry["name"] for entry in self.yaml.get("mcast-groups", {}).get("list", [])]

    @staticmethod
    def numbered(entries):
        """The entries by name; one without a value has the next one's, the first 1."""
        found, value = {}, 0
        for entry in entries:
            value = entry.get("value", value + 1)
            check(entry["name"] not in found, f"{entry['name']} is there twice")
            found[entry["name"]] = entry | {"value": value}
        return found

    def number(self, limit):
        """A number, or the constant that is meant, perhaps less one."""
        if isinstance(limit, int):
            return limit
        name, _, less = limit.partition(" - ")
        return self.definitions[name]["value"] - int(less or 0)

    def entries(self, definition):
        """The values of an enum or of flags by name."""
        found, value = {}, definition.get("value-start", 0)
        for entry in definition["entries"]:
            entry = entry if isinstance(entry, dict) else {"name": entry}
            value = entry.get("value", value)
            found[entry["name"]] = 1 << value if definition["type"] == "flags" else value
            value += 1
        return found

    def constants(self):
        """All that the header has to say, by its name in C."""
        family, operations = self.yaml["name"], self.yaml["operations"]
        found = {self.yaml["c-family-name"]: family,
                 self.yaml["c-version-name"]: self.yaml["version"]}
        for name, definition in self.definitions.items():
            if definition["type"] == "const" and "header" not in definition:
                found[f"{family}-{name}"] = definition["value"]
            elif definition["type"] == "const" and definition["header"] == self.yaml["uapi-header"]:
                found[name] = definition["value"]
            elif definition["type"] in ("enum", "flags"):
                for entry, value in self.entries(definition).items():
                    found[definition["name-prefix"] + entry] = value
        for entry in self.yaml["attribute-sets"]:
            prefix, attributes = entry["name-prefix"], self.sets[entry["name"]]
            for name, attribute in attributes.items():
                found[prefix + name] = attribute["value"]
            found[prefix + "max"] = max(value["value"] for value in attributes.values())
            found[entry["attr-cnt-name"]] = found[prefix + "max"] + 1
        prefix = operations["name-prefix"]
        for name, operation in self.ops.items():
            found[prefix + name] = operation["value"]
        found |= {f"{family}-mcgrp-{name}": name for name in self.groups}
        found[prefix + "max"] = max(value["value"] for value in self.ops.values())
        found[f"--{prefix}max"] = found[prefix + "max"] + 1
        return {c_name(name): value for name, value in found.items()}

    def enums(self):
        """The names of the enums in C."""
        named = [*self.yaml["attribute-sets"], self.yaml["operations"], *self.definitions.values()]
        return {c_name(entry["enum-name"]).lower() for entry in named if "enum-name" in entry}

    def request(self, operation, **values):
        """Attributes of a request by their names, with underscores."""
        attributes, encoded = self.sets[self.ops[operation]["attribute-set"]], b""
        for name, value in values.items():
            attribute = attributes[name.replace("_", "-")]
            if isinstance(value, str):
                value = value.encode() + b"\0"
            elif isinstance(value, int):
                value = value.to_bytes(SCALARS[attribute["type"]], sys.byteorder)
            encoded += genl.attr(attribute["value"], value)
        return encoded

    def ask(self, sock, operation, **values):
        """A do, or all messages of a dump."""
        entry, request = self.ops[operation], self.request(operation, **values)
        if "do" in entry:
            return sock.ask(entry["value"], request)
        return list(sock.dump(entry["value"], request))

    @staticmethod
    def messages(operation):
        """The names of the attributes of each message that an operation has."""
        modes = [operation[mode] for mode in ("do", "dump") if mode in operation]
        modes += [{"event": operation["event"]}] if "event" in operation else []
        return [message["attributes"] for mode in modes for message in mode.values()]

    def decode(self, set_name, payload):
        """Attributes by their names: numbers, names of enums, addresses as text, nests as
        dictionaries or lists of them, and bytes."""
        attributes = {attribute["value"]: attribute for attribute in self.sets[set_name].values()}
        found = {}
        for value, content in genl.parse(payload):
            check(value in attributes, f"{set_name}: attribute {value} is not in the spec")
            attribute = attributes[value]
            kind = attribute["type"]
            if kind == "pad":
                continue
            if attribute.get("display-hint") in ADDRESSES:
                content = socket.inet_ntop(ADDRESSES[attribute["display-hint"]], content)
            elif kind == "nest":
                content = self.decode(attribute["nested-attributes"], content)
            elif kind == "indexed-array":
                content = [self.decode(attribute["nested-attributes"], entry)
                           for _, entry in genl.parse(content)]
            elif kind == "string":
                content = content.rstrip(b"\0").decode()
            elif kind in SCALARS:
                check(len(content) == SCALARS[kind], f"{set_name}: {attribute['name']}: {content}")
                content = int.from_bytes(content, sys.byteorder)
                definition = self.definitions.get(attribute.get("enum"), {})
                if definition.get("type") == "enum":
                    names = {number: name for name, number in self.entries(definition).items()}
                    content = names.get(content, content)
            found[attribute["name"]] = content
        return found

    @staticmethod
    def read_only(attribute):
        return attribute.get("doc", "").rstrip().endswith("Read only.")

    def policy(self, name, names=None):
        """What the kernel's policy for a set must say, by the attributes' names; only of some. A
        policy that all operations share lets pass what they ignore."""
        ignored = self.yaml["kernel-policy"] == "global"
        return {key: self.attribute_policy(attribute) for key, attribute in self.sets[name].items()
                if (key in names if names else attribute["type"] not in ("unused", "pad") and
                    (ignored or not self.read_only(attribute)))}

    def attribute_policy(self, attribute):
        kind = attribute["type"]
        checks = {key: self.number(value) for key, value in attribute.get("checks", {}).items()}
        if "exact-len" in checks:
            checks["min-len"] = checks["max-len"] = checks.pop("exact-len")
        if "max-len" not in checks:
            checks.pop("min-len", None)  # Linux 6.1 tells none that is alone
        wanted = {"type": "nul-string" if kind == "string" else kind} | checks
        if kind in SCALARS:
            wanted = {"min": 0, "max": (1 << 8 * SCALARS[kind]) - 1} | wanted
        if "nested-attributes" in attribute:
            nested = self.sets[attribute["nested-attributes"]]
            wanted |= {"nested": self.policy(attribute["nested-attributes"]),
                       "nested-max": max(entry["value"] for entry in nested.values())}
        return wanted

    def family(self):
        """What the kernel must say of the family, in the form of running()."""
        ops, most = {}, 0
        shared = self.yaml["kernel-policy"] == "global"
        for name, operation in self.ops.items():
            if "event" in operation:
                continue
            attributes = operation["attribute-set"]
            modes = {mode: None if shared else operation[mode]["request"]["attributes"]
                     for mode in ("do", "dump") if mode in operation}
            if shared:
                most = max(entry["value"] for entry in self.sets[attributes].values())
            ops[name] = {"flags": sorted([*operation["flags"], *modes, "policy"]),
                         "policy": {mode: self.policy(attributes, names)
                                    for mode, names in modes.items()}}
        return {"version": self.yaml["version"], "hdrsize": 0, "maxattr": most, "ops": ops,
                "mcast-groups": self.groups}


def flat(tree, path=""):
    """A tree of dictionaries as {path: leaf}; whole attributes are leaves, but for nests."""
    found = {}
    for key, value in tree.items():
        here = f"{path}/{key}" if path else key
        if isinstance(value, dict) and "type" in value:
            nested = value.get("nested", {})
            found[here] = " ".join(f"{field} {value[field]}" for field in sorted(value)
                                   if field != "nested")
            found |= flat(nested, here)
        elif isinstance(value, dict):
            found |= flat(value, here)
        else:
            found[here] = str(value)
    return found


def differences(first, second):
    """{path: (leaf in the first, leaf in the second)}"""
    first, second = flat(first), flat(second)
    return {path: (first.get(path), second.get(path))
            for path in sorted(first.keys() | second.keys())
            if first.get(path) != second.get(path)}


def told(found, first, second):
    return "\n".join(f"{path}: {first} {a}, {second} {b}" for path, (a, b) in found.items())
