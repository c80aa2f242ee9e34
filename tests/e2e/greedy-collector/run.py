"""A collector that takes all it can; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import http.client
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from scene import Watcher, every_condition_that_comes_back_is_a_new_alert, json_call, provisioned, stats
from sip_tls import context
from stack import TOP, free_port, run, wait_until

DEVICES = 40
SECONDS = 6
CHANGES, JOURNAL = 16_384, 64 << 20  # places of the rings


def certificate(stack, name):
    return subprocess.run([TOP + "/tools/bmd-ca/bmd-ca", "collector", "--dir", stack.info["ca"], name], capture_output=True, text=True,
                          timeout=30, check=True).stdout.splitlines()[0]


class Ward:
    """A collector of some devices, one connection, one reading a batch."""

    def __init__(self, stack):
        self.stack, self.seq, self.low = stack, 1, False
        self.epoch = str(int(time.time()))
        self.line = http.client.HTTPSConnection(*stack.intake, timeout=20,
                                                context=context(stack.info["ca"] + "/ca.crt", certificate(stack, "ward")))
        self.took, self.sent, self.refused = [], [], []

    def report(self, serial, value):
        begun = time.time()
        self.line.request("POST", "/RPC", json_call("bmd.report", ["ward", self.epoch, str(self.seq), f"{serial} SpO2={value}"]))
        answer = self.line.getresponse()
        body = answer.read()
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
            for number in range(DEVICES):
                self.report(f"WARD-{number}", 80 if self.low else 97)
                time.sleep(0.01)


def the_collectors_and_a_watcher_are_there(stack):
    stack.sql("INSERT INTO bmd_device (serial, type_name, collector) VALUES ('GREEDY', 'Nonin oximeter', 'home');"
              "INSERT INTO bmd_device (serial, type_name, collector) "
              f"SELECT 'WARD-' || n, 'Nonin oximeter', 'ward' FROM generate_series(0, {DEVICES - 1}) n;"
              "INSERT INTO bmd_assignment (username, serial) "
              f"SELECT 'tech1', 'WARD-' || n FROM generate_series(0, {DEVICES - 1}) n")
    provisioned(stack)
    address = stack.info["https"].split("/")[2].split(":")
    stack.intake = (address[0], int(address[1]))
    stack.home = certificate(stack, "home")
    stack.ward = Ward(stack)
    stack.watcher = Watcher(stack, "tech1")
    stack.ward.report("WARD-0", 97)


def beside(stack, kind, connections):
    """(what the greedy one says, seconds of each report, seconds until each alert was told, -1: never, most that waited in
    the rings)."""
    greedy = stack.start(sys.executable, HERE + "/greedy.py", stack.intake[0], str(stack.intake[1]), stack.info["ca"] + "/ca.crt",
                         stack.home, "home", "GREEDY", kind, str(SECONDS + 1), str(connections), stdout=subprocess.PIPE, text=True)
    time.sleep(1)
    reporter = threading.Thread(target=stack.ward.reports_for, args=(SECONDS - 1,))
    reporter.start()
    waiting = {"journal_alert_events": 0, "journal_bytes": 0}

    def look():
        while reporter.is_alive():
            now = stats(stack)
            for name, most in waiting.items():
                waiting[name] = max(most, now[name])
            time.sleep(0.1)
    looker = threading.Thread(target=look)
    looker.start()
    while reporter.is_alive():
        stack.watcher.pump(0.02)
    looker.join()
    said = [int(number) for number in greedy.communicate(timeout=30)[0].split()]
    until = time.time() + 3
    while time.time() < until:
        stack.watcher.pump(0.05)
    seen = [(d.at, a["serial"], a["state"]) for d in stack.watcher.documents for a in d.alerts]
    told = [min([at - when for at, s, st in seen if (s, st) == (serial, state) and at >= when], default=-1)
            for serial, state, when in stack.ward.sent]
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0 and stats(stack)["alerts_unwritten"] == 0, 60, "an empty journal")
    return said, sorted(stack.ward.took), sorted(told), waiting


def judged(stack, kind, connections, median, late):
    """Alerts and reports of the other: half of them within `median` seconds, 99 of 100 alerts within `late`."""
    before = stats(stack)["batches_over_share"]
    (batches, readings, refused, broken), took, told, waiting = beside(stack, kind, connections)

    def of(times, part):
        return f"{times[min(len(times) - 1, int(len(times) * part))] * 1000:.1f}"
    print(f"# greedy-collector: {kind}, {connections} connections: {batches} batches of {readings} readings taken, {refused} told to wait, "
          f"{broken} connections ended; {len(took)} reports of the other: p50 {of(took, 0.5)}, p99 {of(took, 0.99)}, longest {of(took, 1)} ms; "
          f"alerts: p50 {of(told, 0.5)}, p99 {of(told, 0.99)}, longest {of(told, 1)} ms; most in the journal: "
          f"{waiting['journal_alert_events']} changes, {waiting['journal_bytes']} bytes of readings")
    assert batches > 0, "the greedy one has no share at all"
    assert refused > 0, "it was never told to wait"
    assert kind == "plain" or stats(stack)["batches_over_share"] > before, "it had no rest"
    assert not stack.ward.refused, stack.ward.refused[0]
    assert told[0] >= 0, f"{sum(t < 0 for t in told)} alerts were not told"
    assert waiting["journal_alert_events"] < 0.8 * CHANGES and waiting["journal_bytes"] < 0.6 * JOURNAL, waiting
    assert told[len(told) // 2] < median and took[len(took) // 2] < median, "the median"
    assert told[int(len(told) * 0.99)] < late, "the 99th of 100"


def values_without_end_delay_nobody_else(stack):
    judged(stack, "plain", 1, 0.1, 1)


def alerts_that_come_and_go_without_end_delay_nobody_else(stack):
    judged(stack, "flaps", 1, 0.1, 1)


def a_second_batch_at_the_same_time_is_refused_at_once(stack):
    flaps = "GREEDY " + "SpO2=80 SpO2=97 " * 30_000
    epoch = int(time.time())  # of a second life of the collector

    def answered(seq, text, timeout=20):
        line = http.client.HTTPSConnection(*stack.intake, timeout=timeout, context=context(stack.info["ca"] + "/ca.crt", stack.home))
        line.request("POST", "/RPC", json_call("bmd.report", ["home", str(epoch), str(seq), text]))
        return json.loads(line.getresponse().read())

    def refused(seq):
        first = threading.Thread(target=answered, args=(seq, flaps))
        first.start()
        said = []
        while first.is_alive():
            said.append(answered(seq + 1, "GREEDY SpO2=97").get("error", {"message": "taken"})["message"])
        first.join()
        return "busy: another batch of this collector is being taken" in said
    # both may have come to the same worker
    assert any(refused(seq) for seq in range(1, 6)), "it waited for the first"


# they also keep both processors busy with reading what is refused
def eight_connections_of_one_collector_make_others_wait_for_a_moment_only(stack):
    judged(stack, "plain", 8, 0.5, 3)
    judged(stack, "flaps", 8, 0.5, 3)


run("greedy-collector", [every_condition_that_comes_back_is_a_new_alert, the_collectors_and_a_watcher_are_there,
                         values_without_end_delay_nobody_else, alerts_that_come_and_go_without_end_delay_nobody_else,
                         a_second_batch_at_the_same_time_is_refused_at_once,
                         eight_connections_of_one_collector_make_others_wait_for_a_moment_only],
    "--https-port", str(free_port()))
