"""A site's own routes read DMP documents; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from answering import DMP, Answerer, action, control, query
from scene import add_device, provisioned, raise_on
from sip import Dialog
from stack import TOP, run, wait_until

NAMES = ("method", "entry", "entries", "device", "action", "variable", "alert", "code", "reason")
READ = "|".join(f"{name}=[$dmp({name})]" for name in NAMES)
NULL = "<null>"


def configuration(path):
    """The project's kamailio.cfg, in which the routes of the site come first for MESSAGE."""
    with open(os.path.join(TOP, "kamailio-cfg", "kamailio.cfg"), encoding="utf-8") as file:
        text = file.read()
    ours = '\tif(is_method("MESSAGE")) route(MESSAGE);\n'
    assert text.count(ours) == 1, "kamailio.cfg has another place for MESSAGE"
    with open(os.path.join(HERE, "routes.cfg.in"), encoding="utf-8") as file:
        site = file.read().replace("DMP_READ", READ)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(ours, '\tif(is_method("MESSAGE")) route(SITE);\n' + ours) + site)


def read(text):
    """{name: value} of what a script wrote; without those that are null."""
    found = dict(re.findall(r"(\w+)=\[(.*?)\](?=\||$)", text))
    assert set(found) == set(NAMES), text
    return {name: value for name, value in found.items() if value != NULL}


def validated(stack, body, headers=DMP):
    """(is it a document, what the script reads of it) by dmp_validate(), which knows of no person."""
    uri = f"sip:validate@{stack.info['domain']}"
    agent = stack.one.agent
    reply = agent.transact("MESSAGE", uri, Dialog(uri), headers, body)
    assert reply.status == 200, reply.first
    assert read(reply.get("x-before")) == {}, f"before it was read: {reply.get('x-before')}"
    return reply.get("x-valid") == "yes", read(reply.get("x-after"))


def handled(stack, person, body):
    """What the script reads after dmp_handle_message()."""
    reply, call_id = person.send(body, to="handle")
    assert reply.status in (200, 400), reply.first
    line = re.compile(rf"site reads of {re.escape(call_id)}: (.*)")
    return read(wait_until(lambda: line.search(stack.log()), 3, "what the script has read").group(1))


def must_be(found, expected):
    assert found == expected, f"{found}, not {expected}"


def a_control_is_read_name_by_name(stack):
    add_device(stack, "SCRIPT", assign="tech1")
    provisioned(stack)
    stack.one, stack.two = Answerer(stack, "tech1"), Answerer(stack, "tech2")
    body = action(control("SCRIPT", "accept", "DJMY3", "on my way"), query("OTHER", "SpO2"))
    must_be(validated(stack, body), (True, {"method": "DMPAction", "entry": "Control", "entries": "2",
                                            "device": "SCRIPT", "action": "accept", "alert": "DJMY3"}))


def a_query_is_read_name_by_name(stack):
    must_be(validated(stack, action(query("SCRIPT", "PulseRate", "SpO2"))), (
        True, {"method": "DMPAction", "entry": "Query", "entries": "1", "device": "SCRIPT", "variable": "PulseRate"}))


def a_response_is_read_with_its_code(stack):
    body = ("<DMPResponse><Device>SCRIPT</Device><ControlResponse><Action>accept</Action><OutArgument>alert</OutArgument>"
            "<Value>DJMY3</Value><ResultCode>409 Conflict</ResultCode></ControlResponse></DMPResponse>").encode()
    must_be(validated(stack, body), (True, {"method": "DMPResponse", "entry": "ControlResponse", "entries": "1",
                                            "device": "SCRIPT", "action": "accept", "alert": "DJMY3",
                                            "code": "409 Conflict"}))
    body = ("<DMPResponse><Device>SCRIPT</Device><QueryResponse><Variable>SpO2</Variable><Value>97</Value>"
            "<ResultCode>200 OK</ResultCode></QueryResponse></DMPResponse>").encode()
    must_be(validated(stack, body), (True, {"method": "DMPResponse", "entry": "QueryResponse", "entries": "1",
                                            "device": "SCRIPT", "variable": "SpO2", "code": "200 OK"}))


def what_is_no_document_is_told_with_the_reason(stack):
    for body, reason in ((b"<DMPAction>\n<Device>x</Device>\n<Control/></DMPAction>", "line 3"), (b"hello", "line 1"),
                         (b"<!DOCTYPE a><DMPAction/>", "document type declaration")):
        valid, seen = validated(stack, body)
        assert not valid and reason in seen.pop("reason") and seen == {"entries": "0"}, (body, valid, seen)
    valid, seen = validated(stack, b"", "")
    assert not valid and set(seen) == {"entries", "reason"}, seen


def after_it_was_handled_the_script_reads_what_it_was_answered(stack):
    code = raise_on(stack, "SCRIPT")
    said = {"method": "DMPAction", "entry": "Control", "entries": "1", "device": "SCRIPT", "action": "accept",
            "alert": code}
    body = action(control("SCRIPT", "accept", code))
    must_be(handled(stack, stack.two, body), {**said, "code": "403 Forbidden", "reason": "not yours to answer"})
    must_be(handled(stack, stack.one, body), {**said, "code": "200 OK"})
    stack.sql("INSERT INTO bmd_assignment (username, serial) VALUES ('tech2', 'SCRIPT')")
    provisioned(stack)
    must_be(handled(stack, stack.two, body), {**said, "code": "409 Conflict", "reason": "accepted by tech1 already"})
    must_be(handled(stack, stack.one, action(query("SCRIPT", "SpO2"))), {
        "method": "DMPAction", "entry": "Query", "entries": "1", "device": "SCRIPT", "variable": "SpO2", "code": "200 OK"})
    refused = handled(stack, stack.one, b"<DMPAction>")
    assert "line 1" in refused.pop("reason") and refused == {"entries": "0"}, refused


def a_name_that_does_not_exist_ends_the_start_with_those_that_do(stack):
    with open(os.path.join(stack.info["dir"], "etc", "kamailio.cfg"), encoding="utf-8") as file:
        text = file.read()
    with open(CONFIG, "w", encoding="utf-8") as file:
        file.write(text + '\nroute[NO_SUCH_NAME] {\n\txlog("$dmp(patient)\\n");\n}\n')
    try:
        stack.restart()
    except AssertionError as refused:
        assert "did not start" in str(refused), refused
    else:
        raise AssertionError("it started")
    assert "there is no $dmp(patient): method, entry, entries" in stack.log()


with tempfile.TemporaryDirectory(prefix="bmd-test.") as folder:
    CONFIG = os.path.join(folder, "kamailio.cfg")
    configuration(CONFIG)
    run("dmp-in-a-script", [
        a_control_is_read_name_by_name, a_query_is_read_name_by_name, a_response_is_read_with_its_code,
        what_is_no_document_is_told_with_the_reason, after_it_was_handled_the_script_reads_what_it_was_answered,
        a_name_that_does_not_exist_ends_the_start_with_those_that_do], "--config", CONFIG, errors_expected=True)
