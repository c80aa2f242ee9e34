"""A collector that takes all it can; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import bisect
import http.client
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from postgres import cluster
from scene import Watcher, alerts, every_condition_that_comes_back_is_a_new_alert, json_call, provisioned, stats
from sip_tls import context
from stack import TOP, free_port, run, wait_until

WARDS, DEVICES = 4, 10  # collectors, each on a connection, twice the workers; devices of each
SECONDS = 5
CHANGES, JOURNAL = 16_384, 64 << 20  # places of the rings


def certificate(stack, name):
    return subprocess.run([TOP + "/tools/bmd-ca/bmd-ca", "collector", "--dir", stack.info["ca"], name], capture_output=True, text=True,
                          timeout=30, check=True).stdout.splitlines()[0]


class Ward:
    """A collector of some devices, one connection, one reading a batch."""

    def __init__(self, stack, number):
        self.name, self.seq, self.low = f"ward-{number}", 1, False
        self.epoch = str(int(time.time()))
        self.line = http.client.HTTPSConnection(*stack.intake, timeout=20,
                                                context=context(stack.info["ca"] + "/ca.crt", certificate(stack, self.name)))
        self.took, self.sent, self.refused = [], [], []

    def report(self, device, value):
        begun = time.time()
        serial = f"{self.name}-{device}"
        self.line.request("POST", "/RPC", json_call("bmd.report", [self.name, self.epoch, str(self.seq), f"{serial} SpO2={value}"]))
        body = self.line.getresponse().read()
        self.took.append(time.time() - begun)
        self.sent.append((serial, "active" if value < 90 else "cleared", begun))
        if b"error" in body:
            self.refused.append(body)
        else:
            self.seq += 1

    def reports_for(self, seconds):
        """Each device in turn raises or ends its alert."""
        self.took, self.sent, self.refused = [], [], []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.low = not self.low
            for device in range(DEVICES):
                self.report(device, 80 if self.low else 97)
                time.sleep(0.02)


def the_collectors_and_a_watcher_are_there(stack):
    wards = f"generate_series(0, {WARDS - 1}) w, generate_series(0, {DEVICES - 1}) d"
    stack.sql("INSERT INTO bmd_device (serial, type_name, collector) VALUES ('GREEDY', 'Nonin oximeter', 'home');"
              "INSERT INTO bmd_device (serial, type_name, collector) "
              f"SELECT 'ward-' || w || '-' || d, 'Nonin oximeter', 'ward-' || w FROM {wards};"
              f"INSERT INTO bmd_assignment (username, serial) SELECT 'tech1', 'ward-' || w || '-' || d FROM {wards}")
    provisioned(stack)
    address = stack.info["https"].split("/")[2].split(":")
    stack.intake = (address[0], int(address[1]))
    stack.home, stack.stranger = certificate(stack, "home"), certificate(stack, "stranger")
    stack.wards = [Ward(stack, number) for number in range(WARDS)]
    stack.watcher = Watcher(stack, "tech1")
    for ward in stack.wards:
        ward.report(0, 97)


def greedy(stack, kind, seconds, connections, known=True):
    name, identity = ("home", stack.home) if known else ("stranger", stack.stranger)
    return stack.start(sys.executable, HERE + "/greedy.py", stack.intake[0], str(stack.intake[1]), stack.info["ca"] + "/ca.crt",
                       identity, name, "GREEDY", kind, str(seconds), str(connections),
                       stdout=subprocess.PIPE, text=True)


def said(child):
    return [int(number) for number in child.communicate(timeout=60)[0].split()]


def told(stack):
    """Seconds until each change was told, in order of length; -1 where it was not told before the next one of its device."""
    seen = {}
    for document in stack.watcher.documents:
        for alert in document.alerts:
            seen.setdefault(alert["serial"], []).append((document.at, alert["state"]))
    found = []
    for ward in stack.wards:
        ends = {}
        for serial, state, when in reversed(ward.sent):
            end = ends.get(serial, float("inf"))
            ends[serial] = when
            times = seen.get(serial, [])
            first = bisect.bisect_left(times, (when, ""))
            found.append(next((at - when for at, st in times[first:] if st == state and at < end), -1))
            assert found[-1] >= 0 or end < float("inf"), f"{serial}: that it is {state} was never told"
    return sorted(found)


def beside(stack, child):
    """What the greedy one says, seconds of each report of the others, until each of their alerts was told, most in the rings."""
    time.sleep(1)
    reporters = [threading.Thread(target=ward.reports_for, args=(SECONDS - 1,)) for ward in stack.wards]
    for reporter in reporters:
        reporter.start()
    waiting = {"journal_alert_events": 0, "journal_bytes": 0}

    def look():
        while any(reporter.is_alive() for reporter in reporters):
            now = stats(stack)
            for name, most in waiting.items():
                waiting[name] = max(most, now[name])
            time.sleep(0.1)
    looker = threading.Thread(target=look)
    looker.start()
    while looker.is_alive():
        stack.watcher.pump(0.02)
    numbers = said(child)
    until = time.time() + 2
    while time.time() < until:
        stack.watcher.pump(0.05)
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["alerts_unwritten"] == 0, 60, "an empty journal")
    return numbers, sorted(second for ward in stack.wards for second in ward.took), told(stack), waiting


def judged(stack, kind, connections, median, late, known=True):
    """Alerts and reports of the others: half of them within `median` seconds, 99 of 100 within `late`."""
    (batches, readings, wait, refused, broken), took, heard, waiting = beside(
        stack, greedy(stack, kind, SECONDS + 1, connections, known))

    def of(times, part):
        return f"{times[min(len(times) - 1, int(len(times) * part))] * 1000:.1f}"
    print(f"# greedy-collector: {kind}, {connections} connections: {batches} batches of {readings} readings taken, {wait} told to wait, "
          f"{refused} refused, {broken} connections ended; {len(took)} reports of {WARDS} others: p50 {of(took, 0.5)}, p99 {of(took, 0.99)}, "
          f"longest {of(took, 1)} ms; alerts: p50 {of(heard, 0.5)}, p99 {of(heard, 0.99)}, longest {of(heard, 1)} ms, most in the journal: "
          f"{waiting['journal_alert_events']} changes, {waiting['journal_bytes']} bytes of readings")
    assert batches + wait + refused > 10 and broken == 0, "it did not send"
    for ward in stack.wards:
        assert not ward.refused, ward.refused[0]
    overtaken = sum(second < 0 for second in heard)  # one that lasts 0.2 s may be over before anybody is told
    assert overtaken <= len(heard) / 100, f"{overtaken} of {len(heard)} changes were not told before the next one"
    assert waiting["journal_alert_events"] < 0.8 * CHANGES and waiting["journal_bytes"] < 0.6 * JOURNAL, waiting
    assert heard[len(heard) // 2] < median and took[len(took) // 2] < median, "the median"
    assert heard[int(len(heard) * 0.99)] < late, "the 99th of 100"
    return batches


def values_without_end_delay_nobody_else(stack):
    assert judged(stack, "plain", 1, 0.1, 0.5) > 0, "it had no share at all"


def alerts_that_come_and_go_without_end_delay_nobody_else(stack):
    assert judged(stack, "flaps", 1, 0.1, 0.5) > 0, "it had no share at all"
    found = stack.sql("SELECT event, count(*) FROM bmd_alert_event JOIN bmd_alert USING (alert_id) WHERE serial = 'GREEDY' GROUP BY 1")
    counts = dict(found)
    print(f"# greedy-collector: in the history: {counts}")
    assert set(counts) == {"raised", "cleared"} and int(counts["raised"]) - int(counts["cleared"]) in (0, 1), counts


def says_it_is_busy(stack, name, identity, text, numbers):
    """Does a batch of this collector, one of these numbers, get that answer while another one is being taken?"""
    epoch = int(time.time())  # of a second life of the collector

    def answered(seq):
        line = http.client.HTTPSConnection(*stack.intake, timeout=20, context=context(stack.info["ca"] + "/ca.crt", identity))
        line.request("POST", "/RPC", json_call("bmd.report", [name, str(epoch), str(seq), text]))
        return json.loads(line.getresponse().read())

    def busy(seq):
        first = threading.Thread(target=answered, args=(seq,))
        first.start()
        words = []
        while first.is_alive():
            words.append(answered(seq).get("error", {"message": "taken"})["message"])
        first.join()
        return any(word.startswith("busy: another batch of this collector") for word in words)
    # both may have come to the same worker
    return any(busy(seq) for seq in numbers)


def a_second_batch_at_the_same_time_is_refused_at_once(stack):
    assert says_it_is_busy(stack, "home", stack.home, "GREEDY " + "SpO2=97 SpO2=97 " * 30_000, range(1, 40)), "it waited for the first"


def so_is_one_of_a_name_that_is_not_known(stack):
    assert says_it_is_busy(stack, "stranger", stack.stranger, "GREEDY SpO2=97\n" * 60_000, [1] * 40), "both were looked at"


# they also keep both processors busy with reading what is refused
def eight_connections_of_one_collector_make_others_wait_for_a_moment_only(stack):
    judged(stack, "plain", 8, 0.5, 1)
    judged(stack, "flaps", 8, 0.5, 1)
    # who brings nothing is not remembered
    judged(stack, "unknown", 8, 0.7, 1.5, known=False)


def with_the_database_away_each_has_room(stack):
    cluster(stack, "kill")
    stack.wards[0].report(0, 97)  # the writer looks when it has something to write
    wait_until(lambda: stack.stat("database_up") == 0, 10, "database down")
    for kind in ("flaps", "plain"):
        batches, *_ = said(greedy(stack, kind, 0, 1))
        now = stats(stack)
        print(f"# greedy-collector: database away, {kind}: {batches} batches taken, then {now['journal_alert_events']} changes and "
              f"{now['journal_bytes']} bytes of readings wait")
        assert now["journal_alert_events"] < 0.8 * CHANGES and now["journal_bytes"] < 0.6 * JOURNAL, "the rings"
    for ward in stack.wards:
        ward.refused = []
        ward.report(1, 70)
        assert len(alerts(stack, f"{ward.name}-1")) == 1, "its alert"
        ward.report(1, 97)
        assert not ward.refused, ward.refused[0]
    cluster(stack, "start")
    wait_until(lambda: stack.stat("database_up") == 1, 15, "database up")
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["journal_bytes"] == 0, 30, "an empty journal")
    for ward in stack.wards:
        assert stack.sql(f"SELECT value FROM bmd_readings WHERE serial = '{ward.name}-1' ORDER BY received_at DESC LIMIT 2") == [
            ["97"], ["70"]], ward.name


run("greedy-collector", [every_condition_that_comes_back_is_a_new_alert, the_collectors_and_a_watcher_are_there,
                         values_without_end_delay_nobody_else, alerts_that_come_and_go_without_end_delay_nobody_else,
                         a_second_batch_at_the_same_time_is_refused_at_once, so_is_one_of_a_name_that_is_not_known,
                         eight_connections_of_one_collector_make_others_wait_for_a_moment_only,
                         with_the_database_away_each_has_room],
    "--https-port", str(free_port()), errors_expected=True)
