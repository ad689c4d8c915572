#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What pending timers cost, on a real broker and a real Redis. Prints JSON; judges nothing. `make bench` calls it.

  timers.py [--timers N] [--due N] [--leads N] [--rounds R] [--rate R] [--before SECONDS]

  pending   N leads with running clocks, due some day, beside a shard without: the same backlog is worked off by each in
            turn, R times, and the ratio is taken round by round
  storm     N leads due within one second while new leads go on to arrive: timers fired per second through the whole path,
            their order, and the time from arrival to a visible event before and while they are due

The leads are put where the daemon would have put them: as records into leads.state, with the values that it wrote for leads
routed before, at other times; then it rebuilds an empty Redis from them, which is timed. Those of the storm have their
identity keys, those of the pending ones have none (three keys a lead more would not fit beside the rest of the machine).
"""

import argparse
import collections
import json
import math
import multiprocessing
import os
import random
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench  # noqa: E402
import visible  # noqa: E402
from rig import contract, daemons, generate, process, redis_server, testing, verify  # noqa: E402
from rig.process import wait_for  # noqa: E402

PATTERNS = 400             # leads routed to see what their values look like
DAY_MS = 86400000
HASH = b"0123456789abcdef"
OPEN_SECONDS = 1800        # a rebuild takes no longer
STORM_SECONDS = 300
LOT = 1000                 # timers of one batch (daemon/settings.c); a new lead waits for two of them at most: leadrouterd(8), TIMERS
SPREAD_MS = 1000           # in which the timers of the storm are due
MARGIN_SECONDS = 20        # beyond what filling and rebuilding should take, before the timers of the storm are due

PLACE = re.compile(r"\b\d{13}\b|\\u0001")  # of a time, of the number in an identity key
OFFICE = re.compile(r"(?<=zone: )Europe/Berlin\n.*?(?=\n\n)", re.S)
ALWAYS_OPEN = 'UTC\n    week: {mon-sun: ["00:00-24:00"]}'

Pattern = collections.namedtuple("Pattern", "form offsets idents")


# --- leads as the daemon stores them

def configured(world, options):
    """The sample configuration, but that every hour is an office hour: a clock that is found to be due at another time than
    its calendar says is moved, not told."""
    place = bench.configure(world, options)
    path = os.path.join(place, "conf.d", "50-followup.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(OFFICE.sub(ALWAYS_OPEN, text, count=1))
    return place


def patterns_of(values, is_full):
    """Format strings: the times, as distances to the deadline, and None for the lead's number in each identity key. Members
    stay in the daemon's order, which it reads much faster than any other."""
    found = []
    for value in values:
        lead = json.loads(value)
        if lead["state"] != "assigned" or "deadline" not in lead or "from" in lead or "dups" in lead:
            continue
        if any(t < lead["deadline"] for row in lead["clocks"].values() for t in row[3:5]):
            continue # another of its clocks would be due before the one that the storm is made of
        kinds, told = [key[:-15] for key in lead["idents"]], {}
        for name, content in lead.items():
            if name == "idents":
                told["level"] = 1 # the reminder is told
            if name != "idents" or is_full:
                told[name] = [kind + "\x01" for kind in kinds] if name == "idents" else content
        form = json.dumps(told, separators=(",", ":")).replace("%", "%%")
        places = PLACE.findall(form)
        offsets = [None if p == "\\u0001" else int(p) - lead["deadline"] for p in places]
        form = PLACE.sub(lambda p: "%d" if p[0].isdigit() else "%015d", form)
        found.append(Pattern(form, offsets, kinds if is_full else []))
    return found


def state_of(patterns, count, due_of):
    """(key, value) of `count` leads and of their identity keys."""
    for i in range(count):
        form, offsets, kinds = patterns[i % len(patterns)]
        due = due_of(i)
        yield "lead/T-%d" % i, form % tuple([i if offset is None else due + offset for offset in offsets])
        for kind in kinds:
            yield "ident/%s%015d" % (kind, i), "%d T-%d" % (due, i)


class Sink:
    """A producer that waits when its queue is full."""

    def __init__(self, bootstrap):
        from confluent_kafka import Producer
        self.producer = Producer({"bootstrap.servers": bootstrap, "log_level": 3, "linger.ms": 20, "batch.size": 1000000,
                                  "queue.buffering.max.messages": 500000, "queue.buffering.max.kbytes": 400000})
        self.failed = None
        self.count = 0

    def put(self, topic, value, key, headers=None):
        while True:
            try:
                self.producer.produce(topic, value, key, 0, headers=headers, on_delivery=self._delivered)
                break
            except BufferError:
                self.producer.poll(0.2)
        self.count += 1
        if self.count % 1000 == 0:
            self.producer.poll(0)

    def _delivered(self, error, _message):
        self.failed = self.failed or error

    def done(self):
        if self.producer.flush(120) != 0 or self.failed:
            raise process.RigError("records were not delivered: %s" % self.failed)


# --- a shard with topics, a group, a Redis and a daemon of its own

class Side:
    def __init__(self, world, name):
        self.world, self.kafka, self.options = world, world.kafka, world.options
        self.redis = redis_server.RedisServer.started()
        self.names = {"kafka.topics." + t.split(".")[1]: "%s.%s" % (name, t) for t in contract.INPUTS + contract.OUTPUTS}
        state = "%s.%s" % (name, contract.STATE)
        self.kafka.create_topics(*[(n, 1) for n in self.names.values()],
                                 (state, 1, {"cleanup.policy": "compact", "min.compaction.lag.ms": "86400000"}))
        self.names.update({"kafka.topics.state": state, "kafka.group": name})
        self.captured, self.sent = self.names["kafka.topics.captured"], 0
        place = configured(self, self.names)
        log = os.path.join(process.folder("leadrouter-ctl-"), "log")
        if process.Child([testing.binary("leadctl"), "bootstrap", "-c", place], log).wait(60) != 0:
            raise process.RigError("leadctl bootstrap failed" + process.tail(log))
        self.daemon = daemons.Daemon(place, name)

    def close(self):
        self.daemon.kill9()
        self.redis.kill9()

    def client(self):
        return self.redis.client(300)

    def key(self, container):
        return contract.view_key(0, container)

    def give(self, memory, state):
        """One write-set of leads.state. Returns the records and the seconds that it took."""
        sink, begins = Sink(self.kafka.bootstrap), time.monotonic()
        headers = [(contract.STATE_SEQ, b"1"), (contract.STATE_HASH, HASH)]
        for pairs in (memory, state):
            for key, value in pairs:
                sink.put(self.names["kafka.topics.state"], value, key, headers)
        sink.done()
        self.kafka.commit_offset(self.names["kafka.group"], self.captured, 0, "v1;e=0;q=1;h=%s;n=1" % HASH.decode())
        return sink.count, time.monotonic() - begins

    def open(self):
        """Starts the daemon; returns the seconds that the rebuild took, from the loading mark to the head."""
        self.daemon.start(wait=False)
        client = self.client()
        state_of_head = lambda: client.hget(self.key("head"), "s")
        wait_for(state_of_head, 60, "the view is loading", every=0.005, log=self.daemon.log)
        begins = time.monotonic()
        wait_for(lambda: state_of_head() == b"N", OPEN_SECONDS, "the view is rebuilt", every=0.05, log=self.daemon.log)
        took = time.monotonic() - begins
        wait_for(lambda: bench.metric(self.daemon, 'leadrouter_shards{state="running"}') == 1, 60, "the shard runs", log=self.daemon.log)
        return took

    def send_backlog(self, count):
        sink = Sink(self.kafka.bootstrap)
        for _topic, _tenant, key, headers, value in generate.Generator(count, seed=5, first=self.sent).records():
            sink.put(self.captured, value, key, headers)
        sink.done()
        self.sent += count

    def work_off(self, count):
        """The daemon is started on a backlog and stopped behind it: leads per second and CPU, from a fifth of it to the end."""
        self.send_backlog(count)
        asker, place = bench.asker_of(self.world, self.names["kafka.group"], self.captured)
        self.daemon.start(wait=False)
        samples, deadline = [], process.Deadline(bench.WORK_SECONDS, "the backlog is worked off")
        while not samples or samples[-1].done < count:
            deadline.check(self.daemon.log)
            done = max(0, asker.committed([place], timeout=10)[0].offset) - (self.sent - count)
            samples.append(bench.Sample(time.monotonic(), done, bench.cpu_seconds(self.daemon.child.pid),
                                        bench.cpu_seconds(self.redis.child.pid), bench.cpu_seconds(self.kafka.pid())))
            time.sleep(bench.SAMPLE_SECONDS)
        asker.close()
        self.daemon.wait_ready()
        self.daemon.stop(60)
        return bench.figures(samples, count)


def without_timers(client):
    """Bytes per timer: what Redis gives back when they go, and the member that each lead's value begins with."""
    keys = [contract.view_key(0, name) for name in ("due", "pages")]
    count = len(contract.read_timers(client, 0)[0])
    members = [len(value) - len(contract.lead_of_stored(value)) for value in client.hrandfield(contract.view_key(0, "lead"), 1000, True)[1::2]]
    before = client.info("memory")["used_memory"]
    client.unlink(*keys)
    wait_for(lambda: client.info("memory")["lazyfree_pending_objects"] == 0, 120, "the timers are freed")
    pages = (before - client.info("memory")["used_memory"]) / max(1, count)
    return {"pages_bytes_per_timer": pages, "bytes_per_timer": pages + max(members)}


# --- pending

def compare(full, empty, given):
    """The same backlog in turn: the rounds, and the medians of their ratios."""
    rounds = []
    for number in range(given.rounds):
        order = (full, empty) if number % 2 else (empty, full)
        figures = {side: side.work_off(given.leads) for side in order}
        rounds.append({"pending": figures[full], "none": figures[empty],
                       "ratio": figures[full]["leads_per_s"] / figures[empty]["leads_per_s"],
                       "cpu_ratio": figures[full]["cpu_us"] / figures[empty]["cpu_us"],
                       "redis_ratio": figures[full]["redis_us"] / figures[empty]["redis_us"]})
    return dict({name: statistics.median(r[name] for r in rounds) for name in ("ratio", "cpu_ratio", "redis_ratio")}, rounds=rounds)


def run_pending(world, memory, patterns, given):
    rng, now = random.Random(7), int(time.time() * 1000)
    full, empty = Side(world, "pending"), Side(world, "none")
    records, fill_s = full.give(memory, state_of(patterns, given.timers, lambda i: now + DAY_MS + rng.randrange(60 * DAY_MS)))
    empty.give(memory, ())
    rebuild_s = full.open()
    empty.open()
    result = {"timers": given.timers, "records": records, "fill_s": fill_s, "rebuild_s": rebuild_s,
              "daemon_rss_mb": full.daemon.rss_kib() / 1024, "redis_mb": full.client().info("memory")["used_memory"] / 2 ** 20}
    for side in (full, empty):
        side.daemon.stop(60)
        side.work_off(given.leads // 4) # thrown away: a cold broker
    result.update(compare(full, empty, given))
    result.update(without_timers(full.client()))
    for side in (full, empty):
        side.close()
    return result


# --- the storm

def shares(latencies):
    if not latencies:
        raise process.RigError("no lead was seen in this part of the storm")
    return visible.percentiles(latencies)


def watch_storm(side, count):
    """Looks at the counter until all have fired: [(time, fired)]."""
    looks, deadline = [], process.Deadline(STORM_SECONDS, "all timers have fired")
    while not looks or looks[-1][1] < count:
        deadline.check(side.daemon.log)
        looks.append((time.monotonic(), bench.metric(side.daemon, 'leadrouter_decisions_total{outcome="timer"}')))
        time.sleep(0.1)
    return looks


def order_of(side):
    """How many overdue events there are for the storm's leads, and how many come behind one with a later deadline."""
    found = {"events": 0, "out_of_order": 0, "last": 0}

    def take(record):
        value = json.loads(record.value)
        if value["lead_id"].startswith("T-") and value.get("level") == "breach":
            at = verify.moment_ms(value["deadline"])
            found["events"] += 1
            found["out_of_order"] += at < found["last"]
            found["last"] = max(at, found["last"])

    verify.read_all(side.kafka.bootstrap, [side.names["kafka.topics.followups"]], take)
    return found["events"], found["out_of_order"]


def run_storm(world, memory, patterns, given, seconds_per_record):
    side, rng = Side(world, "storm"), random.Random(8)
    records = sum(1 + len(patterns[i % len(patterns)].idents) for i in range(given.due))
    ahead = records * seconds_per_record + MARGIN_SECONDS + given.before
    due_at = time.time() + ahead
    first_ms, storms = int(due_at * 1000), time.monotonic() + ahead
    _, fill_s = side.give(memory, state_of(patterns, given.due, lambda i: first_ms + rng.randrange(SPREAD_MS)))
    rebuild_s = side.open()
    result = {"timers": given.due, "records": records, "fill_s": fill_s, "rebuild_s": rebuild_s,
              "daemon_rss_mb": side.daemon.rss_kib() / 1024, "rate": given.rate}
    begins = time.monotonic() + 1
    if begins + given.before / 2 > storms:
        raise process.RigError("the shard was open too late: the timers are due already")
    ends, answers = multiprocessing.Value("d", 0), multiprocessing.Queue()
    topics = [side.names["kafka.topics." + name] for name in ("assignments", "lifecycle", "rejected")]
    leads = generate.Generator(10 ** 6 - 1, seed=2).records()
    children = [multiprocessing.Process(target=visible.receive, daemon=True, args=(side.kafka.bootstrap, topics, math.inf, ends, answers)),
                multiprocessing.Process(target=visible.send, daemon=True,
                                        args=(side.kafka.bootstrap, side.captured, leads, given.rate, begins, ends))]
    for child in children:
        child.start()
    time.sleep(max(0, storms - time.monotonic()))
    before_cpu = bench.cpu_seconds(side.daemon.child.pid), bench.cpu_seconds(side.redis.child.pid)
    looks = watch_storm(side, given.due)
    ends.value = time.monotonic() + 1
    cpu = [now - before for now, before in zip((bench.cpu_seconds(side.daemon.child.pid), bench.cpu_seconds(side.redis.child.pid)), before_cpu)]
    seen = answers.get(timeout=60)
    for child in children:
        child.join(30)
    due = {offset: begins + offset / given.rate for offset in seen}
    quiet = [seen[o] - due[o] for o in seen if begins + bench.SETTLE_SECONDS < due[o] < storms - 0.5]
    loud = [seen[o] - due[o] for o in seen if storms <= due[o] <= looks[-1][0]]
    first = next(look for look in looks if look[1] >= bench.FROM_SHARE * given.due)
    events, out_of_order = order_of(side)
    fired_per_s = (looks[-1][1] - first[1]) / (looks[-1][0] - first[0])
    result.update(fired_per_s=fired_per_s, bound_ms=2 * LOT / fired_per_s * 1e3, storm_s=looks[-1][0] - storms,
                  quiet=shares(quiet), storm=shares(loud), events=events, out_of_order=out_of_order,
                  missing=max(seen) + 1 - len(seen), cpu_us=cpu[0] / given.due * 1e6, redis_us=cpu[1] / given.due * 1e6)
    side.daemon.stop(60)
    side.close()
    return result


def routed_before(world):
    """What a shard keeps in its memory and the values of its leads, after a few were routed."""
    side = Side(world, "patterns")
    side.send_backlog(PATTERNS)
    side.daemon.start()
    outcomes = ("assigned", "unassigned", "duplicate", "rejected")
    decided = lambda: sum(bench.metric(side.daemon, 'leadrouter_decisions_total{outcome="%s"}' % o) for o in outcomes)
    wait_for(lambda: decided() == PATTERNS, 30, "leads to copy are routed", log=side.daemon.log)
    side.daemon.stop()
    client = side.client()
    memory = [("%s/%s" % (name, field.decode()), value) for name in ("ring", "mem")
              for field, value in client.hgetall(side.key(name)).items()]
    values = [contract.lead_of_stored(value) for _, value in sorted(client.hgetall(side.key("lead")).items())]
    side.close()
    return memory, values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timers", type=int, default=10 ** 7, help="pending ones")
    parser.add_argument("--due", type=int, default=10 ** 6, help="due at once")
    parser.add_argument("--leads", type=int, default=50000, help="of the backlog of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=float, default=1000, help="new leads per second before and while they are due")
    parser.add_argument("--before", type=float, default=12, help="seconds of it before they are due")
    given = parser.parse_args()
    world = bench.World(1, {})
    memory, values = routed_before(world)
    result = {"load": [os.getloadavg()[0]]}
    pace = 60e-6
    if given.timers:
        pending = result["pending"] = run_pending(world, memory, patterns_of(values, False), given)
        pace = (pending["fill_s"] + pending["rebuild_s"]) / pending["records"]
    if given.due:
        result["storm"] = run_storm(world, memory, patterns_of(values, True), given, pace)
    result["load"].append(os.getloadavg()[0])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
