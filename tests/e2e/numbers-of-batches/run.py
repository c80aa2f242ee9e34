"""Numbers that are missing, repeated or absurd; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import add_device, batch, batch_among_others, fault, now_us, provisioned, stats, stored
from stack import RpcFault, run, wait_until

LARGEST = 2**63 - 1


def numbers(refused):
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", refused.message)}


def values(stack, serial):
    return [row[2] for row in stored(stack, serial)]


def a_gap_is_refused_with_the_number_expected(stack):
    add_device(stack, "GAP")
    batch(stack, "gap", 1, 1, "GAP SpO2=91")
    refused = fault(batch, stack, "gap", 1, 5, "GAP SpO2=95")
    assert refused.code == 412 and numbers(refused)["expected"] == 2, refused
    for seq in range(2, 6):
        assert batch(stack, "gap", 1, seq, f"GAP SpO2={90 + seq}")["accepted"] == 1
    wait_until(lambda: batch(stack, "gap", 1, 5, "")["durable"] == "5", 3, "durable")
    assert values(stack, "GAP") == ["91", "92", "93", "94", "95"], values(stack, "GAP")


def what_does_not_come_is_said(stack):
    before = stats(stack)["batches_absent"]
    answer = batch(stack, "gap", 1, 9, "!absent 6\nGAP SpO2=99")
    assert answer["accepted"] == 1 and stats(stack)["batches_absent"] == before + 3, answer
    assert batch(stack, "gap", 1, 7, "GAP SpO2=50")["duplicate"] == 1
    wait_until(lambda: batch(stack, "gap", 1, 9, "")["durable"] == "9", 3, "durable")
    refused = fault(batch, stack, "gap", 1, 12, "!absent 11\nGAP SpO2=50")
    assert refused.code == 412 and numbers(refused)["expected"] == 10, refused
    stack.next = 10
    for statement in ("!absent", "!absent x", "!absent 0", "!absent 99", "!absent -1"):
        answer = batch(stack, "gap", 1, stack.next, f"{statement}\nGAP SpO2=97")
        assert answer["refused_count"] == 1, f"{statement}: {answer}"
        stack.next += 1


def an_empty_batch_asks_and_takes_no_number(stack):
    expected = stack.next
    refused = fault(batch, stack, "gap", 1, expected, "")
    assert refused.code == 412 and numbers(refused)["expected"] == expected, refused
    assert batch(stack, "gap", 1, expected, "GAP SpO2=97")["accepted"] == 1


def an_epoch_not_known_begins_at_1(stack):
    refused = fault(batch, stack, "gap", 2, 57, "GAP SpO2=97")
    assert refused.code == 412 and numbers(refused)["expected"] == 1, refused
    assert batch(stack, "gap", 2, 57, "!absent 1\nGAP SpO2=97")["accepted"] == 1
    refused = fault(batch, stack, "never-seen", 3, 7, "GAP SpO2=97")
    assert refused.code == 412 and numbers(refused)["expected"] == 1, refused


def after_kill_9_what_is_not_durable_is_expected_again(stack):
    wait_until(lambda: batch(stack, "gap", 2, 57, "")["durable"] == "57", 3, "durable")
    stack.kill9()
    stack.restart()
    refused = fault(batch, stack, "gap", 2, 60, "GAP SpO2=97")
    assert refused.code == 412 and numbers(refused)["expected"] == 58, refused


def an_absurd_epoch_is_refused(stack):
    for epoch in (LARGEST, now_us(2 * 86400)):
        refused = fault(batch, stack, "gap", epoch, 1, "GAP SpO2=97")
        assert refused.code == 409 and numbers(refused)["known"] == 2, refused
        assert abs(numbers(refused)["clock"] - now_us()) < 10_000_000, refused
        refused = fault(batch, stack, "stranger", epoch, 1, "GAP SpO2=97")
        assert refused.code == 409 and numbers(refused)["known"] == 0, refused
    assert batch(stack, "gap", now_us(3600), 1, "GAP SpO2=97")["accepted"] == 1, "an hour ahead is possible"


def an_absurd_epoch_of_the_database_locks_nobody_out(stack):
    stack.sql(f"INSERT INTO bmd_collector_state (collector, epoch, durable_seq) VALUES ('locked', {LARGEST}, 3)")
    stack.kill9()
    stack.restart()
    assert batch(stack, "locked", now_us(), 1, "GAP SpO2=97")["accepted"] == 1


def a_name_that_brings_nothing_gets_no_slot(stack):
    def rows():
        return stack.sql("SELECT collector FROM bmd_collector_state WHERE collector LIKE 'noise%'")
    add_device(stack, "OWNED")
    stack.sql("UPDATE bmd_device SET collector = 'owner' WHERE serial = 'OWNED'")
    provisioned(stack)
    for n, text in enumerate(("NOBODY SpO2=97", "nonsense", "GAP", "GAP 1 SpO2=97", "OWNED SpO2=97", "\n")):
        refused = fault(batch, stack, f"noise{n}", 1, 1, text)
        assert refused.code == 400, refused
        refused = fault(batch, stack, f"noise{n}", 1, 2, text)
        assert refused.code == 412, "its number was remembered"
    batch(stack, "gap", now_us(3601), 1, "GAP SpO2=97")
    wait_until(lambda: stats(stack)["journal_bytes"] == 0, 3, "an empty journal")
    assert rows() == [], rows()
    assert batch(stack, "noise1", 1, 1, "GAP SpO2=97")["accepted"] == 1, "until it brings something"


def many_at_once_from_a_new_name_are_taken_once(stack):
    add_device(stack, "CROWD")
    codes = []

    def send():
        try:
            codes.append(batch_among_others(stack, "crowd", 1, 1, "CROWD SpO2=97")["duplicate"])
        except RpcFault as refused:
            codes.append(refused)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [0] + [1] * 7, codes
    wait_until(lambda: values(stack, "CROWD") == ["97"], 3, "one reading")


run("numbers-of-batches", [
    a_gap_is_refused_with_the_number_expected, what_does_not_come_is_said,
    an_empty_batch_asks_and_takes_no_number, an_epoch_not_known_begins_at_1,
    after_kill_9_what_is_not_durable_is_expected_again, an_absurd_epoch_is_refused,
    an_absurd_epoch_of_the_database_locks_nobody_out, a_name_that_brings_nothing_gets_no_slot,
    many_at_once_from_a_new_name_are_taken_once], errors_expected=True)
