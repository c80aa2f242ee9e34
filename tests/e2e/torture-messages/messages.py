"""messages.py - reads tests/data/rfc4475.txt.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data", "rfc4475.txt")


class Torture:
    """One message: name, section of the RFC, kind, the statuses it may get, what it is, and its bytes."""

    def __init__(self, head):
        self.name, self.section, self.kind, answers, self.title, self.says = head.split(" | ")
        self.agrees = not answers.endswith("!")
        answers = answers.rstrip("!")
        self.answers = [] if answers == "-" else [int(one) for one in answers.split(",")]
        self.bytes = b""


def decoded(line):
    end = b"\r\n"
    slashes = len(line) - len(line.rstrip("\\"))
    if slashes % 2 == 1:
        line, end = line[:-1], b""
    return re.sub(rb"\\(x[0-9A-F]{2}|\\)", lambda m: b"\\" if m.group(1) == b"\\" else
                  bytes([int(m.group(1)[1:], 16)]), line.encode()) + end


def load():
    found = []
    with open(PATH, encoding="ascii") as file:
        for line in file.read().split("\n")[:-1]:
            if line.startswith("=== "):
                found.append(Torture(line[4:]))
            elif found:
                found[-1].bytes += decoded(line)
    return found
