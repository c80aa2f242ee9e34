"""A flood of changes of alerts; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import cluster
from scene import every_condition_that_comes_back_is_a_new_alert, add_device, alerts, batch, hand, stats
from stack import RpcFault, run, wait_until


def a_megabyte_of_flapping_values_keeps_its_whole_history(stack):
    add_device(stack, "FLAP")
    base = int(time.time() * 1e6) - 100_000_000
    lines = [f"FLAP {base + 1000 * n} SpO2={97 if n % 2 else 80}" for n in range(28_001)]
    begun = time.monotonic()
    while True:  # 503: keep it and send it again, what a collector does
        try:
            answer = batch(stack, "home", 1, 1, "\n".join(lines))
            break
        except RpcFault as busy:
            assert busy.code == 503, busy
    print(f"# flapping-flood: {len(lines)} changes of alerts taken in {time.monotonic() - begun:.2f} s")
    assert answer["refused_count"] == 0, answer
    assert stats(stack)["alerts_open"] == 1 and len(alerts(stack, "FLAP")) == 1, stats(stack)["alerts_open"]
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 20, "durable")
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["alerts_unwritten"] == 0, 20,
               "an empty journal")
    found = stack.sql("SELECT event, count(*) FROM bmd_alert_event GROUP BY 1 ORDER BY 1")
    assert found == [["cleared", "14000"], ["raised", "14001"]], found
    assert stack.sql("SELECT count(*) FROM bmd_readings WHERE serial = 'FLAP'") == [["28001"]]


def one_line_of_many_values_does_not_fill_the_journal(stack):
    add_device(stack, "LINE")
    hand(stack, "LINE " + " ".join("SpO2=80 SpO2=97" for _ in range(10_000)))
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["alerts_unwritten"] == 0, 20,
               "an empty journal")
    # all of one moment, yet each is an alert of its own
    assert stack.sql("SELECT event, count(*) FROM bmd_alert_event JOIN bmd_alert USING (alert_id) "
                     "WHERE serial = 'LINE' GROUP BY 1 ORDER BY 1") == [["cleared", "10000"], ["raised", "10000"]]
    assert stats(stack)["alerts_open"] == 1


def with_the_database_away_new_alerts_find_room(stack):
    add_device(stack, "NEW-1")
    add_device(stack, "NEW-2")
    cluster(stack, "kill")
    wait_until(lambda: hand(stack, "NEW-2 SpO2=97") and stack.stat("database_up") == 0, 5, "database down")
    base = int(time.time() * 1e6) - 50_000_000
    for piece in range(10):
        lines = [f"FLAP {base + 1000 * (4000 * piece + n)} SpO2={97 if n % 2 else 80}" for n in range(4000)]
        try:
            batch(stack, "home", 1, 2 + piece, "\n".join(lines))
        except RpcFault as busy:
            assert busy.code in (503, 409), busy
    lost = stats(stack)
    assert lost["alerts_lost_memory"] == 0, "an alert was not raised"
    assert lost["alert_history_lost"] > 0, lost
    assert lost["alerts_open"] <= 4, lost["alerts_open"]
    try:
        hand(stack, "NEW-1 SpO2=70")
    except RpcFault as busy:  # the ring is full: judged, not stored
        assert busy.code == 503, busy
        try:
            batch(stack, "ward", 1, 1, "NEW-1 SpO2=70")
        except RpcFault:
            pass
    assert len(alerts(stack, "NEW-1")) == 1, "the new alert"


def the_history_is_made_up_for_when_it_is_back(stack):
    cluster(stack, "start")
    wait_until(lambda: stack.stat("database_up") == 1, 15, "database up")
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["alerts_unwritten"] == 0, 20,
               "an empty journal")
    wait_until(lambda: stack.sql("SELECT event FROM bmd_alert_event JOIN bmd_alert USING (alert_id) "
                                 "WHERE serial = 'NEW-1'") == [["raised"]], 5, "the new alert's history")
    without = stack.sql("SELECT count(*) FROM bmd_alert a WHERE NOT EXISTS (SELECT FROM bmd_alert_event e "
                        "WHERE e.alert_id = a.alert_id AND e.event = 'raised')")
    assert without == [["0"]], f"{without} alerts in the history were never raised"
    ids = sorted(a["id"] for a in alerts(stack))
    wait_until(lambda: sorted(row[0] for row in stack.sql(
        "SELECT alert_id FROM bmd_alert WHERE state <> 'cleared'")) == ids, 5, "book and database agree")


run("flapping-flood", [every_condition_that_comes_back_is_a_new_alert, a_megabyte_of_flapping_values_keeps_its_whole_history, one_line_of_many_values_does_not_fill_the_journal,
                       with_the_database_away_new_alerts_find_room, the_history_is_made_up_for_when_it_is_back],
    "--set", "ALERTS=1024", errors_expected=True)
