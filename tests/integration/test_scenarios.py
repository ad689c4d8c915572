#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: broker
# rig: seconds 1800
"""The scenario files of tests/scenario through the real daemon, on a real broker and a real Redis: the events and the state
that `leadctl test` comes to in memory (rig/scenario.py). A sample of SAMPLE tests that takes from each file in turn;
SCENARIOS=all takes them all, SCENARIOS=TEXT those with TEXT in "file.yaml:line name". Needs the failpoint build."""

import glob
import itertools
import os
import queue
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, process, scenario, testing  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World  # noqa: E402

SAMPLE = 48
WORKERS = 4      # most of the time of a test is waiting
FILES = os.path.join("tests", "scenario", "*.yaml")


def failpoint_program():
    path = os.path.join(process.ROOT, "build", "failpoints", "leadrouterd")
    if not os.access(path, os.X_OK):
        raise testing.Skip("%s is not built" % path)
    return path


class Kafka(broker.Kafka):
    """The broker that run-integration started, or one of ours."""

    @classmethod
    def found(cls):
        return cls(os.environ["LR_KAFKA_DIR"]) if os.environ.get("LR_KAFKA_DIR") else cls.started()


def sample(tests, count):
    """One of each file in turn, each file's in its order."""
    files = {}
    for test in tests:
        files.setdefault(test.file, []).append(test)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*files.values()))
    return [test for test in turns if test is not None][:count]


def chosen(tests):
    wanted = os.environ.get("SCENARIOS", "")
    can = [test for test in tests if not test.why_not()]
    if wanted == "all":
        return tests
    return [test for test in tests if wanted in test.name] if wanted else sample(can, SAMPLE)


def work(kafka, tests, counts, lock):
    bench = scenario.Bench(kafka)
    while True:
        try:
            test = tests.get_nowait()
        except queue.Empty:
            return bench.close()
        tell, why = verdict(bench, test, counts)
        with lock:
            tell(test.name, why)


def verdict(bench, test, counts):
    start = time.monotonic()
    try:
        scenario.replay(bench, test)
    except (testing.Skip, process.Unavailable) as e:
        return counts.skip, str(e)
    except (testing.Failed, process.RigError) as e:
        return counts.fail, str(e)
    except Exception:  # noqa: BLE001 — a worker that dies would take its tests along
        return counts.fail, traceback.format_exc()
    return counts.ok, "%.1f s" % (time.monotonic() - start)


def every_test():
    return scenario.dump(sorted(os.path.relpath(p, process.ROOT) for p in glob.glob(os.path.join(process.ROOT, FILES))))


def replay_all(kafka, wanted, counts):
    tests = queue.Queue()
    for test in wanted:
        tests.put(test)
    lock = threading.Lock()
    workers = [threading.Thread(target=work, args=(kafka, tests, counts, lock)) for _ in range(min(WORKERS, tests.qsize()))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def release_has_no_clock(kafka):
    """The release build knows neither the request nor the variable."""
    os.environ["LR_CLOCK"] = "1000"
    try:
        with World(kafka).start() as world:
            live = scenario.request(world.config, "POST", "/clock?now=1000&held=1")
            equal(live[0], 404, "status of /clock")
            world.send([b'{"lead_id":"L1","contact":{"email":"a@b.example"}}'])
            world.wait_drained()
            check(all(r.timestamp > 1000 for r in world.read("leads.assignments")), "events are of today")
    finally:
        del os.environ["LR_CLOCK"]


def differences_are_seen(kafka, tests):
    """Another deadline in the state, another owner in an event and one event too few: the comparison says so."""
    test = next(t for t in tests if not t.why_not() and len(t.events) > 1
                and t.events[-1]["type"] != "lead.assigned" and any(line["due"] for line in t.state))
    dated = next(line for line in test.state if line["due"])
    dated["due"] += 1
    assigned = next(line for line in test.events if line["type"] == "lead.assigned")
    assigned["value"] = assigned["value"].replace('"owner":"', '"owner":"not-')
    gone = test.events.pop()
    bench = scenario.Bench(kafka)
    try:
        scenario.replay(bench, test)
    except testing.Failed as e:
        said = str(e)
    else:
        raise testing.Failed("the altered test passed")
    finally:
        bench.close()
    for text in ("due " + dated["key"], "not-", gone["id"]):
        check(text in said, "%r is told: %s" % (text, said))


def main():
    counts = testing.Counts()
    kafka = Kafka.found()
    if not os.environ.get("SCENARIOS"):
        testing.run(counts, "release_has_no_clock", lambda: release_has_no_clock(kafka))
    try:
        os.environ["LEADROUTERD"] = failpoint_program()
        tests = every_test()
        wanted = chosen(tests)
        if not os.environ.get("SCENARIOS"):
            others = [test for test in tests if test not in wanted]  # names of topics are given once
            testing.run(counts, "differences_are_seen", lambda: differences_are_seen(kafka, others))
        replay_all(kafka, wanted, counts)
    except testing.Skip as e:
        counts.skip("scenarios", str(e))
    process.clean_up()
    print(counts.summary(), flush=True)
    sys.exit(1 if counts.failed else 0)


main()
