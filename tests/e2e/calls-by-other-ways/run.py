"""Calls to terminals that are not on UDP and IPv4; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from calling import attempts, called_device, only_calls, raise_alert
from sipp_phone import SippPhone, phones_of_its_own
from stack import run

INVITES = "1"  # of usrloc: the terminal takes INVITE and nothing else
NAMED = "sip:tech2@phone.invalid:5060"


def phone(stack, scenario, **options):
    return SippPhone(stack, scenario, "tech2", **options)


def a_policy_calls(stack):
    only_calls(stack)


def answered(stack, serial, terminal, contact):
    """Calls the terminal, which plays its scenario to the end; the INVITE."""
    called_device(stack, serial)
    raise_alert(stack, serial)
    terminal.played()
    assert attempts(stack, serial, 1) == [["tech2", contact, "200"]]
    return terminal.got("INVITE")[0]


def a_terminal_on_ipv6_is_called_and_hangs_up(stack):
    terminal = phone(stack, "hang-up", ipv6=True)
    invite = answered(stack, "IPV6", terminal, f"sip:[::1]:{terminal.port}")
    assert invite.get("contact") == f"<sip:alert@[::1]:{stack.info['sip_port']};transport=udp>", invite.get("contact")
    assert b"c=IN IP6 ::1\r\n" in invite.body, invite.body


def one_on_ipv4_is_given_the_address_that_it_registered_at(stack):
    terminal = phone(stack, "hang-up")
    invite = answered(stack, "IPV4", terminal, f"sip:127.0.0.1:{terminal.port}")
    assert invite.get("contact") == f"<sip:alert@127.0.0.1:{stack.info['sip_port']};transport=udp>"


def one_on_tcp_is_called_and_ended_by_tcp(stack):
    terminal = phone(stack, "no-transfer", tcp=True)
    invite = answered(stack, "TCP", terminal, f"sip:127.0.0.1:{terminal.port};transport=TCP")
    assert invite.get("contact") == f"<sip:alert@127.0.0.1:{stack.info['sip_port']};transport=tcp>"
    assert len(terminal.got("BYE")) == 1 and invite.get("via").startswith("SIP/2.0/TCP")


def one_that_answers_with_a_name_for_its_address_is_ended_where_it_was_called(stack):
    terminal = phone(stack, "named")
    answered(stack, "NAMED", terminal, f"sip:phone@phone.invalid:{terminal.port}")
    assert terminal.got("BYE")[0].first == f"BYE sip:phone@phone.invalid:{terminal.port} SIP/2.0"


def one_that_has_but_a_name_is_recorded_and_the_others_ring(stack):
    stack.kamcmd("ul.add", "location", "tech2", NAMED, "600", "0.5", ".", "0", "0", INVITES)
    terminal = phone(stack, "no-transfer")
    called_device(stack, "NAME")
    began = time.time()
    raise_alert(stack, "NAME")
    terminal.played()
    took = time.time() - began
    found = attempts(stack, "NAME", 2)
    assert sorted(row[1:] for row in found) == sorted([
        [NAMED, "999"], [f"sip:127.0.0.1:{terminal.port};transport=UDP", "200"]]), found
    assert took < 3, f"{took:.1f} s"
    terminal.gone()
    called_device(stack, "NAME-2")
    raise_alert(stack, "NAME-2")
    assert attempts(stack, "NAME-2", 1) == [["tech2", NAMED, "999"]]
    stack.kamcmd("ul.rm", "location", "tech2")


def one_that_rings_longer_than_a_call_may_last_has_not_answered(stack):
    terminal = phone(stack, "ring")
    called_device(stack, "LONG")
    raise_alert(stack, "LONG")
    terminal.played()
    assert attempts(stack, "LONG", 1) == [["tech2", terminal.terminal, "408"]]


run("calls-by-other-ways", [phones_of_its_own(sentence) for sentence in (
    a_policy_calls, a_terminal_on_ipv6_is_called_and_hangs_up, one_on_ipv4_is_given_the_address_that_it_registered_at,
    one_on_tcp_is_called_and_ended_by_tcp, one_that_answers_with_a_name_for_its_address_is_ended_where_it_was_called,
    one_that_has_but_a_name_is_recorded_and_the_others_ring,
    one_that_rings_longer_than_a_call_may_last_has_not_answered)],
    "--set", "CALL_HOLD=1", "--set", "CALL_LIMIT=5", "--ipv6", "--announcement", "sip:announcement@127.0.0.1:9")
