#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Completes words in a shell as a person does, with the tabulator, on a terminal.

usage: completion.py bash|zsh|fish <CASES

Each line of standard input is a case: its name, what is typed, and what must come of it, with tabs between. What must come
of it is the words of the line, each in <>; or, behind "list", words that are shown. Prints results for ktap_lines; the last
one is that nothing else was written."""

import re
import sys

import pexpect

PATIENCE = 60
SHELLS = {
    "bash": ["bash", ["--norc", "--noprofile", "-i"]],
    "zsh": ["zsh", ["-f", "-i"]],
    "fish": ["fish", ["-i"]],
}
# GOT<word>...: the words that the shell has read. What is in the line is all that may be written on a terminal.
PREPARE = {
    "bash": r"""
PS1='> '
bind 'set bell-style none' 'set enable-bracketed-paste off'
bind 'set show-all-if-ambiguous on'
bind 'set page-completions off'
bind 'set completion-query-items 0'
. /usr/share/bash-completion/bash_completion
words() { printf 'GO''T'; printf '<%s>' "$@"; echo; }
""",
    "zsh": r"""
PS1='> '
bindkey -e
unsetopt zle_bracketed_paste prompt_sp beep auto_remove_slash
unset zle_bracketed_paste
LISTMAX=10000
fpath=("$COMPLETION" $fpath)
autoload -Uz compinit
compinit -u -D
words() { printf 'GO''T'; printf '<%s>' "$@"; echo; }
""",
    "fish": r"""
function fish_prompt; echo '> '; end
set fish_autosuggestion_enabled 0
function words; printf 'GO''T'; printf '<%s>' $argv; echo; end
""",
}
# What a terminal is told besides text: of colours, which may change within a word, and of all else.
COLOR = re.compile(r"\x1b\[[0-9;]*m|\x1b\(B|\x0f")
CONTROL = re.compile(r"\x1b\[[0-9;?>=]*[ -/]*[@-~]|\x1b[][()>=78][^\x1b\x07]{0,1}|[\r\x07\x08]")
ERROR = re.compile(r"(not found|No such|Unable|Invalid|hint:|Usage:|rror:|denied).*")


def plain(text):
    return CONTROL.sub(" ", COLOR.sub("", text))


class Shell:
    def __init__(self, name):
        program, arguments = SHELLS[name]
        self.child = pexpect.spawn(program, arguments, encoding="utf-8", codec_errors="replace",
                                   timeout=PATIENCE, dimensions=(200, 200))
        self.child.logfile_read = self
        self.text = ""
        for line in PREPARE[name].strip().split("\n"):
            self.child.send(line + "\r")
        self.marks = 0
        self.synchronise()
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def got(self):
        self.child.expect(r"GOT((?:<[^>\r\n]*>)+)\r")
        return self.child.match.group(1)

    def synchronise(self):
        """Until what was written before has been read."""
        self.marks += 1
        self.child.send(f"words mark {self.marks}\r")
        while self.got() != f"<mark><{self.marks}>":
            pass

    def words(self, typed):
        """The line's words once @typed is completed."""
        # To its beginning, and a command instead of it.
        self.child.send(f"{typed}\t\x01words \r")
        return self.got()

    def shown(self, typed, wanted):
        """Those of @wanted that are not shown for @typed."""
        begin = len(self.text)
        missing = wanted
        self.child.send(f"{typed}\t")
        while missing:
            if self.child.expect([r"\S", pexpect.TIMEOUT], timeout=PATIENCE) == 1:
                break
            shown = plain(self.text[begin:]).split()
            missing = [word for word in wanted if word not in shown]
        self.child.send("\x03")
        return missing


def main():
    shell = Shell(sys.argv[1])
    for line in sys.stdin:
        name, typed, *wanted = line.rstrip("\n").split("\t")
        begin = len(shell.text)
        if wanted[0] == "list":
            missing = shell.shown(typed, wanted[1:])
            problem = f"{missing} are not shown" if missing else ""
        else:
            got = shell.words(typed)
            problem = "" if got == wanted[0] else f"{got} instead of {wanted[0]}"
        shell.synchronise()
        if problem:
            problem += f": {plain(shell.text[begin:])[:1000]!r}"
        print("fail" if problem else "pass", f"{sys.argv[1]}: {name}", problem, sep="\t", flush=True)
    error = ERROR.search(plain(shell.text))
    print("fail" if error else "pass", f"{sys.argv[1]}: no error is written on the terminal",
          repr(error[0]) if error else "", sep="\t", flush=True)


main()
