"""stock.py - presence of the Kamailio package alone, on the database of a running stack.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time

import lib  # sets the path of stack.py
from stack import free_port, wait_until

TEMPLATE = os.path.join(lib.ROOT, "tests", "bench", "stock", "kamailio.cfg.in")
MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules/"
EVENT = {"event": "message-summary", "accept": "application/simple-message-summary"}
RESOURCE = "voicebox"


class Stock:
    """mode: presence's subs_db_mode, 0 memory only, 1 write-through, 2 write-back."""

    def __init__(self, stack, mode=0, auth=False, memory=512):
        self.dir = tempfile.mkdtemp(prefix="bmd-stock.")
        self.port = free_port()
        self.etag = None
        self.cseq = 0
        database = stack.info["db"].replace("user=bmd", "user=kamailio")
        words = {"LISTEN": f"127.0.0.1:{self.port}", "CTL": self.dir + "/ctl", "CONNINFO": database,
                 "REALM": stack.info["domain"], "MODE": mode, "CACHE": 2, "AUTH": int(auth)}
        with open(TEMPLATE, encoding="utf-8") as file:
            text = file.read()
        for name, value in words.items():
            text = text.replace(f"@{name}@", str(value))
        path = self.dir + "/kamailio.cfg"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        with open(self.dir + "/log", "wb") as log:
            self.process = subprocess.Popen(
                ["kamailio", "-DD", "-E", "-f", path, "-m", str(memory), "-M", "16", "-Y", self.dir,
                 "-L", MODULES], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", self.port))
        try:
            wait_until(self._answers, 20, "stock Kamailio")
        except BaseException:
            self.end()
            raise

    @property
    def server(self):
        return f"127.0.0.1:{self.port}"

    def _request(self, method, user, headers="", body=b"", timeout=5.0):
        self.cseq += 1
        here = "%s:%d" % self.socket.getsockname()
        uri = f"sip:{user}@{self.server}"
        self.socket.settimeout(timeout)
        self.socket.send((
            f"{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {here};rport;branch=z9hG4bK{os.urandom(8).hex()}\n"
            f"Max-Forwards: 70\nFrom: <{uri}>;tag={os.urandom(4).hex()}\nTo: <{uri}>\n"
            f"Call-ID: {os.urandom(8).hex()}\nCSeq: {self.cseq} {method}\n{headers}"
            f"Content-Length: {len(body)}\n\n").replace("\n", "\r\n").encode() + body)
        while True:
            answer = self.socket.recv(65536).decode()
            if f"CSeq: {self.cseq} " in answer:
                return answer

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.dir + "/log", encoding="utf-8", errors="replace") as file:
                raise AssertionError("stock Kamailio did not start: " + file.read()[-600:])
        try:
            return self._request("OPTIONS", "x", timeout=0.2).startswith("SIP/2.0 200")
        except OSError:
            return False

    def publish(self, size):
        """New state of `size` bytes, at least 100, stamped now.  The moment before it was sent."""
        stamp = time.time_ns() // 1000
        instant = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp // 1000000))
        body = f'Messages-Waiting: yes\r\nX-State: measured="{instant}.{stamp % 1000000:06d}Z">\r\n'
        body += "X-Text: " + "x" * max(0, size - len(body) - len("X-Text: \r\n")) + "\r\n"
        headers = "Event: message-summary\nExpires: 3600\nContent-Type: application/simple-message-summary\n"
        if self.etag:
            headers += f"SIP-If-Match: {self.etag}\n"
        answer = self._request("PUBLISH", RESOURCE, headers, body.encode(), timeout=60)
        if not answer.startswith("SIP/2.0 200"):
            raise AssertionError("PUBLISH: " + answer.splitlines()[0])
        self.etag = next(line.split(":")[1].strip() for line in answer.splitlines()
                         if line.startswith("SIP-ETag:"))
        return stamp

    def end(self):
        self.socket.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
