"""growing.py - what a stack of some size takes in and how late it tells: points of the growth curves.

SPDX-License-Identifier: GPL-2.0-or-later
Measured on a stack that has devices already, whatever their number.  Intake: 4 collectors, readings within
limits, durable.  Latency: 50 alerts/s raised, each told to the ten technicians of one team.
"""

import lib
import watching

COLLECTORS = 4
TEAM, DEVICES, OPEN, RATE = 10, 100, 50, 50  # of the latency: watchers, devices, alerts open, alerts/s


class Watched:
    """A team of ten with a hundred oximeters, beside whatever else the stack has."""

    def __init__(self, ctx, stack):
        self.ctx, self.stack, self.sent = ctx, stack, 0
        stack.sql("UPDATE bmd_setting SET value = 0 WHERE name = 'reopen_seconds'")
        watching.people(stack, TEAM, DEVICES)
        watching.teams(stack, 1, TEAM, DEVICES)
        watching.settle(stack, "a team")

    def latency_us(self, seconds):
        """Reading written to NOTIFY read: {"p50", "p99", "max"}."""
        with watching.Watchers(self.ctx, f"127.0.0.1:{self.stack.sip_port}", TEAM,
                               domain=self.stack.info["domain"]) as watchers:
            for long in (1, seconds):  # the first warms up
                watchers.say("reset")
                sent = self.ctx.program("alerts", "--server", f"127.0.0.1:{self.stack.http_port}", "--devices",
                                        DEVICES, "--open", OPEN, "--from", self.sent, "--rate", 2 * RATE,
                                        "--seconds", long, "--connections", 4)
                self.sent += sent["sent"]
                told = watchers.say("entries", TEAM * sent["sent"], 15000)
                if told["entries"] < TEAM * sent["sent"]:
                    raise AssertionError(f"{TEAM * sent['sent'] - told['entries']} entries did not come")
            watchers.end()
        return told["seen_us"]


def intake(ctx, stack, devices, seconds):
    """Readings a second that were durable."""
    stack.fresh_readings()
    result = ctx.program("intake", "--port", stack.http_port, "--devices", devices, "--collectors", COLLECTORS,
                         "--name", f"grow{devices}-", "--seconds", seconds)
    stack.wait_stored()
    stack.fresh_readings()
    return result["durable_per_s"]


def points(ctx, stack, watched, devices):
    """Rows and points of the curves of a stack with so many devices."""
    seconds = 10 if ctx.full else 3
    size = f"{devices:,} devices x 8 metrics, {COLLECTORS} collectors"
    late = watched.latency_us(seconds)
    rate = intake(ctx, stack, devices, seconds)
    ctx.curve("intake", "4 collectors, durable", devices, rate)
    rows = [lib.row(f"intake durable, {devices:,} devices", rate, "readings/s", size=size)]
    for part in ("p50", "p99"):
        ctx.curve("latency", part, devices, late[part] / 1000)
        rows.append(lib.row(f"latency, {devices:,} devices, {part}", late[part] / 1000, "ms",
                            size=f"{devices:,} devices, {RATE} alerts/s x {TEAM} watchers"))
    return rows
