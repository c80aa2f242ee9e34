"""Kills Kamailio while it notifies; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from stack import run, wait_until

seen = {}


def pump(stack, seconds):
    """Lets every terminal answer for some time."""
    until = time.time() + seconds
    while time.time() < until:
        if not any([agent.pump(0) for agent, _ in stack.watchers]):
            time.sleep(0.002)


def newest(agent, dialog):
    """The last NOTIFY of the dialog that came; checks that CSeq and version only grow."""
    last = None
    for message in [m for m in agent.received if m.is_request and m.get("call-id") == dialog.call_id]:
        agent.received.remove(message)
        document = message.document()
        known = seen[dialog.call_id]
        assert message.cseq > known["cseq"], f"CSeq {message.cseq} after {known['cseq']}"
        assert document.version > known["version"], f"version {document.version} after {known}"
        seen[dialog.call_id] = {"cseq": message.cseq, "version": document.version}
        last = message
    return last


def awaited(agent, dialog, wanted=lambda document: True):
    """The document of the newest NOTIFY of the dialog, as soon as it is one that is wanted."""
    def come():
        agent.pump(0.02)
        last = newest(agent, dialog)
        return last and wanted(last.document()) and last.document()
    return wait_until(come, 5, "a NOTIFY")


def subscriptions_and_an_open_alert_exist(stack):
    stack.watchers = []
    for user, feed in (("tech1", "sip:tech1@"), ("tech2", "sip:tech2@"), ("tech1", "sip:dev.OX-1001@")):
        agent = stack.agent(user)
        dialog, reply = agent.subscribe(feed + stack.info["domain"])
        assert reply.status == 200, reply.first
        first = agent.notify(dialog)
        assert first.document().state == "full"
        seen[dialog.call_id] = {"cseq": first.cseq, "version": first.document().version}
        stack.watchers.append((agent, dialog))
    stack.report("OX-1001 SpO2=84")
    wait_until(lambda: stack.sql("SELECT 1 FROM bmd_alert WHERE state = 'active'"), 5, "stored alert")
    time.sleep(1.5)  # "older than a second"


def kill_9_while_it_notifies(stack):
    stop = threading.Event()

    def flap():
        value = 0
        while not stop.is_set():
            value = 1 - value
            try:
                stack.report(f"OX-1001 PulseRate={130 if value else 80}")
            except AssertionError:
                return

    flapping = threading.Thread(target=flap)
    flapping.start()
    pump(stack, 0.5)
    for agent, dialog in stack.watchers:
        newest(agent, dialog)
    assert all(seen[d.call_id]["version"] > 3 for _, d in stack.watchers), "nothing was notified"
    stack.kill9()
    stop.set()
    flapping.join()
    pump(stack, 0.1)
    for agent, dialog in stack.watchers:
        newest(agent, dialog)
    # left behind by many starts, and long over: it keeps no server from starting
    stack.sql("INSERT INTO active_watchers SELECT (jsonb_populate_record(w, jsonb_build_object('id', w.id + 1000, "
              "'callid', 'expired', 'expires', 1, 'local_cseq', 2147483000))).* FROM active_watchers w LIMIT 1")
    stack.restart()
    assert stack.sql("SELECT count(*) FROM active_watchers WHERE callid = 'expired'") == [["0"]], "it is still there"


def open_alerts_are_there(stack):
    text = stack.kamcmd("bmd.alerts")
    assert "metric: SpO2" in text and "state: active" in text, text


def every_old_subscription_gets_full_state_on_its_dialog(stack):
    pump(stack, 1.0)
    for agent, dialog in stack.watchers:
        document = awaited(agent, dialog)
        assert document.state == "full", document.state
        assert any(a["Variable"] == "SpO2" for a in document.alerts), "the open alert is missing"


def the_next_change_is_notified_on_the_old_dialog(stack):
    stack.report("OX-1001 SpO2=98")
    for agent, dialog in stack.watchers:
        awaited(agent, dialog, lambda document: ["cleared"] == [a["state"] for a in document.alerts if a["Variable"] == "SpO2"])


def the_old_dialog_can_be_refreshed_and_ended(stack):
    for agent, dialog in stack.watchers:
        _, reply = agent.subscribe(dialog=dialog)
        assert reply.status == 200, reply.first
        awaited(agent, dialog, lambda document: document.state == "full")
        _, reply = agent.subscribe(dialog=dialog, expires=0)
        assert reply.status == 200, reply.first
        agent.wait(lambda m, d=dialog: m.is_request and m.get("call-id") == d.call_id and "terminated" in m.get("subscription-state"))


def a_silent_device_raises_a_stale_alert_after_the_restart_too(stack):
    # OX-1001 spoke before the restart, so its silence counts from the start of the server
    stack.sql("UPDATE bmd_device_type SET stale_after = '1 s' WHERE type_name = 'Nonin oximeter'")
    wait_until(lambda: "metric: NoData" in stack.kamcmd("bmd.alerts"), 5, "stale alert")


run("restart-kill-9", [subscriptions_and_an_open_alert_exist, kill_9_while_it_notifies,
                       open_alerts_are_there, every_old_subscription_gets_full_state_on_its_dialog,
                       the_next_change_is_notified_on_the_old_dialog,
                       the_old_dialog_can_be_refreshed_and_ended,
                       a_silent_device_raises_a_stale_alert_after_the_restart_too],
    errors_expected=True)
