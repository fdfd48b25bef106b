# SPDX-License-Identifier: GPL-2.0
"""What a case may expect, and its result as a line for ktap_lines."""

import traceback


class Failed(Exception):
    """An expectation that did not hold."""


def check(condition, message):
    if not condition:
        raise Failed(message)


def equal(got, wanted, what):
    check(got == wanted, f"{what}: {got!r:.400} instead of {wanted!r:.400}")


def plan(number):
    print(f"plan\t{number}", flush=True)


def report(name, action):
    try:
        action()
        line = ["pass", name, ""]
    except Failed as failed:
        line = ["fail", name, str(failed)]
    except Exception:  # pylint: disable=broad-except
        line = ["fail", name, traceback.format_exc()]
    print("\t".join(text.replace("\t", " ").replace("\n", " | ") for text in line), flush=True)
