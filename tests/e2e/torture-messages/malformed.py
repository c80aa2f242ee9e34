"""malformed.py - what is wrong with requests of a person who is authenticated, and how they are answered.

SPDX-License-Identifier: GPL-2.0-or-later
A row: method, what is wrong, the change, the statuses allowed.  A change names a header and its whole new line
("" takes it away, "+" adds lines), "line" the request line, "body" the body; {d} is the domain, {c} the contact.
REFUSED: any refusal but 500.  NOTHING: no answer at all.  UNREAD: refused, or dropped by Kamailio's parser without an answer.
None: anything but 500.
"""

REFUSED = "refused"
NOTHING = "nothing"
UNREAD = "unread"
DMP = "+Content-Type: application/dmp"
LONG = "a" * 4000
REGISTER = "REGISTER sip:{d} SIP/2.0"

ROWS = [
    ("SUBSCRIBE", "no Event", {"Event": ""}, (489,)),
    ("SUBSCRIBE", "an empty Event", {"Event": "Event:"}, REFUSED),
    ("SUBSCRIBE", "an Event of control characters", {"Event": "Event: \x01\x02"}, REFUSED),
    ("SUBSCRIBE", "watcher information as alerts", {"Event": "Event: bmd-alert.winfo"}, (406,)),
    ("SUBSCRIBE", "another template of the event", {"Event": "Event: bmd-alert.xwinfo"}, (489,)),
    ("SUBSCRIBE", "an Event of 4,000 characters", {"Event": "Event: " + LONG}, (489,)),
    ("SUBSCRIBE", "Expires that is no number", {"Expires": "Expires: soon"}, REFUSED),
    ("SUBSCRIBE", "a negative Expires", {"Expires": "Expires: -1"}, REFUSED),
    ("SUBSCRIBE", "Expires that is too short", {"Expires": "Expires: 1"}, (423,)),
    ("SUBSCRIBE", "Expires of 40 digits", {"Expires": "Expires: " + "9" * 40}, REFUSED),
    ("SUBSCRIBE", "no Contact", {"Contact": ""}, (400,)),
    ("SUBSCRIBE", "Contact: *", {"Contact": "Contact: *"}, REFUSED),
    ("SUBSCRIBE", "an empty Contact", {"Contact": "Contact: <>"}, REFUSED),
    ("SUBSCRIBE", "a Contact that is not closed", {"Contact": "Contact: <sip:tech1@127.0.0.1"}, REFUSED),
    ("SUBSCRIBE", "a Contact by mail", {"Contact": "Contact: <mailto:tech1@example.com>"}, REFUSED),
    ("SUBSCRIBE", "a Contact of 4,000 characters", {"Contact": f"Contact: <sip:{LONG}@127.0.0.1>"}, None),
    ("SUBSCRIBE", "no tag in From", {"From": "From: <sip:tech1@{d}>"}, (400,)),
    ("SUBSCRIBE", "a tag in To of no dialog", {"To": "To: <sip:tech1@{d}>;tag=nobody"}, (481,)),
    ("SUBSCRIBE", "no Call-ID", {"Call-ID": ""}, UNREAD),
    ("SUBSCRIBE", "no CSeq", {"CSeq": ""}, UNREAD),
    ("SUBSCRIBE", "CSeq that is no number", {"CSeq": "CSeq: one SUBSCRIBE"}, REFUSED),
    ("SUBSCRIBE", "CSeq beyond 32 bits", {"CSeq": "CSeq: 4294967296 SUBSCRIBE"}, (400, 500)),
    ("SUBSCRIBE", "CSeq of another method", {"CSeq": "CSeq: 2 INVITE"}, (400,)),
    ("SUBSCRIBE", "Accept of nothing we have", {"Accept": "Accept: text/html"}, (406,)),
    ("SUBSCRIBE", "Accept that is no list", {"Accept": "Accept: ;;;,,,"}, REFUSED),
    ("SUBSCRIBE", "a body without a type", {"body": "<DMPAction/>"}, REFUSED),
    ("SUBSCRIBE", "a type that is none", {"+": "Content-Type: /", "body": "x"}, REFUSED),
    ("SUBSCRIBE", "a compressed body", {"+": "Content-Encoding: gzip\nContent-Type: application/dmp", "body": "x"}, (415,)),
    ("SUBSCRIBE", "less body than announced", {"Content-Length": "Content-Length: 99"}, (400,)),
    ("SUBSCRIBE", "Content-Length that is no number", {"Content-Length": "Content-Length: 1e3"}, UNREAD),
    ("SUBSCRIBE", "an extension that is required", {"+": "Require: nothing-known"}, (420,)),
    ("SUBSCRIBE", "Max-Forwards of 0", {"Max-Forwards": "Max-Forwards: 0"}, (483,)),
    ("SUBSCRIBE", "Max-Forwards that is no number", {"Max-Forwards": "Max-Forwards: many"}, REFUSED),
    ("SUBSCRIBE", "a header without a colon", {"+": "this is no header"}, None),
    ("SUBSCRIBE", "a header name with a space", {"+": "No Header: x"}, None),
    ("SUBSCRIBE", "a zero byte in a header", {"+": "Subject: a\0b"}, None),
    ("SUBSCRIBE", "a telephone number", {"line": "SUBSCRIBE tel:+1 SIP/2.0"}, REFUSED),
    ("SUBSCRIBE", "nobody's address", {"line": "SUBSCRIBE sip:@{d} SIP/2.0"}, REFUSED),
    ("SUBSCRIBE", "an address that is not closed", {"line": "SUBSCRIBE sip:tech1@[::1 SIP/2.0"}, REFUSED),
    ("SUBSCRIBE", "a zero byte in the address", {"line": "SUBSCRIBE sip:tech1%00@{d} SIP/2.0"}, REFUSED),
    ("SUBSCRIBE", "an address of 4,000 characters", {"line": f"SUBSCRIBE sip:{LONG}@{{d}} SIP/2.0"}, REFUSED),
    ("MESSAGE", "a body without a type", {"Content-Type": ""}, None),
    ("MESSAGE", "a type that is none", {"Content-Type": "Content-Type: /"}, REFUSED),
    ("MESSAGE", "a text in UTF-16", {"Content-Type": "Content-Type: text/plain;charset=utf-16"}, None),
    ("MESSAGE", "a text that is not UTF-8", {"body": "ok \udcff\udcfe"}, None),
    ("MESSAGE", "a picture", {"Content-Type": "Content-Type: image/png"}, (415,)),
    ("MESSAGE", "parts without a boundary", {"Content-Type": "Content-Type: multipart/mixed"}, (415,)),
    ("MESSAGE", "a compressed text", {"+": "Content-Encoding: gzip"}, (415,)),
    ("MESSAGE", "an empty text", {"body": ""}, None),
    ("MESSAGE", "To of somebody else", {"To": "To: <sip:tech2@{d}>"}, None),
    ("MESSAGE", "no From", {"From": ""}, UNREAD),
    ("MESSAGE", "From of somebody else", {"From": "From: <sip:tech2@{d}>;tag=x"}, (403,)),
    ("MESSAGE", "less body than announced", {"Content-Length": "Content-Length: 9999"}, (400,)),
    ("MESSAGE", "a negative Content-Length", {"Content-Length": "Content-Length: -1"}, UNREAD),
    ("MESSAGE", "no Via", {"Via": ""}, NOTHING),
    ("MESSAGE", "a Via of nothing", {"Via": "Via: ;;;,,,"}, NOTHING),
    ("PUBLISH", "no Event", {"Event": ""}, (489,)),
    ("PUBLISH", "of alerts", {}, (403,)),
    ("PUBLISH", "of presence", {"Event": "Event: presence"}, (489,)),
    ("PUBLISH", "of two events", {"+": "Event: presence"}, REFUSED),
    ("PUBLISH", "an entity tag of nothing", {"+": "SIP-If-Match: \"\""}, (403,)),
    ("PUBLISH", "a negative Expires", {"Expires": "Expires: -1"}, REFUSED),
    ("PUBLISH", "a document", {"+": "Content-Type: application/dmp", "body": "<DMPResponse/>"}, (403,)),
    ("REGISTER", "To of somebody else", {"line": REGISTER, "To": "To: <sip:tech2@{d}>"}, (403,)),
    ("REGISTER", "From of somebody else", {"line": REGISTER, "From": "From: <sip:tech2@{d}>;tag=x", "To": "To: <sip:tech2@{d}>"}, (403,)),
    ("REGISTER", "an address elsewhere in To", {"line": REGISTER, "To": "To: <sip:tech1@elsewhere.example>"}, REFUSED),
]


def base(method, agent, number):
    """Headers of a request of which nothing is wrong, in order."""
    headers = {
        "line": f"{method} sip:tech1@{{d}} SIP/2.0",
        "Via": f"Via: SIP/2.0/UDP {agent.host}:{agent.port};branch=z9hG4bKmal{number};rport",
        "Max-Forwards": "Max-Forwards: 70", "From": f"From: <sip:tech1@{{d}}>;tag=m{number}",
        "To": "To: <sip:tech1@{d}>", "Call-ID": f"Call-ID: malformed{number}", "CSeq": f"CSeq: 2 {method}",
        "Contact": "Contact: <{c}>"}
    if method == "MESSAGE":
        del headers["Contact"]
        return {**headers, "Content-Type": "Content-Type: text/plain", "body": "list"}
    return {**headers, "Event": "Event: bmd-alert", "Expires": "Expires: 3600", "Accept": "Accept: application/dmp", "body": ""}


def message(row, agent, domain, authorization, number):
    """The bytes of a row; `authorization` is a whole line, or empty."""
    headers = base(row[0], agent, number)
    headers["Content-Length"] = None
    headers.update(row[2])
    body = headers.pop("body").encode("utf-8", "surrogateescape")
    if headers["Content-Length"] is None:
        headers["Content-Length"] = f"Content-Length: {len(body)}"
    lines = [line.replace("{d}", domain).replace("{c}", agent.contact) for line in headers.values() if line]
    if authorization:
        lines.insert(-1, authorization)
    return "\n".join(lines).replace("\n", "\r\n").encode() + b"\r\n\r\n" + body
