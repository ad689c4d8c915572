#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
# rig: seconds 3600
"""Configurations that are changed in every way: a check says what a start and a reload say, and a reload under load breaks
nothing. `make check-reload N=10000` for the long form; N=300 in `make check`. SEED=2 walks another way."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, daemons, generate, mutate, process, testing, verify  # noqa: E402
from rig.process import RigError  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World  # noqa: E402

EXIT_CONFIG = 78
N = int(os.environ.get("N") or 300)
SEED = int(os.environ.get("SEED") or 1)
CHECKED = 150          # configurations that are given to check and to -t
STARTED = 8            # of these, so many good ones are really started, and so many bad ones
RATE = 150             # leads per second while configurations change
LEADS_MAX = 500000
QUIET_SECONDS = 5      # longer than any clock of tests/rig/rules.yaml has between two things that it tells
GROWTH_KIB = 24 * 1024 # of resident memory from an early reload to the last
TAKEN, REFUSED = "configuration reloaded", "configuration refused, the old one stays in force"

_kafka = []


def kafka():
    if not _kafka:
        _kafka.append(broker.Kafka.started())
    return _kafka[0]


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


# --- a configuration that check accepts, starts

def starts(world):
    """Whether leadrouterd runs with what is in the folder. It is ended again."""
    world.daemon.start(wait=False)
    try:
        world.daemon.wait_ready()
    except RigError:
        equal(world.daemon.wait_end(20), EXIT_CONFIG, "exit code of a start that failed" + world.daemon.tail())
        return False
    equal(world.daemon.stop(), 0, "exit code" + world.daemon.tail())
    return True


def test_what_check_accepts_starts():
    good = bad = 0
    with World(kafka()) as world:
        world.bootstrap()
        mutator = mutate.Mutator(world.config, mutate.seeded(1000 + SEED))
        for i in range(CHECKED):
            mutation = mutator.next()
            checked, _, said = run(testing.binary("leadctl"), "check", "-c", world.config)
            tested, _, told = run(daemons.program(), "-c", world.config, "-t")
            check(checked in (0, EXIT_CONFIG), "%s: leadctl check ended with %d: %s" % (mutation, checked, said))
            equal((tested, told), (checked, said), "%s: -t and check" % (mutation,))
            as_json, lines, _ = run(testing.binary("leadctl"), "check", "-c", world.config, "--json")
            equal(as_json, checked, "%s: check --json" % (mutation,))
            verdict = [json.loads(line) for line in lines.splitlines()][-1]
            equal(verdict["verdict"], "bad" if checked else "good", "%s: the last line of --json" % (mutation,))
            # who starts needs the broker and the Redis that are there
            if mutation.file == mutate.RULES and (bad if checked else good) < STARTED:
                equal(starts(world), checked == 0, "%s: it starts, and check said:\n%s" % (mutation, said))
                good, bad = good + (checked == 0), bad + (checked != 0)
        equal((good, bad), (STARTED, STARTED), "good and bad ones that were started")
    return "%d configurations, %d of them started" % (CHECKED, good + bad)


# --- reload under load

class Plain(World):
    """With the topics' own names, for the verifier."""

    def topic(self, name):
        return name


class Load:
    """Leads that keep coming until stop()."""

    def __init__(self, bootstrap):
        self.stopped = threading.Event()
        self.sent = 0
        self.error = None
        self.records = generate.Generator(LEADS_MAX, seed=SEED, hostile=0.02, touches=0.2).records()
        self.thread = threading.Thread(target=self._run, args=(bootstrap,), daemon=True)
        self.thread.start()

    def _run(self, bootstrap):
        try:
            self.sent = generate.produce(self.records, bootstrap, 1, rate=RATE, until=self.stopped.is_set)
        except Exception as e:  # noqa: BLE001 — told by stop()
            self.error = e

    def stop(self):
        self.stopped.set()
        self.thread.join(120)
        check(self.error is None and not self.thread.is_alive(), "the leads were not sent: %s" % self.error)
        return self.sent


class Reloads:
    """Changes the configuration and has it loaded in one of three ways."""

    def __init__(self, world, count):
        self.world, self.count = world, count
        self.mutator = mutate.Mutator(world.config, mutate.seeded(SEED))
        self.rng = self.mutator.rng
        self.resident = []
        self.compared = self.asked = self.carets = 0

    def run(self):
        done = 0
        while done < self.count:
            way = self.rng.random()
            burst = min(self.rng.randrange(2, 9), self.count - done) if way < 0.1 else 1
            if way < 0.1:
                self.burst(burst)
            elif way < 0.25:
                self.ask()
            else:
                self.signal()
            done += burst
            if done * 50 // self.count > len(self.resident):
                self.resident.append(self.world.daemon.rss_kib())
        self.mutator.restore()
        equal(self.world.ctl("reload", "-c", self.world.config)[0], 0, "the first configuration is taken again")

    def hash(self):
        status, body = self.world.http("/metrics")
        check(status == 200, "metrics answer: %d" % status)
        found = [line.split("sha256=")[1] for line in body.splitlines() if line.startswith("leadrouter_config_info{")]
        equal(len(found), 1, "configurations in force")
        return found[0]

    def reload(self):
        """SIGHUP; the verdict of a reload that began after it: what others told before may still be on its way. The daemon
        never waits for who listens, so behind a burst a datagram may be dropped: then it is asked again."""
        notify, begun = self.world.daemon.notify, time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
        with notify.changed:
            notify.messages.clear()
        deadline, ask_at = process.Deadline(30, "the daemon has reloaded"), 0
        with notify.changed:
            while True:
                if time.monotonic() >= ask_at:
                    self.world.daemon.child.signal(signal.SIGHUP)
                    ask_at = time.monotonic() + 5
                since = [i for i, m in enumerate(notify.messages) if float(m.get("MONOTONIC_USEC", 0)) >= begun]
                done = [m["STATUS"] for m in notify.messages[since[0]:] if "READY" in m] if since else []
                if done:
                    return done[0]
                check(self.world.daemon.running(), "leadrouterd ended while reloading" + self.world.daemon.tail())
                deadline.check(self.world.daemon.log)
                notify.changed.wait(0.2)

    def signal(self):
        """SIGHUP, and its verdict awaited; now and then compared with that of a check."""
        is_compared = self.rng.random() < 0.1
        before = self.hash() if is_compared else None
        mutation = self.mutator.next()
        status = self.reload()
        check(status in (TAKEN, "reload refused, the old configuration is in force"), "%s: %r" % (mutation, status))
        if not is_compared:
            return
        self.compared += 1
        code, _, said = run(testing.binary("leadctl"), "check", "-c", self.world.config)
        if not mutation.may_be_fixed or code != 0:
            equal(status == TAKEN, code == 0, "%s is taken, and check says:\n%s" % (mutation, said))
        if status != TAKEN:
            equal(self.hash(), before, "%s: the old one stays in force" % (mutation,))

    def burst(self, count):
        """Changes and SIGHUPs on each other's heels: some meet a reload that is under way."""
        for _ in range(count):
            self.mutator.next()
            self.world.daemon.child.signal(signal.SIGHUP)
        # the loop that answers the second time has seen every signal that came before the first
        self.hash(), self.hash()

    def ask(self):
        """leadctl reload: the verdict is told where it was asked for."""
        before, mutation = self.hash(), self.mutator.next()
        code, out, err = self.world.ctl("reload", "-s", os.path.join(self.world.config, "control"))
        check(code in (0, EXIT_CONFIG), "%s: leadctl reload ended with %d: %s%s" % (mutation, code, out, err))
        self.asked += 1
        if code == 0:
            found = re.search(r"configuration ([0-9a-f]{16}) is in force", out)
            check(found and found.group(1) in self.hash(), "%s: %s" % (mutation, out))
            return
        check(re.search(r"error\[LR\d{3}\]", err), "%s: no error is shown: %s" % (mutation, err))
        equal(self.hash(), before, "%s: the old one stays in force" % (mutation,))
        if re.search(r"--> \S+:\d+:\d+\n +\|\n", err):
            check(re.search(r"\| +\^", err) or "^" in err, "%s: no caret: %s" % (mutation, err))
            self.carets += 1


def verdicts(world):
    """What the log says of each reload; whatever is refused leaves the one before it in force."""
    counts, in_force = {TAKEN: 0, REFUSED: 0}, None
    for line in world.log().splitlines():
        if "configuration re" not in line:
            continue
        record = json.loads(line)
        if record["msg"] not in counts:
            continue
        if record["msg"] == REFUSED and in_force is not None:
            equal(record["config"], in_force, "the configuration in force after a refusal")
        counts[record["msg"]] += 1
        in_force = record["config"]
    return counts


def wait_quiet(world):
    """Until nothing more is written: another plan moves the due times of running clocks in a walk, which goes on for a while
    after the last reload, and what is late then is told at once."""
    from confluent_kafka import TopicPartition
    asker = verify.consumer(kafka().bootstrap, world.group + "-asker")
    ends = lambda: asker.get_watermark_offsets(TopicPartition(contract.STATE, 0), timeout=10)[1]  # noqa: E731
    last, since = ends(), time.monotonic()

    def is_quiet():
        nonlocal last, since
        now = ends()
        if now != last:
            last, since = now, time.monotonic()
        return time.monotonic() - since > QUIET_SECONDS
    process.wait_for(is_quiet, 180, "the walk over running clocks ends", every=0.2, log=world.daemon.log)
    asker.close()


def check_memory(resident):
    """From a fifth of the way on, when every path has been gone and buffers have their size."""
    early = resident[len(resident) // 5]
    check(resident[-1] - early < GROWTH_KIB, "resident memory grows, KiB: %s" % resident)


def test_reload_under_load():
    begun = time.monotonic()
    with Plain(kafka()) as world:
        world.start()
        load, reloads = Load(kafka().bootstrap), Reloads(world, N)
        pid = world.daemon.child.pid
        reloads.run()
        seconds = time.monotonic() - begun
        sent = load.stop()
        verify.wait_drained(kafka().bootstrap, 120, world.group, world.daemon.running)
        wait_quiet(world)
        equal((world.daemon.child.pid, world.daemon.starts), (pid, 1), "one process")
        check(sent > 100, "%d leads while configurations changed" % sent)
        counts = verdicts(world)
        check(min(counts.values()) > N / 10, "verdicts: %s" % counts)
        check(reloads.asked == 0 or reloads.carets > 0, "carets in %d answers" % reloads.asked)
        check_memory(reloads.resident)
        report = verify.verify(kafka().bootstrap, 1, world.redis.client())
        check(report.clean, report.text())
        equal(world.daemon.stop(), 0, "exit code" + world.daemon.tail())
    return "%d configurations in %.0f s, %d records sent, %d taken, %d refused, %d asked for (%d with carets), %d compared with check; %s; KiB %s" % (
        N, seconds, sent, counts[TAKEN], counts[REFUSED], reloads.asked, reloads.carets, reloads.compared,
        report.line(), "…".join(str(k) for k in (reloads.resident[0], reloads.resident[len(reloads.resident) // 5], reloads.resident[-1])))


testing.main(globals())
