"""seeds.py - first inputs of the fuzz targets: what tests/data has, and words made here.

SPDX-License-Identifier: GPL-2.0-or-later
A target without an entry begins with nothing.
"""

import glob
import json
import os
import re

DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")

# Longest input, where 2048 bytes do not do: two whole replies of a ventilator, a document.
LONGEST = {"driver_pb840": 4096, "driver_nonin": 4096, "dmp_document": 6144}


def read(*parts):
    with open(os.path.join(DATA, *parts), "rb") as file:
        return file.read()


def column(name, number=0):
    """A column of a table of rules, its escapes resolved."""
    cells = []
    for line in read(*name.split("/")).decode("utf-8", "surrogateescape").splitlines():
        fields = line.split("\t")
        if not line.startswith("#") and len(fields) > number:
            text = re.sub(r"\\x([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), fields[number])
            cells.append(text.replace("\\n", "\n").encode("utf-8", "surrogateescape"))
    return cells


def documents():
    entries = ["<Control><Action>accept</Action><Argument>K7FQP</Argument></Control>",
               "<Control><Action>silence</Action><Argument>K7FQP</Argument><Argument>60</Argument></Control>",
               "<Query><Variable>SpO2</Variable></Query>",
               "<Subscribe><Variable>SpO2</Variable><Event>SpO2 &lt; 90%</Event><Duration>PT8H</Duration></Subscribe>",
               '<Subscribe><Variable>*</Variable><Event>priority >= low and area = "a b"</Event><Event>rule x</Event>'
               "<Duration>always</Duration></Subscribe>"]
    made = [f"<DMPAction><Device>OX-1</Device>{entry}</DMPAction>".encode() for entry in entries]
    return made + [read("dmp", os.path.basename(path)) for path in glob.glob(os.path.join(DATA, "dmp", "*.xml"))]


def words():
    events, durations = column("dmp/event_cases.tsv"), column("dmp/duration_cases.tsv")
    return [b"\n".join((events[n % len(events)], durations[n % len(durations)], b"2026-11-21T03:00:00.5+01:00", b"K7FQP"))
            for n in range(max(len(events), len(durations)))]


def batches():
    devices = [text.replace(b"OX-1", b"D0").replace(b"OX-2", b"D1") for text in column("report_cases.tsv")]
    made = [b"c1D0 SpO2=80\nD1 SpO2=97\x1ec2D0 SpO2=97", b"c1D0 SpO2=80\x1ec3D0 SpO2=70\x1ec1D0 SpO2=80",
            b"c3!absent 1\nD0 SpO2=?\x1eD0 !SensorDisconnected=on\x1eD0 SpO2=89.5 PulseRate=72"]
    return devices + made


def requests():
    calls = [["OX-1 SpO2=97"], ["home-1", "1", "7", "OX-1 1763690000000000 SpO2=97 PulseRate=72\n"]]
    return [json.dumps({"jsonrpc": "2.0", "id": n, "method": "bmd.report", "params": params}).encode()
            for n, params in enumerate(calls)]


def offers():
    head = b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
    return [head + b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n",
            head + b"m=video 0 RTP/AVP 31\r\nm=audio 49170 RTP/AVP 0\r\n"]


def watchers():
    head = b'<?xml version="1.0"?><watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo" version="0" state="full">'
    entry = b'<watcher id="a" status="pending" event="subscribe" duration-subscribed="5">sip:a@x</watcher>'
    return [head + b'<watcher-list resource="sip:b@x" package="bmd-alert">' + entry + b"</watcher-list></watcherinfo>",
            head.replace(b"full", b"partial") + b"</watcherinfo>"]


def serial(*patterns):
    """Each file as one piece, as single bytes and in odd pieces."""
    return [prefix + read(os.path.relpath(path, DATA))[:4000] for pattern in patterns
            for path in sorted(glob.glob(os.path.join(DATA, pattern))) for prefix in (b"\xff", b"\x00", b"\x0d")]


def replies():
    good = {"jsonrpc": "2.0", "id": 1, "result": {"accepted": 3, "refused_count": 0, "duplicate": 0, "durable": "7"}}
    codes = {1: 400, 2: 404, 3: 409, 4: 412, 5: 413, 7: 503}
    faults = [bytes([n]) + json.dumps({"jsonrpc": "2.0", "id": 1, "error": {
        "code": code, "message": "expects 8, judged 7"}}).encode() for n, code in codes.items()]
    return [b"\0" + json.dumps(good).encode()] + faults


def configurations():
    example = os.path.join(DATA, "..", "..", "tools", "bmd-collector", "bmd-collector.toml.example")
    with open(example, "rb") as file:
        return [file.read(), b'[server]\nurl = "https://a.example/RPC"\ncollector = "home1"\n[spool]\npath = "spool.db"\n'
                b'[[port]]\ndevice = "/dev/ttyUSB0"\ndriver = "pb840"\nserial = "V1"\n']


def smime():
    """Changes of good bodies, and bodies of others; see smime_body.cpp."""
    part = b"--b\r\nContent-Type: message/sipfrag\r\n\r\nTo: <sip:carol@bmd.example>\r\nContent-Type: application/dmp\r\n\r\n<DMPResponse/>\r\n"
    signature = b"--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIBAAYJKoZIhvcNAQcC\r\n--b--\r\n"
    enveloped = b"\x30\x82\x00\x20\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17\xa0\x0f\x30\x0d\x02\x01\x00"
    changes = [bytes([0, 0, what, 1]) + bytes([1, 0, what, 9]) for what in range(4)]
    return [bytes([kind]) + change for kind in range(4) for change in [b"", *changes]] + [
        b"\x04" + part + signature, b"\x05" + enveloped, b"\x05MIIBAAYLKoZIhvcNAQkQARc="]


SEEDS = {
    "dmp_document": documents,
    "dmp_words": words,
    "report": lambda: column("report_cases.tsv"),
    "intake": batches,
    "rpc_request": requests,
    "text_reply": lambda: column("reply_cases.tsv"),
    "sdp_offer": offers,
    "winfo": watchers,
    "driver_nonin": lambda: serial("nonin/*.bin"),
    "driver_pb840": lambda: serial("pb840/*.bin"),
    "collector_reply": replies,
    "collector_config": configurations,
    "smime_body": smime,
}


def write(target, folder):
    """Writes the seeds of a target to files of that folder."""
    for number, seed in enumerate(SEEDS.get(target, list)()):
        with open(os.path.join(folder, f"{number:03}"), "wb") as file:
            file.write(seed)
