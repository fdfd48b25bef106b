#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The values of scale.sh and flows.sh as tables in RESULTS.md, between two comments there, and as a picture, scale.svg.

usage: scale.py VALUES DIRECTORY WHAT
"""

import re
import subprocess
import sys
from pathlib import Path

BEGIN, END = "<!-- make bench-scale -->", "<!-- end of make bench-scale -->"

# What there are many of, and the title of its plot. Relays have stock tunnels at the other ends.
KINDS = {"wireguard": "stock", "nwg": "nwg"}
COLORS = {"wireguard": "#999999", "nwg": "#1f5a96"}
TITLES = {"flows": "flows of a relay", "peers": "peers", "allowed-ips": "allowed IPs", "relays": "relays"}


def read(path):
    """{(what, kind): {count: {column: value}}}"""
    values = {}
    for line in Path(path).read_text(encoding="ascii").splitlines():
        if "\t" in line:
            what, count, column, kind, value = line.split("\t")
            values.setdefault((what, kind), {}).setdefault(int(count), {})[column] = int(value)
        elif line.split()[0].isdigit():  # a line of flows.sh's table; a round trip is two datagrams
            count, trip, flow, source, whole, listed, each = line.split()
            values.setdefault(("flows", "nwg"), {})[int(count)] = {
                "datagram": int(trip) // 2, "flow": flow, "source": source, "all": whole, "list": int(listed),
                "each": int(each)}
    return values


def cost(rows, count):
    return f"{rows[count]['datagram']:,}" if count in rows and "datagram" in rows[count] else ""


def tables(values, what):
    counts = sorted({count for (name, _), rows in values.items() if name in TITLES for count in rows})
    yield what
    yield ""
    yield f"| a datagram, with so many | {' | '.join(f'{count:,}' for count in counts)} | the dearest against the fewest |"
    yield "|---" * (len(counts) + 2) + "|"
    for (name, kind), rows in values.items():
        if name in TITLES:
            ratio = max(row["datagram"] for row in rows.values()) / rows[min(rows)]["datagram"]
            yield f"| {TITLES[name]}, {KINDS[kind]} | {' | '.join(cost(rows, count) for count in counts)} | {ratio:.3f} |"
    yield ""
    yield "| bytes for each | stock | nwg |"
    yield "|---|---|---|"
    for name, title in (("peers", "peer, with an allowed IP"), ("allowed-ips", "allowed IP"), ("sessions", "session"),
                        ("relays", "relay")):
        cells = [next((f"{row['bytes']:,}" for row in values.get((name, kind), {}).values() if "bytes" in row), "")
                 for kind in KINDS]
        yield f"| {title} | {' | '.join(cells)} |"
    flows = values["flows", "nwg"]
    most = flows[max(flows)]
    yield f"| flow |  | {most['flow']} |"
    yield f"| source of flows |  | {most['source']} |"
    yield f"| all that a flow takes |  | {most['all']} |"
    yield ""
    yield f"To list {max(flows):,} flows takes {most['list'] / 1e9:.2f} × 10⁹ instructions, {most['each']:,} for each."


def picture(values, path):
    script = ["set terminal svg size 900,560 font 'sans-serif,13' background 'white'", f"set output '{path}'",
              "set multiplot layout 2,2 title 'Instructions for a datagram of 148 B, by how many there are'",
              "set logscale x; set format x '10^{%T}'; set yrange [0:*]; set grid; set key bottom left",
              "set format y '%.0f'; set decimalsign '.'"]
    for name, title in TITLES.items():
        lines = []
        for kind in KINDS:
            rows = values.get((name, kind))
            if rows:
                script += [f"${kind} << END", *(f"{count} {rows[count]['datagram']}" for count in sorted(rows)), "END"]
                lines.append(f"${kind} with linespoints pointtype 7 lw 2 lc rgb '{COLORS[kind]}' title '{KINDS[kind]}'")
        script += [f"set title '{title}'", f"plot {', '.join(lines)}"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    values, directory, what = read(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    page = (directory / "RESULTS.md").read_text(encoding="utf-8")
    text = "\n".join(tables(values, what))
    new, count = re.subn(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{text}\n{END}", page, flags=re.S)
    if count != 1:
        sys.exit(f"RESULTS.md: no place for the table: {BEGIN} {END}")
    picture(values, directory / "scale.svg")
    (directory / "RESULTS.md").write_text(new, encoding="utf-8")


main()
