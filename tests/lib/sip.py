"""sip.py - a small SIP user agent on a raw UDP socket, for tests that must see every byte.

SPDX-License-Identifier: GPL-2.0-or-later
It sends exactly what a test asks for, answers NOTIFY (200 unless told otherwise) and keeps all
messages received.  It knows digest authentication (digest.py) and nothing that a test does not need.
"""

import itertools
import os
import re
import socket
import threading
import time
import xml.etree.ElementTree as ET

import digest

BMD = "{urn:bmd:dmp:1}"
_numbers = itertools.count(1)


class Message:
    """A SIP message: first line, headers (lower-case names, list of values), body in bytes."""

    def __init__(self, data):
        self.raw = data
        self.at = time.time()
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "replace").split("\r\n")
        self.first = lines[0]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.strip().lower(), []).append(value.strip())

    def get(self, name, default=""):
        return self.headers.get(name.lower(), [default])[0]

    @property
    def is_request(self):
        return not self.first.startswith("SIP/2.0")

    @property
    def method(self):
        return self.first.split(" ", 1)[0] if self.is_request else self.get("cseq").split()[-1]

    @property
    def status(self):
        return 0 if self.is_request else int(self.first.split()[1])

    @property
    def cseq(self):
        return int(self.get("cseq").split()[0])

    def document(self):
        return Document(self.body)


class Document:
    """The DMP document of a NOTIFY."""

    def __init__(self, body):
        root = ET.fromstring(body)
        self.feed = root.get(BMD + "feed")
        self.version = int(root.get(BMD + "version"))
        self.state = root.get(BMD + "state")
        self.more = int(root.get(BMD + "more") or 0)
        counted = root.get(BMD + "counted")
        self.counted = None if counted is None else int(counted)
        filtered = root.get(BMD + "filtered")
        self.filtered = None if filtered is None else int(filtered)
        self.raw = body
        self.alerts = []
        device = ""
        for child in root:
            if child.tag.endswith("Device"):
                device = child.text.strip()
            elif child.tag.endswith("Notify"):
                self.alerts.append(self._alert(device, child))

    @staticmethod
    def _alert(serial, notify):
        alert = {"serial": serial}
        for child in notify.iter():
            name = child.tag.split("}")[-1]
            if name == "device":  # one of those that a storm tells of
                alert.setdefault("some", []).append(dict(child.attrib))
                continue
            text = (child.text or "").strip()
            if text:
                alert[name] = text
            alert.update({key.split("}")[-1]: value for key, value in child.attrib.items()})
        return alert


class Agent:
    """One user agent: one socket, one user.  By TCP it only registers: messages come whole."""

    transport = "UDP"

    def __init__(self, server, user, password, domain=None, host="127.0.0.1", tcp=False, patience=None):
        """patience: seconds for a connection to be made; None: as long as the system tries."""
        self.server = server
        self.user = user
        self.password = password
        self.domain = domain or server[0]
        if tcp:
            self.transport = "TCP"
        self.sock = self._open(host, patience)
        self.host, self.port = self.sock.getsockname()[:2]
        self.host = f"[{self.host}]" if ":" in self.host else self.host
        self.contact = f"sip:{user}@{self.host}:{self.port}"
        self.contact_parameters = ""  # of the header, as ";q=0.5"
        self.display = ""  # of From, with a blank behind it
        self.received = []
        self._seen = set()  # retransmissions are answered, not shown twice
        self.notify_status = 200  # 0: never answer
        self.retransmits = False  # requests by UDP, as RFC 3261 17.1.2.1 says: where floods are, some are lost
        self.ended = False  # the server has closed the connection
        self._inbox = []
        self._news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _open(self, host, patience=None):
        tcp = self.transport == "TCP"
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                             socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind((host, 0))
        if tcp:
            sock.settimeout(patience)
            try:
                sock.connect(self.server)
            except OSError:
                sock.close()
                raise
            sock.settimeout(None)
        return sock

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # wakes the listening thread
        except OSError:
            pass
        self.sock.close()

    # sending

    def send(self, text, body=b""):
        data = text.replace("\n", "\r\n").encode() + body
        if self.transport == "TCP":
            self.sock.sendall(data)
        else:
            self.sock.sendto(data, self.server)

    def request(self, method, uri, dialog, headers="", body=b"", cseq=None, authorization=None,
                from_user=None):
        cseq = cseq or dialog.next_cseq()
        user = from_user or self.user
        to_tag = ";tag=" + dialog.remote_tag if dialog.remote_tag else ""
        auth = authorization + "\n" if authorization else ""
        head = (
            f"{method} {uri} SIP/2.0\n"
            f"Via: SIP/2.0/{self.transport} {self.host}:{self.port};branch=z9hG4bK{os.urandom(8).hex()};rport\n"
            f"Max-Forwards: 70\n"
            f"From: {self.display}<sip:{user}@{self.domain}>;tag={dialog.local_tag}\n"
            f"To: <{dialog.to}>{to_tag}\n"
            f"Call-ID: {dialog.call_id}\n"
            f"CSeq: {cseq} {method}\n"
            f"Contact: <{self.contact}>{self.contact_parameters}\n"
            f"{auth}{headers}"
            f"Content-Length: {len(body)}\n\n")
        self._last = head.replace("\n", "\r\n").encode() + body
        self.send(head, body)
        return cseq

    def authorize(self, challenge, method, uri, password=None):
        return digest.credentials(challenge, self.user, password or self.password, method, uri)

    def transact(self, method, uri, dialog, headers="", body=b"", password=None, timeout=5,
                 from_user=None):
        """Sends a request, answers one challenge, returns the final reply."""
        reply = self._exchange(method, uri, dialog, headers, body, None, timeout, from_user)
        if reply.status == 401:
            line = self.authorize(reply.get("www-authenticate"), method, uri, password)
            reply = self._exchange(method, uri, dialog, headers, body, line, timeout, from_user)
        return reply

    def _exchange(self, method, uri, dialog, headers, body, authorization, timeout, from_user):
        cseq = self.request(method, uri, dialog, headers, body, None, authorization, from_user)
        ended = threading.Event()
        if self.retransmits and self.transport == "UDP":
            threading.Thread(target=self._retransmit, args=(self._last, ended), daemon=True).start()
        try:
            return self.wait(lambda m: not m.is_request and m.get("call-id") == dialog.call_id
                             and m.cseq == cseq and m.status >= 200, timeout, f"reply to {method}")
        finally:
            ended.set()

    def _retransmit(self, data, ended):
        interval = 0.5
        while not ended.wait(interval):
            self.sock.sendto(data, self.server)
            interval = min(2 * interval, 4)

    # receiving

    def _receive(self):
        return self.sock.recvfrom(65535)[0]

    def _listen(self):
        """Answers at once, whatever the test is doing: an unanswered NOTIFY ends a subscription."""
        while True:
            try:
                data = self._receive()
            except OSError:
                self.ended = True
                return
            if not data and self.transport == "TCP":
                self.ended = True
                return
            message = Message(data)
            if message.is_request and self.notify_status:
                try:
                    self.answer(message, self.notify_status)
                except OSError:  # closed meanwhile
                    return
            key = (message.first, message.get("via"), message.get("call-id"), message.get("cseq"))
            with self._news:
                if key not in self._seen:
                    self._seen.add(key)
                    self._inbox.append(message)
                    self._news.notify()

    def pump(self, timeout):
        """Moves what has come, or comes within `timeout` seconds, to `received`; True when something
        did."""
        with self._news:
            if not self._inbox and timeout > 0:
                self._news.wait(timeout)
            taken, self._inbox[:] = list(self._inbox), []
        self.received.extend(taken)
        return bool(taken)

    def answer(self, request, status):
        vias = "".join(f"Via: {v}\n" for v in request.headers.get("via", []))
        self.send(f"SIP/2.0 {status} Answer\n{vias}From: {request.get('from')}\n"
                  f"To: {request.get('to')}\nCall-ID: {request.get('call-id')}\n"
                  f"CSeq: {request.get('cseq')}\nContent-Length: 0\n\n")

    def wait(self, wanted, timeout=5, what="message"):
        """The first message not taken yet that is wanted; AssertionError when none comes in time."""
        until = time.time() + timeout
        while True:
            for i, message in enumerate(self.received):
                if wanted(message):
                    return self.received.pop(i)
            left = until - time.time()
            if left <= 0:
                raise AssertionError(f"no {what} within {timeout} s for {self.user}")
            self.pump(left)

    def notify(self, dialog, timeout=5):
        return self.wait(lambda m: m.is_request and m.method == "NOTIFY"
                         and m.get("call-id") == dialog.call_id, timeout, "NOTIFY")

    def no_notify(self, dialog, seconds):
        try:
            message = self.notify(dialog, seconds)
        except AssertionError:
            return
        raise AssertionError("an unexpected NOTIFY: " + message.first)

    # subscriptions

    def subscribe(self, feed=None, expires=3600, headers="Event: bmd-alert\nAccept: application/dmp\n",
                  dialog=None, password=None, from_user=None, body=b""):
        """SUBSCRIBE, first or again.  Returns (dialog, reply)."""
        dialog = dialog or Dialog(feed or f"sip:{self.user}@{self.domain}")
        expires_line = "" if expires is None else f"Expires: {expires}\n"
        reply = self.transact("SUBSCRIBE", dialog.target, dialog, headers + expires_line, body,
                              password, from_user=from_user)
        if reply.status in (200, 202) and not dialog.remote_tag:
            dialog.remote_tag = re.search(r";tag=([^;>]+)", reply.get("to")).group(1)
            contact = re.search(r"<([^>]+)>", reply.get("contact"))
            dialog.target = contact.group(1) if contact else dialog.target
        return dialog, reply

    def register(self, expires=3600):
        dialog = Dialog(f"sip:{self.user}@{self.domain}")
        return self.transact("REGISTER", f"sip:{self.domain}", dialog, f"Expires: {expires}\n")


class Dialog:
    def __init__(self, to):
        self.to = to
        self.target = to
        self.call_id = f"{next(_numbers)}-{os.urandom(8).hex()}@test"
        self.local_tag = os.urandom(6).hex()
        self.remote_tag = ""
        self._cseq = 0

    def next_cseq(self):
        self._cseq += 1
        return self._cseq
