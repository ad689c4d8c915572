# SPDX-License-Identifier: Apache-2.0
"""leadrouterd under test: started with a configuration folder, awaited through its notify socket, stopped, killed.

The program is $LEADROUTERD, default leadrouterd of $BUILD (build/gcc). Readiness and reload are what the daemon says on
NOTIFY_SOCKET (READY=1, RELOADING=1, WATCHDOG=1, STATUS=…); nothing here sleeps and hopes.
"""

import os
import select
import signal
import socket
import threading

from rig import process, testing
from rig.process import Child, Deadline, RigError

READY_SECONDS = 30
STOP_SECONDS = 20


def program():
    path = os.environ.get("LEADROUTERD")
    return path if path else testing.binary("leadrouterd")


class NotifySocket:
    """Collects what a service tells its manager. A thread empties it, because a full datagram queue blocks the sender."""

    def __init__(self, place):
        self.path = os.path.join(place, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []
        self.changed = threading.Condition()
        self.open = True
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        while self.open:
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            message = dict(line.split("=", 1) for line in self.socket.recv(65536).decode("utf-8", "replace").splitlines()
                           if "=" in line)
            with self.changed:
                self.messages.append(message)
                self.changed.notify_all()

    def count(self, name, value=None):
        with self.changed:
            return sum(1 for m in self.messages if name in m and value in (None, m[name]))

    def last(self, name):
        with self.changed:
            return next((m[name] for m in reversed(self.messages) if name in m), None)

    def wait(self, name, value, times, alive, deadline):
        """Until NAME=VALUE has come so many times; an ended process is not waited for."""
        while self.count(name, value) < times:
            if not alive():
                return False
            deadline.check()
            with self.changed:
                self.changed.wait(0.1)
        return True

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()
        if os.path.exists(self.path):
            os.unlink(self.path)


class Daemon:
    """One instance. `name` tells instances apart; each has a folder with its log, which survives restarts."""

    def __init__(self, config, name="a", env=None, arguments=()):
        self.config, self.name, self.env, self.arguments = config, name, dict(env or {}), list(arguments)
        self.place = process.folder("leadrouter-%s-" % name)
        self.log = os.path.join(self.place, "log")
        self.child = None
        self.notify = None
        self.starts = 0

    def start(self, failpoint=None, wait=True, seconds=READY_SECONDS):
        """failpoint: "name:n:kill". With wait, returns when READY=1 has come; an early end is an error, unless a failpoint
        was set: then it is what was wanted."""
        if self.running():
            raise RigError("instance %s runs already" % self.name)
        if self.notify:
            self.notify.close()
        self.notify = NotifySocket(self.place)
        self.starts += 1
        env = dict(self.env, NOTIFY_SOCKET=self.notify.path)
        if failpoint:
            env["LR_FAILPOINT"] = failpoint
        self.child = Child([program(), "-c", self.config] + self.arguments, self.log, env=env, cwd=self.place)
        if wait:
            self.wait_ready(seconds, may_end=failpoint is not None)
        return self

    def wait_ready(self, seconds=READY_SECONDS, may_end=False):
        deadline = Deadline(seconds, "leadrouterd %s says READY=1%s" % (self.name, self.tail()))
        if not self.notify.wait("READY", "1", 1, self.running, deadline) and not may_end:
            raise RigError("leadrouterd %s ended with code %s%s" % (self.name, self.child.code(), self.tail()))

    def reload(self, seconds=READY_SECONDS):
        """SIGHUP; returns STATUS= of the verdict (RELOADING=1 and then READY=1 come in both outcomes)."""
        begun, ready = self.notify.count("RELOADING", "1"), self.notify.count("READY", "1")
        self.child.signal(signal.SIGHUP)
        deadline = Deadline(seconds, "leadrouterd %s has reloaded" % self.name)
        for name, times in (("RELOADING", begun + 1), ("READY", ready + 1)):
            if not self.notify.wait(name, "1", times, self.running, deadline):
                raise RigError("leadrouterd %s ended while reloading%s" % (self.name, self.tail()))
        return self.notify.last("STATUS")

    def running(self):
        return self.child is not None and self.child.running()

    def code(self):
        return self.child.code() if self.child else None

    def kill9(self):
        if self.running():
            self.child.kill9()

    def pause(self):
        self.child.signal(signal.SIGSTOP)

    def resume(self):
        self.child.signal(signal.SIGCONT)

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM, as systemd would: the daemon drains and must end by itself. Returns its exit code."""
        self.child.signal(signal.SIGTERM)
        return self.child.wait(seconds)

    def wait_end(self, seconds):
        return self.child.wait(seconds)

    def rss_kib(self):
        with open("/proc/%d/status" % self.child.pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def tail(self, lines=25):
        return process.tail(self.log, lines)
