#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
# rig: seconds 900
"""The short form of tests/chaos: each round with few faults. `make check-chaos` is the long one, with failpoints."""

import os
import sys

CHAOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos", "chaos.py")
os.execv("/usr/bin/python3", ["/usr/bin/python3", CHAOS, "kills", "stops", "redis", "broker", "--leads", "6000",
                              "--seconds", "12", "--faults", "4"] + sys.argv[1:])
