"""Floods while alerts are raised; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import http.client
import os
import re
import socket
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
from http_flood import (
    a_person_who_asks_for_too_much_does_not_flood_the_log, pipelined_HTTP_at_SIP_TCP_keeps_nobody_out,
    pipelined_HTTP_at_SIP_TLS_keeps_nobody_out, pipelined_HTTP_at_the_intake_keeps_nobody_out,
    two_lengths_and_chunks_are_refused, what_is_larger_than_a_message_may_be_keeps_no_memory, who_is_refused_while_others_flood_is_told_why)
from scene import Watcher, every_condition_that_comes_back_is_a_new_alert, provisioned
from scenery import (
    DEVICES, NAT, STRANGER, Flood, alerts_meanwhile, brings_a_reading, by_tls, comes_in, judged, registers_by_tcp, report, serial,
    shared_memory, unchanged)
from shares import (
    connections_that_a_person_has_the_server_make_leave_room_for_others, nobody_keeps_all_connections,
    two_people_who_share_their_connections_keep_no_more_of_them, who_comes_back_often_closes_no_other_connection)
from sip import Agent, Dialog
from sip_tls import TlsAgent, context
from stack import free_port, run, wait_until
from strangers import (
    LIMITS, a_reply_to_nothing_goes_nowhere, no_answer_to_a_stranger_is_larger_than_the_request,
    short_requests_of_an_address_get_few_answers, what_an_address_sends_beyond_its_share_is_not_answered)

CONNECTIONS = 64
TLS_CONNECTIONS = 48


def the_watchers_and_a_collector_are_there(stack):
    for number in range(DEVICES):
        stack.sql(f"INSERT INTO bmd_device (serial, type_name) VALUES ('{serial(number)}', 'Nonin oximeter');"
                  f"INSERT INTO bmd_assignment (username, serial) SELECT u, '{serial(number)}' FROM unnest(ARRAY['tech1', 'tech2']) u")
    provisioned(stack)
    stack.watchers = [Watcher(stack, "tech1", host="127.0.0.50"), Watcher(stack, "tech2", host=NAT)]
    stack.watchers[1].agent.retransmits = True
    assert stack.watchers[1].agent.register().status == 200
    url = urllib.parse.urlparse(stack.info["http"])
    stack.intake = (url.hostname, url.port)
    stack.line = http.client.HTTPConnection(*stack.intake, timeout=5)
    report(stack, serial(0), 97)
    stack.low = False
    stack.before = shared_memory(stack)


def half_sent_requests_are_waited_for_from_now_on(stack):
    stack.halves = []
    for _ in range(CONNECTIONS - 8):  # SIP by TCP counts as well
        one = socket.create_connection(stack.intake, 5, (STRANGER, 0))
        one.sendall(b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Le")
        stack.halves.append(one)
    stack.halves_since = time.monotonic()


def a_flood_of_SUBSCRIBE_REGISTER_and_MESSAGE_delays_no_alert(stack):
    with Flood(stack, ("sip", NAT, 2), ("sip", "127.0.0.10", 2), seconds=5) as flood:
        told = alerts_meanwhile(stack, 4)
        # somebody behind the address that floods, and was there before
        begun = time.monotonic()
        _, reply = stack.watchers[1].agent.subscribe(dialog=stack.watchers[1].dialog)
        stack.served = reply.status, time.monotonic() - begun
    judged(told, flood.sent, 5, "without credentials, four addresses")


# counted with those by UDP, whose addresses are forged: dropped, and nothing sends it again
def who_comes_by_TCP_meanwhile_is_answered(stack):
    with Flood(stack, ("sip", "127.1.0.1", 500), seconds=4):
        time.sleep(0.5)
        for number in range(6):  # in two time slots at least
            agent = Agent(stack.server, "tech2", stack.watchers[1].agent.password, stack.info["domain"], f"127.0.0.{61 + number}", tcp=True)
            stack.agents.append(agent)
            assert agent.register(0).status == 200
            time.sleep(0.3)


def a_phone_behind_the_address_of_the_flood_is_served(stack):
    status, seconds = stack.served
    print(f"# flood: a phone behind the address of the flood was answered after {seconds:.2f} s")
    assert status == 200 and seconds < 4, stack.served
    watcher = stack.watchers[1]
    watcher.pump(0.2)
    assert watcher.state.startswith("active"), watcher.state


def a_flood_of_wrong_passwords_from_500_addresses_delays_no_alert(stack):
    with Flood(stack, ("guess", "127.1.0.1", 500), seconds=4) as flood:
        told = alerts_meanwhile(stack, 3.5)
    judged(told, flood.sent, 4, "wrong credentials, 500 addresses")


# without the look at what comes (bmd_quiet.c): 170 MB in 4 s, and the phone is not answered within 5 s
def a_flood_of_what_cannot_be_read_does_not_flood_the_log(stack):
    size = os.path.getsize(stack.info["log"])
    with Flood(stack, ("unreadable", NAT, 2), ("unreadable", "127.0.0.10", 2), seconds=4) as flood:
        told = alerts_meanwhile(stack, 3)
        begun = time.monotonic()
        status = stack.watchers[1].agent.register().status
        seconds = time.monotonic() - begun
    judged(told, flood.sent, 4, "a Via that cannot be parsed, four addresses")
    wait_until(lambda: stack.agent("tech3").register().status == 200 and "could not be read" in stack.log(), 10, "how many were not logged")
    written = os.path.getsize(stack.info["log"]) - size
    print(f"# flood: {written} bytes of log; a phone was answered after {seconds:.2f} s")
    assert written < 2_000_000, f"{written} bytes of log for {flood.sent} messages"
    assert status == 200 and seconds < 4, (status, seconds)


def a_flood_of_HTTP_requests_delays_no_alert(stack):
    with Flood(stack, ("http", STRANGER, 2), seconds=4) as flood:
        told = alerts_meanwhile(stack, 3.5)
    judged(told, flood.sent, 4, "HTTP")


def strangers_leave_nothing_behind(stack):
    def grown():
        return shared_memory(stack) - stack.before
    begun = time.monotonic()
    try:  # counters of addresses that are a few seconds old, and what was sent and is not answered
        wait_until(lambda: grown() < 4 << 20, 30, "the memory")
    finally:
        print(f"# flood: shared memory {grown():+d} bytes after {time.monotonic() - begun:.0f} s")


def half_sent_requests_do_not_hold_the_intake_for_longer_than_25_s(stack):
    def taken():
        try:
            with socket.create_connection(stack.intake, 1, (STRANGER, 0)) as one:
                body = unchanged(stack)
                one.sendall(b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                            % (len(body), body))
                one.settimeout(1)
                return b" 200 " in one.recv(4096)
        except OSError:
            return False

    def closed():
        return sum(gone(one) for one in stack.halves) == len(stack.halves)
    wait_until(closed, max(0.1, stack.halves_since + 25 - time.monotonic()), "the end of half-sent requests")
    print(f"# flood: the last half-sent request was given up {time.monotonic() - stack.halves_since:.0f} s after it came, or before")
    assert taken()
    for one in stack.halves:
        one.close()


def gone(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def subscribes(agent):
    try:
        return agent.transact("SUBSCRIBE", f"sip:{agent.user}@{agent.domain}", Dialog(f"sip:{agent.user}@{agent.domain}"),
                              "Event: bmd-alert\nExpires: 3600\n", timeout=1).status == 200
    except AssertionError:  # dropped: as many requests came from there as may
        return False


def one_person_cannot_ask_for_more_than_a_share(stack):
    greedy = stack.agent("tech3", host="127.0.0.30")
    statuses = []
    for _ in range(220):  # the time slot may end meanwhile
        reply = greedy.register()
        statuses.append(reply.status)
        if reply.status == 503:
            assert reply.get("retry-after"), "503 without Retry-After"
            break
    assert statuses[0] == 200 and statuses[-1] == 503, f"{len(statuses)} REGISTERs: {sorted(set(statuses))}"
    # other methods, and other people, are not concerned
    wait_until(lambda: subscribes(greedy), 5, "an answer to SUBSCRIBE in the next time slot of its address")
    assert stack.watchers[0].agent.register().status == 200


class OverTls:
    """A stack whose agents come in by TLS."""

    def __init__(self, stack):
        self.stack, self.info = stack, stack.info

    def agent(self, user, *_):
        password = next(t["password"] for t in self.info["technicians"] if t["username"] == user)
        agent = TlsAgent(by_tls(self.stack), user, password, self.info["domain"], context(self.info["ca"] + "/ca.crt"))
        self.stack.agents.append(agent)
        return agent


def a_flood_of_TLS_handshakes_delays_no_alert(stack):
    stack.watchers.append(Watcher(OverTls(stack), "tech1"))
    with Flood(stack, ("hello tls", STRANGER, 4), ("hello tls", "127.0.0.20", 4), seconds=5) as flood:
        told = alerts_meanwhile(stack, 4)
        begun = time.monotonic()
        status = stack.watchers[-1].agent.register().status
        seconds = time.monotonic() - begun
    assert flood.answered > 0, "no handshake was answered: it is no flood of handshakes"
    judged(told, flood.sent, 5, f"TLS, {flood.answered} handshakes answered by the server")
    print(f"# flood: a terminal that was there by TLS was answered after {seconds:.2f} s")
    assert status == 200 and seconds < 4, (status, seconds)


# TLS_CONNECTIONS=64, as many as there are of all: 0
def connections_of_TLS_leave_room_for_others(stack):
    # the system may give places to connections that it has not handed on yet
    with Flood(stack, ("silent tls", STRANGER, 4), seconds=5):
        opened = wait_until(lambda: open_by_tls(stack) >= TLS_CONNECTIONS and open_by_tls(stack), 3, "the flood")
        assert registers_by_tcp(stack) == 200, "no room for SIP by TCP"
        fresh = http.client.HTTPConnection(*stack.intake, timeout=3)
        fresh.request("POST", "/RPC", unchanged(stack))
        assert fresh.getresponse().read(), "no room for the intake"
        fresh.close()
        told = alerts_meanwhile(stack, 1)
    assert min(told) >= 0, "who was there is told nothing"
    print(f"# flood: {opened} connections by TLS on which nothing comes, of {TLS_CONNECTIONS} that may be")
    wait_until(lambda: open_by_tls(stack) <= 1, 25, "the end of silent connections")


# bmd_room_round() does nothing: of 10 phones none came in
def one_address_that_opens_connections_keeps_nobody_else_out(stack):
    for kind in ("silent tcp", "half tcp"):
        with Flood(stack, (kind, STRANGER, 1), seconds=6) as flood:
            wait_until(lambda: stack.stat("connections_closed") > 0, 3, "connections that make room")
            took = [comes_in(lambda: registers_by_tcp(stack, "127.0.0.75", 0.5)) for _ in range(10)]
            took.append(comes_in(lambda: brings_a_reading(stack)))
            told = alerts_meanwhile(stack, 1)
        print(f"# flood: {kind}: {flood.sent} connections of one address; ten others came in after {sum(took[:10]) / 10:.2f} s, "
              f"{max(took[:10]):.2f} s at the latest, a collector after {took[10]:.2f} s")
        assert min(told) >= 0, "who was there is told nothing"


def open_by_tls(stack):
    return int(re.search(r"opened_tls_connections: (\d+)", stack.kamcmd("core.tcp_info")).group(1))


run("flood", [
    every_condition_that_comes_back_is_a_new_alert, the_watchers_and_a_collector_are_there, half_sent_requests_are_waited_for_from_now_on,
    a_flood_of_SUBSCRIBE_REGISTER_and_MESSAGE_delays_no_alert, a_phone_behind_the_address_of_the_flood_is_served, who_comes_by_TCP_meanwhile_is_answered,
    a_flood_of_wrong_passwords_from_500_addresses_delays_no_alert, a_flood_of_what_cannot_be_read_does_not_flood_the_log,
    a_flood_of_HTTP_requests_delays_no_alert,
    who_is_refused_while_others_flood_is_told_why, two_lengths_and_chunks_are_refused, what_is_larger_than_a_message_may_be_keeps_no_memory,
    no_answer_to_a_stranger_is_larger_than_the_request, a_reply_to_nothing_goes_nowhere,
    short_requests_of_an_address_get_few_answers, what_an_address_sends_beyond_its_share_is_not_answered,
    one_person_cannot_ask_for_more_than_a_share, a_person_who_asks_for_too_much_does_not_flood_the_log, half_sent_requests_do_not_hold_the_intake_for_longer_than_25_s,
    a_flood_of_TLS_handshakes_delays_no_alert, connections_of_TLS_leave_room_for_others,
    nobody_keeps_all_connections,
    pipelined_HTTP_at_SIP_TCP_keeps_nobody_out, pipelined_HTTP_at_the_intake_keeps_nobody_out, pipelined_HTTP_at_SIP_TLS_keeps_nobody_out,
    one_address_that_opens_connections_keeps_nobody_else_out,
    two_people_who_share_their_connections_keep_no_more_of_them, who_comes_back_often_closes_no_other_connection,
    connections_that_a_person_has_the_server_make_leave_room_for_others, strangers_leave_nothing_behind], "--set", f"TCP_CONNECTIONS={CONNECTIONS}", "--set", f"TLS_CONNECTIONS={TLS_CONNECTIONS}",
    "--tls-port", str(free_port()), errors_expected=True)
