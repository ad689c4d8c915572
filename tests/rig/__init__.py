# SPDX-License-Identifier: Apache-2.0
"""The test rig: a real Kafka broker, private Redis servers and daemons, each in its own folder and ended with the test.

broker.py     Apache Kafka, one KRaft node          redis_server.py  redis-server, replicas, promotion
daemons.py    leadrouterd under test                process.py       children that never outlive us
generate.py   seeded leads and activities           verify.py        the independent verifier
contract.py   names of topics, headers and keys
"""
