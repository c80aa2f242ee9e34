#!/usr/bin/python3
"""watch_terminal.py - bmd-watch against a registrar and notifier that misbehaves on demand.

SPDX-License-Identifier: GPL-2.0-or-later
What a correct server never sends, or only in a rare moment, is sent here: gaps, old versions, ends of
subscriptions, unreadable bodies, bodies of 64 KB.  The end-to-end cases have the real server.
"""

import os
import queue
import re
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import digest
from notifier import FEED, Server, Terminal, alert, document

CHALLENGE = 'Digest realm="home.example", nonce="{}", qop="auth", algorithm={}'


def full_state_then_changes(server):
    server.documents = lambda number: document(number, "full", alert(1))
    terminal = Terminal(server, ready=False)
    assert terminal.next("registered")["status"] == 200
    # the stack may tell of the NOTIFY before the answer to SUBSCRIBE
    first = terminal.next("state")
    assert first["state"] == "full" and first["version"] == 1, first
    assert [a["serial"] for a in first["alerts"]] == ["OX-1"]
    server.notify(document(2, "partial", alert(2)))
    second = terminal.next("state")
    assert (second["verdict"], second["open"], second["cseq"]) == ("taken", 2, 2), second
    assert second["alerts"][0]["latency_ms"] is not None
    server.notify(document(3, "partial", alert(1, "cleared", 2)))
    assert terminal.next("state")["open"] == 1
    request = server.subscribes.get()
    assert request.get("event") == "bmd-alert" and "application/dmp" in request.get("accept")
    terminal.end(0, signal.SIGTERM)


def a_gap_is_told_and_full_state_asked_for_in_the_dialog(server):
    terminal = Terminal(server)
    first = server.subscribes.get()
    server.notify(document(3, "partial", alert(1)))
    line = terminal.next("state")
    assert line["verdict"] == "gap" and line["open"] == 1, "what the document says was thrown away"
    terminal.next("gap")
    again = server.subscribes.get(timeout=2)
    assert again.get("call-id") == first.get("call-id") and ";tag=" in again.get("to")
    assert again.get("expires") == "3600" and again.cseq > first.cseq
    server.number = 3
    server.notify(document(4, "full", alert(1)))
    assert terminal.next("state")["state"] == "full"
    terminal.end(0, signal.SIGINT)


def an_old_version_is_ignored_and_told(server):
    server.documents = lambda number: document(number + 4, "full", alert(1))
    terminal = Terminal(server)
    server.subscribes.get()
    for version in (5, 4, 0):
        server.notify(document(version, "partial", alert(1, "cleared", 2)))
        line = terminal.next("state")
        assert line["verdict"] == "old" and line["open"] == 1, line
        terminal.next("old")
    assert server.subscribes.empty(), "an old document is no reason to ask again"
    server.notify(document(6, "partial", alert(2)))
    assert terminal.next("state")["verdict"] == "taken"
    terminal.end(0, signal.SIGTERM)


def a_full_state_that_went_back_makes_a_new_subscription(server):
    server.documents = lambda number: document(9, "full", alert(1))
    terminal = Terminal(server)
    first = server.subscribes.get()
    server.notify(document(1, "full"))
    assert terminal.next("old") and terminal.next("retry")
    server.on_subscribe = lambda m: (server.accept(m), None)
    again = next_subscription(server, first)
    line = terminal.next("state")
    while line["call_id"] != again.get("call-id"):
        line = terminal.next("state")
    assert line["verdict"] == "taken"
    terminal.end(0, signal.SIGTERM)


def next_subscription(server, old, timeout=4):
    """The next SUBSCRIBE outside the dialog of `old` that does not end one."""
    end = time.monotonic() + timeout
    while True:
        message = server.subscribes.get(timeout=max(0.01, end - time.monotonic()))
        if message.get("call-id") != old.get("call-id"):
            assert ";tag=" not in message.get("to")
            return message


def a_lower_cseq_is_refused_and_not_shown(server):
    terminal = Terminal(server)
    server.notify(document(2, "partial", alert(1)), cseq=50)
    assert terminal.next("state")["cseq"] == 50
    server.notify(document(3, "partial", alert(2)), cseq=49)
    while (answer := server.answers.get(timeout=5)).cseq != 49:
        pass
    assert answer.status == 500
    server.notify(document(3, "partial", alert(3)), cseq=51)
    assert terminal.next("state")["alerts"][0]["serial"] == "OX-3"
    terminal.end(0, signal.SIGTERM)


def an_unreadable_body_is_told_and_full_state_asked_for(server):
    terminal = Terminal(server)
    server.subscribes.get()
    for body, kind, part in ((b"<DMPResponse>", "application/dmp", "line 1"),
                             (b"<DMPResponse/>", "application/dmp", "is missing"),
                             (b'<!DOCTYPE a [<!ENTITY x "y">]><DMPResponse/>', "application/dmp", "document type"),
                             (b"hello", "text/plain", "not application/dmp"),
                             (b"\0" * 60000, "application/dmp", "not UTF-8")):
        server.notify(body, content_type=kind)
        line = terminal.next("state")
        assert part in line["mistake"] and line["state"] is None and line["alerts"] == [], line
        server.subscribes.get(timeout=2)
        assert terminal.next("state")["state"] == "full"
    terminal.end(0, signal.SIGTERM)


def a_paged_state_clears_nothing_before_its_last_page(server):
    server.documents = lambda number: document(number, "full", alert(1), alert(2), alert(3))
    terminal = Terminal(server)
    server.notify(document(2, "full", alert(1), more=1))
    line = terminal.next("state")
    assert line["gone"] == [] and line["open"] == 3 and line["more"] == 1, line
    server.notify(document(3, "partial", alert(2)))
    line = terminal.next("state")
    assert line["gone"] == ["00000000-0000-8000-8000-000000000003"] and line["open"] == 2, line
    terminal.end(0, signal.SIGTERM)


def an_end_that_invites_is_followed_by_a_new_subscription(server):
    for reason, least, most in (("deactivated", 0, 0.5), ("timeout", 0, 0.5), ("", 0.9, 2),
                                ("giveup;retry-after=2", 1.9, 3.5), ("probation;retry-after=2", 1.9, 3.5)):
        terminal = Terminal(server)
        first = server.subscribes.get()
        began = time.monotonic()
        server.notify("", state="terminated" + (";reason=" + reason if reason else ""))
        assert terminal.next("retry")["feed"] == FEED
        next_subscription(server, first)
        took = time.monotonic() - began
        assert least <= took <= most, f"{reason or 'no reason'}: subscribed after {took:.2f} s"
        terminal.end(0, signal.SIGTERM)
        drain(server)


def drain(server):
    while not server.subscribes.empty():
        server.subscribes.get()


def an_end_for_good_ends_the_program_with_1(server):
    for reason in ("rejected", "noresource"):
        terminal = Terminal(server)
        server.notify("", state="terminated;reason=" + reason)
        assert reason in terminal.next("refused")["reason"]
        terminal.end(1)


def a_refusal_ends_the_program_with_1_and_its_reason(server):
    for status, phrase in ((403, "Forbidden"), (489, "Bad Event"), (406, "Not Acceptable"), (603, "Decline")):
        server.on_subscribe = lambda m: server.answer(m, status, phrase)
        terminal = Terminal(server, ready=False)
        refused = terminal.next("refused")
        assert refused["status"] == status and phrase in refused["reason"] and refused["feed"] == FEED
        terminal.end(1)


def too_short_an_expiry_is_mended(server):
    server.on_subscribe = lambda m: (server.accept(m) if int(m.get("expires")) in (0, 120)
                                     else server.answer(m, 423, "Interval Too Brief", "Min-Expires: 120\n"))
    terminal = Terminal(server, "--expires", "30")
    assert server.expires == 120
    terminal.end(0, signal.SIGTERM)


def answers_to_one_alert_go_one_after_the_other(server):
    terminal = Terminal(server)
    for line in ("accept K7FQP", "reject K7FQP", "accept AC347"):
        terminal.say(line)
    first, other = server.messages.get(timeout=3), server.messages.get(timeout=3)
    assert b"accept" in first.body and b"K7FQP" in first.body and b"AC347" in other.body, (first.body, other.body)
    server.answer(other, 200, "OK")
    until = time.monotonic() + 2
    while time.monotonic() < until:  # only the first again, which is not answered
        try:
            again = server.messages.get(timeout=0.3)
        except queue.Empty:
            continue
        assert again.get("call-id") == first.get("call-id"), "it overtook the answer before it"
    server.answer(first, 200, "OK")
    second = server.messages.get(timeout=3)
    while second.get("call-id") == first.get("call-id"):
        second = server.messages.get(timeout=3)
    assert b"reject" in second.body and b"K7FQP" in second.body, second.body
    server.answer(second, 200, "OK")
    for message, text in ((first, "200 OK"), (second, "409 Conflict"), (other, "200 OK")):
        server.result(message, text)
        assert terminal.next("answer")["result"] == text
    terminal.end(0, signal.SIGTERM)


def what_is_not_known_is_told_as_such_and_mended_when_the_result_comes(server):
    terminal = Terminal(server)
    terminal.say("accept K7FQP")
    message = server.messages.get(timeout=3)
    server.answer(message, 200, "OK")
    told = terminal.next("answer", 12)
    assert (told["status"], told["unknown"]) == (0, True) and "took it" in told["reason"], told
    server.result(message, "200 OK")
    told = terminal.next("answer")
    assert (told["status"], told["unknown"], told["alert"]) == (200, False, "K7FQP"), told
    terminal.end(0, signal.SIGTERM)


def what_the_server_refused_is_not_done(server):
    terminal = Terminal(server)
    terminal.say("accept K7FQP")
    server.answer(server.messages.get(timeout=3), 503, "Service Unavailable", "Retry-After: 9\n")
    told = terminal.next("answer")
    assert (told["status"], told["unknown"]) == (0, False) and told["reason"].startswith("503"), told
    terminal.end(0, signal.SIGTERM)


def a_server_that_does_not_answer_is_told_and_again_when_it_does(server):
    server.deaf = True
    terminal = Terminal(server)
    told = terminal.next("deaf", 9)
    assert told["since"].endswith("Z"), told
    server.deaf = False  # the OPTIONS is repeated
    terminal.next("heard", 6)
    terminal.end(0, signal.SIGTERM)


def a_server_in_trouble_is_asked_again_when_it_says(server):
    answers = [(503, "Service Unavailable", "Retry-After: 2\n"), (481, "Gone", "")]
    moments = []

    def busy(message):
        moments.append(time.monotonic())
        if answers:
            server.answer(message, *answers.pop(0))
        else:
            server.accept(message)

    server.on_subscribe = busy
    terminal = Terminal(server, ready=False)
    # the stack itself heeds Retry-After
    assert terminal.next("retry")["status"] == 481
    terminal.next("state", 10)
    assert moments[1] - moments[0] >= 2 and moments[2] - moments[1] >= 1, moments
    terminal.end(0, signal.SIGTERM)


def a_subscription_is_refreshed_in_time_and_renewed_when_the_server_forgot_it(server):
    terminal = Terminal(server, "--expires", "4")
    first = server.subscribes.get()
    again = server.subscribes.get(timeout=4)
    assert again.get("call-id") == first.get("call-id") and again.get("expires") == "4"
    server.on_subscribe = lambda m: (server.answer(m, 481, "Gone") if ";tag=" in m.get("to")
                                     else server.accept(m))
    assert terminal.next("retry")["status"] == 481
    fresh = next_subscription(server, first)
    assert fresh.get("expires") == "4"
    terminal.end(0, signal.SIGTERM)


def a_broken_tcp_connection_is_mended(server):
    terminal = Terminal(server, "--transport", "tcp")
    server.registers.get()
    server.break_tcp()
    assert terminal.next("retry")["status"] == 503
    server.listen()
    assert terminal.next("registered")["status"] == 200
    while not server.registers.empty():
        assert int(server.registers.get().get("expires")) > 0, "an un-REGISTER would remove the new binding"
    host, port = re.search(r"@([^:>;]+):(\d+)", server.dialog.get("contact")).groups()
    with socket.create_connection((host, int(port)), 3) as connection:
        server.notify(document(2, "partial", alert(1)), send=connection.sendall)
        assert terminal.next("state")["verdict"] == "taken", "the subscription was lost"
    terminal.end(0, signal.SIGTERM)


def many_alerts():
    alerts, number = [], 1
    while len(document(1, "full", *alerts)) < 63500:
        alerts.append(alert(number, text="x" * 300))
        number += 1
    return alerts


def bodies_of_64_kb_arrive_by_udp(server):
    alerts = many_alerts()
    server.documents = lambda number: document(number, "full", *alerts)
    terminal = Terminal(server, ready=False)
    line = terminal.next("state")
    assert len(line["alerts"]) == len(alerts), "alerts are missing"
    terminal.end(0, signal.SIGTERM)


def bodies_of_64_kb_arrive_by_tcp(server):
    alerts = many_alerts()
    server.documents = lambda number: document(number, "full", *alerts)
    terminal = Terminal(server, "--transport", "tcp", ready=False)
    assert len(terminal.next("state")["alerts"]) == len(alerts)
    via = server.subscribes.get().get("via")
    assert "/TCP" in via, via
    terminal.end(0, signal.SIGTERM)


def a_terminal_on_udp_takes_a_large_notify_by_tcp(server):
    alerts = many_alerts() * 2
    terminal = Terminal(server)
    host, port = re.search(r"@([^:>]+):(\d+)", server.dialog.get("contact")).groups()
    with socket.create_connection((host, int(port)), 3) as connection:
        server.notify(document(2, "full", *alerts), send=connection.sendall)
        assert b"SIP/2.0 200" in connection.recv(4096)
    assert len(terminal.next("state")["alerts"]) == len(alerts)
    terminal.end(0, signal.SIGTERM)


def sigterm_unsubscribes_and_unregisters(server):
    terminal = Terminal(server)
    server.subscribes.get(), server.registers.get()
    terminal.process.send_signal(signal.SIGTERM)
    assert server.subscribes.get(timeout=2).get("expires") == "0"
    gone = server.registers.get(timeout=2)
    assert gone.get("expires") == "0" or "expires=0" in gone.get("contact")
    assert terminal.next("unsubscribed")["status"] == 200
    assert terminal.next("state")["subscription_state"] == "terminated"
    assert terminal.next("unregistered")["status"] == 200
    terminal.end(0)


def sigusr1_is_a_crash(server):
    terminal = Terminal(server)
    server.subscribes.get(), server.registers.get()
    terminal.end(4, signal.SIGUSR1)
    time.sleep(0.1)
    assert server.subscribes.empty() and server.registers.empty()


def a_server_that_is_gone_does_not_hold_the_terminal(server):
    terminal = Terminal(server)
    server.on_subscribe = lambda m: None
    began = time.monotonic()
    terminal.end(0, signal.SIGTERM)
    assert time.monotonic() - began < 7


def duration_and_until_alerts_end_the_program(server):
    terminal = Terminal(server, "--until-alerts", "2", "--duration", "20")
    server.notify(document(2, "partial", alert(1)))
    server.notify(document(3, "partial", alert(1, revision=2)))
    time.sleep(0.2)
    assert terminal.process.poll() is None, "a change was counted as an alert"
    server.notify(document(4, "partial", alert(2)))
    terminal.end(0)
    server.number = 0
    terminal = Terminal(server, "--until-alerts", "2", "--duration", "1")
    terminal.end(3)


def challenges_are_answered_by_sha_256_and_counted(server):
    server.challenges = [CHALLENGE.format("one", "SHA-256"), CHALLENGE.format("two", "MD5")]
    server.password = "secret"
    terminal = Terminal(server)
    register, subscribe = server.registers.get(), server.subscribes.get()
    for message, method in ((register, "REGISTER"), (subscribe, "SUBSCRIBE")):
        terms = digest.fields(message.get("authorization"))
        assert (terms["algorithm"], terms["nonce"], terms["qop"]) == ("SHA-256", "one", "auth"), terms
        assert terms["response"] == digest.response("SHA-256", "tech1", "secret", method, terms), terms
    server.notify(document(9, "partial", alert(1)))  # a gap: it asks again
    again = digest.fields(server.subscribes.get(timeout=2).get("authorization"))
    assert int(again["nc"], 16) == int(digest.fields(subscribe.get("authorization"))["nc"], 16) + 1, again
    terminal.end(0, signal.SIGTERM)
    told = [line.get("event") for line in list(terminal.lines.queue)]
    assert "unproven" not in told, told


def a_server_that_does_not_prove_that_it_knows_the_password_is_told(server):
    terminal = Terminal(server, ready=False)
    assert "does not prove" in terminal.next("unproven")["reason"]
    terminal.end(0, signal.SIGTERM)


def who_proves_another_password_is_told_and_so_is_who_proves_the_right_one(server):
    server.challenges, server.password = [CHALLENGE.format("one", "SHA-256")], "another"
    terminal = Terminal(server, ready=False)
    assert "may not be the server" in terminal.next("unproven")["reason"]
    terminal.next("state")
    server.password = "secret"
    server.notify(document(9, "partial", alert(1)))  # a gap: it asks again
    terminal.next("proven")
    terminal.end(0, signal.SIGTERM)


def md5_is_answered_only_where_told_so(server):
    server.challenges, server.password = [CHALLENGE.format("two", "MD5")], "secret"
    terminal = Terminal(server, ready=False)
    assert "SHA-256" in terminal.next("refused")["reason"]
    terminal.end(1)
    terminal = Terminal(server, "--md5")
    terms = digest.fields(server.registers.get().get("authorization"))
    assert terms["response"] == digest.response("MD5", "tech1", "secret", "REGISTER", terms), terms
    terminal.end(0, signal.SIGTERM)


def without_register_only_a_subscription_is_made(server):
    terminal = Terminal(server, "--no-register", "--feed", "sip:dev.OX-1@home.example")
    assert server.registers.empty()
    message = server.subscribes.get()
    assert message.first.split()[1].startswith("sip:dev.OX-1@home.example"), message.first
    assert FEED in message.get("from")
    terminal.end(0, signal.SIGTERM)


CASES = [value for value in list(globals().values())
         if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:1] == ("server",)
         and value.__code__.co_argcount == 1 and value.__name__ != "drain"]


def main():
    wanted = sys.argv[1:]
    failures = 0
    for case in CASES:
        if wanted and case.__name__ not in wanted:
            continue
        server = Server()
        try:
            case(server)
            print(f"ok watch_terminal: {case.__name__.replace('_', ' ')}", flush=True)
        except (AssertionError, queue.Empty) as error:
            failures += 1
            print(f"    {error or 'nothing came'}")
            print(f"not ok watch_terminal: {case.__name__.replace('_', ' ')}", flush=True)
        finally:
            server.close()
            Terminal.kill_all()
    return 1 if failures else 0


sys.exit(main())
