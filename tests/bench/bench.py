"""bench.py - runs the parts of the benchmark, prints the table, writes build/bench.json.

SPDX-License-Identifier: GPL-2.0-or-later

Usage: bench.py [--form short|full] [--parts a,b] [--list]
A part that fails is named and the others go on; then the exit status is 1.  A goal that is not met
is said in the table and is no failure.
"""

import argparse
import glob
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import time
import traceback

import growth
import lib

# the quick ones first; parts not named here come after
ORDER = ["evaluate", "intake", "memory", "fanout", "latency", "subscribe", "prometheus"]


def words(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def first_match(pattern, text, otherwise="?"):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else otherwise


def machine():
    """What was measured on, in (name, value) pairs."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpu = first_match(r"^model name\s*: (.*)$", file.read())
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(first_match(r"^MemTotal:\s+(\d+)", file.read(), "0")) / 2**20
    commit = words("git", "-C", lib.ROOT, "rev-parse", "--short=12", "HEAD")
    changed = words("git", "-C", lib.ROOT, "status", "--porcelain", "-uno")
    servers = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return {"cores": len(os.sched_getaffinity(0)), "processor": cpu,
            "memory": f"{memory:.1f} GiB", "kernel": platform.release(),
            "kamailio": first_match(r"version: (.*)$", words("kamailio", "-v")),
            "postgresql": words(servers[-1], "--version") if servers else "?",
            "commit": commit + (" and changes not committed" if changed else ""),
            "load before": " ".join(f"{part:.2f}" for part in os.getloadavg())}


def number(value):
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def verdict(row):
    """Met or not, and by how much."""
    if row.get("goal") is None:
        return ""
    value, goal = row.get("value"), row["goal"]
    sign = ">=" if row.get("better", "more") == "more" else "<="
    text = f"{'met' if row['met'] else 'NOT MET'} ({sign} {number(goal)}"
    if value and goal:
        off = 100 * (value - goal) / goal
        text += f", {off:+.0f} %"
    return text + ")"


def table(rows):
    lines = [("what", "value", "unit", "beside it", "there", "ratio", "goal")]
    for row in rows:
        ratio = row.get("ratio")
        lines.append((row["name"], number(row["value"]), row["unit"], row.get("baseline") or "",
                      number(row["baseline_value"]) if row.get("baseline") else "",
                      f"x {ratio:.2f}" if ratio else "", verdict(row)))
    widths = [max(len(line[i]) for line in lines) for i in range(7)]
    for line in lines:
        cells = [text.rjust(width) if i in (1, 4, 5) else text.ljust(width)
                 for i, (text, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())


def known_parts():
    names = [os.path.basename(path)[5:-3] for path in
             glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "part_*.py"))]
    return sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))


def run_part(name, ctx):
    """Rows of one part, or None when it failed."""
    print(f"== {name}", flush=True)
    begun = time.monotonic()
    try:
        rows = importlib.import_module("part_" + name).run(ctx)
        here = machine()
        for row in rows:
            if not row["size"]:
                raise AssertionError(f"the row \"{row['name']}\" says nothing of sizes")
            row |= {"part": name, "machine": here["processor"], "cores": here["cores"]}
        ctx.results[name] = rows
        print(f"   {time.monotonic() - begun:.0f} s", flush=True)
        return rows
    except Exception as error:  # the other parts go on
        print(f"bench: part {name} FAILED after {time.monotonic() - begun:.0f} s: "
              f"{type(error).__name__}: {error}", flush=True)
        if os.environ.get("BMD_TRACE"):
            traceback.print_exc()
        return None
    finally:
        ctx.end_part()


def write_results(rows, failed, ctx, place):
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
        file.write("\n")
    with open(place.replace(".json", "-run.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "full": ctx.full, "failed": failed, "notes": ctx.notes,
                   "curves": ctx.curves}, file, indent=1)
        file.write("\n")


def arguments(parts):
    parser = argparse.ArgumentParser(description="Measures bmd-alert and what one would pick instead.")
    parser.add_argument("--form", choices=("short", "full"), default="short")
    parser.add_argument("--parts", default=",".join(parts), help="of " + ",".join(parts))
    parser.add_argument("--list", action="store_true", help="name the parts and end")
    chosen = parser.parse_args()
    for name in chosen.parts.split(","):
        if name not in parts:
            parser.error(f"no such part: {name}; there are {', '.join(parts)}")
    return chosen


def main():
    parts = known_parts()
    chosen = arguments(parts)
    if chosen.list:
        print("\n".join(parts))
        return 0
    build = os.path.join(lib.ROOT, "build")
    ctx = lib.Context(chosen.form == "full", os.path.join(build, "bench"))
    for name, value in machine().items():
        print(f"{name + ':':12} {value}")
    rows, failed = [], []
    begun = time.monotonic()
    for name in chosen.parts.split(","):
        of_part = run_part(name, ctx)
        if of_part is None:
            failed.append(name)
        else:
            rows += of_part
    print()
    table(rows)
    write_results(rows, failed, ctx, os.path.join(build, "bench.json"))
    growth.draw(ctx.curves, os.path.join(build, "bench-growth.svg"))
    if ctx.full and not failed and chosen.parts.split(",") == parts:
        growth.draw(ctx.curves, os.path.join(lib.ROOT, "docs", "bench-growth.svg"))
    goals = [row for row in rows if row.get("goal") is not None]
    print(f"\nbench: {chosen.form} form, {time.monotonic() - begun:.0f} s, "
          f"{sum(bool(row['met']) for row in goals)} of {len(goals)} goals met"
          + (f"; parts FAILED: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
