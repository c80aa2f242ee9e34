"""terminal.py - bmd-watch as a technician has it: one that writes JSON, and one on a screen.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading

from stack import BIN, wait_until


def command_line(stack, user, *arguments):
    info = {t["username"]: t for t in stack.info["technicians"]}[user]
    return [f"{BIN}/bmd-watch", "--aor", info["aor"], "--registrar",
            f"sip:{stack.info['sip_host']}:{stack.info['sip_port']}", "--password-file", info["password_file"],
            "--local", "127.0.0.1:0", *arguments]


class Terminal:
    """bmd-watch --json with its standard input in our hands."""

    def __init__(self, stack, user, *arguments):
        self.path = f"{stack.dir}/{user}-{len(stack.children)}.jsonl"
        self.process = stack.start(*command_line(stack, user, "--json", *arguments), stdin=subprocess.PIPE,
                                   stdout=open(self.path, "w"), stderr=subprocess.STDOUT, text=True)
        self.wait(lambda o: o.get("state") == "full", "full state")

    def quit(self):
        self.say("quit")
        assert self.process.wait(10) == 0, self.process.returncode

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def objects(self):
        with open(self.path) as file:
            return [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]

    def wait(self, wanted, what, timeout=10):
        return wait_until(lambda: next((o for o in self.objects() if wanted(o)), None), timeout, what)

    def answer(self, line, timeout=12):
        """What became of a command."""
        before = sum(o.get("event") == "answer" for o in self.objects())
        self.say(line)
        return wait_until(lambda: [o for o in self.objects() if o.get("event") == "answer"][before:], timeout,
                          f"the result of {line}")[0]

    def shows(self, code, **wanted):
        return self.wait(lambda o: any(a["code"] == code and all(a[k] == v for k, v in wanted.items())
                                       for a in o.get("alerts", [])), f"{code} with {wanted}")


class Screen:
    """bmd-watch on a pseudo-terminal of 24 lines of 100."""

    def __init__(self, stack, user):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = stack.start(*command_line(stack, user), stdin=theirs, stdout=theirs, start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.theirs = theirs  # kept: its modes go with the last that has it open
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.ours, 65536)
            except OSError:
                return
            self.text += data.decode("utf-8", "replace")

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def now(self):
        """The screen as it was last drawn whole, without colours."""
        drawn = self.text.split("\x1b[H")[-1]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", drawn)

    def wait(self, *parts, timeout=10):
        def there():
            shown = self.now()
            return all(part in shown for part in parts) and shown
        try:
            return wait_until(there, timeout, str(parts))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows:\n{self.now()}") from None
