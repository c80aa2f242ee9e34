"""Fills the journal while PostgreSQL is stopped; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import cluster
from scene import every_condition_that_comes_back_is_a_new_alert, Watcher, add_device, alerts, batch, fault, hand, history, no_device_falls_silent_meanwhile, now_us, stats, stored
from stack import BIN, TOP, RpcFault, run, wait_until

RECORDING = os.path.join(TOP, "tests/data/nonin/df2-desaturation.bin")
PACKETS = 27


def the_journal_is_full(stack):
    for serial in ("FJ-1", "FJ-2", "FILL", "HAND"):
        add_device(stack, serial, assign="tech3")
    stack.watcher = Watcher(stack, "tech3")
    hand(stack, "FJ-2 SpO2=97\nHAND SpO2=97")
    wait_until(lambda: stats(stack)["journal_bytes"] == 0, 5, "an empty journal")
    cluster(stack, "kill")
    moment = now_us(-600)
    for size in (8000, 500, 1):
        for _ in range(2000):
            lines = "\n".join(f"FILL {moment + n} SpO2=97" for n in range(size))
            moment += size
            try:
                hand(stack, lines)
            except RpcFault as busy:
                assert busy.code == 503, busy
                break
        else:
            raise AssertionError("never busy, with a journal of 1 MB")


def judged(refused):
    return int(re.search(r" judged=(\d+)", refused.message).group(1))


def send(stack, seq):
    return batch(stack, "home", 1, seq, stack.texts[seq])


def the_alert_of_the_50th_batch_reaches_the_terminal(stack):
    base = now_us(-100)
    # one is over before the 50th: it must not come again when it is stored
    value = {10: 80, 50: 70}
    stack.texts = {n: f"FJ-1 {base + n * 1_000_000} SpO2={value.get(n, 97)}" for n in range(1, 61)}
    for seq in range(1, 50):
        refused = fault(send, stack, seq)
        assert refused.code == 503 and judged(refused) == seq, f"{seq}: {refused}"
    stack.watcher.wait(lambda: not stack.watcher.about("FJ-1"), "the end of the first alert", 2)
    begun = time.monotonic()
    refused = fault(send, stack, 50)
    stack.watcher.wait(lambda: stack.watcher.about("FJ-1"), "the alert", 2)
    took = (time.monotonic() - begun) * 1000
    print(f"# full-journal: the alert of batch 50 took {took:.0f} ms to the terminal")
    assert judged(refused) == 50 and took < 500, f"{refused}, {took:.0f} ms"


def no_batch_is_judged_twice_nor_out_of_its_order(stack):
    raised = stats(stack)["alerts_raised"]
    for seq in (1, 10, 50):  # known: nothing is judged again
        refused = fault(send, stack, seq)
        assert refused.code == (503 if seq == 1 else 412) and judged(refused) == 50, f"{seq}: {refused}"
    refused = fault(send, stack, 55)
    assert refused.code == 412 and judged(refused) == 50, refused
    assert stats(stack)["alerts_raised"] == raised
    for seq in range(51, 61):  # the alert is over with 51
        assert judged(fault(send, stack, seq)) == seq
    stack.watcher.wait(lambda: not stack.watcher.about("FJ-1"), "its end", 2)


def readings_by_hand_are_judged_too(stack):
    refused = fault(hand, stack, "HAND SpO2=60")
    assert refused.code == 503 and "judged" in refused.message, refused
    stack.watcher.wait(lambda: stack.watcher.about("HAND"), "the alert", 2)


def the_alerts_of_a_real_collector_reach_the_terminal(stack):
    folder = os.path.join(stack.dir, "home")
    os.mkdir(folder)
    link = folder + "/oximeter"
    with open(folder + "/collector.toml", "w", encoding="ascii") as file:
        file.write(f'[server]\nurl = "{stack.info["http"]}"\ncollector = "real"\n[spool]\npath = "{folder}/spool.db"\n'
                   f'[[port]]\ndevice = "{link}"\ndriver = "nonin"\nserial = "FJ-2"\n')
    stack.sim = stack.start(BIN + "/bmd-sim", "--recording", "/dev/stdin", "--driver", "nonin", "--link", link,
                            "--speed", "3", "--quiet", stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    with open(RECORDING, "rb") as data:
        stack.sim.stdin.write(b"\0" * 375 + data.read() + b"\0" * 750)
    stack.sim.stdin.close()
    wait_until(lambda: os.path.islink(link), 5, "the simulated oximeter")
    log = open(folder + "/log", "wb")
    stack.collector = stack.start(BIN + "/bmd-collector", "--config", folder + "/collector.toml", stderr=log)
    stack.watcher.wait(lambda: stack.watcher.about("FJ-2", "SpO2"), "the alert of the saturation", 20)
    stack.watcher.wait(lambda: not stack.watcher.about("FJ-2"), "the end of all alerts", 20)
    assert stack.stat("database_up") == 0


def everything_is_stored_once_when_the_database_is_back(stack):
    raised = stats(stack)["alerts_raised"]
    cluster(stack, "start")
    wait_until(lambda: stats(stack)["database_up"] == 1, 10, "the database")
    for seq in range(1, 61):
        until = time.time() + 10
        while True:
            try:
                assert send(stack, seq)["accepted"] == 1
                break
            except RpcFault as busy:
                assert busy.code == 503 and time.time() < until, f"{seq}: {busy}"
                time.sleep(0.1)
    wait_until(lambda: batch(stack, "home", 1, 60, "")["durable"] == "60", 10, "durable")
    assert [row[2] for row in stored(stack, "FJ-1")] == [
        {10: "80", 50: "70"}.get(n, "97") for n in range(1, 61)]
    count = ("SELECT count(*), count(DISTINCT measured_at) FROM bmd_readings WHERE serial = 'FJ-2' "
             "AND metric = 'SpO2' AND collector = 'real'")
    wait_until(lambda: stack.sql(count) == [[str(PACKETS)] * 2], 30, "every packet of the recording, once")
    log = stack.dir + "/home/log"

    def empty():
        """It asks once a second what is durable."""
        stack.collector.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        with open(log, encoding="utf-8") as file:
            return re.findall(r"waiting_batches=(\d+)", file.read())[-1:] == ["0"]
    wait_until(empty, 10, "an empty spool")
    stack.collector.terminate()
    assert stack.collector.wait(10) == 0
    with open(log, encoding="utf-8") as file:
        text = file.read()
    assert "0 batches stay in the spool" in text, text[-600:]
    assert stats(stack)["alerts_raised"] == raised, "something was raised in hindsight"


def no_alert_was_lost_or_told_twice(stack):
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0, 5, "the history")
    assert history(stack, "FJ-1") == [["raised", "cleared"]] * 2, history(stack, "FJ-1")
    for alert in history(stack, "FJ-2"):
        assert alert == ["raised", "cleared"], history(stack, "FJ-2")
    assert alerts(stack, "FJ-1") == alerts(stack, "FJ-2") == []


run("full-journal", [no_device_falls_silent_meanwhile, every_condition_that_comes_back_is_a_new_alert,
    the_journal_is_full, the_alert_of_the_50th_batch_reaches_the_terminal,
    no_batch_is_judged_twice_nor_out_of_its_order, readings_by_hand_are_judged_too,
    the_alerts_of_a_real_collector_reach_the_terminal, everything_is_stored_once_when_the_database_is_back,
    no_alert_was_lost_or_told_twice], "--set", "JOURNAL_MB=1", errors_expected=True)
