"""notifier.py - a registrar and notifier that does what a test says, and a running bmd-watch.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import json
import os
import queue
import re
import socket
import subprocess
import threading
import time

import digest
from sip import Message

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("BMD_BIN", os.path.join(TOP, "build", "bin"))
FEED = "sip:tech1@home.example"


def alert(number, state="active", revision=1, text=""):
    return (f"<Device>OX-{number}</Device><Notify><Variable>SpO2</Variable><Value>84</Value><Event>low</Event>"
            f'<bmd:alert id="00000000-0000-8000-8000-{number:012d}" revision="{revision}" state="{state}" '
            f'priority="high" kind="physiological" measured="2026-11-21T03:00:00.000000Z">'
            f"<bmd:location>{text}</bmd:location></bmd:alert></Notify>")


def document(version, state, *alerts, more=0):
    return (f'<DMPResponse xmlns:bmd="urn:bmd:dmp:1" bmd:version="{version:010d}" bmd:feed="{FEED}" '
            f'bmd:state="{state}" bmd:at="2026-11-21T03:00:00.000000Z" bmd:more="{more}">'
            + "".join(alerts) + "</DMPResponse>")


class Server:
    """UDP and TCP on one port.  Answers REGISTER; gives every SUBSCRIBE to `on_subscribe`."""

    def __init__(self):
        self.udp, self.tcp = self._sockets()
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.port = self.udp.getsockname()[1]
        self.connections = []
        self.subscribes, self.registers, self.answers = queue.Queue(), queue.Queue(), queue.Queue()
        self.messages = queue.Queue()
        self.deaf = False  # OPTIONS are not answered
        self.challenges = []  # values of WWW-Authenticate; none: nobody is asked for a password
        self.password = None  # with which it proves itself; None: it does not
        self.cseq = 0
        self.on_subscribe = lambda message: self.accept(message)
        self.documents = lambda number: document(number, "full")
        threading.Thread(target=self._datagrams, daemon=True).start()
        threading.Thread(target=self._connections, args=(self.tcp,), daemon=True).start()

    @staticmethod
    def _sockets():
        while True:
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            udp.bind(("127.0.0.1", 0))
            try:
                return udp, socket.create_server(udp.getsockname())
            except OSError:  # somebody has that TCP port: take another
                udp.close()

    def listen(self):
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._connections, args=(self.tcp,), daemon=True).start()

    def break_tcp(self):
        """The listener and all connections end, as when a server dies."""
        for one in [self.tcp, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
        self.connections.clear()

    def close(self):
        self.udp.close()
        self.break_tcp()

    def _datagrams(self):
        try:
            while True:
                data, peer = self.udp.recvfrom(70000)
                self._take(Message(data), lambda d, p=peer: self.udp.sendto(d, p))
        except OSError:
            pass

    def _connections(self, listener):
        try:
            while True:
                connection = listener.accept()[0]
                self.connections.append(connection)
                threading.Thread(target=self._stream, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def _stream(self, connection):
        try:
            self._messages(connection)
        except OSError:
            pass

    def _messages(self, connection):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))
            while len(data) < length:
                data += connection.recv(65536)
            self._take(Message(head + b"\r\n\r\n" + data[:length]), connection.sendall)
            data = data[length:]

    def _take(self, message, send):
        message.send = send
        if not message.is_request:
            self.answers.put(message)
        elif self.challenges and message.method in ("REGISTER", "SUBSCRIBE") and not message.get("authorization"):
            self.answer(message, 401, "Unauthorized",
                        "".join(f"WWW-Authenticate: {one}\n" for one in self.challenges))
        elif message.method == "REGISTER":
            self.registers.put(message)
            self.answer(message, 200, "OK", f"Contact: {message.get('contact')};expires=3600\n")
        elif message.method == "SUBSCRIBE":
            self.subscribes.put(message)
            self.on_subscribe(message)
        elif message.method == "OPTIONS" and not self.deaf:
            self.answer(message, 200, "OK")
        elif message.method == "MESSAGE":
            self.messages.put(message)

    def result(self, message, text):
        """The MESSAGE that says what became of the Control in `message`."""
        uri = re.search(r"<([^>]+)>", self.dialog.get("contact")).group(1)
        body = (f"<DMPResponse><Device>*</Device><ControlResponse><Action>accept</Action>"
                f"<ResultCode>{text}</ResultCode></ControlResponse></DMPResponse>").encode()
        message.send((
            f"MESSAGE {uri} SIP/2.0\nVia: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{os.urandom(6).hex()}\n"
            f"Max-Forwards: 70\nFrom: <sip:alert@home.example>;tag=r\nTo: <{FEED}>\n"
            f"Call-ID: {os.urandom(6).hex()}\nCSeq: 1 MESSAGE\nIn-Reply-To: {message.get('call-id')}\n"
            f"Content-Type: application/dmp\nContent-Length: {len(body)}\n\n").replace("\n", "\r\n").encode() + body)

    def answer(self, request, status, phrase, headers=""):
        to = request.get("to")
        tag = "" if ";tag=" in to else ";tag=server"
        vias = "".join(f"Via: {via}\n" for via in request.headers["via"])
        if status == 200 and self.password and request.get("authorization"):
            headers += self.proof(digest.fields(request.get("authorization")))
        request.send((f"SIP/2.0 {status} {phrase}\n{vias}From: {request.get('from')}\nTo: {to}{tag}\n"
                      f"Call-ID: {request.get('call-id')}\nCSeq: {request.get('cseq')}\n{headers}"
                      "Content-Length: 0\n\n").replace("\n", "\r\n").encode())

    def proof(self, terms):
        rspauth = digest.response(terms["algorithm"], "tech1", self.password, "", terms)
        return f'Authentication-Info: rspauth="{rspauth}", qop=auth, cnonce="{terms["cnonce"]}", nc={terms["nc"]}\n'

    def accept(self, message):
        """200 and a full document; a final one for Expires: 0."""
        expires = message.get("expires")
        self.answer(message, 200, "OK",
                    f"Expires: {expires}\nContact: <sip:127.0.0.1:{self.port}>\n")
        self.dialog = message
        self.expires = int(expires)
        self.number = getattr(self, "number", 0) + 1
        self.notify(self.documents(self.number),
                    state="terminated;reason=timeout" if expires == "0" else "active")

    def notify(self, body, state="active", cseq=None, send=None, content_type="application/dmp"):
        """A NOTIFY in the dialog of the last SUBSCRIBE accepted."""
        self.cseq = cseq or self.cseq + 1
        transport = "TCP" if send or "/TCP" in self.dialog.get("via") else "UDP"
        to_tag = self.dialog.get("to").partition(";tag=")[2] or "server"
        uri = re.search(r"<([^>]+)>", self.dialog.get("contact")).group(1)
        body = body.encode() if isinstance(body, str) else body
        if state == "active":
            state = f"active;expires={self.expires}"
        (send or self.dialog.send)((
            f"NOTIFY {uri} SIP/2.0\nVia: SIP/2.0/{transport} 127.0.0.1:{self.port};branch=z9hG4bK{os.urandom(6).hex()}\n"
            f"Max-Forwards: 70\nFrom: <{FEED}>;tag={to_tag}\nTo: {self.dialog.get('from')}\n"
            f"Call-ID: {self.dialog.get('call-id')}\nCSeq: {self.cseq} NOTIFY\n"
            f"Contact: <sip:127.0.0.1:{self.port}>\nEvent: bmd-alert\nSubscription-State: {state}\n"
            f"Content-Type: {content_type}\nContent-Length: {len(body)}\n\n").replace("\n", "\r\n").encode() + body)


class Terminal:
    """A running bmd-watch --json; its lines come in order."""

    running = []

    def __init__(self, server, *arguments, ready=True):
        self.process = subprocess.Popen(
            [os.path.join(BIN, "bmd-watch"), "--aor", FEED, "--registrar", f"sip:127.0.0.1:{server.port}",
             "--local", "127.0.0.1:0", "--json", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "BMD_WATCH_PASSWORD": "secret"})
        Terminal.running.append(self.process)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        if ready:
            self.next("state")

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def next(self, kind, timeout=5):
        """The next line: "state" for a NOTIFY, else an event's name.  Others are passed over."""
        end = time.monotonic() + timeout
        passed = []
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {kind} in {timeout} s, only {passed}") from None
            if line.get("event", "state") == kind:
                return line
            passed.append(line.get("event", "state"))

    def end(self, expected=0, number=None):
        if number:
            self.process.send_signal(number)
        try:
            status = self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("bmd-watch did not end") from None
        assert status == expected, f"exit status {status}, not {expected}"

    @classmethod
    def kill_all(cls):
        for process in cls.running:
            if process.poll() is None:
                process.kill()
            process.wait()
        cls.running.clear()
