"""What policies hide, asked for sideways; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import Answerer
from scene import OXIMETER, Watcher, add_device, every_condition_that_comes_back_is_a_new_alert, hand, provisioned, raise_on
from stack import run, wait_until

PLACE = "attic"
LOW = {"low": 90, "priority": "low"}
TYPED = "Event: bmd-alert\nAccept: application/dmp\nContent-Type: application/dmp\n"


def rule(stack, **columns):
    names, values = ", ".join(columns), ", ".join(f"'{value}'" for value in columns.values())
    stack.sql(f"INSERT INTO bmd_policy_rule ({names}) VALUES ({values})")
    provisioned(stack)


def no_rules(stack):
    stack.sql("TRUNCATE bmd_policy_rule; TRUNCATE bmd_policy_answer")
    provisioned(stack)


def nothing_is_there(stack):
    """Neither rules nor alerts: each sentence stands for itself."""
    no_rules(stack)
    for serial in ("E-1", "E-2", "E-3"):
        hand(stack, f"{serial} SpO2=97 PulseRate=80")


def filter_of(event):
    event = event.replace("<", "&lt;")
    return ('<DMPAction xmlns:bmd="urn:bmd:dmp:1" bmd:urgent="filtered"><Device>*</Device><Subscribe><Variable>*</Variable>'
            f"<Event>{event}</Event><Duration>always</Duration></Subscribe></DMPAction>").encode()


def asked_again(stack, user, feed):
    """What one more SUBSCRIBE of somebody who has one is answered."""
    Watcher(stack, user, feed)
    return stack.agent(user).subscribe(f"sip:{feed}@{stack.info['domain']}")[1].first


def the_scene_is_set(stack):
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min';"
              "INSERT INTO bmd_group (group_name) VALUES ('ward'), ('attics')")
    stack.patients = [row[0] for row in stack.sql(
        "INSERT INTO bmd_patient (name, address) VALUES ('Dora Example', '1 Lane'), ('Emil Example', '2 Lane') RETURNING patient_id")]
    for serial in ("E-1", "E-2", "E-3"):
        add_device(stack, serial, location=PLACE, patient=stack.patients[0], assign="tech1", SpO2=LOW)
    stack.sql("INSERT INTO bmd_group_device (group_name, serial) VALUES ('attics', 'E-3')")
    stack.answerer = {user: Answerer(stack, user) for user in ("tech1", "tech3")}


def the_answer_to_a_text_names_no_place_that_is_not_shown(stack):
    nothing_is_there(stack)
    rule(stack, username="tech1", everything="true", decision="allow", shown="no-location")
    code = raise_on(stack, "E-1")
    text = stack.answerer["tech1"].text(f"ok {code}")
    assert "E-1" in text and PLACE not in text, text
    no_rules(stack)
    assert PLACE in stack.answerer["tech1"].text(f"ok {code}")


def who_may_only_count_learns_no_value_by_a_filter(stack):
    nothing_is_there(stack)
    rule(stack, username="tech3", everything="true", decision="allow", shown="count")
    raise_on(stack, "E-1", 88)
    watcher = Watcher(stack, "tech3", "dev.E-1", headers=TYPED, body=filter_of("SpO2 < 85"))
    assert watcher.documents[0].counted == 1 and watcher.documents[0].filtered == 0
    for value in (87, 84, 82):
        hand(stack, f"E-1 SpO2={value}")
        watcher.quiet(0.4)
    hand(stack, "E-1 PulseRate=200")  # does not fit, and is one more
    watcher.wait(lambda: watcher.documents[-1].counted == 2, "the number")
    hand(stack, "E-1 SpO2=97 PulseRate=80")
    watcher.wait(lambda: watcher.documents[-1].counted == 0, "the number after the end")


def who_may_only_count_does_not_learn_when_something_is_answered(stack):
    nothing_is_there(stack)
    rule(stack, username="tech3", everything="true", decision="allow", shown="count")
    watcher = Watcher(stack, "tech3", "dev.E-1")
    code = raise_on(stack, "E-1")
    watcher.wait(lambda: watcher.documents[-1].counted == 1, "the number")
    told = len(watcher.documents)
    asks = stack.answerer["tech1"]
    for action in ("acknowledge", "accept", "reject"):
        assert asks.control("E-1", action, code).code == 200, action
        watcher.quiet(0.3)
    assert len(watcher.documents) == told
    hand(stack, "E-1 SpO2=97")
    watcher.wait(lambda: watcher.documents[-1].counted == 0, "the end")


def a_decoy_has_the_bounds_and_the_form_of_other_feeds(stack):
    nothing_is_there(stack)
    rule(stack, anyone="true", everything="true", decision="allow", shown="count", most_subscriptions=1)
    rule(stack, username="tech3", serial="E-2", decision="polite-block")
    raise_on(stack, "E-2")
    answers = [asked_again(stack, "tech3", feed) for feed in ("dev.E-1", "dev.E-2")]
    assert answers == ["SIP/2.0 403 Too Many Subscriptions"] * 2, answers
    fetched = [Watcher(stack, "tech3", feed, expires=0).documents[0].counted for feed in ("dev.E-1", "dev.E-2")]
    assert fetched == [0, 0], fetched
    known = [stack.answerer["tech3"].query(serial, "state", "SpO2") for serial in ("E-1", "E-2")]
    assert known[0] == known[1], known


def to_who_is_blocked_politely_an_alert_is_over(stack):
    nothing_is_there(stack)
    code = raise_on(stack, "E-1")
    asks = stack.answerer["tech1"]
    rule(stack, username="tech1", everything="true", decision="polite-block")
    assert asks.control("E-1", "accept", code).code == 404
    assert "no alert" in asks.text(f"ok {code}")
    no_rules(stack)
    assert stack.answerer["tech3"].control("E-1", "accept", code).code == 403, "somebody else's"
    assert asks.control("E-1", "accept", code).code == 200


def who_is_blocked_politely_approves_in_vain_and_is_not_told(stack):
    nothing_is_there(stack)
    asks = stack.answerer["tech1"]
    rule(stack, anyone="true", everything="true", decision="confirm")
    rule(stack, username="tech1", serial="E-1", decision="polite-block")
    waits = [Watcher(stack, "tech3", feed) for feed in ("dev.E-1", "dev.E-2")]
    nobody = [repr(asks.control("*", "approve", "tech2", feed)).split(": ", 1)[1] for feed in ("dev.E-1", "dev.E-2")]
    assert nobody[0] == nobody[1] and nobody[0].startswith("409"), nobody
    assert asks.control("*", "approve", "tech3", "dev.E-1").code == 409
    assert asks.control("*", "approve", "tech3", "dev.E-2").code == 200
    waits[1].wait(lambda: waits[1].state.startswith("active"), "the approval")
    waits[0].pump(0.3)
    assert waits[0].state.startswith("pending"), waits[0].state


def what_a_rule_goes_by_changes_and_the_screen_follows(stack):
    nothing_is_there(stack)
    rule(stack, username="tech1", group_name="ward", decision="block")
    raise_on(stack, "E-2")
    watcher = Watcher(stack, "tech1")
    assert watcher.about("E-2")
    for change, there in (("INSERT INTO bmd_group_device (group_name, serial) VALUES ('ward', 'E-2')", False),
                          ("DELETE FROM bmd_group_device WHERE group_name = 'ward'", True)):
        stack.sql(change)
        watcher.wait(lambda t=there: bool(watcher.about("E-2")) == t, change, 2)
    no_rules(stack)
    rule(stack, username="tech1", type_name=OXIMETER, decision="block")
    watcher.wait(lambda: not watcher.open, "the block")
    stack.sql("UPDATE bmd_device SET type_name = 'Capnograph' WHERE serial = 'E-2'")
    watcher.wait(lambda: watcher.about("E-2"), "the device of another type", 2)
    stack.sql(f"UPDATE bmd_device SET type_name = '{OXIMETER}' WHERE serial = 'E-2'")
    watcher.wait(lambda: not watcher.about("E-2"), "the device of the old type", 2)


def what_a_filter_goes_by_changes_and_the_screen_follows(stack):
    nothing_is_there(stack)
    raise_on(stack, "E-2")
    watcher = Watcher(stack, "tech1", headers=TYPED, body=filter_of("group = attics"))
    assert not watcher.open
    stack.sql("INSERT INTO bmd_group_device (group_name, serial) VALUES ('attics', 'E-2')")
    watcher.wait(lambda: watcher.about("E-2"), "the device that joined", 2)
    stack.sql("DELETE FROM bmd_group_device WHERE serial = 'E-2'")
    watcher.wait(lambda: not watcher.open, "the device that left", 2)


def another_patient_ends_what_a_rule_about_the_first_showed(stack):
    nothing_is_there(stack)
    rule(stack, username="tech3", patient_id=stack.patients[0], decision="allow")
    raise_on(stack, "E-2")
    watcher = Watcher(stack, "tech3", "dev.E-2")
    assert watcher.about("E-2")
    stack.sql(f"UPDATE bmd_device SET patient_id = {stack.patients[1]} WHERE serial = 'E-2'")
    watcher.wait(lambda: not watcher.open, "an empty screen", 2)
    stack.sql(f"UPDATE bmd_device SET patient_id = {stack.patients[0]} WHERE serial = 'E-2'")


def who_is_disabled_and_enabled_again_sees_what_is_there(stack):
    nothing_is_there(stack)
    rule(stack, anyone="true", everything="true", decision="allow")
    password = next(t["password"] for t in stack.info["technicians"] if t["username"] == "tech3")
    raise_on(stack, "E-1")
    watcher = Watcher(stack, "tech3", "dev.E-1")
    assert len(watcher.open) == 1
    stack.sql("UPDATE bmd_technician SET enabled = false WHERE username = 'tech3'")
    provisioned(stack)
    hand(stack, "E-1 PulseRate=200")
    watcher.pump(0.5)
    emptied = not watcher.open
    stack.sql("UPDATE bmd_technician SET enabled = true WHERE username = 'tech3';"
              f"SELECT bmd_set_password('tech3', '{stack.info['domain']}', '{password}')")
    provisioned(stack)
    watcher.wait(lambda: len(watcher.open) == 2, "both alerts", 2)
    assert emptied, "what was there stood on the screen of somebody who was disabled"


def a_subscription_that_shows_nothing_of_it_spares_nobody_a_text(stack):
    nothing_is_there(stack)
    # not tech1, who watches the own feed since the sentences before
    stack.sql("INSERT INTO bmd_assignment (username, serial) SELECT 'tech2', serial FROM bmd_device WHERE serial LIKE 'E-%'")
    rule(stack, username="tech2", feed="dev.E-1", decision="allow", shown="count")
    phone = stack.agent("tech2")
    assert phone.register().status == 200
    counts = Watcher(stack, "tech2", "dev.E-1")
    leaves_out = Watcher(stack, "tech2", "dev.E-2", headers=TYPED, body=filter_of("PulseRate > 250"))
    shows = Watcher(stack, "tech2", "dev.E-3")
    for serial in ("E-3", "E-1", "E-2"):
        code = raise_on(stack, serial)
        if serial == "E-3":
            shows.wait(lambda: shows.about("E-3"), "the alert")
            continue
        text = phone.wait(lambda m: m.is_request and m.method == "MESSAGE", 6, f"text about {serial}").body.decode()
        assert code in text, text
    counts.wait(lambda: counts.documents[-1].counted == 1, "the number")
    leaves_out.pump(0.3)
    assert not counts.open and not leaves_out.open
    assert phone.register(expires=0).status == 200


def an_approval_ends_with_what_it_was_for(stack):
    nothing_is_there(stack)
    rule(stack, anyone="true", everything="true", decision="confirm")
    password = next(t["password"] for t in stack.info["technicians"] if t["username"] == "tech3")
    one, two = stack.patients
    for feed, change in (
            ("dev.E-3", "DELETE FROM bmd_technician WHERE username = 'tech3'; INSERT INTO bmd_technician (username) VALUES ('tech3');"
                        f"SELECT bmd_set_password('tech3', '{stack.info['domain']}', '{password}')"),
            ("dev.E-3", f"UPDATE bmd_device SET patient_id = {two} WHERE serial = 'E-3'"),
            ("grp.attics", "DELETE FROM bmd_group_device WHERE group_name = 'attics'; DELETE FROM bmd_group WHERE group_name = 'attics';"
                           "INSERT INTO bmd_group (group_name) VALUES ('attics');"
                           "INSERT INTO bmd_group_device (group_name, serial) VALUES ('attics', 'E-3')"),
            ("dev.E-3", "DELETE FROM bmd_device WHERE serial = 'E-3'; INSERT INTO bmd_device (serial, type_name, patient_id) "
                        f"VALUES ('E-3', '{OXIMETER}', {one})")):
        waits = Watcher(stack, "tech3", feed)
        assert waits.state.startswith("pending"), f"before {change}: {waits.state}"
        stack.kamcmd("bmd.approve", "tech3", feed, "head")
        waits.wait(lambda w=waits: w.state.startswith("active"), "the approval")
        stack.sql(change)
        provisioned(stack)
        again = Watcher(stack, "tech3", feed)
        assert again.state.startswith("pending"), f"after {change}: {again.state}"
        again.agent.subscribe(dialog=again.dialog, expires=0)
        wait_until(lambda: stack.sql("SELECT count(*) FROM bmd_policy_answer") == [["0"]], 2, "no answer")


run("policy-edges", [
    every_condition_that_comes_back_is_a_new_alert, the_scene_is_set,
    the_answer_to_a_text_names_no_place_that_is_not_shown, who_may_only_count_learns_no_value_by_a_filter,
    who_may_only_count_does_not_learn_when_something_is_answered,
    a_decoy_has_the_bounds_and_the_form_of_other_feeds, to_who_is_blocked_politely_an_alert_is_over,
    who_is_blocked_politely_approves_in_vain_and_is_not_told, what_a_rule_goes_by_changes_and_the_screen_follows,
    what_a_filter_goes_by_changes_and_the_screen_follows, another_patient_ends_what_a_rule_about_the_first_showed,
    who_is_disabled_and_enabled_again_sees_what_is_there,
    a_subscription_that_shows_nothing_of_it_spares_nobody_a_text, an_approval_ends_with_what_it_was_for])
