"""Kills PostgreSQL, and Kamailio meanwhile; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from answering import Answerer
from postgres import cluster
from scene import (Watcher, add_device, alerts, batch, every_condition_that_comes_back_is_a_new_alert, fault, hand,
                   history, now_us, records, stats, stored)
from stack import RpcFault, run, wait_until


def devices_and_watchers(stack):
    add_device(stack, "DB-1", assign="tech3")
    add_device(stack, "DB-2", assign="tech3", PulseRate={"high": 150, "latching": True})
    stack.watchers = [Watcher(stack, "tech3"), Watcher(stack, "tech3", "dev.DB-1")]
    stack.base = now_us(-600)
    stack.seq = 0
    send(stack, "SpO2=97")
    batch(stack, "home", 1, stack.seq, "")  # again, a duplicate
    wait_until(lambda: batch(stack, "home", 1, stack.seq, "")["durable"] == str(stack.seq), 3, "durable")


def send(stack, items, serial="DB-1"):
    """The next batch of the collector; every batch has a moment of its own."""
    stack.seq += 1
    text = f"{serial} {stack.base + stack.seq * 1_000_000} {items}"
    answer = batch(stack, "home", 1, stack.seq, text)
    stack.sent = getattr(stack, "sent", {})
    stack.sent[stack.seq] = text
    return answer


def alerts_reach_watchers_while_it_is_down(stack):
    cluster(stack, "kill")
    slowest = 0.0
    for n in range(5):
        begun = time.monotonic()
        answer = send(stack, f"SpO2={80 + n}")
        assert answer["accepted"] == 1 and answer["durable"] == "1", answer
        for watcher in stack.watchers:
            watcher.wait(lambda w=watcher: w.about("DB-1"), "the alert", 2)
        slowest = max(slowest, time.monotonic() - begun)
        send(stack, "SpO2=97")
        for watcher in stack.watchers:
            watcher.wait(lambda w=watcher: not w.open, "its end", 2)
    send(stack, "SpO2=70")
    for watcher in stack.watchers:
        watcher.wait(lambda w=watcher: w.about("DB-1"), "the alert", 2)
    print(f"# database-down: the slowest of 5 alerts took {slowest * 1000:.0f} ms to both terminals")
    wait_until(lambda: stack.stat("database_up") == 0, 5, "the statistic database_up = 0")


def a_subscription_goes_on_and_strangers_stay_out(stack):
    reply = stack.agent("tech1", "not the password").subscribe()[1]
    assert reply.status == 401, f"somebody was let in with a wrong password: {reply.first}"
    reply = stack.agent("tech1").subscribe()[1]
    assert reply.status == 200, f"a log-on while it is down: {reply.first}"
    send(stack, "PulseRate=190")
    for watcher in stack.watchers:
        watcher.wait(lambda w=watcher: w.about("DB-1", "PulseRate"), "the next alert", 2)


def an_answer_meanwhile_says_that_it_is_not_stored_yet(stack):
    phone = Answerer(stack, "tech3")
    code = next(a["code"] for a in alerts(stack, "DB-1") if a["metric"] == "PulseRate")
    result = phone.control("DB-1", "accept", code)
    assert result.code == 202 and result.reason == "the database is away: this is not stored yet", result
    said = phone.text(f"ok {code}")
    assert f"{code} accepted by you" in said and "the database is away: this is not stored yet" in said, said
    shown = records(stack.kamcmd("bmd.accept", code, "tech3"))[0]
    assert shown == {"durable": "no", "note": "the database is away: this is not stored yet"}, shown


def an_answer_that_comes_again_meanwhile_reaches_no_other_alert(stack):
    send(stack, "PulseRate=190", "DB-2")
    send(stack, "PulseRate=70", "DB-2")
    wait_until(lambda: [a["state"] for a in alerts(stack, "DB-2")] == ["latched"], 2, "the alert")
    phone = Answerer(stack, "tech3")
    code = alerts(stack, "DB-2")[0]["code"]
    result = phone.control("DB-2", "resolve", code, "actionable")
    assert result.code == 202, result
    wait_until(lambda: not alerts(stack, "DB-2"), 2, "the end of the alert")
    result = phone.control("DB-2", "resolve", code, "actionable")
    assert result.code == 200, f"the same answer again: {result}"


def readings_are_kept(stack):
    kept = stats(stack)
    assert kept["journal_bytes"] > 0 and kept["journal_alert_events"] > 0, kept
    assert kept["readings_accepted"] - kept["readings_stored"] == stack.seq - 1, kept


def everything_is_stored_once_after_it_is_back(stack):
    begun = time.monotonic()
    cluster(stack, "start")
    wait_until(lambda: batch(stack, "home", 1, stack.seq, "")["durable"] == str(stack.seq), 15, "durable")
    print(f"# database-down: all is stored {time.monotonic() - begun:.1f} s after the start of PostgreSQL")
    times = stack.sql("SELECT count(*), count(DISTINCT measured_at) FROM bmd_readings WHERE serial IN ('DB-1', 'DB-2')")
    assert times == [[str(stack.seq), str(stack.seq)]], f"{times}, not {stack.seq}"
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0, 5, "the alerts")
    found = history(stack, "DB-1")
    assert found == [["raised", "cleared"]] * 5 + [["raised"], ["raised", "accepted"]], found
    assert stack.stat("database_up") == 1


def provisioning_is_followed_again(stack):
    begun = time.monotonic()
    add_device(stack, "DB-3")
    wait = time.monotonic() - begun
    assert wait < 3, f"{wait:.1f} s"
    reply = stack.agent("tech1").subscribe()[1]
    assert reply.status == 200, f"a log-on after it: {reply.first}"


def a_full_journal_says_busy_and_keep(stack):
    cluster(stack, "kill")
    wait_until(lambda: send(stack, "SpO2=71", "DB-2") and stack.stat("database_up") == 0, 5, "database down")
    accepted, moment = 0, stack.base
    for _ in range(100):
        lines = "\n".join(f"DB-3 {moment + n} SpO2=97" for n in range(20_000))
        moment += 20_000
        try:
            accepted += hand(stack, lines)["accepted"]
        except RpcFault as busy:
            assert busy.code == 503 and "keep" in busy.message, busy
            break
    else:
        raise AssertionError(f"{accepted} readings and never busy, with a journal of 1 MB")
    stack.full = accepted
    assert stats(stack)["batches_busy"] >= 1


def an_alert_still_goes_out_when_the_journal_is_full(stack):
    # ends what may be open, then a new one: the collector is told to keep the batch; the technician must not wait for the database
    watcher = stack.watchers[0]
    refused = fault(batch, stack, "ward", 1, 1, "\n".join(
        [f"DB-2 {now_us()} SpO2=97\nDB-2 {now_us() + 1} SpO2=55"] + [f"DB-3 {now_us()} SpO2=97"] * 8000))
    assert refused.code == 503, refused
    watcher.wait(lambda: any(a["Value"] == "55" for a in watcher.about("DB-2")), "the alert", 2)


def after_a_full_journal_everything_accepted_is_stored(stack):
    cluster(stack, "start")
    accepted = stack.full
    count = "SELECT count(*), count(DISTINCT measured_at) FROM bmd_readings WHERE serial = 'DB-3'"
    wait_until(lambda: stats(stack)["journal_bytes"] == 0, 20, "an empty journal")
    assert stack.sql(count) == [[str(accepted)] * 2], f"{stack.sql(count)}, not {accepted}"


def kill_9_of_kamailio_while_it_is_down(stack):
    wait_until(lambda: batch(stack, "home", 1, stack.seq, "")["durable"] == str(stack.seq), 15, "durable")
    stack.durable = stack.seq
    stack.rows = len(stored(stack, "DB-1"))
    cluster(stack, "kill")
    send(stack, "SpO2=97 PulseRate=80")  # ends what is open, in memory only
    send(stack, "SpO2=66")
    send(stack, "SpO2=97")
    answer = send(stack, "SpO2=65")
    assert answer["durable"] == str(stack.durable), f"durable while the database is down: {answer}"
    stack.ids = {(a["serial"], a["metric"], a["value"]): a["id"] for a in alerts(stack, "DB-1")}
    for watcher in stack.watchers:
        watcher.wait(lambda w=watcher: any(a["Value"] == "65" for a in w.open.values()), "the alert", 2)
    stack.kill9()
    stack.restart()  # bmd-stack starts PostgreSQL first
    assert stats(stack)["readings_accepted"] == 0


def what_was_not_durable_is_gone_until_it_is_sent_again(stack):
    assert len(stored(stack, "DB-1")) == stack.rows, "more was stored than said to be durable"
    answer = batch(stack, "home", 1, stack.durable, "")
    assert answer["duplicate"] == 1 and answer["durable"] == str(stack.durable), answer
    for seq in range(stack.durable + 1, stack.seq + 1):
        answer = batch(stack, "home", 1, seq, stack.sent[seq])
        assert answer["duplicate"] == 0 and answer["refused_count"] == 0, f"{seq}: {answer}"
    wait_until(lambda: batch(stack, "home", 1, stack.seq, "")["durable"] == str(stack.seq), 5, "durable")
    assert len(stored(stack, "DB-1")) == stack.rows + 5, "5 readings were sent again"


def the_alerts_come_back_with_the_same_ids(stack):
    now = {(a["serial"], a["metric"], a["value"]): a["id"] for a in alerts(stack, "DB-1")}
    assert now == stack.ids, f"{now}, before it {stack.ids}"
    open_ids = sorted(row[0] for row in stack.sql(
        "SELECT alert_id FROM bmd_alert WHERE serial = 'DB-1' AND state <> 'cleared'"))
    assert open_ids == sorted(now.values())


def the_old_subscriptions_agree_with_the_book(stack):
    for watcher, serials in zip(stack.watchers, (["DB-1", "DB-2"], ["DB-1"])):
        watcher.version = None  # numbers jump over what may have been sent
        watcher.revisions = {}
        watcher.agrees_with(stack, serials)
    assert fault(hand, stack, "DB-1 SpO2=abc").code == 400


run("database-down", [every_condition_that_comes_back_is_a_new_alert, 
    devices_and_watchers, alerts_reach_watchers_while_it_is_down,
    a_subscription_goes_on_and_strangers_stay_out, an_answer_meanwhile_says_that_it_is_not_stored_yet,
    an_answer_that_comes_again_meanwhile_reaches_no_other_alert, readings_are_kept,
    everything_is_stored_once_after_it_is_back, provisioning_is_followed_again,
    a_full_journal_says_busy_and_keep, an_alert_still_goes_out_when_the_journal_is_full,
    after_a_full_journal_everything_accepted_is_stored, kill_9_of_kamailio_while_it_is_down,
    what_was_not_durable_is_gone_until_it_is_sent_again, the_alerts_come_back_with_the_same_ids,
    the_old_subscriptions_agree_with_the_book], "--set", "JOURNAL_MB=1", errors_expected=True)
