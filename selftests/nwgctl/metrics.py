#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Reads Prometheus' text exposition format from standard input, strictly: every line is one of HELP, TYPE
or a sample; each family is in one piece, its HELP and TYPE before its samples; names, escapes, values and
types are right; counters, and only those, end in _total; no series is there twice, or has other labels
than its family's. Prints what it read as JSON: a list of name, labels and value."""

import json
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")
ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def fail(number, line, why):
    sys.exit(f"line {number}: {why}: {line}")


def unescape(text):
    return re.sub(r"\\.", lambda match: ESCAPES[match[0]], text)


def main():
    text = sys.stdin.buffer.read().decode("utf-8", "strict")
    if not text.endswith("\n"):
        sys.exit("the last line has no end")
    kinds, seen, label_names, samples = {}, set(), {}, []
    helped = current = None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        if match := HELP.fullmatch(line):
            helped = match[1]
            if helped in kinds:
                fail(number, line, "the family was there before")
        elif match := TYPE.fullmatch(line):
            current = match[1]
            if current != helped or current in kinds:
                fail(number, line, "no HELP of its own before it")
            if (match[2] == "counter") != current.endswith("_total"):
                fail(number, line, "_total is for counters")
            kinds[current] = match[2]
        elif match := SAMPLE.fullmatch(line):
            name, labels = match[1], {}
            if name != current or helped != current:
                fail(number, line, "not of the family above")
            for label, value in re.findall(LABEL, match[2] or ""):
                if label in labels or label.startswith("__"):
                    fail(number, line, f"label {label}")
                labels[label] = unescape(value)
            if label_names.setdefault(name, list(labels)) != list(labels):
                fail(number, line, "other labels than before")
            series = name, *sorted(labels.items())
            if series in seen:
                fail(number, line, "twice")
            seen.add(series)
            samples.append({"name": name, "labels": labels, "value": float(match.groups()[-1])})
        else:
            fail(number, line, "not of the format")
    empty = [name for name in kinds if not any(sample["name"] == name for sample in samples)]
    if empty or not samples:
        sys.exit(f"no sample: {empty}")
    json.dump(samples, sys.stdout)


main()
