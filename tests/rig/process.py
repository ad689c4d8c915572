# SPDX-License-Identifier: Apache-2.0
"""Children that never outlive us, free ports, deadlines, tails of logs.

Every child is started with PR_SET_PDEATHSIG, so the kernel ends it when we die in whatever way; at an
ordinary exit, on Ctrl-C and on SIGTERM we end them ourselves, by process id, in reverse order of their start.
A detached child (the command line of broker.py starts such) is meant to outlive us and is not in the list.
"""

import atexit
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PR_SET_PDEATHSIG = 1
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_libc = ctypes.CDLL(None, use_errno=True)
_children = []
_folders = []


class RigError(Exception):
    """Something that the rig itself could not do; the text says what, and shows the log if there is one."""


class Unavailable(RigError):
    """A tool or download is missing on this machine: the tests that need it are skipped."""


class Deadline:
    """A moment after which waiting is a failure. Every loop of the rig asks it."""

    def __init__(self, seconds, what):
        self.end = time.monotonic() + seconds
        self.seconds = seconds
        self.what = what

    def left(self):
        return max(0.0, self.end - time.monotonic())

    def passed(self):
        return time.monotonic() >= self.end

    def check(self, log=None):
        if self.passed():
            raise RigError("not within %g s: %s%s" % (self.seconds, self.what, tail(log)))


def wait_for(condition, seconds, what, every=0.02, log=None):
    """Asks condition() until it is true; returns its value, or raises RigError after so many seconds."""
    deadline = Deadline(seconds, what)
    while True:
        value = condition()
        if value:
            return value
        deadline.check(log)
        time.sleep(every)


def tail(path, lines=25):
    """The last lines of a log, indented, with its name; empty when there is none."""
    if not path or not os.path.exists(path):
        return ""
    with open(path, "rb") as f:
        f.seek(0, os.SEEK_END)
        f.seek(max(0, f.tell() - 32768))
        last = f.read().decode("utf-8", "replace").splitlines()[-lines:]
    return "\n  --- last lines of %s\n" % path + "".join("  | %s\n" % line for line in last)


class Child:
    """A process of ours. start_new_session keeps a Ctrl-C at the terminal from reaching it before we do."""

    def __init__(self, argv, log, env=None, cwd=None, detached=False):
        self.argv, self.log = argv, log
        out = open(log, "ab")
        try:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd, start_new_session=True,
                env=dict(os.environ, **(env or {})), preexec_fn=None if detached else _die_with(os.getpid()))
        except FileNotFoundError:
            raise Unavailable("%s is not installed" % argv[0]) from None
        finally:
            out.close()
        self.pid = self.popen.pid
        if not detached:
            _children.append(self)

    def running(self):
        return self.popen.poll() is None

    def code(self):
        """The exit code, or minus the signal; None while it runs."""
        return self.popen.poll()

    def signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def wait(self, seconds=30):
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RigError("%s did not end within %g s%s" % (self.argv[0], seconds, tail(self.log))) from None

    def kill9(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def stop(self, seconds=20):
        """SIGTERM, and SIGKILL when that is not enough; returns the exit code. A stopped child is continued first."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill9()
        finally:
            if self in _children:
                _children.remove(self)

    def tail(self, lines=25):
        return tail(self.log, lines)


def tails(lines=15):
    """The ends of the logs of all children that we know of: for the message of a failed test."""
    return "".join(tail(log, lines) for log in sorted({child.log for child in _children}))


def die_with_us():
    """For subprocess.run(preexec_fn=): an interrupt between fork and bookkeeping leaves no child behind."""
    return _die_with(os.getpid())


def _die_with(parent):
    def before_exec():
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(127)
    return before_exec


def folder(prefix="leadrouter-"):
    """A temporary folder that is gone at our exit; LEADROUTER_KEEP=1 keeps it and says where it is."""
    path = tempfile.mkdtemp(prefix=prefix)
    _folders.append(path)
    return path


def free_port(taken=()):
    """A port below the ephemeral range (nobody's outgoing connection takes it while a server restarts) that is free now.
    Another process may be quicker: whoever starts a server tries again with another port."""
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        if port not in taken and port_is_free(port):
            return port
    raise RigError("no free port between 20000 and 32000")


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def clean_up():
    """Ends what still runs and removes the folders. Runs by itself at exit; calling it twice does no harm."""
    for child in reversed(_children[:]):
        if child.running():
            child.signal(signal.SIGCONT)
            child.signal(signal.SIGKILL)
    for child in _children[:]:
        child.wait()
    _children.clear()
    for path in _folders:
        if os.environ.get("LEADROUTER_KEEP") == "1":
            print("kept: %s" % path, file=sys.stderr)
        else:
            shutil.rmtree(path, ignore_errors=True)
    _folders.clear()


def _on_signal(number, _frame):
    clean_up()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


atexit.register(clean_up)
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGINT, _on_signal)
    signal.signal(signal.SIGHUP, _on_signal)
