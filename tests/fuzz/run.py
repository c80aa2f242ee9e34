"""run.py - runs libFuzzer targets for a time each, several at a time, and counts what they did.

SPDX-License-Identifier: GPL-2.0-or-later
usage: run.py [--seconds N] [--jobs N] [--record FILE] TARGET...
Prints "ok fuzz: TARGET ..." with executions, coverage and processor time, or "not ok fuzz: TARGET ..." with the
file that keeps the input.  Inputs that were found are kept in build/fuzz/corpus/TARGET and serve the next run.
--record adds a line for each run to FILE: date, commit, target, seconds, seconds of processor, executions,
edges covered, inputs kept, "ok" or what was found; parted by tabs.
Exit status: 0, or 1 when a target crashed, leaked, hung or did not run.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TOP, "build", "fuzz")
sys.path.insert(0, HERE)
import seeds  # noqa: E402  (found only after the path is set)

# Seconds of one input that count as a hang: at idle priority a busy machine makes everybody slow.
HANG = 120
MEMORY_MB = 1024


def folder(*parts):
    path = os.path.join(BUILD, *parts)
    os.makedirs(path, exist_ok=True)
    return path


def command(target, seconds):
    arguments = [os.path.join(BUILD, "bin", target), f"-max_total_time={seconds}", f"-timeout={HANG}",
                 f"-rss_limit_mb={MEMORY_MB}", f"-max_len={seeds.LONGEST.get(target, 2048)}",
                 "-print_final_stats=1", f"-artifact_prefix={folder('crashes', target)}/"]
    words = os.path.join(HERE, "words", target + ".dict")
    if os.path.exists(words):
        arguments.append("-dict=" + words)
    found = os.path.join(HERE, "found", target)
    return arguments + [folder("corpus", target), folder("seeds", target)] + (
        [found] if os.path.isdir(found) else [])


def number(pattern, text, last=False):
    found = re.findall(pattern, text)
    return int(found[-1 if last else 0]) if found else 0


def fuzzed(target, seconds, log):
    """(exit status, seconds of processor); what it writes goes to the log."""
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
                   "UBSAN_OPTIONS": "print_stacktrace=1"}
    with open(log, "wb") as file, subprocess.Popen(command(target, seconds), stdout=subprocess.DEVNULL, stderr=file,
                                                   env=environment) as process:
        stop = threading.Timer(seconds + 600, process.kill)
        stop.start()
        _, status, used = os.wait4(process.pid, 0)
        stop.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_utime + used.ru_stime


def run(target, seconds, record):
    """The line that says how it went, and whether it went well."""
    log = os.path.join(folder("logs"), target)
    begun = time.monotonic()
    status, processor = fuzzed(target, seconds, log)
    took = time.monotonic() - begun
    with open(log, encoding="utf-8", errors="replace") as file:
        said = file.read()
    executions = number(r"stat::number_of_executed_units: (\d+)", said)
    edges, of = number(r" cov: (\d+)", said, True), number(r"\((\d+) inline 8-bit counters\)", said)
    inputs = number(r" corp: (\d+)", said, True)
    good = status == 0 and executions > 0
    why = re.search(r"(promise is broken: .*|SUMMARY: .*|ERROR: .*)", said)
    reason = why.group(1) if why else f"exit status {status}"
    if record:
        with open(record, "a", encoding="utf-8") as file:
            print(time.strftime("%F", time.gmtime()), commit(), target, round(took), round(processor), executions, edges,
                  inputs, "ok" if good else reason, sep="\t", file=file)
    if good:
        return True, (f"ok fuzz: {target}: {executions} executions, {edges} of {of} edges covered, "
                      f"{inputs} inputs kept, {processor:.0f} s of processor")
    kept = re.findall(r"Test unit written to (\S+)", said)
    return False, f"not ok fuzz: {target}: {reason}; input: {kept[-1] if kept else 'none'}; see {log}"


def commit():
    return subprocess.run(["git", "-C", TOP, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                          check=False).stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description="libFuzzer targets")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record")
    parser.add_argument("targets", nargs="+")
    options = parser.parse_args()
    for target in options.targets:
        seeds.write(target, folder("seeds", target))
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        running = [pool.submit(run, target, options.seconds, options.record) for target in options.targets]
        for done in concurrent.futures.as_completed(running):
            good, line = done.result()
            bad += not good
            print(line, flush=True)
    print(f"# fuzz: {len(options.targets)} targets, {options.seconds} s each, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
