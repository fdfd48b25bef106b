#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""nwgctl top in a terminal of its own, which pyte is: what is on it, what keys and signals do, and what is
left of it. Runs on the vps of a chain whose pc sends all the time, and prints results for ktap_lines.

usage: top.py NWGCTL PREFIX KEY ENDPOINT-PORT CLIENT-PORT: PREFIX is before the names of the results, KEY is the
home's of wg1, where wg1 finds the home and the pc its relay."""

import atexit
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pyte

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "netlink"))

from report import check, equal, report  # pylint: disable=wrong-import-position

NWGCTL, PREFIX, KEY, HOME_PORT, CLIENT_PORT = sys.argv[1:]
# For what should come at once; in virtual time the host has all the time it needs.
PATIENCE = 30
UP, DOWN, PAGE_DOWN, HOME, END = b"\033OA", b"\033OB", b"\033[6~", b"\033[1~", b"\033[4~"
SCALE = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ask(*words):
    return json.loads(run(NWGCTL, "-j", *words))


def describe_terminal():
    """What there is of GNU Screen's terminal in pyte, as TERM=pyte for the programs that are started."""
    directory = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, directory)
    entry = re.sub(r"^\t(cbt|indn|rin)=.*\n", "", run("infocmp", "-1", "screen-256color"), flags=re.MULTILINE)
    source = pathlib.Path(directory, "pyte")
    source.write_text(re.sub(r"^screen-256color\|", "pyte|", entry, flags=re.MULTILINE), encoding="ascii")
    run("tic", "-x", "-o", directory, str(source))
    return {"TERM": "pyte", "TERMINFO": directory}


class Terminal:
    """The program in a terminal of so many rows and columns, as the leader of a session."""

    def __init__(self, *words, rows=24, columns=80, program=NWGCTL, **environment):
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self.set_size(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **TERMINAL, **environment}
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            [program, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave, env=environment,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def set_size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        self.screen.resize(rows, columns)
        self.set_size(rows, columns)

    def pump(self, seconds):
        """What comes in so long at most, if anything does."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 65536)
        self.raw += data
        self.stream.feed(data)
        return True

    def settle(self):
        while self.pump(0.1):
            pass

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def reversed(self, start):
        """Whether the line that begins so is in reverse video."""
        return any(self.screen.buffer[row][0].reverse for row, line in enumerate(self.screen.display)
                   if line.startswith(start))

    def wait(self, what, wanted):
        """Until wanted() of the text is so, which is returned."""
        deadline = time.monotonic() + PATIENCE
        while not (found := wanted(self.text)):
            check(time.monotonic() < deadline, f"{what}: not on\n{self.text}")
            check(self.process.poll() is None or self.pump(0), f"{what}: it has ended on\n{self.text}")
            self.pump(0.1)
        return found

    def has(self, pattern):
        return self.wait(pattern, lambda text: re.search(pattern, text, re.MULTILINE))

    def has_not(self, pattern):
        return self.wait(f"no {pattern}", lambda text: not re.search(pattern, text, re.MULTILINE))

    def press(self, keys):
        os.write(self.master, keys)

    def ends(self, status):
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            check(time.monotonic() < deadline, f"it goes on:\n{self.text}")
            self.pump(0.1)
        while self.pump(0):
            pass
        equal(self.process.returncode, status, "status")

    def is_given_back(self):
        equal(termios.tcgetattr(self.slave), self.before, "attributes of the terminal")
        check(not self.screen.cursor.hidden, "the cursor is hidden")
        check(b"\033[?1049h" in self.raw and self.raw.rindex(b"\033[?1049l") > self.raw.rindex(b"\033[?1049h"),
              "the alternate screen is not left")


TERMINAL = describe_terminal()


def number(text):
    digits, prefix = re.fullmatch(r"([0-9.]+) ?([kMG]?)", text).groups()
    return float(digits) * SCALE[prefix]


NUMBER, BITS = "([0-9.]+[kMG]?)", "([0-9.]+ [kMG]?)bit/s"
RATES = re.compile(rf"^  → +{BITS} +{NUMBER} pkt/s  ← +{BITS} +{NUMBER} pkt/s  ", re.MULTILINE)
FLOW = re.compile(rf"^192\.0\.2\.2:{CLIENT_PORT} +\*:60000 +established +{NUMBER} +{NUMBER} ", re.MULTILINE)
PEER = re.compile(rf"^{re.escape(KEY[:8])} +wg1 +198\.51\.100\.2:{HOME_PORT} +[0-9msh]+ +{NUMBER} +{NUMBER} +[▁-█]",
                  re.MULTILINE)


def shown(terminal, pattern):
    return [number(text) for text in terminal.wait(pattern.pattern, pattern.search).groups()]


def counters():
    relay = ask("relay", "show", "listen", "60000")[0]
    flow = [flow for flow in ask("flow", "show") if flow["client_port"] == int(CLIENT_PORT) and
            flow["client_address"] == "192.0.2.2"][0]
    peer = [peer for device in ask("show") if device["ifname"] == "wg1"
            for peer in device["peers"] if peer["public_key"] == KEY][0]
    directions = relay["forward"], relay["reverse"]
    return time.monotonic(), [
        *[factor * direction[name] for direction in directions
          for factor, name in ((8, "forwarded_bytes"), (1, "forwarded_packets"))],
        *[8 * flow[direction]["forwarded_bytes"] for direction in ("forward", "reverse")],
        8 * peer["transfer_rx"], 8 * peer["transfer_tx"]]


def all_are_shown(rows, columns):
    with Terminal("top", "delay", "1", rows=rows, columns=columns) as top:
        top.has(r"^nwgctl top [0-9:]{8}  every 1 s  [0-9]+ interfaces?, 2 relays, 3 flows, [0-9]+ peers$")
        top.has(r"^\*:60000 +172\.16\.1\.254:60000 +wg1 +up +3 +[0-9.]+$")
        top.has(r"^\*:60001 +172\.16\.1\.254:60000 +wg1 +up +0 +[0-9.]+$")
        top.has(rf"^192\.0\.2\.2:{CLIENT_PORT} +\*:60000 +established .* [0-9.]+ [KM]iB +0s$")
        top.has(r"^q quit  h help  Tab section  ↑↓ scroll  s sort  r reverse  p pause  \+/- delay$")
        for pattern in (RATES, FLOW, PEER):
            check(all(value > 0 for value in shown(top, pattern)), f"nothing of {pattern.pattern} in\n{top.text}")
        check(len(top.text.split("\n")) == rows, "not as many rows")
        if columns >= 120:
            top.has("→pkt/s +←pkt/s")
        top.press(b"q")
        top.ends(0)


def rates_agree():
    """Of a sender that does not change. One reading may have a datagram more or less: 15 %."""
    with Terminal("top", "delay", "2", columns=100) as top:
        shown(top, RATES)
        top.has("[▂-█]{2}")
        begin, before = counters()
        samples = []
        while len(samples) < 4:
            clock = top.text[11:19]
            top.wait("the time goes on", lambda text, last=clock: text[11:19] != last)
            top.settle()
            samples.append(shown(top, RATES) + shown(top, FLOW) + shown(top, PEER))
        end, after = counters()
    for index, (was, became) in enumerate(zip(before, after)):
        measured = (became - was) / (end - begin)
        average = sum(sample[index] for sample in samples) / len(samples)
        check(abs(average - measured) < 0.15 * measured,
              f"rate {index}: {average:.0f} of {[sample[index] for sample in samples]}, {measured:.0f} by the counters")


def in_letters():
    with Terminal("top", "delay", "0.5", LC_ALL="C") as top:
        top.has(r"^  > +[0-9.]+ [kM]bit/s .*  < .*  +[_.:=+*#-]+$")
        top.has(r"  Up/Dn scroll  .* delay$")
        check(top.text.isascii(), top.text)


def colours():
    """As WG_COLOR_MODE and NO_COLOR say."""
    for words, environment, wanted in (((), {}, True), ((), {"NO_COLOR": "1"}, False), (("-c=never",), {}, False),
                                       (("-c",), {"NO_COLOR": "1"}, True)):
        with Terminal(*words, "top", "delay", "0.5", **environment) as top:
            top.has("[▂-█]{2}")
            equal(b"\033[36m" in top.raw, wanted, f"colours with {words} {environment}")


def resized():
    """Whatever the environment says of it."""
    with Terminal("top", "delay", "60", LINES="10", COLUMNS="30") as top:
        top.has("^q quit  h help")
        top.has("[▁-█]")
        for rows, columns in ((40, 120), (5, 20), (1, 1), (24, 80)):
            top.resize(rows, columns)
            top.wait(f"{rows}x{columns}", lambda text, last=rows, width=columns:
                     text.split("\n")[last - 1] == "q quit  h help  Tab section  ↑↓ scroll  s sort  r reverse  "
                                                   "p pause  +/- delay"[:width].rstrip())
            if rows >= 24:
                top.has(FLOW.pattern)
            if rows == 5:
                top.has("^192.0.2.2")
        top.press(b"q")
        top.ends(0)
        top.is_given_back()


def order_of(text):
    return re.findall(r"^([0-9.]+:[0-9]+) +\*:60000 ", text, re.MULTILINE)


def sorted_flows():
    with Terminal("top", "delay", "1") as top:
        top.wait("three flows", lambda text: len(order_of(text)) == 3)
        top.has("^FLOWS by rate ")
        top.wait("the pc first", lambda text: order_of(text)[0] == f"192.0.2.2:{CLIENT_PORT}")
        top.press(b"r")
        top.has("^FLOWS by rate, reversed ")
        top.wait("the pc last", lambda text: order_of(text)[2] == f"192.0.2.2:{CLIENT_PORT}")
        top.press(b"rss")
        top.has("^FLOWS by client ")
        top.settle()
        flows = sorted((flow["client_address"], flow["client_port"]) for flow in ask("flow", "show"))
        equal(order_of(top.text), [f"{address}:{port}" for address, port in flows], "by client")
        top.press(b"s")
        top.has("^FLOWS by idle ")
        top.press(b"s")
        top.has("^FLOWS by rate ")


def scrolled():
    """The section that has the keys: of 30 more peers some are left out, which it says."""
    with Terminal("top", "delay", "60") as top:
        top.has("^FLOWS by rate ")
        more = int(top.has("^  ([0-9]+) more$")[1])
        check(more > 10, f"{more} more")
        check(top.reversed("FLOWS") and not top.reversed("PEERS"), "it is not the flows that have the keys")
        top.press(b"\t")
        top.wait("the peers have the keys", lambda _: top.reversed("PEERS") and not top.reversed("FLOWS"))
        top.press(DOWN + DOWN + UP)
        top.has(f"^  1 above, {more - 1} more$")
        top.press(PAGE_DOWN)
        top.has("^  [0-9]{2} above, ")
        top.press(END)
        top.has("^  [0-9]+ above, 0 more$")
        top.press(HOME)
        top.has(f"^  {more} more$")
        # Fewer than fit are not scrolled.
        top.press(b"\t\t" + DOWN + DOWN)
        top.wait("three flows", lambda text: len(order_of(text)) == 3)


def helped():
    with Terminal("top", "delay", "1") as top:
        top.has("^q quit  h help")
        top.press(b"h")
        top.has("sort flows by rate, bytes, client, idle time")
        check(not order_of(top.text), top.text)
        top.press(b"\033")
        top.has("^FLOWS by rate ")
        top.press(b"?")
        top.has("any other key: back")
        top.press(b"q")
        top.ends(0)


def paused():
    with Terminal("top", "delay", "0.5") as top:
        shown(top, RATES)
        top.press(b"p")
        top.has("  paused  ")
        top.settle()
        text = top.text
        until = time.monotonic() + 4
        while time.monotonic() < until:
            top.pump(0.5)
        equal(top.text, text, "what is paused")
        top.press(b"s")
        top.has("^FLOWS by bytes ")
        top.press(b" ")
        top.has("  every 0.5 s  ")
        clock = top.text[11:19]
        top.wait("the time goes on", lambda text: text[11:19] != clock)
        top.press(b"+")
        top.has("  every 1 s  ")
        top.press(b"--")
        top.has("  every 0.5 s  ")


def relay_goes():
    with Terminal("top", "delay", "0.5") as top:
        top.has(r"^\*:60001 ")
        run(NWGCTL, "relay", "del", "listen", "60001")
        top.has_not(r"^\*:60001 ")
        top.has(r", 1 relay, ")
        run(NWGCTL, "relay", "add", "dev", "wg1", "listen", "60001", "peer", KEY, "to", "172.16.1.254:60000")
        top.has(r"^\*:60001 +.* up +0 ")


def interface_goes():
    """With dev, what is not of it is not shown; and where it goes, that is said until it is back."""
    run("ip", "link", "add", "wg9", "type", "nwg")
    with Terminal("top", "dev", "wg9", "delay", "0.5") as top:
        top.has("  1 interface, 0 relays, 0 flows, 0 peers$")
        run("ip", "link", "del", "wg9")
        top.has("^Unable to list relays: No such device$")
        top.has("ip link add wg9 type nwg")
        run("ip", "link", "add", "wg9", "type", "nwg")
        top.has_not("^Unable to list relays")
        run(NWGCTL, "set", "wg9", "peer", KEY)
        top.has("  1 interface, 0 relays, 0 flows, 1 peer$")
        top.has(rf"^{re.escape(KEY[:8])} +wg9 +- +never ")
        run("ip", "link", "del", "wg9")
        top.press(b"q")
        top.ends(0)
        top.is_given_back()


def ends_by(action):
    with Terminal("top") as top:
        top.has("^q quit  h help")
        check(top.screen.cursor.hidden, "the cursor is there")
        action(top)
        top.ends(0)
        top.is_given_back()


def stops():
    """By a shell, which has the terminal as it was until it goes on."""
    with Terminal("--norc", "-i", program="bash", PS1="ready:") as shell:
        shell.has("^ready:")
        shell.press(f"{NWGCTL} top delay 60\n".encode())
        shell.has("^q quit  h help")
        shell.press(b"\032")
        shell.has("Stopped .*\n+ready:")
        check(not shell.screen.cursor.hidden and shell.raw.endswith(b"ready:"), f"not given back: {shell.raw[-200:]}")
        shell.press(b"fg\n")
        shell.has("^q quit  h help")
        shell.press(b"h")
        shell.has("any other key: back")
        shell.press(b"q")
        shell.wait("the shell again", lambda _: shell.raw.endswith(b"ready:"))
        shell.press(b"exit $?\n")
        shell.ends(0)
        shell.is_given_back()


def hung_up():
    top = Terminal("top", "delay", "60")
    top.has("^q quit  h help")
    os.close(top.slave)
    os.close(top.master)
    equal(top.process.wait(PATIENCE), 0, "status")


ELSEWHERE = "for files and scripts there are: nwgctl metrics; nwgctl monitor; nwgctl -j relay show"


def refused(words, *arguments, **environment):
    with Terminal(*arguments, **environment) as top:
        top.ends(1)
        check(words in top.text.replace("\n", ""), f"{words}: not in\n{top.text}")
        check(b"\033[" not in top.raw, f"it has been drawn on: {top.raw}")
        equal(termios.tcgetattr(top.slave), top.before, "attributes of the terminal")


def without_terminal():
    for stream, redirected in (("input", {"stdin": subprocess.DEVNULL}), ("output", {"stdout": subprocess.PIPE})):
        master, slave = pty.openpty()
        process = subprocess.run([NWGCTL, "top"], check=False, text=True, stderr=subprocess.PIPE, timeout=PATIENCE,
                                 **{"stdin": slave, "stdout": slave, **redirected})
        equal(process.returncode, 1, "status")
        check(f"Unable to draw: standard {stream} is not a terminal" in process.stderr and
              "nwgctl metrics; nwgctl monitor" in process.stderr, process.stderr)
        os.close(master)
        os.close(slave)


def module_goes():
    with Terminal("top", "delay", "0.5") as top:
        shown(top, RATES)
        run("rmmod", "nwg")
        top.has("^Unable to find the generic netlink family nwg: No such file or directory$")
        top.has("modprobe nwg")
        top.has("  0 interfaces, 0 relays, 0 flows, 0 peers$")
        run(*(["insmod", os.environ["NWG_MODULE"]] if os.environ.get("NWG_MODULE") else ["modprobe", "nwg"]))
        top.has_not("^Unable")
        top.press(b"q")
        top.ends(0)
        top.is_given_back()


CASES = (
    ("relays, flows and peers at 80x24", lambda: all_are_shown(24, 80)),
    ("relays, flows and peers at 120x40", lambda: all_are_shown(40, 120)),
    ("rates are what the counters say", rates_agree),
    ("ASCII, where the locale is not of UTF-8", in_letters),
    ("colours, where they are wanted", colours),
    ("the window gets another size, also a tiny one", resized),
    ("flows are sorted", sorted_flows),
    ("a section is scrolled, and what is left out is said", scrolled),
    ("help", helped),
    ("pause, and another delay", paused),
    ("a relay goes and comes", relay_goes),
    ("the interface goes and comes", interface_goes),
    ("q ends it, and the terminal is as before", lambda: ends_by(lambda top: top.press(b"q"))),
    ("Q, likewise", lambda: ends_by(lambda top: top.press(b"Q"))),
    ("^C, likewise", lambda: ends_by(lambda top: top.press(b"\003"))),
    ("^\\, likewise", lambda: ends_by(lambda top: top.press(b"\034"))),
    ("SIGTERM, likewise", lambda: ends_by(lambda top: top.process.terminate())),
    ("SIGHUP, likewise", lambda: ends_by(lambda top: top.process.send_signal(signal.SIGHUP))),
    ("it is stopped, and goes on", stops),
    ("the terminal goes", hung_up),
    ("refused: no terminal", without_terminal),
    ("refused: TERM is not set", lambda: refused(
        "Unable to draw: TERM is not set  hint: set it to the terminal's type, such as xterm; " + ELSEWHERE,
        "top", TERM="")),
    ("refused: one that is not known", lambda: refused(
        "Unable to draw: TERM: `nosuch' is not known  hint: set TERM to one that infocmp(1) knows, "
        "such as xterm, or install ncurses-term; " + ELSEWHERE, "top", TERM="nosuch")),
    ("refused: one without a cursor", lambda: refused(
        "Unable to draw: a terminal of the type `dumb' has no cursor to move  hint: if it is another one, "
        "set TERM to its type, such as xterm; " + ELSEWHERE, "top", TERM="dumb")),
    ("refused: a delay that is none", lambda: refused("`0' is no delay  hint: it is 0.1 to 3600 seconds",
                                                      "top", "delay", "0")),
    ("refused: JSON", lambda: refused("is not shown as JSON", "-j", "top")),
    ("the module goes and comes", module_goes),
)

for title, case in CASES:
    report(PREFIX + title, case)
