"""Intake and evaluation; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, alerts, batch, batch_among_others, device, fault, hand, history, no_device_falls_silent_meanwhile, now_us, provisioned, stats, stored
from stack import run, wait_until


def flapping_around_a_limit_gives_one_alert(stack):
    add_device(stack, "FLAP")  # SpO2 below 90, hysteresis 2
    before = stats(stack)["alerts_raised"]
    for i in range(40):
        hand(stack, f"FLAP SpO2={89 if i % 2 else 91}")
    assert len(alerts(stack, "FLAP")) == 1, alerts(stack, "FLAP")
    assert stats(stack)["alerts_raised"] == before + 1
    hand(stack, "FLAP SpO2=92")
    assert alerts(stack, "FLAP") == []
    wait_until(lambda: history(stack, "FLAP") == [["raised", "cleared"]], 3, "one stored alert")


def the_value_on_a_limit_is_right_and_hysteresis_ends_at_its_end(stack):
    add_device(stack, "EDGE")
    hand(stack, "EDGE SpO2=90 PulseRate=120")
    assert alerts(stack, "EDGE") == []
    hand(stack, "EDGE PulseRate=120.001")
    hand(stack, "EDGE PulseRate=117.001")
    assert [a["condition"] for a in alerts(stack, "EDGE")] == ["high"]
    hand(stack, "EDGE PulseRate=117")
    assert alerts(stack, "EDGE") == []


def from_low_to_high_at_once_ends_one_alert_and_begins_another(stack):
    add_device(stack, "JUMP")
    hand(stack, "JUMP PulseRate=40")
    hand(stack, "JUMP PulseRate=140")
    assert [a["condition"] for a in alerts(stack, "JUMP")] == ["high"]
    wait_until(lambda: history(stack, "JUMP") == [["raised", "cleared"], ["raised"]], 3, "two alerts")


REFUSED = [  # text, counter, word of the reason
    ("OX-1001 SpO2=nan", "refused_malformed", "finite"),
    ("OX-1001 SpO2=inf", "refused_malformed", "finite"),
    ("OX-1001 SpO2=-Infinity", "refused_malformed", "finite"),
    ("OX-1001 SpO2=1e999", "refused_malformed", "too large"),
    ("OX-1001 SpO2=abc", "refused_malformed", "not a number"),
    ("OX-1001 SpO2=0x50", "refused_malformed", "not a number"),
    ("OX-1001 SpO2=95,5", "refused_malformed", "not a number"),
    ("OX-1001 SpO2=", "refused_malformed", "not a number"),
    ("OX-1001 SpO2=+95", "refused_malformed", "not a number"),
    ("OX-1001 SpO2=900", "refused_malformed", "plausible"),
    ("OX-1001 SpO2=-1", "refused_malformed", "plausible"),
    ("OX-1001 PulseRate=401", "refused_malformed", "plausible"),
    ("OX-1001 Weight=80", "refused_malformed", "unknown metric"),
    ("OX-1001 spo2=95", "refused_malformed", "unknown metric"),
    ("OX-1001 !NoSuchAlarm=high", "refused_malformed", "unknown alarm"),
    ("OX-1001 !LowBattery=urgent", "refused_malformed", "none of"),
    ("OX-1001 SpO2", "refused_malformed", "time"),
    ("OX-1001 99 SpO2=95", "refused_malformed", "time"),
    ("OX-1001 99999999999999999999 SpO2=95", "refused_malformed", "time"),
    ("OX-1001 946684799000000 SpO2=95", "refused_time", "2000"),
    ("OX-1001 9999999999999999 SpO2=95", "refused_time", "day ahead"),
    ("NO-SUCH SpO2=95", "refused_unknown_device", "no such device"),
    ("ox-1001 SpO2=95", "refused_unknown_device", "no such device"),
    ("OX/1001 SpO2=95", "refused_malformed", "serial"),
    ("A" * 32 + " SpO2=95", "refused_malformed", "serial"),
]


def nonsense_is_refused_with_its_reason_and_counted(stack):
    hand(stack, "OX-1001 SpO2=96 PulseRate=70")
    for text, counter, word in REFUSED:
        before = stats(stack)
        refused = fault(hand, stack, text)
        after = stats(stack)
        assert refused.code == 400, f"{text}: {refused}"
        assert word in refused.message, f"{text}: the reason is: {refused.message}"
        for name in (counter, "readings_refused"):
            assert after[name] == before[name] + 1, f"{text}: {name} {before[name]} -> {after[name]}"
        assert after["readings_accepted"] == before["readings_accepted"], text
    shown = {r.get("metric"): r["value"] for r in device(stack, "OX-1001")[1:]}
    assert shown == {"SpO2": "96", "PulseRate": "70"}, f"a refused value was taken: {shown}"
    assert alerts(stack, "OX-1001") == []


def the_counters_are_statistics_of_kamailio_too(stack):
    mine = stats(stack)
    lines = stack.kamcmd("stats.get_statistics", "bmd:").splitlines()
    theirs = {line.split(" = ")[0].strip().removeprefix("bmd:"): int(line.split(" = ")[1])
              for line in lines if " = " in line}
    for name in ("readings_refused", "refused_malformed", "refused_unknown_device", "refused_time"):
        assert theirs.get(name) == mine[name] > 0, f"{name}: {theirs.get(name)} and {mine[name]}"
    assert set(mine) == set(theirs), set(mine) ^ set(theirs)


def out_of_order_is_refused_and_the_later_value_stands(stack):
    add_device(stack, "ORDER")
    base = now_us(-60)
    hand(stack, f"ORDER {base} SpO2=85")
    before = stats(stack)["refused_out_of_order"]
    refused = fault(hand, stack, f"ORDER {base - 1} SpO2=97")
    assert "out of order" in refused.message, refused.message
    assert stats(stack)["refused_out_of_order"] == before + 1
    assert len(alerts(stack, "ORDER")) == 1, "an older value ended the alert"
    hand(stack, f"ORDER {base} PulseRate=70")  # the same moment is in order


def a_disabled_device_is_refused(stack):
    add_device(stack, "OFF")
    stack.sql("UPDATE bmd_device SET enabled = false WHERE serial = 'OFF'")
    wait_until(lambda: device(stack, "OFF")[0]["enabled"] == "0", 3, "the device to be disabled")
    before = stats(stack)["refused_disabled_device"]
    refused = fault(hand, stack, "OFF SpO2=50")
    assert "disabled" in refused.message, refused.message
    assert stats(stack)["refused_disabled_device"] == before + 1
    assert alerts(stack, "OFF") == []


def only_the_collector_of_a_device_may_report_it(stack):
    add_device(stack, "BOUND")
    stack.sql("UPDATE bmd_device SET collector = 'home-7' WHERE serial = 'BOUND'")
    provisioned(stack)
    batch(stack, "home-7", 1, 1, "BOUND SpO2=96")
    try:
        answer = batch(stack, "stranger", 1, 1, "BOUND SpO2=50")
    except Exception:
        return
    raise AssertionError(f"bmd_device.collector says home-7, yet a stranger's reading is taken: {answer}")


def a_clock_that_jumped_leaves_no_later_reading_unjudged(stack):
    """Its collector is replaced, the device gets another patient: nothing of that waits for years."""
    add_device(stack, "MAD-1", PulseRate={"low": 50, "delay": "5 min"})
    stack.sql("UPDATE bmd_device SET collector = 'mad' WHERE serial = 'MAD-1'")
    provisioned(stack)
    for number, moment in enumerate((now_us(), 946_771_200_000_000, now_us(-3600), 946_771_200_000_000, 946_771_200_000_000 + 80_000_000_000,
                                     now_us(-3600)), 1):
        batch(stack, "mad", 1, number, f"MAD-1 {moment} SpO2=97")
    # years are no time that a condition has lasted
    for number, moment in enumerate((946_771_200_000_000, now_us(-1800)), 7):
        batch(stack, "mad", 1, number, f"MAD-1 {moment} PulseRate=40")
    assert alerts(stack, "MAD-1") == [], "a delay was over by a clock that was set"
    hand(stack, "MAD-1 SpO2=85")
    assert len(alerts(stack, "MAD-1")) == 1, "a reading by hand raised nothing"
    hand(stack, "MAD-1 SpO2=97 PulseRate=70")
    stack.sql("UPDATE bmd_device SET collector = 'new' WHERE serial = 'MAD-1'")
    provisioned(stack)
    before = stats(stack)["readings_late"]
    batch(stack, "new", 1, 1, f"MAD-1 {now_us()} SpO2=85")
    assert len(alerts(stack, "MAD-1")) == 1, "the next collector's reading raised nothing"
    assert stats(stack)["readings_late"] == before
    # what was measured before the last one came is late as ever
    batch(stack, "new", 1, 2, f"MAD-1 {now_us()} SpO2=97")
    stack.sql("UPDATE bmd_device SET collector = NULL WHERE serial = 'MAD-1'")
    provisioned(stack)
    batch(stack, "mad", 1, 9, f"MAD-1 {now_us(-60)} SpO2=70")
    assert alerts(stack, "MAD-1") == [] and stats(stack)["readings_late"] == before + 1


def a_mixed_batch_takes_what_is_good_and_names_what_is_not(stack):
    add_device(stack, "MIX")
    answer = batch(stack, "mix", 1, 1, "MIX SpO2=95 PulseRate=nan\nNOBODY SpO2=95\n\n"
                   "MIX PulseRate=70\r\nMIX SpO2=96 Weight=1\nMIX\n")
    assert (answer["accepted"], answer["refused_count"]) == (3, 4), answer
    lines = sorted(text.split(":")[0] for text in answer["refused"])
    assert lines == ["line 1", "line 2", "line 5", "line 6"], answer
    wait_until(lambda: len(stored(stack, "MIX")) == 3, 3, "three stored readings")


def a_batch_is_taken_once(stack):
    add_device(stack, "ONCE")
    first = batch(stack, "once", 7, 1, "ONCE SpO2=95")
    again = batch(stack, "once", 7, 1, "ONCE SpO2=95")
    assert (first["duplicate"], again["duplicate"], again["accepted"]) == (0, 1, 0), again
    assert batch(stack, "once", 7, 2, "ONCE SpO2=96")["accepted"] == 1
    assert batch(stack, "once", 7, 1, "ONCE SpO2=50")["duplicate"] == 1, "an older number was taken"
    assert batch(stack, "once", 8, 1, "ONCE SpO2=97")["accepted"] == 1, "a new epoch begins at 1"
    refused = fault(batch, stack, "once", 7, 3, "ONCE SpO2=50")
    assert refused.code == 409 and "epoch" in refused.message, refused
    wait_until(lambda: stored(stack, "ONCE") == [("SpO2", "value", v) for v in ("95", "96", "97")], 3,
               "each batch once")
    wait_until(lambda: batch(stack, "once", 8, 1, "")["durable"] == "1", 3, "the watermark")


def many_send_the_same_batches_at_once(stack):
    add_device(stack, "RACE")
    failures = []

    def send():
        for seq in range(1, 41):
            try:
                batch_among_others(stack, "race", 1, seq, f"RACE SpO2={50 + seq}")
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    wait_until(lambda: batch(stack, "race", 1, 40, "")["durable"] == "40", 5, "the watermark")
    values = [row[2] for row in stored(stack, "RACE")]
    assert values == [str(50 + seq) for seq in range(1, 41)], f"{len(values)} readings stored: {values}"


def must_refuse(stack, *numbers):
    try:
        refused = fault(stack.rpc, "bmd.report", *numbers, "OX-1001 SpO2=97")
    except AssertionError as error:
        raise AssertionError(f"{numbers}: {error}") from None
    assert refused.code == 400, f"{numbers}: {refused}"


def wrong_numbers_of_a_batch_are_refused(stack):
    for epoch, seq in (("0", "1"), ("1", "0"), ("-1", "1"), ("1", "-1"), ("x", "1"), ("1", ""),
                       ("1.5", "1"), ("1e3", "1"), ("99999999999999999999", "1"), (" 1", "1")):
        must_refuse(stack, "numbers", epoch, seq)
    for name in ("a b", "a/b", "a" * 32, "a" * 100, "\u00e4"):
        must_refuse(stack, name, "1", "1")


def an_empty_name_of_a_collector_is_refused(stack):
    must_refuse(stack, "", "1", "1")


def numbers_that_json_cannot_hold_are_refused(stack):
    for epoch, seq in ((1e300, 1), (2**63, 1), (1, 1.5), (1.5, 1)):
        must_refuse(stack, "fractions", epoch, seq)


def a_condition_counts_only_after_its_delay(stack):
    add_device(stack, "DELAY", SpO2={"low": 90, "delay": "10 s"})
    base = now_us(-100)
    hand(stack, f"DELAY {base} SpO2=80")
    hand(stack, f"DELAY {base + 9_999_999} SpO2=80")
    assert alerts(stack, "DELAY") == []
    hand(stack, f"DELAY {base + 9_999_999} SpO2=95")  # back in time: it counts anew
    hand(stack, f"DELAY {base + 20_000_000} SpO2=80")
    hand(stack, f"DELAY {base + 29_000_000} SpO2=79")
    assert alerts(stack, "DELAY") == []
    hand(stack, f"DELAY {base + 30_000_000} SpO2=78")
    open_alerts = alerts(stack, "DELAY")
    assert len(open_alerts) == 1 and open_alerts[0]["value"] == "78", open_alerts
    onset = stack.sql(f"SELECT to_char(to_timestamp({(base + 20_000_000) / 1e6}) AT TIME ZONE 'UTC', "
                      "'YYYY-MM-DD\"T\"HH24:MI:SS')")[0][0]
    assert open_alerts[0]["onset_at"].startswith(onset), f"{open_alerts[0]['onset_at']}, not {onset}"


def a_latched_alert_stays_until_acknowledged(stack):
    add_device(stack, "LATCH", SpO2={"low": 90, "latching": "true"})
    hand(stack, "LATCH SpO2=80")
    alert = alerts(stack, "LATCH")[0]
    hand(stack, "LATCH SpO2=97")
    assert [a["state"] for a in alerts(stack, "LATCH")] == ["latched"]
    hand(stack, "LATCH SpO2=81")
    reopened = alerts(stack, "LATCH")
    assert [(a["id"], a["state"]) for a in reopened] == [(alert["id"], "active")], reopened
    hand(stack, "LATCH SpO2=97")
    stack.kamcmd("bmd.ack", alert["id"], "tester", "seen and phoned")
    assert alerts(stack, "LATCH") == []
    wait_until(lambda: history(stack, "LATCH") ==
               [["raised", "latched", "reopened", "latched", "acknowledged"]], 3, "its history")
    who = stack.sql(f"SELECT who, through, why FROM bmd_alert_event WHERE event = 'acknowledged' "
                    f"AND alert_id = '{alert['id']}'")
    assert who == [["tester", "kamcmd", "seen and phoned"]], who


def alarms_of_the_device_go_on_change_and_end(stack):
    add_device(stack, "ALARM")
    hand(stack, "ALARM !LowBattery=on")
    hand(stack, "ALARM !LowBattery=on")
    alert = alerts(stack, "ALARM")[0]
    assert (alert["condition"], alert["kind"], alert["priority"]) == ("device", "technical", "high"), alert
    hand(stack, "ALARM !LowBattery=low")
    assert [(a["id"], a["priority"]) for a in alerts(stack, "ALARM")] == [(alert["id"], "low")]
    hand(stack, "ALARM !LowBattery=off")
    hand(stack, "ALARM !LowBattery=off")
    assert alerts(stack, "ALARM") == []
    wait_until(lambda: history(stack, "ALARM") == [["raised", "priority", "cleared"]], 3, "its history")
    wait_until(lambda: [row[1] for row in stored(stack, "ALARM")] ==
               ["alarm on", "alarm on", "alarm on", "alarm off", "alarm off"], 3, "five readings")


def an_invalid_value_is_technical_and_never_ends_an_alert(stack):
    add_device(stack, "PROBE")
    hand(stack, "PROBE SpO2=80")
    hand(stack, "PROBE SpO2=?")
    found = sorted((a["condition"], a["kind"]) for a in alerts(stack, "PROBE"))
    assert found == [("invalid", "technical"), ("low", "physiological")], found
    invalid = [a for a in alerts(stack, "PROBE") if a["condition"] == "invalid"][0]
    assert invalid["value"] == "", "an invalid value is shown as a number"
    hand(stack, "PROBE SpO2=80")
    assert [a["condition"] for a in alerts(stack, "PROBE")] == ["low"]
    hand(stack, "PROBE SpO2=97")
    assert alerts(stack, "PROBE") == []
    wait_until(lambda: ("SpO2", "invalid", "") in stored(stack, "PROBE"), 3, "a stored NULL")


def silence_is_an_alert_and_ends_with_the_next_reading(stack):
    stack.sql("INSERT INTO bmd_device_type (type_name, stale_after) VALUES ('quick', '2 s')")
    add_device(stack, "SILENT", "quick")
    add_device(stack, "NEW", "quick")
    hand(stack, "SILENT SpO2=97")
    begun = time.time()
    wait_until(lambda: alerts(stack, "SILENT"), 4, "the stale alert")
    took = time.time() - begun
    alert = alerts(stack, "SILENT")[0]
    assert (alert["condition"], alert["kind"], alert["priority"]) == ("stale", "technical", "high"), alert
    assert 1.9 < took < 3, f"raised after {took:.2f} s of silence, 2 s being allowed"
    assert alerts(stack, "NEW") == [], "a device that never spoke is not silent"
    hand(stack, "SILENT SpO2=97")
    assert alerts(stack, "SILENT") == []
    # it may be silent again by then, and is reopened
    wait_until(lambda: history(stack, "SILENT")[0][:2] == ["raised", "cleared"], 3, "its history")
    stack.sql("UPDATE bmd_device_type SET stale_after = '1 h' WHERE type_name = 'quick'")


def empty_readings_are_refused(stack):
    for text in ("", " ", "\n", "\n\n\r\n", "OX-1001", "OX-1001 "):
        refused = fault(hand, stack, text)
        assert refused.code == 400 and refused.message, f"'{text}': {refused}"
    assert fault(stack.rpc, "bmd.report").code == 400
    refused = fault(batch, stack, "empty", 1, 1, " ")
    assert refused.code == 400, refused


def a_batch_of_one_megabyte_is_taken_whole(stack):
    add_device(stack, "BIG")
    base = now_us(-3000)
    lines = [f"BIG {base + n} SpO2=97 PulseRate=70" for n in range(24_000)]
    text = "\n".join(lines)
    assert len(text) > 1_000_000, len(text)
    begun = time.time()
    answer = batch(stack, "big", 1, 1, text)
    assert answer["accepted"] == 48_000 and answer["refused_count"] == 0, answer
    count = "SELECT count(*), count(DISTINCT measured_at) FROM bmd_readings WHERE serial = 'BIG'"
    wait_until(lambda: stack.sql(count) == [["48000", "24000"]], 10, "48,000 stored readings")
    print(f"# readings: 1 MB, 48,000 readings, accepted and stored in {time.time() - begun:.2f} s")


def nothing_is_stored_twice_and_nothing_is_lost(stack):
    def settled():
        now = stats(stack)
        return now["journal_bytes"] == 0 and now["journal_alert_events"] == 0 \
            and now["readings_stored"] == now["readings_accepted"]
    wait_until(settled, 5, "an empty journal")
    rows = int(stack.sql("SELECT count(*) FROM bmd_reading")[0][0])
    now = stats(stack)
    assert rows == now["readings_accepted"], f"{rows} rows, {now['readings_accepted']} accepted"
    wrong = stack.sql("SELECT a.alert_id FROM bmd_alert a LEFT JOIN bmd_alert_event e USING (alert_id) "
                      "GROUP BY a.alert_id, a.revision HAVING count(e) <> a.revision "
                      "OR max(e.revision) <> a.revision")
    assert wrong == [], f"alerts whose history has gaps: {wrong}"
    wait_until(lambda: sorted(a["id"] for a in alerts(stack))
               == sorted(r[0] for r in stack.sql("SELECT alert_id FROM bmd_alert WHERE state <> 'cleared'")), 3,
               "the same open alerts in memory and in the database")


run("readings", [
    no_device_falls_silent_meanwhile, flapping_around_a_limit_gives_one_alert,
    the_value_on_a_limit_is_right_and_hysteresis_ends_at_its_end,
    from_low_to_high_at_once_ends_one_alert_and_begins_another,
    nonsense_is_refused_with_its_reason_and_counted, the_counters_are_statistics_of_kamailio_too,
    out_of_order_is_refused_and_the_later_value_stands, a_disabled_device_is_refused,
    only_the_collector_of_a_device_may_report_it, a_clock_that_jumped_leaves_no_later_reading_unjudged,
    a_mixed_batch_takes_what_is_good_and_names_what_is_not, a_batch_is_taken_once,
    many_send_the_same_batches_at_once, wrong_numbers_of_a_batch_are_refused,
    an_empty_name_of_a_collector_is_refused, numbers_that_json_cannot_hold_are_refused,
    a_condition_counts_only_after_its_delay, a_latched_alert_stays_until_acknowledged,
    alarms_of_the_device_go_on_change_and_end, an_invalid_value_is_technical_and_never_ends_an_alert,
    silence_is_an_alert_and_ends_with_the_next_reading, empty_readings_are_refused,
    a_batch_of_one_megabyte_is_taken_whole, nothing_is_stored_twice_and_nothing_is_lost])
