"""Who watches, for those who answer for it; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from answering import Answerer
from scene import Watcher, add_device, kill_and_restart, provisioned, raise_on, records
from stack import TOP, free_port, run, wait_until
from terminal import Terminal

NS = "{urn:ietf:params:xml:ns:watcherinfo}"
WINFO = "Event: bmd-alert.winfo\nAccept: application/watcherinfo+xml\n"
AT_ONCE = 1.5  # s: a decision goes through the database
PAUSE = 5.0  # s between documents of one subscription


class Winfo:
    """A subscription to watcher information by raw SIP; each document is valid and follows the one before."""

    def __init__(self, stack, user, feed=None, expires=3600):
        self.stack, self.agent = stack, stack.agent(user)
        self.domain = stack.info["domain"]
        self.versions, self.bodies, self.state = [], [], ""
        self.entries = {}  # (feed, id): (user, status, event)
        self.dialog, self.reply = self.agent.subscribe(f"sip:{feed or user}@{self.domain}", expires=expires, headers=WINFO)
        if self.reply.status == 200:
            self.wait(lambda: self.bodies, "the first document")

    def take(self, message):
        assert message.get("event") == "bmd-alert.winfo", message.get("event")
        self.state = message.get("subscription-state")
        if not message.body:
            return
        assert message.get("content-type") == "application/watcherinfo+xml", message.get("content-type")
        checked = subprocess.run(["xmllint", "--nonet", "--noout", "--schema", f"{TOP}/tests/data/watcherinfo.xsd", "-"],
                                 input=message.body, capture_output=True)
        assert checked.returncode == 0, checked.stderr.decode()
        root = ET.fromstring(message.body)
        version = int(root.get("version"))
        if self.versions and version != self.versions[-1] + 1:
            assert root.get("state") == "full" and version > self.versions[-1], f"version {version} after {self.versions}"
        if root.get("state") == "full":
            self.entries = {}
        for entries in root:
            assert entries.get("package") == "bmd-alert", entries.attrib
            feed = re.match(r"sip:([^@]+)@", entries.get("resource")).group(1)
            for one in entries:
                who = one.text.strip()[4:].removesuffix("@" + self.domain)
                self.entries[(feed, one.get("id"))] = (who, one.get("status"), one.get("event"))
        self.versions.append(version)
        self.bodies.append(message.body)

    @property
    def known(self):
        """{(feed, user): (status, event)}; of a person who has ended one and made another: the other."""
        order = sorted(self.entries.items(), key=lambda entry: entry[1][1] != "terminated")
        return {(feed, who): (status, event) for (feed, _), (who, status, event) in order}

    def pump(self, seconds=0.02):
        self.agent.pump(seconds)
        for message in [m for m in self.agent.received if m.is_request and m.method == "NOTIFY"
                        and m.get("call-id") == self.dialog.call_id]:
            self.agent.received.remove(message)
            self.take(message)

    def wait(self, wanted, what, timeout=PAUSE + AT_ONCE):
        until = time.time() + timeout
        while not wanted():
            self.pump()
            assert time.time() < until, f"{what} did not come within {timeout} s; known: {self.known}"

    def shows(self, feed, user, status, event, timeout=PAUSE + AT_ONCE):
        self.wait(lambda: self.known.get((feed, user)) == (status, event), f"{user} {status}/{event} of {feed}", timeout)


def terminal_tells(stack, status, event):
    domain = stack.info["domain"]
    stack.terminal.wait(lambda o: any(
        (w["resource"], w["uri"], w["status"], w["event"]) == (f"sip:dev.W-1@{domain}", f"sip:tech3@{domain}", status, event)
        for w in o.get("watchers", [])), f"tech3 as {status}")


def rule(stack, user, serial, decision):
    stack.sql(f"INSERT INTO bmd_policy_rule (username, serial, decision) VALUES ('{user}', '{serial}', '{decision}')")


def no_rules(stack):
    stack.sql("TRUNCATE bmd_policy_rule; TRUNCATE bmd_policy_answer")
    provisioned(stack)


def the_scene_is_set(stack):
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min'")
    for serial in ("W-1", "W-2"):
        add_device(stack, serial, assign="tech1")
        rule(stack, "tech3", serial, "confirm")
    provisioned(stack)
    stack.terminal = Terminal(stack, "tech1", "--winfo")
    first = stack.terminal.wait(lambda o: "watchers" in o, "watcher information")
    assert first["state"] == "full" and first["version"] == 0, first
    assert all(w["uri"] == f"sip:tech1@{stack.info['domain']}" for w in first["watchers"]), first


def who_waits_is_on_the_terminal_at_once_and_is_approved_there(stack):
    raise_on(stack, "W-1")
    begun = time.time()
    stack.three = Watcher(stack, "tech3", "dev.W-1")
    assert stack.three.state.startswith("pending") and not stack.three.open
    terminal_tells(stack, "pending", "subscribe")
    assert time.time() - begun < PAUSE + AT_ONCE, f"it took {time.time() - begun:.1f} s"
    said = stack.terminal.answer("approve tech3 dev.W-1")
    assert said["status"] == 200, said
    stack.three.wait(lambda: stack.three.about("W-1"), "the alert", AT_ONCE)
    assert stack.three.state.startswith("active"), stack.three.state
    assert stack.sql("SELECT approved, who FROM bmd_policy_answer") == [["t", "tech1"]]


def only_who_answers_for_a_feed_may_approve(stack):
    second = Watcher(stack, "tech3", "dev.W-2")
    for user, feed, code in (("tech2", "dev.W-2", 403), ("tech3", "dev.W-2", 403), ("tech2", "dev.NO-SUCH", 403),
                             ("tech1", "dev.OX-1001", 409)):
        result = Answerer(stack, user).control("*", "approve", "tech3", feed)
        assert result.code == code, (user, feed, result)
    assert Answerer(stack, "tech1").control("W-1", "refuse", "tech3", "dev.W-2").code == 400
    second.pump(0.3)
    assert second.state.startswith("pending"), second.state
    result = Answerer(stack, "tech1").control("W-2", "refuse", "tech3", "dev.W-2")
    assert result.code == 200, result
    second.wait(lambda: second.state.startswith("terminated"), "the end", AT_ONCE)
    assert second.state == "terminated;reason=rejected", second.state


def nobody_else_learns_who_watches_or_what_exists(stack):
    refused = [Winfo(stack, user, feed).reply for user, feed in (
        ("tech3", "dev.W-1"), ("tech3", "dev.NO-SUCH"), ("tech3", "tech1"), ("tech2", "nobody"), ("tech3", "grp.oximetry"))]
    assert {r.first for r in refused} == {"SIP/2.0 403 Not Your Feed"}, [r.first for r in refused]
    agent = stack.agent("tech1")
    for headers, status in (("Event: bmd-alert.winfo\nAccept: application/dmp\n", 406),
                            ("Event: bmd-alert.winfo.winfo\n", 489), ("Event: bmd-alert.Winfo\n", 489)):
        _, reply = agent.subscribe(headers=headers)
        assert reply.status == status, (headers, reply.first)


def a_fetch_and_a_subscription_that_runs_out_wait_on_until_somebody_decides(stack):
    stack.sql("DELETE FROM bmd_policy_answer WHERE feed = 'dev.W-2'")
    provisioned(stack)
    stack.winfo = Winfo(stack, "tech1", "dev.W-2")
    stack.winfo.wait(lambda: stack.winfo.known == {}, "nobody")
    fetched = Watcher(stack, "tech3", "dev.W-2", expires=0)
    assert not fetched.open
    pending = [(p["user"], p["feed"], p["status"]) for p in records(stack.kamcmd("bmd.pending"))]
    assert pending == [("tech3", "dev.W-2", "waiting")], pending
    assert Winfo(stack, "tech1", "dev.W-2", expires=0).known == {("dev.W-2", "tech3"): ("waiting", "timeout")}
    assert stack.terminal.answer("approve tech3 dev.W-2")["status"] == 200
    stack.winfo.shows("dev.W-2", "tech3", "terminated", "approved")
    terminal_tells(stack, "active", "approved")  # of the sentence before last: not within 5 s of the last document
    let_in = Watcher(stack, "tech3", "dev.W-2")
    assert let_in.state.startswith("active"), let_in.state


def a_refresh_brings_full_state_and_an_end_is_told(stack):
    winfo = stack.winfo
    before = len(winfo.bodies)
    assert winfo.agent.subscribe(dialog=winfo.dialog, headers=WINFO)[1].status == 200
    winfo.wait(lambda: len(winfo.bodies) > before, "the answer to a refresh")
    assert b'state="full"' in winfo.bodies[-1]
    assert winfo.known == {("dev.W-2", "tech3"): ("active", "subscribe")}, winfo.known
    assert winfo.versions == list(range(len(winfo.versions))), winfo.versions
    _, reply = winfo.agent.subscribe(dialog=winfo.dialog)  # the dialog has another package
    assert reply.status == 481, reply.first


def whoever_is_blocked_politely_sees_a_feed_that_nobody_else_watches(stack):
    rule(stack, "tech1", "W-1", "polite-block")
    provisioned(stack)
    own = Watcher(stack, "tech1", "dev.W-1")
    hers = Winfo(stack, "tech1", "dev.W-1", expires=0)
    assert hers.known == {("dev.W-1", "tech1"): ("active", "subscribe")}, hers.known
    assert hers.reply.first == "SIP/2.0 200 OK", hers.reply.first
    own.agent.subscribe(dialog=own.dialog, expires=0)
    stack.sql("DELETE FROM bmd_policy_rule WHERE decision = 'polite-block'")
    provisioned(stack)
    assert ("dev.W-1", "tech3") in Winfo(stack, "tech1", "dev.W-1", expires=0).known


def many_who_wait_are_bounded_for_each_person(stack):
    stack.sql("DELETE FROM bmd_policy_rule; DELETE FROM bmd_policy_answer;"
              "INSERT INTO bmd_policy_rule (username, serial, decision) VALUES ('tech3', 'W-1', 'confirm')")
    provisioned(stack)
    agent = stack.agent("tech3")
    answers = [agent.subscribe(f"sip:dev.W-1@{stack.info['domain']}")[1].first for _ in range(18)]
    assert answers == ["SIP/2.0 200 OK"] * 16 + ["SIP/2.0 403 Too Many Subscriptions"] * 2, answers
    assert stack.stat("pending_refused") == 2


def sipp_fetches_it(stack):
    known = {t["username"]: t["password"] for t in stack.info["technicians"]}
    path = os.path.join(stack.dir, "sipp.csv")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"SEQUENTIAL\ntech1;[authentication username=tech1 password={known['tech1']}]\n")
    errors = os.path.join(stack.dir, "sipp.errors")
    done = subprocess.run(
        ["sipp", f"{stack.server[0]}:{stack.info['md5_port']}", "-sf", f"{HERE}/winfo.xml", "-inf", path,
         "-key", "domain", stack.info["domain"], "-key", "feed", "dev.W-1", "-i", "127.0.0.1", "-p", str(free_port()),
         "-m", "1", "-recv_timeout", "3000", "-timeout", "20s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", errors],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=40, cwd=stack.dir)
    said = open(errors, errors="replace").read()[:600] if os.path.exists(errors) else ""
    assert done.returncode == 0, f"sipp ends with {done.returncode}: {said}"


def the_dialog_lives_through_kill_9_and_who_waits_asks_again(stack):
    no_rules(stack)
    rule(stack, "tech3", "W-1", "confirm")
    provisioned(stack)
    winfo, pending = Winfo(stack, "tech1", "dev.W-1"), Watcher(stack, "tech3", "dev.W-1")
    own = Watcher(stack, "tech1", "dev.W-1")
    wait_until(lambda: stack.sql("SELECT event, count(*) FROM active_watchers WHERE callid IN ("
                                 f"'{winfo.dialog.call_id}', '{pending.dialog.call_id}', '{own.dialog.call_id}') "
                                 "GROUP BY 1 ORDER BY 1") == [["bmd-alert", "2"], ["bmd-alert.winfo", "1"]], 5, "the rows")
    count = len(winfo.bodies)
    kill_and_restart(stack, pending, own)
    winfo.wait(lambda: len(winfo.bodies) > count and winfo.versions[-1] > 100_000, "full state after the start", 10)
    assert winfo.known[("dev.W-1", "tech1")] == ("active", "subscribe"), winfo.known
    pending.wait(lambda: pending.state == "terminated;reason=deactivated", "the end of the one that waited", 5)
    Watcher(stack, "tech3", "dev.W-1")
    assert Winfo(stack, "tech1", "dev.W-1", expires=0).known[("dev.W-1", "tech3")] == ("pending", "subscribe")


run("watcher-information", [
    the_scene_is_set, who_waits_is_on_the_terminal_at_once_and_is_approved_there, only_who_answers_for_a_feed_may_approve,
    nobody_else_learns_who_watches_or_what_exists, a_fetch_and_a_subscription_that_runs_out_wait_on_until_somebody_decides,
    a_refresh_brings_full_state_and_an_end_is_told, whoever_is_blocked_politely_sees_a_feed_that_nobody_else_watches,
    many_who_wait_are_bounded_for_each_person, sipp_fetches_it, the_dialog_lives_through_kill_9_and_who_waits_asks_again],
    "--md5-port", str(free_port()))
