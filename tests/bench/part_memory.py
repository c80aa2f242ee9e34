"""part_memory.py - shared memory a device, open alert and subscription; start and change by size.

SPDX-License-Identifier: GPL-2.0-or-later
Start: from the birth of Kamailio's first process to a reading of the last device accepted over HTTP.
Change: from the moment the SQL statement is sent to the counter that says it is taken over, asked
every few milliseconds with kamcmd, or for a membership to the NOTIFY of the group's feed; 250 batches
of 8 readings a second run meanwhile.
"""

import json
import os
import re
import subprocess
import threading
import time
import urllib.request

import growing
import lib
import provision

KIB, MIB = 1024, 1024 * 1024
ALERTS = 10_000
GROUP = 250
SPARE = 64  # devices that the changes add
SUBSCRIPTIONS = 200
GOAL_MIB = 1536
PASSWORD = "not a secret at all"


def used(stack):
    """Bytes of Kamailio's shared memory in use, its own overhead included."""
    return int(re.search(r"real_used: (\d+)", stack.kamcmd("core.shmmem")).group(1))


def serial(number):
    return f"B{number:08d}"


def born(pid):
    """When a process began, by the monotonic clock."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    return ticks / os.sysconf("SC_CLK_TCK") - boot


class FirstReading(threading.Thread):
    """Tries to report one reading until it is accepted."""

    def __init__(self, url, device):
        super().__init__(daemon=True)
        self.body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "bmd.report",
                                "params": [f"{device} SpO2=96"]}).encode()
        self.url, self.accepted, self.stopped = url, None, False
        self.start()

    def run(self):
        while not self.stopped:
            try:
                with urllib.request.urlopen(urllib.request.Request(
                        self.url, self.body, {"Content-Type": "application/json"}), timeout=5) as reply:
                    if b'"accepted"' in reply.read():
                        self.accepted = time.monotonic()
                        return
            except OSError:
                pass
            time.sleep(0.01)


def start_seconds(stack, last, **settings):
    """Stops the stack and starts it again: (seconds, processor seconds of the first process)."""
    stack.stop()
    first = FirstReading(stack.info["http"], serial(last))
    try:
        stack.start_again(**settings)
        first.join(120)
    finally:
        first.stopped = True
    if first.accepted is None:
        raise AssertionError(f"no reading of {serial(last)} was accepted after the start")
    return first.accepted - born(stack.pid), lib.processor_seconds([stack.pid])


def change_ms(stack, sql):
    """How long one statement takes to be counted as taken over."""
    before = stack.stats()["sync_changes"]
    begun = time.monotonic()
    stack.sql(sql)
    while stack.stats()["sync_changes"] == before:
        if time.monotonic() - begun > 60:
            raise AssertionError(f"not in force after 60 s: {sql}")
    return 1000 * (time.monotonic() - begun)


class Nurse:
    """A terminal on the feed of the group ward0, which is told when a device joins it."""

    def __init__(self, stack):
        stack.sql(f"SELECT bmd_set_password('nurse0', '{stack.info['domain']}', '{PASSWORD}')")
        time.sleep(1)  # credentials are read for each request; the device changes come to rest
        self.stack = stack
        self.agent = stack.agent("nurse0", PASSWORD)
        self.dialog, reply = self.agent.subscribe(f"sip:grp.ward0@{stack.info['domain']}")
        if reply.status != 200:
            raise AssertionError(f"SUBSCRIBE was answered {reply.status}")
        self.agent.notify(self.dialog)

    def join_ms(self, device):
        """From the SQL statement to the NOTIFY."""
        self.agent.pump(0.05)
        self.agent.received.clear()
        begun = time.monotonic()
        self.stack.sql("INSERT INTO bmd_group_device (group_name, serial) "
                       f"VALUES ('ward0', '{device}')")
        self.agent.notify(self.dialog, 60)
        return 1000 * (time.monotonic() - begun)

    def end(self):
        self.agent.subscribe(expires=0, dialog=self.dialog)
        self.agent.pump(0.2)


def changes(stack, devices, times_each):
    """Medians of single changes with nothing else to do, and of one right after another."""
    limit = "INSERT INTO bmd_device_limit (serial, metric, low) VALUES ('{}', 'PulseRate', 45)"
    fresh = "INSERT INTO bmd_device (serial, type_name) VALUES ('{}', 'Bench monitor')"
    times = {"device to a group": [], "prescribed value": [], "new device": [],
             "value after another": []}
    nurse = Nurse(stack)
    for n in range(times_each):
        other = iter(serial(devices - 5 * n - k) for k in range(5))
        took = nurse.join_ms(next(other))
        times["device to a group"].append(took)
        pause = 0.2 + 1.5 * took / 1000
        time.sleep(pause)
        times["prescribed value"].append(change_ms(stack, limit.format(next(other))))
        time.sleep(pause)
        times["new device"].append(change_ms(stack, fresh.format(f"NEW-{devices}-{n}")))
        time.sleep(pause)
        stack.sql(limit.format(next(other)))
        time.sleep(0.1)
        times["value after another"].append(change_ms(stack, limit.format(next(other))))
        time.sleep(pause)
    nurse.end()
    return {kind: lib.median(values) for kind, values in times.items()}


def changes_under_load(ctx, stack, devices):
    """changes(), and the longest answer to a small batch meanwhile, in ms."""
    command = [os.path.join(ctx.build, "intake"), "--port", str(stack.http_port), "--devices", "100",
               "--batch", "8", "--rate", "2000", "--seconds", "3600", "--name", f"change{devices}-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as intake:
        try:
            times = changes(stack, devices, 5 if ctx.full else 2)
        finally:
            intake.terminate()  # it says its figures then
        said = json.loads(intake.communicate()[0])
    ctx.note(f"changes, {devices:,} devices: the load generator of the intake took "
             f"{100 * said['cpu_share']:.0f} % of a core")
    return times, said["request_us_max"] / 1000


def grow(ctx, stack, sizes):
    """Start, memory and change at each size."""
    rows, have, before = [], 0, None
    watched = growing.Watched(ctx, stack)
    for size in sizes:
        provision.devices(stack, size - have, first=have + 1, group=GROUP)
        have = size
        seconds, processor = start_seconds(stack, size, devices=size + growing.DEVICES + SPARE,
                                           memory=256 + 5 * size // 4000)
        held = used(stack)
        rows += growing.points(ctx, stack, watched, size)
        times, intake_ms = changes_under_load(ctx, stack, size)
        goal, there = 10 if size == 1_000_000 else None, f"{size:,} devices, a book of {ALERTS:,} alerts"
        rows.append(lib.row(f"start, {size:,} devices", seconds, "s", goal=goal, better="less", size=there))
        for kind, ms in times.items():
            rows.append(lib.row(f"change in force, {size:,} devices: {kind}", ms, "ms", goal=1000,
                                better="less", size=there))
            ctx.curve("change", kind, size, ms)
        rows.append(lib.row(f"longest answer to a batch meanwhile, {size:,} devices", intake_ms, "ms", size=there))
        ctx.curve("start", "from PostgreSQL", size, seconds)
        ctx.curve("memory", "everything", size, held / MIB)
        ctx.note(f"{size:,} devices: {held / MIB:.1f} MiB of shared memory; the first process took "
                 f"{processor:.2f} s of processor time to start")
        if before is not None:
            each = (held - before[1]) / (size - before[0])
            rows.append(lib.row(f"shared memory a device ({before[0]:,} to {size:,})", each, "bytes",
                                goal=KIB, better="less", size=there))
        if size == 1_000_000:
            rows.append(lib.row(f"shared memory, 1,000,000 devices and all else, book of {ALERTS:,} alerts",
                                held / MIB, "MiB", goal=GOAL_MIB, better="less", size=there))
        before = (size, held)
    return rows


def by_default(stack, devices):
    """Everything with as many alerts as the server takes for so many devices when it is not told: a tenth."""
    stack.again(alerts=0, memory=1024 + 2 * devices // 1000)
    return lib.row(f"shared memory, {devices:,} devices and all else, default number of alerts", used(stack) / MIB,
                   "MiB", goal=GOAL_MIB if devices == 1_000_000 else None, better="less",
                   size=f"{devices:,} devices, a book of {max(1024, devices // 10):,} alerts")


def alert_bytes(stack):
    """Slots of alerts are taken at start: the difference of two sizes of the book, both so large
    that the rings for the database, which are no part of an alert, are as large as they get."""
    stack.again(alerts=100_000)
    small = used(stack)
    stack.again(alerts=200_000)
    large = used(stack)
    return (large - small) / 100_000


def subscription_bytes(stack):
    """Subscriptions of so many technicians to their own feeds, after some to warm up."""
    stack.sql("INSERT INTO bmd_technician (username) SELECT 'sub' || n FROM "
              f"generate_series(1, 2 * {SUBSCRIPTIONS}) n; SELECT bmd_set_password('sub' || n, "
              f"'{stack.info['domain']}', '{PASSWORD}') FROM generate_series(1, 2 * {SUBSCRIPTIONS}) n;")
    lib.test_stack.wait_until(lambda: stack.stats()["journal_bytes"] == 0, 30)
    time.sleep(1)  # the last of the changes above
    held = []
    for half in range(2):
        held.append(used(stack))
        for n in range(half * SUBSCRIPTIONS + 1, (half + 1) * SUBSCRIPTIONS + 1):
            agent = stack.agent(f"sub{n}", PASSWORD)
            dialog, reply = agent.subscribe()
            if reply.status != 200:
                raise AssertionError(f"SUBSCRIBE was answered {reply.status}")
            agent.notify(dialog)
        time.sleep(6)  # transactions are gone after the wait time of tm
    held.append(used(stack))
    return (held[2] - held[1]) / SUBSCRIPTIONS


def run(ctx):
    sizes = [1000, 10_000, 100_000] + ([1_000_000] if ctx.full else [])
    stack = ctx.stack(sample=False, devices=1000 + SPARE, alerts=ALERTS, memory=512)
    rows = grow(ctx, stack, sizes)
    rows.append(by_default(stack, sizes[-1]))
    rows.append(lib.row("shared memory an open alert", alert_bytes(stack), "bytes", goal=512,
                        better="less", size="books of 100,000 and 200,000 alerts"))
    rows.append(lib.row("shared memory a subscription", subscription_bytes(stack), "bytes",
                        size=f"{SUBSCRIPTIONS} subscriptions to personal feeds"))
    return rows
