"""Answers alerts that are being escalated; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import Answerer
from scene import Watcher, add_device, alerts, hand, history, kill_and_restart, provisioned, records
from stack import run, wait_until

SLACK = 1.5
# of the policy: tech1 at once, tech2 after this, tech3 after twice this, tech3 again and again
PACE = 2


def people_and_a_policy_exist(stack):
    stack.sql("BEGIN; INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('trial', '1 hour');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, username) "
              "SELECT policy_id, v.position, v.after::interval, whom, username FROM bmd_escalation_policy, "
              f"(VALUES (1, '0', 'responsible', NULL), (2, '{PACE} s', 'person', 'tech2'), "
              f"(3, '{2 * PACE} s', 'person', 'tech3')) v (position, after, whom, username); COMMIT")
    for serial in ("TAKEN", "REJECT", "QUIET", "WORK", "BACK", "FRESH", "HELD", "AGAIN", "NOT-I", "EDGE-1",
                   "EDGE-2", "EDGE-3", "EDGE-4", "NAMED", "MOVED", "LEFT"):
        add_device(stack, serial, assign="tech1")
    wait_until(lambda: explained(stack, "TAKEN", "bmd.dry-run")[0]["policy"] == "trial", 3, "the policy")
    stack.one, stack.two, stack.three = (Watcher(stack, user) for user in ("tech1", "tech2", "tech3"))
    time.sleep(1.5)  # what is younger than a second may not survive


def explained(stack, word, command="bmd.explain"):
    return records(stack.kamcmd(command, word))


def raise_on(stack, serial):
    hand(stack, f"{serial} SpO2=80")
    return alerts(stack, serial)[0]["code"]


def pump(stack, seconds):
    until = time.time() + seconds
    while time.time() < until:
        for watcher in (stack.one, stack.two, stack.three):
            watcher.pump(0.01)


def told(watcher, serial, timeout=5):
    """When the terminal shows the alert."""
    watcher.wait(lambda: watcher.about(serial), f"the alert of {serial}", timeout)
    return time.time()


def steps(stack, serial):
    """What its history says was made known."""
    return [row[0] for row in stack.sql(
        "SELECT e.through FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
        f"WHERE a.serial = '{serial}' AND event = 'escalated' ORDER BY e.revision")]


def over(stack, serial):
    hand(stack, f"{serial} SpO2=98")
    wait_until(lambda: not alerts(stack, serial), 2, "its end")


def an_accepted_alert_is_escalated_no_further_until_it_is_handed_back(stack):
    code = raise_on(stack, "TAKEN")
    stack.kamcmd("bmd.accept", code, "tech1", "on my way")
    plan = explained(stack, code)[0]
    assert (plan["response"], plan["by"], plan["next_at"]) == ("accepted", "tech1", ""), plan
    pump(stack, 2 * PACE + 1)
    assert not stack.two.about("TAKEN") and not stack.three.about("TAKEN"), "it was escalated all the same"
    stack.kamcmd("bmd.reject", code, "tech1", "stuck in traffic")
    begun = time.time()
    assert told(stack.two, "TAKEN") - begun < SLACK
    assert not stack.three.about("TAKEN"), "two steps at once"


def whom_it_was_escalated_to_accepts_it_and_keeps_seeing_it(stack):
    code = alerts(stack, "TAKEN")[0]["code"]
    assert alerts(stack, "TAKEN")[0]["response"] == "escalated", alerts(stack, "TAKEN")
    assert "not yours to answer" in Answerer(stack, "tech3").text(f"ok {code}")
    phone = Answerer(stack, "tech2")  # without a code: it is the only one that tech2 may answer
    assert f"{code} accepted by you" in phone.text("ok")
    assert phone.control("TAKEN", "accept", code).code == 200
    for watcher in (stack.one, stack.two):
        watcher.wait(lambda w=watcher: any(a.get("by") == "tech2" for a in w.about("TAKEN")), "who accepted it")
    pump(stack, PACE + 1)
    assert not stack.three.about("TAKEN"), "it was escalated all the same"
    assert stack.two.about("TAKEN"), "who accepted it sees it no more"


def it_stays_accepted_and_seen_over_kill_9(stack):
    wait_until(lambda: history(stack, "TAKEN") == [["raised", "accepted", "rejected", "escalated", "accepted"]], 3,
               f"the history, which is {history(stack, 'TAKEN')}")
    kill_and_restart(stack, stack.one, stack.two, stack.three)
    stack.two.wait(lambda: any(a.get("by") == "tech2" for a in stack.two.about("TAKEN")), "the accepted alert", 10)
    pump(stack, PACE + 1)
    assert not stack.three.about("TAKEN"), "it was escalated all the same"
    over(stack, "TAKEN")
    stack.two.wait(lambda: not stack.two.about("TAKEN"), "its end")


def a_rejected_alert_goes_to_the_next_people_at_once(stack):
    code = raise_on(stack, "REJECT")
    stack.kamcmd("bmd.reject", code, "tech1")
    begun = time.time()
    assert told(stack.two, "REJECT") - begun < SLACK
    assert not stack.three.about("REJECT"), "two steps at once"
    stack.kamcmd("bmd.reject", code, "tech2")
    begun = time.time()
    assert told(stack.three, "REJECT") - begun < SLACK
    over(stack, "REJECT")
    wait_until(lambda: steps(stack, "REJECT") == ["step 2", "step 3"], 3, f"the steps, which are {steps(stack, 'REJECT')}")


def rests(stack, serial, until, end):
    """Neither of them is told before `until`; tech2 is at once after `end`."""
    pump(stack, until)
    assert not stack.two.about(serial) and not stack.three.about(serial), "it was escalated all the same"
    end()
    begun = time.time()
    took = told(stack.two, serial) - begun
    assert took < SLACK + 0.3, f"{took:.1f} s after the end"
    assert not stack.three.about(serial), "two steps at once"
    over(stack, serial)


def no_step_begins_while_it_is_silenced(stack):
    code = raise_on(stack, "QUIET")
    stack.kamcmd("bmd.silence", code, "60", "tech1")
    rests(stack, "QUIET", PACE + 1, lambda: stack.kamcmd("bmd.silence", code, "0", "tech1"))


def a_step_that_begins_just_before_a_silence_is_made_known_after_it(stack):
    # it waits for its row, at most 0.3 s: within that time the silence has to come
    lock = stack.start("psql", "-X", "-q", stack.info["db"], "-c", "BEGIN; LOCK TABLE bmd_escalation; SELECT pg_sleep(60)",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: stack.sql("SELECT 1 FROM pg_locks WHERE relation = 'bmd_escalation'::regclass AND granted "
                                 "AND mode = 'AccessExclusiveLock'"), 3, "the lock")
    for serial in ("EDGE-1", "EDGE-2", "EDGE-3", "EDGE-4"):
        code = raise_on(stack, serial)
        wait_until(lambda c=code: explained(stack, c)[0]["begun"] == "2", PACE + 1, "the second step")
        stack.kamcmd("bmd.silence", code, "60", "tech1")
        if explained(stack, code)[0]["response"] == "none":
            break
        over(stack, serial)
    else:
        raise AssertionError("no silence came in time")
    rests(stack, serial, 1, lambda: stack.kamcmd("bmd.silence", code, "0", "tech1"))
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'bmd_escalation'::regclass "
              "AND mode = 'AccessExclusiveLock'")
    lock.wait()
    wait_until(lambda: steps(stack, serial) == ["step 2"], 10, "the stored step")


def no_step_begins_while_its_device_is_in_maintenance(stack):
    code = raise_on(stack, "WORK")
    wait_until(lambda: explained(stack, code)[0]["begun"] == "1", 1, "the first step")
    stack.kamcmd("bmd.maintenance", "WORK", "60", "admin", "new probe")
    wait_until(lambda: explained(stack, code)[0]["suppressed"] == "maintenance", 1, "the window")
    rests(stack, "WORK", PACE + 1, lambda: stack.kamcmd("bmd.maintenance", "WORK", "0", "admin", "done"))


def what_was_raised_in_maintenance_begins_with_its_first_step_at_the_end(stack):
    stack.kamcmd("bmd.maintenance", "FRESH", "60", "admin", "new probe")
    code = raise_on(stack, "FRESH")
    pump(stack, PACE + 1)
    assert explained(stack, code)[0]["begun"] == "0"
    stack.kamcmd("bmd.maintenance", "FRESH", "0", "admin", "done")
    begun = time.time()
    assert -0.7 < told(stack.two, "FRESH") - begun - PACE < SLACK
    over(stack, "FRESH")


def a_silence_that_ends_while_the_server_is_down_holds_nothing_up(stack):
    code = raise_on(stack, "HELD")
    stack.kamcmd("bmd.silence", code, str(PACE + 2), "tech1")
    wait_until(lambda: history(stack, "HELD") == [["raised", "silenced"]], 3, "the history")
    kill_and_restart(stack, stack.one, stack.two, stack.three)
    told(stack.two, "HELD", PACE + 5)
    over(stack, "HELD")
    wait_until(lambda: steps(stack, "HELD") == ["step 2"], 3, "the step")


def what_was_rejected_just_before_kill_9_goes_on_at_once(stack):
    stack.sql("UPDATE bmd_escalation_step SET after = (position - 1) * interval '1 hour' WHERE position > 1")
    provisioned(stack)
    code = raise_on(stack, "BACK")
    wait_until(lambda: explained(stack, code)[0]["begun"] == "1", 3, "the first step")
    # rejected while silenced: nothing can have begun before the kill
    stack.kamcmd("bmd.accept", code, "tech1")
    stack.kamcmd("bmd.silence", code, "2", "tech1")
    stack.kamcmd("bmd.reject", code, "tech1")
    wait_until(lambda: history(stack, "BACK") == [["raised", "accepted", "silenced", "rejected"]], 3, "the history")
    kill_and_restart(stack, stack.one, stack.two, stack.three)
    told(stack.two, "BACK", 6)
    pump(stack, 1)
    assert not stack.three.about("BACK"), "two steps at once"
    over(stack, "BACK")


def who_rejected_is_remembered_over_kill_9(stack):
    code = raise_on(stack, "NOT-I")
    stack.kamcmd("bmd.reject", code, "tech1")
    told(stack.two, "NOT-I")
    stack.kamcmd("bmd.reject", code, "tech1")
    wait_until(lambda: history(stack, "NOT-I") == [["raised", "rejected", "escalated"]], 3, "the history")
    kill_and_restart(stack, stack.one, stack.two, stack.three)
    told(stack.two, "NOT-I", 6)
    stack.kamcmd("bmd.reject", code, "tech1")
    pump(stack, 1)
    assert not stack.three.about("NOT-I"), "tech2 got no time"
    assert history(stack, "NOT-I") == [["raised", "rejected", "escalated"]], history(stack, "NOT-I")
    stack.kamcmd("bmd.reject", code, "tech2")
    begun = time.time()
    assert told(stack.three, "NOT-I") - begun < SLACK
    over(stack, "NOT-I")


def what_comes_back_goes_on_with_its_escalation(stack):
    code = raise_on(stack, "AGAIN")
    stack.kamcmd("bmd.reject", code, "tech1")
    told(stack.two, "AGAIN")
    wait_until(lambda: steps(stack, "AGAIN") == ["step 2"], 3, "the step")
    over(stack, "AGAIN")
    stack.two.wait(lambda: not stack.two.about("AGAIN"), "its end")
    assert raise_on(stack, "AGAIN") == code, "it is another alert"
    told(stack.two, "AGAIN")
    over(stack, "AGAIN")
    wait_until(lambda: history(stack, "AGAIN")[0][-1] == "cleared", 3, "the stored end")
    kill_and_restart(stack, stack.one, stack.two, stack.three)
    assert raise_on(stack, "AGAIN") == code, "it is another alert"
    told(stack.two, "AGAIN", 10)
    stack.kamcmd("bmd.reject", code, "tech2")
    told(stack.three, "AGAIN")
    over(stack, "AGAIN")
    wait_until(lambda: steps(stack, "AGAIN") == ["step 2", "step 3"], 3, f"the steps, which are {steps(stack, 'AGAIN')}")


def whom_an_operator_names_sees_the_alert_and_hands_it_back(stack):
    stack.sql("UPDATE bmd_escalation_step SET after = (position - 1) * interval '1 hour' WHERE position > 1")
    provisioned(stack)
    code = raise_on(stack, "NAMED")
    stack.kamcmd("bmd.accept", code, "tech3")
    told(stack.three, "NAMED")
    assert Answerer(stack, "tech3").control("NAMED", "reject", code).code == 200
    told(stack.two, "NAMED", SLACK)
    over(stack, "NAMED")


def who_accepted_keeps_the_alert_of_a_device_that_is_taken_away_and_may_hand_it_back(stack):
    code = raise_on(stack, "MOVED")
    phone = Answerer(stack, "tech1")
    assert phone.control("MOVED", "accept", code).code == 200
    stack.sql("DELETE FROM bmd_assignment WHERE serial = 'MOVED'")
    wait_until(lambda: explained(stack, code)[0]["recipients"] == "tech1", 3, "tech1 as one who sees it")
    stack.one.wait(lambda: any(a.get("by") == "tech1" for a in stack.one.about("MOVED")), "the alert of MOVED")
    assert phone.control("MOVED", "reject", code).code == 200
    told(stack.two, "MOVED", SLACK)
    over(stack, "MOVED")


def what_somebody_accepted_who_is_disabled_goes_to_the_next_people(stack):
    stack.sql("INSERT INTO bmd_technician (username) VALUES ('leaver');"
              "INSERT INTO bmd_assignment (username, serial) VALUES ('leaver', 'LEFT')")
    provisioned(stack)
    code = raise_on(stack, "LEFT")
    stack.kamcmd("bmd.accept", code, "leaver")
    pump(stack, 1)
    assert not stack.two.about("LEFT")
    stack.sql("UPDATE bmd_technician SET enabled = false WHERE username = 'leaver'")
    begun = time.time()
    assert told(stack.two, "LEFT") - begun < 1 + SLACK
    over(stack, "LEFT")
    wait_until(lambda: history(stack, "LEFT") == [["raised", "accepted", "rejected", "escalated", "cleared"]], 3,
               f"the history, which is {history(stack, 'LEFT')}")
    said = stack.sql("SELECT who, through, why FROM bmd_alert_event JOIN bmd_alert a USING (alert_id) "
                     "WHERE serial = 'LEFT' AND event = 'rejected'")
    assert said == [["", "system", "leaver, who had accepted it, is disabled or gone: handed back"]], said


def every_step_is_one_change_of_its_alert(stack):
    wrong = stack.sql("SELECT e.through, a.step, e.response, e.who FROM bmd_alert_event e JOIN bmd_alert a "
                      "USING (alert_id) WHERE event = 'escalated' AND (e.response <> 'escalated' OR e.who <> '')")
    twice = stack.sql("SELECT alert_id, through FROM bmd_alert_event WHERE event = 'escalated' "
                      "GROUP BY 1, 2 HAVING count(*) > 1")
    gaps = stack.sql("SELECT alert_id FROM bmd_alert_event GROUP BY 1 HAVING max(revision) <> count(*)")
    assert wrong == [] and twice == [] and gaps == [], (wrong, twice, gaps)


run("answers-and-escalation", [
    people_and_a_policy_exist, an_accepted_alert_is_escalated_no_further_until_it_is_handed_back,
    whom_it_was_escalated_to_accepts_it_and_keeps_seeing_it, it_stays_accepted_and_seen_over_kill_9,
    a_rejected_alert_goes_to_the_next_people_at_once, no_step_begins_while_it_is_silenced,
    a_step_that_begins_just_before_a_silence_is_made_known_after_it,
    no_step_begins_while_its_device_is_in_maintenance,
    what_was_raised_in_maintenance_begins_with_its_first_step_at_the_end, a_silence_that_ends_while_the_server_is_down_holds_nothing_up,
    what_was_rejected_just_before_kill_9_goes_on_at_once, who_rejected_is_remembered_over_kill_9, what_comes_back_goes_on_with_its_escalation,
    whom_an_operator_names_sees_the_alert_and_hands_it_back,
    who_accepted_keeps_the_alert_of_a_device_that_is_taken_away_and_may_hand_it_back,
    what_somebody_accepted_who_is_disabled_goes_to_the_next_people, every_step_is_one_change_of_its_alert], errors_expected=True)
