"""torture.py - a campaign of faults under load; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later

Usage: torture.py [--faults N] [--seed N] [--modules DIR] [--keep DIR] [--case NAME]
Exit: 0 when nothing was lost, doubled or left unseen; 1 otherwise; 77 where the machine does not
permit it (said on stdout).
"""

import argparse
import os
import random
import signal
import sys
import time

from faults import KINDS, Campaign
from load import BatchSender, Line, LineDevice
from verdict import DOUBLE, HOLES, SPOOL_WITHIN, Alerts, Gone, Stored
from watchers import Terminal
from world import NotPossible, World

HOMES, PORTS = 3, 3
BATCH_DEVICES, BATCH_ALERTING = 20, 6
PATIENCE = 90      # seconds until everything sent is durable, once nothing disturbs
REST_EVERY = 50    # faults; then all must become durable
LONGEST = 90       # seconds that alerting may be interrupted
WARM_UP = 3


class Scene:
    def __init__(self, options):
        self.options = options
        self.world = World(options.modules)
        world, seed = self.world, options.seed
        self.devices = [LineDevice(f"TL-{h}{p}", world.dir, seed) for h in range(HOMES) for p in range(PORTS)]
        self.sender = BatchSender(world.info["http"], BATCH_DEVICES, BATCH_ALERTING, seed)
        self.provision()
        self.collectors = [world.add_home(f"torture-home-{h}", self.devices[h * PORTS:(h + 1) * PORTS])
                           for h in range(HOMES)]
        self.campaign = Campaign(world, self.collectors, seed)
        self.gone = Gone(self.campaign)
        self.line = Line(self.devices)
        self.terminals = [Terminal(world, "tech1", "tech1"), Terminal(world, "tech2", "grp.torture"),
                          Terminal(world, "tech3", "dev.TL-00")]
        self.standstills = []

    def provision(self):
        text = ("UPDATE bmd_device_type SET stale_after = '1 day'; "
                "UPDATE bmd_setting SET value = 0 WHERE name = 'reopen_seconds'; "  # the ledger counts alerts
                "INSERT INTO bmd_group (group_name) VALUES ('torture');")
        for serial in [d.serial for d in self.devices] + self.sender.serials:
            text += (f"INSERT INTO bmd_device (serial, type_name) VALUES ('{serial}', 'Nonin oximeter');"
                     f"INSERT INTO bmd_group_device VALUES ('torture', '{serial}');")
        text += ("INSERT INTO bmd_assignment (username, group_name) VALUES ('tech1', 'torture'), ('tech2', 'torture');"
                 "INSERT INTO bmd_assignment (username, serial) VALUES ('tech3', 'TL-00');")
        self.world.sql(text)
        time.sleep(1.5)

    def begin(self):
        for terminal in self.terminals:
            terminal.start()
        for collector in self.collectors:
            collector.deaths.append(self.gone.collector_died)
            collector.begin()
        self.line.start()
        self.sender.start()
        time.sleep(WARM_UP)

    def torment(self):
        begun, struck = time.time(), 0
        while struck < self.options.faults:
            self.campaign.wait()
            self.campaign.strike()
            now = sum(self.campaign.done.values())
            if now == struck:
                continue
            struck = now
            if struck % 25 == 0:
                print(f"# {struck} faults in {time.time() - begun:.0f} s; {len(self.line.devices[0].sent_at)} packets "
                      f"a device, {self.sender.moments} moments; waiting batches {len(self.sender.batches)}", flush=True)
            if struck % REST_EVERY == 0 and struck < self.options.faults:
                self.rest()

    def rest(self):
        """Nothing disturbs for a moment, and the devices pause: what has been sent must become durable."""
        self.campaign.heal()
        self.line.paused = True
        mark, begun, left = self.sender.seq, time.time(), {"all": 1}
        time.sleep(2)  # one that was just killed runs again, and knows the signal that asks it
        while (any(left.values()) or self.sender.durable < mark) and time.time() - begun < PATIENCE:
            time.sleep(0.5)
            left = {c.name: self.waiting(c) for c in self.collectors}
        self.line.paused = False
        if any(left.values()) or self.sender.durable < mark:
            self.standstills.append(f"batches wait for {PATIENCE} s with nothing disturbed: {left}, sender "
                                    f"{mark - self.sender.durable}")
            print("# STUCK: " + self.standstills[-1], flush=True)

    def finish(self):
        """Ends the load in a known state and waits until all of it is durable."""
        self.campaign.heal()
        self.world.ready(60)
        plans = [d.plan for d in self.devices] + list(self.sender.plans.values())
        for index, plan in enumerate(plans):
            plan.last = index % 2 == 0
        time.sleep(6)
        self.line.stop()
        self.sender.stopping = True
        self.wait_durable()
        for collector in self.collectors:
            collector.end()
        self.sender.join(1)

    def waiting(self, collector):
        """Batches that a collector still holds, by its own words."""
        for pid in collector.members():
            os.kill(pid, signal.SIGUSR1)
        time.sleep(0.3)
        with open(collector.log_path, errors="replace") as log:
            said = [line for line in log if "waiting_batches=" in line]
        return int(said[-1].split("waiting_batches=")[1].split()[0]) if said else -1

    def wait_durable(self):
        until = time.time() + PATIENCE
        time.sleep(2)
        left = {}
        while time.time() < until:
            left = {c.name: self.waiting(c) for c in self.collectors}
            if not any(left.values()) and not self.sender.batches:
                return
            time.sleep(0.5)
        self.standstills.append(f"not durable after {PATIENCE} s: {left}, sender {len(self.sender.batches)} batches")


class Verdict:
    """The four numbers and what explains them."""

    def __init__(self, scene):
        self.scene, self.world = scene, scene.world
        self.good, self.lines = True, []
        stored = Stored(self.world)
        stored.compare_values(scene.devices)
        self.readings(stored)
        self.batches()
        self.alerts()
        self.history()

    def say(self, text):
        self.lines.append(text)

    def readings(self, stored):
        self.lost, self.twice, self.with_collector, self.sent = stored.short, stored.surplus, 0, 0
        self.gone_for_good = {}
        for device in self.scene.devices:
            counts = stored.packets[device.serial]
            sent = range(len(device.sent_at))
            missing = [n for n in sent if not counts[n]]
            gone = [n for n in missing if n in self.scene.gone.packets[device.serial]]
            self.gone_for_good[device.serial] = set(gone)
            lost = sorted(set(missing) - set(gone))
            self.sent += 10 * len(sent)
            self.with_collector += 10 * len(gone)
            self.lost += 10 * len(lost)
            self.twice += 10 * sum(counts[n] - 1 for n in sent if counts[n] > 1)
            if lost:
                self.say(f"  lost of {device.serial}: packets {lost[:8]}{'...' if len(lost) > 8 else ''} "
                         f"({len(lost)} of {len(sent)}), sent at "
                         f"{', '.join(f'{device.sent_at[n]:.3f}' for n in lost[:3])}")
            unknown = [n for n in counts if n >= len(device.sent_at)]
            if unknown:
                self.twice += 10 * len(unknown)
                self.say(f"  stored but never sent of {device.serial}: {unknown[:5]}")
        for example in stored.examples[:3]:
            self.say("  differs: " + example)

    def batches(self):
        sender = self.scene.sender
        count, distinct, wrong, flags = self.world.sql(
            "SELECT count(*) FILTER (WHERE d.serial LIKE 'TB-%'), "
            "count(DISTINCT (r.device_id, r.metric_id, r.measured_at)) FILTER (WHERE d.serial LIKE 'TB-%'), "
            "count(*) FILTER (WHERE d.serial LIKE 'TB-%' AND m.name = 'SpO2Ext' AND r.value <> "
            f"((extract(epoch FROM r.measured_at) * 1000000)::bigint - {sender.base}) / {sender.STEP} % 100), "
            "count(*) FILTER (WHERE r.kind <> 1) - count(DISTINCT (r.device_id, r.metric_id, r.kind, r.measured_at, "
            "r.epoch, r.seq)) FILTER (WHERE r.kind <> 1) "
            "FROM bmd_reading r JOIN bmd_device d USING (device_id) JOIN bmd_metric m USING (metric_id)")[0]
        self.sent += sender.rows()
        self.lost += sender.rows() - int(distinct) + int(wrong)
        self.twice += int(count) - int(distinct) + int(flags)
        if sender.rows() != int(distinct) or count != distinct:
            self.say(f"  batch sender: sent {sender.rows()}, stored {count}, different {distinct}, wrong {wrong}; "
                     f"device alarms twice {flags}")
        for text in sender.refusals[:3]:
            self.say(f"  refused: {text}")

    def alerts(self):
        scene, alerts = self.scene, Alerts(self.world, self.scene.devices, self.scene.sender, self.gone_for_good)
        lost, twice = alerts.lost_and_twice()
        wrong = alerts.wrong_state()
        self.alerts_lost, self.alerts_sent = len(lost) + len(wrong), len(alerts.expected)
        self.alerts_twice = len(twice)
        self.twice += len(twice)
        for name, found in (("lost", lost), ("stored twice", twice), ("wrong at the end", wrong)):
            if found:
                self.say(f"  alerts {name}: {found[:8]}")
        deaths = [(o[0], o[1] or o[0], scene.campaign.stopped_seconds(self.world.kamailio, o[0] - 8, o[0]))
                  for o in self.world.kamailio.outages]
        open_now = {s[0] for s in alerts.stored if s[3] != "cleared"}
        self.unseen, self.over_before = 0, 0
        for terminal in scene.terminals:
            again = terminal.again()
            one_device = terminal.feed.split(":dev.")[1].split("@")[0] if ":dev." in terminal.feed else None
            covers = (lambda s, d=one_device: s == d) if one_device else (lambda s: True)
            unseen, excused = alerts.unseen(terminal, covers, deaths)
            state = {s[0] for s in alerts.stored if s[0] in open_now and covers(s[1])} ^ set(terminal.open)
            self.unseen += len(unseen) + len(state) + (not again)
            self.over_before += len(excused)
            if unseen or state or not again:
                self.say(f"  {terminal.name}: unseen {unseen[:3]}, differs at the end: {sorted(state)[:3]}"
                         f"{'' if again else ', no full state'}")
        self.delays, self.untold = alerts.delays(scene.terminals)
        if alerts.other:
            self.say(f"  alerts of other conditions: {alerts.other}")

    def history(self):
        """Every change of every alert once, every outcome of a NOTIFY once."""
        holes, double = self.world.sql(HOLES), self.world.sql(DOUBLE)
        self.alerts_lost += len(holes)
        self.twice += len(double)
        if holes:
            self.say(f"  alerts whose history has not every revision (id, revision, events): {holes[:3]}")
        if double:
            self.say(f"  outcomes stored twice (alert, revision, terminal, times): {double[:3]}")
        self.outcomes = int(self.world.sql("SELECT count(*) FROM bmd_delivery")[0][0])

    def print_interruption(self):
        """How long alerting was interrupted; what is wrong with it."""
        campaign, outages = self.scene.campaign, self.world.kamailio.outages
        print(f"# the server was down {len(outages)} times, for {max((up - at for at, up in outages if up), default=0):.1f} "
              "s at most until its process was started again")
        if self.delays:
            print(f"# reading sent to NOTIFY: half of {len(self.delays)} alerts within "
                  f"{self.delays[len(self.delays) // 2][0]:.3f} s")
        print(f"# never told, over before: {len(self.untold)} alert conditions"
              + (f", the longest lasted {self.untold[-1][0]:.1f} s" if self.untold else ""))
        for seconds, serial, sent in self.delays[-3:]:
            print(f"# {serial} told after {seconds:.1f} s; faults from 10 s before: " + ", ".join(
                f"{at - sent:+.1f} {kind}" for at, kind in campaign.struck if -10 < at - sent < seconds))
        worst = max(self.delays + self.untold, default=(0, "nothing was to be told"))
        print(f"longest interruption of alerting: {worst[0]:.1f} s ({worst[1]})")
        if not self.delays:
            return "no alert was told at all"
        return f"{worst[0]:.1f} s, of {worst[1]}" if worst[0] > LONGEST else ""

    def print_disk(self):
        """Full disks; what is wrong with them."""
        felt = self.scene.campaign.felt
        print(f"# disk full: {len(felt)} times, PostgreSQL found no space in {sum(map(bool, felt))} of them")
        return "PostgreSQL never noticed" if len(felt) >= 3 and not any(felt) else ""

    def print(self):
        campaign, options = self.scene.campaign, self.scene.options
        print("# faults: " + ", ".join(f"{kind} {campaign.done[kind]}" for kind in KINDS))
        print(f"# not possible at their moment, not counted: {sum(campaign.skipped.values())}")
        print(f"# sent: {self.sent} readings, {self.alerts_sent} alert conditions; sender: {self.scene.sender.counts}")
        for terminal in self.scene.terminals:
            print(f"# terminal {terminal.name}: {terminal.counts}")
        print(f"# alerts over before the server that was killed could tell of them, by terminal: {self.over_before}")
        for line in self.lines:
            print("#" + line)
        for text in self.scene.standstills:
            print("# stuck: " + text)
        print(f"# outcomes of NOTIFYs stored: {self.outcomes}")
        others = [("alerting is never interrupted for longer than 90 s", self.print_interruption()),
                  ("a full disk is full for PostgreSQL", self.print_disk())]
        print(f"seed: {options.seed}   faults: {sum(campaign.done.values())}")
        numbers = [("readings lost", self.lost), ("stored twice", self.twice), ("alerts lost", self.alerts_lost),
                   ("alerts unseen by a watcher subscribed again", self.unseen)]
        for name, number in numbers:
            print(f"{name}: {number}")
        print(f"readings that went with a killed collector, read {SPOOL_WITHIN:g} s before at most: {self.with_collector}")
        for name, number in numbers:
            print(f"{'not ok' if number else 'ok'} {options.case}: {name} is 0" + (f", not {number}" if number else ""))
        others.append(("all becomes durable without a hand", "; ".join(self.scene.standstills[:1])))
        for name, why in others:
            print(f"{'not ok' if why else 'ok'} {options.case}: {name}{': ' + why if why else ''}", flush=True)
        return not any(why for _, why in others) and not any(n for _, n in numbers)


def main():
    parser = argparse.ArgumentParser(description="a campaign of faults under load")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--modules", default=None, help="folder of another build of the modules")
    parser.add_argument("--keep", default=None, help="keeps logs and spools in this folder")
    parser.add_argument("--case", default="torture")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1 << 30)
    print(f"# seed {options.seed}: {options.faults} faults", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scene = None
    try:
        scene = Scene(options)
        scene.begin()
        scene.torment()
        scene.finish()
        return 0 if Verdict(scene).print() else 1
    except NotPossible as why:
        print(f"# {options.case}: this machine does not permit it: {why}", flush=True)
        return 77
    finally:
        if scene is not None:
            for terminal in scene.terminals:
                terminal.ended = True
            scene.world.close(options.keep)


if __name__ == "__main__":
    sys.exit(main())
