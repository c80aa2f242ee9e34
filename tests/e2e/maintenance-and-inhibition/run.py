"""Suppresses alerts and lets them go; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import (
    OXIMETER, Watcher, add_device, alerts, hand, held, history, kill_and_restart, no_device_falls_silent_meanwhile, provisioned, records, stats)
from stack import run, wait_until
from terminal import Terminal


def suppressed(stack, serial):
    return [a["suppressed"] for a in alerts(stack, serial)]


def shown(stack, serial, metric, what, timeout=5):
    """Waits until the terminal shows one alert that is suppressed like that (None: not)."""
    def same():
        about = stack.watcher.about(serial, metric)
        return about and about[0].get("suppressed") == what
    stack.watcher.wait(same, f"{serial} {metric} suppressed: {what}", timeout)


def an_open_alert_is_suppressed_when_its_device_is_worked_on(stack):
    for serial in ("WORK-1", "WORK-2"):
        add_device(stack, serial, assign="tech3")
    stack.watcher, stack.terminal = Watcher(stack, "tech3"), Terminal(stack, "tech3")
    hand(stack, "WORK-1 SpO2=80")
    shown(stack, "WORK-1", "SpO2", None)
    stack.kamcmd("bmd.maintenance", "WORK-1", "6", "admin", "new probe")
    stack.until = time.time() + 6
    shown(stack, "WORK-1", "SpO2", "maintenance")
    stack.code = alerts(stack, "WORK-1")[0]["code"]
    stack.terminal.shows(stack.code, suppressed="none", revision=1)
    stack.terminal.shows(stack.code, suppressed="maintenance", revision=2)


def a_new_alert_within_the_window_is_shown_with_the_reason(stack):
    hand(stack, "WORK-1 PulseRate=140")
    shown(stack, "WORK-1", "PulseRate", "maintenance")
    assert suppressed(stack, "WORK-1") == ["maintenance", "maintenance"]
    hand(stack, "WORK-2 SpO2=80")
    shown(stack, "WORK-2", "SpO2", None)


def the_window_is_in_the_database_with_who_and_why(stack):
    rows = "SELECT serial, who, why, extract(epoch FROM ends_at - starts_at)::int FROM bmd_maintenance"
    wait_until(lambda: stack.sql(rows) == [["WORK-1", "admin", "new probe", "6"]], 3, "the stored window")


def kamcmd_says_who_works_on_a_device_and_until_when(stack):
    window = records(stack.kamcmd("bmd.maintenance"))
    assert [(w["of"], w["who"], w["why"], w["in_force"]) for w in window] == [
        ("device WORK-1", "admin", "new probe", "1")], window
    code = alerts(stack, "WORK-1")[0]["code"]
    for shown in (stack.kamcmd("bmd.device", "WORK-1"), stack.kamcmd("bmd.alert", code)):
        found = records(shown)[0]
        assert (found["maintenance_who"], found["maintenance_until"]) == ("admin", window[0]["until"]), found
    assert "maintenance" not in records(stack.kamcmd("bmd.device", "WORK-2"))[0]


def what_still_holds_when_the_window_ends_is_told_again(stack):
    shown(stack, "WORK-1", "SpO2", None, 8)
    shown(stack, "WORK-1", "PulseRate", None)
    assert abs(time.time() - stack.until) < 1, time.time() - stack.until
    stack.terminal.shows(stack.code, suppressed="none", revision=3)
    stack.terminal.quit()
    expected = [["raised", "suppressed", "resumed"], ["raised", "resumed"]]
    wait_until(lambda: history(stack, "WORK-1") == expected, 3, "the histories")
    who = stack.sql("SELECT DISTINCT who, through, why FROM bmd_alert_event WHERE event = 'raised' AND who <> ''")
    assert who == [["admin", "maintenance", "new probe"]], who


def a_window_by_sql_of_a_type_a_group_or_all_is_in_force_at_once(stack):
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('shop');"
              "INSERT INTO bmd_group_device (group_name, serial) VALUES ('shop', 'WORK-2')")
    provisioned(stack)
    for columns, values, both in (("type_name", f"'{OXIMETER}'", True), ("group_name", "'shop'", False),
                                  ("everything", "true", True)):
        stack.sql(f"INSERT INTO bmd_maintenance ({columns}, ends_at, who, why) "
                  f"VALUES ({values}, now() + interval '1 h', 'admin', 'trial')")
        wait_until(lambda: suppressed(stack, "WORK-2") == ["maintenance"], 2, f"the window by {columns}")
        assert set(suppressed(stack, "WORK-1")) == ({"maintenance"} if both else {"none"}), columns
        stack.sql("UPDATE bmd_maintenance SET ends_at = now() WHERE ends_at > now()")
        wait_until(lambda: suppressed(stack, "WORK-2") == ["none"], 2, f"the end of the window by {columns}")


def a_team_that_is_responsible_for_a_device_is_no_group_of_it(stack):
    stack.sql("INSERT INTO bmd_assignment (team_name, serial) VALUES ('night', 'WORK-2')")
    provisioned(stack)
    insert = ("INSERT INTO bmd_maintenance (group_name, ends_at, who, why) "
              "VALUES ('{}', now() + interval '1 h', 'admin', 'trial')")
    stack.sql(insert.format("oximetry"))
    provisioned(stack)
    assert suppressed(stack, "WORK-2") == ["none"], "a window of another group"
    stack.sql(insert.format("shop"))
    wait_until(lambda: suppressed(stack, "WORK-2") == ["maintenance"], 2, "the window of its group")
    stack.sql("UPDATE bmd_maintenance SET ends_at = now() WHERE ends_at > now()")
    wait_until(lambda: suppressed(stack, "WORK-2") == ["none"], 2, "the end of the window")


def a_window_can_be_ended_and_what_is_wrong_is_refused(stack):
    stack.kamcmd("bmd.maintenance", "WORK-2", "3600", "admin", "trial")
    wait_until(lambda: suppressed(stack, "WORK-2") == ["maintenance"], 2, "the window")
    stack.kamcmd("bmd.maintenance", "WORK-2", "0", "admin", "done")
    wait_until(lambda: suppressed(stack, "WORK-2") == ["none"], 2, "its end")
    for words, code in ((("WORK-2", "0", "admin", "done"), "404"), (("NOBODY", "60", "admin", "x"), "404"),
                        (("WORK-2", "86401", "admin", "x"), "400"), (("WORK-2", "60", "admin"), "400")):
        try:
            stack.kamcmd("bmd.maintenance", *words)
        except AssertionError as refused:
            assert code in str(refused), refused
            continue
        raise AssertionError(f"{words} was taken")
    try:
        stack.sql("INSERT INTO bmd_maintenance (serial, ends_at, who, why) "
                  "VALUES ('WORK-2', now() + interval '25 h', 'admin', 'too long')")
    except AssertionError as refused:
        assert "lasts_at_most_24_hours" in str(refused), refused


def a_window_survives_a_restart(stack):
    stack.kamcmd("bmd.maintenance", "WORK-1", "60", "admin", "new probe")
    wait_until(lambda: set(suppressed(stack, "WORK-1")) == {"maintenance"}, 2, "the window")
    wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_maintenance WHERE ends_at > now()") == [["1"]], 2,
               "the stored window")
    kill_and_restart(stack, stack.watcher)
    time.sleep(0.5)
    assert set(suppressed(stack, "WORK-1")) == {"maintenance"}, suppressed(stack, "WORK-1")
    stack.sql("DELETE FROM bmd_maintenance WHERE serial = 'WORK-1' AND ends_at > now()")
    wait_until(lambda: set(suppressed(stack, "WORK-1")) == {"none"}, 2, "its end by SQL")


def a_silent_device_has_one_alert_that_mutes_the_others_and_says_how_many(stack):
    stack.sql("INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('quick', '1 s')")
    limit = {"low": 90, "priority": "high"}
    add_device(stack, "LINK", "quick", assign="tech3", SpO2=limit, PulseRate={"high": 120})
    hand(stack, "LINK SpO2=80 PulseRate=130 !LowBattery=on")
    watcher = stack.watcher
    watcher.wait(lambda: any(a.get("mutes") == "2" for a in watcher.about("LINK", "NoData")), "the stale alert")
    shown(stack, "LINK", "SpO2", "inhibition")
    shown(stack, "LINK", "PulseRate", "inhibition")
    shown(stack, "LINK", "LowBattery", None)
    assert len(alerts(stack, "LINK")) == 4, "a muted alert is not listed"


def it_says_so_after_a_restart_too(stack):
    wait_until(lambda: sum(h == ["raised", "suppressed"] for h in history(stack, "LINK")) == 2, 3, "the histories")
    kill_and_restart(stack, stack.watcher)
    by_metric = {a["metric"]: (a["suppressed"], a["mutes"]) for a in alerts(stack, "LINK")}
    assert by_metric == {"NoData": ("none", "2"), "SpO2": ("inhibition", "0"), "PulseRate": ("inhibition", "0"),
                         "LowBattery": ("none", "0")}, by_metric


def when_it_is_heard_again_what_holds_is_told_and_what_does_not_is_over(stack):
    hand(stack, "LINK SpO2=81 PulseRate=80")
    shown(stack, "LINK", "SpO2", None, 0.5)
    watcher = stack.watcher
    watcher.wait(lambda: not watcher.about("LINK", "PulseRate") and not watcher.about("LINK", "NoData"), "the ends")
    # by then it may be silent again, and mute what holds
    wait_until(lambda: {tuple(h[:3]) for h in history(stack, "LINK")}
               >= {("raised", "suppressed", "resumed"), ("raised", "suppressed", "cleared")}, 3, "the histories")


def a_window_is_set_while_its_table_is_locked_and_stored_later(stack):
    with held(stack, "LOCK TABLE bmd_maintenance"):
        stack.kamcmd("bmd.maintenance", "WORK-2", "60", "admin", "locked")
        wait_until(lambda: suppressed(stack, "WORK-2") == ["maintenance"], 1, "the window")
    wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_maintenance WHERE why = 'locked'") == [["1"]], 10,
               "the stored window")
    time.sleep(0.5)
    assert suppressed(stack, "WORK-2") == ["maintenance"]


def a_window_whose_row_is_locked_holds_up_nobody_and_stays_ended(stack):
    before = stack.sql("SELECT count(*) FROM bmd_reading")
    failures = stats(stack)["writer_failures"]
    with held(stack, "SELECT FROM bmd_maintenance WHERE why = 'locked' FOR UPDATE"):
        stack.kamcmd("bmd.maintenance", "WORK-2", "0", "admin", "done")
        wait_until(lambda: suppressed(stack, "WORK-2") == ["none"], 2, "its end")
        hand(stack, "WORK-2 SpO2=79")
        wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_reading") != before, 2, "the reading beside the lock")
        stack.sql("INSERT INTO bmd_maintenance (serial, ends_at, who, why) "
                  "VALUES ('WORK-1', now() + interval '1 min', 'admin', 'another')")  # all windows are read again
        wait_until(lambda: "maintenance" in suppressed(stack, "WORK-1"), 3, "another window")
        assert suppressed(stack, "WORK-2") == ["none"], "the window that was ended is back"
        assert stats(stack)["windows_waiting"] > 0 and stats(stack)["writer_failures"] == failures, stats(stack)
    wait_until(lambda: stack.sql("SELECT ends_at < now() FROM bmd_maintenance WHERE why = 'locked'") == [["t"]], 10,
               "the stored end")


run("maintenance-and-inhibition", [
    no_device_falls_silent_meanwhile,
    an_open_alert_is_suppressed_when_its_device_is_worked_on, a_new_alert_within_the_window_is_shown_with_the_reason,
    the_window_is_in_the_database_with_who_and_why, kamcmd_says_who_works_on_a_device_and_until_when, what_still_holds_when_the_window_ends_is_told_again,
    a_window_by_sql_of_a_type_a_group_or_all_is_in_force_at_once,
    a_team_that_is_responsible_for_a_device_is_no_group_of_it, a_window_can_be_ended_and_what_is_wrong_is_refused,
    a_window_survives_a_restart, a_silent_device_has_one_alert_that_mutes_the_others_and_says_how_many,
    it_says_so_after_a_restart_too, when_it_is_heard_again_what_holds_is_told_and_what_does_not_is_over,
    a_window_is_set_while_its_table_is_locked_and_stored_later,
    a_window_whose_row_is_locked_holds_up_nobody_and_stays_ended], errors_expected=True)
