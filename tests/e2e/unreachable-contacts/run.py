"""Subscribes with Contacts that lead nowhere; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, hand
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


run("unreachable-contacts", [a_tcp_port_that_refuses, a_name_that_does_not_resolve,
                             an_address_that_cannot_be_sent_to], errors_expected=True)
