"""guess.py - a curious watcher: learns from trials whose answer it knows, and guesses the others.

SPDX-License-Identifier: GPL-2.0-or-later
A trial is a dictionary of what was seen, and whether it was a decoy.  What was seen is text (all that is not the
same in every message of the same kind must be masked before) or a number.  Each feature is learnt by itself, and all of
them together.
"""

import bisect
import collections
import math

BINS = 8


class Text:
    """Remembers how often a text was a decoy's."""

    def __init__(self, known):
        self.seen = collections.defaultdict(lambda: [1, 1])
        for value, decoy in known:
            self.seen[value][decoy] += 1

    def odds(self, value):
        real, decoy = self.seen.get(value, (1, 1))
        return math.log(decoy / real)


class Number(Text):
    """The same of the eighth of all values in which a number lies."""

    def __init__(self, known):
        values = sorted(value for value, _ in known)
        self.edges = [values[len(values) * i // BINS] for i in range(1, BINS)]
        super().__init__([(self.bin(value), decoy) for value, decoy in known])

    def bin(self, value):
        return bisect.bisect(self.edges, value)

    def odds(self, value):
        return super().odds(self.bin(value))


def judge(values):
    return (Number if all(isinstance(v, (int, float)) for v, _ in values) else Text)(values)


def hits(odds, answers):
    """Which part was guessed; what says nothing is guessed by turns."""
    right = sum((o > 0 if o != 0 else i % 2 == 0) == bool(a) for i, (o, a) in enumerate(zip(odds, answers)))
    return right / len(answers)


def guess(trials):
    """{feature: part guessed} over the second half of [(seen, decoy)], learnt from the first; "all": by all of them."""
    half = len(trials) // 2
    known, asked = trials[:half], trials[half:]
    answers = [decoy for _, decoy in asked]
    result, total = {}, [0.0] * len(asked)
    for name in sorted(set.intersection(*(set(seen) for seen, _ in trials))):
        by = judge([(seen[name], decoy) for seen, decoy in known])
        odds = [by.odds(seen[name]) for seen, _ in asked]
        result[name] = hits(odds, answers)
        total = [a + b for a, b in zip(total, odds)]
    result["all"] = hits(total, answers)
    return result


def chance(count, deviations=4.0):
    """What chance reaches in so many guesses, but once in 30,000 times."""
    return 0.5 + deviations * 0.5 / math.sqrt(count)
