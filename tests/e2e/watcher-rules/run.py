"""Holds alerts back from terminals; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import Frozen
from scene import Watcher, add_device, alerts, hand, kill_and_restart, records, setting, stats
from stack import BIN, run, wait_until

LOW = {"low": 90, "priority": "low"}
HIGH = {"low": 90, "priority": "high"}
SOON = 0.6  # s: what does not wait


def provision(stack, text):
    """SQL of one statement, in force when this returns: seconds until then."""
    before, begun = stats(stack)["sync_changes"], time.time()
    stack.sql(text)
    wait_until(lambda: stats(stack)["sync_changes"] > before, 3, text)
    return time.time() - begun


def rule(stack, username="tech3", **columns):
    """The only rule from now on."""
    columns = {"username": username, **columns}
    columns = {k: v for k, v in columns.items() if v is not None}
    provision(stack, f"TRUNCATE bmd_watcher_rule; INSERT INTO bmd_watcher_rule ({', '.join(columns)}) VALUES "
                     f"({', '.join(repr(str(v)) for v in columns.values())})")


def no_rules(stack):
    provision(stack, "TRUNCATE bmd_watcher_rule")


def told(watcher, serial, state, within=SOON, priority=None):
    """The device in this state is told, by something not taken yet."""
    before = len(watcher.documents)

    def there():
        return any(a["serial"] == serial and a["state"] == state and priority in (None, a["priority"])
                   for d in watcher.documents[before:] for a in d.alerts)
    watcher.wait(there, f"{serial} {state}", within)


def since(watcher, count):
    """(serial, state) of what came after the first `count` documents, a list for each document."""
    watcher.pump()
    return [sorted((a["serial"], a["state"]) for a in d.alerts) for d in watcher.documents[count:]]


def all_clear(stack, *serials):
    for serial in serials:
        hand(stack, f"{serial} SpO2=97")
    no_rules(stack)
    wait_until(lambda: alerts(stack) == [], 3, "an empty book")
    for watcher in stack.watchers.values():
        watcher.wait(lambda w=watcher: not w.open, "an empty screen")


def the_scene_is_set(stack):
    # neither silence nor an escalation after 30 s changes what is told
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min';"
              "BEGIN; INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('once', '1 hour');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, how) SELECT policy_id, 0, '0', "
              "'responsible', '{subscribe,message}' FROM bmd_escalation_policy; COMMIT")
    for serial in ("W-1", "W-2", "W-3", "W-4", "W-6"):
        add_device(stack, serial, assign="tech3", SpO2=LOW)
    add_device(stack, "W-HIGH", assign="tech3", SpO2=HIGH)
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('ward');"
              "INSERT INTO bmd_group_device (group_name, serial) VALUES ('ward', 'W-1'), ('ward', 'W-HIGH');"
              "INSERT INTO bmd_assignment (username, group_name) VALUES ('tech2', 'ward')")
    time.sleep(1)
    stack.watchers = {"tech3": Watcher(stack, "tech3"), "tech2": Watcher(stack, "tech2", "grp.ward")}
    stack.tech3 = stack.watchers["tech3"]


def low_priority_comes_in_a_digest_in_its_last_state(stack):
    watcher = stack.tech3
    rule(stack, digest_every="3 s")
    watcher.pump(0.2)
    count, begun = len(watcher.documents), time.time()
    for reading in ("W-1 SpO2=80", "W-2 SpO2=80", "W-2 SpO2=97", "W-3 SpO2=80"):
        hand(stack, reading)
    watcher.quiet(1.5)
    told(watcher, "W-3", "active", 4)
    assert 2.5 < time.time() - begun < 4.5, time.time() - begun
    assert since(watcher, count) == [[("W-1", "active"), ("W-2", "cleared"), ("W-3", "active")]], since(watcher, count)
    watcher.quiet(1)
    stack.watchers["tech2"].wait(lambda: stack.watchers["tech2"].about("W-1"), "the alert of whom no rule is for")
    counted = stats(stack)
    assert (counted["watcher_digests"], counted["watcher_held"], counted["held"]) == (1, 3, 0), counted


def high_priority_is_told_at_once_in_the_middle_of_a_digest(stack):
    watcher = stack.tech3
    person = {t["username"]: t for t in stack.info["technicians"]}["tech3"]
    path = f"{stack.dir}/watch.jsonl"
    process = stack.start(
        f"{BIN}/bmd-watch", "--json", "--aor", person["aor"], "--registrar",
        f"sip:{stack.info['sip_host']}:{stack.info['sip_port']}", "--password-file", person["password_file"],
        "--local", "127.0.0.1:0", stdin=subprocess.PIPE, stdout=open(path, "w"), stderr=subprocess.STDOUT)

    def shown():
        with open(path) as file:
            objects = [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]
        return [(a["serial"], a["state"]) for o in objects for a in o.get("alerts", [])]
    wait_until(lambda: ("W-1", "active") in shown(), 10, "bmd-watch")
    hand(stack, "W-1 SpO2=97")  # held
    watcher.quiet(0.5)
    before, begun = len(shown()), time.time()
    hand(stack, "W-HIGH SpO2=80")
    told(watcher, "W-HIGH", "active")
    took = watcher.documents[-1].at - begun
    wait_until(lambda: ("W-HIGH", "active") in shown()[before:], SOON, "the high one in bmd-watch")
    assert [a["serial"] for a in watcher.documents[-1].alerts] == ["W-HIGH"], "the digest came with it"
    assert stats(stack)["held"] == 2, "one for each terminal"
    hand(stack, "W-HIGH SpO2=97")
    told(watcher, "W-HIGH", "cleared")
    told(watcher, "W-1", "cleared", 4)
    wait_until(lambda: ("W-1", "cleared") in shown()[before:], 2, "the digest in bmd-watch")
    process.terminate()
    wait_until(lambda: stats(stack)["subscriptions"] == 2, 5, "the end of bmd-watch")
    print(f"# watcher-rules: high priority was told after {took * 1000:.0f} ms in the middle of a digest")


def a_rise_and_an_escalation_do_not_wait(stack):
    watcher = stack.tech3
    all_clear(stack, "W-1", "W-2", "W-3", "W-4")
    rule(stack, digest_every="10 min", most_per_minute=1)
    hand(stack, "W-4 SpO2=80")
    hand(stack, "W-2 SpO2=80")
    watcher.quiet(0.7)
    stack.sql("UPDATE bmd_device_limit SET priority = 'high' WHERE serial = 'W-4'")
    hand(stack, "W-4 SpO2=80")
    told(watcher, "W-4", "active", 2, "high")
    stack.sql("UPDATE bmd_device_limit SET priority = 'low' WHERE serial = 'W-4'")
    told(watcher, "W-4", "active", 2, "low")
    code = alerts(stack, "W-4")[0]["code"]
    stack.kamcmd("bmd.accept", code, "tech3")
    watcher.wait(lambda: watcher.about("W-4")[0].get("response") == "accepted",
                 "the answer to what was told as high", SOON)
    assert not watcher.about("W-2")
    policy = ("BEGIN; INSERT INTO bmd_escalation_policy (policy_name, priority, repeat_after) VALUES ('quick', 'low', '1 h');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username) SELECT policy_id, v.* "
              "FROM bmd_escalation_policy, (VALUES (1, interval '0', 'responsible', NULL), "
              "(2, interval '2 s', 'person', 'tech1')) v WHERE policy_name = 'quick'; COMMIT")
    first = Watcher(stack, "tech1")
    rule(stack, None, team_name="night", digest_every="10 min")
    watcher.wait(lambda: watcher.about("W-2"), "what the old rule held")
    hand(stack, "W-2 SpO2=97")
    told(watcher, "W-2", "cleared")
    stack.sql(policy)
    rule(stack, None, team_name="night", digest_every="10 min")
    stack.sql("INSERT INTO bmd_watcher_rule (username, digest_every) VALUES ('tech3', '10 min')")
    time.sleep(0.5)
    hand(stack, "W-6 SpO2=80")
    watcher.quiet(0.5)
    first.wait(lambda: first.about("W-6"), "the escalation to tech1, whose team has a digest", 4)
    watcher.wait(lambda: watcher.about("W-6"), "the escalation at who was responsible", SOON)
    provision(stack, "DELETE FROM bmd_escalation_policy WHERE policy_name = 'quick'")
    all_clear(stack, "W-4", "W-6")


def what_is_over_before_it_has_lasted_is_never_told(stack):
    watcher = stack.tech3
    rule(stack, persistence="2 s")
    before = stats(stack)["watcher_passed"]
    hand(stack, "W-1 SpO2=80")
    hand(stack, "W-2 SpO2=80")
    hand(stack, "W-HIGH SpO2=80")
    told(watcher, "W-HIGH", "active")
    time.sleep(0.3)
    hand(stack, "W-1 SpO2=97")
    count = len(watcher.documents)
    told(watcher, "W-2", "active", 3)
    hand(stack, "W-2 SpO2=97")
    hand(stack, "W-HIGH SpO2=97")
    watcher.wait(lambda: not watcher.open, "the end of both", SOON)
    time.sleep(2)
    assert all(serial != "W-1" for document in since(watcher, count) for serial, _ in document), since(watcher, count)
    assert stats(stack)["watcher_passed"] == before + 1


def a_rate_tells_what_came_meanwhile_together(stack):
    watcher = stack.tech3
    rule(stack, most_per_minute=2)
    watcher.pump(0.2)
    count = len(watcher.documents)
    for value, state in ((80, "active"), (97, "cleared")):
        hand(stack, f"W-1 SpO2={value}")
        told(watcher, "W-1", state)
    for value in (80, 97, 80):
        hand(stack, f"W-1 SpO2={value}")
        watcher.pump(0.2)
    hand(stack, "W-2 SpO2=80")
    hand(stack, "W-HIGH SpO2=80")
    told(watcher, "W-HIGH", "active")
    assert since(watcher, count) == [[("W-1", "active")], [("W-1", "cleared")], [("W-HIGH", "active")]]
    shown = records(stack.kamcmd("bmd.watcher", "tech3"))
    assert "at most 2 a minute" in shown[0]["says"], shown
    assert sorted((r["serial"], r["why"]) for r in shown[1:]) == [("W-1", "rate"), ("W-2", "rate")], shown
    stack.rated, stack.rated_at = count, time.time()


def a_chattering_alert_stays_open_until_it_is_quiet(stack):
    watcher = stack.watchers["tech2"]  # no rule is for this person
    add_device(stack, "W-5", SpO2={**LOW, "most_per_hour": 2})
    provision(stack, "INSERT INTO bmd_group_device (group_name, serial) VALUES ('ward', 'W-5')")
    setting(stack, "reopen_seconds", 4)
    for value in (80, 97, 80, 97, 80):
        hand(stack, f"W-5 SpO2={value}")
        watcher.wait(lambda v=value: bool(watcher.about("W-5")) == (v == 80), f"{value}")
    for value in (97, 80, 97, 80, 97):
        hand(stack, f"W-5 SpO2={value}")
        watcher.quiet(0.3)
    assert watcher.about("W-5") and alerts(stack, "W-5") == []
    told(watcher, "W-5", "cleared", 6)
    assert stats(stack)["alerts_chattering"] == 1
    why = ("SELECT count(*) FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) WHERE serial = 'W-5' "
           "AND event = 'reopened' AND why = 'it chatters'")
    wait_until(lambda: stack.sql(why) == [["3"]], 3, "the history")
    setting(stack, "reopen_seconds", 60)


def the_operator_sees_what_is_held_and_why(stack):
    code = alerts(stack, "W-2")[0]["code"]
    plan = records(stack.kamcmd("bmd.explain", code))[0]
    assert plan["held"].startswith("tech3 until ") and "(rate, rule " in plan["held"], plan
    try:
        stack.kamcmd("bmd.watcher", "nobody")
    except AssertionError as refused:
        assert "404" in str(refused), refused
    else:
        raise AssertionError("an unknown technician was taken")


def a_refresh_and_a_new_subscription_tell_everything(stack):
    watcher = stack.tech3
    fresh = Watcher(stack, "tech3")
    assert {a["serial"] for a in fresh.open.values()} == {"W-1", "W-2", "W-HIGH"}, fresh.open
    _, reply = watcher.agent.subscribe(dialog=watcher.dialog)
    assert reply.status == 200
    watcher.wait(lambda: watcher.about("W-2") and watcher.about("W-1"), "everything")
    assert watcher.documents[-1].state == "full"
    assert len(records(stack.kamcmd("bmd.watcher", "tech3"))) == 1, "what was told is not held any more"
    watcher.quiet(1)


def a_rule_changed_by_sql_acts_within_a_second_and_one_that_goes_frees_what_it_held(stack):
    watcher = stack.tech3
    all_clear(stack, "W-1", "W-2", "W-HIGH")
    begun = time.time()
    stack.sql("INSERT INTO bmd_watcher_rule (username, digest_every) VALUES ('tech3', '10 min')")
    time.sleep(max(0, begun + 1 - time.time()))
    hand(stack, "W-1 SpO2=80")
    watcher.quiet(1)
    begun = time.time()
    stack.sql("UPDATE bmd_watcher_rule SET digest_every = '3 s'")
    told(watcher, "W-1", "active", 4)
    stack.sql("UPDATE bmd_watcher_rule SET digest_every = '1 day'")
    time.sleep(1)
    hand(stack, "W-1 SpO2=97")
    hand(stack, "W-2 SpO2=80")
    watcher.quiet(1)
    count, begun = len(watcher.documents), time.time()
    stack.sql("DELETE FROM bmd_watcher_rule")
    told(watcher, "W-2", "active", 1)
    assert since(watcher, count) == [[("W-1", "cleared"), ("W-2", "active")]], since(watcher, count)
    print(f"# watcher-rules: told {time.time() - begun:.2f} s after the rule was deleted")


def the_most_specific_rule_counts_and_a_feed_has_its_own(stack):
    ward = stack.watchers["tech2"]
    all_clear(stack, "W-1", "W-2")
    stack.sql("INSERT INTO bmd_watcher_rule (feed_group, digest_every) VALUES ('ward', '10 min');"
              "INSERT INTO bmd_watcher_rule (username, digest_every) VALUES ('tech3', '10 min');"
              "INSERT INTO bmd_watcher_rule (username, group_name) VALUES ('tech3', 'ward')")
    time.sleep(1)
    hand(stack, "W-1 SpO2=80")
    hand(stack, "W-2 SpO2=80")
    told(stack.tech3, "W-1", "active")
    ward.quiet(0.5)
    stack.tech3.quiet(0.5)
    hand(stack, "W-HIGH SpO2=80")
    told(ward, "W-HIGH", "active")


def nothing_held_is_lost_by_kill_9(stack):
    assert not stack.tech3.about("W-2")
    stack.watchers["tech3"].pump(0.2)
    kill_and_restart(stack, *stack.watchers.values())
    stack.tech3.wait(lambda: stack.tech3.about("W-2") and stack.tech3.about("W-1"), "everything", 15)
    stack.watchers["tech2"].wait(lambda: stack.watchers["tech2"].about("W-1"), "everything", 15)
    time.sleep(1)
    stack.tech3.pump(0.2)
    count = len(stack.tech3.documents)
    hand(stack, "W-2 SpO2=97")  # the rules are in force again
    time.sleep(1)
    later = since(stack.tech3, count)  # the high one may have been escalated: 30 s are over on a slow machine
    assert not [a for document in later for a in document if a[0] == "W-2"], later
    assert stack.tech3.about("W-2")
    no_rules(stack)
    stack.tech3.wait(lambda: not stack.tech3.about("W-2"), "the end")


def many_changes_and_documents_never_go_backwards(stack):
    rule(stack, digest_every="1 s", most_per_minute=30)
    until = time.time() + 8
    values = iter(range(10 ** 6))
    while time.time() < until:
        value = 80 if next(values) % 2 else 97
        for serial in ("W-1", "W-2", "W-3", "W-HIGH"):
            hand(stack, f"{serial} SpO2={value}")
        stack.tech3.pump(0.02)
    hand(stack, "W-3 SpO2=80")
    all_open = [s for s in ("W-1", "W-2", "W-3", "W-HIGH")]
    stack.tech3.wait(lambda: stats(stack)["held"] == 0, "the last digest", 70)
    stack.tech3.agrees_with(stack, all_open)


def what_makes_no_sense_is_refused_by_name(stack):
    wrong = {"priority_is_medium_or_low_high_is_never_held": "username, priority, persistence) VALUES ('tech3', 'high', '1 s'",
             "is_of_a_technician_a_team_or_a_group_feed": "username, team_name) VALUES ('tech3', 'night'",
             "digest_of_medium_needs_digest_medium": "username, priority, digest_every) VALUES ('tech3', 'medium', '1 h'",
             "digest_every_is_1_second_to_1_day": "username, digest_every) VALUES ('tech3', '2 days'",
             "persistence_is_1_second_to_1_hour": "username, persistence) VALUES ('tech3', '0'",
             "most_per_minute_is_1_to_60": "username, most_per_minute) VALUES ('tech3', 0"}
    for name, row in wrong.items():
        try:
            stack.sql(f"INSERT INTO bmd_watcher_rule ({row})")
        except AssertionError as refused:
            assert "bmd_watcher_rule_" + name in str(refused), refused
            continue
        raise AssertionError(f"{row} was taken")


def the_report_of_alarms_holds_no_command_while_the_database_is_silent(stack):
    assert records(stack.kamcmd("bmd.report-alarms")), "no report"
    waited = []

    def report():
        begun = time.time()
        try:
            stack.kamcmd("bmd.report-alarms")
        except AssertionError as refused:
            waited.append((time.time() - begun, str(refused)))
    begun = time.time()
    stack.kamcmd("bmd.stats")
    idle = time.time() - begun  # what it takes to start a kamcmd
    with Frozen(stack):
        thread = threading.Thread(target=report)
        thread.start()
        time.sleep(0.1)
        begun = time.time()
        stack.kamcmd("bmd.stats")
        behind = time.time() - begun
        thread.join()  # within the block: the report ends by itself, not since the database is back
    took, words = waited[0]
    assert "503" in words and took - idle < 2 and behind - idle < 2, (took, behind, idle, words)
    print(f"# watcher-rules: with a silent database the report took {took:.2f} s, a command behind it {behind:.2f} s")

    def reported():
        try:
            return records(stack.kamcmd("bmd.report-alarms"))
        except AssertionError:  # all connect again at once
            return None
    wait_until(reported, 5, "a report afterwards")


run("watcher-rules", [
    the_scene_is_set, low_priority_comes_in_a_digest_in_its_last_state,
    high_priority_is_told_at_once_in_the_middle_of_a_digest, a_rise_and_an_escalation_do_not_wait,
    what_is_over_before_it_has_lasted_is_never_told, a_rate_tells_what_came_meanwhile_together,
    the_operator_sees_what_is_held_and_why, a_chattering_alert_stays_open_until_it_is_quiet, a_refresh_and_a_new_subscription_tell_everything,
    a_rule_changed_by_sql_acts_within_a_second_and_one_that_goes_frees_what_it_held,
    the_most_specific_rule_counts_and_a_feed_has_its_own, nothing_held_is_lost_by_kill_9,
    many_changes_and_documents_never_go_backwards, what_makes_no_sense_is_refused_by_name,
    the_report_of_alarms_holds_no_command_while_the_database_is_silent], errors_expected=True)
