"""Signed and encrypted bodies; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import itertools
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import middle
from pki import RSA, binary_as_base64, openssl
from scene import every_condition_that_comes_back_is_a_new_alert
from sealing import (CONFIG, DOMAIN, PATIENT, PKCS7, Terminal, entity, opened, pki, provision, raise_with, subscribe,
                     verified, write_config)
from sealed_sipp import sipp
from sip import Dialog, Document, Message
from stack import free_port, run, wait_until

ACTION = b"<DMPAction><Device>*</Device><Subscribe><Variable>*</Variable><Duration>always</Duration></Subscribe></DMPAction>"

numbers = itertools.count(1)


def who_has_no_certificate_gets_plain_documents(stack):
    agent = stack.agent("tech3")
    dialog, reply = agent.subscribe()
    assert reply.status == 200, reply.first
    message = agent.notify(dialog)
    assert message.get("content-type") == "application/dmp" and message.document().state == "full", message.first


def openssl_alone_decrypts_and_verifies_what_the_server_sends(stack):
    for kind in (None, RSA):
        certificate = pki.issue("tech1", f"sip:tech1@{DOMAIN}", kind)
        provision(stack, "tech1", certificate)
        agent = stack.agent("tech1")
        dialog, reply = agent.subscribe()
        assert reply.status == 200, reply.first
        full = agent.notify(dialog)
        assert full.get("content-type").startswith("application/pkcs7-mime; smime-type=authEnveloped-data"), \
            full.get("content-type")
        assert full.get("content-transfer-encoding") == "binary"
        body, _ = opened(full, "tech1")
        assert Document(body).state == "full" and Document(body).version == 1
        stack.report(f"OX-1001 SpO2={84 if kind is None else 83}")
        partial = agent.notify(dialog)
        body, fields = opened(partial, "tech1")
        assert PATIENT in body and PATIENT not in partial.raw, "the patient's name"
        assert fields["from"].startswith(f"<sip:tech1@{DOMAIN}>;tag="), fields["from"]
        assert fields["cseq"] == f"{partial.cseq}NOTIFY"
        stack.report("OX-1001 SpO2=98")
        agent.notify(dialog)
        agent.subscribe(dialog=dialog, expires=0)
        last = agent.notify(dialog)
        body, fields = opened(last, "tech1")
        assert fields["subscription-state"].startswith("terminated"), fields


def bmd_watch_reads_the_same(stack):
    pki.issue("tech1", f"sip:tech1@{DOMAIN}")
    provision(stack, "tech1", pki.text("tech1"))
    stack.terminal = Terminal(stack, "tech1")
    stack.terminal.wait(lambda o: o.get("state") == "full", "full state")
    stack.report("OX-1001 SpO2=82")
    alert = stack.terminal.shows(82)["alerts"][0]
    assert alert["patient_name"] == PATIENT.decode(), alert


def watcher_information_is_signed_and_encrypted_as_well(stack):
    agent = stack.agent("tech1")
    dialog, reply = agent.subscribe(headers="Event: bmd-alert.winfo\nAccept: application/watcherinfo+xml\n")
    assert reply.status == 200, reply.first
    message = agent.notify(dialog)
    assert message.get("content-type").startswith("application/pkcs7-mime"), message.get("content-type")
    body, fields = opened(message, "tech1")
    assert fields["event"] == "bmd-alert.winfo" and b'version="0" state="full"' in body, body
    agent.subscribe(dialog=dialog, expires=0, headers="Event: bmd-alert.winfo\nAccept: application/watcherinfo+xml\n")
    terminal = Terminal(stack, "tech1", more=("--winfo",))
    told = terminal.wait(lambda o: "watchers" in o, "watcher information")
    assert any(w["uri"] == f"sip:tech1@{DOMAIN}" for w in told["watchers"]), told
    terminal.end()


def the_result_of_an_answer_comes_encrypted(stack):
    terminal = stack.terminal
    code = terminal.shows(82)["alerts"][0]["code"]
    before = len(terminal.objects())
    terminal.process.stdin.write(f"accept {code}\n".encode())
    terminal.process.stdin.flush()
    answered = terminal.wait(lambda o: o.get("action") == "accept", "the result", after=before)
    assert answered["status"] == 200, answered
    terminal.end()


def what_a_man_in_the_middle_changes_is_refused_and_not_shown(stack):
    man = middle.Middle(stack.server)
    terminal = Terminal(stack, "tech1", man.port)
    forged = b'<DMPResponse xmlns:bmd="urn:bmd:dmp:1" bmd:version="0000000099" bmd:feed="sip:tech1@127.0.0.1" ' \
             b'bmd:state="full" bmd:at="2026-11-21T03:00:00.000000Z" bmd:more="0"></DMPResponse>'
    changes = {
        "changed on its way": middle.flip,
        "the header Subscription-State was changed": middle.header(b"Subscription-State", b"active;expires=99"),
        "the header Contact was changed": middle.header(b"Contact", b"<sip:127.0.0.1:9>"),
        "the header Expires is not covered": middle.header(b"Event", b"bmd-alert\r\nExpires: 3600"),
        "not signed": middle.replaced(b"application/dmp", forged)}
    try:
        terminal.wait(lambda o: o.get("state") == "full" and o.get("alerts"), "full state")
        for number, (reason, change) in enumerate(changes.items()):
            before = len(terminal.objects())
            stack.report("OX-1001 SpO2=98")
            terminal.wait(lambda o: any(a["state"] == "cleared" for a in o.get("alerts", [])), "the end", after=before)
            before = len(terminal.objects())
            man.change = change
            stack.report(f"OX-1001 SpO2={60 + number}")
            told = terminal.wait(lambda o: o.get("event") == "untrusted", f"the refusal of {reason}", after=before)
            assert reason in told["reason"], f"{told['reason']}, not {reason}"
            shown = [o for o in terminal.objects()[before:] if o.get("alerts") or o.get("state")]
            assert not shown, f"{reason}: it showed {shown}"
            man.change = lambda data: data
            terminal.shows(60 + number, before, 15)
    finally:
        terminal.end()
        man.close()


def notifies_of_before_change_nothing_in_whatever_order_they_come(stack):
    man = middle.Middle(stack.server)
    terminal = Terminal(stack, "tech1", man.port)
    try:
        terminal.wait(lambda o: o.get("state") == "full" and o.get("alerts"), "full state")
        for value in (69, 70):
            raise_with(stack, value)
            terminal.shows(value)
        recorded = man.passed[:]
        assert len(recorded) >= 3, len(recorded)
        raise_with(stack, 71)
        terminal.shows(71)
        before = len(terminal.objects())
        for order in itertools.permutations(recorded[:3]):
            for data in order:
                # the same again in a transaction of its own
                branch = b"branch=z9hG4bKagain%d" % next(numbers)
                man.sock.sendto(man._request(re.sub(rb"branch=[^;\s]+", branch, data), True), man.terminal)
        raise_with(stack, 72)
        terminal.shows(72, before)
        shown = [a["value"] for o in terminal.objects()[before:] for a in o.get("alerts", [])]
        assert not {64, 69, 70} & set(shown), shown
    finally:
        terminal.end()
        man.close()


def subscribes_of_before_are_refused_in_whatever_order_they_come(stack):
    agent = stack.agent("tech1")
    sent, send = [], agent.send
    agent.send = lambda text, body=b"": (sent.append(text), send(text, body))
    dialog, reply = agent.subscribe()
    agent.subscribe(dialog=dialog)
    agent.subscribe(dialog=dialog, expires=0)
    recorded = [text for text in sent if text.startswith("SUBSCRIBE") and "Authorization" in text]
    assert len(recorded) == 3, len(recorded)
    wait_until(lambda: stack.sql(f"SELECT count(*) FROM active_watchers WHERE callid = '{dialog.call_id}'") == [["0"]], 5,
               "the end of the subscription")
    agent.pump(0.3)
    time_before = len(agent.received)
    for order in itertools.permutations(recorded):
        for text in order:
            branch = f"z9hG4bKagain{next(numbers)}"
            send(re.sub(r"branch=[^;\s]+", "branch=" + branch, text))
            reply = agent.wait(lambda m: not m.is_request and branch in m.get("via"), 5, "reply")
            assert reply.status == 401, reply.first
    agent.pump(0.2)
    late = [m for m in agent.received[time_before:] if m.is_request and m.get("call-id") == dialog.call_id
            and "terminated" not in m.get("subscription-state")]
    assert not late, late[0].raw
    assert stack.sql(f"SELECT count(*) FROM active_watchers WHERE callid = '{dialog.call_id}'") == [["0"]]


def a_subscribe_that_openssl_has_encrypted_is_understood(stack):
    agent = stack.agent("tech3")
    for base64 in (False, True):
        reply = subscribe(agent, PKCS7, pki.encrypt("server", entity(ACTION), base64))
        assert reply.status == 200, f"{reply.first} {reply.get('warning')}"
    # it has been read: what is no document is refused as one
    reply = subscribe(agent, PKCS7, pki.encrypt("server", entity(b"<nonsense/>")))
    assert reply.status == 400, reply.first


def what_cannot_be_decrypted_gets_493_and_why(stack):
    agent = stack.agent("tech3")
    good = pki.encrypt("server", entity(ACTION))
    for body, reason in ((good[:-3] + b"\0\0\0", "changed on its way"), (b"\x30\x03\x02\x01\x00", "no CMS"),
                         (pki.encrypt("tech1", entity(ACTION)), "for another certificate"),
                         (pki.encrypt("server", entity(ACTION), cipher="-aes-256-cbc"), "not authenticated")):
        reply = subscribe(agent, PKCS7, body)
        assert reply.status == 493 and reason in reply.get("warning"), f"{reply.first} {reply.get('warning')}"


def a_subscribe_is_signed_with_its_headers_or_refused(stack):
    agent = stack.agent("tech1")
    pki.issue("tech2", f"sip:tech2@{DOMAIN}")

    def sealed(lines, signer="tech1", encrypt=True):
        content = entity(lines.encode() + entity(ACTION), b"message/sipfrag")
        whole = pki.sign(signer, content)
        if encrypt:
            return PKCS7, pki.encrypt("server", whole)
        head, _, body = whole.partition(b"\r\n\r\n")
        return head.partition(b": ")[2].decode(), body

    for encrypt in (True, False):
        reply = subscribe(agent, "", b"", sealed=lambda lines: sealed(lines, encrypt=encrypt))
        assert reply.status == 200, f"{reply.first} {reply.get('warning')}"
    for change, reason in ((("Expires: 3600", "Expires: 60"), "the header Expires was changed"),
                           (("CSeq: 2", "CSeq: 1"), "the header CSeq was changed"),
                           (("Event: bmd-alert\r\n", ""), "the header Event is not covered")):
        reply = subscribe(agent, "", b"", sealed=lambda lines: sealed(lines.replace(*change)))
        assert reply.status == 403 and reason in reply.get("warning"), f"{reply.first} {reply.get('warning')}"
    reply = subscribe(agent, "", b"", sealed=lambda lines: sealed(lines, "tech2"))
    assert reply.status == 403 and "the signer is sip:tech2" in reply.get("warning"), reply.get("warning")


# del_lump() of the first Content-Type only
def another_content_type_does_not_name_what_was_signed(stack):
    agent = stack.agent("tech1")

    def sealed(lines):
        whole = pki.sign("tech1", entity(lines.encode() + entity(ACTION), b"message/sipfrag"))
        head, _, body = whole.partition(b"\r\n\r\n")
        return head.partition(b": ")[2].decode() + "\nContent-Type: text/plain\nContent-Transfer-Encoding: 8bit", body

    reply = subscribe(agent, "", b"", sealed=sealed)
    assert reply.status == 200, f"{reply.first} {reply.get('warning')}"


# white space left out between words in headers.cpp
def white_space_changes_no_number_that_was_signed(stack):
    agent = stack.agent("tech1")

    def sealed(lines):
        whole = pki.sign("tech1", entity(lines.encode() + entity(ACTION), b"message/sipfrag"))
        head, _, body = whole.partition(b"\r\n\r\n")
        return head.partition(b": ")[2].decode(), body

    reply = subscribe(agent, "", b"", "Event: bmd-alert\nAccept: application/dmp\nExpires: 360 0\n", sealed)
    assert reply.status == 403 and "the header Expires was changed" in reply.get("warning"), f"{reply.first} {reply.get('warning')}"


SEALS = ("--sign", "--server-certificate", pki.pem("server"))


# before_credentials() left out of sealing.cpp
def what_bmd_watch_sends_is_signed_and_encrypted(stack):
    stack.report("OX-1001 SpO2=98")
    stack.report("OX-1001 SpO2=77")
    verified_before = smime_stat(stack, "verified")
    man = middle.Middle(stack.server)
    terminal = Terminal(stack, "tech1", man.port, more=SEALS)
    try:
        alert = next(a for a in terminal.shows(77)["alerts"] if a["value"] == 77)
        before = len(terminal.objects())
        terminal.process.stdin.write(f"accept {alert['code']} on my way\n".encode())
        terminal.process.stdin.flush()
        answered = terminal.wait(lambda o: o.get("action") == "accept", "the result", after=before)
        assert answered["status"] == 200, answered
        wait_until(lambda: stack.sql("SELECT response FROM bmd_alert WHERE closed_at IS NULL AND value = 77") == [["accepted"]], 5,
                   "the answer")
        terminal.end()
    finally:
        man.close()
    # what was sent again counts once
    sent = [Message(data) for data in man.asked if data.split(b" ", 1)[0] in (b"SUBSCRIBE", b"MESSAGE")]
    asked = list({message.headers["via"][0]: message for message in sent}.values())
    proved = [m for m in asked if m.get("authorization")]
    assert [m.method for m in proved].count("MESSAGE") == 1 and len(proved) >= 3, [m.first for m in proved]
    for message in asked:
        if message not in proved:
            assert not message.body, f"in clear: {message.raw}"
            continue
        assert message.get("content-type").startswith("application/pkcs7-mime"), message.get("content-type")
        assert b"accept" not in message.raw.lower().replace(b"accept:", b""), message.raw
        body, fields = verified(message, pki.decrypt("server", message.body))
        assert fields["cseq"].endswith(message.method) and (message.method != "MESSAGE" or b"accept" in body), fields
    assert smime_stat(stack, "verified") - verified_before == len(proved), "not all of it was verified"
    stack.report("OX-1001 SpO2=98")
    said = [o["event"] for o in terminal.objects() if "event" in o]
    assert not {"unproven", "refused", "retry"} & set(said), said


def what_is_changed_of_it_is_refused(stack):
    for change, reason in ((middle.header(b"Expires", b"7200"), "Signature Refused"), (middle.flip, "Undecipherable"),
                           (middle.header(b"Contact", b"<sip:tech1@127.0.0.1:9>"), "Signature Refused")):
        man = middle.Middle(stack.server)
        man.change_asked = change
        terminal = Terminal(stack, "tech1", man.port, more=SEALS)
        try:
            refused = terminal.wait(lambda o: o.get("event") == "refused", "the refusal")
            assert reason in refused["reason"], refused
            assert terminal.process.wait(8) == 1
        finally:
            man.close()


def smime_stat(stack, name):
    return int(re.search(r"(\d+)", stack.kamcmd("stats.fetch", f"smime.{name}")).group(1))


def certificates_are_renewed_without_a_restart(stack):
    agent = stack.agent("tech1")
    with open(pki.key("server")) as file:
        good = file.read()
    with open(pki.key("server"), "w") as file:
        file.write("nonsense\n")
    try:
        stack.kamcmd("smime.reload")
        raise AssertionError("a key that is none was taken")
    except AssertionError as error:
        assert pki.key("server") in str(error), error
    dialog, _ = agent.subscribe()
    opened(agent.notify(dialog), "tech1")  # with the one before
    with open(pki.key("server"), "w") as file:
        file.write(good)
    with open(pki.pem("server")) as file:
        old = file.read()
    pki.issue("server", f"sip:{DOMAIN}")
    assert pki.text("server") != old
    stack.kamcmd("smime.reload")
    dialog, _ = agent.subscribe()
    message = agent.notify(dialog)
    entity_now = pki.decrypt("tech1", message.body)
    verified(message, entity_now)
    assert signer_of(entity_now) == serial_of(pki.pem("server")), "the certificate that signs"


def signer_of(whole):
    shown = openssl("cms", "-cmsout", "-print", "-inform", "SMIME", data=binary_as_base64(whole)).decode()
    return int(re.search(r"issuerAndSerialNumber:.*?serialNumber: (\w+)", shown, re.S).group(1), 0)


def serial_of(pem):
    return int(openssl("x509", "-noout", "-serial", "-in", pem).decode().strip().partition("=")[2], 16)


def all_of_it_with_module_tls_and_in_base64(stack):
    write_config("enable_tls=yes", 'loadmodule "tls.so"', f'modparam("tls", "certificate", "{pki.pem("server")}")',
               f'modparam("tls", "private_key", "{pki.key("server")}")', "#!define BMD_SMIME_BASE64")
    stack.restart()
    assert "tls" in stack.kamcmd("core.modules").split(), "module tls is not loaded"
    stack.report("OX-1001 SpO2=81")
    agent = stack.agent("tech1")
    for _ in range(20):  # in any of the processes that take SUBSCRIBEs
        dialog, reply = agent.subscribe()
        assert reply.status == 200, reply.first
        message = agent.notify(dialog)
        assert message.get("content-transfer-encoding") == "base64", message.first
        body, _ = opened(message, "tech1")
        assert PATIENT in body
    terminal = Terminal(stack, "tech1")
    terminal.shows(81)
    terminal.end()


def sipp_and_openssl_agree(stack):
    body = f"{pki.dir}/subscribe.b64"
    with open(body, "wb") as file:
        file.write(pki.encrypt("server", entity(ACTION), True))
    sealed = [m for m in sipp(stack, "tech1", body) if m.is_request and m.method == "NOTIFY"]
    assert sealed, "sipp got no NOTIFY"
    found, _ = opened(sealed[0], "tech1")
    assert PATIENT in found and Document(found).state == "full"


# BMD_SMIME_SIGNED left out: 200 each time
def where_the_site_wants_signatures_one_that_was_taken_off_is_missed(stack):
    write_config("#!define BMD_SMIME_SIGNED")
    stack.restart()
    agent, plain = stack.agent("tech1"), stack.agent("tech3")
    assert agent.subscribe()[1].first.endswith("403 Signature Required")
    for kind, body in (("application/dmp", ACTION), (PKCS7, pki.encrypt("server", entity(ACTION)))):
        reply = subscribe(agent, kind, body)
        assert reply.status == 403 and "signs" in reply.get("warning"), f"{kind}: {reply.first}"
    uri = f"sip:alert@{DOMAIN}"
    assert agent.transact("MESSAGE", uri, Dialog(uri), "Content-Type: text/plain\n", b"help").status == 403
    assert plain.subscribe()[1].status == 200, "who has no certificate"
    terminal = Terminal(stack, "tech1", more=SEALS)
    terminal.wait(lambda o: o.get("state") == "full", "full state of who signs")
    terminal.end()


run("encrypted-bodies", [
    every_condition_that_comes_back_is_a_new_alert, who_has_no_certificate_gets_plain_documents, openssl_alone_decrypts_and_verifies_what_the_server_sends,
    bmd_watch_reads_the_same, watcher_information_is_signed_and_encrypted_as_well, the_result_of_an_answer_comes_encrypted,
    what_a_man_in_the_middle_changes_is_refused_and_not_shown, notifies_of_before_change_nothing_in_whatever_order_they_come,
    subscribes_of_before_are_refused_in_whatever_order_they_come,
    a_subscribe_that_openssl_has_encrypted_is_understood, what_cannot_be_decrypted_gets_493_and_why,
    a_subscribe_is_signed_with_its_headers_or_refused, another_content_type_does_not_name_what_was_signed,
    white_space_changes_no_number_that_was_signed, what_bmd_watch_sends_is_signed_and_encrypted,
    what_is_changed_of_it_is_refused, certificates_are_renewed_without_a_restart,
    all_of_it_with_module_tls_and_in_base64, sipp_and_openssl_agree,
    where_the_site_wants_signatures_one_that_was_taken_off_is_missed], "--config", CONFIG,
    "--md5-port", str(free_port()), errors_expected=True)
