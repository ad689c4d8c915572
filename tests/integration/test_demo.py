#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo keeps what it promises: each part is shown, the sums agree, an interrupt ends it, nothing stays behind."""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from rig import process, testing  # noqa: E402
from rig.testing import Skip, check, equal  # noqa: E402

DEMO = os.path.join(process.ROOT, "tests", "demo")
SAMPLES = os.path.join(process.ROOT, "config", "examples", "leads.jsonl")
DEMO_SECONDS = 150


def start(place, *arguments):
    """The demo with a temporary folder of its own, so that we see what it leaves there."""
    for name in ("leadrouterd", "leadctl"):
        testing.binary(name)
    if not shutil.which("redis-server"):
        raise Skip("redis-server is not installed")
    return subprocess.Popen([DEMO, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env=dict(os.environ, TMPDIR=place), cwd=place, start_new_session=True)


def processes_in(place):
    """Command lines that name the folder; the demo starts everything with a path in it, or with one as its folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                line = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
            inside = place in line or os.readlink("/proc/%s/cwd" % pid).startswith(place)
        except OSError:
            continue
        if inside and int(pid) != os.getpid():
            found.append(line)
    return found


def nothing_left(place):
    end = time.monotonic() + 5  # what the kernel kills with us is gone a moment after us
    while processes_in(place) and time.monotonic() < end:
        select.select([], [], [], 0.05)
    equal(processes_in(place), [], "processes left")
    equal(os.listdir(place), [], "files left")


def promised(text, samples):
    flat = " ".join(text.split())  # lines end where the width of the page has it
    numbers = [int(n) for n in re.search(
        r"(\d+) records in, (\d+) outcomes: (\d+) assigned, (\d+) to nobody, (\d+) merged, (\d+) rejected", text).groups()]
    check(numbers[0] == numbers[1] == sum(numbers[2:]) and numbers[0] > samples, "sums: %s" % numbers)
    check(min(numbers[2:]) > 0, "each outcome occurs: %s" % numbers)
    for part in ("for trying only", "no transactional offsets", "leadctl bootstrap", "Who got which lead, and why",
                 "sends it to team", "the customer asked for", "went to nobody", "Shares of each team", "same email", "same phone",
                 "same lead id", "same event", "the first response came in time", "has until", "is overdue", "the manager is told",
                 "somebody else is to get it", " went from ", " is won", "became opportunity",
                 "the first response came late", "1st on time", "Follow-up", "HGET {lr:0}:lead", "nothing is left behind"):
        check(part in flat, "not shown: %s" % part)
    check(re.search(r"somebody else is to get it\. Lead \S+ went from ", flat), "the breach stands before what it brought")
    for code in ("too_large", "bad_json", "too_deep", "duplicate_key", "bad_utf8", "wrong_field_type", "bad_lead_id",
                 "no_contact", "unknown_lead"):
        check(code in text, "no record was rejected with %s" % code)
    check("\033" not in text and "\0" not in text, "control characters, though this is no terminal")


def test_samples_are_many_and_various():
    with open(SAMPLES, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    leads = [l.get("data", l) for l in lines if isinstance(l, dict)]
    check(len(lines) >= 200, "%d samples" % len(lines))
    countries = {l["location"]["country"] for l in leads if "location" in l}
    check(len(countries) >= 25, "%d countries" % len(countries))
    scripts = {name.split()[0] for l in leads for c in str(l.get("contact", "")) for name in [_name(c)] if name}
    check({"LATIN", "CJK", "HANGUL", "ARABIC", "HEBREW", "GREEK", "CYRILLIC", "DEVANAGARI", "THAI"} <= scripts, sorted(scripts))


def _name(character):
    import unicodedata
    return unicodedata.name(character, "") if character.isalpha() else ""


def test_everything_is_shown_and_nothing_left():
    place = tempfile.mkdtemp(prefix="lr-demo-")
    try:
        demo = start(place)
        output = demo.communicate(timeout=DEMO_SECONDS)[0].decode("utf-8", "replace")
        check(demo.returncode == 0, "exit code %s\n%s" % (demo.returncode, output))
        with open(SAMPLES, "rb") as f:
            promised(output, sum(1 for _ in f))
        nothing_left(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_interrupt_ends_it():
    place = tempfile.mkdtemp(prefix="lr-demo-")
    try:
        demo = start(place)
        for line in demo.stdout:
            if b"leadctl check" in line:  # the next step takes a while
                break
        demo.send_signal(signal.SIGINT)
        output = demo.communicate(timeout=60)[0].decode("utf-8", "replace")
        equal(demo.returncode, 130, "exit code; " + output)
        nothing_left(place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    testing.main(globals())
