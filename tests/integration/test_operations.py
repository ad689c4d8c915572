#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""What the people who run leadrouterd meet: check and start agree, reload never breaks, stop loses nothing, health says the
truth, Redis and Kafka may go away and come back, and a wrong environment is refused with what to set."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, daemons, process, testing  # noqa: E402
from rig.process import wait_for  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World, lead  # noqa: E402

EXIT_AWAY, EXIT_TRY_AGAIN, EXIT_CONFIG = 69, 75, 78
SHORT = {"kafka.transaction_timeout_ms": 5000, "kafka.session_timeout_ms": 6000}

_kafka = []


def kafka():
    """One broker for all tests; one that a test ended is started again."""
    if not _kafka:
        _kafka.append(broker.Kafka.started())
    if not _kafka[0].running():
        _kafka[0].start()
    return _kafka[0]


def run_daemon(config, *arguments, seconds=30):
    """(exit code, everything it said) of leadrouterd that is expected to end by itself."""
    done = subprocess.run([daemons.program(), "-c", config, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=seconds)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def rules_file(world):
    return os.path.join(world.config, "conf.d", "rules.yaml")


def edit(path, old, new):
    with open(path) as f:
        text = f.read()
    check(old in text, "%r is in %s" % (old, path))
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def edit_option(world, name, value):
    path = os.path.join(world.config, "leadrouter.yaml")
    with open(path) as f:
        tree = json.load(f)
    at = tree
    *way, last = name.split(".")
    for part in way:
        at = at.setdefault(part, {})
    at[last] = value
    with open(path, "w") as f:
        json.dump(tree, f, indent=1)


def refused(world, code, *texts):
    """It does not start, says the code and what to set, and ends with the exit code of its kind."""
    exit_code, said = run_daemon(world.config)
    for text in (code,) + texts:
        check(text in said, "%r is not said:\n%s" % (text, said))
    equal(exit_code, EXIT_AWAY, "exit code; " + said)
    return said


# --- configuration

def test_check_and_start_agree():
    with World(kafka()) as world:
        for program in (("-t",),):
            code, said = run_daemon(world.config, *program)
            equal(code, 0, "leadrouterd -t accepts: " + said)
        equal(world.ctl("check", "-c", world.config)[0], 0, "leadctl check accepts")
        world.start()
        equal(world.daemon.stop(), 0, "exit code")
        edit(rules_file(world), "team: emea}", "team: emae}")
        started, said = run_daemon(world.config)
        tested, told = run_daemon(world.config, "-t")
        checked, out, err = world.ctl("check", "-c", world.config)
        equal((started, tested, checked), (EXIT_CONFIG,) * 3, "exit codes of start, -t and check")
        for text in (said, told, out + err):
            check("conf.d/rules.yaml:35:79" in text and "emae" in text and "^" in text, "place and caret:\n" + text)
        check(told.strip() in said or told.strip() == said.strip(), "-t says what start says:\n%s\n---\n%s" % (told, said))


def test_reload():
    with World(kafka()) as world:
        world.start()
        def hashes():
            return [l.split("sha256=")[1] for l in world.http("/metrics")[1].splitlines() if l.startswith("leadrouter_config_info{")]
        before = hashes()
        begun = time.clock_gettime(time.CLOCK_MONOTONIC)
        edit(rules_file(world), "points: 20", "points: 21")
        equal(world.daemon.reload(), "configuration reloaded", "status")
        usec = int(world.daemon.notify.last("MONOTONIC_USEC"))
        check(begun * 1e6 <= usec <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6, "MONOTONIC_USEC=%d" % usec)
        valid = hashes()
        check(valid != before and len(valid) == 1, "the new one is in force: %s" % valid)
        # invalid: the old one stays, the verdict is told where it was asked for
        edit(rules_file(world), "points: 21", "points: many")
        equal(world.daemon.reload(), "reload refused, the old configuration is in force", "status")
        equal(hashes(), valid, "the old one stays in force")
        equal(world.metric("leadrouter_config_last_reload_successful"), 0.0, "gauge")
        code, out, err = world.ctl("reload", "-s", os.path.join(world.config, "control"))
        equal(code, EXIT_CONFIG, "leadctl reload; " + out + err)
        check("points: many" in err and "^" in err, "carets: " + err)
        verdicts = [json.loads(l) for l in world.log().splitlines() if "configuration refused" in l]
        check(len(verdicts) == 2 and "points: many" in verdicts[0]["verdict"], "in the log: %s" % verdicts)
        # a fixed option, by name
        edit(rules_file(world), "points: many", "points: 22")
        edit_option(world, "kafka.session_timeout_ms", 7000)
        edit_option(world, "http.listen", "127.0.0.1:0")
        code, out, err = world.ctl("reload", "-s", os.path.join(world.config, "control"))
        equal(code, EXIT_CONFIG, "a fixed option; " + out + err)
        for text in ("LR391", "kafka.session_timeout_ms", "http.listen", "6000 -> 7000"):
            check(text in err, "%s in %s" % (text, err))
        equal(hashes(), valid, "the old one stays in force")
        edit_option(world, "kafka.session_timeout_ms", 6000)
        edit_option(world, "http.listen", "unix:" + os.path.join(world.config, "http"))
        edit_option(world, "log.level", "debug")
        code, out, err = world.ctl("reload", "-c", world.config)
        equal(code, 0, "mended; " + out + err)
        check("log.level: info -> debug" in out, out)
        check(hashes() != valid, "in force")
        # an unreadable file is never empty rules
        os.rename(rules_file(world), rules_file(world) + ".away")
        code, out, err = world.ctl("reload", "-s", os.path.join(world.config, "control"))
        equal(code, EXIT_CONFIG, "no rules; " + out + err)
        world.send([lead(1)])
        world.wait_drained()
        world.check_one_outcome_each(1, "lead.assigned")
        equal(world.daemon.stop(), 0, "exit code")


def test_non_loopback_listener_is_refused():
    with World(kafka(), options={"http.listen": "0.0.0.0:9464"}) as world:
        for arguments in ((), ("-t",)):
            code, said = run_daemon(world.config, *arguments)
            check(code == EXIT_CONFIG and "loopback" in said and "^" in said, "%s: code %d: %s" % (arguments, code, said))


def test_a_forbidden_property_is_refused():
    with World(kafka()) as world:
        edit_option(world, "kafka.properties", {"enable.auto.commit": True})
        code, said = run_daemon(world.config, "-t")
        equal(code, EXIT_CONFIG, said)
        check("LR030" in said and "enable.auto.commit" in said and "^" in said, said)


# --- health

def test_metrics_and_health():
    with World(kafka(), options={"http.listen": "127.0.0.1:%d" % process.free_port()}) as world:
        world.bootstrap()
        world.daemon.start()
        port = int(json.load(open(os.path.join(world.config, "leadrouter.yaml")))["http"]["listen"].split(":")[1])
        wait_for(lambda: [s["state"] for s in world.shards()] == ["running"], 20, "the shard runs", log=world.daemon.log)
        world.send([lead(1), lead(2), b"{"])
        world.wait_drained()

        def ask(path):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
                s.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
                answer = b"".join(iter(lambda: s.recv(65536), b""))
            return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]
        status, text = ask("/metrics")
        equal(status, 200, "status of /metrics")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        equal((done.returncode, done.stdout), (0, b""), "promtool check metrics")
        for series in (b'leadrouter_decisions_total{outcome="assigned"} 2', b'leadrouter_rejected_total{code="bad_json"} 1',
                       b'leadrouter_assigned_total{route="europe",team="emea",source="other",grade="A"} 2',
                       b'leadrouter_shards{state="running"} 1', b"leadrouter_view_up 1"):
            check(series in text, "%s in\n%s" % (series, text.decode()))
        for path, wanted in (("/livez", 200), ("/healthz", 200), ("/readyz", 200), ("/version", 200), ("/", 404), ("/show/config", 404),
                             ("/metrics/../x", 404), ("/livez%00", 400)):
            equal(ask(path)[0], wanted, path)
        slow_and_big_requests(port, ask)


def slow_and_big_requests(port, ask):
    """A byte now and then does not hold a connection; what is too big is cut; others are answered meanwhile."""
    slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(8)]
    begun = time.monotonic()
    for s in slow:
        s.sendall(b"GET /livez HTTP/1.1\r\n")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as big:
        try:
            big.sendall(b"GET /livez HTTP/1.1\r\n" + b"X: %s\r\n" % (b"x" * 1000) * 40)
        except OSError:
            pass
        check(b" 431 " in big.recv(1000), "a big header is refused")
    equal(ask("/livez")[0], 200, "others are answered")
    def fed():
        ended = 0
        for s in slow:
            try:
                s.sendall(b"X")
                s.setblocking(False)
                ended += s.recv(100) == b""
            except BlockingIOError:
                pass
            except OSError:
                ended += 1
        return ended == len(slow)
    wait_for(fed, 12, "slow requests are cut", every=0.2)
    check(3 < time.monotonic() - begun < 11, "after their time")
    many = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(60)]
    wait_for(lambda: sum(_is_closed(s) for s in many) >= 60 - 32, 10, "connections beyond the limit are closed")
    for s in slow + many:
        s.close()
    wait_for(lambda: ask_or_none(ask) == 200, 10, "and then it answers again")


def _is_closed(s):
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def ask_or_none(ask):
    try:
        return ask("/livez")[0]
    except (OSError, IndexError):
        return None


def test_watchdog_pings_come_from_the_loop():
    with World(kafka(), options=SHORT) as world:
        world.daemon.env["WATCHDOG_USEC"] = "1500000"
        world.start()
        pings = lambda: world.daemon.notify.count("WATCHDOG", "1")  # noqa: E731
        wait_for(lambda: pings() >= 3, 10, "pings")
        world.daemon.pause()
        before = pings()
        wait_without(lambda: pings() > before + 1, 2.0, "a stopped loop pings")
        world.daemon.resume()
        wait_for(lambda: pings() > before + 1, 10, "pings again")


def wait_without(condition, seconds, what):
    """The absence of something can only be shown by looking for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        check(not condition(), what)
        time.sleep(0.05)


# --- stop

def test_stop_drains():
    with World(kafka(), options={"limits.batch_records": 50}) as world:
        world.start()
        world.send([lead(i) for i in range(3000)], wait=False)
        wait_for(lambda: world.metric('leadrouter_decisions_total{outcome="assigned"}') > 100, 20, "work is under way")
        equal(world.daemon.stop(), 0, "exit code" + world.daemon.tail())
        equal(world.daemon.notify.count("STOPPING", "1"), 1, "STOPPING=1")
        world.agrees(seconds=0)  # everything decided is applied before the end
        world._producer.flush(30)
        world.daemon.start()
        world.wait_drained()
        equal(world.daemon.stop(), 0, "exit code")
        world.check_one_outcome_each(3000, "lead.assigned")
        world.agrees(seconds=0)
        return "drained in the middle of 3000 leads"


# --- logs

PERSONS = ("ana.schmidt@customer.example", "+4915112345678", "0151 12345678", "wx_ana_schmidt_77", "Ana Schmidt-Secret")


def test_logs_are_json_and_hold_no_contact_data():
    with World(kafka(), options={"log.level": "debug"}) as world:
        world.start()
        contact = {"email": PERSONS[0], "phone": PERSONS[2], "wechat": PERSONS[3], "name": PERSONS[4]}
        world.send([lead(1, contact=contact), lead(2, contact=contact), json.dumps(contact).encode(),
                    b'{"contact": "%s"}' % PERSONS[0].encode(), b'{"contact": {"email": "%s"' % PERSONS[0].encode(),
                    lead(4, source=PERSONS[0]), lead(PERSONS[0] and 5, campaign=PERSONS[1], contact=dict(contact, phone=[PERSONS[1]]))])
        world.send([json.dumps({"type": "activity.touch", "lead_id": PERSONS[0]}).encode()], contract.ACTIVITY)
        world.wait_drained()
        world.redis.kill9()
        wait_for(lambda: world.http("/readyz")[0] == 503, 10, "Redis is missed")
        world.redis.start()
        world.wait_ready()
        equal(world.daemon.stop(), 0, "exit code")
        for line in world.log().splitlines():
            record = json.loads(line)
            check({"ts", "level", "msg"} <= set(record), line)
        for text in PERSONS:
            check(text not in world.log(), "the log holds %s" % text)
        metrics_and_redis = "".join(repr(world.redis.client().execute_command("DUMP", k)) for k in world.redis.client().keys())
        check(not any(p in metrics_and_redis for p in PERSONS), "Redis holds contact data")


# --- Redis away

def test_redis_away():
    with World(kafka(), options={"limits.inbox_records": 500}) as world:
        world.start()
        world.send([lead(i) for i in range(300)])
        world.wait_drained()
        world.redis.pause()
        world.send([lead(i) for i in range(300, 6000)])
        wait_for(lambda: world.http("/readyz")[0] == 503, 15, "not ready while Redis is silent", log=world.daemon.log)
        status, why = world.http("/readyz?verbose")
        check(status == 503 and "redis" in why, "the reason: %r" % why)
        equal(world.http("/livez")[0], 200, "alive all the same")
        resident = world.daemon.rss_kib()
        world.redis.resume()
        world.wait_ready()
        world.wait_drained()
        # killed and started empty: everything is rebuilt
        world.redis.kill9()
        wait_for(lambda: world.http("/readyz")[0] == 503, 15, "not ready while Redis is gone")
        world.send([lead(i) for i in range(6000, 12000)])
        check(world.backlog() > 5000, "intake is paused")
        resident = max(resident, world.daemon.rss_kib())
        world.redis.start()
        world.wait_ready()
        world.wait_drained()
        equal(world.daemon.stop(), 0, "exit code")
        world.check_one_outcome_each(12000, "lead.assigned")
        world.agrees()
        check(resident < 300 * 1024, "%d KiB resident" % resident)
        return "%d MiB resident" % (resident // 1024)


def test_redis_policy():
    with World(kafka(), redis_settings={"maxmemory-policy": "allkeys-lru"}) as world:
        world.bootstrap()
        refused(world, "LR304", "noeviction")
        world.redis.client().config_set("maxmemory-policy", "noeviction")
        world.daemon.start()
        world.wait_ready()
        world.redis.client().config_set("maxmemory-policy", "allkeys-lru")
        world.redis.client().execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        wait_for(lambda: world.http("/readyz")[0] == 503, 15, "not ready", log=world.daemon.log)
        world.send([lead(1)])
        wait_for(lambda: "LR304" in world.log(), 15, "it is told", log=world.daemon.log)
        equal(world.metric("leadrouter_view_up"), 0.0, "leadrouter_view_up")
        check(world.metric('leadrouter_alarms_total{code="redis_policy"}') >= 1, "an alarm is counted")
        wait_without(lambda: world.outcomes(), 0.5, "nothing is decided")
        world.redis.client().config_set("maxmemory-policy", "noeviction")
        world.wait_ready()
        world.wait_drained()
        world.check_one_outcome_each(1, "lead.assigned")


# --- Kafka away

def test_kafka_away():
    with World(kafka(), options=SHORT) as world:
        world.start()
        starts = 1
        world.send([lead(i) for i in range(1000)])
        kafka().pause()
        wait_without(lambda: world.http("/livez")[0] != 200, 2.0, "alive without Kafka")
        kafka().resume()
        world.wait_drained(60)
        world.send([lead(i) for i in range(1000, 2000)], wait=False)
        world._producer.poll(0.3)
        kafka().kill9()
        wait_without(lambda: False, 1.0, "")
        kafka()
        if world._producer.flush(60) != 0:
            raise process.RigError("not delivered")
        def again():
            nonlocal starts
            if not world.daemon.running():  # its own deadline ended it: systemd would start it again
                world.daemon.start(wait=False)
                starts += 1
            return world.backlog() == 0
        wait_for(again, 90, "everything is worked off", every=0.2, log=world.daemon.log)
        world.wait_ready(60)
        sent = 2000
        found = world.outcomes()
        ids = [json.loads(r.value)["lead_id"] for r in world.read(contract.CAPTURED)]
        check(len(set(ids)) == sent, "the input holds %d leads" % len(set(ids)))
        check(len(found) == len(ids) and all(len(kinds) == 1 for kinds in found.values()),
              "%d records, %d with outcomes" % (len(ids), len(found)))
        world.agrees()
        return "%d starts" % starts


# --- a wrong environment

def test_wrong_environments_are_refused():
    c, a, s = contract.CAPTURED, contract.ACTIVITY, contract.STATE
    compact = {"cleanup.policy": "compact"}
    for topics, options, texts in (
            ({a: (2, {})}, {}, ("LR333", "leads.activity has 2", "need the same number")),
            ({s: (3, compact)}, {}, ("LR333", "leads.state has 3", "need the same number")),
            ({s: (1, {})}, {}, ("LR334", "set cleanup.policy=compact")),
            ({s: (1, {"cleanup.policy": "compact,delete"})}, {}, ("LR334", "set cleanup.policy=compact")),
            ({c: (1, compact)}, {}, ("LR345", "set cleanup.policy=delete")),
            ({s: (None, {})}, {}, ("LR332", "does not exist", "cleanup.policy=compact")),
            ({}, {"kafka.partitions": 4}, ("LR373", "the configuration says 4")),
    ):
        with World(kafka(), topics=topics, options=options) as world:
            refused(world, *texts)
            code, out, err = world.ctl("bootstrap", "-c", world.config)
            check(code != 0 and texts[0] in out + err, "leadctl bootstrap: %d %s%s" % (code, out, err))


def stopped(world, code):
    """The shard is STOPPED, and it is told why, by name, in the log and in the metrics."""
    wait_for(lambda: [s["state"] for s in world.shards()][:1] == ["stopped"], 20, "shard 0 is stopped", log=world.daemon.log)
    equal(world.http("/readyz")[0], 503, "ready")
    check("shard 0: stopped" in world.http("/readyz?verbose")[1], "the reason in readyz")
    shown, _, err = world.ctl("show", "lead", "L1", "-c", world.config)
    check(shown == EXIT_TRY_AGAIN and "not_running" in err, "what cannot be asked is not missing: %s %s" % (shown, err))
    check(code in world.log(), "%s in the log" % code)
    check(any(l.startswith("leadrouter_alarms_total{") for l in world.http("/metrics")[1].splitlines()), "an alarm is counted")


def test_without_bootstrap_it_stops():
    with World(kafka()) as world:
        world.daemon.start()
        stopped(world, "LR371")
        check("leadctl bootstrap" in world.log(), "what to do")


def test_reset_offsets_stop_the_shard():
    from confluent_kafka import TopicPartition
    from rig import verify
    with World(kafka()) as world:
        world.start()
        world.send([lead(i) for i in range(20)])
        world.wait_drained()
        equal(world.daemon.stop(), 0, "exit code")
        somebody = verify.consumer(kafka().bootstrap, world.group)
        somebody.commit(offsets=[TopicPartition(world.topic(contract.CAPTURED), 0, 5)], asynchronous=False)
        somebody.close()
        world.daemon.start()
        stopped(world, "LR370")
        equal(len(world.outcomes()), 20, "nothing was decided again")


def test_more_partitions_are_refused():
    from confluent_kafka.admin import AdminClient, NewPartitions
    with World(kafka(), partitions=2) as world:
        world.start()
        world.send([lead(1)])
        world.wait_drained()
        equal(world.daemon.stop(), 0, "exit code")
        admin = AdminClient({"bootstrap.servers": kafka().bootstrap, "log_level": 2})
        names = contract.INPUTS + (contract.STATE,)
        for done in admin.create_partitions([NewPartitions(world.topic(n), 3) for n in names]).values():
            done.result(20)
        world.daemon.start()
        stopped(world, "LR373")
        check("restore the old count" in world.log(), "what to do")


# --- tenants, and what leadctl shows

def test_tenants_and_show():
    tenants = ["red", "blue", "green", "white"]
    with World(kafka(), partitions=2, tenants=tenants) as world:
        world.start()
        homes = {t: contract.shard_of(t, 2) for t in tenants}
        check(len(set(homes.values())) == 2, "both shards have a tenant: %s" % homes)
        for number, tenant in enumerate(tenants):
            world.send([lead(number, tenant=tenant)], partition=homes[tenant])
            world.send([lead(100 + number, tenant=tenant)], partition=1 - homes[tenant])
            world.send([lead(200 + number)], partition=homes[tenant], key=tenant.encode())
        world.send([lead(300, tenant="nobody")])
        world.send([lead(301)])
        world.wait_drained()
        rejected = {json.loads(r.value)["lead_id"]: dict(r.headers)[contract.ERROR_CODE] for r in world.read(contract.REJECTED)}
        wanted = {"L%d" % (100 + n): b"wrong_partition" for n in range(4)}
        wanted.update({"L300": b"unknown_tenant", "L301": b"missing_tenant"})
        equal(rejected, wanted, "rejected")
        show(world)
        explain(world)


def show(world):
    def ctl(*arguments, wanted=0):
        code, out, err = world.ctl("show", *arguments, "-c", world.config)
        equal(code, wanted, "leadctl show %s: %s%s" % (" ".join(arguments), out, err))
        return out
    for number in (0, 1, 203):
        shown = json.loads(ctl("lead", "L%d" % number))
        lead_shown = shown[0]["lead"]
        check(lead_shown["state"] == "assigned" and lead_shown["owner"] and shown[0]["head"]["seq"] >= 1, "lead: %s" % shown)
    ctl("lead", "no-such", wanted=1)
    ctl("lead", "a b/ä?&=%00", wanted=1)
    teams = json.loads(ctl("team", "emea"))
    equal(sorted(t["shard"] for t in teams), [0, 1], "shards of a team")
    ctl("team", "no-such", wanted=1)
    code, table, _ = world.ctl("ring", "emea", "-c", world.config)
    check(code == 0 and table.count("there: ") == 2 and "  rep " in table and "; turns given: " in table, "ring: %s" % table)
    rings = json.loads(world.ctl("ring", "emea", "--json", "-c", world.config)[1])
    equal([r["ring"]["pool"] for r in rings], ["emea", "emea"], "rings as data")
    equal(world.ctl("ring", "no-such", "-c", world.config)[0], 1, "a team that there is not")
    shards = json.loads(ctl("shard"))
    equal([s["state"] for s in shards], ["running", "running"], "shards")
    check(all(len(s["committed_offsets"]) == 2 for s in shards), "%s" % shards)
    text = ctl("config")
    check("kafka.group" in text and world.group in text and "leadrouter.yaml" in text, "config: " + text)
    check("a key for tests only" not in text, "no secrets")
    equal(world.ctl("show", "lead", "-c", world.config)[0], 2, "usage")
    equal(world.ctl("show", "lead", "L1", "-s", "/nonexistent")[0], EXIT_AWAY, "nobody there")


def explain(world):
    """A lead that was decided: what the events say, and what the instance has now."""
    def ctl(*arguments, wanted=0):
        code, out, err = world.ctl("explain", *arguments, "-c", world.config)
        equal(code, wanted, "leadctl explain %s: %s%s" % (" ".join(arguments), out, err))
        return out
    story = ctl("L1")
    check(story.startswith("L1 went to ") and "\nRoutes " in story and "\nNow " in story, "story: " + story)
    sentence = ctl("L1", "--short")
    check(sentence.startswith("L1 went to ") and " because route europe matched" in sentence, "sentence: " + sentence)
    check("comes first and took it" in ctl("L1", "--why-not", "rest"), "why not")
    check("due " in ctl("L1", "--timeline"), "timeline")
    told = json.loads(ctl("L1", "--json"))
    equal([told["state"][0]["lead"]["owner"], told["lead_id"]], [told["events"][0]["data"]["owner"], "L1"], "state and event")
    check("person1@" not in json.dumps(told), "contact data is masked")
    ctl("no-such", wanted=1)
    ctl("L1", "--why-not", "rust", wanted=2)


def test_facts_of_the_real_plugins():
    """enrich_geo and cleanse_disposable in the daemon: their facts decide routes, an empty country is filled."""
    database = os.path.join(process.ROOT, "build", "geo", "node_modules", "@ip-location-db", "iptoasn-country-mmdb",
                            "iptoasn-country.mmdb")
    if not os.path.exists(database):
        raise testing.Skip("npm did not bring the database of addresses")
    plugins = os.path.join(process.ROOT, os.environ.get("BUILD", "build/gcc"), "plugins")
    lists = os.path.join(process.ROOT, "config", "lists")
    with World(kafka()) as world:
        edit_option(world, "plugins", [
            {"name": "geo", "path": os.path.join(plugins, "enrich_geo.so"), "settings": {"database": database}},
            {"name": "mailbox", "path": os.path.join(plugins, "cleanse_disposable.so"),
             "settings": {"disposable_domains": os.path.join(lists, "disposable.txt"), "role_names": os.path.join(lists, "roles.txt")}}])
        edit(rules_file(world), "routes:\n", "routes:\n"
             "  - {name: throw-away, when: 'facts[\"mailbox.disposable\"] == true', team: world}\n"
             "  - {name: by-address, when: 'facts[\"geo.country\"] == \"US\"', team: apac}\n")
        world.start()
        world.send([lead(1, contact={"email": "x@mailinator.com"}), lead(2, location={"ip": "1.1.1.1"}),
                    lead(3, location={"ip": "193.99.144.80"}), lead(4)])
        world.wait_drained()
        found = {r.key.decode(): json.loads(r.value) for r in world.read(contract.ASSIGNMENTS)}
        equal({k: v["team"] for k, v in found.items()}, {"L1": "world", "L2": "apac", "L3": "emea", "L4": "emea"}, "teams")
        trace = json.dumps(found["L3"])
        check('"geo.country": "DE"' in trace and '"filled"' in trace and "location.country" in trace, "trace: " + trace)
        check('"mailbox.role": false' in json.dumps(found["L4"]), "facts are told")
        equal(world.metric('leadrouter_plugin_answers_total{plugin="geo",result="answered"}'), 4.0, "answers counted")
        file = os.path.join(world.config, "lead.json")
        with open(file, "wb") as f:
            f.write(lead(5, location={"ip": "1.1.1.1"}))
        code, out, err = world.ctl("explain", file, "-c", world.config)
        check(code == 0 and "geo.country = US" in out and "yes     by-address" in out, "explain asks plug-ins: %s%s" % (out, err))
        equal(world.daemon.stop(), 0, "exit code")


testing.main(globals())
