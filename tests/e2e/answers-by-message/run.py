"""Answers alerts by DMP Control; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "lib"), os.path.join(HERE, "..", "hostile-bodies")]
import attacks
from answering import DMP, TEXT, Answerer, action, control, query
from scene import Watcher, add_device, alerts, hand, history, kill_and_restart, provisioned, raise_on, shown
from sip import Dialog
from stack import run, wait_until


def told(watcher, serial, timeout=5, **wanted):
    return watcher.wait(lambda: any(all(a.get(k) == v for k, v in wanted.items()) for a in watcher.about(serial)),
                        f"{serial} with {wanted} (shown: {watcher.about(serial)})", timeout)


def an_accept_is_answered_200_and_seen_at_once_by_the_other_terminal(stack):
    patient = stack.sql(f"INSERT INTO bmd_patient (name) VALUES ('{attacks.MARK}') RETURNING patient_id")[0][0]
    for serial in ("MSG-1", "MSG-2"):
        add_device(stack, serial, assign="tech1", patient=patient)
        stack.sql(f"INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', '{serial}')")
    provisioned(stack)
    stack.code = raise_on(stack, "MSG-1")
    stack.one, stack.two, stack.three = (Answerer(stack, f"tech{n}") for n in (1, 2, 3))
    stack.watcher = Watcher(stack, "tech3")
    begun = time.time()
    result = stack.one.control("MSG-1", "accept", stack.code, "on my way")
    assert (result.code, result.alert, result.device) == (200, stack.code, "MSG-1"), result
    told(stack.watcher, "MSG-1", response="accepted", by="tech1")
    assert time.time() - begun < 1, f"it took {time.time() - begun:.1f} s"
    assert stack.watcher.documents[-1].state == "partial"


def who_and_through_what_are_recorded(stack):
    def rows():
        return stack.sql("SELECT event, who, through, why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) "
                         "WHERE a.serial = 'MSG-1' ORDER BY e.revision")
    expected = [["raised", "", "", ""], ["accepted", "tech1", "dmp", "on my way"]]
    wait_until(lambda: rows() == expected, 3, "the history")


def the_same_again_is_200_and_no_new_event(stack):
    before = shown(stack, stack.code)["revision"]
    dialog = Dialog(f"sip:alert@{stack.info['domain']}")
    for _ in range(2):  # as after a lost 200: the same Call-ID, a new transaction
        reply, call_id = stack.one.send(action(control("MSG-1", "accept", stack.code)), dialog=dialog)
        assert reply.status == 200
        assert b"200 OK" in stack.one.response(call_id).body
    assert shown(stack, stack.code)["revision"] == before


def a_retransmission_is_absorbed(stack):
    before = stack.stat("answers"), stack.stat("answers_refused")
    agent, dialog = stack.one.agent, Dialog(f"sip:alert@{stack.info['domain']}")
    sent, send = [], agent.send
    agent.send = lambda text, body=b"": (sent.append((text, body)), send(text, body))
    reply, call_id = stack.one.send(action(control("*", "accept", stack.code)), dialog=dialog)
    agent.send = send
    last = [s for s in sent if s[0].startswith("MESSAGE")][-1]
    for _ in range(3):
        agent.send(*last)
    stack.one.response(call_id)
    stack.one.nothing_comes(0.5)
    assert reply.status == 200 and stack.stat("answers") == before[0] + 1, (before, stack.stat("answers"))


def a_reject_that_comes_again_when_its_transaction_is_gone_is_not_carried_out_again(stack):
    add_device(stack, "MSG-3", assign="tech1")
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', 'MSG-3')")
    provisioned(stack)
    code = raise_on(stack, "MSG-3")
    agent, sent, send = stack.one.agent, [], stack.one.agent.send
    agent.send = lambda text, body=b"": (sent.append((text, body)), send(text, body))
    assert stack.one.control("MSG-3", "reject", code).code == 200
    agent.send = send
    assert stack.three.control("MSG-3", "reject", code).code == 200
    stack.one.nothing_comes(3)  # wt_timer of tm is 2 s
    agent._seen.clear()  # the reply will be what it was
    send(*[s for s in sent if s[0].startswith("MESSAGE")][-1])
    reply = agent.wait(lambda m: not m.is_request, 3, "reply to the same MESSAGE")
    assert reply.status == 200, reply.first
    stack.one.nothing_comes(0.5)
    wait_until(lambda: [e for events in history(stack, "MSG-3") for e in events if e == "rejected"] == ["rejected"] * 2,
               3, "the history")


def what_was_recorded_and_sent_again_with_another_body_is_not_taken(stack):
    code = alerts(stack, "MSG-3")[0]["code"]
    agent, sent, send = stack.one.agent, [], stack.one.agent.send
    agent.send = lambda text, body=b"": (sent.append((text, body)), send(text, body))
    result = stack.one.control("MSG-3", "silence", code, "60")
    agent.send = send
    assert result.code == 200, result
    recorded = [s for s in sent if s[0].startswith("MESSAGE")][-1][0]
    line = next(one for one in recorded.splitlines() if one.startswith("Authorization")) + "\n"
    uri = f"sip:alert@{stack.info['domain']}"
    thief, dialog = Answerer(stack, "tech1").agent, Dialog(uri)
    thief.request("MESSAGE", uri, dialog, DMP, action(control("MSG-3", "accept", code)), authorization=line.strip())
    reply = thief.wait(lambda m: not m.is_request, 3, "reply")
    assert reply.status == 401 and "stale=true" in reply.get("www-authenticate"), reply.first
    assert shown(stack, code)["response"] != "accepted", shown(stack, code)


def who_closed_an_alert_and_says_so_again_is_told_200(stack):
    code = alerts(stack, "MSG-3")[0]["code"]
    assert stack.one.control("MSG-3", "resolve", code, "false").code == 200
    hand(stack, "MSG-3 SpO2=97")
    again = stack.one.control("MSG-3", "resolve", code, "false")
    assert (again.code, again.reason) == (200, ""), again
    assert stack.one.control("MSG-3", "resolve", code, "actionable").code == 404
    assert stack.three.control("MSG-3", "resolve", code, "false").code == 404


def a_why_that_is_too_long_is_cut_and_the_answer_counts(stack):
    hand(stack, "MSG-3 PulseRate=30")
    code = next(a["code"] for a in alerts(stack, "MSG-3") if a["metric"] == "PulseRate")
    assert stack.one.control("MSG-3", "accept", code, "\u00fc" * 60).code == 200
    wait_until(lambda: stack.sql("SELECT why FROM bmd_alert_event e JOIN bmd_alert a USING (alert_id) WHERE "
                                 "a.serial = 'MSG-3' AND event = 'accepted'") == [["\u00fc" * 47]], 3, "the reason")


def a_serial_that_came_as_a_number_and_surplus_words_are_refused_on_kamcmd(stack):
    for serial in ("12345", "0012345"):
        stack.sql(f"INSERT INTO bmd_device (serial, type_name) VALUES ('{serial}', 'Nonin oximeter')")
    provisioned(stack)
    for words in (("bmd.maintenance", "0012345", "60", "ops", "x"), ("bmd.device", "0012345"), ("bmd.alerts", "12345"),
                  ("bmd.accept", stack.code, "12", "x"), ("bmd.maintenance", "s:0012345", "60", "ops", "two", "words")):
        try:
            said = stack.kamcmd(*words)
        except AssertionError as error:
            said = str(error)
        assert "write s:" in said or "Too many words" in said, (words, said)
    stack.kamcmd("bmd.maintenance", "s:0012345", "60", "ops", "two words")
    windows = stack.kamcmd("bmd.maintenance")
    assert "device 0012345" in windows and "device 12345" not in windows, windows


def who_is_not_responsible_gets_403_and_nothing_changes(stack):
    before = shown(stack, stack.code)
    for verb in (("accept",), ("reject",), ("acknowledge",), ("resolve", "false"), ("silence", "10")):
        for device in ("MSG-1", "*"):
            result = stack.two.control(device, verb[0], stack.code, *verb[1:])
            assert result.code == 403 and "MSG-1" not in result.reason, result
    assert shown(stack, stack.code) == before


def what_is_not_legal_gets_409_with_the_reason(stack):
    before = shown(stack, stack.code)
    for verb in (("accept",), ("acknowledge",), ("resolve", "false")):
        result = stack.three.control("MSG-1", verb[0], stack.code, *verb[1:])
        assert result.code == 409 and result.reason == "accepted by tech1 already", result
    result = stack.one.control("MSG-1", "silence", stack.code, "121")
    assert result.code == 400 and "at most 120 s" in result.reason, result
    assert shown(stack, stack.code) == before


def wrong_controls_are_refused_one_by_one(stack):
    before = shown(stack, stack.code)
    unknown = "AAAAA" if stack.code != "AAAAA" else "AAAAC"
    results = stack.one.results(action(
        control("MSG-1", "explode", stack.code), control("MSG-1", "accept", unknown),
        control("MSG-2", "accept", stack.code), control("MSG-1", "resolve", stack.code, "maybe"),
        control("MSG-1", "deliver", stack.code), control("MSG-1", "call-patient", stack.code),
        control("MSG-1", "accept", stack.code)))
    assert [r.code for r in results] == [404, 404, 400, 400, 404, 501, 200], results
    assert results[2].reason == "the alert is of another device", results[2]
    assert shown(stack, stack.code) == before


def malformed_documents_are_refused_with_what_is_wrong_and_where(stack):
    for body, part in ((b"<DMPAction>\n<Device>x</Device>\n<Control/></DMPAction>", "line 3"),
                       (b"<DMPAction>", "line 1"), (b"hello", "line 1"),
                       (b"<DMPResponse/>", "a DMPResponse is not taken here"),
                       (b"<!DOCTYPE a><DMPAction/>", "document type declaration"),
                       (action(*[control("MSG-1", "accept", stack.code)] * 65), "65 entries in one MESSAGE"),
                       (action(query("MSG-1", *["SpO2"] * 129)), "129 variables")):
        reply, call_id = stack.one.send(body)
        assert reply.status == 400 and part in reply.get("warning"), (reply.first, reply.get("warning"))
    reply, _ = stack.one.send(b"")
    assert reply.status == 400 and "no body" in reply.get("warning")
    reply, _ = stack.one.send(b"x", "Content-Type: image/png\n")
    assert reply.status == 415 and "application/dmp" in reply.get("accept")
    stack.one.nothing_comes(0.3)


def hostile_bodies_do_no_harm(stack):
    before, processes = shown(stack, stack.code), stack.processes()
    taken = []
    for name in attacks.XML:
        body = attacks.xml(name)[:40000]
        for headers in (DMP, TEXT):
            reply, _ = stack.two.send(body, headers)
            assert reply.status < 500, f"{name}: {reply.first}"
            if headers == DMP and reply.status < 300:
                taken.append(name)
    assert not taken, f"answered with success: {taken}"
    for device in ("<&>\"'", "x" * 5000, "dev.MSG-1", "%s%n", "MSG-1\t", "\u00fc" * 40):
        assert stack.two.control(device, "accept", stack.code, "y" * 200).code == 403
    assert stack.two.control("*", "z" * 10000, "&" * 4000).code == 404
    assert shown(stack, stack.code) == before and stack.processes() == processes
    assert attacks.MARK not in stack.log(), "the log shows a patient's name"
    stack.two.agent.received.clear()


def without_a_password_nothing_is_taken(stack):
    stranger = Answerer(stack, "tech1", "wrong")
    reply, _ = stranger.send(action(control("MSG-1", "reject", stack.code)))
    assert reply.status == 401, reply.first
    assert shown(stack, stack.code)["response"] == "accepted"


def a_document_is_never_relayed_to_another_person(stack):
    other = stack.agent("tech2")
    assert other.register().status == 200
    reply, call_id = stack.one.send(action(control("MSG-1", "accept", stack.code)), to="tech2")
    assert reply.status == 200 and b"200 OK" in stack.one.response(call_id).body
    while other.pump(0.3):
        pass
    assert not [m for m in other.received if m.is_request], "it was relayed"


def nor_is_one_without_a_content_length(stack):
    other = stack.agent("tech2")
    agent, send = stack.one.agent, stack.one.agent.send
    agent.send = lambda text, body=b"": send("".join(
        l for l in text.splitlines(True) if not l.startswith("Content-Length")), body)
    reply, call_id = stack.one.send(action(control("MSG-1", "accept", stack.code)), to="tech2")
    agent.send = send
    assert reply.status == 200 and b"200 OK" in stack.one.response(call_id).body
    while other.pump(0.3):
        pass
    assert not [m for m in other.received if m.is_request], "it was relayed"


# remove_hf_re(), or what is done with From, left out of message.cfg
def a_text_to_another_person_names_nobody_but_its_sender(stack):
    other, agent = stack.agent("tech2"), stack.one.agent
    assert other.register().status == 200
    server = f"<sip:alert@{agent.domain}>"
    agent.display = f'"Alarm server {server}" '
    reply = agent.transact("MESSAGE", f"sip:tech2@{agent.domain}", Dialog(f"sip:tech2@{agent.domain}"), "".join(
        f"{name}: {server}\n" for name in ("P-Asserted-Identity", "p-preferred-identity", "Remote-Party-ID"))
        + "Content-Type: text/plain\n", b"all is well")
    agent.display = ""
    assert reply.status == 200, reply.first
    came = other.wait(lambda m: m.is_request and m.body == b"all is well", 5, "the text")
    assert server.encode() not in came.raw and "authorization" not in came.headers, came.raw
    assert came.headers["from"] == [f"<sip:tech1@{agent.domain}>;tag=" + came.get("from").partition(";tag=")[2]], came.raw


def an_answer_before_kill_9_is_the_same_answer_after_it(stack):
    code = raise_on(stack, "MSG-2")
    dialog = Dialog(f"sip:alert@{stack.info['domain']}")
    body = action(control("MSG-2", "accept", code))
    assert stack.three.send(body, dialog=dialog)[0].status == 200
    wait_until(lambda: history(stack, "MSG-2") == [["raised", "accepted"]], 3, "the history")
    kill_and_restart(stack, stack.watcher)
    reply, call_id = stack.three.send(body, dialog=dialog)
    stack.three.response(call_id)
    again = stack.three.response(call_id)
    assert reply.status == 200 and b"200 OK" in again.body, again.body
    stack.three.nothing_comes(0.2)
    assert history(stack, "MSG-2") == [["raised", "accepted"]], history(stack, "MSG-2")
    told(stack.watcher, "MSG-2", 10, response="accepted", by="tech3")


def every_other_answer_does_what_it_says(stack):
    assert stack.one.control("MSG-1", "silence", stack.code, "60").code == 200
    told(stack.watcher, "MSG-1", response="accepted")
    assert shown(stack, stack.code)["silenced_until"] != ""
    assert stack.one.control("MSG-1", "reject", stack.code, "stuck").code == 200
    told(stack.watcher, "MSG-1", response="rejected", by="tech1")
    assert stack.three.control("MSG-1", "acknowledge", stack.code.lower()).code == 200
    told(stack.watcher, "MSG-1", response="acknowledged", by="tech3")
    assert stack.three.control("MSG-1", "resolve", shown(stack, stack.code)["id"], "false").code == 200
    told(stack.watcher, "MSG-1", outcome="false")
    hand(stack, "MSG-1 SpO2=97")
    stack.watcher.wait(lambda: not stack.watcher.about("MSG-1"), "its end")


def a_query_tells_values_limits_and_open_alerts(stack):
    hand(stack, "MSG-2 SpO2=79 PulseRate=71")
    known, open_alerts = stack.one.query("MSG-2", "SpO2", "PulseRate", "patient", "etCO2", "Nonsense", "alerts")
    value, code, reading = known["SpO2"]
    assert (value, code, reading["low"], reading["state"], reading["unit"]) == ("79", 200, "90", "low", "%"), known
    assert reading["measured"].endswith("Z") and known["PulseRate"][2]["high"] == "120", known
    assert known["patient"][:2] == (attacks.MARK, 200)
    assert known["etCO2"][:2] == ("", 408) and known["Nonsense"][:2] == ("", 404), known
    assert known["alerts"][0] == "1" and open_alerts[0]["response"] == "accepted", (known, open_alerts)
    known, _ = stack.one.query("MSG-2", "all", "all")
    assert known["state"][0] == "ok" and known["device-type"][0] == "Nonin oximeter" and "SpO2" in known, known


def what_is_too_long_for_datagrams_is_refused_with_what_to_do(stack):
    stack.sql("INSERT INTO bmd_device (serial, type_name, location) SELECT 'MSG-4', 'Nonin oximeter', repeat('x', 90)")
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech1', 'MSG-4')")
    provisioned(stack)
    hand(stack, "MSG-4 SpO2=97 PulseRate=70")
    names = ["all", "values", "SpO2", "PulseRate", "patient", "location"] + [f"{'x' * 60}{n}" for n in range(110)]
    known, _ = stack.one.query("MSG-4", *names)
    assert {code for _, code, _ in known.values()} == {413}, known
    known, _ = stack.one.query("MSG-4", "all", "location", "location", "all")
    assert known["location"][:2] == ("x" * 90, 200), known


def who_is_not_entitled_does_not_learn_whether_the_device_exists(stack):
    bodies = []
    for device in ("MSG-2", "MSG-9"):
        response = stack.two.ask(action(query(device, "all", "SpO2", "alerts"))).body
        bodies.append(response.replace(device.encode(), b"DEVICE"))
    assert bodies[0] == bodies[1] and bodies[0].count(b"403 Forbidden") == 3, bodies


def a_lost_assignment_counts_at_once(stack):
    code = alerts(stack, "MSG-2")[0]["code"]
    stack.sql("DELETE FROM bmd_assignment WHERE username = 'tech3' AND serial = 'MSG-2'")
    wait_until(lambda: stack.three.control("MSG-2", "reject", code).code == 403, 3, "403")


def the_script_reads_what_was_answered(stack):
    assert "answered a Control with 403 Forbidden" in stack.log() and "answered a Query with 200 OK" in stack.log()


def the_statistics_count(stack):
    text = stack.kamcmd("stats.get_statistics", "dmp:")
    counted = dict(line.strip().split(" = ") for line in text.replace("dmp:", "").splitlines() if " = " in line)
    assert int(counted["queries"]) == 6 and int(counted["controls"]) > 0, counted
    assert int(counted["responses_lost"]) == 0, counted


run("answers-by-message", [
    an_accept_is_answered_200_and_seen_at_once_by_the_other_terminal, who_and_through_what_are_recorded,
    the_same_again_is_200_and_no_new_event, a_retransmission_is_absorbed,
    a_reject_that_comes_again_when_its_transaction_is_gone_is_not_carried_out_again,
    what_was_recorded_and_sent_again_with_another_body_is_not_taken,
    who_closed_an_alert_and_says_so_again_is_told_200, a_why_that_is_too_long_is_cut_and_the_answer_counts,
    a_serial_that_came_as_a_number_and_surplus_words_are_refused_on_kamcmd,
    who_is_not_responsible_gets_403_and_nothing_changes, what_is_not_legal_gets_409_with_the_reason,
    wrong_controls_are_refused_one_by_one, malformed_documents_are_refused_with_what_is_wrong_and_where,
    hostile_bodies_do_no_harm, without_a_password_nothing_is_taken, a_document_is_never_relayed_to_another_person, nor_is_one_without_a_content_length,
    a_text_to_another_person_names_nobody_but_its_sender,
    an_answer_before_kill_9_is_the_same_answer_after_it, every_other_answer_does_what_it_says,
    a_query_tells_values_limits_and_open_alerts, what_is_too_long_for_datagrams_is_refused_with_what_to_do,
    who_is_not_entitled_does_not_learn_whether_the_device_exists,
    a_lost_assignment_counts_at_once, the_script_reads_what_was_answered, the_statistics_count], errors_expected=True)
