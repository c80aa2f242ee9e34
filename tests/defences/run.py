"""run.py - switches each defence off, one at a time, and asks that its end-to-end sentences fail then.

SPDX-License-Identifier: GPL-2.0-or-later
usage: run.py [--jobs N] [--list] [NAME...]
    default: every defence of defences.toml
A copy of the source for each job is in build/defences; what is changed there is changed back.  Prints "ok defences:
NAME ..." when every sentence named fails with the defence switched off, and "not ok defences: NAME ..." when one
passes, when it did not run, or when the text to replace is not in its file exactly once.
Exit status: 0 when all are ok, 1 when not, 2 when called wrongly.
"""

import argparse
import concurrent.futures
import os
import queue
import shutil
import subprocess
import sys
import time
import tomllib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.path.join(TOP, "build", "defences")
# of build: what make would make again
BUILT = ("bin", "kamailio-5.6", "man", "modules", "obj")


def defences():
    with open(os.path.join(TOP, "tests", "defences", "defences.toml"), "rb") as file:
        return tomllib.load(file)["defence"]


def command(tree, log, *words, limit=900):
    """Exit status; what it prints is added to the log."""
    with open(log, "a", encoding="utf-8") as file:
        return subprocess.run(words, cwd=tree, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              timeout=limit, check=False).returncode


def copy(tree):
    """The source as git knows it, and what is built of it, with the times of both."""
    shutil.rmtree(tree, ignore_errors=True)
    names = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, check=True).stdout
    os.makedirs(os.path.join(tree, "build"))
    subprocess.run(["cp", "-a", "--parents", "-t", tree, *names.decode().split("\0")[:-1]], cwd=TOP, check=True)
    for name in BUILT:
        if os.path.exists(os.path.join(TOP, "build", name)):
            subprocess.run(["cp", "-a", os.path.join(TOP, "build", name), os.path.join(tree, "build")], check=True)


def switched_off(defence, text):
    """The text of the file without the defence."""
    for old, new in [defence["off"], *defence.get("also", [])]:
        if text.count(old) != 1:
            raise AssertionError(f"{defence['file']} has {text.count(old)} times: {old.strip().splitlines()[0]}")
        text = text.replace(old, new)
    return text


def sentences(tree, cases):
    """What each sentence of the cases came to: {"case: sentence": passed}."""
    done = subprocess.run([sys.executable, "tests/lib/run_e2e.py", "--jobs", "1", *cases], cwd=tree,
                          capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, check=False)
    found = {}
    for line in done.stdout.splitlines():
        for start, passed in (("ok ", True), ("not ok ", False)):
            if line.startswith(start):
                found[line.removeprefix(start)] = passed
    return found, done.stdout + done.stderr


def attempt(defence, tree):
    """(ok, what there is to say)"""
    name, log = defence["name"], os.path.join(WORK, defence["name"] + ".log")
    path = os.path.join(tree, defence["file"])
    with open(path, encoding="utf-8") as file:
        kept = file.read()
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(switched_off(defence, kept))
        if command(tree, log, "make", "-s", "build") != 0:
            return False, f"does not compile without it; see {log}"
        found, output = sentences(tree, sorted({line.split(":")[0] for line in defence["fails"]}))
        with open(log, "a", encoding="utf-8") as file:
            file.write(output)
    except AssertionError as wrong:
        return False, str(wrong)
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(kept)
    fail = [line for line, passed in found.items() if not passed]
    held = [line for line in defence["fails"] if line not in fail]
    if held:
        return False, "without it these do not fail: " + "; ".join(
            line + ("" if line in found else " (not run)") for line in held) + f"; see {log}"
    return True, f"without it {len(fail)} of {len(found)} sentences fail: " + "; ".join(defence["fails"])


def main():
    parser = argparse.ArgumentParser(description="defences, switched off one by one")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    wanted = [d for d in defences() if not options.names or d["name"] in options.names]
    unknown = set(options.names) - {d["name"] for d in wanted}
    if unknown:
        print(f"defences: none is called {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{d['name']:36} {d['threat']}" for d in wanted))
        return 0
    os.makedirs(WORK, exist_ok=True)
    trees = queue.Queue()
    for number in range(options.jobs):
        tree = os.path.join(WORK, f"tree{number}")
        copy(tree)
        log = os.path.join(WORK, f"tree{number}.log")
        if command(tree, log, "make", "-s", "build") != 0:
            print(f"defences: the copy of the source cannot be built; see {log}", file=sys.stderr)
            return 1
        trees.put(tree)

    def one(defence):
        tree, begun = trees.get(), time.monotonic()
        log = os.path.join(WORK, defence["name"] + ".log")
        if os.path.exists(log):
            os.unlink(log)
        try:
            ok, said = attempt(defence, tree)
        finally:
            trees.put(tree)
        print(f"{'' if ok else 'not '}ok defences: {defence['name']} ({time.monotonic() - begun:.0f} s): {said}", flush=True)
        return ok
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        good = list(pool.map(one, wanted))
    print(f"# defences: {sum(good)} passed, {len(good) - sum(good)} failed")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
