#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""The daemon's consumer, commit thread, state log and checks on every broker version that we claim: kafka_parts.c."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, process, testing  # noqa: E402

SECONDS = 200


def start(program, version, place):
    kafka = broker.Kafka.started(version=version)
    log = os.path.join(place, "kafka_parts-%s.log" % version)
    return version, kafka, process.Child([program, kafka.bootstrap], log)


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
        elif verdict.startswith("not ok "):
            counts.fail(name, "\n".join(lines) + process.tail(kafka.log))
    if not any(line.endswith(" skipped") for line in lines):
        counts.fail("kafka %s: kafka_parts ended with code %s" % (version, code),
                    "\n".join(lines[-20:]) + process.tail(kafka.log))
    kafka.kill9()


def main():
    counts = testing.Counts()
    try:
        program = testing.binary("integration/kafka_parts")
        place = process.folder("leadrouter-kafka-parts-")
        for run in [start(program, version, place) for version in broker.VERSIONS]:
            collect(counts, *run)
    except (testing.Skip, process.Unavailable) as e:
        counts.skip("kafka_parts", str(e))
    print(counts.summary())
    sys.exit(1 if counts.failed else 0)


main()
