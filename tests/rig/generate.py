#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Leads and activities by seed: the same arguments give the same records, byte for byte.

  generate.py --leads N [--seed S] [--tenants T] [--hostile SHARE] [--touches SHARE] [--mixed SHARE [--now S]]
              [--as records|leads]                                                                          JSON lines
  generate.py --leads N … --kafka HOST:PORT --partitions P [--rate PER-SECOND]                              produce

A person is a known identity: attributes.person names it, and the verifier goes by that, not by our e-mail and phone
rules. A fifth of the records are duplicates of an earlier person of the same tenant: the e-mail in other letters, the
phone in another notation, the same lead id, or the same event again. Hostile records have no person; each must be
rejected. Touches name a lead that was captured before; they are sent after the leads they name. Mixed in are all the other
activities (mixed.py), so many per lead; the times that they name lie soon after --now.

As records, a line is {"topic", "tenant", "key", "headers": [[name, value]…], "value"}; bytes that are no UTF-8 come as
"value_b64". As leads, a line is the bare lead.
"""

import argparse
import base64
import json
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from rig import contract, mixed  # noqa: E402

DUPLICATES = 0.2
RECENT = 5000          # persons per tenant that may come again
PERSONS_MAX = 10 ** 6  # GB has six free digits
START = 1790000000     # 2026-09-21T14:13:20Z: captured_at is counted from here, so that no clock is needed

# country -> (region, city, postal code, phone: fixed digits and how many follow, how it is grouped)
PLACES = {
    "DE": ("BY", "München", "80331", "+491511", 7), "US": ("NY", "New York", "10001", "+1212", 7),
    "GB": ("ENG", "London", "SW1A 1AA", "+447400", 6), "CN": ("SH", "上海", "200000", "+86138", 8),
    "FR": ("IDF", "Paris", "75001", "+3361", 7), "JP": ("13", "東京", "100-0001", "+81901", 7),
    "IN": ("MH", "Mumbai", "400001", "+9198", 8), "BR": ("SP", "São Paulo", "01000-000", "+55119", 8),
}
LETTERS = {"DE": "Jürgen Müller", "US": "Ann O'Neill", "GB": "Zoë Smith-Jones", "CN": "王小明", "FR": "François Côté",
           "JP": "山田太郎", "IN": "प्रिया शर्मा", "BR": "João Conceição"}
SOURCES = ("web", "event", "referral", "ads", "partner", "Web Form", "cold call", "newsletter")
INDUSTRIES = ("software", "retail", "manufacturing", "health", "finance", "education")
INTENTS = ("potential", "clear", "high")
EXTREME = {"deep": 100000, "large": 1 << 20, "digits": 100000}


class Person:
    def __init__(self, number, tenant, rng):
        self.number, self.tenant = number, tenant
        self.country = rng.choice(tuple(PLACES))
        self.lead_id = "L-%s%d" % (tenant + "-" if tenant else "", number)
        self.email = "p%d.%s@%s.example" % (number, rng.choice(("kim", "lee", "ode", "ray")), rng.choice(("acme", "globex", "initech")))
        prefix, digits = PLACES[self.country][3:]
        if number >= PERSONS_MAX:
            raise ValueError("more than %d persons: their phones would not differ" % PERSONS_MAX)
        # counted from the other end: a lead id that ends in the person's own number would be refused
        self.phone = prefix + str(10 ** digits - 1 - number).zfill(digits)
        if prefix == "+1212":
            self.phone = prefix + str(9999999 - number) # an exchange does not begin with 0 or 1
        self.source = rng.choice(SOURCES)
        self.company = "company-%d" % (number % 997)
        self.event = None


class Generator:
    """records() yields (topic, tenant, key, headers, value bytes) in the order in which they are to be sent."""

    def __init__(self, leads, seed=1, tenants=0, hostile=0.0, touches=0.0, first=0, mix=0.0, now=START):
        self.leads, self.hostile, self.touches, self.first = leads, hostile, touches, first
        self.rng = random.Random("leadrouter %d" % seed)
        self.seed = seed
        self.tenants = ["t%02d" % i for i in range(tenants)] or [""]
        self.persons = {t: [] for t in self.tenants}
        self.count = first
        self.touched = []
        self.mix = mixed.Mix(mix, seed + first, now)

    def records(self):
        for i in range(self.leads):
            if self.hostile and self.rng.random() < self.hostile:
                yield self._hostile(i)
                continue
            person, again = self._person()
            yield self._again(person, i) if again else self._first(person, i)
            if self.touches and not again and self.rng.random() < self.touches:
                self.touched.append((person, i))
            if len(self.touched) > 200:
                yield self._touch(*self.touched.pop(0))
            yield from self._mixed(person, again, i)
        for person, i in self.touched:
            yield self._touch(person, i)
        if self.mix.share:
            for number, (kind, tenant, value) in enumerate(self.mix.last()):
                yield self._activity(kind, tenant, value, "%d-last%d" % (self.first, number))

    def _mixed(self, person, again, i):
        if not again:
            self.mix.about(person)
        for kind, tenant, value in self.mix.some(person.tenant):
            yield self._activity(kind, tenant, value, "%d" % (self.first + i))

    def _person(self):
        """Somebody new, or one of the recent ones of this tenant again."""
        tenant = self.rng.choice(self.tenants)
        known = self.persons[tenant]
        if known and self.rng.random() < DUPLICATES:
            return known[self.rng.randrange(max(0, len(known) - RECENT), len(known))], True
        self.count += 1
        person = Person(self.count, tenant, self.rng)
        known.append(person)
        return person, False

    def _lead(self, person, i, **changes):
        region, city, postal = PLACES[person.country][:3]
        rng = self.rng
        lead = {
            "lead_id": person.lead_id,
            "captured_at": _time(i),
            "source": person.source,
            "campaign": "c%d" % (person.number % 13),
            "intent": rng.choice(INTENTS),
            "contact": {"name": LETTERS[person.country], "title": rng.choice(("CTO", "buyer", "owner", "")),
                        "email": person.email, "phone": person.phone},
            "company": {"name": person.company, "domain": person.company + ".example", "industry": rng.choice(INDUSTRIES),
                        "employees": rng.choice((3, 40, 250, 5000))},
            "location": {"country": person.country, "region": region, "city": city, "postal_code": postal},
            "interest": {"product": "product-%d" % rng.randrange(5), "need": "more of everything",
                         "budget": {"amount": rng.choice((500, 20000, 1000000)), "currency": "EUR"},
                         "timeframe": rng.choice(("now", "this quarter", "some day"))},
            "consent": {"email": True},
            "attributes": {"person": "%d" % person.number},
        }
        if person.tenant:
            lead["tenant"] = person.tenant
        for name, value in changes.items():
            if name in lead["contact"]:
                lead["contact"][name] = value
            else:
                lead[name] = value
        return lead

    def _first(self, person, i):
        record = self._record(person, i, self._lead(person, i), "event-%d-%d" % (self.seed, self.first + i))
        person.event = record
        return record

    def _again(self, person, i):
        """One of the ways in which a person comes again. Each leaves at least one identity as it was."""
        other = "%s-x%d" % (person.lead_id, i)
        event = "event-%d-%d" % (self.seed, self.first + i)
        way = self.rng.randrange(5)
        if way == 0:
            return person.event
        if way == 1:
            changes = {"lead_id": other, "email": _other_case(person.email, self.rng), "phone": ""}
        elif way == 2:
            changes = {"lead_id": other, "email": "", "phone": _other_notation(person.phone, self.rng)}
        elif way == 3:
            changes = {"email": _other_case(person.email, self.rng), "source": self.rng.choice(SOURCES)}
        else:
            changes = {"lead_id": other, "email": _other_case(person.email, self.rng),
                       "phone": _other_notation(person.phone, self.rng)}
        return self._record(person, i, self._lead(person, i, **changes), event)

    def _record(self, person, i, lead, event_id):
        """Binary CloudEvents mostly, some structured, some bare JSON."""
        value = {k: v for k, v in lead.items()}
        value["contact"] = {k: v for k, v in lead["contact"].items() if v != ""}
        mode = self.rng.random()
        headers = []
        if mode < 0.65:
            headers = _headers(event_id, "lead.captured", _time(i))
        elif mode < 0.75:
            headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
            value = {"specversion": "1.0", "id": event_id, "source": "/rig/generate", "type": "lead.captured",
                     "time": _time(i), "datacontenttype": "application/json", "data": value}
        key = (person.tenant or person.lead_id).encode()
        return contract.CAPTURED, person.tenant, key, headers, _bytes(value)

    def _activity(self, kind, tenant, value, number):
        if tenant:
            value = dict(value, tenant=tenant)
        headers = _headers("%s-%d-%s" % (kind, self.seed, number), kind, _time(0))
        return contract.ACTIVITY, tenant, (tenant or value.get("lead_id") or "reps").encode(), headers, _bytes(value)

    def _touch(self, person, i):
        value = {"lead_id": person.lead_id, "method": self.rng.choice(("call", "mail", "visit")), "at": _time(i + 60),
                 "outcome": self.rng.choice(("reached", "no answer", "call back"))}
        if person.tenant:
            value["tenant"] = person.tenant
        headers = _headers("touch-%d-%d" % (self.seed, self.first + i), "activity.touch", _time(i + 60))
        return contract.ACTIVITY, person.tenant, (person.tenant or person.lead_id).encode(), headers, _bytes(value)

    def _hostile(self, i):
        tenant = self.rng.choice(self.tenants)
        name = self.rng.choice(tuple(HOSTILE))
        stranger = tenant and self.rng.random() < 0.1
        value, headers = HOSTILE[name](i, tenant), []
        if stranger:
            value = _wrap(b'"intent":"high"')(i, "nobody-here")
        if self.rng.random() < 0.3:
            headers = [("x-bytes", bytes(range(256))), ("x-null", None), ("lr_cause", b"leads.captured/0/0"),
                       ("x-twice", b"1"), ("x-twice", b"2")]
        key = b"nobody-here" if stranger else tenant.encode() or (b"\xff\x00key" if self.rng.random() < 0.1 else b"hostile")
        return contract.CAPTURED, tenant, key, headers, value


def _bad(text):
    return lambda i, tenant: text


def _wrap(inner):
    """A lead that is good but for one thing."""
    def make(i, tenant):
        return (b'{"lead_id":"H-%d",%s"contact":{"email":"h%d@hostile.example"},%s}'
                % (i, b'"tenant":"%s",' % tenant.encode() if tenant else b"", i, inner))
    return make


HOSTILE = {
    "null value": _bad(None),
    "empty": _bad(b""),
    "no json": _bad(b"GET / HTTP/1.1\r\n\r\n"),
    "cut off": _bad(b'{"contact":{"email":"a@b.example"'),
    "an array": _bad(b"[]"),
    "a number": _bad(b"1e400"),
    "trailing bytes": _wrap(b'"intent":"high"} {"x":1'),
    "duplicate key": _wrap(b'"intent":"high","intent":"clear"'),
    "duplicate contact": _wrap(b'"contact":{"phone":"+4915112345678"}'),
    "invalid utf-8": _wrap(b'"campaign":"\xc3\x28"'),
    "surrogate": _wrap(b'"campaign":"\\ud800"'),
    "escaped nul": _wrap(b'"campaign":"a\\u0000b"'),
    "raw nul": _wrap(b'"campaign":"a\x00b"'),
    "huge integer": _wrap(b'"company":{"employees":99999999999999999999999}'),
    "wrong type": _wrap(b'"contact_time":1,"company":"a string"'),
    "deeper than allowed": _bad(b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "many values": _bad(b'{"contact":{"email":"a@hostile.example"},"attributes":{"x":[' + b"0," * 20000 + b"0]}}"),
    "deep": lambda i, tenant: b"[" * EXTREME["deep"] + b"]" * EXTREME["deep"],
    "large": lambda i, tenant: b'{"campaign":"' + b"x" * (EXTREME["large"] - 64) + b'"}',
    "digits": lambda i, tenant: b'{"lead_id":' + b"9" * EXTREME["digits"] + b"}",
    "nobody to reach": _bad(b'{"lead_id":"H-nobody","contact":{"name":"nobody"}}'),
    "bad lead id": _bad(b'{"lead_id":"a b/{c}\\r\\n","contact":{"email":"a@hostile.example"}}'),
}


def _headers(event_id, kind, moment):
    pairs = {"ce_specversion": "1.0", "ce_id": event_id, "ce_source": "/rig/generate", "ce_type": kind, "ce_time": moment,
             "content-type": "application/json"}
    return [(k, v.encode()) for k, v in pairs.items()]


def _bytes(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _time(i):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + i // 100))


def _other_case(email, rng):
    return rng.choice((email.upper(), email.capitalize(), " %s " % email, email.replace("example", "EXAMPLE")))


def _other_notation(phone, rng):
    code = next(c for c in ("+49", "+44", "+86", "+33", "+81", "+91", "+55", "+1") if phone.startswith(c))
    rest = phone[len(code):]
    return rng.choice(("%s %s %s" % (code, rest[:3], rest[3:]), "%s-%s-%s" % (code, rest[:4], rest[4:]),
                       "%s (%s) %s" % (code, rest[:3], rest[3:]), " " + phone))


# --- sending

def line(record):
    topic, tenant, key, headers, value = record
    out = {"topic": topic, "tenant": tenant, "key": key.decode("utf-8", "replace"),
           "headers": [[k, None if v is None else v.decode("utf-8", "replace")] for k, v in headers]}
    try:
        out["value"] = None if value is None else value.decode()
    except UnicodeDecodeError:
        out["value_b64"] = base64.b64encode(value).decode()
    return json.dumps(out, ensure_ascii=False)


def produce(records, bootstrap, partitions, rate=0, until=None):
    """Sends in order, each tenant to its shard; returns how many records the broker has acknowledged. `until()` true
    ends early. Raises when a record is refused."""
    from confluent_kafka import Producer
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, "log_level": 3,
                         "message.max.bytes": 4 << 20, "queue.buffering.max.messages": 500000})
    shards, sent, start = {}, 0, time.monotonic()

    def delivered(error, _message):
        if error:
            failures.append(str(error))

    for topic, tenant, key, headers, value in records:
        if tenant not in shards:
            shards[tenant] = contract.shard_of(tenant, partitions) if tenant else 0
        while True:
            try:
                producer.produce(topic, value, key, shards[tenant], on_delivery=delivered, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        sent += 1
        if sent % 200 == 0:
            producer.poll(0)
            while rate and sent > (time.monotonic() - start) * rate:
                producer.poll(0.01)
            if until and until():
                break
    producer.flush(120)
    if failures or len(producer):
        raise RuntimeError("%d records refused (%s), %d unsent" % (len(failures), failures[:1], len(producer)))
    return sent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tenants", type=int, default=0, help="0: a single tenant, partition 0")
    parser.add_argument("--hostile", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--touches", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--mixed", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--now", type=int, default=START, metavar="SECONDS", help="since 1970; what the times of --mixed follow")
    parser.add_argument("--first", type=int, default=0, help="number of the first person: a later run of the same seed")
    parser.add_argument("--as", dest="form", choices=("records", "leads"), default="records")
    parser.add_argument("--kafka", metavar="HOST:PORT")
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0)
    given = parser.parse_args()
    records = Generator(given.leads, given.seed, given.tenants, given.hostile, given.touches, given.first,
                        given.mixed, given.now).records()
    if given.kafka:
        start = time.monotonic()
        count = produce(records, given.kafka, given.partitions, given.rate)
        return print("%d records in %.1f s" % (count, time.monotonic() - start))
    for record in records:
        if given.form == "records":
            print(line(record))
        elif record[0] == contract.CAPTURED and record[4]:
            print(record[4].decode("utf-8", "surrogateescape").replace("\n", " "))


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    main()
