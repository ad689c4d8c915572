#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The broker from a shell: tests/rig/kafka.sh start DIR [--version V] [--port P] | stop DIR | kill9 DIR | …; see broker.py.
exec /usr/bin/python3 "$(dirname "$0")/broker.py" "$@"
