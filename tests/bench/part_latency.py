"""part_latency.py - from a reading to the NOTIFYs of its ten watchers: at rest, in a burst, under load, in a storm.

SPDX-License-Identifier: GPL-2.0-or-later
Every reading raises or ends one alert (by turns) and reaches the ten technicians of a team on their
personal feeds.  Rates are of alerts raised: as many end beside them, so there are twice as many readings
and NOTIFYs.  Timed are those that raise.  A change that does not reach each of its ten watchers fails the part.
Time runs from the moment before the reading is written to its connection to the moment a watcher's
program has the NOTIFY: it holds request, evaluation, NOTIFY and both load generators.  Upper bounds.
"""

import json
import os
import subprocess

import lib
import provision
import watching
from lib import row

TEAMS, TEAM, DEVICES, OPEN = 100, 10, 2000, 1000
RATE, BURST = 150, 1500  # alerts raised a second
STATED = "150 alerts/s x 10 watchers"
STORM, STALE = 5000, 5  # devices; seconds
REACHED = 1_000_000
COLLECTORS = 1000        # devices of the intake beside
SIZE = f"{TEAMS * TEAM:,} watchers, {DEVICES:,} devices, {OPEN:,} alerts open"
LEAST_SHARE = 0.95       # of the rate of the intake beside

SILENT = """
BEGIN;
INSERT INTO bmd_device_type (type_name, stale_after, description)
VALUES ('Silent oximeter', '{stale} s', 'of the benchmark');
INSERT INTO bmd_device (serial, type_name, location)
SELECT 'S' || lpad(n::text, 6, '0'), 'Silent oximeter', 'bedroom' FROM generate_series(1, {devices}) n;
INSERT INTO bmd_assignment (team_name, serial)
SELECT 'team' || n % {teams}, 'S' || lpad(n::text, 6, '0') FROM generate_series(1, {devices}) n;
COMMIT;
"""


class Scene:
    """The stack, its watchers, and how many readings have been sent: each device in turn."""

    def __init__(self, ctx):
        self.ctx = ctx
        # whom an alert has reached is remembered for a while after it closed: 1,500 a second
        self.stack = ctx.stack(sample=False, memory=1024, journal_mb=128, devices=10000, alerts=10000,
                               reached=REACHED)
        # every reading that raises raises an alert of its own, as timed: nothing is reopened or escalated
        self.stack.sql("UPDATE bmd_setting SET value = 0 WHERE name = 'reopen_seconds'")
        watching.people(self.stack, TEAMS * TEAM, DEVICES)
        watching.teams(self.stack, TEAMS, TEAM, DEVICES)
        provision.devices(self.stack, COLLECTORS)
        watching.settle(self.stack, "100 teams")
        self.watchers = watching.Watchers(ctx, f"127.0.0.1:{self.stack.sip_port}", TEAMS * TEAM,
                                          domain=self.stack.info["domain"])
        self.sent = 0

    def open_alerts(self):
        """Raises the alerts that stay open; caches are warm then."""
        self.measure(OPEN / 4, 3)

    def measure(self, raised, seconds):
        """`raised` alerts a second and as many ends: what the reporter and the watchers say of one run."""
        self.watchers.say("reset")
        before = lib.processor_seconds([self.watchers.process.pid])
        sent = self.ctx.program("alerts", "--server", f"127.0.0.1:{self.stack.http_port}", "--devices",
                                DEVICES, "--open", OPEN, "--from", self.sent, "--rate", round(2 * raised),
                                "--seconds", seconds, "--connections", 8, timeout=600)
        self.sent += sent["sent"]
        if sent["sent"] != sent["accepted"] + sent["refused"]:
            raise AssertionError(f"not every reading was answered: {sent}")
        told = self.watchers.say("entries", TEAM * sent["sent"], 15000)
        told["cpu_s"] = lib.processor_seconds([self.watchers.process.pid]) - before
        return sent, told

    def rows(self, name, rate, seconds, goals, beside_storm=False):
        """goals: of p50 and p99, milliseconds or None."""
        sent, told = self.measure(rate, seconds)
        self.check(name, rate, seconds, sent, told)
        # the changes of a storm are told as they are when they are told: not each to everybody
        if not beside_storm and told["reached_min"] < TEAM:
            raise AssertionError(f"{name}: one alert was told to {told['reached_min']} of {TEAM} watchers")
        self.ctx.note(
            f"{name}: {told['changes']:,} alerts raised; {told['entries']:,} of {TEAM * sent['sent']:,} expected entries in "
            f"{told['notifies']:,} NOTIFYs, {told['duplicates']} repeated, {told['gaps']} gaps; inside the "
            f"server until on the wire p50 {told['inside_us']['p50'] / 1000:.2f} p99 "
            f"{told['inside_us']['p99'] / 1000:.2f} ms; answer to the reading p99 "
            f"{sent['answer_us']['p99'] / 1000:.2f} ms, refused {sent['refused']}; reporter late by "
            f"p99 {sent['late_us']['p99'] / 1000:.2f} ms; of a core the reporter took "
            f"{100 * sent['cpu_s'] / sent['seconds']:.0f} %, the watchers {100 * told['cpu_s'] / sent['seconds']:.0f} %")
        seen = told["seen_us"]
        return [row(f"latency, {name}, {part}", seen[part] / 1000, "ms", size=SIZE, goal=goal, better="less")
                for part, goal in zip(("p50", "p99", "max"), (*goals, None))]

    @staticmethod
    def check(name, rate, seconds, sent, told):
        """AssertionError unless as many alerts were raised as the row says, and no entry is missing."""
        missing = TEAM * sent["sent"] - told["entries"]
        if missing > 0:
            raise AssertionError(f"{name}: {missing} of {TEAM * sent['sent']} entries did not come")
        if told["changes"] < LEAST_SHARE * rate * sent["seconds"]:
            raise AssertionError(f"{name}: only {told['changes'] / sent['seconds']:.0f} alerts/s were raised")

    def half_intake(self, seconds):
        """A paced intake at half of what this server takes now."""
        command = ["--port", self.stack.http_port, "--devices", COLLECTORS, "--collectors", 4]
        most = self.ctx.program("intake", *command, "--name", "most-", "--seconds", 3)["durable_per_s"]
        self.stack.wait_stored()
        arguments = [os.path.join(self.ctx.build, "intake"), *map(str, command), "--name", "half-",
                     "--rate", str(int(most / 2)), "--seconds", str(seconds + 2)]
        return most / 2, subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    def database(self, verb):
        data = os.path.join(self.stack.dir, "stack", "pg")
        script = os.path.join(lib.ROOT, "tools", "bmd-stack", "cluster.sh")
        sockets = self.stack.info["db"].split()[0].removeprefix("host=")
        subprocess.run(["bash", "-c", '. "$1"; cluster_' + verb + ' "$2" "$3" "$4"', "database", script,
                        os.path.realpath(data), sockets, os.path.realpath(data)[:-3] + "/postgresql.log"],
                       check=True, timeout=120, stdout=subprocess.DEVNULL)


def beside_intake(scene, seconds):
    rate, intake = scene.half_intake(seconds)
    try:
        rows = scene.rows(f"{STATED}, intake at {rate:,.0f} readings/s beside", RATE, seconds,
                          (None, None))
        if intake.poll() is not None:
            raise AssertionError("the intake beside ended before the measurement did")
        took = json.loads(intake.communicate(timeout=120)[0])
    finally:
        if intake.poll() is None:
            intake.kill()
            intake.wait()
    scene.ctx.note(f"intake beside: {took['durable_per_s']:,.0f} readings/s durable, its load generator took "
                   f"{100 * took['cpu_share']:.0f} % of a core")
    if took["accepted_per_s"] < LEAST_SHARE * rate:
        raise AssertionError(f"the intake beside took {took['accepted_per_s']:,.0f} readings/s, not {rate:,.0f}")
    return rows


def without_database(scene, seconds):
    scene.database("stop")
    try:
        return scene.rows(f"{STATED}, database stopped", RATE, seconds, (None, None))
    finally:
        scene.database("start")


def devices_that_fall_silent(scene):
    """5,000 more devices of the same technicians, which fall silent together."""
    scene.stack.sql(SILENT.format(devices=STORM, teams=TEAMS, stale=STALE))
    watching.settle(scene.stack, f"{STORM:,} devices that fall silent")


def in_a_storm(scene, seconds):
    """All of them are heard once more, and fall silent in the middle of the measurement."""
    devices_that_fall_silent(scene)
    before = scene.stack.stat("storms")
    with watching.Reporter(scene.stack) as reporter:
        for first in range(1, STORM + 1, 1000):
            reporter.send("\n".join(f"S{n:06d} SpO2=97" for n in range(first, first + 1000)))
    rows = scene.rows(f"{STATED}, {STORM:,} devices fall silent meanwhile", RATE, max(seconds, STALE + 5), (2, 10),
                      beside_storm=True)
    storms = scene.stack.stat("storms") - before
    if storms < 1:
        raise AssertionError(f"{STORM} devices fell silent, and there was no storm")
    scene.ctx.note(f"in a storm: told as {storms} storm(s)")
    return rows


def run(ctx):
    scene = Scene(ctx)
    seconds = 30 if ctx.full else 6
    try:
        scene.open_alerts()
        rows = scene.rows(STATED, RATE, seconds, (2, 10))
        rows += scene.rows("burst of 1,500 alerts/s x 10 watchers", BURST, 5 if ctx.full else 3,
                           (None, 100))
        rows += beside_intake(scene, seconds)
        rows += without_database(scene, seconds)
        rows += in_a_storm(scene, seconds)
        scene.watchers.end()
        return rows
    finally:
        scene.watchers.kill()
