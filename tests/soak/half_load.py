"""half_load.py - half of the intake's maximum and 150 alerts/s to ten watchers each, for a long time.

SPDX-License-Identifier: GPL-2.0-or-later
Usage: half_load.py [MINUTES]       30 by default; needs the programs of `make bench-programs`
Prints one line a minute: latency of that minute, memory, descriptors, what the intake took.  Closes with
"ok half-load: …" or "not ok half-load: …".  Flat means: between a quarter of the time and its end memory
grows by no more than 1 % plus 256 KiB and descriptors by none, and the median p99 of the last third is
at most one and a half times that of the first third.  It counts only under load: in every minute the load
generator lives and the server takes at least 95 % of its rate, and over the whole time as much becomes
durable.  Readings are thrown away every five minutes: 100,000 rows a second would fill a disk.
"""

import json
import os
import re
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "bench"))
import lib
import part_latency
from soak import private_kib, shared_bytes

KEPT_MINUTES = 5
LEAST_SHARE = 0.95  # of the rate of the intake beside


def descriptors(pids):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)


class Minute:
    def __init__(self, scene, number, intake):
        stack = scene.stack
        before, begun = stack.stats(), time.monotonic()
        sent, told = scene.measure(part_latency.RATE, 50)
        stats, taken = stack.stats(), time.monotonic() - begun
        self.intake = (stats["readings_accepted"] - before["readings_accepted"] - sent["accepted"]) / taken
        self.alive = intake.poll() is None
        self.number = number
        self.seen = told["seen_us"]
        self.missing = part_latency.TEAM * sent["sent"] - told["entries"]
        self.repeated = told["duplicates"]
        self.stored = stats["readings_stored"]
        pids = stack.processes()
        self.memory = shared_bytes(stack) / 1024 + sum(private_kib(p) for p in pids)
        self.descriptors = descriptors(pids)

    def __str__(self):
        return (f"minute {self.number:3d}: p50 {self.seen['p50'] / 1000:6.2f}  p99 "
                f"{self.seen['p99'] / 1000:7.2f}  max {self.seen['max'] / 1000:7.2f} ms   memory "
                f"{self.memory / 1024:8.1f} MiB   descriptors {self.descriptors:4d}   intake {self.intake:,.0f} "
                f"readings/s, stored {self.stored:,}   entries missing {self.missing}, repeated {self.repeated}")


def not_loaded(minutes, rate):
    """Minutes without the load that they are meant to have."""
    faults = [f"minute {m.number}: the load generator of the intake has ended" for m in minutes if not m.alive]
    faults += [f"minute {m.number}: the server took {m.intake:,.0f} readings/s, not {rate:,.0f}"
               for m in minutes if m.alive and m.intake < LEAST_SHARE * rate]
    return faults


def verdict(minutes):
    """What is not flat."""
    first, last = minutes[len(minutes) // 4], minutes[-1]
    third = max(1, len(minutes) // 3)
    p99 = [m.seen["p99"] for m in minutes]
    faults = []
    if last.memory > first.memory * 1.01 + 256:
        faults.append(f"memory grew from {first.memory:,.0f} to {last.memory:,.0f} KiB")
    if last.descriptors > first.descriptors:
        faults.append(f"descriptors grew from {first.descriptors} to {last.descriptors}")
    if lib.median(p99[-third:]) > 1.5 * lib.median(p99[:third]):
        faults.append(f"p99 rose from {lib.median(p99[:third])} to {lib.median(p99[-third:])} us")
    missing = sum(m.missing for m in minutes)
    if missing:
        faults.append(f"{missing} entries missing")
    return faults


def durable_rate(intake):
    """What the load generator says at its end; 0 when it ended badly."""
    text = intake.communicate(timeout=120)[0]
    return json.loads(text)["durable_per_s"] if intake.returncode == 0 else 0


def run(minutes):
    context = lib.Context(True, os.path.join(TOP, "build", "bench"))
    scene = part_latency.Scene(context)
    done, intake = [], None
    try:
        scene.open_alerts()
        rate, intake = scene.half_intake(minutes * 60 + 60)
        print(f"intake: {rate:,.0f} readings/s beside, half of what it takes alone", flush=True)
        until = time.monotonic() + minutes * 60
        while time.monotonic() < until and (not done or done[-1].alive):
            done.append(Minute(scene, len(done) + 1, intake))
            print(done[-1], flush=True)
            if len(done) % KEPT_MINUTES == 0:
                scene.stack.sql("TRUNCATE bmd_reading")
        intake.terminate()
        durable = durable_rate(intake)
        print(f"intake: {durable:,.0f} readings/s durable over the whole time")
        errors = [line for line in scene.stack.log().splitlines() if re.search(r" (?:ERROR|CRITICAL): ", line)]
        for line in errors[:10]:
            print(f"log: {line}")
    finally:
        if intake is not None and intake.poll() is None:
            intake.kill()
            intake.wait()
        scene.watchers.kill()
        context.end_part()
    faults = not_loaded(done, rate) + verdict(done)
    if durable < LEAST_SHARE * rate:
        faults.append(f"{durable:,.0f} readings/s became durable, not {rate:,.0f}")
    if errors:
        faults.append(f"{len(errors)} errors in Kamailio's log")
    for fault in faults:
        print(f"not ok half-load: {fault}")
    if not faults:
        print(f"ok half-load: {len(done)} minutes under load, latency, memory and descriptors flat")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(run(float(sys.argv[1]) if len(sys.argv) > 1 else 30))
