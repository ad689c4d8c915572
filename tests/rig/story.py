# SPDX-License-Identifier: Apache-2.0
"""What became of each lead, as the events tell it: for the rules of the contract that need more than one event.

The verifier hands over every event once; judge() then goes through each lead's story and tells the report what is wrong.
Topics are read one beside the other. Owners change in one topic only and are in order; between topics the time of the
event counts, and of the same millisecond nothing is concluded.
"""

import collections
import json

from rig import contract as c

GRACE_MS = 15000  # what is due may be told so late before it counts as lost

Event = collections.namedtuple("Event", "at topic kind value place")

# Events that go on with a promise: the state says whether it has been moved or dropped.
TIMED = ("nurture", "shelved", "opportunity", "deferred", "pending", "held")
# Too long for a line, or on every one of them.
NOT_SHOWN = ("text", "lead_id", "tenant")
# They say something about a lead and leave it as it is.
REMARKS = ("lead.duplicate", "lead.graded", "lead.feedback", "lead.issue", "lead.complaint", "lead.help_requested",
           "lead.dispute", "claim.rejected", c.CONFLICT)


# Once a lead is in one of these nobody waits for the first response any more.
AWAY = ("nurture", "shelved", "opportunity", "deferred") + c.CLOSED


class Tale:
    """One lead: `owners` in the order of the topic of assignments, `events` all of them by time."""

    def __init__(self):
        self.owners, self.events, self.moves = [], [], []
        self.erased_at = None

    def close(self):
        self.events.sort(key=lambda e: e.at)
        self.moves = [e for e in self.events if status_of(e) or e.kind in ("lead.merged", "lead.split", "lead.erased")]


def status_of(event):
    """The state of the lead behind this event; None when the event does not tell."""
    if event.kind == "lead.assigned":  # a dispute may end when the lead is closed, and leaves it so
        return None if event.value.get("reason") == "dispute" else "assigned"
    if event.kind == "lead.unassigned":
        return event.value.get("status") or {"waiting": "waiting", "held": "held", "pending": "pending"}.get(
            event.value.get("reason"), "unassigned")
    if event.kind in ("lead.status", "lead.converted"):
        return event.value.get("status")
    return None


def ends_clock(event):
    """An act of the owner, as only a touch is one, or the end of the work on it. That the lead is in progress is no act:
    somebody may have said so, and an outsider have called."""
    status = status_of(event)
    is_touch = event.kind == "lead.status" and event.value.get("method") and not event.value.get("outsider")
    is_act = is_touch and status not in c.NOT_TAKEN_UP
    return bool(is_act) or status in AWAY or status is None


def told_of(tale):
    """All that was told of a lead, a line each: what is seen once in a million leads is explained by what is kept of it."""
    return "".join("\n    %d %s %s %s" % (e.at, e.kind, e.place, json.dumps(
        {k: v for k, v in e.value.items() if k not in NOT_SHOWN and isinstance(v, (str, int))})) for e in tale.events)


class Story:
    def __init__(self, report, now_ms, moment_ms):
        self.report, self.now_ms, self.moment_ms = report, now_ms, moment_ms
        self.tales = collections.defaultdict(Tale)

    def add(self, subject, event):
        if event.kind.startswith("rep."):
            return
        tale = self.tales[subject]
        tale.events.append(event)
        if event.topic == c.ASSIGNMENTS:
            tale.owners.append(event)
        if event.kind == "lead.erased":
            if tale.erased_at is not None:
                self.report.found("duplicate", "%s: %s was erased before" % (event.place, subject))
            tale.erased_at = event.at

    def judge(self):
        for tale in self.tales.values():
            tale.close()
        for lead_id, tale in self.tales.items():
            self._owners(lead_id, tale)
            self._after_the_end(lead_id, tale)
            self._first_response(lead_id, tale)
            self._closed(lead_id, tale)
            self._promises(lead_id, tale)
            self._disputes(lead_id, tale)

    # --- one owner

    def _owners(self, lead_id, tale):
        """Whoever gets a lead that somebody has takes it from him, by name; only who waits has waited."""
        owner, waits = None, False
        for event in tale.owners:
            reason, previous = event.value.get("reason"), event.value.get("previous_owner")
            if previous != owner and (previous is not None or event.kind == "lead.assigned"):
                self.report.found("double-owned", "%s: %s was taken from %s and belonged to %s" % (event.place, lead_id, previous, owner))
            if reason == "waited" and not waits:
                self.report.found("unexpected", "%s: %s did not wait" % (event.place, lead_id))
            owner = event.value.get("owner") if event.kind == "lead.assigned" else None
            waits = status_of(event) == "waiting"

    def _after_the_end(self, lead_id, tale):
        """Nothing happens to a lead that was erased, not even its clock."""
        if tale.erased_at is None:
            return
        for event in tale.events:
            if event.at > tale.erased_at:
                self.report.found("unexpected", "%s: %s after %s was erased" % (event.place, event.kind, lead_id))

    # --- clocks

    def _first_response(self, lead_id, tale):
        """The deadlines that assignments announce, and what was told of them."""
        about = [e for e in tale.events if e.topic == c.FOLLOWUPS and e.value.get("timer") == "first_response"]
        told = {self.moment_ms(e.value.get("deadline")): e for e in about if e.kind == c.OVERDUE}
        moved = [e for e in about if e.kind == "followup.rescheduled"]
        owners = tale.owners
        announced = {self.moment_ms(e.value.get("deadline")) for e in owners + moved}
        for deadline, event in told.items():
            if deadline not in announced:
                self.report.found("unexpected", "%s: nobody told of the deadline of %s" % (event.place, lead_id))
        for event, following in zip(owners, owners[1:] + [None]):
            end = following.at if following else self.now_ms
            moves = [e for e in moved if e.at >= event.at]
            deadline = self.moment_ms((moves or [event])[-1].value.get("deadline"))
            # who was told of a deadline is not told again when it moves afterwards
            before = [e for e in told.values() if event.at <= e.at < end] if moves else []
            if event.kind == "lead.assigned" and deadline:
                self._period(lead_id, tale, event, deadline, end, told.get(deadline) or (before or [None])[-1])

    def _closed(self, lead_id, tale):
        """Nothing is overdue of a lead that was closed."""
        for event in tale.events:
            before = [e for e in tale.moves if e.at < event.at and status_of(e)] if event.kind == c.OVERDUE else []
            if before and all(status_of(e) in c.CLOSED for e in before if e.at == before[-1].at):
                self.report.found("early", "%s: %s is overdue and was closed" % (event.place, lead_id))

    def _period(self, lead_id, tale, event, deadline, end, overdue):
        """From one owner to the next."""
        known = [e for e in tale.moves if event.at <= e.at < end and e.topic == c.LIFECYCLE]
        if overdue is None:
            # what came first after an outage, another owner or the act that was waited for, wins over what was due meanwhile
            if end == self.now_ms and deadline + GRACE_MS < end and not any(ends_clock(e) for e in known):
                self.report.found("lost", "%s: %s was due at %d and nobody was told" % (event.place, lead_id, deadline))
        elif any(event.at < e.at < min(overdue.at, deadline) and ends_clock(e) for e in known):
            self.report.found("early", "%s: %s is overdue although it was taken up%s" % (overdue.place, lead_id, told_of(tale)))

    def _promises(self, lead_id, tale):
        """A state that ends at a time: something happens then, unless something happened before."""
        for event in tale.events:
            due = self.moment_ms(event.value.get("due_at"))
            if due and event.at < due:
                self.report.found("early", "%s: %s was to be told %d ms later" % (event.place, lead_id, due - event.at))
            wakes = self.moment_ms(event.value.get("wakes_at") or event.value.get("until"))
            if not wakes or status_of(event) not in TIMED or event.value.get("repeated"):
                continue
            # what is told of it has the time at which it was seen to be due: a moment before that of the decision
            told = any(self.moment_ms(e.value.get("due_at")) == wakes for e in tale.events)
            if not told and max(wakes, event.at) + GRACE_MS < self.now_ms and not any(
                    e.at >= event.at and e is not event and e.kind not in REMARKS for e in tale.events):
                self.report.found("lost", "%s: %s was to be looked at by %d and never was" % (event.place, lead_id, wakes))

    def _disputes(self, lead_id, tale):
        """One at a time; it is decided when its time is over, or closed by an order."""
        disputes, since = [e for e in tale.events if e.kind == "lead.dispute"], None
        for event in disputes:
            step = event.value.get("step")
            if step == "opened":
                if since is not None and since.at < event.at:
                    self.report.found("duplicate", "%s: %s is disputed already" % (event.place, lead_id))
                since = event
            elif step in ("decided", "undecided", "closed"):
                if step != "closed" and since is not None and event.at < self.moment_ms(since.value.get("until")):
                    self.report.found("early", "%s: the dispute about %s was decided too soon" % (event.place, lead_id))
                since = None
        gone = tale.erased_at is not None
        if since is not None and not gone and self.moment_ms(since.value.get("until")) + GRACE_MS < self.now_ms:
            self.report.found("lost", "%s: the dispute about %s never ended" % (since.place, lead_id))

    # --- what a lead was at a time

    def home(self, lead_id, at):
        """The lead that it lived on in at this time."""
        seen = set()
        while lead_id not in seen:
            seen.add(lead_id)
            into = None
            for event in self.tales[lead_id].moves if lead_id in self.tales else ():
                if event.at <= at and event.kind == "lead.merged" and not event.value.get("repeated"):
                    into = event.value.get("into")
                elif event.at < at and event.kind == "lead.split":
                    into = None
            if into is None:
                return lead_id
            lead_id = into
        return lead_id

    def may_be_gone(self, lead_id, at):
        """Whether it may have been closed or erased at this time, itself or what it was merged into. One that was split off
        a closed lead does not get its person's keys back."""
        tale = self.tales.get(self.home(lead_id, at))
        if tale is None:
            return False
        if (tale.erased_at is not None and tale.erased_at <= at) or any(
                e.kind == "lead.split" and e.at <= at and self.may_be_gone(e.value.get("into"), e.at) for e in tale.moves):
            return True
        closed, ended_at = False, None
        for event in tale.moves:
            if status_of(event) in c.CLOSED and event.at <= at:
                closed, ended_at = True, event.at
            elif status_of(event) and event.at < at and event.at != ended_at:
                closed = False
        return closed

    def was_erased(self, lead_id, at):
        tale = self.tales.get(self.home(lead_id, at))
        return tale is not None and tale.erased_at is not None and tale.erased_at <= at

    # --- people

    def one_lead(self, person, entries):
        """`entries`: what was captured of one person, in order, as (keys, [(kind, subject, value, at)]). A lead of his own is
        given to him once, and again only when the one that has the keys is over."""
        holders, own = {}, set()
        for keys, outcomes in entries:
            for kind, subject, value, at in outcomes:
                if kind == "lead.duplicate":
                    self._same(person, own, value.get(c.FIRST_LEAD), at)
                elif kind in ("lead.assigned", "lead.unassigned"):
                    is_barred = value.get("reason") == "do_not_contact"
                    known = [holders[k] for k in keys if k in holders]
                    self._another(person, [lead_id for lead_id in known if not (is_barred and self._is_barred(lead_id))], subject, at)
                    own.add(subject)
                    if not is_barred:
                        holders.update(dict.fromkeys(keys, subject))
        return own

    def _same(self, person, own, first, at):
        homes = own | {self.home(lead_id, at) for lead_id in own} | {self.home(lead_id, self.now_ms) for lead_id in own}
        if first not in homes and not any(self._family(lead_id) & self._family(first) for lead_id in own):
            self.report.found("double-owned", "person %s: duplicate of %s, not of %s" % (person, first, ", ".join(sorted(own))))

    def _is_barred(self, lead_id):
        """Somebody said that the person is not to be contacted: nobody gets what comes of him, even when the lead that
        it was said of is looked at again."""
        tales = [self.tales[one] for one in self._family(lead_id) if one in self.tales]
        return any(e.value.get("reason") == "do_not_contact" or e.value.get("do_not_contact") for tale in tales for e in tale.events)

    def _family(self, lead_id):
        """Whatever it was ever merged into."""
        found, todo = set(), [lead_id]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += [e.value.get("into") for e in self.tales[one].moves if e.kind == "lead.merged"] if one in self.tales else []
        return found

    def _another(self, person, holders, subject, at):
        for holder in holders:
            if holder != subject and not self.may_be_gone(holder, at):
                self.report.found("double-owned", "person %s: %s after %s" % (person, subject, holder))
                return

    # --- who waits

    def waiting(self):
        """The leads that wait by their events, and nothing is known that ended it."""
        for lead_id, tale in self.tales.items():
            if tale.owners and status_of(tale.owners[-1]) == "waiting":
                since = tale.owners[-1].at
                if not any(e.at >= since and e.topic == c.LIFECYCLE for e in tale.moves):
                    yield lead_id
