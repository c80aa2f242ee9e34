"""A curious watcher; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "lib"), HERE]
import guess
from answering import TEXT, Answerer
from scene import Watcher, add_device, alerts, hand, kill_and_restart, provisioned, records
from stack import run

TRIALS = 1000
QUIET, DECOY = ("qada", "qben", "qcai"), ("dada", "dben", "dcai")  # names of one length
PASSWORD = "correct horse battery staple"
RANDOM = random.Random(20261121)


def masked(message, person):
    """What is left of a message when all is taken away that differs between any two."""
    text = message.raw.decode("utf-8", "replace").replace(person, "PERSON").replace(person[1:], "SERIAL")
    text = re.sub(r"(branch=|;tag=|Call-ID: |nonce=\"|rspauth=\"|;received=)[^;\s\"]+", r"\1X", text)
    text = re.sub(r'bmd:at="[^"]+"|bmd:version="\d+"', "X", text)
    text = re.sub(r"(CSeq: )\d+", r"\1N", text)
    text = re.sub(r"(:|rport=)\d{4,5}\b", r"\1PORT", text)
    return re.sub(r"expires=\d+", "expires=N", text)


def shape(message):
    """Names of the headers, and the length of each value."""
    return " ".join(f"{name}:{','.join(str(len(v)) for v in values)}" for name, values in message.headers.items()
                    if name not in ("via", "cseq", "call-id", "from", "to", "contact"))


def people(stack):
    for person in QUIET + DECOY:
        stack.sql(f"INSERT INTO bmd_technician (username) VALUES ('{person}');"
                  f"SELECT bmd_set_password('{person}', '{stack.info['domain']}', '{PASSWORD}')")
        add_device(stack, f"X-{person[1:]}-{person[0]}", assign=person)


def serial_of(person):
    return f"X-{person[1:]}-{person[0]}"


def the_scene_is_set(stack):
    stack.sql("UPDATE bmd_device_type SET stale_after = '10 min'")
    people(stack)
    for person in DECOY:
        stack.sql(f"INSERT INTO bmd_policy_rule (username, everything, decision) VALUES ('{person}', true, 'polite-block')")
    provisioned(stack)
    for person in DECOY:
        hand(stack, f"{serial_of(person)} SpO2=80")
        assert alerts(stack, serial_of(person))
    stack.person = {person: stack.agent(person, PASSWORD) for person in QUIET + DECOY}
    # those who stay, to see what comes unasked
    stack.staying = {person: Watcher(stack, person, password=PASSWORD) for person in QUIET + DECOY}


def something_happens(stack):
    """An alert of somebody who is blocked begins, changes or ends."""
    serial = serial_of(RANDOM.choice(DECOY))
    hand(stack, f"{serial} SpO2={RANDOM.choice((70, 75, 97))} PulseRate={RANDOM.choice((80, 200))}")


def exchange(agent, feed, seen, kind, **options):
    """A SUBSCRIBE and its NOTIFY: what was seen goes into `seen`.  The dialog."""
    begun = time.perf_counter()
    sent = time.time()
    dialog, reply = agent.subscribe(feed, password=PASSWORD, **options)
    took = time.perf_counter() - begun
    seen[f"{kind} answer"] = masked(reply, agent.user)
    seen[f"{kind} answer's headers"] = shape(reply)
    seen[f"{kind} answer's time"] = took
    if reply.status != 200:
        return dialog
    notify = agent.notify(dialog)
    seen[f"{kind} notify"] = masked(notify, agent.user)
    seen[f"{kind} headers"] = shape(notify)
    seen[f"{kind} size"] = len(notify.raw) - len(notify.get("cseq"))
    seen[f"{kind} time"] = notify.at - sent
    seen[f"{kind} gap"] = notify.at - reply.at
    return dialog


def trial(agent, feed):
    """All that one dialog shows: begin, refresh, end."""
    seen = {}
    agent.received.clear()
    dialog = exchange(agent, feed, seen, "first")
    if dialog.remote_tag:
        first = agent.received[:]
        exchange(agent, None, seen, "refresh", dialog=dialog)
        exchange(agent, None, seen, "end", dialog=dialog, expires=0)
        seen["more than was asked for"] = len(first)
    return seen


def trials(stack, count, real, hidden, feed_of=None, busy=True):
    """[(what was seen, decoy)]; in an order that says nothing."""
    found = []
    for number in range(count):
        decoy = RANDOM.random() < 0.5
        person = RANDOM.choice(hidden if decoy else real)
        if busy and number % 5 == 0:
            something_happens(stack)
        feed = (feed_of or (lambda p: p))(person)
        found.append((trial(stack.person[person], f"sip:{feed}@{stack.info['domain']}"), decoy))
    return found


def in_1000_trials_the_curious_watcher_does_no_better_than_chance(stack):
    begun = time.time()
    found = trials(stack, TRIALS, QUIET, DECOY)
    result = guess.guess(found)
    most = guess.chance(TRIALS // 2)
    best = max(result, key=result.get)
    print(f"# decoy: {TRIALS} trials in {time.time() - begun:.0f} s, all together {result['all']:.3f}, best by {best}: "
          f"{result[best]:.3f}; chance reaches {most:.3f}")
    assert len(result) > 15, sorted(result)
    texts = {name: len({seen[name] for seen, _ in found}) for name in found[0][0] if isinstance(found[0][0][name], str)}
    assert max(texts.values()) == 1, f"not one text for all: {[n for n, c in texts.items() if c > 1]}"
    assert all(part < most for part in result.values()), {n: p for n, p in result.items() if p >= most}


def unasked_nothing_comes_to_either(stack):
    for person, watcher in stack.staying.items():
        watcher.pump(0.05)
        assert len(watcher.documents) == 1 and not watcher.open, f"{person}: {len(watcher.documents)} documents"


def feeds_of_devices_and_what_does_not_exist_tell_no_more(stack):
    found = trials(stack, 120, QUIET, DECOY, feed_of=lambda p: "dev." + serial_of(p))
    texts = {name: {seen[name] for seen, _ in found} for name in found[0][0] if isinstance(found[0][0][name], str)}
    for seen in list(texts["first notify"]):
        assert "full" in seen, seen
    replies = {re.sub(r"X-SERIAL-[qd]", "DEVICE", text) for text in texts["first notify"]}
    assert len(replies) == 1, replies
    absent = trials(stack, 60, QUIET, DECOY, feed_of=lambda p: "dev.NOSUCH")
    assert {seen["first answer"].split("\r\n")[0] for seen, _ in absent} == {"SIP/2.0 403 Not Your Feed"}
    assert len({seen["first answer"] for seen, _ in absent}) == 1
    for person in QUIET[0], DECOY[0]:
        fetched = Watcher(stack, person, password=PASSWORD, expires=0)
        assert not fetched.open and fetched.state == "terminated;reason=timeout", fetched.state


def a_query_and_a_list_are_answered_like_those_of_a_silent_device(stack):
    answers = []
    for person in (QUIET[0], DECOY[0]):
        asks = Answerer(stack, person, PASSWORD)
        known, shown = asks.query(serial_of(person), "all", "alerts", "SpO2")
        text = asks.ask(b"list", TEXT).body.decode()
        answers.append((known, shown, text))
    assert answers[0] == answers[1], answers
    assert answers[1][0]["open-alerts"][0] == "0" and answers[1][0]["state"][0] == "ok", answers[1]


def a_restart_shows_nothing_either(stack):
    watchers = list(stack.staying.values())
    kill_and_restart(stack, *watchers)
    for person, watcher in stack.staying.items():
        watcher.wait(lambda w=watcher: len(w.documents) == 2, f"{person}: what is told after a start", 10)
    shapes = {(watcher.documents[-1].state, len(watcher.documents[-1].raw), watcher.documents[-1].version)
              for watcher in watchers}
    assert len(shapes) == 1, shapes


def the_same_watcher_sees_through_a_refusal_and_through_a_real_feed(stack):
    stack.sql(f"UPDATE bmd_policy_rule SET decision = 'block' WHERE username = '{DECOY[0]}'")
    provisioned(stack)
    result = guess.guess(trials(stack, 60, QUIET[:1], DECOY[:1], busy=False))
    assert result["first answer"] > 0.95, result
    stack.sql(f"DELETE FROM bmd_policy_rule WHERE username = '{DECOY[1]}'")
    provisioned(stack)
    hand(stack, f"{serial_of(DECOY[1])} SpO2=70")
    for alert in alerts(stack, serial_of(DECOY[1])):  # or it is escalated meanwhile, and looks different
        stack.kamcmd("bmd.accept", alert["code"], DECOY[1])
    result = guess.guess(trials(stack, 60, QUIET[:1], DECOY[1:2], busy=False))
    assert result["first notify"] > 0.9 and result["first size"] > 0.9, result


def a_running_subscription_becomes_a_decoy_and_is_real_again(stack):
    person = DECOY[1]
    watcher = Watcher(stack, person, password=PASSWORD)
    serial = serial_of(person)
    watcher.wait(lambda: watcher.about(serial), "the alert")
    begun = time.time()
    stack.sql(f"INSERT INTO bmd_policy_rule (username, everything, decision) VALUES ('{person}', true, 'polite-block')")
    watcher.wait(lambda: not watcher.open, "the decoy", 2)
    assert time.time() - begun < 1 and watcher.state.startswith("active"), watcher.state
    hand(stack, f"{serial} PulseRate=200")
    watcher.quiet(0.5)
    verdict = records(stack.kamcmd("bmd.policy", person, person))[0]
    assert verdict["state"] == "decoy", verdict
    begun = time.time()
    stack.sql(f"DELETE FROM bmd_policy_rule WHERE username = '{person}'")
    watcher.wait(lambda: len(watcher.about(serial)) == 2, "both alerts", 2)
    assert time.time() - begun < 1
    for value in (97, 70, 97):
        hand(stack, f"{serial} SpO2={value} PulseRate=80")
        watcher.wait(lambda v=value: bool(watcher.open) == (v == 70), f"what {value} is")
    before = len(watcher.documents)
    for sql in (f"INSERT INTO bmd_policy_rule (username, everything, decision) VALUES ('{person}', true, 'polite-block')",
                f"DELETE FROM bmd_policy_rule WHERE username = '{person}'"):
        stack.sql(sql)
        provisioned(stack)
        watcher.quiet(0.5)
    assert len(watcher.documents) == before, "a quiet feed that became a decoy, or real again, said so"


run("decoy", [
    the_scene_is_set, in_1000_trials_the_curious_watcher_does_no_better_than_chance, unasked_nothing_comes_to_either,
    feeds_of_devices_and_what_does_not_exist_tell_no_more, a_query_and_a_list_are_answered_like_those_of_a_silent_device,
    a_restart_shows_nothing_either, the_same_watcher_sees_through_a_refusal_and_through_a_real_feed,
    a_running_subscription_becomes_a_decoy_and_is_real_again])
