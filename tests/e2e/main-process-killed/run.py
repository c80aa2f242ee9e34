"""Kills the main process alone; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import alerts, batch, hand, stats
from stack import run, wait_until


def alive(pids):
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(pid)
        except OSError:
            pass
    return found


def every_process_goes_with_the_main_process(stack):
    hand(stack, "OX-1001 SpO2=84")
    batch(stack, "home", 1, 1, "OX-1001 PulseRate=70")
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 5, "durable")
    processes = stack.processes()
    assert len(processes) > 10, processes
    os.kill(processes[0], signal.SIGKILL)
    wait_until(lambda: not alive(processes), 1, "the end of all processes")


def a_new_start_finds_everything_free(stack):
    stack.restart()
    assert [a["metric"] for a in alerts(stack, "OX-1001")] == ["SpO2"]
    assert batch(stack, "home", 1, 1, "OX-1001 PulseRate=70")["duplicate"] == 1
    assert stats(stack)["readings_accepted"] == 0


run("main-process-killed", [every_process_goes_with_the_main_process, a_new_start_finds_everything_free],
    errors_expected=True)
