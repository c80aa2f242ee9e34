"""Alerts nobody answers; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import datetime
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import Answerer
from scene import Watcher, add_device, alerts, hand, history, provisioned, raise_on, records, stats
from stack import run, wait_until
from terminal import Terminal

SLACK = 0.5


def policy(stack, name, repeat, *steps, **columns):
    """steps: (after, whom, column=value or None, how)."""
    names = "".join(f", {column}" for column in columns)
    values = "".join(f", '{value}'" for value in columns.values())
    text = (f"INSERT INTO bmd_escalation_policy (policy_name, repeat_after{names}) "
            f"VALUES ('{name}', '{repeat}'{values});")
    for position, (after, whom, column, value, how) in enumerate(steps):
        column, value = (f", {column}", f", '{value}'") if column else ("", "")
        text += (f"INSERT INTO bmd_escalation_step (policy_id, position, after, whom, how{column}) SELECT policy_id, "
                 f"{position}, '{after}', '{whom}', '{how}'{value} FROM bmd_escalation_policy "
                 f"WHERE policy_name = '{name}';")
    stack.sql("BEGIN;" + text + "COMMIT")
    provisioned(stack)


def steps(stack, serial):
    """(number, step, round, whom, people) of every step of a device's alerts, as stored."""
    return [(int(row[0]), int(row[1]), int(row[2]), row[3], int(row[4])) for row in stack.sql(
        "SELECT e.number, e.step, round, whom, people FROM bmd_escalation e JOIN bmd_alert USING (alert_id) "
        f"WHERE serial = '{serial}' ORDER BY begun_at, number")]


def parsed(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def told_after(watcher, serial, raised, timeout=5):
    """Seconds after which the terminal first showed an alert of the device."""
    watcher.wait(lambda: watcher.about(serial), f"the alert of {serial}", timeout)
    first = next(d for d in watcher.documents if any(a["serial"] == serial for a in d.alerts))
    return first.at - raised


def people_and_policies_exist(stack):
    stack.sql("INSERT INTO bmd_team (team_name) VALUES ('day'), ('nobody');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('day', 'tech2'), ('day', 'tech3');"
              "INSERT INTO bmd_roster (team_name) VALUES ('day');"
              "INSERT INTO bmd_roster_layer (team_name, position, layer_name, starts_on, shift) "
              "VALUES ('day', 1, 'weeks', '2020-01-01', '7 days');"
              "INSERT INTO bmd_roster_member SELECT layer_id, 1, 'tech2' FROM bmd_roster_layer;"
              "INSERT INTO bmd_group (group_name) VALUES ('trial')")
    policy(stack, "trial", "1 s", ("0", "responsible", None, None, "{subscribe,message}"),
           ("1 s", "on-call", "team_name", "day", "{subscribe}"),
           ("2 s", "team", "team_name", "day", "{subscribe,call}"), group_name="trial")
    stack.one, stack.two, stack.three = (Watcher(stack, user) for user in ("tech1", "tech2", "tech3"))


def device(stack, serial, group="trial", assign="tech1", **limits):
    add_device(stack, serial, assign=assign, **limits)
    if group:
        stack.sql(f"INSERT INTO bmd_group_device (group_name, serial) VALUES ('{group}', '{serial}')")
        wait_until(lambda: any("group" in r.get("why", "") for r in records(stack.kamcmd("bmd.dry-run", serial))),
                   3, "the group of the device")


def steps_come_on_time_to_the_right_terminals(stack):
    device(stack, "STEPS")
    raised = time.time()
    hand(stack, "STEPS SpO2=80")
    assert told_after(stack.one, "STEPS", raised) < SLACK
    two = told_after(stack.two, "STEPS", raised)
    assert not stack.three.about("STEPS"), "the whole team was told with the one on call"
    assert abs(two - 1) < SLACK, two
    three = told_after(stack.three, "STEPS", raised)
    assert abs(three - 2) < SLACK, three


def the_last_step_repeats_until_it_is_over(stack):
    wait_until(lambda: len(steps(stack, "STEPS")) >= 5 and history(stack, "STEPS")[0].count("escalated") >= 4, 5, "two repetitions")
    hand(stack, "STEPS SpO2=98")
    wait_until(lambda: not alerts(stack, "STEPS"), 2, "its end")
    for watcher in (stack.one, stack.two, stack.three):
        watcher.wait(lambda w=watcher: not w.about("STEPS"), "the end")
    done = steps(stack, "STEPS")
    assert [s[:3] for s in done[:5]] == [(1, 1, 0), (2, 2, 0), (3, 3, 0), (4, 3, 1), (5, 3, 2)], done
    assert [s[3:] for s in done[:3]] == [("responsible technicians", 1), ("on call of team day", 1), ("team day", 2)], done
    time.sleep(1.5)
    assert len(steps(stack, "STEPS")) == len(done), "it goes on after its end"
    events = history(stack, "STEPS")[0]
    assert events == ["raised"] + ["escalated"] * (len(done) - 1) + ["cleared"], events


def the_times_in_the_database_are_those_of_the_policy(stack):
    late = stack.sql("SELECT max(abs(extract(epoch FROM begun_at - raised_at) - (number - 1))), "
                     "max(extract(epoch FROM begun_at - due_at)) FROM bmd_escalation JOIN bmd_alert USING (alert_id) "
                     "WHERE serial = 'STEPS'")[0]
    assert float(late[0]) < SLACK and float(late[1]) < SLACK, late


def calls_are_recorded_with_their_outcome(stack):
    ways = stack.sql("SELECT DISTINCT username, way, d.code >= 300 FROM bmd_delivery d JOIN bmd_alert USING (alert_id) "
                     "WHERE serial = 'STEPS' AND way <> 'subscription' ORDER BY 1, 2")
    assert ways == [["tech2", "call", "t"], ["tech3", "call", "t"]], ways  # no terminal is registered
    count = stats(stack)
    assert count["escalation_tasks"] >= 2 and count["escalation_tasks_not_sent"] == 0, count


def the_technicians_own_terminals_show_it(stack):
    device(stack, "SCREEN")
    one, two = Terminal(stack, "tech1"), Terminal(stack, "tech2")
    code = raise_on(stack, "SCREEN")
    one.shows(code, serial="SCREEN", response="none")
    two.shows(code, serial="SCREEN", response="escalated")
    one.shows(code, serial="SCREEN", response="escalated")
    hand(stack, "SCREEN SpO2=98")
    for terminal in (one, two):
        terminal.shows(code, state="cleared")
        terminal.quit()


def an_acknowledged_alert_is_not_escalated_further(stack):
    device(stack, "LATCH", SpO2={"low": 90, "latching": "true"})
    hand(stack, "LATCH SpO2=80")
    hand(stack, "LATCH SpO2=98")
    wait_until(lambda: len(steps(stack, "LATCH")) >= 2, 3, "the second step of a latched alert")
    stack.kamcmd("bmd.ack", alerts(stack, "LATCH")[0]["id"], "operator", "seen")
    stack.two.wait(lambda: not stack.two.about("LATCH"), "its end")
    time.sleep(0.3)
    done = steps(stack, "LATCH")
    time.sleep(1.5)
    assert steps(stack, "LATCH") == done, steps(stack, "LATCH")


def a_gap_in_the_roster_goes_on_at_once(stack):
    stack.sql("UPDATE bmd_roster_layer SET starts_on = '2090-01-01'")
    wait_until(lambda: records(stack.kamcmd("bmd.oncall", "day"))[0]["person"] == "", 3, "the gap")
    device(stack, "GAP")
    raised = time.time()
    hand(stack, "GAP SpO2=80")
    three = told_after(stack.three, "GAP", raised)
    assert abs(three - 1) < SLACK, three
    hand(stack, "GAP SpO2=98")
    why = stack.sql("SELECT e.step, people, e.why FROM bmd_escalation e JOIN bmd_alert USING (alert_id) "
                    "WHERE serial = 'GAP' AND number = 2")
    assert why == [["2", "0", "nobody of team day: no layer and no override covers this time"]], why
    stack.sql("UPDATE bmd_roster_layer SET starts_on = '2020-01-01'")
    wait_until(lambda: records(stack.kamcmd("bmd.oncall", "day"))[0]["person"] == "tech2", 3, "its end")


def a_changed_policy_acts_at_once(stack):
    stack.sql("UPDATE bmd_escalation_step SET after = '1 hour' WHERE position > 0")
    provisioned(stack)
    device(stack, "CHANGED")
    hand(stack, "CHANGED SpO2=80")
    wait_until(lambda: len(steps(stack, "CHANGED")) == 1, 3, "the first step")
    until = time.time() + 1.5
    while time.time() < until:
        stack.two.pump(0.02)
    assert not stack.two.about("CHANGED"), "told by the old policy"
    changed = time.time()
    stack.sql("UPDATE bmd_escalation_step SET after = '1 s' WHERE position = 1")
    assert told_after(stack.two, "CHANGED", changed) < 1 + SLACK
    stack.sql("UPDATE bmd_escalation_step SET after = '2 s' WHERE position = 2")
    stack.three.wait(lambda: stack.three.about("CHANGED"), "the whole team")
    hand(stack, "CHANGED SpO2=98")


def explain_says_who_and_why(stack):
    device(stack, "WHY")
    hand(stack, "WHY SpO2=80")
    stack.two.wait(lambda: stack.two.about("WHY"), "the second step")
    plan, *found = records(stack.kamcmd("bmd.explain", alerts(stack, "WHY")[0]["id"]))
    hand(stack, "WHY SpO2=98")
    assert (plan["policy"], plan["why"], plan["recipients"]) == ("trial", "fits by group", "tech2"), plan
    assert plan["begun"] == "2" and plan["next_at"], plan
    assert [(s["number"], s["state"]) for s in found] == [("1", "begun"), ("2", "begun"), ("3", "planned"), ("4", "planned")]
    assert (found[2]["whom"], found[2]["how"], found[2]["people"]) == ("team day", "subscribe+call", "tech2, tech3"), found
    for bad, words in (("x", "its id (a UUID)"), ("00000000-0000-8000-8000-000000000000", "no alert has this id")):
        try:
            raise RuntimeError(stack.kamcmd("bmd.explain", bad))
        except AssertionError as refused:
            assert words in str(refused), refused


def dry_run_says_what_would_happen(stack):
    plan, *found = records(stack.kamcmd("bmd.dry-run", "OX-1001", "medium", "2026-07-01T12:00:00Z"))
    assert (plan["policy"], plan["why"]) == ("default", "built in: no other fits"), plan
    assert [(s["at"], ", ".join(sorted(s["people"].split(", ")))) for s in found] == [
        ("2026-07-01T12:00:00+00:00", "tech1, tech2"), ("2026-07-01T12:03:00+00:00", ""),
        ("2026-07-01T12:03:00+00:00", "tech1, tech2"), ("2026-07-01T12:06:00+00:00", "tech1, tech2")], found
    assert found[1]["why"] == "team night has no roster", found[1]
    stack.kamcmd("bmd.maintenance", "OX-1001", "3600", "admin", "new probe")
    plan, *found = records(stack.kamcmd("bmd.dry-run", "OX-1001"))
    stack.kamcmd("bmd.maintenance", "OX-1001", "0", "admin", "done")
    window = parsed(found[0]["at"]) - parsed(plan["raised_at"])
    assert plan["suppressed"] == "maintenance" and 3500 < window <= 3600, (plan, found)


def a_disabled_person_is_nobody(stack):
    stack.sql("UPDATE bmd_technician SET enabled = false WHERE username = 'tech2'")
    wait_until(lambda: "disabled" in records(stack.kamcmd("bmd.oncall", "day"))[0]["why"], 3, "the reason")
    device(stack, "OFF")
    plan = records(stack.kamcmd("bmd.dry-run", "OFF"))[1:]
    assert [s["people"] for s in plan] == ["tech1", "", "tech3", "tech3"] and "disabled" in plan[1]["why"], plan
    raised = time.time()
    hand(stack, "OFF SpO2=80")
    assert abs(told_after(stack.three, "OFF", raised) - 1) < SLACK
    hand(stack, "OFF SpO2=98")


def a_device_with_a_responsible_person_and_no_team_has_the_default_team(stack):
    stack.sql("UPDATE bmd_setting SET text_value = 'day' WHERE name = 'default_team'")
    policy(stack, "any", "1 s", ("0", "responsible", None, None, "{subscribe}"),
           ("1 s", "team", None, None, "{subscribe}"), type_name="Nonin oximeter")
    device(stack, "SOLE", group=None)
    raised = time.time()
    hand(stack, "SOLE SpO2=80")
    three = told_after(stack.three, "SOLE", raised)
    assert abs(three - 1) < SLACK, three
    hand(stack, "SOLE SpO2=98")
    stack.three.wait(lambda: not stack.three.about("SOLE"), "its end")
    stack.sql("BEGIN; DELETE FROM bmd_escalation_policy WHERE policy_name = 'any';"
              "UPDATE bmd_setting SET text_value = '' WHERE name = 'default_team'; COMMIT")
    provisioned(stack)


def a_group_that_nobody_may_watch_is_nobody(stack):
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('empty')")
    policy(stack, "empty", "1 s", ("0", "group", "group_name", "empty", "{subscribe}"), group_name="empty")
    device(stack, "EMPTY", group="empty", assign=None)
    before = stack.stat("escalation_unheard")
    hand(stack, "EMPTY SpO2=80")
    wait_until(lambda: stack.stat("escalation_unheard") > before, 4, "the count")
    # its row is written a moment after it is counted
    wait_until(lambda: stack.sql("SELECT people, e.why FROM bmd_escalation e JOIN bmd_alert USING (alert_id) "
                                 "WHERE serial = 'EMPTY' AND number = 1") == [["0", "nobody may watch grp.empty"]],
               4, "the row of the step")
    hand(stack, "EMPTY SpO2=98")


def a_group_feed_shows_it_to_who_watches_it_and_may_answer_it_then(stack):
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('desk'), ('of-desk');"
              "INSERT INTO bmd_assignment (username, group_name) VALUES ('tech3', 'desk')")
    policy(stack, "desk", "1 hour", ("0", "responsible", None, None, "{subscribe}"),
           ("1 s", "group", "group_name", "desk", "{subscribe}"), group_name="of-desk")
    device(stack, "DESK", group="of-desk")
    desk, phone = Watcher(stack, "tech3", "grp.desk"), Answerer(stack, "tech3")
    raised = time.time()
    code = raise_on(stack, "DESK")
    assert phone.control("DESK", "accept", code).code == 403, "before it was escalated to the group"
    took = told_after(desk, "DESK", raised)
    assert abs(took - 1) < SLACK, took
    wait_until(lambda: len(steps(stack, "DESK")) == 2, 3, "the stored step")
    assert steps(stack, "DESK")[1][3:] == ("feed of group desk", 1), steps(stack, "DESK")
    stack.three.pump()
    assert not stack.three.about("DESK"), "a group's feed is not the feed of those who may watch it"
    assert phone.control("DESK", "accept", code).code == 200
    for watcher in (desk, stack.one):
        watcher.wait(lambda w=watcher: [a.get("by") for a in w.about("DESK")] == ["tech3"], "who accepted it")
    hand(stack, "DESK SpO2=98")
    desk.wait(lambda: not desk.about("DESK"), "its end")
    desk.agent.subscribe(dialog=desk.dialog, expires=0)


def policies_by_the_time_of_day_follow_the_hospitals_clock(stack):
    stack.sql("UPDATE bmd_setting SET text_value = 'Europe/Berlin' WHERE name = 'time_zone'")
    step = ("0", "responsible", None, None, "{subscribe}")
    policy(stack, "day", "1 hour", step, days="{1,2,3,4,5}", hours_from="08:00", hours_until="20:00")
    policy(stack, "night", "1 hour", step, days="{1,2,3,4,5}", hours_from="20:00", hours_until="08:00")
    device(stack, "HOURS", group=None)
    # Wednesday in summer, Thursday in winter; the night that begins on Friday is Friday's; Saturday
    for at, name in (("2026-07-01T05:59:59Z", "night"), ("2026-07-01T06:00:00Z", "day"),
                     ("2026-07-01T17:59:59Z", "day"), ("2026-07-01T18:00:00Z", "night"),
                     ("2026-01-15T06:59:59Z", "night"), ("2026-01-15T07:00:00Z", "day"),
                     ("2026-07-04T05:00:00Z", "night"), ("2026-07-04T10:00:00Z", "default")):
        plan = records(stack.kamcmd("bmd.dry-run", "HOURS", "high", at))[0]
        why = "built in: no other fits" if name == "default" else "fits by hours"
        assert (plan["policy"], plan["why"]) == (name, why), f"{at}: {plan}"
    stack.sql("DELETE FROM bmd_escalation_policy WHERE policy_name IN ('day', 'night')")


def an_alert_has_the_policy_of_the_hour_in_which_it_is_raised(stack):
    before, after = stack.sql("SELECT to_char(local - interval '1 h', 'HH24:MI'), to_char(local + interval '1 h', 'HH24:MI') "
                              "FROM (SELECT now() AT TIME ZONE 'Europe/Berlin' AS local) n")[0]
    step = ("0", "responsible", None, None, "{subscribe}")
    policy(stack, "other hours", "1 hour", step, hours_from=after, hours_until=before)
    policy(stack, "this hour", "1 hour", step, hours_from=before, hours_until=after)
    plan = records(stack.kamcmd("bmd.explain", raise_on(stack, "HOURS")))[0]
    hand(stack, "HOURS SpO2=98")
    assert (plan["policy"], plan["why"]) == ("this hour", "fits by hours"), plan
    stack.sql("BEGIN; DELETE FROM bmd_escalation_policy WHERE policy_name LIKE '% hour%';"
              "UPDATE bmd_setting SET text_value = 'Etc/UTC' WHERE name = 'time_zone'; COMMIT")
    provisioned(stack)


def a_team_that_comes_with_all_that_names_it_is_called_at_once(stack):
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('late')")
    policy(stack, "late", "1 hour", ("0", "team", None, None, "{subscribe}"), group_name="late")
    device(stack, "COMES", group="late", assign=None)
    # the first repetition has found nobody either
    before = stack.stat("escalation_unheard")
    hand(stack, "COMES SpO2=80")
    code = alerts(stack, "COMES")[0]["code"]
    stack.kamcmd("bmd.reject", code, "operator")
    wait_until(lambda: stack.stat("escalation_unheard") > before, 4, "the count")
    stack.sql("BEGIN; INSERT INTO bmd_team (team_name) VALUES ('new');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('new', 'tech3');"
              "INSERT INTO bmd_assignment (team_name, serial) VALUES ('new', 'COMES'); COMMIT")
    wait_until(lambda: any(s[3:] == ("team new", 1) for s in steps(stack, "COMES")), 2, "the step")
    hand(stack, "COMES SpO2=98")


def what_finds_nobody_is_counted_and_said_and_found_later(stack):
    before = stack.stat("escalation_unheard")
    device(stack, "ALONE", group=None, assign=None)
    hand(stack, "ALONE SpO2=80")
    wait_until(lambda: stack.stat("escalation_unheard") > before, 3, "the count")
    assert "nobody is called for alert" in stack.log()
    wait_until(lambda: [s[4] for s in steps(stack, "ALONE")] == [0, 0, 0], 2, "three steps that found nobody")
    assert not stack.three.about("ALONE")
    changed = time.time()
    stack.sql("UPDATE bmd_setting SET text_value = 'day' WHERE name = 'default_team'")
    assert told_after(stack.three, "ALONE", changed) < 1
    hand(stack, "ALONE SpO2=98")
    stack.three.wait(lambda: not stack.three.about("ALONE"), "its end")


run("escalation", [
    people_and_policies_exist, steps_come_on_time_to_the_right_terminals, the_last_step_repeats_until_it_is_over,
    the_times_in_the_database_are_those_of_the_policy, calls_are_recorded_with_their_outcome,
    the_technicians_own_terminals_show_it, an_acknowledged_alert_is_not_escalated_further, a_gap_in_the_roster_goes_on_at_once, a_changed_policy_acts_at_once,
    explain_says_who_and_why, dry_run_says_what_would_happen, a_disabled_person_is_nobody,
    a_device_with_a_responsible_person_and_no_team_has_the_default_team, a_group_that_nobody_may_watch_is_nobody,
    a_group_feed_shows_it_to_who_watches_it_and_may_answer_it_then, policies_by_the_time_of_day_follow_the_hospitals_clock,
    an_alert_has_the_policy_of_the_hour_in_which_it_is_raised, a_team_that_comes_with_all_that_names_it_is_called_at_once,
    what_finds_nobody_is_counted_and_said_and_found_later])
