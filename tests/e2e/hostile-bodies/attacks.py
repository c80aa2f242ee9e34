"""attacks.py - what is thrown at the server; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import json
import random

MARK = "Margarete-Geheim"  # a patient's name: must appear in no answer and in no log line
random.seed(4475)

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
_HEAD = "<DMPAction><Device>OX-1001</Device><Subscribe><Variable>"
_TAIL = "</Variable></Subscribe></DMPAction>"
XML = {
    "ten levels of entities": f"<!DOCTYPE DMPAction [{_LAUGHS}]>{_HEAD}&l9;{_TAIL}",
    "one long entity many times": f'<!DOCTYPE DMPAction [<!ENTITY a "{"a" * 20000}">]>{_HEAD}'
                                  f'{"&a;" * 5000}{_TAIL}',
    "a local file": f'<!DOCTYPE DMPAction [<!ENTITY x SYSTEM "file:///etc/passwd">]>{_HEAD}&x;{_TAIL}',
    "an address": f'<!DOCTYPE DMPAction SYSTEM "http://127.0.0.1:9/x.dtd">{_HEAD}SpO2{_TAIL}',
    "a parameter entity": f'<!DOCTYPE r [<!ENTITY % p SYSTEM "file:///dev/zero"> %p;]>{_HEAD}x{_TAIL}',
    "XInclude": '<DMPAction xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include '
                'href="file:///etc/passwd" parse="text"/></DMPAction>',
    "10,000 levels": "<DMPAction>" * 10000,
    "20,000 attributes": "<DMPAction " + " ".join(f'a{n}="1"' for n in range(5000)) + "/>",
    "truncated": _HEAD[:-9],
    "truncated in a tag": _HEAD + "SpO2</Vari",
    "not UTF-8": _HEAD + "\udcff\udcfe\udc80" + _TAIL,
    "a zero byte": _HEAD + "a\0b" + _TAIL,
    "no XML at all": "\x7fELF" + "A" * 2000,
    "empty": "",
}


def xml(name):
    return XML[name].encode("utf-8", "surrogateescape")


MEGABYTE = (_HEAD + "A" * (1 << 20) + _TAIL).encode()

# JSON that must not be taken as a call of anything but bmd.report, and not succeed as that either.
JSON = [
    b"", b" ", b"{", b"}", b"[]", b"{}", b"null", b"true", b"1", b'""', b"\0", b"\xff\xfe", b"{" * 200,
    b'{"jsonrpc":"2.0","method":"bmd.report"', b'{"jsonrpc":"2.0","method":"bmd.report","params":',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["' + MARK.encode(),
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["' + MARK.encode() + b'"',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":{"' + MARK.encode() + b'":"1}}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":null,"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":7,"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[null,{},[],true],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[{"a":{"b":[1,2,3]}}],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[1e999],"id":1e999}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[' + b"9" * 5000 + b'],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["c",' + b"9" * 400 + b',1,"OX-1001 SpO2=97"],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["c",-1e-999,1,"OX-1001 SpO2=97"],"id":-0}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["\\ud800\\u0000\\uffff"],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":["' + b"\\u0041" * 1000 + b'"],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":' + b"[" * 10000 + b"]" * 10000 + b',"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":' + b'{"a":' * 10000 + b"1" + b"}" * 10000 + b"}",
    b"<?xml version='1.0'?><methodCall><methodName>bmd.alerts</methodName></methodCall>",
]

OTHER_METHODS = ["bmd.alerts", "bmd.devices", "bmd.device", "bmd.ack", "bmd.stats", "core.shutdown", "core.kill",
                 "core.shmmem", "system.listMethods", "cfg.set_now_int", "htable.dump", "tm.t_uac_start",
                 "presence.cleanup", "ul.dump", "bmd.report.alerts", "bmd.reports", "xbmd.report"]

SMUGGLED = [json.dumps({"jsonrpc": "2.0", "method": m, "params": [], "id": 1}).encode()
            for m in OTHER_METHODS] + [
    b'{"method":"bmd.alerts","method":"bmd.report","params":[],"id":1}',
    b'{"method":"bmd.report","method":"bmd.alerts","params":[],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[],"id":1,"method":"bmd.alerts"}',
    b'{"jsonrpc":"2.0","Method":"bmd.alerts","method":"bmd.report","params":[],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report","METHOD":"bmd.alerts","params":[],"id":1}',
    b'{"\\u006dethod":"bmd.alerts","method":"bmd.report","params":[],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd\\u002ealerts","params":[],"id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report\\u0000","method":"bmd.alerts","id":1}',
    b'{"jsonrpc":"2.0","method":"bmd.report\0","method":"bmd.alerts","id":1}',
    b'{"params":{"method":"bmd.report"},"method":"bmd.alerts","id":1}',
    b'{"id":"\\",\\"method\\":\\"bmd.report","method":"bmd.alerts"}',
    b'{"id":"x","jsonrpc":"2.0","id":{"method":"bmd.report"},"method":"bmd.alerts"}',
    b'{"jsonrpc":"2.0"/*"method":"bmd.report"*/,"method":"bmd.alerts"}',
    b'[{"jsonrpc":"2.0","method":"bmd.alerts","params":[],"id":1}]',
    b'[{"jsonrpc":"2.0","method":"bmd.report","params":[],"id":1},{"method":"bmd.alerts","id":2}]',
    b'{"jsonrpc":"2.0","method":"bmd.report","params":[],"id":1}{"method":"bmd.alerts","id":2}',
    b'{"jsonrpc":"2.0","method":["bmd.report"],"method":"bmd.alerts","id":2}',
    b'\xef\xbb\xbf{"method":"bmd.alerts","id":2}', b'\0{"method":"bmd.alerts","id":2}',
    b'{"id":1,' + b" " * 500 + b'"method":"bmd.alerts"}',
    b'{' + b'"id":1,' * 80 + b'"method":"bmd.alerts"}',
]

# After RFC 4475: {d} is our domain, {n} a number that makes transactions differ.
_V = "Via: SIP/2.0/UDP 127.0.0.1:{p};branch=z9hG4bK{n};rport\n"
_REST = "Max-Forwards: 70\nFrom: <sip:tech1@{d}>;tag=t{n}\nTo: <sip:tech1@{d}>\nCall-ID: torture{n}\n"
_ALL = _V + _REST
TORTURE = {
    "badinv01": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL.replace("Max", "Via: SIP/2.0/UDP 192.0.2.15;;,;,,\nMax")
                + "CSeq: 8 SUBSCRIBE\nContact: \"Joe\" <sip:joe@example.org>;;;;\nContent-Length: 0\n\n",
    "clerr": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 9999\n\nv=0\n",
    "ncl": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: -999\n\nv=0\n",
    "scalar02": "REGISTER sip:{d} SIP/2.0\n" + _ALL.replace("70", "300")
                + "CSeq: 36893488147419103232 REGISTER\nExpires: 10000000000000000000000000000000\n"
                  "Contact: <sip:user@host129.example.com>;expires=280297596632815\nContent-Length: 0\n\n",
    "scalarlg": "SIP/2.0 503 Service Unavailable\n" + _ALL + "CSeq: 9292394834772304023312 OPTIONS\n"
                "Retry-After: 949302838503028349304023988\nWarning: 1812 overture \"In Progress\"\nContent-Length: 0\n\n",
    "quotbal": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL.replace("To: <", "To: \"Mr. J. User <")
               + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "ltgtruri": "SUBSCRIBE <sip:tech1@{d}> SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "lwsruri": "SUBSCRIBE sip:tech1@{d}; lr SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "lwsstart": "SUBSCRIBE  sip:tech1@{d}  SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "escruri": "SUBSCRIBE sip:tech1@{d}?Route=%3Csip:example.com%3E SIP/2.0\n" + _ALL
               + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "badvers": "SUBSCRIBE sip:tech1@{d} SIP/7.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "mismatch01": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 INVITE\nContent-Length: 0\n\n",
    "mismatch02": "NEWMETHOD sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 INVITE\nContent-Length: 0\n\n",
    "bigcode": "SIP/2.0 4294967301 better not break the receiver\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "insuf": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _V + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "unkscm": "SUBSCRIBE nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\n" + _ALL
              + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "multi01": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + _REST + "CSeq: 8 SUBSCRIBE\nCSeq: 9 INVITE\n"
               "Content-Length: 0\n\n",
    "mcl01": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nContent-Length: 13\n"
             "Content-Length: 5\n\nThere's no way",
    "zeromf": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL.replace("70", "0") + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "bext01": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nRequire: nothingSupportsThis\n"
              "Proxy-Require: noProxiesSupportThis\nContent-Length: 0\n\n",
    "regbadct": "REGISTER sip:{d} SIP/2.0\n" + _ALL + "CSeq: 8 REGISTER\nContact: sip:user@example.com?Route=%3Csip:"
                "sip.example.com%3E\nContent-Length: 0\n\n",
    "regaut01": "REGISTER sip:{d} SIP/2.0\n" + _ALL + "CSeq: 8 REGISTER\nAuthorization: NoOneKnowsThisScheme "
                "opaque-data=here\nContent-Length: 0\n\n",
    "digest of nothing": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nAuthorization: Digest "
                         "username=\"\", realm=\"\", nonce=\"\", uri=\"\", response=\"\"\nContent-Length: 0\n\n",
    "digest without end": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nAuthorization: Digest "
                          "username=\"" + "A" * 3000 + "\nContent-Length: 0\n\n",
    "SQL in a name": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 SUBSCRIBE\nAuthorization: Digest "
                     "username=\"x' OR '1'='1\", realm=\"{d}\", nonce=\"n\", uri=\"sip:x\", response=\""
                     + "0" * 32 + "\"\nContent-Length: 0\n\n",
    "a header of 20 kB": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "X-Long: " + "A" * 20000
                         + "\nCSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "1,000 headers": "SUBSCRIBE sip:tech1@{d} SIP/2.0\n" + _ALL + "X: y\n" * 1000
                     + "CSeq: 8 SUBSCRIBE\nContent-Length: 0\n\n",
    "notify of nobody": "NOTIFY sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 NOTIFY\nEvent: bmd-alert\n"
                        "Subscription-State: active\nContent-Length: 0\n\n",
    "publish": "PUBLISH sip:tech1@{d} SIP/2.0\n" + _ALL + "CSeq: 8 PUBLISH\nEvent: bmd-alert\nContent-Length: 0\n\n",
}


def torture(name, domain, port, number):
    text = TORTURE[name].replace("{d}", domain).replace("{p}", str(port)).replace("{n}", str(number))
    return text.replace("\n", "\r\n").encode()


GARBAGE = [b"", b"\0", b"\r\n", b"\r\n\r\n", b"\r\n" * 500, b"SIP/2.0", b"SIP/2.0 200 OK\r\n\r\n", b"OPTIONS",
           b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00\x01\x00\x08!\x12\xa4B" * 3,
           b"INVITE " + b"A" * 60000, b"%n%s%p" * 100] + [random.randbytes(n) for n in (1, 20, 300, 1400, 9000, 60000)]

HTTP = [  # whole requests on the intake socket; %d: length of the body
    b"GET /RPC HTTP/1.1\r\nHost: x\r\n\r\n", b"PUT /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"DELETE /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /RPC/../bmd HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /RPC?method=bmd.alerts HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /" + b"A" * 8000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 4294967298\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 0x10\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n{}\r\n0\r\n\r\n",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
    b"POST /RPC HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 3000 + b"Content-Length: 2\r\n\r\n{}",
    b"POST /RPC HTTP/9.9\r\n\r\n", b"POST\r\n\r\n", b"\r\n\r\nPOST /RPC HTTP/1.1\r\n\r\n",
]
