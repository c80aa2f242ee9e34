"""Alerts by text; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import BMD, TEXT, Answerer, action, query
from baresip import Baresip
from scene import Watcher, add_device, alerts, hand, kill_and_restart, no_device_falls_silent_meanwhile, records, setting, stats
from sip import Dialog, Message
from stack import free_port, run, wait_until

PLACE = "Wäschekammer 夜 2"


def is_text(part):
    return lambda m: m.is_request and m.method == "MESSAGE" and part.encode() in m.body


def texts(agent, part=""):
    """Bodies of the texts that have come and were not taken yet."""
    agent.pump(0)
    return [m.body.decode() for m in agent.received if is_text(part)(m)]


def text(agent, part, timeout=5):
    return agent.wait(is_text(part), timeout, f"a text with {part!r}")


def no_text(agent, part, seconds):
    until = time.time() + seconds
    while time.time() < until:
        agent.pump(0.05)
    assert not texts(agent, part), texts(agent, part)


def person(stack, user):
    """One more technician; the password."""
    password = f"the secret of {user}"
    stack.sql(f"INSERT INTO bmd_technician (username, full_name) VALUES ('{user}', '{user}');"
              f"SELECT bmd_set_password('{user}', '{stack.info['domain']}', '{password}')")
    return password


def phone(stack, user, status=200, password=None):
    agent = stack.agent(user, password)
    agent.notify_status = 200
    reply = agent.register()
    assert reply.status == 200, reply.first
    agent.notify_status = status
    return agent


def raised(stack, serial, values="SpO2=80"):
    """The alert of a device, and when it was raised."""
    at = time.time()
    hand(stack, f"{serial} {values}")
    return alerts(stack, serial)[0], at


def deliveries(stack, serial, way="message"):
    return [(row[0], int(row[1]), row[2]) for row in stack.sql(
        "SELECT d.username, d.code, d.terminal FROM bmd_delivery d JOIN bmd_alert USING (alert_id) "
        f"WHERE serial = '{serial}' AND way = '{way}' ORDER BY d.answered_at")]


def in_time(stack, message, serial, user, terminal, since):
    """The times of the text that came as `message`: asked for, sent, come, answered, in this order."""
    row = stack.sql("SELECT extract(epoch FROM d.sent_at), extract(epoch FROM d.answered_at) FROM bmd_delivery d "
                    f"JOIN bmd_alert USING (alert_id) WHERE serial = '{serial}' AND username = '{user}' "
                    f"AND way = 'message' AND terminal = '{terminal}'")
    assert len(row) == 1, row
    times = [since, float(row[0][0]), message.at, float(row[0][1]), time.time()]
    assert times == sorted(times), times
    assert times[3] - message.at < 1, times


def recorded(stack, serial, *expected):
    wait_until(lambda: deliveries(stack, serial) == list(expected), 4,
               f"{expected}; there is {deliveries(stack, serial)}")


def delivered_to(stack, code):
    return records(stack.kamcmd("bmd.alert", code))[0]["delivered_to"]


def assigned(stack, serial, *users, **columns):
    add_device(stack, serial, **columns)
    for user in users:
        stack.sql(f"INSERT INTO bmd_assignment (username, serial) VALUES ('{user}', '{serial}')")
    wait_until(lambda: set(users) <= set(re.findall(r"\w+", str(records(stack.kamcmd("bmd.dry-run", serial))))), 3,
               "those responsible")


def only_the_first_step_calls_anybody(stack):
    before = stack.stat("sync_changes")
    stack.sql("BEGIN; INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('once', '1 hour');"
              "INSERT INTO bmd_escalation_step (policy_id, position, after, whom, how) SELECT policy_id, 0, '0', "
              "'responsible', '{subscribe,message}' FROM bmd_escalation_policy; COMMIT")
    wait_until(lambda: stack.stat("sync_changes") > before, 3, "the policy")


def who_has_no_subscription_gets_a_text_at_once(stack):
    assigned(stack, "TXT-1", "tech1", location=PLACE)
    stack.one = phone(stack, "tech1")
    alert, at = raised(stack, "TXT-1")
    message = text(stack.one, "TXT-1")
    assert message.at - at < 1, message.at - at
    assert message.body.decode().split("\n")[:3] == ["HIGH SpO2 80 % low, limit 90 %", "TXT-1", PLACE], message.body
    assert f"ok {alert['code']}" in message.body.decode() and len(message.body) <= 1300, message.body
    assert message.get("content-type") == "text/plain;charset=utf-8", message.get("content-type")
    assert f"sip:alert@{stack.info['domain']}" in message.get("from"), message.get("from")
    assert message.get("priority") == "emergency", message.get("priority")
    recorded(stack, "TXT-1", ("tech1", 200, stack.one.contact))
    in_time(stack, message, "TXT-1", "tech1", stack.one.contact, at)
    assert delivered_to(stack, alert["code"]).startswith("tech1 by message 20"), delivered_to(stack, alert["code"])
    stack.code = alert["code"]


def a_new_terminal_gets_what_is_outstanding_once_and_the_old_one_nothing(stack):
    stack.two = phone(stack, "tech1")
    at = time.time()
    message = text(stack.two, "TXT-1")
    # the 2 s in which it may still subscribe are meant so
    assert message.at - at < 3, f"{message.at - at:.1f} s after it has registered"
    recorded(stack, "TXT-1", ("tech1", 200, stack.one.contact), ("tech1", 200, stack.two.contact))
    for agent in (stack.one, stack.two):
        assert agent.register().status == 200
    no_text(stack.two, "", 3)
    no_text(stack.one, "", 0)


def a_terminal_that_subscribes_gets_no_text(stack):
    assigned(stack, "TXT-2", "tech3")
    hand(stack, "TXT-2 SpO2=80")
    watcher = Watcher(stack, "tech3")
    assert watcher.agent.register().status == 200
    watcher.wait(lambda: watcher.about("TXT-2"), "the alert")
    no_text(watcher.agent, "", 3)
    hand(stack, "TXT-2 SpO2=98")
    watcher.agent.subscribe(dialog=watcher.dialog, expires=0)
    assert watcher.agent.register(expires=0).status == 200


def who_accepts_by_text_is_told_to_the_others_and_seen(stack):
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech2', 'TXT-1')")
    stack.other = phone(stack, "tech2")
    text(stack.other, "TXT-1")
    wait_until(lambda: "tech2 by message" in delivered_to(stack, stack.code), 2, "that tech2 has it")
    stack.baresip = baresip = Baresip(stack, "tech1")
    for part in ("HIGH SpO2 80 % low, limit 90 %", "TXT-1", PLACE, f"ok {stack.code}"):
        wait_until(lambda p=part: p in baresip.text(), 5, f"'{part}' on baresip")
    wait_until(lambda: len(deliveries(stack, "TXT-1")) == 4, 3, "the outcome at baresip")
    assert {code for _, code, _ in deliveries(stack, "TXT-1")} == {200}, deliveries(stack, "TXT-1")
    baresip.told(f"ok {stack.code}", f"{stack.code} accepted by you")
    at = time.time()
    told = text(stack.other, "taken by tech1")
    assert told.at - at < 1 and stack.code in told.body.decode(), told.body
    assert records(stack.kamcmd("bmd.alert", stack.code))[0]["seen_by"] == "tech1"
    no_text(stack.one, "taken", 0.5)


def who_hands_it_back_makes_it_wait_again(stack):
    answerer = Answerer(stack, "tech1")
    assert "rejected by you" in answerer.text(f"no {stack.code}")
    text(stack.other, "HIGH SpO2 80 % low")


def the_end_is_told_when_it_stays(stack):
    hand(stack, "TXT-1 SpO2=98")
    hand(stack, "TXT-1 SpO2=80")  # it comes back at once: nobody is told
    no_text(stack.other, "over", 6)
    hand(stack, "TXT-1 SpO2=98")
    at = time.time()
    told = text(stack.other, "over: HIGH SpO2", 8)
    assert 4 < told.at - at < 6.5, told.at - at
    wait_until(lambda: "over: HIGH SpO2" in stack.baresip.text(), 3, "the end on baresip")


def without_a_terminal_it_is_owed_also_after_kill_9(stack):
    assigned(stack, "TXT-3", "tech3")
    hand(stack, "TXT-3 SpO2=80")
    recorded(stack, "TXT-3", ("tech3", 480, ""))
    kill_and_restart(stack)
    stack.three = phone(stack, "tech3")
    text(stack.three, "TXT-3")
    wait_until(lambda: ("tech3", 200, stack.three.contact) in deliveries(stack, "TXT-3"), 3, "its outcome")


def what_was_not_taken_before_kill_9_comes_after_it_and_nothing_else(stack):
    for serial in ("TXT-C", "TXT-4"):
        assigned(stack, serial, "tech3", "tech1")
    hand(stack, "TXT-C SpO2=80")
    for agent in (stack.one, stack.two, stack.three):
        wait_until(lambda a=agent: (a.user, 200, a.contact) in deliveries(stack, "TXT-C"), 4, f"TXT-C to {agent.user}")
    Answerer(stack, "tech3").text(f"done {alerts(stack, 'TXT-C')[0]['code']}")
    for agent in (stack.one, stack.two):
        wait_until(lambda a=agent: deliveries(stack, "TXT-C").count(("tech1", 200, a.contact)) == 2, 4,
                   "that tech1 is told who did it")
    stack.three.notify_status = 0
    hand(stack, "TXT-4 SpO2=80")
    for agent in (stack.one, stack.two):  # both contacts of tech1
        message = text(agent, "TXT-4")
        assert message.body.startswith(b"HIGH SpO2 80 % low"), message.body
        wait_until(lambda a=agent: ("tech1", 200, a.contact) in deliveries(stack, "TXT-4"), 3, "the outcome of tech1")
    stack.kill9()
    stack.three.pump(0)
    stack.three.received.clear()
    stack.three._seen.clear()
    stack.one.received.clear()
    stack.two.received.clear()
    stack.three.notify_status = 200
    stack.restart()
    text(stack.three, "TXT-4", 10)
    no_text(stack.three, "TXT-3", 2)
    no_text(stack.one, "", 0)
    no_text(stack.two, "", 0)


def what_is_closed_is_over_at_once_also_for_who_was_told_before_kill_9(stack):
    code, at = alerts(stack, "TXT-C")[0]["code"], time.time()
    hand(stack, "TXT-C SpO2=98")
    told = text(stack.one, "over", 4)
    assert code in told.body.decode() and told.at - at < 2, (told.body, told.at - at)


def a_terminal_that_comes_back_to_life_gets_it_with_its_next_refresh(stack):
    assigned(stack, "TXT-5", "tech3")
    stack.three.notify_status = 0
    hand(stack, "TXT-5 SpO2=80")
    wait_until(lambda: ("tech3", 408, stack.three.contact) in deliveries(stack, "TXT-5"), 12, "408")
    stack.three.pump(0)
    stack.three.received.clear()
    stack.three.notify_status = 200
    assert stack.three.register().status == 200
    text(stack.three, "TXT-5")


def a_text_that_is_not_understood_is_an_outcome_and_no_loop(stack):
    assigned(stack, "TXT-6", "tech3")
    stack.three.notify_status = 415
    hand(stack, "TXT-6 SpO2=80")
    recorded(stack, "TXT-6", ("tech3", 415, stack.three.contact))
    assert stack.three.register().status == 200
    time.sleep(3)
    recorded(stack, "TXT-6", ("tech3", 415, stack.three.contact))
    stack.three.notify_status = 200


def an_unanswered_notify_is_followed_by_a_text_within_a_second(stack):
    assigned(stack, "TXT-7", "tech2")
    silent = Watcher(stack, "tech2")
    silent.agent.notify_status = 0
    alert, _ = raised(stack, "TXT-7")
    told = text(stack.other, "TXT-7", 12)
    answered = wait_until(lambda: stack.sql(
        "SELECT extract(epoch FROM d.answered_at) FROM bmd_delivery d JOIN bmd_alert USING (alert_id) "
        "WHERE serial = 'TXT-7' AND way = 'subscription' AND d.code = 408"), 3, "the 408")
    late = told.at - float(answered[0][0])
    assert -0.1 < late < 1, late
    # the next one does not wait for a NOTIFY that nobody answers
    assigned(stack, "TXT-8", "tech2")
    _, at = raised(stack, "TXT-8")
    assert text(stack.other, "TXT-8").at - at < 1
    stack.other.received.clear()
    silent.agent.pump(0)
    silent.agent._seen.clear()
    silent.agent.notify_status = 200
    wait_until(lambda: "tech2 by subscription" in delivered_to(stack, alert["code"]), 25, "the NOTIFY told again")
    silent.agent.subscribe(dialog=silent.dialog, expires=0)
    again = [words for words in texts(stack.other) if "TXT-7" in words or "TXT-8" in words]
    assert not again, again  # other devices may have fallen silent by now


class TcpPhone:
    """Takes texts over TCP."""

    def __init__(self, stack, user):
        self.bodies = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        agent = stack.agent(user)
        agent.contact = f"sip:{user}@127.0.0.1:{self.listener.getsockname()[1]};transport=tcp"
        self.contact = agent.contact
        threading.Thread(target=self._serve, daemon=True).start()
        assert agent.register().status == 200

    def _serve(self):
        while True:  # the server ends a connection that is idle, and opens another
            connection, _ = self.listener.accept()
            data = b""
            while part := connection.recv(65535):
                data += part
                while (rest := self._take(connection, data)) is not None:
                    data = rest

    def _take(self, connection, data):
        """Answers the first message; what follows it, None when it is not whole."""
        head, end, body = data.partition(b"\r\n\r\n")
        size = re.search(rb"(?mi)^Content-Length: *(\d+)", head)
        if not end or len(body) < int(size.group(1)):
            return None
        message = Message(data[:len(data) - len(body) + int(size.group(1))])
        self.bodies.append(message.body)
        vias = "".join(f"Via: {v}\r\n" for v in message.headers["via"])
        connection.sendall((f"SIP/2.0 200 OK\r\n{vias}From: {message.get('from')}\r\nTo: {message.get('to')};tag=1\r\n"
                            f"Call-ID: {message.get('call-id')}\r\nCSeq: {message.get('cseq')}\r\n"
                            "Content-Length: 0\r\n\r\n").encode())
        return body[int(size.group(1)):]


def a_terminal_on_tcp_gets_it_over_tcp(stack):
    tcp = TcpPhone(stack, "tech2")
    wait_until(lambda: any(b"TXT-7" in b for b in tcp.bodies), 5, "what is outstanding")
    wait_until(lambda: ("tech2", 200, tcp.contact) in deliveries(stack, "TXT-7"), 3, "its outcome")


def a_terminal_with_a_name_for_an_address_is_reached_where_it_registered_from(stack):
    assigned(stack, "TXT-9", "tech3")
    agent = stack.agent("tech3")
    agent.contact = "sip:tech3@phone.invalid:5060"
    assert agent.register().status == 200
    hand(stack, "TXT-9 SpO2=80")
    text(agent, "TXT-9")
    wait_until(lambda: ("tech3", 200, agent.contact) in deliveries(stack, "TXT-9"), 3, "its outcome")


def a_query_and_a_rejection_count_as_seen(stack):
    code = alerts(stack, "TXT-7")[0]["code"]
    Answerer(stack, "tech2").query("TXT-7", "alerts")
    wait_until(lambda: records(stack.kamcmd("bmd.alert", code))[0]["seen_by"] == "tech2", 2, "seen")
    code = alerts(stack, "TXT-8")[0]["code"]
    assert "rejected" in Answerer(stack, "tech2").text(f"no {code}")
    assert records(stack.kamcmd("bmd.alert", code))[0]["seen_by"] == "tech2"
    pages = Answerer(stack, "tech2").pages(action(query("TXT-8", "deliveries")))
    shown = [child.find(BMD + "alert") for child in pages if child.tag == "Notify"]
    known = records(stack.kamcmd("bmd.alert", code))[0]
    assert [(a.findtext(BMD + "delivered"), a.findtext(BMD + "seen")) for a in shown] == \
        [(known["delivered_to"], "tech2")], (pages, known)


def of_many_the_most_urgent_ten_come_and_a_count_of_the_others(stack):
    password = person(stack, "tech4")
    for number in range(13):
        assigned(stack, f"MANY-{number}", "tech4")
    hand(stack, "\n".join(f"MANY-{number} SpO2={70 + number}" for number in range(12)))
    hand(stack, "MANY-12 PulseRate=140")
    wait_until(lambda: sum(len(deliveries(stack, f"MANY-{number}")) for number in range(13)) == 13, 8, "480 of each")
    agent = phone(stack, "tech4", password=password)
    text(agent, "3 more alerts wait")
    found = texts(agent, "MANY")
    assert len(found) == 10 and all(t.startswith("HIGH") for t in found), found
    no_text(agent, "MANY-12", 1)


def a_storm_is_no_flood_of_texts_and_high_priority_is_not_held_back(stack):
    setting(stack, "messages_per_minute", 2)
    password = person(stack, "tech5")
    for number in range(5):
        assigned(stack, f"STORM-{number}", "tech5")
    agent = phone(stack, "tech5", password=password)
    before = stats(stack)["messages_held"]
    for number in range(5):
        hand(stack, f"STORM-{number} PulseRate=140")
    hand(stack, "STORM-0 SpO2=80")
    text(agent, "HIGH SpO2")
    wait_until(lambda: stats(stack)["messages_held"] == before + 3, 3, "three texts held back")
    assert len(texts(agent, "STORM")) == 2, texts(agent)
    counted = text(agent, " more alerts wait", 65).body.decode()
    assert int(counted.split()[0]) >= 3, counted  # by then the devices are silent as well


def no_text_was_answered_before_it_was_sent(stack):
    wrong = stack.sql("SELECT username, sent_at, answered_at FROM bmd_delivery WHERE way = 'message' AND "
                      "(answered_at < sent_at OR answered_at > now() OR sent_at < now() - interval '10 min')")
    assert not wrong, wrong


def the_view_says_who_was_told_by_what_way(stack):
    rows = stack.sql("SELECT username, way, delivered_at IS NOT NULL, last_code, terminals FROM bmd_alert_delivery "
                     "JOIN bmd_alert USING (alert_id) WHERE serial = 'TXT-4' AND condition = 'low' ORDER BY username")
    assert [row[:4] for row in rows] == [["tech1", "message", "t", "200"], ["tech3", "message", "t", "200"]], rows


run("reached-by-message", [
    no_device_falls_silent_meanwhile, only_the_first_step_calls_anybody, who_has_no_subscription_gets_a_text_at_once,
    a_new_terminal_gets_what_is_outstanding_once_and_the_old_one_nothing, a_terminal_that_subscribes_gets_no_text,
    who_accepts_by_text_is_told_to_the_others_and_seen, who_hands_it_back_makes_it_wait_again,
    the_end_is_told_when_it_stays, without_a_terminal_it_is_owed_also_after_kill_9,
    what_was_not_taken_before_kill_9_comes_after_it_and_nothing_else,
    what_is_closed_is_over_at_once_also_for_who_was_told_before_kill_9,
    a_terminal_that_comes_back_to_life_gets_it_with_its_next_refresh,
    a_text_that_is_not_understood_is_an_outcome_and_no_loop,
    an_unanswered_notify_is_followed_by_a_text_within_a_second, a_terminal_on_tcp_gets_it_over_tcp,
    a_terminal_with_a_name_for_an_address_is_reached_where_it_registered_from,
    a_query_and_a_rejection_count_as_seen, of_many_the_most_urgent_ten_come_and_a_count_of_the_others,
    a_storm_is_no_flood_of_texts_and_high_priority_is_not_held_back, no_text_was_answered_before_it_was_sent,
    the_view_says_who_was_told_by_what_way], "--md5-port", str(free_port()))
