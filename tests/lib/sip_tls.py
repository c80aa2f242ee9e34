"""sip_tls.py - the user agent of sip.py on one TLS connection, with or without a certificate of its own.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import re
import select
import socket
import ssl
import threading
import time

from sip import Agent


def context(ca, certificate=None):
    """What a client trusts, and who it is: `certificate` names a .crt beside its .key."""
    made = ssl.create_default_context(cafile=ca)
    if certificate:
        made.load_cert_chain(certificate, certificate[:-4] + ".key")
    return made


class TlsAgent(Agent):
    """As Agent.  OSError (ssl.SSLError) when the server does not take the connection."""

    transport = "TLS"

    def __init__(self, server, user, password, domain, tls):
        self.tls = tls
        self._lock = threading.Lock()  # one thread at a time within the connection
        self._data = b""
        super().__init__(server, user, password, domain)
        self.contact += ";transport=tls"

    def _open(self, host, patience=None):
        plain = socket.create_connection(self.server, patience or 5)
        sock = self.tls.wrap_socket(plain, server_hostname=self.server[0])
        sock.setblocking(False)
        return sock

    def send(self, text, body=b""):
        data = text.replace("\n", "\r\n").encode() + body
        until = time.time() + 5
        while data:
            with self._lock:
                try:
                    data = data[self.sock.send(data):]
                    continue
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            assert time.time() < until, "the server takes nothing"
            time.sleep(0.01)

    def _more(self):
        while True:
            if self.sock.fileno() < 0:
                raise OSError("closed")
            with self._lock:
                try:
                    data = self.sock.recv(65536)
                    if not data:
                        raise OSError("the server has closed the connection")
                    return data
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    pass
            try:
                select.select([self.sock], [], [], 0.1)
            except ValueError:
                raise OSError("closed") from None

    def _receive(self):
        while True:
            self._data = self._data.lstrip(b"\r\n")
            head, found, rest = self._data.partition(b"\r\n\r\n")
            if found:
                length = int(re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head).group(1))
                if len(rest) >= length:
                    self._data = rest[length:]
                    return head + found + rest[:length]
            self._data += self._more()
