"""sealing.py - a server that signs and encrypts, terminals with certificates, and what openssl alone makes of it.

SPDX-License-Identifier: GPL-2.0-or-later
Certificates are made when the module is imported, and gone when the process ends.
"""

import atexit
import json
import os
import re
import subprocess

from pki import Pki, content_of, fields_of
from scene import provisioned
from sip import Dialog
from stack import BIN, TOP, wait_until

DOMAIN = "127.0.0.1"
PATIENT = b"Boris Example"
PKCS7 = "application/pkcs7-mime; smime-type=authEnveloped-data; name=smime.p7m"

pki = Pki()
atexit.register(pki.close)
pki.issue("server", f"sip:{DOMAIN}")
CONFIG = f"{pki.dir}/kamailio.cfg"
MODULES = 'include_file "bmd/modules.cfg"\n'


def write_config(*lines):
    """A kamailio.cfg at CONFIG with S/MIME, and these lines before modules.cfg."""
    with open(os.path.join(TOP, "kamailio-cfg", "kamailio.cfg")) as file:
        before, after = file.read().split(MODULES)
    with open(CONFIG, "w") as file:
        file.write(before + "#!define BMD_SMIME\n"
                   f'#!define BMD_SMIME_CERTIFICATE "{pki.pem("server")}"\n'
                   f'#!define BMD_SMIME_KEY "{pki.key("server")}"\n'
                   f'#!define BMD_SMIME_CA "{pki.pem("ca")}"\n' + "".join(line + "\n" for line in lines) +
                   MODULES + after)
    os.chmod(CONFIG, 0o644)


def provision(stack, user, certificate=None, encrypted_only=False):
    """The person's row of bmd_encryption, in force when this returns."""
    pem = f"'{certificate}'" if certificate else "NULL"
    stack.sql(f"INSERT INTO bmd_encryption VALUES ('{user}', {pem}, {encrypted_only}) ON CONFLICT (username) "
              f"DO UPDATE SET certificate = {pem}, encrypted_only = {encrypted_only}")
    provisioned(stack)


def opened(message, name):
    """What openssl alone finds in a request: the document, the headers that were signed."""
    entity = pki.decrypt(name, message.body)
    kind, _ = content_of(entity)
    assert kind == "multipart/signed", kind
    return verified(message, entity)


def verified(message, entity):
    kind, sipfrag = content_of(pki.verify(entity))
    assert kind == "message/sipfrag", kind
    lines, _, body = sipfrag.partition(b"\r\n\r\n")
    fields = fields_of(lines)
    for name in ("from", "to", "call-id", "cseq", "contact", "event", "subscription-state"):
        outer = ",".join(re.sub(r"\s", "", value) for value in message.headers.get(name, []))
        assert fields.get(name, "") == outer, f"{name}: {fields.get(name)} was signed, {outer} came"
    return body, fields


def raise_with(stack, value):
    """A new alert with this value."""
    stack.report("OX-1001 SpO2=98")
    stack.report(f"OX-1001 SpO2={value}")


class Terminal:
    """A running bmd-watch with the certificate of its person."""

    def __init__(self, stack, user, port=None, name=None, more=()):
        info = {t["username"]: t for t in stack.info["technicians"]}[user]
        self.path = f"{stack.dir}/{user}-{len(stack.children)}.jsonl"
        name = name or user
        self.process = stack.start(
            f"{BIN}/bmd-watch", "--aor", info["aor"], "--registrar", f"sip:127.0.0.1:{port or stack.server[1]}",
            "--user", user, "--password-file", info["password_file"], "--local", "127.0.0.1:0", "--json",
            "--no-register", "--ca", pki.pem("ca"), "--certificate", pki.pem(name), "--key", pki.key(name), *more,
            stdin=subprocess.PIPE, stdout=open(self.path, "w"), stderr=subprocess.STDOUT)

    def objects(self):
        with open(self.path) as file:
            return [json.loads(line) for line in file if line.startswith("{") and line.endswith("\n")]

    def wait(self, wanted, what, timeout=10, after=0):
        try:
            return wait_until(lambda: next((o for o in self.objects()[after:] if wanted(o)), None), timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {[o.get('event', 'state') for o in self.objects()]}") from None

    def shows(self, value, after=0, timeout=10):
        return self.wait(lambda o: any(a["value"] == value for a in o.get("alerts", [])), f"the alert with {value}",
                         timeout, after)

    def end(self):
        self.process.terminate()
        self.process.wait(10)


def entity(body, content_type=b"application/dmp"):
    return b"Content-Type: " + content_type + b"\r\n\r\n" + body


def subscribe(agent, content_type, body, headers="Event: bmd-alert\nAccept: application/dmp\nExpires: 3600\n",
              sealed=None):
    """SUBSCRIBE with a body that may be made once its headers are known: sealed(headers) returns (type, body)."""
    dialog = Dialog(f"sip:{agent.user}@{DOMAIN}")
    reply = agent._exchange("SUBSCRIBE", dialog.target, dialog, headers, b"", None, 5, None)
    assert reply.status == 401, reply.first
    line = agent.authorize(reply.get("www-authenticate"), "SUBSCRIBE", dialog.target)
    if sealed:
        content_type, body = sealed(
            f"From: <sip:{agent.user}@{DOMAIN}>;tag={dialog.local_tag}\r\nTo: <{dialog.to}>\r\n"
            f"Call-ID: {dialog.call_id}\r\nCSeq: 2 SUBSCRIBE\r\nContact: <{agent.contact}>\r\n"
            "Event: bmd-alert\r\nExpires: 3600\r\n")
    return agent._exchange("SUBSCRIBE", dialog.target, dialog, headers + f"Content-Type: {content_type}\n", body, line,
                           5, None)


write_config()
