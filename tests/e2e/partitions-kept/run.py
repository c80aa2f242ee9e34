"""Partitions beside a long reader; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import batch
from stack import run, wait_until

DAYS = ("SELECT count(*) FROM generate_series(-1, 2) n WHERE to_regclass('bmd_reading_' || "
        "to_char((now() AT TIME ZONE 'UTC')::date + n, 'YYYYMMDD')) IS NOT NULL")


def hold(stack):
    """A session that reads everything, as pg_dump does, and does not end."""
    reader = stack.start("psql", "-X", "-q", "-At", stack.info["db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    reader.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE bmd_reading IN ACCESS SHARE MODE; SELECT 'held';\n")
    reader.stdin.flush()
    assert reader.stdout.readline().strip() == "held"
    return reader


def durable_soon(stack, seq, patience):
    begun = time.monotonic()
    batch(stack, "home", 1, seq, "OX-1001 PulseRate=70")
    wait_until(lambda: batch(stack, "home", 1, seq, "")["durable"] == str(seq), patience, f"durable {seq}")
    return time.monotonic() - begun


def a_long_reader_delays_partitions_and_no_reading(stack):
    drop = stack.sql("SELECT string_agg('DROP TABLE ' || c.relname, ';') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
                     "WHERE i.inhparent = 'bmd_reading'::regclass AND c.relname <> 'bmd_reading_default'")[0][0]
    stack.kill9()
    stack.sql(drop)
    stack.reader = hold(stack)
    stack.restart()
    slowest, seq, until = 0, 0, time.monotonic() + 8
    while time.monotonic() < until:
        seq += 1
        slowest = max(slowest, durable_soon(stack, seq, 3))
    stack.seq = seq
    print(f"# partitions-kept: {seq} batches, the slowest durable after {slowest * 1000:.0f} ms")
    assert stack.sql(DAYS) == [["0"]], "they were made beside the reader: the test proves nothing"
    assert stack.stat("keeper_failures") >= 1 and stack.stat("database_up") == 1
    assert stack.sql("SELECT count(*) FROM bmd_reading_default") == [[str(seq)]]


def they_are_made_as_soon_as_it_has_ended(stack):
    stack.reader.stdin.close()
    stack.reader.wait(5)
    wait_until(lambda: stack.sql(DAYS) == [["4"]], 12, "yesterday's to the day after tomorrow's partition")
    assert stack.sql("SELECT count(*) FROM bmd_reading_default") == [["0"]], "rows moved into their day"
    assert stack.sql("SELECT count(*) FROM bmd_readings") == [[str(stack.seq)]]


def old_ones_go_as_the_setting_says(stack):
    for day in (3, 5, 40):
        stack.sql(f"DO $$ DECLARE d date := (now() AT TIME ZONE 'UTC')::date - {day}; BEGIN EXECUTE format("
                  "'CREATE TABLE bmd_reading_%s PARTITION OF bmd_reading FOR VALUES FROM (%L) TO (%L)', "
                  "to_char(d, 'YYYYMMDD'), d::timestamp AT TIME ZONE 'UTC', (d + 1)::timestamp AT TIME ZONE 'UTC'); END $$")
    stack.sql("INSERT INTO bmd_reading SELECT t, t, 1, 1, 1, 97, NULL, 1, 1, 1 FROM unnest(ARRAY[now() - interval '40 days', "
              "now() - interval '50 days', now() - interval '3 days']) t")
    old = "SELECT count(*) FROM bmd_reading WHERE received_at < now() - interval '1 day'"
    stack.restart()
    assert stack.sql(old) == [["3"]], "by default everything is kept"
    stack.sql("UPDATE bmd_setting SET value = 4 WHERE name = 'keep_readings_days'")
    stack.reader = hold(stack)
    stack.restart()  # looks at once, else within a minute
    durable_soon(stack, stack.seq + 1, 3)
    assert stack.sql(old) == [["3"]], "dropped beside the reader: the test proves nothing"
    stack.reader.stdin.close()
    stack.reader.wait(5)
    wait_until(lambda: stack.sql(old) == [["1"]], 12, "the old readings' end")
    assert stack.stat("partitions_dropped") == 2
    assert stack.sql("SELECT count(*) FROM pg_inherits WHERE inhparent = 'bmd_reading'::regclass") == [["6"]]


def the_server_may_not_choose_what_is_kept(stack):
    for statement in ("UPDATE bmd_setting SET value = 1", "SELECT bmd_drop_partitions(1)", "DROP TABLE bmd_reading_default",
                      "DELETE FROM bmd_set_aside"):
        done = subprocess.run(["psql", "-X", stack.info["db"].replace("user=bmd", "user=kamailio"), "-c", statement],
                              capture_output=True, text=True, timeout=20)
        assert done.returncode != 0, statement


run("partitions-kept", [a_long_reader_delays_partitions_and_no_reading, they_are_made_as_soon_as_it_has_ended,
                        old_ones_go_as_the_setting_says, the_server_may_not_choose_what_is_kept], errors_expected=True)
