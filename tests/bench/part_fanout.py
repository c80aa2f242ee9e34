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


def rounds(watchers, count, change, number):
    """Milliseconds to the last of `count` NOTIFYs, for each of some changes; NOTIFYs sent again.

    Each change finds the server at rest: answers handled, outcomes and subscriptions written.
    """
    times, repeated = [], 0
    for i in range(number + 1):
        time.sleep(PAUSE)
        watchers.say("reset")
        begun = change(i)
        told = watchers.say("notifies", count, 60000, timeout=90)
        if not told["in_time"]:
            raise AssertionError(f"{told['notifies']} of {count} NOTIFYs in 60 s")
        if i > 0:  # the first finds cold caches
            times.append((told["last"] - begun) / 1000)
            repeated += told["duplicates"]
    return times, repeated


def ours(ctx, stack, size, feed, serial, number):
    """Times, repeated NOTIFYs, and what share of a core the watchers took."""
    with watching.Reporter(stack) as reporter, \
            watching.Watchers(ctx, f"127.0.0.1:{stack.sip_port}", size,
                              domain=stack.info["domain"], feed=feed) as watchers:
        def change(i):
            return reporter.report(serial, watching.USUAL if i % 2 else watching.LOW)
        cpu = lib.processor_seconds([watchers.process.pid])
        times, repeated = rounds(watchers, size, change, number)
        cpu = lib.processor_seconds([watchers.process.pid]) - cpu
        if number % 2 == 0:  # the last round raised: end that alert too
            change(1)
        watchers.end()
    # one round is not timed
    return times, repeated, cpu / (sum(times) / 1000 * (number + 1) / number)


def theirs(ctx, stack, size, mode, number):
    with stock.Stock(stack, mode, memory=1024) as server, \
            watching.Watchers(ctx, server.server, size, domain=server.server, feed=stock.RESOURCE,
                              **stock.EVENT) as watchers:
        measured = rounds(watchers, size, lambda i: server.publish(), number)
    if mode:
        stack.sql("TRUNCATE active_watchers, watchers, presentity")
    return measured


def rows_of(ctx, size, feeds, measured, memory, through):
    times, repeated, share = measured
    value = lib.median(times)
    name = f"fan-out to {size:,} watchers, {feeds}: last NOTIFY"
    goal = GOAL_MS if size == GOAL_WATCHERS else None
    found = [row(name, value, "ms", "stock presence, one resource, memory only", memory, goal, "less")]
    if through:
        found.append(row(name, value, "ms", "stock presence, one resource, write-through", through,
                         better="less"))
    ctx.curve("fanout", feeds, size, value)
    if feeds == PERSONAL:
        ctx.curve("fanout", "stock presence, memory only", size, memory)
    if size == GOAL_WATCHERS:
        found.append(row(f"fan-out to {size:,} watchers, {feeds}: times faster than stock presence",
                         memory / value, "times", goal=GOAL_TIMES))
    # of less than a thousand the clock of the processor time, 10 ms, says nothing
    took = f", watchers took {100 * share:.0f} % of a core" if size >= 1000 else ""
    ctx.note(f"{name}: {min(times):.1f} to {max(times):.1f} ms, {size / value * 1000:,.0f} NOTIFY/s, "
             f"{repeated} repeated{took}")
    return found


def stock_of(ctx, stack, sizes):
    """Medians of stock presence: {size: (memory only, write-through or None)}."""
    found = {}
    for size in sizes:
        memory = lib.median(theirs(ctx, stack, size, 0, 3)[0])
        # at more watchers it takes minutes and says nothing new
        through = lib.median(theirs(ctx, stack, size, 1, 2)[0]) if size <= 1000 or ctx.full else None
        found[size] = memory, through
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
    beside = stock_of(ctx, stack, sizes)
    rows = []
    for size in sizes:
        rows += rows_of(ctx, size, PERSONAL, personal[size], *beside[size])
        rows += rows_of(ctx, size, GROUP, group[size], *beside[size])
    pairs = ctx.program("udp_pairs")["pairs_per_second"]
    best = max(size / lib.median(personal[size][0]) * 1000 for size in sizes)
    rows.append(row("NOTIFY/s to personal feeds, best size", best, "1/s",
                    "limit: raw UDP pairs, 1.3 and 0.3 KiB", pairs))
    return rows
