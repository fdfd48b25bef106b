#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Command lines and configuration files for wg(8) and nwgctl(8), made at random.

usage: grammar.py SEED COUNT

Prints COUNT lines as wg-cases has them, "run STATUS COMMAND", the same for the same SEED. STATUS is

  same     what wg says counts
  refused  nwgctl refuses it, and changes nothing, whatever wg does: it has a value that
           nwgctl(8) names under DIFFERENCES FROM WG

Most are valid, so that most change something; variables and files are those of wg-cases.
"""

import random
import shlex
import sys

# How often a value is not taken from the good ones, a line or word is spoilt.
BAD, DIFFERENT, SPOILT = 0.04, 0.008, 0.025

KEYS = ["$P1", "$P2", "$P3", "$OWN", "$K"]
ZERO_KEY = "A" * 43 + "="
BAD_KEYS = [
    "", "abc", "${P1%=}", "${P1}=", "${P1%g=}h=", "${P1%g=}==", "${P1#x}", "x$P1", "$P1$P2", "=" * 44, "_" * 43 + "=",
    "${P1:0:20}-${P1:21}", "${P1:0:20}=${P1:21}", "\u00e9${P1:2}",
]
KEY_FILES = ["k", "psk", "open", "trailing", "empty", "/dev/null"]
BAD_KEY_FILES = ["leading", "newline", "short", "nosuch", "/", "-", "", "$K", "before"]


class Values:
    """Values of a field: as they should be, as nobody takes them, as only wg takes them."""

    def __init__(self, good, bad, different=()):
        self.good, self.bad, self.different = good, bad, different


PORT = Values(["0", "1", "9", "53", "1111", "51820", "65535", "00051820"],
              ["", "-1", "x", "12x", "0x10", "off", "5,6", "1.5", "--5", "ssh", "5-6", "65535x", "\u0665"],
              ["65536", "+5", "99999"])
FWMARK = Values(["0", "7", "off", "OFF", "oFf", "0x0", "0x7", "0xAbC", "0xffffffff", "4294967295", "010", "0x00000000f"],
                ["", "0x", "0X1F", "0x100000000", "4294967296", "-1", "+1", "x", "0xg", "none", "0x1 0", "1h", "0b1",
                 "99999999999999999999", "0x-1", "of", "offf"])
KEEPALIVE = Values(["0", "off", "OFF", "1", "9", "25", "0025", "65535", "3660"],
                   ["", "65536", "-1", "+1", "x", "0x10", "25s", "1.5", "offf", "99999999999999999999"])
HOSTS = ["192.0.2.{}", "9.9.9.{}", "127.0.0.{}", "10.{}", "0x0a000001", "[2001:db8::{}]", "[::1]", "[fe80::{}%lo]",
         "[fe80::{}%1]", "[::ffff:192.0.2.{}]", "2001:db8::{}", "[192.0.2.{}]", "localhost", "[::]", "0.0.0.0",
         "255.255.255.255", "[ff02::{}]"]
ENDPOINT_PORTS = ["0", "1", "9", "05", "51820", "65535", "domain"]
ENDPOINT = Values([], ["", ":", ":5", "192.0.2.1", "192.0.2.1:", "[::1]", "[::1]:", "[::1", "[]:5", "[::1]5", "::1]:5",
                       "256.0.0.1:5", "192.0.2.1:x", "192.0.2.1:-5", "192.0.2.1:0x5", "[fe80::1%nosuch]:5",
                       "[2001:db8::g]:5", "192.0.2.1:5:6", "[[::1]]:5", "192.0.2.1/32:5", "192.0.2.1;5", "1.2.3.4.5:5"],
                  ["192.0.2.1:65536", "[::1]:65536", "192.0.2.1:+5", "192.0.2.1:70000"])
BAD_PREFIXES = [
    "", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/x", "10.0.0.0/8/8", "10/8",
    "10.0.0/24", "010.0.0.1/8", "256.0.0.0/8", "fd00:::/64", "[fd00::1]/128", "fe80::1%lo/128", "10.0.0.0/0x8",
    "10.0.0.0/255.0.0.0", "/8", "x", "+10.1.0.0/16", "-10.9.9.0/24", "-fd09::/64", "10.0.0.0\\8", "10.0.0.0-10.0.0.9",
    "10.0.0.0/99999999999999999999", "10.0.0.0/4294967328", "1:2:3:4:5:6:7:8:9/64", "::ffff:1.2.3/96", "10.0.0.0 / 8x",
]
SHOWN = ["public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys", "endpoints", "allowed-ips",
         "latest-handshakes", "transfer", "persistent-keepalive", "dump"]


def quoted(text):
    """TEXT as one word of a command line, in which variables count."""
    return f'"{text}"' if " " in text and "$" in text else text if "$" in text else shlex.quote(text)


class Grammar:
    """Makes cases, one after the other."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.different = False

    def chance(self, probability):
        return self.random.random() < probability

    def spoilt(self, factor=1):
        """Not what has a value that is refused on purpose, which could go."""
        return self.chance(SPOILT * factor) and not self.different

    def one_of(self, *choices):
        return self.random.choice(choices)

    def value(self, values, good=None):
        """One of VALUES; GOOD makes the good ones, if they are not a list."""
        if values.different and self.chance(DIFFERENT):
            self.different = True
            return self.random.choice(values.different)
        if self.chance(BAD):
            return self.random.choice(values.bad)
        return good() if good else self.random.choice(values.good)

    def public_key(self):
        def good():
            if self.chance(0.1):
                # Of no private key that anybody knows; the last character has no bits of the padding.
                return "".join(self.random.choices("ABCDEFGHIJKLMNOPqrstuvwxyz0123456789+/", k=42)) + "A="
            return ZERO_KEY if self.chance(0.02) else self.random.choice(KEYS[:4])
        return self.value(Values([], BAD_KEYS), good)

    def secret_key(self):
        return self.value(Values([ZERO_KEY] + 3 * KEYS, BAD_KEYS))

    def port(self):
        def good():
            return str(self.random.randrange(65536)) if self.chance(0.5) else self.random.choice(PORT.good)
        return self.value(PORT, good)

    def fwmark(self):
        def good():
            return hex(self.random.randrange(1 << 32)) if self.chance(0.3) else self.random.choice(FWMARK.good)
        return self.value(FWMARK, good)

    def endpoint(self):
        def good():
            host = self.random.choice(HOSTS).format(self.random.randrange(1, 255))
            return f"{host}:{self.random.choice(ENDPOINT_PORTS)}"
        return self.value(ENDPOINT, good)

    def prefix(self):
        def good():
            number = self.random.randrange(256)
            if self.chance(0.6):
                address, bits = self.one_of(f"10.{number}.0.0", f"10.9.{number}.{number}", "10.9.9.0", "0.0.0.0",
                                            f"192.0.2.{number}", "255.255.255.255"), 32
            else:
                address, bits = self.one_of(f"fd00:{number:x}::", "fd09::", "::", f"::ffff:192.0.2.{number}",
                                            f"FD00::{number:X}", "1:2:3:4:5:6:7:8", f"::{number}.1.2.3"), 128
            length = self.one_of(0, 1, 8, 16, 24, 31, 32, bits - 1, bits, self.random.randrange(bits + 1), "024")
            return address if self.chance(0.15) else f"{address}/{length}"
        return self.value(Values([], BAD_PREFIXES), good)

    def prefixes(self):
        if self.chance(0.04):
            return ""
        items = [self.prefix() for _ in range(self.one_of(1, 1, 1, 2, 3, 6))]
        if self.chance(0.15):
            items.append(self.random.choice(items))
        return self.one_of(",", ",", ", ", " , ").join(items)

    # Command lines

    def set(self):
        """Words of "wg set"."""
        words = [self.interface()]
        for name, make in (("listen-port", self.port), ("fwmark", self.fwmark), ("private-key", self.key_file)):
            if self.chance(0.3):
                words += [name, make()]
        for _ in range(self.one_of(0, 1, 1, 1, 2, 3)):
            words += ["peer", self.public_key()]
            options = [[name, make()] for name, make, chance in (
                ("allowed-ips", self.prefixes, 0.6), ("endpoint", self.endpoint, 0.4),
                ("persistent-keepalive", lambda: self.value(KEEPALIVE), 0.3),
                ("preshared-key", self.key_file, 0.2), ("allowed-ips", self.prefixes, 0.1)) if self.chance(chance)]
            if self.chance(0.12):
                options.append(["remove"])
            self.random.shuffle(options)
            words += sum(options, [])
        if self.spoilt():
            place = self.random.randrange(len(words))
            self.random.choice([
                lambda: words.pop(place),
                lambda: words.insert(place, self.random.choice(words)),
                lambda: words.insert(place, self.one_of("bogus", "", "--", "-h", "peer", "remove", "off", "listen-port")),
                lambda: words.__setitem__(place, words[place].upper() if "$" not in words[place] else "PEER"),
                lambda: words.append(self.one_of("listen-port", "peer", "endpoint", "allowed-ips", "=", "fwmark")),
                lambda: words.__setitem__(place, words[place] + self.one_of("=", " ", ",", "x")),
                lambda: words.reverse(),
            ])()
        return " ".join(quoted(word) for word in ["wg", "set"] + words)

    def key_file(self):
        return self.value(Values(KEY_FILES, BAD_KEY_FILES))

    def interface(self):
        return self.one_of("nosuch", "lo", "wg1") if self.chance(0.01) else "wg0"

    def show(self):
        interface = self.one_of("wg0", "wg0", "wg0", "wg1", "all", "nosuch", "lo")
        what = self.one_of("bogus", "DUMP", "", "peers x") if self.chance(0.04) else self.random.choice(SHOWN)
        # "show all endpoints" differs on purpose.
        if interface == "all" and what == "endpoints":
            what = "peers"
        # Of two mistakes nwgctl says the one that it finds without the kernel, wg the other.
        if interface in ("nosuch", "lo") and what not in SHOWN:
            what = "peers"
        command = self.one_of("wg show", "wg show interfaces", f"wg show {interface}", f"wg showconf {interface}")
        if self.chance(0.7):
            command = f"wg show {interface} {what}"
        if self.chance(0.1):
            command = f"WG_HIDE_KEYS={self.one_of('never', 'always', 'x', '')} {command}"
        if self.chance(0.1):
            command = f"WG_COLOR_MODE={self.one_of('never', 'always', 'auto', 'x')} {command}"
        return command

    # Files

    def spaced(self, text):
        """TEXT with white space where there may be some, which is anywhere."""
        if self.chance(0.06) and "$" not in text:
            place = self.random.randrange(len(text) + 1)
            text = text[:place] + self.one_of(" ", r"\t", "  ", r"\v", r"\f", r"\r") + text[place:]
        return text

    def name(self, text):
        """A name of a section or key."""
        if self.chance(0.1):
            text = self.one_of(text.lower(), text.upper(), text.swapcase())
        return self.spaced(text)

    def assignment(self, name, value):
        equals = self.one_of("=", " = ", " = ", r"\t=\t", " =", "= ")
        line = self.name(name) + equals + self.spaced(value)
        if self.spoilt(0.25):
            line = self.random.choice([
                line.replace("=", "", 1), line.replace("=", "==", 1), line.replace("=", ":", 1), line + ";x", line + ",",
                f"{name} {value}", f"{name}=", "=" + value, f"#{line}", f"x{line}", line.replace("=", r"=\n", 1),
            ])
        if self.chance(0.05):
            line += self.one_of("#", " # comment", "#=", r" \t", " #[Peer]")
        return self.one_of("  ", r"\t") + line if self.chance(0.05) else line

    def interface_section(self):
        lines = [self.name("[Interface]")]
        for name, make, chance in (("PrivateKey", self.secret_key, 0.5), ("ListenPort", self.port, 0.5),
                                   ("FwMark", self.fwmark, 0.4), ("ListenPort", self.port, 0.03)):
            if self.chance(chance):
                lines.append(self.assignment(name, make()))
        return lines

    def peer_section(self):
        lines = [] if self.chance(SPOILT / 2) else [self.assignment("PublicKey", self.public_key())]
        for name, make, chance in (("AllowedIPs", self.prefixes, 0.7), ("Endpoint", self.endpoint, 0.4),
                                   ("PersistentKeepalive", lambda: self.value(KEEPALIVE), 0.3),
                                   ("PresharedKey", self.secret_key, 0.25), ("AllowedIPs", self.prefixes, 0.15),
                                   ("Endpoint", self.endpoint, 0.03)):
            if self.chance(chance):
                lines.append(self.assignment(name, make()))
        if self.chance(0.3):
            self.random.shuffle(lines)
        return [self.name("[Peer]")] + lines

    def file(self):
        """Text for printf's %b within double quotes."""
        sections = [self.interface_section()] if self.chance(0.8) else []
        sections += [self.peer_section() for _ in range(self.one_of(0, 1, 1, 2, 3))]
        if self.chance(0.05):
            sections.append(self.interface_section())
        if self.chance(0.1):
            self.random.shuffle(sections)
        lines = sum(sections, [])
        if self.chance(0.15):
            lines.insert(self.random.randrange(len(lines) + 1), self.one_of("", " ", "#", "# [Peer]", r"\t", "#x=y"))
        if lines and self.spoilt(2):
            place = self.random.randrange(len(lines))
            self.random.choice([
                lambda: lines.pop(place),
                lambda: lines.insert(place, self.random.choice(lines)),
                lambda: lines.insert(place, self.one_of(
                    "[Bogus]", "[Relay]", "[Peer", "Peer]", "[Peer]x", "[]", "junk", "=", ";", "Address = 10.0.0.1/24",
                    "MTU = 1420", "SaveConfig = true", "PublicKey = $P1", "Bogus = 5", r"\xef\xbb\xbf", "[Peer][Peer]")),
                lambda: self.random.shuffle(lines),
            ])()
        end = r"\r\n" if self.chance(0.04) else r"\n"
        text = end.join(lines) + ("" if self.chance(0.1) else end)
        if self.chance(DIFFERENT):
            self.different = True
            # A NUL character is refused, but for one that follows a # .
            text = r"\0000" + text
        return text

    def conf(self):
        command = self.one_of("setconf", "addconf", "syncconf")
        return f"printf '%b' \"{self.file()}\" >f; wg {command} {self.interface()} f"

    def case(self):
        self.different = False
        command = self.random.choices([self.set, self.conf, self.show], [5, 5, 1])[0]()
        if self.chance(0.04):
            command += f" && wg show wg0 {self.random.choice(SHOWN)}"
        return f"run {'refused' if self.different else 'same'} {command}"


def main():
    if len(sys.argv) != 3 or not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit("usage: grammar.py SEED COUNT")
    grammar = Grammar(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        print(grammar.case())


if __name__ == "__main__":
    main()
