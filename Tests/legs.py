#!/usr/bin/env python3
"""Runs the Swift tests of a build, each test target in a process of its own, and holds each to its bounds.

    Tests/legs.py LEG PROGRAM FOLDER TARGET ...

LEG is a name for the report, such as "thread sanitizer"; PROGRAM the test program that SwiftPM built; FOLDER gets a log for
each target. Of a TARGET:SUITES only the suites that match run. A target fails when a test of it fails, when it runs none, when its process ends by a signal or a sanitizer, when
it takes longer than JOBREACTOR_LEG_SECONDS (default 1800), or when it, or a process that it started, ever has more than
2 GiB of memory resident.

Two targets run at a time, since most tests wait more than they compute; give those that take longest first. Prints how each
ended, and what failed; all that the tests printed is in the logs. Then a table, a line for each test that failed, and last
"LEG: N passed, N failed".
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

MOST_MEBIBYTES = 2048
SECONDS = int(os.environ.get("JOBREACTOR_LEG_SECONDS", "1800"))
COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
CLOSING = re.compile(r"Test run with (\d+) tests? in \d+ suites? (passed|failed)")
FAILED = re.compile(r"^. Test (?!run with )(.*) failed after ")
TELLING = re.compile(rb"recorded an issue|WARNING: ThreadSanitizer|ERROR: \w+Sanitizer|Fatal error|Assertion failed")


printing = threading.Lock()


class Outcome:
    def __init__(self, target):
        self.target = target
        self.tests = None
        self.passed = 0
        self.failed = 0
        self.seconds = 0.0
        self.processor = 0.0
        self.mebibytes = 0
        self.reasons = []
        self.names = []


def run(program, folder, target):
    target, _, suites = target.partition(":")
    outcome = Outcome(target)
    path = os.path.join(folder, target + ".log")
    began = time.monotonic()
    process = subprocess.Popen(
        [program, "--testing-library", "swift-testing", "--filter", rf"^{target}\.{suites}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def give_up():
        outcome.reasons.append(f"longer than {SECONDS} s")
        # A sanitizer prints where it is.
        for number in (signal.SIGABRT, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                return
            time.sleep(10)

    timer = threading.Timer(SECONDS, give_up)
    timer.daemon = True
    timer.start()
    # A thread of its own reads: a process that the tests left behind could hold the pipe open for ever.
    reader = threading.Thread(target=relay, args=(process.stdout, path, outcome), daemon=True)
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join(10)
    if reader.is_alive():
        outcome.reasons.append("left a process that holds its output open")
    timer.cancel()
    outcome.seconds = time.monotonic() - began
    outcome.processor = usage.ru_utime + usage.ru_stime
    outcome.mebibytes = usage.ru_maxrss // 1024
    code = process.returncode
    if code != 0 and outcome.failed == 0:
        outcome.reasons.append(f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}")
    if not outcome.tests:
        outcome.reasons.append("ran no test" if outcome.tests == 0 else "did not come to its end")
    if outcome.mebibytes > MOST_MEBIBYTES:
        outcome.reasons.append(f"had {outcome.mebibytes} MiB resident, more than {MOST_MEBIBYTES}")
    outcome.passed = max(0, (outcome.tests or 0) - outcome.failed)
    outcome.failed += len(outcome.reasons)
    with printing:
        print(f"{target}: {outcome.passed} passed, {outcome.failed} failed after {outcome.seconds:.0f} seconds", flush=True)
        if outcome.failed:
            tell(path)
    return outcome


def relay(output, path, outcome):
    """Keeps what the tests print, and counts."""
    with open(path, "wb") as log:
        for line in output:
            log.write(line)
            log.flush()
            line = COLOURS.sub(b"", line).decode(errors="replace")
            failed = FAILED.match(line)
            if failed:
                outcome.failed += 1
                outcome.names.append(failed[1])
            closing = CLOSING.search(line)
            if closing:
                outcome.tests = int(closing[1])


def tell(path):
    """What failed once more, where a reader of the end of the output finds it."""
    with open(path, "rb") as log:
        lines = [COLOURS.sub(b"", line) for line in log]
    shown = 0
    for number, line in enumerate(lines):
        if TELLING.search(line) and shown < 200:
            for told in lines[number:number + (4 if b"recorded an issue" in line else 40)]:
                sys.stdout.buffer.write(b"   " + told)
                shown += 1
    sys.stdout.buffer.flush()


def main():
    # A shell without job control has programs that it starts in the background ignore it, and theirs after them.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Two tests at a time: each starts processes and threads of its own, and all at once only starve one another.
    os.environ.setdefault("SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH", "2")
    leg, program, folder, targets = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
    os.makedirs(folder, exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as lanes:
        outcomes = list(lanes.map(lambda target: run(program, folder, target), targets))
    print(f"\n{leg:<28} {'passed':>7} {'failed':>7} {'seconds':>8} {'CPU s':>6} {'MiB':>6}")
    for outcome in outcomes:
        why = "".join(f"  {reason}" for reason in outcome.reasons)
        print(f"{outcome.target:<28} {outcome.passed:>7} {outcome.failed:>7} {outcome.seconds:>8.0f}"
              f" {outcome.processor:>6.0f} {outcome.mebibytes:>6}{why}")
    for outcome in outcomes:
        for what in outcome.names + outcome.reasons:
            print(f"{leg.split()[0]}: {outcome.target}: {what}")
    passed, failed = sum(o.passed for o in outcomes), sum(o.failed for o in outcomes)
    print(f"{leg.split()[0]}: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
