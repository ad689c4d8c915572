#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
# rig: seconds 900
"""The short form of tests/chaos: each round with few faults, and the failpoints that stand for the others. `make
check-chaos` is the long one, with every failpoint."""

import os
import sys

CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "chaos.py")
NAMES = ("commit.offsets", "commit.before_commit", "commit.after_commit", "view.apply_sent", "rebuild.chunk", "catchup.step",
         "abort", "renew")
os.execv("/usr/bin/python3", ["/usr/bin/python3", CHAOS, "kills", "failpoints", "stops", "redis", "broker", "timers", "jumps", "--leads", "4500",
                              "--seconds", "12", "--faults", "5", "--names", ",".join(NAMES)] + sys.argv[1:])
