"""answering.py - a terminal that answers alerts by MESSAGE, and reads what comes back.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import datetime
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from sip import BMD, Dialog
from stack import wait_until

DMP = "Content-Type: application/dmp\n"
TEXT = "Content-Type: text/plain;charset=utf-8\n"


def control(device, action, *arguments):
    inner = "".join(f"<Argument>{escape(a)}</Argument>" for a in arguments)
    return f"<Device>{escape(device)}</Device><Control><Action>{escape(action)}</Action>{inner}</Control>"


def query(device, *variables):
    inner = "".join(f"<Variable>{escape(v)}</Variable>" for v in variables)
    return f"<Device>{escape(device)}</Device><Query>{inner}</Query>"


def action(*parts):
    return ("<DMPAction>" + "".join(parts) + "</DMPAction>").encode()


def old_enough(shown):
    """Waits until an alert (as kamcmd shows it) is old enough to be meant by a text without a code."""
    raised = datetime.datetime.fromisoformat(shown["raised_at"].replace("Z", "+00:00")).timestamp()
    wait_until(lambda: time.time() > raised + 5.2, 8, "an alert of 5 s")


class Result:
    """One ControlResponse."""

    def __init__(self, device, element):
        item = [(c.tag, (c.text or "").strip()) for c in element]
        self.device = device
        self.action = dict(item).get("Action")
        self.code = int(dict(item).get("ResultCode", "0").split()[0])
        outs = [text for tag, text in item if tag in ("OutArgument", "Value")]
        out = dict(zip(outs[::2], outs[1::2]))
        self.alert, self.reason = out.get("alert", ""), out.get("reason", "")

    def __repr__(self):
        return f"{self.device} {self.action} {self.alert}: {self.code} {self.reason}"


class Answerer:
    """A user agent of one person."""

    def __init__(self, stack, user, password=None):
        self.stack = stack
        self.agent = stack.agent(user, password)
        self.domain = stack.info["domain"]

    def send(self, body, headers=DMP, to="alert", dialog=None, timeout=5):
        """(final reply to the MESSAGE, its Call-ID)."""
        uri = f"sip:{to}@{self.domain}"
        dialog = dialog or Dialog(uri)
        reply = self.agent.transact("MESSAGE", uri, dialog, headers, body, timeout=timeout)
        return reply, dialog.call_id

    def response(self, call_id, timeout=5):
        """The MESSAGE that answers the one with this Call-ID."""
        return self.agent.wait(lambda m: m.is_request and m.method == "MESSAGE"
                               and m.get("in-reply-to") == call_id, timeout, "response in a MESSAGE")

    def ask(self, body, headers=DMP, to="alert"):
        """The body that comes back."""
        reply, call_id = self.send(body, headers, to)
        assert reply.status == 200, reply.first
        assert reply.body == b"", "RFC 3428: no body in a 2xx to a MESSAGE"
        response = self.response(call_id)
        assert response.get("from").startswith(f"<sip:alert@{self.domain}>") or \
            response.get("from").startswith(f"sip:alert@{self.domain}"), response.get("from")
        return response

    def control(self, device, verb, *arguments):
        """The Result of one Control."""
        return self.results(action(control(device, verb, *arguments)))[0]

    def results(self, body):
        found, device = [], ""
        for child in self.pages(body):
            if child.tag == "Device":
                device = child.text.strip()
            elif child.tag == "ControlResponse":
                found.append(Result(device, child))
        return found

    def query(self, device, *variables):
        """{variable: (value, number of the ResultCode, attributes of the reading)}, alerts."""
        known, alerts = {}, []
        for child in self.pages(action(query(device, *variables))):
            if child.tag == "Notify":
                alerts.append(child.find(BMD + "alert").attrib)
            elif child.tag == "QueryResponse":
                name = value = ""
                reading = {}
                for part in child:
                    text = (part.text or "").strip()
                    if part.tag == "Variable":
                        name, reading = text, {}
                    elif part.tag == "Value":
                        value = text
                    elif part.tag == BMD + "reading":
                        reading = dict(part.attrib)
                    else:
                        known[name] = (value, int(text.split()[0]), reading)
        return known, alerts

    def pages(self, body):
        """The elements of a response, also of one that comes in several MESSAGEs."""
        reply, call_id = self.send(body)
        assert reply.status == 200, reply.first
        found, last = {}, None
        while last is None or len(found) < last:
            message = self.response(call_id)
            assert message.get("content-type") == "application/dmp", message.get("content-type")
            root = ET.fromstring(message.body)
            number = int(root.get(BMD + "version") or 1)
            last = number if not root.get(BMD + "more") else number + int(root.get(BMD + "more"))
            assert len(message.raw) <= 1300 or len(list(root)) == 2, f"{len(message.raw)} bytes in one datagram"
            found[number] = list(root)
        return [child for number in sorted(found) for child in found[number]]

    def text(self, words, to="alert"):
        """The text that comes back."""
        response = self.ask(words.encode() if isinstance(words, str) else words, TEXT, to)
        assert response.get("content-type").startswith("text/plain"), response.get("content-type")
        assert len(response.raw) <= 1300, f"{len(response.raw)} bytes in one datagram"
        return response.body.decode()

    def nothing_comes(self, seconds):
        until = time.time() + seconds
        while time.time() < until:
            self.agent.pump(0.02)
        came = [m.first for m in self.agent.received if m.is_request and m.method == "MESSAGE"]
        assert not came, came
