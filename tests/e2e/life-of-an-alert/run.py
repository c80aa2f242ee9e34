"""Answers alerts in every way; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import (Watcher, add_device, alerts, hand, history, kill_and_restart, provisioned, raise_on,
                   records, setting, shown, stats)
from stack import run, wait_until


def refused(stack, *command):
    """The words of a command that must be refused."""
    try:
        stack.kamcmd(*command)
    except AssertionError as words:
        return str(words)
    raise RuntimeError(f"{' '.join(command)} was taken")


def told(watcher, serial, timeout=5, **wanted):
    """Waits until the terminal shows the open alert of a device with these attributes."""
    return watcher.wait(lambda: any(all(a.get(k) == v for k, v in wanted.items()) for a in watcher.about(serial)),
                        f"{serial} with {wanted} (shown: {watcher.about(serial)})", timeout)


def do(stack, event, act):
    """What act() returns; when it was done is remembered, since the history must say the same."""
    begun = time.time()
    done = act()
    stack.acts.append((event, begun, time.time()))
    return done


def an_alert_has_a_short_code_that_terminals_and_kamcmd_show(stack):
    for serial in ("LIFE-1", "LIFE-2", "LIFE-3"):
        add_device(stack, serial, assign="tech3")
        stack.sql(f"INSERT INTO bmd_assignment (username, serial) VALUES ('tech1', '{serial}')")
    provisioned(stack)
    stack.first, stack.second = Watcher(stack, "tech1"), Watcher(stack, "tech3")
    stack.acts = []
    stack.code = do(stack, "raised", lambda: raise_on(stack, "LIFE-1"))
    assert len(stack.code) == 5, stack.code
    for watcher in (stack.first, stack.second):
        told(watcher, "LIFE-1", code=stack.code)
    assert shown(stack, stack.code.lower())["serial"] == "LIFE-1"
    assert "404" in refused(stack, "bmd.accept", "AAAAA" if stack.code != "AAAAA" else "AAAAC", "tech1")
    assert "400" in refused(stack, "bmd.accept", "nonsense", "tech1")
    words = refused(stack, "bmd.accept", stack.code, "nobody")
    assert "403" in words and "nobody is no enabled technician" in words, words


def who_accepts_is_seen_at_once_by_the_other_terminal(stack):
    begun = time.time()
    said = do(stack, "accepted", lambda: stack.kamcmd("bmd.accept", stack.code, "tech1", "on my way"))
    assert records(said) == [{"durable": "no"}], said
    told(stack.second, "LIFE-1", response="accepted", by="tech1")
    assert time.time() - begun < 1, f"it took {time.time() - begun:.1f} s"
    assert stack.second.documents[-1].state == "partial"
    told(stack.first, "LIFE-1", response="accepted", by="tech1")


def an_answer_that_is_not_legal_is_refused_with_the_reason(stack):
    for command in (("bmd.accept", stack.code, "tech3"), ("bmd.ack", stack.code, "tech3"),
                    ("bmd.resolve", stack.code, "false", "tech3")):
        words = refused(stack, *command)
        assert "409" in words and "accepted by tech1 already" in words, words
    assert "400" in refused(stack, "bmd.resolve", stack.code, "maybe", "tech1")
    assert "400" in refused(stack, "bmd.accept", stack.code)
    assert "at most 120 s" in refused(stack, "bmd.silence", stack.code, "121", "tech1")


def the_same_answer_again_is_taken_and_changes_nothing(stack):
    before = shown(stack, stack.code)["revision"]
    stack.kamcmd("bmd.accept", stack.code, "tech1", "on my way")
    assert shown(stack, stack.code)["revision"] == before


def who_accepted_may_hand_it_back_and_another_takes_it(stack):
    # a silence calls nobody: what is handed back is escalated at once, to tech3 here
    do(stack, "silenced", lambda: stack.kamcmd("bmd.silence", stack.code, "120", "tech1"))
    do(stack, "rejected", lambda: stack.kamcmd("bmd.reject", stack.code, "tech1", "stuck in traffic"))
    told(stack.second, "LIFE-1", response="rejected", by="tech1")
    do(stack, "accepted", lambda: stack.kamcmd("bmd.accept", stack.code, "tech3"))
    told(stack.first, "LIFE-1", response="accepted", by="tech3")


def a_silence_ends_and_is_told(stack):
    do(stack, "silenced", lambda: stack.kamcmd("bmd.silence", stack.code, "1", "tech3", "I hear it"))
    _, begun, ended = stack.acts[-1]
    stack.acts.append(("silence-over", begun + 1, ended + 2))
    watcher = stack.first
    watcher.wait(lambda: any("silenced" in a for a in watcher.about("LIFE-1")), "the silence")
    watcher.wait(lambda: watcher.about("LIFE-1") and not any("silenced" in a for a in watcher.about("LIFE-1")),
                 "its end", 3)
    told(watcher, "LIFE-1", response="accepted")


def every_change_is_recorded_with_who_through_what_and_why(stack):
    expected = [["raised", "", "", ""], ["accepted", "tech1", "kamcmd", "on my way"],
                ["silenced", "tech1", "kamcmd", ""], ["rejected", "tech1", "kamcmd", "stuck in traffic"], ["accepted", "tech3", "kamcmd", ""],
                ["silenced", "tech3", "kamcmd", "I hear it"], ["silence-over", "", "", "its time is over"]]

    def rows():
        return stack.sql("SELECT event, who, through, why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
                         "WHERE a.serial = 'LIFE-1' ORDER BY e.revision")
    wait_until(lambda: len(rows()) >= len(expected), 3, "the history")
    assert rows() == expected, rows()


def every_change_is_recorded_with_its_time_by_the_clock(stack):
    rows = [(event, float(at)) for event, at in stack.sql(
        "SELECT event, extract(epoch FROM e.at) FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
        "WHERE a.serial = 'LIFE-1' ORDER BY e.revision")]
    assert [event for event, _ in rows] == [event for event, _, _ in stack.acts], rows
    wrong = [(row, act) for row, act in zip(rows, stack.acts) if not act[1] <= row[1] <= act[2]]
    assert not wrong, f"(what is recorded, what was done from when to when): {wrong}"
    times = [at for _, at in rows]
    assert times == sorted(times), rows


def answers_survive_a_restart_and_kill_9(stack):
    other = raise_on(stack, "LIFE-2")
    stack.kamcmd("bmd.silence", other, "60", "tech1")
    stack.kamcmd("bmd.accept", other, "tech1")
    wait_until(lambda: history(stack, "LIFE-2") == [["raised", "silenced", "accepted"]], 3, "the history")
    keys = ("id", "code", "response", "by", "since", "silenced_until", "revision", "state")
    before = [{k: shown(stack, code)[k] for k in keys} for code in (stack.code, other)]
    kill_and_restart(stack, stack.first, stack.second)
    assert [{k: shown(stack, code)[k] for k in keys} for code in (stack.code, other)] == before
    assert "accepted by tech1 already" in refused(stack, "bmd.accept", other, "tech3")
    told(stack.second, "LIFE-2", 10, response="accepted", by="tech1")
    stack.kamcmd("bmd.silence", other, "30", "tech1")  # the newest word counts, also when it is shorter
    assert shown(stack, other)["silenced_until"] < before[1]["silenced_until"]


def a_silence_whose_end_comes_while_the_server_is_down_is_over_at_its_start(stack):
    code = raise_on(stack, "LIFE-3")
    stack.kamcmd("bmd.silence", code, "2", "tech1")
    wait_until(lambda: history(stack, "LIFE-3") == [["raised", "silenced"]], 3, "the history")
    time.sleep(1)  # so that little of it is left at the end of the next two
    kill_and_restart(stack, stack.first, stack.second)
    wait_until(lambda: shown(stack, code)["silenced_until"] == "", 3, "the end of the silence")
    wait_until(lambda: history(stack, "LIFE-3") == [["raised", "silenced", "silence-over"]], 3, "the history")


def what_was_acknowledged_closes_with_its_condition(stack):
    stack.kamcmd("bmd.ack", stack.code, "tech3", "patient is fine")
    told(stack.first, "LIFE-1", response="acknowledged", by="tech3")
    hand(stack, "LIFE-1 SpO2=97")
    stack.first.wait(lambda: not stack.first.about("LIFE-1"), "its end")
    assert "404" in refused(stack, "bmd.accept", stack.code, "tech1")
    closed = "SELECT closed_at = cleared_at FROM bmd_alert WHERE serial = 'LIFE-1'"
    wait_until(lambda: stack.sql(closed) == [["t"]], 3, "the stored end")


def what_has_cleared_takes_its_outcome_and_nothing_else(stack):
    code = alerts(stack, "LIFE-2")[0]["code"]
    hand(stack, "LIFE-2 SpO2=97")
    assert alerts(stack, "LIFE-2") == [] and shown(stack, code)["state"] == "cleared"
    words = refused(stack, "bmd.silence", code, "10", "tech1")
    assert "409" in words and "its condition has gone" in words, words
    stack.kamcmd("bmd.resolve", code, "false", "tech1", "the probe was off")
    assert "404" in refused(stack, "bmd.resolve", code, "false", "tech1")
    wait_until(lambda: history(stack, "LIFE-2")[0][-2:] == ["cleared", "resolved"], 3, "the history")
    who = stack.sql("SELECT e.who, e.through, e.why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
                    "WHERE a.serial = 'LIFE-2' AND event = 'resolved'")
    assert who == [["tech1", "kamcmd", "the probe was off"]], who


def an_operator_ends_what_no_reading_will_end(stack):
    code = alerts(stack, "LIFE-3")[0]["code"]
    assert "400" in refused(stack, "bmd.end", code, "admin")
    stack.kamcmd("bmd.end", code, "admin", "probe taken off for good")
    stack.first.wait(lambda: not stack.first.about("LIFE-3"), "its end")
    last = ("SELECT e.event, e.who, e.through, e.why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
            "WHERE a.serial = 'LIFE-3' ORDER BY e.at DESC LIMIT 1")
    wait_until(lambda: stack.sql(last) == [["ended", "admin", "kamcmd", "probe taken off for good"]], 3, "its end")
    assert raise_on(stack, "LIFE-3", 79) != code


def two_that_the_database_has_open_become_one_at_the_start(stack):
    """As after an end that it was never told of, both with one code."""
    wait_until(lambda: history(stack, "LIFE-3")[-1:] == [["raised"]], 3, "the history")
    stack.kill9()
    columns = ("device_id, serial, type_name, metric_id, condition, kind, priority, value, limit_value, measured_at, "
               "arrived_at, onset_at, changed_at, revision, code")
    stack.sql(f"INSERT INTO bmd_alert (alert_id, state, raised_at, {columns}) SELECT gen_random_uuid(), 'active', "
              f"raised_at - interval '1 h', {columns} FROM bmd_alert WHERE serial = 'LIFE-3' AND closed_at IS NULL;"
              "INSERT INTO bmd_alert_event (alert_id, revision, at, event, state, priority) SELECT alert_id, 1, raised_at, "
              "'raised', state, priority FROM bmd_alert WHERE serial = 'LIFE-3' AND closed_at IS NULL "
              "ON CONFLICT DO NOTHING")
    for watcher in (stack.first, stack.second):
        watcher.pump(0.1)
        watcher.version = None
    stack.restart()
    assert len(alerts(stack, "LIFE-3")) == 1, alerts(stack, "LIFE-3")
    ended = "SELECT why FROM bmd_alert_event WHERE event = 'superseded'"
    wait_until(lambda: stack.sql(ended) == [["a newer alert of the same metric was open beside it"]], 3, "its end")


def what_clears_by_itself_is_closed_by_the_system_in_the_end(stack):
    setting(stack, "reopen_seconds", 1)
    hand(stack, "LIFE-3 SpO2=97")
    wait_until(lambda: ["raised", "updated", "cleared", "closed"] in history(stack, "LIFE-3"), 5, "the closing")
    row = stack.sql("SELECT who, why FROM bmd_alert_event WHERE event = 'closed'")
    assert row == [["", "condition gone"]], row
    assert stack.sql("SELECT count(*) FROM bmd_alert WHERE closed_at IS NULL") == [["0"]]
    assert stats(stack)["alerts_kept"] == 0


def the_report_counts_alerts_by_device_and_rule(stack):
    rows = {r["serial"]: r for r in records(stack.kamcmd("bmd.report-alarms"))}
    expected = {"LIFE-1": ("1", "1", "0"), "LIFE-2": ("1", "1", "1"), "LIFE-3": ("3", "0", "0")}
    assert {s: (r["raised"], r["accepted"], r["false"]) for s, r in rows.items()} == expected, rows
    medians = {s: r["median_seconds"] for s, r in rows.items()}
    assert 0 <= float(medians["LIFE-1"]) < 30 and medians["LIFE-3"] == "", medians
    one = records(stack.kamcmd("bmd.report-alarms", "LIFE-2", "1"))
    assert [r["serial"] for r in one] == ["LIFE-2"], one
    view = stack.sql("SELECT serial, raised, accepted, false_alarms FROM bmd_alarm_report ORDER BY 1")
    assert [(r[0], tuple(r[1:])) for r in view] == sorted(expected.items()), view
    assert "400" in refused(stack, "bmd.report-alarms", "LIFE-2", "40000")


def the_report_tells_rules_apart_and_the_median_of_the_times_to_answer(stack):
    setting(stack, "reopen_seconds", 0)  # each is an alert of its own
    add_device(stack, "LIFE-4", assign="tech1")
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', 'LIFE-4')")
    for values in ("SpO2=80", "SpO2=97") * 3 + ("PulseRate=140", "PulseRate=70"):
        hand(stack, f"LIFE-4 {values}")
    closed = "SELECT count(*) FROM bmd_alert WHERE serial = 'LIFE-4' AND closed_at IS NOT NULL"
    wait_until(lambda: stack.sql(closed) == [["4"]], 5, "four alerts that are closed")
    stack.sql("UPDATE bmd_alert SET taken_at = raised_at + took FROM (SELECT alert_id, (ARRAY['1 s', '2 s', '60 s']"
              "::interval[])[(row_number() OVER (ORDER BY raised_at))::integer] AS took FROM bmd_alert WHERE serial = 'LIFE-4' "
              "AND condition = 'low') n WHERE n.alert_id = bmd_alert.alert_id;"
              "SELECT bmd_resolve(alert_id, 'false', 'tech1') FROM bmd_alert WHERE serial = 'LIFE-4' AND "
              "condition = 'low' ORDER BY raised_at LIMIT 1")
    rows = [(r["metric"], r["condition"], r["raised"], r["accepted"], r["false"], r["median_seconds"])
            for r in records(stack.kamcmd("bmd.report-alarms", "LIFE-4"))]
    assert rows == [("SpO2", "low", "3", "3", "1", "2.000"), ("PulseRate", "high", "1", "0", "0", "")], rows
    view = stack.sql("SELECT metric, condition, raised, accepted, false_alarms, median_seconds_to_answer "
                     "FROM bmd_alarm_report WHERE serial = 'LIFE-4' ORDER BY raised DESC")
    assert view == [["SpO2", "low", "3", "3", "1", "2"], ["PulseRate", "high", "1", "0", "0", ""]], view


def in_the_end_every_screen_shows_what_the_book_holds(stack):
    code = raise_on(stack, "LIFE-4")
    serials = [f"LIFE-{number}" for number in range(1, 5)]
    for watcher in (stack.first, stack.second):
        told(watcher, "LIFE-4", code=code)
        watcher.agrees_with(stack, serials)


def nothing_was_recorded_twice(stack):
    twice = stack.sql("SELECT alert_id, event, at FROM bmd_alert_event GROUP BY 1, 2, 3 HAVING count(*) > 1")
    gaps = stack.sql("SELECT alert_id FROM bmd_alert_event GROUP BY 1 HAVING max(revision) <> count(*)")
    assert twice == [] and gaps == [], (twice, gaps)


run("life-of-an-alert", [
    an_alert_has_a_short_code_that_terminals_and_kamcmd_show, who_accepts_is_seen_at_once_by_the_other_terminal,
    an_answer_that_is_not_legal_is_refused_with_the_reason, the_same_answer_again_is_taken_and_changes_nothing,
    who_accepted_may_hand_it_back_and_another_takes_it, a_silence_ends_and_is_told,
    every_change_is_recorded_with_who_through_what_and_why, every_change_is_recorded_with_its_time_by_the_clock,
    answers_survive_a_restart_and_kill_9,
    a_silence_whose_end_comes_while_the_server_is_down_is_over_at_its_start,
    what_was_acknowledged_closes_with_its_condition, what_has_cleared_takes_its_outcome_and_nothing_else,
    an_operator_ends_what_no_reading_will_end, two_that_the_database_has_open_become_one_at_the_start,
    what_clears_by_itself_is_closed_by_the_system_in_the_end, the_report_counts_alerts_by_device_and_rule,
    the_report_tells_rules_apart_and_the_median_of_the_times_to_answer,
    in_the_end_every_screen_shows_what_the_book_holds, nothing_was_recorded_twice], errors_expected=True)
