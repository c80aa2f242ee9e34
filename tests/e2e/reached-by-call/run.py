"""Calls to people; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import email
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from baresip import Baresip
from calling import attempts, called_device, codes, delivered_to, in_time, only_calls, raise_alert, settle
from scene import alerts, hand, kill_and_restart
from sip import Dialog
from sipp_phone import SippPhone, phones_of_its_own
from stack import free_port, run, wait_until

ANNOUNCEMENT = free_port()
RING_MS = 4000


def phone(stack, scenario, user="tech2", **options):
    return SippPhone(stack, scenario, user, **options)


def a_policy_calls(stack):
    only_calls(stack)


def nobody_registered_is_recorded(stack):
    called_device(stack, "NONE")
    begun = time.time()
    raise_alert(stack, "NONE")
    assert attempts(stack, "NONE", 1) == [["tech2", "", "480"]]
    in_time(stack, "NONE", begun + 0.2)  # when the policy calls


def an_answered_call_is_delivered_transferred_and_ended(stack):
    terminal = phone(stack, "transfer")
    called_device(stack, "ANSWER", location="room 7")
    begun = time.time()
    raise_alert(stack, "ANSWER")
    terminal.played()
    assert attempts(stack, "ANSWER", 1) == [["tech2", f"sip:127.0.0.1:{terminal.port}", "200"]]
    in_time(stack, "ANSWER", begun + 0.2)
    assert delivered_to(stack, "ANSWER").startswith("tech2 by call 20"), delivered_to(stack, "ANSWER")
    refer = terminal.got("REFER")[0]
    assert refer.get("refer-to") == f"<sip:announcement@127.0.0.1:{ANNOUNCEMENT}>", refer.get("refer-to")
    assert len(terminal.got("ACK")) == 1, "the ACK"
    stack.seen = terminal.got("INVITE")[0]
    assert alerts(stack, "ANSWER")[0]["response"] == "escalated", "an answered call is no answer to the alert"


def the_invite_says_what_it_is_about(stack):
    invite, code = stack.seen, alerts(stack, "ANSWER")[0]["code"]
    assert invite.get("from").startswith('"HIGH ANSWER SpO2" <sip:alert@'), invite.get("from")
    assert invite.get("priority") == "emergency" and invite.get("alert-info") == "<urn:alert:priority:high>"
    assert invite.get("subject").startswith("HIGH SpO2 80 % low, ANSWER") and code in invite.get("subject")
    assert "x-bmd-call" not in invite.headers, "the key leaves the server"
    parts = email.message_from_bytes(b"Content-Type: " + invite.get("content-type").encode() + b"\r\n\r\n"
                                     + invite.body).get_payload()
    assert [p.get_content_type() for p in parts] == ["application/sdp", "text/plain"], parts
    text = parts[1].get_payload(decode=True).decode()
    assert text.startswith("HIGH SpO2 80 %") and "room 7" in text and code in text, text
    assert "m=audio 9 RTP/AVP 0 8\r\n" in parts[0].get_payload() and "a=inactive" in parts[0].get_payload()


def a_stock_phone_takes_the_call_and_is_transferred_to_the_announcement(stack):
    service = SippPhone(stack, "announcement", port=ANNOUNCEMENT)
    baresip = Baresip(stack, "tech2", calls=True)
    try:
        called_device(stack, "STOCK")
        raise_alert(stack, "STOCK")
        invite = wait_until(lambda: service.got("INVITE"), 8, "the call to the announcement")[0]
        assert "tech2" in invite.get("from"), invite.get("from")
        service.played()
        assert codes(stack, "STOCK", 2) == ["500", "200"], "it does not know multipart: called again without the text"
    finally:
        baresip.process.kill()
        baresip.process.wait(5)
        stack.kamcmd("ul.rm", "location", "tech2")


def busy_and_declined_are_recorded_and_no_answer_to_the_alert(stack):
    for scenario, code in (("busy", "486"), ("decline", "603")):
        terminal = phone(stack, scenario, calls=2)
        called_device(stack, scenario)
        begun = time.time()
        raise_alert(stack, scenario)
        terminal.invite()
        assert attempts(stack, scenario, 1) == [["tech2", terminal.terminal, code]]
        in_time(stack, scenario, begun + 0.2)
        assert "by call" not in delivered_to(stack, scenario), delivered_to(stack, scenario)
        assert alerts(stack, scenario)[0]["response"] == "escalated"
        time.sleep(0.5)
        assert len(terminal.got("INVITE")) == 1, "called again within the step"
        terminal.gone()


def one_that_nobody_answers_rings_for_its_time(stack):
    terminal = phone(stack, "ring")
    called_device(stack, "RING")
    begun = time.time()
    raise_alert(stack, "RING")
    terminal.played()
    assert attempts(stack, "RING", 1) == [["tech2", terminal.terminal, "408"]]
    in_time(stack, "RING", begun + 0.2, at_least=RING_MS / 1000 - 0.1)
    rang = terminal.got("CANCEL")[0].get("cseq")
    assert rang == "1 CANCEL", rang


def one_that_is_not_there_is_recorded(stack):
    terminal = phone(stack, "silent")
    called_device(stack, "SILENT")
    raise_alert(stack, "SILENT")
    assert attempts(stack, "SILENT", 1, 8) == [["tech2", terminal.terminal, "408"]]


def a_slow_phone_is_reached(stack):
    terminal = phone(stack, "slow")
    called_device(stack, "SLOW")
    raise_alert(stack, "SLOW")
    terminal.played()
    assert codes(stack, "SLOW", 1) == ["200"]


def a_phone_that_refuses_the_text_is_called_at_once_without_it(stack):
    terminal = phone(stack, "text-refused", calls=3)
    called_device(stack, "PLAIN")
    raise_alert(stack, "PLAIN")
    assert codes(stack, "PLAIN", 2) == ["415", "200"]
    called_device(stack, "PLAIN-2")
    raise_alert(stack, "PLAIN-2")
    assert codes(stack, "PLAIN-2", 1) == ["200"], "it is remembered"
    terminal.played()
    kinds = [m.get("content-type").partition(";")[0] for m in terminal.got("INVITE")]
    assert kinds == ["multipart/mixed", "application/sdp", "application/sdp"], kinds
    assert terminal.got("INVITE")[1].body.startswith(b"v=0\r\n") and b"--" not in terminal.got("INVITE")[1].body


def all_terminals_ring_and_the_first_that_answers_has_it(stack):
    ringing, slow = phone(stack, "ring"), phone(stack, "slow")
    called_device(stack, "FORK")
    raise_alert(stack, "FORK")
    slow.played()
    ringing.played()
    found = attempts(stack, "FORK", 2)
    assert sorted(found) == sorted([["tech2", ringing.terminal, "487"],
                                    ["tech2", f"sip:127.0.0.1:{slow.port}", "200"]]), found


def what_somebody_else_accepts_rings_no_longer(stack):
    terminal = phone(stack, "ring")
    called_device(stack, "TAKEN")
    raise_alert(stack, "TAKEN")
    terminal.invite()
    accepted = time.time()
    stack.kamcmd("bmd.accept", alerts(stack, "TAKEN")[0]["code"], "tech1")
    wait_until(lambda: terminal.got("CANCEL"), 2, "the CANCEL")
    assert time.time() - accepted < 1, "late"
    terminal.played()
    assert attempts(stack, "TAKEN", 1) == [["tech2", terminal.terminal, "487"]]


def a_phone_that_hangs_up_is_answered(stack):
    terminal = phone(stack, "hang-up")
    called_device(stack, "HANGUP")
    raise_alert(stack, "HANGUP")
    terminal.played()
    assert codes(stack, "HANGUP", 1) == ["200"]


def nobody_is_called_twice_at_a_time_and_the_next_call_tells_what_waited(stack):
    terminal = phone(stack, "no-transfer", calls=2)
    for serial in ("ONE", "TWO", "THREE"):
        called_device(stack, serial)
    raise_alert(stack, "ONE")
    terminal.invite()
    hand(stack, "TWO SpO2=80\nTHREE SpO2=80")
    terminal.played()
    first, second = terminal.got("INVITE")
    assert b"TWO" in second.body and b"THREE" in second.body and "more" in second.get("subject"), second.raw
    for serial in ("ONE", "TWO", "THREE"):
        assert "200" in codes(stack, serial, 1), serial
    assert first.get("call-id") != second.get("call-id")


def what_is_more_urgent_does_not_wait(stack):
    terminal = phone(stack, "ring", calls=2)
    called_device(stack, "LOW")
    called_device(stack, "URGENT")
    settle(stack)
    hand(stack, "LOW PulseRate=130")
    terminal.invite()
    raised = time.time()
    hand(stack, "URGENT SpO2=80")
    wait_until(lambda: len(terminal.got("INVITE")) == 2, 3, "the urgent call")
    assert time.time() - raised < 1.5, "late"
    urgent = terminal.got("INVITE")[1]
    assert urgent.get("priority") == "emergency" and b"URGENT" in urgent.body and b"LOW" in urgent.body, urgent.raw
    assert terminal.got("INVITE")[0].get("priority") == "urgent"
    settle(stack)
    terminal.played()


def nobody_else_can_make_a_call(stack):
    terminal = phone(stack, "busy")
    stranger = stack.agent("tech1")
    for uri in (f"sip:tech2@{stack.info['domain']}", f"sip:tech3@{stack.info['domain']}"):
        dialog = Dialog(uri)
        reply = stranger.transact("INVITE", uri, dialog, "X-BMD-Call: " + "0" * 32 + "\n")
        assert reply.status == 405, reply.first
    for method in ("BYE", "NOTIFY"):
        dialog = Dialog(f"sip:alert@{stack.info['domain']}")
        dialog.remote_tag = "x"
        reply = stranger.transact(method, dialog.to, dialog, "Event: refer\nSubscription-State: active\n")
        assert reply.status == 481, reply.first
    time.sleep(0.3)
    assert not terminal.got("INVITE"), "a stranger's call came through"


def both_answered(both):
    """False: one was so late that it was cancelled first."""
    try:
        for terminal in both:
            terminal.played()
    except AssertionError as late:
        if "unexpected CANCEL" not in str(late):
            raise
        return False
    return True


def two_that_answer_at_the_same_moment_are_both_ended(stack):
    for serial in ("BOTH-1", "BOTH-2", "BOTH-3", "BOTH-4", "BOTH-5"):
        both = [phone(stack, "together"), phone(stack, "together")]
        called_device(stack, serial)
        raise_alert(stack, serial)
        if both_answered(both):
            break
        for terminal in both:
            terminal.gone()
    found = attempts(stack, serial, 2)
    assert sorted(found) == sorted(["tech2", f"sip:127.0.0.1:{t.port}", "200"] for t in both), found
    assert sorted(len(t.got("REFER")) for t in both) == [0, 1], "one call is transferred"


def one_that_answers_while_it_is_cancelled_is_ended(stack):
    terminal = phone(stack, "crosses")
    called_device(stack, "CROSSES")
    raise_alert(stack, "CROSSES")
    terminal.invite()
    stack.kamcmd("bmd.accept", alerts(stack, "CROSSES")[0]["code"], "tech1")
    terminal.played(5)
    assert codes(stack, "CROSSES", 1) == ["200"]


def after_kill_9_who_was_to_be_called_is_called_again_and_who_had_answered_is_not(stack):
    settle(stack)
    answered = phone(stack, "no-transfer", "tech3", calls=2)
    called_device(stack, "TOLD", group="others")
    hand(stack, "TOLD SpO2=80")
    assert codes(stack, "TOLD", 1) == ["200"]
    ringing = phone(stack, "ring", calls=2)
    for serial in ("RINGING", "WAITING"):
        called_device(stack, serial)
    wait_until(lambda: {row[0] for row in stack.sql("SELECT username FROM location")} >= {"tech2", "tech3"}, 6, "usrloc")
    hand(stack, "RINGING SpO2=80")
    ringing.invite()
    hand(stack, "WAITING SpO2=80")
    wait_until(lambda: stack.sql("SELECT 1 FROM bmd_escalation JOIN bmd_alert USING (alert_id) WHERE serial = 'WAITING' AND number = 2"), 3,
               "that it is asked for, in the database")
    kill_and_restart(stack)
    wait_until(lambda: len(ringing.got("INVITE")) == 2, 10, "the call after the restart")
    again = ringing.got("INVITE")[1]
    assert b"RINGING" in again.body and b"WAITING" in again.body, again.raw
    time.sleep(1)
    assert len(answered.got("INVITE")) == 1, "who had answered was called again"
    settle(stack)
    wait_until(lambda: ringing.got("CANCEL"), 3, "the CANCEL")


run("reached-by-call", [phones_of_its_own(sentence) for sentence in (
    a_policy_calls, nobody_registered_is_recorded, an_answered_call_is_delivered_transferred_and_ended,
    the_invite_says_what_it_is_about, a_stock_phone_takes_the_call_and_is_transferred_to_the_announcement,
    busy_and_declined_are_recorded_and_no_answer_to_the_alert, one_that_nobody_answers_rings_for_its_time,
    one_that_is_not_there_is_recorded, a_slow_phone_is_reached,
    a_phone_that_refuses_the_text_is_called_at_once_without_it,
    all_terminals_ring_and_the_first_that_answers_has_it, what_somebody_else_accepts_rings_no_longer,
    a_phone_that_hangs_up_is_answered, nobody_is_called_twice_at_a_time_and_the_next_call_tells_what_waited,
    what_is_more_urgent_does_not_wait, nobody_else_can_make_a_call, two_that_answer_at_the_same_moment_are_both_ended,
    one_that_answers_while_it_is_cancelled_is_ended,
    after_kill_9_who_was_to_be_called_is_called_again_and_who_had_answered_is_not)],
    "--md5-port", str(free_port()), "--set", "CALL_HOLD=1", "--set", f"RING_MS={RING_MS}",
    "--announcement", f"sip:announcement@127.0.0.1:{ANNOUNCEMENT}")
