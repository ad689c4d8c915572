#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Faults under load, then the verifier: nothing lost, nobody owned twice, nothing twice, nothing early.

  chaos.py [ROUND]... [--leads N] [--seconds S] [--faults F] [--partitions P] [--tenants T] [--instances I] [--seed S]
           [--mixed SHARE] [--names NAME,NAME...]

  kills        SIGKILL of a random instance at random points
  failpoints   SIGKILL at every named place of daemon/failpoint.h, or at those of --names (needs a build with
               -DLR_FAILPOINTS); what the load alone does not reach is provoked
  stops        SIGSTOP of an instance until the others have taken its shards, then SIGCONT
  redis        FLUSHALL, empty restart, restore of an older snapshot, promotion of a replica that is k writes behind,
               a view of another history whose counters are ours
  broker       kill -9, clean restart and SIGSTOP of the broker
  timers       the leads come first; then all their clocks run out, a reminder and two levels each, while instances are
               killed and Redis is wiped; every level must be told once and not before its time
  jumps        the wall clock of all instances jumps by an hour and a day, back and forth, while clocks run out
  all          these seven, one after the other (the default)

Each round has a broker, a Redis and instances of its own; `--leads` are spread over `--seconds` while `--faults` faults
happen at times drawn from the seed. In the first five rounds the leads come with orders, claims, merges, absences and all the
other activities, so many each as --mixed says, under the rules of rig/mixed.py. Then everything is worked off, the due timers
fire, the verifier reads all topics, and a rebuild of every shard from leads.state must give the same Redis, byte for byte.
Programs: $LEADROUTERD and $LEADCTL, else those of $BUILD (build/gcc); $LEADROUTERD_FAILPOINTS, else build/failpoints.
"""

import argparse
import collections
import os
import random
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, configs, contract, daemons, mixed, process, redis_server, testing, verify  # noqa: E402
from rig.process import RigError, wait_for  # noqa: E402
from rig.testing import check, equal  # noqa: E402

DRAIN_SECONDS = 300
TIMER_SECONDS = 40
REACH_SECONDS = 20      # how long a failpoint may take to be reached
TRIES = 3               # how often a failpoint is gone for
PORTION_SECONDS = 2     # how long the load lasts that is sent to each failpoint
# So that a broker that is started again, and an instance that was stopped, still find their transaction open.
FAILPOINT_OPTIONS = {"kafka.transaction_timeout_ms": 20000}
TAKE_OVER_SECONDS = 12  # longer than the session time-out of configs.py
BEHIND = (1, 10, 1000)  # writes by which a promoted replica lags
FAILPOINTS = re.compile(r'^\s*X\([A-Z_]+, "([a-z_.]+)"\)', re.M)


class World:
    """Everything that one round needs."""

    def __init__(self, given, seed, options=None, more=None, env=None, mix=0.0):
        self.given, self.mix = given, mix
        self.rng = random.Random("chaos %s" % seed)
        self.exits = collections.Counter()  # instances that ended without being killed
        self.faults = 0
        self.timer_seconds = TIMER_SECONDS
        self.kafka = broker.Kafka.started()
        self.kafka.create_topics(*contract.topics(given.partitions))
        self.view = redis_server.View(redis_server.RedisServer.started())
        self.snapshot = os.path.join(process.folder("leadrouter-snapshot-"), "old.rdb")
        tenants = ["t%02d" % i for i in range(given.tenants)]
        self.daemons = []
        rules = mixed.rules(given.leads, given.seconds, given.partitions) if mix else None
        for i in range(given.instances):
            name = "%d" % (i + 1)
            config = configs.write(name, self.kafka.bootstrap, self.view.address, given.partitions, tenants, options, more, rules)
            self.daemons.append(daemons.Daemon(config, name, env))
        self._bootstrap()
        self.generator, self.sent, self.portion = None, 0, 0

    def _bootstrap(self):
        """The explicit first start of the group."""
        program = os.environ.get("LEADCTL") or testing.binary("leadctl")
        log = os.path.join(process.folder("leadrouter-ctl-"), "log")
        child = process.Child([program, "bootstrap", "-c", self.daemons[0].config], log)
        equal(child.wait(30), 0, "leadctl bootstrap" + child.tail())

    def start(self):
        for daemon in self.daemons:
            daemon.start()

    def load(self, leads=None, seconds=None, touches=0.3):
        """The generator is a process of its own, so that it does not wait for us. Persons of each load are new ones."""
        given = self.given
        leads, seconds = leads or given.leads, seconds or given.seconds
        script = os.path.join(process.ROOT, "tests", "rig", "generate.py")
        argv = [script, "--leads", leads, "--first", self.sent, "--seed", given.seed, "--tenants", given.tenants, "--hostile", 0.01,
                "--touches", touches, "--kafka", self.kafka.bootstrap, "--partitions", given.partitions,
                "--rate", leads * (1 + touches + self.mix) / seconds, "--mixed", self.mix, "--now", int(time.time())]
        self.sent += leads
        log = os.path.join(process.folder("leadrouter-load-"), "log")
        self.generator = process.Child([str(a) for a in argv], log)

    def load_portion(self):
        if self.generator:
            equal(self.generator.wait(60), 0, "the generator's exit code" + self.generator.tail())
        self.load(self.portion, PORTION_SECONDS)

    def loading(self):
        return self.generator.running()

    def any(self):
        return self.rng.choice(self.daemons)

    def note_end(self, daemon):
        """No fault of ours makes an instance end by another signal than SIGKILL: that is a crash."""
        code = daemon.code()
        if daemon.running() or code is None or code == -signal.SIGKILL:
            return
        self.exits["%s code %s" % (daemon.name, code)] += 1
        check(code >= 0, "%s crashed with signal %s%s" % (daemon.name, -code, daemon.tail()))

    def mend(self):
        """Instances that ended (killed, or by their own deadline) are started again, as systemd would."""
        for daemon in self.daemons:
            if not daemon.running():
                self.note_end(daemon)
                daemon.start(wait=False)

    def pass_time(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.mend()
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))

    def disturb(self, fault):
        """fault(world, number) F times, at random times while the load runs."""
        self.load()
        for number in range(self.given.faults):
            self.pass_time(self.rng.expovariate(self.given.faults / self.given.seconds))
            fault(self, number)
            self.faults += 1
        wait_for(lambda: self.mend() or not self.loading(), self.given.seconds * 2 + 120, "the load is sent", log=self.generator.log)
        equal(self.generator.code(), 0, "the generator's exit code" + self.generator.tail())

    def position(self):
        """Write-sets that Redis has seen, over all shards."""
        client = self.view.client()
        return sum(int(client.hget(contract.view_key(p, "head"), "q") or 0) for p in range(self.given.partitions))

    def settle(self):
        """Everything worked off, every due timer fired; then the verdict, the rebuild and the comparison. What was not
        worked off in time is part of the verdict, so that the verifier's counts are seen in any case."""
        self.mend()
        drained = self._becomes(lambda: verify.backlog(self.kafka.bootstrap) == 0, DRAIN_SECONDS)
        fired = self._becomes(lambda: not self._timers(), self.timer_seconds)
        report = verify.verify(self.kafka.bootstrap, self.given.partitions, self.view.client(60), apply_seconds=30,
                               limits=self.mix and mixed.limits(self.given.leads, self.given.partitions))
        check(report.clean and drained and fired, "drained %s, all timers fired %s\n%s%s"
              % (drained, fired, report.text(), self.logs()))
        self._rebuild()
        exits = "".join(", %s: %d" % item for item in sorted(self.exits.items()))
        return "%d faults, %d starts%s, %s" % (self.faults, sum(d.starts for d in self.daemons), exits, report.line())

    def _becomes(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                return False
            self.pass_time(0.3)
        return True

    def _timers(self):
        """A view that was wiped a moment ago has none, which says nothing."""
        client = self.view.client()
        for p in range(self.given.partitions):
            if self._has_state(p) and client.hget(contract.view_key(p, "head"), "s") != b"N":
                return 1
        return sum(len(contract.read_timers(client, p)[0]) for p in range(self.given.partitions))

    def _rebuild(self):
        """R30: Redis wiped while nobody runs, rebuilt from leads.state: the same bytes."""
        before = verify.digest_of_view(self.view.client(60), self.given.partitions)
        self.mend()
        for daemon in self.daemons:
            daemon.wait_ready()
            equal(daemon.stop(), 0, "exit code of %s%s" % (daemon.name, daemon.tail()))
        self.view.server.restart_empty()
        self.daemons[0].start()
        client = self.view.client()
        wait_for(lambda: all(client.hget(contract.view_key(p, "head"), "s") == b"N" or not self._has_state(p)
                             for p in range(self.given.partitions)), TIMER_SECONDS, "all shards are rebuilt", log=self.daemons[0].log)
        equal(verify.digest_of_view(client, self.given.partitions), before, "digest of the rebuilt view")
        self.daemons[0].stop()

    def _has_state(self, shard):
        """Shards without a tenant never get a write-set; their head may stay as the claim left it."""
        tenants = ["t%02d" % i for i in range(self.given.tenants)]
        return shard == 0 if not tenants else any(contract.shard_of(t, self.given.partitions) == shard for t in tenants)

    def logs(self):
        return "".join(d.tail(12) for d in self.daemons) + process.tail(self.kafka.log, 12)

    def close(self):
        """All of it is ours and may go the hard way."""
        for daemon in self.daemons:
            daemon.kill9()
        self.view.server.kill9()
        self.kafka.kill9()


# --- the faults

def kill(world, _number):
    world.any().kill9()


def stop_across_a_rebalance(world, _number):
    daemon = world.any()
    if not daemon.running():
        return
    daemon.pause()
    world.pass_time(world.rng.choice((1, TAKE_OVER_SECONDS)))
    daemon.resume()


def flush(world, _number):
    world.view.client().flushall()


def empty_restart(world, _number):
    world.view.server.restart_empty()


def restore_snapshot(world, _number):
    world.view.server.snapshot(world.snapshot)
    world.pass_time(world.rng.uniform(0.2, 2))
    world.view.server.restore(world.snapshot)


def promote_behind(world, number):
    """The replica stops following; the master goes on for k writes and is gone, and with it what it alone has."""
    replica = world.view.server.replica()
    replica.detach()
    wanted, end = world.position() + BEHIND[number % len(BEHIND)], time.monotonic() + 10
    while world.position() < wanted and time.monotonic() < end:
        world.pass_time(0.02)
    world.view.promote(replica)


def restore_foreign(world, _number):
    """What Redis holds is of another history, as far on as ours: the hash alone tells. An older snapshot stands for the
    other history; its heads are given our counters and a hash that nobody has."""
    world.view.server.snapshot(world.snapshot)
    world.pass_time(world.rng.uniform(0.2, 2))
    keys = [contract.view_key(p, "head") for p in range(world.given.partitions)]
    ours = {key: world.view.client().hmget(key, "e", "q", "pos") for key in keys}
    world.view.server.restore(world.snapshot)
    client = world.view.client()
    for key, head in ours.items():
        if None not in head and client.hget(key, "s") == b"N":
            client.hset(key, mapping=dict(zip(("e", "q", "pos"), head), h=world.rng.randbytes(8).hex()))


REDIS_FAULTS = (flush, promote_behind, empty_restart, restore_snapshot, restore_foreign)


def redis_fault(world, number):
    REDIS_FAULTS[number % len(REDIS_FAULTS)](world, number // len(REDIS_FAULTS))


def broker_fault(world, number):
    if number % 3 == 2:
        world.kafka.pause()
        world.pass_time(world.rng.uniform(1, 8))
        return world.kafka.resume()
    (world.kafka.kill9, world.kafka.stop)[number % 3]()
    world.kafka.start()


# --- the rounds

def simple_round(fault):
    def run(given, seed):
        world = World(given, seed, mix=given.mixed)
        try:
            world.start()
            world.disturb(fault)
            return world.settle()
        finally:
            world.close()
    return run


def failpoint_names():
    with open(os.path.join(process.ROOT, "daemon", "failpoint.h")) as f:
        return FAILPOINTS.findall(f.read())


def failpoint_program():
    path = os.environ.get("LEADROUTERD_FAILPOINTS") or os.path.join(process.ROOT, "build", "failpoints", "leadrouterd")
    if not os.access(path, os.X_OK):
        raise testing.Skip("%s is not built" % path)
    return path


def empty_the_view(world):
    world.view.server.restart_empty()


def fall_behind(world):
    """An instance dies between commit and apply: the view of at least one shard is behind when it is opened next. The
    first commits are claims, which change nothing that a view holds."""
    daemon = world.daemons[0]
    daemon.start(failpoint="commit.after_commit:%d:kill" % (3 * world.given.partitions), wait=False)
    world.load_portion()
    ends(daemon, REACH_SECONDS)
    daemon.kill9()


def promote_under_load(world):
    """The shards find out while they run, and are opened anew."""
    replica = world.view.server.replica()
    replica.detach()
    flows(world, 10)
    world.view.promote(replica)


def expel(world):
    """The group forgets the instance, which hears of it by a heartbeat only: what it sends until then, in a transaction,
    is of an old generation."""
    if flows(world):
        world.kafka.expel_members(contract.GROUP)


def stop_until_expelled(world):
    daemon = world.daemons[0]
    if flows(world):
        daemon.pause()
        time.sleep(TAKE_OVER_SECONDS)
        daemon.resume()


def crash_the_broker(world):
    """The connection breaks under the requests of a transaction, which are sent again when the broker is back."""
    if flows(world):
        world.kafka.kill9()
        world.kafka.start()


# What makes an instance pass a place: done before it starts, and while it runs under load. Tries take turns.
NOTHING = ((None, None),)
PROVOCATIONS = {
    "rebuild": ((empty_the_view, None),),
    "catchup": ((fall_behind, None), (None, promote_under_load)),
    "abort": ((None, expel), (None, stop_until_expelled)),
    "renew": ((None, crash_the_broker),),
}
# These are passed once per opening, or only after the provocation.
ONCE = ("open", "epoch") + tuple(PROVOCATIONS)


def flows(world, writes=1):
    """Whether the instance works: write-sets arrive in Redis."""
    daemon, wanted, end = world.daemons[0], world.position() + writes, time.monotonic() + REACH_SECONDS
    while daemon.running() and time.monotonic() < end:
        if world.position() >= wanted:
            return True
        time.sleep(0.01)
    return False


def ends(daemon, seconds):
    """Whether the instance ends within the time; it is not started again."""
    end = time.monotonic() + seconds
    while daemon.running() and time.monotonic() < end:
        time.sleep(0.02)
    return not daemon.running()


def at_failpoint(world, name, number):
    """One instance runs into the place under load; true when it died there."""
    daemon, family = world.daemons[0], name.split(".")[0]
    choices = PROVOCATIONS.get(family, NOTHING)
    before, meanwhile = choices[number % len(choices)]
    daemon.kill9()
    if before:
        before(world)
    daemon.start(failpoint="%s:%d:kill" % (name, 1 if family in ONCE else world.rng.choice((1, 2, 7))), wait=False)
    world.load_portion()
    if meanwhile:
        meanwhile(world)
    reached = ends(daemon, REACH_SECONDS) and daemon.code() == -signal.SIGKILL
    world.note_end(daemon)
    daemon.kill9()
    world.faults += reached
    return reached


def reaches(world, name, first):
    return any(at_failpoint(world, name, first + number) for number in range(TRIES))


def failpoints_round(given, seed):
    known = failpoint_names()
    check(len(known) >= 10, "the list of failpoints is readable")
    names = given.names.split(",") if given.names else known
    check(set(names) <= set(known), "no such failpoint: " + ", ".join(sorted(set(names) - set(known))))
    times = max(1, given.faults // len(names))
    os.environ["LEADROUTERD"] = failpoint_program()
    world = World(argparse.Namespace(**dict(vars(given), instances=1)), seed, FAILPOINT_OPTIONS, mix=given.mixed)
    world.portion = max(100, given.leads // (len(names) * times))
    try:
        world.start()
        missed = [name for first in range(times) for name in names if not reaches(world, name, first)]
        for name in sorted(set(missed)):
            given.counts.skip("chaos failpoint " + name, "was not reached")
        return world.settle()
    finally:
        world.close()
        del os.environ["LEADROUTERD"]


# --- clocks that run out

TIMER_LEVELS = ("pre_breach", "breach", "manager")
REMIND_SECONDS, MANAGER_SECONDS = 8, 3
PER_SECOND = 1500  # levels told, which a machine under faults manages at least


def clocks_of(allowed):
    """The clock of the timers round; it takes the place of those of the grades."""
    return ("followup:\n  clocks:\n    - {clock: first_response, after: %ds, remind_before: %ds, "
            "levels: [{level: manager, after: %ds}]}\n" % (allowed, REMIND_SECONDS, MANAGER_SECONDS))


def wipe_or_kill(world, number):
    (kill, flush, kill, empty_restart)[number % 4](world, number)


class TimerCount:
    """What the topics say of the clocks: levels by lead, against the assignments. Shares nothing with the router but names."""

    def __init__(self):
        self.deadlines, self.told = {}, collections.defaultdict(list)

    def take(self, record):
        kind, value = verify.last_header(record, contract.TYPE), verify.parse(record.value)
        if kind == "lead.assigned":
            self.deadlines[value["lead_id"]] = verify.moment_ms(value["deadline"])
        elif kind in ("followup.reminder", "followup.overdue"):
            self.told[value["lead_id"], value["level"]].append(verify.moment_ms(verify.last_header(record, contract.TIME)))

    def counts(self):
        lost = twice = early = 0
        at = dict(zip(TIMER_LEVELS, (-REMIND_SECONDS * 1000, 0, MANAGER_SECONDS * 1000)))
        for lead, deadline in self.deadlines.items():
            for level in TIMER_LEVELS:
                moments = self.told.pop((lead, level), [])
                lost += not moments
                twice += max(0, len(moments) - 1)
                early += sum(moment < deadline + at[level] for moment in moments)
        return lost, twice + sum(map(len, self.told.values())), early


def count_timers(world):
    count = TimerCount()
    verify.read_all(world.kafka.bootstrap, (contract.ASSIGNMENTS, contract.FOLLOWUPS), count.take)
    lost, twice, early = count.counts()
    leads = len(count.deadlines)
    check(leads > world.given.leads / 4, "only %d leads have a clock" % leads)
    check((lost, twice, early) == (0, 0, 0), "%d clocks, levels lost/twice/early %d/%d/%d%s" % (leads, lost, twice, early, world.logs()))
    return "%d clocks: lost/twice/early 0/0/0" % leads


def timers_round(given, seed):
    """All leads first, without a fault; their clocks begin to run out when the last one has come."""
    world = World(given, seed, more=clocks_of(int(given.seconds) + 2 * REMIND_SECONDS))
    world.timer_seconds = TIMER_SECONDS + 3 * given.leads / PER_SECOND
    try:
        world.start()
        world.load(touches=0)
        wait_for(lambda: world.mend() or not world.loading(), given.seconds * 2 + 120, "the load is sent", log=world.generator.log)
        check(world._becomes(lambda: verify.backlog(world.kafka.bootstrap) == 0, DRAIN_SECONDS), "the leads are taken in")
        world.pass_time(REMIND_SECONDS / 2)
        for number in range(given.faults):
            world.pass_time(world.rng.expovariate(given.faults / (given.seconds + MANAGER_SECONDS)))
            wipe_or_kill(world, number)
            world.faults += 1
        text = world.settle()
        return "%s; %s" % (count_timers(world), text)
    finally:
        world.close()


# --- clocks that jump

JUMP_SECONDS = (3600, -3600, 86400, -86400)
FROZEN = "clocks disagree: timers are frozen"


class Jump:
    """The wall clock of all instances of a world, see tests/chaos/jump.c."""

    def __init__(self):
        build = os.environ.get("BUILD", "build/gcc")
        self.library = os.path.join(process.ROOT, build, "chaos", "jump.so")
        if not os.access(self.library, os.R_OK):
            raise testing.Skip("%s is not built" % self.library)
        self.path = os.path.join(process.folder("leadrouter-jump-"), "offset")
        self.by(0)

    def by(self, seconds):
        with open(self.path, "r+b" if os.path.exists(self.path) else "w+b") as f:
            f.write((seconds * 1000).to_bytes(8, "little", signed=True))

    def env(self):
        return {"LD_PRELOAD": self.library, "LR_TEST_JUMP": self.path}


def alarms(world):
    return [open(d.log, errors="replace").read().count(FROZEN) for d in world.daemons]


def jumps_round(given, seed):
    """Clocks run out while the wall clock is wrong: nothing is told by it, it is alarmed, and nothing is lost."""
    jump = Jump()
    world = World(given, seed, more=clocks_of(int(given.seconds) + 2 * REMIND_SECONDS), env=jump.env())
    world.timer_seconds = TIMER_SECONDS + 3 * given.leads / PER_SECOND
    try:
        world.start()
        world.load(touches=0)
        wait_for(lambda: world.mend() or not world.loading(), given.seconds * 2 + 120, "the load is sent", log=world.generator.log)
        check(world._becomes(lambda: verify.backlog(world.kafka.bootstrap) == 0, DRAIN_SECONDS), "the leads are taken in")
        for seconds in JUMP_SECONDS:
            before = alarms(world)
            jump.by(seconds)
            world.pass_time(3)
            check(all(now > was for now, was in zip(alarms(world), before)), "each instance alarms a jump by %d s" % seconds)
            jump.by(0)
            world.pass_time(2)
            world.faults += 1
        text = world.settle()
        return "%s; %s" % (count_timers(world), text)
    finally:
        jump.by(0)
        world.close()


ROUNDS = {
    "kills": simple_round(kill),
    "failpoints": failpoints_round,
    "stops": simple_round(stop_across_a_rebalance),
    "redis": simple_round(redis_fault),
    "broker": simple_round(broker_fault),
    "timers": timers_round,
    "jumps": jumps_round,
}


def run_rounds(given, counts):
    wanted = given.rounds or ["all"]
    for name in ROUNDS:
        if "all" in wanted or name in wanted:
            seed = "%s %d" % (name, given.seed)
            testing.run(counts, "chaos %s" % seed, lambda: ROUNDS[name](given, seed))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", nargs="*", metavar="ROUND")
    parser.add_argument("--leads", type=int, default=100000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--faults", type=int, default=20)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--tenants", type=int, default=8)
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mixed", type=float, default=0.5)
    parser.add_argument("--names")
    given = parser.parse_args()
    unknown = set(given.rounds) - set(ROUNDS) - {"all"}
    if unknown:
        parser.error("no such round: " + ", ".join(sorted(unknown)))
    counts = given.counts = testing.Counts()
    try:
        daemons.program()
        broker.jars(os.environ.get("LEADROUTER_KAFKA") or broker.DEFAULT_VERSION)
        run_rounds(given, counts)
    except (testing.Skip, process.Unavailable) as e:
        counts.skip("chaos", str(e))
    process.clean_up()
    print(counts.summary(), flush=True)
    sys.exit(1 if counts.failed or (counts.skipped and os.environ.get("CI") == "true") else 0)


if __name__ == "__main__":
    try:
        main()
    except RigError as e:
        sys.exit("chaos.py: %s" % e)
