# SPDX-License-Identifier: Apache-2.0
"""How an integration test looks: functions test_*(), run in the order of the file by main().

A test raises Skip (or process.Unavailable) when this machine cannot run it, and anything else when it fails;
`check(condition, text)` fails with the text. Lines are `ok NAME`, `not ok NAME`, `skip NAME: why`; the last line is
`N passed, N failed, N skipped`, which tests/run-integration adds up. Logs of living children are shown on failure.
"""

import os
import sys
import time
import traceback

from rig import process


class Skip(Exception):
    pass


class Failed(AssertionError):
    pass


class Counts:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, name, note=""):
        self.passed += 1
        print("ok %s%s" % (name, note and ": " + note), flush=True)

    def fail(self, name, why):
        self.failed += 1
        print("not ok %s\n%s" % (name, indent(why)), flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print("skip %s: %s" % (name, why.splitlines()[0]), flush=True)

    def summary(self):
        return "%d passed, %d failed, %d skipped" % (self.passed, self.failed, self.skipped)


def indent(text):
    return "".join("  | %s\n" % line for line in text.rstrip().splitlines()).rstrip()


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(found, wanted, what):
    check(found == wanted, "%s: %r instead of %r" % (what, found, wanted))


def run(counts, name, function):
    start = time.monotonic()
    try:
        note = function()
    except (Skip, process.Unavailable) as e:
        return counts.skip(name, str(e))
    except BaseException:
        counts.fail(name, traceback.format_exc() + process.tails())
        if not isinstance(sys.exc_info()[1], Exception):
            raise
        return
    counts.ok(name, "%.1f s%s" % (time.monotonic() - start, ", " + note if note else ""))


def main(names, only=None):
    """main(globals()): runs every test_* function, or only those named on the command line."""
    only = only if only is not None else sys.argv[1:]
    counts = Counts()
    for name, function in list(names.items()):
        if name.startswith("test_") and callable(function) and (not only or name in only):
            run(counts, name, function)
    process.clean_up()
    print(counts.summary(), flush=True)
    sys.exit(1 if counts.failed else 0)


def binary(name):
    """A program of this build: $BUILD/name, default build/gcc."""
    path = os.path.join(process.ROOT, os.environ.get("BUILD", "build/gcc"), name)
    if not os.access(path, os.X_OK):
        raise Skip("%s is not built" % path)
    return path
