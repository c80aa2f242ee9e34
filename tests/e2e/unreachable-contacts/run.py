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
    other.contact += ">, <sip:tech2@no-such-host.invalid"  # the second one is not where the REGISTER came from
    assert other.register().status == 200
    before = len(stack.log())
    uri = f"sip:tech2@{agent.domain}"
    reply = agent.transact("MESSAGE", uri, Dialog(uri), "Content-Type: text/plain\n", b"hello")
    assert reply.status == 200, reply.first
    assert other.wait(lambda m: m.is_request and m.body == b"hello", 5, "the text")
    said = stack.log()[before:]
    assert "nothing goes to a terminal: its Contact has no address" in said and "resolve" not in said, said


def a_text_between_people_waits_for_no_name(stack):
    """One that is looked up is looked up in the process of everybody else's requests."""
    by_name, domain = stack.agent("tech3"), stack.info["domain"]
    phone, sender = stack.agent("tech3"), stack.agent("tech2")
    # the first decides whether all of them are taken for where the request came from
    phone.contact_parameters = f", <sip:tech3@localhost:{by_name.port}>"
    assert phone.register().status == 200
    text = Dialog(f"sip:tech3@{domain}")
    assert sender.transact("MESSAGE", text.to, text, "Content-Type: text/plain\n", b"are you there").status == 200
    phone.wait(lambda m: m.method == "MESSAGE", 5, "a text at an address")
    by_name.pump(1)
    assert not by_name.received, f"a name was looked up: {by_name.received[0].first}"
    # nobody is left: it is refused at once
    alone = stack.agent("tech3")
    phone.register(0)
    alone.contact = f"sip:tech3@{alone.host}:{alone.port}"
    alone.contact_parameters = f";expires=0, <sip:tech3@localhost:{by_name.port}>"
    alone.register()
    begun = time.time()
    text = Dialog(f"sip:tech3@{domain}")
    status = sender.transact("MESSAGE", text.to, text, "Content-Type: text/plain\n", b"and now").status
    assert status >= 400 and time.time() - begun < 1, (status, time.time() - begun)


run("unreachable-contacts", [a_tcp_port_that_refuses, a_name_that_does_not_resolve,
                             an_address_that_cannot_be_sent_to, a_text_to_a_name_beside_an_address_waits_for_no_name,
                             a_text_between_people_waits_for_no_name], errors_expected=True)
