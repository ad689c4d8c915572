# SPDX-License-Identifier: Apache-2.0
"""One instance with everything it needs, in a corner of its own of a shared broker: `World(kafka)`.

Topics and group carry a prefix of their own, so many worlds share one broker. Redis, configuration folder and daemon are
the world's. What a test asks: send(), outputs(), wait_outputs(), http(), ctl(), agrees().
"""

import http.client
import itertools
import json
import os
import socket
import subprocess

from rig import configs, contract, daemons, process, redis_server, testing, verify
from rig.process import RigError, wait_for

SECONDS = 30

_numbers = itertools.count(1)


def lead(number, **more):
    """A good lead as bytes: nothing in it is rejected."""
    value = {"lead_id": "L%d" % number, "source": "web", "intent": "high",
             "contact": {"name": "Someone", "email": "person%d@customer.example" % number}, "location": {"country": "DE"}}
    value.update(more)
    return json.dumps(value).encode()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class World:
    def __init__(self, kafka, partitions=1, tenants=(), options=None, topics=None, redis_settings=None):
        """`topics`: {name: (partitions, settings)} where they differ from what is right; partitions None: not made."""
        self.kafka, self.partitions = kafka, partitions
        self.prefix = "w%d-%d." % (os.getpid(), next(_numbers))
        self.group = self.prefix + "group"
        self.redis = redis_server.RedisServer.started(settings=redis_settings)
        self._create(topics or {})
        own = {"kafka.group": self.group, "log.level": "info"}
        own.update({"kafka.topics." + name.split(".")[1]: self.topic(name)
                    for name in contract.INPUTS + contract.OUTPUTS + (contract.STATE,)})
        own.update(options or {})
        self.config = configs.write("1", kafka.bootstrap, self.redis.socket, own.pop("kafka.partitions", 0), tenants, own)
        self.daemon = daemons.Daemon(self.config, "w")
        self._producer = None

    def topic(self, name):
        return self.prefix + name

    def _create(self, different):
        wanted = []
        for row in contract.topics(self.partitions):
            name, settings = row[0], row[2] if len(row) > 2 else {}
            partitions, settings = different.get(name, (row[1], settings))
            if partitions is not None:
                wanted.append((self.topic(name), partitions, settings))
        self.kafka.create_topics(*wanted)

    def bootstrap(self):
        code, out, err = self.ctl("bootstrap", "-c", self.config)
        if code != 0:
            raise RigError("leadctl bootstrap: code %d\n%s%s" % (code, out, err))
        return self

    def start(self, **options):
        """Bootstrapped and running, every shard open."""
        self.bootstrap()
        self.daemon.start(**options)
        self.wait_ready()
        return self

    def wait_ready(self, seconds=SECONDS):
        """All shards are ours and run: readyz alone is content with no shard at all."""
        def is_ready():
            if not self.daemon.running():
                raise RigError("leadrouterd ended with code %s%s" % (self.daemon.code(), self.daemon.tail()))
            return [s["state"] for s in self.shards()] == ["running"] * self.partitions and self.http("/readyz")[0] == 200
        wait_for(is_ready, seconds, "all shards run", log=self.daemon.log)

    def close(self):
        self.daemon.kill9()
        self.redis.kill9()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.daemon.tail(30))
        self.close()

    # --- asking

    def ctl(self, *arguments, seconds=30):
        """(exit code, output, errors) of leadctl."""
        done = subprocess.run([testing.binary("leadctl"), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=seconds)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def http(self, path, name="http"):
        """(status, body) of the admin listener; (0, "") when nobody answers."""
        connection = UnixConnection(os.path.join(self.config, name))
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def shards(self):
        status, body = self.http("/show/shard", "control")
        return json.loads(body) if status == 200 else []

    def metric(self, name):
        """The value of one series, 0.0 when it does not exist."""
        for line in self.http("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return 0.0

    def log(self):
        with open(self.daemon.log, encoding="utf-8") as f:
            return f.read()

    # --- records

    def send(self, values, topic=contract.CAPTURED, partition=0, key=None, headers=None, wait=True):
        """Publishes; returns the offsets."""
        from confluent_kafka import Producer
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "log_level": 2, "message.max.bytes": 4000000,
                                       "linger.ms": 5, "acks": "all"})
        offsets = []

        def delivered(error, message):
            if error:
                raise RigError("not delivered: %s" % error)
            offsets.append(message.offset())
        for value in values:
            while True:
                try:
                    self._producer.produce(self.topic(topic), value, key, partition, on_delivery=delivered, headers=headers)
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        if wait and self._producer.flush(60) != 0:
            raise RigError("records were not delivered")
        return offsets

    def read(self, *topics):
        """Every committed record as it is now; topics without the prefix."""
        found = []

        def take(record):
            found.append(record._replace(topic=record.topic[len(self.prefix):]))
        verify.read_all(self.kafka.bootstrap, [self.topic(t) for t in topics], take, 60)
        return found

    def backlog(self):
        return verify.backlog(self.kafka.bootstrap, self.group, [self.topic(t) for t in contract.INPUTS])

    def wait_drained(self, seconds=SECONDS):
        wait_for(lambda: self.backlog() == 0, seconds, "the backlog is gone", every=0.1, log=self.daemon.log)

    def outcomes(self):
        """{cause: [type]} of everything that captured records came to; a cause without its topic: "partition/offset"."""
        found = {}
        for record in self.read(*contract.OUTPUTS):
            headers = dict(record.headers)
            kind = headers[contract.TYPE].decode()
            if kind in contract.CAPTURED_OUTCOMES:
                cause = headers[contract.CAUSE].decode().partition("/")[2]
                found.setdefault(cause, []).append(kind)
        return found

    def check_one_outcome_each(self, count, kind=None, partition=0):
        """The first `count` captured records of a partition have exactly one outcome each, and no other record has one."""
        found = self.outcomes()
        wanted = ["%d/%d" % (partition, i) for i in range(count)]
        wrong = {c: found.get(c) for c in wanted if len(found.get(c, [])) != 1 or kind not in (None, found[c][0])}
        testing.check(not wrong, "%d records without their one outcome: %s" % (len(wrong), list(wrong.items())[:5]))
        testing.check(len(found) == count, "%d causes instead of %d" % (len(found), count))

    def agrees(self, seconds=10):
        """Redis holds what leads.state says, head and timers included."""
        verifier = verify.Verifier()
        for record in self.read(contract.STATE):
            verifier.add_state(record)
        client = self.redis.client()
        verify.wait_applied(verifier, client, seconds)
        for shard in range(self.partitions):
            verifier.compare_view(verify.read_view(client, shard), shard)
        testing.check(verifier.report.clean, "Redis and leads.state differ\n" + verifier.report.text())
