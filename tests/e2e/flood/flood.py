"""flood.py - one flood, as fast as one process can make it, for so many seconds.

SPDX-License-Identifier: GPL-2.0-or-later
usage: flood.py HOST:PORT KIND SECONDS FIRST_ADDRESS ADDRESSES DOMAIN
KIND: sip (SUBSCRIBE, REGISTER, MESSAGE without credentials), guess (the same with wrong ones), unreadable (the same with a
Via that cannot be parsed), http (whole requests of nothing).  Prints how many it sent.  Addresses are of loopback.
"""

import ipaddress
import itertools
import os
import random
import socket
import sys
import time

AUTHORIZATION = ('Authorization: Digest username="tech1", realm="{domain}", nonce="{nonce}", uri="sip:{domain}", '
                 'response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\n')


def message(method, domain, guess):
    number = os.urandom(6).hex()
    line = AUTHORIZATION.format(domain=domain, nonce=os.urandom(20).hex(), response=os.urandom(16).hex()) if guess else ""
    return (f"{method} sip:tech1@{domain} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{number}\nMax-Forwards: 70\n"
            f"From: <sip:tech1@{domain}>;tag={number}\nTo: <sip:tech1@{domain}>\nCall-ID: {number}\nCSeq: 1 {method}\n"
            f"Contact: <sip:tech1@192.0.2.9:5060>\nEvent: bmd-alert\nAccept: application/dmp\nUser-Agent: somebody's phone, version 1.2.3\n"
            f"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, MESSAGE, NOTIFY, SUBSCRIBE, REFER\nSupported: replaces, outbound, path, gruu, eventlist, 100rel, timer, norefersub, tdialog, join, histinfo\n{line}"
            f"Expires: 3600\nContent-Length: 0\n\n").replace("\n", "\r\n").encode()


def addresses(first, count):
    begin = int(ipaddress.IPv4Address(first))
    return [str(ipaddress.IPv4Address(begin + n)) for n in range(count)]


def datagrams(server, kind, until, sources, domain):
    sockets = []
    for address in sources:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind((address, 0))
        one.connect(server)
        one.setblocking(False)
        sockets.append(one)
    texts = [message(random.choice(("SUBSCRIBE", "REGISTER", "MESSAGE")), domain, kind == "guess") for _ in range(2000)]
    if kind == "unreadable":
        texts = [text.replace(b"Max-", b"Via: SIP/2.0/UDP 192.0.2.15;;,;,,\r\nMax-", 1) for text in texts]
    sent = 0
    pairs = zip(itertools.cycle(sockets), itertools.cycle(texts))
    while time.monotonic() < until:
        for one, text in itertools.islice(pairs, 200):
            try:
                one.send(text)
                sent += 1
            except OSError:  # its buffer is full
                pass
    return sent


def requests(server, until, sources):
    """A connection for each: what is asked is nothing the intake serves."""
    sent = 0
    for address in itertools.cycle(sources):
        if time.monotonic() > until:
            return sent
        try:
            with socket.create_connection(server, 1, (address, 0)) as one:
                one.sendall(b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" * 5)
                one.settimeout(0.2)
                one.recv(4096)
                sent += 5
        except OSError:  # refused, or closed at once
            sent += 1
    return sent


def main():
    host, port = sys.argv[1].rsplit(":", 1)
    kind, seconds, sources, domain = sys.argv[2], float(sys.argv[3]), addresses(sys.argv[4], int(sys.argv[5])), sys.argv[6]
    until = time.monotonic() + seconds
    server = (host, int(port))
    print(requests(server, until, sources) if kind == "http" else datagrams(server, kind, until, sources, domain))


main()
