"""handshakes.py - a flood of TLS handshakes that cost the server much and this program little, for so many seconds.

SPDX-License-Identifier: GPL-2.0-or-later
usage: handshakes.py HOST:PORT KIND SECONDS FIRST_ADDRESS ADDRESSES
KIND: hello (the same ClientHello on each connection, which is dropped when the server has made its keys and signed),
silent (connections on which nothing is ever sent, kept as long as the server keeps them), half (the same, with the
beginning of a SIP request).
Prints how many connections it began, and how many of them were answered.  Addresses are of loopback.
"""

import errno
import ipaddress
import itertools
import select
import socket
import ssl
import struct
import sys
import time

AT_A_TIME = {"hello": 100, "silent": 400, "half": 400}
HALF = b"REGISTER sip:example SIP/2.0\r\nVia: SIP/2.0/TC"
AWAY_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: no TIME_WAIT for each of a hundred thousand


def client_hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Flood:
    def __init__(self, server, kind, addresses):
        self.server, self.kind, self.hello = server, kind, client_hello()
        self.addresses = itertools.cycle(addresses)
        self.poll, self.open = select.epoll(), {}
        self.tried = self.answered = 0

    def begin(self):
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AWAY_AT_ONCE)
        one.bind((next(self.addresses), 0))
        self.tried += 1
        if one.connect_ex(self.server) not in (0, errno.EINPROGRESS):
            one.close()
            return
        self.open[one.fileno()] = one
        self.poll.register(one.fileno(), select.EPOLLIN if self.kind == "silent" else select.EPOLLOUT)

    def end(self, number):
        self.poll.unregister(number)
        self.open.pop(number).close()

    def go_on(self, number, event):
        one = self.open[number]
        try:
            if event & select.EPOLLIN:
                self.answered += bool(one.recv(1))
                self.end(number)
            elif event & select.EPOLLOUT:
                one.send(self.hello if self.kind == "hello" else HALF)
                self.poll.modify(number, select.EPOLLIN)
            else:
                self.end(number)
        except OSError:  # the server has closed it
            self.end(number)

    def run(self, until):
        while time.monotonic() < until:
            for _ in range(AT_A_TIME[self.kind] - len(self.open)):
                self.begin()
            for number, event in self.poll.poll(0.05):
                self.go_on(number, event)
            if self.kind != "hello":
                time.sleep(0.02)  # what is refused is tried again, but not as fast as it goes


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    first, count = int(ipaddress.IPv4Address(sys.argv[4])), int(sys.argv[5])
    flood = Flood((host, int(port)), sys.argv[2], [str(ipaddress.IPv4Address(first + n)) for n in range(count)])
    flood.run(time.monotonic() + float(sys.argv[3]))
    print(flood.tried, flood.answered)


main()
