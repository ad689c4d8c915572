# SPDX-License-Identifier: Apache-2.0
"""What the tests know of the wire: topics, headers, state keys, Redis keys. design.md has the reasons; this is the
only place of the rig that spells them."""
import re

CAPTURED = "leads.captured"
ACTIVITY = "leads.activity"
ASSIGNMENTS = "leads.assignments"
FOLLOWUPS = "leads.followups"
LIFECYCLE = "leads.lifecycle"
REJECTED = "leads.rejected"
STATE = "leads.state"

INPUTS = (CAPTURED, ACTIVITY)
OUTPUTS = (ASSIGNMENTS, FOLLOWUPS, LIFECYCLE, REJECTED)
GROUP = "leadrouter"

# Exactly one of these per captured record; a record in leads.rejected counts as REJECT.
REJECT = "lead.rejected"
CAPTURED_OUTCOMES = ("lead.assigned", "lead.unassigned", "lead.duplicate", REJECT)
OVERDUE = "followup.overdue"
FIRST = "first"

# What an activity may be answered with, beside a reject or, when it expects another version, CONFLICT: exactly one of these.
_MOVED, _CHANGED = ("lead.status",), ("lead.assigned", "lead.unassigned", "lead.status")
CONFLICT = "ownership.conflict"
ANSWERS = {
    "activity.touch": _MOVED, "activity.status": _MOVED, "activity.nurture": _MOVED, "activity.disqualify": _MOVED,
    "activity.report": _MOVED, "activity.collaborators": _MOVED, "activity.protect": _MOVED,
    "activity.verdict": _CHANGED, "activity.reassign": _CHANGED, "activity.decline": _CHANGED, "activity.approve": _CHANGED,
    "activity.release": ("lead.unassigned", "lead.status"),
    "activity.claim": ("lead.assigned", "claim.rejected", "lead.dispute", "lead.status"),
    "activity.convert": ("lead.converted",), "activity.erase": ("lead.erased",), "activity.feedback": ("lead.feedback",),
    "activity.merge": ("lead.merged", "lead.dispute"), "activity.split": ("lead.split",),
    "activity.issue": ("lead.issue",), "activity.complaint": ("lead.complaint",),
    "activity.help_requested": ("lead.help_requested",),
    "rep.availability": ("rep.presence",), "rep.handover": ("rep.handed_over",),
}
# Why a good activity may be refused; anything else is a fault of ours or of the generator.
REFUSALS = {"unknown_lead", "lead_never_came", "lead_merged", "illegal_transition", "not_the_owner", "nothing_pending",
            "cannot_merge", "cannot_split", "unknown_rep", "rep_not_active"}
LEAD_ERASED = "lead_erased"
CLOSED = ("converted", "lost", "invalid")
IN_HAND = ("assigned", "in_progress")  # what counts against an open limit
# In these nobody has acted on the lead since it got its owner, or nobody has it.
NOT_TAKEN_UP = ("assigned", "unassigned", "waiting", "held", "pending", "released")
WAIT = "mem/wait/"

ID, TYPE, TIME, SUBJECT, CAUSE = "ce_id", "ce_type", "ce_time", "ce_subject", "lr_cause"
REQUIRED_HEADERS = (ID, TYPE, "ce_source", TIME, "ce_specversion", CAUSE)
ERROR_CODE, ERROR_NUMBER = "leadrouter.error.code", "leadrouter.error.number"
ERROR_ORIGIN = ("__dlq.errors.topic", "__dlq.errors.partition", "__dlq.errors.offset")
FIRST_LEAD = "first_lead_id"  # in the value of lead.duplicate
STATE_SEQ, STATE_HASH = "q", "h"
BARRIER = "barrier"
CONTAINERS = ("lead", "ident", "ring", "mem")


def topics(partitions, state_settings=None):
    """All topics as broker.Kafka.create_topics() wants them."""
    state = dict({"cleanup.policy": "compact", "min.compaction.lag.ms": "3600000"}, **(state_settings or {}))
    return [(t, partitions) for t in INPUTS + OUTPUTS] + [(STATE, partitions, state)]


def cause_of_input(topic, partition, offset):
    return "%s/%d/%d" % (topic, partition, offset)


def _next_of(due, following, stop, pause):
    """Of a clock in its stored form: 0 means at the due time, -1 that nothing is left to tell."""
    return None if not due or stop or pause or following < 0 else following or due


def due_of(lead):
    """When a lead's value in leads.state is next due, in ms, for a level of any clock or what its state waits for; None: never. Times are ms."""
    found = [_first_response(lead), lead.get("wake"), lead.get("later"), lead.get("purge"), lead.get("dispute"), lead.get("excused") and lead.get("exempt")]
    for numbers in lead.get("clocks", {}).values():
        _, _, _, due, following, stop, pause = (numbers + [0] * 7)[:7]
        found.append(_next_of(due, following, stop, pause))
    return min((float(moment) for moment in found if moment), default=None)


def _first_response(lead):
    due, level = lead.get("deadline"), lead.get("level", 0)
    if "first" in lead:
        _, following, stop, pause = (lead["first"] + [0] * 4)[:4]
        return _next_of(due, following, stop, pause)
    if not due or lead.get("touched"):
        return None
    if level == 0 and lead.get("remind"):
        return lead["remind"]
    return due if level < 2 else None


def due_of_memory(value):
    """When a memory value is due, in ms; None when it is not to be fired. One that can be is an object that begins with "due"."""
    found = re.match(rb'\{"due":(\d+)', value)
    return float(found[1]) if found and int(found[1]) else None


def stored_lead(value, due):
    """How a lead's value stands in Redis: its first member says when it is due, if it is."""
    return value if due is None else b'{"due":%d%s' % (due, b"," + value[1:] if value[1:] != b"}" else b"}")


def lead_of_stored(stored):
    """The value in leads.state of what stands in Redis."""
    return re.sub(rb'^\{"due":\d+,?', b"{", stored)


def timers_in_pages(pages, bounds):
    """Timers by id, and what is wrong with their pages by bound. `pages`: content by bound. `bounds`: all of the index. A page
    is 1 byte of length, 6 bytes of due time in ms, and the id, over and over; all lie from its own bound to the next one."""
    timers, wrong = {}, {bound: "is in the index or in the hash only" for bound in set(pages) ^ set(bounds)}
    order = sorted(pages)
    for number, bound in enumerate(order):
        page, behind = pages[bound], order[number + 1:number + 2]
        places, at = [], 0
        while at < len(page):
            places.append(page[at + 1:at + 1 + page[at]])
            at += 1 + page[at]
        if at != len(page) or not places:
            wrong[bound] = "is torn or empty"
        if any((number and place < bound) or (behind and place >= behind[0]) for place in places):
            wrong[bound] = "holds what belongs to another page"
        for place in places:
            if place[6:] in timers:
                wrong[bound] = "holds a second timer of %r" % place[6:]
            timers[place[6:]] = float(int.from_bytes(place[:6], "big"))
    return timers, wrong


def read_timers(client, shard):
    """timers_in_pages() of a view."""
    return timers_in_pages(dict(client.hscan_iter(view_key(shard, "due"), count=1000)),
                           client.zrangebylex(view_key(shard, "pages"), "-", "+"))


def view_key(shard, container):
    return "{lr:%d}:%s" % (shard, container)


def murmur2(data):
    """Java's default partitioner, which decides the shard of a tenant."""
    length, m, mask = len(data), 0x5BD1E995, 0xFFFFFFFF
    h = (0x9747B28C ^ length) & mask
    whole = length & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    rest = data[whole:]
    if rest:
        h = (h ^ int.from_bytes(rest, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def shard_of(tenant, partitions):
    return (murmur2(tenant.encode()) & 0x7FFFFFFF) % partitions
