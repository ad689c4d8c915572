# SPDX-License-Identifier: Apache-2.0
"""Everything that can happen to a lead, in one mix: rules under which it means something, and activities by seed.

rules() is a rules file with pools that are full at times, leads that wait, are held, asked about and disputed; every
clock in it is short, so that a run has an end. Mix makes the activities for generate.py: each is a good one, but it is
sent blindly, so many are refused by the state that their lead is in. The verifier knows nothing of either but LIMITED.
"""

import random
import time

from rig import contract

OPEN = ("ana", "ben")                                # the reps of the team whose leads wait without an end
REPS = OPEN + ("chen", "dora", "fay", "hal")
LENT, CONSENT, SCREENER = "gus", "head-of-lent", "boss"
LIMITED = "emea"                                     # only the open limit keeps its leads waiting
RECENT = 60                                          # persons of a tenant that activities are about
PAIRS = 8                                            # merged ones that may be split again

RULES = """
dedup: {identity_key_file: identity.key, window: forever}
cleanse: {sources: {referral: []}}
reps: [ana, ben, {id: chen, name: "Chen Wei"}, dora, {id: emil, active: false}, fay, hal, gus]
teams:
  - {id: emea, reps: [ana, {rep: ben, weight: 2}, emil], capacity: {open: %(open)d}, nobody: [wait]}
  - id: apac
    reps: [{rep: chen, weight: 3}, dora]
    capacity: {open: %(open)d, caps: [{most: %(rate)d, within: 1s}]}
    nobody: [{wait: 2s}, {next_pool: world}]
  - {id: world, reps: [fay, hal], nobody: [{fallback_queue: desk}]}
  - {id: lent, reps: [gus], nobody: [{fallback_queue: desk}]}
score:
  base: 10
  criteria:
    - {name: "wants it", points: 40, when: "lead.intent == 'high'"}
    - {name: "large", points: 20, when: "lead.company.employees >= 250"}
    - {name: "cold", points: -5, when: "lead.intent == 'potential'"}
  grades:
    - {grade: A, from: 50, first_response: 4s, remind_before: 1s}
    - {grade: B, from: 20, first_response: 6s}
    - {grade: C, from: lowest, first_response: 4s}
routes:
  - {name: screened, when: "lead.source == 'referral'", hold: boss, within: 3s, otherwise: assign, team: world}
  - {name: europe, when: "lead.location.country in ['DE', 'FR', 'GB']", team: emea}
  - {name: asia, when: "lead.location.country in ['CN', 'JP', 'IN']", team: apac}
  - {name: rest, team: world}
followup:
  activity: {wait_for_lead: 3s}
  clocks:
    # not where leads wait without an end: each that is given up would let in the next one, for as long as any waits
    - {clock: first_response, when: 'grade == "C" && team != "emea"', after: 4s, on_breach: reassign, max_hops: 1}
ownership:
  cool_down: 1s
  holding: %(open)d
  claims_per_day: 1000
  protect_at_most: 30d
  dispute: {evidence: 2s, ladder: [first_follow_up, key_person], otherwise: owner}
  consent: [{team: lent, by: head-of-lent, within: 2s, otherwise: grant}]
"""


def open_limit(leads, partitions):
    """Of each rep in each shard: a third of the leads of these teams find nobody, until others are closed."""
    return max(5, leads // (12 * partitions))


def limits(leads, partitions):
    """What the verifier is told of the rules."""
    return {LIMITED: dict.fromkeys(OPEN, open_limit(leads, partitions))}


def rules(leads, seconds, partitions):
    return RULES % {"open": open_limit(leads, partitions), "rate": max(2, int(leads / seconds / (8 * partitions)))}


class Mix:
    """about() is told of each person that was sent; some() yields (type, tenant, value) to send next."""

    def __init__(self, share, seed, now):
        self.share, self.now = share, now
        self.rng = random.Random("leadrouter mix %d" % seed)
        self.recent, self.pairs = {}, {}
        self.rows = [row for row in ROWS for _ in range(row[0])]

    def about(self, person):
        known = self.recent.setdefault(person.tenant, [])
        known.append(person)
        if len(known) > RECENT:
            known.pop(0)

    def some(self, tenant):
        """Nothing most of the time, else one activity about a lead of this tenant."""
        if self.rng.random() >= self.share or not self.recent.get(tenant):
            return
        _, kind, make = self.rng.choice(self.rows)
        value = make(self, self.rng, tenant)
        if value is not None:
            yield kind, tenant, value

    def last(self):
        """Everybody is there again, so that whoever still waits does so for want of a place."""
        for tenant in self.recent:
            for rep in REPS + (LENT,):
                yield "rep.availability", tenant, {"rep": rep, "status": "available"}

    # --- what the rows are made of

    def lead(self, tenant):
        """Some leads have much more done to them than others."""
        known = self.recent[tenant]
        return known[min(self.rng.randrange(len(known)), self.rng.randrange(len(known)))].lead_id

    def soon(self, seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now + self.rng.randint(1, seconds)))

    def order(self, tenant, **members):
        return dict({"lead_id": self.lead(tenant), "actor": "boss"}, **members)

    def expecting(self, tenant, **members):
        return self.order(tenant, expected_version=self.rng.choice((1, 1, 1, 2, 3)), **members)

    def merge(self, tenant):
        one, other = self.lead(tenant), self.lead(tenant)
        pairs = self.pairs.setdefault(tenant, [])
        pairs.append((one, other))
        if len(pairs) > PAIRS:
            pairs.pop(0)
        return {"lead_id": one, "other": other, "actor": "boss"}

    def split(self, tenant):
        """Which of the two has survived is not known here."""
        if not self.pairs.get(tenant):
            return None
        one, other = self.rng.choice(self.pairs[tenant])
        if self.rng.random() < 0.5:
            one, other = other, one
        return dict({"lead_id": one, "other": other}, **({"to": "fay"} if self.rng.random() < 0.2 else {}))

    def presence(self, rep):
        chance = self.rng.random()
        if chance < 0.35:
            return {"rep": rep, "status": "away", "until": self.soon(6)}
        if chance < 0.5:
            return {"rep": rep, "status": "away"}
        return dict({"rep": rep, "status": "available"}, **({"at": "2026-09-21T00:00:00Z"} if chance < 0.55 else {}))


# (weight, type, what it says)
ROWS = (
    (4, "activity.reassign", lambda m, r, t: m.order(t, to=r.choice(REPS))),
    (4, "activity.reassign", lambda m, r, t: m.expecting(t, to=r.choice(REPS))),
    (2, "activity.reassign", lambda m, r, t: m.order(t, team=r.choice(("emea", "apac", "world")))),
    (3, "activity.reassign", lambda m, r, t: m.order(t, to=LENT)),
    (1, "activity.reassign", lambda m, r, t: m.order(t, to=r.choice(("emil", "nobody")))),
    (3, "activity.approve", lambda m, r, t: {"lead_id": m.lead(t), "actor": CONSENT, "decision": r.choice(("yes", "no"))}),
    (8, "activity.claim", lambda m, r, t: {"lead_id": m.lead(t), "actor": r.choice(REPS)}),
    (3, "activity.claim", lambda m, r, t: {"lead_id": m.lead(t), "actor": r.choice(REPS), "evidence": {"key_person": True}}),
    (6, "activity.decline", lambda m, r, t: {"lead_id": m.lead(t)}),
    (1, "activity.decline", lambda m, r, t: {"lead_id": m.lead(t), "actor": r.choice(REPS)}),
    (6, "activity.release", lambda m, r, t: {"lead_id": m.lead(t), "reason": "no_time"}),
    (3, "activity.nurture", lambda m, r, t: m.order(t, until=m.soon(10))),
    (1, "activity.nurture", lambda m, r, t: m.order(t)),
    (3, "activity.status", lambda m, r, t: m.order(t, stage="offer")),
    (3, "activity.status", lambda m, r, t: m.order(t, status="opportunity", until=m.soon(10))),
    (3, "activity.status", lambda m, r, t: m.order(t, status="shelved", until=m.soon(10))),
    (5, "activity.status", lambda m, r, t: m.order(t, status=r.choice(("in_progress", "unassigned")))), # reopens, too
    (3, "activity.status", lambda m, r, t: m.order(t, status="lost", reason="bought_elsewhere")),
    (4, "activity.convert", lambda m, r, t: m.order(t, amount=r.randrange(10000))),
    (1, "activity.convert", lambda m, r, t: m.order(t, kind="deferred", date=m.soon(10))),
    (5, "activity.disqualify", lambda m, r, t: m.order(t, reason="no_need")),
    (1, "activity.disqualify", lambda m, r, t: m.order(t, do_not_contact=True)),
    (6, "activity.merge", lambda m, r, t: m.merge(t)),
    (6, "activity.split", lambda m, r, t: m.split(t)),
    (6, "rep.availability", lambda m, r, t: m.presence(r.choice(REPS))),
    (1, "rep.handover", lambda m, r, t: {"rep": "hal", "to": "fay"}),
    (3, "activity.verdict", lambda m, r, t: m.order(t, verdict=r.choice(("yes", "yes", "no", "latent", "unreachable")))),
    (2, "activity.feedback", lambda m, r, t: m.order(t, rating=r.randint(1, 5))),
    (1, "activity.issue", lambda m, r, t: m.order(t, department="technical")),
    (1, "activity.complaint", lambda m, r, t: m.order(t, text="too slow")),
    (1, "activity.help_requested", lambda m, r, t: m.order(t, to="ana")),
    (1, "activity.report", lambda m, r, t: m.order(t)),
    (1, "activity.collaborators", lambda m, r, t: m.order(t, collaborators=[{"rep": r.choice(REPS), "role": "answers"}])),
    (1, "activity.protect", lambda m, r, t: m.order(t, until=m.soon(60))),
    (4, "activity.erase", lambda m, r, t: m.order(t)),
    (1, "activity.erase", lambda m, r, t: m.order(t, do_not_contact=True)),
)
TYPES = sorted({kind for _, kind, _ in ROWS})
assert set(TYPES) | {"activity.touch"} == set(contract.ANSWERS)
