#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""The rig itself: what the other tests stand on does what it says."""

import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, daemons, process, redis_server, testing  # noqa: E402
from rig.testing import check, equal  # noqa: E402

NOTIFYING = """#!/bin/sh
say() { printf "$1" | /usr/bin/python3 -c 'import os,socket,sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(sys.stdin.buffer.read(), os.environ["NOTIFY_SOCKET"])'; }
trap 'say "RELOADING=1\\nMONOTONIC_USEC=1\\n"; say "READY=1\\nSTATUS=kept the old rules\\n"' HUP
trap 'exit 0' TERM
say 'READY=1\\n'
while :; do read -r line <"$0.fifo" || :; done
"""


def partitions(bootstrap):
    from confluent_kafka.admin import AdminClient
    found = AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).topics
    return {name: len(t.partitions) for name, t in found.items() if not name.startswith("__")}


def test_broker_keeps_its_topics_and_port_over_kill_and_stop():
    with broker.Kafka.started() as kafka:
        kafka.create_topics(*contract.topics(3))
        port, wanted = kafka.port, {name: 3 for name in contract.INPUTS + contract.OUTPUTS + (contract.STATE,)}
        equal(partitions(kafka.bootstrap), wanted, "topics")
        for end in (kafka.kill9, kafka.stop):
            end()
            check(not broker.answers(port), "the broker is gone")
            kafka.start()
            equal(kafka.port, port, "port")
            equal(partitions(kafka.bootstrap), wanted, "topics after a restart")


def test_children_die_with_the_test_that_started_them():
    code = ("import os, sys; sys.path.insert(0, %r)\nfrom rig import redis_server\n"
            "s = redis_server.RedisServer.started(); print(s.child.pid, s.place, flush=True)\n"
            "os.kill(os.getpid(), int(sys.argv[1]))\n" % os.path.dirname(os.path.abspath(redis_server.__file__ + "/..")))
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        done = subprocess.run(["/usr/bin/python3", "-c", code, str(int(number))], stdout=subprocess.PIPE, timeout=30)
        equal(done.returncode, -number, "the test ended by the signal")
        pid, place = done.stdout.decode().split()
        process.wait_for(lambda: not os.path.exists("/proc/" + pid), 10, "redis-server has ended")
        check(number == signal.SIGKILL or not os.path.exists(place), "its folder is gone")


def test_promoted_replica_lacks_what_came_after_its_detachment():
    master = redis_server.RedisServer.started()
    view = redis_server.View(master)
    view.client().set("before", "1")
    replica = master.replica()
    replica.detach()
    for i in range(10):
        view.client().set("after", i)
    view.promote(replica)
    equal(view.client().get("before"), b"1", "written before")
    equal(view.client().get("after"), None, "written after")
    check(not master.child.running(), "the old master is gone")


def test_stale_client_stays_with_the_old_master():
    old, new = redis_server.RedisServer.started(), redis_server.RedisServer.started()
    view = redis_server.View(old)
    stale = view.client()
    stale.set("who", "old")
    view.promote(new, cut=False)
    equal(stale.get("who"), b"old", "the open connection")
    equal(view.client().get("who"), None, "a new connection")


def test_snapshot_and_wipe():
    server = redis_server.RedisServer.started()
    server.client().set("x", "1")
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "old.rdb")
        server.snapshot(path)
        server.client().set("x", "2")
        server.restore(path)
        equal(server.client().get("x"), b"1", "after the restore")
    server.restart_empty()
    equal(server.client().dbsize(), 0, "after an empty restart")


def test_notify_socket_tells_readiness_and_reload():
    place = process.folder("leadrouter-fake-")
    fake = os.path.join(place, "daemon")
    with open(fake, "w") as f:
        f.write(NOTIFYING)
    os.chmod(fake, 0o755)
    os.mkfifo(fake + ".fifo")
    os.environ["LEADROUTERD"] = fake
    try:
        daemon = daemons.Daemon(place).start()
        equal(daemon.reload(), "kept the old rules", "status")
        equal(daemon.stop(), 0, "exit code")
    finally:
        del os.environ["LEADROUTERD"]


def test_ended_daemon_is_not_waited_for():
    os.environ["LEADROUTERD"] = "/bin/false"
    try:
        daemons.Daemon("/").start()
        check(False, "an error")
    except process.RigError as e:
        check("ended with code 1" in str(e), str(e))
    finally:
        del os.environ["LEADROUTERD"]


def test_shard_of_is_javas_partitioner():
    # Kafka's own test vectors (org.apache.kafka.common.utils.UtilsTest.testMurmur2)
    vectors = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536,
               b"a-little-bit-longer-string": -1486304829,
               b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, b"abc": 479470107}
    for data, wanted in vectors.items():
        equal(contract.murmur2(data) - (contract.murmur2(data) >> 31 << 32), wanted, data)


testing.main(globals())
