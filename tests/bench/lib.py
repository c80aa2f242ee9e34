"""lib.py - what the parts of the benchmark share: a private stack, rows of the table, processor time.

SPDX-License-Identifier: GPL-2.0-or-later
A part is part_NAME.py with run(ctx), which returns rows made by row().
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
import stack as test_stack  # noqa: E402  (found only after the path is set)


def row(name, value, unit, baseline=None, baseline_value=None, goal=None, better="more", size=""):
    """One line of the table.  goal: the figure to reach; better: "more" or "less" is better; size: how much
    of what was there, e.g. "10,000 devices".

    ratio is how many times better the value is than the baseline's.
    """
    ratio = None
    if baseline_value and value:
        ratio = value / baseline_value if better == "more" else baseline_value / value
    met = None
    if goal is not None:
        met = value is not None and (value >= goal if better == "more" else value <= goal)
    return {"name": name, "value": value, "unit": unit, "baseline": baseline,
            "baseline_value": baseline_value, "ratio": ratio, "goal": goal, "met": met,
            "better": better, "size": size}


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values, share):
    """The smallest value that at least `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def processor_seconds(pids):
    """User and system time the processes have taken so far; those that ended count nothing."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def children(pid):
    """A process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                    parents[int(name)] = int(file.read().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [pid]
    for seen in found:
        found += [child for child, parent in parents.items() if parent == seen]
    return found


class BenchStack(test_stack.Stack):
    """tools/bmd-stack in a temporary folder, on ports of its own."""

    def __init__(self, **settings):
        super().__init__(*self._arguments(settings))
        self.settings = settings

    @staticmethod
    def _arguments(settings):
        """memory=, sample=, stock=, domain=, config=; everything else is a size of site.cfg."""
        arguments = []
        for name, value in settings.items():
            if name in ("memory", "domain", "config"):
                arguments += ["--" + name, str(value)]
            elif name == "sample":
                arguments += [] if value else ["--no-sample"]
            elif name == "stock":
                arguments += ["--stock"] if value else []
            else:
                arguments += ["--set", f"{name.upper()}={value}"]
        return arguments

    @property
    def sip_port(self):
        return self.info["sip_port"]

    @property
    def http_port(self):
        return int(re.search(r":(\d+)/", self.info["http"]).group(1))

    @property
    def pid(self):
        return int(self.info["pid"])

    def stop(self):
        """Stops everything; the database keeps its data."""
        self._stack("down")

    def start_again(self, **settings):
        """After stop(): with other sizes, if any are given."""
        self.settings = {**self.settings, **settings}
        self.info = self._stack("up", "--sip-port", str(self.sip_port), "--http-port",
                                str(self.http_port), *self._arguments(self.settings))

    def again(self, **settings):
        """Stops, and starts with other sizes on the same data."""
        self.stop()
        self.start_again(**settings)

    def sql(self, text, timeout=900, user="bmd"):
        """Rows of a query (or of several), each a list of strings."""
        done = subprocess.run(["psql", "-X", "-q", "-At", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               self.info["db"].replace("user=bmd", "user=" + user), "-f", "-"], input=text, capture_output=True,
                              text=True, timeout=timeout, check=False)
        if done.returncode != 0:
            raise AssertionError("psql: " + done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def fresh_readings(self):
        """No readings in the database and nothing left to write back: each run begins alike."""
        self.sql("TRUNCATE bmd_reading")
        self.sql("CHECKPOINT", user="postgres")

    def stats(self):
        """Every counter and level of bmd.stats."""
        pairs = (line.strip().partition(": ") for line in self.kamcmd("bmd.stats").splitlines())
        return {key: int(value) for key, colon, value in pairs if colon}

    def server_processes(self):
        """Kamailio's processes and PostgreSQL's."""
        data = os.path.join(self.dir, "stack", "pg", "postmaster.pid")
        with open(data, encoding="utf-8") as file:
            return children(self.pid) + children(int(file.readline()))

    def wait_stored(self, timeout=60):
        """Until nothing of the journal waits for the database."""
        def empty():
            stats = self.stats()
            return stats["journal_bytes"] == 0 and stats["journal_alert_events"] == 0
        test_stack.wait_until(empty, timeout, "an empty journal")


class Context:
    """What a part is handed.

    full: the long form is wanted; root: top of the source; build: folder of the programs;
    results: rows of the parts that ran before, by name of the part.
    """

    def __init__(self, full, build):
        self.full = full
        self.root = ROOT
        self.build = build
        self.results = {}
        self.notes = []
        self.curves = {}
        self._stacks = contextlib.ExitStack()

    def note(self, text):
        """A sentence below the table; shown at once, too."""
        self.notes.append(text)
        print("    " + text, flush=True)

    def curve(self, chart, series, size, value):
        """A point of docs/bench-growth.svg; charts and their axes stand in growth.py."""
        self.curves.setdefault(chart, {}).setdefault(series, []).append([size, value])

    def stack(self, **settings):
        """A started stack; it is ended with the part, or by its own end()."""
        started = BenchStack(**settings)
        ended = []

        def end():
            if not ended:
                ended.append(True)
                started.down()
        started.end = end
        self._stacks.callback(end)
        return started

    def end_part(self):
        """Ends what the part started and left."""
        self._stacks.close()

    def program(self, name, *arguments, timeout=600, **options):
        """Runs build/bench/NAME; the JSON object it prints."""
        command = [os.path.join(self.build, name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              check=False, **options)
        if done.returncode != 0:
            raise AssertionError(f"{name}: status {done.returncode}: {done.stderr.strip()[-500:]}")
        return json.loads(done.stdout)

    @staticmethod
    def seconds(function, *arguments):
        """How long a call takes."""
        begun = time.monotonic()
        function(*arguments)
        return time.monotonic() - begun
