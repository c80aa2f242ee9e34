"""part_intake.py - readings through the real HTTP RPC, evaluated and durable; beside it raw COPY.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import lib
import provision

GOAL = 400_000
DEVICES = 10_000
SIZE = f"{DEVICES:,} devices x 8 metrics"


def measured(ctx, stack, name, **options):
    """One run of the load generator, with what processor time everybody took."""
    arguments = [word for key, value in options.items() for word in ("--" + key, value)]
    kamailio = lib.children(stack.pid)
    everybody = stack.server_processes()
    before = lib.processor_seconds(kamailio), lib.processor_seconds(everybody)
    result = ctx.program("intake", "--port", stack.http_port, "--devices", DEVICES,
                         "--name", name, *arguments)
    after = lib.processor_seconds(kamailio), lib.processor_seconds(everybody)
    kamailio_s = after[0] - before[0]
    ctx.note(f"intake {name}: {result['readings']:,} readings; processor time a million readings: "
             f"Kamailio {kamailio_s * 1e6 / result['readings']:.2f} s, PostgreSQL "
             f"{(after[1] - before[1] - kamailio_s) * 1e6 / result['readings']:.2f} s, "
             f"load generator {result['cpu_s'] * 1e6 / result['readings']:.2f} s "
             f"({100 * result['cpu_share']:.0f} % of a core); accepted "
             f"{result['accepted_per_s']:,.0f}/s, busy answers {result['busy']}, answer p50 "
             f"{result['request_us_p50'] / 1000:.2f} ms, p99 {result['request_us_p99'] / 1000:.2f} ms")
    return result


def batches(ctx, stack, copy_rate):
    """1, 4 and 16 collectors; within limits and with some outside; every stored row counted."""
    seconds = 20 if ctx.full else 3
    rows = []
    for count, outside in ((1, 0), (4, 0), (16, 0), (4, 2)):
        result = measured(ctx, stack, f"{count}x{outside}-", collectors=count, outside=outside,
                          seconds=seconds)
        stored = int(stack.sql("SELECT count(*) FROM bmd_reading")[0][0])
        if stored != result["readings"]:
            raise AssertionError(f"{result['readings']} readings were durable, {stored} are stored")
        stack.fresh_readings()
        share = result["outside"] / result["readings"]
        rows.append(lib.row(f"intake durable, {count} collector{'s' if count > 1 else ''}, "
                            + (f"{100 * share:.2f} % outside limits" if outside else "within limits"),
                            result["durable_per_s"], "readings/s", "raw binary COPY, same table",
                            copy_rate, GOAL, size=SIZE))
    return rows


def singles(ctx, stack):
    """One reading a request."""
    seconds = 5 if ctx.full else 2
    rows = []
    for count in (1, 8):
        result = measured(ctx, stack, f"single{count}-", collectors=count, batch=1, seconds=seconds)
        rows.append(lib.row(f"intake, one reading a request, HTTP, {count} connection"
                            + ("s" if count > 1 else ""), result["durable_per_s"], "readings/s", size=SIZE))
    result = ctx.program("binrpc", "--ctl", stack.info["ctl"].removeprefix("unix:"), "--devices",
                         DEVICES, "--seconds", seconds)
    ctx.note(f"ctl socket: a call p50 {result['call_us_p50'] / 1000:.2f} ms, p99 {result['call_us_p99'] / 1000:.2f} "
             f"ms; the load generator took {100 * result['cpu_share']:.0f} % of a core")
    rows.append(lib.row("intake, one reading a call, ctl socket (as kamcmd)", result["per_s"],
                        "readings/s", size=SIZE))
    return rows


def run(ctx):
    stack = ctx.stack(sample=False, journal_mb=128, memory=768)
    provision.devices(stack, DEVICES)
    measured(ctx, stack, "warm-", collectors=4, seconds=1)
    stack.wait_stored()
    stack.fresh_readings()
    copy = ctx.program("copy", "--db", stack.info["db"], "--seconds", 8 if ctx.full else 3,
                       "--devices", DEVICES)
    stack.fresh_readings()
    ctx.note(f"raw COPY: its program took {100 * copy['cpu_share']:.0f} % of a core")
    rows = [lib.row("raw binary COPY of such rows, one connection", copy["rows_per_s"], "rows/s", size=SIZE)]
    rows += batches(ctx, stack, copy["rows_per_s"])
    rows += singles(ctx, stack)
    return rows
