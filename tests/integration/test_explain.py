#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# rig: own-broker
"""leadctl explain LEAD-ID, of leads that a daemon has routed: what the rules saw, any route's why not, every change of owner in a
sentence, all clocks; by rules that have changed since, and when the captured record is not kept any more."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import broker, contract, testing  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.world import World, lead  # noqa: E402

CALENDAR = """
calendars:
  office: {zone: Europe/Berlin, week: {mon-fri: ["09:00-17:00"]}}
followup:
  clocks:
    - {clock: cadence, every: 3bd, calendar: office, remind_before: 1bd}
    - {clock: total_age, after: 30d}
"""

_kafka = []


def kafka():
    if not _kafka:
        _kafka.append(broker.Kafka.started())
    return _kafka[0]


def edit(world, old, new):
    path = os.path.join(world.config, "conf.d", "rules.yaml")
    with open(path) as f:
        text = f.read()
    check(old in text, "%r is in %s" % (old, path))
    with open(path, "w") as f:
        f.write(text.replace(old, new))


def act(world, *activities):
    world.send([json.dumps(a).encode() for a in activities], topic=contract.ACTIVITY)
    world.wait_drained()


def explain(world, *arguments, wanted=0):
    code, out, err = world.ctl("explain", *arguments, "-c", world.config)
    equal(code, wanted, "leadctl explain %s: %s%s" % (" ".join(arguments), out, err))
    return out if wanted == 0 else err


def has(text, *parts):
    for part in parts:
        check(part in text, "%r is not in\n%s" % (part, text))


def test_values_and_why_not():
    """Clauses with what they saw, also of routes behind the one that took it, out of the captured record."""
    with World(kafka()) as world:
        world.start()
        asian = lead(2, location={"country": "CN"}, intent="potential", company={"employees": 300})
        world.send([lead(1), asian, lead(3, contact={"email": "person1@customer.example"}), lead(4, contact={"name": "x"}),
                    lead(5, requested_owner="dora"), lead(6, requested_owner="emil"), asian])
        world.wait_drained()
        has(explain(world, "L2"), "L2 went to chen because route asia matched (lead.location.country in ['CN', 'JP', 'IN']), and chen was next",
            "lead.intent == 'high' [lead.intent = \"potential\"]", "yes     +20 large",
            "no      europe (conf.d/rules.yaml:35): lead.location.country in ['DE', 'FR', 'GB'] [lead.location.country = \"CN\"]",
            "1 behind it not reached", "Keys      lead id L2: not known", "Turn      chen 0/3 chosen, dora 0/1 turn comes later",
            "/0/1, decided again by the same rules: it comes out the same", "Lead L2 is L2 again (same lead id)", "\nNow       assigned, owner chen")
        has(explain(world, "L1", "--why-not", "rest"), "comes first and took it; by itself route \"rest\" (conf.d/rules.yaml:37) would match.")
        has(explain(world, "L1", "--why-not", "asia"), "does not match: lead.location.country in ['CN', 'JP', 'IN'] [lead.location.country = \"DE\"].")
        has(explain(world, "L3", "--why-not", "asia"), "L3: no route was tried, because it is L1 again (same email).")
        has(explain(world, "L4", "--why-not", "asia"), "L4: no route was tried, because it was rejected: LR114[no_contact]")
        has(explain(world, "L5", "--why-not", "asia"), "because the customer asked for dora; by itself route \"asia\"")
        has(explain(world, "L1", "--why-not", "asja", wanted=2), "there is no route `asja`; did you mean `asia`?")
        has(explain(world, "L3", "--short"), "Lead L3 is L1 again (same email), which belongs to ben (team emea).")
        has(explain(world, "L4", "--short"), "L4 was rejected: LR114[no_contact] contact: neither e-mail nor phone nor wechat is given")
        has(explain(world, "L6"), "Owner     the customer asked for emil: not active", "it comes out the same")
        told = json.loads(explain(world, "L1", "--json"))
        equal([r["result"] for r in told["routes"]], ["yes", "no", "yes"], "routes")
        equal([told["again"]["same_rules"], told["again"]["differs"], told["record"]["offset"]], [True, [], 0], "decided again")
        equal([told["outcome"], told["route_taken"], told["routes_tried"]], ["assigned", "europe", 1], "the way")
        for form in ([], ["--json"], ["--why-not", "rest"], ["--short"], ["--timeline"]):
            check("person1@" not in explain(world, "L1", *form), "contact data is masked")
        check("person1@" in explain(world, "L1", "--unmasked"), "unless it is asked for")
        explain(world, "L99", wanted=1)
        equal(world.daemon.stop(), 0, "exit code")


def test_every_change_of_owner_in_a_sentence():
    with World(kafka(), options={"events.mode": "structured", "events.type_prefix": "com.example."}) as world:
        edit(world, "{rep: chen, weight: 3}, dora]", "{rep: chen, weight: 3}, dora], nobody: [wait]")
        world.start()
        act(world, {"type": "rep.availability", "rep": "chen", "status": "away"}, {"type": "rep.availability", "rep": "dora", "status": "away"})
        world.send([lead(1), lead(2), lead(3, location={"country": "CN"}), lead(4)])
        world.wait_drained()
        has(explain(world, "L3", "--short"), "L3 waits for team apac: ")
        has(explain(world, "L3"), "Nobody    in team apac: chen away, dora away", "it comes out the same")
        has(explain(world, "L3", "--why-not", "rest"), "by itself route \"rest\"")
        act(world, {"type": "rep.availability", "rep": "dora", "status": "available"})
        has(explain(world, "L3", "--short"), "L3 went to dora because it had waited for team apac and it was the turn of dora.")
        has(explain(world, "L3", "--short", "--first"), "L3 waits for team apac: ")
        act(world, {"type": "activity.reassign", "lead_id": "L1", "to": "ana", "actor": "boss", "reason": "knows them"})
        equal(explain(world, "L1", "--short"), "L1 went to ana because boss ordered it (\"knows them\").\n", "reassigned")
        has(explain(world, "L1", "--short", "--first"), "L1 went to ben because route europe matched (", "ben was next in team emea")
        has(explain(world, "L1"), "because boss ordered it", "\nFirst of all, L1 went to ben because route europe matched")
        act(world, {"type": "activity.release", "lead_id": "L4", "reason": "too far"})
        has(explain(world, "L4", "--short"), "L4 belongs to nobody because ben gave it up (\"too far\").")
        act(world, {"type": "activity.claim", "lead_id": "L4", "actor": "ana"})
        equal(explain(world, "L4", "--short"), "L4 went to ana because ana claimed it while it was free.\n", "claimed")
        act(world, {"type": "activity.decline", "lead_id": "L2", "actor": "ana"})
        has(explain(world, "L2", "--short", "--json"), '"sentence":"L2 went to ben because ana declined it and it was the turn of ben in team emea."')
        act(world, {"type": "activity.merge", "lead_id": "L4", "other": "L2", "actor": "boss"})
        has(explain(world, "L4", "--short"), "Lead L4 went into L2 (")
        equal(world.daemon.stop(), 0, "exit code")


def test_all_clocks():
    with World(kafka()) as world:
        with open(os.path.join(world.config, "conf.d", "clocks.yaml"), "w") as f:
            f.write(CALENDAR)
        world.start()
        world.send([lead(1)])
        world.wait_drained()
        text = explain(world, "L1", "--timeline")
        has(text, "Lead L1:\n", "Clock     first response", "Clock     cadence, 3bd (conf.d/clocks.yaml:6), by calendar office, times of Europe/Berlin",
            "Clock     total age, 30d (conf.d/clocks.yaml:7), all time counts", "          counts    ", "          skipped   ", "          reminder  ", "          due       ")
        act(world, {"type": "activity.touch", "lead_id": "L1", "method": "call", "outcome": "reached"})
        clocks = {c["clock"]: c for c in json.loads(explain(world, "L1", "--json"))["clocks"]}
        equal(sorted(clocks), ["cadence", "first_response", "total_age"], "clocks")
        check("stopped" in clocks["first_response"] and "stopped" not in clocks["cadence"], "answered: %s" % clocks)
        counted = [p for p in clocks["cadence"]["pieces"] if p["counts"]]
        check(counted and len(counted) < len(clocks["cadence"]["pieces"]), "counted and skipped: %s" % clocks["cadence"])
        # nobody answers: what the event says of the first response
        equal(world.daemon.stop(), 0, "exit code")
        has(explain(world, "L1", "--timeline"), "Clock     first response", "          due       ")


def test_rules_that_have_changed():
    with World(kafka()) as world:
        world.start()
        world.send([lead(1), lead(2, location={"country": "FR"})])
        world.wait_drained()
        edit(world, "['DE', 'FR', 'GB']", "['FR', 'GB']")
        edit(world, "  - {name: asia,", "  - {name: new, when: \"lead.location.country == 'DE' && score > 100\", team: world}\n  - {name: asia,")
        equal(world.daemon.reload(), "configuration reloaded", "status")
        text = explain(world, "L1")
        has(text, "decided by other rules than those of now; what the event says is what happened", "L1 went to ben because route europe matched, and",
            "The rules have changed since. By those of now", "it would come out differently:", "route: europe -> rest", "team: emea -> world",
            "whose turn it was there is not known",
            "no      europe (conf.d/rules.yaml:35): lead.location.country in ['FR', 'GB'] [lead.location.country = \"DE\"]",
            "no      new (conf.d/rules.yaml:36): score > 100 [score = 50]")
        has(explain(world, "L1", "--why-not", "new"), "the event says nothing about route \"new\". The rules have changed since; by those of now, "
            "route \"new\" (conf.d/rules.yaml:36) does not match: score > 100 [score = 50].")
        has(explain(world, "L1", "--why-not", "europe"), "did take it. The rules have changed since; by those of now, route \"europe\"")
        has(explain(world, "L2"), "it would come out the same:")
        told = json.loads(explain(world, "L1", "--json"))
        equal([told["route_taken"], told["again"]["story"]["route_taken"]], ["europe", "rest"], "both outcomes")
        equal({d["what"]: (d["then"], d["now"]) for d in told["again"]["differs"]},
              {"route": ("europe", "rest"), "team": ("emea", "world")}, "differences")
        equal(world.daemon.stop(), 0, "exit code")


def test_a_record_that_is_gone():
    with World(kafka()) as world:
        world.start()
        world.send([lead(1), lead(2, location={"country": "CN"}), lead(3)])
        world.wait_drained()
        kafka().delete_records(world.topic(contract.CAPTURED), 2)
        has(explain(world, "L2"), "it is not kept any more (the topic begins at offset 2 now); told from the event alone, without values",
            "L2 went to chen because route asia matched, and chen was next in team apac", "no      europe (conf.d/rules.yaml:35): lead.location.country in",
            "+40 wants it")
        has(explain(world, "L2", "--why-not", "europe"), "L2: route \"europe\" (conf.d/rules.yaml:35) does not match: lead.location.country in")
        has(explain(world, "L2", "--why-not", "rest", wanted=1), "the event says nothing about route `rest`, and its record cannot be decided again: "
            "it is not kept any more")
        has(explain(world, "L3"), "it comes out the same")
        told = json.loads(explain(world, "L2", "--json"))
        check("again" not in told and "not kept" in told["record"]["missing"], "record: %s" % told["record"])
        equal(world.daemon.stop(), 0, "exit code")


testing.main(globals())
