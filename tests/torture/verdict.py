"""verdict.py - compares what was sent with what is stored and with what terminals were told.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import collections
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

from load import LOW, PACKET, packet_values

SPOOL_WITHIN = 2.0  # seconds of running in which a collector must have spooled what it has read
TOLD_WITHIN = 2.0   # seconds in which a running server tells of a change

# Alerts whose history has not every revision, once: (id, revision, events).
HOLES = ("SELECT alert_id, a.revision, count(e.revision) FROM bmd_alert a LEFT JOIN bmd_alert_event e USING (alert_id) "
         "GROUP BY 1, 2 HAVING count(e.revision) <> a.revision OR max(e.revision) <> a.revision")
# Outcomes stored more often than once.
DOUBLE = ("SELECT alert_id, revision, terminal, count(*) FROM bmd_delivery "
          "GROUP BY alert_id, revision, username, way, terminal, sent_at HAVING count(*) > 1")


class Gone:
    """Packets that went with a killed collector: read from the line, not yet in its spool.

    No program can prevent this on a real line, where read bytes exist nowhere else; that is why the
    time they may take to the spool is bounded and what is older counts as lost by the system.
    """

    def __init__(self, campaign):
        self.campaign = campaign
        self.packets = collections.defaultdict(set)  # device -> numbers

    def collector_died(self, collector):
        at = collector.outages[-1][0]
        spooled = spooled_packets(collector.spool)
        for device in collector.devices:
            read = device.read_so_far()
            first = max(0, read // PACKET - 400)
            for number in range(first, (read + PACKET - 1) // PACKET):
                if number in spooled.get(device.serial, ()) or number >= len(device.plan.values):
                    continue
                sent = device.sent_at[number] if number < len(device.sent_at) else at
                age = at - sent - self.campaign.stopped_seconds(collector, sent, at)
                if age <= SPOOL_WITHIN:  # older ones should have been in the spool
                    self.packets[device.serial].add(number)


def spooled_packets(path):
    """serial -> numbers of the packets in a dead collector's spool, read from a copy."""
    found = collections.defaultdict(set)
    folder = tempfile.mkdtemp(prefix="bmd-spool.")
    try:
        for end in ("", "-wal"):
            if os.path.exists(path + end):
                shutil.copy(path + end, f"{folder}/spool.db{end}")
        database = sqlite3.connect(folder + "/spool.db")
        try:
            rows = [row[0] for row in database.execute("SELECT text FROM batch ORDER BY seq")]
        except sqlite3.Error:  # killed before the first table was made
            rows = []
        database.close()
    finally:
        shutil.rmtree(folder)
    for text in rows:
        for line in text.splitlines():
            words = line.split()
            values = dict(word.split("=") for word in words[2:] if "=" in word and not word.startswith("!"))
            if "SpO2ExtD" in values and "?" not in (values["SpO2ExtD"], values["SpO2Beat"], values["SpO2Fast"]):
                found[words[0]].add(int(float(values["SpO2ExtD"])) + 100 * int(float(values["SpO2Beat"]))
                                    + 10000 * int(float(values["SpO2Fast"])))
    return found


def later(values):
    """Of one or two neighbouring digits: (earlier, later)."""
    values = sorted(set(values))
    if len(values) == 1:
        return values[0], values[0]
    return (values[1], values[0]) if values == [0, 99] else (values[0], values[-1])


def numbers_of(group):
    """Packet numbers of rows with one device and time: packets read together, so neighbours."""
    low = [int(v) for v in group.get("SpO2ExtD", ())]
    if not low or not group.get("SpO2Beat") or not group.get("SpO2Fast"):
        return []
    early, late = later(int(v) for v in group["SpO2Beat"])
    high_early, high_late = later(int(v) for v in group["SpO2Fast"])
    out = []
    for digit in low:
        wrapped = early != late and digit < 50
        middle = late if wrapped else early
        high = high_late if high_early != high_late and (middle == 0 or middle == late and wrapped) else high_early
        out.append(digit + 100 * middle + 10000 * high)
    return out


class Stored:
    """Readings of the line devices as the database has them: serial -> packet -> times stored."""

    def __init__(self, world):
        self.packets = collections.defaultdict(collections.Counter)
        self.short = self.surplus = 0  # readings missing from, and beyond, a stored packet
        self.examples, self.check = [], []
        query = ("SELECT d.serial, r.measured_at, r.epoch, r.seq, m.name, r.value FROM bmd_reading r "
                 "JOIN bmd_device d USING (device_id) JOIN bmd_metric m USING (metric_id) "
                 "WHERE d.serial LIKE 'TL-%' AND r.kind = 1 ORDER BY 1, 2, 3, 4")
        child = subprocess.Popen(["psql", "-X", "-q", "-At", "-F", "\t", world.info["db"], "-c",
                                  f"COPY ({query}) TO STDOUT"], stdout=subprocess.PIPE, text=True)
        key, group = None, None
        for line in child.stdout:
            serial, at, epoch, seq, metric, value = line.rstrip("\n").split("\t")
            if (serial, at, epoch, seq) != key:
                self.take(key, group)
                key, group = (serial, at, epoch, seq), collections.defaultdict(list)
            group[metric].append(float(value))
        self.take(key, group)
        assert child.wait() == 0, "the readings cannot be read"

    def take(self, key, group):
        if key is None:
            return
        numbers = numbers_of(group)
        self.packets[key[0]].update(numbers)
        self.check.append((key[0], numbers, {m: collections.Counter(v) for m, v in group.items()}))

    def compare_values(self, devices):
        """Every value of every stored packet."""
        plans = {d.serial: d.plan.values for d in devices}
        for serial, numbers, found in self.check:
            expected = collections.defaultdict(collections.Counter)
            for n in numbers:
                if n < len(plans[serial]):
                    for metric, value in packet_values(n, plans[serial][n]).items():
                        expected[metric][float(value)] += 1
            for metric in expected.keys() | found.keys():
                short = sum((expected[metric] - found.get(metric, collections.Counter())).values())
                surplus = sum((found.get(metric, collections.Counter()) - expected[metric]).values())
                self.short += short
                self.surplus += surplus
                if short or surplus:
                    self.examples.append(f"{serial} packets {numbers[:3]} {metric}")


def low_turns(values, keep):
    """Low alerts that a server judging these values raises: [(first packet, value, first after it)]."""
    turns, begun = [], None
    for number in keep:
        if begun is None and values[number] < LOW:
            begun = number
        elif begun is not None and values[number] >= LOW + 2:
            turns.append((begun, values[begun], number))
            begun = None
    if begun is not None:
        turns.append((begun, values[begun], None))
    return turns


def true_times(clock, moment):
    """When, by the true clock, this clock can have shown this moment."""
    out = []
    history = clock.history + [(float("inf"), 0)]
    for (since, offset), (until, _) in zip(history, history[1:]):
        if since - 1 <= moment - offset <= until + 1:
            out.append(moment - offset)
    return out


class Alerts:
    """Alerts of the ledger, of the database and of the terminals."""

    def __init__(self, world, devices, sender, gone_for_good):
        self.world = world
        rows = world.sql("SELECT a.alert_id, a.serial, a.value, a.state, extract(epoch FROM a.raised_at), "
                         "extract(epoch FROM a.cleared_at) FROM bmd_alert a JOIN bmd_metric m USING (metric_id) "
                         "WHERE a.condition = 'low' AND m.name = 'SpO2'")
        self.stored = [(r[0], r[1], int(float(r[2])), r[3], float(r[4]), float(r[5]) if r[5] else None) for r in rows]
        self.other = int(world.sql("SELECT count(*) FROM bmd_alert WHERE condition <> 'low'")[0][0])
        self.expected = []  # (serial, value, sent at, over at or None)
        for device in devices:
            keep = [n for n in range(len(device.sent_at)) if n not in gone_for_good[device.serial]]
            for begun, value, over in low_turns(device.plan.values, keep):
                self.expected.append((device.serial, value, device.sent_at[begun],
                                      device.sent_at[over] if over is not None else None))
        for serial, plan in sender.plans.items():
            for begun, value, over in low_turns(plan.values, range(len(plan.values))):
                self.expected.append((serial, value, sender.sent_at[begun],
                                      sender.sent_at[over] if over is not None else None))

    def lost_and_twice(self):
        wanted = collections.Counter(e[:2] for e in self.expected)
        found = collections.Counter(s[1:3] for s in self.stored)
        return sorted((wanted - found).elements()), sorted((found - wanted).elements())

    def wrong_state(self):
        """Alerts open in the database and over in truth, or the other way round."""
        wanted = collections.Counter(e[:2] for e in self.expected if e[3] is None)
        found = collections.Counter(s[1:3] for s in self.stored if s[3] != "cleared")
        return sorted(((wanted - found) + (found - wanted)).elements())

    def unseen(self, terminal, covers, deaths):
        """(alerts never told though they could have been, alerts over before anybody could tell)."""
        clock = self.world.clocks["kamailio"]
        unseen, excused = [], []
        for alert in self.stored:
            if alert[0] in terminal.seen or not covers(alert[1]):
                continue
            raised = true_times(clock, alert[4])
            over = true_times(clock, alert[5]) if alert[5] else []
            after = next((f for death in deaths for f in [min((t for t, _ in terminal.fulls if t > death[1]),
                                                             default=None)]
                          if f and any(death[0] - TOLD_WITHIN - death[2] <= r <= f for r in raised)
                          and any(o <= f + TOLD_WITHIN for o in over)), None)
            (unseen if after is None else excused).append(alert)
        return unseen, excused

    def delays(self, terminals):
        """(seconds, device, sent at) from a reading sent that must alert to the first NOTIFY of it, of the alerts that
        were told, perhaps as over only; and from the reading to the end of the condition, of those that never were."""
        seen = collections.defaultdict(list)
        for alert in self.stored:
            seen[alert[1:3]] += [t.seen[alert[0]] for t in terminals if alert[0] in t.seen]
        told, untold = [], []
        for serial, value, sent, over in self.expected:
            limit = (over or time.time()) + 120
            notices = [at for t in terminals for at in t.notices.get((serial, value), ())] + seen[serial, value]
            first = min((at for at in notices if sent <= at <= limit), default=None)
            if first is None:
                untold.append(((over or time.time()) - sent, serial, sent))
            else:
                told.append((first - sent, serial, sent))
        return sorted(told), sorted(untold)
