"""load.py - what the devices send, and the ledger of it.

SPDX-License-Identifier: GPL-2.0-or-later
Line devices: oximeters on pseudo-terminals.  Packet n of a device says n (in base 100, spread over
the averages), so that every stored reading names the packet it came from, whatever the clocks say.
Batch devices: many more readings, by a sender with the memory of a collector but no line.
"""

import fcntl
import http.client
import json
import os
import pty
import random
import struct
import termios
import threading
import time
import tty

LOW = 90       # sample.sql: SpO2 below it raises, 2 above it ends
NORMAL = 97
FRAMES, PACKET = 25, 125           # frames and bytes of a packet
PIECE = 25                         # bytes written together: 15 times a second
LINE_ROOM = 3900                   # bytes that wait for a collector; the terminal itself holds 4095


class Plan:
    """SpO2 of one device: normal and low by turns.  Every low turn has a value of its own."""

    def __init__(self, seed, shortest, longest):
        self.random, self.shortest, self.longest = random.Random(seed), shortest, longest
        self.values = bytearray()
        self.turns, self.left, self.low = 0, self.random.randint(shortest, longest), False
        self.last = None  # True or False: how it is to end

    def next(self):
        if self.last is not None and self.low != self.last:
            self.left = 0
        if self.left <= 0 and (self.last is None or self.low != self.last):
            self.low = not self.low
            self.turns += self.low
            self.left = self.random.randint(self.shortest, self.longest)
        self.left -= 1
        value = 60 + self.turns % 30 if self.low else NORMAL
        self.values.append(value)
        return value


def packet_values(number, spo2):
    """Metric -> value of one packet."""
    return {"SpO2": spo2, "PulseRate": 60 + number % 40, "SpO2Ext": number * 3 % 100, "PulseRateExt": 100 + number % 100,
            "SpO2D": number * 7 % 100, "PulseRateD": 80 + number % 20, "SpO2Fast": number // 10000 % 100,
            "SpO2Beat": number // 100 % 100, "SpO2ExtD": number % 100, "PulseRateExtD": 90 + number % 30}


def packet_bytes(values):
    content = [0] * FRAMES
    for slot, name in ((0, "PulseRate"), (13, "PulseRateExt"), (19, "PulseRateD"), (21, "PulseRateExtD")):
        content[slot], content[slot + 1] = values[name] >> 7, values[name] & 0x7F
    for slot, name in ((2, "SpO2"), (8, "SpO2D"), (9, "SpO2Fast"), (10, "SpO2Beat"), (15, "SpO2Ext"),
                       (16, "SpO2ExtD")):
        content[slot] = values[name]
    out = bytearray()
    for slot, value in enumerate(content):
        frame = bytes((1, 0x81 if slot == 0 else 0x80, 100, value))
        out += frame + bytes((sum(frame) & 0xFF,))
    return bytes(out)


class LineDevice:
    """An oximeter on a pseudo-terminal.  It keeps the other end open: unread bytes wait."""

    def __init__(self, serial, folder, seed):
        self.serial, self.link = serial, f"{folder}/{serial}"
        self.plan = Plan(f"{seed} {serial}", 9, 30)
        self.lock = threading.Lock()
        self.written, self.rest, self.held = 0, b"", 0
        self.sent_at = []  # true time of each packet's last byte
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        os.symlink(os.ttyname(self.slave), self.link)

    def unread(self):
        return struct.unpack("i", fcntl.ioctl(self.slave, termios.FIONREAD, b"\0" * 4))[0]

    def piece(self):
        with self.lock:
            if self.unread() > LINE_ROOM:
                self.held += 1
                return
            if not self.rest:
                number = len(self.plan.values)
                self.rest = packet_bytes(packet_values(number, self.plan.next()))
            part, self.rest = self.rest[:PIECE], self.rest[PIECE:]
            os.write(self.master, part)
            self.written += len(part)
            if not self.rest:
                self.sent_at.append(time.time())

    def read_so_far(self):
        """Bytes that whoever has the port open has taken from it."""
        with self.lock:
            time.sleep(0.01)  # what the driver of the terminal still moves
            return self.written - self.unread()

    def close(self):
        os.close(self.master)
        os.close(self.slave)


class Line(threading.Thread):
    """Writes for all line devices, at the speed of the real ones."""

    def __init__(self, devices):
        super().__init__(daemon=True)
        self.devices, self.stopping, self.paused = devices, False, False

    def run(self):
        next_at = time.monotonic()
        while not self.stopping or any(d.rest for d in self.devices):
            # a packet that has begun is written: what a line breaks off is no reading
            writing = [d for d in self.devices if d.rest or not (self.stopping or self.paused)]
            if not writing:
                time.sleep(0.05)
                next_at = time.monotonic()
            for device in writing:
                device.piece()
            next_at += PIECE / 5 / 75
            time.sleep(max(0, next_at - time.monotonic()))

    def stop(self):
        self.stopping = True
        self.join()


class BatchSender(threading.Thread):
    """Numbered batches over HTTP.  Keeps each until it is durable, as a collector must."""

    METRICS = ("SpO2", "PulseRate", "SpO2Ext", "SpO2D")
    STEP = 100_000  # microseconds between two readings of a device

    def __init__(self, url, devices, alerting, seed):
        super().__init__(daemon=True)
        self.name = "torture-batch"
        self.host, self.path = url.split("//")[1].split("/", 1)
        self.serials = [f"TB-{n:03d}" for n in range(devices)]
        self.plans = {s: Plan(f"{seed} {s}", 40, 120) for s in self.serials[:alerting]}
        self.base = self.epoch = int(time.time() * 1e6)
        self.moments, self.sent_at = 0, []  # moments put into batches; true time of each
        self.batches, self.seq, self.durable, self.next = {}, 0, 0, 1
        self.connection, self.stopping = None, False
        self.counts = dict(requests=0, failures=0, busy=0, duplicates=0, refused=0)
        self.refusals, self.pause_until, self.failing = [], 0.0, 0
        self.progress, self.longest_wait = time.time(), 0.0

    def moment(self, k):
        lines = []
        for index, serial in enumerate(self.serials):
            spo2 = self.plans[serial].next() if serial in self.plans else NORMAL
            lines.append(f"{serial} {self.base + k * self.STEP} SpO2={spo2} PulseRate={60 + (k + index) % 50} "
                         f"SpO2Ext={k % 100} SpO2D={k // 100 % 100}\n")
        return "".join(lines)

    def fill(self):
        text = ""
        while self.base + self.moments * self.STEP <= time.time() * 1e6 and len(text) < 200_000:
            text += self.moment(self.moments)
            self.moments += 1
            self.sent_at.append(time.time())
        if text:
            self.seq += 1
            self.batches[self.seq] = text

    def run(self):
        filled = 0.0
        while not (self.stopping and not self.batches):
            if not self.stopping and time.time() - filled > 0.25:
                self.fill()
                filled = time.time()
            if time.time() < self.pause_until or not self.batches:
                time.sleep(0.02)
                continue
            if self.next > self.seq:
                time.sleep(0.1)  # then ask what is durable by now
                self.send(self.seq)
            else:
                self.send(self.next)

    def send(self, seq):
        if self.connection is None:  # on every new connection begin with the oldest that is not durable
            self.connection = http.client.HTTPConnection(self.host, timeout=4)
            seq = self.next = self.durable + 1
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "bmd.report",
                           "params": [self.name, str(self.epoch), str(seq), self.batches.get(seq, "")]})
        self.counts["requests"] += 1
        try:
            self.connection.request("POST", "/" + self.path, body, {"Content-Type": "application/json"})
            answer = json.loads(self.connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return self.failed("failures")
        self.take(seq, answer)

    def failed(self, what):
        self.counts[what] += 1
        self.failing = min(self.failing + 1, 5)
        self.pause_until = time.time() + 0.05 * 2 ** self.failing
        if what == "failures" and self.connection is not None:
            self.connection.close()
            self.connection = None

    def take(self, seq, answer):
        if "error" in answer:
            code = answer["error"]["code"]
            if code != 400:
                return self.failed("busy" if code == 503 else "failures")
            self.refusals.append(f"batch {seq}: {answer['error']['message']}")
            answer = {"result": {"durable": "0", "duplicate": 0, "refused_count": 1}}
        result = answer["result"]
        self.failing = 0
        self.counts["duplicates"] += result["duplicate"]
        if result["refused_count"]:
            self.counts["refused"] += result["refused_count"]
            self.refusals += result.get("refused", [])[:1]
        durable = int(result["durable"])
        for gone in range(self.durable + 1, durable + 1):
            self.batches.pop(gone, None)
        if durable > self.durable:
            self.longest_wait = max(self.longest_wait, time.time() - self.progress)
            self.progress, self.durable = time.time(), durable
        self.next = max(self.next, seq + 1, self.durable + 1)

    def rows(self):
        return self.moments * len(self.serials) * len(self.METRICS)
