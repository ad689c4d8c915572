#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A real Apache Kafka broker for tests: KRaft mode, one node that is broker and controller, loopback only.

  broker.py fetch  [--version V]               bring the jars into the cache and prepare them
  broker.py start  DIR [--version V] [--port P] [--set name=value]... [--full-jit]
                                               start in DIR (made when missing), print host:port when it answers;
                                               an existing DIR is started again with its data, port and version
  broker.py stop   DIR      broker.py kill9 DIR      broker.py port DIR
  broker.py topics DIR NAME:PARTITIONS[:compact]...  create topics

The jars come through Maven (tests/rig/kafka/pom.xml) into $LEADROUTER_CACHE/kafka/VERSION, default .cache/ of
the project; a list of names and sizes is checked at each use. Python: `with Kafka.started() as kafka: kafka.bootstrap`.
"Answers" means: a Metadata request lists the broker, and both coordinators (groups, transactions) are found.
"""

import argparse
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from rig import process  # noqa: E402
from rig.process import Child, Deadline, RigError, Unavailable  # noqa: E402

DEFAULT_VERSION = "3.9.1"
VERSIONS = ("3.9.1", "4.1.1")
FETCH_SECONDS = 300
START_SECONDS = 90
CLUSTER_ID = "bGVhZHJvdXRlci10ZXN0cw"

CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={data}
auto.create.topics.enable=false
num.partitions=1
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
# Open transactions of the dead are aborted soon: the default is to look every ten seconds.
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A node killed and started again may register anew only when its old session has ended.
broker.heartbeat.interval.ms=250
broker.session.timeout.ms=1500
# Room for a rejected record of a megabyte with its error headers.
message.max.bytes=4194304
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.backoff.ms=1000
num.network.threads=2
num.io.threads=4
controlled.shutdown.enable=false
"""


def cache_folder(version):
    root = os.environ.get("LEADROUTER_CACHE") or os.path.join(process.ROOT, ".cache")
    return os.path.join(root, "kafka", version)


def jars(version):
    """Brings the jars of one version when they are not there yet; returns their folder. Raises Unavailable."""
    place = cache_folder(version)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(place, version):
            _fetch(place, version)
    return place


def _complete(place, version):
    try:
        with open(os.path.join(place, "jars.json")) as f:
            wanted = json.load(f)
        present = {name: os.path.getsize(os.path.join(place, name)) for name in wanted}
    except (OSError, ValueError):
        return False
    return wanted == present and "kafka_2.13-%s.jar" % version in wanted


def _fetch(place, version):
    for tool in ("mvn", "java"):
        if not shutil.which(tool):
            raise Unavailable("Apache Kafka %s: %s is not installed" % (version, tool))
    fresh = place + ".new"
    for old in (fresh, place):
        shutil.rmtree(old, ignore_errors=True)
    pom = os.path.join(process.ROOT, "tests", "rig", "kafka", "pom.xml")
    argv = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DincludeScope=runtime",
            "-Dkafka.version=" + version, "-DoutputDirectory=" + fresh]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unavailable("Apache Kafka %s: Maven did not end within %d s" % (version, FETCH_SECONDS)) from None
    if done.returncode != 0:
        raise Unavailable("Apache Kafka %s: Maven failed:\n%s" % (version, done.stdout.decode("utf-8", "replace")[-2000:]))
    names = sorted(n for n in os.listdir(fresh) if n.endswith(".jar"))
    with open(os.path.join(fresh, "jars.json"), "w") as f:
        json.dump({n: os.path.getsize(os.path.join(fresh, n)) for n in names}, f, indent=1)
    os.rename(fresh, place)
    if not _complete(place, version):
        raise Unavailable("Apache Kafka %s: Maven brought no kafka_2.13-%s.jar" % (version, version))


def _java(version, full_jit, heap="768m"):
    place = cache_folder(version)
    argv = ["java", "-Xmx" + heap, "-Xms128m", "-Xss512k", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xshare:auto",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
    if not full_jit:
        argv.append("-XX:TieredStopAtLevel=1")
    return argv + ["-cp", os.path.join(place, "*")]


# --- the wire: three requests are all that readiness needs, and one that no client offers

LEAVE_GROUP = 13
OFFSET_COMMIT = 8
DELETE_RECORDS = 21


def _string(text):
    raw = text.encode()
    return struct.pack(">h", len(raw)) + raw


def _ask(port, api_key, api_version, body, seconds=2.0):
    """One request, one answer; None when the broker does not answer (yet)."""
    head = struct.pack(">hhi", api_key, api_version, 7) + _string("rig")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as s:
            s.sendall(struct.pack(">i", len(head) + len(body)) + head + body)
            size = struct.unpack(">i", _read(s, 4))[0]
            return _read(s, size)[4:]
    except (OSError, EOFError):
        return None


def _read(s, size):
    data = b""
    while len(data) < size:
        part = s.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _lists_a_broker(port):
    answer = _ask(port, 3, 1, struct.pack(">i", 0))
    return answer is not None and struct.unpack(">i", answer[:4])[0] >= 1


def _finds_coordinator(port, kind):
    answer = _ask(port, 10, 1, _string("rig") + struct.pack(">b", kind))
    return answer is not None and struct.unpack(">h", answer[4:6])[0] == 0


def answers(port):
    return _lists_a_broker(port) and _finds_coordinator(port, 0) and _finds_coordinator(port, 1)


class Kafka:
    """One broker in one folder: kafka.json (version, ports), server.properties, data/, broker.log, pid."""

    def __init__(self, place, version=None, port=None, settings=None, full_jit=False):
        self.place = os.path.abspath(place)
        self.full_jit = full_jit
        self.child = None
        self.log = os.path.join(self.place, "broker.log")
        if os.path.exists(self._path("kafka.json")):
            with open(self._path("kafka.json")) as f:
                known = json.load(f)
            self.version, self.port, self.controller_port = known["version"], known["port"], known["controller_port"]
            self.settings = dict(known["settings"], **(settings or {}))
            self.port_is_fixed = True
            if (version or self.version) != self.version or (port or self.port) != self.port:
                raise RigError("%s holds a broker of version %s at port %d" % (place, self.version, self.port))
        else:
            self.version, self.settings = version or os.environ.get("LEADROUTER_KAFKA") or DEFAULT_VERSION, settings or {}
            self.port_is_fixed = port is not None
            self.port = port or process.free_port()
            self.controller_port = process.free_port((self.port,))

    @classmethod
    def started(cls, place=None, **options):
        """A broker that answers, ended with us; without a folder it gets a temporary one."""
        kafka = cls(place or process.folder("leadrouter-kafka-"), **options)
        kafka.start()
        return kafka

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def bootstrap(self):
        return "127.0.0.1:%d" % self.port

    def _path(self, name):
        return os.path.join(self.place, name)

    def start(self, detached=False, seconds=START_SECONDS):
        """Starts, or starts again with the same data and port, and returns when it answers."""
        if self.running():
            raise RigError("a broker runs in %s already (process %d)" % (self.place, self.pid()))
        jars(self.version)
        deadline = Deadline(seconds, "Kafka %s answers at %s" % (self.version, self.bootstrap))
        while True:
            self._prepare()
            argv = _java(self.version, self.full_jit) + ["kafka.Kafka", self._path("server.properties")]
            self.child = Child(argv, self.log, detached=detached)
            with open(self._path("pid"), "w") as f:
                f.write("%d\n" % self.child.pid)
            if self._wait_until_it_answers(deadline):
                return self
            self._other_ports()

    def _wait_until_it_answers(self, deadline):
        """True when it answers; False when its port was taken by somebody else and we may choose another."""
        while not answers(self.port):
            if not self.child.running():
                if "Address already in use" in process.tail(self.log, 60) and not self.port_is_fixed:
                    return False
                raise RigError("Kafka %s ended with code %s%s" % (self.version, self.child.code(), process.tail(self.log)))
            if deadline.passed():
                self.child.kill9()
            deadline.check(self.log)
            time.sleep(0.03)
        return True

    def _other_ports(self):
        self.port = process.free_port()
        self.controller_port = process.free_port((self.port,))
        os.unlink(self.log)

    def _prepare(self):
        os.makedirs(self.place, exist_ok=True)
        text = CONFIG.format(port=self.port, controller_port=self.controller_port, data=self._path("data"))
        text += "".join("%s=%s\n" % item for item in sorted(self.settings.items()))
        with open(self._path("server.properties"), "w") as f:
            f.write(text)
        with open(self._path("kafka.json"), "w") as f:
            json.dump({"version": self.version, "port": self.port, "controller_port": self.controller_port,
                       "settings": self.settings}, f)
        if not os.path.exists(self._path("data")):
            self._format()

    def _format(self):
        """StorageTool needs a JVM of its own; what it writes names no port, so one run per version serves all folders."""
        template = os.path.join(cache_folder(self.version), "formatted")
        with open(cache_folder(self.version) + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(template):
                self._run_storage_tool()
                shutil.copytree(self._path("data"), template + ".new")
                os.rename(template + ".new", template)
        if not os.path.exists(self._path("data")):
            shutil.copytree(template, self._path("data"))

    def _run_storage_tool(self):
        argv = _java(self.version, False, "256m") + ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID,
                                                    "-c", self._path("server.properties")]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if done.returncode != 0:
            raise RigError("formatting the storage failed:\n" + done.stdout.decode("utf-8", "replace")[-2000:])

    def pid(self):
        try:
            with open(self._path("pid")) as f:
                return int(f.read())
        except (OSError, ValueError):
            return None

    def running(self):
        return _is_broker(self.pid(), self.place)

    def stop(self, seconds=30):
        """SIGTERM; SIGKILL when the broker does not end in time. No broker is no error."""
        self._end(signal.SIGTERM, seconds)

    def kill9(self):
        self._end(signal.SIGKILL, 30)

    def pause(self):
        os.kill(self.pid(), signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid(), signal.SIGCONT)

    def _end(self, number, seconds):
        pid = self.pid()
        if not _is_broker(pid, self.place):
            return
        os.kill(pid, number)
        if number != signal.SIGKILL:
            os.kill(pid, signal.SIGCONT)
        deadline = Deadline(seconds, "the broker in %s ends" % self.place)
        while self._alive(pid):
            if deadline.passed() and number != signal.SIGKILL:
                return self._end(signal.SIGKILL, 30)
            deadline.check(self.log)
            time.sleep(0.02)
        self.child = None
        os.unlink(self._path("pid"))

    def _alive(self, pid):
        if self.child:
            return self.child.running()
        return _is_broker(pid, self.place)

    def create_topics(self, *wanted):
        """wanted: (name, partitions) or (name, partitions, {property: value}). An existing topic is no error."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 3})
        topics = [NewTopic(w[0], w[1], 1, config=(w[2] if len(w) > 2 else {})) for w in wanted]
        for name, done in admin.create_topics(topics, operation_timeout=20, request_timeout=30).items():
            try:
                done.result(40)
            except KafkaException as e:
                if e.args[0].name() != "TOPIC_ALREADY_EXISTS":
                    raise RigError("topic %s: %s" % (name, e.args[0].str())) from None
        # the controller has them; what the broker tells its clients follows a moment later
        def are_listed():
            known = admin.list_topics(timeout=10).topics
            return all(w[0] in known and not known[w[0]].error and known[w[0]].partitions for w in wanted)
        process.wait_for(are_listed, 20, "the broker lists the new topics")

    def expel_members(self, group):
        """Every member leaves the group, unasked: what an administrator does to a member that hangs."""
        from confluent_kafka.admin import AdminClient
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 3})
        for found in admin.list_groups(group, timeout=10):
            for member in found.members:
                answer = _ask(self.port, LEAVE_GROUP, 0, _string(group) + _string(member.id))
                if answer is None or struct.unpack(">h", answer[:2])[0] != 0:
                    raise RigError("LeaveGroup for %s is refused: %r" % (member.id, answer))

    def commit_offset(self, group, topic, offset, metadata):
        """Of partition 0, for a group without members. The client of Debian 12 cannot send metadata."""
        body = (_string(group) + struct.pack(">i", -1) + _string("") + struct.pack(">q", -1) +
                struct.pack(">i", 1) + _string(topic) + struct.pack(">iiq", 1, 0, offset) + _string(metadata))
        answer = _ask(self.port, OFFSET_COMMIT, 2, body)
        if answer is None or struct.unpack(">h", answer[-2:])[0] != 0:
            raise RigError("OffsetCommit for %s is refused: %r" % (group, answer))

    def delete_records(self, topic, offset):
        """Of partition 0, those before the offset, as retention takes them."""
        body = (struct.pack(">i", 1) + _string(topic) + struct.pack(">iiq", 1, 0, offset) + struct.pack(">i", 10000))
        answer = _ask(self.port, DELETE_RECORDS, 0, body, seconds=20.0)
        if answer is None or struct.unpack(">h", answer[-2:])[0] != 0:
            raise RigError("DeleteRecords for %s is refused: %r" % (topic, answer))


def _is_broker(pid, place):
    """A process id may have been given to somebody else since: only a process with our folder on its command line counts."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            if os.path.join(place, "server.properties").encode() not in f.read():
                return False
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except (OSError, TypeError):
        return False


# --- the command line

def _settings(pairs):
    return dict(pair.split("=", 1) for pair in pairs)


def _topic(text):
    name, partitions, *policy = text.split(":")
    return (name, int(partitions), {"cleanup.policy": policy[0]} if policy else {})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("fetch")
    fetch.add_argument("--version", default=DEFAULT_VERSION)
    start = commands.add_parser("start")
    start.add_argument("dir")
    start.add_argument("--version")
    start.add_argument("--port", type=int)
    start.add_argument("--set", action="append", default=[], metavar="name=value")
    start.add_argument("--full-jit", action="store_true", help="for measuring: slower to start, faster when warm")
    for name in ("stop", "kill9", "port", "topics"):
        commands.add_parser(name).add_argument("dir")
    commands.choices["topics"].add_argument("topic", nargs="+", type=_topic)
    given = parser.parse_args()
    if given.command == "fetch":
        return print(jars(given.version))
    if given.command == "start":
        kafka = Kafka(given.dir, given.version, given.port, _settings(given.set), given.full_jit)
        return print(kafka.start(detached=True).bootstrap)
    if not os.path.exists(os.path.join(given.dir, "kafka.json")):
        raise RigError("no broker was ever started in " + given.dir)
    kafka = Kafka(given.dir)
    if given.command == "topics":
        return kafka.create_topics(*given.topic)
    if given.command == "port":
        return print(kafka.port)
    return getattr(kafka, given.command)()


if __name__ == "__main__":
    try:
        main()
    except RigError as e:
        sys.exit("broker.py: %s" % e)
