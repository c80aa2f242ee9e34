"""Many devices fall silent of one cause; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from answering import Answerer, action, control, old_enough
from scene import Watcher, alerts, hand, kill_and_restart, now_us, records, setting, stats
from stack import RpcFault, run, wait_until

CASE = "storm"
DEVICES, TECHNICIANS, STALE = 5000, 40, 4.0
COLLECTORS = ("home-a", "home-b", "home-c")
PASSWORD = "correct horse battery"
watchers = {}  # by user name
feeders = {}   # by collector


def note(text):
    print(f"# {CASE}: {text}", flush=True)


def serial(number):
    return f"ST-{number:04d}"


def numbers_of(collector):
    return range(COLLECTORS.index(collector), DEVICES, len(COLLECTORS))


def technician_of(number):
    return f"tech{number // len(COLLECTORS) % TECHNICIANS:02d}"


class Feeder(threading.Thread):
    """A collector: reports its devices once a second but those in `silent`; those in `low` with a value that is
    wrong."""

    def __init__(self, stack, collector):
        super().__init__(daemon=True)
        self.stack, self.collector = stack, collector
        self.silent, self.low, self.rounds, self.stopped = set(), set(), 0, False
        self.heard = (0.0, 0.0)  # when the last round that told of devices began, and when it was taken
        self.epoch, self.seq = now_us(), 0
        self.start()

    def run(self):
        while not self.stopped:
            begun = time.monotonic()
            try:
                self.report()
            except (RpcFault, OSError):  # the server is being killed, or has just come back
                self.epoch, self.seq = now_us(), 0
            time.sleep(max(0.05, 1 - (time.monotonic() - begun)))

    def report(self):
        silent = set(self.silent)
        lines = [f"{serial(n)} SpO2={50 if n in self.low else 97}" for n in self.numbers() if n not in silent]
        quarter, begun = len(lines) // 4 + 1, time.time()
        for first in range(0, len(lines), quarter):  # as a ward does it: not all in one moment
            self.seq += 1
            self.stack.rpc("bmd.report", self.collector, str(self.epoch), str(self.seq),
                           "\n".join(lines[first:first + quarter]))
            self.heard = (begun, time.time())
            time.sleep(0.2)
        self.rounds += 1

    def settle(self):
        """What is in `silent` by now holds when this returns."""
        rounds = self.rounds
        wait_until(lambda: self.rounds >= rounds + 2, 15, f"two reports of {self.collector}")

    def cut(self, numbers=None):
        """Silence of all, or of these, from now on; by when the last report of theirs has come."""
        self.silent |= set(self.numbers() if numbers is None else numbers)
        return time.time() + 1

    def numbers(self):
        return numbers_of(self.collector)


def all_devices_are_heard_and_all_technicians_watch(stack):
    domain = stack.info["domain"]
    stack.sql(f"INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('Storm oximeter', '{STALE} s');"
              "INSERT INTO bmd_type_limit (type_name, metric, low, priority) VALUES "
              "('Storm oximeter', 'SpO2', 90, 'high')")
    stack.sql("INSERT INTO bmd_technician (username) SELECT 'tech' || to_char(n, 'FM00') "
              f"FROM generate_series(0, {TECHNICIANS - 1}) n;"
              f"SELECT bmd_set_password('tech' || to_char(n, 'FM00'), '{domain}', '{PASSWORD}') "
              f"FROM generate_series(0, {TECHNICIANS - 1}) n")
    stack.sql("INSERT INTO bmd_device (serial, type_name, location) SELECT 'ST-' || to_char(n, 'FM0000'), "
              f"'Storm oximeter', 'ward ' || n % 7 FROM generate_series(0, {DEVICES - 1}) n;"
              "INSERT INTO bmd_assignment (username, serial) SELECT 'tech' || to_char(n / 3 % "
              f"{TECHNICIANS}, 'FM00'), 'ST-' || to_char(n, 'FM0000') FROM generate_series(0, {DEVICES - 1}) n")
    stack.sql(f"INSERT INTO bmd_technician (username) VALUES ('duty'); SELECT bmd_set_password('duty', '{domain}', "
              f"'{PASSWORD}'); INSERT INTO bmd_team (team_name) VALUES ('standby');"
              "INSERT INTO bmd_team_member (team_name, username) VALUES ('standby', 'duty');"
              "INSERT INTO bmd_roster (team_name) VALUES ('standby');"
              "INSERT INTO bmd_roster_layer (team_name, position, layer_name, starts_on, shift) "
              "VALUES ('standby', 1, 'always', '2020-01-01', '1 day');"
              "INSERT INTO bmd_roster_member SELECT layer_id, 1, 'duty' FROM bmd_roster_layer;"
              f"INSERT INTO bmd_assignment (team_name, serial) VALUES ('standby', '{serial(1)}')")
    setting(stack, "storm_window_seconds", 3)
    wait_until(lambda: stack.stat("members") >= DEVICES, 60, "the memberships")
    for collector in COLLECTORS:
        feeders[collector] = Feeder(stack, collector)
        feeders[collector].settle()
    for n in range(TECHNICIANS):
        user = f"tech{n:02d}"
        watchers[user] = Watcher(stack, user, password=PASSWORD)
    assert all(not w.open for w in watchers.values()), "alerts before anything happened"


def pump():
    for watcher in watchers.values():
        watcher.pump()


def storms(watcher):
    return [a for a in watcher.open.values() if a["Event"] == "storm"]


def alone(watcher):
    """Devices that are told by themselves."""
    return [a for a in watcher.open.values() if a["Event"] == "stale" and a.get("suppressed") != "storm"]


def everybody(wanted, what, timeout=10):
    def all_do():
        pump()
        return all(wanted(user, watcher) for user, watcher in watchers.items())
    try:
        wait_until(all_do, timeout, what)
    except AssertionError:
        late = [u for u, w in watchers.items() if not wanted(u, w)]
        raise AssertionError(f"{what}: not within {timeout} s for {len(late)}, {late[0]} shows "
                             f"{list(watchers[late[0]].open.values())[:3]}") from None


def counts(collector, silent):
    """How many of the silent devices each technician has."""
    of = {user: 0 for user in watchers}
    for n in silent:
        of[technician_of(n)] += 1
    return of


def below_the_threshold_each_device_is_told_by_itself(stack):
    few = list(numbers_of("home-a"))[:9]
    feeders["home-a"].cut(few)
    of = counts("home-a", few)
    everybody(lambda u, w: len(alone(w)) == of[u], "nine stale alerts", STALE + 6)
    assert not any(storms(w) for w in watchers.values()), "a storm of nine devices"
    feeders["home-a"].silent.clear()
    everybody(lambda u, w: not w.open, "their ends", 10)


class HighAlerts(threading.Thread):
    """High alerts of devices that are heard, one every 50 ms; `at` is when each was reported."""

    def __init__(self, stack, seconds):
        super().__init__(daemon=True)
        self.stack, self.at = stack, {}
        self.until = time.monotonic() + seconds
        self.numbers = list(numbers_of("home-c"))[:400:3]
        self.start()

    def run(self):
        for n in self.numbers:
            if time.monotonic() > self.until:
                return
            feeders["home-c"].low.add(n)
            self.at[n] = time.time()
            hand(self.stack, f"{serial(n)} SpO2=50")
            time.sleep(0.05)


def first_told(watcher, device, event="low"):
    """When the first document came that tells of it."""
    for document in watcher.documents:
        for alert in document.alerts:
            if alert["serial"] == device and alert["Event"] == event:
                return document.at
    return None


def one_collector_cut_off_is_one_alert_for_each_technician(stack):
    before = {user: len(w.documents) for user, w in watchers.items()}
    feeder = feeders["home-b"]
    silent = list(feeder.numbers())
    of = counts("home-b", silent)
    stale = feeder.cut() + STALE
    time.sleep(max(0.0, stale - time.time() - 1.5))
    high = HighAlerts(stack, 4)
    everybody(lambda u, w: [a["devices"] for a in storms(w)] == [str(of[u])], "the storm with all its devices", 15)
    high.join()
    complete = max(w.documents[-1].at for w in watchers.values())
    first = [min(d.at for d in w.documents[before[u]:] for a in d.alerts if a["Event"] == "storm")
             for u, w in watchers.items()]
    note(f"{len(silent)} devices stale: the storm was first told {min(first) - stale + 1:.2f} to "
         f"{max(first) - stale + 1:.2f} s after the earliest possible stale time, complete {complete - stale:+.2f} s "
         "from the latest possible one")
    assert max(first) - stale < 5 and complete - stale < 5
    everybody(lambda u, w: all(first_told(w, serial(n)) for n in high.at if technician_of(n) == u), "high alerts")
    took = sorted(first_told(watchers[technician_of(n)], serial(n)) - at for n, at in high.at.items())
    note(f"{len(took)} high alerts in the middle, report to NOTIFY: median {1000 * took[len(took) // 2]:.1f} ms, "
         f"longest {1000 * took[-1]:.1f} ms")
    assert took[-1] < 1, took[-1]
    told = {user: len(w.documents) - before[user] for user, w in watchers.items()}
    mine = {user: sum(1 for n in high.at if technician_of(n) == user) for user in watchers}
    most = max(told[user] - mine[user] for user in watchers)
    note(f"at most {most} NOTIFYs for a technician with up to {max(of.values())} silent devices")
    assert most <= 6, told
    assert not any(alone(w) for w in watchers.values()), "devices told beside the storm"
    feeders["home-c"].low.clear()
    everybody(lambda u, w: len(w.open) == 1, "only the storm is left", 10)


def each_sees_his_own_devices_and_what_comes_later_too(stack):
    watcher = watchers["tech07"]
    storm = storms(watcher)[0]
    mine = {serial(n) for n in numbers_of("home-b") if technician_of(n) == "tech07"}
    named = {d["serial"] for d in storm["some"]}
    assert storm["cause"] == "collector home-b" and storm["serial"] == "@home-b", storm
    assert len(named) == 20 and named <= mine, "devices of somebody else"
    assert storm["Value"] == storm["devices"] == str(len(mine)), storm
    late = Watcher(stack, "tech07", password=PASSWORD)
    assert [a["id"] for a in late.open.values()] == [storm["id"]], "a new terminal sees the storm alone"
    one = sorted(mine)[0]
    device = Watcher(stack, "tech07", "dev." + one, password=PASSWORD)
    assert [a["suppressed"] for a in device.about(one)] == ["storm"], "the device's feed shows its own alert"
    shown = records(stack.kamcmd("bmd.alert", storm["code"]))[0]
    total = len(numbers_of("home-b"))
    assert shown["condition"] == "storm" and int(shown["more_devices"]) == total - 20, shown
    assert len(shown["devices"].split(", ")) == 20
    assert len(alerts(stack)) == 1, "bmd.alerts lists what the storm tells of"
    assert stats(stack)["storm_devices"] == total and stats(stack)["alerts_open"] == total + 1


def rejected_it_goes_to_who_is_on_call_who_sees_all_of_it(stack):
    duty = Watcher(stack, "duty", password=PASSWORD)
    assert [a["devices"] for a in storms(duty)] == ["1"], duty.open
    Answerer(stack, "tech03", PASSWORD).text(f"no {storms(duty)[0]['code']}")
    total = str(len(numbers_of("home-b")))
    duty.wait(lambda: [(a["response"], a["devices"]) for a in storms(duty)] == [("escalated", total)], "all of it")
    of = counts("home-b", numbers_of("home-b"))
    everybody(lambda u, w: [(a["response"], a["devices"]) for a in storms(w)] == [("escalated", str(of[u]))],
              "the escalation")


def accepting_it_is_seen_by_all_and_nobody_else_is_called(stack):
    storm = storms(watchers["tech07"])[0]
    person = Answerer(stack, "tech07", PASSWORD)
    old_enough(alerts(stack)[0])
    answer = person.text("ok")  # there is nothing else it can mean
    total = len(numbers_of("home-b"))
    assert f"accepted by you: HIGH {total} devices silent, collector home-b" in answer, answer
    again = person.results(action(control("@home-b", "accept", storm["code"])))
    assert [result.code for result in again] == [200], again
    everybody(lambda u, w: [(a["response"], a.get("by")) for a in storms(w)] == [("accepted", "tech07")], "the answer")
    wait_until(lambda: stack.stat("journal_alert_events") == 0, 20, "an empty journal")
    members = stack.sql(f"SELECT count(*) FROM bmd_alert WHERE part_of = '{storm['id']}'")
    assert members == [[str(total)]], members
    called = stack.sql("SELECT count(*) FROM bmd_escalation JOIN bmd_alert USING (alert_id) "
                       f"WHERE part_of = '{storm['id']}'")
    assert int(called[0][0]) < 10, f"{called} members were escalated"


def after_kill_9_it_is_the_same_storm(stack):
    storm = storms(watchers["tech07"])[0]
    stored = stack.sql("SELECT count(*) FROM bmd_alert")
    time.sleep(1.5)  # presence writes subscriptions once a second
    kill_and_restart(stack, *watchers.values())
    marks = {user: len(w.documents) for user, w in watchers.items()}
    of = counts("home-b", numbers_of("home-b"))
    everybody(lambda u, w: len(w.documents) > marks[u] and [(a["id"], a["devices"], a["by"]) for a in w.open.values()]
              == [(storm["id"], str(of[u]), "tech07")], "the same storm", 15)
    for feeder in feeders.values():
        feeder.settle()
    until = time.time() + STALE + 2
    while time.time() < until:
        pump()
        time.sleep(0.05)
    assert all(len(w.open) == 1 for w in watchers.values()), "more than the storm"
    assert stack.sql("SELECT count(*) FROM bmd_alert") == stored, "new alerts"


def who_comes_back_leaves_it_and_the_last_are_told_by_themselves(stack):
    feeder = feeders["home-b"]
    before = {user: len(w.documents) for user, w in watchers.items()}
    back = list(feeder.numbers())
    last = back[-2:]
    begun = time.time()
    for piece in range(4):
        feeder.silent -= set(back[piece * len(back) // 4:(piece + 1) * len(back) // 4]) - set(last)
        feeder.settle()
        pump()
    of = counts("home-b", last)
    everybody(lambda u, w: not storms(w) and len(alone(w)) == of[u], "the end of the storm", 10)
    took = time.time() - begun
    most = max(len(w.documents) - before[u] for u, w in watchers.items())
    note(f"{len(back)} devices came back within {took:.1f} s: at most {most} NOTIFYs for a technician")
    assert most <= took + 4
    feeder.silent.clear()
    everybody(lambda u, w: not w.open, "the ends of the last two", 10)
    wait_until(lambda: stack.stat("journal_alert_events") == 0, 20, "an empty journal")
    open_rows = stack.sql("SELECT count(*) FROM bmd_alert WHERE state <> 'cleared'")
    assert open_rows == [["0"]], open_rows


def many_of_several_collectors_are_a_storm_of_the_site(stack):
    silent = [n for c, many in zip(COLLECTORS, (9, 8, 8)) for n in list(numbers_of(c))[40:40 + many]]
    for collector in COLLECTORS:
        feeders[collector].cut(set(silent) & set(numbers_of(collector)))
    of = counts("", silent)
    everybody(lambda u, w: [(a["cause"], a["devices"]) for a in storms(w)] == ([("site", str(of[u]))] if of[u] else []),
              "the storm of the site", STALE + 10)
    other = list(numbers_of("home-a"))[200]  # heard when the others are silent
    time.sleep(4)
    feeders["home-a"].cut([other])
    everybody(lambda u, w: [a["serial"] for a in alone(w)] == ([serial(other)] if technician_of(other) == u else []),
              "a device alone", STALE + 6)
    for feeder in feeders.values():
        feeder.silent.clear()
    everybody(lambda u, w: not w.open, "all ends", 10)


def all_collectors_cut_off_are_told_to_everybody_within_5_seconds(stack):
    """5,000 devices of a server that runs: of each collector, of which there are no more than 4, one alert."""
    before = {user: len(w.documents) for user, w in watchers.items()}
    of = {c: counts(c, numbers_of(c)) for c in COLLECTORS}
    for feeder in feeders.values():
        feeder.cut()
    everybody(lambda u, w: sorted((a["cause"], a["devices"]) for a in storms(w))
              == [(f"collector {c}", str(of[c][u])) for c in COLLECTORS], "three storms with all their devices", 20)
    assert sum(int(a["devices"]) for w in watchers.values() for a in storms(w)) == DEVICES
    heard = [feeder.heard for feeder in feeders.values()]
    earliest, latest = min(h[0] for h in heard) + STALE, max(h[1] for h in heard) + STALE
    news = [w.documents[before[u]:] for u, w in watchers.items()]
    first = max(min(d.at for d in documents for a in d.alerts if a["Event"] == "storm") for documents in news)
    complete = max(documents[-1].at for documents in news)
    note(f"{DEVICES} devices stale from {earliest - latest:.2f} s on: the last technician was told of a storm at "
         f"{first - latest:+.2f} s, of all devices at {complete - latest:+.2f} s, of the last one's stale time")
    assert first - earliest < 5, f"told {first - earliest:.1f} s after the first stale time"
    assert complete - latest < 5, f"complete {complete - latest:.1f} s after the last stale time"
    for documents in news:
        told = {a["serial"] for d in documents for a in d.alerts}
        assert told == {f"@{c}" for c in COLLECTORS}, f"devices told by themselves: {told}"
    most = max(len(documents) for documents in news)
    note(f"at most {most} NOTIFYs for a technician")
    assert most <= 18, most
    for feeder in feeders.values():
        feeder.silent.clear()
    everybody(lambda u, w: not w.open, "all ends", 20)


def a_server_that_starts_without_its_network_has_one_storm(stack):
    for feeder in feeders.values():
        feeder.cut()
    kill_and_restart(stack, *watchers.values())
    of = counts("", range(DEVICES))
    everybody(lambda u, w: [(a["cause"], a["devices"]) for a in storms(w)] == [("site", str(of[u]))] and not alone(w),
              "the storm of the site", 30)
    for feeder in feeders.values():
        feeder.silent.clear()
    everybody(lambda u, w: not w.open, "all ends", 20)
    for feeder in feeders.values():
        feeder.stopped = True


run(CASE, [all_devices_are_heard_and_all_technicians_watch, below_the_threshold_each_device_is_told_by_itself,
           one_collector_cut_off_is_one_alert_for_each_technician, each_sees_his_own_devices_and_what_comes_later_too,
           rejected_it_goes_to_who_is_on_call_who_sees_all_of_it,
           accepting_it_is_seen_by_all_and_nobody_else_is_called, after_kill_9_it_is_the_same_storm,
           who_comes_back_leaves_it_and_the_last_are_told_by_themselves,
           many_of_several_collectors_are_a_storm_of_the_site,
           all_collectors_cut_off_are_told_to_everybody_within_5_seconds,
           a_server_that_starts_without_its_network_has_one_storm],
    "--set", f"DEVICES={DEVICES + 1000}", "--set", f"ALERTS={DEVICES + 1000}", "--memory", "700", errors_expected=True)
