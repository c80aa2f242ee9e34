"""Who may see what; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import sys
import time
from xml.etree import ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import BMD, TEXT, Answerer, action, query
from scene import Watcher, add_device, hand, kill_and_restart, provisioned, raise_on, records
from stack import run, wait_until

AT_ONCE = 1.0  # s from the COMMIT to the last byte
NAME, ADDRESS, PLACE = "Dora Example", "9 Hidden Lane", "attic"


def rule(stack, watcher, resource, decision, **more):
    """Inserts a rule: "username tech3", "serial P-1".  Its number."""
    columns = {"decision": decision, **more}
    for words in (watcher, resource):
        name, _, value = words.partition(" ")
        columns[name] = value or "true"
    names = ", ".join(columns)
    values = ", ".join(f"'{value}'" for value in columns.values())
    return stack.sql(f"INSERT INTO bmd_policy_rule ({names}) VALUES ({values}) RETURNING rule_id")[0][0]


def no_rules(stack):
    stack.sql("TRUNCATE bmd_policy_rule; TRUNCATE bmd_policy_answer")
    provisioned(stack)


def state_of(watcher):
    watcher.pump()
    return watcher.state


def ends(watcher, reason, since):
    watcher.wait(lambda: watcher.state.startswith("terminated"), "the end", 3)
    assert watcher.state == f"terminated;reason={reason}", watcher.state
    assert time.time() - since < AT_ONCE, f"it took {time.time() - since:.2f} s"


def committed(stack, feed):
    """When the answer about this feed, which the writer stores with its next batch, was in the database at the latest."""
    wait_until(lambda: stack.sql(f"SELECT 1 FROM bmd_policy_answer WHERE feed = '{feed}'"), 5, f"the answer about {feed}")
    return time.time()


def answer_to(stack, user, feed, **options):
    """(status line, headers without what is always another one) of a SUBSCRIBE."""
    agent = stack.agent(user)
    _, reply = agent.subscribe(f"sip:{feed}@{stack.info['domain']}", **options)
    changing = ("via", "from", "to", "call-id", "cseq", "www-authenticate", "authentication-info", "contact")
    return reply.first, {k: v for k, v in reply.headers.items() if k not in changing}


def the_scene_is_set(stack):
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min'")
    stack.patient = stack.sql(f"INSERT INTO bmd_patient (name, address) VALUES ('{NAME}', '{ADDRESS}') RETURNING patient_id")[0][0]
    add_device(stack, "P-1", location=PLACE, patient=stack.patient, assign="tech1")
    add_device(stack, "P-2", location=PLACE, assign="tech1")
    stack.one = Watcher(stack, "tech1")


def without_a_rule_nothing_is_allowed_and_what_exists_is_not_told(stack):
    answers = [answer_to(stack, "tech3", feed) for feed in ("dev.P-1", "dev.NOSUCH", "tech1", "nobody", "grp.oximetry", "grp.x")]
    assert answers[0][0] == "SIP/2.0 403 Not Your Feed" and all(a == answers[0] for a in answers), answers
    number = rule(stack, "username tech3", "serial P-1", "block")
    provisioned(stack)
    assert answer_to(stack, "tech3", "dev.P-1") == answers[0], "a rule that blocks shows that there is something"
    stack.sql(f"DELETE FROM bmd_policy_rule WHERE rule_id = {number}")


def a_rule_lets_somebody_in_and_leaves_out_who_the_patient_is(stack):
    rule(stack, "username tech3", "serial P-1", "allow", shown="no-identity")
    provisioned(stack)
    stack.three = Watcher(stack, "tech3", "dev.P-1")
    raise_on(stack, "P-1")
    alert = stack.three.wait(lambda: stack.three.about("P-1"), "the alert")[0]
    assert "patient" not in alert and "address" not in alert and alert["location"] == PLACE, alert
    own = stack.one.wait(lambda: stack.one.about("P-1"), "the alert at the responsible")[0]
    assert (own["patient"], own["address"], own["location"]) == (NAME, ADDRESS, PLACE), own


def a_rule_changed_by_sql_is_seen_on_the_running_subscription_within_a_second(stack):
    watcher = stack.three
    slowest = 0
    for shown, there in (("no-location", {"patient"}), ("neither", set()), ("full", {"patient", "address", "location"}),
                         ("no-identity", {"location"})):
        before, begun = len(watcher.documents), time.time()
        stack.sql(f"UPDATE bmd_policy_rule SET shown = '{shown}'")
        watcher.wait(lambda b=before: len(watcher.documents) > b, f"{shown} shown")
        slowest = max(slowest, time.time() - begun)
        alert = watcher.about("P-1")[0]
        assert {"patient", "address", "location"} & set(alert) == there, (shown, alert)
        raw = watcher.documents[-1].raw
        for text, words in (("patient", NAME), ("address", ADDRESS), ("location", PLACE)):
            assert (words.encode() in raw) == (text in there), (shown, words)
    assert slowest < AT_ONCE, f"it took {slowest:.2f} s"
    print(f"# policies: a changed rule was seen after {slowest * 1000:.0f} ms at the latest")
    assert stack.one.quiet(0.2) is None


def who_may_only_count_is_told_how_many_and_nothing_else(stack):
    watcher = stack.three
    stack.sql("UPDATE bmd_policy_rule SET shown = 'count'")
    watcher.wait(lambda: watcher.documents[-1].counted == 1, "the number")
    hand(stack, "P-1 PulseRate=200")
    watcher.wait(lambda: watcher.documents[-1].counted == 2, "the number after one more")
    hand(stack, "P-1 PulseRate=80")
    watcher.wait(lambda: watcher.documents[-1].counted == 1, "the number after its end")
    assert not any(d.alerts for d in watcher.documents[-3:])
    assert b"SpO2" not in b"".join(d.raw for d in watcher.documents[-3:])
    stack.sql("UPDATE bmd_policy_rule SET shown = 'no-identity'")
    watcher.wait(lambda: watcher.about("P-1"), "the alert")


def answers_to_queries_and_fetches_obey_the_same_rule(stack):
    fetched = Watcher(stack, "tech3", "dev.P-1", expires=0).about("P-1")[0]
    assert "patient" not in fetched and fetched["location"] == PLACE, fetched
    asks = Answerer(stack, "tech3")
    known, shown = asks.query("P-1", "patient", "patient-address", "location", "alerts", "SpO2")
    assert (known["patient"][0], known["patient-address"][0], known["location"][0]) == ("", "", PLACE), known
    assert known["SpO2"][1] == 200 and known["alerts"][0] == "1" and len(shown) == 1, (known, shown)
    told = [child.find(BMD + "alert") for child in asks.pages(action(query("P-1", "deliveries"))) if child.tag == "Notify"]
    assert len(told) == 1 and "tech1" in told[0].findtext(BMD + "delivered"), told
    assert NAME not in ElementTree.tostring(told[0], "unicode") and PLACE in ElementTree.tostring(told[0], "unicode")
    known, _ = Answerer(stack, "tech1").query("P-1", "patient")
    assert known["patient"][0] == NAME, known
    known, shown = asks.query("P-2", "patient", "deliveries")
    assert known["patient"][1] == known["deliveries"][1] == 403 and not shown, known
    code = [a["code"] for a in stack.one.about("P-1")][0]
    assert asks.control("P-1", "accept", code).code == 403, "who may only see answered"


def a_rule_that_blocks_ends_the_subscription_as_rejected(stack):
    watcher = stack.three
    begun = time.time()
    stack.sql("UPDATE bmd_policy_rule SET decision = 'block', shown = 'full'")
    ends(watcher, "rejected", begun)
    assert watcher.agent.subscribe(dialog=watcher.dialog)[1].status == 481, "the dialog lives"
    assert answer_to(stack, "tech3", "dev.P-1")[0] == "SIP/2.0 403 Not Your Feed"
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers WHERE watcher_username = 'tech3'") == [["0"]],
               4, "the end of the row of presence")
    known, _ = Answerer(stack, "tech3").query("P-1", "SpO2")
    assert known["SpO2"][1] == 403, known


def a_rule_that_goes_ends_what_it_let_in(stack):
    no_rules(stack)
    rule(stack, "anyone", "serial P-1", "allow")
    provisioned(stack)
    watcher = Watcher(stack, "tech3", "dev.P-1")
    begun = time.time()
    stack.sql("DELETE FROM bmd_policy_rule")
    ends(watcher, "rejected", begun)


def a_rule_ends_by_its_time(stack):
    watcher = None
    until = stack.sql("INSERT INTO bmd_policy_rule (username, serial, decision, valid_until) VALUES ('tech3', 'P-1', 'allow', "
                      "now() + interval '3 s') RETURNING extract(epoch FROM valid_until)")[0][0]
    provisioned(stack)
    watcher = Watcher(stack, "tech3", "dev.P-1")
    assert watcher.about("P-1"), "the rule is not in force"
    watcher.wait(lambda: watcher.state.startswith("terminated"), "the end", 5)
    late = time.time() - float(until)
    assert 0 <= late < AT_ONCE, f"it ended {late:.2f} s after its time"


def the_responsible_are_told_less_only_by_a_rule_that_names_them(stack):
    no_rules(stack)
    rule(stack, "anyone", "everything", "allow", shown="count")
    provisioned(stack)
    own = Watcher(stack, "tech1")
    assert own.about("P-1")[0]["patient"] == NAME, "a rule for anyone took something from the responsible"
    other = Watcher(stack, "tech3", "dev.P-1")
    assert other.documents[0].counted == 1 and not other.open
    rule(stack, "team_name night", "patient_id " + stack.patient, "allow", shown="neither")
    own.wait(lambda: "patient" not in own.about("P-1")[0], "less, by a rule for the team")
    stack.one.wait(lambda: "patient" not in stack.one.about("P-1")[0], "the same for the other")
    no_rules(stack)
    own.wait(lambda: own.about("P-1")[0].get("patient") == NAME, "all again")


def texts_to_phones_say_no_more_than_the_rule_allows(stack):
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', 'P-1')")
    number = rule(stack, "username tech3", "serial P-1", "allow", shown="neither")
    provisioned(stack)
    phone = stack.agent("tech3")
    assert phone.register().status == 200
    text = phone.wait(lambda m: m.is_request and m.method == "MESSAGE", 6, "text").body.decode()
    assert "SpO2" in text and "P-1" in text, text
    assert not any(words in text for words in (NAME, ADDRESS, PLACE)), text
    stack.sql(f"UPDATE bmd_policy_rule SET decision = 'block', shown = 'full' WHERE rule_id = {number}")
    provisioned(stack)
    phone.pump(0.3)
    phone.received.clear()  # what came before: it may have been repeated
    code = [a["code"] for a in stack.one.about("P-1")][0]
    asks = Answerer(stack, "tech3")
    assert code not in asks.ask(b"list", TEXT).body.decode(), "the list names what is hidden"
    assert asks.control("P-1", "accept", code).code == 403
    stack.kamcmd("bmd.accept", code, "tech1")
    try:
        text = phone.wait(lambda m: m.is_request and m.method == "MESSAGE", 2, "text").body
    except AssertionError:
        return
    raise AssertionError(f"who is blocked was told: {text}")


def no_more_subscriptions_than_the_rule_allows(stack):
    no_rules(stack)
    rule(stack, "username tech1", "everything", "allow", most_subscriptions=2)
    provisioned(stack)
    one, two = (Watcher(stack, "tech1", "dev.P-2") for _ in range(2))
    assert answer_to(stack, "tech1", "dev.P-2")[0] == "SIP/2.0 403 Too Many Subscriptions"
    Watcher(stack, "tech1", "dev.P-1")
    assert one.agent.subscribe(dialog=one.dialog)[1].status == 200, "a refresh counts as one more"
    one.agent.subscribe(dialog=one.dialog, expires=0)
    Watcher(stack, "tech1", "dev.P-2")
    assert state_of(two).startswith("active")


def who_must_be_confirmed_waits_and_is_let_in_or_refused(stack):
    no_rules(stack)
    rule(stack, "username tech3", "everything", "confirm", shown="no-identity")
    provisioned(stack)
    first, second = Watcher(stack, "tech3", "dev.P-1"), Watcher(stack, "tech3", "dev.P-2")
    for watcher in (first, second):
        assert re.match(r"pending;expires=\d+$", watcher.state), watcher.state
        assert not watcher.open
    waiting = [(p["user"], p["feed"]) for p in records(stack.kamcmd("bmd.pending"))]
    assert waiting == [("tech3", "dev.P-1"), ("tech3", "dev.P-2")], waiting
    refreshed = first.agent.subscribe(dialog=first.dialog)[1]
    assert refreshed.status == 200, refreshed.first
    first.wait(lambda: len(first.documents) == 2, "the answer to a refresh")
    assert first.state.startswith("pending"), first.state
    stack.kamcmd("bmd.approve", "tech3", "dev.P-1", "head")
    begun = committed(stack, "dev.P-1")
    first.wait(lambda: first.about("P-1"), "the alert", 2)
    assert time.time() - begun < AT_ONCE, f"it took {time.time() - begun:.2f} s after the commit"
    assert first.state.startswith("active") and "patient" not in first.about("P-1")[0], (first.state, first.open)
    stack.kamcmd("bmd.refuse", "tech3", "dev.P-2", "head")
    ends(second, "rejected", committed(stack, "dev.P-2"))
    waiting = stack.kamcmd("bmd.pending").strip()
    assert waiting == "", waiting
    assert stack.sql("SELECT username, feed, approved, who FROM bmd_policy_answer ORDER BY feed") == [
        ["tech3", "dev.P-1", "t", "head"], ["tech3", "dev.P-2", "f", "head"]]
    stack.first = first
    try:
        stack.kamcmd("bmd.approve", "tech3", "dev.NOSUCH", "head")
    except AssertionError as refused:
        assert "404" in str(refused), refused
    else:
        raise AssertionError("somebody was approved who does not wait")


def an_approval_outlasts_kill_9_and_one_that_is_taken_back_says_ask_again(stack):
    first = stack.first
    wait_until(lambda: stack.sql("SELECT count(*) FROM active_watchers WHERE watcher_username = 'tech3'") == [["1"]], 4,
               "the row of the subscription")
    kill_and_restart(stack, first)
    first.wait(lambda: first.version and first.version > 100_000, "what is told after the start", 10)
    assert first.state.startswith("active") and first.about("P-1"), first.state
    begun = time.time()
    stack.sql("DELETE FROM bmd_policy_answer WHERE feed = 'dev.P-1'")
    ends(first, "deactivated", begun)
    again = Watcher(stack, "tech3", "dev.P-1")
    assert again.state.startswith("pending"), again.state


def the_operator_sees_which_rule_decides(stack):
    no_rules(stack)
    number = rule(stack, "team_name night", "group_name oximetry", "allow", shown="count")
    rule(stack, "username tech3", "serial P-1", "polite-block", why="curious")
    provisioned(stack)
    verdict, *steps = records(stack.kamcmd("bmd.policy", "tech2", "grp.oximetry"))
    assert (verdict["decision"], verdict["shown"], verdict["by"]) == ("allow", "count", f"rule {number}"), verdict
    assert [s["decides"] for s in steps] == ["no", "yes", "no"] and steps[0]["why"] == "is for others", steps
    verdict, *steps = records(stack.kamcmd("bmd.policy", "tech1", "tech1", "OX-1001"))
    assert (verdict["decision"], verdict["shown"]) == ("allow", "count"), verdict
    verdict, *steps = records(stack.kamcmd("bmd.policy", "tech3", "dev.P-1"))
    assert verdict["state"] == "decoy", verdict
    verdict, *_ = records(stack.kamcmd("bmd.policy", "tech1", "tech1"))
    assert verdict["by"] == "built-in" and verdict["state"] == "active", verdict
    for wrong, code in ((("nobody", "tech1"), "404"), (("tech1", "dev.NOSUCH"), "404"), (("tech1",), "400")):
        try:
            stack.kamcmd("bmd.policy", *wrong)
        except AssertionError as refused:
            assert code in str(refused), refused
        else:
            raise AssertionError(f"{wrong} was taken")


run("policies", [
    the_scene_is_set, without_a_rule_nothing_is_allowed_and_what_exists_is_not_told,
    a_rule_lets_somebody_in_and_leaves_out_who_the_patient_is,
    a_rule_changed_by_sql_is_seen_on_the_running_subscription_within_a_second,
    who_may_only_count_is_told_how_many_and_nothing_else, answers_to_queries_and_fetches_obey_the_same_rule,
    a_rule_that_blocks_ends_the_subscription_as_rejected, a_rule_that_goes_ends_what_it_let_in,
    a_rule_ends_by_its_time, the_responsible_are_told_less_only_by_a_rule_that_names_them,
    texts_to_phones_say_no_more_than_the_rule_allows, no_more_subscriptions_than_the_rule_allows,
    who_must_be_confirmed_waits_and_is_let_in_or_refused,
    an_approval_outlasts_kill_9_and_one_that_is_taken_back_says_ask_again,
    the_operator_sees_which_rule_decides])
