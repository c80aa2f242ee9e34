"""Subscribes with Contacts that lead nowhere; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, hand
from sip import Dialog
from stack import free_port, run

SILENT_S = 10  # tm gives a NOTIFY up after 8 s


def subscribe_from_nowhere(stack, contact):
    """The server must live through the failure of the NOTIFY, and of the next one."""
    before = stack.processes()
    watcher = Watcher(stack, "tech2")
    agent = stack.agent("tech1")
    agent.contact = contact
    agent.subscribe()
    hand(stack, "OX-1001 SpO2=80")
    watcher.wait(lambda: watcher.about("OX-1001"), "the alert")
    until = time.time() + SILENT_S
    while time.time() < until:
        assert stack.processes() == before, f"processes were {before}, are {stack.processes()}"
        watcher.pump(0.2)
    hand(stack, "OX-1001 SpO2=97")
    watcher.wait(lambda: not watcher.open, "its end")
    assert stack.processes() == before


def guarded(stack, contact):
    try:
        subscribe_from_nowhere(stack, contact)
    except Exception:
        stack.kill9()
        stack.restart()  # the next sentence has a server again
        raise


def a_tcp_port_that_refuses(stack):
    guarded(stack, f"sip:tech1@127.0.0.1:{free_port()};transport=tcp")


def a_name_that_does_not_resolve(stack):
    guarded(stack, "sip:tech1@no-such-host.invalid")


def an_address_that_cannot_be_sent_to(stack):
    guarded(stack, "sip:tech1@255.255.255.255:9")


# branch_route[CHAT] left out of message.cfg
def a_text_to_a_name_beside_an_address_waits_for_no_name(stack):
    other, agent = stack.agent("tech2"), stack.agent("tech1")
    assert other.register().status == 200
    # as one of before the rule of the next sentence
    stack.kamcmd("ul.add", "location", "tech2", "sip:tech2@no-such-host.invalid", "3600", "0.5", ".", "0", "0", "8191")
    before = len(stack.log())
    uri = f"sip:tech2@{agent.domain}"
    reply = agent.transact("MESSAGE", uri, Dialog(uri), "Content-Type: text/plain\n", b"hello")
    assert reply.status == 200, reply.first
    assert other.wait(lambda m: m.is_request and m.body == b"hello", 5, "the text")
    said = stack.log()[before:]
    assert "nothing goes to a terminal: its Contact has no address" in said and "resolve" not in said, said


# route[REGISTER] of registrar.cfg always saves: texts go to the other one as well
def nobody_registers_somebody_else(stack):
    phone, other, sender = stack.agent("tech3"), stack.agent("tech3", host="127.0.0.90"), stack.agent("tech2")
    for contact in (f"sip:tech3@localhost:{other.port}", other.contact, f"sip:tech3@{phone.host}:{phone.port};maddr=127.0.0.90"):
        own, phone.contact = phone.contact, contact
        assert phone.register().status == 200, contact
        text = Dialog(f"sip:tech3@{stack.info['domain']}")
        begun = time.time()
        assert sender.transact("MESSAGE", text.to, text, "Content-Type: text/plain\n", b"are you there").status == 200
        assert time.time() - begun < 1
        phone.wait(lambda m: m.method == "MESSAGE" and m.body == b"are you there", 5, "a text at where it registered from")
        assert phone.register(0).status == 200
        phone.received.clear()
        # beside its own
        phone.contact, phone.contact_parameters = own, f", <{contact}>"
        reply = phone.register()
        assert (reply.status, "Several Places" in reply.first) == (400, True), reply.first
        phone.contact_parameters = ""
    other.pump(0.5)
    assert not other.received, other.received[0].first


run("unreachable-contacts", [a_tcp_port_that_refuses, a_name_that_does_not_resolve,
                             an_address_that_cannot_be_sent_to, a_text_to_a_name_beside_an_address_waits_for_no_name,
                             nobody_registers_somebody_else], errors_expected=True)
