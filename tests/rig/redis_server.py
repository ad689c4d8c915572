# SPDX-License-Identifier: Apache-2.0
"""Private redis-servers: one, with replicas, wiped, restored, promoted.

A server listens on a unix socket in its own folder and on a free loopback port (replication needs one). Programs under
test are given a *View*: an address (a symbolic link to the socket of the server that is the master now), so that a
promotion is one rename. promote() cuts the old master's clients; promote(cut=False) leaves them where they are, as a
client with a stale route would stay.
"""

import os
import shutil
import signal

import redis

from rig import process
from rig.process import Child, RigError, wait_for

START_SECONDS = 20


class RedisServer:
    def __init__(self, place=None, settings=None):
        self.place = place or process.folder("leadrouter-redis-")
        self.settings = settings or {}
        self.socket = os.path.join(self.place, "redis.sock")
        self.log = os.path.join(self.place, "redis.log")
        self.port = None
        self.child = None

    @classmethod
    def started(cls, **options):
        return cls(**options).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, replica_of=None):
        for _ in range(5):
            self.port = self.port or process.free_port()
            self.child = Child(self._command(replica_of), self.log)
            wait_for(lambda: self._answers() or not self.child.running(), START_SECONDS, "redis-server answers", log=self.log)
            if self.child.running():
                return self
            self.port = None
        raise RigError("redis-server does not start" + process.tail(self.log))

    def _command(self, replica_of):
        settings = {
            "port": self.port, "bind": "127.0.0.1", "unixsocket": self.socket, "dir": self.place, "save": "",
            "appendonly": "no", "maxmemory-policy": "noeviction", "daemonize": "no", "repl-diskless-sync-delay": 0,
            "repl-timeout": 20,
        }
        if replica_of:
            settings["replicaof"] = "127.0.0.1 %d" % replica_of.port
        settings.update(self.settings)
        argv = ["redis-server"]
        for name, value in settings.items():
            argv += ["--" + name] + (str(value).split() or [""])
        return argv

    def _answers(self):
        try:
            return self.client(seconds=1).ping()
        except redis.exceptions.RedisError:
            return False

    def client(self, seconds=10):
        return redis.Redis(unix_socket_path=self.socket, socket_timeout=seconds)

    def stop(self):
        if self.child:
            self.child.stop(10)

    def kill9(self):
        self.child.kill9()

    def pause(self):
        self.child.signal(signal.SIGSTOP)

    def resume(self):
        self.child.signal(signal.SIGCONT)

    def restart_empty(self):
        """kill -9 and a start without data, on the same addresses."""
        self.kill9()
        self._forget_data()
        self.start()

    def snapshot(self, path):
        """What the server holds now, as an RDB file."""
        self.client(60).save()
        shutil.copyfile(os.path.join(self.place, "dump.rdb"), path)

    def restore(self, path):
        """kill -9 and a start from a snapshot, as after the restore of a backup."""
        self.kill9()
        self._forget_data()
        shutil.copyfile(path, os.path.join(self.place, "dump.rdb"))
        self.start()

    def _forget_data(self):
        shutil.rmtree(os.path.join(self.place, "appendonlydir"), ignore_errors=True)
        for name in ("dump.rdb", "redis.sock"):
            if os.path.exists(os.path.join(self.place, name)):
                os.unlink(os.path.join(self.place, name))

    def replica(self):
        """A replica that has caught up with what this server holds now."""
        other = RedisServer(settings=self.settings).start(replica_of=self)
        wait_for(lambda: other.client().info("replication").get("master_link_status") == "up", START_SECONDS,
                 "the replica follows", log=other.log)
        other.catch_up(self)
        return other

    def catch_up(self, master):
        at = master.client().info("replication")["master_repl_offset"]
        wait_for(lambda: self.client().info("replication")["slave_repl_offset"] >= at, START_SECONDS,
                 "the replica has caught up", log=self.log)

    def detach(self):
        """Stops following. What the master writes from now on is lost when this one is promoted."""
        self.client().execute_command("REPLICAOF", "NO", "ONE")

    def writes(self):
        """Bytes of replication stream so far: tells how far behind a detached replica is."""
        return self.client().info("replication")["master_repl_offset"]


class View:
    """The address that programs are given, and the server behind it."""

    def __init__(self, server):
        self.address = os.path.join(process.folder("leadrouter-view-"), "redis.sock")
        self.server = None
        self.promote(server, cut=False)

    def client(self, seconds=10):
        return redis.Redis(unix_socket_path=self.address, socket_timeout=seconds)

    def promote(self, server, cut=True):
        """New connections reach `server` from now on. `cut`: the old one is killed, as in a failover."""
        old, self.server = self.server, server
        fresh = self.address + ".new"
        os.symlink(server.socket, fresh)
        os.rename(fresh, self.address)
        if cut and old and old is not server:
            old.kill9()
