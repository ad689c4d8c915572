#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: broker
"""The verifier is not blind: a correct run is clean, and every kind of fault that it claims to see, it sees.

The run is made by a toy router that knows the persons beforehand; its records are changed one fault at a time.
"""

import copy
import datetime
import hashlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract as c, generate, redis_server, testing, verify  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.verify import Record  # noqa: E402

PARTITIONS = 2
START_MS = 1790000000000
HOUR_MS = 3600000
RUNNING = {"ver": 1, "state": "assigned", "owner": "ann", "deadline": START_MS + HOUR_MS}
SHARED = os.environ.get("LR_KAFKA")


def iso(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Toy:
    """Routes generated records as leadrouter must; keeps what it would write to each topic and to Redis."""

    def __init__(self, leads=300):
        self.inputs, self.outputs, self.state = [], [], []
        self.offsets, self.owner, self.known = {}, {}, set()
        self.seq, self.hash = {}, {}
        self.views = {p: {n: {} for n in c.CONTAINERS + ("head", "due", "torn")} for p in range(PARTITIONS)}
        generator = generate.Generator(leads, seed=3, tenants=5, hostile=0.1, touches=0.3)
        for topic, tenant, key, headers, value in generator.records():
            shard = c.shard_of(tenant, PARTITIONS)
            record = Record(topic, shard, self._offset(topic, shard), START_MS, key, value, list(headers))
            self.inputs.append(record)
            self._route(record)
        self._overdue()

    def _offset(self, topic, shard):
        self.offsets[topic, shard] = self.offsets.get((topic, shard), -1) + 1
        return self.offsets[topic, shard]

    def _route(self, record):
        lead = verify.parse(record.value)
        lead = lead.get("data", lead)
        cause = c.cause_of_input(record.topic, record.partition, record.offset)
        if record.topic == c.ACTIVITY:
            self.known.add(lead["lead_id"])
            self._emit(c.LIFECYCLE, record.partition, "lead.status", lead["lead_id"], cause, START_MS + 1000,
                       {"status": "in_progress", "method": "call"})
            return self._keep(record.partition, lead["lead_id"], dict(RUNNING, touched=START_MS))
        person = lead.get("attributes", {}).get("person")
        if not isinstance(person, str):
            return self._reject(record, cause)
        first = self.owner.setdefault(person, lead["lead_id"])
        if first != lead["lead_id"] or (record.partition, first) in self.owner:
            return self._emit(c.LIFECYCLE, record.partition, "lead.duplicate", first, cause, START_MS, {c.FIRST_LEAD: first})
        self.owner[record.partition, first] = True
        deadline = {"owner": "ann", "reason": "first", "deadline": iso(START_MS + HOUR_MS), "ownership_version": 1}
        self._emit(c.ASSIGNMENTS, record.partition, "lead.assigned", first, cause, START_MS, deadline)
        self._keep(record.partition, first, RUNNING)

    def _emit(self, topic, shard, kind, lead, cause, at, value, event_id=None):
        headers = {c.ID: event_id or "%s:%s" % (cause, kind), c.TYPE: kind, "ce_source": "/toy", c.TIME: iso(at), c.SUBJECT: lead,
                   "ce_specversion": "1.0", c.CAUSE: cause}
        self._out(topic, shard, lead.encode(), json.dumps(dict(value, lead_id=lead)).encode(),
                  [(k, v.encode()) for k, v in headers.items()], at)

    def _out(self, topic, shard, key, value, headers, at):
        self.outputs.append(Record(topic, shard, self._offset(topic, shard), at, key, value, headers))

    def _reject(self, record, cause):
        added = [(c.ERROR_CODE, b"bad_json"), (c.ERROR_NUMBER, b"LR101"), (c.CAUSE, cause.encode())]
        added += [(name, part.encode()) for name, part in zip(c.ERROR_ORIGIN, cause.split("/"))]
        self._out(c.REJECTED, record.partition, record.key, record.value, record.headers + added, START_MS)

    def _keep(self, shard, lead, value):
        self.seq[shard] = self.seq.get(shard, 0) + 1
        self.hash[shard] = hashlib.sha256(b"%d" % self.seq[shard]).hexdigest()[:16]
        headers = [(c.STATE_SEQ, b"%d" % self.seq[shard]), (c.STATE_HASH, self.hash[shard].encode())]
        data = json.dumps(value).encode()
        self.state.append(Record(c.STATE, shard, self._offset(c.STATE, shard), START_MS, b"lead/" + lead.encode(), data, headers))
        view = self.views[shard]
        due = float(value["deadline"]) if value == RUNNING else None
        view["lead"][lead.encode()] = c.stored_lead(data, due)
        view["due"].pop(lead.encode(), None)
        if due:
            view["due"][lead.encode()] = due
        view["head"] = {b"s": b"N", b"q": headers[0][1], b"h": headers[1][1]}

    def _overdue(self):
        """The clock has gone on by an hour: everybody who was not touched is overdue."""
        for record in [r for r in self.outputs if r.topic == c.ASSIGNMENTS]:
            lead = record.key.decode()
            if lead not in self.known:
                self.fire(record.partition, lead, START_MS + HOUR_MS)
                self._keep(record.partition, lead, dict(RUNNING, level=2))

    def fire(self, shard, lead, at, event_id=None):
        value = {"timer": "first_response", "level": 1, "deadline": iso(START_MS + HOUR_MS)}
        self._emit(c.FOLLOWUPS, shard, c.OVERDUE, lead, "timer:%s:first_response:1" % lead, at, value,
                   event_id or "%s:first_response:1:1" % lead)


def judge(toy):
    verifier = verify.Verifier(now_ms=START_MS + 2 * HOUR_MS)
    for record in toy.inputs:
        verifier.add_input(record)
    for record in toy.outputs:
        verifier.add_output(record)
    for record in toy.state:
        verifier.add_state(record)
    for shard, view in toy.views.items():
        verifier.compare_view(view, shard)
    return verifier.finish()


GOOD = Toy()


def position(toy, topic, nth=0, kind=None):
    return [i for i, r in enumerate(toy.outputs)
            if r.topic == topic and (kind is None or verify.last_header(r, c.TYPE) == kind)][nth]


def caught(change, **wanted):
    """The change is counted as `wanted` and as nothing else."""
    toy = copy.deepcopy(GOOD)
    change(toy)
    counts = {k: v for k, v in judge(toy).counts.items() if v}
    equal(counts, {k.replace("_", "-" if k == "double_owned" else " "): v for k, v in wanted.items()}, "counts")


def with_headers(record, **changes):
    return record._replace(headers=[(k, changes.get(k, v)) for k, v in record.headers])


def test_correct_run_is_clean():
    report = judge(GOOD)
    check(report.clean, report.text())
    for kind in ("lead.assigned", "lead.duplicate", "lead.status", c.OVERDUE, c.REJECTED):
        check(report.seen[kind] > 10, "the run has enough of %s: %d" % (kind, report.seen[kind]))


def test_missing_outcome_is_lost():
    caught(lambda toy: toy.outputs.pop(position(toy, c.LIFECYCLE, 3, "lead.duplicate")), lost=1)
    caught(lambda toy: toy.outputs.pop(position(toy, c.REJECTED)), lost=1)
    caught(lambda toy: toy.outputs.pop(position(toy, c.FOLLOWUPS)), lost=1)


def test_missing_assignment_costs_the_person_its_lead():
    def change(toy):
        i = position(toy, c.ASSIGNMENTS, 2)
        lead = toy.outputs[i].key
        toy.outputs = [r for j, r in enumerate(toy.outputs) if j != i and not (r.topic == c.FOLLOWUPS and r.key == lead)]
    caught(change, lost=2)


def test_repeated_event_is_a_duplicate():
    caught(lambda toy: toy.outputs.append(toy.outputs[position(toy, c.LIFECYCLE, -1)]), duplicate=1)
    caught(lambda toy: toy.outputs.append(toy.outputs[position(toy, c.REJECTED)]), duplicate=1)


def test_second_outcome_of_a_record_is_a_duplicate():
    def change(toy):
        record = toy.outputs[position(toy, c.ASSIGNMENTS, -1)]
        toy.outputs.append(with_headers(record, **{c.ID: b"other", c.TYPE: b"lead.unassigned"}))
    caught(change, duplicate=1)


def test_second_overdue_under_another_id_is_a_duplicate():
    def change(toy):
        record = toy.outputs[position(toy, c.FOLLOWUPS)]
        toy.fire(record.partition, record.key.decode(), START_MS + HOUR_MS + 5, "another id")
    caught(change, duplicate=1)


def test_second_owner_is_seen():
    def change(toy):
        i = position(toy, c.LIFECYCLE, 0, "lead.duplicate")
        record = toy.outputs[i]
        value = dict(json.loads(record.value), reason="first", owner="bob")
        toy.outputs[i] = with_headers(record._replace(topic=c.ASSIGNMENTS, value=json.dumps(value).encode()),
                                      **{c.TYPE: b"lead.assigned"})
    caught(change, double_owned=2, view_differences=1)  # the person, and a version that was there before


def test_duplicate_of_somebody_else_is_seen():
    def change(toy):
        i = position(toy, c.LIFECYCLE, 0, "lead.duplicate")
        toy.outputs[i] = with_headers(toy.outputs[i]._replace(value=b'{"first_lead_id":"L-other"}'))
    caught(change, double_owned=1)


def test_early_overdue_is_seen():
    def change(toy):
        i = position(toy, c.FOLLOWUPS)
        toy.outputs[i] = with_headers(toy.outputs[i], **{c.TIME: iso(START_MS + HOUR_MS - 1).encode()})
    caught(change, early=1)


def test_overdue_after_a_touch_is_seen():
    def change(toy):
        record = toy.outputs[position(toy, c.LIFECYCLE, 0, "lead.status")]
        toy.fire(record.partition, record.key.decode(), START_MS + HOUR_MS)
    caught(change, early=1)


def test_altered_rejects_are_seen():
    def value(toy):
        i = position(toy, c.REJECTED)
        toy.outputs[i] = toy.outputs[i]._replace(value=b"other")

    def headers(toy):
        i = next(i for i, r in enumerate(toy.outputs) if r.topic == c.REJECTED and r.headers[0][0] == "x-bytes")
        toy.outputs[i] = toy.outputs[i]._replace(headers=toy.outputs[i].headers[1:])
    caught(value, altered=1)
    caught(headers, altered=1)


def test_wrong_order_is_seen():
    def change(toy):
        places = {}
        for i, record in enumerate(toy.outputs):
            if record.topic == c.LIFECYCLE and verify.last_header(record, c.TYPE) == "lead.duplicate":
                places.setdefault(record.key, []).append(i)
        i, j = next(p for p in places.values() if len(p) > 1)[:2]
        toy.outputs[i], toy.outputs[j] = toy.outputs[j], toy.outputs[i]
    caught(change, out_of_order=1)


def test_view_differences_are_seen():
    def changed(toy):
        lead = next(iter(toy.views[0]["lead"]))
        toy.views[0]["lead"][lead] = b"{}"

    def added(toy):
        toy.views[1]["ident"][b"x"] = b"y"

    def head(toy):
        toy.views[1]["head"][b"h"] = b"0" * 16

    def loading(toy):
        toy.views[1]["head"][b"s"] = b"L"

    def due(toy):
        toy.views[0]["due"][b"L-nobody"] = float(START_MS + 9 * HOUR_MS)

    def torn(toy):
        toy.views[0]["torn"][b"bound"] = "is torn"
    for change in (changed, added, head, loading, due, torn):
        caught(change, view_differences=1)


def test_owner_that_no_event_names_is_seen():
    def change(toy):
        i = position(toy, c.ASSIGNMENTS, 4)
        value = dict(json.loads(toy.outputs[i].value), owner="bob")
        toy.outputs[i] = toy.outputs[i]._replace(value=json.dumps(value).encode())
    caught(change, view_differences=1)


def hand_over(version):
    """A lead goes to somebody else in a walk, and its state says so."""
    def change(toy):
        first = toy.outputs[position(toy, c.ASSIGNMENTS)]
        lead = first.key.decode()
        toy._emit(c.ASSIGNMENTS, first.partition, "lead.assigned", lead, "walk:mem/walk/handover/ann:%s" % lead, START_MS,
                  {"owner": "bob", "reason": "handed_over", "previous_owner": "ann", "ownership_version": version})
        toy._keep(first.partition, lead, {"ver": version, "state": "assigned", "owner": "bob"})
    return change


def test_owner_by_order_is_understood():
    caught(hand_over(2))


def test_version_that_does_not_follow_is_seen():
    caught(hand_over(3), double_owned=1)


def test_torn_write_set_is_seen():
    def hashes(toy):
        toy.state.insert(5, with_headers(toy.state[4], **{c.STATE_HASH: b"f" * 16}))

    def gap(toy):
        shard = toy.state[0].partition
        toy.state.remove([r for r in toy.state if r.partition == shard and r.key != toy.state[0].key][3])
    toy = copy.deepcopy(GOOD)
    hashes(toy)
    check(judge(toy).counts["torn"] >= 1, "two hashes of one number")
    toy = copy.deepcopy(GOOD)
    gap(toy)
    check(judge(toy).counts["torn"] == 1, "a gap")


def test_rejected_good_lead_is_unexpected():
    def change(toy):
        i = position(toy, c.LIFECYCLE, 0, "lead.duplicate")
        cause = verify.last_header(toy.outputs.pop(i), c.CAUSE)
        record = next(r for r in toy.inputs if c.cause_of_input(r.topic, r.partition, r.offset) == cause)
        toy._reject(record, cause)
    caught(change, unexpected=1)


def page_of(*timers):
    return b"".join(bytes([6 + len(name)]) + ms.to_bytes(6, "big") + name for ms, name in timers)


def test_pages_of_timers_are_read_and_judged():
    low, high = (5).to_bytes(6, "big") + b"b", (7).to_bytes(6, "big")
    good = {low: page_of((6, b"mem/pend/a"), (5, b"a"), (6, b"c")), high: page_of((2 ** 41, b"z"), (7, b"y"))}
    equal(c.timers_in_pages(good, [low, high]), ({b"mem/pend/a": 6.0, b"a": 5.0, b"c": 6.0, b"z": 2.0 ** 41, b"y": 7.0}, {}), "good pages")
    for what, spoilt, bounds, where in (
            ("a page that the index does not name", good, [low], [high]),
            ("a page that is not there", {low: good[low]}, [low, high], [high]),
            ("one timer twice", {low: good[low] + page_of((6, b"y")), high: good[high]}, [low, high], [high]),
            ("before its page", {low: good[low], high: page_of((6, b"y"))}, [low, high], [high]),
            ("behind its page", {low: page_of((7, b"x")), high: good[high]}, [low, high], [low]),
            ("torn", {low: good[low][:-1], high: good[high]}, [low, high], [low]),
            ("empty", {low: b"", high: good[high]}, [low, high], [low])):
        equal(sorted(c.timers_in_pages(spoilt, bounds)[1]), where, what)


def test_a_run_through_kafka_and_redis_is_clean():
    """The same records on a real broker: what the verifier reads there is what it was shown here."""
    from confluent_kafka import Producer
    kafka = broker.Kafka(os.environ["LR_KAFKA_DIR"]) if SHARED else broker.Kafka.started()
    kafka.create_topics(*c.topics(PARTITIONS))
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "enable.idempotence": True, "message.max.bytes": 4 << 20})
    for record in GOOD.inputs + GOOD.outputs + GOOD.state:
        producer.produce(record.topic, record.value, record.key, record.partition, headers=record.headers,
                         timestamp=record.timestamp)
    equal(producer.flush(60), 0, "unsent")
    server = redis_server.RedisServer.started()
    for shard, view in GOOD.views.items():
        for name, content in dict(view, due=[], torn=[]).items():
            if content:
                server.client().hset(c.view_key(shard, name), mapping=content)
    report = verify.verify(kafka.bootstrap, PARTITIONS, server.client())
    equal(verify.backlog(kafka.bootstrap), len(GOOD.inputs), "backlog of a group that never was there")
    wrong = {k: v for k, v in report.counts.items() if v}
    equal(wrong, {}, "counts\n" + report.text())
    before = verify.digest_of_view(server.client(), PARTITIONS)
    server.client().hset(c.view_key(0, "lead"), "L-new", "{}")
    check(before != verify.digest_of_view(server.client(), PARTITIONS), "the digest sees a new field")
    equal(verify.verify(kafka.bootstrap, PARTITIONS, server.client()).counts["view differences"], 1, "one more field")


testing.main(globals())
