"""Terminals that never answer, while much changes; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import http.client
import os
import re
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, every_condition_that_comes_back_is_a_new_alert, json_call, provisioned, stats
from stack import run, wait_until

DEVICES = 20
MOST = 64           # subscriptions_per_person
SECONDS = 12
MIB = 1 << 20


def serial(number):
    return f"SILENT-{number}"


class Changes:
    """Raises and ends alerts, some 90 a second, as one collector; `values` is what each device has at last."""

    def __init__(self, stack):
        self.line = http.client.HTTPConnection(urllib.parse.urlsplit(stack.info["http"]).netloc, timeout=10)
        self.values = {}

    def make(self, seconds):
        until, number = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            name = serial(number % DEVICES)
            self.values[name] = 97 if self.values.get(name) == 80 else 80
            self.line.request("POST", "/RPC", json_call("bmd.report", [f"{name} SpO2={self.values[name]}"]))
            assert self.line.getresponse().read(), "no answer"
            number += 1
            time.sleep(0.01)


def notifiers_memory(stack):
    """Private memory of each notifier that is in use, in bytes."""
    entries = re.findall(r"\{[^}]*\}", stack.kamcmd("pkg.stats"))
    return [int(re.search(r"real_used: (\d+)", entry).group(1)) for entry in entries if "notifier" in entry]


def a_person_has_so_many_subscriptions_and_no_more(stack):
    for number in range(DEVICES):
        stack.sql(f"INSERT INTO bmd_device (serial, type_name) VALUES ('{serial(number)}', 'Nonin oximeter');"
                  f"INSERT INTO bmd_assignment (username, serial) SELECT u, '{serial(number)}' FROM unnest(ARRAY['tech1', 'tech2']) u")
    provisioned(stack)
    stack.watcher = Watcher(stack, "tech1")
    stack.silent = stack.agent("tech2")
    stack.dialogs = []
    for _ in range(MOST):
        dialog, reply = stack.silent.subscribe()
        assert reply.status == 200, reply.first
        stack.dialogs.append(dialog)
    _, reply = stack.silent.subscribe()
    assert reply.status == 403 and "Too Many Subscriptions" in reply.first, reply.first
    assert stats(stack)["subscriptions_refused"] == 1
    _, reply = stack.silent.subscribe(dialog=stack.dialogs[0])
    assert reply.status == 200, "a refresh is none more: " + reply.first


def they_say_nothing_and_everybody_else_is_told_at_once(stack):
    stack.silent.notify_status = 0
    stack.before, stack.private = stats(stack)["shared_left"], notifiers_memory(stack)
    changes = Changes(stack)
    least = [stack.before]
    ended = threading.Event()

    def look():
        while not ended.wait(0.5):
            least.append(stats(stack)["shared_left"])
    looks = threading.Thread(target=look, daemon=True)
    looks.start()
    begun = time.time()
    stack.last = changes.values
    changes.make(SECONDS)
    stack.watcher.wait(lambda: len(stack.watcher.open) == sum(value == 80 for value in changes.values.values()), "all of it", 5)
    ended.set()
    looks.join()
    taken = (stack.before - min(least)) / MIB
    told = [d.at for d in stack.watcher.documents if d.at >= begun]
    print(f"# silent-terminals: {MOST} of them took {taken:.0f} MiB at most in {SECONDS} s; spared {stats(stack)['notify_spared']} NOTIFYs; "
          f"the other was told {len(told)} times, with {max(b - a for a, b in zip(told, told[1:])):.2f} s between them at most")
    assert stats(stack)["notify_spared"] > 1000
    assert taken < 160, taken


def nothing_of_it_stays_behind(stack):
    wait_until(lambda: "waiting: 0" in stack.kamcmd("tm.stats"), 30, "the end of all transactions")
    wait_until(lambda: stats(stack)["shared_left"] > stack.before - 8 * MIB, 10, "the memory")
    grown = [now - before for now, before in zip(notifiers_memory(stack), stack.private)]
    assert grown and max(grown) < 100_000, f"private memory of the notifiers: {grown}"


def when_they_answer_again_they_see_what_there_is(stack):
    stack.silent.notify_status = 200
    wanted = sum(value == 80 for value in stack.last.values())

    def right(dialog):
        state = [m.document() for m in stack.silent.received if m.is_request and m.get("call-id") == dialog.call_id and m.body]
        full = [d for d in state if d.state == "full"]
        return bool(full) and len(full[-1].alerts) == wanted
    stack.silent.received.clear()

    def all_right():
        stack.silent.pump(0.2)
        return all(right(dialog) for dialog in stack.dialogs)
    wait_until(all_right, 100, "full state in every dialog")


run("silent-terminals", [
    every_condition_that_comes_back_is_a_new_alert, a_person_has_so_many_subscriptions_and_no_more,
    they_say_nothing_and_everybody_else_is_told_at_once, nothing_of_it_stays_behind,
    when_they_answer_again_they_see_what_there_is], "--set", "NOTIFIERS=2", errors_expected=True)
