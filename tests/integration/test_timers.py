#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""Many timers due at once while new leads arrive: fired in order of due time, so many to a batch, and a new lead waits for a
few batches of them, not for all. Counted in records, not in seconds: the batch of each decision is the `q` of its state
record, and the daemon's clock stands where we set it. Needs the failpoint build."""

import json
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, process, scenario, testing, verify  # noqa: E402
from rig.process import wait_for  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World, lead  # noqa: E402

TIMERS, CHUNK = 20000, 20
TURNS_MIN = 3             # so many lots of leads, each sent when the last is decided, get in between
SPAN_MS = 6000            # first_response of grade B in tests/rig/rules.yaml
HASH = b"0123456789abcdef"
HEADERS = [(contract.STATE_SEQ, b"1"), (contract.STATE_HASH, HASH)]


def per_batch():
    """The bound that leadrouterd(8) states."""
    with open(os.path.join(process.ROOT, "daemon", "settings.c"), encoding="utf-8") as f:
        return int(re.search(r"DUE_LIMIT = (\d+)", f.read())[1])


def state_of(number, due):
    return "lead/T-%d" % number, json.dumps({
        "ver": 1, "state": "assigned", "owner": "fay", "team": "world", "rule": "rest", "score": 30, "grade": "B",
        "at": due - SPAN_MS, "deadline": due, "level": 1, "source": "web"}, separators=(",", ":"))


def give(world, pairs):
    """One write-set of leads.state, which the daemon rebuilds Redis from."""
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": world.kafka.bootstrap, "log_level": 2})
    for key, value in pairs:
        producer.produce(world.topic(contract.STATE), value, key, 0, headers=HEADERS)
    equal(producer.flush(60), 0, "records of state that were not delivered")
    world.kafka.commit_offset(world.group, world.topic(contract.CAPTURED), 0, "v1;e=0;q=1;h=%s;n=1" % HASH.decode())


def batches(world):
    """[(q, timers fired, new leads)] in the order of leads.state."""
    found, known = {}, set()
    for record in world.read(contract.STATE):
        q = int(dict(record.headers)[contract.STATE_SEQ])
        is_new = record.key not in known
        known.add(record.key)
        if q > 1 and record.key.startswith(b"lead/"):
            found.setdefault(q, [0, 0])[is_new] += 1
    return [(q, *counts) for q, counts in sorted(found.items())]


def deadlines_told(world):
    """Deadlines of all overdue events, in the order of leads.followups."""
    events = [(dict(r.headers)[contract.TYPE].decode(), json.loads(r.value)) for r in world.read(contract.FOLLOWUPS)]
    return [verify.moment_ms(value["deadline"]) for kind, value in events
            if kind == contract.OVERDUE and value["lead_id"].startswith("T-")]


def program():
    path = os.path.join(process.ROOT, "build", "failpoints", "leadrouterd")
    if not os.access(path, os.X_OK):
        raise testing.Skip("%s is not built" % path)
    return path


def send_and_wait(world, first):
    """A lot of new leads; returns when they are decided and committed."""
    world.send([lead(number) for number in range(first, first + CHUNK)])
    wait_for(lambda: world.shards()[0]["committed_offsets"][0] == first + CHUNK, 60, "the leads are decided", every=0.004,
             log=world.daemon.log)
    return first + CHUNK


def test_new_leads_go_between_timers_that_are_due():
    os.environ["LEADROUTERD"] = program()
    rng, now = random.Random(11), int(time.time() * 1000)
    due = [now + 1 + offset for offset in range(TIMERS)]
    rng.shuffle(due)
    with World(broker.Kafka.started()) as world:
        world.daemon.env["LR_CLOCK"] = str(now)
        world.bootstrap()
        give(world, [state_of(number, at) for number, at in enumerate(due)])
        world.daemon.start()
        world.wait_ready()
        sent = send_and_wait(world, 0)
        now += TIMERS + 1
        equal(scenario.request(world.config, "POST", "/clock?now=%d&held=0" % now)[0], 200, "status of /clock")
        client = world.redis.client()
        while min(contract.read_timers(client, 0)[0].values(), default=now + 1) <= now:
            sent = send_and_wait(world, sent)
        world.check_one_outcome_each(sent)
        told = deadlines_told(world)
        equal(len(told), TIMERS, "overdue events")
        check(told == sorted(due), "timers were not fired in order of due time")

        rows, most = batches(world), per_batch()
        check(max(timers for _, timers, _ in rows) <= most, "a batch fired more than %d timers: %s" % (most, rows))
        last = max(i for i, row in enumerate(rows) if row[1])
        first = min(i for i, row in enumerate(rows) if row[1])
        turns = sum(1 for _, _, leads in rows[first:last] if leads)
        check(turns >= TURNS_MIN, "leads waited for timers: %s" % rows)
        check(world.metric("leadrouter_timer_lateness_seconds_count") >= TIMERS, "lateness was not measured")
        check(world.metric("leadrouter_route_duration_seconds_count") == sent, "delay of leads was not measured")
        world.agrees()
        return "%d leads in %d batches between %d of timers" % (sent, turns, sum(1 for row in rows if row[1]))


testing.main(globals())
