"""roster_oracle.py - who is on call in 2026, by Python's zoneinfo: what roster_test.cpp is compared with.

SPDX-License-Identifier: GPL-2.0-or-later
usage: roster_oracle.py ROSTER_CASES > TABLE      lines "ROSTER SECONDS PERSON", one for each change
Shares no code and no time zone library with modules/common: all shifts and hours of the year are laid
out one by one, and the year is walked in steps of ten minutes.
"""

import bisect
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

STEP = 600
BEGIN = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
END = int(datetime(2027, 1, 1, tzinfo=timezone.utc).timestamp())


def instant(wall, zone):
    """Of a time shown twice the first; of a skipped one the moment of the skip."""
    seconds = int(wall.replace(tzinfo=zone, fold=0).timestamp())
    if datetime.fromtimestamp(seconds, zone).replace(tzinfo=None) == wall:
        return seconds
    low, high = seconds - 86400, seconds + 86400  # the offset changes once in between
    before = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high


def clock(text):
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


class Layer:
    def __init__(self, zone, starts_on, hand_over, hours, days, begin, end, people):
        self.people = [] if people == "-" else people.split(",")
        first = datetime.combine(date.fromisoformat(starts_on), datetime.min.time()) + clock(hand_over)
        self.shifts, wall = [], first
        while wall.year < 2028:
            self.shifts.append(instant(wall, zone))
            wall += timedelta(hours=int(hours))
        self.spans, day = [], datetime(2025, 12, 25)
        while day < datetime(2027, 1, 5):
            if str(day.isoweekday()) in days:
                last = day + clock(end) + (timedelta(days=1) if clock(end) <= clock(begin) else timedelta())
                self.spans.append((instant(day + clock(begin), zone), instant(last, zone)))
            day += timedelta(days=1)

    def person(self, at):
        place = bisect.bisect_right(self.spans, (at, END * 2))
        covered = any(begin <= at < end for begin, end in self.spans[max(0, place - 3):place])
        shift = bisect.bisect_right(self.shifts, at) - 1
        if not self.people or not covered or shift < 0:
            return None
        return self.people[shift % len(self.people)]


def read(path):
    rosters = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            kind, name, *rest = line.rstrip("\n").split("\t")
            if kind == "zone":
                rosters[name] = (ZoneInfo(rest[0]), [], [])
            elif kind == "layer":
                rosters[name][1].append(Layer(rosters[name][0], *rest[1:]))
            else:
                times = [int(datetime.fromisoformat(t.replace("Z", "+00:00")).timestamp()) for t in rest[2:]]
                rosters[name][2].append((times[2], int(rest[0]), times[0], times[1], rest[1]))
    return rosters


def person(roster, at):
    standing_in = [o for o in roster[2] if o[2] <= at < o[3]]
    if standing_in:
        return max(standing_in)[4]
    covering = [layer.person(at) for layer in roster[1]]
    return next((p for p in reversed(covering) if p), "-")


for roster_name, one in read(sys.argv[1]).items():
    last = None
    for moment in range(BEGIN, END, STEP):
        now = person(one, moment)
        if now != last:
            print(roster_name, moment, now, sep="\t")
        last = now
