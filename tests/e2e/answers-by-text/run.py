"""Answers alerts with a stock softphone and with sipp; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from answering import TEXT, Answerer, old_enough
from baresip import Baresip
from scene import Watcher, add_device, alerts, hand, history, kill_and_restart, no_device_falls_silent_meanwhile, provisioned, raise_on, shown
from sip import Dialog
from stack import free_port, run, wait_until

PASSWORD = "a list of nine"


def a_phone_accepts_with_ok_and_the_code_and_every_terminal_sees_it(stack):
    for serial in ("TEXT-1", "TEXT-2", "TEXT-3"):
        add_device(stack, serial, assign="tech1", location="bedroom")
        stack.sql(f"INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', '{serial}')")
    provisioned(stack)
    stack.code = raise_on(stack, "TEXT-1")
    stack.watcher = Watcher(stack, "tech3")
    stack.phone = Baresip(stack, "tech1")
    text = stack.phone.told(f"ok {stack.code}", f"{stack.code} accepted by you")
    assert "SpO2 80" in text and "TEXT-1" in text, text
    stack.watcher.wait(lambda: any(a.get("by") == "tech1" for a in stack.watcher.about("TEXT-1")), "who accepted")
    wait_until(lambda: stack.sql("SELECT who, through FROM bmd_alert_event WHERE event = 'accepted'")
               == [["tech1", "text"]], 3, "the history")


def an_unknown_code_and_what_is_no_answer_change_nothing(stack):
    before = shown(stack, stack.code)
    unknown = "AAAAA" if stack.code != "AAAAA" else "AAAAC"
    text = stack.phone.told(f"done {unknown}", "no alert that is open has this code")
    assert stack.code in text and "Nothing was changed" in text, text
    for words in (f"ok no {stack.code}", "not ok", f"please do not accept {stack.code}", "hello"):
        text = stack.phone.told(words, "Not understood")
        assert "Nothing was changed" in text, text
    assert shown(stack, stack.code) == before


def help_and_list_say_what_can_be_said(stack):
    assert "I see to it" in stack.phone.told("Hilfe?", "done CODE")
    assert stack.code in stack.phone.told("list", "Open alerts: 1")


def every_other_word_does_what_it_says(stack):
    stack.phone.told(f"silence {stack.code} 60", "silenced for 60 s")
    stack.phone.told(f"{stack.code} nein", "rejected by you")
    stack.phone.told(f"Übernehme {stack.code}", "accepted by you")
    stack.phone.told(f"erledigt {stack.code} fehlalarm", "resolved by you: false")
    wait_until(lambda: history(stack, "TEXT-1") == [["raised", "accepted", "silenced", "rejected", "accepted",
                                                     "resolved"]], 3, "the history")
    hand(stack, "TEXT-1 SpO2=97")


def somebody_elses_alert_is_not_answered(stack):
    code = raise_on(stack, "TEXT-2")
    stack.two = Answerer(stack, "tech2")
    text = stack.two.text(f"ok {code}")
    assert "not yours to answer" in text and "TEXT-2" not in text, text
    assert "No open alert of yours" in stack.two.text("list")
    assert shown(stack, code)["response"] == "none"


def without_a_code_the_only_alert_is_meant(stack):
    stack.one = Answerer(stack, "tech1")
    code = alerts(stack, "TEXT-2")[0]["code"]
    old_enough(shown(stack, code))
    dialog = Dialog(f"sip:alert@{stack.info['domain']}")

    def ok():
        reply, call_id = stack.one.send(b"ok", TEXT, dialog=dialog)
        assert reply.status == 200, reply.first
        return stack.one.response(call_id).body.decode()
    text = ok()
    assert f"{code} accepted by you" in text, text
    # the same again, as after a lost 200, is no news, and reaches no other alert
    before = shown(stack, code)["revision"]
    text = ok()
    assert f"{code} accepted by you" in text and shown(stack, code)["revision"] == before, text
    other = raise_on(stack, "TEXT-3")
    text = ok()  # nobody has read of the new one yet
    assert f"{code} accepted by you" in text, text
    old_enough(shown(stack, other))
    text = ok()
    assert "Which one?" in text and code in text and other in text, text
    assert shown(stack, other)["response"] == "none"


def where_several_may_be_meant_the_codes_are_listed_also_after_kill_9(stack):
    wait_until(lambda: history(stack, "TEXT-3") == [["raised"]], 3, "the history")
    wait_until(lambda: history(stack, "TEXT-2") == [["raised", "accepted"]], 3, "the history")
    kill_and_restart(stack, stack.watcher)
    text = stack.one.text("ok")
    assert "Which one?" in text and all(alerts(stack, s)[0]["code"] in text for s in ("TEXT-2", "TEXT-3")), text
    text = stack.one.text("done")
    assert "TEXT-3" not in text and "TEXT-2" in text, text  # only what tech1 holds can be done


def a_text_that_comes_again_reaches_no_other_alert_though_its_own_is_over(stack):
    for serial in ("AGAIN-1", "AGAIN-2", "AGAIN-3"):
        add_device(stack, serial, assign="tech2")
    two = stack.two
    first = raise_on(stack, "AGAIN-1")
    text = two.text("ok")
    assert "wants its code" in text and shown(stack, first)["response"] == "none", text
    old_enough(shown(stack, first))
    assert f"{first} accepted by you" in two.text("ok")
    hand(stack, "AGAIN-1 SpO2=97")
    second = raise_on(stack, "AGAIN-2")
    old_enough(shown(stack, second))
    text = two.text("ok")  # the same text, sent again by a phone that did not get its 200
    assert "Which one?" in text and first in text and second in text, text
    assert shown(stack, second)["response"] == "none"
    assert f"{second} rejected by you" in two.text("no")
    stack.kamcmd("bmd.accept", second, "tech1")
    third = raise_on(stack, "AGAIN-3")
    old_enough(shown(stack, third))
    text = two.text("no")
    assert "Which one?" in text and second in text and third in text, text
    assert shown(stack, third)["response"] == "none" and shown(stack, second)["by"] == "tech1"


def what_was_closed_by_this_person_is_closed_when_it_is_said_again(stack):
    code = alerts(stack, "AGAIN-3")[0]["code"]
    assert f"{code} acknowledged by you" in stack.two.text(f"ack {code}")
    hand(stack, "AGAIN-3 SpO2=97")
    text = stack.two.text(f"ack {code}")
    assert f"{code} acknowledged by you" in text and "AGAIN-3" in text, text
    assert "no alert that is open" in stack.two.text(f"done {code}")
    assert "no alert that is open" in stack.one.text(f"ack {code}")


def the_list_begins_with_what_nobody_has_taken_and_has_pages(stack):
    stack.sql("INSERT INTO bmd_technician (username) VALUES ('tech4'); "
              f"SELECT bmd_set_password('tech4', '{stack.info['domain']}', '{PASSWORD}')")
    for n in range(1, 10):
        stack.sql(f"INSERT INTO bmd_device (serial, type_name) VALUES ('LIST-{n}', 'Nonin oximeter'); "
                  f"INSERT INTO bmd_assignment (username, serial) VALUES ('tech4', 'LIST-{n}')")
    provisioned(stack)
    for n in range(1, 10):
        hand(stack, f"LIST-{n} SpO2=80" if n < 3 else f"LIST-{n} PulseRate=200")
    four = Answerer(stack, "tech4", PASSWORD)
    four.control("LIST-1", "accept", alerts(stack, "LIST-1")[0]["code"])
    lines = four.text("list").splitlines()
    assert lines[0] == "Open alerts: 9" and "HIGH SpO2" in lines[1] and "LIST-2" in lines[1], lines
    assert len(lines) == 10 and lines[-1] == "and 1 more: list 2" and "LIST-3" in lines[2], lines
    lines = four.text("list 2").splitlines()
    assert len(lines) == 2 and "LIST-1" in lines[1] and "accepted by tech4" in lines[1], lines


def odd_bodies_are_answered_and_change_nothing(stack):
    def taken():
        return [shown(stack, alerts(stack, "TEXT-3")[0]["code"])[k] for k in ("by", "silenced_until", "outcome")]
    before = taken()
    four = Answerer(stack, "tech4", PASSWORD)
    for body in (b"\0\0\0\0", b"\xff\xfe\xfd", b"ok\x1b[2J", b"%s%n%d", b"ok " * 400, "\U0001F44D".encode(), b"'; --"):
        reply, call_id = four.send(body, TEXT)
        assert reply.status == 200, (body, reply.first)
    reply, _ = four.send(b"o" * 1301, TEXT)
    assert reply.status == 413, reply.first
    assert taken() == before


def who_only_babbles_is_refused_and_an_answer_still_gets_its_own(stack):
    three = Answerer(stack, "tech3")
    replies = [three.send(b"I am away from my desk", TEXT)[0] for _ in range(25)]
    while three.agent.pump(0.2):
        pass
    texts = [m for m in three.agent.received if m.is_request and m.method == "MESSAGE"]
    taken = [r for r in replies if r.status == 200]
    assert len(taken) == len(texts) and 10 <= len(texts) <= 20, f"{len(taken)} times 200, {len(texts)} texts to 25"
    refused = [r for r in replies if r.status == 503]
    assert len(taken) + len(refused) == 25 and all(1 <= int(r.get("retry-after")) <= 61 for r in refused), replies
    three.agent.received.clear()
    code = alerts(stack, "TEXT-3")[0]["code"]
    assert f"{code} accepted by you" in three.text(f"ok {code}")


def sipp_answers_with_a_text_of_every_common_form(stack):
    code = alerts(stack, "TEXT-3")[0]["code"]
    known = {t["username"]: t["password"] for t in stack.info["technicians"]}
    path = os.path.join(stack.dir, "sipp.csv")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        file.write("SEQUENTIAL\n")
        for kind, how in (("text/plain", "format=flowed"), ("text/plain", "charset=UTF-8"), ("TEXT/PLAIN ", " charset=us-ascii")):
            file.write(f"tech3;[authentication username=tech3 password={known['tech3']}];{kind};silence {code} 60;{how}\n")
    errors = stack.dir + "/sipp.errors"
    done = subprocess.run(
        ["sipp", f"{stack.server[0]}:{stack.info['md5_port']}", "-sf", f"{HERE}/answer.xml", "-inf", path, "-key", "domain",
         stack.info["domain"], "-i", "127.0.0.1", "-p", str(free_port()), "-m", "3", "-l", "1", "-recv_timeout",
         "3000", "-timeout", "20s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", errors],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=40, cwd=stack.dir)
    said = open(errors, errors="replace").read()[-900:] if os.path.exists(errors) else ""
    assert done.returncode == 0, f"sipp ends with {done.returncode}: {said}"
    wait_until(lambda: shown(stack, code)["silenced_until"] != "", 2, "the silence")


run("answers-by-text", [
    no_device_falls_silent_meanwhile,
    a_phone_accepts_with_ok_and_the_code_and_every_terminal_sees_it,
    an_unknown_code_and_what_is_no_answer_change_nothing, help_and_list_say_what_can_be_said,
    every_other_word_does_what_it_says, somebody_elses_alert_is_not_answered,
    without_a_code_the_only_alert_is_meant, where_several_may_be_meant_the_codes_are_listed_also_after_kill_9,
    a_text_that_comes_again_reaches_no_other_alert_though_its_own_is_over,
    what_was_closed_by_this_person_is_closed_when_it_is_said_again,
    the_list_begins_with_what_nobody_has_taken_and_has_pages, odd_bodies_are_answered_and_change_nothing,
    who_only_babbles_is_refused_and_an_answer_still_gets_its_own,
    sipp_answers_with_a_text_of_every_common_form], "--md5-port", str(free_port()), errors_expected=True)
