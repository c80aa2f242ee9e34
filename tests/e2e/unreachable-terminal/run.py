"""Lets a terminal be silent; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from stack import run, wait_until


def an_unanswered_notify_is_counted(stack):
    stack.terminal = stack.agent("tech1")
    stack.dialog, reply = stack.terminal.subscribe()
    assert reply.status == 200, reply.first
    stack.terminal.notify(stack.dialog)
    stack.terminal.notify_status = 0  # it hears nothing, so it says nothing
    stack.report("OX-1001 SpO2=80")
    wait_until(lambda: stack.stat("notify_failed") >= 1, 15, "failed NOTIFY")


def the_terminal_is_told_again_when_it_is_back(stack):
    stack.terminal.pump(0)
    stack.terminal.received.clear()  # what came while it was out of reach did not come
    stack.terminal._seen.clear()
    stack.terminal.notify_status = 200
    message = stack.terminal.wait(lambda m: m.is_request and m.document().state == "full", 20,
                                  "full state")
    assert [a["Variable"] for a in message.document().alerts] == ["SpO2"], message.document().alerts


def its_subscription_goes_on(stack):
    stack.report("OX-1001 SpO2=99")
    message = stack.terminal.notify(stack.dialog)
    assert message.document().alerts[0]["state"] == "cleared"


run("unreachable-terminal", [an_unanswered_notify_is_counted,
                             the_terminal_is_told_again_when_it_is_back, its_subscription_goes_on])
