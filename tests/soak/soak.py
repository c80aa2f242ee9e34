"""soak.py - four oximeters at 75 frames/s for a long time: does memory stay level?

SPDX-License-Identifier: GPL-2.0-or-later
Usage: soak.py [MINUTES]       20 by default
Prints one line a minute and closes with "ok soak: …" or "not ok soak: …".  Level means: between a
quarter of the time and its end nothing grows by more than 1 % plus 256 KiB (private) or 64 KiB
(shared) - the first quarter warms caches and pools up.
"""

import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from stack import BIN, TOP, Stack

SERIALS = ["OX-1001", "OX-1002", "OX-1003", "OX-1004"]
SCENARIOS = ["desaturation", "flapping", "unplugged", "noise"]


def private_kib(pid):
    """Memory of a process that it shares with nobody."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return sum(int(n) for n in re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", file.read(),
                                              re.MULTILINE))


def shared_bytes(stack):
    return int(re.search(r"real_used: (\d+)", stack.kamcmd("core.shmmem")).group(1))


def start_devices(stack):
    for serial in SERIALS[1:]:
        stack.sql(f"INSERT INTO bmd_device (serial, type_name) VALUES ('{serial}', 'Nonin oximeter')")
        stack.sql(f"INSERT INTO bmd_group_device VALUES ('oximetry', '{serial}')")
    ports = []
    for serial, scenario in zip(SERIALS, SCENARIOS):
        link = f"{stack.dir}/{serial}"
        stack.start(f"{BIN}/bmd-sim", "--scenario", f"{TOP}/tools/bmd-sim/scenarios/{scenario}.toml",
                    "--loop", "--quiet", "--link", link, stdout=open(os.devnull, "w"))
        ports.append(f'[[port]]\ndevice = "{link}"\ndriver = "nonin"\nserial = "{serial}"\n')
    with open(f"{stack.dir}/collector.toml", "w") as file:
        file.write(f'[server]\nurl = "{stack.info["http"]}"\ncollector = "soak"\n'
                   f'[spool]\npath = "{stack.dir}/spool.db"\n[log]\nlevel = "warning"\n'
                   + "".join(ports))
    return stack.start(f"{BIN}/bmd-collector", "--config", f"{stack.dir}/collector.toml")


class Sample:
    def __init__(self, stack, collector):
        self.shared = shared_bytes(stack)
        self.kamailio = sum(private_kib(p) for p in stack.processes())
        self.collector = private_kib(collector.pid)

    def __str__(self):
        return (f"shared {self.shared / 1024:9.1f} KiB   kamailio private {self.kamailio:7d} KiB   "
                f"collector private {self.collector:6d} KiB")


def grew(early, late, slack):
    return late > early * 1.01 + slack


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 20
    stack = Stack()
    try:
        collector = start_devices(stack)
        agent = stack.agent("tech1")
        dialog, _ = agent.subscribe(expires=3600)
        began, samples, notified = time.time(), [], 0
        while time.time() - began < minutes * 60:
            until = time.time() + min(60, minutes * 60 / 8)
            while time.time() < until:
                agent.pump(0.5)
            notified += len(agent.received)
            agent.received.clear()
            agent._seen.clear()
            samples.append(Sample(stack, collector))
            print(f"{(time.time() - began) / 60:5.1f} min  {samples[-1]}   "
                  f"readings stored {stack.stat('readings_stored')}   NOTIFY {notified}", flush=True)
        early, late = samples[len(samples) // 4], samples[-1]
        stored = stack.stat("readings_stored")
        bad = []
        if grew(early.shared, late.shared, 65536):
            bad.append(f"shared memory grew from {early.shared} to {late.shared} bytes")
        if grew(early.kamailio, late.kamailio, 256):
            bad.append(f"Kamailio's private memory grew from {early.kamailio} to {late.kamailio} KiB")
        if grew(early.collector, late.collector, 256):
            bad.append(f"the collector grew from {early.collector} to {late.collector} KiB")
        if stored < 10 * minutes * 60:
            bad.append(f"only {stored} readings were stored")
        if notified == 0:
            bad.append("no alert was notified")
        print(("not ok soak: " + "; ".join(bad)) if bad else
              f"ok soak: memory stays level over {minutes:g} minutes at 75 frames/s on 4 ports")
        return 1 if bad else 0
    finally:
        stack.down()


if __name__ == "__main__":
    sys.exit(main())
