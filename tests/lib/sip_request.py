"""sip_request.py - send one SIP request over UDP, with digest if asked, and print the final status.

SPDX-License-Identifier: GPL-2.0-or-later

Usage: sip_request.py STACK.json METHOD URI [--user NAME [--password P]] [--from URI] [--to URI]
       [--to-tag T] [--header "Name: value"]... [--show Header]...
STACK.json is what bmd-stack prints; it gives address, domain and passwords.
A raw socket on purpose: it sends what no SIP stack would.
"""

import argparse
import json
import re
import socket
import uuid

import digest


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("stack")
    p.add_argument("method")
    p.add_argument("uri")
    p.add_argument("--user")
    p.add_argument("--password")
    p.add_argument("--from", dest="sender")
    p.add_argument("--to")
    p.add_argument("--to-tag")
    p.add_argument("--header", action="append", default=[])
    p.add_argument("--show", action="append", default=[])
    return p.parse_args()


class Client:
    def __init__(self, args):
        self.args = args
        with open(args.stack, encoding="utf-8") as f:
            self.stack = json.load(f)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((self.stack["sip_host"], self.stack["sip_port"]))
        self.socket.settimeout(5)
        self.call_id = uuid.uuid4().hex

    def request(self, cseq, authorization):
        a = self.args
        user = a.user or "tech1"
        here = "%s:%d" % self.socket.getsockname()
        sender = a.sender or f"sip:{user}@{self.stack['domain']}"
        to = a.to or (sender if a.method == "REGISTER" else a.uri)
        lines = [
            f"{a.method} {a.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};rport;branch=z9hG4bK{uuid.uuid4().hex}",
            "Max-Forwards: 70",
            f"From: <{sender}>;tag=1",
            f"To: <{to}>" + (f";tag={a.to_tag}" if a.to_tag else ""),
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {a.method}",
            f"Contact: <sip:{user}@{here}>",
            *a.header,
            *authorization,
            "Content-Length: 0",
            "",
            "",
        ]
        self.socket.send("\r\n".join(lines).encode())
        return self.final_answer(cseq)

    def final_answer(self, cseq):
        """Requests that arrive meanwhile (NOTIFY, MESSAGE) are answered with 200."""
        while True:
            text = self.socket.recv(65535).decode()
            if not text.startswith("SIP/2.0 "):
                same = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq): .*?(?=\r$)", text)
                self.socket.send("\r\n".join(["SIP/2.0 200 OK", *same, "Content-Length: 0", "", ""]).encode())
            elif int(text[8:11]) >= 200 and f"CSeq: {cseq} " in text and self.call_id in text:
                return text

    def authorization(self, challenge):
        a = self.args
        password = a.password or next(t["password"] for t in self.stack["technicians"] if t["username"] == a.user)
        return digest.credentials(challenge, a.user, password, a.method, a.uri)


def header(answer, name):
    found = re.search(rf"(?mi)^{re.escape(name)}: *(.*?)\r?$", answer)
    return f"{name}: {found.group(1)}" if found else f"no {name}"


def main():
    args = arguments()
    client = Client(args)
    answer = client.request(1, [])
    challenge = re.search(r"(?mi)^WWW-Authenticate: *(.*?)\r?$", answer)
    if args.user and challenge:
        answer = client.request(2, [client.authorization(challenge.group(1))])
    print(" ".join([answer[8:11], *(header(answer, name) for name in args.show)]))


main()
