"""Throws attacks.py at the server; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import json
import os
import socket
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import attacks
from scene import Watcher, add_device, alerts, hand
from sip import Dialog, Message
from stack import run, wait_until

ROUNDS = 200
DMP = "Event: bmd-alert\nAccept: application/dmp\nContent-Type: application/dmp\n"
numbers = iter(range(1, 1 << 30))


def exchange(address, data, wait=1.0):
    """Sends on a TCP connection of its own; what comes until the server is quiet or closes."""
    received = b""
    with socket.create_connection(address, 5) as connection:
        connection.settimeout(wait)
        try:
            connection.sendall(data)
            while True:
                piece = connection.recv(65536)
                if not piece:
                    break
                received += piece
                if b"\r\n\r\n" in received:
                    connection.settimeout(0.02)
        except OSError:  # the server is quiet, or it has closed
            pass
    return received


def intake(stack):
    url = urllib.parse.urlparse(stack.info["http"])
    return url.hostname, url.port


def post(stack, body):
    """(status, answer); status 0 when the connection ended without an answer."""
    try:
        status, answer = stack.http(body)
    except OSError as error:
        return 0, repr(error).encode()
    assert attacks.MARK.encode() not in answer and b"TRAP-1" not in answer, f"{body[:80]} was told: {answer}"
    return status, answer


def alive(stack):
    now = stack.processes()
    assert now == stack.processes_before, f"processes were {stack.processes_before}, are {now}"
    assert stack.kamcmd("core.uptime")


def a_watcher_and_an_open_alert_of_a_patient(stack):
    stack.processes_before = stack.processes()
    patient = stack.sql(f"INSERT INTO bmd_patient (name) VALUES ('{attacks.MARK}') RETURNING patient_id")[0][0]
    add_device(stack, "TRAP-1", patient=patient, assign="tech1")
    hand(stack, "TRAP-1 SpO2=80")
    stack.watcher = Watcher(stack, "tech1")
    assert stack.watcher.about("TRAP-1")
    stack.sender = stack.agent("tech2")
    assert stack.sender.register().status == 200


def malformed_json_is_refused(stack):
    wrong = []
    for body in attacks.JSON:
        status = post(stack, body)[0]
        alive(stack)
        if not 400 <= status < 600:
            wrong.append(f"{status or 'no answer'} for {body[:70]}")
    assert not wrong, f"{len(wrong)} of {len(attacks.JSON)}: {'; '.join(wrong)}"


def no_other_method_can_be_called(stack):
    for body in attacks.SMUGGLED:
        status, answer = post(stack, body)
        # bmd.report without readings is a fault; an empty result is what jsonrpcs says to what is no call
        nothing = status == 200 and json.loads(answer).get("result") == {}
        assert 400 <= status < 500 or nothing, f"{status} for {body[:80]}: {answer[:200]}"
    alive(stack)
    assert len(alerts(stack, "TRAP-1")) == 1


def what_is_not_taken_is_not_answered_with_success(stack):
    # a collector that is told 200 deletes its readings
    for body in (b'{"method":"bmd.report","params":["TRAP-1 PulseRate=70"],"id":1}',
                 b'{"jsonrpc":"1.0","method":"bmd.report","params":["TRAP-1 PulseRate=70"],"id":1}',
                 b'{"jsonrpc":"2.0","method":"bmd.report","params":"TRAP-1 PulseRate=70","id":1}',
                 b'{"jsonrpc":"2.0","method":"bmd.report","Params":["TRAP-1 PulseRate=70"],"params":["x"],"id":1}'):
        before = stack.stat("readings_accepted")
        status, answer = post(stack, body)
        taken = stack.stat("readings_accepted") - before
        assert (status == 200) == (taken == 1), f"{status}, {taken} readings taken, for {body}: {answer[:100]}"


def other_http_requests_are_refused(stack):
    for request in attacks.HTTP:
        answer = exchange(intake(stack), request, 0.2)
        words = answer.split()
        refused = not words or words[0].startswith(b"HTTP/") and 400 <= int(words[1]) < 600
        assert refused, f"{request[:60]}: {answer[:80]}"
    url = stack.info["http"].replace(str(intake(stack)[1]), str(stack.server[1]))
    body = json.dumps({"jsonrpc": "2.0", "method": "bmd.report", "params": ["TRAP-1 SpO2=97"], "id": 1}).encode()
    host, port = urllib.parse.urlparse(url).hostname, stack.server[1]
    answer = exchange((host, port), b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n%s" % (len(body), body), 0.5)
    assert not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")), "the SIP socket takes readings"
    assert len(alerts(stack, "TRAP-1")) == 1
    alive(stack)


def xml_as_http_body_is_refused(stack):
    for name in attacks.XML:
        assert 400 <= post(stack, attacks.xml(name))[0] < 500, name
    status, answer = post(stack, attacks.MEGABYTE)
    # what does not fit into the buffer of a connection is refused by closing it
    assert status == 0 or 400 <= status < 500, f"1 MB: {status} {answer[:100]}"
    alive(stack)


def send_body(stack, method, name, body):
    """Status of an authenticated request with this body, outside a dialog, over UDP."""
    agent = stack.sender
    to = f"sip:tech2@{stack.info['domain']}"
    headers = DMP + "Expires: 0\n" if method == "SUBSCRIBE" else "Content-Type: application/dmp\n"
    try:
        reply = agent.transact(method, to, Dialog(to), headers, body, timeout=3)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from None
    while agent.pump(0):
        pass
    agent.received.clear()
    return reply.status


def hostile_documents_in_subscribe_are_refused(stack):
    taken = []
    for name in attacks.XML:
        body = attacks.xml(name)[:40000]
        if body and send_body(stack, "SUBSCRIBE", name, body) < 300:
            taken.append(name)
    alive(stack)
    assert not taken, f"{len(taken)} of {len(attacks.XML)} answered with success: {', '.join(taken)}"


def hostile_documents_in_message_do_no_harm(stack):
    for name in attacks.XML:
        status = send_body(stack, "MESSAGE", name, attacks.xml(name)[:40000])
        assert status < 500, f"{name}: {status}"
    alive(stack)


def bodies_of_one_megabyte_over_tcp_do_no_harm(stack):
    agent, domain = stack.sender, stack.info["domain"]
    for method in ("SUBSCRIBE", "MESSAGE"):
        dialog = Dialog(f"sip:tech2@{domain}")
        challenge = agent._exchange(method, dialog.to, dialog, DMP, b"", None, 3, None)
        line = agent.authorize(challenge.get("www-authenticate"), method, dialog.to)
        text = (f"{method} {dialog.to} SIP/2.0\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{os.urandom(6).hex()}\n"
                f"Max-Forwards: 70\nFrom: <sip:tech2@{domain}>;tag=x\nTo: <{dialog.to}>\nCall-ID: {dialog.call_id}\n"
                f"CSeq: 9 {method}\nContact: <sip:tech2@127.0.0.1:{agent.port}>\n{DMP}Expires: 0\n{line}\n"
                f"Content-Length: {len(attacks.MEGABYTE)}\n\n").replace("\n", "\r\n").encode()
        answer = exchange(stack.server, text + attacks.MEGABYTE, 2)
        if answer:
            status = Message(answer).status
            assert method == "MESSAGE" or status >= 400, f"{method} with 1 MB: {status}"
    alive(stack)


def torture_messages(stack, check=True):
    agent = stack.sender
    for name in attacks.TORTURE:
        message = attacks.torture(name, stack.info["domain"], agent.port, next(numbers))
        agent.sock.sendto(message, stack.server)
    while agent.pump(0.05):
        pass
    good = [m.first for m in agent.received if not m.is_request and m.status < 300]
    agent.received.clear()
    assert not check or not good, good


def messages_of_rfc_4475_are_refused(stack):
    torture_messages(stack)
    alive(stack)


def garbage_on_every_socket_does_no_harm(stack):
    for data in attacks.GARBAGE:
        stack.sender.sock.sendto(data, stack.server)
        for address in (stack.server, intake(stack)):
            answer = exchange(address, data, 0.1)
            assert b"200 OK" not in answer[:20], answer[:80]
    alive(stack)


def memory(stack):
    """(shared memory in use, private memory of all processes), in bytes."""
    shared = int(next(line.split()[1] for line in stack.kamcmd("core.shmmem").splitlines() if "real_used" in line))
    private = 0
    for process in stack.processes():
        with open(f"/proc/{process}/smaps_rollup") as file:
            private += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Private_"))
    return shared, private


def one_round(stack, number):
    torture_messages(stack, False)
    for data in attacks.GARBAGE:
        stack.sender.sock.sendto(data, stack.server)
    for body in attacks.JSON[number % 2::2] + attacks.SMUGGLED[number % 3::3]:
        post(stack, body)
    names = list(attacks.XML)
    name = names[number % len(names)]
    post(stack, attacks.xml(name))
    send_body(stack, "SUBSCRIBE", name, attacks.xml(name)[:40000])
    send_body(stack, "MESSAGE", name, attacks.xml(name)[:40000])
    if number % 20 == 0:
        post(stack, attacks.MEGABYTE)
        exchange(intake(stack), attacks.HTTP[number // 20 % len(attacks.HTTP)], 0.05)


def memory_does_not_grow_in_200_rounds(stack):
    for number in range(40):  # every process has met everything
        one_round(stack, number)
    wait_until(lambda: "waiting: 0" in stack.kamcmd("tm.stats"), 20, "the end of all transactions")
    before = memory(stack)
    for number in range(ROUNDS):
        one_round(stack, number)
    wait_until(lambda: "waiting: 0" in stack.kamcmd("tm.stats"), 20, "the end of all transactions")
    after = memory(stack)
    grown = [b - a for a, b in zip(before, after)]
    print(f"# hostile-bodies: {ROUNDS} rounds: shared memory {before[0]} {grown[0]:+d} bytes, "
          f"private {before[1]} {grown[1]:+d} bytes")
    alive(stack)
    assert grown[0] < 64 << 10, f"shared memory grew by {grown[0]} bytes"
    assert grown[1] < 2 << 20, f"private memory grew by {grown[1]} bytes"


def a_real_alert_is_still_notified(stack):
    hand(stack, "TRAP-1 SpO2=97")
    stack.watcher.wait(lambda: not stack.watcher.about("TRAP-1"), "the end of the alert")
    hand(stack, "TRAP-1 SpO2=79")
    stack.watcher.wait(lambda: stack.watcher.about("TRAP-1"), "a new alert")


def the_log_repeats_no_body(stack):
    lines = [line for line in stack.log().splitlines() if attacks.MARK in line]
    assert not lines, f"{len(lines)} lines show a patient's data, the first: {lines[0][:200]}"


def nesting_of_a_hundred_thousand_levels_is_refused(stack):
    # last: what it does to the stack of a process takes the whole server with it
    for depth in (100_000, 1_000_000):
        body = b'{"jsonrpc":"2.0","method":"bmd.report","params":' + b"[" * depth
        status = post(stack, body)[0]
        assert 400 <= status < 600, f"{depth} levels: no answer"
        alive(stack)


run("hostile-bodies", [
    a_watcher_and_an_open_alert_of_a_patient, malformed_json_is_refused, no_other_method_can_be_called,
    what_is_not_taken_is_not_answered_with_success,
    other_http_requests_are_refused, xml_as_http_body_is_refused, hostile_documents_in_subscribe_are_refused,
    hostile_documents_in_message_do_no_harm, bodies_of_one_megabyte_over_tcp_do_no_harm,
    messages_of_rfc_4475_are_refused, garbage_on_every_socket_does_no_harm,
    memory_does_not_grow_in_200_rounds, a_real_alert_is_still_notified, the_log_repeats_no_body,
    nesting_of_a_hundred_thousand_levels_is_refused], errors_expected=True)
