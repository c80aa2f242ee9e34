"""Rows that the database refuses; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, alerts, batch, fault, hand, history, stats, stored
from stack import run, wait_until


def ack(stack, *words):
    """What kamcmd says to bmd.ack with these words, which may be any bytes."""
    done = subprocess.run(["kamcmd", "-s", stack.info["ctl"], "bmd.ack", *words], capture_output=True, timeout=20)
    return (done.stdout + done.stderr).decode("utf-8", "replace")


def acknowledging_in_words_that_are_no_text_is_refused(stack):
    for serial in ("GOOD", "BAD"):
        add_device(stack, serial, SpO2={"low": 90, "latching": "true"})
    hand(stack, "GOOD SpO2=80")
    hand(stack, "GOOD SpO2=97")
    alert = wait_until(lambda: alerts(stack, "GOOD"), 3, "the latched alert")[0]
    assert alert["state"] == "latched", alert
    for who, why in ((b"M\374ller", b"x"), (b"carol", b"M\374ller"), (b"a\nb", b"x"), (b"carol", b"\033[31m"),
                     (b"carol", b"\302\205"), (b"c" * 32, b"x"), (b"carol", b"y" * 96), (b"carol", b"y" * 5000)):
        said = ack(stack, alert["id"].encode(), who, why)
        assert "400" in said, f"{who[:40]} {why[:40]}: {said}"
    assert len(alerts(stack, "GOOD")) == 1, "it was ended all the same"
    said = ack(stack, alert["id"].encode(), "Müller".encode(), "gesehen, 済み".encode())
    assert "error" not in said, said
    wait_until(lambda: history(stack, "GOOD") == [["raised", "latched", "acknowledged"]], 3, "the history")
    assert stack.sql("SELECT who, why FROM bmd_alert_event WHERE event = 'acknowledged'") == [["Müller", "gesehen, 済み"]]


def a_reading_that_the_database_refuses_is_set_aside_alone(stack):
    stack.sql("ALTER TABLE bmd_reading ADD CONSTRAINT no_66 CHECK (value <> 66)")
    lines = "\n".join(f"GOOD SpO2={97 if n != 700 else 66} PulseRate=70" for n in range(1000))
    batch(stack, "home", 1, 1, lines)
    batch(stack, "home", 1, 2, "BAD SpO2=66 PulseRate=66")
    wait_until(lambda: batch(stack, "home", 1, 2, "")["durable"] == "2", 10, "durable")
    rows = stored(stack, "GOOD")
    assert len([r for r in rows if r[0] == "PulseRate"]) == 1000, len(rows)
    assert stored(stack, "BAD") == [], stored(stack, "BAD")
    aside = stack.sql("SELECT what, serial, reason FROM bmd_set_aside JOIN bmd_device USING (device_id) ORDER BY serial")
    assert [row[:2] for row in aside] == [["reading", "BAD"]] * 2 + [["reading", "GOOD"]], aside
    assert all("23514" in row[2] for row in aside), aside
    assert stack.stat("rows_set_aside") == 3
    stack.sql("ALTER TABLE bmd_reading DROP CONSTRAINT no_66")


def a_change_of_an_alert_that_the_database_refuses_is_set_aside_alone(stack):
    add_device(stack, "EVIL")
    stack.sql("ALTER TABLE bmd_alert ADD CONSTRAINT no_evil CHECK (serial <> 'EVIL')")
    lines = "\n".join(f"{s} SpO2={v}" for n in range(50) for v in (80, 97) for s in ("GOOD", "EVIL"))
    batch(stack, "home", 1, 3, lines)
    hand(stack, "EVIL PulseRate=190")
    wait_until(lambda: batch(stack, "home", 1, 3, "")["durable"] == "3", 10, "durable")
    wait_until(lambda: stats(stack)["journal_alert_events"] == 0, 5, "an empty journal")
    assert history(stack, "EVIL") == [], history(stack, "EVIL")
    assert len(alerts(stack, "EVIL")) == 1, "alerts go on without the database"
    assert int(stack.sql("SELECT count(*) FROM bmd_set_aside WHERE what = 'alert event'")[0][0]) == 101
    assert len([r for r in stored(stack, "EVIL") if r[0] == "SpO2"]) == 100, "its readings are stored"
    stack.sql("ALTER TABLE bmd_alert DROP CONSTRAINT no_evil")


def what_a_deferred_trigger_refuses_at_the_commit_is_set_aside_too(stack):
    stack.sql("CREATE FUNCTION no_55() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
              "CREATE CONSTRAINT TRIGGER no_55 AFTER INSERT ON bmd_reading_default DEFERRABLE INITIALLY DEFERRED "
              "FOR EACH ROW EXECUTE FUNCTION no_55();")
    part = stack.sql("SELECT 'bmd_reading_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')")[0][0]
    stack.sql(f"CREATE CONSTRAINT TRIGGER no_55 AFTER INSERT ON {part} DEFERRABLE INITIALLY DEFERRED "
              "FOR EACH ROW WHEN (NEW.value = 55) EXECUTE FUNCTION no_55()")
    batch(stack, "home", 1, 4, "GOOD PulseRate=54\nGOOD PulseRate=55\nGOOD PulseRate=56")
    wait_until(lambda: batch(stack, "home", 1, 4, "")["durable"] == "4", 10, "durable")
    values = [r[2] for r in stored(stack, "GOOD") if r[2] in ("54", "55", "56")]
    assert values == ["54", "56"], values
    stack.sql(f"DROP TRIGGER no_55 ON {part}")


def the_log_names_ids_and_no_patient(stack):
    said = [line for line in stack.log().splitlines() if "bmd_set_aside" in line]
    assert said and all("ERROR" in line for line in said), said
    assert len(said) <= 8, f"{len(said)} lines"


def a_subnormal_number_is_refused_and_one_in_the_database_stops_no_start(stack):
    refused = fault(hand, stack, "GOOD PulseRate=1e-310")
    assert refused.code == 400 and "too small" in refused.message, refused
    add_device(stack, "TINY", SpO2={"low": 90})
    hand(stack, "TINY SpO2=80")
    wait_until(lambda: history(stack, "TINY") == [["raised"]], 3, "the stored alert")
    stack.sql("UPDATE bmd_alert SET value = 1e-310 WHERE serial = 'TINY'")
    stack.sql("UPDATE bmd_device_limit SET hysteresis = 1e-310 WHERE serial = 'TINY'")
    stack.kill9()
    stack.restart()
    assert len(alerts(stack, "TINY")) == 1
    hand(stack, "TINY SpO2=97")
    wait_until(lambda: alerts(stack, "TINY") == [], 3, "its end")


def a_node_or_domain_that_the_database_refuses_stops_the_start_with_a_reason(stack):
    config = stack.info["dir"] + "/etc/kamailio.cfg"
    for name, value, said in (("node", "n" * 64, "node must be"), ("node", "n\x01", "node must be"),
                              ("domain", "a/b", "domain must be")):
        path = stack.info["dir"] + "/etc/bad.cfg"
        with open(config, encoding="utf-8") as file:
            text = file.read().replace("request_route {", f'modparam("bmd", "{name}", "{value}")\nrequest_route {{')
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        stack.kill9()
        modules = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build", "modules")
        done = subprocess.run(["kamailio", "-DD", "-E", "-f", path, "-m", "256", "-Y", stack.info["dir"] + "/run",
                               "-L", os.path.realpath(modules) + ":/usr/lib/x86_64-linux-gnu/kamailio/modules/"],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode != 0 and said in done.stderr, done.stderr[-500:]
    stack.restart()


def a_terminal_with_a_name_that_the_database_refuses_is_kept(stack):
    agent = stack.agent("tech1")
    headers = f"Event: bmd-alert\nAccept: application/dmp\nUser-Agent: {'x' * 400}\n"
    dialog, reply = agent.subscribe(headers=headers)
    assert reply.status == 200, reply.first
    agent.notify(dialog)
    wait_until(lambda: stack.sql(f"SELECT 1 FROM active_watchers WHERE callid = '{dialog.call_id}'"), 5, "its row")
    assert stack.stat("rows_refused") == 0


run("poison-rows", [
    a_terminal_with_a_name_that_the_database_refuses_is_kept,
    acknowledging_in_words_that_are_no_text_is_refused, a_reading_that_the_database_refuses_is_set_aside_alone,
    a_change_of_an_alert_that_the_database_refuses_is_set_aside_alone,
    what_a_deferred_trigger_refuses_at_the_commit_is_set_aside_too, the_log_names_ids_and_no_patient,
    a_subnormal_number_is_refused_and_one_in_the_database_stops_no_start,
    a_node_or_domain_that_the_database_refuses_stops_the_start_with_a_reason], errors_expected=True)
