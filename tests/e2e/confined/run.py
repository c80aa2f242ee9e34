"""The server under the restrictions of its unit; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LIB = os.path.join(HERE, "..", "..", "lib")
sys.path.insert(0, LIB)
from scene import Watcher, add_device, batch, hand
from stack import TOP, run, wait_until

UNIT = os.path.join(TOP, "kamailio-cfg", "systemd", "bmd-alert.service")
LAUNCHER = [sys.executable, os.path.join(os.path.abspath(LIB), "confined.py"), UNIT]
NOT_PERMITTED = 77
os.environ["BMD_LAUNCHER"] = " ".join(LAUNCHER)


def status(process):
    with open(f"/proc/{process}/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def no_process_has_root_or_a_capability_or_a_way_to_one(stack):
    processes = stack.processes()
    assert len(processes) > 10, processes
    for process in processes:
        now = status(process)
        assert "0" not in now["Uid"].split(), f"{process} runs as root"
        for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if os.geteuid() == 0 else ()):
            assert int(now[name], 16) == 0, f"{process}: {name} {now[name]}"
        assert now["NoNewPrivs"] == "1" and now["Seccomp"] == "2", now


def readings_are_taken_and_alerts_told(stack):
    add_device(stack, "CONFINED", assign="tech1")
    watcher = Watcher(stack, "tech1")
    assert watcher.agent.register().status == 200
    hand(stack, "CONFINED SpO2=80")
    watcher.wait(lambda: watcher.about("CONFINED"), "the alert")
    batch(stack, "home", 1, 1, "CONFINED PulseRate=70")
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 10, "durable")


def it_stops_in_order_and_starts_again(stack):
    stack.restart()
    assert stack.sql("SELECT count(*) FROM active_watchers") == [["1"]]
    no_process_has_root_or_a_capability_or_a_way_to_one(stack)
    hand(stack, "CONFINED SpO2=97")
    wait_until(lambda: stack.sql("SELECT state FROM bmd_alert WHERE serial = 'CONFINED'") == [["cleared"]], 5, "the end")


def nothing_was_forbidden_that_it_needs(stack):
    lines = [line for line in stack.log().splitlines() if "not permitted" in line or "Read-only" in line]
    assert not lines, lines[:3]


with tempfile.TemporaryDirectory() as folder:
    probe = subprocess.run([*LAUNCHER, "true", "-Y", folder], capture_output=True, text=True)
if probe.returncode == NOT_PERMITTED:
    print(f"ok confined: # SKIP: {probe.stderr.strip()}")
    sys.exit(0)
run("confined", [
    no_process_has_root_or_a_capability_or_a_way_to_one, readings_are_taken_and_alerts_told,
    it_stops_in_order_and_starts_again, nothing_was_forbidden_that_it_needs])
