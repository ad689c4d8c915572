#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""R0 on every broker version that we claim: the cases of r0.c, and the idle case on a broker that forgets soon."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, process, testing  # noqa: E402

SECONDS = 150
FORGETFUL = {
    "producer.id.expiration.ms": "2000",
    "producer.id.expiration.check.interval.ms": "500",
    "transactional.id.expiration.ms": "3000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
}


def start(program, version, settings, place):
    """The cases mostly wait, so all versions run side by side."""
    kafka = broker.Kafka.started(version=version, settings=settings)
    arguments = ["--idle", kafka.bootstrap] if settings else [kafka.bootstrap, str(kafka.pid())]
    log = os.path.join(place, "r0-%s%s.log" % (version, "-idle" if settings else ""))
    return version, kafka, process.Child([program] + arguments, log)


def collect(counts, version, kafka, child):
    """The lines of a run with the version in front; a run without its last line has failed, whatever it printed."""
    code = child.wait(SECONDS)
    with open(child.log, errors="replace") as f:
        lines = f.read().splitlines()
    for line in lines:
        verdict, _, text = line.partition(" - ")
        name = "kafka %s: %s" % (version, text)
        if verdict.startswith("ok "):
            counts.ok(name)
        elif verdict.startswith("skip "):
            counts.skip(name, "see above")
        elif verdict.startswith("not ok "):
            counts.fail(name, "\n".join(lines) + kafka_tail(kafka))
    if not any(line.endswith(" skipped") for line in lines):
        counts.fail("kafka %s: r0 ended with code %s" % (version, code), "\n".join(lines[-20:]) + kafka_tail(kafka))
    kafka.kill9()


def kafka_tail(kafka):
    return process.tail(kafka.log)


def main():
    counts = testing.Counts()
    try:
        program = testing.binary("integration/r0")
        place = process.folder("leadrouter-r0-")
        runs = [start(program, v, s, place) for v in broker.VERSIONS for s in ({}, FORGETFUL)]
        for run in runs:
            collect(counts, *run)
    except (testing.Skip, process.Unavailable) as e:
        counts.skip("r0", str(e))
    print(counts.summary())
    sys.exit(1 if counts.failed else 0)


main()
