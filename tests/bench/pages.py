#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What timers cost Redis: pages of several sizes (daemon/view_pages.lua, view_plan.lua) beside a sorted set and beside none. Prints JSON.

  pages.py [--timers N] [--batches N] [--pages BYTES,…] [--aof]

Each form has a redis-server of its own, runs the daemon's own scripts, and gets the same batches in turn; CPU is the
servers' own. µs are per lead of a batch of 250, with all else that a write of it costs: what "none" has is no timer's.
"""

import argparse
import collections
import json
import os
import random
import re
import struct
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests"))
from rig import redis_server  # noqa: E402

BATCH = 250
CHUNK = 4000
DAY_MS = 86400000
NOW = 1790000000000
DUE = re.compile('{"due":(\\d+)')
KEYS = ["{lr:0}:" + name for name in ("head", "lead", "ident", "ring", "mem", "due", "pages")]
PAD = '"x":"%s"}' % ("y" * 250) # a lead's record beside the deadline

# In place of the pages: what a write-set's values say goes to a sorted set, or nowhere.
INSTEAD = """
KINDS[5] = 'zset'
plan_timers = function(keys, at)
	local plan = {add = {}, take = {}}
	for_each_group(at, function(group, from, count)
		for i = from, TIMED[group[2]] and from + count - 1 or 0, group[3] do
			local due = group[3] == 2 and string.match(ARGV[i + 1], '^{"due":(%d+)')
			if due then
				plan.add[#plan.add + 1] = due
				plan.add[#plan.add + 1] = ARGV[i]
			else
				plan.take[#plan.take + 1] = ARGV[i]
			end
		end
	end)
	return plan
end
write_timers = function(keys, plan)
	if {IS_KEPT} then
		call_in_slices('ZADD', keys[DUE], plan.add, 1, #plan.add)
		call_in_slices('ZREM', keys[DUE], plan.take, 1, #plan.take)
	end
end
"""
INSTEAD_OF_READING = """
read_due = function(key, index, until_ms, limit)
	local due = limit == 0 and {} or redis.call('ZRANGEBYSCORE', key, '-inf', until_ms, 'LIMIT', 0, limit)
	return due, redis.call('ZRANGEBYSCORE', key, '-inf', '+inf', 'WITHSCORES', 'LIMIT', #due, 1)[2] or ''
end
"""


def script_text(name):
    with open(os.path.join(ROOT, "daemon", name + ".lua"), encoding="utf-8") as f:
        return f.read()


class Form:
    """One way of keeping timers."""

    def __init__(self, name, page_bytes, aof):
        self.name, self.q = name, 1
        settings = {"appendonly": "yes", "appendfsync": "no", "auto-aof-rewrite-percentage": "0"}
        self.server = redis_server.RedisServer(settings=settings if aof else {}).start()
        self.client = self.server.client(300)
        pages = script_text("view_pages") + script_text("view_plan")
        if page_bytes:
            for line, size in (("PAGE_BYTES = 1024", page_bytes), ("PIECE_BYTES = 768", page_bytes * 3 // 4)):
                pages = pages.replace(line, "%s = %d" % (line.split()[0], size))
        else:
            pages += INSTEAD.replace("{IS_KEPT}", "true" if name == "zset" else "false")
        self.sha = {}
        for script in ("view_apply", "view_read"):
            text = script_text(script)
            if not page_bytes:
                text = text.replace("{'hash', 'hash', 'hash', 'zset'}", "{'hash', 'hash', 'zset', 'zset'}")
            if not page_bytes and script == "view_read":
                text = text.replace("-- What is due, and when the next", INSTEAD_OF_READING + "-- What is due, and when the next")
            self.sha[script] = self.client.script_load(script_text("view_common") + pages + text)
        self.client.hset(KEYS[0], mapping={"s": "N", "e": 1, "q": 1, "h": "0" * 16, "pos": 0, "fmt": 2})

    def apply(self, put=(), delete=()):
        pairs = [part for pair in put for part in pair]
        dated = [(name, DUE.match(value)) for name, value in put]
        timers = sorted(struct.pack(">Q", int(found[1]))[2:] + name.encode() for name, found in dated if found)
        self.q += 1
        answer = self.client.evalsha(self.sha["view_apply"], 7, *KEYS, 2, 1, self.q - 1, "0" * 16, 1, self.q, "0" * 16, 0,
                                     len(put), len(delete), 0, 0, 0, 0, 0, 0, len(timers), *pairs, *delete,
                                     *[bytes([len(t)]) + t for t in timers])
        if answer[0] != b"OK":
            raise SystemExit("%s: %r" % (self.name, answer))

    def read(self, until_ms, limit):
        keys = [KEYS[0], KEYS[1], KEYS[2], KEYS[5], KEYS[6]]
        answer = self.client.evalsha(self.sha["view_read"], 5, *keys, 2, until_ms, limit, "", 0, 0, 0)
        if answer[0] != b"OK":
            raise SystemExit("%s: %r" % (self.name, answer))
        return answer[6], answer[7]

    def cpu(self):
        info = self.client.info("cpu")
        return info["used_cpu_user_main_thread"] + info["used_cpu_sys_main_thread"]

    def aof(self):
        return self.client.info("persistence").get("aof_current_size", 0)

    def memory(self):
        return self.client.info("memory")["used_memory"]


def value_of(due):
    return ('{"due":%d,' % due if due else "{") + PAD


class Bench:
    def __init__(self, given):
        self.given, self.rng, self.count = given, random.Random(3), 0
        self.forms = [Form("none", 0, given.aof), Form("zset", 0, given.aof)]
        self.forms += [Form("pages_%s" % size, int(size), given.aof) for size in given.pages.split(",")]
        self.result = collections.OrderedDict()
        self.due = {}

    def run(self, what, batches):
        """`batches`: functions of a form, each over BATCH leads."""
        spent, written = collections.Counter(), collections.Counter()
        for form in self.forms:
            spent[form.name] -= form.cpu()
            written[form.name] -= form.aof()
        forms = list(self.forms)
        for batch in batches:
            self.rng.shuffle(forms)
            for form in forms:
                batch(form)
        for form in self.forms:
            spent[form.name] += form.cpu()
            written[form.name] += form.aof()
        leads = len(batches) * BATCH
        self.result[what] = {name: round(seconds / leads * 1e6, 2) for name, seconds in spent.items()}
        if self.given.aof:
            self.result[what + "_aof_bytes"] = {name: round(bytes_ / leads) for name, bytes_ in written.items()}
        self.tell(what, what + "_aof_bytes")

    def new_leads(self, due_of):
        batches = []
        for _ in range(self.given.batches):
            put = []
            for _ in range(BATCH):
                self.count += 1
                name, due = "L-%07d" % self.count, due_of(self.count)
                self.due[name] = due
                put.append((name, value_of(due)))
            batches.append(lambda form, put=put: form.apply(put))
        return batches

    def some(self):
        return self.rng.sample(self.names, BATCH)

    def moves(self, due_of):
        batches = []
        for _ in range(self.given.batches):
            put = [(name, value_of(due_of(name))) for name in self.some()]
            batches.append(lambda form, put=put: form.apply(put))
        return batches

    def fill(self):
        before = {form.name: form.memory() for form in self.forms}
        spent = {form.name: -form.cpu() for form in self.forms}
        for start in range(0, self.given.timers, CHUNK):
            put = []
            for i in range(start, min(start + CHUNK, self.given.timers)):
                due = NOW + DAY_MS + self.rng.randrange(60 * DAY_MS)
                put.append(("T-%07d" % i, '{"due":%d,"x":"%s"}' % (due, "z" * 60)))
            for form in self.forms:
                form.apply(put)
        self.names = ["T-%07d" % i for i in range(self.given.timers)]
        each = lambda figure: round(figure / self.given.timers, 2)
        grown = {form.name: form.memory() - before[form.name] for form in self.forms}
        self.result["fill_us"] = {form.name: each((spent[form.name] + form.cpu()) * 1e6) for form in self.forms}
        self.result["bytes_per_timer"] = {name: each(bytes_ - grown["none"]) for name, bytes_ in grown.items()}
        for form in self.forms:
            if form.name.startswith("pages"):
                pages = form.client.zcard(KEYS[6])
                self.result.setdefault("timers_per_page", {})[form.name] = round(self.given.timers / pages, 1)
        self.tell("fill_us", "bytes_per_timer", "timers_per_page")

    def tell(self, *names):
        for name in names:
            if name in self.result:
                print(name, json.dumps(self.result[name]), file=sys.stderr, flush=True)

    def pop(self):
        """All that is due by then, a thousand at a time, as a storm is worked off: read, then each to a time far ahead."""
        batches = []
        far = NOW + 300 * DAY_MS
        def batch(form):
            names = [name.decode() for name in form.read(NOW + DAY_MS, 4 * BATCH)[0]]
            for at in range(0, len(names), BATCH):
                form.apply([(name, value_of(far + int(name[-7:]))) for name in names[at:at + BATCH]])
        self.run("pop_4x", [batch] * (self.given.batches // 4))

    def reads(self):
        self.run("read_nothing_due_x250", [lambda form: form.read(NOW - DAY_MS, 1000)] * self.given.batches)

    def all(self):
        self.run("add_burst_empty", self.new_leads(lambda n: NOW + n // 20))
        self.run("add_one_ms_empty", self.new_leads(lambda n: NOW + 5))
        self.reads()
        self.pop()
        self.fill()
        self.run("add_burst", self.new_leads(lambda n: NOW + DAY_MS * 3 + n // 20))
        self.run("add_in_seven_minutes", self.new_leads(lambda n: NOW + DAY_MS * (2 + n % 7) + self.rng.randrange(60000)))
        self.run("add_one_ms", self.new_leads(lambda n: NOW + DAY_MS * 4))
        self.run("add_random", self.new_leads(lambda n: NOW + DAY_MS + self.rng.randrange(60 * DAY_MS)))
        self.run("move_random", self.moves(lambda name: NOW + DAY_MS + self.rng.randrange(60 * DAY_MS)))
        self.run("same_due", self.moves(lambda name: NOW + DAY_MS * 5) * 2)
        self.run("remove_random", self.moves(lambda name: 0))
        self.run("add_burst_again", self.new_leads(lambda n: NOW + DAY_MS * 6 + n // 20))
        self.reads()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timers", type=int, default=1000000)
    parser.add_argument("--batches", type=int, default=80)
    parser.add_argument("--pages", default="1024,2048,4096")
    parser.add_argument("--aof", action="store_true")
    bench = Bench(parser.parse_args())
    try:
        bench.all()
    finally:
        for form in bench.forms:
            form.server.kill9()
    print(json.dumps(bench.result))


if __name__ == "__main__":
    main()
