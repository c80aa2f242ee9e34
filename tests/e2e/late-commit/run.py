"""A COMMIT that outlives its server, and clocks set back; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, alerts, batch, hand, history, now_us, stats, stored
from stack import run, wait_until

COMMIT_TAKES = 6  # seconds


def committing(stack):
    """Only a superuser sees what others' sessions do."""
    done = subprocess.run(["psql", "-XAtq", stack.info["db"].replace("user=bmd", "user=postgres"), "-c",
                           "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'"],
                          capture_output=True, text=True, timeout=10)
    return done.stdout.strip() != ""


def a_commit_that_outlives_the_server_is_not_repeated(stack):
    add_device(stack, "LC-1")
    stack.base = now_us(-3600)
    batch(stack, "home", 1, 1, f"LC-1 {stack.base} SpO2=97")
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 5, "durable")
    # runs within COMMIT, when every statement of the transaction is done
    stack.sql("CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
              f"PERFORM pg_sleep({COMMIT_TAKES}); RETURN NULL; END $$;"
              "CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON bmd_writer DEFERRABLE INITIALLY DEFERRED "
              "FOR EACH ROW EXECUTE FUNCTION slow_commit()")
    text = f"LC-1 {stack.base + 1_000_000} SpO2=97 PulseRate=70"
    assert batch(stack, "home", 1, 2, text)["durable"] == "1"
    wait_until(lambda: committing(stack), 5, "the COMMIT")
    stack.kill9()
    # the trigger's definition cannot be dropped while the COMMIT runs: only later ones are made quick
    stack.sql("CREATE OR REPLACE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    stack.restart()
    answer = batch(stack, "home", 1, 2, text)  # as the collector does
    wait_until(lambda: batch(stack, "home", 1, 2, "")["durable"] == "2", COMMIT_TAKES + 5, "durable")
    wait_until(lambda: stats(stack)["journal_bytes"] == 0, 5, "an empty journal")
    time.sleep(COMMIT_TAKES / 3)
    found = stored(stack, "LC-1")
    assert len(found) == 3, f"stored {len(found)} readings, 3 were sent; second sending: {answer}"


def readings_of_a_collector_whose_clock_is_set_back_are_kept_and_judged(stack):
    add_device(stack, "LC-2")
    base = now_us(-60)
    batch(stack, "steps", 1, 1, f"LC-2 {base} SpO2=97")
    back = base - 300_000_000
    answer = batch(stack, "steps", 1, 2, f"LC-2 {back} SpO2=80\nLC-2 {back + 1_000_000} SpO2=79")
    assert answer["accepted"] == 2 and answer["refused_count"] == 0, answer
    assert len(alerts(stack, "LC-2")) == 1, "the alert was not raised"
    batch(stack, "steps", 1, 3, f"LC-2 {back + 2_000_000} SpO2=97")
    assert alerts(stack, "LC-2") == [], "the alert was not ended"
    wait_until(lambda: len(stored(stack, "LC-2")) == 4, 5, "all four readings")
    assert stats(stack)["clock_back"] >= 3


def a_limits_delay_goes_on_when_the_clock_is_set_back(stack):
    add_device(stack, "LC-3", SpO2={"low": 90, "delay": "5 s", "priority": "high"})
    base = now_us(-60)
    batch(stack, "delays", 1, 1, f"LC-3 {base} SpO2=80")
    batch(stack, "delays", 1, 2, f"LC-3 {base - 200_000_000} SpO2=80\nLC-3 {base - 197_000_000} SpO2=80")
    assert alerts(stack, "LC-3") == [], "3 s are no 5"
    batch(stack, "delays", 1, 3, f"LC-3 {base - 194_500_000} SpO2=80")
    assert len(alerts(stack, "LC-3")) == 1, "the delay did not pass"


def the_backlog_of_a_home_is_kept_after_a_report_by_hand(stack):
    add_device(stack, "LC-4")
    batch(stack, "backlog", 1, 1, f"LC-4 {now_us(-60)} SpO2=97")
    hand(stack, f"LC-4 {now_us()} SpO2=96")
    answer = batch(stack, "backlog", 1, 2, f"LC-4 {now_us(-50)} SpO2=95\nLC-4 {now_us(-40)} SpO2=94")
    assert answer["accepted"] == 2, answer


def late_readings_of_a_second_collector_are_stored_and_not_judged(stack):
    add_device(stack, "LC-5")
    batch(stack, "first", 1, 1, f"LC-5 {now_us(-10)} SpO2=80")
    answer = batch(stack, "second", 1, 1, f"LC-5 {now_us(-20)} SpO2=97")
    assert answer["accepted"] == 1 and stats(stack)["readings_late"] == 1, answer
    assert len(alerts(stack, "LC-5")) == 1, "an older value ended the alert"
    wait_until(lambda: len(stored(stack, "LC-5")) == 2, 5, "both readings")
    assert history(stack, "LC-5") == [["raised"]]


run("late-commit", [a_commit_that_outlives_the_server_is_not_repeated,
                    readings_of_a_collector_whose_clock_is_set_back_are_kept_and_judged,
                    a_limits_delay_goes_on_when_the_clock_is_set_back,
                    the_backlog_of_a_home_is_kept_after_a_report_by_hand,
                    late_readings_of_a_second_collector_are_stored_and_not_judged], errors_expected=True)
