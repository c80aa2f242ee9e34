"""http_flood.py - HTTP of strangers, and what is too large or too much; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import contextlib
import http.client
import os

import socket
import subprocess
import sys
import time

from scene import json_call
from scenery import HERE, STRANGER, Flood, alerts_meanwhile, by_tls, comes_in, registers_by_tcp, shared_memory, unchanged
from sip import Agent, Dialog

SECONDS = 4


@contextlib.contextmanager
def pipelined(stack, where, kinds, *trusted):
    """Floods of these kinds, on two connections each; what they have sent comes last in the list that is given."""
    children = [stack.start(sys.executable, os.path.join(HERE, "pipelined.py"), f"{where[0]}:{where[1]}", kind, str(SECONDS), STRANGER, "2",
                            *trusted, stdout=subprocess.PIPE, text=True) for kind in kinds]
    sent = []
    time.sleep(0.5)
    yield sent
    said = [(child.communicate(timeout=20)[0] or "0 0").split() for child in children]
    sent += [sum(int(numbers[i]) for numbers in said) for i in (0, 1)]


def collects(line, body):
    """Seconds that a report takes on this connection."""
    begun = time.monotonic()
    line.request("POST", "/RPC", body)
    answer = line.getresponse()
    text = answer.read()
    assert answer.status == 200, f"{answer.status}: {text[:100]}"
    return time.monotonic() - begun


def comes_in_at_the_address_of_the_flood(stack):
    """A collector's connection that has brought a reading; as anybody it may find all connections taken for a moment."""
    made = []

    def attempt():
        line = http.client.HTTPConnection(*stack.intake, timeout=2, source_address=(STRANGER, 0))
        try:
            collects(line, unchanged(stack))
        except (OSError, http.client.HTTPException):
            line.close()
            return 0
        made.append(line)
        return 200
    comes_in(attempt)
    return made[0]


def nobody_is_kept_out(stack, where, kinds, *trusted):
    """While the flood runs: who comes by TCP, a collector at the address of the flood, alerts; and the log."""
    size = os.path.getsize(stack.info["log"])
    kept = comes_in_at_the_address_of_the_flood(stack)
    with pipelined(stack, where, kinds, *trusted) as sent:
        came = [comes_in(lambda: registers_by_tcp(stack, "127.0.0.76", 0.3)) for _ in range(5)]
        took = [collects(kept, unchanged(stack)) for _ in range(50)]
        comes_in_at_the_address_of_the_flood(stack).close()
        told = alerts_meanwhile(stack, 1)
    kept.close()
    written = os.path.getsize(stack.info["log"]) - size
    print(f"# flood: {sent[0]} pipelined requests, {sent[1]} connections ({', '.join(kinds)}): REGISTER by TCP {max(came):.2f} s at the latest, "
          f"a report {max(took) * 1000:.0f} ms, {written} bytes of log")
    # when all connections are taken for a moment, as by any flood of them, its system tries again after 1 s, and a phone anew after 3 s:
    # the second try of the system is the latest for three of five
    assert sorted(came)[2] < 2 and max(came) < 6 and max(took) < 2, (came, max(took))
    assert min(told) >= 0, "who was there is told nothing"
    assert written < 300_000, f"{written} bytes of log"


# xhttp_reply() and exit: no REGISTER by TCP was answered, 500 KB of log a second
def pipelined_HTTP_at_SIP_TCP_keeps_nobody_out(stack):
    nobody_is_kept_out(stack, stack.server, ["get", "get-reset"])


def pipelined_HTTP_at_the_intake_keeps_nobody_out(stack):
    nobody_is_kept_out(stack, stack.intake, ["post", "post-reset"])


def pipelined_HTTP_at_SIP_TLS_keeps_nobody_out(stack):
    nobody_is_kept_out(stack, by_tls(stack), ["get", "get-reset"], stack.info["ca"] + "/ca.crt")


def said_to(stack, *pieces, address="127.0.0.78", patience=1):
    """Status of the first answer to these bytes, 0 without one, and whether the connection was closed then."""
    with socket.create_connection(stack.intake, 3, (address, 0)) as one:
        for piece in pieces:
            one.sendall(piece)
            time.sleep(0.1)
        one.settimeout(patience)
        got = b""
        try:
            while piece := one.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
        except TimeoutError:
            return int(got.split()[1]) if got else 0, False
        return int(got.split()[1]) if got else 0, True


# without the look at the address's own share: 1 of 8
def who_is_refused_while_others_flood_is_told_why(stack):
    with Flood(stack, ("http", STRANGER, 2), seconds=SECONDS) as flood:
        time.sleep(0.5)
        told = []
        for _ in range(8):  # in two time slots at least
            told.append(said_to(stack, b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", patience=3))
            time.sleep(0.2)
    connections = flood.sent / 5
    assert connections > 2000 * SECONDS, f"{connections} refusals in {SECONDS} s: no flood"
    assert told == [(400, True)] * 8, f"while {flood.sent} requests came: {told}"


def two_lengths_and_chunks_are_refused(stack):
    """On the way something may have seen another end of the request than Kamailio."""
    body = unchanged(stack)
    head = b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    length = b"Content-Length: %d\r\n" % len(body)
    good = head + length + b"\r\n" + body
    assert said_to(stack, good) == (200, False)
    # the second of two on a connection is not answered any more
    for name, request, status in (
            ("two lengths", head + length + b"Content-Length: 0\r\n\r\n" + body + good, 400),
            ("the same twice", head + length * 2 + b"\r\n" + body, 400),
            ("a length that does not fit", head + b"Content-Length: %d\r\n\r\n" % (2 ** 32 + len(body)) + body, 0),
            ("chunks and a length", head + length + b"Transfer-Encoding: chunked\r\n\r\n" + body, 411)):
        assert (got := said_to(stack, request)) == (status, True), f"{name}: {got}"
    # Kamailio looks for the next chunk when more comes, and not before
    chunk = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(body), body)
    assert (got := said_to(stack, chunk, b"\r\n0\r\n\r\n" + good)) == (411, True), f"chunks: {got}"
    # one that has brought readings goes on
    with socket.create_connection(stack.intake, 3, (STRANGER, 0)) as one:
        one.settimeout(2)
        for request, status in ((good, 200), (head + b"Content-Length: 2\r\n\r\n{}", 400), (good, 200)):
            one.sendall(request)
            answer = http.client.HTTPResponse(one)
            answer.begin()
            answer.read()
            assert answer.status == status, f"{answer.status} instead of {status}"


def what_is_larger_than_a_message_may_be_keeps_no_memory(stack):
    agent = Agent(stack.server, "tech3", stack.agent("tech3").password, stack.info["domain"], "127.0.0.77", tcp=True)
    stack.agents.append(agent)
    assert agent.register(0).status == 200
    before = shared_memory(stack)

    def sends(to, size):
        uri = f"sip:{to}@{agent.domain}"
        return agent.transact("MESSAGE", uri, Dialog(uri), "Content-Type: text/plain\n", b"x" * size).status
    # nobody of that name is registered
    assert [sends("nobody", size) for size in (7_000, 9_000, 60_000, 200_000)] == [404, 413, 413, 413]
    assert sends(agent.user, 70_000) == 413, "to the server"
    for _ in range(20):
        assert sends("tech2", 200_000) == 413
    grown = shared_memory(stack) - before
    agent.close()
    assert grown < 1 << 20, f"shared memory grew by {grown} bytes"


def a_person_who_asks_for_too_much_does_not_flood_the_log(stack):
    agent = stack.agent("tech3", host="127.0.0.31")
    agent.retransmits = True
    begun, before = time.monotonic(), stack.log().count("too many requests of one person")
    statuses = []
    while statuses.count(503) < 30 and len(statuses) < 300:  # the time slot may end meanwhile
        statuses.append(agent.register(0).status)
    lines = stack.log().count("too many requests of one person") - before
    assert statuses.count(503) == 30, f"{statuses.count(503)} of {len(statuses)} were refused"
    assert 0 < lines <= (time.monotonic() - begun) / 2 + 2, f"{lines} lines for 30 requests"
