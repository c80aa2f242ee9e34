"""Which alerts a terminal asks for; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import time
from xml.sax.saxutils import escape

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, hand, kill_and_restart, provisioned, raise_on, records, stats
from stack import run, wait_until
from terminal import Terminal, command_line

LOW = {"low": 90, "priority": "low"}
MEDIUM = {"low": 90, "priority": "medium"}
PACKAGE = "Event: bmd-alert\nAccept: application/dmp\n"
TYPED = PACKAGE + "Content-Type: application/dmp\n"


def item(*events, variable="*", duration="always"):
    text = "".join(f"<Event>{escape(event)}</Event>" for event in events)
    return f"<Variable>{variable}</Variable>{text}<Duration>{duration}</Duration>"


def filter_of(*items, device="*", urgent=None):
    root = "" if urgent is None else f' xmlns:bmd="urn:bmd:dmp:1" bmd:urgent="{urgent}"'
    return f"<DMPAction{root}><Device>{device}</Device><Subscribe>{''.join(items)}</Subscribe></DMPAction>".encode()


def filtered(stack, body, user="tech3", feed=None, **options):
    return Watcher(stack, user, feed, headers=TYPED, body=body, **options)


def again(watcher, body=b"", headers=None):
    """A refresh with this body: the reply."""
    return watcher.agent.subscribe(dialog=watcher.dialog, body=body, headers=headers or (TYPED if body else PACKAGE))[1]


def shown(watcher):
    watcher.pump()
    return sorted(a["serial"] for a in watcher.open.values())


def shows(watcher, *serials, what="the alerts that fit"):
    watcher.wait(lambda: shown(watcher) == sorted(serials), f"{what}: {serials}, not {shown(watcher)},")


def leave(watcher):
    assert watcher.agent.subscribe(dialog=watcher.dialog, expires=0)[1].status == 200


def the_scene_is_set(stack):
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min'")
    stack.type = stack.sql("SELECT type_name FROM bmd_device_type WHERE type_name <> 'Nonin oximeter' ORDER BY 1 LIMIT 1")[0][0]
    add_device(stack, "F-1", assign="tech3", SpO2=LOW, PulseRate={"high": 120, "priority": "medium"})
    add_device(stack, "F-2", assign="tech3", SpO2=MEDIUM)
    add_device(stack, "F-3", type_name=stack.type, assign="tech3", SpO2=LOW)
    add_device(stack, "F-HIGH", assign="tech3", SpO2={"low": 90, "priority": "high"})
    stack.sql("INSERT INTO bmd_area (area_name) VALUES ('north'), ('south');"
              "INSERT INTO bmd_area_device (area_name, serial) VALUES ('north', 'F-1'), ('south', 'F-2');"
              "INSERT INTO bmd_group (group_name) VALUES ('lungs');"
              "INSERT INTO bmd_group_device (group_name, serial) VALUES ('lungs', 'F-3');"
              "INSERT INTO bmd_filter_rule (rule_name, area_name) VALUES ('mine', 'north');"
              "INSERT INTO bmd_filter_rule (rule_name, metric, below) VALUES ('mine', 'SpO2', 70)")
    provisioned(stack)
    stack.all = Watcher(stack, "tech3")
    assert stack.all.documents[0].filtered is None


def each_subscription_gets_what_it_asks_for_and_no_other_notices(stack):
    asked = {"priority": (filter_of(item("priority >= medium")), ("F-2",)),
             "type": (filter_of(item(), device=f"type {stack.type}"), ("F-3",)),
             "group": (filter_of(item("group = lungs")), ("F-3",)),
             "area": (filter_of(item(), device="area north"), ("F-1",)),
             "device": (filter_of(item(), device="F-2"), ("F-2",)),
             "kind": (filter_of(item("kind = technical")), ()),
             "several": (filter_of(item("area = north and low"), item("area = south and priority >= medium")), ("F-1", "F-2")),
             "value": (filter_of(item("SpO2 < 85%", variable="SpO2")), ("F-2",)),
             "rule": (filter_of(item("rule mine")), ("F-1",))}
    watchers = {name: filtered(stack, body) for name, (body, _) in asked.items()}
    for reading in ("F-1 SpO2=88", "F-2 SpO2=80", "F-3 SpO2=89"):
        hand(stack, reading)
    shows(stack.all, "F-1", "F-2", "F-3")
    for name, (_, serials) in asked.items():
        shows(watchers[name], *serials, what=name)
        assert all(d.filtered is None for d in watchers[name].documents[1:]), "a partial document says it"
        assert watchers[name].documents[0].filtered == 0
        assert {s for d in watchers[name].documents for s in [a["serial"] for a in d.alerts]} == set(serials), name
    hand(stack, "F-1 SpO2=97")
    shows(watchers["area"])
    hand(stack, "F-1 SpO2=88")
    shows(watchers["area"], "F-1")
    before = len(watchers["priority"].documents)
    assert before == 2, "what was left out was told"
    for watcher in watchers.values():
        leave(watcher)


def a_value_that_gets_worse_is_told_when_it_passes_the_number(stack):
    watcher = filtered(stack, filter_of(item("SpO2 < 85", variable="SpO2", duration="PT8H"), item("rule mine")), feed="dev.F-1")
    shows(watcher, "F-1")  # of the north
    leave(watcher)
    watcher = filtered(stack, filter_of(item("SpO2 < 85")), feed="dev.F-1")
    assert watcher.documents[0].filtered == 1 and not watcher.open
    hand(stack, "F-1 SpO2=86")
    watcher.quiet(0.4)
    stack.all.pump()
    before = len(stack.all.documents)
    hand(stack, "F-1 SpO2=84")
    alert = watcher.wait(lambda: watcher.about("F-1"), "the value past the number", 2)[0]
    assert alert["Value"] == "84", alert
    stack.all.pump(0.2)
    assert len(stack.all.documents) == before, "who has no filter was told as well"
    hand(stack, "F-1 SpO2=87")
    watcher.quiet(0.3)
    assert again(watcher).status == 200
    watcher.wait(lambda: watcher.documents[-1].state == "full", "full state")
    shows(watcher, "F-1", what="it has been there")
    hand(stack, "F-1 SpO2=97")
    shows(watcher)
    hand(stack, "F-1 SpO2=88")
    leave(watcher)


def high_priority_is_told_unless_the_filter_says_otherwise(stack):
    nothing, hidden = (filtered(stack, filter_of(item(), device="group lungs", urgent=u)) for u in ("told", "filtered"))
    raise_on(stack, "F-HIGH")
    shows(nothing, "F-3", "F-HIGH")
    hidden.quiet(0.4)
    shows(hidden, "F-3")
    hand(stack, "F-HIGH SpO2=97")
    shows(nothing, "F-3")
    for watcher in (nothing, hidden):
        leave(watcher)


def who_is_called_for_an_alert_is_told_of_it(stack):
    add_device(stack, "F-5", assign="tech3", SpO2=LOW)
    watcher = filtered(stack, filter_of(item(), device="F-2"))
    stack.sql("BEGIN; INSERT INTO bmd_escalation_policy (policy_name, priority, repeat_after) VALUES ('quick', 'low', '1 h');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username) SELECT policy_id, v.* "
              "FROM bmd_escalation_policy, (VALUES (1, interval '0', 'responsible', NULL), "
              "(2, interval '1 s', 'person', 'tech3')) v; COMMIT")
    provisioned(stack)
    hand(stack, "F-5 SpO2=88")
    watcher.pump(0.3)
    assert not watcher.about("F-5")
    alert = watcher.wait(lambda: watcher.about("F-5"), "what was escalated", 5)[0]
    assert (alert["response"], alert["priority"]) == ("escalated", "low"), alert
    leave(watcher)


def each_event_ends_at_its_own_time_and_the_rest_goes_on(stack):
    until = time.time() + 2
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(until)) + f".{int(until % 1 * 1e6):06d}Z"
    watcher = filtered(stack, filter_of(item("area = south", duration=moment), item("group = lungs", duration="PT8H")))
    shows(watcher, "F-2", "F-3")
    count = len(watcher.documents)
    # what was queued before may still come, after the first document
    watcher.wait(lambda: not watcher.about("F-2"), "the end of an event", 4)
    assert 0 <= time.time() - until < 1.5, time.time() - until
    assert len(watcher.documents) > count and watcher.documents[-1].state == "full" and watcher.about("F-3")
    hand(stack, "F-2 SpO2=97")
    watcher.quiet(0.4)
    hand(stack, "F-3 SpO2=97")
    watcher.wait(lambda: not watcher.about("F-3"), "the end of the alert")
    for reading in ("F-2 SpO2=80", "F-3 SpO2=89"):
        hand(stack, reading)
    watcher.wait(lambda: watcher.about("F-3"), "the alert")
    assert again(watcher, filter_of(item("area = south", duration=moment))).status == 200, "a repeated body was refused"
    leave(watcher)


def another_filter_acts_at_once_and_one_that_is_refused_leaves_the_one_before(stack):
    watcher = filtered(stack, filter_of(item(), device="F-2"))
    shows(watcher, "F-2")
    reply = again(watcher, filter_of(item("weather = fine")))
    assert reply.status == 400 and reply.first.endswith("Filter Not Understood"), reply.first
    assert "Subscribe 1, Variable 1: Event 1:" in reply.get("warning") and "399" in reply.get("warning"), reply.get("warning")
    watcher.quiet(0.3)
    hand(stack, "F-2 SpO2=97")
    shows(watcher)
    hand(stack, "F-2 SpO2=80")
    shows(watcher, "F-2")
    count = len(watcher.documents)
    assert again(watcher).status == 200, "a refresh without a body"
    watcher.wait(lambda: len(watcher.documents) == count + 1, "full state")
    assert watcher.documents[-1].state == "full" and watcher.documents[-1].filtered, "the filter has gone"
    assert again(watcher, filter_of(item(), device="F-3")).status == 200
    shows(watcher, "F-3")
    assert watcher.documents[-1].state == "full"
    hand(stack, "F-2 SpO2=97")
    watcher.quiet(0.3)
    hand(stack, "F-2 SpO2=80")
    assert again(watcher, filter_of(item())).status == 200, "everything"
    watcher.wait(lambda: watcher.about("F-2") and watcher.about("F-1"), "everything")
    assert watcher.documents[-1].filtered is None
    wait_until(lambda: stats(stack)["filters"] == 1, 3, "the text of the rules, and nothing else")
    leave(watcher)


def what_cannot_be_understood_is_refused_with_what_and_where(stack):
    wrong = {"line 1": b"<DMPAction>", "root of a filter is DMPAction": b"<DMPResponse/>",
             "SUBSCRIBE takes Subscribe only": b"<DMPAction><Device>F-1</Device><Query><Variable>SpO2</Variable></Query></DMPAction>",
             "Device: 'all devices' is not": filter_of(item(), device="all devices"), "'Nonsense' is not '*'": filter_of(item(variable="Nonsense")),
             "Event 2: ": filter_of(item("low", "kind = big")), "rule: the server has none named 'nosuch'": filter_of(item("rule nosuch")),
             "area: there is none with devices named 'nowhere'": filter_of(item(), device="area nowhere"),
             "type: there is none named 'Toaster'": filter_of(item("type = Toaster")),
             "you may watch named 'NOSUCH'": filter_of(item(), device="NOSUCH"),
             "Duration": filter_of(item(duration="for a while")), "subscribe with Expires 0": filter_of(item(duration="0")),
             "is not the unit of SpO2": filter_of(item("SpO2 < 85mm[Hg]")), "at most 4000": filter_of(*[item("low")] * 64)}
    wait_until(lambda: stats(stack)["subscriptions"] == 1, 3, "the end of all but the one that shows everything")
    agent = stack.agent("tech3")
    for part, body in wrong.items():
        reply = agent.subscribe(headers=TYPED, body=body)[1]
        assert reply.status == 400 and part in reply.get("warning"), (part, reply.first, reply.get("warning"))
    add_device(stack, "F-OTHER", assign="tech1")
    assert agent.subscribe(headers=TYPED, body=filter_of(item(), device="F-OTHER"))[1].get("warning").split("'")[0] == \
        agent.subscribe(headers=TYPED, body=filter_of(item(), device="NOSUCH"))[1].get("warning").split("'")[0]
    reply = agent.subscribe(headers=PACKAGE + "Content-Type: text/plain\n", body=b"low")[1]
    assert reply.status == 415, reply.first
    counted = stats(stack)
    assert counted["subscriptions"] == 1 and counted["filters_refused"] >= len(wrong), counted


def state_that_is_fetched_once_is_filtered_too(stack):
    once = filtered(stack, filter_of(item(duration="0"), device="F-3"), expires=0)
    shows(once, "F-3")
    assert once.documents[0].filtered > 0
    wait_until(lambda: stats(stack)["filters"] == 1, 3, "the end of its filter")


def a_rule_changed_by_sql_acts_on_running_subscriptions(stack):
    watcher = filtered(stack, filter_of(item("rule mine", duration="PT8H")))
    watcher.wait(lambda: watcher.about("F-1") and not watcher.about("F-2"), "by the rule")
    begun = time.time()
    stack.sql("UPDATE bmd_filter_rule SET area_name = 'south' WHERE area_name = 'north'")
    watcher.wait(lambda: watcher.about("F-2"), "by the changed rule", 2)
    print(f"# filters: a changed rule acted after {(time.time() - begun) * 1000:.0f} ms")
    leave(watcher)


def a_filter_outlasts_kill_9_and_goes_with_its_subscription(stack):
    watcher = filtered(stack, filter_of(item(duration="PT8H"), device="F-3"))
    told = records(stack.kamcmd("bmd.watcher", "tech3"))
    assert [(r["feed"], "<Device>F-3</Device>" in r["filter"]) for r in told if "filter" in r] == [("tech3", True)], told
    rows = "SELECT username, feed FROM bmd_filter"
    wait_until(lambda: stack.sql(rows) == [["tech3", "tech3"]], 3, "the filter in the database")
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers WHERE watcher_username = 'tech3'") == [["2"]], 4,
               "both subscriptions in the database")
    stack.sql("INSERT INTO bmd_filter (dialog, username, feed, filter) VALUES ('0123456789abcdef', 'x', 'x', 'x')")
    stack.all.pump(0.1)
    kill_and_restart(stack, watcher, stack.all)
    watcher.wait(lambda: watcher.version and watcher.version > 100_000, "what is told after the start", 15)
    assert watcher.documents[-1].filtered > 0, "the filter has gone"
    shows(watcher, "F-3")
    stack.all.wait(lambda: stack.all.about("F-2"), "everything, without a filter", 15)
    hand(stack, "F-2 SpO2=97")
    watcher.quiet(0.4)
    wait_until(lambda: len(stack.sql(rows)) == 1, 5, "the end of a row whose subscription is not there")
    leave(watcher)
    wait_until(lambda: stack.sql(rows) == [], 5, "the end of the row")
    wait_until(lambda: stats(stack)["filters"] == 1, 2, "the end of the filter")


def bmd_watch_has_options_for_it(stack):
    hand(stack, "F-2 SpO2=80")
    terminal = Terminal(stack, "tech3", "--area", "south", "--event", "low @ PT8H", "--event", "invalid")
    full = terminal.wait(lambda o: o.get("state") == "full", "full state")
    assert "F-2" in [a["serial"] for a in full["alerts"]] and "F-3" not in [a["serial"] for a in full["alerts"]], full
    assert full["filtered"] > 0, full
    terminal.quit()
    path = f"{stack.dir}/filter.xml"
    with open(path, "wb") as file:
        file.write(filter_of(item("priority >= low"), device="F-3"))
    terminal = Terminal(stack, "tech3", "--filter", path)
    full = terminal.wait(lambda o: o.get("state") == "full", "full state")
    assert "F-2" not in [a["serial"] for a in full["alerts"]], full
    terminal.quit()
    for arguments, status, part in ((("--event", "sometimes"), 2, "Event 1: 'sometimes'"), (("--area", "nowhere"), 1, "named 'nowhere'")):
        done = subprocess.run([*command_line(stack, "tech3", "--json"), *arguments], capture_output=True, text=True, timeout=20)
        assert done.returncode == status and part in done.stdout + done.stderr, (done.returncode, done.stdout, done.stderr)


run("filters", [
    the_scene_is_set, each_subscription_gets_what_it_asks_for_and_no_other_notices,
    a_value_that_gets_worse_is_told_when_it_passes_the_number, high_priority_is_told_unless_the_filter_says_otherwise,
    each_event_ends_at_its_own_time_and_the_rest_goes_on,
    another_filter_acts_at_once_and_one_that_is_refused_leaves_the_one_before,
    what_cannot_be_understood_is_refused_with_what_and_where, state_that_is_fetched_once_is_filtered_too,
    a_rule_changed_by_sql_acts_on_running_subscriptions, a_filter_outlasts_kill_9_and_goes_with_its_subscription,
    bmd_watch_has_options_for_it, who_is_called_for_an_alert_is_told_of_it])
