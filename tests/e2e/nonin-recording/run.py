"""Plays the Nonin streams; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from stack import BIN, TOP, run, wait_until

DATA = os.path.join(TOP, "tests", "data", "nonin")
# (packets, pulse rate, SpO2); None: sensor disconnected
STREAM = [(3, 72, 97), (3, 74, 93), (6, 131, 86), (6, 133, 84), (3, None, None), (6, 80, 96)]


def play(stack, name, recording):
    link = f"{stack.dir}/{name}"
    stack.start(f"{BIN}/bmd-sim", "--recording", recording, "--driver", "nonin", "--wait", "--link", link,
                stdout=open(os.devnull, "w"))
    wait_until(lambda: os.path.exists(link), 5, "pseudo-terminal")
    with open(f"{stack.dir}/{name}.toml", "w") as file:
        file.write(f'[server]\nurl = "{stack.info["http"]}"\ncollector = "{name}"\n'
                   f'[spool]\npath = "{stack.dir}/{name}.db"\n[[port]]\ndevice = "{link}"\n'
                   f'driver = "nonin"\nserial = "OX-1001"\n')
    log = open(f"{stack.dir}/{name}.log", "w")
    return stack.start(f"{BIN}/bmd-collector", "--config", f"{stack.dir}/{name}.toml", stdout=log,
                       stderr=log)


def readings(stack, metric):
    return [None if kind == "invalid" else float(value) for kind, value in stack.sql(
        f"SELECT kind, value FROM bmd_readings WHERE serial = 'OX-1001' AND metric = '{metric}' "
        "ORDER BY measured_at")]


def the_stream_gives_the_readings_it_was_made_of(stack):
    stack.watcher = stack.agent("tech2")
    stack.dialog, _ = stack.watcher.subscribe()
    stack.watcher.notify(stack.dialog)
    stack.collector = play(stack, "stream", os.path.join(DATA, "df2-desaturation.bin"))
    pulse = [p for n, p, _ in STREAM for _ in range(n)]
    spo2 = [s for n, _, s in STREAM for _ in range(n)]
    wait_until(lambda: len(readings(stack, "SpO2")) >= len(spo2), 20, "27 packets")
    assert readings(stack, "PulseRate") == pulse, readings(stack, "PulseRate")
    assert readings(stack, "SpO2") == spo2, readings(stack, "SpO2")


def changes(stack, seconds=1):
    """(metric, event, kind, state) of every alert told so far."""
    until = time.time() + seconds
    while time.time() < until:
        stack.watcher.pump(0.1)
    told = []
    for message in stack.watcher.received:
        for a in message.document().alerts:
            told.append((a["Variable"], a["Event"], a["kind"], a["state"]))
    return told


def limits_crossed_give_one_alert_each_and_end(stack):
    told = changes(stack)
    for metric, event in (("SpO2", "low"), ("PulseRate", "high")):
        mine = [t for t in told if t[0] == metric and t[1] == event]
        # a disconnected probe must not end the alert: it ends with the first good value
        assert mine == [(metric, event, "physiological", "active"),
                        (metric, event, "physiological", "cleared")], mine


def a_disconnected_sensor_is_a_technical_alert_and_nothing_else(stack):
    told = changes(stack, 0.1)
    mine = [t for t in told if t[0] == "SensorDisconnected"]
    assert mine == [("SensorDisconnected", "device", "technical", "active"),
                    ("SensorDisconnected", "device", "technical", "cleared")], mine
    assert not [t for t in told if t[1] == "invalid"], "an invalid value beside the explained cause"
    low = stack.sql("SELECT count(*) FROM bmd_alert WHERE value IN (0, 127, 511)")
    assert low == [["0"]], "a code for 'no value' was taken for a value"


def a_damaged_frame_is_counted_and_skipped(stack):
    stack.collector.terminate()
    stack.collector.wait(5)
    before = len(readings(stack, "SpO2"))
    collector = play(stack, "damaged", os.path.join(DATA, "df2-bad-checksum.bin"))
    wait_until(lambda: len(readings(stack, "SpO2")) > before, 10, "the good packet")
    wait_until(lambda: "damaged=" in log_after_signal(stack, collector), 5, "counters in the log")
    assert " damaged=1 " in log_after_signal(stack, collector), log_after_signal(stack, collector)


def log_after_signal(stack, collector):
    if collector.poll() is None:
        collector.terminate()
        collector.wait(5)
    with open(f"{stack.dir}/damaged.log") as file:
        return file.read()


run("nonin-recording", [the_stream_gives_the_readings_it_was_made_of,
                        limits_crossed_give_one_alert_each_and_end,
                        a_disconnected_sensor_is_a_technical_alert_and_nothing_else,
                        a_damaged_frame_is_counted_and_skipped])
