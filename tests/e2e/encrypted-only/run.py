"""Who gets encrypted documents only; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from calling import attempts, called_device, only_calls, raise_alert
from pki import Pki, entity_of
from scene import Watcher, alerts, every_condition_that_comes_back_is_a_new_alert, provisioned
from sealing import CONFIG, DOMAIN, PATIENT, opened, pki, provision, verified
from sip import Document
from sipp_phone import SippPhone, phones_of_its_own
from stack import free_port, run, wait_until


def an_alert_is_open(stack):
    stack.report("OX-1001 SpO2=84")


def withheld(stack, user):
    for record in re.findall(r"\{[^}]*\}", stack.kamcmd("bmd.encryption")):
        if f"user: {user}\n" in record:
            return int(re.search(r"withheld: (\d+)", record).group(1))
    return 0


def encrypted_only_without_a_valid_certificate_is_told_nothing_of_a_patient(stack):
    expired = pki.issue("expired", f"sip:tech2@{DOMAIN}", days=-3)
    agent = stack.agent("tech2")
    for certificate, reason in ((None, "there is no certificate"), (expired, "the certificate has expired")):
        provision(stack, "tech2", certificate, True)
        before = withheld(stack, "tech2"), stack.stat("documents_withheld")
        dialog, reply = agent.subscribe()
        assert reply.status == 200, reply.first
        message = agent.notify(dialog)
        assert reason in message.get("warning"), message.raw
        body, fields = verified(message, entity_of(message))
        assert not body, body
        assert PATIENT not in message.raw and b"OX-1001" not in message.raw and b"SpO2" not in message.raw
        assert withheld(stack, "tech2") > before[0] and stack.stat("documents_withheld") > before[1]
        stack.dialogs = [*getattr(stack, "dialogs", []), dialog]
        stack.agent2 = agent
    assert "tech2 is told nothing" in stack.log(), "an operator is told"


def with_a_certificate_everything_follows_at_once(stack):
    pki.issue("tech2", f"sip:tech2@{DOMAIN}")
    provision(stack, "tech2", pki.text("tech2"), True)
    message = stack.agent2.wait(
        lambda m: m.is_request and m.get("call-id") == stack.dialogs[-1].call_id and not m.get("warning"), 5, "NOTIFY")
    body, _ = opened(message, "tech2")
    assert Document(body).state == "full" and PATIENT in body, body


def texts_are_encrypted_or_say_nothing(stack):
    for dialog in stack.dialogs:
        stack.agent2.subscribe(dialog=dialog, expires=0)
    agent = stack.agent("tech2")
    provision(stack, "tech2", None, True)
    assert agent.register().status == 200
    text = agent.wait(lambda m: m.is_request and m.method == "MESSAGE", 10, "text")
    assert text.get("content-type").startswith("text/plain"), text.get("content-type")
    assert b"there is no certificate" in text.body and b"OX-1001" not in text.raw and PATIENT not in text.raw, text.body
    provision(stack, "tech2", pki.text("tech2"), True)
    stack.report("OX-1001 SpO2=98")
    text = agent.wait(lambda m: m.is_request and m.method == "MESSAGE" and "pkcs7" in m.get("content-type"), 15, "text")
    body, _ = opened(text, "tech2")
    assert b"OX-1001" in body, body
    agent.register(0)


def a_rule_that_blocks_ends_a_subscription_whose_documents_are_withheld(stack):
    provision(stack, "tech2", None, True)
    agent = stack.agent("tech2")
    dialog, _ = agent.subscribe()
    assert agent.notify(dialog).get("warning"), "a document came"
    stack.sql("INSERT INTO bmd_policy_rule (username, everything, decision) VALUES ('tech2', true, 'block')")
    last = agent.wait(lambda m: m.is_request and m.get("subscription-state").startswith("terminated"), 3, "the end")
    assert last.get("subscription-state") == "terminated;reason=rejected", last.raw
    body, _ = verified(last, entity_of(last))
    assert not body, body
    wait_until(lambda: stack.sql(f"SELECT count(*) FROM active_watchers WHERE callid = '{dialog.call_id}'") == [["0"]],
               4, "the end of the row of presence")
    stack.sql("TRUNCATE bmd_policy_rule")
    provision(stack, "tech2", pki.text("tech2"), True)


def operators_alerts(stack):
    return [a for a in alerts(stack) if a["condition"] == "withheld" and a["serial"] == "@tech2"]


# note_told() left out of bmd_core_withheld(): no alert; bmd_sent_encrypted() left out of smime.cfg: it does not end
def an_operator_has_one_alert_for_the_person_until_the_certificate_is_good(stack):
    stack.sql("INSERT INTO bmd_team (team_name) VALUES ('operators');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('operators', 'tech3');"
              "UPDATE bmd_setting SET text_value = 'operators' WHERE name = 'default_team'")
    provisioned(stack)
    wait_until(lambda: not operators_alerts(stack), 8, "the end of those of before")
    operator = Watcher(stack, "tech3")
    expired = pki.issue("expired", f"sip:tech2@{DOMAIN}", days=-3)
    provision(stack, "tech2", expired, True)
    agents = [stack.agent("tech2") for _ in range(2)]
    dialogs = [agent.subscribe()[0] for agent in agents]
    assert all(agent.notify(dialog).get("warning") for agent, dialog in zip(agents, dialogs)), "documents came"
    told = operator.wait(lambda: operator.about("@tech2"), "the operator's alert")
    assert len(told) == 1 and told[0]["cause"] == "technician tech2" and told[0]["priority"] == "medium", told
    assert told[0]["kind"] == "technical" and told[0]["state"] == "active", told
    stack.report("OX-1001 SpO2=81")  # withheld again
    wait_until(lambda: len(operators_alerts(stack)) == 1, 3, "one alert")
    shown = operators_alerts(stack)[0]
    assert shown["condition"] == "withheld" and shown["state"] == "active", shown
    stored = "SELECT condition, priority, count(*) OVER () FROM bmd_alert WHERE serial = '@tech2' AND closed_at IS NULL"
    wait_until(lambda: stack.sql(stored) == [["withheld", "medium", "1"]], 3, "the row of the alert")
    # a restart changes nothing of it
    stack.restart()
    time.sleep(1)
    assert [a["id"] for a in operators_alerts(stack)] == [shown["id"]], "another one after the restart"
    provision(stack, "tech2", pki.text("tech2"), True)
    wait_until(lambda: not operators_alerts(stack), 6, "its end with another certificate")
    operator = Watcher(stack, "tech3")
    assert not operator.about("@tech2"), "the operator is shown it still"
    # its authority is trusted from now on: nothing of the person's own has changed
    other = Pki()
    other.issue("tech2", f"sip:tech2@{DOMAIN}")
    provision(stack, "tech2", other.text("tech2"), True)
    wait_until(lambda: operator.pump(0.1) or operator.about("@tech2"), 6, "the alert for a foreign certificate")
    with open(pki.pem("ca"), "a") as trusted:
        trusted.write(other.text("ca"))
    time.sleep(1.1)
    stack.report("OX-1001 SpO2=79")
    stack.report("OX-1001 SpO2=98")
    wait_until(lambda: operator.pump(0.1) or not operator.about("@tech2"), 6, "its end, when something was sent encrypted")
    other.close()
    # nobody encrypted only, nobody to be told
    provision(stack, "tech2", expired, True)
    wait_until(lambda: operator.pump(0.1) or operator.about("@tech2"), 6, "the alert is back")
    provision(stack, "tech2", expired, False)
    wait_until(lambda: operator.pump(0.1) or not operator.about("@tech2"), 6, "the end for who gets plain documents")
    for agent, dialog in zip(agents, dialogs):
        agent.subscribe(dialog=dialog, expires=0)
    provision(stack, "tech2", pki.text("tech2"), True)
    stack.sql("UPDATE bmd_setting SET text_value = '' WHERE name = 'default_team'")
    stack.report("OX-1001 SpO2=98")


# words_of_silent_call() left out of call_core.cpp
@phones_of_its_own
def a_call_says_that_there_is_an_alert_and_nothing_of_it(stack):
    only_calls(stack)
    for number, certificate in enumerate((None, pki.text("tech2"))):
        provision(stack, "tech2", certificate, True)
        serial = f"SECRET-{number}"
        phone = SippPhone(stack, "busy", "tech2")
        called_device(stack, serial, location="room 7", patient="(SELECT min(patient_id) FROM bmd_patient WHERE name = 'Boris Example')")
        raise_alert(stack, serial)
        invite = phone.invite()
        for word in (b"SECRET", b"SpO2", b"room 7", PATIENT, b"80 %"):
            assert word not in without_addresses(invite), f"{word} in {invite.raw}"
        assert "subject" not in invite.headers, invite.get("subject")
        assert invite.get("from").startswith('"HIGH alert" <sip:alert@'), invite.get("from")
        assert b"There is an alert for you" in invite.body and b"m=audio" in invite.body, invite.body
        assert attempts(stack, serial, 1) == [["tech2", phone.terminal, "486"]]
        phone.gone()
    # what others are told is as before
    provision(stack, "tech2", pki.text("tech2"), False)
    phone = SippPhone(stack, "busy", "tech2")
    called_device(stack, "OPEN-1", location="room 7")
    raise_alert(stack, "OPEN-1")
    invite = phone.invite()
    assert b"OPEN-1" in invite.raw and invite.get("subject"), invite.raw


def without_addresses(message):
    """The parts that say something: From's name, and every header and body that is no address, number or time."""
    left = [line for line in message.raw.split(b"\r\n") if not re.match(
        rb"(?i)(INVITE|Via|To|Call-ID|CSeq|Contact|Max-Forwards|Content-Length|Expires|[ocst]=|m=)", line)]
    return b"\n".join(left)


run("encrypted-only", [
    every_condition_that_comes_back_is_a_new_alert, an_alert_is_open,
    encrypted_only_without_a_valid_certificate_is_told_nothing_of_a_patient,
    with_a_certificate_everything_follows_at_once, texts_are_encrypted_or_say_nothing,
    a_rule_that_blocks_ends_a_subscription_whose_documents_are_withheld,
    an_operator_has_one_alert_for_the_person_until_the_certificate_is_good,
    a_call_says_that_there_is_an_alert_and_nothing_of_it], "--config", CONFIG,
    "--md5-port", str(free_port()), errors_expected=True)
