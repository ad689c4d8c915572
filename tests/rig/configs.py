# SPDX-License-Identifier: Apache-2.0
"""Configuration folders for daemons under test: where Kafka and Redis are, and the rules of tests/rig/rules.yaml."""

import json
import os
import shutil

from rig import process

RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules.yaml")
SECRET = "a key for tests only, not a secret"


def write(instance, bootstrap, redis_socket, partitions, tenants=(), options=None, more=None, rules=None):
    """A folder for one instance; returns its path. `options`: {"limits.batch_records": 50}, as in the option table.
    `more`: text of one more file of rules; `rules`: text that takes the place of rules.yaml."""
    place = process.folder("leadrouter-config-%s-" % instance)
    settings = {
        "kafka.brokers": bootstrap, "kafka.instance": instance, "kafka.partitions": partitions,
        "kafka.transaction_timeout_ms": 5000, "kafka.session_timeout_ms": 6000,
        "redis.url": "unix:" + redis_socket, "redis.timeout_ms": 1000,
        "http.listen": "unix:" + os.path.join(place, "http"), "control.listen": "unix:" + os.path.join(place, "control"),
        "log.format": "json", "log.level": "warning",
    }
    settings.update(options or {})
    tree = {"tenants": list(tenants)} if tenants else {}
    for name, value in settings.items():
        section, _, rest = name.partition(".")
        at = tree.setdefault(section, {})
        *path, last = rest.split(".")
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    # JSON is YAML: strings stay quoted, so nothing is taken for something else.
    with open(os.path.join(place, "leadrouter.yaml"), "w") as f:
        json.dump(tree, f, indent=1, ensure_ascii=False)
    os.mkdir(os.path.join(place, "conf.d"))
    shutil.copyfile(RULES, os.path.join(place, "conf.d", "rules.yaml"))
    if rules:
        with open(os.path.join(place, "conf.d", "rules.yaml"), "w") as f:
            f.write(rules)
    if more:
        with open(os.path.join(place, "conf.d", "more.yaml"), "w") as f:
            f.write(more)
    with open(os.path.join(place, "identity.key"), "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(SECRET)
    return place
