"""bmd.oncall and the rosters of SQL; see README.md.  SPDX-License-Identifier: GPL-2.0-or-later"""

import datetime
import os
import random
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from scene import records
from stack import TOP, run, wait_until

CASES = os.path.join(TOP, "tests", "data", "roster_cases.tsv")
ORACLE = os.path.join(TOP, "tests", "unit", "roster_oracle.py")
LOOKS = 12  # moments of each roster


def oncall(stack, *arguments):
    return records(stack.kamcmd("bmd.oncall", *arguments))


def database(stack, verb):
    """The stack's own cluster, by the functions bmd-stack itself uses."""
    data, log = stack.info["dir"] + "/pg", stack.info["dir"] + "/postgresql.log"
    sockets = stack.info["db"].split("host=")[1].split()[0]
    stop = ('as_cluster_user "$(cluster_bin)/pg_ctl" -D "$1" -m immediate -w -t 20 -s stop > /dev/null 2>&1; '
            '! cluster_running "$1"')
    script = {"kill": stop, "start": 'cluster_start "$1" "$2" "$3"'}[verb]
    done = subprocess.run(["bash", "-c", f'. "{TOP}/tools/bmd-stack/cluster.sh"; {script}', "bash",
                           os.path.realpath(data), sockets, log], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, f"{verb}: {done.stderr}"


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def rosters_are_provisioned_in_sql(stack):
    text, people, position = "BEGIN;", set(), 0
    with open(CASES, encoding="utf-8") as file:
        for line in file:
            kind, *cells = line.rstrip("\n").split("\t")
            if kind == "zone":
                text += (f"INSERT INTO bmd_team (team_name) VALUES ('{cells[0]}');"
                         f"INSERT INTO bmd_roster VALUES ('{cells[0]}', '{cells[1]}');")
            elif kind == "layer":
                position += 1
                team, name, starts_on, hand_over, hours, days, begin, end, names = cells
                text += ("INSERT INTO bmd_roster_layer (team_name, position, layer_name, starts_on, hand_over, shift, "
                         f"days, hours_from, hours_until) VALUES ('{team}', {position}, '{name}', '{starts_on}', "
                         f"'{hand_over}', '{hours} hours', '{{{','.join(days)}}}', '{begin}', '{end}');")
                for turn, person in enumerate([] if names == "-" else names.split(",")):
                    people.add(person)
                    text += (f"INSERT INTO bmd_roster_member SELECT layer_id, {turn}, '{person}' FROM bmd_roster_layer "
                             f"WHERE team_name = '{team}' AND position = {position};")
            elif kind == "override":
                team, _, person, begin, end, created = cells
                people.add(person)
                text += ("INSERT INTO bmd_roster_override (team_name, username, starts_at, ends_at, created_at) VALUES "
                         f"('{team}', '{person}', '{begin}', '{end}', '{created}');")
    stack.sql("BEGIN;" + "".join(f"INSERT INTO bmd_technician (username) VALUES ('{p}');" for p in people)
              + text.removeprefix("BEGIN;") + "COMMIT")
    wait_until(lambda: len(oncall(stack)) == 16, 3, "the rosters")


def the_answers_are_those_of_the_table(stack):
    table = {}
    output = subprocess.run([sys.executable, ORACLE, CASES], capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        name, seconds, person = line.split("\t")
        table.setdefault(name, []).append((int(seconds), person))
    chance = random.Random(4)
    stack.asked = 0
    for name, turns in table.items():
        # overrides of the past are not kept: the table's lie in spring and autumn of 2026
        for _ in range(LOOKS):
            turn = chance.randrange(len(turns) - 1)
            begin, end = turns[turn][0], turns[turn + 1][0]
            at = chance.choice([begin, end - 1, chance.randrange(begin, end)])
            if "layers" in name and any(abs(at - change) < 3 * 86400 for change in (1774742400, 1792890000)):
                continue
            found = oncall(stack, name, iso(at))[0]
            expected = "" if turns[turn][1] == "-" else turns[turn][1]
            assert found["person"] == expected, f"{name} at {iso(at)}: {found}, expected '{expected}'"
            stack.asked += 1
    assert stack.asked > 100, stack.asked


def a_changed_roster_is_in_force_at_once(stack):
    stack.sql("INSERT INTO bmd_roster_override (team_name, username, starts_at, ends_at) VALUES "
              "('Berlin-halves', 'tech1', now() - interval '1 hour', now() + interval '1 hour')")
    wait_until(lambda: oncall(stack, "Berlin-halves")[0]["person"] == "tech1", 1, "the override")
    found = oncall(stack, "Berlin-halves")[0]
    assert found["why"].startswith("override ") and found["time_zone"] == "Europe/Berlin", found


def it_answers_while_the_database_is_down(stack):
    database(stack, "kill")
    wait_until(lambda: stack.stat("sync_failures") > 0, 5, "the loss of the database")
    assert oncall(stack, "Berlin-halves")[0]["person"] == "tech1"
    assert len(oncall(stack)) == 16
    database(stack, "start")
    wait_until(lambda: stack.stat("database_up") == 1, 10, "the database")


def a_roster_without_a_zone_follows_the_hospitals_clock(stack):
    stack.sql("BEGIN; INSERT INTO bmd_team (team_name) VALUES ('house'); INSERT INTO bmd_roster (team_name) VALUES ('house');"
              "INSERT INTO bmd_roster_layer (team_name, position, layer_name, starts_on, hand_over, shift) "
              "VALUES ('house', 1, 'days', '2026-01-01', '08:00', '1 day');"
              "INSERT INTO bmd_roster_member SELECT layer_id, v.* FROM bmd_roster_layer, "
              "(VALUES (1, 'tech1'), (2, 'tech2')) v WHERE team_name = 'house'; COMMIT")
    wait_until(lambda: len(oncall(stack)) == 17, 3, "the roster")

    def people(*moments):
        return [oncall(stack, "house", at)[0]["person"] for at in moments]
    # turns from 1 January on, tech1 first: on 15 January tech1's begins, on 15 July tech2's
    winter = ("2026-01-15T06:59:59Z", "2026-01-15T07:00:00Z", "2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z")
    summer = ("2026-07-15T05:59:59Z", "2026-07-15T06:00:00Z", "2026-07-15T06:59:59Z", "2026-07-15T07:00:00Z")
    assert people(*winter) == ["tech2", "tech2", "tech2", "tech1"], people(*winter)
    stack.sql("UPDATE bmd_setting SET text_value = 'Europe/Berlin' WHERE name = 'time_zone'")
    wait_until(lambda: oncall(stack, "house")[0]["time_zone"] == "Europe/Berlin", 1, "the hospital's time zone")
    assert people(*winter) == ["tech2", "tech1", "tech1", "tech1"], people(*winter)
    assert people(*summer) == ["tech1", "tech2", "tech2", "tech2"], people(*summer)
    until = oncall(stack, "house", winter[1])[0]["until"]
    assert until.startswith("2026-01-16T08:00:00+01:00"), until
    assert oncall(stack, "New_York-halves")[0]["time_zone"] == "America/New_York", "it has a zone of its own"


def bad_questions_are_refused_with_the_reason(stack):
    for arguments, words in ((["nowhere"], "no such team"), (["night"], "no roster"),
                             (["Berlin-halves", "noon"], "AT is a time")):
        try:
            raise RuntimeError(stack.kamcmd("bmd.oncall", *arguments))
        except AssertionError as refused:
            assert words in str(refused), refused


def bad_rows_are_refused_with_what_is_wrong(stack):
    layer = "INSERT INTO bmd_roster_layer (team_name, position, layer_name, starts_on, {}) VALUES ('Berlin-halves', 99, 'x', '2026-01-01', {})"
    step = ("INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('p', '1 min');"
            "INSERT INTO bmd_escalation_step (policy_id, position, after, whom{}) SELECT policy_id, {} FROM bmd_escalation_policy")
    for text, words in (
            ("UPDATE bmd_setting SET text_value = 'Berlin' WHERE name = 'time_zone'", '"Berlin" is no time zone'),
            ("UPDATE bmd_setting SET text_value = 'nobody' WHERE name = 'default_team'", 'no team "nobody"'),
            ("UPDATE bmd_roster SET time_zone = 'Mars/Olympus'", '"Mars/Olympus" is no time zone'),
            (layer.format("shift", "'0 h'"), "shift_is_1_hour_to_366_days"),
            (layer.format("shift", "'1 month'"), "shift_is_1_hour_to_366_days_without_months"),
            (layer.format("days", "'{}'"), "days_are_1_to_7"),
            (layer.format("days", "'{0,8}'"), "days_are_1_to_7"),
            ("INSERT INTO bmd_roster_override (team_name, username, starts_at, ends_at) "
             "VALUES ('Berlin-halves', 'tech1', now(), now())", "ends_after_it_starts"),
            ("DELETE FROM bmd_technician WHERE username = 'anna'", "technician_is_in_a_roster"),
            ("INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('p', '1 min')", 'policy "p" has no steps'),
            ("INSERT INTO bmd_escalation_policy (policy_name, repeat_after) VALUES ('p', '0')", "repeat_after_is_1_second_to_1_day"),
            (step.format("", "1, '0', NULL"), "whom"),
            (step.format("", "1, '0', 'boss'"), "whom_is_known"),
            (step.format("", "1, '0', 'person'"), "names_a_person_exactly_when_for_one"),
            (step.format(", how", "1, '0', 'team', '{}'"), "how_is_subscribe_message_or_call"),
            (step.format("", "1, '1 min', 'team'") + "; INSERT INTO bmd_escalation_step (policy_id, position, after, whom) "
             "SELECT policy_id, 2, '30 s', 'team' FROM bmd_escalation_policy", "begins before the step before it")):
        try:
            stack.sql("BEGIN;" + text + ";COMMIT")
        except AssertionError as refused:
            assert words in str(refused), f"{text}: {refused}"
        else:
            raise AssertionError(f"accepted: {text}")


run("oncall", [rosters_are_provisioned_in_sql, the_answers_are_those_of_the_table, a_changed_roster_is_in_force_at_once,
               it_answers_while_the_database_is_down, a_roster_without_a_zone_follows_the_hospitals_clock,
               bad_questions_are_refused_with_the_reason,
               bad_rows_are_refused_with_what_is_wrong], errors_expected=True)
