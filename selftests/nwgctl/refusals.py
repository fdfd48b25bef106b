#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Whether a test names what nwgctl says when it refuses, and each hint.

The words are taken from the sources: string literals of errors and hints, those that stand side by
side as one, each side of a condition by itself. They are looked for in refusals, in the other tests
of nwgctl and in its unit tests; where the sources have a value to be filled in, a test may have
anything. Prints those that no test names, and is 1 then.

usage: refusals.py [DIRECTORY of the repository]
"""
import pathlib
import re
import sys

# Words that no test can have, and why. Each must be in the sources.
GONE = "between two requests: there is no moment at which a test could remove it"
DUMP = "the kernel refuses nobody this list"
EXCEPTIONS = {
    "interface {0} is gone; make it: ip link add {0} type {1}": GONE,
    "Interface {} is gone": GONE,
    "Unable to access interface {}: the kernel did not describe it": "it always does",
    "The generic netlink family {} has no number": "it always has",
    "{}: the module that is loaded has none": "takes a module of an earlier version",
    "load the one that came with this program: modprobe -r nwg, modprobe nwg":
        "takes a module of an earlier version",
    "Unable to list interfaces": DUMP,
    "Unable to list addresses of {}": DUMP,
    "Unable to list routes": DUMP,
    "Unable to list routing rules": DUMP,
    "Unable to {} the routing rule for table {}": "of a table that is free the kernel takes each rule",
    "Unable to find interface {}": "other than by its absence, which has words of its own",
    "Unable to find the route to {}": "every reason that there can be is taken for no route",
    "what is listed changes too fast to be read as a whole": "takes a list that changes 20 times running",
    "try again": "takes a list that changes 20 times running",
    "Unable to wait: {}": "poll() fails for lack of memory only",
    "Unable to make a PNG file: {}": "for lack of memory only",
    "Unable to go on: {}": "for lack of memory only",
    "there is no terminfo database": "takes a system without the terminals that every one has",
    "install ncurses-base": "takes a system without the terminals that every one has",
    "Unable to get randomness from the kernel": "every kernel has it",
}

# Functions that are told, or return, what an error or a hint is.
CALLS = {"usage_error", "wrong_usage", "failed", "refused", "not_run", "report", "incomplete"}
TOLD_BY = {"hint_for", "why_absent", "check_hint"}
ASSIGNED = re.compile(r"(\w*hint|what|operation|why)$")
BEGINNING = re.compile(r"(Unable to|Invalid) ")
# Fewer letters are a part of something else.
LEAST = 6

TOKEN = re.compile(r"""
	(?P<space>\s+|//[^\n]*|/\*.*?\*/|^\#[^\n]*)
	|(?P<string>"(?:[^"\\\n]|\\.)*")
	|(?P<char>'(?:[^'\\\n]|\\.)+')
	|(?P<word>\w+)
	|(?P<sign>::|->|[-+*/%&|^!=<>]=|.)""", re.VERBOSE | re.DOTALL | re.MULTILINE)
ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}


class Token:
    """A word, a sign, or the text of string literals that are one."""

    def __init__(self, kind, text, line):
        self.kind, self.text, self.line = kind, text, line

    def __repr__(self):
        return f"{self.line}:{self.text!r}"


def unquoted(literal):
    """What a string literal stands for."""
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), literal[1:-1])


def tokens_of(source):
    """Without space and comments; a macro between string literals is a value to be filled in."""
    found = []
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match[0]
        if kind == "space":
            continue
        before = found[-1] if found else None
        if kind == "string":
            text = unquoted(text)
            if before and before.kind == "string":
                before.text += text
                continue
        elif before and before.kind == "string" and re.fullmatch(r"[A-Z][A-Z0-9_]+", text):
            before.text += "{}"
            continue
        found.append(Token(kind, text, source.count("\n", 0, match.start()) + 1))
    return found


def end_of(tokens, start):
    """The place behind what closes the bracket at start."""
    depth = 0
    for place in range(start, len(tokens)):
        if tokens[place].kind == "sign":
            depth += (tokens[place].text in "([{") - (tokens[place].text in ")]}")
        if not depth:
            return place + 1
    return len(tokens)


def end_of_statement(tokens, start):
    """The place of the semicolon that is in no bracket."""
    place = start
    while place < len(tokens) and tokens[place].text not in (";", "}", ")"):
        is_open = tokens[place].kind == "sign" and tokens[place].text in "([{"
        place = end_of(tokens, place) if is_open else place + 1
    return place


def refusing(tokens):
    """Pairs of places between which string literals are what is refused, or hints."""
    for place, token in enumerate(tokens[:-1]):
        after = tokens[place + 1].text
        if token.kind == "string" and BEGINNING.match(token.text):
            yield place, place + 1
        elif token.text == "{" and after == "Exit":
            yield place, end_of(tokens, place)
        elif token.kind != "word":
            continue
        elif token.text in CALLS and after == "(" or token.text == "Error" and after == "{":
            yield place, end_of(tokens, place + 1)
        elif token.text in TOLD_BY and after == "(":
            body = end_of(tokens, place + 1)
            if body < len(tokens) and tokens[body].text == "{":
                yield body, end_of(tokens, body)
        elif ASSIGNED.match(token.text) and after in ("=", "+="):
            yield place, end_of_statement(tokens, place)


def refusals_of(source):
    """(line, words) of each, once."""
    tokens = tokens_of(source)
    found = {}
    for start, end in refusing(tokens):
        for token in tokens[start:end]:
            for words in token.text.split("\n") if token.kind == "string" else ():
                words = words.strip()
                if len(re.findall(r"[A-Za-z]", re.sub(r"\{[^{}]*\}", "", words))) >= LEAST:
                    found.setdefault(words, token.line)
    return [(line, words) for words, line in found.items()]


def pattern_of(words):
    """What a line of a test has that names them."""
    parts = re.split(r"\{[^{}]*\}", words.replace("{{", "{").replace("}}", "}"))
    return re.compile(".*?".join(re.escape(part) for part in parts))


def text_of_tests(top):
    """As it is said: what shells and C++ need to quote it is taken away."""
    text = []
    for pattern in ("selftests/nwgctl/*", "tools/nwgctl/test/*.cpp", "selftests/chain/*.sh"):
        for path in sorted(top.glob(pattern)):
            if path.is_file() and path.name != "refusals.py":
                text.append(path.read_text(errors="replace"))
    text = re.sub(r'"\s*\n\s*"', "", "\n".join(text))
    return re.sub(r"\\([`\"'$])", r"\1", text)


def main():
    """Prints what is missing."""
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]
    tests = text_of_tests(top)
    in_sources, missing = set(), []
    for path in sorted((top / "tools/nwgctl").rglob("*.[ch]pp")):
        name = str(path.relative_to(top))
        if path.parent.name in ("test", "fuzz"):
            continue
        for line, words in refusals_of(path.read_text()):
            in_sources.add(words)
            if words not in EXCEPTIONS and not pattern_of(words).search(tests):
                missing.append(f"{name}:{line}: no test has: {words}")
    missing += [f"refusals.py: no source has: {words}" for words in EXCEPTIONS
                if words not in in_sources]
    print("\n".join(missing) if missing else f"{len(in_sources)} refusals and hints")
    if not in_sources:
        print("refusals.py: no source has any")
    return bool(missing) or not in_sources


if __name__ == "__main__":
    sys.exit(main())
