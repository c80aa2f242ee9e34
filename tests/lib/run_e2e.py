"""run_e2e.py - runs the end-to-end cases and counts their sentences.

SPDX-License-Identifier: GPL-2.0-or-later
usage: run_e2e.py [--jobs N] [--limit SECONDS] [--only together|alone] [CASE...]
    default: every folder of tests/e2e
A case is a folder with README.md and run.py or run.sh that prints "ok CASE: ..." or
"not ok CASE: ...".  One that ends badly without having said so, that says nothing, or that runs
longer than its limit counts as one failure.  Cases that load the machine, or measure closely, have an
empty file "alone" in their folder and run one after the other when the others are done.  Ends with "# e2e: N passed, M failed".
"""

import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import time

CASES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e")


def command_of(case):
    for name, program in (("run.py", sys.executable), ("run.sh", "bash")):
        path = os.path.join(CASES, case, name)
        if os.path.exists(path):
            return [program, path]
    raise SystemExit(f"run_e2e: no run.py or run.sh in tests/e2e/{case}")


def end(child):
    """The case ends its own stack when asked to; only one that does not is killed."""
    for number, patience in ((signal.SIGTERM, 30), (signal.SIGKILL, 10)):
        os.killpg(child.pid, number)
        try:
            return child.communicate(timeout=patience)[0]
        except subprocess.TimeoutExpired:
            continue
    return ""


def run_case(case, limit):
    """(lines printed, sentences passed, sentences failed)."""
    begun = time.monotonic()
    child = subprocess.Popen(command_of(case), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, text=True, errors="replace",
                             start_new_session=True)
    late = False
    try:
        output = child.communicate(timeout=limit)[0]
    except subprocess.TimeoutExpired:
        late = True
        output = end(child)
    lines = output.splitlines()
    passed = sum(line.startswith("ok ") for line in lines)
    failed = sum(line.startswith("not ok ") for line in lines)
    if late:
        lines.append(f"not ok {case}: ends within {limit} s")
        failed += 1
    elif child.returncode != 0 and failed == 0 or passed + failed == 0:
        lines.append(f"not ok {case}: ends well, exit status {child.returncode}")
        failed += 1
    lines.append(f"# {case}: {passed} passed, {failed} failed, {time.monotonic() - begun:.0f} s")
    return lines, passed, failed


def main():
    parser = argparse.ArgumentParser(description="end-to-end cases")
    parser.add_argument("--jobs", type=int, default=3, help="cases at a time")
    parser.add_argument("--only", choices=("together", "alone"), help="those that run beside others, or those that do not")
    parser.add_argument("--limit", type=int, default=600, help="seconds a case may take")
    parser.add_argument("cases", nargs="*")
    options = parser.parse_args()
    cases = options.cases or sorted(
        name for name in os.listdir(CASES) if os.path.exists(os.path.join(CASES, name, "README.md")))
    passed = failed = 0
    alone = [case for case in cases if os.path.exists(os.path.join(CASES, case, "alone"))]
    together = [case for case in cases if case not in alone]
    for some, jobs, kind in ((together, max(1, options.jobs), "together"), (alone, 1, "alone")):
        if options.only not in (None, kind):
            continue
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            running = [pool.submit(run_case, case, options.limit) for case in some]
            for done in concurrent.futures.as_completed(running):
                lines, good, bad = done.result()
                print("\n".join(lines), flush=True)
                passed += good
                failed += bad
    print(f"# e2e: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
