"""Subscriptions on raw sockets; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, hand, no_device_falls_silent_meanwhile
from sip import Dialog
from stack import run, wait_until

HEADERS = "Event: bmd-alert\nAccept: application/dmp\n"
FEED_REQUESTS = 6  # new subscriptions to one feed in 10 s
PER_DOCUMENT = 48  # alerts_per_document of modules/bmd/documents.hpp
ODD = """Zoë <"O'Neil"> & 夜 ]]> %s &amp;"""


def full_then_partial_on_personal_device_and_group_feed(stack):
    watchers = [Watcher(stack, "tech1"), Watcher(stack, "tech1", "dev.OX-1001"),
                Watcher(stack, "tech1", "grp.oximetry"), Watcher(stack, "tech2")]
    for watcher in watchers:
        assert watcher.open == {}, "there was an alert at the start"
    hand(stack, "OX-1001 SpO2=84")
    for watcher in watchers:
        watcher.wait(lambda w=watcher: len(w.documents) == 2, "the alert")
        document = watcher.documents[1]
        assert document.state == "partial" and len(document.alerts) == 1
        assert document.version == watcher.documents[0].version + 1
    hand(stack, "OX-1001 PulseRate=130")
    hand(stack, "OX-1001 SpO2=97 PulseRate=80")
    for watcher in watchers:
        watcher.wait(lambda w=watcher: not w.open, "the end of both alerts")
        feeds = {document.feed for document in watcher.documents}
        assert len(feeds) == 1 and feeds.pop() == watcher.dialog.to, "the document names another feed"
        watcher.quiet(0.1)


def an_alert_carries_every_field(stack):
    quoted = ODD.replace("'", "''")
    patient = stack.sql(f"INSERT INTO bmd_patient (name, address) VALUES ('{quoted}', '12 {quoted}') "
                        "RETURNING patient_id")[0][0]
    add_device(stack, "FIELDS", location=quoted[:30].replace("''", "'").replace("'", "''"),
               patient=patient, assign="tech1")
    watcher = Watcher(stack, "tech1", "dev.FIELDS")
    before = time.time()
    hand(stack, f"FIELDS {int((before - 5) * 1e6)} SpO2=71.5")
    alert = watcher.wait(lambda: watcher.about("FIELDS"), "the alert")[0]
    known = alerts(stack, "FIELDS")[0]
    wanted = {"id": known["id"], "serial": "FIELDS", "type": "Nonin oximeter", "Variable": "SpO2",
              "Value": "71.5", "limit": "90", "unit": "%", "Event": "low", "priority": "high",
              "kind": "physiological", "state": "active", "revision": "1", "patient": ODD,
              "address": "12 " + ODD,
              "location": stack.sql("SELECT location FROM bmd_device WHERE serial = 'FIELDS'")[0][0]}
    for name, value in wanted.items():
        assert alert.get(name) == value, f"{name} is '{alert.get(name)}', not '{value}'"
    utc = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
    for name in ("measured", "arrived", "onset", "raised", "changed"):
        assert utc.match(alert.get(name, "")), f"{name} is '{alert.get(name)}'"
    assert alert["measured"] == alert["onset"] < alert["arrived"] <= alert["raised"], alert
    hand(stack, "FIELDS SpO2=98")
    watcher.wait(lambda: not watcher.open, "its end")
    over = watcher.documents[-1].alerts[0]
    assert over["state"] == "cleared" and utc.match(over["cleared"]) and over["revision"] == "2", over
    assert over["patient"] == ODD, "the end does not say whose alert it was"


def every_way_to_accept_our_type(stack):
    for accept in ("", "Accept: */*\n", "Accept: application/*\n", "Accept: APPLICATION/DMP\n",
                   "Accept: text/plain, application/dmp;q=0.5\n", "Accept: text/plain\nAccept: application/dmp\n",
                   "Accept: text/plain,\n application/dmp\n"):
        watcher = Watcher(stack, "tech1", headers="Event: bmd-alert\n" + accept)
        watcher.agent.subscribe(dialog=watcher.dialog, expires=0)
    for accept in ("Accept: text/plain\n", "Accept: application/dmpx\n", "Accept:\n"):
        agent = stack.agent("tech1")
        dialog, reply = agent.subscribe(headers="Event: bmd-alert\n" + accept)
        assert reply.status == 406, f"{accept.strip()}: {reply.first}"
        agent.no_notify(dialog, 0.05)


def a_type_with_q_0_is_not_accepted(stack):
    # RFC 3261, 20.1 and RFC 2616, 14.1: 0 means not acceptable
    reply = stack.agent("tech1").subscribe(headers="Event: bmd-alert\nAccept: application/dmp;q=0\n")[1]
    assert reply.status == 406, reply.first


def expiry_is_3600_when_absent_and_at_most(stack):
    for asked, given in ((None, 3600), (3600, 3600), (999999, 3600), (4294967295, 3600), (60, 60), (61, 61)):
        watcher = Watcher(stack, "tech1", expires=asked)
        assert watcher.reply.get("expires") == str(given), f"{asked}: {watcher.reply.get('expires')}"
        left = int(re.search(r"expires=(\d+)", watcher.state).group(1))
        assert given - 2 <= left <= given, f"asked {asked}: Subscription-State says {left}"
    for asked in (1, 59):
        reply = stack.agent("tech1").subscribe(expires=asked)[1]
        assert reply.status == 423 and reply.get("min-expires") == "60", f"{asked}: {reply.first}"
    for asked in ("abc", "-1", "1e3", "", "99999999999999999999"):
        reply = stack.agent("tech1").subscribe(expires=asked)[1]
        ok = reply.status == 400 or (asked.isdigit() and reply.status == 200
                                     and reply.get("expires") == "3600")
        assert ok, f"Expires: {asked}: {reply.first}"


def a_fetch_is_answered_once(stack):
    hand(stack, "OX-1001 SpO2=84")
    watcher = Watcher(stack, "tech1", expires=0)
    assert "terminated" in watcher.state, watcher.state
    assert watcher.about("OX-1001", "SpO2"), "the fetch does not show the open alert"
    hand(stack, "OX-1001 SpO2=98")
    watcher.quiet(0.2)


def two_subscriptions_of_one_person_are_apart(stack):
    one, two = Watcher(stack, "tech1"), Watcher(stack, "tech1")
    hand(stack, "OX-1001 SpO2=84")
    for watcher in (one, two):
        watcher.wait(lambda w=watcher: w.about("OX-1001"), "the alert")
    one.agent.subscribe(dialog=one.dialog, expires=0)
    one.wait(lambda: "terminated" in one.state, "the final NOTIFY")
    hand(stack, "OX-1001 SpO2=98")
    two.wait(lambda: not two.open, "the end of the alert")
    one.quiet(0.1)


def spelling_of_the_event_header(stack):
    for header in ("EVENT: bmd-alert", "o: bmd-alert", "Event:bmd-alert", "Event:   bmd-alert  ",
                   "Event:\n bmd-alert"):
        Watcher(stack, "tech1", headers=header + "\nAccept: application/dmp\n", expires=0)
    for wrong in ("bmd-alerts", "bmd", "bmd-alert.winfo.winfo", "presence", "bmd-alert,presence"):
        agent = stack.agent("tech1")
        dialog, reply = agent.subscribe(headers=f"Event: {wrong}\nAccept: application/dmp\n")
        assert reply.status in (400, 489), f"Event: {wrong}: {reply.first}"
        if reply.status == 489:
            assert "bmd-alert" in reply.get("allow-events"), f"{wrong}: no Allow-Events"
        agent.no_notify(dialog, 0.02)
    reply = stack.agent("tech1").subscribe(headers="Accept: application/dmp\n")[1]
    assert reply.status in (400, 489), f"no Event header: {reply.first}"


def the_name_of_the_event_is_compared_byte_by_byte(stack):
    # RFC 6665, 8.2.1: so refuse another spelling, or answer with the same bytes
    agent = stack.agent("tech1")
    dialog, reply = agent.subscribe(headers="Event: BMD-Alert\nAccept: application/dmp\n")
    if reply.status != 489:
        assert agent.notify(dialog).get("event").startswith("BMD-Alert"), "another name in the NOTIFY"


def to_must_be_the_request_uri(stack):
    agent = stack.agent("tech3")
    domain = stack.info["domain"]
    for uri, to in ((f"sip:tech3@{domain}", f"sip:dev.OX-1001@{domain}"),
                    (f"sip:dev.OX-1001@{domain}", f"sip:tech3@{domain}"),
                    (f"sip:{domain}", f"sip:tech3@{domain}")):
        dialog = Dialog(to)
        reply = agent.transact("SUBSCRIBE", uri, dialog, HEADERS + "Expires: 3600\n")
        assert reply.status in (400, 403, 404), f"{uri} and To {to}: {reply.first}"
        agent.no_notify(dialog, 0.05)


def from_of_another_person_is_refused(stack):
    agent = stack.agent("tech3")
    dialog, reply = agent.subscribe(f"sip:tech1@{stack.info['domain']}", from_user="tech1")
    assert reply.status == 403, reply.first
    agent.no_notify(dialog, 0.05)


def enter_dialog(stack, feed):
    """tech2 sends in the dialog of tech1, whose tags and Call-ID are no secret."""
    victim = Watcher(stack, "tech1", feed)
    for expires in (3600, 0):
        intruder = stack.agent("tech2")
        stolen = Dialog(victim.dialog.to)
        for name in ("call_id", "local_tag", "remote_tag", "target"):
            setattr(stolen, name, getattr(victim.dialog, name))
        stolen._cseq = victim.dialog._cseq + 10
        reply = intruder.subscribe(dialog=stolen, expires=expires)[1]
        assert reply.status in (403, 481), f"{feed}, Expires {expires}: {reply.first}"
        intruder.no_notify(stolen, 0.1)
    victim.quiet(0.1)
    assert "terminated" not in victim.state, "the subscription was ended by a stranger"
    reply = victim.agent.subscribe(dialog=victim.dialog)[1]
    assert reply.status == 200, f"the owner's refresh afterwards: {reply.first}"


def nobody_enters_the_dialog_of_another(stack):
    enter_dialog(stack, "tech1")


def nobody_enters_the_dialog_of_another_on_a_feed_of_both(stack):
    enter_dialog(stack, "grp.oximetry")


def an_older_cseq_in_the_dialog_is_refused(stack):
    watcher = Watcher(stack, "tech1")
    watcher.dialog._cseq = 0  # RFC 3261, 12.2.2: a lower number than the last is out of order
    reply = watcher.agent.subscribe(dialog=watcher.dialog, expires=0)[1]
    assert reply.status in (400, 500), reply.first
    watcher.quiet(0.1)


def more_new_subscriptions_to_a_feed_than_its_share_are_told_503_and_refreshes_go_on(stack):
    agent = stack.agent("tech1", host="127.0.0.21")
    dialogs, reply = [], None
    while len(dialogs) <= 2 * FEED_REQUESTS:  # the time slot may end meanwhile
        dialog, reply = agent.subscribe()
        if reply.status != 200:
            break
        dialogs.append(dialog)
    assert reply.status == 503 and reply.get("retry-after"), reply.first
    assert len(dialogs) >= FEED_REQUESTS, len(dialogs)
    other, reply = agent.subscribe(f"sip:dev.OX-1001@{stack.info['domain']}")
    assert reply.status == 200, f"another feed: {reply.first}"
    for dialog in [other, *dialogs] * 3:
        reply = agent.subscribe(dialog=dialog)[1]
        assert reply.status == 200, f"a refresh: {reply.first}"
    for dialog in (other, *dialogs):
        assert agent.subscribe(dialog=dialog, expires=0)[1].status == 200


def a_technician_without_assignments_gets_an_empty_full_document(stack):
    hand(stack, "OX-1001 SpO2=84")
    watcher = Watcher(stack, "tech3")
    assert watcher.open == {} and watcher.missing == 0
    hand(stack, "OX-1001 SpO2=98")
    watcher.quiet(0.2)


def a_terminal_that_knows_no_such_dialog_loses_the_subscription(stack):
    watcher, other = Watcher(stack, "tech1"), Watcher(stack, "tech1")
    watcher.agent.notify_status = 481
    kept = f"SELECT count(*) FROM active_watchers WHERE callid = '{watcher.dialog.call_id}'"
    wait_until(lambda: stack.sql(kept) == [["1"]], 3, "its row")
    hand(stack, "OX-1001 SpO2=84")
    watcher.wait(lambda: watcher.open, "the alert")
    other.wait(lambda: other.open, "the alert")
    wait_until(lambda: stack.sql(kept) == [["0"]], 3, "the end of the subscription by the 481")
    hand(stack, "OX-1001 SpO2=98")
    other.wait(lambda: not other.open, "its end")
    watcher.quiet(0.1)
    watcher.agent.notify_status = 200
    reply = watcher.agent.subscribe(dialog=watcher.dialog)[1]
    assert reply.status == 481, f"a refresh after it: {reply.first}"


def changes_of_one_alert_never_go_backwards(stack):
    # the priorities have queues of their own: an alert that changes its priority must not overtake itself
    add_device(stack, "PRIO", assign="tech1")
    watchers = [Watcher(stack, "tech1"), Watcher(stack, "tech1", "dev.PRIO")]
    names = [r[0] for r in stack.sql("SELECT name FROM bmd_metric WHERE is_alarm AND name <> 'NoData' LIMIT 20")]
    for _ in range(15):
        hand(stack, "PRIO " + " ".join(f"!{n}=medium" for n in names) + "\nPRIO "
             + " ".join(f"!{n}=high" for n in names))
        hand(stack, "PRIO " + " ".join(f"!{n}=low" for n in names) + "\nPRIO "
             + " ".join(f"!{n}=high" for n in names) + "\nPRIO " + " ".join(f"!{n}=off" for n in names))
    for watcher in watchers:
        watcher.agrees_with(stack, ["PRIO"])


def alarm_names(stack):
    return [r[0] for r in stack.sql("SELECT name FROM bmd_metric WHERE is_alarm AND name <> 'NoData' "
                                    "ORDER BY metric_id LIMIT 60")]


def check_pages(documents, total):
    """In each run of pages: `more` is what is still missing, the last has none."""
    shown = 0
    for document in documents:
        shown = len(document.alerts) + (0 if document.state == "full" else shown)
        assert len(document.alerts) <= PER_DOCUMENT, len(document.alerts)
        assert document.more == total - shown, (
            f"version {document.version}, {document.state}: more={document.more}, {shown} of {total} shown")


def more_open_alerts_than_one_document_holds(stack):
    names = alarm_names(stack)
    serials = ["MANY-1", "MANY-2", "MANY-3"]
    total = len(names) * len(serials)
    for serial in serials:
        add_device(stack, serial, assign="tech3")
        hand(stack, serial + " " + " ".join(f"!{n}=on" for n in names))
    watcher = Watcher(stack, "tech3")
    assert len(watcher.documents[0].alerts) == PER_DOCUMENT
    watcher.wait(lambda: len(watcher.open) == total, f"all {total} alerts")
    watcher.wait(lambda: watcher.missing == 0, "a last page")
    check_pages(watcher.documents, total)
    second = Watcher(stack, "tech3")
    second.wait(lambda: len(second.open) == total and second.missing == 0, f"all {total} alerts again")
    for serial in serials:
        hand(stack, serial + " " + " ".join(f"!{n}=off" for n in names))
    for one in (watcher, second):
        one.wait(lambda w=one: not w.open, f"the end of all {total}")


def a_fetch_of_more_alerts_than_one_document_holds(stack):
    # a fetch has one NOTIFY: what does not fit must at least be said
    names = alarm_names(stack)
    hand(stack, "MANY-1 " + " ".join(f"!{n}=on" for n in names))
    watcher = Watcher(stack, "tech3", expires=0)
    assert len(watcher.open) + watcher.missing == len(names), (len(watcher.open), watcher.missing)
    hand(stack, "MANY-1 " + " ".join(f"!{n}=off" for n in names))


def the_longest_texts_that_sql_takes_reach_the_terminal(stack):
    # "&" takes five bytes in XML: 48 such alerts are more than a datagram or a buffer of 64 KiB holds
    patient = stack.sql("INSERT INTO bmd_patient (name, address) VALUES (repeat('&', 95), repeat('<', 191)) "
                        "RETURNING patient_id")[0][0]
    add_device(stack, "LONG", location="&" * 95, patient=patient, assign="tech3")
    early = Watcher(stack, "tech3", "dev.LONG")
    names = alarm_names(stack)
    hand(stack, "LONG " + " ".join(f"!{n}=on" for n in names))
    late = Watcher(stack, "tech3", "dev.LONG")
    for watcher in (early, late):
        watcher.wait(lambda w=watcher: len(w.open) == len(names), f"all {len(names)} alerts", 3)
        assert all(a["patient"] == "&" * 95 and a["address"] == "<" * 191 for a in watcher.open.values())


def the_log_blames_only_what_was_sent_wrong(stack):
    # an empty Expires header, an old CSeq and a SUBSCRIBE without Event were sent on purpose
    expected = ("parse_expires", "expires_parser", "wrong sequence number", "Missing event header")
    errors = [line for line in stack.log().splitlines() if " ERROR: " in line or " CRITICAL: " in line]
    others = [line for line in errors if not any(word in line for word in expected)]
    assert not others, f"{len(others)} errors, the first: {others[0]}"


def the_server_ends_what_is_not_refreshed(stack):
    # 60 s are the least: so the time is shortened where the server keeps it, while it does not run
    watcher = Watcher(stack, "tech1", expires=60)
    wait_until(lambda: stack.sql("SELECT 1 FROM active_watchers WHERE callid = "
                                 f"'{watcher.dialog.call_id}'"), 5, "the stored subscription")
    stack.kill9()
    # what expires before the server is up again is not loaded: so leave it time for that
    stack.sql(f"UPDATE active_watchers SET expires = extract(epoch FROM now())::int + 12 "
              f"WHERE callid = '{watcher.dialog.call_id}'")
    stack.restart()
    watcher.version = None  # the numbers jump after kill -9
    watcher.wait(lambda: "terminated" in watcher.state, "the final NOTIFY", 20)
    assert re.search(r"reason=timeout", watcher.state), watcher.state
    reply = watcher.agent.subscribe(dialog=watcher.dialog)[1]
    assert reply.status == 481, f"a refresh after it: {reply.first}"


run("subscription-lifecycle", [
    no_device_falls_silent_meanwhile, full_then_partial_on_personal_device_and_group_feed, an_alert_carries_every_field,
    every_way_to_accept_our_type, a_type_with_q_0_is_not_accepted,
    expiry_is_3600_when_absent_and_at_most, a_fetch_is_answered_once,
    two_subscriptions_of_one_person_are_apart,
    spelling_of_the_event_header, the_name_of_the_event_is_compared_byte_by_byte, to_must_be_the_request_uri, from_of_another_person_is_refused,
    nobody_enters_the_dialog_of_another, nobody_enters_the_dialog_of_another_on_a_feed_of_both,
    an_older_cseq_in_the_dialog_is_refused, more_new_subscriptions_to_a_feed_than_its_share_are_told_503_and_refreshes_go_on,
    a_technician_without_assignments_gets_an_empty_full_document,
    a_terminal_that_knows_no_such_dialog_loses_the_subscription,
    changes_of_one_alert_never_go_backwards, more_open_alerts_than_one_document_holds,
    a_fetch_of_more_alerts_than_one_document_holds,
    the_log_blames_only_what_was_sent_wrong, the_longest_texts_that_sql_takes_reach_the_terminal,
    the_server_ends_what_is_not_refreshed], "--set", f"FEED_REQUESTS={FEED_REQUESTS}", errors_expected=True)
