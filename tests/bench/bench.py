#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a lead costs, on a real broker, beside the ceiling of the same run. Prints a table, writes JSON; judges nothing.

  bench.py [--leads N] [--rounds R] [--latency-seconds S] [--set OPTION=VALUE]... [--json FILE] [--timers N] [--skip PART]...

  ceiling   pass_through: the same input, as many and as large output records, the same transactions, no work
  daemon    leadrouterd with the sample configuration, as it is installed (a log line per decision), one shard
  core      core_bench: parse, cleanse, decide, write in memory; instructions by callgrind
            calendar_bench: deadlines by distance and number of holidays
  pools     pool_bench: a decision in pools of 10, 1,000 and 50,000 reps
  timers    timers.py: routing beside pending timers, and many that are due at once
  rules     rules_bench: what 10, 1,000 and 10,000 routes cost a lead and a start; a territory table of 1,000,000 rows

A round is the backlog worked off once by each of the two, one after the other, from topics and a Redis of its own;
rates and CPU are taken between a fifth of the backlog and its end, so that neither start nor the first transaction
counts. The ratio is taken round by round and the median is shown. A first round of each is thrown away: the
broker's JVM is cold, and the daemon's output tells the ceiling how much it has to send.
Latency is from the moment at which a record was due to be sent (sent late counts) to the moment at which a
read_committed consumer has the first event of it, at half of the measured rate, and at a low one at which most
transactions carry one lead: what is left then is a fetch, a read of the view, AddOffsetsToTxn beside AddPartitionsToTxn
(which librdkafka sends a millisecond late), TxnOffsetCommit, Produce, EndTxn and the markers, each a request that waits for
the one before. Sender, broker, worker, Redis and consumer share the machine: each line says how much of it they used.
Other work on the machine moves absolute figures by a factor; ratios and instructions hold.
"""

import argparse
import collections
import json
import multiprocessing
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, configs, contract, daemons, generate, process, redis_server, testing, verify  # noqa: E402
from rig.process import wait_for  # noqa: E402

import budgets  # noqa: E402
import visible  # noqa: E402

WORK_SECONDS = 180         # a backlog takes no longer
SAMPLE_SECONDS = 0.05
FROM_SHARE = 0.2           # of the backlog: rates are taken from there to its end
WARM_UP_SHARE = 0.3
NAIVE_LEADS = 30000
CORE_LEADS = 4000
CORE_ROUNDS = 9
CALLGRIND_LEADS = 1500
RULES_ROUNDS = 9
POOLS_ROUNDS = 7
POOL_SIZES = (10, 1000, 50000)
SETTLE_SECONDS = 2         # of latency: thrown away
LOW_RATE = 100             # leads per second
TICKS = os.sysconf("SC_CLK_TCK")

Sample = collections.namedtuple("Sample", "at done worker redis broker")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class World:
    """The broker with the backlog in it, and the Redis."""

    def __init__(self, leads, options):
        self.leads, self.options = leads, options
        self.kafka = broker.Kafka.started(full_jit=True)
        self.kafka.create_topics(*[(topic, 1) for topic in contract.INPUTS])
        self.redis = redis_server.RedisServer.started()
        self.number = self.latency_topics = 0
        records = generate.Generator(leads).records()
        generate.produce(records, self.kafka.bootstrap, 1)

    def topics(self, captured=contract.CAPTURED):
        """Output topics of one round; returns the daemon's options for them."""
        self.number += 1
        names = {"kafka.topics." + t.split(".")[1]: "round%d.%s" % (self.number, t) for t in contract.OUTPUTS}
        state = "round%d.%s" % (self.number, contract.STATE)
        self.kafka.create_topics(*[(name, 1) for name in names.values()], (state, 1, {"cleanup.policy": "compact"}))
        return dict(names, **{"kafka.topics.state": state, "kafka.topics.captured": captured,
                              "kafka.group": "round%d" % self.number})


def sample(world, asker, place, worker, seconds=WORK_SECONDS):
    """Looks at offsets and CPU until everything is committed."""
    samples, deadline = [], process.Deadline(seconds, "the backlog is worked off")
    while not samples or samples[-1].done < world.leads:
        deadline.check(worker.log)
        if not worker.running() and worker.code() != 0:
            raise process.RigError("it ended with code %s%s" % (worker.code(), process.tail(worker.log)))
        done = asker.committed([place], timeout=10)[0].offset
        try:
            samples.append(Sample(time.monotonic(), max(0, done), cpu_seconds(worker.pid), cpu_seconds(world.redis.child.pid),
                                  cpu_seconds(world.kafka.pid())))
        except FileNotFoundError:
            break
        time.sleep(SAMPLE_SECONDS)
    return samples


def figures(samples, leads):
    first = next(s for s in samples if s.done >= FROM_SHARE * leads)
    last = samples[-1]
    count = last.done - first.done
    if count <= 0:
        raise process.RigError("the backlog is too small: it was gone between two looks; take more leads")
    return {"leads_per_s": count / (last.at - first.at), "cpu_us": (last.worker - first.worker) / count * 1e6,
            "redis_us": (last.redis - first.redis) / count * 1e6, "broker_us": (last.broker - first.broker) / count * 1e6}


def asker_of(world, group, topic=contract.CAPTURED):
    from confluent_kafka import Consumer, TopicPartition
    asker = Consumer({"bootstrap.servers": world.kafka.bootstrap, "group.id": group, "log_level": 3,
                      "isolation.level": "read_uncommitted"})
    return asker, TopicPartition(topic, 0)


# --- the ceiling

def ceiling_command(world, options, shapes, records):
    arguments = ["%s:%d:%d:%d:%d:%d" % ((options[name], round(per * 100)) + tuple(round(x) for x in rest))
                 for name, (per, *rest) in sorted(shapes.items()) if per >= 0.01]
    return [testing.binary("bench/pass_through"), world.kafka.bootstrap, options["kafka.topics.captured"],
            options["kafka.group"], str(records), str(batch_records(world.options))] + arguments


def run_ceiling(world, shapes):
    """shapes: {topic: (records per lead, key, value, headers, header bytes)} as the daemon was seen to send."""
    options = world.topics()
    log = os.path.join(process.folder("leadrouter-ceiling-"), "log")
    asker, place = asker_of(world, options["kafka.group"])
    child = process.Child(ceiling_command(world, options, shapes, world.leads), log)
    samples = sample(world, asker, place, child)
    if child.wait(60) != 0:
        raise process.RigError("pass_through failed" + child.tail())
    asker.close()
    with open(log) as f:
        told = json.loads(f.read().splitlines()[-1])
    return dict(figures(samples, world.leads), records_per_transaction=told["records"] / told["transactions"],
                librdkafka=told["librdkafka"])


# --- the daemon

def batch_records(options):
    """Most records of one transaction: what is set, else the default as the sample configuration tells it."""
    with open(os.path.join(process.ROOT, "config", "leadrouter.yaml")) as f:
        told = re.search(r"^ *# *batch_records: (\d+)", f.read(), re.M)
    return int(options.get("limits.batch_records") or told.group(1))


def configure(world, options):
    """The sample configuration in a folder of its own, with the addresses of this run."""
    options = dict({"log.level": "info", "kafka.transaction_timeout_ms": 30000}, **world.options, **options)
    properties = {n: options.pop(n) for n in list(options) if n.startswith(("kafka.producer.", "kafka.consumer."))}
    place = configs.write("bench", world.kafka.bootstrap, world.redis.socket, 1, options=options)
    set_properties(os.path.join(place, "leadrouter.yaml"), properties)
    sample_config = os.path.join(process.ROOT, "config")
    shutil.rmtree(os.path.join(place, "conf.d"))
    for name in ("conf.d", "territories"):
        shutil.copytree(os.path.join(sample_config, name), os.path.join(place, name))
    return place


def set_properties(path, properties):
    """librdkafka's names have dots in them: "kafka.producer.linger.ms" is linger.ms of kafka.producer.properties."""
    with open(path) as f:
        tree = json.load(f)
    for name, value in properties.items():
        _, section, prop = name.split(".", 2)
        tree["kafka"].setdefault(section, {}).setdefault("properties", {})[prop] = value
    with open(path, "w") as f:
        json.dump(tree, f)


def started_daemon(world, options, wait=True):
    world.redis.client().flushall()
    place = configure(world, options)
    log = os.path.join(process.folder("leadrouter-ctl-"), "log")
    child = process.Child([testing.binary("leadctl"), "bootstrap", "-c", place], log)
    if child.wait(60) != 0:
        raise process.RigError("leadctl bootstrap failed" + child.tail())
    return daemons.Daemon(place, "bench").start(wait=wait)


class Watched:
    """A daemon as sample() wants it."""

    def __init__(self, daemon):
        self.running, self.code, self.log, self.pid = daemon.running, daemon.code, daemon.log, daemon.child.pid


def metric(daemon, name):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(os.path.join(daemon.config, "http"))
        s.sendall(b"GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
        text = b"".join(iter(lambda: s.recv(65536), b"")).decode()
    return sum(float(v) for v in re.findall(r"^%s (\S+)$" % re.escape(name), text, re.M))


def run_daemon(world):
    options = world.topics()
    asker, place = asker_of(world, options["kafka.group"])
    world.redis.client().flushall()
    before = world.redis.client().info("memory")["used_memory"]
    daemon = started_daemon(world, options, wait=False)
    samples = sample(world, asker, place, Watched(daemon))
    daemon.wait_ready()
    transactions = metric(daemon, 'leadrouter_transactions_total{result="done"}') - 1 # the claim
    result = dict(figures(samples, world.leads), records_per_transaction=world.leads / max(1, transactions),
                  rss_mb=daemon.rss_kib() / 1024)
    daemon.stop()
    asker.close()
    client = world.redis.client()
    open_leads = client.hlen(contract.view_key(0, "lead"))
    result["open_leads"] = open_leads
    result["redis_bytes_per_lead"] = (client.info("memory")["used_memory"] - before) / max(1, open_leads)
    return result, options


def shapes_of(world, options):
    """How many records the daemon has sent per lead and how large they are, per output topic."""
    names = {v: k for k, v in options.items() if k.startswith("kafka.topics.") and k != "kafka.topics.captured"}
    sums = collections.defaultdict(lambda: [0, 0, 0, 0, 0])

    def take(record):
        if record.key == contract.BARRIER.encode():
            return
        headers = [(name, value or b"") for name, value in record.headers]
        for i, n in enumerate((1, len(record.key or b""), len(record.value or b""), len(headers),
                               sum(len(n) + len(v) for n, v in headers))):
            sums[names[record.topic]][i] += n

    verify.read_all(world.kafka.bootstrap, list(names), take)
    return {name: [s[0] / world.leads] + [n / s[0] for n in s[1:]] for name, s in sums.items()}


# --- latency

def started_ceiling(world, options, shapes, count):
    """pass_through for the latency part: one record with a cause for each input record."""
    sent = {name: [1.0 if name.endswith("assignments") else s[0]] + s[1:] for name, s in shapes.items()}
    log = os.path.join(process.folder("leadrouter-ceiling-"), "log")
    return process.Child(ceiling_command(world, options, sent, count), log)


def cores(pids, before=None):
    """CPU seconds used so far by each of {name: process} and by the machine; with an earlier look: cores used since then."""
    with open("/proc/stat") as f:
        ticks = [int(field) for field in f.readline().split()[1:]]
    look = {name: cpu_seconds(pid) for name, pid in pids.items()}
    look.update(machine=(sum(ticks[:8]) - ticks[3] - ticks[4]) / TICKS, at=time.monotonic())
    if before is None:
        return look
    return {name: (look[name] - before[name]) / (look["at"] - before["at"]) for name in look if name != "at"}


def run_latency(world, rate, seconds, shapes=None):
    """With shapes: of the ceiling, else of the daemon."""
    world.latency_topics += 1
    topic = "latency%d.leads.captured" % world.latency_topics
    world.kafka.create_topics((topic, 1))
    options, count = world.topics(topic), int(rate * seconds)
    records = list(generate.Generator(count, seed=2).records())
    if shapes:
        worker = started_ceiling(world, options, shapes, count)
    else:
        daemon = started_daemon(world, options)
        worker, client = daemon.child, world.redis.client()
        wait_for(lambda: client.exists(contract.view_key(0, "head")), 30, "the shard is open", log=daemon.log)
    answers, begins = multiprocessing.Queue(), time.monotonic() + 2
    ends = multiprocessing.Value("d", begins + 2 * seconds)
    outputs = [options["kafka.topics." + t.split(".")[1]] for t in contract.OUTPUTS]
    receiver = multiprocessing.Process(target=visible.receive, daemon=True, args=(world.kafka.bootstrap, outputs, count, ends, answers))
    sender = multiprocessing.Process(target=visible.send, daemon=True,
                                     args=(world.kafka.bootstrap, topic, records, rate, begins, ends))
    receiver.start(), sender.start()
    pids = {"broker": world.kafka.pid(), "redis": world.redis.child.pid, "worker": worker.pid, "sender": sender.pid, "consumer": receiver.pid}
    time.sleep(max(0, begins + SETTLE_SECONDS - time.monotonic()))
    used = cores(pids)
    time.sleep(max(0, begins + seconds - 1 - time.monotonic()))
    used = cores(pids, used) if worker.running() else None
    seen = answers.get(timeout=seconds * 2 + 60)
    if not shapes:
        transactions = metric(daemon, 'leadrouter_transactions_total{result="done"}') - 1
        daemon.stop()
    receiver.join(30), sender.join(30)
    latencies = [at - (begins + offset / rate) for offset, at in seen.items() if offset > rate * SETTLE_SECONDS]
    if not latencies:
        raise process.RigError("no event was seen" + worker.tail())
    if shapes:
        worker.wait(60)
        with open(worker.log) as f:
            transactions = json.loads(f.read().splitlines()[-1])["transactions"]
    return dict(visible.percentiles(latencies), rate=rate, missing=count - int(rate * SETTLE_SECONDS) - 1 - len(latencies),
                records_per_transaction=count / max(1, transactions), cores=used)


# --- what the view would cost if it were written without thought

NAIVE = """
local id, first = ARGV[1], nil
for i = 1, 3 do first = redis.call('GET', 'ident:' .. i .. ':' .. ARGV[1 + i]) or first end
local known = redis.call('HGETALL', 'lead:' .. (first or id))
if #known > 0 then return redis.call('HINCRBY', 'lead:' .. first, 'seen', 1) end
local turn = redis.call('HINCRBY', 'ring:team', 'turn', 1)
local owner = 'rep' .. turn % 7
redis.call('HINCRBY', 'caps', owner, 1)
for i = 1, 3 do redis.call('SET', 'ident:' .. i .. ':' .. ARGV[1 + i], id) end
redis.call('HSET', 'lead:' .. id, 'owner', owner, 'team', 'team', 'rule', 'conf.d/40-routes.yaml:12', 'score', 55, 'grade', 'B',
	'deadline', ARGV[5], 'version', 1, 'state', 'assigned', 'captured', ARGV[5], 'source', 'web')
redis.call('ZADD', 'due', ARGV[5], id)
redis.call('SADD', 'owned:' .. owner, id)
redis.call('HSET', 'head', 'seq', turn)
return owner
"""


def run_naive(world):
    """One script per lead, sixteen commands, identity keys as long as ours; a hundred scripts per round trip."""
    client = world.redis.client()
    client.flushall()
    script = client.register_script(NAIVE)
    script(args=("warm", "warm", "warm", "warm", 0))
    before = cpu_seconds(world.redis.child.pid)
    for start in range(0, NAIVE_LEADS, 100):
        pipe = client.pipeline(transaction=False)
        for i in range(start, start + 100):
            known = i if i % 5 else max(0, i - 2500) # a fifth comes again
            pipe.evalsha(script.sha, 0, "L-%d" % i, *["%d.k1.%022d" % (k, known) for k in range(3)], 1790000000000 + i)
        pipe.execute()
    return (cpu_seconds(world.redis.child.pid) - before) / NAIVE_LEADS * 1e6


# --- the core

def run_core():
    place = process.folder("leadrouter-core-")
    etc = os.path.join(place, "etc")
    shutil.copytree(os.path.join(process.ROOT, "config"), etc)
    with open(os.path.join(etc, "identity.key"), "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(configs.SECRET)
    for name, count in (("many", CORE_LEADS), ("few", CALLGRIND_LEADS)):
        with open(os.path.join(place, name), "w") as f:
            f.writelines(generate.line(r) + "\n" for r in generate.Generator(count, seed=3).records())
    program = testing.binary("bench/core_bench")
    done = subprocess.run([program, etc, os.path.join(place, "many"), str(CORE_ROUNDS)], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    few = os.path.join(place, "few")
    result["instructions_per_lead"], _ = instructions(program, etc, few, place, "core_bench_batch") or (None, None)
    fired, told = instructions(program, etc, few, place, "core_bench_fire") or (None, None)
    result["instructions_per_timer"] = fired * CALLGRIND_LEADS / told["timers"] if fired else None
    return result


def run_calendar():
    done = subprocess.run([testing.binary("bench/calendar_bench"), str(CORE_ROUNDS)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def instructions(program, etc, records, place, function):
    """Per lead, inside of that function; and what the program printed. None where valgrind cannot run it."""
    if not shutil.which("valgrind"):
        return None
    out = os.path.join(place, "callgrind.out")
    done = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=" + function, "--callgrind-out-file=" + out,
                           program, etc, records, "1"], capture_output=True, text=True)
    if done.returncode != 0:
        print("valgrind cannot run the core: " + done.stderr.strip().splitlines()[-1])
        return None
    with open(out) as f:
        totals = re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M)
    return int(totals.group(1)) / CALLGRIND_LEADS, json.loads(done.stdout)


def run_rules():
    done = subprocess.run([testing.binary("bench/rules_bench"), str(RULES_ROUNDS)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("bench: rules_bench failed: " + done.stderr.strip())
    return json.loads(done.stdout)


def run_pools():
    done = subprocess.run([testing.binary("bench/pool_bench"), str(POOLS_ROUNDS)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("bench: pool_bench failed: " + done.stderr.strip())
    return json.loads(done.stdout)


def run_timers(given):
    argv = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "timers.py"), "--timers", str(given.timers),
            "--due", str(given.timers // 10)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("bench: timers.py failed")
    told = json.loads(done.stdout)
    return {"pending": told["pending"], "storm": told["storm"], "timers_load": told["load"]}


# --- what it ran on

def first_line(*argv):
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.splitlines()[0] if done.stdout else ""
    except FileNotFoundError:
        return "not there"


def versions(world, librdkafka):
    with open("/proc/cpuinfo") as f:
        cpu = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    found = {"leadrouterd": first_line(testing.binary("leadrouterd"), "-V"), "librdkafka": librdkafka,
             "kafka": world.kafka.version if world else None, "redis": first_line("redis-server", "--version"),
             "java": first_line("java", "-version"), "compiler": first_line(os.environ.get("CC", "gcc"), "--version"),
             "kernel": platform.release(), "cpu": "%d × %s" % (os.cpu_count(), cpu.group(1) if cpu else platform.machine()),
             "commit": first_line("git", "-C", process.ROOT, "describe", "--always", "--dirty")}
    for package in ("hiredis", "jansson", "libevent", "openssl", "icu-uc", "libfyaml"):
        found[package] = first_line("pkg-config", "--modversion", package)
    return found


# --- output

COLUMNS = (("leads_per_s", "leads/s", "%.0f"), ("cpu_us", "CPU µs/lead", "%.1f"), ("redis_us", "Redis µs/lead", "%.1f"),
           ("broker_us", "broker µs/lead", "%.1f"), ("records_per_transaction", "leads/transaction", "%.0f"))


def show_rounds(rounds):
    print("\n%-22s" % "" + "".join("%18s" % title for _, title, _ in COLUMNS) + "%10s" % "ratio")
    for i, pair in enumerate(rounds):
        for name in ("ceiling", "daemon"):
            row = "".join("%18s" % (form % pair[name][key]) for key, _, form in COLUMNS)
            print("%-22s%s%s" % ("round %d, %s" % (i + 1, name), row, "%10.2f" % pair["ratio"] if name == "daemon" else ""))


def show_pools(pools):
    print("\n%-22s" % "pools, decision alone" + "".join("%18s" % ("%d reps: µs" % n) for n in POOL_SIZES) + "%10s%24s" % ("ratio", "desk of 50000, ms"))
    for name, shape in pools.items():
        print("%-22s" % name + "".join("%18.2f" % (shape["decide_ns_%d" % n] / 1e3) for n in POOL_SIZES) +
              "%10.2f%24.1f" % (shape["ratio"], shape["desk_ms_%d" % POOL_SIZES[-1]]))


def show_rules(rules):
    sizes = (10, 1000, 10000)
    print("\n%-22s" % "rules" + "".join("%18s%18s" % ("%d: match ns" % n, "lead ns") for n in sizes) + "%10s%10s" % ("match", "lead"))
    for name in budgets.RULE_SHAPES:
        shape = rules[name]
        row = "".join("%18.0f%18.0f" % (shape["match_ns_%d" % n], shape["lead_ns_%d" % n]) for n in sizes)
        print("%-22s%s%9.2f×%9.2f×" % (name, row, shape["match_ratio"], shape["lead_ratio"]))
    print("load, CPU: 10,000 rules %.0f ms, with 1,000,000 territory rows %.0f ms; a place is found in %.0f ns, a condition of three "
          "clauses takes %.1f ns" % (rules["load_ms"], rules["load_with_rows_ms"], rules["territory_ns"], rules["condition_ns"]))


def show_timers(pending, storm, load):
    print("\ntimers: %(timers)d pending, %(bytes_per_timer).0f B each in Redis; filled in %(rebuild_s).0f s; leads/s ÷ without them "
          "%(ratio).3f, CPU per lead of the daemon %(cpu_ratio).2f, of Redis %(redis_ratio).2f, medians of the rounds" % pending)
    for i, pair in enumerate(pending["rounds"]):
        print("  round %d: %.0f leads/s with, %.0f without, ratio %.3f" % (
            i + 1, pair["pending"]["leads_per_s"], pair["none"]["leads_per_s"], pair["ratio"]))
    print("timers: %(timers)d due at once, %(fired_per_s).0f fired per second (daemon %(cpu_us).1f µs, Redis %(redis_us).1f µs each, new leads "
          "included), %(out_of_order)d of %(events)d events out of order; rebuilt from %(records)d records in %(rebuild_s).1f s" % storm)
    for name, title in (("quiet", "before"), ("storm", "while they are due")):
        print("  new leads %s, at %.0f/s: p50 %.1f ms, p99 %.1f ms, max %.1f ms" % (
            title, storm["rate"], *(storm[name][k] for k in ("p50_ms", "p99_ms", "max_ms"))))
    print("  stated bound: two lots of 1,000 timers, which is %.1f ms at that rate, on top of what a lead takes before" % storm["bound_ms"])
    print("  load of the machine: %.1f at the begin, %.1f at the end" % tuple(load))


def show_latency(result):
    for name in ("latency_ceiling", "latency", "latency_low_ceiling", "latency_low"):
        if name in result:
            at = result[name]
            print("%-21s at %.0f leads/s: p50 %.1f ms, p99 %.1f ms, max %.1f ms; %.1f leads/transaction, %d leads missing; cores used: %s" % (
                name.replace("_", ", "), at["rate"], at["p50_ms"], at["p99_ms"], at["max_ms"], at["records_per_transaction"], at["missing"],
                ", ".join("%s %.2f" % item for item in (at["cores"] or {}).items())))


def show(result):
    if "ceiling" in result:
        for name in ("ceiling", "daemon"):
            row = "".join("%18s" % (form % result[name][key]) for key, _, form in COLUMNS)
            print("%-22s%s%s" % ("median, " + name, row, "%10.2f" % result["ratio"] if name == "daemon" else ""))
        print("\nper lead the daemon sends: " + ", ".join("%.2f × %s (%d B)" % (s[0], name.split(".")[-1], s[1] + s[2] + s[4])
                                                         for name, s in sorted(result["shapes"].items())))
        print("open leads %d, Redis %.0f B each; daemon RSS %.0f MB" % (
            result["daemon"]["open_leads"], result["daemon"]["redis_bytes_per_lead"], result["daemon"]["rss_mb"]))
        print("a naive script per lead costs Redis %.1f µs" % result["naive_redis_us"])
    if "latency" in result:
        show_latency(result)
    if "core" in result:
        core = result["core"]
        for what in ("lead", "timer"):
            count = core["instructions_per_" + what]
            print("core: %d ns and %s instructions per %s" % (core["ns_per_" + what], "%.0f" % count if count else "unknown", what))
    if "pools" in result:
        show_pools(result["pools"])
    if "rules" in result:
        show_rules(result["rules"])
    if "storm" in result:
        show_timers(result["pending"], result["storm"], result["timers_load"])
    if "calendar" in result:
        print("calendar: %(per_second).0f deadlines/s (%(fastest_ns).0f to %(slowest_ns).0f ns, whatever the distance and with up to 10,000 "
              "holidays), 2bd 1bh %(span_ns).0f ns, compiled in %(compile_ms).1f ms" % result["calendar"])
    print("\n%-56s%12s%10s%10s  %s" % ("budget", "measured", "bar", "goal", ""))
    for row in result["budgets"]:
        value = "-" if row["measured"] is None else "%.4g" % row["measured"]
        print("%-56s%12s%10.3g%10.3g  %s%s" % (row["budget"], value + " " + row["unit"], row["bar"], row["goal"], row["verdict"], ""))
    print("\n" + ", ".join("%s %s" % item for item in result["versions"].items()))
    print("load of the machine: %.1f at the begin, %.1f at the end, on %d processors" % (*result["load"], os.cpu_count()))


def medians(rounds, name):
    return {key: statistics.median(pair[name][key] for pair in rounds) for key in rounds[0][name] if key != "librdkafka"}


def measure_rounds(world, given, result):
    _, options = run_daemon(world)
    shapes = shapes_of(world, options)
    run_ceiling(world, shapes)
    rounds = []
    for _ in range(given.rounds):
        pair = {"ceiling": run_ceiling(world, shapes), "daemon": run_daemon(world)[0]}
        pair["ratio"] = pair["daemon"]["cpu_us"] / max(pair["ceiling"]["cpu_us"], 0.01)
        rounds.append(pair)
    show_rounds(rounds)
    result.update(rounds=rounds, shapes=shapes, ceiling=medians(rounds, "ceiling"), daemon=medians(rounds, "daemon"),
                  ratio=statistics.median(pair["ratio"] for pair in rounds), naive_redis_us=run_naive(world))
    return rounds[0]["ceiling"]["librdkafka"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=int(os.environ.get("BENCH_LEADS", 50000)), help="of the backlog")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--latency-seconds", type=float, default=12)
    parser.add_argument("--rate", type=float, default=0, help="of the latency part; 0: half of the measured rate")
    parser.add_argument("--timers", type=int, default=int(os.environ.get("BENCH_TIMERS", 10 ** 7)), help="pending; a tenth is due at once")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="of the daemon: limits.batch_records=1000")
    parser.add_argument("--json", help="where the result goes")
    parser.add_argument("--skip", action="append", default=[], choices=("rounds", "latency", "core", "pools", "rules", "timers"))
    given = parser.parse_args()
    result, world, librdkafka = {"leads": given.leads, "load": [os.getloadavg()[0]]}, None, None
    try:
        if "core" not in given.skip:
            result["core"] = run_core()
            result["calendar"] = run_calendar()
        if "pools" not in given.skip:
            result["pools"] = run_pools()
        if "rules" not in given.skip:
            result["rules"] = run_rules()
        if "timers" not in given.skip:
            result.update(run_timers(given)) # it has a broker of its own: before there is another
        if not {"rounds", "latency"} <= set(given.skip):
            world = World(given.leads, {n: int(v) if v.isdigit() else v for n, v in (pair.split("=", 1) for pair in given.set)})
        if "rounds" not in given.skip:
            librdkafka = measure_rounds(world, given, result)
        if "latency" not in given.skip:
            rate = given.rate or result.get("daemon", {}).get("leads_per_s", 2000) / 2
            for name, at in (("latency", rate), ("latency_low", LOW_RATE)):
                if "shapes" in result:
                    result[name + "_ceiling"] = run_latency(world, at, given.latency_seconds, result["shapes"])
                result[name] = run_latency(world, at, given.latency_seconds)
    except process.Unavailable as e:
        sys.exit("bench: a broker cannot be had here: %s" % e)
    result["load"].append(os.getloadavg()[0])
    result["versions"] = versions(world, librdkafka)
    result["budgets"] = budgets.budgets(result)
    show(result)
    if given.json:
        os.makedirs(os.path.dirname(os.path.abspath(given.json)), exist_ok=True)
        with open(given.json, "w") as f:
            json.dump(result, f, indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
