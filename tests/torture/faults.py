"""faults.py - what is done to the parts, at moments drawn from a seed.

SPDX-License-Identifier: GPL-2.0-or-later
A fault that lasts (a stopped process, a cut link, a full disk) is undone by a timer, so that others
strike while it lasts.
"""

import collections
import random
import signal
import threading
import time

from world import kill, process_stat

KINDS = ("collector kill", "Kamailio process kill", "whole Kamailio kill", "PostgreSQL backend kill",
         "postmaster kill", "process stop", "link cut", "disk full", "clock step")
MEAN_GAP = 2.0  # seconds between two faults
TARGET_PATIENCE = 30
FULL_FOR = 10     # seconds at most that a disk stays full until PostgreSQL has noticed


class Campaign:
    def __init__(self, world, collectors, seed):
        self.world, self.collectors = world, collectors
        self.random = random.Random(f"faults {seed}")
        self.done = collections.Counter()
        self.struck = []  # (when, kind)
        self.skipped = collections.Counter()
        self.stops = []   # (service, pid, from, to or None)
        self.cuts = []    # (collector, from, to or None)
        self.felt = []    # of each full disk: how often PostgreSQL said so
        self.lasting = {} # what -> (timer, how to undo it)
        self.lock = threading.Lock()
        self.bag = []

    def next_kind(self):
        """Every kind once, in random order, before any comes again."""
        if not self.bag:
            self.bag = list(KINDS)
            self.random.shuffle(self.bag)
        return self.bag.pop()

    def wait(self):
        time.sleep(min(self.random.expovariate(1 / MEAN_GAP), 3 * MEAN_GAP))

    def strike(self):
        kind = self.next_kind()
        action = getattr(self, kind.lower().replace(" ", "_"))
        at = time.time()
        if action():
            self.done[kind] += 1
            self.struck.append((at, kind))
        else:
            self.skipped[kind] += 1

    def target(self, service, among):
        """A process of the service, by `among`(main, others); waits while the service is down."""
        until = time.time() + TARGET_PATIENCE
        draw = self.random.random()
        while time.time() < until:
            members = service.members()
            candidates = among(members) if members else []
            if candidates:
                return candidates[int(draw * len(candidates))]
            time.sleep(0.05)
        return None

    def kill_one(self, service, among):
        pid = self.target(service, among)
        return pid is not None and kill(pid, signal.SIGKILL)

    def collector_kill(self):
        return self.kill_one(self.random.choice(self.collectors), lambda all_: all_[:1])

    def kamailio_process_kill(self):
        return self.kill_one(self.world.kamailio, lambda all_: all_)

    def whole_kamailio_kill(self):
        until = time.time() + TARGET_PATIENCE
        while time.time() < until:
            members = self.world.kamailio.members()
            if members:
                return any([kill(pid, signal.SIGKILL) for pid in members])
            time.sleep(0.05)
        return False

    def postgresql_backend_kill(self):
        return self.kill_one(self.world.postgres, lambda all_: all_[1:])

    def postmaster_kill(self):
        return self.kill_one(self.world.postgres, lambda all_: all_[:1])

    def process_stop(self):
        service = self.random.choice([self.world.kamailio, self.world.postgres, self.random.choice(self.collectors)])
        seconds = self.random.uniform(0.3, 4)
        pid = self.target(service, lambda all_: all_)
        if pid is None or pid in [key[1] for key in self.lasting if key[0] == "stop"]:
            return False
        kill(pid, signal.SIGSTOP)
        self.stops.append([service, pid, time.time(), None])
        entry, parent = self.stops[-1], process_stat(pid)

        def undo():
            if process_stat(pid) == parent or parent is None:
                kill(pid, signal.SIGCONT)
            entry[3] = time.time()
        self.last(("stop", pid), seconds, undo)
        return True

    def link_cut(self):
        collector = self.random.choice(self.collectors)
        seconds = self.random.uniform(0.5, 8)
        if ("link", collector) in self.lasting:
            return False
        collector.home.cut()
        self.cuts.append([collector, time.time(), None])
        entry = self.cuts[-1]

        def undo():
            collector.home.mend()
            entry[2] = time.time()
        self.last(("link", collector), seconds, undo)
        return True

    def disk_full(self):
        seconds = self.random.uniform(0.5, 5)
        if "disk" in self.lasting:
            return False
        before, until = self.world.refused(), time.time() + FULL_FOR
        self.world.fill_disk()

        def undo():
            self.world.empty_disk()
            self.felt.append(self.world.refused() - before)
        self.last("disk", seconds, undo, lambda: self.world.refused() == before and time.time() < until)
        return True

    def clock_step(self):
        clock = self.world.clocks[self.random.choice(list(self.world.clocks))]
        step = self.random.choice((-1, 1)) * self.random.randint(30, 600)
        if abs(clock.offset + step) > 900:
            step = -step
        clock.set(clock.offset + step)
        return True

    def last(self, what, seconds, undo, longer=lambda: False):
        """Calls undo() after so many seconds, and as long as it is to last longer not yet."""
        def end():
            with self.lock:
                if self.lasting.pop(what, None) is None:
                    return
            undo()

        def due():
            if not longer():
                return end()
            with self.lock:
                if what in self.lasting:  # not healed meanwhile
                    arm(0.3)

        def arm(pause):
            timer = threading.Timer(pause, due)
            timer.daemon = True
            self.lasting[what] = (timer, end)
            timer.start()
        with self.lock:
            arm(seconds)

    def heal(self):
        """Undoes at once what lasts; clocks stay where they are."""
        for timer, end in list(self.lasting.values()):
            timer.cancel()
            end()

    def stopped_seconds(self, service, begin, end):
        """How long any process of the service stood still between two moments."""
        return sum(max(0.0, min(end, to or end) - max(begin, since))
                   for which, _, since, to in self.stops if which is service)
