"""middle.py - a SIP proxy between one terminal and the server, that may change what passes.

SPDX-License-Identifier: GPL-2.0-or-later
It stays in the dialog by Record-Route, as an honest proxy does; UDP only.
"""

import re
import socket
import threading


class Middle:
    def __init__(self, server):
        self.server = server
        self.terminal = None
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.change = lambda data: data  # of NOTIFYs on their way to the terminal
        self.change_asked = self.change  # of requests of the terminal, with credentials
        self.passed = []                 # NOTIFYs as the server sent them
        self.asked = []                  # requests of the terminal as they went to the server
        threading.Thread(target=self._run, daemon=True).start()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def _run(self):
        while True:
            try:
                data, source = self.sock.recvfrom(70000)
            except OSError:
                return
            if data.strip():
                self._pass(data, source)

    def _pass(self, data, source):
        from_server = source == self.server
        if not from_server:
            self.terminal = source
        if data.startswith(b"SIP/2.0"):
            data = re.sub(rb"(?im)^via:[^\r]*\r\n", b"", data, count=1)
        else:
            data = self._request(data, from_server)
            if not from_server:
                self.asked.append(data)
                if b"\r\nAuthorization:" in data:
                    data = self.change_asked(data)
        target = self.terminal if from_server else self.server
        if target is not None:
            self.sock.sendto(data, target)

    def _request(self, data, from_server):
        data = re.sub(rb"(?im)^route:[^\r]*\r\n", b"", data, count=1)
        # a retransmission keeps its branch
        branch = re.search(rb"branch=([^;\s]+)", data).group(1)
        mine = b"Via: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bKmiddle%s;rport\r\n" % (self.port, branch[7:])
        if data.startswith(b"SUBSCRIBE"):
            mine += b"Record-Route: <sip:127.0.0.1:%d;lr>\r\n" % self.port
        if from_server and data.startswith(b"NOTIFY"):
            self.passed.append(data)
            data = self.change(data)
        return re.sub(rb"\r\n", b"\r\n" + mine.replace(b"\\", b"\\\\"), data, count=1)


def with_length(head, body):
    """A message with the Content-Length of this body."""
    head = re.sub(rb"(?im)^content-length:[^\r]*", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


def header(name, value):
    """A change that gives a header another value."""
    return lambda data: re.sub(rb"(?im)^" + name + rb":[^\r]*", name + b": " + value, data, count=1)


def flip(data):
    """One bit in the middle of the body."""
    head, _, body = data.partition(b"\r\n\r\n")
    at = len(body) // 2
    return head + b"\r\n\r\n" + body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]


def replaced(content_type, body):
    """Another body instead."""
    def change(data):
        head = data.partition(b"\r\n\r\n")[0]
        head = re.sub(rb"(?im)^content-transfer-encoding:[^\r]*\r\n", b"", head)
        head = re.sub(rb"(?im)^content-type:[^\r]*", b"Content-Type: " + content_type, head)
        return with_length(head, body)
    return change
