"""Lets priorities rise and fall; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, hand
from stack import run, wait_until
from terminal import Terminal

SECOND = {"low": 90, "low_low": 80, "hysteresis": 2, "priority": "medium"}


def priority(stack, serial):
    found = alerts(stack, serial)
    return found[0]["priority"] if found else None


def told(stack, serial, wanted, before):
    def same():
        about = stack.watcher.about(serial)
        return about and about[0]["priority"] == wanted and about[0].get("before") == before
    stack.watcher.wait(same, f"{serial} at priority {wanted}, {before} before")


def text(agent, part, timeout=5, optional=False):
    """The lines of the next text with these words; None when it is optional and does not come."""
    try:
        message = agent.wait(lambda m: m.is_request and m.method == "MESSAGE" and part.encode() in m.body, timeout,
                             f"a text with {part!r}")
    except AssertionError:
        if optional:
            return None
        raise
    return message.body.decode().split("\n")


def reasons(stack, serial):
    return [tuple(r) for r in stack.sql(
        "SELECT e.priority, e.why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
        f"WHERE a.serial = '{serial}' AND e.event = 'priority' ORDER BY e.revision")]


def a_worsening_value_raises_the_priority_and_a_better_one_lowers_it(stack):
    add_device(stack, "WORSE", assign="tech3", SpO2=SECOND)
    stack.watcher, terminal = Watcher(stack, "tech3"), Terminal(stack, "tech3")
    now = int(time.time() * 1e6)

    def read(value, seconds_ago):
        hand(stack, f"WORSE {now - int(seconds_ago * 1e6)} SpO2={value}")
    read(85, 60)
    told(stack, "WORSE", "medium", None)
    read(79, 50)
    told(stack, "WORSE", "high", "medium")
    code = alerts(stack, "WORSE")[0]["code"]
    terminal.shows(code, priority="medium", priority_before=None)
    terminal.shows(code, priority="high", priority_before="medium")
    read(81.5, 49)  # within the hysteresis
    for ago in (31, 30, 29):  # around the limit: nobody is called again
        read(82, ago + 0.5)
        read(79, ago)
    read(82, 28)
    assert priority(stack, "WORSE") == "high"
    read(82, 0)  # 28 s
    assert priority(stack, "WORSE") == "high"
    wait_until(lambda: time.time() * 1e6 > now + 2_100_000, 4, "30 s since it was past the limit")
    hand(stack, "WORSE SpO2=82")
    told(stack, "WORSE", "medium", "high")
    terminal.shows(code, priority="medium", priority_before="high")
    terminal.quit()
    expected = [("high", "the value is past its second limit"), ("medium", "the value is back within its second limit")]
    wait_until(lambda: reasons(stack, "WORSE") == expected, 3, "the reasons")


def a_value_past_it_at_once_raises_at_high(stack):
    add_device(stack, "WORST", SpO2=SECOND)
    hand(stack, "WORST SpO2=70")
    assert priority(stack, "WORST") == "high"


def a_rise_ends_a_silence_and_asks_again_who_had_dealt_with_less(stack):
    code = alerts(stack, "WORSE")[0]["code"]
    stack.kamcmd("bmd.ack", code, "tech3")
    stack.kamcmd("bmd.silence", code, "600", "tech3")
    hand(stack, "WORSE SpO2=79")
    alert = alerts(stack, "WORSE")[0]
    assert (alert["priority"], alert["response"], alert["silenced_until"]) == ("high", "none", ""), alert
    hand(stack, "WORSE SpO2=85")
    stack.kamcmd("bmd.accept", code, "tech3")
    hand(stack, "WORSE SpO2=79")
    assert alerts(stack, "WORSE")[0]["by"] == "tech3"


def an_alert_that_nobody_answers_rises_step_by_step(stack):
    rule = {"low": 90, "priority": "low", "rises_after": "1 s"}
    for serial in ("TIME-1", "TIME-2"):
        add_device(stack, serial, assign="tech3", SpO2=rule)
    begun = time.time()
    hand(stack, "TIME-1 SpO2=80")
    hand(stack, "TIME-2 SpO2=80")
    stack.kamcmd("bmd.accept", alerts(stack, "TIME-2")[0]["code"], "tech3")
    told(stack, "TIME-1", "high", "medium")
    assert 1.9 < time.time() - begun < 3, time.time() - begun
    expected = [("medium", "not answered for 1 s"), ("high", "not answered for 1 s")]
    wait_until(lambda: reasons(stack, "TIME-1") == expected, 3, "the reasons")
    after = [float(row[0]) - begun for row in stack.sql(
        "SELECT extract(epoch FROM e.at) FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
        "WHERE a.serial = 'TIME-1' AND e.event = 'priority' ORDER BY e.revision")]
    assert 0.9 < after[0] < 1.8 and 1.9 < after[1] < 3, after


def an_accepted_one_does_not_until_it_is_handed_back(stack):
    assert priority(stack, "TIME-2") == "low"
    stack.kamcmd("bmd.reject", alerts(stack, "TIME-2")[0]["code"], "tech3")
    told(stack, "TIME-2", "medium", "low")


def a_reading_does_not_lower_what_rose_with_time(stack):
    hand(stack, "TIME-1 SpO2=81")
    assert priority(stack, "TIME-1") == "high"


def an_open_alert_follows_its_rule(stack):
    add_device(stack, "TIME-4", SpO2={"low": 90, "priority": "medium"})
    hand(stack, "TIME-4 SpO2=80")
    stack.sql("UPDATE bmd_device_limit SET rises_after = '1 s' WHERE serial = 'TIME-4'")
    wait_until(lambda: priority(stack, "TIME-4") == "high", 4, "the rise")
    wait_until(lambda: reasons(stack, "TIME-4") == [("high", "not answered for 1 s")], 3, "the reason")


def a_rise_that_is_due_comes_after_kill_9_once(stack):
    add_device(stack, "TIME-3", SpO2={"low": 90, "priority": "medium", "rises_after": "3 s"})
    begun = time.time()
    hand(stack, "TIME-3 SpO2=80")
    wait_until(lambda: stack.sql("SELECT rises_at IS NOT NULL FROM bmd_alert WHERE serial = 'TIME-3'") == [["t"]], 3,
               "the stored alert")
    stack.kill9()
    stack.restart()
    wait_until(lambda: priority(stack, "TIME-3") == "high", 10, "the rise")
    assert time.time() - begun > 2.9, "too early"
    time.sleep(0.5)
    assert reasons(stack, "TIME-3") == [("high", "not answered for 3 s")], reasons(stack, "TIME-3")


def a_phone_that_has_no_subscription_is_told_by_text(stack):
    add_device(stack, "PHONE", assign="tech1", SpO2=SECOND)
    stack.phone = stack.agent("tech1")
    assert stack.phone.register().status == 200
    now = int(time.time() * 1e6)
    for value, ago, first, before in ((85, 60, "MEDIUM SpO2 85 % low, limit 90 %", []),
                                      (79, 50, "HIGH SpO2 79 % low, limit 90 %", ["priority was medium"]),
                                      (82, 15, "MEDIUM SpO2 82 % low, limit 90 %", ["priority was high"])):
        hand(stack, f"PHONE {now - ago * 1_000_000} SpO2={value}")
        if value == 79:
            hand(stack, f"PHONE {now - 49_000_000} SpO2=82")  # must last for 30 s
        lines = text(stack.phone, "PHONE")
        assert lines[0] == first and [line for line in lines if line.startswith("priority")] == before, lines


def it_is_told_also_when_the_server_was_killed_meanwhile(stack):
    add_device(stack, "LATER", assign="tech1", SpO2={"low": 90, "priority": "medium", "rises_after": "3 s"})
    hand(stack, "LATER SpO2=80")
    assert text(stack.phone, "LATER")[0].startswith("MEDIUM SpO2")
    wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_delivery JOIN bmd_alert USING (alert_id) "
                                 "WHERE serial = 'LATER' AND way = 'message' AND bmd_delivery.code = 200") == [["1"]], 3, "the outcome")
    wait_until(lambda: stack.sql("SELECT count(*) FROM location WHERE username = 'tech1'") == [["1"]], 4,
               "the stored registration")
    stack.kill9()
    time.sleep(3)  # the rise is due while there is no server
    stack.restart()
    assert text(stack.phone, "LATER", 10)[0].startswith("HIGH SpO2")
    assert text(stack.phone, "LATER", 5, optional=True) is None, "told twice"


def a_second_limit_on_the_wrong_side_is_refused(stack):
    for columns in ("low, low_low", "high, high_high"):
        value = "90, 95" if columns.startswith("low") else "99, 98"
        try:
            stack.sql(f"INSERT INTO bmd_device_limit (serial, metric, {columns}) VALUES ('OX-1001', 'SpO2', {value})")
        except AssertionError as refused:
            assert "_is_below_low" in str(refused) or "_is_above_high" in str(refused), refused
            continue
        raise AssertionError(f"{columns} {value} was taken")


run("priority-rises", [
    a_worsening_value_raises_the_priority_and_a_better_one_lowers_it, a_value_past_it_at_once_raises_at_high,
    a_rise_ends_a_silence_and_asks_again_who_had_dealt_with_less, an_alert_that_nobody_answers_rises_step_by_step,
    an_accepted_one_does_not_until_it_is_handed_back, a_reading_does_not_lower_what_rose_with_time,
    an_open_alert_follows_its_rule, a_rise_that_is_due_comes_after_kill_9_once,
    a_phone_that_has_no_subscription_is_told_by_text, it_is_told_also_when_the_server_was_killed_meanwhile, a_second_limit_on_the_wrong_side_is_refused], errors_expected=True)
