# SPDX-License-Identifier: Apache-2.0
"""From a record that is sent at its time to the first event that a read_committed consumer has of it: the two ends of a
measurement of latency, each to be run as a process of its own.

They share the machine with what they measure. So the sender sleeps until the next record is due, and at a high rate it
sends what is due within a few milliseconds together, which is the client's default: a request for each would cost itself
and the broker twice as much, half a core at three thousand per second. The consumer waits for a message, takes what has
come with it and looks at the clock once, before it looks at any of them.
"""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import contract  # noqa: E402

LAST_SECONDS = 10          # the consumer goes on for so long after the end
BATCHED_RATE = 500         # records per second, from which on they are sent together ...
BATCHED_MS = 5             # ... if they are due within so many of the first
WAIT_SECONDS = 0.1         # it looks so often whether that is reached
TAKE = 1000


def send(bootstrap, topic, records, rate, begins, ends):
    """Record i at begins + i / rate, until there are no more or `ends` (a shared time, 0: not known yet) has come."""
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "log_level": 3,
                         "linger.ms": 0 if rate < BATCHED_RATE else BATCHED_MS})
    for i, (_topic, _tenant, key, headers, value) in enumerate(records):
        due = begins + i / rate
        if ends.value and due > ends.value:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        producer.produce(topic, value, key, 0, headers=headers)
        producer.poll(0)
    producer.flush(30)


def receive(bootstrap, topics, wanted, ends, answers):
    """Puts {offset of a record: when the first event of it was there}: offsets are places in the sender's schedule. Until
    all `wanted` ones are seen, or `ends` is LAST_SECONDS ago."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-visible", "enable.auto.commit": False,
                         "isolation.level": "read_committed", "log_level": 3})
    consumer.assign([TopicPartition(t, 0, OFFSET_BEGINNING) for t in topics])
    seen = {}
    while len(seen) < wanted and (not ends.value or time.monotonic() < ends.value + LAST_SECONDS):
        first = consumer.poll(WAIT_SECONDS)
        messages = [] if first is None else [first] + consumer.consume(TAKE, 0)
        now = time.monotonic()
        for message in messages:
            cause = message.error() is None and dict(message.headers() or []).get(contract.CAUSE, b"").decode()
            if cause and not cause.startswith("timer:"):
                seen.setdefault(int(cause.rpartition("/")[2]), now)
    answers.put(seen)
    consumer.close()


def percentiles(latencies):
    """Of seconds, in milliseconds."""
    values = sorted(latencies)
    return {"leads": len(values), "p50_ms": values[len(values) // 2] * 1e3, "p99_ms": values[len(values) * 99 // 100] * 1e3,
            "max_ms": values[-1] * 1e3}
