"""Plays the recorded replies; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import glob
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from stack import BIN, TOP, run, wait_until

FILES = sorted(glob.glob(os.path.join(TOP, "tests", "data", "pb840", "sndf-*.bin")))
KINDS = {"alarm off": "off"}


def decode_module():
    """The reader of the bytes that the decoding test uses: it knows nothing of the driver."""
    path = os.path.join(TOP, "tests", "integration", "collector_decode.py")
    spec = importlib.util.spec_from_file_location("collector_decode", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def start(stack):
    link = stack.dir + "/ventilator"
    stack.watcher = stack.agent("tech1")
    stack.dialog, reply = stack.watcher.subscribe()
    assert reply.status == 200, reply.first
    stack.watcher.notify(stack.dialog)
    # one after the other, each reply once; the line is 20 times as fast to save time
    stack.start(f"{BIN}/bmd-sim", "--recording", *FILES, "--driver", "pb840", "--speed", "20",
                "--link", link, stdout=open(stack.dir + "/sim.log", "w"))
    wait_until(lambda: os.path.exists(link), 5, "pseudo-terminal")
    with open(stack.dir + "/collector.toml", "w") as file:
        file.write(f'[server]\nurl = "{stack.info["http"]}"\ncollector = "home"\n'
                   f'[spool]\npath = "{stack.dir}/spool.db"\n[[port]]\ndevice = "{link}"\n'
                   f'driver = "pb840"\nserial = "VENT-840-1"\npoll_seconds = 0.2\n')
    stack.start(f"{BIN}/bmd-collector", "--config", stack.dir + "/collector.toml",
                stderr=open(stack.dir + "/collector.log", "w"), stdout=open(os.devnull, "w"))


def moments(stack):
    """What is stored, one dictionary a frame, in the order of time."""
    found = {}
    for at, metric, kind, value, priority in stack.sql(
            "SELECT extract(epoch FROM measured_at), metric, kind, value, priority FROM bmd_readings "
            "WHERE serial = 'VENT-840-1' ORDER BY measured_at"):
        frame = found.setdefault(at, {})
        assert metric not in frame, f"{metric} twice in one frame"
        frame[metric] = (float(value) if kind == "value" else
                         "off" if "off" in kind else priority if "on" in kind else kind)
    return [found[at] for at in sorted(found, key=float)]


def every_reply_is_played_and_stored(stack):
    assert len(FILES) == 20, f"{len(FILES)} recordings"
    start(stack)
    wait_until(lambda: len(moments(stack)) >= len(FILES), 60, "20 stored frames")


def what_is_stored_of_each_reply_is_exactly_what_is_in_its_bytes(stack):
    decode = decode_module()
    fields = decode.tables()
    stored = moments(stack)
    for path, frame in zip(FILES, stored):
        with open(path, "rb") as file:
            wanted = decode.expected(file.read(), fields)
        wrong = {name: (frame.get(name), wanted.get(name)) for name in set(frame) | set(wanted)
                 if frame.get(name) != wanted.get(name)}
        assert not wrong, f"{os.path.basename(path)}: (stored, in the bytes) {wrong}"
        assert sum(isinstance(v, float) for v in frame.values()) > 20, "hardly any numbers"


def the_low_oxygen_supply_alarm_reaches_the_technician_as_a_technical_alert(stack):
    seen = []
    stack.watcher.wait(
        lambda m: m.is_request and m.body and any(
            seen.append(a) or a["Variable"] == "LowO2Supply" and a["state"] == "active"
            for a in m.document().alerts), 10, "alert LowO2Supply")
    alert = [a for a in seen if a["Variable"] == "LowO2Supply"][0]
    assert alert["kind"] == "technical" and alert["Event"] == "device", alert
    assert alert["serial"] == "VENT-840-1" and alert["patient"] == "Anna Example", alert


def nothing_was_refused_or_damaged(stack):
    for name in ("readings_refused", "batches_busy"):
        assert stack.stat(name) == 0, f"{name} is {stack.stat(name)}"
    with open(stack.dir + "/collector.log") as file:
        text = file.read()
    assert "damaged" not in text, text


run("pb840-recordings", [every_reply_is_played_and_stored,
                         what_is_stored_of_each_reply_is_exactly_what_is_in_its_bytes,
                         the_low_oxygen_supply_alarm_reaches_the_technician_as_a_technical_alert,
                         nothing_was_refused_or_damaged])
