"""strangers.py - what somebody unknown gets back; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import socket

from sip import Message
from stack import TOP

with open(os.path.join(TOP, "kamailio-cfg", "bmd", "limits.cfg"), encoding="utf-8") as limits:
    LIMITS = {name: int(value) for name, value in re.findall(r"#!define (BMD_\w+) (\d+)", limits.read())}  # of two the latter


def request_of(method, agent, domain, number, own=0, back="", blanks=""):
    """A request; `own`: of so many bytes in headers that do not come back, `back`: headers that do."""
    text = (f"{method} sip:{domain} SIP/2.0\nVia:{blanks} SIP/2.0/UDP {agent[0]}:{agent[1]};branch=z9hG4bKa{number}\nMax-Forwards: 70\n"
            f"From:{blanks} <sip:tech3@{domain}>;tag=a\nTo:{blanks} <sip:tech3@{domain}>\nCall-ID:{blanks} a{number}\n"
            f"CSeq:{blanks} 1 {method}\nEvent: bmd-alert\nUser-Agent: {'x' * (own - len('bmd-alert'))}\n{back}Content-Length: 0\n\n")
    return text.replace("\n", "\r\n").encode()


# What comes back of it, and what a request is padded with that is to count as its own.
BACK = {"nothing": "", "Record-Route": f"Record-Route: <sip:{'r' * 400}@192.0.2.1;lr>\n", "Require": f"Require: {'r' * 400}\n",
        "Via": "".join(f"Via: SIP/2.0/UDP 192.0.2.{n}\n" for n in range(1, 60))}


def no_answer_to_a_stranger_is_larger_than_the_request(stack):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.8", 0))
    one.settimeout(1)
    larger, sizes = [], []
    methods = ["REGISTER", "SUBSCRIBE", "MESSAGE", "PUBLISH", "OPTIONS", "INVITE", "BYE", "CANCEL", "NOTIFY", "INFO", "NONSENSE"]
    for number, method in enumerate(methods):
        for name, back in BACK.items():
            asked = request_of(method, one.getsockname(), stack.info["domain"], f"l{number}{name}", LIMITS["BMD_OWN_BYTES"], back)
            one.sendto(asked, stack.server)
            answer = one.recv(65536)
            sizes.append(f"{method} {len(asked)}: {Message(answer).status} {len(answer)}")
            if len(answer) > len(asked):
                larger.append(f"{name} {sizes[-1]}")
    one.close()
    print(f"# flood: bytes of requests that are just not short, and of their answers: {', '.join(sizes)}")
    assert not larger, "; ".join(larger)


def a_reply_to_nothing_goes_nowhere(stack):
    """Forwarded by its second Via, it would reach anybody, under this server's address."""
    size = os.path.getsize(stack.info["log"])
    one, third = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    one.bind(("127.0.0.6", 0))
    third.bind(("127.0.0.33", 0))
    third.settimeout(0.5)
    ours, theirs, foreign = (f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{number}\n" for number, (host, port) in enumerate(
        (stack.server, third.getsockname(), ("192.0.2.1", 5060))))
    for vias, cseq in ((ours + theirs, "1 NOTIFY"), (foreign + theirs, "1 NOTIFY"), (ours, "1 NOTIFY"), (ours + theirs, "NOTIFY")):
        for _ in range(500):
            one.sendto((f"SIP/2.0 200 OK\n{vias}From: <sip:a@192.0.2.1>;tag=1\nTo: <sip:b@192.0.2.1>;tag=2\nCall-ID: x\nCSeq: {cseq}\n"
                        "Content-Length: 0\n\n").replace("\n", "\r\n").encode(), stack.server)
    try:
        got = third.recv(65536)
    except TimeoutError:
        got = b""
    one.close()
    third.close()
    assert not got, f"it was sent on: {got[:60]}"
    written = os.path.getsize(stack.info["log"]) - size
    # each process writes of ten in 2 s, and they may have come in two time slots; of all it would be 250,000
    assert written < 30_000, f"{written} bytes of log for 2,000 replies"


def answers(stack, address, count, request):
    """What comes back of so many requests at once: `request` makes one, of where it comes from and its number."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
    one.bind((address, 0))
    for number in range(count):
        one.sendto(request(one.getsockname(), number), stack.server)
    one.settimeout(0.5)
    came = []
    try:
        while answer := one.recv(65536):
            came.append(answer)
    except TimeoutError:
        pass
    one.close()
    return came


def short_requests_of_an_address_get_few_answers(stack):
    larger = {}
    for last, (name, back) in enumerate([*BACK.items(), ("blanks", None)]):
        def short(agent, number, name=name, back=back):
            return request_of("OPTIONS" if name == "Record-Route" else "REGISTER", agent, stack.info["domain"], f"s{number}", 20,
                              back or "", " " * 400 if back is None else "")
        size = len(short(("127.0.7.1", 50000), 0))
        larger[name] = sum(len(answer) > size for answer in answers(stack, f"127.0.7.{last + 1}", 100, short))
    # they may have come in two time slots
    assert larger["nothing"] > 0 and max(larger.values()) <= 2 * LIMITS["BMD_SHORT_REQUESTS"], f"answers that are larger: {larger}"


def what_an_address_sends_beyond_its_share_is_not_answered(stack):
    came = len(answers(stack, "127.0.0.9", 600, lambda agent, number: request_of(
        "REGISTER", agent, stack.info["domain"], f"s{number}", LIMITS["BMD_OWN_BYTES"])))
    assert 0 < came <= 2 * LIMITS["BMD_SOURCE_REQUESTS"], f"{came} answers to 600 requests"
