#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The netlink specs in uapi/: their form, each other, and the headers. Needs no kernel. Prints a
line for each result, for ktap_lines."""

import re
import subprocess
import tempfile
from pathlib import Path

import jsonschema
import yaml

from report import check, equal, plan, report
from spec import UAPI, Spec, differences, told

SCHEMA = Path(__file__).with_name("spec-schema.yaml")
# In C, the padding of a peer has a name of its own.
ALIASES = {"NWG_PEER_A_PAD": 0}
# What <linux/wireguard.h> lacks where it is that of an older kernel, and what changes with it.
NEWER = {"WGALLOWEDIP_A_FLAGS", "WGALLOWEDIP_F_REMOVE_ME"}
NEWER_COUNTS = {"__WGALLOWEDIP_A_LAST", "WGALLOWEDIP_A_MAX"}
# What it has besides: each set of flags in one.
MASKS = {"__WGDEVICE_F_ALL", "__WGPEER_F_ALL", "__WGALLOWEDIP_F_ALL"}


def case_schema(spec):
    """form"""
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message:.200}"
              for error in jsonschema.Draft7Validator(schema).iter_errors(spec.yaml)]
    check(not errors, "\n".join(errors))


def case_names(spec):
    """each name that is used is defined, and each that is defined is used"""
    used_sets, used_definitions, used_groups = set(), set(), set()
    for name, attributes in spec.sets.items():
        for attribute in attributes.values():
            used_sets |= {attribute.get("nested-attributes")}
            used_definitions |= {attribute.get("enum"), attribute.get("struct")}
            for limit in attribute.get("checks", {}).values():
                if isinstance(limit, str):
                    used_definitions |= {limit.partition(" - ")[0]}
    for name, operation in spec.ops.items():
        used_sets |= {operation["attribute-set"]}
        used_groups |= {operation.get("mcgrp")}
        modes = [operation[mode] for mode in ("do", "dump") if mode in operation]
        for attribute in [attribute for part in spec.messages(operation) for attribute in part]:
            check(attribute in spec.sets[operation["attribute-set"]],
                  f"{name}: no attribute {attribute}")
        for attribute in [name for mode in modes for name in mode["request"]["attributes"]]:
            check(not spec.read_only(spec.sets[operation["attribute-set"]][attribute]),
                  f"{name}: {attribute} is read only")
    equal(used_sets - {None}, set(spec.sets), "attribute sets")
    equal(used_groups - {None}, set(spec.groups), "multicast groups")
    unused = {name for name, entry in spec.definitions.items()
              if entry["type"] != "const" or "header" in entry} - used_definitions
    check(not unused, f"definitions that nothing uses: {unused}")
    check(used_definitions - {None} <= set(spec.definitions), f"{used_definitions}")
    for name, attributes in spec.sets.items():
        roots = [operation for operation in spec.ops.values() if operation["attribute-set"] == name]
        listed = {attribute for operation in roots for part in spec.messages(operation)
                  for attribute in part}
        left = {attribute["name"] for attribute in attributes.values()
                if attribute["type"] not in ("unused", "pad")} - listed
        check(not roots or not left, f"attributes of {name} that no operation has: {left}")


def stripped(spec):
    """What of a spec programs see, without the names that it has in C."""
    def bare(tree):
        if isinstance(tree, dict):
            return {key: bare(value) for key, value in tree.items()
                    if key not in ("name-prefix", "enum-name", "attr-cnt-name", "doc", "header")}
        if isinstance(tree, list):
            return [bare(value) for value in tree]
        return tree.replace("wg-key-len", "key-len") if isinstance(tree, str) else tree
    return bare({"sets": spec.sets, "ops": spec.ops,
                 "definitions": {bare(name): entry for name, entry in spec.definitions.items()}})


def case_same(nwg, wireguard):
    """wireguard.yaml is the first two operations of nwg.yaml and what they use"""
    nwg, wireguard = stripped(nwg), stripped(wireguard)
    for part, entries in wireguard.items():
        for name, entry in entries.items():
            equal(entry, nwg[part].get(name), f"{part}: {name}")
    equal(list(wireguard["ops"]), list(nwg["ops"])[:2], "operations")


def compiler(*arguments, source):
    return subprocess.run(("gcc", "-x", "c", *arguments, "-"), input=source, check=True,
                          capture_output=True, text=True, timeout=60).stdout


def header_names(include, prefix):
    """The macros and enumerators of a header whose names begin so, and the names of its enums."""
    macros, text = compiler("-E", "-dM", source=include), compiler("-E", "-P", source=include)
    names = set(re.findall(rf"^#define ({prefix}\w+) .", macros, re.M))
    enums = set()
    for enum, body in re.findall(r"enum\s+(\w+)\s*\{([^}]*)\}", text):
        enumerators = set(re.findall(rf"(?:^|,)\s*({prefix}\w+)", body))
        names |= enumerators
        enums |= {enum} if enumerators else set()
    return names, enums


def values(include, names):
    """What the names stand for in C."""
    source = f"{include}#include <stdio.h>\nint main(void)\n{{\n" + "".join(
        f'printf(_Generic({name}, char *: "{name} %s\\n", default: "{name} %u\\n"), {name});\n'
        for name in sorted(names)) + "}\n"
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/values"
        compiler("-w", "-o", program, source=source)
        output = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    pairs = (line.split() for line in output.splitlines())
    return {name: int(value) if value.isdigit() else value for name, value in pairs}


def case_header(spec):
    """the header has the same names and values, and no others"""
    include = f'#include "{UAPI}/nwg.h"\n'
    names, enums = header_names(include, "_*NWG")
    found = differences(spec.constants() | ALIASES, values(include, names))
    check(not found, told(found, "spec", "header"))
    equal(enums, spec.enums(), "enums")


def case_stock_header(spec):
    """<linux/wireguard.h> has the same names and values, as far as it knows them"""
    include = "#include <linux/wireguard.h>\n"
    names, enums = header_names(include, "_*WG")
    constants, wanted_enums = spec.constants(), spec.enums()
    names -= MASKS
    if not NEWER & names:
        names -= NEWER_COUNTS
        wanted_enums -= {"wgallowedip_flag"}
        constants = {name: constants[name] for name in constants.keys() - NEWER - NEWER_COUNTS}
    found = differences(constants, values(include, names))
    check(not found, told(found, "spec", "header"))
    equal(enums, wanted_enums, "enums")


def main():
    plan(7)
    nwg, wireguard = Spec("nwg"), Spec("wireguard")
    for spec, cases in ((nwg, (case_schema, case_names, case_header)),
                        (wireguard, (case_schema, case_names, case_stock_header))):
        for case in cases:
            report(f"{spec.yaml['name']}.yaml: {case.__doc__}", lambda: case(spec))
    report(case_same.__doc__, lambda: case_same(nwg, wireguard))


main()
