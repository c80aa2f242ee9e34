"""Runs bmd-watch; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from stack import BIN, run, wait_until

FIELDS = ("id", "serial", "device_type", "arrived_at", "location", "patient_name", "patient_address",
          "value", "limit", "priority", "state", "metric", "unit", "kind", "condition", "measured_us",
          "latency_ms")


class Terminal:
    def __init__(self, stack, user, *arguments):
        info = {t["username"]: t for t in stack.info["technicians"]}[user]
        self.path = f"{stack.dir}/{user}-{len(stack.children)}.jsonl"
        self.process = stack.start(
            f"{BIN}/bmd-watch", "--aor", info["aor"], "--registrar",
            f"sip:{stack.info['sip_host']}:{stack.info['sip_port']}", "--user", user,
            "--password-file", info["password_file"], "--local", "127.0.0.1:0", "--json", *arguments,
            stdout=open(self.path, "w"), stderr=subprocess.STDOUT)

    def objects(self):
        with open(self.path) as file:
            return [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]

    def notifies(self):
        return [o for o in self.objects() if "subscription_state" in o]

    def wait(self, wanted, timeout=10, what="JSON object"):
        return wait_until(lambda: next((o for o in self.objects() if wanted(o)), None), timeout, what)


def shows(metric, state):
    return lambda o: any(a["metric"] == metric and a["state"] == state for a in o.get("alerts", []))


def it_registers_and_gets_full_state_over_udp_and_tcp(stack):
    stack.terminals = [Terminal(stack, "tech1"), Terminal(stack, "tech2", "--transport", "tcp")]
    for terminal in stack.terminals:
        terminal.wait(lambda o: o.get("event") == "registered")
        first = terminal.wait(lambda o: o.get("state") == "full")
        assert first["version"] == 1 and first["alerts"] == [], first
        assert first["subscription_state"] == "active", first


def an_alert_comes_with_every_field(stack):
    stack.report("OX-1001 SpO2=84")
    for terminal in stack.terminals:
        told = terminal.wait(shows("SpO2", "active"))
        alert = told["alerts"][0]
        missing = [f for f in FIELDS if alert.get(f) in (None, "")]
        assert not missing, f"missing {missing} in {alert}"
        assert told["state"] == "partial" and told["version"] == 2, told
        assert alert["value"] == 84 and alert["limit"] == 90 and alert["priority"] == "high", alert
        assert 0 <= alert["latency_ms"] < 1000, alert["latency_ms"]


def it_lives_through_kill_9_and_a_restart_on_its_old_dialog(stack):
    # write-back of subscriptions takes a second
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers") == [["2"]], 5, "stored rows")
    before = {t: t.notifies()[-1] for t in stack.terminals}
    wait_until(lambda: stack.sql("SELECT min(local_cseq) FROM active_watchers")[0][0] != "1", 5,
               "counters of the alert in the database")
    stack.kill9()
    stack.restart()
    for terminal in stack.terminals:
        old = before[terminal]
        again = terminal.wait(lambda o: o.get("version", 0) > old["version"], 10, "full state")
        assert again["call_id"] == old["call_id"], "another dialog"
        assert again["cseq"] > old["cseq"] and shows("SpO2", "active")(again), again


def the_next_change_reaches_it(stack):
    stack.report("OX-1001 SpO2=98")
    for terminal in stack.terminals:
        terminal.wait(shows("SpO2", "cleared"))


def it_says_why_it_is_refused_and_ends_with_status_1(stack):
    other = Terminal(stack, "tech3", "--feed", f"sip:tech1@{stack.info['domain']}")
    told = other.wait(lambda o: o.get("event") == "refused")
    assert told["status"] == 403, told
    assert other.process.wait(10) == 1


def it_unsubscribes_when_it_is_ended(stack):
    terminal = stack.terminals[0].process
    terminal.send_signal(signal.SIGTERM)
    assert terminal.wait(10) == 0
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers WHERE "
                                 "watcher_username = 'tech1'") == [["0"]], 5, "end of the subscription")


run("technicians-terminal", [it_registers_and_gets_full_state_over_udp_and_tcp,
                             an_alert_comes_with_every_field,
                             it_lives_through_kill_9_and_a_restart_on_its_old_dialog,
                             the_next_change_reaches_it,
                             it_says_why_it_is_refused_and_ends_with_status_1,
                             it_unsubscribes_when_it_is_ended], errors_expected=True)
