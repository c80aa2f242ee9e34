"""sipp_phone.py - a phone that sipp plays: registered as one terminal of a person, it does what a scenario says.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import functools
import os
import re
import subprocess

import sip
from stack import free_port, wait_until

PHONES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "phones")


def phones_of_its_own(sentence):
    """A sentence whose phones are gone after it, however it ends."""
    @functools.wraps(sentence)
    def run(stack):
        try:
            sentence(stack)
        finally:
            for phone in list(SippPhone.phones):
                phone.gone()
    return run


class SippPhone:
    """scenario: a file of the folder phones; the phone plays it for `calls` calls, then sipp ends.

    tcp: it registers by TCP, and is called by a connection of the server's.  ipv6: it is at [::1].
    """

    count = 0
    phones = []

    def __init__(self, stack, scenario, user=None, q=None, calls=1, port=None, tcp=False, ipv6=False):
        SippPhone.count += 1
        SippPhone.phones.append(self)
        self.port = port or free_port()
        self.name = f"{stack.dir}/sipp-{SippPhone.count}"
        self.host = "[::1]" if ipv6 else "127.0.0.1"
        self.terminal = f"sip:{user}@{self.host}:{self.port}" + (";transport=tcp" if tcp else "")
        self.process = stack.start(
            "sipp", "-sf", f"{PHONES}/{scenario}.xml", "-i", self.host.strip("[]"), "-t", "t1" if tcp else "u1", "-p", str(self.port), "-m", str(calls),
            "-timeout", "60s", "-timeout_error", "-nostdin", "-trace_msg", "-message_file", self.name + ".msg",
            "-trace_err", "-error_file", self.name + ".err",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=stack.dir)
        self.agent = None
        if user:
            self.agent = self._agent(stack, user, tcp, ipv6)
            self.agent.contact = self.terminal
            # no texts: every request of a scenario is one of a call
            self.agent.contact_parameters = ';methods="INVITE,ACK,BYE,CANCEL,REFER,NOTIFY"' + (f";q={q}" if q else "")
            reply = self.agent.register()
            assert reply.status == 200, reply.first

    @staticmethod
    def _agent(stack, user, tcp, ipv6):
        if not tcp and not ipv6:
            return stack.agent(user)
        password = stack.agent(user).password
        server = ("::1", stack.info["sip_port"]) if ipv6 else stack.server
        agent = sip.Agent(server, user, password, stack.info["domain"], host="::1" if ipv6 else "127.0.0.1", tcp=tcp)
        stack.agents.append(agent)
        return agent

    def messages(self):
        """What has come, in order."""
        if not os.path.exists(self.name + ".msg"):
            return []
        with open(self.name + ".msg", "rb") as file:
            text = file.read()
        found = re.split(rb"-{40,} [^\n]*\n", text)
        heads = re.compile(rb"^\w+ message received \[(\d+)\] bytes ?:\s*\n")
        cut = [(int(match.group(1)), part[match.end():]) for part in found if (match := heads.match(part))]
        # sipp may be writing the last one
        return [sip.Message(text[:size]) for size, text in cut if len(text) >= size]

    def got(self, method):
        """The requests of this method that have come; one that was sent again counts once."""
        return list({(m.headers["via"][0], m.cseq): m for m in reversed(self.messages()) if m.is_request and m.method == method}.values())[::-1]

    def invite(self, timeout=5):
        return wait_until(lambda: self.got("INVITE"), timeout, f"an INVITE to {self.terminal}")[0]

    def played(self, timeout=15):
        """Waits until the scenario has been played to its end, as it stands in the file."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.terminal} has got only {[m.first for m in self.messages()]}") from None
        assert status == 0, f"sipp ends with {status}: {self.errors()}"

    def errors(self):
        if not os.path.exists(self.name + ".err"):
            return ""
        with open(self.name + ".err", errors="replace") as file:
            return file.read()[:600]

    def gone(self):
        """No terminal any more."""
        SippPhone.phones.remove(self)
        if self.agent:
            self.agent.register(0)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
