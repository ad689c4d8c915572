#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""`leadctl report` on a real broker: the figures of the topics are those of the same events in a file, counted again here by
other code, and a report from some time on needs nothing from before it."""

import collections
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, process, testing  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World  # noqa: E402

SAMPLES = os.path.join(process.ROOT, "config", "examples", "leads.jsonl")
_kafka = []


def kafka():
    if not _kafka:
        _kafka.append(broker.Kafka.started())
    return _kafka[0]


def samples():
    with open(SAMPLES, "rb") as f:
        return f.read().splitlines()


def report(world, *arguments):
    code, out, err = world.ctl("report", *arguments)
    equal(code, 0, "leadctl report %s: %s" % (" ".join(arguments), err))
    return out


def rows(text, name):
    return {row[name]: row for row in map(json.loads, text.splitlines())}


def count_again(events):
    """Obtained and assigned leads by team, out of the events, without the code under test."""
    obtained, assigned = collections.Counter(), collections.Counter()
    for event in events:
        data = event.get("data") or {}
        if event["type"] == "lead.assigned":
            assigned[data["team"]] += 1
            obtained[data["team"]] += "lead" in data
        elif event["type"] == "lead.unassigned" and "gate" in data["origin"]:
            obtained[data.get("team", "(none)")] += 1
    return obtained, assigned


def test_topics_and_file_give_the_same_figures():
    with World(kafka()) as world:
        world.start()
        lines = samples()
        world.send(lines)
        world.wait_drained()
        owners = {o["lead_id"]: o["owner"] for o in map(lambda e: json.loads(e.value), world.read("leads.assignments"))
                  if "owner" in o}
        lead = sorted(owners)[0]
        world.send([json.dumps({"type": "activity.touch", "lead_id": lead, "actor": owners[lead]}).encode()], topic=contract.ACTIVITY)
        world.wait_drained()
        code, watched, err = world.ctl("watch", "-c", world.config, "--json", "--from-start", "--idle-ms", "3000")
        equal(code, 0, err)
        path = os.path.join(world.config, "..", "events.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.write(watched)
        for form in (("--json",), ("--csv",), ()):
            for by in ("source", "team,grade", "rep"):
                asked = ("--by", by, "--zone", "UTC", "--period", "day", *form)
                equal(report(world, "-c", world.config, *asked), report(world, "--file", path, *asked), "topics and file: %s" % (asked,))
        by_team = rows(report(world, "-c", world.config, "--by", "team", "--json"), "team")
        obtained, assigned = count_again([json.loads(line) for line in watched.splitlines()])
        check(sum(obtained.values()) > 150 and len(obtained) >= 3, "leads of several teams: %s" % obtained)
        for team in obtained:
            figures = by_team[team]["figures"]
            equal((figures["obtained"], figures.get("assigned", 0)), (obtained[team], assigned[team]), team)
        whole = json.loads(report(world, "-c", world.config, "--json"))
        equal(whole["figures"]["touches"], 1, "touches")
        equal(whole["times"]["response"]["count"], 1, "responses")

        # the same seed draws the same leads, from the topics as from the file
        drawn = report(world, "-c", world.config, "--sample", "7", "--seed", "q3", "--json")
        equal(len(drawn.splitlines()), 7, "leads drawn")
        equal(drawn, report(world, "--file", path, "--sample", "7", "--seed", "q3", "--json"), "sample")
        check(drawn != report(world, "--file", path, "--sample", "7", "--seed", "q4", "--json"), "another seed, other leads")

        refused = world.ctl("report", "--file", path, "--sample", "7", "--seed", "q3", "--by", "team")
        check(refused[0] == 2 and "without --by" in refused[2], "a sample that is divided: %s" % (refused,))

        # from some time on: nothing from before, found by the records' times
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
        equal(report(world, "-c", world.config, "--since", now, "--json"), "", "nothing since now")
        start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        equal(json.loads(report(world, "-c", world.config, "--since", start, "--json")), whole, "since the beginning")
        equal(report(world, "-c", world.config, "--until", start, "--json"), "", "nothing before")


def kept_figures(world):
    """What the daemon keeps (mem/fig/<day>/all of the compacted topic), the days added up."""
    newest = {r.key: r.value for r in world.read(contract.STATE) if r.key}
    whole = collections.Counter()
    for key, value in newest.items():
        if re.fullmatch(rb"mem/fig/\d+/all", key) and value:
            whole.update({k: v for k, v in json.loads(value).items() if isinstance(v, int)})
    return dict(whole)


def test_the_daemon_keeps_the_same_figures():
    """The events' own transaction carries them: they agree after records, after a kill and after Redis has lost everything."""
    with World(kafka()) as world:
        with open(os.path.join(world.config, "conf.d", "rules.yaml"), "a") as f:
            f.write('report: {daily: {at: "23:58"}, due_today: {at: "23:59"}}\n')
        world.start()
        lines = samples()
        world.send(lines[:100])
        world.wait_drained()
        equal(kept_figures(world), json.loads(report(world, "-c", world.config, "--json"))["figures"], "after 100 records")
        world.send(lines[100:])
        world.daemon.kill9()
        world.redis.client().flushall()
        world.daemon.start()
        world.wait_ready()
        world.wait_drained()
        found = json.loads(report(world, "-c", world.config, "--by", "team", "--json").splitlines()[0])
        check(found["figures"], "figures of a team: %s" % found)
        equal(kept_figures(world), json.loads(report(world, "-c", world.config, "--json"))["figures"], "after kill and rebuild")
        world.agrees()
        equal(world.daemon.stop(), 0, "exit code")


def test_lines_that_are_no_events_are_told():
    done = subprocess.run([testing.binary("leadctl"), "report", "--file", "-", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          input=b'{"type":"lead.complaint","data":{"repeated":false,"at":"2026-11-20T10:00:00Z"}}\nnonsense\n{}\n')
    equal(done.returncode, 1, "exit code")
    check(b"LR540" in done.stderr and b"line 2" in done.stderr and b"2 events could not be read" in done.stderr, done.stderr.decode())
    equal(json.loads(done.stdout)["figures"], {"complaints": 1}, "what could be read")


testing.main(globals())
