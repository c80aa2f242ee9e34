"""Calls in sequence; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from calling import attempts, called_device, only_calls, raise_alert
from sipp_phone import SippPhone, phones_of_its_own
from stack import run


def phone(stack, scenario, q):
    return SippPhone(stack, scenario, "tech2", q)


def a_policy_calls(stack):
    only_calls(stack)


def terminals_ring_by_q_and_those_of_the_same_q_together(stack):
    last, first = phone(stack, "held", "0.1"), phone(stack, "busy", "0.9")
    middle = [phone(stack, "ring", "0.5"), phone(stack, "ring", "0.5")]
    called_device(stack, "SEQUENCE")
    raised = time.time()
    raise_alert(stack, "SEQUENCE")
    last.played()
    assert time.time() - raised > 3, "the last did not wait for its hold and those before it"
    for terminal in (first, *middle):
        terminal.played()
    found = attempts(stack, "SEQUENCE", 4)
    assert found[0] == ["tech2", first.terminal, "486"], found
    assert sorted(found[1:3]) == sorted(["tech2", m.terminal, "408"] for m in middle), found
    assert found[3] == ["tech2", f"sip:127.0.0.1:{last.port}", "200"], found


def who_declines_declines_at_every_terminal(stack):
    second, first = phone(stack, "held", "0.1"), phone(stack, "decline", "0.9")
    called_device(stack, "DECLINE")
    raise_alert(stack, "DECLINE")
    first.played()
    assert attempts(stack, "DECLINE", 1) == [["tech2", first.terminal, "603"]]
    time.sleep(1)
    assert not second.got("INVITE"), "another terminal rang"


def the_last_of_many_rings_as_well(stack):
    ringing = [phone(stack, "ring", f"0.{9 - i}") for i in range(5)]
    last = phone(stack, "held", "0.1")
    called_device(stack, "MANY")
    raise_alert(stack, "MANY")
    last.played()
    found = attempts(stack, "MANY", 6)
    assert [row[1:] for row in found] == [[t.terminal, "408"] for t in ringing] + [
        [f"sip:127.0.0.1:{last.port}", "200"]], found


run("calls-in-sequence", [phones_of_its_own(sentence) for sentence in (
    a_policy_calls, terminals_ring_by_q_and_those_of_the_same_q_together, who_declines_declines_at_every_terminal,
    the_last_of_many_rings_as_well)],
    "--set", "CALL_HOLD=1", "--set", "RING_MS=2000", "--set", "CALL_LIMIT=9", "--set", "CALL_IN_SEQUENCE=1")
