"""watchers.py - technicians' terminals that lose their server and subscribe again.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import threading
import time

import sip

REFRESH = 20  # seconds


class Terminal(threading.Thread):
    """One subscription.  Refreshes in time and when a version is missing; subscribes anew when the
    server does not know the dialog or does not answer."""

    def __init__(self, world, user, feed):
        super().__init__(daemon=True)
        known = {t["username"]: t["password"] for t in world.info["technicians"]}
        self.agent = sip.Agent(world.server, user, known[user], world.info["domain"], host=world.address)
        world.agents.append(self.agent)
        self.name, self.feed = f"{user} on {feed}", f"sip:{feed}@{world.info['domain']}"
        self.dialog, self.refresh_at = None, 0.0
        self.cseq, self.version, self.missing = 0, None, 0
        self.open, self.seen, self.notices, self.fulls = {}, {}, {}, []
        self.counts = dict(subscribed=0, refreshed=0, failed=0, notified=0, gaps=0)
        self.ended = False
        self.lock = threading.Lock()  # of everything, between the thread and the verdict

    def run(self):
        while not self.ended:
            with self.lock:
                self.step()
            time.sleep(0.001)  # or the verdict may wait for the lock for ever

    def step(self):
        if self.dialog is None or time.time() > self.refresh_at:
            self.subscribe()
        self.agent.pump(0.1)
        self.take_all()

    def subscribe(self):
        first = self.dialog is None
        dialog = self.dialog or sip.Dialog(self.feed)
        if first:
            self.dialog, self.cseq, self.version = dialog, 0, None
        status = 0
        try:
            status = self.agent.subscribe(dialog=dialog)[1].status
        except (AssertionError, OSError):
            pass
        self.take_all()
        if self.dialog is None:  # ended by a NOTIFY meanwhile
            return
        if status == 200:
            self.counts["subscribed" if first else "refreshed"] += 1
            self.refresh_at = time.time() + REFRESH
            return
        self.counts["failed"] += 1
        self.refresh_at = time.time() + 0.5
        if first or status not in (0, 401, 500, 503):
            self.dialog = None
            time.sleep(0.3)

    def again(self):
        """Drops the dialog and subscribes anew, until it has the whole state; for the end."""
        until = time.time() + 30
        with self.lock:
            self.dialog, count = None, len(self.fulls)
            while time.time() < until:
                self.step()
                if len(self.fulls) > count and self.missing == 0:
                    return True
        return False

    def take_all(self):
        received, self.agent.received[:] = list(self.agent.received), []
        for message in received:
            if message.is_request and message.method == "NOTIFY":
                self.take(message)
        self.agent._seen.clear() if len(self.agent._seen) > 20000 else None

    def take(self, message):
        self.counts["notified"] += 1
        body = message.document() if message.body else None
        for alert in body.alerts if body else ():
            self.note(alert, message.at)
        if self.dialog is None or message.get("call-id") != self.dialog.call_id or message.cseq <= self.cseq:
            return
        self.cseq = message.cseq
        if body is not None:
            self.apply(body, message.at)
        if message.get("subscription-state").startswith("terminated"):
            self.dialog = None

    def note(self, alert, at):
        self.seen.setdefault(alert["id"], at)
        if alert["state"] == "active" and "Value" in alert:
            self.notices.setdefault((alert["serial"], int(float(alert["Value"]))), []).append(at)

    def apply(self, document, at):
        if document.state == "full":
            self.open = {}
            self.fulls.append((at, {a["id"] for a in document.alerts}))
        elif self.version is None or document.version != self.version + 1:
            self.counts["gaps"] += 1
            self.refresh_at = 0
        self.version, self.missing = document.version, document.more
        for alert in document.alerts:
            if alert["state"] == "cleared":
                self.open.pop(alert["id"], None)
            else:
                self.open[alert["id"]] = alert
