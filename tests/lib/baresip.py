"""baresip.py - a stock softphone, registered as one person, that writes to the address of alerts.

SPDX-License-Identifier: GPL-2.0-or-later
Debian's baresip (whose digest is by MD5) without sound, driven over its own control socket.  It shows what comes as its trace of SIP.
"""

import json
import os
import re
import socket
import subprocess

from stack import free_port, wait_until

CONFIG = """sip_listen 127.0.0.1:{sip}
module_path {modules}
module_app menu.so
module_app account.so
module_app contact.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
# Sound that goes nowhere: enough to take calls.
SOUND = """module g711.so
module aubridge.so
audio_source aubridge,silence
audio_player aubridge,silence
"""


def module_path():
    listed = subprocess.run(["dpkg", "-L", "baresip-core"], capture_output=True, text=True, check=True).stdout
    return os.path.dirname(next(line for line in listed.splitlines() if line.endswith("/menu.so")))


class Baresip:
    """calls: it takes calls, at once, and does what a transfer asks for."""

    def __init__(self, stack, user, calls=False):
        self.dir = f"{stack.dir}/baresip-{user}"
        os.mkdir(self.dir)
        info = {t["username"]: t for t in stack.info["technicians"]}[user]
        host, domain = f"{stack.server[0]}:{stack.info['md5_port']}", stack.info["domain"]
        control = free_port()
        self._write("config", CONFIG.format(sip=free_port(), control=control, modules=module_path())
                    + (SOUND if calls else ""))
        self._write("accounts", f'<sip:{user}@{domain}>;auth_user={user};auth_pass={info["password"]};'
                                f'outbound="sip:{host};transport=udp";regint=600;'
                                f'{"answermode=auto;audio_codecs=PCMU" if calls else "audio_codecs="}\n')
        self._write("contacts", f'"Alerts" <sip:alert@{domain}>\n')
        self.log = open(self.dir + "/log", "w+")
        self.process = stack.start("stdbuf", "-o0", "baresip", "-s", "-f", self.dir, stdin=subprocess.DEVNULL, stdout=self.log,
                                   stderr=subprocess.STDOUT)
        wait_until(lambda: "200 OK" in self.text(), 15, "the registration of baresip")
        self.control = socket.create_connection(("127.0.0.1", control), 5)

    def _write(self, name, text):
        with open(os.open(f"{self.dir}/{name}", os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
            file.write(text)

    def text(self):
        self.log.flush()
        with open(self.dir + "/log", errors="replace") as file:
            return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", file.read())

    def say(self, words):
        """Sends a text message; what is printed from then on."""
        before = len(self.text())
        command = json.dumps({"command": "message", "params": words}).encode()
        self.control.sendall(b"%d:%s," % (len(command), command))
        return lambda: self.text()[before:]

    def told(self, words, part, timeout=8):
        """Sends a text and waits until `part` is in what the phone shows."""
        shown = self.say(words)
        try:
            return wait_until(lambda: part in shown() and shown(), timeout, part)
        except AssertionError as error:
            raise AssertionError(f"{error}; the phone shows: {shown()[-600:]}") from None
