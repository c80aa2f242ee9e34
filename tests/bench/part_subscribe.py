"""part_subscribe.py - SUBSCRIBE with digest and full NOTIFY, beside stock presence with the same digest.

SPDX-License-Identifier: GPL-2.0-or-later
A subscription is two SUBSCRIBEs (401, then 200) and one NOTIFY; it is made when its 200 and its NOTIFY
have come.  Ours tells one open alert in each NOTIFY; stock presence's resources have no state to tell.
"""

import lib
import stock
import watching
from lib import row

BESIDE = {0: "stock presence, same digest, memory only", 2: "stock presence, same digest, write-back"}


def subscribed(ctx, server, people, rounds, **options):
    """Medians of some rounds that each end all subscriptions again: per second, p50 and p99 in ms."""
    found = []
    for _ in range(rounds):
        with watching.Watchers(ctx, server, people, **options) as watchers:
            found.append(watchers.subscribed)
            watchers.end()
    again = sum(one["repeated"] for one in found)
    if again:
        ctx.note(f"{server}: {again} SUBSCRIBEs were sent again for want of an answer")
    return (lib.median([one["per_second"] for one in found]),  # then p50, p99, share of a core
            *(lib.median([one["setup_us"][part] for one in found]) / 1000 for part in ("p50", "p99")),
            lib.median([one["cpu_s"] / one["seconds"] for one in found]))


def run(ctx):
    people = 10000 if ctx.full else 2000
    rounds = 3
    stack = ctx.stack(sample=False, memory=1024)
    watching.people(stack, people, 1)
    watching.teams(stack, 1, people, 1)
    watching.settle(stack, f"{people} technicians")
    domain = stack.info["domain"]
    with watching.Reporter(stack) as reporter:
        reporter.report("D000001", watching.LOW)
    rate, p50, p99, share = subscribed(ctx, f"127.0.0.1:{stack.sip_port}", people, rounds,
                                       domain=domain)
    ctx.note(f"subscribe: {people:,} technicians, 64 unfinished at a time: p50 {p50:.1f} ms, p99 {p99:.1f} "
             f"ms; the load generator took {100 * share:.0f} % of a core")
    for fewer in (10, 100, 1000):
        ctx.curve("subscribe", "with digest and full NOTIFY", fewer,
                  subscribed(ctx, f"127.0.0.1:{stack.sip_port}", fewer, rounds, domain=domain)[0])
    ctx.curve("subscribe", "with digest and full NOTIFY", people, rate)
    rows = []
    for mode, name in BESIDE.items():
        with stock.Stock(stack, mode, auth=True, memory=2048) as server:
            theirs = subscribed(ctx, server.server, people, rounds, domain=domain, **stock.EVENT)
        ctx.note(f"{name}: the load generator took {100 * theirs[3]:.0f} % of a core")
        if mode:
            stack.sql("DELETE FROM active_watchers WHERE event = 'message-summary'")
        ctx.curve("subscribe", name, people, theirs[0])
        rows.append(row("SUBSCRIBE with digest and full NOTIFY", rate, "1/s", name, theirs[0],
                        size=f"{people:,} technicians"))
    return rows
