#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The values of bench.sh as a table in RESULTS.md, between two comments there, and as a picture, costs.svg.

usage: table.py VALUES DIRECTORY WHAT
"""

import html
import re
import sys
from pathlib import Path

# Each way, and its column. What is compared to is the first of the two that have a value.
WAYS = {
    "dnat": "stock, DNAT",
    "flowtable": "stock, flow table",
    "vps": "nwg on the VPS",
    "all": "nwg everywhere",
}
HOPS = {"hop-stock": "dnat", "hop-nwg": "all"}
BEGIN, END = "<!-- make bench -->", "<!-- end of make bench -->"

# Of the picture, in pixels
LABEL, WIDTH, ROW, BAR = 300, 420, 46, 16
COLORS = {"vps": "#8fb8de", "all": "#1f5a96"}


def read(path):
    """{scenario: {way: instructions}}, in the order in which they were measured."""
    rows = {}
    for line in Path(path).read_text(encoding="ascii").splitlines():
        scenario, way, value = line.split("\t")
        rows.setdefault(scenario, {})[HOPS.get(way, way)] = int(value)
    return rows


def cell(row, way):
    if way not in row:
        return ""
    value = f"{row[way]:,}"
    return value if way == "dnat" or "dnat" not in row else f"{value} ({row[way] / row['dnat']:.2f})"


def table(rows, what):
    lines = [what, "", f"| instructions | {' | '.join(WAYS.values())} |", "|---" * (len(WAYS) + 1) + "|"]
    lines += [f"| {scenario} | {' | '.join(cell(row, way) for way in WAYS)} |" for scenario, row in rows.items()]
    return "\n".join(lines)


def bars(index, scenario, row):
    """A scenario: its name, and a bar for each way of nwg's, as long as the share of what the stock one costs."""
    top = index * ROW + 30
    yield f'<text x="{LABEL - 10}" y="{top + BAR + 4}" text-anchor="end">{html.escape(scenario)}</text>'
    for place, (way, color) in enumerate(COLORS.items()):
        if way not in row:
            continue
        ratio = row[way] / row["dnat"]
        y = top + place * (BAR + 2)
        yield f'<rect x="{LABEL}" y="{y}" width="{min(ratio, 1.6) * WIDTH / 1.6:.0f}" height="{BAR}" fill="{color}"/>'
        yield f'<text x="{LABEL + min(ratio, 1.6) * WIDTH / 1.6 + 6:.0f}" y="{y + BAR - 3}">{ratio:.2f}</text>'


def picture(rows):
    shown = {scenario: row for scenario, row in rows.items() if "dnat" in row and ("vps" in row or "all" in row)}
    height, one = len(shown) * ROW + 40, LABEL + WIDTH / 1.6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 60}" height="{height}" role="img"'
        ' font-family="sans-serif" font-size="13">',
        "<title>Instructions per packet, as shares of what stock WireGuard with DNAT takes: less is better</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LABEL}" y="18"><tspan fill="{COLORS["vps"]}">■</tspan> {WAYS["vps"]}  '
        f'<tspan fill="{COLORS["all"]}">■</tspan> {WAYS["all"]}</text>',
    ]
    for index, (scenario, row) in enumerate(shown.items()):
        parts += bars(index, scenario, row)
    parts += [
        f'<line x1="{one:.0f}" x2="{one:.0f}" y1="26" y2="{height - 8}" stroke="#b00" stroke-dasharray="4 3"/>',
        f'<text x="{one + 4:.0f}" y="24" fill="#b00">stock, DNAT</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main():
    values, directory, what = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    rows = read(values)
    page = (directory / "RESULTS.md").read_text(encoding="utf-8")
    new, count = re.subn(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table(rows, what)}\n{END}", page, flags=re.S)
    if count != 1:
        sys.exit(f"RESULTS.md: no place for the table: {BEGIN} {END}")
    (directory / "RESULTS.md").write_text(new, encoding="utf-8")
    (directory / "costs.svg").write_text(picture(rows), encoding="utf-8")


main()
