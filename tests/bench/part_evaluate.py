"""part_evaluate.py - evaluation alone, modules/common on one core.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import lib

GOAL = 10_000_000


def run(ctx):
    seconds, runs = (1, 9) if ctx.full else (0.3, 5)
    rows = []
    for result in ctx.program("evaluate", "--seconds", seconds, "--runs", runs):
        rows.append(lib.row(f"evaluation, {result['devices']:,} devices x 8 metrics, {result['order']}",
                            result["per_s"], "readings/s a core", goal=GOAL,
                            size=f"{result['devices']:,} devices x 8 metrics"))
        ctx.curve("evaluate", result["order"], result["devices"], result["per_s"])
    ctx.note("Evaluation: median of the runs by processor time; one reading in 1,000 outside its "
             "limits, one in 10,000 invalid, every tenth device with prescribed values.")
    return rows
