#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verifier follows what becomes of a lead, and is not blind there either: stories of a few leads by hand, clean as they
are; one thing is changed at a time, and each is seen as what it is."""

import copy
import datetime
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from rig import contract as c, generate, mixed, testing, verify  # noqa: E402
from rig.testing import check, equal  # noqa: E402
from rig.verify import Record  # noqa: E402

START_MS = 1790000000000
LIMITS = {"emea": {"ann": 1, "bob": 1}}


def iso(seconds):
    at = datetime.datetime.fromtimestamp(START_MS / 1000 + seconds, datetime.timezone.utc)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Run:
    """Inputs, events by a name of their own, and what leads.state holds at the end. Times are seconds."""

    def __init__(self):
        self.inputs, self.events, self.state = [], {}, {}

    def capture(self, person, lead, keys=("email", "phone")):
        value = {"lead_id": lead, "contact": {k: "x" for k in keys}, "attributes": {"person": person}}
        return self._input(c.CAPTURED, "lead.captured", value)

    def act(self, kind, lead, **members):
        return self._input(c.ACTIVITY, kind, dict(members, **{"rep" if kind.startswith("rep.") else "lead_id": lead}))

    def _input(self, topic, kind, value):
        offset = sum(r.topic == topic for r in self.inputs)
        self.inputs.append(Record(topic, 0, offset, START_MS, b"k", json.dumps(value).encode(), [(c.TYPE, kind.encode())]))
        return c.cause_of_input(topic, 0, offset)

    def tell(self, name, topic, kind, lead, cause, at, **value):
        self.events[name] = [topic, kind, lead, cause, at, value]

    def given(self, name, lead, cause, at, version, owner="ann", reason="first", **value):
        self.tell(name, c.ASSIGNMENTS, "lead.assigned", lead, cause, at, owner=owner, reason=reason, ownership_version=version, **value)

    def status(self, name, lead, cause, at, status, **value):
        self.tell(name, c.LIFECYCLE, "lead.status", lead, cause, at, status=status, **value)

    def reject(self, name, cause, at, code):
        self.tell(name, c.REJECTED, c.REJECT, None, cause, at, code=code)

    def judge(self):
        verifier = verify.Verifier(now_ms=START_MS + 3600000, limits=LIMITS)
        for record in self.inputs:
            verifier.add_input(record)
        offsets = {}
        for name, (topic, kind, lead, cause, at, value) in self.events.items():
            offsets[topic] = offsets.get(topic, -1) + 1
            verifier.add_output(self._record(name, topic, offsets[topic], kind, lead, cause, at, value))
        for seq, (key, value) in enumerate(self.state.items()):
            headers = [(c.STATE_SEQ, b"%d" % (seq + 1)), (c.STATE_HASH, b"h")]
            verifier.add_state(Record(c.STATE, 0, seq, START_MS, key.encode(), json.dumps(value).encode(), headers))
        return verifier.finish()

    def _record(self, name, topic, offset, kind, lead, cause, at, value):
        if topic == c.REJECTED:
            original = next(r for r in self.inputs if c.cause_of_input(r.topic, r.partition, r.offset) == cause)
            added = dict(zip(c.ERROR_ORIGIN, cause.split("/")), **{c.ERROR_CODE: value["code"], c.ERROR_NUMBER: "LR1", c.CAUSE: cause})
            return Record(topic, 0, offset, START_MS + 1000 * at, original.key, original.value,
                          original.headers + [(k, v.encode()) for k, v in added.items()])
        headers = {c.ID: name, c.TYPE: kind, "ce_source": "/toy", c.TIME: iso(at), c.SUBJECT: lead, "ce_specversion": "1.0", c.CAUSE: cause}
        return Record(topic, 0, offset, 0, lead.encode(), json.dumps(dict(value, lead_id=lead)).encode(),
                      [(k, v.encode()) for k, v in headers.items()])


def orders():
    """A lead goes from hand to hand: waited for, touched, ordered, disputed, put off, and its first response runs out."""
    run = Run()
    run.tell("wait", c.ASSIGNMENTS, "lead.unassigned", "L1", run.capture("1", "L1"), 0, reason="waiting")
    run.given("other", "L0", run.capture("0", "L0"), 1, 1, deadline=iso(5))
    erase = run.act("activity.erase", "L0")
    run.tell("erased", c.LIFECYCLE, "lead.erased", "L0", erase, 2)
    run.given("waited", "L1", erase, 2, 1, reason="waited", deadline=iso(12))
    run.status("touch", "L1", run.act("activity.touch", "L1"), 3, "in_progress", method="call")
    run.given("order", "L1", run.act("activity.reassign", "L1"), 4, 2, owner="bob", reason="manual", previous_owner="ann", deadline=iso(14))
    run.tell("stale", c.LIFECYCLE, c.CONFLICT, "L1", run.act("activity.reassign", "L1", expected_version=1), 5)
    run.tell("claim", c.LIFECYCLE, "lead.dispute", "L1", run.act("activity.claim", "L1"), 6, step="opened", until=iso(8))
    run.tell("verdict", c.LIFECYCLE, "lead.dispute", "L1", "timer:L1:dispute:8", 8, step="decided")
    run.tell("overdue", c.FOLLOWUPS, c.OVERDUE, "L1", "timer:L1:first_response:2", 14,
             timer="first_response", cycle=2, level="breach", deadline=iso(14))
    run.status("later", "L1", run.act("activity.nurture", "L1"), 20, "nurture", wakes_at=iso(30))
    run.tell("awake", c.FOLLOWUPS, "followup.reminder", "L1", "timer:L1:nurture:wake:1", 30, due_at=iso(30))
    run.tell("presence", c.LIFECYCLE, "rep.presence", "ann", run.act("rep.availability", "ann"), 31)
    run.state = {"lead/L1": {"ver": 2, "state": "nurture", "owner": "bob"}}
    return run


def people():
    """One person: closed, back again, erased, back again under another id; two who were merged and split."""
    run = Run()
    run.given("first", "P", run.capture("1", "P"), 0, 1)
    run.tell("sold", c.LIFECYCLE, "lead.converted", "P", run.act("activity.convert", "P"), 1, status="converted")
    run.given("again", "P-2", run.capture("1", "P-2"), 2, 1, owner="bob")
    run.tell("same", c.LIFECYCLE, "lead.duplicate", "P-3", run.capture("1", "P-3", ("phone",)), 3, first_lead_id="P-2")
    run.tell("gone", c.LIFECYCLE, "lead.erased", "P-2", run.act("activity.erase", "P-2"), 4)
    run.given("once more", "P-4", run.capture("1", "P-4"), 5, 1)
    run.reject("refused", run.capture("1", "P-2"), 6, c.LEAD_ERASED)
    run.given("second", "Q", run.capture("2", "Q"), 7, 1, owner="bob")
    merge = run.act("activity.merge", "P-4", other="Q")
    run.tell("lost", c.ASSIGNMENTS, "lead.unassigned", "Q", merge, 8, reason="merged", previous_owner="bob", ownership_version=2)
    run.tell("merged", c.LIFECYCLE, "lead.merged", "Q", merge, 8, into="P-4")
    run.tell("one", c.LIFECYCLE, "lead.duplicate", "Q-2", run.capture("2", "Q-2"), 9, first_lead_id="P-4")
    split = run.act("activity.split", "P-4", other="Q")
    run.tell("split", c.LIFECYCLE, "lead.split", "Q", split, 10, into="P-4")
    run.given("back", "Q", split, 10, 3, owner="bob", reason="split")
    run.tell("two", c.LIFECYCLE, "lead.duplicate", "Q-3", run.capture("2", "Q-3"), 11, first_lead_id="Q")
    run.tell("nobody", c.ASSIGNMENTS, "lead.unassigned", "R", run.capture("3", "R"), 12, reason="held")
    run.status("barred", "R", run.act("activity.disqualify", "R"), 13, "invalid", reason="do_not_contact")
    run.status("looked at", "R", run.act("activity.status", "R"), 14, "unassigned")
    run.tell("nor now", c.ASSIGNMENTS, "lead.unassigned", "R-2", run.capture("3", "R-2"), 15, reason="do_not_contact")
    run.state = {"lead/P": {"ver": 1, "state": "converted", "owner": "ann"}, "lead/P-4": {"ver": 1, "state": "assigned", "owner": "ann"},
                 "lead/Q": {"ver": 3, "state": "assigned", "owner": "bob"}}
    return run


def queue():
    """Both reps of emea have what they may have in hand, and a third lead waits."""
    run = Run()
    for number, owner in enumerate(("ann", "bob")):
        lead = "W%d" % number
        run.given(lead, lead, run.capture(lead, lead), number, 1, owner=owner)
        run.state["lead/" + lead] = {"ver": 1, "state": "assigned", "owner": owner, "team": "emea"}
    run.tell("wait", c.ASSIGNMENTS, "lead.unassigned", "W2", run.capture("W2", "W2"), 2, reason="waiting")
    run.state["lead/W2"] = {"ver": 0, "state": "waiting", "team": "emea"}
    run.state["mem/wait/W2"] = {"due": 0}
    return run


def caught(story, change, **wanted):
    run = story()
    change(run)
    report = run.judge()
    counts = {k: v for k, v in report.counts.items() if v}
    wanted = {k.replace("_", "-" if k == "double_owned" else " "): v for k, v in wanted.items()}
    check(counts == wanted, "%r instead of %r\n%s" % (counts, wanted, report.text()))


def drop(*names):
    return lambda run: [run.events.pop(name) for name in names]


def alter(name, **value):
    return lambda run: run.events[name][5].update(value)


def at(name, seconds):
    return lambda run: run.events[name].__setitem__(4, seconds)


def test_right_stories_are_clean():
    for story in (orders, people, queue):
        caught(story, lambda run: None)


def test_activity_without_an_answer_is_lost():
    for name in ("touch", "order", "stale", "later", "presence"):
        run = orders()
        run.events.pop(name)
        check(run.judge().counts["lost"] >= 1, name)
    caught(people, drop("refused"), lost=1)


def test_second_answer_of_an_activity_is_a_duplicate():
    def change(run):
        run.tell("twice", c.LIFECYCLE, "lead.status", "L1", run.events["later"][3], 20, status="nurture")
    caught(orders, change, duplicate=1)

    def refused(run):
        run.reject("no", run.events["presence"][3], 31, "unknown_rep")
    caught(orders, refused, duplicate=1)


def test_wrong_answers_are_unexpected():
    caught(orders, lambda run: run.events["presence"].__setitem__(1, "lead.feedback"), unexpected=1)
    caught(orders, lambda run: run.events["stale"].__setitem__(2, "L9"), unexpected=1)

    def code(run):
        run.events.pop("presence")
        run.reject("no", "%s/0/%d" % (c.ACTIVITY, len([r for r in run.inputs if r.topic == c.ACTIVITY]) - 1), 31, "bad_json")
    caught(orders, code, unexpected=1)


def test_owner_that_was_not_his_is_seen():
    caught(orders, alter("order", previous_owner="fay"), double_owned=1)
    caught(orders, alter("order", previous_owner=None), double_owned=1)
    caught(people, alter("lost", previous_owner="ann"), double_owned=1)


def test_version_that_was_there_before_is_seen():
    def change(run):
        run.events["order"][5]["ownership_version"] = 1
        run.state["lead/L1"]["ver"] = 1
    caught(orders, change, double_owned=1)


def test_who_did_not_wait_is_not_given_what_waited():
    caught(orders, alter("wait", reason="fallback_queue"), unexpected=1)


def test_events_after_an_erasure_are_unexpected():
    def change(run):
        run.tell("late", c.FOLLOWUPS, c.OVERDUE, "L0", "timer:L0:first_response:1", 6,
                 timer="first_response", cycle=1, level="breach", deadline=iso(5))
    caught(orders, change, unexpected=1, early=1)

    def twice(run):
        run.tell("second", c.LIFECYCLE, "lead.erased", "L0", run.act("activity.erase", "L0"), 2)
    caught(orders, twice, duplicate=1)


def test_first_response_of_a_later_owner_is_followed():
    caught(orders, drop("overdue", "later", "awake"), lost=2)  # the answer to the order to put it off, too
    caught(orders, alter("overdue", deadline=iso(13)), unexpected=1)

    def touched(run):
        run.status("acted", "L1", run.act("activity.touch", "L1"), 9, "in_progress", method="call")
    caught(orders, touched, early=1)

    def called_by_another(run):
        run.status("acted", "L1", run.act("activity.touch", "L1"), 9, "in_progress", method="call", outsider=True)
    caught(orders, called_by_another)


def test_deadline_that_moves_after_it_was_told_is_told_once():
    def moved(run):
        run.tell("moved", c.FOLLOWUPS, "followup.rescheduled", "L1", "walk:plan:L1", 16, timer="first_response", cycle=2,
                 old_deadline=iso(14), deadline=iso(18))
    caught(orders, moved)

    def untold(run):
        moved(run)
        drop("overdue", "later", "awake")(run)
    caught(orders, untold, lost=2)


def test_closed_lead_is_not_overdue():
    def change(run):
        run.tell("late", c.FOLLOWUPS, c.OVERDUE, "P", "timer:P:cadence:1", 2, timer="cadence", cycle=1, level="breach", deadline=iso(2))
    caught(people, change, early=1)


def test_reminder_of_a_date_is_neither_early_nor_lost():
    caught(orders, drop("awake"), lost=1)
    caught(orders, at("awake", 29), early=1)


def test_dispute_ends_once_and_not_before_its_time():
    caught(orders, drop("verdict"), lost=1)
    caught(orders, at("verdict", 7), early=1)

    def second(run):
        run.tell("verdict", c.LIFECYCLE, "lead.dispute", "L1", "timer:L1:x:1", 8, step="opened", until=iso(9))
        run.tell("end", c.LIFECYCLE, "lead.dispute", "L1", "timer:L1:dispute:9", 9, step="decided")
    caught(orders, second, duplicate=1)


def test_second_lead_of_a_person_is_seen():
    caught(people, at("sold", 2.5), double_owned=1)
    caught(people, at("gone", 5.5), double_owned=1)
    caught(people, alter("two", first_lead_id="P"), double_owned=1)
    caught(people, alter("barred", reason="no_need"), double_owned=1)
    caught(people, alter("nor now", reason="held"), double_owned=1)


def test_good_lead_refused_as_erased_is_unexpected_unless_it_was():
    caught(people, at("refused", 3), unexpected=1)
    caught(people, alter("refused", code="bad_json"), unexpected=1)


def test_merged_lead_that_keeps_its_owner_is_seen():
    caught(people, drop("lost"), double_owned=2)  # the version that is missing, and whoever had it when it came back


def test_merged_lead_that_leads_nowhere_is_seen():
    caught(people, lambda run: run.state.__setitem__("lead/X", {"state": "merged", "into": "P-2"}), lost=1)
    caught(people, lambda run: run.state.__setitem__("lead/X", {"state": "merged", "into": "P"}))


def test_lost_and_idle_waiters_are_seen():
    caught(queue, lambda run: run.state.pop("mem/wait/W2"), lost=1)
    caught(queue, lambda run: run.state["lead/W2"].update(state="unassigned"), lost=1, view_differences=1)
    caught(queue, lambda run: run.state["lead/W0"].update(state="nurture"), lost=1)  # ann has a place
    caught(queue, lambda run: (run.state["lead/W0"].update(state="nurture"), run.state["lead/W2"].update(tried=["ann"])))


def test_the_mix_is_seeded_and_has_everything():
    def records(seed):
        return [generate.line(r) for r in generate.Generator(1500, seed=seed, tenants=3, touches=0.3, mix=0.5).records()]
    one = records(1)
    equal(one == records(1), True, "the same seed, the same records")
    check(one != records(2), "another seed, other records")
    found = {kind for kind in c.ANSWERS if any('["ce_type", "%s"]' % kind in line for line in one)}
    equal(found, set(c.ANSWERS), "types of activity in the mix")
    without = [generate.line(r) for r in generate.Generator(1500, seed=1, tenants=3, touches=0.3).records()]
    leads = [[line for line in lines if "leads.captured" in line] for lines in (one, without)]
    equal(leads[0], leads[1], "leads beside the mix")
    check(mixed.rules(6000, 12, 4) != mixed.rules(20000, 12, 4), "limits grow with the load")


testing.main(globals())
