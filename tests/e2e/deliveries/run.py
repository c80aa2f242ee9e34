"""Outcomes of NOTIFYs in the database; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import Frozen
from scene import (Watcher, alerts, device, every_condition_that_comes_back_is_a_new_alert, hand, history,
                   kill_and_restart, no_device_falls_silent_meanwhile, provisioned, stats)
from stack import run, wait_until

GROUP = "grp.oximetry"
TWICE = "SELECT 1 FROM bmd_delivery GROUP BY alert_id, revision, username, terminal, sent_at HAVING count(*) > 1"
RING = 32768   # outcomes that wait: store_limits.hpp
MANY = 300     # alerts: so many outcomes has each full state


def deliveries(stack, where="true"):
    """(username, revision, code, terminal) in the order of the answers."""
    return [(user, int(revision), int(code), terminal) for user, revision, code, terminal in stack.sql(
        "SELECT d.username, d.revision, d.code, d.terminal FROM bmd_delivery d JOIN bmd_alert a USING (alert_id) "
        f"WHERE way = 'subscription' AND {where} ORDER BY d.answered_at, d.revision")]


def each_state_told_to_each_terminal_is_stored_once(stack):
    first, second = Watcher(stack, "tech1", GROUP), Watcher(stack, "tech2", GROUP)
    hand(stack, "OX-1001 SpO2=70")
    first.wait(lambda: first.open and second.pump() is None and second.open, "the alert")
    hand(stack, "OX-1001 SpO2=98")
    first.wait(lambda: not first.open and second.pump() is None and not second.open, "its end")
    found = wait_until(lambda: len(deliveries(stack)) == 4 and deliveries(stack), 3, "4 deliveries")
    for watcher in (first, second):
        mine = [d for d in found if d[0] == watcher.agent.user]
        assert [(d[1], d[2]) for d in mine] == [(1, 200), (2, 200)], mine
        assert {d[3] for d in mine} == {watcher.agent.contact}, mine
    times = stack.sql("SELECT count(*) FROM bmd_delivery WHERE answered_at >= sent_at "
                      "AND now() - sent_at < '1 min'")
    assert times == [["4"]], times
    summary = stack.sql("SELECT username, failures FROM bmd_delivered WHERE delivered_at IS NOT NULL "
                        "ORDER BY username")
    assert summary == [["tech1", "0"], ["tech2", "0"]], summary
    first.agent.subscribe(dialog=first.dialog, expires=0)
    second.agent.subscribe(dialog=second.dialog, expires=0)


def a_terminal_that_does_not_answer_leaves_408_and_is_told_again(stack):
    silent = Watcher(stack, "tech1", GROUP)
    silent.agent.notify_status = 0
    hand(stack, "OX-1001 SpO2=71")
    wait_until(lambda: [d for d in deliveries(stack) if d[2] == 408], 12, "an outcome of 408")
    silent.agent.notify_status = 200
    wait_until(lambda: deliveries(stack)[-1][2] == 200, 25, "the repetition")
    hand(stack, "OX-1001 SpO2=98")
    silent.wait(lambda: not silent.open, "its end")
    silent.agent.subscribe(dialog=silent.dialog, expires=0)


def outcomes_wait_for_the_database(stack):
    watcher = Watcher(stack, "tech2", GROUP)
    # those of before are written together, half a second later
    wait_until(lambda: stats(stack)["journal_deliveries"] == 0, 3, "an empty ring")
    before = int(stack.sql("SELECT count(*) FROM bmd_delivery WHERE way = 'subscription'")[0][0])
    pids = [int(row[0]) for row in stack.sql("SELECT pid FROM pg_stat_activity "
                                             "WHERE application_name = 'bmd writer'")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for i in range(10):
            hand(stack, f"OX-1001 SpO2={70 if i % 2 == 0 else 98}")
            # one by one: two changes that come at once are told in one document
            watcher.wait(lambda n=i + 2: len(watcher.documents) == n, f"{i + 2} documents")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    count = "SELECT count(*) FROM bmd_delivery WHERE way = 'subscription'"
    wait_until(lambda: int(stack.sql(count)[0][0]) == before + 10, 5, "ten outcomes more")
    wait_until(lambda: stats(stack)["journal_deliveries"] == 0, 3, "an empty ring")
    assert not stack.sql(TWICE) and stats(stack)["deliveries_dropped"] == 0


def outcomes_are_stored_in_the_order_of_the_answers(stack):
    watcher = Watcher(stack, "tech1", GROUP)
    for i in range(60):
        hand(stack, f"OX-1001 SpO2={70 if i % 2 == 0 else 98}")
        watcher.wait(lambda n=i + 2: len(watcher.documents) == n, "the document")
    wait_until(lambda: stats(stack)["journal_deliveries"] == 0, 3, "an empty ring")
    stored = stack.sql("SELECT extract(epoch FROM answered_at), extract(epoch FROM sent_at) FROM bmd_delivery "
                       f"WHERE terminal = '{watcher.agent.contact}' ORDER BY ctid")  # nothing was ever deleted
    assert len(stored) == 60, len(stored)
    for column in range(2):
        times = [float(row[column]) for row in stored]
        assert times == sorted(times), times
    watcher.agent.subscribe(dialog=watcher.dialog, expires=0)


def over_kill_9_none_is_stored_twice_and_what_is_open_is_told_and_stored_again(stack):
    watcher = Watcher(stack, "tech1", GROUP)
    wait_until(lambda: stack.sql(f"SELECT 1 FROM active_watchers WHERE callid = '{watcher.dialog.call_id}'"), 5,
               "the subscription in the database")
    for i in range(20):
        hand(stack, f"OX-1001 SpO2={70 if i % 2 == 0 else 98}")
    hand(stack, "OX-1001 SpO2=72")
    watcher.wait(lambda: [a for a in watcher.open.values() if a["Value"] == "72"], "the last alert")
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0, 3, "the changes to be stored")
    kill_and_restart(stack, watcher)  # outcomes of the last half second were in memory only
    count = len(watcher.documents)
    watcher.wait(lambda: any(d.state == "full" for d in watcher.documents[count - 1:]), "full state", 10)
    (alert,) = watcher.open.values()
    wait_until(lambda: [d for d in deliveries(stack, f"alert_id = '{alert['id']}'") if d[3] == watcher.agent.contact
                        and d[1:3] == (int(alert["revision"]), 200)], 5, "the outcome of the alert")
    assert not stack.sql(TWICE), "an outcome was stored twice"
    hand(stack, "OX-1001 SpO2=98")
    watcher.wait(lambda: not watcher.open, "its end")
    watcher.agent.subscribe(dialog=watcher.dialog, expires=0)


def outcomes_that_find_no_room_are_counted_and_alerts_go_on(stack):
    stack.sql("INSERT INTO bmd_group (group_name) VALUES ('many'); INSERT INTO bmd_device (serial, type_name) "
              f"SELECT 'MANY-' || n, 'Nonin oximeter' FROM generate_series(1, {MANY}) n; INSERT INTO bmd_group_device "
              f"SELECT 'many', 'MANY-' || n FROM generate_series(1, {MANY}) n; "
              "INSERT INTO bmd_assignment (username, group_name) VALUES ('tech3', 'many')")
    provisioned(stack)
    hand(stack, "\n".join(f"MANY-{n} PulseRate=130" for n in range(1, MANY + 1)))
    watcher = Watcher(stack, "tech3")
    watcher.wait(lambda: len(watcher.open) == MANY, "all alerts")
    wait_until(lambda: stats(stack)["journal_deliveries"] == 0, 3, "an empty ring")
    told = lambda: sum(len(document.alerts) for document in watcher.documents)
    before, first = stats(stack), told()
    dropped = lambda: stats(stack)["deliveries_dropped"] - before["deliveries_dropped"]
    with Frozen(stack):
        while told() - first < RING + 200:
            count = len(watcher.documents)
            watcher.agent.subscribe(dialog=watcher.dialog)
            watcher.wait(lambda: len(watcher.documents) > count and watcher.missing == 0, "the full state")
        wait_until(lambda: dropped() > 0 and stats(stack)["journal_deliveries"] == RING, 3, "a full ring")
        wait_until(lambda: dropped() >= told() - first - RING, 3, "the outcomes without room")
        assert dropped() == told() - first - RING, f"{dropped()} of {told() - first} outcomes without room"
        begun = time.monotonic()
        hand(stack, "OX-1001 SpO2=70\nMANY-1 SpO2=70")
        watcher.wait(lambda: watcher.about("MANY-1", "SpO2"), "a new alert")
        assert time.monotonic() - begun < 0.5, "it was late"
    wait_until(lambda: stats(stack)["journal_deliveries"] == 0, 20, "an empty ring")
    assert stats(stack)["deliveries_stored"] - before["deliveries_stored"] >= RING, stats(stack)["deliveries_stored"]
    found = stack.sql(f"SELECT count(*) FROM bmd_delivery WHERE terminal = '{watcher.agent.contact}'")
    assert found == [[str(first + RING)]], f"{found}, not {first} and {RING}"
    assert not stack.sql(TWICE), "an outcome was stored twice"
    hand(stack, "OX-1001 SpO2=98")
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial LIKE 'MANY-%'")
    watcher.wait(lambda: not watcher.open, "the end of all")
    watcher.agent.subscribe(dialog=watcher.dialog, expires=0)


def outcomes_are_stored_before_an_orderly_stop(stack):
    watcher = Watcher(stack, "tech1", GROUP)
    waiting = ("journal_bytes", "journal_alert_events", "journal_deliveries")
    hand(stack, "OX-1001 SpO2=72")
    watcher.wait(lambda: len(watcher.documents) == 2, "the alert")
    wait_until(lambda: [stats(stack)[name] for name in waiting] == [0, 0, 0], 3, "nothing to wait")
    before = int(stack.sql("SELECT count(*) FROM bmd_delivery WHERE code = 200")[0][0])
    # the change goes into the database, its outcome has to wait
    stack.start("psql", "-X", "-q", stack.info["db"], "-c", "BEGIN; LOCK TABLE bmd_delivery IN EXCLUSIVE MODE; "
                "SELECT pg_sleep(2.5); ROLLBACK", stdout=subprocess.DEVNULL)
    wait_until(lambda: stack.sql("SELECT 1 FROM pg_locks WHERE relation = 'bmd_delivery'::regclass AND granted "
                                 "AND mode = 'ExclusiveLock'"), 3, "the lock")
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial = 'OX-1001'")  # a change without a reading
    watcher.wait(lambda: len(watcher.documents) == 3, "the change")
    # one more when the terminal of the case before, which does not answer any more, is given up
    wait_until(lambda: [min(stats(stack)[name], 1) for name in waiting] == [0, 0, 1], 1,
               "an outcome that waits alone")
    stack.restart()
    after = int(stack.sql("SELECT count(*) FROM bmd_delivery WHERE code = 200")[0][0])
    assert after > before, f"{before} outcomes before and after"
    stack.sql("UPDATE bmd_device SET enabled = true WHERE serial = 'OX-1001'")
    wait_until(lambda: device(stack, "OX-1001")[0]["enabled"] == "1", 3, "the device to be enabled")
    watcher.agent.subscribe(dialog=watcher.dialog, expires=0)


def much_that_waits_goes_into_a_slow_database_a_piece_at_a_time(stack):
    # one that is cancelled when a transaction takes more than it manages in its time
    stack.sql("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
              "IF (SELECT count(*) FROM n) > 1000 THEN RAISE EXCEPTION 'too much' USING ERRCODE = '57014'; END IF; "
              "RETURN NULL; END $$")
    for table in ("bmd_alert_event", "bmd_delivery"):
        stack.sql(f"CREATE TRIGGER slow AFTER INSERT ON {table} REFERENCING NEW TABLE AS n "
                  "FOR EACH STATEMENT EXECUTE FUNCTION slow()")
    before = int(stack.sql("SELECT count(*) FROM bmd_alert_event")[0][0])
    commits = stats(stack)["writer_commits"]
    pid = int(stack.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'bmd writer'")[0][0])
    os.kill(pid, signal.SIGSTOP)
    try:
        base = int(time.time() * 1e6)
        hand(stack, "".join(f"OX-1001 {base + i} SpO2={70 if i % 2 == 0 else 98}\n" for i in range(5000)))
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: int(stack.sql("SELECT count(*) FROM bmd_alert_event")[0][0]) == before + 5000, 30,
               "5,000 changes")
    wait_until(lambda: stats(stack)["journal_bytes"] == 0, 5, "their readings")
    assert stats(stack)["writer_commits"] >= commits + 5
    stack.sql("DROP FUNCTION slow() CASCADE")


def alerts_that_begin_at_the_same_moment_are_two(stack):
    before = len(history(stack, "OX-1001"))
    moment = int(time.time() * 1e6)
    hand(stack, "".join(f"OX-1001 {moment} SpO2={value}\n" for value in (80, 97, 80)))
    wait_until(lambda: len(history(stack, "OX-1001")) == before + 2, 3, "two alerts")
    assert sorted(map(len, history(stack, "OX-1001")[-2:])) == [1, 2]
    assert len(alerts(stack, "OX-1001")) == 1
    hand(stack, "OX-1001 SpO2=98")


def what_is_old_goes_when_the_setting_says_so(stack):
    stack.sql("INSERT INTO bmd_delivery SELECT gen_random_uuid(), 1, 'tech1', 'subscription', '', "
              "now() - interval '10 days', now() - interval '10 days', 200 FROM generate_series(1, 25000)")
    stack.sql("UPDATE bmd_setting SET value = 7 WHERE name = 'keep_deliveries_days'")
    kept = "SELECT count(*) FILTER (WHERE sent_at < now() - interval '7 days'), count(*) > 0 FROM bmd_delivery"
    stack.restart()  # the keeper looks at once, then every minute
    wait_until(lambda: stack.sql(kept) == [["0", "t"]], 10, "the old ones to go")


run("deliveries", [no_device_falls_silent_meanwhile, every_condition_that_comes_back_is_a_new_alert, each_state_told_to_each_terminal_is_stored_once,
                   a_terminal_that_does_not_answer_leaves_408_and_is_told_again,
                   outcomes_wait_for_the_database, outcomes_are_stored_in_the_order_of_the_answers,
                   over_kill_9_none_is_stored_twice_and_what_is_open_is_told_and_stored_again,
                   outcomes_that_find_no_room_are_counted_and_alerts_go_on, outcomes_are_stored_before_an_orderly_stop,
                   much_that_waits_goes_into_a_slow_database_a_piece_at_a_time,
                   alerts_that_begin_at_the_same_moment_are_two,
                   what_is_old_goes_when_the_setting_says_so], errors_expected=True)
