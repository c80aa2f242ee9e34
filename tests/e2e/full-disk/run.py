"""A database whose disk is full; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import Watcher, add_device, alerts, batch, every_condition_that_comes_back_is_a_new_alert, hand, history, no_device_falls_silent_meanwhile, now_us, stats
from stack import RpcFault, Stack, run, wait_until

DISK_MB = 1000
AT_ONCE = 0.5  # s
LINES = 4000   # readings of a batch


class SmallDisk(Stack):
    """Its database is on a tmpfs of its own."""

    mounted = ""

    def _stack(self, verb, *arguments):
        if verb == "up" and not self.mounted:
            place = self.dir + "/stack/pg"
            os.makedirs(place)
            os.chmod(self.dir + "/stack", 0o711)
            self.size(DISK_MB << 20, place, "bmd-full-disk")
            self.mounted = place
        done = super()._stack(verb, *arguments)
        if verb == "down" and self.mounted:
            subprocess.run(["umount", "-l", self.mounted], check=True)
        return done

    @staticmethod
    def size(number, place, new=None):
        command = ["mount", "-t", "tmpfs", "-o", f"size={number},mode=700", new, place] if new else [
            "mount", "-o", f"remount,size={number}", place]
        subprocess.run(command, check=True, capture_output=True)

    def fill(self):
        """As small as what is on it, to the page.  With a log segment of its own: for want of the next one
        PostgreSQL ends, which is another case."""
        subprocess.run(["psql", "-XAtq", self.info["db"].replace("user=bmd", "user=postgres"), "-c",
                        "SELECT pg_switch_wal()", "-c", "CHECKPOINT"], check=True, capture_output=True)
        for left in range(20, -1, -1):  # PostgreSQL may write between the look and the change
            state = os.statvfs(self.mounted)
            try:
                return self.size((state.f_blocks - state.f_bfree) * state.f_frsize, self.mounted)
            except subprocess.CalledProcessError:
                if left == 0:
                    raise

    def refused(self):
        """How often PostgreSQL said that there is no space."""
        with open(self.info["dir"] + "/postgresql.log", encoding="utf-8", errors="replace") as file:
            return file.read().count("No space left on device")


def not_permitted():
    """Why this machine cannot have the tmpfs, or ""."""
    done = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True,
                          text=True, check=False)
    return "" if done.returncode == 0 and os.geteuid() == 0 else done.stderr.strip() or "not root"


def send(stack, seq):
    lines = (f"FD-1 {stack.base + seq * 1_000_000 + n} SpO2={95 + n % 3}" for n in range(LINES))
    return batch(stack, "home", 1, seq, "\n".join(lines))


def what_is_sent_before_is_durable(stack):
    for serial in ("FD-1", "FD-2"):
        add_device(stack, serial, assign="tech3")
    stack.base, stack.watcher = now_us(-3600), Watcher(stack, "tech3")
    send(stack, 1)
    wait_until(lambda: batch(stack, "home", 1, 1, "")["durable"] == "1", 5, "durable")


def postgresql_finds_no_space(stack):
    stack.fill()
    stack.taken = 1
    until = time.time() + 10
    while not stack.refused():
        assert time.time() < until, "PostgreSQL never said that its disk is full"
        assert send(stack, stack.taken + 1)["accepted"] == LINES
        stack.taken += 1
        time.sleep(0.1)
    wait_until(lambda: stats(stack)["writer_failures"] > 0, 5, "a transaction that failed")


def alerts_reach_their_terminals_at_once(stack):
    for value, there in ((70, True), (97, False), (71, True)):
        begun = time.monotonic()
        hand(stack, f"FD-2 SpO2={value}")
        stack.watcher.wait(lambda: bool(stack.watcher.about("FD-2")) == there, "the change")
        assert time.monotonic() - begun < AT_ONCE, f"{time.monotonic() - begun:.2f} s"


def readings_are_kept_until_the_journal_is_full_and_then_refused(stack):
    durable = int(batch(stack, "home", 1, stack.taken, "")["durable"])
    assert durable < stack.taken, "all is durable on a full disk"
    while True:
        try:
            send(stack, stack.taken + 1)
            stack.taken += 1
        except RpcFault as busy:
            assert busy.code == 503, busy
            break
        assert stack.taken < 100, "never busy"
    begun = time.monotonic()
    try:
        hand(stack, "FD-2 SpO2=97")
    except RpcFault as busy:  # judged, and not stored
        assert busy.code == 503, busy
    stack.watcher.wait(lambda: not stack.watcher.about("FD-2"), "the end of the alert")
    assert time.monotonic() - begun < AT_ONCE, f"{time.monotonic() - begun:.2f} s"
    stored = int(stack.sql("SELECT count(*) FROM bmd_reading WHERE epoch = 1")[0][0])
    assert stored == durable * LINES, f"{stored} readings are stored, {durable} batches are durable"


def everything_is_stored_once_when_there_is_room(stack):
    stack.size(DISK_MB << 20, stack.mounted)
    wait_until(lambda: batch(stack, "home", 1, stack.taken, "")["durable"] == str(stack.taken), 30, "all to be durable")
    count = stack.sql("SELECT count(*), count(DISTINCT measured_at) FROM bmd_reading WHERE epoch = 1")
    assert count == [[str(stack.taken * LINES)] * 2], f"{count}, sent {stack.taken * LINES}"
    wait_until(lambda: stats(stack)["journal_alert_events"] == stats(stack)["alerts_unwritten"] == 0, 10, "the history")
    assert history(stack, "FD-2") == [["raised", "cleared"]] * 2, history(stack, "FD-2")
    assert alerts(stack) == [] and stats(stack)["database_up"] == 1


why = not_permitted()
if why:
    print(f"# full-disk: a tmpfs cannot be mounted here: {why}")
    print("ok full-disk: # SKIP: this machine does not permit it, see the line above")
    sys.exit(0)
run("full-disk", [no_device_falls_silent_meanwhile, every_condition_that_comes_back_is_a_new_alert, what_is_sent_before_is_durable,
                  postgresql_finds_no_space, alerts_reach_their_terminals_at_once,
                  readings_are_kept_until_the_journal_is_full_and_then_refused,
                  everything_is_stored_once_when_there_is_room],
    "--set", "JOURNAL_MB=1", errors_expected=True, kind=SmallDisk)
