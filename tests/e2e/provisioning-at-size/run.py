"""Changes beside many devices; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import subprocess
import sys
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(TOP, "tests", "lib"))
from scene import Watcher, alerts, device, hand
from stack import RpcFault, run, wait_until

DEVICES = int(os.environ.get("BMD_DEVICES", "10000"))
LIMIT_MS = 1000
PASSWORD = "correct horse battery"
CASE = "provisioning-at-size"


def note(text):
    print(f"# {CASE}: {text}", flush=True)


def sql(stack, *arguments):
    """psql without the time limit of Stack.sql()."""
    subprocess.run(["psql", "-Xqo", "/dev/null", "-v", "ON_ERROR_STOP=1", stack.info["db"],
                    *arguments], check=True, stderr=subprocess.DEVNULL)


def within_a_second(stack, what, text, seen):
    stack.sql(text)
    begun = time.monotonic()
    wait_until(seen, 60, what)
    took = (time.monotonic() - begun) * 1000
    note(f"{what}: {took:.0f} ms after its commit")
    assert took <= LIMIT_MS, f"{what} took {took:.0f} ms"


class Intake(threading.Thread):
    """Reports 100 devices again and again; `longest` is the slowest answer in seconds."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.stopped, self.error = stack, False, None
        self.longest, self.batches, self.busy = 0, 0, 0
        self.start()

    def run(self):
        text = "\n".join(f"BENCH-{n} SpO2=97 PulseRate=80 Perfusion=3" for n in range(303, 603, 3))
        while not self.stopped:
            begun = time.monotonic()
            try:
                hand(self.stack, text)
            except RpcFault as fault:  # the database is busy with the change: keep it, as told
                if fault.code != 503:
                    self.error = fault
                    return
                self.busy += 1
                time.sleep(0.05)
            except Exception as error:
                self.error = error
                return
            self.longest = max(self.longest, time.monotonic() - begun)
            self.batches += 1

    def end(self):
        self.stopped = True
        self.join()
        assert self.error is None, self.error
        return self

    def said(self):
        return (f"meanwhile {self.batches} batches of 300 readings, the slowest answered in "
                f"{1000 * self.longest:.0f} ms, {self.busy} told to wait for the database")


def all_are_inserted_under_a_running_server(stack):
    begun = time.monotonic()
    sql(stack, "-v", f"devices={DEVICES}", "-f", os.path.join(TOP, "tests", "bench", "devices.sql"))
    note(f"{DEVICES} devices inserted in {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    edges = 3 * DEVICES + 100 + 10
    wait_until(lambda: stack.stat("members") >= edges - 10, 300, "the memberships")
    note(f"in force {time.monotonic() - begun:.1f} s after the last commit; registry lock held for at "
         f"most {stack.stat('registry_lock_longest_us')} us")
    assert device(stack, f"BENCH-{DEVICES}")[0]["patient"] == f"Patient {DEVICES} Example"


def a_start_loads_everything(stack):
    begun = time.monotonic()
    stack.restart()
    note(f"restart, with everything around it: {time.monotonic() - begun:.1f} s")
    said = re.findall(r"(\d+) devices and (\d+) patients loaded in ([\d.]+) s; (\d+) bytes of shared "
                      r"memory, (\d+) for each", stack.log())[-1]
    note(f"loaded in {said[2]} s; {said[3]} bytes, {said[4]} a device")
    assert int(said[0]) == DEVICES and int(said[1]) >= DEVICES
    if DEVICES >= 1_000_000:
        assert int(said[4]) <= 1024
    one = device(stack, f"BENCH-{DEVICES}")[0]
    assert one["patient"] == f"Patient {DEVICES} Example" and one["location"].startswith("bedroom, floor")
    assert stack.stat("rows_lost_memory") == 0 and stack.stat("texts_lost_memory") == 0


def one_change_is_in_force_within_a_second(stack):
    intake = Intake(stack)
    hand(stack, "BENCH-30 SpO2=97")
    hand(stack, "BENCH-30 SpO2=89")
    assert not alerts(stack, "BENCH-30"), "88 is prescribed"
    within_a_second(stack, "a prescribed value", "UPDATE bmd_device_limit SET low = 94 WHERE serial = "
                    "'BENCH-30'", lambda: alerts(stack, "BENCH-30"))
    within_a_second(stack, "a device more", "INSERT INTO bmd_device (serial, type_name) VALUES "
                    "('EXTRA-1', 'Bench oximeter')", lambda: device(stack, "EXTRA-1"))
    domain = stack.info["domain"]
    stack.sql("INSERT INTO bmd_technician (username) VALUES ('eve') ON CONFLICT DO NOTHING; "
              f"SELECT bmd_set_password('eve', '{domain}', '{PASSWORD}')")
    watcher = wait_until(lambda: eve(stack), 10, "eve's subscription")
    within_a_second(stack, "an assignment of a device", "INSERT INTO bmd_assignment (username, serial) "
                    "VALUES ('eve', 'BENCH-30')", lambda: watcher.pump(0.01) or watcher.about("BENCH-30"))
    stack.sql("DELETE FROM bmd_assignment WHERE username = 'eve'")
    watcher.wait(lambda: not watcher.open, "the end", 1.5)
    within_a_second(stack, "an assignment of a group of a thousandth of all", "INSERT INTO bmd_assignment "
                    "(username, group_name) VALUES ('eve', 'region-30')",
                    lambda: watcher.pump(0.01) or watcher.about("BENCH-30"))
    within_a_second(stack, "a device leaves a group", "DELETE FROM bmd_group_device WHERE serial = 'BENCH-30' "
                    "AND group_name = 'region-30'", lambda: watcher.pump(0.01) or not watcher.open)
    within_a_second(stack, "a standard value of a third of all", "UPDATE bmd_type_limit SET low = 96 WHERE "
                    "type_name = 'Bench oximeter' AND metric = 'SpO2Ext'",
                    lambda: True)
    note(intake.end().said())


def eve(stack):
    try:
        return Watcher(stack, "eve", password=PASSWORD)
    except AssertionError:
        return None


def everything_is_read_again_beside_the_intake(stack):
    intake = Intake(stack)
    cpu = time.monotonic()
    before = stack.stat("sync_changes")
    sql(stack, "-c", "UPDATE bmd_device SET location = 'attic'", "-c", "UPDATE bmd_group SET description = 'x'")
    note(f"location of all changed in {time.monotonic() - cpu:.1f} s")
    begun = time.monotonic()
    wait_until(lambda: stack.stat("sync_changes") > before
               and device(stack, f"BENCH-{DEVICES}")[0]["location"] == "attic", 300, "the new location")
    note(f"in force after {time.monotonic() - begun:.1f} s")
    note(f"{intake.end().said()}; registry lock held for at most "
         f"{stack.stat('registry_lock_longest_us')} us")
    assert alerts(stack, "BENCH-30"), "its alert ended though nothing had changed for it"
    assert stack.stat("texts") <= 6 * DEVICES
    assert intake.longest < 1


def technicians_still_see_what_is_theirs(stack):
    watcher = Watcher(stack, "eve", password=PASSWORD)
    hand(stack, "BENCH-1030 SpO2=50")
    watcher.wait(lambda: watcher.about("BENCH-1030") or not DEVICES % 1000 == 0, "the alert", 2)


run(CASE, [all_are_inserted_under_a_running_server, a_start_loads_everything,
           one_change_is_in_force_within_a_second, everything_is_read_again_beside_the_intake,
           technicians_still_see_what_is_theirs],
    "--no-sample", "--set", f"DEVICES={DEVICES + 1000}", "--set", f"ALERTS={max(1024, DEVICES // 8)}",
    "--memory", str(400 + DEVICES * 1100 // 1_000_000))
