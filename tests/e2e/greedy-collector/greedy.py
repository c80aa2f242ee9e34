"""greedy.py - a collector that sends batches of half a megabyte without pause, by HTTPS.

SPDX-License-Identifier: GPL-2.0-or-later
usage: greedy.py HOST PORT CA CERTIFICATE COLLECTOR DEVICE KIND SECONDS CONNECTIONS
KIND: "plain": values that raise nothing; "flaps": every second one raises an alert, every other ends it; "unknown": of a metric
that nobody knows.
Prints "BATCHES READINGS WAIT REFUSED BROKEN": batches and readings taken, batches told to wait, batches refused, connections that
ended.  SECONDS 0: until the first batch that is told to wait.
"""

import http.client
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from sip_tls import context

HOST, PORT, CA, CERTIFICATE, COLLECTOR, DEVICE, KIND = sys.argv[1], int(sys.argv[2]), *sys.argv[3:8]
SECONDS, CONNECTIONS = float(sys.argv[8]), int(sys.argv[9])
UNTIL = time.monotonic() + (SECONDS or 30)
ADDRESS = "127.0.0.9"  # not the server's own, which has no limit of connections
VALUES = {"unknown": "Xx=97 Xx=97", "plain": "SpO2=97 SpO2=97", "flaps": "SpO2=80 SpO2=97"}[KIND]
ALL = 60_000
TEXT = json.dumps(f"{DEVICE} " + " ".join([VALUES] * (ALL // 2)))
EPOCH = int(time.time())
TRUST = context(CA, CERTIFICATE)


class Shared:
    lock = threading.Lock()
    seq = taken = wait = refused = broken = 0


def call(line, seq):
    body = f'{{"jsonrpc":"2.0","id":1,"method":"bmd.report","params":["{COLLECTOR}","{EPOCH}","{seq}",{TEXT}]}}'
    line.request("POST", "/RPC", body.encode())
    return json.loads(line.getresponse().read())


def send():
    line = http.client.HTTPSConnection(HOST, PORT, timeout=20, source_address=(ADDRESS, 0), context=TRUST)
    while time.monotonic() < UNTIL and (SECONDS or not Shared.wait):
        with Shared.lock:
            seq = Shared.seq + 1
        try:
            answer = call(line, seq)
        except (OSError, http.client.HTTPException, ValueError):
            Shared.broken += 1
            line.close()
            continue
        with Shared.lock:
            if "result" in answer:
                Shared.seq = max(Shared.seq, seq)
                Shared.taken += not answer["result"].get("duplicate")
            elif answer["error"]["code"] == 503:
                Shared.wait += 1
            else:
                Shared.refused += 1


senders = [threading.Thread(target=send) for _ in range(CONNECTIONS)]
for sender in senders:
    sender.start()
for sender in senders:
    sender.join()
print(Shared.taken, Shared.taken * ALL, Shared.wait, Shared.refused, Shared.broken)
