"""A database that fails over to a standby; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from postgres import Standby
from scene import Watcher, add_device, batch, every_condition_that_comes_back_is_a_new_alert, hand, history, now_us, stats
from stack import run, wait_until

AT_ONCE = 0.5  # s
ROWS = "FROM bmd_reading r JOIN bmd_device d USING (device_id) WHERE d.serial = 'FO-1'"
COUNT = f"SELECT count(*) {ROWS}"


def send(stack, seq):
    return batch(stack, "home", 1, seq, f"FO-1 {stack.base + seq * 1_000_000} SpO2={90 + seq % 10}")


def durable(stack, seq):
    wait_until(lambda: batch(stack, "home", 1, seq, "")["durable"] == str(seq), 15, f"durable up to {seq}")


def a_standby_follows(stack):
    for serial in ("FO-1", "FO-2"):
        add_device(stack, serial, assign="tech3")
    stack.base, stack.watcher = now_us(-600), Watcher(stack, "tech3")
    stack.standby = Standby(stack)
    for seq in range(1, 11):
        send(stack, seq)
    durable(stack, 10)
    stack.standby.has(COUNT, "10")


def what_it_does_not_get_any_more_is_durable_with_the_first(stack):
    stack.standby.stop()
    hand(stack, "FO-2 SpO2=70")
    stack.watcher.wait(lambda: stack.watcher.about("FO-2"), "the alert")
    for seq in range(11, 21):
        send(stack, seq)
    durable(stack, 20)
    # a collector of which the standby has never heard
    batch(stack, "new", 1, 1, f"FO-2 {now_us()} PulseRate=70")
    wait_until(lambda: batch(stack, "new", 1, 1, "")["durable"] == "1", 5, "its first batch to be durable")
    assert stack.sql(COUNT) == [["20"]]


def alerts_go_on_while_it_takes_over(stack):
    moving = threading.Thread(target=stack.standby.promote)
    moving.start()
    took, number = [], 0
    while moving.is_alive() or number < 3:
        number += 1
        for value, there in ((97, False), (70, True)):
            begun = time.monotonic()
            hand(stack, f"FO-2 SpO2={value}")
            stack.watcher.wait(lambda: bool(stack.watcher.about("FO-2")) == there, "the change")
            took.append(time.monotonic() - begun)
    moving.join()
    print(f"# failed-over: {2 * number} changes of an alert meanwhile, the latest after {max(took) * 1000:.0f} ms")
    assert max(took) < AT_ONCE, took


def storing_goes_on_without_a_hand(stack):
    for seq in range(21, 31):
        send(stack, seq)
    durable(stack, 30)
    wait_until(lambda: stats(stack)["journal_bytes"] == stats(stack)["journal_alert_events"] == 0, 5, "an empty journal")
    assert stats(stack)["database_up"] == 1


def a_collector_unknown_to_the_new_database_is_known_there_by_its_next_batch(stack):
    batch(stack, "new", 1, 2, f"FO-2 {now_us()} PulseRate=71")
    wait_until(lambda: batch(stack, "new", 1, 2, "")["durable"] == "2", 5, "its second batch to be durable")
    found = stack.sql("SELECT collector, epoch, durable_seq, count(r.*) FROM bmd_collector_state c LEFT JOIN bmd_reading r "
                      "USING (collector_id, epoch) WHERE collector IN ('home', 'new') GROUP BY 1, 2, 3 ORDER BY 1")
    assert found == [["home", "1", "30", "20"], ["new", "1", "2", "1"]], found


def what_the_standby_had_and_what_came_later_is_there_once(stack):
    seqs = [int(row[0]) for row in stack.sql(f"SELECT r.seq {ROWS} ORDER BY r.seq")]
    assert seqs == [*range(1, 11), *range(21, 31)], seqs
    told = history(stack, "FO-2")
    assert len(told) >= 3 and told[-1] == ["raised"], told
    # the one raised before it took over is known by its end only; those of afterwards have all of it
    assert all(events in (["raised", "cleared"], ["cleared"]) for events in told[:-1]), told
    assert sum(events == ["cleared"] for events in told) <= 1, told


def the_log_says_which_transaction_the_new_database_has(stack):
    said = [line for line in stack.log().splitlines() if "it was restored or failed over" in line]
    assert len(said) == 1, said


def the_stack_ends(stack):
    stack.kill9()
    stack.standby.stop()


run("failed-over", [every_condition_that_comes_back_is_a_new_alert, a_standby_follows,
                    what_it_does_not_get_any_more_is_durable_with_the_first, alerts_go_on_while_it_takes_over,
                    storing_goes_on_without_a_hand,
                    a_collector_unknown_to_the_new_database_is_known_there_by_its_next_batch, what_the_standby_had_and_what_came_later_is_there_once,
                    the_log_says_which_transaction_the_new_database_has, the_stack_ends], errors_expected=True)
