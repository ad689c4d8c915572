# SPDX-License-Identifier: Apache-2.0
"""Scenario files on a real leadrouterd, a real broker and a real Redis: `replay(bench, dump(...)[0])`.

`leadctl test --dump` tells what each test does to the rules in memory and what comes of it. The same is done to a daemon of
the failpoint build, whose clock stands where we set it (daemon/clock.h): records arrive at that instant, timers fire one
after the other, each at its own time. It must come to the same events, those of each lead in the same order, and to
the same state, due times included. Only what cannot be the same is not compared: the digest of the configuration, places
in its files, and the version of the tz data.
"""

import http.client
import json
import os
import re
import shutil
import subprocess

from rig import configs, contract, daemons, process, redis_server, testing, verify
from rig.process import RigError, wait_for
from rig.world import UnixConnection

SECONDS = 20
POLL_MS = 10
SECRET = "the identity key of tests is no secret at all"   # as in daemon/ctl/test_config.c
SECTIONS_OF_DAEMON = ("kafka", "redis", "http", "control", "log", "limits", "clock", "plugins")
NOT_COMPARED = {"config", "file", "line", "tzdata", "engine"}
PLACE = re.compile(r" ?\([^()\s]*:\d+\)|[\w./-]+\.(?:yaml|csv):\d+")
CONFIG_HEADER = "leadrouter.error.config"
GIVEN_HEAD = "0123456789abcdef"


class Test:
    """One test of a scenario file, as told by leadctl."""

    def __init__(self, path):
        self.ops, self.events, self.state = [], [], []
        with open(path, encoding="utf-8") as f:
            lines = [json.loads(line) for line in f]
        if lines[-1]["op"] != "end":
            raise RigError("%s is not complete" % path)
        for line in lines[1:-1]:
            {"event": self.events, "state": self.state}.get(line["op"], self.ops).append(line)
        head = lines[0]
        self.file, self.now, self.prefix = head["file"], head["now"], head["prefix"]
        self.name = "%s:%d %s" % (os.path.basename(head["file"]), head["line"], head["name"])
        self.given = [op for op in self.ops if op["op"] == "given"]

    def why_not(self):
        """What a daemon cannot be told; None when there is nothing of that kind."""
        if any(op.get("facts") for op in self.ops):
            return "has facts that no plug-in said"
        return None


def dump(paths, config="config"):
    """The tests of these files."""
    place = process.folder("leadrouter-dump-")
    done = subprocess.run([testing.binary("leadctl"), "test", "-c", config, "--dump", place, *paths], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, cwd=process.ROOT)
    if done.returncode != 0:
        raise RigError("leadctl test: code %d\n%s" % (done.returncode, done.stdout.decode("utf-8", "replace")[-2000:]))
    names = sorted((name for name in os.listdir(place)), key=lambda name: int(name.partition(".")[0]))
    return [Test(os.path.join(place, name)) for name in names]


def request(config, method, path):
    """(status, body) of the control socket; (0, "") when nobody answers."""
    connection = UnixConnection(os.path.join(config, "control"))
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


class Bench:
    """What the tests of one worker share, one after the other: a Redis and a producer."""

    def __init__(self, kafka):
        from confluent_kafka import Producer
        self.kafka = kafka
        self.redis = redis_server.RedisServer.started()
        self.producer = Producer({"bootstrap.servers": kafka.bootstrap, "log_level": 2, "linger.ms": 0, "acks": "all"})

    def close(self):
        self.redis.kill9()


class Live:
    """One test on its way: topics, group and configuration of its own."""

    def __init__(self, bench, test):
        self.bench, self.test, self.client = bench, test, bench.redis.client()
        self.group = test.prefix + "group"
        self.now, self.is_held = test.now, True
        self.sent = dict.fromkeys(contract.INPUTS, 0)
        self.client.flushall()
        self._create_topics()
        options = {"kafka.group": self.group, "limits.timer_poll_ms": POLL_MS}
        options.update({"kafka.topics." + name.split(".")[1]: test.prefix + name
                        for name in contract.INPUTS + contract.OUTPUTS + (contract.STATE,)})
        self.config = configs.write("live", bench.kafka.bootstrap, bench.redis.socket, 1, (), options)
        self.rules = iter([op["config"] for op in test.ops if op["op"] == "config"])
        self._write_rules()
        self.daemon = daemons.Daemon(self.config, "live", env={"LR_CLOCK": str(test.now)})

    def _create_topics(self):
        """Input records are of the test's time, and may be older than what a broker keeps by default."""
        self.bench.kafka.create_topics(*[(self.test.prefix + row[0], row[1], dict(row[2] if len(row) > 2 else {}, **{"retention.ms": "-1"}))
                                         for row in contract.topics(1)])

    def _write_rules(self):
        tree = json.loads(next(self.rules))
        tree = {name: value for name, value in tree.items() if name not in SECTIONS_OF_DAEMON}
        tree.setdefault("dedup", {})["identity_key_file"] = "identity.key"
        beside = os.path.join(process.ROOT, os.path.dirname(self.test.file))
        for name in os.listdir(beside):
            if name.endswith(".csv"):
                shutil.copy(os.path.join(beside, name), self.config)
        with open(os.path.join(self.config, "conf.d", "rules.yaml"), "w", encoding="utf-8") as f:
            json.dump(tree, f, indent=1, ensure_ascii=False)
        with open(os.path.join(self.config, "identity.key"), "w", encoding="utf-8") as f:
            f.write(SECRET)

    def start(self):
        done = subprocess.run([testing.binary("leadctl"), "bootstrap", "-c", self.config], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        if done.returncode != 0:
            raise RigError("leadctl bootstrap: %s" % done.stdout.decode())
        if self.test.given:
            self._give()
        self.daemon.start(wait=False)
        wait_for(lambda: self._status().get("state") == "running", SECONDS, "the shard runs", every=0.02, log=self.daemon.log)

    # --- what is there before the first step: one write-set of leads.state, which the daemon rebuilds Redis from

    def _give(self):
        headers = [(contract.STATE_SEQ, b"1"), (contract.STATE_HASH, GIVEN_HEAD.encode())]
        for op in self.test.given:
            self._produce(contract.STATE, op["value"], op["key"], headers)
        self.bench.producer.flush(SECONDS)
        self.bench.kafka.commit_offset(self.group, self.test.prefix + contract.CAPTURED, 0, "v1;e=0;q=1;h=%s;n=1" % GIVEN_HEAD)

    # --- talking to the daemon

    def _control(self, method, path):
        status, body = request(self.config, method, path)
        if status == 0 and not self.daemon.running():
            raise RigError("leadrouterd ended with code %s%s" % (self.daemon.code(), self.daemon.tail()))
        return status, body

    def _status(self):
        status, body = self._control("GET", "/show/shard")
        shards = json.loads(body) if status == 200 else []
        return shards[0] if shards else {}

    def _clock(self, now, is_held):
        if (now, is_held) == (self.now, self.is_held):
            return
        status, body = self._control("POST", "/clock?now=%d&held=%d" % (now, is_held))
        testing.equal(status, 200, "status of /clock (%s)" % body.strip())
        self.now, self.is_held = now, is_held

    def _is_quiet(self):
        """Everything that arrived is decided, committed and applied, no lead is being visited, and nothing that may fire is due."""
        shard = self._status()
        if shard.get("state") != "running" or not shard["has_new_rules"] or shard["inbox_records"] or shard["inflight_batches"]:
            return False
        if shard["committed_offsets"] != [self.sent[name] for name in contract.INPUTS]:
            return False
        if any(key.startswith(b"walk/") for key in self.client.hkeys(contract.view_key(0, "mem"))):
            return False
        return self.is_held or not self._is_due()

    def _wait_quiet(self):
        wait_for(self._is_quiet, SECONDS, "the daemon is done with %s at %d" % (self.test.name, self.now), every=0.004, log=self.daemon.log)

    def _next_due(self):
        return min(contract.read_timers(self.client, 0)[0].values(), default=None)

    def _is_due(self):
        due = self._next_due()
        return due is not None and due <= self.now

    # --- steps

    def run(self):
        self.start()
        for op in self.test.ops:
            getattr(self, "_op_" + op["op"])(op)
        self._wait_quiet()

    def _op_given(self, _op):
        pass

    def _op_config(self, op):
        if op is next(o for o in self.test.ops if o["op"] == "config"):
            return
        self._write_rules()
        status, body = self._control("POST", "/reload")
        testing.equal(status, 200, "status of /reload\n" + body)
        self._wait_quiet()

    def _op_settle(self, _op):
        self._wait_quiet()
        if self._is_due():
            self._clock(self.now, False)
            self._wait_quiet()

    def _op_advance(self, op):
        due = self._next_due()
        while due is not None and due < op["now"]:
            self._clock(max(due, self.now), False)
            self._wait_quiet()
            due = self._next_due()
        self._clock(op["now"], True)

    def _op_sleep(self, op):
        self._clock(op["now"], True)

    def _op_record(self, op):
        """Records of one topic keep their order; one of the other topic waits until these are decided."""
        if any(count and name != op["topic"] for name, count in self.sent.items()):
            self._wait_quiet()
        self._clock(self.now, True)
        headers = [(name, None if value is None else value.encode()) for name, value in op["headers"]]
        self._produce(op["topic"], op["value"], op["key"], headers, self.now - op["late"])
        self.sent[op["topic"]] += 1

    def _produce(self, topic, value, key, headers, timestamp=0):
        def delivered(error, _message):
            if error:
                raise RigError("not delivered: %s" % error)
        more = {"timestamp": timestamp} if timestamp else {}
        self.bench.producer.produce(self.test.prefix + topic, value, key, 0, on_delivery=delivered, headers=headers, **more)
        self.bench.producer.poll(0)

    # --- the verdict

    def differences(self):
        return self._differences_of_events() + self._differences_of_state()

    def _differences_of_events(self):
        wanted, found = {}, {}
        for line in self.test.events:
            subject = "" if line["type"] == contract.REJECT else line["subject"]
            wanted.setdefault((line["topic"], subject), []).append(wanted_event(line))

        def take(record):
            headers = dict(record.headers)
            subject = (headers.get(contract.SUBJECT) or b"").decode()
            topic = record.topic[len(self.test.prefix):].split(".")[1]
            if topic == contract.REJECTED.split(".")[1]:
                subject = ""
            found.setdefault((topic, subject), []).append(found_event(record, headers))
        verify.read_all(self.bench.kafka.bootstrap, [self.test.prefix + name for name in contract.OUTPUTS], take, 60)
        lines = []
        for place in sorted(set(wanted) | set(found)):
            lines += differences("%s of %s" % place, wanted.get(place, []), found.get(place, []))
        return lines

    def _differences_of_state(self):
        view = verify.read_view(self.client, 0)
        wanted = {line["key"]: comparable(line["value"]) for line in self.test.state}
        view["lead"] = {field: contract.lead_of_stored(value) for field, value in view["lead"].items()}
        found = {name + "/" + field.decode(): comparable(value.decode()) for name in contract.CONTAINERS
                 for field, value in view[name].items()}
        due = {line["key"]: line["due"] for line in self.test.state if line["due"]}
        named = {(name if name.startswith("mem/") else "lead/" + name): int(score)
                 for name, score in ((n.decode(), s) for n, s in view["due"].items())}
        return differences_of_keys("state", wanted, found) + differences_of_keys("due", due, named)

    def close(self):
        if self.daemon.running():
            self.daemon.kill9()


def comparable(text):
    """JSON as a value without what cannot be equal; anything else as it is."""
    try:
        return without(json.loads(text))
    except (TypeError, ValueError):
        return text


def without(value):
    if isinstance(value, dict):
        return {name: without(inner) for name, inner in value.items() if name not in NOT_COMPARED}
    if isinstance(value, list):
        return [without(inner) for inner in value]
    return PLACE.sub("", value) if isinstance(value, str) else value


def wanted_event(line):
    """(type, id, cause, time, key, value, further headers). A rejected record is the original: it tells no time."""
    is_reject = line["type"] == contract.REJECT
    headers = [(name, without(value)) for name, value in line["headers"] if name != CONFIG_HEADER]
    return (line["type"], line["id"], line["cause"], None if is_reject else line["at"], line["key"],
            line["value"] if is_reject else comparable(line["value"]), headers)


def found_event(record, headers):
    """The same of a record. Its headers may be more than the further ones of the event."""
    is_reject = record.topic.endswith(contract.REJECTED)
    kind, number, cause, at = ((headers.get(name) or b"").decode() for name in
                               (("lr_type", "lr_id", contract.CAUSE, "") if is_reject else
                                (contract.TYPE, contract.ID, contract.CAUSE, contract.TIME)))
    value = None if record.value is None else record.value.decode("utf-8", "replace")
    return (kind, number, cause, verify.moment_ms(at), None if record.key is None else record.key.decode(),
            value if is_reject else comparable(value),
            [(n, None if v is None else without(v.decode("utf-8", "replace"))) for n, v in record.headers])


def same_event(wanted, found):
    if wanted[:-1] != found[:-1]:
        return False
    rest = iter(found[-1])
    return all(pair in rest for pair in wanted[-1])


def differences(what, wanted, found):
    lines = []
    for number in range(max(len(wanted), len(found))):
        w, f = (side[number] if number < len(side) else None for side in (wanted, found))
        if w is None or f is None or not same_event(w, f):
            lines += ["%s, number %d" % (what, number + 1), "  in memory: %s" % (w,), "  daemon:    %s" % (f,)]
    return lines


def differences_of_keys(what, wanted, found):
    lines = []
    for key in sorted(set(wanted) | set(found)):
        if wanted.get(key) != found.get(key):
            lines += ["%s %s" % (what, key), "  in memory: %s" % (wanted.get(key),), "  daemon:    %s" % (found.get(key),)]
    return lines


def replay(bench, test):
    """Runs one test; raises when the daemon does not come to the same."""
    why_not = test.why_not()
    if why_not:
        raise testing.Skip(why_not)
    live = Live(bench, test)
    try:
        live.run()
        lines = live.differences()
        testing.check(not lines, "\n".join(lines[:60]) + live.daemon.tail(5))
    finally:
        live.close()
