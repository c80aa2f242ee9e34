"""scenery.py - floods, and what is measured while they run; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import http.client
import os
import subprocess
import sys
import time

from scene import json_call
from sip import Agent, Dialog
from stack import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
DEVICES = 40
NAT = "127.0.0.2"      # of a phone, and of somebody who floods
STRANGER = "127.0.0.9"


def serial(number):
    return f"FLOOD-{number}"


def report(stack, name, value):
    """One reading on the connection that the collector keeps."""
    stack.line.request("POST", "/RPC", json_call("bmd.report", [f"{name} SpO2={value}"]))
    answer = stack.line.getresponse()
    body = answer.read()
    assert answer.status == 200, f"{answer.status}: {body[:100]}"


def unchanged(stack):
    """A call with the value that the first device has: one that ended its alert would leave nothing to tell below."""
    return json_call("bmd.report", [f"{serial(0)} SpO2={80 if stack.low else 97}"])


def shared_memory(stack):
    return int(next(line.split()[1] for line in stack.kamcmd("core.shmmem").splitlines() if "real_used" in line))


def by_tls(stack):
    return stack.server[0], stack.info["tls_port"]


def registers_by_tcp(stack, host="127.0.0.1", patience=5):
    try:
        agent = Agent(stack.server, "tech2", stack.watchers[1].agent.password, stack.info["domain"], host, tcp=True, patience=3)
    except OSError:
        return 0
    stack.agents.append(agent)
    try:
        return agent.transact("REGISTER", f"sip:{agent.domain}", Dialog(f"sip:tech2@{agent.domain}"), "Expires: 0\n",
                              timeout=patience).status
    except (OSError, AssertionError):
        return 0
    finally:
        agent.close()


def comes_in(attempt):
    """Seconds until it does, trying as long as a phone would before it says that there is no server."""
    begun = time.monotonic()
    wait_until(lambda: attempt() == 200, 8, "the way in")
    return time.monotonic() - begun


def brings_a_reading(stack):
    fresh = http.client.HTTPConnection(*stack.intake, timeout=2)
    try:
        fresh.request("POST", "/RPC", unchanged(stack))
        return fresh.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        fresh.close()


class Flood:
    """Floods that run while a `with` block does, each in a process of its own."""

    def __init__(self, stack, *kinds, seconds):
        self.stack, self.seconds = stack, seconds
        self.children = []
        for kind, first, count in kinds:
            kind, _, at = kind.partition(" ")
            where = stack.intake if kind == "http" else by_tls(stack) if at == "tls" else stack.server
            program = "handshakes.py" if at else "flood.py"
            self.children.append(stack.start(
                sys.executable, os.path.join(HERE, program), f"{where[0]}:{where[1]}", kind, str(seconds), first, str(count),
                stack.info["domain"], stdout=subprocess.PIPE, text=True))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        said = [(child.communicate(timeout=30)[0] or "0").split() for child in self.children]
        self.sent, self.answered = (sum(int(numbers[i]) for numbers in said if len(numbers) > i) for i in (0, 1))


def alerts_meanwhile(stack, seconds):
    """Raises and ends alerts one by one; the seconds until each watcher was told, -1: never."""
    raised, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        for number in range(DEVICES):
            raised.append((serial(number), "active" if not stack.low else "cleared", time.time()))
            report(stack, serial(number), 97 if stack.low else 80)
            time.sleep(0.01)
        stack.low = not stack.low
    told, over = [], 0
    for watcher in stack.watchers:
        def times():
            return [(d.at, a["serial"], a["state"], a["id"]) for d in watcher.documents for a in d.alerts]
        try:
            watcher.wait(lambda: all(any(at >= when and s == name and st == state for at, s, st, _ in times())
                                     for name, state, when in raised[-3:]), "the last alert", 10)
        except AssertionError as refused:
            print(f"# flood: {watcher.agent.user} by {watcher.agent.transport}: {refused}")
        seen = times()
        for name, state, when in raised:
            at_once = min([at - when for at, s, st, _ in seen if s == name and st == state and at >= when], default=-1)
            # one that ended before it was told is told as what it is: over
            known = {one for at, s, _, one in seen if s == name and at < when}
            if at_once < 0 and state == "active" and any(s == name and at >= when and one not in known for at, s, _, one in seen):
                over += 1
                continue
            told.append(at_once)
            if told[-1] < 0:
                print(f"# flood: {watcher.agent.user} by {watcher.agent.transport} was not told that {name} is {state} "
                      f"since {when - raised[0][2]:.3f} s; of it came, in s: "
                      f"{[(round(at - raised[0][2], 3), st) for at, s, st, _ in seen if s == name and at >= raised[0][2]]}")
    if over:
        print(f"# flood: {over} of {2 * len(raised)} were over before they were told")
    assert over <= len(raised) / 50, f"{over} alerts were told only by their ends"
    return told


def judged(told, sent, seconds, what):
    told = sorted(told)
    lost = sum(one < 0 for one in told)
    late = told[min(len(told) - 1, int(len(told) * 0.99))]
    print(f"# flood: {what}: {sent} requests in {seconds} s; {len(told)} NOTIFYs of alerts, p50 "
          f"{told[len(told) // 2] * 1000:.1f} ms, p99 {late * 1000:.1f} ms, slowest {told[-1] * 1000:.1f} ms, lost {lost}")
    assert not lost, f"{lost} of {len(told)} alerts were not told"
    assert late < 1, f"p99 is {late:.2f} s"
