"""part_fanout.py - one alert to many watchers: personal feeds, one group feed, and stock presence beside.

SPDX-License-Identifier: GPL-2.0-or-later
Time runs from the moment before the reading (to stock: the PUBLISH) is sent to the moment the kernel takes
the last NOTIFY for the watchers.  So it holds the way of the request, too: upper bounds.
"""

import time

import lib
import stock
import watching
from lib import row

SIZES = {False: (100, 1000, 4000), True: (10, 100, 1000, 4000, 10000)}
PERSONAL, GROUP = "personal feeds", "one group feed"
PAUSE = 1.5  # seconds; subscriptions are written back every second
GOAL_WATCHERS, GOAL_MS, GOAL_TIMES = 10000, 300, 15

# For size number k: a group with device 2k+1 and a device 2k+2, for the first SIZE technicians.
TARGETS = """
BEGIN;
INSERT INTO bmd_team (team_name) VALUES ('size{k}');
INSERT INTO bmd_team_member (team_name, username)
SELECT 'size{k}', 'w' || lpad(n::text, 6, '0') FROM generate_series(1, {size}) n;
INSERT INTO bmd_group (group_name) VALUES ('size{k}');
INSERT INTO bmd_group_device (group_name, serial) VALUES ('size{k}', '{group_serial}');
INSERT INTO bmd_assignment (team_name, group_name) VALUES ('size{k}', 'size{k}');
INSERT INTO bmd_assignment (team_name, serial) VALUES ('size{k}', '{serial}');
COMMIT;
"""


def serials(k):
    """Of the group's device and of the other."""
    return f"D{2 * k + 1:06d}", f"D{2 * k + 2:06d}"


class Rounds:
    """What some changes took: `times`, milliseconds to the last NOTIFY of each; NOTIFYs `repeated`; bytes of
    a `body`; `share` of a core that the watchers took; `memory`, bytes of Kamailio's shared memory that each
    NOTIFY had taken when the last was sent (where `left` says what is left of it)."""

    def __init__(self, watchers, count, change, number, left=lambda: 0):
        self.repeated, told, cpu = 0, 0, lib.processor_seconds([watchers.process.pid])
        self.times, self.body, self.memory, before = [], 0, 0, 0

        def watched(i):
            nonlocal before
            before = left()
            return change(i)
        for i, (took, said) in enumerate(rounds(watchers, count, watched, number)):
            told += took
            self.memory = max(self.memory, (before - left()) / count)
            if i == 0:  # finds cold caches
                continue
            self.times.append(took)
            self.repeated += said["duplicates"]
            self.body += said["bytes"] / said["notifies"] / number
        self.share = (lib.processor_seconds([watchers.process.pid]) - cpu) / (told / 1000)

    @property
    def value(self):
        return lib.median(self.times)


def rounds(watchers, count, change, number):
    """(milliseconds to the last of `count` NOTIFYs, what the watchers say) of each of 1 + `number` changes.

    Each change finds the server at rest: answers handled, outcomes and subscriptions written.
    """
    for i in range(number + 1):
        time.sleep(PAUSE)
        watchers.say("reset")
        begun = change(i)
        told = watchers.say("notifies", count, 60000, timeout=90)
        if not told["in_time"]:
            raise AssertionError(f"{told['notifies']} of {count} NOTIFYs in 60 s")
        yield (told["last"] - begun) / 1000, told


def ours(ctx, stack, size, feed, serial, number):
    with watching.Reporter(stack) as reporter, \
            watching.Watchers(ctx, f"127.0.0.1:{stack.sip_port}", size,
                              domain=stack.info["domain"], feed=feed) as watchers:
        def change(i):
            return reporter.report(serial, watching.USUAL if i % 2 else watching.LOW)
        measured = Rounds(watchers, size, change, number, lambda: stack.stats()["shared_left"])
        if number % 2 == 0:  # the last round raised: end that alert too
            change(1)
        watchers.end()
    return measured


def theirs(ctx, stack, size, mode, number, body):
    """With a body of as many bytes as ours has."""
    with stock.Stock(stack, mode, memory=1024) as server, \
            watching.Watchers(ctx, server.server, size, domain=server.server, feed=stock.RESOURCE,
                              **stock.EVENT) as watchers:
        measured = Rounds(watchers, size, lambda i: server.publish(round(body)), number)
    if abs(measured.body - body) > 0.02 * body:
        raise AssertionError(f"a body of stock presence has {measured.body:.0f} bytes, one of ours {body:.0f}")
    if mode:
        stack.sql("TRUNCATE active_watchers, watchers, presentity")
    return measured


def rows_of(ctx, size, feeds, measured, memory, through):
    value, times, there = measured.value, measured.times, f"{size:,} watchers, a body of {measured.body:,.0f} bytes"
    name = f"fan-out to {size:,} watchers, {feeds}: last NOTIFY"
    goal = GOAL_MS if size == GOAL_WATCHERS else None
    found = [row(name, value, "ms", "stock presence, one resource, memory only", memory, goal, "less", there)]
    if through:
        found.append(row(name, value, "ms", "stock presence, one resource, write-through", through,
                         better="less", size=there))
    ctx.curve("fanout", feeds, size, value)
    if feeds == PERSONAL:
        ctx.curve("fanout", "stock presence, memory only", size, memory)
    if size == GOAL_WATCHERS:
        found.append(row(f"fan-out to {size:,} watchers, {feeds}: times faster than stock presence",
                         memory / value, "times", goal=GOAL_TIMES, size=there))
        found.append(row(f"shared memory of a NOTIFY to {feeds}, until 2 s after its answer", measured.memory, "bytes", better="less",
                         size=there))
    # of less than a thousand the clock of the processor time, 10 ms, says nothing
    took = f", watchers took {100 * measured.share:.0f} % of a core" if size >= 1000 else ""
    ctx.note(f"{name}: {min(times):.1f} to {max(times):.1f} ms, {size / value * 1000:,.0f} NOTIFY/s, "
             f"{measured.repeated} repeated, a body of {measured.body:,.0f} bytes{took}")
    return found


def stock_of(ctx, stack, bodies):
    """Medians of stock presence with bodies of ours: {size: (memory only, write-through or None)}."""
    found = {}
    for size, body in bodies.items():
        memory = theirs(ctx, stack, size, 0, 3, body)
        # at more watchers it takes minutes and says nothing new
        through = theirs(ctx, stack, size, 1, 2, body).value if size <= 1000 or ctx.full else None
        if size >= 1000:
            ctx.note(f"stock presence, {size:,} watchers: the watchers took {100 * memory.share:.0f} % of a core")
        found[size] = memory.value, through
    return found


def run(ctx):
    sizes = SIZES[ctx.full]
    stack = ctx.stack(sample=False, memory=1024)
    watching.people(stack, sizes[-1], 2 * len(sizes))
    for k, size in enumerate(sizes):
        group_serial, serial = serials(k)
        stack.sql(TARGETS.format(k=k, size=size, group_serial=group_serial, serial=serial))
    watching.settle(stack, f"{sizes[-1]} technicians")
    number = 9 if ctx.full else 5
    # groups first: a personal feed costs something once it has been watched
    group = {size: ours(ctx, stack, size, f"grp.size{k}", serials(k)[0], number)
             for k, size in enumerate(sizes)}
    personal = {size: ours(ctx, stack, size, "", serials(k)[1], number)
                for k, size in enumerate(sizes)}
    beside = stock_of(ctx, stack, {size: measured.body for size, measured in personal.items()})
    rows = []
    for size in sizes:
        rows += rows_of(ctx, size, PERSONAL, personal[size], *beside[size])
        rows += rows_of(ctx, size, GROUP, group[size], *beside[size])
    pairs = ctx.program("udp_pairs")
    ctx.note(f"raw UDP pairs: their program took {100 * pairs['cpu_share']:.0f} % of a core")
    best, there = max((size / personal[size].value * 1000, size) for size in sizes)
    rows.append(row("NOTIFY/s to personal feeds, best size", best, "1/s",
                    "limit: raw UDP pairs, 1.3 and 0.3 KiB", pairs["pairs_per_second"],
                    size=f"{there:,} watchers"))
    return rows
