#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The independent verifier: reads every input and every output with read_committed, and Redis, and counts what is wrong.

  verify.py --kafka HOST:PORT --partitions N [--redis SOCKET] [--group NAME] [--wait SECONDS] [--compacted]

It shares no code with leadrouter and knows persons from attributes.person of generate.py, not from identity keys.

  lost              input records without an outcome, persons without a lead, timers that are past and never fired, leads that
                    wait and nobody knows, or although somebody is free
  double-owned      further first owners of one person, duplicates that point at another lead, owners whose version does not
                    follow or who got it from somebody else than who had it
  duplicate         records beyond the one outcome, or with an event id that was there before
  early             overdue before its deadline, or although an activity had stopped the clock; anything told before its time
  view differences  keys and heads that differ between leads.state (newest value per key) and Redis; leads whose owner or
                    ownership version in leads.state is not that of their newest assignment
  out of order      events of one lead that are not in the order of their causes or ownership versions
  altered           rejected records that are not the original, byte for byte, with all its headers
  torn              write-sets of leads.state with two hashes, or gaps in their numbers
  unexpected        good leads rejected, hostile ones accepted, events without a known cause or without a header, answers that
                    an activity does not have, events of a lead that was erased
Exits 0 only when all are zero. The first few of each kind are printed.
"""

import argparse
import collections
import ctypes
import datetime
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from rig import contract as c, story  # noqa: E402
from rig.process import Deadline, RigError  # noqa: E402

Record = collections.namedtuple("Record", "topic partition offset timestamp key value headers")

KINDS = ("lost", "double-owned", "duplicate", "early", "view differences", "out of order", "altered", "torn", "unexpected")
SHOWN = 5          # examples per kind
GRACE_MS = story.GRACE_MS


class Report:
    def __init__(self):
        self.counts = dict.fromkeys(KINDS, 0)
        self.examples = collections.defaultdict(list)
        self.seen = collections.Counter()

    def found(self, kind, text):
        self.counts[kind] += 1
        if len(self.examples[kind]) < SHOWN:
            self.examples[kind].append(text)

    @property
    def clean(self):
        return not any(self.counts.values())

    def line(self):
        return ", ".join("%s %d" % (kind, self.counts[kind]) for kind in KINDS)

    def text(self):
        lines = ["  %s: %s" % (kind, text) for kind in KINDS for text in self.examples[kind]]
        seen = ", ".join("%s %d" % item for item in sorted(self.seen.items()))
        return "\n".join(lines + ["seen: " + seen, self.line()])


def last_header(record, name):
    """The last one: an input that was rejected may carry a header of the same name, which stands before ours."""
    value = next((v for k, v in reversed(record.headers) if k == name), None)
    return None if value is None else value.decode("utf-8", "replace")


def parse(value):
    try:
        found = json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def moment_ms(text):
    """RFC 3339 to milliseconds; None when it is none."""
    try:
        return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
    except (AttributeError, ValueError):
        return None


class Input:
    """What has to be remembered of an input record."""
    __slots__ = ("record", "person", "outcomes", "kind", "leads", "keys")

    def __init__(self, record, person, value):
        self.record, self.person, self.outcomes = record, person, []  # (kind, subject, value, time of the event)
        self.kind = last_header(record, c.TYPE) if record.topic == c.ACTIVITY else None
        self.leads = tuple(value.get(name) for name in ("lead_id", "other", "rep") if value.get(name))
        contact = value.get("contact")
        self.keys = tuple(k for k in ("email", "phone") if contact.get(k)) if person and isinstance(contact, dict) else ()


class Lead:
    """What the events say of one lead."""

    def __init__(self):
        self.is_assigned = False
        self.owner = None         # (owner, ownership version) of its newest assignment
        self.version = 0          # of its newest change of owner
        self.is_erased = False
        self.overdue = {}         # (timer, cycle, level) or event id -> time of the event


class Verifier:
    """Fed with records in the order of their partitions, inputs first; finish() gives the report."""

    def __init__(self, now_ms=None, compacted=False, limits=None):
        """`limits`: {team: {rep: how many leads he may have in hand}}, of teams whose leads wait for that reason only."""
        self.report = Report()
        self.limits = limits or {}
        self.now_ms = now_ms if now_ms is not None else int(time.time() * 1000)
        self.compacted = compacted
        self.inputs = {}
        self.ids = set()
        self.leads = collections.defaultdict(Lead)
        self.last_cause = {}
        self.last_version = {}
        self.persons = collections.defaultdict(list)
        self.state = collections.defaultdict(dict)
        self.chain = {}
        self.story = story.Story(self.report, self.now_ms, moment_ms)

    # --- inputs

    def add_input(self, record):
        lead = parse(record.value)
        if lead.get("specversion") and isinstance(lead.get("data"), dict):
            lead = lead["data"]
        person = None
        if record.topic == c.CAPTURED and isinstance(lead.get("attributes"), dict) and lead["attributes"].get("person"):
            person = (record.partition, lead.get("tenant", ""), lead["attributes"]["person"])
        entry = Input(record, person, lead)
        self.inputs[c.cause_of_input(record.topic, record.partition, record.offset)] = entry
        if person:
            self.persons[person].append(entry)
        self.report.seen[record.topic] += 1

    # --- outputs

    def add_output(self, record):
        self.report.seen[record.topic] += 1
        if record.topic == c.REJECTED:
            return self._rejected(record)
        kind, event_id, cause = (last_header(record, n) for n in (c.TYPE, c.ID, c.CAUSE))
        self.report.seen[kind] += 1
        missing = [n for n in c.REQUIRED_HEADERS if last_header(record, n) is None]
        if missing:
            return self.report.found("unexpected", "%s lacks %s" % (_place(record), ", ".join(missing)))
        if event_id in self.ids:
            return self.report.found("duplicate", "%s: id %s was there before" % (_place(record), event_id))
        self.ids.add(event_id)
        value = parse(record.value)
        subject = last_header(record, c.SUBJECT) or value.get("lead_id")
        self._order(record, subject, cause, value)
        self.story.add(subject, story.Event(moment_ms(last_header(record, c.TIME)) or 0, record.topic, kind, value, _place(record)))
        if cause.startswith(("timer:", "walk:")):
            self._owner(record, kind, subject, value)
            return self._timer(record, kind, subject, value)
        self._outcome(record, kind, cause, subject, value)

    def _outcome(self, record, kind, cause, subject, value):
        entry = self.inputs.get(cause)
        if entry is None:
            return self.report.found("unexpected", "%s: no input record %s" % (_place(record), cause))
        if record.topic == c.FOLLOWUPS:
            return self._timer(record, kind, subject, value)  # what an act made plain or moved, for each clock of the lead
        if _is_aside(entry, kind, value):
            return self._owner(record, kind, subject, value)
        for other, _, _, _ in entry.outcomes:
            if entry.kind or other == kind or {other, kind} <= set(c.CAPTURED_OUTCOMES):
                return self.report.found("duplicate", "%s: %s after %s of %s" % (_place(record), kind, other, cause))
        entry.outcomes.append((kind, subject, value, moment_ms(last_header(record, c.TIME))))
        self._owner(record, kind, subject, value)
        if kind == "lead.erased":
            self.leads[subject].is_erased = True
        if entry.kind:
            self._answer(record, kind, subject, entry)

    def _answer(self, record, kind, subject, entry):
        if kind not in c.ANSWERS.get(entry.kind, ()) + (c.CONFLICT,):
            self.report.found("unexpected", "%s: %s is answered with %s" % (_place(record), entry.kind, kind))
        elif subject not in entry.leads:
            self.report.found("unexpected", "%s: %s of %s is answered about %s" % (_place(record), entry.kind, entry.leads, subject))

    def _owner(self, record, kind, subject, value):
        """Each change of owner, whatever caused it, has the next version. A lead that nobody got at its intake has none."""
        version = value.get("ownership_version")
        if kind not in ("lead.assigned", "lead.unassigned") or (kind == "lead.unassigned" and version is None):
            return
        lead = self.leads[subject]
        if version != lead.version + 1:
            self.report.found("double-owned", "%s: %s has ownership version %s after %d" % (_place(record), subject, version, lead.version))
        lead.version = version if isinstance(version, int) else lead.version + 1
        lead.is_assigned = kind == "lead.assigned"
        lead.owner = (value.get("owner"), version)

    def _order(self, record, subject, cause, value):
        """Events of a lead in one output partition follow the order of the input partition that caused them."""
        source, _, offset = cause.rpartition("/")
        if source and offset.isdigit():
            place = (record.topic, record.partition, subject, source)
            if int(offset) < self.last_cause.get(place, -1):
                self.report.found("out of order", "%s: caused by %s, after a later one" % (_place(record), cause))
            self.last_cause[place] = int(offset)
        version = value.get("ownership_version")
        if record.topic == c.ASSIGNMENTS and isinstance(version, int):
            if version < self.last_version.get(subject, 0):
                self.report.found("out of order", "%s: ownership version %d of %s goes back" % (_place(record), version, subject))
            self.last_version[subject] = version

    def _timer(self, record, kind, subject, value):
        lead, at = self.leads[subject], moment_ms(last_header(record, c.TIME))
        if kind != c.OVERDUE:
            return
        which = (value.get("timer"), value.get("cycle"), value.get("level"))
        if which in lead.overdue:
            return self.report.found("duplicate", "%s: %s %s is overdue a second time" % (_place(record), subject, which))
        lead.overdue[which] = at
        deadline = moment_ms(value.get("deadline"))
        if at is None or deadline is None:
            return self.report.found("unexpected", "%s: overdue without a time or deadline" % _place(record))
        if at < deadline or (record.timestamp and record.timestamp < deadline):
            self.report.found("early", "%s: %s overdue %d ms before its deadline" % (_place(record), subject, deadline - at))

    def _rejected(self, record):
        cause = last_header(record, c.CAUSE)
        entry = self.inputs.get(cause)
        if entry is None:
            return self.report.found("unexpected", "%s: no input record %s" % (_place(record), cause))
        if entry.outcomes:
            return self.report.found("duplicate", "%s: rejected after %s of %s" % (_place(record), entry.outcomes[0][0], cause))
        code = last_header(record, c.ERROR_CODE)
        # its ce_time is that of the original
        entry.outcomes.append((c.REJECT, None, {"code": code}, record.timestamp or self.now_ms))
        if entry.kind and code not in c.REFUSALS:
            self.report.found("unexpected", "%s: %s is refused as %s" % (_place(record), entry.kind, code))
        self.report.seen["rejected as %s" % code] += 1
        original = entry.record
        if (record.key, record.value) != (original.key, original.value) or not _contains(record.headers, original.headers):
            self.report.found("altered", "%s is not %s byte for byte" % (_place(record), cause))
        origin = "/".join(str(last_header(record, name)) for name in c.ERROR_ORIGIN)
        if origin != cause or not code or not last_header(record, c.ERROR_NUMBER):
            self.report.found("unexpected", "%s: rejected with origin %s, code %s" % (_place(record), origin, code))

    # --- state and view

    def add_state(self, record):
        self.report.seen[record.topic] += 1
        key = record.key.decode("utf-8", "replace")
        if key.split("/")[0] == c.BARRIER:
            return
        seq, digest = last_header(record, c.STATE_SEQ), last_header(record, c.STATE_HASH)
        if seq is None or digest is None or not seq.isdigit():
            return self.report.found("unexpected", "%s: state without q and h" % _place(record))
        before = self.chain.get(record.partition)
        self.chain[record.partition] = (int(seq), digest)
        if before and (int(seq) < before[0] or (int(seq) == before[0] and digest != before[1]) or
                       (int(seq) > before[0] + 1 and not self.compacted)):
            self.report.found("torn", "%s: q=%s h=%s after q=%d h=%s" % ((_place(record), seq, digest) + before))
        if record.value is None:
            self.state[record.partition].pop(record.key, None)
        else:
            self.state[record.partition][record.key] = record.value

    def compare_view(self, view, shard):
        """`view`: {container: {field: value}}, "head": {…}, "due": {lead: ms}, "torn": {page: what is wrong}."""
        wanted = {name: {} for name in c.CONTAINERS}
        due = {}
        for key, value in self.state[shard].items():
            container, _, rest = key.partition(b"/")
            moment = c.due_of(parse(value)) if container == b"lead" else None
            wanted.setdefault(container.decode(), {})[rest] = c.stored_lead(value, moment)
            if container == b"mem":
                rest, moment = key, c.due_of_memory(value)
            if moment:
                due[rest] = moment
        for name in wanted:
            self._compare("{lr:%d}:%s" % (shard, name), wanted[name], view.get(name, {}))
        self._compare("{lr:%d}:due" % shard, due, view.get("due", {}))
        self._compare("{lr:%d}:pages" % shard, {}, view.get("torn", {}))
        self._compare_head(view.get("head", {}), shard)
        for lead, score in view.get("due", {}).items():
            if score < self.now_ms - GRACE_MS:
                self.report.found("lost", "timer of %r was due %d ms ago" % (lead, self.now_ms - score))

    def _compare(self, name, wanted, found):
        for field in sorted(set(wanted) | set(found)):
            if wanted.get(field) != found.get(field):
                what = "only in Redis" if field not in wanted else "not in Redis" if field not in found else "differs"
                self.report.found("view differences", "%s %r %s" % (name, field, what))

    def _compare_head(self, head, shard):
        if shard not in self.chain:
            return
        found = (head.get(b"s"), head.get(b"q"), head.get(b"h"))
        wanted = (b"N", b"%d" % self.chain[shard][0], self.chain[shard][1].encode())
        if found != wanted:
            self.report.found("view differences", "{lr:%d}:head is %r, leads.state ends in %r" % (shard, found, wanted))

    # --- the end

    def finish(self):
        self.story.judge()
        for cause, entry in self.inputs.items():
            if not entry.outcomes:
                self.report.found("lost", "no outcome of %s" % cause)
            elif entry.record.topic == c.CAPTURED:
                self._expected(cause, entry)
        for person, entries in self.persons.items():
            self._one_owner(person, entries)
        self._compare_owners()
        self._compare_waiting()
        return self.report

    def _compare_owners(self):
        kept = {}
        for shard in self.state.values():
            for key, value in shard.items():
                if key.startswith(b"lead/"):
                    lead = parse(value)
                    kept[key[5:].decode("utf-8", "replace")] = (lead.get("owner"), lead.get("ver"))
                    self._pointer(shard, key, lead)
        for lead_id, lead in self.leads.items():
            if lead.is_assigned and not lead.is_erased and kept.get(lead_id) != lead.owner:
                self.report.found("view differences", "%s belongs to %s by its event, to %s by leads.state"
                                  % (lead_id, lead.owner, kept.get(lead_id)))

    def _pointer(self, shard, key, lead):
        """A merged lead belongs to nobody and leads to one that is there."""
        if lead.get("state") != "merged":
            return
        if lead.get("owner"):
            self.report.found("double-owned", "%r was merged and belongs to %s" % (key, lead["owner"]))
        into = str(lead.get("into"))
        if b"lead/" + into.encode() not in shard:
            self.report.found("lost", "%r was merged into %s, which is not there" % (key, lead.get("into")))

    def _compare_waiting(self):
        """Who waits by the events waits in the state, where the memory of the shard has him, and for want of a place."""
        waiting = {}
        for shard in self.state.values():
            free = self._free(shard)
            for key, value in shard.items():
                lead_id, lead = key.partition(b"/")[2].decode("utf-8", "replace"), parse(value)
                is_waiting = key.startswith(b"lead/") and lead.get("state") == "waiting"
                if is_waiting:
                    waiting[lead_id] = lead
                if is_waiting and (c.WAIT + lead_id).encode() not in shard:
                    self.report.found("lost", "%s waits and is in no queue" % lead_id)
                if key.startswith(c.WAIT.encode()) and parse(shard.get(b"lead/" + key[len(c.WAIT):])).get("state") != "waiting":
                    self.report.found("view differences", "%r is in a queue and does not wait" % key)
                able = free.get(lead.get("team"), set()) - set(lead.get("tried", ())) if is_waiting else ()
                if able:
                    self.report.found("lost", "%s waits although %s has a place" % (lead_id, ", ".join(sorted(able))))
        for lead_id in self.story.waiting():
            if lead_id not in waiting:
                self.report.found("lost", "%s waits by its events, and its state does not say so" % lead_id)

    def _free(self, shard):
        """Per team with a limit, the reps who have a place."""
        in_hand = collections.Counter()
        for key, value in shard.items():
            lead = parse(value) if key.startswith(b"lead/") else {}
            if lead.get("state") in c.IN_HAND:
                in_hand[lead.get("owner")] += 1
        return {team: {rep for rep, most in reps.items() if in_hand[rep] < most} for team, reps in self.limits.items()}

    def _expected(self, cause, entry):
        kinds = {kind for kind, _, _, _ in entry.outcomes}
        if not kinds & set(c.CAPTURED_OUTCOMES):
            self.report.found("lost", "%s has only %s" % (cause, ", ".join(sorted(kinds))))
        if (c.REJECT in kinds) == bool(entry.person) and not self._was_erased(entry):
            self.report.found("unexpected", "%s lead is %s: %s" % ("good" if entry.person else "hostile", "/".join(kinds), cause))

    def _was_erased(self, entry):
        """Nothing of a lead that was erased is taken in again."""
        _, _, value, at = entry.outcomes[0]
        return value.get("code") == c.LEAD_ERASED and any(self.story.was_erased(lead_id, at) for lead_id in entry.leads)

    def _one_owner(self, person, entries):
        outcomes = [(e.keys, e.outcomes) for e in sorted(entries, key=lambda e: e.record.offset)]
        if not self.story.one_lead(person, outcomes):
            self.report.found("lost", "person %s has no lead of its own" % (person,))


def _is_aside(entry, kind, value):
    """What a record sets in motion beside its outcome: of another lead, or of a dispute that it ends."""
    reason, step = value.get("reason"), value.get("step")
    if kind == "lead.assigned":
        return reason in ("waited", "handed_over", "dispute") or (reason == "split" and entry.kind == "activity.split")
    if kind == "lead.unassigned":
        return reason in ("merged", "handed_over")
    if kind == "lead.merged" and value.get("match") == "dispute":
        return True
    if kind in ("lead.merged", "lead.dispute") and not entry.kind:
        return True
    return kind == "lead.graded" or (kind == "lead.dispute" and step == "closed")


def _place(record):
    return "%s/%d/%d" % (record.topic, record.partition, record.offset)


def _contains(headers, wanted):
    """All of `wanted`, in their order, are among `headers`."""
    rest = iter(headers)
    return all(pair in rest for pair in wanted)


# --- Kafka and Redis

# python3-confluent-kafka 1.7 (Debian 12) gives back one reference of None too many per message without headers or key, and
# Python 3.11 dies when None runs out. Spare ones, enough for some million messages.
_SPARE = [None] * 5_000_000


def consumer(bootstrap, group="rig-verifier"):
    from confluent_kafka import Consumer
    return Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 3,
                     "isolation.level": "read_committed", "auto.offset.reset": "earliest", "enable.partition.eof": True,
                     "fetch.message.max.bytes": 8 << 20, "fetch.wait.max.ms": 50})


def headers_of(message):
    """confluent_kafka 1.7 does not count its reference to None in a header that has no value: after enough of them nobody seems
    to hold None any more, and the interpreter ends itself. Where that is mended, this counts too many, which is harmless."""
    found = message.headers() or []
    for _name, value in found:
        if value is None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(None))
    return found


def read_all(bootstrap, topics, take, seconds=300):
    """Every committed record of the topics up to the end as it is now, each partition in order."""
    from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition
    reader = consumer(bootstrap)
    known = reader.list_topics(timeout=20).topics
    wanted = [TopicPartition(t, p, OFFSET_BEGINNING) for t in topics if t in known for p in known[t].partitions]
    open_ends = {(w.topic, w.partition) for w in wanted}
    reader.assign(wanted)
    deadline = Deadline(seconds, "all of %s read" % ", ".join(topics))
    while open_ends:
        deadline.check()
        for message in reader.consume(10000, 0.2):
            place = (message.topic(), message.partition())
            if message.error():
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise RigError("reading %s: %s" % (place[0], message.error()))
                open_ends.discard(place)
            elif place in open_ends:
                take(Record(place[0], place[1], message.offset(), message.timestamp()[1], message.key(), message.value(),
                            headers_of(message)))
    reader.close()


def backlog(bootstrap, group=c.GROUP, topics=c.INPUTS):
    """Input records that are not committed by the group yet; None when that cannot be told at the moment."""
    from confluent_kafka import KafkaException, TopicPartition
    asker = consumer(bootstrap, group)
    try:
        known = asker.list_topics(timeout=10).topics
        parts = [TopicPartition(t, p) for t in topics if t in known for p in known[t].partitions]
        ends = [asker.get_watermark_offsets(p, timeout=5)[1] for p in parts]
        done = asker.committed(parts, timeout=5)
        return sum(max(0, end - max(0, d.offset)) for end, d in zip(ends, done))
    except KafkaException:
        return None
    finally:
        asker.close()


def wait_drained(bootstrap, seconds, group=c.GROUP, alive=lambda: True):
    """Until the group has committed every input record. `alive()` false ends the wait as an error."""
    deadline = Deadline(seconds, "the backlog of group %s is gone" % group)
    left = None
    while left != 0:
        if not alive():
            raise RigError("nobody is left to work on the backlog of %s" % left)
        if deadline.passed():
            raise RigError("backlog of %s records after %g s" % (left, seconds))
        left = backlog(bootstrap, group)


def read_view(client, shard):
    """All of a shard's keys in Redis."""
    view = {name: dict(client.hscan_iter(c.view_key(shard, name), count=5000)) for name in c.CONTAINERS + ("head",)}
    view["due"], view["torn"] = c.read_timers(client, shard)
    return view


def wait_applied(verifier, client, seconds):
    """The last commits may still be on their way to Redis: until the heads are where leads.state ends, or the time is over."""
    end = time.monotonic() + seconds
    for shard, (seq, _) in verifier.chain.items():
        while client.hget(c.view_key(shard, "head"), "q") != b"%d" % seq and time.monotonic() < end:
            time.sleep(0.05)


def digest_of_view(client, partitions):
    """One digest over the content of all shards, without epochs and positions: equal before and after a rebuild."""
    whole = hashlib.sha256()
    for shard in range(partitions):
        view = read_view(client, shard)
        for name in sorted(view):
            for field, value in sorted(view[name].items()):
                if name != "head" or field in (b"s", b"q", b"h"):
                    whole.update(repr((shard, name, field, value)).encode())
    return whole.hexdigest()


def verify(bootstrap, partitions, redis_client=None, compacted=False, apply_seconds=10, limits=None):
    """Reads everything and returns the report. The router may run, but its input should be drained."""
    verifier = Verifier(compacted=compacted, limits=limits)
    read_all(bootstrap, c.INPUTS, verifier.add_input)
    read_all(bootstrap, c.OUTPUTS, verifier.add_output)
    read_all(bootstrap, (c.STATE,), verifier.add_state)
    if redis_client is not None:
        wait_applied(verifier, redis_client, apply_seconds)
        for shard in range(partitions):
            verifier.compare_view(read_view(redis_client, shard), shard)
    return verifier.finish()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kafka", required=True, metavar="HOST:PORT")
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--redis", metavar="SOCKET")
    parser.add_argument("--group", default=c.GROUP)
    parser.add_argument("--wait", type=float, default=0, help="so long for the backlog to be worked off")
    parser.add_argument("--compacted", action="store_true", help="leads.state has been compacted: gaps are normal")
    given = parser.parse_args()
    import redis
    if given.wait:
        wait_drained(given.kafka, given.wait, given.group)
    client = redis.Redis(unix_socket_path=given.redis, socket_timeout=60) if given.redis else None
    report = verify(given.kafka, given.partitions, client, given.compacted)
    print(report.text())
    sys.exit(0 if report.clean else 1)


if __name__ == "__main__":
    try:
        main()
    except RigError as e:
        sys.exit("verify.py: %s" % e)
